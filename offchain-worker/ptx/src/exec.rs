//! Running thread blocks.

mod access;
mod float;
mod fused;
mod integer;
mod matrix;
mod thread;
mod warp;

use crate::{
	fault::{Fault, FaultKind},
	ir::{BarrierReduction, Condition, Gather, LaneMask, Op, Seed, Special, WarpOp},
	launch::{Budget, LaunchConfig, STEP_BYTES},
	memory::MemoryError,
	module::{Entry, Module},
};
use access::BlockMemory;
pub(crate) use access::GlobalMemory;
use alloc::vec::Vec;
use thread::Stop;
use warp::{Parted, Warp, WARP};

/// Everything of a launch that is the same for all its blocks, and the memory that they use one after the other.
#[derive(Clone)]
pub(crate) struct Machine<'a> {
	entry: &'a Entry,
	constants: &'a [u8],
	params: Vec<u8>,
	config: LaunchConfig,
	/// A thread's register file when it starts, but for the special registers that differ.
	template: Vec<u64>,
	/// Slots of special registers.
	specials: Vec<(usize, Special)>,
	/// Register files of all threads; of one if nothing can stop a thread half-way.
	registers: Vec<u64>,
	/// Local memory of as many threads.
	local: Vec<u8>,
	shared: Vec<u8>,
	states: Vec<State>,
	/// Steps that clearing the memory of a block takes.
	setup_steps: u64,
}

/// How far a thread is. Numbers are indices of instructions.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum State {
	/// It has not started.
	New,
	/// It may go on from there.
	Ready(usize),
	/// It waits at a barrier.
	AtBarrier(usize),
	/// It waits at a warp-wide instruction.
	AtWarp(usize),
	/// It has returned.
	Done,
}

/// One block to run, on what, and for how long.
pub(crate) struct BlockRun<'m, G> {
	pub(crate) block: [u32; 3],
	pub(crate) memory: &'m mut G,
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
		let resident = if entry.threads_meet { threads } else { 1 };
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
			states: filled(threads, State::New)?,
			template,
			specials,
			setup_steps: cleared as u64 / STEP_BYTES,
		})
	}

	/// Whether a block can see in which order others change global memory.
	#[cfg(feature = "std")]
	pub(crate) fn has_global_atomics(&self) -> bool {
		self.entry.global_atomics
	}

	/// Bytes of the memory of one block.
	#[cfg(feature = "std")]
	pub(crate) fn bytes(&self) -> usize {
		self.registers.len() * 8 + self.local.len() + self.shared.len()
	}

	/// Runs one block to its end and returns how many instructions that took.
	pub(crate) fn run_block<G: GlobalMemory>(&mut self, run: BlockRun<'_, G>) -> Result<u64, Fault> {
		let BlockRun { block, memory, budget } = run;
		let Some(steps) = budget.steps.checked_sub(self.setup_steps) else {
			budget.steps = 0;
			return Err(self.fault(FaultKind::StepBudgetExhausted, block, 0, 0));
		};
		budget.steps = steps;
		self.shared.fill(0);
		self.states.fill(State::New);
		loop {
			for first in (0..self.states.len()).step_by(WARP) {
				self.run_warp(block, memory, budget, first)?;
			}
			if !self.meet(block)? {
				return Ok(steps - budget.steps);
			}
		}
	}

	/// Runs every thread of the warp that starts with that thread to its next barrier or its end.
	fn run_warp<G: GlobalMemory>(
		&mut self,
		block: [u32; 3],
		memory: &mut G,
		budget: &mut Budget,
		first: usize,
	) -> Result<(), Fault> {
		let end = self.states.len().min(first + WARP);
		loop {
			let mut waits = false;
			for thread in first..end {
				self.run_thread(block, memory, budget, thread)?;
				waits |= matches!(self.states[thread], State::AtWarp(_));
			}
			if !waits {
				return Ok(());
			}
			self.meet_in_warp(block, first, end)?;
		}
	}

	/// Runs a thread to where it must wait for others, or to its end, unless it is there.
	fn run_thread<G: GlobalMemory>(
		&mut self,
		block: [u32; 3],
		memory: &mut G,
		budget: &mut Budget,
		thread: usize,
	) -> Result<(), Fault> {
		let state = self.states[thread];
		let mut at = match state {
			State::New => 0,
			State::Ready(at) => at,
			State::AtBarrier(_) | State::AtWarp(_) | State::Done => return Ok(()),
		};
		let slots = self.template.len();
		let local_bytes = self.entry.local_bytes as usize;
		let resident = if self.entry.threads_meet { thread } else { 0 };
		let registers = &mut self.registers[resident * slots..][..slots];
		let local = &mut self.local[resident * local_bytes..][..local_bytes];
		if state == State::New {
			registers.copy_from_slice(&self.template);
			local.fill(0);
			let index = position(thread as u32, self.config.block);
			for (slot, special) in &self.specials {
				registers[*slot] = special_value(*special, &self.config, block, index, thread as u32).into();
			}
		}
		let mut space = BlockMemory {
			global: &mut *memory,
			shared: &mut self.shared,
			local,
			constants: self.constants,
			params: &self.params,
		};
		let stop = thread::run(self.entry, &mut at, registers, &mut space, &mut budget.steps);
		self.states[thread] = match stop {
			Ok(Stop::Returned) => State::Done,
			Ok(Stop::Waiting) if warp_op(self.entry, at).is_some() => State::AtWarp(at),
			Ok(Stop::Waiting) => State::AtBarrier(at),
			Err(kind) => return Err(self.fault(kind, block, thread, at)),
		};
		Ok(())
	}

	/// Checks that all threads came to the same barrier, and lets them pass it. Returns false when all are done.
	fn meet(&mut self, block: [u32; 3]) -> Result<bool, Fault> {
		let waiting = self.states.iter().find_map(|state| match state {
			State::AtBarrier(at) => Some(*at),
			_ => None,
		});
		let Some(first) = waiting else { return Ok(false) };
		let met = barrier(self.entry, first);
		let mut warp_at = first;
		let mut holding = 0;
		for thread in 0..self.states.len() {
			let State::AtBarrier(at) = self.states[thread] else {
				return Err(self.fault(FaultKind::BarrierDivergence, block, thread, first));
			};
			if thread.is_multiple_of(WARP) {
				warp_at = at;
			}
			let aligned = matches!(self.entry.code[at].op, Op::Barrier { aligned: true, .. });
			if barrier(self.entry, at) != met || (aligned && at != warp_at) {
				return Err(self.fault(FaultKind::BarrierDivergence, block, thread, at));
			}
			if let Some(BarrierReduction { condition: Condition { slot, negated }, .. }) =
				reduction(self.entry, at)
			{
				let value = self.registers[thread * self.template.len() + usize::from(slot)];
				holding += usize::from((value != 0) != negated);
			}
		}
		for thread in 0..self.states.len() {
			let State::AtBarrier(at) = self.states[thread] else { continue };
			if let Some(BarrierReduction { op, d, .. }) = reduction(self.entry, at) {
				self.registers[thread * self.template.len() + usize::from(d)] = match op {
					Gather::Count => holding as u64,
					Gather::All => (holding == self.states.len()).into(),
					Gather::Any => (holding > 0).into(),
				};
			}
			self.states[thread] = State::Ready(at + 1);
		}
		Ok(true)
	}

	/// Executes the warp-wide instructions to which all threads have come that they name. None of the warp's threads
	/// can run before that, so there is nothing left to wait for where there is no such instruction.
	fn meet_in_warp(&mut self, block: [u32; 3], first: usize, end: usize) -> Result<(), Fault> {
		let slots = self.template.len();
		let mut warp = Warp::new(&mut self.registers[first * slots..end * slots], slots);
		for (lane, state) in self.states[first..end].iter().enumerate() {
			match *state {
				State::Done => {}
				State::AtWarp(at) => warp.arrive(lane, at, warp_op(self.entry, at)),
				_ => warp.is_elsewhere(lane),
			}
		}
		match warp.meet() {
			Ok(passed) => {
				for (thread, state) in (first..end).zip(&mut self.states[first..end]) {
					if let State::AtWarp(at) = *state {
						if passed >> (thread - first) & 1 == 1 {
							*state = State::Ready(at + 1);
						}
					}
				}
				Ok(())
			}
			Err(Parted { kind, lane, at }) => Err(self.fault(kind, block, first + lane, at)),
		}
	}

	fn fault(&self, kind: FaultKind, block: [u32; 3], thread: usize, at: usize) -> Fault {
		let thread = position(thread as u32, self.config.block);
		let line = self.entry.lines.get(at).copied().unwrap_or_default();
		Fault { kind, entry: self.entry.name.clone(), block, thread, line }
	}
}

/// The number of the barrier that stands at that index, and what threads learn there: they must agree in both.
fn barrier(entry: &Entry, at: usize) -> Option<(u8, Option<Gather>)> {
	match entry.code.get(at)?.op {
		Op::Barrier { id, reduction, .. } => Some((id, reduction.map(|reduction| reduction.op))),
		_ => None,
	}
}

/// What a thread gives to the barrier that stands at that index, and takes from it.
fn reduction(entry: &Entry, at: usize) -> Option<BarrierReduction> {
	match entry.code.get(at)?.op {
		Op::Barrier { reduction, .. } => reduction,
		_ => None,
	}
}

/// The operands of the warp-wide instruction that stands at that index.
fn warp_op(entry: &Entry, at: usize) -> Option<&WarpOp> {
	match entry.code.get(at)?.op {
		Op::Warp { index } => entry.warp_ops.get(index as usize),
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
		Special::Lane => return thread % WARP as u32,
		Special::Warp => return thread / WARP as u32,
		Special::LaneMask(mask) => return lane_mask(mask, thread % WARP as u32),
	};
	dimensions.get(usize::from(dimension)).copied().unwrap_or_default()
}

/// The bits of the lanes that stand in that relation to one.
fn lane_mask(mask: LaneMask, lane: u32) -> u32 {
	let own = 1u32 << lane;
	match mask {
		LaneMask::Equal => own,
		LaneMask::Less => own - 1,
		LaneMask::LessEqual => own | (own - 1),
		LaneMask::GreaterEqual => !(own - 1),
		LaneMask::Greater => !(own | (own - 1)),
	}
}
