//! Tests, one file per subject.

mod accepting;
mod accruing;
mod assets;
mod closing;
mod complaints;
mod contesting;
mod finishing;
mod opening;
mod random_lives;
mod reading;
mod settling;
mod streams;
mod try_state;
mod voiding;

use crate::{
	mock::{pass, AccountId, RuntimeOrigin, Settlement, Test, MATURE, PROVIDER, RENTER, STRANGER},
	EscrowRecord, Escrows, Stream,
};
use frame_support::assert_ok;
use millrace_primitives::{Asset, Balance, Escrow, EscrowId, StreamId};

/// The escrow of most tests.
const ID: EscrowId = EscrowId(7);
/// Its first stream.
const S: StreamId = StreamId(0);
/// The rate of that: 1,000 plancks per second, which is one per millisecond.
const RATE: Balance = 1_000;

/// Opens `ID` with a stream from the renter to the provider for that many milliseconds, which are as many plancks.
fn open_for(ms: u64) {
	open_in(Asset::Native, PROVIDER, ms);
}

/// Opens `ID` in an asset, with a stream of one unit per millisecond to a payee.
fn open_in(asset: Asset, payee: AccountId, deposit: u64) {
	assert_ok!(Settlement::open(ID, &RENTER, asset, deposit.into()));
	assert_eq!(Settlement::add_stream(ID, &payee, RATE), Ok(S));
}

/// Adds that many milliseconds of attested time to the first stream of `ID`.
fn attest(ms: u64) {
	assert_ok!(Settlement::accrue(ID, S, ms));
}

/// As `attest`, and what it earned has outlived the contest window.
fn attest_and_mature(ms: u64) {
	attest(ms);
	pass(MATURE);
}

/// A stranger settles `ID`.
fn settle() {
	assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID));
}

fn record() -> EscrowRecord<AccountId> {
	Escrows::<Test>::get(ID).unwrap()
}

fn stream() -> Stream<AccountId> {
	record().stream(S).unwrap().clone()
}
