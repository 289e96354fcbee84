//! The provider appeals; the council decides, or time does.

use crate::{
	types::MAX_FAULTS, Config, Error, Event, HoldReason, Pallet, SlashOf, SlashStatus, Slashes, Verdict,
};
use frame_support::{
	ensure,
	traits::{
		fungible::{
			hold::{Inspect as _, Mutate as _},
			BalancedHold as _, Inspect as _,
		},
		tokens::Precision,
		Get, Imbalance as _, OnUnbalanced, Time,
	},
};
use millrace_primitives::{Balance, BlobHash, SlashId};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_appeal(who: &T::AccountId, id: SlashId, evidence: BlobHash) -> DispatchResult {
		let mut slash = Slashes::<T>::get(id).ok_or(Error::<T>::UnknownSlash)?;
		ensure!(slash.provider == *who, Error::<T>::NotProvider);
		let executes_at = match slash.status {
			SlashStatus::Open => return Err(Error::<T>::EpisodeOpen.into()),
			SlashStatus::Appealed { .. } => return Err(Error::<T>::AlreadyAppealed.into()),
			SlashStatus::Deferred { executes_at } => executes_at,
		};
		let now = T::Time::now();
		ensure!(now < executes_at, Error::<T>::AppealTooLate);
		let bond = Self::appeal_bond_for(slash.held);
		Self::hold_bond(who, bond)?;
		// Clamping is right: there is no time after the end of time. An appeal never brings the end forward, so that the entry in
		// the agenda is not too late.
		let lapses_at = now.saturating_add(T::VerdictWithin::get()).max(executes_at);
		slash.status = SlashStatus::Appealed { lapses_at, bond, evidence };
		Slashes::<T>::insert(id, slash);
		Self::deposit_event(Event::Appealed { slash: id, provider: who.clone(), bond, evidence, lapses_at });
		Ok(())
	}

	/// Decides about a slash. An error leaves half of it done: callers roll back.
	pub(crate) fn do_resolve(id: SlashId, verdict: Verdict) -> DispatchResult {
		let mut slash = Slashes::<T>::get(id).ok_or(Error::<T>::UnknownSlash)?;
		let ends_at = slash.ends_at().ok_or(Error::<T>::EpisodeOpen)?;
		ensure!(T::Time::now() < ends_at, Error::<T>::VerdictTooLate);
		let appealed = slash.appeal_bond().is_some();
		ensure!(appealed || verdict != Verdict::Uphold, Error::<T>::NotAppealed);
		Self::judge(id, &mut slash, MAX_FAULTS)?;
		ensure!(slash.faults.is_empty(), Error::<T>::NotJudgedYet);
		ensure!(slash.held > 0, Error::<T>::NothingHeld);

		let kept = match verdict {
			Verdict::Uphold => slash.held,
			Verdict::Reduce { keep } => keep.mul_floor(slash.held),
			Verdict::Cancel => 0,
		};
		// What nobody has appealed against yet can be: that time is not cut short by a verdict which nobody asked for.
		let executed = if appealed { kept } else { 0 };
		let returned = slash.held.checked_sub(kept).ok_or(Error::<T>::LedgerMismatch)?;
		Self::return_slash(&slash.provider, returned)?;
		slash.held = kept;
		let bond_lost = appealed && verdict == Verdict::Uphold;
		let bond = if bond_lost { Self::forfeit_bond(&slash)? } else { Self::release_bond(&slash)? };
		Self::deposit_event(Event::Resolved { slash: id, verdict, executed, returned, bond, bond_lost });
		if kept == 0 {
			Self::remove(id, &slash);
		} else if appealed {
			Self::pay_out(id, slash)?;
		} else {
			Slashes::<T>::insert(id, slash);
		}
		Ok(())
	}

	/// Bond of an appeal, in plancks: a share of what is held, rounded up, and never less than the least bond. An account can
	/// always take it back, as it is no less than the existential deposit.
	fn appeal_bond_for(held: Balance) -> Balance {
		let least = T::MinAppealBond::get().max(T::Currency::minimum_balance());
		least.max(T::AppealBondShare::get().mul_ceil(held))
	}

	fn hold_bond(who: &T::AccountId, bond: Balance) -> DispatchResult {
		let reason = HoldReason::AppealBond.into();
		ensure!(T::Currency::can_hold(&reason, who, bond), Error::<T>::InsufficientBond);
		T::Currency::hold(&reason, who, bond)
	}

	/// Gives the provider the bond of its appeal back, if there is one. Returns its plancks.
	pub(crate) fn release_bond(slash: &SlashOf<T>) -> Result<Balance, DispatchError> {
		let Some(bond) = slash.appeal_bond() else { return Ok(0) };
		let reason = HoldReason::AppealBond.into();
		let released = T::Currency::release(&reason, &slash.provider, bond, Precision::Exact)?;
		ensure!(released == bond, Error::<T>::LedgerMismatch);
		Ok(bond)
	}

	/// Moves the bond of an appeal, if there is one, to the insurance pool. Returns its plancks.
	fn forfeit_bond(slash: &SlashOf<T>) -> Result<Balance, DispatchError> {
		let Some(bond) = slash.appeal_bond() else { return Ok(0) };
		let (credit, missing) = T::Currency::slash(&HoldReason::AppealBond.into(), &slash.provider, bond);
		ensure!(missing == 0 && credit.peek() == bond, Error::<T>::LedgerMismatch);
		T::Insurance::on_unbalanced(credit);
		Ok(bond)
	}
}
