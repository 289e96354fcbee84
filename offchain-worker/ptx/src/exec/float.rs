//! Floating-point arithmetic on the bits of binary32 and binary64 numbers.

use super::{
	fused::{Format, BINARY32, BINARY64},
	integer::{clamp, extend},
};
use crate::ir::{Comparison, FloatBinary, FloatClass, FloatUnary, IntType, Precision, Rounding};

fn format(precision: Precision) -> Format {
	match precision {
		Precision::Single => BINARY32,
		Precision::Double => BINARY64,
	}
}

/// The value of a number's bits. Every binary32 number is a binary64 number too.
fn value(precision: Precision, bits: u64) -> f64 {
	match precision {
		Precision::Single => f32::from_bits(bits as u32).into(),
		Precision::Double => f64::from_bits(bits),
	}
}

/// The bits of a number, rounded if it is to be a binary32 one.
fn bits(precision: Precision, value: f64) -> u64 {
	let bits = match precision {
		Precision::Single => (value as f32).to_bits().into(),
		Precision::Double => value.to_bits(),
	};
	// Sign and payload of a NaN differ from host to host.
	match format(precision) {
		format if format.is_nan(bits) => format.canonical_nan(),
		_ => bits,
	}
}

pub(super) fn unary(op: FloatUnary, precision: Precision, rounding: Rounding, a: u64) -> u64 {
	let a_value = value(precision, a);
	match op {
		FloatUnary::Sqrt => format(precision).square_root(rounding, a),
		FloatUnary::Reciprocal => {
			let one = format(precision).one();
			binary(FloatBinary::Div, precision, rounding, one, a)
		}
		FloatUnary::Abs => bits(precision, if a_value.is_sign_negative() { -a_value } else { a_value }),
		FloatUnary::Neg => bits(precision, -a_value),
	}
}

pub(super) fn binary(op: FloatBinary, precision: Precision, rounding: Rounding, a: u64, b: u64) -> u64 {
	match (op, precision) {
		(FloatBinary::Min | FloatBinary::Max, _) => extreme(op == FloatBinary::Min, precision, a, b),
		(FloatBinary::CopySign, _) => format(precision).copy_sign(a, b),
		_ if rounding != Rounding::NearestEven => directed(op, format(precision), rounding, a, b),
		(_, Precision::Double) => {
			let (a, b) = (f64::from_bits(a), f64::from_bits(b));
			bits(
				precision,
				match op {
					FloatBinary::Add => a + b,
					FloatBinary::Sub => a - b,
					FloatBinary::Mul => a * b,
					_ => a / b,
				},
			)
		}
		(_, Precision::Single) => {
			let (a, b) = (f32::from_bits(a as u32), f32::from_bits(b as u32));
			let result = match op {
				FloatBinary::Add => a + b,
				FloatBinary::Sub => a - b,
				FloatBinary::Mul => a * b,
				_ => a / b,
			};
			bits(precision, result.into())
		}
	}
}

/// The roundings that a host does not have without changing its mode.
fn directed(op: FloatBinary, format: Format, rounding: Rounding, a: u64, b: u64) -> u64 {
	match op {
		FloatBinary::Div => format.divide(rounding, a, b),
		FloatBinary::Mul => format.fused_multiply_add(rounding, a, b, format.zero_like_product(a, b)),
		FloatBinary::Sub => format.fused_multiply_add(rounding, a, format.one(), format.negate(b)),
		_ => format.fused_multiply_add(rounding, a, format.one(), b),
	}
}

pub(super) fn is_of_class(class: FloatClass, precision: Precision, a: u64) -> bool {
	use core::num::FpCategory::{Infinite, Nan, Normal, Subnormal};
	// A subnormal binary32 number is a normal binary64 number.
	let category = match precision {
		Precision::Single => f32::from_bits(a as u32).classify(),
		Precision::Double => f64::from_bits(a).classify(),
	};
	match class {
		FloatClass::Finite => !matches!(category, Infinite | Nan),
		FloatClass::Infinite => category == Infinite,
		FloatClass::Number => category != Nan,
		FloatClass::NotANumber => category == Nan,
		FloatClass::Normal => category == Normal,
		FloatClass::Subnormal => category == Subnormal,
	}
}

/// Whether a binary32 number is at least zero; a NaN is not.
pub(super) fn is_not_negative(bits: u64) -> bool {
	f32::from_bits(bits as u32) >= 0.0
}

/// The smaller or the larger number; -0 is smaller than +0, and a NaN gives way to a number.
fn extreme(smaller: bool, precision: Precision, a: u64, b: u64) -> u64 {
	let (x, y) = (value(precision, a), value(precision, b));
	if x.is_nan() {
		return bits(precision, y);
	}
	let x_first = y.is_nan() || x < y || (x == y && x.is_sign_negative());
	if y.is_nan() || x_first == smaller {
		a
	} else {
		b
	}
}

pub(super) fn fused_multiply_add(precision: Precision, rounding: Rounding, a: u64, b: u64, c: u64) -> u64 {
	format(precision).fused_multiply_add(rounding, a, b, c)
}

pub(super) fn compare(comparison: Comparison, precision: Precision, a: u64, b: u64) -> bool {
	let (a, b) = (value(precision, a), value(precision, b));
	let unordered = a.is_nan() || b.is_nan();
	match comparison {
		Comparison::Equal => a == b,
		Comparison::NotEqual => !unordered && a != b,
		Comparison::Less => a < b,
		Comparison::LessEqual => a <= b,
		Comparison::Greater => a > b,
		Comparison::GreaterEqual => a >= b,
		Comparison::EqualUnordered => unordered || a == b,
		Comparison::NotEqualUnordered => a != b,
		Comparison::LessUnordered => unordered || a < b,
		Comparison::LessEqualUnordered => unordered || a <= b,
		Comparison::GreaterUnordered => unordered || a > b,
		Comparison::GreaterEqualUnordered => unordered || a >= b,
		Comparison::Numbers => !unordered,
		Comparison::NotNumbers => unordered,
	}
}

/// Rounded in one step.
pub(super) fn from_integer(from: IntType, to: Precision, rounding: Rounding, a: u64) -> u64 {
	if rounding != Rounding::NearestEven {
		let value = if from.signed { i128::from(from.sign_extend(a)) } else { from.wrap(a).into() };
		return format(to).integer(rounding, value);
	}
	match (to, from.signed) {
		(Precision::Single, true) => (from.sign_extend(a) as f32).to_bits().into(),
		(Precision::Single, false) => (from.wrap(a) as f32).to_bits().into(),
		(Precision::Double, true) => (from.sign_extend(a) as f64).to_bits(),
		(Precision::Double, false) => (from.wrap(a) as f64).to_bits(),
	}
}

/// Numbers out of range become the nearest integer in range. A NaN becomes zero, or 2^(width - 1) if either type has
/// 64 bits.
pub(super) fn to_integer(from: Precision, to: IntType, rounding: Rounding, register: u8, a: u64) -> u64 {
	let number = value(from, a);
	if number.is_nan() {
		let wide = from == Precision::Double || to.bits == 64;
		return if wide { extend(to, register, 1 << (to.bits - 1)) } else { 0 };
	}
	// Far beyond 64 bits a cast to `i128` saturates, and is clamped further.
	extend(to, register, clamp(to, round_to_integral(number, rounding) as i128) as u64)
}

pub(super) fn to_float(from: Precision, to: Precision, rounding: Rounding, a: u64) -> u64 {
	if rounding != Rounding::NearestEven && value(from, a).is_finite() {
		return format(to).narrow(rounding, format(from), a);
	}
	bits(to, value(from, a))
}

/// Rounds to a float without a fraction. The result of a binary32 number always fits one.
pub(super) fn round(precision: Precision, rounding: Rounding, a: u64) -> u64 {
	bits(precision, round_to_integral(value(precision, a), rounding))
}

fn round_to_integral(number: f64, rounding: Rounding) -> f64 {
	/// From here on all numbers are integral.
	const ALL_INTEGRAL: f64 = 4_503_599_627_370_496.0;
	let magnitude = if number.is_sign_negative() { -number } else { number };
	if number.is_nan() || magnitude >= ALL_INTEGRAL {
		return number;
	}
	let below = magnitude as i64;
	let fraction = magnitude - below as f64;
	let up = match rounding {
		Rounding::NearestEven => fraction > 0.5 || (fraction == 0.5 && below & 1 == 1),
		Rounding::Zero => false,
		Rounding::Down => fraction > 0.0 && number.is_sign_negative(),
		Rounding::Up => fraction > 0.0 && number.is_sign_positive(),
	};
	let rounded = (below + i64::from(up)) as f64;
	if number.is_sign_negative() {
		-rounded
	} else {
		rounded
	}
}
