//! One child process: started with nothing it does not need, and never left behind.

use crate::{group::Group, system, ExecutorError};
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
	/// Goes after the child.
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
	/// other, and an instance of a GPU in MIG mode cannot be had in another way.
	///
	/// # Errors
	///
	/// [`ExecutorError::CannotStart`].
	pub(crate) fn start(
		path: &Path,
		arguments: &[&str],
		only: Option<&str>,
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
		let group = Group::for_child();
		let mut child = command.spawn().map_err(cannot)?;
		// Before it is told what to do, so that nothing of a job is outside.
		let group = group.filter(|group| group.add(child.id()).is_ok());
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
		let out_of_memory = self.group.as_ref().is_some_and(Group::ran_out_of_memory);
		Ending { status, stderr, out_of_memory }
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
		let status = self.wait(REAP);
		if let Some(mut stuck) = self.child.take() {
			// It ends when its driver lets it. A thread of its own waits, so that it does not stay as a zombie then.
			let _ = thread::Builder::new().name("executor-reaper".into()).spawn(move || stuck.wait());
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
	/// Whether it, or something that it started, was killed because its control group had used up its memory.
	pub(crate) out_of_memory: bool,
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
		if !self.stderr.is_empty() {
			write!(f, "; it said: {}", self.stderr)?;
		}
		Ok(())
	}
}
