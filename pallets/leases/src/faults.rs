//! Faults: nodes that are not served, and what that costs their providers. What is slashed, and when, is decided below; here it
//! is said for how long a node was not served, how much of it, and what that was worth.

use crate::{
	pallet::{Config, Error, Event, Leases, Pallet},
	status::NodeEvent,
	types::{LeaseOf, Node},
};
use frame_support::traits::Get;
use millrace_primitives::{
	Asset, Balance, FaultCause, FaultClock, LeaseId, Moment, NodeFault, NodeStatus, ProviderInspect,
	SlashCause, Slashing,
};
use sp_runtime::{DispatchResult, Permill, SaturatedConversion};

/// Most of a node's lease bond that walking out of a lease can cost.
const MAX_WALKOUT: Permill = Permill::from_percent(20);

impl<T: Config> Pallet<T> {
	/// See [`LeaseAttestation::count_miss`](millrace_primitives::LeaseAttestation::count_miss).
	pub(crate) fn do_count_miss(id: LeaseId, provider: &T::AccountId, now: Moment) -> DispatchResult {
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let index = lease.node_of(provider).ok_or(Error::<T>::NotServing)?;
		let node = lease.nodes.get(index).ok_or(Error::<T>::NotServing)?;
		match node.status {
			NodeStatus::Active | NodeStatus::Reclaiming { .. } => {
				let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NotServing)?;
				node.status = Self::node_after(node.status, NodeEvent::MissedReports { at: now })?;
				node.stopped_ms = T::Clock::stopped_ms();
				node.missed_epochs = 0;
				node.uncounted_since = T::Clock::epoch();
				Self::deposit_event(Event::NodeSuspended {
					lease: id,
					node: Self::node_index(index),
					attested_at: node.attested_at,
				});
				Self::arm_lease_if_sooner(id, &mut lease, now);
			}
			NodeStatus::Suspended { .. } => {
				let fault = Self::fault_of(id, &lease, node, 0, now);
				if fault.epochs == 0 {
					return Ok(());
				}
				let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NotServing)?;
				// Clamping is right: nobody is suspended for that long.
				node.missed_epochs = node.missed_epochs.saturating_add(fault.epochs);
				node.uncounted_since = T::Clock::epoch();
				T::Slashing::count_fault(fault)?;
			}
			NodeStatus::Pending { .. } | NodeStatus::Faulted { .. } => return Ok(()),
		}
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// Counts what a node that its provider is about to lose was not served for. Going dark never costs less than leaving: with
	/// the fault comes what leaving the lease now would cost, for as much of the node as was dark. A provider that gave notice
	/// and served it owes no more than the epochs that it missed.
	pub(crate) fn count_final_fault(
		id: LeaseId,
		lease: &LeaseOf<T>,
		index: usize,
		cause: FaultCause,
		now: Moment,
	) -> DispatchResult {
		let Some(node) = lease.nodes.get(index) else { return Ok(()) };
		let walks_out = cause == FaultCause::Dark;
		let walkout = if walks_out { Self::penalty_for_leaving(lease, node, now) } else { 0 };
		let fault = Self::fault_of(id, lease, node, walkout, now);
		if fault.epochs == 0 && fault.walkout == 0 {
			return Ok(());
		}
		T::Slashing::count_fault(fault)
	}

	/// What a node was not served for since that was counted last, with `walkout` plancks for leaving without notice.
	fn fault_of(
		id: LeaseId,
		lease: &LeaseOf<T>,
		node: &Node<T::AccountId>,
		walkout: Balance,
		now: Moment,
	) -> NodeFault<T::AccountId, Balance> {
		let provider = node.provider.clone();
		let facts = T::Providers::facts(&provider);
		// At most MAX_GPUS_PER_NODE, so the conversion keeps the number.
		let gpus = node.gpus.len() as u32;
		let is_reporting = T::Providers::is_reporting(&provider);
		let lost = if is_reporting { T::Providers::lost_gpus(&provider, &node.gpus) } else { 0 };
		let (cause, dark_gpus) = match node.status {
			NodeStatus::Pending { .. } => (SlashCause::NotReady, gpus),
			_ if lost > 0 => (SlashCause::GpuLost, lost),
			_ => (SlashCause::Dark, gpus),
		};
		let epochs = Self::missed_epochs(node, now);
		let lease_bond = T::Providers::lease_bond(&provider, id);
		let dark_share = Permill::from_rational(dark_gpus, gpus);
		let walkout = dark_share.mul_floor(walkout.min(MAX_WALKOUT.mul_floor(lease_bond)));
		// In another asset, whose worth is not known here, what was not served has no price in plancks.
		let unserved = (lease.asset == Asset::Native).then(|| {
			let missed_ms = u64::from(epochs).saturating_mul(T::EpochDuration::get());
			let missed = lease.node_rate(node.price).and_then(|rate| millrace_math::accrued(rate, missed_ms));
			// Clamping is right: nothing that large is ever slashed.
			dark_share.mul_floor(missed.unwrap_or(Balance::MAX)).saturating_add(walkout)
		});
		NodeFault {
			owner: facts.map_or_else(|| provider.clone(), |facts| facts.owner),
			provider,
			lease: id,
			renter: lease.renter.clone(),
			cause,
			lease_bond,
			epochs,
			since: node.uncounted_since,
			dark_gpus,
			gpus,
			walkout,
			unserved,
		}
	}

	/// Whole epochs for which a node was not served while the fault clock ran, beyond the grace, and which were not counted yet.
	/// A node is suspended when its grace is over; one that is not ready has it from its assignment on.
	fn missed_epochs(node: &Node<T::AccountId>, now: Moment) -> u32 {
		let (since, grace) = match node.status {
			NodeStatus::Pending { since } => (since, T::GraceEpochs::get().saturating_add(1)),
			NodeStatus::Suspended { since, .. } => (since, 0),
			NodeStatus::Active | NodeStatus::Reclaiming { .. } | NodeStatus::Faulted { .. } => return 0,
		};
		let dark_ms = now.saturating_sub(since).saturating_sub(Self::stopped_for(node));
		let epochs: u32 = dark_ms.checked_div(T::EpochDuration::get()).unwrap_or(0).saturated_into();
		epochs.saturating_sub(grace).saturating_sub(node.missed_epochs)
	}

	/// For how long the fault clock stood since the node was assigned or suspended, in milliseconds.
	pub(crate) fn stopped_for(node: &Node<T::AccountId>) -> u64 {
		// Cannot saturate: the clock's total never falls.
		T::Clock::stopped_ms().saturating_sub(node.stopped_ms)
	}
}
