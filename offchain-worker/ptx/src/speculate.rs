//! Global memory as a block sees it that runs before the blocks in front of it are done.
//!
//! The block reads what memory was before any of them ran, and writes to copies of its own. Which pages it read, and
//! which bytes it wrote, is noted: if no block in front of it wrote to a page that it read, it did what it would have
//! done in its turn, and its bytes are put in place.

use crate::{
	exec::GlobalMemory,
	memory::{slice_at, Memory},
};
use alloc::vec::Vec;
use std::{
	collections::HashSet,
	sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// Bytes of a page. Accesses are aligned and shorter, so that none reaches into two.
const PAGE: usize = 256;
/// Bytes that all blocks of a wave may note together.
const MAX_NOTED_BYTES: usize = 64 << 20;

/// A page's buffer and its number in the buffer.
type PageId = (u32, u32);

/// What is known of a page: nothing; that it was read; or the index of the copy, plus [`FIRST_COPY`].
type Mark = u32;
const UNTOUCHED: Mark = 0;
const READ: Mark = 1;
const FIRST_COPY: Mark = 2;

/// A page that the block wrote to.
struct Copy {
	id: PageId,
	bytes: [u8; PAGE],
	/// A bit for each byte that was written.
	written: [u64; PAGE / 64],
	read: bool,
}

/// What a block did.
pub(crate) struct Notes {
	read: Vec<PageId>,
	copies: Vec<Copy>,
}

/// The memory of blocks that one thread runs, one after the other.
pub(crate) struct Speculation<'m> {
	memory: &'m Memory,
	/// The marks of each buffer that was touched; no elements for the others.
	marks: Vec<Vec<Mark>>,
	read: Vec<PageId>,
	copies: Vec<Copy>,
	noted_bytes: &'m AtomicUsize,
	/// Set when there was no room for a note: the run is worth nothing then.
	overflown: bool,
}

impl<'m> Speculation<'m> {
	/// `noted_bytes` is shared by the threads of a wave, and starts as zero.
	pub(crate) fn new(memory: &'m Memory, noted_bytes: &'m AtomicUsize) -> Self {
		Self {
			memory,
			marks: Vec::new(),
			read: Vec::new(),
			copies: Vec::new(),
			noted_bytes,
			overflown: false,
		}
	}

	/// What the block did that ran last, unless there was no room for it. The next block may run then.
	pub(crate) fn take(&mut self) -> Option<Notes> {
		let notes =
			Notes { read: core::mem::take(&mut self.read), copies: core::mem::take(&mut self.copies) };
		for (buffer, page) in notes.read.iter().copied().chain(notes.copies.iter().map(|copy| copy.id)) {
			if let Some(mark) =
				self.marks.get_mut(buffer as usize).and_then(|marks| marks.get_mut(page as usize))
			{
				*mark = UNTOUCHED;
			}
		}
		(!core::mem::take(&mut self.overflown)).then_some(notes)
	}

	/// Counts a note, and says whether there is room for it.
	fn note(&mut self, bytes: usize) -> Option<()> {
		self.overflown |= self.noted_bytes.fetch_add(bytes, Relaxed) > MAX_NOTED_BYTES;
		(!self.overflown).then_some(())
	}

	/// The mark of a page of a buffer of that many bytes.
	#[inline]
	fn mark(&mut self, buffer: usize, bytes: usize, page: usize) -> Option<&mut Mark> {
		if self.marks.get(buffer).is_none_or(Vec::is_empty) {
			self.add_marks(buffer, bytes);
		}
		self.marks.get_mut(buffer)?.get_mut(page)
	}

	#[cold]
	fn add_marks(&mut self, buffer: usize, bytes: usize) {
		if self.marks.len() <= buffer {
			self.marks.resize(buffer + 1, Vec::new());
		}
		if let Some(marks) = self.marks.get_mut(buffer) {
			*marks = alloc::vec![UNTOUCHED; bytes.div_ceil(PAGE)];
		}
	}
}

impl GlobalMemory for Speculation<'_> {
	#[inline]
	fn read(&mut self, address: u64, length: usize) -> Option<&[u8]> {
		let memory = self.memory;
		let (buffer, bytes, offset) = memory.place(address)?;
		let found = slice_at(bytes, offset, length)?;
		let page = offset as usize / PAGE;
		let mark = self.mark(buffer, bytes.len(), page)?;
		match *mark {
			READ => Some(found),
			UNTOUCHED => {
				*mark = READ;
				self.read.push((buffer as u32, page as u32));
				self.note(size_of::<PageId>())?;
				Some(found)
			}
			copy => {
				let copy = self.copies.get_mut((copy - FIRST_COPY) as usize)?;
				copy.read = true;
				slice_at(&copy.bytes, offset % PAGE as u64, length)
			}
		}
	}

	#[inline]
	fn write(&mut self, address: u64, length: usize) -> Option<&mut [u8]> {
		let memory = self.memory;
		let (buffer, bytes, offset) = memory.place(address)?;
		slice_at(bytes, offset, length)?;
		let (page, start) = (offset as usize / PAGE, offset as usize % PAGE);
		let next = self.copies.len() as Mark + FIRST_COPY;
		let mark = self.mark(buffer, bytes.len(), page)?;
		let known = *mark;
		let index = if known < FIRST_COPY {
			*mark = next;
			let mut copy = Copy {
				id: (buffer as u32, page as u32),
				bytes: [0; PAGE],
				written: [0; PAGE / 64],
				read: known == READ,
			};
			let whole = bytes.get(page * PAGE..)?;
			let whole = whole.get(..PAGE).unwrap_or(whole);
			copy.bytes.get_mut(..whole.len())?.copy_from_slice(whole);
			self.copies.push(copy);
			self.note(size_of::<Copy>())?;
			next
		} else {
			known
		};
		let copy = self.copies.get_mut((index - FIRST_COPY) as usize)?;
		// At most 16 bits, aligned to their number: within one word.
		let bits = (1u64 << length) - 1;
		*copy.written.get_mut(start / 64)? |= bits << (start % 64);
		copy.bytes.get_mut(start..start + length)
	}
}

impl Notes {
	/// Whether the block read a page to which one of those in front of it wrote.
	pub(crate) fn read_any_of(&self, written: &HashSet<PageId>) -> bool {
		let read_copies = self.copies.iter().filter(|copy| copy.read).map(|copy| &copy.id);
		!written.is_empty() && self.read.iter().chain(read_copies).any(|page| written.contains(page))
	}

	/// Puts the block's bytes in place, and adds the pages that they are in to `written`.
	pub(crate) fn commit(&self, memory: &mut Memory, written: &mut HashSet<PageId>) {
		for copy in &self.copies {
			let (buffer, page) = copy.id;
			written.insert(copy.id);
			let Some(bytes) = memory.buffer_at_mut(buffer as usize) else { continue };
			let target = bytes.iter_mut().skip(page as usize * PAGE);
			let written = |index: usize| copy.written[index / 64] >> (index % 64) & 1 == 1;
			for (index, (to, from)) in target.zip(&copy.bytes).enumerate() {
				if written(index) {
					*to = *from;
				}
			}
		}
	}
}
