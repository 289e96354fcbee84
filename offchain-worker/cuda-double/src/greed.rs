//! What code in a driver could take of the machine, tried.

use std::{
	sync::{Mutex, PoisonError},
	thread,
};

/// Whether so many mebibytes can be had and written to. They are shared memory, which counts for no limit that a process has by itself,
/// and stay until its end.
pub(crate) fn takes_memory(mebibytes: usize) -> bool {
	let bytes = mebibytes << 20;
	let (access, kind) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_SHARED | libc::MAP_ANONYMOUS);
	// SAFETY: asks for new memory, at no given address and from no file.
	let memory = unsafe { libc::mmap(std::ptr::null_mut(), bytes, access, kind, -1, 0) };
	if memory == libc::MAP_FAILED {
		return false;
	}
	// SAFETY: as many bytes as the system has just given, to nobody else.
	unsafe { memory.cast::<u8>().write_bytes(1, bytes) };
	true
}

/// Whether so many threads can be had at the same time. They end before this returns.
pub(crate) fn starts_threads(count: u32) -> bool {
	let gate = Mutex::new(());
	let pass = || drop(gate.lock().unwrap_or_else(PoisonError::into_inner));
	thread::scope(|scope| {
		let _closed = gate.lock().unwrap_or_else(PoisonError::into_inner);
		let start = |_| thread::Builder::new().spawn_scoped(scope, pass);
		(0..count).map(start).all(|started| started.is_ok())
	})
}
