//! The production loader and driver, on the test double of `libcuda.so.1`.

#![cfg(test)]

use millrace_device::{
	conformance::{cases, Case, Outcome, FAULTS},
	cuda::{enumerate, CudaDevice, CudaUnavailable, LIBRARY_VARIABLE},
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, Device, DeviceError, JobError, JobOutput, Kind, RunLimits, TimeLimit,
};
use millrace_job::Limits;
use std::{
	collections::BTreeMap,
	env, fs,
	path::PathBuf,
	sync::{Mutex, PoisonError},
	time::Duration,
};
use tempfile::TempDir;

/// The environment belongs to the whole process.
static ENVIRONMENT: Mutex<()> = Mutex::new(());

/// A copy of the double with orders of its own, and so with a state of its own.
struct Double {
	_folder: TempDir,
	library: PathBuf,
}

impl Double {
	fn new(config: &str) -> Self {
		let built = env::current_exe().unwrap().with_file_name("libmillrace_cuda_double.so");
		let folder = tempfile::tempdir().unwrap();
		let library = folder.path().join("libcuda.so.1");
		fs::copy(&built, &library).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
		fs::write(folder.path().join("libcuda.so.1.json"), config).unwrap();
		Self { _folder: folder, library }
	}

	/// Does something while the driver's library is the double.
	fn with<R>(&self, run: impl FnOnce() -> R) -> R {
		let _guard = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
		env::set_var(LIBRARY_VARIABLE, &self.library);
		let result = run();
		env::remove_var(LIBRARY_VARIABLE);
		result
	}

	fn open(&self) -> Result<CudaDevice, CudaUnavailable> {
		self.with(|| CudaDevice::open(None))
	}

	/// Contexts that were made and not destroyed.
	fn live_contexts(&self) -> usize {
		// SAFETY: the library is the double, whose initialisers do nothing.
		#[expect(unsafe_code, reason = "a library's function is foreign")]
		let library = unsafe { libloading::Library::new(&self.library) }.unwrap();
		// SAFETY: the double declares it so.
		#[expect(unsafe_code, reason = "a library's function is foreign")]
		let count = unsafe { library.get::<extern "C" fn() -> usize>(b"millrace_double_live_contexts") };
		count.unwrap()()
	}
}

fn case(name: &str) -> Case {
	cases().into_iter().find(|case| case.name == name).unwrap()
}

fn run_for(device: &mut dyn Device, case: &Case, wall_clock: Duration) -> Result<JobOutput, JobError> {
	let limits = RunLimits { plan: Limits::MAX, wall_clock, launch: wall_clock, checkpoints: None };
	run_plan(device, &case.plan, &case.blobs, None, &limits, &mut |_| {})
}

fn run(device: &mut dyn Device, name: &str) -> Result<JobOutput, DeviceError> {
	run_for(device, &case(name), Duration::from_secs(60)).map_err(|error| match error {
		JobError::Device(error) => error,
		other => panic!("{other}"),
	})
}

#[test]
fn it_says_what_it_is() {
	let double = Double::new(r#"{ "devices": 3, "memory-bytes": 1048576 }"#);
	let gpus = double.with(enumerate).unwrap();
	assert_eq!(gpus.len(), 3);
	assert_eq!(gpus[2].name, "Millrace CUDA test double 2");
	assert_eq!((gpus[2].kind, gpus[2].memory_bytes), (Kind::Cuda, 1 << 20));
	assert_eq!((gpus[2].driver.as_deref(), gpus[2].compute_capability), (Some("12.4"), Some((8, 0))));
	assert_eq!(gpus[0].uuid, "GPU-4d696c6c-7261-6365-2064-6f75626c6500");
	assert_ne!(gpus[0].uuid, gpus[1].uuid);
	let second = double.with(|| CudaDevice::open(Some(&gpus[1].uuid))).unwrap();
	assert_eq!(second.info(), &gpus[1]);
	let unknown = double.with(|| CudaDevice::open(Some("GPU-none"))).err().unwrap();
	let found = gpus.iter().map(|gpu| gpu.uuid.clone()).collect();
	assert_eq!(unknown, CudaUnavailable::UnknownDevice { wanted: "GPU-none".into(), found });
}

#[test]
fn a_machine_without_gpus_and_a_driver_that_does_not_work_are_told_apart() {
	let none = Double::new(r#"{ "devices": 0 }"#);
	assert_eq!(none.with(enumerate), Ok(Vec::new()));
	assert_eq!(none.open().err(), Some(CudaUnavailable::NoDevice));
	let broken = Double::new(r#"{ "broken": 803 }"#);
	let words = "cuInit returned 803 (SYSTEM_DRIVER_MISMATCH)";
	assert_eq!(broken.with(enumerate), Err(CudaUnavailable::Broken(words.into())));
	// An order that cannot be understood is none that is left out.
	let wrong = Double::new(r#"{ "device": 1 }"#);
	assert!(matches!(wrong.with(enumerate), Err(CudaUnavailable::Broken(_))));
}

#[test]
fn it_conforms_to_the_reference_device() {
	let double = Double::new("{}");
	for case in cases() {
		let reference = case.run(&mut ReferenceDevice::new("test", MEMORY_BYTES, u64::MAX));
		let is_fault = FAULTS.contains(&case.name);
		assert_eq!(matches!(reference, Outcome::KernelFault), is_fault, "{}: {reference:?}", case.name);
		assert_eq!(matches!(reference, Outcome::Output(_)), !is_fault, "{}: {reference:?}", case.name);
		assert_eq!(case.run(&mut double.open().unwrap()), reference, "{}", case.name);
	}
	assert_eq!(double.live_contexts(), 0);
}

#[test]
fn a_kernels_fault_sticks_to_its_context_and_to_no_other() {
	let double = Double::new(r#"{ "faults": [{ "launch": 2, "kind": { "sticky": 700 } }] }"#);
	let mut first = double.open().unwrap();
	let mut second = double.open().unwrap();
	assert!(run(&mut first, "barriers").is_ok());
	let fault = DeviceError::KernelFault("cuStreamQuery returned 700 (ILLEGAL_ADDRESS)".into());
	assert_eq!(run(&mut second, "barriers"), Err(fault));
	// Whatever is asked of it now has the same answer.
	let text = "cuMemAlloc_v2 returned 700 (ILLEGAL_ADDRESS)";
	assert_eq!(second.alloc(8), Err(DeviceError::KernelFault(text.into())));
	assert!(first.alloc(8).is_ok());
	drop(second);
	assert_eq!(double.live_contexts(), 1);
	assert!(run(&mut double.open().unwrap(), "barriers").is_ok());
}

#[test]
fn a_kernel_that_hangs_is_given_up_in_time() {
	let double = Double::new(r#"{ "faults": [{ "launch": 1, "kind": "hang" }] }"#);
	let limit = Duration::from_millis(300);
	let ended = run_for(&mut double.open().unwrap(), &case("barriers"), limit);
	assert_eq!(ended, Err(JobError::Device(DeviceError::TimedOut(TimeLimit::WallClock(limit)))));
}

/// So that a test in which nothing is in reach says something.
#[test]
fn without_an_executor_everything_is_in_reach() {
	let double = Double::new(r#"{ "faults": [{ "launch": 1, "kind": "escape" }] }"#);
	let out = DeviceError::Lost("cuStreamQuery returned 998".into());
	assert_eq!(run(&mut double.open().unwrap(), "barriers"), Err(out));
}

#[test]
fn a_kernel_that_is_slow_is_waited_for() {
	let double = Double::new(r#"{ "slow-ms": 200 }"#);
	let output = run(&mut double.open().unwrap(), "barriers").unwrap();
	assert!(output.busy >= Duration::from_millis(200), "{:?}", output.busy);
}

#[test]
fn a_device_that_is_lost_is_lost_for_everybody() {
	let double = Double::new(r#"{ "faults": [{ "launch": 2, "kind": "lost" }] }"#);
	let mut device = double.open().unwrap();
	assert!(run(&mut device, "barriers").is_ok());
	let lost = DeviceError::Lost("cuLaunchKernel returned 999 (UNKNOWN)".into());
	assert_eq!(run(&mut device, "barriers"), Err(lost));
	let broken = CudaUnavailable::Broken("cuInit returned 999 (UNKNOWN)".into());
	assert_eq!(double.open().err(), Some(broken));
}

#[test]
fn the_drivers_refusals_name_their_cause() {
	let old = Double::new(r#"{ "load-error": 222 }"#);
	let words = "cuModuleLoadDataEx returned 222 (UNSUPPORTED_PTX_VERSION): ordered by the test";
	let refused = run(&mut old.open().unwrap(), "barriers");
	assert_eq!(refused, Err(DeviceError::KernelRejected(words.into())));
	let small = Double::new(r#"{ "memory-bytes": 4 }"#);
	let mut device = small.open().unwrap();
	assert!(device.alloc(4).is_ok());
	let full = DeviceError::OutOfMemory("cuMemAlloc_v2 returned 2 (OUT_OF_MEMORY)".into());
	assert_eq!(device.alloc(1), Err(full));
}

/// What every device made of the suite that was ever recorded: a GPU's record says when and by which driver.
#[test]
fn the_recorded_outcomes_are_those_of_the_reference_device() {
	let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("conformance");
	let mut expected = BTreeMap::new();
	for case in cases() {
		let outcome = case.run(&mut ReferenceDevice::new("test", MEMORY_BYTES, u64::MAX));
		expected.insert(case.name.to_owned(), outcome);
	}
	let mut records = 0;
	for entry in fs::read_dir(&folder).unwrap() {
		let path = entry.unwrap().path();
		let record: serde_json::Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
		let outcomes: BTreeMap<String, Outcome> = serde_json::from_value(record["outcomes"].clone()).unwrap();
		assert_eq!(outcomes, expected, "{}", path.display());
		records += 1;
	}
	assert!(records > 0);
}
