//! `setp`, `set`, `selp` and `slct`.

use super::{
	modifiers::{Modifiers, Type},
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	ir::{Combine, Compared, Comparison, Condition, IntType, Op, Precision, Truth},
};

/// How a comparison is combined with a predicate.
type Join = fn(Condition) -> Combine;

fn join(name: &str) -> Option<Join> {
	match name {
		"and" => Some(Combine::And),
		"or" => Some(Combine::Or),
		"xor" => Some(Combine::Xor),
		_ => None,
	}
}

/// The comparison of that name, and whether it is one for unsigned numbers only.
fn comparison(name: &str) -> Option<(Comparison, bool)> {
	Some(match name {
		"eq" => (Comparison::Equal, false),
		"ne" => (Comparison::NotEqual, false),
		"lt" => (Comparison::Less, false),
		"le" => (Comparison::LessEqual, false),
		"gt" => (Comparison::Greater, false),
		"ge" => (Comparison::GreaterEqual, false),
		"lo" => (Comparison::Less, true),
		"ls" => (Comparison::LessEqual, true),
		"hi" => (Comparison::Greater, true),
		"hs" => (Comparison::GreaterEqual, true),
		"equ" => (Comparison::EqualUnordered, false),
		"neu" => (Comparison::NotEqualUnordered, false),
		"ltu" => (Comparison::LessUnordered, false),
		"leu" => (Comparison::LessEqualUnordered, false),
		"gtu" => (Comparison::GreaterUnordered, false),
		"geu" => (Comparison::GreaterEqualUnordered, false),
		"num" => (Comparison::Numbers, false),
		"nan" => (Comparison::NotNumbers, false),
		_ => return None,
	})
}

/// Whether the comparison makes sense for that type.
fn allowed(comparison: Comparison, unsigned_only: bool, ty: Type) -> bool {
	let unordered = comparison as u8 >= Comparison::EqualUnordered as u8;
	match ty {
		Type::Float(_) => !unsigned_only,
		Type::Bits(bits) => bits >= 16 && matches!(comparison, Comparison::Equal | Comparison::NotEqual),
		Type::Int(IntType { bits, signed }) => bits >= 16 && !unordered && !(unsigned_only && signed),
		Type::Predicate => false,
	}
}

impl<'a> EntryParser<'a, '_> {
	/// `setp set selp`
	pub(super) fn compare(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		match name.base() {
			"setp" => {
				name.supports(
					".eq .ne .lt .le .gt .ge (.lo .ls .hi .hs for unsigned, .equ .neu .ltu .leu .gtu .geu .num .nan for \
					floats), [.and .or .xor], 16 to 64 bits or .f32 .f64; no .ftz",
				);
				self.set_predicate(name)
			}
			"set" => {
				name.supports(
					"the comparisons of setp, [.and .or .xor], .u32 .s32 .f32 for the result, 16 to 64 bits or .f32 .f64 for the \
					operands; no .ftz",
				);
				self.set(name)
			}
			_ => {
				name.supports(".b16 to .b64, .u16 to .u64, .s16 to .s64, .f32, .f64");
				let ty = name.last_type(|ty| ty.bits() >= 16)?;
				let d = self.destination(ty)?;
				self.comma()?;
				let a = self.source(ty)?;
				self.comma()?;
				let b = self.source(ty)?;
				self.comma()?;
				let condition = self.source(Type::Predicate)?;
				Ok(Op::Select { d, a, b, condition })
			}
		}
	}

	/// `slct`
	pub(super) fn select_by_sign(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".b16 to .b64, .u16 to .u64, .s16 to .s64, .f32, .f64, each with .s32 or .f32 for the last operand");
		let ty = name.ty(|ty| ty.bits() >= 16)?;
		let single = Type::Float(Precision::Single);
		let sign =
			name.last_type(|ty| ty == single || ty == Type::Int(IntType { bits: 32, signed: true }))?;
		let d = self.destination(ty)?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		self.comma()?;
		let c = self.source(sign)?;
		Ok(Op::SelectBySign { float: sign == single, d, a, b, c })
	}

	fn set_predicate(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		let (comparison, unsigned_only) = name.require(comparison)?;
		let join = name.accept_with(join);
		let ty = name.last_type(|ty| allowed(comparison, unsigned_only, ty))?;
		let first = self.destination(Type::Predicate)?;
		let place = self.tokens.peek().place;
		let second = match self.tokens.accept('|')? {
			true => self.destination(Type::Predicate)?,
			false => self.body.sink(place)?,
		};
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		let combine = self.combine(join)?;
		let d = [first, second];
		Ok(match ty {
			Type::Float(precision) => Op::CompareFloat { comparison, precision, combine, d, a, b },
			_ => Op::Compare { comparison, ty: ty.int(), combine, d, a, b },
		})
	}
	/// The last operand of a comparison, if it has one.
	fn combine(&mut self, join: Option<Join>) -> Result<Combine, ParseError> {
		let Some(join) = join else { return Ok(Combine::Alone) };
		self.comma()?;
		Ok(join(self.condition()?))
	}

	/// `set`: a comparison whose result is a number.
	fn set(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		let (comparison, unsigned_only) = name.require(comparison)?;
		let join = name.accept_with(join);
		let single = Type::Float(Precision::Single);
		let result = name.ty(|ty| ty == single || matches!(ty, Type::Int(IntType { bits: 32, .. })))?;
		let ty = name.last_type(|ty| allowed(comparison, unsigned_only, ty))?;
		let d = self.destination(result)?;
		self.comma()?;
		let a = self.source(ty)?;
		self.comma()?;
		let b = self.source(ty)?;
		let combine = self.combine(join)?;
		let one = if result == single { Truth::One } else { Truth::AllOnes };
		let of = match ty {
			Type::Float(precision) => Compared::Floats(precision),
			_ => Compared::Integers(ty.int()),
		};
		Ok(Op::Set { comparison, of, combine, one, d, a, b })
	}
}
