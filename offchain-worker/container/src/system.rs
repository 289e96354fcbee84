//! The calls to the operating system that the standard library does not have.

use std::{io, os::unix::process::CommandExt, process::Command};

/// Has the system kill the child when the thread that starts it ends, as it does when this process is killed.
pub(crate) fn die_with_parent(command: &mut Command) {
	let parent = std::process::id();
	let before_exec = move || {
		// SAFETY: prctl with this option takes integers and touches no memory of ours.
		let set = unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL as libc::c_ulong, 0, 0, 0) };
		if set != 0 {
			return Err(io::Error::last_os_error());
		}
		// The parent may have ended before it could have been the cause of a signal.
		if std::os::unix::process::parent_id() != parent {
			return Err(io::Error::from_raw_os_error(libc::ESRCH));
		}
		Ok(())
	};
	// SAFETY: the closure runs between fork and exec, where only calls that are safe in signal handlers are allowed:
	// prctl and getppid are, and the errors that it makes allocate nothing.
	unsafe { command.pre_exec(before_exec) };
}

/// Kills all processes of the group that `leader` leads. The leader must be a child that has not been waited for, so
/// that its number cannot belong to anybody else.
pub(crate) fn kill_group(leader: u32) {
	// Zero and one would mean our own group and everybody.
	let Some(group) = libc::pid_t::try_from(leader).ok().filter(|group| *group > 1) else { return };
	// SAFETY: kill takes integers and touches no memory of ours. It can fail only because the group has ended.
	unsafe { libc::kill(-group, libc::SIGKILL) };
}
