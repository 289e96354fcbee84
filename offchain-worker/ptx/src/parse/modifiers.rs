//! The dotted parts of an instruction's name.

use crate::{
	error::ParseError,
	ir::{IntType, Precision, Rounding},
	lexer::Place,
};

/// The type that an instruction or a declaration names.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Type {
	Predicate,
	/// Untyped bits.
	Bits(u8),
	Int(IntType),
	Float(Precision),
}

impl Type {
	/// Reads a type's name, without its dot.
	pub(super) fn named(name: &str) -> Option<Self> {
		let int = |bits, signed| Some(Self::Int(IntType { bits, signed }));
		match name {
			"pred" => Some(Self::Predicate),
			"b8" => Some(Self::Bits(8)),
			"b16" => Some(Self::Bits(16)),
			"b32" => Some(Self::Bits(32)),
			"b64" => Some(Self::Bits(64)),
			"u8" => int(8, false),
			"u16" => int(16, false),
			"u32" => int(32, false),
			"u64" => int(64, false),
			"s8" => int(8, true),
			"s16" => int(16, true),
			"s32" => int(32, true),
			"s64" => int(64, true),
			"f32" => Some(Self::Float(Precision::Single)),
			"f64" => Some(Self::Float(Precision::Double)),
			_ => None,
		}
	}

	/// Width in bits; 1 for a predicate.
	pub(super) fn bits(self) -> u8 {
		match self {
			Self::Predicate => 1,
			Self::Bits(bits) => bits,
			Self::Int(ty) => ty.bits,
			Self::Float(Precision::Single) => 32,
			Self::Float(Precision::Double) => 64,
		}
	}

	/// The integer type of the same width; unsigned unless this is a signed one.
	pub(super) fn int(self) -> IntType {
		match self {
			Self::Int(ty) => ty,
			_ => IntType { bits: self.bits(), signed: false },
		}
	}
}

/// `.u32`, the type of shift amounts, fields' positions and special registers.
pub(super) const U32: Type = Type::Int(IntType { bits: 32, signed: false });
/// `.b32`
pub(super) const B32: Type = Type::Bits(32);

/// An instruction's name, read part by part.
pub(super) struct Modifiers<'a> {
	word: &'a str,
	place: Place,
	base: &'a str,
	/// What has not been read, without the dot in front.
	rest: Option<&'a str>,
	/// What the instruction supports, for the error.
	supported: &'static str,
}

impl<'a> Modifiers<'a> {
	pub(super) fn new(word: &'a str, place: Place) -> Self {
		match word.split_once('.') {
			Some((base, rest)) => Self { word, place, base, rest: Some(rest), supported: "" },
			None => Self { word, place, base: word, rest: None, supported: "" },
		}
	}

	/// The part before the first dot.
	pub(super) fn base(&self) -> &'a str {
		self.base
	}

	/// Says what the instruction supports, for the errors that follow.
	pub(super) fn supports(&mut self, supported: &'static str) {
		self.supported = supported;
	}

	/// The error for an instruction outside the subset.
	pub(super) fn unsupported(&self) -> ParseError {
		self.place.unsupported("instruction", self.word, self.supported)
	}

	fn split(&self) -> Option<(&'a str, Option<&'a str>)> {
		let rest = self.rest?;
		Some(rest.split_once('.').map_or((rest, None), |(part, rest)| (part, Some(rest))))
	}

	/// Consumes the next part if it is that one.
	pub(super) fn accept(&mut self, name: &str) -> bool {
		self.accept_with(|part| (part == name).then_some(())).is_some()
	}

	/// Consumes the next part if it is one of those.
	pub(super) fn accept_any(&mut self, names: &[&str]) -> bool {
		self.accept_with(|part| names.contains(&part).then_some(())).is_some()
	}

	/// Consumes the next part if it means something.
	pub(super) fn accept_with<T>(&mut self, meaning: impl FnOnce(&str) -> Option<T>) -> Option<T> {
		let (part, rest) = self.split()?;
		let value = meaning(part)?;
		self.rest = rest;
		Some(value)
	}

	/// Consumes a part that must be there and mean something.
	pub(super) fn require<T>(&mut self, meaning: impl FnOnce(&str) -> Option<T>) -> Result<T, ParseError> {
		self.accept_with(meaning).ok_or_else(|| self.unsupported())
	}

	/// Consumes the rounding of a float result, if there is one.
	pub(super) fn accept_rounding(&mut self) -> Option<Rounding> {
		self.accept_with(|part| match part {
			"rn" => Some(Rounding::NearestEven),
			"rz" => Some(Rounding::Zero),
			"rm" => Some(Rounding::Down),
			"rp" => Some(Rounding::Up),
			_ => None,
		})
	}

	/// Whether the next part is a float type.
	pub(super) fn is_float(&self) -> bool {
		self.split().and_then(|(part, _)| Type::named(part)).is_some_and(|ty| matches!(ty, Type::Float(_)))
	}

	/// Consumes a float type that must be there, and the end.
	pub(super) fn last_float(&mut self) -> Result<(Type, Precision), ParseError> {
		let precision = self.require(|part| match Type::named(part) {
			Some(Type::Float(precision)) => Some(precision),
			_ => None,
		})?;
		self.end()?;
		Ok((Type::Float(precision), precision))
	}

	/// Consumes a type that must be one of those that `allowed` says.
	pub(super) fn ty(&mut self, allowed: impl FnOnce(Type) -> bool) -> Result<Type, ParseError> {
		self.require(|part| Type::named(part).filter(|ty| allowed(*ty)))
	}

	/// As [`Self::ty`], and the end.
	pub(super) fn last_type(&mut self, allowed: impl FnOnce(Type) -> bool) -> Result<Type, ParseError> {
		let ty = self.ty(allowed)?;
		self.end()?;
		Ok(ty)
	}

	/// Fails when parts are left.
	pub(super) fn end(&self) -> Result<(), ParseError> {
		match self.rest {
			None => Ok(()),
			Some(_) => Err(self.unsupported()),
		}
	}
}
