//! The census: what came in and what was missed in the current epoch, and how far was searched.
//!
//! Everything is added to the current epoch, whatever it is about. So an epoch that is over never changes.

use crate::{Census, Config, Event, OwnerMisses, Pallet, SearchedUntil};
use frame_support::traits::Get;
use millrace_primitives::{Balance, BlockNumber, FaultEpoch};

/// Most epochs that are announced in one call.
const MAX_ANNOUNCED: u32 = 4;

/// An epoch can be judged as soon as so many were searched from its first block: the epoch, and the one after.
const EPOCHS_TO_SEARCH: u32 = 2;

impl<T: Config> Pallet<T> {
	pub(crate) fn add_report(bonded: Balance, lag: BlockNumber) {
		if bonded == 0 {
			return;
		}
		Census::<T>::mutate(Self::current_epoch(), |census| {
			census.reported = census.reported.saturating_add(bonded);
			if lag > T::MaxLag::get() {
				census.lagging = census.lagging.saturating_add(bonded);
			}
		});
	}

	pub(crate) fn add_miss(owner: &T::AccountId, bonded: Balance, reported: bool) {
		if bonded == 0 {
			return;
		}
		let epoch = Self::current_epoch();
		let absent = if reported { 0 } else { bonded };
		Census::<T>::mutate(epoch, |census| {
			if census.missed == 0 {
				census.outage_share = T::OutageShare::get();
			}
			census.missed = census.missed.saturating_add(bonded);
			census.absent = census.absent.saturating_add(absent);
		});
		OwnerMisses::<T>::mutate(epoch, owner, |own| {
			own.missed = own.missed.saturating_add(bonded);
			own.absent = own.absent.saturating_add(absent);
		});
	}

	pub(crate) fn raise_searched(block: BlockNumber) {
		// The current block is not over: what is still to come in it belongs to an epoch that must stay open.
		let until = block.min(Self::current_block());
		let (before, after) = (Self::epoch_of(SearchedUntil::<T>::get()), Self::epoch_of(until));
		if after <= before {
			return;
		}
		SearchedUntil::<T>::put(until);
		// Cannot saturate: `after` is above `before`. After a long gap, only the last ones are announced.
		let first = before.saturating_add(1).max(after.saturating_sub(MAX_ANNOUNCED.saturating_sub(1)));
		for epoch in (first..=after).filter_map(|searched| searched.checked_sub(EPOCHS_TO_SEARCH)) {
			Self::announce(epoch);
		}
	}

	/// Whether the epoch and the one after were searched in full.
	pub(crate) fn is_searched(epoch: FaultEpoch) -> bool {
		// An epoch whose number does not fit never comes.
		let needed = epoch.checked_add(EPOCHS_TO_SEARCH);
		needed.is_some_and(|needed| Self::epoch_of(SearchedUntil::<T>::get()) >= needed)
	}

	/// Says so if misses that were found in this epoch, which can be judged from now on, are excused.
	fn announce(epoch: FaultEpoch) {
		let census = Census::<T>::get(epoch);
		if census.missed == 0 {
			return;
		}
		if let Some(excuse) = Self::excuse_for(epoch, |_| Default::default()) {
			let (missed, total) = (census.missed, census.total());
			Self::deposit_event(Event::EpochExcused { epoch, excuse, missed, total });
		}
	}
}
