//! Jobs of a lease: submission, checkpoints, result.

use crate::{
	pallet::{Config, Error, Event, Jobs, Leases, Pallet},
	types::{Job, LeaseOf, MAX_JOBS_PER_LEASE},
};
use frame_support::{ensure, traits::Time};
use millrace_primitives::{BlobHash, Checkpoint, JobId, JobOutcome, LeaseId, Moment, NodeIndex};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_job(
		renter: &T::AccountId,
		id: LeaseId,
		node: NodeIndex,
		plan: BlobHash,
	) -> DispatchResult {
		let mut lease = Self::rented_by(renter, id)?;
		let now = T::Time::now();
		ensure!(!lease.is_over(now), Error::<T>::LeaseIsOver);
		Self::add_job(id, &mut lease, node, plan, now)?;
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// Stores a new job and counts it in the lease, which the caller stores.
	pub(crate) fn add_job(
		id: LeaseId,
		lease: &mut LeaseOf<T>,
		node: NodeIndex,
		plan: BlobHash,
		now: Moment,
	) -> DispatchResult {
		ensure!(usize::from(node.0) < lease.nodes.len(), Error::<T>::NoSuchNode);
		ensure!(lease.open_jobs < MAX_JOBS_PER_LEASE, Error::<T>::TooManyOpenJobs);
		let job = lease.next_job;
		lease.next_job = job.next().ok_or(Error::<T>::NumbersExhausted)?;

		// Neither sum overflows: each is at most MAX_JOBS_PER_LEASE.
		if lease.open_jobs.saturating_add(lease.finished_jobs) >= MAX_JOBS_PER_LEASE {
			// The limit is one of live jobs. Those that ended have their event and give way.
			let oldest = Jobs::<T>::iter_prefix(id)
				.filter(|(_, job)| job.outcome.is_some())
				.map(|(number, _)| number)
				.min();
			if let Some(oldest) = oldest {
				Jobs::<T>::remove(id, oldest);
				lease.finished_jobs = lease.finished_jobs.saturating_sub(1);
			}
		}
		lease.open_jobs = lease.open_jobs.saturating_add(1);
		let record = Job { node, plan, submitted_at: now, checkpoint: None, outcome: None };
		Jobs::<T>::insert(id, job, record);
		Self::deposit_event(Event::JobSubmitted { lease: id, node, job, plan });
		Ok(())
	}

	/// Keeps a checkpoint if its job is an open one of this node and has come further than before. Any other is passed over:
	/// it must not cost the provider its attestation.
	pub(crate) fn keep_checkpoint(id: LeaseId, node: NodeIndex, checkpoint: Checkpoint) {
		let Some(mut job) = Jobs::<T>::get(id, checkpoint.job) else { return };
		let is_newer = job.checkpoint.is_none_or(|old| checkpoint.launches_done > old.launches_done);
		if job.node == node && job.outcome.is_none() && is_newer {
			job.checkpoint = Some(checkpoint);
			Jobs::<T>::insert(id, checkpoint.job, job);
			Self::deposit_event(Event::CheckpointPosted { lease: id, node, checkpoint });
		}
	}

	pub(crate) fn do_finish_job(id: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let mut record = Jobs::<T>::get(id, job).ok_or(Error::<T>::UnknownJob)?;
		ensure!(record.outcome.is_none(), Error::<T>::JobAlreadyFinished);
		record.outcome = Some(outcome);
		// The job was open, so there was one to count.
		lease.open_jobs = lease.open_jobs.saturating_sub(1);
		lease.finished_jobs = lease.finished_jobs.saturating_add(1);
		Jobs::<T>::insert(id, job, record);
		Leases::<T>::insert(id, lease);
		Self::deposit_event(Event::JobFinished { lease: id, job, outcome });
		Ok(())
	}
}
