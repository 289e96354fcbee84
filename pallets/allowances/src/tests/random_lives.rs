//! Random lives of a few accounts: the invariants hold after every step, refused steps change nothing, and no delegate commits
//! more than it was granted.

use super::signed;
use crate::{
	mock::{
		build_and_execute, shop, AccountId, RuntimeCall, Test, Timestamp, DELEGATE, DOLLAR, EURO, NOBODY,
		OWNER, START, STRANGER,
	},
	Allowances, Call, Pallet,
};
use frame_support::{assert_storage_noop, traits::UnfilteredDispatchable};
use millrace_primitives::{Asset, Balance};
use proptest::prelude::*;
use std::collections::BTreeMap;

type Step = (AccountId, RuntimeCall, u64);
/// By owner, delegate and asset: what was granted and what was committed, since ever.
type Book = BTreeMap<(AccountId, AccountId, Asset), (Balance, Balance)>;

fn accounts() -> impl Strategy<Value = AccountId> {
	prop_oneof![Just(OWNER), Just(DELEGATE), Just(STRANGER), Just(NOBODY)]
}

fn assets() -> impl Strategy<Value = Asset> {
	prop_oneof![Just(Asset::Native), Just(DOLLAR), Just(EURO)]
}

fn purchases() -> impl Strategy<Value = RuntimeCall> {
	prop_oneof![
		4 => (assets(), 0..200u128, 0..3u128, 0..10u128).prop_map(|(asset, price, deposit, rate)| {
			shop::Call::buy { asset, price, deposit: deposit / 2, rate }.into()
		}),
		2 => (assets(), 0..200u128).prop_map(|(asset, price)| shop::Call::give_back { asset, price }.into()),
		1 => assets().prop_map(|asset| shop::Call::fail { asset }.into()),
		1 => accounts().prop_map(|delegate| Call::revoke { delegate }.into()),
	]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let call = prop_oneof![
		3 => (accounts(), assets(), 0..400u128, 0..10u128, 0..2_000u64).prop_map(
			|(delegate, asset, amount, max_rate, lifetime_ms)| Call::grant { delegate, asset, amount, max_rate, lifetime_ms }
		),
		1 => accounts().prop_map(|delegate| Call::revoke { delegate }),
		1 => accounts().prop_map(|owner| Call::renounce { owner }),
		1 => (accounts(), accounts()).prop_map(|(owner, delegate)| Call::purge { owner, delegate }),
		8 => (accounts(), purchases()).prop_map(|(owner, call)| Call::spend { owner, call: Box::new(call) }),
	];
	proptest::collection::vec((accounts(), call.prop_map(RuntimeCall::from), 0..200u64), 1..80)
}

fn committed(owner: AccountId, asset: Asset) -> Balance {
	shop::Books::<Test>::get(owner, asset)
}

fn take(who: AccountId, call: RuntimeCall, book: &mut Book) {
	// A refused call leaves no trace; an accepted one is made for good.
	if frame_support::hypothetically!(call.clone().dispatch_bypass_filter(signed(who)).is_err()) {
		assert_storage_noop!(assert!(call.dispatch_bypass_filter(signed(who)).is_err()));
		return;
	}
	match call.clone() {
		RuntimeCall::Allowance(Call::grant { delegate, asset, amount, .. }) => {
			if let Some(replaced) = Allowances::<Test>::get(who, delegate) {
				// What was left of it is gone.
				book.entry((who, delegate, replaced.asset)).or_default().0 -= replaced.remaining;
			}
			book.entry((who, delegate, asset)).or_default().0 += amount;
			assert!(call.dispatch_bypass_filter(signed(who)).is_ok());
		}
		RuntimeCall::Allowance(Call::spend { owner, .. }) => {
			let allowance = Allowances::<Test>::get(owner, who).unwrap();
			let all = [Asset::Native, DOLLAR, EURO];
			let before = all.map(|asset| committed(owner, asset));
			assert!(call.dispatch_bypass_filter(signed(who)).is_ok());
			for (asset, before) in all.into_iter().zip(before) {
				let raised = committed(owner, asset).saturating_sub(before);
				assert!(raised == 0 || asset == allowance.asset, "spent another asset");
				book.entry((owner, who, asset)).or_default().1 += raised;
			}
		}
		_ => assert!(call.dispatch_bypass_filter(signed(who)).is_ok()),
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn nobody_commits_more_than_it_was_granted(steps in steps()) {
		build_and_execute(|| {
			let mut book = Book::new();
			let mut now = START;
			for (who, call, wait_ms) in steps {
				now += wait_ms;
				Timestamp::set_timestamp(now);
				take(who, call, &mut book);
				Pallet::<Test>::do_try_state().unwrap();
				for (granted, spent) in book.values() {
					assert!(spent <= granted);
				}
			}
		});
	}
}
