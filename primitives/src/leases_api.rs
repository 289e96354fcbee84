//! What people and their tools read of the market: one runtime API, behind the node's `leases_*` RPC methods.

use crate::{
	AskId, Asset, Balance, BlockNumber, ClassId, EscrowId, GpuIndex, LeaseId, LeaseStatus, Moment, NodeIndex,
	NodeStatus, OrderId, OrderTerms,
};
use alloc::{string::String, vec::Vec};
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// One price of a book.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct Level {
	/// Price per GPU and second.
	pub price: Balance,
	/// GPUs that can be leased at this price now.
	pub gpus: u32,
	/// Asks at this price.
	pub asks: u32,
}

/// The standing offers of one class in one asset, cheapest first.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct Depth {
	/// The class.
	pub class: ClassId,
	/// What they are paid in.
	pub asset: Asset,
	/// Prices, lowest first.
	pub levels: Vec<Level>,
	/// Orders that rest.
	pub resting_orders: u32,
	/// Whether there are more asks than were looked at.
	pub truncated: bool,
}

/// One node of a quote.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct QuotedNode<AccountId> {
	/// Who would serve it.
	pub provider: AccountId,
	/// The ask that it would be taken from.
	pub ask: AskId,
	/// Price per GPU and second.
	pub price: Balance,
}

/// Why an ask does not fit an order. The order of the variants is that of the checks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Encode, Decode, TypeInfo)]
pub enum Refusal {
	/// There is no ask.
	NoAsks,
	/// It is the renter's own.
	OwnAsk,
	/// It costs more than the order allows.
	Price,
	/// Its terms do not allow the order's.
	Term,
	/// The provider does not report, or is gone.
	NotLive,
	/// It has fewer free GPUs than a node needs.
	Gpus,
	/// The provider serves as many leases as it may.
	Busy,
	/// The provider failed this lease before, or serves another node of it.
	Excluded,
	/// The country is not allowed.
	Country,
	/// The uptime is too low or not known.
	Uptime,
	/// The owner would have too many nodes.
	OwnerLimit,
	/// The country would have too many nodes.
	CountryLimit,
	/// The network would have too many nodes.
	NetworkLimit,
}

/// What an order would get now.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub enum Quote<AccountId> {
	/// It would be matched.
	Match {
		/// The nodes, in their order.
		nodes: Vec<QuotedNode<AccountId>>,
		/// Price of all of them together, per second.
		rate: Balance,
		/// What would be held.
		deposit: Balance,
	},
	/// It would not, and why each ask that was looked at does not fit.
	NoMatch {
		/// Nodes that could be had.
		nodes_found: u32,
		/// The reason closest to a match.
		closest: Refusal,
		/// Ask by ask, cheapest first.
		asks: Vec<(AskId, Refusal)>,
	},
	/// It would be refused whatever the book: the name of the error that `leases.placeOrder` would give.
	Invalid {
		/// Name of the error.
		error: String,
	},
}

/// One node of a lease.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct NodeSummary<AccountId> {
	/// Its number.
	pub node: NodeIndex,
	/// Who serves it; the failed provider while it is faulted.
	pub provider: AccountId,
	/// Where it stands.
	pub status: NodeStatus,
	/// Its GPUs.
	pub gpus: Vec<GpuIndex>,
	/// Price per GPU and second.
	pub price: Balance,
	/// How often it changed its provider.
	pub generation: u32,
	/// Last attestation, in milliseconds.
	pub attested_at: Moment,
}

/// A lease and its money.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct LeaseSummary<AccountId> {
	/// Its number.
	pub lease: LeaseId,
	/// Who pays.
	pub renter: AccountId,
	/// Where it stands.
	pub status: LeaseStatus,
	/// Its nodes.
	pub nodes: Vec<NodeSummary<AccountId>>,
	/// Price of all nodes that are served or awaited, per second.
	pub rate: Balance,
	/// When all nodes were first ready.
	pub ready_at: Option<Moment>,
	/// When the term ends; `None` before it is ready, and for open-ended leases.
	pub ends_at: Option<Moment>,
	/// When the funds end if every node is attested all the time.
	pub funded_until: Option<Moment>,
	/// Its money.
	pub money: EscrowSummary<AccountId>,
}

/// Where the money of an escrow is, by the functions that move it.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct EscrowSummary<AccountId> {
	/// Its number: that of the order and of the lease.
	pub escrow: EscrowId,
	/// Whose funds are held.
	pub payer: AccountId,
	/// What it is in.
	pub asset: Asset,
	/// Put on hold so far.
	pub deposited: Balance,
	/// Given back to the payer so far.
	pub refunded: Balance,
	/// Received by payees so far.
	pub paid: Balance,
	/// Received by the fee's sinks so far.
	pub fee: Balance,
	/// Held, and earned by nobody.
	pub free: Balance,
	/// Earned, and a `settle` now would move it.
	pub claimable: Balance,
	/// Earned, and waiting for the contest window.
	pub maturing: Balance,
	/// Held until a verdict.
	pub contested: Balance,
	/// Whether the lease is over.
	pub closing: bool,
}

/// Something that an account could settle.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct Claim {
	/// The escrow.
	pub escrow: EscrowId,
	/// What it is in.
	pub asset: Asset,
	/// What `settle` would move now to this account, less the fee.
	pub claimable: Balance,
	/// What waits for the contest window, fee included.
	pub maturing: Balance,
}

/// An order that takes bids.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct Auction<AccountId> {
	/// The order.
	pub order: OrderId,
	/// Who ordered.
	pub renter: AccountId,
	/// What was ordered.
	pub terms: OrderTerms,
	/// The block in which it is awarded.
	pub ends_at_block: BlockNumber,
	/// Bids, best first.
	pub bids: Vec<(AccountId, Balance)>,
}

/// An order that waits.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct WaitingOrder<AccountId> {
	/// The order.
	pub order: OrderId,
	/// Who ordered.
	pub renter: AccountId,
	/// What was ordered.
	pub terms: OrderTerms,
	/// When it ends by itself, in milliseconds.
	pub expires_at: Moment,
}

sp_api::decl_runtime_apis! {
	/// For renters, providers and explorers.
	pub trait LeasesApi<AccountId> where AccountId: codec::Codec {
		/// The book of a class in one asset.
		fn depth(class: ClassId, asset: Asset) -> Depth;

		/// What an order of this renter would get now, or why nothing. Holds and reserves nothing.
		fn quote(renter: AccountId, terms: OrderTerms) -> Quote<AccountId>;

		/// A lease with its money; `None` if it is closed or was never opened.
		fn lease(lease: LeaseId) -> Option<LeaseSummary<AccountId>>;

		/// Where the money of an order, of a lease, or of a closed lease that is not fully paid yet, is.
		fn escrow(escrow: EscrowId) -> Option<EscrowSummary<AccountId>>;

		/// What an account could settle. At most 256 entries.
		fn claimable(account: AccountId) -> Vec<Claim>;

		/// Open auctions of a class, oldest first. At most 64.
		fn auctions(class: ClassId) -> Vec<Auction<AccountId>>;

		/// A waiting order of any kind.
		fn order(order: OrderId) -> Option<WaitingOrder<AccountId>>;
	}
}
