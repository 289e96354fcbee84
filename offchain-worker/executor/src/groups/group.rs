//! A child's group: made, limited, emptied and removed by its parent.

use super::{
	base::{bases, Bases},
	place::{Controller, Place, Version},
	HostLimits,
};
use std::{
	fs, io,
	path::Path,
	sync::atomic::{AtomicU64, Ordering::Relaxed},
	thread,
	time::{Duration, Instant},
};

/// What names of groups begin with. The id of the parent follows, when it was started, and a number.
const PREFIX: &str = "millrace-executor";
/// The weight of a child in hundredths, when there is more to do than processors. A parent that was given a group of version 2 weighs a
/// hundred with all its threads; elsewhere each of its threads, and of whatever else is in its group, weighs a hundred. Much less than
/// that, and a job starves on a busy machine while its clock runs.
const WEIGHT: u64 = 50;
/// What a group of version 1 weighs by default; of version 2 it is a hundred.
const DEFAULT_SHARES: u64 = 1_024;
/// Limits of memory are multiples of the largest page that systems have.
const PAGE: u64 = 64 << 10;
/// A group that has room for less than this is full: so much may be wanted at once.
const LARGE_PAGE: u64 = 2 << 20;
/// How long a group may take to be empty after its last process was killed.
const REMOVE_TIME: Duration = Duration::from_secs(1);
const REMOVE_INTERVAL: Duration = Duration::from_millis(5);

/// A group for one child, in each hierarchy that has a controller. Dropping it kills what is in it, and removes it.
#[derive(Debug)]
pub(crate) struct Group {
	places: Vec<Place>,
	/// Why it does not limit everything.
	lacking: Vec<String>,
	memory_bytes: u64,
}

impl Group {
	/// Makes a group with these limits, as far as the system lets us. One that limits nothing has no folders.
	pub(crate) fn make(limits: &HostLimits) -> Self {
		static NUMBER: AtomicU64 = AtomicU64::new(0);
		let own = std::process::id();
		let start = start_of(own).unwrap_or_default();
		let name = format!("{PREFIX}-{own}-{start}-{}", NUMBER.fetch_add(1, Relaxed));
		Self::below(bases(), &name, limits)
	}

	fn below(bases: &Bases, name: &str, limits: &HostLimits) -> Self {
		let memory_bytes = limits.memory_bytes / PAGE * PAGE;
		let mut group = Self { places: Vec::new(), lacking: bases.lacking.clone(), memory_bytes };
		for base in &bases.places {
			let place = Place { folder: base.folder.join(name), ..base.clone() };
			if let Err(error) = fs::create_dir(&place.folder) {
				group.lacking.push(format!("{}: {error}", place.folder.display()));
				continue;
			}
			for controller in &place.controllers {
				let settings = settings(place.version, *controller, memory_bytes, limits.tasks);
				if let Err(reason) = settings.iter().try_for_each(|setting| setting.apply(&place.folder)) {
					group.lacking.push(reason);
				}
			}
			group.places.push(place);
		}
		group
	}

	/// The folders that the child has to enter.
	pub(crate) fn folders(&self) -> impl Iterator<Item = &Path> {
		self.places.iter().map(|place| place.folder.as_path())
	}

	/// Why the group does not limit all that it should; `None` if it does.
	pub(crate) fn lacking(&self) -> Option<String> {
		(!self.lacking.is_empty()).then(|| self.lacking.join("; "))
	}

	/// The group's memory in bytes, if a process in it was killed because that was used up. A process that was killed because the
	/// machine's memory was used up does not count.
	pub(crate) fn used_up_memory(&self) -> Option<u64> {
		let place = self.places.iter().find(|place| place.controllers.contains(&Controller::Memory))?;
		let read = |name: &str| fs::read_to_string(place.folder.join(name)).unwrap_or_default();
		let is_over = match place.version {
			Version::One => {
				// New kernels do not count how often the limit was met, but all know how much there once was.
				let most = read("memory.max_usage_in_bytes").trim().parse().unwrap_or(0);
				let is_full = self.memory_bytes.saturating_sub(most) <= LARGE_PAGE;
				is_full && count(&read("memory.oom_control"), "oom_kill") > 0
			}
			Version::Two => {
				let events = read("memory.events");
				count(&events, "oom") > 0 && count(&events, "oom_kill") > 0
			}
		};
		is_over.then_some(self.memory_bytes)
	}

	/// Kills every process in the group, where the system can do that.
	pub(crate) fn kill(&self) {
		for place in self.places.iter().filter(|place| place.version == Version::Two) {
			// Kernels before 5.14 have no such file.
			let _ = fs::write(place.folder.join("cgroup.kill"), "1");
		}
	}
}

impl Drop for Group {
	fn drop(&mut self) {
		self.kill();
		// What cannot be removed now is removed at the next start.
		self.folders().for_each(remove);
	}
}

/// The number after that word in lines of words and numbers.
fn count(text: &str, word: &str) -> u64 {
	let mut lines = text.lines().filter_map(|line| line.split_once(' '));
	lines.find(|(name, _)| *name == word).and_then(|(_, count)| count.parse().ok()).unwrap_or(0)
}

/// A file of a group and what is to be in it.
struct Setting {
	file: &'static str,
	value: u64,
	/// Where a system does not have the file, another does.
	or: Option<(&'static str, u64)>,
}

impl Setting {
	/// Writes the value, and looks whether it is there.
	fn apply(&self, folder: &Path) -> Result<(), String> {
		let (file, value) = match self.or {
			Some(other) if !folder.join(self.file).exists() => other,
			_ => (self.file, self.value),
		};
		let path = folder.join(file);
		let written = fs::write(&path, value.to_string()).and_then(|()| fs::read_to_string(&path));
		match written.as_deref().map(str::trim) {
			Ok(found) if found == value.to_string() => Ok(()),
			Ok(found) => Err(format!("{} is {found} and not {value}", path.display())),
			Err(error) => Err(format!("{}: {error}", path.display())),
		}
	}
}

/// What limits a controller's matter.
fn settings(version: Version, controller: Controller, memory_bytes: u64, tasks: u32) -> Vec<Setting> {
	let set = |file, value| Setting { file, value, or: None };
	match (controller, version) {
		(Controller::Memory, Version::One) => vec![
			set("memory.limit_in_bytes", memory_bytes),
			// Memory and swap together: no swap. Without that file swap is not counted, but can be forbidden.
			Setting {
				file: "memory.memsw.limit_in_bytes",
				value: memory_bytes,
				or: Some(("memory.swappiness", 0)),
			},
		],
		(Controller::Memory, Version::Two) => vec![
			set("memory.max", memory_bytes),
			// A kernel without swap has no such file. What is written to the other is there already.
			Setting { file: "memory.swap.max", value: 0, or: Some(("memory.max", memory_bytes)) },
		],
		(Controller::Tasks, _) => vec![set("pids.max", tasks.into())],
		(Controller::Processors, Version::One) => vec![set("cpu.shares", DEFAULT_SHARES * WEIGHT / 100)],
		(Controller::Processors, Version::Two) => vec![set("cpu.weight", WEIGHT)],
	}
}

/// Whether something is limited in a group, be it by us or not.
pub(super) fn is_limited(version: Version, controller: Controller, folder: &Path) -> bool {
	let (file, least_unlimited) = match (controller, version) {
		// Of version 1 the number without a limit is nearly 2^63, of version 2 it is a word.
		(Controller::Memory, Version::One) => ("memory.limit_in_bytes", 1 << 60),
		(Controller::Memory, Version::Two) => ("memory.max", u64::MAX),
		(Controller::Tasks, _) => ("pids.max", u64::MAX),
		(Controller::Processors, Version::One) => ("cpu.shares", DEFAULT_SHARES),
		(Controller::Processors, Version::Two) => ("cpu.weight", 100),
	};
	let found = fs::read_to_string(folder.join(file)).unwrap_or_default();
	found.trim().parse().is_ok_and(|found: u64| found < least_unlimited)
}

/// Removes a group once it is empty, if that is soon. The system does not remove one that has processes.
fn remove(folder: &Path) {
	let start = Instant::now();
	while let Err(error) = fs::remove_dir(folder) {
		if error.raw_os_error() != Some(libc::EBUSY) || start.elapsed() >= REMOVE_TIME {
			return;
		}
		thread::sleep(REMOVE_INTERVAL);
	}
}

/// Removes the groups below that one whose makers have ended. Those of other processes that still run are left alone.
pub(super) fn remove_left_behind(base: &Path) {
	let left = fs::read_dir(base).into_iter().flatten().filter_map(io::Result::ok);
	for folder in left.map(|entry| entry.path()) {
		let maker = folder.file_name().and_then(|name| maker(name.to_str()?));
		if maker.is_some_and(|(process, start)| start_of(process) != Some(start)) {
			remove(&folder);
		}
	}
}

/// Which process made the group of that name, and when that was started. `None` if it is not one of ours.
fn maker(name: &str) -> Option<(u32, u64)> {
	let mut numbers = name.strip_prefix(PREFIX)?.strip_prefix('-')?.split('-');
	let maker = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
	numbers.next()?.parse::<u64>().ok()?;
	numbers.next().is_none().then_some(maker)
}

/// When a process was started, in ticks since the start of the machine; `None` if it has ended. An id alone may belong to another by now.
fn start_of(process: u32) -> Option<u64> {
	let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
	// The name of the program comes first, in brackets, and may contain anything.
	let mut fields = stat.rsplit_once(") ")?.1.split(' ');
	let state = fields.next()?;
	// The twenty-second field of the line.
	let start = fields.nth(18)?.parse().ok();
	start.filter(|_| !matches!(state, "Z" | "X"))
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::process::Command;

	#[test]
	fn names_tell_whose_a_group_is() {
		assert_eq!(maker("millrace-executor-17-4711-0"), Some((17, 4_711)));
		for other in [
			"millrace-executor",
			"millrace-executor-17-4711",
			"millrace-executor-17-4711-0-1",
			"millrace-executor-17-x-0",
			"millrace-executors-17-4711-0",
			"system.slice",
		] {
			assert_eq!(maker(other), None, "{other}");
		}
	}

	#[test]
	fn a_process_that_has_ended_has_no_start() {
		let own = std::process::id();
		assert!(start_of(own).unwrap() > 0);
		assert_eq!(start_of(own), start_of(own));
		let mut child = Command::new("sleep").arg("100").spawn().unwrap();
		assert!(start_of(child.id()).unwrap() >= start_of(own).unwrap());
		child.kill().unwrap();
		// As a zombie as well.
		for _ in 0..1_000 {
			if start_of(child.id()).is_none() {
				break;
			}
			thread::sleep(Duration::from_millis(5));
		}
		assert_eq!(start_of(child.id()), None);
		child.wait().unwrap();
		assert_eq!(start_of(child.id()), None);
	}

	#[test]
	fn counts_are_read_by_their_word() {
		let events = "low 0\nhigh 0\nmax 12\noom 3\noom_kill 1\noom_group_kill 0\n";
		assert_eq!((count(events, "oom"), count(events, "oom_kill"), count(events, "none")), (3, 1, 0));
		assert_eq!(count("oom_kill_disable 1\nunder_oom 0\noom_kill 2\n", "oom_kill"), 2);
	}

	#[test]
	fn only_groups_whose_makers_have_ended_are_removed() {
		// Plain folders do: what is left behind is told by name.
		let base = tempfile::tempdir().unwrap();
		let own = std::process::id();
		let start = start_of(own).unwrap();
		let stays = [format!("{PREFIX}-{own}-{start}-3"), "supervisor".into(), format!("{PREFIX}-other")];
		let goes = [format!("{PREFIX}-{own}-{}-3", start + 1), format!("{PREFIX}-{}-1-0", u32::MAX)];
		stays.iter().chain(&goes).for_each(|name| fs::create_dir(base.path().join(name)).unwrap());
		remove_left_behind(base.path());
		assert!(stays.iter().all(|name| base.path().join(name).exists()));
		assert!(goes.iter().all(|name| !base.path().join(name).exists()));
	}

	#[test]
	fn what_cannot_be_limited_is_said_with_its_file() {
		let folder = tempfile::tempdir().unwrap();
		let base = Place {
			version: Version::Two,
			folder: folder.path().into(),
			controllers: vec![Controller::Tasks],
		};
		let bases = |place: &Place| Bases { places: vec![place.clone()], lacking: Vec::new() };
		let limits = HostLimits::default();
		// A plain folder takes every file, so this one is limited, until its files are gone.
		let fine = Group::below(&bases(&base), "a", &limits);
		assert_eq!(fine.lacking(), None);
		assert!(is_limited(Version::Two, Controller::Tasks, &folder.path().join("a")));
		fs::remove_file(folder.path().join("a/pids.max")).unwrap();
		assert!(!is_limited(Version::Two, Controller::Tasks, &folder.path().join("a")));
		let absent = Place { folder: folder.path().join("absent"), ..base };
		let lacking = Group::below(&bases(&absent), "a", &limits);
		assert!(lacking.lacking().unwrap().contains("absent/a: No such file"), "{:?}", lacking.lacking());
		assert_eq!(lacking.folders().count(), 0);
	}
}
