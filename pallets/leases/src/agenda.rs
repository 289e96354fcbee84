//! The agenda: what time alone changes is found at the block where it may be due.
//!
//! An entry says when to look, not what to do: due is what chain time says when the entry comes up. An entry
//! that comes up early is armed again. Each arming goes half of the way that is left if no slot is missed, so
//! that a chain which misses up to half of its slots is still on time, at the price of a look for each
//! halving. Entries past their block carry over to the next; nothing is dropped, and an item that fails does
//! not keep the others from being served.

use crate::{
	pallet::{Agenda, AgendaCursor, Asks, Config, Event, Leases, Pallet},
	types::{AgendaItem, LeaseOf, UnexpectedKind},
	weights::WeightInfo,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{BlockNumber, LeaseId, Moment};
use sp_runtime::{DispatchResult, SaturatedConversion};

/// An item that failed is tried again after this many blocks: soon, but not so soon that it fills every
/// block.
pub(crate) const RETRY_AFTER_BLOCKS: BlockNumber = 10;

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
		// Serving removes the entry that the iterator stands on, and none is ever added to a block that is being served: the
		// iterator goes on from the key. Beginning anew each time would step over all removed ones again.
		for item in Agenda::<T>::iter_key_prefix(block) {
			if meter.try_consume(T::WeightInfo::agenda_peek()).is_err() || !Self::serve_item(item, now, meter)
			{
				return false;
			}
			// Whatever happened, the object has a later entry or is gone.
			Self::disarm(item, block);
		}
		true
	}

	/// Does what is due for an item, or arms it again. Returns whether that is done: if not, the weight is
	/// used up.
	fn serve_item(item: AgendaItem, now: Moment, meter: &mut WeightMeter) -> bool {
		let Some((deadline, weight)) = Self::deadline_and_weight(item) else {
			Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::AgendaWithoutObject(item) });
			return true;
		};
		if now < deadline {
			let affordable = meter.try_consume(T::WeightInfo::agenda_rearm()).is_ok();
			if affordable {
				Self::move_entry(item, Self::block_on_the_way_to(deadline, now));
			}
			return affordable;
		}
		if meter.try_consume(weight).is_err() {
			return false;
		}
		if let Err(error) = with_storage_layer(|| Self::end_item(item, now)) {
			Self::move_entry(item, Self::current_block().saturating_add(RETRY_AFTER_BLOCKS));
			Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::AgendaItemFailed(item, error) });
		}
		true
	}

	/// When an item is due, and the most that serving it then can weigh. `None` if there is no such object.
	fn deadline_and_weight(item: AgendaItem) -> Option<(Moment, Weight)> {
		match item {
			AgendaItem::Ask(ask) => {
				Asks::<T>::get(ask).map(|ask| (ask.expires_at, T::WeightInfo::agenda_ask()))
			}
			AgendaItem::Lease(id) => Leases::<T>::get(id).map(|lease| {
				let jobs = lease.open_jobs.saturating_add(lease.finished_jobs);
				// At most MAX_GPUS_PER_LEASE, so the conversion keeps the number.
				let weight = T::WeightInfo::agenda_lease(lease.gpus.len() as u32, jobs);
				(Self::deadline(id, &lease).0, weight)
			}),
		}
	}

	/// Ends an item that is due.
	fn end_item(item: AgendaItem, now: Moment) -> DispatchResult {
		match item {
			AgendaItem::Ask(ask) => match Asks::<T>::get(ask) {
				Some(record) => Self::expire_ask(ask, &record),
				None => Ok(()),
			},
			AgendaItem::Lease(lease) => match Leases::<T>::get(lease) {
				Some(record) => Self::close_if_due(lease, record, now).map(|_| ()),
				None => Ok(()),
			},
		}
	}

	/// Gives an object another entry in place of the one it has.
	fn move_entry(item: AgendaItem, block: BlockNumber) {
		let replace = |due: &mut BlockNumber| {
			Self::disarm(item, *due);
			Agenda::<T>::insert(block, item, ());
			*due = block;
		};
		match item {
			AgendaItem::Ask(ask) => Asks::<T>::mutate_extant(ask, |record| replace(&mut record.due)),
			AgendaItem::Lease(lease) => Leases::<T>::mutate_extant(lease, |record| replace(&mut record.due)),
		}
	}

	/// Enters an item that may be due at `deadline`. Returns the block, always a later one than the current.
	pub(crate) fn arm(item: AgendaItem, deadline: Moment, now: Moment) -> BlockNumber {
		let block = Self::block_on_the_way_to(deadline, now);
		Agenda::<T>::insert(block, item, ());
		block
	}

	/// Removes an item's entry.
	pub(crate) fn disarm(item: AgendaItem, block: BlockNumber) {
		Agenda::<T>::remove(block, item);
	}

	/// Moves a lease's entry if its deadline is now sooner than that. An entry that is too early is left: it
	/// is armed again when it comes up, so that attestations need not write to the agenda.
	pub(crate) fn arm_lease_if_sooner(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) {
		let (deadline, _) = Self::deadline(id, lease);
		if Self::block_on_the_way_to(deadline, now) < lease.due {
			Self::disarm(AgendaItem::Lease(id), lease.due);
			lease.due = Self::arm(AgendaItem::Lease(id), deadline, now);
		}
	}

	/// Half of the way to `deadline` in blocks from now on, rounded up, at least one block.
	pub(crate) fn block_on_the_way_to(deadline: Moment, now: Moment) -> BlockNumber {
		let slots = deadline.saturating_sub(now).div_ceil(T::SlotDuration::get().max(1));
		// Clamping is right: a block that does not fit never comes.
		let ahead: BlockNumber = slots.div_ceil(2).max(1).saturated_into();
		Self::current_block().saturating_add(ahead)
	}

	fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}
