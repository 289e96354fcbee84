//! The Wasm that the build script made; `None` when the build skipped it (`SKIP_WASM_BUILD=1`).
#![expect(
	dead_code,
	missing_docs,
	unreachable_pub,
	reason = "the constants are generated, and not all are used"
)]

include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));
