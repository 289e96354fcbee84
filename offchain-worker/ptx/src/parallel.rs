//! The blocks of a grid on several threads of the host, with the result of running them one after the other.
//!
//! Blocks run in waves. Those of a wave run at the same time, each on memory as it was before the wave; then, in the
//! order of their index, what each wrote is put in place ([`crate::speculate`]). The first one that read what one in
//! front of it wrote, that faulted, or that used more steps than expected runs again alone, as it would have in its turn,
//! and the next wave starts behind it.

use crate::{
	exec::{BlockRun, Machine},
	fault::LaunchError,
	launch::{prepare, Argument, Budget, LaunchConfig, LaunchStats},
	memory::Memory,
	module::Module,
	speculate::{Notes, Speculation},
};
use alloc::vec::Vec;
use core::ops::ControlFlow;
use std::{
	collections::HashSet,
	sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
	thread,
};

/// Steps that each thread is to run in a wave: some 50 ms, beside which starting threads and waiting for the last one
/// count little.
const WAVE_STEPS: u64 = 8_000_000;
/// The most blocks of a wave.
const MAX_WAVE_BLOCKS: u64 = 4_096;
/// Launches that seem to have fewer steps than this left run on one thread.
const LEAST_STEPS: u64 = 100_000;
/// After so many waves of which less than half could be kept, a launch goes on with one thread.
const LOST_WAVES: u32 = 3;
/// Blocks that need more memory of their own, for registers, local and shared memory, run on one thread.
const MAX_BLOCK_BYTES: usize = 16 << 20;
/// How much longer than the longest so far a block may run in a wave: with memory as it was before the others, it might
/// wait for something for ever. The first part is a factor, the second a number of steps.
const PATIENCE: (u64, u64) = (8, 1 << 16);

/// Threads of the host that run a launch.
pub struct HostThreads<'w> {
	/// How many, the caller's own among them. One, and where the system gives no more, runs block after block.
	pub count: usize,
	/// Hears now and then how many blocks are done, and may end the launch before its next block.
	pub watch: &'w mut dyn FnMut(u64) -> ControlFlow<()>,
}

/// As [`launch`](crate::launch), on several threads of the host: the same bytes, the same count of instructions, the
/// same fault, whatever the number of threads. Kernels with atomic operations on global memory, and those that need very
/// much memory of their own, run on one.
///
/// A launch that `threads.watch` ends has run some of its first blocks.
///
/// # Errors
///
/// Those of [`launch`](crate::launch).
pub fn launch_on(
	threads: HostThreads<'_>,
	module: &Module,
	entry: &str,
	config: &LaunchConfig,
	arguments: &[Argument],
	memory: &mut Memory,
	budget: &mut Budget,
) -> Result<LaunchStats, LaunchError> {
	let machine = prepare(module, entry, config, arguments, memory)?;
	let alone = machine.has_global_atomics() || machine.bytes() > MAX_BLOCK_BYTES;
	let count = if alone { 1 } else { threads.count.max(1) };
	let total = config.grid.iter().map(|size| u64::from(*size)).product();
	let mut grid =
		Grid { grid: config.grid, total, done: 0, longest: 0, stats: LaunchStats::default(), memory, budget };
	let mut machines = alloc::vec![machine];
	let mut lost_waves = 0;
	while grid.done < total && (threads.watch)(grid.done).is_continue() {
		let wave = if lost_waves < LOST_WAVES { grid.wave_blocks(count) } else { 0 };
		if wave > 0 {
			if let Some(first) = machines.first().filter(|_| machines.len() < count).cloned() {
				machines.resize(count, first);
			}
			let kept = grid.run_wave(&mut machines, wave);
			lost_waves += u32::from(kept < wave.div_ceil(2));
			if kept == wave {
				continue;
			}
		}
		if let Some(machine) = machines.first_mut() {
			grid.run_alone(machine)?;
		}
	}
	Ok(grid.stats)
}

/// A launch under way.
struct Grid<'r> {
	grid: [u32; 3],
	/// Blocks in all, and those that are done.
	total: u64,
	done: u64,
	/// Steps of the longest block so far.
	longest: u64,
	stats: LaunchStats,
	memory: &'r mut Memory,
	budget: &'r mut Budget,
}

/// A block that ran in a wave: its instructions, its steps and what it did.
type Outcome = Option<(u64, u64, Notes)>;

impl Grid<'_> {
	/// How many blocks the next wave should have; zero if it does not pay.
	fn wave_blocks(&self, threads: usize) -> u64 {
		let (threads, left) = (threads as u64, self.total - self.done);
		if threads < 2 || left < 2 || left.saturating_mul(self.longest) < LEAST_STEPS {
			return 0;
		}
		let wanted = threads.saturating_mul(WAVE_STEPS) / self.longest.max(1);
		wanted.clamp(threads, MAX_WAVE_BLOCKS).min(left)
	}

	/// Runs the next block in its turn.
	fn run_alone(&mut self, machine: &mut Machine<'_>) -> Result<(), LaunchError> {
		let before = self.budget.steps;
		let block = position(self.done, self.grid);
		let run = BlockRun { block, memory: &mut *self.memory, budget: &mut *self.budget };
		let instructions = machine.run_block(run)?;
		self.count(instructions, before - self.budget.steps);
		Ok(())
	}

	fn count(&mut self, instructions: u64, steps: u64) {
		self.stats.instructions += instructions;
		self.longest = self.longest.max(steps);
		self.done += 1;
	}

	/// Runs the next blocks at the same time, and keeps the first of them, as many as did what they would have done in
	/// their turn. Returns how many.
	fn run_wave(&mut self, machines: &mut [Machine<'_>], blocks: u64) -> u64 {
		let (factor, more) = PATIENCE;
		let limit = self.longest.saturating_mul(factor).saturating_add(more).min(self.budget.steps);
		let wave = Wave {
			grid: self.grid,
			next: AtomicU64::new(self.done),
			end: self.done + blocks,
			limit,
			noted_bytes: AtomicUsize::new(0),
			memory: self.memory,
		};
		let mut outcomes = wave.run(machines);
		outcomes.sort_unstable_by_key(|(number, _)| *number);
		let mut written = HashSet::new();
		let first = self.done;
		for (number, outcome) in outcomes {
			// A number that is left out belongs to a thread that was lost.
			let Some((instructions, steps, notes)) = outcome.filter(|_| number == self.done) else { break };
			let Some(left) = self.budget.steps.checked_sub(steps) else { break };
			if notes.read_any_of(&written) {
				break;
			}
			notes.commit(self.memory, &mut written);
			self.budget.steps = left;
			self.count(instructions, steps);
		}
		self.done - first
	}
}

/// Blocks that run at the same time.
struct Wave<'m> {
	grid: [u32; 3],
	/// The number of the next block that no thread has taken.
	next: AtomicU64,
	end: u64,
	/// The most steps of a block.
	limit: u64,
	noted_bytes: AtomicUsize,
	memory: &'m Memory,
}

impl Wave<'_> {
	/// Runs the wave on as many threads as there are machines, or as many as the system gives.
	fn run(&self, machines: &mut [Machine<'_>]) -> Vec<(u64, Outcome)> {
		let Some((own, others)) = machines.split_first_mut() else { return Vec::new() };
		thread::scope(|scope| {
			let start = |machine| {
				thread::Builder::new().name("ptx-blocks".into()).spawn_scoped(scope, || self.work(machine))
			};
			let others: Vec<_> = others.iter_mut().map_while(|machine| start(machine).ok()).collect();
			let mut outcomes = self.work(own);
			outcomes.extend(others.into_iter().filter_map(|thread| thread.join().ok()).flatten());
			outcomes
		})
	}

	/// What one thread does: block after block, until all are taken or one went wrong, behind which none will be kept.
	fn work(&self, machine: &mut Machine<'_>) -> Vec<(u64, Outcome)> {
		let mut outcomes = Vec::new();
		let mut memory = Speculation::new(self.memory, &self.noted_bytes);
		loop {
			let number = self.next.fetch_add(1, Relaxed);
			if number >= self.end {
				return outcomes;
			}
			let mut budget = Budget { steps: self.limit };
			let block = position(number, self.grid);
			let result = machine.run_block(BlockRun { block, memory: &mut memory, budget: &mut budget });
			let outcome = result.ok().zip(memory.take());
			if outcome.is_none() {
				self.next.fetch_max(self.end, Relaxed);
			}
			let steps = self.limit - budget.steps;
			outcomes.push((number, outcome.map(|(instructions, notes)| (instructions, steps, notes))));
		}
	}
}

/// The index in three dimensions of the block of that number: x changes fastest.
fn position(number: u64, [width, height, _]: [u32; 3]) -> [u32; 3] {
	let (width, height) = (u64::from(width), u64::from(height));
	[number % width, number / width % height, number / width / height].map(|index| index as u32)
}
