//! One set of kernels for all devices, and what each makes of them.
//!
//! A device that is right gives the same bytes as every other, and faults where the others fault. So the outcomes of the
//! reference device, of the driver's test double, and of a GPU can be compared, and the record of a GPU that was tested can be
//! kept. Inputs are fixed: edges of the integers and of the floats, and numbers that a generator mixes.
//!
//! What PTX leaves open is left out: division by zero, contraction of floats, races.

mod kernels;

use crate::{run_plan, Checkpoints, Device, DeviceError, JobError, RunLimits};
use kernels::{
	ATOMICS, BARRIERS, BARRIER_REDUCTIONS, BITS, CALLS, CONTROL_FLOW, CONVERSIONS, DP4A, FLOATS_32,
	FLOATS_64, INDEXED_BRANCHES, INTEGERS_32, INTEGERS_64, LOCAL_MEMORY, MATRIX_PRODUCTS, MEMORY_SPACES,
	MISALIGNED, OUT_OF_BOUNDS, PREDICATES, PRODUCTS, ROUNDINGS_32, ROUNDINGS_64, SETS, SHUFFLES,
	SPECIAL_REGISTERS, TRAP, VOTES, WARP_REDUCTIONS, WIDE_INTEGERS,
};
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
		let limits = RunLimits { plan: Limits::MAX, wall_clock: TIME_LIMIT, launch: TIME_LIMIT, checkpoints };
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
		each("wide-integers", WIDE_INTEGERS, &integers(64)),
		each("bits", BITS, &integers(64)),
		each("integer-products", PRODUCTS, &integers(64)),
		each("dp4a", DP4A, &integers(32)),
		each("floats-32", FLOATS_32, &rows(&singles())),
		each("floats-64", FLOATS_64, &rows(&doubles())),
		each("roundings-32", ROUNDINGS_32, &rows(&singles())),
		each("roundings-64", ROUNDINGS_64, &rows(&doubles())),
		each("conversions", CONVERSIONS, &integers(32)),
		each("predicates", PREDICATES, &integers(32)),
		each("sets", SETS, &integers(32)),
		each("control-flow", CONTROL_FLOW, &integers(32)),
		grid("indexed-branches", SM_70, INDEXED_BRANCHES, [3, 1, 1], [48, 1, 1], 0, 3 * 48 * 8),
		grid("calls", SM_70, CALLS, [2, 1, 1], [64, 1, 1], 0, 2 * 64 * 16),
		grid("special-registers", SM_70, SPECIAL_REGISTERS, [3, 2, 2], [5, 4, 3], 0, 12 * 60 * 8),
		grid("memory-spaces", SM_70, MEMORY_SPACES, [2, 1, 1], [32, 1, 1], 256, 2 * 32 * 16),
		grid("local-memory", SM_70, LOCAL_MEMORY, [2, 1, 1], [48, 1, 1], 0, 2 * 48 * 8),
		grid("barriers", SM_70, BARRIERS, [4, 1, 1], [128, 1, 1], 0, 4 * 4),
		grid("barrier-reductions", SM_70, BARRIER_REDUCTIONS, [4, 1, 1], [96, 1, 1], 0, 4 * 96 * 16),
		grid("atomics", SM_70, ATOMICS, [8, 1, 1], [64, 1, 1], 0, 64),
		grid("votes", SM_70, VOTES, [2, 1, 1], [40, 1, 1], 0, 2 * 40 * 16),
		grid("shuffles", SM_70, SHUFFLES, [2, 1, 1], [64, 1, 1], 0, 2 * 64 * 32),
		grid("warp-reductions", SM_80, WARP_REDUCTIONS, [2, 1, 1], [64, 1, 1], 0, 2 * 64 * 32),
		grid("matrix-products", SM_80, MATRIX_PRODUCTS, [3, 1, 1], [64, 1, 1], 0, 3 * 64 * 64),
		grid("out-of-bounds", SM_70, OUT_OF_BOUNDS, [1; 3], [1; 3], 0, 8),
		grid("misaligned", SM_70, MISALIGNED, [1; 3], [1; 3], 0, 8),
		grid("trap", SM_70, TRAP, [1; 3], [1; 3], 0, 8),
	]
}

/// Cases in which a kernel does what it must not.
pub const FAULTS: [&str; 3] = ["out-of-bounds", "misaligned", "trap"];

/// What most cases need.
const SM_70: &str = ".version 7.1\n.target sm_70\n.address_size 64\n";
/// What reductions and products of whole warps need.
const SM_80: &str = ".version 7.1\n.target sm_80\n.address_size 64\n";

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
		"{SM_70}.visible .entry main(.param .u64 in, .param .u64 out, .param .u32 rows) {{
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
fn grid(
	name: &'static str,
	head: &str,
	body: &str,
	grid: [u32; 3],
	block: [u32; 3],
	shared: u32,
	bytes: u64,
) -> Case {
	let (variables, body) = body.split_once("BODY;").unwrap_or(("", body));
	let kernel = format!(
		"{head}{variables}.visible .entry main(.param .u64 out) {{
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
