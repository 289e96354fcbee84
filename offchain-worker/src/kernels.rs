//! Kernels that were compiled here, so that a job need not wait for the compiler again.
//!
//! A file for each kernel, compute capability and version of CUDA, whole or absent. What a compiler made of one renter's text is used for
//! that very text alone: the name has its hash, and so have the bytes, which are compared before a driver sees them.

use crate::{
	disk::{at, write_whole, BlobError},
	LOG_TARGET,
};
use millrace_executor::DeviceInfo;
use millrace_job::BlobHash;
use std::{
	fs::{self, File},
	io,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, PoisonError},
	time::SystemTime,
};

/// Most bytes of compiled kernels. Those that were not used for longest make room.
const QUOTA_BYTES: u64 = 512 << 20;
/// Name's ending of a file that is still being written.
const UNFINISHED: &str = "part";

/// The compiled kernels of a machine. Clones are the same.
#[derive(Clone)]
pub(crate) struct Kernels(Arc<Folder>);

struct Folder {
	path: PathBuf,
	/// Held while something is written, so that there is one writer.
	writer: Mutex<()>,
}

impl Kernels {
	/// Opens the folder, which is made if it is missing. What an earlier run left half written is removed.
	pub(crate) fn open(path: PathBuf) -> Result<Self, BlobError> {
		fs::create_dir_all(&path).map_err(at(&path))?;
		for file in fs::read_dir(&path).map_err(at(&path))? {
			let file = file.map_err(at(&path))?.path();
			if file.extension().is_some_and(|ending| ending == UNFINISHED) {
				fs::remove_file(&file).map_err(at(&file))?;
			}
		}
		Ok(Self(Arc::new(Folder { path, writer: Mutex::new(()) })))
	}

	/// What was made of a kernel for such a device. Blocks on the disk; what cannot be read is not there.
	pub(crate) fn get(&self, kernel: &BlobHash, device: &DeviceInfo) -> Option<Vec<u8>> {
		let path = self.0.path.join(name(kernel, device));
		let bytes = fs::read(&path).ok()?;
		// The time of its last use; without it the kernel merely makes room earlier.
		let _ =
			File::options().append(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
		Some(bytes)
	}

	/// Keeps what was made of a kernel. Blocks on the disk. A failure costs the next job some time, and is told.
	pub(crate) fn put(&self, kernel: &BlobHash, device: &DeviceInfo, compiled: &[u8]) {
		if let Err(error) = self.0.write(&name(kernel, device), compiled) {
			log::warn!(target: LOG_TARGET, "a compiled kernel could not be kept: {error}");
		}
	}

	/// Forgets what was made of a kernel: a device did not get on with it.
	pub(crate) fn forget(&self, kernel: &BlobHash, device: &DeviceInfo) {
		// What is not there need not be removed; what stays is only slower.
		let _ = fs::remove_file(self.0.path.join(name(kernel, device)));
	}
}

impl Folder {
	fn write(&self, name: &str, compiled: &[u8]) -> Result<(), BlobError> {
		let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
		self.make_room(compiled.len() as u64)?;
		let part = self.path.join(format!("{name}.{UNFINISHED}"));
		let written = write_whole(&part, &self.path.join(name), compiled);
		if written.is_err() {
			let _ = fs::remove_file(&part);
		}
		written
	}

	/// Removes files, the one that was not used for longest first, until so many more bytes fit.
	fn make_room(&self, bytes: u64) -> Result<(), BlobError> {
		let mut files = Vec::new();
		for file in fs::read_dir(&self.path).map_err(at(&self.path))? {
			files.push(file.and_then(|file| used(&file.path())).map_err(at(&self.path))?);
		}
		files.sort_unstable();
		let mut all: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
		for (_, length, path) in files {
			if all.saturating_add(bytes) <= QUOTA_BYTES {
				break;
			}
			fs::remove_file(&path).map_err(at(&path))?;
			all = all.saturating_sub(length);
		}
		Ok(())
	}
}

/// When a file was last used, its length, and its path.
fn used(path: &Path) -> io::Result<(SystemTime, u64, PathBuf)> {
	let data = fs::metadata(path)?;
	Ok((data.modified()?, data.len(), path.into()))
}

/// A file's name. Of the version only digits and points are taken: it comes from a driver.
fn name(kernel: &BlobHash, device: &DeviceInfo) -> String {
	let (major, minor) = device.compute_capability.unwrap_or_default();
	let version: String = device
		.driver
		.iter()
		.flat_map(|text| text.chars())
		.filter(|c| c.is_ascii_digit() || *c == '.')
		.collect();
	format!("{kernel}-sm{major}{minor}-cuda{version}")
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_executor::Kind;

	fn gpu(driver: &str) -> DeviceInfo {
		DeviceInfo {
			kind: Kind::Cuda,
			name: "GPU".into(),
			memory_bytes: 1 << 30,
			uuid: "GPU-0".into(),
			driver: Some(driver.into()),
			compute_capability: Some((9, 0)),
		}
	}

	#[test]
	fn a_kernel_is_found_for_the_same_text_and_the_same_kind_of_device_after_a_restart() {
		let folder = tempfile::tempdir().unwrap();
		let (kernel, path) = (BlobHash::of(b"text"), folder.path().join("kernels"));
		Kernels::open(path.clone()).unwrap().put(&kernel, &gpu("12.4"), b"image");
		fs::write(path.join("half.part"), b"ima").unwrap();
		let kernels = Kernels::open(path.clone()).unwrap();
		assert_eq!(kernels.get(&kernel, &gpu("12.4")), Some(b"image".to_vec()));
		assert_eq!(kernels.get(&kernel, &gpu("12.8")), None, "another driver");
		assert_eq!(kernels.get(&BlobHash::of(b"another"), &gpu("12.4")), None);
		assert_eq!(fs::read_dir(&path).unwrap().count(), 1, "what was half written is gone");
		kernels.forget(&kernel, &gpu("12.4"));
		assert_eq!(kernels.get(&kernel, &gpu("12.4")), None);
	}

	#[test]
	fn a_version_cannot_lead_out_of_the_folder() {
		let name = name(&BlobHash::of(b"text"), &gpu("../../12.4/x"));
		assert!(!name.contains('/') && name.ends_with("-sm90-cuda....12.4"), "{name}");
	}

	#[test]
	fn the_kernel_that_was_not_used_for_longest_makes_room() {
		let folder = tempfile::tempdir().unwrap();
		let kernels = Kernels::open(folder.path().join("kernels")).unwrap();
		let of = |text: &[u8]| BlobHash::of(text);
		for (age, text) in [(2, b"a"), (1, b"b")] {
			kernels.put(&of(text), &gpu("1"), b"image");
			// Sparse, so that the quota is reached without filling a disk.
			let file =
				File::options().append(true).open(kernels.0.path.join(name(&of(text), &gpu("1")))).unwrap();
			file.set_len(QUOTA_BYTES / 2).unwrap();
			file.set_modified(SystemTime::now() - std::time::Duration::from_secs(age * 60)).unwrap();
		}
		kernels.put(&of(b"c"), &gpu("1"), b"image");
		let found = |text: &[u8]| kernels.0.path.join(name(&of(text), &gpu("1"))).exists();
		assert_eq!([found(b"a"), found(b"b"), found(b"c")], [false, true, true]);
	}
}
