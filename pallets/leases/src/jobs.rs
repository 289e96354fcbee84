//! Jobs of a lease: submission and result.

use crate::{
	pallet::{Config, Error, Event, Jobs, Leases, Pallet},
	types::{Job, MAX_JOBS_PER_LEASE},
};
use frame_support::{ensure, traits::Time};
use millrace_primitives::{BlobHash, JobId, JobOutcome, LeaseId};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_submit_job(renter: &T::AccountId, lease: LeaseId, plan: BlobHash) -> DispatchResult {
		let mut record = Leases::<T>::get(lease).ok_or(Error::<T>::UnknownLease)?;
		ensure!(record.renter == *renter, Error::<T>::NotRenter);
		let now = T::Time::now();
		ensure!(!record.is_over(now), Error::<T>::LeaseIsOver);
		ensure!(record.open_jobs < MAX_JOBS_PER_LEASE, Error::<T>::TooManyOpenJobs);
		let job = record.next_job;
		record.next_job = job.next().ok_or(Error::<T>::NumbersExhausted)?;

		// Neither sum overflows: each is at most MAX_JOBS_PER_LEASE.
		if record.open_jobs.saturating_add(record.finished_jobs) >= MAX_JOBS_PER_LEASE {
			// The limit is one of live jobs. Those that ended have their event and give way.
			let oldest = Jobs::<T>::iter_prefix(lease)
				.filter(|(_, job)| job.outcome.is_some())
				.map(|(id, _)| id)
				.min();
			if let Some(oldest) = oldest {
				Jobs::<T>::remove(lease, oldest);
				record.finished_jobs = record.finished_jobs.saturating_sub(1);
			}
		}
		record.open_jobs = record.open_jobs.saturating_add(1);
		Jobs::<T>::insert(lease, job, Job { plan, submitted_at: now, outcome: None });
		Leases::<T>::insert(lease, record);
		Self::deposit_event(Event::JobSubmitted { lease, job, plan });
		Ok(())
	}

	pub(crate) fn do_finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		let mut record = Leases::<T>::get(lease).ok_or(Error::<T>::UnknownLease)?;
		let mut stored = Jobs::<T>::get(lease, job).ok_or(Error::<T>::UnknownJob)?;
		ensure!(stored.outcome.is_none(), Error::<T>::JobAlreadyFinished);
		stored.outcome = Some(outcome);
		// The job was open, so there was one to count.
		record.open_jobs = record.open_jobs.saturating_sub(1);
		record.finished_jobs = record.finished_jobs.saturating_add(1);
		Jobs::<T>::insert(lease, job, stored);
		Leases::<T>::insert(lease, record);
		Self::deposit_event(Event::JobFinished { lease, job, outcome });
		Ok(())
	}
}
