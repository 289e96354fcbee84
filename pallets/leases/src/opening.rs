//! A matched order becomes a lease; a node gets its provider, or loses it.

use crate::{
	pallet::{Config, Error, Event, Leases, Pallet, ProviderLeases},
	selection::Pick,
	types::{AgendaItem, Lease, Market, Node, NodeGpus, Nodes},
};
use alloc::vec::Vec;
use frame_support::traits::Get;
use millrace_primitives::{
	Balance, Escrow, Failover, FaultClock, GpuReservation, Hash, JobId, LeaseId, LeaseStatus, Moment,
	NodeIndex, NodeStatus, OrderId, OrderTerms, Slashing, Term,
};
use sp_runtime::{DispatchError, DispatchResult};

/// What is held for nodes at these prices: price x GPUs x funded time of each, rounded up, and for a fixed term the
/// failover premium on top, rounded up. `None` if it does not fit.
pub(crate) fn deposit_for(terms: &OrderTerms, prices: impl Iterator<Item = Balance>) -> Option<Balance> {
	let mut sum: Balance = 0;
	for price in prices {
		let rate = millrace_math::rate(price, terms.gpus_per_node)?;
		sum = sum.checked_add(millrace_math::deposit_for(rate, terms.funded_ms())?)?;
	}
	match terms.term {
		Term::Fixed { .. } => millrace_math::with_premium(sum, terms.premium()),
		// It lasts as long as it is funded, at whatever price.
		Term::OpenEnded { .. } => Some(sum),
	}
}

impl<T: Config> Pallet<T> {
	/// Opens the lease of an order whose escrow holds `deposit`. All or nothing only within a storage layer.
	pub(crate) fn open_lease(
		order: OrderId,
		renter: T::AccountId,
		terms: OrderTerms,
		picks: Vec<Pick<T::AccountId>>,
		deposit: Balance,
		now: Moment,
	) -> DispatchResult {
		let id = LeaseId::from(order);
		let market = (terms.class, terms.asset);
		let max_term_ms = picks.iter().filter_map(|pick| pick.max_term_ms).min();
		let mut nodes = Nodes::default();
		for (index, pick) in (0..).map(NodeIndex).zip(picks) {
			// Rounded down, so that what is held pays for it.
			let max_price = pick
				.price
				.checked_add(terms.premium().mul_floor(pick.price))
				.ok_or(Error::<T>::AmountTooLarge)?;
			let node = Self::assign(id, index, 0, market, terms.gpus_per_node, pick, max_price, now)?;
			nodes.try_push(node).map_err(|_| Error::<T>::OrderTooLarge)?;
		}
		let mut lease = Lease {
			renter: renter.clone(),
			class: terms.class,
			asset: terms.asset,
			gpus_per_node: terms.gpus_per_node,
			constraints: terms.constraints,
			failover: matches!(terms.failover, Failover::Replace { .. }),
			status: LeaseStatus::Pending,
			opened_at: now,
			ready_at: None,
			term_ms: match terms.term {
				Term::Fixed { ms } => Some(ms),
				Term::OpenEnded { .. } => None,
			},
			max_term_ms,
			ends_at: None,
			nodes,
			excluded: Default::default(),
			warned: false,
			next_job: JobId::default(),
			open_jobs: 0,
			finished_jobs: 0,
			usage_chain: Hash::zero(),
			// Clamping is right: a time that does not fit never comes.
			due: Self::arm(AgendaItem::Lease(id), now.saturating_add(T::ReadyWithin::get()), now),
		};
		let rate = lease.rate().ok_or(Error::<T>::AmountTooLarge)?;
		Self::deposit_event(Event::LeaseOpened {
			lease: id,
			renter,
			nodes: lease.nodes.len() as u32,
			rate,
			deposit,
			funded_ms: millrace_math::funded_ms(deposit, rate),
		});
		for job in terms.jobs {
			Self::add_job(id, &mut lease, job.node, job.plan, now)?;
		}
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// Gives a node of a lease to a provider: GPUs, stream, lists. All or nothing only within a storage layer.
	#[expect(
		clippy::too_many_arguments,
		reason = "the parts of a node come from the order or from the lease"
	)]
	pub(crate) fn assign(
		lease: LeaseId,
		node: NodeIndex,
		generation: u32,
		(class, _): Market,
		gpus_per_node: u32,
		pick: Pick<T::AccountId>,
		max_price: Balance,
		now: Moment,
	) -> Result<Node<T::AccountId>, DispatchError> {
		let Pick { provider, ask, price, reclaim_notice_ms, .. } = pick;
		let rate = millrace_math::rate(price, gpus_per_node).ok_or(Error::<T>::AmountTooLarge)?;
		ProviderLeases::<T>::try_mutate(&provider, |leases| {
			// Another node of the lease would be in the way: one provider serves one.
			let place = leases.binary_search(&lease).err().ok_or(Error::<T>::NotEnoughNodes)?;
			leases.try_insert(place, lease).map_err(|_| Error::<T>::TooManyLeases)
		})?;
		let gpus: NodeGpus = T::Providers::reserve(&provider, class, gpus_per_node, lease)?
			.try_into()
			.map_err(|_| Error::<T>::OrderTooLarge)?;
		if let Some(ask) = ask {
			Self::take_capacity(ask, gpus_per_node)?;
		}
		let stream = T::Escrow::add_stream(lease.into(), &provider, rate)?;
		Self::deposit_event(Event::NodeAssigned {
			lease,
			node,
			provider: provider.clone(),
			ask,
			gpus: gpus.to_vec(),
			price,
			generation,
		});
		// It has less to offer than before, so that no order is to be woken.
		Self::update_book(&provider);
		Ok(Node {
			provider,
			ask,
			gpus,
			price,
			max_price,
			stream,
			status: NodeStatus::Pending { since: now },
			generation,
			attested_at: now,
			reclaim_notice_ms,
			search_at: Moment::MAX,
			stopped_ms: T::Clock::stopped_ms(),
			missed_epochs: 0,
			uncounted_since: T::Clock::epoch(),
		})
	}

	/// Takes a node from its provider: the reverse of [`Self::assign`], but for the escrow. The node still has its GPUs.
	pub(crate) fn unassign(lease: LeaseId, node: &Node<T::AccountId>) {
		T::Slashing::end_episode(&node.provider, lease);
		T::Providers::release(&node.provider, &node.gpus, lease);
		if let Some(ask) = node.ask {
			// At most MAX_GPUS_PER_NODE, so the conversion keeps the number.
			Self::return_capacity(ask, node.gpus.len() as u32);
		}
		ProviderLeases::<T>::mutate_exists(&node.provider, |leases| {
			if let Some(list) = leases {
				list.retain(|other| *other != lease);
				if list.is_empty() {
					*leases = None;
				}
			}
		});
		Self::relist(&node.provider);
	}
}
