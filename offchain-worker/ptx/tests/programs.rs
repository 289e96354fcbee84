//! Random programs without branches, against an evaluation of the same steps in Rust.

#![cfg(test)]

use millrace_ptx::{launch, Argument, Budget, LaunchConfig, Memory, Module};
use proptest::prelude::*;
use std::fmt::Write;

/// Registers of a program.
const REGISTERS: usize = 6;

/// An instruction on three operands, and what it gives.
type Step = (&'static str, fn(u64, u64, u64) -> u64);

const INTEGERS: [Step; 34] = [
	("add.u32 D, A, B", |a, b, _| u64::from((a as u32).wrapping_add(b as u32))),
	("sub.s32 D, A, B", |a, b, _| u64::from((a as u32).wrapping_sub(b as u32))),
	("mul.lo.s32 D, A, B", |a, b, _| u64::from((a as u32).wrapping_mul(b as u32))),
	("mul.hi.u32 D, A, B", |a, b, _| (u64::from(a as u32) * u64::from(b as u32)) >> 32),
	("mul.hi.s32 D, A, B", |a, b, _| low((i64::from(a as i32) * i64::from(b as i32)) >> 32)),
	("mad.lo.u32 D, A, B, C", |a, b, c| u64::from((a as u32).wrapping_mul(b as u32).wrapping_add(c as u32))),
	("mad.hi.s32 D, A, B, C", |a, b, c| {
		low(((i64::from(a as i32) * i64::from(b as i32)) >> 32) + i64::from(c as i32))
	}),
	("div.u32 D, A, B", |a, b, _| u64::from((a as u32).checked_div(b as u32).unwrap_or(u32::MAX))),
	("rem.u32 D, A, B", |a, b, _| u64::from((a as u32).checked_rem(b as u32).unwrap_or(u32::MAX))),
	("min.s32 D, A, B", |a, b, _| low((a as i32).min(b as i32).into())),
	("max.u32 D, A, B", |a, b, _| u64::from((a as u32).max(b as u32))),
	("and.b32 D, A, B", |a, b, _| u64::from(a as u32 & b as u32)),
	("or.b32 D, A, B", |a, b, _| u64::from(a as u32 | b as u32)),
	("xor.b32 D, A, B", |a, b, _| u64::from(a as u32 ^ b as u32)),
	("not.b32 D, A", |a, _, _| u64::from(!(a as u32))),
	("neg.s32 D, A", |a, _, _| u64::from((a as u32).wrapping_neg())),
	("abs.s32 D, A", |a, _, _| u64::from((a as i32).unsigned_abs())),
	("popc.b32 D, A", |a, _, _| (a as u32).count_ones().into()),
	("clz.b32 D, A", |a, _, _| (a as u32).leading_zeros().into()),
	("brev.b32 D, A", |a, _, _| (a as u32).reverse_bits().into()),
	("shl.b32 D, A, B", |a, b, _| u64::from((a as u32).checked_shl(b as u32).unwrap_or(0))),
	("shr.u32 D, A, B", |a, b, _| u64::from((a as u32).checked_shr(b as u32).unwrap_or(0))),
	("shr.s32 D, A, B", |a, b, _| low((i64::from(a as i32)) >> (b as u32).min(63))),
	("shf.l.wrap.b32 D, A, B, C", |a, b, c| {
		(((b as u32 as u64) << 32 | u64::from(a as u32)) << (c % 32) >> 32) & 0xffff_ffff
	}),
	("lop3.b32 D, A, B, C, 0xca", |a, b, c| u64::from((a as u32 & b as u32) | (!(a as u32) & c as u32))),
	("sad.u32 D, A, B, C", |a, b, c| u64::from((a as u32).abs_diff(b as u32).wrapping_add(c as u32))),
	("slct.b32.s32 D, A, B, C", |a, b, c| u64::from(if (c as i32) < 0 { b as u32 } else { a as u32 })),
	("prmt.b32 D, A, B, 0x2143", |a, b, _| {
		let bytes = [(a as u32).to_le_bytes(), (b as u32).to_le_bytes()].concat();
		u32::from_le_bytes([bytes[3], bytes[4], bytes[1], bytes[2]]).into()
	}),
	("bfe.u32 D, A, 7, 13", |a, _, _| u64::from((a as u32 >> 7) & 0x1fff)),
	("bfi.b32 D, A, B, 3, 9", |a, b, _| u64::from((b as u32 & !0xff8) | (((a as u32) << 3) & 0xff8))),
	("add.sat.s32 D, A, B", |a, b, _| low((a as i32).saturating_add(b as i32).into())),
	("setp.lt.s32 %p, A, B; selp.b32 D, B, C, %p", |a, b, c| {
		u64::from(if (a as i32) < b as i32 { b as u32 } else { c as u32 })
	}),
	("cvt.u32.u8 D, A", |a, _, _| a & 0xff),
	("cvt.s32.s16 D, A", |a, _, _| low((a as i16).into())),
];

/// The low half of a number.
fn low(value: i64) -> u64 {
	u64::from(value as u32)
}

/// A float's bits, NaN canonical.
fn single(value: f32) -> u64 {
	u64::from(if value.is_nan() { 0x7fff_ffff } else { value.to_bits() })
}

fn float(bits: u64) -> f32 {
	f32::from_bits(bits as u32)
}

const SINGLES: [Step; 12] = [
	("add.rn.f32 D, A, B", |a, b, _| single(float(a) + float(b))),
	("sub.f32 D, A, B", |a, b, _| single(float(a) - float(b))),
	("mul.rn.f32 D, A, B", |a, b, _| single(float(a) * float(b))),
	("div.rn.f32 D, A, B", |a, b, _| single(float(a) / float(b))),
	("fma.rn.f32 D, A, B, C", |a, b, c| single(float(a).mul_add(float(b), float(c)))),
	("sqrt.rn.f32 D, A", |a, _, _| single(float(a).sqrt())),
	("rcp.rn.f32 D, A", |a, _, _| single(1.0 / float(a))),
	("neg.f32 D, A", |a, _, _| single(-float(a))),
	("abs.f32 D, A", |a, _, _| single(float(a).abs())),
	("setp.gtu.f32 %p, A, B; selp.f32 D, B, C, %p", |a, b, c| if float(a) <= float(b) { c } else { b }),
	("cvt.rni.f32.f32 D, A", |a, _, _| single(float(a).round_ties_even())),
	("cvt.rzi.f32.f32 D, A", |a, _, _| single(float(a).trunc())),
];

fn double(value: f64) -> u64 {
	if value.is_nan() {
		0x7ff8_0000_0000_0000
	} else {
		value.to_bits()
	}
}

const DOUBLES: [Step; 9] = [
	("add.rn.f64 D, A, B", |a, b, _| double(f64::from_bits(a) + f64::from_bits(b))),
	("sub.f64 D, A, B", |a, b, _| double(f64::from_bits(a) - f64::from_bits(b))),
	("mul.rn.f64 D, A, B", |a, b, _| double(f64::from_bits(a) * f64::from_bits(b))),
	("div.rn.f64 D, A, B", |a, b, _| double(f64::from_bits(a) / f64::from_bits(b))),
	("fma.rn.f64 D, A, B, C", |a, b, c| {
		double(f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c)))
	}),
	("sqrt.rn.f64 D, A", |a, _, _| double(f64::from_bits(a).sqrt())),
	("neg.f64 D, A", |a, _, _| double(-f64::from_bits(a))),
	("copysign.f64 D, A, B", |a, b, _| f64::from_bits(b).copysign(f64::from_bits(a)).to_bits()),
	("cvt.rmi.f64.f64 D, A", |a, _, _| double(f64::from_bits(a).floor())),
];

/// A step of a program: which one, and the numbers of its registers.
type Chosen = (prop::sample::Index, [u8; 4]);

/// Runs a program on registers of that type, and compares what is left in them.
fn compare(steps: &[Step], ty: &str, bytes: usize, start: [u64; REGISTERS], program: &[Chosen]) {
	let mut code = String::new();
	let mut registers = start;
	for register in 0..REGISTERS {
		writeln!(code, "ld.global.{ty} x{register}, [%rd0+{}];", register * 8).unwrap();
	}
	for (step, places) in program {
		let (text, result) = steps[step.index(steps.len())];
		let [d, a, b, c] = places.map(|place| usize::from(place) % REGISTERS);
		let mut line = text.to_string();
		for (name, register) in [("D", d), ("A", a), ("B", b), ("C", c)] {
			line = line.replace(&format!(" {name}"), &format!(" x{register}"));
		}
		writeln!(code, "{line};").unwrap();
		registers[d] = result(registers[a], registers[b], registers[c]);
	}
	for register in 0..REGISTERS {
		writeln!(code, "st.global.{ty} [%rd0+{}], x{register};", register * 8).unwrap();
	}
	let text = format!(
		".version 7.0 .target sm_80 .address_size 64 .entry k(.param .u64 data) {{
		.reg .b64 %rd0; .reg .pred %p; .reg .{ty} x<{REGISTERS}>; ld.param.u64 %rd0, [data];\n{code}}}"
	);
	let module = Module::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
	let mut memory = Memory::new(1 << 12);
	let data = memory.alloc(REGISTERS as u64 * 8).unwrap();
	memory.write(data, &start.map(u64::to_le_bytes).concat()).unwrap();
	let config = LaunchConfig { grid: [1; 3], block: [1; 3], shared_bytes: 0 };
	launch(&module, "k", &config, &[Argument::Pointer(data)], &mut memory, &mut Budget::new(10_000)).unwrap();
	let found = memory.read(data, REGISTERS as u64 * 8).unwrap();
	let found: Vec<&[u8]> = found.chunks_exact(8).map(|cell| &cell[..bytes]).collect();
	let wanted: Vec<[u8; 8]> = registers.iter().map(|register| register.to_le_bytes()).collect();
	let wanted: Vec<&[u8]> = wanted.iter().map(|cell| &cell[..bytes]).collect();
	assert_eq!(found, wanted, "{text}");
}

fn program() -> impl Strategy<Value = Vec<Chosen>> {
	prop::collection::vec(any::<Chosen>(), 1..60)
}

/// Any bits, and often those of small numbers.
fn integers() -> impl Strategy<Value = u64> {
	prop_oneof![
		any::<u32>().prop_map(u64::from),
		0u64..40,
		(0u64..40).prop_map(|value| u64::from(u32::MAX) - value)
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(1_500))]

	#[test]
	fn integer_programs_compute_what_rust_does(start in prop::array::uniform6(integers()), program in program()) {
		compare(&INTEGERS, "b32", 4, start, &program);
	}

	#[test]
	fn programs_of_singles_compute_what_rust_does(start in prop::array::uniform6(any::<f32>()), program in program()) {
		compare(&SINGLES, "f32", 4, start.map(single), &program);
	}

	#[test]
	fn programs_of_doubles_compute_what_rust_does(start in prop::array::uniform6(any::<f64>()), program in program()) {
		compare(&DOUBLES, "f64", 8, start.map(double), &program);
	}
}
