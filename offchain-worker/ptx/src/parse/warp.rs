//! Instructions that the threads of a warp execute together.

use super::{
	modifiers::{Modifiers, Type, B32, U32},
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	ir::{Binary, IntType, MatrixProduct, Op, Shuffle, Slot, Vote, WarpAction, WarpOp},
};

/// The operation of `redux`, and whether it is one on bits rather than on numbers.
fn reduction(name: &str) -> Option<(Binary, bool)> {
	Some(match name {
		"add" => (Binary::Add, false),
		"min" => (Binary::Min, false),
		"max" => (Binary::Max, false),
		"and" => (Binary::And, true),
		"or" => (Binary::Or, true),
		"xor" => (Binary::Xor, true),
		_ => return None,
	})
}

fn shuffle(name: &str) -> Option<Shuffle> {
	match name {
		"up" => Some(Shuffle::Up),
		"down" => Some(Shuffle::Down),
		"bfly" => Some(Shuffle::Butterfly),
		"idx" => Some(Shuffle::Index),
		_ => None,
	}
}

fn vote(name: &str) -> Option<Vote> {
	match name {
		"all" => Some(Vote::All),
		"any" => Some(Vote::Any),
		"uni" => Some(Vote::Uniform),
		"ballot" => Some(Vote::Ballot),
		_ => None,
	}
}

/// Rows of the first factor of a matrix product, and its columns.
fn shape(name: &str) -> Option<(u8, u8)> {
	match name {
		"m16n8k32" => Some((16, 32)),
		"m16n8k16" => Some((16, 16)),
		"m8n8k16" => Some((8, 16)),
		_ => None,
	}
}

/// `.sync`, without which these instructions have no defined meaning on the architectures since `sm_70`.
fn sync(name: &str) -> Option<()> {
	(name == "sync").then_some(())
}

impl<'a> EntryParser<'a, '_> {
	/// An instruction without operands but for the mask.
	fn warp_op(&mut self, action: WarpAction) -> Result<WarpOp, ParseError> {
		let sink = self.body.sink(self.tokens.peek().place)?;
		let (d, a, b, c) = ([sink; 4], [sink; 4], [sink; 2], [sink; 4]);
		Ok(WarpOp { action, mask: sink, d, a, b, c, negated: false })
	}

	/// `bar.warp.sync MASK`
	pub(super) fn warp_barrier(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("bar.warp.sync MASK");
		name.require(sync)?;
		name.end()?;
		let mask = self.source(B32)?;
		let op = self.warp_op(WarpAction::Barrier)?;
		Ok(self.body.warp(WarpOp { mask, ..op }))
	}

	pub(super) fn active_mask(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".b32");
		name.last_type(|ty| ty == B32)?;
		let mut op = self.warp_op(WarpAction::ActiveMask)?;
		op.d[0] = self.destination(B32)?;
		Ok(self.body.warp(op))
	}

	pub(super) fn vote(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".sync.all.pred, .sync.any.pred, .sync.uni.pred, .sync.ballot.b32");
		name.require(sync)?;
		let vote = name.require(vote)?;
		let result = if vote == Vote::Ballot { B32 } else { Type::Predicate };
		name.last_type(|ty| ty == result)?;
		let mut op = self.warp_op(WarpAction::Vote(vote))?;
		op.d[0] = self.destination(result)?;
		self.comma()?;
		let condition = self.condition()?;
		(op.a[0], op.negated) = (condition.slot, condition.negated);
		op.mask = self.mask()?;
		Ok(self.body.warp(op))
	}

	pub(super) fn shuffle(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".sync.up.b32, .sync.down.b32, .sync.bfly.b32, .sync.idx.b32");
		name.require(sync)?;
		let mode = name.require(shuffle)?;
		name.last_type(|ty| ty == B32)?;
		let mut op = self.warp_op(WarpAction::Shuffle(mode))?;
		[op.d[0], op.d[1]] = self.result_and_predicate(&op)?;
		self.comma()?;
		op.a[0] = self.source(B32)?;
		self.comma()?;
		op.b[0] = self.source(U32)?;
		self.comma()?;
		op.c[0] = self.source(U32)?;
		op.mask = self.mask()?;
		Ok(self.body.warp(op))
	}

	pub(super) fn reduce(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".sync.add .sync.min .sync.max with .u32 .s32; .sync.and .sync.or .sync.xor with .b32");
		name.require(sync)?;
		let (operation, bits) = name.require(reduction)?;
		let ty = name.last_type(|ty| {
			ty.bits() == 32 && matches!(ty, Type::Bits(_) | Type::Int(_)) && (ty == B32) == bits
		})?;

		let mut op = self.warp_op(WarpAction::Reduce { op: operation, ty: ty.int() })?;
		op.d[0] = self.destination(ty)?;
		self.comma()?;
		op.a[0] = self.source(ty)?;
		op.mask = self.mask()?;
		Ok(self.body.warp(op))
	}

	pub(super) fn match_lanes(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(".any.sync and .all.sync with .b32 .b64");
		let all = name.require(|part| ["all", "any"].contains(&part).then_some(part == "all"))?;
		name.require(sync)?;
		let ty = name.last_type(|ty| matches!(ty, Type::Bits(32 | 64)))?;
		let mut op = self.warp_op(WarpAction::Match { all, bits: ty.bits() })?;
		[op.d[0], op.d[1]] =
			if all { self.result_and_predicate(&op)? } else { [self.destination(B32)?, op.d[1]] };
		self.comma()?;
		op.a[0] = self.source(ty)?;
		op.mask = self.mask()?;
		Ok(self.body.warp(op))
	}

	/// `mma` with factors of bytes.
	pub(super) fn multiply_matrices(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(
			".sync.aligned with .m16n8k32 .m16n8k16 .m8n8k16, .row.col[.satfinite].s32, .s8 or .u8 for each factor, .s32",
		);
		name.require(sync)?;
		name.require(|part| (part == "aligned").then_some(()))?;
		let (rows, depth) = name.require(shape)?;
		name.require(|part| (part == "row").then_some(()))?;
		name.require(|part| (part == "col").then_some(()))?;
		let saturate = name.accept("satfinite");
		let sum = Type::Int(IntType { bits: 32, signed: true });
		let byte = |ty| matches!(ty, Type::Int(IntType { bits: 8, .. }));
		name.ty(|ty| ty == sum)?;
		let signed = [name.ty(byte)?, name.ty(byte)?].map(|ty| ty.int().signed);
		name.last_type(|ty| ty == sum)?;
		let product = MatrixProduct { rows, depth, signed, saturate };
		let mut op = self.warp_op(WarpAction::Multiply(product))?;
		// A lane holds a 32nd of each matrix: four bytes or one number in a register.
		let sums = usize::from(rows / 4);
		self.fragment(op.d.get_mut(..sums), Self::destination)?;
		self.comma()?;
		self.fragment(op.a.get_mut(..usize::from(rows / 8 * (depth / 16))), Self::source)?;
		self.comma()?;
		self.fragment(op.b.get_mut(..usize::from(depth / 16)), Self::source)?;
		self.comma()?;
		self.fragment(op.c.get_mut(..sums), Self::source)?;
		Ok(self.body.warp(op))
	}

	/// The registers of a lane's part of a matrix: `{%r1, %r2}`; a single one may stand without braces.
	fn fragment(
		&mut self,
		slots: Option<&mut [Slot]>,
		mut register: impl FnMut(&mut Self, Type) -> Result<Slot, ParseError>,
	) -> Result<(), ParseError> {
		let slots = slots.unwrap_or_default();
		let braces = self.tokens.accept('{')?;
		let token = self.tokens.peek();
		if !braces && slots.len() > 1 {
			return Err(token.unexpected("`{` and the registers of a matrix"));
		}
		for (index, slot) in slots.iter_mut().enumerate() {
			if index > 0 {
				self.comma()?;
			}
			*slot = register(self, B32)?;
		}
		match braces {
			true => self.tokens.expect('}', "`}`: the matrix has no more registers"),
			false => Ok(()),
		}
	}

	/// `d` or `d|p`.
	fn result_and_predicate(&mut self, op: &WarpOp) -> Result<[Slot; 2], ParseError> {
		let d = self.destination(B32)?;
		let p = if self.tokens.accept('|')? { self.destination(Type::Predicate)? } else { op.d[1] };
		Ok([d, p])
	}

	/// The last operand: which lanes take part.
	fn mask(&mut self) -> Result<Slot, ParseError> {
		self.comma()?;
		self.source(B32)
	}
}
