//! Life of a lease and of its nodes as two total functions. Nothing else decides what may follow what.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{CloseReason, FaultCause, LeaseStatus, Moment, NodeStatus};
use scale_info::TypeInfo;

/// What can happen to a lease as a whole.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LeaseEvent {
	/// Every node was attested.
	#[codec(index = 0)]
	AllReady,
	/// What is left pays for the frozen grace only.
	#[codec(index = 1)]
	FundsLow {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// It is funded beyond the frozen grace again.
	#[codec(index = 2)]
	Funded,
	/// The escrow is used up.
	#[codec(index = 3)]
	FundsExhausted,
	/// The term is over.
	#[codec(index = 4)]
	TermOver,
	/// A node has no provider, and none is looked for any longer.
	#[codec(index = 5)]
	NodeLost(FaultCause),
	/// The renter wants no more.
	#[codec(index = 6)]
	ClosedByRenter,
	/// The renter does not accept what it got.
	#[codec(index = 7)]
	Rejected,
	/// Governance ends it.
	#[codec(index = 8)]
	ClosedByGovernance,
}

/// What can happen to one node.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum NodeEvent {
	/// The provider's worker attested all GPUs of the node.
	#[codec(index = 0)]
	Attested,
	/// The provider missed its reports.
	#[codec(index = 1)]
	MissedReports {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// The provider gives notice.
	#[codec(index = 2)]
	NoticeGiven {
		/// When it leaves, in milliseconds.
		until: Moment,
	},
	/// The notice is served.
	#[codec(index = 3)]
	NoticeServed {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// The provider leaves before its notice ends, or without one.
	#[codec(index = 4)]
	Left {
		/// When, in milliseconds.
		at: Moment,
	},
	/// The provider did not get ready in time.
	#[codec(index = 5)]
	NotReadyInTime {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// The provider did not come back in time.
	#[codec(index = 6)]
	SuspendedTooLong {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// Another provider takes over.
	#[codec(index = 7)]
	Replaced {
		/// When, in milliseconds.
		at: Moment,
	},
}

/// The event cannot happen in this status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidTransition;

/// Where a lease stands after an event.
pub fn next(status: LeaseStatus, event: LeaseEvent) -> Result<LeaseStatus, InvalidTransition> {
	use LeaseEvent::*;
	use LeaseStatus::*;
	match status {
		Pending => match event {
			AllReady => Ok(Active),
			NodeLost(cause) => Ok(Closed(cause.into())),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			FundsLow { .. } | Funded | FundsExhausted | TermOver | Rejected => Err(InvalidTransition),
		},
		Active => match event {
			FundsLow { at } => Ok(Frozen { since: at }),
			FundsExhausted => Ok(Closed(CloseReason::FundsExhausted)),
			TermOver => Ok(Closed(CloseReason::Completed)),
			NodeLost(cause) => Ok(Closed(cause.into())),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			Rejected => Ok(Closed(CloseReason::Rejected)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			AllReady | Funded => Err(InvalidTransition),
		},
		Frozen { .. } => match event {
			Funded => Ok(Active),
			FundsExhausted => Ok(Closed(CloseReason::FundsExhausted)),
			TermOver => Ok(Closed(CloseReason::Completed)),
			NodeLost(cause) => Ok(Closed(cause.into())),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			Rejected => Ok(Closed(CloseReason::Rejected)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			AllReady | FundsLow { .. } => Err(InvalidTransition),
		},
		Closed(_) => match event {
			AllReady
			| FundsLow { .. }
			| Funded
			| FundsExhausted
			| TermOver
			| NodeLost(_)
			| ClosedByRenter
			| Rejected
			| ClosedByGovernance => Err(InvalidTransition),
		},
	}
}

/// Where a node stands after an event.
pub fn next_node(status: NodeStatus, event: NodeEvent) -> Result<NodeStatus, InvalidTransition> {
	use NodeEvent::*;
	use NodeStatus::*;
	let faulted = |since, cause| Ok(Faulted { since, cause });
	match status {
		Pending { .. } => match event {
			Attested => Ok(Active),
			NotReadyInTime { at } => faulted(at, FaultCause::NotReady),
			Left { at } => faulted(at, FaultCause::Left),
			MissedReports { .. }
			| NoticeGiven { .. }
			| NoticeServed { .. }
			| SuspendedTooLong { .. }
			| Replaced { .. } => Err(InvalidTransition),
		},
		Active => match event {
			Attested => Ok(Active),
			MissedReports { at } => Ok(Suspended { since: at, leaves_at: None }),
			NoticeGiven { until } => Ok(Reclaiming { until }),
			Left { at } => faulted(at, FaultCause::Left),
			NoticeServed { .. } | NotReadyInTime { .. } | SuspendedTooLong { .. } | Replaced { .. } => {
				Err(InvalidTransition)
			}
		},
		Suspended { leaves_at, .. } => match event {
			Attested => Ok(leaves_at.map_or(Active, |until| Reclaiming { until })),
			NoticeServed { at } if leaves_at.is_some() => faulted(at, FaultCause::Reclaimed),
			Left { at } => faulted(at, FaultCause::Left),
			SuspendedTooLong { at } => faulted(at, FaultCause::Dark),
			MissedReports { .. }
			| NoticeGiven { .. }
			| NoticeServed { .. }
			| NotReadyInTime { .. }
			| Replaced { .. } => Err(InvalidTransition),
		},
		Reclaiming { until } => match event {
			Attested => Ok(Reclaiming { until }),
			MissedReports { at } => Ok(Suspended { since: at, leaves_at: Some(until) }),
			NoticeServed { at } => faulted(at, FaultCause::Reclaimed),
			Left { at } => faulted(at, FaultCause::Left),
			NoticeGiven { .. } | NotReadyInTime { .. } | SuspendedTooLong { .. } | Replaced { .. } => {
				Err(InvalidTransition)
			}
		},
		Faulted { .. } => match event {
			Replaced { at } => Ok(Pending { since: at }),
			Attested
			| MissedReports { .. }
			| NoticeGiven { .. }
			| NoticeServed { .. }
			| Left { .. }
			| NotReadyInTime { .. }
			| SuspendedTooLong { .. } => Err(InvalidTransition),
		},
	}
}
