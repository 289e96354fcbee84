//! Weights of the calls and of the agenda.
//!
//! Counted from the code, not benchmarked yet: the storage that the worst case touches, in the pallets below
//! too, at the runtime's price for reads and writes, plus an execution time of the right order of magnitude.
//! Each item lists its storage. Proof sizes take 2,600 bytes per key read.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// What the calls and the agenda weigh.
pub trait WeightInfo {
	/// Provider, class, up to 64 GPUs; `NextAsk`, `AsksOf`, `Asks`, `Book`, `Agenda`; holds and account of
	/// the provider; time.
	fn post_ask() -> Weight;
	/// `Asks`, `AsksOf`, `Book`, `Agenda`; holds and account of the provider.
	fn withdraw_ask() -> Weight;
	/// The worst case of [`Self::place_order_looking_at`].
	fn place_order() -> Weight;
	/// For each ask looked at: `Book`, `Asks`, its provider and up to 64 GPUs, each with its key. Then class,
	/// time; `NextOrder`, `NextLease`, `ProviderLeases`, `Asks`, `Book`, `Leases`, `Agenda`; each GPU;
	/// escrow, holds and account of the renter; `Jobs`.
	fn place_order_looking_at(asks: u32, gpus: u32) -> Weight;
	/// `Leases`, time, up to 32 `Jobs` to find the one to forget, two `Jobs` written.
	fn submit_job() -> Weight;
	/// `Leases`, time; escrow, holds and account of the renter.
	fn extend() -> Weight;
	/// `Leases` and what [`Self::agenda_lease`] touches at most.
	fn close() -> Weight;
	/// `Leases`, time, escrow and what [`Self::agenda_lease`] touches at most.
	fn poke() -> Weight;
	/// `Leases` and what [`Self::agenda_lease`] touches at most.
	fn force_close() -> Weight;
	/// `AgendaCursor` and time.
	fn agenda_start() -> Weight;
	/// First lookup in `Agenda` for one block.
	fn agenda_block() -> Weight;
	/// Next lookup in `Agenda`; the item's object; a lease's escrow.
	fn agenda_peek() -> Weight;
	/// An item that is not due yet: its object and two entries of `Agenda`.
	fn agenda_rearm() -> Weight;
	/// An ask that expires: `Asks`, `AsksOf`, `Book`, `Agenda`; holds and account of the provider.
	fn agenda_ask() -> Weight;
	/// A lease that closes: `Leases`, `ProviderLeases`, `Asks`, `Book`, `Agenda`; each GPU and each job;
	/// escrow, holds and accounts of renter, provider and sink of the fee.
	fn agenda_lease(gpus: u32, jobs: u32) -> Weight;
}

/// Weights with the runtime's prices of storage.
pub struct SubstrateWeight<T>(PhantomData<T>);

/// `micros` microseconds of execution, and storage at the prices of `db`.
fn counted(db: RuntimeDbWeight, micros: u64, reads: u64, writes: u64) -> Weight {
	const PICOS_PER_MICRO: u64 = 1_000_000;
	const PROOF_PER_READ: u64 = 2_600;
	Weight::from_parts(micros.saturating_mul(PICOS_PER_MICRO), reads.saturating_mul(PROOF_PER_READ))
		.saturating_add(db.reads_writes(reads, writes))
}

macro_rules! counted_weights {
	($db:expr) => {
		fn post_ask() -> Weight {
			counted($db, 60, 10 + 64, 8)
		}

		fn withdraw_ask() -> Weight {
			counted($db, 40, 6, 6)
		}

		fn place_order() -> Weight {
			Self::place_order_looking_at(crate::MAX_ASKS_LOOKED_AT, crate::MAX_GPUS_PER_LEASE)
		}

		fn place_order_looking_at(asks: u32, gpus: u32) -> Weight {
			let (asks, gpus) = (u64::from(asks), u64::from(gpus));
			let looks = counted($db, 80, 3 + 2 * 64, 0).saturating_mul(asks);
			let reserved = counted($db, 4, 2, 1).saturating_mul(gpus);
			counted($db, 120, 20 + 64, 18).saturating_add(looks).saturating_add(reserved)
		}

		fn submit_job() -> Weight {
			counted($db, 80, 2 + 33, 3)
		}

		fn extend() -> Weight {
			counted($db, 50, 6, 4)
		}

		fn close() -> Weight {
			Self::poke()
		}

		fn poke() -> Weight {
			let largest = Self::agenda_lease(crate::MAX_GPUS_PER_LEASE, crate::MAX_JOBS_PER_LEASE);
			counted($db, 20, 3, 0).saturating_add(largest)
		}

		fn force_close() -> Weight {
			Self::poke()
		}

		fn agenda_start() -> Weight {
			counted($db, 5, 2, 1)
		}

		fn agenda_block() -> Weight {
			counted($db, 2, 1, 0)
		}

		fn agenda_peek() -> Weight {
			counted($db, 5, 3, 0)
		}

		fn agenda_rearm() -> Weight {
			counted($db, 10, 0, 3)
		}

		fn agenda_ask() -> Weight {
			counted($db, 40, 6, 7)
		}

		fn agenda_lease(gpus: u32, jobs: u32) -> Weight {
			let per_gpu = counted($db, 4, 1, 1).saturating_mul(u64::from(gpus));
			let per_job = counted($db, 2, 1, 1).saturating_mul(u64::from(jobs));
			counted($db, 150, 16, 14).saturating_add(per_gpu).saturating_add(per_job)
		}
	};
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	counted_weights!(T::DbWeight::get());
}

impl WeightInfo for () {
	counted_weights!(RocksDbWeight::get());
}
