//! Parts of a blob, cut with the hashes that prove them, and checked against the blob's name.

use crate::Root;
use bao_tree::{
	io::{
		outboard::PreOrderMemOutboard,
		sync::{encode_ranges_validated, DecodeResponseIter, Outboard},
		BaoContentItem, EncodeError,
	},
	BaoTree, BlockSize, ChunkNum, ChunkRanges,
};
use codec::{Decode, Encode};
use std::{fs::File, io};

/// Bytes of a chunk group: the smallest piece that is proven by itself.
pub const GROUP_BYTES: u64 = 16 * 1024;
/// Chunk groups of a span.
pub const SPAN_GROUPS: u16 = 64;
/// Bytes of a span, which is the most that one answer carries.
pub const SPAN_BYTES: u64 = GROUP_BYTES * SPAN_GROUPS as u64;
/// Largest blob, 1 TiB. A claim of more is not looked at.
pub const MAX_BLOB_BYTES: u64 = 1 << 40;

/// Chunks of BLAKE3, of 1 KiB, in a group: 2 to the power of this.
const GROUP_LOG: u8 = 4;
const GROUP_CHUNKS: u64 = 1 << GROUP_LOG;

/// A part of a blob. Groups behind its end are left out, but the first one must be there.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode)]
pub struct Part {
	/// The first chunk group of 16 KiB, counted from 0.
	pub first_group: u64,
	/// How many, from 1 to [`SPAN_GROUPS`].
	pub groups: u16,
	/// The blob's last group is wanted too: it proves the blob's length, which the part alone does not.
	pub prove_size: bool,
}

impl Part {
	/// The span of that number, counted from 0.
	pub(crate) fn span(number: u64, prove_size: bool) -> Self {
		Self { first_group: number.saturating_mul(SPAN_GROUPS.into()), groups: SPAN_GROUPS, prove_size }
	}

	/// The last group of a blob.
	pub(crate) fn last_group(size: u64) -> Self {
		Self { first_group: groups(size).saturating_sub(1), groups: 1, prove_size: false }
	}

	/// The chunks of this part of a blob of `size` bytes; `None` if the blob has no such part.
	fn chunks(self, size: u64) -> Option<ChunkRanges> {
		let groups = groups(size);
		if !(1..=SPAN_GROUPS).contains(&self.groups) || self.first_group >= groups || size > MAX_BLOB_BYTES {
			return None;
		}
		let end = self.first_group.saturating_add(self.groups.into()).min(groups);
		let chunks = range(self.first_group, end);
		Some(if self.prove_size { chunks | range(groups.saturating_sub(1), groups) } else { chunks })
	}
}

fn range(first_group: u64, end_group: u64) -> ChunkRanges {
	let chunk = |group: u64| ChunkNum(group.saturating_mul(GROUP_CHUNKS));
	ChunkRanges::from(chunk(first_group)..chunk(end_group))
}

/// Groups of a blob; an empty one has one, without bytes.
fn groups(size: u64) -> u64 {
	size.div_ceil(GROUP_BYTES).max(1)
}

/// Spans of a blob; an empty one has one, without bytes.
pub(crate) fn spans(size: u64) -> u64 {
	size.div_ceil(SPAN_BYTES).max(1)
}

/// Shape of the hash tree of a blob.
pub(crate) fn tree(size: u64) -> BaoTree {
	BaoTree::new(size, BlockSize::from_chunk_log(GROUP_LOG))
}

/// Why a part cannot be cut.
#[derive(Debug)]
pub(crate) enum CutError {
	/// The blob has no such part.
	NoSuchPart,
	/// The bytes on the disk are not those that the blob's name promises.
	Damaged,
	/// The disk failed.
	Io(io::Error),
}

impl From<EncodeError> for CutError {
	fn from(error: EncodeError) -> Self {
		match error {
			EncodeError::Io(error) if error.kind() != io::ErrorKind::UnexpectedEof => Self::Io(error),
			_ => Self::Damaged,
		}
	}
}

/// Cuts a part out of a file, with its proof. Bytes that do not fit the tree's root are never cut.
pub(crate) fn cut(file: &File, outboard: impl Outboard, part: Part) -> Result<Vec<u8>, CutError> {
	// Growing it would copy the span several times over; what is not used of it costs no memory.
	let mut slice = Vec::with_capacity(crate::MAX_ANSWER_BYTES);
	cut_into(file, outboard, part, &mut slice)?;
	Ok(slice)
}

/// Whether the part of a file is what the tree's root promises.
pub(crate) fn is_sound(file: &File, outboard: impl Outboard, part: Part) -> Result<bool, io::Error> {
	match cut_into(file, outboard, part, &mut io::sink()) {
		Ok(()) => Ok(true),
		Err(CutError::Damaged | CutError::NoSuchPart) => Ok(false),
		Err(CutError::Io(error)) => Err(error),
	}
}

fn cut_into(
	file: &File,
	outboard: impl Outboard,
	part: Part,
	output: &mut impl io::Write,
) -> Result<(), CutError> {
	let chunks = part.chunks(outboard.tree().size()).ok_or(CutError::NoSuchPart)?;
	Ok(encode_ranges_validated(file, outboard, &chunks, output)?)
}

/// The bytes and hashes of a slice, in order. They are exactly the part that was asked for, and they fit the root.
pub(crate) type Checked = Vec<BaoContentItem>;

/// Checks that `slice` is the part of the blob `root`, if that has `size` bytes. Whether it has is proven only by a slice with
/// the last group. `None` for anything else, including bytes behind the slice.
pub(crate) fn check(root: Root, size: u64, part: Part, mut slice: &[u8]) -> Option<Checked> {
	let chunks = part.chunks(size)?;
	let items = DecodeResponseIter::new(root.into(), tree(size), &mut slice, &chunks);
	let checked = items.collect::<Result<Vec<_>, _>>().ok()?;
	slice.is_empty().then_some(checked)
}

/// Reads a whole file and makes its hash tree; `None` if it is not the blob `root`.
pub(crate) fn outboard_of(file: &File, root: Root, size: u64) -> io::Result<Option<PreOrderMemOutboard>> {
	let tree = tree(size);
	let bytes =
		usize::try_from(tree.outboard_size()).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
	let mut outboard = PreOrderMemOutboard { root: root.into(), tree, data: vec![0; bytes] };
	let reader = io::BufReader::with_capacity(SPAN_BYTES as usize, file);
	let found = match bao_tree::io::sync::outboard(reader, tree, &mut outboard) {
		Ok(found) => found,
		Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
		Err(error) => return Err(error),
	};
	Ok((found == outboard.root).then_some(outboard))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;
	use std::io::Write;

	/// A blob on disk with its tree.
	struct Blob {
		bytes: Vec<u8>,
		root: Root,
		file: File,
		outboard: PreOrderMemOutboard,
	}

	fn blob(size: u64) -> Blob {
		let mut bytes = vec![0; size as usize];
		blake3::Hasher::new().update(&size.to_le_bytes()).finalize_xof().fill(&mut bytes);
		let root = *blake3::hash(&bytes).as_bytes();
		let mut file = tempfile::tempfile().unwrap();
		file.write_all(&bytes).unwrap();
		io::Seek::rewind(&mut file).unwrap();
		let outboard = outboard_of(&file, root, size).unwrap().expect("the plain BLAKE3 hash is the root");
		Blob { bytes, root, file, outboard }
	}

	impl Blob {
		fn size(&self) -> u64 {
			self.bytes.len() as u64
		}

		fn cut(&self, part: Part) -> Vec<u8> {
			cut(&self.file, &self.outboard, part).unwrap()
		}
	}

	/// Bytes in a checked slice, with where they begin.
	fn leaves<'a>(checked: &'a Checked) -> Vec<(u64, &'a [u8])> {
		let leaf = |item: &'a BaoContentItem| match item {
			BaoContentItem::Leaf(leaf) => Some((leaf.offset, &leaf.data[..])),
			BaoContentItem::Parent(_) => None,
		};
		checked.iter().filter_map(leaf).collect()
	}

	fn fits(root: Root, size: u64, part: Part, slice: &[u8]) -> bool {
		check(root, size, part, slice).is_some()
	}

	const SIZES: [u64; 12] = [
		0,
		1,
		1023,
		1025,
		GROUP_BYTES - 1,
		GROUP_BYTES,
		GROUP_BYTES + 1,
		3 * GROUP_BYTES,
		SPAN_BYTES - 1,
		SPAN_BYTES,
		SPAN_BYTES + 1,
		3 * SPAN_BYTES + 5 * GROUP_BYTES + 7,
	];

	#[test]
	fn every_span_is_cut_and_proven() {
		for size in SIZES {
			let blob = blob(size);
			for number in 0..spans(size) {
				for prove_size in [false, true] {
					let part = Part::span(number, prove_size);
					let slice = blob.cut(part);
					assert!(slice.len() + 16 < crate::MAX_ANSWER_BYTES, "{} bytes", slice.len());
					let checked = check(blob.root, size, part, &slice).expect("it is right");
					for (offset, data) in leaves(&checked) {
						assert_eq!(data, &blob.bytes[offset as usize..][..data.len()], "{size} {number}");
					}
					let bytes: usize = leaves(&checked).iter().map(|(_, data)| data.len()).sum();
					let wanted = (size - number * SPAN_BYTES).min(SPAN_BYTES) as usize;
					assert!(bytes >= wanted && bytes <= wanted + GROUP_BYTES as usize, "{size} {number}");
				}
			}
		}
	}

	#[test]
	fn no_other_size_can_be_proven() {
		for size in SIZES {
			let blob = blob(size);
			let slice = blob.cut(Part::span(0, true));
			let near = [1, 2, 1023, 1024, GROUP_BYTES, SPAN_BYTES].into_iter();
			let lies = near.flat_map(|by| [size.saturating_sub(by), size + by]).chain(SIZES);
			for lie in lies.chain((0..64).map(|bit| 1 << bit)).filter(|lie| *lie != size) {
				assert!(!fits(blob.root, lie, Part::span(0, true), &slice), "{size} as {lie}");
			}
		}
	}

	#[test]
	fn without_the_last_group_a_wrong_size_may_pass() {
		// This is why the first answer has to have it: the left part of a tree says little of what is to its right.
		let blob = blob(4 * SPAN_BYTES);
		let part = Part::span(0, false);
		assert!(fits(blob.root, 4 * SPAN_BYTES - 5, part, &blob.cut(part)));
	}

	#[test]
	fn a_changed_cut_or_lengthened_slice_is_refused() {
		let blob = blob(SPAN_BYTES + 5000);
		let part = Part { first_group: 3, groups: 4, prove_size: true };
		let slice = blob.cut(part);
		for at in (0..slice.len()).step_by(31) {
			let mut changed = slice.clone();
			changed[at] ^= 0x10;
			assert!(!fits(blob.root, blob.size(), part, &changed), "byte {at}");
			assert!(!fits(blob.root, blob.size(), part, &slice[..at]), "{at} bytes");
		}
		let longer = [&slice[..], &[0]].concat();
		assert!(!fits(blob.root, blob.size(), part, &longer));
		let other = Part { first_group: 4, ..part };
		assert!(!fits(blob.root, blob.size(), other, &slice), "another part");
	}

	#[test]
	fn a_file_that_was_damaged_is_not_cut() {
		let mut blob = blob(SPAN_BYTES + 5000);
		io::Seek::seek(&mut blob.file, io::SeekFrom::Start(20_000)).unwrap();
		blob.file.write_all(b"rot").unwrap();
		assert!(matches!(cut(&blob.file, &blob.outboard, Part::span(0, false)), Err(CutError::Damaged)));
		assert!(cut(&blob.file, &blob.outboard, Part::span(1, false)).is_ok(), "that part is sound");
		blob.file.set_len(100).unwrap();
		assert!(matches!(cut(&blob.file, &blob.outboard, Part::span(1, false)), Err(CutError::Damaged)));
		io::Seek::rewind(&mut blob.file).unwrap();
		assert!(outboard_of(&blob.file, blob.root, blob.size()).unwrap().is_none());
	}

	#[test]
	fn parts_that_a_blob_does_not_have_are_refused() {
		let blob = blob(SPAN_BYTES);
		for (first_group, groups) in [(64, 1), (u64::MAX, 1), (0, 0), (0, SPAN_GROUPS + 1), (0, u16::MAX)] {
			let part = Part { first_group, groups, prove_size: false };
			let result = cut(&blob.file, &blob.outboard, part);
			assert!(matches!(result, Err(CutError::NoSuchPart)), "{part:?}");
		}
	}

	proptest! {
		#[test]
		fn no_claim_panics(
			size: u64, first_group: u64, groups: u16, prove_size: bool,
			small in 0u64..3 * SPAN_BYTES,
			slice in proptest::collection::vec(any::<u8>(), 0..3000),
		) {
			for size in [size, small, size % (2 * MAX_BLOB_BYTES)] {
				for (first_group, groups) in [(first_group, groups), (first_group % 200, groups % 65)] {
					let part = Part { first_group, groups, prove_size };
					prop_assert!(!fits([5; 32], size, part, &slice));
				}
			}
		}
	}
}
