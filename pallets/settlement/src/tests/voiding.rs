use super::{attest, attest_and_mature, open_for, record, settle, stream, ID, S};
use crate::{
	mock::{
		bonded, build_and_execute, events, held, pass, Balances, RuntimeOrigin, Settlement, Test, BOND,
		MATURE, RENTER, STRANGER,
	},
	Contests, Error, Event, HoldReason,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::{Accrued, BlobHash, Closing, Escrow, StreamId};
use sp_runtime::TokenError;

fn contest() {
	assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
}

#[test]
fn what_was_not_paid_is_the_payers_again() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(1_000);
		settle();
		attest(2_000);
		contest();
		attest(500);
		events();
		assert_eq!(Settlement::void(ID), Ok(2_500));
		assert_eq!(
			events(),
			vec![
				Event::ContestDropped { escrow: ID, stream: S, bond: BOND },
				Event::Voided { escrow: ID, amount: 2_500 },
			]
		);
		assert_eq!((bonded(RENTER), Contests::<Test>::iter().count()), (0, 0));
		assert_eq!((Settlement::free(ID), Settlement::owed(ID)), (Some(9_000), Some(0)));
		assert_eq!(held(RENTER), 9_000);
		pass(MATURE);
		assert_storage_noop!(settle());
	});
}

#[test]
fn voided_time_can_be_earned_again() {
	build_and_execute(|| {
		open_for(1_000);
		attest(1_000);
		assert_eq!(Settlement::void(ID), Ok(1_000));
		assert_eq!(Settlement::accrue(ID, S, 2_000), Ok(Accrued { ms: 1_000, amount: 1_000 }));
		assert_eq!((stream().earned, stream().forfeited), (2_000, 1_000));
		pass(MATURE);
		settle();
		assert_eq!((record().paid, record().fee), (980, 20));
	});
}

#[test]
fn a_voided_escrow_closes_at_once() {
	build_and_execute(|| {
		open_for(1_000);
		attest(400);
		assert_ok!(Settlement::void(ID));
		let closing = Closing { refunded: 1_000, pending: 0, attested_ms: 400, next: None, streams: 0 };
		assert_eq!(Settlement::close(ID), Ok(closing));
	});
}

#[test]
fn streams_that_had_ended_go_with_what_they_were_owed() {
	build_and_execute(|| {
		open_for(1_000);
		attest(400);
		assert_ok!(Settlement::end_stream(ID, S));
		assert_ok!(Settlement::void(ID));
		assert!(record().streams.is_empty());
		assert_eq!(Settlement::add_stream(ID, &STRANGER, 1), Ok(StreamId(1)));
	});
}

#[test]
fn voiding_nothing_changes_nothing() {
	build_and_execute(|| {
		open_for(1_000);
		assert_storage_noop!(assert_eq!(Settlement::void(ID), Ok(0)));
	});
}

#[test]
fn voiding_needs_an_open_escrow() {
	build_and_execute(|| {
		assert_noop!(Settlement::void(ID), Error::<Test>::UnknownEscrow);
		open_for(1_000);
		attest(400);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::void(ID), Error::<Test>::EscrowClosed);
	});
}

#[test]
fn a_bond_that_cannot_be_returned_voids_nothing() {
	build_and_execute(|| {
		open_for(1_000);
		attest(400);
		contest();
		frame_support::hypothetically!({
			let reason = HoldReason::ContestBond.into();
			assert_ok!(Balances::release(&reason, &RENTER, 1, Precision::Exact));
			assert_noop!(Settlement::void(ID), TokenError::FundsUnavailable);
		});
	});
}
