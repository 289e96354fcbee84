//! A parsed module: what the host may ask about it, and what the interpreter runs.

use crate::{
	error::ParseError,
	ir::{Instruction, Seed, WarpOp},
};
use alloc::{string::String, sync::Arc, vec::Vec};

/// The longest PTX text, in bytes. The functions that each entry calls, all entries together, may have as many again.
pub const MAX_TEXT_BYTES: usize = 4 << 20;
/// The most entries of a module.
pub const MAX_ENTRIES: usize = 1_024;
/// The most functions of a module, declared or defined.
pub const MAX_FUNCTIONS: usize = 4_096;
/// The most instructions of an entry, with those of the functions that it calls.
pub const MAX_INSTRUCTIONS: usize = 1 << 18;
/// The most registers, distinct constants and special registers that the instructions of an entry use, and those of the
/// functions that it calls.
pub const MAX_SLOTS: usize = 16_384;
/// The most bytes of parameters of an entry.
pub const MAX_PARAM_BYTES: u32 = 4_352;
/// The most bytes of shared memory of a block, static and dynamic together.
pub const MAX_SHARED_BYTES: u32 = 48 << 10;
/// The most bytes of local memory of a thread: that of an entry and of all functions that it calls, arguments and results
/// included.
pub const MAX_LOCAL_BYTES: u32 = 64 << 10;
/// The most bytes of `.const` variables of a module.
pub const MAX_CONST_BYTES: u32 = 64 << 10;
/// The most bytes of `.global` variables of a module.
pub const MAX_GLOBAL_BYTES: u32 = 64 << 20;
/// The most variables of a module, and the most of an entry.
pub const MAX_VARIABLES: usize = 4_096;
/// The most threads of a block.
pub const MAX_BLOCK_THREADS: u32 = 1_024;

/// The initial bytes of a module's `.global` variables, in the order of the text. Shared so that a
/// [`Memory`](crate::Memory) knows by identity which modules it has met.
pub(crate) type Globals = Arc<Vec<Vec<u8>>>;

/// A parsed PTX module.
#[derive(Clone, Debug)]
pub struct Module {
	pub(crate) version: (u32, u32),
	pub(crate) target: String,
	pub(crate) entries: Vec<Entry>,
	/// All `.const` variables, laid out one after the other.
	pub(crate) constants: Vec<u8>,
	pub(crate) globals: Globals,
}

impl Module {
	/// Parses PTX text.
	///
	/// # Errors
	///
	/// A [`ParseError`] that says where the text is wrong, not supported, or beyond one of the limits of this crate.
	pub fn parse(text: &str) -> Result<Self, ParseError> {
		crate::parse::module(text)
	}

	/// The kernels, in the order of the text.
	pub fn entries(&self) -> &[Entry] {
		&self.entries
	}

	/// The kernel of that name.
	pub fn entry(&self, name: &str) -> Option<&Entry> {
		self.entries.iter().find(|entry| entry.name == name)
	}

	/// Whether the module has `.global` variables, which keep what a launch stores in them for the next one.
	pub fn has_globals(&self) -> bool {
		!self.globals.is_empty()
	}

	/// The PTX version of the text, such as (7, 5).
	pub fn version(&self) -> (u32, u32) {
		self.version
	}

	/// The target architecture of the text, such as `sm_80`.
	pub fn target(&self) -> &str {
		&self.target
	}
}

/// Size and alignment of a kernel parameter.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParamInfo {
	/// Size in bytes.
	pub bytes: u32,
	/// Alignment in bytes, a power of two.
	pub align: u32,
}

/// A kernel.
#[derive(Clone, Debug)]
pub struct Entry {
	/// Its name.
	pub name: String,
	/// Its parameters, in order.
	pub params: Vec<ParamInfo>,
	pub(crate) code: Vec<Instruction>,
	/// The line of each instruction.
	pub(crate) lines: Vec<u32>,
	/// What each slot of a thread's register file holds at its start.
	pub(crate) seeds: Vec<Seed>,
	/// What the branches with an index go to.
	pub(crate) targets: Vec<u32>,
	/// What [`Op::Warp`](crate::ir::Op::Warp) refers to.
	pub(crate) warp_ops: Vec<WarpOp>,
	/// Whether a thread can stop half-way: at a barrier, or at a warp-wide instruction.
	pub(crate) threads_meet: bool,
	/// Whether there are atomic operations on global memory, or perhaps on it.
	#[cfg_attr(
		not(feature = "std"),
		expect(dead_code, reason = "what runs blocks one after the other need not know")
	)]
	pub(crate) global_atomics: bool,
	pub(crate) local_bytes: u32,
	/// Static shared memory; dynamic shared memory follows it.
	pub(crate) shared_bytes: u32,
	pub(crate) max_threads: u32,
	pub(crate) required_block: Option<[u32; 3]>,
}

impl Entry {
	/// Number of instructions, with those of the functions that it calls, each with the implied `ret` at its end.
	pub fn instructions(&self) -> usize {
		self.code.len()
	}

	/// Bytes of shared memory that every block has without asking for more.
	pub fn static_shared_bytes(&self) -> u32 {
		self.shared_bytes
	}
}
