//! Why a launch was refused, or stopped.

use crate::memory::MemoryError;
use alloc::{string::String, vec::Vec};
use core::fmt;

/// A PTX state space.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Space {
	/// Any of the others, told apart by the address.
	Generic,
	/// Device memory.
	Global,
	/// Memory of a thread block.
	Shared,
	/// Memory of a thread.
	Local,
	/// Read-only variables of the module.
	Const,
	/// Kernel parameters.
	Param,
}

impl fmt::Display for Space {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Generic => "generic",
			Self::Global => "global",
			Self::Shared => "shared",
			Self::Local => "local",
			Self::Const => "const",
			Self::Param => "param",
		})
	}
}

/// What a thread did with memory when it faulted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AccessKind {
	/// `ld`
	Load,
	/// `st`
	Store,
	/// `atom` or `red`
	Atomic,
}

impl fmt::Display for AccessKind {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Load => "load",
			Self::Store => "store",
			Self::Atomic => "atomic",
		})
	}
}

/// What went wrong in a thread.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
	/// The bytes do not all lie in one live buffer, or in the space's memory; or a store went to read-only memory.
	OutOfBounds {
		/// Load, store or atomic.
		access: AccessKind,
		/// The space that the instruction names.
		space: Space,
		/// First byte.
		address: u64,
		/// Bytes accessed.
		bytes: u32,
	},
	/// The address is not a multiple of the access size.
	Misaligned {
		/// Load, store or atomic.
		access: AccessKind,
		/// The space that the instruction names.
		space: Space,
		/// First byte.
		address: u64,
		/// Bytes accessed; the address had to be a multiple of it.
		bytes: u32,
	},
	/// Not all threads of the block (or, for aligned barriers, of the warp) came to the same barrier.
	BarrierDivergence,
	/// Threads of a warp wait at warp-wide instructions for threads that will never come to the same one.
	WarpDivergence,
	/// A thread executed a warp-wide instruction whose mask does not name it, or a matrix product without all 32
	/// threads of its warp.
	WarpMask,
	/// The index of a `brx.idx` is not one of its targets.
	BranchIndex {
		/// The index.
		index: u32,
		/// How many targets there are.
		targets: u32,
	},
	/// The launch ran as many instructions as it was allowed to.
	StepBudgetExhausted,
	/// The kernel executed `trap`.
	Trap,
}

impl fmt::Display for FaultKind {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::OutOfBounds { access, space, address, bytes } => {
				write!(f, "{access} of {bytes} bytes out of bounds at {space} address {address:#x}")
			}
			Self::Misaligned { access, space, address, bytes } => {
				write!(f, "{access} of {bytes} bytes misaligned at {space} address {address:#x}")
			}
			Self::BarrierDivergence => f.write_str("threads of the block did not come to the same barrier"),
			Self::WarpDivergence => {
				f.write_str("threads of the warp did not come to the same warp-wide instruction")
			}
			Self::WarpMask => {
				f.write_str("a warp-wide instruction's mask and the threads that execute it do not fit")
			}
			Self::BranchIndex { index, targets } => {
				write!(f, "brx.idx has {targets} targets, and none of index {index}")
			}
			Self::StepBudgetExhausted => f.write_str("step budget exhausted"),
			Self::Trap => f.write_str("trap executed"),
		}
	}
}

/// A launch that was stopped by what a thread did. What it had stored before stays in memory.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
	/// What went wrong.
	pub kind: FaultKind,
	/// The kernel's name.
	pub entry: String,
	/// Index of the thread block (`%ctaid`).
	pub block: [u32; 3],
	/// Index of the thread in its block (`%tid`).
	pub thread: [u32; 3],
	/// Line of the instruction in the PTX text, counted from 1.
	pub line: u32,
}

impl fmt::Display for Fault {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let Self { kind, entry, block, thread, line } = self;
		write!(f, "{kind}, in `{entry}`, block {block:?}, thread {thread:?}, line {line}")
	}
}

impl core::error::Error for Fault {}

/// Why a launch did not end well.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LaunchError {
	/// The module has no entry of that name.
	UnknownEntry {
		/// The name asked for.
		name: String,
		/// The names that exist, in the order of the text.
		available: Vec<String>,
	},
	/// The number of arguments is not the number of parameters.
	ArgumentCount {
		/// Parameters that the entry has.
		expected: usize,
		/// Arguments given.
		found: usize,
	},
	/// An argument's size is not the parameter's.
	ArgumentSize {
		/// Index of the argument, from 0.
		index: usize,
		/// Size of the parameter in bytes.
		expected: u32,
		/// Size of the argument in bytes.
		found: u32,
	},
	/// A grid dimension is zero, or the grid has more than 2^31 - 1 blocks.
	Grid {
		/// The grid asked for.
		grid: [u32; 3],
	},
	/// The block to run is outside the grid.
	BlockIndex {
		/// The index asked for.
		block: [u32; 3],
		/// The grid.
		grid: [u32; 3],
	},
	/// A block dimension is zero, the block is too large, or not what the entry's `.reqntid` or `.maxntid` says.
	Block {
		/// The block asked for.
		block: [u32; 3],
		/// The most threads that this entry may have in a block.
		limit: u32,
		/// The shape that `.reqntid` demands.
		required: Option<[u32; 3]>,
	},
	/// Static and dynamic shared memory together are too large.
	SharedMemory {
		/// Bytes wanted by a block.
		requested: u64,
		/// Bytes that it may have.
		limit: u32,
	},
	/// There was no room for the module's `.global` variables, or for the block's own memory.
	Memory(MemoryError),
	/// A thread faulted.
	Fault(Fault),
}

impl fmt::Display for LaunchError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::UnknownEntry { name, available } => {
				write!(f, "no entry `{name}`; the module has: {}", available.join(", "))
			}
			Self::ArgumentCount { expected, found } => {
				write!(f, "{found} arguments for {expected} parameters")
			}
			Self::ArgumentSize { index, expected, found } => {
				write!(f, "argument {index} has {found} bytes, its parameter has {expected}")
			}
			Self::Grid { grid } => {
				write!(f, "grid {grid:?} has a zero dimension or more than 2^31 - 1 blocks")
			}
			Self::BlockIndex { block, grid } => write!(f, "block {block:?} is outside the grid {grid:?}"),
			Self::Block { block, required: Some(required), .. } => {
				write!(f, "block {block:?} is not the {required:?} that the entry requires")
			}
			Self::Block { block, limit, required: None } => {
				write!(f, "block {block:?} has a zero dimension or more than {limit} threads")
			}
			Self::SharedMemory { requested, limit } => {
				write!(f, "{requested} bytes of shared memory wanted, the limit is {limit}")
			}
			Self::Memory(error) => write!(f, "no room for the launch: {error}"),
			Self::Fault(fault) => fault.fmt(f),
		}
	}
}

impl core::error::Error for LaunchError {
	fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
		match self {
			Self::Memory(error) => Some(error),
			Self::Fault(fault) => Some(fault),
			_ => None,
		}
	}
}

impl From<MemoryError> for LaunchError {
	fn from(error: MemoryError) -> Self {
		Self::Memory(error)
	}
}

impl From<Fault> for LaunchError {
	fn from(fault: Fault) -> Self {
		Self::Fault(fault)
	}
}
