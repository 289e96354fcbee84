//! What the pallet is to the other pallets.

use crate::{Config, Pallet, StoppedMs};
use millrace_primitives::{
	Balance, BlockNumber, FaultCensus, FaultClock, FaultClockControl, FaultEpoch, Judgement,
};

impl<T: Config> FaultClock<T::AccountId> for Pallet<T> {
	fn is_running() -> bool {
		Self::stopped_by(Self::current_block()).is_none()
	}

	fn stopped_ms() -> u64 {
		StoppedMs::<T>::get()
	}

	fn epoch() -> FaultEpoch {
		Self::current_epoch()
	}

	fn judge(since: FaultEpoch, epoch: FaultEpoch, owner: &T::AccountId) -> Judgement {
		Self::judge_miss(since, epoch, owner)
	}
}

impl<T: Config> FaultCensus<T::AccountId, Balance> for Pallet<T> {
	fn note_report(bonded: Balance, lag: BlockNumber) {
		Self::add_report(bonded, lag);
	}

	fn note_miss(owner: &T::AccountId, bonded: Balance, reported: bool) {
		Self::add_miss(owner, bonded, reported);
	}

	fn note_searched_until(block: BlockNumber) {
		Self::raise_searched(block);
	}
}

impl<T: Config> FaultClockControl for Pallet<T> {
	fn set_paused(paused: bool) {
		Self::pause_or_resume(paused);
	}
}
