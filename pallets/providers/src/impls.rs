//! What the pallet is to others.

use crate::{
	record::day_of, Classes, Config, Gpus, LeaseBonds, Pallet, Providers, Records, Standing, Workers,
};
use alloc::vec::Vec;
use frame_support::{
	storage::with_storage_layer,
	traits::{fungible::Credit, Time},
};
use millrace_primitives::{
	Balance, BondSlashing, ClassId, GpuClass, GpuHealth, GpuIndex, GpuReservation, GpuState, Hash, LeaseId,
	Moment, ProviderFacts, ProviderInspect, ProviderLiveness, ServiceOutcome, SlashLimit,
};
use sp_runtime::{DispatchError, DispatchResult, Permill};

impl<T: Config> ProviderInspect<T::AccountId, Balance> for Pallet<T> {
	fn provider_of(worker: &T::AccountId) -> Option<T::AccountId> {
		Workers::<T>::get(worker)
	}

	fn is_registered(provider: &T::AccountId) -> bool {
		Providers::<T>::contains_key(provider)
	}

	fn is_reporting(provider: &T::AccountId) -> bool {
		Providers::<T>::get(provider).is_some_and(|record| record.standing == Standing::Live)
	}

	fn facts(provider: &T::AccountId) -> Option<ProviderFacts<T::AccountId>> {
		let record = Providers::<T>::get(provider)?;
		let (service, now) = (Records::<T>::get(provider), T::Time::now());
		let today = day_of(now);
		let in_maintenance = record.maintenance.is_some_and(|maintenance| maintenance.is_on(now));
		Some(ProviderFacts {
			owner: record.group.owner(provider).clone(),
			country: record.country,
			network: record.network,
			uptime: service.and_then(|service| service.uptime(today)).map(|(_, _, month)| month),
			reputation: service.map_or(Permill::zero(), |service| service.reputation(today)),
			live: record.standing == Standing::Live && !in_maintenance,
		})
	}

	fn class(class: ClassId) -> Option<GpuClass<Balance>> {
		Classes::<T>::get(class)
	}

	fn free_gpus(provider: &T::AccountId, class: ClassId) -> u32 {
		Self::leasable_gpus(provider, class)
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

	fn lost_gpus(provider: &T::AccountId, gpus: &[GpuIndex]) -> u32 {
		Self::count_lost(provider, gpus)
	}

	fn idle_units(provider: &T::AccountId) -> u64 {
		Self::leasable_units(provider)
	}

	fn lease_bonds(provider: &T::AccountId) -> Balance {
		Providers::<T>::get(provider).map_or(0, |record| record.locked)
	}

	fn lease_bond(provider: &T::AccountId, lease: LeaseId) -> Balance {
		LeaseBonds::<T>::get(provider, lease).unwrap_or(0)
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

	fn record_outcome(provider: &T::AccountId, outcome: ServiceOutcome) {
		Self::do_record_outcome(provider, outcome);
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

impl<T: Config> BondSlashing<T::AccountId, Balance> for Pallet<T> {
	type Credit = Credit<T::AccountId, T::Currency>;

	fn hold_slash(
		provider: &T::AccountId,
		amount: Balance,
		limit: SlashLimit,
	) -> Result<Balance, DispatchError> {
		with_storage_layer(|| Self::do_hold_slash(provider, amount, limit))
	}

	fn return_slash(provider: &T::AccountId, amount: Balance) -> DispatchResult {
		with_storage_layer(|| Self::do_return_slash(provider, amount))
	}

	fn take_slash(provider: &T::AccountId, amount: Balance) -> Result<Self::Credit, DispatchError> {
		with_storage_layer(|| Self::do_take_slash(provider, amount))
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

	fn record_epochs(
		provider: &T::AccountId,
		expected: u32,
		attested: u32,
		idle_since: Option<Moment>,
		now: Moment,
	) {
		Self::do_record_epochs(provider, expected, attested, idle_since, now);
	}
}
