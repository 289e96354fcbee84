//! Each invariant notices the corruption that it is there for.

use super::market::{auction, bid, resting, MARKET};
use crate::{mock::*, pallet::*, types::*};
use millrace_primitives::{
	AskId, CloseReason, EscrowId, FaultCause, GpuIndex, GpuState, JobId, LeaseId, LeaseStatus, NodeIndex,
	NodeStatus, OrderId,
};

fn change_lease(change: impl FnOnce(&mut LeaseOf<Test>)) {
	crate::Leases::<Test>::mutate_extant(LeaseId(0), change);
}

fn change_node(change: impl FnOnce(&mut Node<AccountId>)) {
	change_lease(|lease| change(&mut lease.nodes[0]));
}

fn change_ask(change: impl FnOnce(&mut AskOf<Test>)) {
	Asks::<Test>::mutate_extant(AskId(0), change);
}

fn change_order(change: impl FnOnce(&mut OrderOf<Test>)) {
	Orders::<Test>::mutate_extant(OrderId(0), change);
}

fn job() -> Job {
	Job { node: NodeIndex(0), plan: Default::default(), submitted_at: 0, checkpoint: None, outcome: None }
}

/// A resting order.
fn rest() -> OrderId {
	place(RENTER, resting(terms(1)))
}

/// An auction with a bid.
fn auction_with_bid() -> OrderId {
	let order = place(RENTER, auction(1, 10));
	bid(PROVIDER, order, PRICE);
	order
}

#[test]
fn a_deposit_that_is_not_held_is_noticed() {
	let breaks = |test: fn()| ExtBuilder.build_and_break("1: the deposits held", test);
	breaks(|| {
		open();
		change_ask(|ask| ask.deposit += 1);
	});
	breaks(|| {
		rest();
		change_order(|order| order.deposit -= 1);
	});
	breaks(|| {
		let order = auction_with_bid();
		Bids::<Test>::mutate(order, PROVIDER, |bid| bid.as_mut().unwrap().deposit += 1);
	});
	// What is held for nothing, too.
	breaks(|| {
		post(PROVIDER, 1, PRICE);
		Asks::<Test>::remove(AskId(0));
	});
}

#[test]
fn a_book_that_differs_from_the_asks_is_noticed() {
	ExtBuilder.build_and_break("2: what is taken", || {
		open();
		change_ask(|ask| ask.taken += 1);
	});
	ExtBuilder.build_and_break("2: more is taken", || {
		open();
		change_ask(|ask| ask.terms.gpus = 1);
	});
	ExtBuilder.build_and_break("2: the book does not have", || {
		open();
		Book::<Test>::remove(MARKET, BookKey::of_ask(PRICE, AskId(0)));
	});
	// An ask that nobody could take.
	ExtBuilder.build_and_break("2: the book does not have", || {
		open();
		RegistryProviders::mutate_extant(PROVIDER, |declared| declared.live = false);
	});
	ExtBuilder.build_and_break("2: the book lists", || {
		open();
		Book::<Test>::insert(MARKET, BookKey::of_ask(1, AskId(7)), ());
	});
}

#[test]
fn lists_that_are_not_a_recount_are_noticed() {
	ExtBuilder.build_and_break("3: a list of asks", || {
		open();
		AsksOf::<Test>::remove(PROVIDER);
	});
	ExtBuilder.build_and_break("3: a list of asks", || {
		open();
		AsksOf::<Test>::mutate(PROVIDER, |asks| asks.try_push(AskId(0)).unwrap());
	});
	ExtBuilder.build_and_break("3: a list of orders", || {
		rest();
		OrdersOf::<Test>::mutate(OTHER_RENTER, |orders| orders.try_push(OrderId(0)).unwrap());
	});
	ExtBuilder.build_and_break("3: a list of leases", || {
		open();
		ProviderLeases::<Test>::mutate(STRANGER, |leases| leases.try_push(LeaseId(4)).unwrap());
	});
	ExtBuilder.build_and_break("3: a list of leases", || {
		open();
		ProviderLeases::<Test>::remove(PROVIDER);
	});
	ExtBuilder.build_and_break("3: a list of bids", || {
		auction_with_bid();
		BidsOf::<Test>::remove(PROVIDER);
	});
}

#[test]
fn a_gpu_in_two_leases_or_in_none_is_noticed() {
	ExtBuilder.build_and_break("4: the registry does not have", || {
		open();
		RegistryGpus::insert(PROVIDER, GpuIndex(0), (CLASS, GpuState::Healthy));
	});
	ExtBuilder.build_and_break("4: a GPU serves two leases", || {
		open();
		change_node(|node| node.gpus = vec![GpuIndex(0), GpuIndex(0)].try_into().unwrap());
	});
	ExtBuilder.build_and_break("4: a node does not have the GPUs", || {
		open();
		change_node(|node| node.gpus = vec![GpuIndex(0)].try_into().unwrap());
		change_ask(|ask| ask.taken = 1);
	});
	ExtBuilder.build_and_break("4: a node without a provider has GPUs", || {
		open();
		change_node(|node| node.status = NodeStatus::Faulted { since: 0, cause: FaultCause::Dark });
		ProviderLeases::<Test>::remove(PROVIDER);
	});
	ExtBuilder.build_and_break("4: a lease has no node", || {
		open();
		change_lease(|lease| lease.nodes = Default::default());
		change_ask(|ask| ask.taken = 0);
		ProviderLeases::<Test>::remove(PROVIDER);
	});
	ExtBuilder.build_and_break("4: a provider serves two nodes", || {
		let lease = open();
		change_lease(|lease| lease.nodes.try_push(lease.nodes[0].clone()).unwrap());
		change_ask(|ask| ask.taken = 4);
		ProviderLeases::<Test>::mutate(PROVIDER, |leases| leases.try_push(lease).unwrap());
	});
}

#[test]
fn an_agenda_that_differs_from_its_objects_is_noticed() {
	ExtBuilder.build_and_break("5: an object has no entry", || {
		let lease = open();
		Agenda::<Test>::remove(record(lease).due, AgendaItem::Lease(lease));
	});
	ExtBuilder.build_and_break("5: an object has no entry", || {
		open();
		change_ask(|ask| ask.due += 1);
	});
	ExtBuilder.build_and_break("5: an object has no entry", || {
		rest();
		change_order(|order| order.due += 1);
	});
	ExtBuilder.build_and_break("5: an object has no entry", || {
		Rounds::<Test>::insert(MARKET, Round { after: None, again: false, due: 9 });
	});
	ExtBuilder.build_and_break("5: an object has no entry", || {
		Payments::<Test>::insert(LeaseId(4), LastPayments { at: 0, streams: 1, due: 9 });
	});
	ExtBuilder.build_and_break("5: an entry of the agenda has no object", || {
		Agenda::<Test>::insert(9, AgendaItem::Lease(LeaseId(3)), ());
	});
	ExtBuilder.build_and_break("5: the agenda has passed", || {
		open();
		AgendaCursor::<Test>::put(u32::MAX);
	});
}

#[test]
fn counts_that_are_not_a_recount_are_noticed() {
	ExtBuilder.build_and_break("6: a count of jobs", || {
		let lease = open();
		submit(lease);
		change_lease(|lease| lease.open_jobs = 0);
	});
	ExtBuilder.build_and_break("6: a job has no lease", || Jobs::<Test>::insert(LeaseId(5), JobId(0), job()));
	ExtBuilder.build_and_break("6: a job has a number", || {
		let lease = open();
		submit(lease);
		change_lease(|lease| lease.next_job = JobId(0));
	});
	ExtBuilder.build_and_break("6: a job is on a node", || {
		let lease = open();
		let id = submit(lease);
		Jobs::<Test>::mutate(lease, id, |job| job.as_mut().unwrap().node = NodeIndex(1));
	});
	ExtBuilder.build_and_break("6: a lease has too many jobs", || {
		let lease = open();
		submit(lease);
		for id in 1..=MAX_JOBS_PER_LEASE {
			Jobs::<Test>::insert(lease, JobId(id), job());
		}
		change_lease(|lease| {
			lease.open_jobs = MAX_JOBS_PER_LEASE + 1;
			lease.next_job = JobId(MAX_JOBS_PER_LEASE + 1);
		});
	});
	ExtBuilder.build_and_break("6: a count of bids", || {
		auction_with_bid();
		change_order(|order| order.bids = 0);
	});
	ExtBuilder.build_and_break("6: a bid has no order", || {
		let lone = Bid { price: 1, reclaim_notice_ms: 0, placed_at: 0, deposit: 0 };
		Bids::<Test>::insert(OrderId(8), PROVIDER, lone);
		BidsOf::<Test>::insert(PROVIDER, frame_support::BoundedVec::truncate_from(vec![OrderId(8)]));
	});
	ExtBuilder.build_and_break("6: an order has too many bids", || {
		let order = place(RENTER, auction(1, 10));
		for bidder in 100..=100 + u64::from(MAX_BIDS_PER_ORDER) {
			add_gpus(bidder, 1);
			let free = Bid { price: 1, reclaim_notice_ms: 0, placed_at: 0, deposit: 0 };
			Bids::<Test>::insert(order, bidder, free);
			BidsOf::<Test>::insert(bidder, frame_support::BoundedVec::truncate_from(vec![order]));
		}
		change_order(|order| order.bids = MAX_BIDS_PER_ORDER + 1);
	});
}

#[test]
fn times_that_do_not_follow_from_the_status_are_noticed() {
	ExtBuilder.build_and_break("7: a closed lease is stored", || {
		open();
		change_lease(|lease| lease.status = LeaseStatus::Closed(CloseReason::Completed));
	});
	ExtBuilder.build_and_break("7: a lease has no escrow", || {
		TillEscrows::remove(EscrowId::from(open()));
	});
	ExtBuilder.build_and_break("7: a waiting order has no escrow", || {
		TillEscrows::remove(EscrowId::from(rest()));
	});
	ExtBuilder.build_and_break("7: a lease has last payments", || {
		let lease = open();
		let due = 50;
		Agenda::<Test>::insert(due, AgendaItem::Payments(lease), ());
		Payments::<Test>::insert(lease, LastPayments { at: 0, streams: 1, due });
	});
	ExtBuilder.build_and_break("7: a lease is ready exactly", || {
		open();
		change_lease(|lease| lease.status = LeaseStatus::Active);
	});
	ExtBuilder.build_and_break("7: the end of a lease", || {
		open_active();
		change_lease(|lease| lease.term_ms = Some(1));
	});
	ExtBuilder.build_and_break("7: the end of a lease", || {
		open_active();
		change_lease(|lease| lease.term_ms = None);
	});
	ExtBuilder.build_and_break("7: attested before it began", || {
		open();
		change_node(|node| node.attested_at -= 1);
	});
	ExtBuilder.build_and_break("7: earns from before", || {
		let lease = open();
		run_blocks(1);
		attest(lease);
		change_node(|node| node.attested_at -= 1);
	});
	ExtBuilder.build_and_break("7: the term is longer", || {
		open();
		change_lease(|lease| lease.max_term_ms = Some(1));
	});
	ExtBuilder.build_and_break("7: a node costs more", || {
		open();
		change_node(|node| node.price += 1);
	});
}

#[test]
fn a_list_of_resting_orders_that_differs_from_the_orders_is_noticed() {
	ExtBuilder.build_and_break("8: the list does not have", || {
		let order = rest();
		RestingOrders::<Test>::remove(MARKET, BookKey::of_order(PRICE, order));
	});
	ExtBuilder.build_and_break("8: the list does not have", || {
		rest();
		change_order(|order| order.waiting = Waiting::Scheduled);
	});
	ExtBuilder.build_and_break("8: the list of resting orders", || {
		RestingOrders::<Test>::insert(MARKET, BookKey::of_order(PRICE, OrderId(4)), ());
	});
}
