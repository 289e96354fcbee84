//! Weights of the calls and of the agenda.
//!
//! Counted from the code, not benchmarked yet: the storage that the worst case touches, in the pallets below too, at the
//! runtime's price for reads and writes, plus an execution time of the right order of magnitude. Each item lists its storage.
//! Proof sizes take 2,600 bytes per key read. Steps that several of them share have a count of their own, below.

use core::marker::PhantomData;
use frame_support::{
	traits::Get,
	weights::{constants::RocksDbWeight, RuntimeDbWeight, Weight},
};

/// What the calls and the agenda weigh.
pub trait WeightInfo {
	/// Provider, class, up to 64 GPUs, whether the asset is allowed; `NextAsk`, `AsksOf`, `Asks`, `Agenda`; holds and account of
	/// the provider; time; relisting.
	fn post_ask() -> Weight;
	/// `Asks`, `AsksOf`, `Book`, `Agenda`; holds and account of the provider.
	fn withdraw_ask() -> Weight;
	/// A look at so many asks. Then class, time; `NextOrder`; escrow, holds and account of the renter; for each node its
	/// assignment and its first job; `Leases` and `Agenda`. An order that waits costs less.
	fn place_order_looking_at(asks: u32, nodes: u32, gpus: u32) -> Weight;
	/// `Leases`, time, up to 32 `Jobs` to find the one to forget, two `Jobs` written.
	fn submit_job() -> Weight;
	/// `Leases`, time; escrow, holds and account of the renter.
	fn extend() -> Weight;
	/// The worst case of [`Self::close_lease`].
	fn close() -> Weight;
	/// `Leases`, time and what [`Self::agenda_lease`] touches.
	fn close_lease(nodes: u32, gpus_per_node: u32, jobs: u32) -> Weight;
	/// `Leases`, time, escrow and what [`Self::agenda_lease`] and [`Self::agenda_search`] touch at most.
	fn poke() -> Weight;
	/// As [`Self::close`].
	fn force_close() -> Weight;
	/// The worst case of [`Self::cancel_order_with`].
	fn cancel_order() -> Weight;
	/// `Orders`, `OrdersOf`, `RestingOrders`, `Agenda`, `Payments`; escrow, holds and account of the renter; so many bids.
	fn cancel_order_with(bids: u32) -> Weight;
	/// `Orders`, provider, up to 64 GPUs, up to 32 `Bids` to find the dearest, two of them written, `BidsOf` of two providers,
	/// holds and accounts of both.
	fn place_bid() -> Weight;
	/// `Orders`, `Bids`, `BidsOf`; holds and account of the provider.
	fn withdraw_bid() -> Weight;
	/// `Leases`, time, escrow, holds and account of the renter, two entries of `Agenda`.
	fn top_up() -> Weight;
	/// As [`Self::top_up`].
	fn shrink() -> Weight;
	/// As [`Self::close`], and [`Self::void_escrow`].
	fn reject() -> Weight;
	/// The escrow and its contests, with their bonds.
	fn void_escrow() -> Weight;
	/// `Leases`, time, escrow, two entries of `Agenda`.
	fn reclaim() -> Weight;
	/// [`Self::leaving_penalty`], and what [`Self::poke`] touches.
	fn leave() -> Weight;
	/// Time, class, bond and account of the provider, account of the renter.
	fn leaving_penalty() -> Weight;
	/// `AgendaCursor` and time.
	fn agenda_start() -> Weight;
	/// First lookup in `Agenda` for one block.
	fn agenda_block() -> Weight;
	/// Next lookup in `Agenda`; the item's object; a lease's escrow.
	fn agenda_peek() -> Weight;
	/// An item that is not due yet: its object and two entries of `Agenda`.
	fn agenda_rearm() -> Weight;
	/// An ask that expires: as [`Self::withdraw_ask`].
	fn agenda_ask() -> Weight;
	/// A lease of so many nodes, GPUs of each, and jobs that closes, or whose nodes all fail: `Leases`, `Agenda`, `Payments`; for
	/// each node its release and its stream's payee; each job; escrow, holds and account of the renter.
	fn agenda_lease(nodes: u32, gpus_per_node: u32, jobs: u32) -> Weight;
	/// A node that is given to another provider: a look at all asks that are looked at, and one assignment.
	fn agenda_search(gpus_per_node: u32) -> Weight;
	/// An order that is matched: a look at all asks that are looked at and at its bids; `Orders`, `OrdersOf`,
	/// `RestingOrders`, `Agenda`; the release of each bid; the opening as in [`Self::place_order_looking_at`].
	fn agenda_order(nodes: u32, gpus_per_node: u32, bids: u32) -> Weight;
	/// Last payments: `Payments`, `Agenda`; escrow with all its streams, holds and accounts of renter, payees and sinks.
	fn agenda_payments() -> Weight;
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

/// GPUs of one provider, each with its key: what it takes to count the free ones.
const GPU_READS: u64 = 2 * 64;

/// One candidate of a selection: `Book`, `Asks` or `Bids`, its provider, uptime and leases, its GPUs.
fn look(db: RuntimeDbWeight) -> Weight {
	counted(db, 80, 6 + GPU_READS, 0)
}

/// Entering a provider's asks into the book, or taking them out: its record and GPUs, 16 `Asks` and `Book`, and for new
/// capacity `RestingOrders`, `Rounds` and `Agenda`.
fn relist(db: RuntimeDbWeight) -> Weight {
	counted(db, 60, 3 + 16 * 2 + GPU_READS + 2, 16 + 2)
}

/// Giving a node to a provider, or taking it away: `ProviderLeases`, `Asks`, each GPU; relisting.
fn reassign(db: RuntimeDbWeight, gpus: u32) -> Weight {
	let per_gpu = counted(db, 4, 2, 1).saturating_mul(gpus.into());
	counted(db, 60, 4, 4).saturating_add(relist(db)).saturating_add(per_gpu)
}

/// Everything that opens a lease but the look at the book: escrow, holds and account of the renter, the payees' index, `Leases`,
/// `Agenda`; each node and its first job.
fn open(db: RuntimeDbWeight, nodes: u32, gpus: u32) -> Weight {
	let per_node = reassign(db, gpus).saturating_add(counted(db, 20, 2, 2)).saturating_mul(nodes.into());
	counted(db, 120, 14, 10).saturating_add(per_node)
}

/// Releasing bids: `Bids`, `BidsOf`, holds and account of the provider.
fn release_bids(db: RuntimeDbWeight, bids: u32) -> Weight {
	counted(db, 40, 5, 4).saturating_mul(bids.into())
}

macro_rules! counted_weights {
	($db:expr) => {
		fn post_ask() -> Weight {
			counted($db, 60, 12 + GPU_READS, 7).saturating_add(relist($db))
		}

		fn withdraw_ask() -> Weight {
			counted($db, 40, 6, 6)
		}

		fn place_order_looking_at(asks: u32, nodes: u32, gpus: u32) -> Weight {
			counted($db, 40, 10, 8)
				.saturating_add(look($db).saturating_mul(asks.into()))
				.saturating_add(open($db, nodes, gpus))
		}

		fn submit_job() -> Weight {
			counted($db, 80, 2 + 33, 3)
		}

		fn extend() -> Weight {
			counted($db, 50, 6, 4)
		}

		fn close() -> Weight {
			Self::close_lease(
				millrace_primitives::MAX_NODES,
				crate::MAX_GPUS_PER_NODE,
				crate::MAX_JOBS_PER_LEASE,
			)
		}

		fn close_lease(nodes: u32, gpus_per_node: u32, jobs: u32) -> Weight {
			counted($db, 20, 2, 0).saturating_add(Self::agenda_lease(nodes, gpus_per_node, jobs))
		}

		fn poke() -> Weight {
			Self::close().saturating_add(Self::agenda_search(crate::MAX_GPUS_PER_NODE))
		}

		fn force_close() -> Weight {
			Self::close()
		}

		fn cancel_order() -> Weight {
			Self::cancel_order_with(crate::MAX_BIDS_PER_ORDER)
		}

		fn cancel_order_with(bids: u32) -> Weight {
			counted($db, 80, 10, 9).saturating_add(release_bids($db, bids))
		}

		fn place_bid() -> Weight {
			counted($db, 100, 12 + GPU_READS + 33, 8)
		}

		fn withdraw_bid() -> Weight {
			counted($db, 40, 6, 5)
		}

		fn top_up() -> Weight {
			counted($db, 60, 7, 6)
		}

		fn shrink() -> Weight {
			Self::top_up()
		}

		fn reject() -> Weight {
			Self::void_escrow().saturating_add(Self::close())
		}

		fn void_escrow() -> Weight {
			counted($db, 60, 32, 32)
		}

		fn reclaim() -> Weight {
			counted($db, 40, 4, 3)
		}

		fn leave() -> Weight {
			Self::leaving_penalty().saturating_add(Self::poke())
		}

		fn leaving_penalty() -> Weight {
			counted($db, 60, 6, 5)
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

		fn agenda_lease(nodes: u32, gpus_per_node: u32, jobs: u32) -> Weight {
			let payee = counted($db, 40, 3, 3);
			let per_node = reassign($db, gpus_per_node).saturating_add(payee).saturating_mul(nodes.into());
			let per_job = counted($db, 2, 1, 1).saturating_mul(jobs.into());
			counted($db, 150, 14, 12).saturating_add(per_node).saturating_add(per_job)
		}

		fn agenda_search(gpus_per_node: u32) -> Weight {
			look($db)
				.saturating_mul(crate::MAX_ASKS_LOOKED_AT.into())
				.saturating_add(reassign($db, gpus_per_node))
		}

		fn agenda_order(nodes: u32, gpus_per_node: u32, bids: u32) -> Weight {
			let looks = u64::from(crate::MAX_ASKS_LOOKED_AT).saturating_add(bids.into());
			counted($db, 60, 10, 8)
				.saturating_add(look($db).saturating_mul(looks))
				.saturating_add(release_bids($db, bids))
				.saturating_add(open($db, nodes, gpus_per_node))
		}

		fn agenda_payments() -> Weight {
			counted($db, 100, 10, 8).saturating_add(counted($db, 40, 4, 4).saturating_mul(32))
		}
	};
}

impl<T: frame_system::Config> WeightInfo for SubstrateWeight<T> {
	counted_weights!(T::DbWeight::get());
}

impl WeightInfo for () {
	counted_weights!(RocksDbWeight::get());
}
