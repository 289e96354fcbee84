//! Text, arguments and code of somebody who wishes us ill: errors and faults are fine, panics are not.

#![cfg(test)]

use millrace_ptx::{launch, run_block, Argument, Budget, LaunchConfig, Memory, Module};
use proptest::prelude::*;

/// Texts to start from. Together they have every kind of statement.
const TEXTS: [&str; 6] = [
	include_str!("fixtures/kernels_o2.ptx"),
	include_str!("../benches/matrix_vector.ptx"),
	"
	.version 7.0 .target sm_80 .address_size 64
	.const .align 4 .u32 table[4] = {1, 2, 3, -4}; .global .f32 x = 1.5; .extern .shared .b8 dynamic[];
	.entry k(.param .u64 a, .param .u64 b, .param .u32 n) .maxntid 64 {
		.reg .pred %p<4>; .reg .b16 %h<4>; .reg .b32 %r<9>; .reg .b64 %d<9>; .reg .f32 %f<4>; .reg .f64 %g<4>;
		.local .align 8 .b8 depot[64];
		ld.param.u64 %d0, [a]; ld.param.v2.u32 {%r0, %r1}, [b]; mov.u32 %r2, %tid.x; mov.u64 %d1, depot;
		cvta.local.u64 %d2, %d1; st.v2.u32 [%d2+8], {%r0, 7}; ld.local.s8 %h1, [depot+9]; cvt.s32.s8 %r3, %h1;
		mul.wide.s32 %d3, %r3, %r2; mad.hi.s64 %d3, %d3, %d0, %d1; mul24.hi.u32 %r4, %r0, %r1; div.s64 %d4, %d3, %d1;
		rem.u16 %h2, %h1, 0; shl.b32 %r5, %r0, %r1; shr.s64 %d5, %d3, %r2; bfe.s64 %d6, %d3, %r0, %r1;
		bfi.b64 %d6, %d0, %d1, %r0, %r1; prmt.b32 %r6, %r0, %r1, %r2; lop3.b32 %r7, %r0, %r1, %r2, 0x96;
		shf.l.clamp.b32 %r7, %r0, %r1, 99; dp4a.u32.s32 %r8, %r0, %r1, %r2; popc.b64 %r8, %d6; clz.b32 %r8, 0;
		brev.b64 %d7, %d6; abs.s64 %d7, %d7; neg.s16 %h3, %h2; cnot.b32 %r8, %r8; not.pred %p0, %p1;
		cvt.rn.f32.s64 %f0, %d7; cvt.f64.f32 %g0, %f0; fma.rn.f64 %g1, %g0, %g0, %g0; sqrt.rn.f32 %f1, %f0;
		cvt.rzi.s32.f64 %r8, %g1; cvt.rni.f32.f32 %f2, %f1; div.rn.f32 %f3, %f1, %f0; min.f64 %g2, %g0, %g1;
		setp.lt.and.s32 %p0|%p1, %r0, %r1, !%p2; setp.nan.f32 %p3, %f0, %f1; selp.b64 %d8, %d0, 5, %p3;
		cvt.sat.u8.s64 %h0, %d8; mov.b64 {%r0, %r1}, %d8; mov.b32 %r0, {%h0, %h1}; st.shared.u32 [dynamic], %r0;
		bar.sync 0; atom.shared.cas.b32 %r1, [dynamic], %r0, 9; red.global.max.s64 [%d0], %d8;
		@%p0 bra END; { .reg .b32 t; mov.u32 t, WARP_SZ; L: add.u32 t, t, -1; setp.ne.u32 %p1, t, 0; @%p1 bra L; }
		ld.const.u32 %r1, [table+12]; st.global.f32 [x], %f3; @!%p0 membar.gl;
	END: exit;
	}",
	"
	.version 7.0 .target sm_80 .address_size 64
	.entry k(.param .u64 a, .param .u32 n) {
		.reg .pred %p<5>; .reg .b32 %r<12>; .reg .b64 %d<6>; .reg .f32 %f<4>; .reg .f64 %g<4>; .reg .b32 m<14>;
		ld.param.u64 %d0, [a]; ld.param.u32 %r0, [n]; mov.u32 %r1, %laneid; setp.lt.u32 %p0, %r1, %r0; activemask.b32 %r2;
		vote.sync.ballot.b32 %r3, !%p0, -1; vote.sync.uni.pred %p1, %p0, %r2; match.any.sync.b64 %r4, %d0, -1;
		match.all.sync.b32 %r5|%p2, %r0, %r2; redux.sync.xor.b32 %r6, %r1, -1; redux.sync.min.s32 %r6, %r0, 0xffff;
		shfl.sync.down.b32 %r7|%p3, %r1, %r0, 0x181f, -1; @%p0 shfl.sync.idx.b32 %r7, %r6, 3, 31, %r2; bar.warp.sync -1;
		mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.s8.s32 {m0, m1, m2, m3}, {m4, m5, m6, m7}, {m8, m9},
			{m10, m11, m12, m13};
		mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32 {m0, m1}, m2, {m3}, {m4, m5};
		add.cc.u32 %r8, %r1, %r0; addc.u32 %r9, %r8, 0; sub.cc.u64 %d1, %d0, 7; subc.cc.u64 %d2, %d1, %d0;
		mad.lo.cc.u32 %r8, %r0, %r1, %r2; madc.hi.u32 %r9, %r0, %r1, %r2; add.sat.s32 %r8, %r8, %r9; sad.s32 %r8, %r0, %r1, %r2;
		bfind.shiftamt.u64 %r9, %d0; slct.b32.s32 %r10, %r8, %r9, %r0; cvt.rz.f32.u32 %f0, %r0; rcp.rn.f32 %f1, %f0;
		copysign.f32 %f2, %f0, %f1; testp.normal.f32 %p4, %f2; add.rm.f64 %g0, %g1, %g2; div.rp.f64 %g1, %g0, %g2;
		cvt.rp.f32.f64 %f3, %g1; atom.global.add.f32 %f3, [%d0], %f0; red.global.inc.u32 [%d0+8], %r0; mov.u32 %r11, %lanemask_lt;
		@%p4 bra OUT; bar.sync 1; st.global.v4.u32 [%d0+16], {%r3, %r4, %r8, %r11}; bar.warp.sync %r2;
	OUT: ret;
	}",
	"
	.version 7.0 .target sm_80 .address_size 64
	.func (.param .align 8 .b8 out[16]) pair(.param .b64 a, .param .b32 b); .func (.param .b32 r) leaf(.param .b32 y);
	.visible .func (.reg .b32 r, .reg .pred odd) next(.reg .b32 x, .reg .f32 y) {
		.reg .b32 t; add.u32 r, x, 7; and.b32 t, r, 1; setp.ne.u32 odd, t, 0; bar.red.popc.u32 t, 2, odd; add.u32 r, r, t;
		T: .branchtargets A, B, A; rem.u32 t, x, 3; brx.idx t, T; A: set.lt.and.u32.f32 r, y, 0f3F800000, !odd; B: @odd ret.uni;
		barrier.red.or.pred odd, 3, odd; }
	.func (.param .align 8 .b8 out[16]) pair(.param .b64 a, .param .b32 b) {
		.reg .b64 %d<4>; .reg .b32 %r<4>; .reg .pred %p<2>; .local .align 8 .b8 depot[16]; ld.param.u64 %d0, [a]; mov.u64 %d1, b;
		ld.local.u32 %r0, [%d1]; { .reg .b32 temp; .param .b32 param0; st.param.b32 [param0+0], %r0; .param .b32 retval0;
		call.uni (retval0), leaf, (param0); ld.param.b32 %r1, [retval0+0]; } st.local.u32 [depot+4], %r1;
		call (%r2, %p1), next, (%r1, 1.5); @%p1 exit; st.param.b64 [out], %d0; st.param.v2.b32 [out+8], {%r1, %r2}; ret; }
	.func (.param .b32 r) leaf(.param .b32 x) { .reg .f32 f; .reg .b32 t; ld.param.b32 t, [x]; set.gt.f32.s32 f, t, 9; cvt.rzi.u32.f32 t, f;
		st.param.b32 [r], t; ret; }
	.entry k(.param .u64 a, .param .u32 n) {
		.reg .pred %p<5>; .reg .b32 %r<12>; .reg .b64 %d<6>; ld.param.u64 %d0, [a]; ld.param.u32 %r0, [n]; mov.u32 %r1, %tid.x;
		.param .b64 x; .param .align 8 .b8 y[16]; st.param.b64 [x], %d0; setp.lt.u32 %p0, %r1, %r0;
		@%p0 call (y), pair, (x, %r1); ld.param.v2.b32 {%r2, %r3}, [y+8]; mul.wide.u32 %d1, %r1, 8; add.u64 %d1, %d1, %d0;
		st.global.v2.u32 [%d1], {%r2, %r3}; call (%r4), leaf, (%r2); L: .branchtargets END, MORE; brx.idx.uni %r4, L;
	MORE: call (_, %p2), next, (%r3, 0f00000000); END: bar.sync 0; ret; }",
	include_str!("fixtures/functions_o2.ptx"),
];

/// Words of PTX, and things that are nearly so.
#[rustfmt::skip]
const WORDS: [&str; 100] = [
	".version", ".target", ".address_size", ".entry", ".visible", ".param", ".reg", ".shared", ".global", ".const",
	".local", ".extern", ".align", ".maxntid", ".reqntid", ".pragma", ".section", ".loc", ".file", ".func", ".b8",
	".u16", ".s32", ".u64", ".f32", ".f64", ".pred", ".ptr", "k", "a", "%r", "%r1", "%rd1", "%p1", "%f1", "%tid.x",
	"%clock", "_", "mov.u32", "mov.b64", "add.s32", "mul.wide.u32", "mad.lo.s64", "ld.param.u64", "ld.global.v4.u32",
	"st.shared.u8", "setp.eq.s32", "bra", "ret", "bar.sync", "atom.global.add.u32", "cvt.u8.s64", "cvta.local.u64", "{",
	"}", "(", ")", "[", "]", "<", ">", ";", ",", ":", "@", "!", "|", "=", "+", "-", "bar.warp.sync", "vote.sync.any.pred",
	"shfl.sync.up.b32", "activemask.b32", "redux.sync.add.u32", "match.all.sync.b32", "addc.cc.u32", "madc.hi.u64",
	"mma.sync.aligned.m8n8k16.row.col.s32.s8.s8.s32", "div.rz.f64", "rcp.rn.f32", "%lanemask_lt", "-1", "call", "0", "4", "64", "4294967295",
	"f", "call.uni", "exit", "brx.idx", ".branchtargets", "st.param.b32", "ld.param.b32", "bar.red.and.pred", "set.eq.f32.s32", ".weak",
	"0f3F800000", "\"text\"",
];

/// Parses a text and, if that works, runs all its entries with small budgets and any arguments that fit.
fn parse_and_run(text: &str, values: &[u64], threads: u32) {
	let module = match Module::parse(text) {
		Ok(module) => module,
		Err(error) => {
			let _ = error.to_string();
			return;
		}
	};
	for entry in module.entries() {
		let mut memory = Memory::new(1 << 17);
		let buffer = memory.alloc(4096).unwrap_or_default();
		let arguments: Vec<Argument> = entry
			.params
			.iter()
			.zip(values.iter().cycle())
			.map(|(param, value)| match (param.bytes, value % 3) {
				(8, 0) => Argument::U64(*value),
				(8, _) => Argument::Pointer(buffer.wrapping_add(value % 5 * 8)),
				_ => Argument::U32(*value as u32 % 100),
			})
			.collect();
		let config = LaunchConfig { grid: [2, 1, 1], block: [threads, 1, 1], shared_bytes: 64 };
		let mut budget = Budget::new(20_000);
		if let Err(error) = launch(&module, &entry.name, &config, &arguments, &mut memory, &mut budget) {
			let _ = error.to_string();
		}
		let mut budget = Budget::new(1_000);
		let _ = run_block(&module, &entry.name, &config, [1, 0, 0], &arguments, &mut memory, &mut budget);
	}
}

/// The text cut into words, numbers and single characters, blanks included.
fn pieces(text: &str) -> Vec<String> {
	let mut pieces: Vec<String> = Vec::new();
	let mut in_word = false;
	for character in text.chars() {
		let word = character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '%' | '$');
		match pieces.last_mut() {
			Some(last) if word && in_word => last.push(character),
			_ => pieces.push(character.into()),
		}
		in_word = word;
	}
	pieces
}

/// A change to a list of pieces: what, where, and with which other place.
type Change = (u8, prop::sample::Index, prop::sample::Index);

fn mutate(text: &str, changes: &[Change]) -> String {
	let mut pieces = pieces(text);
	for (kind, at, other) in changes {
		let (from, to) = (other.index(pieces.len()), at.index(pieces.len()));
		match kind % 6 {
			0 => pieces[to] = pieces[from].clone(),
			1 => pieces.swap(from, to),
			2 => pieces[to] = WORDS[other.index(WORDS.len())].into(),
			3 => pieces[to].clear(),
			4 => pieces.insert(to, WORDS[other.index(WORDS.len())].into()),
			// Another part of an instruction's name.
			_ => {
				if let Some((base, _)) = pieces[to].clone().rsplit_once('.') {
					let last = pieces[from].rsplit('.').next().unwrap_or_default();
					pieces[to] = format!("{base}.{last}");
				}
			}
		}
	}
	pieces.concat()
}

fn values() -> impl Strategy<Value = Vec<u64>> {
	prop::collection::vec(any::<u64>(), 1..4)
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(3_000))]

	#[test]
	fn any_string_is_parsed_or_refused(text in ".{0,200}") {
		parse_and_run(&text, &[1], 1);
	}

	#[test]
	fn any_words_are_parsed_or_refused(words in prop::collection::vec(prop::sample::select(&WORDS[..]), 0..60)) {
		let soup = words.join(" ");
		parse_and_run(&soup, &[1], 1);
		let header = ".version 7.0 .target sm_80 .address_size 64 ";
		parse_and_run(&format!("{header}{soup}"), &[1], 1);
		let body = ".entry k(.param .u64 a) { .reg .b32 %r<4>; .reg .b64 %rd<4>; .reg .pred %p<4>; .reg .f32 %f<4>; ";
		parse_and_run(&format!("{header}{body}{soup} }}"), &[1], 1);
	}

	#[test]
	fn changed_kernels_run_or_are_refused(
		text in prop::sample::select(&TEXTS[..]),
		changes in prop::collection::vec(any::<Change>(), 1..6),
		values in values(),
		threads in prop::sample::select(&[1u32, 7, 33, 128][..]),
	) {
		parse_and_run(&mutate(text, &changes), &values, threads);
	}

	#[test]
	fn runs_are_reproducible(
		text in prop::sample::select(&TEXTS[1..]),
		change in any::<Change>(),
		value in any::<u64>(),
	) {
		let Ok(module) = Module::parse(&mutate(text, &[change])) else { return Ok(()) };
		let Some(entry) = module.entries().first() else { return Ok(()) };
		let run = || {
			let mut memory = Memory::new(1 << 16);
			let buffer = memory.alloc(4096).unwrap();
			let arguments: Vec<_> = entry.params.iter().map(|param| match param.bytes {
				8 => Argument::Pointer(buffer + value % 2 * 2048),
				_ => Argument::U32(value as u32 % 256),
			}).collect();
			let config = LaunchConfig { grid: [2, 1, 1], block: [32, 1, 1], shared_bytes: 64 };
			let mut budget = Budget::new(50_000);
			let result = launch(&module, &entry.name, &config, &arguments, &mut memory, &mut budget);
			(result, memory.read(buffer, 4096).unwrap(), budget.remaining())
		};
		prop_assert_eq!(run(), run());
	}
}

#[test]
fn the_texts_to_start_from_are_valid() {
	for text in TEXTS {
		Module::parse(text).unwrap();
	}
	parse_and_run(TEXTS[2], &[1], 64);
	parse_and_run(TEXTS[3], &[1], 64);
	parse_and_run(TEXTS[4], &[1], 64);
}

#[test]
fn deep_nesting_does_not_exhaust_the_stack() {
	let header = ".version 7.0 .target sm_80 .address_size 64 ";
	for opening in ["{", "(", "[", ".entry k() {{", ".section x {", "@", "/*", "-", ".global .u32 x = {"] {
		let text = format!("{header}.entry k() {{ {}", opening.repeat(200_000));
		assert!(Module::parse(&text).is_err());
		assert!(Module::parse(&format!("{header}{}", opening.repeat(100_000))).is_err());
	}
}
