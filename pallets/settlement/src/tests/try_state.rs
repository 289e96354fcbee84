use super::{attest, attest_and_mature, open_for, settle, ID, S};
use crate::{
	mock::{build_and_execute, AccountId, Balances, RuntimeOrigin, Settlement, Test, PROVIDER, RENTER},
	Bucket, Contests, EscrowRecord, Escrows, HoldReason, Pallet, PayeeEscrows, Stream,
};
use frame_support::{
	assert_ok, hypothetically,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::{BlobHash, Escrow, StreamId};
use sp_runtime::TryRuntimeError;

/// Corrupts something and expects the invariant to be named.
fn fails(with: &'static str, corrupt: impl FnOnce()) {
	hypothetically!({
		corrupt();
		assert_eq!(Pallet::<Test>::do_try_state(), Err(TryRuntimeError::Other(with)));
	});
}

fn escrow(corrupt: impl FnOnce(&mut EscrowRecord<AccountId>)) {
	Escrows::<Test>::mutate(ID, |escrow| corrupt(escrow.as_mut().unwrap()));
}

fn stream(corrupt: impl FnOnce(&mut Stream<AccountId>)) {
	escrow(|escrow| corrupt(escrow.stream_mut(S).unwrap()));
}

/// An escrow with something of everything: 1,000 paid, 500 contested, 400 maturing.
fn build() {
	open_for(10_000);
	attest_and_mature(1_000);
	settle();
	attest(500);
	assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
	attest(400);
	assert_ok!(Pallet::<Test>::do_try_state());
}

#[test]
fn holds_that_differ_from_the_ledger_are_noticed() {
	build_and_execute(|| {
		build();
		fails("1: hold differs from ledger", || escrow(|escrow| escrow.deposited += 1));
		let release = |reason: HoldReason| {
			assert_ok!(Balances::release(&reason.into(), &RENTER, 1, Precision::Exact));
		};
		fails("1: hold differs from ledger", || release(HoldReason::Escrow));
		fails("2: bonds differ from contests", || release(HoldReason::ContestBond));
	});
}

#[test]
fn more_owed_than_held_is_noticed() {
	build_and_execute(|| {
		build();
		fails("3: more is owed than is held", || escrow(|escrow| escrow.refunded = 8_101));
		fails("3: amounts overflow", || escrow(|escrow| escrow.refunded = u128::MAX));
	});
}

#[test]
fn streams_that_do_not_add_up_are_noticed() {
	build_and_execute(|| {
		build();
		fails("4: earned differs from time", || stream(|stream| stream.attested_ms += 1));
		fails("4: earned differs from time", || stream(|stream| stream.rate = u128::MAX));
		fails("4: parts exceed what was earned", || stream(|stream| stream.forfeited = 1));
		let settled_unpaid = || {
			escrow(|escrow| {
				escrow.paid -= 1;
				escrow.refunded += 1;
			});
		};
		fails("4: streams were paid more than their escrow", settled_unpaid);
		fails("5: nothing matures", || stream(|stream| stream.maturing[0].amount = 0));
		let push = Bucket { matures_at: 0, amount: 1 };
		fails("5: buckets out of order", || {
			stream(|stream| {
				stream.maturing[0].amount -= 1;
				stream.maturing.try_push(push).unwrap();
			});
		});
	});
}

#[test]
fn lists_of_streams_that_are_not_kept_are_noticed() {
	build_and_execute(|| {
		build();
		fails("6: stream without a number", || escrow(|escrow| escrow.next_stream = StreamId(0)));
		assert_ok!(Settlement::add_stream(ID, &PROVIDER, 1));
		fails("6: stream is over", || escrow(|escrow| escrow.streams[1].ended = true));
		fails("6: streams out of order", || escrow(|escrow| escrow.streams[1].id = S));
		fails("7: stream of a closed escrow", || escrow(|escrow| escrow.closed = true));
		fails("10: payer is payee", || stream(|stream| stream.payee = RENTER));
	});
}

#[test]
fn a_closed_escrow_that_holds_nothing_is_noticed() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, millrace_primitives::Asset::Native, 0));
		fails("7: nothing is held of a closed escrow", || escrow(|escrow| escrow.closed = true));
	});
}

#[test]
fn contests_that_differ_from_streams_are_noticed() {
	build_and_execute(|| {
		build();
		fails("8: contests differ from streams", || {
			stream(|stream| {
				stream.contested = 0;
				stream.maturing.clear();
			});
		});
		let wrong = || Contests::<Test>::mutate(ID, S, |contest| contest.as_mut().unwrap().amount += 1);
		fails("8: contests differ from streams", wrong);
		fails("8: contest without an escrow", || Escrows::<Test>::remove(ID));
	});
}

#[test]
fn a_wrong_index_is_noticed() {
	build_and_execute(|| {
		build();
		fails("9: index differs from recount", || PayeeEscrows::<Test>::remove(PROVIDER, ID));
		fails("9: index differs from recount", || PayeeEscrows::<Test>::insert(RENTER, ID, 1));
		fails("9: index differs from recount", || PayeeEscrows::<Test>::insert(PROVIDER, ID, 2));
	});
}
