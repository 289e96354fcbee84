//! Bids, and the award of an auction.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Constraints, LeaseStatus, OrderId, OrderTerms};
use sp_runtime::{DispatchError, Permill};

type E = Error<Test>;

fn ranked(order: OrderId) -> Vec<(AccountId, u128)> {
	Leases::bids(order).into_iter().map(|(who, bid)| (who, bid.price)).collect()
}

#[test]
fn a_bid_holds_a_deposit_and_a_better_one_replaces_it() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 10));
		events();
		bid(PROVIDER, order, 90);
		let placed = |price| Event::BidPlaced { order, provider: PROVIDER, price, deposit: 100 };
		assert_eq!(events(), vec![placed(90)]);
		assert_noop!(try_bid(PROVIDER, order, 90), E::BidNotBetter);
		assert_noop!(try_bid(PROVIDER, order, 91), E::BidNotBetter);
		bid(PROVIDER, order, 89);
		assert_eq!(events(), vec![placed(89)]);
		assert_eq!((bid_deposit(PROVIDER), Orders::<Test>::get(order).unwrap().bids), (100, 1));
		assert_eq!(BidsOf::<Test>::get(PROVIDER).into_inner(), [order]);
	});
}

#[test]
fn every_wrong_bid_is_refused_with_its_reason() {
	ExtBuilder.build_and_execute(|| {
		let constraints = Constraints { min_uptime: Some(Permill::from_percent(90)), ..only(*b"DE") };
		let order = place(RENTER, OrderTerms { constraints, gpus_per_node: 8, ..auction(1, 10) });
		declare(PROVIDER, |declared| declared.uptime = Some(Permill::from_percent(90)));
		let bid_with = |notice| Leases::place_bid(RuntimeOrigin::signed(PROVIDER), order, 90, notice);
		assert_noop!(Leases::place_bid(RuntimeOrigin::none(), order, 90, MINUTE), DispatchError::BadOrigin);
		assert_noop!(try_bid(PROVIDER, OrderId(9), 90), E::UnknownOrder);
		assert_noop!(try_bid(STRANGER, order, 90), E::NotAProvider);
		assert_noop!(try_bid(PROVIDER, order, 0), E::ZeroPrice);
		assert_noop!(try_bid(PROVIDER, order, PRICE + 1), E::BidTooHigh);
		assert_noop!(bid_with(MinReclaimNotice::get() - 1), E::NoticeOutOfBounds);
		assert_noop!(bid_with(MaxReclaimNotice::get() + 1), E::NoticeOutOfBounds);
		// Uptime, country, and GPUs of the class.
		assert_noop!(try_bid(OTHER_PROVIDER, order, 90), E::BidderUnfit);
		declare(OTHER_PROVIDER, |declared| {
			declared.uptime = Some(Permill::one());
			declared.country = *b"FR";
		});
		assert_noop!(try_bid(OTHER_PROVIDER, order, 90), E::BidderUnfit);
		add_gpus(STRANGER, 7);
		declare(STRANGER, |declared| declared.uptime = Some(Permill::one()));
		assert_noop!(try_bid(STRANGER, order, 90), E::BidderUnfit);
		// Orders that take no bids.
		let rests = place(RENTER, resting(terms(8)));
		assert_noop!(try_bid(PROVIDER, rests, 90), E::NoAuction);
		add_gpus(RENTER, 8);
		declare(RENTER, |declared| declared.uptime = Some(Permill::one()));
		assert_noop!(try_bid(RENTER, order, 90), E::OwnOrder);
		// The limits themselves are fine, and a provider whose GPUs are not free now may bid.
		for gpu in 0..8 {
			set_health(PROVIDER, gpu, false);
		}
		assert_ok!(bid_with(MinReclaimNotice::get()));
		bid(PROVIDER, order, 1);
	});
}

#[test]
fn bids_cost_rising_deposits_that_must_be_affordable() {
	ExtBuilder.build_and_execute(|| {
		add_gpus(POOR, 1);
		use frame_support::traits::fungible::Mutate;
		Balances::set_balance(&POOR, 301);
		let orders: Vec<_> = (0..3).map(|_| place(RENTER, auction(1, 10))).collect();
		bid(POOR, orders[0], 90);
		bid(POOR, orders[1], 90);
		assert_eq!(bid_deposit(POOR), 100 + 200);
		assert_noop!(try_bid(POOR, orders[2], 90), E::DepositUnaffordable);
	});
}

#[test]
fn a_bid_that_is_withdrawn_frees_its_place_and_its_deposit() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 10));
		bid(PROVIDER, order, 90);
		let origin = RuntimeOrigin::signed(PROVIDER);
		assert_noop!(Leases::withdraw_bid(RuntimeOrigin::signed(OTHER_PROVIDER), order), E::NoBid);
		assert_noop!(Leases::withdraw_bid(RuntimeOrigin::none(), order), DispatchError::BadOrigin);
		events();
		assert_ok!(Leases::withdraw_bid(origin.clone(), order));
		let released = Event::BidReleased { order, provider: PROVIDER, deposit: 100, won: false };
		assert_eq!(events(), vec![released]);
		assert_eq!((bid_deposit(PROVIDER), Orders::<Test>::get(order).unwrap().bids), (0, 0));
		assert!(!BidsOf::<Test>::contains_key(PROVIDER));
		assert_noop!(Leases::withdraw_bid(origin, order), E::NoBid);
		// Whoever withdrew may bid again, dearer too.
		bid(PROVIDER, order, 95);
	});
}

#[test]
fn the_chain_awards_the_order_to_the_lowest_bid_at_the_end() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN an ask, and bids below it
		post(THIRD_PROVIDER, 8, 95);
		let order = place(RENTER, auction(1, 10));
		bid(PROVIDER, order, 80);
		bid(OTHER_PROVIDER, order, 90);
		run_blocks(9);
		assert!(Orders::<Test>::contains_key(order));
		bid(OTHER_PROVIDER, order, 70);
		assert_eq!(ranked(order), [(OTHER_PROVIDER, 70), (PROVIDER, 80)]);
		events();
		// WHEN
		run_blocks(1);
		// THEN
		let lease = order.into();
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		let node = node(lease, 0);
		assert_eq!((node.provider, node.price, node.ask), (OTHER_PROVIDER, 70, None));
		assert_eq!(node.reclaim_notice_ms, 2 * MINUTE);
		// It was bid for this term, and for no longer one.
		assert_eq!(record(lease).max_term_ms, Some(10 * MINUTE));
		assert_eq!(held_of(order), 70 * 600);
		let released = |provider, won| Event::BidReleased { order, provider, deposit: 100, won };
		let events = events();
		assert!(events.contains(&released(OTHER_PROVIDER, true)));
		assert!(events.contains(&released(PROVIDER, false)));
		assert_eq!((bid_deposit(PROVIDER), bid_deposit(OTHER_PROVIDER), order_deposit(RENTER)), (0, 0, 0));
		assert_noop!(try_bid(PROVIDER, order, 60), E::UnknownOrder);
	});
}

#[test]
fn bids_and_asks_compete_by_price_then_uptime_then_age_and_a_bid_is_the_youngest() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 5));
		bid(PROVIDER, order, 90);
		run_blocks(1);
		// A younger ask at the same price is better than the bid, a dearer one is not.
		post(OTHER_PROVIDER, 8, 90);
		run_blocks(4);
		assert_eq!(providers(order), [OTHER_PROVIDER]);

		// Of two bids at one price the older.
		let order = place(RENTER, OrderTerms { max_price: 80, ..auction(1, 5) });
		bid(THIRD_PROVIDER, order, 70);
		run_blocks(1);
		bid(PROVIDER, order, 70);
		assert_eq!(ranked(order), [(THIRD_PROVIDER, 70), (PROVIDER, 70)]);
		run_blocks(4);
		assert_eq!(providers(order), [THIRD_PROVIDER]);

		// But the one with the better uptime, if there is one.
		declare(PROVIDER, |declared| declared.uptime = Some(Permill::from_percent(99)));
		let order = place(RENTER, OrderTerms { max_price: 80, ..auction(1, 5) });
		bid(THIRD_PROVIDER, order, 70);
		run_blocks(1);
		bid(PROVIDER, order, 70);
		run_blocks(4);
		assert_eq!(providers(order), [PROVIDER]);
	});
}

#[test]
fn no_bid_is_taken_from_the_block_of_the_award_on() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 3));
		bid(OTHER_PROVIDER, order, 90);
		// The agenda is late.
		stop_agenda(true);
		run_blocks(3);
		assert_noop!(try_bid(PROVIDER, order, 80), E::NoAuction);
		stop_agenda(false);
		run_blocks(1);
		assert_eq!(providers(order), [OTHER_PROVIDER]);
	});
}

#[test]
fn bidders_that_cannot_serve_are_passed_over_and_get_their_deposit_back() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, OrderTerms { gpus_per_node: 2, ..auction(1, 5) });
		for (provider, price) in [(PROVIDER, 10), (OTHER_PROVIDER, 20), (THIRD_PROVIDER, 30)] {
			bid(provider, order, price);
		}
		set_live(PROVIDER, false);
		for gpu in 1..8 {
			set_health(OTHER_PROVIDER, gpu, false);
		}
		run_blocks(5);
		assert_eq!(providers(order), [THIRD_PROVIDER]);
		assert_eq!((bid_deposit(PROVIDER), bid_deposit(OTHER_PROVIDER)), (0, 0));
	});
}

#[test]
fn an_auction_without_a_winner_is_over_or_rests() {
	ExtBuilder.build_and_execute(|| {
		let over = place(RENTER, auction(1, 5));
		let rests = place(RENTER, OrderTerms { rests_ms: MINUTE, ..auction(1, 5) });
		for order in [over, rests] {
			bid(PROVIDER, order, 90);
		}
		set_live(PROVIDER, false);
		run_blocks(5);
		assert!(events().contains(&Event::OrderExpired { order: over, renter: RENTER, deposit: 500 }));
		assert_eq!(held_of(over), 0);
		let record = Orders::<Test>::get(rests).unwrap();
		assert_eq!((record.waiting, record.bids), (Waiting::Resting, 0));
		assert_eq!(record.expires_at, START + 5 * SLOT + MINUTE);
		assert_eq!(bid_deposit(PROVIDER), 0);
		// It rests like any other.
		post(OTHER_PROVIDER, 8, PRICE);
		run_blocks(1);
		assert_eq!(providers(rests), [OTHER_PROVIDER]);
	});
}

#[test]
fn cancelling_an_auction_releases_its_bids() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 5));
		bid(PROVIDER, order, 90);
		bid(OTHER_PROVIDER, order, 91);
		assert_ok!(Leases::cancel_order(RuntimeOrigin::signed(RENTER), order));
		assert_eq!((bid_deposit(PROVIDER), bid_deposit(OTHER_PROVIDER)), (0, 0));
		assert_eq!(Bids::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_gang_is_awarded_to_bids_and_asks_together() {
	ExtBuilder.build_and_execute(|| {
		post(THIRD_PROVIDER, 8, 60);
		let order = place(RENTER, auction(3, 5));
		bid(PROVIDER, order, 50);
		bid(OTHER_PROVIDER, order, 70);
		// A bidder that has an ask too serves one node, at the better price.
		bid(THIRD_PROVIDER, order, 65);
		run_blocks(5);
		assert_eq!(providers(order), [PROVIDER, THIRD_PROVIDER, OTHER_PROVIDER]);
		let prices: Vec<_> = record(order.into()).nodes.iter().map(|node| node.price).collect();
		assert_eq!(prices, [50, 60, 70]);
		assert_eq!(held_of(order), (50 + 60 + 70) * 600);
	});
}
