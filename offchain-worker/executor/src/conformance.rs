//! Whether a device computes as all others do: the conformance suite, each case in a process of its own.

use crate::{
	Cancel, DeviceSelector, Executor, ExecutorError, FailureKind, JobLimits, JobRequest, PrepareLimits,
};
use millrace_device::{
	conformance::{cases, Case, Outcome, TIME_LIMIT},
	reference::{info, MEMORY_BYTES},
	DeviceInfo,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

/// What a device made of the suite.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct ConformanceRecord {
	/// Version of the program that ran the suite.
	pub version: String,
	/// When, in seconds since the Unix epoch.
	pub unix_seconds: u64,
	/// The device, with the driver that served it.
	pub device: DeviceInfo,
	/// Outcome of each case, by name.
	pub outcomes: BTreeMap<String, Outcome>,
}

impl ConformanceRecord {
	/// Names of the cases in which two devices differ, or that only one has.
	pub fn differences(&self, other: &Self) -> Vec<String> {
		let names = self.outcomes.keys().chain(other.outcomes.keys());
		let mut differing: Vec<String> =
			names.filter(|name| self.outcomes.get(*name) != other.outcomes.get(*name)).cloned().collect();
		differing.sort();
		differing.dedup();
		differing
	}
}

/// Runs the suite on a device. `progress` hears each case before it runs.
///
/// # Errors
///
/// [`ExecutorError::CannotStart`] if the program cannot be used, [`ExecutorError::Lost`] if it cannot tell which GPUs there are,
/// and [`ExecutorError::Failed`] if the one that was asked for is not here. A case that fails is an outcome.
pub fn conformance(
	executor: &Executor,
	device: &DeviceSelector,
	progress: &mut dyn FnMut(&str),
) -> Result<ConformanceRecord, ExecutorError> {
	let device_info = describe(executor, device)?;
	let unix_seconds = SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_secs());
	let mut outcomes = BTreeMap::new();
	for case in cases() {
		progress(case.name);
		outcomes.insert(case.name.to_owned(), run(executor, device, case)?);
	}
	Ok(ConformanceRecord {
		version: env!("CARGO_PKG_VERSION").into(),
		unix_seconds,
		device: device_info,
		outcomes,
	})
}

/// What the device says of itself.
fn describe(executor: &Executor, device: &DeviceSelector) -> Result<DeviceInfo, ExecutorError> {
	let DeviceSelector::Cuda(uuid) = device else { return Ok(info("reference", MEMORY_BYTES)) };
	let list = executor.devices()?;
	let found = list.gpus.into_iter().find(|gpu| uuid.as_ref().is_none_or(|uuid| *uuid == gpu.uuid));
	found.ok_or_else(|| {
		let message = list.cuda_unavailable.unwrap_or_else(|| "there is no such GPU".into());
		ExecutorError::Failed(crate::Failure { kind: FailureKind::DeviceUnavailable, message })
	})
}

fn run(executor: &Executor, device: &DeviceSelector, case: Case) -> Result<Outcome, ExecutorError> {
	let unreadable = |error: serde_json::Error| ExecutorError::Lost(error.to_string());
	let mut request = JobRequest {
		plan: serde_json::to_vec(&case.plan).map_err(unreadable)?,
		blobs: Vec::new(),
		resume: None,
		compiled: None,
		device: device.clone(),
		limits: JobLimits { wall_clock: TIME_LIMIT, ..JobLimits::default() },
	};
	let kernel = case.blobs.get(&case.plan.kernel).cloned().unwrap_or_default();
	request.blobs = case.blobs.into_values().collect();
	// As a node does it: compiled in one process, run in another.
	let run = match executor.prepare_if_needed(kernel, device, PrepareLimits::default(), &Cancel::new()) {
		Ok(compiled) => {
			request.compiled = compiled;
			executor.run_job(Arc::new(request), &Cancel::new(), &mut |_| {})
		}
		Err(error) => Err(error),
	};
	Ok(match run {
		Ok(output) => Outcome::of(Ok(&output.bytes)),
		Err(ExecutorError::Failed(failure)) if failure.kind == FailureKind::KernelFault => {
			Outcome::KernelFault
		}
		Err(error @ ExecutorError::CannotStart { .. }) => return Err(error),
		Err(error) => Outcome::Failed(error.to_string()),
	})
}
