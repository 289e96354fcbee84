//! Records that this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use millrace_primitives::{
	AskId, AskTerms, Asset, Balance, BlobHash, BlockNumber, Checkpoint, ClassId, Constraints, FaultEpoch,
	GpuIndex, Hash, JobId, JobOutcome, LeaseId, LeaseStatus, Moment, NodeIndex, NodeStatus, OrderId,
	OrderTerms, StreamId, MAX_GPUS_PER_PROVIDER, MAX_NODES,
};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, DispatchError};

/// Most GPUs of one node: all of a provider's.
pub const MAX_GPUS_PER_NODE: u32 = MAX_GPUS_PER_PROVIDER;
/// Most jobs kept for one lease, with and without a result.
pub const MAX_JOBS_PER_LEASE: u32 = 32;
/// Most asks that one order looks at, cheapest first.
pub const MAX_ASKS_LOOKED_AT: u32 = 64;
/// Most asks of one provider at a time.
pub const MAX_ASKS_PER_PROVIDER: u32 = 16;
/// Most waiting orders of one renter at a time.
pub const MAX_ORDERS_PER_RENTER: u32 = 32;
/// Most live bids on one order.
pub const MAX_BIDS_PER_ORDER: u32 = 32;
/// Most live bids of one provider at a time.
pub const MAX_BIDS_PER_PROVIDER: u32 = 32;
/// Most resting orders that new capacity is offered to in one block, for each market.
pub const MAX_ORDERS_PER_ROUND: u32 = 4;
/// Most owners whom one lease can exclude because they failed it. With as many it is closed at the next fault.
pub const MAX_EXCLUDED: u32 = 8;

/// GPUs of a node, lowest index first.
pub type NodeGpus = BoundedVec<GpuIndex, ConstU32<MAX_GPUS_PER_NODE>>;
/// Nodes of a lease, in the order of their numbers.
pub type Nodes<AccountId> = BoundedVec<Node<AccountId>, ConstU32<MAX_NODES>>;

/// Where asks and orders meet: GPUs of one class, paid in one asset.
pub type Market = (ClassId, Asset);

/// A standing offer of one provider.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ask<AccountId> {
	/// Who offers.
	pub provider: AccountId,
	/// What is offered.
	pub terms: AskTerms,
	/// How many of its GPUs are leased through it at the moment.
	pub taken: u32,
	/// When it was posted.
	pub posted_at: Moment,
	/// When it ends by itself.
	pub expires_at: Moment,
	/// Held of the provider while the ask stands, in plancks.
	pub deposit: Balance,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// An [`Ask`] of this runtime.
pub type AskOf<T> = Ask<<T as frame_system::Config>::AccountId>;

impl<AccountId> Ask<AccountId> {
	/// The market that it stands in.
	pub fn market(&self) -> Market {
		(self.terms.class, self.terms.asset)
	}

	/// GPUs that can still be leased through it, as far as the offer goes.
	pub fn left(&self) -> u32 {
		// Cannot saturate: no more is taken than is offered.
		self.terms.gpus.saturating_sub(self.taken)
	}
}

/// Place in a book: price, then age. The bytes are big-endian, so that their order is that of the numbers and iteration
/// over the storage needs no sorting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BookKey([u8; 24]);

impl BookKey {
	/// Place of an ask: the cheapest first.
	pub fn of_ask(price: Balance, ask: AskId) -> Self {
		Self::new(price, ask.0)
	}

	/// Place of a resting order: the one that pays most first.
	pub fn of_order(max_price: Balance, order: OrderId) -> Self {
		Self::new(!max_price, order.0)
	}

	/// The ask, if this is an ask's place.
	pub fn ask(&self) -> AskId {
		AskId(self.number())
	}

	/// The order, if this is an order's place.
	pub fn order(&self) -> OrderId {
		OrderId(self.number())
	}

	/// Price of the ask, if this is an ask's place.
	pub fn price(&self) -> Balance {
		let mut high = [0; 16];
		high.copy_from_slice(&self.0[..16]);
		Balance::from_be_bytes(high)
	}

	fn new(high: u128, low: u64) -> Self {
		let mut bytes = [0; 24];
		bytes[..16].copy_from_slice(&high.to_be_bytes());
		bytes[16..].copy_from_slice(&low.to_be_bytes());
		Self(bytes)
	}

	fn number(&self) -> u64 {
		let mut low = [0; 8];
		low.copy_from_slice(&self.0[16..]);
		u64::from_be_bytes(low)
	}
}

/// Why an order waits.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Waiting {
	/// Its start has not come.
	#[codec(index = 0)]
	Scheduled,
	/// Providers bid on it until this block.
	#[codec(index = 1)]
	Auction {
		/// The block in which it is awarded.
		ends_at_block: BlockNumber,
	},
	/// Nobody offers what it wants yet.
	#[codec(index = 2)]
	Resting,
}

/// An order that is not matched yet. Its money is in the escrow of the same number.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Order<AccountId> {
	/// Who ordered.
	pub renter: AccountId,
	/// What was ordered.
	pub terms: OrderTerms,
	/// Why it waits.
	pub waiting: Waiting,
	/// When it was placed.
	pub placed_at: Moment,
	/// When it ends by itself: `rests_ms` after its start, its award or its placing, whichever is the last.
	pub expires_at: Moment,
	/// Held of the renter while the order waits, in plancks.
	pub deposit: Balance,
	/// Live bids.
	pub bids: u32,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// An [`Order`] of this runtime.
pub type OrderOf<T> = Order<<T as frame_system::Config>::AccountId>;

impl<AccountId> Order<AccountId> {
	/// The market that it looks at.
	pub fn market(&self) -> Market {
		(self.terms.class, self.terms.asset)
	}
}

/// A bid on an order: one node at this price.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Bid {
	/// Price per GPU and second.
	pub price: Balance,
	/// Notice that the provider gives before it takes the GPUs back, in milliseconds.
	pub reclaim_notice_ms: u64,
	/// Block of the bid: the earlier of two equal ones is better.
	pub placed_at: BlockNumber,
	/// Held of the provider while the bid lives, in plancks.
	pub deposit: Balance,
}

/// A market's resting orders are being offered new capacity.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Round {
	/// Orders up to this place were offered it, so that the next is the first after it; `None`: the first of all.
	pub after: Option<BookKey>,
	/// There is new capacity since it began: when it is through it begins again.
	pub again: bool,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// One node of a lease: GPUs of one provider. A provider serves at most one node of a lease.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Node<AccountId> {
	/// Who serves it; the failed provider while it is faulted.
	pub provider: AccountId,
	/// The ask that it was taken from, which may be gone by now; `None` if it was won by a bid.
	pub ask: Option<AskId>,
	/// Its GPUs. Empty while it is faulted.
	pub gpus: NodeGpus,
	/// Price per GPU and second.
	pub price: Balance,
	/// Highest price of a replacement: that of the first provider, with the order's premium.
	pub max_price: Balance,
	/// Whom the escrow pays for it.
	pub stream: StreamId,
	/// Where it stands.
	pub status: NodeStatus,
	/// How often it changed its provider.
	pub generation: u32,
	/// When it was attested last; before that, when it was assigned.
	pub attested_at: Moment,
	/// Notice that its provider gives before it takes the GPUs back, in milliseconds.
	pub reclaim_notice_ms: u64,
	/// When another provider is looked for next, while it is faulted.
	pub search_at: Moment,
	/// Time that did not count against providers until it was assigned or suspended, in milliseconds.
	pub stopped_ms: u64,
	/// Epochs since it was suspended that were counted as faults.
	pub missed_epochs: u32,
	/// Fault epoch since which what it is not served for is not counted yet: that of its assignment, its suspension, or the last
	/// count.
	pub uncounted_since: FaultEpoch,
}

/// A lease. It is stored while it is not closed; its `status` is never [`LeaseStatus::Closed`].
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Lease<AccountId> {
	/// Who pays.
	pub renter: AccountId,
	/// Class of its GPUs.
	pub class: ClassId,
	/// What it is paid in.
	pub asset: Asset,
	/// GPUs of each node.
	pub gpus_per_node: u32,
	/// What its providers must satisfy.
	pub constraints: Constraints,
	/// Whether another provider takes over when one fails.
	pub failover: bool,
	/// Where it stands.
	pub status: LeaseStatus,
	/// When it was opened.
	pub opened_at: Moment,
	/// When all nodes were first attested: billing starts there.
	pub ready_at: Option<Moment>,
	/// Term, in milliseconds; `None`: as long as it is funded.
	pub term_ms: Option<u64>,
	/// Longest term that the asks allowed, in milliseconds; `None`: any.
	pub max_term_ms: Option<u64>,
	/// `ready_at + term_ms`.
	pub ends_at: Option<Moment>,
	/// Its nodes.
	pub nodes: Nodes<AccountId>,
	/// Owners that failed it.
	pub excluded: BoundedVec<AccountId, ConstU32<MAX_EXCLUDED>>,
	/// Whether the renter was warned of the low balance since the last top-up.
	pub warned: bool,
	/// Number of its next job.
	pub next_job: JobId,
	/// Jobs without a result.
	pub open_jobs: u32,
	/// Jobs with a result that are still stored.
	pub finished_jobs: u32,
	/// Hash chain over every accepted attestation: BLAKE2b-256 of (previous hash, node, usage, time).
	pub usage_chain: Hash,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// A [`Lease`] of this runtime.
pub type LeaseOf<T> = Lease<<T as frame_system::Config>::AccountId>;

impl<AccountId: PartialEq> Lease<AccountId> {
	/// The market that it was taken from.
	pub fn market(&self) -> Market {
		(self.class, self.asset)
	}

	/// Whether its term is over at this time. The agenda closes it soon after; nothing new is started in between.
	pub fn is_over(&self, now: Moment) -> bool {
		self.ends_at.is_some_and(|end| end <= now)
	}

	/// Number of the node that the provider serves.
	pub fn node_of(&self, provider: &AccountId) -> Option<usize> {
		self.nodes
			.iter()
			.position(|node| node.provider == *provider && !matches!(node.status, NodeStatus::Faulted { .. }))
	}

	/// Price per second of all nodes that have a provider; `None` on overflow.
	pub fn rate(&self) -> Option<Balance> {
		self.nodes
			.iter()
			.filter(|node| !matches!(node.status, NodeStatus::Faulted { .. }))
			.try_fold(0, |sum: Balance, node| sum.checked_add(self.node_rate(node.price)?))
	}

	/// Price per second of one node at this price; `None` on overflow.
	pub fn node_rate(&self, price: Balance) -> Option<Balance> {
		millrace_math::rate(price, self.gpus_per_node)
	}
}

/// Payments of a closed lease that wait for the contest window.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct LastPayments {
	/// When the next of them are due, in milliseconds.
	pub at: Moment,
	/// Payees that wait for them, at most.
	pub streams: u32,
	/// Block of their entry in the agenda.
	pub due: BlockNumber,
}

/// A job of a lease.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Job {
	/// The node that it runs on.
	pub node: NodeIndex,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// When it was submitted.
	pub submitted_at: Moment,
	/// Newest state from which it can go on.
	pub checkpoint: Option<Checkpoint>,
	/// How it ended; `None` while it has no result.
	pub outcome: Option<JobOutcome>,
}

/// Something that time alone can change.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum AgendaItem {
	/// An ask: it expires.
	#[codec(index = 0)]
	Ask(AskId),
	/// A lease: whatever its status and its nodes' make due.
	#[codec(index = 1)]
	Lease(LeaseId),
	/// An order: it starts, is awarded, or expires.
	#[codec(index = 2)]
	Order(OrderId),
	/// A market: its resting orders are offered new capacity.
	#[codec(index = 3)]
	Market(ClassId, Asset),
	/// A closed lease: its last payments have outlived the contest window.
	#[codec(index = 4)]
	Payments(LeaseId),
}

/// Something that the pallet's own rules exclude. Please report it.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum UnexpectedKind {
	/// The book lists an ask that does not exist.
	#[codec(index = 0)]
	BookWithoutAsk(AskId),
	/// The agenda lists something that does not exist. The entry is removed.
	#[codec(index = 1)]
	AgendaWithoutObject(AgendaItem),
	/// Serving an item failed; it stays as it was and is tried again later.
	#[codec(index = 2)]
	AgendaItemFailed(AgendaItem, DispatchError),
	/// An ask got back more GPUs than were taken through it.
	#[codec(index = 3)]
	CapacityAboveOffer(AskId),
	/// The list of resting orders has one that does not exist.
	#[codec(index = 4)]
	RestingWithoutOrder(OrderId),
}
