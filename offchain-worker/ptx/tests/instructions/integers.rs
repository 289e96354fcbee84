//! Integer arithmetic, against Rust's own of the same width.

use crate::evaluate::{check, EDGES};

/// Checks the instructions that exist for all integer types against the type's methods.
macro_rules! check_type {
	($name:literal, $ty:ty, $unsigned:ty, $wide:ty) => {{
		let t = $name;
		let binary = |instruction: &str, expected: fn($ty, $ty) -> $ty| {
			let code = format!("{instruction}.{t} d, a, b;");
			check(&code, [t, t], t, &EDGES, |[a, b]| expected(a as $ty, b as $ty) as $unsigned as u64);
		};
		binary("add", <$ty>::wrapping_add);
		binary("sub", <$ty>::wrapping_sub);
		binary("mul.lo", <$ty>::wrapping_mul);
		binary("mul.hi", |a, b| ((a as $wide * b as $wide) >> <$ty>::BITS) as $ty);
		binary("min", <$ty>::min);
		binary("max", <$ty>::max);
		// All ones for a zero divisor: `!0`.
		binary("div", |a, b| if b == 0 { !0 } else { a.wrapping_div(b) });
		binary("rem", |a, b| if b == 0 { !0 } else { a.wrapping_rem(b) });
		let few = [0, 1, 5, 0x7fff, 0x8000, 0x1_0000, 0x8000_0001, u64::MAX, i64::MIN as u64];
		check(&format!("mad.lo.{t} d, a, b, c;"), [t, t, t], t, &few, |[a, b, c]| {
			(a as $ty).wrapping_mul(b as $ty).wrapping_add(c as $ty) as $unsigned as u64
		});
		check(&format!("mad.hi.{t} d, a, b, c;"), [t, t, t], t, &few, |[a, b, c]| {
			let high = ((a as $ty as $wide * b as $ty as $wide) >> <$ty>::BITS) as $ty;
			high.wrapping_add(c as $ty) as $unsigned as u64
		});
		check(&format!("shr.{t} d, a, b;"), [t, "u32"], t, &EDGES, |[a, b]| {
			let (a, amount) = (a as $ty, b as u32);
			let out = if a < (0 as $ty) { !0 } else { 0 };
			a.checked_shr(amount).unwrap_or(out) as $unsigned as u64
		});
		let compare = |name: &str, expected: fn(&$ty, &$ty) -> bool| {
			let code = format!("setp.{name}.{t} d, a, b;");
			check(&code, [t, t], "pred", &EDGES, |[a, b]| expected(&(a as $ty), &(b as $ty)).into());
		};
		compare("eq", |a, b| a == b);
		compare("ne", |a, b| a != b);
		compare("lt", |a, b| a < b);
		compare("le", |a, b| a <= b);
		compare("gt", |a, b| a > b);
		compare("ge", |a, b| a >= b);
	}};
}

#[test]
fn unsigned_arithmetic_is_rusts() {
	check_type!("u16", u16, u16, u32);
	check_type!("u32", u32, u32, u64);
	check_type!("u64", u64, u64, u128);
}

#[test]
fn signed_arithmetic_is_rusts() {
	check_type!("s16", i16, u16, i32);
	check_type!("s32", i32, u32, i64);
	check_type!("s64", i64, u64, i128);
}

#[test]
fn the_smallest_number_divided_by_minus_one_wraps() {
	let min = i32::MIN as u32 as u64;
	let rows = [vec![min, u64::from(u32::MAX)]];
	assert_eq!(crate::evaluate::evaluate("div.s32 d, a, b;", &["s32", "s32"], "s32", &rows), [min]);
	assert_eq!(crate::evaluate::evaluate("rem.s32 d, a, b;", &["s32", "s32"], "s32", &rows), [0]);
}

#[test]
fn wide_products_have_twice_the_width() {
	check("mul.wide.u32 d, a, b;", ["u32", "u32"], "u64", &EDGES, |[a, b]| {
		u64::from(a as u32) * u64::from(b as u32)
	});
	check("mul.wide.s32 d, a, b;", ["s32", "s32"], "s64", &EDGES, |[a, b]| {
		(i64::from(a as i32) * i64::from(b as i32)) as u64
	});
	check("mul.wide.u16 d, a, b;", ["u16", "u16"], "u32", &EDGES, |[a, b]| {
		(u32::from(a as u16) * u32::from(b as u16)).into()
	});
	check("mul.wide.s16 d, a, b;", ["s16", "s16"], "s32", &EDGES, |[a, b]| {
		(i32::from(a as i16) * i32::from(b as i16)) as u32 as u64
	});
	let few = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, u64::MAX, i64::MIN as u64];
	check("mad.wide.u32 d, a, b, c;", ["u32", "u32", "u64"], "u64", &few, |[a, b, c]| {
		(u64::from(a as u32) * u64::from(b as u32)).wrapping_add(c)
	});
	check("mad.wide.s32 d, a, b, c;", ["s32", "s32", "s64"], "s64", &few, |[a, b, c]| {
		(i64::from(a as i32) * i64::from(b as i32)).wrapping_add(c as i64) as u64
	});
	check("mad.wide.s16 d, a, b, c;", ["s16", "s16", "s32"], "s32", &few, |[a, b, c]| {
		(i32::from(a as i16) * i32::from(b as i16)).wrapping_add(c as i32) as u32 as u64
	});
}

#[test]
fn products_of_24_bits_take_bits_0_to_31_or_16_to_47() {
	let values = [0, 1, 0x7f_ffff, 0x80_0000, 0xff_ffff, 0x1ff_ffff, 0xffff_ffff, 0x12_3456];
	let unsigned = |a: u64| a & 0xff_ffff;
	let signed = |a: u64| i64::from(((a as u32) << 8) as i32 >> 8);
	check("mul24.lo.u32 d, a, b;", ["u32", "u32"], "u32", &values, |[a, b]| {
		(unsigned(a) * unsigned(b)) & 0xffff_ffff
	});
	check("mul24.hi.u32 d, a, b;", ["u32", "u32"], "u32", &values, |[a, b]| {
		(unsigned(a) * unsigned(b)) >> 16 & 0xffff_ffff
	});
	check("mul24.lo.s32 d, a, b;", ["s32", "s32"], "s32", &values, |[a, b]| {
		(signed(a) * signed(b)) as u64 & 0xffff_ffff
	});
	check("mul24.hi.s32 d, a, b;", ["s32", "s32"], "s32", &values, |[a, b]| {
		((signed(a) * signed(b)) >> 16) as u64 & 0xffff_ffff
	});
	check("mad24.lo.s32 d, a, b, c;", ["s32"; 3], "s32", &values, |[a, b, c]| {
		(signed(a) * signed(b) + c as i64) as u64 & 0xffff_ffff
	});
	check("mad24.hi.u32 d, a, b, c;", ["u32"; 3], "u32", &values, |[a, b, c]| {
		(((unsigned(a) * unsigned(b)) >> 16) + c) & 0xffff_ffff
	});
}

#[test]
fn signs_are_dropped_and_turned() {
	check("abs.s16 d, a;", ["s16"], "s16", &EDGES, |[a]| (a as i16).wrapping_abs() as u16 as u64);
	check("abs.s32 d, a;", ["s32"], "s32", &EDGES, |[a]| (a as i32).wrapping_abs() as u32 as u64);
	check("abs.s64 d, a;", ["s64"], "s64", &EDGES, |[a]| (a as i64).wrapping_abs() as u64);
	check("neg.s16 d, a;", ["s16"], "s16", &EDGES, |[a]| (a as i16).wrapping_neg() as u16 as u64);
	check("neg.s32 d, a;", ["s32"], "s32", &EDGES, |[a]| (a as i32).wrapping_neg() as u32 as u64);
	check("neg.s64 d, a;", ["s64"], "s64", &EDGES, |[a]| a.wrapping_neg());
}

#[test]
fn logic_works_on_every_width_and_on_predicates() {
	for (ty, mask) in [("b16", 0xffff), ("b32", 0xffff_ffff), ("b64", u64::MAX)] {
		let code = |name: &str| format!("{name}.{ty} d, a, b;");
		check(&code("and"), [ty, ty], ty, &EDGES, |[a, b]| a & b & mask);
		check(&code("or"), [ty, ty], ty, &EDGES, |[a, b]| (a | b) & mask);
		check(&code("xor"), [ty, ty], ty, &EDGES, |[a, b]| (a ^ b) & mask);
		check(&format!("not.{ty} d, a;"), [ty], ty, &EDGES, |[a]| !a & mask);
		check(&format!("cnot.{ty} d, a;"), [ty], ty, &EDGES, |[a]| u64::from(a & mask == 0));
		check(&format!("shl.{ty} d, a, b;"), [ty, "u32"], ty, &EDGES, |[a, b]| {
			a.checked_shl(b as u32).unwrap_or(0) & mask
		});
		check(&format!("shr.{ty} d, a, b;"), [ty, "u32"], ty, &EDGES, |[a, b]| {
			(a & mask).checked_shr(b as u32).unwrap_or(0)
		});
	}
	check("and.pred d, a, b;", ["pred", "pred"], "pred", &[0, 1], |[a, b]| a & b);
	check("or.pred d, a, b;", ["pred", "pred"], "pred", &[0, 1], |[a, b]| a | b);
	check("xor.pred d, a, b;", ["pred", "pred"], "pred", &[0, 1], |[a, b]| a ^ b);
	check("not.pred d, a;", ["pred"], "pred", &[0, 1], |[a]| 1 - a);
	check("mov.pred d, a;", ["pred"], "pred", &[0, 1], |[a]| a);
}

#[test]
fn unsigned_comparisons_have_names_of_their_own() {
	let check = |name: &str, expected: fn(u32, u32) -> bool| {
		let code = format!("setp.{name}.u32 d, a, b;");
		check(&code, ["u32", "u32"], "pred", &EDGES, |[a, b]| expected(a as u32, b as u32).into());
	};
	check("lo", |a, b| a < b);
	check("ls", |a, b| a <= b);
	check("hi", |a, b| a > b);
	check("hs", |a, b| a >= b);
}

#[test]
fn comparisons_combine_with_a_predicate_and_give_their_opposite() {
	let values = [0, 1, 0xffff_ffff];
	let operands = ["s32", "s32", "pred"];
	let less = |a: u64, b: u64| (a as i32) < (b as i32);
	check("setp.lt.and.s32 d, a, b, c;", operands, "pred", &values, |[a, b, c]| {
		(less(a, b) && c != 0).into()
	});
	check("setp.lt.or.s32 d, a, b, c;", operands, "pred", &values, |[a, b, c]| (less(a, b) || c != 0).into());
	check("setp.lt.xor.s32 d, a, b, !c;", operands, "pred", &values, |[a, b, c]| {
		(less(a, b) != (c == 0)).into()
	});
	let second = ".reg .pred p; setp.lt.and.s32 p|d, a, b, c;";
	check(second, operands, "pred", &values, |[a, b, c]| (!less(a, b) && c != 0).into());
	let second = "setp.eq.b32 _|d, a, b;";
	check(second, ["b32", "b32"], "pred", &values, |[a, b]| (a != b).into());
}

#[test]
fn selp_chooses_by_its_predicate() {
	check("selp.b64 d, a, b, c;", ["b64", "b64", "pred"], "b64", &[0, 1, u64::MAX], |[a, b, c]| {
		if c != 0 {
			a
		} else {
			b
		}
	});
	check("selp.s16 d, 7, -1, a;", ["pred"], "s16", &[0, 1], |[a]| if a != 0 { 7 } else { 0xffff });
}
