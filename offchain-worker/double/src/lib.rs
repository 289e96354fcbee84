//! What the test doubles of NVIDIA's libraries share: each is told what to be by a file beside itself, so that every copy of one
//! can have orders of its own.

#![expect(unsafe_code, reason = "the linker's functions are foreign")]

use serde::de::DeserializeOwned;
use std::{
	ffi::{CStr, CString},
	fs, io,
	path::PathBuf,
};

/// What this library's file says now: `<library>.json`, where `<library>` is the file that was loaded. Without that file everything has
/// its default.
///
/// # Errors
///
/// A text if there is a file that cannot be read. A test that means to order a fault must not pass without it.
pub fn orders<T: DeserializeOwned + Default>() -> Result<T, String> {
	let mut path = library()?.into_os_string();
	path.push(".json");
	let path = PathBuf::from(path);
	let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
	match fs::read_to_string(&path) {
		Ok(text) => serde_json::from_str(&text).map_err(|error| named(&error)),
		Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(T::default()),
		Err(error) => Err(named(&error)),
	}
}

/// Keeps this library in memory, whoever unloads it, for threads of its own that run on.
///
/// # Errors
///
/// A text if the linker refuses.
pub fn stay_loaded() -> Result<(), String> {
	let path = library()?.into_os_string().into_encoded_bytes();
	let name = CString::new(path).map_err(|error| format!("the double's own file: {error}"))?;
	// SAFETY: the name ends with a zero. The library is loaded already, so no initialiser runs.
	let kept =
		unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_NOW | libc::RTLD_NOLOAD | libc::RTLD_NODELETE) };
	if kept.is_null() {
		return Err("the double cannot stay loaded".into());
	}
	Ok(())
}

/// The file of the library that this code is part of.
fn library() -> Result<PathBuf, String> {
	let mut info = libc::Dl_info {
		dli_fname: std::ptr::null(),
		dli_fbase: std::ptr::null_mut(),
		dli_sname: std::ptr::null(),
		dli_saddr: std::ptr::null_mut(),
	};
	let here: fn() -> Result<PathBuf, String> = library;
	// SAFETY: the address is that of a function of this library, and `info` is live and of the type that is filled in.
	let found = unsafe { libc::dladdr(here as *const libc::c_void, &mut info) };
	let unknown = || String::from("the double does not know its own file");
	if found == 0 || info.dli_fname.is_null() {
		return Err(unknown());
	}
	// SAFETY: the linker's own text, which ends with a zero and lives as long as the library.
	let name = unsafe { CStr::from_ptr(info.dli_fname) };
	name.to_str().map(PathBuf::from).map_err(|_| unknown())
}
