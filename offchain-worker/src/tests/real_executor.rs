//! The worker's probe and a whole job on the real executor program, with the reference device.
//!
//! The program belongs to another package, so cargo does not build it for these tests by itself. They look for it beside the
//! test program and say how to build it when it is missing.

use super::jobs::{context, reference};
use crate::{
	containers::Containers,
	devices,
	jobs::{run_job, DeviceAfter, Ending, JobContext, JobEnd, JobTask},
	probe::probe,
	DeviceChoice, DeviceRules,
};
use millrace_executor::{Cancel, Executor};
use millrace_job::BlobHash;
use millrace_primitives::{worker_api::JobView, Hash, JobFailure, JobId, JobOutcome, LeaseId};
use std::{path::PathBuf, sync::Arc};

const DOUBLE: &str = include_str!("double.ptx");
const LEASE: LeaseId = LeaseId(1);

/// The program, in the folder above the one of the test program.
fn program() -> PathBuf {
	let folder = std::env::current_exe().unwrap();
	let program = folder.ancestors().nth(2).unwrap().join("millrace-executor");
	assert!(
		program.exists(),
		"{} is missing: run `cargo build --release -p millrace-executor` first",
		program.display(),
	);
	program
}

/// A plan with one launch of each entry, over the same words.
fn plan(entries: &[&str], words: &[u8], first_word: &str) -> String {
	let launch = |entry: &&str| {
		format!(
			r#"{{ "entry": "{entry}", "grid": [2, 1, 1], "block": [8, 1, 1], "shared_bytes": 0,
				"arguments": [ {{ "buffer": "words" }}, {first_word} ] }}"#
		)
	};
	format!(
		r#"{{ "version": 1, "kernel": "{kernel}",
			"buffers": [ {{ "name": "words", "bytes": {bytes}, "input": "{input}" }} ],
			"launches": [ {launches} ],
			"outputs": ["words"] }}"#,
		kernel = BlobHash::of(DOUBLE.as_bytes()),
		bytes = words.len(),
		input = BlobHash::of(words),
		launches = entries.iter().map(launch).collect::<Vec<_>>().join(", "),
	)
}

/// A worker's folder with `double.ptx`, sixteen words and a plan, and what runs the plan.
struct World {
	context: Arc<JobContext>,
	job: JobView,
	_dir: tempfile::TempDir,
}

impl World {
	/// The plan is made from the words.
	fn new(plan: impl FnOnce(&[u8]) -> String) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let context = context(dir.path(), Arc::new(Executor::new(program())), Containers::new(None));
		let words: Vec<u8> = (0..16u32).flat_map(u32::to_le_bytes).collect();
		let put = |bytes: &[u8]| context.blobs.put(bytes).unwrap();
		put(DOUBLE.as_bytes());
		put(&words);
		let plan = put(plan(&words).as_bytes());
		let job = JobView { job: JobId(0), plan, submitted_at: 0, checkpoint: None };
		Self { context: Arc::new(context), job, _dir: dir }
	}

	async fn run(&self) -> JobEnd {
		let (config, job) = (&self.context.config, self.job.clone());
		let executors = &*self.context.executors;
		let device = devices::find(executors, &reference(), &config.data_dir).unwrap().remove(0);
		run_job(
			self.context.clone(),
			JobTask { lease: LEASE, job, device, others: Vec::new(), cancel: Cancel::new() },
		)
		.await
	}
}

/// Runs one launch of an entry, with that first word.
async fn run(entry: &str, first_word: &str) -> (JobEnd, World) {
	let world = World::new(|words| plan(&[entry], words, first_word));
	(world.run().await, world)
}

#[tokio::test]
async fn the_probe_passes_on_the_reference_device() {
	let dir = tempfile::tempdir().unwrap();
	let executor = Executor::new(program());
	let device = devices::find(&executor, &reference(), dir.path()).unwrap().remove(0);
	assert_eq!(probe(&executor, &device, &Cancel::new()), Ok(()));
}

#[tokio::test]
async fn a_job_gives_the_right_bytes() {
	let (end, world) = run("double", r#"{ "u32": 0 }"#).await;
	let Ending::Stored(result) = end.ending else { panic!("{end:?}") };
	let expected: Vec<u8> = (0..16u32).flat_map(|word| (2 * word).to_le_bytes()).collect();
	let output = Hash::from(millrace_job::blob_hash(&expected));
	assert_eq!(result.outcome, JobOutcome::Succeeded { output, bytes: 64 });
	assert_eq!(world.context.blobs.get(output).unwrap().unwrap(), expected);
	assert_eq!(end.device, DeviceAfter::Sound);
}

#[tokio::test]
async fn a_job_goes_on_elsewhere_from_the_checkpoint_that_the_chain_names() {
	let four_times = |words: &[u8]| plan(&["double"; 4], words, r#"{ "u32": 0 }"#);
	let first = World::new(four_times);
	let end = first.run().await;
	let Ending::Stored(whole) = end.ending else { panic!("{end:?}") };
	// The newest is the one before the last launch.
	let checkpoint = first.context.checkpoints.newest(LEASE, &first.job).unwrap();
	assert_eq!((checkpoint.launches_done, checkpoint.bytes), (3, 64));
	let bytes = first.context.blobs.get(checkpoint.blob).unwrap().unwrap();
	assert_eq!(bytes, (0..16u32).flat_map(|word| (8 * word).to_le_bytes()).collect::<Vec<_>>());

	let mut second = World::new(four_times);
	second.job.checkpoint = Some(checkpoint);
	// The renter hands it over.
	second.context.blobs.put(&bytes).unwrap();
	let end = second.run().await;
	let Ending::Stored(rest) = end.ending else { panic!("{end:?}") };
	assert_eq!(rest.outcome, whole.outcome);
	assert_eq!((whole.detail, rest.detail), launches_on_the_device(4, 1));
}

fn launches_on_the_device(whole: u32, rest: u32) -> (String, String) {
	let text = |launches| format!("{launches} launches on Millrace reference device");
	(text(whole), text(rest))
}

#[tokio::test]
async fn the_tenants_faults_are_told_apart() {
	for (entry, first_word, expected) in [
		("no_such_entry", r#"{ "u32": 0 }"#, JobFailure::KernelRejected),
		// Writes past the end of its buffer.
		("double", r#"{ "u32": 1000000 }"#, JobFailure::KernelFault),
	] {
		let (end, _) = run(entry, first_word).await;
		let Ending::Stored(result) = end.ending else { panic!("{end:?}") };
		assert_eq!(result.outcome, JobOutcome::Failed(expected), "{}", result.detail);
		assert!(!result.detail.is_empty());
	}
}

#[tokio::test]
async fn a_missing_program_is_this_machines_trouble() {
	let dir = tempfile::tempdir().unwrap();
	let executor = Executor::new(dir.path().join("nothing-here"));
	let device = devices::find(&executor, &reference(), dir.path()).unwrap().remove(0);
	let error = probe(&executor, &device, &Cancel::new()).unwrap_err();
	assert!(error.contains("nothing-here"), "{error}");
	assert!(devices::find(
		&executor,
		&DeviceRules { kind: DeviceChoice::Cuda, ..DeviceRules::default() },
		dir.path()
	)
	.unwrap_err()
	.contains("nothing-here"));
}
