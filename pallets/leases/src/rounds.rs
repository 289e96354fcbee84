//! Rounds: a market's resting orders are offered new capacity, a few in each block.

use crate::{
	pallet::{Config, Event, Orders, Pallet, RestingOrders, Rounds},
	types::{AgendaItem, BookKey, Market, Round, UnexpectedKind},
};
use alloc::vec::Vec;
use millrace_primitives::Moment;

impl<T: Config> Pallet<T> {
	/// There is new capacity in a market: from the next block on its resting orders are offered it. A round under way goes
	/// on and begins again afterwards: those that come late in it are not put off for ever by those that come first.
	pub(crate) fn wake(market: Market) {
		if RestingOrders::<T>::iter_key_prefix(market).next().is_none() {
			return;
		}
		match Rounds::<T>::get(market) {
			None => Self::enter_round(market, None, false),
			Some(round) if !round.again => Rounds::<T>::insert(market, Round { again: true, ..round }),
			Some(_) => (),
		}
	}

	/// Offers the book to the next resting orders of a round, at most so many of them, the one that pays most first. One that
	/// cannot be filled is passed over. The round goes on in the next block, or is over.
	pub(crate) fn serve_round(market: Market, round: Round, most: u32, now: Moment) {
		let keys = Self::resting_after(market, round.after, most);
		for key in &keys {
			let order = key.order();
			match Orders::<T>::get(order) {
				// Its time is over; the agenda will remove it.
				Some(record) if record.expires_at <= now => (),
				Some(record) => {
					Self::try_fill(order, &record, now);
				}
				None => {
					let kind = UnexpectedKind::RestingWithoutOrder(order);
					Self::deposit_event(Event::Unexpected { kind });
					RestingOrders::<T>::remove(market, key);
				}
			}
		}
		let again = Rounds::<T>::get(market).is_some_and(|round| round.again);
		if keys.len() == most as usize {
			Self::enter_round(market, keys.last().copied(), again);
		} else if again {
			Self::enter_round(market, None, false);
		} else {
			Rounds::<T>::remove(market);
		}
	}

	/// The next resting orders of a market after a place, at most so many.
	fn resting_after(market: Market, after: Option<BookKey>, most: u32) -> Vec<BookKey> {
		let all = match after {
			Some(key) => {
				let raw = RestingOrders::<T>::hashed_key_for(market, key);
				RestingOrders::<T>::iter_key_prefix_from(market, raw)
			}
			None => RestingOrders::<T>::iter_key_prefix(market),
		};
		all.take(most as usize).collect()
	}

	/// The round goes on in the next block.
	fn enter_round(market: Market, after: Option<BookKey>, again: bool) {
		let (class, asset) = market;
		let due = Self::arm_at(AgendaItem::Market(class, asset), Self::current_block().saturating_add(1));
		Rounds::<T>::insert(market, Round { after, again, due });
	}
}
