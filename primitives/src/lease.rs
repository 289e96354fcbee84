//! Life of a lease, of its nodes and of its jobs, in the words that chain, worker and clients share.

use crate::{BlobHash, JobId, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Where a lease stands. A closed lease is no longer stored: its receipt is the last word.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LeaseStatus {
	/// Matched; not all of its nodes have been attested yet. Nothing is billed.
	#[codec(index = 0)]
	Pending,
	/// Ready. Each node's attested time is billed.
	#[codec(index = 1)]
	Active,
	/// The funds are almost used up: jobs are frozen at their last checkpoint, while the GPUs are held and paid from
	/// what is left. A top-up brings the lease back.
	#[codec(index = 2)]
	Frozen {
		/// Since when, in milliseconds.
		since: Moment,
	},
	/// Over, for good.
	#[codec(index = 3)]
	Closed(CloseReason),
}

/// Where one node of a lease stands.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum NodeStatus {
	/// Its provider has not attested all its GPUs healthy yet. Nothing is billed.
	#[codec(index = 0)]
	Pending {
		/// Since when, in milliseconds.
		since: Moment,
	},
	/// Served. Attested time is billed.
	#[codec(index = 1)]
	Active,
	/// The provider missed its reports. Nothing is billed.
	#[codec(index = 2)]
	Suspended {
		/// Since when, in milliseconds.
		since: Moment,
		/// When the provider leaves, if it had given notice.
		leaves_at: Option<Moment>,
	},
	/// Served, and the provider has given notice. Attested time is billed.
	#[codec(index = 3)]
	Reclaiming {
		/// When the provider leaves, in milliseconds.
		until: Moment,
	},
	/// Its provider is out; another one is looked for.
	#[codec(index = 4)]
	Faulted {
		/// Since when, in milliseconds.
		since: Moment,
		/// Why.
		cause: FaultCause,
	},
}

impl NodeStatus {
	/// Whether attested time of the node is billed.
	pub fn is_served(&self) -> bool {
		matches!(self, Self::Active | Self::Reclaiming { .. })
	}
}

/// Why a node's provider is out.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum FaultCause {
	/// It did not get ready in time.
	#[codec(index = 0)]
	NotReady,
	/// It went dark and did not come back in time.
	#[codec(index = 1)]
	Dark,
	/// It gave notice and served it.
	#[codec(index = 2)]
	Reclaimed,
	/// It left before its notice ended.
	#[codec(index = 3)]
	Left,
}

/// Why a lease ended. It fixes who pays what.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum CloseReason {
	/// The term is over. The renter pays the attested time.
	#[codec(index = 0)]
	Completed,
	/// The renter closed it. The renter pays the attested time.
	#[codec(index = 1)]
	RenterClosed,
	/// The escrow is used up. The renter pays the attested time.
	#[codec(index = 2)]
	FundsExhausted,
	/// A provider did not get ready in time, and no other was found. The renter pays the attested time.
	#[codec(index = 3)]
	ProviderNotReady,
	/// A provider went dark, and no other was found. The renter pays the attested time.
	#[codec(index = 4)]
	ProviderDark,
	/// Governance closed it. The renter pays the attested time.
	#[codec(index = 5)]
	Governance,
	/// The renter rejected it within the acceptance window. The renter pays nothing.
	#[codec(index = 6)]
	Rejected,
	/// A provider gave notice and served it, and no other was found. The renter pays the attested time.
	#[codec(index = 7)]
	ProviderReclaimed,
	/// A provider left before its notice ended, and no other was found. The renter pays the attested time, and the
	/// provider paid a penalty to the renter.
	#[codec(index = 8)]
	ProviderLeft,
}

impl From<FaultCause> for CloseReason {
	fn from(cause: FaultCause) -> Self {
		match cause {
			FaultCause::NotReady => Self::ProviderNotReady,
			FaultCause::Dark => Self::ProviderDark,
			FaultCause::Reclaimed => Self::ProviderReclaimed,
			FaultCause::Left => Self::ProviderLeft,
		}
	}
}

/// State of a job from which it can go on, here or at another provider.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Checkpoint {
	/// The job.
	pub job: JobId,
	/// BLAKE3 hash of the blob: all buffers of the plan, concatenated in its order.
	pub blob: BlobHash,
	/// Length of the blob, in bytes.
	pub bytes: u64,
	/// Launches of the plan that had run.
	pub launches_done: u32,
}

/// How a job ended.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobOutcome {
	/// It ran to its end.
	#[codec(index = 0)]
	Succeeded {
		/// BLAKE3 hash of the output.
		output: BlobHash,
		/// Length of the output, in bytes.
		bytes: u64,
	},
	/// It did not, and why.
	#[codec(index = 1)]
	Failed(JobFailure),
}

/// Why a job failed. The worker's log and its `worker_job` RPC have the details.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum JobFailure {
	/// A blob that the plan or the job names did not reach the provider in time. Put it there and submit the job again.
	#[codec(index = 0)]
	BlobMissing(BlobHash),
	/// The plan is not well-formed or breaks a limit. Correct the plan.
	#[codec(index = 1)]
	PlanInvalid,
	/// The kernel cannot be loaded: a syntax error, an unsupported instruction, or an unknown entry point.
	#[codec(index = 2)]
	KernelRejected,
	/// The kernel broke a rule while it ran, such as a store out of bounds.
	#[codec(index = 3)]
	KernelFault,
	/// The kernel used up its time or its steps.
	#[codec(index = 4)]
	TimedOut,
	/// The device has not enough memory for the plan's buffers.
	#[codec(index = 5)]
	OutOfMemory,
	/// The device failed. Not the renter's fault.
	#[codec(index = 6)]
	DeviceLost,
	/// The executor ended without a result, again and again. Nobody is blamed.
	#[codec(index = 7)]
	ExecutorLost,
}
