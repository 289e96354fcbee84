//! What time alone makes of a lease, and when.

use crate::{
	pallet::{Config, Pallet},
	status::{LeaseEvent, NodeEvent},
	types::{LeaseOf, Node},
};
use frame_support::{storage::with_storage_layer, traits::Get};
use millrace_primitives::{LeaseId, LeaseStatus, Moment, NodeStatus};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// When time alone changes a lease next, as it looks at `now`; [`Moment::MAX`] if it never does. Not after `now` exactly if
	/// [`Self::make_due`] has something to do.
	///
	/// Funds are used up by attestations, not by time: they are due at once when that has happened.
	pub(crate) fn deadline(id: LeaseId, lease: &LeaseOf<T>, now: Moment) -> Moment {
		let closes_at = Self::closes_with_term(lease);
		if lease.is_over(now) {
			return closes_at;
		}
		let of_nodes = lease.nodes.iter().map(|node| match node.status {
			NodeStatus::Faulted { .. } => node.search_at,
			_ => Self::next_of_node(node, now).map_or(Moment::MAX, |(at, _)| at),
		});
		// What would come at the end of the term or later does not come.
		let of_nodes = of_nodes.filter(|at| lease.ends_at.is_none_or(|end| *at < end)).min();
		closes_at.min(of_nodes.unwrap_or(Moment::MAX)).min(Self::deadline_of_funds(id, lease, now))
	}

	/// When a lease is closed because its term is over: with its end, if that is attested on every node that is served, or
	/// else when the reports that could attest it are no longer waited for.
	fn closes_with_term(lease: &LeaseOf<T>) -> Moment {
		let Some(end) = lease.ends_at else { return Moment::MAX };
		let is_awaited = |node: &Node<T::AccountId>| node.status.is_served() && node.attested_at < end;
		let wait = if lease.nodes.iter().any(is_awaited) { T::FinalReportWithin::get() } else { 0 };
		// Clamping is right: a time that does not fit never comes.
		end.saturating_add(wait)
	}

	fn deadline_of_funds(id: LeaseId, lease: &LeaseOf<T>, now: Moment) -> Moment {
		let Some(funds) = Self::short_funds(id, lease, now) else { return Moment::MAX };
		if funds.used_up {
			return now;
		}
		let (freezes_at, warns_at) = Self::freeze_and_warning(&funds);
		match (lease.status, lease.warned) {
			(LeaseStatus::Active, false) => warns_at,
			(LeaseStatus::Active, true) => freezes_at,
			(LeaseStatus::Pending | LeaseStatus::Frozen { .. } | LeaseStatus::Closed(_), _) => Moment::MAX,
		}
	}

	/// When time alone changes a node that has a provider, and what happens then.
	fn next_of_node(node: &Node<T::AccountId>, now: Moment) -> Option<(Moment, NodeEvent)> {
		// All sums clamp: a time that does not fit never comes.
		match node.status {
			NodeStatus::Pending { since } => {
				let late =
					since.saturating_add(T::ReadyWithin::get()).saturating_add(Self::stopped_for(node));
				Some((late, NodeEvent::NotReadyInTime { at: now }))
			}
			NodeStatus::Suspended { since, leaves_at } => {
				let gone =
					since.saturating_add(T::SuspendedFor::get()).saturating_add(Self::stopped_for(node));
				Some(match leaves_at.filter(|until| *until <= gone) {
					Some(until) => (until, NodeEvent::NoticeServed { at: now }),
					None => (gone, NodeEvent::SuspendedTooLong { at: now }),
				})
			}
			NodeStatus::Reclaiming { until } => Some((until, NodeEvent::NoticeServed { at: now })),
			NodeStatus::Active | NodeStatus::Faulted { .. } => None,
		}
	}

	/// Makes of a lease what time has made of it, and stores or closes it. Returns whether there was anything to do. All or
	/// nothing.
	pub(crate) fn make_due(id: LeaseId, mut lease: LeaseOf<T>, now: Moment) -> Result<bool, DispatchError> {
		if now < Self::deadline(id, &lease, now) {
			return Ok(false);
		}
		with_storage_layer(|| {
			let end = Self::apply_due(id, &mut lease, now)?;
			Self::store_or_close(id, lease, end, now)
		})?;
		Ok(true)
	}

	/// Applies everything that is due, but for more than one search. Returns the event that ends the lease, if one does.
	fn apply_due(
		id: LeaseId,
		lease: &mut LeaseOf<T>,
		now: Moment,
	) -> Result<Option<LeaseEvent>, DispatchError> {
		if lease.is_over(now) {
			return Ok(Some(LeaseEvent::TermOver));
		}
		if Self::short_funds(id, lease, now).is_some_and(|funds| funds.used_up) {
			return Ok(Some(LeaseEvent::FundsExhausted));
		}
		for index in 0..lease.nodes.len() {
			let next = lease.nodes.get(index).and_then(|node| Self::next_of_node(node, now));
			let Some((_, event)) = next.filter(|(at, _)| *at <= now) else { continue };
			if let Some(end) = Self::fault_node(id, lease, index, event, now)? {
				return Ok(Some(end));
			}
		}
		if let Some(end) = Self::search(id, lease, now)? {
			return Ok(Some(end));
		}
		Self::warn_and_freeze(id, lease, now)?;
		Ok(None)
	}
}
