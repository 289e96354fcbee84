//! One child process: started with nothing it does not need, and never left behind.

use crate::{groups::Group, system, ExecutorError};
use millrace_device::{cuda, nvml};
use std::{
	fs,
	io::{self, Read},
	os::unix::process::{CommandExt, ExitStatusExt},
	path::Path,
	process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio},
	sync::mpsc::{sync_channel, Receiver},
	thread,
	time::{Duration, Instant},
};

/// The variables that a child keeps: those that choose a GPU driver and the GPUs that it shows.
pub(crate) const KEPT_VARIABLES: [&str; 4] =
	[cuda::LIBRARY_VARIABLE, nvml::LIBRARY_VARIABLE, cuda::VISIBLE_VARIABLE, "LD_LIBRARY_PATH"];
/// How long a killed process may take to end. Only one that is stuck in its device's driver takes longer.
const REAP: Duration = Duration::from_secs(10);
/// How often an ending process is looked at.
const REAP_INTERVAL: Duration = Duration::from_millis(5);
/// How much of what a child says on standard error is kept, in bytes.
const STDERR_BYTES: u64 = 4 << 10;

/// A child. Dropping it kills and reaps it.
pub(crate) struct Process {
	/// `None` once it is reaped.
	child: Option<Child>,
	stderr: Receiver<String>,
	/// What it is in, if it is one that enters a group. Dropped after the child.
	group: Option<Group>,
}

/// A started child, and the pipes to it.
pub(crate) struct Started {
	pub(crate) process: Process,
	pub(crate) stdin: ChildStdin,
	pub(crate) stdout: ChildStdout,
}

impl Process {
	/// Starts the program at `path`. Its driver shows it no GPU but `only`, if there is one: a process has no business on any
	/// other, and an instance of a GPU in MIG mode cannot be had in another way. The group goes with the child.
	///
	/// # Errors
	///
	/// [`ExecutorError::CannotStart`].
	pub(crate) fn start(
		path: &Path,
		arguments: &[&str],
		only: Option<&str>,
		group: Option<Group>,
	) -> Result<Started, ExecutorError> {
		let cannot =
			|error: io::Error| ExecutorError::CannotStart { path: path.into(), reason: error.to_string() };
		// The child starts in another folder, where a relative path would mean something else.
		let program = fs::canonicalize(path).map_err(cannot)?;
		let mut command = Command::new(program);
		command
			.args(arguments)
			.env_clear()
			// A cache of compiled kernels would be state that jobs share.
			.env("CUDA_CACHE_DISABLE", "1")
			.envs(KEPT_VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))))
			.envs(only.map(|uuid| (cuda::VISIBLE_VARIABLE, uuid)))
			.current_dir("/")
			.process_group(0)
			.stdin(Stdio::piped())
			.stdout(Stdio::piped())
			.stderr(Stdio::piped());
		let mut child = command.spawn().map_err(cannot)?;
		let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
		let (sender, stderr) = sync_channel(1);
		let process = Self { child: Some(child), stderr, group };
		let (Some(stdin), Some(stdout), Some(mut pipe)) = pipes else {
			return Err(cannot(io::Error::other("its pipes were not made")));
		};
		thread::Builder::new()
			.name("executor-stderr".into())
			.spawn(move || {
				let mut kept = Vec::new();
				// Errors mean the same as the end: there is no more to be had. The rest is read too, since a full pipe
				// would stop the child.
				let _ = pipe.by_ref().take(STDERR_BYTES).read_to_end(&mut kept);
				let _ = io::copy(&mut pipe, &mut io::sink());
				let _ = sender.send(printable(&String::from_utf8_lossy(&kept)));
			})
			.map_err(cannot)?;
		Ok(Started { process, stdin, stdout })
	}

	/// Waits for the child to end, kills it when `patience` is over, and says how it ended. The status is `None` if it was
	/// still not dead ten seconds after that.
	pub(crate) fn end(&mut self, patience: Duration) -> Ending {
		let status = self.wait(patience).or_else(|| self.kill());
		let stderr = self.stderr.recv_timeout(Duration::from_millis(200)).unwrap_or_default();
		// Only a kill can come of it. A child that has ended by itself had what it needed.
		let killed = status.is_some_and(|status| status.signal() == Some(libc::SIGKILL));
		let used_up = self.group.as_ref().filter(|_| killed).and_then(Group::used_up_memory);
		Ending { status, stderr, used_up }
	}

	/// The group that it was told to enter.
	pub(crate) fn group(&self) -> Option<&Group> {
		self.group.as_ref()
	}

	fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
		let start = Instant::now();
		loop {
			// An error would mean that somebody else has waited for the child: it is gone, too.
			if let Ok(Some(status)) = self.child.as_mut()?.try_wait() {
				self.child = None;
				return Some(status);
			}
			if start.elapsed() >= patience {
				return None;
			}
			thread::sleep(REAP_INTERVAL);
		}
	}

	fn kill(&mut self) -> Option<ExitStatus> {
		system::kill_group(self.child.as_ref()?.id());
		self.group.iter().for_each(Group::kill);
		let status = self.wait(REAP);
		if let Some(mut stuck) = self.child.take() {
			// It ends when its driver lets it. A thread of its own waits, so that it does not stay as a zombie then.
			let group = self.group.take();
			let _ = thread::Builder::new().name("executor-reaper".into()).spawn(move || {
				let _ = stuck.wait();
				drop(group);
			});
		}
		status
	}
}

impl Drop for Process {
	fn drop(&mut self) {
		self.kill();
	}
}

/// A text of a child's that may go into a log: a job must not be able to forge lines or send escape sequences.
pub(crate) fn printable(text: &str) -> String {
	text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ending {
	/// `None` if it does not end although it was killed.
	pub(crate) status: Option<ExitStatus>,
	/// The beginning of what it said on standard error.
	stderr: String,
	/// The memory of its group in bytes, if it was killed because it used that up.
	pub(crate) used_up: Option<u64>,
}

impl Ending {
	/// Whether it ended by itself, not by a signal.
	pub(crate) fn exited(&self) -> bool {
		self.status.is_some_and(|status| status.code().is_some())
	}
}

impl std::fmt::Display for Ending {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		match self.status.map(|status| (status.code(), status.signal())) {
			Some((Some(code), _)) => write!(f, "it exited with status {code}")?,
			Some((None, Some(signal))) => write!(f, "it was killed by signal {signal}")?,
			Some((None, None)) => write!(f, "it ended in an unknown way")?,
			None => write!(f, "it was killed and does not end, as if its device's driver hung")?,
		}
		if let Some(bytes) = self.used_up {
			write!(f, " because it used up the {} MiB of memory that it may have", bytes >> 20)?;
		}
		if !self.stderr.is_empty() {
			write!(f, "; it said: {}", self.stderr)?;
		}
		Ok(())
	}
}
