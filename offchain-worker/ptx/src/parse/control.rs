//! Which parser reads which instruction; and branches, barriers and the ends of threads.

use super::{modifiers::Modifiers, operand::EntryParser};
use crate::{error::ParseError, ir::Op, lexer::TokenKind};

const INSTRUCTIONS: &str =
	"abs activemask add addc and atom bar barrier bfe bfi bfind bra brev clz cnot copysign cvt cvta div dp4a \
	exit fence fma ld lop3 mad mad24 madc match max membar min mma mov mul mul24 neg not or popc prmt rcp red \
	redux rem ret sad selp setp shf shfl shl shr slct sqrt st sub subc testp trap vote xor";

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
			"setp" | "selp" => self.compare(name),
			"slct" => self.select_by_sign(name),
			"cvt" | "cvta" => self.convert(name),
			"mov" => self.mov(name),
			"ld" | "st" => self.load_or_store(name),
			"atom" | "red" => self.atomic(name),
			"bra" => self.branch(name),
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
			"call" => {
				name.supports(
					"no calls: helper functions must be inlined (`static inline`, `always_inline`)",
				);
				Err(name.unsupported())
			}
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

	fn barrier(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports(
			"bar.sync N, barrier.sync N, barrier.sync.aligned N: all threads of the block, no thread count",
		);
		let short = name.base() == "bar";
		name.accept("cta");
		name.require(|part| (part == "sync").then_some(()))?;
		let aligned = name.accept("aligned") || short;
		name.end()?;
		let id = self.immediate(15)? as u8;
		match self.tokens.peek().kind {
			TokenKind::Punctuation(',') => Err(name.unsupported()),
			_ => Ok(Op::Barrier { id, aligned }),
		}
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

	fn end(&mut self, mut name: Modifiers<'a>) -> Result<Op, ParseError> {
		name.supports("ret, ret.uni, exit, trap");
		let op = match name.base() {
			"trap" => Op::Trap,
			"ret" => {
				name.accept("uni");
				Op::Return
			}
			_ => Op::Return,
		};
		name.end()?;
		Ok(op)
	}
}
