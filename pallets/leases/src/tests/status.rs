//! The state machines: every pair of status and event.

use crate::{
	status::{next, next_node, InvalidTransition, LeaseEvent, NodeEvent},
	LeaseEvent::*,
	NodeEvent::*,
};
use millrace_primitives::{CloseReason, FaultCause, LeaseStatus, NodeStatus};

const AT: u64 = 77;
const UNTIL: u64 = 99;

const PENDING: LeaseStatus = LeaseStatus::Pending;
const ACTIVE: LeaseStatus = LeaseStatus::Active;
const FROZEN: LeaseStatus = LeaseStatus::Frozen { since: 5 };

const CAUSES: [FaultCause; 4] =
	[FaultCause::NotReady, FaultCause::Dark, FaultCause::Reclaimed, FaultCause::Left];

fn lease_events() -> Vec<LeaseEvent> {
	let others = [
		AllReady,
		FundsLow { at: AT },
		Funded,
		FundsExhausted,
		TermOver,
		ClosedByRenter,
		Rejected,
		ClosedByGovernance,
	];
	others.into_iter().chain(CAUSES.map(NodeLost)).collect()
}

fn reasons() -> Vec<CloseReason> {
	let others = [
		CloseReason::Completed,
		CloseReason::RenterClosed,
		CloseReason::FundsExhausted,
		CloseReason::Governance,
		CloseReason::Rejected,
	];
	others.into_iter().chain(CAUSES.map(CloseReason::from)).collect()
}

/// Every edge of the lease's diagram in the crate's documentation. What is not here must be refused.
fn lease_edges() -> Vec<(LeaseStatus, LeaseEvent, LeaseStatus)> {
	let closed = LeaseStatus::Closed;
	let mut edges = vec![
		(PENDING, AllReady, ACTIVE),
		(ACTIVE, FundsLow { at: AT }, LeaseStatus::Frozen { since: AT }),
		(FROZEN, Funded, ACTIVE),
	];
	for from in [PENDING, ACTIVE, FROZEN] {
		edges.push((from, ClosedByRenter, closed(CloseReason::RenterClosed)));
		edges.push((from, ClosedByGovernance, closed(CloseReason::Governance)));
		edges.extend(CAUSES.map(|cause| (from, NodeLost(cause), closed(cause.into()))));
	}
	for from in [ACTIVE, FROZEN] {
		edges.push((from, FundsExhausted, closed(CloseReason::FundsExhausted)));
		edges.push((from, TermOver, closed(CloseReason::Completed)));
		edges.push((from, Rejected, closed(CloseReason::Rejected)));
	}
	edges
}

const WAITING: NodeStatus = NodeStatus::Pending { since: 3 };
const SERVED: NodeStatus = NodeStatus::Active;
const DARK: NodeStatus = NodeStatus::Suspended { since: 5, leaves_at: None };
const DARK_LEAVING: NodeStatus = NodeStatus::Suspended { since: 5, leaves_at: Some(UNTIL) };
const LEAVING: NodeStatus = NodeStatus::Reclaiming { until: UNTIL };

const NODE_EVENTS: [NodeEvent; 8] = [
	Attested,
	MissedReports { at: AT },
	NoticeGiven { until: UNTIL },
	NoticeServed { at: AT },
	Left { at: AT },
	NotReadyInTime { at: AT },
	SuspendedTooLong { at: AT },
	Replaced { at: AT },
];

fn faulted(cause: FaultCause) -> NodeStatus {
	NodeStatus::Faulted { since: AT, cause }
}

/// Every edge of the node's diagram in the crate's documentation.
fn node_edges() -> Vec<(NodeStatus, NodeEvent, NodeStatus)> {
	let mut edges = vec![
		(WAITING, Attested, SERVED),
		(WAITING, NotReadyInTime { at: AT }, faulted(FaultCause::NotReady)),
		(SERVED, Attested, SERVED),
		(SERVED, MissedReports { at: AT }, NodeStatus::Suspended { since: AT, leaves_at: None }),
		(SERVED, NoticeGiven { until: UNTIL }, LEAVING),
		(DARK, Attested, SERVED),
		(DARK, SuspendedTooLong { at: AT }, faulted(FaultCause::Dark)),
		(DARK_LEAVING, Attested, LEAVING),
		(DARK_LEAVING, SuspendedTooLong { at: AT }, faulted(FaultCause::Dark)),
		(DARK_LEAVING, NoticeServed { at: AT }, faulted(FaultCause::Reclaimed)),
		(LEAVING, Attested, LEAVING),
		(LEAVING, MissedReports { at: AT }, NodeStatus::Suspended { since: AT, leaves_at: Some(UNTIL) }),
		(LEAVING, NoticeServed { at: AT }, faulted(FaultCause::Reclaimed)),
	];
	for from in [WAITING, SERVED, DARK, DARK_LEAVING, LEAVING] {
		edges.push((from, Left { at: AT }, faulted(FaultCause::Left)));
	}
	for cause in CAUSES {
		edges.push((faulted(cause), Replaced { at: AT }, NodeStatus::Pending { since: AT }));
	}
	edges
}

#[test]
fn every_pair_of_lease_status_and_event_is_decided_as_drawn() {
	let edges = lease_edges();
	let (mut pairs, mut allowed) = (0, 0);
	let closed = reasons().into_iter().map(LeaseStatus::Closed);
	for from in [PENDING, ACTIVE, FROZEN].into_iter().chain(closed) {
		for event in lease_events() {
			let drawn = edges.iter().find(|(f, e, _)| *f == from && *e == event).map(|(_, _, to)| *to);
			assert_eq!(next(from, event), drawn.ok_or(InvalidTransition), "{from:?} with {event:?}");
			pairs += 1;
			allowed += usize::from(drawn.is_some());
		}
	}
	assert_eq!((pairs, allowed), (12 * 12, edges.len()));
}

#[test]
fn every_pair_of_node_status_and_event_is_decided_as_drawn() {
	let edges = node_edges();
	let (mut pairs, mut allowed) = (0, 0);
	let with_provider = [WAITING, SERVED, DARK, DARK_LEAVING, LEAVING];
	for from in with_provider.into_iter().chain(CAUSES.map(faulted)) {
		for event in NODE_EVENTS {
			let drawn = edges.iter().find(|(f, e, _)| *f == from && *e == event).map(|(_, _, to)| *to);
			assert_eq!(next_node(from, event), drawn.ok_or(InvalidTransition), "{from:?} with {event:?}");
			pairs += 1;
			allowed += usize::from(drawn.is_some());
		}
	}
	assert_eq!((pairs, allowed), (9 * 8, edges.len()));
}

#[test]
fn a_closed_lease_never_comes_back() {
	for reason in reasons() {
		for event in lease_events() {
			assert_eq!(next(LeaseStatus::Closed(reason), event), Err(InvalidTransition));
		}
	}
}
