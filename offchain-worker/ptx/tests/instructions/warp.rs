//! Instructions that the threads of a warp execute together.

use crate::kernel::{module, run, words, FIRST_LINE};
use millrace_ptx::{
	launch, Argument, Budget, Fault, FaultKind, LaunchConfig, LaunchError, Memory, Module, ParseErrorKind,
};
use proptest::prelude::*;

/// Gives every lane `%r1` to `%r4` and the predicate `%p1` (`%r1` is not zero) from its row, the mask in `%r5` from row 32,
/// and lets those that the mask names execute `code`. They store `%rd9`; the others leave -1.
fn lanes(code: &str, mask: u32, rows: &[[u32; 4]; 32]) -> [u64; 32] {
	let body = format!(
		"mov.u32 %r10, %laneid; mul.wide.u32 %rd1, %r10, 16; add.u64 %rd1, %rd1, %rd0; mul.wide.u32 %rd2, %r10, 8;
		add.u64 %rd2, %rd2, %rd0; ld.global.v4.u32 {{%r1, %r2, %r3, %r4}}, [%rd1]; setp.ne.u32 %p1, %r1, 0;
		ld.global.u32 %r5, [%rd0+512]; and.b32 %r6, %r5, %lanemask_eq; setp.eq.u32 %p2, %r6, 0;
		mov.u64 %rd9, -1; @%p2 bra STORE;
		{code}
		STORE: st.global.u64 [%rd2+528], %rd9;"
	);
	let mut data: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
	data.extend(mask.to_le_bytes());
	data.resize(528 + 256, 0);
	let found = run(&body, 32, &data).unwrap();
	let mut cells = found[528..].chunks_exact(8);
	[(); 32].map(|()| u64::from_le_bytes(cells.next().unwrap().try_into().unwrap()))
}

/// What those that the mask names must find, the rest -1.
fn expected(mask: u32, of: impl Fn(usize) -> u64) -> [u64; 32] {
	core::array::from_fn(|lane| if mask >> lane & 1 == 1 { of(lane) } else { u64::MAX })
}

fn rows() -> impl Strategy<Value = [[u32; 4]; 32]> {
	// Few values of the first word, so that there are equal ones and zeros.
	prop::array::uniform32(
		(0u32..4, any::<u32>(), any::<u32>(), any::<u32>()).prop_map(|(a, b, c, d)| [a, b, c, d]),
	)
}

fn masks() -> impl Strategy<Value = u32> {
	prop_oneof![Just(u32::MAX), any::<u32>(), (0u32..32).prop_map(|lane| 1 << lane)]
}

/// What PTX says of `shfl.sync`, step by step.
fn shuffled(mode: &str, mask: u32, rows: &[[u32; 4]; 32], lane: usize) -> u64 {
	let [_, value, b, c] = rows[lane];
	let (own, b, clamp, segments) =
		(lane as i64, i64::from(b % 32), i64::from(c % 32), i64::from(c / 256 % 32));
	let (low, high) = (own & segments, own & segments | clamp & !segments);
	let (source, in_range) = match mode {
		"up" => (own - b, own - b >= high),
		"down" => (own + b, own + b <= high),
		"bfly" => (own ^ b, own ^ b <= high),
		_ => (low | b & !segments, low | b & !segments <= high),
	};
	let read = match in_range {
		false => value,
		true if mask >> source & 1 == 1 => rows[source as usize][1],
		true => 0,
	};
	u64::from(read) | u64::from(in_range) << 32
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(300))]

	#[test]
	fn shuffles_read_the_lane_that_ptx_says(
		mode in prop::sample::select(&["up", "down", "bfly", "idx"][..]),
		mask in masks(),
		rows in rows(),
		usual in prop::option::of(prop::sample::select(&[0x1f, 0x181f, 0x1c1f, 0x1e1f, 0x1c00, 0][..])),
	) {
		let mut rows = rows;
		// Bounds and segments as compilers write them for widths of 32, 8, 4 and 2.
		if let Some(usual) = usual {
			rows.iter_mut().for_each(|row| row[3] = usual);
		}
		let code = format!(
			"shfl.sync.{mode}.b32 %r7|%p3, %r2, %r3, %r4, %r5; selp.u32 %r8, 1, 0, %p3; mov.b64 %rd9, {{%r7, %r8}};"
		);
		prop_assert_eq!(lanes(&code, mask, &rows), expected(mask, |lane| shuffled(mode, mask, &rows, lane)));
	}

	#[test]
	fn votes_are_those_of_the_named_lanes(mask in masks(), rows in rows(), ones in 0u32..3) {
		let mut rows = rows;
		// All alike is rare otherwise.
		if ones < 2 {
			rows.iter_mut().for_each(|row| row[0] = ones);
		}
		let code = "vote.sync.ballot.b32 %r7, %p1, %r5; vote.sync.all.pred %p3, %p1, %r5; vote.sync.any.pred %p4, !%p1, %r5;
			vote.sync.uni.pred %p5, %p1, %r5; selp.u32 %r8, 1, 0, %p3; selp.u32 %r9, 2, 0, %p4; or.b32 %r8, %r8, %r9;
			selp.u32 %r9, 4, 0, %p5; or.b32 %r8, %r8, %r9; mov.b64 %rd9, {%r7, %r8};";
		let ballot: u32 = (0..32).map(|lane| u32::from(rows[lane][0] != 0) << lane).sum::<u32>() & mask;
		let (all, none) = (ballot == mask, ballot == 0);
		let flags = u64::from(all) | u64::from(!all) << 1 | u64::from(all || none) << 2;
		prop_assert_eq!(lanes(code, mask, &rows), expected(mask, |_| u64::from(ballot) | flags << 32));
	}

	#[test]
	fn lanes_with_equal_values_find_each_other(mask in masks(), rows in rows(), alike in any::<bool>()) {
		let mut rows = rows;
		if alike {
			rows.iter_mut().for_each(|row| row[0] = 9);
		}
		let code = "cvt.u64.u32 %rd3, %r1; shl.b64 %rd3, %rd3, 40; match.any.sync.b32 %r7, %r1, %r5;
			match.all.sync.b64 %r8|%p3, %rd3, %r5; selp.u32 %r9, 1, 0, %p3; xor.b32 %r8, %r8, %r9; mov.b64 %rd9, {%r7, %r8};";
		let same = |lane: usize| (0..32).filter(|other| mask >> other & 1 == 1 && rows[*other][0] == rows[lane][0])
			.fold(0u32, |all, other| all | 1 << other);
		let all = |lane| if same(lane) == mask { mask ^ 1 } else { 0 };
		prop_assert_eq!(
			lanes(code, mask, &rows),
			expected(mask, |lane| u64::from(same(lane)) | u64::from(all(lane)) << 32)
		);
	}

	#[test]
	fn reductions_are_over_the_named_lanes(mask in masks(), rows in rows()) {
		let values: Vec<u32> = (0..32).filter(|lane| mask >> lane & 1 == 1).map(|lane| rows[lane][1]).collect();
		prop_assume!(!values.is_empty());
		let signed = || values.iter().map(|value| *value as i32);
		for (operation, wanted) in [
			("add.u32", values.iter().fold(0u32, |a, b| a.wrapping_add(*b))),
			("add.s32", values.iter().fold(0u32, |a, b| a.wrapping_add(*b))),
			("min.u32", *values.iter().min().unwrap()),
			("max.u32", *values.iter().max().unwrap()),
			("min.s32", signed().min().unwrap() as u32),
			("max.s32", signed().max().unwrap() as u32),
			("and.b32", values.iter().fold(u32::MAX, |a, b| a & b)),
			("or.b32", values.iter().fold(0, |a, b| a | b)),
			("xor.b32", values.iter().fold(0, |a, b| a ^ b)),
		] {
			let code = format!("redux.sync.{operation} %r7, %r2, %r5; cvt.u64.u32 %rd9, %r7;");
			prop_assert_eq!(lanes(&code, mask, &rows), expected(mask, |_| wanted.into()), "{}", operation);
		}
	}
}

/// Runs a body that leaves a word of each thread in `%r9`.
fn each(body: &str, threads: u32) -> Vec<u32> {
	let body = format!(
		"mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 4; add.u64 %rd1, %rd1, %rd0;\n{body}\nst.global.u32 [%rd1], %r9;"
	);
	words(&run(&body, threads, &vec![0; threads as usize * 4]).unwrap())
}

#[test]
fn lane_masks_are_relative_to_the_own_lane() {
	for (name, of) in [
		("eq", (|lane| 1 << lane) as fn(u64) -> u64),
		("lt", |lane| (1 << lane) - 1),
		("le", |lane| (2 << lane) - 1),
		("gt", |lane| 0xffff_ffff & !((2 << lane) - 1)),
		("ge", |lane| 0xffff_ffff & !((1 << lane) - 1)),
	] {
		let wanted: Vec<u32> = (0..40).map(|thread| of(thread % 32) as u32).collect();
		assert_eq!(each(&format!("mov.u32 %r9, %lanemask_{name};"), 40), wanted, "{name}");
	}
}

#[test]
fn lanes_that_have_returned_or_never_were_are_not_waited_for() {
	// 40 threads: the second warp has 8. Every fifth thread returns before the vote.
	let body = "mov.u32 %r9, 0; rem.u32 %r2, %r1, 5; setp.eq.u32 %p1, %r2, 0; @%p1 ret;
		setp.ne.u32 %p2, %r2, 1; vote.sync.ballot.b32 %r9, %p2, -1;";
	let found = each(body, 40);
	let ballot = |warp: usize| {
		(0..32).filter(|lane| warp + lane < 40 && (warp + lane) % 5 > 1).fold(0, |b, lane| b | 1u32 << lane)
	};
	for (thread, found) in found.into_iter().enumerate() {
		let wanted = if thread % 5 == 0 { 0 } else { ballot(thread / 32 * 32) };
		assert_eq!(found, wanted, "thread {thread}");
	}
}

#[test]
fn threads_may_meet_from_both_sides_of_a_branch() {
	let body = "setp.ge.u32 %p1, %r1, 16; @%p1 bra HIGH;
		add.u32 %r2, %r1, 100; shfl.sync.bfly.b32 %r9, %r2, 16, 31, 0xffffffff; bra DONE;
	HIGH:
		add.u32 %r3, %r1, 200; shfl.sync.bfly.b32 %r9, %r3, 16, 0x1f, -1;
	DONE:";
	let wanted: Vec<u32> =
		(0..32).map(|lane| if lane < 16 { lane + 16 + 200 } else { lane - 16 + 100 }).collect();
	assert_eq!(each(body, 32), wanted);
}

#[test]
fn a_warp_barrier_orders_what_its_threads_store_and_load() {
	let body = "
		.shared .align 4 .b32 cells[64]; mov.u32 %r2, cells; shl.b32 %r3, %r1, 2; add.u32 %r3, %r3, %r2;
		st.shared.u32 [%r3], %r1; bar.warp.sync 0xffffffff; xor.b32 %r4, %r1, 1; shl.b32 %r4, %r4, 2; add.u32 %r4, %r4, %r2;
		ld.shared.u32 %r9, [%r4]; bar.sync 0; st.shared.u32 [%r3], %r9; bar.warp.sync -1; ld.shared.u32 %r5, [%r4];
		shl.b32 %r5, %r5, 8; or.b32 %r9, %r9, %r5;";
	let wanted: Vec<u32> = (0..64).map(|thread| (thread ^ 1) | thread << 8).collect();
	assert_eq!(each(body, 64), wanted);
}

#[test]
fn a_warp_adds_up_by_shuffles_in_a_loop() {
	let body = "add.u32 %r9, %r1, 1; mov.u32 %r2, 16;
	NEXT:
		shfl.sync.down.b32 %r3, %r9, %r2, 31, -1; add.u32 %r9, %r9, %r3;
		shr.u32 %r2, %r2, 1; setp.ne.u32 %p1, %r2, 0; @%p1 bra NEXT;
		shfl.sync.idx.b32 %r9, %r9, 0, 31, -1;";
	let found = each(body, 64);
	assert_eq!((found[5], found[40]), ((1..=32).sum(), (33..=64).sum()));
}

#[test]
fn the_active_mask_is_of_the_lanes_that_are_there_together() {
	let body = "setp.lt.u32 %p1, %r1, 10; @%p1 bra LOW; activemask.b32 %r9; bra DONE; LOW: activemask.b32 %r9; DONE:";
	let wanted: Vec<u32> = (0..32).map(|lane| if lane < 10 { 0x3ff } else { 0xffff_fc00 }).collect();
	assert_eq!(each(body, 32), wanted);
}

fn fault(body: &str, threads: u32) -> Fault {
	match run(body, threads, &[0; 4]) {
		Err(LaunchError::Fault(fault)) => fault,
		other => panic!("{body}: a fault was expected, not {other:?}"),
	}
}

#[test]
fn threads_that_wait_for_each_other_for_ever_are_a_fault() {
	let split = "mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 8;\n@%p1 bra LOW;\n";
	for other in [
		"vote.sync.any.pred %p3, %p1, -1;",
		"shfl.sync.up.b32 %r2, %r1, 1, 0, 0xfffffffe;",
		"shfl.sync.down.b32 %r2, %r1, 1, 31, -1;",
		"bar.sync 0;",
		"bar.warp.sync -1;",
		"match.any.sync.b32 %r2, %r1, -1;",
	] {
		let body = format!("{split}{other} ret;\nLOW: shfl.sync.up.b32 %r2, %r1, 1, 0, -1;");
		let found = fault(&body, 32);
		assert_eq!(
			(found.kind, found.thread, found.line),
			(FaultKind::WarpDivergence, [0; 3], FIRST_LINE + 3),
			"{other}"
		);
	}
	// The other warp does not help.
	let found = fault(&format!("{split}ret;\nLOW: bar.sync 0; bar.warp.sync -1;"), 40);
	assert_eq!(found.kind, FaultKind::BarrierDivergence);
}

#[test]
fn a_thread_that_its_mask_does_not_name_is_a_fault() {
	let body = "mov.u32 %r1, %laneid;\nvote.sync.ballot.b32 %r2, %p1, 0xffff;";
	let found = fault(body, 40);
	assert_eq!((found.kind, found.thread, found.line), (FaultKind::WarpMask, [16, 0, 0], FIRST_LINE + 1));
	assert_eq!(fault("bar.warp.sync 0;", 1).kind, FaultKind::WarpMask);
}

#[test]
fn waiting_takes_no_steps_and_an_endless_loop_beside_it_ends_with_the_budget() {
	let body = "mov.u32 %r1, %laneid; setp.ne.u32 %p1, %r1, 31; @%p1 bra WAIT;\nL: bar.warp.sync 0x80000000; bra L;\nWAIT: bar.warp.sync -1;";
	let found = fault(body, 32);
	assert_eq!(
		(found.kind, found.thread, found.line),
		(FaultKind::StepBudgetExhausted, [31, 0, 0], FIRST_LINE + 1)
	);
	let module = module("", "bar.warp.sync -1;");
	let mut memory = Memory::new(64);
	let arguments = [Argument::Pointer(memory.alloc(4).unwrap())];
	let config = LaunchConfig { grid: [1; 3], block: [40, 1, 1], shared_bytes: 0 };
	let stats = launch(&module, "k", &config, &arguments, &mut memory, &mut Budget::new(1_000)).unwrap();
	assert_eq!(stats.instructions, 40 * 3, "ld, bar.warp and ret");
}

#[test]
fn a_predicate_keeps_a_thread_away_from_a_warp_wide_instruction() {
	let body = "setp.lt.u32 %p1, %r1, 3; mov.u32 %r9, 77; @%p1 shfl.sync.idx.b32 %r9, %r1, 2, 31, 7;";
	let found = each(body, 32);
	assert_eq!(found[..4], [2, 2, 2, 77]);
}

#[test]
fn what_was_there_before_sync_is_refused() {
	for instruction in [
		"vote.any.pred %p1, %p2;",
		"shfl.down.b32 %r1, %r2, 1, 31;",
		"vote.sync.any.b32 %r1, %p2, -1;",
		"vote.sync.ballot.pred %p1, %p2, -1;",
		"shfl.sync.down.b64 %rd1, %rd2, 1, 31, -1;",
		"redux.sync.add.b32 %r1, %r2, -1;",
		"redux.sync.xor.u32 %r1, %r2, -1;",
		"redux.sync.add.u64 %rd1, %rd2, -1;",
		"match.any.sync.u32 %r1, %r2, -1;",
		"activemask.u32 %r1;",
		"bar.warp.arrive -1;",
		"elect.sync %r1|%p1, -1;",
	] {
		let text = format!(
			".version 7.0 .target sm_80 .address_size 64 .entry k() {{ .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .pred %p<4>;
			{instruction} }}"
		);
		let error = Module::parse(&text).unwrap_err();
		assert!(matches!(error.kind, ParseErrorKind::Unsupported { .. }), "{instruction}: {error}");
	}
}
