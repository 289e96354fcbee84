//! The term: extending and shortening it.

use super::funding::{events_of_close, free, open_funded, RATE};
use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{AskTerms, CloseReason, LeaseId, OrderTerms, Term};
use sp_runtime::DispatchError;

type E = Error<Test>;

fn extend(who: AccountId, lease: LeaseId, extra_ms: u64) -> Result<(), DispatchError> {
	Leases::extend(RuntimeOrigin::signed(who), lease, extra_ms)
}

fn shrink(who: AccountId, lease: LeaseId, term_ms: u64) -> Result<(), DispatchError> {
	Leases::shrink(RuntimeOrigin::signed(who), lease, term_ms)
}

#[test]
fn an_extension_holds_its_price_and_moves_the_end() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		events();
		// Before it is ready there is no end to move.
		assert_ok!(extend(RENTER, lease, MINUTE));
		let amount = RATE * 60;
		assert_eq!(events(), vec![Event::LeaseExtended { lease, extra_ms: MINUTE, amount, ends_at: None }]);
		attest(lease);
		assert_eq!(record(lease).ends_at, Some(START + 11 * MINUTE));
		events();
		assert_ok!(extend(RENTER, lease, 5));
		// 0.2 plancks per millisecond, five of them: exactly one.
		let ends_at = Some(START + 11 * MINUTE + 5);
		assert_eq!(events(), vec![Event::LeaseExtended { lease, extra_ms: 5, amount: 1, ends_at }]);
		assert_eq!(held_of(lease), RATE * 660 + 1);
	});
}

#[test]
fn an_extension_pays_for_a_replacement_too() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE - 10);
		let lease = order(RENTER, with_failover(terms(2), 10));
		let before = held_of(lease);
		assert_eq!(before, 2 * 99 * 600);
		assert_ok!(extend(RENTER, lease, MINUTE));
		assert_eq!(held_of(lease), before + 2 * 99 * 60);
	});
}

#[test]
fn an_extension_needs_a_lease_of_ones_own_time_and_money() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		assert_noop!(Leases::extend(RuntimeOrigin::none(), lease, 1), DispatchError::BadOrigin);
		assert_noop!(extend(RENTER, LeaseId(9), 1), E::UnknownLease);
		assert_noop!(extend(PROVIDER, lease, 1), E::NotRenter);
		assert_noop!(extend(RENTER, lease, 0), E::ZeroExtension);
		assert_noop!(extend(RENTER, lease, 50 * MINUTE + 1), E::TermTooLong);
		assert_noop!(extend(RENTER, lease, u64::MAX), E::TermTooLong);
		Now::set(START + 10 * MINUTE);
		assert_noop!(extend(RENTER, lease, 1), E::LeaseIsOver);
		Now::set(START + 10 * MINUTE - 1);
		assert_ok!(extend(RENTER, lease, 50 * MINUTE));
		assert_eq!(record(lease).term_ms, Some(MaxTerm::get()));
	});
}

#[test]
fn an_extension_keeps_to_what_the_ask_allows() {
	ExtBuilder.build_and_execute(|| {
		post_terms(PROVIDER, AskTerms { max_term_ms: Some(12 * MINUTE), ..ask_terms(8, PRICE) });
		let lease = order(RENTER, terms(2));
		assert_noop!(extend(RENTER, lease, 2 * MINUTE + 1), E::TermTooLong);
		assert_ok!(extend(RENTER, lease, 2 * MINUTE));
	});
}

#[test]
fn an_open_ended_lease_has_no_term_to_change() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_funded();
		assert_noop!(extend(RENTER, lease, 1), E::OpenEnded);
		assert_noop!(shrink(RENTER, lease, MINUTE), E::OpenEnded);
	});
}

#[test]
fn an_extension_beyond_the_free_balance_is_refused() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let lease = order(POOR, OrderTerms { term: Term::Fixed { ms: 400_000 }, ..terms(1) });
		assert_noop!(extend(POOR, lease, 1_600_000), E::InsufficientFunds);
		assert_ok!(extend(POOR, lease, 1_599_000));
	});
}

#[test]
fn an_amount_beyond_a_balance_cannot_be_extended_by() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		crate::Leases::<Test>::mutate_extant(lease, |lease| lease.nodes[0].max_price = u128::MAX);
		assert_noop!(extend(RENTER, lease, MINUTE), E::AmountTooLarge);
		assert_noop!(shrink(RENTER, lease, MINUTE), E::AmountTooLarge);
	});
}

#[test]
fn a_shorter_term_gives_back_what_it_does_not_need() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		serve_blocks(lease, 60);
		events();
		assert_ok!(shrink(RENTER, lease, 5 * MINUTE));
		let ends_at = Some(START + 5 * MINUTE);
		let amount = RATE * 300;
		assert_eq!(events(), vec![Event::LeaseShrunk { lease, term_ms: 5 * MINUTE, amount, ends_at }]);
		assert_eq!(Balances::free_balance(RENTER), RICH - RATE * 300);
		// It ends then, fully funded.
		serve_blocks(lease, 240);
		events_of_close(lease, CloseReason::Completed, 5 * MINUTE);
		assert_eq!(Balances::free_balance(RENTER), RICH - RATE * 300);
	});
}

#[test]
fn a_shorter_term_keeps_what_was_served_and_is_not_attested_yet() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		serve_blocks(lease, 60);
		run_blocks(10);
		assert_ok!(shrink(RENTER, lease, 70 * SLOT));
		assert_eq!(free(lease), RATE * 10);
		attest(lease);
		events_of_close(lease, CloseReason::Completed, 70 * SLOT);
	});
}

#[test]
fn a_shorter_term_keeps_what_a_replacement_may_cost() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(terms(2), 10));
		assert_ok!(shrink(RENTER, lease, 5 * MINUTE));
		assert_eq!(free(lease), 2 * 110 * 300);
	});
}

#[test]
fn a_term_is_shortened_by_its_renter_within_bounds() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		serve_blocks(lease, 60);
		assert_noop!(Leases::shrink(RuntimeOrigin::none(), lease, 1), DispatchError::BadOrigin);
		assert_noop!(shrink(RENTER, LeaseId(9), 5 * MINUTE), E::UnknownLease);
		assert_noop!(shrink(PROVIDER, lease, 5 * MINUTE), E::NotRenter);
		assert_noop!(shrink(RENTER, lease, 10 * MINUTE), E::NotShorter);
		assert_noop!(shrink(RENTER, lease, MINUTE - 1), E::TermTooShort);
		assert_noop!(shrink(RENTER, lease, MinTerm::get() - 1), E::TermTooShort);
		assert_ok!(shrink(RENTER, lease, MINUTE));
		assert_noop!(shrink(RENTER, lease, MINUTE - 1), E::LeaseIsOver);
	});
}

#[test]
fn a_pending_lease_is_shortened_to_the_shortest_term_at_least() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_noop!(shrink(RENTER, lease, MinTerm::get() - 1), E::TermTooShort);
		assert_ok!(shrink(RENTER, lease, MinTerm::get()));
		assert_eq!(held_of(lease), RATE * 10);
	});
}
