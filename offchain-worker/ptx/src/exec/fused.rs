//! Arithmetic with one exact rounding, in integers: fused multiply-add and square root, which `core` does not have, and
//! the roundings in one direction, which hosts have only as a mode. A verifier must get the same bits on every host.

use crate::ir::Rounding;

/// A binary interchange format of IEEE 754.
#[derive(Clone, Copy, Debug)]
pub(super) struct Format {
	/// Bits of the fraction that are stored.
	fraction: u32,
	exponent: u32,
}

pub(super) const BINARY32: Format = Format { fraction: 23, exponent: 8 };
pub(super) const BINARY64: Format = Format { fraction: 52, exponent: 11 };

/// A finite number: `magnitude * 2^exponent`.
#[derive(Clone, Copy, Debug)]
struct Finite {
	negative: bool,
	magnitude: u128,
	exponent: i32,
}

/// Numbers are shifted so that their top bit is here before they are added: there is room for a carry, and enough
/// below the 106 bits of a product that a bit lost to the right never matters, but for the sticky bit.
const TOP: u32 = 125;

impl Format {
	/// The exponent of the lowest bit of the smallest number.
	fn lowest_exponent(self) -> i32 {
		2 - (1 << (self.exponent - 1)) - self.fraction as i32
	}

	fn infinity(self) -> u64 {
		((1 << self.exponent) - 1) << self.fraction
	}

	fn sign_bit(self) -> u64 {
		1 << (self.exponent + self.fraction)
	}

	/// The quiet NaN that all NaN results are.
	pub(super) fn canonical_nan(self) -> u64 {
		match self.fraction {
			23 => 0x7fff_ffff,
			_ => 0x7ff8_0000_0000_0000,
		}
	}

	pub(super) fn is_nan(self, bits: u64) -> bool {
		bits & !self.sign_bit() > self.infinity()
	}

	fn is_infinite(self, bits: u64) -> bool {
		bits & !self.sign_bit() == self.infinity()
	}

	fn is_zero(self, bits: u64) -> bool {
		bits & !self.sign_bit() == 0
	}

	fn finite(self, bits: u64) -> Finite {
		let negative = bits & self.sign_bit() != 0;
		let fraction = bits & ((1 << self.fraction) - 1);
		let field = (bits & self.infinity()) >> self.fraction;
		// Subnormal numbers have the exponent of the smallest normal ones, but no implicit bit.
		let (magnitude, shift) =
			if field == 0 { (fraction, 0) } else { (fraction | 1 << self.fraction, field as i32 - 1) };
		Finite { negative, magnitude: magnitude.into(), exponent: self.lowest_exponent() + shift }
	}

	/// One, whose exponent field is that of the bias.
	pub(super) fn one(self) -> u64 {
		((1 << (self.exponent - 1)) - 1) << self.fraction
	}

	pub(super) fn negate(self, bits: u64) -> u64 {
		bits ^ self.sign_bit()
	}

	/// `b` with the sign of `a`.
	pub(super) fn copy_sign(self, a: u64, b: u64) -> u64 {
		(a & self.sign_bit()) | (b & !self.sign_bit())
	}

	/// The zero that has the sign of a product.
	pub(super) fn zero_like_product(self, a: u64, b: u64) -> u64 {
		(a ^ b) & self.sign_bit()
	}

	/// An integer as a number of the format.
	pub(super) fn integer(self, rounding: Rounding, value: i128) -> u64 {
		let number = Finite { negative: value < 0, magnitude: value.unsigned_abs(), exponent: 0 };
		self.round(rounding, number)
	}

	/// A finite number of another format.
	pub(super) fn narrow(self, rounding: Rounding, from: Self, bits: u64) -> u64 {
		self.round(rounding, from.finite(bits))
	}

	/// The number of the format that the rounding chooses.
	fn round(self, rounding: Rounding, number: Finite) -> u64 {
		let Finite { negative, magnitude, exponent } = number;
		let sign = if negative { self.sign_bit() } else { 0 };
		let away = match rounding {
			Rounding::NearestEven | Rounding::Zero => false,
			Rounding::Down => negative,
			Rounding::Up => !negative,
		};
		let length = 128 - magnitude.leading_zeros() as i32;
		let drop = (length - self.fraction as i32 - 1).max(self.lowest_exponent() - exponent);
		let kept = if drop <= 0 {
			magnitude << -drop.max(-127)
		} else {
			let kept = magnitude.checked_shr(drop as u32).unwrap_or(0);
			let half = 1u128.checked_shl(drop as u32 - 1).unwrap_or(0);
			// Where `half` is beyond all bits, the whole number is less than it.
			let rest = magnitude & half.wrapping_sub(1) | magnitude & half;
			let nearest = half != 0 && (rest > half || (rest == half && kept & 1 == 1));
			kept + u128::from(if rounding == Rounding::NearestEven { nearest } else { away && rest != 0 })
		};
		if kept == 0 {
			return sign;
		}
		// Adding the kept bits, implicit bit included, to the exponent field makes a carry out of the fraction do the
		// right thing, and a subnormal number that rounds up become normal.
		let field = (exponent + drop - self.lowest_exponent()) as u64;
		let bits = (field << self.fraction).saturating_add(kept as u64);
		let beyond = field >= self.infinity() >> self.fraction || bits >= self.infinity();
		// Too large a number is rounded to infinity, or to the largest one if that is the direction.
		let largest =
			if away || rounding == Rounding::NearestEven { self.infinity() } else { self.infinity() - 1 };
		sign | if beyond { largest } else { bits }
	}

	/// `a / b`, rounded once.
	pub(super) fn divide(self, rounding: Rounding, a: u64, b: u64) -> u64 {
		let sign = (a ^ b) & self.sign_bit();
		let undefined = (self.is_zero(a) && self.is_zero(b)) || (self.is_infinite(a) && self.is_infinite(b));
		if self.is_nan(a) || self.is_nan(b) || undefined {
			return self.canonical_nan();
		}
		if self.is_infinite(a) || self.is_zero(b) {
			return sign | self.infinity();
		}
		if self.is_zero(a) || self.is_infinite(b) {
			return sign;
		}
		let (x, y) = (normalise(self.finite(a)), self.finite(b));
		let (quotient, rest) = (x.magnitude / y.magnitude, x.magnitude % y.magnitude);
		// The quotient has at least 72 bits; a bit below it stands for all that follows.
		let magnitude = quotient << 1 | u128::from(rest != 0);
		self.round(rounding, Finite { negative: sign != 0, magnitude, exponent: x.exponent - y.exponent - 1 })
	}

	/// `a * b + c`, rounded once.
	pub(super) fn fused_multiply_add(self, rounding: Rounding, a: u64, b: u64, c: u64) -> u64 {
		let product_sign = (a ^ b) & self.sign_bit();
		if [a, b, c].iter().any(|bits| self.is_nan(*bits)) {
			return self.canonical_nan();
		}
		if self.is_infinite(a) || self.is_infinite(b) {
			let undefined = self.is_zero(a) || self.is_zero(b);
			let opposite = self.is_infinite(c) && product_sign != c & self.sign_bit();
			return if undefined || opposite { self.canonical_nan() } else { product_sign | self.infinity() };
		}
		if self.is_infinite(c) {
			return c;
		}
		let (x, y) = (self.finite(a), self.finite(b));
		let product = Finite {
			negative: product_sign != 0,
			magnitude: x.magnitude * y.magnitude,
			exponent: x.exponent + y.exponent,
		};
		let addend = self.finite(c);
		match (product.magnitude, addend.magnitude) {
			// The sum of zeros is negative only if both are, or if it is rounded down.
			(0, 0) if rounding == Rounding::Down => product_sign | c,
			(0, 0) => product_sign & c,
			(0, _) => c,
			(_, 0) => self.round(rounding, product),
			_ => match add(normalise(product), normalise(addend)) {
				Finite { magnitude: 0, .. } if rounding == Rounding::Down => self.sign_bit(),
				sum => self.round(rounding, sum),
			},
		}
	}

	/// The square root, rounded once.
	pub(super) fn square_root(self, rounding: Rounding, a: u64) -> u64 {
		if self.is_nan(a) || (a & self.sign_bit() != 0 && !self.is_zero(a)) {
			return self.canonical_nan();
		}
		if self.is_zero(a) || self.is_infinite(a) {
			return a;
		}
		let mut number = normalise(self.finite(a));
		// The root of an even power of two is a power of two.
		if number.exponent & 1 != 0 {
			number.magnitude <<= 1;
			number.exponent -= 1;
		}
		let root = number.magnitude.isqrt();
		let inexact = root * root != number.magnitude;
		// The root has 63 or 64 bits; a bit below it stands for all that follows.
		let magnitude = root << 1 | u128::from(inexact);
		self.round(rounding, Finite { negative: false, magnitude, exponent: number.exponent / 2 - 1 })
	}
}

/// The same number with its top bit at [`TOP`]. It must not be zero.
fn normalise(number: Finite) -> Finite {
	let shift = number.magnitude.leading_zeros().saturating_sub(127 - TOP);
	Finite { magnitude: number.magnitude << shift, exponent: number.exponent - shift as i32, ..number }
}

/// The sum of two normalised numbers, exact but for a sticky lowest bit.
fn add(a: Finite, b: Finite) -> Finite {
	let (large, small) = if (a.exponent, a.magnitude) >= (b.exponent, b.magnitude) { (a, b) } else { (b, a) };
	let distance = (large.exponent - small.exponent) as u32;
	let kept = small.magnitude.checked_shr(distance).unwrap_or(0);
	let lost = kept.checked_shl(distance).unwrap_or(0) != small.magnitude;
	let aligned = kept | u128::from(lost);
	if large.negative == small.negative {
		return Finite { magnitude: large.magnitude + aligned, ..large };
	}
	let magnitude = large.magnitude - aligned;
	// An exact zero is positive, unless it is rounded down.
	Finite { negative: large.negative && magnitude != 0, magnitude, exponent: large.exponent }
}

#[cfg(test)]
mod tests {
	use super::{BINARY32, BINARY64};
	use crate::ir::Rounding::NearestEven;
	use proptest::prelude::*;

	/// Bits that are near the interesting places: few set bits, extreme exponents.
	fn bits64() -> impl Strategy<Value = u64> {
		prop_oneof![
			any::<u64>(),
			(any::<u64>(), 0u32..64).prop_map(|(bits, shift)| bits << shift),
			(any::<bool>(), 1000u64..1050, any::<u64>()).prop_map(|(sign, exponent, fraction)| u64::from(
				sign
			) << 63
				| exponent << 52
				| fraction >> 12),
			(any::<bool>(), any::<u64>(), 0u32..64)
				.prop_map(|(sign, fraction, shift)| u64::from(sign) << 63 | fraction >> 12 >> (shift % 52)),
			Just(0),
			Just(f64::INFINITY.to_bits()),
			Just(f64::MAX.to_bits()),
			Just(f64::MIN_POSITIVE.to_bits()),
		]
	}

	fn bits32() -> impl Strategy<Value = u32> {
		prop_oneof![
			any::<u32>(),
			(any::<u32>(), 0u32..32).prop_map(|(bits, shift)| bits << shift),
			(any::<bool>(), 110u32..140, any::<u32>())
				.prop_map(|(sign, exponent, fraction)| u32::from(sign) << 31
					| exponent << 23
					| fraction >> 9),
			(any::<bool>(), any::<u32>(), 0u32..23)
				.prop_map(|(sign, fraction, shift)| u32::from(sign) << 31 | fraction >> 9 >> shift),
			Just(0),
			Just(f32::INFINITY.to_bits()),
			Just(f32::MAX.to_bits()),
		]
	}

	fn canonical64(value: f64) -> u64 {
		let bits = value.to_bits();
		if bits << 1 > 0xffe0_0000_0000_0000 {
			0x7ff8_0000_0000_0000
		} else {
			bits
		}
	}

	fn canonical32(value: f32) -> u64 {
		let bits = value.to_bits();
		if bits << 1 > 0xff00_0000 {
			0x7fff_ffff
		} else {
			bits.into()
		}
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(20_000))]

		#[test]
		fn double_fma_is_that_of_the_host(a in bits64(), b in bits64(), c in bits64()) {
			let expected = f64::from_bits(a).mul_add(f64::from_bits(b), f64::from_bits(c));
			prop_assert_eq!(BINARY64.fused_multiply_add(NearestEven, a, b, c), canonical64(expected));
		}

		#[test]
		fn cancelling_double_fma_is_that_of_the_host(a in bits64(), b in bits64(), step in -2i64..3) {
			let (a, b) = (f64::from_bits(a), f64::from_bits(b));
			let c = f64::from_bits((-(a * b)).to_bits().wrapping_add_signed(step));
			let found = BINARY64.fused_multiply_add(NearestEven, a.to_bits(), b.to_bits(), c.to_bits());
			prop_assert_eq!(found, canonical64(a.mul_add(b, c)));
		}

		#[test]
		fn single_fma_is_that_of_the_host(a in bits32(), b in bits32(), c in bits32()) {
			let expected = f32::from_bits(a).mul_add(f32::from_bits(b), f32::from_bits(c));
			prop_assert_eq!(BINARY32.fused_multiply_add(NearestEven, a.into(), b.into(), c.into()), canonical32(expected));
		}

		#[test]
		fn square_roots_are_those_of_the_host(a in bits64(), b in bits32()) {
			prop_assert_eq!(BINARY64.square_root(NearestEven, a), canonical64(f64::from_bits(a).sqrt()));
			prop_assert_eq!(BINARY32.square_root(NearestEven, b.into()), canonical32(f32::from_bits(b).sqrt()));
		}
	}
}
