//! The inputs that fuzzing kept (`offchain-worker/fuzz`), each of which reaches code that the others do not.

#![cfg(test)]

#[path = "support/exercise.rs"]
mod exercise;

use std::{fs, path::PathBuf};

fn inputs(target: &str) -> Vec<Vec<u8>> {
	let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus").join(target);
	let inputs: Vec<Vec<u8>> =
		fs::read_dir(folder).unwrap().map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
	assert!(inputs.len() > 10, "{target} has {} inputs", inputs.len());
	inputs
}

#[test]
fn kept_texts_are_parsed_or_refused() {
	for input in inputs("ptx-parse") {
		exercise::parse(&input);
	}
}

#[test]
fn kept_kernels_run_alike_on_one_thread_and_on_two() {
	let inputs = inputs("ptx-run");
	let parsed = inputs.iter().filter(|input| exercise::parse(input).is_some()).count();
	assert!(parsed > 10, "{parsed} of {} are kernels", inputs.len());
	for input in inputs {
		exercise::run(&input);
	}
}
