//! What an off-chain worker asks: everything about its provider in one call, read through the market's own traits.

use crate::{AccountId, Attestation, Leases, Providers, Runtime, Settlement, Timestamp};
use frame_support::traits::Get;
use millrace_primitives::{
	worker_api::{GpuView, JobView, LeaseView, WorkerView},
	Balance, GpuIndex, LeaseId, LeaseInspect, Moment, OpenJob, ProviderInspect, ServedNode,
};
use pallet_timing::getters::{AbsenceWindow, ContestWindow};

/// The view of the provider whose worker has this account; `None` if it is nobody's worker.
pub(crate) fn worker_view(worker: &AccountId) -> Option<WorkerView<AccountId>> {
	view_through::<Providers, Leases>(worker)
}

fn view_through<P, L>(worker: &AccountId) -> Option<WorkerView<AccountId>>
where
	P: ProviderInspect<AccountId, Balance>,
	L: LeaseInspect<AccountId>,
{
	let provider = P::provider_of(worker)?;
	Some(WorkerView {
		now: Timestamp::get(),
		epoch: Attestation::epoch(provider.clone()),
		epoch_ends: Attestation::epoch_ends(provider.clone()),
		report_due: Attestation::report_due(provider.clone()),
		gpus: P::gpus(&provider).into_iter().filter_map(|gpu| gpu_view::<P>(&provider, gpu)).collect(),
		leases: L::leases_of(&provider)
			.into_iter()
			.filter_map(|lease| lease_view::<L>(&provider, lease))
			.collect(),
		provider,
	})
}

fn gpu_view<P: ProviderInspect<AccountId, Balance>>(provider: &AccountId, gpu: GpuIndex) -> Option<GpuView> {
	let (class, uuid_hash, state) = P::gpu(provider, gpu)?;
	Some(GpuView { gpu, class, kind: P::class(class)?.kind, uuid_hash, state })
}

fn lease_view<L: LeaseInspect<AccountId>>(provider: &AccountId, lease: LeaseId) -> Option<LeaseView> {
	let status = L::status(lease)?;
	let ServedNode { node, status: node_status, gpus, .. } = L::served_node(lease, provider)?;
	let jobs = L::open_jobs(lease, provider)
		.into_iter()
		.map(|OpenJob { job, plan, submitted_at, checkpoint }| JobView {
			job,
			plan,
			submitted_at,
			checkpoint,
		})
		.collect();
	Some(LeaseView { lease, status, node, node_status, gpus, jobs })
}

/// Whether what was served in a lease until then can still be contested, or waits for a verdict.
///
/// The report that attests the time comes an epoch and its grace later at most. What it earns waits for the contest window, together
/// with what is earned in the quarter of a window after it.
pub(crate) fn can_be_contested(lease: LeaseId, served_at: Moment) -> bool {
	let Some(money) = Settlement::summary(lease.into()) else { return false };
	let window = ContestWindow::<Runtime>::get();
	// Clamping is right here: the end of time is late enough.
	let until = [AbsenceWindow::<Runtime>::get(), window, window / 4]
		.into_iter()
		.fold(served_at, Moment::saturating_add);
	money.contested > 0 || Timestamp::get() <= until
}
