//! Term and funds of a lease: extending, shortening, topping up; the warning, the freeze and the thaw.

use crate::{
	pallet::{Config, Error, Event, Leases, Pallet},
	status::LeaseEvent,
	types::{LeaseOf, Node},
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{Get, Time},
};
use millrace_primitives::{Balance, Escrow, LeaseId, LeaseStatus, Moment};
use sp_runtime::{DispatchError, DispatchResult};

/// Funds that pay for less than this are used up, in milliseconds. Also, what rounding can cost of a term's last second is
/// not a lack of funds: each node's share is rounded to a whole unit, and no node earns less than one unit a second.
const LAST_SECOND_MS: u64 = 1_000;

/// The funds of a lease whose nodes earn.
pub(crate) struct Funds {
	/// When they end if every node that is served now is attested all the time.
	pub ends_at: Moment,
	/// Whether they pay for nothing more.
	pub used_up: bool,
}

impl<T: Config> Pallet<T> {
	/// See [`Event::LeaseToppedUp`]. `None` while nothing is billed: before the lease is ready, and while no node is served.
	pub(crate) fn funds_end(id: LeaseId, lease: &LeaseOf<T>) -> Option<Moment> {
		Self::funds(id, lease, T::Time::now()).map(|funds| funds.ends_at).filter(|end| *end < Moment::MAX)
	}

	/// How long the funds last, at the price of the nodes that are served: those that are suspended or not ready yet earn
	/// nothing until a report makes them served, and is the occasion to look again. `None` while nothing is billed.
	fn funds(id: LeaseId, lease: &LeaseOf<T>, now: Moment) -> Option<Funds> {
		lease.ready_at?;
		// A node whose last attestation is too long ago for the next to attest the time between earns from that one on:
		// after a stall of the chain nothing is used up that nobody has earned.
		let earns_from = |attested_at: Moment| {
			if now.saturating_sub(attested_at) <= T::FinalReportWithin::get() {
				attested_at
			} else {
				now
			}
		};
		let earning: Vec<(Balance, Moment)> = lease
			.nodes
			.iter()
			.filter(|node| node.status.is_served())
			// A rate that did not fit could not have been assigned.
			.filter_map(|node| Some((lease.node_rate(node.price)?, earns_from(node.attested_at))))
			.collect();
		if earning.is_empty() {
			return None;
		}
		let free = T::Escrow::free(id.into()).unwrap_or(0);
		let rate = earning.iter().fold(0, |sum: Balance, (rate, _)| sum.saturating_add(*rate));
		Some(Funds {
			ends_at: millrace_math::funds_end(free, &earning),
			used_up: millrace_math::funded_ms(free, rate) < LAST_SECOND_MS,
		})
	}

	/// The funds, if they end before the term does.
	pub(crate) fn short_funds(id: LeaseId, lease: &LeaseOf<T>, now: Moment) -> Option<Funds> {
		Self::funds(id, lease, now).filter(|funds| {
			lease.ends_at.is_none_or(|end| end > funds.ends_at.saturating_add(LAST_SECOND_MS))
		})
	}

	/// When a lease is frozen, and when its renter is warned of that.
	pub(crate) fn freeze_and_warning(funds: &Funds) -> (Moment, Moment) {
		// Clamping is right: a time before all time is over.
		let freezes_at = funds.ends_at.saturating_sub(T::FrozenGrace::get());
		(freezes_at, freezes_at.saturating_sub(T::LowBalanceWarning::get()))
	}

	/// Warns the renter of low funds, and freezes the lease, if it is time for that.
	pub(crate) fn warn_and_freeze(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) -> DispatchResult {
		if lease.status != LeaseStatus::Active {
			return Ok(());
		}
		let Some(funds) = Self::short_funds(id, lease, now) else { return Ok(()) };
		let (freezes_at, warns_at) = Self::freeze_and_warning(&funds);
		let funded_until = funds.ends_at;
		if warns_at <= now && !lease.warned {
			lease.warned = true;
			Self::deposit_event(Event::LowBalance { lease: id, freezes_at, funded_until });
		}
		if freezes_at <= now {
			lease.status = Self::lease_after(lease.status, LeaseEvent::FundsLow { at: now })?;
			Self::deposit_event(Event::LeaseFrozen { lease: id, funded_until });
		}
		Ok(())
	}

	pub(crate) fn do_top_up(renter: &T::AccountId, id: LeaseId, amount: Balance) -> DispatchResult {
		let now = T::Time::now();
		let mut lease = Self::rented_by(renter, id)?;
		ensure!(amount > 0, Error::<T>::ZeroAmount);
		ensure!(!lease.is_over(now), Error::<T>::LeaseIsOver);
		Self::add_funds(id, &lease, amount)?;
		lease.warned = false;
		let funded_until = Self::funds_end(id, &lease);
		Self::deposit_event(Event::LeaseToppedUp { lease: id, amount, funded_until });
		Self::thaw_if_funded(id, &mut lease, now)?;
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// A frozen lease goes on if it would not be frozen at once again.
	fn thaw_if_funded(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) -> DispatchResult {
		let is_funded = Self::short_funds(id, lease, now)
			.is_none_or(|funds| !funds.used_up && Self::freeze_and_warning(&funds).0 > now);
		if is_funded && matches!(lease.status, LeaseStatus::Frozen { .. }) {
			lease.status = Self::lease_after(lease.status, LeaseEvent::Funded)?;
			Self::deposit_event(Event::LeaseThawed { lease: id });
		}
		Ok(())
	}

	pub(crate) fn do_extend(renter: &T::AccountId, id: LeaseId, extra_ms: u64) -> DispatchResult {
		let mut lease = Self::rented_by(renter, id)?;
		ensure!(extra_ms > 0, Error::<T>::ZeroExtension);
		ensure!(!lease.is_over(T::Time::now()), Error::<T>::LeaseIsOver);
		let term_ms = lease.term_ms.ok_or(Error::<T>::OpenEnded)?;
		let term_ms = term_ms.checked_add(extra_ms).ok_or(Error::<T>::TermTooLong)?;
		let longest = lease.max_term_ms.map_or(T::MaxTerm::get(), |max| max.min(T::MaxTerm::get()));
		ensure!(term_ms <= longest, Error::<T>::TermTooLong);
		let amount = Self::price_of(&lease, |_| extra_ms).ok_or(Error::<T>::AmountTooLarge)?;
		Self::add_funds(id, &lease, amount)?;
		// The end only moves away, so the agenda's entry is early at worst.
		Self::set_term(&mut lease, term_ms);
		Self::deposit_event(Event::LeaseExtended { lease: id, extra_ms, amount, ends_at: lease.ends_at });
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	pub(crate) fn do_shrink(renter: &T::AccountId, id: LeaseId, term_ms: u64) -> DispatchResult {
		let now = T::Time::now();
		let mut lease = Self::rented_by(renter, id)?;
		ensure!(!lease.is_over(now), Error::<T>::LeaseIsOver);
		let present = lease.term_ms.ok_or(Error::<T>::OpenEnded)?;
		ensure!(term_ms < present, Error::<T>::NotShorter);
		ensure!(term_ms >= T::MinTerm::get(), Error::<T>::TermTooShort);
		Self::set_term(&mut lease, term_ms);
		ensure!(lease.ends_at.is_none_or(|end| end >= now), Error::<T>::TermTooShort);
		let amount = Self::not_needed(id, &lease, now)?;
		if amount > 0 {
			T::Escrow::withdraw(id.into(), amount)?;
		}
		Self::deposit_event(Event::LeaseShrunk { lease: id, term_ms, amount, ends_at: lease.ends_at });
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// What is free and can no longer be earned before the term ends.
	fn not_needed(id: LeaseId, lease: &LeaseOf<T>, now: Moment) -> Result<Balance, DispatchError> {
		let free = T::Escrow::free(id.into()).unwrap_or(0);
		let needed = Self::price_of(lease, |node| match (lease.ends_at, lease.term_ms) {
			// A served node can still attest the time since its last attestation. Any other earns from now on at the earliest.
			(Some(end), _) if node.status.is_served() => end.saturating_sub(node.attested_at),
			(Some(end), _) => end.saturating_sub(now),
			(None, term) => term.unwrap_or(0),
		});
		// Clamping is right: if everything that is free is needed, nothing is given back.
		Ok(free.saturating_sub(needed.ok_or(Error::<T>::AmountTooLarge)?))
	}

	/// What so much more time of each node can cost: at the highest price that its provider or a replacement can have,
	/// rounded up. `None` if it does not fit.
	fn price_of(lease: &LeaseOf<T>, ms: impl Fn(&Node<T::AccountId>) -> u64) -> Option<Balance> {
		lease.nodes.iter().try_fold(0, |sum: Balance, node| {
			let rate = lease.node_rate(node.max_price)?;
			sum.checked_add(millrace_math::deposit_for(rate, ms(node))?)
		})
	}

	fn set_term(lease: &mut LeaseOf<T>, term_ms: u64) {
		lease.term_ms = Some(term_ms);
		// Clamping is right: a time that does not fit never comes.
		lease.ends_at = lease.ready_at.map(|ready| ready.saturating_add(term_ms));
	}

	fn add_funds(id: LeaseId, lease: &LeaseOf<T>, amount: Balance) -> DispatchResult {
		ensure!(T::Escrow::can_hold(lease.asset, &lease.renter, amount), Error::<T>::InsufficientFunds);
		T::Escrow::top_up(id.into(), amount)
	}

	/// A lease of this renter.
	pub(crate) fn rented_by(renter: &T::AccountId, id: LeaseId) -> Result<LeaseOf<T>, Error<T>> {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		ensure!(lease.renter == *renter, Error::<T>::NotRenter);
		Ok(lease)
	}
}
