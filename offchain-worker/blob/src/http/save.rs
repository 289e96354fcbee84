//! Writes a body to a file of ours while it is hashed.

use super::{HttpError, Pulled};
use crate::{
	partial::{at, DiskError},
	Root,
};
use hyper::body::Bytes;
use std::{
	fs::{self, File, OpenOptions},
	io::{self, Write},
	os::unix::fs::OpenOptionsExt,
	path::{Path, PathBuf},
	sync::atomic::{AtomicU64, Ordering},
};
use tokio::{sync::mpsc, task::JoinHandle};

/// Ending of the files' names.
const ENDING: &str = "pull";
/// Pieces that wait for the disk. Each is one read of the connection, so this bounds memory.
const PIECES: usize = 16;

/// The folder that the files are in.
pub(super) struct Folder {
	dir: PathBuf,
	/// Makes their names unique.
	count: AtomicU64,
}

impl Folder {
	/// Opens the folder, or makes it, and removes files of an earlier run.
	pub(super) fn open(dir: &Path) -> Result<Self, DiskError> {
		fs::create_dir_all(dir).map_err(at(dir))?;
		for entry in fs::read_dir(dir).map_err(at(dir))? {
			let path = entry.map_err(at(dir))?.path();
			if path.extension().is_some_and(|ending| ending == ENDING) {
				fs::remove_file(&path).map_err(at(&path))?;
			}
		}
		Ok(Self { dir: dir.to_owned(), count: AtomicU64::new(0) })
	}

	/// Makes a file for a blob. Whatever has its name already, a link too, is an error.
	pub(super) fn start(&self, root: Root) -> Result<Saving, DiskError> {
		let turn = self.count.fetch_add(1, Ordering::Relaxed);
		let path = self.dir.join(format!("{}.{turn}.{ENDING}", hex::encode(root)));
		let mut options = OpenOptions::new();
		options.write(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
		let file = options.open(&path).map_err(at(&path))?;
		let place = Place(Some(path));
		let (pieces, queue) = mpsc::channel(PIECES);
		let writer = tokio::task::spawn_blocking(move || write(file, place, root, queue));
		Ok(Saving { pieces, writer })
	}
}

/// A file that is removed unless it turns out right.
struct Place(Option<PathBuf>);

impl Place {
	fn path(&self) -> &Path {
		self.0.as_deref().unwrap_or(Path::new(""))
	}
}

impl Drop for Place {
	fn drop(&mut self) {
		if let Some(path) = &self.0 {
			// What cannot be removed is removed when the folder is opened again.
			let _ = fs::remove_file(path);
		}
	}
}

/// A file that is being written, on a thread that may block.
pub(super) struct Saving {
	pieces: mpsc::Sender<Option<Bytes>>,
	writer: JoinHandle<Result<Pulled, HttpError>>,
}

impl Saving {
	/// Hands over a piece; false if the writer has failed.
	pub(super) async fn write(&self, piece: Bytes) -> bool {
		self.pieces.send(Some(piece)).await.is_ok()
	}

	/// Ends the file and checks its hash. Without this call the file is removed.
	pub(super) async fn finish(self) -> Result<Pulled, HttpError> {
		// If it has failed already, its result says so.
		let _ = self.pieces.send(None).await;
		let lost = |error| HttpError::Connect(io::Error::other(error));
		self.writer.await.map_err(lost)?
	}
}

/// Writes until `None` comes. If the sender is gone before, the pull was given up, and `place` removes the file.
fn write(
	mut file: File,
	mut place: Place,
	root: Root,
	mut pieces: mpsc::Receiver<Option<Bytes>>,
) -> Result<Pulled, HttpError> {
	let mut hasher = blake3::Hasher::new();
	loop {
		match pieces.blocking_recv() {
			Some(Some(piece)) => {
				hasher.update(&piece);
				file.write_all(&piece).map_err(at(place.path()))?;
			}
			Some(None) => break,
			None => return Err(HttpError::WrongHash { bytes: hasher.count() }),
		}
	}
	let bytes = hasher.count();
	// Compared in constant time, which does no harm.
	if hasher.finalize() != blake3::Hash::from(root) {
		return Err(HttpError::WrongHash { bytes });
	}
	file.sync_all().map_err(at(place.path()))?;
	let path = place.0.take().unwrap_or_default();
	Ok(Pulled { path, bytes })
}
