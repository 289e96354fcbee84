//! Attestation of nodes. The only place where time becomes a bill.

use crate::{
	pallet::{Config, Error, Event, Leases, Pallet},
	status::{LeaseEvent, NodeEvent},
	types::LeaseOf,
};
use millrace_primitives::{Escrow, GpuIndex, LeaseId, LeaseUsage, Moment, NodeStatus, Slashing};
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	DispatchError, DispatchResult,
};

impl<T: Config> Pallet<T> {
	/// See [`LeaseAttestation::attest`](millrace_primitives::LeaseAttestation::attest). A lease whose last part this attests, or
	/// whose funds it uses up, is closed by the agenda of the next block: closing has its own weight there.
	pub(crate) fn do_attest(
		provider: &T::AccountId,
		usage: &LeaseUsage,
		healthy: &[GpuIndex],
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult {
		let id = usage.lease;
		let mut lease = Leases::<T>::get(id).ok_or(Error::<T>::UnknownLease)?;
		let index = lease.node_of(provider).ok_or(Error::<T>::NotServing)?;
		if let Some(checkpoint) = usage.checkpoint {
			Self::keep_checkpoint(id, Self::node_index(index), checkpoint);
		}
		let node = lease.nodes.get(index).ok_or(Error::<T>::NotServing)?;
		let is_healthy = node.gpus.iter().all(|gpu| healthy.contains(gpu));
		// Nothing after the end is attested. A report at or after it that is not the first has said all there is to say.
		let is_complete = lease.ends_at.is_some_and(|end| node.attested_at >= end);
		if !is_healthy || is_complete {
			return Ok(());
		}
		Self::attest_node(&mut lease, index, usage, now, max_interval_ms)?;
		if lease.ready_at.is_none() {
			Self::start_if_ready(id, &mut lease, now)?;
		}
		Self::arm_lease_if_sooner(id, &mut lease, now);
		Leases::<T>::insert(id, lease);
		Ok(())
	}

	/// Takes an attestation of one node over, and bills the time that it attests.
	fn attest_node(
		lease: &mut LeaseOf<T>,
		index: usize,
		usage: &LeaseUsage,
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult {
		let (id, number) = (usage.lease, Self::node_index(index));
		let is_billing = lease.ready_at.is_some();
		let until = lease.ends_at.map_or(now, |end| end.min(now));
		let node = lease.nodes.get_mut(index).ok_or(Error::<T>::NotServing)?;
		let before = node.status;
		node.status = Self::node_after(before, NodeEvent::Attested)?;
		// Clamping is right here and below: chain time does not run backwards, and if it did, no time would have passed.
		let since_last = now.saturating_sub(node.attested_at);
		let ms = match before {
			NodeStatus::Pending { since } => {
				let after_ms = now.saturating_sub(since);
				Self::deposit_event(Event::NodeReady { lease: id, node: number, after_ms });
				0
			}
			NodeStatus::Suspended { .. } => {
				let resumed = Event::NodeResumed { lease: id, node: number, dark_ms: since_last };
				Self::deposit_event(resumed);
				T::Slashing::end_episode(&node.provider, id);
				0
			}
			NodeStatus::Active | NodeStatus::Reclaiming { .. }
				if is_billing && since_last <= max_interval_ms =>
			{
				T::Escrow::accrue(id.into(), node.stream, until.saturating_sub(node.attested_at))?.ms
			}
			// Not billing yet, or too long ago to be attested by this report: service starts here.
			NodeStatus::Active | NodeStatus::Reclaiming { .. } | NodeStatus::Faulted { .. } => 0,
		};
		node.attested_at = now;
		lease.usage_chain = BlakeTwo256::hash_of(&(lease.usage_chain, number, usage, now));
		Self::deposit_event(Event::LeaseAttested {
			lease: id,
			node: number,
			ms,
			busy_ms: usage.busy_ms,
			usage_chain: lease.usage_chain,
		});
		Ok(())
	}

	/// Starts the term and the bill if every node was attested by the provider that it has now.
	fn start_if_ready(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) -> Result<(), DispatchError> {
		let is_waited_for =
			|status| matches!(status, NodeStatus::Pending { .. } | NodeStatus::Faulted { .. });
		if lease.nodes.iter().any(|node| is_waited_for(node.status)) {
			return Ok(());
		}
		lease.status = Self::lease_after(lease.status, LeaseEvent::AllReady)?;
		lease.ready_at = Some(now);
		// Clamping is right: a time that does not fit never comes.
		lease.ends_at = lease.term_ms.map(|term| now.saturating_add(term));
		// What the others served while they waited for the last one is not billed.
		for node in lease.nodes.iter_mut().filter(|node| node.status.is_served()) {
			node.attested_at = now;
		}
		Self::deposit_event(Event::LeaseReady {
			lease: id,
			after_ms: now.saturating_sub(lease.opened_at),
			ends_at: lease.ends_at,
		});
		Ok(())
	}
}
