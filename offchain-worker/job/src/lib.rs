//! Jobs: what a renter asks a leased GPU to do, as data.
//!
//! A job is described by a *plan*, a JSON document, of one of two kinds. A *kernel's* plan says which PTX kernel to load, which buffers to allocate, which
//! launches to run in order, and which buffers to hand back. It carries no host code: the provider's executor does
//! every driver call. A *container's* plan names an image by its digest and a command: it can do whatever a Linux program can
//! do with the lease's GPUs, and nobody can check its output by computing it again. Kernel, inputs, plan and output are *blobs*,
//! named by the BLAKE3 hash of their bytes, so both ends can check what they hold. [`Document`] reads either kind.
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
//! # The format of a kernel's plan, version 1
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
//! # The format of a container's plan, version 1
//!
//! ```
//! use millrace_job::{BlobHash, Document};
//!
//! let text = format!(
//!     r#"{{
//!         "version": 1,
//!         "container": {{
//!             "image": "docker.io/library/python@sha256:{digest}",
//!             "command": ["python3", "/input/train.py"],
//!             "environment": {{ "EPOCHS": "10" }},
//!             "inputs": [ {{ "blob": "{script}", "path": "train.py" }} ],
//!             "output": "weights.bin",
//!             "checkpoint": "state.bin",
//!             "memory_bytes": 8589934592,
//!             "cpus": 4
//!         }}
//!     }}"#,
//!     digest = "5c".repeat(32),
//!     script = BlobHash::of(b"print('a script')"),
//! );
//! let Document::Container(plan) = Document::parse(text.as_bytes())? else { panic!("it is a container's") };
//! assert_eq!(plan.blobs(), [BlobHash::of(b"print('a script')")]);
//! # Ok::<(), millrace_job::PlanError>(())
//! ```
//!
//! | Field of `container` | Meaning |
//! | --- | --- |
//! | `image` | `registry/name@sha256:` and the 64 digits of the manifest's digest; tags are refused |
//! | `image_blob` | optional: hash of a blob that holds the image, a tar archive of an OCI layout (`podman save --format oci-archive`) with one manifest of that digest; without it the provider asks the registry |
//! | `command` | program and arguments, 1 to 256; the image's own entry point and command have no effect |
//! | `environment` | optional: variables beside the image's own; none of those of [`is_reserved_variable`], which are taken from the image's, too |
//! | `inputs` | optional: files in `/input`, each with its `blob` and its name, `path` |
//! | `output` | name of the file in `/output` that is the job's output when the command ends with status 0; a regular file that others may read |
//! | `checkpoint` | optional: name of a file in `/output` from which a later run can go on |
//! | `memory_bytes` | the most memory, at least 16 MiB; files in `/output`, `/tmp` and `/dev/shm` count |
//! | `cpus` | how many processors' time it may use, a whole number |
//! | `seconds` | optional: the most time; the provider's limit applies anyway |
//! | `network` | optional: `false`; leases cannot ask for a network yet |
//!
//! Names of files are 1 to 64 of `A-Z`, `a-z`, `0-9`, `.`, `_` and `-`, without `.` or `-` at the beginning. The command runs as an
//! unprivileged user in the folder `/output`. It can write there, in `/tmp` and in `/dev/shm`, and nowhere else.
//!
//! A program writes its checkpoint to another file, such as `state.bin.tmp`, and renames that: then there is never half of one.
//! A run that goes on from a checkpoint finds it where the earlier run left it.
//!
//! # Checkpoints of kernels
//!
//! The state of a job between two launches is how many of them have run and the bytes of all its buffers, concatenated
//! in the plan's order. A run that starts from such a state gives the same output as one from the beginning, on any
//! device. A job with a single launch has no such state. Nor has one whose kernel declares `.global` variables: what a
//! launch stores there lasts to the next one and is in no buffer. Put such state into buffers.
//!
//! # What this crate does not do
//!
//! It does not look into kernels and images. Entry points and parameter sizes are checked by the device (`millrace-device`).

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod blob;
mod check;
mod container;
mod document;
mod error;
mod plan;

pub use blob::{blob_hash, BlobHash, HashTextError};
pub use check::{
	Limits, MAX_ARGUMENTS, MAX_BLOCK_THREADS, MAX_BUFFERS, MAX_BUFFER_BYTES, MAX_ENTRY_CHARS,
	MAX_GRID_BLOCKS, MAX_LAUNCHES, MAX_NAME_CHARS, MAX_PLAN_BYTES, MAX_SHARED_BYTES,
};
pub use container::{
	is_reserved_variable, is_variable_name, Container, ContainerPlan, ImageName, InputFile,
	MAX_COMMAND_ARGUMENTS, MAX_CONTAINER_NAME_CHARS, MAX_CPUS, MAX_IMAGE_CHARS, MAX_INPUTS, MAX_MEMORY_BYTES,
	MAX_SECONDS, MAX_TEXT_BYTES, MAX_VARIABLES, MIN_MEMORY_BYTES,
};
pub use document::Document;
pub use error::{ContainerPlanError, FileNameError, ImageError, PlanError};
pub use plan::{Argument, Buffer, Launch, Plan, VERSION};
