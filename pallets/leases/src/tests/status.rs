//! The state machine: every pair of status and event.

use crate::{
	status::{next, InvalidTransition, LeaseEvent},
	LeaseEvent::*,
};
use millrace_primitives::{CloseReason, LeaseStatus};

const AT: u64 = 77;
const PENDING: LeaseStatus = LeaseStatus::Pending;
const ACTIVE: LeaseStatus = LeaseStatus::Active;
const SUSPENDED: LeaseStatus = LeaseStatus::Suspended { since: 5 };

const EVENTS: [LeaseEvent; 8] = [
	Attested,
	MissedReports { at: AT },
	TermOver,
	FundsExhausted,
	NotReadyInTime,
	SuspendedTooLong,
	ClosedByRenter,
	ClosedByGovernance,
];

const REASONS: [CloseReason; 6] = [
	CloseReason::Completed,
	CloseReason::RenterClosed,
	CloseReason::FundsExhausted,
	CloseReason::ProviderNotReady,
	CloseReason::ProviderDark,
	CloseReason::Governance,
];

/// Every edge of the diagram in the crate's documentation. What is not here must be refused.
const EDGES: [(LeaseStatus, LeaseEvent, LeaseStatus); 15] = [
	(PENDING, Attested, ACTIVE),
	(PENDING, NotReadyInTime, LeaseStatus::Closed(CloseReason::ProviderNotReady)),
	(PENDING, ClosedByRenter, LeaseStatus::Closed(CloseReason::RenterClosed)),
	(PENDING, ClosedByGovernance, LeaseStatus::Closed(CloseReason::Governance)),
	(ACTIVE, Attested, ACTIVE),
	(ACTIVE, MissedReports { at: AT }, LeaseStatus::Suspended { since: AT }),
	(ACTIVE, TermOver, LeaseStatus::Closed(CloseReason::Completed)),
	(ACTIVE, FundsExhausted, LeaseStatus::Closed(CloseReason::FundsExhausted)),
	(ACTIVE, ClosedByRenter, LeaseStatus::Closed(CloseReason::RenterClosed)),
	(ACTIVE, ClosedByGovernance, LeaseStatus::Closed(CloseReason::Governance)),
	(SUSPENDED, Attested, ACTIVE),
	(SUSPENDED, TermOver, LeaseStatus::Closed(CloseReason::Completed)),
	(SUSPENDED, SuspendedTooLong, LeaseStatus::Closed(CloseReason::ProviderDark)),
	(SUSPENDED, ClosedByRenter, LeaseStatus::Closed(CloseReason::RenterClosed)),
	(SUSPENDED, ClosedByGovernance, LeaseStatus::Closed(CloseReason::Governance)),
];

#[test]
fn every_pair_of_status_and_event_is_decided_as_drawn() {
	let mut pairs = 0;
	let closed = REASONS.map(LeaseStatus::Closed);
	for from in [PENDING, ACTIVE, SUSPENDED].into_iter().chain(closed) {
		for event in EVENTS {
			let drawn = EDGES.iter().find(|(f, e, _)| *f == from && *e == event).map(|(_, _, to)| *to);
			assert_eq!(next(from, event), drawn.ok_or(InvalidTransition), "{from:?} with {event:?}");
			pairs += 1;
		}
	}
	assert_eq!(pairs, 9 * 8);
}

#[test]
fn a_closed_lease_never_comes_back() {
	for reason in REASONS {
		for event in EVENTS {
			assert_eq!(next(LeaseStatus::Closed(reason), event), Err(InvalidTransition));
		}
	}
}
