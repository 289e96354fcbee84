//! What tests do and look at, in few words.

use super::*;
use crate::{
	types::{LeaseOf, Node},
	LeaseSize,
};
use frame_support::traits::{fungible::Mutate as _, Hooks};
use millrace_primitives::{
	AskId, AskTerms, Asset, Balance, Checkpoint, Constraints, EscrowId, Failover, GpuIndex, GpuState, JobId,
	LeaseAttestation, LeaseId, LeaseStatus, LeaseUsage, Matching, NodeIndex, NodeStatus, OrderId, OrderTerms,
	ProviderInspect, Term,
};
use sp_runtime::Permill;

/// What the weight of most tests' leases depends on.
pub(crate) const SMALL_LEASE: LeaseSize =
	LeaseSize { nodes: 1, gpus_per_node: 1, jobs: 0, streams: 1, asks: 1, failover: false };

/// Registers `count` more GPUs of [`CLASS`]; makes the account a live, rich provider if it was none.
pub(crate) fn add_gpus(provider: AccountId, count: u16) {
	add_gpus_of(provider, CLASS, count);
}

pub(crate) fn add_gpus_of(provider: AccountId, class: ClassId, count: u16) {
	if !RegistryProviders::contains_key(provider) {
		Balances::set_balance(&provider, RICH);
		let declared = Declared { owner: provider, country: *b"DE", network: 0, uptime: None, live: true };
		RegistryProviders::insert(provider, declared);
	}
	let first = Registry::gpus(&provider).len() as u16;
	for index in first..first + count {
		RegistryGpus::insert(provider, GpuIndex(index), (class, GpuState::Healthy));
	}
	Leases::capacity_changed(&provider);
}

/// Changes what the registry knows of a provider.
pub(crate) fn declare(provider: AccountId, change: impl FnOnce(&mut Declared)) {
	RegistryProviders::mutate(provider, |declared| change(declared.as_mut().unwrap()));
	Leases::capacity_changed(&provider);
}

pub(crate) fn set_live(provider: AccountId, live: bool) {
	declare(provider, |declared| declared.live = live);
}

/// Changes the state of a GPU that is not leased.
pub(crate) fn set_health(provider: AccountId, gpu: u16, healthy: bool) {
	let state = if healthy { GpuState::Healthy } else { GpuState::Faulty };
	RegistryGpus::mutate(provider, GpuIndex(gpu), |gpu| match gpu {
		Some((_, GpuState::Leased(_))) | None => (),
		Some((_, old)) => *old = state,
	});
	Leases::capacity_changed(&provider);
}

/// One block, `ms` after the one before.
pub(crate) fn next_block_after(ms: u64) {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Now::set(Now::get() + ms);
	Leases::on_poll(block, &mut WeightMeter::with_limit(Weight::MAX));
}

/// Blocks of one slot each.
pub(crate) fn run_blocks(count: u64) {
	for _ in 0..count {
		next_block_after(SLOT);
	}
}

/// Blocks of one slot each; every node of the lease is attested every ten of them and in the last one.
pub(crate) fn serve_blocks(lease: LeaseId, count: u64) {
	for block in 1..=count {
		run_blocks(1);
		if (block % 10 == 0 || block == count) && status(lease).is_some() {
			attest(lease);
		}
	}
}

pub(crate) fn ask_terms(gpus: u32, price: Balance) -> AskTerms {
	AskTerms {
		class: CLASS,
		gpus,
		price,
		asset: Asset::Native,
		min_term_ms: MinTerm::get(),
		max_term_ms: None,
		reclaim_notice_ms: 2 * MINUTE,
	}
}

pub(crate) fn post(provider: AccountId, gpus: u32, price: Balance) -> AskId {
	post_terms(provider, ask_terms(gpus, price))
}

pub(crate) fn post_terms(provider: AccountId, terms: AskTerms) -> AskId {
	let ask = pallet_leases::NextAsk::<Test>::get();
	Leases::post_ask(RuntimeOrigin::signed(provider), terms, MaxAskLifetime::get()).unwrap();
	ask
}

/// One node of so many GPUs for ten minutes; refused if it is not matched at once.
pub(crate) fn terms(gpus: u32) -> OrderTerms {
	OrderTerms {
		class: CLASS,
		nodes: 1,
		gpus_per_node: gpus,
		max_price: PRICE,
		asset: Asset::Native,
		term: Term::Fixed { ms: 10 * MINUTE },
		constraints: Constraints::default(),
		failover: Failover::Close,
		matching: Matching::Instant,
		starts_at: None,
		rests_ms: 0,
		jobs: Default::default(),
	}
}

/// So many nodes of so many GPUs.
pub(crate) fn gang(nodes: u32, gpus: u32) -> OrderTerms {
	OrderTerms { nodes, ..terms(gpus) }
}

/// With failover at up to `premium` percent more.
pub(crate) fn with_failover(terms: OrderTerms, premium: u32) -> OrderTerms {
	OrderTerms { failover: Failover::Replace { premium: Permill::from_percent(premium) }, ..terms }
}

/// As long as it is funded.
pub(crate) fn open_ended(terms: OrderTerms, funded_ms: u64) -> OrderTerms {
	OrderTerms { term: Term::OpenEnded { funded_ms }, ..terms }
}

/// Places an order, matched or not.
pub(crate) fn place(renter: AccountId, terms: OrderTerms) -> OrderId {
	let order = pallet_leases::NextOrder::<Test>::get();
	Leases::place_order(RuntimeOrigin::signed(renter), terms).unwrap();
	order
}

/// Places an order that is matched at once.
pub(crate) fn order(renter: AccountId, terms: OrderTerms) -> LeaseId {
	let lease = place(renter, terms).into();
	assert!(status(lease).is_some(), "the order was not matched");
	lease
}

/// A pending lease of two of [`PROVIDER`]'s GPUs for [`RENTER`].
pub(crate) fn open() -> LeaseId {
	post(PROVIDER, 8, PRICE);
	order(RENTER, terms(2))
}

/// The same, attested for the first time.
pub(crate) fn open_active() -> LeaseId {
	let lease = open();
	attest(lease);
	assert_eq!(status(lease), Some(LeaseStatus::Active));
	lease
}

pub(crate) fn usage(lease: LeaseId) -> LeaseUsage {
	LeaseUsage { lease, busy_ms: 7, jobs_ended: 0, checkpoint: None }
}

/// An attestation of every node now, with all GPUs healthy.
pub(crate) fn attest(lease: LeaseId) {
	let serving = record(lease).nodes.into_iter();
	for node in serving.filter(|node| !matches!(node.status, NodeStatus::Faulted { .. })) {
		attest_by(lease, node.provider);
	}
}

/// An attestation of one provider's node now, with all GPUs healthy.
pub(crate) fn attest_by(lease: LeaseId, provider: AccountId) {
	attest_with(provider, &usage(lease));
}

pub(crate) fn attest_with(provider: AccountId, usage: &LeaseUsage) {
	Leases::attest(&provider, usage, &Registry::gpus(&provider), Now::get(), WINDOW).unwrap();
}

/// Usage with a checkpoint.
pub(crate) fn checkpoint(lease: LeaseId, job: JobId, launches_done: u32) -> LeaseUsage {
	let checkpoint = Checkpoint { job, blob: sp_core::H256::repeat_byte(5), bytes: 64, launches_done };
	LeaseUsage { checkpoint: Some(checkpoint), ..usage(lease) }
}

/// The provider's node of the lease is suspended now.
pub(crate) fn suspend(lease: LeaseId, provider: AccountId) {
	Leases::count_miss(lease, &provider, Now::get()).unwrap();
}

pub(crate) fn record(lease: LeaseId) -> LeaseOf<Test> {
	pallet_leases::Leases::<Test>::get(lease).unwrap()
}

pub(crate) fn node(lease: LeaseId, index: usize) -> Node<AccountId> {
	record(lease).nodes[index].clone()
}

pub(crate) fn status(lease: LeaseId) -> Option<LeaseStatus> {
	pallet_leases::Leases::<Test>::get(lease).map(|lease| lease.status)
}

pub(crate) fn node_status(lease: LeaseId, index: usize) -> NodeStatus {
	node(lease, index).status
}

/// Time billed on all streams of the escrow.
pub(crate) fn attested_ms(lease: LeaseId) -> u64 {
	TillEscrows::get(EscrowId::from(lease)).unwrap().streams.iter().map(|stream| stream.attested_ms).sum()
}

pub(crate) fn submit(lease: LeaseId) -> JobId {
	let job = record(lease).next_job;
	Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, NodeIndex(0), Default::default()).unwrap();
	job
}

/// This pallet's events since the last call.
pub(crate) fn events() -> Vec<crate::Event<Test>> {
	let events = System::read_events_for_pallet();
	System::reset_events();
	events
}
