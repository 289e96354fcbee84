//! Invariants.

use crate::{Config, Earned, Era, OldestEra, OwnerUnits, Pallet, Totals};
use alloc::collections::BTreeMap;
use frame_support::ensure;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. The units of the owners sum up to those of their era. Of the era that is being pruned, some may be gone.
	/// 2. What the providers of an owner can claim is no more than its units. Less, once something was claimed.
	/// 3. Nothing is kept of eras that are pruned, or that have not begun.
	/// 4. Nothing is listed that earns nothing: neither units of zero, nor a rate of zero.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let current = Self::current_era();
		let oldest = OldestEra::<T>::get();
		let is_kept = |era: Era| oldest.is_some_and(|oldest| (oldest..=current).contains(&era));

		let mut sums = BTreeMap::<Era, u128>::new();
		for (era, _, units) in OwnerUnits::<T>::iter() {
			ensure!(is_kept(era), "3: an owner of an era that is not kept");
			ensure!(units > 0, "4: an owner without units");
			let sum = sums.entry(era).or_default();
			*sum = sum.checked_add(units).ok_or("1: the units overflow")?;
		}
		for (era, total) in Totals::<T>::iter() {
			ensure!(is_kept(era), "3: the total of an era that is not kept");
			ensure!(total.units > 0 && total.rate > 0, "4: an era that earns nothing");
			let sum = sums.remove(&era).unwrap_or(0);
			let is_being_pruned = oldest == Some(era) && era < Self::first_claimable(current);
			let is_right = sum == total.units || sum < total.units && is_being_pruned;
			ensure!(is_right, "1: the total differs from what owners have");
		}
		ensure!(sums.is_empty(), "1: owners without a total");

		let mut claims = BTreeMap::<(Era, T::AccountId), u128>::new();
		for (era, _, earning) in Earned::<T>::iter() {
			ensure!(is_kept(era), "3: a claim of an era that is not kept");
			ensure!(earning.units > 0, "4: a claim without units");
			let sum = claims.entry((era, earning.owner)).or_default();
			*sum = sum.checked_add(earning.units).ok_or("2: the claims overflow")?;
		}
		for ((era, owner), sum) in claims {
			let owned = OwnerUnits::<T>::get(era, owner).unwrap_or(0);
			ensure!(sum <= owned, "2: more can be claimed than the owner has");
		}
		ensure!(oldest.is_none_or(|oldest| oldest <= current), "3: the future was pruned");
		Ok(())
	}
}
