//! The tensor cores' product of bytes, against the definition of a matrix product.

use crate::kernel::{run, words};
use millrace_ptx::{FaultKind, LaunchError};
use proptest::prelude::*;

const WARP: usize = 32;

/// Shapes as (rows, depth), with eight columns each.
const SHAPES: [(usize, usize); 3] = [(16, 32), (16, 16), (8, 16)];

/// Where element `index` of a lane's part of the first factor lies, in the words of the PTX manual: the row and column of
/// `a0`, `a1`, ... by `groupID` and `threadID_in_group`.
fn place_of_a((rows, depth): (usize, usize), lane: usize, index: usize) -> (usize, usize) {
	let (group, thread) = (lane >> 2, lane % 4);
	match (rows, depth) {
		(16, 32) => {
			let row = if index < 4 || (8..12).contains(&index) { group } else { group + 8 };
			(row, thread * 4 + (index & 3) + if index < 8 { 0 } else { 16 })
		}
		(16, _) => (if index < 4 { group } else { group + 8 }, thread * 4 + (index & 3)),
		_ => (group, thread * 4 + index),
	}
}

fn place_of_b(lane: usize, index: usize) -> (usize, usize) {
	let (group, thread) = (lane >> 2, lane % 4);
	(thread * 4 + (index & 3) + if index < 4 { 0 } else { 16 }, group)
}

fn place_of_c(lane: usize, index: usize) -> (usize, usize) {
	let (group, thread) = (lane >> 2, lane % 4);
	(if index < 2 { group } else { group + 8 }, thread * 2 + (index & 1))
}

fn registers(prefix: &str, count: usize) -> String {
	let names: Vec<String> = (0..count).map(|index| format!("{prefix}{index}")).collect();
	format!("{{{}}}", names.join(", "))
}

/// Lets a warp multiply matrices that are given by rows. Each lane has 64 bytes: its parts of `a`, `b` and `c` from bytes
/// 0, 16 and 24 on, and its result from byte 40 on.
fn multiply(
	shape: (usize, usize),
	signs: [bool; 2],
	saturate: bool,
	a: &[u8],
	b: &[u8],
	c: &[i32],
) -> Result<Vec<i32>, LaunchError> {
	let (rows, depth) = shape;
	let (a_bytes, b_bytes, sums) = (rows * depth / WARP, 8 * depth / WARP, rows / 4);
	let mut data = vec![0; WARP * 64];
	for (lane, mine) in data.chunks_exact_mut(64).enumerate() {
		for (index, byte) in mine[..a_bytes].iter_mut().enumerate() {
			let (row, column) = place_of_a(shape, lane, index);
			*byte = a[row * depth + column];
		}
		for (index, byte) in mine[16..16 + b_bytes].iter_mut().enumerate() {
			let (row, column) = place_of_b(lane, index);
			*byte = b[row * 8 + column];
		}
		for index in 0..sums {
			let (row, column) = place_of_c(lane, index);
			mine[24 + index * 4..][..4].copy_from_slice(&c[row * 8 + column].to_le_bytes());
		}
	}
	let [a_type, b_type] = signs.map(|signed| if signed { "s8" } else { "u8" });
	let mode = if saturate { ".satfinite" } else { "" };
	let load = |name: &str, count: usize, from: usize| -> String {
		(0..count)
			.map(|index| format!("ld.global.u32 {name}{index}, [%rd2+{}];\n", from + index * 4))
			.collect()
	};
	let store: String =
		(0..sums).map(|index| format!("st.global.u32 [%rd2+{}], d{index};\n", 40 + index * 4)).collect();
	let body = format!(
		".reg .b32 a<4>, b<2>, c<4>, d<4>; mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 64; add.u64 %rd2, %rd0, %rd1;
		{}{}{}
		mma.sync.aligned.m{rows}n8k{depth}.row.col{mode}.s32.{a_type}.{b_type}.s32 {}, {}, {}, {};
		{store}",
		load("a", a_bytes / 4, 0),
		load("b", b_bytes / 4, 16),
		load("c", sums, 24),
		registers("d", sums),
		registers("a", a_bytes / 4),
		registers("b", b_bytes / 4),
		registers("c", sums),
	);
	let found = run(&body, WARP as u32, &data)?;
	let mut result = vec![0; rows * 8];
	for (lane, mine) in found.chunks_exact(64).enumerate() {
		for (index, value) in words(&mine[40..40 + sums * 4]).into_iter().enumerate() {
			let (row, column) = place_of_c(lane, index);
			result[row * 8 + column] = value as i32;
		}
	}
	Ok(result)
}

fn byte(value: u8, signed: bool) -> i64 {
	if signed {
		(value as i8).into()
	} else {
		value.into()
	}
}

/// `a * b + c` by the definition.
fn expected(
	(rows, depth): (usize, usize),
	signs: [bool; 2],
	saturate: bool,
	a: &[u8],
	b: &[u8],
	c: &[i32],
) -> Vec<i32> {
	let element = |row: usize, column: usize| {
		let dot: i64 =
			(0..depth).map(|k| byte(a[row * depth + k], signs[0]) * byte(b[k * 8 + column], signs[1])).sum();
		let sum = dot + i64::from(c[row * 8 + column]);
		if saturate {
			sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32
		} else {
			sum as i32
		}
	};
	(0..rows * 8).map(|index| element(index / 8, index % 8)).collect()
}

fn addends() -> impl Strategy<Value = i32> {
	prop_oneof![
		any::<i32>(),
		(0..2_000_000).prop_map(|d| i32::MAX - d),
		(0..2_000_000).prop_map(|d| i32::MIN + d)
	]
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(400))]

	#[test]
	fn products_are_those_of_the_definition(
		shape in prop::sample::select(&SHAPES[..]),
		signs in any::<[bool; 2]>(),
		saturate in any::<bool>(),
		a in prop::collection::vec(any::<u8>(), 512),
		b in prop::collection::vec(any::<u8>(), 256),
		c in prop::collection::vec(addends(), 128),
	) {
		let found = multiply(shape, signs, saturate, &a, &b, &c).unwrap();
		prop_assert_eq!(found, expected(shape, signs, saturate, &a, &b, &c));
	}
}

#[test]
fn a_sum_out_of_range_is_clamped_or_wraps() {
	for (c, clamped, wrapped) in [
		(i32::MAX, i32::MAX, i32::MAX.wrapping_add(32 * 127 * 127)),
		(i32::MIN + 1, i32::MIN + 1 + 516_128, i32::MIN + 1 + 516_128),
	] {
		let factors = ([127; 512], [127; 256], [c; 128]);
		let product =
			|saturate| multiply((16, 32), [true; 2], saturate, &factors.0, &factors.1, &factors.2).unwrap();
		assert_eq!((product(true), product(false)), (vec![clamped; 128], vec![wrapped; 128]));
	}
	let low = multiply((16, 32), [true; 2], true, &[0x80; 512], &[127; 256], &[i32::MIN; 128]).unwrap();
	assert_eq!(low, vec![i32::MIN; 128]);
}

#[test]
fn a_matrix_product_takes_the_whole_warp_at_one_place() {
	let product = "mma.sync.aligned.m8n8k16.row.col.s32.s8.u8.s32 {%r1, %r2}, %r3, {%r4}, {%r5, %r6};";
	let kind = |body: String, threads| match run(&body, threads, &[0; 4]) {
		Err(LaunchError::Fault(fault)) => fault.kind,
		other => panic!("a fault was expected, not {other:?}"),
	};
	assert!(run(product, 64, &[0; 4]).is_ok());
	assert_eq!(kind(product.into(), 31), FaultKind::WarpMask);
	let returned = format!("mov.u32 %r7, %laneid; setp.eq.u32 %p1, %r7, 9; @%p1 ret; {product}");
	assert_eq!(kind(returned, 32), FaultKind::WarpMask);
	let split =
		format!("mov.u32 %r7, %laneid; setp.eq.u32 %p1, %r7, 9; @%p1 bra B; {product} ret; B: {product}");
	assert_eq!(kind(split, 32), FaultKind::WarpDivergence);
}
