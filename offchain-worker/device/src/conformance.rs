//! One set of kernels for all devices, and what each makes of them.
//!
//! A device that is right gives the same bytes as every other, and faults where the others fault. So the outcomes of the
//! reference device, of the driver's test double, and of a GPU can be compared, and the record of a GPU that was tested can be
//! kept. Inputs are fixed: edges of the integers and of the floats, and numbers that a generator mixes.
//!
//! What PTX leaves open is left out: division by zero, contraction of floats, races.

use crate::{run_plan, Checkpoints, Device, DeviceError, JobError, RunLimits};
use millrace_job::{Argument, BlobHash, Buffer, Launch, Limits, Plan};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt::Write, time::Duration};

/// A kernel with its data.
#[derive(Clone, Debug)]
pub struct Case {
	/// What it is about.
	pub name: &'static str,
	/// The job.
	pub plan: Plan,
	/// The kernel, and the input if it has one.
	pub blobs: BTreeMap<BlobHash, Vec<u8>>,
}

/// What a device made of a case.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
	/// An output; its hash.
	Output(BlobHash),
	/// The kernel was stopped for what it did.
	KernelFault,
	/// Anything else, in words. Right for no case.
	Failed(String),
}

impl Outcome {
	/// The outcome of a job.
	pub fn of(result: Result<&[u8], &JobError>) -> Self {
		match result {
			Ok(bytes) => Self::Output(BlobHash::of(bytes)),
			Err(JobError::Device(DeviceError::KernelFault(_))) => Self::KernelFault,
			Err(error) => Self::Failed(error.to_string()),
		}
	}
}

/// Longest time for a case. All of them take a moment; a device that hangs should be found.
pub const TIME_LIMIT: Duration = Duration::from_secs(60);

impl Case {
	/// Runs the case on a device that has done nothing else, and must not be used afterwards.
	pub fn run(&self, device: &mut dyn Device) -> Outcome {
		let checkpoints: Option<Checkpoints> = None;
		let limits = RunLimits { plan: Limits::MAX, wall_clock: TIME_LIMIT, checkpoints };
		let result = run_plan(device, &self.plan, &self.blobs, None, &limits, &mut |_| {});
		Outcome::of(result.as_ref().map(|output| output.bytes.as_slice()))
	}
}

/// All cases, in the order of the families of instructions.
pub fn cases() -> Vec<Case> {
	let integers = |bits: u32| rows(&edges(bits));
	vec![
		each("integers-32", INTEGERS_32, &integers(32)),
		each("integers-64", INTEGERS_64, &integers(64)),
		each("bits", BITS, &integers(64)),
		each("integer-products", PRODUCTS, &integers(64)),
		each("dp4a", DP4A, &integers(32)),
		each("floats-32", FLOATS_32, &rows(&singles())),
		each("floats-64", FLOATS_64, &rows(&doubles())),
		each("conversions", CONVERSIONS, &integers(32)),
		each("predicates", PREDICATES, &integers(32)),
		each("control-flow", CONTROL_FLOW, &integers(32)),
		grid("special-registers", SPECIAL_REGISTERS, [3, 2, 2], [5, 4, 3], 0, 12 * 60 * 8),
		grid("memory-spaces", MEMORY_SPACES, [2, 1, 1], [32, 1, 1], 256, 2 * 32 * 16),
		grid("barriers", BARRIERS, [4, 1, 1], [128, 1, 1], 0, 4 * 4),
		grid("atomics", ATOMICS, [8, 1, 1], [64, 1, 1], 0, 64),
		grid("out-of-bounds", OUT_OF_BOUNDS, [1; 3], [1; 3], 0, 8),
		grid("misaligned", MISALIGNED, [1; 3], [1; 3], 0, 8),
		grid("trap", TRAP, [1; 3], [1; 3], 0, 8),
	]
}

/// Cases in which a kernel does what it must not.
pub const FAULTS: [&str; 3] = ["out-of-bounds", "misaligned", "trap"];

const HEAD: &str = ".version 7.1\n.target sm_70\n.address_size 64\n";

/// Operands of every thread. The lower halves of `%rd1` to `%rd3` are `%r1` to `%r3`, and the same bits are `%f1` to `%f3` and
/// `%fd1` to `%fd3`.
const ROW_BYTES: usize = 24;

/// A case in which each thread computes from a row of its own. The body leaves its result in `%rd9`, as often as it says
/// `RESULT`.
fn each(name: &'static str, body: &str, rows: &[[u64; 3]]) -> Case {
	let results = body.matches("RESULT;").count();
	let mut code = String::new();
	for (index, part) in body.split("RESULT;").enumerate() {
		code.push_str(part);
		if index < results {
			let at = index * 8;
			// Writing to a text cannot fail.
			let _ = writeln!(code, "st.global.b64 [%rd8+{at}], %rd9;");
		}
	}
	let kernel = format!(
		"{HEAD}.visible .entry main(.param .u64 in, .param .u64 out, .param .u32 rows) {{
	.reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<20>; .reg .b64 %rd<20>; .reg .f32 %f<9>; .reg .f64 %fd<9>;
	mov.u32 %r10, %ctaid.x; mov.u32 %r11, %ntid.x; mov.u32 %r12, %tid.x; mad.lo.u32 %r13, %r10, %r11, %r12;
	ld.param.u32 %r14, [rows]; setp.ge.u32 %p1, %r13, %r14; @%p1 bra END;
	ld.param.u64 %rd10, [in]; mul.wide.u32 %rd11, %r13, {ROW_BYTES}; add.u64 %rd10, %rd10, %rd11;
	ld.global.b64 %rd1, [%rd10]; ld.global.b64 %rd2, [%rd10+8]; ld.global.b64 %rd3, [%rd10+16];
	cvt.u32.u64 %r1, %rd1; cvt.u32.u64 %r2, %rd2; cvt.u32.u64 %r3, %rd3;
	mov.b32 %f1, %r1; mov.b32 %f2, %r2; mov.b32 %f3, %r3;
	mov.b64 %fd1, %rd1; mov.b64 %fd2, %rd2; mov.b64 %fd3, %rd3;
	ld.param.u64 %rd8, [out]; mul.wide.u32 %rd11, %r13, {}; add.u64 %rd8, %rd8, %rd11;
	{code}
END:
	ret;
}}
",
		results * 8
	);
	let input: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
	let blocks = (rows.len() as u32).div_ceil(64);
	let arguments =
		vec![Argument::Buffer("in".into()), Argument::Buffer("out".into()), Argument::U32(rows.len() as u32)];
	let in_buffer =
		Buffer { name: "in".into(), bytes: input.len() as u64, input: Some(BlobHash::of(&input)) };
	let bytes = (rows.len() * results * 8) as u64;
	case(name, kernel, vec![in_buffer], bytes, [blocks, 1, 1], [64, 1, 1], 0, arguments, Some(input))
}

/// A case of a whole kernel body, which has the address of the output in `%rd0`.
fn grid(name: &'static str, body: &str, grid: [u32; 3], block: [u32; 3], shared: u32, bytes: u64) -> Case {
	let (variables, body) = body.split_once("BODY;").unwrap_or(("", body));
	let kernel = format!(
		"{HEAD}{variables}.visible .entry main(.param .u64 out) {{
	.reg .pred %p<9>; .reg .b32 %r<20>; .reg .b64 %rd<20>;
	ld.param.u64 %rd0, [out];
	{body}
	ret;
}}
"
	);
	let arguments = vec![Argument::Buffer("out".into())];
	case(name, kernel, Vec::new(), bytes, grid, block, shared, arguments, None)
}

#[expect(clippy::too_many_arguments, reason = "a plan's parts, each once")]
fn case(
	name: &'static str,
	kernel: String,
	mut buffers: Vec<Buffer>,
	bytes: u64,
	grid: [u32; 3],
	block: [u32; 3],
	shared_bytes: u32,
	arguments: Vec<Argument>,
	input: Option<Vec<u8>>,
) -> Case {
	buffers.push(Buffer { name: "out".into(), bytes, input: None });
	let plan = Plan {
		version: 1,
		kernel: BlobHash::of(kernel.as_bytes()),
		buffers,
		launches: vec![Launch { entry: "main".into(), grid, block, shared_bytes, arguments }],
		outputs: vec!["out".into()],
	};
	let blobs = [Some(kernel.into_bytes()), input].into_iter().flatten();
	Case { name, plan, blobs: blobs.map(|blob| (BlobHash::of(&blob), blob)).collect() }
}

/// Edges of the integers of that many bits, and some numbers between.
fn edges(bits: u32) -> Vec<u64> {
	let top = 1_u64 << (bits - 1);
	let mut values =
		vec![0, 1, 2, 7, 31, 32, 63, 0xff, 0x7fff, 0x8000, 0x1_0001, top - 1, top, top + 1, u64::MAX];
	// SplitMix64.
	let mut state = 0x6d69_6c6c_7261_6365_u64;
	values.extend(
		std::iter::repeat_with(|| {
			state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
			let mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
			(mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb)
		})
		.take(5),
	);
	values
}

const SINGLES: [f32; 16] = [
	0.0,
	-0.0,
	1.0,
	-1.0,
	0.1,
	3.0,
	-1.0e-45,
	1.175_494_4e-38,
	8.0e-39,
	1.0e38,
	-3.402_823_5e38,
	16_777_216.0,
	1.5e9,
	f32::INFINITY,
	f32::NEG_INFINITY,
	f32::NAN,
];

fn singles() -> Vec<u64> {
	SINGLES.iter().map(|value| value.to_bits().into()).collect()
}

fn doubles() -> Vec<u64> {
	let more = [5.0e-324, f64::MAX, 0.1 + 0.2, 9_007_199_254_740_993.0];
	SINGLES.iter().map(|value| f64::from(*value)).chain(more).map(f64::to_bits).collect()
}

/// All pairs of values, each with a third.
fn rows(values: &[u64]) -> Vec<[u64; 3]> {
	let third = |index: usize| values[index * 7 % values.len()];
	let pairs = values.iter().flat_map(|a| values.iter().map(move |b| (*a, *b)));
	pairs.enumerate().map(|(index, (a, b))| [a, b, third(index)]).collect()
}

/// A 32-bit result.
macro_rules! word {
	($code:literal) => {
		concat!($code, " cvt.u64.u32 %rd9, %r9; RESULT;\n")
	};
}

const INTEGERS_32: &str = concat!(
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

const INTEGERS_64: &str = "
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

const BITS: &str = concat!(
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

const PRODUCTS: &str = "
	mul.wide.u32 %rd9, %r1, %r2; RESULT;
	mul.wide.s32 %rd9, %r1, %r2; RESULT;
	mad.wide.u32 %rd9, %r1, %r2, %rd3; RESULT;
	mad.wide.s32 %rd9, %r1, %r2, %rd3; RESULT;
";

const DP4A: &str = concat!(
	word!("dp4a.s32.s32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.u32.u32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.s32.u32 %r9, %r1, %r2, %r3;"),
	word!("dp4a.u32.s32 %r9, %r1, %r2, %r3;"),
);

const FLOATS_32: &str = "
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

const FLOATS_64: &str = "
	add.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	sub.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	mul.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	div.rn.f64 %fd8, %fd1, %fd2; mov.b64 %rd9, %fd8; RESULT;
	fma.rn.f64 %fd8, %fd1, %fd2, %fd3; mov.b64 %rd9, %fd8; RESULT;
	sqrt.rn.f64 %fd8, %fd1; mov.b64 %rd9, %fd8; RESULT;
	setp.lt.f64 %p2, %fd1, %fd2; selp.b64 %rd9, 1, 0, %p2; RESULT;
";

const CONVERSIONS: &str = "
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

const PREDICATES: &str = "
	setp.lt.s32 %p2, %r1, %r2; selp.b64 %rd9, 1, 0, %p2; RESULT;
	setp.lt.u32 %p3, %r1, %r2; selp.b64 %rd9, %rd1, %rd2, %p3; RESULT;
	setp.eq.u64 %p4, %rd1, %rd3; and.pred %p5, %p2, %p4; xor.pred %p6, %p3, %p5; selp.b64 %rd9, 1, 0, %p6; RESULT;
	mov.u64 %rd9, 5; @%p2 mov.u64 %rd9, 6; @!%p3 add.u64 %rd9, %rd9, 10; RESULT;
";

/// Steps of a Collatz sequence, at most 50; and a loop within a loop.
const CONTROL_FLOW: &str = "
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

const SPECIAL_REGISTERS: &str = "
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
const MEMORY_SPACES: &str = "
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
const BARRIERS: &str = "
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

/// Only operations whose sum does not depend on who comes first.
const ATOMICS: &str = "
	mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1; sub.s32 %r4, 100, %r3; cvt.s64.s32 %rd1, %r4;
	red.global.add.u32 [%rd0], %r3; red.global.max.u32 [%rd0+4], %r3; red.global.min.s32 [%rd0+8], %r4;
	red.global.or.b32 [%rd0+12], %r3; red.global.xor.b32 [%rd0+16], %r3; atom.global.add.u64 %rd2, [%rd0+24], %rd1;
	atom.global.cas.b32 %r5, [%rd0+32], 0, 7; atom.global.add.u32 %r6, [%rd0+36], 1; red.global.add.u32 [%rd0+40], %r6;
";

const OUT_OF_BOUNDS: &str = "mov.u64 %rd1, 16; st.global.u32 [%rd1], 7;";
const MISALIGNED: &str = "st.global.u32 [%rd0+2], 7;";
const TRAP: &str = "trap;";
