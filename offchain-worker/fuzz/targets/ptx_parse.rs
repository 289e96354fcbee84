//! Any bytes as PTX text.

#![no_main]

#[expect(dead_code, reason = "the other target runs kernels")]
#[path = "../../ptx/tests/support/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
	exercise::parse(bytes);
});
