//! The life of one job: wait for its blobs, run it, store its output and its result.
//!
//! A job ends in one of three ways. It has a result, good or bad, which is on disk when this says so. Or it was cancelled. Or
//! this machine could not serve it now (the executor is missing, the disk is full), which is nobody's result: it is tried again.

mod blobs;
mod container;
mod kernel;
mod prepare;

use crate::{
	blobs::Blobs,
	checkpoints::Checkpoints,
	containers::Containers,
	evidence::Evidence,
	exchange::Exchange,
	executors::{on_own_thread, Executors},
	kernels::Kernels,
	metrics::Metrics,
	results::{Results, StoredResult},
	status::{JobPhase, JobStatus, WorkerStatusHandle},
	WorkerConfig,
};
use millrace_executor::{Cancel, DeviceInfo};
use millrace_job::Document;
use millrace_primitives::{worker_api::JobView, BlobHash, Hash, JobFailure, JobOutcome, LeaseId};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// What all jobs need.
pub(crate) struct JobContext {
	pub executors: Arc<dyn Executors>,
	pub blobs: Blobs,
	pub results: Results,
	pub evidence: Evidence,
	pub kernels: Kernels,
	pub containers: Containers,
	pub exchange: Exchange,
	pub checkpoints: Checkpoints,
	pub metrics: Metrics,
	pub status: WorkerStatusHandle,
	pub config: WorkerConfig,
	pub genesis: Hash,
}

/// A job to run.
pub(crate) struct JobTask {
	pub lease: LeaseId,
	pub job: JobView,
	/// The first of the GPUs of the lease's node, on which a kernel's plan runs.
	pub device: DeviceInfo,
	/// The others, which only a container gets.
	pub others: Vec<DeviceInfo>,
	pub cancel: Cancel,
}

/// What is known of the device after a job.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum DeviceAfter {
	/// The job says nothing against it.
	Sound,
	/// Something was killed on it; it has to pass a probe.
	Suspect,
	/// It failed a probe, for this reason.
	Faulty(String),
}

/// How a job ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Ending {
	/// Its result is on disk.
	Stored(StoredResult),
	/// It was cancelled.
	Cancelled,
	/// This machine could not serve it now.
	Unserved(String),
}

/// A job's end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct JobEnd {
	pub ending: Ending,
	pub device: DeviceAfter,
}

/// What a job gave.
struct Done {
	/// The output blob.
	output: Vec<u8>,
	/// What was done, in a few words.
	detail: String,
	/// How long it ran.
	busy: Duration,
}

/// Why a job has no output.
enum Stop {
	/// To be reported.
	Failed(JobFailure, String),
	Cancelled,
	/// This machine's trouble.
	Unserved(String),
}

/// Cancels the executor when the task is dropped, as happens when the node shuts down.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
	fn drop(&mut self) {
		self.0.cancel();
	}
}

/// Runs a job to its end.
pub(crate) async fn run_job(context: Arc<JobContext>, task: JobTask) -> JobEnd {
	let _guard = CancelOnDrop(task.cancel.clone());
	let used = vec![task.job.plan];
	let mut run = JobRun { context, task, device: DeviceAfter::Sound, used };
	let worked = run.work().await;
	let ending = run.conclude(worked).await;
	JobEnd { ending, device: run.device }
}

struct JobRun {
	context: Arc<JobContext>,
	task: JobTask,
	device: DeviceAfter,
	/// The plan, and the blobs that it names.
	used: Vec<BlobHash>,
}

impl JobRun {
	async fn work(&mut self) -> Result<Done, Stop> {
		self.tell(|status| {
			status.phase = JobPhase::WaitingForBlobs;
			status.detail = None;
		});
		let deadline = Instant::now() + self.context.config.blob_wait;
		let document = self.gather(&[self.task.job.plan], deadline).await?.pop().unwrap_or_default();
		let plan = Document::parse(&document)
			.map_err(|error| Stop::Failed(JobFailure::PlanInvalid, error.to_string()))?;
		self.used.extend(plan.blobs().into_iter().map(|hash| BlobHash::from(hash.0)));
		match plan {
			Document::Kernel(plan) => self.run_kernel(plan, document, deadline).await,
			Document::Container(plan) => self.run_container(plan, deadline).await,
		}
	}

	/// Puts what came of the job on disk.
	async fn conclude(&self, worked: Result<Done, Stop>) -> Ending {
		let ending = match worked {
			Ok(done) => self.store(Ok(done)).await,
			Err(Stop::Failed(failure, why)) => self.store(Err((failure, why))).await,
			Err(Stop::Cancelled) => Ending::Cancelled,
			Err(Stop::Unserved(why)) => Ending::Unserved(why),
		};
		self.tell(|status| match &ending {
			Ending::Stored(result) => show_result(status, result),
			Ending::Cancelled => status.phase = JobPhase::Stopped,
			Ending::Unserved(why) => {
				status.phase = JobPhase::Waiting;
				status.detail = Some(why.clone());
			}
		});
		ending
	}

	async fn store(&self, worked: Result<Done, (JobFailure, String)>) -> Ending {
		let (context, mut used) = (self.context.clone(), self.used.clone());
		let (genesis, lease, job) = (context.genesis, self.task.lease, self.task.job.clone());
		let store = move || {
			let (outcome, detail, busy) = match worked {
				Ok(Done { output, detail, busy }) => {
					let (bytes, output) = (output.len() as u64, context.blobs.put_output(&output)?);
					used.push(output);
					(JobOutcome::Succeeded { output, bytes }, detail, busy)
				}
				Err((failure, why)) => (JobOutcome::Failed(failure), why, Duration::ZERO),
			};
			context.evidence.put((lease, job.job), used)?;
			let JobView { job, plan, submitted_at, .. } = job;
			let busy_ms = u64::try_from(busy.as_millis()).unwrap_or(u64::MAX);
			let result = StoredResult { genesis, lease, job, plan, submitted_at, outcome, detail, busy_ms };
			context.results.put(result.clone()).map(|()| result)
		};
		match on_own_thread(store).await {
			Ok(Ok(result)) => Ending::Stored(result),
			Ok(Err(error)) => Ending::Unserved(format!("the result could not be stored: {error}")),
			Err(why) => Ending::Unserved(why),
		}
	}

	fn tell(&self, change: impl FnOnce(&mut JobStatus)) {
		self.context.status.update_job(self.task.lease, self.task.job.job, self.task.job.plan, change);
	}
}

/// Shows a stored result that the chain does not show yet.
pub(crate) fn show_result(status: &mut JobStatus, result: &StoredResult) {
	status.phase = JobPhase::Reporting;
	status.busy_ms = result.busy_ms;
	status.detail = Some(result.detail.clone());
	status.outcome = Some(outcome_name(&result.outcome));
	status.output = match result.outcome {
		JobOutcome::Succeeded { output, .. } => Some(output),
		JobOutcome::Failed(_) => None,
	};
}

/// An outcome's name, for people and metrics.
pub(crate) fn outcome_name(outcome: &JobOutcome) -> &'static str {
	let failure = match outcome {
		JobOutcome::Succeeded { .. } => return "succeeded",
		JobOutcome::Failed(failure) => failure,
	};
	match failure {
		JobFailure::BlobMissing(_) => "blob-missing",
		JobFailure::PlanInvalid => "plan-invalid",
		JobFailure::KernelRejected => "kernel-rejected",
		JobFailure::KernelFault => "kernel-fault",
		JobFailure::TimedOut => "timed-out",
		JobFailure::OutOfMemory => "out-of-memory",
		JobFailure::DeviceLost => "device-lost",
		JobFailure::ExecutorLost => "executor-lost",
	}
}
