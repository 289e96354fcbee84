//! Several threads of the host make of a launch what one makes of it.

#![cfg(test)]

use millrace_ptx::{
	launch, launch_on, Argument, Budget, HostThreads, LaunchConfig, LaunchError, LaunchStats, Memory, Module,
};
use proptest::prelude::*;
use std::ops::ControlFlow;

const WORDS: u32 = 4_096;

/// What a launch leaves: its result, the memory, the steps that were not used.
type Left = (Result<LaunchStats, LaunchError>, Vec<u8>, u64);

/// A kernel whose body finds the buffer in `%rd0`, the block in `%r0` and the thread in `%r1`, after a loop that makes it
/// last. `%r2` to `%r5` are words of the launch.
fn module(body: &str) -> Module {
	let text = format!(
		".version 7.0 .target sm_80 .address_size 64 .visible .entry k(.param .u64 data, .param .u32 a, .param .u32 b,
		.param .u32 c, .param .u32 e) {{
		.reg .b32 %r<20>; .reg .b64 %rd<9>; .reg .pred %p<4>;
		ld.param.u64 %rd0, [data]; mov.u32 %r0, %ctaid.x; mov.u32 %r1, %tid.x; ld.param.u32 %r2, [a]; ld.param.u32 %r3, [b];
		ld.param.u32 %r4, [c]; ld.param.u32 %r5, [e]; mov.u32 %r19, 60;
	LAST: sub.u32 %r19, %r19, 1; setp.ne.u32 %p0, %r19, 0; @%p0 bra LAST;
		{body}
		}}"
	);
	Module::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn run(
	module: &Module,
	[blocks, threads]: [u32; 2],
	words: [u32; 4],
	steps: u64,
	hosts: Option<usize>,
) -> (Left, usize) {
	let mut memory = Memory::new(1 << 20);
	let data = memory.alloc(u64::from(WORDS) * 4).unwrap();
	let start: Vec<u8> = (0..WORDS).flat_map(|word| word.wrapping_mul(0x9e37_79b9).to_le_bytes()).collect();
	memory.write(data, &start).unwrap();
	memory.write(data, &[0; 4]).unwrap();
	let mut arguments = vec![Argument::Pointer(data)];
	arguments.extend(words.map(Argument::U32));
	let config = LaunchConfig { grid: [blocks, 1, 1], block: [threads, 1, 1], shared_bytes: 0 };
	let mut budget = Budget::new(steps);
	let mut told = 0;
	let result = match hosts {
		None => launch(module, "k", &config, &arguments, &mut memory, &mut budget),
		Some(count) => {
			let mut watch = |_| {
				told += 1;
				ControlFlow::Continue(())
			};
			let threads = HostThreads { count, watch: &mut watch };
			launch_on(threads, module, "k", &config, &arguments, &mut memory, &mut budget)
		}
	};
	((result, memory.read(data, u64::from(WORDS) * 4).unwrap(), budget.remaining()), told)
}

/// Reads a word that a mix of block and thread chooses, and writes another one.
const MIX: &str = "
	mad.lo.u32 %r6, %r0, %r2, %r1; mad.lo.u32 %r6, %r6, 1, %r3; rem.u32 %r6, %r6, 4096;
	mad.lo.u32 %r7, %r0, %r4, %r1; rem.u32 %r7, %r7, 4096;
	mul.wide.u32 %rd1, %r6, 4; add.u64 %rd1, %rd1, %rd0; mul.wide.u32 %rd2, %r7, 4; add.u64 %rd2, %rd2, %rd0;
	ld.global.u32 %r8, [%rd1]; mad.lo.u32 %r8, %r8, 5, %r0; ";

/// Ways to go on.
const ENDS: [&str; 7] = [
	"st.global.u32 [%rd2], %r8;",
	"st.global.u8 [%rd2+1], %r8;",
	"st.global.u32 [%rd2], %r8; ld.global.u32 %r9, [%rd2]; add.u32 %r9, %r9, 1; st.global.v2.u16 [%rd2], {%r9, %r8};",
	// One block does what it must not.
	"st.global.u32 [%rd2], %r8; setp.eq.u32 %p1, %r0, %r5; @%p1 trap;",
	"st.global.u32 [%rd2], %r8; setp.eq.u32 %p1, %r0, %r5; @%p1 st.global.u32 [%rd2+999999], 1;",
	// A block waits for what the one in front of it leaves in the first word.
	"W: ld.global.u32 %r9, [%rd0]; setp.lt.u32 %p1, %r9, %r0; @%p1 bra W; add.u32 %r9, %r0, 1; bar.sync 0; st.global.u32 [%rd0], %r9;",
	// One block does not end.
	"st.global.u32 [%rd2], %r8; setp.eq.u32 %p1, %r0, %r5; E: @%p1 bra E;",
];

proptest! {
	#![proptest_config(ProptestConfig::with_cases(250))]

	#[test]
	fn the_result_is_that_of_one_thread(
		end in prop::sample::select(&ENDS[..]),
		strides in (0u32..200, 0u32..4_096, 0u32..200),
		marked in 0u32..150,
		blocks in 1u32..130,
		threads in prop::sample::select(&[1u32, 8, 32, 40][..]),
		hosts in 1usize..5,
		steps in prop_oneof![Just(3_000_000), 1u64..1_500_000],
	) {
		let module = module(&format!("{MIX}{end}"));
		let words = [strides.0, strides.1, strides.2, marked];
		let (alone, _) = run(&module, [blocks, threads], words, steps, None);
		let (together, _) = run(&module, [blocks, threads], words, steps, Some(hosts));
		prop_assert_eq!(together, alone);
	}
}

#[test]
fn independent_blocks_run_in_waves_and_atomics_one_after_the_other() {
	let own = "mul.wide.u32 %rd1, %r0, 128; mul.wide.u32 %rd2, %r1, 4; add.u64 %rd1, %rd1, %rd2; add.u64 %rd1, %rd1, %rd0;
		st.global.u32 [%rd1], %r0;";
	let shape = [128, 32];
	let (left, told) = run(&module(own), shape, [0; 4], 1 << 30, Some(2));
	assert_eq!(left, run(&module(own), shape, [0; 4], 1 << 30, None).0);
	assert!(told < 10, "{told} turns for 128 blocks");
	let counted = "atom.global.add.u32 %r6, [%rd0], 1; mul.wide.u32 %rd1, %r6, 4; add.u64 %rd1, %rd1, %rd0; st.global.u32 [%rd1], %r0;";
	let (left, told) = run(&module(counted), [100, 32], [0; 4], 1 << 30, Some(4));
	assert_eq!(left, run(&module(counted), [100, 32], [0; 4], 1 << 30, None).0);
	assert_eq!(told, 100);
}

#[test]
fn blocks_that_all_depend_on_the_one_in_front_are_soon_run_alone() {
	let chain = "ld.global.u32 %r6, [%rd0]; mad.lo.u32 %r6, %r6, 3, %r0; st.global.u32 [%rd0], %r6;";
	let (left, told) = run(&module(chain), [128, 32], [0; 4], 1 << 30, Some(3));
	assert_eq!(left, run(&module(chain), [128, 32], [0; 4], 1 << 30, None).0);
	assert!(told > 120, "{told} turns");
}

#[test]
fn a_launch_can_be_ended_between_blocks() {
	let mut memory = Memory::new(1 << 20);
	let data = memory.alloc(4 * u64::from(WORDS)).unwrap();
	let module = module("mul.wide.u32 %rd1, %r0, 4; add.u64 %rd1, %rd1, %rd0; st.global.u32 [%rd1], 1;");
	let arguments =
		[Argument::Pointer(data), Argument::U32(0), Argument::U32(0), Argument::U32(0), Argument::U32(0)];
	let config = LaunchConfig { grid: [8, 1, 1], block: [1, 1, 1], shared_bytes: 0 };
	let mut watch = |done| if done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
	let threads = HostThreads { count: 1, watch: &mut watch };
	launch_on(threads, &module, "k", &config, &arguments, &mut memory, &mut Budget::new(1 << 20)).unwrap();
	let words: Vec<u8> = memory.read(data, 32).unwrap().into_iter().step_by(4).collect();
	assert_eq!(words, [1, 1, 1, 0, 0, 0, 0, 0]);
}

#[test]
fn a_kernel_that_writes_everywhere_does_not_fill_the_hosts_memory() {
	// Each block touches all pages of a large buffer: no wave has room for what it notes.
	let text = ".version 7.0 .target sm_80 .address_size 64 .visible .entry k(.param .u64 data) {
		.reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .pred %p<4>;
		ld.param.u64 %rd0, [data]; mov.u32 %r0, %ctaid.x; mov.u32 %r1, 0;
	L: mul.wide.u32 %rd1, %r1, 256; add.u64 %rd1, %rd1, %rd0; st.global.u32 [%rd1], %r0; add.u32 %r1, %r1, 1;
		setp.lt.u32 %p1, %r1, 40000; @%p1 bra L; }";
	let module = Module::parse(text).unwrap();
	let left = |hosts| {
		let mut memory = Memory::new(1 << 24);
		let data = memory.alloc(40_000 * 256).unwrap();
		let config = LaunchConfig { grid: [24, 1, 1], block: [1, 1, 1], shared_bytes: 0 };
		let mut watch = |_| ControlFlow::Continue(());
		let threads = HostThreads { count: hosts, watch: &mut watch };
		let arguments = [Argument::Pointer(data)];
		let stats =
			launch_on(threads, &module, "k", &config, &arguments, &mut memory, &mut Budget::new(1 << 30));
		(stats, memory.read(data, 40_000 * 256).unwrap())
	};
	assert!(left(1) == left(4));
}
