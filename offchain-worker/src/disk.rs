//! Files that are whole or absent, and what can go wrong with them.

use millrace_primitives::BlobHash;
use std::{
	fs::{self, File},
	io::{self, Write},
	path::{Path, PathBuf},
};

/// Why a blob could not be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
	/// The blob is larger than the limit.
	#[error("the blob has {bytes} bytes; this node takes at most {limit} (option --worker-max-blob)")]
	TooLarge {
		/// Its length.
		bytes: u64,
		/// The limit, in bytes.
		limit: u64,
	},
	/// The store is full, and every blob in it was used lately.
	#[error("no room for {bytes} bytes: {used} of {quota} are in use (option --worker-blob-quota); try again later")]
	StoreFull {
		/// Length of the blob.
		bytes: u64,
		/// Bytes in use.
		used: u64,
		/// Bytes that this kind of blob may fill.
		quota: u64,
	},
	/// The file's bytes do not have the hash of its name. It was removed: put the blob again.
	#[error("blob {0:?} was damaged on disk and has been removed; put it again")]
	Corrupt(BlobHash),
	/// The disk failed.
	#[error("{path}: {source}")]
	Io {
		/// The file or folder.
		path: PathBuf,
		/// What the system said.
		source: io::Error,
	},
}

/// Writes a file so that after a crash or a power cut it is either whole or absent: `part` is written and flushed, renamed
/// to `path`, and the folder is flushed.
pub(crate) fn write_whole(part: &Path, path: &Path, bytes: &[u8]) -> Result<(), BlobError> {
	let mut file = File::create(part).map_err(at(part))?;
	file.write_all(bytes).map_err(at(part))?;
	file.sync_all().map_err(at(part))?;
	move_whole(part, path)
}

/// Moves a file that is whole and flushed to its place on the same file system, and flushes the folder.
pub(crate) fn move_whole(part: &Path, path: &Path) -> Result<(), BlobError> {
	fs::rename(part, path).map_err(at(path))?;
	let dir = path.parent().unwrap_or(Path::new("."));
	File::open(dir).and_then(|dir| dir.sync_all()).map_err(at(dir))
}

/// Adds the path to an error of the disk.
pub(crate) fn at(path: &Path) -> impl FnOnce(io::Error) -> BlobError + '_ {
	move |source| BlobError::Io { path: path.to_owned(), source }
}
