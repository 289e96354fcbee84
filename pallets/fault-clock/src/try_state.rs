//! Invariants.

use crate::{
	types::Misses, Census, Config, CurrentRecess, LastObservation, OldestEpoch, OwnerMisses, Pallet,
	SearchedUntil,
};
use alloc::collections::BTreeMap;
use frame_support::{ensure, traits::Get};
use millrace_primitives::{Excuse, FaultEpoch};
use sp_runtime::{Permill, TryRuntimeError};

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. What owners missed in an epoch sums up to its census. Of the epoch that is being pruned, some may be gone.
	/// 2. What lags is part of what was reported, and what is absent part of what was missed. No owner is listed who missed
	///    nothing.
	/// 3. Nothing is kept of epochs that are pruned, or that have not begun.
	/// 4. Nothing that judgements need is pruned.
	/// 5. Nothing was searched or observed after the current block.
	/// 6. A recess ends at most the recovery's epochs after the next block: an upgrade's begins before its block does.
	/// 7. Outages and age are found when they are asked for. Neither stops the clock.
	/// 8. The share that makes an outage is above 0 % and below 100 %: neither everything nor nothing is excused. It may come
	///    from the storage, so that no constant check can see it.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let (block, current) = (Self::current_block(), Self::current_epoch());
		let oldest = OldestEpoch::<T>::get();
		let first_kept = Self::first_kept(current);
		let kept = oldest..=current;

		let mut sums = BTreeMap::<FaultEpoch, Misses>::new();
		for (epoch, _, own) in OwnerMisses::<T>::iter() {
			ensure!(kept.contains(&epoch), "3: misses of an epoch that is not kept");
			ensure!(own.missed > 0, "2: an owner missed nothing");
			ensure!(own.absent <= own.missed, "2: an owner's absent nodes are not among the missed ones");
			let sum = sums.entry(epoch).or_default();
			sum.missed = sum.missed.checked_add(own.missed).ok_or("1: the misses overflow")?;
			sum.absent = sum.absent.checked_add(own.absent).ok_or("1: the misses overflow")?;
		}
		for (epoch, census) in Census::<T>::iter() {
			ensure!(kept.contains(&epoch), "3: the census of an epoch that is not kept");
			ensure!(census.lagging <= census.reported, "2: more is lagging than was reported");
			ensure!(census.absent <= census.missed, "2: more is absent than was missed");
			ensure!(Self::stops_the_clock(census.excuse), "7: an excuse that does not stop the clock");
			let has_share = census.missed == 0 || is_share(census.outage_share);
			ensure!(has_share, "8: misses that are judged by no share");
			let sum = sums.remove(&epoch).unwrap_or_default();
			let is_same = sum == Misses { missed: census.missed, absent: census.absent };
			let is_part = sum.missed <= census.missed && sum.absent <= census.absent;
			let is_being_pruned = epoch == oldest && epoch < first_kept;
			ensure!(is_same || is_part && is_being_pruned, "1: the census differs from what owners missed");
		}
		ensure!(sums.is_empty(), "1: misses without a census");
		ensure!(oldest <= first_kept, "4: an epoch was pruned too early");
		ensure!(SearchedUntil::<T>::get() <= block, "5: the future was searched");
		let observed = LastObservation::<T>::get();
		ensure!(observed.is_none_or(|last| last.epoch <= current), "5: the future was observed");
		if let Some(recess) = CurrentRecess::<T>::get() {
			ensure!(recess.until <= Self::recovered_at(block.saturating_add(1)), "6: the recess is too long");
			ensure!(Self::stops_the_clock(Some(recess.excuse)), "7: a recess that does not stop the clock");
		}
		ensure!(is_share(T::OutageShare::get()), "8: the share excuses everything or nothing");
		Ok(())
	}

	/// Whether it is something that stops the clock, or nothing.
	fn stops_the_clock(excuse: Option<Excuse>) -> bool {
		!matches!(excuse, Some(Excuse::MassOutage | Excuse::TooOld))
	}
}

/// Whether it is neither nothing nor everything.
fn is_share(share: Permill) -> bool {
	share > Permill::zero() && share < Permill::one()
}
