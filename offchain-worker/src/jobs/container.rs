//! Running a container's plan.

use super::{DeviceAfter, Done, JobRun, Stop};
use crate::{containers::RunContainers, executors::on_own_thread, status::JobPhase, LOG_TARGET};
use millrace_container::{Checkpoint, ContainerError, ContainerJob, ContainerOutput, Event, JobName, Limits};
use millrace_executor::{DeviceInfo, Kind};
use millrace_job::ContainerPlan;
use millrace_primitives::{BlobHash, JobFailure};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Tries at a job of which this machine, or a registry, is the trouble.
const TRIES: u32 = 3;
/// Wait between two of them.
const RETRY: Duration = Duration::from_secs(10);

impl JobRun {
	/// Runs the plan with all GPUs of the lease's node.
	pub(super) async fn run_container(
		&mut self,
		plan: ContainerPlan,
		deadline: Instant,
	) -> Result<Done, Stop> {
		let containers = self.context.containers.clone();
		let runner =
			on_own_thread(move || containers.open()).await.map_err(Stop::Unserved)?.map_err(|why| {
				// The renter has to look for another provider: this one's operator will not change that while the lease runs.
				Stop::Failed(JobFailure::KernelRejected, format!("this provider runs no containers: {why}"))
			})?;
		let wanted: Vec<BlobHash> = plan.blobs().into_iter().map(|hash| BlobHash::from(hash.0)).collect();
		self.await_blobs(&wanted, deadline).await?;
		let most = u64::from(self.context.config.max_blob_bytes);
		let has_state = plan.container.checkpoint.is_some();
		let fits = move |_, bytes| has_state && bytes <= most;
		let mut tried = 0;
		loop {
			tried += 1;
			let resume = self.newest_state(&fits, deadline).await?;
			let resume = resume.map(|state| Checkpoint { number: state.launches_done, bytes: state.bytes });
			self.tell(|status| {
				status.phase = JobPhase::Running;
				status.detail = Some("the image is fetched and checked".into());
				status.attempts += 1;
				status.resumed_from = resume.as_ref().map(|state| state.number);
			});
			let error = match self.run_one(runner.clone(), self.container_job(&plan, resume, tried)).await? {
				Ok(output) => return Ok(self.done(output)),
				Err(error) => error,
			};
			match self.verdict(&error) {
				Some(stop) => return Err(stop),
				None if tried == TRIES => return Err(last_words(&error)),
				None => {}
			}
			log::warn!(target: LOG_TARGET, "job {} of lease {}: {error}", self.task.job.job, self.task.lease);
			self.tell(|status| status.detail = Some(format!("{error}; tried again soon")));
			tokio::time::sleep(RETRY).await;
		}
	}

	fn container_job(&self, plan: &ContainerPlan, resume: Option<Checkpoint>, attempt: u32) -> ContainerJob {
		let config = &self.context.config;
		let most = u64::from(config.max_blob_bytes);
		let file = |hash: millrace_job::BlobHash| (hash, self.context.blobs.file(BlobHash::from(hash.0)));
		ContainerJob {
			name: JobName { lease: self.task.lease.0, job: self.task.job.job.0, attempt },
			plan: plan.clone(),
			blobs: plan.blobs().into_iter().map(file).collect::<BTreeMap<_, _>>(),
			gpus: self
				.devices()
				.filter(|device| device.kind == Kind::Cuda)
				.map(|gpu| gpu.uuid.clone())
				.collect(),
			resume,
			limits: Limits {
				memory_bytes: config.container_memory_bytes,
				wall_clock: config.job_limit,
				output_bytes: most,
				checkpoint_bytes: most,
				checkpoint_interval: config.checkpoint_interval,
				..Limits::default()
			},
		}
	}

	fn devices(&self) -> impl Iterator<Item = &DeviceInfo> {
		std::iter::once(&self.task.device).chain(&self.task.others)
	}

	async fn run_one(
		&self,
		runner: Arc<dyn RunContainers>,
		job: ContainerJob,
	) -> Result<Result<ContainerOutput, ContainerError>, Stop> {
		let cancel = self.task.cancel.clone();
		let mut keeper = self.keeper();
		let (status, lease, id, plan) =
			(self.context.status.clone(), self.task.lease, self.task.job.job, self.task.job.plan);
		let run = move || {
			runner.run(&job, &|| cancel.is_cancelled(), &mut |event| match event {
				Event::Started => status.update_job(lease, id, plan, |status| status.detail = None),
				Event::Log(text) => status.add_to_log(lease, id, &text),
				Event::Checkpoint(state) => keeper.keep(state.number, &state.bytes),
			})
		};
		on_own_thread(run).await.map_err(Stop::Unserved)
	}

	fn done(&self, output: ContainerOutput) -> Done {
		let names: Vec<_> = self.devices().map(|device| device.name.as_str()).collect();
		let detail = format!("a container with {}", names.join(", "));
		Done { output: output.bytes, detail, busy: output.busy }
	}

	/// What an error means for the job; `None` if it is worth another try.
	fn verdict(&mut self, error: &ContainerError) -> Option<Stop> {
		let failed = |failure| Some(Stop::Failed(failure, error.to_string()));
		match error {
			ContainerError::Cancelled => {
				self.device = DeviceAfter::Suspect;
				Some(Stop::Cancelled)
			}
			ContainerError::TimedOut(_) => {
				// Its programs were killed in the middle of whatever they did on the GPUs.
				self.device = DeviceAfter::Suspect;
				failed(JobFailure::TimedOut)
			}
			ContainerError::OutOfMemory => {
				self.device = DeviceAfter::Suspect;
				failed(JobFailure::OutOfMemory)
			}
			ContainerError::Failed { .. } => {
				// What it did to the GPUs is not known; the probe tells.
				self.device = DeviceAfter::Suspect;
				failed(JobFailure::KernelFault)
			}
			ContainerError::OutputRefused(_) => failed(JobFailure::KernelFault),
			ContainerError::TooMuch { .. } => failed(JobFailure::PlanInvalid),
			ContainerError::ImageRefused(_) | ContainerError::CommandRejected(_) => {
				failed(JobFailure::KernelRejected)
			}
			ContainerError::BlobMissing(hash) => failed(JobFailure::BlobMissing(hash.0.into())),
			ContainerError::ImageMissing(_)
			| ContainerError::DeviceMissing(_)
			| ContainerError::PodmanBroken(_) => None,
		}
	}
}

/// What comes of a job after its last try. An image that nobody has is the renter's trouble; the rest is this machine's.
fn last_words(error: &ContainerError) -> Stop {
	match error {
		ContainerError::ImageMissing(_) => Stop::Failed(JobFailure::KernelRejected, error.to_string()),
		_ => Stop::Unserved(error.to_string()),
	}
}
