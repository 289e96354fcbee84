//! Which system calls this process may still make: all but those that reach out of it.

use seccompiler::{
	apply_filter_all_threads, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
	SeccompFilter, SeccompRule,
};
use std::{collections::BTreeMap, error::Error, net::UdpSocket};

/// Programs, other processes, the network, the kernel's own setting. A driver that works needs none of them: it opens its files,
/// maps memory, starts threads, and talks to its device by `ioctl`.
///
/// A list of what is refused, not of what is allowed: what drivers do differs from version to version, and has not been seen on all of
/// them. What is not on the list is bounded by the files that are left, by the empty network, and by the process's own rights.
const REFUSED: &[libc::c_long] = &[
	// Programs and processes.
	libc::SYS_execve,
	libc::SYS_execveat,
	libc::SYS_ptrace,
	libc::SYS_process_vm_readv,
	libc::SYS_process_vm_writev,
	libc::SYS_pidfd_open,
	libc::SYS_pidfd_getfd,
	libc::SYS_pidfd_send_signal,
	libc::SYS_kcmp,
	libc::SYS_kill,
	libc::SYS_tkill,
	libc::SYS_setpgid,
	libc::SYS_setsid,
	// The network, and sockets of any kind.
	libc::SYS_socket,
	libc::SYS_connect,
	libc::SYS_bind,
	libc::SYS_listen,
	libc::SYS_accept,
	libc::SYS_accept4,
	// Ways around a filter of system calls.
	libc::SYS_io_uring_setup,
	libc::SYS_io_uring_enter,
	libc::SYS_io_uring_register,
	libc::SYS_bpf,
	libc::SYS_perf_event_open,
	libc::SYS_userfaultfd,
	libc::SYS_personality,
	// Namespaces and file systems.
	libc::SYS_unshare,
	libc::SYS_setns,
	libc::SYS_mount,
	libc::SYS_umount2,
	libc::SYS_pivot_root,
	libc::SYS_chroot,
	libc::SYS_open_tree,
	libc::SYS_move_mount,
	libc::SYS_fsopen,
	libc::SYS_fsconfig,
	libc::SYS_fsmount,
	libc::SYS_fspick,
	libc::SYS_name_to_handle_at,
	libc::SYS_open_by_handle_at,
	// The kernel's own setting.
	libc::SYS_add_key,
	libc::SYS_request_key,
	libc::SYS_keyctl,
	libc::SYS_init_module,
	libc::SYS_finit_module,
	libc::SYS_delete_module,
	libc::SYS_kexec_load,
	libc::SYS_reboot,
	libc::SYS_swapon,
	libc::SYS_swapoff,
	libc::SYS_acct,
	libc::SYS_quotactl,
	libc::SYS_syslog,
	libc::SYS_settimeofday,
	libc::SYS_clock_settime,
	libc::SYS_clock_adjtime,
	libc::SYS_adjtimex,
	libc::SYS_sethostname,
	libc::SYS_setdomainname,
];

/// Refuses system calls that reach out of this process, in all of its threads. Returns whether one of them is refused, which is tried.
///
/// Call it when the driver has been loaded and before it is given anything of a job's.
pub(crate) fn restrict() -> bool {
	// What could not be refused is seen below.
	let _ = try_restrict();
	UdpSocket::bind("127.0.0.1:0").is_err_and(|error| error.raw_os_error() == Some(libc::EPERM))
}

fn try_restrict() -> Result<(), Box<dyn Error>> {
	let arch = std::env::consts::ARCH.try_into()?;
	let apply = |rules: BTreeMap<i64, Vec<SeccompRule>>, code: i32| -> Result<(), Box<dyn Error>> {
		let action = SeccompAction::Errno(code.unsigned_abs());
		let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, arch)?;
		let program: BpfProgram = filter.try_into()?;
		Ok(apply_filter_all_threads(&program)?)
	};
	// Its arguments are in memory, which a filter cannot read. Every C library then takes the older call.
	apply(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)?;
	let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
	#[cfg(target_arch = "x86_64")]
	rules.extend([libc::SYS_fork, libc::SYS_vfork].map(|call| (call, Vec::new())));
	// Threads may be started, processes not.
	let thread = libc::CLONE_THREAD as u64;
	let no_thread = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(thread), 0)?;
	rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![no_thread])?]);
	apply(rules, libc::EPERM)
}
