//! Whole jobs on the reference device: what they give, and how each kind of failure is told apart.

#![cfg(test)]

use millrace_device::{
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, DeviceError, JobError, JobOutput, Progress, RunLimits, TimeLimit, Update,
};
use millrace_job::{Argument, BlobHash, Buffer, Launch, Limits, Plan, PlanError};
use std::{collections::BTreeMap, time::Duration};

/// `scale`: data[i] = data[i] * factor + offset[0] for the first `count`. `sum`: out[0] += data[i], one block.
/// `spin`: never ends. `wild`: stores far behind its buffer. `quad`: a 64-bit parameter that is no address.
const KERNEL: &str = "
.version 7.1
.target sm_70
.address_size 64
.visible .entry scale(.param .u64 data, .param .u64 offset, .param .u32 factor, .param .u32 count) {
	.reg .pred %p<2>;
	.reg .b32 %r<9>;
	.reg .b64 %rd<5>;
	mov.u32 %r1, %ctaid.x;
	mov.u32 %r2, %ntid.x;
	mov.u32 %r3, %tid.x;
	mad.lo.s32 %r4, %r1, %r2, %r3;
	ld.param.u32 %r5, [count];
	setp.ge.u32 %p1, %r4, %r5;
	@%p1 bra DONE;
	ld.param.u64 %rd1, [data];
	ld.param.u64 %rd2, [offset];
	mul.wide.u32 %rd3, %r4, 4;
	add.s64 %rd4, %rd1, %rd3;
	ld.global.u32 %r6, [%rd4];
	ld.global.u32 %r7, [%rd2];
	ld.param.u32 %r8, [factor];
	mad.lo.s32 %r6, %r6, %r8, %r7;
	st.global.u32 [%rd4], %r6;
DONE:
	ret;
}
.visible .entry spin() {
	.reg .b32 %r<2>;
AGAIN:
	add.u32 %r1, %r1, 1;
	bra AGAIN;
}
.visible .entry wild(.param .u64 data) {
	.reg .b32 %r<2>;
	.reg .b64 %rd<2>;
	ld.param.u64 %rd1, [data];
	mov.u32 %r1, 7;
	st.global.u32 [%rd1+4096], %r1;
	ret;
}
.visible .entry quad(.param .u64 value) {
	ret;
}
";

fn blobs(blobs: &[&[u8]]) -> BTreeMap<BlobHash, Vec<u8>> {
	blobs.iter().map(|bytes| (BlobHash::of(bytes), bytes.to_vec())).collect()
}

fn words(words: &[u32]) -> Vec<u8> {
	words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

fn buffer(name: &str, bytes: u64, input: Option<&[u8]>) -> Buffer {
	Buffer { name: name.into(), bytes, input: input.map(BlobHash::of) }
}

fn launch(entry: &str, arguments: Vec<Argument>) -> Launch {
	Launch { entry: entry.into(), grid: [2, 1, 1], block: [4, 1, 1], shared_bytes: 0, arguments }
}

fn scale(factor: u32) -> Launch {
	let buffer = |name: &str| Argument::Buffer(name.into());
	launch("scale", vec![buffer("data"), buffer("offset"), Argument::U32(factor), Argument::U32(6)])
}

const DATA: [u32; 6] = [1, 2, 3, 4, 5, 6];

/// Two launches over six numbers; the offset is left at zero.
fn plan() -> Plan {
	Plan {
		version: 1,
		kernel: BlobHash::of(KERNEL.as_bytes()),
		buffers: vec![buffer("data", 24, Some(&words(&DATA))), buffer("offset", 4, None)],
		launches: vec![scale(10), scale(3)],
		outputs: vec!["offset".into(), "data".into()],
	}
}

fn limits() -> RunLimits {
	let time = Duration::from_secs(60);
	RunLimits { plan: Limits::MAX, wall_clock: time, launch: time, checkpoints: None }
}

fn run_with(plan: &Plan, limits: &RunLimits, memory: u64, steps: u64) -> Result<JobOutput, JobError> {
	let blobs = blobs(&[KERNEL.as_bytes(), &words(&DATA)]);
	run_plan(&mut ReferenceDevice::new("test", memory, steps), plan, &blobs, None, limits, &mut |_| {})
}

fn run(plan: &Plan) -> Result<JobOutput, JobError> {
	run_with(plan, &limits(), MEMORY_BYTES, 1_000_000)
}

/// The text of a rejection by the checks against the kernel.
fn rejection(plan: &Plan) -> String {
	match run(plan) {
		Err(JobError::Device(DeviceError::KernelRejected(message))) => message,
		other => panic!("{other:?}"),
	}
}

#[test]
fn launches_run_in_order_and_outputs_come_in_the_plans_order() {
	let output = run(&plan()).unwrap();
	assert_eq!(output.bytes, words(&[0, 30, 60, 90, 120, 150, 180]));
	assert_eq!(output.launches, 2);
	assert!(output.busy > Duration::ZERO);
}

#[test]
fn progress_goes_from_nothing_to_everything() {
	let blobs = blobs(&[KERNEL.as_bytes(), &words(&DATA)]);
	let mut seen = Vec::new();
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000_000);
	run_plan(&mut device, &plan(), &blobs, None, &limits(), &mut |update| {
		if let Update::Progress(progress) = update {
			seen.push(progress);
		}
	})
	.unwrap();
	let at = |launches_done| Progress { launches_done, launches: 2, blocks_done: None };
	assert_eq!(seen.first(), Some(&at(0)));
	assert_eq!(seen.last(), Some(&at(2)));
	assert!(seen.contains(&at(1)));
}

#[test]
fn a_long_launch_tells_how_many_blocks_are_done() {
	let blobs = blobs(&[KERNEL.as_bytes(), &words(&DATA)]);
	let mut plan = plan();
	// Nearly all threads are beyond the six numbers; there are only many of them.
	plan.launches[0].grid = [20_000, 1, 1];
	plan.launches[0].block = [1024, 1, 1];
	let mut blocks = Vec::new();
	let limits = RunLimits { wall_clock: Duration::from_millis(700), ..limits() };
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, u64::MAX);
	let ended = run_plan(&mut device, &plan, &blobs, None, &limits, &mut |update| {
		if let Update::Progress(progress) = update {
			blocks.extend(progress.blocks_done);
		}
	});
	assert!(blocks.iter().any(|done| *done > 0), "{blocks:?} {ended:?}");
	assert!(blocks.is_sorted());
}

#[test]
fn a_plan_that_breaks_a_rule_or_the_callers_limit_is_refused() {
	let mut broken = plan();
	broken.outputs.push("nowhere".into());
	assert_eq!(run(&broken), Err(JobError::Plan(PlanError::UnknownOutput { name: "nowhere".into() })));
	let strict = RunLimits { plan: Limits { buffer_bytes: 27, ..Limits::MAX }, ..limits() };
	let error = run_with(&plan(), &strict, MEMORY_BYTES, 1_000).unwrap_err();
	assert_eq!(error, JobError::Plan(PlanError::BuffersTooLarge { bytes: 28, limit: 27 }));
}

#[test]
fn a_missing_blob_is_named() {
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000);
	for (there, missing) in
		[(words(&DATA), KERNEL.as_bytes().to_vec()), (KERNEL.as_bytes().to_vec(), words(&DATA))]
	{
		let error =
			run_plan(&mut device, &plan(), &blobs(&[&there]), None, &limits(), &mut |_| {}).unwrap_err();
		assert_eq!(error, JobError::BlobMissing(BlobHash::of(&missing)));
	}
}

#[test]
fn a_damaged_blob_is_not_used() {
	let mut damaged = blobs(&[KERNEL.as_bytes(), &words(&DATA)]);
	let expected = BlobHash::of(&words(&DATA));
	damaged.insert(expected, words(&[1, 2, 3, 4, 5, 7]));
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000);
	let error = run_plan(&mut device, &plan(), &damaged, None, &limits(), &mut |_| {}).unwrap_err();
	assert_eq!(error, JobError::BlobDamaged { expected, found: BlobHash::of(&words(&[1, 2, 3, 4, 5, 7])) });
}

#[test]
fn an_input_fills_its_buffer_exactly() {
	for bytes in [23, 25] {
		let mut plan = plan();
		plan.buffers[0].bytes = bytes;
		let input = BlobHash::of(&words(&DATA));
		let expected = JobError::InputLength { buffer: "data".into(), input, expected: bytes, found: 24 };
		assert_eq!(run(&plan), Err(expected));
	}
}

#[test]
fn a_kernel_that_is_no_text_or_outside_the_subset_is_rejected() {
	let texture =
		KERNEL.replace("st.global.u32 [%rd4], %r6;", "tex.1d.v4.s32.s32 {%r1,%r2,%r3,%r4}, [t, {%r5}];");
	for (kernel, expected) in [
		(&b"\xff\xfe"[..], "the kernel is not text"),
		(b"__global__ void f() {}", "1:1"),
		(texture.as_bytes(), "unsupported instruction `tex"),
	] {
		let plan = Plan { kernel: BlobHash::of(kernel), ..plan() };
		let blobs = blobs(&[kernel, &words(&DATA)]);
		let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000);
		let error = run_plan(&mut device, &plan, &blobs, None, &limits(), &mut |_| {}).unwrap_err();
		let JobError::Device(DeviceError::KernelRejected(message)) = error else { panic!("{error:?}") };
		assert!(message.contains(expected), "{message}");
	}
}

#[test]
fn entries_and_arguments_are_checked_before_anything_runs() {
	// The first launch would never end, so an answer means that it was not started.
	let with = |last| Plan { launches: vec![launch("spin", vec![]), last], ..plan() };
	let message = rejection(&with(launch("scala", vec![])));
	assert_eq!(message, "launch 1: the kernel has no entry point `scala`; it has: scale, spin, wild, quad");
	let mut short = scale(1);
	short.arguments.pop();
	assert_eq!(rejection(&with(short)), "launch 1: `scale` has 4 parameters, the launch 3 arguments");
	let mut wide = scale(1);
	wide.arguments[2] = Argument::U64(1);
	assert_eq!(rejection(&with(wide)), "launch 1: parameter 2 of `scale` has 4 bytes, the argument 8");
	for narrow in [Argument::U32(1), Argument::I32(1), Argument::F32(1.0)] {
		let message = rejection(&with(launch("quad", vec![narrow])));
		assert_eq!(message, "launch 1: parameter 0 of `quad` has 8 bytes, the argument 4");
	}
	for fitting in [Argument::U64(1), Argument::I64(1), Argument::Buffer("data".into())] {
		let plan = Plan { launches: vec![launch("quad", vec![fitting])], ..plan() };
		assert!(run(&plan).is_ok());
	}
}

#[test]
fn a_store_out_of_bounds_is_the_kernels_fault() {
	let plan = Plan { launches: vec![launch("wild", vec![Argument::Buffer("offset".into())])], ..plan() };
	let error = run(&plan).unwrap_err();
	let JobError::Device(DeviceError::KernelFault(message)) = &error else { panic!("{error:?}") };
	assert!(message.contains("store of 4 bytes out of bounds"), "{message}");
	assert!(message.contains("in `wild`"), "{message}");
}

#[test]
fn an_endless_loop_ends_with_the_step_budget() {
	let plan = Plan { launches: vec![launch("spin", vec![])], ..plan() };
	let error = run_with(&plan, &limits(), MEMORY_BYTES, 5_000).unwrap_err();
	assert_eq!(error, JobError::Device(DeviceError::TimedOut(TimeLimit::Steps(5_000))));
}

#[test]
fn the_step_budget_is_one_for_all_launches() {
	let mut long = plan();
	long.launches = vec![scale(1); 10];
	let enough = (1..).find(|steps| run_with(&plan(), &limits(), MEMORY_BYTES, *steps).is_ok()).unwrap();
	let error = run_with(&long, &limits(), MEMORY_BYTES, enough).unwrap_err();
	assert_eq!(error, JobError::Device(DeviceError::TimedOut(TimeLimit::Steps(enough))));
}

#[test]
fn an_endless_loop_ends_with_the_clock() {
	let plan = Plan { launches: vec![launch("spin", vec![])], ..plan() };
	let wall_clock = Duration::from_millis(50);
	// Enough steps for some seconds; the thread that nobody waits for any more ends with them.
	let error =
		run_with(&plan, &RunLimits { wall_clock, ..limits() }, MEMORY_BYTES, 1_000_000_000).unwrap_err();
	assert_eq!(error, JobError::Device(DeviceError::TimedOut(TimeLimit::WallClock(wall_clock))));
}

#[test]
fn a_launch_that_gets_nowhere_ends_before_the_job_and_one_that_gets_on_does_not() {
	let launch_limit = Duration::from_secs(1);
	let limits = RunLimits { launch: launch_limit, ..limits() };
	let hanging = Plan { launches: vec![scale(1), launch("spin", vec![])], ..plan() };
	let error = run_with(&hanging, &limits, MEMORY_BYTES, 1_000_000_000).unwrap_err();
	let stalled = DeviceError::Stalled { launch: 2, launches: 2, limit: launch_limit };
	assert_eq!(error, JobError::Device(stalled));
	// Longer than that, but of blocks that end one after the other. They are told in waves.
	let mut long = plan();
	long.launches[0].grid = [1_000_000, 1, 1];
	long.launches[0].block = [1024, 1, 1];
	let limits = RunLimits { wall_clock: 3 * launch_limit, ..limits };
	let error = run_with(&long, &limits, MEMORY_BYTES, u64::MAX).unwrap_err();
	assert_eq!(error, JobError::Device(DeviceError::TimedOut(TimeLimit::WallClock(limits.wall_clock))));
}

#[test]
fn buffers_that_the_device_has_no_room_for_are_told() {
	let error = run_with(&plan(), &limits(), 27, 1_000).unwrap_err();
	let JobError::Device(DeviceError::OutOfMemory(message)) = &error else { panic!("{error:?}") };
	assert_eq!(message, "4 bytes asked for, 3 available");
}
