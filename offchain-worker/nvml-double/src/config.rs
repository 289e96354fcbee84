//! What the double is told to be. The file is read again at every call, so a test can change the GPUs while somebody watches them.

use serde::Deserialize;

/// Read from the file `<library>.json`, where `<library>` is the file that was loaded. Without that file everything has its
/// default: one GPU, in good health. Replace the file by renaming another one over it, so that it is never seen half written.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
	/// The GPUs, in NVML's order.
	pub(crate) gpus: Vec<Gpu>,
	/// Every function but `nvmlInit_v2` returns this code.
	pub(crate) broken: Option<u32>,
	/// `nvmlInit_v2` returns this code: 9 if the kernel's part of the driver is not loaded.
	pub(crate) init_error: Option<u32>,
	/// Errors that GPUs report. Each process delivers each of them once, in this order: append to the list.
	pub(crate) xids: Vec<Xid>,
}

/// One GPU. A value that is `null` is one that it does not support.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Gpu {
	/// `None` for one that tells it apart from the others by its index, as the double of the CUDA driver does.
	pub(crate) uuid: Option<String>,
	pub(crate) name: String,
	/// Every function about this GPU returns this code: 15 if it has fallen off the bus, 16 if it needs a reset.
	pub(crate) error: Option<u32>,
	pub(crate) bus_id: Option<String>,
	/// Degrees Celsius.
	pub(crate) temperature: Option<u32>,
	/// Milliwatts.
	pub(crate) power: Option<u32>,
	/// Milliwatts.
	pub(crate) power_limit: Option<u32>,
	/// Millijoules since the driver was loaded.
	pub(crate) energy: Option<u64>,
	/// MHz.
	pub(crate) sm_clock: Option<u32>,
	/// MHz.
	pub(crate) memory_clock: Option<u32>,
	/// NVML's bits: 1 for idle, 4 for the power cap, 64 for the temperature of the hardware.
	pub(crate) throttle: Option<u64>,
	/// Uncorrected errors since the driver was loaded.
	pub(crate) ecc_errors: Option<u64>,
	pub(crate) pages_pending: Option<bool>,
	pub(crate) rows_pending: Option<bool>,
	pub(crate) rows_failed: Option<bool>,
	/// Used and total bytes.
	pub(crate) memory: Option<(u64, u64)>,
	/// Whether it is in MIG mode.
	pub(crate) mig: Option<bool>,
	/// Its MIG instances.
	pub(crate) instances: Vec<Instance>,
	/// Whether it reports errors as events.
	pub(crate) events: bool,
}

/// A MIG instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Instance {
	pub(crate) uuid: String,
	/// The GPU's name follows from this, such as `1g.18gb`.
	pub(crate) profile: String,
	pub(crate) memory_bytes: u64,
	pub(crate) gpu_instance: u32,
	pub(crate) compute_instance: u32,
	pub(crate) gpu_slices: u32,
	pub(crate) compute_slices: u32,
}

/// An error that a GPU reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Xid {
	/// Index of the GPU.
	pub(crate) gpu: u32,
	pub(crate) code: u64,
}

impl Default for Config {
	fn default() -> Self {
		Self { gpus: vec![Gpu::default()], broken: None, init_error: None, xids: Vec::new() }
	}
}

impl Default for Gpu {
	fn default() -> Self {
		Self {
			uuid: None,
			name: "Millrace NVML test double".into(),
			error: None,
			bus_id: Some("00000000:01:00.0".into()),
			temperature: Some(35),
			power: Some(75_000),
			power_limit: Some(700_000),
			energy: Some(1_000_000),
			sm_clock: Some(345),
			memory_clock: Some(2_619),
			throttle: Some(1),
			ecc_errors: Some(0),
			pages_pending: None,
			rows_pending: Some(false),
			rows_failed: Some(false),
			memory: Some((1 << 30, 4 << 30)),
			mig: Some(false),
			instances: Vec::new(),
			events: true,
		}
	}
}
