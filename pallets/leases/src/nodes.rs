//! A node and its provider: notice, leaving, faults, and the search for another provider.

use crate::{
	pallet::{Config, Error, Event, Leases, Pallet},
	selection::Request,
	status::{next_node, LeaseEvent, NodeEvent},
	types::{AgendaItem, LeaseOf, Node, UnexpectedKind},
	weights_ext::WeightInfoExt,
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::DispatchResultWithPostInfo,
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_primitives::{
	Asset, Balance, Escrow, FaultCause, GpuReservation, LeaseId, Moment, NodeIndex, NodeStatus,
	ProviderInspect, ServiceOutcome, Term,
};
use sp_runtime::{DispatchError, DispatchResult, Perbill};

/// Slots between two searches for a provider of the same node.
const SEARCH_EVERY_SLOTS: u64 = 5;
/// At most one part in so many of a node's lease bond is the penalty for leaving early.
const PENALTY_DIVISOR: Balance = 5;

impl<T: Config> Pallet<T> {
	/// Where a node in `status` goes with `event`.
	pub(crate) fn node_after(status: NodeStatus, event: NodeEvent) -> Result<NodeStatus, Error<T>> {
		next_node(status, event).map_err(|_| Error::<T>::InvalidTransition)
	}

	/// Number of the node at this place.
	pub(crate) fn node_index(place: usize) -> NodeIndex {
		// Less than MAX_NODES, so the conversion keeps the number.
		NodeIndex(place as u8)
	}

	pub(crate) fn do_reclaim(provider: &T::AccountId, id: LeaseId) -> DispatchResult {
		let now = T::Time::now();
		let (mut lease, index) = Self::served_by(provider, id, now)?;
		let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NotServing)?;
		let has_notice = matches!(
			node.status,
			NodeStatus::Reclaiming { .. } | NodeStatus::Suspended { leaves_at: Some(_), .. }
		);
		ensure!(!has_notice, Error::<T>::NoticeAlreadyGiven);
		// Clamping is right: a time that does not fit never comes.
		let until = now.saturating_add(node.reclaim_notice_ms);
		node.status = Self::node_after(node.status, NodeEvent::NoticeGiven { until })?;
		Self::deposit_event(Event::NoticeGiven { lease: id, node: Self::node_index(index), until });
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	pub(crate) fn do_leave(provider: &T::AccountId, id: LeaseId) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		let (mut lease, index) = Self::served_by(provider, id, now)?;
		let weight = T::WeightInfo::leave_lease(Self::size_of(&lease));
		let node = lease.nodes.get(index).ok_or(Error::<T>::NotServing)?;
		let due = Self::penalty_for_leaving(&lease, node, now);
		let penalty = if due > 0 {
			let gpus = lease.gpus_per_node;
			T::Providers::leaving_penalty(provider, lease.class, gpus, due, &lease.renter)?
		} else {
			0
		};
		let (node, provider) = (Self::node_index(index), provider.clone());
		Self::deposit_event(Event::ProviderLeft { lease: id, node, provider, penalty });
		let end = match Self::fault_node(id, &mut lease, index, NodeEvent::Left { at: now }, now)? {
			Some(end) => Some(end),
			None => Self::search(id, &mut lease, now)?,
		};
		Self::store_or_close(id, lease, end, now)?;
		Ok(Some(weight).into())
	}

	/// A lease that is not over, and the place of the node that the provider serves.
	fn served_by(
		provider: &T::AccountId,
		id: LeaseId,
		now: Moment,
	) -> Result<(LeaseOf<T>, usize), DispatchError> {
		let lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let index = lease.node_of(provider).ok_or(Error::<T>::NotServing)?;
		ensure!(!lease.is_over(now), Error::<T>::LeaseIsOver);
		Ok((lease, index))
	}

	/// What leaving now costs, in plancks, before the registry's limit: the rest of the notice, or of the term if that ends
	/// sooner, at the node's price. In another asset, whose worth is not known here, the fraction of the notice that is left of
	/// the most that it can cost. Rounded down.
	pub(crate) fn penalty_for_leaving(lease: &LeaseOf<T>, node: &Node<T::AccountId>, now: Moment) -> Balance {
		let notice = match node.status {
			NodeStatus::Pending { .. } | NodeStatus::Faulted { .. } => return 0,
			NodeStatus::Active | NodeStatus::Suspended { leaves_at: None, .. } => node.reclaim_notice_ms,
			NodeStatus::Reclaiming { until } | NodeStatus::Suspended { leaves_at: Some(until), .. } => {
				until.saturating_sub(now)
			}
		};
		let rest = lease.ends_at.map_or(notice, |end| notice.min(end.saturating_sub(now)));
		match lease.asset {
			// What does not fit is beyond the registry's limit all the more.
			Asset::Native => lease
				.node_rate(node.price)
				.and_then(|rate| millrace_math::accrued(rate, rest))
				.unwrap_or(Balance::MAX),
			Asset::Token(_) => {
				let bond = T::Providers::class(lease.class).map_or(0, |class| class.min_bond);
				let most = bond.saturating_mul(lease.gpus_per_node.into()) / PENALTY_DIVISOR;
				Perbill::from_rational(rest, node.reclaim_notice_ms).mul_floor(most)
			}
		}
	}

	/// Takes a node from a provider that is out: its stream ends, its GPUs are released, its owner is excluded. Returns the
	/// event that ends the lease if no other provider is to be looked for. An error leaves half of it: callers roll back.
	pub(crate) fn fault_node(
		id: LeaseId,
		lease: &mut LeaseOf<T>,
		index: usize,
		event: NodeEvent,
		now: Moment,
	) -> Result<Option<LeaseEvent>, DispatchError> {
		let node = lease.nodes.get(index).ok_or(Error::<T>::NoSuchNode)?;
		let status = Self::node_after(node.status, event)?;
		let NodeStatus::Faulted { cause, .. } = status else {
			return Err(Error::<T>::InvalidTransition.into());
		};
		Self::count_final_fault(id, lease, index, cause, now)?;
		let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NoSuchNode)?;
		T::Escrow::end_stream(id.into(), node.stream)?;
		Self::unassign(id, node);
		node.status = status;
		node.gpus = Default::default();
		node.search_at = now;
		let provider = node.provider.clone();
		let owner = T::Providers::facts(&provider).map_or(provider.clone(), |facts| facts.owner);
		let faulted = provider.clone();
		Self::deposit_event(Event::NodeFaulted {
			lease: id,
			node: Self::node_index(index),
			provider: faulted,
			cause,
		});
		if matches!(cause, FaultCause::NotReady | FaultCause::Dark | FaultCause::Left) {
			T::Providers::record_outcome(&provider, ServiceOutcome::Faulted);
		}
		let cannot_exclude = !lease.excluded.contains(&owner) && lease.excluded.try_push(owner).is_err();
		Ok((cannot_exclude || !lease.failover).then_some(LeaseEvent::NodeLost(cause)))
	}

	/// Looks for another provider of a node whose search is due. At most one a call, since a search reads a lot: the next is
	/// due at once. Returns the event that ends the lease if there is none, and none is looked for any longer.
	pub(crate) fn search(
		id: LeaseId,
		lease: &mut LeaseOf<T>,
		now: Moment,
	) -> Result<Option<LeaseEvent>, DispatchError> {
		let faulted = lease.nodes.iter().zip(0..).find_map(|(node, index)| match node.status {
			NodeStatus::Faulted { since, cause } if node.search_at <= now => Some((index, since, cause)),
			_ => None,
		});
		let Some((index, since, cause)) = faulted else { return Ok(None) };
		if Self::try_replace(id, lease, index, now)? {
			return Ok(None);
		}
		// All sums clamp: a time that does not fit never comes.
		let gives_up = since.saturating_add(T::FailoverWithin::get());
		if gives_up <= now {
			return Ok(Some(LeaseEvent::NodeLost(cause)));
		}
		let pause = SEARCH_EVERY_SLOTS.saturating_mul(T::SlotDuration::get().max(1));
		let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NoSuchNode)?;
		node.search_at = now.saturating_add(pause).min(gives_up);
		Ok(None)
	}

	/// Gives a faulted node to the best provider that satisfies the lease now. Returns whether there was one.
	fn try_replace(
		id: LeaseId,
		lease: &mut LeaseOf<T>,
		index: usize,
		now: Moment,
	) -> Result<bool, DispatchError> {
		let node = lease.nodes.get(index).ok_or(Error::<T>::NoSuchNode)?;
		let serving: Vec<_> = lease
			.nodes
			.iter()
			.filter(|node| !matches!(node.status, NodeStatus::Faulted { .. }))
			.map(|node| node.provider.clone())
			.collect();
		let request = Request {
			market: lease.market(),
			nodes: 1,
			gpus_per_node: lease.gpus_per_node,
			max_price: node.max_price,
			term: Self::rest_of_term(id, lease, node, now),
			constraints: &lease.constraints,
			renter: &lease.renter,
			serving: &serving,
			excluded: &lease.excluded,
		};
		let Ok(selection) = Self::select(&request, &[], now) else { return Ok(false) };
		let Some(pick) = selection.picks.into_iter().next() else { return Ok(false) };
		let status = Self::node_after(node.status, NodeEvent::Replaced { at: now })?;
		// What the new provider's ask allows counts from now on.
		let served_ms = lease.ready_at.map_or(0, |ready| now.saturating_sub(ready));
		let max_term_ms = pick.max_term_ms.map(|max| max.saturating_add(served_ms));
		// Cannot saturate: each generation excludes an owner, and few can be.
		let (market, generation) = (lease.market(), node.generation.saturating_add(1));
		let (number, gpus, max_price) = (Self::node_index(index), lease.gpus_per_node, node.max_price);
		let assigned =
			with_storage_layer(|| Self::assign(id, number, generation, market, gpus, pick, max_price, now));
		match assigned {
			Ok(replacement) => {
				let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NoSuchNode)?;
				*node = Node { status, ..replacement };
				lease.max_term_ms = lease.max_term_ms.into_iter().chain(max_term_ms).min();
				Ok(true)
			}
			// The provider that was out stays out, whatever stands in the way of the next.
			Err(error) => {
				let kind = UnexpectedKind::AgendaItemFailed(AgendaItem::Lease(id), error);
				Self::deposit_event(Event::Unexpected { kind });
				Ok(false)
			}
		}
	}

	/// For how long a replacement of the node is needed: the rest of the term, or what the funds pay for with it.
	fn rest_of_term(id: LeaseId, lease: &LeaseOf<T>, node: &Node<T::AccountId>, now: Moment) -> Term {
		match lease.term_ms {
			Some(term) => Term::Fixed { ms: lease.ends_at.map_or(term, |end| end.saturating_sub(now)) },
			None => {
				let free = T::Escrow::free(id.into()).unwrap_or(0);
				let rate = lease
					.rate()
					.and_then(|rate| rate.checked_add(lease.node_rate(node.max_price)?))
					.unwrap_or(Balance::MAX);
				Term::OpenEnded { funded_ms: millrace_math::funded_ms(free, rate) }
			}
		}
	}
}
