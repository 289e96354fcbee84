//! `.func`: functions, and how an entry gets those that it calls.
//!
//! The text of a function is read when it is met, for its errors, and again for each entry that calls it: its instructions
//! then follow those of the entry, and use registers and memory of the entry.

use super::{
	body::Body,
	frame::Home,
	modifiers::Type,
	names::{ModuleNames, Role, Symbol},
	operand::EntryParser,
	variable,
};
use crate::{
	error::ParseError,
	lexer::{Place, TokenKind, Tokens},
	module::{MAX_FUNCTIONS, MAX_PARAM_BYTES, MAX_TEXT_BYTES},
};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};

const HAS_TEXT: &str = "functions that are defined in the same text";
const NO_RECURSION: &str = "functions that call themselves neither directly nor through others";

/// A parameter or a result of a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Formal<'a> {
	name: &'a str,
	place: Place,
	/// Whether it is a register; it is a `.param` variable otherwise.
	pub(super) register: bool,
	/// Its type, unless it is an array.
	pub(super) ty: Option<Type>,
	pub(super) bytes: u16,
	pub(super) align: u32,
}

/// What a function takes and gives.
#[derive(Debug, Default)]
pub(super) struct Signature<'a> {
	pub(super) results: Vec<Formal<'a>>,
	pub(super) parameters: Vec<Formal<'a>>,
}

impl Signature<'_> {
	/// Whether whoever calls the one may call the other.
	fn agrees(&self, other: &Self) -> bool {
		let [own, others] = [self, other].map(|signature| [&signature.results, &signature.parameters]);
		own.iter().zip(others).all(|(own, others)| {
			own.len() == others.len()
				&& own.iter().zip(others).all(|(own, other)| own.shape() == other.shape())
		})
	}
}

impl Formal<'_> {
	/// All that matters to a caller.
	fn shape(&self) -> (bool, Option<u8>, u16, u32) {
		(self.register, self.ty.map(Type::bits), self.bytes, self.align)
	}
}

/// A declared function.
#[derive(Debug)]
pub(super) struct Function<'a> {
	place: Place,
	pub(super) signature: Signature<'a>,
	/// What follows the declaration, from `{` on.
	text: Option<Text<'a>>,
}

/// A function's own text.
#[derive(Debug)]
struct Text<'a> {
	tokens: Tokens<'a>,
	bytes: usize,
	/// Whom it calls.
	calls: BTreeSet<&'a str>,
}

/// The functions of a module.
#[derive(Debug, Default)]
pub(super) struct Functions<'a>(BTreeMap<&'a str, Function<'a>>);

impl<'a> Functions<'a> {
	pub(super) fn get(&self, name: &str) -> Option<&Function<'a>> {
		self.0.get(name)
	}

	/// Notes a declaration, which may come again, but with the same parameters and results.
	fn declare(&mut self, name: &'a str, place: Place, signature: Signature<'a>) -> Result<(), ParseError> {
		if let Some(known) = self.0.get_mut(name) {
			if !known.signature.agrees(&signature) {
				return Err(place.mismatch(name, "the parameters and results with which it was declared"));
			}
			if known.text.is_none() {
				(known.signature, known.place) = (signature, place);
			}
			return Ok(());
		}
		if self.0.len() >= MAX_FUNCTIONS {
			return Err(place.too_large("functions of a module", MAX_FUNCTIONS as u64));
		}
		self.0.insert(name, Function { place, signature, text: None });
		Ok(())
	}

	/// Checks that all functions have a text, and that none can come to call itself.
	pub(super) fn check_calls(&self) -> Result<(), ParseError> {
		let mut callers: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
		let mut unchecked: BTreeMap<&str, usize> = BTreeMap::new();
		for (name, function) in &self.0 {
			let calls = &self.text(name, function.place)?.calls;
			unchecked.insert(name, calls.len());
			for callee in calls {
				callers.entry(callee).or_default().push(name);
			}
		}
		// Functions that only call checked ones are fine.
		let mut checked: Vec<&str> =
			unchecked.iter().filter(|(_, calls)| **calls == 0).map(|(name, _)| *name).collect();
		while let Some(name) = checked.pop() {
			unchecked.remove(name);
			for caller in callers.get(name).into_iter().flatten() {
				if let Some(left) = unchecked.get_mut(caller) {
					*left -= 1;
					if *left == 0 {
						checked.push(caller);
					}
				}
			}
		}
		// The others all call another one of them: whoever goes from one to the next ends up in a circle.
		let Some(mut name) = unchecked.keys().next().copied() else { return Ok(()) };
		for _ in 0..unchecked.len() {
			let calls = self.0.get(name).and_then(|function| function.text.as_ref()).map(|text| &text.calls);
			let next = calls.and_then(|calls| calls.iter().find(|callee| unchecked.contains_key(*callee)));
			name = next.copied().unwrap_or(name);
		}
		let place = self.0.get(name).map_or(Place { line: 1, column: 1 }, |function| function.place);
		Err(place.unsupported("function", name, NO_RECURSION))
	}

	/// The text of a function that is declared or called at that place.
	fn text(&self, name: &str, place: Place) -> Result<&Text<'a>, ParseError> {
		let text = self.0.get(name).and_then(|function| function.text.as_ref());
		text.ok_or_else(|| place.unsupported("function", name, HAS_TEXT))
	}
}

/// What comes after `.func`.
pub(super) fn parse<'a>(tokens: &mut Tokens<'a>, names: &mut ModuleNames<'a>) -> Result<(), ParseError> {
	let results = formals(tokens)?;
	let (name, place) = tokens.word("the function's name")?;
	if names.get(name).is_some() {
		return Err(place.duplicate(name));
	}
	let parameters = formals(tokens)?;
	if !matches!(tokens.peek().kind, TokenKind::Punctuation('{' | ';')) {
		return Err(tokens.peek().unexpected("`{` or `;`"));
	}
	let known = names.functions.get(name).is_some_and(|function| function.text.is_some());
	names.functions.declare(name, place, Signature { results, parameters })?;
	if tokens.accept(';')? {
		return Ok(());
	}
	if known {
		return Err(place.duplicate(name));
	}
	let start = tokens.clone();
	let mut body = Body::default();
	read(tokens, names, &mut body, name, place)?;
	let calls = body.frames.calls.iter().map(|call| call.function).collect();
	if let Some(function) = names.functions.0.get_mut(name) {
		function.text = Some(Text { bytes: start.bytes_left() - tokens.bytes_left(), tokens: start, calls });
	}
	Ok(())
}

/// `( .param .b32 a, .reg .f32 b )`, which may be left out.
fn formals<'a>(tokens: &mut Tokens<'a>) -> Result<Vec<Formal<'a>>, ParseError> {
	let mut formals = Vec::new();
	let mut total = 0;
	if !tokens.accept('(')? || tokens.accept(')')? {
		return Ok(formals);
	}
	loop {
		let formal = formal(tokens)?;
		total += u32::from(formal.bytes.max(1));
		if total > MAX_PARAM_BYTES {
			return Err(formal.place.too_large("bytes of parameters", MAX_PARAM_BYTES.into()));
		}
		formals.push(formal);
		if !tokens.accept(',')? {
			break;
		}
	}
	tokens.expect(')', "`,` or `)`")?;
	Ok(formals)
}

fn formal<'a>(tokens: &mut Tokens<'a>) -> Result<Formal<'a>, ParseError> {
	let token = tokens.peek();
	if tokens.accept_word(".reg")? {
		let ty = variable::register_type(tokens)?;
		let (name, place) = tokens.word("the parameter's name")?;
		return Ok(Formal {
			name,
			place,
			register: true,
			ty: Some(ty),
			bytes: u16::from(ty.bits() / 8),
			align: 1,
		});
	}
	if !tokens.accept_word(".param")? {
		return Err(token.unexpected("`.param` or `.reg`"));
	}
	let variable::Parameter { name, place, ty, bytes, align } = variable::parameter(tokens)?;
	Ok(Formal { name, place, register: false, ty, bytes, align })
}

/// Appends the instructions of a function, whose text is next, to `body`.
fn read<'a>(
	tokens: &mut Tokens<'a>,
	names: &ModuleNames<'a>,
	body: &mut Body<'a>,
	name: &'a str,
	place: Place,
) -> Result<(), ParseError> {
	let Some(function) = names.functions.get(name) else {
		return Err(place.undeclared("function", name));
	};
	let Signature { results, parameters } = &function.signature;
	let frame = body.frame(name, &function.signature, place)?;
	body.start_function(name);
	body.open(place)?;
	for (formals, homes, role) in
		[(results, &frame.results, Role::Result), (parameters, &frame.parameters, Role::Parameter)]
	{
		for (formal, home) in formals.iter().zip(homes) {
			let symbol = match *home {
				Home::Register { slot, ty } => Symbol::Register { ty, slot: Some(slot) },
				Home::Memory { offset, bytes, ty } => Symbol::Passed { role, offset, bytes, ty },
			};
			body.scope(place)?.declare(formal.name, formal.place, symbol)?;
		}
	}
	let mut parser = EntryParser { tokens, names, body, link: Some(frame.link) };
	parser.statements()
}

/// Appends all functions that an entry comes to call, and lets its calls go there. `left` is how much of their texts may
/// still be read.
pub(super) fn link<'a>(
	body: &mut Body<'a>,
	names: &ModuleNames<'a>,
	left: &mut usize,
) -> Result<(), ParseError> {
	let mut next = 0;
	// Functions add calls of their own.
	while let Some(call) = body.frames.calls.get(next).copied() {
		next += 1;
		if body.start_of(call.function).is_none() {
			let text = names.functions.text(call.function, call.place)?;
			*left = left.checked_sub(text.bytes).ok_or_else(|| {
				call.place.too_large(
					"bytes of functions, again for each entry that calls them",
					MAX_TEXT_BYTES as u64,
				)
			})?;
			read(&mut text.tokens.clone(), names, body, call.function, call.place)?;
		}
		if let Some(start) = body.start_of(call.function) {
			body.resolve_call(call, start);
		}
	}
	Ok(())
}

/// The error for `.extern .func`: nothing is linked.
pub(super) fn external(place: Place) -> ParseError {
	place.unsupported("external function", ".extern .func", HAS_TEXT)
}
