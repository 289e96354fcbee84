//! The provider's worker: a native task in the node that follows the chain, drives the devices, runs the jobs of the
//! provider's leases, and reports.
//!
//! # Terms
//!
//! *View*: what the chain wants of this worker at one block ([`millrace_primitives::worker_api`]). *Found device*: an
//! accelerator of this machine, matched to a registered GPU by its salted UUID hash. *Blob*: a plan, kernel, input
//! or output, named by its BLAKE3 hash. *Checkpoint*: a job's state between two launches, a blob too. *Logical id*: what a
//! transaction is for, `Report(epoch)`, `Job(lease, job)` or `Bid(order)`; whatever happens to single transactions, at most one
//! per logical id is in flight.
//!
//! # How it works
//!
//! ```text
//! finalised block -> view -> reconcile(desired, actual) -> start, kill, submit or forget
//! best block      -> view -> report due? -> build a report, with the newest checkpoints
//!                                 both -> submitter (nonce, mortality, back-off) -> transaction pool
//! best block      -> auctions -> decide(policy, auction) -> the bidder's own submitter
//! ```
//!
//! Jobs start and stop by finalised blocks only; reports follow the best block, because they are due within an epoch.
//! Every decision is taken anew from the chain's state and from what really runs here, so that a lost notification, a
//! restart, or a retracted block needs no case of its own. A result is on disk before it is reported, and so is a checkpoint.
//!
//! Bids are signed by a key of their own ([`BIDDER_KEY`]), so that the worker's key stays able to do nothing but report.
//!
//! # What it never does
//!
//! It loads no GPU driver into the node: devices are listed, probed and used by `millrace-executor` processes that hold no
//! key. It never panics, never ends by itself, and while the node syncs it waits. It is not an essential task: a node goes on
//! without it.
//!
//! # Who calls it
//!
//! The node: it parses [`WorkerArgs`], opens [`Blobs`], merges [`rpc`] into its RPC, implements [`SignWorkerCall`] with its
//! runtime's types, and spawns [`Worker::run`].

mod args;
mod bidding;
mod blobs;
mod call;
mod chain;
mod checkpoints;
mod containers;
mod devices;
mod disk;
mod evidence;
mod exchange;
mod executors;
mod health;
mod jobs;
mod kernels;
mod metrics;
mod notice;
mod operator;
mod probe;
mod pulls;
mod reconcile;
mod reports;
mod results;
mod rpc;
mod status;
mod step;
mod submit;
mod tasks;
mod worker;

#[cfg(test)]
mod tests;

pub use args::{
	ConfigError, DeviceChoice, DeviceRules, WorkerArgs, WorkerCommand, WorkerConfig, DEFAULT_MAX_BLOB_MIB,
};
pub use bidding::BidPolicy;
pub use blobs::{BlobLimits, Blobs};
pub use call::{BidderStanding, SignError, SignWorkerCall, WorkerCall, BIDDER_KEY, ERA_BLOCKS};
pub use devices::uuid_hash;
pub use disk::BlobError;
pub use exchange::{BlobNetwork, BlobServer, Peer};
pub use millrace_blob::{AskError, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES, PROTOCOL as BLOB_PROTOCOL};
pub use rpc::{rpc, BlobPresence};
pub use status::{
	BiddingStatus, CheckpointStatus, DeviceStatus, JobLog, JobPhase, JobStatus, LeaseBrief, Telemetry,
	WorkerStatus, WorkerStatusHandle,
};
pub use worker::{Worker, WorkerParams};

/// Target of the worker's log lines: `--log worker=debug` shows more.
pub const LOG_TARGET: &str = "worker";
