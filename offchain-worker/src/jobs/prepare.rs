//! Having a job's kernel compiled before the job runs.

use super::{DeviceAfter, JobRun, Stop};
use crate::{executors::on_own_thread, probe::selector, status::JobPhase, LOG_TARGET};
use millrace_executor::{ExecutorError, FailureKind, Kind};
use millrace_job::Plan;
use millrace_primitives::JobFailure;

impl JobRun {
	/// What a compiler made of the job's kernel, now or for an earlier job. `None` for a device that compiles nothing, and if a compiler
	/// was lost: that is no verdict on the kernel, and the job's own executor compiles it then, under the job's own limits.
	pub(super) async fn compiled(&mut self, plan: &Plan, kernel: &[u8]) -> Result<Option<Vec<u8>>, Stop> {
		let device = self.task.device.clone();
		if device.kind == Kind::Reference {
			return Ok(None);
		}
		self.tell(|status| status.phase = JobPhase::Compiling);
		let (kernels, executors) = (self.context.kernels.clone(), self.context.executors.clone());
		let (cancel, hash, text) = (self.task.cancel.clone(), plan.kernel, kernel.to_vec());
		let compile = move || {
			if let Some(compiled) = kernels.get(&hash, &device) {
				return Ok(compiled);
			}
			let compiled = executors.prepare(text, &selector(&device), &cancel)?;
			kernels.put(&hash, &device, &compiled);
			Ok(compiled)
		};
		let failure = match on_own_thread(compile).await.map_err(Stop::Unserved)? {
			Ok(compiled) => return Ok(Some(compiled)),
			Err(ExecutorError::Failed(failure)) => failure,
			Err(ExecutorError::Cancelled) => return Err(Stop::Cancelled),
			Err(error @ ExecutorError::CannotStart { .. }) => return Err(Stop::Unserved(error.to_string())),
			Err(ExecutorError::Lost(why)) => return Ok(self.goes_on_without(&why)),
		};
		match failure.kind {
			FailureKind::KernelRejected => Err(Stop::Failed(JobFailure::KernelRejected, failure.message)),
			FailureKind::OutOfMemory => Err(Stop::Failed(JobFailure::OutOfMemory, failure.message)),
			FailureKind::TimedOut => {
				// The compiler was stopped in the middle, with a context open.
				self.device = DeviceAfter::Suspect;
				let why = format!("the kernel was not compiled in time: {}", failure.message);
				Err(Stop::Failed(JobFailure::TimedOut, why))
			}
			FailureKind::BlobMissing(_)
			| FailureKind::PlanInvalid
			| FailureKind::KernelFault
			| FailureKind::DeviceUnavailable
			| FailureKind::DeviceLost => Ok(self.goes_on_without(&failure.message)),
		}
	}

	fn goes_on_without(&self, why: &str) -> Option<Vec<u8>> {
		log::warn!(
			target: LOG_TARGET,
			"job {} of lease {}: its kernel was not compiled ahead: {why}",
			self.task.job.job,
			self.task.lease,
		);
		None
	}
}
