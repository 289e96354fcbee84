//! Why a job has no output.

use codec::{Decode, Encode};
use millrace_job::BlobHash;
use std::{fmt, path::PathBuf};

/// What went wrong with a job.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode)]
pub enum FailureKind {
	/// A blob that the plan names was not in the request, or was damaged.
	#[codec(index = 0)]
	BlobMissing(BlobHash),
	/// The plan breaks a rule or a limit, or an input does not fit its buffer.
	#[codec(index = 1)]
	PlanInvalid,
	/// The kernel cannot be loaded, or a launch does not fit it.
	#[codec(index = 2)]
	KernelRejected,
	/// The kernel did what it must not.
	#[codec(index = 3)]
	KernelFault,
	/// The job used up its steps or its time, or one of its launches got nowhere.
	#[codec(index = 4)]
	TimedOut,
	/// The device has not enough memory for the buffers, or the job's process used up what it may have of the machine's.
	#[codec(index = 5)]
	OutOfMemory,
	/// The device that was asked for is not here, or its driver is not.
	#[codec(index = 6)]
	DeviceUnavailable,
	/// The device or its driver failed while the job ran.
	#[codec(index = 7)]
	DeviceLost,
}

impl FailureKind {
	/// Whether the job would fail again in the same way on a sound device of this kind, so that it is to be reported
	/// instead of retried.
	pub fn is_final(self) -> bool {
		match self {
			Self::PlanInvalid
			| Self::KernelRejected
			| Self::KernelFault
			| Self::TimedOut
			| Self::OutOfMemory => true,
			Self::BlobMissing(_) | Self::DeviceUnavailable | Self::DeviceLost => false,
		}
	}
}

/// What went wrong with a job, with the details for people.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode)]
pub struct Failure {
	/// What sort of failure.
	pub kind: FailureKind,
	/// One sentence, at most 4 KiB. It may contain text of the job's author.
	pub message: String,
}

impl fmt::Display for Failure {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(&self.message)
	}
}

/// Why [`Executor`](crate::Executor) has no result. The crate's documentation says what to do about each.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ExecutorError {
	/// The job ran, or was tried, and failed.
	#[error("{0}")]
	Failed(Failure),
	/// The executor ended without a result: killed, crashed, hung, or not keeping to the protocol.
	#[error("the executor was lost: {0}")]
	Lost(String),
	/// The program cannot be started, or is not the executor of this version.
	#[error("the executor {} cannot be used: {reason}", path.display())]
	CannotStart {
		/// The program.
		path: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// The caller cancelled the job.
	#[error("the job was cancelled")]
	Cancelled,
}
