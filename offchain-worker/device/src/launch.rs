//! Checking a launch against its kernel.

use crate::KernelLaunch;
use millrace_ptx::{Argument, LaunchConfig, Module, MAX_SHARED_BYTES};

/// A launch whose arguments have the number and the sizes of the entry's parameters. Only [`check_launch`] makes one,
/// which is what makes it sound to hand the arguments to a driver.
pub(crate) struct CheckedLaunch<'a> {
	launch: &'a KernelLaunch,
}

impl CheckedLaunch<'_> {
	/// Name of the entry point.
	pub(crate) fn entry(&self) -> &str {
		&self.launch.entry
	}

	/// Grid, block, dynamic shared memory.
	pub(crate) fn config(&self) -> LaunchConfig {
		self.launch.config
	}

	/// The arguments, one for each parameter and of its size.
	pub(crate) fn arguments(&self) -> &[Argument] {
		&self.launch.arguments
	}
}

/// Checks entry point, arguments and shared memory, or says what does not fit.
pub(crate) fn check_launch<'a>(
	module: &Module,
	launch: &'a KernelLaunch,
) -> Result<CheckedLaunch<'a>, String> {
	let Some(entry) = module.entry(&launch.entry) else {
		let names: Vec<_> = module.entries().iter().map(|entry| entry.name.as_str()).collect();
		return Err(format!(
			"the kernel has no entry point `{}`; it has: {}",
			launch.entry,
			names.join(", ")
		));
	};
	let name = &entry.name;
	let (expected, found) = (entry.params.len(), launch.arguments.len());
	if expected != found {
		return Err(format!("`{name}` has {expected} parameters, the launch {found} arguments"));
	}
	for (index, (param, argument)) in entry.params.iter().zip(&launch.arguments).enumerate() {
		let (expected, found) = (param.bytes, argument.bytes());
		if expected != found {
			return Err(format!("parameter {index} of `{name}` has {expected} bytes, the argument {found}"));
		}
	}
	let shared = u64::from(entry.static_shared_bytes()) + u64::from(launch.config.shared_bytes);
	if shared > MAX_SHARED_BYTES.into() {
		return Err(format!(
			"a block of `{name}` needs {shared} bytes of shared memory, the limit is {MAX_SHARED_BYTES}"
		));
	}
	Ok(CheckedLaunch { launch })
}
