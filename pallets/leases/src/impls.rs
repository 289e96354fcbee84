//! The traits through which the pallet above knows this one.

use crate::pallet::{Config, Jobs, Leases, Pallet, ProviderLeases};
use alloc::vec::Vec;
use millrace_primitives::{
	BlobHash, GpuIndex, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseInspect, LeaseStatus, LeaseUsage,
	Moment,
};
use sp_runtime::DispatchResult;

impl<T: Config> LeaseInspect<T::AccountId> for Pallet<T> {
	fn leases_of(provider: &T::AccountId) -> Vec<LeaseId> {
		ProviderLeases::<T>::get(provider).into_inner()
	}

	fn lease_count(provider: &T::AccountId) -> u32 {
		// At most MAX_LEASES_PER_PROVIDER, so the conversion keeps the number.
		ProviderLeases::<T>::decode_len(provider).unwrap_or(0) as u32
	}

	fn lease(lease: LeaseId) -> Option<(T::AccountId, LeaseStatus)> {
		Leases::<T>::get(lease).map(|lease| (lease.provider, lease.status))
	}

	fn attested_at(lease: LeaseId) -> Option<Moment> {
		Leases::<T>::get(lease).map(|lease| lease.attested_at)
	}

	fn gpus(lease: LeaseId) -> Vec<GpuIndex> {
		Leases::<T>::get(lease).map(|lease| lease.gpus.into_inner()).unwrap_or_default()
	}

	fn open_jobs(lease: LeaseId) -> Vec<(JobId, BlobHash, Moment)> {
		let mut open: Vec<_> = Jobs::<T>::iter_prefix(lease)
			.filter(|(_, job)| job.outcome.is_none())
			.map(|(id, job)| (id, job.plan, job.submitted_at))
			.collect();
		open.sort_by_key(|(id, ..)| *id);
		open
	}

	fn job_is_open(lease: LeaseId, job: JobId) -> Option<bool> {
		Jobs::<T>::get(lease, job).map(|job| job.outcome.is_none())
	}
}

impl<T: Config> LeaseAttestation<T::AccountId> for Pallet<T> {
	fn attest(usage: &LeaseUsage, healthy: &[GpuIndex], now: Moment, max_interval_ms: u64) -> DispatchResult {
		Self::do_attest(usage, healthy, now, max_interval_ms)
	}

	fn suspend(lease: LeaseId, now: Moment) -> DispatchResult {
		Self::do_suspend(lease, now)
	}

	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		Self::do_finish_job(lease, job, outcome)
	}
}
