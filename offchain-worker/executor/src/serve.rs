//! The child's side: one job, then the end.

use crate::{
	filesystem,
	frame::{read_frame, write_frame},
	groups,
	message::{
		Hello, Reply, Start, Task, MAGIC, MAX_BLOBS, MAX_BLOB_FRAME, MAX_MESSAGE_BYTES, MAX_START_FRAME,
		PROTOCOL, VERSION,
	},
	prepare::prepare,
	syscalls, system, Confinement, DeviceSelector, Failure, FailureKind,
};
use codec::{Decode, Encode};
use millrace_device::{
	cuda::{Compiled, CudaDevice},
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, Checkpoint, Checkpoints, Device, DeviceError, JobError, JobOutput, Progress, RunLimits, Update,
};
use millrace_job::{BlobHash, Limits, Plan};
use std::{
	collections::BTreeMap,
	fs::File,
	io::{self, Read},
	path::PathBuf,
	time::Duration,
};

/// Serves the parent over standard input and output: enters the control groups of these folders, opens the device, gives up all that a
/// job does not need, introduces itself, takes at most one task, sends its result. Call it before any thread is started or file opened,
/// and end the process when it returns.
///
/// # Errors
///
/// If the process `parent` is not this one's parent, or what it sends is not a request. A job that fails is no error.
pub fn serve(parent: u32, device: &DeviceSelector, control_groups: &[PathBuf]) -> io::Result<()> {
	// First, so that everything counts.
	let control_group = groups::enter(control_groups);
	let confinement = system::confine(parent)?;
	let mut output = system::take_stdout()?;
	// The driver is loaded with its own files in reach, and nothing of the job's is read before its system calls are filtered.
	let no_foreign_files = filesystem::restrict(device);
	let opened = open(device);
	let no_foreign_calls = syscalls::restrict();
	let confinement = Confinement { no_foreign_files, no_foreign_calls, control_group, ..confinement };
	let hello = Hello { magic: MAGIC, protocol: PROTOCOL, version: VERSION.into(), confinement };
	write_frame(&mut output, &hello.encode())?;
	let mut input = io::stdin().lock();
	match read_task(&mut input)? {
		None => Ok(()),
		Some(Task::Run(start)) => {
			let request = read_request(&mut input, start)?;
			serve_job(opened, &request, &mut output)
		}
		Some(Task::Prepare) => {
			let kernel = expect_frame(&mut input, "the kernel")?;
			let (reply, compiled) = match prepare(opened, &kernel) {
				Ok(compiled) => (Reply::Prepared, Some(compiled)),
				Err(failure) => (Reply::Failed(failure), None),
			};
			write_frame(&mut output, &reply.encode())?;
			compiled.map_or(Ok(()), |compiled| write_frame(&mut output, &compiled))
		}
	}
}

/// Runs the job and tells the parent how it goes.
fn serve_job(opened: Result<Opened, Failure>, request: &Request, output: &mut File) -> io::Result<()> {
	let result = run(opened, request, &mut |update| {
		// Should the parent have closed the pipe it is about to kill us, and the result cannot be sent either.
		let _ = match update {
			Update::Progress(Progress { launches_done, launches, blocks_done }) => {
				write_frame(output, &Reply::Progress { launches_done, launches, blocks_done }.encode())
			}
			Update::Checkpoint(Checkpoint { launches_done, bytes }) => {
				write_frame(output, &Reply::Checkpoint { launches_done }.encode())
					.and_then(|()| write_frame(output, &bytes))
			}
		};
	});
	match result {
		Ok((JobOutput { bytes, busy, launches }, device)) => {
			let busy_us = u64::try_from(busy.as_micros()).unwrap_or(u64::MAX);
			write_frame(output, &Reply::Done { busy_us, launches, device }.encode())?;
			write_frame(output, &bytes)
		}
		Err(failure) => write_frame(output, &Reply::Failed(failure).encode()),
	}
}

/// Blobs by the hash that they were found to have.
type Blobs = BTreeMap<BlobHash, Vec<u8>>;

/// What the parent sends.
struct Request {
	start: Start,
	blobs: Blobs,
	resume: Option<Checkpoint>,
	/// Bytes of a [`Compiled`].
	compiled: Option<Vec<u8>>,
}

fn nonsense(message: String) -> io::Error {
	io::Error::new(io::ErrorKind::InvalidData, message)
}

/// Reads what is to be done; `None` if the parent wants nothing.
fn read_task(input: &mut impl Read) -> io::Result<Option<Task>> {
	let Some(frame) = read_frame(input, MAX_START_FRAME)? else { return Ok(None) };
	Task::decode(&mut frame.as_slice()).map(Some).map_err(|error| nonsense(format!("no task: {error}")))
}

fn expect_frame(input: &mut impl Read, what: &str) -> io::Result<Vec<u8>> {
	read_frame(input, MAX_BLOB_FRAME)?.ok_or_else(|| nonsense(format!("{what} is missing")))
}

/// Reads what belongs to a job.
fn read_request(input: &mut impl Read, start: Start) -> io::Result<Request> {
	if start.blobs > MAX_BLOBS {
		return Err(nonsense(format!("{} blobs, at most {MAX_BLOBS} are allowed", start.blobs)));
	}
	let mut blobs = Blobs::new();
	for _ in 0..start.blobs {
		let blob = expect_frame(input, "a blob")?;
		blobs.insert(BlobHash::of(&blob), blob);
	}
	let mut resume = None;
	if let Some(launches_done) = start.resume {
		resume = Some(Checkpoint { launches_done, bytes: expect_frame(input, "the checkpoint")? });
	}
	let compiled = start.compiled.then(|| expect_frame(input, "the compiled kernel")).transpose()?;
	Ok(Request { start, blobs, resume, compiled })
}

/// Runs the job, and returns the device's name with the output.
fn run(
	opened: Result<Opened, Failure>,
	request: &Request,
	update: &mut dyn FnMut(Update),
) -> Result<(JobOutput, String), Failure> {
	let Request { start, blobs, resume, compiled } = request;
	let plan = Plan::parse(&start.plan).map_err(|error| failure(error.into()))?;
	let limits = RunLimits {
		plan: Limits { buffer_bytes: start.buffer_bytes, output_bytes: start.output_bytes },
		wall_clock: Duration::from_millis(start.wall_clock_ms),
		launch: Duration::from_millis(start.launch_ms),
		checkpoints: start.checkpoints.map(|(interval_ms, max_bytes)| Checkpoints {
			interval: Duration::from_millis(interval_ms),
			max_bytes,
		}),
	};
	let mut device: Box<dyn Device> = match opened? {
		Opened::Reference => Box::new(ReferenceDevice::new("reference", MEMORY_BYTES, start.steps)),
		Opened::Cuda(mut device) => {
			// One that is damaged, or of another kernel, is left out.
			let compiled = compiled.as_deref().and_then(|bytes| Compiled::from_bytes(&plan.kernel, bytes));
			compiled.into_iter().for_each(|compiled| device.offer(compiled));
			device
		}
	};
	match run_plan(device.as_mut(), &plan, blobs, resume.as_ref(), &limits, update) {
		Ok(output) => Ok((output, device.info().name.clone())),
		Err(error) => {
			// To close a device whose kernel still runs can take for ever, and the parent waits for an answer. The end
			// of the process closes it as well.
			std::mem::forget(device);
			Err(failure(error))
		}
	}
}

/// A device before its job is known.
pub(crate) enum Opened {
	/// Nothing has to be opened.
	Reference,
	Cuda(Box<CudaDevice>),
}

fn open(selector: &DeviceSelector) -> Result<Opened, Failure> {
	let DeviceSelector::Cuda(uuid) = selector else { return Ok(Opened::Reference) };
	match CudaDevice::open(uuid.as_deref()) {
		Ok(device) => Ok(Opened::Cuda(Box::new(device))),
		Err(error) => {
			Err(Failure { kind: FailureKind::DeviceUnavailable, message: shortened(error.to_string()) })
		}
	}
}

pub(crate) fn failure(error: JobError) -> Failure {
	let kind = match &error {
		JobError::Plan(_) | JobError::InputLength { .. } => FailureKind::PlanInvalid,
		JobError::BlobMissing(hash) | JobError::BlobDamaged { expected: hash, .. } => {
			FailureKind::BlobMissing(*hash)
		}
		JobError::Device(error) => match error {
			DeviceError::KernelRejected(_) => FailureKind::KernelRejected,
			DeviceError::KernelFault(_) => FailureKind::KernelFault,
			DeviceError::OutOfMemory(_) => FailureKind::OutOfMemory,
			DeviceError::TimedOut(_) | DeviceError::Stalled { .. } => FailureKind::TimedOut,
			DeviceError::Lost(_) => FailureKind::DeviceLost,
		},
	};
	Failure { kind, message: shortened(error.to_string()) }
}

/// The message's beginning, if it is longer than a reply may be.
fn shortened(mut message: String) -> String {
	let end = message.floor_char_boundary(MAX_MESSAGE_BYTES);
	message.truncate(end);
	message
}
