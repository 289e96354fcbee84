//! Kernels compiled by clang, optimised and not, against the same computations in Rust. `fixtures/kernels.c` says how
//! the PTX was made; `fixtures/functions.c` has functions that are not inlined.

#![cfg(test)]

use millrace_ptx::{launch, run_block, Argument, Budget, LaunchConfig, Memory, Module};
use std::num::Wrapping;

const OPTIMISED: &str = include_str!("fixtures/kernels_o2.ptx");
const DEBUG: &str = include_str!("fixtures/kernels_o0_debug.ptx");
const FUNCTIONS: [&str; 2] =
	[include_str!("fixtures/functions_o2.ptx"), include_str!("fixtures/functions_o0_debug.ptx")];

/// Reproducible bytes without a pattern that a shift would hide.
fn noise(length: usize, seed: u64) -> Vec<u8> {
	let mut state = seed;
	let mut next = || {
		state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
		(state >> 56) as u8
	};
	(0..length).map(|_| next()).collect()
}

struct Device {
	memory: Memory,
	arguments: Vec<Argument>,
}

impl Device {
	fn new() -> Self {
		Self { memory: Memory::new(1 << 22), arguments: Vec::new() }
	}

	/// Allocates a buffer that holds `bytes`, and passes it as the next argument.
	fn buffer(&mut self, bytes: &[u8]) -> u64 {
		let address = self.memory.alloc(bytes.len() as u64).unwrap();
		self.memory.write(address, bytes).unwrap();
		self.arguments.push(Argument::Pointer(address));
		address
	}

	fn launch(&mut self, text: &str, entry: &str, grid: u32, block: u32) {
		let module = Module::parse(text).unwrap();
		let config = LaunchConfig { grid: [grid, 1, 1], block: [block, 1, 1], shared_bytes: 0 };
		let mut budget = Budget::new(1 << 28);
		launch(&module, entry, &config, &self.arguments, &mut self.memory, &mut budget).unwrap();
	}
}

const ROWS: usize = 9;
const WORDS: usize = 5;
const COLUMNS: usize = 7;
const SHIFT: u32 = 6;

/// The arguments of `dense_relu`, the address of its output, and what must come out.
fn dense_relu() -> (Device, u64, Vec<u8>) {
	let inputs = noise(ROWS * WORDS * 4, 1);
	let weights = noise(COLUMNS * WORDS * 4, 2);
	let bias: Vec<i32> = noise(COLUMNS, 3).iter().map(|byte| i32::from(*byte as i8) * 20).collect();
	let mut expected = Vec::new();
	for row in inputs.chunks_exact(WORDS * 4) {
		for (column, bias) in weights.chunks_exact(WORDS * 4).zip(&bias) {
			let dot: i32 =
				row.iter().zip(column).map(|(a, b)| i32::from(*a as i8) * i32::from(*b as i8)).sum();
			expected.push(((dot + bias).max(0) >> SHIFT).min(127) as u8);
		}
	}
	assert!(expected.contains(&0) && expected.contains(&127), "the data reaches both ends");
	let mut device = Device::new();
	device.buffer(&inputs);
	device.buffer(&weights);
	device.buffer(&bias.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>());
	let output = device.buffer(&[0; ROWS * COLUMNS]);
	let sizes = [ROWS as u32, WORDS as u32, COLUMNS as u32, SHIFT];
	device.arguments.extend(sizes.map(Argument::U32));
	(device, output, expected)
}

#[test]
fn a_dense_layer_is_that_of_the_definition() {
	for text in [OPTIMISED, DEBUG] {
		let (mut device, output, expected) = dense_relu();
		device.launch(text, "dense_relu", 3, 32);
		assert_eq!(device.memory.read(output, expected.len() as u64).unwrap(), expected);
	}
}

#[test]
fn one_block_writes_what_the_whole_launch_writes_there() {
	let module = Module::parse(OPTIMISED).unwrap();
	let config = LaunchConfig { grid: [8, 1, 1], block: [8, 1, 1], shared_bytes: 0 };
	for block in 0..8 {
		let (mut device, output, expected) = dense_relu();
		let Device { memory, arguments } = &mut device;
		let mut budget = Budget::new(1 << 20);
		run_block(&module, "dense_relu", &config, [block, 0, 0], arguments, memory, &mut budget).unwrap();
		let found = memory.read(output, expected.len() as u64).unwrap();
		for (index, (found, expected)) in found.into_iter().zip(expected).enumerate() {
			let ours = index / 8 == block as usize;
			assert_eq!(found, if ours { expected } else { 0 }, "output {index} after block {block}");
		}
	}
}

#[test]
fn a_histogram_counts_every_value_once() {
	let values: Vec<u8> = noise(1_000, 4).iter().map(|byte| byte % 50).collect();
	let mut expected = [0u32; 256];
	values.iter().for_each(|value| expected[usize::from(*value)] += 1);
	for text in [OPTIMISED, DEBUG] {
		let mut device = Device::new();
		device.buffer(&values);
		let counts = device.buffer(&[0; 1024]);
		device.arguments.push(Argument::U32(values.len() as u32));
		device.launch(text, "histogram", 11, 96);
		let found = device.memory.read(counts, 1024).unwrap();
		assert_eq!(found, expected.iter().flat_map(|count| count.to_le_bytes()).collect::<Vec<u8>>());
	}
}

const N: i32 = 57;
const BYTE: u8 = 0xb7;
const SCALE: f32 = 2.6;
const OFFSET: f64 = -1234.5;

/// `mixture` of the fixture, for one thread.
fn mixture(i: u32, vectors: &[u8]) -> i32 {
	let mut digits: Vec<Wrapping<i32>> = (0..32).map(|k| Wrapping(k * k - N)).collect();
	for k in 0..N as u32 {
		digits[(k * 7 + i) as usize & 31] += Wrapping(10i32.pow((k + i) & 7));
	}
	let Wrapping(mut result) = digits[(N as u32 + i) as usize & 31];
	match i % 6 {
		0 => result += N / (i as i32 + 1),
		1 => result -= N % (i as i32 + 1),
		2 => result ^= (u64::from(result as u32).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as i32,
		3 => result = (result.count_ones() + i.leading_zeros() * 100) as i32,
		4 => {
			result = result.rotate_left(5).wrapping_add(i32::from(BYTE) >> (i & 7));
			result = result.wrapping_add(i32::from((N * 77) as i16) / 3);
		}
		_ => result += (SCALE * i as f32 + 0.5) as i32 + (OFFSET / 3.0) as i32,
	}
	let v = &vectors[(i & 3) as usize * 4..][..4];
	let [x, y, z, w] =
		[(0, 1), (1, 2), (2, 3), (3, -4)].map(|(at, add)| i32::from((v[at] as i8).wrapping_add(add)));
	result.wrapping_add(x * y - z * w)
}

#[test]
fn a_mixture_of_everything_is_that_of_rust() {
	let vectors = noise(16, 5);
	let expected: Vec<u8> = (0..96).flat_map(|i| mixture(i, &vectors).to_le_bytes()).collect();
	for text in [OPTIMISED, DEBUG] {
		let mut device = Device::new();
		let out = device.buffer(&[0; 96 * 4]);
		device.buffer(&vectors);
		let module = Module::parse(text).unwrap();
		assert_eq!(
			module.entry("mixture").unwrap().params.iter().map(|param| param.bytes).collect::<Vec<_>>(),
			[8, 8, 4, 1, 4, 8]
		);
		device.arguments.extend([Argument::I32(N)]);
		// There are no arguments of one byte, so the test makes the parameter wider; its low byte is what is loaded.
		let text = text.replace(".param .u8 mixture_param_3", ".param .u32 mixture_param_3");
		device.arguments.extend([
			Argument::U32(BYTE.into()),
			Argument::F32(SCALE),
			Argument::U64(OFFSET.to_bits()),
		]);
		device.launch(&text, "mixture", 3, 32);
		assert_eq!(device.memory.read(out, 96 * 4).unwrap(), expected);
	}
}

/// `apply` of the fixture.
fn apply(operation: u8, a: i32, b: i32) -> i32 {
	match operation {
		0 => a.wrapping_add(b),
		1 => a.wrapping_sub(b),
		2 => a.clamp(-(b & 0xff), b & 0xff),
		3 => a ^ b << 3,
		4 => (a as u32 >> (b & 31)) as i32,
		5 => b.clamp(-1_000, 1_000) - a.clamp(-77, 77),
		7 => a.wrapping_mul(b),
		_ => -1,
	}
}

/// What a thread of `operations` stores, but for the sum of its block, and its part of that.
fn operations(i: usize, codes: &[u8], data: &[i32]) -> ([i32; 6], u32) {
	let mut value = data[i];
	let (mut sum, mut least, mut most, mut last) = (0i64, i32::MAX, -i32::MAX, [1u8, 2, 3, 4, 5]);
	for (k, code) in codes.iter().enumerate() {
		value = apply(*code, value, data[(i + k) & 63]);
		sum += i64::from(value) * (k as i64 - 3);
		(least, most) = (least.min(value), most.max(value));
		last[(k + 1) % 5] = value as u8;
	}
	let last = [last[0], last[2], last[4], codes.len() as u8];
	let scaled = (0.5f64 * f64::from(value as i8) - 3.25) as i32;
	([sum as i32 ^ (sum >> 32) as i32, least, most, i32::from_le_bytes(last), 0, scaled], value as u32)
}

#[test]
fn functions_that_are_not_inlined_compute_what_rust_does() {
	const BLOCK: usize = 64;
	let codes: Vec<u8> = noise(40, 6).iter().map(|byte| byte % 9).collect();
	assert!((0..9).all(|code| codes.contains(&code)), "every case of the switch: {codes:?}");
	let data = noise(2 * BLOCK * 4, 7);
	let words: Vec<i32> =
		data.chunks_exact(4).map(|word| i32::from_le_bytes(word.try_into().unwrap())).collect();
	let mut expected = Vec::new();
	for block in 0..2 {
		let threads: Vec<_> =
			(block * BLOCK..(block + 1) * BLOCK).map(|i| operations(i, &codes, &words)).collect();
		let sum = threads.iter().fold(0u32, |sum, (_, value)| sum.wrapping_add(*value));
		for (mut stored, _) in threads {
			stored[4] = sum as i32;
			expected.extend(stored.iter().flat_map(|word| word.to_le_bytes()));
		}
	}
	for text in FUNCTIONS {
		let mut device = Device::new();
		device.buffer(&codes);
		device.buffer(&data);
		let out = device.buffer(&vec![0; expected.len()]);
		device.arguments.push(Argument::U32(codes.len() as u32));
		device.launch(text, "operations", 2, BLOCK as u32);
		assert_eq!(device.memory.read(out, expected.len() as u64).unwrap(), expected);
	}
}

#[test]
fn kernels_share_functions() {
	for text in FUNCTIONS {
		for (operation, expected) in [(2, 44), (5, 300 - 77), (7, 300 * 1234), (6, -1)] {
			let mut device = Device::new();
			let out = device.buffer(&[0; 4]);
			device.arguments.extend([Argument::U32(operation), Argument::I32(1234), Argument::I32(300)]);
			device.launch(text, "once", 1, 1);
			assert_eq!(device.memory.read(out, 4).unwrap(), i32::to_le_bytes(expected));
		}
	}
}
