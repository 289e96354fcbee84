//! The devices that run kernel jobs, behind one trait.
//!
//! A [`Device`] holds memory, loads one kernel text, and runs its launches one after the other. There are two:
//!
//! * [`cuda::CudaDevice`], an NVIDIA GPU, driven by the CUDA driver API. The driver's library is loaded at run time, so
//!   the same binary starts on a machine without one, and says why it cannot use a GPU.
//! * [`reference::ReferenceDevice`], which interprets the same PTX text on the CPU. It gives the same bytes, slowly. It
//!   is for development, for tests, and for checking what somebody else computed; it is no replacement for a GPU.
//!
//! [`run_plan`] runs a whole job on either: the code path, the checks and the errors are the same.
//!
//! # Which kernels run
//!
//! Those that `millrace-ptx` can parse, on both devices. A job's result can then always be checked without a GPU, and
//! the launches' entry points, arguments and shapes are checked before a driver sees them. The CUDA driver itself
//! copies as many bytes as a parameter has from wherever the argument is, so this check also keeps that sound.
//!
//! # Checkpoints
//!
//! Between two launches [`run_plan`] can hand out the job's state, a [`Checkpoint`], and it can start from one. The output
//! is the same, byte by byte, also when the two parts of a job run on different devices.
//!
//! # Health
//!
//! [`nvml`] tells how the GPUs are: temperature, power, errors, whether they are still there; and which instances a GPU in MIG mode
//! has. [`listing::enumerate`] lists what jobs can run on, instances included.
//!
//! # Unsafe code
//!
//! Only in the modules `cuda` and `nvml`, whose calls into the driver cannot be anything else.

mod checkpoint;
pub mod conformance;
pub mod cuda;
mod device;
mod error;
mod info;
mod launch;
mod library;
pub mod listing;
pub mod nvml;
pub mod reference;
mod run;
mod watch;

pub use checkpoint::{Checkpoint, Checkpoints};
pub use device::{Device, KernelLaunch, Pointer, Progress, Status};
pub use error::{DeviceError, JobError, TimeLimit};
pub use info::{DeviceInfo, DeviceList, Kind};
pub use run::{run_plan, BlobSource, JobOutput, RunLimits, Update};
pub use watch::LaunchWatch;
