//! What a device is.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The kind of a device.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
	/// The CPU, interpreting PTX.
	Reference,
	/// An NVIDIA GPU.
	Cuda,
}

impl fmt::Display for Kind {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(match self {
			Self::Reference => "reference",
			Self::Cuda => "cuda",
		})
	}
}

/// One device.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DeviceInfo {
	/// Its kind.
	pub kind: Kind,
	/// The product's name, such as `NVIDIA H200`.
	pub name: String,
	/// Memory in bytes. Part of it is taken by the driver.
	pub memory_bytes: u64,
	/// What tells it apart from all others: for a GPU the driver's `GPU-...` text, as `nvidia-smi -L` shows it.
	pub uuid: String,
	/// The CUDA version that the driver supports, such as `12.4`; `None` for the reference device.
	pub driver: Option<String>,
	/// Major and minor compute capability, such as (9, 0); `None` for the reference device.
	pub compute_capability: Option<(u32, u32)>,
}

/// The GPUs of a machine, or why there are none to be used.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct DeviceList {
	/// The GPUs, in the driver's order. The reference device is always there and is not listed.
	pub gpus: Vec<DeviceInfo>,
	/// Why the driver could not be used; `None` if it could, even if it knows no GPU.
	pub cuda_unavailable: Option<String>,
}
