//! What the worker asks the chain to do, and the node's part in it.

use millrace_primitives::{
	worker_key::KEY_TYPE as WORKER_KEY, AccountId, Balance, BlockNumber, Hash, JobId, JobOutcome, LeaseId,
	Nonce, OrderId, Report,
};
use sp_core::{crypto::KeyTypeId, sr25519};
use sp_runtime::traits::Block as BlockT;

/// Key type of the bidder key, sr25519: it signs bids, and nothing else. The worker key cannot, and the bidder key cannot report.
pub const BIDDER_KEY: KeyTypeId = KeyTypeId(*b"gpub");

/// Life of a worker's transaction, in blocks from the block that it is bound to. A power of two, so that the era starts
/// exactly there.
pub const ERA_BLOCKS: u64 = 64;

/// What the worker asks the chain to do. The node turns it into a signed transaction of its runtime.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum WorkerCall {
	/// The report of one epoch.
	Report(Report),
	/// The outcome of one job.
	ReportJob {
		/// The job's lease.
		lease: LeaseId,
		/// The job.
		job: JobId,
		/// How it ended.
		outcome: JobOutcome,
	},
	/// A bid on one node of an order, in the provider's name: as its proxy of type `Bidding`.
	Bid {
		/// For whom.
		provider: AccountId,
		/// The auctioned order.
		order: OrderId,
		/// Price per GPU and second, in the smallest unit of the order's asset.
		price: Balance,
		/// Notice offered, in milliseconds.
		reclaim_notice_ms: u64,
	},
}

impl WorkerCall {
	/// Type of the key that signs it. No key of another type may.
	pub fn key_type(&self) -> KeyTypeId {
		match self {
			Self::Report(_) | Self::ReportJob { .. } => WORKER_KEY,
			Self::Bid { .. } => BIDDER_KEY,
		}
	}
}

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
	/// The key is no longer in the keystore.
	#[error("the keystore has no key {public} of type `{}` any more; insert it again", String::from_utf8_lossy(&key_type.0))]
	NoKey {
		/// The key.
		public: sr25519::Public,
		/// Its type.
		key_type: KeyTypeId,
	},
	/// The keystore refused.
	#[error("the keystore did not sign: {0}")]
	Keystore(String),
	/// The runtime's versions or the genesis hash could not be read.
	#[error("the chain's state could not be read: {0}")]
	Chain(String),
}

/// What an account needs to bid for a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BidderStanding {
	/// Whether it is a proxy of the provider, of type `Bidding` and without delay.
	pub is_proxy: bool,
	/// What it has for fees, in plancks.
	pub free: Balance,
}

/// Makes signed transactions, and reads what only the runtime's types can tell. Implemented by the node, which knows them.
pub trait SignWorkerCall<Block: BlockT>: Send + Sync {
	/// A transaction signed by this key, of the call's [`key_type`](WorkerCall::key_type), with this nonce. It is mortal: valid
	/// for [`ERA_BLOCKS`] blocks from `at`, which is a recent block (the latest finalised one while finality keeps up).
	fn sign(
		&self,
		call: WorkerCall,
		key: &sr25519::Public,
		nonce: Nonce,
		at: (BlockNumber, Hash),
	) -> Result<Block::Extrinsic, SignError>;

	/// Whether an account could bid for a provider at a block.
	fn bidder_standing(
		&self,
		provider: &AccountId,
		bidder: &AccountId,
		at: Hash,
	) -> Result<BidderStanding, SignError>;
}
