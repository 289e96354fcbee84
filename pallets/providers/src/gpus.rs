//! Registering GPUs and taking them off.

use crate::{Classes, Config, Error, Event, Gpu, GpuUuids, Gpus, Pallet, Providers};
use alloc::vec::Vec;
use frame_support::ensure;
use millrace_primitives::{ClassId, GpuIndex, GpuState, Hash, MAX_GPUS_PER_PROVIDER};
use sp_runtime::{ArithmeticError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Registers a GPU under the provider's next index.
	pub(crate) fn do_add_gpu(who: T::AccountId, class: ClassId, uuid_hash: Hash) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let details = Classes::<T>::get(class).ok_or(Error::<T>::UnknownClass)?;
		Self::ensure_kind_allowed(&details)?;
		ensure!(!GpuUuids::<T>::contains_key(uuid_hash), Error::<T>::GpuAlreadyRegistered);
		let registered = Gpus::<T>::iter_key_prefix(&who).count();
		ensure!(registered < MAX_GPUS_PER_PROVIDER as usize, Error::<T>::TooManyGpus);
		let index = provider.next_gpu;
		let next = index.checked_add(1).ok_or(Error::<T>::GpuIndicesUsedUp)?;
		let required =
			Self::bond_for_gpus(&who)?.checked_add(details.min_bond).ok_or(ArithmeticError::Overflow)?;
		ensure!(provider.bonded >= required, Error::<T>::BondTooSmall);

		let gpu = GpuIndex(index);
		provider.next_gpu = next;
		provider.added_gpus = true;
		Providers::<T>::insert(&who, provider);
		Gpus::<T>::insert(&who, gpu, Gpu { class, uuid_hash, state: GpuState::Healthy });
		GpuUuids::<T>::insert(uuid_hash, (&who, gpu));
		Self::deposit_event(Event::GpuAdded { provider: who, gpu, class, uuid_hash });
		Ok(())
	}

	/// Takes a GPU that serves no lease off the registry.
	pub(crate) fn do_remove_gpu(who: T::AccountId, gpu: GpuIndex) -> DispatchResult {
		ensure!(Providers::<T>::contains_key(&who), Error::<T>::NotRegistered);
		let Gpu { uuid_hash, state, .. } = Gpus::<T>::get(&who, gpu).ok_or(Error::<T>::UnknownGpu)?;
		ensure!(!matches!(state, GpuState::Leased(_)), Error::<T>::GpuIsLeased);
		Gpus::<T>::remove(&who, gpu);
		GpuUuids::<T>::remove(uuid_hash);
		Self::deposit_event(Event::GpuRemoved { provider: who, gpu, uuid_hash });
		Ok(())
	}

	/// GPUs of a provider in the order of their indices. At most [`MAX_GPUS_PER_PROVIDER`].
	pub(crate) fn gpus_by_index(provider: &T::AccountId) -> Vec<(GpuIndex, Gpu)> {
		let mut gpus: Vec<_> = Gpus::<T>::iter_prefix(provider).collect();
		gpus.sort_unstable_by_key(|(index, _)| *index);
		gpus
	}
}
