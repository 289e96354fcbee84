//! Which files this process may still open: what the device's driver needs, and nothing else.

use crate::DeviceSelector;
use landlock::{
	path_beneath_rules, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
	RulesetError, ABI,
};
use millrace_device::{cuda, nvml};
use std::{env, fs, io::ErrorKind, path::PathBuf};

/// The newest version of the kernel's interface that is used. Older kernels do what they can.
const INTERFACE: ABI = ABI::V5;

/// Where a CUDA driver finds its libraries and what it asks the system. All of it can be read by everybody on the machine.
const READ_BY_A_DRIVER: [&str; 12] = [
	"/usr/lib",
	"/usr/lib64",
	"/usr/local",
	"/lib",
	"/lib64",
	"/opt",
	"/etc/ld.so.cache",
	"/etc/nvidia",
	"/proc/self",
	"/proc/driver",
	"/proc/devices",
	"/sys",
];

/// What tells the machine's memory and processors, and is read by allocators and drivers.
const READ_BY_ALL: [&str; 3] = ["/proc/meminfo", "/proc/cpuinfo", "/proc/sys/vm"];

/// Beginnings of the names of a driver's device files in `/dev`.
const DEVICE_FILES: [&str; 2] = ["nvidia", "dxg"];

/// What is on every machine, can be read by everybody, and is needed by no driver.
const FOREIGN: &str = "/";

/// Leaves this process, and all of its threads to come, only the files that the device needs. Returns whether anything else is
/// refused, which is tried: a kernel without Landlock leaves everything as it was.
///
/// Call it before the driver is loaded, for it opens files as it starts, and while there is only one thread.
pub(crate) fn restrict(device: &DeviceSelector) -> bool {
	restrict_to(match device {
		DeviceSelector::Reference => None,
		DeviceSelector::Cuda(_) => Some(cuda::LIBRARY_VARIABLE),
	})
}

/// Leaves this process only the files that NVML needs. As [`restrict`] otherwise.
pub(crate) fn restrict_for_nvml() -> bool {
	restrict_to(Some(nvml::LIBRARY_VARIABLE))
}

/// Leaves the files of the driver whose library that variable names, or none.
fn restrict_to(library_variable: Option<&str>) -> bool {
	// What could not be restricted is seen below.
	let _ = try_restrict(library_variable);
	// Refused, not merely missing: what is not there says nothing.
	fs::read_dir(FOREIGN).is_err_and(|error| error.kind() == ErrorKind::PermissionDenied)
}

fn try_restrict(library_variable: Option<&str>) -> Result<(), RulesetError> {
	let (readable, devices) = match library_variable {
		None => (Vec::new(), Vec::new()),
		Some(variable) => (readable_for_driver(variable), device_files()),
	};
	let read = AccessFs::from_read(INTERFACE);
	let all = AccessFs::from_all(INTERFACE);
	Ruleset::default()
		.set_compatibility(CompatLevel::BestEffort)
		.handle_access(all)?
		.create()?
		.add_rules(path_beneath_rules(readable, read))?
		.add_rules(path_beneath_rules(devices, all))?
		.restrict_self()?;
	Ok(())
}

/// The driver's files, wherever the operator has put them. What does not exist makes no rule.
fn readable_for_driver(library_variable: &str) -> Vec<PathBuf> {
	let library = env::var_os(library_variable).map(PathBuf::from);
	let beside = library.as_deref().and_then(|library| library.parent()).map(PathBuf::from);
	let search = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
	let fixed = READ_BY_A_DRIVER.into_iter().chain(READ_BY_ALL).map(PathBuf::from);
	// An empty path would be the current folder.
	let named =
		beside.into_iter().chain(env::split_paths(&search)).filter(|path| !path.as_os_str().is_empty());
	fixed.chain(named).collect()
}

fn device_files() -> Vec<PathBuf> {
	let Ok(entries) = fs::read_dir("/dev") else { return Vec::new() };
	let is_driver_file = |path: &PathBuf| {
		let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
		DEVICE_FILES.iter().any(|beginning| name.starts_with(beginning))
	};
	entries.filter_map(|entry| Some(entry.ok()?.path())).filter(is_driver_file).collect()
}
