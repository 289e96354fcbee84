//! NVIDIA GPUs, by the CUDA driver API.
//!
//! The driver's library is `libcuda.so.1`, which belongs to the installed driver; the CUDA toolkit is not needed. The
//! environment variable [`LIBRARY_VARIABLE`] names another file, for a driver in an unusual place or for tests. The
//! library is loaded by [`enumerate`] and by [`CudaDevice::open`] and stays loaded, so both belong into a process that
//! may be lost.
//!
//! The driver shows a process what the environment variable [`VISIBLE_VARIABLE`] names, and of a GPU in MIG mode one instance at
//! most. An instance is opened in a process that was started with its UUID in that variable. See
//! [`listing`](crate::listing) for all that there is.

mod code;
mod compiled;
#[expect(unsafe_code, reason = "the driver's functions are foreign")]
mod driver;
#[expect(unsafe_code, reason = "the driver's functions are foreign")]
mod table;

use crate::{launch::check_launch, Device, DeviceError, DeviceInfo, KernelLaunch, Pointer, Status};
pub use compiled::Compiled;
use driver::{Context, Driver};
use millrace_job::BlobHash;
use millrace_ptx::Module;
use std::{collections::BTreeMap, path::PathBuf};

/// The driver's library, as the dynamic linker knows it.
pub const LIBRARY: &str = "libcuda.so.1";
/// The environment variable that names another library than [`LIBRARY`].
pub const LIBRARY_VARIABLE: &str = "MILLRACE_LIBCUDA";
/// NVIDIA's environment variable that names the GPUs, or the instance, that the driver shows. It is read when the driver is
/// initialised.
pub const VISIBLE_VARIABLE: &str = "CUDA_VISIBLE_DEVICES";

/// Why no GPU can be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum CudaUnavailable {
	/// There is no driver, or it cannot be loaded.
	#[error("{} was not found: {reason}", library.display())]
	NotFound {
		/// The library.
		library: PathBuf,
		/// The dynamic linker's words.
		reason: String,
	},
	/// The library is no CUDA driver, or an unknown one.
	#[error("{} has no function {function}: it is not a CUDA driver of version 10.2 or later", library.display())]
	MissingFunction {
		/// The library.
		library: PathBuf,
		/// The first function that it lacks.
		function: &'static str,
	},
	/// The driver is there and does not work.
	#[error("the CUDA driver does not work: {0}")]
	Broken(String),
	/// The driver works and knows no GPU.
	#[error("the CUDA driver knows no GPU")]
	NoDevice,
	/// No GPU has the UUID that was asked for.
	#[error("there is no GPU {wanted} here{}", but(found))]
	UnknownDevice {
		/// The UUID asked for.
		wanted: String,
		/// The UUIDs of the GPUs that are there.
		found: Vec<String>,
	},
}

fn but(found: &[String]) -> String {
	if found.is_empty() {
		return "; `millrace-executor devices` lists those that can be used".into();
	}
	format!(", but: {}", found.join(", "))
}

/// Lists the GPUs in the driver's order. A driver without GPUs gives an empty list.
///
/// # Errors
///
/// Every [`CudaUnavailable`] but `NoDevice` and `UnknownDevice`.
pub fn enumerate() -> Result<Vec<DeviceInfo>, CudaUnavailable> {
	let driver = Driver::load()?;
	Ok(driver.devices()?.into_iter().map(|(_, info)| info).collect())
}

/// A GPU with a context of its own.
pub struct CudaDevice {
	info: DeviceInfo,
	context: Context,
	/// The loaded text as the interpreter sees it: launches are checked against it.
	module: Option<Module>,
	/// What to load in place of the text that it was compiled from.
	compiled: Option<Compiled>,
	/// Length of each allocation.
	allocations: BTreeMap<Pointer, u64>,
}

impl CudaDevice {
	/// Opens the GPU with that UUID, or the first one.
	///
	/// In a process that was shown nothing but that GPU by [`VISIBLE_VARIABLE`], the one that the driver has is the one that is
	/// wanted: drivers before CUDA 11.4 do not tell the UUID of an instance.
	///
	/// # Errors
	///
	/// Every [`CudaUnavailable`].
	pub fn open(uuid: Option<&str>) -> Result<Self, CudaUnavailable> {
		let driver = Driver::load()?;
		let mut devices = driver.devices()?;
		if let ([(_, only)], Some(wanted)) = (devices.as_mut_slice(), uuid) {
			if std::env::var_os(VISIBLE_VARIABLE).is_some_and(|shown| shown == wanted) {
				only.uuid = wanted.into();
			}
		}
		let found = devices.iter().map(|(_, info)| info.uuid.clone()).collect();
		let chosen = devices.into_iter().find(|(_, info)| uuid.is_none_or(|uuid| uuid == info.uuid));
		let Some((ordinal, info)) = chosen else {
			return Err(uuid.map_or(CudaUnavailable::NoDevice, |wanted| CudaUnavailable::UnknownDevice {
				wanted: wanted.into(),
				found,
			}));
		};
		let context = driver.open(ordinal)?;
		Ok(Self { info, context, module: None, compiled: None, allocations: BTreeMap::new() })
	}

	/// Compiles a text for this GPU, without loading it. This can take long and much memory: the text may come from an
	/// adversary.
	///
	/// # Errors
	///
	/// [`DeviceError::KernelRejected`] with the compiler's words, or a failure of the device.
	pub fn compile(&mut self, ptx: &str) -> Result<Compiled, DeviceError> {
		Module::parse(ptx).map_err(|error| DeviceError::KernelRejected(error.to_string()))?;
		let image = self.context.compile(ptx)?;
		Ok(Compiled::new(BlobHash::of(ptx.as_bytes()), image))
	}

	/// Gives what was compiled before, to be loaded in the place of its text. Where the driver does not take it, as one of another
	/// version may not, the text is compiled again.
	pub fn offer(&mut self, compiled: Compiled) {
		self.compiled = Some(compiled);
	}

	fn check_range(&self, pointer: Pointer, bytes: u64) -> Result<(), DeviceError> {
		match self.allocations.get(&pointer) {
			Some(length) if bytes <= *length => Ok(()),
			_ => Err(DeviceError::Lost(format!("{bytes} bytes at {pointer:#x} were not allocated"))),
		}
	}
}

impl Device for CudaDevice {
	fn info(&self) -> &DeviceInfo {
		&self.info
	}

	fn load(&mut self, ptx: &str) -> Result<(), DeviceError> {
		let module = Module::parse(ptx).map_err(|error| DeviceError::KernelRejected(error.to_string()))?;
		let compiled = self.compiled.take().filter(|compiled| compiled.is_of(ptx));
		if compiled.is_none_or(|compiled| self.context.load_compiled(&compiled).is_err()) {
			self.context.load_text(ptx)?;
		}
		self.module = Some(module);
		Ok(())
	}

	fn alloc(&mut self, bytes: u64) -> Result<Pointer, DeviceError> {
		let pointer = self.context.alloc(bytes)?;
		self.allocations.insert(pointer, bytes);
		Ok(pointer)
	}

	fn write(&mut self, pointer: Pointer, data: &[u8]) -> Result<(), DeviceError> {
		self.check_range(pointer, data.len() as u64)?;
		self.context.write(pointer, data)
	}

	fn read(&mut self, pointer: Pointer, bytes: u64) -> Result<Vec<u8>, DeviceError> {
		self.check_range(pointer, bytes)?;
		self.context.read(pointer, bytes)
	}

	fn start(&mut self, launch: &KernelLaunch) -> Result<(), DeviceError> {
		let module = self.module.as_ref().ok_or_else(|| DeviceError::Lost("no module is loaded".into()))?;
		let checked = check_launch(module, launch).map_err(DeviceError::KernelRejected)?;
		self.context.start(&checked)
	}

	fn poll(&mut self) -> Result<Status, DeviceError> {
		let running = self.context.is_running()?;
		Ok(if running { Status::Running { blocks: None } } else { Status::Idle })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// The environment belongs to the whole process, so there is one test that sets it.
	#[test]
	fn a_library_that_is_no_driver_is_named_in_the_error() {
		std::env::set_var(LIBRARY_VARIABLE, "/nonexistent/libcuda.so.1");
		let missing = enumerate().unwrap_err().to_string();
		assert!(missing.starts_with("/nonexistent/libcuda.so.1 was not found: "), "{missing}");
		assert_eq!(CudaDevice::open(None).err().unwrap().to_string(), missing);

		std::env::set_var(LIBRARY_VARIABLE, "libm.so.6");
		let error = enumerate().unwrap_err();
		assert_eq!(
			error,
			CudaUnavailable::MissingFunction { library: "libm.so.6".into(), function: "cuInit" }
		);
	}
}
