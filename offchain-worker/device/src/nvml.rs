//! The health of NVIDIA GPUs, by NVML.
//!
//! NVML is the library of the driver that `nvidia-smi` uses: `libnvidia-ml.so.1`, loaded at run time by the crate `nvml-wrapper`.
//! The environment variable [`LIBRARY_VARIABLE`] names another file, for a driver in an unusual place or for tests. NVML makes no
//! context and runs no kernel, but it talks to the same driver, which can hang or crash: it belongs into a process that may be lost.
//!
//! [`Nvml::read`] reads all GPUs at once. A GPU that has fallen off the bus is a state of that GPU and hides nothing of the others; a
//! value that a GPU does not support is `None`. [`Nvml::watch`] waits for **Xids**, the numbered errors that the driver reports.
//! Some are an application's own fault, and some mean that the GPU must not be used any more: [`XidEvent::fatal`].
//!
//! **MIG** is NVIDIA's way to divide a GPU into **instances** with memory and multiprocessors of their own. Each has a UUID that
//! begins with `MIG-`. CUDA shows a process at most one instance, so only NVML can list them.

mod health;
#[expect(unsafe_code, reason = "two of NVML's functions are foreign: `nvml-wrapper` has none for them")]
mod raw;
mod read;
mod watch;
mod xid;

pub use health::{GpuHealth, GpuState, MigInstance, Reading, Throttling};
pub use watch::{Waited, Watch};
pub use xid::XidEvent;

use crate::library::dynamic_linker_text;
use nvml_wrapper::error::NvmlError;
use raw::InstanceNumbers;
use std::{cell::RefCell, collections::BTreeMap, path::PathBuf};

/// The library, as the dynamic linker knows it.
pub const LIBRARY: &str = "libnvidia-ml.so.1";
/// The environment variable that names another library than [`LIBRARY`].
pub const LIBRARY_VARIABLE: &str = "MILLRACE_LIBNVML";

/// The most GPUs that are looked at.
const MAX_GPUS: u32 = 64;

/// Why NVML tells nothing.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NvmlUnavailable {
	/// There is no driver, or its library cannot be loaded.
	#[error("{} was not found: {reason}", library.display())]
	NotFound {
		/// The library.
		library: PathBuf,
		/// The dynamic linker's words.
		reason: String,
	},
	/// The library is another one.
	#[error("{} is not NVML: {reason}", library.display())]
	NotNvml {
		/// The library.
		library: PathBuf,
		/// What it lacks.
		reason: String,
	},
	/// NVML is there and does not work.
	#[error("NVML does not work: {0}")]
	Broken(String),
}

impl From<NvmlError> for NvmlUnavailable {
	fn from(error: NvmlError) -> Self {
		Self::Broken(error.to_string())
	}
}

/// The loaded and initialised library.
pub struct Nvml {
	library: nvml_wrapper::Nvml,
	numbers: InstanceNumbers,
	/// What the GPU of each index said of itself: a lost one says it no more.
	known: RefCell<BTreeMap<u32, Identity>>,
}

/// What tells GPUs apart.
#[derive(Clone)]
struct Identity {
	uuid: String,
	name: Option<String>,
	bus_id: Option<String>,
}

impl Nvml {
	/// Loads and initialises the library.
	///
	/// # Errors
	///
	/// Every [`NvmlUnavailable`].
	pub fn load() -> Result<Self, NvmlUnavailable> {
		let path = std::env::var_os(LIBRARY_VARIABLE).unwrap_or_else(|| LIBRARY.into());
		let library = || PathBuf::from(&path);
		match nvml_wrapper::Nvml::builder().lib_path(&path).init() {
			Ok(loaded) => {
				Ok(Self { library: loaded, numbers: InstanceNumbers::find(&path), known: RefCell::default() })
			}
			Err(NvmlError::LibloadingError(error)) => {
				Err(NvmlUnavailable::NotFound { library: library(), reason: dynamic_linker_text(&error) })
			}
			Err(NvmlError::FailedToLoadSymbol(reason)) => {
				Err(NvmlUnavailable::NotNvml { library: library(), reason })
			}
			Err(error) => Err(error.into()),
		}
	}

	/// Reads the health of all GPUs. It takes some milliseconds for each.
	///
	/// # Errors
	///
	/// [`NvmlUnavailable::Broken`] if the library does not even count them. A GPU that cannot be read is no error: see
	/// [`GpuHealth::state`].
	pub fn read(&self) -> Result<Reading, NvmlUnavailable> {
		let count = self.library.device_count()?.min(MAX_GPUS);
		let driver = self.library.sys_driver_version().ok();
		Ok(Reading { gpus: (0..count).map(|index| self.read_gpu(index, driver.as_deref())).collect() })
	}

	/// Begins to watch for errors of all GPUs that report them. What was reported before is not heard.
	///
	/// # Errors
	///
	/// [`NvmlUnavailable::Broken`].
	pub fn watch(&self) -> Result<Watch<'_>, NvmlUnavailable> {
		Watch::start(self)
	}
}
