//! The life of a job through every failure of its blobs and executors.

use super::doubles::{block_hash, Act, ScriptedExecutors};
use crate::{
	checkpoints::Checkpoints,
	containers::Containers,
	devices,
	evidence::Evidence,
	exchange::Exchange,
	executors::Executors,
	jobs::{run_job, DeviceAfter, Ending, JobContext, JobEnd, JobTask},
	kernels::Kernels,
	metrics::Metrics,
	results::Results,
	status::JobPhase,
	BlobLimits, Blobs, DeviceChoice, DeviceRules, WorkerConfig, WorkerStatusHandle,
};
use millrace_executor::{Cancel, Checkpoint, DeviceInfo, ExecutorError, Failure, FailureKind, Kind};
use millrace_primitives::{
	worker_api::JobView, BlobHash, Checkpoint as ChainCheckpoint, JobFailure, JobId, JobOutcome, LeaseId,
};
use sp_keystore::testing::MemoryKeystore;
use std::{path::Path, sync::Arc, time::Duration};
use tokio::time::Instant;

const KERNEL: &[u8] = b"// a kernel";
const LEASE: LeaseId = LeaseId(4);

/// The reference device alone.
pub(super) fn reference() -> DeviceRules {
	DeviceRules { kind: DeviceChoice::Reference, ..DeviceRules::default() }
}

pub(super) fn config(dir: &Path) -> WorkerConfig {
	WorkerConfig {
		devices: reference(),
		executor: dir.join("no-such-program"),
		data_dir: dir.to_owned(),
		blob_quota_bytes: 1 << 20,
		max_blob_bytes: 1 << 10,
		job_limit: Duration::from_secs(20),
		launch_limit: Duration::from_secs(20),
		blob_wait: Duration::from_secs(30),
		checkpoint_interval: Duration::ZERO,
		containers: None,
		container_memory_bytes: 1 << 30,
		bid_policy: None,
	}
}

/// What jobs need, with everything in the folder and no network.
pub(super) fn context(dir: &Path, executors: Arc<dyn Executors>, containers: Containers) -> JobContext {
	let (config, genesis) = (config(dir), block_hash(0));
	let blobs = Blobs::open(config.blob_dir(), config.blob_limits()).unwrap();
	JobContext {
		executors,
		containers,
		exchange: Exchange::off(),
		kernels: Kernels::open(dir.join("kernels")).unwrap(),
		checkpoints: Checkpoints::new(blobs.clone()),
		results: Results::open(dir.join("results"), genesis).unwrap(),
		evidence: Evidence::open(dir.join("evidence"), genesis, blobs.clone()).unwrap(),
		blobs,
		metrics: Metrics::new(None),
		status: WorkerStatusHandle::running(Arc::new(MemoryKeystore::new())),
		config,
		genesis,
	}
}

/// A plan with an output of that many bytes.
pub(super) fn plan(output_bytes: u64) -> String {
	plan_of(1, output_bytes)
}

/// A plan with so many launches, and a buffer of that many bytes that is its output.
pub(super) fn plan_of(launches: usize, output_bytes: u64) -> String {
	let launch = r#"{ "entry": "work", "grid": [1, 1, 1], "block": [32, 1, 1], "shared_bytes": 0,
		"arguments": [ { "buffer": "out" } ] }"#;
	format!(
		r#"{{ "version": 1, "kernel": "{}", "buffers": [ {{ "name": "out", "bytes": {output_bytes} }} ],
			"launches": [ {} ],
			"outputs": ["out"] }}"#,
		millrace_job::BlobHash::of(KERNEL),
		vec![launch; launches].join(", "),
	)
}

/// A state of a job with four bytes of buffers, which is told from others, and from outputs, by its bytes.
pub(super) fn state(launches_done: u32) -> Checkpoint {
	Checkpoint { launches_done, bytes: vec![100 + launches_done as u8; 4] }
}

struct World {
	context: Arc<JobContext>,
	executors: ScriptedExecutors,
	cancel: Cancel,
	_dir: tempfile::TempDir,
}

impl World {
	/// All blobs are there.
	fn new(executors: ScriptedExecutors) -> Self {
		let world = Self::without_blobs(executors);
		world.context.blobs.put(KERNEL).unwrap();
		world
	}

	fn without_blobs(executors: ScriptedExecutors) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let context = context(dir.path(), Arc::new(executors.clone()), Containers::new(None));
		Self { context: Arc::new(context), executors, cancel: Cancel::new(), _dir: dir }
	}

	async fn run(&self, plan: &str) -> JobEnd {
		self.run_hash(self.context.blobs.put(plan.as_bytes()).unwrap()).await
	}

	async fn run_hash(&self, plan: BlobHash) -> JobEnd {
		self.run_job(JobView { job: JobId(2), plan, submitted_at: 77, checkpoint: None }).await
	}

	async fn run_job(&self, job: JobView) -> JobEnd {
		let device =
			devices::find(&self.executors, &reference(), &self.context.config.data_dir).unwrap().remove(0);
		self.run_on(device, job).await
	}

	async fn run_on(&self, device: DeviceInfo, job: JobView) -> JobEnd {
		run_job(
			self.context.clone(),
			JobTask { lease: LEASE, job, device, others: Vec::new(), cancel: self.cancel.clone() },
		)
		.await
	}

	/// Runs a job on a device that compiles.
	async fn run_on_gpu(&mut self) -> JobEnd {
		// The end of a job cancels its executors.
		self.cancel = Cancel::new();
		let plan = self.context.blobs.put(plan(6).as_bytes()).unwrap();
		let gpu = DeviceInfo {
			kind: Kind::Cuda,
			name: "GPU".into(),
			memory_bytes: 1 << 30,
			uuid: "GPU-1".into(),
			driver: Some("12.4".into()),
			compute_capability: Some((9, 0)),
		};
		self.run_on(gpu, JobView { job: JobId(2), plan, submitted_at: 77, checkpoint: None }).await
	}

	/// The outcome, which must be on disk, and what was said about it.
	fn stored(&self, end: &JobEnd) -> (JobOutcome, String) {
		let Ending::Stored(result) = &end.ending else { panic!("{end:?}") };
		assert_eq!((result.lease, result.job, result.submitted_at), (LEASE, JobId(2), 77));
		assert_eq!(self.context.results.get((LEASE, JobId(2))).as_ref(), Some(result));
		let status = self.context.status.job(4, 2).unwrap();
		assert_eq!((status.phase, status.detail.as_ref()), (JobPhase::Reporting, Some(&result.detail)));
		(result.outcome, result.detail.clone())
	}

	fn failure(&self, end: &JobEnd) -> (JobFailure, String) {
		match self.stored(end) {
			(JobOutcome::Failed(failure), detail) => (failure, detail),
			other => panic!("{other:?}"),
		}
	}
}

fn failed(kind: FailureKind) -> Act {
	Act::Ends(Err(ExecutorError::Failed(Failure { kind, message: "because".into() })))
}

fn lost() -> Act {
	Act::Ends(Err(ExecutorError::Lost("killed by signal 9".into())))
}

#[tokio::test(start_paused = true)]
async fn a_job_that_succeeds_leaves_its_output_and_result() {
	let world = World::new(ScriptedExecutors::script([Act::Ends(Ok(b"output".to_vec()))], []));
	let end = world.run(&plan(6)).await;
	let output = BlobHash::from(millrace_job::blob_hash(b"output"));
	assert_eq!(world.stored(&end).0, JobOutcome::Succeeded { output, bytes: 6 });
	assert_eq!(end.device, DeviceAfter::Sound);
	assert_eq!(world.context.blobs.get(output).unwrap().unwrap(), b"output");
	let status = world.context.status.job(4, 2).unwrap();
	assert_eq!(
		(status.attempts, status.outcome, status.output, status.busy_ms),
		(1, Some("succeeded"), Some(output), 7)
	);
}

#[tokio::test(start_paused = true)]
async fn missing_blobs_are_waited_for_and_then_named() {
	let mut world = World::without_blobs(ScriptedExecutors::default());
	let absent = BlobHash::repeat_byte(5);
	let started = Instant::now();
	let end = world.run_hash(absent).await;
	assert_eq!(world.failure(&end).0, JobFailure::BlobMissing(absent));
	let waited = started.elapsed();
	assert!(waited >= Duration::from_secs(30) && waited < Duration::from_secs(31), "{waited:?}");
	// The plan is there, its kernel is not.
	world.cancel = Cancel::new();
	let end = world.run(&plan(6)).await;
	let kernel = BlobHash::from(millrace_job::blob_hash(KERNEL));
	let (failure, detail) = world.failure(&end);
	assert_eq!(failure, JobFailure::BlobMissing(kernel));
	assert!(detail.contains("30 s"), "{detail}");
	assert!(world.executors.started().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_late_blob_is_in_time() {
	let world = World::without_blobs(ScriptedExecutors::default());
	let late = async {
		tokio::time::sleep(Duration::from_secs(29)).await;
		let waiting = world.context.status.job(4, 2).unwrap();
		assert_eq!(waiting.phase, JobPhase::WaitingForBlobs);
		assert!(waiting.detail.unwrap().starts_with("waits for blob 0x"));
		world.context.blobs.put(KERNEL).unwrap();
	};
	let plan = plan(6);
	let (end, ()) = tokio::join!(world.run(&plan), late);
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { bytes: 6, .. }));
}

#[tokio::test(start_paused = true)]
async fn a_blob_damaged_on_disk_counts_as_missing() {
	let world = World::new(ScriptedExecutors::default());
	let kernel = BlobHash::from(millrace_job::blob_hash(KERNEL));
	std::fs::write(world.context.config.blob_dir().join(format!("{kernel:x}")), b"something else").unwrap();
	let end = world.run(&plan(6)).await;
	assert_eq!(world.failure(&end).0, JobFailure::BlobMissing(kernel));
}

#[tokio::test(start_paused = true)]
async fn plans_that_break_a_rule_start_no_executor() {
	let mut world = World::new(ScriptedExecutors::default());
	let unknown_field = plan(6).replacen("version", "wersion", 1);
	for text in ["", "{}", &unknown_field, &plan(1025)] {
		world.cancel = Cancel::new();
		let end = world.run(text).await;
		let (failure, detail) = world.failure(&end);
		assert_eq!(failure, JobFailure::PlanInvalid, "{text}");
		assert!(!detail.is_empty());
	}
	assert!(world.executors.started().is_empty());
	// An output of the largest blob's size is fine.
	world.cancel = Cancel::new();
	let end = world.run(&plan(1024)).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { bytes: 1024, .. }));
}

#[tokio::test(start_paused = true)]
async fn the_tenants_faults_are_reported_at_once() {
	let cases = [
		(FailureKind::PlanInvalid, JobFailure::PlanInvalid, DeviceAfter::Sound),
		(FailureKind::KernelRejected, JobFailure::KernelRejected, DeviceAfter::Sound),
		(FailureKind::OutOfMemory, JobFailure::OutOfMemory, DeviceAfter::Sound),
		(FailureKind::KernelFault, JobFailure::KernelFault, DeviceAfter::Suspect),
		(FailureKind::TimedOut, JobFailure::TimedOut, DeviceAfter::Suspect),
	];
	for (kind, expected, device) in cases {
		let world = World::new(ScriptedExecutors::script([failed(kind)], []));
		let end = world.run(&plan(6)).await;
		assert_eq!(world.failure(&end), (expected, "because".into()));
		assert_eq!(end.device, device);
		assert_eq!(world.executors.started(), ["job"]);
	}
}

#[tokio::test(start_paused = true)]
async fn a_lost_executor_is_replaced_after_a_probe() {
	let world = World::new(ScriptedExecutors::script(
		[lost(), failed(FailureKind::DeviceLost), Act::Ends(Ok(vec![8]))],
		[],
	));
	let end = world.run(&plan(1)).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	assert_eq!(end.device, DeviceAfter::Sound);
	assert_eq!(world.executors.started(), ["job", "probe", "job", "probe", "job"]);
	assert_eq!(world.context.status.job(4, 2).unwrap().attempts, 3);
}

#[tokio::test(start_paused = true)]
async fn four_lost_executors_end_the_job() {
	let world = World::new(ScriptedExecutors::script(vec![lost(); 9], []));
	let end = world.run(&plan(1)).await;
	let (failure, detail) = world.failure(&end);
	assert_eq!(failure, JobFailure::ExecutorLost);
	assert!(detail.contains("signal 9") && detail.contains("4 executors"), "{detail}");
	assert_eq!(world.executors.started().iter().filter(|what| **what == "job").count(), 4);

	let world = World::new(ScriptedExecutors::script(vec![failed(FailureKind::DeviceUnavailable); 9], []));
	let end = world.run(&plan(1)).await;
	assert_eq!(world.failure(&end).0, JobFailure::DeviceLost);
}

#[tokio::test(start_paused = true)]
async fn a_device_that_fails_its_probe_ends_the_job() {
	let world = World::new(ScriptedExecutors::script([lost(), lost()], [true, false]));
	let end = world.run(&plan(1)).await;
	assert_eq!(world.failure(&end).0, JobFailure::DeviceLost);
	assert!(matches!(end.device, DeviceAfter::Faulty(ref why) if why.contains("wrong result")), "{end:?}");
	assert_eq!(world.executors.started(), ["job", "probe", "job", "probe"]);
}

// On the real clock: a paused one stands still while an executor runs.
#[tokio::test]
async fn a_cancelled_job_leaves_nothing() {
	// While it waits for a blob.
	let world = World::without_blobs(ScriptedExecutors::default());
	world.cancel.cancel();
	let end = world.run(&plan(1)).await;
	assert_eq!(end, JobEnd { ending: Ending::Cancelled, device: DeviceAfter::Sound });
	// While it runs: the device may be in the middle of something.
	let world = World::new(ScriptedExecutors::script([Act::Hangs], []));
	let cancel = async {
		while world.executors.started().is_empty() {
			tokio::time::sleep(Duration::from_millis(10)).await;
		}
		world.cancel.cancel();
	};
	let plan = plan(1);
	let (end, ()) = tokio::join!(world.run(&plan), cancel);
	assert_eq!(end, JobEnd { ending: Ending::Cancelled, device: DeviceAfter::Suspect });
	assert_eq!(world.context.results.len(), 0);
	assert_eq!(world.context.status.job(4, 2).unwrap().phase, JobPhase::Stopped);
}

#[tokio::test(start_paused = true)]
async fn this_machines_trouble_is_nobodys_result() {
	let missing = ExecutorError::CannotStart { path: "/x".into(), reason: "no such file".into() };
	let world = World::new(ScriptedExecutors::script([Act::Ends(Err(missing))], []));
	let end = world.run(&plan(1)).await;
	assert!(matches!(&end.ending, Ending::Unserved(why) if why.contains("no such file")), "{end:?}");
	assert_eq!(world.context.status.job(4, 2).unwrap().phase, JobPhase::Waiting);
	// The results' folder is gone.
	let world = World::new(ScriptedExecutors::default());
	std::fs::remove_dir_all(world.context.config.data_dir.join("results")).unwrap();
	let end = world.run(&plan(1)).await;
	assert!(matches!(&end.ending, Ending::Unserved(why) if why.contains("could not be stored")), "{end:?}");
	assert_eq!(world.context.results.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_output_would_find_no_room_does_not_run() {
	let mut world = World::new(ScriptedExecutors::default());
	let small = BlobLimits { max_blob_bytes: 1 << 10, quota_bytes: 1 << 11 };
	let blobs = Blobs::open(world.context.config.data_dir.join("small"), small).unwrap();
	blobs.put(KERNEL).unwrap();
	let plan = blobs.put(plan(1 << 10).as_bytes()).unwrap();
	blobs.put_output(&[7; 1 << 10]).unwrap();
	Arc::get_mut(&mut world.context).unwrap().blobs = blobs;
	let end = world.run_hash(plan).await;
	assert!(matches!(&end.ending, Ending::Unserved(why) if why.contains("no room")), "{end:?}");
	assert!(world.executors.started().is_empty());
	// What was asked for is not counted as used.
	assert!(world.context.blobs.used_bytes() < 1 << 11);
}

// On the real clock: a paused one stands still while an executor runs.
#[tokio::test]
async fn dropping_the_task_cancels_its_executor() {
	let world = World::new(ScriptedExecutors::script([Act::Hangs], []));
	let plan = plan(1);
	let started = async {
		while world.executors.started().is_empty() {
			tokio::time::sleep(Duration::from_millis(10)).await;
		}
	};
	tokio::select! {
		end = world.run(&plan) => panic!("{end:?}"),
		() = started => {},
	}
	assert!(world.cancel.is_cancelled());
}

/// The job of the tests, at the checkpoint that the chain names.
fn at(world: &World, plan: &str, checkpoint: Option<ChainCheckpoint>) -> JobView {
	let plan = world.context.blobs.put(plan.as_bytes()).unwrap();
	JobView { job: JobId(2), plan, submitted_at: 77, checkpoint }
}

/// A state as the chain knows it.
fn on_chain(state: &Checkpoint) -> ChainCheckpoint {
	let blob = BlobHash::from(millrace_job::blob_hash(&state.bytes));
	let bytes = state.bytes.len() as u64;
	ChainCheckpoint { job: JobId(2), blob, bytes, launches_done: state.launches_done }
}

#[tokio::test(start_paused = true)]
async fn checkpoints_are_stored_as_they_come() {
	let world = World::new(ScriptedExecutors::script([Act::Saves(state(1)), Act::Saves(state(2))], []));
	let job = at(&world, &plan_of(3, 4), None);
	let end = world.run_job(job.clone()).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	let newest = world.context.checkpoints.newest(LEASE, &job).unwrap();
	assert_eq!(newest, on_chain(&state(2)));
	assert_eq!(world.context.blobs.get(newest.blob).unwrap().unwrap(), state(2).bytes);
	// The older one was replaced.
	assert_eq!(world.context.blobs.has(on_chain(&state(1)).blob), None);
	let status = world.context.status.job(4, 2).unwrap();
	assert_eq!((status.checkpoint.unwrap().launches_done, status.resumed_from), (2, None));
}

#[tokio::test(start_paused = true)]
async fn checkpoints_that_cannot_be_are_not_stored() {
	let long = Checkpoint { launches_done: 1, bytes: vec![1; 5] };
	let acts = [Act::Saves(state(0)), Act::Saves(state(3)), Act::Saves(long)];
	let world = World::new(ScriptedExecutors::script(acts, []));
	let job = at(&world, &plan_of(3, 4), None);
	let end = world.run_job(job.clone()).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	assert_eq!(world.context.checkpoints.newest(LEASE, &job), None);
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_cannot_be_stored_costs_the_job_nothing() {
	// Larger than a blob may be; the output is not.
	let large = Checkpoint { launches_done: 1, bytes: vec![1; 1025] };
	let world = World::new(ScriptedExecutors::script([Act::Saves(large)], []));
	let out = r#"{ "name": "out", "bytes": 4 }"#;
	let text = plan_of(3, 4).replace(out, &format!(r#"{out}, {{ "name": "more", "bytes": 1021 }}"#));
	let job = at(&world, &text, None);
	let end = world.run_job(job.clone()).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { bytes: 4, .. }));
	assert_eq!(world.context.checkpoints.newest(LEASE, &job), None);
}

#[tokio::test(start_paused = true)]
async fn a_lost_executor_is_followed_by_one_that_goes_on() {
	let acts = [Act::Saves(state(1)), lost(), lost(), Act::Saves(state(2)), lost()];
	let world = World::new(ScriptedExecutors::script(acts, []));
	let job = at(&world, &plan_of(3, 4), None);
	let end = world.run_job(job).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	assert_eq!(world.executors.resumed(), [None, Some(state(1)), Some(state(1)), Some(state(2))]);
	assert_eq!(world.context.status.job(4, 2).unwrap().resumed_from, Some(2));
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_from_the_newest_checkpoint_there_is() {
	// Its own is newer than the chain's.
	let world = World::new(ScriptedExecutors::default());
	let job = at(&world, &plan_of(4, 4), Some(on_chain(&state(2))));
	world.context.blobs.put(&state(2).bytes).unwrap();
	world.context.checkpoints.put(LEASE, &job, 3, &state(3).bytes).unwrap();
	world.run_job(job).await;
	assert_eq!(world.executors.resumed(), [Some(state(3))]);
	// The chain's is newer than its own.
	let world = World::new(ScriptedExecutors::default());
	let job = at(&world, &plan_of(4, 4), Some(on_chain(&state(3))));
	world.context.blobs.put(&state(3).bytes).unwrap();
	world.context.checkpoints.put(LEASE, &job, 2, &state(2).bytes).unwrap();
	world.run_job(job).await;
	assert_eq!(world.executors.resumed(), [Some(state(3))]);
}

#[tokio::test(start_paused = true)]
async fn a_late_checkpoint_is_in_time_and_a_missing_one_no_failure() {
	let world = World::new(ScriptedExecutors::default());
	let job = at(&world, &plan_of(3, 4), Some(on_chain(&state(2))));
	let late = async {
		tokio::time::sleep(Duration::from_secs(29)).await;
		assert!(world.executors.started().is_empty());
		world.context.blobs.put(&state(2).bytes).unwrap();
	};
	let (end, ()) = tokio::join!(world.run_job(job), late);
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	assert_eq!(world.executors.resumed(), [Some(state(2))]);

	let world = World::new(ScriptedExecutors::default());
	let job = at(&world, &plan_of(3, 4), Some(on_chain(&state(2))));
	let started = Instant::now();
	let end = world.run_job(job).await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	assert_eq!(world.executors.resumed(), [None]);
	let waited = started.elapsed();
	assert!(waited >= Duration::from_secs(30) && waited < Duration::from_secs(31), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_checkpoint_that_does_not_fit_is_not_even_waited_for() {
	let plan = plan_of(3, 4);
	let fitting = on_chain(&state(2));
	for checkpoint in [
		ChainCheckpoint { launches_done: 0, ..fitting },
		ChainCheckpoint { launches_done: 3, ..fitting },
		ChainCheckpoint { bytes: 5, ..fitting },
	] {
		let world = World::new(ScriptedExecutors::default());
		let started = Instant::now();
		world.run_job(at(&world, &plan, Some(checkpoint))).await;
		assert_eq!((world.executors.resumed(), started.elapsed()), (vec![None], Duration::ZERO));
	}
	// The chain was told a wrong length.
	let world = World::new(ScriptedExecutors::default());
	let blob = world.context.blobs.put(b"other length").unwrap();
	world.run_job(at(&world, &plan, Some(ChainCheckpoint { blob, ..fitting }))).await;
	assert_eq!(world.executors.resumed(), [None]);
}

#[tokio::test(start_paused = true)]
async fn a_kernel_is_compiled_for_its_first_job_only() {
	let mut world = World::new(ScriptedExecutors::default());
	for _ in 0..2 {
		let end = world.run_on_gpu().await;
		assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	}
	assert_eq!(world.executors.started(), ["compiler", "job", "job"]);
	let image = Some([b"compiled ", KERNEL].concat());
	assert_eq!(*world.executors.compiled.lock().unwrap(), [image.clone(), image]);
}

#[tokio::test(start_paused = true)]
async fn a_verdict_of_the_compiler_is_reported_and_its_loss_is_none() {
	let kind = |kind| ExecutorError::Failed(Failure { kind, message: "because".into() });
	for (end, outcome, device) in [
		(kind(FailureKind::KernelRejected), Some(JobFailure::KernelRejected), DeviceAfter::Sound),
		(kind(FailureKind::TimedOut), Some(JobFailure::TimedOut), DeviceAfter::Suspect),
		(kind(FailureKind::OutOfMemory), Some(JobFailure::OutOfMemory), DeviceAfter::Sound),
		(kind(FailureKind::DeviceLost), None, DeviceAfter::Sound),
		(ExecutorError::Lost("killed by signal 9".into()), None, DeviceAfter::Sound),
	] {
		let mut world = World::new(ScriptedExecutors::default());
		world.executors.compilers.lock().unwrap().push_back(Err(end.clone()));
		let job = world.run_on_gpu().await;
		match (world.stored(&job).0, outcome) {
			(JobOutcome::Failed(failure), Some(expected)) => assert_eq!(failure, expected, "{end}"),
			(JobOutcome::Succeeded { .. }, None) => {}
			other => panic!("{end}: {other:?}"),
		}
		assert_eq!(job.device, device, "{end}");
	}
}

#[tokio::test(start_paused = true)]
async fn what_a_device_may_have_stumbled_over_is_compiled_anew() {
	let mut world = World::new(ScriptedExecutors::script([lost()], []));
	let end = world.run_on_gpu().await;
	assert!(matches!(world.stored(&end).0, JobOutcome::Succeeded { .. }));
	let used = world.executors.compiled.lock().unwrap().iter().map(Option::is_some).collect::<Vec<_>>();
	assert_eq!(used, [true, false]);
	world.run_on_gpu().await;
	let compilers = world.executors.started().into_iter().filter(|what| *what == "compiler").count();
	assert_eq!(compilers, 2);
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_cannot_start_a_compiler_serves_the_job_later() {
	let mut world = World::new(ScriptedExecutors::default());
	let cannot = ExecutorError::CannotStart { path: "/x".into(), reason: "absent".into() };
	world.executors.compilers.lock().unwrap().extend([Err(cannot), Err(ExecutorError::Cancelled)]);
	let unserved = world.run_on_gpu().await;
	assert!(matches!(&unserved.ending, Ending::Unserved(why) if why.contains("/x")), "{unserved:?}");
	assert_eq!(world.run_on_gpu().await.ending, Ending::Cancelled);
}
