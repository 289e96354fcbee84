//! Runs a kernel body with one buffer.

use millrace_ptx::{launch, Argument, Budget, LaunchConfig, LaunchError, Memory, Module};

/// A module around `body`. `%rd0` is the address of the buffer; `%r`, `%rs`, `%rd`, `%p` are declared.
pub(crate) fn module(variables: &str, body: &str) -> Module {
	let text = format!(
		".version 7.0\n.target sm_80\n.address_size 64\n{variables}\n.visible .entry k(.param .u64 buffer) {{\n.reg .b32 \
		%r<20>; .reg .b16 %rs<20>; .reg .b64 %rd<20>; .reg .pred %p<10>;\nld.param.u64 %rd0, [buffer];\n{body}\n}}"
	);
	Module::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// Line of the first line of the body, for modules without lines in their variables.
pub(crate) const FIRST_LINE: u32 = 8;

/// Runs the module's kernel in one block on a buffer that starts as `data`. Returns the buffer and the number of
/// instructions.
pub(crate) fn run_module(module: &Module, threads: u32, data: &[u8]) -> Result<(Vec<u8>, u64), LaunchError> {
	let mut memory = Memory::new(1 << 20);
	let buffer = memory.alloc(data.len() as u64).unwrap();
	memory.write(buffer, data).unwrap();
	let config = LaunchConfig { grid: [1, 1, 1], block: [threads, 1, 1], shared_bytes: 256 };
	let mut budget = Budget::new(100_000);
	let stats = launch(module, "k", &config, &[Argument::Pointer(buffer)], &mut memory, &mut budget)?;
	Ok((memory.read(buffer, data.len() as u64).unwrap(), stats.instructions))
}

/// As [`run_module`], for a body and nothing else.
pub(crate) fn run(body: &str, threads: u32, data: &[u8]) -> Result<Vec<u8>, LaunchError> {
	run_module(&module("", body), threads, data).map(|(bytes, _)| bytes)
}

/// The buffer as 32-bit numbers.
pub(crate) fn words(bytes: &[u8]) -> Vec<u32> {
	bytes.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect()
}
