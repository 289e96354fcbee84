//! What a caller asks for, and what it gets.

use crate::ContainerError;
use millrace_job::{BlobHash, ContainerPlan};
use std::{collections::BTreeMap, fmt, num::NonZero, path::PathBuf, thread, time::Duration};

/// A container job to run.
#[derive(Clone, Debug, PartialEq)]
pub struct ContainerJob {
	/// Names the container: no two at one time may be the same.
	pub name: JobName,
	/// The plan, as [`Document::parse`](millrace_job::Document::parse) gives it.
	pub plan: ContainerPlan,
	/// A file for each of [`ContainerPlan::blobs`]. The files are hashed before they are used.
	pub blobs: BTreeMap<BlobHash, PathBuf>,
	/// UUIDs of the GPUs that it gets, as CDI names them: `GPU-…` or `MIG-…`.
	pub gpus: Vec<String>,
	/// State to go on from.
	pub resume: Option<Checkpoint>,
	/// What the provider gives.
	pub limits: Limits,
}

/// Which try at which job of which lease. Written as `millrace-LEASE-JOB-ATTEMPT`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct JobName {
	/// The lease.
	pub lease: u64,
	/// The job in the lease.
	pub job: u32,
	/// Counts the tries.
	pub attempt: u32,
}

impl fmt::Display for JobName {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "millrace-{}-{}-{}", self.lease, self.job, self.attempt)
	}
}

/// What a provider gives to one container. A plan that asks for more is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
	/// The most memory in bytes, with what is in `/output`, `/tmp` and `/dev/shm`. There is no swap.
	pub memory_bytes: u64,
	/// The most processors.
	pub cpus: u32,
	/// The most processes and threads.
	pub processes: u32,
	/// The most time from the making of the container to the end of its command. The plan may ask for less.
	pub wall_clock: Duration,
	/// The most bytes of the output.
	pub output_bytes: u64,
	/// The most bytes of a checkpoint.
	pub checkpoint_bytes: u64,
	/// Least time between two looks for a checkpoint.
	pub checkpoint_interval: Duration,
	/// The most bytes of the log that are passed on. The rest is read and dropped.
	pub log_bytes: u64,
}

impl Default for Limits {
	/// 8 GiB of memory, all processors, 4,096 processes, ten minutes, 64 MiB of output and of checkpoint, a look each ten
	/// seconds, 1 MiB of log.
	fn default() -> Self {
		let cpus = thread::available_parallelism().map_or(1, NonZero::get);
		Self {
			memory_bytes: 8 << 30,
			cpus: u32::try_from(cpus).unwrap_or(u32::MAX),
			processes: 4_096,
			wall_clock: Duration::from_secs(600),
			output_bytes: 64 << 20,
			checkpoint_bytes: 64 << 20,
			checkpoint_interval: Duration::from_secs(10),
			log_bytes: 1 << 20,
		}
	}
}

/// A state of a job from which a later run can go on: the bytes of the plan's checkpoint file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Checkpoint {
	/// Counts the job's checkpoints from 1, over all its runs.
	pub number: u32,
	/// The file's bytes.
	pub bytes: Vec<u8>,
}

/// What happens while a job runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Event {
	/// The image and the inputs are here, and the command starts.
	Started,
	/// The command printed this, on standard output or standard error. It may go to a terminal: it has no control
	/// characters but tabs and line ends, and no characters that change the direction of writing.
	Log(String),
	/// The command left a new checkpoint.
	Checkpoint(Checkpoint),
}

/// What a job gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ContainerOutput {
	/// The output blob.
	pub bytes: Vec<u8>,
	/// How long the command ran.
	pub busy: Duration,
}

impl ContainerJob {
	/// Whether the provider gives what the plan asks for.
	pub(crate) fn check(&self) -> Result<(), ContainerError> {
		let Limits { memory_bytes, cpus, .. } = self.limits;
		let asked = &self.plan.container;
		for (field, asked, limit) in
			[("memory_bytes", asked.memory_bytes, memory_bytes), ("cpus", asked.cpus.into(), cpus.into())]
		{
			if asked > limit {
				return Err(ContainerError::TooMuch { field, asked, limit });
			}
		}
		// It becomes a part of podman's arguments.
		let sound = |uuid: &String| uuid.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
		match self.gpus.iter().find(|uuid| uuid.is_empty() || !sound(uuid)) {
			Some(uuid) => Err(ContainerError::DeviceMissing(format!("{uuid:?} is no UUID"))),
			None => Ok(()),
		}
	}

	/// The most time that the job gets.
	pub(crate) fn wall_clock(&self) -> Duration {
		let asked = self.plan.container.seconds.map_or(Duration::MAX, Duration::from_secs);
		asked.min(self.limits.wall_clock)
	}

	/// The size of the folder for output and checkpoint: the program writes a new checkpoint beside the old one.
	pub(crate) fn output_folder_bytes(&self) -> u64 {
		let checkpoints = self.plan.container.checkpoint.as_ref().map_or(0, |_| self.limits.checkpoint_bytes);
		// A file takes whole pages; an empty folder of size 0 would have no limit.
		self.limits.output_bytes.saturating_add(checkpoints.saturating_mul(2)).saturating_add(64 << 10)
	}
}
