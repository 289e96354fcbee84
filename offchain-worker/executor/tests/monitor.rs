//! The monitor's process, with the test double of `libnvidia-ml.so.1` in the place of NVML.

#![cfg(test)]

mod doubles;

use doubles::Double;
use millrace_executor::{
	Executor, ExecutorError, FailureKind, GpuState, Monitor, MonitorMessage, Reading, XidEvent,
};
use serde_json::{json, Value};
use std::{
	env, fs,
	os::unix::fs::PermissionsExt,
	path::Path,
	process::{Command, Output, Stdio},
	sync::{Mutex, MutexGuard, PoisonError},
	thread,
	time::{Duration, Instant},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");
const LIBRARY: &str = "MILLRACE_LIBNVML";
const OFTEN: Duration = Duration::from_millis(100);
const FIRST: &str = "GPU-4d696c6c-7261-6365-2064-6f75626c6500";

/// Monitors take the environment of this process, and tests look for its children: one test at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
	ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn start_at(program: &str, library: &Path) -> Result<Monitor, ExecutorError> {
	env::set_var(LIBRARY, library);
	let started = Monitor::start(&Executor::new(program), OFTEN);
	env::remove_var(LIBRARY);
	started
}

fn start(double: &Double) -> Monitor {
	start_at(PROGRAM, &double.library()).unwrap()
}

/// Takes messages until one is wanted.
fn wait_for<T>(monitor: &mut Monitor, mut want: impl FnMut(MonitorMessage) -> Option<T>) -> T {
	let start = Instant::now();
	while start.elapsed() < Duration::from_secs(10) {
		let message = monitor.next(Duration::from_secs(1)).unwrap();
		if let Some(found) = message.and_then(&mut want) {
			return found;
		}
	}
	panic!("what was waited for did not come");
}

fn reading(message: MonitorMessage) -> Option<Reading> {
	match message {
		MonitorMessage::Reading(reading) => Some(reading),
		MonitorMessage::Xid(_) => None,
	}
}

fn xid(message: MonitorMessage) -> Option<XidEvent> {
	match message {
		MonitorMessage::Reading(_) => None,
		MonitorMessage::Xid(event) => Some(event),
	}
}

/// What comes once the messages that are on their way have been taken.
fn end_of(monitor: &mut Monitor) -> ExecutorError {
	let start = Instant::now();
	while start.elapsed() < Duration::from_secs(10) {
		if let Err(error) = monitor.next(Duration::from_secs(1)) {
			return error;
		}
	}
	panic!("it goes on and on");
}

fn lost(error: &ExecutorError) -> &str {
	let ExecutorError::Lost(reason) = error else { panic!("{error:?}") };
	reason
}

/// Processes that run a monitor for a parent.
fn monitors_of(parent: u32) -> Vec<u32> {
	let pids =
		fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
	let is_monitor = |pid: &u32| {
		let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
		let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
		let of = stat.rsplit_once(") ").and_then(|(_, fields)| fields.split(' ').nth(1)?.parse().ok());
		of == Some(parent) && command.split(|byte| *byte == 0).any(|word| word == b"monitor")
	};
	pids.filter(is_monitor).collect()
}

fn signal(name: &str, pid: u32) {
	assert!(Command::new("kill").args([format!("-{name}"), pid.to_string()]).status().unwrap().success());
}

#[test]
fn readings_come_again_and_again_and_show_what_changes() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({ "gpus": [{ "temperature": 40 }] }));
	let mut monitor = start(&double);
	let first = wait_for(&mut monitor, reading);
	assert_eq!((first.gpus[0].uuid.as_deref(), first.gpus[0].temperature_c), (Some(FIRST), Some(40)));
	double.order(&json!({ "gpus": [{ "temperature": 95, "throttle": 64 }] }));
	let hot = wait_for(&mut monitor, |message| reading(message).filter(|now| *now != first));
	assert_eq!((hot.gpus[0].temperature_c, hot.gpus[0].warnings().count()), (Some(95), 1));
}

#[test]
fn a_gpu_that_is_lost_is_told_and_the_others_go_on() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({ "gpus": [{}, {}] }));
	let mut monitor = start(&double);
	wait_for(&mut monitor, reading);
	double.order(&json!({ "gpus": [{ "error": 15 }, {}], "xids": [{ "gpu": 0, "code": 79 }] }));
	let event = wait_for(&mut monitor, xid);
	assert_eq!((event.uuid.as_str(), event.code, event.fatal), (FIRST, 79, true));
	let reading =
		wait_for(&mut monitor, |message| reading(message).filter(|now| now.gpus[0].state == GpuState::Lost));
	assert_eq!(reading.gpus[0].uuid.as_deref(), Some(FIRST));
	assert_eq!(reading.gpus[1].state, GpuState::Working);
	// Also its watch goes on, without the lost one.
	let xids = json!([{ "gpu": 0, "code": 79 }, { "gpu": 1, "code": 31 }]);
	thread::sleep(Duration::from_millis(1_500));
	double.order(&json!({ "gpus": [{ "error": 15 }, {}], "xids": xids }));
	let event = wait_for(&mut monitor, xid);
	assert_eq!((event.code, event.fatal), (31, false));
}

#[test]
fn an_error_arrives_within_a_second_however_rare_the_readings_are() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	env::set_var(LIBRARY, double.library());
	let started = Monitor::start(&Executor::new(PROGRAM), Duration::from_secs(3_600));
	env::remove_var(LIBRARY);
	let mut monitor = started.unwrap();
	wait_for(&mut monitor, reading);
	let ordered = Instant::now();
	double.order(&json!({ "xids": [{ "gpu": 0, "code": 48 }] }));
	assert_eq!(wait_for(&mut monitor, xid), XidEvent::new(FIRST, 48));
	assert!(ordered.elapsed() < Duration::from_secs(1), "{:?}", ordered.elapsed());
}

#[test]
fn a_machine_without_nvml_is_no_reason_to_try_again() {
	let _alone = alone();
	let failed = start_at(PROGRAM, Path::new("/nonexistent/libnvidia-ml.so.1")).err().unwrap();
	let ExecutorError::Failed(failure) = failed else { panic!("{failed:?}") };
	assert_eq!(failure.kind, FailureKind::DeviceUnavailable);
	assert!(failure.message.starts_with("/nonexistent/libnvidia-ml.so.1 was not found: "), "{failure}");
	assert!(monitors_of(std::process::id()).is_empty());
}

#[test]
fn a_library_that_breaks_ends_the_monitor_with_a_reason() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	let mut monitor = start(&double);
	double.order(&json!({ "broken": 999 }));
	let error = end_of(&mut monitor);
	assert!(lost(&error).contains("NVML does not work: an internal driver error occurred"), "{error}");
	// And stays ended.
	assert_eq!(monitor.next(OFTEN), Err(error));
}

#[test]
fn a_monitor_outlives_the_thread_that_started_it() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	let mut monitor = thread::scope(|scope| scope.spawn(|| start(&double)).join().unwrap());
	thread::sleep(Duration::from_millis(300));
	let start = Instant::now();
	while start.elapsed() < Duration::from_millis(500) {
		wait_for(&mut monitor, reading);
	}
}

#[test]
fn a_dropped_monitor_leaves_no_process() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	let monitor = start(&double);
	assert_eq!(monitors_of(std::process::id()).len(), 1);
	drop(monitor);
	assert!(monitors_of(std::process::id()).is_empty());
}

#[test]
fn a_monitor_that_is_killed_or_hangs_is_lost() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	for (name, words) in [("KILL", "it was killed by signal 9"), ("STOP", "it said nothing for 2.0 s")] {
		let mut monitor = start(&double);
		signal(name, monitors_of(std::process::id())[0]);
		let error = end_of(&mut monitor);
		assert!(lost(&error).contains(words), "{error}");
		assert!(monitors_of(std::process::id()).is_empty());
	}
}

#[test]
fn a_monitor_ends_when_its_parent_does() {
	let _alone = alone();
	let double = Double::new("nvml", &json!({}));
	// The program itself is the parent's child: a shell that waits for it is killed.
	let script = format!("{PROGRAM} monitor --every 0.1 & wait");
	let mut parent = Command::new("sh")
		.args(["-c", &script])
		.env(LIBRARY, double.library())
		.stdout(Stdio::null())
		.spawn()
		.unwrap();
	let start = Instant::now();
	let is_over =
		|pids: &[u32]| pids.iter().all(|pid| !fs::exists(format!("/proc/{pid}/fd/1")).unwrap_or(false));
	let child = loop {
		if let Some(pid) = monitors_of(parent.id()).first() {
			break *pid;
		}
		assert!(start.elapsed() < Duration::from_secs(10));
		thread::sleep(Duration::from_millis(10));
	};
	// Until it has asked to die with its parent.
	thread::sleep(Duration::from_millis(300));
	parent.kill().unwrap();
	parent.wait().unwrap();
	while !is_over(&[child]) {
		assert!(start.elapsed() < Duration::from_secs(10), "it outlives its parent");
		thread::sleep(Duration::from_millis(10));
	}
}

/// A program that says something in the place of the monitor.
fn impostor(folder: &Path, script: &str) -> String {
	let path = folder.join("impostor");
	fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
	fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
	path.to_str().unwrap().into()
}

#[test]
fn what_is_no_monitor_is_not_believed() {
	let _alone = alone();
	let folder = tempfile::tempdir().unwrap();
	let hello = format!(r#"echo '{{"hello":{{"version":"{}"}}}}'"#, env!("CARGO_PKG_VERSION"));
	for (script, words) in [
		("echo hello", "a line of no meaning"),
		("exit 3", "it closed its output; it exited with status 3"),
		(r#"echo '{"reading":{"gpus":[]}}'"#, "it speaks before it says its version"),
		(r#"echo '{"hello":{"version":"0.0.0"}}'"#, "it is version 0.0.0 and version"),
	] {
		let error = start_at(&impostor(folder.path(), script), Path::new("")).err().unwrap();
		assert!(matches!(error, ExecutorError::CannotStart { .. }), "{error:?}");
		assert!(error.to_string().contains(words), "{error}");
	}
	for (script, words) in [
		("echo garbage; sleep 60", "a line of no meaning"),
		("echo '{\"xid\":{\"code\":79}}'; sleep 60", "a line of no meaning"),
		("yes | tr -d '\\n'", "longer than 1048576 bytes"),
		("sleep 0", "it closed its output"),
		(hello.as_str(), "it introduced itself twice"),
	] {
		let program = impostor(folder.path(), &format!("{hello}\n{script}"));
		let mut monitor = start_at(&program, Path::new("")).unwrap();
		let error = end_of(&mut monitor);
		assert!(lost(&error).contains(words), "{script}: {error}");
	}
}

fn health(library: &Path, arguments: &[&str]) -> Output {
	Command::new(PROGRAM).arg("health").args(arguments).env(LIBRARY, library).output().unwrap()
}

#[test]
fn health_is_shown_to_people_and_to_programs() {
	let _alone = alone();
	let double =
		Double::new("nvml", &json!({ "gpus": [{ "throttle": 4, "energy": null }, { "error": 15 }] }));
	let text = String::from_utf8(health(&double.library(), &[]).stdout).unwrap();
	let expected = format!(
		"\
{FIRST}  Millrace NVML test double: working
  00000000:01:00.0, driver 550.54.15, 35 C, 75.0 of 700.0 W, 345 MHz, memory at 2619 MHz, slowed by sw-power-cap
  1024 of 4096 MiB in use, 0 uncorrected memory errors
number 1  unknown GPU: lost: it has fallen off the bus
  driver 550.54.15
"
	);
	assert_eq!(text, expected);
	let json: Value = serde_json::from_slice(&health(&double.library(), &["--json"]).stdout).unwrap();
	let [first, second] = [0, 1].map(|index| json["gpus"][index].clone());
	assert_eq!((&first["uuid"], &first["power_mw"]), (&json!(FIRST), &json!(75_000)));
	assert_eq!((&first["energy_mj"], &first["throttling"]), (&Value::Null, &json!(["sw-power-cap"])));
	assert_eq!(second["state"], json!("lost"));

	let missing = health(Path::new("/nonexistent/nvml.so"), &[]);
	assert!(!missing.status.success());
	let words = String::from_utf8(missing.stderr).unwrap();
	assert!(words.starts_with("error: /nonexistent/nvml.so was not found: "), "{words}");
}

#[test]
fn a_senseless_interval_is_refused() {
	let _alone = alone();
	for seconds in ["0", "0.05", "-1", "3601", "NaN", "often"] {
		let output = Command::new(PROGRAM).args(["monitor", &format!("--every={seconds}")]).output().unwrap();
		let words = String::from_utf8(output.stderr).unwrap();
		assert!(words.contains("expected seconds from 0.1 to 3600"), "{seconds}: {words}");
	}
}

#[test]
fn the_monitors_process_is_confined() {
	let _alone = alone();
	let said = Command::new(PROGRAM).arg("check").output().unwrap().stdout;
	if String::from_utf8(said).unwrap().contains("NO") {
		eprintln!("skipped: this machine cannot confine a process, see `millrace-executor check`");
		return;
	}
	let double = Double::new("nvml", &json!({}));
	let mut monitor = start(&double);
	wait_for(&mut monitor, reading);
	let pid = monitors_of(std::process::id())[0];
	let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
	for line in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
		assert!(status.contains(line), "{line}: {status}");
	}
}
