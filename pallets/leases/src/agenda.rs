//! The agenda: what time alone changes is found at the block where it may be due.
//!
//! What is due at a time is decided by chain time when the entry comes up. What is due at a block, the award of an auction or a
//! round, is served in that block. An item that fails is tried again, and does not keep the others from being served.

use crate::{
	pallet::{Agenda, AgendaCursor, Asks, Config, Event, Leases, Orders, Pallet, Payments, Rounds},
	types::{AgendaItem, LeaseOf, UnexpectedKind, MAX_GPUS_PER_NODE, MAX_ORDERS_PER_ROUND},
	weights::WeightInfo,
	weights_ext::WeightInfoExt,
};
use frame_support::{
	storage::with_storage_layer,
	traits::{Get, Time},
	weights::{Weight, WeightMeter},
};
use millrace_agenda::{blocks_on_the_way, serve_agenda, WalkWeights, RETRY_AFTER_BLOCKS};
use millrace_primitives::{BlockNumber, LeaseId, Moment, MAX_NODES};
use sp_runtime::{DispatchResult, SaturatedConversion};

/// When something is due.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deadline {
	/// At this time, in milliseconds.
	Time(Moment),
	/// In this block.
	Block(BlockNumber),
}

impl Deadline {
	fn is_reached(self, block: BlockNumber, now: Moment) -> bool {
		match self {
			Self::Time(time) => time <= now,
			Self::Block(due) => due <= block,
		}
	}
}

impl<T: Config> Pallet<T> {
	/// Serves what came up until block `now_block`, as far as the weight allows.
	pub(crate) fn serve_agenda(now_block: BlockNumber, outer: &mut WeightMeter) {
		let now = T::Time::now();
		let serve = |item: &AgendaItem, meter: &mut WeightMeter| Self::serve_item(*item, now, meter);
		let weights = Self::walk_weights();
		serve_agenda::<Agenda<T>, AgendaCursor<T>, _>(
			now_block,
			T::AgendaWeight::get(),
			outer,
			weights,
			serve,
		);
	}

	/// What walking over the agenda weighs.
	pub(crate) fn walk_weights() -> WalkWeights {
		WalkWeights {
			start: T::WeightInfo::agenda_start(),
			block: T::WeightInfo::agenda_block(),
			entry: T::WeightInfo::agenda_peek(),
		}
	}

	/// Does what is due for an item, or arms it again. Returns whether that is done: if not, the weight is used up.
	fn serve_item(item: AgendaItem, now: Moment, meter: &mut WeightMeter) -> bool {
		let Some((deadline, weight)) = Self::deadline_and_weight(item, now) else {
			Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::AgendaWithoutObject(item) });
			return true;
		};
		if !deadline.is_reached(Self::current_block(), now) {
			let affordable = meter.try_consume(T::WeightInfo::agenda_rearm()).is_ok();
			if affordable {
				Self::move_entry(item, Self::block_for(deadline, now));
			}
			return affordable;
		}
		if meter.try_consume(weight).is_err() {
			return false;
		}
		if let Err(error) = with_storage_layer(|| Self::do_item(item, now, meter)) {
			Self::move_entry(item, Self::current_block().saturating_add(RETRY_AFTER_BLOCKS));
			Self::deposit_event(Event::Unexpected { kind: UnexpectedKind::AgendaItemFailed(item, error) });
		}
		true
	}

	/// When an item is due, and the most that serving it then can weigh. `None` if there is no such object. A round weighs as
	/// much as its first order here: the others are weighed one by one.
	pub(crate) fn deadline_and_weight(item: AgendaItem, now: Moment) -> Option<(Deadline, Weight)> {
		match item {
			AgendaItem::Ask(ask) => {
				Asks::<T>::get(ask).map(|ask| (Deadline::Time(ask.expires_at), T::WeightInfo::agenda_ask()))
			}
			AgendaItem::Lease(id) => Leases::<T>::get(id).map(|lease| {
				let deadline = Self::deadline(id, &lease, now);
				// The weight takes reads of its own, so that it is asked for only when it is needed. Serving the lease pays for
				// them; without room for that they are unpaid, once a block at most.
				let weight = if deadline <= now {
					T::WeightInfo::step_of_lease(Self::size_of(&lease))
				} else {
					Weight::zero()
				};
				(Deadline::Time(deadline), weight)
			}),
			AgendaItem::Order(order) => Orders::<T>::get(order).map(|order| {
				let weight =
					T::WeightInfo::step_of_order(order.terms.nodes, order.terms.gpus_per_node, order.bids);
				(Self::order_deadline(&order), weight)
			}),
			AgendaItem::Market(class, asset) => Rounds::<T>::get((class, asset))
				.map(|round| (Deadline::Block(round.due), Self::order_of_a_round())),
			AgendaItem::Payments(lease) => Payments::<T>::get(lease)
				.map(|last| (Deadline::Time(last.at), T::WeightInfo::agenda_payments(last.streams))),
		}
	}

	/// The most that one order of a round can weigh. A resting order has no bids.
	fn order_of_a_round() -> Weight {
		T::WeightInfo::step_of_order(MAX_NODES, MAX_GPUS_PER_NODE, 0)
	}

	/// Does what is due for an item. Its object has a later entry after that, or is gone.
	pub(crate) fn do_item(item: AgendaItem, now: Moment, meter: &mut WeightMeter) -> DispatchResult {
		match item {
			AgendaItem::Ask(ask) => match Asks::<T>::get(ask) {
				Some(record) => Self::expire_ask(ask, &record),
				None => Ok(()),
			},
			AgendaItem::Lease(lease) => match Leases::<T>::get(lease) {
				Some(record) => Self::make_due(lease, record, now).map(|_| ()),
				None => Ok(()),
			},
			AgendaItem::Order(order) => match Orders::<T>::get(order) {
				Some(record) => Self::serve_order(order, record, now),
				None => Ok(()),
			},
			AgendaItem::Market(class, asset) => {
				if let Some(round) = Rounds::<T>::get((class, asset)) {
					// The first order is paid for.
					let mut orders = 1;
					while orders < MAX_ORDERS_PER_ROUND && meter.try_consume(Self::order_of_a_round()).is_ok()
					{
						orders = orders.saturating_add(1);
					}
					Self::serve_round((class, asset), round, orders, now);
				}
				Ok(())
			}
			AgendaItem::Payments(lease) => Self::finish_payments(lease, now),
		}
	}

	/// Gives an object another entry in place of the one it has.
	pub(crate) fn move_entry(item: AgendaItem, block: BlockNumber) {
		let replace = |due: &mut BlockNumber| {
			Self::disarm(item, *due);
			*due = Self::arm_at(item, block);
		};
		match item {
			AgendaItem::Ask(ask) => Asks::<T>::mutate_extant(ask, |record| replace(&mut record.due)),
			AgendaItem::Lease(lease) => Leases::<T>::mutate_extant(lease, |record| replace(&mut record.due)),
			AgendaItem::Order(order) => Orders::<T>::mutate_extant(order, |record| replace(&mut record.due)),
			AgendaItem::Market(class, asset) => {
				Rounds::<T>::mutate_extant((class, asset), |record| replace(&mut record.due))
			}
			AgendaItem::Payments(lease) => {
				Payments::<T>::mutate_extant(lease, |record| replace(&mut record.due))
			}
		}
	}

	/// Enters an item that may be due at `deadline`. Returns the block, always a later one than the current.
	pub(crate) fn arm(item: AgendaItem, deadline: Moment, now: Moment) -> BlockNumber {
		Self::arm_at(item, Self::block_on_the_way_to(deadline, now))
	}

	/// Enters an item for a block, which must not be over. Returns the block.
	pub(crate) fn arm_at(item: AgendaItem, block: BlockNumber) -> BlockNumber {
		Agenda::<T>::insert(block, item, ());
		block
	}

	/// Removes an item's entry.
	pub(crate) fn disarm(item: AgendaItem, block: BlockNumber) {
		Agenda::<T>::remove(block, item);
	}

	/// Moves a lease's entry to its deadline.
	pub(crate) fn rearm_lease(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) {
		Self::disarm(AgendaItem::Lease(id), lease.due);
		lease.due = Self::arm(AgendaItem::Lease(id), Self::deadline(id, lease, now), now);
	}

	/// Moves a lease's entry if its deadline is now sooner than that. An entry that is too early is left: it is armed again
	/// when it comes up, so that attestations need not write to the agenda.
	pub(crate) fn arm_lease_if_sooner(id: LeaseId, lease: &mut LeaseOf<T>, now: Moment) {
		if Self::block_on_the_way_to(Self::deadline(id, lease, now), now) < lease.due {
			Self::rearm_lease(id, lease, now);
		}
	}

	fn block_for(deadline: Deadline, now: Moment) -> BlockNumber {
		match deadline {
			Deadline::Time(time) => Self::block_on_the_way_to(time, now),
			Deadline::Block(block) => block,
		}
	}

	/// The block at which to look again at something that is due at `deadline`.
	pub(crate) fn block_on_the_way_to(deadline: Moment, now: Moment) -> BlockNumber {
		let ahead = blocks_on_the_way(deadline.saturating_sub(now), T::SlotDuration::get());
		Self::current_block().saturating_add(ahead)
	}

	pub(crate) fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}
}
