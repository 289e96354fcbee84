//! Proxies can do what their type says and nothing else.

use frame_support::traits::InstanceFilter;
use millrace_primitives::{AskId, ClassId, Hash, LeaseId};
use millrace_runtime::{configs::operations::ProxyType, RuntimeCall};
use pallet_leases::{Call as Leases, OrderTerms};
use sp_keyring::Sr25519Keyring;

const TYPES: [ProxyType; 5] =
	[ProxyType::Any, ProxyType::NonTransfer, ProxyType::Renting, ProxyType::Providing, ProxyType::Staking];

/// Which of the five types let a call through.
fn allowed(call: impl Into<RuntimeCall>) -> Vec<ProxyType> {
	let call = call.into();
	TYPES.into_iter().filter(|proxy| proxy.filter(&call)).collect()
}

#[test]
fn each_call_is_open_to_the_right_types() {
	use ProxyType::{Any, NonTransfer, Providing, Renting, Staking};
	let order = OrderTerms { class: ClassId(0), gpus: 1, max_price: 1, term_ms: 1 };
	let lease = LeaseId(0);
	let ask = AskId(0);
	let (min_term_ms, max_term_ms, lifetime_ms) = (1, 1, 1);
	let class = ClassId(0);

	assert_eq!(allowed(Leases::place_order { order, plan: None }), [Any, NonTransfer, Renting]);
	assert_eq!(allowed(Leases::submit_job { lease, plan: Hash::zero() }), [Any, NonTransfer, Renting]);
	assert_eq!(allowed(Leases::extend { lease, extra_ms: 1 }), [Any, NonTransfer, Renting]);
	assert_eq!(allowed(Leases::close { lease }), [Any, NonTransfer, Renting]);
	assert_eq!(allowed(Leases::poke { lease }), [Any, NonTransfer, Renting, Providing]);
	assert_eq!(allowed(Leases::withdraw_ask { ask }), [Any, NonTransfer, Providing]);
	let post_ask = Leases::post_ask { class, gpus: 1, price: 1, min_term_ms, max_term_ms, lifetime_ms };
	assert_eq!(allowed(post_ask), [Any, NonTransfer, Providing]);
	assert_eq!(allowed(Leases::force_close { lease }), [Any, NonTransfer]);
	assert_eq!(allowed(pallet_providers::Call::bond { amount: 1 }), [Any, NonTransfer, Providing]);
	let settle = pallet_settlement::Call::settle { escrow: lease.into() };
	assert_eq!(allowed(settle), [Any, NonTransfer, Renting, Providing]);
	assert_eq!(allowed(pallet_staking::Call::chill {}), [Any, NonTransfer, Staking]);
	assert_eq!(allowed(pallet_session::Call::purge_keys {}), [Any, NonTransfer, Staking]);
	let dest = Sr25519Keyring::Bob.to_account_id().into();
	assert_eq!(allowed(pallet_balances::Call::transfer_allow_death { dest, value: 1 }), [Any]);
}

#[test]
fn a_proxy_cannot_add_a_stronger_one() {
	for mine in TYPES {
		for other in TYPES {
			let expected = match mine {
				ProxyType::Any => true,
				ProxyType::NonTransfer => other != ProxyType::Any,
				_ => other == mine,
			};
			assert_eq!(mine.is_superset(&other), expected, "{mine:?} {other:?}");
		}
	}
}
