//! Invariants.

use crate::{Allowances, Config, Granted, HoldReason, Pallet, MAX_DELEGATES};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::fungible::InspectHold as _};
use millrace_primitives::Balance;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. What is held of each owner is the sum of its allowances' deposits.
	/// 2. The number of each owner's allowances is that of a recount, and within its bound. Nobody has a number without one.
	/// 3. Nobody is its own delegate.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let mut owners = BTreeMap::<T::AccountId, (u32, Balance)>::new();
		for (owner, delegate, allowance) in Allowances::<T>::iter() {
			ensure!(owner != delegate, "3: an owner is its own delegate");
			let (granted, deposits) = owners.entry(owner).or_default();
			*granted = granted.checked_add(1).ok_or("2: too many allowances to count")?;
			*deposits = deposits.checked_add(allowance.deposit).ok_or("1: the deposits overflow")?;
		}
		for (owner, (granted, deposits)) in &owners {
			let held = T::Currency::balance_on_hold(&HoldReason::AllowanceDeposit.into(), owner);
			ensure!(held == *deposits, "1: the hold differs from the deposits");
			ensure!(Granted::<T>::get(owner) == *granted, "2: the number differs from a recount");
			ensure!(*granted <= MAX_DELEGATES, "2: an owner has too many delegates");
		}
		ensure!(Granted::<T>::iter_keys().count() == owners.len(), "2: a number without an allowance");
		Ok(())
	}
}
