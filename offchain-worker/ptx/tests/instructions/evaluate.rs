//! Runs one instruction on many operands, each in a thread of its own.

use millrace_ptx::{launch, Argument, Budget, LaunchConfig, Memory, Module};
use std::fmt::Write;

const OPERANDS: [&str; 4] = ["a", "b", "c", "e"];

/// Runs `code`, which reads registers `a`, `b`, `c`, `e` of the given types and writes `d`, once for each row, and
/// returns the bits of `d`. A `pred` result is 1 or 0; a `pred` operand is whether the row's value is not zero.
pub(crate) fn evaluate(code: &str, operands: &[&str], result: &str, rows: &[Vec<u64>]) -> Vec<u64> {
	let mut body = String::new();
	let stride = operands.len() * 8;
	for (index, (name, ty)) in OPERANDS.iter().zip(operands).enumerate() {
		let at = index * 8;
		let line = match *ty {
			"pred" => format!(
				".reg .pred {name}; .reg .b32 {name}_; ld.global.b32 {name}_, [in+{at}]; setp.ne.s32 {name}, {name}_, 0;"
			),
			_ => format!(".reg .{ty} {name}; ld.global.{ty} {name}, [in+{at}];"),
		};
		writeln!(body, "{line}").unwrap();
	}
	let store = match result {
		"pred" => ".reg .b32 d_; selp.b32 d_, 1, 0, d; st.global.b32 [out], d_;".to_string(),
		_ => format!("st.global.{result} [out], d;"),
	};
	let text = format!(
		".version 7.0 .target sm_80 .address_size 64 .entry k(.param .u64 in_p, .param .u64 out_p) {{
		.reg .b64 in, out, x; .reg .b32 t;
		ld.param.u64 in, [in_p]; ld.param.u64 out, [out_p];
		mov.u32 t, %ctaid.x;
		mul.wide.u32 x, t, {stride}; add.u64 in, in, x;
		mul.wide.u32 x, t, 8; add.u64 out, out, x;
		{body}
		.reg .{result} d;
		{code}
		{store}
		}}"
	);
	let module = Module::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
	let mut memory = Memory::new(1 << 26);
	let input = memory.alloc((rows.len() * stride) as u64).unwrap();
	let output = memory.alloc(rows.len() as u64 * 8).unwrap();
	let bytes: Vec<u8> = rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect();
	assert_eq!(bytes.len(), rows.len() * stride, "every row has an operand for each type");
	memory.write(input, &bytes).unwrap();
	let config = LaunchConfig { grid: [rows.len() as u32, 1, 1], block: [1, 1, 1], shared_bytes: 0 };
	let arguments = [Argument::Pointer(input), Argument::Pointer(output)];
	launch(&module, "k", &config, &arguments, &mut memory, &mut Budget::new(1 << 30)).unwrap();
	let bytes = memory.read(output, rows.len() as u64 * 8).unwrap();
	bytes.chunks_exact(8).map(|cell| u64::from_le_bytes(cell.try_into().unwrap())).collect()
}

/// Compares the results for all combinations of `values` with those of `expected`.
pub(crate) fn check<const N: usize>(
	code: &str,
	operands: [&str; N],
	result: &str,
	values: &[u64],
	expected: impl Fn([u64; N]) -> u64,
) {
	let mut rows: Vec<Vec<u64>> = vec![Vec::new()];
	for _ in 0..N {
		rows = rows
			.into_iter()
			.flat_map(|row| values.iter().map(move |value| [row.as_slice(), &[*value]].concat()))
			.collect();
	}
	for (row, found) in rows.iter().zip(evaluate(code, &operands, result, &rows)) {
		let wanted = expected(row.as_slice().try_into().unwrap());
		assert_eq!(found, wanted, "{code} of {row:x?}: found {found:#x}, expected {wanted:#x}");
	}
}

/// Values near every edge of integers of 16 to 64 bits.
pub(crate) const EDGES: [u64; 22] = [
	0,
	1,
	2,
	3,
	7,
	31,
	32,
	63,
	64,
	0x7f,
	0x80,
	0xff,
	0x7fff,
	0x8000,
	0xffff,
	0x7fff_ffff,
	0x8000_0000,
	0xffff_ffff,
	0x1234_5678_9abc_def0,
	0x7fff_ffff_ffff_ffff,
	0x8000_0000_0000_0000,
	u64::MAX,
];
