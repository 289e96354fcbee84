//! Registering GPUs and taking them off.

use crate::{Capacity, ClassCapacity, Classes, Config, Error, Event, Gpu, GpuUuids, Gpus, Pallet, Providers};
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
		// Cannot saturate: a provider has at most MAX_GPUS_PER_PROVIDER.
		let registered = Capacity::<T>::iter_prefix_values(&who)
			.fold(0, |sum: u32, capacity| sum.saturating_add(capacity.registered));
		ensure!(registered < MAX_GPUS_PER_PROVIDER, Error::<T>::TooManyGpus);
		let index = provider.next_gpu;
		let next = index.checked_add(1).ok_or(Error::<T>::GpuIndicesUsedUp)?;
		let required =
			Self::bond_for_gpus(&who)?.checked_add(details.min_bond).ok_or(ArithmeticError::Overflow)?;
		ensure!(provider.bonded >= required, Error::<T>::BondTooSmall);

		let gpu = GpuIndex(index);
		provider.next_gpu = next;
		provider.capacity_changed = true;
		Providers::<T>::insert(&who, provider);
		Self::replace_gpu(
			&who,
			gpu,
			None,
			Some(Gpu { class, uuid_hash, state: GpuState::Healthy, lost: false }),
		);
		GpuUuids::<T>::insert(uuid_hash, (&who, gpu));
		Self::deposit_event(Event::GpuAdded { provider: who, gpu, class, uuid_hash });
		Ok(())
	}

	/// Takes a GPU that serves no lease off the registry.
	pub(crate) fn do_remove_gpu(who: T::AccountId, gpu: GpuIndex) -> DispatchResult {
		ensure!(Providers::<T>::contains_key(&who), Error::<T>::NotRegistered);
		let record = Gpus::<T>::get(&who, gpu).ok_or(Error::<T>::UnknownGpu)?;
		ensure!(!matches!(record.state, GpuState::Leased(_)), Error::<T>::GpuIsLeased);
		let uuid_hash = record.uuid_hash;
		Self::replace_gpu(&who, gpu, Some(record), None);
		GpuUuids::<T>::remove(uuid_hash);
		Self::deposit_event(Event::GpuRemoved { provider: who, gpu, uuid_hash });
		Ok(())
	}

	/// How many of these GPUs serve a lease although the last report did not call them healthy.
	pub(crate) fn count_lost(provider: &T::AccountId, gpus: &[GpuIndex]) -> u32 {
		let lost = gpus.iter().filter(|gpu| Gpus::<T>::get(provider, gpu).is_some_and(|gpu| gpu.lost));
		// At most MAX_GPUS_PER_PROVIDER, so the conversion keeps the number.
		lost.count() as u32
	}

	/// Writes a GPU in place of what is stored of it, and counts both. The only writer of `Gpus` and `Capacity`.
	pub(crate) fn replace_gpu(provider: &T::AccountId, index: GpuIndex, old: Option<Gpu>, new: Option<Gpu>) {
		// A GPU never changes its class, so that old and new are counted in one entry.
		let Some(class) = new.or(old).map(|gpu| gpu.class) else { return };
		Capacity::<T>::mutate_exists(provider, class, |entry| {
			let capacity = entry.unwrap_or_default().without(old).with(new);
			*entry = (capacity != ClassCapacity::default()).then_some(capacity);
		});
		Gpus::<T>::set(provider, index, new);
	}

	/// How many GPUs of a class a provider has, and how many of them are free.
	pub(crate) fn capacity_of(provider: &T::AccountId, class: ClassId) -> ClassCapacity {
		Capacity::<T>::get(provider, class).unwrap_or_default()
	}

	/// GPUs of a provider in the order of their indices. At most [`MAX_GPUS_PER_PROVIDER`].
	pub(crate) fn gpus_by_index(provider: &T::AccountId) -> Vec<(GpuIndex, Gpu)> {
		let mut gpus: Vec<_> = Gpus::<T>::iter_prefix(provider).collect();
		gpus.sort_unstable_by_key(|(index, _)| *index);
		gpus
	}
}
