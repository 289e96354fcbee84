//! Why a document is not a plan that can be run.

use alloc::string::String;
use core::fmt;

/// What is wrong with a plan. Launches and arguments are counted from 0.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PlanError {
	/// The document is longer than [`MAX_PLAN_BYTES`](crate::MAX_PLAN_BYTES).
	TooLong {
		/// Its length in bytes.
		bytes: usize,
	},
	/// The document is not JSON of the plan's form. The text says what was expected, and where.
	Malformed(String),
	/// The plan is of another version of the format.
	UnsupportedVersion {
		/// The version that it names.
		found: u32,
	},
	/// Too many items in a list, or none in a list that must have some.
	Count {
		/// Which list.
		list: &'static str,
		/// How many items it has.
		found: usize,
		/// How many it may have at most.
		limit: usize,
	},
	/// A buffer's name has other characters than `a-z`, `0-9` and `_`, or not 1 to 32 of them.
	BufferName {
		/// The name.
		name: String,
	},
	/// Two buffers have the same name.
	DuplicateBuffer {
		/// The name.
		name: String,
	},
	/// A buffer has no bytes.
	EmptyBuffer {
		/// Its name.
		name: String,
	},
	/// The buffers are too large together.
	BuffersTooLarge {
		/// Their bytes in all; `u64::MAX` stands for that and more.
		bytes: u64,
		/// The limit that applies here.
		limit: u64,
	},
	/// The output is too large.
	OutputTooLarge {
		/// Its bytes.
		bytes: u64,
		/// The limit that applies here.
		limit: u64,
	},
	/// An argument names a buffer that the plan does not have.
	UnknownArgumentBuffer {
		/// Index of the launch.
		launch: usize,
		/// Index of the argument in the launch.
		argument: usize,
		/// The name.
		name: String,
	},
	/// `outputs` names a buffer that the plan does not have.
	UnknownOutput {
		/// The name.
		name: String,
	},
	/// `outputs` names a buffer twice.
	DuplicateOutput {
		/// The name.
		name: String,
	},
	/// An entry's name is empty, too long, or not an identifier of PTX.
	EntryName {
		/// Index of the launch.
		launch: usize,
	},
	/// A grid dimension is zero, or the grid has more than [`MAX_GRID_BLOCKS`](crate::MAX_GRID_BLOCKS) blocks.
	Grid {
		/// Index of the launch.
		launch: usize,
		/// The grid.
		grid: [u32; 3],
	},
	/// A block dimension is zero, or a block has more than [`MAX_BLOCK_THREADS`](crate::MAX_BLOCK_THREADS) threads.
	Block {
		/// Index of the launch.
		launch: usize,
		/// The block.
		block: [u32; 3],
	},
	/// A launch asks for more than [`MAX_SHARED_BYTES`](crate::MAX_SHARED_BYTES) of shared memory.
	SharedMemory {
		/// Index of the launch.
		launch: usize,
		/// Bytes asked for.
		bytes: u32,
	},
	/// A launch has more than [`MAX_ARGUMENTS`](crate::MAX_ARGUMENTS) arguments.
	Arguments {
		/// Index of the launch.
		launch: usize,
		/// How many it has.
		found: usize,
	},
	/// An `f32` argument is infinite or not a number. No document can say so; it is for plans made in another way.
	NotFinite {
		/// Index of the launch.
		launch: usize,
		/// Index of the argument in the launch.
		argument: usize,
	},
}

impl fmt::Display for PlanError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::TooLong { bytes } => {
				write!(f, "the plan has {bytes} bytes, at most {} are allowed", crate::MAX_PLAN_BYTES)
			}
			Self::Malformed(message) => write!(f, "the plan is malformed: {message}"),
			Self::UnsupportedVersion { found } => {
				write!(f, "the plan's version is {found}, only {} is supported", crate::VERSION)
			}
			Self::Count { list, found, limit } => {
				write!(f, "`{list}` has {found} items, 1 to {limit} are allowed")
			}
			Self::BufferName { name } => {
				write!(f, "buffer name {name:?} is not of the form [a-z0-9_]{{1,{}}}", crate::MAX_NAME_CHARS)
			}
			Self::DuplicateBuffer { name } => write!(f, "two buffers are named `{name}`"),
			Self::EmptyBuffer { name } => write!(f, "buffer `{name}` has no bytes"),
			Self::BuffersTooLarge { bytes, limit } => {
				write!(f, "the buffers have {bytes} bytes in all, the limit is {limit}")
			}
			Self::OutputTooLarge { bytes, limit } => {
				write!(f, "the output has {bytes} bytes, the limit is {limit}")
			}
			Self::UnknownArgumentBuffer { launch, argument, name } => {
				write!(
					f,
					"argument {argument} of launch {launch} names buffer {name:?}, which does not exist"
				)
			}
			Self::UnknownOutput { name } => {
				write!(f, "`outputs` names buffer {name:?}, which does not exist")
			}
			Self::DuplicateOutput { name } => write!(f, "`outputs` names buffer `{name}` twice"),
			Self::EntryName { launch } => {
				write!(f, "the entry of launch {launch} is not the name of a kernel")
			}
			Self::Grid { launch, grid } => {
				write!(
					f,
					"grid {grid:?} of launch {launch} has a zero or more than {} blocks",
					crate::MAX_GRID_BLOCKS
				)
			}
			Self::Block { launch, block } => {
				let limit = crate::MAX_BLOCK_THREADS;
				write!(f, "block {block:?} of launch {launch} has a zero or more than {limit} threads")
			}
			Self::SharedMemory { launch, bytes } => {
				let limit = crate::MAX_SHARED_BYTES;
				write!(f, "launch {launch} asks for {bytes} bytes of shared memory, the limit is {limit}")
			}
			Self::Arguments { launch, found } => {
				write!(f, "launch {launch} has {found} arguments, the limit is {}", crate::MAX_ARGUMENTS)
			}
			Self::NotFinite { launch, argument } => {
				write!(f, "argument {argument} of launch {launch} is not a finite number")
			}
		}
	}
}

impl core::error::Error for PlanError {}
