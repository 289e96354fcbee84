//! Any bytes as a job's plan.

#![no_main]

#[path = "../../job/tests/support/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	exercise::read(bytes);
});
