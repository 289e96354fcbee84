//! Declarations of variables in the state spaces, with their initial values.

use super::{
	literal::{integer, Literal},
	modifiers::Type,
};
use crate::{
	error::ParseError,
	lexer::{Place, TokenKind, Tokens},
	module::{MAX_GLOBAL_BYTES, MAX_PARAM_BYTES},
};
use alloc::vec::Vec;

const REGISTER_TYPES: &str = ".pred .b16 .b32 .b64 .u16 .u32 .u64 .s16 .s32 .s64 .f32 .f64";

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

/// `.reg` has been read: the type of a register.
pub(super) fn register_type(tokens: &mut Tokens<'_>) -> Result<Type, ParseError> {
	let (word, place) = tokens.word("a type")?;
	let ty = word.strip_prefix('.').and_then(Type::named).filter(|ty| ty.bits() != 8);
	ty.ok_or_else(|| place.unsupported("register type", word, REGISTER_TYPES))
}

/// A `.param` variable.
#[derive(Debug)]
pub(super) struct Parameter<'a> {
	pub(super) name: &'a str,
	pub(super) place: Place,
	/// Nothing for arrays.
	pub(super) ty: Option<Type>,
	pub(super) bytes: u16,
	pub(super) align: u32,
}

/// What follows `.param`, up to the name and the size.
pub(super) fn parameter<'a>(tokens: &mut Tokens<'a>) -> Result<Parameter<'a>, ParseError> {
	let align = alignment(tokens)?;
	let ty = data_type(tokens)?;
	// What a pointer points to is a hint for the assembler.
	if tokens.accept_word(".ptr")? {
		for space in [".global", ".const", ".local", ".shared"] {
			if tokens.accept_word(space)? {
				break;
			}
		}
		alignment(tokens)?;
	}
	let (name, place) = tokens.word("the parameter's name")?;
	let array = tokens.peek().kind == TokenKind::Punctuation('[');
	let element = u32::from(ty.bits() / 8);
	let bytes = array_length(tokens)?
		.and_then(|length| length.checked_mul(element))
		.filter(|bytes| *bytes <= MAX_PARAM_BYTES)
		.ok_or_else(|| place.too_large("bytes of parameters", MAX_PARAM_BYTES.into()))?;
	let ty = (!array).then_some(ty);
	Ok(Parameter { name, place, ty, bytes: bytes as u16, align: align.unwrap_or(element) })
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
