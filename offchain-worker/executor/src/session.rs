//! One child that is talked to, from its first words to its result.

use crate::{
	frame::{read_frame, write_frame},
	groups::Group,
	message::{Hello, Reply, Start, Task, MAGIC, MAX_COMPILED_BYTES, MAX_REPLY_FRAME, PROTOCOL, VERSION},
	process::{printable, Process, Started},
	Cancel, Checkpoint, DeviceSelector, Executor, ExecutorError, Failure, FailureKind, JobLimits, JobOutput,
	JobRequest, Progress, Update,
};
use codec::{Decode, Encode};
use millrace_device::LaunchWatch;
use std::{
	io::{Read, Write},
	path::{Path, PathBuf},
	process::{ChildStdin, ChildStdout},
	sync::{
		mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
		Arc,
	},
	thread,
	time::{Duration, Instant},
};

/// How long a child may take to end after its result: the driver gives back the device's memory.
pub(crate) const EXIT_TIME: Duration = Duration::from_secs(10);
/// How much later than the child's own limits the parent kills it.
const GRACE: Duration = Duration::from_secs(1);
/// How often the wait for a child looks whether the job was cancelled.
const CANCEL_INTERVAL: Duration = Duration::from_millis(50);

/// What comes from a child.
pub(crate) enum Event {
	Hello(Hello),
	Update(Update),
	Done(JobOutput),
	/// Bytes of a compiled kernel.
	Prepared(Vec<u8>),
	Failed(Failure),
	/// Nothing more comes.
	Broken(String),
}

/// The most bytes of what a child sends beside its replies.
#[derive(Clone, Copy, Default)]
pub(crate) struct Sizes {
	output: u64,
	checkpoint: u64,
	compiled: u64,
}

impl Sizes {
	pub(crate) fn of(limits: &JobLimits) -> Self {
		let checkpoint = limits.checkpoints.map_or(0, |rule| rule.max_bytes);
		Self { output: limits.output_bytes, checkpoint, compiled: 0 }
	}

	/// For a child that compiles a kernel.
	pub(crate) fn of_compiled() -> Self {
		Self { compiled: MAX_COMPILED_BYTES, ..Self::default() }
	}
}

/// A child and the thread that listens to it.
pub(crate) struct Session {
	path: PathBuf,
	started: Instant,
	process: Process,
	stdin: Option<ChildStdin>,
	events: Receiver<Event>,
	/// The launches of its job.
	launches: LaunchWatch,
}

impl Session {
	pub(crate) fn start(
		executor: &Executor,
		device: &DeviceSelector,
		sizes: Sizes,
	) -> Result<Self, ExecutorError> {
		let path = executor.path();
		let only = match device {
			DeviceSelector::Cuda(Some(uuid)) => Some(uuid.as_str()),
			DeviceSelector::Cuda(None) | DeviceSelector::Reference => None,
		};
		let (parent, device) = (std::process::id().to_string(), device.to_string());
		let group = Group::make(executor.host_limits());
		let folders: Vec<_> = group.folders().map(|folder| folder.to_string_lossy().into_owned()).collect();
		let mut arguments = vec!["serve", "--parent", &parent, "--device", &device];
		arguments.extend(folders.iter().flat_map(|folder| ["--group", folder]));
		let Started { process, stdin, stdout } = Process::start(path, &arguments, only, Some(group))?;
		// Few, so that a child that floods its pipe is slowed down instead of filling our memory.
		let (sender, events) = sync_channel(4);
		spawn("executor-listener", move || listen(stdout, sizes, &sender))?;
		let launches = LaunchWatch::new(Duration::MAX);
		Ok(Self { path: path.into(), started: Instant::now(), process, stdin: Some(stdin), events, launches })
	}

	/// Waits for the child's first words, and compares versions.
	pub(crate) fn hello(&mut self, cancel: &Cancel, time: Duration) -> Result<Hello, ExecutorError> {
		let limits = JobLimits { wall_clock: Duration::MAX, silence: time, ..JobLimits::default() };
		let cannot = |path: &Path, reason| ExecutorError::CannotStart { path: path.into(), reason };
		match self.next(cancel, &limits)? {
			Event::Hello(hello) if hello.protocol == PROTOCOL && hello.version == VERSION => Ok(hello),
			Event::Hello(Hello { version, protocol, .. }) => {
				let reason = format!(
					"it is version {version} with protocol {protocol}, and version {VERSION} with protocol {PROTOCOL} is \
					 needed; install both from one release"
				);
				Err(cannot(&self.path, reason))
			}
			Event::Broken(reason) => {
				let ending = self.process.end(Duration::from_secs(1));
				let reason = format!("{reason}; {ending}");
				Err(if ending.exited() { cannot(&self.path, reason) } else { ExecutorError::Lost(reason) })
			}
			_ => Err(cannot(&self.path, "it speaks before it says its version".into())),
		}
	}

	/// Why its control group does not limit everything.
	pub(crate) fn no_control_group(&self) -> Option<String> {
		self.process.group().and_then(Group::lacking)
	}

	/// Hands the request over, on a thread of its own: the child reads it while it may already speak.
	pub(crate) fn send(&mut self, request: Arc<JobRequest>) -> Result<(), ExecutorError> {
		self.launches = LaunchWatch::new(request.limits.launch);
		let spent = self.started.elapsed();
		self.write(move |stdin| write_request(stdin, &request, spent))
	}

	/// Hands a kernel over, to be compiled.
	pub(crate) fn send_kernel(&mut self, kernel: Vec<u8>) -> Result<(), ExecutorError> {
		self.write(move |stdin| {
			write_frame(stdin, &Task::Prepare.encode())?;
			write_frame(stdin, &kernel)
		})
	}

	fn write(
		&mut self,
		body: impl FnOnce(&mut ChildStdin) -> std::io::Result<()> + Send + 'static,
	) -> Result<(), ExecutorError> {
		let Some(mut stdin) = self.stdin.take() else { return Ok(()) };
		spawn("executor-request", move || {
			// An error means that the child has closed its input, which the listener will notice in its own way.
			let _ = body(&mut stdin);
		})
	}

	/// Lets the child end without a task, which the end of its input tells it.
	pub(crate) fn dismiss(&mut self) {
		drop(self.stdin.take());
		self.finish();
	}

	/// Waits for the child's end, after its last words.
	pub(crate) fn finish(&mut self) {
		self.process.end(EXIT_TIME);
	}

	/// The error that an event stands for when nothing but an error was left to come.
	pub(crate) fn refuse(&mut self, event: Event) -> ExecutorError {
		match event {
			Event::Failed(failure) => {
				self.finish();
				ExecutorError::Failed(failure)
			}
			Event::Broken(reason) => {
				let ending = self.process.end(Duration::from_secs(1));
				match ending.used_up {
					Some(bytes) => ExecutorError::Failed(Failure {
						kind: FailureKind::OutOfMemory,
						message: format!(
							"out of the machine's memory: the job's process took more than the {} MiB that it may have, and was \
							 killed; use less, or a provider that gives more",
							bytes >> 20
						),
					}),
					None => ExecutorError::Lost(format!("{reason}; {ending}")),
				}
			}
			Event::Hello(_) | Event::Update(_) | Event::Done(_) | Event::Prepared(_) => {
				ExecutorError::Lost("it said what it was not asked for".into())
			}
		}
	}

	/// The next event. Cancellation, the clocks and silence are errors.
	pub(crate) fn next(&mut self, cancel: &Cancel, limits: &JobLimits) -> Result<Event, ExecutorError> {
		let silent = Instant::now();
		let wall_clock = limits.wall_clock.saturating_add(GRACE);
		loop {
			match self.events.recv_timeout(CANCEL_INTERVAL) {
				Ok(event) => {
					match &event {
						Event::Update(Update::Progress(progress)) => self.launches.see(*progress),
						// It was read after the launch.
						Event::Update(Update::Checkpoint(_)) => self.launches.restart(),
						_ => {}
					}
					return Ok(event);
				}
				Err(RecvTimeoutError::Disconnected) => {
					return Err(ExecutorError::Lost("its listener ended".into()))
				}
				Err(RecvTimeoutError::Timeout) => {}
			}
			if cancel.is_cancelled() {
				return Err(ExecutorError::Cancelled);
			}
			if self.started.elapsed() >= wall_clock {
				let message = format!(
					"the job did not end within {:.1} s and was killed",
					limits.wall_clock.as_secs_f64()
				);
				return Err(ExecutorError::Failed(Failure { kind: FailureKind::TimedOut, message }));
			}
			if let Err(stalled) = self.launches.check(GRACE) {
				let message = format!("{stalled} (its process was killed)");
				return Err(ExecutorError::Failed(Failure { kind: FailureKind::TimedOut, message }));
			}
			if silent.elapsed() >= limits.silence {
				let reason =
					format!("it said nothing for {:.1} s and was killed", limits.silence.as_secs_f64());
				return Err(ExecutorError::Lost(reason));
			}
		}
	}
}

pub(crate) fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), ExecutorError> {
	let thread = thread::Builder::new().name(name.into()).spawn(body);
	thread.map(drop).map_err(|error| ExecutorError::Lost(format!("no thread to talk to it: {error}")))
}

fn write_request(stdin: &mut impl Write, request: &JobRequest, spent: Duration) -> std::io::Result<()> {
	let JobRequest { plan, blobs, resume, compiled, device: _, limits } = request;
	let ms = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
	let left = limits.wall_clock.saturating_sub(spent);
	let start = Start {
		plan: plan.clone(),
		blobs: u32::try_from(blobs.len()).unwrap_or(u32::MAX),
		buffer_bytes: limits.buffer_bytes,
		output_bytes: limits.output_bytes,
		steps: limits.steps,
		wall_clock_ms: ms(left),
		launch_ms: ms(limits.launch),
		checkpoints: limits.checkpoints.map(|rule| (ms(rule.interval), rule.max_bytes)),
		resume: resume.as_ref().map(|from| from.launches_done),
		compiled: compiled.is_some(),
	};
	write_frame(stdin, &Task::Run(start).encode())?;
	let state = resume.iter().map(|from| &from.bytes);
	blobs.iter().chain(state).chain(compiled).try_for_each(|blob| write_frame(stdin, blob))
}

/// Reads what the child says until it has said its result, or nothing more comes.
fn listen(mut stdout: ChildStdout, sizes: Sizes, events: &SyncSender<Event>) {
	let mut first = true;
	loop {
		let event = next_event(&mut stdout, sizes, first).unwrap_or_else(Event::Broken);
		first = false;
		let last = !matches!(event, Event::Hello(_) | Event::Update(_));
		// The session has ended when nobody listens to us.
		if events.send(event).is_err() || last {
			return;
		}
	}
}

fn next_event(stdout: &mut impl Read, sizes: Sizes, first: bool) -> Result<Event, String> {
	let frame = expect_frame(stdout, MAX_REPLY_FRAME)?;
	if first {
		// More may follow than this version knows.
		let hello = Hello::decode(&mut frame.as_slice()).ok().filter(|hello| hello.magic == MAGIC);
		return hello.map(Event::Hello).ok_or_else(|| "it is not millrace-executor".into());
	}
	let reply = Reply::decode(&mut frame.as_slice())
		.map_err(|error| format!("it sent a frame of no meaning: {error}"))?;
	Ok(match reply {
		Reply::Progress { launches_done, launches, blocks_done } => {
			Event::Update(Update::Progress(Progress { launches_done, launches, blocks_done }))
		}
		Reply::Checkpoint { launches_done } => {
			let bytes = expect_frame(stdout, sizes.checkpoint)?;
			Event::Update(Update::Checkpoint(Checkpoint { launches_done, bytes }))
		}
		Reply::Done { busy_us, launches, device } => {
			let bytes = expect_frame(stdout, sizes.output)?;
			let busy = Duration::from_micros(busy_us);
			Event::Done(JobOutput { bytes, busy, launches, device: printable(&device) })
		}
		Reply::Prepared => Event::Prepared(expect_frame(stdout, sizes.compiled)?),
		Reply::Failed(Failure { kind, message }) => {
			Event::Failed(Failure { kind, message: printable(&message) })
		}
	})
}

fn expect_frame(stdout: &mut impl Read, limit: u64) -> Result<Vec<u8>, String> {
	match read_frame(stdout, limit) {
		Ok(Some(frame)) => Ok(frame),
		Ok(None) => Err("it closed its output".into()),
		Err(error) => Err(format!("its output cannot be read: {error}")),
	}
}
