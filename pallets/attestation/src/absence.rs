//! Absence: the agenda of providers to look at, and what is done about those whose reports stay away.
//!
//! A provider that has reported meanwhile is entered again for its new deadline. One that is absent is looked at now and then,
//! so that it is forgotten when it is no longer registered. One provider's trouble does not keep the others from being looked at.

use crate::{
	epochs::Cadence,
	pallet::{Agenda, AgendaCursor, Config, Event, LastReports, Pallet, UnexpectedKind},
	types::LastReport,
	weights::WeightInfo,
};
use alloc::vec::Vec;
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::{Weight, WeightMeter},
};
use millrace_agenda::{serve_agenda, WalkWeights};
use millrace_primitives::{
	BlockNumber, FaultCensus, LeaseAttestation, LeaseId, LeaseInspect, Moment, NodeStatus, ProviderInspect,
	ProviderLiveness,
};
use sp_runtime::SaturatedConversion;

/// A node that has been served by its provider.
pub(crate) struct WatchedNode {
	/// Its lease.
	pub(crate) lease: LeaseId,
	/// Whether attested time is billed: it is not suspended.
	pub(crate) billed: bool,
	/// When it was attested last, in milliseconds.
	pub(crate) attested_at: Moment,
}

/// A look at a provider.
#[derive(Clone, Copy)]
struct Look {
	/// Whether its reports stay away.
	is_absent: bool,
	/// Whether it is the first at its suspended nodes in a span of an epoch.
	is_first: bool,
}

/// Idle epochs from one look at an absent provider to the next.
const IDLE_EPOCHS_BETWEEN_LOOKS: u32 = 100;

impl<T: Config> Pallet<T> {
	/// Serves what came up until block `now_block`, as far as the weight allows.
	pub(crate) fn serve_agenda(now_block: BlockNumber, outer: &mut WeightMeter) {
		let now = T::Time::now();
		let serve = |provider: &T::AccountId, meter: &mut WeightMeter| {
			// At most MAX_LEASES_PER_PROVIDER, and only the list's length is read so far.
			let affordable =
				meter.try_consume(Self::weight_of_provider(T::Leases::lease_count(provider))).is_ok();
			if affordable {
				Self::serve_provider(provider, now);
			}
			affordable
		};
		let weights = Self::walk_weights();
		let limit = T::AgendaWeight::get();
		let walked = serve_agenda::<Agenda<T>, AgendaCursor<T>, _>(now_block, limit, outer, weights, serve);
		if let Some(block) = walked {
			T::Clock::note_searched_until(block);
		}
	}

	/// What walking over the agenda weighs.
	pub(crate) fn walk_weights() -> WalkWeights {
		WalkWeights {
			start: T::WeightInfo::agenda_start(),
			block: T::WeightInfo::agenda_block(),
			entry: T::WeightInfo::agenda_peek(),
		}
	}

	/// The most that serving a provider with so many leases weighs.
	pub(crate) fn weight_of_provider(leases: u32) -> Weight {
		T::WeightInfo::agenda_provider(leases).max(T::WeightInfo::agenda_faults(leases))
	}

	/// Judges a provider. Its entry moves or goes.
	pub(crate) fn serve_provider(provider: &T::AccountId, now: Moment) {
		let next = Self::look_at(provider, now);
		Self::set_entry(provider, next);
	}

	/// Enters a provider at another block, or forgets it.
	fn set_entry(provider: &T::AccountId, next: Option<BlockNumber>) {
		let Some(last) = LastReports::<T>::get(provider) else { return };
		Agenda::<T>::remove(last.due, provider);
		match next {
			Some(due) => {
				// Always a later block than the one being served, so that serving comes to an end.
				let due = due.max(Self::current_block().saturating_add(1));
				Agenda::<T>::insert(due, provider, ());
				LastReports::<T>::insert(provider, LastReport { due, ..last });
			}
			None => LastReports::<T>::remove(provider),
		}
	}

	/// Judges one provider. Returns when to look again, `None` if it is to be forgotten.
	fn look_at(provider: &T::AccountId, now: Moment) -> Option<BlockNumber> {
		let Some(last) = LastReports::<T>::get(provider) else {
			Self::unexpected(provider, UnexpectedKind::AgendaWithoutProvider);
			return None;
		};
		if !T::Providers::is_registered(provider) {
			return None;
		}
		let nodes = Self::watched_nodes(provider);
		// Only a report makes a node billed. A node that was assigned since the last report says nothing about
		// its absence.
		let is_billed = nodes.iter().any(|node| node.billed);
		let cadence = if is_billed { Cadence::Leased } else { Cadence::Idle };
		let deadline = Self::deadline(provider, last.epoch, cadence);
		let is_absent = Self::current_block() >= deadline || !Self::is_live(provider);
		let looked_at = Look { is_absent, is_first: Self::begin_look(provider, &last, &nodes) };
		Some(if is_absent {
			Self::declare_absent(provider, &last, nodes, looked_at, now)
		} else {
			Self::look_for_dark_nodes(provider, &last, nodes, looked_at, now).min(deadline)
		})
	}

	/// Takes note that suspended nodes are looked at. Returns whether that is the first time in this span of an epoch: whoever
	/// arranged for more looks could otherwise make an outage of a few nodes.
	fn begin_look(provider: &T::AccountId, last: &LastReport, nodes: &[WatchedNode]) -> bool {
		let span = Self::current_block().checked_div(T::LeasedEpoch::get());
		let is_first = last.missed_in != span;
		if is_first && nodes.iter().any(|node| !node.billed) {
			LastReports::<T>::mutate_extant(provider, |last| last.missed_in = span);
		}
		is_first
	}

	/// Nodes of the provider that are served, so that their attested time is billed, or suspended.
	pub(crate) fn watched_nodes(provider: &T::AccountId) -> Vec<WatchedNode> {
		let leases = T::Leases::leases_of(provider).into_iter();
		leases
			.filter_map(|lease| Some((lease, T::Leases::served_node(lease, provider)?)))
			.filter(|(_, node)| {
				node.status.is_served() || matches!(node.status, NodeStatus::Suspended { .. })
			})
			.map(|(lease, node)| WatchedNode {
				lease,
				billed: node.status.is_served(),
				attested_at: node.attested_at,
			})
			.collect()
	}

	/// The provider's report stayed away. Returns when to look again: soon while it has nodes to come back to, for each
	/// further epoch counts.
	fn declare_absent(
		provider: &T::AccountId,
		last: &LastReport,
		nodes: Vec<WatchedNode>,
		look: Look,
		now: Moment,
	) -> BlockNumber {
		let has_nodes = !nodes.is_empty();
		for node in nodes {
			Self::miss(provider, &node, look, now);
		}
		if T::Providers::mark_stale(provider) {
			Self::deposit_event(Event::ProviderStale { provider: provider.clone(), last_epoch: last.epoch });
			T::Leases::capacity_changed(provider);
		}
		let ahead = if has_nodes {
			T::LeasedEpoch::get()
		} else {
			T::IdleEpoch::get().saturating_mul(IDLE_EPOCHS_BETWEEN_LOOKS)
		};
		// Clamping is right: a block that does not fit never comes.
		Self::current_block().saturating_add(ahead)
	}

	/// The provider reports, but maybe not every node: those that the last report did not attest are suspended once the window
	/// is over, and those that are suspended miss another epoch. Returns the block at which the next of them may.
	fn look_for_dark_nodes(
		provider: &T::AccountId,
		last: &LastReport,
		nodes: Vec<WatchedNode>,
		look: Look,
		now: Moment,
	) -> BlockNumber {
		let mut next = BlockNumber::MAX;
		for node in nodes.into_iter().filter(|node| !node.billed || node.attested_at < last.at) {
			let dark = now.saturating_sub(node.attested_at);
			let ahead = match Self::window_ms().checked_sub(dark).filter(|_| node.billed) {
				// One millisecond more than is left: the window itself is still attested time.
				Some(left) => left.saturating_add(1).div_ceil(T::SlotDuration::get().max(1)),
				None => {
					Self::miss(provider, &node, look, now);
					T::LeasedEpoch::get().into()
				}
			};
			// Clamping is right: a block that does not fit never comes.
			next = next.min(Self::current_block().saturating_add(ahead.saturated_into()));
		}
		next
	}

	/// The provider's node of a lease is not served: the lease suspends it or counts another epoch, and the census takes note.
	fn miss(provider: &T::AccountId, node: &WatchedNode, look: Look, now: Moment) {
		let lease = node.lease;
		let counted = with_storage_layer(|| T::Leases::count_miss(lease, provider, now));
		if let Err(error) = counted {
			Self::unexpected(provider, UnexpectedKind::CountMissFailed(lease, error));
			return;
		}
		// A node that is suspended just now was not told of before.
		if !node.billed && !look.is_first {
			return;
		}
		if let Some(facts) = T::Providers::facts(provider) {
			let bonded = T::Providers::lease_bond(provider, lease);
			T::Clock::note_miss(&facts.owner, bonded, !look.is_absent);
		}
	}

	fn unexpected(provider: &T::AccountId, kind: UnexpectedKind) {
		Self::deposit_event(Event::Unexpected { provider: provider.clone(), kind });
	}
}
