//! Numbers in the text.

use super::modifiers::Type;
use crate::ir::Precision;

/// A number as written, without its sign.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Literal {
	Integer(u64),
	/// Bits of a binary32.
	Single(u32),
	/// Bits of a binary64.
	Double(u64),
}

impl Literal {
	/// Decimal, octal (leading 0), hexadecimal or binary integers with an optional `U`; decimal floats; and floats
	/// given by their bits (`0f...`, `0d...`).
	pub(super) fn parse(text: &str) -> Option<Self> {
		if let Some(digits) = text.strip_prefix("0f").or_else(|| text.strip_prefix("0F")) {
			return hexadecimal(digits, 8).map(|bits| Self::Single(bits as u32));
		}
		if let Some(digits) = text.strip_prefix("0d").or_else(|| text.strip_prefix("0D")) {
			return hexadecimal(digits, 16).map(Self::Double);
		}
		if let Some(value) = integer(text) {
			return Some(Self::Integer(value));
		}
		let value: f64 = text.parse().ok()?;
		Some(Self::Double(value.to_bits()))
	}

	/// The value's bits as an operand of type `ty`. Integers are wrapped to its width, as PTX says; between integers
	/// and floats nothing is converted.
	pub(super) fn bits(self, negative: bool, ty: Type) -> Option<u64> {
		match (self, ty) {
			(Self::Integer(value), Type::Predicate) if value <= 1 && !negative => Some(value),
			(Self::Integer(value), Type::Bits(_) | Type::Int(_)) => {
				Some(ty.int().wrap(if negative { value.wrapping_neg() } else { value }))
			}
			(_, Type::Float(Precision::Single)) => {
				let value = self.float()? as f32;
				Some(if negative { -value } else { value }.to_bits().into())
			}
			(_, Type::Float(Precision::Double)) => {
				let value = self.float()?;
				Some(if negative { -value } else { value }.to_bits())
			}
			(Self::Single(bits), Type::Bits(32)) if !negative => Some(bits.into()),
			(Self::Double(bits), Type::Bits(64)) if !negative => Some(bits),
			_ => None,
		}
	}

	fn float(self) -> Option<f64> {
		match self {
			Self::Integer(_) => None,
			Self::Single(bits) => Some(f32::from_bits(bits).into()),
			Self::Double(bits) => Some(f64::from_bits(bits)),
		}
	}
}

fn hexadecimal(digits: &str, length: usize) -> Option<u64> {
	let valid = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
	valid.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}

/// An unsigned integer of at most 64 bits.
pub(super) fn integer(text: &str) -> Option<u64> {
	let text = text.strip_suffix('U').unwrap_or(text);
	let prefixed = |lower, upper| text.strip_prefix(lower).or_else(|| text.strip_prefix(upper));
	let (digits, radix) = if let Some(digits) = prefixed("0x", "0X") {
		(digits, 16)
	} else if let Some(digits) = prefixed("0b", "0B") {
		(digits, 2)
	} else if text.len() > 1 && text.starts_with('0') {
		(text, 8)
	} else {
		(text, 10)
	};
	// The standard parser takes a sign; the lexer never puts one at the front of a literal, but may after `0x`.
	u64::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))
}

#[cfg(test)]
mod tests {
	use super::{integer, Literal};
	use crate::{
		ir::{IntType, Precision},
		parse::modifiers::Type,
	};

	#[test]
	fn integers_of_every_radix_are_read() {
		let read = ["0", "10", "0x1fU", "0b101", "017", "18446744073709551615"].map(integer);
		assert_eq!(read, [Some(0), Some(10), Some(31), Some(5), Some(15), Some(u64::MAX)]);
		assert_eq!(["", "0x", "18446744073709551616", "08", "1_0"].map(integer), [None; 5]);
	}

	#[test]
	fn literals_become_the_bits_of_their_type() {
		let s16 = Type::Int(IntType { bits: 16, signed: true });
		assert_eq!(Literal::Integer(1).bits(true, s16), Some(0xffff));
		assert_eq!(Literal::parse("0f40490FDB"), Some(Literal::Single(0x4049_0fdb)));
		let single = Type::Float(Precision::Single);
		let double = Type::Float(Precision::Double);
		assert_eq!(
			Literal::parse("1.5").and_then(|l| l.bits(true, single)),
			Some((-1.5f32).to_bits().into())
		);
		assert_eq!(Literal::parse("0f3F800000").and_then(|l| l.bits(false, double)), Some(1f64.to_bits()));
		assert_eq!(Literal::Integer(1).bits(false, single), None);
		assert_eq!(Literal::parse("0f3F8"), None);
	}
}
