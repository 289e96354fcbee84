//! The agenda: on time, metered, carried over.

use super::market::{auction, fixed, resting, MARKET};
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
	weights::WeightInfo,
	weights_ext::WeightInfoExt,
};
use frame_support::{
	assert_ok,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_agenda::RETRY_AFTER_BLOCKS;
use millrace_primitives::{AskId, Asset, LeaseId, LeaseStatus, NodeStatus, OrderId, OrderTerms, MAX_NODES};

type W = ();

fn leases() -> usize {
	crate::Leases::<Test>::iter_keys().count()
}

/// What serving a block of the agenda weighs in which `closes` leases of one GPU and no job end.
fn weight_of(closes: u64, empty_blocks: u64) -> Weight {
	let close = W::agenda_peek().saturating_add(W::step_of_lease(SMALL_LEASE));
	W::agenda_start()
		.saturating_add(W::agenda_block().saturating_mul(empty_blocks))
		.saturating_add(close.saturating_mul(closes))
}

/// Five leases of one GPU that are never ready, in the block before they are due.
fn five_due_next() {
	post(PROVIDER, 8, PRICE);
	for _ in 0..5 {
		order(RENTER, terms(1));
	}
	run_blocks(299);
	assert_eq!(leases(), 5);
}

#[test]
fn what_a_block_has_no_weight_for_carries_over() {
	ExtBuilder.build_and_execute(|| {
		five_due_next();
		AgendaLimit::set(weight_of(2, 1));
		for left in [3, 1, 0, 0] {
			run_blocks(1);
			assert_eq!(leases(), left);
			check();
		}
		assert_eq!(AgendaCursor::<Test>::get(), System::block_number() as u32 + 1);
	});
}

#[test]
fn the_agenda_keeps_to_its_own_limit_and_to_the_blocks() {
	ExtBuilder.build_and_execute(|| {
		five_due_next();
		Now::set(START + 5 * MINUTE);
		let poll = |limit: Weight| {
			let mut meter = WeightMeter::with_limit(limit);
			let block = System::block_number() + 1;
			System::set_block_number(block);
			Leases::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(limit));
			meter.consumed()
		};
		// Its own limit.
		AgendaLimit::set(weight_of(1, 1));
		assert!(poll(Weight::MAX).all_lte(weight_of(1, 1)));
		assert_eq!(leases(), 4);
		// What the block has left.
		AgendaLimit::set(Weight::MAX);
		assert_eq!(poll(Weight::zero()), Weight::zero());
		poll(weight_of(1, 1).saturating_sub(Weight::from_parts(1, 0)));
		assert_eq!(leases(), 4);
		poll(weight_of(1, 1));
		assert_eq!(leases(), 3);
		poll(Weight::MAX);
		assert_eq!(leases(), 0);
	});
}

#[test]
fn a_chain_that_misses_half_of_its_slots_is_on_time() {
	ExtBuilder.build_and_execute(|| {
		open();
		for _ in 0..149 {
			next_block_after(2 * SLOT);
		}
		assert_eq!(leases(), 1);
		next_block_after(2 * SLOT);
		assert_eq!(leases(), 0);
	});
}

#[test]
fn after_a_stall_what_became_due_is_served_by_the_time_that_half_of_the_rest_would_have_taken() {
	ExtBuilder.build_and_execute(|| {
		open();
		// The entry is half of the way to the deadline in 300 blocks.
		next_block_after(10 * MINUTE);
		run_blocks(148);
		assert_eq!(leases(), 1);
		run_blocks(1);
		assert_eq!(leases(), 0);
	});
}

#[test]
fn a_lease_is_looked_at_a_few_times_not_in_every_block() {
	ExtBuilder.build_and_execute(|| {
		open();
		let mut moved = 0;
		let mut due = record(LeaseId(0)).due;
		for _ in 0..299 {
			run_blocks(1);
			let now = record(LeaseId(0)).due;
			moved += u32::from(now != due);
			due = now;
		}
		assert!((8..=10).contains(&moved), "{moved}");
	});
}

#[test]
fn a_sooner_deadline_moves_the_entry() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		// Not ready: due in five minutes. Ready: over in ten seconds, and the window.
		let lease = order(RENTER, fixed(10 * SLOT));
		assert_eq!(record(lease).due, 1 + 150);
		attest(lease);
		assert_eq!(record(lease).due, 1 + 15);
		run_blocks(30);
		assert_eq!(status(lease), None);
	});
}

#[test]
fn an_item_that_fails_is_tried_again_later_and_reported() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		run_blocks(299);
		events();
		BrokenEscrows::set(vec![lease.into()]);
		run_blocks(1);
		let item = AgendaItem::Lease(lease);
		let error = sp_runtime::DispatchError::Unavailable;
		let kind = UnexpectedKind::AgendaItemFailed(item, error);
		assert_eq!(events(), vec![Event::Unexpected { kind }]);
		assert_eq!(record(lease).due, System::block_number() as u32 + RETRY_AFTER_BLOCKS);
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		check();
		BrokenEscrows::set(vec![]);
		run_blocks(RETRY_AFTER_BLOCKS as u64);
		assert_eq!(status(lease), None);
	});
}

#[test]
fn last_payments_that_fail_are_tried_again() {
	ExtBuilder.build_and_execute(|| {
		ContestWindow::set(5 * MINUTE);
		let lease = open_active();
		serve_blocks(lease, 10);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		BrokenEscrows::set(vec![lease.into()]);
		run_blocks(300);
		let last = Payments::<Test>::get(lease).unwrap();
		assert_eq!(last.due, System::block_number() as u32 + RETRY_AFTER_BLOCKS);
		BrokenEscrows::set(vec![]);
		run_blocks(RETRY_AFTER_BLOCKS as u64);
		assert_eq!((Payments::<Test>::get(lease), held_of(lease)), (None, 0));
	});
}

#[test]
fn an_ask_whose_deposit_cannot_be_released_is_tried_again() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 1, PRICE);
		// GIVEN an ask that claims more than is held
		Asks::<Test>::mutate_extant(AskId(0), |ask| ask.deposit = 2_000);
		Now::set(START + MaxAskLifetime::get());
		events();
		for _ in 0..3_000 {
			run_blocks(1);
		}
		let failed = |event: &Event<Test>| {
			let kind = AgendaItem::Ask(AskId(0));
			matches!(event, Event::Unexpected { kind: UnexpectedKind::AgendaItemFailed(item, _) } if *item == kind)
		};
		assert!(events().iter().all(failed));
		assert!(Asks::<Test>::contains_key(AskId(0)));
		// WHEN the record is right again
		Asks::<Test>::mutate_extant(AskId(0), |ask| ask.deposit = 1_000);
		run_blocks(RETRY_AFTER_BLOCKS as u64);
		assert!(!Asks::<Test>::contains_key(AskId(0)));
	});
}

#[test]
fn an_entry_without_its_object_is_removed_and_reported() {
	ExtBuilder.build_and_execute(|| {
		let items = [
			AgendaItem::Ask(AskId(5)),
			AgendaItem::Lease(LeaseId(6)),
			AgendaItem::Order(OrderId(7)),
			AgendaItem::Market(CLASS, Asset::Native),
			AgendaItem::Payments(LeaseId(8)),
		];
		for item in items {
			Agenda::<Test>::insert(2, item, ());
		}
		run_blocks(1);
		let reported = events();
		assert_eq!(reported.len(), items.len());
		for item in items {
			let kind = UnexpectedKind::AgendaWithoutObject(item);
			assert!(reported.contains(&Event::Unexpected { kind }));
		}
	});
}

#[test]
fn an_award_and_a_round_come_in_their_block_whatever_the_time() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, OrderTerms { rests_ms: 60 * MINUTE, ..auction(1, 10) });
		assert_eq!(Orders::<Test>::get(order).unwrap().due, 11);
		for _ in 0..9 {
			next_block_after(0);
		}
		assert!(matches!(Orders::<Test>::get(order).unwrap().waiting, Waiting::Auction { .. }));
		next_block_after(0);
		assert_eq!(Orders::<Test>::get(order).unwrap().waiting, Waiting::Resting);
		post(PROVIDER, 8, PRICE);
		assert_eq!(Rounds::<Test>::get(MARKET).unwrap().due, 12);
		next_block_after(0);
		assert!(status(order.into()).is_some());
	});
}

#[test]
fn a_round_takes_as_many_orders_as_the_weight_allows_and_one_at_least() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..4 {
			place(RENTER, resting(terms(1)));
		}
		post(PROVIDER, 8, PRICE);
		let one = W::step_of_order(MAX_NODES, MAX_GPUS_PER_NODE, 0);
		let limit = |blocks, orders| {
			let before = W::agenda_start().saturating_add(W::agenda_block().saturating_mul(blocks));
			before.saturating_add(W::agenda_peek()).saturating_add(one.saturating_mul(orders))
		};
		AgendaLimit::set(limit(3, 2));
		run_blocks(1);
		assert_eq!(leases(), 2);
		AgendaLimit::set(limit(1, 1));
		run_blocks(1);
		assert_eq!(leases(), 3);
		// Less than one order's: it waits.
		AgendaLimit::set(one);
		run_blocks(1);
		assert_eq!(leases(), 3);
		AgendaLimit::set(Weight::MAX);
		run_blocks(1);
		assert_eq!(leases(), 4);
	});
}

#[test]
fn armed_blocks_lie_ahead_at_every_extreme() {
	ExtBuilder.build_and_execute(|| {
		let now = Now::get();
		assert_eq!(Leases::block_on_the_way_to(0, now), 2);
		assert_eq!(Leases::block_on_the_way_to(now, now), 2);
		assert_eq!(Leases::block_on_the_way_to(now + 1, now), 2);
		assert_eq!(Leases::block_on_the_way_to(now + 2 * SLOT + 1, now), 3);
		assert_eq!(Leases::block_on_the_way_to(u64::MAX, now), u32::MAX);
	});
}

#[test]
fn a_frozen_lease_without_a_deadline_wakes_with_its_reports() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, open_ended(terms(2), 2 * MINUTE));
		attest(lease);
		serve_blocks(lease, 100);
		assert!(matches!(status(lease), Some(LeaseStatus::Frozen { .. })));
		suspend(lease, PROVIDER);
		assert!(matches!(node_status(lease, 0), NodeStatus::Suspended { .. }));
		run_blocks(120);
		assert_eq!(status(lease), None);
	});
}

#[test]
fn an_agenda_limit_that_can_never_serve_the_largest_item_is_found_before_release() {
	ExtBuilder.build_and_execute(|| {
		let largest = Leases::walk_weights().least_for(W::largest_agenda_item());
		AgendaLimit::set(largest);
		<Leases as Hooks<u64>>::integrity_test();
		AgendaLimit::set(largest.saturating_sub(Weight::from_parts(1, 0)));
		assert!(std::panic::catch_unwind(<Leases as Hooks<u64>>::integrity_test).is_err());
		AgendaLimit::set(Weight::MAX);
	});
}
