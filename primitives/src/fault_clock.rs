//! Which time and which misses count against providers.

use crate::BlockNumber;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A span of as many blocks as a leased provider has for a report, counted from block zero and the same for all providers:
/// `block / length`, rounded down.
pub type FaultEpoch = u32;

/// Why a miss is nobody's fault.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Excuse {
	/// The chain made no blocks for a while, or had just begun to make them again.
	#[codec(index = 0)]
	ChainStall,
	/// Most of the reports saw a finalised block that was too old.
	#[codec(index = 1)]
	FinalityLag,
	/// Governance paused the market, or had just resumed it.
	#[codec(index = 2)]
	MarketPause,
	/// The runtime had just been upgraded.
	#[codec(index = 3)]
	RuntimeUpgrade,
	/// Too large a part of everybody else's leased capacity was missed too.
	#[codec(index = 4)]
	MassOutage,
	/// What could say whether it counts is not kept any more.
	#[codec(index = 5)]
	TooOld,
}

/// What is made of a miss.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Judgement {
	/// Not known yet: what others missed at the time has not been found out in full.
	#[codec(index = 0)]
	Open,
	/// It is nobody's fault.
	#[codec(index = 1)]
	Excused(Excuse),
	/// It counts.
	#[codec(index = 2)]
	Counts,
}

/// Reads of the fault clock. Implemented by `pallet-fault-clock`.
pub trait FaultClock<AccountId> {
	/// Whether time counts against providers in this block.
	fn is_running() -> bool;

	/// Time that did not count so far, in milliseconds. Never falls.
	fn stopped_ms() -> u64;

	/// The epoch of the current block.
	fn epoch() -> FaultEpoch;

	/// What is made of time that one of the owner's nodes was not served: it began in `since`, and was found in `epoch`. Excused is
	/// what would be excused at either end. [`Judgement::Open`] turns into one of the others within three epochs after `epoch`,
	/// unless the chain is too busy to look for absence; the others are final.
	fn judge(since: FaultEpoch, epoch: FaultEpoch, owner: &AccountId) -> Judgement;
}

/// The census from which misses are judged. Implemented by `pallet-fault-clock`, used by `pallet-attestation`.
pub trait FaultCensus<AccountId, Balance> {
	/// A report came in. `bonded`: lease bonds of the provider, in plancks. `lag`: how far the finalised block that it saw is
	/// behind this one, in blocks.
	fn note_report(bonded: Balance, lag: BlockNumber);

	/// A node was found unserved in this epoch. `bonded`: its lease bond, in plancks. `reported`: whether its provider's report
	/// came in and is counted.
	fn note_miss(owner: &AccountId, bonded: Balance, reported: bool);

	/// Everybody was looked for whose absence shows before this block.
	fn note_searched_until(block: BlockNumber);
}

/// Stopping the fault clock. Implemented by `pallet-fault-clock`, used by `pallet-leases`.
pub trait FaultClockControl {
	/// The market is paused, or resumed.
	fn set_paused(paused: bool);
}
