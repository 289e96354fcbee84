//! What the worker tells people about itself, over RPC.

use crate::{
	chain::accounts_of,
	devices::{Device, Health},
};
use millrace_executor::Kind;
use millrace_primitives::{
	worker_api::LeaseView, worker_key::KEY_TYPE as WORKER_KEY, AccountId, BlobHash, Checkpoint, Hash, JobId,
	LeaseId, LeaseStatus, NodeStatus,
};
use serde::Serialize;
use sp_keystore::KeystorePtr;
use std::{
	collections::BTreeMap,
	sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Jobs that are remembered for `worker_job`; the ones with the lowest lease and job numbers make room.
const REMEMBERED_JOBS: usize = 1024;
/// Jobs whose logs are remembered; the same ones make room.
const REMEMBERED_LOGS: usize = 64;
/// How much of a log is remembered, in bytes.
const REMEMBERED_LOG_BYTES: usize = 64 << 10;

/// A device that the worker has found.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceStatus {
	/// `reference` or `cuda`.
	pub kind: &'static str,
	/// Name that the driver gives it.
	pub name: String,
	/// Its memory, in MiB.
	pub memory_mib: u64,
	/// Salted hash of its UUID: the name under which the provider registers it.
	pub uuid_hash: Hash,
	/// Version of its driver, if it has one.
	pub driver: Option<String>,
	/// `probing`, `healthy` or `faulty`.
	pub state: &'static str,
	/// Why it is faulty.
	pub fault: Option<String>,
	/// What the driver says of it.
	#[serde(flatten)]
	pub telemetry: Telemetry,
}

/// What a GPU's driver says of it; null for what it does not say.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Telemetry {
	/// Temperature of the chip, in degrees Celsius.
	pub temperature_c: Option<u32>,
	/// Power that it draws, in watts, rounded down.
	pub power_w: Option<u32>,
	/// Clock of the multiprocessors, in MHz.
	pub sm_clock_mhz: Option<u32>,
	/// Energy since the driver was loaded, in millijoules. Of a MIG instance: `None`, for its GPU's is that of all instances.
	pub energy_mj: Option<u64>,
	/// What an operator should look at: heat, or a power supply that cannot keep up.
	pub warning: Option<String>,
}

impl From<&Device> for DeviceStatus {
	fn from(device: &Device) -> Self {
		let (state, fault) = match &device.health {
			Health::Unknown => ("probing", None),
			Health::Healthy => ("healthy", None),
			Health::Faulty(why) => ("faulty", Some(why.clone())),
		};
		let kind = match device.info.kind {
			Kind::Reference => "reference",
			Kind::Cuda => "cuda",
		};
		Self {
			kind,
			name: device.info.name.clone(),
			memory_mib: device.info.memory_bytes / (1024 * 1024),
			uuid_hash: device.hash,
			driver: device.info.driver.clone(),
			state,
			fault,
			telemetry: device.telemetry.clone(),
		}
	}
}

/// A lease, as the worker saw it at the last finalised block.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseBrief {
	/// Its number.
	pub lease: u64,
	/// `pending`, `active`, `frozen` or `closed`.
	pub status: &'static str,
	/// Which of its nodes is served here.
	pub node: u8,
	/// `pending`, `active`, `suspended`, `reclaiming` or `faulted`.
	pub node_status: &'static str,
	/// The node's GPUs, by index.
	pub gpus: Vec<u16>,
	/// Numbers of the node's jobs without a result.
	pub open_jobs: Vec<u32>,
}

impl From<&LeaseView> for LeaseBrief {
	fn from(lease: &LeaseView) -> Self {
		let status = match lease.status {
			LeaseStatus::Pending => "pending",
			LeaseStatus::Active => "active",
			LeaseStatus::Frozen { .. } => "frozen",
			LeaseStatus::Closed(_) => "closed",
		};
		let node_status = match lease.node_status {
			NodeStatus::Pending { .. } => "pending",
			NodeStatus::Active => "active",
			NodeStatus::Suspended { .. } => "suspended",
			NodeStatus::Reclaiming { .. } => "reclaiming",
			NodeStatus::Faulted { .. } => "faulted",
		};
		Self {
			lease: lease.lease.0,
			status,
			node: lease.node.0,
			node_status,
			gpus: lease.gpus.iter().map(|gpu| gpu.0).collect(),
			open_jobs: lease.jobs.iter().map(|job| job.job.0).collect(),
		}
	}
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum JobPhase {
	/// Some of its blobs are not here yet.
	WaitingForBlobs,
	/// Its kernel is compiled for the device.
	Compiling,
	/// An executor runs it.
	Running,
	/// It ended; the chain does not show the result as final yet.
	Reporting,
	/// The chain shows its result, at a finalised block.
	Reported,
	/// This machine could not run it now; it is tried again.
	Waiting,
	/// It was stopped, because its lease ended, moved away or is frozen.
	Stopped,
}

/// State of a job between two launches, in this node's blob store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointStatus {
	/// BLAKE3 hash of the blob.
	pub blob: BlobHash,
	/// Its length in bytes.
	pub bytes: u64,
	/// Launches of the plan that had run.
	pub launches_done: u32,
}

impl From<Checkpoint> for CheckpointStatus {
	fn from(checkpoint: Checkpoint) -> Self {
		let Checkpoint { blob, bytes, launches_done, .. } = checkpoint;
		Self { blob, bytes, launches_done }
	}
}

/// One job.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobStatus {
	/// Its lease.
	pub lease: u64,
	/// Its number.
	pub job: u32,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// Where it stands.
	pub phase: JobPhase,
	/// Executors that were started for it.
	pub attempts: u32,
	/// Outcome in a few words, once it ended.
	pub outcome: Option<&'static str>,
	/// BLAKE3 hash of its output, if it succeeded.
	pub output: Option<BlobHash>,
	/// Details: the error's text, or what it waits for.
	pub detail: Option<String>,
	/// Time during which its kernels ran, in milliseconds.
	pub busy_ms: u64,
	/// Energy that its GPUs took from its start to its end, in joules, where the driver tells it. Readings are some seconds apart.
	pub energy_joules: Option<u64>,
	/// Newest checkpoint that was stored here since this node started.
	pub checkpoint: Option<CheckpointStatus>,
	/// Launches that the latest executor left out, because it went on from a checkpoint.
	pub resumed_from: Option<u32>,
}

/// How the worker bids.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct BiddingStatus {
	/// Account of the bidder key, which pays the fees.
	pub bidder: Option<AccountId>,
	/// Auctions with a live bid of the provider, of those that the policy is about.
	pub live_bids: u32,
	/// Bids sent since this node started.
	pub bids_sent: u64,
	/// What keeps the worker from bidding, or the last thing that went wrong.
	pub notice: Option<String>,
}

/// State of the worker.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkerStatus {
	/// Account of the worker's key.
	pub worker: Option<AccountId>,
	/// The provider whose worker it is, once it is registered.
	pub provider: Option<AccountId>,
	/// Devices found.
	pub devices: Vec<DeviceStatus>,
	/// Leases to serve.
	pub leases: Vec<LeaseBrief>,
	/// Jobs under way.
	pub running_jobs: u32,
	/// Results that the chain does not show as final yet.
	pub unreported_results: u32,
	/// Epoch of the last report that became final.
	pub last_report_epoch: Option<u32>,
	/// Bytes of blobs on disk.
	pub blob_bytes: u64,
	/// How it bids; null without a bid policy.
	pub bidding: Option<BiddingStatus>,
	/// What the worker waits for, or the last thing that went wrong.
	pub notice: Option<String>,
}

/// What a container printed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct JobLog {
	/// The last of it.
	pub text: String,
	/// Bytes before it that are gone.
	pub dropped_bytes: u64,
}

impl JobLog {
	fn add(&mut self, text: &str) {
		self.text.push_str(text);
		let over = self.text.len().saturating_sub(REMEMBERED_LOG_BYTES);
		if over > 0 {
			let end = self.text.ceil_char_boundary(over);
			self.dropped_bytes = self.dropped_bytes.saturating_add(end as u64);
			self.text.drain(..end);
		}
	}
}

#[derive(Default)]
struct State {
	status: WorkerStatus,
	jobs: BTreeMap<(LeaseId, JobId), JobStatus>,
	logs: BTreeMap<(LeaseId, JobId), JobLog>,
}

/// Shared between the worker, which writes, and its RPC methods, which read.
#[derive(Clone)]
pub struct WorkerStatusHandle(Option<Arc<Running>>);

struct Running {
	keystore: KeystorePtr,
	state: Mutex<State>,
}

impl WorkerStatusHandle {
	/// For a node that runs a worker. The keystore is asked for the worker's key while the worker has not chosen one.
	pub fn running(keystore: KeystorePtr) -> Self {
		Self(Some(Arc::new(Running { keystore, state: Mutex::default() })))
	}

	/// For a node without a worker: the `worker_*` methods say so.
	pub fn off() -> Self {
		Self(None)
	}

	/// A copy of the state; `None` without a worker.
	pub fn read(&self) -> Option<WorkerStatus> {
		let running = self.0.as_ref()?;
		let mut status = running.lock().status.clone();
		if status.worker.is_none() {
			let keys = accounts_of(&running.keystore, WORKER_KEY);
			status.worker = keys.into_iter().next().map(|(_, account)| account);
		}
		Some(status)
	}

	/// A copy of one job's state.
	pub fn job(&self, lease: u64, job: u32) -> Option<JobStatus> {
		self.0.as_ref()?.lock().jobs.get(&(LeaseId(lease), JobId(job))).cloned()
	}

	/// Copies of all jobs' states, those of the highest lease and job numbers first.
	pub fn jobs(&self) -> Vec<JobStatus> {
		self.0
			.iter()
			.flat_map(|running| running.lock().jobs.values().rev().cloned().collect::<Vec<_>>())
			.collect()
	}

	/// What a job's container printed, if it was one.
	pub fn log(&self, lease: u64, job: u32) -> Option<JobLog> {
		self.0.as_ref()?.lock().logs.get(&(LeaseId(lease), JobId(job))).cloned()
	}

	/// A job's container printed something.
	pub(crate) fn add_to_log(&self, lease: LeaseId, job: JobId, text: &str) {
		let Some(running) = &self.0 else { return };
		let logs = &mut running.lock().logs;
		logs.entry((lease, job)).or_default().add(text);
		while logs.len() > REMEMBERED_LOGS {
			logs.pop_first();
		}
	}

	/// Changes the state.
	pub(crate) fn update(&self, change: impl FnOnce(&mut WorkerStatus)) {
		if let Some(running) = &self.0 {
			change(&mut running.lock().status);
		}
	}

	/// Changes one job's state; `plan` is for the first time.
	pub(crate) fn update_job(
		&self,
		lease: LeaseId,
		job: JobId,
		plan: BlobHash,
		change: impl FnOnce(&mut JobStatus),
	) {
		let Some(running) = &self.0 else { return };
		let mut state = running.lock();
		let status = state.jobs.entry((lease, job)).or_insert_with(|| JobStatus {
			lease: lease.0,
			job: job.0,
			plan,
			phase: JobPhase::WaitingForBlobs,
			attempts: 0,
			outcome: None,
			output: None,
			detail: None,
			busy_ms: 0,
			energy_joules: None,
			checkpoint: None,
			resumed_from: None,
		});
		change(status);
		while state.jobs.len() > REMEMBERED_JOBS {
			state.jobs.pop_first();
		}
	}
}

impl Running {
	/// The state is whole after every statement, so a writer that panicked leaves nothing half done.
	fn lock(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}
