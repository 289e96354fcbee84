//! Results that are rounded in one direction, told from the host's nearest ones by the sign of what these leave over.

use crate::evaluate::evaluate;
use proptest::prelude::*;
use std::cmp::Ordering;

const MODES: [&str; 4] = ["rn", "rz", "rm", "rp"];

/// The number that a mode chooses for a result of which the nearest number is known, and where the exact one lies.
fn choose(mode: &str, nearest: f64, exact_is: Ordering, next: fn(f64, bool) -> f64) -> f64 {
	let (below, above) = match exact_is {
		Ordering::Equal => (nearest, nearest),
		Ordering::Less => (next(nearest, false), nearest),
		Ordering::Greater => (nearest, next(nearest, true)),
	};
	match mode {
		"rn" => nearest,
		"rm" => below,
		"rp" => above,
		_ => {
			if nearest.is_sign_negative() {
				above
			} else {
				below
			}
		}
	}
}

fn next_double(value: f64, up: bool) -> f64 {
	if up {
		value.next_up()
	} else {
		value.next_down()
	}
}

fn next_single(value: f64, up: bool) -> f64 {
	let value = value as f32;
	f64::from(if up { value.next_up() } else { value.next_down() })
}

fn sign(value: f64) -> Ordering {
	value.partial_cmp(&0.0).unwrap()
}

/// Numbers of which no sum, product, quotient or remainder leaves the normal range.
fn tame() -> impl Strategy<Value = f64> {
	(any::<bool>(), 990u64..1056, any::<u64>(), 0u32..52).prop_map(|(negative, exponent, fraction, zeros)| {
		f64::from_bits(u64::from(negative) << 63 | exponent << 52 | (fraction >> 12) >> zeros << zeros)
	})
}

fn run(code: &str, ty: &str, operands: &[u64]) -> u64 {
	let types = vec![ty; operands.len()];
	evaluate(code, &types, ty, &[operands.to_vec()])[0]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(300))]

	#[test]
	fn doubles_are_rounded_in_the_direction_asked_for(a in tame(), b in tame(), c in tame()) {
		// What the nearest number leaves over is a double itself, and found exactly.
		let sum = a + b;
		let added = sum - a;
		let left_of_sum = (a - (sum - added)) + (b - added);
		let product = a * b;
		let quotient = a / b;
		let root = a.abs().sqrt();
		for mode in MODES {
			for (code, operands, nearest, left) in [
				("add", vec![a, b], sum, left_of_sum),
				("sub", vec![a, -b], sum, left_of_sum),
				("mul", vec![a, b], product, a.mul_add(b, -product)),
				("div", vec![a, b], quotient, (-quotient).mul_add(b, a) * b.signum()),
				("sqrt", vec![a.abs()], root, (-root).mul_add(root, a.abs())),
				("rcp", vec![b], 1.0 / b, (-1.0 / b).mul_add(b, 1.0) * b.signum()),
			] {
				let bits: Vec<u64> = operands.iter().map(|value| value.to_bits()).collect();
				let names = ["a", "b"][..bits.len()].join(", ");
				let found = f64::from_bits(run(&format!("{code}.{mode}.f64 d, {names};"), "f64", &bits));
				let wanted = if nearest == 0.0 && left == 0.0 {
					// Equal numbers leave a zero that is negative only when it is rounded down.
					if mode == "rm" { -0.0 } else { 0.0 }
				} else {
					choose(mode, nearest, sign(left), next_double)
				};
				prop_assert_eq!(found.to_bits(), wanted.to_bits(), "{}.{} of {:?}", code, mode, operands);
			}
			let down = f64::from_bits(run("fma.rm.f64 d, a, b, c;", "f64", &[a, b, c].map(f64::to_bits)));
			let up = f64::from_bits(run("fma.rp.f64 d, a, b, c;", "f64", &[a, b, c].map(f64::to_bits)));
			let nearest = a.mul_add(b, c);
			prop_assert!(nearest == down || nearest == up);
			prop_assert!(down == up || down.next_up() == up);
		}
	}

	#[test]
	fn singles_are_rounded_in_the_direction_asked_for(a in any::<f32>(), b in any::<f32>(), n in any::<u64>()) {
		prop_assume!(a.is_finite() && b.is_finite());
		let exact = f64::from(a) * f64::from(b);
		for mode in MODES {
			// A product of singles is a double, exactly, also where it is far out of range.
			for (code, operands, exact) in [
				(format!("mul.{mode}.f32 d, a, b;"), vec![a, b], exact),
				(format!("fma.{mode}.f32 d, a, b, 0f80000000;"), vec![a, b], if exact == 0.0 { return Ok(()) } else { exact }),
			] {
				let nearest = f64::from(exact as f32);
				let order = exact.partial_cmp(&nearest).unwrap();
				let wanted = (choose(mode, nearest, order, next_single) as f32).to_bits();
				let bits: Vec<u64> = operands.iter().map(|value| value.to_bits().into()).collect();
				prop_assert_eq!(run(&code, "f32", &bits) as u32, wanted, "{} of {:?}", code, operands);
			}
			let narrow = format!(".reg .f32 s; cvt.{mode}.f32.f64 s, a; cvt.f64.f32 d, s;");
			let wanted = choose(mode, f64::from(exact as f32), exact.partial_cmp(&f64::from(exact as f32)).unwrap(), next_single);
			prop_assert_eq!(run(&narrow, "f64", &[exact.to_bits()]), wanted.to_bits());
			let integer = format!(".reg .b64 i; mov.b64 i, a; cvt.{mode}.f64.s64 d, i;");
			let exact = n as i64;
			let nearest = exact as f64;
			let order = i128::from(exact).cmp(&(nearest as i128));
			prop_assert_eq!(run(&integer, "f64", &[n]), choose(mode, nearest, order, next_double).to_bits());
		}
	}
}

#[test]
fn results_out_of_range_are_infinite_or_the_largest_number() {
	let (max, infinity) = (f64::MAX, f64::INFINITY);
	for (mode, positive, negative) in
		[("rn", infinity, -infinity), ("rz", max, -max), ("rm", max, -infinity), ("rp", infinity, -max)]
	{
		let code = format!("add.{mode}.f64 d, a, a;");
		assert_eq!(f64::from_bits(run(&code, "f64", &[max.to_bits()])), positive, "{mode}");
		assert_eq!(f64::from_bits(run(&code, "f64", &[(-max).to_bits()])), negative, "{mode}");
		let tiny = f64::from_bits(1);
		let halved = |value: f64| {
			f64::from_bits(run(&format!("mul.{mode}.f64 d, a, 0.5;"), "f64", &[value.to_bits()]))
		};
		let (up, down) = (if mode == "rp" { tiny } else { 0.0 }, if mode == "rm" { -tiny } else { -0.0 });
		assert_eq!(
			(halved(tiny).to_bits(), halved(-tiny).to_bits()),
			(up.to_bits(), down.to_bits()),
			"{mode}"
		);
	}
}

#[test]
fn divisions_of_zeros_and_infinities_do_not_depend_on_the_rounding() {
	let (nan, infinity) = (0x7ff8_0000_0000_0000, f64::INFINITY.to_bits());
	for mode in MODES {
		let code = format!("div.{mode}.f64 d, a, b;");
		for (a, b, wanted) in [
			(0.0, 0.0, nan),
			(f64::INFINITY, -f64::INFINITY, nan),
			(f64::NAN, 1.0, nan),
			(1.0, 0.0, infinity),
			(-1.0, 0.0, infinity | 1 << 63),
			(0.0, -3.0, 1 << 63),
			(1.0, f64::INFINITY, 0),
			(f64::INFINITY, 2.0, infinity),
		] {
			assert_eq!(run(&code, "f64", &[a, b].map(f64::to_bits)), wanted, "{a} / {b} {mode}");
		}
		assert_eq!(run(&format!("rcp.{mode}.f64 d, a;"), "f64", &[(-0.0f64).to_bits()]), infinity | 1 << 63);
	}
}
