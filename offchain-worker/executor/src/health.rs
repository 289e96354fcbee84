//! The GPUs' health, for people at a terminal.

use millrace_device::nvml::{GpuHealth, Nvml, NvmlUnavailable, Reading};
use std::fmt::Write;

/// Reads the GPUs' health once. Loads the driver's library into this process.
///
/// # Errors
///
/// Every [`NvmlUnavailable`].
pub fn read_health() -> Result<Reading, NvmlUnavailable> {
	Nvml::load()?.read()
}

/// A reading as lines of text. What a GPU does not support is left out.
pub fn health_text(reading: &Reading) -> String {
	let mut text = String::new();
	if reading.gpus.is_empty() {
		text.push_str("NVML knows no GPU.\n");
	}
	for (index, gpu) in reading.gpus.iter().enumerate() {
		let name = gpu.name.as_deref().unwrap_or("unknown GPU");
		let uuid = gpu.uuid.clone().unwrap_or_else(|| format!("number {index}"));
		// Writing to a text cannot fail.
		let _ = writeln!(text, "{uuid}  {name}: {}", gpu.state);
		for line in [values(gpu), memory(gpu), instances(gpu)] {
			if !line.is_empty() {
				let _ = writeln!(text, "  {}", line.join(", "));
			}
		}
	}
	text
}

fn values(gpu: &GpuHealth) -> Vec<String> {
	let watts = |milliwatts: u32| f64::from(milliwatts) / 1_000.0;
	let power = gpu.power_mw.map(|power| match gpu.power_limit_mw {
		Some(limit) => format!("{:.1} of {:.1} W", watts(power), watts(limit)),
		None => format!("{:.1} W", watts(power)),
	});
	let throttling = gpu.throttling.as_ref().filter(|reasons| !reasons.is_empty());
	let reasons = throttling.map(|reasons| {
		let names: Vec<_> = reasons.iter().map(|reason| reason.name()).collect();
		format!("slowed by {}", names.join(" and "))
	});
	let parts = [
		gpu.bus_id.clone(),
		gpu.driver.as_ref().map(|version| format!("driver {version}")),
		gpu.temperature_c.map(|degrees| format!("{degrees} C")),
		power,
		gpu.energy_mj.map(|energy| format!("{:.1} kJ", energy as f64 / 1e6)),
		gpu.sm_clock_mhz.map(|clock| format!("{clock} MHz")),
		gpu.memory_clock_mhz.map(|clock| format!("memory at {clock} MHz")),
		reasons,
	];
	parts.into_iter().flatten().collect()
}

fn memory(gpu: &GpuHealth) -> Vec<String> {
	let used = gpu.memory_used_bytes.zip(gpu.memory_total_bytes);
	let told = |condition: Option<bool>, words: &str| (condition == Some(true)).then(|| words.to_owned());
	let parts = [
		used.map(|(used, total)| format!("{} of {} MiB in use", used >> 20, total >> 20)),
		gpu.uncorrected_ecc_errors.map(|errors| format!("{errors} uncorrected memory errors")),
		told(gpu.pages_pending, "memory pages wait to be retired: reset the GPU"),
		told(gpu.rows_pending, "memory rows wait to be remapped: reset the GPU"),
		told(gpu.rows_failed, "a memory row could not be remapped: have the GPU replaced"),
	];
	parts.into_iter().flatten().collect()
}

fn instances(gpu: &GpuHealth) -> Vec<String> {
	let line = |instance: &millrace_device::nvml::MigInstance| {
		let name = instance.name.as_deref().unwrap_or("MIG instance");
		let memory =
			instance.memory_bytes.map_or(String::new(), |bytes| format!(" with {} MiB", bytes >> 20));
		format!("{} {name}{memory}", instance.uuid)
	};
	gpu.instances.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_device::nvml::{GpuState, Throttling};

	#[test]
	fn what_is_not_known_is_left_out() {
		let lost = GpuHealth { state: GpuState::Lost, ..GpuHealth::default() };
		let hot = GpuHealth {
			uuid: Some("GPU-1".into()),
			name: Some("NVIDIA H200".into()),
			temperature_c: Some(90),
			power_mw: Some(650_500),
			throttling: Some(vec![Throttling::SwPowerCap, Throttling::HwThermalSlowdown]),
			rows_failed: Some(true),
			..GpuHealth::default()
		};
		let expected = "\
number 0  unknown GPU: lost: it has fallen off the bus
GPU-1  NVIDIA H200: working
  90 C, 650.5 W, slowed by sw-power-cap and hw-thermal-slowdown
  a memory row could not be remapped: have the GPU replaced
";
		assert_eq!(health_text(&Reading { gpus: vec![lost, hot] }), expected);
		assert_eq!(health_text(&Reading::default()), "NVML knows no GPU.\n");
	}
}
