//! What is done in which state, as a table.

use super::*;
use millrace_primitives::{
	BlobHash, Checkpoint, CloseReason, FaultCause, Hash, JobId, JobOutcome, NodeIndex, NodeStatus,
};

fn job(number: u32) -> JobView {
	JobView {
		job: JobId(number),
		plan: BlobHash::repeat_byte(number as u8),
		submitted_at: u64::from(number),
		checkpoint: None,
	}
}

fn with_checkpoint(number: u32) -> JobView {
	let blob = BlobHash::repeat_byte(7);
	let checkpoint = Checkpoint { job: JobId(number), blob, bytes: 4, launches_done: 1 };
	JobView { checkpoint: Some(checkpoint), ..job(number) }
}

/// A lease whose node is served.
fn lease(number: u64, status: LeaseStatus, gpus: &[u16], jobs: &[u32]) -> LeaseView {
	LeaseView {
		lease: LeaseId(number),
		status,
		node: NodeIndex(0),
		node_status: NodeStatus::Active,
		gpus: gpus.iter().copied().map(GpuIndex).collect(),
		jobs: jobs.iter().copied().map(job).collect(),
	}
}

fn result(lease: u64, number: u32) -> (JobKey, StoredResult) {
	let JobView { job, plan, submitted_at, .. } = job(number);
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
		now: 0,
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
const FROZEN: LeaseStatus = LeaseStatus::Frozen { since: 0 };
const SUSPENDED: NodeStatus = NodeStatus::Suspended { since: 0, leaves_at: None };

/// Active lease 1 on GPU 0 with job 3, whose node has that status.
fn with_node(node_status: NodeStatus) -> Vec<LeaseView> {
	vec![LeaseView { node_status, ..lease(1, ACTIVE, &[0], &[3]) }]
}

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
		("a suspended node starts nothing", with_node(SUSPENDED), actual(&[], &[], &[0]), vec![]),
		("a suspended node's job goes on", with_node(SUSPENDED), actual(&[(1, 3)], &[], &[]), vec![]),
		(
			"a suspended node's result is reported",
			with_node(SUSPENDED),
			actual(&[], &[(1, 3)], &[0]),
			vec![submit(1, 3)],
		),
		(
			"a node that is not ready yet starts nothing",
			with_node(NodeStatus::Pending { since: 0 }),
			actual(&[], &[], &[0]),
			vec![],
		),
		(
			"a node whose notice runs is served",
			with_node(NodeStatus::Reclaiming { until: 9 }),
			actual(&[], &[], &[0]),
			vec![begin(1, 3, &[0])],
		),
		(
			"a faulted node starts nothing",
			with_node(NodeStatus::Faulted { since: 0, cause: FaultCause::Dark }),
			actual(&[], &[], &[0]),
			vec![],
		),
		("a frozen lease starts nothing", vec![lease(1, FROZEN, &[0], &[3])], actual(&[], &[], &[0]), vec![]),
		(
			"a frozen lease's job stops",
			vec![lease(1, FROZEN, &[0], &[3])],
			actual(&[(1, 3)], &[], &[]),
			vec![kill(1)],
		),
		(
			"a frozen lease's result is reported",
			vec![lease(1, FROZEN, &[0], &[3])],
			actual(&[], &[(1, 3)], &[0]),
			vec![submit(1, 3)],
		),
		(
			"a job goes on when the chain learns its checkpoint",
			vec![LeaseView { jobs: vec![with_checkpoint(3)], ..lease(1, ACTIVE, &[0], &[]) }],
			actual(&[(1, 3)], &[], &[]),
			vec![],
		),
		(
			"a job starts with the checkpoint that the chain names",
			vec![LeaseView { jobs: vec![with_checkpoint(3)], ..lease(1, ACTIVE, &[0], &[]) }],
			actual(&[], &[], &[0]),
			vec![Action::Start { lease: LeaseId(1), job: with_checkpoint(3), gpus: vec![GpuIndex(0)] }],
		),
		(
			"a lease that is shown as closed stops its job",
			vec![lease(1, LeaseStatus::Closed(CloseReason::Completed), &[0], &[3])],
			actual(&[(1, 3)], &[], &[]),
			vec![kill(1)],
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
			vec![lease(1, ACTIVE, &[0], &[3]), lease(2, ACTIVE, &[1], &[0]), lease(3, ACTIVE, &[2], &[0])],
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
