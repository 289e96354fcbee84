//! Carry chains and the smaller integer and float instructions that compilers emit.

use crate::{
	evaluate::{check, evaluate, EDGES},
	kernel::{run, words},
};
use proptest::prelude::*;

/// Two numbers of 128 bits as two pairs of 64-bit halves, through a chain of `instructions` on `a:b` and `c:e`.
fn chain(instructions: &str, x: u128, y: u128) -> u128 {
	let row = vec![x as u64, (x >> 64) as u64, y as u64, (y >> 64) as u64];
	let halves = ["lo", "hi"].map(|half| {
		let code = format!(".reg .b64 lo, hi; {instructions} mov.b64 d, {half};");
		evaluate(&code, &["b64"; 4], "b64", std::slice::from_ref(&row))[0]
	});
	u128::from(halves[0]) | u128::from(halves[1]) << 64
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn carry_chains_compute_with_wide_numbers(x in any::<u128>(), y in any::<u128>(), cut in 0u32..128) {
		for (x, y) in [(x, y), (x >> cut, y), (x, x), (x, !x), (u128::MAX, y >> cut)] {
			prop_assert_eq!(chain("add.cc.u64 lo, a, c; addc.u64 hi, b, e;", x, y), x.wrapping_add(y));
			prop_assert_eq!(chain("sub.cc.s64 lo, a, c; subc.s64 hi, b, e;", x, y), x.wrapping_sub(y));
			let product = "mul.lo.u64 lo, a, c; mul.hi.u64 hi, a, c; mad.lo.u64 hi, a, e, hi; mad.lo.u64 hi, b, c, hi;";
			prop_assert_eq!(chain(product, x, y), x.wrapping_mul(y));
			// As compilers add a product to a wide number.
			let fused = "mad.lo.cc.u64 lo, a, c, b; madc.hi.u64 hi, a, c, e;";
			let wanted = (u128::from(x as u64) * u128::from(y as u64)).wrapping_add(x >> 64).wrapping_add(y >> 64 << 64);
			prop_assert_eq!(chain(fused, x, y), wanted);
			let words = "
				.reg .b32 p0, p1, q0, q1, r0, r1, r2; mov.b64 {p0, p1}, a; mov.b64 {q0, q1}, c;
				add.cc.u32 r0, p0, q0; addc.cc.u32 r1, p1, q1; addc.u32 r2, 0, 0; mov.b64 lo, {r0, r1}; cvt.u64.u32 hi, r2;";
			prop_assert_eq!(chain(words, x, y), u128::from(x as u64) + u128::from(y as u64));
		}
	}
}

#[test]
fn the_carry_is_kept_until_the_next_instruction_that_gives_one() {
	let code =
		".reg .b32 u, y, z; add.cc.u32 u, a, b; add.u32 y, a, b; addc.cc.u32 y, 0, 0; addc.u32 z, 0, 0;
		shl.b32 y, y, 1; or.b32 d, y, z;";
	check(code, ["b32"; 2], "b32", &EDGES, |[a, b]| {
		u64::from((a as u32).checked_add(b as u32).is_none()) << 1
	});
	let borrow = ".reg .b32 u; sub.cc.u32 u, a, b; subc.u32 d, 0, 0;";
	check(borrow, ["b32"; 2], "b32", &EDGES, |[a, b]| if (a as u32) < b as u32 { 0xffff_ffff } else { 0 });
}

#[test]
fn sums_and_differences_stop_at_the_ends_of_the_range() {
	check("add.sat.s32 d, a, b;", ["b32"; 2], "b32", &EDGES, |[a, b]| {
		u64::from((a as i32).saturating_add(b as i32) as u32)
	});
	check("sub.sat.s32 d, a, b;", ["b32"; 2], "b32", &EDGES, |[a, b]| {
		u64::from((a as i32).saturating_sub(b as i32) as u32)
	});
}

#[test]
fn the_highest_bit_is_found() {
	let none = 0xffff_ffff;
	let unsigned = |a: u64| a.checked_ilog2().map_or(none, u64::from);
	let signed = |a: i64| if a < 0 { unsigned(!a as u64) } else { unsigned(a as u64) };
	let shift = |position: u64, width: u64| if position == none { none } else { width - 1 - position };
	let word = |code: &str, operand: &str, of: &dyn Fn(u64) -> u64| {
		let code = format!(".reg .b32 t_; {code} t_, a; cvt.u64.u32 d, t_;");
		check(&code, [operand], "b64", &EDGES, |[a]| of(a));
	};
	word("bfind.u32", "b32", &|a| unsigned(a & 0xffff_ffff));
	word("bfind.s32", "b32", &|a| signed((a as i32).into()));
	word("bfind.u64", "b64", &unsigned);
	word("bfind.s64", "b64", &|a| signed(a as i64));
	word("bfind.shiftamt.u32", "b32", &|a| shift(unsigned(a & 0xffff_ffff), 32));
	word("bfind.shiftamt.s64", "b64", &|a| shift(signed(a as i64), 64));
}

#[test]
fn absolute_differences_are_added() {
	check("sad.u32 d, a, b, c;", ["b32"; 3], "b32", &EDGES[..16], |[a, b, c]| {
		u64::from((a as u32).abs_diff(b as u32).wrapping_add(c as u32))
	});
	check("sad.s64 d, a, b, c;", ["b64"; 3], "b64", &EDGES, |[a, b, c]| {
		(a as i64).abs_diff(b as i64).wrapping_add(c)
	});
}

#[test]
fn a_sign_chooses_an_operand() {
	check("slct.b64.s32 d, a, b, c;", ["b64", "b64", "b32"], "b64", &EDGES, |[a, b, c]| {
		if (c as i32) < 0 {
			b
		} else {
			a
		}
	});
	let floats = [0.0f32, -0.0, 1.0, -1.0, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1e-45]
		.map(|x| x.to_bits().into());
	check("slct.u32.f32 d, a, b, c;", ["b32", "b32", "f32"], "b32", &floats, |[a, b, c]| {
		if f32::from_bits(c as u32) >= 0.0 {
			a
		} else {
			b
		}
	});
	check("copysign.f32 d, a, b;", ["f32"; 2], "f32", &floats, |[a, b]| a & 0x8000_0000 | b & 0x7fff_ffff);
	let doubles = [0.0, -0.0, -2.5, f64::NAN, f64::INFINITY].map(f64::to_bits);
	check("copysign.f64 d, a, b;", ["f64"; 2], "f64", &doubles, |[a, b]| a & 1 << 63 | b & !(1 << 63));
}

#[test]
fn floats_are_told_apart_by_their_class() {
	let singles = [0.0, -0.0, 1.0, f32::NAN, f32::INFINITY, -f32::INFINITY, 1e-40, f32::MIN_POSITIVE];
	let singles = singles.map(|x: f32| u64::from(x.to_bits()));
	let of = |test: fn(f32) -> bool| move |[a]: [u64; 1]| u64::from(test(f32::from_bits(a as u32)));
	check("testp.finite.f32 d, a;", ["f32"], "pred", &singles, of(f32::is_finite));
	check("testp.infinite.f32 d, a;", ["f32"], "pred", &singles, of(f32::is_infinite));
	check("testp.number.f32 d, a;", ["f32"], "pred", &singles, of(|x| !x.is_nan()));
	check("testp.notanumber.f32 d, a;", ["f32"], "pred", &singles, of(f32::is_nan));
	check("testp.normal.f32 d, a;", ["f32"], "pred", &singles, of(f32::is_normal));
	check("testp.subnormal.f32 d, a;", ["f32"], "pred", &singles, of(f32::is_subnormal));
	let doubles = [1.0, 5e-324, f64::MAX].map(f64::to_bits);
	check("testp.subnormal.f64 d, a;", ["f64"], "pred", &doubles, |[a]| {
		u64::from(f64::from_bits(a).is_subnormal())
	});
}

#[test]
fn counters_wrap_and_floats_add_up() {
	let body = "
		atom.global.inc.u32 %r1, [%rd0], 9; red.global.dec.u32 [%rd0+4], 6; red.global.add.f32 [%rd0+8], 0f3F000000;
		.reg .f64 x; atom.global.add.f64 x, [%rd0+16], 0.25;";
	let found = run(body, 25, &[0; 24]).unwrap();
	assert_eq!(words(&found)[..2], [25 % 10, 7 - 25 % 7]);
	assert_eq!(f32::from_bits(words(&found)[2]), 12.5);
	assert_eq!(f64::from_le_bytes(found[16..].try_into().unwrap()), 6.25);
}
