//! What an off-chain worker asks: everything about its provider in one call, read through the market's own traits.

use crate::{AccountId, Attestation, Leases, Providers};
use millrace_primitives::{
	worker_api::{GpuView, JobView, LeaseView, WorkerView},
	Balance, GpuIndex, LeaseId, LeaseInspect, OpenJob, ProviderInspect, ServedNode,
};

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
