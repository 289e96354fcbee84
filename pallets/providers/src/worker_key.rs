//! The worker's key and the account reference that comes with it.
//!
//! A worker's account has no balance. A reference (`sufficient`) keeps it in existence, so that its reports pass the nonce
//! check. Giving the reference back may end the account and reset its nonce: an old report sent again fails by its epoch.

use crate::{Config, Error, Event, Pallet, Providers, Workers};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Makes an account the provider's worker, in place of the one before.
	pub(crate) fn do_set_worker(who: T::AccountId, worker: T::AccountId) -> DispatchResult {
		ensure!(worker != who, Error::<T>::WorkerIsProvider);
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		ensure!(!Workers::<T>::contains_key(&worker), Error::<T>::WorkerTaken);
		let replaced = provider.worker.replace(worker.clone());
		if let Some(replaced) = &replaced {
			Self::release_worker(replaced);
		}
		Workers::<T>::insert(&worker, &who);
		// An account without a balance does not exist, and who does not exist cannot send a report.
		frame_system::Pallet::<T>::inc_sufficients(&worker);
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::WorkerSet { provider: who, worker, replaced });
		Ok(())
	}

	/// Takes the provider's worker away.
	pub(crate) fn do_remove_worker(who: T::AccountId) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let worker = provider.worker.take().ok_or(Error::<T>::NoWorker)?;
		Self::release_worker(&worker);
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::WorkerRemoved { provider: who, worker });
		Ok(())
	}

	/// Forgets a worker and gives its account reference back. The provider's record is left to the caller.
	pub(crate) fn release_worker(worker: &T::AccountId) {
		Workers::<T>::remove(worker);
		frame_system::Pallet::<T>::dec_sufficients(worker);
	}
}
