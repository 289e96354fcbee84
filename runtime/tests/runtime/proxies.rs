//! Proxies can do what their type says and nothing else.

use crate::market::{ask, terms};
use frame_support::traits::InstanceFilter;
use millrace_primitives::{AskId, Asset, Hash, LeaseId, NodeIndex, OrderId, StreamId};
use millrace_runtime::{configs::operations::ProxyType, RuntimeCall};
use pallet_leases::Call as Leases;
use pallet_settlement::Call as Settlement;
use sp_keyring::Sr25519Keyring;

const TYPES: [ProxyType; 6] = [
	ProxyType::Any,
	ProxyType::NonTransfer,
	ProxyType::Renting,
	ProxyType::Providing,
	ProxyType::Staking,
	ProxyType::Bidding,
];

/// Which of the types let a call through.
fn allowed(call: impl Into<RuntimeCall>) -> Vec<ProxyType> {
	let call = call.into();
	TYPES.into_iter().filter(|proxy| proxy.filter(&call)).collect()
}

#[test]
fn each_call_of_a_renter_is_open_to_the_right_types() {
	use ProxyType::{Any, NonTransfer, Providing, Renting};
	let (lease, order, escrow) = (LeaseId(0), OrderId(0), OrderId(0).into());
	let plan = Hash::zero();
	let stream = StreamId(0);
	let renters: [RuntimeCall; 10] = [
		Leases::place_order { terms: terms(1, 1) }.into(),
		Leases::cancel_order { order }.into(),
		Leases::submit_job { lease, node: NodeIndex(0), plan }.into(),
		Leases::extend { lease, extra_ms: 1 }.into(),
		Leases::top_up { lease, amount: 1 }.into(),
		Leases::shrink { lease, term_ms: 1 }.into(),
		Leases::close { lease }.into(),
		Leases::reject { lease }.into(),
		Settlement::accept { escrow }.into(),
		Settlement::contest { escrow, stream, evidence: plan }.into(),
	];
	for call in renters {
		assert_eq!(allowed(call.clone()), [Any, NonTransfer, Renting], "{call:?}");
	}
	let everybodys: [RuntimeCall; 2] = [Leases::poke { lease }.into(), Settlement::settle { escrow }.into()];
	for call in everybodys {
		assert_eq!(allowed(call.clone()), [Any, NonTransfer, Renting, Providing], "{call:?}");
	}
}

#[test]
fn each_call_of_a_provider_is_open_to_the_right_types() {
	use ProxyType::{Any, Bidding, NonTransfer, Providing};
	let (lease, order) = (LeaseId(0), OrderId(0));
	let bidding: [RuntimeCall; 4] = [
		Leases::post_ask { terms: ask(1), lifetime_ms: 1 }.into(),
		Leases::withdraw_ask { ask: AskId(0) }.into(),
		Leases::place_bid { order, price: 1, reclaim_notice_ms: 1 }.into(),
		Leases::withdraw_bid { order }.into(),
	];
	for call in bidding {
		assert_eq!(allowed(call.clone()), [Any, NonTransfer, Providing, Bidding], "{call:?}");
	}
	let others: [RuntimeCall; 3] = [
		Leases::reclaim { lease }.into(),
		Leases::leave { lease }.into(),
		pallet_providers::Call::bond { amount: 1 }.into(),
	];
	for call in others {
		assert_eq!(allowed(call.clone()), [Any, NonTransfer, Providing], "{call:?}");
	}
}

#[test]
fn what_belongs_to_nobody_of_the_market_is_open_to_few() {
	use ProxyType::{Any, NonTransfer, Staking};
	let (lease, escrow) = (LeaseId(0), OrderId(0).into());
	let stream = StreamId(0);
	let payee_share = sp_runtime::Permill::one();
	assert_eq!(allowed(Leases::force_close { lease }), [Any, NonTransfer]);
	assert_eq!(allowed(Settlement::resolve_contest { escrow, stream, payee_share }), [Any, NonTransfer]);
	assert_eq!(allowed(pallet_staking::Call::chill {}), [Any, NonTransfer, Staking]);
	assert_eq!(allowed(pallet_session::Call::purge_keys {}), [Any, NonTransfer, Staking]);
	let (dest, owner) = (Sr25519Keyring::Bob.to_account_id(), Sr25519Keyring::Bob.to_account_id());
	assert_eq!(
		allowed(pallet_balances::Call::transfer_allow_death { dest: dest.clone().into(), value: 1 }),
		[Any]
	);
	// Neither may a narrow proxy hand on what it may do.
	let (delegate, asset) = (dest, Asset::Native);
	let grant = pallet_allowances::Call::grant { delegate, asset, amount: 1, max_rate: 1, lifetime_ms: 1 };
	assert_eq!(allowed(grant), [Any, NonTransfer]);
	let call = Box::new(Leases::close { lease }.into());
	assert_eq!(allowed(pallet_allowances::Call::spend { owner, call }), [Any, NonTransfer]);
}

#[test]
fn a_proxy_cannot_add_a_stronger_one() {
	for mine in TYPES {
		for other in TYPES {
			let expected = match mine {
				ProxyType::Any => true,
				ProxyType::NonTransfer => other != ProxyType::Any,
				ProxyType::Providing => matches!(other, ProxyType::Providing | ProxyType::Bidding),
				_ => other == mine,
			};
			assert_eq!(mine.is_superset(&other), expected, "{mine:?} {other:?}");
		}
	}
}

#[test]
fn a_superset_lets_everything_through_that_its_subset_does() {
	let calls: [RuntimeCall; 4] = [
		Leases::post_ask { terms: ask(1), lifetime_ms: 1 }.into(),
		Leases::withdraw_bid { order: OrderId(0) }.into(),
		Leases::close { lease: LeaseId(0) }.into(),
		pallet_staking::Call::chill {}.into(),
	];
	for mine in TYPES {
		for other in TYPES.into_iter().filter(|other| mine.is_superset(other)) {
			for call in calls.iter().filter(|call| other.filter(call)) {
				assert!(mine.filter(call), "{mine:?} {other:?} {call:?}");
			}
		}
	}
}
