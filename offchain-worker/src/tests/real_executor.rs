//! The worker's probe and a whole job on the real executor program, with the reference device.
//!
//! The program belongs to another package, so cargo does not build it for these tests by itself. They look for it beside the
//! test program and say how to build it when it is missing.

use super::jobs::config;
use crate::{
	devices,
	executors::Executors,
	jobs::{run_job, DeviceAfter, Ending, JobContext, JobTask},
	probe::probe,
	results::Results,
	Blobs, DeviceChoice, WorkerStatusHandle,
};
use millrace_executor::{Cancel, Executor};
use millrace_job::BlobHash;
use millrace_primitives::{worker_api::JobView, Hash, JobFailure, JobId, JobOutcome, LeaseId};
use sp_keystore::testing::MemoryKeystore;
use std::{path::PathBuf, sync::Arc};

const DOUBLE: &str = include_str!("double.ptx");

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

fn plan(entry: &str, words: &[u8], first_word: &str) -> String {
	format!(
		r#"{{ "version": 1, "kernel": "{kernel}",
			"buffers": [ {{ "name": "words", "bytes": {bytes}, "input": "{input}" }} ],
			"launches": [ {{ "entry": "{entry}", "grid": [2, 1, 1], "block": [8, 1, 1], "shared_bytes": 0,
				"arguments": [ {{ "buffer": "words" }}, {first_word} ] }} ],
			"outputs": ["words"] }}"#,
		kernel = BlobHash::of(DOUBLE.as_bytes()),
		bytes = words.len(),
		input = BlobHash::of(words),
	)
}

/// Runs `double.ptx` on sixteen words, with that entry and that first word.
async fn run(entry: &str, first_word: &str) -> (Ending, DeviceAfter, Blobs, tempfile::TempDir) {
	let dir = tempfile::tempdir().unwrap();
	let config = config(dir.path());
	let blobs = Blobs::open(config.blob_dir(), config.blob_limits()).unwrap();
	let words: Vec<u8> = (0..16u32).flat_map(u32::to_le_bytes).collect();
	blobs.put(DOUBLE.as_bytes()).unwrap();
	blobs.put(&words).unwrap();
	let plan = blobs.put(plan(entry, &words, first_word).as_bytes()).unwrap();
	let executors: Arc<dyn Executors> = Arc::new(Executor::new(program()));
	let device = devices::find(&*executors, DeviceChoice::Reference, dir.path()).unwrap().remove(0);
	let context = JobContext {
		executors,
		blobs: blobs.clone(),
		results: Results::open(dir.path().join("results"), Hash::zero()).unwrap(),
		status: WorkerStatusHandle::running(Arc::new(MemoryKeystore::new())),
		config,
		genesis: Hash::zero(),
	};
	let job = JobView { job: JobId(0), plan, submitted_at: 0 };
	let end =
		run_job(Arc::new(context), JobTask { lease: LeaseId(1), job, device, cancel: Cancel::new() }).await;
	(end.ending, end.device, blobs, dir)
}

#[tokio::test]
async fn the_probe_passes_on_the_reference_device() {
	let dir = tempfile::tempdir().unwrap();
	let executor = Executor::new(program());
	let device = devices::find(&executor, DeviceChoice::Reference, dir.path()).unwrap().remove(0);
	assert_eq!(probe(&executor, &device, &Cancel::new()), Ok(()));
}

#[tokio::test]
async fn a_job_gives_the_right_bytes() {
	let (ending, device, blobs, _dir) = run("double", r#"{ "u32": 0 }"#).await;
	let Ending::Stored(result) = ending else { panic!("{ending:?}") };
	let expected: Vec<u8> = (0..16u32).flat_map(|word| (2 * word).to_le_bytes()).collect();
	let output = Hash::from(millrace_job::blob_hash(&expected));
	assert_eq!(result.outcome, JobOutcome::Succeeded { output, bytes: 64 });
	assert_eq!(blobs.get(output).unwrap().unwrap(), expected);
	assert_eq!(device, DeviceAfter::Sound);
}

#[tokio::test]
async fn the_tenants_faults_are_told_apart() {
	for (entry, first_word, expected) in [
		("no_such_entry", r#"{ "u32": 0 }"#, JobFailure::KernelRejected),
		// Writes past the end of its buffer.
		("double", r#"{ "u32": 1000000 }"#, JobFailure::KernelFault),
	] {
		let (ending, ..) = run(entry, first_word).await;
		let Ending::Stored(result) = ending else { panic!("{ending:?}") };
		assert_eq!(result.outcome, JobOutcome::Failed(expected), "{}", result.detail);
		assert!(!result.detail.is_empty());
	}
}

#[tokio::test]
async fn a_missing_program_is_this_machines_trouble() {
	let dir = tempfile::tempdir().unwrap();
	let executor = Executor::new(dir.path().join("nothing-here"));
	let device = devices::find(&executor, DeviceChoice::Reference, dir.path()).unwrap().remove(0);
	let error = probe(&executor, &device, &Cancel::new()).unwrap_err();
	assert!(error.contains("nothing-here"), "{error}");
	assert!(devices::find(&executor, DeviceChoice::Cuda, dir.path()).unwrap_err().contains("nothing-here"));
}
