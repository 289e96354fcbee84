//! What the pallet is to others.

use crate::{Classes, Config, Gpus, Pallet, Providers, Standing, Workers};
use alloc::vec::Vec;
use frame_support::storage::with_storage_layer;
use millrace_primitives::{
	Balance, ClassId, GpuClass, GpuHealth, GpuIndex, GpuReservation, GpuState, Hash, LeaseId, Moment, Owner,
	ProviderFacts, ProviderInspect, ProviderLiveness,
};
use sp_runtime::DispatchError;

impl<T: Config> ProviderInspect<T::AccountId, Balance> for Pallet<T> {
	fn provider_of(worker: &T::AccountId) -> Option<T::AccountId> {
		Workers::<T>::get(worker)
	}

	fn is_registered(provider: &T::AccountId) -> bool {
		Providers::<T>::contains_key(provider)
	}

	fn facts(provider: &T::AccountId) -> Option<ProviderFacts<T::AccountId>> {
		let record = Providers::<T>::get(provider)?;
		Some(ProviderFacts {
			owner: record.operator_group.map_or_else(|| Owner::Account(provider.clone()), Owner::Group),
			country: record.country,
			network: record.network,
			uptime: Self::uptime_of(provider).map(|(_, _, month)| month),
			live: record.standing == Standing::Live,
		})
	}

	fn class(class: ClassId) -> Option<GpuClass<Balance>> {
		Classes::<T>::get(class)
	}

	fn free_gpus(provider: &T::AccountId, class: ClassId) -> u32 {
		Self::capacity_of(provider, class).free
	}

	fn registered_gpus(provider: &T::AccountId, class: ClassId) -> u32 {
		Self::capacity_of(provider, class).registered
	}

	fn gpu(provider: &T::AccountId, gpu: GpuIndex) -> Option<(ClassId, Hash, GpuState)> {
		Gpus::<T>::get(provider, gpu).map(|gpu| (gpu.class, gpu.uuid_hash, gpu.state))
	}

	fn gpus(provider: &T::AccountId) -> Vec<GpuIndex> {
		Self::gpus_by_index(provider).into_iter().map(|(index, _)| index).collect()
	}
}

impl<T: Config> GpuReservation<T::AccountId, Balance> for Pallet<T> {
	fn reserve(
		provider: &T::AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError> {
		Self::do_reserve(provider, class, count, lease)
	}

	fn release(provider: &T::AccountId, gpus: &[GpuIndex], lease: LeaseId) {
		Self::do_release(provider, gpus, lease);
	}

	fn leaving_penalty(
		provider: &T::AccountId,
		class: ClassId,
		gpus: u32,
		amount: Balance,
		renter: &T::AccountId,
	) -> Result<Balance, DispatchError> {
		// A transfer that fails half-way leaves no trace.
		with_storage_layer(|| Self::do_leaving_penalty(provider, class, gpus, amount, renter))
	}
}

impl<T: Config> ProviderLiveness<T::AccountId> for Pallet<T> {
	fn mark_live(provider: &T::AccountId) -> bool {
		Self::change_standing(provider, &[Standing::New, Standing::Stale], Standing::Live)
	}

	fn mark_stale(provider: &T::AccountId) -> bool {
		// One that never reported has nothing to lose.
		Self::change_standing(provider, &[Standing::Live], Standing::Stale)
	}

	fn update_health(provider: &T::AccountId, health: &[GpuHealth]) -> bool {
		Self::do_update_health(provider, health)
	}

	fn record_epochs(provider: &T::AccountId, expected: u32, attested: u32, now: Moment) {
		Self::do_record_epochs(provider, expected, attested, now);
	}
}
