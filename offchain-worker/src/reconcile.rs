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
	/// Run a job on the first of these GPUs, which are those of its lease.
	Start { lease: LeaseId, job: JobView, gpus: Vec<GpuIndex> },
	/// Stop the lease's job: the chain does not want it any more.
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
/// Rules: a job runs only while it is open on chain. It starts only while its lease is active, all the lease's GPUs are healthy
/// and idle, and every older job of the lease has a result. A running job goes on while its lease is suspended. A result is
/// submitted while its job is open and forgotten once it is not.
pub(crate) fn reconcile(view: Option<&WorkerView<AccountId>>, actual: &Actual) -> Vec<Action> {
	let Some(view) = view else {
		return actual.running.keys().map(|lease| Action::Kill { lease: *lease }).collect();
	};
	let leases: BTreeMap<LeaseId, &LeaseView> =
		view.leases.iter().map(|lease| (lease.lease, lease)).collect();
	let open = |lease: &LeaseId| leases.get(lease).map(|lease| lease.jobs.as_slice()).unwrap_or_default();

	let mut actions = Vec::new();
	for (lease, job) in &actual.running {
		if !open(lease).contains(job) {
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

/// The lease's next job, if it can start now.
fn start(lease: &LeaseView, actual: &Actual) -> Option<Action> {
	let ready = lease.status == LeaseStatus::Active
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
mod tests {
	use super::*;
	use millrace_primitives::{BlobHash, CloseReason, Hash, JobId, JobOutcome};

	fn job(number: u32) -> JobView {
		JobView {
			job: JobId(number),
			plan: BlobHash::repeat_byte(number as u8),
			submitted_at: u64::from(number),
		}
	}

	fn lease(number: u64, status: LeaseStatus, gpus: &[u16], jobs: &[u32]) -> LeaseView {
		LeaseView {
			lease: LeaseId(number),
			status,
			gpus: gpus.iter().copied().map(GpuIndex).collect(),
			jobs: jobs.iter().copied().map(job).collect(),
		}
	}

	fn result(lease: u64, number: u32) -> (JobKey, StoredResult) {
		let JobView { job, plan, submitted_at } = job(number);
		let outcome = JobOutcome::Succeeded { output: BlobHash::zero(), bytes: 0 };
		let lease = LeaseId(lease);
		let stored = StoredResult {
			genesis: Hash::zero(),
			lease,
			job,
			plan,
			submitted_at,
			outcome,
			detail: String::new(),
			busy_ms: 0,
		};
		((lease, job), stored)
	}

	/// What runs (lease, job), the results (lease, job), and the usable GPUs.
	fn actual(running: &[(u64, u32)], stored: &[(u64, u32)], usable: &[u16]) -> Actual {
		Actual {
			running: running.iter().map(|(lease, number)| (LeaseId(*lease), job(*number))).collect(),
			stored: stored.iter().map(|(lease, number)| result(*lease, *number)).collect(),
			usable: usable.iter().copied().map(GpuIndex).collect(),
			waiting: BTreeSet::new(),
		}
	}

	fn view(leases: Vec<LeaseView>) -> WorkerView<AccountId> {
		WorkerView {
			provider: AccountId::new([1; 32]),
			epoch: 0,
			epoch_ends: 10,
			report_due: false,
			gpus: vec![],
			leases,
		}
	}

	fn begin(lease: u64, number: u32, gpus: &[u16]) -> Action {
		Action::Start {
			lease: LeaseId(lease),
			job: job(number),
			gpus: gpus.iter().copied().map(GpuIndex).collect(),
		}
	}

	fn kill(lease: u64) -> Action {
		Action::Kill { lease: LeaseId(lease) }
	}

	fn submit(lease: u64, job: u32) -> Action {
		Action::Submit { key: (LeaseId(lease), JobId(job)) }
	}

	fn forget(lease: u64, job: u32) -> Action {
		Action::Forget { key: (LeaseId(lease), JobId(job)) }
	}

	const ACTIVE: LeaseStatus = LeaseStatus::Active;
	const SUSPENDED: LeaseStatus = LeaseStatus::Suspended { since: 0 };

	#[test]
	fn table() {
		let cases: Vec<(&str, Vec<LeaseView>, Actual, Vec<Action>)> = vec![
			("nothing wanted, nothing there", vec![], actual(&[], &[], &[0]), vec![]),
			(
				"the oldest job starts",
				vec![lease(1, ACTIVE, &[0], &[3, 4])],
				actual(&[], &[], &[0]),
				vec![begin(1, 3, &[0])],
			),
			("one job at a time", vec![lease(1, ACTIVE, &[0], &[3, 4])], actual(&[(1, 3)], &[], &[]), vec![]),
			(
				"the next starts while the result before is on its way",
				vec![lease(1, ACTIVE, &[0], &[3, 4])],
				actual(&[], &[(1, 3)], &[0]),
				vec![submit(1, 3), begin(1, 4, &[0])],
			),
			(
				"all done: only submitted",
				vec![lease(1, ACTIVE, &[0], &[3])],
				actual(&[], &[(1, 3)], &[0]),
				vec![submit(1, 3)],
			),
			(
				"a result that the chain shows is forgotten",
				vec![lease(1, ACTIVE, &[0], &[])],
				actual(&[], &[(1, 3)], &[0]),
				vec![forget(1, 3)],
			),
			(
				"a closed lease takes job and result along",
				vec![],
				actual(&[(1, 4)], &[(1, 3)], &[]),
				vec![kill(1), forget(1, 3)],
			),
			(
				"a job that is no longer open is killed",
				vec![lease(1, ACTIVE, &[0], &[4])],
				actual(&[(1, 3)], &[], &[]),
				vec![kill(1)],
			),
			(
				"a pending lease waits",
				vec![lease(1, LeaseStatus::Pending, &[0], &[3])],
				actual(&[], &[], &[0]),
				vec![],
			),
			(
				"a suspended lease starts nothing",
				vec![lease(1, SUSPENDED, &[0], &[3])],
				actual(&[], &[], &[0]),
				vec![],
			),
			(
				"a suspended lease's job goes on",
				vec![lease(1, SUSPENDED, &[0], &[3])],
				actual(&[(1, 3)], &[], &[]),
				vec![],
			),
			(
				"a suspended lease's result is reported",
				vec![lease(1, SUSPENDED, &[0], &[3])],
				actual(&[], &[(1, 3)], &[0]),
				vec![submit(1, 3)],
			),
			(
				"a lease that is shown as closed starts nothing",
				vec![lease(1, LeaseStatus::Closed(CloseReason::Completed), &[0], &[3])],
				actual(&[], &[], &[0]),
				vec![],
			),
			(
				"all GPUs of the lease are needed",
				vec![lease(1, ACTIVE, &[0, 1], &[3])],
				actual(&[], &[], &[0]),
				vec![],
			),
			(
				"two GPUs",
				vec![lease(1, ACTIVE, &[0, 1], &[3])],
				actual(&[], &[], &[0, 1]),
				vec![begin(1, 3, &[0, 1])],
			),
			(
				"a lease without GPUs starts nothing",
				vec![lease(1, ACTIVE, &[], &[3])],
				actual(&[], &[], &[0]),
				vec![],
			),
			(
				"leases do not wait for each other",
				vec![
					lease(1, ACTIVE, &[0], &[3]),
					lease(2, ACTIVE, &[1], &[0]),
					lease(3, ACTIVE, &[2], &[0]),
				],
				actual(&[(1, 3)], &[], &[1]),
				vec![begin(2, 0, &[1])],
			),
			(
				"the result of another plan under the same number is dropped and the job runs",
				vec![LeaseView {
					jobs: vec![JobView { plan: BlobHash::repeat_byte(99), ..job(3) }],
					..lease(1, ACTIVE, &[0], &[])
				}],
				actual(&[], &[(1, 3)], &[0]),
				vec![
					forget(1, 3),
					Action::Start {
						lease: LeaseId(1),
						job: JobView { plan: BlobHash::repeat_byte(99), ..job(3) },
						gpus: vec![GpuIndex(0)],
					},
				],
			),
		];
		for (name, leases, actual, expected) in cases {
			assert_eq!(reconcile(Some(&view(leases)), &actual), expected, "{name}");
		}
	}

	#[test]
	fn a_lease_that_waits_starts_nothing() {
		let mut actual = actual(&[], &[], &[0]);
		actual.waiting.insert(LeaseId(1));
		assert_eq!(reconcile(Some(&view(vec![lease(1, ACTIVE, &[0], &[3])])), &actual), []);
	}

	#[test]
	fn nobodys_worker_stops_and_keeps_its_results() {
		assert_eq!(reconcile(None, &actual(&[(1, 3), (2, 0)], &[(1, 2)], &[0])), [kill(1), kill(2)]);
	}
}
