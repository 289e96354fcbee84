//! The payer objects to what a stream earned, with a bond; the council decides, or time does.

use crate::{Config, Contest, Contests, Error, EscrowRecord, Escrows, Event, HoldReason, Pallet};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{
		fungibles::{
			hold::{Inspect as _, Mutate as _},
			Inspect as _,
		},
		Get, Time,
	},
};
use millrace_primitives::{Asset, Balance, BlobHash, EscrowId, Moment, StreamId};
use sp_runtime::{DispatchError, DispatchResult, Permill};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_contest(
		payer: &T::AccountId,
		id: EscrowId,
		stream: StreamId,
		evidence: BlobHash,
	) -> DispatchResult {
		let mut record = Self::payers_record(payer, id)?;
		let now = T::Time::now();
		let contested = record.stream_mut(stream).ok_or(Error::<T>::UnknownStream)?;
		ensure!(contested.contested == 0, Error::<T>::ContestExists);
		let amount = contested.contest(now);
		ensure!(amount > 0, Error::<T>::NothingToContest);
		let bond = Self::contest_bond(record.asset, amount);
		Self::hold_bond(payer, bond)?;
		Contests::<T>::insert(id, stream, Contest { amount, bond, opened_at: now, evidence });
		Escrows::<T>::insert(id, record);
		Self::deposit_event(Event::Contested { escrow: id, stream, amount, bond, evidence });
		Ok(())
	}

	pub(crate) fn do_resolve_contest(
		id: EscrowId,
		stream: StreamId,
		payee_share: Permill,
	) -> Result<u32, DispatchError> {
		let mut record = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		let contest = Contests::<T>::take(id, stream).ok_or(Error::<T>::UnknownContest)?;
		let now = T::Time::now();
		ensure!(now < Self::verdict_ends(&contest), Error::<T>::VerdictTooLate);
		let streams = record.stream_count();
		let judged = record.stream_mut(stream).ok_or(Error::<T>::UnknownStream)?;
		let payee = judged.payee.clone();
		let to_payee = payee_share.mul_floor(contest.amount);
		// Cannot saturate: the payee's share is a part of it.
		let to_payer = contest.amount.saturating_sub(to_payee);
		judged.end_contest(to_payer);
		// A payee whose account cannot take the bond does not get it; the event says so.
		let bond_lost = payee_share == Permill::one() && Self::pay_bond(&record.payer, &payee, contest.bond);
		if !bond_lost {
			Self::release_bond(&record.payer, contest.bond)?;
		}
		Self::deposit_event(Event::ContestResolved {
			escrow: id,
			stream,
			to_payee,
			to_payer,
			bond: contest.bond,
			bond_lost,
		});
		if to_payer > 0 && !record.closed {
			Self::give_back(id, &mut record, to_payer);
		}
		Self::advance(id, record, now);
		Ok(streams)
	}

	/// Ends the contests without a verdict in time: what was contested is due, and the payer has its bond back.
	pub(crate) fn lapse_contests(id: EscrowId, record: &mut EscrowRecord<T::AccountId>, now: Moment) {
		for (stream, contest) in Self::contests_of(record, id) {
			if now < Self::verdict_ends(&contest) {
				continue;
			}
			let Contest { amount, bond, .. } = contest;
			match Self::release_bond(&record.payer, bond) {
				Ok(()) => {
					Contests::<T>::remove(id, stream);
					if let Some(judged) = record.stream_mut(stream) {
						judged.end_contest(0);
					}
					Self::deposit_event(Event::ContestLapsed { escrow: id, stream, amount, bond });
				}
				Err(cause) => {
					Self::deposit_event(Event::PaymentDeferred { escrow: id, stream, amount, cause });
				}
			}
		}
	}

	/// Ends all contests without a decision: what was contested is taken back anyway. An error leaves some of them ended:
	/// callers roll back.
	pub(crate) fn drop_contests(id: EscrowId, record: &EscrowRecord<T::AccountId>) -> DispatchResult {
		for (stream, Contest { bond, .. }) in Self::contests_of(record, id) {
			Self::release_bond(&record.payer, bond)?;
			Contests::<T>::remove(id, stream);
			Self::deposit_event(Event::ContestDropped { escrow: id, stream, bond });
		}
		Ok(())
	}

	/// When a contest lapses.
	pub(crate) fn verdict_ends(contest: &Contest) -> Moment {
		// Clamping is right here: there is no time after the end of time.
		contest.opened_at.saturating_add(T::VerdictWithin::get())
	}

	fn contests_of(record: &EscrowRecord<T::AccountId>, id: EscrowId) -> Vec<(StreamId, Contest)> {
		let contested = record.streams.iter().filter(|stream| stream.contested > 0);
		contested.filter_map(|stream| Some((stream.id, Contests::<T>::get(id, stream.id)?))).collect()
	}

	/// Bond of a contest, in plancks: a tenth of the amount, rounded up, where that is in plancks too, and never less than the
	/// least bond. An account can always take it back, as it is no less than the existential deposit.
	fn contest_bond(asset: Asset, amount: Balance) -> Balance {
		let least = T::ContestBond::get().max(T::Currency::minimum_balance(Asset::Native));
		match asset {
			Asset::Native => least.max(Permill::from_percent(10).mul_ceil(amount)),
			Asset::Token(_) => least,
		}
	}

	fn hold_bond(payer: &T::AccountId, bond: Balance) -> DispatchResult {
		let reason = HoldReason::ContestBond.into();
		ensure!(T::Currency::can_hold(Asset::Native, &reason, payer, bond), Error::<T>::InsufficientBond);
		T::Currency::hold(Asset::Native, &reason, payer, bond)
	}

	fn release_bond(payer: &T::AccountId, bond: Balance) -> DispatchResult {
		Self::release(HoldReason::ContestBond, Asset::Native, payer, bond)
	}

	/// Moves the bond to the payee. Returns whether it could.
	fn pay_bond(payer: &T::AccountId, payee: &T::AccountId, bond: Balance) -> bool {
		Self::transfer(HoldReason::ContestBond, Asset::Native, payer, payee, bond).is_ok()
	}
}
