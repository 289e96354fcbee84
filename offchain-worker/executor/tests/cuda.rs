//! Jobs on a GPU, through the real program, with the test double of `libcuda.so.1` in the place of the driver.

#![cfg(test)]

use millrace_executor::{
	Cancel, ConformanceRecord, DeviceSelector, Executor, ExecutorError, FailureKind, JobLimits, JobRequest,
	Kind, PrepareLimits,
};
use millrace_job::BlobHash;
use std::{
	env, fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Output},
	sync::Arc,
	time::{Duration, Instant},
};
use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");

fn digits(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../jobs/digits").join(name)
}

/// A copy of the double with orders of its own.
struct Double {
	folder: TempDir,
}

impl Double {
	fn new(config: &str) -> Self {
		let built = env::current_exe().unwrap().with_file_name("libmillrace_cuda_double.so");
		let folder = tempfile::tempdir().unwrap();
		fs::copy(&built, folder.path().join("libcuda.so.1"))
			.unwrap_or_else(|error| panic!("{}: {error}", built.display()));
		let double = Self { folder };
		double.order(config);
		double
	}

	/// What it does in processes that start from now on.
	fn order(&self, config: &str) {
		fs::write(self.folder.path().join("libcuda.so.1.json"), config).unwrap();
	}

	fn path(&self, name: &str) -> PathBuf {
		self.folder.path().join(name)
	}

	/// The program, as a node uses it, with this double. A script stands in the way, because the environment of this process
	/// is that of all its tests.
	fn executor(&self) -> Executor {
		let script = self.path("executor");
		let library = self.path("libcuda.so.1");
		let text = format!("#!/bin/sh\nMILLRACE_LIBCUDA={} exec {PROGRAM} \"$@\"\n", library.display());
		fs::write(&script, text).unwrap();
		fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
		Executor::new(script)
	}

	fn program(&self, arguments: &[&str]) -> Output {
		let mut command = Command::new(PROGRAM);
		command.args(arguments).env("MILLRACE_LIBCUDA", self.path("libcuda.so.1")).output().unwrap()
	}

	/// Runs the digits job on the first GPU. Returns whether that went well, and what was said.
	fn run_digits(&self, seconds: &str) -> (bool, String) {
		let (plan, blobs, out) = (digits("plan.json"), digits(""), self.path("out.bin"));
		let text = |path: &Path| path.to_str().unwrap().to_owned();
		let (plan, blobs, out) = (text(&plan), text(&blobs), text(&out));
		let arguments = [
			"run",
			"--plan",
			&plan,
			"--blobs",
			&blobs,
			"--out",
			&out,
			"--device",
			"cuda",
			"--seconds",
			seconds,
		];
		let output = self.program(&arguments);
		let said = [output.stdout, output.stderr].concat();
		(output.status.success(), String::from_utf8(said).unwrap())
	}
}

#[test]
fn the_digits_job_gives_the_same_bytes_through_the_driver() {
	let double = Double::new("{}");
	let (fine, text) = double.run_digits("60");
	assert!(fine, "{text}");
	let expected = fs::read_to_string(digits("expected.blake3")).unwrap();
	assert!(text.starts_with(&format!("output  {}\nbytes   1797\n", expected.trim())), "{text}");
	assert!(text.contains("device  Millrace CUDA test double 0\n"), "{text}");
}

#[test]
fn the_program_lists_the_gpus() {
	let double = Double::new(r#"{ "devices": 2 }"#);
	let text = String::from_utf8(double.program(&["devices"]).stdout).unwrap();
	let second = "cuda:GPU-4d696c6c-7261-6365-2064-6f75626c6501  Millrace CUDA test double 1, 4096 MiB";
	assert!(text.contains(second), "{text}");
	double.order(r#"{ "devices": 0 }"#);
	let text = String::from_utf8(double.program(&["devices"]).stdout).unwrap();
	assert!(text.contains("The CUDA driver knows no GPU."), "{text}");
}

#[test]
fn what_goes_wrong_is_told_and_the_next_job_runs() {
	let double = Double::new("{}");
	for (config, words) in [
		(r#"{ "faults": [{ "launch": 2, "kind": { "sticky": 700 } }] }"#, "700 (ILLEGAL_ADDRESS)"),
		(r#"{ "faults": [{ "launch": 1, "kind": { "sticky": 719 } }] }"#, "719 (LAUNCH_FAILED)"),
		(r#"{ "faults": [{ "launch": 2, "kind": "lost" }] }"#, "999 (UNKNOWN)"),
		(r#"{ "load-error": 222 }"#, "222 (UNSUPPORTED_PTX_VERSION)"),
		(r#"{ "memory-bytes": 1024 }"#, "2 (OUT_OF_MEMORY)"),
		(r#"{ "broken": 802 }"#, "802 (SYSTEM_NOT_READY)"),
		(r#"{ "devices": 0 }"#, "knows no GPU"),
	] {
		double.order(config);
		let (fine, text) = double.run_digits("60");
		assert!(!fine && text.contains(words), "{config}: {text}");
		assert!(!double.path("out.bin").exists(), "{config} left an output");
	}
	double.order("{}");
	let (fine, text) = double.run_digits("60");
	assert!(fine, "{text}");
}

/// Landlock and seccomp are in every kernel since 5.13, but not in every sandbox.
fn can_confine() -> bool {
	let lsm = fs::read_to_string("/sys/kernel/security/lsm").unwrap_or_default();
	let is_confined = Executor::new(PROGRAM).check().unwrap().confinement.missing().is_empty();
	assert!(is_confined || !lsm.contains("landlock"), "this machine can confine and does not");
	is_confined
}

#[test]
fn a_kernel_that_has_taken_over_the_driver_reaches_nothing() {
	if !can_confine() {
		eprintln!("skipped: this machine cannot confine a process, see `millrace-executor check`");
		return;
	}
	let double = Double::new(r#"{ "faults": [{ "launch": 1, "kind": "escape" }] }"#);
	let (fine, text) = double.run_digits("60");
	assert!(fine, "{text}");
}

#[test]
fn a_kernel_that_hangs_is_killed_in_time_and_leaves_no_process() {
	let double = Double::new(r#"{ "faults": [{ "launch": 2, "kind": "hang" }] }"#);
	let start = Instant::now();
	let (fine, text) = double.run_digits("2");
	assert!(!fine && text.contains("did not end within"), "{text}");
	assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
	let library = double.path("libcuda.so.1");
	let holders = fs::read_dir("/proc").unwrap().filter_map(Result::ok).filter(|process| {
		let maps = fs::read_to_string(process.path().join("maps")).unwrap_or_default();
		maps.contains(library.to_str().unwrap())
	});
	assert_eq!(holders.count(), 0);
}

#[test]
fn a_launch_that_hangs_is_ended_by_its_own_limit_and_the_next_job_runs() {
	let double = Double::new(r#"{ "faults": [{ "launch": 2, "kind": "hang" }] }"#);
	let executor = double.executor();
	let names = ["kernel.ptx", "weights.bin", "images.bin", "labels.bin"];
	let run = || {
		let request = JobRequest {
			plan: fs::read(digits("plan.json")).unwrap(),
			blobs: names.map(|name| fs::read(digits(name)).unwrap()).into(),
			resume: None,
			compiled: None,
			device: DeviceSelector::Cuda(None),
			limits: JobLimits { launch: Duration::from_secs(4), ..JobLimits::default() },
		};
		executor.run_job(Arc::new(request), &Cancel::new(), &mut |_| {})
	};
	let start = Instant::now();
	let ExecutorError::Failed(failure) = run().unwrap_err() else { panic!("it was lost") };
	assert_eq!(failure.kind, FailureKind::TimedOut);
	// The child's own words: the parent did not have to kill it.
	assert!(failure.message.starts_with("launch 2 of 2 made no progress for 4.0 s: "), "{failure}");
	assert!(!failure.message.contains("was killed"), "{failure}");
	assert!((4..60).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
	double.order("{}");
	let output = run().unwrap();
	let expected = fs::read_to_string(digits("expected.blake3")).unwrap();
	assert_eq!(BlobHash::of(&output.bytes).to_string(), expected.trim());
}

#[test]
fn the_conformance_suite_finds_a_device_that_computes_wrongly() {
	let double = Double::new("{}");
	let record = double.path("record.json");
	let conformance = || double.program(&["conformance", "--record", record.to_str().unwrap()]);
	let output = conformance();
	let text = String::from_utf8(output.stdout).unwrap();
	assert!(output.status.success(), "{text}");
	assert!(text.contains("device Millrace CUDA test double 0, 29 cases, 0 differ\n"), "{text}");
	let parsed: ConformanceRecord = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
	assert_eq!((parsed.outcomes.len(), parsed.device.kind), (29, Kind::Cuda));

	double.order(r#"{ "faults": [{ "launch": 1, "kind": { "sticky": 700 } }] }"#);
	let output = conformance();
	assert!(!output.status.success());
	let text = String::from_utf8(output.stdout).unwrap();
	// The cases that are meant to fault do.
	assert!(text.contains("device Millrace CUDA test double 0, 29 cases, 26 differ\n"), "{text}");
	let words = String::from_utf8(output.stderr).unwrap();
	assert!(words.contains("does not compute as the reference device does"), "{words}");

	double.order(r#"{ "devices": 0 }"#);
	let words = String::from_utf8(conformance().stderr).unwrap();
	assert_eq!(words, "error: there is no such GPU\n");
}

/// A kernel that multiplies nothing, so that only the way to it counts.
const KERNEL: &str = "\
.version 7.0
.target sm_80
.address_size 64
.visible .entry nothing(.param .u64 data) { ret; }
";

#[test]
fn a_kernel_is_compiled_once_and_runs_from_what_came_of_it() {
	let double = Double::new("{}");
	let executor = double.executor();
	let device = DeviceSelector::Cuda(None);
	let prepare =
		|kernel: &str, limits| executor.prepare(kernel.as_bytes().to_vec(), &device, limits, &Cancel::new());
	let compiled = prepare(KERNEL, PrepareLimits::default()).unwrap();
	assert_eq!(prepare(KERNEL, PrepareLimits::default()).unwrap(), compiled, "the same every time");

	let plan = format!(
		r#"{{ "version": 1, "kernel": "{}", "buffers": [{{ "name": "data", "bytes": 4 }}],
			"launches": [{{ "entry": "nothing", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [{{ "buffer": "data" }}] }}],
			"outputs": ["data"] }}"#,
		BlobHash::of(KERNEL.as_bytes())
	);
	let run = |compiled: Option<Vec<u8>>| {
		let request = JobRequest {
			plan: plan.clone().into_bytes(),
			blobs: vec![KERNEL.as_bytes().to_vec()],
			resume: None,
			compiled,
			device: device.clone(),
			limits: JobLimits::default(),
		};
		executor.run_job(Arc::new(request), &Cancel::new(), &mut |_| {}).map(|output| output.bytes)
	};
	// With a compiler that refuses every text, only what was compiled before runs.
	double.order(r#"{ "load-error": 222 }"#);
	let error = run(None).unwrap_err();
	assert!(error.to_string().contains("222 (UNSUPPORTED_PTX_VERSION)"), "{error}");
	assert_eq!(run(Some(compiled.clone())), Ok(vec![0; 4]));
	// What is damaged, or refused by the driver, is nothing worse than nothing.
	double.order("{}");
	let mut damaged = compiled.clone();
	damaged[80] ^= 1;
	assert_eq!(run(Some(damaged)), Ok(vec![0; 4]));
	double.order(r#"{ "refuses-compiled": true }"#);
	assert_eq!(run(Some(compiled)), Ok(vec![0; 4]));
}

#[test]
fn a_compiler_that_takes_too_long_is_killed_and_a_text_that_is_none_is_rejected_with_its_words() {
	let double = Double::new(r#"{ "compile-ms": 60000 }"#);
	let executor = double.executor();
	let device = DeviceSelector::Cuda(None);
	let prepare = |kernel: &str, seconds| {
		let limits = PrepareLimits { wall_clock: Duration::from_secs(seconds) };
		executor.prepare(kernel.as_bytes().to_vec(), &device, limits, &Cancel::new()).unwrap_err()
	};
	let start = Instant::now();
	let ExecutorError::Failed(bomb) = prepare(KERNEL, 2) else { panic!("it was lost") };
	assert_eq!(bomb.kind, FailureKind::TimedOut);
	assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
	double.order("{}");
	let ExecutorError::Failed(rejected) = prepare(&KERNEL.replace("ret;", "frob;"), 60) else {
		panic!("it was lost")
	};
	assert_eq!(rejected.kind, FailureKind::KernelRejected);
	assert!(rejected.message.contains("frob"), "{rejected}");
	double.order(r#"{ "compile-ms": 60000 }"#);
	let cancel = Cancel::new();
	cancel.cancel();
	let cancelled = executor.prepare(KERNEL.into(), &device, PrepareLimits::default(), &cancel);
	assert_eq!(cancelled, Err(ExecutorError::Cancelled));
}
