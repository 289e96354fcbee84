//! Benchmarks: each call and each step of the agenda in its worst case. What several of them share, such as looking at an ask
//! or taking a GPU, is measured by itself; `weights_ext.rs` adds up.
//!
//! The worst provider has as many GPUs as one can have. The worst escrow is in a token, has one payee per node, and its
//! payments and contests are due when it is closed. Each benchmark checks that what it measures was done.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::{
	pallet::*,
	status::NodeEvent,
	types::{
		AgendaItem, Ask, BookKey, Lease, LeaseOf, Market, Node, MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER,
		MAX_BIDS_PER_ORDER, MAX_GPUS_PER_NODE, MAX_JOBS_PER_LEASE,
	},
};
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{EnsureOrigin, Get, Time},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	AskId, AskTerms, Asset, Balance, BlobHash, BlockNumber, ClassId, Constraints, Escrow, EscrowId, Failover,
	FirstJob, GpuReservation, JobId, JobOutcome, LeaseId, LeaseStatus, LeaseUsage, Matching, Moment,
	NodeIndex, NodeStatus, OrderId, OrderTerms, StreamId, Term, MAX_NODES, MAX_STREAMS,
};
use sp_runtime::Permill;

/// What the benchmarks need of the pallets below.
pub trait BenchmarkHelper<AccountId> {
	/// Sets chain time, in milliseconds since the Unix epoch.
	fn set_time(now: Moment);

	/// Makes an account a provider that reports, with as many GPUs of class zero as one can have and their bond; so many of
	/// them are free, the others faulty. It belongs to the founder's group, if there is one.
	fn add_provider(provider: &AccountId, free_gpus: u32, founder: Option<&AccountId>);

	/// Gives an account plenty of the native token and of the allowed asset that is dearest to move. Returns that asset.
	fn fund(account: &AccountId) -> Asset;

	/// Every fault that was counted so far can be judged.
	fn let_faults_be_judged();

	/// The payer contests a stream of an escrow.
	fn contest(payer: &AccountId, escrow: EscrowId, stream: StreamId);
}

const CLASS: ClassId = ClassId(0);
/// When everything begins.
const START: Moment = 1_700_000_000_000;
/// Longer than every window of the chain.
const LONG: Moment = 400 * 24 * 60 * 60 * 1_000;
/// A price per GPU and second, in an asset's smallest unit.
const PRICE: Balance = 1_000_000;
/// Long enough for everything that is funded.
const FUNDED_MS: u64 = 10 * 24 * 60 * 60 * 1_000;
/// Between two attestations.
const REPORT_MS: u64 = 2_000;

fn begin<T: Config>() {
	frame_system::Pallet::<T>::set_block_number(1u32.into());
	T::BenchmarkHelper::set_time(START);
}

fn provider<T: Config>(index: u32, free_gpus: u32, founder: Option<T::AccountId>) -> T::AccountId {
	let provider = account("provider", index, 0);
	T::BenchmarkHelper::fund(&provider);
	T::BenchmarkHelper::add_provider(&provider, free_gpus, founder.as_ref());
	provider
}

/// Owner of all providers but those who replace others: a lease excludes it once.
fn founder<T: Config>() -> Option<T::AccountId> {
	Some(account("founder", 0, 0))
}

fn renter<T: Config>() -> (T::AccountId, Asset) {
	let renter = account("renter", 0, 0);
	let asset = T::BenchmarkHelper::fund(&renter);
	(renter, asset)
}

fn ask_terms<T: Config>(asset: Asset, gpus: u32, price: Balance) -> AskTerms {
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
fn insert_ask<T: Config>(provider: &T::AccountId, terms: AskTerms) -> AskId {
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
fn list_ask<T: Config>(provider: &T::AccountId, terms: AskTerms) -> AskId {
	let ask = insert_ask::<T>(provider, terms);
	Book::<T>::insert((terms.class, terms.asset), BookKey::of_ask(terms.price, ask), ());
	ask
}

/// Providers of one node each, with an ask in the book.
fn offers<T: Config>(asset: Asset, count: u32, free_gpus: u32) -> Vec<T::AccountId> {
	(0..count)
		.map(|index| {
			let provider = provider::<T>(index, free_gpus, founder::<T>());
			list_ask::<T>(&provider, ask_terms::<T>(asset, free_gpus, PRICE));
			provider
		})
		.collect()
}

/// The market of the n-th ask of a provider that has one ask in each.
fn market_of(index: u32) -> Market {
	(CLASS, Asset::Token(1_000_000 + index))
}

/// A provider with an ask in each of so many markets; an order rests in each.
fn many_asks<T: Config>(asks: u32, free_gpus: u32, listed: bool) -> T::AccountId {
	let provider = provider::<T>(0, free_gpus, founder::<T>());
	for index in 0..asks {
		add_ask::<T>(&provider, index, listed);
	}
	provider
}

/// The n-th ask of a provider that has one ask in each market; an order rests there.
fn add_ask<T: Config>(provider: &T::AccountId, index: u32, listed: bool) {
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
fn order_terms(asset: Asset, nodes: u32, term: Term) -> OrderTerms {
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

fn open_ended() -> Term {
	Term::OpenEnded { funded_ms: FUNDED_MS }
}

fn fixed<T: Config>() -> Term {
	Term::Fixed { ms: T::MaxTerm::get() / 2 }
}

fn plan(index: u32) -> BlobHash {
	BlobHash::repeat_byte(index as u8)
}

/// A lease on which time was attested, with the providers of its nodes.
struct Running<T: Config> {
	renter: T::AccountId,
	asset: Asset,
	lease: LeaseId,
	providers: Vec<T::AccountId>,
}

fn running<T: Config>(nodes: u32, jobs: u32, term: Term) -> Running<T> {
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

fn attest<T: Config>(running: &Running<T>, now: Moment) {
	T::BenchmarkHelper::set_time(now);
	let record = Leases::<T>::get(running.lease).unwrap();
	for (provider, node) in running.providers.iter().zip(&record.nodes) {
		let usage = LeaseUsage { lease: running.lease, busy_ms: 0, jobs_ended: 0, checkpoint: None };
		Pallet::<T>::do_attest(provider, &usage, &node.gpus, now, REPORT_MS).unwrap();
	}
}

/// Contests what every node has earned.
fn contest<T: Config>(running: &Running<T>) {
	for node in 0..running.providers.len() as u32 {
		T::BenchmarkHelper::contest(&running.renter, running.lease.into(), StreamId(node));
	}
}

/// Everything that was earned, half of it contested, is due. Returns the time.
fn let_mature<T: Config>(running: &Running<T>) -> Moment {
	contest::<T>(running);
	attest::<T>(running, START + 2 * REPORT_MS);
	let now = START + LONG;
	T::BenchmarkHelper::set_time(now);
	now
}

/// Takes the first node of a lease from its provider; the others' are silent from now on.
fn fault_first<T: Config>(running: &Running<T>, now: Moment) -> LeaseOf<T> {
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
fn auctioned<T: Config>(bids: u32) -> (T::AccountId, OrderId) {
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

fn place_bid<T: Config>(bidder: T::AccountId, order: OrderId, index: u32) {
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

#[benchmarks]
mod benchmarks {
	use super::*;

	#[benchmark]
	fn post_ask() {
		begin::<T>();
		let (_, asset) = renter::<T>();
		let provider = provider::<T>(0, 1, founder::<T>());
		RestingOrders::<T>::insert((CLASS, asset), BookKey::of_order(PRICE, OrderId(0)), ());
		let terms = ask_terms::<T>(asset, 1, PRICE);
		#[extrinsic_call]
		_(RawOrigin::Signed(provider.clone()), terms, T::MaxAskLifetime::get());
		assert!(Book::<T>::contains_key((CLASS, asset), BookKey::of_ask(PRICE, AskId(0))));
		assert!(Rounds::<T>::contains_key((CLASS, asset)));
	}

	#[benchmark]
	fn withdraw_ask() {
		begin::<T>();
		let provider = many_asks::<T>(MAX_ASKS_PER_PROVIDER, 1, true);
		#[extrinsic_call]
		_(RawOrigin::Signed(provider.clone()), AskId(0));
		assert!(!Asks::<T>::contains_key(AskId(0)));
	}

	/// An order that is matched at once with the cheapest asks, none of which another order can take afterwards.
	#[benchmark]
	fn place_order(n: Linear<1, MAX_NODES>) {
		begin::<T>();
		let (renter, asset) = renter::<T>();
		offers::<T>(asset, n, 1);
		let terms = order_terms(asset, n, open_ended());
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), terms);
		assert_eq!(Leases::<T>::iter_values().next().unwrap().nodes.len() as u32, n);
		assert!(Book::<T>::iter_keys().next().is_none());
	}

	/// An order that waits. Looking at the book comes on top.
	#[benchmark]
	fn place_waiting_order() {
		begin::<T>();
		let (renter, asset) = renter::<T>();
		let terms = OrderTerms {
			rests_ms: T::MaxOrderLifetime::get(),
			..order_terms(asset, MAX_NODES, open_ended())
		};
		#[block]
		{
			Pallet::<T>::do_place_order(renter, terms).unwrap();
		}
		assert_eq!(RestingOrders::<T>::iter_keys().count(), 1);
	}

	/// A look at asks at one price that fail the last check only.
	#[benchmark]
	fn look(a: Linear<1, MAX_ASKS_LOOKED_AT>) {
		begin::<T>();
		let (renter, asset) = renter::<T>();
		offers::<T>(asset, a, 1);
		let mut terms = order_terms(asset, 2, open_ended());
		terms.constraints.max_nodes_per_owner = Some(1);
		let request = Pallet::<T>::request(&renter, &terms);
		let selection;
		#[block]
		{
			selection = Pallet::<T>::select(&request, &[], START);
		}
		assert_eq!(selection.unwrap_err().looked_at, a);
	}

	/// A provider's asks enter the book, and orders that rest in their markets are woken.
	#[benchmark]
	fn relist(k: Linear<0, MAX_ASKS_PER_PROVIDER>) {
		begin::<T>();
		let provider = many_asks::<T>(k, 1, false);
		#[block]
		{
			Pallet::<T>::relist(&provider);
		}
		assert_eq!(Book::<T>::iter_keys().count() as u32, k);
		assert_eq!(Rounds::<T>::iter_keys().count() as u32, k);
	}

	/// A provider's asks leave the book.
	#[benchmark]
	fn delist(k: Linear<0, MAX_ASKS_PER_PROVIDER>) {
		begin::<T>();
		let provider = many_asks::<T>(k, 0, true);
		#[block]
		{
			Pallet::<T>::update_book(&provider);
		}
		assert_eq!(Book::<T>::iter_keys().count(), 0);
	}

	/// GPUs are taken for a node.
	#[benchmark]
	fn reserve(g: Linear<1, MAX_GPUS_PER_NODE>) {
		begin::<T>();
		let provider = provider::<T>(0, g, founder::<T>());
		let gpus;
		#[block]
		{
			gpus = T::Providers::reserve(&provider, CLASS, g, LeaseId(0));
		}
		assert_eq!(gpus.unwrap().len() as u32, g);
	}

	/// GPUs of a node are given back.
	#[benchmark]
	fn release(g: Linear<1, MAX_GPUS_PER_NODE>) {
		begin::<T>();
		let provider = provider::<T>(0, g, founder::<T>());
		let gpus = T::Providers::reserve(&provider, CLASS, g, LeaseId(0)).unwrap();
		#[block]
		{
			T::Providers::release(&provider, &gpus, LeaseId(0));
		}
		assert_eq!(T::Providers::reserve(&provider, CLASS, g, LeaseId(1)).unwrap(), gpus);
	}

	#[benchmark]
	fn submit_job() {
		let Running { renter, lease, .. } = running::<T>(MAX_NODES, MAX_JOBS_PER_LEASE, open_ended());
		for job in 0..MAX_JOBS_PER_LEASE {
			Pallet::<T>::do_finish_job(
				lease,
				JobId(job),
				JobOutcome::Succeeded { output: plan(0), bytes: 1 },
			)
			.unwrap();
		}
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), lease, NodeIndex(0), plan(0));
		assert!(Jobs::<T>::contains_key(lease, JobId(MAX_JOBS_PER_LEASE)));
		assert!(!Jobs::<T>::contains_key(lease, JobId(0)));
	}

	#[benchmark]
	fn extend() {
		let Running { renter, lease, .. } = running::<T>(MAX_NODES, 0, fixed::<T>());
		let before = Leases::<T>::get(lease).unwrap().term_ms;
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), lease, 1_000);
		assert!(Leases::<T>::get(lease).unwrap().term_ms > before);
	}

	#[benchmark]
	fn shrink() {
		let Running { renter, lease, .. } = running::<T>(MAX_NODES, 0, fixed::<T>());
		let term_ms = T::MaxTerm::get() / 4;
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), lease, term_ms);
		assert_eq!(Leases::<T>::get(lease).unwrap().term_ms, Some(term_ms));
	}

	/// A frozen lease goes on.
	#[benchmark]
	fn top_up() {
		let Running { renter, lease, .. } = running::<T>(MAX_NODES, 0, open_ended());
		Leases::<T>::mutate_extant(lease, |record| {
			record.status = LeaseStatus::Frozen { since: START };
		});
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), lease, PRICE);
		assert_eq!(Leases::<T>::get(lease).unwrap().status, LeaseStatus::Active);
	}

	/// The renter closes a lease when all that was earned is due, and half of it was contested.
	#[benchmark]
	fn close(n: Linear<1, MAX_NODES>, j: Linear<0, MAX_JOBS_PER_LEASE>) {
		let running = running::<T>(n, j, open_ended());
		let_mature::<T>(&running);
		let lease = running.lease;
		#[extrinsic_call]
		_(RawOrigin::Signed(running.renter), lease);
		assert!(!Leases::<T>::contains_key(lease));
		assert_eq!(Book::<T>::iter_keys().count() as u32, n);
	}

	/// The renter rejects a lease after it contested what was earned.
	#[benchmark]
	fn reject(n: Linear<1, MAX_NODES>, j: Linear<0, MAX_JOBS_PER_LEASE>) {
		let running = running::<T>(n, j, open_ended());
		contest::<T>(&running);
		let lease = running.lease;
		#[extrinsic_call]
		_(RawOrigin::Signed(running.renter), lease);
		assert!(!Leases::<T>::contains_key(lease));
	}

	#[benchmark]
	fn cancel_order(b: Linear<0, MAX_BIDS_PER_ORDER>) {
		let (renter, order) = auctioned::<T>(b);
		#[extrinsic_call]
		_(RawOrigin::Signed(renter), order);
		assert!(!Orders::<T>::contains_key(order));
		assert!(Bids::<T>::iter_keys().next().is_none());
	}

	/// A bid that puts another out of a full list.
	#[benchmark]
	fn place_bid() {
		let (_, order) = auctioned::<T>(MAX_BIDS_PER_ORDER);
		let bidder = provider::<T>(MAX_BIDS_PER_ORDER, 1, None);
		#[extrinsic_call]
		_(RawOrigin::Signed(bidder.clone()), order, PRICE, T::MinReclaimNotice::get());
		assert!(Bids::<T>::contains_key(order, &bidder));
		assert_eq!(Bids::<T>::iter_keys().count() as u32, MAX_BIDS_PER_ORDER);
	}

	#[benchmark]
	fn withdraw_bid() {
		let (_, order) = auctioned::<T>(1);
		let bidder = account("provider", 0, 0);
		#[extrinsic_call]
		_(RawOrigin::Signed(bidder), order);
		assert!(Bids::<T>::iter_keys().next().is_none());
	}

	#[benchmark]
	fn pause_market() {
		begin::<T>();
		let origin = T::AdminOrigin::try_successful_origin().ok().unwrap();
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);
		assert!(Paused::<T>::exists());
	}

	#[benchmark]
	fn resume_market() {
		begin::<T>();
		Pallet::<T>::do_pause_market().unwrap();
		let origin = T::AdminOrigin::try_successful_origin().ok().unwrap();
		#[extrinsic_call]
		_(origin as T::RuntimeOrigin);
		assert!(!Paused::<T>::exists());
	}

	#[benchmark]
	fn reclaim() {
		let Running { lease, providers, .. } = running::<T>(MAX_NODES, 0, open_ended());
		let last = providers.last().unwrap().clone();
		#[extrinsic_call]
		_(RawOrigin::Signed(last), lease);
		let status = Leases::<T>::get(lease).unwrap().nodes.last().unwrap().status;
		assert!(matches!(status, NodeStatus::Reclaiming { .. }));
	}

	/// What a provider pays for leaving early. The rest of leaving is a step of the agenda.
	#[benchmark]
	fn leaving_penalty() {
		begin::<T>();
		let (renter, _) = renter::<T>();
		let provider = provider::<T>(0, 1, founder::<T>());
		let paid;
		#[block]
		{
			paid = T::Providers::leaving_penalty(&provider, CLASS, 1, Balance::MAX, &renter);
		}
		assert!(paid.unwrap() > 0);
	}

	/// A node that lost its provider gets the first provider that is looked at.
	#[benchmark]
	fn replace_node() {
		let running = running::<T>(MAX_NODES, 0, open_ended());
		let now = START + REPORT_MS;
		let mut lease = fault_first::<T>(&running, now);
		let spare = provider::<T>(MAX_NODES, 1, None);
		// The first node's provider, who is excluded, has an ask again.
		let key = Book::<T>::iter_key_prefix((CLASS, running.asset)).next().unwrap();
		Book::<T>::remove((CLASS, running.asset), key);
		list_ask::<T>(&spare, ask_terms::<T>(running.asset, 1, PRICE));
		let end;
		#[block]
		{
			end = Pallet::<T>::search(running.lease, &mut lease, now);
		}
		assert_eq!(end, Ok(None));
		assert_eq!(lease.nodes[0].provider, spare);
	}

	#[benchmark]
	fn agenda_start() {
		begin::<T>();
		AgendaCursor::<T>::put(2);
		#[block]
		{
			Pallet::<T>::serve_agenda(1, &mut WeightMeter::new());
		}
		assert_eq!(AgendaCursor::<T>::get(), 2);
	}

	#[benchmark]
	fn agenda_block() {
		begin::<T>();
		let first;
		#[block]
		{
			first = Agenda::<T>::iter_key_prefix(1).next();
		}
		assert_eq!(first, None);
	}

	/// A look at the item that reads most: a lease of many nodes.
	#[benchmark]
	fn agenda_peek() {
		let Running { lease, .. } = running::<T>(MAX_NODES, 0, open_ended());
		let due = Leases::<T>::get(lease).unwrap().due;
		// The block of an ask is another one.
		let item;
		let deadline;
		#[block]
		{
			item = Agenda::<T>::iter_key_prefix(due).next().unwrap();
			deadline = Pallet::<T>::deadline_and_weight(item, START);
		}
		assert_eq!(item, AgendaItem::Lease(lease));
		assert!(deadline.is_some());
	}

	#[benchmark]
	fn agenda_rearm() {
		let Running { lease, .. } = running::<T>(MAX_NODES, 0, open_ended());
		let block: BlockNumber = 1_000_000;
		#[block]
		{
			Pallet::<T>::move_entry(AgendaItem::Lease(lease), block);
		}
		assert!(Agenda::<T>::contains_key(block, AgendaItem::Lease(lease)));
	}

	#[benchmark]
	fn agenda_ask() {
		begin::<T>();
		many_asks::<T>(MAX_ASKS_PER_PROVIDER, 1, true);
		#[block]
		{
			Pallet::<T>::do_item(AgendaItem::Ask(AskId(0)), START + LONG, &mut WeightMeter::new()).unwrap();
		}
		assert!(!Asks::<T>::contains_key(AskId(0)));
	}

	/// The providers of all nodes are out, one of them for so long that nobody is looked for any more: the lease closes, when
	/// all that was earned is due.
	#[benchmark]
	fn agenda_lease(n: Linear<1, MAX_NODES>, j: Linear<0, MAX_JOBS_PER_LEASE>) {
		let running = running::<T>(n, j, open_ended());
		contest::<T>(&running);
		let silent = START + 2 * REPORT_MS;
		attest::<T>(&running, silent);
		fault_first::<T>(&running, silent);
		// Nobody else offers anything.
		let _ = Book::<T>::clear(MAX_NODES, None);
		let now = START + LONG;
		T::BenchmarkHelper::set_time(now);
		let item = AgendaItem::Lease(running.lease);
		#[block]
		{
			Pallet::<T>::do_item(item, now, &mut WeightMeter::new()).unwrap();
		}
		assert!(!Leases::<T>::contains_key(running.lease));
	}

	/// An order that waited for its start is matched with the cheapest asks, at half of its highest price.
	#[benchmark]
	fn fill_order(n: Linear<1, MAX_NODES>) {
		begin::<T>();
		let (renter, asset) = renter::<T>();
		offers::<T>(asset, n, 1);
		let order = NextOrder::<T>::get();
		let starts_at = START + 1_000;
		let terms = OrderTerms { starts_at: Some(starts_at), ..order_terms(asset, n, open_ended()) };
		Pallet::<T>::do_place_order(renter, terms).unwrap();
		T::BenchmarkHelper::set_time(starts_at);
		#[block]
		{
			Pallet::<T>::do_item(AgendaItem::Order(order), starts_at, &mut WeightMeter::new()).unwrap();
		}
		assert_eq!(Leases::<T>::get(LeaseId::from(order)).unwrap().nodes.len() as u32, n);
	}

	/// The last payments of an escrow: to every payee, half of it contested and without a verdict.
	#[benchmark]
	fn agenda_payments(s: Linear<1, MAX_STREAMS>) {
		begin::<T>();
		let (renter, asset) = renter::<T>();
		let lease = LeaseId(0);
		let escrow = EscrowId::from(lease);
		T::Escrow::open(escrow, &renter, asset, Balance::from(s) * 10 * PRICE).unwrap();
		for index in 0..s {
			let payee = provider::<T>(index, 1, founder::<T>());
			let stream = T::Escrow::add_stream(escrow, &payee, PRICE).unwrap();
			T::Escrow::accrue(escrow, stream, REPORT_MS).unwrap();
			T::BenchmarkHelper::contest(&renter, escrow, stream);
			T::Escrow::accrue(escrow, stream, REPORT_MS).unwrap();
		}
		let closing = T::Escrow::close(escrow).unwrap();
		let now = START + LONG;
		T::BenchmarkHelper::set_time(now);
		Pallet::<T>::await_payments(lease, &closing, now);
		let item = AgendaItem::Payments(lease);
		#[block]
		{
			Pallet::<T>::do_item(item, now, &mut WeightMeter::new()).unwrap();
		}
		assert!(!Payments::<T>::contains_key(lease));
		assert_eq!(T::Escrow::free(escrow), None);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder::default().build(), crate::mock::Test);
}
