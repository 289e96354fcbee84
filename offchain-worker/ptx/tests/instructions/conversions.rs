//! `cvt`, against Rust's casts.

use crate::evaluate::{check, evaluate, EDGES};

#[test]
fn integers_are_cut_and_extended_by_the_sign_of_their_type() {
	check("cvt.u16.u32 d, a;", ["b32"], "b16", &EDGES, |[a]| a as u16 as u64);
	check("cvt.u32.u16 d, a;", ["b16"], "b32", &EDGES, |[a]| a as u16 as u64);
	check("cvt.s32.s16 d, a;", ["b16"], "b32", &EDGES, |[a]| a as i16 as u32 as u64);
	check("cvt.s64.s32 d, a;", ["b32"], "b64", &EDGES, |[a]| a as i32 as u64);
	check("cvt.u64.u32 d, a;", ["b32"], "b64", &EDGES, |[a]| a as u32 as u64);
	check("cvt.u32.u64 d, a;", ["b64"], "b32", &EDGES, |[a]| a as u32 as u64);
	check("cvt.s64.s16 d, a;", ["b16"], "b64", &EDGES, |[a]| a as i16 as u64);
	check("cvt.u32.s16 d, a;", ["b16"], "b32", &EDGES, |[a]| a as i16 as u32 as u64);
	check("cvt.s32.u16 d, a;", ["b16"], "b32", &EDGES, |[a]| a as u16 as u64);
}

#[test]
fn bytes_live_in_wider_registers() {
	// As compilers emit them: the source is the low byte, the result fills the register.
	check("cvt.s32.s8 d, a;", ["b16"], "b32", &EDGES, |[a]| a as i8 as u32 as u64);
	check("cvt.u32.u8 d, a;", ["b16"], "b32", &EDGES, |[a]| a as u8 as u64);
	check("cvt.s8.s32 d, a;", ["b32"], "b32", &EDGES, |[a]| a as i8 as u32 as u64);
	check("cvt.u8.u32 d, a;", ["b32"], "b16", &EDGES, |[a]| a as u8 as u64);
	check("cvt.s16.s8 d, a;", ["b16"], "b16", &EDGES, |[a]| a as i8 as u16 as u64);
}

#[test]
fn saturation_clamps_to_the_target() {
	check("cvt.sat.s8.s32 d, a;", ["b32"], "b32", &EDGES, |[a]| (a as i32).clamp(-128, 127) as u32 as u64);
	check("cvt.sat.u8.s32 d, a;", ["b32"], "b32", &EDGES, |[a]| (a as i32).clamp(0, 255) as u64);
	check("cvt.sat.u32.s64 d, a;", ["b64"], "b32", &EDGES, |[a]| (a as i64).clamp(0, u32::MAX.into()) as u64);
	check("cvt.sat.s32.u64 d, a;", ["b64"], "b32", &EDGES, |[a]| a.min(i32::MAX as u64));
}

#[test]
fn integers_become_the_nearest_float() {
	check("cvt.rn.f32.s32 d, a;", ["b32"], "f32", &EDGES, |[a]| (a as i32 as f32).to_bits().into());
	check("cvt.rn.f32.u32 d, a;", ["b32"], "f32", &EDGES, |[a]| (a as u32 as f32).to_bits().into());
	check("cvt.rn.f32.u64 d, a;", ["b64"], "f32", &EDGES, |[a]| (a as f32).to_bits().into());
	check("cvt.rn.f64.s64 d, a;", ["b64"], "f64", &EDGES, |[a]| (a as i64 as f64).to_bits());
	check("cvt.rn.f64.u64 d, a;", ["b64"], "f64", &EDGES, |[a]| (a as f64).to_bits());
	check("cvt.rn.f64.s32 d, a;", ["b32"], "f64", &EDGES, |[a]| f64::from(a as i32).to_bits());
	check("cvt.rn.f32.u8 d, a;", ["b16"], "f32", &EDGES, |[a]| f32::from(a as u8).to_bits().into());
}

const FLOATS: [f64; 21] = [
	0.0,
	-0.0,
	0.25,
	0.5,
	-0.5,
	0.75,
	1.5,
	-1.5,
	2.5,
	-2.5,
	127.5,
	-129.0,
	300.0,
	2147483647.5,
	-2147483649.0,
	4294967296.0,
	9.3e18,
	-9.3e18,
	1.9e19,
	f64::INFINITY,
	f64::NEG_INFINITY,
];

/// What a rounding does to a number.
type Rounding = fn(f64) -> f64;

#[test]
fn floats_become_integers_by_the_rounding_they_name() {
	let doubles = FLOATS.map(f64::to_bits);
	let singles = FLOATS.map(|value| u64::from((value as f32).to_bits()));
	let roundings: [(&str, Rounding); 4] =
		[("rni", f64::round_ties_even), ("rzi", f64::trunc), ("rmi", f64::floor), ("rpi", f64::ceil)];
	for (name, rounded) in roundings {
		let from_double = |bits: u64| rounded(f64::from_bits(bits));
		let from_single = |bits: u64| rounded(f32::from_bits(bits as u32).into());
		let code = |to: &str, from: &str| format!("cvt.{name}.{to}.{from} d, a;");
		check(&code("s32", "f64"), ["f64"], "b32", &doubles, |[a]| from_double(a) as i32 as u32 as u64);
		check(&code("u32", "f64"), ["f64"], "b32", &doubles, |[a]| from_double(a) as u32 as u64);
		check(&code("s64", "f64"), ["f64"], "b64", &doubles, |[a]| from_double(a) as i64 as u64);
		check(&code("u64", "f64"), ["f64"], "b64", &doubles, |[a]| from_double(a) as u64);
		check(&code("s8", "f64"), ["f64"], "b32", &doubles, |[a]| from_double(a) as i8 as u32 as u64);
		check(&code("u8", "f32"), ["f32"], "b16", &singles, |[a]| from_single(a) as u8 as u64);
		check(&code("s32", "f32"), ["f32"], "b32", &singles, |[a]| from_single(a) as i32 as u32 as u64);
		check(&code("u64", "f32"), ["f32"], "b64", &singles, |[a]| from_single(a) as u64);
		check(&code("f64", "f64"), ["f64"], "f64", &doubles, |[a]| from_double(a).to_bits());
		check(&code("f32", "f32"), ["f32"], "f32", &singles, |[a]| (from_single(a) as f32).to_bits().into());
	}
}

#[test]
fn nan_becomes_zero_or_the_top_bit() {
	let single = [vec![u64::from(f32::NAN.to_bits())]];
	let double = [vec![f64::NAN.to_bits()]];
	assert_eq!(evaluate("cvt.rzi.s32.f32 d, a;", &["f32"], "b32", &single), [0]);
	assert_eq!(evaluate("cvt.rzi.u64.f32 d, a;", &["f32"], "b64", &single), [1 << 63]);
	assert_eq!(evaluate("cvt.rzi.s32.f64 d, a;", &["f64"], "b32", &double), [0x8000_0000]);
	assert_eq!(evaluate("cvt.f64.f32 d, a;", &["f32"], "f64", &single), [0x7ff8_0000_0000_0000]);
	assert_eq!(evaluate("cvt.rn.f32.f64 d, a;", &["f64"], "f32", &double), [0x7fff_ffff]);
}

#[test]
fn floats_are_widened_exactly_and_narrowed_to_the_nearest() {
	let singles = [0.1f32, -1.5, f32::MAX, f32::MIN_POSITIVE / 8.0].map(|value| u64::from(value.to_bits()));
	check("cvt.f64.f32 d, a;", ["f32"], "f64", &singles, |[a]| f64::from(f32::from_bits(a as u32)).to_bits());
	let doubles = [0.1f64, -1.0e300, 1.0e-40, 16_777_217.0, 16_777_219.0].map(f64::to_bits);
	check("cvt.rn.f32.f64 d, a;", ["f64"], "f32", &doubles, |[a]| {
		(f64::from_bits(a) as f32).to_bits().into()
	});
}
