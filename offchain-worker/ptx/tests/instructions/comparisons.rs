//! `set`, against Rust's comparisons and against `setp`.

use crate::evaluate::{check, evaluate, EDGES};

const ONE: u64 = 0x3f80_0000;
const ALL: u64 = 0xffff_ffff;

/// Floats near every edge, as binary32 and as binary64.
const SINGLES: [u64; 9] =
	[0, 0x8000_0000, 1, 0x3f80_0000, 0xbf80_0000, 0x7f80_0000, 0xff80_0000, 0x7fc0_0000, 0xffc0_0001];

#[test]
fn a_comparison_of_integers_gives_ones_or_a_float() {
	for (name, holds) in [
		("eq", (|a, b| a == b) as fn(i32, i32) -> bool),
		("ne", |a, b| a != b),
		("lt", |a, b| a < b),
		("le", |a, b| a <= b),
		("gt", |a, b| a > b),
		("ge", |a, b| a >= b),
	] {
		for (result, one) in [("u32", ALL), ("s32", ALL), ("f32", ONE)] {
			let code = format!("set.{name}.{result}.s32 d, a, b;");
			check(
				&code,
				["s32", "s32"],
				result,
				&EDGES,
				|[a, b]| {
					if holds(a as i32, b as i32) {
						one
					} else {
						0
					}
				},
			);
		}
	}
	check("set.hs.u32.u16 d, a, b;", ["u16", "u16"], "u32", &EDGES, |[a, b]| {
		if a as u16 >= b as u16 {
			ALL
		} else {
			0
		}
	});
	check("set.ne.f32.b64 d, a, b;", ["b64", "b64"], "f32", &EDGES, |[a, b]| if a != b { ONE } else { 0 });
}

#[test]
fn a_comparison_is_combined_with_a_predicate() {
	for (join, joined) in
		[("and", (|a, b| a && b) as fn(bool, bool) -> bool), ("or", |a, b| a || b), ("xor", |a, b| a != b)]
	{
		for negated in [false, true] {
			let c = if negated { "!c" } else { "c" };
			let code = format!("set.lt.{join}.u32.u64 d, a, b, {c};");
			check(&code, ["u64", "u64", "pred"], "u32", &[0, 1, 2, u64::MAX], |[a, b, c]| {
				// A predicate is whether the low half is not zero.
				if joined(a < b, (c as u32 != 0) != negated) {
					ALL
				} else {
					0
				}
			});
		}
	}
}

#[test]
fn floats_are_compared_as_setp_does() {
	let doubles = SINGLES.map(|bits| f64::from(f32::from_bits(bits as u32)).to_bits());
	for (ty, values) in [("f32", SINGLES), ("f64", doubles)] {
		let rows: Vec<Vec<u64>> = values.iter().flat_map(|a| values.iter().map(|b| vec![*a, *b])).collect();
		for name in
			["eq", "ne", "lt", "le", "gt", "ge", "equ", "neu", "ltu", "leu", "gtu", "geu", "num", "nan"]
		{
			let predicates = evaluate(&format!("setp.{name}.{ty} d, a, b;"), &[ty, ty], "pred", &rows);
			assert!(predicates.contains(&0) && predicates.contains(&1), "{name}");
			for (result, one) in [("s32", ALL), ("f32", ONE)] {
				let code = format!("set.{name}.{result}.{ty} d, a, b;");
				let expected: Vec<u64> = predicates.iter().map(|holds| holds * one).collect();
				assert_eq!(evaluate(&code, &[ty, ty], result, &rows), expected, "{code}");
			}
		}
	}
}
