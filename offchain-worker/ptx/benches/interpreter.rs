//! How fast kernels are interpreted: on one thread of the host, on all of them, and beside the same computation in native
//! code on one thread.
//!
//! The results of all three must be equal. Times are the best of several runs. `cargo bench --workspace --bench
//! interpreter` prints a table, with `-- --json FILE` it writes the figures there too.
#![allow(clippy::expect_used, reason = "a measurement that fails is none")]

use millrace_ptx::{launch, launch_on, Argument, Budget, HostThreads, LaunchConfig, Memory, Module};
use serde_json::json;
use std::{
	hint::black_box,
	ops::ControlFlow,
	thread::available_parallelism,
	time::{Duration, Instant},
};

/// Runs of which the best counts.
const RUNS: u32 = 5;
/// Thread blocks of a launch, and threads of a block.
const BLOCKS: u32 = 64;
const THREADS: u32 = 128;
/// Turns of a kernel's loop.
const TURNS: u32 = 400;
/// Columns of the matrix, in groups of four bytes.
const COLUMN_WORDS: u32 = 8_192;

/// A kernel, its data, and the same in Rust.
struct Workload {
	name: &'static str,
	module: Module,
	/// Buffers before the output, and numbers behind it.
	inputs: Vec<Vec<u8>>,
	numbers: Vec<u32>,
	words: u32,
	native: Box<dyn Fn() -> Vec<u32>>,
}

/// A kernel that computes a word for each thread in a loop. It finds the number of the thread in the grid in `%r2` and in
/// the block in `%r1`, the turn in `%r3`, and the result so far in `%r9`.
fn in_loop(
	name: &'static str,
	before: &str,
	turn: &str,
	after: &str,
	native: fn(u32) -> Vec<u32>,
) -> Workload {
	let text = format!(
		".version 7.0 .target sm_80 .address_size 64 .visible .entry main(.param .u64 out) .reqntid {THREADS} {{
		.reg .b32 %r<12>; .reg .f32 %f<9>; .reg .b64 %rd<4>; .reg .pred %p<3>; .shared .align 4 .b8 cells[512];
		mov.u32 %r0, %ctaid.x; mov.u32 %r1, %tid.x; mad.lo.u32 %r2, %r0, {THREADS}, %r1; mov.u32 %r3, 0; mov.u32 %r9, %r2;
		{before}
	TURN:
		{turn}
		add.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, {TURNS}; @%p1 bra TURN;
		{after}
		ld.param.u64 %rd1, [out]; mul.wide.u32 %rd2, %r2, 4; add.u64 %rd1, %rd1, %rd2; st.global.u32 [%rd1], %r9;
		}}"
	);
	let native = move || (0..BLOCKS).flat_map(native).collect();
	Workload {
		name,
		module: Module::parse(&text).expect("the kernel is valid"),
		inputs: Vec::new(),
		numbers: Vec::new(),
		words: BLOCKS * THREADS,
		native: Box::new(native),
	}
}

/// The threads of a block, by their number in the grid.
fn threads(block: u32) -> impl Iterator<Item = u32> {
	block * THREADS..(block + 1) * THREADS
}

fn integers() -> Workload {
	let turn = "shl.b32 %r4, %r9, 13; xor.b32 %r9, %r9, %r4; shr.u32 %r4, %r9, 17; xor.b32 %r9, %r9, %r4;
		shl.b32 %r4, %r9, 5; xor.b32 %r9, %r9, %r4; mad.lo.u32 %r9, %r9, 0x9e3779b1, %r3;";
	in_loop("integers", "", turn, "", |block| {
		let mix = |start: u32| {
			(0..TURNS).fold(start, |mut x, turn| {
				x ^= x << 13;
				x ^= x >> 17;
				x ^= x << 5;
				x.wrapping_mul(0x9e37_79b1).wrapping_add(turn)
			})
		};
		threads(block).map(mix).collect()
	})
}

fn floats() -> Workload {
	let before = "cvt.rn.f32.u32 %f1, %r2; mov.f32 %f2, 0f3F800000;";
	// 0.75, 1.25, 0.5
	let turn = "mul.rn.f32 %f1, %f1, 0f3F400000; add.rn.f32 %f1, %f1, 0f3FA00000; mul.rn.f32 %f3, %f1, %f2;
		add.rn.f32 %f2, %f3, 0f3F000000; sub.rn.f32 %f2, %f2, %f1;";
	in_loop("floats", before, turn, "mov.b32 %r9, %f2;", |block| {
		let series = |start: u32| {
			let step = |(x, y): (f32, f32), _| {
				let x = x * 0.75 + 1.25;
				(x, x * y + 0.5 - x)
			};
			let (_, y) = (0..TURNS).fold((start as f32, 1.0), step);
			if y.is_nan() {
				0x7fff_ffff
			} else {
				y.to_bits()
			}
		};
		threads(block).map(series).collect()
	})
}

fn fused() -> Workload {
	let before = "cvt.rn.f32.u32 %f1, %r2;";
	let turn = "fma.rn.f32 %f1, %f1, 0f3F400000, 0f3FA00000; fma.rn.f32 %f1, %f1, 0f3F000000, 0f3F400000;";
	in_loop("fused multiply-add", before, turn, "mov.b32 %r9, %f1;", |block| {
		let series = |start: u32| {
			(0..TURNS).fold(start as f32, |x, _| x.mul_add(0.75, 1.25).mul_add(0.5, 0.75)).to_bits()
		};
		threads(block).map(series).collect()
	})
}

fn barriers() -> Workload {
	let before = "mov.u32 %r5, cells; shl.b32 %r6, %r1, 2; add.u32 %r6, %r6, %r5;";
	let turn = "st.shared.u32 [%r6], %r9; bar.sync 0; mad.lo.u32 %r7, %r1, 5, %r3; and.b32 %r7, %r7, 127; shl.b32 %r7, %r7, 2;
		add.u32 %r7, %r7, %r5; ld.shared.u32 %r8, [%r7]; bar.sync 0; mad.lo.u32 %r9, %r9, 3, %r8;";
	in_loop("shared memory, barriers", before, turn, "", |block| {
		let mut cells: Vec<u32> = threads(block).collect();
		for turn in 0..TURNS {
			let read = |(thread, own): (usize, &u32)| {
				own.wrapping_mul(3).wrapping_add(cells[(thread * 5 + turn as usize) % THREADS as usize])
			};
			cells = cells.iter().enumerate().map(read).collect();
		}
		cells
	})
}

fn shuffles() -> Workload {
	let turn = "shfl.sync.bfly.b32 %r4, %r9, %r3, 31, -1; mad.lo.u32 %r9, %r9, 3, %r4;";
	in_loop("warp shuffles", "", turn, "", |block| {
		let mut values: Vec<u32> = threads(block).collect();
		for turn in 0..TURNS as usize {
			let read =
				|(thread, own): (usize, &u32)| own.wrapping_mul(3).wrapping_add(values[thread ^ (turn & 31)]);
			values = values.iter().enumerate().map(read).collect();
		}
		values
	})
}

/// What compilers make of an int8 product: loads, `dp4a`, address arithmetic, and a reduction in shared memory.
fn matrix_vector() -> Workload {
	let bytes = |seed: u32, words: u32| -> Vec<u8> {
		(0..words * 4).map(|i| (i.wrapping_mul(seed) >> 3) as u8).collect()
	};
	let (matrix, vector) = (bytes(0x9e37, BLOCKS * COLUMN_WORDS), bytes(0x79b9, COLUMN_WORDS));
	let inputs = vec![matrix.clone(), vector.clone()];
	let native = move || {
		let dot = |row: &[u8]| -> i32 {
			row.iter().zip(&vector).map(|(a, b)| i32::from(*a as i8) * i32::from(*b as i8)).sum()
		};
		matrix.chunks_exact(vector.len()).map(|row| dot(row) as u32).collect()
	};
	Workload {
		name: "int8 matrix and vector",
		module: Module::parse(include_str!("matrix_vector.ptx")).expect("the kernel is valid"),
		inputs,
		numbers: vec![COLUMN_WORDS],
		words: BLOCKS,
		native: Box::new(native),
	}
}

/// What was measured of a workload.
struct Measured {
	name: &'static str,
	instructions: u64,
	one: Duration,
	all: Duration,
	native: Duration,
}

/// The shortest of several runs, and what the last one gave.
fn best<R>(mut run: impl FnMut() -> R) -> (Duration, R) {
	let mut timed = || {
		let start = Instant::now();
		let result = run();
		(start.elapsed(), result)
	};
	let (mut shortest, mut result) = timed();
	for _ in 1..RUNS {
		let (time, again) = timed();
		(shortest, result) = (shortest.min(time), again);
	}
	(shortest, result)
}

fn measure(workload: &Workload, hosts: usize) -> Measured {
	let mut memory = Memory::new(1 << 28);
	let mut arguments = Vec::new();
	for input in &workload.inputs {
		let address = memory.alloc(input.len() as u64).expect("there is room");
		memory.write(address, input).expect("the buffer is as long");
		arguments.push(Argument::Pointer(address));
	}
	let bytes = u64::from(workload.words) * 4;
	let output = memory.alloc(bytes).expect("there is room");
	arguments.push(Argument::Pointer(output));
	arguments.extend(workload.numbers.iter().map(|number| Argument::U32(*number)));
	let config = LaunchConfig { grid: [BLOCKS, 1, 1], block: [THREADS, 1, 1], shared_bytes: 0 };
	let entry = &workload.module.entries()[0].name;
	let mut run = |count: usize| {
		memory.write(output, &vec![0; bytes as usize]).expect("the buffer is as long");
		let (mut budget, mut watch) = (Budget::new(u64::MAX), |_| ControlFlow::Continue(()));
		let stats = match count {
			1 => launch(&workload.module, entry, &config, &arguments, &mut memory, &mut budget),
			_ => {
				let threads = HostThreads { count, watch: &mut watch };
				launch_on(threads, &workload.module, entry, &config, &arguments, &mut memory, &mut budget)
			}
		};
		let found = memory.read(output, bytes).expect("the buffer is there");
		(stats.expect("the kernel runs").instructions, found)
	};
	let (one, by_one) = best(|| run(1));
	let (all, by_all) = best(|| run(hosts));
	let (native, expected) = best(|| black_box((workload.native)()));
	let expected: Vec<u8> = expected.iter().flat_map(|word| word.to_le_bytes()).collect();
	assert!(by_one.1 == expected, "{}: interpreted and native results differ", workload.name);
	assert!(by_all == by_one, "{}: several threads differ from one", workload.name);
	Measured { name: workload.name, instructions: by_one.0, one, all, native }
}

fn print(measured: &[Measured], hosts: usize) {
	let all = format!("on {hosts} threads");
	println!(
		"{:<26}{:>14}{:>14}{:>14}{:>8}{:>14}",
		"million a second", "instructions", "on 1 thread", all, "times", "native, times"
	);
	for Measured { name, instructions, one, all, native } in measured {
		let rate = |time: &Duration| *instructions as f64 / time.as_secs_f64() / 1e6;
		println!(
			"{name:<26}{instructions:>14}{:>14.0}{:>14.0}{:>8.2}{:>14.0}",
			rate(one),
			rate(all),
			one.as_secs_f64() / all.as_secs_f64(),
			one.as_secs_f64() / native.as_secs_f64(),
		);
	}
}

fn main() {
	let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
	let file = match arguments.as_slice() {
		[] => None,
		[option, file] if option == "--json" => Some(file),
		_ => {
			eprintln!("usage: cargo bench --workspace --bench interpreter [-- --json FILE]");
			std::process::exit(2);
		}
	};
	let hosts = available_parallelism().map_or(1, |count| count.get());
	let workloads = [integers(), floats(), fused(), matrix_vector(), barriers(), shuffles()];
	let measured: Vec<_> = workloads.iter().map(|workload| measure(workload, hosts)).collect();
	print(&measured, hosts);
	if let Some(file) = file {
		let row = |m: &Measured| {
			json!({
				"kernel": m.name, "instructions": m.instructions, "one_thread_ns": m.one.as_nanos() as u64,
				"threads": hosts, "all_threads_ns": m.all.as_nanos() as u64, "native_ns": m.native.as_nanos() as u64,
			})
		};
		let rows: Vec<_> = measured.iter().map(row).collect();
		std::fs::write(file, json!(rows).to_string()).expect("the file can be written");
	}
}
