//! Records that this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{Balance, BlockNumber, Excuse, FaultEpoch, Moment};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// Epochs for which the clock stays stopped after what stopped it: providers have to see that the chain is back.
pub const RECOVERY_EPOCHS: u32 = 2;

/// A miss is judged by so many epochs before the one in which it was found. All nodes of an outage are suspended within an epoch,
/// as their providers' reports were due at different blocks, and are given to others within an epoch and its search: two, and one to
/// spare.
pub const EPOCHS_BEFORE: u32 = 3;

/// And by so many after it.
pub const EPOCHS_AFTER: u32 = 1;

/// Epochs before the current one whose misses can be judged.
pub const KEPT_EPOCHS: u32 = 64;

/// Most items that are pruned in one block.
pub const MAX_PRUNED: u32 = 64;

/// A block that was observed.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Observation {
	/// Its time, in milliseconds since the Unix epoch.
	pub at: Moment,
	/// Its epoch.
	pub epoch: FaultEpoch,
}

/// The clock is stopped before a block.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Recess {
	/// Why.
	pub excuse: Excuse,
	/// First block in which it is over.
	pub until: BlockNumber,
}

/// What came in and what was missed in an epoch. Amounts are lease bonds, in plancks.
///
/// All sums saturate: an epoch's bonds are far below 2^128.
#[derive(
	Clone, Copy, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EpochCensus {
	/// Of the providers whose reports came in.
	pub reported: Balance,
	/// The part of it whose reports saw a finalised block that was too old.
	pub lagging: Balance,
	/// Of the nodes whose providers' reports did not come in.
	pub absent: Balance,
	/// Of all nodes that were found unserved.
	pub missed: Balance,
	/// Why the clock was stopped in a block of the epoch: the first of the reasons. Lag that the epoch's own reports show, and
	/// outages, are not among them: the sums say that.
	pub excuse: Option<Excuse>,
	/// What is missed of everybody else's capacity is an outage when it is more than this share of it: what the rule was at the
	/// epoch's first miss, zero without one. It stays with the epoch, so that a new rule does not reach judgements.
	pub outage_share: Permill,
}

impl EpochCensus {
	/// All that was looked at: what was reported and what is absent.
	pub fn total(&self) -> Balance {
		self.reported.saturating_add(self.absent)
	}

	/// Whether more than half of what was reported is lagging.
	pub(crate) fn is_lagging(&self) -> bool {
		// Cannot saturate: it is a part.
		self.lagging > self.reported.saturating_sub(self.lagging)
	}

	/// Whether more than the share of what others than an owner had was missed. `own`: what that owner missed. Nothing is missed
	/// of nothing.
	///
	/// What the owner reported itself stays in the whole. That makes an outage of others look smaller than it is, never larger.
	pub(crate) fn is_outage(&self, own: &Misses) -> bool {
		// Cannot saturate: what an owner missed is a part.
		let missed = self.missed.saturating_sub(own.missed);
		let total = self.total().saturating_sub(own.absent);
		// Rounding down keeps this exact: a whole number is above a number when it is above its whole part.
		total > 0 && missed > self.outage_share.mul_floor(total)
	}
}

/// What an owner missed in an epoch. Amounts are lease bonds, in plancks.
#[derive(
	Clone, Copy, Debug, Default, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Misses {
	/// Of all its nodes that were found unserved.
	pub missed: Balance,
	/// The part of it whose providers' reports did not come in.
	pub absent: Balance,
}
