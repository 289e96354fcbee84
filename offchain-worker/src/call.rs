//! What the worker asks the chain to do, and the node's part in it.

use millrace_primitives::{
	worker_key::WorkerPublic, BlockNumber, Hash, JobId, JobOutcome, LeaseId, Nonce, Report,
};
use sp_runtime::traits::Block as BlockT;

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
}

/// Why a transaction could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
	/// The key is no longer in the keystore.
	#[error("the keystore has no worker key {0:?} any more; insert it again")]
	NoKey(WorkerPublic),
	/// The keystore refused.
	#[error("the keystore did not sign: {0}")]
	Keystore(String),
	/// The runtime's versions or the genesis hash could not be read.
	#[error("the chain's state could not be read: {0}")]
	Chain(String),
}

/// Makes signed transactions. Implemented by the node, which knows the runtime's types.
pub trait SignWorkerCall<Block: BlockT>: Send + Sync {
	/// A transaction signed by the worker's key with this nonce, mortal: valid for [`ERA_BLOCKS`] blocks from `at`,
	/// which is a recent block (the latest finalised one while finality keeps up).
	fn sign(
		&self,
		call: WorkerCall,
		worker: &WorkerPublic,
		nonce: Nonce,
		at: (BlockNumber, Hash),
	) -> Result<Block::Extrinsic, SignError>;
}
