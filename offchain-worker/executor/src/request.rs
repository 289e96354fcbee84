//! What the parent asks for, and what it gets.

use codec::{Decode, Encode};
use millrace_device::{Checkpoint, Checkpoints};
use millrace_job::MAX_BUFFER_BYTES;
use std::{fmt, str::FromStr, time::Duration};

/// Which device runs a job. Written as `reference`, `cuda:UUID`, or `cuda` for the first GPU.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode)]
pub enum DeviceSelector {
	/// The reference device, on the CPU.
	#[codec(index = 0)]
	Reference,
	/// The GPU with that UUID, as in [`DeviceInfo::uuid`](millrace_device::DeviceInfo::uuid); the first one if `None`.
	#[codec(index = 1)]
	Cuda(Option<String>),
}

impl fmt::Display for DeviceSelector {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Reference => f.write_str("reference"),
			Self::Cuda(None) => f.write_str("cuda"),
			Self::Cuda(Some(uuid)) => write!(f, "cuda:{uuid}"),
		}
	}
}

/// A text that selects no device.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected `reference`, `cuda` or `cuda:UUID`; `millrace-executor devices` lists the UUIDs")]
pub struct SelectorTextError;

impl FromStr for DeviceSelector {
	type Err = SelectorTextError;

	fn from_str(text: &str) -> Result<Self, Self::Err> {
		match text.split_once(':') {
			None if text == "reference" => Ok(Self::Reference),
			None if text == "cuda" => Ok(Self::Cuda(None)),
			Some(("cuda", uuid)) if !uuid.is_empty() => Ok(Self::Cuda(Some(uuid.into()))),
			_ => Err(SelectorTextError),
		}
	}
}

/// What a job may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JobLimits {
	/// The most bytes of the plan's buffers together.
	pub buffer_bytes: u64,
	/// The most bytes of the output.
	pub output_bytes: u64,
	/// The most instructions, over all threads, on the reference device. A GPU has only the clock.
	pub steps: u64,
	/// The most time from the start of the process to the result. The child stops by itself at this time; the parent
	/// kills it a second later. Both are [`FailureKind::TimedOut`](crate::FailureKind::TimedOut).
	pub wall_clock: Duration,
	/// The most time that one launch may take without progress: without a thread block being done on the reference device, at all on
	/// a GPU, which does not tell its blocks. Child and parent stop the job as after `wall_clock`.
	pub launch: Duration,
	/// The longest silence of the child before it is killed as hung, which is
	/// [`ExecutorError::Lost`](crate::ExecutorError::Lost). The child speaks while a kernel runs, but not while it opens
	/// a device or compiles the kernel.
	pub silence: Duration,
	/// When the job's state is handed out; `None` for never.
	pub checkpoints: Option<Checkpoints>,
}

impl Default for JobLimits {
	/// 1 GiB of buffers, 64 MiB of output, 10^11 steps, ten minutes, two minutes for a launch, one minute of silence, no checkpoints.
	fn default() -> Self {
		Self {
			buffer_bytes: MAX_BUFFER_BYTES,
			output_bytes: 64 << 20,
			steps: 100_000_000_000,
			wall_clock: Duration::from_secs(600),
			launch: Duration::from_secs(120),
			silence: Duration::from_secs(60),
			checkpoints: None,
		}
	}
}

/// A job to run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobRequest {
	/// The plan's document.
	pub plan: Vec<u8>,
	/// The kernel and the inputs, in any order. The child hashes them; those that the plan does not name are ignored.
	pub blobs: Vec<Vec<u8>>,
	/// State to go on from. One that does not fit the plan is not used: the job then starts from its beginning.
	pub resume: Option<Checkpoint>,
	/// What [`Executor::prepare`](crate::Executor::prepare) made of the kernel. What does not fit kernel or driver is not used:
	/// the text is compiled again then.
	pub compiled: Option<Vec<u8>>,
	/// Where to run it.
	pub device: DeviceSelector,
	/// What it may take.
	pub limits: JobLimits,
}

/// What a job gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobOutput {
	/// The output blob.
	pub bytes: Vec<u8>,
	/// Time during which a kernel ran, to the microsecond.
	pub busy: Duration,
	/// Launches that ran here: all of the plan's but those before the checkpoint that the job started from.
	pub launches: u32,
	/// Name of the device, such as `NVIDIA H200`.
	pub device: String,
}
