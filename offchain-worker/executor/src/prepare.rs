//! Compiling a kernel before its job runs, in a process that does nothing else.
//!
//! A compiler that is given an adversary's text can take very long, take much memory, or have a hole. So it runs under limits of its
//! own, before the job's time begins, and without the job's inputs in reach. What it makes is kept under the hash of the text: the
//! next job with the same kernel does not wait for it.

use crate::{
	parent::START_TIME,
	serve::{failure, Opened},
	session::{Event, Session, Sizes},
	Cancel, DeviceSelector, Executor, ExecutorError, Failure, JobLimits,
};
use millrace_device::DeviceError;
use std::time::Duration;

/// What a compiler may take of the clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PrepareLimits {
	/// The most time from the start of the process to the result. After it the process is killed, which is
	/// [`FailureKind::TimedOut`](crate::FailureKind::TimedOut).
	pub wall_clock: Duration,
}

impl Default for PrepareLimits {
	/// Two minutes.
	fn default() -> Self {
		Self { wall_clock: Duration::from_secs(120) }
	}
}

impl Executor {
	/// Compiles a kernel for a GPU, in a process of its own. The result is for
	/// [`JobRequest::compiled`](crate::JobRequest::compiled); it carries the hash of the text that it was made of, and its own.
	///
	/// # Errors
	///
	/// Every [`ExecutorError`]. The reference device compiles nothing, and rejects the kernel.
	pub fn prepare(
		&self,
		kernel: Vec<u8>,
		device: &DeviceSelector,
		limits: PrepareLimits,
		cancel: &Cancel,
	) -> Result<Vec<u8>, ExecutorError> {
		let time = limits.wall_clock;
		// A compiler says nothing while it works.
		let limits = JobLimits { wall_clock: time, silence: Duration::MAX, ..JobLimits::default() };
		let mut session = Session::start(self, device, Sizes::of_compiled())?;
		session.hello(cancel, START_TIME.min(time))?;
		session.send_kernel(kernel)?;
		let event = session.next(cancel, &limits)?;
		match event {
			Event::Prepared(compiled) => {
				session.finish();
				Ok(compiled)
			}
			other => Err(session.refuse(other)),
		}
	}

	/// Compiles a kernel if the device is one that compiles.
	pub(crate) fn prepare_if_needed(
		&self,
		kernel: Vec<u8>,
		device: &DeviceSelector,
		limits: PrepareLimits,
		cancel: &Cancel,
	) -> Result<Option<Vec<u8>>, ExecutorError> {
		match device {
			DeviceSelector::Reference => Ok(None),
			DeviceSelector::Cuda(_) => self.prepare(kernel, device, limits, cancel).map(Some),
		}
	}
}

/// The child's side: compiles the text.
pub(crate) fn prepare(opened: Result<Opened, Failure>, kernel: &[u8]) -> Result<Vec<u8>, Failure> {
	let rejected = |text: String| failure(DeviceError::KernelRejected(text).into());
	let Opened::Cuda(mut device) = opened? else {
		return Err(rejected("the reference device compiles no kernels".into()));
	};
	let text =
		std::str::from_utf8(kernel).map_err(|error| rejected(format!("the kernel is not text: {error}")))?;
	let compiled = device.compile(text).map(|compiled| compiled.to_bytes());
	// To close a device can take long, and the parent waits for an answer. The end of the process closes it as well.
	std::mem::forget(device);
	compiled.map_err(|error| failure(error.into()))
}
