//! A test double of `libcuda.so.1`: the functions that `millrace-device` uses, by the driver's own names and signatures, with
//! the PTX interpreter in the place of a GPU.
//!
//! It exists so that the production loader, error mapping, watchdogs and kill paths are tested on machines without a GPU. It
//! checks what a driver checks (handles, contexts, ranges, null pointers, the order of calls), and goes wrong when it is told to:
//! see `config.rs` for the file that says how. It shows what `CUDA_VISIBLE_DEVICES` leaves, as a driver does. It is not a GPU: it says so in its name, and nothing that it measures means
//! anything.
//!
//! `MILLRACE_LIBCUDA=target/release/libmillrace_cuda_double.so` makes a node or an executor use it.
#![expect(unsafe_code, reason = "the driver's functions are foreign")]
#![expect(
	clippy::missing_safety_doc,
	reason = "NVIDIA's documentation of the driver API says what callers must keep to"
)]

mod config;
mod driver;
mod escape;
mod greed;
mod visible;

use driver::{code, driver, Answer, Context, Handle};
use millrace_ptx::{Argument, LaunchConfig};
use std::{
	cell::Cell,
	ffi::{c_char, c_int, c_uchar, c_uint, c_void, CStr},
	slice,
	sync::Arc,
};

/// What the driver says of its version: CUDA 12.4.
const VERSION: c_int = 12_040;
/// Options of the compiler, as the driver numbers them: where its words go, and how long they may be.
const JIT_ERROR_LOG: c_uint = 5;
const JIT_ERROR_LOG_BYTES: c_uint = 6;
/// What a linker may be given, as the driver numbers it: PTX text.
const PTX: c_uint = 1;
/// Attributes of a device: the two parts of its compute capability.
const MAJOR: c_uint = 75;
const MINOR: c_uint = 76;

thread_local! {
	/// The context that is current on this thread; zero for none.
	static CURRENT: Cell<Handle> = const { Cell::new(0) };
}

fn result(answer: Answer<()>) -> u32 {
	answer.map_or_else(|code| code, |()| 0)
}

/// The context that is current on this thread.
fn current() -> Answer<Arc<Context>> {
	driver()?.context(CURRENT.get())
}

/// Writes through a pointer that the caller gave.
///
/// # Safety
///
/// The pointer is null or may be written.
unsafe fn put<T>(to: *mut T, value: T) -> Answer<()> {
	if to.is_null() {
		return Err(code::INVALID_VALUE);
	}
	// SAFETY: not null, and the caller says that it may be written.
	unsafe { to.write(value) };
	Ok(())
}

fn handle(of: *mut c_void) -> Handle {
	of.addr() as Handle
}

fn pointer(of: Handle) -> *mut c_void {
	std::ptr::without_provenance_mut(of as usize)
}

/// Initialises the driver.
#[no_mangle]
pub extern "C" fn cuInit(flags: c_uint) -> u32 {
	if flags != 0 {
		return code::INVALID_VALUE;
	}
	result(driver::init())
}

/// Version of CUDA that the driver supports.
#[no_mangle]
pub unsafe extern "C" fn cuDriverGetVersion(version: *mut c_int) -> u32 {
	// SAFETY: the caller keeps to the driver's documentation.
	result(unsafe { put(version, VERSION) })
}

/// Number of GPUs.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetCount(count: *mut c_int) -> u32 {
	// SAFETY: the caller keeps to the driver's documentation.
	result(driver().and_then(|driver| unsafe { put(count, driver.gpus.len() as c_int) }))
}

/// The GPU of that ordinal.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGet(device: *mut c_int, ordinal: c_int) -> u32 {
	// SAFETY: the caller keeps to the driver's documentation.
	result(driver().and_then(|driver| unsafe { put(device, driver.device(ordinal).map(|_| ordinal)?) }))
}

/// A GPU's name: it says what this is.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetName(name: *mut c_char, length: c_int, device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		let text = format!("{}\0", driver.device(device)?.name);
		let length = usize::try_from(length).map_err(|_| code::INVALID_VALUE)?;
		if name.is_null() || length < text.len() {
			return Err(code::INVALID_VALUE);
		}
		// SAFETY: the caller says that so many bytes may be written, and there are no fewer than the text has.
		unsafe { slice::from_raw_parts_mut(name.cast::<u8>(), text.len()) }.copy_from_slice(text.as_bytes());
		Ok(())
	}))
}

/// A GPU's UUID: the same in every process, another one for each GPU. For an instance it is that of the whole GPU.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetUuid(uuid: *mut [c_uchar; 16], device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		let bytes = driver.device(device)?.whole;
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(uuid, bytes) }
	}))
}

/// The same, but the instance's own UUID for an instance.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetUuid_v2(uuid: *mut [c_uchar; 16], device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		let gpu = driver.device(device)?;
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(uuid, gpu.instance.unwrap_or(gpu.whole)) }
	}))
}

/// A GPU's memory in bytes.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceTotalMem_v2(bytes: *mut usize, device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		let memory = driver.device(device)?.memory_bytes;
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(bytes, memory as usize) }
	}))
}

/// A GPU's compute capability, 8.0. It has no other attribute.
#[no_mangle]
pub unsafe extern "C" fn cuDeviceGetAttribute(value: *mut c_int, attribute: c_uint, device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		driver.device(device)?;
		let found = match attribute {
			MAJOR => 8,
			MINOR => 0,
			_ => return Err(code::INVALID_VALUE),
		};
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(value, found) }
	}))
}

/// Makes a context, which is current on this thread then.
#[no_mangle]
pub unsafe extern "C" fn cuCtxCreate_v2(context: *mut *mut c_void, _flags: c_uint, device: c_int) -> u32 {
	result(driver().and_then(|driver| {
		let made = driver.create_context(device)?;
		CURRENT.set(made);
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(context, pointer(made)) }
	}))
}

/// Makes a context current on this thread; null for none.
#[no_mangle]
pub extern "C" fn cuCtxSetCurrent(context: *mut c_void) -> u32 {
	result(driver().and_then(|driver| {
		if !context.is_null() {
			driver.context(handle(context))?;
		}
		CURRENT.set(handle(context));
		Ok(())
	}))
}

/// Ends a context.
#[no_mangle]
pub extern "C" fn cuCtxDestroy_v2(context: *mut c_void) -> u32 {
	result(driver().and_then(|driver| driver.destroy_context(handle(context))))
}

/// Compiles and loads a PTX text.
#[no_mangle]
pub unsafe extern "C" fn cuModuleLoadDataEx(
	module: *mut *mut c_void,
	image: *const c_void,
	options: c_uint,
	names: *const c_uint,
	values: *const *mut c_void,
) -> u32 {
	result(current().and_then(|context| {
		if image.is_null() {
			return Err(code::INVALID_VALUE);
		}
		// SAFETY: an image is a text that ends with a zero; what `cuLinkComplete` gives is one, too.
		let text = unsafe { CStr::from_ptr(image.cast()) };
		let text = text.to_str().map_err(|_| code::INVALID_PTX)?;
		match context.load(driver()?, text) {
			// SAFETY: the caller keeps to the driver's documentation.
			Ok(made) => unsafe { put(module, pointer(made)) },
			Err((code, words)) => {
				// SAFETY: the same.
				unsafe { log(&words, options, names, values) };
				Err(code)
			}
		}
	}))
}

/// Starts a linker. Its options stay where they are until its end.
#[no_mangle]
pub unsafe extern "C" fn cuLinkCreate_v2(
	options: c_uint,
	names: *const c_uint,
	values: *const *mut c_void,
	state: *mut *mut c_void,
) -> u32 {
	result(current().and_then(|context| {
		let mut log = (std::ptr::null_mut(), 0);
		if options > 0 {
			// SAFETY: the caller keeps to the driver's documentation.
			log = unsafe { log_buffer(options, names, values) };
		}
		let made = context.create_linker(driver()?, (handle(log.0.cast()), log.1))?;
		// SAFETY: the same.
		unsafe { put(state, pointer(made)) }
	}))
}

/// Gives a linker a PTX text, which ends with a zero.
#[no_mangle]
pub unsafe extern "C" fn cuLinkAddData_v2(
	state: *mut c_void,
	kind: c_uint,
	data: *mut c_void,
	size: usize,
	_name: *const c_char,
	options: c_uint,
	_names: *const c_uint,
	_values: *const *mut c_void,
) -> u32 {
	result(current().and_then(|context| {
		if data.is_null() || kind != PTX || options != 0 {
			return Err(code::INVALID_VALUE);
		}
		// SAFETY: the caller says that so many bytes may be read.
		let bytes = unsafe { slice::from_raw_parts(data.cast::<u8>(), size) };
		let text = CStr::from_bytes_with_nul(bytes).map_err(|_| code::INVALID_PTX)?;
		let text = text.to_str().map_err(|_| code::INVALID_PTX)?;
		context.add_to_linker(driver()?, handle(state), text).map_err(|(code, words, (buffer, length))| {
			// SAFETY: the buffer that the linker was made with, which lives until the linker's end.
			unsafe { write_log(&words, pointer(buffer).cast(), length) };
			code
		})
	}))
}

/// Ends the work of a linker. The image stays until the linker's end.
#[no_mangle]
pub unsafe extern "C" fn cuLinkComplete(
	state: *mut c_void,
	image: *mut *mut c_void,
	size: *mut usize,
) -> u32 {
	result(current().and_then(|context| {
		let (address, length) = context.complete_linker(handle(state))?;
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(image, address.cast_mut().cast()) }?;
		// SAFETY: the same.
		unsafe { put(size, length) }
	}))
}

/// Ends a linker.
#[no_mangle]
pub extern "C" fn cuLinkDestroy(state: *mut c_void) -> u32 {
	result(current().and_then(|context| context.destroy_linker(handle(state))))
}

/// Writes the compiler's words where the options want them.
///
/// # Safety
///
/// Both arrays have so many items; the log's buffer is as long as its option says.
unsafe fn log(words: &str, options: c_uint, names: *const c_uint, values: *const *mut c_void) {
	// SAFETY: as the caller says.
	unsafe {
		let (buffer, length) = log_buffer(options, names, values);
		write_log(words, buffer, length);
	}
}

/// Where the options want the compiler's words, and how many bytes they may have. Null if nowhere.
///
/// # Safety
///
/// Both arrays have so many items.
unsafe fn log_buffer(options: c_uint, names: *const c_uint, values: *const *mut c_void) -> (*mut u8, usize) {
	let (mut buffer, mut length) = (std::ptr::null_mut::<u8>(), 0);
	for index in 0..options as usize {
		// SAFETY: within the arrays.
		let (name, value) = unsafe { (*names.add(index), *values.add(index)) };
		match name {
			JIT_ERROR_LOG => buffer = value.cast(),
			JIT_ERROR_LOG_BYTES => length = value.addr() as c_uint as usize,
			_ => {}
		}
	}
	(buffer, length)
}

/// Writes the words, as far as they fit, and a zero.
///
/// # Safety
///
/// The buffer is null, or so many bytes of it may be written.
unsafe fn write_log(words: &str, buffer: *mut u8, length: usize) {
	if buffer.is_null() || length == 0 {
		return;
	}
	// SAFETY: the caller says so.
	let buffer = unsafe { slice::from_raw_parts_mut(buffer, length) };
	let kept = words.len().min(length - 1);
	buffer[..kept].copy_from_slice(&words.as_bytes()[..kept]);
	buffer[kept] = 0;
}

/// Unloads a module.
#[no_mangle]
pub extern "C" fn cuModuleUnload(module: *mut c_void) -> u32 {
	result(current().and_then(|context| context.unload(handle(module))))
}

/// The entry of that name in a module.
#[no_mangle]
pub unsafe extern "C" fn cuModuleGetFunction(
	function: *mut *mut c_void,
	module: *mut c_void,
	name: *const c_char,
) -> u32 {
	result(current().and_then(|context| {
		if name.is_null() {
			return Err(code::INVALID_VALUE);
		}
		// SAFETY: a name ends with a zero.
		let name = unsafe { CStr::from_ptr(name) }.to_str().map_err(|_| code::NOT_FOUND)?;
		let found = context.function(driver()?, handle(module), name)?;
		// SAFETY: the caller keeps to the driver's documentation.
		unsafe { put(function, pointer(found)) }
	}))
}

/// Allocates memory.
#[no_mangle]
pub unsafe extern "C" fn cuMemAlloc_v2(address: *mut u64, bytes: usize) -> u32 {
	// SAFETY: the caller keeps to the driver's documentation.
	result(current().and_then(|context| unsafe { put(address, context.alloc(bytes as u64)?) }))
}

/// Fills memory with a byte.
#[no_mangle]
pub extern "C" fn cuMemsetD8_v2(address: u64, byte: c_uchar, bytes: usize) -> u32 {
	result(current().and_then(|context| context.fill(address, byte, bytes)))
}

/// Copies to the device.
#[no_mangle]
pub unsafe extern "C" fn cuMemcpyHtoD_v2(address: u64, from: *const c_void, bytes: usize) -> u32 {
	result(current().and_then(|context| {
		if from.is_null() {
			return Err(code::INVALID_VALUE);
		}
		// SAFETY: the caller says that so many bytes may be read.
		context.write(address, unsafe { slice::from_raw_parts(from.cast(), bytes) })
	}))
}

/// Copies from the device.
#[no_mangle]
pub unsafe extern "C" fn cuMemcpyDtoH_v2(to: *mut c_void, address: u64, bytes: usize) -> u32 {
	result(current().and_then(|context| {
		if to.is_null() {
			return Err(code::INVALID_VALUE);
		}
		let data = context.read(address, bytes as u64)?;
		// SAFETY: the caller says that so many bytes may be written.
		unsafe { slice::from_raw_parts_mut(to.cast::<u8>(), bytes) }.copy_from_slice(&data);
		Ok(())
	}))
}

/// Makes a stream. A context of the double has one at most.
#[no_mangle]
pub unsafe extern "C" fn cuStreamCreate(stream: *mut *mut c_void, flags: c_uint) -> u32 {
	if flags != 0 {
		return code::INVALID_VALUE;
	}
	// SAFETY: the caller keeps to the driver's documentation.
	result(current().and_then(|context| unsafe { put(stream, pointer(context.create_stream()?)) }))
}

/// Whether a stream's launches are over.
#[no_mangle]
pub extern "C" fn cuStreamQuery(stream: *mut c_void) -> u32 {
	result(current().and_then(|context| context.query(handle(stream))))
}

/// Starts a launch.
#[no_mangle]
pub unsafe extern "C" fn cuLaunchKernel(
	function: *mut c_void,
	grid_x: c_uint,
	grid_y: c_uint,
	grid_z: c_uint,
	block_x: c_uint,
	block_y: c_uint,
	block_z: c_uint,
	shared_bytes: c_uint,
	stream: *mut c_void,
	parameters: *const *const c_void,
	extra: *const *const c_void,
) -> u32 {
	result(current().and_then(|context| {
		// Arguments come one way.
		if !extra.is_null() {
			return Err(code::INVALID_VALUE);
		}
		if handle(stream) != context.stream {
			return Err(code::INVALID_HANDLE);
		}
		let sizes = context.parameters(handle(function))?;
		if parameters.is_null() && !sizes.is_empty() {
			return Err(code::INVALID_VALUE);
		}
		let arguments = sizes.into_iter().enumerate().map(|(index, bytes)| {
			// SAFETY: there is a pointer for each parameter, and it points to as many bytes as the parameter has.
			unsafe { argument(*parameters.add(index), bytes) }
		});
		let config =
			LaunchConfig { grid: [grid_x, grid_y, grid_z], block: [block_x, block_y, block_z], shared_bytes };
		context.start(driver()?, handle(function), config, arguments.collect::<Answer<_>>()?)
	}))
}

/// Reads an argument. The interpreter wants to know its size and no more of its type.
///
/// # Safety
///
/// The pointer is null or points to so many bytes.
unsafe fn argument(from: *const c_void, bytes: u32) -> Answer<Argument> {
	if from.is_null() {
		return Err(code::INVALID_VALUE);
	}
	match bytes {
		// SAFETY: 4 bytes, by the caller.
		4 => Ok(Argument::U32(unsafe { from.cast::<u32>().read_unaligned() })),
		// SAFETY: 8 bytes, by the caller.
		8 => Ok(Argument::U64(unsafe { from.cast::<u64>().read_unaligned() })),
		_ => Err(code::INVALID_VALUE),
	}
}

/// For tests, beside the driver's functions: how many contexts were made and not destroyed.
#[no_mangle]
pub extern "C" fn millrace_double_live_contexts() -> usize {
	driver().map_or(0, |driver| driver.live_contexts())
}
