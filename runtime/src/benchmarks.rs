//! Benchmarks of this chain's own pallets: which ones, and what each needs of the others.
//!
//! Accounts, tokens and GPUs are stored as their pallets store them, without the calls that lead there: a benchmark sets up
//! hundreds of them for each figure.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::{
	AccountId, AllPalletsWithSystem, Allowances, Assets, Attestation, Balance, Balances, FaultClock, Leases,
	Providers, Rewards, Runtime, RuntimeCall, RuntimeHoldReason, RuntimeOrigin, Settlement, Slashing,
};
use alloc::{string::String, vec::Vec};
use frame_benchmarking::{BenchmarkBatch, BenchmarkConfig, BenchmarkList};
use frame_support::traits::{
	fungible::{self, MutateHold as _},
	fungibles::{self, Create, Inspect as _},
	Get, StorageInfo, StorageInfoTrait, Time, WhitelistedStorageKeys,
};
use millrace_primitives::{
	Asset, BlobHash, ClassId, EscrowId, FaultEpoch, GpuIndex, GpuReservation as _, GpuState, Hash, JobId,
	Judgement, LeaseId, Moment, NodeIndex, ProviderLiveness, StreamId, MAX_GPUS_PER_PROVIDER,
};
use pallet_providers::{ClassCapacity, Gpu, Membership, Provider, Standing};
use sp_storage::TrackedStorageKey;

frame_benchmarking::define_benchmarks!(
	[pallet_allowances, Allowances]
	[pallet_attestation, Attestation]
	[pallet_fault_clock, FaultClock]
	[pallet_leases, Leases]
	[pallet_providers, Providers]
	[pallet_rewards, Rewards]
	[pallet_settlement, Settlement]
	[pallet_slashing, Slashing]
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

	fn hold_bond(provider: &AccountId, bond: Balance) {
		let reason = RuntimeHoldReason::Providers(pallet_providers::HoldReason::Bond);
		Balances::hold(&reason, provider, bond).unwrap();
	}

	fn add_provider(
		provider: &AccountId,
		worker: Option<&AccountId>,
		free_gpus: u32,
		founder: Option<&AccountId>,
	) {
		let count = MAX_GPUS_PER_PROVIDER;
		let bond = pallet_providers::Classes::<Runtime>::get(CLASS).unwrap().min_bond * Balance::from(count);
		Self::hold_bond(provider, bond);
		let record = Provider {
			worker: worker.cloned(),
			endpoint: Default::default(),
			country: *b"IS",
			network: 0,
			group: founder
				.map_or(Membership::Alone, |founder| Membership::Member { founder: founder.clone() }),
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
			rested_at: 0,
			registered_at: crate::Timestamp::now(),
		};
		pallet_providers::Providers::<Runtime>::insert(provider, record);
		// Thirty days of reports, so that what reads the record has all of it to decode and to sum up.
		for day in 0..30 {
			let now = crate::Timestamp::now() + day * 24 * 60 * 60 * 1_000;
			<Providers as ProviderLiveness<AccountId>>::record_epochs(provider, 144, 143, None, now);
		}
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
	fn set_time(now: Moment) {
		Self::set_time(now);
	}
}

impl pallet_settlement::BenchmarkHelper for Helper {
	fn set_time(now: Moment) {
		Self::set_time(now);
	}
}

impl pallet_allowances::BenchmarkHelper<AccountId, RuntimeCall> for Helper {
	fn set_time(now: Moment) {
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

	fn add_provider(provider: &AccountId, free_gpus: u32, founder: Option<&AccountId>) {
		Self::add_provider(provider, None, free_gpus, founder);
	}

	fn fund(account: &AccountId) -> Asset {
		Self::fund(account)
	}

	fn let_faults_be_judged() {
		let epoch = <Runtime as pallet_fault_clock::Config>::EpochLength::get();
		let block = frame_system::Pallet::<Runtime>::block_number() + 8 * epoch;
		frame_system::Pallet::<Runtime>::set_block_number(block);
		pallet_fault_clock::SearchedUntil::<Runtime>::put(block);
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

	fn reward_idle_epochs() {
		use crate::dynamic_params::rewards::{Parameters, PerUnit};
		let reward = crate::RuntimeParameters::Rewards(Parameters::PerUnit(PerUnit, Some(1)));
		crate::Parameters::set_parameter(RuntimeOrigin::root(), reward).unwrap();
	}

	fn add_bonded_lease(provider: &AccountId) -> LeaseId {
		let lease = pallet_leases::benchmarking::add_lease::<Runtime>(provider);
		let gpus = Providers::reserve(provider, CLASS, 1, lease).unwrap();
		pallet_leases::Leases::<Runtime>::mutate_extant(lease, |record| {
			record.nodes[0].gpus = gpus.try_into().unwrap();
		});
		lease
	}

	fn add_job(lease: LeaseId) -> JobId {
		pallet_leases::benchmarking::add_job::<Runtime>(lease)
	}
}

impl pallet_fault_clock::BenchmarkHelper for Helper {
	fn set_time(now: Moment) {
		Self::set_time(now);
	}
}

impl pallet_slashing::BenchmarkHelper<AccountId> for Helper {
	fn set_time(now: Moment) {
		Self::set_time(now);
	}

	fn add_provider(provider: &AccountId, bond: Balance) {
		Self::fund(provider);
		Self::add_provider(provider, None, MAX_GPUS_PER_PROVIDER, None);
		Self::hold_bond(provider, bond);
		pallet_providers::Providers::<Runtime>::mutate_extant(provider, |record| {
			let chunks = u64::from(pallet_providers::MAX_UNBONDING_CHUNKS);
			record.bonded += bond - Balance::from(chunks);
			for unlocks_at in 1..=chunks {
				record.unbonding.try_push(pallet_providers::Chunk { amount: 1, unlocks_at }).unwrap();
			}
		});
	}

	fn add_class(min_bond: Balance) -> ClassId {
		let class = pallet_providers::NextClass::<Runtime>::get();
		let mut details = pallet_providers::Classes::<Runtime>::get(CLASS).unwrap();
		details.min_bond = min_bond;
		pallet_providers::Classes::<Runtime>::insert(class, details);
		pallet_providers::NextClass::<Runtime>::put(class.next().unwrap());
		class
	}

	/// By the census: of the epochs around, so that the longest way is gone.
	fn judge(epoch: FaultEpoch, owner: &AccountId, judgement: Judgement) {
		let length = <Runtime as pallet_fault_clock::Config>::EpochLength::get();
		// Far enough for the epoch to be judged, and not so far that it is too old.
		let now = (epoch + 8) * length;
		let block = frame_system::Pallet::<Runtime>::block_number().max(now);
		frame_system::Pallet::<Runtime>::set_block_number(block);
		pallet_fault_clock::SearchedUntil::<Runtime>::put(block);
		let share = <Runtime as pallet_fault_clock::Config>::OutageShare::get();
		pallet_fault_clock::Census::<Runtime>::mutate(epoch, |census| {
			census.reported = PLENTY;
			census.outage_share = share;
			census.excuse = match judgement {
				Judgement::Excused(excuse) => Some(excuse),
				Judgement::Open | Judgement::Counts => None,
			};
		});
		for near in epoch.saturating_sub(1)..=epoch + 1 {
			pallet_fault_clock::OwnerMisses::<Runtime>::mutate(near, owner, |own| own.missed += 1);
		}
	}
}

impl pallet_rewards::BenchmarkHelper for Helper {
	fn set_time(now: Moment) {
		Self::set_time(now);
	}
}
