//! What the kernels of the suite do. Those of each row leave a result in `%rd9` wherever they say `RESULT`.

/// A 32-bit result.
macro_rules! word {
	($code:literal) => {
		concat!($code, " cvt.u64.u32 %rd9, %r9; RESULT;\n")
	};
}

pub(super) const INTEGERS_32: &str = concat!(
	word!("add.u32 %r9, %r1, %r2;"),
	word!("sub.s32 %r9, %r1, %r2;"),
	word!("mul.lo.u32 %r9, %r1, %r2;"),
	word!("mul.hi.u32 %r9, %r1, %r2;"),
	word!("mul.hi.s32 %r9, %r1, %r2;"),
	word!("mad.lo.s32 %r9, %r1, %r2, %r3;"),
	word!("mad.hi.u32 %r9, %r1, %r2, %r3;"),
	word!("min.s32 %r9, %r1, %r2;"),
	word!("max.u32 %r9, %r1, %r2;"),
	word!("or.b32 %r8, %r2, 1; div.u32 %r9, %r1, %r8;"),
	word!("rem.u32 %r9, %r1, %r8;"),
	// The one quotient that does not fit is left out: the divisor is positive.
	word!("and.b32 %r8, %r8, 0x7fffffff; div.s32 %r9, %r1, %r8;"),
	word!("rem.s32 %r9, %r1, %r8;"),
	word!("shl.b32 %r9, %r1, %r2;"),
	word!("shr.u32 %r9, %r1, %r2;"),
	word!("shr.s32 %r9, %r1, %r2;"),
	word!("abs.s32 %r9, %r1;"),
	word!("neg.s32 %r9, %r1;"),
);

pub(super) const INTEGERS_64: &str = "
	add.u64 %rd9, %rd1, %rd2; RESULT;
	sub.s64 %rd9, %rd1, %rd2; RESULT;
	mul.lo.u64 %rd9, %rd1, %rd2; RESULT;
	mul.hi.u64 %rd9, %rd1, %rd2; RESULT;
	mul.hi.s64 %rd9, %rd1, %rd2; RESULT;
	mad.lo.s64 %rd9, %rd1, %rd2, %rd3; RESULT;
	min.s64 %rd9, %rd1, %rd2; RESULT;
	max.u64 %rd9, %rd1, %rd2; RESULT;
	or.b64 %rd7, %rd2, 1; div.u64 %rd9, %rd1, %rd7; RESULT;
	rem.u64 %rd9, %rd1, %rd7; RESULT;
	and.b64 %rd7, %rd7, 0x7fffffffffffffff; div.s64 %rd9, %rd1, %rd7; RESULT;
	rem.s64 %rd9, %rd1, %rd7; RESULT;
	shl.b64 %rd9, %rd1, %r2; RESULT;
	shr.u64 %rd9, %rd1, %r2; RESULT;
	shr.s64 %rd9, %rd1, %r2; RESULT;
	neg.s64 %rd9, %rd1; RESULT;
";

/// Numbers of 128 bits: `%rd2:%rd1` and `%rd3:%rd2`.
pub(super) const WIDE_INTEGERS: &str = "
	add.cc.u64 %rd9, %rd1, %rd2; RESULT;
	addc.cc.u64 %rd9, %rd2, %rd3; RESULT;
	addc.u64 %rd9, 0, 0; RESULT;
	sub.cc.u64 %rd9, %rd1, %rd2; RESULT;
	subc.cc.u64 %rd9, %rd2, %rd3; RESULT;
	subc.u64 %rd9, 0, 0; RESULT;
	mad.lo.cc.u64 %rd9, %rd1, %rd2, %rd3; RESULT;
	madc.hi.u64 %rd9, %rd1, %rd2, %rd1; RESULT;
	add.cc.u32 %r7, %r1, %r2; addc.u32 %r8, %r2, %r3; mov.b64 %rd9, {%r7, %r8}; RESULT;
	mad.lo.cc.u32 %r7, %r1, %r2, %r3; madc.hi.u32 %r8, %r1, %r2, %r1; mov.b64 %rd9, {%r7, %r8}; RESULT;
	add.sat.s32 %r7, %r1, %r2; sub.sat.s32 %r8, %r1, %r2; mov.b64 %rd9, {%r7, %r8}; RESULT;
	sad.u32 %r7, %r1, %r2, %r3; sad.s32 %r8, %r1, %r2, %r3; mov.b64 %rd9, {%r7, %r8}; RESULT;
	bfind.u64 %r7, %rd1; bfind.s32 %r8, %r2; mov.b64 %rd9, {%r7, %r8}; RESULT;
	bfind.shiftamt.u32 %r7, %r1; bfind.shiftamt.s64 %r8, %rd2; mov.b64 %rd9, {%r7, %r8}; RESULT;
	slct.b64.s32 %rd9, %rd1, %rd2, %r3; RESULT;
";

pub(super) const BITS: &str = concat!(
	word!("and.b32 %r9, %r1, %r2;"),
	word!("or.b32 %r9, %r1, %r2;"),
	word!("xor.b32 %r9, %r1, %r2;"),
	word!("not.b32 %r9, %r1;"),
	word!("popc.b64 %r9, %rd1;"),
	word!("clz.b32 %r9, %r1;"),
	word!("clz.b64 %r9, %rd1;"),
	word!("brev.b32 %r9, %r1;"),
	word!("bfe.u32 %r9, %r1, %r2, %r3;"),
	word!("bfe.s32 %r9, %r1, %r2, %r3;"),
	word!("bfi.b32 %r9, %r1, %r2, 5, 9;"),
	word!("prmt.b32 %r9, %r1, %r2, 0x7531;"),
	word!("lop3.b32 %r9, %r1, %r2, %r3, 0x96;"),
	word!("shf.l.wrap.b32 %r9, %r1, %r2, %r3;"),
	word!("shf.r.clamp.b32 %r9, %r1, %r2, %r3;"),
	"brev.b64 %rd9, %rd1; RESULT; bfe.s64 %rd9, %rd1, %r2, %r3; RESULT;",
);

pub(super) const PRODUCTS: &str = "
	mul.wide.u32 %rd9, %r1, %r2; RESULT;
	mul.wide.s32 %rd9, %r1, %r2; RESULT;
	mad.wide.u32 %rd9, %r1, %r2, %rd3; RESULT;
	mad.wide.s32 %rd9, %r1, %r2, %rd3; RESULT;
";

pub(super) const DP4A: &str = concat!(
	word!("dp4a.s32.s32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.u32.u32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.s32.u32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.u32.s32 %r9, %r1, %r2, %r3;"),
);

pub(super) const FLOATS_32: &str = "
	add.rn.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	sub.rn.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	mul.rn.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	div.rn.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	fma.rn.f32 %f8, %f1, %f2, %f3; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	sqrt.rn.f32 %f8, %f1; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	min.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	max.f32 %f8, %f1, %f2; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	setp.lt.f32 %p2, %f1, %f2; selp.b64 %rd9, 1, 0, %p2; RESULT;
	setp.neu.f32 %p2, %f1, %f2; selp.b64 %rd9, 1, 0, %p2; RESULT;
";

pub(super) const FLOATS_64: &str = "
	add.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	sub.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	mul.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	div.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	fma.rn.f64 %fd8, %fd1, %fd2, %fd3; mov.b64 %rd9, %fd8; RESULT;
	sqrt.rn.f64 %fd8, %fd1; mov.b64 %rd9, %fd8; RESULT;
	setp.lt.f64 %p2, %fd1, %fd2; selp.b64 %rd9, 1, 0, %p2; RESULT;
";

/// A 32-bit float; NaNs, of which there are many, become zero.
macro_rules! single {
	($code:literal) => {
		concat!(
			$code,
			" mov.b32 %r9, %f8; testp.notanumber.f32 %p2, %f8; selp.b32 %r9, 0, %r9, %p2; cvt.u64.u32 %rd9, %r9; RESULT;\n"
		)
	};
}

/// As [`single`], with 64 bits.
macro_rules! double {
	($code:literal) => {
		concat!(
			$code,
			" mov.b64 %rd9, %fd8; testp.notanumber.f64 %p2, %fd8; selp.b64 %rd9, 0, %rd9, %p2; RESULT;\n"
		)
	};
}

pub(super) const ROUNDINGS_32: &str = concat!(
	single!("add.rz.f32 %f8, %f1, %f2;"),
	single!("add.rm.f32 %f8, %f1, %f2;"),
	single!("sub.rp.f32 %f8, %f1, %f2;"),
	single!("mul.rz.f32 %f8, %f1, %f2;"),
	single!("mul.rp.f32 %f8, %f1, %f2;"),
	single!("fma.rm.f32 %f8, %f1, %f2, %f3;"),
	single!("fma.rp.f32 %f8, %f1, %f2, %f3;"),
	single!("div.rz.f32 %f8, %f1, %f2;"),
	single!("div.rm.f32 %f8, %f1, %f2;"),
	single!("sqrt.rp.f32 %f8, %f1;"),
	single!("rcp.rn.f32 %f8, %f1;"),
	single!("rcp.rz.f32 %f8, %f2;"),
	single!("copysign.f32 %f8, %f1, %f2;"),
	single!("cvt.rz.f32.u32 %f8, %r1;"),
	single!("cvt.rm.f32.s32 %f8, %r1;"),
);

pub(super) const ROUNDINGS_64: &str = concat!(
	double!("add.rz.f64 %fd8, %fd1, %fd2;"),
	double!("add.rp.f64 %fd8, %fd1, %fd2;"),
	double!("sub.rm.f64 %fd8, %fd1, %fd2;"),
	double!("mul.rz.f64 %fd8, %fd1, %fd2;"),
	double!("mul.rm.f64 %fd8, %fd1, %fd2;"),
	double!("fma.rz.f64 %fd8, %fd1, %fd2, %fd3;"),
	double!("fma.rp.f64 %fd8, %fd1, %fd2, %fd3;"),
	double!("div.rp.f64 %fd8, %fd1, %fd2;"),
	double!("div.rm.f64 %fd8, %fd1, %fd2;"),
	double!("sqrt.rz.f64 %fd8, %fd1;"),
	double!("rcp.rn.f64 %fd8, %fd1;"),
	double!("rcp.rp.f64 %fd8, %fd2;"),
	double!("cvt.rz.f64.u64 %fd8, %rd1;"),
	double!("cvt.rp.f64.s64 %fd8, %rd1;"),
	single!("cvt.rz.f32.f64 %f8, %fd1;"),
	single!("cvt.rp.f32.f64 %f8, %fd1;"),
);

pub(super) const CONVERSIONS: &str = "
	cvt.s64.s32 %rd9, %r1; RESULT;
	cvt.u64.u32 %rd9, %r1; RESULT;
	cvt.u16.u32 %h1, %r1; cvt.s64.s16 %rd9, %h1; RESULT;
	cvt.rn.f32.s32 %f8, %r1; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	cvt.rn.f32.u32 %f8, %r1; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	cvt.rn.f64.s64 %fd8, %rd1; mov.b64 %rd9, %fd8; RESULT;
	cvt.rn.f64.s32 %fd8, %r1; cvt.rzi.s32.f64 %r9, %fd8; cvt.u64.u32 %rd9, %r9; RESULT;
	cvt.rn.f32.f64 %f8, %fd8; mov.b32 %r9, %f8; cvt.u64.u32 %rd9, %r9; RESULT;
	cvt.f64.f32 %fd7, %f8; mov.b64 %rd9, %fd7; RESULT;
";

pub(super) const PREDICATES: &str = "
	setp.lt.s32 %p2, %r1, %r2; selp.b64 %rd9, 1, 0, %p2; RESULT;
	setp.lt.u32 %p3, %r1, %r2; selp.b64 %rd9, %rd1, %rd2, %p3; RESULT;
	setp.eq.u64 %p4, %rd1, %rd3; and.pred %p5, %p2, %p4; xor.pred %p6, %p3, %p5; selp.b64 %rd9, 1, 0, %p6; RESULT;
	mov.u64 %rd9, 5; @%p2 mov.u64 %rd9, 6; @!%p3 add.u64 %rd9, %rd9, 10; RESULT;
";

/// Steps of a Collatz sequence, at most 50; and a loop within a loop.
pub(super) const CONTROL_FLOW: &str = "
	or.b32 %r4, %r1, 1; mov.u32 %r5, 0;
STEP:
	setp.eq.u32 %p2, %r4, 1; @%p2 bra DONE;
	setp.ge.u32 %p2, %r5, 50; @%p2 bra DONE;
	add.u32 %r5, %r5, 1;
	and.b32 %r6, %r4, 1; setp.ne.u32 %p3, %r6, 0; @%p3 bra ODD;
	shr.u32 %r4, %r4, 1; bra STEP;
ODD:
	mad.lo.u32 %r4, %r4, 3, 1; bra STEP;
DONE:
	mul.wide.u32 %rd9, %r5, 1; RESULT;
	and.b32 %r4, %r2, 7; mov.u32 %r5, 0; mov.u32 %r6, 0;
OUTER:
	setp.ge.u32 %p2, %r5, %r4; @%p2 bra ENOUGH;
	add.u32 %r5, %r5, 1; mov.u32 %r7, 0;
INNER:
	add.u32 %r7, %r7, 1; add.u32 %r6, %r6, %r7;
	setp.lt.u32 %p3, %r7, %r5; @%p3 bra INNER;
	bra OUTER;
ENOUGH:
	cvt.u64.u32 %rd9, %r6; RESULT;
";

/// Comparisons whose results are numbers.
pub(super) const SETS: &str = concat!(
	word!("set.lt.u32.s32 %r9, %r1, %r2;"),
	word!("set.hs.s32.u32 %r9, %r1, %r2;"),
	word!("setp.ne.u32 %p2, %r3, 7; set.ge.and.u32.u64 %r9, %rd1, %rd2, %p2;"),
	word!("set.eq.xor.s32.b32 %r9, %r1, %r2, !%p2;"),
	word!("set.gt.f32.s64 %f8, %rd1, %rd3; mov.b32 %r9, %f8;"),
	word!("set.le.u32.f32 %r9, %f1, %f2;"),
	word!("set.gtu.or.f32.f32 %f8, %f1, %f2, %p2; mov.b32 %r9, %f8;"),
	word!("set.nan.s32.f64 %r9, %fd1, %fd2;"),
);

/// A machine with five states, each a part of the code, in which every thread goes a way of its own.
pub(super) const INDEXED_BRANCHES: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 48, %r1; mul.lo.u32 %r4, %r3, 0x9e3779b9; mov.u32 %r5, 0;
	mov.u32 %r6, 0;
	STATES: .branchtargets ADD, TURN, MIX, ADD, LAST;
	ENDS: .branchtargets AGAIN, OUT;
AGAIN:
	mad.lo.u32 %r4, %r4, 0x85ebca6b, 1; shr.u32 %r7, %r4, 16; rem.u32 %r7, %r7, 5; brx.idx %r7, STATES;
ADD:
	add.u32 %r5, %r5, %r4; bra NEXT;
TURN:
	shf.l.wrap.b32 %r5, %r5, %r5, 7;
MIX:
	xor.b32 %r5, %r5, %r3; bra NEXT;
LAST:
	add.u32 %r6, %r6, 4;
NEXT:
	add.u32 %r6, %r6, 1; setp.ge.u32 %p1, %r6, 20; selp.u32 %r8, 1, 0, %p1; brx.idx %r8, ENDS;
OUT:
	mul.wide.u32 %rd1, %r3, 8; add.u64 %rd1, %rd1, %rd0; st.global.v2.u32 [%rd1], {%r5, %r6};
";

/// Arguments in registers, in memory and with an address; functions that call others, that meet at barriers, that end
/// threads, and that some threads call.
pub(super) const CALLS: &str = "
.shared .align 4 .b8 cells[256];
.func (.param .b32 r) step(.param .b32 x, .param .b64 y);
.func (.param .align 8 .b8 r[16]) turn(.param .align 8 .b8 p[16], .param .b32 by) {
	.reg .b32 %a<6>; .reg .b64 %b<4>;
	ld.param.v2.u32 {%a0, %a1}, [p]; ld.param.u32 %a2, [by]; mov.u64 %b0, p; cvta.local.u64 %b1, %b0; ld.u64 %b2, [%b1+8];
	{ .param .b32 x; .param .b64 y; .param .b32 z; st.param.b32 [x], %a2; st.param.b64 [y], %b2; call.uni (z), step, (x, y);
	ld.param.b32 %a3, [z]; }
	st.param.v2.b32 [r], {%a1, %a3}; mul.wide.u32 %b3, %a0, %a3; st.param.b64 [r+8], %b3; ret;
}
.func (.param .b32 r) step(.param .b32 x, .param .b64 y) {
	.reg .b32 %a<3>; .reg .b64 %b<2>; ld.param.u32 %a0, [x]; ld.param.u64 %b0, [y]; cvt.u32.u64 %a1, %b0; mad.lo.u32 %a2, %a0, 5, %a1;
	st.param.b32 [r], %a2; ret;
}
.func (.reg .b32 r) bits(.reg .b32 x, .reg .b32 y) { and.b32 r, x, y; popc.b32 r, r; ret; }
.func (.param .b32 r) neighbour(.param .b32 mine) {
	.reg .b32 %a<6>; .reg .b64 %b<4>; ld.param.u32 %a0, [mine]; mov.u32 %a1, %tid.x; shl.b32 %a2, %a1, 2; mov.u32 %a3, cells;
	add.u32 %a2, %a2, %a3; st.shared.u32 [%a2], %a0; bar.sync 0; mov.u32 %a4, %tid.x; xor.b32 %a4, %a4, 63; shl.b32 %a4, %a4, 2;
	add.u32 %a4, %a4, %a3; ld.shared.u32 %a5, [%a4]; bar.sync 0; st.param.b32 [r], %a5; ret;
}
.func leave(.param .b32 x) { .reg .pred p; .reg .b32 t; ld.param.u32 t, [x]; setp.ge.u32 p, t, 60; @p exit; ret; }
BODY;
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1; mul.lo.u32 %r4, %r3, 0x9e3779b9; mul.wide.u32 %rd1, %r4, 3;
	{ .param .align 8 .b8 p[16]; .param .b32 by; .param .align 8 .b8 q[16]; st.param.v2.b32 [p], {%r3, %r4}; st.param.b64 [p+8], %rd1;
	st.param.b32 [by], %r1; call.uni (q), turn, (p, by); ld.param.v2.b32 {%r5, %r6}, [q]; ld.param.b64 %rd2, [q+8]; }
	cvt.u32.u64 %r7, %rd2; and.b32 %r8, %r1, 3; setp.eq.u32 %p1, %r8, 0; @!%p1 call (%r7), bits, (%r7, %r4);
	{ .param .b32 a; .param .b32 b; st.param.b32 [a], %r6; call.uni (b), neighbour, (a); ld.param.b32 %r9, [b]; }
	{ .param .b32 a; .param .b32 b; st.param.b32 [a], %r9; call.uni (b), neighbour, (a); ld.param.b32 %r10, [b]; }
	sub.u32 %r10, %r10, %r6; add.u32 %r9, %r9, %r10;
	mul.wide.u32 %rd3, %r3, 16; add.u64 %rd3, %rd3, %rd0; st.global.v4.u32 [%rd3], {%r5, %r6, %r7, %r9};
	{ .param .b32 a; st.param.b32 [a], %r1; call.uni leave, (a); }
	st.global.u32 [%rd3], %r1;
";

pub(super) const SPECIAL_REGISTERS: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %tid.y; mov.u32 %r3, %tid.z;
	mov.u32 %r5, %ntid.x; mov.u32 %r6, %ntid.y; mov.u32 %r7, %ntid.z;
	mad.lo.u32 %r4, %r3, %r6, %r2; mad.lo.u32 %r4, %r4, %r5, %r1;
	mov.u32 %r8, %ctaid.z; mov.u32 %r9, %nctaid.y; mov.u32 %r10, %ctaid.y; mad.lo.u32 %r8, %r8, %r9, %r10;
	mov.u32 %r9, %nctaid.x; mov.u32 %r10, %ctaid.x; mad.lo.u32 %r8, %r8, %r9, %r10;
	mul.lo.u32 %r11, %r5, %r6; mul.lo.u32 %r11, %r11, %r7; mad.lo.u32 %r12, %r8, %r11, %r4;
	mul.wide.u32 %rd1, %r12, 8; add.u64 %rd1, %rd1, %rd0;
	mov.u32 %r13, %laneid; shl.b32 %r4, %r4, 8; or.b32 %r13, %r13, %r4;
	st.global.u32 [%rd1], %r13; st.global.u32 [%rd1+4], %r8;
";

/// Each thread goes through constant, shared, dynamic shared, local and global memory, by names and by generic addresses.
pub(super) const MEMORY_SPACES: &str = "
.const .align 4 .u32 table[4] = {11, 22, 33, 44};
.global .align 4 .u32 kept[2] = {5, 6};
.extern .shared .align 4 .b8 dynamic[];
BODY;
	.shared .align 4 .b8 fixed[128]; .local .align 8 .b8 depot[16];
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; shl.b32 %r3, %r1, 2;
	and.b32 %r4, %r1, 3; shl.b32 %r4, %r4, 2; cvt.u64.u32 %rd1, %r4; mov.u64 %rd2, table; add.u64 %rd2, %rd2, %rd1;
	ld.const.u32 %r5, [%rd2];
	mov.u32 %r6, fixed; add.u32 %r6, %r6, %r3; st.shared.u32 [%r6], %r1;
	mov.u32 %r7, dynamic; add.u32 %r7, %r7, %r3; add.u32 %r8, %r1, 100; st.shared.u32 [%r7], %r8; st.shared.u32 [%r7+128], %r5;
	bar.sync 0;
	xor.b32 %r9, %r3, 124; mov.u32 %r10, fixed; add.u32 %r10, %r10, %r9; ld.shared.u32 %r11, [%r10];
	mov.u32 %r10, dynamic; add.u32 %r10, %r10, %r9; ld.shared.u32 %r12, [%r10]; ld.shared.u32 %r13, [%r10+128];
	mov.u64 %rd3, depot; st.local.u32 [%rd3+8], %r12; cvta.local.u64 %rd4, %rd3; ld.u32 %r14, [%rd4+8];
	ld.global.u32 %r15, [kept+4]; add.u32 %r13, %r13, %r15;
	mad.lo.u32 %r16, %r2, 32, %r1; mul.wide.u32 %rd5, %r16, 16; add.u64 %rd5, %rd5, %rd0;
	st.global.v4.u32 [%rd5], {%r5, %r11, %r14, %r13};
";

/// The sum of the squares of a block's thread numbers, by halves.
pub(super) const BARRIERS: &str = "
	.shared .align 4 .b8 sums[512];
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; add.u32 %r3, %r1, %r2; mul.lo.u32 %r3, %r3, %r3;
	shl.b32 %r4, %r1, 2; mov.u32 %r5, sums; add.u32 %r5, %r5, %r4; st.shared.u32 [%r5], %r3;
	mov.u32 %r6, 64;
HALVE:
	bar.sync 0;
	setp.ge.u32 %p1, %r1, %r6; @%p1 bra NEXT;
	shl.b32 %r7, %r6, 2; add.u32 %r7, %r7, %r5; ld.shared.u32 %r8, [%r7]; ld.shared.u32 %r9, [%r5];
	add.u32 %r9, %r9, %r8; st.shared.u32 [%r5], %r9;
NEXT:
	shr.u32 %r6, %r6, 1; setp.ne.u32 %p2, %r6, 0; @%p2 bra HALVE;
	bar.sync 0;
	setp.ne.u32 %p3, %r1, 0; @%p3 bra END;
	ld.shared.u32 %r9, [sums]; mul.wide.u32 %rd1, %r2, 4; add.u64 %rd1, %rd1, %rd0; st.global.u32 [%rd1], %r9;
END:
";

/// What the threads of a block learn of each other: all, some or none of them give a true predicate.
pub(super) const BARRIER_REDUCTIONS: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 96, %r1; mul.lo.u32 %r4, %r2, 48;
	setp.ge.u32 %p1, %r1, %r4; bar.red.popc.u32 %r5, 0, %p1; bar.red.popc.u32 %r6, 1, !%p1;
	bar.red.and.pred %p2, 0, %p1; bar.red.or.pred %p3, 0, %p1; selp.u32 %r7, 1, 0, %p2; selp.u32 %r8, 2, 0, %p3; or.b32 %r7, %r7, %r8;
	setp.lt.u32 %p4, %r1, 32; @%p4 bra FIRST; barrier.red.and.pred %p5, 2, !%p1; bra STORE; FIRST: barrier.red.and.pred %p5, 2, %p4;
STORE:
	selp.u32 %r8, 4, 0, %p5; or.b32 %r7, %r7, %r8;
	mul.wide.u32 %rd1, %r3, 16; add.u64 %rd1, %rd1, %rd0; st.global.v4.u32 [%rd1], {%r5, %r6, %r7, %r3};
";

/// Only operations whose sum does not depend on who comes first.
pub(super) const ATOMICS: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1; sub.s32 %r4, 100, %r3; cvt.s64.s32 %rd1, %r4;
	red.global.add.u32 [%rd0], %r3; red.global.max.u32 [%rd0+4], %r3; red.global.min.s32 [%rd0+8], %r4;
	red.global.or.b32 [%rd0+12], %r3; red.global.xor.b32 [%rd0+16], %r3; atom.global.add.u64 %rd2, [%rd0+24], %rd1;
	atom.global.cas.b32 %r5, [%rd0+32], 0, 7; atom.global.add.u32 %r6, [%rd0+36], 1; red.global.add.u32 [%rd0+40], %r6;
";

/// An array of each thread, with indices that are not known before.
pub(super) const LOCAL_MEMORY: &str = "
	.local .align 8 .b8 depot[64];
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 48, %r1; mov.u64 %rd1, depot; cvta.local.u64 %rd2, %rd1;
	mov.u32 %r4, 0;
FILL:
	mad.lo.u32 %r5, %r4, %r4, %r3; mul.wide.u32 %rd3, %r4, 4; add.u64 %rd4, %rd1, %rd3; st.local.u32 [%rd4], %r5;
	add.u32 %r4, %r4, 1; setp.lt.u32 %p1, %r4, 16; @%p1 bra FILL;
	mul.lo.u32 %r6, %r3, 7; and.b32 %r6, %r6, 15; mul.wide.u32 %rd3, %r6, 4; add.u64 %rd5, %rd2, %rd3; ld.u32 %r7, [%rd5];
	st.local.u8 [depot+5], %r7; ld.local.u32 %r8, [depot+4];
	mul.wide.u32 %rd6, %r3, 8; add.u64 %rd6, %rd6, %rd0; st.global.v2.u32 [%rd6], {%r7, %r8};
";

/// The second warp of each block has eight threads, and threads of both leave before the last vote.
pub(super) const VOTES: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %laneid; and.b32 %r3, %r1, 5; setp.ne.u32 %p1, %r3, 0;
	vote.sync.ballot.b32 %r4, %p1, -1; vote.sync.any.pred %p2, !%p1, -1; vote.sync.all.pred %p3, %p1, -1;
	vote.sync.uni.pred %p4, %p1, -1; selp.u32 %r5, 1, 0, %p2; selp.u32 %r6, 2, 0, %p3; or.b32 %r5, %r5, %r6;
	selp.u32 %r6, 4, 0, %p4; or.b32 %r5, %r5, %r6; match.any.sync.b32 %r7, %r3, -1; bar.warp.sync -1;
	and.b32 %r8, %r2, 16; setp.ne.u32 %p5, %r8, 0; match.all.sync.b32 %r8|%p6, %r8, -1; xor.b32 %r7, %r7, %r8;
	@%p5 bra HIGH; vote.sync.ballot.b32 %r9, %p1, 0xffff; bra STORE; HIGH: vote.sync.ballot.b32 %r9, %p1, 0xffff0000;
STORE:
	mov.u32 %r10, %ctaid.x; mad.lo.u32 %r11, %r10, 40, %r1; mul.wide.u32 %rd1, %r11, 16; add.u64 %rd1, %rd1, %rd0;
	mov.u32 %r12, %lanemask_lt; and.b32 %r12, %r9, %r12; popc.b32 %r12, %r12; add.u32 %r5, %r5, %r12; st.global.v4.u32 [%rd1], {%r4, %r5, %r7, %r9};
	setp.eq.u32 %p7, %r3, 4; @%p7 ret;
	vote.sync.ballot.b32 %r13, %p1, -1; st.global.u32 [%rd1+8], %r13;
";

/// Whole warps, segments of eight lanes, and the lower half of a warp by itself.
pub(super) const SHUFFLES: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %laneid; mov.u32 %r3, %ctaid.x; mad.lo.u32 %r4, %r3, 64, %r1; mul.lo.u32 %r5, %r4, %r4;
	mul.wide.u32 %rd1, %r4, 32; add.u64 %rd1, %rd1, %rd0;
	shfl.sync.up.b32 %r6|%p1, %r5, 3, 0, -1; selp.u32 %r7, 1, 0, %p1;
	shfl.sync.down.b32 %r8|%p2, %r5, 5, 0x181f, -1; selp.u32 %r9, 2, 0, %p2; or.b32 %r7, %r7, %r9;
	shfl.sync.bfly.b32 %r10, %r5, %r3, 31, -1; mul.lo.u32 %r11, %r2, 7; shfl.sync.idx.b32 %r12, %r5, %r11, 31, -1;
	shfl.sync.idx.b32 %r13|%p3, %r5, 5, 0x1803, -1; selp.u32 %r9, 4, 0, %p3; or.b32 %r7, %r7, %r9;
	shfl.sync.up.b32 %r14, %r5, %r2, 0x1800, -1; mov.u32 %r15, 0;
	setp.ge.u32 %p4, %r2, 16; @%p4 bra STORE; xor.b32 %r16, %r2, 9; shfl.sync.idx.b32 %r15, %r5, %r16, 0x100f, 0xffff;
STORE:
	st.global.v4.u32 [%rd1], {%r6, %r7, %r8, %r10}; st.global.v4.u32 [%rd1+16], {%r12, %r13, %r14, %r15};
";

pub(super) const WARP_REDUCTIONS: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1; mul.wide.u32 %rd1, %r3, 32; add.u64 %rd1, %rd1, %rd0;
	mul.lo.u32 %r4, %r3, 0x9e3779b9;
	redux.sync.add.u32 %r5, %r4, -1; redux.sync.min.s32 %r6, %r4, -1; redux.sync.max.s32 %r7, %r4, -1;
	redux.sync.min.u32 %r8, %r4, -1; redux.sync.max.u32 %r9, %r4, -1; redux.sync.and.b32 %r10, %r4, -1;
	redux.sync.or.b32 %r11, %r4, -1; redux.sync.xor.b32 %r12, %r4, -1;
	st.global.v4.u32 [%rd1], {%r5, %r6, %r7, %r8}; st.global.v4.u32 [%rd1+16], {%r9, %r10, %r11, %r12};
";

/// Fragments that are mixed from the numbers of their threads, and sums near the ends of the range.
pub(super) const MATRIX_PRODUCTS: &str = "
	.reg .b32 a<4>, b<2>, c<4>, d<4>;
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1; mul.wide.u32 %rd1, %r3, 64; add.u64 %rd1, %rd1, %rd0;
	mad.lo.u32 a0, %r3, 0x9e3779b9, 0x7f4a7c15; mul.lo.u32 a1, a0, 0x85ebca6b; mul.lo.u32 a2, a1, 0xc2b2ae35;
	mul.lo.u32 a3, a2, 0x27d4eb2f; mul.lo.u32 b0, a3, 0x165667b1; mul.lo.u32 b1, b0, 0x9e3779b1;
	mul.lo.u32 c0, b1, 0x85ebca77; shr.s32 c1, c0, 9; or.b32 c2, c1, 0x7fff0000; and.b32 c3, c1, 0x8000ffff;
	mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {d0, d1, d2, d3}, {a0, a1, a2, a3}, {b0, b1}, {c0, c1, c2, c3};
	st.global.v4.u32 [%rd1], {d0, d1, d2, d3};
	mma.sync.aligned.m16n8k32.row.col.satfinite.s32.u8.s8.s32 {d0, d1, d2, d3}, {a0, a1, a2, a3}, {b0, b1}, {c2, c3, c3, c2};
	st.global.v4.u32 [%rd1+16], {d0, d1, d2, d3};
	mma.sync.aligned.m16n8k16.row.col.s32.s8.u8.s32 {d0, d1, d2, d3}, {a1, a2}, {b1}, {c3, c2, c1, c0};
	st.global.v4.u32 [%rd1+32], {d0, d1, d2, d3};
	mma.sync.aligned.m8n8k16.row.col.s32.u8.u8.s32 {d0, d1}, {a3}, {b0}, {c1, c2};
	mma.sync.aligned.m8n8k16.row.col.satfinite.s32.s8.s8.s32 {d2, d3}, {a2}, {b1}, {c2, c3};
	st.global.v4.u32 [%rd1+48], {d0, d1, d2, d3};
";

pub(super) const OUT_OF_BOUNDS: &str = "mov.u64 %rd1, 16; st.global.u32 [%rd1], 7;";
pub(super) const MISALIGNED: &str = "st.global.u32 [%rd0+2], 7;";
pub(super) const TRAP: &str = "trap;";
