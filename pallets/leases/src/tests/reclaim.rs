//! Providers that give notice, and those that leave.

use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskTerms, CloseReason, FaultCause, LeaseId, LeaseStatus, NodeIndex, NodeStatus, OrderTerms, Term,
};
use sp_runtime::DispatchError;

type E = Error<Test>;

const NODE: NodeIndex = NodeIndex(0);
/// The notice of the mock's asks.
const NOTICE: u64 = 2 * MINUTE;
/// Most that leaving a node of two GPUs can cost.
const MOST: u128 = 2 * GPU_BOND / 5;

fn reclaim(who: AccountId, lease: LeaseId) -> Result<(), DispatchError> {
	Leases::reclaim(RuntimeOrigin::signed(who), lease)
}

fn leave(who: AccountId, lease: LeaseId) -> Result<(), DispatchError> {
	Leases::leave(RuntimeOrigin::signed(who), lease).map(drop).map_err(|error| error.error)
}

fn penalty(events: &[Event<Test>]) -> Option<u128> {
	events.iter().find_map(|event| match event {
		Event::ProviderLeft { penalty, .. } => Some(*penalty),
		_ => None,
	})
}

fn reason(events: &[Event<Test>]) -> Option<CloseReason> {
	events.iter().find_map(|event| match event {
		Event::LeaseClosed { reason, .. } => Some(*reason),
		_ => None,
	})
}

/// A lease of two GPUs at a price of one each, so that the penalty stays below its limit, in its first minute.
fn open_cheap() -> LeaseId {
	post(PROVIDER, 8, 1);
	let lease = order(RENTER, terms(2));
	attest(lease);
	lease
}

#[test]
fn a_notice_runs_for_as_long_as_the_ask_promised_at_the_full_price() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		run_blocks(10);
		attest(lease);
		events();
		assert_ok!(reclaim(PROVIDER, lease));
		let until = Now::get() + NOTICE;
		assert_eq!(events(), vec![Event::NoticeGiven { lease, node: NODE, until }]);
		assert_eq!(node_status(lease, 0), NodeStatus::Reclaiming { until });
		serve_blocks(lease, 119);
		assert_eq!((status(lease), attested_ms(lease)), (Some(LeaseStatus::Active), 129 * SLOT));
		// WHEN it is served
		events();
		run_blocks(1);
		// THEN the provider is out, without a penalty
		let events = events();
		let cause = FaultCause::Reclaimed;
		assert!(events.contains(&Event::NodeFaulted { lease, node: NODE, provider: PROVIDER, cause }));
		assert_eq!((reason(&events), penalty(&events)), (Some(CloseReason::ProviderReclaimed), None));
		assert_eq!(RegistryPenalties::get(PROVIDER), None);
		assert_eq!(Balances::free_balance(RENTER), RICH - 2 * PRICE * 129);
	});
}

#[test]
fn a_notice_is_given_once_by_a_provider_that_serves() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_noop!(Leases::reclaim(RuntimeOrigin::none(), lease), DispatchError::BadOrigin);
		assert_noop!(reclaim(PROVIDER, LeaseId(9)), E::UnknownLease);
		assert_noop!(reclaim(RENTER, lease), E::NotServing);
		assert_noop!(reclaim(OTHER_PROVIDER, lease), E::NotServing);
		assert_noop!(reclaim(PROVIDER, lease), E::InvalidTransition);
		attest(lease);
		suspend(lease, PROVIDER);
		assert_noop!(reclaim(PROVIDER, lease), E::InvalidTransition);
		attest(lease);
		assert_ok!(reclaim(PROVIDER, lease));
		assert_noop!(reclaim(PROVIDER, lease), E::NoticeAlreadyGiven);
		suspend(lease, PROVIDER);
		assert_noop!(reclaim(PROVIDER, lease), E::NoticeAlreadyGiven);
		Now::set(START + 10 * MINUTE);
		assert_noop!(reclaim(PROVIDER, lease), E::LeaseIsOver);
		assert_noop!(leave(PROVIDER, lease), E::LeaseIsOver);
	});
}

#[test]
fn a_notice_goes_on_while_the_node_is_suspended() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		assert_ok!(reclaim(PROVIDER, lease));
		let until = START + NOTICE;
		run_blocks(30);
		suspend(lease, PROVIDER);
		let since = Now::get();
		assert_eq!(node_status(lease, 0), NodeStatus::Suspended { since, leaves_at: Some(until) });
		// Back in time: the notice stands.
		attest(lease);
		assert_eq!(node_status(lease, 0), NodeStatus::Reclaiming { until });
		suspend(lease, PROVIDER);
		run_blocks(89);
		assert!(status(lease).is_some());
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::ProviderReclaimed));
	});
}

#[test]
fn who_goes_dark_for_long_during_a_notice_is_at_fault() {
	ExtBuilder.build_and_execute(|| {
		post_terms(PROVIDER, AskTerms { reclaim_notice_ms: 5 * MINUTE, ..ask_terms(8, PRICE) });
		let lease = order(RENTER, terms(2));
		attest(lease);
		assert_ok!(reclaim(PROVIDER, lease));
		suspend(lease, PROVIDER);
		run_blocks(119);
		assert!(status(lease).is_some());
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::ProviderDark));
	});
}

#[test]
fn a_notice_that_the_term_outruns_changes_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		serve_blocks(lease, 500);
		assert_ok!(reclaim(PROVIDER, lease));
		serve_blocks(lease, 100);
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::Completed));
	});
}

#[test]
fn leaving_costs_the_rest_of_the_notice() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_cheap();
		run_blocks(10);
		attest(lease);
		events();
		let (renter, provider) = (Balances::free_balance(RENTER), Balances::free_balance(PROVIDER));
		let held = held_of(lease);
		assert_ok!(leave(PROVIDER, lease));
		// Two GPUs at one a second for two minutes.
		let due = 2 * 120;
		let events = events();
		let left = Event::ProviderLeft { lease, node: NODE, provider: PROVIDER, penalty: due };
		assert_eq!(events[0], left);
		assert_eq!(reason(&events), Some(CloseReason::ProviderLeft));
		// What was attested is paid all the same.
		assert_eq!(Balances::free_balance(PROVIDER), provider - due + 20);
		assert_eq!(Balances::free_balance(RENTER), renter + due + held - 20);
	});
}

#[test]
fn leaving_costs_less_when_part_of_the_notice_is_served() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_cheap();
		assert_ok!(reclaim(PROVIDER, lease));
		run_blocks(90);
		suspend(lease, PROVIDER);
		run_blocks(1);
		assert_ok!(leave(PROVIDER, lease));
		assert_eq!(penalty(&events()), Some(2 * 29));
	});
}

#[test]
fn leaving_near_the_end_costs_the_rest_of_the_term() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let lease = order(RENTER, OrderTerms { term: Term::Fixed { ms: MINUTE }, ..terms(2) });
		attest(lease);
		run_blocks(50);
		assert_ok!(leave(PROVIDER, lease));
		assert_eq!(penalty(&events()), Some(2 * 10));
	});
}

#[test]
fn leaving_costs_a_fifth_of_the_lease_bond_at_most() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		assert_ok!(leave(PROVIDER, lease));
		assert_eq!(penalty(&events()), Some(MOST));
		assert_eq!(RegistryPenalties::get(PROVIDER), Some(MOST));
	});
}

#[test]
fn leaving_a_lease_in_another_asset_costs_that_part_of_the_most_which_is_left_of_the_notice() {
	ExtBuilder.build_and_execute(|| {
		tokens_to(RENTER, 7, RICH);
		post_terms(PROVIDER, AskTerms { asset: TOKEN, ..ask_terms(8, PRICE) });
		let lease = order(RENTER, OrderTerms { asset: TOKEN, ..terms(2) });
		attest(lease);
		assert_ok!(reclaim(PROVIDER, lease));
		run_blocks(90);
		attest(lease);
		assert_ok!(leave(PROVIDER, lease));
		assert_eq!(penalty(&events()), Some(MOST / 4));
	});
}

#[test]
fn leaving_before_it_was_ready_costs_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_noop!(Leases::leave(RuntimeOrigin::none(), lease), DispatchError::BadOrigin);
		assert_noop!(leave(PROVIDER, LeaseId(9)), E::UnknownLease);
		assert_noop!(leave(RENTER, lease), E::NotServing);
		assert_ok!(leave(PROVIDER, lease));
		let events = events();
		assert_eq!((penalty(&events), reason(&events)), (Some(0), Some(CloseReason::ProviderLeft)));
		assert_eq!(RegistryPenalties::get(PROVIDER), None);
		assert_noop!(leave(PROVIDER, lease), E::UnknownLease);
	});
}

#[test]
fn a_penalty_that_cannot_move_keeps_the_provider() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		// GIVEN a provider that the registry's model cannot charge
		let everything = Balances::free_balance(PROVIDER) - 1;
		assert_ok!(Balances::transfer_keep_alive(RuntimeOrigin::signed(PROVIDER), STRANGER, everything));
		assert!(leave(PROVIDER, lease).is_err());
	});
}
