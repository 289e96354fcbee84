//! Declarations of variables in the state spaces, with their initial values.

use super::{
	literal::{integer, Literal},
	modifiers::Type,
};
use crate::{
	error::ParseError,
	lexer::{Place, TokenKind, Tokens},
	module::MAX_GLOBAL_BYTES,
};
use alloc::vec::Vec;

/// Where a variable lives.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum VariableSpace {
	Global,
	Const,
	Shared,
	Local,
}

impl VariableSpace {
	/// The space that a directive names.
	pub(super) fn of(directive: &str) -> Option<Self> {
		match directive {
			".global" => Some(Self::Global),
			".const" => Some(Self::Const),
			".shared" => Some(Self::Shared),
			".local" => Some(Self::Local),
			_ => None,
		}
	}
}

/// A declared variable.
#[derive(Debug)]
pub(super) struct Declaration<'a> {
	pub(super) name: &'a str,
	pub(super) place: Place,
	pub(super) space: VariableSpace,
	pub(super) align: u32,
	/// Size in bytes; nothing for `name[]` without initial values.
	pub(super) bytes: Option<u32>,
	/// Initial bytes; what they leave out is zero.
	pub(super) initial: Vec<u8>,
}

/// `.align N`, if it is there.
pub(super) fn alignment(tokens: &mut Tokens<'_>) -> Result<Option<u32>, ParseError> {
	if !tokens.accept_word(".align")? {
		return Ok(None);
	}
	let (text, place) = tokens.number("an alignment")?;
	let align = integer(text).filter(|align| align.is_power_of_two() && *align <= 128);
	let align = align.ok_or_else(|| place.unsupported("alignment", text, "powers of two up to 128"))?;
	Ok(Some(align as u32))
}

/// The type of a variable or parameter.
pub(super) fn data_type(tokens: &mut Tokens<'_>) -> Result<Type, ParseError> {
	let (word, place) = tokens.word("a type such as .u32")?;
	word.strip_prefix('.')
		.and_then(Type::named)
		.filter(|ty| *ty != Type::Predicate)
		.ok_or_else(|| place.unsupported("type", word, ".b8 to .b64, .u8 to .u64, .s8 to .s64, .f32, .f64"))
}

/// `[4][2]` after a name: the number of elements, `None` in case of `[]`, 1 when there are no brackets.
pub(super) fn array_length(tokens: &mut Tokens<'_>) -> Result<Option<u32>, ParseError> {
	let mut length = 1u32;
	while tokens.accept('[')? {
		if tokens.accept(']')? {
			return Ok(None);
		}
		let (text, place) = tokens.number("a size")?;
		length = integer(text)
			.and_then(|size| u32::try_from(size).ok()?.checked_mul(length))
			.filter(|length| *length > 0 && *length <= MAX_GLOBAL_BYTES)
			.ok_or_else(|| place.too_large("elements of an array", MAX_GLOBAL_BYTES.into()))?;
		tokens.expect(']', "`]`")?;
	}
	Ok(Some(length))
}

/// What follows the state space, up to and including the semicolon.
pub(super) fn parse<'a>(
	tokens: &mut Tokens<'a>,
	space: VariableSpace,
) -> Result<Declaration<'a>, ParseError> {
	let align = alignment(tokens)?;
	let ty = data_type(tokens)?;
	let (name, place) = tokens.word("a variable's name")?;
	let length = array_length(tokens)?;
	let element = u32::from(ty.bits() / 8);
	let mut initial = Vec::new();
	let equals = tokens.peek();
	if tokens.accept('=')? {
		if !matches!(space, VariableSpace::Global | VariableSpace::Const) {
			return Err(equals.unexpected("`;`: only .global and .const variables have initial values"));
		}
		initial = initial_values(tokens, ty, length)?;
	}
	tokens.expect(';', "`;`")?;
	let bytes = match length {
		Some(length) => {
			let bytes = length.checked_mul(element).filter(|bytes| *bytes <= MAX_GLOBAL_BYTES);
			Some(bytes.ok_or_else(|| place.too_large("bytes of a variable", MAX_GLOBAL_BYTES.into()))?)
		}
		None if !initial.is_empty() => Some(initial.len() as u32),
		None => None,
	};
	Ok(Declaration { name, place, space, align: align.unwrap_or(element), bytes, initial })
}

fn initial_values(tokens: &mut Tokens<'_>, ty: Type, length: Option<u32>) -> Result<Vec<u8>, ParseError> {
	let mut bytes = Vec::new();
	if !tokens.accept('{')? {
		initial_value(tokens, ty, &mut bytes)?;
		return Ok(bytes);
	}
	let mut left = length.unwrap_or(MAX_GLOBAL_BYTES);
	while !tokens.accept('}')? {
		let token = tokens.peek();
		left = left.checked_sub(1).ok_or_else(|| token.unexpected("`}`: the array is full"))?;
		initial_value(tokens, ty, &mut bytes)?;
		if !tokens.accept(',')? {
			tokens.expect('}', "`,` or `}`")?;
			break;
		}
	}
	Ok(bytes)
}

fn initial_value(tokens: &mut Tokens<'_>, ty: Type, bytes: &mut Vec<u8>) -> Result<(), ParseError> {
	let negative = tokens.accept('-')?;
	let token = tokens.next()?;
	let TokenKind::Number(text) = token.kind else {
		return Err(
			token.unexpected("a number (addresses and nested braces are not supported as initial values)")
		);
	};
	let value = Literal::parse(text).and_then(|literal| literal.bits(negative, ty));
	let value = value.ok_or_else(|| token.place.mismatch(text, "a number of the variable's type"))?;
	bytes.extend(value.to_le_bytes().into_iter().take(usize::from(ty.bits() / 8)));
	Ok(())
}
