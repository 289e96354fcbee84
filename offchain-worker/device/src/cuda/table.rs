//! The driver's functions, found at run time.

use super::{CudaUnavailable, LIBRARY, LIBRARY_VARIABLE};
use crate::library::dynamic_linker_text;
use cuda_driver_sys::{
	CUcontext, CUdevice, CUdevice_attribute, CUdeviceptr, CUfunction, CUjitInputType, CUjit_option,
	CUlinkState, CUmodule, CUresult, CUstream, CUuuid,
};
use libloading::Library;
use std::{
	ffi::{c_char, c_int, c_uchar, c_uint, c_void},
	path::PathBuf,
};

/// Declares the table: for each function a field of its signature. A second declaration, which is compiled and
/// discarded, compares the signature with that of `cuda-driver-sys`.
///
/// The fields return `u32` instead of `CUresult`: that is a Rust enum of the codes of CUDA 10.2, and a newer driver
/// returns others, which must not become a value of such an enum.
///
/// One function may be missing. `cuda-driver-sys` does not have it, so its signature is compared with that of the function
/// that it is a newer version of.
macro_rules! functions {
	(
		optional $newer:ident($($newer_argument:ty),*) like $older:ident;
		$($function:ident($($argument:ty),*);)*
	) => {
		/// The functions of a loaded driver. They may be called as NVIDIA's documentation allows.
		#[expect(non_snake_case, reason = "the driver's own names")]
		pub(super) struct Table {
			$(pub(super) $function: unsafe extern "C" fn($($argument),*) -> u32,)*
			/// Not in every driver.
			pub(super) $newer: Option<unsafe extern "C" fn($($newer_argument),*) -> u32>,
			/// Keeps the functions in memory.
			_library: Library,
		}

		const _: unsafe extern "C" fn($($newer_argument),*) -> CUresult = cuda_driver_sys::$older;
		$(const _: unsafe extern "C" fn($($argument),*) -> CUresult = cuda_driver_sys::$function;)*

		impl Table {
			#[expect(non_snake_case, reason = "the driver's own names")]
			fn find(library: Library, path: PathBuf) -> Result<Self, CudaUnavailable> {
				$(
					// SAFETY: the type is that of the function of this name, as the assertion above has checked; its
					// result is a C enum, which is passed as an unsigned integer of 32 bits.
					let $function = unsafe {
						library.get::<unsafe extern "C" fn($($argument),*) -> u32>(stringify!($function).as_bytes())
					};
					let Ok($function) = $function.map(|symbol| *symbol) else {
						return Err(CudaUnavailable::MissingFunction { library: path, function: stringify!($function) });
					};
				)*
				// SAFETY: NVIDIA's header declares it with the signature of the older function, which the assertion has checked.
				let $newer = unsafe {
					library.get::<unsafe extern "C" fn($($newer_argument),*) -> u32>(stringify!($newer).as_bytes())
				};
				let $newer = $newer.ok().map(|symbol| *symbol);
				Ok(Self { $($function,)* $newer, _library: library })
			}
		}
	};
}

functions! {
	// Since CUDA 11.4, and so not in `cuda-driver-sys`. It tells instances of a GPU in MIG mode apart.
	optional cuDeviceGetUuid_v2(*mut CUuuid, CUdevice) like cuDeviceGetUuid;

	cuInit(c_uint);
	cuDriverGetVersion(*mut c_int);
	cuDeviceGetCount(*mut c_int);
	cuDeviceGet(*mut CUdevice, c_int);
	cuDeviceGetName(*mut c_char, c_int, CUdevice);
	cuDeviceGetUuid(*mut CUuuid, CUdevice);
	cuDeviceTotalMem_v2(*mut usize, CUdevice);
	cuDeviceGetAttribute(*mut c_int, CUdevice_attribute, CUdevice);
	cuCtxCreate_v2(*mut CUcontext, c_uint, CUdevice);
	cuCtxSetCurrent(CUcontext);
	cuCtxDestroy_v2(CUcontext);
	cuModuleLoadDataEx(*mut CUmodule, *const c_void, c_uint, *mut CUjit_option, *mut *mut c_void);
	cuModuleGetFunction(*mut CUfunction, CUmodule, *const c_char);
	cuModuleUnload(CUmodule);
	cuLinkCreate_v2(c_uint, *mut CUjit_option, *mut *mut c_void, *mut CUlinkState);
	cuLinkAddData_v2(
		CUlinkState, CUjitInputType, *mut c_void, usize, *const c_char, c_uint, *mut CUjit_option, *mut *mut c_void
	);
	cuLinkComplete(CUlinkState, *mut *mut c_void, *mut usize);
	cuLinkDestroy(CUlinkState);
	cuMemAlloc_v2(*mut CUdeviceptr, usize);
	cuMemsetD8_v2(CUdeviceptr, c_uchar, usize);
	cuMemcpyHtoD_v2(CUdeviceptr, *const c_void, usize);
	cuMemcpyDtoH_v2(*mut c_void, CUdeviceptr, usize);
	cuStreamCreate(*mut CUstream, c_uint);
	cuStreamQuery(CUstream);
	cuLaunchKernel(
		CUfunction, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, c_uint, CUstream, *mut *mut c_void, *mut *mut c_void
	);
}

impl Table {
	/// Loads the driver and finds all functions.
	///
	/// # Errors
	///
	/// [`CudaUnavailable::NotFound`] and [`CudaUnavailable::MissingFunction`].
	pub(super) fn load() -> Result<Self, CudaUnavailable> {
		let path = std::env::var_os(LIBRARY_VARIABLE).map_or_else(|| PathBuf::from(LIBRARY), PathBuf::from);
		// SAFETY: loading runs the library's initialisers. It is the system's GPU driver, or what the operator has
		// named in its place.
		match unsafe { Library::new(&path) } {
			Ok(library) => Self::find(library, path),
			Err(error) => {
				Err(CudaUnavailable::NotFound { library: path, reason: dynamic_linker_text(&error) })
			}
		}
	}
}
