//! Running a whole plan on a device.

use crate::{
	launch::check_launch, Device, DeviceError, JobError, KernelLaunch, Pointer, Progress, Status, TimeLimit,
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
}

/// What a job gave.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct JobOutput {
	/// The output buffers' bytes, concatenated in the plan's order.
	pub bytes: Vec<u8>,
	/// Time during which a launch ran, by the host's clock.
	pub busy: Duration,
	/// Launches that ran.
	pub launches: u32,
}

/// Runs a plan: loads the kernel, fills the buffers, runs the launches in order, and reads the outputs. `progress` is
/// called when a launch starts or ends, and about four times a second while one runs.
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
	limits: &RunLimits,
	progress: &mut dyn FnMut(Progress),
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

	device.load(kernel)?;
	let mut pointers = BTreeMap::new();
	for (buffer, input) in plan.buffers.iter().zip(inputs) {
		let pointer = device.alloc(buffer.bytes)?;
		if let Some(data) = input {
			device.write(pointer, data)?;
		}
		pointers.insert(buffer.name.as_str(), pointer);
		clock.check()?;
	}

	let launches = plan.launches.len() as u32;
	let mut busy = Duration::ZERO;
	for (done, launch) in (0..).zip(&plan.launches) {
		let launch = resolve(launch, &mut |name| pointer(&pointers, name))?;
		let mut tell = |blocks_done| progress(Progress { launches_done: done, launches, blocks_done });
		busy += run_launch(device, &launch, &clock, &mut tell)?;
	}
	progress(Progress { launches_done: launches, launches, blocks_done: None });

	let mut bytes = Vec::new();
	for buffer in plan.outputs.iter().filter_map(|name| plan.buffer(name)) {
		bytes.extend(device.read(pointer(&pointers, &buffer.name)?, buffer.bytes)?);
		clock.check()?;
	}
	Ok(JobOutput { bytes, busy, launches })
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

/// Runs one launch to its end and returns how long it took.
fn run_launch(
	device: &mut dyn Device,
	launch: &KernelLaunch,
	clock: &Clock,
	tell: &mut dyn FnMut(Option<u64>),
) -> Result<Duration, DeviceError> {
	tell(None);
	let start = Instant::now();
	let (mut told, mut wait) = (start, FIRST_WAIT);
	device.start(launch)?;
	while let Status::Running { blocks } = device.poll()? {
		clock.check()?;
		if told.elapsed() >= PROGRESS_INTERVAL {
			tell(blocks);
			told = Instant::now();
		}
		thread::sleep(wait);
		wait = (wait * 2).min(LAST_WAIT);
	}
	let took = start.elapsed();
	clock.check()?;
	Ok(took)
}
