//! What people read of the market: the book, quotes, summaries. Nothing is written here. All but the pallet's view functions
//! are for the runtime API alone: they read more than a block could pay for.

use crate::{
	opening::deposit_for,
	pallet::{Asks, Book, Config, Error, Leases, Orders, Pallet, RestingOrders},
	types::{AskOf, Market, OrderOf, Waiting, MAX_ASKS_LOOKED_AT},
};
use alloc::{collections::btree_map::BTreeMap, vec::Vec};
use frame_support::{ensure, traits::Time};
use millrace_primitives::{
	leases_api::{
		Auction, Depth, EscrowSummary, LeaseSummary, Level, NodeSummary, Quote, QuotedNode, WaitingOrder,
	},
	AskId, Balance, ClassId, Escrow, LeaseId, NodeIndex, OrderId, OrderTerms, ProviderInspect,
};

/// Most asks that a depth looks at.
const MAX_ASKS_OF_DEPTH: usize = 256;
/// Most auctions listed at a time.
const MAX_AUCTIONS_LISTED: usize = 64;

impl<T: Config> Pallet<T> {
	/// The cheapest asks of a market, cheapest first.
	pub(crate) fn asks_in_book(market: Market) -> Vec<(AskId, AskOf<T>)> {
		Book::<T>::iter_key_prefix(market)
			.take(MAX_ASKS_LOOKED_AT as usize)
			.filter_map(|key| Some((key.ask(), Asks::<T>::get(key.ask())?)))
			.collect()
	}

	/// The book of a market, price by price; the cheapest 256 asks of it. A GPU that stands in several asks is counted once,
	/// in the cheapest.
	pub fn depth(market: Market) -> Depth {
		let mut book = Book::<T>::iter_key_prefix(market);
		let mut free_of: BTreeMap<T::AccountId, u32> = BTreeMap::new();
		let mut levels: Vec<Level> = Vec::new();
		for key in book.by_ref().take(MAX_ASKS_OF_DEPTH) {
			let Some(ask) = Asks::<T>::get(key.ask()) else { continue };
			let left = ask.left();
			let free = free_of
				.entry(ask.provider)
				.or_insert_with_key(|provider| T::Providers::free_gpus(provider, market.0));
			let gpus = left.min(*free);
			// Cannot saturate: it is at most what is free.
			*free = free.saturating_sub(gpus);
			match levels.last_mut().filter(|level| level.price == key.price()) {
				Some(level) => {
					// Clamping is right: it is a sum to look at.
					level.gpus = level.gpus.saturating_add(gpus);
					level.asks = level.asks.saturating_add(1);
				}
				None => levels.push(Level { price: key.price(), gpus, asks: 1 }),
			}
		}
		Depth {
			class: market.0,
			asset: market.1,
			levels,
			// Each of them holds a deposit: there are not as many as that.
			resting_orders: RestingOrders::<T>::iter_key_prefix(market).count() as u32,
			truncated: book.next().is_some(),
		}
	}

	/// What an order would get if it were to be matched at once. An order for later, or for an auction, is answered in the
	/// same way: with the book as it is now.
	pub fn quote(renter: &T::AccountId, terms: &OrderTerms) -> Quote<T::AccountId> {
		Self::try_quote(renter, terms)
			.unwrap_or_else(|error| Quote::Invalid { error: <&'static str>::from(error).into() })
	}

	fn try_quote(renter: &T::AccountId, terms: &OrderTerms) -> Result<Quote<T::AccountId>, Error<T>> {
		let now = T::Time::now();
		Self::check_order_terms(terms, now)?;
		let picks = match Self::select(&Self::request(renter, terms), &[], now) {
			Ok(selection) => selection.picks,
			Err(no_match) => {
				return Ok(Quote::NoMatch {
					nodes_found: no_match.found,
					closest: no_match.closest,
					asks: no_match.refusals,
				})
			}
		};
		let prices = picks.iter().map(|pick| pick.price);
		let deposit = deposit_for(terms, prices.clone()).ok_or(Error::AmountTooLarge)?;
		let rate = prices
			.map(|price| millrace_math::rate(price, terms.gpus_per_node))
			.try_fold(0, |sum: Balance, rate| sum.checked_add(rate?))
			.ok_or(Error::AmountTooLarge)?;
		ensure!(T::Escrow::can_hold(terms.asset, renter, deposit), Error::InsufficientFunds);
		let nodes = picks
			.into_iter()
			// Without bids each pick has its ask.
			.filter_map(|pick| {
				Some(QuotedNode { provider: pick.provider, ask: pick.ask?, price: pick.price })
			})
			.collect();
		Ok(Quote::Match { nodes, rate, deposit })
	}

	/// A lease, with what settlement says of its money. `None` if it is closed or was never opened.
	pub fn lease_summary(
		lease: LeaseId,
		money: EscrowSummary<T::AccountId>,
	) -> Option<LeaseSummary<T::AccountId>> {
		let record = Leases::<T>::get(lease)?;
		let funded_until = Self::funds_end(lease, &record);
		// Its deposit was computed from the sum, so that it fits.
		let rate = record.rate().unwrap_or(Balance::MAX);
		let nodes = (0..)
			.map(NodeIndex)
			.zip(record.nodes)
			.map(|(node, record)| NodeSummary {
				node,
				provider: record.provider,
				status: record.status,
				gpus: record.gpus.into_inner(),
				price: record.price,
				generation: record.generation,
				attested_at: record.attested_at,
			})
			.collect();
		Some(LeaseSummary {
			lease,
			renter: record.renter,
			status: record.status,
			nodes,
			rate,
			ready_at: record.ready_at,
			ends_at: record.ends_at,
			funded_until,
			money,
		})
	}

	/// Open auctions of a class, oldest first; at most 64. Goes through all waiting orders, so that it is for use off chain
	/// only.
	pub fn auctions(class: ClassId) -> Vec<Auction<T::AccountId>> {
		let mut open: Vec<(OrderId, OrderOf<T>)> = Orders::<T>::iter()
			.filter(|(_, record)| {
				record.terms.class == class && matches!(record.waiting, Waiting::Auction { .. })
			})
			.collect();
		open.sort_by_key(|(order, _)| *order);
		open.truncate(MAX_AUCTIONS_LISTED);
		open.into_iter()
			.filter_map(|(order, record)| {
				let Waiting::Auction { ends_at_block } = record.waiting else { return None };
				let bids = Self::bids_by_rank(order).into_iter().map(|(who, bid)| (who, bid.price)).collect();
				Some(Auction { order, renter: record.renter, terms: record.terms, ends_at_block, bids })
			})
			.collect()
	}

	/// A waiting order of any kind.
	pub fn waiting_order(order: OrderId) -> Option<WaitingOrder<T::AccountId>> {
		let record = Orders::<T>::get(order)?;
		Some(WaitingOrder {
			order,
			renter: record.renter,
			terms: record.terms,
			expires_at: record.expires_at,
		})
	}
}
