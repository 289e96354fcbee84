//! Branches, predicates, special registers, barriers, and the ends of threads.

use crate::kernel::{module, run, run_module, words, FIRST_LINE};
use millrace_ptx::{launch, Argument, Budget, FaultKind, LaunchConfig, LaunchError, Memory};

#[test]
fn a_loop_runs_until_its_predicate_fails() {
	let body = "
		mov.u32 %r1, 0; mov.u32 %r2, 0;
	AGAIN:
		add.u32 %r2, %r2, %r1; add.u32 %r1, %r1, 1;
		setp.lt.u32 %p1, %r1, 10; @%p1 bra.uni AGAIN;
		@!%p1 st.global.u32 [%rd0], %r2; @%p1 st.global.u32 [%rd0], 0;
		bra DONE;
		st.global.u32 [%rd0], 1;
	DONE:
		ret;";
	let (bytes, instructions) = run_module(&module("", body), 1, &[0; 4]).unwrap();
	assert_eq!(words(&bytes), [45]);
	assert_eq!(
		instructions,
		1 + 2 + 10 * 4 + 2 + 1 + 1,
		"predicated instructions count whether they act or not"
	);
}

#[test]
fn blocks_have_names_of_their_own() {
	// As inlined assembly looks: the same label and register names in two blocks, and a branch out of one.
	let part = |value: u32| {
		format!(
			"{{ .reg .pred p; .reg .u32 t; mov.u32 t, {value}; setp.gt.u32 p, t, 1; @p bra L; add.u32 %r1, %r1, 100; \
			L: add.u32 %r1, %r1, t; }}"
		)
	};
	let body = format!(
		"mov.u32 %r1, 0; {} {} {{ {{ bra OUT; }} }} add.u32 %r1, %r1, 1000; OUT: st.global.u32 [%rd0], %r1;",
		part(1),
		part(2)
	);
	assert_eq!(words(&run(&body, 1, &[0; 4]).unwrap()), [103]);
}

#[test]
fn special_registers_tell_threads_apart() {
	let module = module(
		"",
		"
		mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z;
		mad.lo.u32 %r4, %r3, %ntid.y, %r2; mad.lo.u32 %r4, %r4, %ntid.x, %r1;
		mov.u32 %r5, %ctaid.z; mad.lo.u32 %r5, %r5, %nctaid.y, %ctaid.y; mad.lo.u32 %r5, %r5, %nctaid.x, %ctaid.x;
		mul.lo.u32 %r6, %ntid.x, %ntid.y; mul.lo.u32 %r6, %r6, %ntid.z; mad.lo.u32 %r7, %r5, %r6, %r4;
		mul.wide.u32 %rd1, %r7, 8; add.u64 %rd1, %rd1, %rd0;
		mov.u32 %r8, %warpid; mov.u32 %r9, %laneid; mad.lo.u32 %r8, %r8, WARP_SZ, %r9;
		st.global.u32 [%rd1], %r8; st.global.u32 [%rd1+4], %r5;",
	);
	let mut memory = Memory::new(1 << 20);
	let (grid, block) = ([3, 2, 2], [5, 4, 3]);
	let (blocks, threads) = (12, 60);
	let buffer = memory.alloc(blocks * threads * 8).unwrap();
	let config = LaunchConfig { grid, block, shared_bytes: 0 };
	launch(&module, "k", &config, &[Argument::Pointer(buffer)], &mut memory, &mut Budget::new(1 << 20))
		.unwrap();
	let found = words(&memory.read(buffer, blocks * threads * 8).unwrap());
	let expected: Vec<u32> =
		(0..blocks as u32).flat_map(|b| (0..threads as u32).flat_map(move |t| [t, b])).collect();
	assert_eq!(found, expected);
}

#[test]
fn a_block_adds_up_in_shared_memory() {
	let body = "
		mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 4; add.u64 %rd2, %rd0, %rd1; ld.global.u32 %r2, [%rd2];
		mov.u64 %rd3, sums; add.u64 %rd3, %rd3, %rd1; st.shared.u32 [%rd3], %r2; mov.u32 %r3, 64;
	HALVE:
		bar.sync 0;
		setp.ge.u32 %p1, %r1, %r3; @%p1 bra NEXT;
		mul.wide.u32 %rd4, %r3, 4; add.u64 %rd4, %rd4, %rd3;
		ld.shared.u32 %r4, [%rd3]; ld.shared.u32 %r5, [%rd4]; add.u32 %r4, %r4, %r5; st.shared.u32 [%rd3], %r4;
	NEXT:
		shr.u32 %r3, %r3, 1; setp.ne.u32 %p1, %r3, 0; @%p1 bra HALVE;
		barrier.sync.aligned 1;
		ld.shared.u32 %r6, [sums]; st.global.u32 [%rd2], %r6;";
	let data: Vec<u8> = (0..128u32).flat_map(|i| (i * i).to_le_bytes()).collect();
	let (bytes, _) = run_module(&module(".shared .align 4 .b8 sums[512];", body), 128, &data).unwrap();
	let sum = (0..128).map(|i| i * i).sum::<u32>();
	assert_eq!(words(&bytes), [sum; 128], "every thread sees the whole sum");
}

#[test]
fn an_index_chooses_the_target_of_a_branch() {
	// Two lists, one of them in a block with a label of its own and with one from outside.
	let body = "
		mov.u32 %r1, %tid.x; mov.u32 %r2, 0; mul.wide.u32 %rd1, %r1, 4; add.u64 %rd1, %rd1, %rd0; and.b32 %r3, %r1, 3;
		T: .branchtargets A, B, A, OUT;
		brx.idx.uni %r3, T;
	A:	add.u32 %r2, %r2, 1;
	B:	add.u32 %r2, %r2, 10; shr.u32 %r4, %r1, 2; setp.gt.u32 %p1, %r4, 1; @%p1 bra OUT;
		{ U: .branchtargets A, OUT; @!%p1 brx.idx %r4, U; A: add.u32 %r2, %r2, 100; }
	OUT: st.global.u32 [%rd1], %r2;";
	let found = words(&run(body, 12, &[0; 48]).unwrap());
	assert_eq!(found, [111, 110, 111, 0, 11, 10, 11, 0, 11, 10, 11, 0]);
}

#[test]
fn an_index_without_a_target_is_a_fault() {
	let body = "mov.u32 %r1, %tid.x; T: .branchtargets L, L;\nbrx.idx %r1, T; L: ret;";
	assert_eq!(
		fault_kind(body, 3),
		(FaultKind::BranchIndex { index: 2, targets: 2 }, [2, 0, 0], FIRST_LINE + 1)
	);
	// The list that follows is another one.
	let late =
		"mov.u32 %r1, %tid.x; add.u32 %r2, %r1, 1; T: .branchtargets L, L; U: .branchtargets L, L; brx.idx %r2, T; L: ret;";
	assert_eq!(fault_kind(late, 2), (FaultKind::BranchIndex { index: 2, targets: 2 }, [1, 0, 0], FIRST_LINE));
}

/// What each of `threads` threads gets from a barrier to which it gives whether its number is at least `bound`.
fn reduced(barrier: &str, threads: u32, bound: u32) -> Vec<u32> {
	let body = format!(
		"mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 4; add.u64 %rd1, %rd1, %rd0; setp.ge.u32 %p1, %r1, {bound};
		setp.ge.u32 %p3, %r1, 32; @%p3 bra SECOND; {barrier} bra STORE; SECOND: {barrier}
		STORE: st.global.u32 [%rd1], %r2;"
	);
	words(&run(&body, threads, &vec![0; threads as usize * 4]).unwrap())
}

#[test]
fn threads_learn_of_each_other_at_barriers() {
	for (threads, bound) in [(40, 0), (40, 33), (64, 39), (64, 64), (1, 0)] {
		let holding = threads - bound.min(threads);
		let of_all = |value: u32| vec![value; threads as usize];
		assert_eq!(reduced("bar.red.popc.u32 %r2, 0, %p1;", threads, bound), of_all(holding));
		assert_eq!(reduced("barrier.red.popc.u32 %r2, 3, !%p1;", threads, bound), of_all(threads - holding));
		let and = "bar.red.and.pred %p2, 1, %p1; selp.u32 %r2, 1, 0, %p2;";
		assert_eq!(reduced(and, threads, bound), of_all((holding == threads).into()));
		let or = "barrier.cta.red.or.aligned.pred %p1, 15, !%p1; selp.u32 %r2, 1, 0, %p1;";
		assert_eq!(reduced(or, threads, bound), of_all((holding < threads).into()));
	}
}

#[test]
fn threads_must_ask_the_same_at_a_barrier() {
	for (first, second) in [
		("bar.red.popc.u32 %r2, 0, %p1;", "bar.sync 0;"),
		("bar.red.and.pred %p1, 0, %p1;", "bar.red.or.pred %p1, 0, %p1;"),
		("bar.red.and.pred %p1, 0, %p1;", "bar.red.and.pred %p1, 1, %p1;"),
	] {
		let body =
			format!("mov.u32 %r1, %tid.x; setp.ge.u32 %p1, %r1, 32; @%p1 bra B; {first} ret;\nB: {second}");
		assert_eq!(fault_kind(&body, 64), (FaultKind::BarrierDivergence, [32, 0, 0], FIRST_LINE + 1));
	}
}

fn fault_kind(body: &str, threads: u32) -> (FaultKind, [u32; 3], u32) {
	match run(body, threads, &[0; 4]) {
		Err(LaunchError::Fault(fault)) => (fault.kind, fault.thread, fault.line),
		other => panic!("{body}: a fault was expected, not {other:?}"),
	}
}

#[test]
fn threads_that_miss_a_barrier_are_a_fault() {
	let left = "mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 3;\n@%p1 ret;\nbar.sync 0;";
	assert_eq!(fault_kind(left, 8), (FaultKind::BarrierDivergence, [3, 0, 0], FIRST_LINE + 2));
	for (barrier, thread) in [("bar.sync", 32), ("barrier.sync", 3)] {
		let other = format!(
			"mov.u32 %r1, %tid.x; setp.ge.u32 %p1, %r1, {thread}; @%p1 bra B; {barrier} 0; ret;\nB: {barrier} 1;"
		);
		assert_eq!(fault_kind(&other, 64), (FaultKind::BarrierDivergence, [thread, 0, 0], FIRST_LINE + 1));
	}
}

#[test]
fn aligned_barriers_want_whole_warps_at_the_same_instruction() {
	let split = |barrier: &str, at: u32| {
		format!(
			"mov.u32 %r1, %tid.x; setp.ge.u32 %p1, %r1, {at}; @%p1 bra B; {barrier} 0; ret;\nB: {barrier} 0; ret;"
		)
	};
	assert_eq!(
		fault_kind(&split("bar.sync", 8), 64),
		(FaultKind::BarrierDivergence, [8, 0, 0], FIRST_LINE + 1)
	);
	assert!(run(&split("bar.sync", 32), 64, &[0; 4]).is_ok(), "two warps may meet from two places");
	assert!(
		run(&split("barrier.sync", 8), 64, &[0; 4]).is_ok(),
		"and so may threads, if the barrier is not aligned"
	);
}

#[test]
fn an_endless_loop_ends_with_the_budget() {
	assert_eq!(fault_kind("L:\nbra L;", 1), (FaultKind::StepBudgetExhausted, [0, 0, 0], FIRST_LINE + 1));
	let spin = "mov.u32 %r1, %tid.x; setp.ne.u32 %p1, %r1, 0;\nL: ld.global.u32 %r2, [%rd0]; setp.eq.u32 %p2, %r2, 0; @%p2 bra L; ret;";
	assert_eq!(fault_kind(spin, 2).0, FaultKind::StepBudgetExhausted);
}

#[test]
fn the_budget_is_exact_and_shared_by_launches() {
	let module = module("", "mov.u32 %r1, 1; st.global.u32 [%rd0], %r1;");
	let mut memory = Memory::new(64);
	let arguments = [Argument::Pointer(memory.alloc(4).unwrap())];
	let config = LaunchConfig { grid: [2, 1, 1], block: [3, 1, 1], shared_bytes: 0 };
	let mut budget = Budget::new(2 * 3 * 4 + 1);
	let stats = launch(&module, "k", &config, &arguments, &mut memory, &mut budget).unwrap();
	assert_eq!((stats.instructions, budget.remaining()), (24, 1), "ld, mov, st and the implied ret");
	let error = launch(&module, "k", &config, &arguments, &mut memory, &mut budget).unwrap_err();
	let LaunchError::Fault(fault) = error else { panic!("{error}") };
	assert_eq!((fault.kind, fault.line, budget.remaining()), (FaultKind::StepBudgetExhausted, FIRST_LINE, 0));
}

#[test]
fn clearing_memory_takes_steps_too() {
	let module = module(".shared .b8 large[40000];", "st.shared.u8 [large], 1;");
	let mut memory = Memory::new(64);
	let arguments = [Argument::Pointer(memory.alloc(4).unwrap())];
	let config = LaunchConfig { grid: [1_000_000, 1, 1], block: [1, 1, 1], shared_bytes: 0 };
	let mut budget = Budget::new(1_000_000);
	assert!(launch(&module, "k", &config, &arguments, &mut memory, &mut budget).is_err());
}

#[test]
fn trap_is_a_fault_and_exit_is_not() {
	assert_eq!(
		fault_kind("mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, 1;\n@%p1 trap;", 2),
		(FaultKind::Trap, [1, 0, 0], FIRST_LINE + 1)
	);
	assert_eq!(run("membar.gl; fence.acq_rel.gpu; exit; trap;", 1, &[7; 4]).unwrap(), [7; 4]);
}

#[test]
fn registers_and_memory_start_as_zero_in_every_thread_and_block() {
	// With a barrier every thread has memory of its own; without one they take turns with one thread's.
	for barrier in ["bar.sync 0;", ""] {
		let module = module(
			".shared .b32 seen;",
			&format!(
				".local .b32 mine; ld.shared.u32 %r1, [seen]; ld.local.u32 %r3, [mine]; add.u32 %r2, %r2, %r1;
				add.u32 %r2, %r2, %r3; add.u32 %r2, %r2, 1; st.local.u32 [mine], 100; st.shared.u32 [seen], 1;
				{barrier} red.global.add.u32 [%rd0], %r2; mov.u32 %r2, 1000;"
			),
		);
		let mut memory = Memory::new(64);
		let buffer = memory.alloc(4).unwrap();
		let config = LaunchConfig { grid: [3, 1, 1], block: [2, 1, 1], shared_bytes: 0 };
		launch(&module, "k", &config, &[Argument::Pointer(buffer)], &mut memory, &mut Budget::new(1000))
			.unwrap();
		// Of each block, the first thread adds 1 and the second one 2.
		assert_eq!(words(&memory.read(buffer, 4).unwrap()), [9]);
	}
}
