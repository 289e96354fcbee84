//! How much of the disk images take, and copying blobs with an eye on their hashes.

use crate::ContainerError;
use millrace_job::BlobHash;
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Read, Write},
	os::unix::fs::{MetadataExt, OpenOptionsExt},
	path::Path,
};

/// The most files of a store. More of them would be an attack on the file system's own tables.
const MAX_FILES: u64 = 4_000_000;

/// Whether a folder takes more than `limit` bytes of the disk. What vanishes meanwhile does not count.
pub(crate) fn is_over(folder: &Path, limit: u64) -> bool {
	let mut todo = Vec::from([folder.to_path_buf()]);
	let (mut bytes, mut files) = (0_u64, 0_u64);
	while let Some(folder) = todo.pop() {
		for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
			let Ok(metadata) = entry.metadata() else { continue };
			files += 1;
			// Blocks, not the length: a file may have holes.
			bytes = bytes.saturating_add(metadata.blocks().saturating_mul(512));
			if bytes > limit || files > MAX_FILES {
				return true;
			}
			if metadata.is_dir() {
				todo.push(entry.path());
			}
		}
	}
	false
}

/// Reads a blob's file to its end, passes its bytes on, and checks its hash.
fn read_blob(blob: BlobHash, path: &Path, sink: &mut dyn Write) -> Result<(), ContainerError> {
	let missing = |_: io::Error| ContainerError::BlobMissing(blob);
	let mut file = File::open(path).map_err(missing)?;
	let mut hasher = blake3::Hasher::new();
	let mut chunk = vec![0; 1 << 20];
	loop {
		let read = file.read(&mut chunk).map_err(missing)?;
		let bytes = chunk.get(..read).unwrap_or_default();
		if bytes.is_empty() {
			break;
		}
		hasher.update(bytes);
		sink.write_all(bytes).map_err(ContainerError::broken("a blob cannot be copied"))?;
	}
	if BlobHash(*hasher.finalize().as_bytes()) == blob {
		Ok(())
	} else {
		Err(ContainerError::BlobMissing(blob))
	}
}

/// Whether the file has the blob's bytes.
pub(crate) fn check_blob(blob: BlobHash, path: &Path) -> Result<(), ContainerError> {
	read_blob(blob, path, &mut io::sink())
}

/// Copies a blob to a new file that everybody can read and execute.
pub(crate) fn copy_blob(blob: BlobHash, path: &Path, to: &Path) -> Result<(), ContainerError> {
	let opened = OpenOptions::new().write(true).create_new(true).mode(0o555).open(to);
	let mut file = opened.map_err(ContainerError::broken(to.display()))?;
	read_blob(blob, path, &mut file)
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn what_a_folder_takes_is_counted_in_blocks_and_in_depth() {
		let folder = tempfile::tempdir().unwrap();
		let deep = folder.path().join("a/b/c");
		fs::create_dir_all(&deep).unwrap();
		fs::write(deep.join("real"), vec![1; 1 << 20]).unwrap();
		File::create(deep.join("hole")).unwrap().set_len(1 << 40).unwrap();
		assert!(is_over(folder.path(), 1 << 20));
		assert!(!is_over(folder.path(), 2 << 20));
		assert!(!is_over(&folder.path().join("not there"), 0));
	}

	#[test]
	fn a_blob_with_other_bytes_is_not_taken() {
		let folder = tempfile::tempdir().unwrap();
		let (path, copy) = (folder.path().join("blob"), folder.path().join("copy"));
		fs::write(&path, "other bytes").unwrap();
		let blob = BlobHash::of(b"these bytes");
		assert_eq!(copy_blob(blob, &path, &copy), Err(ContainerError::BlobMissing(blob)));
		assert_eq!(check_blob(blob, &folder.path().join("absent")), Err(ContainerError::BlobMissing(blob)));
		assert_eq!(check_blob(BlobHash::of(b"other bytes"), &path), Ok(()));
	}
}
