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

/// Weights of the calls. `s` is the number of the escrow's streams.
pub trait WeightInfo {
	/// Of `settle`.
	fn settle(s: u32) -> Weight;
	/// Of `accept`.
	fn accept(s: u32) -> Weight;
	/// Of `contest`.
	fn contest() -> Weight;
	/// Of `resolve_contest`.
	fn resolve_contest(s: u32) -> Weight;
	/// Of `allow_asset`.
	fn allow_asset() -> Weight;
	/// Of `disallow_asset`.
	fn disallow_asset() -> Weight;
}

/// Weights with the runtime's database weights.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn settle(s: u32) -> Weight {
		advance(T::DbWeight::get(), s)
	}
	fn accept(s: u32) -> Weight {
		advance(T::DbWeight::get(), s)
	}
	fn contest() -> Weight {
		contest(T::DbWeight::get())
	}
	fn resolve_contest(s: u32) -> Weight {
		resolve_contest(T::DbWeight::get(), s)
	}
	fn allow_asset() -> Weight {
		list_asset(T::DbWeight::get())
	}
	fn disallow_asset() -> Weight {
		list_asset(T::DbWeight::get())
	}
}

impl WeightInfo for () {
	fn settle(s: u32) -> Weight {
		advance(RocksDbWeight::get(), s)
	}
	fn accept(s: u32) -> Weight {
		advance(RocksDbWeight::get(), s)
	}
	fn contest() -> Weight {
		contest(RocksDbWeight::get())
	}
	fn resolve_contest(s: u32) -> Weight {
		resolve_contest(RocksDbWeight::get(), s)
	}
	fn allow_asset() -> Weight {
		list_asset(RocksDbWeight::get())
	}
	fn disallow_asset() -> Weight {
		list_asset(RocksDbWeight::get())
	}
}

/// Once: `Settlement::Escrows` (read, write); `Timestamp::Now` and the chain's timing (read each); of the payer `System::Account`,
/// `Assets::Account`, `Balances::Holds`, `AssetsHolder::Holds` and `AssetsHolder::BalancesOnHold` (read, write each);
/// `Assets::Asset` and `Balances::TotalIssuance` (read, write each); accounts of two sinks (two reads and writes each).
///
/// For each stream: `Settlement::Contests` and `Settlement::PayeeEscrows` (read, write each); `System::Account` and `Assets::Account`
/// of the payee (read, write each).
fn advance(db: RuntimeDbWeight, streams: u32) -> Weight {
	const ONCE: (u64, u64, u64) = (60, 14, 12);
	const EACH: (u64, u64, u64) = (120, 4, 4);
	let streams = u64::from(streams);
	let sum = |once: u64, each: u64| once.saturating_add(each.saturating_mul(streams));
	weigh(db, sum(ONCE.0, EACH.0), sum(ONCE.1, EACH.1), sum(ONCE.2, EACH.2))
}

/// `Settlement::Escrows` and `Contests` (read, write each); `Timestamp::Now` and the chain's timing (read each); `System::Account` and
/// `Balances::Holds` of the payer (read, write each).
fn contest(db: RuntimeDbWeight) -> Weight {
	weigh(db, 60, 6, 4)
}

/// As a settlement, with the bond moved before it: `System::Account` of the payee (read, write).
fn resolve_contest(db: RuntimeDbWeight, streams: u32) -> Weight {
	advance(db, streams).saturating_add(weigh(db, 100, 1, 1))
}

/// `Assets::Asset` (read); `Settlement::AllowedAssets` (read, write).
fn list_asset(db: RuntimeDbWeight) -> Weight {
	weigh(db, 15, 2, 1)
}

fn weigh(db: RuntimeDbWeight, micros: u64, reads: u64, writes: u64) -> Weight {
	let execution = micros.saturating_mul(WEIGHT_REF_TIME_PER_MICROS);
	Weight::from_parts(execution, reads.saturating_mul(PROOF_PER_KEY))
		.saturating_add(db.reads_writes(reads, writes))
}
