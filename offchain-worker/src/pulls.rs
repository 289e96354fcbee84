//! Pulling blobs over HTTPS, from where a renter says that they are.

use crate::{blobs::Blobs, disk::BlobError};
use millrace_blob::http::{HttpError, Puller, PullerConfig};
use millrace_primitives::BlobHash;
use std::path::PathBuf;
use tokio::sync::Semaphore;

/// Blobs that are pulled at a time.
const AT_ONCE: usize = 4;

/// Why a blob was not pulled.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PullError {
	/// The most are under way.
	#[error("this node pulls {AT_ONCE} blobs already; try again soon")]
	Busy,
	/// The URL, or what is behind it.
	#[error(transparent)]
	Http(#[from] HttpError),
	/// The store.
	#[error(transparent)]
	Blob(#[from] BlobError),
	/// This node's trouble.
	#[error("{0}")]
	Node(String),
}

/// Pulls blobs into the store.
pub(crate) struct Pulls {
	puller: Puller,
	blobs: Blobs,
	slots: Semaphore,
}

impl Pulls {
	/// Pulls into `dir` first. What an earlier run left there is removed.
	pub(crate) fn open(blobs: Blobs, dir: PathBuf) -> Result<Self, HttpError> {
		Ok(Self { puller: Puller::open(PullerConfig::new(dir))?, blobs, slots: Semaphore::new(AT_ONCE) })
	}

	/// Pulls a blob, unless it is here. Returns its length in bytes.
	pub(crate) async fn pull(&self, hash: BlobHash, url: &str) -> Result<u64, PullError> {
		if let Some(bytes) = self.blobs.has(hash) {
			return Ok(bytes);
		}
		let _slot = self.slots.try_acquire().map_err(|_| PullError::Busy)?;
		let pulled = self.puller.pull(url, hash.0, self.blobs.limits().max_blob_bytes, |_| {}).await?;
		let (blobs, path) = (self.blobs.clone(), pulled.path);
		let adopted = crate::executors::on_own_thread(move || blobs.adopt(&path, hash)).await;
		adopted.map_err(PullError::Node)??;
		Ok(pulled.bytes)
	}
}
