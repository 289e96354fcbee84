//! What stops the clock: recesses, the market's pause, and runtime upgrades.

use crate::{types::Recess, Census, Config, CurrentRecess, Event, Pallet, Paused};
use millrace_primitives::{BlockNumber, Excuse, FaultEpoch};

impl<T: Config> Pallet<T> {
	/// Why the clock is stopped in this block, the current one; `None` if it runs.
	pub(crate) fn stopped_by(block: BlockNumber) -> Option<Excuse> {
		if Paused::<T>::get() {
			return Some(Excuse::MarketPause);
		}
		CurrentRecess::<T>::get().filter(|recess| block < recess.until).map(|recess| recess.excuse)
	}

	/// Stops the clock before block `until`. A recess that lasts as long or longer stays as it is.
	pub(crate) fn begin_recess(excuse: Excuse, until: BlockNumber) {
		if CurrentRecess::<T>::get().is_some_and(|recess| recess.until >= until) {
			return;
		}
		CurrentRecess::<T>::put(Recess { excuse, until });
		Self::deposit_event(Event::ClockStopped { excuse, until: Some(until) });
	}

	/// The clock is stopped in a block of this epoch, the current one. The first reason stays.
	pub(crate) fn excuse_epoch(epoch: FaultEpoch, excuse: Excuse) {
		let mut census = Census::<T>::get(epoch);
		if census.excuse.is_none() {
			census.excuse = Some(excuse);
			Census::<T>::insert(epoch, census);
		}
	}

	/// The market is paused, or resumed. Nothing happens if it is so already.
	pub(crate) fn pause_or_resume(paused: bool) {
		if Paused::<T>::get() == paused {
			return;
		}
		Paused::<T>::put(paused);
		if paused {
			// This block was observed already, and may be the epoch's last.
			Self::excuse_epoch(Self::current_epoch(), Excuse::MarketPause);
			Self::deposit_event(Event::ClockStopped { excuse: Excuse::MarketPause, until: None });
		} else {
			Self::begin_recess(Excuse::MarketPause, Self::recovered_at(Self::current_block()));
		}
	}

	/// The runtime was upgraded.
	pub(crate) fn upgraded() {
		// The hook runs before its block begins: the current block is still the one before. That epoch may be over, so the
		// block's observation excuses the right one.
		let block = Self::current_block().saturating_add(1);
		Self::begin_recess(Excuse::RuntimeUpgrade, Self::recovered_at(block));
	}
}
