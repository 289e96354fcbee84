//! `.entry`: its parameters, directives, declarations and instructions.

use super::{
	body::Body,
	literal::integer,
	modifiers::{Modifiers, Type},
	names::{ModuleNames, Symbol},
	operand::EntryParser,
	variable::{self, VariableSpace},
};
use crate::{
	error::ParseError,
	ir::{Guard, Op},
	lexer::{Place, TokenKind, Tokens},
	module::{Entry, Module, ParamInfo, MAX_BLOCK_THREADS, MAX_ENTRIES, MAX_PARAM_BYTES},
};
use alloc::vec::Vec;

const BODY_DIRECTIVES: &str = ".reg .local .shared .pragma .loc";
const REGISTER_TYPES: &str = ".pred .b16 .b32 .b64 .u16 .u32 .u64 .s16 .s32 .s64 .f32 .f64";

/// What comes after `.entry`.
pub(super) fn parse<'a>(
	tokens: &mut Tokens<'a>,
	names: &ModuleNames<'a>,
	module: &Module,
) -> Result<Entry, ParseError> {
	let (name, place) = tokens.word("the entry's name")?;
	if module.entry(name).is_some() {
		return Err(place.duplicate(name));
	}
	if module.entries.len() >= MAX_ENTRIES {
		return Err(place.too_large("entries of a module", MAX_ENTRIES as u64));
	}
	let mut parser = EntryParser { tokens, names, body: Body::default() };
	parser.body.open(place)?;
	let params = parser.parameters()?;
	let (max_threads, required_block) = parser.performance_directives()?;
	parser.statements()?;
	let body = parser.body;
	Ok(Entry {
		name: name.into(),
		params,
		code: body.code,
		lines: body.lines,
		seeds: body.seeds,
		warp_ops: body.warp_ops,
		threads_meet: body.threads_meet,
		global_atomics: body.global_atomics,
		local_bytes: body.local_bytes,
		shared_bytes: body.shared_bytes,
		max_threads,
		required_block,
	})
}

impl<'a> EntryParser<'a, '_> {
	/// `( .param .u64 a, ... )`, which may be left out.
	fn parameters(&mut self) -> Result<Vec<ParamInfo>, ParseError> {
		let mut params = Vec::new();
		let mut end = 0u32;
		if !self.tokens.accept('(')? || self.tokens.accept(')')? {
			return Ok(params);
		}
		loop {
			let (info, name, place) = self.parameter()?;
			let offset = end.next_multiple_of(info.align);
			end = offset.saturating_add(info.bytes);
			if end > MAX_PARAM_BYTES {
				return Err(place.too_large("bytes of parameters", MAX_PARAM_BYTES.into()));
			}
			let symbol = Symbol::Param { offset: offset.into() };
			self.body.scope(place)?.declare(name, place, symbol)?;
			params.push(info);
			if !self.tokens.accept(',')? {
				break;
			}
		}
		self.tokens.expect(')', "`,` or `)`")?;
		Ok(params)
	}

	fn parameter(&mut self) -> Result<(ParamInfo, &'a str, Place), ParseError> {
		let token = self.tokens.peek();
		if !self.tokens.accept_word(".param")? {
			return Err(token.unexpected("`.param`"));
		}
		let align = variable::alignment(self.tokens)?;
		let ty = variable::data_type(self.tokens)?;
		// What a pointer points to is a hint for the assembler.
		if self.tokens.accept_word(".ptr")? {
			for space in [".global", ".const", ".local", ".shared"] {
				if self.tokens.accept_word(space)? {
					break;
				}
			}
			variable::alignment(self.tokens)?;
		}
		let (name, place) = self.tokens.word("the parameter's name")?;
		let element = u32::from(ty.bits() / 8);
		let bytes = variable::array_length(self.tokens)?
			.and_then(|length| length.checked_mul(element))
			.filter(|bytes| *bytes <= MAX_PARAM_BYTES)
			.ok_or_else(|| place.too_large("bytes of parameters", MAX_PARAM_BYTES.into()))?;
		Ok((ParamInfo { bytes, align: align.unwrap_or(element) }, name, place))
	}

	/// Directives between the parameters and the body: the most threads of a block, and the shape it must have.
	fn performance_directives(&mut self) -> Result<(u32, Option<[u32; 3]>), ParseError> {
		let mut max_threads = MAX_BLOCK_THREADS;
		let mut required = None;
		loop {
			let token = self.tokens.peek();
			let TokenKind::Word(directive) = token.kind else { return Ok((max_threads, required)) };
			self.tokens.next()?;
			match directive {
				".maxntid" => {
					let [x, y, z] = self.dimensions()?;
					max_threads = max_threads.min(x.saturating_mul(y).saturating_mul(z));
				}
				".reqntid" => required = Some(self.dimensions()?),
				".minnctapersm" | ".maxnctapersm" | ".maxnreg" => {
					self.immediate(u32::MAX.into())?;
				}
				".pragma" => self.pragma()?,
				_ => {
					let supported = ".maxntid .reqntid .minnctapersm .maxnctapersm .maxnreg .pragma";
					return Err(token.place.unsupported("directive", directive, supported));
				}
			}
		}
	}

	/// One to three numbers; what is left out is 1.
	fn dimensions(&mut self) -> Result<[u32; 3], ParseError> {
		let mut dimensions = [1; 3];
		for (index, dimension) in dimensions.iter_mut().enumerate() {
			if index > 0 && !self.tokens.accept(',')? {
				break;
			}
			*dimension = self.immediate(u32::MAX.into())? as u32;
		}
		Ok(dimensions)
	}

	fn pragma(&mut self) -> Result<(), ParseError> {
		let token = self.tokens.next()?;
		if !matches!(token.kind, TokenKind::String(_)) {
			return Err(token.unexpected("a string"));
		}
		self.tokens.expect(';', "`;`")
	}

	/// Everything from `{` to the `}` that ends the entry.
	fn statements(&mut self) -> Result<(), ParseError> {
		let start = self.tokens.peek();
		self.tokens.expect('{', "`{`")?;
		self.body.open(start.place)?;
		loop {
			let token = self.tokens.next()?;
			match token.kind {
				TokenKind::Punctuation('{') => self.body.open(token.place)?,
				TokenKind::Punctuation('}') => {
					if self.body.close()? == 1 {
						break self.finish(token.place)?;
					}
				}
				TokenKind::Punctuation(';') => {}
				TokenKind::Punctuation('@') => {
					let condition = self.condition()?;
					let guard = if condition.negated {
						Guard::Unless(condition.slot)
					} else {
						Guard::If(condition.slot)
					};
					let (word, place) = self.tokens.word("an instruction")?;
					self.guarded_instruction(guard, word, place)?;
				}
				TokenKind::Word(word) if word.starts_with('.') => self.directive(word, token.place)?,
				TokenKind::Word(word) => {
					if self.tokens.accept(':')? {
						self.body.label(word, token.place)?;
					} else {
						self.guarded_instruction(Guard::Always, word, token.place)?;
					}
				}
				_ => return Err(token.unexpected("an instruction, a label, a directive or `}`")),
			}
		}
		Ok(())
	}

	/// After the last `}`: the end of the text of an entry returns.
	fn finish(&mut self, place: Place) -> Result<(), ParseError> {
		self.body.push(Guard::Always, Op::Return, place)?;
		self.body.finish_shared();
		self.body.close()?;
		Ok(())
	}

	fn guarded_instruction(&mut self, guard: Guard, word: &'a str, place: Place) -> Result<(), ParseError> {
		let op = self.instruction(Modifiers::new(word, place))?;
		self.tokens.expect(';', "`;` after the operands")?;
		self.body.push(guard, op, place)
	}

	fn directive(&mut self, directive: &str, place: Place) -> Result<(), ParseError> {
		match directive {
			".reg" => self.registers(),
			".loc" | ".file" => self.tokens.skip_line(place.line),
			".pragma" => self.pragma(),
			".local" | ".shared" => {
				let space = VariableSpace::of(directive).unwrap_or(VariableSpace::Local);
				let declaration = variable::parse(self.tokens, space)?;
				let place = declaration.place;
				let Some(bytes) = declaration.bytes else {
					return Err(place.unsupported("array", declaration.name, "a size in `[]`"));
				};
				let symbol = if space == VariableSpace::Local {
					Symbol::Local { offset: self.body.reserve_local(bytes, declaration.align, place)? }
				} else {
					Symbol::SharedAt { offset: self.body.reserve_shared(bytes, declaration.align, place)? }
				};
				self.body.scope(place)?.declare(declaration.name, place, symbol)
			}
			_ => Err(place.unsupported("directive", directive, BODY_DIRECTIVES)),
		}
	}

	/// `.reg .b32 %r<10>;` or `.reg .pred p, q;`
	fn registers(&mut self) -> Result<(), ParseError> {
		let (word, place) = self.tokens.word("a type")?;
		let ty = word.strip_prefix('.').and_then(Type::named).filter(|ty| ty.bits() != 8);
		let ty = ty.ok_or_else(|| place.unsupported("register type", word, REGISTER_TYPES))?;
		loop {
			let (name, place) = self.tokens.word("a register's name")?;
			if self.tokens.accept('<')? {
				let (text, at) = self.tokens.number("a count")?;
				let count = integer(text).and_then(|count| u32::try_from(count).ok());
				let count = count.ok_or_else(|| at.too_large("registers in a range", u32::MAX.into()))?;
				self.tokens.expect('>', "`>`")?;
				self.body.scope(place)?.declare_range(name, place, count, ty)?;
			} else {
				self.body.scope(place)?.declare(name, place, Symbol::Register { ty, slot: None })?;
			}
			if !self.tokens.accept(',')? {
				break;
			}
		}
		self.tokens.expect(';', "`;`")
	}
}
