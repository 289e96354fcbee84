//! Kernel jobs: what a renter asks a leased GPU to do, as data.
//!
//! A job is described by a *plan*, a JSON document. It says which PTX kernel to load, which buffers to allocate, which
//! launches to run in order, and which buffers to hand back. It carries no host code: the provider's executor does
//! every driver call. Kernel, inputs, plan and output are *blobs*, named by the BLAKE3 hash of their bytes, so both
//! ends can check what they hold.
//!
//! ```
//! use millrace_job::{blob_hash, BlobHash, Limits, Plan};
//!
//! let kernel = "the kernel's PTX text";
//! let text = format!(
//!     r#"{{
//!         "version": 1,
//!         "kernel": "{}",
//!         "buffers": [ {{ "name": "data", "bytes": 256 }} ],
//!         "launches": [ {{
//!             "entry": "fill", "grid": [1, 1, 1], "block": [64, 1, 1], "shared_bytes": 0,
//!             "arguments": [ {{ "buffer": "data" }}, {{ "u32": 64 }} ]
//!         }} ],
//!         "outputs": ["data"]
//!     }}"#,
//!     BlobHash::of(kernel.as_bytes()),
//! );
//! let plan = Plan::parse(text.as_bytes())?;
//! assert_eq!(plan.blobs(), [BlobHash(blob_hash(kernel.as_bytes()))]);
//! assert_eq!(plan.output_bytes(), 256);
//! plan.check(&Limits { buffer_bytes: 1024, ..Limits::MAX })?;
//! # Ok::<(), millrace_job::PlanError>(())
//! ```
//!
//! # The format, version 1
//!
//! | Field | Meaning |
//! | --- | --- |
//! | `version` | 1 |
//! | `kernel` | hash of the PTX text, 64 hexadecimal digits without `0x`, as all hashes in a plan |
//! | `buffers` | device memory: `name` (`[a-z0-9_]`, 1 to 32 characters, unique), `bytes` (at least 1), and optionally `input`, the hash of the blob that fills it exactly; without it the buffer starts as zeros |
//! | `launches` | run one after the other: `entry`, `grid` and `block` in x, y, z, `shared_bytes` of dynamic shared memory per block (0 if absent), `arguments` |
//! | `outputs` | names of buffers, no name twice; their bytes in this order, concatenated, are the job's output |
//!
//! An argument is an object of one field: `buffer` (a name; the kernel gets a 64-bit device address), `u32`, `i32`,
//! `u64`, `i64`, or `f32` (a number, rounded to the nearest of 32 bits). Unknown fields are refused everywhere.
//! Every size has a limit; see the constants.
//!
//! # Checkpoints
//!
//! The state of a job between two launches is how many of them have run and the bytes of all its buffers, concatenated
//! in the plan's order. A run that starts from such a state gives the same output as one from the beginning, on any
//! device. A job with a single launch has no such state. Nor has one whose kernel declares `.global` variables: what a
//! launch stores there lasts to the next one and is in no buffer. Put such state into buffers.
//!
//! # What this crate does not do
//!
//! It does not look into the kernel. Entry points and parameter sizes are checked by the device (`millrace-device`).

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod blob;
mod check;
mod error;
mod plan;

pub use blob::{blob_hash, BlobHash, HashTextError};
pub use check::{
	Limits, MAX_ARGUMENTS, MAX_BLOCK_THREADS, MAX_BUFFERS, MAX_BUFFER_BYTES, MAX_ENTRY_CHARS,
	MAX_GRID_BLOCKS, MAX_LAUNCHES, MAX_NAME_CHARS, MAX_PLAN_BYTES, MAX_SHARED_BYTES,
};
pub use error::PlanError;
pub use plan::{Argument, Buffer, Launch, Plan, VERSION};
