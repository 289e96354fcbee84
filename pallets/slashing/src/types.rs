//! What is stored of a slash, and what is decided about one.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{Balance, BlobHash, BlockNumber, FaultEpoch, LeaseId, Moment, SlashCause};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, BoundedVec, Permill};

/// Most faults of a slash that wait for judgement. A miss is judged within three epochs, so that more of them wait only
/// while the chain is too busy to judge.
pub const MAX_FAULTS: u32 = 8;

/// What was found in one epoch, and is not judged yet.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Fault {
	/// When it was found.
	pub epoch: FaultEpoch,
	/// When the time that it is about began.
	pub since: FaultEpoch,
	/// Held for it, in plancks.
	pub amount: Balance,
	/// Worth to the renter of what was not served, in plancks. Zero if the lease is paid in another asset.
	pub unserved: Balance,
}

/// How far a slash has come.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum SlashStatus {
	/// The episode is not over: more may be held.
	#[codec(index = 0)]
	Open,
	/// The episode is over. The provider can appeal.
	#[codec(index = 1)]
	Deferred {
		/// When it is paid out.
		executes_at: Moment,
	},
	/// The provider has appealed. The council can decide.
	#[codec(index = 2)]
	Appealed {
		/// When it is paid out if the council has not decided.
		lapses_at: Moment,
		/// Held of the provider for the appeal, in plancks.
		bond: Balance,
		/// BLAKE3 hash of what the provider shows.
		evidence: BlobHash,
	},
}

/// What one episode of faults, or one offence, costs a provider.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Slash<AccountId> {
	/// Whose bond it is taken from.
	pub provider: AccountId,
	/// Whom that provider belongs to: its misses are judged by what the others missed.
	pub owner: AccountId,
	/// The lease that was not served; `None` if the council found the offence.
	pub lease: Option<LeaseId>,
	/// Who is compensated first.
	pub renter: Option<AccountId>,
	/// Why: of an episode, its first fault.
	pub cause: SlashCause,
	/// Bond of the node when the episode began, or of the GPUs that the offence is about, in plancks.
	pub lease_bond: Balance,
	/// On hold for it, in plancks. Nothing leaves it before the end but what is excused or reduced.
	pub held: Balance,
	/// Worth to the renter of what was not served and not excused, in plancks; `None` if the lease is paid in another asset.
	pub unserved: Option<Balance>,
	/// Faults that are not judged yet, at most one for each epoch.
	pub faults: BoundedVec<Fault, ConstU32<MAX_FAULTS>>,
	/// When it began.
	pub opened_at: Moment,
	/// How far it has come.
	pub status: SlashStatus,
	/// Block of its entry in the agenda; `None` while the episode is open.
	pub due: Option<BlockNumber>,
}

impl<AccountId> Slash<AccountId> {
	/// When it is paid out, whatever happens; `None` while the episode is open.
	pub(crate) fn ends_at(&self) -> Option<Moment> {
		match self.status {
			SlashStatus::Open => None,
			SlashStatus::Deferred { executes_at } => Some(executes_at),
			SlashStatus::Appealed { lapses_at, .. } => Some(lapses_at),
		}
	}

	/// Held for its appeal, in plancks; `None` if there is none.
	pub(crate) fn appeal_bond(&self) -> Option<Balance> {
		match self.status {
			SlashStatus::Appealed { bond, .. } => Some(bond),
			SlashStatus::Open | SlashStatus::Deferred { .. } => None,
		}
	}

	/// Whether a fault of this epoch can be counted.
	pub(crate) fn has_room_for(&self, epoch: FaultEpoch) -> bool {
		!self.faults.is_full() || self.faults.iter().any(|fault| fault.epoch == epoch)
	}

	/// Counts a fault for which `amount` was held. `None`, with nothing changed, if there is no room for it or the amounts
	/// overflow.
	pub(crate) fn count(
		&mut self,
		epoch: FaultEpoch,
		since: FaultEpoch,
		amount: Balance,
		unserved: Option<Balance>,
	) -> Option<()> {
		let held = self.held.checked_add(amount)?;
		// Unknown once is unknown for good. Clamping is right: no slash is worth so much.
		let total = self.unserved.zip(unserved).map(|(total, more)| total.saturating_add(more));
		let counted = Fault { epoch, since, amount, unserved: unserved.unwrap_or(0) };
		match self.faults.iter_mut().find(|fault| fault.epoch == epoch) {
			Some(fault) => {
				fault.amount = fault.amount.checked_add(amount)?;
				fault.since = fault.since.min(since);
				fault.unserved = fault.unserved.saturating_add(counted.unserved);
			}
			None => self.faults.try_push(counted).ok()?,
		}
		self.held = held;
		self.unserved = total;
		Some(())
	}

	/// The fault counts: it waits no more.
	pub(crate) fn confirm(&mut self, fault: &Fault) {
		self.faults.retain(|waiting| waiting.epoch != fault.epoch);
	}

	/// The fault is excused: it never was. `None`, with nothing changed, if less than its amount is held.
	pub(crate) fn excuse(&mut self, fault: &Fault) -> Option<()> {
		self.held = self.held.checked_sub(fault.amount)?;
		// Saturates only where the sum did.
		self.unserved = self.unserved.map(|total| total.saturating_sub(fault.unserved));
		self.confirm(fault);
		Some(())
	}
}

/// What the council decides about a slash.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Verdict {
	/// The appeal is refused: all that is held is paid out, and the appeal's bond is lost.
	#[codec(index = 0)]
	Uphold,
	/// A part of what is held is returned.
	#[codec(index = 1)]
	Reduce {
		/// Share that is not returned, rounded down to a planck.
		keep: Permill,
	},
	/// All that is held is returned.
	#[codec(index = 2)]
	Cancel,
}

/// What only the council can find.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Offence {
	/// GPUs are not what the provider says.
	#[codec(index = 0)]
	FalseHardware,
	/// A wrong result was delivered.
	#[codec(index = 1)]
	BadResult,
}

impl From<Offence> for SlashCause {
	fn from(offence: Offence) -> Self {
		match offence {
			Offence::FalseHardware => Self::FalseHardware,
			Offence::BadResult => Self::BadResult,
		}
	}
}
