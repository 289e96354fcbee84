//! What every device can do.

use crate::{DeviceError, DeviceInfo};
use millrace_ptx::{Argument, LaunchConfig};

/// An address in a device's memory.
pub type Pointer = u64;

/// One run of a kernel over a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct KernelLaunch {
	/// Name of the entry point in the loaded module.
	pub entry: String,
	/// Grid, block, dynamic shared memory.
	pub config: LaunchConfig,
	/// One for each parameter, of its size.
	pub arguments: Vec<Argument>,
}

/// Whether a launch has ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Status {
	/// It still runs.
	Running {
		/// Thread blocks that are done, where the device can tell.
		blocks: Option<u64>,
	},
	/// No launch runs.
	Idle,
}

/// How far a job is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Progress {
	/// Launches that have ended.
	pub launches_done: u32,
	/// Launches of the plan.
	pub launches: u32,
	/// Thread blocks of the current launch that are done, where the device can tell.
	pub blocks_done: Option<u64>,
}

/// A device, used for one job and dropped after it, which frees its memory.
///
/// Calls come in this order: `load` once, then `alloc` and `write`, then `start` and `poll` until `Idle` for each
/// launch, then `read`. An error of the kind [`DeviceError::Lost`] also stands for calls out of this order.
pub trait Device: Send {
	/// What it is.
	fn info(&self) -> &DeviceInfo;

	/// Loads a kernel text, in place of any that was loaded before.
	///
	/// # Errors
	///
	/// [`DeviceError::KernelRejected`] with the compiler's words, or a failure of the device.
	fn load(&mut self, ptx: &str) -> Result<(), DeviceError>;

	/// Allocates `bytes` bytes, at least 1, of zeros.
	///
	/// # Errors
	///
	/// [`DeviceError::OutOfMemory`], or a failure of the device.
	fn alloc(&mut self, bytes: u64) -> Result<Pointer, DeviceError>;

	/// Copies `data` to the start of an allocation that is at least as long.
	///
	/// # Errors
	///
	/// A failure of the device.
	fn write(&mut self, pointer: Pointer, data: &[u8]) -> Result<(), DeviceError>;

	/// Copies `bytes` bytes from the start of an allocation that is at least as long.
	///
	/// # Errors
	///
	/// A failure of the device.
	fn read(&mut self, pointer: Pointer, bytes: u64) -> Result<Vec<u8>, DeviceError>;

	/// Starts a launch of the loaded module. Shape and arguments have been checked against the module by the caller.
	///
	/// # Errors
	///
	/// [`DeviceError::KernelRejected`] if it cannot run in this shape, or a failure of the device.
	fn start(&mut self, launch: &KernelLaunch) -> Result<(), DeviceError>;

	/// Looks whether the launch has ended, without waiting.
	///
	/// # Errors
	///
	/// What went wrong in the launch: [`DeviceError::KernelFault`], [`DeviceError::TimedOut`] for a limit of the
	/// device, or a failure of the device.
	fn poll(&mut self) -> Result<Status, DeviceError>;
}
