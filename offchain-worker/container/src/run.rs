//! The life of one container.

use crate::{
	call::{arguments, CallError, Running},
	files::{CheckpointFile, JobFolder, OutputFolder},
	log::{pass_on, Budget},
	remover::Remover,
	system, ContainerError, ContainerJob, ContainerOutput, Event, Podman,
};
use serde::Deserialize;
use std::{
	process::Stdio,
	sync::mpsc::{sync_channel, Receiver, RecvTimeoutError},
	thread,
	time::{Duration, Instant},
};

/// How often the wait for a command looks at the clock and at whether the job was cancelled.
const POLL: Duration = Duration::from_millis(50);
/// How long the last of the log may take once the command has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// Pieces of log that may wait. A command that prints faster than they are taken is slowed down.
const WAITING_PIECES: usize = 16;

/// The status of a command that the kernel killed: 128 and the number of SIGKILL. From inside, a container's first process
/// cannot be killed, and we have not done it, so that it is for the memory. Podman notices most times, but not always.
const KILLED: i32 = 137;

/// What podman says of a container.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
	status: String,
	pid: u32,
	exit_code: i32,
	#[serde(rename = "OOMKilled")]
	oom_killed: bool,
}

impl Podman {
	/// Runs one job in a container of its own and returns its output. Blocks. `cancelled` is asked about twenty times a second,
	/// and `event` is called on this thread.
	///
	/// # Errors
	///
	/// Every [`ContainerError`]. Nothing of the container is left in any case, unless podman itself fails; then the next
	/// [`sweep`](Self::sweep) removes it.
	pub fn run(
		&self,
		job: &ContainerJob,
		cancelled: &dyn Fn() -> bool,
		event: &mut dyn FnMut(Event),
	) -> Result<ContainerOutput, ContainerError> {
		job.check()?;
		let folder = JobFolder::make(&self.cli.jobs, job)?;
		let image = self.image(job, &folder.passing(), cancelled)?;
		folder.fill(job)?;
		let clock = Clock { started: Instant::now(), limit: job.wall_clock(), cancelled };
		// Before there is a container, so that there is none without it.
		let remover = Remover::start(&self.cli, &job.name.to_string())?;
		self.cli.call(&self.create_arguments(job, &image, &folder.inputs()))?;
		let output = self.enter(job)?;
		let mut checkpoints = CheckpointFile::new(&output, job)?;
		clock.check()?;
		event(Event::Started);
		let began = Instant::now();
		self.attend(job, &clock, &mut checkpoints, event)?;
		let busy = began.elapsed();
		let ended = self.ended(job);
		drop(remover);
		ended?;
		let name = &job.plan.container.output;
		let bytes = output.open_file(name, job.limits.output_bytes).and_then(|found| found.read());
		let bytes =
			bytes.map_err(|unfit| ContainerError::OutputRefused(format!("/output/{name} {unfit}")))?;
		Ok(ContainerOutput { bytes, busy })
	}

	/// Sets the container up, with its first process waiting, and opens its output folder.
	fn enter(&self, job: &ContainerJob) -> Result<OutputFolder, ContainerError> {
		self.cli.call(&arguments(["init", &job.name.to_string()])).map_err(|error| match error {
			CallError::Said(text) => explain(text),
			CallError::Other(error) => error,
		})?;
		OutputFolder::open(self.state(job)?.pid)
	}

	/// Starts the command and stays until it ends.
	fn attend(
		&self,
		job: &ContainerJob,
		clock: &Clock<'_>,
		checkpoints: &mut CheckpointFile<'_>,
		event: &mut dyn FnMut(Event),
	) -> Result<(), ContainerError> {
		let mut attached = Attached::start(self, job)?;
		let mut looked = Instant::now();
		loop {
			let piece = attached.log.recv_timeout(POLL);
			let silent = piece.is_err();
			match piece {
				Ok(text) => event(Event::Log(text)),
				// Both streams are closed; podman itself is about to end.
				Err(RecvTimeoutError::Disconnected) => thread::sleep(POLL),
				Err(RecvTimeoutError::Timeout) => {}
			}
			clock.check()?;
			let ended = silent && attached.has_ended()?;
			if ended || looked.elapsed() >= job.limits.checkpoint_interval {
				looked = Instant::now();
				match checkpoints.look() {
					Ok(Some(checkpoint)) if !ended => event(Event::Checkpoint(checkpoint)),
					Ok(_) => {}
					Err(text) => event(Event::Log(format!("[{text}]\n"))),
				}
			}
			if ended {
				attached.last_words(event);
				return Ok(());
			}
		}
	}

	/// How the command ended.
	fn ended(&self, job: &ContainerJob) -> Result<(), ContainerError> {
		let state = self.state(job)?;
		match state {
			State { status, .. } if status != "exited" && status != "stopped" => Err(
				ContainerError::PodmanBroken(format!("the container is {status} where it should have ended")),
			),
			State { exit_code: 0, .. } => Ok(()),
			State { oom_killed: true, .. } | State { exit_code: KILLED, .. } => {
				Err(ContainerError::OutOfMemory)
			}
			State { exit_code, .. } => Err(ContainerError::Failed { status: exit_code }),
		}
	}

	fn state(&self, job: &ContainerJob) -> Result<State, ContainerError> {
		let inspect = ["container", "inspect", "--format", "{{json .State}}", &job.name.to_string()];
		let text = self.cli.call(&arguments(inspect))?;
		serde_json::from_str(&text).map_err(|error| {
			ContainerError::PodmanBroken(format!("what it says of a container is not understood: {error}"))
		})
	}
}

/// What a failure to set a container up means.
fn explain(text: String) -> ContainerError {
	let has = |part: &str| text.contains(part);
	if has("CDI device") {
		ContainerError::DeviceMissing(text)
	} else if has("executable file") || has("command that was not found") {
		ContainerError::CommandRejected(text)
	} else {
		ContainerError::PodmanBroken(text)
	}
}

/// What ends a job from outside.
struct Clock<'a> {
	started: Instant,
	limit: Duration,
	cancelled: &'a dyn Fn() -> bool,
}

impl Clock<'_> {
	fn check(&self) -> Result<(), ContainerError> {
		if (self.cancelled)() {
			Err(ContainerError::Cancelled)
		} else if self.started.elapsed() >= self.limit {
			Err(ContainerError::TimedOut(self.limit))
		} else {
			Ok(())
		}
	}
}

/// The podman that starts the command and passes on what it prints.
struct Attached {
	podman: Running,
	log: Receiver<String>,
}

impl Attached {
	fn start(podman: &Podman, job: &ContainerJob) -> Result<Self, ContainerError> {
		let mut command = podman.cli.command();
		command.args(["start", "--attach", "--sig-proxy=false", &job.name.to_string()]);
		command.stdout(Stdio::piped()).stderr(Stdio::piped());
		system::die_with_parent(&mut command);
		let mut child =
			Running::start(&mut command).map_err(ContainerError::broken("podman does not start"))?;
		let (sender, log) = sync_channel(WAITING_PIECES);
		let budget = Budget::new(job.limits.log_bytes);
		if let Some(stdout) = child.0.stdout.take() {
			let (budget, sender) = (budget.clone(), sender.clone());
			thread::spawn(move || pass_on(stdout, &budget, &sender));
		}
		if let Some(stderr) = child.0.stderr.take() {
			thread::spawn(move || pass_on(stderr, &budget, &sender));
		}
		Ok(Self { podman: child, log })
	}

	fn has_ended(&mut self) -> Result<bool, ContainerError> {
		let ended = self.podman.0.try_wait().map_err(ContainerError::broken("waiting for podman"))?;
		Ok(ended.is_some())
	}

	/// Passes on what was printed and is still in a pipe.
	fn last_words(&self, event: &mut dyn FnMut(Event)) {
		let until = Instant::now() + LAST_WORDS;
		while let Ok(text) = self.log.recv_timeout(until.saturating_duration_since(Instant::now())) {
			event(Event::Log(text));
		}
	}
}
