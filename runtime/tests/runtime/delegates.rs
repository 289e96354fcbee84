//! What a delegate can do with an allowance on the whole runtime, and what it cannot.

use crate::{
	chain::{events, on_development_chain, Chain, Signer},
	market::{block_with_worker, join, offer, plan, terms, worker_account, PRICE, PROVIDER, RENTER},
};
use frame_support::traits::{
	fungible::{Inspect, InspectHold},
	Get,
};
use millrace_primitives::{Asset, Failover, JobId, LeaseId, NodeIndex, OrderId, OrderTerms, StreamId};
use millrace_runtime::{
	configs::delegation::AllowanceDeposit, Balance, Balances, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason,
};
use pallet_allowances::{Call, Error};
use pallet_leases::Call as Leases;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{DispatchError, Permill};

/// An agent that rents for the renter.
const AGENT: Sr25519Keyring = Sr25519Keyring::Bob;
const LEASE: LeaseId = LeaseId(0);

/// A provider with two GPUs in the book, and an allowance of a hundred seconds of one of them.
fn with_an_allowance(test: impl FnOnce(&mut Chain)) {
	on_development_chain(|chain| {
		chain.open_block();
		join(chain, 2);
		while !block_with_worker(chain) {}
		chain.open_block();
		offer(chain, 2);
		grant(chain, Asset::Native, PRICE * 100);
		test(chain);
	});
}

fn grant(chain: &mut Chain, asset: Asset, amount: Balance) {
	let delegate = AGENT.account();
	let call = Call::grant { delegate, asset, amount, max_rate: PRICE, lifetime_ms: 3_600_000 };
	chain.submit_ok(&RENTER, call);
}

fn spend(chain: &mut Chain, call: impl Into<RuntimeCall>) -> Result<(), DispatchError> {
	let call = Call::spend { owner: RENTER.account(), call: Box::new(call.into()) };
	chain.submit(&AGENT, call).unwrap().map(drop)
}

fn remaining() -> Balance {
	pallet_allowances::Allowances::<Runtime>::get(RENTER.account(), AGENT.account()).unwrap().remaining
}

fn escrow() -> Balance {
	let reason = RuntimeHoldReason::Settlement(pallet_settlement::HoldReason::Escrow);
	Balances::balance_on_hold(&reason, &RENTER.account())
}

fn place(terms: OrderTerms) -> RuntimeCall {
	Leases::place_order { terms }.into()
}

#[test]
fn a_delegate_orders_uses_and_closes_a_lease_of_its_owner() {
	with_an_allowance(|chain| {
		assert_eq!(Balances::total_balance_on_hold(&RENTER.account()), AllowanceDeposit::get());
		let total = Balances::total_balance(&RENTER.account());
		assert_eq!(spend(chain, place(terms(1, 60_000))), Ok(()));
		let spent = pallet_allowances::Event::Spent {
			owner: RENTER.account(),
			delegate: AGENT.account(),
			amount: PRICE * 60,
			remaining: PRICE * 40,
		};
		assert!(events().contains(&RuntimeEvent::Allowances(spent)));
		assert_eq!(pallet_leases::Leases::<Runtime>::get(LEASE).unwrap().renter, RENTER.account());
		assert_eq!((escrow(), remaining()), (PRICE * 60, PRICE * 40));

		assert_eq!(
			spend(chain, Leases::submit_job { lease: LEASE, node: NodeIndex(0), plan: plan() }),
			Ok(())
		);
		assert!(pallet_leases::Jobs::<Runtime>::contains_key(LEASE, JobId(0)));
		assert_eq!(spend(chain, Leases::extend { lease: LEASE, extra_ms: 10_000 }), Ok(()));
		assert_eq!(remaining(), PRICE * 30);
		assert_eq!(spend(chain, Leases::shrink { lease: LEASE, term_ms: 20_000 }), Ok(()));
		assert_eq!(spend(chain, Leases::close { lease: LEASE }), Ok(()));
		// What came back does not come back to the allowance.
		assert_eq!((escrow(), remaining()), (0, PRICE * 30));
		// The owner has paid nothing but for what it signed itself.
		assert_eq!(Balances::total_balance(&RENTER.account()), total);
	});
}

#[test]
fn a_delegate_cannot_spend_more_than_its_allowance_or_order_above_its_rate() {
	with_an_allowance(|chain| {
		let exceeded = Err(Error::<Runtime>::AllowanceExceeded.into());
		assert_eq!(spend(chain, place(terms(1, 101_000))), exceeded);
		assert_eq!(spend(chain, place(terms(2, 10_000))), Err(Error::<Runtime>::RateTooHigh.into()));
		let failover = Failover::Replace { premium: Permill::from_percent(1) };
		let dearer = OrderTerms { failover, ..terms(1, 10_000) };
		assert_eq!(spend(chain, place(dearer)), Err(Error::<Runtime>::RateTooHigh.into()));
		// Two orders are each within the rate.
		assert_eq!(spend(chain, place(terms(1, 50_000))), Ok(()));
		assert_eq!(spend(chain, place(terms(1, 50_000))), Ok(()));
		assert_eq!((escrow(), remaining()), (PRICE * 100, 0));
		assert_eq!(spend(chain, Leases::top_up { lease: LEASE, amount: 1 }), exceeded);
		assert_eq!(spend(chain, Leases::extend { lease: LEASE, extra_ms: 1 }), exceeded);
		// A refused call has left nothing behind.
		assert_eq!(escrow(), PRICE * 100);
		let next_order = pallet_leases::NextOrder::<Runtime>::get();
		assert_eq!(next_order, OrderId(2));
	});
}

#[test]
fn the_deposit_of_a_waiting_order_counts_as_spent() {
	with_an_allowance(|chain| {
		let resting = OrderTerms { max_price: PRICE - 7, rests_ms: 60_000, ..terms(1, 5_000) };
		grant(chain, Asset::Native, PRICE * 5);
		// The order's deposit alone is ten seconds' worth of the price.
		assert_eq!(spend(chain, place(resting.clone())), Err(Error::<Runtime>::AllowanceExceeded.into()));
		grant(chain, Asset::Native, PRICE * 100);
		assert_eq!(spend(chain, place(resting)), Ok(()));
		let deposit = millrace_runtime::configs::bounds::OrderDeposit::get();
		assert_eq!(remaining(), PRICE * 100 - deposit - (PRICE - 7) * 5);
		let order = pallet_leases::Orders::<Runtime>::iter_keys().next().unwrap();
		assert_eq!(spend(chain, Leases::cancel_order { order }), Ok(()));
		assert_eq!(remaining(), PRICE * 100 - deposit - (PRICE - 7) * 5);
	});
}

#[test]
fn nothing_but_renting_can_be_delegated() {
	with_an_allowance(|chain| {
		let agent = AGENT.account();
		let order = || Box::new(place(terms(1, 5_000)));
		let transfer = pallet_balances::Call::transfer_allow_death { dest: agent.clone().into(), value: 1 };
		let real = RENTER.account().into();
		let (owner, delegate) = (RENTER.account(), agent.clone());
		let (asset, amount, max_rate, lifetime_ms) = (Asset::Native, 1, 1, 1);
		let escrow = LEASE.into();
		let calls: [RuntimeCall; 10] = [
			transfer.into(),
			pallet_utility::Call::batch { calls: vec![*order()] }.into(),
			pallet_utility::Call::batch_all { calls: vec![*order()] }.into(),
			pallet_proxy::Call::proxy { real, force_proxy_type: None, call: order() }.into(),
			pallet_multisig::Call::as_multi_threshold_1 { other_signatories: vec![agent], call: order() }
				.into(),
			Call::spend { owner, call: order() }.into(),
			Call::grant { delegate, asset, amount, max_rate, lifetime_ms }.into(),
			pallet_settlement::Call::accept { escrow }.into(),
			Leases::post_ask { terms: crate::market::ask(1), lifetime_ms: 1_000 }.into(),
			pallet_providers::Call::bond { amount: 1 }.into(),
		];
		for call in calls {
			assert_eq!(spend(chain, call.clone()), Err(Error::<Runtime>::CallNotAllowed.into()), "{call:?}");
		}
	});
}

#[test]
fn the_bond_of_a_contest_counts_as_spent() {
	with_an_allowance(|chain| {
		assert_eq!(spend(chain, place(terms(1, 60_000))), Ok(()));
		for _ in 0..12 {
			block_with_worker(chain);
		}
		let contest = || pallet_settlement::Call::contest {
			escrow: LEASE.into(),
			stream: StreamId(0),
			evidence: plan(),
		};
		assert_eq!(spend(chain, contest()), Err(Error::<Runtime>::AllowanceExceeded.into()));
		let bond = millrace_runtime::configs::bounds::ContestBond::get();
		grant(chain, Asset::Native, bond);
		assert_eq!(spend(chain, contest()), Ok(()));
		assert_eq!(remaining(), 0);
	});
}

#[test]
fn an_allowance_ends_with_its_time_its_owners_will_or_a_pause() {
	with_an_allowance(|chain| {
		let name = (b"Leases".to_vec().try_into().unwrap(), b"place_order".to_vec().try_into().unwrap());
		let council = || pallet_collective::RawOrigin::Members(2, 3).into();
		millrace_runtime::TxPause::pause(council(), name.clone()).unwrap();
		let filtered = frame_system::Error::<Runtime>::CallFiltered;
		assert_eq!(spend(chain, place(terms(1, 5_000))), Err(filtered.into()));
		millrace_runtime::TxPause::unpause(council(), name).unwrap();
		assert_eq!(spend(chain, place(terms(1, 5_000))), Ok(()));

		chain.submit_ok(&RENTER, Call::revoke { delegate: AGENT.account() });
		assert_eq!(spend(chain, place(terms(1, 5_000))), Err(Error::<Runtime>::NoAllowance.into()));

		let (delegate, asset) = (AGENT.account(), Asset::Native);
		let grant = Call::grant { delegate, asset, amount: PRICE, max_rate: PRICE, lifetime_ms: 3_000 };
		chain.submit_ok(&RENTER, grant);
		for _ in 0..3 {
			block_with_worker(chain);
		}
		assert_eq!(
			spend(chain, Leases::close { lease: LEASE }),
			Err(Error::<Runtime>::AllowanceExpired.into())
		);
		chain.submit_ok(&PROVIDER, Call::purge { owner: RENTER.account(), delegate: AGENT.account() });
		assert!(pallet_allowances::Allowances::<Runtime>::iter().next().is_none());
		assert_eq!(Balances::total_balance(&worker_account()), 0);
	});
}
