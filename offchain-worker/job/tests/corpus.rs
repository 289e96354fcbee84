//! The plans that fuzzing kept (`offchain-worker/fuzz`), each of which reaches code that the others do not.

#![cfg(test)]

#[path = "support/exercise.rs"]
mod exercise;

use millrace_job::Document;
use std::{fs, path::PathBuf};

#[test]
fn kept_plans_are_read_or_refused() {
	let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/plan");
	let (mut kernels, mut containers, mut refused) = (0, 0, 0);
	for file in fs::read_dir(folder).unwrap() {
		match exercise::read(&fs::read(file.unwrap().path()).unwrap()) {
			Some(Document::Kernel(_)) => kernels += 1,
			Some(Document::Container(_)) => containers += 1,
			None => refused += 1,
		}
	}
	assert!(kernels > 0 && containers > 0 && refused > 10, "{kernels}, {containers}, {refused}");
}
