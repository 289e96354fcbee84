//! Control groups: what a child may take of the machine's memory, tasks and processors.
//!
//! Each child has a group of its own, below one that belongs to its parent. The parent makes it and sets its limits, the child enters
//! it as the first thing that it does, and the parent removes it when the child has ended. Where the system gives no such group, or
//! not all of its limits, children run with what there is: the limits of [`system`](crate::system) hold everywhere.

mod base;
mod enter;
mod group;
mod place;

pub(crate) use enter::enter;
pub(crate) use group::Group;

use crate::system::HOST_BYTES;

/// What the system may let one child take of the machine, by its control group.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct HostLimits {
	/// The most bytes of memory, with what the kernel holds for it: its files in the cache, memory that is pinned for a device. There
	/// is no swap beside it. A child that takes more is killed, which is [`FailureKind::OutOfMemory`](crate::FailureKind::OutOfMemory).
	pub memory_bytes: u64,
	/// The most threads and processes. One more cannot be started.
	pub tasks: u32,
}

impl Default for HostLimits {
	/// 9 GiB, one more than a child may write to by its own limit, for what that does not count; and 512 tasks.
	fn default() -> Self {
		Self { memory_bytes: HOST_BYTES + (1 << 30), tasks: 512 }
	}
}
