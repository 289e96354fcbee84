//! What is refused, where, and in which words; and what is accepted beside instructions.

#![cfg(test)]

use millrace_ptx::{Module, ParamInfo, ParseError, ParseErrorKind, MAX_ENTRIES, MAX_SLOTS, MAX_TEXT_BYTES};

const HEADER: &str = ".version 7.0\n.target sm_80\n.address_size 64\n";

fn in_entry(body: &str) -> String {
	format!(
		"{HEADER}.visible .entry k(.param .u64 a, .param .u32 n) {{ .reg .b32 %r<9>; .reg .b64 %rd<9>; .reg .f32 %f<9>; \
		.reg .u32 %u; .reg .pred %p<9>;\n{body}\n}}"
	)
}

fn error(text: &str) -> ParseError {
	Module::parse(text).err().unwrap_or_else(|| panic!("this was accepted:\n{text}"))
}

/// The error for a body whose text starts in column 1 of line 5.
fn body_error(body: &str) -> ParseError {
	error(&in_entry(body))
}

#[test]
fn an_unsupported_instruction_is_named_with_its_place() {
	let text = body_error("\tadd.s32 %r1, %r1, 1;\n  foo.bar %r1;").to_string();
	assert!(
		text.starts_with("unsupported instruction `foo.bar` at 6:3; supported: abs activemask add addc and "),
		"{text}"
	);
}

#[test]
fn what_is_outside_the_subset_is_unsupported_and_not_guessed() {
	for instruction in [
		"add.sat.u32 %r1, %r1, 1;",
		"add.cc.u16 %r1, %r1, 1;",
		"mul.cc.u32 %r1, %r1, 1;",
		"mad.wide.cc.u32 %rd1, %r1, %r1, %rd1;",
		"addc.f32 %f1, %f1, %f2;",
		"min.rn.f32 %f1, %f1, %f2;",
		"copysign.rn.f32 %f1, %f1, %f2;",
		"rcp.approx.f32 %f1, %f1;",
		"testp.zero.f32 %p1, %f1;",
		"slct.u32.u32 %r1, %r1, %r1, %r1;",
		"atom.global.min.f32 %f1, [%rd1], %f1;",
		"atom.global.inc.s32 %r1, [%rd1], %r1;",
		"add.ftz.f32 %f1, %f1, %f2;",
		"div.approx.f32 %f1, %f1, %f2;",
		"div.f32 %f1, %f1, %f2;",
		"fma.f32 %f1, %f1, %f2, %f3;",
		"sqrt.approx.f32 %f1, %f1;",
		"sin.approx.f32 %f1, %f1;",
		"mul.s32 %r1, %r1, %r2;",
		"mul.wide.s64 %rd1, %rd1, %rd2;",
		"bar.sync 0, 32;",
		"bar.red.popc.u32 %r1, 0, 32, %p1;",
		"bar.red.and.u32 %r1, 0, %p1;",
		"bar.arrive 0, 32;",
		"set.lt.u16.s32 %rs1, %r1, %r2;",
		"set.lt.u32.b32 %r1, %r1, %r2;",
		"set.lt.ftz.f32.f32 %f1, %f1, %f2;",
		"red.global.exch.b32 [%rd1], %r1;",
		"ld.global.v4.u64 {%rd1, %rd2, %rd3, %rd4}, [%rd1];",
		"ld.global.v8.u32 {%r1, %r2}, [%rd1];",
		"st.const.u32 [%rd1], %r1;",
		"cvt.f32.s32 %f1, %r1;",
		"cvt.rzi.sat.s32.f32 %r1, %f1;",
		"cvt.s32.f32 %r1, %f1;",
		"cvta.u64 %rd1, %rd1;",
		"setp.lt.b32 %p1, %r1, %r2;",
		"setp.lo.s32 %p1, %r1, %r2;",
		"setp.num.u32 %p1, %r1, %r2;",
		"mov.u32 %r1, %clock;",
		"mov.u64 %rd1, %globaltimer;",
		"mov.u32 %r1, %smid;",
		"call.tail foo;",
		"brx %r1, L;",
		"tex.2d.v4.f32.f32 {%f1, %f2, %f3, %f4}, [t, {%f1, %f2}];",
		"mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 {%r1}, {%r1}, {%r1}, {%r1};",
		"mma.sync.aligned.m16n8k8.row.col.s32.s8.s8.s32 {%r1}, {%r1}, {%r1}, {%r1};",
		".branchtargets L1, L2;",
		".reg .f16 %h<3>;",
	] {
		let found = body_error(instruction);
		assert!(matches!(found.kind, ParseErrorKind::Unsupported { .. }), "{instruction}: {found}");
		assert_eq!(found.line, 5, "{instruction}");
	}
	for directive in [
		".extern .func (.param .b32 r) vprintf;",
		".extern .global .u32 x;",
		".tex .u64 t;",
		".global .v4 .f32 x;",
		".global .u32 x[];",
	] {
		let found = error(&format!("{HEADER}{directive}"));
		assert!(matches!(found.kind, ParseErrorKind::Unsupported { .. }), "{directive}: {found}");
	}
}

#[test]
fn the_header_is_checked() {
	for (text, wanted) in [
		("", "found the end of the text at 1:1, expected `.version`"),
		(".version 2.3\n", "unsupported version `2.3` at 1:10; supported: 3.0 to 9.x"),
		(".version 7.0 .target sm_80, texmode_independent", "unsupported target option"),
		(
			".version 7.0 .target sm_80 .address_size 32",
			"unsupported address size `32` at 1:42; supported: 64",
		),
		(".version 7.0 .target sm_80 .entry k() {}", "found `.entry` at 1:28, expected `.address_size 64`"),
	] {
		let found = error(text).to_string();
		assert!(found.starts_with(wanted), "{found}");
	}
}

#[test]
fn names_must_be_declared_once() {
	let undeclared = |body: &str| matches!(body_error(body).kind, ParseErrorKind::Undeclared { .. });
	assert!(undeclared("add.s32 %r1, %r2, %x;"));
	assert!(undeclared("add.s32 %r9, %r2, %r2;"), "%r<9> ends at %r8");
	assert!(undeclared("add.s32 %r01, %r2, %r2;"));
	assert!(undeclared("bra NOWHERE;"));
	assert!(undeclared("T: .branchtargets NOWHERE;"));
	assert!(undeclared("L: brx.idx %r1, L;"));
	assert!(undeclared("{ T: .branchtargets L; } L: brx.idx %r1, T;"));
	assert!(undeclared("{ INNER: } bra INNER;"));
	assert!(undeclared("{ .reg .b32 t; } mov.u32 t, 1;"));
	assert!(undeclared("ld.global.u32 %r1, [table];"));
	let duplicate = |text: &str| matches!(error(text).kind, ParseErrorKind::Duplicate { .. });
	assert!(duplicate(&in_entry("L: L:")));
	assert!(duplicate(&in_entry(".reg .b32 %u;")));
	assert!(duplicate(&in_entry(".reg .b32 %r<3>;")));
	assert!(duplicate(&format!("{HEADER}.global .u32 x; .const .u32 x;")));
	assert!(duplicate(&format!("{HEADER}.entry k() {{}} .entry k() {{}}")));
	assert!(duplicate(&format!("{HEADER}.entry k(.param .u32 a, .param .u32 a) {{}}")));
}

#[test]
fn operands_must_fit() {
	for body in [
		"add.s32 %rd1, %r1, %r2;",
		"add.s32 %r1, %rd1, %r2;",
		"add.s32 %r1, %f1, 1.5;",
		"add.f32 %f1, %u, %f2;",
		"add.rn.f32 %f1, %f1, 1;",
		"add.s32 %p1, %r1, %r2;",
		"setp.eq.s32 %r1, %r1, %r2;",
		"@%r1 ret;",
		"ld.global.u64 %r1, [%rd1];",
		"ld.global.u32 %r1, [%r1];",
		"ld.shared.u32 %r1, [a];",
		"ld.param.u32 %r1, [n+2147483648];",
		"st.global.u64 [%rd1], %r1;",
		"shl.b64 %rd1, %rd1, %rd2;",
		"selp.b32 %r1, %r1, %r2, %r3;",
		"lop3.b32 %r1, %r1, %r2, %r3, 256;",
		"bar.sync 16;",
		"mov.u64 %rd1, %tid.x;",
		"mov.u32 %r1, 99999999999999999999;",
	] {
		let found = body_error(body);
		assert!(matches!(found.kind, ParseErrorKind::Mismatch { .. }), "{body}: {found}");
	}
}

#[test]
fn what_the_grammar_wants_is_said() {
	for (body, wanted) in [
		("add.s32 %r1, %r1 %r2;", "found `%r2` at 5:18, expected `,`"),
		("add.s32 %r1, %r1, 1", "found `}` at 6:1, expected `;` after the operands"),
		("add.s32 1, %r1, 1;", "found `1` at 5:9, expected a register"),
		("bra 3;", "found `3` at 5:5, expected a label"),
		("ld.global.u32 %r1, %rd1;", "found `%rd1` at 5:20, expected `[`"),
		("7;", "found `7` at 5:1, expected an instruction, a label, a directive or `}`"),
		(
			"mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32 {%r1}, {%r1}, {%r1}, {%r1};",
			"found `}` at 5:53, expected `,`",
		),
		("mov.b64 %rd1, {%r1};", "found `{` at 5:15, expected a vector of two or four elements"),
		("{", "found the end of the text at 6:2, expected an instruction, a label, a directive or `}`"),
	] {
		assert_eq!(body_error(body).to_string(), wanted);
	}
}

#[test]
fn sizes_are_limited() {
	let too_large = |text: &str| match error(text).kind {
		ParseErrorKind::TooLarge { .. } => (),
		kind => panic!("{kind:?}"),
	};
	too_large(&format!("{HEADER}{}", " ".repeat(MAX_TEXT_BYTES)));
	too_large(&format!("{HEADER}.global .b8 x[67108865];"));
	too_large(&format!("{HEADER}.global .b64 x[67108864];"));
	too_large(&format!("{HEADER}.global .b8 x[65536][65536];"));
	too_large(&format!("{HEADER}.global .b8 x[60000000]; .global .b8 y[60000000];"));
	too_large(&format!("{HEADER}.const .b8 x[65537];"));
	too_large(&format!("{HEADER}.entry k(.param .b8 a[5000]) {{}}"));
	too_large(&in_entry(".local .b8 x[65537];"));
	too_large(&in_entry(".shared .b8 x[49153];"));
	too_large(&in_entry(&"{".repeat(40)));
	let many: String = (0..MAX_SLOTS).map(|i| format!("mov.u32 %r1, {i};\n")).collect();
	too_large(&in_entry(&many));
	let variables: String = (0..5000).map(|i| format!(".global .u32 x{i};")).collect();
	too_large(&format!("{HEADER}{variables}"));
	let entries: String = (0..=MAX_ENTRIES).map(|i| format!(".entry k{i}() {{}}")).collect();
	too_large(&format!("{HEADER}{entries}"));
	// A range costs nothing but for the registers that are used.
	assert!(Module::parse(&in_entry(".reg .b64 %x<4294967295>; mov.u64 %x4294967294, 1;")).is_ok());
}

#[test]
fn what_compilers_write_around_code_is_accepted() {
	let text = format!(
		"{HEADER}
		// .globl k
		.file 1 \"a.c\" // with a comment
		.weak .const .align 8 .f64 half[2] = {{0.5, 0d3FE0000000000000}};
		.visible .global .s16 small[] = {{1, -2, 0x7fff,}};
		.extern .shared .align 16 .b8 dynamic[]; .extern .shared .align 4 .b8 dynamic[];
		.visible .entry k(.param .align 8 .b8 s[24], .param .u64 .ptr .global .align 4 p, .param .s8 c)
		.maxntid 128, 2, 1 .minnctapersm 2 .maxnreg 64 .pragma \"nounroll\";
		{{
			.loc 1 2 3, function_name $L_info, inlined_at 1 4 5
			.pragma \"nounroll\"; .reg .b32 a, b<2>; ;
			$L__BB0_1: mov.u32 b1, a;
		}}
		.section .debug_str {{ .b8 1, 2 {{ }} }}"
	);
	let module = Module::parse(&text).unwrap();
	assert_eq!((module.version(), module.target()), ((7, 0), "sm_80"));
	let entry = module.entry("k").unwrap();
	let expected = [(24, 8), (8, 8), (1, 1)].map(|(bytes, align)| ParamInfo { bytes, align });
	assert_eq!(entry.params, expected);
	assert_eq!(entry.instructions(), 2);
	assert_eq!(entry.static_shared_bytes(), 0);
}
