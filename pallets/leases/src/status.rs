//! Life of a lease as one total function. Nothing else decides what may follow what.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::{CloseReason, LeaseStatus, Moment};
use scale_info::TypeInfo;

/// What can happen to a lease.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum LeaseEvent {
	/// The provider's worker attested all GPUs of the lease.
	#[codec(index = 0)]
	Attested,
	/// The provider missed its reports.
	#[codec(index = 1)]
	MissedReports {
		/// When that was found, in milliseconds.
		at: Moment,
	},
	/// The term is over.
	#[codec(index = 2)]
	TermOver,
	/// The escrow is used up.
	#[codec(index = 3)]
	FundsExhausted,
	/// The provider did not get ready in time.
	#[codec(index = 4)]
	NotReadyInTime,
	/// The provider did not come back in time.
	#[codec(index = 5)]
	SuspendedTooLong,
	/// The renter wants no more.
	#[codec(index = 6)]
	ClosedByRenter,
	/// Governance ends it.
	#[codec(index = 7)]
	ClosedByGovernance,
}

/// The event cannot happen to a lease in this status.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct InvalidTransition;

/// Where a lease stands after an event.
pub fn next(status: LeaseStatus, event: LeaseEvent) -> Result<LeaseStatus, InvalidTransition> {
	use LeaseEvent::*;
	use LeaseStatus::*;
	match status {
		Pending => match event {
			Attested => Ok(Active),
			NotReadyInTime => Ok(Closed(CloseReason::ProviderNotReady)),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			MissedReports { .. } | TermOver | FundsExhausted | SuspendedTooLong => Err(InvalidTransition),
		},
		Active => match event {
			Attested => Ok(Active),
			MissedReports { at } => Ok(Suspended { since: at }),
			TermOver => Ok(Closed(CloseReason::Completed)),
			FundsExhausted => Ok(Closed(CloseReason::FundsExhausted)),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			NotReadyInTime | SuspendedTooLong => Err(InvalidTransition),
		},
		Suspended { .. } => match event {
			Attested => Ok(Active),
			TermOver => Ok(Closed(CloseReason::Completed)),
			SuspendedTooLong => Ok(Closed(CloseReason::ProviderDark)),
			ClosedByRenter => Ok(Closed(CloseReason::RenterClosed)),
			ClosedByGovernance => Ok(Closed(CloseReason::Governance)),
			MissedReports { .. } | FundsExhausted | NotReadyInTime => Err(InvalidTransition),
		},
		Closed(_) => match event {
			Attested
			| MissedReports { .. }
			| TermOver
			| FundsExhausted
			| NotReadyInTime
			| SuspendedTooLong
			| ClosedByRenter
			| ClosedByGovernance => Err(InvalidTransition),
		},
	}
}
