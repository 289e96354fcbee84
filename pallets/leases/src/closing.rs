//! The end of a lease, and of its payments.

use crate::{
	pallet::{Config, Error, Event, Jobs, Leases, Pallet, Payments},
	status::{next, LeaseEvent},
	types::{AgendaItem, LastPayments, LeaseOf, MAX_JOBS_PER_LEASE},
	weights::WeightInfo,
	weights_ext::{LeaseSize, WeightInfoExt},
};
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_primitives::{
	Balance, CloseReason, Closing, Escrow, GpuReservation, LeaseId, LeaseStatus, Moment, NodeStatus,
	ServiceOutcome, MAX_STREAMS,
};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Where a lease in `status` goes with `event`.
	pub(crate) fn lease_after(status: LeaseStatus, event: LeaseEvent) -> Result<LeaseStatus, Error<T>> {
		next(status, event).map_err(|_| Error::<T>::InvalidTransition)
	}

	pub(crate) fn do_close(renter: &T::AccountId, id: LeaseId) -> DispatchResultWithPostInfo {
		let lease = Self::rented_by(renter, id)?;
		let weight = T::WeightInfo::close_lease(Self::size_of(&lease));
		Self::close_lease(id, lease, LeaseEvent::ClosedByRenter, T::Time::now())?;
		Ok(Some(weight).into())
	}

	/// What the weight of this lease's end depends on.
	pub(crate) fn size_of(lease: &LeaseOf<T>) -> LeaseSize {
		// No sum can saturate: nodes, jobs and changes of providers are few. Some payees may be paid and gone by now.
		let streams = lease
			.nodes
			.iter()
			.fold(0, |sum: u32, node| sum.saturating_add(node.generation.saturating_add(1)));
		LeaseSize {
			// At most MAX_NODES, so the conversion keeps the number.
			nodes: lease.nodes.len() as u32,
			gpus_per_node: lease.gpus_per_node,
			jobs: lease.open_jobs.saturating_add(lease.finished_jobs),
			streams: streams.min(MAX_STREAMS),
			asks: Self::count_asks(lease.nodes.iter().map(|node| &node.provider)),
			failover: lease.failover,
		}
	}

	pub(crate) fn do_reject(renter: &T::AccountId, id: LeaseId) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		let lease = Self::rented_by(renter, id)?;
		let is_open = lease
			.ready_at
			// Clamping is right: a time that does not fit never comes.
			.is_some_and(|ready| now < ready.saturating_add(T::AcceptanceWindow::get()));
		ensure!(is_open, Error::<T>::NotInAcceptanceWindow);
		let weight = T::WeightInfo::reject_lease(Self::size_of(&lease));
		T::Escrow::void(id.into())?;
		Self::close_lease(id, lease, LeaseEvent::Rejected, now)?;
		Ok(Some(weight).into())
	}

	pub(crate) fn do_force_close(id: LeaseId) -> DispatchResultWithPostInfo {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let weight = T::WeightInfo::close_lease(Self::size_of(&lease));
		Self::close_lease(id, lease, LeaseEvent::ClosedByGovernance, T::Time::now())?;
		Ok(Some(weight).into())
	}

	pub(crate) fn do_poke(id: LeaseId) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		if let Some(lease) = Leases::<T>::get(id) {
			let weight = T::WeightInfo::step_of_lease(Self::size_of(&lease));
			ensure!(Self::make_due(id, lease, now)?, Error::<T>::NothingDue);
			return Ok(Some(weight).into());
		}
		let last = Payments::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(last.at <= now, Error::<T>::NothingDue);
		Self::finish_payments(id, now)?;
		Ok(Some(T::WeightInfo::agenda_payments(last.streams)).into())
	}

	/// Stores a lease that was changed, with its entry in the agenda, or ends it if something does.
	pub(crate) fn store_or_close(
		id: LeaseId,
		mut lease: LeaseOf<T>,
		end: Option<LeaseEvent>,
		now: Moment,
	) -> DispatchResult {
		if let Some(end) = end {
			return Self::close_lease(id, lease, end, now);
		}
		Self::rearm_lease(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// Ends a lease: GPUs, money, jobs, lists, agenda. All of it or nothing. Money that waits for the contest window, or that
	/// cannot move, does not keep the GPUs.
	pub(crate) fn close_lease(
		id: LeaseId,
		lease: LeaseOf<T>,
		event: LeaseEvent,
		now: Moment,
	) -> DispatchResult {
		let LeaseStatus::Closed(reason) = Self::lease_after(lease.status, event)? else {
			return Err(Error::<T>::InvalidTransition.into());
		};
		with_storage_layer(|| {
			let closing = T::Escrow::close(id.into())?;
			for node in lease.nodes.iter().filter(|node| !matches!(node.status, NodeStatus::Faulted { .. })) {
				Self::unassign(id, node);
				if let Some(outcome) = outcome_of(reason, node.status) {
					T::Providers::record_outcome(&node.provider, outcome);
				}
			}
			// At most this many are stored, so nothing is left for a second round.
			let _ = Jobs::<T>::clear_prefix(id, MAX_JOBS_PER_LEASE, None);
			Self::disarm(AgendaItem::Lease(id), lease.due);
			Leases::<T>::remove(id);
			Self::await_payments(id, &closing, now);
			Self::deposit_event(Event::LeaseClosed {
				lease: id,
				reason,
				ready_at: lease.ready_at,
				attested_ms: closing.attested_ms,
				refunded: closing.refunded,
				pending: closing.pending,
			});
			Ok(())
		})
	}

	/// Sees to it that the last payments of a closed escrow are made, if there are any.
	pub(crate) fn await_payments(id: LeaseId, closing: &Closing<Balance>, now: Moment) {
		if let Some(at) = closing.next {
			let due = Self::arm(AgendaItem::Payments(id), at, now);
			Payments::<T>::insert(id, LastPayments { at, streams: closing.streams, due });
		}
	}

	/// Makes the last payments of a closed lease that are due. Also forgets them if they were made already, by a renter who
	/// accepted or by somebody who settled.
	pub(crate) fn finish_payments(id: LeaseId, now: Moment) -> DispatchResult {
		let next = T::Escrow::finish(id.into())?;
		let Some(last) = Payments::<T>::take(id) else { return Ok(()) };
		Self::disarm(AgendaItem::Payments(id), last.due);
		if let Some(at) = next {
			// Fewer payees may be left, never more.
			let due = Self::arm(AgendaItem::Payments(id), at, now);
			Payments::<T>::insert(id, LastPayments { at, due, ..last });
		}
		Ok(())
	}
}

/// What the end of a lease says about the provider of a node in this status. A lease that others ended says nothing.
fn outcome_of(reason: CloseReason, node: NodeStatus) -> Option<ServiceOutcome> {
	match reason {
		CloseReason::Completed | CloseReason::RenterClosed | CloseReason::FundsExhausted => {
			node.is_served().then_some(ServiceOutcome::Completed)
		}
		CloseReason::Rejected => Some(ServiceOutcome::Rejected),
		CloseReason::ProviderNotReady
		| CloseReason::ProviderDark
		| CloseReason::Governance
		| CloseReason::ProviderReclaimed
		| CloseReason::ProviderLeft => None,
	}
}
