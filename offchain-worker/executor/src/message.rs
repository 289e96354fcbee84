//! What parent and child say to each other.

use crate::{Confinement, Failure};
use codec::{Decode, Encode};
use millrace_job::MAX_BUFFER_BYTES;

/// Changes with every change of the messages.
pub(crate) const PROTOCOL: u32 = 6;
/// What the child's first frame begins with, so that any other program is recognised.
pub(crate) const MAGIC: [u8; 8] = *b"millrace";
/// The version of this crate, which both sides must have.
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The most blobs of a request: the kernel and one for each buffer.
pub(crate) const MAX_BLOBS: u32 = 1 + millrace_job::MAX_BUFFERS as u32;
/// The longest frame with a blob.
pub(crate) const MAX_BLOB_FRAME: u64 = MAX_BUFFER_BYTES;
/// The longest frame with a [`Task`]: the plan and some small things.
pub(crate) const MAX_START_FRAME: u64 = millrace_job::MAX_PLAN_BYTES as u64 + 4_096;
/// The longest frame from the child, besides the bytes of the output and of checkpoints.
pub(crate) const MAX_REPLY_FRAME: u64 = 16 << 10;
/// The longest compiled kernel, in bytes.
pub(crate) const MAX_COMPILED_BYTES: u64 = 64 << 20;
/// The longest message of a failure, in bytes.
pub(crate) const MAX_MESSAGE_BYTES: usize = 4 << 10;

/// The child's first frame. The first three fields never change, so that other versions can be told.
#[derive(Debug, Eq, PartialEq, Encode, Decode)]
pub(crate) struct Hello {
	pub(crate) magic: [u8; 8],
	pub(crate) protocol: u32,
	pub(crate) version: String,
	pub(crate) confinement: Confinement,
}

/// The parent's first frame: what is to be done.
#[derive(Debug, Eq, PartialEq, Encode, Decode)]
pub(crate) enum Task {
	/// Run a job.
	#[codec(index = 0)]
	Run(Start),
	/// Compile a kernel, whose text follows in a frame of its own.
	#[codec(index = 1)]
	Prepare,
}

/// A job. The blobs follow, each in a frame of its own, then the bytes of the checkpoint to start from, and then the compiled
/// kernel, if there are any.
#[derive(Debug, Eq, PartialEq, Encode, Decode)]
pub(crate) struct Start {
	pub(crate) plan: Vec<u8>,
	pub(crate) blobs: u32,
	pub(crate) buffer_bytes: u64,
	pub(crate) output_bytes: u64,
	pub(crate) steps: u64,
	pub(crate) wall_clock_ms: u64,
	/// The most milliseconds of one launch without progress.
	pub(crate) launch_ms: u64,
	/// Least milliseconds between two checkpoints, and most bytes of one.
	pub(crate) checkpoints: Option<(u64, u64)>,
	/// Launches done at the checkpoint to start from.
	pub(crate) resume: Option<u32>,
	/// Whether the kernel was compiled before.
	pub(crate) compiled: bool,
}

/// The child's other frames.
#[derive(Debug, Eq, PartialEq, Encode, Decode)]
pub(crate) enum Reply {
	/// It is still there.
	#[codec(index = 0)]
	Progress { launches_done: u32, launches: u32, blocks_done: Option<u64> },
	/// The job is done. The output's bytes follow in a frame of their own.
	#[codec(index = 1)]
	Done { busy_us: u64, launches: u32, device: String },
	/// The job failed.
	#[codec(index = 2)]
	Failed(Failure),
	/// The job's state between two launches. Its bytes follow in a frame of their own.
	#[codec(index = 3)]
	Checkpoint { launches_done: u32 },
	/// The kernel is compiled. What became of it follows in a frame of its own.
	#[codec(index = 4)]
	Prepared,
}
