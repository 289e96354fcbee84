//! Benchmarks of this chain's own pallets: which ones, and what each needs of the others.
//!
//! Accounts, tokens and GPUs are stored as their pallets store them, without the calls that lead there: a benchmark sets up
//! hundreds of them for each figure.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::{
	AccountId, AllPalletsWithSystem, Allowances, Assets, Attestation, Balance, Balances, Leases, Providers,
	Runtime, RuntimeCall, RuntimeHoldReason, RuntimeOrigin, Settlement,
};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
	fungible::{self, MutateHold as _},
	fungibles::{self, Create, Inspect as _},
	StorageInfo, StorageInfoTrait, Time, WhitelistedStorageKeys,
};
use millrace_primitives::{
	Asset, BlobHash, ClassId, EscrowId, GpuIndex, GpuState, Hash, JobId, LeaseId, Moment, NodeIndex,
	StreamId, MAX_GPUS_PER_PROVIDER,
};
use pallet_providers::{ClassCapacity, Gpu, Provider, Standing};
use sp_storage::TrackedStorageKey;

frame_benchmarking::define_benchmarks!(
	[pallet_allowances, Allowances]
	[pallet_attestation, Attestation]
	[pallet_leases, Leases]
	[pallet_providers, Providers]
	[pallet_settlement, Settlement]
);

/// All benchmarks, and what is known of the storage that they touch.
pub(crate) fn metadata(extra: bool) -> (Vec<BenchmarkList>, Vec<StorageInfo>) {
	let mut list = Vec::new();
	list_benchmarks!(list, extra);
	(list, AllPalletsWithSystem::storage_info())
}

/// Runs one benchmark.
pub(crate) fn dispatch(config: BenchmarkConfig) -> Result<Vec<BenchmarkBatch>, String> {
	let whitelist: Vec<TrackedStorageKey> = AllPalletsWithSystem::whitelisted_storage_keys();
	let mut batches = Vec::new();
	let params = (&config, &whitelist);
	add_benchmarks!(params, batches);
	Ok(batches)
}

/// More of any asset than a benchmark needs.
const PLENTY: Balance = 1_000_000_000_000_000_000_000;
/// An allowed token.
const TOKEN: u32 = 1;
/// The class of all GPUs.
const CLASS: ClassId = ClassId(0);

/// What the pallets' benchmarks need of each other.
pub struct Helper;

impl Helper {
	fn set_time(now: Moment) {
		// Not by the pallet's own function: that wants the slot of the block to agree.
		pallet_timestamp::Now::<Runtime>::put(now);
	}

	fn fund(account: &AccountId) -> Asset {
		if !Assets::asset_exists(TOKEN) {
			<Assets as Create<AccountId>>::create(TOKEN, account.clone(), true, 1).unwrap();
			Settlement::allow_asset(RuntimeOrigin::root(), TOKEN).unwrap();
		}
		<Balances as fungible::Mutate<AccountId>>::mint_into(account, PLENTY).unwrap();
		<Assets as fungibles::Mutate<AccountId>>::mint_into(TOKEN, account, PLENTY).unwrap();
		Asset::Token(TOKEN)
	}

	fn add_provider(provider: &AccountId, worker: Option<&AccountId>, free_gpus: u32, group: Option<u32>) {
		let count = MAX_GPUS_PER_PROVIDER;
		let bond = pallet_providers::Classes::<Runtime>::get(CLASS).unwrap().min_bond * Balance::from(count);
		let reason = RuntimeHoldReason::Providers(pallet_providers::HoldReason::Bond);
		Balances::hold(&reason, provider, bond).unwrap();
		let record = Provider {
			worker: worker.cloned(),
			endpoint: Default::default(),
			country: *b"IS",
			network: 0,
			operator_group: group,
			standing: if worker.is_some() { Standing::New } else { Standing::Live },
			bonded: bond,
			unbonding: Default::default(),
			penalties: 0,
			deposit: 0,
			next_gpu: count as u16,
			capacity_changed: false,
			locked: 0,
			pending_slashes: 0,
			slashed: 0,
			era_slashes: Default::default(),
			maintenance: None,
			registered_at: crate::Timestamp::now(),
		};
		pallet_providers::Providers::<Runtime>::insert(provider, record);
		if let Some(worker) = worker {
			pallet_providers::Workers::<Runtime>::insert(worker, provider);
		}
		let capacity = ClassCapacity { registered: count, free: free_gpus };
		pallet_providers::Capacity::<Runtime>::insert(provider, CLASS, capacity);
		for index in 0..count {
			let state = if index < free_gpus { GpuState::Healthy } else { GpuState::Faulty };
			let gpu = Gpu { class: CLASS, uuid_hash: Hash::zero(), state, lost: false };
			pallet_providers::Gpus::<Runtime>::insert(provider, GpuIndex(index as u16), gpu);
		}
	}
}

impl pallet_providers::BenchmarkHelper for Helper {
	fn advance_to(now: Moment) {
		Self::set_time(now);
	}
}

impl pallet_settlement::BenchmarkHelper for Helper {
	fn advance_to(now: Moment) {
		Self::set_time(now);
	}
}

impl pallet_allowances::BenchmarkHelper<AccountId, RuntimeCall> for Helper {
	fn advance_to(now: Moment) {
		Self::set_time(now);
	}

	/// Another job for a lease in the token.
	fn cheapest_call(owner: &AccountId) -> RuntimeCall {
		let provider = frame_benchmarking::account("provider", 0, 0);
		let lease = pallet_leases::benchmarking::add_lease::<Runtime>(&provider);
		pallet_leases::Leases::<Runtime>::mutate_extant(lease, |record| record.renter = owner.clone());
		let (node, plan) = (NodeIndex(0), BlobHash::zero());
		pallet_leases::Call::submit_job { lease, node, plan }.into()
	}
}

impl pallet_leases::benchmarking::BenchmarkHelper<AccountId> for Helper {
	fn set_time(now: Moment) {
		Self::set_time(now);
	}

	fn add_provider(provider: &AccountId, free_gpus: u32, group: Option<u32>) {
		Self::add_provider(provider, None, free_gpus, group);
	}

	fn fund(account: &AccountId) -> Asset {
		Self::fund(account)
	}

	fn contest(payer: &AccountId, escrow: EscrowId, stream: StreamId) {
		let payer = RuntimeOrigin::signed(payer.clone());
		Settlement::contest(payer, escrow, stream, BlobHash::zero()).unwrap();
	}
}

impl pallet_attestation::BenchmarkHelper<AccountId> for Helper {
	const ASKS: u32 = pallet_leases::MAX_ASKS_PER_PROVIDER;

	fn set_time(now: Moment) {
		Self::set_time(now);
	}

	fn add_provider(provider: &AccountId, worker: &AccountId) {
		Self::fund(provider);
		Self::add_provider(provider, Some(worker), MAX_GPUS_PER_PROVIDER, None);
		pallet_leases::benchmarking::add_asks::<Runtime>(provider);
	}

	fn add_lease(provider: &AccountId) -> LeaseId {
		pallet_leases::benchmarking::add_lease::<Runtime>(provider)
	}

	fn add_job(lease: LeaseId) -> JobId {
		pallet_leases::benchmarking::add_job::<Runtime>(lease)
	}
}
