//! The life of a container's job, on scripted containers.

use super::{doubles::ScriptedExecutors, jobs::context};
use crate::{
	containers::{Containers, RunContainers},
	jobs::{run_job, DeviceAfter, Ending, JobContext, JobEnd, JobTask},
	WorkerStatusHandle,
};
use millrace_container::{Checkpoint, ContainerError, ContainerJob, ContainerOutput, Event};
use millrace_executor::{Cancel, DeviceInfo, Kind};
use millrace_primitives::{worker_api::JobView, BlobHash, JobFailure, JobId, JobOutcome, LeaseId};
use sp_keystore::testing::MemoryKeystore;
use std::{
	collections::VecDeque,
	sync::{Arc, Mutex},
	time::Duration,
};

const LEASE: LeaseId = LeaseId(4);
const JOB: JobId = JobId(2);

type End = Result<Vec<u8>, ContainerError>;

/// Containers that end as they are told, and then well; each leaves a checkpoint and prints a line.
#[derive(Clone, Default)]
struct Scripted {
	ends: Arc<Mutex<VecDeque<End>>>,
	jobs: Arc<Mutex<Vec<ContainerJob>>>,
}

impl RunContainers for Scripted {
	fn run(
		&self,
		job: &ContainerJob,
		_: &dyn Fn() -> bool,
		event: &mut dyn FnMut(Event),
	) -> Result<ContainerOutput, ContainerError> {
		let mut jobs = self.jobs.lock().unwrap();
		jobs.push(job.clone());
		event(Event::Started);
		event(Event::Log(format!("try {}\n", job.name.attempt)));
		event(Event::Checkpoint(Checkpoint { number: jobs.len() as u32, bytes: vec![jobs.len() as u8; 3] }));
		let end = self.ends.lock().unwrap().pop_front().unwrap_or_else(|| Ok(b"output".to_vec()));
		end.map(|bytes| ContainerOutput { bytes, busy: Duration::from_millis(7) })
	}
}

struct World {
	context: Arc<JobContext>,
	scripted: Scripted,
	_dir: tempfile::TempDir,
}

impl World {
	fn new(ends: impl IntoIterator<Item = End>) -> Self {
		let scripted =
			Scripted { ends: Arc::new(Mutex::new(ends.into_iter().collect())), ..Scripted::default() };
		Self::with(Containers::of(scripted.clone()), scripted)
	}

	fn with(containers: Containers, scripted: Scripted) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let context = context(dir.path(), Arc::new(ScriptedExecutors::default()), containers);
		context.blobs.put(b"script").unwrap();
		Self { context: Arc::new(context), scripted, _dir: dir }
	}

	async fn run(&self) -> JobEnd {
		let plan = format!(
			r#"{{ "version": 1, "container": {{
				"image": "docker.io/library/python@sha256:{}", "command": ["/run"], "output": "out", "checkpoint": "state",
				"inputs": [{{ "blob": "{}", "path": "script" }}], "memory_bytes": 67108864, "cpus": 1
			}} }}"#,
			"5c".repeat(32),
			millrace_job::BlobHash::of(b"script"),
		);
		let plan = self.context.blobs.put(plan.as_bytes()).unwrap();
		let job = JobView { job: JOB, plan, submitted_at: 77, checkpoint: None };
		let mut gpus = [gpu(0), gpu(1)].into_iter();
		let device = gpus.next().unwrap();
		let task = JobTask { lease: LEASE, job, device, others: gpus.collect(), cancel: Cancel::new() };
		run_job(self.context.clone(), task).await
	}

	fn failure(&self, end: &JobEnd) -> (JobFailure, String) {
		let Ending::Stored(result) = &end.ending else { panic!("{end:?}") };
		let JobOutcome::Failed(failure) = result.outcome else { panic!("{end:?}") };
		(failure, result.detail.clone())
	}
}

fn gpu(index: u32) -> DeviceInfo {
	DeviceInfo {
		kind: Kind::Cuda,
		name: "H200".into(),
		memory_bytes: 1 << 30,
		uuid: format!("GPU-{index}"),
		driver: None,
		compute_capability: None,
	}
}

#[tokio::test(start_paused = true)]
async fn a_container_gets_all_gpus_of_the_lease_and_leaves_output_log_and_checkpoint() {
	let world = World::new([]);
	let end = world.run().await;
	let Ending::Stored(result) = &end.ending else { panic!("{end:?}") };
	let output = BlobHash::from(millrace_job::blob_hash(b"output"));
	assert_eq!(result.outcome, JobOutcome::Succeeded { output, bytes: 6 });
	assert_eq!((result.detail.as_str(), result.busy_ms), ("a container with H200, H200", 7));
	assert_eq!(end.device, DeviceAfter::Sound);
	let jobs = world.scripted.jobs.lock().unwrap();
	assert_eq!(jobs[0].gpus, ["GPU-0", "GPU-1"]);
	let script = jobs[0].blobs.values().next().unwrap();
	assert_eq!(std::fs::read(script).unwrap(), b"script");
	assert_eq!(world.context.status.log(4, 2).unwrap().text, "try 1\n");
	let state = world.context.status.job(4, 2).unwrap().checkpoint.unwrap();
	assert_eq!((state.bytes, state.launches_done), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn each_verdict_has_its_outcome_and_its_word_on_the_device() {
	use DeviceAfter::{Sound, Suspect};
	for (error, outcome, device) in [
		(ContainerError::TooMuch { field: "cpus", asked: 9, limit: 1 }, JobFailure::PlanInvalid, Sound),
		(ContainerError::ImageRefused("no".into()), JobFailure::KernelRejected, Sound),
		(ContainerError::CommandRejected("no".into()), JobFailure::KernelRejected, Sound),
		(ContainerError::OutputRefused("a link".into()), JobFailure::KernelFault, Sound),
		(ContainerError::Failed { status: 3 }, JobFailure::KernelFault, Suspect),
		(ContainerError::OutOfMemory, JobFailure::OutOfMemory, Suspect),
		(ContainerError::TimedOut(Duration::from_secs(1)), JobFailure::TimedOut, Suspect),
	] {
		let world = World::new([Err(error.clone())]);
		let end = world.run().await;
		assert_eq!(world.failure(&end), (outcome, error.to_string()));
		assert_eq!(end.device, device, "{error}");
		assert_eq!(world.scripted.jobs.lock().unwrap().len(), 1, "{error} was tried again");
	}
	let world = World::new([Err(ContainerError::Cancelled)]);
	let end = world.run().await;
	assert_eq!((end.ending, end.device), (Ending::Cancelled, Suspect));
}

#[tokio::test(start_paused = true)]
async fn trouble_of_the_machine_is_tried_again_from_the_newest_checkpoint() {
	let broken = || Err(ContainerError::PodmanBroken("the disk is full".into()));
	let world = World::new([broken(), broken()]);
	assert!(
		matches!(world.run().await.ending, Ending::Stored(result) if matches!(result.outcome, JobOutcome::Succeeded { .. }))
	);
	let resumed: Vec<_> = world
		.scripted
		.jobs
		.lock()
		.unwrap()
		.iter()
		.map(|job| job.resume.clone().map(|from| from.number))
		.collect();
	assert_eq!(resumed, [None, Some(1), Some(2)]);
	// After the last try it waits for the operator, and nobody's result is stored.
	let world = World::new([broken(), broken(), broken()]);
	let end = world.run().await;
	assert!(matches!(&end.ending, Ending::Unserved(why) if why.contains("the disk is full")), "{end:?}");
	// An image that nobody has is another matter.
	let missing = || Err(ContainerError::ImageMissing("not found".into()));
	let world = World::new([missing(), missing(), missing()]);
	let end = world.run().await;
	assert_eq!(world.failure(&end).0, JobFailure::KernelRejected);
}

#[tokio::test(start_paused = true)]
async fn a_provider_without_containers_says_so_to_the_renter() {
	let world = World::with(Containers::new(None), Scripted::default());
	let end = world.run().await;
	let (failure, why) = world.failure(&end);
	assert_eq!(failure, JobFailure::KernelRejected);
	assert!(why.contains("this provider runs no containers") && why.contains("--worker-containers"), "{why}");
}

#[test]
fn a_flood_of_log_leaves_its_end() {
	let status = WorkerStatusHandle::running(Arc::new(MemoryKeystore::new()));
	for _ in 0..100 {
		status.add_to_log(LEASE, JOB, &"ä".repeat(1_000));
	}
	let log = status.log(4, 2).unwrap();
	assert_eq!(log.text.len() as u64 + log.dropped_bytes, 200_000);
	assert!(log.text.len() <= 64 << 10 && log.text.len() > 60_000 && log.text.starts_with('ä'));
}
