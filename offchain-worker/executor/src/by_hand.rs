//! Running jobs and listing devices from a terminal, without a chain.

use crate::{
	Cancel, DeviceList, DeviceSelector, Executor, ExecutorError, JobLimits, JobOutput, JobRequest,
	PrepareLimits, Progress, Update,
};
use millrace_job::{BlobHash, Plan, PlanError, MAX_BUFFER_BYTES, MAX_PLAN_BYTES};
use std::{
	collections::BTreeMap,
	fs::{self, File},
	io::{self, Read},
	path::{Path, PathBuf},
	sync::Arc,
	time::Instant,
};

/// A job to run from files.
#[derive(Clone, Debug)]
pub struct HandRun {
	/// The executor program.
	pub executor: PathBuf,
	/// The plan's document.
	pub plan: PathBuf,
	/// A folder with the kernel and the inputs, under any names: files are found by their hash.
	pub blobs: PathBuf,
	/// Where to run it.
	pub device: DeviceSelector,
	/// What it may take.
	pub limits: JobLimits,
}

/// Why a job could not be run by hand.
#[derive(Debug, thiserror::Error)]
pub enum HandRunError {
	/// A file cannot be read.
	#[error("{}: {error}", path.display())]
	File {
		/// The file or folder.
		path: PathBuf,
		/// Why.
		error: io::Error,
	},
	/// The plan is not one.
	#[error(transparent)]
	Plan(#[from] PlanError),
	/// A blob of the plan is in no file of the folder.
	#[error("no file in {} has the hash {hash}, which the plan names", folder.display())]
	BlobMissing {
		/// The folder.
		folder: PathBuf,
		/// The blob.
		hash: BlobHash,
	},
	/// The job did not end well.
	#[error(transparent)]
	Executor(#[from] ExecutorError),
}

/// Runs a job in a process of its own, just as the node does.
///
/// # Errors
///
/// Every [`HandRunError`].
pub fn run_by_hand(run: &HandRun, progress: &mut dyn FnMut(Progress)) -> Result<JobOutput, HandRunError> {
	let document = read(&run.plan, MAX_PLAN_BYTES as u64)?;
	let plan = Plan::parse(&document)?;
	let blobs = find_blobs(&plan, &run.blobs)?;
	let executor = Executor::new(&run.executor);
	let started = Instant::now();
	let limits = PrepareLimits { wall_clock: run.limits.wall_clock };
	// The plan names its kernel first.
	let kernel = blobs.first().cloned().unwrap_or_default();
	let compiled = executor.prepare_if_needed(kernel, &run.device, limits, &Cancel::new())?;
	let wall_clock = run.limits.wall_clock.saturating_sub(started.elapsed());
	let request = JobRequest {
		plan: document,
		blobs,
		resume: None,
		compiled,
		device: run.device.clone(),
		limits: JobLimits { wall_clock, ..run.limits },
	};
	Ok(executor.run_job(Arc::new(request), &Cancel::new(), &mut |update| {
		if let Update::Progress(now) = update {
			progress(now);
		}
	})?)
}

/// Lists the GPUs, and the instances of those in MIG mode, or says why there are none. Loads the driver into this process.
pub fn list_devices() -> DeviceList {
	match millrace_device::listing::enumerate() {
		Ok(gpus) => DeviceList { gpus, cuda_unavailable: None },
		Err(error) => DeviceList { gpus: Vec::new(), cuda_unavailable: Some(error.to_string()) },
	}
}

/// The plan's blobs, in its order, from the files of a folder.
fn find_blobs(plan: &Plan, folder: &Path) -> Result<Vec<Vec<u8>>, HandRunError> {
	let failed = |error| HandRunError::File { path: folder.into(), error };
	let wanted = plan.blobs();
	let mut found = BTreeMap::new();
	for entry in fs::read_dir(folder).map_err(failed)? {
		let path = entry.map_err(failed)?.path();
		// A file that cannot be a blob of this plan is not worth reading.
		let metadata =
			fs::metadata(&path).map_err(|error| HandRunError::File { path: path.clone(), error })?;
		if !metadata.is_file() || metadata.len() > MAX_BUFFER_BYTES {
			continue;
		}
		let bytes = read(&path, MAX_BUFFER_BYTES)?;
		let hash = BlobHash::of(&bytes);
		if wanted.contains(&hash) {
			found.insert(hash, bytes);
		}
	}
	let missing = |hash| HandRunError::BlobMissing { folder: folder.into(), hash };
	wanted.into_iter().map(|hash| found.remove(&hash).ok_or_else(|| missing(hash))).collect()
}

/// Reads a file, but at most one byte more than `limit`.
fn read(path: &Path, limit: u64) -> Result<Vec<u8>, HandRunError> {
	let mut bytes = Vec::new();
	let read = File::open(path).and_then(|file| file.take(limit + 1).read_to_end(&mut bytes));
	read.map_err(|error| HandRunError::File { path: path.into(), error })?;
	Ok(bytes)
}
