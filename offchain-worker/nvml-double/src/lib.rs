//! A test double of `libnvidia-ml.so.1`: the functions that `millrace-device` uses, by NVML's own names and signatures, with a file
//! in the place of GPUs.
//!
//! It exists so that the production loader, the reading of health, the wait for events and the monitor's process are tested on
//! machines without a GPU. It checks what NVML checks (handles, null pointers, lengths, the order of calls), and its GPUs are in
//! whatever state they are told to be: see `config.rs` for the file that says so. It is not NVML: it says so in its GPUs' names,
//! and none of its numbers was measured.
//!
//! `MILLRACE_LIBNVML=target/release/libmillrace_nvml_double.so` makes a node or an executor use it.
#![expect(unsafe_code, reason = "NVML's functions are foreign")]
#![expect(
	clippy::missing_safety_doc,
	reason = "NVIDIA's documentation of NVML says what callers must keep to"
)]

mod config;
mod state;

use nvml_wrapper_sys::bindings::{
	field_id::{NVML_FI_DEV_REMAPPED_FAILURE, NVML_FI_DEV_REMAPPED_PENDING},
	nvmlDeviceAttributes_t, nvmlDevice_t, nvmlEventData_t, nvmlEventSet_t, nvmlFieldValue_t, nvmlMemory_v2_t,
	nvmlPciInfo_t, nvmlValueType_enum_NVML_VALUE_TYPE_UNSIGNED_INT as UNSIGNED_INT,
};
use state::{code, config, device, Answer, Device};
use std::{
	ffi::{c_char, c_int, c_uint, c_ulonglong},
	ptr::without_provenance_mut,
	slice,
	time::Duration,
};

/// What the library says of the driver's version.
const DRIVER_VERSION: &str = "550.54.15";
/// What the library says of the version of CUDA: 12.4, as the double of the CUDA driver.
const CUDA_VERSION: c_int = 12_040;
/// The kind of event that there is: an error with an Xid.
const XID_EVENT: c_ulonglong = 8;
/// Clocks, as NVML numbers them.
const SM: c_uint = 1;
const MEMORY: c_uint = 2;
/// The size of the second version of the structure for memory, and that number.
const MEMORY_V2: c_uint = 40 | 2 << 24;

fn result(answer: Answer<()>) -> u32 {
	answer.map_or_else(|code| code, |()| 0)
}

/// Writes through a pointer that the caller gave.
///
/// # Safety
///
/// The pointer is null or may be written.
unsafe fn put<T>(to: *mut T, value: T) -> Answer<()> {
	if to.is_null() {
		return Err(code::INVALID_ARGUMENT);
	}
	// SAFETY: not null, and the caller says that it may be written.
	unsafe { to.write(value) };
	Ok(())
}

/// Writes a text and a zero where the caller has so many bytes.
///
/// # Safety
///
/// The pointer is null, or so many bytes may be written.
unsafe fn put_text(to: *mut c_char, length: c_uint, text: &str) -> Answer<()> {
	if to.is_null() {
		return Err(code::INVALID_ARGUMENT);
	}
	if length as usize <= text.len() {
		return Err(code::INSUFFICIENT_SIZE);
	}
	// SAFETY: not null, and the caller says that so many bytes may be written: no fewer than the text and the zero.
	let place = unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), text.len() + 1) };
	place[..text.len()].copy_from_slice(text.as_bytes());
	place[text.len()] = 0;
	Ok(())
}

fn of(handle: nvmlDevice_t) -> Answer<Device> {
	device(handle.addr())
}

/// Declares functions that give one number about a GPU or instance.
macro_rules! numbers {
	($($(#[$doc:meta])* $function:ident($($argument:ident: $type:ty),*) -> $number:ty = $value:expr;)*) => {
		$(
			$(#[$doc])*
			#[no_mangle]
			pub unsafe extern "C" fn $function(device: nvmlDevice_t, $($argument: $type,)* value: *mut $number) -> u32 {
				let find: fn(Device, $($type),*) -> Answer<$number> = $value;
				// SAFETY: the caller keeps to NVML's documentation.
				result(of(device).and_then(|device| find(device, $($argument),*)).and_then(|found| unsafe { put(value, found) }))
			}
		)*
	};
}

/// A value that the GPU has, or does not support.
fn supported<T>(value: Option<T>) -> Answer<T> {
	value.ok_or(code::NOT_SUPPORTED)
}

numbers! {
	/// Temperature of the chip.
	nvmlDeviceGetTemperature(sensor: c_uint) -> c_uint = |device, sensor| match sensor {
		0 => supported(device.whole()?.temperature),
		_ => Err(code::INVALID_ARGUMENT),
	};
	/// Power that is drawn.
	nvmlDeviceGetPowerUsage() -> c_uint = |device| supported(device.whole()?.power);
	/// The most power that may be drawn.
	nvmlDeviceGetPowerManagementLimit() -> c_uint = |device| supported(device.whole()?.power_limit);
	/// Energy since the driver was loaded.
	nvmlDeviceGetTotalEnergyConsumption() -> c_ulonglong = |device| supported(device.whole()?.energy);
	/// Clocks of the processors and of the memory. There are no others.
	nvmlDeviceGetClockInfo(clock: c_uint) -> c_uint = |device, clock| {
		let gpu = device.whole()?;
		match clock {
			SM => supported(gpu.sm_clock),
			MEMORY => supported(gpu.memory_clock),
			_ => Err(code::INVALID_ARGUMENT),
		}
	};
	/// Why clocks are below their maximum.
	nvmlDeviceGetCurrentClocksThrottleReasons() -> c_ulonglong = |device| supported(device.whole()?.throttle);
	/// Uncorrected errors since the driver was loaded. It has no other counts.
	nvmlDeviceGetTotalEccErrors(kind: c_uint, counter: c_uint) -> c_ulonglong = |device, kind, counter| {
		match (kind, counter) {
			(1, 0) => supported(device.whole()?.ecc_errors),
			_ => Err(code::NOT_SUPPORTED),
		}
	};
	/// Whether pages wait for their retirement.
	nvmlDeviceGetRetiredPagesPendingStatus() -> c_uint = |device| supported(device.whole()?.pages_pending).map(u32::from);
	/// The most MIG instances that a GPU can have.
	nvmlDeviceGetMaxMigDeviceCount() -> c_uint = |device| device.whole().map(|gpu| if gpu.mig.is_some() { 7 } else { 0 });
	/// The number of an instance's GPU instance.
	nvmlDeviceGetGpuInstanceId() -> c_uint = |device| Ok(device.part()?.gpu_instance);
	/// The number of an instance's compute instance.
	nvmlDeviceGetComputeInstanceId() -> c_uint = |device| Ok(device.part()?.compute_instance);
	/// Kinds of events that a GPU has.
	nvmlDeviceGetSupportedEventTypes() -> c_ulonglong = |device| {
		Ok(if device.whole()?.events { XID_EVENT } else { 0 })
	};
}

/// Initialises the library.
#[no_mangle]
pub extern "C" fn nvmlInit_v2() -> u32 {
	result(state::init())
}

/// Ends the library's use by one of those that initialised it.
#[no_mangle]
pub extern "C" fn nvmlShutdown() -> u32 {
	result(state::shutdown())
}

/// Version of the driver.
#[no_mangle]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(version: *mut c_char, length: c_uint) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(config().and_then(|_| unsafe { put_text(version, length, DRIVER_VERSION) }))
}

/// Version of CUDA that the driver supports.
#[no_mangle]
pub unsafe extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(config().and_then(|_| unsafe { put(version, CUDA_VERSION) }))
}

/// Number of GPUs, the lost ones included.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(config().and_then(|config| unsafe { put(count, config.gpus.len() as c_uint) }))
}

/// The GPU of that index.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut nvmlDevice_t) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(state::by_index(index).and_then(|handle| unsafe { put(device, without_provenance_mut(handle)) }))
}

/// The MIG instance of that index of a GPU.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
	device: nvmlDevice_t,
	index: c_uint,
	instance: *mut nvmlDevice_t,
) -> u32 {
	result(of(device).and_then(|device| {
		let number = device.index;
		if index as usize >= device.whole()?.instances.len() {
			return Err(code::NOT_FOUND);
		}
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe { put(instance, without_provenance_mut(state::handle(number, Some(index)))) }
	}))
}

/// UUID of a GPU or instance.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetUUID(device: nvmlDevice_t, uuid: *mut c_char, length: c_uint) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(of(device).and_then(|device| unsafe { put_text(uuid, length, &device.uuid()) }))
}

/// Name of a GPU or instance.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetName(device: nvmlDevice_t, name: *mut c_char, length: c_uint) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(of(device).and_then(|device| unsafe { put_text(name, length, &device.name()) }))
}

/// Where a GPU is on the bus. Only the text is filled in.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetPciInfo_v3(device: nvmlDevice_t, info: *mut nvmlPciInfo_t) -> u32 {
	result(of(device).and_then(|device| {
		let text = supported(device.whole()?.bus_id)?;
		let mut found = nvmlPciInfo_t {
			busIdLegacy: [0; 16],
			domain: 0,
			bus: 0,
			device: 0,
			pciDeviceId: 0,
			pciSubSystemId: 0,
			busId: [0; 32],
		};
		// The last character stays a zero.
		for (place, byte) in found.busId.iter_mut().take(31).zip(text.bytes()) {
			*place = byte as c_char;
		}
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe { put(info, found) }
	}))
}

/// Values by number. It has those that tell of remapped rows.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(
	device: nvmlDevice_t,
	count: c_int,
	values: *mut nvmlFieldValue_t,
) -> u32 {
	result(of(device).and_then(|device| {
		let gpu = device.whole()?;
		let count = usize::try_from(count).map_err(|_| code::INVALID_ARGUMENT)?;
		if values.is_null() || count == 0 {
			return Err(code::INVALID_ARGUMENT);
		}
		// SAFETY: not null, and the caller says that there are so many.
		for value in unsafe { slice::from_raw_parts_mut(values, count) } {
			let found = match value.fieldId {
				NVML_FI_DEV_REMAPPED_PENDING => supported(gpu.rows_pending),
				NVML_FI_DEV_REMAPPED_FAILURE => supported(gpu.rows_failed),
				_ => Err(code::NOT_SUPPORTED),
			};
			value.valueType = UNSIGNED_INT;
			value.value.uiVal = found.is_ok_and(|found| found).into();
			value.nvmlReturn = found.err().unwrap_or(0);
		}
		Ok(())
	}))
}

/// Memory of a GPU or instance.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(
	device: nvmlDevice_t,
	memory: *mut nvmlMemory_v2_t,
) -> u32 {
	result(of(device).and_then(|device| {
		// SAFETY: null, or the caller's own, filled in with its version.
		let version = unsafe { memory.as_ref() }.ok_or(code::INVALID_ARGUMENT)?.version;
		if version != MEMORY_V2 {
			return Err(code::ARGUMENT_VERSION_MISMATCH);
		}
		let (used, total) = device.memory()?;
		let free = total.saturating_sub(used);
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe { put(memory, nvmlMemory_v2_t { version, total, reserved: 0, free, used }) }
	}))
}

/// Whether a GPU is in MIG mode, and whether it will be.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetMigMode(
	device: nvmlDevice_t,
	current: *mut c_uint,
	pending: *mut c_uint,
) -> u32 {
	result(of(device).and_then(|device| {
		let mode = u32::from(supported(device.whole()?.mig)?);
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe {
			put(current, mode)?;
			put(pending, mode)
		}
	}))
}

/// The parts of a GPU that an instance has.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetAttributes_v2(
	device: nvmlDevice_t,
	attributes: *mut nvmlDeviceAttributes_t,
) -> u32 {
	result(of(device).and_then(|device| {
		let instance = device.part()?;
		let found = nvmlDeviceAttributes_t {
			multiprocessorCount: 0,
			sharedCopyEngineCount: 0,
			sharedDecoderCount: 0,
			sharedEncoderCount: 0,
			sharedJpegCount: 0,
			sharedOfaCount: 0,
			gpuInstanceSliceCount: instance.gpu_slices,
			computeInstanceSliceCount: instance.compute_slices,
			memorySizeMB: instance.memory_bytes >> 20,
		};
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe { put(attributes, found) }
	}))
}

/// Compute capability, 8.0.
#[no_mangle]
pub unsafe extern "C" fn nvmlDeviceGetCudaComputeCapability(
	device: nvmlDevice_t,
	major: *mut c_int,
	minor: *mut c_int,
) -> u32 {
	result(of(device).and_then(|_| {
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe {
			put(major, 8)?;
			put(minor, 0)
		}
	}))
}

/// Makes a set of events.
#[no_mangle]
pub unsafe extern "C" fn nvmlEventSetCreate(set: *mut nvmlEventSet_t) -> u32 {
	// SAFETY: the caller keeps to NVML's documentation.
	result(state::create_set().and_then(|made| unsafe { put(set, without_provenance_mut(made)) }))
}

/// Frees a set of events.
#[no_mangle]
pub extern "C" fn nvmlEventSetFree(set: nvmlEventSet_t) -> u32 {
	result(state::free_set(set.addr()))
}

/// Adds a GPU's errors to a set. There are no other events.
#[no_mangle]
pub extern "C" fn nvmlDeviceRegisterEvents(
	device: nvmlDevice_t,
	kinds: c_ulonglong,
	set: nvmlEventSet_t,
) -> u32 {
	if kinds != XID_EVENT {
		return code::NOT_SUPPORTED;
	}
	result(of(device).and_then(|device| state::register(device, set.addr())))
}

/// Waits for an event of a set.
#[no_mangle]
pub unsafe extern "C" fn nvmlEventSetWait_v2(
	set: nvmlEventSet_t,
	data: *mut nvmlEventData_t,
	timeout_ms: c_uint,
) -> u32 {
	result(state::wait(set.addr(), Duration::from_millis(timeout_ms.into())).and_then(|(gpu, code)| {
		let event = nvmlEventData_t {
			device: without_provenance_mut(state::handle(gpu, None)),
			eventType: XID_EVENT,
			eventData: code,
			gpuInstanceId: u32::MAX,
			computeInstanceId: u32::MAX,
		};
		// SAFETY: the caller keeps to NVML's documentation.
		unsafe { put(data, event) }
	}))
}
