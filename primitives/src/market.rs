//! The market's words: assets, asks, orders, constraints.

use crate::{Balance, BlobHash, ClassId, Moment, NodeIndex};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{traits::ConstU32, BoundedVec, Permill};

/// Most nodes of one lease. Each is another provider.
pub const MAX_NODES: u32 = 16;
/// Most payees of one escrow at a time: each provider that a node has had, until it is paid.
pub const MAX_STREAMS: u32 = 32;
/// Most countries that one order can name.
pub const MAX_COUNTRIES: u32 = 16;

/// Country as two capital letters, ISO 3166-1 alpha-2. `ZZ` is none in particular.
pub type Country = [u8; 2];

/// What a lease is paid in. Amounts are in the asset's smallest unit: plancks for the native token.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum Asset {
	/// MILL.
	#[default]
	#[codec(index = 0)]
	Native,
	/// An asset of `pallet-assets` that the council has allowed.
	#[codec(index = 1)]
	Token(u32),
}

/// A standing offer's terms.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct AskTerms {
	/// Class of the GPUs.
	pub class: ClassId,
	/// Most GPUs leased through the ask at a time.
	pub gpus: u32,
	/// Price per GPU and second, in the asset's smallest unit.
	pub price: Balance,
	/// What it is paid in.
	pub asset: Asset,
	/// Shortest term, in milliseconds.
	pub min_term_ms: u64,
	/// Longest term, extensions included, in milliseconds. `None`: open-ended leases are welcome too.
	pub max_term_ms: Option<u64>,
	/// Notice that the provider gives before it takes the GPUs back, in milliseconds.
	pub reclaim_notice_ms: u64,
}

/// How long a lease lasts.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Term {
	/// As long as this, in milliseconds from the moment when all nodes are ready. All of it is paid for in advance.
	#[codec(index = 0)]
	Fixed {
		/// The term.
		ms: u64,
	},
	/// As long as it is funded.
	#[codec(index = 1)]
	OpenEnded {
		/// What is paid for in advance, in milliseconds.
		funded_ms: u64,
	},
}

/// Where the GPUs may be, as providers declare it.
#[derive(
	Clone, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Countries {
	/// Anywhere.
	#[default]
	#[codec(index = 0)]
	Any,
	/// In one of these only.
	#[codec(index = 1)]
	Only(BoundedVec<Country, ConstU32<MAX_COUNTRIES>>),
	/// Anywhere but in these.
	#[codec(index = 2)]
	Except(BoundedVec<Country, ConstU32<MAX_COUNTRIES>>),
}

/// What the providers of a lease must satisfy, one by one and together. `None` does not constrain.
#[derive(
	Clone, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Constraints {
	/// Countries allowed or barred.
	pub countries: Countries,
	/// Most nodes whose providers belong to one owner: one operator group, or one account without a group.
	pub max_nodes_per_owner: Option<u32>,
	/// Most nodes in one country.
	pub max_nodes_per_country: Option<u32>,
	/// Most nodes in one network, by number of autonomous system. Providers that declare none count as one network.
	pub max_nodes_per_network: Option<u32>,
	/// Least uptime over 30 days. A provider without a history does not satisfy it.
	pub min_uptime: Option<Permill>,
}

/// What happens when a provider fails.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Failover {
	/// The lease is closed.
	#[codec(index = 0)]
	Close,
	/// Another provider takes the node over, in the same escrow and under the same constraints.
	#[codec(index = 1)]
	Replace {
		/// How much more than the failed node's price it may cost.
		premium: Permill,
	},
}

/// How an order finds its providers.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Matching {
	/// It takes the cheapest asks that satisfy it, or rests.
	#[codec(index = 0)]
	Instant,
	/// Providers bid below each other for so many blocks; then the chain awards it to the best of bids and asks.
	#[codec(index = 1)]
	Auction {
		/// For how many blocks.
		blocks: u32,
	},
}

/// A job that starts with the lease.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct FirstJob {
	/// The node that it runs on.
	pub node: NodeIndex,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
}

/// What a renter wants.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct OrderTerms {
	/// Class of the GPUs.
	pub class: ClassId,
	/// How many providers; all or nothing.
	pub nodes: u32,
	/// GPUs of each.
	pub gpus_per_node: u32,
	/// Highest price accepted, per GPU and second, in the asset's smallest unit.
	pub max_price: Balance,
	/// What it is paid in.
	pub asset: Asset,
	/// How long it lasts.
	pub term: Term,
	/// What the providers must satisfy.
	pub constraints: Constraints,
	/// What happens when one of them fails.
	pub failover: Failover,
	/// How the providers are found.
	pub matching: Matching,
	/// Not to be matched before this time, in milliseconds since the Unix epoch. No GPU is reserved until then.
	pub starts_at: Option<Moment>,
	/// For how long the order may rest when it is not matched at once, in milliseconds. Zero: it is refused then.
	pub rests_ms: u64,
	/// Jobs that start with the lease.
	pub jobs: BoundedVec<FirstJob, ConstU32<MAX_NODES>>,
}

impl OrderTerms {
	/// Time that is paid for in advance, in milliseconds.
	pub fn funded_ms(&self) -> u64 {
		match self.term {
			Term::Fixed { ms } => ms,
			Term::OpenEnded { funded_ms } => funded_ms,
		}
	}

	/// How much more than a failed node's price its replacement may cost.
	pub fn premium(&self) -> Permill {
		match self.failover {
			Failover::Close => Permill::zero(),
			Failover::Replace { premium } => premium,
		}
	}
}

/// What matching needs to know of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ProviderFacts<AccountId> {
	/// Account as which it counts for shares, limits and faults: the founder of its operator group, or its own.
	pub owner: AccountId,
	/// Declared country.
	pub country: Country,
	/// Declared autonomous system; zero if none.
	pub network: u32,
	/// Share of the expected epochs of the last 30 days that were attested; `None` without a history.
	pub uptime: Option<Permill>,
	/// What its record is worth, from zero to one: its uptime over 30 days, less for leases that it failed. Zero without an uptime.
	pub reputation: Permill,
	/// Whether its reports arrive and it is not in maintenance.
	pub live: bool,
}
