//! What `nvml-wrapper` does not have.

use libloading::Library;
use nvml_wrapper::Device;
use std::{
	ffi::{c_uint, c_void, OsStr},
	ptr::NonNull,
};

/// A function that writes a number about a device, and returns zero if it did.
type NumberFunction = unsafe extern "C" fn(*mut c_void, *mut c_uint) -> u32;

/// The functions that tell an instance's numbers, where the library has them.
pub(super) struct InstanceNumbers {
	gpu_instance: Option<NumberFunction>,
	compute_instance: Option<NumberFunction>,
	/// Keeps the functions in memory.
	_library: Option<Library>,
}

impl InstanceNumbers {
	/// Finds them in a library that is loaded already.
	pub(super) fn find(path: &OsStr) -> Self {
		// SAFETY: the library has been loaded from this path, so that no initialiser runs.
		let library = unsafe { Library::new(path) }.ok();
		let find = |name: &[u8]| {
			// SAFETY: NVML's header declares both functions as
			// `nvmlReturn_t (nvmlDevice_t, unsigned int *)`: a pointer to an opaque structure, and a C enum as the result.
			unsafe { library.as_ref()?.get::<NumberFunction>(name) }.ok().map(|symbol| *symbol)
		};
		Self {
			gpu_instance: find(b"nvmlDeviceGetGpuInstanceId"),
			compute_instance: find(b"nvmlDeviceGetComputeInstanceId"),
			_library: library,
		}
	}

	/// The numbers of an instance's GPU instance and compute instance.
	pub(super) fn of(&self, instance: &Device<'_>) -> (Option<u32>, Option<u32>) {
		// SAFETY: the handle goes to functions of the library that it came from.
		let handle = unsafe { instance.handle() };
		let call = |function: Option<NumberFunction>| {
			let mut number = 0;
			// SAFETY: the handle is NVML's, which checks it, and the number is live.
			let code = unsafe { function?(handle.cast(), &mut number) };
			(code == 0).then_some(number)
		};
		(call(self.gpu_instance), call(self.compute_instance))
	}
}

/// What tells a device apart even when it is lost: NVML gives the same handle each time. `None` for a handle that is none.
pub(super) fn address(device: &Device<'_>) -> Option<usize> {
	// SAFETY: the handle is looked at as a number only.
	let handle = unsafe { device.handle() };
	NonNull::new(handle).map(|handle| handle.addr().get())
}
