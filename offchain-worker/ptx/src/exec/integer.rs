//! Integer arithmetic on zero-extended values.

use crate::ir::{Binary, CarryOp, Comparison, IntType, Part, Unary};

#[inline]
pub(super) fn unary(op: Unary, ty: IntType, a: u64) -> u64 {
	let width = u32::from(ty.bits);
	match op {
		Unary::Abs => ty.wrap(ty.sign_extend(a).unsigned_abs()),
		Unary::Neg => ty.wrap(a.wrapping_neg()),
		Unary::Not => ty.wrap(!a),
		Unary::LogicalNot => u64::from(a == 0),
		Unary::CountOnes => a.count_ones().into(),
		Unary::LeadingZeros => (a.leading_zeros() + width - 64).into(),
		Unary::Reverse => a.reverse_bits() >> (64 - width),
		Unary::FindHighest => find_highest(ty, a).map_or(u32::MAX, |position| position).into(),
		Unary::FindShift => find_highest(ty, a).map_or(u32::MAX, |position| width - 1 - position).into(),
	}
}

/// The position of the highest bit that differs from the sign, or is one in an unsigned number.
fn find_highest(ty: IntType, a: u64) -> Option<u32> {
	let negative = ty.signed && ty.sign_extend(a) < 0;
	(if negative { ty.wrap(!a) } else { a }).checked_ilog2()
}

/// A sum, difference or product with the carry that it takes, and the carry that it gives.
pub(super) fn with_carry(op: CarryOp, ty: IntType, [a, b, c]: [u64; 3], taken: bool) -> (u64, bool) {
	let (x, y) = match op {
		CarryOp::Add | CarryOp::Sub => (a, b),
		CarryOp::MulAddLow => (product(Part::Low, ty, a, b), c),
		CarryOp::MulAddHigh => (product(Part::High, ty, a, b), c),
	};
	let (x, y) = (u128::from(x), u128::from(y) + u128::from(taken));
	let result = if op == CarryOp::Sub { x.wrapping_sub(y) } else { x + y };
	(ty.wrap(result as u64), result >> ty.bits != 0)
}

/// `|a - b| + c`
pub(super) fn absolute_difference(ty: IntType, a: u64, b: u64, c: u64) -> u64 {
	let (low, high) = if less(ty, a, b) { (a, b) } else { (b, a) };
	ty.wrap(high.wrapping_sub(low).wrapping_add(c))
}

#[inline]
pub(super) fn binary(op: Binary, ty: IntType, a: u64, b: u64) -> u64 {
	match op {
		Binary::Add => ty.wrap(a.wrapping_add(b)),
		Binary::Sub => ty.wrap(a.wrapping_sub(b)),
		Binary::MulLow => ty.wrap(a.wrapping_mul(b)),
		Binary::MulHigh => product(Part::High, ty, a, b),
		Binary::Mul24Low => product(Part::Low24, ty, a, b),
		Binary::Mul24High => product(Part::High24, ty, a, b),
		Binary::Div => divide(ty, a, b).0,
		Binary::Rem => divide(ty, a, b).1,
		Binary::Min => {
			if less(ty, b, a) {
				b
			} else {
				a
			}
		}
		Binary::Max => {
			if less(ty, a, b) {
				b
			} else {
				a
			}
		}
		Binary::And => a & b,
		Binary::Or => a | b,
		Binary::Xor => a ^ b,
		Binary::ShiftLeft => {
			if b >= ty.bits.into() {
				0
			} else {
				ty.wrap(a << b)
			}
		}
		Binary::ShiftRight => shift_right(ty, a, b),
		Binary::AddSaturated => saturated(ty, ty.sign_extend(a).saturating_add(ty.sign_extend(b))),
		Binary::SubSaturated => saturated(ty, ty.sign_extend(a).saturating_sub(ty.sign_extend(b))),
	}
}

/// The signed number of at most 32 bits that is nearest to the sum of two.
fn saturated(ty: IntType, sum: i64) -> u64 {
	ty.wrap(clamp(ty, sum.into()) as u64)
}

#[inline]
fn less(ty: IntType, a: u64, b: u64) -> bool {
	if ty.signed {
		ty.sign_extend(a) < ty.sign_extend(b)
	} else {
		a < b
	}
}

/// Amounts beyond the width shift everything out.
#[inline]
fn shift_right(ty: IntType, a: u64, amount: u64) -> u64 {
	if ty.signed {
		ty.wrap((ty.sign_extend(a) >> amount.min(63)) as u64)
	} else if amount >= ty.bits.into() {
		0
	} else {
		a >> amount
	}
}

/// Quotient and remainder. PTX leaves both open for a zero divisor; they are all ones here. The one signed quotient
/// that does not fit wraps around.
fn divide(ty: IntType, a: u64, b: u64) -> (u64, u64) {
	if b == 0 {
		return (ty.wrap(u64::MAX), ty.wrap(u64::MAX));
	}
	if ty.signed {
		let (a, b) = (ty.sign_extend(a), ty.sign_extend(b));
		(ty.wrap(a.wrapping_div(b) as u64), ty.wrap(a.wrapping_rem(b) as u64))
	} else {
		(a / b, a % b)
	}
}

/// The wanted bits of a product.
#[inline]
pub(super) fn product(part: Part, ty: IntType, a: u64, b: u64) -> u64 {
	let width = u32::from(ty.bits);
	match part {
		Part::Low => ty.wrap(a.wrapping_mul(b)),
		Part::High if ty.signed => {
			ty.wrap(((i128::from(ty.sign_extend(a)) * i128::from(ty.sign_extend(b))) >> width) as u64)
		}
		Part::High => ((u128::from(a) * u128::from(b)) >> width) as u64,
		Part::Wide => wide_product(ty, a, b),
		Part::Low24 => ty.wrap(product24(ty, a, b)),
		Part::High24 => ty.wrap(product24(ty, a, b) >> 16),
	}
}

/// The whole product of two numbers of at most 32 bits, wrapped to twice their width.
#[inline]
pub(super) fn wide_product(ty: IntType, a: u64, b: u64) -> u64 {
	let doubled = IntType { bits: ty.bits * 2, signed: ty.signed };
	if ty.signed {
		doubled.wrap(ty.sign_extend(a).wrapping_mul(ty.sign_extend(b)) as u64)
	} else {
		a.wrapping_mul(b)
	}
}

/// The 48-bit product of the low 24 bits of both.
fn product24(ty: IntType, a: u64, b: u64) -> u64 {
	let low = IntType { bits: 24, signed: ty.signed };
	if ty.signed {
		low.sign_extend(a).wrapping_mul(low.sign_extend(b)) as u64
	} else {
		low.wrap(a) * low.wrap(b)
	}
}

/// `c` plus four products of the bytes of `a` and `b`, each pair read as `signed` says.
#[inline]
pub(super) fn dot_product(signed: [bool; 2], a: u64, b: u64, c: u64) -> u64 {
	let byte = |value: u32, index: u32, signed: bool| {
		let byte = (value >> (8 * index)) as u8;
		if signed {
			i32::from(byte as i8)
		} else {
			byte.into()
		}
	};
	let [a_signed, b_signed] = signed;
	let sum = (0..4).fold(c as u32 as i32, |sum, index| {
		sum.wrapping_add(byte(a as u32, index, a_signed) * byte(b as u32, index, b_signed))
	});
	(sum as u32).into()
}

/// `length` bits of `a` from `position` on, extended by their sign (or that of `a`, if the field goes beyond it).
pub(super) fn extract_field(ty: IntType, a: u64, position: u64, length: u64) -> u64 {
	// Only the low bytes of the operands count.
	let (position, length) = (position & 0xff, length & 0xff);
	if length == 0 {
		return 0;
	}
	let shifted = shift_right(ty, a, position);
	if length >= ty.bits.into() {
		return shifted;
	}
	let field = IntType { bits: length as u8, signed: ty.signed };
	ty.wrap(if ty.signed { field.sign_extend(shifted) as u64 } else { field.wrap(shifted) })
}

/// `b` with `length` of its bits from `position` on replaced by the low bits of `a`.
pub(super) fn insert_field(ty: IntType, a: u64, b: u64, position: u64, length: u64) -> u64 {
	let (position, length) = (position & 0xff, length & 0xff);
	if length == 0 || position >= ty.bits.into() {
		return b;
	}
	let field = if length >= 64 { u64::MAX } else { (1 << length) - 1 };
	let mask = ty.wrap(field << position);
	(b & !mask) | ((a << position) & mask)
}

/// Each nibble of `selector` chooses a byte of `a` (0 to 3) or `b` (4 to 7), or, with its top bit set, the byte's sign.
pub(super) fn permute_bytes(a: u64, b: u64, selector: u64) -> u64 {
	let bytes = a | (b << 32);
	(0..4).fold(0, |result, index| {
		let choice = selector >> (4 * index);
		let byte = (bytes >> (8 * (choice & 7))) & 0xff;
		let byte = match (choice & 8 != 0, byte & 0x80 != 0) {
			(false, _) => byte,
			(true, false) => 0,
			(true, true) => 0xff,
		};
		result | (byte << (8 * index))
	})
}

/// The logic function of three bits whose truth table is `table`, on 32 bits.
pub(super) fn logic3(table: u8, a: u64, b: u64, c: u64) -> u64 {
	let pick = |value: u64, one: bool| if one { value } else { !value };
	let result = (0..8u8).filter(|row| table >> row & 1 == 1).fold(0, |result, row| {
		result | (pick(a, row & 4 != 0) & pick(b, row & 2 != 0) & pick(c, row & 1 != 0))
	});
	result & u64::from(u32::MAX)
}

/// The upper (`left`) or lower word of two words shifted as one.
pub(super) fn funnel_shift(left: bool, wrap: bool, low: u64, high: u64, amount: u64) -> u64 {
	let amount = if wrap { amount & 31 } else { amount.min(32) };
	let both = low | (high << 32);
	if left {
		(both << amount) >> 32
	} else {
		(both >> amount) & u64::from(u32::MAX)
	}
}

/// Narrows or widens a value; see [`crate::ir::Op::IntToInt`].
#[inline]
pub(super) fn convert(from: IntType, to: IntType, saturate: bool, bits: u8, a: u64) -> u64 {
	let value = if from.signed { i128::from(from.sign_extend(a)) } else { from.wrap(a).into() };
	let value = if saturate { clamp(to, value) } else { value };
	extend(to, bits, value as u64)
}

/// The number of the type that is nearest to `value`.
pub(super) fn clamp(ty: IntType, value: i128) -> i128 {
	let magnitude_bits = u32::from(ty.bits) - u32::from(ty.signed);
	let max = (1i128 << magnitude_bits) - 1;
	value.clamp(if ty.signed { -max - 1 } else { 0 }, max)
}

/// The low bits of `value` that `ty` has, extended by their sign if `ty` is signed to a register of `bits`.
#[inline]
pub(super) fn extend(ty: IntType, bits: u8, value: u64) -> u64 {
	let register = IntType { bits, signed: false };
	if ty.signed {
		register.wrap(ty.sign_extend(value) as u64)
	} else {
		ty.wrap(value)
	}
}

/// The unordered comparisons exist for floats only and are never true of integers.
#[inline]
pub(super) fn compare(comparison: Comparison, ty: IntType, a: u64, b: u64) -> bool {
	match comparison {
		Comparison::Equal => a == b,
		Comparison::NotEqual => a != b,
		Comparison::Less => less(ty, a, b),
		Comparison::LessEqual => !less(ty, b, a),
		Comparison::Greater => less(ty, b, a),
		Comparison::GreaterEqual => !less(ty, a, b),
		_ => false,
	}
}
