//! A pause of the market alone.

use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{LeaseStatus, Matching, OrderTerms};
use sp_runtime::DispatchError;

type E = Error<Test>;

fn pause() {
	assert_ok!(Leases::pause_market(RuntimeOrigin::root()));
}

fn resume() {
	assert_ok!(Leases::resume_market(RuntimeOrigin::root()));
}

#[test]
fn only_governance_pauses_and_resumes_each_once() {
	ExtBuilder.build_and_execute(|| {
		for origin in [RuntimeOrigin::signed(RENTER), RuntimeOrigin::none()] {
			assert_noop!(Leases::pause_market(origin.clone()), DispatchError::BadOrigin);
			assert_noop!(Leases::resume_market(origin), DispatchError::BadOrigin);
		}
		assert_noop!(Leases::resume_market(RuntimeOrigin::root()), E::MarketNotPaused);
		events();
		pause();
		assert!(Leases::market_paused() && ClockPaused::get());
		assert_noop!(Leases::pause_market(RuntimeOrigin::root()), E::MarketPaused);
		resume();
		assert!(!Leases::market_paused() && !ClockPaused::get());
		assert_eq!(events(), vec![Event::MarketPaused, Event::MarketResumed]);
	});
}

#[test]
fn nothing_new_is_offered_ordered_or_bid_while_it_is_paused() {
	ExtBuilder.build_and_execute(|| {
		let auction = OrderTerms { matching: Matching::Auction { blocks: 50 }, rests_ms: MINUTE, ..terms(1) };
		let order = place(RENTER, auction);
		pause();
		let provider = || RuntimeOrigin::signed(PROVIDER);
		let lifetime = MaxAskLifetime::get();
		assert_noop!(Leases::post_ask(provider(), ask_terms(1, PRICE), lifetime), E::MarketPaused);
		assert_noop!(Leases::place_order(RuntimeOrigin::signed(RENTER), terms(1)), E::MarketPaused);
		assert_noop!(Leases::place_bid(provider(), order, PRICE - 1, 2 * MINUTE), E::MarketPaused);
		resume();
		assert_ok!(Leases::place_bid(provider(), order, PRICE - 1, 2 * MINUTE));
	});
}

#[test]
fn leases_go_on_and_every_way_out_stays_open() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(OTHER_PROVIDER, 1, 2 * PRICE);
		let lease = open_active();
		let waiting = place(RENTER, OrderTerms { max_price: 1, rests_ms: MINUTE, ..terms(1) });
		pause();
		serve_blocks(lease, 10);
		assert_eq!((status(lease), attested_ms(lease)), (Some(LeaseStatus::Active), 10 * SLOT));
		assert_ok!(Leases::cancel_order(RuntimeOrigin::signed(RENTER), waiting));
		assert_ok!(Leases::withdraw_ask(RuntimeOrigin::signed(OTHER_PROVIDER), ask));
		assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
	});
}

#[test]
fn an_order_that_rests_is_not_matched_in_a_pause_and_is_afterwards() {
	ExtBuilder.build_and_execute(|| {
		let resting = place(RENTER, OrderTerms { rests_ms: 50 * MINUTE, ..terms(1) });
		assert_eq!(status(resting.into()), None);
		// Posted just before the pause: its round comes in the pause.
		post(PROVIDER, 1, PRICE);
		pause();
		run_blocks(3);
		assert_eq!(status(resting.into()), None);
		resume();
		post(OTHER_PROVIDER, 1, PRICE);
		run_blocks(1);
		assert_eq!(status(resting.into()), Some(LeaseStatus::Pending));
	});
}

#[test]
fn a_node_finds_no_other_provider_in_a_pause_and_does_afterwards() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 1, PRICE);
		let lease = order(RENTER, with_failover(terms(1), 0));
		attest(lease);
		post(OTHER_PROVIDER, 1, PRICE);
		pause();
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		run_blocks(20);
		assert_eq!(node(lease, 0).provider, PROVIDER);
		resume();
		run_blocks(10);
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
	});
}
