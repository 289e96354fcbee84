//! The digits job of `jobs/digits`: its files are what its plan names, and its output is what it was when committed.

#![cfg(test)]

use millrace_device::{
	reference::{ReferenceDevice, MEMORY_BYTES},
	run_plan, RunLimits,
};
use millrace_job::{BlobHash, Limits, Plan};
use std::{collections::BTreeMap, fs, path::PathBuf, time::Duration};

fn read(name: &str) -> Vec<u8> {
	let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../jobs/digits").join(name);
	fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn plan() -> Plan {
	Plan::parse(&read("plan.json")).unwrap()
}

fn blobs() -> BTreeMap<BlobHash, Vec<u8>> {
	["kernel.ptx", "images.bin", "weights.bin"].map(read).map(|bytes| (BlobHash::of(&bytes), bytes)).into()
}

#[test]
fn the_plan_names_the_committed_files() {
	let plan = plan();
	assert_eq!(plan.kernel, BlobHash::of(&read("kernel.ptx")));
	for name in ["images", "weights"] {
		let file = read(&format!("{name}.bin"));
		let buffer = plan.buffer(name).unwrap();
		assert_eq!(buffer.input, Some(BlobHash::of(&file)), "{name}");
		assert_eq!(buffer.bytes, file.len() as u64, "{name}");
	}
	assert_eq!(plan.blobs().len(), 3);
}

#[test]
fn the_reference_device_gives_the_committed_output() {
	let time = Duration::from_secs(300);
	let limits = RunLimits { plan: Limits::MAX, wall_clock: time, launch: time, checkpoints: None };
	let mut device = ReferenceDevice::new("test", MEMORY_BYTES, 1_000_000_000);
	let output = run_plan(&mut device, &plan(), &blobs(), None, &limits, &mut |_| {}).unwrap();

	let expected = String::from_utf8(read("expected.blake3")).unwrap();
	assert_eq!(BlobHash::of(&output.bytes).to_string(), expected.trim());
	// 99.67 %, as the job's README says.
	let labels = read("labels.bin");
	assert_eq!(output.bytes.len(), labels.len());
	let right = output.bytes.iter().zip(&labels).filter(|(class, label)| class == label).count();
	assert_eq!(right, 1_791);
}
