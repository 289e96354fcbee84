//! What to do next, from what the chain wants and what really runs here. One pure function.

use crate::results::{JobKey, StoredResult};
use millrace_primitives::{
	worker_api::{JobView, LeaseView, WorkerView},
	AccountId, GpuIndex, LeaseId, LeaseStatus,
};
use std::collections::{BTreeMap, BTreeSet};

/// What is going on here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Actual {
	/// The job under way of each lease.
	pub running: BTreeMap<LeaseId, JobView>,
	/// Results that were not forgotten yet.
	pub stored: BTreeMap<JobKey, StoredResult>,
	/// GPUs that are healthy and idle.
	pub usable: BTreeSet<GpuIndex>,
	/// Leases whose job could not be run for a reason of this machine, and that wait before they try again.
	pub waiting: BTreeSet<LeaseId>,
}

/// One thing to do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Action {
	/// Run a job on these GPUs, which are those of its lease's node.
	Start { lease: LeaseId, job: JobView, gpus: Vec<GpuIndex> },
	/// Stop the lease's job: the chain does not want it, or not now.
	Kill { lease: LeaseId },
	/// Tell the chain a result that it does not show yet.
	Submit { key: JobKey },
	/// Remove a result: the chain shows it, or the job is gone.
	Forget { key: JobKey },
}

/// The actions that bring this machine to what the chain wants at a finalised block.
///
/// `view` is `None` while this worker is nobody's: then everything stops, but results are kept, because a worker's key may be
/// registered again.
///
/// Rules: a job runs only while it is open on chain and its lease is neither frozen nor closed. It starts only while its lease is
/// active and its node served, all the node's GPUs are healthy and idle, and every older job has a result. A running job goes on
/// while its node is suspended. A result is submitted while its job is open and forgotten once it is not.
pub(crate) fn reconcile(view: Option<&WorkerView<AccountId>>, actual: &Actual) -> Vec<Action> {
	let Some(view) = view else {
		return actual.running.keys().map(|lease| Action::Kill { lease: *lease }).collect();
	};
	let leases: BTreeMap<LeaseId, &LeaseView> =
		view.leases.iter().map(|lease| (lease.lease, lease)).collect();
	let open = |lease: &LeaseId| leases.get(lease).map(|lease| lease.jobs.as_slice()).unwrap_or_default();
	let may_go_on = |lease: &LeaseId| leases.get(lease).is_some_and(|lease| may_run(lease.status));

	let mut actions = Vec::new();
	for (lease, job) in &actual.running {
		// A frozen lease's job needs no more than this: every checkpoint is stored as soon as it is made, so the newest one is,
		// and after the thaw the job starts again from it.
		if !may_go_on(lease) || !open(lease).iter().any(|wanted| is_same_job(wanted, job)) {
			actions.push(Action::Kill { lease: *lease });
		}
	}
	for (key, result) in &actual.stored {
		let wanted = open(&key.0).iter().any(|job| job.job == key.1 && result.is_of(job));
		actions.push(if wanted { Action::Submit { key: *key } } else { Action::Forget { key: *key } });
	}
	actions.extend(view.leases.iter().filter_map(|lease| start(lease, actual)));
	actions
}

/// Whether two views are of one job. Its checkpoint changes while it runs.
pub(crate) fn is_same_job(one: &JobView, other: &JobView) -> bool {
	(one.job, one.plan, one.submitted_at) == (other.job, other.plan, other.submitted_at)
}

/// Whether a job that runs may go on.
fn may_run(status: LeaseStatus) -> bool {
	match status {
		LeaseStatus::Pending | LeaseStatus::Active => true,
		LeaseStatus::Frozen { .. } | LeaseStatus::Closed(_) => false,
	}
}

/// The lease's next job, if it can start now.
fn start(lease: &LeaseView, actual: &Actual) -> Option<Action> {
	let ready = lease.status == LeaseStatus::Active
		&& lease.node_status.is_served()
		&& !actual.running.contains_key(&lease.lease)
		&& !actual.waiting.contains(&lease.lease)
		&& !lease.gpus.is_empty()
		&& lease.gpus.iter().all(|gpu| actual.usable.contains(gpu));
	if !ready {
		return None;
	}
	let has_result =
		|job: &JobView| actual.stored.get(&(lease.lease, job.job)).is_some_and(|result| result.is_of(job));
	let job = lease.jobs.iter().find(|job| !has_result(job))?;
	Some(Action::Start { lease: lease.lease, job: job.clone(), gpus: lease.gpus.clone() })
}

#[cfg(test)]
mod tests;
