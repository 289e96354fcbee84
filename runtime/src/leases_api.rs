//! What people and their tools ask of the market: each answer comes from the pallet that knows it, and a lease's from two.

use crate::{AccountId, Leases, Settlement};
use alloc::vec::Vec;
use millrace_primitives::{
	leases_api::{Auction, Claim, Depth, EscrowSummary, LeaseSummary, Quote, WaitingOrder},
	Asset, ClassId, EscrowId, LeaseId, OrderId, OrderTerms,
};

pub(crate) fn depth(class: ClassId, asset: Asset) -> Depth {
	Leases::depth((class, asset))
}

pub(crate) fn quote(renter: &AccountId, terms: &OrderTerms) -> Quote<AccountId> {
	Leases::quote(renter, terms)
}

pub(crate) fn lease(lease: LeaseId) -> Option<LeaseSummary<AccountId>> {
	Leases::lease_summary(lease, Settlement::summary(lease.into())?)
}

pub(crate) fn escrow(escrow: EscrowId) -> Option<EscrowSummary<AccountId>> {
	Settlement::summary(escrow)
}

pub(crate) fn claimable(account: AccountId) -> Vec<Claim> {
	Settlement::claims(account)
}

pub(crate) fn auctions(class: ClassId) -> Vec<Auction<AccountId>> {
	Leases::auctions(class)
}

pub(crate) fn order(order: OrderId) -> Option<WaitingOrder<AccountId>> {
	Leases::waiting_order(order)
}
