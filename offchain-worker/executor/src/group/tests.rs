use super::*;
use std::process::{Command, Stdio};

const MIB: u64 = 1 << 20;

/// As Debian mounts it: everything on version 2.
const UNIFIED: &str =
	"35 24 0:30 / /sys/fs/cgroup rw,nosuid,nodev shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n";
/// Version 1, with an empty version 2 beside it.
const HYBRID: &str = "\
30 29 0:26 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
31 29 0:27 / /sys/fs/cgroup/memory rw,relatime shared:4 - cgroup cgroup rw,memory
32 29 0:28 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
33 29 0:29 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";

#[test]
fn version_1_is_used_where_it_has_the_controllers() {
	let own = "8:pids:/\n4:memory:/user/shell\n1:cpu,cpuacct:/\n0::/\n";
	let places = find(HYBRID, own).unwrap();
	let at = |name, folder: &str| (name, PathBuf::from(folder));
	let expected = [
		at("memory", "/sys/fs/cgroup/memory/user/shell"),
		at("pids", "/sys/fs/cgroup/pids/"),
		at("cpu", "/sys/fs/cgroup/cpu/"),
	];
	assert_eq!(places, Places::One(expected.into()));
}

#[test]
fn version_2_is_used_where_the_service_left_a_group_to_us() {
	let own = "0::/system.slice/millrace.service/millrace-node\n";
	let places = find(UNIFIED, own).unwrap();
	assert_eq!(places, Places::Two("/sys/fs/cgroup/system.slice/millrace.service".into()));
	// A container sees its own group as the root.
	let inner = UNIFIED.replace(" / /sys", " /box /sys");
	let places = find(&inner, "0::/box/millrace-node\n").unwrap();
	assert_eq!(places, Places::Two("/sys/fs/cgroup".into()));
}

#[test]
fn groups_of_others_are_left_alone_and_the_operator_is_told_what_to_do() {
	for own in
		["0::/\n", "0::/user.slice/user-1000.slice/session-3.scope\n", "0::/system.slice/millrace.service\n"]
	{
		let why = find(UNIFIED, own).unwrap_err();
		assert!(why.contains("DelegateSubgroup=millrace-node"), "{own}: {why}");
	}
	assert!(find("", "").unwrap_err().contains("no control groups"));
	// The mount does not show the place of this process.
	assert!(find(&UNIFIED.replace(" / /sys", " /other /sys"), "0::/box/millrace-node\n").is_err());
}

/// The places of this machine; says why a test is skipped where there are none.
fn here() -> Option<&'static Places> {
	places().inspect_err(|why| eprintln!("skipped: {why}")).ok()
}

/// A shell in a group, which it knows nothing of.
fn shell(group: &Group, script: &str) -> std::process::Child {
	// It waits for a line, as an executor waits for its task.
	let script = format!("read go; {script}");
	let mut child = Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
	group.add(child.id()).unwrap();
	std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"go\n").unwrap();
	child
}

#[test]
fn memory_over_the_allowance_ends_a_process_and_is_told() {
	let Some(places) = here() else { return };
	let group = Group::create(places, Allowance { memory: 32 * MIB, tasks: 16 }).unwrap();
	assert!(shell(&group, "exit 0").wait().unwrap().success());
	assert!(!group.ran_out_of_memory());
	// `tail` keeps the one line that there is.
	let status = shell(&group, "head -c 200000000 /dev/zero | tail >/dev/null").wait().unwrap();
	assert!(!status.success() && group.ran_out_of_memory());
	let folders = group.folders.clone();
	assert!(folders.iter().all(|folder| folder.exists()));
	drop(group);
	assert!(!folders.iter().any(|folder| folder.exists()), "groups go with their child");
}

#[test]
fn tasks_over_the_allowance_cannot_be_started() {
	let Some(places) = here() else { return };
	let group = Group::create(places, Allowance { memory: 256 * MIB, tasks: 4 }).unwrap();
	let status =
		shell(&group, "for i in 1 2 3 4 5 6 7 8; do sleep 0.3 & done 2>/dev/null; exit 0").wait().unwrap();
	assert!(!status.success(), "a shell that cannot fork gives up: {status}");
}

#[test]
fn groups_of_a_parent_that_has_ended_are_removed_and_others_stay() {
	let Some(places) = here() else { return };
	let mut ended = Command::new("true").spawn().unwrap();
	ended.wait().unwrap();
	let own = Group::create(places, Allowance::CHILD).unwrap();
	for folder in places.folders() {
		let left = folder.join(format!("{PREFIX}{}-0", ended.id()));
		fs::create_dir(&left).unwrap();
		sweep(folder);
		assert!(!left.exists());
	}
	assert!(own.folders.iter().all(|folder| folder.exists()));
}
