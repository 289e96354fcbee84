//! Global device memory: separately allocated buffers, far apart in a 64-bit address space.

use crate::module::Globals;
use alloc::{sync::Arc, vec, vec::Vec};
use core::fmt;

/// Every buffer owns a window of 2^36 bytes of address space and starts at its beginning, so at least
/// `2^36 - MAX_BUFFER_BYTES` unmapped bytes follow it and an index error cannot reach a neighbour.
const WINDOW_BITS: u32 = 36;
const WINDOW_MASK: u64 = (1 << WINDOW_BITS) - 1;
/// The largest single buffer, in bytes.
const MAX_BUFFER_BYTES: u64 = 1 << 35;
/// Windows below this one are for the null page and for the generic addresses of the other state spaces.
const FIRST_WINDOW: u64 = 8;
/// Windows are never handed out twice, so that use after free is always seen. This many last for a memory's life.
const MAX_ALLOCATIONS: usize = 1 << 20;

/// Generic addresses of shared memory start here.
pub(crate) const SHARED_WINDOW: u64 = 1 << WINDOW_BITS;
/// Generic addresses of a thread's local memory start here.
pub(crate) const LOCAL_WINDOW: u64 = 2 << WINDOW_BITS;
/// Generic addresses of constant memory start here.
pub(crate) const CONST_WINDOW: u64 = 3 << WINDOW_BITS;
/// Generic addresses of kernel parameters start here.
pub(crate) const PARAM_WINDOW: u64 = 4 << WINDOW_BITS;
/// The part of a generic address that tells the windows apart.
pub(crate) const WINDOW_SELECT: u64 = !WINDOW_MASK;

/// A failed request of the host to a [`Memory`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MemoryError {
	/// A buffer of zero bytes was asked for.
	Empty,
	/// The buffer does not fit below the memory's limit, or the host has no room for it.
	OutOfMemory {
		/// Bytes asked for.
		requested: u64,
		/// Bytes that may still be allocated.
		available: u64,
	},
	/// The memory has handed out all the addresses that it has.
	OutOfAddresses,
	/// The address is not the start of a live buffer.
	NotABuffer {
		/// The address given.
		address: u64,
	},
	/// Not all of the range lies in one live buffer.
	OutOfBounds {
		/// First byte of the range.
		address: u64,
		/// Length of the range in bytes.
		bytes: u64,
	},
}

impl fmt::Display for MemoryError {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Empty => f.write_str("a buffer must have at least one byte"),
			Self::OutOfMemory { requested, available } => {
				write!(f, "{requested} bytes asked for, {available} available")
			}
			Self::OutOfAddresses => f.write_str("the memory has handed out all its addresses"),
			Self::NotABuffer { address } => write!(f, "no buffer starts at {address:#x}"),
			Self::OutOfBounds { address, bytes } => {
				write!(f, "{bytes} bytes at {address:#x} are not in one buffer")
			}
		}
	}
}

impl core::error::Error for MemoryError {}

/// Global memory of one device: zero-filled buffers at distinct addresses, with guard gaps between them.
///
/// Addresses depend only on the order of allocations, never on the host, so pointers stored by a kernel are
/// reproducible too.
#[derive(Clone, Debug)]
pub struct Memory {
	limit: u64,
	used: u64,
	/// The buffer of each window, counted from `FIRST_WINDOW`; an empty vector once freed.
	buffers: Vec<Vec<u8>>,
	/// The `.global` variables of each module that was launched here, with the address of each variable.
	modules: Vec<(Globals, Vec<u64>)>,
}

impl Memory {
	/// A memory whose live buffers may have `limit_bytes` bytes in all.
	pub fn new(limit_bytes: u64) -> Self {
		Self { limit: limit_bytes, used: 0, buffers: Vec::new(), modules: Vec::new() }
	}

	/// Allocates a zero-filled buffer and returns its address, which is a multiple of 256 and never zero.
	///
	/// # Errors
	///
	/// [`MemoryError::Empty`] for no bytes, [`MemoryError::OutOfMemory`] when it does not fit below the limit, and
	/// [`MemoryError::OutOfAddresses`] after 2^20 allocations.
	pub fn alloc(&mut self, bytes: u64) -> Result<u64, MemoryError> {
		if bytes == 0 {
			return Err(MemoryError::Empty);
		}
		if self.buffers.len() >= MAX_ALLOCATIONS {
			return Err(MemoryError::OutOfAddresses);
		}
		let available = self.limit.saturating_sub(self.used);
		let refused = MemoryError::OutOfMemory { requested: bytes, available };
		if bytes > available.min(MAX_BUFFER_BYTES) {
			return Err(refused);
		}
		let length = usize::try_from(bytes).map_err(|_| refused)?;
		// Asking first turns a host without room into an error; `vec!` alone would abort the process.
		Vec::<u8>::new().try_reserve_exact(length).map_err(|_| refused)?;
		let window = self.buffers.len() as u64 + FIRST_WINDOW;
		self.buffers.push(vec![0; length]);
		self.used += bytes;
		Ok(window << WINDOW_BITS)
	}

	/// Frees the buffer that starts at `address`. Its address is not used again.
	///
	/// # Errors
	///
	/// [`MemoryError::NotABuffer`] when no live buffer starts there.
	pub fn free(&mut self, address: u64) -> Result<(), MemoryError> {
		let error = MemoryError::NotABuffer { address };
		if address & WINDOW_MASK != 0 {
			return Err(error);
		}
		let buffer = self.buffer_mut(address).ok_or(error)?;
		if buffer.is_empty() {
			return Err(error);
		}
		let bytes = core::mem::take(buffer).len() as u64;
		self.used -= bytes;
		Ok(())
	}

	/// Copies `data` to `address`, which may lie inside a buffer.
	///
	/// # Errors
	///
	/// [`MemoryError::OutOfBounds`] when the range does not lie in one live buffer; nothing is written then.
	pub fn write(&mut self, address: u64, data: &[u8]) -> Result<(), MemoryError> {
		let error = MemoryError::OutOfBounds { address, bytes: data.len() as u64 };
		self.bytes_mut(address, data.len()).ok_or(error)?.copy_from_slice(data);
		Ok(())
	}

	/// Copies `bytes` bytes from `address`, which may lie inside a buffer.
	///
	/// # Errors
	///
	/// [`MemoryError::OutOfBounds`] when the range does not lie in one live buffer.
	pub fn read(&self, address: u64, bytes: u64) -> Result<Vec<u8>, MemoryError> {
		let error = MemoryError::OutOfBounds { address, bytes };
		let length = usize::try_from(bytes).map_err(|_| error)?;
		Ok(self.bytes(address, length).ok_or(error)?.to_vec())
	}

	/// Bytes in live buffers, those of modules' `.global` variables included.
	pub fn used_bytes(&self) -> u64 {
		self.used
	}

	/// The most bytes that live buffers may have in all.
	pub fn limit_bytes(&self) -> u64 {
		self.limit
	}

	/// The addresses of a module's `.global` variables, which are allocated and filled when the module is first met.
	/// From then on they keep what kernels store in them.
	pub(crate) fn load_globals(&mut self, globals: &Globals) -> Result<Vec<u64>, MemoryError> {
		if globals.is_empty() {
			return Ok(Vec::new());
		}
		if let Some((_, addresses)) = self.modules.iter().find(|(known, _)| Arc::ptr_eq(known, globals)) {
			return Ok(addresses.clone());
		}
		let total = globals.iter().map(|image| image.len() as u64).sum();
		let available = self.limit.saturating_sub(self.used);
		if total > available {
			return Err(MemoryError::OutOfMemory { requested: total, available });
		}
		let mut addresses = Vec::with_capacity(globals.len());
		for image in globals.iter() {
			let address = self.alloc(image.len() as u64)?;
			self.write(address, image)?;
			addresses.push(address);
		}
		self.modules.push((globals.clone(), addresses.clone()));
		Ok(addresses)
	}

	/// A slice of a live buffer.
	#[inline]
	pub(crate) fn bytes(&self, address: u64, length: usize) -> Option<&[u8]> {
		let window = (address >> WINDOW_BITS).checked_sub(FIRST_WINDOW)?;
		let buffer = self.buffers.get(usize::try_from(window).ok()?)?;
		slice_at(buffer, address & WINDOW_MASK, length)
	}

	/// A slice of a live buffer, to write to.
	#[inline]
	pub(crate) fn bytes_mut(&mut self, address: u64, length: usize) -> Option<&mut [u8]> {
		slice_at_mut(self.buffer_mut(address)?, address & WINDOW_MASK, length)
	}

	/// The buffer of that index, and the offset in it, that an address means.
	#[cfg(feature = "std")]
	#[inline]
	pub(crate) fn place(&self, address: u64) -> Option<(usize, &[u8], u64)> {
		let window = usize::try_from((address >> WINDOW_BITS).checked_sub(FIRST_WINDOW)?).ok()?;
		Some((window, self.buffers.get(window)?, address & WINDOW_MASK))
	}

	/// The bytes of the buffer of that index, to write to.
	#[cfg(feature = "std")]
	pub(crate) fn buffer_at_mut(&mut self, window: usize) -> Option<&mut [u8]> {
		self.buffers.get_mut(window).map(Vec::as_mut_slice)
	}

	#[inline]
	fn buffer_mut(&mut self, address: u64) -> Option<&mut Vec<u8>> {
		let window = (address >> WINDOW_BITS).checked_sub(FIRST_WINDOW)?;
		self.buffers.get_mut(usize::try_from(window).ok()?)
	}
}

/// `length` bytes of `bytes` from `offset` on, if they exist. An empty range of a freed buffer does not.
#[inline]
pub(crate) fn slice_at(bytes: &[u8], offset: u64, length: usize) -> Option<&[u8]> {
	let start = usize::try_from(offset).ok().filter(|_| !bytes.is_empty())?;
	bytes.get(start..start.checked_add(length)?)
}

/// As [`slice_at`], to write to.
#[inline]
pub(crate) fn slice_at_mut(bytes: &mut [u8], offset: u64, length: usize) -> Option<&mut [u8]> {
	let start = usize::try_from(offset).ok().filter(|_| !bytes.is_empty())?;
	bytes.get_mut(start..start.checked_add(length)?)
}
