//! Tests, one file per subject.

mod accruing;
mod closing;
mod opening;
mod random_lives;
mod settling;
mod try_state;

use crate::mock::{Settlement, PROVIDER, RENTER};
use millrace_primitives::{Balance, Escrow, EscrowId};

/// The escrow of most tests.
const ID: EscrowId = EscrowId(7);
/// Its rate: 1,000 plancks per second, which is one per millisecond.
const RATE: Balance = 1_000;

/// Opens `ID` from the renter to the provider for that many milliseconds, which are as many plancks.
fn open_for(ms: u64) {
	Settlement::open(ID, &RENTER, &PROVIDER, RATE, Balance::from(ms)).unwrap();
}

/// Adds that many milliseconds of attested time to `ID`.
fn attest(ms: u64) {
	Settlement::accrue(ID, ms).unwrap();
}
