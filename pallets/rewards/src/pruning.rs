//! Pruning: what can no longer be claimed is removed item by item, with the weight that is left.

use crate::{
	types::MAX_PRUNED, weights::WeightInfo, Config, Earned, Era, OldestEra, OwnerUnits, Pallet, Totals,
};
use frame_support::weights::WeightMeter;

impl<T: Config> Pallet<T> {
	/// Removes eras that can no longer be claimed, as far as the weight allows. An item is what a provider has earned, the units
	/// of an owner, or an era in which neither is left.
	pub(crate) fn prune(meter: &mut WeightMeter) {
		if meter.try_consume(T::WeightInfo::prune_start()).is_err() {
			return;
		}
		let Some(oldest) = OldestEra::<T>::get() else { return };
		let end = Self::first_claimable(Self::current_era());
		if oldest >= end {
			return;
		}
		let pruned = Self::prune_from(oldest, end, meter);
		if pruned > oldest {
			OldestEra::<T>::put(pruned);
		}
	}

	/// Returns the first era that is left.
	fn prune_from(oldest: Era, end: Era, meter: &mut WeightMeter) -> Era {
		let mut era = oldest;
		let mut items = 0..MAX_PRUNED;
		// The iterators go on from the key that was removed last. Beginning anew each time would step over all removed ones.
		let mut providers = Earned::<T>::iter_key_prefix(era);
		let mut owners = OwnerUnits::<T>::iter_key_prefix(era);
		while era < end && items.next().is_some() && meter.try_consume(T::WeightInfo::prune_item()).is_ok() {
			if let Some(provider) = providers.next() {
				Earned::<T>::remove(era, provider);
			} else if let Some(owner) = owners.next() {
				OwnerUnits::<T>::remove(era, owner);
			} else {
				Totals::<T>::remove(era);
				// Cannot saturate: it is below the end.
				era = era.saturating_add(1);
				providers = Earned::<T>::iter_key_prefix(era);
				owners = OwnerUnits::<T>::iter_key_prefix(era);
			}
		}
		era
	}
}
