//! Which checkpoints are kept, told and dropped.

use super::*;
use crate::BlobLimits;
use millrace_primitives::{Hash, JobId, JobOutcome, LeaseStatus, LeaseUsage, NodeIndex, NodeStatus};

const LEASE: LeaseId = LeaseId(1);

struct World {
	blobs: Blobs,
	checkpoints: Checkpoints,
	_dir: tempfile::TempDir,
}

impl World {
	fn new() -> Self {
		let dir = tempfile::tempdir().unwrap();
		let limits = BlobLimits { max_blob_bytes: 100, quota_bytes: 1_000 };
		let blobs = Blobs::open(dir.path(), limits).unwrap();
		Self { checkpoints: Checkpoints::new(blobs.clone()), blobs, _dir: dir }
	}

	/// Stores the state of a job after so many launches.
	fn put(&self, job: &JobView, launches_done: u32) -> Checkpoint {
		self.checkpoints.put(LEASE, job, launches_done, &[launches_done as u8; 4]).unwrap()
	}

	fn has(&self, checkpoints: &[Checkpoint]) -> Vec<bool> {
		checkpoints.iter().map(|checkpoint| self.blobs.has(checkpoint.blob).is_some()).collect()
	}
}

fn job(checkpoint: Option<Checkpoint>) -> JobView {
	JobView { job: JobId(3), plan: Hash::repeat_byte(9), submitted_at: 5, checkpoint }
}

/// What the chain shows: the lease with these jobs, or no lease.
fn view(jobs: Option<Vec<JobView>>) -> WorkerView<AccountId> {
	let lease = |jobs| LeaseView {
		lease: LEASE,
		status: LeaseStatus::Active,
		node: NodeIndex(0),
		node_status: NodeStatus::Active,
		gpus: vec![],
		jobs,
	};
	WorkerView {
		provider: AccountId::new([1; 32]),
		now: 0,
		epoch: 0,
		epoch_ends: 10,
		report_due: true,
		gpus: vec![],
		leases: jobs.into_iter().map(lease).collect(),
	}
}

fn report(checkpoint: Checkpoint) -> Report {
	let usage = LeaseUsage { lease: LEASE, busy_ms: 0, jobs_ended: 0, checkpoint: Some(checkpoint) };
	Report {
		epoch: 0,
		finalised_number: 0,
		finalised_hash: Hash::zero(),
		gpus: Default::default(),
		leases: vec![usage].try_into().unwrap(),
	}
}

#[test]
fn only_the_newest_is_kept_and_what_the_chain_names_or_will_name() {
	let world = World::new();
	let one = world.put(&job(None), 1);
	let two = world.put(&job(None), 2);
	assert_eq!(world.has(&[one, two]), [false, true]);
	world.checkpoints.sent(&report(two));
	let three = world.put(&job(None), 3);
	let four = world.put(&job(None), 4);
	assert_eq!(world.has(&[two, three, four]), [true, false, true]);
	// The report is on chain, and a newer one on its way.
	world.checkpoints.follow(&view(Some(vec![job(Some(two))])));
	world.checkpoints.sent(&report(four));
	let five = world.put(&job(None), 5);
	assert_eq!(world.has(&[two, four, five]), [true, true, true]);
	world.checkpoints.follow(&view(Some(vec![job(Some(four))])));
	assert_eq!(world.has(&[two, four, five]), [false, true, true]);
	assert_eq!(world.checkpoints.newest(LEASE, &job(None)), Some(five));
}

#[test]
fn blobs_go_with_the_job_and_stay_when_the_lease_has_moved() {
	let world = World::new();
	let one = world.put(&job(None), 1);
	world.checkpoints.follow(&view(Some(vec![])));
	assert_eq!((world.has(&[one]), world.checkpoints.newest(LEASE, &job(None))), (vec![false], None));
	let two = world.put(&job(None), 2);
	world.checkpoints.follow(&view(None));
	assert_eq!((world.has(&[two]), world.checkpoints.newest(LEASE, &job(None))), (vec![true], None));
}

#[test]
fn a_job_of_the_same_number_with_another_plan_is_another_one() {
	let world = World::new();
	world.put(&job(None), 1);
	let other = JobView { plan: Hash::repeat_byte(8), ..job(None) };
	assert_eq!(world.checkpoints.newest(LEASE, &other), None);
	let two = world.put(&other, 2);
	assert_eq!(world.checkpoints.newest(LEASE, &job(None)), None);
	assert_eq!(world.checkpoints.newest(LEASE, &other), Some(two));
}

#[test]
fn bytes_that_somebody_else_needs_stay() {
	let world = World::new();
	// An upload of the same bytes, before and after.
	world.blobs.put(&[1; 4]).unwrap();
	let one = world.put(&job(None), 1);
	let two = world.put(&job(None), 2);
	world.blobs.put(&[2; 4]).unwrap();
	// The same state of another job.
	let other = JobView { job: JobId(4), ..job(None) };
	let three = world.put(&job(None), 3);
	world.put(&other, 3);
	world.put(&job(None), 4);
	assert_eq!(world.has(&[one, two, three]), [true, true, true]);
	world.put(&other, 5);
	assert_eq!(world.has(&[three]), [false]);
}

#[test]
fn what_the_chain_does_not_know_is_reported_until_it_does() {
	let world = World::new();
	let one = world.put(&job(None), 1);
	let told = |known, results: &BTreeMap<_, _>| {
		world.checkpoints.to_report(&view(Some(vec![job(known)])), results).remove(&LEASE)
	};
	let none = BTreeMap::new();
	for _ in 0..2 {
		assert_eq!(told(None, &none), Some(one));
	}
	assert_eq!(told(Some(one), &none), None);
	let two = world.put(&job(None), 2);
	assert_eq!(told(Some(one), &none), Some(two));
	// An older one than the chain's is no news.
	assert_eq!(told(Some(Checkpoint { launches_done: 9, ..one }), &none), None);
	// Nor is that of a job with a result.
	let result = StoredResult {
		genesis: Hash::zero(),
		lease: LEASE,
		job: JobId(3),
		plan: Hash::repeat_byte(9),
		submitted_at: 5,
		outcome: JobOutcome::Succeeded { output: Hash::zero(), bytes: 0 },
		detail: String::new(),
		busy_ms: 0,
	};
	assert_eq!(told(None, &[((LEASE, JobId(3)), result)].into()), None);
}
