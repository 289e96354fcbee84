//! The traits through which the pallet above knows this one.

use crate::{
	pallet::{Config, Jobs, Leases, Pallet, ProviderLeases},
	types::{LeaseOf, Node},
};
use alloc::vec::Vec;
use millrace_primitives::{
	GpuIndex, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseInspect, LeaseStatus, LeaseUsage, Moment,
	NodeIndex, OpenJob, ServedNode,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// The node of the lease that the provider serves.
	fn node_served_by(lease: LeaseId, provider: &T::AccountId) -> Option<(NodeIndex, Node<T::AccountId>)> {
		Self::place_of_node(&Leases::<T>::get(lease)?, provider)
	}

	/// The same, of a lease that was read already.
	fn place_of_node(lease: &LeaseOf<T>, provider: &T::AccountId) -> Option<(NodeIndex, Node<T::AccountId>)> {
		let place = lease.node_of(provider)?;
		Some((Self::node_index(place), lease.nodes.get(place)?.clone()))
	}
}

impl<T: Config> LeaseInspect<T::AccountId> for Pallet<T> {
	fn leases_of(provider: &T::AccountId) -> Vec<LeaseId> {
		ProviderLeases::<T>::get(provider).into_inner()
	}

	fn lease_count(provider: &T::AccountId) -> u32 {
		// At most MAX_LEASES_PER_PROVIDER, so the conversion keeps the number.
		ProviderLeases::<T>::decode_len(provider).unwrap_or(0) as u32
	}

	fn status(lease: LeaseId) -> Option<LeaseStatus> {
		Leases::<T>::get(lease).map(|lease| lease.status)
	}

	fn served_node(lease: LeaseId, provider: &T::AccountId) -> Option<ServedNode> {
		let lease = Leases::<T>::get(lease)?;
		let (number, node) = Self::place_of_node(&lease, provider)?;
		Some(ServedNode {
			node: number,
			status: node.status,
			gpus: node.gpus.into_inner(),
			attested_at: node.attested_at,
			ready_at: lease.ready_at,
		})
	}

	fn open_jobs(lease: LeaseId, provider: &T::AccountId) -> Vec<OpenJob> {
		let Some((node, _)) = Self::node_served_by(lease, provider) else { return Vec::new() };
		let mut open: Vec<_> = Jobs::<T>::iter_prefix(lease)
			.filter(|(_, job)| job.node == node && job.outcome.is_none())
			.map(|(id, job)| OpenJob {
				job: id,
				plan: job.plan,
				submitted_at: job.submitted_at,
				checkpoint: job.checkpoint,
			})
			.collect();
		open.sort_by_key(|job| job.job);
		open
	}

	fn job_is_open(lease: LeaseId, job: JobId, provider: &T::AccountId) -> Option<bool> {
		let (node, _) = Self::node_served_by(lease, provider)?;
		Jobs::<T>::get(lease, job).filter(|job| job.node == node).map(|job| job.outcome.is_none())
	}
}

impl<T: Config> LeaseAttestation<T::AccountId> for Pallet<T> {
	fn attest(
		provider: &T::AccountId,
		usage: &LeaseUsage,
		healthy: &[GpuIndex],
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult {
		Self::do_attest(provider, usage, healthy, now, max_interval_ms)
	}

	fn count_miss(lease: LeaseId, provider: &T::AccountId, now: Moment) -> DispatchResult {
		Self::do_count_miss(lease, provider, now)
	}

	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult {
		Self::do_finish_job(lease, job, outcome)
	}

	fn capacity_changed(provider: &T::AccountId) {
		Self::relist(provider);
	}
}
