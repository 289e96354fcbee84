//! Weights of `pallet_slashing`: provisional, estimated from reads and writes until `scripts/weights` generates them.

#![allow(unused_imports, reason = "not every pallet needs all of them")]
#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, Weight},
};

/// What each benchmark of `pallet_slashing` weighs.
pub trait WeightInfo {
	/// `appeal`.
	fn appeal() -> Weight;
	/// `resolve`.
	fn resolve() -> Weight;
	/// `execute`.
	fn execute() -> Weight;
	/// `condemn`.
	fn condemn() -> Weight;
	/// `pay_from_insurance`.
	fn pay_from_insurance() -> Weight;
	/// `agenda_start`.
	fn agenda_start() -> Weight;
	/// `agenda_block`.
	fn agenda_block() -> Weight;
	/// `agenda_peek`.
	fn agenda_peek() -> Weight;
	/// `agenda_rearm`.
	fn agenda_rearm() -> Weight;
	/// `agenda_slash`, `f` from 0 to 8.
	fn agenda_slash(f: u32) -> Weight;
}

/// Weights with the runtime's prices of storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn appeal() -> Weight {
		Weight::from_parts(60_000_000, 4764)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn resolve() -> Weight {
		Weight::from_parts(420_000_000, 42862)
			.saturating_add(T::DbWeight::get().reads(40))
			.saturating_add(T::DbWeight::get().writes(12))
	}
	fn execute() -> Weight {
		Weight::from_parts(420_000_000, 42862)
			.saturating_add(T::DbWeight::get().reads(40))
			.saturating_add(T::DbWeight::get().writes(12))
	}
	fn condemn() -> Weight {
		Weight::from_parts(120_000_000, 4764)
			.saturating_add(T::DbWeight::get().reads(7))
			.saturating_add(T::DbWeight::get().writes(8))
	}
	fn pay_from_insurance() -> Weight {
		Weight::from_parts(60_000_000, 6196)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	fn agenda_start() -> Weight {
		Weight::from_parts(9_000_000, 1493)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn agenda_block() -> Weight {
		Weight::from_parts(7_000_000, 3525).saturating_add(T::DbWeight::get().reads(1))
	}
	fn agenda_peek() -> Weight {
		Weight::from_parts(22_000_000, 4107).saturating_add(T::DbWeight::get().reads(2))
	}
	fn agenda_rearm() -> Weight {
		Weight::from_parts(20_000_000, 4107)
			.saturating_add(T::DbWeight::get().reads(1))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn agenda_slash(f: u32) -> Weight {
		Weight::from_parts(220_000_000, 13472)
			.saturating_add(Weight::from_parts(26_000_000, 0).saturating_mul(f.into()))
			.saturating_add(T::DbWeight::get().reads(16))
			.saturating_add(T::DbWeight::get().reads(3_u64.saturating_mul(f.into())))
			.saturating_add(T::DbWeight::get().writes(12))
			.saturating_add(Weight::from_parts(0, 2600).saturating_mul(f.into()))
	}
}

// For tests.
impl WeightInfo for () {
	fn appeal() -> Weight {
		Weight::from_parts(60_000_000, 4764)
			.saturating_add(RocksDbWeight::get().reads(4))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn resolve() -> Weight {
		Weight::from_parts(420_000_000, 42862)
			.saturating_add(RocksDbWeight::get().reads(40))
			.saturating_add(RocksDbWeight::get().writes(12))
	}
	fn execute() -> Weight {
		Weight::from_parts(420_000_000, 42862)
			.saturating_add(RocksDbWeight::get().reads(40))
			.saturating_add(RocksDbWeight::get().writes(12))
	}
	fn condemn() -> Weight {
		Weight::from_parts(120_000_000, 4764)
			.saturating_add(RocksDbWeight::get().reads(7))
			.saturating_add(RocksDbWeight::get().writes(8))
	}
	fn pay_from_insurance() -> Weight {
		Weight::from_parts(60_000_000, 6196)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(2))
	}
	fn agenda_start() -> Weight {
		Weight::from_parts(9_000_000, 1493)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn agenda_block() -> Weight {
		Weight::from_parts(7_000_000, 3525).saturating_add(RocksDbWeight::get().reads(1))
	}
	fn agenda_peek() -> Weight {
		Weight::from_parts(22_000_000, 4107).saturating_add(RocksDbWeight::get().reads(2))
	}
	fn agenda_rearm() -> Weight {
		Weight::from_parts(20_000_000, 4107)
			.saturating_add(RocksDbWeight::get().reads(1))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn agenda_slash(f: u32) -> Weight {
		Weight::from_parts(220_000_000, 13472)
			.saturating_add(Weight::from_parts(26_000_000, 0).saturating_mul(f.into()))
			.saturating_add(RocksDbWeight::get().reads(16))
			.saturating_add(RocksDbWeight::get().reads(3_u64.saturating_mul(f.into())))
			.saturating_add(RocksDbWeight::get().writes(12))
			.saturating_add(Weight::from_parts(0, 2600).saturating_mul(f.into()))
	}
}
