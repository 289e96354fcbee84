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
	/// Of `settle`.
	fn settle() -> Weight;
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn settle() -> Weight {
		settle(T::DbWeight::get())
	}
}

impl WeightInfo for () {
	fn settle() -> Weight {
		settle(RocksDbWeight::get())
	}
}

/// `Settlement::Escrows` (read, write); `System::Account` of payer, payee and the fee's sink (read, write each);
/// `Balances::Holds` of the payer (read, write); `Balances::TotalIssuance` (read).
fn settle(db: RuntimeDbWeight) -> Weight {
	const READS: u64 = 6;
	const WRITES: u64 = 5;
	Weight::from_parts(60 * WEIGHT_REF_TIME_PER_MICROS, READS * PROOF_PER_KEY)
		.saturating_add(db.reads_writes(READS, WRITES))
}
