//! The bond: held, on its way out, given back.

use crate::{types::UnbondError, Classes, Config, Error, Event, Gpus, HoldReason, Pallet, Providers};
use frame_support::{
	ensure,
	traits::{
		fungible::{hold::Mutate as _, Inspect as _},
		tokens::{Fortitude, Precision, Preservation},
		Get, Time,
	},
};
use millrace_primitives::Balance;
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Adds to the active bond.
	pub(crate) fn do_bond(who: T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		provider.bond(amount)?;
		Self::hold(HoldReason::Bond, &who, amount)?;
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::Bonded { provider: who, amount });
		Ok(())
	}

	/// Starts to take plancks out of the active bond.
	pub(crate) fn do_unbond(who: T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let required = Self::bond_for_gpus(&who)?;
		let unlocks_at =
			T::Time::now().checked_add(T::UnbondingPeriod::get()).ok_or(ArithmeticError::Overflow)?;
		provider.unbond(amount, required, unlocks_at).map_err(Error::<T>::from)?;
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::Unbonded { provider: who, amount, unlocks_at });
		Ok(())
	}

	/// Gives back what has finished unbonding.
	pub(crate) fn do_withdraw(who: T::AccountId) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let amount = provider.take_matured(T::Time::now());
		ensure!(amount > 0, Error::<T>::NothingToWithdraw);
		Self::give_back(HoldReason::Bond, &who, amount)?;
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::Withdrawn { provider: who, amount });
		Ok(())
	}

	/// Smallest active bond for the GPUs of a provider, in plancks.
	pub(crate) fn bond_for_gpus(provider: &T::AccountId) -> Result<Balance, DispatchError> {
		Gpus::<T>::iter_prefix_values(provider).try_fold(0, |sum: Balance, gpu| {
			let class = Classes::<T>::get(gpu.class).ok_or(Error::<T>::UnknownClass)?;
			Ok(sum.checked_add(class.min_bond).ok_or(ArithmeticError::Overflow)?)
		})
	}

	/// Holds free balance, leaving the account alive.
	pub(crate) fn hold(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		// What `hold` itself checks; here for an error that says what to do.
		let holdable = T::Currency::reducible_balance(who, Preservation::Protect, Fortitude::Force);
		ensure!(amount <= holdable, Error::<T>::InsufficientFunds);
		T::Currency::hold(&reason.into(), who, amount)
	}

	/// Releases exactly that many plancks, or fails. Callers roll back on failure.
	pub(crate) fn give_back(reason: HoldReason, who: &T::AccountId, amount: Balance) -> DispatchResult {
		let released = T::Currency::release(&reason.into(), who, amount, Precision::Exact)?;
		ensure!(released == amount, Error::<T>::LedgerMismatch);
		Ok(())
	}
}

impl<T: Config> From<UnbondError> for Error<T> {
	fn from(error: UnbondError) -> Self {
		match error {
			UnbondError::MoreThanBonded => Self::NotBonded,
			UnbondError::BelowRequired => Self::BondInUse,
			UnbondError::TooManyChunks => Self::TooManyUnbondings,
		}
	}
}
