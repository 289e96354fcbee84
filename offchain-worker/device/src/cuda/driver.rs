//! Safe calls into the driver, and one context.

use super::{code::Code, table::Table, Compiled, CudaUnavailable};
use crate::{launch::CheckedLaunch, DeviceError, DeviceInfo, Kind, Pointer};
use cuda_driver_sys::{
	CUcontext, CUdevice, CUdevice_attribute, CUjitInputType, CUjit_option, CUlinkState, CUmodule, CUstream,
	CUuuid,
};
use millrace_ptx::Argument;
use std::{
	ffi::{c_int, c_void, CStr, CString},
	ptr::null_mut,
	sync::Arc,
};

/// Bytes for the compiler's messages about a kernel.
const LOG_BYTES: usize = 4 << 10;

/// Calls a function of the table. `Err` names the function and its code.
macro_rules! call {
	($table:expr, $function:ident($($argument:expr),* $(,)?)) => {
		// SAFETY: the comment at the use says why the arguments are what the function wants.
		match unsafe { ($table.$function)($($argument),*) } {
			0 => Ok(()),
			code => Err((stringify!($function), Code(code))),
		}
	};
}

/// The compiler's options: where its words go, and how long they may be.
const LOG_OPTIONS: [CUjit_option; 2] =
	[CUjit_option::CU_JIT_ERROR_LOG_BUFFER, CUjit_option::CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES];

/// The values of [`LOG_OPTIONS`]: the driver takes small values in the place of pointers.
fn log_values(log: &mut [u8; LOG_BYTES]) -> [*mut c_void; 2] {
	[log.as_mut_ptr().cast(), LOG_BYTES as *mut c_void]
}

fn zero_ended(ptx: &str) -> Result<CString, DeviceError> {
	CString::new(ptx).map_err(|_| DeviceError::KernelRejected("the kernel has a zero byte".into()))
}

type Called = Result<(), (&'static str, Code)>;

fn broken((function, code): (&'static str, Code)) -> CudaUnavailable {
	CudaUnavailable::Broken(format!("{function} returned {code}"))
}

fn failed((function, code): (&'static str, Code)) -> DeviceError {
	code.during(function)
}

/// A loaded and initialised driver.
pub(super) struct Driver {
	table: Arc<Table>,
	/// Whether there is a GPU at all.
	has_devices: bool,
}

impl Driver {
	pub(super) fn load() -> Result<Self, CudaUnavailable> {
		let table = Arc::new(Table::load()?);
		// Takes an integer.
		match call!(table, cuInit(0)) {
			Ok(()) => Ok(Self { table, has_devices: true }),
			Err((_, Code::NO_DEVICE)) => Ok(Self { table, has_devices: false }),
			Err(error) => Err(broken(error)),
		}
	}

	/// All GPUs with their ordinals.
	pub(super) fn devices(&self) -> Result<Vec<(CUdevice, DeviceInfo)>, CudaUnavailable> {
		if !self.has_devices {
			return Ok(Vec::new());
		}
		let (mut count, mut version) = (0, 0);
		// Both write an integer to a live one.
		call!(self.table, cuDeviceGetCount(&mut count)).map_err(broken)?;
		call!(self.table, cuDriverGetVersion(&mut version)).map_err(broken)?;
		let driver = format!("{}.{}", version / 1_000, version % 1_000 / 10);
		(0..count).map(|ordinal| self.device(ordinal, &driver).map_err(broken)).collect()
	}

	fn device(&self, ordinal: c_int, driver: &str) -> Result<(CUdevice, DeviceInfo), (&'static str, Code)> {
		let table = &self.table;
		let (mut device, mut memory, mut major, mut minor) = (0, 0, 0, 0);
		let mut name = [0; 256];
		let mut whole = CUuuid { bytes: [0; 16] };
		// All write to live variables of the pointed-to type, and the name's length is given.
		call!(table, cuDeviceGet(&mut device, ordinal))?;
		call!(table, cuDeviceGetName(name.as_mut_ptr(), name.len() as c_int, device))?;
		call!(table, cuDeviceGetUuid(&mut whole, device))?;
		let whole = whole.bytes.map(|byte| byte as u8);
		call!(table, cuDeviceTotalMem_v2(&mut memory, device))?;
		let (wanted_major, wanted_minor) = (
			CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
			CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
		);
		call!(table, cuDeviceGetAttribute(&mut major, wanted_major, device))?;
		call!(table, cuDeviceGetAttribute(&mut minor, wanted_minor, device))?;
		let info = DeviceInfo {
			kind: Kind::Cuda,
			name: c_text(&name.map(|c| c as u8)),
			memory_bytes: memory as u64,
			uuid: self.instance_uuid(device, whole).unwrap_or_else(|| uuid_text("GPU", whole)),
			driver: Some(driver.into()),
			compute_capability: Some((major.unsigned_abs(), minor.unsigned_abs())),
		};
		Ok((device, info))
	}

	/// UUID of a device that is an instance of a GPU with another UUID. A driver that cannot tell has none to show.
	fn instance_uuid(&self, device: CUdevice, whole: [u8; 16]) -> Option<String> {
		let mut uuid = CUuuid { bytes: [0; 16] };
		let get = self.table.cuDeviceGetUuid_v2?;
		// SAFETY: writes to a live variable of the pointed-to type.
		if unsafe { get(&mut uuid, device) } != 0 {
			return None;
		}
		let uuid = uuid.bytes.map(|byte| byte as u8);
		(uuid != whole).then(|| uuid_text("MIG", uuid))
	}

	/// Makes a context on a device that [`Self::devices`] has listed.
	pub(super) fn open(&self, device: CUdevice) -> Result<Context, CudaUnavailable> {
		let mut context =
			Context { table: self.table.clone(), context: null_mut(), stream: null_mut(), module: None };
		// Both write a handle to a live one. The stream belongs to the context, which is current once created.
		call!(self.table, cuCtxCreate_v2(&mut context.context, 0, device)).map_err(broken)?;
		call!(self.table, cuStreamCreate(&mut context.stream, 0)).map_err(broken)?;
		Ok(context)
	}
}

/// A context with one stream and at most one module. Dropping it frees everything that was made in it.
pub(super) struct Context {
	table: Arc<Table>,
	context: CUcontext,
	/// Waits for the copies and fills of the default stream, and they for it.
	stream: CUstream,
	module: Option<CUmodule>,
}

// SAFETY: the handles are not bound to a thread. Every method makes the context current on the thread that calls it,
// and `&mut self` keeps two threads from doing so at a time.
unsafe impl Send for Context {}

impl Context {
	/// Makes the context current on this thread.
	fn enter(&self) -> Called {
		// The handle is live until `drop`.
		call!(self.table, cuCtxSetCurrent(self.context))
	}

	/// Compiles and loads a text, in place of the one before.
	pub(super) fn load_text(&mut self, ptx: &str) -> Result<(), DeviceError> {
		let text = zero_ended(ptx)?;
		// The text ends with a zero and lives until the call returns.
		self.load(text.as_ptr().cast())
	}

	/// Loads what a driver has compiled, in place of the text before.
	pub(super) fn load_compiled(&mut self, compiled: &Compiled) -> Result<(), DeviceError> {
		// An image tells its own length, and is whole: `Compiled` has compared it with its hash.
		self.load(compiled.image().as_ptr().cast())
	}

	/// Loads a text that ends with a zero, or a whole image.
	fn load(&mut self, image: *const c_void) -> Result<(), DeviceError> {
		self.enter().map_err(failed)?;
		if let Some(old) = self.module.take() {
			// The handle is live, and no launch of it can run: `start` waits for nothing, but callers poll until idle,
			// and the driver itself refuses to unload code in use.
			call!(self.table, cuModuleUnload(old)).map_err(failed)?;
		}
		let mut module = null_mut();
		let mut log = [0u8; LOG_BYTES];
		let mut options = LOG_OPTIONS;
		let mut values = log_values(&mut log);
		// The callers say what the image is; both arrays have two items, the log's length is told, and all of them live until
		// the call returns.
		call!(
			self.table,
			cuModuleLoadDataEx(&mut module, image, 2, options.as_mut_ptr(), values.as_mut_ptr())
		)
		.map_err(failed)
		.map_err(|error| with_log(error, &c_text(&log)))?;
		self.module = Some(module);
		Ok(())
	}

	/// Compiles a text for this GPU, without loading it.
	pub(super) fn compile(&mut self, ptx: &str) -> Result<Vec<u8>, DeviceError> {
		self.enter().map_err(failed)?;
		let text = zero_ended(ptx)?;
		let mut log = [0u8; LOG_BYTES];
		let mut options = LOG_OPTIONS;
		let mut values = log_values(&mut log);
		let mut state = null_mut();
		// Both arrays have two items. They and the log live until the linker's end below.
		call!(self.table, cuLinkCreate_v2(2, options.as_mut_ptr(), values.as_mut_ptr(), &mut state))
			.map_err(failed)?;
		let linked = self.link(state, &text);
		// The handle is live, and used for the last time. There is nothing to do about an error: the process ends soon.
		let _: Called = call!(self.table, cuLinkDestroy(state));
		linked.map_err(failed).map_err(|error| with_log(error, &c_text(&log)))
	}

	/// Gives the text to a linker, and copies what it makes.
	fn link(&self, state: CUlinkState, text: &CStr) -> Result<Vec<u8>, (&'static str, Code)> {
		let data = text.to_bytes_with_nul();
		// The linker is live. It reads the text, with its zero, and the name before the call returns; there are no options.
		call!(
			self.table,
			cuLinkAddData_v2(
				state,
				CUjitInputType::CU_JIT_INPUT_PTX,
				data.as_ptr().cast_mut().cast(),
				data.len(),
				c"kernel".as_ptr(),
				0,
				null_mut(),
				null_mut(),
			)
		)?;
		let (mut image, mut length) = (null_mut(), 0);
		// Both are written to live variables.
		call!(self.table, cuLinkComplete(state, &mut image, &mut length))?;
		if image.is_null() {
			return Ok(Vec::new());
		}
		// SAFETY: the driver has written so many bytes there, and they stay until the linker's end.
		Ok(unsafe { std::slice::from_raw_parts(image.cast::<u8>(), length) }.to_vec())
	}

	/// Allocates memory of zeros.
	pub(super) fn alloc(&mut self, bytes: u64) -> Result<Pointer, DeviceError> {
		self.enter().map_err(failed)?;
		let length = to_length(bytes)?;
		let mut pointer = 0;
		// Writes an address to a live variable; the fill is of what was just allocated.
		call!(self.table, cuMemAlloc_v2(&mut pointer, length)).map_err(failed)?;
		call!(self.table, cuMemsetD8_v2(pointer, 0, length)).map_err(failed)?;
		Ok(pointer)
	}

	/// Copies to the device. A range that is not allocated is an error of the driver's.
	pub(super) fn write(&mut self, pointer: Pointer, data: &[u8]) -> Result<(), DeviceError> {
		self.enter().map_err(failed)?;
		// Reads exactly the slice, and returns when it no longer needs it.
		call!(self.table, cuMemcpyHtoD_v2(pointer, data.as_ptr().cast(), data.len())).map_err(failed)
	}

	/// Copies from the device. A range that is not allocated is an error of the driver's.
	pub(super) fn read(&mut self, pointer: Pointer, bytes: u64) -> Result<Vec<u8>, DeviceError> {
		self.enter().map_err(failed)?;
		let mut data = vec![0; to_length(bytes)?];
		// Writes exactly the vector, and returns when that is done.
		call!(self.table, cuMemcpyDtoH_v2(data.as_mut_ptr().cast(), pointer, data.len())).map_err(failed)?;
		Ok(data)
	}

	/// Starts a launch of the loaded module.
	pub(super) fn start(&mut self, launch: &CheckedLaunch<'_>) -> Result<(), DeviceError> {
		self.enter().map_err(failed)?;
		let module = self.module.ok_or_else(|| DeviceError::Lost("no module is loaded".into()))?;
		let name = CString::new(launch.entry())
			.map_err(|_| DeviceError::KernelRejected("the entry's name has a zero byte".into()))?;
		let mut function = null_mut();
		// The module is live, the name ends with a zero, the handle is written to a live one.
		call!(self.table, cuModuleGetFunction(&mut function, module, name.as_ptr())).map_err(failed)?;

		let mut values: Vec<[u8; 8]> = launch.arguments().iter().map(argument_bytes).collect();
		let mut pointers: Vec<*mut c_void> =
			values.iter_mut().map(|value| value.as_mut_ptr().cast()).collect();
		let ([gx, gy, gz], [bx, by, bz]) = (launch.config().grid, launch.config().block);
		let shared = launch.config().shared_bytes;
		// The driver copies from each pointer as many bytes as the parameter has before it returns. `CheckedLaunch`
		// guarantees one argument for each parameter, of the same size, 4 or 8 bytes, and each has 8 bytes here.
		let parameters = pointers.as_mut_ptr();
		call!(
			self.table,
			cuLaunchKernel(function, gx, gy, gz, bx, by, bz, shared, self.stream, parameters, null_mut())
		)
		.map_err(|(function, code)| match code {
			// The shape is the only value that the driver can find invalid here.
			Code(1) => {
				DeviceError::KernelRejected(format!("{function} returned {code}: it cannot have this shape"))
			}
			_ => failed((function, code)),
		})
	}

	/// Whether the last launch still runs.
	pub(super) fn is_running(&mut self) -> Result<bool, DeviceError> {
		self.enter().map_err(failed)?;
		// The stream is live.
		match call!(self.table, cuStreamQuery(self.stream)) {
			Ok(()) => Ok(false),
			Err((_, Code::NOT_READY)) => Ok(true),
			Err(error) => Err(failed(error)),
		}
	}
}

impl Drop for Context {
	fn drop(&mut self) {
		// The handle is live, or null where creation failed, which the driver refuses. After a fault of a kernel the
		// driver refuses too, and frees everything when the process ends; so there is nothing to do about an error.
		let _: Called = call!(self.table, cuCtxDestroy_v2(self.context));
	}
}

fn to_length(bytes: u64) -> Result<usize, DeviceError> {
	usize::try_from(bytes).map_err(|_| DeviceError::OutOfMemory(format!("{bytes} bytes")))
}

fn argument_bytes(argument: &Argument) -> [u8; 8] {
	match *argument {
		Argument::U32(value) => u64::from(value),
		Argument::I32(value) => u64::from(value as u32),
		Argument::F32(value) => u64::from(value.to_bits()),
		Argument::U64(value) | Argument::Pointer(value) => value,
		Argument::I64(value) => value as u64,
	}
	.to_le_bytes()
}

/// Adds the compiler's words to a rejection.
fn with_log(error: DeviceError, log: &str) -> DeviceError {
	match error {
		DeviceError::KernelRejected(text) if !log.is_empty() => {
			DeviceError::KernelRejected(format!("{text}: {}", log.trim()))
		}
		other => other,
	}
}

/// The text before the first zero.
fn c_text(bytes: &[u8]) -> String {
	let text = CStr::from_bytes_until_nul(bytes).map_or(bytes, CStr::to_bytes);
	String::from_utf8_lossy(text).into_owned()
}

/// The UUID as NVIDIA's tools write it.
fn uuid_text(kind: &str, bytes: [u8; 16]) -> String {
	let mut text = String::from(kind);
	for (index, byte) in bytes.iter().enumerate() {
		if [0, 4, 6, 8, 10].contains(&index) {
			text.push('-');
		}
		text.push_str(&format!("{byte:02x}"));
	}
	text
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn uuids_look_like_those_of_nvidias_tools() {
		let bytes = std::array::from_fn(|index| index as u8 * 17);
		assert_eq!(uuid_text("GPU", bytes), "GPU-00112233-4455-6677-8899-aabbccddeeff");
	}

	#[test]
	fn arguments_are_laid_out_in_little_endian() {
		assert_eq!(argument_bytes(&Argument::I32(-2)), [254, 255, 255, 255, 0, 0, 0, 0]);
		assert_eq!(argument_bytes(&Argument::F32(1.0)), [0, 0, 128, 63, 0, 0, 0, 0]);
		assert_eq!(argument_bytes(&Argument::I64(-2)), [254, 255, 255, 255, 255, 255, 255, 255]);
		assert_eq!(argument_bytes(&Argument::Pointer(0x0102)), [2, 1, 0, 0, 0, 0, 0, 0]);
	}

	#[test]
	fn the_compilers_words_are_added_to_a_rejection_only() {
		let rejected = DeviceError::KernelRejected("INVALID_PTX".into());
		assert_eq!(with_log(rejected, "line 3\n"), DeviceError::KernelRejected("INVALID_PTX: line 3".into()));
		let lost = DeviceError::Lost("UNKNOWN".into());
		assert_eq!(with_log(lost.clone(), "line 3"), lost);
	}
}
