//! Why there is no podman, and why a job has no output.

use millrace_job::BlobHash;
use std::{path::PathBuf, time::Duration};

/// Why containers cannot be run on this machine. Each text tells the operator what to do.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
	/// The program is missing, or fails.
	#[error("podman cannot be used: {0}; install podman 4.3 or later with crun")]
	Podman(String),
	/// It is too old to be given GPUs by CDI and the limits that are needed.
	#[error("podman is version {found}, and 4.3 or later is needed")]
	TooOld {
		/// The version that it says.
		found: String,
	},
	/// The folder for images cannot be used.
	#[error("{}: {reason}; choose another folder for containers", folder.display())]
	Folder {
		/// The folder.
		folder: PathBuf,
		/// What is wrong with it.
		reason: String,
	},
	/// Podman has no folder that is emptied at each start of the machine.
	#[error(
		"XDG_RUNTIME_DIR is not set, which podman needs when it does not run as root: run `loginctl enable-linger` for the \
		 node's user"
	)]
	NoRunFolder,
	/// The kernel or podman lacks seccomp.
	#[error("podman would run containers without seccomp: install a build of podman and a kernel with it")]
	NoSeccomp,
	/// Limits cannot be set.
	#[error(
		"podman cannot limit {missing} for containers: use cgroup v2 and hand the controllers to the node's user \
		 (`Delegate=cpu memory pids` for its systemd unit), or run the node as root"
	)]
	NoLimits {
		/// The controllers that are missing.
		missing: String,
	},
	/// Without root, podman has no user to run commands as.
	#[error(
		"podman has too few users for containers: `usermod --add-subuids 100000-165535 --add-subgids 100000-165535` the \
		 node's user, then `podman system migrate` as that user"
	)]
	NoUsers,
	/// The container runtime does not work with this machine's mix of cgroup versions.
	#[error(
		"crun refuses cgroups of both versions at once: boot with `systemd.unified_cgroup_hierarchy=1`, or run \
		 `umount /sys/fs/cgroup/unified` in the node's mount namespace"
	)]
	HybridCgroups,
}

/// Why a container job has no output.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ContainerError {
	/// The plan asks for more than this provider gives.
	#[error("the plan asks for {asked} of `{field}`, and this provider gives at most {limit}")]
	TooMuch {
		/// The plan's field.
		field: &'static str,
		/// What it asks for.
		asked: u64,
		/// What can be had.
		limit: u64,
	},
	/// A blob of the plan was not handed over, or its file has other bytes.
	#[error("blob {0} is missing or damaged")]
	BlobMissing(BlobHash),
	/// The registry did not give the image.
	#[error("the image could not be had: {0}")]
	ImageMissing(String),
	/// The image is not what the plan says, too large, or made to reach out of its container.
	#[error("the image is refused: {0}")]
	ImageRefused(String),
	/// No CDI specification of this machine has one of the GPUs.
	#[error("a GPU cannot be given to the container: {0}; run `nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml`")]
	DeviceMissing(String),
	/// The image has no such program, or it cannot be executed.
	#[error("the command cannot be started: {0}")]
	CommandRejected(String),
	/// The command ended with another status than 0.
	#[error("the command ended with status {status}")]
	Failed {
		/// The status; 128 and the signal's number after a signal.
		status: i32,
	},
	/// The kernel killed a process of the container's for its memory. A command that ends with status 137 counts as one.
	#[error("the container used up its memory")]
	OutOfMemory,
	/// The job took longer than it may, and was killed.
	#[error("the job did not end within {:.1} s and was killed", .0.as_secs_f64())]
	TimedOut(Duration),
	/// The caller cancelled the job.
	#[error("the job was cancelled")]
	Cancelled,
	/// The command ended well, but left no output that can be taken.
	#[error("the output is refused: {0}")]
	OutputRefused(String),
	/// Podman or this machine failed.
	#[error("podman failed: {0}")]
	PodmanBroken(String),
}

impl ContainerError {
	/// Whether the job would fail again in the same way on a sound machine of this kind, so that it is to be reported
	/// instead of retried.
	pub fn is_final(&self) -> bool {
		match self {
			Self::TooMuch { .. }
			| Self::ImageRefused(_)
			| Self::CommandRejected(_)
			| Self::Failed { .. }
			| Self::OutOfMemory
			| Self::TimedOut(_)
			| Self::OutputRefused(_) => true,
			Self::BlobMissing(_)
			| Self::ImageMissing(_)
			| Self::DeviceMissing(_)
			| Self::Cancelled
			| Self::PodmanBroken(_) => false,
		}
	}

	/// This machine's trouble with something.
	pub(crate) fn broken(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
		move |error| Self::PodmanBroken(format!("{what}: {error}"))
	}
}
