//! Waiting for errors.

use super::{raw::address, Nvml, NvmlUnavailable, XidEvent, MAX_GPUS};
use nvml_wrapper::{
	bitmasks::event::EventTypes, enums::event::XidError, error::NvmlError, struct_wrappers::event::EventData,
	Device, EventSet,
};
use std::{thread, time::Duration};

/// The number that stands for errors that NVML does not know.
const UNKNOWN_XID: u64 = 999;

/// Waits for errors of GPUs. Dropping it ends that.
///
/// NVML keeps no list: of several errors that come before a wait, each is told with the number of the last one.
pub struct Watch<'a> {
	/// `None` if no GPU reports errors.
	set: Option<EventSet<'a>>,
	/// UUID by handle: a GPU that was lost does not tell its UUID any more.
	members: Vec<(usize, String)>,
}

/// What came of a wait.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Waited {
	/// A GPU has reported an error.
	Event(XidEvent),
	/// Nothing has happened.
	Nothing,
	/// A GPU was lost. It stays lost, so that every wait ends with this: read the GPUs, and begin a new watch, which leaves
	/// it out.
	GpuLost,
}

impl<'a> Watch<'a> {
	pub(super) fn start(nvml: &'a Nvml) -> Result<Self, NvmlUnavailable> {
		let count = nvml.library.device_count()?.min(MAX_GPUS);
		let mut members: Vec<(Device<'a>, String)> = (0..count)
			.filter_map(|index| {
				let device = nvml.library.device_by_index(index).ok()?;
				let kinds = device.supported_event_types().ok()?;
				let uuid = device.uuid().ok()?;
				kinds.contains(EventTypes::CRITICAL_XID_ERROR).then_some((device, uuid))
			})
			.collect();
		// A GPU that cannot be added takes the whole set with it, so the others are added to a new one.
		let mut set = None;
		while !members.is_empty() {
			match register(nvml, &members)? {
				Registered::All(complete) => {
					set = Some(complete);
					break;
				}
				Registered::AllBut(index) => drop(members.remove(index)),
				Registered::None => members.clear(),
			}
		}
		let members = members.into_iter().filter_map(|(device, uuid)| Some((address(&device)?, uuid)));
		Ok(Self { set, members: members.collect() })
	}

	/// UUIDs of the GPUs that are watched.
	pub fn gpus(&self) -> impl Iterator<Item = &str> {
		self.members.iter().map(|(_, uuid)| uuid.as_str())
	}

	/// Waits for an error of one of the GPUs, at most so long.
	///
	/// # Errors
	///
	/// [`NvmlUnavailable::Broken`].
	pub fn wait(&self, time: Duration) -> Result<Waited, NvmlUnavailable> {
		let Some(set) = &self.set else {
			thread::sleep(time);
			return Ok(Waited::Nothing);
		};
		match set.wait(u32::try_from(time.as_millis()).unwrap_or(u32::MAX)) {
			Ok(event) => self.event(&event),
			Err(NvmlError::Timeout) => Ok(Waited::Nothing),
			Err(NvmlError::GpuLost) => Ok(Waited::GpuLost),
			Err(error) => Err(error.into()),
		}
	}

	fn event(&self, event: &EventData<'_>) -> Result<Waited, NvmlUnavailable> {
		let code = match event.event_data {
			Some(XidError::Value(code)) => code,
			Some(XidError::Unknown) => UNKNOWN_XID,
			// No other kind of event was asked for.
			None => return Ok(Waited::Nothing),
		};
		let handle = address(&event.device);
		let known = self.members.iter().find(|(member, _)| Some(*member) == handle);
		let uuid = known.map_or_else(|| event.device.uuid(), |(_, uuid)| Ok(uuid.clone()))?;
		Ok(Waited::Event(XidEvent::new(uuid, code)))
	}
}

/// What became of a set.
enum Registered<'a> {
	/// All GPUs are in it.
	All(EventSet<'a>),
	/// The GPU of that index cannot be in it.
	AllBut(usize),
	/// There are no events on this system.
	None,
}

fn register<'a>(nvml: &'a Nvml, members: &[(Device<'a>, String)]) -> Result<Registered<'a>, NvmlUnavailable> {
	let mut set = match nvml.library.create_event_set() {
		Ok(set) => set,
		Err(NvmlError::NotSupported) => return Ok(Registered::None),
		Err(error) => return Err(error.into()),
	};
	for (index, (device, _)) in members.iter().enumerate() {
		match device.register_events(EventTypes::CRITICAL_XID_ERROR, set) {
			Ok(with_it) => set = with_it,
			Err(_) => return Ok(Registered::AllBut(index)),
		}
	}
	Ok(Registered::All(set))
}
