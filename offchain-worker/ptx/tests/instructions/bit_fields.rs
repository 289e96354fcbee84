//! Instructions on bits and bytes, against the bit-by-bit descriptions in the PTX manual.

use crate::evaluate::{check, EDGES};

#[test]
fn bits_are_counted_and_reversed() {
	check("popc.b32 d, a;", ["b32"], "b32", &EDGES, |[a]| (a as u32).count_ones().into());
	check("popc.b64 d, a;", ["b64"], "b32", &EDGES, |[a]| a.count_ones().into());
	check("clz.b32 d, a;", ["b32"], "b32", &EDGES, |[a]| (a as u32).leading_zeros().into());
	check("clz.b64 d, a;", ["b64"], "b32", &EDGES, |[a]| a.leading_zeros().into());
	check("brev.b32 d, a;", ["b32"], "b32", &EDGES, |[a]| (a as u32).reverse_bits().into());
	check("brev.b64 d, a;", ["b64"], "b64", &EDGES, |[a]| a.reverse_bits());
}

const POSITIONS: [u64; 14] = [0, 1, 5, 8, 16, 31, 32, 33, 63, 64, 65, 255, 256, 0xffff_ffff];
const VALUES: [u64; 6] = [0, 1, 0x8000_0000, 0xffff_ffff, 0x8765_4321_0fed_cba9, u64::MAX];

/// The loop that the manual gives for `bfe`.
fn extract(a: u64, position: u64, length: u64, width: u64, signed: bool) -> u64 {
	let (position, length, top) = (position & 0xff, length & 0xff, width - 1);
	let bit = |index: u64| a >> index & 1;
	let sign = if length == 0 || !signed { 0 } else { bit((position + length - 1).min(top)) };
	(0..width).fold(0, |d, i| {
		let value = if i < length && position + i <= top { bit(position + i) } else { sign };
		d | value << i
	})
}

/// The loop that the manual gives for `bfi`.
fn insert(a: u64, b: u64, position: u64, length: u64, width: u64) -> u64 {
	let (position, length) = (position & 0xff, length & 0xff);
	(0..length)
		.take_while(|i| position + i < width)
		.fold(b, |f, i| f & !(1 << (position + i)) | (a >> i & 1) << (position + i))
}

#[test]
fn fields_are_extracted_bit_by_bit() {
	for (ty, width, signed) in [("u32", 32, false), ("s32", 32, true), ("u64", 64, false), ("s64", 64, true)]
	{
		let mask = u64::MAX >> (64 - width);
		for value in VALUES {
			let code = format!("mov.b{width} d, {value:#x}; bfe.{ty} d, d, a, b;");
			check(&code, ["u32", "u32"], ty, &POSITIONS, |[position, length]| {
				extract(value & mask, position, length, width, signed)
			});
		}
	}
}

#[test]
fn fields_are_inserted_bit_by_bit() {
	for width in [32, 64] {
		let ty = format!("b{width}");
		let mask = u64::MAX >> (64 - width);
		for (value, into) in VALUES.iter().flat_map(|a| VALUES.map(|b| (*a & mask, b & mask))) {
			let code = format!("mov.{ty} d, {value:#x}; bfi.{ty} d, d, {into:#x}, a, b;");
			check(&code, ["u32", "u32"], &ty, &POSITIONS, |[position, length]| {
				insert(value, into, position, length, width)
			});
		}
	}
}

#[test]
fn prmt_picks_bytes_and_signs() {
	let (a, b) = (0x8302_0100u32, 0x87f6_0504u32);
	let bytes: Vec<u8> = [a.to_le_bytes(), b.to_le_bytes()].concat();
	let selectors = [0x3210, 0x7654, 0x0000, 0x5432, 0xfb73, 0x89ab, 0xcdef, 0xffff_0123];
	let code = format!("prmt.b32 d, {a}, {b}, a;");
	check(&code, ["b32"], "b32", &selectors, |[selector]| {
		let picked = [0, 4, 8, 12].map(|shift| {
			let nibble = selector >> shift & 0xf;
			let byte = bytes[(nibble & 7) as usize];
			if nibble < 8 {
				byte
			} else {
				(byte as i8 >> 7) as u8
			}
		});
		u32::from_le_bytes(picked).into()
	});
}

#[test]
fn lop3_is_its_truth_table() {
	let values = [0, 0xffff_ffff, 0xf0f0_a5a5, 0x1234_5678];
	// The manual's way to find the table: apply the function to these three constants.
	let functions: [fn(u32, u32, u32) -> u32; 5] = [
		|a, b, c| a & b & c,
		|a, b, c| a | b | c,
		|a, b, c| a ^ b ^ c,
		|a, b, c| (a & b) | (!a & c),
		|_, _, c| !c,
	];
	for function in functions {
		let table = function(0xf0, 0xcc, 0xaa) & 0xff;
		let code = format!("lop3.b32 d, a, b, c, {table:#x};");
		check(&code, ["b32"; 3], "b32", &values, |[a, b, c]| function(a as u32, b as u32, c as u32).into());
	}
}

#[test]
fn shf_shifts_two_words_as_one() {
	let values = [0, 1, 5, 31, 32, 33, 0x8000_0000, 0xffff_ffff, 0x1234_5678];
	let both = |low: u64, high: u64| u128::from(high << 32 | low);
	let operands = ["b32"; 3];
	check("shf.l.wrap.b32 d, a, b, c;", operands, "b32", &values, |[a, b, c]| {
		(both(a, b) << (c % 32) >> 32) as u32 as u64
	});
	check("shf.r.wrap.b32 d, a, b, c;", operands, "b32", &values, |[a, b, c]| {
		(both(a, b) >> (c % 32)) as u32 as u64
	});
	check("shf.l.clamp.b32 d, a, b, c;", operands, "b32", &values, |[a, b, c]| {
		(both(a, b) << c.min(32) >> 32) as u32 as u64
	});
	check("shf.r.clamp.b32 d, a, b, c;", operands, "b32", &values, |[a, b, c]| {
		(both(a, b) >> c.min(32)) as u32 as u64
	});
}

#[test]
fn dp4a_adds_four_products_of_every_sign() {
	let values = [0, 0x0102_0304, 0x7f7f_7f7f, 0x8080_8080, 0xffff_ffff, 0x80ff_017f, 0x8000_0000];
	for (a_ty, b_ty) in [("u32", "u32"), ("u32", "s32"), ("s32", "u32"), ("s32", "s32")] {
		let code = format!("dp4a.{a_ty}.{b_ty} d, a, b, c;");
		let byte = |value: u64, index: usize, ty: &str| {
			let byte = value.to_le_bytes()[index];
			if ty == "s32" {
				i64::from(byte as i8)
			} else {
				byte.into()
			}
		};
		check(&code, ["b32"; 3], "b32", &values, |[a, b, c]| {
			let sum: i64 = (0..4).map(|i| byte(a, i, a_ty) * byte(b, i, b_ty)).sum();
			(sum + c as i64) as u32 as u64
		});
	}
}
