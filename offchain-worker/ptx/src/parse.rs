//! Tokens to a [`Module`]. Nothing here recurses, so no text can exhaust the stack.

mod arithmetic;
mod body;
mod call;
mod compare;
mod control;
mod convert;
mod data;
mod entry;
mod frame;
mod function;
mod literal;
mod modifiers;
mod names;
mod operand;
mod variable;
mod warp;

use crate::{
	error::ParseError,
	lexer::{Place, TokenKind, Tokens},
	module::{Module, MAX_TEXT_BYTES, MAX_VARIABLES},
};
use alloc::{string::String, sync::Arc, vec::Vec};
use entry::Draft;
use literal::integer;
use names::{ModuleNames, Symbol};
use variable::{Declaration, VariableSpace};

const MODULE_DIRECTIVES: &str =
	".version .target .address_size .visible .weak .extern .shared .global .const .entry .func, and \
	debugging directives";

/// Parses a whole text.
pub(crate) fn module(text: &str) -> Result<Module, ParseError> {
	let mut tokens = Tokens::new(text)?;
	let (version, target) = header(&mut tokens)?;
	let mut globals = Vec::new();
	let mut constants = Vec::new();
	let mut entries: Vec<Draft<'_>> = Vec::new();
	let mut names = ModuleNames::default();
	loop {
		let token = tokens.peek();
		let TokenKind::Word(directive) = token.kind else {
			match token.kind {
				TokenKind::End => break,
				_ => return Err(token.unexpected("a directive")),
			}
		};
		tokens.next()?;
		match directive {
			".visible" | ".weak" => {}
			".extern" if tokens.peek().kind == TokenKind::Word(".func") => {
				return Err(function::external(tokens.peek().place));
			}
			".extern" if tokens.peek().kind == TokenKind::Word(".shared") => {}
			".file" | ".loc" => tokens.skip_line(token.place.line)?,
			".section" => {
				tokens.word("the section's name")?;
				tokens.skip_braces()?;
			}
			".entry" => {
				let entry = entry::parse(&mut tokens, &names, &entries)?;
				entries.push(entry);
			}
			".func" => function::parse(&mut tokens, &mut names)?,
			_ => match VariableSpace::of(directive) {
				Some(space) if space != VariableSpace::Local => {
					let declaration = variable::parse(&mut tokens, space)?;
					let (name, place) = (declaration.name, declaration.place);
					let symbol = place_variable(&mut constants, &mut globals, &names, declaration)?;
					names.declare(name, place, symbol)?;
				}
				_ => return Err(token.place.unsupported("directive", directive, MODULE_DIRECTIVES)),
			},
		}
	}
	names.functions.check_calls()?;
	let mut text_left = MAX_TEXT_BYTES;
	for entry in &mut entries {
		if names.functions.get(entry.name).is_some() {
			return Err(entry.place.duplicate(entry.name));
		}
		function::link(&mut entry.body, &names, &mut text_left)?;
	}
	let entries = entries.into_iter().map(Draft::finish).collect();
	Ok(Module { version, target, entries, constants, globals: Arc::new(globals) })
}

/// `.version`, `.target` and `.address_size`, with which every module starts.
fn header(tokens: &mut Tokens<'_>) -> Result<((u32, u32), String), ParseError> {
	if !tokens.accept_word(".version")? {
		return Err(tokens.peek().unexpected("`.version`"));
	}
	let (number, place) = tokens.number("a version such as 7.0")?;
	let version = number
		.split_once('.')
		.and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
		.filter(|version: &(u32, u32)| (3..=9).contains(&version.0))
		.ok_or_else(|| place.unsupported("version", number, "3.0 to 9.x"))?;
	if !tokens.accept_word(".target")? {
		return Err(tokens.peek().unexpected("`.target`"));
	}
	let (target, _) = tokens.word("a target such as sm_80")?;
	while tokens.accept(',')? {
		let (option, place) = tokens.word("a target option")?;
		if option != "debug" {
			return Err(place.unsupported("target option", option, "debug"));
		}
	}
	if !tokens.accept_word(".address_size")? {
		return Err(tokens.peek().unexpected("`.address_size 64`"));
	}
	let (size, place) = tokens.number("64")?;
	if integer(size) != Some(64) {
		return Err(place.unsupported("address size", size, "64"));
	}
	Ok((version, target.into()))
}

/// Gives a module's variable its place.
fn place_variable(
	constants: &mut Vec<u8>,
	globals: &mut Vec<Vec<u8>>,
	names: &ModuleNames<'_>,
	declaration: Declaration<'_>,
) -> Result<Symbol, ParseError> {
	let Declaration { space, align, bytes, initial, place, .. } = declaration;
	if names.len() >= MAX_VARIABLES {
		return Err(place.too_large("variables of the module", MAX_VARIABLES as u64));
	}
	match (space, bytes) {
		(VariableSpace::Const, Some(bytes)) => {
			constants.resize(constants.len().next_multiple_of(align as usize), 0);
			let offset = constants.len() as u64;
			let end = constants.len() + bytes as usize;
			check_total(place, "bytes of .const variables", end, crate::module::MAX_CONST_BYTES)?;
			constants.extend_from_slice(&initial);
			constants.resize(end, 0);
			Ok(Symbol::Const { offset })
		}
		(VariableSpace::Global, Some(bytes)) => {
			let total = globals.iter().map(Vec::len).sum::<usize>() + bytes as usize;
			check_total(place, "bytes of .global variables", total, crate::module::MAX_GLOBAL_BYTES)?;
			let mut image = initial;
			image.resize(bytes as usize, 0);
			globals.push(image);
			Ok(Symbol::Global { index: globals.len() as u32 - 1 })
		}
		(VariableSpace::Shared, bytes) => Ok(Symbol::Shared { bytes, align }),
		_ => Err(place.unsupported("array", declaration.name, "a size in `[]`, except for .extern .shared")),
	}
}

fn check_total(place: Place, what: &'static str, total: usize, limit: u32) -> Result<(), ParseError> {
	match total <= limit as usize {
		true => Ok(()),
		false => Err(place.too_large(what, limit.into())),
	}
}
