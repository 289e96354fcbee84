//! The product of two matrices of bytes that are spread over the registers of a warp.
//!
//! The lanes are eight groups of four. With `g` the group and `t` the lane in it, PTX gives each lane, from its first
//! register on ("Matrix fragments for mma.m16n8k32", m16n8k16 and m8n8k16):
//!
//! * of the first factor, bytes `4t` to `4t + 3` of row `g`; then, if there are 16 rows, those of row `g + 8`; then, if
//!   there are 32 columns, the same of the 16 columns that follow;
//! * of the second factor, the same bytes of column `g`;
//! * of the sums, columns `2t` and `2t + 1` of row `g`, then those of row `g + 8`.

use super::warp::WARP;
use crate::ir::MatrixProduct;

/// Registers of all lanes: the value of one of them in each.
type Registers<const COUNT: usize> = [[u64; WARP]; COUNT];

const MAX_ROWS: usize = 16;
const MAX_DEPTH: usize = 32;
const COLUMNS: usize = 8;

/// `a * b + c`, exact before it is wrapped or clamped to 32 bits. What is not a register of the shape is left zero.
pub(super) fn multiply_add(
	product: MatrixProduct,
	a: &Registers<4>,
	b: &Registers<2>,
	c: &Registers<4>,
) -> Registers<4> {
	let MatrixProduct { rows, depth, signed, saturate } = product;
	let (rows, depth) = (usize::from(rows), usize::from(depth));
	let halves = rows / 8;
	let mut left = [[0; MAX_DEPTH]; MAX_ROWS];
	let mut right = [[0; MAX_DEPTH]; COLUMNS];
	for lane in 0..WARP {
		let (group, first) = (lane / 4, lane % 4 * 4);
		for (index, values) in a.iter().enumerate().take(halves * (depth / 16)) {
			let (row, column) = (group + index % halves * 8, first + index / halves * 16);
			left[row][column..column + 4].copy_from_slice(&bytes(values[lane], signed[0]));
		}
		for (index, values) in b.iter().enumerate().take(depth / 16) {
			let row = first + index * 16;
			right[group][row..row + 4].copy_from_slice(&bytes(values[lane], signed[1]));
		}
	}
	let mut d = [[0; WARP]; 4];
	for (index, (values, addends)) in d.iter_mut().zip(c).enumerate().take(rows / 4) {
		for lane in 0..WARP {
			let (row, column) = (lane / 4 + index / 2 * 8, lane % 4 * 2 + index % 2);
			// At most 32 * 255 * 255: no overflow.
			let dot: i32 = left[row].iter().zip(&right[column]).map(|(x, y)| x * y).sum();
			let sum = i64::from(dot) + i64::from(addends[lane] as i32);
			let sum = if saturate { sum.clamp(i32::MIN.into(), i32::MAX.into()) } else { sum };
			values[lane] = (sum as u32).into();
		}
	}
	d
}

/// The four bytes of a register, the lowest first.
fn bytes(value: u64, signed: bool) -> [i32; 4] {
	(value as u32).to_le_bytes().map(|byte| if signed { i32::from(byte as i8) } else { byte.into() })
}
