//! The devices of this machine: finding them, their health, and what each is doing.

mod telemetry;

use crate::{executors::Executors, DeviceChoice, DeviceRules, Telemetry, LOG_TARGET};
use millrace_executor::{DeviceInfo, Kind};
use millrace_job::{blob_hash, MAX_BUFFER_BYTES};
use millrace_primitives::{
	worker_api::{GpuView, WorkerView},
	AcceleratorKind, AccountId, GpuIndex, Hash,
};
use std::{
	collections::{BTreeMap, BTreeSet},
	fs,
	io::{self, Read},
	path::Path,
	time::Duration,
};
use tokio::time::Instant;

/// How often a healthy idle device is probed.
const PROBE_HEALTHY: Duration = Duration::from_secs(600);
/// How often a faulty device is probed.
const PROBE_FAULTY: Duration = Duration::from_secs(60);

/// The name under which a device is registered on a chain: the BLAKE3 hash of `millrace/gpu-uuid/v1`, the chain's genesis
/// hash, and the UUID's text. Salted, so that nobody can tell from outside whether two chains know the same device.
pub fn uuid_hash(genesis: &Hash, uuid: &str) -> Hash {
	let salted = [b"millrace/gpu-uuid/v1", genesis.as_bytes(), uuid.as_bytes()].concat();
	blob_hash(&salted).into()
}

/// Whether a device works.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Health {
	/// Not probed yet.
	Unknown,
	/// It passed its last probe.
	Healthy,
	/// It failed its last probe, for this reason.
	Faulty(String),
}

/// What a device is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Occupation {
	Idle,
	Job,
	Probe,
}

/// A device and its state.
#[derive(Clone, Debug)]
pub(crate) struct Device {
	pub(crate) info: DeviceInfo,
	pub(crate) hash: Hash,
	pub(crate) health: Health,
	occupation: Occupation,
	/// It has to pass a probe before it is used.
	suspect: bool,
	/// Its driver has reported an error after which nothing that it computes can be trusted. No probe clears it of that: somebody has
	/// to look at it, and start the node again.
	quarantined: bool,
	pub(crate) telemetry: Telemetry,
	next_probe: Instant,
}

impl Device {
	fn is_registered_as(&self, gpu: &GpuView) -> bool {
		// A reference device never passes for a GPU.
		let kind = match self.info.kind {
			Kind::Reference => AcceleratorKind::Reference,
			Kind::Cuda => AcceleratorKind::Cuda,
		};
		gpu.uuid_hash == self.hash && gpu.kind == kind
	}
}

/// The devices found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Devices(Vec<Device>, Vec<Divided>);

/// A GPU and its instances, by their UUIDs, as the driver last told them.
type Divided = (Option<String>, Vec<String>);

impl Devices {
	/// Devices that still have to be probed.
	pub(crate) fn new(found: Vec<DeviceInfo>, genesis: &Hash) -> Self {
		let devices = found.into_iter().map(|info| Device {
			hash: uuid_hash(genesis, &info.uuid),
			info,
			health: Health::Unknown,
			occupation: Occupation::Idle,
			suspect: true,
			quarantined: false,
			telemetry: Telemetry::default(),
			next_probe: Instant::now(),
		});
		Self(devices.collect(), Vec::new())
	}

	/// All devices.
	pub(crate) fn iter(&self) -> impl Iterator<Item = &Device> {
		self.0.iter()
	}

	/// Whether there are none.
	pub(crate) fn is_empty(&self) -> bool {
		self.0.is_empty()
	}

	/// Whether the health of each is known.
	pub(crate) fn all_probed(&self) -> bool {
		self.0.iter().all(|device| device.health != Health::Unknown)
	}

	/// The device that is registered under an index.
	pub(crate) fn registered(&self, view: &WorkerView<AccountId>, index: GpuIndex) -> Option<&Device> {
		let gpu = view.gpus.iter().find(|gpu| gpu.gpu == index)?;
		self.0.iter().find(|device| device.is_registered_as(gpu))
	}

	/// Health of every registered GPU that is found here.
	pub(crate) fn health(&self, view: &WorkerView<AccountId>) -> BTreeMap<GpuIndex, bool> {
		let found = view.gpus.iter().filter_map(|gpu| {
			let device = self.0.iter().find(|device| device.is_registered_as(gpu))?;
			Some((gpu.gpu, device.health == Health::Healthy))
		});
		found.collect()
	}

	/// Registered GPUs that are healthy and idle.
	pub(crate) fn usable(&self, view: &WorkerView<AccountId>) -> BTreeSet<GpuIndex> {
		let usable = |device: &Device| {
			device.health == Health::Healthy && device.occupation == Occupation::Idle && !device.suspect
		};
		view.gpus
			.iter()
			.filter(|gpu| self.0.iter().any(|device| usable(device) && device.is_registered_as(gpu)))
			.map(|gpu| gpu.gpu)
			.collect()
	}

	/// A job starts on the device.
	pub(crate) fn job_starts(&mut self, hash: Hash) {
		self.change(hash, |device| device.occupation = Occupation::Job);
	}

	/// A job ended on the device. If it is suspect, it has to pass a probe before it is used again.
	pub(crate) fn job_ended(&mut self, hash: Hash, suspect: bool) {
		self.change(hash, |device| {
			device.occupation = Occupation::Idle;
			device.suspect |= suspect;
		});
	}

	/// Takes an idle device whose probe is due, for its probe.
	pub(crate) fn start_probe(&mut self) -> Option<Device> {
		let now = Instant::now();
		let device = self.0.iter_mut().find(|device| {
			device.occupation == Occupation::Idle
				&& !device.quarantined
				&& (device.suspect || now >= device.next_probe)
		})?;
		device.occupation = Occupation::Probe;
		Some(device.clone())
	}

	/// A device was probed.
	pub(crate) fn probed(&mut self, hash: Hash, result: Result<(), String>) {
		self.change(hash, |device| {
			device.occupation = Occupation::Idle;
			if device.quarantined {
				return;
			}
			let (health, wait) = match result {
				Ok(()) => (Health::Healthy, PROBE_HEALTHY),
				Err(why) => (Health::Faulty(why), PROBE_FAULTY),
			};
			if health != device.health {
				match &health {
					Health::Faulty(why) => {
						log::warn!(target: LOG_TARGET, "{} ({}) is faulty: {why}", device.info.name, device.info.uuid)
					}
					_ => {
						log::info!(target: LOG_TARGET, "{} ({}) is healthy", device.info.name, device.info.uuid)
					}
				}
			}
			// A faulty device is probed again after its wait, not at once.
			device.suspect = false;
			device.health = health;
			device.next_probe = Instant::now() + wait;
		});
	}

	fn change(&mut self, hash: Hash, change: impl FnOnce(&mut Device)) {
		if let Some(device) = self.0.iter_mut().find(|device| device.hash == hash) {
			change(device);
		}
	}
}

/// Finds the devices to offer. Blocks. The error says what to do. GPUs are offered only where jobs are kept in bounds, or where the
/// operator accepts that they are not: kernels are strangers' code, and the driver has bugs.
pub(crate) fn find(
	executors: &dyn Executors,
	rules: &DeviceRules,
	data_dir: &Path,
) -> Result<Vec<DeviceInfo>, String> {
	if rules.kind == DeviceChoice::Reference {
		return reference(data_dir).map(|device| vec![device]);
	}
	let mut list = executors.devices().map_err(|error| error.to_string())?;
	if !list.gpus.is_empty() {
		keep_wanted(&mut list.gpus, &rules.gpus)?;
		let missing = executors.confinement().map_err(|error| error.to_string())?.missing();
		if missing.is_empty() {
			return Ok(list.gpus);
		}
		let missing = missing.join(", ");
		if rules.accept_weak_isolation {
			log::warn!(target: LOG_TARGET, "jobs are not kept in bounds (not in effect: {missing}), as --worker-accept-weak-isolation says");
			return Ok(list.gpus);
		}
		return Err(format!(
			"this machine does not keep jobs in bounds (not in effect: {missing}): see `millrace-node worker check`, or start with \
			 --worker-accept-weak-isolation"
		));
	}
	let why = list.cuda_unavailable.unwrap_or_else(|| "its driver knows no GPU".into());
	// Whoever names a GPU does not want the reference device in its place.
	if rules.kind == DeviceChoice::Cuda || !rules.gpus.is_empty() {
		return Err(format!(
			"this machine has no CUDA GPU to offer: {why}. Install the NVIDIA driver, or use --worker-device reference on a development chain"
		));
	}
	log::info!(target: LOG_TARGET, "no CUDA GPU ({why}); offering the reference device, which is for development chains");
	reference(data_dir).map(|device| vec![device])
}

/// Keeps the GPUs that are to be offered. The error names one that is not there, and those that are.
fn keep_wanted(gpus: &mut Vec<DeviceInfo>, wanted: &[String]) -> Result<(), String> {
	if let Some(absent) = wanted.iter().find(|wanted| gpus.iter().all(|gpu| gpu.uuid != **wanted)) {
		let found: Vec<_> = gpus.iter().map(|gpu| gpu.uuid.as_str()).collect();
		return Err(format!(
			"--worker-gpus names {absent}, which is not here; there are: {}",
			found.join(", ")
		));
	}
	gpus.retain(|gpu| wanted.is_empty() || wanted.contains(&gpu.uuid));
	Ok(())
}

/// The reference device, under a UUID that is made once and kept, so that the device stays registered over restarts.
fn reference(data_dir: &Path) -> Result<DeviceInfo, String> {
	let path = data_dir.join("reference-uuid");
	let uuid = read_or_make_uuid(&path).map_err(|error| format!("{}: {error}", path.display()))?;
	Ok(DeviceInfo {
		kind: Kind::Reference,
		name: "Reference CPU".into(),
		memory_bytes: MAX_BUFFER_BYTES,
		uuid,
		driver: None,
		compute_capability: None,
	})
}

fn read_or_make_uuid(path: &Path) -> io::Result<String> {
	match fs::read_to_string(path) {
		Ok(text) if !text.trim().is_empty() => return Ok(text.trim().to_owned()),
		Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
		_ => {}
	}
	let mut bytes = [0; 16];
	fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
	let uuid = format!("REF-{}", hex::encode(bytes));
	if let Some(dir) = path.parent() {
		fs::create_dir_all(dir)?;
	}
	crate::disk::write_whole(&path.with_extension("part"), path, uuid.as_bytes())
		.map_err(|error| io::Error::other(error.to_string()))?;
	Ok(uuid)
}
