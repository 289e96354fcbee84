//! Control groups of executors, with real processes. Where this machine lets nobody make groups the tests say so, unless the variable
//! `MILLRACE_REQUIRE_CONTROL_GROUPS` is set: then they fail.

#![cfg(test)]

mod doubles;

use doubles::Double;
use millrace_executor::{
	Cancel, DeviceSelector, Executor, ExecutorError, FailureKind, HostLimits, JobLimits, JobOutput,
	JobRequest, Update,
};
use millrace_job::{BlobHash, Buffer, Launch, Plan};
use serde_json::json;
use std::{
	env, fs,
	os::unix::fs::PermissionsExt,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::{Arc, Mutex, MutexGuard},
	thread,
	time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");
const KERNEL: &str = "
.version 7.1
.target sm_70
.address_size 64
.visible .entry nothing() {
	ret;
}
.visible .entry spin() {
AGAIN:
	bra AGAIN;
}
";

/// Room for an executor that does little.
const LITTLE: HostLimits = HostLimits { memory_bytes: 256 << 20, tasks: 40 };

/// The tests look for groups of this process, so there may be only one at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// Waits until no other test runs. `None` if there can be no groups here.
fn alone_with_groups() -> Option<MutexGuard<'static, ()>> {
	let alone = ALONE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
	let info = Executor::new(PROGRAM).check().unwrap();
	if info.confinement.control_group {
		assert_eq!(info.no_control_group, None);
		return Some(alone);
	}
	let why = info.no_control_group.unwrap_or_else(|| "no reason is known".into());
	let required =
		env::var_os("MILLRACE_REQUIRE_CONTROL_GROUPS").is_some() || can_make_groups_of_version_one();
	assert!(!required, "there can be control groups here, and there are none: {why}");
	eprintln!("skipped: this machine gives no control groups: {why}");
	None
}

/// Whoever may make groups below the roots may also make them elsewhere.
fn can_make_groups_of_version_one() -> bool {
	let can = |controller: &str| {
		let folder =
			Path::new("/sys/fs/cgroup").join(controller).join(format!("test-{}", std::process::id()));
		fs::create_dir(&folder).and_then(|()| fs::remove_dir(&folder)).is_ok()
	};
	["memory", "pids", "cpu"].into_iter().all(can)
}

/// The folders of all groups that a process has made for its children.
fn groups_of(parent: u32) -> Vec<PathBuf> {
	let beginning = format!("millrace-executor-{parent}-");
	let mut found = Vec::new();
	let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
	while let Some(folder) = folders.pop() {
		for entry in fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok) {
			if !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
				continue;
			}
			let is_one = entry.file_name().to_string_lossy().starts_with(&beginning);
			if is_one { &mut found } else { &mut folders }.push(entry.path());
		}
	}
	found
}

fn own_groups() -> Vec<PathBuf> {
	groups_of(std::process::id())
}

/// What a file with this name says in whichever of the groups it is.
fn setting(groups: &[PathBuf], names: &[&str]) -> Option<String> {
	let files = groups.iter().flat_map(|group| names.iter().map(move |name| group.join(name)));
	files.filter_map(|file| fs::read_to_string(file).ok()).next().map(|text| text.trim().to_owned())
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

fn plan(entry: &str) -> Plan {
	let launch =
		Launch { entry: entry.into(), grid: [1; 3], block: [1; 3], shared_bytes: 0, arguments: vec![] };
	Plan {
		version: 1,
		kernel: BlobHash::of(KERNEL.as_bytes()),
		buffers: vec![Buffer { name: "data".into(), bytes: 8, input: None }],
		launches: vec![launch],
		outputs: vec!["data".into()],
	}
}

fn request(entry: &str, device: DeviceSelector) -> Arc<JobRequest> {
	Arc::new(JobRequest {
		plan: serde_json::to_vec(&plan(entry)).unwrap(),
		blobs: vec![KERNEL.as_bytes().to_vec()],
		resume: None,
		compiled: None,
		device,
		limits: JobLimits { steps: u64::MAX, wall_clock: Duration::from_secs(60), ..JobLimits::default() },
	})
}

/// The program with this double. A script stands in the way, because the environment of this process is that of all its tests.
fn executor_with(double: &Double) -> Executor {
	let script = double.path("executor");
	let library = double.library();
	let text = format!("#!/bin/sh\nMILLRACE_LIBCUDA={} exec {PROGRAM} \"$@\"\n", library.display());
	fs::write(&script, text).unwrap();
	fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
	Executor::new(script).with_host_limits(LITTLE)
}

/// Runs a job on the double that does this in its launch.
fn run_with_fault(fault: &serde_json::Value) -> Result<JobOutput, ExecutorError> {
	let double = Double::new("cuda", &json!({ "faults": [{ "launch": 1, "kind": fault }] }));
	let request = request("nothing", DeviceSelector::Cuda(None));
	executor_with(&double).run_job(request, &Cancel::new(), &mut |_| {})
}

#[test]
fn a_job_that_takes_too_much_of_the_machines_memory_ends_as_out_of_memory() {
	let Some(_alone) = alone_with_groups() else { return };
	let error = run_with_fault(&json!({ "take-memory": 1_024 })).unwrap_err();
	let ExecutorError::Failed(failure) = error else { panic!("{error}") };
	assert_eq!(failure.kind, FailureKind::OutOfMemory);
	assert!(failure.message.contains("took more than the 256 MiB that it may have"), "{failure}");
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
	// What fits can be had; the double then says that it got it.
	let error = run_with_fault(&json!({ "take-memory": 64 })).unwrap_err();
	assert!(error.to_string().contains("998"), "{error}");
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
}

#[test]
fn a_job_that_starts_threads_without_end_gets_no_more_than_its_group_allows() {
	let Some(_alone) = alone_with_groups() else { return };
	assert_eq!(run_with_fault(&json!({ "start-threads": 60 })).unwrap().bytes, [0; 8]);
	let error = run_with_fault(&json!({ "start-threads": 20 })).unwrap_err();
	assert!(error.to_string().contains("998"), "{error}");
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
}

/// Runs a job that never ends, does something while it runs, and returns what came of it.
fn run_and(act: impl Fn(u32, &Cancel) + Sync) -> Result<JobOutput, ExecutorError> {
	let executor = Executor::new(PROGRAM).with_host_limits(LITTLE);
	let cancel = Cancel::new();
	let mut acted = false;
	executor.run_job(request("spin", DeviceSelector::Reference), &cancel, &mut |update| {
		if matches!(update, Update::Progress(_)) && !std::mem::replace(&mut acted, true) {
			let groups = own_groups();
			let process = setting(&groups, &["cgroup.procs"]).unwrap().parse().unwrap();
			act(process, &cancel);
		}
	})
}

#[test]
fn a_job_is_alone_in_its_group_which_is_limited_and_goes_when_it_is_cancelled() {
	let Some(_alone) = alone_with_groups() else { return };
	let ended = run_and(|process, cancel| {
		let groups = own_groups();
		for group in &groups {
			let processes = fs::read_to_string(group.join("cgroup.procs")).unwrap();
			assert_eq!(processes, format!("{process}\n"), "{}", group.display());
		}
		let command = fs::read_to_string(format!("/proc/{process}/cmdline")).unwrap();
		assert!(command.contains("serve"), "{command}");
		let setting = |names: &[&str]| setting(&groups, names);
		assert_eq!(setting(&["memory.max", "memory.limit_in_bytes"]).unwrap(), (256 << 20).to_string());
		if let Some(swap) = setting(&["memory.swap.max", "memory.memsw.limit_in_bytes"]) {
			assert!(swap == "0" || swap == (256 << 20).to_string(), "{swap}");
		}
		assert_eq!(setting(&["pids.max"]).unwrap(), "40");
		let share = setting(&["cpu.weight", "cpu.shares"]).unwrap();
		assert!(share == "50" || share == "512", "{share}");
		cancel.cancel();
	});
	assert_eq!(ended, Err(ExecutorError::Cancelled));
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
}

#[test]
fn the_group_of_a_job_that_was_killed_goes_and_the_job_is_not_called_greedy() {
	let Some(_alone) = alone_with_groups() else { return };
	let ended = run_and(|process, _| {
		let status = Command::new("sh").args(["-c", &format!("kill -KILL {process}")]).status().unwrap();
		assert!(status.success());
	});
	let expected = "it closed its output; it was killed by signal 9";
	assert_eq!(ended, Err(ExecutorError::Lost(expected.into())));
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
}

#[test]
fn the_group_of_a_job_that_ends_well_goes() {
	let Some(_alone) = alone_with_groups() else { return };
	let request = request("nothing", DeviceSelector::Reference);
	let mut seen = Vec::new();
	let ended = Executor::new(PROGRAM).run_job(request, &Cancel::new(), &mut |_| seen.extend(own_groups()));
	assert_eq!(ended.unwrap().bytes, [0; 8]);
	assert!(!seen.is_empty());
	assert_eq!(own_groups(), Vec::<PathBuf>::new());
}

#[test]
fn groups_of_a_parent_that_was_killed_are_removed_by_the_next_one() {
	let Some(_alone) = alone_with_groups() else { return };
	let folder = tempfile::tempdir().unwrap();
	fs::write(folder.path().join("plan.json"), serde_json::to_vec(&plan("spin")).unwrap()).unwrap();
	fs::write(folder.path().join("kernel.ptx"), KERNEL).unwrap();
	let mut parent = Command::new(PROGRAM)
		.args(["run", "--plan", "plan.json", "--blobs", ".", "--out", "out.bin", "--seconds", "60"])
		.current_dir(folder.path())
		.stderr(Stdio::null())
		.spawn()
		.unwrap();
	let is_entered = |groups: &Vec<PathBuf>| {
		setting(groups, &["cgroup.procs"]).is_some_and(|processes| !processes.is_empty())
	};
	let left = wait_for("the start of the job", || Some(groups_of(parent.id())).filter(is_entered));
	parent.kill().unwrap();
	parent.wait().unwrap();
	// Somebody else may start meanwhile, and remove it.
	let is_empty =
		|group: &PathBuf| fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default().is_empty();
	wait_for("the end of the job", || left.iter().all(is_empty).then_some(()));
	let checked = Command::new(PROGRAM).arg("check").output().unwrap();
	let said = String::from_utf8(checked.stdout).unwrap();
	assert!(said.contains("control group: yes"), "{said}");
	assert!(left.iter().all(|group| !group.exists()), "{left:?}");
}
