//! Attestation, suspension, extension and the end of leases.

use crate::{
	pallet::{Config, Error, Event, Jobs, Leases, Pallet, ProviderLeases},
	status::{next, LeaseEvent},
	types::{AgendaItem, LeaseOf, MAX_JOBS_PER_LEASE},
};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_primitives::{Escrow, GpuIndex, GpuReservation, LeaseId, LeaseStatus, LeaseUsage, Moment};
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	DispatchError, DispatchResult,
};

/// Unpaid rest of an escrow that cannot pay for this long is used up, in milliseconds: an accrual calls it
/// exhausted.
const LAST_SECOND_MS: u64 = 1_000;

impl<T: Config> Pallet<T> {
	/// Where a lease in `status` goes with `event`.
	fn next_status(status: LeaseStatus, event: LeaseEvent) -> Result<LeaseStatus, Error<T>> {
		next(status, event).map_err(|_| Error::<T>::InvalidTransition)
	}

	/// See [`LeaseAttestation::attest`](millrace_primitives::LeaseAttestation::attest). A lease whose last
	/// part this attests is closed by the agenda of the next block: closing has its own weight there.
	pub(crate) fn do_attest(
		usage: &LeaseUsage,
		healthy: &[GpuIndex],
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult {
		let id = usage.lease;
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		if !lease.gpus.iter().all(|gpu| healthy.contains(gpu)) {
			return Ok(());
		}
		// Nothing after the end is attested. A report at or after it that is not the first has said all there
		// is to say.
		if lease.ends_at.is_some_and(|end| lease.attested_at >= end) {
			return Ok(());
		}
		let before = lease.status;
		lease.status = Self::next_status(before, LeaseEvent::Attested)?;
		// Clamping is right: chain time does not run backwards, and if it did, no time would have passed.
		let since_last = now.saturating_sub(lease.attested_at);
		let mut ms = 0;
		match before {
			LeaseStatus::Pending => {
				let ends_at = now.saturating_add(lease.term_ms);
				lease.ready_at = Some(now);
				lease.ends_at = Some(ends_at);
				Self::deposit_event(Event::LeaseReady { lease: id, after_ms: since_last, ends_at });
			}
			LeaseStatus::Active if since_last <= max_interval_ms => {
				let until = lease.ends_at.map_or(now, |end| end.min(now));
				ms = until.saturating_sub(lease.attested_at);
				T::Escrow::accrue(id.into(), ms)?;
			}
			// Too long ago to be attested by this report: service restarts here.
			LeaseStatus::Active => (),
			LeaseStatus::Suspended { .. } => {
				Self::deposit_event(Event::LeaseResumed { lease: id, dark_ms: since_last });
			}
			LeaseStatus::Closed(_) => return Err(Error::<T>::InvalidTransition.into()),
		}
		lease.attested_at = now;
		lease.usage_chain = BlakeTwo256::hash_of(&(lease.usage_chain, usage, now));
		Self::deposit_event(Event::LeaseAttested {
			lease: id,
			ms,
			busy_ms: usage.busy_ms,
			usage_chain: lease.usage_chain,
		});
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// See [`LeaseAttestation::suspend`](millrace_primitives::LeaseAttestation::suspend).
	pub(crate) fn do_suspend(id: LeaseId, now: Moment) -> DispatchResult {
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		if lease.status != LeaseStatus::Active {
			return Ok(());
		}
		lease.status = Self::next_status(lease.status, LeaseEvent::MissedReports { at: now })?;
		Self::deposit_event(Event::LeaseSuspended { lease: id, attested_at: lease.attested_at });
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	pub(crate) fn do_extend(renter: &T::AccountId, id: LeaseId, extra_ms: u64) -> DispatchResult {
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(lease.renter == *renter, Error::<T>::NotRenter);
		ensure!(extra_ms > 0, Error::<T>::ZeroExtension);
		ensure!(!lease.is_over(T::Time::now()), Error::<T>::LeaseIsOver);
		let term_ms = lease.term_ms.checked_add(extra_ms).ok_or(Error::<T>::TermTooLong)?;
		ensure!(term_ms <= lease.max_term_ms, Error::<T>::TermTooLong);
		let amount = lease
			.rate()
			.and_then(|rate| millrace_math::deposit_for(rate, extra_ms))
			.ok_or(Error::<T>::AmountTooLarge)?;
		Self::ensure_affordable(renter, amount)?;

		T::Escrow::top_up(id.into(), amount)?;
		lease.term_ms = term_ms;
		// The end only moves away, so the agenda's entry is early at worst.
		lease.ends_at = lease.ready_at.map(|ready| ready.saturating_add(term_ms));
		Self::deposit_event(Event::LeaseExtended { lease: id, extra_ms, amount, ends_at: lease.ends_at });
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	pub(crate) fn do_close(renter: &T::AccountId, id: LeaseId) -> DispatchResult {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(lease.renter == *renter, Error::<T>::NotRenter);
		Self::close_lease(id, lease, LeaseEvent::ClosedByRenter)
	}

	pub(crate) fn do_force_close(id: LeaseId) -> DispatchResult {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		Self::close_lease(id, lease, LeaseEvent::ClosedByGovernance)
	}

	pub(crate) fn do_poke(id: LeaseId) -> DispatchResult {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(Self::close_if_due(id, lease, T::Time::now())?, Error::<T>::NothingDue);
		Ok(())
	}

	/// When time alone ends a lease, and how.
	pub(crate) fn deadline(id: LeaseId, lease: &LeaseOf<T>) -> (Moment, LeaseEvent) {
		// All sums clamp: a time that does not fit never comes.
		let end_of_term = lease.ends_at.unwrap_or(Moment::MAX);
		match lease.status {
			LeaseStatus::Suspended { since } => {
				let gone = since.saturating_add(T::SuspendedFor::get());
				if end_of_term <= gone {
					(end_of_term, LeaseEvent::TermOver)
				} else {
					(gone, LeaseEvent::SuspendedTooLong)
				}
			}
			LeaseStatus::Active => {
				let funded_ms = T::Escrow::funded_ms(id.into()).unwrap_or(0);
				let end_of_funds = lease.attested_at.saturating_add(funded_ms);
				let (end, event, all_attested) = if end_of_term <= end_of_funds {
					(end_of_term, LeaseEvent::TermOver, lease.attested_at >= end_of_term)
				} else {
					(end_of_funds, LeaseEvent::FundsExhausted, funded_ms < LAST_SECOND_MS)
				};
				let wait = if all_attested { 0 } else { T::FinalReportWithin::get() };
				(end.saturating_add(wait), event)
			}
			// A closed lease is not stored; nothing but its absence would follow.
			LeaseStatus::Pending | LeaseStatus::Closed(_) => {
				(lease.opened_at.saturating_add(T::ReadyWithin::get()), LeaseEvent::NotReadyInTime)
			}
		}
	}

	/// Closes a lease that time has ended. Returns whether it had.
	pub(crate) fn close_if_due(id: LeaseId, lease: LeaseOf<T>, now: Moment) -> Result<bool, DispatchError> {
		let (deadline, event) = Self::deadline(id, &lease);
		if now < deadline {
			return Ok(false);
		}
		Self::close_lease(id, lease, event)?;
		Ok(true)
	}

	/// Ends a lease: money, GPUs, ask, jobs, lists, agenda. All of it or nothing.
	pub(crate) fn close_lease(id: LeaseId, lease: LeaseOf<T>, event: LeaseEvent) -> DispatchResult {
		let LeaseStatus::Closed(reason) = Self::next_status(lease.status, event)? else {
			return Err(Error::<T>::InvalidTransition.into());
		};
		with_storage_layer(|| {
			let receipt = T::Escrow::close(id.into())?;
			T::Providers::release(&lease.provider, &lease.gpus, id);
			// At most MAX_GPUS_PER_LEASE, so the conversion keeps the number.
			Self::return_capacity(lease.ask, lease.gpus.len() as u32);
			// At most this many are stored, so nothing is left for a second round.
			let _ = Jobs::<T>::clear_prefix(id, MAX_JOBS_PER_LEASE, None);
			ProviderLeases::<T>::mutate_exists(&lease.provider, |leases| {
				if let Some(list) = leases {
					list.retain(|other| *other != id);
					if list.is_empty() {
						*leases = None;
					}
				}
			});
			Self::disarm(AgendaItem::Lease(id), lease.due);
			Leases::<T>::remove(id);
			Self::deposit_event(Event::LeaseClosed {
				lease: id,
				reason,
				ready_at: lease.ready_at,
				attested_ms: receipt.attested_ms,
				deposited: receipt.deposited,
				paid: receipt.paid,
				fee: receipt.fee,
				refunded: receipt.refunded,
			});
			Ok(())
		})
	}
}
