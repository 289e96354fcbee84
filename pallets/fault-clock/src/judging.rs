//! Judgements: whether a miss counts.
//!
//! They are computed when they are asked for, from what is final by then: `census.rs` says why. They are never stored.

use crate::{
	types::{Misses, EPOCHS_AFTER, EPOCHS_BEFORE, KEPT_EPOCHS},
	Census, Config, OwnerMisses, Pallet,
};
use millrace_primitives::{Excuse, FaultEpoch, Judgement};

impl<T: Config> Pallet<T> {
	/// Time that is counted in one epoch may have begun long before: while the clock stood, or as long as a node may take to get
	/// ready. What was going on then excuses it too, and what began too long ago to be judged, before a long pause, is excused.
	pub(crate) fn judge_miss(since: FaultEpoch, epoch: FaultEpoch, owner: &T::AccountId) -> Judgement {
		if !Self::is_searched(epoch) {
			return Judgement::Open;
		}
		let excuse = |epoch| Self::excuse_for(epoch, |near| OwnerMisses::<T>::get(near, owner));
		let began_before = Some(since).filter(|since| *since < epoch);
		match excuse(epoch).or_else(|| began_before.and_then(excuse)) {
			Some(excuse) => Judgement::Excused(excuse),
			None => Judgement::Counts,
		}
	}

	/// Why what an owner missed in this epoch is nobody's fault; `None` if it counts. `own`: what it missed by epoch.
	pub(crate) fn excuse_for(epoch: FaultEpoch, own: impl Fn(FaultEpoch) -> Misses) -> Option<Excuse> {
		if epoch < Self::first_judged(Self::current_epoch()) {
			return Some(Excuse::TooOld);
		}
		let census = Census::<T>::get(epoch);
		if census.excuse.is_some() {
			return census.excuse;
		}
		// A lag shows when it is longer than is allowed. Who fell silent with finality is found a little earlier.
		if census.is_lagging() || Census::<T>::get(epoch.saturating_add(1)).is_lagging() {
			return Some(Excuse::FinalityLag);
		}
		// An outage begins and ends somewhere within an epoch: what is found on its edges is few, and excused too. At its end those
		// whose nodes were given to others first are not found any more while the last ones still are.
		let around = epoch.saturating_sub(EPOCHS_BEFORE)..=epoch.saturating_add(EPOCHS_AFTER);
		let outage = around.into_iter().any(|near| Census::<T>::get(near).is_outage(&own(near)));
		outage.then_some(Excuse::MassOutage)
	}

	/// First epoch that is not too old to be judged. It depends on nothing but the current epoch, not on how far pruning has
	/// come.
	pub(crate) fn first_judged(current: FaultEpoch) -> FaultEpoch {
		current.saturating_sub(KEPT_EPOCHS)
	}
}
