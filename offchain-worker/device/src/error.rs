//! Why a job did not end well.

use millrace_job::{BlobHash, PlanError};
use std::time::Duration;

/// A limit of a job's duration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TimeLimit {
	/// Instructions that the reference device may run.
	Steps(u64),
	/// Time on the clock.
	WallClock(Duration),
}

impl std::fmt::Display for TimeLimit {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self {
			Self::Steps(steps) => write!(f, "{steps} steps"),
			Self::WallClock(time) => write!(f, "{:.1} s", time.as_secs_f64()),
		}
	}
}

/// What a device could not do. After `KernelFault` and `Lost` the device must be dropped, not used again.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DeviceError {
	/// The kernel's text cannot be loaded, has no such entry point, or cannot be launched in this shape.
	#[error("kernel rejected: {0}")]
	KernelRejected(String),
	/// A kernel did what it must not, such as a store out of bounds.
	#[error("kernel fault: {0}")]
	KernelFault(String),
	/// The device has not enough memory left.
	#[error("out of device memory: {0}")]
	OutOfMemory(String),
	/// A kernel ran into a limit of the device.
	#[error("kernel did not end within {0}")]
	TimedOut(TimeLimit),
	/// A launch ran for too long without any progress, as one does that waits for something that never happens.
	#[error(
		"launch {launch} of {launches} made no progress for {:.1} s: divide its work among more blocks and launches, or take a \
		 provider that allows longer ones", limit.as_secs_f64()
	)]
	Stalled {
		/// Which one of the plan, counted from 1.
		launch: u32,
		/// Launches of the plan.
		launches: u32,
		/// How long one may be without progress.
		limit: Duration,
	},
	/// The device or its driver failed, or was used wrongly.
	#[error("device lost: {0}")]
	Lost(String),
}

/// Why [`run_plan`](crate::run_plan) has no output.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum JobError {
	/// The plan breaks a rule of its format, or a limit of the caller.
	#[error(transparent)]
	Plan(#[from] PlanError),
	/// A blob that the plan names is not there.
	#[error("blob {0} is missing")]
	BlobMissing(BlobHash),
	/// A blob's bytes are not those that its hash names: the source is damaged.
	#[error("blob {expected} is damaged: its bytes have the hash {found}")]
	BlobDamaged {
		/// The hash that was asked for.
		expected: BlobHash,
		/// The hash of the bytes that came.
		found: BlobHash,
	},
	/// A blob does not fill its buffer exactly.
	#[error("buffer `{buffer}` has {expected} bytes, but its input {input} has {found}")]
	InputLength {
		/// The buffer's name.
		buffer: String,
		/// The blob.
		input: BlobHash,
		/// The buffer's length in bytes.
		expected: u64,
		/// The blob's length in bytes.
		found: u64,
	},
	/// A failure of the device or of the kernel on it.
	#[error(transparent)]
	Device(#[from] DeviceError),
}
