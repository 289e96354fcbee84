//! The probe: a small job with a known result, by which a device shows that it works.

use crate::executors::Executors;
use millrace_executor::{Cancel, DeviceInfo, DeviceSelector, JobLimits, JobRequest, Kind};
use millrace_job::BlobHash;
use std::{
	sync::Arc,
	time::{Duration, SystemTime, UNIX_EPOCH},
};

const KERNEL: &str = include_str!("probe.ptx");
/// More than one thread block, and not a multiple of one, so that the kernel's bound matters.
const WORDS: u32 = 1_000;
/// Opening a GPU after a reset can take tens of seconds.
const LIMIT: Duration = Duration::from_secs(90);

/// The selector of a device.
pub(crate) fn selector(device: &DeviceInfo) -> DeviceSelector {
	match device.kind {
		Kind::Reference => DeviceSelector::Reference,
		Kind::Cuda => DeviceSelector::Cuda(Some(device.uuid.clone())),
	}
}

/// Runs the probe and compares the result, byte by byte. Blocks. The error says what went wrong.
pub(crate) fn probe(executors: &dyn Executors, device: &DeviceInfo, cancel: &Cancel) -> Result<(), String> {
	// Fresh numbers each time: old bytes left in the device's memory are no answer.
	let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |age| age.subsec_nanos());
	let (request, expected) = job(device, seed);
	let output = executors.run(Arc::new(request), cancel, &mut |_| {}).map_err(|error| error.to_string())?;
	if output.bytes != expected {
		return Err("the probe gave a wrong result: the device computes wrongly".into());
	}
	Ok(())
}

/// What the kernel makes of an input, computed here.
pub(crate) fn answer(input: &[u8]) -> Vec<u8> {
	let words = input
		.chunks_exact(4)
		.map(|word| word.iter().rev().fold(0u32, |value, byte| value << 8 | u32::from(*byte)));
	words.flat_map(|word| word.wrapping_mul(1_664_525).wrapping_add(1_013_904_223).to_le_bytes()).collect()
}

/// The probe's job and the right output.
fn job(device: &DeviceInfo, seed: u32) -> (JobRequest, Vec<u8>) {
	let input: Vec<u8> = (0..WORDS)
		.map(|word| seed.wrapping_add(word.wrapping_mul(0x9E37_79B9)))
		.flat_map(u32::to_le_bytes)
		.collect();
	let output = answer(&input);
	let plan = format!(
		r#"{{
			"version": 1,
			"kernel": "{kernel}",
			"buffers": [{{ "name": "words", "bytes": {bytes}, "input": "{input}" }}],
			"launches": [{{
				"entry": "probe", "grid": [{blocks}, 1, 1], "block": [128, 1, 1], "shared_bytes": 0,
				"arguments": [{{ "buffer": "words" }}, {{ "u32": {WORDS} }}]
			}}],
			"outputs": ["words"]
		}}"#,
		kernel = BlobHash::of(KERNEL.as_bytes()),
		bytes = input.len(),
		input = BlobHash::of(&input),
		blocks = WORDS.div_ceil(128),
	);
	let limits = JobLimits { wall_clock: LIMIT, silence: LIMIT, ..JobLimits::default() };
	let request = JobRequest {
		plan: plan.into_bytes(),
		blobs: vec![KERNEL.as_bytes().to_vec(), input],
		resume: None,
		compiled: None,
		device: selector(device),
		limits,
	};
	(request, output)
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_executor::{Checkpoint, Confinement, DeviceList, ExecutorError, JobOutput, MonitorMessage};
	use millrace_job::{Limits, Plan};
	use std::sync::atomic::AtomicBool;

	fn device() -> DeviceInfo {
		DeviceInfo {
			kind: Kind::Reference,
			name: "CPU".into(),
			memory_bytes: 1 << 30,
			uuid: "REF".into(),
			driver: None,
			compute_capability: None,
		}
	}

	/// Answers every job with the same bytes.
	struct Answers(Vec<u8>);

	impl Executors for Answers {
		fn confinement(&self) -> Result<Confinement, ExecutorError> {
			unreachable!("a probe does not ask")
		}

		fn devices(&self) -> Result<DeviceList, ExecutorError> {
			Ok(DeviceList { gpus: vec![], cuda_unavailable: None })
		}

		fn watch(&self, _: &AtomicBool, _: &mut dyn FnMut(MonitorMessage)) -> Result<(), ExecutorError> {
			unreachable!("a probe watches nothing")
		}

		fn prepare(&self, _: Vec<u8>, _: &DeviceSelector, _: &Cancel) -> Result<Vec<u8>, ExecutorError> {
			unreachable!("a probe is compiled where it runs")
		}

		fn run(
			&self,
			_: Arc<JobRequest>,
			_: &Cancel,
			_: &mut dyn FnMut(Checkpoint),
		) -> Result<JobOutput, ExecutorError> {
			Ok(JobOutput { bytes: self.0.clone(), busy: Duration::ZERO, launches: 1, device: String::new() })
		}
	}

	#[test]
	fn the_probe_is_a_valid_plan_with_all_its_blobs() {
		let (request, expected) = job(&device(), 5);
		let plan = Plan::parse(&request.plan).unwrap();
		plan.check(&Limits::MAX).unwrap();
		assert_eq!(plan.blobs(), request.blobs.iter().map(|blob| BlobHash::of(blob)).collect::<Vec<_>>());
		assert_eq!(plan.output_bytes(), expected.len() as u64);
		// The first word by hand: 5 * 1664525 + 1013904223.
		assert_eq!(expected[..4], 1_022_226_848u32.to_le_bytes());
	}

	#[test]
	fn a_device_that_answers_wrongly_fails() {
		let (_, stale) = job(&device(), 5);
		for answer in [vec![], vec![0; stale.len()], stale] {
			let error = probe(&Answers(answer), &device(), &Cancel::new()).unwrap_err();
			assert!(error.contains("wrong result"), "{error}");
		}
	}
}
