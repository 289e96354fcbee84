//! What is tried with bytes that may be PTX, by the fuzzer and by the tests that read what it found.

use millrace_ptx::{
	launch, launch_on, Argument, Budget, HostThreads, LaunchConfig, LaunchError, LaunchStats, Memory, Module,
};
use std::ops::ControlFlow;

const BLOCKS: u32 = 6;
const BUFFER_BYTES: u64 = 4_096;
/// Enough that blocks run at the same time, which those do not that are soon over.
const STEPS: u64 = 400_000;

/// Parses a text; an error must have a text too.
pub(crate) fn parse(bytes: &[u8]) -> Option<Module> {
	let text = String::from_utf8_lossy(bytes);
	match Module::parse(&text) {
		Ok(module) => Some(module),
		Err(error) => {
			assert!(error.to_string().len() < 2_000, "the text is not repeated in its error");
			None
		}
	}
}

/// Parses a text, and runs its first entries on one thread and on two, which must make the same of them.
pub(crate) fn run(bytes: &[u8]) {
	let Some(module) = parse(bytes) else { return };
	// The length of the text chooses, so that a changed text is launched in another way too.
	let threads = [1, 33, 64, 7][bytes.len() % 4];
	for entry in module.entries().iter().take(2) {
		let alone = launched(&module, &entry.name, threads, None);
		if let Err(error) = &alone.0 {
			let _ = error.to_string();
		}
		assert!(alone.2 <= STEPS);
		assert_eq!(alone, launched(&module, &entry.name, threads, Some(2)));
	}
}

/// What a launch leaves: its result, the buffer, the steps that were not used.
type Left = (Result<LaunchStats, LaunchError>, Vec<u8>, u64);

fn launched(module: &Module, name: &str, threads: u32, hosts: Option<usize>) -> Left {
	let mut memory = Memory::new(1 << 17);
	let buffer = memory.alloc(BUFFER_BYTES).unwrap_or_default();
	let start: Vec<u8> = (0..BUFFER_BYTES).map(|index| ((index * 37) >> 3) as u8).collect();
	let _ = memory.write(buffer, &start);
	let params = module.entry(name).map(|entry| entry.params.as_slice()).unwrap_or_default();
	let arguments: Vec<Argument> = params
		.iter()
		.enumerate()
		.map(|(index, param)| match param.bytes {
			8 => Argument::Pointer(buffer + index as u64 * 512),
			_ => Argument::U32(index as u32 * 3 + 2),
		})
		.collect();
	let config = LaunchConfig { grid: [BLOCKS, 1, 1], block: [threads, 1, 1], shared_bytes: 128 };
	let mut budget = Budget::new(STEPS);
	let result = match hosts {
		None => launch(module, name, &config, &arguments, &mut memory, &mut budget),
		Some(count) => {
			let mut watch = |_| ControlFlow::Continue(());
			let hosts = HostThreads { count, watch: &mut watch };
			launch_on(hosts, module, name, &config, &arguments, &mut memory, &mut budget)
		}
	};
	(result, memory.read(buffer, BUFFER_BYTES).unwrap_or_default(), budget.remaining())
}
