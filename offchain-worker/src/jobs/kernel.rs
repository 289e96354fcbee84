//! Running a kernel's plan: executors, one after the other, until one gives a result or a verdict.

use super::{DeviceAfter, Done, JobRun, Stop};
use crate::{
	executors::on_own_thread,
	probe::{probe, selector},
	status::JobPhase,
	LOG_TARGET,
};
use millrace_executor::{Checkpoints as Rule, ExecutorError, FailureKind, JobLimits, JobOutput, JobRequest};
use millrace_job::{Limits, Plan, MAX_BUFFER_BYTES};
use millrace_primitives::{BlobHash, JobFailure};
use std::sync::Arc;
use tokio::time::Instant;

/// Executors that may be lost under one job after the first.
const RETRIES: u32 = 3;

impl JobRun {
	/// Runs the plan, whose document this is, on the job's first device.
	pub(super) async fn run_kernel(
		&mut self,
		plan: Plan,
		document: Vec<u8>,
		deadline: Instant,
	) -> Result<Done, Stop> {
		let limits = Limits {
			buffer_bytes: MAX_BUFFER_BYTES,
			output_bytes: self.context.config.max_blob_bytes.into(),
		};
		plan.check(&limits).map_err(|error| Stop::Failed(JobFailure::PlanInvalid, error.to_string()))?;
		let wanted: Vec<BlobHash> = plan.blobs().into_iter().map(|hash| BlobHash::from(hash.0)).collect();
		let blobs = self.gather(&wanted, deadline).await?;
		let kernel = blobs.first().map(Vec::as_slice).unwrap_or_default();
		// A job whose output cannot be kept would run in vain.
		let (store, output) = (self.context.blobs.clone(), plan.output_bytes());
		on_own_thread(move || store.make_room(output))
			.await
			.map_err(Stop::Unserved)?
			.map_err(|error| Stop::Unserved(error.to_string()))?;
		let compiled = self.compiled(&plan, kernel).await?;
		let resume = self.newest_state(&state_of(&plan), deadline).await?;
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
				launch: self.context.config.launch_limit,
				checkpoints: Some(Rule {
					interval: self.context.config.checkpoint_interval,
					max_bytes: limits.output_bytes,
				}),
				..JobLimits::default()
			},
		};
		let JobOutput { bytes, busy, launches, device } =
			self.run_until_it_ends(request, Arc::new(plan)).await?;
		Ok(Done { output: bytes, detail: format!("{launches} launches on {device}"), busy })
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
			let resume = self.newest_state(&state_of(&plan), Instant::now()).await?;
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
		let mut keeper = self.keeper();
		let run = move || {
			executors.run(request, &cancel, &mut |state| {
				// The executor ran somebody else's code: it is not believed.
				if plan.fits_checkpoint(state.launches_done, state.bytes.len() as u64) {
					keeper.keep(state.launches_done, &state.bytes);
				}
			})
		};
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
}

/// Whether a state, by its number and its length, can be one of this plan's.
fn state_of(plan: &Plan) -> impl Fn(u32, u64) -> bool + Send + Sync + use<'_> {
	|launches_done, bytes| plan.fits_checkpoint(launches_done, bytes)
}
