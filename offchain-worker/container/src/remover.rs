//! Removing containers: each when its job ends, whatever ends it, and all of them at the start.

use crate::{
	call::{arguments, Cli, CALL_TIME},
	ContainerError, Podman,
};
use std::{
	fs,
	process::{Child, Command, Stdio},
	thread,
	time::{Duration, Instant},
};

/// How often a removal's end is looked for.
const POLL: Duration = Duration::from_millis(10);

/// Removes a container when it is dropped, or when this process ends in any way: a shell waits for the end of a pipe that only
/// we hold, and then has podman kill and remove.
pub(crate) struct Remover(Child);

impl Remover {
	pub(crate) fn start(cli: &Cli, container: &str) -> Result<Self, ContainerError> {
		let mut command = Command::new("sh");
		// `read` ends with the pipe; nothing is ever written to it.
		command.args(["-c", "read -r _; exec podman \"$@\"", "millrace-remover"]);
		command.args(cli.globals()).args(["rm", "--force", "--ignore", "--volumes", "--time=0", container]);
		cli.surround(&mut command);
		command.current_dir(&cli.tmp).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
		command.spawn().map(Self).map_err(ContainerError::broken("no shell to remove the container later"))
	}
}

impl Drop for Remover {
	fn drop(&mut self) {
		drop(self.0.stdin.take());
		let started = Instant::now();
		// One that takes longer goes on by itself.
		while started.elapsed() < CALL_TIME {
			match self.0.try_wait() {
				Ok(None) => thread::sleep(POLL),
				_ => return,
			}
		}
	}
}

impl Podman {
	/// Kills and removes all containers that an earlier process with the same folder left, and their files. Call it once,
	/// before the first job. Images stay.
	///
	/// # Errors
	///
	/// [`ContainerError::PodmanBroken`].
	pub fn sweep(&self) -> Result<(), ContainerError> {
		self.cli.call(&arguments(["rm", "--force", "--all", "--volumes", "--time=0"]))?;
		for folder in [&self.cli.jobs, &self.cli.tmp] {
			fs::remove_dir_all(folder)
				.and_then(|()| fs::create_dir(folder))
				.map_err(ContainerError::broken(folder.display()))?;
		}
		Ok(())
	}
}
