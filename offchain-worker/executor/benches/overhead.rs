//! What it costs to run a job in a process of its own, beside the same launches on the same device in this process: for each job,
//! each launch, and each mebibyte of input and output.
//!
//! The devices are the reference device and, where `MILLRACE_LIBCUDA` names a driver, the first GPU; with the test double in its place
//! the times of copies and launches are the double's, and what the process adds is not. The outputs of both ways must be equal.
//! `cargo bench --workspace --bench overhead` prints a table, with `-- --json FILE` it writes the figures there too.
#![allow(clippy::expect_used, reason = "a measurement that fails is none")]

use millrace_device::{
	cuda::{CudaDevice, LIBRARY_VARIABLE},
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, Device, RunLimits,
};
use millrace_executor::{Cancel, DeviceSelector, Executor, JobLimits, JobRequest, PrepareLimits};
use millrace_job::{BlobHash, Limits, Plan};
use serde_json::json;
use std::{
	collections::BTreeMap,
	sync::Arc,
	time::{Duration, Instant},
};

/// How often each job is run in each way. The median counts.
const REPEATS: usize = 9;
/// Launches of the job with many, and mebibytes of the job with much.
const LAUNCHES: usize = 1_000;
const MEBIBYTES: usize = 64;

const KERNEL: &str = "\
.version 7.0
.target sm_80
.address_size 64
.visible .entry count(.param .u64 data)
{
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [data];
	ld.global.u32 %r1, [%rd1];
	add.u32 %r1, %r1, 1;
	st.global.u32 [%rd1], %r1;
	ret;
}
";

/// A job of so many launches on so many bytes, all of which go in and come out.
struct Job {
	document: Vec<u8>,
	plan: Plan,
	blobs: BTreeMap<BlobHash, Vec<u8>>,
}

impl Job {
	fn new(launches: usize, bytes: usize) -> Self {
		let input = vec![7; bytes];
		let launch = json!({ "entry": "count", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [{ "buffer": "data" }] });
		let plan = json!({
			"version": 1,
			"kernel": BlobHash::of(KERNEL.as_bytes()).to_string(),
			"buffers": [{ "name": "data", "bytes": bytes, "input": BlobHash::of(&input).to_string() }],
			"launches": vec![launch; launches],
			"outputs": ["data"],
		});
		let document = plan.to_string().into_bytes();
		let plan = Plan::parse(&document).expect("the plan is one");
		let blobs = [KERNEL.as_bytes().to_vec(), input].map(|blob| (BlobHash::of(&blob), blob));
		Self { document, plan, blobs: blobs.into() }
	}

	/// In this process.
	fn run_here(&self, device: &DeviceSelector) -> Vec<u8> {
		let time = Duration::from_secs(600);
		let limits = RunLimits { plan: Limits::MAX, wall_clock: time, launch: time, checkpoints: None };
		let mut device: Box<dyn Device> = match device {
			DeviceSelector::Reference => Box::new(ReferenceDevice::new("bench", MEMORY_BYTES, u64::MAX)),
			DeviceSelector::Cuda(uuid) => {
				Box::new(CudaDevice::open(uuid.as_deref()).expect("there is a GPU"))
			}
		};
		let output = run_plan(device.as_mut(), &self.plan, &self.blobs, None, &limits, &mut |_| {});
		output.expect("the job runs").bytes
	}

	/// In a process of its own, as a node does it.
	fn run_there(&self, executor: &Executor, device: &DeviceSelector, compiled: Option<&Vec<u8>>) -> Vec<u8> {
		let request = JobRequest {
			plan: self.document.clone(),
			blobs: self.plan.blobs().iter().filter_map(|blob| self.blobs.get(blob)).cloned().collect(),
			resume: None,
			compiled: compiled.cloned(),
			device: device.clone(),
			limits: JobLimits { output_bytes: 1 << 30, ..JobLimits::default() },
		};
		let output = executor.run_job(Arc::new(request), &Cancel::new(), &mut |_| {});
		output.expect("the job runs").bytes
	}
}

fn median(mut run: impl FnMut() -> Vec<u8>) -> (Duration, Vec<u8>) {
	let mut output = Vec::new();
	let mut times: Vec<_> = (0..REPEATS)
		.map(|_| {
			let start = Instant::now();
			output = run();
			start.elapsed()
		})
		.collect();
	times.sort_unstable();
	(times.get(REPEATS / 2).copied().unwrap_or_default(), output)
}

/// How much longer a job takes there than here, in microseconds, and how long it takes here.
fn cost(executor: &Executor, device: &DeviceSelector, compiled: Option<&Vec<u8>>, job: &Job) -> (f64, f64) {
	let (here, expected) = median(|| job.run_here(device));
	let (there, output) = median(|| job.run_there(executor, device, compiled));
	assert_eq!(output, expected, "both ways give the same bytes");
	let micros = |time: Duration| time.as_secs_f64() * 1e6;
	(micros(there) - micros(here), micros(here))
}

fn main() {
	let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
	let json = match arguments.as_slice() {
		[] => None,
		[option, file] if option == "--json" => Some(file),
		_ => {
			eprintln!("usage: cargo bench --workspace --bench overhead [-- --json FILE]");
			std::process::exit(2);
		}
	};
	let executor = Executor::new(env!("CARGO_BIN_EXE_millrace-executor"));
	let mut devices = vec![DeviceSelector::Reference];
	devices.extend(std::env::var_os(LIBRARY_VARIABLE).map(|_| DeviceSelector::Cuda(None)));
	let (small, many, much) = (Job::new(1, 4), Job::new(LAUNCHES, 4), Job::new(1, MEBIBYTES << 20));

	println!(
		"{:<12}{:>16}{:>18}{:>18}{:>18}{:>18}",
		"", "per job, us", "per launch, us", "the launch, us", "per MiB, us", "the copies, us"
	);
	let mut rows = Vec::new();
	for device in devices {
		let compiled = match &device {
			DeviceSelector::Reference => None,
			DeviceSelector::Cuda(_) => {
				let compiled =
					executor.prepare(KERNEL.into(), &device, PrepareLimits::default(), &Cancel::new());
				Some(compiled.expect("the kernel is compiled"))
			}
		};
		let of = |job| cost(&executor, &device, compiled.as_ref(), job);
		let [(job, alone), (launches, launched), (bytes, copied)] = [of(&small), of(&many), of(&much)];
		let per = |cost: f64, count: usize| cost / count as f64;
		let row = [
			job,
			per(launches - job, LAUNCHES - 1),
			per(launched - alone, LAUNCHES - 1),
			per(bytes - job, MEBIBYTES),
			per(copied - alone, MEBIBYTES),
		];
		let [job, launch, own_launch, mebibyte, own_mebibyte] = row;
		println!(
			"{device:<12}{job:>16.0}{launch:>18.2}{own_launch:>18.2}{mebibyte:>18.1}{own_mebibyte:>18.1}",
			device = device.to_string()
		);
		rows.push(json!({
			"device": device.to_string(), "job_us": job, "launch_us": launch, "launch_here_us": own_launch,
			"mebibyte_us": mebibyte, "mebibyte_here_us": own_mebibyte,
		}));
	}
	if let Some(file) = json {
		std::fs::write(file, json!(rows).to_string()).expect("the file can be written");
	}
}
