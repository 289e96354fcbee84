//! Checkpoints of this provider's jobs: which there are, which the chain still has to learn, and how long their blobs stay.
//!
//! Of each open job the newest checkpoint is kept, the one that the chain names, and the one in the report that is on its way:
//! whichever the chain names after a fault, its blob is here. Older ones go. When a lease has moved away, its blobs stay until their
//! room is wanted, so that the renter can hand them to the next provider.
//!
//! In memory only: after a restart a job goes on from the checkpoint that the chain names.

use crate::{
	blobs::Blobs,
	disk::BlobError,
	reconcile::is_same_job,
	results::{JobKey, StoredResult},
};
use millrace_primitives::{
	worker_api::{JobView, LeaseView, WorkerView},
	AccountId, BlobHash, Checkpoint, LeaseId, Report,
};
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The checkpoints. Clones are the same.
#[derive(Clone)]
pub(crate) struct Checkpoints(Arc<Shared>);

struct Shared {
	blobs: Blobs,
	jobs: Mutex<BTreeMap<JobKey, Kept>>,
}

/// The checkpoints of one job.
struct Kept {
	job: JobView,
	newest: Checkpoint,
	/// In the latest report that was sent.
	sent: Option<Checkpoint>,
	/// On chain, at the best block.
	on_chain: Option<Checkpoint>,
	/// Blobs that are here for this job.
	blobs: Vec<BlobHash>,
}

impl Kept {
	fn needs(&self, blob: BlobHash) -> bool {
		let named = [Some(self.newest), self.sent, self.on_chain];
		named.into_iter().flatten().any(|checkpoint| checkpoint.blob == blob)
	}

	/// Takes out the blobs that this job no longer needs. At most three stay.
	fn take_unneeded(&mut self) -> Vec<BlobHash> {
		let (needed, over) = std::mem::take(&mut self.blobs).into_iter().partition(|blob| self.needs(*blob));
		self.blobs = needed;
		over
	}
}

impl Checkpoints {
	/// None yet; their blobs go to this store.
	pub(crate) fn new(blobs: Blobs) -> Self {
		Self(Arc::new(Shared { blobs, jobs: Mutex::default() }))
	}

	/// Stores a job's newest checkpoint. When this returns, it survives a power cut. Blocks on the disk.
	pub(crate) fn put(
		&self,
		lease: LeaseId,
		job: &JobView,
		launches_done: u32,
		bytes: &[u8],
	) -> Result<Checkpoint, BlobError> {
		let blob = self.0.blobs.put_checkpoint(bytes)?;
		let newest = Checkpoint { job: job.job, blob, bytes: bytes.len() as u64, launches_done };
		let mut jobs = self.jobs();
		let known = jobs.remove(&(lease, job.job)).filter(|kept| is_same_job(&kept.job, job));
		let mut kept = known.unwrap_or_else(|| Kept {
			job: job.clone(),
			newest,
			sent: None,
			on_chain: job.checkpoint,
			blobs: Vec::new(),
		});
		kept.newest = newest;
		if !kept.blobs.contains(&blob) {
			kept.blobs.push(blob);
		}
		let over = kept.take_unneeded();
		jobs.insert((lease, job.job), kept);
		self.discard(&jobs, over);
		Ok(newest)
	}

	/// A job's newest checkpoint, if it was made here.
	pub(crate) fn newest(&self, lease: LeaseId, job: &JobView) -> Option<Checkpoint> {
		let jobs = self.jobs();
		jobs.get(&(lease, job.job)).filter(|kept| is_same_job(&kept.job, job)).map(|kept| kept.newest)
	}

	/// Takes in what the chain says at the best block: which checkpoints it knows, and which jobs are over.
	pub(crate) fn follow(&self, view: &WorkerView<AccountId>) {
		let mut over = Vec::new();
		let mut jobs = self.jobs();
		jobs.retain(|(number, _), kept| {
			let lease = view.leases.iter().find(|lease| lease.lease == *number);
			let open = lease.and_then(|lease| lease.jobs.iter().find(|job| is_same_job(job, &kept.job)));
			match (lease, open) {
				(_, Some(job)) => {
					kept.on_chain = job.checkpoint;
					over.extend(kept.take_unneeded());
					kept.blobs.iter().for_each(|blob| self.0.blobs.keep(*blob));
				}
				// The job has its result.
				(Some(_), None) => over.append(&mut kept.blobs),
				// The lease has ended or moved away.
				(None, None) => {}
			}
			open.is_some()
		});
		self.discard(&jobs, over);
	}

	/// What the next report tells: for each lease the newest checkpoint of its first job without a result, if the chain does not
	/// know it yet. Should a report be lost, the next one tells it again.
	pub(crate) fn to_report(
		&self,
		view: &WorkerView<AccountId>,
		results: &BTreeMap<JobKey, StoredResult>,
	) -> BTreeMap<LeaseId, Checkpoint> {
		let untold = |lease: LeaseId, job: &JobView| {
			let newest = self.newest(lease, job)?;
			let known = job.checkpoint.map_or(0, |checkpoint| checkpoint.launches_done);
			(newest.launches_done > known).then_some(newest)
		};
		let of_lease = |lease: &LeaseView| {
			let has_result =
				|job: &JobView| results.get(&(lease.lease, job.job)).is_some_and(|result| result.is_of(job));
			let job = lease.jobs.iter().find(|job| !has_result(job))?;
			Some((lease.lease, untold(lease.lease, job)?))
		};
		view.leases.iter().filter_map(of_lease).collect()
	}

	/// A report is on its way: the chain may name its checkpoints soon.
	pub(crate) fn sent(&self, report: &Report) {
		let mut jobs = self.jobs();
		for (lease, checkpoint) in
			report.leases.iter().filter_map(|usage| Some((usage.lease, usage.checkpoint?)))
		{
			if let Some(kept) = jobs.get_mut(&(lease, checkpoint.job)) {
				kept.sent = Some(checkpoint);
				let over = kept.take_unneeded();
				self.discard(&jobs, over);
			}
		}
	}

	/// Removes blobs, unless another job has the same bytes as its state.
	fn discard(&self, jobs: &BTreeMap<JobKey, Kept>, over: Vec<BlobHash>) {
		for blob in over {
			if !jobs.values().any(|kept| kept.blobs.contains(&blob)) {
				self.0.blobs.discard_checkpoint(blob);
			}
		}
	}

	/// The map is whole after every statement, so a thread that panicked leaves nothing half done.
	fn jobs(&self) -> MutexGuard<'_, BTreeMap<JobKey, Kept>> {
		self.0.jobs.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

#[cfg(test)]
mod tests;
