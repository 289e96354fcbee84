//! Which parser reads which instruction; and branches, barriers and the ends of threads.

use super::{
	modifiers::{Modifiers, Type, U32},
	names::Symbol,
	operand::EntryParser,
};
use crate::{
	error::ParseError,
	ir::{BarrierReduction, Gather, Op},
	lexer::{Place, TokenKind},
};

const INSTRUCTIONS: &str =
	"abs activemask add addc and atom bar barrier bfe bfi bfind bra brev brx call clz cnot copysign cvt cvta div dp4a \
	exit fence fma ld lop3 mad mad24 madc match max membar min mma mov mul mul24 neg not or popc prmt rcp red \
	redux rem ret sad selp set setp shf shfl shl shr slct sqrt st sub subc testp trap vote xor";

/// What a barrier makes of the predicates of all threads, and the type of that.
fn gather(name: &str) -> Option<(Gather, Type)> {
	match name {
		"popc" => Some((Gather::Count, U32)),
		"and" => Some((Gather::All, Type::Predicate)),
		"or" => Some((Gather::Any, Type::Predicate)),
		_ => None,
	}
}

impl<'a> EntryParser<'a, '_> {
	/// The operands of the instruction of that name.
	pub(super) fn instruction(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		match name.base() {
			"add" | "addc" | "sub" | "subc" | "mul" | "mul24" | "div" | "rem" | "min" | "max" => {
				self.two_operands(name)
			}
			"mad" | "mad24" | "madc" | "fma" => self.multiply_add(name),
			"abs" | "neg" | "not" | "cnot" | "popc" | "clz" | "brev" | "bfind" | "sqrt" | "rcp" => {
				self.one_operand(name)
			}
			"copysign" => self.copy_sign(name),
			"testp" => self.classify(name),
			"sad" => self.absolute_difference(name),
			"and" | "or" | "xor" => self.logic(name),
			"shl" | "shr" | "shf" => self.shift(name),
			"bfe" | "bfi" | "prmt" | "lop3" | "dp4a" => self.bit_field(name),
			"setp" | "selp" | "set" => self.compare(name),
			"slct" => self.select_by_sign(name),
			"cvt" | "cvta" => self.convert(name),
			"mov" => self.mov(name),
			"ld" | "st" => self.load_or_store(name),
			"atom" | "red" => self.atomic(name),
			"bra" => self.branch(name),
			"brx" => self.branch_indexed(name),
			"bar" if name.accept("warp") => self.warp_barrier(name),
			"bar" | "barrier" => self.barrier(name),
			"activemask" => self.active_mask(name),
			"vote" => self.vote(name),
			"shfl" => self.shuffle(name),
			"redux" => self.reduce(name),
			"match" => self.match_lanes(name),
			"mma" => self.multiply_matrices(name),
			"membar" | "fence" => self.fence(name),
			"ret" | "exit" | "trap" => self.end(name),
			_ => {
				name.supports(INSTRUCTIONS);
				Err(name.unsupported())
			}
		}
	}

	fn branch(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("bra, bra.uni");
		name.accept("uni");
		name.end()?;
		let (label, place) = self.tokens.word("a label")?;
		self.body.branch(label, place)
	}

	/// `LIST: .branchtargets` has been read.
	pub(super) fn branch_targets(&mut self, list: &'a str, place: Place) -> Result<(), ParseError> {
		let first = self.body.targets.len() as u32;
		loop {
			let (label, place) = self.tokens.word("a label")?;
			self.body.target(label, place)?;
			if !self.tokens.accept(',')? {
				break;
			}
		}
		self.tokens.expect(';', "`,` or `;`")?;
		let count = self.body.targets.len() as u32 - first;
		self.body.scope(place)?.declare(list, place, Symbol::Targets { first, count })
	}

	fn branch_indexed(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("brx.idx[.uni] INDEX, LIST, where `LIST: .branchtargets LABEL, ...;` stands before");
		name.require(|part| (part == "idx").then_some(()))?;
		name.accept("uni");
		name.end()?;
		let index = self.source(U32)?;
		self.comma()?;
		let (list, place) = self.tokens.word("a list of branch targets")?;
		match self.body.symbol(list) {
			Some(Symbol::Targets { first, count }) => {
				Ok(Op::BranchIndexed { first: *first, count: *count, index })
			}
			_ => Err(place.undeclared("list of branch targets", list)),
		}
	}

	fn barrier(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(
			"bar.sync N, barrier.sync[.aligned] N, and .red with .popc.u32, .and.pred, .or.pred: all threads of the block, no \
			thread count, no .arrive",
		);
		let short = name.base() == "bar";
		name.accept("cta");
		let reduces = name.require(|part| ["sync", "red"].contains(&part).then_some(part == "red"))?;
		let gather = if reduces { Some(name.require(gather)?) } else { None };
		let aligned = name.accept("aligned") || short;
		let Some((op, ty)) = gather else {
			name.end()?;
			let id = self.immediate(15)? as u8;
			return match self.tokens.peek().kind {
				TokenKind::Punctuation(',') => Err(name.unsupported()),
				_ => Ok(Op::Barrier { id, aligned, reduction: None }),
			};
		};
		name.last_type(|found| found == ty)?;
		let d = self.destination(ty)?;
		self.comma()?;
		let id = self.immediate(15)? as u8;
		self.comma()?;
		// A count of threads is a number, or a register that is no predicate.
		if matches!(self.tokens.peek().kind, TokenKind::Number(_)) {
			return Err(name.unsupported());
		}
		let condition = self.condition()?;
		Ok(Op::Barrier { id, aligned, reduction: Some(BarrierReduction { op, d, condition }) })
	}

	fn fence(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("membar.cta .gl .sys, fence[.sc|.acq_rel].cta .gpu .sys");
		match name.base() {
			"membar" => name.require(|part| ["cta", "gl", "sys"].contains(&part).then_some(()))?,
			_ => {
				name.accept_any(&["sc", "acq_rel"]);
				name.require(|part| ["cta", "gpu", "sys"].contains(&part).then_some(()))?;
			}
		}
		name.end()?;
		Ok(Op::Fence)
	}

	/// What `ret` does: end the thread, or go back to the function's caller.
	pub(super) fn returns(&self) -> Op {
		self.link.map_or(Op::Return, |link| Op::Leave { link })
	}

	fn end(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("ret, ret.uni, exit, trap");
		let op = match name.base() {
			"trap" => Op::Trap,
			"ret" => {
				name.accept("uni");
				self.returns()
			}
			_ => Op::Return,
		};
		name.end()?;
		Ok(op)
	}
}
