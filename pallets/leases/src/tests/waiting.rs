//! Orders that wait, and their ends.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{AskId, EscrowId, LeaseStatus, OrderId, OrderTerms};
use sp_runtime::DispatchError;

type E = Error<Test>;

#[test]
fn a_scheduled_order_reserves_nothing_and_opens_at_its_start() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE - 10);
		events();
		let wanted = OrderTerms { starts_at: Some(START + MINUTE), rests_ms: MINUTE, ..terms(2) };
		let order = place(RENTER, wanted.clone());
		// The highest price is held, and the deposit.
		let (deposit, expires_at) = (500, START + 2 * MINUTE);
		assert_eq!(
			events(),
			vec![
				Event::OrderPlaced { order, renter: RENTER, terms: wanted },
				Event::OrderWaits { order, waiting: Waiting::Scheduled, expires_at, deposit }
			]
		);
		assert_eq!((held_of(order), order_deposit(RENTER)), (PRICE * 2 * 600, deposit));
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().left(), 8);
		run_blocks(59);
		assert!(Orders::<Test>::contains_key(order));
		run_blocks(1);
		// What the match does not need is given back.
		assert_eq!(status(order.into()), Some(LeaseStatus::Pending));
		assert_eq!((held_of(order), order_deposit(RENTER)), ((PRICE - 10) * 2 * 600, 0));
		assert!(!Orders::<Test>::contains_key(order) && !OrdersOf::<Test>::contains_key(RENTER));
		assert_eq!(record(order.into()).opened_at, START + MINUTE);
	});
}

#[test]
fn an_asset_that_gives_nothing_back_does_not_keep_an_order_from_its_match() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE - 10);
		let order = place(RENTER, OrderTerms { starts_at: Some(START + MINUTE), ..terms(2) });
		StuckEscrows::set(vec![order.into()]);
		events();
		run_blocks(60);
		// What the match does not need stays held, and the event says how much that is.
		assert_eq!(status(order.into()), Some(LeaseStatus::Pending));
		let most = PRICE * 2 * 600;
		assert_eq!((held_of(order), order_deposit(RENTER)), (most, 0));
		let deposits: Vec<_> = events()
			.into_iter()
			.filter_map(|event| match event {
				Event::LeaseOpened { deposit, .. } => Some(deposit),
				_ => None,
			})
			.collect();
		assert_eq!(deposits, [most]);
		// The close gives it back.
		StuckEscrows::set(Vec::new());
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), order.into()));
		assert_eq!(Balances::free_balance(RENTER), RICH);
	});
}

#[test]
fn a_scheduled_order_that_finds_nobody_rests_or_expires() {
	ExtBuilder.build_and_execute(|| {
		let later = OrderTerms { starts_at: Some(START + MINUTE), ..terms(2) };
		let expires = place(RENTER, later.clone());
		let rests = place(RENTER, OrderTerms { rests_ms: MINUTE, ..later });
		assert_eq!(order_deposit(RENTER), 500 + 1_000);
		run_blocks(60);
		assert!(!Orders::<Test>::contains_key(expires));
		assert!(events().contains(&Event::OrderExpired { order: expires, renter: RENTER, deposit: 500 }));
		assert_eq!((held_of(expires), order_deposit(RENTER)), (0, 1_000));
		assert_eq!(Orders::<Test>::get(rests).unwrap().waiting, Waiting::Resting);
		run_blocks(60);
		assert!(!Orders::<Test>::contains_key(rests));
		assert_eq!((held_of(rests), order_deposit(RENTER)), (0, 0));
		assert_eq!(Balances::free_balance(RENTER), RICH);
	});
}

#[test]
fn a_resting_order_expires_at_its_time_with_everything_given_back() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, OrderTerms { rests_ms: MINUTE, ..terms(2) });
		run_blocks(59);
		assert!(Orders::<Test>::contains_key(order));
		events();
		run_blocks(1);
		assert_eq!(events(), vec![Event::OrderExpired { order, renter: RENTER, deposit: 500 }]);
		assert_eq!(Balances::free_balance(RENTER), RICH);
		assert_eq!(RestingOrders::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn cancelling_gives_everything_back() {
	ExtBuilder.build_and_execute(|| {
		let waiting = [
			OrderTerms { starts_at: Some(START + MINUTE), ..terms(1) },
			OrderTerms { rests_ms: MINUTE, ..terms(1) },
			auction(1, 10),
		];
		for terms in waiting {
			let order = place(RENTER, terms);
			let origin = RuntimeOrigin::signed(OTHER_RENTER);
			assert_noop!(Leases::cancel_order(origin, order), E::NotOrderOwner);
			events();
			assert_ok!(Leases::cancel_order(RuntimeOrigin::signed(RENTER), order));
			assert_eq!(events(), vec![Event::OrderCancelled { order, renter: RENTER, deposit: 500 }]);
			assert_noop!(Leases::cancel_order(RuntimeOrigin::signed(RENTER), order), E::UnknownOrder);
		}
		assert_eq!(Balances::free_balance(RENTER), RICH);
		assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
		assert_noop!(Leases::cancel_order(RuntimeOrigin::none(), OrderId(0)), DispatchError::BadOrigin);
	});
}

#[test]
fn waiting_costs_a_rising_deposit_that_must_be_affordable_beside_the_money() {
	ExtBuilder.build_and_execute(|| {
		let cheap = |ms| OrderTerms { max_price: 1, rests_ms: MINUTE, ..fixed(ms) };
		// POOR has 2,000: 1 stays, 500 are the deposit, 1,499 s can be paid.
		assert_noop!(attempt(POOR, cheap(1_499_001)), E::InsufficientFunds);
		place(POOR, cheap(999_000));
		// 500 are left, and the second order's deposit is 1,000.
		assert_noop!(attempt(POOR, cheap(MinTerm::get())), E::DepositUnaffordable);
		for _ in 0..MAX_ORDERS_PER_RENTER {
			place(RENTER, cheap(MinTerm::get()));
		}
		assert_noop!(attempt(RENTER, cheap(MinTerm::get())), E::TooManyOrders);
	});
}

#[test]
fn an_order_that_cannot_be_opened_waits_on() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN an order that starts later
		let later = OrderTerms { starts_at: Some(START + MINUTE), rests_ms: MINUTE, ..terms(2) };
		let order = place(RENTER, later);
		let held = held_of(order);
		// WHEN its escrow was tampered with, so that the lease cannot be paid for
		TillEscrows::mutate(EscrowId::from(order), |escrow| escrow.as_mut().unwrap().held -= 1);
		post(PROVIDER, 8, PRICE);
		run_blocks(60);
		// THEN it rests, with what it has
		assert_eq!(Orders::<Test>::get(order).unwrap().waiting, Waiting::Resting);
		assert_eq!(held_of(order), held - 1);
		assert_eq!(order_deposit(RENTER), 500);
		let kind = UnexpectedKind::AgendaItemFailed(AgendaItem::Order(order), E::InsufficientFunds.into());
		assert!(events().contains(&Event::Unexpected { kind }));
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().left(), 8);
		TillEscrows::mutate(EscrowId::from(order), |escrow| escrow.as_mut().unwrap().held += 1);
	});
}
