//! Reading one GPU.

use super::{health::Throttling, GpuHealth, GpuState, Identity, MigInstance, Nvml};
use nvml_wrapper::{
	bitmasks::device::ThrottleReasons,
	enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor},
	enums::device::SampleValue,
	error::NvmlError,
	structs::device::FieldId,
	sys_exports::field_id::{NVML_FI_DEV_REMAPPED_FAILURE, NVML_FI_DEV_REMAPPED_PENDING},
	Device,
};

/// The most instances of a GPU that are looked at. Today's GPUs have seven at most.
const MAX_INSTANCES: u32 = 16;

/// Asks for values until the GPU says that it is gone: each question to a lost GPU may take long.
#[derive(Default)]
struct Questions {
	state: GpuState,
}

impl Questions {
	fn ask<T>(&mut self, question: impl FnOnce() -> Result<T, NvmlError>) -> Option<T> {
		if self.state != GpuState::Working {
			return None;
		}
		match question() {
			Ok(value) => Some(value),
			Err(error) => {
				if let state @ (GpuState::Lost | GpuState::ResetRequired) = state(error) {
					self.state = state;
				}
				None
			}
		}
	}
}

/// The state of a GPU of which nothing could be read, because of an error.
fn state(error: NvmlError) -> GpuState {
	match error {
		NvmlError::GpuLost => GpuState::Lost,
		NvmlError::ResetRequired => GpuState::ResetRequired,
		other => GpuState::Unreadable(other.to_string()),
	}
}

impl Nvml {
	/// Reads the GPU of that index.
	pub(super) fn read_gpu(&self, index: u32, driver: Option<&str>) -> GpuHealth {
		let opened = self.library.device_by_index(index);
		let read = opened.and_then(|device| Ok((device.uuid()?, device)));
		let mut gpu = match read {
			Ok((uuid, device)) => self.read_device(uuid, &device),
			Err(error) => GpuHealth { state: state(error), ..GpuHealth::default() },
		};
		gpu.driver = driver.map(Into::into);
		self.remember(index, &mut gpu);
		gpu
	}

	/// Keeps what a GPU says of itself, and says it in its place when it is lost.
	fn remember(&self, index: u32, gpu: &mut GpuHealth) {
		let mut known = self.known.borrow_mut();
		match &gpu.uuid {
			Some(uuid) => {
				let known = known.entry(index).or_insert_with(|| Identity {
					uuid: uuid.clone(),
					name: None,
					bus_id: None,
				});
				known.uuid.clone_from(uuid);
				known.name = gpu.name.clone().or(known.name.take());
				known.bus_id = gpu.bus_id.clone().or(known.bus_id.take());
			}
			None => {
				if let Some(Identity { uuid, name, bus_id }) = known.get(&index).cloned() {
					(gpu.uuid, gpu.name, gpu.bus_id) = (Some(uuid), name, bus_id);
				}
			}
		}
	}

	fn read_device(&self, uuid: String, device: &Device<'_>) -> GpuHealth {
		let mut questions = Questions::default();
		let ask = &mut questions;
		let memory = ask.ask(|| device.memory_info());
		let (rows_pending, rows_failed) = rows(ask, device);
		let mig = ask.ask(|| device.mig_mode()).map(|mode| mode.current == 1);
		let name = ask.ask(|| device.name());
		let instances = match mig {
			Some(true) => self.instances(ask, device, name.as_deref()),
			Some(false) | None => Vec::new(),
		};
		GpuHealth {
			uuid: Some(uuid),
			name,
			bus_id: ask.ask(|| device.pci_info()).map(|info| info.bus_id),
			driver: None,
			temperature_c: ask.ask(|| device.temperature(TemperatureSensor::Gpu)),
			power_mw: ask.ask(|| device.power_usage()),
			power_limit_mw: ask.ask(|| device.power_management_limit()),
			energy_mj: ask.ask(|| device.total_energy_consumption()),
			sm_clock_mhz: ask.ask(|| device.clock_info(Clock::SM)),
			memory_clock_mhz: ask.ask(|| device.clock_info(Clock::Memory)),
			throttling: ask.ask(|| device.current_throttle_reasons()).map(reasons),
			uncorrected_ecc_errors: ask
				.ask(|| device.total_ecc_errors(MemoryError::Uncorrected, EccCounter::Volatile)),
			pages_pending: ask.ask(|| device.are_pages_pending_retired()),
			rows_pending,
			rows_failed,
			memory_used_bytes: memory.as_ref().map(|memory| memory.used),
			memory_total_bytes: memory.map(|memory| memory.total),
			mig,
			instances,
			state: questions.state,
		}
	}

	/// The instances of a GPU in MIG mode.
	fn instances(&self, ask: &mut Questions, device: &Device<'_>, gpu: Option<&str>) -> Vec<MigInstance> {
		let count = ask.ask(|| device.mig_device_count()).unwrap_or(0).min(MAX_INSTANCES);
		let capability = ask.ask(|| device.cuda_compute_capability());
		let compute_capability =
			capability.map(|version| (version.major.unsigned_abs(), version.minor.unsigned_abs()));
		let mut found = Vec::new();
		for index in 0..count {
			// Numbers that are not in use are errors.
			let Some(instance) = ask.ask(|| device.mig_device_by_index(index)) else { continue };
			let Some(uuid) = ask.ask(|| instance.uuid()) else { continue };
			let attributes = ask.ask(|| instance.attributes());
			let (gpu_instance, compute_instance) = self.numbers.of(&instance);
			found.push(MigInstance {
				uuid,
				name: ask.ask(|| instance.name()).map(|name| full_name(gpu, name)),
				memory_bytes: ask.ask(|| instance.memory_info()).map(|memory| memory.total),
				gpu_slices: attributes.as_ref().map(|attributes| attributes.gpu_instance_slice_count),
				compute_slices: attributes.map(|attributes| attributes.compute_instance_slice_count),
				gpu_instance,
				compute_instance,
				compute_capability,
			});
		}
		found
	}
}

/// The name of an instance together with that of its GPU, which not every driver says.
fn full_name(gpu: Option<&str>, name: String) -> String {
	match gpu {
		Some(gpu) if name.starts_with("MIG ") => format!("{gpu} {name}"),
		_ => name,
	}
}

/// Whether rows wait to be remapped, and whether one could not be.
fn rows(ask: &mut Questions, device: &Device<'_>) -> (Option<bool>, Option<bool>) {
	let fields = [FieldId(NVML_FI_DEV_REMAPPED_PENDING), FieldId(NVML_FI_DEV_REMAPPED_FAILURE)];
	let samples = ask.ask(|| device.field_values_for(&fields)).unwrap_or_default();
	let mut values = samples.into_iter().map(|sample| match ask.ask(|| sample?.value)? {
		SampleValue::U32(value) => Some(value != 0),
		SampleValue::U64(value) => Some(value != 0),
		SampleValue::I64(value) => Some(value != 0),
		SampleValue::F64(_) => None,
	});
	(values.next().flatten(), values.next().flatten())
}

/// NVML's bits as reasons. An idle GPU lowers its clocks too; that is none.
fn reasons(bits: ThrottleReasons) -> Vec<Throttling> {
	let bit = |reason: Throttling| match reason {
		Throttling::ApplicationsClocksSetting => ThrottleReasons::APPLICATIONS_CLOCKS_SETTING,
		Throttling::SwPowerCap => ThrottleReasons::SW_POWER_CAP,
		Throttling::HwSlowdown => ThrottleReasons::HW_SLOWDOWN,
		Throttling::SyncBoost => ThrottleReasons::SYNC_BOOST,
		Throttling::SwThermalSlowdown => ThrottleReasons::SW_THERMAL_SLOWDOWN,
		Throttling::HwThermalSlowdown => ThrottleReasons::HW_THERMAL_SLOWDOWN,
		Throttling::HwPowerBrakeSlowdown => ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN,
		Throttling::DisplayClockSetting => ThrottleReasons::DISPLAY_CLOCK_SETTING,
	};
	Throttling::ALL.into_iter().filter(|reason| bits.contains(bit(*reason))).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn each_bit_is_one_reason_and_idleness_is_none() {
		// The bits of NVML's header, beginning with the second one.
		let names: Vec<String> = (1..9)
			.flat_map(|bit| reasons(ThrottleReasons::from_bits_truncate(1 << bit)))
			.map(|reason| reason.to_string())
			.collect();
		let expected = [
			"applications-clocks-setting",
			"sw-power-cap",
			"hw-slowdown",
			"sync-boost",
			"sw-thermal-slowdown",
			"hw-thermal-slowdown",
			"hw-power-brake-slowdown",
			"display-clock-setting",
		];
		assert_eq!(names, expected);
		assert_eq!(reasons(ThrottleReasons::GPU_IDLE), []);
		assert_eq!(reasons(ThrottleReasons::all()), Throttling::ALL);
	}

	#[test]
	fn an_instance_is_named_with_its_gpu() {
		let full = "NVIDIA H200 MIG 1g.18gb";
		for name in [full, "MIG 1g.18gb"] {
			assert_eq!(full_name(Some("NVIDIA H200"), name.into()), full);
		}
		assert_eq!(full_name(None, "MIG 1g.18gb".into()), "MIG 1g.18gb");
	}

	#[test]
	fn a_lost_gpu_is_asked_nothing_more() {
		let mut questions = Questions::default();
		assert_eq!(questions.ask(|| Ok(1)), Some(1));
		assert_eq!(questions.ask::<u32>(|| Err(NvmlError::NotSupported)), None);
		assert_eq!(questions.state, GpuState::Working);
		assert_eq!(questions.ask::<u32>(|| Err(NvmlError::GpuLost)), None);
		assert_eq!(questions.ask::<u32>(|| panic!("asked a lost GPU")), None);
		assert_eq!(questions.state, GpuState::Lost);
	}
}
