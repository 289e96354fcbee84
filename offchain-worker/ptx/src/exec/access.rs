//! Loads, stores and atomics, checked.

use super::float;
use crate::{
	fault::{AccessKind, FaultKind, Space},
	ir::{AtomicOp, FloatBinary, IntType, Precision, Rounding},
	memory::{
		slice_at, slice_at_mut, Memory, CONST_WINDOW, LOCAL_WINDOW, PARAM_WINDOW, SHARED_WINDOW,
		WINDOW_SELECT,
	},
};

/// Global memory as the threads of a block see it.
pub(crate) trait GlobalMemory {
	/// A slice of a live buffer. The accesses of threads are aligned, and have at most 16 bytes.
	fn read(&mut self, address: u64, length: usize) -> Option<&[u8]>;

	/// As [`Self::read`], to write all of it.
	fn write(&mut self, address: u64, length: usize) -> Option<&mut [u8]>;
}

impl GlobalMemory for Memory {
	#[inline]
	fn read(&mut self, address: u64, length: usize) -> Option<&[u8]> {
		self.bytes(address, length)
	}

	#[inline]
	fn write(&mut self, address: u64, length: usize) -> Option<&mut [u8]> {
		self.bytes_mut(address, length)
	}
}

/// All that a thread can address.
pub(super) struct BlockMemory<'m, G> {
	pub(super) global: &'m mut G,
	pub(super) shared: &'m mut [u8],
	pub(super) local: &'m mut [u8],
	pub(super) constants: &'m [u8],
	pub(super) params: &'m [u8],
}

/// An access before it is checked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Access {
	pub(super) kind: AccessKind,
	pub(super) space: Space,
	pub(super) address: u64,
	/// Bytes in all; the address must be a multiple of it.
	pub(super) bytes: u8,
}

impl Access {
	fn out_of_bounds(self) -> FaultKind {
		let Self { kind: access, space, address, bytes } = self;
		FaultKind::OutOfBounds { access, space, address, bytes: bytes.into() }
	}

	#[inline]
	fn check_alignment(self) -> Result<(), FaultKind> {
		let Self { kind: access, space, address, bytes } = self;
		if address & (u64::from(bytes) - 1) != 0 {
			return Err(FaultKind::Misaligned { access, space, address, bytes: bytes.into() });
		}
		Ok(())
	}

	/// The space and the address in it that a generic address means.
	#[inline]
	fn place(self) -> (Space, u64) {
		if self.space != Space::Generic {
			return (self.space, self.address);
		}
		let space = match self.address & WINDOW_SELECT {
			SHARED_WINDOW => Space::Shared,
			LOCAL_WINDOW => Space::Local,
			CONST_WINDOW => Space::Const,
			PARAM_WINDOW => Space::Param,
			_ => return (Space::Global, self.address),
		};
		(space, self.address & !WINDOW_SELECT)
	}
}

impl<G: GlobalMemory> BlockMemory<'_, G> {
	/// The bytes to read.
	#[inline]
	pub(super) fn bytes(&mut self, access: Access) -> Result<&[u8], FaultKind> {
		access.check_alignment()?;
		let length = usize::from(access.bytes);
		let (space, address) = access.place();
		let found = match space {
			Space::Global => self.global.read(address, length),
			Space::Shared => slice_at(self.shared, address, length),
			Space::Local => slice_at(self.local, address, length),
			Space::Const => slice_at(self.constants, address, length),
			Space::Param => slice_at(self.params, address, length),
			Space::Generic => None,
		};
		found.ok_or_else(|| access.out_of_bounds())
	}

	/// The bytes to write.
	#[inline]
	pub(super) fn bytes_mut(&mut self, access: Access) -> Result<&mut [u8], FaultKind> {
		access.check_alignment()?;
		let length = usize::from(access.bytes);
		let (space, address) = access.place();
		let found = match space {
			Space::Global => self.global.write(address, length),
			Space::Shared => slice_at_mut(self.shared, address, length),
			Space::Local => slice_at_mut(self.local, address, length),
			Space::Const | Space::Param | Space::Generic => None,
		};
		found.ok_or_else(|| access.out_of_bounds())
	}

	/// Copies between two places of local memory that the parser has reserved.
	pub(super) fn copy_local(&mut self, from: usize, to: usize, bytes: usize) {
		if from + bytes <= self.local.len() && to + bytes <= self.local.len() {
			self.local.copy_within(from..from + bytes, to);
		}
	}

	/// Reads, changes and writes a value; returns what it was. With threads run one after the other this is all that
	/// an atomic operation is.
	pub(super) fn update(
		&mut self,
		access: Access,
		change: impl FnOnce(u64) -> u64,
	) -> Result<u64, FaultKind> {
		let old = little_endian(self.bytes(access)?);
		store(self.bytes_mut(access)?, change(old));
		Ok(old)
	}
}

/// The number that at most eight bytes are, the lowest first.
#[inline]
pub(super) fn little_endian(bytes: &[u8]) -> u64 {
	match *bytes {
		[a] => a.into(),
		[a, b] => u16::from_le_bytes([a, b]).into(),
		[a, b, c, d] => u32::from_le_bytes([a, b, c, d]).into(),
		[a, b, c, d, e, f, g, h] => u64::from_le_bytes([a, b, c, d, e, f, g, h]),
		_ => 0,
	}
}

/// Writes the low bytes of `value`, as many as there is room for.
#[inline]
pub(super) fn store(bytes: &mut [u8], value: u64) {
	match bytes.len() {
		1 => bytes.copy_from_slice(&(value as u8).to_le_bytes()),
		2 => bytes.copy_from_slice(&(value as u16).to_le_bytes()),
		4 => bytes.copy_from_slice(&(value as u32).to_le_bytes()),
		8 => bytes.copy_from_slice(&value.to_le_bytes()),
		_ => {}
	}
}

/// What an atomic operation leaves in memory.
pub(super) fn atomic(op: AtomicOp, ty: IntType, old: u64, b: u64, c: u64) -> u64 {
	let less = if ty.signed { ty.sign_extend(b) < ty.sign_extend(old) } else { b < old };
	match op {
		AtomicOp::Add => ty.wrap(old.wrapping_add(b)),
		AtomicOp::Min => {
			if less {
				b
			} else {
				old
			}
		}
		AtomicOp::Max => {
			if less {
				old
			} else {
				b
			}
		}
		AtomicOp::Exchange => b,
		AtomicOp::CompareExchange => {
			if old == b {
				c
			} else {
				old
			}
		}
		AtomicOp::And => old & b,
		AtomicOp::Or => old | b,
		AtomicOp::Xor => old ^ b,
		AtomicOp::Increment => {
			if old >= b {
				0
			} else {
				old + 1
			}
		}
		AtomicOp::Decrement => {
			if old == 0 || old > b {
				b
			} else {
				old - 1
			}
		}
		AtomicOp::AddFloat => {
			let precision = if ty.bits == 64 { Precision::Double } else { Precision::Single };
			float::binary(FloatBinary::Add, precision, Rounding::NearestEven, old, b)
		}
	}
}
