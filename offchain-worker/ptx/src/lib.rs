//! A parser and CPU interpreter for a deterministic subset of PTX, NVIDIA's portable assembly for GPU kernels.
//!
//! It has three users: the `reference` device backend, which serves kernel jobs on a machine without a GPU; tests,
//! which run the very PTX text that is sent to real cards; and verifiers, which re-execute single thread blocks of
//! somebody else's job and compare the bytes.
//!
//! # Use
//!
//! ```
//! use millrace_ptx::{launch, Argument, Budget, LaunchConfig, Memory, Module};
//!
//! let text = "
//!     .version 7.0
//!     .target sm_80
//!     .address_size 64
//!     .visible .entry double(.param .u64 data) {
//!         .reg .b32 %r<3>;
//!         .reg .b64 %rd<4>;
//!         ld.param.u64 %rd1, [data];
//!         mov.u32 %r1, %tid.x;
//!         mul.wide.u32 %rd2, %r1, 4;
//!         add.s64 %rd3, %rd1, %rd2;
//!         ld.global.u32 %r2, [%rd3];
//!         shl.b32 %r2, %r2, 1;
//!         st.global.u32 [%rd3], %r2;
//!         ret;
//!     }";
//! let module = Module::parse(text)?;
//! assert_eq!(module.entries()[0].name, "double");
//!
//! let mut memory = Memory::new(1 << 20);
//! let data = memory.alloc(8)?;
//! memory.write(data, &[1, 0, 0, 0, 5, 0, 0, 0])?;
//! let config = LaunchConfig { grid: [1, 1, 1], block: [2, 1, 1], shared_bytes: 0 };
//! let mut budget = Budget::new(1_000);
//! let stats = launch(&module, "double", &config, &[Argument::Pointer(data)], &mut memory, &mut budget)?;
//! assert_eq!(memory.read(data, 8)?, [2, 0, 0, 0, 10, 0, 0, 0]);
//! assert_eq!(stats.instructions, 16);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is promised
//!
//! * **Deterministic.** The same module, arguments and memory give the same bytes and the same instruction count on
//!   every host: blocks run in the order of their index, warps in the order of theirs from barrier to barrier, and the
//!   threads of a warp from one warp-wide instruction to the next.
//!   [`launch_on`] runs blocks at the same time, with the same result.
//! * **No panic, no unbounded work.** Text, arguments and code may come from an adversary. Errors are typed; every
//!   size has a limit (see the constants); running is limited by a [`Budget`].
//! * **Refuse rather than guess.** What the interpreter cannot do exactly is a [`ParseError`] that names the
//!   instruction, where it stands, and what is supported instead.
//!
//! # Where PTX leaves a choice
//!
//! * Integer division and remainder by zero have no defined result in PTX. All ones are returned, which is what the
//!   division sequences of NVIDIA's compiler are commonly seen to give. Do not build on it.
//! * `add`, `sub` and `mul` on floats without a rounding modifier round to nearest even here, and are never fused.
//!   NVIDIA's assembler is free to fuse such a `mul` and `add` into one `fma`: write `.rn` where bits must agree.
//! * Sums of floats by `atom` and `red` depend on the order of threads: here it is that of their numbers. They keep
//!   subnormal numbers, which GPUs may flush in `.global.add.f32`.
//! * NaN results are canonical (`0x7fffffff`, `0x7ff8000000000000`). Flush-to-zero, approximate and saturating float
//!   instructions are refused.
//! * Registers, shared memory and local memory start as zero.
//! * A thread that returns while another waits at a barrier is a fault, as is waiting at different barriers. Threads
//!   that talk without a barrier (spin locks) see each other only at barriers and run into the step budget.
//! * Kernels with data races get one of the results that a GPU could give, always the same one here.
//! * A warp-wide instruction waits for the threads that its mask names and that have not returned, as PTX says. A thread
//!   that its own mask does not name is a fault, and so is waiting for threads that never come. A shuffle that reads from
//!   a thread that takes no part has no defined result: it is zero here. `activemask` names the threads that are at the
//!   same instruction when no thread of the warp can go on.
//! * `mma` on bytes needs all 32 threads of the warp; `.satfinite` clamps the exact sum, once.
//! * The threads of a block give the same operation to a barrier that counts (`bar.red`), or it is a fault.
//! * The index of a `brx.idx` that has no target is a fault.
//!
//! # Functions
//!
//! An entry calls functions by their names, which must be defined in the same text. No function may come to call itself,
//! so there is no stack: each has one place for its registers, arguments and `.local` variables in every thread, which
//! counts for the limits of the entry ([`MAX_SLOTS`], [`MAX_LOCAL_BYTES`], [`MAX_INSTRUCTIONS`]). What a function reads
//! without having written it is zero at its first call, and what the last call left later.
//!
//! # What is refused
//!
//! Recursion, calls through registers and addresses of functions, functions of other modules (`.extern .func`, such as
//! `vprintf`), barriers for some of a block's threads (`bar.arrive`, a thread count), textures, surfaces and clocks.

#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod error;
mod exec;
mod fault;
mod ir;
mod launch;
mod lexer;
mod memory;
mod module;
#[cfg(feature = "std")]
mod parallel;
mod parse;
#[cfg(feature = "std")]
mod speculate;

pub use error::{ParseError, ParseErrorKind};
pub use fault::{AccessKind, Fault, FaultKind, LaunchError, Space};
pub use launch::{launch, run_block, Argument, Budget, LaunchConfig, LaunchStats};
pub use memory::{Memory, MemoryError};
pub use module::{
	Entry, Module, ParamInfo, MAX_BLOCK_THREADS, MAX_CONST_BYTES, MAX_ENTRIES, MAX_FUNCTIONS,
	MAX_GLOBAL_BYTES, MAX_INSTRUCTIONS, MAX_LOCAL_BYTES, MAX_PARAM_BYTES, MAX_SHARED_BYTES, MAX_SLOTS,
	MAX_TEXT_BYTES, MAX_VARIABLES,
};
#[cfg(feature = "std")]
pub use parallel::{launch_on, HostThreads};
