//! Floating-point arithmetic, against the host's.

use crate::evaluate::check;

const SINGLES: [f32; 14] = [
	0.0,
	-0.0,
	1.0,
	-1.0,
	0.1,
	3.0,
	-1.0e-45,
	1.1754944e-38,
	1.0e38,
	-3.4028235e38,
	16_777_216.0,
	f32::INFINITY,
	f32::NEG_INFINITY,
	f32::NAN,
];

fn singles() -> [u64; 14] {
	SINGLES.map(|value| value.to_bits().into())
}

fn doubles() -> [u64; 17] {
	let mut values = [0; 17];
	let extra = [5.0e-324, f64::MAX, 0.1 + 0.2];
	for (slot, value) in values.iter_mut().zip(SINGLES.map(f64::from).into_iter().chain(extra)) {
		*slot = value.to_bits();
	}
	values
}

/// What the host computes.
type Operation<T, R> = fn(T, T) -> R;

/// NaN results have one form.
fn single(value: f32) -> u64 {
	if value.is_nan() {
		0x7fff_ffff
	} else {
		value.to_bits().into()
	}
}

fn double(value: f64) -> u64 {
	if value.is_nan() {
		0x7ff8_0000_0000_0000
	} else {
		value.to_bits()
	}
}

#[test]
fn single_arithmetic_is_the_hosts() {
	let operations: [(&str, Operation<f32, f32>); 4] =
		[("add.rn", |a, b| a + b), ("sub", |a, b| a - b), ("mul.rn", |a, b| a * b), ("div.rn", |a, b| a / b)];
	for (name, expected) in operations {
		check(&format!("{name}.f32 d, a, b;"), ["f32", "f32"], "f32", &singles(), |[a, b]| {
			single(expected(f32::from_bits(a as u32), f32::from_bits(b as u32)))
		});
	}
}

#[test]
fn double_arithmetic_is_the_hosts() {
	let operations: [(&str, Operation<f64, f64>); 4] =
		[("add", |a, b| a + b), ("sub.rn", |a, b| a - b), ("mul", |a, b| a * b), ("div.rn", |a, b| a / b)];
	for (name, expected) in operations {
		check(&format!("{name}.f64 d, a, b;"), ["f64", "f64"], "f64", &doubles(), |[a, b]| {
			double(expected(f64::from_bits(a), f64::from_bits(b)))
		});
	}
}

#[test]
fn fma_rounds_once() {
	check("fma.rn.f32 d, a, b, c;", ["f32"; 3], "f32", &singles(), |operands| {
		let [a, b, c] = operands.map(|bits| f32::from_bits(bits as u32));
		single(a.mul_add(b, c))
	});
	check("fma.rn.f64 d, a, b, c;", ["f64"; 3], "f64", &doubles(), |operands| {
		let [a, b, c] = operands.map(f64::from_bits);
		double(a.mul_add(b, c))
	});
	// 1 + 2^-12 squared, minus 1 + 2^-11: what is left is the bit that two roundings lose.
	let x = 1.0 + 2.0f32.powi(-12);
	let rows = [vec![x.to_bits().into(), (-(x * x)).to_bits().into()]];
	let fused = crate::evaluate::evaluate("fma.rn.f32 d, a, a, b;", &["f32", "f32"], "f32", &rows);
	let apart = crate::evaluate::evaluate("mul.f32 d, a, a; add.f32 d, d, b;", &["f32", "f32"], "f32", &rows);
	assert_eq!(fused, [u64::from(2.0f32.powi(-24).to_bits())]);
	assert_eq!(apart, [0], "`mul` and `add` are never fused");
}

#[test]
fn signs_roots_and_extremes_are_ieee() {
	check("abs.f32 d, a;", ["f32"], "f32", &singles(), |[a]| single(f32::from_bits(a as u32).abs()));
	check("neg.f64 d, a;", ["f64"], "f64", &doubles(), |[a]| double(-f64::from_bits(a)));
	let positive = doubles().map(|bits| bits & !(1 << 63));
	check("sqrt.rn.f64 d, a;", ["f64"], "f64", &positive, |[a]| double(f64::from_bits(a).sqrt()));
	let rows = [vec![u64::from((-1.0f32).to_bits())], vec![u64::from((-0.0f32).to_bits())]];
	let roots = crate::evaluate::evaluate("sqrt.rn.f32 d, a;", &["f32"], "f32", &rows);
	assert_eq!(roots, [0x7fff_ffff, 0x8000_0000]);
	for (name, smaller) in [("min", true), ("max", false)] {
		check(&format!("{name}.f32 d, a, b;"), ["f32", "f32"], "f32", &singles(), |[a, b]| {
			let (x, y) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
			match (x.is_nan(), y.is_nan()) {
				(true, true) => 0x7fff_ffff,
				(true, false) => b,
				(false, true) => a,
				// The total order puts -0 below +0.
				_ => {
					if (x.total_cmp(&y).is_le()) == smaller {
						a
					} else {
						b
					}
				}
			}
		});
	}
}

#[test]
fn comparisons_know_unordered_operands() {
	let comparisons: [(&str, Operation<f32, bool>); 14] = [
		("eq", |a, b| a == b),
		("ne", |a, b| a.partial_cmp(&b).is_some_and(|order| order.is_ne())),
		("lt", |a, b| a < b),
		("le", |a, b| a <= b),
		("gt", |a, b| a > b),
		("ge", |a, b| a >= b),
		("equ", |a, b| a.partial_cmp(&b).is_none_or(|order| order.is_eq())),
		("neu", |a, b| a != b),
		("ltu", |a, b| a.partial_cmp(&b).is_none_or(|order| order.is_lt())),
		("leu", |a, b| a.partial_cmp(&b).is_none_or(|order| order.is_le())),
		("gtu", |a, b| a.partial_cmp(&b).is_none_or(|order| order.is_gt())),
		("geu", |a, b| a.partial_cmp(&b).is_none_or(|order| order.is_ge())),
		("num", |a, b| a.partial_cmp(&b).is_some()),
		("nan", |a, b| a.partial_cmp(&b).is_none()),
	];
	for (name, expected) in comparisons {
		check(&format!("setp.{name}.f32 d, a, b;"), ["f32", "f32"], "pred", &singles(), |[a, b]| {
			expected(f32::from_bits(a as u32), f32::from_bits(b as u32)).into()
		});
	}
}

#[test]
fn float_constants_are_read_in_every_form() {
	let code =
		"mov.f32 d, 0f3FC00000; add.f32 d, d, 0d3FE0000000000000; add.f32 d, d, -1.25; mul.f32 d, d, a;";
	check(code, ["f32"], "f32", &singles(), |[a]| single(0.75 * f32::from_bits(a as u32)));
}
