//! The answers as JSON: amounts, moments and numbers of objects are decimal strings, accounts addresses, and of an enum the
//! `kind` says which variant it is.

use super::{
	json::{AssetName, Whole},
	terms::TermsJson,
};
use millrace_primitives::{
	leases_api::{
		Auction, Claim, Depth, EscrowSummary, LeaseSummary, Level, NodeSummary, Quote, QuotedNode, Refusal,
		WaitingOrder,
	},
	AccountId, AskId, Balance, CloseReason, FaultCause, LeaseStatus, Moment, NodeStatus,
};
use serde::Serialize;

/// Each of them as an answer.
pub(super) fn all<Item, Answer: From<Item>>(items: Vec<Item>) -> Vec<Answer> {
	items.into_iter().map(Into::into).collect()
}

/// [`Depth`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DepthAnswer {
	class: u32,
	asset: AssetName,
	levels: Vec<LevelAnswer>,
	resting_orders: u32,
	truncated: bool,
}

#[derive(Clone, Debug, Serialize)]
struct LevelAnswer {
	price: Whole<Balance>,
	gpus: u32,
	asks: u32,
}

impl From<Depth> for DepthAnswer {
	fn from(depth: Depth) -> Self {
		let Depth { class, asset, levels, resting_orders, truncated } = depth;
		let level = |Level { price, gpus, asks }| LevelAnswer { price: Whole(price), gpus, asks };
		Self {
			class: class.0,
			asset: asset.into(),
			levels: levels.into_iter().map(level).collect(),
			resting_orders,
			truncated,
		}
	}
}

/// [`Quote`].
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum QuoteAnswer {
	Match {
		nodes: Vec<QuotedNodeAnswer>,
		rate: Whole<Balance>,
		deposit: Whole<Balance>,
	},
	NoMatch {
		nodes_found: u32,
		#[serde(with = "RefusalName")]
		closest: Refusal,
		asks: Vec<RefusedAnswer>,
	},
	Invalid {
		error: String,
	},
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct QuotedNodeAnswer {
	provider: AccountId,
	ask: Whole<u64>,
	price: Whole<Balance>,
}

#[derive(Clone, Debug, Serialize)]
pub(crate) struct RefusedAnswer {
	ask: Whole<u64>,
	#[serde(with = "RefusalName")]
	refusal: Refusal,
}

/// Names of the variants of [`Refusal`].
#[derive(Serialize)]
#[serde(remote = "Refusal", rename_all = "camelCase")]
enum RefusalName {
	NoAsks,
	OwnAsk,
	Price,
	Term,
	NotLive,
	Gpus,
	Busy,
	Excluded,
	Country,
	Uptime,
	OwnerLimit,
	CountryLimit,
	NetworkLimit,
}

impl From<Quote<AccountId>> for QuoteAnswer {
	fn from(quote: Quote<AccountId>) -> Self {
		let node = |QuotedNode { provider, ask: AskId(ask), price }| QuotedNodeAnswer {
			provider,
			ask: Whole(ask),
			price: Whole(price),
		};
		let refused = |(AskId(ask), refusal)| RefusedAnswer { ask: Whole(ask), refusal };
		match quote {
			Quote::Match { nodes, rate, deposit } => Self::Match {
				nodes: nodes.into_iter().map(node).collect(),
				rate: Whole(rate),
				deposit: Whole(deposit),
			},
			Quote::NoMatch { nodes_found, closest, asks } => {
				Self::NoMatch { nodes_found, closest, asks: asks.into_iter().map(refused).collect() }
			}
			Quote::Invalid { error } => Self::Invalid { error },
		}
	}
}

/// [`LeaseSummary`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LeaseAnswer {
	lease: Whole<u64>,
	renter: AccountId,
	status: LeaseStatusAnswer,
	nodes: Vec<NodeAnswer>,
	rate: Whole<Balance>,
	ready_at: Option<Whole<Moment>>,
	ends_at: Option<Whole<Moment>>,
	funded_until: Option<Whole<Moment>>,
	money: EscrowAnswer,
}

impl From<LeaseSummary<AccountId>> for LeaseAnswer {
	fn from(lease: LeaseSummary<AccountId>) -> Self {
		Self {
			lease: Whole(lease.lease.0),
			renter: lease.renter,
			status: lease.status.into(),
			nodes: all(lease.nodes),
			rate: Whole(lease.rate),
			ready_at: lease.ready_at.map(Whole),
			ends_at: lease.ends_at.map(Whole),
			funded_until: lease.funded_until.map(Whole),
			money: lease.money.into(),
		}
	}
}

/// [`LeaseStatus`].
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum LeaseStatusAnswer {
	Pending,
	Active,
	Frozen {
		since: Whole<Moment>,
	},
	Closed {
		#[serde(with = "CloseReasonName")]
		reason: CloseReason,
	},
}

impl From<LeaseStatus> for LeaseStatusAnswer {
	fn from(status: LeaseStatus) -> Self {
		match status {
			LeaseStatus::Pending => Self::Pending,
			LeaseStatus::Active => Self::Active,
			LeaseStatus::Frozen { since } => Self::Frozen { since: Whole(since) },
			LeaseStatus::Closed(reason) => Self::Closed { reason },
		}
	}
}

/// Names of the variants of [`CloseReason`].
#[derive(Serialize)]
#[serde(remote = "CloseReason", rename_all = "camelCase")]
enum CloseReasonName {
	Completed,
	RenterClosed,
	FundsExhausted,
	ProviderNotReady,
	ProviderDark,
	Governance,
	Rejected,
	ProviderReclaimed,
	ProviderLeft,
}

/// [`NodeSummary`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NodeAnswer {
	node: u8,
	provider: AccountId,
	status: NodeStatusAnswer,
	gpus: Vec<u16>,
	price: Whole<Balance>,
	generation: u32,
	attested_at: Whole<Moment>,
}

impl From<NodeSummary<AccountId>> for NodeAnswer {
	fn from(node: NodeSummary<AccountId>) -> Self {
		Self {
			node: node.node.0,
			provider: node.provider,
			status: node.status.into(),
			gpus: node.gpus.into_iter().map(|gpu| gpu.0).collect(),
			price: Whole(node.price),
			generation: node.generation,
			attested_at: Whole(node.attested_at),
		}
	}
}

/// [`NodeStatus`].
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
enum NodeStatusAnswer {
	Pending {
		since: Whole<Moment>,
	},
	Active,
	Suspended {
		since: Whole<Moment>,
		leaves_at: Option<Whole<Moment>>,
	},
	Reclaiming {
		until: Whole<Moment>,
	},
	Faulted {
		since: Whole<Moment>,
		#[serde(with = "FaultCauseName")]
		cause: FaultCause,
	},
}

impl From<NodeStatus> for NodeStatusAnswer {
	fn from(status: NodeStatus) -> Self {
		match status {
			NodeStatus::Pending { since } => Self::Pending { since: Whole(since) },
			NodeStatus::Active => Self::Active,
			NodeStatus::Suspended { since, leaves_at } => {
				Self::Suspended { since: Whole(since), leaves_at: leaves_at.map(Whole) }
			}
			NodeStatus::Reclaiming { until } => Self::Reclaiming { until: Whole(until) },
			NodeStatus::Faulted { since, cause } => Self::Faulted { since: Whole(since), cause },
		}
	}
}

/// Names of the variants of [`FaultCause`].
#[derive(Serialize)]
#[serde(remote = "FaultCause", rename_all = "camelCase")]
enum FaultCauseName {
	NotReady,
	Dark,
	Reclaimed,
	Left,
}

/// [`EscrowSummary`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EscrowAnswer {
	escrow: Whole<u64>,
	payer: AccountId,
	asset: AssetName,
	deposited: Whole<Balance>,
	refunded: Whole<Balance>,
	paid: Whole<Balance>,
	fee: Whole<Balance>,
	free: Whole<Balance>,
	claimable: Whole<Balance>,
	maturing: Whole<Balance>,
	contested: Whole<Balance>,
	closing: bool,
}

impl From<EscrowSummary<AccountId>> for EscrowAnswer {
	fn from(escrow: EscrowSummary<AccountId>) -> Self {
		Self {
			escrow: Whole(escrow.escrow.0),
			payer: escrow.payer,
			asset: escrow.asset.into(),
			deposited: Whole(escrow.deposited),
			refunded: Whole(escrow.refunded),
			paid: Whole(escrow.paid),
			fee: Whole(escrow.fee),
			free: Whole(escrow.free),
			claimable: Whole(escrow.claimable),
			maturing: Whole(escrow.maturing),
			contested: Whole(escrow.contested),
			closing: escrow.closing,
		}
	}
}

/// [`Claim`].
#[derive(Clone, Debug, Serialize)]
pub(crate) struct ClaimAnswer {
	escrow: Whole<u64>,
	asset: AssetName,
	claimable: Whole<Balance>,
	maturing: Whole<Balance>,
}

impl From<Claim> for ClaimAnswer {
	fn from(claim: Claim) -> Self {
		Self {
			escrow: Whole(claim.escrow.0),
			asset: claim.asset.into(),
			claimable: Whole(claim.claimable),
			maturing: Whole(claim.maturing),
		}
	}
}

/// [`Auction`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuctionAnswer {
	order: Whole<u64>,
	renter: AccountId,
	terms: TermsJson,
	ends_at_block: u32,
	bids: Vec<BidAnswer>,
}

#[derive(Clone, Debug, Serialize)]
struct BidAnswer {
	provider: AccountId,
	price: Whole<Balance>,
}

impl From<Auction<AccountId>> for AuctionAnswer {
	fn from(auction: Auction<AccountId>) -> Self {
		let bid = |(provider, price)| BidAnswer { provider, price: Whole(price) };
		Self {
			order: Whole(auction.order.0),
			renter: auction.renter,
			terms: auction.terms.into(),
			ends_at_block: auction.ends_at_block,
			bids: auction.bids.into_iter().map(bid).collect(),
		}
	}
}

/// [`WaitingOrder`].
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrderAnswer {
	order: Whole<u64>,
	renter: AccountId,
	terms: TermsJson,
	expires_at: Whole<Moment>,
}

impl From<WaitingOrder<AccountId>> for OrderAnswer {
	fn from(order: WaitingOrder<AccountId>) -> Self {
		Self {
			order: Whole(order.order.0),
			renter: order.renter,
			terms: order.terms.into(),
			expires_at: Whole(order.expires_at),
		}
	}
}

#[cfg(test)]
mod tests;
