//! Life of a lease and of its jobs, in the words that chain, worker and clients share.

use crate::{BlobHash, Moment};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// Where a lease stands. A closed lease is no longer stored: its receipt is the last word.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LeaseStatus {
	/// Matched; the provider has not attested all GPUs healthy yet. Nothing is billed.
	#[codec(index = 0)]
	Pending,
	/// Served. Attested time is billed.
	#[codec(index = 1)]
	Active,
	/// The provider missed its reports. Nothing is billed.
	#[codec(index = 2)]
	Suspended {
		/// Since when, in milliseconds.
		since: Moment,
	},
	/// Over, for good.
	#[codec(index = 3)]
	Closed(CloseReason),
}

/// Why a lease ended. It fixes who pays what: in each case the renter pays the attested time and nothing else.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum CloseReason {
	/// The term is over.
	#[codec(index = 0)]
	Completed,
	/// The renter closed it.
	#[codec(index = 1)]
	RenterClosed,
	/// The escrow is used up.
	#[codec(index = 2)]
	FundsExhausted,
	/// The provider did not get ready in time.
	#[codec(index = 3)]
	ProviderNotReady,
	/// The provider went dark and did not come back in time.
	#[codec(index = 4)]
	ProviderDark,
	/// Governance closed it.
	#[codec(index = 5)]
	Governance,
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
