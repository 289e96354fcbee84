//! What the double is told to be, and what to do wrong.

use serde::Deserialize;
use std::{
	ffi::{CStr, CString},
	fs,
	path::PathBuf,
};

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

impl Config {
	/// What the file beside the library says.
	///
	/// # Errors
	///
	/// A text if there is a file that cannot be read. A test that means to order a fault must not pass without it.
	pub(crate) fn load() -> Result<Self, String> {
		let mut path = library().ok_or("the double does not know its own file")?.into_os_string();
		path.push(".json");
		let path = PathBuf::from(path);
		let text = match fs::read_to_string(&path) {
			Ok(text) => text,
			Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
			Err(error) => return Err(format!("{}: {error}", path.display())),
		};
		serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
	}
}

/// Keeps this library in memory, whoever unloads it: launches run in threads of its own.
///
/// # Errors
///
/// A text if the linker refuses.
pub(crate) fn stay_loaded() -> Result<(), String> {
	let name = library().and_then(|path| CString::new(path.into_os_string().into_encoded_bytes()).ok());
	let name = name.ok_or("the double does not know its own file")?;
	// SAFETY: the name ends with a zero. The library is loaded already, so no initialiser runs.
	let kept =
		unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
	if kept.is_null() {
		return Err("the double cannot stay loaded".into());
	}
	Ok(())
}

/// The file that this library was loaded from.
fn library() -> Option<PathBuf> {
	let mut info = libc::Dl_info {
		dli_fname: std::ptr::null(),
		dli_fbase: std::ptr::null_mut(),
		dli_sname: std::ptr::null(),
		dli_saddr: std::ptr::null_mut(),
	};
	let here: fn() -> Option<PathBuf> = library;
	// SAFETY: the address is that of a function of this library, and `info` is live and of the type that is filled in.
	let found = unsafe { libc::dladdr(here as *const libc::c_void, &mut info) };
	if found == 0 || info.dli_fname.is_null() {
		return None;
	}
	// SAFETY: the linker's own text, which ends with a zero and lives as long as the library.
	let name = unsafe { CStr::from_ptr(info.dli_fname) };
	name.to_str().ok().map(PathBuf::from)
}
