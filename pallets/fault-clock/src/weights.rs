//! Weights of `pallet_fault_clock`. Provisional: estimated from reads and writes, until `scripts/weights` replaces them by
//! measured ones.

#![allow(unused_imports, reason = "not every pallet needs all of them")]
#![allow(clippy::unnecessary_cast, reason = "generated")]

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, Weight},
};

/// What each benchmark of `pallet_fault_clock` weighs.
pub trait WeightInfo {
	/// `observe`.
	fn observe() -> Weight;
	/// `prune_item`.
	fn prune_item() -> Weight;
	/// `on_runtime_upgrade`.
	fn on_runtime_upgrade() -> Weight;
	/// `set_paused`.
	fn set_paused() -> Weight;
	/// `note_report`.
	fn note_report() -> Weight;
	/// `note_miss`.
	fn note_miss() -> Weight;
	/// `note_searched_until`.
	fn note_searched_until() -> Weight;
	/// `judge`.
	fn judge() -> Weight;
}

/// Weights with the runtime's prices of storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	// Storage: `Timestamp::Now` (r:1 w:0)
	// Proof: `Timestamp::Now` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::LastObservation` (r:1 w:1)
	// Proof: `FaultClock::LastObservation` (`max_values`: Some(1), `max_size`: Some(12), added: 507, mode: `MaxEncodedLen`)
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::CurrentRecess` (r:1 w:1)
	// Proof: `FaultClock::CurrentRecess` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:2 w:1)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Paused` (r:1 w:0)
	// Proof: `FaultClock::Paused` (`max_values`: Some(1), `max_size`: Some(1), added: 496, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::StoppedMs` (r:1 w:1)
	// Proof: `FaultClock::StoppedMs` (`max_values`: Some(1), `max_size`: Some(8), added: 503, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::OldestEpoch` (r:1 w:0)
	// Proof: `FaultClock::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	fn observe() -> Weight {
		Weight::from_parts(45_000_000, 6096)
			.saturating_add(T::DbWeight::get().reads(9))
			.saturating_add(T::DbWeight::get().writes(4))
	}
	// Storage: `FaultClock::OldestEpoch` (r:1 w:1)
	// Proof: `FaultClock::OldestEpoch` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::OwnerMisses` (r:2 w:1)
	// Proof: `FaultClock::OwnerMisses` (`max_values`: None, `max_size`: Some(93), added: 2568, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:0 w:1)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	fn prune_item() -> Weight {
		Weight::from_parts(20_000_000, 6126)
			.saturating_add(T::DbWeight::get().reads(3))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::CurrentRecess` (r:1 w:1)
	// Proof: `FaultClock::CurrentRecess` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn on_runtime_upgrade() -> Weight {
		Weight::from_parts(12_000_000, 1490)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	// Storage: `FaultClock::Paused` (r:1 w:1)
	// Proof: `FaultClock::Paused` (`max_values`: Some(1), `max_size`: Some(1), added: 496, mode: `MaxEncodedLen`)
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:1 w:1)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::CurrentRecess` (r:1 w:1)
	// Proof: `FaultClock::CurrentRecess` (`max_values`: Some(1), `max_size`: Some(5), added: 500, mode: `MaxEncodedLen`)
	fn set_paused() -> Weight {
		Weight::from_parts(15_000_000, 3543)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(3))
	}
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:1 w:1)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	fn note_report() -> Weight {
		Weight::from_parts(8_000_000, 3543)
			.saturating_add(T::DbWeight::get().reads(2))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:1 w:1)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::OwnerMisses` (r:1 w:1)
	// Proof: `FaultClock::OwnerMisses` (`max_values`: None, `max_size`: Some(93), added: 2568, mode: `MaxEncodedLen`)
	// Storage: `Parameters::Parameters` (r:1 w:0)
	// Proof: `Parameters::Parameters` (`max_values`: None, `max_size`: Some(24), added: 2499, mode: `MaxEncodedLen`)
	fn note_miss() -> Weight {
		Weight::from_parts(14_000_000, 3558)
			.saturating_add(T::DbWeight::get().reads(4))
			.saturating_add(T::DbWeight::get().writes(2))
	}
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::SearchedUntil` (r:1 w:1)
	// Proof: `FaultClock::SearchedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:6 w:0)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	fn note_searched_until() -> Weight {
		Weight::from_parts(50_000_000, 16308)
			.saturating_add(T::DbWeight::get().reads(8))
			.saturating_add(T::DbWeight::get().writes(1))
	}
	// Storage: `Timing::Timing` (r:1 w:0)
	// Proof: `Timing::Timing` (`max_values`: Some(1), `max_size`: Some(153), added: 648, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::SearchedUntil` (r:1 w:0)
	// Proof: `FaultClock::SearchedUntil` (`max_values`: Some(1), `max_size`: Some(4), added: 499, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::Census` (r:3 w:0)
	// Proof: `FaultClock::Census` (`max_values`: None, `max_size`: Some(82), added: 2557, mode: `MaxEncodedLen`)
	// Storage: `FaultClock::OwnerMisses` (r:3 w:0)
	// Proof: `FaultClock::OwnerMisses` (`max_values`: None, `max_size`: Some(93), added: 2568, mode: `MaxEncodedLen`)
	fn judge() -> Weight {
		Weight::from_parts(25_000_000, 8694).saturating_add(T::DbWeight::get().reads(8))
	}
}

// For tests.
impl WeightInfo for () {
	fn observe() -> Weight {
		Weight::from_parts(45_000_000, 6096)
			.saturating_add(RocksDbWeight::get().reads(9))
			.saturating_add(RocksDbWeight::get().writes(4))
	}
	fn prune_item() -> Weight {
		Weight::from_parts(20_000_000, 6126)
			.saturating_add(RocksDbWeight::get().reads(3))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn on_runtime_upgrade() -> Weight {
		Weight::from_parts(12_000_000, 1490)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn set_paused() -> Weight {
		Weight::from_parts(15_000_000, 3543)
			.saturating_add(RocksDbWeight::get().reads(4))
			.saturating_add(RocksDbWeight::get().writes(3))
	}
	fn note_report() -> Weight {
		Weight::from_parts(8_000_000, 3543)
			.saturating_add(RocksDbWeight::get().reads(2))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn note_miss() -> Weight {
		Weight::from_parts(14_000_000, 3558)
			.saturating_add(RocksDbWeight::get().reads(4))
			.saturating_add(RocksDbWeight::get().writes(2))
	}
	fn note_searched_until() -> Weight {
		Weight::from_parts(50_000_000, 16308)
			.saturating_add(RocksDbWeight::get().reads(8))
			.saturating_add(RocksDbWeight::get().writes(1))
	}
	fn judge() -> Weight {
		Weight::from_parts(25_000_000, 8694).saturating_add(RocksDbWeight::get().reads(8))
	}
}
