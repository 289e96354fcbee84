//! Instructions that the threads of a warp execute together.

use super::{Binary, IntType, Slot};

/// An instruction that the threads of a warp execute together. Its operands are kept apart from [`Op`], which would be
/// twice as large with them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WarpOp {
	pub(crate) action: WarpAction,
	/// Which lanes take part.
	pub(crate) mask: Slot,
	/// Results; those that the action does not have are the sink.
	pub(crate) d: [Slot; 4],
	pub(crate) a: [Slot; 4],
	pub(crate) b: [Slot; 2],
	pub(crate) c: [Slot; 4],
	/// Whether `a` is a negated predicate.
	pub(crate) negated: bool,
}

/// What a warp does together. Threads that are to meet must name the same.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum WarpAction {
	Barrier,
	/// The lanes that are here.
	ActiveMask,
	Vote(Vote),
	Shuffle(Shuffle),
	/// One of the associative operations, over all lanes.
	Reduce {
		op: Binary,
		ty: IntType,
	},
	/// The lanes that have the same value: those of each lane, or all of them if `all` have the same one.
	Match {
		all: bool,
		bits: u8,
	},
	Multiply(MatrixProduct),
}

/// A product of matrices of bytes, added to one of 32-bit numbers that has eight columns.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct MatrixProduct {
	/// Rows of the first factor and of the result: 8 or 16.
	pub(crate) rows: u8,
	/// Columns of the first factor and rows of the second: 16 or 32.
	pub(crate) depth: u8,
	/// Whether the bytes of each factor are signed.
	pub(crate) signed: [bool; 2],
	/// Whether results out of range become the nearest number in range.
	pub(crate) saturate: bool,
}

/// How predicates are put together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Vote {
	All,
	Any,
	Uniform,
	Ballot,
}

/// Which lane a lane reads from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Shuffle {
	Up,
	Down,
	Butterfly,
	Index,
}
