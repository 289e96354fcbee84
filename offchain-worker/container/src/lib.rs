//! Runs a renter's container through podman, with the lease's GPUs and nothing else of the machine.
//!
//! A *container job* is an image, named by its digest, and a command ([`ContainerPlan`](millrace_job::ContainerPlan)). Unlike a
//! kernel's launches it is a stranger's program on the provider's processors, so everything that it does not need is taken from
//! it. Nobody can check its output by computing it again.
//!
//! * *podman* makes containers without a daemon. It is called as a program; see [`Podman::find`] for what must be there.
//! * *CDI*, the container device interface, is how it gives GPUs: a file in `/etc/cdi`, written by `nvidia-ctk cdi generate`, says
//!   which device nodes and libraries belong to `nvidia.com/gpu=UUID`.
//! * A *hook* is a program that the container runtime runs outside of the container while it makes one.
//!
//! ```no_run
//! use millrace_container::{ContainerJob, Event, JobName, Limits, Podman, Settings};
//! use millrace_job::Document;
//! use std::collections::BTreeMap;
//!
//! let podman = Podman::find(Settings::new("/var/lib/millrace/containers"))?;
//! podman.sweep()?;
//! let Document::Container(plan) = Document::parse(&std::fs::read("plan.json")?)? else { return Ok(()) };
//! let blobs = BTreeMap::from_iter(plan.blobs().into_iter().map(|blob| (blob, format!("blobs/{blob}").into())));
//! let job = ContainerJob {
//!     name: JobName { lease: 7, job: 0, attempt: 1 },
//!     plan,
//!     blobs,
//!     gpus: vec!["GPU-8f6d2c5e-1d0c-4c8e-9d0a-1f1d7a3b5c79".into()],
//!     resume: None,
//!     limits: Limits::default(),
//! };
//! let output = podman.run(&job, &|| false, &mut |event| {
//!     if let Event::Log(text) = event {
//!         eprint!("{text}");
//!     }
//! })?;
//! println!("{} bytes after {:?}", output.bytes.len(), output.busy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What keeps a container in bounds
//!
//! | Attempt | Answer |
//! | --- | --- |
//! | the network | none but its own loopback |
//! | the machine's files | none is in sight but its inputs, read-only; the image is read-only, too |
//! | filling the disk | it can write only in memory, which counts as its own; its log goes through a pipe of ours; images have a limit while they are unpacked, too |
//! | memory, processors, processes, time | limits of its control group, and a clock; no swap |
//! | privileges | user 65534, no capabilities, no new privileges, podman's seccomp profile; a user namespace where podman runs without root |
//! | files that are not what they seem | the output must be a regular file of the output folder, not longer than allowed |
//! | code in the runtime's hooks (as in CVE-2025-23266 and CVE-2024-0132) | GPUs come by CDI alone; neither image nor plan can set `LD_*`, `NVIDIA_*` and such; images with annotations that a runtime might obey are refused; hooks of the machine's own do not run |
//! | images of the operator's, or pulled with the operator's passwords | the store is our own, and there are no passwords |
//! | the operator's network, asked for an image | only registries that the operator names are asked |
//! | outliving its job | removed when the job ends or is cancelled, and when the node dies; the rest by [`Podman::sweep`] |
//!
//! What is left is the kernel, which all containers share, the GPU and its driver.
//!
//! # How a job runs
//!
//! The image is looked for by its digest, and fetched from a registry or taken from a blob if it is not here. A container is
//! made and set up with its first process waiting; then the folder `/output`, a file system in memory, is opened through that
//! process and the checkpoint to go on from is put there. The command runs until it ends, is cancelled, or its time is up. The
//! output folder is still open when everything else of the container is gone, and the output is read from it.

mod call;
mod create;
mod disk;
mod error;
mod files;
mod find;
mod image;
mod job;
mod log;
mod remover;
mod run;
#[expect(unsafe_code, reason = "calls to the operating system that the standard library does not have")]
mod system;

pub use error::{ContainerError, Unavailable};
pub use find::PodmanInfo;
pub use job::{Checkpoint, ContainerJob, ContainerOutput, Event, JobName, Limits};

use std::{path::PathBuf, time::Duration};

/// Podman, with a store of images and containers of our own. Its methods block, and may be called from several threads.
#[derive(Debug)]
pub struct Podman {
	settings: Settings,
	info: PodmanInfo,
	cli: call::Cli,
	images: image::Images,
}

/// What the operator decides for all container jobs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
	/// Folder for images and jobs. Only one process at a time may use it.
	pub folder: PathBuf,
	/// The most bytes of the disk that the folder may take while an image is fetched.
	pub store_bytes: u64,
	/// The most time that fetching an image may take.
	pub fetch_time: Duration,
	/// Registries that may be asked for images.
	pub registries: Vec<Registry>,
}

/// A registry of images.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Registry {
	/// Its host, with its port if that is not the usual one, as in the names of images.
	pub host: String,
	/// Whether it must prove who it is. The digest protects the image in any case.
	pub tls: bool,
}

impl Settings {
	/// 100 GiB, half an hour, and the registries of Docker, GitHub, NVIDIA and Red Hat.
	pub fn new(folder: impl Into<PathBuf>) -> Self {
		let registries = ["docker.io", "ghcr.io", "nvcr.io", "quay.io"];
		let registries = registries.map(|host| Registry { host: host.into(), tls: true }).into();
		Self {
			folder: folder.into(),
			store_bytes: 100 << 30,
			fetch_time: Duration::from_secs(1_800),
			registries,
		}
	}
}

impl Podman {
	/// What is known of podman and the machine.
	pub fn info(&self) -> &PodmanInfo {
		&self.info
	}
}
