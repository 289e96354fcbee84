//! What benchmarks set up: providers and asks, leases that run, auctions with bids.

use super::BenchmarkHelper;
use crate::{
	pallet::*,
	status::NodeEvent,
	types::{AgendaItem, Ask, BookKey, Lease, LeaseOf, Market, Node, MAX_ASKS_PER_PROVIDER},
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::traits::{Get, Time};
use millrace_primitives::{
	AskId, AskTerms, Asset, Balance, BlobHash, ClassId, Constraints, Escrow, Failover, FirstJob, JobId,
	LeaseId, LeaseStatus, LeaseUsage, Matching, Moment, NodeIndex, NodeStatus, OrderId, OrderTerms, StreamId,
	Term, MAX_NODES,
};
use sp_runtime::Permill;

pub(super) const CLASS: ClassId = ClassId(0);
/// When everything begins.
pub(super) const START: Moment = 1_700_000_000_000;
/// Longer than every window of the chain.
pub(super) const LONG: Moment = 400 * 24 * 60 * 60 * 1_000;
/// A price per GPU and second, in an asset's smallest unit.
pub(super) const PRICE: Balance = 1_000_000;
/// Long enough for everything that is funded.
pub(super) const FUNDED_MS: u64 = 10 * 24 * 60 * 60 * 1_000;
/// Between two attestations.
pub(super) const REPORT_MS: u64 = 2_000;

pub(super) fn begin<T: Config>() {
	frame_system::Pallet::<T>::set_block_number(1u32.into());
	T::BenchmarkHelper::set_time(START);
}

pub(super) fn provider<T: Config>(index: u32, free_gpus: u32, founder: Option<T::AccountId>) -> T::AccountId {
	let provider = account("provider", index, 0);
	T::BenchmarkHelper::fund(&provider);
	T::BenchmarkHelper::add_provider(&provider, free_gpus, founder.as_ref());
	provider
}

/// Owner of all providers but those who replace others: a lease excludes it once.
pub(super) fn founder<T: Config>() -> Option<T::AccountId> {
	Some(account("founder", 0, 0))
}

pub(super) fn renter<T: Config>() -> (T::AccountId, Asset) {
	let renter = account("renter", 0, 0);
	let asset = T::BenchmarkHelper::fund(&renter);
	(renter, asset)
}

pub(super) fn ask_terms<T: Config>(asset: Asset, gpus: u32, price: Balance) -> AskTerms {
	AskTerms {
		class: CLASS,
		gpus,
		price,
		asset,
		min_term_ms: T::MinTerm::get(),
		max_term_ms: None,
		reclaim_notice_ms: T::MinReclaimNotice::get(),
	}
}

/// Stores an ask that is not in the book. Markets in assets that do not exist are taken too.
pub(super) fn insert_ask<T: Config>(provider: &T::AccountId, terms: AskTerms) -> AskId {
	let now = T::Time::now();
	let ask = NextAsk::<T>::get();
	NextAsk::<T>::put(ask.next().unwrap());
	let deposit = T::AskDeposit::get();
	Pallet::<T>::hold_deposit(HoldReason::AskDeposit, provider, deposit).unwrap();
	AsksOf::<T>::mutate(provider, |asks| asks.try_push(ask).unwrap());
	let expires_at = now + T::MaxAskLifetime::get();
	let due = Pallet::<T>::arm(AgendaItem::Ask(ask), expires_at, now);
	let record =
		Ask { provider: provider.clone(), terms, taken: 0, posted_at: now, expires_at, deposit, due };
	Asks::<T>::insert(ask, record);
	ask
}

/// Stores an ask that is in the book.
pub(super) fn list_ask<T: Config>(provider: &T::AccountId, terms: AskTerms) -> AskId {
	let ask = insert_ask::<T>(provider, terms);
	Book::<T>::insert((terms.class, terms.asset), BookKey::of_ask(terms.price, ask), ());
	ask
}

/// Providers of one node each, with an ask in the book.
pub(super) fn offers<T: Config>(asset: Asset, count: u32, free_gpus: u32) -> Vec<T::AccountId> {
	(0..count)
		.map(|index| {
			let provider = provider::<T>(index, free_gpus, founder::<T>());
			list_ask::<T>(&provider, ask_terms::<T>(asset, free_gpus, PRICE));
			provider
		})
		.collect()
}

/// The market of the n-th ask of a provider that has one ask in each.
pub(super) fn market_of(index: u32) -> Market {
	(CLASS, Asset::Token(1_000_000 + index))
}

/// A provider with an ask in each of so many markets; an order rests in each.
pub(super) fn many_asks<T: Config>(asks: u32, free_gpus: u32, listed: bool) -> T::AccountId {
	let provider = provider::<T>(0, free_gpus, founder::<T>());
	for index in 0..asks {
		add_ask::<T>(&provider, index, listed);
	}
	provider
}

/// The n-th ask of a provider that has one ask in each market; an order rests there.
pub(super) fn add_ask<T: Config>(provider: &T::AccountId, index: u32, listed: bool) {
	let market = market_of(index);
	let terms = ask_terms::<T>(market.1, 1, PRICE);
	if listed {
		list_ask::<T>(provider, terms);
	} else {
		insert_ask::<T>(provider, terms);
	}
	RestingOrders::<T>::insert(market, BookKey::of_order(PRICE, OrderId(index.into())), ());
}

/// An order for nodes of one GPU each, with a job for each, at twice the asks' price.
pub(super) fn order_terms(asset: Asset, nodes: u32, term: Term) -> OrderTerms {
	let jobs: Vec<_> =
		(0..nodes).map(|node| FirstJob { node: NodeIndex(node as u8), plan: plan(node) }).collect();
	OrderTerms {
		class: CLASS,
		nodes,
		gpus_per_node: 1,
		max_price: 2 * PRICE,
		asset,
		term,
		constraints: Constraints::default(),
		failover: Failover::Replace { premium: Permill::from_percent(10) },
		matching: Matching::Instant,
		starts_at: None,
		rests_ms: 0,
		jobs: jobs.try_into().unwrap(),
	}
}

pub(super) fn open_ended() -> Term {
	Term::OpenEnded { funded_ms: FUNDED_MS }
}

pub(super) fn fixed<T: Config>() -> Term {
	Term::Fixed { ms: T::MaxTerm::get() / 2 }
}

pub(super) fn plan(index: u32) -> BlobHash {
	BlobHash::repeat_byte(index as u8)
}

/// A lease on which time was attested, with the providers of its nodes.
pub(super) struct Running<T: Config> {
	pub(super) renter: T::AccountId,
	pub(super) asset: Asset,
	pub(super) lease: LeaseId,
	pub(super) providers: Vec<T::AccountId>,
}

pub(super) fn running<T: Config>(nodes: u32, jobs: u32, term: Term) -> Running<T> {
	begin::<T>();
	let (renter, asset) = renter::<T>();
	let providers = offers::<T>(asset, nodes, 1);
	let mut terms = order_terms(asset, nodes, term);
	terms.jobs = Default::default();
	let lease = LeaseId::from(NextOrder::<T>::get());
	Pallet::<T>::do_place_order(renter.clone(), terms).unwrap();
	for job in 0..jobs {
		Pallet::<T>::do_submit_job(&renter, lease, NodeIndex(0), plan(job)).unwrap();
	}
	let running = Running { renter, asset, lease, providers };
	attest::<T>(&running, START);
	attest::<T>(&running, START + REPORT_MS);
	running
}

pub(super) fn attest<T: Config>(running: &Running<T>, now: Moment) {
	T::BenchmarkHelper::set_time(now);
	let record = Leases::<T>::get(running.lease).unwrap();
	for (provider, node) in running.providers.iter().zip(&record.nodes) {
		let usage = LeaseUsage { lease: running.lease, busy_ms: 0, jobs_ended: 0, checkpoint: None };
		Pallet::<T>::do_attest(provider, &usage, &node.gpus, now, REPORT_MS).unwrap();
	}
}

/// Contests what every node has earned.
pub(super) fn contest<T: Config>(running: &Running<T>) {
	for node in 0..running.providers.len() as u32 {
		T::BenchmarkHelper::contest(&running.renter, running.lease.into(), StreamId(node));
	}
}

/// Everything that was earned, half of it contested, is due. Returns the time.
pub(super) fn let_mature<T: Config>(running: &Running<T>) -> Moment {
	contest::<T>(running);
	attest::<T>(running, START + 2 * REPORT_MS);
	let now = START + LONG;
	T::BenchmarkHelper::set_time(now);
	now
}

/// Takes the first node of a lease from its provider; the others' are silent from now on.
pub(super) fn fault_first<T: Config>(running: &Running<T>, now: Moment) -> LeaseOf<T> {
	let mut lease = Leases::<T>::get(running.lease).unwrap();
	let event = NodeEvent::MissedReports { at: now };
	let suspended = Pallet::<T>::node_after(lease.nodes[0].status, event).ok().unwrap();
	lease.nodes[0].status = suspended;
	Pallet::<T>::fault_node(running.lease, &mut lease, 0, NodeEvent::SuspendedTooLong { at: now }, now)
		.unwrap();
	Leases::<T>::insert(running.lease, &lease);
	// Suspended, and two epochs later a fault was counted, which can be judged when the next one is.
	for at in [now, now + 2 * T::EpochDuration::get()] {
		T::BenchmarkHelper::set_time(at);
		for provider in running.providers.iter().skip(1) {
			Pallet::<T>::do_count_miss(running.lease, provider, at).unwrap();
		}
	}
	T::BenchmarkHelper::let_faults_be_judged();
	Leases::<T>::get(running.lease).unwrap()
}

/// An order that is auctioned, with bids at falling prices.
pub(super) fn auctioned<T: Config>(bids: u32) -> (T::AccountId, OrderId) {
	begin::<T>();
	let (renter, asset) = renter::<T>();
	let order = NextOrder::<T>::get();
	let mut terms = order_terms(asset, MAX_NODES, open_ended());
	terms.matching = Matching::Auction { blocks: T::MaxAuctionBlocks::get() };
	Pallet::<T>::do_place_order(renter.clone(), terms).unwrap();
	for bid in 0..bids {
		let bidder = provider::<T>(bid, 1, None);
		place_bid::<T>(bidder, order, bid);
	}
	(renter, order)
}

pub(super) fn place_bid<T: Config>(bidder: T::AccountId, order: OrderId, index: u32) {
	let price = 2 * PRICE - Balance::from(index);
	Pallet::<T>::do_place_bid(bidder, order, price, T::MinReclaimNotice::get()).unwrap();
}

/// For the pallet above: gives a provider as many asks as one can have, each in another market. None is in the book, and in
/// each an order rests.
pub fn add_asks<T: Config>(provider: &T::AccountId) {
	for index in 0..MAX_ASKS_PER_PROVIDER {
		add_ask::<T>(provider, index, false);
	}
}

/// For the pallet above: a lease of as many nodes as one can have, all of them attested now. The provider serves the first;
/// no GPU is taken.
pub fn add_lease<T: Config>(provider: &T::AccountId) -> LeaseId {
	let now = T::Time::now();
	let (renter, asset) = renter::<T>();
	let order = NextOrder::<T>::get();
	NextOrder::<T>::put(order.next().unwrap());
	let lease = LeaseId::from(order);
	T::Escrow::open(lease.into(), &renter, asset, 1_000_000 * PRICE).unwrap();
	let others = (1..MAX_NODES).map(|index| account("other", index, 0));
	let nodes: Vec<_> = core::iter::once(provider.clone())
		.chain(others)
		.map(|provider| Node {
			stream: T::Escrow::add_stream(lease.into(), &provider, PRICE).unwrap(),
			provider,
			ask: None,
			gpus: Default::default(),
			price: PRICE,
			max_price: PRICE,
			status: NodeStatus::Active,
			generation: 0,
			attested_at: now,
			reclaim_notice_ms: T::MinReclaimNotice::get(),
			search_at: Moment::MAX,
			stopped_ms: 0,
			missed_epochs: 0,
			uncounted_since: 0,
		})
		.collect();
	let record = Lease {
		renter,
		class: CLASS,
		asset,
		gpus_per_node: 1,
		constraints: Constraints::default(),
		failover: true,
		status: LeaseStatus::Active,
		opened_at: now,
		ready_at: Some(now),
		term_ms: None,
		max_term_ms: None,
		ends_at: None,
		nodes: nodes.try_into().unwrap(),
		excluded: Default::default(),
		warned: false,
		next_job: JobId(0),
		open_jobs: 0,
		finished_jobs: 0,
		usage_chain: Default::default(),
		due: Pallet::<T>::arm(AgendaItem::Lease(lease), now + LONG, now),
	};
	Leases::<T>::insert(lease, record);
	ProviderLeases::<T>::mutate(provider, |leases| leases.try_push(lease).unwrap());
	lease
}

/// For the pallet above: a job on the first node of a lease.
pub fn add_job<T: Config>(lease: LeaseId) -> JobId {
	let mut record = Leases::<T>::get(lease).unwrap();
	let job = record.next_job;
	Pallet::<T>::add_job(lease, &mut record, NodeIndex(0), plan(0), T::Time::now()).unwrap();
	Leases::<T>::insert(lease, record);
	job
}
