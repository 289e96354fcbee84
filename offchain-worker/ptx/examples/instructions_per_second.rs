//! Measures the interpreter on one core and prints the figures as one line of JSON.
//!
//! The kernel is an int8 matrix-vector product as compilers emit it: loads, `dp4a`, address arithmetic, a compare and
//! a branch in the inner loop, and a reduction in shared memory with barriers at the end.

use millrace_ptx::{launch, Argument, Budget, LaunchConfig, Memory, Module};
use std::time::Instant;

const KERNEL: &str = include_str!("matrix_vector.ptx");
const BLOCK: u32 = 128;
const ROWS: u32 = 256;
const COLUMN_WORDS: u32 = 16_384;
const RUNS: u32 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
	let module = Module::parse(KERNEL)?;
	let mut memory = Memory::new(1 << 28);
	let words = u64::from(COLUMN_WORDS);
	let matrix = memory.alloc(u64::from(ROWS) * words * 4)?;
	let vector = memory.alloc(words * 4)?;
	let result = memory.alloc(u64::from(ROWS) * 4)?;
	let bytes =
		|seed: u64, length: u64| -> Vec<u8> { (0..length).map(|i| ((i * seed) >> 3) as u8).collect() };
	memory.write(matrix, &bytes(0x9e37, u64::from(ROWS) * words * 4))?;
	memory.write(vector, &bytes(0x79b9, words * 4))?;
	let arguments = [
		Argument::Pointer(matrix),
		Argument::Pointer(vector),
		Argument::Pointer(result),
		Argument::U32(COLUMN_WORDS),
	];
	let config = LaunchConfig { grid: [ROWS, 1, 1], block: [BLOCK, 1, 1], shared_bytes: 0 };
	let mut best = f64::MAX;
	let mut instructions = 0;
	for _ in 0..RUNS {
		let start = Instant::now();
		let mut budget = Budget::new(1 << 40);
		instructions =
			launch(&module, "matrix_vector", &config, &arguments, &mut memory, &mut budget)?.instructions;
		best = best.min(start.elapsed().as_secs_f64());
	}
	let rate = instructions as f64 / best;
	println!(
		"{{\"benchmark\":\"ptx_interpreter\",\"kernel\":\"matrix_vector\",\"runs\":{RUNS},\"instructions\":{instructions},\
		\"best_seconds\":{best:.6},\"instructions_per_second\":{rate:.0}}}"
	);
	Ok(())
}
