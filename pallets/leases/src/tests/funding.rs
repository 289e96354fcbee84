//! Funds: topping up; the warning, the freeze and the thaw.

use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskTerms, CloseReason, Escrow, FaultCause, LeaseId, LeaseStatus, NodeStatus, OrderTerms, Term,
};
use sp_runtime::DispatchError;

type E = Error<Test>;

/// What a lease of two GPUs costs in a second.
pub(super) const RATE: u128 = 2 * PRICE;

/// An open-ended lease of two GPUs, ready at [`START`] and funded for ten minutes.
pub(super) fn open_funded() -> LeaseId {
	post(PROVIDER, 8, PRICE);
	let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
	attest(lease);
	lease
}

fn top_up(who: AccountId, lease: LeaseId, amount: u128) -> Result<(), DispatchError> {
	Leases::top_up(RuntimeOrigin::signed(who), lease, amount)
}

pub(super) fn free(lease: LeaseId) -> u128 {
	Till::free(lease.into()).unwrap()
}

/// Warnings, freezes and thaws since the last call.
fn funding_events() -> Vec<Event<Test>> {
	let is_funding = |event: &Event<Test>| {
		matches!(event, Event::LowBalance { .. } | Event::LeaseFrozen { .. } | Event::LeaseThawed { .. })
	};
	events().into_iter().filter(is_funding).collect()
}

fn closed(events: &[Event<Test>]) -> Option<(CloseReason, u64)> {
	events.iter().find_map(|event| match event {
		Event::LeaseClosed { reason, attested_ms, .. } => Some((*reason, *attested_ms)),
		_ => None,
	})
}

#[test]
fn low_funds_warn_then_freeze_then_close() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		let (freezes_at, funded_until) = (START + 9 * MINUTE, START + 10 * MINUTE);
		assert_eq!(Leases::funds_end(lease, &record(lease)), Some(funded_until));
		serve_blocks(lease, 299);
		assert_eq!(funding_events(), vec![]);
		serve_blocks(lease, 1);
		assert_eq!(funding_events(), vec![Event::LowBalance { lease, freezes_at, funded_until }]);
		// Once.
		serve_blocks(lease, 239);
		assert_eq!((funding_events(), status(lease)), (vec![], Some(LeaseStatus::Active)));
		serve_blocks(lease, 1);
		assert_eq!(funding_events(), vec![Event::LeaseFrozen { lease, funded_until }]);
		assert_eq!(status(lease), Some(LeaseStatus::Frozen { since: freezes_at }));
		// The GPUs are held, and paid.
		serve_blocks(lease, 60);
		assert_eq!((attested_ms(lease), free(lease)), (10 * MINUTE, 0));
		events();
		run_blocks(1);
		assert_eq!(closed(&events()), Some((CloseReason::FundsExhausted, 10 * MINUTE)));
		assert_eq!(Balances::free_balance(RENTER), RICH - RATE * 600);
	});
}

#[test]
fn the_report_after_the_end_of_the_funds_bills_up_to_that_and_no_more() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 595);
		run_blocks(10);
		assert!(status(lease).is_some());
		events();
		attest(lease);
		assert!(matches!(events()[..], [Event::LeaseAttested { ms, .. }] if ms == 5 * SLOT));
		run_blocks(1);
		assert_eq!(closed(&events()), Some((CloseReason::FundsExhausted, 10 * MINUTE)));
	});
}

#[test]
fn funds_are_not_used_up_by_time_that_nobody_attests() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 595);
		run_blocks(100);
		assert_eq!((attested_ms(lease), free(lease)), (595 * SLOT, RATE * 5));
		// The reports' absence ends it, not the funds.
		suspend(lease, PROVIDER);
		run_blocks(120);
		assert_eq!(closed(&events()), Some((CloseReason::ProviderDark, 595 * SLOT)));
	});
}

#[test]
fn a_stall_of_the_chain_uses_up_no_funds() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 60);
		events();
		next_block_after(30 * MINUTE);
		run_blocks(5);
		attest(lease);
		assert_eq!((status(lease), funding_events()), (Some(LeaseStatus::Active), vec![]));
		assert_eq!(Leases::funds_end(lease, &record(lease)), Some(Now::get() + 9 * MINUTE));
	});
}

#[test]
fn a_top_up_thaws_and_the_lease_is_warned_of_again() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 550);
		events();
		// Nine minutes more: 50 s of the ten minutes are left.
		assert_ok!(top_up(RENTER, lease, RATE * 540));
		let funded_until = Some(START + 19 * MINUTE);
		let events = events();
		assert_eq!(
			events,
			vec![
				Event::LeaseToppedUp { lease, amount: RATE * 540, funded_until },
				Event::LeaseThawed { lease },
			]
		);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		// 19 minutes less one and four.
		serve_blocks(lease, 14 * 60 - 550 - 1);
		assert_eq!(funding_events(), vec![]);
		serve_blocks(lease, 1);
		assert!(matches!(funding_events()[..], [Event::LowBalance { .. }]));
		serve_blocks(lease, 300);
		events_of_close(lease, CloseReason::FundsExhausted, 19 * MINUTE);
	});
}

pub(super) fn events_of_close(lease: LeaseId, reason: CloseReason, attested: u64) {
	run_blocks(1);
	assert_eq!((status(lease), closed(&events())), (None, Some((reason, attested))));
}

#[test]
fn a_top_up_that_is_not_enough_leaves_it_frozen() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 550);
		events();
		// 50 s are left, and ten come to them: no more than the grace.
		assert_ok!(top_up(RENTER, lease, RATE * 10));
		assert_eq!(funding_events(), vec![]);
		assert!(matches!(status(lease), Some(LeaseStatus::Frozen { .. })));
		// One more second is.
		assert_ok!(top_up(RENTER, lease, RATE));
		assert_eq!(funding_events(), vec![Event::LeaseThawed { lease }]);
		// It is warned of and frozen again as soon as that is due.
		run_blocks(1);
		assert!(matches!(funding_events()[..], [Event::LowBalance { .. }, Event::LeaseFrozen { .. }]));
	});
}

#[test]
fn a_top_up_needs_a_lease_of_ones_own_an_amount_and_money() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_noop!(Leases::top_up(RuntimeOrigin::none(), lease, 1), DispatchError::BadOrigin);
		assert_noop!(top_up(RENTER, LeaseId(9), 1), E::UnknownLease);
		assert_noop!(top_up(OTHER_RENTER, lease, 1), E::NotRenter);
		assert_noop!(top_up(RENTER, lease, 0), E::ZeroAmount);
		assert_noop!(top_up(RENTER, lease, RICH), E::InsufficientFunds);
		// A pending lease, and one with a fixed term, may have more than they need.
		assert_ok!(top_up(RENTER, lease, 5));
		let topped_up = Event::LeaseToppedUp { lease, amount: 5, funded_until: None };
		assert_eq!(events().pop(), Some(topped_up));
		assert_eq!(free(lease), RATE * 600 + 5);
		attest(lease);
		Now::set(START + 10 * MINUTE);
		assert_noop!(top_up(RENTER, lease, 1), E::LeaseIsOver);
	});
}

#[test]
fn a_top_up_is_in_the_asset_of_the_lease() {
	ExtBuilder.build_and_execute(|| {
		tokens_to(RENTER, 7, RATE * 700);
		post_terms(PROVIDER, AskTerms { asset: TOKEN, ..ask_terms(8, PRICE) });
		let lease = order(RENTER, OrderTerms { asset: TOKEN, ..open_ended(terms(2), 10 * MINUTE) });
		attest(lease);
		assert_noop!(top_up(RENTER, lease, RATE * 101), E::InsufficientFunds);
		assert_ok!(top_up(RENTER, lease, RATE * 100));
		assert_eq!((token_balance(RENTER, 7), Balances::free_balance(RENTER)), (0, RICH));
	});
}

#[test]
fn a_suspended_node_of_a_frozen_lease_comes_back_frozen() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		serve_blocks(lease, 550);
		suspend(lease, PROVIDER);
		assert_eq!(Leases::funds_end(lease, &record(lease)), None);
		run_blocks(60);
		attest(lease);
		assert!(matches!(status(lease), Some(LeaseStatus::Frozen { .. })));
		// The rest is still paid, later.
		serve_blocks(lease, 50);
		events_of_close(lease, CloseReason::FundsExhausted, 10 * MINUTE);
	});
}

#[test]
fn the_nodes_of_a_gang_share_the_funds() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, open_ended(gang(2, 1), 10 * MINUTE));
		attest(lease);
		serve_blocks(lease, 300);
		assert!(matches!(funding_events()[..], [Event::LowBalance { .. }]));
		// While one of them is dark, the other's part lasts longer.
		suspend(lease, PROVIDER);
		assert_eq!(Leases::funds_end(lease, &record(lease)), Some(Now::get() + 10 * MINUTE));
		run_blocks(10);
		attest_by(lease, OTHER_PROVIDER);
		attest_by(lease, PROVIDER);
		// 20 s less than ten minutes are left for both: half of it.
		assert_eq!(free(lease), 2 * PRICE * 300 - PRICE * 10);
		assert_eq!(Leases::funds_end(lease, &record(lease)), Some(Now::get() + 295 * SLOT));
	});
}

#[test]
fn a_fixed_term_is_funded_to_its_end_and_never_frozen() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN prices whose parts of a second are not whole, and nodes whose reports come at different times
		for (provider, price) in [(PROVIDER, 1), (OTHER_PROVIDER, 2), (THIRD_PROVIDER, 3)] {
			post(provider, 8, price);
		}
		let terms = OrderTerms { term: Term::Fixed { ms: 10 * MINUTE + 7 }, ..gang(3, 1) };
		let lease = order(RENTER, terms);
		attest(lease);
		for block in 0..120 {
			next_block_after(5_003);
			attest_by(lease, 1 + block % 3);
			assert_eq!(status(lease), Some(LeaseStatus::Active));
		}
		assert_eq!(funding_events(), vec![]);
		attest(lease);
		run_blocks(1);
		assert_eq!(closed(&events()).unwrap().0, CloseReason::Completed);
	});
}

#[test]
fn funds_end_before_it_is_ready_and_while_nobody_serves_is_not_known() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(open_ended(terms(2), 10 * MINUTE), 0));
		assert_eq!(Leases::funded_until(lease), None);
		attest(lease);
		assert_eq!(Leases::funded_until(lease), Some(START + 10 * MINUTE));
		suspend(lease, PROVIDER);
		run_blocks(120);
		let cause = FaultCause::Dark;
		assert_eq!(node_status(lease, 0), NodeStatus::Faulted { since: Now::get(), cause });
		assert_eq!(Leases::funded_until(lease), None);
		assert_eq!(Leases::funded_until(LeaseId(9)), None);
	});
}
