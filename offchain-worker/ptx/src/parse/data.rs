//! `mov`, `ld`, `st`, `atom` and `red`.

use super::{
	modifiers::{Modifiers, Type, U32},
	operand::{Elements, EntryParser, Vector},
};
use crate::{
	error::ParseError,
	fault::{AccessKind, Space},
	ir::{AtomicOp, Op},
	lexer::TokenKind,
};

/// The state space that a modifier names.
fn space(name: &str) -> Option<Space> {
	match name {
		"global" => Some(Space::Global),
		"shared" => Some(Space::Shared),
		"local" => Some(Space::Local),
		"const" => Some(Space::Const),
		"param" => Some(Space::Param),
		_ => None,
	}
}

/// The scopes of the memory model. All of them mean the same where threads run one after the other.
const SCOPES: [&str; 3] = ["cta", "gpu", "sys"];

/// Whether an instruction exists for a type.
type Allowed = fn(Type) -> bool;

/// The operation of `atom` or `red`, and the types that it takes.
fn atomic_op(name: &str) -> Option<(AtomicOp, Allowed)> {
	let numbers: Allowed = |ty| matches!(ty, Type::Int(_)) && ty.bits() >= 32;
	let bits: Allowed = |ty| matches!(ty, Type::Bits(32 | 64));
	Some(match name {
		"add" => (AtomicOp::Add, |ty| {
			matches!(ty, Type::Float(_)) || (matches!(ty, Type::Int(_)) && ty.bits() >= 32)
		}),
		"inc" => (AtomicOp::Increment, |ty| ty == U32),
		"dec" => (AtomicOp::Decrement, |ty| ty == U32),
		"min" => (AtomicOp::Min, numbers),
		"max" => (AtomicOp::Max, numbers),
		"and" => (AtomicOp::And, bits),
		"or" => (AtomicOp::Or, bits),
		"xor" => (AtomicOp::Xor, bits),
		"exch" => (AtomicOp::Exchange, bits),
		"cas" => (AtomicOp::CompareExchange, bits),
		_ => return None,
	})
}

impl<'a> EntryParser<'a, '_> {
	/// `mov`, which also packs and unpacks vectors.
	pub(super) fn mov(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".pred, .b16 to .b64, .u16 to .u64, .s16 to .s64, .f32, .f64; vectors with .b32, .b64");
		let ty = name.last_type(|ty| ty.bits() != 8)?;
		let vector = TokenKind::Punctuation('{');
		if self.tokens.peek().kind == vector {
			let parts = self.parts(&name, ty)?;
			self.comma()?;
			let a = self.source(ty)?;
			return Ok(Op::Unpack { part_bits: parts.bits, count: parts.count, d: parts.slots, a });
		}
		let d = self.destination(ty)?;
		self.comma()?;
		if self.tokens.peek().kind == vector {
			let parts = self.parts(&name, ty)?;
			return Ok(Op::Pack { part_bits: parts.bits, count: parts.count, d, a: parts.slots });
		}
		let a = self.source(ty)?;
		Ok(Op::Move { d, a })
	}

	/// Registers that together are as wide as `ty`.
	fn parts(&mut self, name: &Modifiers<'a>, ty: Type) -> Result<Vector, ParseError> {
		let parts = self.vector(Type::Bits(16), Elements::Registers)?;
		match ty {
			Type::Bits(bits) if bits == parts.bits * parts.count => Ok(parts),
			_ => Err(name.unsupported()),
		}
	}

	/// `ld st`
	pub(super) fn load_or_store(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		let load = name.base() == "ld";
		name.supports(match load {
			true => {
				"[.volatile | .weak | .relaxed.SCOPE | .acquire.SCOPE] [.global .shared .local .const .param] [.ca .cg .cs \
				.lu .cv .nc] [.v2 .v4] .b8 to .b64, .u8 to .u64, .s8 to .s64, .f32, .f64"
			},
			false => {
				"[.volatile | .weak | .relaxed.SCOPE | .release.SCOPE] [.global .shared .local .param] [.wb .cg .cs .wt] [.v2 .v4] \
				.b8 to .b64, .u8 to .u64, .s8 to .s64, .f32, .f64"
			},
		});
		let ordered = if load { ["relaxed", "acquire"] } else { ["relaxed", "release"] };
		if name.accept_any(&ordered) {
			name.require(|part| SCOPES.contains(&part).then_some(()))?;
		} else {
			name.accept_any(&["volatile", "weak"]);
		}
		let space = name.accept_with(space).unwrap_or(Space::Generic);
		let written =
			matches!(space, Space::Generic | Space::Global | Space::Shared | Space::Local | Space::Param);
		if !load && !written {
			return Err(name.unsupported());
		}
		name.accept_any(if load { &["ca", "cg", "cs", "lu", "cv", "nc"] } else { &["wb", "cg", "cs", "wt"] });
		let count = name.accept_with(|part| match part {
			"v2" => Some(2),
			"v4" => Some(4),
			_ => None,
		});
		let ty = name.last_type(|ty| ty != Type::Predicate)?;
		// No access of PTX is wider than this.
		if count.is_some_and(|count| u32::from(count) * u32::from(ty.bits()) > 128) {
			return Err(name.unsupported());
		}
		match load {
			true => self.load(&name, space, ty, count),
			false => self.store(&name, space, ty, count),
		}
	}

	fn load(
		&mut self,
		name: &Modifiers<'a>,
		space: Space,
		ty: Type,
		count: Option<u8>,
	) -> Result<Op, ParseError> {
		let Some(count) = count else {
			let (d, bits) = self.wide_register(ty)?;
			self.comma()?;
			let from = self.address(AccessKind::Load, space)?;
			return Ok(Op::Load { ty: ty.int(), bits, d, from });
		};
		let vector = self.vector_of(name, ty, count, Elements::Written)?;
		self.comma()?;
		let from = self.address(AccessKind::Load, space)?;
		Ok(Op::LoadVector { ty: ty.int(), bits: vector.bits, count, d: vector.slots, from })
	}

	fn store(
		&mut self,
		name: &Modifiers<'a>,
		space: Space,
		ty: Type,
		count: Option<u8>,
	) -> Result<Op, ParseError> {
		let to = self.address(AccessKind::Store, space)?;
		self.comma()?;
		let bytes = ty.bits() / 8;
		let Some(count) = count else {
			let a = self.wide_source(ty)?;
			return Ok(Op::Store { bytes, a, to });
		};
		let vector = self.vector_of(name, ty, count, Elements::Read)?;
		Ok(Op::StoreVector { bytes, count, a: vector.slots, to })
	}

	/// A vector of as many elements as the instruction's name says.
	fn vector_of(
		&mut self,
		name: &Modifiers<'a>,
		ty: Type,
		count: u8,
		elements: Elements,
	) -> Result<Vector, ParseError> {
		let vector = self.vector(ty, elements)?;
		(vector.count == count).then_some(vector).ok_or_else(|| name.unsupported())
	}

	/// `atom red`
	pub(super) fn atomic(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(
			"[.relaxed .acquire .release .acq_rel] [.cta .gpu .sys] [.global .shared] .add .min .max with .u32 .s32 .u64 \
			.s64, .add.f32 .add.f64, .inc.u32 .dec.u32, .and .or .xor .exch .cas with .b32 .b64 (no .exch .cas for red)",
		);
		let reduction = name.base() == "red";
		name.accept_any(&["relaxed", "acquire", "release", "acq_rel"]);
		name.accept_any(&SCOPES);
		let space = name.accept_with(space).unwrap_or(Space::Generic);
		// Older texts have the scope after the space.
		name.accept_any(&SCOPES);
		let (op, allowed) = name.require(atomic_op)?;
		let returns = matches!(op, AtomicOp::Exchange | AtomicOp::CompareExchange);
		let ty = name.last_type(allowed)?;
		let op = if matches!(ty, Type::Float(_)) { AtomicOp::AddFloat } else { op };
		if !matches!(space, Space::Generic | Space::Global | Space::Shared) || (reduction && returns) {
			return Err(name.unsupported());
		}
		let d = if reduction {
			self.body.sink(self.tokens.peek().place)?
		} else {
			let d = self.destination(ty)?;
			self.comma()?;
			d
		};
		let at = self.address(AccessKind::Atomic, space)?;
		self.comma()?;
		let b = self.source(ty)?;
		let c = if op == AtomicOp::CompareExchange {
			self.comma()?;
			self.source(ty)?
		} else {
			b
		};
		Ok(Op::Atomic { op, ty: ty.int(), d, b, c, at })
	}
}
