//! Any bytes as PTX text; what can be parsed is run, on one thread and on two.

#![no_main]

#[path = "../../ptx/tests/support/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	exercise::run(bytes);
});
