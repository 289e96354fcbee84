//! Results of jobs.

use crate::pallet::{Config, Error, Pallet};
use frame_support::ensure;
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use millrace_primitives::{JobId, LeaseId, LeaseInspect, ProviderInspect};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Everything that a result must satisfy: only the worker of the provider that serves the job's node
	/// reports, once for each job.
	pub(crate) fn check_job_result(origin: &OriginFor<T>, lease: LeaseId, job: JobId) -> DispatchResult {
		let worker = ensure_signed(origin.clone())?;
		let provider = T::Providers::provider_of(&worker).ok_or(Error::<T>::NotAWorker)?;
		Self::ensure_serves(&provider, lease)?;
		let open = T::Leases::job_is_open(lease, job, &provider).ok_or(Error::<T>::UnknownJob)?;
		ensure!(open, Error::<T>::ResultAlreadyReported);
		Ok(())
	}
}
