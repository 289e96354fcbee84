//! What runs beside the worker's loop: searches for devices, probes, and jobs.

use crate::{
	devices,
	executors::on_own_thread,
	jobs::{run_job, DeviceAfter, Ending, JobContext, JobEnd, JobTask},
	probe::probe,
	LOG_TARGET,
};
use futures::FutureExt;
use millrace_executor::{Cancel, DeviceInfo};
use millrace_primitives::{worker_api::JobView, Hash, LeaseId};
use std::{collections::BTreeMap, future::Future, panic::AssertUnwindSafe, sync::Arc};
use tokio::task::JoinSet;

/// A job under way.
struct RunningJob {
	job: JobView,
	cancel: Cancel,
}

/// The end of a task.
pub(crate) enum TaskEnd {
	/// The devices of this machine.
	Found(Result<Vec<DeviceInfo>, String>),
	/// A device, by its salted hash, and whether it works.
	Probed(Hash, Result<(), String>),
	/// The end of a lease's job, and the hashes of the devices that it had, the one that it was about first.
	Job { lease: LeaseId, devices: Vec<Hash>, end: JobEnd },
}

/// The tasks. Dropping this cancels them all.
#[derive(Default)]
pub(crate) struct Tasks {
	set: JoinSet<TaskEnd>,
	jobs: BTreeMap<LeaseId, RunningJob>,
}

impl Tasks {
	/// The job under way of each lease.
	pub(crate) fn running_jobs(&self) -> BTreeMap<LeaseId, JobView> {
		self.jobs.iter().map(|(lease, running)| (*lease, running.job.clone())).collect()
	}

	/// Looks for devices.
	pub(crate) fn search(&mut self, context: &JobContext) {
		let (executors, config) = (context.executors.clone(), context.config.clone());
		let containers = context.containers.clone();
		let search = on_own_thread(move || {
			// Before a device is probed: a container of an earlier run may still be at work on it.
			if let Some(Err(why)) = containers.are_wanted().then(|| containers.open()) {
				log::warn!(target: LOG_TARGET, "no containers are run: {why}");
			}
			devices::find(&*executors, &config.devices, &config.data_dir)
		});
		self.spawn(search, |found| TaskEnd::Found(found.flatten().flatten()));
	}

	/// Probes a device.
	pub(crate) fn probe(&mut self, context: &JobContext, device: DeviceInfo, hash: Hash) {
		let executors = context.executors.clone();
		let probed = on_own_thread(move || probe(&*executors, &device, &Cancel::new()));
		self.spawn(probed, move |passed| TaskEnd::Probed(hash, passed.flatten().flatten()));
	}

	/// Runs a lease's job on devices, each with its hash. Without any nothing is run.
	pub(crate) fn job(
		&mut self,
		context: &Arc<JobContext>,
		lease: LeaseId,
		job: JobView,
		devices: Vec<(DeviceInfo, Hash)>,
	) {
		let (infos, devices): (Vec<_>, Vec<_>) = devices.into_iter().unzip();
		let mut infos = infos.into_iter();
		let Some(device) = infos.next() else { return };
		let others = infos.collect();
		let cancel = Cancel::new();
		self.jobs.insert(lease, RunningJob { job: job.clone(), cancel: cancel.clone() });
		let task = JobTask { lease, job, device, others, cancel };
		self.spawn(run_job(context.clone(), task), move |end| {
			let end = end
				.unwrap_or_else(|why| JobEnd { ending: Ending::Unserved(why), device: DeviceAfter::Suspect });
			TaskEnd::Job { lease, devices, end }
		});
	}

	/// Stops a lease's job. Its end comes when its executor is gone.
	pub(crate) fn kill(&mut self, lease: LeaseId) {
		if let Some(running) = self.jobs.get(&lease) {
			running.cancel.cancel();
		}
	}

	/// Waits for the end of a task. Pending forever while there is none. Losing this future loses no end.
	pub(crate) async fn next(&mut self) -> TaskEnd {
		loop {
			match self.set.join_next().await {
				Some(Ok(end)) => {
					if let TaskEnd::Job { lease, .. } = &end {
						self.jobs.remove(lease);
					}
					return end;
				}
				// Panics are caught inside the tasks, and none is aborted alone.
				Some(Err(_)) => {}
				None => std::future::pending().await,
			}
		}
	}

	/// Spawns a task; a panic in it is an error of it.
	fn spawn<T: Send + 'static>(
		&mut self,
		task: impl Future<Output = T> + Send + 'static,
		end: impl FnOnce(Result<T, String>) -> TaskEnd + Send + 'static,
	) {
		self.set.spawn(async move {
			let ended = AssertUnwindSafe(task).catch_unwind().await;
			end(ended.map_err(|_| "a task of the worker panicked".into()))
		});
	}
}
