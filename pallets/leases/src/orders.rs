//! Placing orders: matched at once or waiting; and the ends of those that wait.

use crate::{
	agenda::Deadline,
	opening::deposit_for,
	pallet::{Config, Error, Event, HoldReason, NextOrder, Orders, OrdersOf, Pallet, RestingOrders},
	selection::{Pick, Request},
	types::{AgendaItem, BookKey, Order, OrderOf, UnexpectedKind, Waiting},
	weights::WeightInfo,
	weights_ext::WeightInfoExt,
};
use alloc::vec::Vec;
use frame_support::{
	dispatch::{DispatchResultWithPostInfo, PostDispatchInfo},
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_primitives::{Balance, Escrow, LeaseId, Matching, Moment, OrderId, OrderTerms};
use sp_runtime::{DispatchError, DispatchResult};

/// What becomes of an order when it is placed.
enum Fate<AccountId> {
	/// These serve it.
	Opens(Vec<Pick<AccountId>>),
	/// It waits.
	Waits(Waiting),
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_place_order(renter: T::AccountId, terms: OrderTerms) -> DispatchResultWithPostInfo {
		let now = T::Time::now();
		Self::ensure_not_paused()?;
		Self::check_order_terms(&terms, now)?;
		let (fate, looked_at) = Self::fate_of(&renter, &terms, now)?;
		let order = NextOrder::<T>::get();
		NextOrder::<T>::put(order.next().ok_or(Error::<T>::NumbersExhausted)?);
		Self::deposit_event(Event::OrderPlaced { order, renter: renter.clone(), terms: terms.clone() });
		let weight = match fate {
			Fate::Opens(picks) => {
				let asks = Self::count_asks(picks.iter().map(|pick| &pick.provider));
				let weight =
					T::WeightInfo::place_matched_order(looked_at, terms.nodes, terms.gpus_per_node, asks);
				let deposit = deposit_for(&terms, picks.iter().map(|pick| pick.price))
					.ok_or(Error::<T>::AmountTooLarge)?;
				Self::hold_for(order, &renter, &terms, deposit)?;
				Self::open_lease(order, renter, terms, picks, deposit, now)?;
				weight
			}
			Fate::Waits(waiting) => {
				Self::wait(order, renter, terms, waiting, now)?;
				T::WeightInfo::place_unmatched_order(looked_at)
			}
		};
		Ok(PostDispatchInfo { actual_weight: Some(weight), ..Default::default() })
	}

	/// What becomes of an order that is placed now, and the number of asks looked at to find out.
	fn fate_of(
		renter: &T::AccountId,
		terms: &OrderTerms,
		now: Moment,
	) -> Result<(Fate<T::AccountId>, u32), Error<T>> {
		if terms.starts_at.is_some() {
			return Ok((Fate::Waits(Waiting::Scheduled), 0));
		}
		if let Matching::Auction { blocks } = terms.matching {
			let ends_at_block = Self::current_block().saturating_add(blocks);
			return Ok((Fate::Waits(Waiting::Auction { ends_at_block }), 0));
		}
		match Self::select(&Self::request(renter, terms), &[], now) {
			Ok(selection) => Ok((Fate::Opens(selection.picks), selection.looked_at)),
			Err(no_match) if terms.rests_ms > 0 => Ok((Fate::Waits(Waiting::Resting), no_match.looked_at)),
			Err(no_match) => Err(no_match.error()),
		}
	}

	/// What an order asks of the book.
	pub(crate) fn request<'a>(renter: &'a T::AccountId, terms: &'a OrderTerms) -> Request<'a, T> {
		Request {
			market: (terms.class, terms.asset),
			nodes: terms.nodes,
			gpus_per_node: terms.gpus_per_node,
			max_price: terms.max_price,
			term: terms.term,
			constraints: &terms.constraints,
			renter,
			serving: &[],
			excluded: &[],
		}
	}

	/// Opens an order's escrow.
	fn hold_for(
		order: OrderId,
		renter: &T::AccountId,
		terms: &OrderTerms,
		amount: Balance,
	) -> DispatchResult {
		ensure!(T::Escrow::can_hold(terms.asset, renter, amount), Error::<T>::InsufficientFunds);
		T::Escrow::open(order.into(), renter, terms.asset, amount)
	}

	/// Lets a new order wait. What it can cost at most is held from now on.
	fn wait(
		order: OrderId,
		renter: T::AccountId,
		terms: OrderTerms,
		waiting: Waiting,
		now: Moment,
	) -> DispatchResult {
		let mut orders = OrdersOf::<T>::get(&renter);
		// At most MAX_ORDERS_PER_RENTER, so the conversion keeps the number.
		let deposit = millrace_math::rising_deposit(T::OrderDeposit::get(), orders.len() as u32)
			.ok_or(Error::<T>::AmountTooLarge)?;
		orders.try_push(order).map_err(|_| Error::<T>::TooManyOrders)?;
		let prices = (0..terms.nodes).map(|_| terms.max_price);
		let amount = deposit_for(&terms, prices).ok_or(Error::<T>::AmountTooLarge)?;
		Self::hold_deposit(HoldReason::OrderDeposit, &renter, deposit)?;
		Self::hold_for(order, &renter, &terms, amount)?;
		OrdersOf::<T>::insert(&renter, orders);
		let record =
			Order { renter, terms, waiting, placed_at: now, expires_at: now, deposit, bids: 0, due: 0 };
		Self::enter(order, record, now);
		Ok(())
	}

	/// Stores an order that begins to wait for something, with the time until which it does.
	fn enter(order: OrderId, mut record: OrderOf<T>, now: Moment) {
		// All sums clamp: a time that does not fit never comes.
		let rests_from = match (record.waiting, record.terms.matching) {
			(Waiting::Scheduled, _) => record.terms.starts_at.unwrap_or(now),
			(Waiting::Auction { .. }, Matching::Auction { blocks }) => {
				now.saturating_add(u64::from(blocks).saturating_mul(T::SlotDuration::get()))
			}
			(Waiting::Auction { .. } | Waiting::Resting, _) => now,
		};
		record.expires_at = rests_from.saturating_add(record.terms.rests_ms);
		let item = AgendaItem::Order(order);
		record.due = match Self::order_deadline(&record) {
			Deadline::Time(time) => Self::arm(item, time, now),
			Deadline::Block(block) => Self::arm_at(item, block),
		};
		if record.waiting == Waiting::Resting {
			RestingOrders::<T>::insert(record.market(), Self::place_of(order, &record), ());
		}
		Self::deposit_event(Event::OrderWaits {
			order,
			waiting: record.waiting,
			expires_at: record.expires_at,
			deposit: record.deposit,
		});
		Orders::<T>::insert(order, record);
	}

	fn place_of(order: OrderId, record: &OrderOf<T>) -> BookKey {
		BookKey::of_order(record.terms.max_price, order)
	}

	/// When something becomes of a waiting order by itself.
	pub(crate) fn order_deadline(record: &OrderOf<T>) -> Deadline {
		match record.waiting {
			Waiting::Scheduled => Deadline::Time(record.terms.starts_at.unwrap_or(record.placed_at)),
			Waiting::Auction { ends_at_block } => Deadline::Block(ends_at_block),
			Waiting::Resting => Deadline::Time(record.expires_at),
		}
	}

	/// Does what is due for a waiting order: it starts, is awarded, or expires.
	pub(crate) fn serve_order(order: OrderId, record: OrderOf<T>, now: Moment) -> DispatchResult {
		match record.waiting {
			Waiting::Resting => Self::expire_order(order, &record, now),
			Waiting::Scheduled | Waiting::Auction { .. } => {
				if Self::try_fill(order, &record, now) {
					Ok(())
				} else if record.terms.rests_ms == 0 {
					Self::expire_order(order, &record, now)
				} else {
					Self::rest(order, record, now)
				}
			}
		}
	}

	/// Matches a waiting order with the book and its bids, if they do now. An order that matches and cannot be opened all
	/// the same waits on as it was. Returns whether it became a lease.
	pub(crate) fn try_fill(order: OrderId, record: &OrderOf<T>, now: Moment) -> bool {
		let bids = if record.bids > 0 { Self::bids_by_rank(order) } else { Vec::new() };
		let request = Self::request(&record.renter, &record.terms);
		let Ok(selection) = Self::select(&request, &bids, now) else { return false };
		match with_storage_layer(|| Self::fill(order, record, selection.picks, now)) {
			Ok(()) => true,
			Err(error) => {
				let kind = UnexpectedKind::AgendaItemFailed(AgendaItem::Order(order), error);
				Self::deposit_event(Event::Unexpected { kind });
				false
			}
		}
	}

	/// Makes a lease of a waiting order: what the match does not need is given back.
	fn fill(
		order: OrderId,
		record: &OrderOf<T>,
		picks: Vec<Pick<T::AccountId>>,
		now: Moment,
	) -> DispatchResult {
		Self::release_bids(order, record, |who| {
			picks.iter().any(|pick| pick.ask.is_none() && pick.provider == *who)
		})?;
		Self::forget_order(order, record)?;
		let deposit = deposit_for(&record.terms, picks.iter().map(|pick| pick.price))
			.ok_or(Error::<T>::AmountTooLarge)?;
		let held = T::Escrow::free(order.into()).ok_or(Error::<T>::UnknownOrder)?;
		// No price is above the order's highest, for which the money is held.
		let surplus = held.checked_sub(deposit).ok_or(Error::<T>::InsufficientFunds)?;
		// An asset that cannot be given back at the moment does not keep the order from its match. It is held until the close.
		let is_given_back = surplus == 0 || T::Escrow::withdraw(order.into(), surplus).is_ok();
		let deposit = if is_given_back { deposit } else { held };
		Self::open_lease(order, record.renter.clone(), record.terms.clone(), picks, deposit, now)
	}

	/// An order that found nobody at its start or its award waits for capacity.
	fn rest(order: OrderId, mut record: OrderOf<T>, now: Moment) -> DispatchResult {
		Self::release_bids(order, &record, |_| false)?;
		Self::disarm(AgendaItem::Order(order), record.due);
		record.bids = 0;
		record.waiting = Waiting::Resting;
		Self::enter(order, record, now);
		Ok(())
	}

	pub(crate) fn do_cancel_order(renter: &T::AccountId, order: OrderId) -> DispatchResultWithPostInfo {
		let record = Orders::<T>::get(order).ok_or(Error::<T>::UnknownOrder)?;
		ensure!(record.renter == *renter, Error::<T>::NotOrderOwner);
		let deposit = Self::end_order(order, &record, T::Time::now())?;
		Self::deposit_event(Event::OrderCancelled { order, renter: record.renter, deposit });
		Ok(Some(T::WeightInfo::cancel_order(record.bids)).into())
	}

	fn expire_order(order: OrderId, record: &OrderOf<T>, now: Moment) -> DispatchResult {
		let deposit = Self::end_order(order, record, now)?;
		Self::deposit_event(Event::OrderExpired { order, renter: record.renter.clone(), deposit });
		Ok(())
	}

	/// Gives back everything that is held for a waiting order and its bids, and forgets it. Returns its deposit.
	fn end_order(order: OrderId, record: &OrderOf<T>, now: Moment) -> Result<Balance, DispatchError> {
		Self::release_bids(order, record, |_| false)?;
		let closing = T::Escrow::close(order.into())?;
		Self::await_payments(LeaseId::from(order), &closing, now);
		Self::forget_order(order, record)
	}

	/// Forgets a waiting order with everything that points to it, but for its money and its bids. Returns its deposit.
	fn forget_order(order: OrderId, record: &OrderOf<T>) -> Result<Balance, DispatchError> {
		let released = Self::release_deposit(HoldReason::OrderDeposit, &record.renter, record.deposit)?;
		Orders::<T>::remove(order);
		if record.waiting == Waiting::Resting {
			RestingOrders::<T>::remove(record.market(), Self::place_of(order, record));
		}
		OrdersOf::<T>::mutate_exists(&record.renter, |orders| {
			if let Some(list) = orders {
				list.retain(|other| *other != order);
				if list.is_empty() {
					*orders = None;
				}
			}
		});
		Self::disarm(AgendaItem::Order(order), record.due);
		Ok(released)
	}
}
