//! What a delegate may do with an allowance, and what counts as spent.

use crate::{
	configs::money::AllHolds, constants::deposit, AccountId, Balance, Balances, Runtime, RuntimeCall,
	RuntimeHoldReason, Timestamp,
};
use frame_support::{
	parameter_types,
	traits::{fungible::InspectHold as _, fungibles::InspectHold as _},
};
use millrace_primitives::{Asset, LeaseId, OrderTerms};
use pallet_allowances::{Committed, Spend, Spending};

parameter_types! {
	/// Deposit of an allowance: its record, and the owner's number of allowances.
	pub const AllowanceDeposit: Balance = deposit(2, 212);
	/// Longest life of an allowance, in milliseconds: a year.
	pub const MaxAllowanceLifetime: u64 = 365 * 24 * 3_600 * 1_000;
}

/// The calls that a delegate can make in an owner's name: ordering leases, funding, using, changing, closing, rejecting and
/// contesting them.
///
/// Not on the list: `accept`, which gives away the owner's right to contest, and what anybody can call for themselves.
pub struct DelegatedRenting;
impl Spending<RuntimeCall> for DelegatedRenting {
	fn spend(call: &RuntimeCall) -> Option<Spend> {
		use pallet_leases::Call as Leases;
		match call {
			RuntimeCall::Leases(Leases::place_order { terms }) => {
				Some(Spend { rate: highest_rate(terms), asset: terms.asset })
			}
			RuntimeCall::Leases(
				Leases::submit_job { lease, .. }
				| Leases::extend { lease, .. }
				| Leases::close { lease }
				| Leases::top_up { lease, .. }
				| Leases::shrink { lease, .. }
				| Leases::reject { lease },
			) => Some(free_of_rate(*lease)),
			RuntimeCall::Leases(Leases::cancel_order { .. })
			// It costs a bond in the native token.
			| RuntimeCall::Settlement(pallet_settlement::Call::contest { .. }) => {
				Some(Spend { rate: 0, asset: Asset::Native })
			}
			_ => None,
		}
	}
}

/// What an order costs at most per second, all replacements at the full premium. What does not fit is the highest there is.
fn highest_rate(terms: &OrderTerms) -> Balance {
	millrace_math::with_premium(terms.max_price, terms.premium())
		.and_then(|price| millrace_math::rate(price, terms.gpus_per_node)?.checked_mul(terms.nodes.into()))
		.unwrap_or(Balance::MAX)
}

/// A call about a lease that does not change its price.
fn free_of_rate(lease: LeaseId) -> Spend {
	// Without the lease the call fails anyway.
	let asset = pallet_leases::Leases::<Runtime>::get(lease).map_or(Asset::Native, |lease| lease.asset);
	Spend { rate: 0, asset }
}

/// What is held of a renter: escrows in any asset, and in the native token the deposits of waiting orders and the bonds of
/// contests.
pub struct HeldForRenting;
impl Committed<AccountId> for HeldForRenting {
	fn committed(owner: &AccountId, asset: Asset) -> Balance {
		use pallet_leases::HoldReason::OrderDeposit;
		use pallet_settlement::HoldReason::{ContestBond, Escrow};
		let escrows = AllHolds::balance_on_hold(asset, &RuntimeHoldReason::Settlement(Escrow), owner);
		let native = [RuntimeHoldReason::Leases(OrderDeposit), RuntimeHoldReason::Settlement(ContestBond)];
		match asset {
			// Cannot saturate: they are parts of one balance.
			Asset::Native => native
				.iter()
				.fold(escrows, |sum, reason| sum.saturating_add(Balances::balance_on_hold(reason, owner))),
			Asset::Token(_) => escrows,
		}
	}
}

impl pallet_allowances::Config for Runtime {
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type Time = Timestamp;
	type Spendable = DelegatedRenting;
	type Committed = HeldForRenting;
	type Deposit = AllowanceDeposit;
	type MaxLifetime = MaxAllowanceLifetime;
	type WeightInfo = pallet_allowances::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}
