//! Episodes: the faults of one node are counted, judged, and come to an end.

use crate::{
	types::Slash, Config, Episodes, Error, Event, NextSlash, Pallet, SlashOf, SlashStatus, Slashes, SlashesOf,
};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_math::downtime_slash;
use millrace_primitives::{
	Balance, BondSlashing, FaultClock, Judgement, LeaseId, Moment, NodeFault, SlashId, SlashLimit,
};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Counts a fault: all of it, or nothing.
	pub(crate) fn do_count_fault(fault: NodeFault<T::AccountId, Balance>) -> DispatchResult {
		// A node without a bond, that of a class for development, has nothing to lose.
		if !T::Clock::is_running() || fault.lease_bond == 0 {
			return Ok(());
		}
		with_storage_layer(|| {
			let (id, mut slash) = Self::find_or_begin(&fault)?;
			// One comes, one goes: so each costs the same, and the list grows only while nothing can be judged.
			Self::judge(id, &mut slash, 1)?;
			Self::count(id, &mut slash, &fault)?;
			Slashes::<T>::insert(id, slash);
			Ok(())
		})
	}

	fn count(
		id: SlashId,
		slash: &mut SlashOf<T>,
		fault: &NodeFault<T::AccountId, Balance>,
	) -> DispatchResult {
		let epoch = T::Clock::epoch();
		let provider = slash.provider.clone();
		if !slash.has_room_for(epoch) {
			// In the provider's favour: what cannot be excused later must not be taken.
			Self::deposit_event(Event::FaultNotCounted { slash: id, provider, epoch });
			return Ok(());
		}
		let downtime = downtime_slash(
			fault.lease_bond,
			T::DowntimeRate::get(),
			fault.epochs,
			fault.dark_gpus,
			fault.gpus,
		);
		// Clamping is right, twice: more than the limit is the limit, and nothing is left of it if it was lowered since.
		let left = T::EpisodeCap::get().mul_floor(slash.lease_bond).saturating_sub(slash.held);
		let amount = downtime.saturating_add(fault.walkout).min(left);
		let moved = Self::hold_slash(&provider, amount, SlashLimit::Era)?;
		slash.count(epoch, fault.since, moved, fault.unserved).ok_or(Error::<T>::LedgerMismatch)?;
		Self::deposit_event(Event::FaultCounted {
			slash: id,
			provider,
			cause: fault.cause,
			epoch,
			epochs: fault.epochs,
			dark_gpus: fault.dark_gpus,
			gpus: fault.gpus,
			amount: moved,
			held: slash.held,
		});
		Ok(())
	}

	/// The slash of the open episode, or that of a new one. A fault for which nothing can be held begins one too: what the
	/// renter was not served counts when more can be held later.
	fn find_or_begin(
		fault: &NodeFault<T::AccountId, Balance>,
	) -> Result<(SlashId, SlashOf<T>), DispatchError> {
		let NodeFault { provider, lease, .. } = fault;
		if let Some(id) = Episodes::<T>::get(provider, lease) {
			let slash = Slashes::<T>::get(id).ok_or(Error::<T>::LedgerMismatch)?;
			return Ok((id, slash));
		}
		let slash = Slash {
			provider: provider.clone(),
			owner: fault.owner.clone(),
			lease: Some(*lease),
			renter: Some(fault.renter.clone()),
			cause: fault.cause,
			lease_bond: fault.lease_bond,
			held: 0,
			unserved: fault.unserved.map(|_| 0),
			faults: Default::default(),
			opened_at: T::Time::now(),
			status: SlashStatus::Open,
			due: None,
		};
		let id = Self::add(&slash)?;
		Episodes::<T>::insert(provider, lease, id);
		Self::deposit_event(Event::EpisodeBegan {
			slash: id,
			provider: provider.clone(),
			lease: *lease,
			renter: fault.renter.clone(),
			cause: fault.cause,
		});
		Ok((id, slash))
	}

	/// Judges the oldest faults that can be judged by now, at most so many. An error leaves some of them judged: callers roll back.
	pub(crate) fn judge(id: SlashId, slash: &mut SlashOf<T>, most: u32) -> DispatchResult {
		for fault in slash.faults.clone().into_iter().take(most as usize) {
			match T::Clock::judge(fault.since, fault.epoch, &slash.owner) {
				Judgement::Open => {}
				Judgement::Counts => slash.confirm(&fault),
				Judgement::Excused(excuse) => {
					Self::return_slash(&slash.provider, fault.amount)?;
					slash.excuse(&fault).ok_or(Error::<T>::LedgerMismatch)?;
					Self::deposit_event(Event::FaultExcused {
						slash: id,
						provider: slash.provider.clone(),
						epoch: fault.epoch,
						excuse,
						amount: fault.amount,
					});
				}
			}
		}
		Ok(())
	}

	/// The episode is over, if there is one: its slash can be appealed, and is paid out later.
	pub(crate) fn do_end_episode(provider: &T::AccountId, lease: LeaseId) {
		let Some(id) = Episodes::<T>::take(provider, lease) else { return };
		let Some(mut slash) = Slashes::<T>::get(id) else { return };
		if slash.held == 0 && slash.faults.is_empty() {
			Self::remove(id, &slash);
			Self::deposit_event(Event::SlashDropped { slash: id, provider: provider.clone(), bond: 0 });
			return;
		}
		let executes_at = Self::executes_at();
		slash.status = SlashStatus::Deferred { executes_at };
		// As soon as the last fault can be judged, so that what is excused comes back soon.
		slash.due = Some(Self::arm_at(id, Self::block_of_judgement()));
		Self::deposit_event(Event::EpisodeEnded { slash: id, held: slash.held, executes_at });
		Slashes::<T>::insert(id, slash);
	}

	/// When a slash is paid out whose time begins now.
	pub(crate) fn executes_at() -> Moment {
		// Clamping is right: there is no time after the end of time.
		T::Time::now().saturating_add(T::SlashDeferral::get())
	}

	/// Gives a slash the next number and stores it.
	pub(crate) fn add(slash: &SlashOf<T>) -> Result<SlashId, DispatchError> {
		let id = NextSlash::<T>::get();
		NextSlash::<T>::put(id.next().ok_or(ArithmeticError::Overflow)?);
		SlashesOf::<T>::insert(&slash.provider, id, ());
		Slashes::<T>::insert(id, slash);
		Ok(id)
	}

	/// Forgets a slash whose episode is over, with its entry in the agenda. Nothing may be on hold for it any more.
	pub(crate) fn remove(id: SlashId, slash: &SlashOf<T>) {
		if let Some(due) = slash.due {
			Self::disarm(id, due);
		}
		SlashesOf::<T>::remove(&slash.provider, id);
		Slashes::<T>::remove(id);
	}

	/// Moves up to `amount` plancks from the bond to the hold. Returns the plancks that moved.
	pub(crate) fn hold_slash(
		provider: &T::AccountId,
		amount: Balance,
		limit: SlashLimit,
	) -> Result<Balance, DispatchError> {
		if amount == 0 {
			return Ok(0);
		}
		let moved = T::Bonds::hold_slash(provider, amount, limit)?;
		ensure!(moved <= amount, Error::<T>::LedgerMismatch);
		Ok(moved)
	}

	/// Moves `amount` plancks from the hold to the bond.
	pub(crate) fn return_slash(provider: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Bonds::return_slash(provider, amount)
	}
}
