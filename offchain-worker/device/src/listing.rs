//! All that jobs can run on: GPUs, and instances in the place of those that are divided.

use crate::{
	cuda::{self, CudaUnavailable, VISIBLE_VARIABLE},
	nvml::{MigInstance, Nvml, Reading},
	DeviceInfo, Kind,
};
use std::env;

/// Lists the GPUs in the driver's order, and after them the instances of those that are in MIG mode, which cannot be used as
/// wholes. Where NVML cannot be loaded, the list is what CUDA shows.
///
/// Loads CUDA and NVML into this process. Of the instances only those are listed that [`VISIBLE_VARIABLE`] leaves: it is how an
/// operator keeps GPUs for something else.
///
/// # Errors
///
/// Those of [`cuda::enumerate`].
pub fn enumerate() -> Result<Vec<DeviceInfo>, CudaUnavailable> {
	let shown = cuda::enumerate()?;
	let Ok(reading) = Nvml::load().and_then(|nvml| nvml.read()) else { return Ok(shown) };
	let visible = env::var(VISIBLE_VARIABLE).ok();
	Ok(with_instances(shown, &reading, visible.as_deref()))
}

/// Puts instances in the place of divided GPUs.
fn with_instances(shown: Vec<DeviceInfo>, reading: &Reading, visible: Option<&str>) -> Vec<DeviceInfo> {
	let divided: Vec<_> = reading.gpus.iter().filter(|gpu| gpu.mig == Some(true)).collect();
	let instances: Vec<&MigInstance> = divided.iter().flat_map(|gpu| &gpu.instances).collect();
	let is_whole = |info: &DeviceInfo| {
		!divided.iter().any(|gpu| gpu.uuid.as_ref() == Some(&info.uuid))
			&& !instances.iter().any(|instance| instance.uuid == info.uuid)
	};
	let driver = shown.first().and_then(|info| info.driver.clone());
	let is_shown = |instance: &MigInstance| shown.iter().any(|info| info.uuid == instance.uuid);
	let is_visible = |instance: &MigInstance| {
		is_shown(instance) || visible.is_none_or(|visible| names(visible, &instance.uuid))
	};
	let parts: Vec<DeviceInfo> = instances
		.iter()
		.filter(|instance| is_visible(instance))
		.map(|instance| describe(instance, driver.as_deref()))
		.collect();
	shown.into_iter().filter(is_whole).chain(parts).collect()
}

/// Whether a list of UUIDs, which may be cut short, names this one.
fn names(visible: &str, uuid: &str) -> bool {
	visible.split(',').map(str::trim).any(|name| !name.is_empty() && uuid.starts_with(name))
}

fn describe(instance: &MigInstance, driver: Option<&str>) -> DeviceInfo {
	DeviceInfo {
		kind: Kind::Cuda,
		name: instance.name.clone().unwrap_or_else(|| "MIG instance".into()),
		memory_bytes: instance.memory_bytes.unwrap_or_default(),
		uuid: instance.uuid.clone(),
		driver: driver.map(Into::into),
		compute_capability: instance.compute_capability,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::nvml::GpuHealth;

	fn gpu(uuid: &str) -> DeviceInfo {
		DeviceInfo {
			kind: Kind::Cuda,
			name: "whole".into(),
			memory_bytes: 7,
			uuid: uuid.into(),
			driver: Some("12.4".into()),
			compute_capability: Some((9, 0)),
		}
	}

	fn health(uuid: &str, instances: &[&str]) -> GpuHealth {
		let instance = |uuid: &&str| MigInstance {
			uuid: (*uuid).into(),
			name: Some("part".into()),
			memory_bytes: Some(3),
			gpu_slices: None,
			compute_slices: None,
			gpu_instance: None,
			compute_instance: None,
			compute_capability: Some((9, 0)),
		};
		let mig = Some(!instances.is_empty());
		let instances = instances.iter().map(instance).collect();
		GpuHealth { uuid: Some(uuid.into()), mig, instances, ..GpuHealth::default() }
	}

	fn listed(shown: &[&str], gpus: &[GpuHealth], visible: Option<&str>) -> Vec<String> {
		let shown = shown.iter().map(|uuid| gpu(uuid)).collect();
		let list = with_instances(shown, &Reading { gpus: gpus.to_vec() }, visible);
		list.into_iter().map(|info| info.uuid).collect()
	}

	#[test]
	fn instances_stand_in_the_place_of_their_gpu() {
		let gpus = [health("GPU-a", &["MIG-1", "MIG-2"]), health("GPU-b", &[])];
		// CUDA shows a divided GPU by its own UUID, by that of its first instance, or not at all.
		for shown in [["GPU-a", "GPU-b"].as_slice(), &["MIG-1", "GPU-b"], &["GPU-b"]] {
			assert_eq!(listed(shown, &gpus, None), ["GPU-b", "MIG-1", "MIG-2"], "{shown:?}");
		}
		let list = with_instances(vec![gpu("GPU-a")], &Reading { gpus: gpus.to_vec() }, None);
		let expected = DeviceInfo { name: "part".into(), memory_bytes: 3, ..gpu("MIG-1") };
		assert_eq!(list[0], expected);
	}

	#[test]
	fn what_the_operator_hides_stays_hidden() {
		let gpus = [health("GPU-a", &["MIG-1", "MIG-2"])];
		assert_eq!(listed(&["MIG-2"], &gpus, Some("MIG-2")), ["MIG-2"]);
		assert_eq!(listed(&["MIG-1"], &gpus, Some("0")), ["MIG-1"]);
		assert_eq!(listed(&["MIG-1"], &gpus, Some("MIG-1, MIG-2")), ["MIG-1", "MIG-2"]);
		assert!(listed(&[], &gpus, Some("")).is_empty());
	}

	#[test]
	fn a_gpu_that_is_not_divided_is_listed_as_it_is() {
		assert_eq!(listed(&["GPU-a"], &[health("GPU-a", &[])], None), ["GPU-a"]);
		assert_eq!(listed(&["GPU-a"], &[], None), ["GPU-a"]);
	}
}
