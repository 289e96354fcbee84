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
	AcceleratorKind, Balance, ClassId, FaultCensus, GpuClass, GpuHealth, GpuIndex, GpuState, IdleRewards,
	JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseInspect, LeaseStatus, LeaseUsage, Moment, NodeIndex,
	NodeStatus, OpenJob, ProviderFacts, ProviderInspect, ProviderLiveness, Report, ServedNode,
};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult};

pub(crate) type AccountId = u64;

pub(crate) const PROVIDER: AccountId = 1;
pub(crate) const OTHER: AccountId = 2;
pub(crate) const THIRD: AccountId = 3;
pub(crate) const STRANGER: AccountId = 99;
/// Bond of every lease, in plancks.
pub(crate) const LEASE_BOND: Balance = 500;
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
	type Clock = Census;
	type Rewards = Till;
	type LeasedEpoch = LeasedEpoch;
	type IdleEpoch = IdleEpoch;
	type GraceEpochs = GraceEpochs;
	type SlotDuration = SlotDuration;
	type AgendaWeight = AgendaLimit;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Market;
}

/// Whether each provider is live.
#[storage_alias]
pub(crate) type RegistryLive = StorageMap<MockRegistry, Twox64Concat, AccountId, bool>;
/// Whether each GPU is healthy.
#[storage_alias]
pub(crate) type RegistryGpus =
	StorageDoubleMap<MockRegistry, Twox64Concat, AccountId, Twox64Concat, GpuIndex, bool>;

/// Providers of workers that are not numbered as [`worker`] says.
#[storage_alias]
pub(crate) type RegistryWorkers = StorageMap<MockRegistry, Twox64Concat, AccountId, AccountId>;
/// Epochs recorded for each provider: expected, and attested.
#[storage_alias]
pub(crate) type RegistryEpochs =
	StorageMap<MockRegistry, Twox64Concat, AccountId, (u32, u32), frame_support::pallet_prelude::ValueQuery>;

/// Since when each provider served no lease, as its last report had it.
#[storage_alias]
pub(crate) type RegistryIdle = StorageMap<MockRegistry, Twox64Concat, AccountId, Moment>;

/// A node of a lease of the model.
#[derive(Clone, Debug, Eq, PartialEq, codec::Encode, codec::Decode)]
pub(crate) struct MockNode {
	pub(crate) gpus: Vec<GpuIndex>,
	pub(crate) status: NodeStatus,
	pub(crate) attested_at: Moment,
	pub(crate) billed_ms: u64,
	/// Misses that were counted while it was suspended.
	pub(crate) misses: u32,
}

/// Nodes by lease and provider. A lease is closed when it has none.
#[storage_alias]
pub(crate) type MarketNodes =
	StorageDoubleMap<MockMarket, Twox64Concat, LeaseId, Twox64Concat, AccountId, MockNode>;
/// Jobs by lease: the provider that they run at, and how they ended.
#[storage_alias]
pub(crate) type MarketJobs =
	StorageDoubleMap<MockMarket, Twox64Concat, LeaseId, Twox64Concat, JobId, (AccountId, Option<JobOutcome>)>;
/// Providers whose capacity has changed, as the leases were told.
#[storage_alias]
pub(crate) type MarketChanges =
	StorageValue<MockMarket, Vec<AccountId>, frame_support::pallet_prelude::ValueQuery>;

/// Model of the registry. The worker of provider `n` is `n + 1_000`.
pub struct Registry;

pub(crate) fn worker(provider: AccountId) -> AccountId {
	provider + 1_000
}

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(worker: &AccountId) -> Option<AccountId> {
		RegistryWorkers::get(worker).or_else(|| worker.checked_sub(1_000).filter(Self::is_registered))
	}

	fn is_registered(provider: &AccountId) -> bool {
		RegistryLive::contains_key(provider)
	}

	fn is_reporting(provider: &AccountId) -> bool {
		RegistryLive::get(provider).unwrap_or(false)
	}

	fn facts(provider: &AccountId) -> Option<ProviderFacts<AccountId>> {
		let live = RegistryLive::get(provider)?;
		Some(ProviderFacts {
			owner: *provider,
			country: *b"ZZ",
			network: 0,
			uptime: None,
			reputation: sp_runtime::Permill::zero(),
			live,
		})
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

	fn lost_gpus(_: &AccountId, _: &[GpuIndex]) -> u32 {
		0
	}

	fn idle_units(provider: &AccountId) -> u64 {
		Self::gpus(provider).len() as u64
	}

	fn lease_bonds(provider: &AccountId) -> Balance {
		Balance::from(Market::lease_count(provider)) * LEASE_BOND
	}

	fn lease_bond(_: &AccountId, _: LeaseId) -> Balance {
		LEASE_BOND
	}
}

impl ProviderLiveness<AccountId> for Registry {
	fn mark_live(provider: &AccountId) -> bool {
		!RegistryLive::mutate(provider, |live| live.replace(true)).unwrap_or(false)
	}

	fn mark_stale(provider: &AccountId) -> bool {
		RegistryLive::mutate(provider, |live| live.replace(false)).unwrap_or(false)
	}

	fn update_health(provider: &AccountId, health: &[GpuHealth]) -> bool {
		let mut changed = false;
		for gpu in health {
			changed |= RegistryGpus::mutate(provider, gpu.gpu, |healthy| healthy.replace(gpu.healthy))
				!= Some(gpu.healthy);
		}
		changed
	}

	fn record_epochs(
		provider: &AccountId,
		expected: u32,
		attested: u32,
		idle_since: Option<Moment>,
		_: Moment,
	) {
		RegistryIdle::set(provider, idle_since);
		RegistryEpochs::mutate(provider, |epochs| *epochs = (epochs.0 + expected, epochs.1 + attested));
	}
}

/// What the census was told.
#[derive(Clone, Copy, Debug, Eq, PartialEq, codec::Encode, codec::Decode)]
pub(crate) enum Told {
	Report { bonded: Balance, lag: u32 },
	Miss { owner: AccountId, bonded: Balance, reported: bool },
}

#[storage_alias]
pub(crate) type CensusTold = StorageValue<MockCensus, Vec<Told>, frame_support::pallet_prelude::ValueQuery>;
#[storage_alias]
pub(crate) type CensusSearched = StorageValue<MockCensus, u32, frame_support::pallet_prelude::ValueQuery>;

/// Model of the fault clock's census.
pub struct Census;

impl FaultCensus<AccountId, Balance> for Census {
	fn note_report(bonded: Balance, lag: u32) {
		CensusTold::append(Told::Report { bonded, lag });
	}

	fn note_miss(owner: &AccountId, bonded: Balance, reported: bool) {
		CensusTold::append(Told::Miss { owner: *owner, bonded, reported });
	}

	fn note_searched_until(block: u32) {
		CensusSearched::put(block);
	}
}

/// Providers that were rewarded for an idle epoch.
#[storage_alias]
pub(crate) type TillNoted = StorageValue<MockTill, Vec<AccountId>, frame_support::pallet_prelude::ValueQuery>;

/// Model of the rewards.
pub struct Till;

impl IdleRewards<AccountId> for Till {
	fn note_idle_epoch(provider: &AccountId) {
		TillNoted::append(provider);
	}
}

/// What the census was told since the last call.
pub(crate) fn told() -> Vec<Told> {
	CensusTold::take()
}

/// Model of the leases.
pub struct Market;

impl LeaseInspect<AccountId> for Market {
	fn leases_of(provider: &AccountId) -> Vec<LeaseId> {
		let served = |(lease, who, node): (_, _, MockNode)| {
			(who == *provider && !matches!(node.status, NodeStatus::Faulted { .. })).then_some(lease)
		};
		let mut leases: Vec<_> = MarketNodes::iter().filter_map(served).collect();
		leases.sort();
		leases
	}

	fn lease_count(provider: &AccountId) -> u32 {
		Self::leases_of(provider).len() as u32
	}

	fn status(lease: LeaseId) -> Option<LeaseStatus> {
		MarketNodes::iter_key_prefix(lease).next().map(|_| LeaseStatus::Active)
	}

	fn served_node(lease: LeaseId, provider: &AccountId) -> Option<ServedNode> {
		let MockNode { gpus, status, attested_at, .. } = MarketNodes::get(lease, provider)?;
		let served = !matches!(status, NodeStatus::Faulted { .. });
		served.then_some(ServedNode { node: NodeIndex(0), status, gpus, attested_at, ready_at: None })
	}

	fn open_jobs(_: LeaseId, _: &AccountId) -> Vec<OpenJob> {
		Vec::new()
	}

	fn job_is_open(lease: LeaseId, job: JobId, provider: &AccountId) -> Option<bool> {
		MarketJobs::get(lease, job).filter(|(who, _)| who == provider).map(|(_, outcome)| outcome.is_none())
	}
}

impl LeaseAttestation<AccountId> for Market {
	fn attest(
		provider: &AccountId,
		usage: &LeaseUsage,
		healthy: &[GpuIndex],
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult {
		let mut node = MarketNodes::get(usage.lease, provider).ok_or(DispatchError::CannotLookup)?;
		if !node.gpus.iter().all(|gpu| healthy.contains(gpu)) {
			return Ok(());
		}
		let since = now - node.attested_at;
		if node.status.is_served() && since <= max_interval_ms {
			node.billed_ms += since;
		}
		if !node.status.is_served() {
			node.status = NodeStatus::Active;
		}
		node.attested_at = now;
		MarketNodes::insert(usage.lease, provider, node);
		// After the write, so that a test sees whether it is rolled back.
		if BrokenLeases::get().contains(&usage.lease) {
			return Err(DispatchError::Unavailable);
		}
		Ok(())
	}

	fn count_miss(id: LeaseId, provider: &AccountId, now: Moment) -> DispatchResult {
		if BrokenLeases::get().contains(&id) {
			return Err(DispatchError::Unavailable);
		}
		change_node(id, *provider, |node| match node.status {
			NodeStatus::Suspended { .. } => node.misses += 1,
			status if status.is_served() => {
				node.status = NodeStatus::Suspended { since: now, leaves_at: None };
			}
			_ => {}
		});
		Ok(())
	}

	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		let (provider, _) = MarketJobs::get(lease, job).ok_or(DispatchError::CannotLookup)?;
		MarketJobs::insert(lease, job, (provider, Some(outcome)));
		Ok(())
	}

	fn capacity_changed(provider: &AccountId) {
		MarketChanges::append(provider);
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for Market {
	/// The model tells nobody.
	const ASKS: u32 = 0;

	fn set_time(now: Moment) {
		Now::set(now);
	}

	fn add_provider(provider: &AccountId, worker: &AccountId) {
		register(*provider, millrace_primitives::MAX_GPUS_PER_PROVIDER as u16);
		RegistryWorkers::insert(worker, provider);
	}

	fn add_lease(provider: &AccountId) -> LeaseId {
		let lease = lease(*provider, 0);
		change_node(lease, *provider, |node| {
			node.gpus = Vec::new();
			node.status = NodeStatus::Active;
		});
		lease
	}

	fn reward_idle_epochs() {}

	fn add_bonded_lease(provider: &AccountId) -> LeaseId {
		Self::add_lease(provider)
	}

	fn add_job(lease: LeaseId) -> JobId {
		let provider = MarketNodes::iter_key_prefix(lease).next().unwrap();
		MarketJobs::insert(lease, JobId(0), (provider, None::<JobOutcome>));
		JobId(0)
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
	let id = LeaseId(MarketNodes::iter_keys().map(|(id, _)| id.0 + 1).max().unwrap_or(0));
	join(id, provider, gpu);
	id
}

/// Another pending node of one GPU, for a lease.
pub(crate) fn join(lease: LeaseId, provider: AccountId, gpu: u16) {
	MarketNodes::insert(
		lease,
		provider,
		MockNode {
			gpus: vec![GpuIndex(gpu)],
			status: NodeStatus::Pending { since: Now::get() },
			attested_at: Now::get(),
			billed_ms: 0,
			misses: 0,
		},
	);
}

/// The lease is over.
pub(crate) fn close(lease: LeaseId) {
	let _ = MarketNodes::clear_prefix(lease, u32::MAX, None);
}

/// The node of a provider.
pub(crate) fn node(lease: LeaseId, provider: AccountId) -> MockNode {
	MarketNodes::get(lease, provider).unwrap()
}

pub(crate) fn change_node(lease: LeaseId, provider: AccountId, change: impl FnOnce(&mut MockNode)) {
	MarketNodes::mutate_exists(lease, provider, |node| node.as_mut().map(change));
}

/// The only node of a lease.
fn only_node(lease: LeaseId) -> MockNode {
	let mut nodes = MarketNodes::iter_prefix_values(lease);
	let node = nodes.next().unwrap();
	assert_eq!(nodes.next(), None);
	node
}

/// Status of the only node of a lease.
pub(crate) fn status(lease: LeaseId) -> NodeStatus {
	only_node(lease).status
}

pub(crate) fn is_pending(lease: LeaseId) -> bool {
	matches!(status(lease), NodeStatus::Pending { .. })
}

pub(crate) fn is_suspended(lease: LeaseId) -> bool {
	matches!(status(lease), NodeStatus::Suspended { .. })
}

/// Billed time of the only node of a lease, in milliseconds.
pub(crate) fn billed(lease: LeaseId) -> u64 {
	only_node(lease).billed_ms
}

/// Providers whose capacity has changed since the last call.
pub(crate) fn capacity_changes() -> Vec<AccountId> {
	MarketChanges::take()
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
		.map(|lease| LeaseUsage { lease, busy_ms: 1, jobs_ended: 0, checkpoint: None })
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
	let sent = Attestation::report(RuntimeOrigin::signed(worker(provider)), report);
	sent.map(drop).map_err(|failed| failed.error)
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
