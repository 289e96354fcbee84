//! Control groups: what a child and all that it starts may take of the machine's memory, tasks and processors, whatever it does.
//!
//! Each child has a group of its own below the parent's place, in each hierarchy of version 1 that can be written to, or in the one of
//! version 2 where the system's manager has left that to us: there the parent must be in a leaf group named [`OWN_LEAF`], as
//! systemd's `DelegateSubgroup=` puts it. Groups that were not given to us are left alone. `docs/adr/0028` says why a machine
//! without them is fit for jobs all the same.

use crate::system::HOST_BYTES;
use std::{
	fs, io,
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicU64, Ordering::Relaxed},
		OnceLock,
	},
	thread,
	time::Duration,
};

/// Name of the group that the parent itself is in, on version 2.
const OWN_LEAF: &str = "millrace-node";
/// What the names of children's groups begin with. The parent's number and a count follow.
const PREFIX: &str = "millrace-";
/// How long the removal of a group is tried: the system may take a moment after its last process is gone.
const REMOVAL: (u32, Duration) = (50, Duration::from_millis(10));

/// What the processes of a group may take together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
	/// Memory in bytes: pages of files and what the kernel keeps for them included, swap excluded.
	pub(crate) memory: u64,
	/// Processes and threads.
	pub(crate) tasks: u32,
}

impl Allowance {
	/// A child's. What `HOST_BYTES` does not count, such as pages of files and pipes, may be a gibibyte more.
	pub(crate) const CHILD: Self = Self { memory: HOST_BYTES + (1 << 30), tasks: 512 };
}

/// What a file of version 1 and one of version 2 say of the same thing.
struct Setting {
	controller: &'static str,
	v1: &'static str,
	v2: &'static str,
	/// Its value in either version.
	value: fn(Allowance) -> (String, String),
	/// Whether a group without it is none.
	is_needed: bool,
}

const SETTINGS: [Setting; 4] = [
	Setting {
		controller: "memory",
		v1: "memory.limit_in_bytes",
		v2: "memory.max",
		value: |allowance| (allowance.memory.to_string(), allowance.memory.to_string()),
		is_needed: true,
	},
	Setting {
		controller: "memory",
		v1: "memory.memsw.limit_in_bytes",
		v2: "memory.swap.max",
		value: |allowance| (allowance.memory.to_string(), "0".into()),
		// Absent where the kernel does not count swap.
		is_needed: false,
	},
	Setting {
		controller: "pids",
		v1: "pids.max",
		v2: "pids.max",
		value: |allowance| (allowance.tasks.to_string(), allowance.tasks.to_string()),
		is_needed: true,
	},
	Setting {
		// A low weight and no quota: a job may have what the node leaves, and the node comes first.
		controller: "cpu",
		v1: "cpu.shares",
		v2: "cpu.weight",
		value: |_| ("64".into(), "10".into()),
		is_needed: true,
	},
];

/// Where groups can be made.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Places {
	/// Controllers, each with the folder of the parent's group.
	One(Vec<(&'static str, PathBuf)>),
	/// The folder above the parent's own leaf.
	Two(PathBuf),
}

/// The places on this machine, or why there are none. Groups of parents that have ended are removed the first time.
pub(crate) fn places() -> Result<&'static Places, &'static str> {
	static FOUND: OnceLock<Result<Places, String>> = OnceLock::new();
	let found = FOUND.get_or_init(|| {
		let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
		let places = find(&read("/proc/self/mountinfo")?, &read("/proc/self/cgroup")?)?;
		places.folders().for_each(sweep);
		// Tried, not assumed.
		Group::create(&places, Allowance::CHILD).map_err(|error| error.to_string())?;
		Ok(places)
	});
	found.as_ref().map_err(String::as_str)
}

/// Finds the places by what `/proc/self/mountinfo` and `/proc/self/cgroup` say.
fn find(mounts: &str, own: &str) -> Result<Places, String> {
	let controllers = ["memory", "pids", "cpu"];
	let ones: Vec<_> =
		controllers.iter().filter_map(|name| Some((*name, folder_of(mounts, own, name)?))).collect();
	if ones.len() == controllers.len() {
		return Ok(Places::One(ones));
	}
	let folder = folder_of(mounts, own, "").ok_or("there are no control groups here")?;
	match folder.parent() {
		Some(parent) if folder.ends_with(OWN_LEAF) => Ok(Places::Two(parent.into())),
		_ => Err(format!(
			"the node is not in a group of its own: run it as a service with Delegate=cpu memory pids and DelegateSubgroup={OWN_LEAF}"
		)),
	}
}

/// Folder of this process's group in the hierarchy of a controller of version 1, or with no name in that of version 2.
fn folder_of(mounts: &str, own: &str, controller: &str) -> Option<PathBuf> {
	let mut lines = own.lines().filter_map(|line| {
		let mut parts = line.splitn(3, ':').skip(1);
		Some((parts.next()?, parts.next()?))
	});
	let (_, group) = lines.find(|(names, _)| names.split(',').any(|name| name == controller))?;
	mounts.lines().find_map(|line| {
		let (place, source) = line.split_once(" - ")?;
		let mut place = place.split(' ').skip(3);
		let (root, point) = (place.next()?, place.next()?);
		let mut source = source.split(' ');
		let (kind, options) = (source.next()?, source.nth(1)?);
		let is_it = match controller {
			"" => kind == "cgroup2",
			_ => kind == "cgroup" && options.split(',').any(|option| option == controller),
		};
		// A group above the mount's root, as in some containers, cannot be reached.
		is_it
			.then(|| Path::new(group).strip_prefix(root).ok())
			.flatten()
			.map(|rest| Path::new(point).join(rest))
	})
}

/// Removes the groups of parents that have ended. One in which a process still lives cannot be removed.
fn sweep(folder: &Path) {
	for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
		let name = entry.file_name();
		let parent =
			name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-')?.0.parse::<u32>().ok());
		if parent.is_some_and(|parent| !Path::new("/proc").join(parent.to_string()).exists()) {
			// Another node may be doing the same.
			let _ = fs::remove_dir(entry.path());
		}
	}
}

impl Places {
	fn folders(&self) -> impl Iterator<Item = &Path> {
		match self {
			Self::One(folders) => folders.iter().map(|(_, folder)| folder.as_path()).collect::<Vec<_>>(),
			Self::Two(folder) => vec![folder.as_path()],
		}
		.into_iter()
	}
}

/// A child's group. It is removed when this is dropped; its processes must have ended by then.
#[derive(Debug)]
pub(crate) struct Group {
	/// One for each hierarchy.
	folders: Vec<PathBuf>,
}

impl Group {
	/// A group for a child; `None` on a machine without.
	pub(crate) fn for_child() -> Option<Self> {
		Self::create(places().ok()?, Allowance::CHILD).ok()
	}

	/// Makes a group whose processes may take so much.
	///
	/// # Errors
	///
	/// If it cannot be made, or if a limit does not take effect. Nothing is left then.
	pub(crate) fn create(places: &Places, allowance: Allowance) -> io::Result<Self> {
		static COUNT: AtomicU64 = AtomicU64::new(0);
		let name = format!("{PREFIX}{}-{}", std::process::id(), COUNT.fetch_add(1, Relaxed));
		let mut group = Self { folders: Vec::new() };
		for folder in places.folders() {
			let folder = folder.join(&name);
			fs::create_dir(&folder).map_err(|error| named(&folder, &error))?;
			group.folders.push(folder);
		}
		for setting in &SETTINGS {
			let (first, second) = (setting.value)(allowance);
			let (file, value) = match places {
				Places::One(folders) => {
					let at = folders.iter().position(|(controller, _)| *controller == setting.controller);
					(at.and_then(|at| group.folders.get(at)).map(|folder| folder.join(setting.v1)), first)
				}
				Places::Two(_) => (group.folders.first().map(|folder| folder.join(setting.v2)), second),
			};
			let Some(file) = file else { continue };
			let set = fs::write(&file, &value).and_then(|()| fs::read_to_string(&file));
			match set {
				Ok(now) if now.trim() == value => {}
				Ok(now) if setting.is_needed => {
					return Err(io::Error::other(format!(
						"{} is {}, not {value}",
						file.display(),
						now.trim()
					)))
				}
				Err(error) if setting.is_needed => return Err(named(&file, &error)),
				_ => {}
			}
		}
		Ok(group)
	}

	/// Puts a process into the group, with all its threads. What it starts from then on is in it, too.
	pub(crate) fn add(&self, process: u32) -> io::Result<()> {
		let put = |folder: &PathBuf| {
			let file = folder.join("cgroup.procs");
			fs::write(&file, process.to_string()).map_err(|error| named(&file, &error))
		};
		self.folders.iter().try_for_each(put)
	}

	/// Whether the system killed a process of the group because the group had used up its memory.
	pub(crate) fn ran_out_of_memory(&self) -> bool {
		let files = self
			.folders
			.iter()
			.flat_map(|folder| ["memory.events", "memory.oom_control"].map(|name| folder.join(name)));
		let kills = |file: PathBuf| {
			let text = fs::read_to_string(file).ok()?;
			text.lines().find_map(|line| line.strip_prefix("oom_kill ")?.parse::<u64>().ok())
		};
		files.filter_map(kills).any(|kills| kills > 0)
	}
}

impl Drop for Group {
	fn drop(&mut self) {
		for folder in &self.folders {
			let (tries, wait) = REMOVAL;
			for _ in 0..tries {
				match fs::remove_dir(folder) {
					Err(error) if error.kind() == io::ErrorKind::ResourceBusy => thread::sleep(wait),
					_ => break,
				}
			}
			// What a process that hangs in its driver keeps is removed when the next node starts.
		}
	}
}

fn named(path: &Path, error: &io::Error) -> io::Error {
	io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
