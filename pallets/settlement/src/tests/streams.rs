use super::{attest, attest_and_mature, open_for, record, settle, ID, RATE, S};
use crate::{
	mock::{build_and_execute, events, pass, Settlement, Test, MATURE, PROVIDER, RENTER, STRANGER},
	Error, Event, PayeeEscrows, MAX_STREAMS,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Accrued, Asset, Escrow, StreamId};

#[test]
fn streams_are_numbered_within_their_escrow() {
	build_and_execute(|| {
		open_for(1_000);
		events();
		assert_eq!(Settlement::add_stream(ID, &STRANGER, 5), Ok(StreamId(1)));
		let added = Event::StreamAdded { escrow: ID, stream: StreamId(1), payee: STRANGER, rate: 5 };
		assert_eq!(events(), vec![added]);
		assert_eq!(PayeeEscrows::<Test>::get(STRANGER, ID), 1);
	});
}

#[test]
fn nobody_pays_themselves() {
	build_and_execute(|| {
		open_for(1_000);
		assert_noop!(Settlement::add_stream(ID, &RENTER, RATE), Error::<Test>::PayerIsPayee);
	});
}

#[test]
fn streams_need_an_open_escrow() {
	build_and_execute(|| {
		assert_noop!(Settlement::add_stream(ID, &PROVIDER, RATE), Error::<Test>::UnknownEscrow);
		assert_noop!(Settlement::end_stream(ID, S), Error::<Test>::UnknownEscrow);
		open_for(1_000);
		assert_noop!(Settlement::end_stream(ID, StreamId(1)), Error::<Test>::UnknownStream);
		attest(1);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::add_stream(ID, &PROVIDER, RATE), Error::<Test>::EscrowClosed);
		assert_noop!(Settlement::end_stream(ID, S), Error::<Test>::EscrowClosed);
	});
}

#[test]
fn an_ended_stream_earns_no_more_and_is_still_paid() {
	build_and_execute(|| {
		open_for(1_000);
		attest(400);
		events();
		assert_ok!(Settlement::end_stream(ID, S));
		assert_eq!(events(), vec![Event::StreamEnded { escrow: ID, stream: S }]);
		assert_noop!(Settlement::end_stream(ID, S), Error::<Test>::StreamEnded);
		assert_noop!(Settlement::accrue(ID, S, 1), Error::<Test>::StreamEnded);
		attest_later_and_settle();
		assert_eq!((record().paid, record().fee), (392, 8));
	});
}

fn attest_later_and_settle() {
	pass(MATURE);
	settle();
}

#[test]
fn streams_that_are_over_make_room() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1_000_000));
		for _ in 0..MAX_STREAMS {
			assert_ok!(Settlement::add_stream(ID, &PROVIDER, RATE));
		}
		assert_noop!(Settlement::add_stream(ID, &STRANGER, RATE), Error::<Test>::TooManyStreams);
		assert_eq!(PayeeEscrows::<Test>::get(PROVIDER, ID), MAX_STREAMS);
		// One that is owed nothing goes at once, one that is owed something when it is paid.
		attest(100);
		assert_ok!(Settlement::end_stream(ID, StreamId(1)));
		assert_eq!(Settlement::add_stream(ID, &STRANGER, RATE), Ok(StreamId(MAX_STREAMS)));
		assert_ok!(Settlement::end_stream(ID, S));
		assert_noop!(Settlement::add_stream(ID, &STRANGER, RATE), Error::<Test>::TooManyStreams);
		attest_later_and_settle();
		assert_noop!(Settlement::accrue(ID, S, 1), Error::<Test>::UnknownStream);
		assert_ok!(Settlement::add_stream(ID, &STRANGER, RATE));
		assert_eq!(PayeeEscrows::<Test>::get(PROVIDER, ID), MAX_STREAMS - 2);
		// What they were paid stays in the totals.
		assert_eq!((record().paid, record().fee, record().attested_ms), (98, 2, 100));
		assert_ok!(Settlement::close(ID));
		assert_eq!(PayeeEscrows::<Test>::iter().count(), 0);
	});
}

#[test]
fn streams_share_what_is_free_and_nothing_else() {
	build_and_execute(|| {
		open_for(1_000);
		let second = Settlement::add_stream(ID, &STRANGER, 2 * RATE).unwrap();
		attest(400);
		assert_eq!(Settlement::accrue(ID, second, 400), Ok(Accrued { ms: 300, amount: 600 }));
		assert_eq!(Settlement::accrue(ID, S, 1), Ok(Accrued::default()));
		attest_and_mature(0);
		settle();
		// Each has its own fee: 8 of 400 and 12 of 600.
		assert_eq!((record().paid, record().fee), (980, 20));
	});
}
