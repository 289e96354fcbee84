//! `cvt` and `cvta`.

use super::{
	modifiers::{Modifiers, Type},
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	ir::{Binary, IntType, Op, Precision, Rounding, Seed},
	memory::{CONST_WINDOW, LOCAL_WINDOW, PARAM_WINDOW, SHARED_WINDOW},
};

/// How a float is rounded to an integer, or anything to a float.
fn rounding(name: &str) -> Option<(Rounding, bool)> {
	Some(match name {
		"rni" => (Rounding::NearestEven, true),
		"rzi" => (Rounding::Zero, true),
		"rmi" => (Rounding::Down, true),
		"rpi" => (Rounding::Up, true),
		"rn" => (Rounding::NearestEven, false),
		"rz" => (Rounding::Zero, false),
		"rm" => (Rounding::Down, false),
		"rp" => (Rounding::Up, false),
		_ => return None,
	})
}

impl<'a> EntryParser<'a, '_> {
	/// `cvt cvta`
	pub(super) fn convert(&mut self, name: Modifiers<'a>) -> Result<Op, ParseError> {
		match name.base() {
			"cvt" => self.convert_value(name),
			_ => self.convert_address(name),
		}
	}

	fn convert_value(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(
			"[.sat].INT.INT, .rn .rz .rm .rp with FLOAT.INT or .f32.f64, .rni .rzi .rmi .rpi with INT.FLOAT or a FLOAT of \
			one width, .f64.f32; INT is .u8 to .u64, .s8 to .s64, FLOAT is .f32, .f64; no .ftz",
		);
		let rounding = name.accept_with(rounding);
		let saturate = name.accept("sat");
		let value = |ty| matches!(ty, Type::Int(_) | Type::Float(_));
		let to = name.ty(value)?;
		let from = name.last_type(value)?;
		if saturate && !matches!((from, to, rounding), (Type::Int(_), Type::Int(_), None)) {
			return Err(name.unsupported());
		}
		let (d, bits) = self.wide_register(to)?;
		self.comma()?;
		let a = self.wide_source(from)?;
		match (to, from, rounding) {
			(Type::Int(to), Type::Int(from), None) => Ok(Op::IntToInt { from, to, saturate, bits, d, a }),
			(Type::Float(to), Type::Int(from), Some((rounding, false))) => {
				Ok(Op::IntToFloat { from, to, rounding, d, a })
			}
			(Type::Int(to), Type::Float(from), Some((rounding, true))) => {
				Ok(Op::FloatToInt { from, to, rounding, bits, d, a })
			}
			(Type::Float(to), Type::Float(from), None) if from == to => Ok(Op::Move { d, a }),
			(Type::Float(to), Type::Float(from), Some((rounding, true))) if from == to => {
				Ok(Op::RoundFloat { precision: to, rounding, d, a })
			}
			(Type::Float(to @ Precision::Double), Type::Float(from), None) => {
				Ok(Op::FloatToFloat { from, to, rounding: Rounding::NearestEven, d, a })
			}
			(Type::Float(to @ Precision::Single), Type::Float(from), Some((rounding, false)))
				if from != to =>
			{
				Ok(Op::FloatToFloat { from, to, rounding, d, a })
			}
			_ => Err(name.unsupported()),
		}
	}

	/// Generic addresses are those of the space plus the start of its window; global ones are generic already.
	fn convert_address(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("[.to].global .shared .local .const .param with .u64");
		let to = name.accept("to");
		let window = name.require(|part| match part {
			"global" => Some(0),
			"shared" => Some(SHARED_WINDOW),
			"local" => Some(LOCAL_WINDOW),
			"const" => Some(CONST_WINDOW),
			"param" => Some(PARAM_WINDOW),
			_ => None,
		})?;
		let address = Type::Int(IntType { bits: 64, signed: false });
		name.last_type(|ty| ty == address)?;
		let place = self.tokens.peek().place;
		let d = self.destination(address)?;
		self.comma()?;
		let a = self.source(address)?;
		if window == 0 {
			return Ok(Op::Move { d, a });
		}
		let op = if to { Binary::Sub } else { Binary::Add };
		let b = self.body.fixed(Seed::Value(window), place)?;
		Ok(Op::Binary { op, ty: address.int(), d, a, b })
	}
}
