//! The production loader and reader, on the test double of `libnvidia-ml.so.1`.

#![cfg(test)]

use millrace_device::{
	cuda::{self, CudaDevice, CudaUnavailable},
	listing,
	nvml::{
		GpuHealth, GpuState, MigInstance, Nvml, NvmlUnavailable, Reading, Throttling, Waited, XidEvent,
		LIBRARY_VARIABLE,
	},
	Device,
};
use serde_json::{json, Value};
use std::{
	env, fs,
	path::PathBuf,
	sync::{Mutex, MutexGuard, PoisonError},
	thread,
	time::{Duration, Instant},
};
use tempfile::TempDir;

/// The environment belongs to the whole process.
static ENVIRONMENT: Mutex<()> = Mutex::new(());

/// Variables that are set as long as this lives.
struct Variables(Vec<&'static str>, #[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Variables {
	fn set(variables: &[(&'static str, &str)]) -> Self {
		let guard = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
		for (name, value) in variables {
			env::set_var(name, value);
		}
		Self(variables.iter().map(|(name, _)| *name).collect(), guard)
	}
}

impl Drop for Variables {
	fn drop(&mut self) {
		for name in &self.0 {
			env::remove_var(name);
		}
	}
}

/// A copy of one of the doubles with orders of its own, and so with a state of its own.
struct Double {
	folder: TempDir,
}

impl Double {
	fn new(name: &str, config: &Value) -> Self {
		let built = env::current_exe().unwrap().with_file_name(format!("libmillrace_{name}_double.so"));
		let double = Self { folder: tempfile::tempdir().unwrap() };
		fs::copy(&built, double.library()).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
		double.order(config);
		double
	}

	fn nvml(config: &Value) -> Self {
		Self::new("nvml", config)
	}

	fn library(&self) -> PathBuf {
		self.folder.path().join("lib.so")
	}

	/// What it is from now on.
	fn order(&self, config: &Value) {
		let new = self.folder.path().join("new.json");
		fs::write(&new, config.to_string()).unwrap();
		fs::rename(new, self.folder.path().join("lib.so.json")).unwrap();
	}

	fn load(&self) -> Result<Nvml, NvmlUnavailable> {
		let _variables = Variables::set(&[(LIBRARY_VARIABLE, self.library().to_str().unwrap())]);
		Nvml::load()
	}
}

fn uuid(index: u8) -> String {
	format!("GPU-4d696c6c-7261-6365-2064-6f75626c65{index:02x}")
}

fn only(reading: Reading) -> GpuHealth {
	let [gpu] = <[GpuHealth; 1]>::try_from(reading.gpus).unwrap();
	gpu
}

fn divided() -> Value {
	let instance = |uuid: &str, number: u32| {
		json!({
			"uuid": uuid, "profile": "1g.18gb", "memory-bytes": 3_u64 << 30, "gpu-slices": 1, "compute-slices": 1,
			"gpu-instance": number, "compute-instance": 0,
		})
	};
	let instances = [instance(FIRST, 7), instance(SECOND, 8)];
	json!({ "gpus": [{ "mig": true, "instances": instances }, {}] })
}

const FIRST: &str = "MIG-00112233-4455-6677-8899-aabbccddeeff";
const SECOND: &str = "MIG-10112233-4455-6677-8899-aabbccddeeff";

#[test]
fn what_a_gpu_says_is_read() {
	let double = Double::nvml(&json!({ "gpus": [{ "throttle": 1 | 4 | 64, "energy": 5_000_000_000_u64 }] }));
	let expected = GpuHealth {
		uuid: Some(uuid(0)),
		state: GpuState::Working,
		name: Some("Millrace NVML test double".into()),
		bus_id: Some("00000000:01:00.0".into()),
		driver: Some("550.54.15".into()),
		temperature_c: Some(35),
		power_mw: Some(75_000),
		power_limit_mw: Some(700_000),
		energy_mj: Some(5_000_000_000),
		sm_clock_mhz: Some(345),
		memory_clock_mhz: Some(2_619),
		throttling: Some(vec![Throttling::SwPowerCap, Throttling::HwThermalSlowdown]),
		uncorrected_ecc_errors: Some(0),
		pages_pending: None,
		rows_pending: Some(false),
		rows_failed: Some(false),
		memory_used_bytes: Some(1 << 30),
		memory_total_bytes: Some(4 << 30),
		mig: Some(false),
		instances: vec![],
	};
	assert_eq!(only(double.load().unwrap().read().unwrap()), expected);
}

#[test]
fn what_a_gpu_does_not_support_is_left_open() {
	let none = json!({
		"bus-id": null, "temperature": null, "power": null, "power-limit": null, "energy": null, "sm-clock": null,
		"memory-clock": null, "throttle": null, "ecc-errors": null, "rows-pending": null, "rows-failed": null,
		"memory": null, "mig": null, "events": false,
	});
	let double = Double::nvml(&json!({ "gpus": [none] }));
	let nvml = double.load().unwrap();
	let expected = GpuHealth {
		uuid: Some(uuid(0)),
		name: Some("Millrace NVML test double".into()),
		driver: Some("550.54.15".into()),
		..GpuHealth::default()
	};
	assert_eq!(only(nvml.read().unwrap()), expected);
	// It reports no errors either, which is waited for in vain.
	let watch = nvml.watch().unwrap();
	assert_eq!(watch.gpus().count(), 0);
	assert_eq!(watch.wait(Duration::from_millis(1)), Ok(Waited::Nothing));
}

#[test]
fn memory_that_waits_for_a_reset_is_told() {
	let gpu = json!({ "ecc-errors": 3, "pages-pending": true, "rows-pending": true, "rows-failed": true });
	let gpu = only(Double::nvml(&json!({ "gpus": [gpu] })).load().unwrap().read().unwrap());
	assert_eq!(gpu.uncorrected_ecc_errors, Some(3));
	assert_eq!((gpu.pages_pending, gpu.rows_pending, gpu.rows_failed), (Some(true), Some(true), Some(true)));
}

#[test]
fn a_lost_gpu_is_a_state_and_hides_no_other() {
	let lost = json!({ "gpus": [{ "error": 15 }, {}] });
	let double = Double::nvml(&json!({ "gpus": [{}, {}] }));
	let nvml = double.load().unwrap();
	assert!(nvml.read().unwrap().gpus.iter().all(|gpu| gpu.state == GpuState::Working));
	double.order(&lost);
	let [first, second] = <[_; 2]>::try_from(nvml.read().unwrap().gpus).unwrap();
	// What was known of it before is still said, and nothing that was measured.
	assert_eq!((first.uuid, first.state, first.temperature_c), (Some(uuid(0)), GpuState::Lost, None));
	assert_eq!(first.name.as_deref(), Some("Millrace NVML test double"));
	assert_eq!(
		(second.uuid, second.state, second.temperature_c),
		(Some(uuid(1)), GpuState::Working, Some(35))
	);
	// Whoever comes now does not learn which it is.
	let late = Double::nvml(&lost).load().unwrap().read().unwrap();
	assert_eq!((late.gpus[0].uuid.clone(), late.gpus[0].state.clone()), (None, GpuState::Lost));
	assert_eq!(late.gpus[1].uuid, Some(uuid(1)));
}

#[test]
fn other_states_are_told_apart() {
	for (code, state) in [
		(16, GpuState::ResetRequired),
		(
			4,
			GpuState::Unreadable(
				"the current user does not have permission to perform this operation".into(),
			),
		),
		(4_000, GpuState::Unreadable("unexpected enum variant value: 4000".into())),
	] {
		let double = Double::nvml(&json!({ "gpus": [{ "error": code }] }));
		assert_eq!(only(double.load().unwrap().read().unwrap()).state, state);
	}
}

#[test]
fn a_machine_without_nvml_is_told_in_clear_words() {
	let load = |path: &str| {
		let _variables = Variables::set(&[(LIBRARY_VARIABLE, path)]);
		Nvml::load().err().unwrap().to_string()
	};
	let missing = load("/nonexistent/libnvidia-ml.so.1");
	assert!(missing.starts_with("/nonexistent/libnvidia-ml.so.1 was not found: "), "{missing}");
	let other = load("libm.so.6");
	assert!(other.starts_with("libm.so.6 is not NVML: ") && other.contains("nvmlInit_v2"), "{other}");
	let no_driver = Double::nvml(&json!({ "init-error": 9 })).load().err().unwrap();
	assert_eq!(no_driver.to_string(), "NVML does not work: NVIDIA driver is not loaded");
	// An order that cannot be understood is none that is left out.
	let wrong = Double::nvml(&json!({ "gpu": 1 })).load().err().unwrap();
	assert_eq!(wrong.to_string(), "NVML does not work: an internal driver error occurred");
}

#[test]
fn a_library_that_fails_later_is_an_error_and_no_empty_list() {
	let double = Double::nvml(&json!({}));
	let nvml = double.load().unwrap();
	double.order(&json!({ "broken": 999 }));
	let broken = NvmlUnavailable::Broken("an internal driver error occurred".into());
	assert_eq!(nvml.read().err(), Some(broken.clone()));
	assert_eq!(nvml.watch().err(), Some(broken));
}

#[test]
fn errors_arrive_when_they_are_reported() {
	let gpus = json!([{}, { "events": false }, {}]);
	let double = Double::nvml(&json!({ "gpus": gpus }));
	let nvml = double.load().unwrap();
	let watch = nvml.watch().unwrap();
	assert_eq!(watch.gpus().collect::<Vec<_>>(), [uuid(0), uuid(2)]);
	let start = Instant::now();
	assert_eq!(watch.wait(Duration::from_millis(100)), Ok(Waited::Nothing));
	assert!(start.elapsed() >= Duration::from_millis(90), "{:?}", start.elapsed());

	thread::scope(|scope| {
		scope.spawn(|| {
			thread::sleep(Duration::from_millis(100));
			let xids = json!([{ "gpu": 2, "code": 31 }, { "gpu": 1, "code": 13 }, { "gpu": 0, "code": 79 }]);
			double.order(&json!({ "gpus": gpus, "xids": xids }));
		});
		let start = Instant::now();
		let event = watch.wait(Duration::from_secs(10));
		assert_eq!(event, Ok(Waited::Event(XidEvent::new(uuid(2), 31))));
		assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
	});
	let last = watch.wait(Duration::from_secs(1));
	assert_eq!(last, Ok(Waited::Event(XidEvent::new(uuid(0), 79))));
}

#[test]
fn the_error_of_a_gpu_that_is_lost_has_its_uuid() {
	let double = Double::nvml(&json!({ "gpus": [{}, {}] }));
	let nvml = double.load().unwrap();
	let watch = nvml.watch().unwrap();
	double.order(&json!({ "gpus": [{}, { "error": 15 }], "xids": [{ "gpu": 1, "code": 79 }] }));
	let event = XidEvent::new(uuid(1), 79);
	assert_eq!(watch.wait(Duration::from_secs(1)), Ok(Waited::Event(event)));
	// From now on there is no waiting, but a new watch goes on with the other one.
	assert_eq!(watch.wait(Duration::from_secs(60)), Ok(Waited::GpuLost));
	let others = nvml.watch().unwrap();
	assert_eq!(others.gpus().collect::<Vec<_>>(), [uuid(0)]);
	assert_eq!(others.wait(Duration::from_millis(1)), Ok(Waited::Nothing));
}

#[test]
fn the_instances_of_a_divided_gpu_are_read() {
	let reading = Double::nvml(&divided()).load().unwrap().read().unwrap();
	let [first, second] = <[_; 2]>::try_from(reading.gpus).unwrap();
	assert_eq!((first.mig, first.instances.len()), (Some(true), 2));
	let expected = MigInstance {
		uuid: FIRST.into(),
		name: Some("Millrace NVML test double MIG 1g.18gb".into()),
		memory_bytes: Some(3 << 30),
		gpu_slices: Some(1),
		compute_slices: Some(1),
		gpu_instance: Some(7),
		compute_instance: Some(0),
		compute_capability: Some((8, 0)),
	};
	assert_eq!(first.instances[0], expected);
	assert_eq!((second.mig, second.instances), (Some(false), vec![]));
}

/// CUDA and NVML on the same machine.
struct Machine {
	cuda: Double,
	nvml: Double,
}

impl Machine {
	/// The first of two GPUs is divided.
	fn divided() -> Self {
		let instances = json!([{ "uuid": FIRST, "memory-bytes": 5 }, { "uuid": SECOND, "memory-bytes": 6 }]);
		let cuda = Double::new("cuda", &json!({ "devices": 2, "instances": instances }));
		Self { cuda, nvml: Double::nvml(&divided()) }
	}

	/// Does something on it while the operator shows what `visible` names.
	fn with<R>(&self, visible: Option<&str>, run: impl FnOnce() -> R) -> R {
		let (cuda, nvml) = (self.cuda.library(), self.nvml.library());
		let mut variables = vec![
			(cuda::LIBRARY_VARIABLE, cuda.to_str().unwrap()),
			(LIBRARY_VARIABLE, nvml.to_str().unwrap()),
		];
		variables.extend(visible.map(|visible| (cuda::VISIBLE_VARIABLE, visible)));
		let _variables = Variables::set(&variables);
		run()
	}
}

#[test]
fn jobs_are_offered_instances_in_the_place_of_a_divided_gpu() {
	let machine = Machine::divided();
	let list = machine.with(None, listing::enumerate).unwrap();
	let found: Vec<_> = list.iter().map(|info| (info.uuid.as_str(), info.memory_bytes)).collect();
	assert_eq!(found, [(uuid(1).as_str(), 4 << 30), (FIRST, 3 << 30), (SECOND, 3 << 30)]);
	assert_eq!(list[2].name, "Millrace NVML test double MIG 1g.18gb");
	assert_eq!((list[2].driver.as_deref(), list[2].compute_capability), (Some("12.4"), Some((8, 0))));
}

#[test]
fn an_instance_is_opened_where_it_is_all_that_is_shown() {
	let open = |visible: &str, wanted: &str| {
		let opened = Machine::divided().with(Some(visible), || CudaDevice::open(Some(wanted)));
		opened.map(|device| (device.info().uuid.clone(), device.info().memory_bytes))
	};
	assert_eq!(open(SECOND, SECOND), Ok((SECOND.into(), 6)));
	assert_eq!(open(&uuid(1), &uuid(1)), Ok((uuid(1), 4 << 30)));
	let unknown = |found: &[&str]| CudaUnavailable::UnknownDevice {
		wanted: SECOND.into(),
		found: found.iter().map(|uuid| (*uuid).into()).collect(),
	};
	assert_eq!(open(FIRST, SECOND), Err(unknown(&[FIRST])));
	// A GPU that is not there leaves nothing to be shown.
	assert_eq!(open("GPU-none", SECOND), Err(unknown(&[])));
	let words = "there is no GPU MIG-10112233-4455-6677-8899-aabbccddeeff here; `millrace-executor devices` lists those that can \
		be used";
	assert_eq!(unknown(&[]).to_string(), words);
}

#[test]
fn without_nvml_the_list_is_what_cuda_shows() {
	let double = Double::new("cuda", &json!({ "devices": 2 }));
	let library = double.library();
	let variables =
		[(cuda::LIBRARY_VARIABLE, library.to_str().unwrap()), (LIBRARY_VARIABLE, "/nonexistent/nvml.so")];
	let _variables = Variables::set(&variables);
	let list = listing::enumerate().unwrap();
	assert_eq!(list.iter().map(|info| info.uuid.clone()).collect::<Vec<_>>(), [uuid(0), uuid(1)]);
}
