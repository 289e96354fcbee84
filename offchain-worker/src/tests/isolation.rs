//! GPUs are offered only where jobs are kept in bounds, or where the operator says so.

use crate::{devices, executors::Executors, DeviceChoice, DeviceRules};
use millrace_executor::{
	Cancel, Checkpoint, Confinement, DeviceInfo, DeviceList, DeviceSelector, ExecutorError, JobOutput,
	JobRequest, Kind, MonitorMessage,
};
use std::{
	path::Path,
	sync::{atomic::AtomicBool, Arc},
};

/// Takes a measure away.
type Without = fn(&mut Confinement);

/// A machine with a GPU, on which everything took effect but what is said.
struct Machine(Without);

impl Executors for Machine {
	fn devices(&self) -> Result<DeviceList, ExecutorError> {
		let gpu = DeviceInfo {
			kind: Kind::Cuda,
			name: "GPU".into(),
			memory_bytes: 1 << 30,
			uuid: "GPU-1".into(),
			driver: None,
			compute_capability: None,
		};
		Ok(DeviceList { gpus: vec![gpu], cuda_unavailable: None })
	}

	fn confinement(&self) -> Result<Confinement, ExecutorError> {
		let mut confinement = Confinement {
			dies_with_parent: true,
			not_traceable: true,
			no_core_file: true,
			no_new_privileges: true,
			no_network: true,
			bounded_memory: true,
			no_foreign_files: true,
			no_foreign_calls: true,
			control_group: true,
		};
		(self.0)(&mut confinement);
		Ok(confinement)
	}

	fn watch(&self, _: &AtomicBool, _: &mut dyn FnMut(MonitorMessage)) -> Result<(), ExecutorError> {
		unreachable!("nothing is watched while devices are looked for")
	}

	fn prepare(&self, _: Vec<u8>, _: &DeviceSelector, _: &Cancel) -> Result<Vec<u8>, ExecutorError> {
		unreachable!("nothing is compiled while devices are looked for")
	}

	fn run(
		&self,
		_: Arc<JobRequest>,
		_: &Cancel,
		_: &mut dyn FnMut(Checkpoint),
	) -> Result<JobOutput, ExecutorError> {
		unreachable!("nothing is run while devices are looked for")
	}
}

fn find(without: Without, accepted: bool) -> Result<usize, String> {
	let rules = DeviceRules { kind: DeviceChoice::Cuda, gpus: Vec::new(), accept_weak_isolation: accepted };
	devices::find(&Machine(without), &rules, Path::new("/nowhere")).map(|found| found.len())
}

#[test]
fn only_the_gpus_that_the_operator_names_are_offered() {
	let named = |uuids: &[&str]| {
		let gpus = uuids.iter().map(|uuid| (*uuid).into()).collect();
		let rules = DeviceRules { gpus, ..DeviceRules::default() };
		devices::find(&Machine(|_| {}), &rules, Path::new("/nowhere")).map(|found| found.len())
	};
	assert_eq!(named(&["GPU-1"]), Ok(1));
	let absent = named(&["GPU-1", "GPU-2"]).unwrap_err();
	assert_eq!(absent, "--worker-gpus names GPU-2, which is not here; there are: GPU-1");
}

#[test]
fn a_gpu_is_offered_where_jobs_are_kept_in_bounds() {
	assert_eq!(find(|_| {}, false), Ok(1));
}

#[test]
fn a_gpu_is_offered_where_nobody_can_make_control_groups() {
	assert_eq!(find(|on| on.control_group = false, false), Ok(1));
}

#[test]
fn a_gpu_is_not_offered_where_one_measure_is_missing() {
	let missing: [(Without, &str); 8] = [
		(|on| on.dies_with_parent = false, "dies with parent"),
		(|on| on.not_traceable = false, "not traceable"),
		(|on| on.no_core_file = false, "no core file"),
		(|on| on.no_new_privileges = false, "no new privileges"),
		(|on| on.no_network = false, "no network"),
		(|on| on.bounded_memory = false, "bounded memory"),
		(|on| on.no_foreign_files = false, "no foreign files"),
		(|on| on.no_foreign_calls = false, "no foreign calls"),
	];
	for (without, name) in missing {
		let refused = find(without, false).unwrap_err();
		assert!(refused.contains(&format!("(not in effect: {name})")), "{refused}");
		assert!(refused.contains("--worker-accept-weak-isolation"), "{refused}");
		assert_eq!(find(without, true), Ok(1), "{name}");
	}
}
