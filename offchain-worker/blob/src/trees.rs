//! Hash trees of blobs that are being served, in memory.

use crate::{slice::outboard_of, Root};
use bao_tree::{io::outboard::PreOrderMemOutboard, BaoTree};
use std::{
	collections::HashMap,
	fs::File,
	io,
	sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError},
};

/// What is known about a blob's tree.
pub(crate) enum Found {
	/// This is it.
	Tree(Arc<PreOrderMemOutboard>),
	/// Another tree is being made; one at a time, so that requests for large blobs cannot take all processors.
	Busy,
	/// The file is not the blob, or too large to be served.
	Unfit,
}

/// Trees, most recently used ones first to stay. A tree takes 1/256 of its blob.
pub(crate) struct Trees {
	max_bytes: usize,
	kept: Mutex<Kept>,
	making: Mutex<()>,
}

#[derive(Default)]
struct Kept {
	trees: HashMap<Root, (Arc<PreOrderMemOutboard>, u64)>,
	bytes: usize,
	/// Counts uses, which orders them.
	uses: u64,
}

impl Trees {
	pub(crate) fn new(max_bytes: usize) -> Self {
		Self { max_bytes, kept: Mutex::default(), making: Mutex::default() }
	}

	/// The tree of a blob, which is made if it is not here. That reads the whole file, once.
	pub(crate) fn get(&self, root: Root, file: &File, size: u64) -> io::Result<Found> {
		if let Some(tree) = self.kept(root, size) {
			return Ok(Found::Tree(tree));
		}
		if crate::slice::tree(size).outboard_size() > self.max_bytes as u64 {
			return Ok(Found::Unfit);
		}
		let _turn = match self.making.try_lock() {
			Ok(turn) => turn,
			Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
			Err(TryLockError::WouldBlock) => return Ok(Found::Busy),
		};
		if let Some(tree) = self.kept(root, size) {
			return Ok(Found::Tree(tree));
		}
		let Some(tree) = outboard_of(file, root, size)? else { return Ok(Found::Unfit) };
		let tree = Arc::new(tree);
		self.lock().keep(root, tree.clone(), self.max_bytes);
		Ok(Found::Tree(tree))
	}

	/// Forgets the tree of a blob whose file turned out to be damaged.
	pub(crate) fn forget(&self, root: Root) {
		self.lock().remove(root);
	}

	fn kept(&self, root: Root, size: u64) -> Option<Arc<PreOrderMemOutboard>> {
		let mut kept = self.lock();
		kept.uses = kept.uses.saturating_add(1);
		let uses = kept.uses;
		let (tree, used) = kept.trees.get_mut(&root)?;
		*used = uses;
		let same = |tree: BaoTree| tree.size() == size;
		same(tree.tree).then(|| tree.clone())
	}

	/// No statement leaves the trees half changed.
	fn lock(&self) -> MutexGuard<'_, Kept> {
		self.kept.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Kept {
	fn keep(&mut self, root: Root, tree: Arc<PreOrderMemOutboard>, max_bytes: usize) {
		self.remove(root);
		let bytes = self.bytes.saturating_add(cost(&tree));
		self.bytes = bytes;
		self.trees.insert(root, (tree, self.uses));
		while self.bytes > max_bytes && self.trees.len() > 1 {
			let oldest = self.trees.iter().min_by_key(|(_, (_, used))| *used).map(|(root, _)| *root);
			oldest.into_iter().for_each(|root| self.remove(root));
		}
	}

	fn remove(&mut self, root: Root) {
		if let Some((tree, _)) = self.trees.remove(&root) {
			self.bytes = self.bytes.saturating_sub(cost(&tree));
		}
	}
}

/// Memory of a tree. The constant is for its place in the map: trees of small blobs have no hashes at all.
fn cost(tree: &PreOrderMemOutboard) -> usize {
	tree.data.len().saturating_add(256)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::GROUP_BYTES;
	use std::io::Write;

	fn file(byte: u8, groups: u64) -> (Root, File, u64) {
		let bytes = vec![byte; (groups * GROUP_BYTES) as usize];
		let mut file = tempfile::tempfile().unwrap();
		file.write_all(&bytes).unwrap();
		io::Seek::rewind(&mut file).unwrap();
		(*blake3::hash(&bytes).as_bytes(), file, bytes.len() as u64)
	}

	#[test]
	fn the_least_recently_used_tree_makes_room() {
		// A tree of nine groups has eight pairs of 64 bytes.
		let trees = Trees::new(3 * (512 + 256));
		let files: Vec<_> = (0..4).map(|byte| file(byte, 9)).collect();
		for (root, file, size) in &files[..3] {
			assert!(matches!(trees.get(*root, file, *size), Ok(Found::Tree(_))));
		}
		assert!(trees.kept(files[0].0, files[0].2).is_some(), "used again");
		let (root, file, size) = &files[3];
		assert!(matches!(trees.get(*root, file, *size), Ok(Found::Tree(_))));
		let kept: Vec<_> = files.iter().map(|(root, _, size)| trees.kept(*root, *size).is_some()).collect();
		assert_eq!(kept, [true, false, true, true]);
		assert_eq!(trees.lock().bytes, 3 * (512 + 256));
	}

	#[test]
	fn one_tree_is_made_at_a_time_and_those_that_are_made_stay_usable() {
		let trees = Trees::new(10_000);
		let (made, other) = (file(1, 3), file(2, 3));
		assert!(matches!(trees.get(made.0, &made.1, made.2), Ok(Found::Tree(_))));
		let turn = trees.making.lock().unwrap();
		assert!(matches!(trees.get(other.0, &other.1, other.2), Ok(Found::Busy)));
		assert!(matches!(trees.get(made.0, &made.1, made.2), Ok(Found::Tree(_))));
		drop(turn);
		assert!(matches!(trees.get(other.0, &other.1, other.2), Ok(Found::Tree(_))));
	}

	#[test]
	fn a_file_that_is_not_the_blob_or_too_large_is_unfit() {
		let trees = Trees::new(1000);
		let (_, wrong, size) = file(1, 3);
		assert!(matches!(trees.get([9; 32], &wrong, size), Ok(Found::Unfit)));
		let (root, large, size) = file(1, 17);
		assert!(matches!(trees.get(root, &large, size), Ok(Found::Unfit)));
	}
}
