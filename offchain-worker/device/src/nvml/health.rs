//! What is read of a GPU.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The health of all GPUs at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Reading {
	/// The GPUs, in NVML's order, which is not always CUDA's. A lost one stays in its place.
	pub gpus: Vec<GpuHealth>,
}

/// Whether a GPU answers.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GpuState {
	/// It does.
	#[default]
	Working,
	/// It has fallen off the bus, or cannot be reached for another reason. Nothing else of it was read.
	Lost,
	/// It must be reset before it can be used again.
	ResetRequired,
	/// It cannot be looked at; NVML's words.
	Unreadable(String),
}

impl fmt::Display for GpuState {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match self {
			Self::Working => f.write_str("working"),
			Self::Lost => f.write_str("lost: it has fallen off the bus"),
			Self::ResetRequired => f.write_str("needs a reset"),
			Self::Unreadable(words) => write!(f, "cannot be read: {words}"),
		}
	}
}

/// The health of one GPU. A value that the GPU does not support, or that could not be read, is `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GpuHealth {
	/// The `GPU-...` text, as in [`DeviceInfo::uuid`](crate::DeviceInfo::uuid). `None` only if it could never be read because
	/// the GPU was lost from the beginning.
	pub uuid: Option<String>,
	/// Whether it answers.
	pub state: GpuState,
	/// The product's name.
	pub name: Option<String>,
	/// Where it is on the bus, such as `00000000:18:00.0`.
	pub bus_id: Option<String>,
	/// Version of the driver, such as `550.54.15`.
	pub driver: Option<String>,
	/// Temperature of the chip in degrees Celsius.
	pub temperature_c: Option<u32>,
	/// Power that it draws, in milliwatts.
	pub power_mw: Option<u32>,
	/// The most that it may draw, in milliwatts.
	pub power_limit_mw: Option<u32>,
	/// Energy since the driver was loaded, in millijoules. Two readings tell the energy of what ran between them.
	pub energy_mj: Option<u64>,
	/// Clock of the multiprocessors in MHz.
	pub sm_clock_mhz: Option<u32>,
	/// Clock of the memory in MHz.
	pub memory_clock_mhz: Option<u32>,
	/// Why its clocks are lower than they could be. Empty if they are not, or because it has nothing to do.
	pub throttling: Option<Vec<Throttling>>,
	/// Uncorrected memory errors since the driver was loaded.
	pub uncorrected_ecc_errors: Option<u64>,
	/// Whether memory pages wait to be retired at the next reset. GPUs before Ampere.
	pub pages_pending: Option<bool>,
	/// Whether memory rows wait to be remapped at the next reset. Ampere and later.
	pub rows_pending: Option<bool>,
	/// Whether a row could not be remapped: NVIDIA replaces such a GPU.
	pub rows_failed: Option<bool>,
	/// Memory in use, in bytes.
	pub memory_used_bytes: Option<u64>,
	/// All of its memory, in bytes.
	pub memory_total_bytes: Option<u64>,
	/// Whether it is divided into instances (MIG mode). It can then be used only by its instances.
	pub mig: Option<bool>,
	/// The instances that it is divided into.
	pub instances: Vec<MigInstance>,
}

impl GpuHealth {
	/// The reasons why its clocks are low that somebody should look at.
	pub fn warnings(&self) -> impl Iterator<Item = Throttling> + '_ {
		self.throttling.iter().flatten().copied().filter(|reason| reason.is_warning())
	}
}

/// A MIG instance: a part of a GPU with memory and multiprocessors of its own.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
pub struct MigInstance {
	/// The `MIG-...` text.
	pub uuid: String,
	/// Name, such as `NVIDIA H200 MIG 1g.18gb`.
	pub name: Option<String>,
	/// Its memory in bytes.
	pub memory_bytes: Option<u64>,
	/// Slices of the GPU that its GPU instance has, of seven.
	pub gpu_slices: Option<u32>,
	/// Slices that its compute instance has of those.
	pub compute_slices: Option<u32>,
	/// Number of its GPU instance.
	pub gpu_instance: Option<u32>,
	/// Number of its compute instance.
	pub compute_instance: Option<u32>,
	/// Major and minor compute capability.
	pub compute_capability: Option<(u32, u32)>,
}

/// Why a GPU's clocks are low. The names are NVML's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Throttling {
	/// The operator has set lower clocks.
	ApplicationsClocksSetting,
	/// It would draw more than its power limit. Usual under load.
	SwPowerCap,
	/// The hardware has halved its clocks, or worse: heat, a power brake, or too much power at once.
	HwSlowdown,
	/// Another GPU of its group is slower.
	SyncBoost,
	/// The driver lowers its clocks because it is too hot.
	SwThermalSlowdown,
	/// The hardware lowers its clocks because it is too hot.
	HwThermalSlowdown,
	/// The machine's power supply asks for it.
	HwPowerBrakeSlowdown,
	/// The display wants it.
	DisplayClockSetting,
}

impl Throttling {
	/// All of them.
	pub const ALL: [Self; 8] = [
		Self::ApplicationsClocksSetting,
		Self::SwPowerCap,
		Self::HwSlowdown,
		Self::SyncBoost,
		Self::SwThermalSlowdown,
		Self::HwThermalSlowdown,
		Self::HwPowerBrakeSlowdown,
		Self::DisplayClockSetting,
	];

	/// Its name, which does not change.
	pub fn name(self) -> &'static str {
		match self {
			Self::ApplicationsClocksSetting => "applications-clocks-setting",
			Self::SwPowerCap => "sw-power-cap",
			Self::HwSlowdown => "hw-slowdown",
			Self::SyncBoost => "sync-boost",
			Self::SwThermalSlowdown => "sw-thermal-slowdown",
			Self::HwThermalSlowdown => "hw-thermal-slowdown",
			Self::HwPowerBrakeSlowdown => "hw-power-brake-slowdown",
			Self::DisplayClockSetting => "display-clock-setting",
		}
	}

	/// Whether somebody should look at the machine: it is too hot, or its power supply too weak.
	pub fn is_warning(self) -> bool {
		match self {
			Self::HwSlowdown
			| Self::SwThermalSlowdown
			| Self::HwThermalSlowdown
			| Self::HwPowerBrakeSlowdown => true,
			Self::ApplicationsClocksSetting
			| Self::SwPowerCap
			| Self::SyncBoost
			| Self::DisplayClockSetting => false,
		}
	}
}

impl fmt::Display for Throttling {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		f.write_str(self.name())
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn reasons_are_written_by_their_names() {
		for reason in Throttling::ALL {
			assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{reason}\""));
		}
	}

	#[test]
	fn a_reading_is_the_same_after_it_was_written() {
		let states =
			[GpuState::Working, GpuState::Lost, GpuState::ResetRequired, GpuState::Unreadable("x".into())];
		let gpus = states.map(|state| GpuHealth {
			state,
			throttling: Some(Throttling::ALL.to_vec()),
			energy_mj: Some(u64::MAX),
			..GpuHealth::default()
		});
		let reading = Reading { gpus: gpus.into() };
		let text = serde_json::to_string(&reading).unwrap();
		assert!(text.contains(r#""state":{"unreadable":"x"}"#), "{text}");
		assert_eq!(serde_json::from_str::<Reading>(&text).unwrap(), reading);
	}

	#[test]
	fn heat_is_a_warning_and_a_power_limit_is_none() {
		let gpu =
			|reasons: &[Throttling]| GpuHealth { throttling: Some(reasons.to_vec()), ..GpuHealth::default() };
		let hot = gpu(&[Throttling::SwPowerCap, Throttling::HwThermalSlowdown]);
		assert_eq!(hot.warnings().collect::<Vec<_>>(), [Throttling::HwThermalSlowdown]);
		assert_eq!(gpu(&[Throttling::SwPowerCap]).warnings().count(), 0);
		assert_eq!(GpuHealth::default().warnings().count(), 0);
	}
}
