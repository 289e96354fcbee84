//! Bids on orders that are auctioned.

use crate::{
	pallet::{Bids, BidsOf, Config, Error, Event, HoldReason, Orders, Pallet},
	selection::{allows_country, allows_uptime},
	types::{Bid, OrderOf, Waiting, MAX_BIDS_PER_ORDER},
};
use alloc::vec::Vec;
use frame_support::{ensure, traits::Get};
use millrace_primitives::{Balance, OrderId, ProviderInspect};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_place_bid(
		provider: T::AccountId,
		order: OrderId,
		price: Balance,
		reclaim_notice_ms: u64,
	) -> DispatchResult {
		Self::ensure_not_paused()?;
		let mut record = Orders::<T>::get(order).ok_or(Error::<T>::UnknownOrder)?;
		Self::check_bid(&provider, &record, price, reclaim_notice_ms)?;
		let deposit = match Bids::<T>::get(order, &provider) {
			Some(old) => {
				ensure!(price < old.price, Error::<T>::BidNotBetter);
				old.deposit
			}
			None => {
				Self::make_room(order, &mut record, price)?;
				let deposit = Self::add_bidder(order, &provider)?;
				// Cannot saturate: there is room, so that it stays at most MAX_BIDS_PER_ORDER.
				record.bids = record.bids.saturating_add(1);
				Orders::<T>::insert(order, record);
				deposit
			}
		};
		let bid = Bid { price, reclaim_notice_ms, placed_at: Self::current_block(), deposit };
		Bids::<T>::insert(order, &provider, bid);
		Self::deposit_event(Event::BidPlaced { order, provider, price, deposit });
		Ok(())
	}

	/// Checks a bid by itself. A provider that has too few free GPUs at the moment may bid: they may be free in time.
	fn check_bid(
		provider: &T::AccountId,
		order: &OrderOf<T>,
		price: Balance,
		reclaim_notice_ms: u64,
	) -> Result<(), Error<T>> {
		let facts = T::Providers::facts(provider).ok_or(Error::NotAProvider)?;
		let open = matches!(
			order.waiting,
			Waiting::Auction { ends_at_block } if Self::current_block() < ends_at_block
		);
		ensure!(open, Error::NoAuction);
		ensure!(order.renter != *provider, Error::OwnOrder);
		ensure!(price > 0, Error::ZeroPrice);
		ensure!(price <= order.terms.max_price, Error::BidTooHigh);
		ensure!(Self::is_fair_notice(reclaim_notice_ms), Error::NoticeOutOfBounds);
		let constraints = &order.terms.constraints;
		let fit = allows_country(&constraints.countries, facts.country)
			&& allows_uptime(constraints.min_uptime, facts.uptime)
			&& T::Providers::registered_gpus(provider, order.terms.class) >= order.terms.gpus_per_node;
		ensure!(fit, Error::BidderUnfit);
		Ok(())
	}

	/// In a full list the dearest bid gives way to one at a lower `price`.
	fn make_room(order: OrderId, record: &mut OrderOf<T>, price: Balance) -> DispatchResult {
		if record.bids < MAX_BIDS_PER_ORDER {
			return Ok(());
		}
		let (dearest, bid) = Self::bids_by_rank(order).pop().ok_or(Error::<T>::BidsFull)?;
		ensure!(price < bid.price, Error::<T>::BidsFull);
		Self::release_bid(order, dearest, &bid, false)?;
		// Cannot saturate: there was one.
		record.bids = record.bids.saturating_sub(1);
		Ok(())
	}

	/// Enters the order into the list of the provider's bids and holds the deposit. Returns it.
	fn add_bidder(order: OrderId, provider: &T::AccountId) -> Result<Balance, DispatchError> {
		let mut bids = BidsOf::<T>::get(provider);
		// At most MAX_BIDS_PER_PROVIDER, so the conversion keeps the number.
		let deposit = millrace_math::rising_deposit(T::BidDeposit::get(), bids.len() as u32)
			.ok_or(Error::<T>::AmountTooLarge)?;
		bids.try_push(order).map_err(|_| Error::<T>::TooManyBids)?;
		Self::hold_deposit(HoldReason::BidDeposit, provider, deposit)?;
		BidsOf::<T>::insert(provider, bids);
		Ok(deposit)
	}

	pub(crate) fn do_withdraw_bid(provider: &T::AccountId, order: OrderId) -> DispatchResult {
		let bid = Bids::<T>::get(order, provider).ok_or(Error::<T>::NoBid)?;
		Self::release_bid(order, provider.clone(), &bid, false)?;
		Orders::<T>::mutate_extant(order, |record| {
			// Cannot saturate: there was one.
			record.bids = record.bids.saturating_sub(1);
		});
		Ok(())
	}

	/// Releases all bids on an order that is decided or gone.
	pub(crate) fn release_bids(
		order: OrderId,
		record: &OrderOf<T>,
		won: impl Fn(&T::AccountId) -> bool,
	) -> DispatchResult {
		if record.bids == 0 {
			return Ok(());
		}
		Self::bids_by_rank(order).into_iter().try_for_each(|(provider, bid)| {
			let won = won(&provider);
			Self::release_bid(order, provider, &bid, won)
		})
	}

	/// Forgets a bid and releases its deposit. The count of the order's bids is the caller's.
	fn release_bid(order: OrderId, provider: T::AccountId, bid: &Bid, won: bool) -> DispatchResult {
		let deposit = Self::release_deposit(HoldReason::BidDeposit, &provider, bid.deposit)?;
		Bids::<T>::remove(order, &provider);
		BidsOf::<T>::mutate_exists(&provider, |bids| {
			if let Some(list) = bids {
				list.retain(|other| *other != order);
				if list.is_empty() {
					*bids = None;
				}
			}
		});
		Self::deposit_event(Event::BidReleased { order, provider, deposit, won });
		Ok(())
	}

	/// Live bids on an order, best first: by price, then age; of two bids of one block the lower account first.
	pub(crate) fn bids_by_rank(order: OrderId) -> Vec<(T::AccountId, Bid)> {
		let mut bids: Vec<_> = Bids::<T>::iter_prefix(order).collect();
		bids.sort_by(|(a, x), (b, y)| (x.price, x.placed_at, a).cmp(&(y.price, y.placed_at, b)));
		bids
	}
}
