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
use millrace_primitives::{MAX_GPUS_PER_PROVIDER, MAX_LEASES_PER_PROVIDER};

/// Most asks of a provider. The leases keep to it.
const ASKS: u64 = 16;

/// What the calls and the agenda weigh.
pub trait WeightInfo {
	/// `Workers`, the provider and its uptime, its list of leases, `LastReports`, two entries of `Agenda`, time;
	/// up to 64 keys of registered GPUs, and up to 64 leases to see whether one was held since the last report.
	/// For each GPU of the report its record; for each lease its record (check and attestation), its escrow,
	/// its stream, the job of its checkpoint and two entries of the leases' agenda. The check runs twice, for
	/// the fee and for the call; its reads are counted once, since the second time they are cached, its time
	/// twice.
	fn report(gpus: u32, leases: u32) -> Weight;
	/// What the leases do when the capacity of the report's provider has changed. The provider and its uptime, its
	/// list of asks, all its GPUs; for each of up to 16 asks its record, its place in the book, its market's
	/// round and the round's entry in the leases' agenda.
	fn capacity_changed() -> Weight;
	/// `Workers`, the lease, the job.
	fn report_job() -> Weight;
	/// `AgendaCursor` and time.
	fn agenda_start() -> Weight;
	/// First lookup in `Agenda` for one block.
	fn agenda_block() -> Weight;
	/// Next lookup in `Agenda`; the provider's list of leases.
	fn agenda_peek() -> Weight;
	/// `LastReports`, two entries of `Agenda`, the provider; for each lease its record, its escrow and two
	/// entries of the leases' agenda; [`WeightInfo::capacity_changed`].
	fn agenda_provider(leases: u32) -> Weight;
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
		fn report(gpus: u32, leases: u32) -> Weight {
			let per_gpu = counted($db, 5, 1, 1).saturating_mul(u64::from(gpus));
			let per_lease = counted($db, 40, 6, 6).saturating_mul(u64::from(leases));
			let held = u64::from(MAX_LEASES_PER_PROVIDER);
			let registered = u64::from(MAX_GPUS_PER_PROVIDER);
			counted($db, 160, 8 + registered + held, 5).saturating_add(per_gpu).saturating_add(per_lease)
		}

		fn capacity_changed() -> Weight {
			let per_ask = counted($db, 5, 4, 4).saturating_mul(ASKS);
			counted($db, 80, 3 + u64::from(MAX_GPUS_PER_PROVIDER), 0).saturating_add(per_ask)
		}

		fn report_job() -> Weight {
			counted($db, 40, 3, 2)
		}

		fn agenda_start() -> Weight {
			counted($db, 5, 2, 1)
		}

		fn agenda_block() -> Weight {
			counted($db, 2, 1, 0)
		}

		fn agenda_peek() -> Weight {
			counted($db, 5, 2, 0)
		}

		fn agenda_provider(leases: u32) -> Weight {
			let per_lease = counted($db, 25, 2, 3).saturating_mul(u64::from(leases));
			counted($db, 30, 3, 5).saturating_add(per_lease).saturating_add(Self::capacity_changed())
		}
	};
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	counted_weights!(T::DbWeight::get());
}

impl WeightInfo for () {
	counted_weights!(RocksDbWeight::get());
}
