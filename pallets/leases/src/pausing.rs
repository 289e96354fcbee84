//! A pause of the market alone.

use crate::pallet::{Config, Error, Event, Pallet, Paused};
use frame_support::ensure;
use millrace_primitives::FaultClockControl;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_pause_market() -> DispatchResult {
		Self::ensure_not_paused()?;
		Paused::<T>::put(());
		// What providers cannot do anything about is not their fault.
		T::Clock::set_paused(true);
		Self::deposit_event(Event::MarketPaused);
		Ok(())
	}

	pub(crate) fn do_resume_market() -> DispatchResult {
		Paused::<T>::take().ok_or(Error::<T>::MarketNotPaused)?;
		T::Clock::set_paused(false);
		Self::deposit_event(Event::MarketResumed);
		Ok(())
	}

	/// Nothing new is offered, ordered or matched while the market is paused.
	pub(crate) fn ensure_not_paused() -> DispatchResult {
		ensure!(!Paused::<T>::exists(), Error::<T>::MarketPaused);
		Ok(())
	}
}
