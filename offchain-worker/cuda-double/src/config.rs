//! What the double is told to be, and what to do wrong.

use serde::Deserialize;

/// Read from the file `<library>.json`, where `<library>` is the file that was loaded. Without that file everything has its
/// default: one GPU, no faults. Counts are of one process.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Config {
	/// GPUs that the driver knows.
	pub(crate) devices: u32,
	/// Memory of each, in bytes.
	pub(crate) memory_bytes: u64,
	/// MIG instances of the first GPU. While there are any, it is shown as one of them at most.
	pub(crate) instances: Vec<Instance>,
	/// Instructions that a context may run, over all its launches. One that runs out of them hangs, as it would on a GPU.
	pub(crate) steps: u64,
	/// Every function of the driver returns this code, from `cuInit` on.
	pub(crate) broken: Option<u32>,
	/// Compiling a text returns this code: 222 if the text is too new for the driver.
	pub(crate) load_error: Option<u32>,
	/// A linker takes so much longer to compile a text, in milliseconds.
	pub(crate) compile_ms: u64,
	/// No compiled image is taken, as if another driver had made it.
	pub(crate) refuses_compiled: bool,
	/// From which launch on, counted from 1, what goes wrong.
	pub(crate) faults: Vec<Fault>,
	/// Each launch takes so much longer, in milliseconds.
	pub(crate) slow_ms: u64,
}

/// A MIG instance.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Instance {
	/// Its `MIG-...` text.
	pub(crate) uuid: String,
	/// Its memory in bytes.
	pub(crate) memory_bytes: u64,
}

/// What goes wrong with a launch.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Fault {
	/// Which launch, counted from 1 over all contexts of the process.
	pub(crate) launch: u32,
	/// What it does.
	pub(crate) kind: FaultKind,
}

/// What a launch does that goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum FaultKind {
	/// It ends with this code, and so does all that is asked of its context from then on.
	Sticky(u32),
	/// It never ends, and copies wait for it.
	Hang,
	/// The device is gone: every function returns 999.
	Lost,
	/// It does what a driver might do for a kernel that has found a hole in it: reaches for a file, a program, the network and
	/// another process. If any of that succeeds it ends with the code 998, and otherwise as it should.
	Escape,
	/// If there is another GPU beside its own it ends with the code 998, and otherwise as it should.
	Neighbour,
	/// It takes so many mebibytes of the machine's memory, in a way that no limit of a process's own counts. If it gets them it ends
	/// with the code 998, and otherwise as it should.
	TakeMemory(usize),
	/// It starts so many threads beside each other. If it gets them it ends with the code 998, and otherwise as it should.
	StartThreads(u32),
}

impl Default for Config {
	fn default() -> Self {
		Self {
			devices: 1,
			memory_bytes: 4 << 30,
			instances: Vec::new(),
			steps: 1 << 40,
			broken: None,
			load_error: None,
			compile_ms: 0,
			refuses_compiled: false,
			faults: Vec::new(),
			slow_ms: 0,
		}
	}
}
