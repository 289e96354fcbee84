//! Where this process is among the system's control groups.

use std::{
	fs,
	path::{Component, Path, PathBuf},
};

/// What limits something.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Controller {
	Memory,
	Tasks,
	Processors,
}

impl Controller {
	pub(crate) const ALL: [Self; 3] = [Self::Memory, Self::Tasks, Self::Processors];

	/// The system's name for it.
	pub(crate) fn name(self) -> &'static str {
		match self {
			Self::Memory => "memory",
			Self::Tasks => "pids",
			Self::Processors => "cpu",
		}
	}
}

/// Version of a hierarchy of control groups. Systems have both, each controller in one of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Version {
	One,
	Two,
}

/// A group in one hierarchy, and the controllers that are wanted of it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Place {
	pub(crate) version: Version,
	pub(crate) folder: PathBuf,
	pub(crate) controllers: Vec<Controller>,
}

/// The groups that this process is in. A controller that no visible hierarchy has is in none of them.
pub(crate) fn own_places() -> Vec<Place> {
	let read = |path| fs::read_to_string(path).unwrap_or_default();
	places(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
}

/// The same from what `/proc/PID/cgroup` and `/proc/PID/mountinfo` say.
fn places(membership: &str, mounts: &str) -> Vec<Place> {
	let mut left = Controller::ALL.to_vec();
	let mut places = Vec::new();
	for (names, group) in groups(membership) {
		let here: Vec<_> = left
			.iter()
			.copied()
			.filter(|wanted| names.split(',').any(|name| name == wanted.name()))
			.collect();
		let Some(first) = here.first() else { continue };
		left.retain(|controller| !here.contains(controller));
		let is_it = |kind: &str, options: &str| {
			kind == "cgroup" && options.split(',').any(|option| option == first.name())
		};
		let folder = folder(mounts, group, is_it);
		places.extend(folder.map(|folder| Place { version: Version::One, folder, controllers: here }));
	}
	if let Some(folder) = unified(membership, mounts).filter(|_| !left.is_empty()) {
		places.push(Place { version: Version::Two, folder, controllers: left });
	}
	places
}

/// The controllers of each hierarchy, and the group in it. Version 2 is the one that names no controllers.
fn groups(membership: &str) -> impl Iterator<Item = (&str, &str)> {
	membership.lines().filter_map(|line| line.split_once(':')?.1.split_once(':'))
}

/// The folder of the group of version 2.
fn unified(membership: &str, mounts: &str) -> Option<PathBuf> {
	let (_, group) = groups(membership).find(|(names, _)| names.is_empty())?;
	folder(mounts, group, |kind, _| kind == "cgroup2")
}

/// The group of version 2 that this process is in, whatever controllers it has.
#[cfg(test)]
pub(crate) fn own_unified() -> Option<PathBuf> {
	let read = |path| fs::read_to_string(path).unwrap();
	unified(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"))
}

/// The folder of a group, below the mount of its hierarchy, which is known by its kind and its options.
fn folder(mounts: &str, group: &str, is_it: impl Fn(&str, &str) -> bool) -> Option<PathBuf> {
	mounts.lines().find_map(|line| {
		let (mount, of) = line.split_once(" - ")?;
		let mut mount = mount.split(' ').skip(3);
		let (root, point) = (mount.next()?, mount.next()?);
		let mut of = of.split(' ');
		let (kind, _, options) = (of.next()?, of.next()?, of.next()?);
		// A container may see a part of the hierarchy only, and names what lies above by two dots.
		let below = Path::new(group).strip_prefix(root).ok()?;
		let is_visible = below.components().all(|part| matches!(part, Component::Normal(_)));
		(is_visible && is_it(kind, options)).then(|| Path::new(point).join(below))
	})
}

#[cfg(test)]
mod tests {
	use super::{Controller::*, *};

	fn place(version: Version, folder: &str, controllers: &[Controller]) -> Place {
		Place { version, folder: folder.into(), controllers: controllers.into() }
	}

	#[test]
	fn version_two_alone_is_what_systemd_makes_today() {
		// Debian 12.
		let mounts = "\
22 28 0:20 / /sys rw,nosuid,nodev,noexec,relatime shared:7 - sysfs sysfs rw
29 22 0:6 / /sys/kernel/security rw,nosuid,nodev,noexec,relatime shared:8 - securityfs securityfs rw
30 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot
";
		for (membership, folder) in [
			("0::/system.slice/millrace.service\n", "/sys/fs/cgroup/system.slice/millrace.service"),
			(
				"0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte.scope\n",
				"/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/vte.scope",
			),
			("0::/user.slice/user-0.slice/session-1.scope\n", "/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope"),
			("0::/\n", "/sys/fs/cgroup"),
		] {
			assert_eq!(places(membership, mounts), [place(Version::Two, folder, &Controller::ALL)]);
		}
	}

	#[test]
	fn a_hybrid_system_has_the_controllers_in_version_one() {
		// Ubuntu 20.04.
		let membership = "\
12:cpuset:/
11:pids:/system.slice/millrace.service
6:cpu,cpuacct:/system.slice/millrace.service
5:memory:/system.slice/millrace.service
1:name=systemd:/system.slice/millrace.service
0::/system.slice/millrace.service
";
		let mounts = "\
32 31 0:27 / /sys/fs/cgroup/unified rw,nosuid,nodev,noexec,relatime shared:10 - cgroup2 cgroup2 rw,nsdelegate
33 31 0:28 / /sys/fs/cgroup/systemd rw,nosuid,nodev,noexec,relatime shared:11 - cgroup cgroup rw,xattr,name=systemd
38 31 0:33 / /sys/fs/cgroup/memory rw,nosuid,nodev,noexec,relatime shared:16 - cgroup cgroup rw,memory
39 31 0:34 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid,nodev,noexec,relatime shared:17 - cgroup cgroup rw,cpu,cpuacct
44 31 0:39 / /sys/fs/cgroup/pids rw,nosuid,nodev,noexec,relatime shared:22 - cgroup cgroup rw,pids
";
		let below = |hierarchy: &str| format!("/sys/fs/cgroup/{hierarchy}/system.slice/millrace.service");
		let expected = [
			place(Version::One, &below("pids"), &[Tasks]),
			place(Version::One, &below("cpu,cpuacct"), &[Processors]),
			place(Version::One, &below("memory"), &[Memory]),
		];
		assert_eq!(places(membership, mounts), expected);
	}

	#[test]
	fn a_controller_that_is_in_no_hierarchy_of_version_one_is_in_version_two() {
		let membership = "4:memory:/\n0::/a\n";
		let mounts = "\
35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
";
		let expected = [
			place(Version::One, "/sys/fs/cgroup/memory", &[Memory]),
			place(Version::Two, "/sys/fs/cgroup/unified/a", &[Tasks, Processors]),
		];
		assert_eq!(places(membership, mounts), expected);
	}

	#[test]
	fn a_container_sees_its_own_part() {
		// Docker on version 2, with a namespace for control groups, and on version 1 without one.
		let mounts =
			"654 653 0:29 / /sys/fs/cgroup ro,nosuid,nodev,noexec,relatime - cgroup2 cgroup rw,nsdelegate\n";
		let expected = [place(Version::Two, "/sys/fs/cgroup", &Controller::ALL)];
		assert_eq!(places("0::/\n", mounts), expected);
		let membership = "5:memory:/docker/3f4b\n0::/docker/3f4b\n";
		let mounts = "\
721 715 0:33 /docker/3f4b /sys/fs/cgroup/memory ro,nosuid,nodev,noexec,relatime master:16 - cgroup cgroup rw,memory
";
		assert_eq!(places(membership, mounts), [place(Version::One, "/sys/fs/cgroup/memory", &[Memory])]);
	}

	#[test]
	fn what_lies_above_is_not_looked_for() {
		let mounts = "30 22 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
		assert_eq!(places("0::/../other\n", mounts), []);
		let part = "30 22 0:26 /docker/3f4b /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
		assert_eq!(places("0::/docker/other\n", part), []);
	}

	#[test]
	fn without_control_groups_there_are_no_places() {
		assert_eq!(places("", ""), []);
		assert_eq!(places("nonsense\n0::/\n", "30 22 0:26 / /sys/fs/cgroup\nnonsense\n"), []);
	}
}
