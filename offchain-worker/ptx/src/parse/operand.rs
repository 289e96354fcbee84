//! Operands: registers, constants, addresses, vectors.

use super::{
	body::Body,
	literal::{integer, Literal},
	modifiers::{Type, U32},
	names::{ModuleNames, Role, Symbol},
};
use crate::{
	error::ParseError,
	fault::{AccessKind, Space},
	ir::{Address, Condition, LaneMask, Seed, Slot, Special},
	lexer::{Place, TokenKind, Tokens},
};

const SPECIAL_REGISTERS: &str =
	"%tid, %ntid, %ctaid, %nctaid (each .x .y .z), %laneid, %warpid, %lanemask_eq _le _lt _ge _gt; clocks and the like are \
	refused because they are not deterministic";

const PASSED: &str = "a .param variable, with ld.param or st.param: parameters are read, results are written";

/// Reads the body of one entry or function.
pub(super) struct EntryParser<'a, 'p> {
	pub(super) tokens: &'p mut Tokens<'a>,
	pub(super) names: &'p ModuleNames<'a>,
	pub(super) body: &'p mut Body<'a>,
	/// In a function, the slot that says where its caller goes on.
	pub(super) link: Option<Slot>,
}

/// What may stand in a vector operand beside registers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Elements {
	/// `_` for a value that is thrown away.
	Written,
	/// Numbers.
	Read,
	/// Nothing: the width of the registers matters.
	Registers,
}

/// A vector operand: as many slots as elements, and the width of the registers.
pub(super) struct Vector {
	pub(super) slots: [Slot; 4],
	pub(super) count: u8,
	pub(super) bits: u8,
}

impl<'a> EntryParser<'a, '_> {
	pub(super) fn comma(&mut self) -> Result<(), ParseError> {
		self.tokens.expect(',', "`,`")
	}

	/// A register to write to, of exactly the width and kind of `ty`.
	pub(super) fn destination(&mut self, ty: Type) -> Result<Slot, ParseError> {
		let (name, place) = self.tokens.word("a register")?;
		self.destination_named(name, place, ty)
	}

	/// As [`Self::destination`], for a name that has been read.
	pub(super) fn destination_named(
		&mut self,
		name: &'a str,
		place: Place,
		ty: Type,
	) -> Result<Slot, ParseError> {
		if name == "_" {
			return self.body.sink(place);
		}
		let (slot, register) = self.register(name, place)?;
		fits(register, ty).then_some(slot).ok_or_else(|| place.mismatch(name, fitting(ty)))
	}

	/// A register of at least the width of `ty`, as loads and conversions take it. Returns its width too.
	pub(super) fn wide_register(&mut self, ty: Type) -> Result<(Slot, u8), ParseError> {
		let (name, place) = self.tokens.word("a register")?;
		match name {
			"_" => Ok((self.body.sink(place)?, ty.bits())),
			_ => self.wide(name, place, ty),
		}
	}

	/// The slot and width of a declared register that is at least as wide as `ty`.
	fn wide(&mut self, name: &'a str, place: Place, ty: Type) -> Result<(Slot, u8), ParseError> {
		let (slot, register) = self.register(name, place)?;
		let wide = register != Type::Predicate && ty != Type::Predicate && register.bits() >= ty.bits();
		wide.then_some((slot, register.bits()))
			.ok_or_else(|| place.mismatch(name, "a register that is wide enough"))
	}

	/// A register, constant or address to read, of the width and kind of `ty`.
	pub(super) fn source(&mut self, ty: Type) -> Result<Slot, ParseError> {
		let token = self.tokens.peek();
		let TokenKind::Word(name) = token.kind else { return self.constant(ty) };
		self.tokens.next()?;
		let place = token.place;
		if matches!(self.body.symbol(name), Some(Symbol::Register { .. })) {
			let (slot, register) = self.register(name, place)?;
			return fits(register, ty).then_some(slot).ok_or_else(|| place.mismatch(name, fitting(ty)));
		}
		if name == "WARP_SZ" && matches!(ty, Type::Int(_) | Type::Bits(_)) {
			return self.body.fixed(Seed::Value(32), place);
		}
		if let Some(special) = special_register(name) {
			let slot = self.body.fixed(Seed::Special(special), place)?;
			return fits(U32, ty).then_some(slot).ok_or_else(|| place.mismatch(name, fitting(ty)));
		}
		if let Some(Symbol::Passed { role, .. }) = self.body.symbol(name) {
			if !role.has_address() {
				return Err(place.mismatch(name, "something else: arguments have no address"));
			}
		}
		match self.body.address(name, self.names, place)? {
			Some((seed, space)) => {
				let short = matches!(space, Space::Shared | Space::Local | Space::Const | Space::Param);
				let whole = ty.bits() == 64 || (ty.bits() == 32 && short);
				if !whole || matches!(ty, Type::Float(_)) {
					return Err(place.mismatch(name, "an integer: this is an address"));
				}
				self.body.fixed(seed, place)
			}
			None if self.names.functions.get(name).is_some() => {
				Err(place.unsupported("operand", name, "functions only in `call`: they have no address"))
			}
			None => Err(unknown(name, place)),
		}
	}

	/// As [`Self::source`], but a register may be wider than `ty`, as stores and conversions take it.
	pub(super) fn wide_source(&mut self, ty: Type) -> Result<Slot, ParseError> {
		match self.tokens.peek().kind {
			TokenKind::Word(name) if matches!(self.body.symbol(name), Some(Symbol::Register { .. })) => {
				Ok(self.wide_register(ty)?.0)
			}
			_ => self.source(ty),
		}
	}

	/// A number.
	fn constant(&mut self, ty: Type) -> Result<Slot, ParseError> {
		let negative = self.tokens.accept('-')?;
		let (text, place) = self.tokens.number("a register or a number")?;
		let value = Literal::parse(text).and_then(|literal| literal.bits(negative, ty));
		let value = value.ok_or_else(|| place.mismatch(text, fitting(ty)))?;
		self.body.fixed(Seed::Value(value), place)
	}

	/// A number that is part of the instruction, at most `limit`.
	pub(super) fn immediate(&mut self, limit: u64) -> Result<u64, ParseError> {
		let (text, place) = self.tokens.number("a number")?;
		integer(text).filter(|value| *value <= limit).ok_or_else(|| place.mismatch(text, "a smaller number"))
	}

	/// `%p` or `!%p`.
	pub(super) fn condition(&mut self) -> Result<Condition, ParseError> {
		let negated = self.tokens.accept('!')?;
		Ok(Condition { slot: self.source(Type::Predicate)?, negated })
	}

	/// `[%rd1+8]`, `[name]`, `[name+4]`.
	pub(super) fn address(&mut self, access: AccessKind, space: Space) -> Result<Address, ParseError> {
		self.tokens.expect('[', "`[`")?;
		let token = self.tokens.peek();
		let TokenKind::Word(name) = token.kind else {
			return Err(token.unexpected("a register or a variable as the address"));
		};
		self.tokens.next()?;
		if let Some(Symbol::Passed { role, offset: at, .. }) = self.body.symbol(name).copied() {
			let allowed = match role {
				Role::Parameter => access == AccessKind::Load,
				Role::Result => access == AccessKind::Store,
				Role::Caller => true,
			};
			if space != Space::Param || !allowed {
				return Err(token.place.mismatch(name, PASSED));
			}
			let base = self.body.fixed(Seed::Value(at.into()), token.place)?;
			let offset = self.offset()?;
			self.tokens.expect(']', "`]`")?;
			return Ok(Address { offset, base, space: Space::Local });
		}
		// The parameters of the entry can be read, and have addresses there.
		if space == Space::Param && (self.link.is_some() || access != AccessKind::Load) {
			return Err(token.place.mismatch(name, PASSED));
		}
		let base = match self.body.address(name, self.names, token.place)? {
			Some((seed, found)) if found == space || (found == Space::Global && space == Space::Generic) => {
				self.body.fixed(seed, token.place)?
			}
			Some(_) => return Err(token.place.mismatch(name, "a variable of the instruction's state space")),
			None => {
				let (slot, register) = self.register(name, token.place)?;
				let short = !matches!(space, Space::Generic | Space::Global);
				let whole = register.bits() == 64 || (register.bits() == 32 && short);
				if !whole || matches!(register, Type::Float(_)) {
					return Err(token.place.mismatch(name, "a 64-bit integer register as the address"));
				}
				slot
			}
		};
		let offset = self.offset()?;
		self.tokens.expect(']', "`]`")?;
		Ok(Address { offset, base, space })
	}

	/// `+8`, `+-8` or `-8`.
	fn offset(&mut self) -> Result<i32, ParseError> {
		let plus = self.tokens.accept('+')?;
		let negative = self.tokens.accept('-')?;
		if !plus && !negative {
			return Ok(0);
		}
		let (text, place) = self.tokens.number("an offset")?;
		integer(text)
			.and_then(|value| i64::try_from(value).ok())
			.and_then(|value| i32::try_from(if negative { -value } else { value }).ok())
			.ok_or_else(|| place.mismatch(text, "an offset of 32 bits"))
	}

	/// `{%r1, %r2}`: two or four elements, registers at least as wide as `ty` and all of one width.
	pub(super) fn vector(&mut self, ty: Type, elements: Elements) -> Result<Vector, ParseError> {
		let start = self.tokens.peek();
		self.tokens.expect('{', "`{`")?;
		let mut vector = Vector { slots: [0; 4], count: 0, bits: 0 };
		loop {
			let token = self.tokens.peek();
			let slot = self.element(ty, elements, &mut vector)?;
			let Some(element) = vector.slots.get_mut(usize::from(vector.count)) else {
				return Err(token.unexpected("at most four elements"));
			};
			*element = slot;
			vector.count += 1;
			if !self.tokens.accept(',')? {
				break;
			}
		}
		self.tokens.expect('}', "`,` or `}`")?;
		if !matches!(vector.count, 2 | 4) {
			return Err(start.unexpected("a vector of two or four elements"));
		}
		vector.bits = vector.bits.max(ty.bits());
		Ok(vector)
	}

	fn element(&mut self, ty: Type, elements: Elements, vector: &mut Vector) -> Result<Slot, ParseError> {
		let token = self.tokens.peek();
		match (elements, token.kind) {
			(Elements::Read, TokenKind::Number(_) | TokenKind::Punctuation('-')) => return self.constant(ty),
			(Elements::Written, TokenKind::Word("_")) => {
				self.tokens.next()?;
				return self.body.sink(token.place);
			}
			_ => {}
		}
		let (name, place) = self.tokens.word("a register")?;
		let (slot, bits) = self.wide(name, place, ty)?;
		if vector.bits != 0 && vector.bits != bits {
			return Err(token.unexpected("registers of one width"));
		}
		vector.bits = bits;
		Ok(slot)
	}

	/// The slot and type of a declared register.
	fn register(&mut self, name: &'a str, place: Place) -> Result<(Slot, Type), ParseError> {
		let Some(Symbol::Register { ty, slot }) = self.body.symbol(name).copied() else {
			return Err(unknown(name, place));
		};
		if let Some(slot) = slot {
			return Ok((slot, ty));
		}
		let new = self.body.new_slot(Seed::Zero, place)?;
		if let Some(Symbol::Register { slot, .. }) = self.body.symbol(name) {
			*slot = Some(new);
		}
		Ok((new, ty))
	}
}

fn unknown(name: &str, place: Place) -> ParseError {
	match special_base(name) {
		true => place.unsupported("special register", name, SPECIAL_REGISTERS),
		false => place.undeclared("register or variable", name),
	}
}

/// Whether this is the name of some special register of PTX.
fn special_base(name: &str) -> bool {
	const BASES: [&str; 19] = [
		"%tid",
		"%ntid",
		"%ctaid",
		"%nctaid",
		"%nwarpid",
		"%smid",
		"%nsmid",
		"%gridid",
		"%lanemask_",
		"%clock",
		"%globaltimer",
		"%pm",
		"%envreg",
		"%reserved_",
		"%total_smem_size",
		"%dynamic_smem_size",
		"%aggr_smem_size",
		"%cluster",
		"%is_explicit_cluster",
	];
	BASES.iter().any(|base| name.starts_with(base))
}

fn special_register(name: &str) -> Option<Special> {
	let lanes = match name {
		"%laneid" => Some(Special::Lane),
		"%warpid" => Some(Special::Warp),
		"%lanemask_eq" => Some(Special::LaneMask(LaneMask::Equal)),
		"%lanemask_le" => Some(Special::LaneMask(LaneMask::LessEqual)),
		"%lanemask_lt" => Some(Special::LaneMask(LaneMask::Less)),
		"%lanemask_ge" => Some(Special::LaneMask(LaneMask::GreaterEqual)),
		"%lanemask_gt" => Some(Special::LaneMask(LaneMask::Greater)),
		_ => None,
	};
	let (base, dimension) = name.split_once('.').unwrap_or((name, ""));
	let dimension = match dimension {
		"x" => Some(0),
		"y" => Some(1),
		"z" => Some(2),
		_ => None,
	};
	match (base, dimension) {
		("%tid", Some(dimension)) => Some(Special::ThreadIndex(dimension)),
		("%ntid", Some(dimension)) => Some(Special::BlockSize(dimension)),
		("%ctaid", Some(dimension)) => Some(Special::BlockIndex(dimension)),
		("%nctaid", Some(dimension)) => Some(Special::GridSize(dimension)),
		_ => lanes,
	}
}

/// Whether a register declared as `register` may stand where `ty` is wanted: the same width, and not a float for an
/// integer. Signs do not matter.
fn fits(register: Type, ty: Type) -> bool {
	let mixed = matches!((register, ty), (Type::Int(_), Type::Float(_)) | (Type::Float(_), Type::Int(_)));
	let predicate = (register == Type::Predicate) == (ty == Type::Predicate);
	register.bits() == ty.bits() && predicate && !mixed
}

/// What would fit, in words.
fn fitting(ty: Type) -> &'static str {
	match (ty, ty.bits()) {
		(Type::Predicate, _) => "a predicate",
		(Type::Float(_), 32) => "a 32-bit float",
		(Type::Float(_), _) => "a 64-bit float",
		(_, 8) => "an 8-bit integer",
		(_, 16) => "a 16-bit integer",
		(_, 32) => "a 32-bit integer",
		_ => "a 64-bit integer",
	}
}
