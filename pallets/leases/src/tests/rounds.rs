//! Resting orders are offered new capacity.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Asset, LeaseStatus, OrderId, OrderTerms};

/// Resting orders of one GPU each at these prices.
fn rest_at(prices: &[u128]) -> Vec<OrderId> {
	prices
		.iter()
		.map(|max_price| place(RENTER, resting(OrderTerms { max_price: *max_price, ..terms(1) })))
		.collect()
}

fn is_lease(order: OrderId) -> bool {
	status(order.into()).is_some()
}

#[test]
fn a_new_ask_fills_a_resting_order_in_the_next_block_and_not_in_its_own_call() {
	ExtBuilder.build_and_execute(|| {
		let order = rest_at(&[PRICE])[0];
		post(PROVIDER, 8, PRICE - 40);
		assert!(!is_lease(order));
		assert!(Rounds::<Test>::contains_key(MARKET));
		events();
		run_blocks(1);
		assert_eq!(status(order.into()), Some(LeaseStatus::Pending));
		// At the ask's price, and the rest of the money is back.
		assert_eq!((held_of(order), order_deposit(RENTER)), ((PRICE - 40) * 600, 0));
		assert!(resting_orders().is_empty());
		assert!(!Rounds::<Test>::contains_key(MARKET));
		assert!(!events().iter().any(|event| matches!(event, Event::Unexpected { .. })));
	});
}

#[test]
fn who_pays_most_is_offered_new_capacity_first_then_the_older() {
	ExtBuilder.build_and_execute(|| {
		let orders = rest_at(&[90, 110, 100, 110]);
		assert_eq!(resting_orders(), [orders[1], orders[3], orders[2], orders[0]]);
		post(PROVIDER, 2, 50);
		run_blocks(1);
		assert_eq!(resting_orders(), [orders[2], orders[0]]);
		// The round was not known to be through: it begins again one block later.
		post(PROVIDER, 1, 50);
		run_blocks(2);
		assert_eq!(resting_orders(), [orders[0]]);
	});
}

#[test]
fn a_round_serves_four_orders_a_block_and_ends_with_the_list() {
	ExtBuilder.build_and_execute(|| {
		let orders = rest_at(&[PRICE; 10]);
		add_gpus(PROVIDER, 8);
		post(PROVIDER, 16, 1);
		for left in [6, 2, 0] {
			run_blocks(1);
			assert_eq!(resting_orders().len(), left);
		}
		assert!(orders.into_iter().all(is_lease));
		assert!(!Rounds::<Test>::contains_key(MARKET));
	});
}

#[test]
fn an_order_that_cannot_be_filled_is_passed_over() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN five orders that pay most and want too much, and one that is modest
		let large = OrderTerms { max_price: 2 * PRICE, ..terms(9) };
		let large: Vec<_> = (0..5).map(|_| place(RENTER, resting(large.clone()))).collect();
		let modest = rest_at(&[PRICE])[0];
		post(PROVIDER, 8, 1);
		run_blocks(1);
		assert!(!is_lease(modest));
		run_blocks(1);
		assert!(is_lease(modest));
		assert_eq!(resting_orders(), large);
		run_blocks(1);
		assert!(!Rounds::<Test>::contains_key(MARKET));
	});
}

#[test]
fn capacity_that_appears_during_a_round_is_offered_to_all_and_keeps_nobody_waiting() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN four orders that want two GPUs, and behind them six that want one
		let pairs: Vec<_> =
			(0..4).map(|_| place(RENTER, resting(OrderTerms { max_price: 2 * PRICE, ..terms(2) }))).collect();
		let singles = rest_at(&[PRICE; 6]);
		for gpu in 1..8 {
			set_health(PROVIDER, gpu, false);
		}
		post(PROVIDER, 8, 1);
		// WHEN the round has passed the first four
		run_blocks(1);
		assert_eq!(Rounds::<Test>::get(MARKET).unwrap().after.unwrap().order(), pairs[3]);
		// AND more capacity appears in every block
		set_health(PROVIDER, 1, true);
		assert!(Rounds::<Test>::get(MARKET).unwrap().again);
		run_blocks(1);
		// THEN the round goes on all the same: the first two singles took them
		assert!(is_lease(singles[0]) && is_lease(singles[1]));
		// AND those before its place have their turn again when it is through
		for gpu in 2..8 {
			set_health(PROVIDER, gpu, true);
		}
		run_blocks(1);
		assert!(is_lease(singles[4]) && is_lease(singles[5]) && !is_lease(singles[2]));
		run_blocks(1);
		assert!(is_lease(pairs[0]) && is_lease(pairs[1]));
	});
}

#[test]
fn everything_that_brings_capacity_wakes_resting_orders() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let rest = || place(RENTER, resting(terms(8)));
		let close = |order: OrderId| {
			assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), order.into()));
		};
		// A lease that ends.
		let lease = order(RENTER, terms(8));
		let waits = rest();
		close(OrderId(lease.0));
		run_blocks(1);
		assert!(is_lease(waits));
		close(waits);
		// A lease that ends while the ask is listed all the time.
		let lease = order(RENTER, terms(1));
		let waits = rest();
		assert_eq!(Leases::best_price(MARKET), Some(PRICE));
		close(OrderId(lease.0));
		run_blocks(1);
		assert!(is_lease(waits));
		close(waits);
		// A provider that is back.
		set_live(PROVIDER, false);
		let waits = rest();
		set_live(PROVIDER, true);
		run_blocks(1);
		assert!(is_lease(waits));
		close(waits);
		// A GPU that is healthy again.
		set_health(PROVIDER, 0, false);
		let waits = rest();
		set_health(PROVIDER, 0, true);
		run_blocks(1);
		assert!(is_lease(waits));
	});
}

#[test]
fn nobody_is_woken_where_nobody_waits() {
	ExtBuilder.build_and_execute(|| {
		rest_at(&[PRICE]);
		post_terms(PROVIDER, millrace_primitives::AskTerms { asset: TOKEN, ..ask_terms(8, PRICE) });
		assert_eq!(Rounds::<Test>::iter_keys().count(), 0);
		run_blocks(3);
		assert_eq!(resting_orders().len(), 1);
	});
}

#[test]
fn an_order_whose_time_is_over_is_not_filled() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, OrderTerms { rests_ms: MINUTE, ..terms(1) });
		post(PROVIDER, 8, PRICE);
		// The agenda's entry of the order comes up later than its round.
		let round = Rounds::<Test>::get(MARKET).unwrap();
		Now::set(START + MINUTE);
		Leases::serve_round(MARKET, round, MAX_ORDERS_PER_ROUND, Now::get());
		assert!(!is_lease(order) && Orders::<Test>::contains_key(order));
		run_blocks(60);
		assert!(!Orders::<Test>::contains_key(order));
	});
}

#[test]
fn a_place_without_an_order_is_noticed_and_removed() {
	ExtBuilder.build_and_execute(|| {
		let (class, asset) = (CLASS, Asset::Native);
		RestingOrders::<Test>::insert((class, asset), BookKey::of_order(PRICE, OrderId(7)), ());
		post(PROVIDER, 8, PRICE);
		events();
		run_blocks(1);
		let kind = UnexpectedKind::RestingWithoutOrder(OrderId(7));
		assert_eq!(events(), vec![Event::Unexpected { kind }]);
		assert!(resting_orders().is_empty());
	});
}

#[test]
fn an_order_that_does_not_rest_is_left_to_its_own_time() {
	ExtBuilder.build_and_execute(|| {
		let scheduled = place(RENTER, OrderTerms { starts_at: Some(START + MINUTE), ..terms(1) });
		let sold = place(RENTER, auction(1, 20));
		post(PROVIDER, 8, PRICE);
		run_blocks(3);
		assert!(!is_lease(scheduled) && !is_lease(sold));
		assert_noop!(
			Leases::poke(RuntimeOrigin::signed(STRANGER), scheduled.into()),
			Error::<Test>::UnknownLease
		);
	});
}
