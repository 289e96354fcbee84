//! A runtime for tests. Registry and leases are small models in storage, so that they roll back with it; they
//! record what they were told.

use crate as pallet_attestation;
use frame_support::{
	derive_impl, parameter_types, storage_alias,
	traits::{Hooks, Time},
	weights::{Weight, WeightMeter},
	Twox64Concat,
};
use millrace_primitives::{
	AcceleratorKind, Balance, BlobHash, ClassId, GpuClass, GpuHealth, GpuIndex, GpuState, JobId, JobOutcome,
	LeaseAttestation, LeaseId, LeaseInspect, LeaseStatus, LeaseUsage, Moment, ProviderInspect,
	ProviderLiveness, Report,
};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};

pub(crate) type AccountId = u64;

pub(crate) const PROVIDER: AccountId = 1;
pub(crate) const OTHER: AccountId = 2;
pub(crate) const THIRD: AccountId = 3;
pub(crate) const STRANGER: AccountId = 99;
pub(crate) const SLOT: u64 = 1_000;
pub(crate) const LEASED: u32 = 10;
pub(crate) const IDLE: u32 = 100;
pub(crate) const WINDOW: u64 = 20 * SLOT;
pub(crate) const START: u64 = 1_000_000;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Attestation = pallet_attestation;
}

pub(crate) type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

parameter_types! {
	pub static Now: u64 = START;
	/// Weight that the agenda may use in a block.
	pub static AgendaLimit: Weight = Weight::MAX;
	/// Leases that can be neither attested nor suspended.
	pub static BrokenLeases: Vec<LeaseId> = Vec::new();
	pub static IdleEpoch: u32 = IDLE;
	pub static GraceEpochs: u32 = 1;
	pub const LeasedEpoch: u32 = LEASED;
	pub const SlotDuration: u64 = SLOT;
}

pub struct Clock;

impl Time for Clock {
	type Moment = u64;

	fn now() -> u64 {
		Now::get()
	}
}

impl pallet_attestation::Config for Test {
	type WeightInfo = ();
	type Time = Clock;
	type Providers = Registry;
	type Leases = Market;
	type LeasedEpoch = LeasedEpoch;
	type IdleEpoch = IdleEpoch;
	type GraceEpochs = GraceEpochs;
	type SlotDuration = SlotDuration;
	type AgendaWeight = AgendaLimit;
}

/// Whether each provider is live.
#[storage_alias]
pub(crate) type RegistryLive = StorageMap<MockRegistry, Twox64Concat, AccountId, bool>;
/// Whether each GPU is healthy.
#[storage_alias]
pub(crate) type RegistryGpus =
	StorageDoubleMap<MockRegistry, Twox64Concat, AccountId, Twox64Concat, GpuIndex, bool>;

/// A lease of the model.
#[derive(Clone, Debug, Eq, PartialEq, codec::Encode, codec::Decode)]
pub(crate) struct MockLease {
	pub(crate) provider: AccountId,
	pub(crate) gpus: Vec<GpuIndex>,
	pub(crate) status: LeaseStatus,
	pub(crate) attested_at: Moment,
	pub(crate) billed_ms: u64,
}

#[storage_alias]
pub(crate) type MarketLeases = StorageMap<MockMarket, Twox64Concat, LeaseId, MockLease>;
/// Whether each job is open.
#[storage_alias]
pub(crate) type MarketJobs =
	StorageDoubleMap<MockMarket, Twox64Concat, LeaseId, Twox64Concat, JobId, Option<JobOutcome>>;

/// Model of the registry. The worker of provider `n` is `n + 1_000`.
pub struct Registry;

pub(crate) fn worker(provider: AccountId) -> AccountId {
	provider + 1_000
}

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(worker: &AccountId) -> Option<AccountId> {
		worker.checked_sub(1_000).filter(Self::is_registered)
	}

	fn is_registered(provider: &AccountId) -> bool {
		RegistryLive::contains_key(provider)
	}

	fn is_live(provider: &AccountId) -> bool {
		RegistryLive::get(provider).unwrap_or(false)
	}

	fn class(_: ClassId) -> Option<GpuClass<Balance>> {
		Some(GpuClass {
			kind: AcceleratorKind::Reference,
			vendor: Default::default(),
			model: Default::default(),
			memory_mib: 0,
			min_bond: 0,
			unit_weight: 1,
		})
	}

	fn free_gpus(_: &AccountId, _: ClassId) -> u32 {
		0
	}

	fn registered_gpus(provider: &AccountId, _: ClassId) -> u32 {
		Self::gpus(provider).len() as u32
	}

	fn gpu(provider: &AccountId, gpu: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)> {
		RegistryGpus::get(provider, gpu).map(|_| (ClassId(0), Default::default(), GpuState::Healthy))
	}

	fn gpus(provider: &AccountId) -> Vec<GpuIndex> {
		let mut gpus: Vec<_> = RegistryGpus::iter_key_prefix(provider).collect();
		gpus.sort();
		gpus
	}
}

impl ProviderLiveness<AccountId> for Registry {
	fn mark_live(provider: &AccountId) -> bool {
		!RegistryLive::mutate(provider, |live| live.replace(true)).unwrap_or(false)
	}

	fn mark_stale(provider: &AccountId) -> bool {
		RegistryLive::mutate(provider, |live| live.replace(false)).unwrap_or(false)
	}

	fn update_health(provider: &AccountId, health: &[GpuHealth]) {
		for gpu in health {
			RegistryGpus::insert(provider, gpu.gpu, gpu.healthy);
		}
	}
}

/// Model of the leases.
pub struct Market;

impl LeaseInspect<AccountId> for Market {
	fn leases_of(provider: &AccountId) -> Vec<LeaseId> {
		let mut leases: Vec<_> =
			MarketLeases::iter().filter(|(_, lease)| lease.provider == *provider).map(|(id, _)| id).collect();
		leases.sort();
		leases
	}

	fn lease_count(provider: &AccountId) -> u32 {
		Self::leases_of(provider).len() as u32
	}

	fn lease(lease: LeaseId) -> Option<(AccountId, LeaseStatus)> {
		MarketLeases::get(lease).map(|lease| (lease.provider, lease.status))
	}

	fn attested_at(lease: LeaseId) -> Option<Moment> {
		MarketLeases::get(lease).map(|lease| lease.attested_at)
	}

	fn gpus(lease: LeaseId) -> Vec<GpuIndex> {
		MarketLeases::get(lease).map(|lease| lease.gpus).unwrap_or_default()
	}

	fn open_jobs(_: LeaseId) -> Vec<(JobId, BlobHash, Moment)> {
		Vec::new()
	}

	fn job_is_open(lease: LeaseId, job: JobId) -> Option<bool> {
		MarketJobs::get(lease, job).map(|outcome| outcome.is_none())
	}
}

impl LeaseAttestation<AccountId> for Market {
	fn attest(usage: &LeaseUsage, healthy: &[GpuIndex], now: Moment, max_interval_ms: u64) -> DispatchResult {
		let mut lease = MarketLeases::get(usage.lease).ok_or(DispatchError::CannotLookup)?;
		if !lease.gpus.iter().all(|gpu| healthy.contains(gpu)) {
			return Ok(());
		}
		let since = now - lease.attested_at;
		if lease.status == LeaseStatus::Active && since <= max_interval_ms {
			lease.billed_ms += since;
		}
		lease.status = LeaseStatus::Active;
		lease.attested_at = now;
		MarketLeases::insert(usage.lease, lease);
		// After the write, so that a test sees whether it is rolled back.
		if BrokenLeases::get().contains(&usage.lease) {
			return Err(DispatchError::Unavailable);
		}
		Ok(())
	}

	fn suspend(id: LeaseId, now: Moment) -> DispatchResult {
		if BrokenLeases::get().contains(&id) {
			return Err(DispatchError::Unavailable);
		}
		MarketLeases::mutate_extant(id, |lease| {
			if lease.status == LeaseStatus::Active {
				lease.status = LeaseStatus::Suspended { since: now };
			}
		});
		Ok(())
	}

	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		MarketJobs::insert(lease, job, Some(outcome));
		Ok(())
	}
}

#[derive(Default)]
pub(crate) struct ExtBuilder;

impl ExtBuilder {
	pub(crate) fn build(self) -> sp_io::TestExternalities {
		let storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			Now::set(START);
			AgendaLimit::set(Weight::MAX);
			BrokenLeases::set(Vec::new());
			IdleEpoch::set(IDLE);
			GraceEpochs::set(1);
			for provider in [PROVIDER, OTHER, THIRD] {
				register(provider, 4);
			}
			run_blocks(20);
		});
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Attestation::do_try_state().unwrap();
		});
	}

	/// Runs a test that leaves the storage corrupt, and expects the named invariant to notice.
	pub(crate) fn build_and_break(self, invariant: &str, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			let error = Attestation::do_try_state().expect_err("a corrupt storage passed");
			let message = format!("{error:?}");
			assert!(message.contains(invariant), "expected invariant {invariant:?}, got {message}");
		});
	}
}

/// A provider that has not reported yet, with healthy GPUs.
pub(crate) fn register(provider: AccountId, gpus: u16) {
	RegistryLive::insert(provider, false);
	for gpu in 0..gpus {
		RegistryGpus::insert(provider, GpuIndex(gpu), true);
	}
}

/// A pending lease of one GPU.
pub(crate) fn lease(provider: AccountId, gpu: u16) -> LeaseId {
	let id = LeaseId(MarketLeases::iter_keys().map(|id| id.0 + 1).max().unwrap_or(0));
	MarketLeases::insert(
		id,
		MockLease {
			provider,
			gpus: vec![GpuIndex(gpu)],
			status: LeaseStatus::Pending,
			attested_at: Now::get(),
			billed_ms: 0,
		},
	);
	id
}

pub(crate) fn status(lease: LeaseId) -> LeaseStatus {
	MarketLeases::get(lease).unwrap().status
}

pub(crate) fn billed(lease: LeaseId) -> u64 {
	MarketLeases::get(lease).unwrap().billed_ms
}

pub(crate) fn current_block() -> u32 {
	System::block_number() as u32
}

/// What a worker with healthy GPUs and every lease would report now.
pub(crate) fn full_report(provider: AccountId) -> Report {
	let gpus: Vec<_> =
		Registry::gpus(&provider).into_iter().map(|gpu| GpuHealth { gpu, healthy: true }).collect();
	let leases: Vec<_> = Market::leases_of(&provider)
		.into_iter()
		.map(|lease| LeaseUsage { lease, busy_ms: 1, jobs_ended: 0 })
		.collect();
	Report {
		epoch: Attestation::current_epoch(&provider),
		finalised_number: current_block() - 3,
		finalised_hash: Default::default(),
		gpus: gpus.try_into().unwrap(),
		leases: leases.try_into().unwrap(),
	}
}

pub(crate) fn send(provider: AccountId, report: Report) -> DispatchResult {
	Attestation::report(RuntimeOrigin::signed(worker(provider)), report)
}

pub(crate) fn report(provider: AccountId) {
	send(provider, full_report(provider)).unwrap();
}

/// One block of one slot.
pub(crate) fn next_block() {
	next_block_after(SLOT);
}

/// One block, `ms` after the one before.
pub(crate) fn next_block_after(ms: u64) {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Now::set(Now::get() + ms);
	Attestation::on_poll(block, &mut WeightMeter::with_limit(Weight::MAX));
}

pub(crate) fn run_blocks(count: u32) {
	for _ in 0..count {
		next_block();
	}
}

/// Runs to the first block of the provider's next epoch.
pub(crate) fn run_to_next_epoch(provider: AccountId) {
	let epoch = Attestation::current_epoch(&provider);
	while Attestation::current_epoch(&provider) == epoch {
		next_block();
	}
}

/// Runs to the first block of an epoch, so that what follows has all of it.
pub(crate) fn align(provider: AccountId) {
	run_to_next_epoch(provider);
	events();
}

/// This pallet's events since the last call.
pub(crate) fn events() -> Vec<crate::Event<Test>> {
	let events = System::read_events_for_pallet();
	System::reset_events();
	events
}
