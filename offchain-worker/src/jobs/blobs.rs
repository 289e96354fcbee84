//! What a job reads of the blob store, and the checkpoints that it leaves there.

use super::{JobContext, JobRun, Stop};
use crate::{disk::BlobError, executors::on_own_thread, status::CheckpointStatus, LOG_TARGET};
use millrace_executor::Checkpoint as State;
use millrace_primitives::{worker_api::JobView, BlobHash, JobFailure, LeaseId};
use std::{cmp::Reverse, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often the store is asked for missing blobs.
const BLOB_POLL: Duration = Duration::from_millis(250);

impl JobRun {
	/// Reads blobs that the job cannot do without, waiting until the deadline for those that are not here.
	pub(super) async fn gather(&self, hashes: &[BlobHash], deadline: Instant) -> Result<Vec<Vec<u8>>, Stop> {
		self.wait_for(hashes, deadline).await?.map_err(|missing| self.never_came(missing))
	}

	/// Waits until the deadline for blobs that the job cannot do without, and leaves them where they are.
	pub(super) async fn await_blobs(&self, hashes: &[BlobHash], deadline: Instant) -> Result<(), Stop> {
		self.wait_until_here(hashes, deadline).await?.map_err(|missing| self.never_came(missing))
	}

	fn never_came(&self, missing: BlobHash) -> Stop {
		let waited = self.context.config.blob_wait.as_secs();
		let text = format!("blob {missing:?} did not arrive within {waited} s");
		Stop::Failed(JobFailure::BlobMissing(missing), text)
	}

	/// The newest state that the job can go on from: of those that were stored here and the one that the chain names. `None` if
	/// there is none, if none `fits` by its number and its length, or if its blob does not arrive before the deadline: the job then starts
	/// from its beginning, and gives the same result later.
	pub(super) async fn newest_state(
		&self,
		fits: &(dyn Fn(u32, u64) -> bool + Send + Sync),
		deadline: Instant,
	) -> Result<Option<State>, Stop> {
		let (lease, job) = (self.task.lease, &self.task.job);
		let mut known: Vec<_> = [self.context.checkpoints.newest(lease, job), job.checkpoint]
			.into_iter()
			.flatten()
			.filter(|checkpoint| fits(checkpoint.launches_done, checkpoint.bytes))
			.collect();
		known.sort_by_key(|checkpoint| Reverse(checkpoint.launches_done));
		known.dedup();
		for checkpoint in known {
			let launches_done = checkpoint.launches_done;
			match self.wait_for(&[checkpoint.blob], deadline).await? {
				Ok(blobs) => {
					let bytes = blobs.into_iter().next().unwrap_or_default();
					// The blob may have another length than the chain was told.
					if fits(launches_done, bytes.len() as u64) {
						return Ok(Some(State { launches_done, bytes }));
					}
				}
				Err(missing) => log::warn!(
					target: LOG_TARGET,
					"job {} of lease {lease}: checkpoint {missing:?}, after {launches_done} launches, did not arrive in time",
					job.job,
				),
			}
		}
		Ok(None)
	}

	/// Reads blobs, waiting until the deadline for those that are not here. The inner error names one that did not arrive.
	async fn wait_for(
		&self,
		hashes: &[BlobHash],
		deadline: Instant,
	) -> Result<Result<Vec<Vec<u8>>, BlobHash>, Stop> {
		loop {
			if let Err(missing) = self.wait_until_here(hashes, deadline).await? {
				return Ok(Err(missing));
			}
			match self.read(hashes.to_vec()).await? {
				Ok(blobs) => return Ok(Ok(blobs)),
				// Damaged or removed in the meantime: the renter may put it again.
				Err(missing) if Instant::now() >= deadline => return Ok(Err(missing)),
				Err(_) => tokio::time::sleep(BLOB_POLL).await,
			}
		}
	}

	/// Waits until the deadline for blobs that are not here. The inner error names one that did not arrive.
	async fn wait_until_here(
		&self,
		hashes: &[BlobHash],
		deadline: Instant,
	) -> Result<Result<(), BlobHash>, Stop> {
		loop {
			if self.task.cancel.is_cancelled() {
				return Err(Stop::Cancelled);
			}
			let missing = hashes.iter().copied().find(|hash| self.context.blobs.has(*hash).is_none());
			let Some(missing) = missing else { return Ok(Ok(())) };
			self.context.exchange.want(self.task.lease, missing);
			self.tell(|status| status.detail = Some(format!("waits for blob {missing:?}")));
			if Instant::now() >= deadline {
				return Ok(Err(missing));
			}
			tokio::time::sleep(BLOB_POLL).await;
		}
	}

	/// Reads blobs; the inner error names one that is not here.
	async fn read(&self, hashes: Vec<BlobHash>) -> Result<Result<Vec<Vec<u8>>, BlobHash>, Stop> {
		let blobs = self.context.blobs.clone();
		let read = move || {
			let one = |hash: BlobHash| match blobs.get(hash) {
				Ok(found) => Ok(found.ok_or(hash)),
				Err(BlobError::Corrupt(_)) => Ok(Err(hash)),
				Err(error) => Err(error),
			};
			hashes.into_iter().map(one).collect::<Result<Result<Vec<_>, _>, _>>()
		};
		on_own_thread(read).await.map_err(Stop::Unserved)?.map_err(|error| Stop::Unserved(error.to_string()))
	}

	/// Keeps the checkpoints of one run.
	pub(super) fn keeper(&self) -> Keeper {
		Keeper {
			context: self.context.clone(),
			lease: self.task.lease,
			job: self.task.job.clone(),
			complained: false,
		}
	}
}

/// Stores the checkpoints of one run.
pub(super) struct Keeper {
	context: Arc<JobContext>,
	lease: LeaseId,
	job: JobView,
	complained: bool,
}

impl Keeper {
	/// Stores a checkpoint. Trouble with it is told once and costs the job nothing. Blocks on the disk.
	pub(super) fn keep(&mut self, number: u32, bytes: &[u8]) {
		let Self { context, lease, job, .. } = self;
		match context.checkpoints.put(*lease, job, number, bytes) {
			Ok(checkpoint) => {
				context.metrics.checkpoint_stored();
				context.status.update_job(*lease, job.job, job.plan, |status| {
					status.checkpoint = Some(CheckpointStatus::from(checkpoint));
				});
			}
			Err(error) if !self.complained => {
				log::warn!(
					target: LOG_TARGET,
					"job {} of lease {lease}: its checkpoint could not be stored: {error}", job.job,
				);
				self.complained = true;
			}
			Err(_) => {}
		}
	}
}
