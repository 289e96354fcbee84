//! What several measured steps weigh together. The steps themselves are in `weights.rs`, which is generated.
//!
//! The benchmarks measure nodes of one GPU, whose providers have one ask. More GPUs, more asks and payees of earlier
//! providers are added here, each at what one of them was measured to weigh.

use crate::{
	types::{
		MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER, MAX_BIDS_PER_ORDER, MAX_GPUS_PER_NODE, MAX_JOBS_PER_LEASE,
	},
	weights::WeightInfo,
};
use frame_support::weights::Weight;
use millrace_primitives::{MAX_NODES, MAX_STREAMS};

/// What the weight of a lease's end depends on.
#[derive(Clone, Copy, Debug)]
pub struct LeaseSize {
	/// Its nodes.
	pub nodes: u32,
	/// GPUs of each.
	pub gpus_per_node: u32,
	/// Its jobs, with and without a result.
	pub jobs: u32,
	/// Payees of its escrow: one for each provider that each node has had.
	pub streams: u32,
	/// Asks of its nodes' providers: all of them may enter the book.
	pub asks: u32,
	/// Whether another provider is looked for when one fails.
	pub failover: bool,
}

impl LeaseSize {
	/// The largest lease.
	pub const LARGEST: Self = Self {
		nodes: MAX_NODES,
		gpus_per_node: MAX_GPUS_PER_NODE,
		jobs: MAX_JOBS_PER_LEASE,
		streams: MAX_STREAMS,
		asks: MAX_NODES.saturating_mul(MAX_ASKS_PER_PROVIDER),
		failover: true,
	};
}

/// Sums of [`WeightInfo`].
pub trait WeightInfoExt: WeightInfo {
	/// An ask of a provider that has so many with it.
	fn post_ask_as_one_of(asks: u32) -> Weight {
		Self::post_ask().saturating_add(Self::relist(asks))
	}

	/// An order that is matched at once after a look at so many asks. Its providers have `asks` together.
	fn place_matched_order(looked_at: u32, nodes: u32, gpus_per_node: u32, asks: u32) -> Weight {
		Self::place_order(nodes)
			.saturating_add(Self::look(looked_at))
			.saturating_add(Self::reserve_more(nodes, gpus_per_node))
			.saturating_add(Self::delist(asks))
	}

	/// An order that waits after a look at so many asks.
	fn place_unmatched_order(looked_at: u32) -> Weight {
		Self::place_waiting_order().saturating_add(Self::look(looked_at))
	}

	/// The worst that can become of an order when it is placed.
	fn place_any_order(nodes: u32, gpus_per_node: u32) -> Weight {
		let (nodes, gpus) = (nodes.min(MAX_NODES), gpus_per_node.min(MAX_GPUS_PER_NODE));
		let asks = nodes.saturating_mul(MAX_ASKS_PER_PROVIDER);
		Self::place_matched_order(MAX_ASKS_LOOKED_AT, nodes, gpus, asks)
			.max(Self::place_unmatched_order(MAX_ASKS_LOOKED_AT))
	}

	/// A lease is closed, by whomever.
	fn close_lease(size: LeaseSize) -> Weight {
		Self::close(size.nodes, size.jobs).saturating_add(Self::rest_of_end(size))
	}

	/// A lease is rejected.
	fn reject_lease(size: LeaseSize) -> Weight {
		Self::reject(size.nodes, size.jobs).saturating_add(Self::rest_of_end(size))
	}

	/// What time makes of a lease: it closes, or its nodes fail and one of them gets another provider.
	fn step_of_lease(size: LeaseSize) -> Weight {
		let search = if size.failover { Self::search(size.gpus_per_node) } else { Weight::zero() };
		Self::agenda_lease(size.nodes, size.jobs)
			.max(Self::close(size.nodes, size.jobs))
			.saturating_add(Self::rest_of_end(size))
			.saturating_add(search)
	}

	/// The worst that a poke can find due: a step of the largest lease, or its last payments.
	fn poke_any() -> Weight {
		Self::step_of_lease(LeaseSize::LARGEST).max(Self::agenda_payments(MAX_STREAMS))
	}

	/// A provider leaves a lease at once.
	fn leave_lease(size: LeaseSize) -> Weight {
		Self::leaving_penalty().saturating_add(Self::step_of_lease(size))
	}

	/// Another provider is looked for and found.
	fn search(gpus_per_node: u32) -> Weight {
		Self::replace_node()
			.saturating_add(Self::look(MAX_ASKS_LOOKED_AT))
			.saturating_add(Self::reserve_more(1, gpus_per_node))
			.saturating_add(Self::delist(MAX_ASKS_PER_PROVIDER))
	}

	/// What time makes of a waiting order: it is matched with asks or bids, or it ends.
	fn step_of_order(nodes: u32, gpus_per_node: u32, bids: u32) -> Weight {
		Self::fill_order(nodes)
			// A look at a bid reads no more than a look at an ask.
			.saturating_add(Self::look(MAX_ASKS_LOOKED_AT.saturating_add(bids)))
			.saturating_add(Self::cancel_order(bids))
			.saturating_add(Self::reserve_more(nodes, gpus_per_node))
			.saturating_add(Self::delist(nodes.saturating_mul(MAX_ASKS_PER_PROVIDER)))
	}

	/// The most that serving an item of the agenda weighs.
	fn largest_agenda_item() -> Weight {
		Self::step_of_order(MAX_NODES, MAX_GPUS_PER_NODE, MAX_BIDS_PER_ORDER)
			.max(Self::step_of_lease(LeaseSize::LARGEST))
			.max(Self::agenda_ask())
			.max(Self::agenda_payments(MAX_STREAMS))
	}

	/// Taking the second and every further GPU of each node.
	fn reserve_more(nodes: u32, gpus_per_node: u32) -> Weight {
		Self::reserve(gpus_per_node).saturating_sub(Self::reserve(1)).saturating_mul(nodes.into())
	}

	/// What the end of a lease weighs beyond that of one whose nodes have one GPU and one provider without an ask each.
	fn rest_of_end(size: LeaseSize) -> Weight {
		let per_node = Self::release(size.gpus_per_node).saturating_sub(Self::release(1));
		let payees = Self::agenda_payments(size.streams).saturating_sub(Self::agenda_payments(size.nodes));
		per_node
			.saturating_mul(size.nodes.into())
			.saturating_add(payees)
			.saturating_add(Self::relist(size.asks))
	}
}

impl<W: WeightInfo> WeightInfoExt for W {}
