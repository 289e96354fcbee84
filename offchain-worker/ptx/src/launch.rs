//! The host's side of a launch: checks, arguments, and the loop over thread blocks.

use crate::{
	exec::{BlockRun, Machine},
	fault::LaunchError,
	memory::Memory,
	module::{Entry, Module, MAX_BLOCK_THREADS, MAX_SHARED_BYTES},
};
use alloc::vec::Vec;

/// The shape of a launch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LaunchConfig {
	/// Thread blocks in x, y and z; none may be zero, the product at most 2^31 - 1.
	pub grid: [u32; 3],
	/// Threads of a block in x, y and z; none may be zero, the product at most [`MAX_BLOCK_THREADS`].
	pub block: [u32; 3],
	/// Dynamic shared memory of a block in bytes, in addition to the entry's static shared memory.
	pub shared_bytes: u32,
}

/// A kernel argument. Only its size is compared with the parameter: PTX parameters carry no more meaning than that.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Argument {
	/// 32 bits, unsigned.
	U32(u32),
	/// 32 bits, signed.
	I32(i32),
	/// 64 bits, unsigned.
	U64(u64),
	/// 64 bits, signed.
	I64(i64),
	/// 32 bits, IEEE 754 binary32.
	F32(f32),
	/// 64 bits: an address in a [`Memory`].
	Pointer(u64),
}

impl Argument {
	/// Size in bytes.
	pub fn bytes(&self) -> u32 {
		match self {
			Self::U32(_) | Self::I32(_) | Self::F32(_) => 4,
			Self::U64(_) | Self::I64(_) | Self::Pointer(_) => 8,
		}
	}

	/// The value's bits, zero-extended.
	fn bits(&self) -> u64 {
		match *self {
			Self::U32(value) => value.into(),
			Self::I32(value) => (value as u32).into(),
			Self::F32(value) => value.to_bits().into(),
			Self::U64(value) | Self::Pointer(value) => value,
			Self::I64(value) => value as u64,
		}
	}
}

/// Bytes cleared or copied that count as one step.
pub(crate) const STEP_BYTES: u64 = 256;

/// How many steps may still be run. One step is one instruction of one thread, whether its predicate holds or not. A
/// call takes one more for each argument and result that it copies, and one for every 256 bytes of them. Clearing the registers and memory of threads and blocks before they start also takes steps, one for every 256
/// bytes, so that the budget bounds the time of every launch.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Budget {
	pub(crate) steps: u64,
}

impl Budget {
	/// A budget of that many steps. It may serve several launches.
	pub fn new(steps: u64) -> Self {
		Self { steps }
	}

	/// Steps that are left.
	pub fn remaining(&self) -> u64 {
		self.steps
	}
}

/// What a launch did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct LaunchStats {
	/// Instructions run, over all threads.
	pub instructions: u64,
}

/// Runs all blocks of a grid, in the order of their index (x fastest), and returns when the last one is done.
///
/// # Errors
///
/// Every [`LaunchError`]; all but [`LaunchError::Fault`] are found before the first instruction.
pub fn launch(
	module: &Module,
	entry: &str,
	config: &LaunchConfig,
	arguments: &[Argument],
	memory: &mut Memory,
	budget: &mut Budget,
) -> Result<LaunchStats, LaunchError> {
	let mut machine = prepare(module, entry, config, arguments, memory)?;
	let mut stats = LaunchStats::default();
	let [width, height, depth] = config.grid;
	for z in 0..depth {
		for y in 0..height {
			for x in 0..width {
				let run = BlockRun { block: [x, y, z], memory: &mut *memory, budget: &mut *budget };
				stats.instructions += machine.run_block(run)?;
			}
		}
	}
	Ok(stats)
}

/// Runs one block of a grid, with the same checks and the same result as [`launch`] has for it. This is how a
/// verifier re-executes blocks drawn at random.
///
/// # Errors
///
/// Those of [`launch`], and [`LaunchError::BlockIndex`] for a block outside the grid.
pub fn run_block(
	module: &Module,
	entry: &str,
	config: &LaunchConfig,
	block: [u32; 3],
	arguments: &[Argument],
	memory: &mut Memory,
	budget: &mut Budget,
) -> Result<LaunchStats, LaunchError> {
	if block.iter().zip(config.grid).any(|(index, size)| *index >= size) {
		return Err(LaunchError::BlockIndex { block, grid: config.grid });
	}
	let mut machine = prepare(module, entry, config, arguments, memory)?;
	let instructions = machine.run_block(BlockRun { block, memory, budget })?;
	Ok(LaunchStats { instructions })
}

/// Checks everything that does not depend on the block.
pub(crate) fn prepare<'a>(
	module: &'a Module,
	entry: &str,
	config: &LaunchConfig,
	arguments: &[Argument],
	memory: &mut Memory,
) -> Result<Machine<'a>, LaunchError> {
	let entry = module.entry(entry).ok_or_else(|| LaunchError::UnknownEntry {
		name: entry.into(),
		available: module.entries().iter().map(|entry| entry.name.clone()).collect(),
	})?;
	let params = param_bytes(entry, arguments)?;
	check_shape(entry, config)?;
	let shared = u64::from(entry.shared_bytes) + u64::from(config.shared_bytes);
	if shared > MAX_SHARED_BYTES.into() {
		return Err(LaunchError::SharedMemory { requested: shared, limit: MAX_SHARED_BYTES });
	}
	let globals = memory.load_globals(&module.globals)?;
	Machine::new(module, entry, config, params, &globals).map_err(Into::into)
}

/// Lays the arguments out as the entry's parameters.
fn param_bytes(entry: &Entry, arguments: &[Argument]) -> Result<Vec<u8>, LaunchError> {
	if entry.params.len() != arguments.len() {
		return Err(LaunchError::ArgumentCount { expected: entry.params.len(), found: arguments.len() });
	}
	let mut bytes = Vec::new();
	for (index, (param, argument)) in entry.params.iter().zip(arguments).enumerate() {
		if param.bytes != argument.bytes() {
			return Err(LaunchError::ArgumentSize { index, expected: param.bytes, found: argument.bytes() });
		}
		bytes.resize(bytes.len().next_multiple_of(param.align as usize), 0);
		bytes.extend(argument.bits().to_le_bytes().into_iter().take(param.bytes as usize));
	}
	Ok(bytes)
}

fn check_shape(entry: &Entry, config: &LaunchConfig) -> Result<(), LaunchError> {
	let LaunchConfig { grid, block, .. } = *config;
	let blocks = product(grid).filter(|blocks| *blocks <= i32::MAX as u64);
	if blocks.is_none() {
		return Err(LaunchError::Grid { grid });
	}
	let limit = entry.max_threads.min(MAX_BLOCK_THREADS);
	let fits = product(block).is_some_and(|threads| threads <= limit.into());
	if !fits || entry.required_block.is_some_and(|required| required != block) {
		return Err(LaunchError::Block { block, limit, required: entry.required_block });
	}
	Ok(())
}

/// The product of three dimensions, if none is zero and it does not overflow.
fn product(dimensions: [u32; 3]) -> Option<u64> {
	dimensions.iter().try_fold(1u64, |all, size| all.checked_mul((*size).into())).filter(|all| *all > 0)
}
