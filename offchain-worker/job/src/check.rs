//! What makes a plan one that can be run, as far as that can be told without its kernel.

use crate::{
	plan::{Argument, Launch, VERSION},
	Plan, PlanError,
};
use alloc::collections::BTreeSet;

/// The longest document, in bytes.
pub const MAX_PLAN_BYTES: usize = 256 << 10;
/// The most buffers.
pub const MAX_BUFFERS: usize = 64;
/// The most launches.
pub const MAX_LAUNCHES: usize = 1_024;
/// The most arguments of a launch.
pub const MAX_ARGUMENTS: usize = 64;
/// The most characters of a buffer's name.
pub const MAX_NAME_CHARS: usize = 32;
/// The most characters of an entry's name.
pub const MAX_ENTRY_CHARS: usize = 1_024;
/// The most bytes of all buffers together: 1 GiB.
pub const MAX_BUFFER_BYTES: u64 = 1 << 30;
/// The most threads of a block.
pub const MAX_BLOCK_THREADS: u64 = 1_024;
/// The most blocks of a grid.
pub const MAX_GRID_BLOCKS: u64 = (1 << 31) - 1;
/// The most dynamic shared memory of a block, in bytes.
pub const MAX_SHARED_BYTES: u32 = 48 << 10;

/// Limits that a caller may make stricter than those of the format.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
	/// The most bytes of all buffers together. More than [`MAX_BUFFER_BYTES`] has no effect.
	pub buffer_bytes: u64,
	/// The most bytes of the output.
	pub output_bytes: u64,
}

impl Limits {
	/// The limits of the format.
	pub const MAX: Self = Self { buffer_bytes: MAX_BUFFER_BYTES, output_bytes: MAX_BUFFER_BYTES };
}

impl Plan {
	/// Checks everything that can be checked without the kernel.
	///
	/// # Errors
	///
	/// Every [`PlanError`] except `TooLong` and `Malformed`, which are about the document.
	pub fn check(&self, limits: &Limits) -> Result<(), PlanError> {
		if self.version != VERSION {
			return Err(PlanError::UnsupportedVersion { found: self.version });
		}
		// The counts come first: they bound the work of everything else.
		count("buffers", self.buffers.len(), MAX_BUFFERS)?;
		count("launches", self.launches.len(), MAX_LAUNCHES)?;
		count("outputs", self.outputs.len(), MAX_BUFFERS)?;
		let names = self.check_buffers()?;
		for (index, launch) in self.launches.iter().enumerate() {
			check_shape(index, launch)?;
			check_arguments(index, launch, &names)?;
		}
		self.check_outputs(&names)?;
		let (bytes, limit) = (self.buffer_bytes(), limits.buffer_bytes.min(MAX_BUFFER_BYTES));
		if bytes > limit {
			return Err(PlanError::BuffersTooLarge { bytes, limit });
		}
		let (bytes, limit) = (self.output_bytes(), limits.output_bytes);
		if bytes > limit {
			return Err(PlanError::OutputTooLarge { bytes, limit });
		}
		Ok(())
	}

	/// Checks names and sizes, and returns the names.
	fn check_buffers(&self) -> Result<BTreeSet<&str>, PlanError> {
		let mut names = BTreeSet::new();
		for buffer in &self.buffers {
			let name = buffer.name.as_str();
			let allowed = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
			if !(1..=MAX_NAME_CHARS).contains(&name.len()) || !name.bytes().all(allowed) {
				return Err(PlanError::BufferName { name: name.into() });
			}
			if !names.insert(name) {
				return Err(PlanError::DuplicateBuffer { name: name.into() });
			}
			if buffer.bytes == 0 {
				return Err(PlanError::EmptyBuffer { name: name.into() });
			}
		}
		Ok(names)
	}

	fn check_outputs(&self, names: &BTreeSet<&str>) -> Result<(), PlanError> {
		let mut seen = BTreeSet::new();
		for name in &self.outputs {
			if !names.contains(name.as_str()) {
				return Err(PlanError::UnknownOutput { name: name.clone() });
			}
			if !seen.insert(name) {
				return Err(PlanError::DuplicateOutput { name: name.clone() });
			}
		}
		Ok(())
	}
}

fn count(list: &'static str, found: usize, limit: usize) -> Result<(), PlanError> {
	match found {
		0 => Err(PlanError::Count { list, found, limit }),
		_ if found > limit => Err(PlanError::Count { list, found, limit }),
		_ => Ok(()),
	}
}

fn check_shape(index: usize, launch: &Launch) -> Result<(), PlanError> {
	let entry = launch.entry.as_bytes();
	// `follow` of the PTX grammar, with the first character of each of its three kinds of identifier. A name like
	// this is also a valid C string, which the driver wants.
	let first = entry.first().is_some_and(|c| c.is_ascii_alphabetic() || b"_$%".contains(c));
	let rest = entry.iter().skip(1).all(|c| c.is_ascii_alphanumeric() || b"_$".contains(c));
	if !first || !rest || entry.len() > MAX_ENTRY_CHARS {
		return Err(PlanError::EntryName { launch: index });
	}
	if !(1..=MAX_GRID_BLOCKS).contains(&product(launch.grid)) {
		return Err(PlanError::Grid { launch: index, grid: launch.grid });
	}
	if !(1..=MAX_BLOCK_THREADS).contains(&product(launch.block)) {
		return Err(PlanError::Block { launch: index, block: launch.block });
	}
	if launch.shared_bytes > MAX_SHARED_BYTES {
		return Err(PlanError::SharedMemory { launch: index, bytes: launch.shared_bytes });
	}
	Ok(())
}

/// The product, or `u64::MAX` where it has more than 64 bits.
fn product(dimensions: [u32; 3]) -> u64 {
	dimensions.iter().fold(1, |product: u64, dimension| product.saturating_mul((*dimension).into()))
}

fn check_arguments(index: usize, launch: &Launch, names: &BTreeSet<&str>) -> Result<(), PlanError> {
	let found = launch.arguments.len();
	if found > MAX_ARGUMENTS {
		return Err(PlanError::Arguments { launch: index, found });
	}
	for (argument, value) in launch.arguments.iter().enumerate() {
		match value {
			Argument::Buffer(name) if !names.contains(name.as_str()) => {
				return Err(PlanError::UnknownArgumentBuffer { launch: index, argument, name: name.clone() })
			}
			Argument::F32(value) if !value.is_finite() => {
				return Err(PlanError::NotFinite { launch: index, argument })
			}
			_ => {}
		}
	}
	Ok(())
}
