//! What a machine is fit for, said to its operator before anything is at stake.

use millrace_executor::Executor;
use std::{error::Error, io::Write};

/// What to do about a measure that did not take effect.
fn advice(measure: &str) -> &'static str {
	match measure {
		"no network" => "allow network namespaces: run as root, or set the sysctl kernel.unprivileged_userns_clone=1",
		"no foreign files" => "use a kernel of 5.13 or later with Landlock (CONFIG_SECURITY_LANDLOCK, and landlock in the lsm list)",
		"no foreign calls" => "use a kernel with seccomp filters (CONFIG_SECCOMP_FILTER), outside of a sandbox that forbids them",
		"control group" => "GPUs are offered all the same; for one, run the node as docs/provider.md says, with Delegate=cpu memory pids",
		_ => "run outside of a sandbox that forbids it",
	}
}

/// Says what keeps jobs in bounds here, and which GPUs there are. Blocks. Returns whether GPUs would be offered.
///
/// # Errors
///
/// If the executor cannot be used, or if nobody listens.
pub(crate) fn check_machine(executor: &Executor, out: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
	let info = executor.check()?;
	let missing = info.confinement.missing();
	writeln!(out, "{} {}", executor.path().display(), info.version)?;
	writeln!(out, "What keeps a job in bounds, each tried by the program that runs jobs:")?;
	for (measure, effective) in info.confinement.measures() {
		let word = if effective { "yes" } else { "NO" };
		writeln!(out, "  {measure:20}{word}")?;
		if !effective {
			writeln!(out, "  {:20}{}", "", advice(measure))?;
		}
	}
	if let Some(why) = &info.no_control_group {
		writeln!(out, "  {:20}{why}", "")?;
	}
	let list = executor.devices()?;
	writeln!(out, "GPUs:")?;
	for gpu in &list.gpus {
		let driver = gpu.driver.as_deref().unwrap_or("?");
		writeln!(out, "  {}  {}, {} MiB, CUDA {driver}", gpu.uuid, gpu.name, gpu.memory_bytes >> 20)?;
	}
	if list.gpus.is_empty() {
		let why = list.cuda_unavailable.as_deref().unwrap_or("the driver knows no GPU");
		writeln!(out, "  none: {why}")?;
	}
	writeln!(
		out,
		"{}",
		match (missing.is_empty(), list.gpus.is_empty()) {
			(_, true) => "A worker would offer no GPU.",
			(true, false) => "A worker would offer these GPUs.",
			(false, false) => {
				"A worker would not offer these GPUs: strangers' kernels would not be kept in bounds. To accept that, start it with \
				 --worker-accept-weak-isolation."
			}
		}
	)?;
	Ok(missing.is_empty() && !list.gpus.is_empty())
}
