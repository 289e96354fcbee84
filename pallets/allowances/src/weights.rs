//! Weights, counted by hand from the code and not yet benchmarked: database reads and writes of the worst case, an execution
//! time of the order that such calls take, and about 2,600 bytes of proof per key read.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{
		constants::{RocksDbWeight, WEIGHT_REF_TIME_PER_MICROS},
		RuntimeDbWeight, Weight,
	},
};

/// Proof bytes per key read: one leaf and its path.
const PROOF_PER_KEY: u64 = 2_600;

/// Weights of the calls.
pub trait WeightInfo {
	/// Of `grant`.
	fn grant() -> Weight;
	/// Of `revoke`.
	fn revoke() -> Weight;
	/// Of `renounce`.
	fn renounce() -> Weight;
	/// Of `spend`, without the call that is made.
	fn spend() -> Weight;
	/// Of `purge`.
	fn purge() -> Weight;
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// The weight of that many microseconds, reads and writes.
fn counted(db: RuntimeDbWeight, micros: u64, reads: u64, writes: u64) -> Weight {
	Weight::from_parts(micros.saturating_mul(WEIGHT_REF_TIME_PER_MICROS), reads.saturating_mul(PROOF_PER_KEY))
		.saturating_add(db.reads_writes(reads, writes))
}

macro_rules! weights {
	($($(#[$doc:meta])* $call:ident: $micros:expr, $reads:expr, $writes:expr;)*) => {
		impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
			$($(#[$doc])* fn $call() -> Weight { counted(T::DbWeight::get(), $micros, $reads, $writes) })*
		}
		impl WeightInfo for () {
			$($(#[$doc])* fn $call() -> Weight { counted(RocksDbWeight::get(), $micros, $reads, $writes) })*
		}
	};
}

weights! {
	/// `Allowances`, `Granted`, `System::Account`, `Balances::Holds` (read, write); `Timestamp::Now` (read).
	grant: 50, 5, 4;
	/// `Allowances`, `Granted`, `System::Account`, `Balances::Holds` (read, write).
	revoke: 50, 4, 4;
	/// As `revoke`.
	renounce: 50, 4, 4;
	/// `Allowances` (read, write); `Timestamp::Now`, the lease that the call is about, and the owner's holds in up to three
	/// assets (read).
	spend: 60, 6, 1;
	/// As `revoke`, and `Timestamp::Now` (read).
	purge: 50, 5, 4;
}
