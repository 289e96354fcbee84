//! The calls to the operating system that the standard library does not have.

use codec::{Decode, Encode};
use std::{
	ffi::CString,
	fmt,
	fs::File,
	io,
	os::{
		fd::{AsFd, AsRawFd},
		unix::ffi::OsStrExt,
	},
	path::Path,
};

/// The most memory of the machine that a child may write to, in bytes: the request's blobs and checkpoint, the reference device's
/// memory, the output, each of 1 GiB at most, and as much again for the driver.
pub(crate) const HOST_BYTES: u64 = 8 << 30;

/// Which measures took effect in a child.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode)]
pub struct Confinement {
	/// The system kills it when its parent ends.
	pub dies_with_parent: bool,
	/// Other processes of the user can neither trace it nor read its memory.
	pub not_traceable: bool,
	/// It writes no core file, which would contain a job's data.
	pub no_core_file: bool,
	/// It cannot gain privileges by starting programs.
	pub no_new_privileges: bool,
	/// It is in a network namespace of its own, in which there is no network.
	pub no_network: bool,
	/// It can take no more of the machine's memory than a job of the largest size needs.
	pub bounded_memory: bool,
	/// It can open no file but those that its device's driver needs.
	pub no_foreign_files: bool,
	/// It can start no program, reach no other process, open no socket, and change nothing of the system.
	pub no_foreign_calls: bool,
	/// It is in a control group of its own, which limits its memory, its tasks and its share of the processors.
	pub control_group: bool,
}

/// The name of the measure that is good to have, but that not every machine has.
const CONTROL_GROUP: &str = "control group";

impl Confinement {
	/// Names of the measures that strangers' jobs need and that did not take effect. Empty on a machine that is fit for them. A control
	/// group is not: without one, a job may slow the machine down, but it gets no further.
	pub fn missing(&self) -> Vec<&'static str> {
		let measures = self.measures().into_iter();
		let missing = measures.filter(|(name, effective)| !effective && *name != CONTROL_GROUP);
		missing.map(|(name, _)| name).collect()
	}

	/// All measures by name, and whether each took effect.
	pub fn measures(&self) -> [(&'static str, bool); 9] {
		[
			("dies with parent", self.dies_with_parent),
			("not traceable", self.not_traceable),
			("no core file", self.no_core_file),
			("no new privileges", self.no_new_privileges),
			("no network", self.no_network),
			("bounded memory", self.bounded_memory),
			("no foreign files", self.no_foreign_files),
			("no foreign calls", self.no_foreign_calls),
			(CONTROL_GROUP, self.control_group),
		]
	}
}

impl fmt::Display for Confinement {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let mut separator = "";
		for (name, effective) in self.measures() {
			write!(f, "{separator}{name}: {}", if effective { "yes" } else { "NO" })?;
			separator = ", ";
		}
		Ok(())
	}
}

/// Takes away from this process what a job does not need. Call it while there is only one thread and no file is open
/// but the three standard ones.
///
/// # Errors
///
/// If the parent, which has the id `parent`, has already ended: then nobody waits for a result.
pub(crate) fn confine(parent: u32) -> io::Result<Confinement> {
	close_inherited_files();
	// Before the rest, because a change of credentials resets the death signal and the dumpable flag.
	let no_network = leave_network();
	let none: libc::c_ulong = 0;
	// SAFETY: prctl with these options takes integers and touches no memory of ours.
	let (dies_with_parent, not_traceable, no_new_privileges) = unsafe {
		(
			libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, none, none, none) == 0,
			libc::prctl(libc::PR_SET_DUMPABLE, none, none, none, none) == 0,
			libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1 as libc::c_ulong, none, none, none) == 0,
		)
	};
	let limit = |what, bytes| {
		let limit = libc::rlimit { rlim_cur: bytes, rlim_max: bytes };
		// SAFETY: the pointer is to a live `rlimit`, which setrlimit only reads.
		unsafe { libc::setrlimit(what, &limit) == 0 }
	};
	let no_core_file = limit(libc::RLIMIT_CORE, 0);
	// Memory that is written to. Addresses that a driver only reserves, which are many more, do not count.
	let bounded_memory = limit(libc::RLIMIT_DATA, HOST_BYTES);
	// The parent may have ended before it could have been the cause of a signal.
	if std::os::unix::process::parent_id() != parent {
		return Err(io::Error::other("the parent process has ended"));
	}
	Ok(Confinement {
		dies_with_parent,
		not_traceable,
		no_core_file,
		no_new_privileges,
		no_network,
		bounded_memory,
		// Later: the driver has to be loaded in between.
		no_foreign_files: false,
		no_foreign_calls: false,
		// Earlier, as the caller knows.
		control_group: false,
	})
}

/// Closes every file but the three standard ones. All that the node opens is closed on exec anyway; this is for what a
/// library of the node's may have forgotten.
fn close_inherited_files() {
	// SAFETY: takes integers. Called before this process has opened anything, so no file of ours is among them. Kernels
	// before 5.9 lack the call; then everything stays as the node left it.
	unsafe { libc::syscall(libc::SYS_close_range, 3 as libc::c_uint, libc::c_uint::MAX, 0 as libc::c_uint) };
}

/// Moves this process into a new network namespace, if the system lets it.
fn leave_network() -> bool {
	// SAFETY: unshare takes an integer and touches no memory of ours. There is one thread, as `confine` demands, so a
	// new user namespace is permitted, too.
	unsafe {
		libc::unshare(libc::CLONE_NEWNET) == 0 || libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) == 0
	}
}

/// Returns the pipe that is this process's standard output, and makes standard output the same as standard error.
/// What a driver prints can then not get in between the frames.
///
/// # Errors
///
/// When the process has run out of file descriptors.
pub(crate) fn take_stdout() -> io::Result<File> {
	let pipe = io::stdout().as_fd().try_clone_to_owned()?;
	// SAFETY: both numbers are those of descriptors that live as long as the process. `dup2` replaces standard output
	// in one step; nothing of the standard library caches what it refers to.
	if unsafe { libc::dup2(io::stderr().as_raw_fd(), io::stdout().as_raw_fd()) } < 0 {
		return Err(io::Error::last_os_error());
	}
	Ok(pipe.into())
}

/// Kills all processes of the group that `leader` leads. The leader must be a child that has not been waited for, so
/// that its number cannot belong to anybody else.
pub(crate) fn kill_group(leader: u32) {
	// Zero and one would mean our own group and everybody.
	let Some(group) = libc::pid_t::try_from(leader).ok().filter(|group| *group > 1) else { return };
	// SAFETY: kill takes integers and touches no memory of ours. It can fail only because the group has ended.
	unsafe { libc::kill(-group, libc::SIGKILL) };
}

/// Whether a file has an extended attribute of that name, which is the character one.
pub(crate) fn attribute_is_one(path: &Path, name: &str) -> bool {
	let (Ok(path), Ok(name)) = (CString::new(path.as_os_str().as_bytes()), CString::new(name)) else {
		return false;
	};
	let mut value = [0_u8; 2];
	// SAFETY: both texts end with a zero, and as many bytes of the live `value` may be written as it has.
	let length =
		unsafe { libc::getxattr(path.as_ptr(), name.as_ptr(), value.as_mut_ptr().cast(), value.len()) };
	length == 1 && value[0] == b'1'
}

/// Gives a file an extended attribute. Returns whether that went well.
#[cfg(test)]
pub(crate) fn set_attribute(path: &Path, name: &str, value: &[u8]) -> bool {
	let path = CString::new(path.as_os_str().as_bytes()).unwrap();
	let name = CString::new(name).unwrap();
	// SAFETY: both texts end with a zero, and as many bytes of the live `value` are read as it has.
	unsafe { libc::setxattr(path.as_ptr(), name.as_ptr(), value.as_ptr().cast(), value.len(), 0) == 0 }
}
