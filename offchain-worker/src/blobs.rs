//! The blob store: files named by the BLAKE3 hash of their bytes.
//!
//! A blob is whole or absent: it is written beside its place, flushed, and renamed. Its bytes are checked against its name
//! whenever they are read. Uploads may fill three quarters of the quota; the rest is kept for outputs and checkpoints of jobs,
//! so that strangers cannot stop this node's work. When room is needed, blobs that nobody used for a
//! day make it, oldest first. A checkpoint that was replaced by a newer one goes at once, unless somebody else put the same bytes.

use crate::{
	disk::{at, move_whole, write_whole, BlobError},
	LOG_TARGET,
};
use millrace_blob::{Root, Source};
use millrace_job::blob_hash;
use millrace_primitives::BlobHash;
use std::{
	collections::HashMap,
	fs::{self, File},
	io,
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicU64, Ordering},
		Arc, Mutex, MutexGuard, PoisonError,
	},
	time::{Duration, SystemTime},
};

/// How long an unused blob stays when its room is wanted.
const KEEP_UNUSED: Duration = Duration::from_secs(24 * 60 * 60);
/// A file's time is refreshed by a use when it is older than this: it needs to be right to the hour only.
const TOUCH_AFTER: Duration = Duration::from_secs(60 * 60);
/// Name's ending of a file that is still being written.
const UNFINISHED: &str = "part";

/// Limits of a blob store.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BlobLimits {
	/// Largest blob, in bytes.
	pub max_blob_bytes: u64,
	/// Most bytes of all blobs together.
	pub quota_bytes: u64,
}

/// For whom room is made.
#[derive(Clone, Copy)]
enum Share {
	Uploads,
	Outputs,
	Checkpoints,
}

/// A store of blobs on disk. Clones are the same store.
#[derive(Clone)]
pub struct Blobs(Arc<Store>);

struct Store {
	dir: PathBuf,
	limits: BlobLimits,
	index: Mutex<Index>,
	/// Makes the names of unfinished files unique.
	writes: AtomicU64,
}

#[derive(Default)]
struct Index {
	blobs: HashMap<BlobHash, Entry>,
	/// Bytes of all blobs, and of those that are being written.
	used: u64,
}

#[derive(Clone, Copy)]
struct Entry {
	bytes: u64,
	last_used: SystemTime,
	/// It is here as a checkpoint alone, so that it can go when its job has a newer one.
	transient: bool,
}

impl Blobs {
	/// Opens the store in `dir`, which is made if it is missing. Unfinished files of an earlier run are removed.
	pub fn open(dir: impl Into<PathBuf>, limits: BlobLimits) -> Result<Self, BlobError> {
		let dir = dir.into();
		fs::create_dir_all(&dir).map_err(at(&dir))?;
		let mut index = Index::default();
		for file in fs::read_dir(&dir).map_err(at(&dir))? {
			let path = file.map_err(at(&dir))?.path();
			match hash_of_name(&path) {
				Some(hash) => {
					let data = fs::metadata(&path).map_err(at(&path))?;
					let last_used = data.modified().map_err(at(&path))?;
					index.used = index.used.saturating_add(data.len());
					index.blobs.insert(hash, Entry { bytes: data.len(), last_used, transient: false });
				}
				None if path.extension().is_some_and(|ending| ending == UNFINISHED) => {
					fs::remove_file(&path).map_err(at(&path))?
				}
				None => log::warn!(target: LOG_TARGET, "{} is no blob; left alone", path.display()),
			}
		}
		Ok(Self(Arc::new(Store { dir, limits, index: Mutex::new(index), writes: AtomicU64::new(0) })))
	}

	/// Limits of this store.
	pub fn limits(&self) -> BlobLimits {
		self.0.limits
	}

	/// Bytes of all blobs.
	pub fn used_bytes(&self) -> u64 {
		self.0.index().used
	}

	/// Length of a blob in bytes, if it is here.
	pub fn has(&self, hash: BlobHash) -> Option<u64> {
		self.0.index().blobs.get(&hash).map(|entry| entry.bytes)
	}

	/// Where a blob's bytes are while it is here. They are not checked.
	pub(crate) fn file(&self, hash: BlobHash) -> PathBuf {
		self.0.path(hash)
	}

	/// Stores an upload and returns its hash. Blocks on the disk.
	pub fn put(&self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
		self.0.put(bytes, Share::Uploads)
	}

	/// Takes a whole file whose bytes were found to have this hash, on the file system of the store. The file is gone afterwards, also
	/// if there is no room for it. Blocks on the disk.
	pub(crate) fn adopt(&self, file: &Path, hash: BlobHash) -> Result<(), BlobError> {
		let adopted = self.0.adopt(file, hash);
		if adopted.is_err() || file.exists() {
			// What cannot be removed is removed at the next start.
			let _ = fs::remove_file(file);
		}
		adopted
	}

	/// Sees to it that an output of so many bytes finds room, as far as that can be told beforehand: others may take it meanwhile.
	/// Blocks on the disk.
	pub(crate) fn make_room(&self, bytes: u64) -> Result<(), BlobError> {
		self.0.reserve(bytes, Share::Outputs)?;
		let mut index = self.0.index();
		index.used = index.used.saturating_sub(bytes);
		Ok(())
	}

	/// Stores the output of a job, in the room that is kept for outputs. Blocks on the disk.
	pub fn put_output(&self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
		self.0.put(bytes, Share::Outputs)
	}

	/// Stores a checkpoint of a job, in the room that is kept for outputs. Blocks on the disk.
	pub(crate) fn put_checkpoint(&self, bytes: &[u8]) -> Result<BlobHash, BlobError> {
		self.0.put(bytes, Share::Checkpoints)
	}

	/// Notes that a blob is still needed, if it is here: one that is in use does not make room.
	pub(crate) fn keep(&self, hash: BlobHash) {
		self.0.touch(hash);
	}

	/// Removes a blob that is here as a checkpoint alone. After a restart nobody knows what a blob is here for, so that it stays
	/// until its room is wanted.
	pub(crate) fn discard_checkpoint(&self, hash: BlobHash) {
		let mut index = self.0.index();
		if let Some(entry) = index.blobs.get(&hash).copied().filter(|entry| entry.transient) {
			self.0.remove(&mut index, hash, entry.bytes);
		}
	}

	/// The bytes of a blob, checked; `None` if it is not here. Blocks on the disk.
	pub fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
		self.0.get(hash)
	}
}

impl Store {
	fn put(&self, bytes: &[u8], share: Share) -> Result<BlobHash, BlobError> {
		let length = bytes.len() as u64;
		if length > self.limits.max_blob_bytes {
			return Err(BlobError::TooLarge { bytes: length, limit: self.limits.max_blob_bytes });
		}
		let hash = BlobHash::from(blob_hash(bytes));
		let transient = matches!(share, Share::Checkpoints);
		if self.touch_and(hash, |entry| entry.transient &= transient).is_some() {
			return Ok(hash);
		}
		self.reserve(length, share)?;
		let written = self.write(hash, bytes);
		let mut index = self.index();
		let replaced = match written {
			Ok(()) => {
				let other = index.blobs.get(&hash).copied();
				let transient = transient && other.is_none_or(|other| other.transient);
				index.blobs.insert(hash, Entry { bytes: length, last_used: SystemTime::now(), transient });
				other.is_some()
			}
			Err(_) => true,
		};
		if replaced {
			// Another thread stored the same blob meanwhile, or nothing was stored: either way this room is not used.
			index.used = index.used.saturating_sub(length);
		}
		written.map(|()| hash)
	}

	fn adopt(&self, file: &Path, hash: BlobHash) -> Result<(), BlobError> {
		let length = fs::metadata(file).map_err(at(file))?.len();
		if length > self.limits.max_blob_bytes {
			return Err(BlobError::TooLarge { bytes: length, limit: self.limits.max_blob_bytes });
		}
		if self.touch_and(hash, |entry| entry.transient = false).is_some() {
			return Ok(());
		}
		self.reserve(length, Share::Uploads)?;
		let moved = move_whole(file, &self.path(hash));
		let mut index = self.index();
		let entry = Entry { bytes: length, last_used: SystemTime::now(), transient: false };
		let replaced = moved.is_err() || index.blobs.insert(hash, entry).is_some();
		if replaced {
			index.used = index.used.saturating_sub(length);
		}
		moved
	}

	/// Counts `bytes` as used, after making room if need be.
	fn reserve(&self, bytes: u64, share: Share) -> Result<(), BlobError> {
		let quota = match share {
			Share::Uploads => self.limits.quota_bytes / 4 * 3,
			Share::Outputs | Share::Checkpoints => self.limits.quota_bytes,
		};
		let mut index = self.index();
		if index.used.saturating_add(bytes) > quota {
			self.evict(&mut index, bytes, quota);
		}
		let after = index.used.saturating_add(bytes);
		if after > quota {
			return Err(BlobError::StoreFull { bytes, used: index.used, quota });
		}
		index.used = after;
		Ok(())
	}

	/// Removes blobs that nobody used for long, oldest first, until `bytes` more fit into `quota`.
	fn evict(&self, index: &mut Index, bytes: u64, quota: u64) {
		let now = SystemTime::now();
		let mut unused: Vec<(SystemTime, BlobHash, u64)> = index
			.blobs
			.iter()
			.filter(|(_, entry)| now.duration_since(entry.last_used).is_ok_and(|age| age > KEEP_UNUSED))
			.map(|(hash, entry)| (entry.last_used, *hash, entry.bytes))
			.collect();
		unused.sort_unstable();
		for (_, hash, length) in unused {
			if index.used.saturating_add(bytes) <= quota {
				break;
			}
			self.remove(index, hash, length);
		}
	}

	/// Removes a blob, or says why it cannot be removed and leaves it.
	fn remove(&self, index: &mut Index, hash: BlobHash, length: u64) {
		match fs::remove_file(self.path(hash)) {
			Ok(()) => log::debug!(target: LOG_TARGET, "blob {hash:?} was removed"),
			Err(error) if error.kind() == io::ErrorKind::NotFound => {}
			Err(error) => {
				log::warn!(target: LOG_TARGET, "blob {hash:?} cannot be removed: {error}");
				return;
			}
		}
		index.blobs.remove(&hash);
		index.used = index.used.saturating_sub(length);
	}

	fn write(&self, hash: BlobHash, bytes: &[u8]) -> Result<(), BlobError> {
		let turn = self.writes.fetch_add(1, Ordering::Relaxed);
		let part = self.dir.join(format!("{}.{turn}.{UNFINISHED}", hex::encode(hash)));
		let written = write_whole(&part, &self.path(hash), bytes);
		if written.is_err() {
			// The disk may be full: do not leave half a blob there. What cannot be removed is removed at the next start.
			let _ = fs::remove_file(&part);
		}
		written
	}

	fn get(&self, hash: BlobHash) -> Result<Option<Vec<u8>>, BlobError> {
		if self.touch(hash).is_none() {
			return Ok(None);
		}
		let path = self.path(hash);
		let bytes = match fs::read(&path) {
			Ok(bytes) => bytes,
			Err(error) if error.kind() == io::ErrorKind::NotFound => {
				self.forget(hash);
				return Ok(None);
			}
			Err(error) => return Err(at(&path)(error)),
		};
		if BlobHash::from(blob_hash(&bytes)) != hash {
			match fs::remove_file(&path) {
				// Another reader may have removed it already.
				Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
				_ => self.forget(hash),
			}
			return Err(BlobError::Corrupt(hash));
		}
		Ok(Some(bytes))
	}

	/// Notes that a blob was used, if it is here.
	fn touch(&self, hash: BlobHash) -> Option<()> {
		self.touch_and(hash, |_| {})
	}

	/// Notes that a blob was used, and changes its entry, if it is here.
	fn touch_and(&self, hash: BlobHash, change: impl FnOnce(&mut Entry)) -> Option<()> {
		let now = SystemTime::now();
		let before = {
			let mut index = self.index();
			let entry = index.blobs.get_mut(&hash)?;
			change(entry);
			std::mem::replace(&mut entry.last_used, now)
		};
		if now.duration_since(before).is_ok_and(|age| age > TOUCH_AFTER) {
			// The file's time tells the next start; without it the blob merely makes room earlier.
			let _ =
				File::options().append(true).open(self.path(hash)).and_then(|file| file.set_modified(now));
		}
		Some(())
	}

	fn forget(&self, hash: BlobHash) {
		let mut index = self.index();
		if let Some(entry) = index.blobs.remove(&hash) {
			index.used = index.used.saturating_sub(entry.bytes);
		}
	}

	fn path(&self, hash: BlobHash) -> PathBuf {
		self.dir.join(hex::encode(hash))
	}

	/// The index is right after every statement that changes it, so a thread that panicked leaves nothing half done.
	fn index(&self) -> MutexGuard<'_, Index> {
		self.index.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

impl Source for Blobs {
	fn open(&self, root: Root) -> Option<(File, u64)> {
		let hash = BlobHash::from(root);
		self.0.touch(hash)?;
		let file = File::open(self.0.path(hash)).ok()?;
		let bytes = file.metadata().ok()?.len();
		Some((file, bytes))
	}
}

fn hash_of_name(path: &Path) -> Option<BlobHash> {
	let mut hash = [0; 32];
	hex::decode_to_slice(path.file_name()?.to_str()?, &mut hash).ok()?;
	Some(hash.into())
}
