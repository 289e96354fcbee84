//! Running thread blocks.

mod access;
mod float;
mod fused;
mod integer;
mod thread;

use crate::{
	fault::{Fault, FaultKind},
	ir::{Op, Seed, Special},
	launch::{Budget, LaunchConfig},
	memory::{Memory, MemoryError},
	module::{Entry, Module},
};
use access::BlockMemory;
use alloc::vec::Vec;
use thread::Stop;

/// Bytes cleared before threads run that count as one step.
const CLEARED_BYTES_PER_STEP: u64 = 256;
/// Threads of a warp.
const WARP: u32 = 32;

/// Everything of a launch that is the same for all its blocks, and the memory that they use one after the other.
pub(crate) struct Machine<'a> {
	entry: &'a Entry,
	constants: &'a [u8],
	params: Vec<u8>,
	config: LaunchConfig,
	/// A thread's register file when it starts, but for the special registers that differ.
	template: Vec<u64>,
	/// Slots of special registers.
	specials: Vec<(usize, Special)>,
	/// Register files of all threads; of one if no barrier can stop a thread half-way.
	registers: Vec<u64>,
	/// Local memory of as many threads.
	local: Vec<u8>,
	shared: Vec<u8>,
	states: Vec<State>,
	/// Steps that clearing the memory of a block takes.
	setup_steps: u64,
}

/// Where a thread stands between two barriers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
	/// It is at the instruction of that index.
	At(usize),
	/// It has returned.
	Done,
}

/// One block to run, on what, and for how long.
pub(crate) struct BlockRun<'m> {
	pub(crate) block: [u32; 3],
	pub(crate) memory: &'m mut Memory,
	pub(crate) budget: &'m mut Budget,
}

impl<'a> Machine<'a> {
	/// Reserves the memory of one block. The arguments have been checked; `globals` are the addresses of the
	/// module's `.global` variables.
	pub(crate) fn new(
		module: &'a Module,
		entry: &'a Entry,
		config: &LaunchConfig,
		params: Vec<u8>,
		globals: &[u64],
	) -> Result<Self, MemoryError> {
		let threads = config.block.iter().map(|size| *size as usize).product::<usize>();
		let resident = if entry.has_barrier { threads } else { 1 };
		let shared_bytes = entry.shared_bytes as usize + config.shared_bytes as usize;
		let local_bytes = entry.local_bytes as usize;
		let mut template = Vec::with_capacity(entry.seeds.len());
		let mut specials = Vec::new();
		for (slot, seed) in entry.seeds.iter().enumerate() {
			template.push(match *seed {
				Seed::Zero => 0,
				Seed::Value(value) => value,
				Seed::Global(index) => globals.get(index as usize).copied().unwrap_or_default(),
				Seed::DynamicShared => entry.shared_bytes.into(),
				Seed::Special(special) => {
					specials.push((slot, special));
					0
				}
			});
		}
		let cleared = threads * (template.len() * 8 + local_bytes) + shared_bytes;
		Ok(Self {
			entry,
			constants: &module.constants,
			params,
			config: *config,
			registers: filled(resident * template.len(), 0)?,
			local: filled(resident * local_bytes, 0)?,
			shared: filled(shared_bytes, 0)?,
			states: filled(threads, State::At(0))?,
			template,
			specials,
			setup_steps: cleared as u64 / CLEARED_BYTES_PER_STEP,
		})
	}

	/// Runs one block to its end and returns how many instructions that took.
	pub(crate) fn run_block(&mut self, run: BlockRun<'_>) -> Result<u64, Fault> {
		let BlockRun { block, memory, budget } = run;
		let Some(steps) = budget.steps.checked_sub(self.setup_steps) else {
			budget.steps = 0;
			return Err(self.fault(FaultKind::StepBudgetExhausted, block, 0, 0));
		};
		budget.steps = steps;
		self.shared.fill(0);
		self.states.fill(State::At(0));
		let mut first_phase = true;
		while self.run_phase(block, memory, budget, first_phase)? {
			first_phase = false;
		}
		Ok(steps - budget.steps)
	}

	/// Runs every thread to its next barrier or its end. Returns whether any of them waits at one.
	fn run_phase(
		&mut self,
		block: [u32; 3],
		memory: &mut Memory,
		budget: &mut Budget,
		first: bool,
	) -> Result<bool, Fault> {
		let slots = self.template.len();
		let local_bytes = self.entry.local_bytes as usize;
		for thread in 0..self.states.len() {
			let Some(State::At(start)) = self.states.get(thread).copied() else { continue };
			let resident = if self.entry.has_barrier { thread } else { 0 };
			let registers = &mut self.registers[resident * slots..][..slots];
			let local = &mut self.local[resident * local_bytes..][..local_bytes];
			if first {
				registers.copy_from_slice(&self.template);
				local.fill(0);
				let index = position(thread as u32, self.config.block);
				for (slot, special) in &self.specials {
					registers[*slot] =
						special_value(*special, &self.config, block, index, thread as u32).into();
				}
			}
			let mut space = BlockMemory {
				global: &mut *memory,
				shared: &mut self.shared,
				local,
				constants: self.constants,
				params: &self.params,
			};
			let mut at = start;
			let stop = thread::run(&self.entry.code, &mut at, registers, &mut space, &mut budget.steps);
			self.states[thread] = match stop {
				Ok(Stop::Returned) => State::Done,
				Ok(Stop::Waiting) => State::At(at),
				Err(kind) => return Err(self.fault(kind, block, thread, at)),
			};
		}
		self.meet(block)
	}

	/// Checks that all threads came to the same barrier, and lets them pass it. Returns false when all are done.
	fn meet(&mut self, block: [u32; 3]) -> Result<bool, Fault> {
		let waiting = self.states.iter().find_map(|state| match state {
			State::At(at) => Some(*at),
			State::Done => None,
		});
		let Some(first) = waiting else { return Ok(false) };
		let first_id = barrier_id(self.entry, first);
		let mut warp_at = first;
		for thread in 0..self.states.len() {
			let State::At(at) = self.states[thread] else {
				return Err(self.fault(FaultKind::BarrierDivergence, block, thread, first));
			};
			if (thread as u32).is_multiple_of(WARP) {
				warp_at = at;
			}
			let aligned = matches!(self.entry.code[at].op, Op::Barrier { aligned: true, .. });
			if barrier_id(self.entry, at) != first_id || (aligned && at != warp_at) {
				return Err(self.fault(FaultKind::BarrierDivergence, block, thread, at));
			}
			self.states[thread] = State::At(at + 1);
		}
		Ok(true)
	}

	fn fault(&self, kind: FaultKind, block: [u32; 3], thread: usize, at: usize) -> Fault {
		let thread = position(thread as u32, self.config.block);
		let line = self.entry.lines.get(at).copied().unwrap_or_default();
		Fault { kind, entry: self.entry.name.clone(), block, thread, line }
	}
}

/// The number of the barrier that stands at that index.
fn barrier_id(entry: &Entry, at: usize) -> Option<u8> {
	match entry.code.get(at)?.op {
		Op::Barrier { id, .. } => Some(id),
		_ => None,
	}
}

/// A vector of that many equal elements, or an error where the host has no room for them.
fn filled<T: Clone>(length: usize, value: T) -> Result<Vec<T>, MemoryError> {
	let mut vector = Vec::new();
	let requested = (length * size_of::<T>()) as u64;
	vector.try_reserve_exact(length).map_err(|_| MemoryError::OutOfMemory { requested, available: 0 })?;
	vector.resize(length, value);
	Ok(vector)
}

/// The index in three dimensions of the thread of that number: x changes fastest.
fn position(thread: u32, [width, height, _]: [u32; 3]) -> [u32; 3] {
	[thread % width, thread / width % height, thread / width / height]
}

fn special_value(
	special: Special,
	config: &LaunchConfig,
	block: [u32; 3],
	index: [u32; 3],
	thread: u32,
) -> u32 {
	let (dimensions, dimension) = match special {
		Special::ThreadIndex(dimension) => (index, dimension),
		Special::BlockSize(dimension) => (config.block, dimension),
		Special::BlockIndex(dimension) => (block, dimension),
		Special::GridSize(dimension) => (config.grid, dimension),
		Special::Lane => return thread % WARP,
		Special::Warp => return thread / WARP,
	};
	dimensions.get(usize::from(dimension)).copied().unwrap_or_default()
}
