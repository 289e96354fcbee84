//! A job that goes on from a checkpoint gives what it would have given without the break.

#![cfg(test)]

use millrace_device::{
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, Checkpoint, Checkpoints, JobOutput, RunLimits, Update,
};
use millrace_job::{Argument, BlobHash, Buffer, Launch, Limits, Plan};
use std::{collections::BTreeMap, time::Duration};

/// `step`: count += add, then data = data * 3 + count. Each launch depends on all before it.
const KERNEL: &str = "
.version 7.1
.target sm_70
.address_size 64
.visible .entry step(.param .u64 count, .param .u64 data, .param .u32 add) {
	.reg .b32 %r<5>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd1, [count];
	ld.param.u64 %rd2, [data];
	ld.param.u32 %r1, [add];
	ld.global.u32 %r2, [%rd1];
	add.u32 %r2, %r2, %r1;
	st.global.u32 [%rd1], %r2;
	ld.global.u32 %r3, [%rd2];
	mad.lo.s32 %r3, %r3, 3, %r2;
	st.global.u32 [%rd2], %r3;
	ret;
}
";

/// The same with the count in a variable of the module, where no buffer shows it.
const HIDING: &str = "
.version 7.1
.target sm_70
.address_size 64
.global .align 4 .u32 hidden;
.visible .entry step(.param .u64 count, .param .u64 data, .param .u32 add) {
	.reg .b32 %r<5>;
	.reg .b64 %rd<3>;
	ld.param.u64 %rd2, [data];
	ld.param.u32 %r1, [add];
	ld.global.u32 %r2, [hidden];
	add.u32 %r2, %r2, %r1;
	st.global.u32 [hidden], %r2;
	ld.global.u32 %r3, [%rd2];
	mad.lo.s32 %r3, %r3, 3, %r2;
	st.global.u32 [%rd2], %r3;
	ret;
}
";

const STEPS: u32 = 5;

fn plan(kernel: &str) -> Plan {
	let buffer = |name: &str| Argument::Buffer(name.into());
	let launch = |add| Launch {
		entry: "step".into(),
		grid: [1; 3],
		block: [1; 3],
		shared_bytes: 0,
		arguments: vec![buffer("count"), buffer("data"), Argument::U32(add)],
	};
	Plan {
		version: 1,
		kernel: BlobHash::of(kernel.as_bytes()),
		buffers: vec![
			// Not in the output: a checkpoint has all buffers.
			Buffer { name: "count".into(), bytes: 4, input: None },
			Buffer { name: "data".into(), bytes: 8, input: Some(BlobHash::of(&INPUT)) },
		],
		launches: (1..=STEPS).map(launch).collect(),
		outputs: vec!["data".into()],
	}
}

const INPUT: [u8; 8] = [7, 0, 0, 0, 9, 9, 9, 9];
const OFTEN: Checkpoints = Checkpoints { interval: Duration::ZERO, max_bytes: 12 };

fn run(
	kernel: &str,
	plan: &Plan,
	resume: Option<&Checkpoint>,
	rule: Option<Checkpoints>,
) -> (JobOutput, Vec<Checkpoint>) {
	let blobs: BTreeMap<_, _> = [kernel.as_bytes(), &INPUT].map(|b| (BlobHash::of(b), b.to_vec())).into();
	let time = Duration::from_secs(60);
	let limits = RunLimits { plan: Limits::MAX, wall_clock: time, launch: time, checkpoints: rule };
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000_000);
	let mut states = Vec::new();
	let output = run_plan(&mut device, plan, &blobs, resume, &limits, &mut |update| {
		if let Update::Checkpoint(state) = update {
			states.push(state);
		}
	});
	(output.unwrap(), states)
}

#[test]
fn a_job_can_go_on_from_each_of_its_checkpoints() {
	let plan = plan(KERNEL);
	let (whole, states) = run(KERNEL, &plan, None, Some(OFTEN));
	assert_eq!(states.iter().map(|state| state.launches_done).collect::<Vec<_>>(), [1, 2, 3, 4]);
	// After two launches: count 3, data (7 * 3 + 1) * 3 + 3.
	assert_eq!(states[1].bytes, [3, 0, 0, 0, 69, 0, 0, 0, 9, 9, 9, 9]);
	for state in &states {
		let (rest, later) = run(KERNEL, &plan, Some(state), Some(OFTEN));
		assert_eq!(rest.bytes, whole.bytes, "{state:?}");
		assert_eq!(rest.launches, STEPS - state.launches_done);
		// Also the states after it are those of an uninterrupted run.
		assert_eq!(later, states[state.launches_done as usize..]);
	}
}

#[test]
fn a_checkpoint_that_does_not_fit_is_not_used() {
	let plan = plan(KERNEL);
	let (whole, states) = run(KERNEL, &plan, None, Some(OFTEN));
	let wrong = |launches_done, bytes: usize| Checkpoint { launches_done, bytes: vec![1; bytes] };
	for state in
		[wrong(0, 12), wrong(STEPS, 12), wrong(u32::MAX, 12), wrong(2, 11), wrong(2, 13), wrong(2, 0)]
	{
		assert_eq!(run(KERNEL, &plan, Some(&state), Some(OFTEN)).1, states, "{state:?}");
		let output = run(KERNEL, &plan, Some(&state), None).0;
		assert_eq!((output.bytes, output.launches), (whole.bytes.clone(), STEPS));
	}
}

#[test]
fn checkpoints_are_made_only_when_asked_for_and_not_above_the_limit() {
	let plan = plan(KERNEL);
	let rare = Checkpoints { interval: Duration::from_secs(3600), ..OFTEN };
	let small = Checkpoints { max_bytes: 11, ..OFTEN };
	for rule in [None, Some(rare), Some(small)] {
		assert_eq!(run(KERNEL, &plan, None, rule).1, []);
	}
	let mut single = plan;
	single.launches.truncate(1);
	assert_eq!(run(KERNEL, &single, None, Some(OFTEN)).1, []);
}

#[test]
fn a_kernel_with_state_outside_its_buffers_has_no_checkpoints() {
	let plan = plan(HIDING);
	let (whole, states) = run(HIDING, &plan, None, Some(OFTEN));
	assert_eq!(states, []);
	// Nor is one from elsewhere used.
	let state = Checkpoint { launches_done: 2, bytes: vec![0; 12] };
	let output = run(HIDING, &plan, Some(&state), None).0;
	assert_eq!((output.bytes, output.launches), (whole.bytes, STEPS));
}
