//! The JSON-RPC methods of blobs and worker.

use crate::{
	blobs::Blobs,
	disk::BlobError,
	pulls::{PullError, Pulls},
	status::{DeviceStatus, JobLog, JobStatus, WorkerStatus, WorkerStatusHandle},
};
use jsonrpsee::{
	core::{async_trait, RegisterMethodError, RpcResult},
	proc_macros::rpc,
	types::ErrorObjectOwned,
	RpcModule,
};
use millrace_primitives::{AccountId, BlobHash};
use serde::{Deserialize, Serialize};
use sp_core::Bytes;
use std::path::PathBuf;

/// Error codes of these methods. The SDK's own methods end below 9000.
mod code {
	pub(super) const TOO_LARGE: i32 = 9001;
	pub(super) const STORE_FULL: i32 = 9002;
	pub(super) const NO_SUCH_BLOB: i32 = 9003;
	pub(super) const CORRUPT: i32 = 9004;
	pub(super) const IO: i32 = 9005;
	pub(super) const NOT_PULLED: i32 = 9006;
	pub(super) const BUSY: i32 = 9007;
	pub(super) const NO_WORKER: i32 = 9010;
	pub(super) const NO_SUCH_JOB: i32 = 9011;
}

/// Whether a blob is here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct BlobPresence {
	/// It is in this node's store.
	pub present: bool,
	/// Its length in bytes; 0 if it is not here.
	pub bytes: u64,
}

/// Blobs, which every node serves, and the worker's state.
#[rpc(server)]
pub trait WorkerRpc {
	/// Stores a blob and returns its BLAKE3 hash. Storing it again does no harm.
	#[method(name = "blob_put")]
	async fn blob_put(&self, data: Bytes) -> RpcResult<BlobHash>;

	/// Has the node pull a blob from an `https` URL; returns its length once it is here. The bytes must have the hash, and come from a
	/// public address.
	#[method(name = "blob_pull")]
	async fn blob_pull(&self, hash: BlobHash, url: String) -> RpcResult<u64>;

	/// The bytes of a blob.
	#[method(name = "blob_get")]
	async fn blob_get(&self, hash: BlobHash) -> RpcResult<Bytes>;

	/// Whether a blob is here, and its length.
	#[method(name = "blob_has")]
	fn blob_has(&self, hash: BlobHash) -> RpcResult<BlobPresence>;

	/// The devices that the worker has found.
	#[method(name = "worker_devices")]
	fn worker_devices(&self) -> RpcResult<Vec<DeviceStatus>>;

	/// The account of the worker's key, which the provider names on chain; null while the keystore has none.
	#[method(name = "worker_key")]
	fn worker_key(&self) -> RpcResult<Option<AccountId>>;

	/// Provider, leases, jobs, the last report, and the last error.
	#[method(name = "worker_status")]
	fn worker_status(&self) -> RpcResult<WorkerStatus>;

	/// The jobs that the worker has seen since it started, the latest first; at most 1024.
	#[method(name = "worker_jobs")]
	fn worker_jobs(&self) -> RpcResult<Vec<JobStatus>>;

	/// One job: where it stands, and why it failed.
	#[method(name = "worker_job")]
	fn worker_job(&self, lease: u64, job: u32) -> RpcResult<JobStatus>;

	/// The last 64 KiB of what a job's container printed since the worker started.
	#[method(name = "worker_log")]
	fn worker_log(&self, lease: u64, job: u32) -> RpcResult<JobLog>;
}

struct Methods {
	blobs: Blobs,
	/// Or why nothing can be pulled.
	pulls: Result<Pulls, String>,
	status: WorkerStatusHandle,
}

/// The methods `blob_*` and `worker_*`, to be merged into a node's RPC. None of them needs a trusted caller: blobs are bounded
/// by the store's limits, and the others only read.
///
/// `pull_dir` is for what is being pulled, on the file system of the store. Fails only if a method is registered twice.
pub fn rpc(
	blobs: Blobs,
	status: WorkerStatusHandle,
	pull_dir: PathBuf,
) -> Result<RpcModule<()>, RegisterMethodError> {
	// A node goes on without it, and says why to whoever wants a blob pulled.
	let pulls = Pulls::open(blobs.clone(), pull_dir).map_err(|error| error.to_string());
	let mut module = RpcModule::new(());
	module.merge(Methods { blobs, pulls, status }.into_rpc())?;
	Ok(module)
}

#[async_trait]
impl WorkerRpcServer for Methods {
	async fn blob_put(&self, data: Bytes) -> RpcResult<BlobHash> {
		let blobs = self.blobs.clone();
		on_disk_thread(move || blobs.put(&data.0)).await
	}

	async fn blob_pull(&self, hash: BlobHash, url: String) -> RpcResult<u64> {
		let pulls = self.pulls.as_ref().map_err(|why| error(code::IO, why))?;
		pulls.pull(hash, &url).await.map_err(|failure| match failure {
			PullError::Blob(failure) => blob_error(&failure),
			PullError::Busy => error(code::BUSY, failure.to_string()),
			PullError::Http(_) => error(code::NOT_PULLED, failure.to_string()),
			PullError::Node(why) => error(code::IO, why),
		})
	}

	async fn blob_get(&self, hash: BlobHash) -> RpcResult<Bytes> {
		let blobs = self.blobs.clone();
		let found = on_disk_thread(move || blobs.get(hash)).await?;
		found.map(Bytes).ok_or_else(|| {
			error(code::NO_SUCH_BLOB, format!("this node has no blob {hash:?}; ask the node of the provider"))
		})
	}

	fn blob_has(&self, hash: BlobHash) -> RpcResult<BlobPresence> {
		let bytes = self.blobs.has(hash);
		Ok(BlobPresence { present: bytes.is_some(), bytes: bytes.unwrap_or(0) })
	}

	fn worker_devices(&self) -> RpcResult<Vec<DeviceStatus>> {
		Ok(self.worker()?.devices)
	}

	fn worker_key(&self) -> RpcResult<Option<AccountId>> {
		Ok(self.worker()?.worker)
	}

	fn worker_status(&self) -> RpcResult<WorkerStatus> {
		self.worker()
	}

	fn worker_jobs(&self) -> RpcResult<Vec<JobStatus>> {
		self.worker()?;
		Ok(self.status.jobs())
	}

	fn worker_job(&self, lease: u64, job: u32) -> RpcResult<JobStatus> {
		self.worker()?;
		self.status.job(lease, job).ok_or_else(|| no_such_job(lease, job))
	}

	fn worker_log(&self, lease: u64, job: u32) -> RpcResult<JobLog> {
		self.worker_job(lease, job)?;
		// A job that has printed nothing has an empty log.
		Ok(self.status.log(lease, job).unwrap_or_default())
	}
}

impl Methods {
	fn worker(&self) -> RpcResult<WorkerStatus> {
		self.status
			.read()
			.ok_or_else(|| error(code::NO_WORKER, "this node runs no worker; start it with --worker"))
	}
}

/// Runs disk work where it may block.
async fn on_disk_thread<T: Send + 'static>(
	work: impl FnOnce() -> Result<T, BlobError> + Send + 'static,
) -> RpcResult<T> {
	tokio::task::spawn_blocking(work)
		.await
		.map_err(|failure| error(code::IO, format!("the blob store's thread ended early: {failure}")))?
		.map_err(|failure| blob_error(&failure))
}

fn blob_error(failure: &BlobError) -> ErrorObjectOwned {
	let code = match failure {
		BlobError::TooLarge { .. } => code::TOO_LARGE,
		BlobError::StoreFull { .. } => code::STORE_FULL,
		BlobError::Corrupt(_) => code::CORRUPT,
		BlobError::Io { .. } => code::IO,
	};
	error(code, failure.to_string())
}

fn no_such_job(lease: u64, job: u32) -> ErrorObjectOwned {
	error(code::NO_SUCH_JOB, format!("this worker has not seen job {job} of lease {lease} since it started"))
}

fn error(code: i32, message: impl Into<String>) -> ErrorObjectOwned {
	ErrorObjectOwned::owned(code, message, None::<()>)
}
