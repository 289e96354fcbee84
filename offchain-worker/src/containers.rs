//! Running containers, if the operator wants that. The worker knows podman by a trait, so that the life of a job can be tested through
//! every failure of it.

use crate::LOG_TARGET;
use millrace_container::{ContainerError, ContainerJob, ContainerOutput, Event, Podman, Settings};
use std::sync::{Arc, Mutex, PoisonError};

/// Runs containers. Blocks until the container is gone.
pub(crate) trait RunContainers: Send + Sync + 'static {
	/// Runs a job; `cancelled` is asked all the time, `event` is told what happens.
	fn run(
		&self,
		job: &ContainerJob,
		cancelled: &dyn Fn() -> bool,
		event: &mut dyn FnMut(Event),
	) -> Result<ContainerOutput, ContainerError>;
}

impl RunContainers for Podman {
	fn run(
		&self,
		job: &ContainerJob,
		cancelled: &dyn Fn() -> bool,
		event: &mut dyn FnMut(Event),
	) -> Result<ContainerOutput, ContainerError> {
		self.run(job, cancelled, event)
	}
}

/// What runs this worker's containers. Clones are the same.
#[derive(Clone)]
pub(crate) struct Containers(Arc<Host>);

struct Host {
	/// `None` where the operator runs no containers.
	settings: Option<Settings>,
	/// Once it was found.
	runner: Mutex<Option<Arc<dyn RunContainers>>>,
}

impl Containers {
	/// None are run without settings.
	pub(crate) fn new(settings: Option<Settings>) -> Self {
		Self(Arc::new(Host { settings, runner: Mutex::default() }))
	}

	/// Those of a test.
	#[cfg(test)]
	pub(crate) fn of(runner: impl RunContainers) -> Self {
		Self(Arc::new(Host { settings: None, runner: Mutex::new(Some(Arc::new(runner))) }))
	}

	/// Whether the operator runs containers.
	pub(crate) fn are_wanted(&self) -> bool {
		self.0.settings.is_some()
	}

	/// What runs containers. The first time it is looked for, and what an earlier run of the node left behind is removed: no
	/// container of a job that nobody follows goes on. Blocks. The error says why there is none, and what to do.
	pub(crate) fn open(&self) -> Result<Arc<dyn RunContainers>, String> {
		// One at a time: two would remove each other's.
		let mut runner = self.0.runner.lock().unwrap_or_else(PoisonError::into_inner);
		if let Some(runner) = &*runner {
			return Ok(runner.clone());
		}
		let settings = self.0.settings.clone();
		let settings = settings.ok_or("it is not started with --worker-containers")?;
		let podman = Podman::find(settings).map_err(|error| error.to_string())?;
		podman.sweep().map_err(|error| error.to_string())?;
		let info = podman.info();
		log::info!(target: LOG_TARGET, "containers run by podman {} and {}", info.version, info.runtime);
		let found: Arc<dyn RunContainers> = Arc::new(podman);
		*runner = Some(found.clone());
		Ok(found)
	}
}
