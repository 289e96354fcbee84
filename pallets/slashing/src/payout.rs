//! What is due is paid out: renter first, then insurance pool, then treasury.

use crate::{types::MAX_FAULTS, Config, CreditOf, Error, Event, Pallet, SlashOf, Slashes};
use frame_support::{
	ensure,
	traits::{
		fungible::{Balanced as _, Inspect as _, Mutate as _},
		tokens::{Fortitude, Preservation},
		Get, Imbalance as _, OnUnbalanced, Time,
	},
};
use millrace_math::{slash_waterfall, Waterfall};
use millrace_primitives::{Balance, BondSlashing, Moment, SlashId};
use sp_runtime::{DispatchError, DispatchResult};

/// What a look at a slash came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Looked {
	/// Some of its faults cannot be judged yet.
	Unjudged,
	/// It is not time yet.
	Waiting,
	/// It is gone: paid out, or nothing was left of it.
	Done,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_execute(id: SlashId) -> DispatchResult {
		let slash = Slashes::<T>::get(id).ok_or(Error::<T>::UnknownSlash)?;
		ensure!(slash.ends_at().is_some(), Error::<T>::EpisodeOpen);
		let looked = Self::look_at(id, slash, T::Time::now())?;
		ensure!(looked == Looked::Done, Error::<T>::NothingDue);
		Ok(())
	}

	/// Judges what can be judged, and does what is due. Its entry in the agenda is left to the caller unless the slash is gone.
	/// An error leaves half of it done: callers roll back.
	pub(crate) fn look_at(id: SlashId, mut slash: SlashOf<T>, now: Moment) -> Result<Looked, DispatchError> {
		Self::judge(id, &mut slash, MAX_FAULTS)?;
		if slash.faults.is_empty() && slash.held == 0 {
			let bond = Self::release_bond(&slash)?;
			Self::remove(id, &slash);
			Self::deposit_event(Event::SlashDropped { slash: id, provider: slash.provider, bond });
			return Ok(Looked::Done);
		}
		let is_due = slash.ends_at().is_some_and(|ends_at| ends_at <= now);
		if !slash.faults.is_empty() || !is_due {
			let looked = if slash.faults.is_empty() { Looked::Waiting } else { Looked::Unjudged };
			Slashes::<T>::insert(id, slash);
			return Ok(looked);
		}
		if slash.appeal_bond().is_some() {
			// The evidence is the chain's own, so that silence of the council must not be a way out; nor does the provider pay for
			// it.
			let bond = Self::release_bond(&slash)?;
			Self::deposit_event(Event::AppealLapsed { slash: id, bond });
		}
		Self::pay_out(id, slash)?;
		Ok(Looked::Done)
	}

	/// Pays out all that is held for a slash, and forgets it. The bond of an appeal is dealt with before.
	pub(crate) fn pay_out(id: SlashId, slash: SlashOf<T>) -> DispatchResult {
		let credit = T::Bonds::take_slash(&slash.provider, slash.held)?;
		ensure!(credit.peek() == slash.held, Error::<T>::LedgerMismatch);
		let (to_renter, rest) = Self::compensate(&slash, credit);
		let Waterfall { to_insurance, to_treasury, .. } =
			slash_waterfall(rest.peek(), Some(0), T::InsuranceShare::get());
		let (insurance, treasury) = rest.split(to_insurance);
		T::Insurance::on_unbalanced(insurance);
		T::Treasury::on_unbalanced(treasury);
		Self::remove(id, &slash);
		Self::deposit_event(Event::SlashExecuted {
			slash: id,
			provider: slash.provider,
			lease: slash.lease,
			renter: slash.renter,
			to_renter,
			to_insurance,
			to_treasury,
		});
		Ok(())
	}

	/// Pays the renter's part. Returns it, and the rest: all of it if the renter's account cannot take its part.
	fn compensate(slash: &SlashOf<T>, credit: CreditOf<T>) -> (Balance, CreditOf<T>) {
		let Some(renter) = &slash.renter else { return (0, credit) };
		let to_renter = slash_waterfall(slash.held, slash.unserved, T::InsuranceShare::get()).to_renter;
		if to_renter == 0 {
			return (0, credit);
		}
		let (compensation, rest) = credit.split(to_renter);
		match T::Currency::resolve(renter, compensation) {
			Ok(()) => (to_renter, rest),
			Err(compensation) => (0, rest.merge(compensation)),
		}
	}

	pub(crate) fn do_pay_from_insurance(to: T::AccountId, amount: Balance) -> DispatchResult {
		let pool = T::InsuranceAccount::get();
		let available = T::Currency::reducible_balance(&pool, Preservation::Preserve, Fortitude::Polite);
		ensure!(amount <= available, Error::<T>::InsufficientInsurance);
		let amount = T::Currency::transfer(&pool, &to, amount, Preservation::Preserve)?;
		Self::deposit_event(Event::InsurancePaid { to, amount });
		Ok(())
	}
}
