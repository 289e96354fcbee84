//! Functions: what they are given, what they give back, and how threads meet in them.

use crate::kernel::{run_module, words};
use millrace_ptx::{
	launch, Argument, Budget, FaultKind, LaunchConfig, LaunchError, Memory, Module, ParseErrorKind,
};

const HEADER: &str = ".version 7.0\n.target sm_80\n.address_size 64\n";

/// A module of `functions` and an entry of `body`, which finds the buffer in `%rd0` and its thread's word at `%rd1`.
fn module(functions: &str, body: &str) -> Module {
	let text = text(functions, body);
	Module::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn text(functions: &str, body: &str) -> String {
	format!(
		"{HEADER}{functions}\n.visible .entry k(.param .u64 buffer) {{
		.reg .b32 %r<20>; .reg .b16 %rs<9>; .reg .b64 %rd<20>; .reg .pred %p<10>; .reg .f32 %f<9>; .reg .f64 %fd<9>;
		ld.param.u64 %rd0, [buffer]; mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 4; add.u64 %rd1, %rd1, %rd0;
		{body}
		}}"
	)
}

fn results(functions: &str, body: &str, threads: u32) -> Vec<u32> {
	let (bytes, _) = run_module(&module(functions, body), threads, &vec![0; threads as usize * 4]).unwrap();
	words(&bytes)
}

const SQUARE: &str = ".func (.param .b32 result) square(.param .b32 x) {
	.reg .b32 %r<3>; ld.param.u32 %r1, [x]; mul.lo.u32 %r2, %r1, %r1; st.param.b32 [result+0], %r2; ret; }";

#[test]
fn compilers_pass_arguments_in_param_variables() {
	let body = "
		{ .reg .b32 temp_param_reg; .param .b32 param0; st.param.b32 [param0+0], %r1; .param .b32 retval0;
		call.uni (retval0), square, (param0); ld.param.b32 %r2, [retval0+0]; }
		{ .param .b32 param0; st.param.b32 [param0+0], %r2; .param .b32 retval0;
		call (retval0), square, (param0); ld.param.b32 %r3, [retval0]; }
		add.u32 %r3, %r3, %r2; st.global.u32 [%rd1], %r3;";
	let expected: Vec<u32> = (0..40u32).map(|x| x.pow(4) + x.pow(2)).collect();
	assert_eq!(results(SQUARE, body, 40), expected);
}

#[test]
fn arguments_may_be_registers_and_numbers_too() {
	let functions = ".func (.reg .b32 sum, .reg .pred odd) add(.reg .b32 a, .reg .f64 b, .param .b32 c, .reg .pred d) {
		.reg .b32 t; cvt.rzi.s32.f64 t, b; add.s32 sum, a, t; ld.param.u32 t, [c]; add.s32 sum, sum, t; @d add.s32 sum, sum, 1000;
		and.b32 t, sum, 1; setp.ne.u32 odd, t, 0; }
		.func (.param .b64 r) wide(.param .b64 x) { .reg .b64 t; ld.param.b64 t, [x]; not.b64 t, t; st.param.b64 [r], t; }";
	let body = "
		setp.eq.u32 %p1, %r1, 2; .param .b32 c; st.param.b32 [c], 100; .param .b32 sum;
		call (%r2, %p2), add, (%r1, 2.5, c, %p1); call (sum, _), add, (7, 1.0, %r1, 0); ld.param.u32 %r3, [sum];
		selp.u32 %r4, 5, 0, %p2; mad.lo.u32 %r5, %r3, 10000, %r2; mad.lo.u32 %r5, %r4, 1000000, %r5;
		.param .b64 x; st.param.b64 [x], 5; call (%rd2), wide, (x); call (x), wide, (%rd2); ld.param.b64 %rd3, [x];
		cvt.u32.u64 %r6, %rd3; add.u32 %r5, %r5, %r6; st.global.u32 [%rd1], %r5;";
	// 102 + x (+ 1000), 5 million if that is odd, and 10000 * (8 + x) and 5.
	assert_eq!(results(functions, body, 3), [80_102 + 5, 5_090_103 + 5, 101_104 + 5]);
}

#[test]
fn structures_are_copied_and_not_shared() {
	let functions = ".func (.param .align 8 .b8 out[24]) swap(.param .align 8 .b8 in[24], .param .b64 by) {
		.reg .b64 %a<4>; .reg .b32 %b<3>; .local .align 8 .b8 depot[16];
		ld.param.u64 %a0, [in]; ld.param.v2.u32 {%b0, %b1}, [in+8]; ld.param.s8 %b2, [in+16]; ld.param.u64 %a1, [by];
		mov.u64 %a2, in; st.local.u64 [%a2], 77; cvta.local.u64 %a3, %a2; st.u64 [%a3+8], 78;
		add.u64 %a0, %a0, %a1; st.local.v2.u32 [depot+8], {%b1, %b0}; ld.local.u64 %a2, [depot+8];
		st.param.b64 [out+8], %a0; st.param.b64 [out], %a2; st.param.b32 [out+16], %b2; ret; }";
	let body = "{
		.param .align 8 .b8 in[24]; .param .align 8 .b8 out[24]; .param .b64 by; st.param.b64 [by], 1000;
		st.param.b64 [in], 11; st.param.v2.b32 [in+8], {%r1, 6}; st.param.b8 [in+16], -3;
		call.uni (out), swap, (in, by);
		ld.param.b32 %r2, [out]; ld.param.b32 %r3, [out+4]; ld.param.b64 %rd2, [out+8]; ld.param.b32 %r4, [out+16];
		ld.param.b64 %rd3, [in]; add.u64 %rd2, %rd2, %rd3; cvt.u32.u64 %r5, %rd2; ld.param.b32 %r6, [in+8]; }
		mad.lo.u32 %r2, %r2, 10, %r3; mad.lo.u32 %r2, %r2, 10, %r6; mad.lo.u32 %r2, %r2, 10000, %r5; add.u32 %r2, %r2, %r4;
		st.global.u32 [%rd1], %r2;";
	let expected: Vec<u32> = (0..5).map(|x| ((6 * 10 + x) * 10 + x) * 10_000 + 1_011 + 11 - 3).collect();
	assert_eq!(results(functions, body, 5), expected);
}

#[test]
fn a_function_may_be_declared_first_and_called_from_several_places() {
	let functions = format!(
		".func (.param .b32 result) square(.param .b32 y);
		.visible .func (.reg .b32 r) twice(.reg .b32 x)\n;
		.weak .func (.reg .b32 r) quad(.reg .b32 x) {{ .reg .b32 t; call (t), twice, (x); call (r), twice, (t); ret; }}
		.visible .func (.reg .b32 out) twice(.reg .b32 in) {{ .pragma \"noinline\"; shl.b32 out, in, 1; }} {SQUARE} .func nothing {{ ret; }}"
	);
	let body = "call (%r2), quad, (%r1); call (%r3), twice, (%r2); call (%r4), square, (%r3); call nothing; call nothing, ();
		add.u32 %r4, %r4, %r2; st.global.u32 [%rd1], %r4;";
	assert_eq!(results(&functions, body, 9), (0..9u32).map(|x| 64 * x * x + 4 * x).collect::<Vec<_>>());
}

#[test]
fn a_call_with_a_predicate_happens_or_not() {
	let functions =
		".func (.reg .b32 r, .reg .pred p) next(.reg .b32 x) { add.u32 r, x, 100; setp.eq.u32 p, x, x; }";
	// The predicate of the call is one of its results, which must not change what becomes of the others.
	let body = "mov.u32 %r2, %r1; and.b32 %r3, %r1, 1; setp.ne.u32 %p1, %r3, 0; @!%p1 call (_, %p1), next, (0);
		setp.eq.u32 %p1, %r3, 0; @!%p1 call (%r2, _), next, (%r2); @%p1 call (_, %p1), next, (%r2); st.global.u32 [%rd1], %r2;";
	assert_eq!(results(functions, body, 4), [0, 101, 2, 103]);
}

#[test]
fn exit_in_a_function_ends_the_thread() {
	let functions = ".func leave(.reg .b32 x) { .reg .pred p; setp.gt.u32 p, x, 1; @p exit; ret.uni; }";
	assert_eq!(results(functions, "call leave, (%r1); st.global.u32 [%rd1], 1;", 4), [1, 1, 0, 0]);
}

#[test]
fn threads_meet_at_barriers_and_warp_instructions_in_functions() {
	let functions = ".shared .align 4 .b8 cells[256];
		.func (.reg .b32 sum) over_block(.reg .b32 mine, .reg .b32 thread) {
			.reg .b64 a, b; .reg .b32 i, t; .reg .pred p;
			mov.u64 b, cells; mul.wide.u32 a, thread, 4; add.u64 a, a, b; st.shared.u32 [a], mine; bar.sync 0;
			mov.u32 i, 0; mov.u32 sum, 0;
		L:	mul.wide.u32 a, i, 4; add.u64 a, a, b; ld.shared.u32 t, [a]; add.u32 sum, sum, t; add.u32 i, i, 1;
			setp.lt.u32 p, i, 64; @p bra L; bar.sync 0; call (t), over_warp, (mine); add.u32 sum, sum, t; ret; }
		.func (.reg .b32 r) over_warp(.reg .b32 mine);
		.func (.reg .b32 r) over_warp(.reg .b32 mine) { redux.sync.max.u32 r, mine, -1; }";
	let functions =
		functions.replacen(".shared", ".func (.reg .b32 r) over_warp(.reg .b32 mine); .shared", 1);
	// The last thread comes through another call.
	let body = "setp.eq.u32 %p1, %r1, 63; @%p1 bra LAST; call (%r2), over_block, (%r1, %r1); bra STORE;
	LAST: call (%r2), over_block, (%r1, %r1);
	STORE: st.global.u32 [%rd1], %r2;";
	let expected: Vec<u32> = (0..64).map(|x| 63 * 32 + if x < 32 { 31 } else { 63 }).collect();
	assert_eq!(results(&functions, body, 64), expected);
}

#[test]
fn every_entry_has_functions_of_its_own() {
	let one = |name: &str, times: u32| {
		format!(
			".visible .entry {name}(.param .u64 buffer) {{ .reg .b64 a; .reg .b32 r, s; ld.param.u64 a, [buffer]; mov.u32 r, 1; {}
			st.global.u32 [a], r; }}",
			"call (r), add, (r); call (s), calls, (r);".repeat(times as usize)
		)
	};
	let text = format!(
		"{HEADER}.func (.reg .b32 r) add(.reg .b32 x); .func (.reg .b32 r) calls(.reg .b32 x) {{ call (r), add, (x); }}
		{} .func (.reg .b32 r) add(.reg .b32 x) {{ add.u32 r, x, 5; }} {}",
		one("first", 1),
		one("second", 3)
	);
	let module = Module::parse(&text).unwrap();
	// For each call a move to the function, the call, and a move back; and five, two and three instructions.
	let lengths: Vec<usize> = module.entries().iter().map(|entry| entry.instructions()).collect();
	assert_eq!(lengths, [4 + 2 * 3 + 2 + 4, 4 + 6 * 3 + 2 + 4]);
	for (entry, expected) in [("first", 6), ("second", 16)] {
		let mut memory = Memory::new(64);
		let buffer = memory.alloc(4).unwrap();
		let config = LaunchConfig { grid: [1; 3], block: [1; 3], shared_bytes: 0 };
		let arguments = [Argument::Pointer(buffer)];
		launch(&module, entry, &config, &arguments, &mut memory, &mut Budget::new(1_000)).unwrap();
		assert_eq!(words(&memory.read(buffer, 4).unwrap()), [expected]);
	}
}

#[test]
fn a_fault_in_a_function_names_its_line() {
	let functions = ".func f() {\nret;\n}\n.func g(.reg .b64 x) {\ncall f;\nst.global.u32 [x], 1; }";
	let error = run_module(&module(functions, "call g, (16);"), 1, &[0; 4]).unwrap_err();
	let LaunchError::Fault(fault) = error else { panic!("{error}") };
	assert_eq!((fault.line, fault.entry.as_str()), (9, "k"));
	let error = run_module(&module(".func f() { L: bra L; }", "call f;"), 1, &[0; 4]).unwrap_err();
	assert!(matches!(error, LaunchError::Fault(fault) if fault.kind == FaultKind::StepBudgetExhausted));
}

/// The error of a text that is refused.
fn refusal(functions: &str, body: &str) -> (ParseErrorKind, String) {
	let error = Module::parse(&text(functions, body)).expect_err(functions);
	(error.kind.clone(), error.to_string())
}

#[test]
fn recursion_is_refused() {
	for (functions, named) in [
		(".func f() { call f; }", "`f`"),
		(".func f(); .func g() { call f; } .func f() { call g; }", "`f`"),
		(".func c(); .func a() { call c; } .func b() { call a; } .func c() { call b; } .func d() { call c; }", "`"),
		(".func ok() {} .func f() { call ok; call f; } .func x() { call f; call ok; }", "`f`"),
	] {
		for body in ["", "ret;"] {
			let (kind, text) = refusal(functions, body);
			assert!(matches!(kind, ParseErrorKind::Unsupported { what: "function", .. }), "{text}");
			assert!(text.contains(named) && text.contains("call themselves"), "{text}");
		}
	}
	let (_, text) =
		refusal(".func d(); .func a() { call d; } .func c() { call c; } .func d() { call c; }", "");
	assert!(text.contains("`c`"), "the function in the circle, not one that leads to it: {text}");
}

#[test]
fn what_cannot_be_called_is_refused() {
	let unsupported = |functions: &str, body: &str, says: &str| {
		let (kind, text) = refusal(functions, body);
		assert!(matches!(kind, ParseErrorKind::Unsupported { .. }) && text.contains(says), "{text}");
	};
	unsupported(".func f();", "call f;", "defined in the same text");
	unsupported(".func f(); .func g() { call f; }", "", "defined in the same text");
	unsupported(".func f();", "", "defined in the same text");
	unsupported(".extern .func (.param .b32 r) vprintf(.param .b64 a);", "", "unsupported external function");
	unsupported("", "call (%r1), %rd1, (%r2), prototype;", "none whose address is in a register");
	unsupported(".func f() {}", "call f, (), prototype;", "none whose address is in a register");
	unsupported("", "prototype: .callprototype (.param .b32 _) _ (.param .b32 _);", "no .callprototype");
	unsupported(".func f() {}", "mov.u64 %rd1, f;", "they have no address");
	unsupported(".func f() { tex.1d; }", "", "unsupported instruction");
	for (functions, body) in [("", "call f;"), (".func g() { call f; } .func f() {}", "")] {
		let (kind, text) = refusal(functions, body);
		assert!(matches!(kind, ParseErrorKind::Undeclared { what: "function", .. }), "{text}");
	}
	for functions in [
		".func f() {} .func f() {}",
		".func k() {}",
		".global .u32 f; .func f() {}",
		".func f() {} .global .u32 f;",
		".func f(.reg .b32 a, .reg .b32 a) {}",
	] {
		let (kind, text) = refusal(functions, "");
		assert!(matches!(kind, ParseErrorKind::Duplicate { .. }), "{text}");
	}
}

#[test]
fn arguments_and_results_must_fit() {
	let functions = ".func (.reg .b32 r) f(.param .b32 a, .reg .b64 b) { ld.param.u32 r, [a]; }
		.func (.param .b8 r[8]) g(.param .b8 a[8]) {} .func (.reg .pred p) h(.reg .pred q) {}";
	for body in [
		"call f, (1, 2);",
		"call (%r1, %r2), f, (1, 2);",
		"call (%rd1), f, (1, 2);",
		"call (%r1), f, (%f1, %f1);",
		"call (%r1), f, (1, %r1);",
		"call (%r1), f, (a8, 1);",
		"call (%r1), f, (1, a4);",
		"call (a8), f, (1, 2);",
		"call (%r1), g, (a8);",
		"call (a8), g, (a4);",
		"call (a4), g, (a8);",
		"call (a4), h, (%p1);",
		"call (%p1), h, (a4);",
		"ld.global.u32 %r1, [a4];",
		"mov.u64 %rd1, a4;",
		"st.param.u32 [buffer], 1;",
		"st.param.u32 [%rd1], 1;",
	] {
		let (kind, text) = refusal(functions, &format!(".param .b32 a4; .param .b8 a8[8]; {body}"));
		assert!(matches!(kind, ParseErrorKind::Mismatch { .. }), "{body}: {text}");
	}
	for body in [
		"call (%r1), f, (1);",
		"call (%r1), f;",
		"call (%r1), f, (1, 2, 3);",
		"call (a8), g, (5);",
		"call (%r1) f;",
		"call 5;",
	] {
		let (kind, text) = refusal(functions, &format!(".param .b32 a4; .param .b8 a8[8]; {body}"));
		assert!(matches!(kind, ParseErrorKind::Unexpected { .. }), "{body}: {text}");
	}
	for function in [
		".func (.param .b32 r) f() { .reg .b32 t; ld.param.u32 t, [r]; }",
		".func f(.param .b32 a) { st.param.u32 [a], 1; }",
		".func f(.param .b32 a) { .reg .b32 t; .reg .b64 x; mov.u64 x, a; ld.param.u32 t, [x]; }",
		".func f(.param .b32 a); .func f(.param .b64 a) {}",
		".func f(.param .b32 a); .func (.reg .b32 r) f(.param .b32 a);",
		".func f(.param .b32 a); .func f(.reg .b32 a) {}",
	] {
		let (kind, text) = refusal(function, "");
		assert!(matches!(kind, ParseErrorKind::Mismatch { .. }), "{function}: {text}");
	}
}

#[test]
fn functions_do_not_multiply_texts_and_memory() {
	let too_large = |text: &str| {
		let error = Module::parse(text).unwrap_err();
		assert!(matches!(error.kind, ParseErrorKind::TooLarge { .. }), "{error}");
		error.to_string()
	};
	// A long function that many entries call.
	let long = format!(".func f() {{ {} }}", "add.u32 %r1, %r1, 1; ".repeat(5_000).replace("%r1", "a"));
	let long = long.replacen('{', "{ .reg .b32 a;", 1);
	let entries: String = (0..100).map(|index| format!(".entry k{index}() {{ call f; }}")).collect();
	assert!(too_large(&format!("{HEADER}{long}{entries}")).contains("bytes of functions"));
	// Functions that call two others each, twice as many from one to the next: every one is there once.
	let tree: String =
		(1..40).map(|index| format!(".func f{index}() {{ call f{}; call f{0}; ret; }}", index - 1)).collect();
	let module = Module::parse(&format!("{HEADER}.func f0() {{}}{tree}.entry k() {{ call f39; }}")).unwrap();
	assert_eq!(module.entries()[0].instructions(), 2 + 1 + 39 * 4);
	// Local memory and registers of all functions count together.
	let locals = ".func f() { .local .b8 a[40000]; } .func g() { .local .b8 b[40000]; }";
	assert!(too_large(&format!("{HEADER}{locals}.entry k() {{ call f; call g; }}")).contains("local memory"));
	assert!(
		Module::parse(&format!("{HEADER}{locals}.entry k() {{ call f; }} .entry l() {{ call g; }}")).is_ok()
	);
	let declared: String = (0..5_000).map(|index| format!(".func f{index}() {{}}")).collect();
	assert!(too_large(&format!("{HEADER}{declared}")).contains("functions of a module"));
	// Variables of call sequences take turns.
	let calls = "{ .param .b8 a[4000]; }".repeat(100);
	assert!(Module::parse(&format!("{HEADER}.entry k() {{ {calls} }}")).is_ok());
	let kept: String = (0..20).map(|index| format!(".param .b8 a{index}[4000];")).collect();
	assert!(too_large(&format!("{HEADER}.entry k() {{ {kept} }}")).contains("local memory"));
}
