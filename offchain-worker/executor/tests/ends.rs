//! How the process of a job ends when somebody kills, stops or orphans it.

#![cfg(test)]

use millrace_executor::{Cancel, DeviceSelector, Executor, ExecutorError, JobLimits, JobOutput, JobRequest};
use millrace_job::{BlobHash, Buffer, Launch, Plan};
use std::{
	fs,
	path::Path,
	process::{Child, Command, Stdio},
	sync::{mpsc, Arc, Mutex},
	thread,
	time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");
const KERNEL: &str = "
.version 7.1
.target sm_70
.address_size 64
.visible .entry spin() {
AGAIN:
	bra AGAIN;
}
";

/// The tests look for children of this process, so there may be only one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn plan() -> Plan {
	let spin =
		Launch { entry: "spin".into(), grid: [1; 3], block: [1; 3], shared_bytes: 0, arguments: vec![] };
	Plan {
		version: 1,
		kernel: BlobHash::of(KERNEL.as_bytes()),
		buffers: vec![Buffer { name: "data".into(), bytes: 8, input: None }],
		launches: vec![spin],
		outputs: vec!["data".into()],
	}
}

fn signal(name: &str, pid: u32) {
	let status = Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().unwrap();
	assert!(status.success());
}

/// State and parent of a process, if it is there.
fn process(pid: u32) -> Option<(char, u32)> {
	let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
	let mut fields = stat.rsplit_once(") ")?.1.split(' ');
	Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
}

/// A child of a process that runs the executor.
fn executor_of(parent: u32) -> Option<u32> {
	let pids =
		fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
	let is_executor = |pid: &u32| {
		let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
		process(*pid).is_some_and(|(_, of)| of == parent)
			&& command.split(|byte| *byte == 0).any(|word| word == b"serve")
	};
	pids.into_iter().find(is_executor)
}

fn wait_for<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
	let start = Instant::now();
	while start.elapsed() < Duration::from_secs(20) {
		if let Some(found) = look() {
			return found;
		}
		thread::sleep(Duration::from_millis(10));
	}
	panic!("{what} did not happen");
}

/// Runs a job that never ends, does something to its process while a kernel runs, and returns what came of it.
fn run_and(limits: JobLimits, act: impl FnOnce(u32)) -> (Result<JobOutput, ExecutorError>, u32) {
	let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let (plan, blobs) = (serde_json::to_vec(&plan()).unwrap(), vec![KERNEL.as_bytes().to_vec()]);
	let request = Arc::new(JobRequest {
		plan,
		blobs,
		resume: None,
		compiled: None,
		device: DeviceSelector::Reference,
		limits,
	});
	let (started, running) = mpsc::channel();
	thread::scope(|scope| {
		let run = scope.spawn(move || {
			Executor::new(PROGRAM).run_job(request, &Cancel::new(), &mut |_| started.send(()).unwrap())
		});
		running.recv_timeout(Duration::from_secs(20)).unwrap();
		let pid = executor_of(std::process::id()).unwrap();
		act(pid);
		// Progress still comes; keep its receiver until the job has ended.
		let result = run.join().unwrap();
		drop(running);
		(result, pid)
	})
}

fn endless() -> JobLimits {
	JobLimits { steps: u64::MAX, ..JobLimits::default() }
}

#[test]
fn a_killed_executor_is_lost_and_leaves_no_zombie() {
	let (result, pid) = run_and(endless(), |pid| signal("KILL", pid));
	let expected = "it closed its output; it was killed by signal 9";
	assert_eq!(result, Err(ExecutorError::Lost(expected.into())));
	assert_eq!(process(pid), None);
}

#[test]
fn an_executor_that_hangs_is_killed_and_reaped() {
	// A stopped process is as silent as one whose device's driver hangs.
	let limits = JobLimits { silence: Duration::from_secs(1), ..endless() };
	let (result, pid) = run_and(limits, |pid| signal("STOP", pid));
	assert_eq!(result, Err(ExecutorError::Lost("it said nothing for 1.0 s and was killed".into())));
	assert_eq!(process(pid), None);
}

/// Starts an endless job by hand, with a file that everything it starts inherits as number 7. Returns the process that
/// the job's own process has as its parent, and that.
fn run_by_hand(folder: &Path) -> (Child, u32) {
	fs::write(folder.join("plan.json"), serde_json::to_vec(&plan()).unwrap()).unwrap();
	fs::write(folder.join("kernel.ptx"), KERNEL).unwrap();
	let script =
		format!("exec 7</dev/null; exec {PROGRAM} run --plan plan.json --blobs . --out out.bin --seconds 60");
	let parent =
		Command::new("sh").args(["-c", &script]).current_dir(folder).stderr(Stdio::null()).spawn().unwrap();
	let child = wait_for("the start of the child", || executor_of(parent.id()));
	(parent, child)
}

fn end(mut parent: Child) {
	parent.kill().unwrap();
	parent.wait().unwrap();
}

#[test]
fn the_executor_dies_with_its_parent() {
	let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let folder = tempfile::tempdir().unwrap();
	let (parent, child) = run_by_hand(folder.path());
	end(parent);
	// Whoever adopts it also reaps it, but not always at once.
	wait_for("the end of the child", || matches!(process(child), None | Some(('Z', _))).then_some(()));
	assert!(!folder.path().join("out.bin").exists());
}

#[test]
fn the_executor_inherits_no_files() {
	let _alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let folder = tempfile::tempdir().unwrap();
	let (parent, child) = run_by_hand(folder.path());
	let has_file = |pid: u32| fs::symlink_metadata(format!("/proc/{pid}/fd/7")).is_ok();
	assert!(has_file(parent.id()));
	// It may not yet have come so far. Later only root can look, since it makes itself untraceable; to others it looks
	// as if it had no files.
	wait_for("the closing of the file", || (!has_file(child)).then_some(()));
	end(parent);
}
