//! Allowances come and go.

use crate::{Allowance, Allowances, Config, Error, Event, Granted, HoldReason, Pallet, MAX_DELEGATES};
use frame_support::{
	ensure,
	traits::{fungible::MutateHold as _, tokens::Precision, Get, Time},
};
use millrace_primitives::{Asset, Balance};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_grant(
		owner: T::AccountId,
		delegate: T::AccountId,
		asset: Asset,
		amount: Balance,
		max_rate: Balance,
		lifetime_ms: u64,
	) -> DispatchResult {
		ensure!(owner != delegate, Error::<T>::OwnDelegate);
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		ensure!((1..=T::MaxLifetime::get()).contains(&lifetime_ms), Error::<T>::LifetimeOutOfBounds);
		let expires_at = T::Time::now().checked_add(lifetime_ms).ok_or(Error::<T>::LifetimeOutOfBounds)?;
		let deposit = match Allowances::<T>::get(&owner, &delegate) {
			// It was paid for; what the deposit has become since does not matter to it.
			Some(replaced) => replaced.deposit,
			None => Self::take_place(&owner)?,
		};
		let allowance = Allowance { asset, remaining: amount, max_rate, expires_at, deposit };
		Allowances::<T>::insert(&owner, &delegate, allowance);
		Self::deposit_event(Event::Granted { owner, delegate, asset, amount, max_rate, expires_at, deposit });
		Ok(())
	}

	/// Counts one more allowance of the owner and holds the deposit for it, which it returns.
	fn take_place(owner: &T::AccountId) -> Result<Balance, sp_runtime::DispatchError> {
		let granted = Granted::<T>::get(owner).checked_add(1).filter(|granted| *granted <= MAX_DELEGATES);
		Granted::<T>::insert(owner, granted.ok_or(Error::<T>::TooManyDelegates)?);
		let deposit = T::Deposit::get();
		T::Currency::hold(&HoldReason::AllowanceDeposit.into(), owner, deposit)
			.map_err(|_| Error::<T>::DepositUnaffordable)?;
		Ok(deposit)
	}

	pub(crate) fn do_purge(owner: T::AccountId, delegate: T::AccountId) -> DispatchResult {
		let allowance = Allowances::<T>::get(&owner, &delegate).ok_or(Error::<T>::NoAllowance)?;
		ensure!(allowance.is_expired(T::Time::now()), Error::<T>::NotExpired);
		Self::end(owner, delegate)
	}

	/// Forgets an allowance and releases its deposit to the owner.
	pub(crate) fn end(owner: T::AccountId, delegate: T::AccountId) -> DispatchResult {
		let allowance = Allowances::<T>::take(&owner, &delegate).ok_or(Error::<T>::NoAllowance)?;
		match Granted::<T>::get(&owner).checked_sub(1).ok_or(Error::<T>::LedgerMismatch)? {
			0 => Granted::<T>::remove(&owner),
			left => Granted::<T>::insert(&owner, left),
		}
		let Allowance { remaining, deposit, .. } = allowance;
		T::Currency::release(&HoldReason::AllowanceDeposit.into(), &owner, deposit, Precision::Exact)
			.map_err(|_| Error::<T>::LedgerMismatch)?;
		Self::deposit_event(Event::Ended { owner, delegate, remaining, deposit });
		Ok(())
	}
}
