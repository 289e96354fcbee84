//! Which GPUs and instances a job's process is shown, with the test doubles of both libraries of the driver.

#![cfg(test)]

mod doubles;

use doubles::Double;
use serde_json::{json, Value};
use std::{
	path::PathBuf,
	process::{Command, Output},
};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");
const SECOND_GPU: &str = "GPU-4d696c6c-7261-6365-2064-6f75626c6501";
const INSTANCES: [&str; 2] =
	["MIG-00112233-4455-6677-8899-aabbccddeeff", "MIG-10112233-4455-6677-8899-aabbccddeeff"];

/// A machine with two GPUs of which the first may be divided.
struct Machine {
	cuda: Double,
	nvml: Double,
}

impl Machine {
	fn new(cuda: &Value, nvml: &Value) -> Self {
		Self { cuda: Double::new("cuda", cuda), nvml: Double::new("nvml", nvml) }
	}

	fn divided() -> Self {
		let of_cuda = INSTANCES.map(|uuid| json!({ "uuid": uuid, "memory-bytes": 1_u64 << 30 }));
		let of_nvml = INSTANCES.map(|uuid| {
			json!({
				"uuid": uuid, "profile": "1g.18gb", "memory-bytes": 1_u64 << 30, "gpu-slices": 1, "compute-slices": 1,
				"gpu-instance": 7, "compute-instance": 0,
			})
		});
		let nvml = json!({ "gpus": [{ "mig": true, "instances": of_nvml }, {}] });
		Self::new(&json!({ "devices": 2, "instances": of_cuda }), &nvml)
	}

	fn program(&self, arguments: &[&str]) -> Output {
		let mut command = Command::new(PROGRAM);
		command.args(arguments).env_remove("CUDA_VISIBLE_DEVICES");
		command.env("MILLRACE_LIBCUDA", self.cuda.library()).env("MILLRACE_LIBNVML", self.nvml.library());
		command.output().unwrap()
	}

	/// Runs the digits job on a device. Returns whether that went well, and what was said.
	fn run_digits(&self, device: &str) -> (bool, String) {
		let digits = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../jobs/digits");
		let paths = [digits.join("plan.json"), digits, self.cuda.path("out.bin")];
		let [plan, blobs, out] = paths.each_ref().map(|path| path.to_str().unwrap());
		let output =
			self.program(&["run", "--plan", plan, "--blobs", blobs, "--out", out, "--device", device]);
		let said = [output.stdout, output.stderr].concat();
		(output.status.success(), String::from_utf8(said).unwrap())
	}
}

#[test]
fn a_job_runs_on_an_instance() {
	let machine = Machine::divided();
	let list = String::from_utf8(machine.program(&["devices"]).stdout).unwrap();
	let expected = format!(
		"reference  the CPU, interpreting PTX\n\
		 cuda:{SECOND_GPU}  Millrace CUDA test double 1, 4096 MiB, compute capability 8.0, CUDA 12.4\n\
		 cuda:{}  Millrace NVML test double MIG 1g.18gb, 1024 MiB, compute capability 8.0, CUDA 12.4\n\
		 cuda:{}  Millrace NVML test double MIG 1g.18gb, 1024 MiB, compute capability 8.0, CUDA 12.4\n",
		INSTANCES[0], INSTANCES[1],
	);
	assert_eq!(list, expected);
	for uuid in INSTANCES {
		let (fine, text) = machine.run_digits(&format!("cuda:{uuid}"));
		assert!(fine && text.contains("device  Millrace CUDA test double 0 MIG\n"), "{text}");
	}
	let (fine, text) = machine.run_digits(&format!("cuda:{SECOND_GPU}"));
	assert!(fine && text.contains("device  Millrace CUDA test double 1\n"), "{text}");
	// The divided GPU is no device any more.
	let (fine, text) = machine.run_digits("cuda:GPU-4d696c6c-7261-6365-2064-6f75626c6500");
	assert!(
		!fine && text.contains("there is no GPU GPU-4d696c6c-7261-6365-2064-6f75626c6500 here"),
		"{text}"
	);
}

#[test]
fn a_jobs_process_sees_its_gpu_and_no_other() {
	// What a launch of this double reaches for, besides files and programs, is another GPU.
	let config = json!({ "devices": 2, "faults": [{ "launch": 1, "kind": "neighbour" }] });
	let machine = Machine::new(&config, &json!({ "gpus": [{}, {}] }));
	let (fine, text) = machine.run_digits(&format!("cuda:{SECOND_GPU}"));
	assert!(fine && text.contains("device  Millrace CUDA test double 1\n"), "{text}");
	// So that the test says something: where no GPU is named, all are seen.
	let (fine, text) = machine.run_digits("cuda");
	assert!(!fine && text.contains("998"), "{text}");
}
