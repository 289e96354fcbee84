//! Arithmetic, logic and bit-field instructions.

use super::{
	modifiers::{Modifiers, Type, B32, U32},
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	ir::{Binary, CarryOp, FloatBinary, FloatClass, FloatUnary, IntType, Op, Part, Rounding, Unary},
};

/// `.u16` to `.u64` and `.s16` to `.s64`.
fn is_int(ty: Type) -> bool {
	matches!(ty, Type::Int(_)) && ty.bits() >= 16
}

fn is_signed(ty: Type) -> bool {
	matches!(ty, Type::Int(IntType { signed: true, .. })) && ty.bits() >= 16
}

fn is_int_32(ty: Type) -> bool {
	is_int(ty) && ty.bits() == 32
}

/// `.b16` to `.b64`.
fn is_bits(ty: Type) -> bool {
	matches!(ty, Type::Bits(16 | 32 | 64))
}

fn is_bits_or_predicate(ty: Type) -> bool {
	is_bits(ty) || ty == Type::Predicate
}

fn is_wide_bits(ty: Type) -> bool {
	matches!(ty, Type::Bits(32 | 64))
}

/// The integer type of twice the width.
fn doubled(ty: Type) -> Type {
	let IntType { bits, signed } = ty.int();
	Type::Int(IntType { bits: bits * 2, signed })
}

/// `.lo`, `.hi` or `.wide`.
fn part(name: &str) -> Option<Part> {
	match name {
		"lo" => Some(Part::Low),
		"hi" => Some(Part::High),
		"wide" => Some(Part::Wide),
		_ => None,
	}
}

/// `.lo` or `.hi` of a product of 24-bit numbers.
fn part24(name: &str) -> Option<Part> {
	match name {
		"lo" => Some(Part::Low24),
		"hi" => Some(Part::High24),
		_ => None,
	}
}

impl<'a> EntryParser<'a, '_> {
	/// `add addc sub subc mul mul24 div rem min max`
	pub(super) fn two_operands(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(match name.base() {
			"add" | "sub" => {
				".u16 to .u64, .s16 to .s64, .sat.s32, .cc with 32 or 64 bits, [.rn .rz .rm .rp] with .f32 .f64; no .ftz"
			}
			"addc" | "subc" => "[.cc] .u32 .s32 .u64 .s64",
			"mul" => {
				".lo .hi .wide with .u16 to .u64, .s16 to .s64 (.wide up to 32 bits); [.rn .rz .rm .rp] with .f32 .f64"
			}
			"mul24" => ".lo .hi with .u32, .s32",
			"div" => ".u16 to .u64, .s16 to .s64, .rn .rz .rm .rp with .f32 .f64",
			"rem" => ".u16 to .u64, .s16 to .s64",
			_ => ".u16 to .u64, .s16 to .s64, .f32, .f64",
		});
		let rounding = name.accept_rounding();
		if rounding.is_some() || name.is_float() {
			return self.two_floats(name, rounding);
		}
		let sum = matches!(name.base(), "add" | "sub");
		if sum && name.accept("sat") {
			let op = if name.base() == "add" { Binary::AddSaturated } else { Binary::SubSaturated };
			let ty = name.last_type(|ty| is_signed(ty) && is_int_32(ty))?;
			return self.binary(op, ty, ty);
		}
		let gives = name.accept("cc");
		if gives && sum || matches!(name.base(), "addc" | "subc") {
			return self.sum_with_carry(name, gives);
		}
		if gives {
			return Err(name.unsupported());
		}
		let op = match name.base() {
			"mul" => match name.require(part)? {
				Part::Wide => return self.multiply_wide(name),
				Part::High => Binary::MulHigh,
				_ => Binary::MulLow,
			},
			"mul24" => match name.require(part24)? {
				Part::High24 => Binary::Mul24High,
				_ => Binary::Mul24Low,
			},
			"add" => Binary::Add,
			"sub" => Binary::Sub,
			"div" => Binary::Div,
			"rem" => Binary::Rem,
			"min" => Binary::Min,
			_ => Binary::Max,
		};
		let ty = name.last_type(if name.base() == "mul24" { is_int_32 } else { is_int })?;
		self.binary(op, ty, ty)
	}

	/// A destination and two sources.
	fn binary(&mut self, op: Binary, ty: Type, second: Type) -> Result<Op, ParseError> {
		let d = self.destination(ty)?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(second)?;
		Ok(Op::Binary { op, ty: ty.int(), d, a, b })
	}

	fn two_floats(&mut self, mut name: Modifiers<'a>, rounding: Option<Rounding>) -> Result<Op, ParseError> {
		let op = match name.base() {
			"add" => FloatBinary::Add,
			"sub" => FloatBinary::Sub,
			"mul" => FloatBinary::Mul,
			"div" if rounding.is_some() => FloatBinary::Div,
			"min" if rounding.is_none() => FloatBinary::Min,
			"max" if rounding.is_none() => FloatBinary::Max,
			"copysign" => FloatBinary::CopySign,
			_ => return Err(name.unsupported()),
		};
		let (ty, precision) = name.last_float()?;
		let d = self.destination(ty)?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		let rounding = rounding.unwrap_or(Rounding::NearestEven);
		Ok(Op::FloatBinary { op, precision, rounding, d, a, b })
	}

	fn multiply_wide(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		let ty = name.last_type(|ty| is_int(ty) && ty.bits() <= 32)?;
		let d = self.destination(doubled(ty))?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		Ok(Op::MulWide { ty: ty.int(), d, a, b })
	}

	/// `copysign`
	pub(super) fn copy_sign(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".f32 .f64");
		self.two_floats(name, None)
	}

	/// The type and operands of `add.cc`, `addc`, `sub.cc` or `subc`.
	fn sum_with_carry(&mut self, mut name: Modifiers<'a>, gives: bool) -> Result<Op, ParseError> {
		let takes = matches!(name.base(), "addc" | "subc");
		let op = if name.base().starts_with("add") { CarryOp::Add } else { CarryOp::Sub };
		let ty = name.last_type(|ty| is_int(ty) && ty.bits() >= 32)?;
		let carry = self.body.carry(self.tokens.peek().place)?;
		let d = self.destination(ty)?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		Ok(Op::Carry { op, ty: ty.int(), takes, gives, carry, d, a, b, c: b })
	}

	/// `mad mad24 madc fma`
	pub(super) fn multiply_add(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(match name.base() {
			"fma" => ".rn .rz .rm .rp with .f32 .f64",
			"madc" => ".lo .hi with [.cc] .u32 .s32 .u64 .s64",
			"mad24" => ".lo .hi with .u32, .s32",
			_ => ".lo .hi .wide with .u16 to .u64, .s16 to .s64 (.wide up to 32 bits), .lo.cc and .hi.cc with 32 or \
			64 bits; no .sat, no floats",
		});
		if name.base() == "fma" {
			let rounding = name.accept_rounding().ok_or_else(|| name.unsupported())?;
			let (ty, precision) = name.last_float()?;
			let [d, a, b, c] = self.four(ty, ty)?;
			return Ok(Op::FusedMulAdd { precision, rounding, d, a, b, c });
		}
		let short = name.base() == "mad24";
		let part = name.require(if short { part24 } else { part })?;
		let (takes, gives) = (name.base() == "madc", !short && name.accept("cc"));
		if takes || gives {
			let op = match part {
				Part::Low => CarryOp::MulAddLow,
				Part::High => CarryOp::MulAddHigh,
				_ => return Err(name.unsupported()),
			};
			let ty = name.last_type(|ty| is_int(ty) && ty.bits() >= 32)?;
			let carry = self.body.carry(self.tokens.peek().place)?;
			let [d, a, b, c] = self.four(ty, ty)?;
			return Ok(Op::Carry { op, ty: ty.int(), takes, gives, carry, d, a, b, c });
		}
		let ty = name.last_type(|ty| match part {
			Part::Wide => is_int(ty) && ty.bits() <= 32,
			_ => {
				if short {
					is_int_32(ty)
				} else {
					is_int(ty)
				}
			}
		})?;
		let [d, a, b, c] = self.four(ty, if part == Part::Wide { doubled(ty) } else { ty })?;
		Ok(Op::MulAdd { part, ty: ty.int(), d, a, b, c })
	}

	/// A destination and an addend of type `outer`, and two factors of type `inner`.
	fn four(&mut self, inner: Type, outer: Type) -> Result<[u16; 4], ParseError> {
		let d = self.destination(outer)?;
		self.comma()?;
		let a = self.source(inner)?;
		self.comma()?;
		let b = self.source(inner)?;
		self.comma()?;
		let c = self.source(outer)?;
		Ok([d, a, b, c])
	}

	/// `abs neg not cnot popc clz brev bfind sqrt rcp`
	pub(super) fn one_operand(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(match name.base() {
			"abs" | "neg" => ".s16 .s32 .s64 .f32 .f64; no .ftz",
			"sqrt" | "rcp" => ".rn .rz .rm .rp with .f32 .f64; no .approx",
			"bfind" => "[.shiftamt] .u32 .s32 .u64 .s64",
			"not" => ".pred .b16 .b32 .b64",
			"cnot" => ".b16 .b32 .b64",
			_ => ".b32 .b64",
		});
		let (op, allowed): (Unary, fn(Type) -> bool) = match name.base() {
			"sqrt" | "rcp" => {
				let op = if name.base() == "sqrt" { FloatUnary::Sqrt } else { FloatUnary::Reciprocal };
				let rounding = name.accept_rounding().ok_or_else(|| name.unsupported())?;
				return self.one_float(name, op, rounding);
			}
			"abs" if name.is_float() => return self.one_float(name, FloatUnary::Abs, Rounding::NearestEven),
			"neg" if name.is_float() => return self.one_float(name, FloatUnary::Neg, Rounding::NearestEven),
			"bfind" => {
				let op = if name.accept("shiftamt") { Unary::FindShift } else { Unary::FindHighest };
				(op, |ty| is_int(ty) && ty.bits() >= 32)
			}
			"abs" => (Unary::Abs, is_signed),
			"neg" => (Unary::Neg, is_signed),
			"not" => (Unary::Not, is_bits_or_predicate),
			"cnot" => (Unary::LogicalNot, is_bits),
			"popc" => (Unary::CountOnes, is_wide_bits),
			"clz" => (Unary::LeadingZeros, is_wide_bits),
			_ => (Unary::Reverse, is_wide_bits),
		};
		let ty = name.last_type(allowed)?;
		let counts = !matches!(op, Unary::Abs | Unary::Neg | Unary::Not | Unary::LogicalNot | Unary::Reverse);
		let d = self.destination(if counts { U32 } else { ty })?;
		self.comma()?;
		let a = self.source(ty)?;
		Ok(Op::Unary { op, ty: ty.int(), d, a })
	}

	fn one_float(
		&mut self,
		mut name: Modifiers<'a>,
		op: FloatUnary,
		rounding: Rounding,
	) -> Result<Op, ParseError> {
		let (ty, precision) = name.last_float()?;
		let d = self.destination(ty)?;
		self.comma()?;
		let a = self.source(ty)?;
		Ok(Op::FloatUnary { op, precision, rounding, d, a })
	}

	/// `testp`
	pub(super) fn classify(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".finite .infinite .number .notanumber .normal .subnormal with .f32 .f64");
		let class = name.require(|part| {
			Some(match part {
				"finite" => FloatClass::Finite,
				"infinite" => FloatClass::Infinite,
				"number" => FloatClass::Number,
				"notanumber" => FloatClass::NotANumber,
				"normal" => FloatClass::Normal,
				"subnormal" => FloatClass::Subnormal,
				_ => return None,
			})
		})?;
		let (ty, precision) = name.last_float()?;
		let d = self.destination(Type::Predicate)?;
		self.comma()?;
		let a = self.source(ty)?;
		Ok(Op::ClassifyFloat { class, precision, d, a })
	}

	/// `sad`
	pub(super) fn absolute_difference(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".u16 to .u64, .s16 to .s64");
		let ty = name.last_type(is_int)?;
		let [d, a, b, c] = self.four(ty, ty)?;
		Ok(Op::AbsoluteDifference { ty: ty.int(), d, a, b, c })
	}

	/// `and or xor`
	pub(super) fn logic(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".pred .b16 .b32 .b64");
		let op = match name.base() {
			"and" => Binary::And,
			"or" => Binary::Or,
			_ => Binary::Xor,
		};
		let ty = name.last_type(is_bits_or_predicate)?;
		self.binary(op, ty, ty)
	}

	/// `shl shr shf`
	pub(super) fn shift(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(match name.base() {
			"shl" => ".b16 .b32 .b64",
			"shr" => ".b16 to .b64, .u16 to .u64, .s16 to .s64",
			_ => ".l.clamp.b32, .l.wrap.b32, .r.clamp.b32, .r.wrap.b32",
		});
		match name.base() {
			"shl" => {
				let ty = name.last_type(is_bits)?;
				self.binary(Binary::ShiftLeft, ty, U32)
			}
			"shr" => {
				let ty = name.last_type(|ty| is_bits(ty) || is_int(ty))?;
				self.binary(Binary::ShiftRight, ty, U32)
			}
			_ => {
				let left = name.require(|part| ["l", "r"].contains(&part).then_some(part == "l"))?;
				let wrap =
					name.require(|part| ["clamp", "wrap"].contains(&part).then_some(part == "wrap"))?;
				name.last_type(|ty| ty == B32)?;
				let [d, low, high, amount] = self.four(B32, B32)?;
				Ok(Op::FunnelShift { left, wrap, d, low, high, amount })
			}
		}
	}

	/// `bfe bfi prmt lop3 dp4a`
	pub(super) fn bit_field(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(match name.base() {
			"bfe" => ".u32 .u64 .s32 .s64",
			"bfi" => ".b32 .b64",
			"dp4a" => ".u32.u32 .u32.s32 .s32.u32 .s32.s32",
			_ => ".b32, without a mode",
		});
		match name.base() {
			"bfe" => {
				let ty = name.last_type(|ty| is_int(ty) && ty.bits() >= 32)?;
				let d = self.destination(ty)?;
				self.comma()?;
				let a = self.source(ty)?;
				let [position, length] = self.two_more(U32)?;
				Ok(Op::ExtractField { ty: ty.int(), d, a, position, length })
			}
			"bfi" => {
				let ty = name.last_type(is_wide_bits)?;
				let d = self.destination(ty)?;
				self.comma()?;
				let a = self.source(ty)?;
				self.comma()?;
				let b = self.source(ty)?;
				let [position, length] = self.two_more(U32)?;
				Ok(Op::InsertField { ty: ty.int(), d, a, b, position, length })
			}
			"dp4a" => {
				let signed = [name.ty(is_int_32)?, name.last_type(is_int_32)?].map(is_signed);
				let [d, a, b, c] = self.four(B32, B32)?;
				Ok(Op::DotProduct { signed, d, a, b, c })
			}
			base => {
				name.last_type(|ty| ty == B32)?;
				let [d, a, b, c] = self.four(B32, B32)?;
				if base == "prmt" {
					return Ok(Op::PermuteBytes { d, a, b, selector: c });
				}
				self.comma()?;
				let table = self.immediate(0xff)? as u8;
				Ok(Op::Logic3 { table, d, a, b, c })
			}
		}
	}

	/// Two more sources.
	fn two_more(&mut self, ty: Type) -> Result<[u16; 2], ParseError> {
		self.comma()?;
		let first = self.source(ty)?;
		self.comma()?;
		Ok([first, self.source(ty)?])
	}
}
