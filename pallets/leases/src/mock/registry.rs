//! Model of the registry: what tests declare of providers, and the states of their GPUs.

use super::{AccountId, Balances, GPU_BOND};
use codec::{Decode, Encode};
use frame_support::{
	storage_alias,
	traits::{fungible::Mutate as _, tokens::Preservation},
	Twox64Concat,
};
use millrace_primitives::{
	AcceleratorKind, Balance, ClassId, Country, GpuClass, GpuIndex, GpuReservation, GpuState, LeaseId,
	ProviderFacts, ProviderInspect, ServiceOutcome,
};
use sp_runtime::{DispatchError, Permill};

/// What the registry's model knows of a provider.
#[derive(Clone, Debug, Encode, Decode)]
pub(crate) struct Declared {
	pub(crate) owner: AccountId,
	pub(crate) country: Country,
	pub(crate) network: u32,
	pub(crate) uptime: Option<Permill>,
	pub(crate) live: bool,
}

#[storage_alias]
pub(crate) type RegistryProviders = StorageMap<MockRegistry, Twox64Concat, AccountId, Declared>;
/// Class and state of each GPU.
#[storage_alias]
pub(crate) type RegistryGpus =
	StorageDoubleMap<MockRegistry, Twox64Concat, AccountId, Twox64Concat, GpuIndex, (ClassId, GpuState)>;
/// What each provider was charged for leaving early.
#[storage_alias]
pub(crate) type RegistryPenalties = StorageMap<MockRegistry, Twox64Concat, AccountId, Balance>;

/// Leased GPUs that the last report did not call healthy.
#[storage_alias]
pub(crate) type RegistryLost =
	StorageDoubleMap<MockRegistry, Twox64Concat, AccountId, Twox64Concat, GpuIndex, ()>;
/// How each provider's leases ended: completed, faulted, rejected.
#[storage_alias]
pub(crate) type RegistryOutcomes = StorageMap<
	MockRegistry,
	Twox64Concat,
	AccountId,
	(u32, u32, u32),
	frame_support::pallet_prelude::ValueQuery,
>;

/// Model of the registry.
pub struct Registry;

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(_: &AccountId) -> Option<AccountId> {
		None
	}

	fn is_registered(provider: &AccountId) -> bool {
		RegistryProviders::contains_key(provider)
	}

	fn is_reporting(provider: &AccountId) -> bool {
		RegistryProviders::get(provider).is_some_and(|declared| declared.live)
	}

	fn facts(provider: &AccountId) -> Option<ProviderFacts<AccountId>> {
		RegistryProviders::get(provider).map(|declared| ProviderFacts {
			owner: declared.owner,
			country: declared.country,
			network: declared.network,
			uptime: declared.uptime,
			reputation: declared.uptime.unwrap_or(Permill::zero()),
			live: declared.live,
		})
	}

	fn class(class: ClassId) -> Option<GpuClass<Balance>> {
		(class.0 < 2).then(|| GpuClass {
			kind: AcceleratorKind::Reference,
			vendor: Default::default(),
			model: Default::default(),
			memory_mib: 0,
			min_bond: GPU_BOND,
			unit_weight: 1,
		})
	}

	fn free_gpus(provider: &AccountId, class: ClassId) -> u32 {
		RegistryGpus::iter_prefix_values(provider).filter(|gpu| *gpu == (class, GpuState::Healthy)).count()
			as u32
	}

	fn registered_gpus(provider: &AccountId, class: ClassId) -> u32 {
		RegistryGpus::iter_prefix_values(provider).filter(|gpu| gpu.0 == class).count() as u32
	}

	fn gpu(provider: &AccountId, gpu: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)> {
		RegistryGpus::get(provider, gpu).map(|(class, state)| (class, Default::default(), state))
	}

	fn gpus(provider: &AccountId) -> Vec<GpuIndex> {
		let mut gpus: Vec<_> = RegistryGpus::iter_key_prefix(provider).collect();
		gpus.sort();
		gpus
	}

	fn lost_gpus(provider: &AccountId, gpus: &[GpuIndex]) -> u32 {
		gpus.iter().filter(|gpu| RegistryLost::contains_key(provider, gpu)).count() as u32
	}

	fn idle_units(provider: &AccountId) -> u64 {
		Self::gpus(provider).len() as u64
	}

	fn lease_bonds(provider: &AccountId) -> Balance {
		RegistryGpus::iter_prefix_values(provider)
			.filter(|(_, state)| matches!(state, GpuState::Leased(_)))
			.count() as Balance
			* GPU_BOND
	}

	fn lease_bond(provider: &AccountId, lease: LeaseId) -> Balance {
		RegistryGpus::iter_prefix_values(provider)
			.filter(|(_, state)| *state == GpuState::Leased(lease))
			.count() as Balance
			* GPU_BOND
	}
}

impl GpuReservation<AccountId, Balance> for Registry {
	fn reserve(
		provider: &AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError> {
		let mut free: Vec<_> = RegistryGpus::iter_prefix(provider)
			.filter(|(_, gpu)| *gpu == (class, GpuState::Healthy))
			.map(|(index, _)| index)
			.collect();
		free.sort();
		if free.len() < count as usize {
			return Err(DispatchError::Other("no free GPUs"));
		}
		free.truncate(count as usize);
		for gpu in &free {
			RegistryGpus::insert(provider, gpu, (class, GpuState::Leased(lease)));
		}
		Ok(free)
	}

	fn release(provider: &AccountId, gpus: &[GpuIndex], lease: LeaseId) {
		for gpu in gpus {
			if let Some((class, GpuState::Leased(holder))) = RegistryGpus::get(provider, gpu) {
				if holder == lease {
					RegistryGpus::insert(provider, gpu, (class, GpuState::Healthy));
				}
			}
		}
	}

	fn record_outcome(provider: &AccountId, outcome: ServiceOutcome) {
		RegistryOutcomes::mutate(provider, |counts| match outcome {
			ServiceOutcome::Completed => counts.0 += 1,
			ServiceOutcome::Faulted => counts.1 += 1,
			ServiceOutcome::Rejected => counts.2 += 1,
		});
	}

	fn leaving_penalty(
		provider: &AccountId,
		_: ClassId,
		gpus: u32,
		amount: Balance,
		renter: &AccountId,
	) -> Result<Balance, DispatchError> {
		let amount = amount.min(GPU_BOND * Balance::from(gpus) / 5);
		Balances::transfer(provider, renter, amount, Preservation::Preserve)?;
		RegistryPenalties::mutate(provider, |sum| *sum = Some(sum.unwrap_or(0) + amount));
		Ok(amount)
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<AccountId> for Registry {
	fn set_time(now: millrace_primitives::Moment) {
		super::Now::set(now);
	}

	fn add_provider(provider: &AccountId, free_gpus: u32, founder: Option<&AccountId>) {
		let owner = *founder.unwrap_or(provider);
		let declared = Declared { owner, country: *b"DE", network: 0, uptime: None, live: true };
		RegistryProviders::insert(provider, declared);
		for index in 0..millrace_primitives::MAX_GPUS_PER_PROVIDER {
			let state = if index < free_gpus { GpuState::Healthy } else { GpuState::Faulty };
			RegistryGpus::insert(provider, GpuIndex(index as u16), (super::CLASS, state));
		}
	}

	fn fund(account: &AccountId) -> millrace_primitives::Asset {
		const PLENTY: Balance = 1_000_000_000_000_000_000;
		Balances::set_balance(account, PLENTY);
		super::tokens_to(*account, 7, PLENTY);
		super::TOKEN
	}

	fn let_faults_be_judged() {}

	/// The model knows no contests.
	fn contest(_: &AccountId, _: millrace_primitives::EscrowId, _: millrace_primitives::StreamId) {}
}
