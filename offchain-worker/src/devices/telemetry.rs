//! What the driver says of the devices, and what follows from it.

use super::{Device, Devices, Health, Occupation, PROBE_FAULTY};
use crate::{Telemetry, LOG_TARGET};
use millrace_executor::{GpuHealth, GpuState, Reading, XidEvent};
use millrace_primitives::Hash;
use tokio::time::Instant;

/// Xids that NVIDIA counts among those of the hardware, and that a kernel may bring about: a context switch that takes too long. A
/// renter must not be able to take a GPU out of service, so the probe decides.
const PROVOKED: [u64; 1] = [109];

impl Devices {
	/// Takes in a reading. A GPU that does not answer is faulty at once; the next probe says whether it came back.
	pub(crate) fn read(&mut self, reading: &Reading) {
		for gpu in &reading.gpus {
			for device in self.0.iter_mut() {
				let is_whole = gpu.uuid.as_ref() == Some(&device.info.uuid);
				if is_whole || is_instance(gpu, device) {
					device.telemetry = telemetry(gpu, is_whole);
					// Of a device that is faulty already the first reason is kept, and its next probe stays when it is.
					if gpu.state != GpuState::Working && !matches!(device.health, Health::Faulty(_)) {
						device.fail(format!("its driver says: {}", gpu.state));
					}
				}
			}
		}
		self.1 = reading.gpus.iter().map(instances).collect();
	}

	/// Takes in an error that a GPU has reported.
	pub(crate) fn erred(&mut self, event: &XidEvent) {
		let instances = self
			.1
			.iter()
			.find(|(gpu, _)| gpu.as_ref() == Some(&event.uuid))
			.map(|(_, instances)| instances.clone());
		let instances = instances.unwrap_or_default();
		for device in self.0.iter_mut() {
			if event.uuid != device.info.uuid && !instances.contains(&device.info.uuid) {
				continue;
			}
			let said = format!("Xid {} ({})", event.code, event.meaning);
			if event.fatal && !PROVOKED.contains(&event.code) {
				device.quarantined = true;
				device.fail(format!("{said}; look at it, and start the node again"));
				continue;
			}
			log::warn!(target: LOG_TARGET, "{} ({}): {said}", device.info.name, device.info.uuid);
			// A job's own end says whether it is to be probed.
			device.suspect |= device.occupation != Occupation::Job || event.fatal;
		}
	}

	/// Energy that devices have taken since their drivers were loaded, in millijoules; `None` if it is not known of each.
	pub(crate) fn energy_mj(&self, devices: &[Hash]) -> Option<u64> {
		let of = |hash: &Hash| self.0.iter().find(|device| device.hash == *hash)?.telemetry.energy_mj;
		devices.iter().map(of).sum()
	}
}

impl Device {
	/// Something other than a probe says that it does not work.
	fn fail(&mut self, why: String) {
		log::warn!(target: LOG_TARGET, "{} ({}) is faulty: {why}", self.info.name, self.info.uuid);
		self.health = Health::Faulty(why);
		self.next_probe = Instant::now() + PROBE_FAULTY;
	}
}

fn is_instance(gpu: &GpuHealth, device: &Device) -> bool {
	gpu.instances.iter().any(|instance| instance.uuid == device.info.uuid)
}

/// A GPU and the instances that it is divided into, by their UUIDs.
fn instances(gpu: &GpuHealth) -> (Option<String>, Vec<String>) {
	(gpu.uuid.clone(), gpu.instances.iter().map(|instance| instance.uuid.clone()).collect())
}

fn telemetry(gpu: &GpuHealth, is_whole: bool) -> Telemetry {
	let warnings: Vec<_> = gpu.warnings().map(|reason| reason.name()).collect();
	Telemetry {
		temperature_c: gpu.temperature_c,
		power_w: gpu.power_mw.map(|power| power / 1_000),
		sm_clock_mhz: gpu.sm_clock_mhz,
		energy_mj: gpu.energy_mj.filter(|_| is_whole),
		warning: (!warnings.is_empty()).then(|| format!("its clocks are low: {}", warnings.join(", "))),
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_executor::{DeviceInfo, Kind, MigInstance};

	fn device(uuid: &str) -> DeviceInfo {
		DeviceInfo {
			kind: Kind::Cuda,
			name: "H200".into(),
			memory_bytes: 1 << 30,
			uuid: uuid.into(),
			driver: None,
			compute_capability: None,
		}
	}

	fn devices() -> Devices {
		let mut devices =
			Devices::new(vec![device("GPU-0"), device("GPU-1"), device("MIG-2")], &Hash::zero());
		while let Some(device) = devices.start_probe() {
			devices.probed(device.hash, Ok(()));
		}
		devices
	}

	fn states(devices: &Devices) -> Vec<&'static str> {
		let state = |device: &Device| match &device.health {
			Health::Faulty(_) => "faulty",
			_ if device.suspect => "suspect",
			_ => "sound",
		};
		devices.iter().map(state).collect()
	}

	fn reading() -> Reading {
		let gpu = |uuid: &str| GpuHealth {
			uuid: Some(uuid.into()),
			energy_mj: Some(5_000),
			..GpuHealth::default()
		};
		let instance = MigInstance {
			uuid: "MIG-2".into(),
			name: None,
			memory_bytes: None,
			gpu_slices: None,
			compute_slices: None,
			gpu_instance: None,
			compute_instance: None,
			compute_capability: None,
		};
		let divided = GpuHealth { instances: vec![instance], power_mw: Some(310_900), ..gpu("GPU-2") };
		Reading { gpus: vec![gpu("GPU-0"), gpu("GPU-1"), divided] }
	}

	fn xid(uuid: &str, code: u64, fatal: bool) -> XidEvent {
		XidEvent { uuid: uuid.into(), code, meaning: "words", fatal }
	}

	#[test]
	fn a_gpu_that_its_driver_has_lost_is_faulty_until_a_probe_passes() {
		let mut devices = devices();
		let mut reading = reading();
		reading.gpus[1].state = GpuState::Lost;
		devices.read(&reading);
		assert_eq!(states(&devices), ["sound", "faulty", "sound"]);
		let hash = devices.0[1].hash;
		devices.probed(hash, Ok(()));
		assert_eq!(states(&devices), ["sound", "sound", "sound"]);
	}

	#[test]
	fn what_the_driver_says_again_neither_hides_the_first_reason_nor_puts_the_probe_off() {
		let mut devices = devices();
		let mut reading = reading();
		reading.gpus[0].state = GpuState::Lost;
		let hash = devices.0[0].hash;
		devices.probed(hash, Err("the probe gave a wrong result".into()));
		let next_probe = devices.0[0].next_probe;
		devices.read(&reading);
		assert_eq!(devices.0[0].health, Health::Faulty("the probe gave a wrong result".into()));
		assert_eq!(devices.0[0].next_probe, next_probe);
		// Advice on what to do is not replaced either.
		devices.erred(&xid("GPU-0", 79, true));
		devices.read(&reading);
		let Health::Faulty(why) = &devices.0[0].health else { panic!("it is faulty") };
		assert!(why.contains("Xid 79") && why.contains("start the node again"), "{why}");
	}

	#[test]
	fn an_error_of_the_hardware_takes_a_gpu_out_until_somebody_has_looked() {
		let mut devices = devices();
		devices.read(&reading());
		devices.erred(&xid("GPU-0", 79, true));
		assert_eq!(states(&devices), ["faulty", "sound", "sound"]);
		let hash = devices.0[0].hash;
		devices.probed(hash, Ok(()));
		assert_eq!(states(&devices), ["faulty", "sound", "sound"], "no probe clears it");
		assert!(devices.start_probe().is_none());
		// That of a divided GPU takes its instances with it.
		devices.erred(&xid("GPU-2", 48, true));
		assert_eq!(states(&devices), ["faulty", "sound", "faulty"]);
	}

	#[test]
	fn an_error_that_a_kernel_can_bring_about_is_a_matter_for_the_probe() {
		for (code, fatal) in [(31, false), (109, true)] {
			let mut devices = devices();
			devices.erred(&xid("GPU-0", code, fatal));
			assert_eq!(states(&devices), ["suspect", "sound", "sound"], "Xid {code}");
			let probe = devices.start_probe().unwrap();
			devices.probed(probe.hash, Ok(()));
			assert_eq!(states(&devices), ["sound", "sound", "sound"]);
		}
		// While a job runs, its end tells more.
		let mut devices = devices();
		let hash = devices.0[0].hash;
		devices.job_starts(hash);
		devices.erred(&xid("GPU-0", 13, false));
		assert_eq!(states(&devices), ["sound", "sound", "sound"]);
	}

	#[test]
	fn figures_are_shown_and_energy_is_that_of_whole_gpus() {
		let mut devices = devices();
		assert_eq!(devices.energy_mj(&[devices.0[0].hash]), None);
		devices.read(&reading());
		assert_eq!(devices.energy_mj(&[devices.0[0].hash, devices.0[1].hash]), Some(10_000));
		assert_eq!(devices.energy_mj(&[devices.0[2].hash]), None, "it shares its GPU");
		assert_eq!(devices.0[2].telemetry.power_w, Some(310));
	}
}
