//! Absence: the agenda of providers to look at, and what is done about those whose reports stay away.
//!
//! An entry says when to look, not what to do. A provider that has reported meanwhile is entered again for
//! its new deadline. One that is absent is looked at now and then, so that it is forgotten when it is no longer
//! registered. What a block has no weight for carries over to the next; nothing is dropped, and one provider's
//! trouble does not keep the others from being looked at.

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
	weights::WeightMeter,
};
use millrace_primitives::{
	BlockNumber, LeaseAttestation, LeaseId, LeaseInspect, Moment, ProviderInspect, ProviderLiveness,
};
use sp_runtime::SaturatedConversion;

/// Idle epochs from one look at an absent provider to the next.
const IDLE_EPOCHS_BETWEEN_LOOKS: u32 = 100;

impl<T: Config> Pallet<T> {
	/// Serves what came up until block `now_block`, as far as the weight allows.
	pub(crate) fn serve_agenda(now_block: BlockNumber, outer: &mut WeightMeter) {
		let mut meter = WeightMeter::with_limit(T::AgendaWeight::get().min(outer.remaining()));
		if meter.try_consume(T::WeightInfo::agenda_start()).is_err() {
			return;
		}
		let now = T::Time::now();
		let mut block = AgendaCursor::<T>::get();
		while block <= now_block && Self::serve_block(block, now, &mut meter) {
			block = block.saturating_add(1);
		}
		AgendaCursor::<T>::put(block);
		outer.consume(meter.consumed());
	}

	/// Serves the entries of one block. Returns whether that is done: if not, the weight is used up.
	fn serve_block(block: BlockNumber, now: Moment, meter: &mut WeightMeter) -> bool {
		if meter.try_consume(T::WeightInfo::agenda_block()).is_err() {
			return false;
		}
		// Serving removes the entry that the iterator stands on, and none is ever added to a block that is being
		// served: the iterator goes on from the key. Beginning anew each time would step over all removed ones.
		for provider in Agenda::<T>::iter_key_prefix(block) {
			// At most MAX_LEASES_PER_PROVIDER, and only the list's length is read so far.
			if meter.try_consume(T::WeightInfo::agenda_peek()).is_err()
				|| meter
					.try_consume(T::WeightInfo::agenda_provider(T::Leases::lease_count(&provider)))
					.is_err()
			{
				return false;
			}
			Self::serve_provider(block, &provider, now);
		}
		true
	}

	/// Judges the provider of an entry, which moves or goes.
	pub(crate) fn serve_provider(block: BlockNumber, provider: &T::AccountId, now: Moment) {
		let next = Self::look_at(provider, now);
		Agenda::<T>::remove(block, provider);
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
		let billed = Self::billed_nodes(provider);
		// Only a report makes a node billed. A node that was assigned since the last report says nothing about
		// its absence.
		let cadence = if billed.is_empty() { Cadence::Idle } else { Cadence::Leased };
		let deadline = Self::deadline(provider, last.epoch, cadence);
		Some(if Self::current_block() < deadline {
			Self::suspend_left_out(provider, &last, billed, now).min(deadline)
		} else {
			Self::declare_absent(provider, &last, billed, now)
		})
	}

	/// Leases of which the provider's node is served, so that its attested time is billed, with its last attestation.
	pub(crate) fn billed_nodes(provider: &T::AccountId) -> Vec<(LeaseId, Moment)> {
		let leases = T::Leases::leases_of(provider).into_iter();
		leases
			.filter_map(|lease| Some((lease, T::Leases::served_node(lease, provider)?)))
			.filter(|(_, node)| node.status.is_served())
			.map(|(lease, node)| (lease, node.attested_at))
			.collect()
	}

	/// The provider's report stayed away. Returns when to look again: soon if something failed.
	fn declare_absent(
		provider: &T::AccountId,
		last: &LastReport,
		billed: Vec<(LeaseId, Moment)>,
		now: Moment,
	) -> BlockNumber {
		let mut failed = false;
		for (lease, _) in billed {
			failed |= !Self::try_suspend(provider, lease, now);
		}
		if T::Providers::mark_stale(provider) {
			Self::deposit_event(Event::ProviderStale { provider: provider.clone(), last_epoch: last.epoch });
			T::Leases::capacity_changed(provider);
		}
		let ahead = if failed {
			T::LeasedEpoch::get()
		} else {
			T::IdleEpoch::get().saturating_mul(IDLE_EPOCHS_BETWEEN_LOOKS)
		};
		// Clamping is right: a block that does not fit never comes.
		Self::current_block().saturating_add(ahead)
	}

	/// The provider reports, but not every lease: those that the last report did not attest are suspended
	/// once the window is over. Returns the block at which the next of them may be.
	fn suspend_left_out(
		provider: &T::AccountId,
		last: &LastReport,
		billed: Vec<(LeaseId, Moment)>,
		now: Moment,
	) -> BlockNumber {
		let mut next = BlockNumber::MAX;
		for (lease, attested_at) in billed.into_iter().filter(|(_, at)| *at < last.at) {
			let dark = now.saturating_sub(attested_at);
			let ahead = match Self::window_ms().checked_sub(dark) {
				// One millisecond more than is left: the window itself is still attested time.
				Some(left) => left.saturating_add(1).div_ceil(T::SlotDuration::get().max(1)),
				None if Self::try_suspend(provider, lease, now) => continue,
				None => T::LeasedEpoch::get().into(),
			};
			// Clamping is right: a block that does not fit never comes.
			next = next.min(Self::current_block().saturating_add(ahead.saturated_into()));
		}
		next
	}

	/// Suspends the provider's node of one lease. Returns whether that worked.
	fn try_suspend(provider: &T::AccountId, lease: LeaseId, now: Moment) -> bool {
		match with_storage_layer(|| T::Leases::suspend(lease, provider, now)) {
			Ok(()) => true,
			Err(error) => {
				Self::unexpected(provider, UnexpectedKind::SuspendFailed(lease, error));
				false
			}
		}
	}

	fn unexpected(provider: &T::AccountId, kind: UnexpectedKind) {
		Self::deposit_event(Event::Unexpected { provider: provider.clone(), kind });
	}
}
