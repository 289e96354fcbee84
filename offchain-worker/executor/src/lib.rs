//! Runs one job in a process of its own, which holds no keys and has no network.
//!
//! The kernels of a job are somebody else's code, and a GPU driver is a large library with a device behind it that can
//! hang. Neither belongs into the node's process. The node starts the program `millrace-executor` once for each job,
//! hands it plan and blobs, and kills it when it takes too long.
//!
//! # The two sides
//!
//! * The parent: [`Executor`], used by the node's worker. [`Executor::run_job`] blocks until the job has ended; call it
//!   from a thread that may block, such as one of `tokio::task::spawn_blocking`.
//! * The child: [`serve`], called by the program.
//!
//! A process does one task: it runs a job, or compiles a kernel for a job to come ([`Executor::prepare`]).
//!
//! ```no_run
//! use millrace_executor::{Cancel, DeviceSelector, Executor, ExecutorError, JobLimits, JobRequest};
//! use std::sync::Arc;
//!
//! let executor = Executor::new("/usr/lib/millrace/millrace-executor");
//! let request = JobRequest {
//!     plan: std::fs::read("plan.json")?,
//!     blobs: vec![std::fs::read("kernel.ptx")?, std::fs::read("images.bin")?],
//!     resume: None,
//!     compiled: None,
//!     device: DeviceSelector::Reference,
//!     limits: JobLimits::default(),
//! };
//! match executor.run_job(Arc::new(request), &Cancel::new(), &mut |update| eprintln!("{update:?}")) {
//!     Ok(output) => println!("{} bytes after {:?}", output.bytes.len(), output.busy),
//!     Err(ExecutorError::Failed(failure)) => println!("the job's fault? {}: {failure}", failure.kind.is_final()),
//!     Err(other) => println!("nobody's result: {other}"),
//! }
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # The GPUs' health
//!
//! [`Monitor`] starts the same program as a process that lasts, reads the health of all GPUs every few seconds, and tells at once
//! when one of them reports an error. The driver's library for that ([`millrace_device::nvml`]) can hang as well as CUDA's, so the
//! node does not load it either. Restarting a monitor that was lost is the caller's matter.
//!
//! ```no_run
//! use millrace_executor::{Executor, Monitor, MonitorMessage};
//! use std::time::Duration;
//!
//! let mut monitor = Monitor::start(&Executor::new("/usr/lib/millrace/millrace-executor"), Duration::from_secs(5))?;
//! while let Ok(message) = monitor.next(Duration::from_secs(1)) {
//!     match message {
//!         Some(MonitorMessage::Reading(reading)) => println!("{} GPUs", reading.gpus.len()),
//!         Some(MonitorMessage::Xid(event)) => println!("{}: {} ({})", event.uuid, event.meaning, event.code),
//!         None => {}
//!     }
//! }
//! # Ok::<(), millrace_executor::ExecutorError>(())
//! ```
//!
//! # What an error asks of the caller
//!
//! | Error | Meaning | What to do |
//! | --- | --- | --- |
//! | [`ExecutorError::Failed`], [`FailureKind::is_final`] | the job cannot succeed as it is | report it |
//! | `Failed` with `BlobMissing` | a blob was not in the request | fetch it, or report it |
//! | `Failed` with `DeviceUnavailable` or `DeviceLost` | no such device here, or it failed | probe the device, then run again or report |
//! | [`ExecutorError::Lost`] | the process died, hung, or talked nonsense | probe the device, run again a few times |
//! | [`ExecutorError::CannotStart`] | wrong path or another version of the program | tell the operator |
//! | [`ExecutorError::Cancelled`] | the caller wanted it so | nothing |
//!
//! # What keeps the child in bounds
//!
//! Its environment is empty but for the variables that choose a GPU driver, and its driver shows it the GPU of its job and no
//! other. It is the leader of its process group, dies with
//! its parent, writes no core file, has a limit on its memory, cannot be traced by other processes of the user, gains no privileges, and has a network
//! namespace with nothing in it. Where the machine lets its parent make one, it is in a control group of its own, before anything
//! else, which limits memory, tasks and its share of the processors. Landlock leaves it the files of the device's driver alone; then the driver is loaded; then
//! seccomp takes away programs, other processes, sockets and the kernel's own setting. Only after that does it read anything of
//! the job's. [`ExecutorInfo::confinement`] tells which of these took effect on this machine: the group and the last two are tried each time.
//!
//! # The protocol
//!
//! Frames over stdin and stdout: a length of four bytes, little-endian, then as many bytes of SCALE. The child speaks
//! first and says its version; both programs must be of the same. Then the parent sends the task: a request, its blobs, the
//! checkpoint to start from and the compiled kernel, or a kernel to compile. The child answers with progress, at least every half second while a kernel runs, with
//! checkpoints between launches, and with one result.

mod by_hand;
mod conformance;
mod error;
mod filesystem;
mod frame;
mod groups;
mod health;
mod message;
mod monitor;
mod parent;
mod prepare;
mod process;
mod request;
mod serve;
mod session;
mod syscalls;
#[expect(unsafe_code, reason = "calls to the operating system that the standard library does not have")]
mod system;
mod watcher;

pub use by_hand::{list_devices, run_by_hand, HandRun, HandRunError};
pub use conformance::{conformance, ConformanceRecord};
pub use error::{ExecutorError, Failure, FailureKind};
pub use groups::HostLimits;
pub use health::{health_text, read_health};
pub use monitor::{Monitor, MonitorMessage};
pub use parent::{Cancel, Executor, ExecutorInfo};
pub use prepare::PrepareLimits;
pub use request::{DeviceSelector, JobLimits, JobOutput, JobRequest, SelectorTextError};
pub use serve::serve;
pub use system::Confinement;
pub use watcher::watch_health;

pub use millrace_device::{
	nvml::{GpuHealth, GpuState, MigInstance, NvmlUnavailable, Reading, Throttling, XidEvent},
	Checkpoint, Checkpoints, DeviceInfo, DeviceList, Kind, Progress, Update,
};
