//! `.entry`: its parameters, directives, declarations and instructions.

use super::{
	body::Body,
	literal::integer,
	modifiers::Modifiers,
	names::{ModuleNames, Role, Symbol},
	operand::EntryParser,
	variable::{self, Parameter, VariableSpace},
};
use crate::{
	error::ParseError,
	ir::Guard,
	lexer::{Place, TokenKind, Tokens},
	module::{Entry, ParamInfo, MAX_BLOCK_THREADS, MAX_ENTRIES, MAX_PARAM_BYTES},
};
use alloc::vec::Vec;

const BODY_DIRECTIVES: &str =
	".reg .local .shared .param .pragma .loc, .branchtargets after a label; no .callprototype and no .calltargets";

/// An entry whose functions have not been added yet.
pub(super) struct Draft<'a> {
	pub(super) name: &'a str,
	pub(super) place: Place,
	params: Vec<ParamInfo>,
	max_threads: u32,
	required_block: Option<[u32; 3]>,
	pub(super) body: Body<'a>,
}

/// What comes after `.entry`. `known` are those that the module has.
pub(super) fn parse<'a>(
	tokens: &mut Tokens<'a>,
	names: &ModuleNames<'a>,
	known: &[Draft<'a>],
) -> Result<Draft<'a>, ParseError> {
	let (name, place) = tokens.word("the entry's name")?;
	if known.iter().any(|entry| entry.name == name) {
		return Err(place.duplicate(name));
	}
	if known.len() >= MAX_ENTRIES {
		return Err(place.too_large("entries of a module", MAX_ENTRIES as u64));
	}
	let mut body = Body::default();
	let mut parser = EntryParser { tokens, names, body: &mut body, link: None };
	parser.body.open(place)?;
	let params = parser.parameters()?;
	let (max_threads, required_block) = parser.performance_directives()?;
	parser.statements()?;
	Ok(Draft { name, place, params, max_threads, required_block, body })
}

impl Draft<'_> {
	/// The entry, once its functions have been added.
	pub(super) fn finish(self) -> Entry {
		let Self { name, params, max_threads, required_block, mut body, .. } = self;
		body.finish_shared();
		Entry {
			name: name.into(),
			params,
			code: body.code,
			lines: body.lines,
			seeds: body.seeds,
			targets: body.targets,
			warp_ops: body.warp_ops,
			threads_meet: body.threads_meet,
			global_atomics: body.global_atomics,
			local_bytes: body.local_bytes,
			shared_bytes: body.shared_bytes,
			max_threads,
			required_block,
		}
	}
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
			let token = self.tokens.peek();
			if !self.tokens.accept_word(".param")? {
				return Err(token.unexpected("`.param`"));
			}
			let Parameter { name, place, bytes, align, .. } = variable::parameter(self.tokens)?;
			let info = ParamInfo { bytes: bytes.into(), align };
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

	/// Everything from `{` to the `}` that ends the entry or function.
	pub(super) fn statements(&mut self) -> Result<(), ParseError> {
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
					if !self.tokens.accept(':')? {
						self.guarded_instruction(Guard::Always, word, token.place)?;
					} else if self.tokens.accept_word(".branchtargets")? {
						self.branch_targets(word, token.place)?;
					} else {
						self.body.label(word, token.place)?;
					}
				}
				_ => return Err(token.unexpected("an instruction, a label, a directive or `}`")),
			}
		}
		Ok(())
	}

	/// After the last `}`: the end of the text of an entry or a function returns.
	fn finish(&mut self, place: Place) -> Result<(), ParseError> {
		let op = self.returns();
		self.body.push(Guard::Always, op, place)?;
		self.body.close()?;
		Ok(())
	}

	fn guarded_instruction(&mut self, guard: Guard, word: &'a str, place: Place) -> Result<(), ParseError> {
		let name = Modifiers::new(word, place);
		if name.base() == "call" {
			self.call(guard, name, place)?;
			return self.tokens.expect(';', "`;` after the operands");
		}
		let op = self.instruction(name)?;
		self.tokens.expect(';', "`;` after the operands")?;
		self.body.push(guard, op, place)
	}

	fn directive(&mut self, directive: &str, place: Place) -> Result<(), ParseError> {
		match directive {
			".reg" => self.registers(),
			".loc" | ".file" => self.tokens.skip_line(place.line),
			".pragma" => self.pragma(),
			".param" => {
				let Parameter { name, place, ty, bytes, align } = variable::parameter(self.tokens)?;
				self.tokens.expect(';', "`;`")?;
				let offset = self.body.reserve_passed(bytes, align, place)?;
				let symbol = Symbol::Passed { role: Role::Caller, offset, bytes, ty };
				self.body.scope(place)?.declare(name, place, symbol)
			}
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
		let ty = variable::register_type(self.tokens)?;
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
