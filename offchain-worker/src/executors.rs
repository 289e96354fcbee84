//! The programs that touch devices. The worker knows them by this trait only, so that the life of a job can be tested through
//! every failure of an executor.

use millrace_executor::{
	Cancel, Checkpoint, Confinement, DeviceList, DeviceSelector, Executor, ExecutorError, JobOutput,
	JobRequest, Monitor, MonitorMessage, PrepareLimits, Update,
};
use std::{
	sync::{
		atomic::{AtomicBool, Ordering::Relaxed},
		Arc,
	},
	time::Duration,
};

/// Time between two readings of the GPUs' health.
const READING_INTERVAL: Duration = Duration::from_secs(5);
/// How often the wait for a message looks whether it is still wanted.
const LISTEN_INTERVAL: Duration = Duration::from_secs(1);

/// Starts executors. Every method blocks until its executor has ended.
pub(crate) trait Executors: Send + Sync + 'static {
	/// The GPUs of this machine.
	fn devices(&self) -> Result<DeviceList, ExecutorError>;

	/// What keeps jobs in bounds on this machine.
	fn confinement(&self) -> Result<Confinement, ExecutorError>;

	/// Follows the health of the GPUs in a process of its own, until nobody wants that. The error
	/// [`ExecutorError::Failed`] is for a machine whose driver does not tell it.
	fn watch(&self, unwanted: &AtomicBool, tell: &mut dyn FnMut(MonitorMessage))
		-> Result<(), ExecutorError>;

	/// Compiles a kernel for a GPU in a process of its own.
	fn prepare(
		&self,
		kernel: Vec<u8>,
		device: &DeviceSelector,
		cancel: &Cancel,
	) -> Result<Vec<u8>, ExecutorError>;

	/// Runs a job in a process of its own, which waits while `keep` takes a checkpoint of it.
	fn run(
		&self,
		request: Arc<JobRequest>,
		cancel: &Cancel,
		keep: &mut dyn FnMut(Checkpoint),
	) -> Result<JobOutput, ExecutorError>;
}

impl Executors for Executor {
	fn devices(&self) -> Result<DeviceList, ExecutorError> {
		self.devices()
	}

	fn confinement(&self) -> Result<Confinement, ExecutorError> {
		self.check().map(|info| info.confinement)
	}

	fn watch(
		&self,
		unwanted: &AtomicBool,
		tell: &mut dyn FnMut(MonitorMessage),
	) -> Result<(), ExecutorError> {
		let mut monitor = Monitor::start(self, READING_INTERVAL)?;
		while !unwanted.load(Relaxed) {
			if let Some(message) = monitor.next(LISTEN_INTERVAL)? {
				tell(message);
			}
		}
		Ok(())
	}

	fn prepare(
		&self,
		kernel: Vec<u8>,
		device: &DeviceSelector,
		cancel: &Cancel,
	) -> Result<Vec<u8>, ExecutorError> {
		self.prepare(kernel, device, PrepareLimits::default(), cancel)
	}

	fn run(
		&self,
		request: Arc<JobRequest>,
		cancel: &Cancel,
		keep: &mut dyn FnMut(Checkpoint),
	) -> Result<JobOutput, ExecutorError> {
		self.run_job(request, cancel, &mut |update| {
			if let Update::Checkpoint(state) = update {
				keep(state);
			}
		})
	}
}

/// Runs blocking work on a thread for it; a panic there becomes an error here.
pub(crate) async fn on_own_thread<T: Send + 'static>(
	work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
	tokio::task::spawn_blocking(work)
		.await
		.map_err(|error| format!("a thread of the worker ended early: {error}"))
}
