//! Calling podman: with a store of our own, an empty environment, a time limit, and bounded ears.

use crate::{system, ContainerError};
use std::{
	ffi::OsString,
	io::{self, Read},
	os::unix::process::CommandExt,
	path::{Path, PathBuf},
	process::{Child, Command, Stdio},
	thread::{self, JoinHandle},
	time::{Duration, Instant},
};

/// How long a call may take that does not fetch an image.
pub(crate) const CALL_TIME: Duration = Duration::from_secs(60);
/// How often a call's end is looked for.
const POLL: Duration = Duration::from_millis(10);
/// The most that is kept of what podman prints.
const MAX_PRINTED: u64 = 1 << 20;
/// The most characters of a message of podman's that are passed on.
const MAX_MESSAGE_CHARS: usize = 1_000;
/// Where programs are: the caller's own setting must not decide which podman runs.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// How podman is called: with these folders.
#[derive(Debug)]
pub(crate) struct Cli {
	/// Images and containers.
	pub(crate) storage: PathBuf,
	/// State that must not outlive a start of the machine.
	pub(crate) run: PathBuf,
	/// The jobs' folders.
	pub(crate) jobs: PathBuf,
	/// Podman's passing files, where no job's folder is.
	pub(crate) tmp: PathBuf,
	/// An empty folder, so that no hooks of the operator's run in renters' containers.
	pub(crate) hooks: PathBuf,
	/// Podman's configuration.
	pub(crate) configuration: PathBuf,
	/// Registries' passwords: none.
	pub(crate) authentication: PathBuf,
}

/// Why a call gave nothing.
pub(crate) enum CallError {
	/// Podman said no, in these words.
	Said(String),
	/// Something else.
	Other(ContainerError),
}

impl From<CallError> for ContainerError {
	fn from(error: CallError) -> Self {
		match error {
			CallError::Said(text) => Self::PodmanBroken(text),
			CallError::Other(error) => error,
		}
	}
}

impl Cli {
	/// A call that is not started yet.
	pub(crate) fn command(&self) -> Command {
		let mut command = Command::new("podman");
		command.args(self.globals());
		self.surround(&mut command);
		command
	}

	/// What comes between `podman` and its subcommand.
	pub(crate) fn globals(&self) -> Vec<OsString> {
		let folders = [
			("--root", &self.storage),
			("--runroot", &self.run),
			("--tmpdir", &self.run.join("libpod")),
			("--hooks-dir", &self.hooks),
		];
		folders.into_iter().flat_map(|(option, path)| [option.into(), path.into()]).collect()
	}

	/// Gives a command podman's environment, and nothing of ours.
	pub(crate) fn surround(&self, command: &mut Command) {
		command.env_clear().env("PATH", PATH);
		command.env("TMPDIR", &self.tmp).env("CONTAINERS_CONF", &self.configuration);
		for name in ["HOME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"] {
			if let Some(value) = std::env::var_os(name) {
				command.env(name, value);
			}
		}
		// A group of its own: a Ctrl-C for the node is not for podman, and all of it can be killed.
		command.process_group(0).stdin(Stdio::null());
	}

	/// Calls podman in a folder, where its passing files will be, too, and returns what it printed. `watch` is asked again
	/// and again whether to go on.
	pub(crate) fn call_watched(
		&self,
		arguments: &[String],
		folder: &Path,
		time: Duration,
		watch: &mut dyn FnMut() -> Result<(), ContainerError>,
	) -> Result<String, CallError> {
		let mut command = self.command();
		command
			.args(arguments)
			.current_dir(folder)
			.env("TMPDIR", folder)
			.stdout(Stdio::piped())
			.stderr(Stdio::piped());
		system::die_with_parent(&mut command);
		let broken = |what| move |error: io::Error| CallError::Other(ContainerError::broken(what)(error));
		let mut child = Running::start(&mut command).map_err(broken("podman does not start"))?;
		let stdout = listen(child.0.stdout.take());
		let stderr = listen(child.0.stderr.take());
		let started = Instant::now();
		let status = loop {
			if let Some(status) = child.0.try_wait().map_err(broken("waiting for podman"))? {
				break status;
			}
			watch().map_err(CallError::Other)?;
			if started.elapsed() > time {
				let subcommand = arguments.first().map_or("", String::as_str);
				let text = format!("`podman {subcommand}` took longer than {} s", time.as_secs());
				return Err(CallError::Said(text));
			}
			thread::sleep(POLL);
		};
		let (stdout, stderr) = (heard(stdout), heard(stderr));
		if status.success() {
			Ok(stdout)
		} else {
			Err(CallError::Said(message(&stderr)))
		}
	}

	/// Calls podman for something short.
	pub(crate) fn call(&self, arguments: &[String]) -> Result<String, CallError> {
		self.call_watched(arguments, &self.tmp, CALL_TIME, &mut || Ok(()))
	}
}

/// A child that is killed, with its group, when it is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Running {
	pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
		command.spawn().map(Self)
	}
}

impl Drop for Running {
	fn drop(&mut self) {
		if let Ok(None) = self.0.try_wait() {
			system::kill_group(self.0.id());
			// It was killed and cannot refuse; there is nothing else to learn from it.
			let _ = self.0.wait();
		}
	}
}

/// Reads what a child prints, and keeps the beginning.
fn listen(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
	thread::spawn(move || {
		let Some(mut pipe) = pipe else { return String::new() };
		let mut text = Vec::new();
		// What cannot be read is missing from a message, and an answer without its end is no JSON.
		let _ = pipe.by_ref().take(MAX_PRINTED).read_to_end(&mut text);
		let _ = io::copy(&mut pipe, &mut io::sink());
		String::from_utf8_lossy(&text).into_owned()
	})
}

fn heard(listener: JoinHandle<String>) -> String {
	listener.join().unwrap_or_default()
}

/// What podman said, as one line that may go into a log. Its messages may contain text of the image's author.
fn message(stderr: &str) -> String {
	let line = stderr.trim().lines().last().unwrap_or("it says nothing");
	let line = line.strip_prefix("Error: ").unwrap_or(line);
	line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_MESSAGE_CHARS).collect()
}

/// Arguments of a call.
pub(crate) fn arguments<const N: usize>(arguments: [&str; N]) -> Vec<String> {
	arguments.map(String::from).into()
}
