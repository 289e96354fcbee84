//! Loads, stores and atomics in every space, and the faults of those that go wrong.

use crate::kernel::{module, run, run_module, words, FIRST_LINE};
use millrace_ptx::{
	launch, AccessKind, Argument, Budget, Fault, FaultKind, LaunchConfig, LaunchError, Memory, MemoryError,
	Space,
};

fn fault(result: Result<Vec<u8>, LaunchError>) -> Fault {
	match result {
		Err(LaunchError::Fault(fault)) => fault,
		other => panic!("a fault was expected, not {other:?}"),
	}
}

#[test]
fn narrow_loads_extend_by_their_type_and_stores_cut() {
	let body = "
		ld.global.s8 %r1, [%rd0]; ld.global.u8 %r2, [%rd0]; ld.global.s16 %r3, [%rd0]; ld.global.b16 %rs1, [%rd0];
		ld.global.s32 %rd1, [%rd0]; ld.global.s8 %rs2, [%rd0];
		st.global.u32 [%rd0+8], %r1; st.global.u32 [%rd0+12], %r2; st.global.b32 [%rd0+16], %r3;
		st.global.u16 [%rd0+20], %rs1; st.global.u8 [%rd0+22], %r2; st.global.b16 [%rd0+24], %rs2;
		st.global.u64 [%rd0+32], %rd1; st.global.u8 [%rd0+26], -2;";
	let mut data = [0x55; 40];
	data[..4].copy_from_slice(&[0xfe, 0x81, 0x00, 0x80]);
	let mut expected = data;
	expected[8..12].copy_from_slice(&(-2i32).to_le_bytes());
	expected[12..16].copy_from_slice(&0xfeu32.to_le_bytes());
	expected[16..20].copy_from_slice(&(0x81fe_u16 as i16 as i32).to_le_bytes());
	expected[20..22].copy_from_slice(&0x81feu16.to_le_bytes());
	expected[22] = 0xfe;
	expected[24..26].copy_from_slice(&(-2i16).to_le_bytes());
	expected[26] = 0xfe;
	expected[32..40].copy_from_slice(&(0x8000_81fe_u32 as i32 as i64).to_le_bytes());
	assert_eq!(run(body, 1, &data).unwrap(), expected);
}

#[test]
fn vectors_are_moved_and_packed_as_a_whole() {
	let body = "
		ld.global.v4.u32 {%r1, %r2, _, %r4}, [%rd0]; st.global.v2.u32 [%rd0+16], {%r4, 77};
		ld.global.v4.s8 {%r5, %r6, %r7, %r8}, [%rd0]; st.global.v4.b8 [%rd0+24], {%r8, %r7, %r6, %r5};
		mov.b64 %rd1, {%r2, %r1}; mov.b64 {%r9, %r10}, %rd1; st.global.v2.b32 [%rd0+32], {%r10, %r9};
		mov.b32 {%rs1, %rs2}, %r1; mov.b32 %r11, {%rs2, %rs1}; st.global.b32 [%rd0+40], %r11;
		mov.b64 {%rs3, %rs4, %rs5, %rs6}, %rd1; st.global.b16 [%rd0+44], %rs5;";
	let mut data = [0; 48];
	for (index, byte) in data[..16].iter_mut().enumerate() {
		*byte = index as u8 + 1;
	}
	let found = run(body, 1, &data).unwrap();
	assert_eq!(found[16..20], [13, 14, 15, 16]);
	assert_eq!(found[20..24], 77u32.to_le_bytes());
	assert_eq!(found[24..28], [4, 3, 2, 1]);
	assert_eq!(found[32..40], [1, 2, 3, 4, 5, 6, 7, 8], "the two halves came back in the other order");
	assert_eq!(found[40..44], [3, 4, 1, 2]);
	assert_eq!(found[44..46], [1, 2], "the third part of the low-first vector");
}

#[test]
fn every_space_has_its_own_bytes_and_generic_addresses_reach_them() {
	let variables =
		".const .align 4 .u32 table[3] = {10, 20, -30}; .global .align 8 .b8 kept[16] = {1, 2, 3};\n\
		.shared .align 4 .b32 one; .shared .align 4 .b8 two[8];";
	let body = "
		.local .align 8 .b8 depot[16];
		mov.u64 %rd1, table; ld.const.u32 %r1, [%rd1+4]; ld.const.s32 %r2, [table+8];
		cvta.const.u64 %rd2, %rd1; ld.u32 %r3, [%rd2];
		st.shared.u32 [one], 5; st.shared.u32 [two+4], 6; mov.u64 %rd3, two; cvta.shared.u64 %rd4, %rd3;
		ld.u32 %r4, [%rd4+4]; cvta.to.shared.u64 %rd5, %rd4; ld.shared.u32 %r5, [%rd5+4]; ld.shared.u32 %r6, [one];
		mov.u64 %rd6, depot; st.local.u32 [%rd6+12], 7; cvta.local.u64 %rd7, %rd6; ld.u32 %r7, [%rd7+12];
		ld.global.u8 %r8, [kept+2]; ld.u8 %r9, [kept+1]; mov.u64 %rd8, kept; cvta.global.u64 %rd8, %rd8;
		ld.u8 %r10, [%rd8]; ld.param.u32 %r11, [buffer+4];
		st.global.v4.u32 [%rd0], {%r1, %r2, %r3, %r4}; st.v4.u32 [%rd0+16], {%r5, %r6, %r7, %r8};
		st.global.v2.u32 [%rd0+32], {%r9, %r10}; shr.u64 %rd9, %rd0, 32; cvt.u32.u64 %r12, %rd9;
		sub.u32 %r11, %r11, %r12; st.global.u32 [%rd0+40], %r11;";
	let (bytes, _) = run_module(&module(variables, body), 1, &[0xff; 44]).unwrap();
	assert_eq!(words(&bytes), [20, -30i32 as u32, 10, 6, 6, 5, 7, 3, 2, 1, 0]);
}

#[test]
fn dynamic_shared_memory_follows_the_static_one() {
	let variables = ".extern .shared .align 4 .b8 dynamic[]; .shared .align 4 .b8 fixed[20];";
	let body = "mov.u32 %r1, fixed; mov.u32 %r2, dynamic; sub.u32 %r3, %r2, %r1; st.global.u32 [%rd0], %r3;
		st.shared.u32 [dynamic+252], 9; ld.shared.u32 %r4, [%r2+252]; st.global.u32 [%rd0+4], %r4;";
	let (bytes, _) = run_module(&module(variables, body), 1, &[0; 8]).unwrap();
	assert_eq!(words(&bytes), [32, 9], "20 bytes are followed by a multiple of 16");
	let beyond = module(variables, "st.shared.u32 [dynamic+256], 9;");
	assert!(matches!(run_module(&beyond, 1, &[0; 8]), Err(LaunchError::Fault(_))));
}

#[test]
fn global_variables_keep_their_values_from_launch_to_launch() {
	let module =
		module(".global .u32 count = 40;", "atom.global.add.u32 %r1, [count], 1; st.global.u32 [%rd0], %r1;");
	let mut memory = Memory::new(1 << 12);
	let buffer = memory.alloc(4).unwrap();
	let config = LaunchConfig { grid: [1, 1, 1], block: [1, 1, 1], shared_bytes: 0 };
	for expected in 40..43u32 {
		let arguments = [Argument::Pointer(buffer)];
		launch(&module, "k", &config, &arguments, &mut memory, &mut Budget::new(100)).unwrap();
		assert_eq!(memory.read(buffer, 4).unwrap(), expected.to_le_bytes());
	}
	assert_eq!(memory.used_bytes(), 8);
}

#[test]
fn atomics_of_many_threads_add_up() {
	let body = "
		mov.u32 %r1, %tid.x; sub.s32 %r2, 10, %r1; cvt.s64.s32 %rd1, %r2;
		red.global.add.u32 [%rd0], %r1; atom.global.min.s32 %r3, [%rd0+4], %r2; atom.max.s32 %r3, [%rd0+8], %r2;
		red.relaxed.gpu.global.min.u32 [%rd0+12], %r2; atom.global.xor.b32 %r3, [%rd0+16], %r1;
		atom.global.add.u64 %rd2, [%rd0+24], %rd1; atom.global.min.s64 %rd2, [%rd0+32], %rd1;
		atom.shared.add.u32 %r4, [total], 1; atom.global.or.b32 %r3, [%rd0+20], %r1;
		setp.eq.s32 %p1, %r1, 63; @%p1 st.global.u32 [%rd0+40], %r4;
		atom.global.cas.b32 %r5, [%rd0+44], %r1, 99; atom.global.exch.b32 %r6, [%rd0+48], %r1;
		st.global.u32 [%rd0+52], %r6; red.and.b32 [%rd0+56], %r1;";
	let mut data = vec![0; 60];
	data[44..48].copy_from_slice(&5u32.to_le_bytes());
	data[12..16].fill(0xff);
	data[56..60].fill(0xff);
	let found = run_module(&module(".shared .u32 total;", body), 64, &data).unwrap().0;
	let numbers = words(&found);
	let differences = (0..64).map(|i| 10 - i);
	assert_eq!(numbers[0], (0..64).sum::<u32>());
	assert_eq!(numbers[1] as i32, differences.clone().min().unwrap());
	assert_eq!(numbers[2] as i32, differences.clone().max().unwrap());
	assert_eq!(numbers[3], 0, "as unsigned numbers, negative ones are large");
	assert_eq!(numbers[4], (0..64).fold(0, |all, i| all ^ i));
	assert_eq!(numbers[5], 63);
	let sum = i64::from_le_bytes(found[24..32].try_into().unwrap());
	assert_eq!(sum, differences.clone().map(i64::from).sum());
	assert_eq!(i64::from_le_bytes(found[32..40].try_into().unwrap()), -53);
	assert_eq!(numbers[10], 63, "the last thread saw what 63 others had counted");
	assert_eq!(numbers[11], 99, "thread 5 found 5");
	assert_eq!((numbers[12], numbers[13]), (63, 62));
	assert_eq!(numbers[14], 0);
}

#[test]
fn an_access_beyond_a_buffer_is_a_fault_with_its_place() {
	let found = fault(run("mov.u32 %r1, %tid.x;\nmul.wide.u32 %rd1, %r1, 4; add.s64 %rd1, %rd0, %rd1;\nst.global.u32 [%rd1], 1;", 8, &[0; 20]));
	assert_eq!((found.line, found.thread, found.block), (FIRST_LINE + 2, [5, 0, 0], [0, 0, 0]));
	let FaultKind::OutOfBounds { access: AccessKind::Store, space: Space::Global, address, bytes: 4 } =
		found.kind
	else {
		panic!("{found}")
	};
	assert_eq!(address & 0xffff, 20);
	assert_eq!(found.entry, "k");
	let text = found.to_string();
	assert!(text.contains("store of 4 bytes out of bounds at global address 0x8000000014"), "{text}");
}

#[test]
fn accesses_that_touch_no_live_bytes_are_faults() {
	for body in [
		"ld.global.u8 %r1, [%rd0+16];",
		"ld.global.u8 %r1, [%rd0+-1];",
		"ld.global.u64 %rd1, [%rd0+16];",
		"mov.u64 %rd1, 0; ld.global.u32 %r1, [%rd1];",
		"mov.u64 %rd1, -8; ld.u32 %r1, [%rd1];",
		"ld.global.v4.u32 {%r1, %r2, %r3, %r4}, [%rd0+16];",
		"mov.u64 %rd1, 0x1000000000; ld.global.u32 %r1, [%rd1];",
		"mov.u64 %rd1, 0; ld.shared.u32 %r1, [%rd1+256];",
		"mov.u64 %rd1, 0; ld.local.u32 %r1, [%rd1];",
		"mov.u64 %rd1, 0; ld.const.u32 %r1, [%rd1];",
		"ld.param.u64 %rd1, [buffer+8];",
		"mov.u64 %rd1, buffer; cvta.param.u64 %rd1, %rd1; st.u32 [%rd1], 1;",
		"atom.global.add.u32 %r1, [%rd0+16], 1;",
	] {
		let found = fault(run(body, 1, &[0; 16]));
		assert!(matches!(found.kind, FaultKind::OutOfBounds { .. }), "{body}: {found}");
	}
}

#[test]
fn misaligned_accesses_are_faults() {
	for (body, bytes) in [
		("ld.global.u16 %r1, [%rd0+1];", 2),
		("st.global.u32 [%rd0+2], 1;", 4),
		("ld.global.u64 %rd1, [%rd0+4];", 8),
		("ld.global.v2.u32 {%r1, %r2}, [%rd0+4];", 8),
		("red.global.add.u32 [%rd0+1], 1;", 4),
	] {
		let found = fault(run(body, 1, &[0; 32]));
		let FaultKind::Misaligned { bytes: found, .. } = found.kind else { panic!("{body}: {found}") };
		assert_eq!(found, bytes, "{body}");
	}
}

#[test]
fn the_host_has_its_own_bounds() {
	let mut memory = Memory::new(100);
	assert_eq!(memory.alloc(0), Err(MemoryError::Empty));
	let first = memory.alloc(60).unwrap();
	assert_eq!(memory.alloc(41), Err(MemoryError::OutOfMemory { requested: 41, available: 40 }));
	let second = memory.alloc(40).unwrap();
	assert_eq!(memory.read(first, 60).unwrap(), [0; 60]);
	assert_eq!(
		memory.write(first + 58, &[1, 2, 3]),
		Err(MemoryError::OutOfBounds { address: first + 58, bytes: 3 })
	);
	assert_eq!(memory.write(first + 58, &[1, 2]), Ok(()));
	assert_eq!(memory.read(first + 56, 4).unwrap(), [0, 0, 1, 2]);
	assert_eq!(
		memory.read(first, u64::MAX),
		Err(MemoryError::OutOfBounds { address: first, bytes: u64::MAX })
	);
	assert_eq!(memory.free(first + 1), Err(MemoryError::NotABuffer { address: first + 1 }));
	memory.free(first).unwrap();
	assert_eq!(memory.free(first), Err(MemoryError::NotABuffer { address: first }));
	assert!(memory.read(first, 1).is_err());
	assert!(memory.read(first, 0).is_err());
	let third = memory.alloc(60).unwrap();
	assert!(third != first && third != second && third.is_multiple_of(256), "addresses are not used again");
	assert_eq!(memory.used_bytes(), 100);
}
