//! Weights of `pallet_rewards`: provisional, estimated from reads and writes until `scripts/weights` generates them.

#![allow(unused_imports, reason = "not every pallet needs all of them")]
#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, Weight},
};

/// What each benchmark of `pallet_rewards` weighs.
pub trait WeightInfo {
	/// `claim`.
	fn claim() -> Weight;
	/// `prune_start`.
	fn prune_start() -> Weight;
	/// `prune_item`.
	fn prune_item() -> Weight;
}

/// Weights with the runtime's prices of storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	fn claim() -> Weight {
		Weight::from_parts(70_000_000, 6196)
			.saturating_add(T::DbWeight::get().reads(6))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	fn prune_start() -> Weight {
		Weight::from_parts(6_000_000, 1493)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	fn prune_item() -> Weight {
		Weight::from_parts(30_000_000, 6196)
			.saturating_add(T::DbWeight::get().reads(5))
			.saturating_add(T::DbWeight::get().writes(3))
	}
}

// For tests.
impl WeightInfo for () {
	fn claim() -> Weight {
		Weight::from_parts(70_000_000, 6196)
			.saturating_add(RocksDbWeight::get().reads(6))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn prune_start() -> Weight {
		Weight::from_parts(6_000_000, 1493)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn prune_item() -> Weight {
		Weight::from_parts(30_000_000, 6196)
			.saturating_add(RocksDbWeight::get().reads(5))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
}
