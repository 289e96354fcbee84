//! The calls to the operating system that the standard library does not have.

use codec::{Decode, Encode};
use std::{
	fmt,
	fs::File,
	io,
	os::fd::{AsFd, AsRawFd},
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
}

impl Confinement {
	/// Names of the measures that did not take effect. Empty on a machine that is fit for strangers' jobs.
	pub fn missing(&self) -> Vec<&'static str> {
		let measures = self.measures();
		measures.into_iter().filter(|(_, effective)| !effective).map(|(name, _)| name).collect()
	}

	/// All measures by name, and whether each took effect.
	pub fn measures(&self) -> [(&'static str, bool); 8] {
		[
			("dies with parent", self.dies_with_parent),
			("not traceable", self.not_traceable),
			("no core file", self.no_core_file),
			("no new privileges", self.no_new_privileges),
			("no network", self.no_network),
			("bounded memory", self.bounded_memory),
			("no foreign files", self.no_foreign_files),
			("no foreign calls", self.no_foreign_calls),
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
