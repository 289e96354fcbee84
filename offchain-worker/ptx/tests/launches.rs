//! What is checked before a launch runs.

#![cfg(test)]

use millrace_ptx::{
	launch, run_block, Argument, Budget, LaunchConfig, LaunchError, Memory, MemoryError, Module,
};

const TEXT: &str = "
	.version 7.0 .target sm_80 .address_size 64
	.global .b8 kept[1000];
	.entry first(.param .u32 a, .param .u64 b, .param .f32 c, .param .u64 out) {
		.reg .b32 %r<4>; .reg .b64 %rd<4>;
		ld.param.u32 %r1, [a]; ld.param.u64 %rd1, [b]; ld.param.b32 %r2, [c]; ld.param.u64 %rd2, [out];
		st.global.u32 [%rd2], %r1; st.global.u32 [%rd2+4], %r2; st.global.u64 [%rd2+8], %rd1;
		ld.global.u8 %r3, [kept];
	}
	.entry second() .maxntid 64 { ret; }
	.entry third() .reqntid 8, 4 { ret; }
	.entry fourth() { .reg .b64 %rd<2>; .shared .b8 fixed[40000]; mov.u64 %rd1, fixed; }";

const ONE: LaunchConfig = LaunchConfig { grid: [1, 1, 1], block: [1, 1, 1], shared_bytes: 0 };

fn try_launch(entry: &str, config: LaunchConfig, arguments: &[Argument]) -> Result<u64, LaunchError> {
	let module = Module::parse(TEXT).unwrap();
	let mut memory = Memory::new(4096);
	launch(&module, entry, &config, arguments, &mut memory, &mut Budget::new(10_000))
		.map(|stats| stats.instructions)
}

#[test]
fn an_unknown_entry_is_answered_with_those_that_exist() {
	let error = try_launch("fifth", ONE, &[]).unwrap_err();
	assert_eq!(error.to_string(), "no entry `fifth`; the module has: first, second, third, fourth");
}

#[test]
fn arguments_must_match_the_parameters_in_number_and_size() {
	assert_eq!(
		try_launch("second", ONE, &[Argument::U32(1)]),
		Err(LaunchError::ArgumentCount { expected: 0, found: 1 })
	);
	let arguments = [Argument::I32(1), Argument::U32(2), Argument::F32(0.0), Argument::Pointer(0)];
	let expected = LaunchError::ArgumentSize { index: 1, expected: 8, found: 4 };
	assert_eq!(try_launch("first", ONE, &arguments), Err(expected));
}

#[test]
fn arguments_arrive_with_their_bits() {
	let module = Module::parse(TEXT).unwrap();
	let mut memory = Memory::new(4096);
	let out = memory.alloc(16).unwrap();
	let arguments =
		[Argument::I32(-2), Argument::I64(i64::MIN + 5), Argument::F32(-0.5), Argument::Pointer(out)];
	launch(&module, "first", &ONE, &arguments, &mut memory, &mut Budget::new(100)).unwrap();
	let expected =
		[&(-2i32).to_le_bytes()[..], &(-0.5f32).to_le_bytes(), &(i64::MIN + 5).to_le_bytes()].concat();
	assert_eq!(memory.read(out, 16).unwrap(), expected);
}

#[test]
fn grids_and_blocks_have_limits() {
	let shape = |entry: &str, grid: [u32; 3], block: [u32; 3]| {
		try_launch(entry, LaunchConfig { grid, block, shared_bytes: 0 }, &[])
	};
	assert!(matches!(shape("second", [0, 1, 1], [1, 1, 1]), Err(LaunchError::Grid { .. })));
	assert!(matches!(shape("second", [1 << 31, 1, 1], [1, 1, 1]), Err(LaunchError::Grid { .. })));
	assert!(matches!(shape("second", [u32::MAX; 3], [1, 1, 1]), Err(LaunchError::Grid { .. })));
	assert!(matches!(shape("second", [1, 1, 1], [1, 0, 1]), Err(LaunchError::Block { .. })));
	assert!(matches!(shape("fourth", [1, 1, 1], [32, 32, 2]), Err(LaunchError::Block { limit: 1024, .. })));
	assert!(matches!(shape("second", [1, 1, 1], [65, 1, 1]), Err(LaunchError::Block { limit: 64, .. })));
	let required = shape("third", [1, 1, 1], [4, 8, 1]);
	assert!(matches!(required, Err(LaunchError::Block { required: Some([8, 4, 1]), .. })));
	assert_eq!(shape("second", [5, 1, 1], [64, 1, 1]), Ok(5 * 64));
	assert_eq!(shape("third", [1, 2, 1], [8, 4, 1]), Ok(64));
}

#[test]
fn shared_memory_is_limited_with_both_its_parts() {
	let with = |shared_bytes: u32| try_launch("fourth", LaunchConfig { shared_bytes, ..ONE }, &[]);
	assert_eq!(with(9_152), Ok(2));
	assert_eq!(with(9_153), Err(LaunchError::SharedMemory { requested: 49_153, limit: 49_152 }));
	assert!(with(u32::MAX).is_err());
}

#[test]
fn variables_of_a_module_need_room_too() {
	let module = Module::parse(TEXT).unwrap();
	let mut memory = Memory::new(999);
	let error = launch(&module, "second", &ONE, &[], &mut memory, &mut Budget::new(10)).unwrap_err();
	assert_eq!(error, LaunchError::Memory(MemoryError::OutOfMemory { requested: 1000, available: 999 }));
	assert_eq!(memory.used_bytes(), 0);
}

#[test]
fn a_single_block_must_be_in_the_grid() {
	let module = Module::parse(TEXT).unwrap();
	let mut memory = Memory::new(4096);
	let config = LaunchConfig { grid: [2, 3, 1], ..ONE };
	let mut run =
		|block| run_block(&module, "second", &config, block, &[], &mut memory, &mut Budget::new(10));
	assert_eq!(run([1, 2, 0]).map(|stats| stats.instructions), Ok(1));
	assert_eq!(run([2, 0, 0]), Err(LaunchError::BlockIndex { block: [2, 0, 0], grid: [2, 3, 1] }));
}
