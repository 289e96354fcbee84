//! Jobs through the real program: the digits job, and how each kind of failure comes back.

#![cfg(test)]

use millrace_executor::{
	Cancel, Checkpoint, Checkpoints, DeviceSelector, Executor, ExecutorError, FailureKind, JobLimits,
	JobOutput, JobRequest, Update,
};
use millrace_job::{Argument, BlobHash, Buffer, Launch, Plan};
use std::{fs, path::PathBuf, process::Command, sync::Arc, time::Duration};

const PROGRAM: &str = env!("CARGO_BIN_EXE_millrace-executor");

const KERNEL: &str = "
.version 7.1
.target sm_70
.address_size 64
.visible .entry spin() {
AGAIN:
	bra AGAIN;
}
.visible .entry store(.param .u64 data, .param .u64 offset) {
	.reg .b32 %r<2>;
	.reg .b64 %rd<4>;
	ld.param.u64 %rd1, [data];
	ld.param.u64 %rd2, [offset];
	add.s64 %rd3, %rd1, %rd2;
	mov.u32 %r1, 7;
	st.global.u32 [%rd3], %r1;
	ret;
}
";

fn digits(name: &str) -> PathBuf {
	PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../jobs/digits").join(name)
}

/// A plan that stores 7 at an offset in a buffer of 8 bytes.
fn plan(entry: &str, offset: u64) -> Plan {
	let arguments = match entry {
		"store" => vec![Argument::Buffer("data".into()), Argument::U64(offset)],
		_ => vec![],
	};
	Plan {
		version: 1,
		kernel: BlobHash::of(KERNEL.as_bytes()),
		buffers: vec![Buffer { name: "data".into(), bytes: 8, input: None }],
		launches: vec![Launch {
			entry: entry.into(),
			grid: [1; 3],
			block: [1; 3],
			shared_bytes: 0,
			arguments,
		}],
		outputs: vec!["data".into()],
	}
}

fn request(plan: &Plan, limits: JobLimits) -> JobRequest {
	let blobs = vec![KERNEL.as_bytes().to_vec()];
	let plan = serde_json::to_vec(plan).unwrap();
	JobRequest { plan, blobs, resume: None, compiled: None, device: DeviceSelector::Reference, limits }
}

fn run(request: JobRequest) -> Result<JobOutput, ExecutorError> {
	Executor::new(PROGRAM).run_job(Arc::new(request), &Cancel::new(), &mut |_| {})
}

/// What kind of failure a request has, and its message.
fn failure(request: JobRequest) -> (FailureKind, String) {
	match run(request) {
		Err(ExecutorError::Failed(failure)) => (failure.kind, failure.message),
		other => panic!("{other:?}"),
	}
}

#[test]
fn the_digits_job_gives_the_committed_output() {
	let blobs =
		["weights.bin", "images.bin", "labels.bin", "kernel.ptx"].map(|name| fs::read(digits(name)).unwrap());
	let plan = fs::read(digits("plan.json")).unwrap();
	let limits = JobLimits { output_bytes: 1_797, ..JobLimits::default() };
	let mut seen = Vec::new();
	let blobs = blobs.into();
	let request =
		JobRequest { plan, blobs, resume: None, compiled: None, device: DeviceSelector::Reference, limits };
	let output = Executor::new(PROGRAM)
		.run_job(Arc::new(request), &Cancel::new(), &mut |update| {
			if let Update::Progress(progress) = update {
				seen.push(progress);
			}
		})
		.unwrap();
	let expected = fs::read_to_string(digits("expected.blake3")).unwrap();
	assert_eq!(BlobHash::of(&output.bytes).to_string(), expected.trim());
	assert_eq!(output.launches, 2);
	assert_eq!(output.device, "Millrace reference device");
	assert_eq!(seen.last().map(|last| last.launches_done), Some(2));
}

#[test]
fn a_job_stores_what_it_should() {
	let output = run(request(&plan("store", 4), JobLimits::default())).unwrap();
	assert_eq!(output.bytes, [0, 0, 0, 0, 7, 0, 0, 0]);
}

#[test]
fn a_job_goes_on_from_a_checkpoint_in_another_process() {
	// Each launch stores 7 at another place; the first two places are stored by the first two launches.
	let mut plan = plan("store", 0);
	plan.buffers[0].bytes = 16;
	plan.launches = [0, 4, 8, 12].map(|offset| self::plan("store", offset).launches.remove(0)).into();
	let often = Checkpoints { interval: Duration::ZERO, max_bytes: 16 };
	let limits = JobLimits { checkpoints: Some(often), ..JobLimits::default() };
	let mut states = Vec::new();
	let whole = Executor::new(PROGRAM)
		.run_job(Arc::new(request(&plan, limits)), &Cancel::new(), &mut |update| {
			if let Update::Checkpoint(state) = update {
				states.push(state);
			}
		})
		.unwrap();
	assert_eq!(states.iter().map(|state| state.launches_done).collect::<Vec<_>>(), [1, 2, 3]);
	assert_eq!(states[1].bytes, [7, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
	let resume = Some(states.remove(1));
	let rest = run(JobRequest { resume, ..request(&plan, JobLimits::default()) }).unwrap();
	assert_eq!((&rest.bytes, rest.launches), (&whole.bytes, 2));
	// Without the first place in the state, the output shows that the first launch was left out.
	let bytes = [[0; 4], [7, 0, 0, 0], [0; 4], [0; 4]].concat();
	let resume = Some(Checkpoint { launches_done: 2, bytes });
	let rest = run(JobRequest { resume, ..request(&plan, JobLimits::default()) }).unwrap();
	assert_eq!(rest.bytes, [[0; 4], [7, 0, 0, 0], [7, 0, 0, 0], [7, 0, 0, 0]].concat());
	// One that does not fit is no failure.
	let resume = Some(Checkpoint { launches_done: 4, bytes: vec![0; 16] });
	let rest = run(JobRequest { resume, ..request(&plan, JobLimits::default()) }).unwrap();
	assert_eq!((rest.bytes, rest.launches), (whole.bytes, 4));
}

#[test]
fn failures_come_back_with_their_kind_and_reason() {
	let limits = JobLimits::default();
	let good = || request(&plan("store", 4), limits);
	for (request, kind, words) in [
		(
			JobRequest { plan: b"{\"version\":1}".to_vec(), ..good() },
			FailureKind::PlanInvalid,
			"missing field",
		),
		(
			request(&plan("store", 4), JobLimits { buffer_bytes: 7, ..limits }),
			FailureKind::PlanInvalid,
			"the buffers have 8 bytes in all, the limit is 7",
		),
		(
			request(&plan("store", 4), JobLimits { output_bytes: 7, ..limits }),
			FailureKind::PlanInvalid,
			"the output has 8 bytes, the limit is 7",
		),
		(
			JobRequest { blobs: vec![], ..good() },
			FailureKind::BlobMissing(BlobHash::of(KERNEL.as_bytes())),
			"is missing",
		),
		(request(&plan("absent", 4), limits), FailureKind::KernelRejected, "no entry point `absent`"),
		(request(&plan("store", 6), limits), FailureKind::KernelFault, "misaligned"),
		(request(&plan("store", 8), limits), FailureKind::KernelFault, "out of bounds"),
		(
			request(&plan("spin", 0), JobLimits { steps: 1_000, ..limits }),
			FailureKind::TimedOut,
			"kernel did not end within 1000 steps",
		),
	] {
		let (found, message) = failure(request);
		assert_eq!(found, kind, "{message}");
		assert!(message.contains(words), "{message}");
	}
}

#[test]
fn a_kernel_that_never_ends_is_stopped_by_the_clock() {
	let limits =
		JobLimits { wall_clock: Duration::from_millis(600), steps: u64::MAX, ..JobLimits::default() };
	let (kind, message) = failure(request(&plan("spin", 0), limits));
	assert_eq!(kind, FailureKind::TimedOut);
	assert!(message.contains("did not end within"), "{message}");
}

#[test]
fn a_gpu_that_is_not_here_is_no_fault_of_the_job() {
	let device = DeviceSelector::Cuda(Some("GPU-00000000-0000-0000-0000-000000000000".into()));
	let (kind, message) = failure(JobRequest { device, ..request(&plan("store", 4), JobLimits::default()) });
	assert_eq!(kind, FailureKind::DeviceUnavailable, "{message}");
	assert!(!kind.is_final());
}

#[test]
fn the_program_introduces_itself_and_is_confined() {
	let info = Executor::new(PROGRAM).check().unwrap();
	assert_eq!(info.version, env!("CARGO_PKG_VERSION"));
	// These need no permission. Leaving the network does, so it may or may not have worked.
	let confinement = info.confinement;
	assert!(confinement.dies_with_parent && confinement.no_core_file, "{confinement}");
	assert!(confinement.not_traceable && confinement.no_new_privileges, "{confinement}");
}

#[test]
fn the_program_tells_why_it_finds_no_gpu() {
	let with_library = |library: &str, arguments: &[&str]| {
		let output = Command::new(PROGRAM).args(arguments).env("MILLRACE_LIBCUDA", library).output().unwrap();
		(output.status.success(), String::from_utf8(output.stdout).unwrap())
	};
	let (fine, text) = with_library("/nonexistent/libcuda.so.1", &["devices", "--json"]);
	assert!(fine);
	let list: millrace_executor::DeviceList = serde_json::from_str(&text).unwrap();
	assert!(list.gpus.is_empty());
	let reason = list.cuda_unavailable.unwrap();
	assert!(reason.starts_with("/nonexistent/libcuda.so.1 was not found: "), "{reason}");

	let (fine, text) = with_library("libm.so.6", &["devices"]);
	assert!(fine);
	assert!(text.contains("libm.so.6 has no function cuInit: it is not a CUDA driver"), "{text}");
}

#[test]
fn the_parent_can_read_the_list_of_gpus() {
	// Whatever there is on this machine; the two say the same.
	let list = Executor::new(PROGRAM).devices().unwrap();
	assert_eq!(list.cuda_unavailable.is_some(), millrace_device::cuda::enumerate().is_err());
}

#[test]
fn a_job_can_be_run_by_hand() {
	let folder = tempfile::tempdir().unwrap();
	let out = folder.path().join("out.bin");
	let run = |blobs: &PathBuf| {
		let mut command = Command::new(PROGRAM);
		command
			.arg("run")
			.arg("--plan")
			.arg(digits("plan.json"))
			.arg("--blobs")
			.arg(blobs)
			.arg("--out")
			.arg(&out);
		command.output().unwrap()
	};
	let output = run(&digits(""));
	let text = String::from_utf8(output.stdout).unwrap();
	let expected = fs::read_to_string(digits("expected.blake3")).unwrap();
	assert!(output.status.success());
	assert!(text.starts_with(&format!("output  {}\nbytes   1797\n", expected.trim())), "{text}");
	assert_eq!(BlobHash::of(&fs::read(&out).unwrap()).to_string(), expected.trim());

	let output = run(&folder.path().to_path_buf());
	assert_eq!(output.status.code(), Some(1));
	let text = String::from_utf8(output.stderr).unwrap();
	assert!(text.contains("has the hash") && text.contains("which the plan names"), "{text}");
}

#[test]
fn the_child_serves_only_its_parent() {
	// Process 1 has not started it.
	let output =
		Command::new(PROGRAM).args(["serve", "--parent", "1", "--device", "reference"]).output().unwrap();
	assert_eq!(output.status.code(), Some(1));
	assert_eq!(String::from_utf8(output.stderr).unwrap(), "error: the parent process has ended\n");
	assert!(output.stdout.is_empty());
}
