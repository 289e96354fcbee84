//! The bond: held, on its way out, given back, and paid to renters as a penalty.

use crate::{
	types::UnbondError, Capacity, Classes, Config, Error, Event, HoldReason, LeaseBonds, Pallet, Providers,
};
use frame_support::{
	ensure,
	traits::{
		fungible::{hold::Mutate as _, Inspect as _},
		tokens::{DepositConsequence, Fortitude, Precision, Preservation, Provenance, Restriction},
		Get, Time,
	},
};
use millrace_primitives::{Balance, ClassId, LeaseId};
use sp_runtime::{ArithmeticError, DispatchError, DispatchResult, Permill, SaturatedConversion};

/// Most of a lease's bond that leaving the lease early can cost.
const MAX_LEAVING_PENALTY: Permill = Permill::from_percent(20);

impl<T: Config> Pallet<T> {
	/// Adds to the active bond.
	pub(crate) fn do_bond(who: T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		provider.bond(amount)?;
		provider.capacity_changed = true;
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
		provider.capacity_changed = true;
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

	/// Moves up to `amount` plancks of the active bond to the renter of a lease that the provider leaves early: at most a
	/// fifth, rounded down, of what `gpus` GPUs of the class need as bond, and at most what is bonded.
	///
	/// Returns the plancks that moved. They are none if the renter's account cannot receive them: its loss must not keep the
	/// provider in a lease, and nobody else has a claim to them. What is left of the bond may cover the GPUs no longer. Then
	/// the provider can neither add a GPU nor unbond until it has bonded more or removed some; its leases go on.
	pub(crate) fn do_leaving_penalty(
		provider: &T::AccountId,
		class: ClassId,
		gpus: u32,
		amount: Balance,
		renter: &T::AccountId,
	) -> Result<Balance, DispatchError> {
		let mut record = Providers::<T>::get(provider).ok_or(Error::<T>::NotRegistered)?;
		let class = Classes::<T>::get(class).ok_or(Error::<T>::UnknownClass)?;
		let lease_bond = class.min_bond.checked_mul(gpus.into()).ok_or(ArithmeticError::Overflow)?;
		let amount = amount.min(MAX_LEAVING_PENALTY.mul_floor(lease_bond)).min(record.bonded);
		let can_move = amount > 0
			&& T::Currency::can_deposit(renter, amount, Provenance::Extant) == DepositConsequence::Success;
		if !can_move {
			return Ok(0);
		}
		// By force: a freeze of the provider's own must not protect its bond.
		let moved = T::Currency::transfer_on_hold(
			&HoldReason::Bond.into(),
			provider,
			renter,
			amount,
			Precision::Exact,
			Restriction::Free,
			Fortitude::Force,
		)?;
		ensure!(moved == amount, Error::<T>::LedgerMismatch);
		record.pay_penalty(moved).ok_or(Error::<T>::LedgerMismatch)?;
		Providers::<T>::insert(provider, record);
		Self::deposit_event(Event::LeavingPenaltyPaid {
			provider: provider.clone(),
			renter: renter.clone(),
			amount: moved,
		});
		Ok(moved)
	}

	/// Locks the minimum bond of `gpus` GPUs of the class for a lease.
	pub(crate) fn lock_lease_bond(
		who: &T::AccountId,
		class: ClassId,
		gpus: u32,
		lease: LeaseId,
	) -> DispatchResult {
		let mut provider = Providers::<T>::get(who).ok_or(Error::<T>::NotRegistered)?;
		let class = Classes::<T>::get(class).ok_or(Error::<T>::UnknownClass)?;
		let amount = class.min_bond.checked_mul(gpus.into()).ok_or(ArithmeticError::Overflow)?;
		ensure!(amount <= provider.free_bond(), Error::<T>::NotEnoughFreeBond);
		// A provider serves at most one node of a lease. If it served another, both are locked.
		let locked = LeaseBonds::<T>::get(who, lease).unwrap_or(0);
		let locked = locked.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
		provider.locked = provider.locked.checked_add(amount).ok_or(ArithmeticError::Overflow)?;
		LeaseBonds::<T>::insert(who, lease, locked);
		Providers::<T>::insert(who, provider);
		Ok(())
	}

	/// Whether any lease has locked a part of the provider's bond.
	pub(crate) fn serves_leases(who: &T::AccountId) -> bool {
		LeaseBonds::<T>::iter_key_prefix(who).next().is_some()
	}

	/// Unlocks what was locked for a lease.
	pub(crate) fn unlock_lease_bond(who: &T::AccountId, lease: LeaseId) {
		let Some(amount) = LeaseBonds::<T>::take(who, lease) else { return };
		Providers::<T>::mutate_extant(who, |provider| {
			// Cannot saturate: what is locked is the sum of the lease bonds.
			provider.locked = provider.locked.saturating_sub(amount);
		});
	}

	/// GPUs of a class that a provider can lease: free ones, as far as its free bond covers them.
	pub(crate) fn leasable_gpus(who: &T::AccountId, class: ClassId) -> u32 {
		let free = Self::capacity_of(who, class).free;
		if free == 0 {
			return 0;
		}
		let min_bond = Classes::<T>::get(class).map_or(0, |class| class.min_bond);
		let free_bond = Providers::<T>::get(who).map_or(0, |provider| provider.free_bond());
		// A class without a minimum bond needs none. What does not fit covers every GPU.
		let covered = free_bond.checked_div(min_bond).unwrap_or(Balance::MAX);
		free.min(covered.saturated_into())
	}

	/// Capacity of the GPUs that a provider can lease, in the units of their classes: as far as its free bond covers those of each
	/// class by itself.
	pub(crate) fn leasable_units(who: &T::AccountId) -> u64 {
		Capacity::<T>::iter_key_prefix(who).fold(0, |sum: u64, class| {
			let weight = Classes::<T>::get(class).map_or(0, |class| class.unit_weight);
			// Cannot saturate: at most 64 GPUs of at most 2^32 units.
			sum.saturating_add(u64::from(weight).saturating_mul(Self::leasable_gpus(who, class).into()))
		})
	}

	/// Smallest active bond for the GPUs of a provider, in plancks.
	pub(crate) fn bond_for_gpus(provider: &T::AccountId) -> Result<Balance, DispatchError> {
		Capacity::<T>::iter_prefix(provider).try_fold(0, |sum: Balance, (class, capacity)| {
			let class = Classes::<T>::get(class).ok_or(Error::<T>::UnknownClass)?;
			let bond =
				class.min_bond.checked_mul(capacity.registered.into()).ok_or(ArithmeticError::Overflow)?;
			Ok(sum.checked_add(bond).ok_or(ArithmeticError::Overflow)?)
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
