//! Running a whole plan on a device.

use crate::{
	checkpoint::Timer, launch::check_launch, Checkpoint, Checkpoints, Device, DeviceError, JobError,
	KernelLaunch, LaunchWatch, Pointer, Progress, Status, TimeLimit,
};
use millrace_job::{Argument, BlobHash, Launch, Limits, Plan};
use millrace_ptx::{LaunchConfig, Module};
use std::{
	collections::BTreeMap,
	thread,
	time::{Duration, Instant},
};

/// How long the first wait for a launch is; it doubles up to [`LAST_WAIT`]. Short kernels are thus measured closely, and
/// long ones cost no CPU time.
const FIRST_WAIT: Duration = Duration::from_micros(20);
/// The longest wait between two looks at a launch.
const LAST_WAIT: Duration = Duration::from_millis(2);
/// How often progress is told while a launch runs.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(250);

/// Where a job's blobs come from.
pub trait BlobSource {
	/// The blob's bytes, if they are there. [`run_plan`] hashes them, so the source need not be trusted.
	fn blob(&self, hash: &BlobHash) -> Option<&[u8]>;
}

impl BlobSource for BTreeMap<BlobHash, Vec<u8>> {
	fn blob(&self, hash: &BlobHash) -> Option<&[u8]> {
		self.get(hash).map(Vec::as_slice)
	}
}

/// What a job may take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RunLimits {
	/// Sizes of the plan's buffers.
	pub plan: Limits,
	/// Time for the whole job, copies included. It is looked at while a launch runs and between copies; a call into a
	/// driver that does not return is not interrupted, so whoever owns the process needs a limit too.
	pub wall_clock: Duration,
	/// Time that a launch may run without a thread block being done, or at all, where the device tells no blocks. It is looked at
	/// as the other one is.
	pub launch: Duration,
	/// When the job's state is handed out; `None` for never.
	pub checkpoints: Option<Checkpoints>,
}

/// What a job says while it runs.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Update {
	/// How far it is.
	Progress(Progress),
	/// Its state between two launches.
	Checkpoint(Checkpoint),
}

/// What a job gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobOutput {
	/// The output buffers' bytes, concatenated in the plan's order.
	pub bytes: Vec<u8>,
	/// Time during which a launch ran, by the host's clock.
	pub busy: Duration,
	/// Launches that ran here: all of the plan's but those before the checkpoint that the run started from.
	pub launches: u32,
}

/// Runs a plan: loads the kernel, fills the buffers, runs the launches in order, and reads the outputs. `update` is called
/// before the first launch, when one ends, about four times a second while one runs, and with the job's state as the limits say.
///
/// With a checkpoint in `resume`, the buffers are filled from it and the launches before it are left out. One that does
/// not fit the plan, or that belongs to a kernel whose state is not in its buffers alone, is not used: the run then
/// starts from the beginning.
///
/// Everything that can be checked is checked before the first launch, also the arguments of the last one.
///
/// # Errors
///
/// Every [`JobError`]. The device must be dropped after one.
pub fn run_plan(
	device: &mut dyn Device,
	plan: &Plan,
	blobs: &dyn BlobSource,
	resume: Option<&Checkpoint>,
	limits: &RunLimits,
	update: &mut dyn FnMut(Update),
) -> Result<JobOutput, JobError> {
	let clock = Clock { start: Instant::now(), limit: limits.wall_clock };
	plan.check(&limits.plan)?;
	let kernel = std::str::from_utf8(fetch(blobs, &plan.kernel)?)
		.map_err(|error| rejected(format!("the kernel is not text: {error}")))?;
	let module = Module::parse(kernel).map_err(|error| rejected(error.to_string()))?;
	for (index, launch) in plan.launches.iter().enumerate() {
		// Addresses are not known yet, but all have the same size.
		let launch = resolve(launch, &mut |_| Ok(0))?;
		check_launch(&module, &launch).map_err(|message| rejected(format!("launch {index}: {message}")))?;
	}
	let inputs = check_inputs(plan, blobs)?;

	let hidden = module.has_globals();
	let resumed = resume.filter(|_| !hidden).and_then(|from| Some((from.launches_done, from.split(plan)?)));
	let (first, contents) = match resumed {
		Some((first, state)) => (first, state.into_iter().map(Some).collect()),
		None => (0, inputs),
	};

	device.load(kernel)?;
	let mut pointers = BTreeMap::new();
	let mut places = Vec::new();
	for (buffer, content) in plan.buffers.iter().zip(contents) {
		let pointer = device.alloc(buffer.bytes)?;
		if let Some(data) = content {
			device.write(pointer, data)?;
		}
		pointers.insert(buffer.name.as_str(), pointer);
		places.push((pointer, buffer.bytes));
		clock.check()?;
	}

	// A plan has at most `MAX_LAUNCHES`.
	let launches = plan.launches.len() as u32;
	let mut busy = Duration::ZERO;
	let mut timer = Timer::start(limits.checkpoints, plan, hidden);
	let mut watch = LaunchWatch::new(limits.launch);
	let progress = |launches_done, blocks_done| Progress { launches_done, launches, blocks_done };
	update(Update::Progress(progress(first, None)));
	for (done, launch) in (0..launches).zip(&plan.launches).skip(first as usize) {
		let launch = resolve(launch, &mut |name| pointer(&pointers, name))?;
		watch.see(progress(done, None));
		let look = &mut |blocks, tell| {
			let now = progress(done, blocks);
			watch.see(now);
			if tell {
				update(Update::Progress(now));
			}
			watch.check(Duration::ZERO)
		};
		busy += run_launch(device, &launch, &clock, look)?;
		update(Update::Progress(progress(done + 1, None)));
		if done + 1 < launches {
			if let Some(state) = timer.read(device, done + 1, &places)? {
				update(Update::Checkpoint(state));
				clock.check()?;
			}
		}
	}

	let mut bytes = Vec::new();
	for buffer in plan.outputs.iter().filter_map(|name| plan.buffer(name)) {
		bytes.extend(device.read(pointer(&pointers, &buffer.name)?, buffer.bytes)?);
		clock.check()?;
	}
	Ok(JobOutput { bytes, busy, launches: launches - first })
}

/// The job's time.
struct Clock {
	start: Instant,
	limit: Duration,
}

impl Clock {
	fn check(&self) -> Result<(), DeviceError> {
		if self.start.elapsed() > self.limit {
			return Err(DeviceError::TimedOut(TimeLimit::WallClock(self.limit)));
		}
		Ok(())
	}
}

fn rejected(message: String) -> DeviceError {
	DeviceError::KernelRejected(message)
}

/// A blob whose bytes have the hash that it is asked for by.
fn fetch<'a>(blobs: &'a dyn BlobSource, hash: &BlobHash) -> Result<&'a [u8], JobError> {
	let bytes = blobs.blob(hash).ok_or(JobError::BlobMissing(*hash))?;
	let found = BlobHash::of(bytes);
	if found != *hash {
		return Err(JobError::BlobDamaged { expected: *hash, found });
	}
	Ok(bytes)
}

/// The input of each buffer that has one.
fn check_inputs<'a>(plan: &Plan, blobs: &'a dyn BlobSource) -> Result<Vec<Option<&'a [u8]>>, JobError> {
	let input = |buffer: &millrace_job::Buffer| {
		let Some(input) = buffer.input else { return Ok(None) };
		let data = fetch(blobs, &input)?;
		let (expected, found) = (buffer.bytes, data.len() as u64);
		if expected != found {
			return Err(JobError::InputLength { buffer: buffer.name.clone(), input, expected, found });
		}
		Ok(Some(data))
	};
	plan.buffers.iter().map(input).collect()
}

fn pointer(pointers: &BTreeMap<&str, Pointer>, name: &str) -> Result<Pointer, DeviceError> {
	// `Plan::check` has found every name; this is no panic should that ever change.
	pointers.get(name).copied().ok_or_else(|| DeviceError::Lost(format!("buffer `{name}` was not allocated")))
}

/// Puts addresses in the place of the buffers' names.
fn resolve(
	launch: &Launch,
	address: &mut dyn FnMut(&str) -> Result<Pointer, DeviceError>,
) -> Result<KernelLaunch, DeviceError> {
	let mut value = |argument: &Argument| {
		Ok(match argument {
			Argument::Buffer(name) => millrace_ptx::Argument::Pointer(address(name)?),
			Argument::U32(value) => millrace_ptx::Argument::U32(*value),
			Argument::I32(value) => millrace_ptx::Argument::I32(*value),
			Argument::U64(value) => millrace_ptx::Argument::U64(*value),
			Argument::I64(value) => millrace_ptx::Argument::I64(*value),
			Argument::F32(value) => millrace_ptx::Argument::F32(*value),
		})
	};
	Ok(KernelLaunch {
		entry: launch.entry.clone(),
		config: LaunchConfig { grid: launch.grid, block: launch.block, shared_bytes: launch.shared_bytes },
		arguments: launch.arguments.iter().map(&mut value).collect::<Result<_, DeviceError>>()?,
	})
}

/// Runs one launch to its end and returns how long it took. `look` hears at each look how many blocks are done, and whether it is
/// time to tell.
fn run_launch(
	device: &mut dyn Device,
	launch: &KernelLaunch,
	clock: &Clock,
	look: &mut dyn FnMut(Option<u64>, bool) -> Result<(), DeviceError>,
) -> Result<Duration, DeviceError> {
	let start = Instant::now();
	let (mut told, mut wait) = (start, FIRST_WAIT);
	device.start(launch)?;
	while let Status::Running { blocks } = device.poll()? {
		clock.check()?;
		let is_due = told.elapsed() >= PROGRESS_INTERVAL;
		look(blocks, is_due)?;
		if is_due {
			told = Instant::now();
		}
		thread::sleep(wait);
		wait = (wait * 2).min(LAST_WAIT);
	}
	let took = start.elapsed();
	clock.check()?;
	Ok(took)
}
