//! The groups of this process below which its children get theirs.

use super::{
	group::remove_left_behind,
	place::{own_places, Controller, Place, Version},
};
use crate::system;
use std::{fs, io, os::unix::fs::MetadataExt, path::Path, sync::OnceLock};

/// The group that a process moves into when the one that it was given is to have groups below it: with version 2, processes are in
/// groups without others below them.
const SUPERVISOR: &str = "supervisor";
/// How often processes are moved that were started meanwhile.
const ROUNDS: u32 = 10;
/// The marks that systemd puts on a group that it leaves to a service. Only root can read the first, and old versions make no other.
const MARKS: [&str; 2] = ["trusted.delegate", "user.delegate"];
/// Endings of the names of groups that systemd manages itself.
const UNITS: [&str; 3] = [".service", ".scope", ".slice"];

/// Where groups of children can be made.
pub(crate) struct Bases {
	pub(crate) places: Vec<Place>,
	/// Why there are not more.
	pub(crate) lacking: Vec<String>,
}

/// This process's, found and made ready by the first call, which also removes what processes left behind that were killed.
pub(crate) fn bases() -> &'static Bases {
	static BASES: OnceLock<Bases> = OnceLock::new();
	BASES.get_or_init(|| {
		let bases = find(own_places());
		bases.places.iter().for_each(|base| remove_left_behind(&base.folder));
		bases
	})
}

fn find(own: Vec<Place>) -> Bases {
	let mut bases = Bases { places: Vec::new(), lacking: Vec::new() };
	for place in own {
		match place.version {
			// Groups of version 1 may have processes and other groups, so that nothing has to be rearranged.
			Version::One => bases.places.push(place),
			Version::Two => match make_ready(place) {
				Ok(place) => bases.places.push(place),
				Err(reason) => bases.lacking.push(reason),
			},
		}
	}
	let is_there = |wanted| bases.places.iter().any(|place| place.controllers.contains(&wanted));
	let missing: Vec<_> =
		Controller::ALL.into_iter().filter(|wanted| !is_there(*wanted)).map(Controller::name).collect();
	if bases.lacking.is_empty() && !missing.is_empty() {
		bases.lacking.push(format!("the controllers {} are not to be had", missing.join(", ")));
	}
	bases
}

/// Turns this process's group of version 2 into the one below which there can be others, if it may be rearranged: it is the root of
/// all, which is a rule's exception and needs no rearranging, or was left to this process.
fn make_ready(own: Place) -> Result<Place, String> {
	let Place { version, folder, controllers } = own;
	let named = |error: io::Error| format!("{}: {error}", folder.display());
	let parent = folder.parent().map(Path::to_owned).unwrap_or_default();
	let is_unit = folder.file_name().is_some_and(|name| {
		let name = name.to_string_lossy();
		UNITS.iter().any(|ending| name.ends_with(ending))
	});
	let base = if !folder.join("cgroup.type").exists() {
		folder
	} else if is_delegated(&folder) {
		move_processes(&folder).map_err(named)?;
		folder
	} else if !is_unit && is_delegated(&parent) {
		// Whoever started this process has put it into a group of its own below the one that was left to it.
		parent
	} else {
		return Err(format!(
			"the control group {} was not left to this program (in a systemd service: Delegate=cpu memory pids)",
			folder.display()
		));
	};
	let controllers = enable(&base, controllers).map_err(|error| format!("{}: {error}", base.display()))?;
	Ok(Place { version, folder: base, controllers })
}

/// Whether a group of version 2 was left to the user of this process, to arrange what is below it.
fn is_delegated(folder: &Path) -> bool {
	if MARKS.iter().any(|mark| system::attribute_is_one(folder, mark)) {
		return true;
	}
	// To a user that is not root, the group was given by making it its owner; then its parent has another.
	let owner = |path: &Path| fs::metadata(path).ok().map(|found| found.uid());
	let Some(own) = owner(Path::new("/proc/self")).filter(|uid| *uid != 0) else { return false };
	owner(folder) == Some(own) && folder.parent().and_then(owner) != Some(own)
}

/// Moves all processes of a group into one below it.
fn move_processes(folder: &Path) -> io::Result<()> {
	let below = folder.join(SUPERVISOR);
	match fs::create_dir(&below) {
		Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
		_ => {}
	}
	for _ in 0..ROUNDS {
		let processes = fs::read_to_string(folder.join("cgroup.procs"))?;
		if processes.is_empty() {
			return Ok(());
		}
		for process in processes.lines() {
			match fs::write(below.join("cgroup.procs"), process) {
				// It has ended.
				Err(error) if error.raw_os_error() == Some(libc::ESRCH) => {}
				moved => moved?,
			}
		}
	}
	Err(io::Error::other("it has processes that cannot be moved out of the way"))
}

/// Gives the groups below this one those controllers that can be had. Returns which.
fn enable(base: &Path, wanted: Vec<Controller>) -> io::Result<Vec<Controller>> {
	let read = |name: &str| fs::read_to_string(base.join(name));
	let (available, control) = (read("cgroup.controllers")?, base.join("cgroup.subtree_control"));
	let has = |list: &str, wanted: Controller| list.split_whitespace().any(|name| name == wanted.name());
	let enabled = read("cgroup.subtree_control")?;
	let available: Vec<_> = wanted.into_iter().filter(|wanted| has(&available, *wanted)).collect();
	for controller in available.iter().filter(|controller| !has(&enabled, **controller)) {
		fs::write(&control, format!("+{}", controller.name()))?;
	}
	Ok(available)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{
		path::PathBuf,
		process::{Child, Command},
	};

	/// A group of version 2 for a test, if this machine lets us have one.
	struct TestGroup(PathBuf);

	impl TestGroup {
		fn new(name: &str) -> Option<Self> {
			let own = crate::groups::place::own_unified()?;
			let folder = own.join(format!("millrace-test-{name}-{}", std::process::id()));
			match fs::create_dir(&folder) {
				Ok(()) => Some(Self(folder)),
				Err(error) => {
					eprintln!("skipped: no group of version 2 can be made: {}: {error}", folder.display());
					None
				}
			}
		}

		fn processes(&self, below: &str) -> Vec<u32> {
			let text = fs::read_to_string(self.0.join(below).join("cgroup.procs")).unwrap();
			text.lines().map(|line| line.parse().unwrap()).collect()
		}

		fn add(&self) -> Child {
			let child = Command::new("sleep").arg("100").spawn().unwrap();
			fs::write(self.0.join("cgroup.procs"), child.id().to_string()).unwrap();
			child
		}
	}

	impl Drop for TestGroup {
		fn drop(&mut self) {
			let _ = fs::remove_dir(self.0.join(SUPERVISOR));
			fs::remove_dir(&self.0).unwrap();
		}
	}

	#[test]
	fn a_group_that_was_left_to_us_is_emptied_of_processes() {
		let Some(group) = TestGroup::new("moved") else { return };
		let place =
			|| Place { version: Version::Two, folder: group.0.clone(), controllers: Controller::ALL.into() };
		let mut children = [group.add(), group.add()];
		// Not before it bears the mark.
		if fs::metadata("/proc/self").unwrap().uid() == 0 {
			let refused = make_ready(place()).unwrap_err();
			assert!(refused.contains("was not left to this program"), "{refused}");
			assert_eq!(group.processes("").len(), 2);
		}
		assert!(system::set_attribute(&group.0, "user.delegate", b"1"));
		let ready = make_ready(place()).unwrap();
		assert_eq!(ready.folder, group.0);
		assert!(group.processes("").is_empty());
		let ids = children.each_ref().map(|child| child.id());
		assert!(ids.iter().all(|id| group.processes(SUPERVISOR).contains(id)));
		// Whoever is in the group below finds the same.
		let below = Place { folder: group.0.join(SUPERVISOR), ..place() };
		assert_eq!(make_ready(below), Ok(ready.clone()));
		let read = |name: &str| fs::read_to_string(group.0.join(name)).unwrap();
		let (available, enabled) = (read("cgroup.controllers"), read("cgroup.subtree_control"));
		for controller in Controller::ALL {
			let is_in = |list: &str| list.split_whitespace().any(|name| name == controller.name());
			assert_eq!(is_in(&available), is_in(&enabled), "{}", controller.name());
			assert_eq!(is_in(&available), ready.controllers.contains(&controller), "{}", controller.name());
		}
		for child in &mut children {
			child.kill().unwrap();
			child.wait().unwrap();
		}
	}

	#[test]
	fn what_is_not_to_be_had_is_said() {
		let lacking = find(Vec::new()).lacking;
		assert_eq!(lacking, ["the controllers memory, pids, cpu are not to be had"]);
	}
}
