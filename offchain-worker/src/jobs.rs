//! The life of one job: wait for its blobs, run it, store its output and its result.
//!
//! A job ends in one of three ways. It has a result, good or bad, which is on disk when this says so. Or it was cancelled. Or
//! this machine could not serve it now (the executor is missing, the disk is full), which is nobody's result: it is tried again.

mod blobs;
mod prepare;

use crate::{
	blobs::Blobs,
	checkpoints::Checkpoints,
	executors::{on_own_thread, Executors},
	kernels::Kernels,
	metrics::Metrics,
	probe::{probe, selector},
	results::{Results, StoredResult},
	status::{JobPhase, JobStatus, WorkerStatusHandle},
	WorkerConfig, LOG_TARGET,
};
use millrace_executor::{
	Cancel, Checkpoints as Rule, DeviceInfo, ExecutorError, FailureKind, JobLimits, JobOutput, JobRequest,
};
use millrace_job::{Limits, Plan, MAX_BUFFER_BYTES};
use millrace_primitives::{worker_api::JobView, BlobHash, Hash, JobFailure, JobOutcome, LeaseId};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Executors that may be lost under one job after the first.
const RETRIES: u32 = 3;

/// What all jobs need.
pub(crate) struct JobContext {
	pub executors: Arc<dyn Executors>,
	pub blobs: Blobs,
	pub results: Results,
	pub kernels: Kernels,
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
	pub device: DeviceInfo,
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
	let mut run = JobRun { context, task, device: DeviceAfter::Sound };
	let worked = run.work().await;
	let ending = run.conclude(worked).await;
	JobEnd { ending, device: run.device }
}

struct JobRun {
	context: Arc<JobContext>,
	task: JobTask,
	device: DeviceAfter,
}

impl JobRun {
	async fn work(&mut self) -> Result<JobOutput, Stop> {
		self.tell(|status| {
			status.phase = JobPhase::WaitingForBlobs;
			status.detail = None;
		});
		let deadline = Instant::now() + self.context.config.blob_wait;
		let document = self.gather(&[self.task.job.plan], deadline).await?.pop().unwrap_or_default();
		let limits = Limits {
			buffer_bytes: MAX_BUFFER_BYTES,
			output_bytes: self.context.config.max_blob_bytes.into(),
		};
		let plan = Plan::parse(&document)
			.and_then(|plan| plan.check(&limits).map(|()| plan))
			.map_err(|error| Stop::Failed(JobFailure::PlanInvalid, error.to_string()))?;
		let wanted: Vec<BlobHash> = plan.blobs().into_iter().map(|hash| BlobHash::from(hash.0)).collect();
		let blobs = self.gather(&wanted, deadline).await?;
		let kernel = blobs.first().map(Vec::as_slice).unwrap_or_default();
		let compiled = self.compiled(&plan, kernel).await?;
		let resume = self.newest_state(&plan, deadline).await?;
		let request = JobRequest {
			plan: document,
			blobs,
			resume,
			compiled,
			device: selector(&self.task.device),
			limits: JobLimits {
				buffer_bytes: limits.buffer_bytes,
				output_bytes: limits.output_bytes,
				wall_clock: self.context.config.job_limit,
				checkpoints: Some(Rule {
					interval: self.context.config.checkpoint_interval,
					max_bytes: limits.output_bytes,
				}),
				..JobLimits::default()
			},
		};
		self.run_until_it_ends(request, Arc::new(plan)).await
	}

	/// Starts executors until one gives a result or says that the job cannot succeed. Each goes on where the one before was.
	async fn run_until_it_ends(&mut self, request: JobRequest, plan: Arc<Plan>) -> Result<JobOutput, Stop> {
		let mut request = Arc::new(request);
		let mut lost = 0;
		loop {
			let resumed_from = request.resume.as_ref().map(|state| state.launches_done);
			self.tell(|status| {
				status.phase = JobPhase::Running;
				status.detail = None;
				status.attempts += 1;
				status.resumed_from = resumed_from;
			});
			let (failure, why) = match self.run_once(request.clone(), plan.clone()).await? {
				Ok(output) => return Ok(output),
				Err(end) => end,
			};
			lost += 1;
			log::warn!(target: LOG_TARGET, "job {} of lease {}: {why}", self.task.job.job, self.task.lease);
			self.tell(|status| status.detail = Some(why.clone()));
			self.probe_device().await?;
			if let DeviceAfter::Faulty(fault) = &self.device {
				return Err(Stop::Failed(
					JobFailure::DeviceLost,
					format!("{why}; the device failed its probe: {fault}"),
				));
			}
			if lost > RETRIES {
				return Err(Stop::Failed(failure, format!("{why} (the last of {lost} executors)")));
			}
			let resume = self.newest_state(&plan, Instant::now()).await?;
			// Copies the request only while the lost executor's pipe is still being closed.
			let next = Arc::make_mut(&mut request);
			next.resume = resume;
			if next.compiled.take().is_some() {
				// It may be what the driver stumbled over.
				self.context.kernels.forget(&plan.kernel, &self.task.device);
			}
		}
	}

	/// One executor. The inner error is worth another try; it comes with the outcome to report after the last one.
	async fn run_once(
		&mut self,
		request: Arc<JobRequest>,
		plan: Arc<Plan>,
	) -> Result<Result<JobOutput, (JobFailure, String)>, Stop> {
		let (executors, cancel) = (self.context.executors.clone(), self.task.cancel.clone());
		let mut keeper = self.keeper(plan);
		let run = move || executors.run(request, &cancel, &mut |state| keeper.keep(&state));
		let ended = on_own_thread(run).await.map_err(Stop::Unserved)?;
		let failure = match ended {
			Ok(output) => return Ok(Ok(output)),
			Err(ExecutorError::Failed(failure)) => failure,
			Err(ExecutorError::Lost(why)) => return Ok(Err((JobFailure::ExecutorLost, why))),
			Err(ExecutorError::Cancelled) => {
				self.device = DeviceAfter::Suspect;
				return Err(Stop::Cancelled);
			}
			Err(error @ ExecutorError::CannotStart { .. }) => return Err(Stop::Unserved(error.to_string())),
		};
		let outcome = match failure.kind {
			FailureKind::DeviceUnavailable | FailureKind::DeviceLost => {
				return Ok(Err((JobFailure::DeviceLost, failure.message)))
			}
			FailureKind::BlobMissing(hash) => JobFailure::BlobMissing(hash.0.into()),
			FailureKind::PlanInvalid => JobFailure::PlanInvalid,
			FailureKind::KernelRejected => JobFailure::KernelRejected,
			FailureKind::OutOfMemory => JobFailure::OutOfMemory,
			FailureKind::KernelFault => JobFailure::KernelFault,
			FailureKind::TimedOut => JobFailure::TimedOut,
		};
		if matches!(outcome, JobFailure::KernelFault | JobFailure::TimedOut) {
			// The kernel was stopped in the middle.
			self.device = DeviceAfter::Suspect;
		}
		Err(Stop::Failed(outcome, failure.message))
	}

	/// Learns whether the device still works.
	async fn probe_device(&mut self) -> Result<(), Stop> {
		let (executors, cancel) = (self.context.executors.clone(), self.task.cancel.clone());
		let device = self.task.device.clone();
		let probed =
			on_own_thread(move || probe(&*executors, &device, &cancel)).await.map_err(Stop::Unserved)?;
		if self.task.cancel.is_cancelled() {
			self.device = DeviceAfter::Suspect;
			return Err(Stop::Cancelled);
		}
		self.device = match probed {
			Ok(()) => DeviceAfter::Sound,
			Err(fault) => DeviceAfter::Faulty(fault),
		};
		Ok(())
	}

	/// Puts what came of the job on disk.
	async fn conclude(&self, worked: Result<JobOutput, Stop>) -> Ending {
		let ending = match worked {
			Ok(output) => self.store(Ok(output)).await,
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

	async fn store(&self, worked: Result<JobOutput, (JobFailure, String)>) -> Ending {
		let (blobs, results) = (self.context.blobs.clone(), self.context.results.clone());
		let (genesis, lease, job) = (self.context.genesis, self.task.lease, self.task.job.clone());
		let store = move || {
			let (outcome, detail, busy) = match worked {
				Ok(output) => {
					let bytes = output.bytes.len() as u64;
					let succeeded = JobOutcome::Succeeded { output: blobs.put_output(&output.bytes)?, bytes };
					(succeeded, format!("{} launches on {}", output.launches, output.device), output.busy)
				}
				Err((failure, why)) => (JobOutcome::Failed(failure), why, Duration::ZERO),
			};
			let JobView { job, plan, submitted_at, .. } = job;
			let busy_ms = u64::try_from(busy.as_millis()).unwrap_or(u64::MAX);
			let result = StoredResult { genesis, lease, job, plan, submitted_at, outcome, detail, busy_ms };
			results.put(result.clone()).map(|()| result)
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
