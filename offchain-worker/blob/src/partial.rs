//! A blob on the disk of which only parts are there.
//!
//! Two files: the bytes, each at its place, and the hash tree as far as it is known. Their contents are not believed when
//! they are opened again: what fits the root is held, anything else is fetched again. So nothing has to be flushed in any order,
//! and a crash, a full disk or a torn write costs a span and not the blob.

use crate::{
	slice::{self, is_sound, spans, Checked, Part, MAX_BLOB_BYTES},
	Root,
};
use bao_tree::io::{outboard::PreOrderOutboard, sync::OutboardMut, BaoContentItem};
use std::{
	fs::{self, File, OpenOptions},
	io,
	os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
	path::{Path, PathBuf},
};

/// The files of a blob that is being fetched.
pub(crate) struct Partial {
	root: Root,
	bytes: PathBuf,
	hashes: PathBuf,
	file: File,
	tree: PreOrderOutboard<File>,
	size: Option<u64>,
}

/// An error of the disk, with the file.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct DiskError {
	/// The file or folder.
	pub path: PathBuf,
	/// What the system said.
	pub source: io::Error,
}

/// Adds the path to an error of the disk.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> DiskError + '_ {
	move |source| DiskError { path: path.to_owned(), source }
}

impl Partial {
	/// Opens the files of a blob in `dir`, or makes them. Returns, too, which spans are held, if the blob's size is known.
	pub(crate) fn open(root: Root, dir: &Path) -> Result<(Self, Vec<bool>), DiskError> {
		fs::create_dir_all(dir).map_err(at(dir))?;
		let name = hex::encode(root);
		let bytes = dir.join(format!("{name}.partial"));
		let hashes = dir.join(format!("{name}.tree"));
		let file = open_own(&bytes)?;
		let tree = PreOrderOutboard { root: root.into(), tree: slice::tree(0), data: open_own(&hashes)? };
		let mut partial = Self { root, bytes, hashes, file, tree, size: None };
		let held = partial.read_back()?;
		Ok((partial, held))
	}

	/// The proven size of the blob in bytes, once it is known.
	pub(crate) fn size(&self) -> Option<u64> {
		self.size
	}

	/// Looks at what an earlier run left. The length of the file is the size of the blob if the last group is sound.
	fn read_back(&mut self) -> Result<Vec<bool>, DiskError> {
		let size = self.file.metadata().map_err(at(&self.bytes))?.len();
		self.tree.tree = slice::tree(size);
		if size == 0 || size > MAX_BLOB_BYTES || !self.is_sound(Part::last_group(size))? {
			self.restart()?;
			return Ok(Vec::new());
		}
		self.size = Some(size);
		(0..spans(size)).map(|number| self.is_sound(Part::span(number, false))).collect()
	}

	fn is_sound(&self, part: Part) -> Result<bool, DiskError> {
		is_sound(&self.file, &self.tree, part).map_err(at(&self.bytes))
	}

	/// Forgets everything.
	pub(crate) fn restart(&mut self) -> Result<(), DiskError> {
		self.size = None;
		self.tree.tree = slice::tree(0);
		self.file.set_len(0).map_err(at(&self.bytes))?;
		self.tree.data.set_len(0).map_err(at(&self.hashes))
	}

	/// Takes over the proven size. Room on the disk is taken only as parts come.
	pub(crate) fn set_size(&mut self, size: u64) -> Result<(), DiskError> {
		self.file.set_len(size).map_err(at(&self.bytes))?;
		self.tree.tree = slice::tree(size);
		self.size = Some(size);
		Ok(())
	}

	/// Writes a part that was checked.
	pub(crate) fn write(&mut self, part: &Checked) -> Result<(), DiskError> {
		for item in part {
			match item {
				BaoContentItem::Parent(parent) => {
					self.tree.save(parent.node, &parent.pair).map_err(at(&self.hashes))?
				}
				BaoContentItem::Leaf(leaf) => {
					self.file.write_all_at(&leaf.data, leaf.offset).map_err(at(&self.bytes))?
				}
			}
		}
		Ok(())
	}

	/// Makes the whole blob durable under its final name, which is on the same file system.
	pub(crate) fn finish(self, to: &Path) -> Result<(), DiskError> {
		self.file.sync_all().map_err(at(&self.bytes))?;
		fs::rename(&self.bytes, to).map_err(at(to))?;
		let dir = to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
		File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))?;
		fs::remove_file(&self.hashes).map_err(at(&self.hashes))
	}

	/// Removes both files.
	pub(crate) fn remove(self) -> Result<(), DiskError> {
		fs::remove_file(&self.bytes).map_err(at(&self.bytes))?;
		fs::remove_file(&self.hashes).map_err(at(&self.hashes))
	}

	/// Name of the blob.
	pub(crate) fn root(&self) -> Root {
		self.root
	}
}

/// Opens a file for reading and writing, or makes it. Neither a link nor a file that is somewhere else too is opened: writing
/// to it would change what is not ours.
fn open_own(path: &Path) -> Result<File, DiskError> {
	let mut options = OpenOptions::new();
	options.read(true).write(true).create(true).truncate(false).mode(0o600);
	// Without O_NONBLOCK a pipe in the file's place would make us wait for its other end.
	let file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path).map_err(at(path))?;
	let data = file.metadata().map_err(at(path))?;
	if !data.is_file() || data.nlink() != 1 {
		let text = "something else is in this file's place; remove it";
		return Err(at(path)(io::Error::new(io::ErrorKind::InvalidInput, text)));
	}
	Ok(file)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_is_no_file_of_ours_is_not_written_through() {
		let dir = tempfile::tempdir().unwrap();
		let victim = dir.path().join("victim");
		fs::write(&victim, "precious").unwrap();
		let root = [1; 32];
		for ending in ["partial", "tree"] {
			let place = dir.path().join(format!("{}.{ending}", hex::encode(root)));
			std::os::unix::fs::symlink(&victim, &place).unwrap();
			assert!(Partial::open(root, dir.path()).is_err(), "a link as {ending}");
			fs::remove_file(&place).unwrap();
			fs::hard_link(&victim, &place).unwrap();
			assert!(Partial::open(root, dir.path()).is_err(), "a second name as {ending}");
			fs::remove_file(&place).unwrap();
			assert_eq!(fs::read(&victim).unwrap(), b"precious");
		}
		assert!(Partial::open(root, dir.path()).is_ok());
	}

	#[test]
	fn what_does_not_fit_the_root_is_forgotten() {
		let dir = tempfile::tempdir().unwrap();
		let root = *blake3::hash(b"blob").as_bytes();
		fs::write(dir.path().join(format!("{}.partial", hex::encode(root))), "blot").unwrap();
		let (partial, held) = Partial::open(root, dir.path()).unwrap();
		assert_eq!((partial.size(), held), (None, vec![]));
		fs::write(dir.path().join(format!("{}.partial", hex::encode(root))), "blob").unwrap();
		let (partial, held) = Partial::open(root, dir.path()).unwrap();
		assert_eq!((partial.size(), held), (Some(4), vec![true]));
	}
}
