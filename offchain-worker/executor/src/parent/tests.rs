//! Children that do not behave: shell scripts in the place of the program.

use super::*;
use crate::{
	frame::write_frame,
	message::{Hello, Reply, MAGIC, PROTOCOL, VERSION},
	Checkpoint, Checkpoints, Failure, FailureKind, JobLimits, Progress,
};
use codec::Encode;
use millrace_job::BlobHash;
use std::{fs, os::unix::fs::PermissionsExt, thread, time::Instant};
use tempfile::TempDir;

/// A program that does what `script` says, with the folder of the test in `$here`.
struct Fake {
	folder: TempDir,
}

impl Fake {
	fn new(script: &str) -> Self {
		let folder = tempfile::tempdir().unwrap();
		let program = folder.path().join("program");
		let here = folder.path().display();
		// Written under another name first: a file that is open for writing cannot be executed, and other tests fork.
		let status = std::process::Command::new("sh")
			.args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
			.arg(&program)
			.stdin({
				let source = folder.path().join("source");
				fs::write(&source, format!("#!/bin/sh\nhere={here}\n{script}\n")).unwrap();
				fs::File::open(source).unwrap()
			})
			.status()
			.unwrap();
		assert!(status.success());
		assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755);
		Self { folder }
	}

	/// One that says frames and then does what `script` says.
	fn saying(frames: &[Vec<u8>], script: &str) -> Self {
		let fake = Self::new(&format!("cat \"$here/frames\"\n{script}"));
		let mut bytes = Vec::new();
		frames.iter().for_each(|frame| write_frame(&mut bytes, frame).unwrap());
		fs::write(fake.folder.path().join("frames"), bytes).unwrap();
		fake
	}

	fn executor(&self) -> Executor {
		Executor::new(self.folder.path().join("program"))
	}

	fn run(&self, limits: JobLimits) -> Result<JobOutput, ExecutorError> {
		self.executor().run_job(Arc::new(request(limits)), &Cancel::new(), &mut |_| {})
	}

	/// The process id that the script wrote to `pid`, once it did.
	fn pid(&self) -> u32 {
		let file = self.folder.path().join("pid");
		for _ in 0..1_000 {
			if let Some(pid) = fs::read_to_string(&file).ok().and_then(|text| text.trim().parse().ok()) {
				return pid;
			}
			thread::sleep(Duration::from_millis(5));
		}
		panic!("the script did not start");
	}
}

fn request(limits: JobLimits) -> JobRequest {
	JobRequest {
		plan: b"{}".to_vec(),
		blobs: vec![vec![0; 1 << 20]],
		resume: None,
		compiled: None,
		device: DeviceSelector::Reference,
		limits,
	}
}

fn hello_of(version: &str, protocol: u32) -> Vec<u8> {
	let confinement = Confinement {
		dies_with_parent: true,
		not_traceable: true,
		no_core_file: true,
		no_new_privileges: true,
		no_network: false,
		bounded_memory: true,
		no_foreign_files: true,
		no_foreign_calls: true,
		control_group: true,
	};
	Hello { magic: MAGIC, protocol, version: version.into(), confinement }.encode()
}

fn hello() -> Vec<u8> {
	hello_of(VERSION, PROTOCOL)
}

fn done() -> Vec<u8> {
	Reply::Done { busy_us: 1_500, launches: 2, device: "fake\u{1b}[31m".into() }.encode()
}

/// Whether a process of this id is there, be it as a zombie.
fn exists(pid: u32) -> bool {
	Path::new(&format!("/proc/{pid}")).exists()
}

fn reason(error: ExecutorError) -> String {
	match error {
		ExecutorError::CannotStart { reason, .. } => reason,
		other => panic!("{other:?}"),
	}
}

fn lost(error: ExecutorError) -> String {
	match error {
		ExecutorError::Lost(reason) => reason,
		other => panic!("{other:?}"),
	}
}

#[test]
fn output_and_progress_come_through() {
	let progress = Reply::Progress { launches_done: 1, launches: 2, blocks_done: Some(7) };
	let fake = Fake::saying(&[hello(), progress.encode(), done(), b"bytes".to_vec()], "");
	let mut seen = Vec::new();
	let request = Arc::new(request(JobLimits::default()));
	let output = fake.executor().run_job(request, &Cancel::new(), &mut |update| seen.push(update));
	let (bytes, busy) = (b"bytes".to_vec(), Duration::from_micros(1_500));
	// What the child says cannot control a terminal.
	assert_eq!(output, Ok(JobOutput { bytes, busy, launches: 2, device: "fake [31m".into() }));
	assert_eq!(seen, [Update::Progress(Progress { launches_done: 1, launches: 2, blocks_done: Some(7) })]);
}

#[test]
fn checkpoints_come_through_up_to_their_limit() {
	let frames = [hello(), Reply::Checkpoint { launches_done: 3 }.encode(), b"state".to_vec()];
	let fake = Fake::saying(&[&frames[..], &[done(), b"bytes".to_vec()]].concat(), "");
	let rule = |max_bytes| Some(Checkpoints { interval: Duration::ZERO, max_bytes });
	let limits = |max_bytes| JobLimits { checkpoints: rule(max_bytes), ..JobLimits::default() };
	let mut seen = Vec::new();
	let request = Arc::new(request(limits(5)));
	let ended = fake.executor().run_job(request, &Cancel::new(), &mut |update| seen.push(update));
	assert_eq!(ended.map(|output| output.bytes), Ok(b"bytes".to_vec()));
	assert_eq!(seen, [Update::Checkpoint(Checkpoint { launches_done: 3, bytes: b"state".to_vec() })]);
	for limits in [limits(4), JobLimits::default()] {
		let text = lost(fake.run(limits).unwrap_err());
		assert!(text.contains("a frame of 5 bytes, the limit is"), "{text}");
	}
}

#[test]
fn a_failure_comes_through() {
	let kind = FailureKind::BlobMissing(BlobHash::of(b"x"));
	let failure = Failure { kind, message: "first\nsecond".into() };
	let fake = Fake::saying(&[hello(), Reply::Failed(failure).encode()], "");
	let error = fake.run(JobLimits::default()).unwrap_err();
	assert_eq!(error, ExecutorError::Failed(Failure { kind, message: "first second".into() }));
}

#[test]
fn a_program_of_another_version_is_not_used() {
	for hello in [hello_of("0.0.7", PROTOCOL), hello_of(VERSION, PROTOCOL + 1)] {
		let fake = Fake::saying(&[hello], "sleep 100");
		for error in [fake.run(JobLimits::default()).unwrap_err(), fake.executor().check().unwrap_err()] {
			assert!(reason(error).contains("install both from one release"));
		}
	}
}

#[test]
fn another_program_is_not_used() {
	let fake = Fake::saying(&[b"Usage: something else".to_vec()], "");
	assert!(reason(fake.run(JobLimits::default()).unwrap_err()).starts_with("it is not millrace-executor; "));
	let fake = Fake::new("echo 'unknown option serve' >&2; exit 3");
	let text = reason(fake.run(JobLimits::default()).unwrap_err());
	assert_eq!(text, "it closed its output; it exited with status 3; it said: unknown option serve");
	assert!(reason(fake.executor().devices().unwrap_err()).contains("is no list of GPUs"));
}

#[test]
fn a_wrong_path_is_named() {
	let executor = Executor::new("/nonexistent/millrace-executor");
	let request = Arc::new(request(JobLimits::default()));
	let error = executor.run_job(request, &Cancel::new(), &mut |_| {}).unwrap_err();
	let expected =
		"the executor /nonexistent/millrace-executor cannot be used: No such file or directory (os error 2)";
	assert_eq!(error.to_string(), expected);
	assert_eq!(executor.devices().unwrap_err(), error);
	assert_eq!(executor.check().unwrap_err(), error);
	// A file that is no program, and a folder.
	for path in ["/etc/passwd", "/tmp"] {
		assert!(reason(Executor::new(path).check().unwrap_err()).contains("ermission denied"), "{path}");
	}
}

#[test]
fn a_child_that_dies_before_its_first_word_by_a_signal_is_lost() {
	// As when the machine has no memory left: the program itself is fine.
	let fake = Fake::new("kill -KILL $$");
	assert_eq!(
		lost(fake.run(JobLimits::default()).unwrap_err()),
		"it closed its output; it was killed by signal 9"
	);
}

#[test]
fn frames_over_the_limit_are_not_read() {
	let limits = JobLimits { output_bytes: 4, ..JobLimits::default() };
	let fake = Fake::saying(&[hello(), done(), b"bytes".to_vec()], "sleep 100");
	let text = lost(fake.run(limits).unwrap_err());
	assert!(text.contains("a frame of 5 bytes, the limit is 4"), "{text}");
	let fake = Fake::saying(&[hello(), vec![0; 100_000]], "sleep 100");
	let text = lost(fake.run(limits).unwrap_err());
	assert!(text.contains("a frame of 100000 bytes, the limit is 16384"), "{text}");
}

#[test]
fn a_child_that_breaks_the_protocol_is_lost() {
	for (frames, expected) in [
		(vec![hello(), b"\xff".to_vec()], "it sent a frame of no meaning"),
		(vec![hello(), done()], "it closed its output"),
		(vec![hello()], "it closed its output"),
	] {
		let text = lost(Fake::saying(&frames, "").run(JobLimits::default()).unwrap_err());
		assert!(text.starts_with(expected), "{text}");
	}
}

#[test]
fn a_silent_child_is_killed_with_all_its_descendants() {
	let fake = Fake::saying(&[hello()], "sleep 100 & echo $! >\"$here/pid\"; wait");
	let limits = JobLimits { silence: Duration::from_millis(300), ..JobLimits::default() };
	let start = Instant::now();
	assert_eq!(lost(fake.run(limits).unwrap_err()), "it said nothing for 0.3 s and was killed");
	assert!(start.elapsed() < Duration::from_secs(20));
	// The grandchild was killed, too. It is reaped by whoever has adopted it, so it may be a zombie for a while.
	let state = || fs::read_to_string(format!("/proc/{}/stat", fake.pid())).unwrap_or_default();
	let dead = || state().is_empty() || state().contains(") Z ");
	assert!(
		(0..400).any(|_| dead() || {
			thread::sleep(Duration::from_millis(5));
			false
		}),
		"{}",
		state()
	);
}

#[test]
fn a_child_that_is_alive_but_never_ready_is_killed_by_the_clock() {
	let progress = Reply::Progress { launches_done: 0, launches: 1, blocks_done: None };
	let fake = Fake::saying(&[hello(), progress.encode()], "echo $$ >\"$here/pid\"; exec sleep 100");
	let limits = JobLimits { wall_clock: Duration::from_millis(200), ..JobLimits::default() };
	let ExecutorError::Failed(failure) = fake.run(limits).unwrap_err() else { panic!() };
	assert_eq!(failure.kind, FailureKind::TimedOut);
	assert_eq!(failure.message, "the job did not end within 0.2 s and was killed");
	assert!(!exists(fake.pid()), "it is neither alive nor a zombie");
}

#[test]
fn a_child_whose_launch_gets_nowhere_is_killed_although_it_speaks() {
	let progress = Reply::Progress { launches_done: 1, launches: 3, blocks_done: Some(7) }.encode();
	// The length comes before the frame.
	let again = format!("tail -c {} \"$here/frames\"", 4 + progress.len());
	let script = format!("echo $$ >\"$here/pid\"; while sleep 0.1; do {again}; done");
	let fake = Fake::saying(&[hello(), progress], &script);
	let limits = JobLimits { launch: Duration::from_millis(200), ..JobLimits::default() };
	let start = Instant::now();
	let ExecutorError::Failed(failure) = fake.run(limits).unwrap_err() else { panic!() };
	assert_eq!(failure.kind, FailureKind::TimedOut);
	assert!(failure.message.starts_with("launch 2 of 3 made no progress for 0.2 s: "), "{failure}");
	assert!(start.elapsed() < Duration::from_secs(20));
	assert!(!exists(fake.pid()), "it is neither alive nor a zombie");
}

#[test]
fn a_cancelled_job_ends_soon_and_leaves_nothing() {
	let fake = Fake::saying(&[hello()], "echo $$ >\"$here/pid\"; exec sleep 100");
	let cancel = Cancel::new();
	let other = cancel.clone();
	thread::scope(|scope| {
		let run = scope
			.spawn(|| fake.executor().run_job(Arc::new(request(JobLimits::default())), &cancel, &mut |_| {}));
		let pid = fake.pid();
		assert!(exists(pid));
		other.cancel();
		let start = Instant::now();
		assert_eq!(run.join().unwrap(), Err(ExecutorError::Cancelled));
		assert!(start.elapsed() < Duration::from_secs(5));
		assert!(!exists(pid));
	});
}

#[test]
fn a_child_gets_no_environment_but_what_chooses_a_gpu() {
	let fake = Fake::new("env >\"$here/environment\"; pwd -P >\"$here/folder\"; exit 1");
	fake.run(JobLimits::default()).unwrap_err();
	let environment = fs::read_to_string(fake.folder.path().join("environment")).unwrap();
	// The shell adds some of its own.
	let own = ["PWD", "OLDPWD", "SHLVL", "_"];
	let names = environment.lines().filter_map(|line| Some(line.split_once('=')?.0));
	for name in names.filter(|name| !own.contains(name)) {
		assert!(name == "CUDA_CACHE_DISABLE" || crate::process::KEPT_VARIABLES.contains(&name), "{name}");
	}
	assert!(environment.contains("CUDA_CACHE_DISABLE=1"));
	assert_eq!(fs::read_to_string(fake.folder.path().join("folder")).unwrap().trim(), "/");
}
