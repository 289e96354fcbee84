//! Observations: how long it was since the block before, and whether that time counts.

use crate::{
	types::{Observation, RECOVERY_EPOCHS},
	Census, Config, CurrentRecess, Event, LastObservation, Pallet, StoppedMs,
};
use frame_support::{
	traits::{Get, Time},
	weights::WeightMeter,
};
use millrace_primitives::{BlockNumber, Excuse, FaultEpoch};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// Current block. In hooks that come before a block's own begin, the one before.
	pub(crate) fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	/// Epoch of the current block.
	pub(crate) fn current_epoch() -> FaultEpoch {
		Self::epoch_of(Self::current_block())
	}

	/// Epoch of a block.
	pub(crate) fn epoch_of(block: BlockNumber) -> FaultEpoch {
		// The division cannot fail: a length of zero counts as one.
		block.checked_div(T::EpochLength::get().max(1)).unwrap_or(block)
	}

	/// End of a recess that begins in this block.
	pub(crate) fn recovered_at(block: BlockNumber) -> BlockNumber {
		// Clamping is right: a block that does not fit never comes.
		block.saturating_add(RECOVERY_EPOCHS.saturating_mul(T::EpochLength::get().max(1)))
	}

	/// Observes the current block and prunes with the weight that is left. The observation itself is paid for.
	pub(crate) fn observe(block: BlockNumber, meter: &mut WeightMeter) {
		let now = T::Time::now();
		let epoch = Self::epoch_of(block);
		let last = LastObservation::<T>::get();
		// How long there was nothing before the first observation is not known.
		let elapsed = last.map_or(0, |last| now.saturating_sub(last.at));
		if elapsed > Self::longest_gap_ms() {
			Self::begin_recess(Excuse::ChainStall, Self::recovered_at(block));
		}
		// Before it is asked whether the clock runs, so that the answer is the same for all of the block. An epoch of which no
		// block was observed is passed over here; what was missed in it is judged by its own reports all the same.
		if last.is_none_or(|last| last.epoch < epoch) && Self::lagged_before(epoch) {
			Self::begin_recess(Excuse::FinalityLag, Self::recovered_at(block));
		}
		match Self::stopped_by(block) {
			Some(excuse) => {
				// Cannot saturate: it is less than the time itself.
				StoppedMs::<T>::mutate(|ms| *ms = ms.saturating_add(elapsed));
				Self::excuse_epoch(epoch, excuse);
			}
			// Everything that stops the clock ends with a recess, so this is where it begins to run again.
			None if CurrentRecess::<T>::exists() => {
				CurrentRecess::<T>::kill();
				Self::deposit_event(Event::ClockResumed { stopped_ms: StoppedMs::<T>::get() });
			}
			None => {}
		}
		LastObservation::<T>::put(Observation { at: now, epoch });
		Self::prune(epoch, meter);
	}

	/// Longest time from one block to the next that is not a stall, in milliseconds: as many empty slots as are allowed, and the
	/// block's own.
	fn longest_gap_ms() -> u64 {
		// Clamping is right: there is no longer time.
		u64::from(T::MaxLag::get()).saturating_add(1).saturating_mul(T::SlotDuration::get())
	}

	/// Whether finality lagged in the epoch before this one.
	fn lagged_before(epoch: FaultEpoch) -> bool {
		epoch.checked_sub(1).is_some_and(|before| Census::<T>::get(before).is_lagging())
	}
}
