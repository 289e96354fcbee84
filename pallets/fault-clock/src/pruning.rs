//! Pruning: what can no longer be judged is removed item by item, with the weight that is left.

use crate::{
	types::{EPOCHS_BEFORE, MAX_PRUNED},
	weights::WeightInfo,
	Census, Config, OldestEpoch, OwnerMisses, Pallet,
};
use frame_support::weights::WeightMeter;
use millrace_primitives::FaultEpoch;

impl<T: Config> Pallet<T> {
	/// First epoch that must be kept. It is too old to be judged, but what was found in later ones is judged by it too.
	pub(crate) fn first_kept(current: FaultEpoch) -> FaultEpoch {
		Self::first_judged(current).saturating_sub(EPOCHS_BEFORE)
	}

	/// Removes what is older than the first epoch that must be kept, as far as the weight allows. An item is an owner's misses, or
	/// an epoch in which nobody's are left.
	pub(crate) fn prune(current: FaultEpoch, meter: &mut WeightMeter) {
		let end = Self::first_kept(current);
		let oldest = OldestEpoch::<T>::get();
		let mut epoch = oldest;
		let mut items = 0..MAX_PRUNED;
		// The iterator goes on from the key that was removed last. Beginning anew each time would step over all removed ones.
		let mut owners = OwnerMisses::<T>::iter_key_prefix(epoch);
		while epoch < end && items.next().is_some() && meter.try_consume(T::WeightInfo::prune_item()).is_ok()
		{
			if let Some(owner) = owners.next() {
				OwnerMisses::<T>::remove(epoch, owner);
			} else {
				Census::<T>::remove(epoch);
				// Cannot saturate: it is below the end.
				epoch = epoch.saturating_add(1);
				owners = OwnerMisses::<T>::iter_key_prefix(epoch);
			}
		}
		if epoch > oldest {
			OldestEpoch::<T>::put(epoch);
		}
	}
}
