//! What the double remembers between calls, and what it answers about a GPU. No foreign types here.

use crate::config::{Config, Gpu, Instance};
use std::{
	collections::{BTreeMap, BTreeSet},
	sync::{
		atomic::{AtomicU32, Ordering::SeqCst},
		Mutex, MutexGuard, PoisonError,
	},
	thread,
	time::{Duration, Instant},
};

/// NVML's result codes that the double gives. Zero is success.
pub(crate) mod code {
	pub(crate) const UNINITIALIZED: u32 = 1;
	pub(crate) const INVALID_ARGUMENT: u32 = 2;
	pub(crate) const NOT_SUPPORTED: u32 = 3;
	pub(crate) const NOT_FOUND: u32 = 6;
	pub(crate) const INSUFFICIENT_SIZE: u32 = 7;
	pub(crate) const TIMEOUT: u32 = 10;
	pub(crate) const GPU_IS_LOST: u32 = 15;
	pub(crate) const ARGUMENT_VERSION_MISMATCH: u32 = 25;
	pub(crate) const UNKNOWN: u32 = 999;
}

/// What NVML answers: a value, or a code.
pub(crate) type Answer<T> = Result<T, u32>;

/// How often a wait for events looks at the file.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);
/// Far from null and from small integers, which are mistakes of the caller's.
const FIRST_DEVICE: usize = 0x4E56_0000;
const FIRST_SET: usize = 0x5E70_0000;
/// Handles of one GPU: itself, then its instances.
const HANDLES: usize = 256;

/// How many callers have initialised the library.
static USERS: AtomicU32 = AtomicU32::new(0);
static EVENTS: Mutex<Events> = Mutex::new(Events { sets: BTreeMap::new(), made: 0, delivered: 0 });

/// Event sets, and what was delivered.
struct Events {
	/// The GPUs of each set.
	sets: BTreeMap<usize, BTreeSet<u32>>,
	made: usize,
	/// Errors of the file's list that were delivered.
	delivered: usize,
}

fn events() -> MutexGuard<'static, Events> {
	EVENTS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn read() -> Answer<Config> {
	millrace_double::orders().map_err(|problem| {
		// A wrong order must be seen by whoever gave it.
		eprintln!("NVML double: {problem}");
		code::UNKNOWN
	})
}

pub(crate) fn init() -> Answer<()> {
	if let Some(code) = read()?.init_error {
		return Err(code);
	}
	USERS.fetch_add(1, SeqCst);
	Ok(())
}

pub(crate) fn shutdown() -> Answer<()> {
	let left = USERS.fetch_update(SeqCst, SeqCst, |users| users.checked_sub(1));
	left.map(|_| ()).map_err(|_| code::UNINITIALIZED)
}

/// What the file says, if the library was initialised and answers.
pub(crate) fn config() -> Answer<Config> {
	if USERS.load(SeqCst) == 0 {
		return Err(code::UNINITIALIZED);
	}
	let config = read()?;
	config.broken.map_or(Ok(config), Err)
}

/// What a handle stands for.
pub(crate) struct Device {
	/// Index of the GPU.
	pub(crate) index: u32,
	pub(crate) gpu: Gpu,
	/// The instance, if it is one.
	pub(crate) instance: Option<Instance>,
}

/// The handle of a GPU, or of the instance of that index of it.
pub(crate) fn handle(gpu: u32, instance: Option<u32>) -> usize {
	let instance = instance.map_or(0, |index| index as usize + 1);
	FIRST_DEVICE + gpu as usize * HANDLES + instance
}

/// The GPU of that index. A lost one has no handle.
pub(crate) fn by_index(index: u32) -> Answer<usize> {
	let config = config()?;
	let gpu = config.gpus.get(index as usize).ok_or(code::INVALID_ARGUMENT)?;
	gpu.error.map_or(Ok(handle(index, None)), Err)
}

/// What a handle stands for, if it answers.
pub(crate) fn device(of: usize) -> Answer<Device> {
	let config = config()?;
	let offset = of.checked_sub(FIRST_DEVICE).ok_or(code::INVALID_ARGUMENT)?;
	let (index, instance) = (offset / HANDLES, offset % HANDLES);
	let gpu = config.gpus.get(index).ok_or(code::INVALID_ARGUMENT)?.clone();
	if let Some(code) = gpu.error {
		return Err(code);
	}
	let instance = match instance {
		0 => None,
		number => Some(gpu.instances.get(number - 1).ok_or(code::INVALID_ARGUMENT)?.clone()),
	};
	Ok(Device { index: index as u32, gpu, instance })
}

impl Device {
	/// The GPU, for what only a whole one supports.
	pub(crate) fn whole(self) -> Answer<Gpu> {
		if self.instance.is_some() {
			return Err(code::NOT_SUPPORTED);
		}
		Ok(self.gpu)
	}

	/// The instance, for what only one of those supports.
	pub(crate) fn part(self) -> Answer<Instance> {
		self.instance.ok_or(code::INVALID_ARGUMENT)
	}

	pub(crate) fn uuid(&self) -> String {
		let own = || format!("GPU-4d696c6c-7261-6365-2064-6f75626c65{:02x}", self.index);
		match &self.instance {
			Some(instance) => instance.uuid.clone(),
			None => self.gpu.uuid.clone().unwrap_or_else(own),
		}
	}

	pub(crate) fn name(&self) -> String {
		match &self.instance {
			Some(instance) => format!("{} MIG {}", self.gpu.name, instance.profile),
			None => self.gpu.name.clone(),
		}
	}

	/// Used and total bytes.
	pub(crate) fn memory(&self) -> Answer<(u64, u64)> {
		match &self.instance {
			Some(instance) => Ok((0, instance.memory_bytes)),
			None => self.gpu.memory.ok_or(code::NOT_SUPPORTED),
		}
	}
}

pub(crate) fn create_set() -> Answer<usize> {
	config()?;
	let mut events = events();
	events.made += 1;
	let set = FIRST_SET + events.made;
	events.sets.insert(set, BTreeSet::new());
	Ok(set)
}

pub(crate) fn free_set(set: usize) -> Answer<()> {
	events().sets.remove(&set).map(|_| ()).ok_or(code::INVALID_ARGUMENT)
}

pub(crate) fn register(device: Device, set: usize) -> Answer<()> {
	let index = device.index;
	if !device.whole()?.events {
		return Err(code::NOT_SUPPORTED);
	}
	events().sets.get_mut(&set).ok_or(code::INVALID_ARGUMENT)?.insert(index);
	Ok(())
}

/// Waits for an error of one of the set's GPUs: its index, and the code. A GPU of the set that is lost ends the wait.
pub(crate) fn wait(set: usize, timeout: Duration) -> Answer<(u32, u64)> {
	let start = Instant::now();
	loop {
		let config = config()?;
		let mut events = events();
		let members = events.sets.get(&set).ok_or(code::INVALID_ARGUMENT)?.clone();
		while let Some(xid) = config.xids.get(events.delivered) {
			events.delivered += 1;
			if members.contains(&xid.gpu) {
				return Ok((xid.gpu, xid.code));
			}
		}
		drop(events);
		let is_lost = |index: &u32| config.gpus.get(*index as usize).is_none_or(|gpu| gpu.error == Some(15));
		if members.iter().any(is_lost) {
			return Err(code::GPU_IS_LOST);
		}
		let left = timeout.saturating_sub(start.elapsed());
		if left.is_zero() {
			return Err(code::TIMEOUT);
		}
		thread::sleep(left.min(LOOK_INTERVAL));
	}
}
