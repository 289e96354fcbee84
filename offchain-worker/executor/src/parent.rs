//! The parent's side: what can be asked of the program.

use crate::{
	process::{Process, Started},
	session::{self, spawn, Event, Session, Sizes},
	Confinement, DeviceList, DeviceSelector, ExecutorError, HostLimits, JobOutput, JobRequest, Update,
};
use std::{
	io::Read,
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicBool, Ordering::Relaxed},
		mpsc::sync_channel,
		Arc,
	},
	time::Duration,
};

/// How long a child may take to say that it is there, and to list the GPUs.
pub(crate) const START_TIME: Duration = Duration::from_secs(30);
/// The longest list of GPUs, in bytes.
const MAX_LIST_BYTES: u64 = 1 << 20;

/// Cancels a job from another thread. Clones cancel the same job.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
	/// One that has not been used.
	pub fn new() -> Self {
		Self::default()
	}

	/// Has the job's process killed, within a tenth of a second or so.
	pub fn cancel(&self) {
		self.0.store(true, Relaxed);
	}

	/// Whether [`Self::cancel`] was called.
	pub fn is_cancelled(&self) -> bool {
		self.0.load(Relaxed)
	}
}

/// What a child says of itself.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ExecutorInfo {
	/// Version of the program.
	pub version: String,
	/// What keeps it in bounds on this machine.
	pub confinement: Confinement,
	/// Why it is in no control group, or in one that does not limit everything; `None` if all is well.
	pub no_control_group: Option<String>,
}

/// The executor program. Its methods block; no process outlives the call that started it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Executor {
	path: PathBuf,
	host_limits: HostLimits,
}

impl Executor {
	/// The program at `path`, which is looked at only when it is used.
	pub fn new(path: impl Into<PathBuf>) -> Self {
		Self { path: path.into(), host_limits: HostLimits::default() }
	}

	/// The same program, which may take so much of the machine for each job and each kernel to compile. The limits hold where the system
	/// lets this process make control groups: [`Self::check`] tells.
	pub fn with_host_limits(self, host_limits: HostLimits) -> Self {
		Self { host_limits, ..self }
	}

	/// What one of its processes may take of the machine.
	pub(crate) fn host_limits(&self) -> &HostLimits {
		&self.host_limits
	}

	/// Where the program is.
	pub fn path(&self) -> &Path {
		&self.path
	}

	/// Starts the program once and lets it introduce itself.
	///
	/// # Errors
	///
	/// [`ExecutorError::CannotStart`] and [`ExecutorError::Lost`].
	pub fn check(&self) -> Result<ExecutorInfo, ExecutorError> {
		let mut session = Session::start(self, &DeviceSelector::Reference, Sizes::default())?;
		let hello = session.hello(&Cancel::new(), START_TIME)?;
		let no_control_group = session.no_control_group();
		session.dismiss();
		Ok(ExecutorInfo { version: hello.version, confinement: hello.confinement, no_control_group })
	}

	/// Lists the machine's GPUs. The driver is loaded by the child only. The reference device is not listed.
	///
	/// # Errors
	///
	/// [`ExecutorError::CannotStart`] and [`ExecutorError::Lost`]. A machine without GPUs or without a driver is no
	/// error.
	pub fn devices(&self) -> Result<DeviceList, ExecutorError> {
		let Started { mut process, stdin, stdout } =
			Process::start(&self.path, &["devices", "--json"], None, None)?;
		drop(stdin);
		let (sender, receiver) = sync_channel(1);
		spawn("executor-devices", move || {
			let mut text = Vec::new();
			let read = stdout.take(MAX_LIST_BYTES).read_to_end(&mut text);
			// Nobody listens once the time is up.
			let _ = sender.send(read.map(|_| text));
		})?;
		let Ok(text) = receiver.recv_timeout(START_TIME) else {
			return Err(ExecutorError::Lost(format!("no list of GPUs after {} s", START_TIME.as_secs())));
		};
		let ending = process.end(session::EXIT_TIME);
		let text =
			text.map_err(|error| ExecutorError::Lost(format!("its list of GPUs cannot be read: {error}")))?;
		serde_json::from_slice(&text).map_err(|error| {
			let reason = format!("what it prints is no list of GPUs ({error}); {ending}");
			if ending.exited() {
				ExecutorError::CannotStart { path: self.path.clone(), reason }
			} else {
				ExecutorError::Lost(reason)
			}
		})
	}

	/// Runs one job in a process of its own and returns its output. `update` is called about four times a second while a
	/// kernel runs, and with the job's state as the limits say; the child waits for it. The request is shared, not
	/// copied, so that it can be run again after a loss.
	///
	/// # Errors
	///
	/// Every [`ExecutorError`]. The process has ended in each case, unless the message says that it hangs in its
	/// device's driver.
	pub fn run_job(
		&self,
		request: Arc<JobRequest>,
		cancel: &Cancel,
		update: &mut dyn FnMut(Update),
	) -> Result<JobOutput, ExecutorError> {
		let limits = request.limits;
		let mut session = Session::start(self, &request.device, Sizes::of(&limits))?;
		// Before it speaks it opens the device, which may take as long as anything else that it does in silence.
		session.hello(cancel, START_TIME.max(limits.silence).min(limits.wall_clock))?;
		session.send(request)?;
		loop {
			match session.next(cancel, &limits)? {
				Event::Update(now) => update(now),
				Event::Done(output) => {
					session.finish();
					return Ok(output);
				}
				other => return Err(session.refuse(other)),
			}
		}
	}
}

#[cfg(test)]
mod tests;
