//! The end of a lease, and of its payments.

use crate::{
	pallet::{Config, Error, Event, Jobs, Leases, Pallet, Payments},
	status::{next, LeaseEvent},
	types::{AgendaItem, LastPayments, LeaseOf, MAX_JOBS_PER_LEASE},
	weights::WeightInfo,
};
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::Weight,
};
use millrace_primitives::{Escrow, LeaseId, LeaseStatus, Moment, NodeStatus};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// Where a lease in `status` goes with `event`.
	pub(crate) fn lease_after(status: LeaseStatus, event: LeaseEvent) -> Result<LeaseStatus, Error<T>> {
		next(status, event).map_err(|_| Error::<T>::InvalidTransition)
	}

	pub(crate) fn do_close(renter: &T::AccountId, id: LeaseId) -> DispatchResultWithPostInfo {
		let lease = Self::rented_by(renter, id)?;
		let weight = Self::weight_of_close(&lease);
		Self::close_lease(id, lease, LeaseEvent::ClosedByRenter, T::Time::now())?;
		Ok(Some(weight).into())
	}

	/// What closing this lease weighs.
	fn weight_of_close(lease: &LeaseOf<T>) -> Weight {
		// At most MAX_NODES, so the conversion keeps the number. The sum does not overflow: both are small.
		let (nodes, jobs) = (lease.nodes.len() as u32, lease.open_jobs.saturating_add(lease.finished_jobs));
		T::WeightInfo::close_lease(nodes, lease.gpus_per_node, jobs)
	}

	/// What making due what is due of this lease weighs at most.
	pub(crate) fn weight_of_step(lease: &LeaseOf<T>) -> Weight {
		Self::weight_of_close(lease).saturating_add(T::WeightInfo::agenda_search(lease.gpus_per_node))
	}

	pub(crate) fn do_reject(renter: &T::AccountId, id: LeaseId) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		let lease = Self::rented_by(renter, id)?;
		let is_open = lease
			.ready_at
			// Clamping is right: a time that does not fit never comes.
			.is_some_and(|ready| now < ready.saturating_add(T::AcceptanceWindow::get()));
		ensure!(is_open, Error::<T>::NotInAcceptanceWindow);
		let weight = T::WeightInfo::void_escrow().saturating_add(Self::weight_of_close(&lease));
		T::Escrow::void(id.into())?;
		Self::close_lease(id, lease, LeaseEvent::Rejected, now)?;
		Ok(Some(weight).into())
	}

	pub(crate) fn do_force_close(id: LeaseId) -> DispatchResultWithPostInfo {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let weight = Self::weight_of_close(&lease);
		Self::close_lease(id, lease, LeaseEvent::ClosedByGovernance, T::Time::now())?;
		Ok(Some(weight).into())
	}

	pub(crate) fn do_poke(id: LeaseId) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		if let Some(lease) = Leases::<T>::get(id) {
			let weight = Self::weight_of_step(&lease);
			ensure!(Self::make_due(id, lease, now)?, Error::<T>::NothingDue);
			return Ok(Some(weight).into());
		}
		let last = Payments::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(last.at <= now, Error::<T>::NothingDue);
		Self::finish_payments(id, now)?;
		Ok(Some(T::WeightInfo::agenda_payments()).into())
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
			}
			// At most this many are stored, so nothing is left for a second round.
			let _ = Jobs::<T>::clear_prefix(id, MAX_JOBS_PER_LEASE, None);
			Self::disarm(AgendaItem::Lease(id), lease.due);
			Leases::<T>::remove(id);
			Self::await_payments(id, closing.next, now);
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

	/// Sees to it that the last payments of a closed escrow are made at `next`; if that is `None`, there are none.
	pub(crate) fn await_payments(id: LeaseId, next: Option<Moment>, now: Moment) {
		if let Some(at) = next {
			let due = Self::arm(AgendaItem::Payments(id), at, now);
			Payments::<T>::insert(id, LastPayments { at, due });
		}
	}

	/// Makes the last payments of a closed lease that are due. Also forgets them if they were made already, by a renter who
	/// accepted or by somebody who settled.
	pub(crate) fn finish_payments(id: LeaseId, now: Moment) -> DispatchResult {
		let next = T::Escrow::finish(id.into())?;
		if let Some(last) = Payments::<T>::take(id) {
			Self::disarm(AgendaItem::Payments(id), last.due);
		}
		Self::await_payments(id, next, now);
		Ok(())
	}
}
