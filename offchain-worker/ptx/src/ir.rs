//! Decoded instructions. Registers are numbers, labels are indices, immediates are slots that hold their value from
//! the start: nothing is looked up by name when a kernel runs.

mod operation;
mod warp;

use crate::fault::Space;
pub(crate) use operation::{
	AtomicOp, Binary, CarryOp, Comparison, FloatBinary, FloatClass, FloatUnary, Gather, Part, Precision,
	Rounding, Truth, Unary,
};
pub(crate) use warp::{MatrixProduct, Shuffle, Vote, WarpAction, WarpOp};

/// Index into a thread's register file, which holds its registers, then each constant and special register that
/// the entry uses.
pub(crate) type Slot = u16;

/// What a slot holds when a thread starts.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Seed {
	/// A register.
	Zero,
	/// An immediate operand, or an address that the text fixes.
	Value(u64),
	/// Address of a `.global` variable, by its index in the module.
	Global(u32),
	/// Shared address of dynamic shared memory.
	DynamicShared,
	/// A special register.
	Special(Special),
}

/// A special register. Dimensions are 0 for x, 1 for y, 2 for z.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Special {
	ThreadIndex(u8),
	BlockSize(u8),
	BlockIndex(u8),
	GridSize(u8),
	Lane,
	Warp,
	/// The lanes of the warp that stand in that relation to the thread's own, one bit each.
	LaneMask(LaneMask),
}

/// Which lanes a `%lanemask` register names.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum LaneMask {
	Equal,
	LessEqual,
	Less,
	GreaterEqual,
	Greater,
}

/// An instruction with its predicate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Instruction {
	pub(crate) guard: Guard,
	pub(crate) op: Op,
}

/// When an instruction takes effect.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Guard {
	Always,
	If(Slot),
	Unless(Slot),
}

/// Width and signedness of an integer operation. One bit is a predicate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct IntType {
	pub(crate) bits: u8,
	pub(crate) signed: bool,
}

impl IntType {
	/// The low bits of `value` that the type has.
	#[inline]
	pub(crate) fn wrap(self, value: u64) -> u64 {
		value & (u64::MAX >> (64 - u32::from(self.bits)))
	}

	/// The value as a signed number of this width, whatever the type's own signedness.
	#[inline]
	pub(crate) fn sign_extend(self, value: u64) -> i64 {
		let unused = 64 - u32::from(self.bits);
		((value << unused) as i64) >> unused
	}
}

/// How the result of a comparison is combined with a predicate.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Combine {
	Alone,
	And(Condition),
	Or(Condition),
	Xor(Condition),
}

/// A predicate operand of an instruction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Condition {
	pub(crate) slot: Slot,
	pub(crate) negated: bool,
}

/// What `set` compares.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Compared {
	Integers(IntType),
	Floats(Precision),
}

/// What the threads of a block learn of each other at a barrier.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct BarrierReduction {
	pub(crate) op: Gather,
	pub(crate) d: Slot,
	pub(crate) condition: Condition,
}

/// Where an access goes: a base address in a slot, and a distance from it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Address {
	pub(crate) offset: i32,
	pub(crate) base: Slot,
	pub(crate) space: Space,
}

/// What an instruction does. `d` is written, `a`, `b`, `c` are read. Values narrower than 64 bits are kept
/// zero-extended in their slots.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Op {
	Move {
		d: Slot,
		a: Slot,
	},
	Unary {
		op: Unary,
		ty: IntType,
		d: Slot,
		a: Slot,
	},
	Binary {
		op: Binary,
		ty: IntType,
		d: Slot,
		a: Slot,
		b: Slot,
	},
	MulWide {
		ty: IntType,
		d: Slot,
		a: Slot,
		b: Slot,
	},
	MulAdd {
		part: Part,
		ty: IntType,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	/// Integer arithmetic with a carry. `carry` is the thread's one carry flag.
	Carry {
		op: CarryOp,
		ty: IntType,
		takes: bool,
		gives: bool,
		carry: Slot,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	/// `sad`: `|a - b| + c`.
	AbsoluteDifference {
		ty: IntType,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	/// `dp4a`: four products of bytes and a sum.
	DotProduct {
		signed: [bool; 2],
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	ExtractField {
		ty: IntType,
		d: Slot,
		a: Slot,
		position: Slot,
		length: Slot,
	},
	InsertField {
		ty: IntType,
		d: Slot,
		a: Slot,
		b: Slot,
		position: Slot,
		length: Slot,
	},
	PermuteBytes {
		d: Slot,
		a: Slot,
		b: Slot,
		selector: Slot,
	},
	Logic3 {
		table: u8,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	FunnelShift {
		left: bool,
		wrap: bool,
		d: Slot,
		low: Slot,
		high: Slot,
		amount: Slot,
	},

	FloatUnary {
		op: FloatUnary,
		precision: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
	},
	FloatBinary {
		op: FloatBinary,
		precision: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
		b: Slot,
	},
	FusedMulAdd {
		precision: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},

	/// The result of width `to` is extended, by its sign if `to` is signed, to `bits`.
	IntToInt {
		from: IntType,
		to: IntType,
		saturate: bool,
		bits: u8,
		d: Slot,
		a: Slot,
	},
	IntToFloat {
		from: IntType,
		to: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
	},
	FloatToInt {
		from: Precision,
		to: IntType,
		rounding: Rounding,
		bits: u8,
		d: Slot,
		a: Slot,
	},
	FloatToFloat {
		from: Precision,
		to: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
	},
	RoundFloat {
		precision: Precision,
		rounding: Rounding,
		d: Slot,
		a: Slot,
	},

	Compare {
		comparison: Comparison,
		ty: IntType,
		combine: Combine,
		d: [Slot; 2],
		a: Slot,
		b: Slot,
	},
	CompareFloat {
		comparison: Comparison,
		precision: Precision,
		combine: Combine,
		d: [Slot; 2],
		a: Slot,
		b: Slot,
	},
	ClassifyFloat {
		class: FloatClass,
		precision: Precision,
		d: Slot,
		a: Slot,
	},
	/// `slct`: `a` if `c` is not negative, else `b`.
	SelectBySign {
		/// The width of `c` if it is a float.
		float: bool,
		d: Slot,
		a: Slot,
		b: Slot,
		c: Slot,
	},
	Select {
		d: Slot,
		a: Slot,
		b: Slot,
		condition: Slot,
	},
	/// `set`: `one` if the comparison holds, else zero.
	Set {
		comparison: Comparison,
		of: Compared,
		combine: Combine,
		one: Truth,
		d: Slot,
		a: Slot,
		b: Slot,
	},

	/// The loaded value of width `ty` is extended, by its sign if `ty` is signed, to `bits`.
	Load {
		ty: IntType,
		bits: u8,
		d: Slot,
		from: Address,
	},
	LoadVector {
		ty: IntType,
		bits: u8,
		count: u8,
		d: [Slot; 4],
		from: Address,
	},
	Store {
		bytes: u8,
		a: Slot,
		to: Address,
	},
	StoreVector {
		bytes: u8,
		count: u8,
		a: [Slot; 4],
		to: Address,
	},
	Atomic {
		op: AtomicOp,
		ty: IntType,
		d: Slot,
		b: Slot,
		c: Slot,
		at: Address,
	},
	/// `count` parts of equal width, the lowest first, become one value.
	Pack {
		part_bits: u8,
		count: u8,
		d: Slot,
		a: [Slot; 4],
	},
	Unpack {
		part_bits: u8,
		count: u8,
		d: [Slot; 4],
		a: Slot,
	},

	Branch {
		target: u32,
	},
	/// Goes to the entry's branch target of that index, counted from `first`.
	BranchIndexed {
		first: u32,
		count: u32,
		index: Slot,
	},
	/// Goes to a function, and leaves in `link` where it is to go on afterwards.
	Call {
		target: u32,
		link: Slot,
	},
	/// Goes back to where `link` says.
	Leave {
		link: Slot,
	},
	/// Copies bytes of local memory: an argument, or a result.
	Copy {
		from: u32,
		to: u32,
		bytes: u16,
	},
	Barrier {
		id: u8,
		aligned: bool,
		reduction: Option<BarrierReduction>,
	},
	/// One of the entry's warp-wide instructions, by its index.
	Warp {
		index: u32,
	},
	Fence,
	Return,
	Trap,
}
