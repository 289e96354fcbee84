//! Benchmarks: each call and each step of the agenda in its worst case. What several of them share, such as looking at an ask
//! or taking a GPU, is measured by itself; `weights_ext.rs` adds up.
//!
//! The worst provider has as many GPUs as one can have. The worst escrow is in a token, has one payee per node, and its
//! payments and contests are due when it is closed. Each benchmark checks that what it measures was done.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

mod fixtures;

use crate::{
	pallet::*,
	types::{
		AgendaItem, BookKey, MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER, MAX_BIDS_PER_ORDER,
		MAX_GPUS_PER_NODE, MAX_JOBS_PER_LEASE,
	},
};
use fixtures::*;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{EnsureOrigin, Get},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	AskId, Asset, Balance, BlockNumber, Escrow, EscrowId, GpuReservation, JobId, JobOutcome, LeaseId,
	LeaseStatus, Moment, NodeIndex, NodeStatus, OrderId, OrderTerms, StreamId, MAX_NODES, MAX_STREAMS,
};

pub use fixtures::{add_asks, add_job, add_lease};

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
