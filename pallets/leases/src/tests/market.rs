//! What the tests of the market share.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{
	dispatch::PostDispatchInfo, storage::with_storage_layer, traits::fungible::InspectHold, weights::Weight,
};
use millrace_primitives::{
	Asset, Balance, Constraints, Countries, Country, Matching, OrderId, OrderTerms, Term,
};
use sp_runtime::DispatchError;

pub(super) const MARKET: Market = (CLASS, Asset::Native);

/// Places an order as a block would: all or nothing.
pub(super) fn attempt(renter: AccountId, terms: OrderTerms) -> Result<PostDispatchInfo, DispatchError> {
	with_storage_layer(|| Leases::place_order(RuntimeOrigin::signed(renter), terms))
		.map_err(|error| error.error)
}

/// A bid as a block would apply it.
pub(super) fn try_bid(provider: AccountId, order: OrderId, price: Balance) -> Result<(), DispatchError> {
	with_storage_layer(|| Leases::place_bid(RuntimeOrigin::signed(provider), order, price, 2 * MINUTE))
}

pub(super) fn bid(provider: AccountId, order: OrderId, price: Balance) {
	try_bid(provider, order, price).unwrap();
}

/// An order of one GPU for so long.
pub(super) fn fixed(ms: u64) -> OrderTerms {
	OrderTerms { term: Term::Fixed { ms }, ..terms(1) }
}

/// An order of one GPU with constraints.
pub(super) fn with(constraints: Constraints) -> OrderTerms {
	OrderTerms { constraints, ..terms(1) }
}

pub(super) fn only(country: Country) -> Constraints {
	let countries = Countries::Only(vec![country].try_into().unwrap());
	Constraints { countries, ..Default::default() }
}

/// An auction of so many nodes of one GPU for so many blocks.
pub(super) fn auction(nodes: u32, blocks: u32) -> OrderTerms {
	OrderTerms { matching: Matching::Auction { blocks }, ..gang(nodes, 1) }
}

/// An order that rests for an hour.
pub(super) fn resting(terms: OrderTerms) -> OrderTerms {
	OrderTerms { rests_ms: 60 * MINUTE, ..terms }
}

pub(super) fn order_deposit(renter: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::OrderDeposit.into(), &renter)
}

pub(super) fn bid_deposit(provider: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::BidDeposit.into(), &provider)
}

/// Orders that rest, in the order in which a round offers capacity to them.
pub(super) fn resting_orders() -> Vec<OrderId> {
	RestingOrders::<Test>::iter_key_prefix(MARKET).map(|key| key.order()).collect()
}

/// Providers of a lease's nodes.
pub(super) fn providers(order: OrderId) -> Vec<AccountId> {
	record(order.into()).nodes.iter().map(|node| node.provider).collect()
}

/// Makes the agenda stop for a block.
pub(super) fn stop_agenda(stopped: bool) {
	AgendaLimit::set(if stopped { Weight::zero() } else { Weight::MAX });
}
