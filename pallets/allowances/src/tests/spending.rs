//! Spending: what is allowed, what it costs, and that a refused call leaves no trace.

use super::{grant, remaining, signed};
use crate::{
	mock::{
		build_and_execute, events, shop, Allowance, RuntimeCall, Test, Timestamp, DELEGATE, DOLLAR, EURO,
		OWNER, START, STRANGER,
	},
	Call, Error, Event, WeightInfo,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::{GetDispatchInfo, PostDispatchInfo},
	weights::Weight,
};
use millrace_primitives::{Asset, Balance};
use sp_runtime::{DispatchError, DispatchErrorWithPostInfo};

fn buy(asset: Asset, price: Balance, rate: Balance) -> RuntimeCall {
	shop::Call::buy { asset, price, deposit: 0, rate }.into()
}

fn give_back(asset: Asset, price: Balance) -> RuntimeCall {
	shop::Call::give_back { asset, price }.into()
}

fn spend(call: RuntimeCall) -> Result<PostDispatchInfo, DispatchErrorWithPostInfo<PostDispatchInfo>> {
	Allowance::spend(signed(DELEGATE), OWNER, Box::new(call))
}

/// Expects that the call is refused for this reason, without a trace.
#[track_caller]
fn refused(call: RuntimeCall, error: impl Into<DispatchError>) {
	let error = error.into();
	frame_support::assert_storage_noop!(assert_eq!(spend(call).unwrap_err().error, error));
}

fn committed(asset: Asset) -> Balance {
	shop::Books::<Test>::get(OWNER, asset)
}

#[test]
fn what_a_call_commits_is_deducted_and_comes_from_the_owner() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		events();
		assert_ok!(spend(buy(DOLLAR, 120, 7)));
		assert_eq!((remaining(), committed(DOLLAR)), (Some(380), 120));
		assert_eq!(shop::Books::<Test>::get(DELEGATE, DOLLAR), 0);
		let spent = Event::Spent { owner: OWNER, delegate: DELEGATE, amount: 120, remaining: 380 };
		assert_eq!(events(), [spent]);
	});
}

#[test]
fn an_allowance_can_be_used_up_to_the_last_unit_and_not_beyond() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		refused(buy(DOLLAR, 501, 7), Error::<Test>::AllowanceExceeded);
		assert_ok!(spend(buy(DOLLAR, 500, 7)));
		assert_eq!(remaining(), Some(0));
		refused(buy(DOLLAR, 1, 7), Error::<Test>::AllowanceExceeded);
		// What costs nothing can still be done.
		assert_ok!(spend(give_back(DOLLAR, 100)));
	});
}

#[test]
fn a_refund_never_restores_an_allowance() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		assert_ok!(spend(buy(DOLLAR, 300, 1)));
		assert_ok!(spend(give_back(DOLLAR, 300)));
		assert_eq!((remaining(), committed(DOLLAR)), (Some(200), 0));
		refused(buy(DOLLAR, 201, 1), Error::<Test>::AllowanceExceeded);
	});
}

#[test]
fn the_rate_is_limited_per_order() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		refused(buy(DOLLAR, 1, 8), Error::<Test>::RateTooHigh);
		assert_ok!(spend(buy(DOLLAR, 1, 7)));
		assert_ok!(spend(buy(DOLLAR, 1, 7)));
	});
}

#[test]
fn another_asset_cannot_be_spent() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		refused(buy(EURO, 1, 1), Error::<Test>::OtherAsset);
		// Neither openly nor beside what is allowed.
		refused(buy(EURO, 1, 0), Error::<Test>::OtherAsset);
		refused(
			shop::Call::buy { asset: DOLLAR, price: 1, deposit: 1, rate: 1 }.into(),
			Error::<Test>::OtherAsset,
		);
		// What comes back in another asset is none of its business.
		shop::Books::<Test>::insert(OWNER, EURO, 50);
		assert_ok!(spend(give_back(EURO, 20)));
		assert_eq!((remaining(), committed(EURO)), (Some(500), 30));
	});
}

#[test]
fn deposits_count_where_the_allowance_is_in_the_native_token() {
	build_and_execute(|| {
		grant(Asset::Native, 500, 7);
		assert_ok!(spend(shop::Call::buy { asset: Asset::Native, price: 10, deposit: 5, rate: 1 }.into()));
		assert_eq!(remaining(), Some(485));
	});
}

#[test]
fn only_the_delegate_can_spend_and_only_in_time() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		let call = || Box::new(buy(DOLLAR, 1, 1));
		for (who, owner) in [(STRANGER, OWNER), (OWNER, OWNER), (OWNER, DELEGATE), (DELEGATE, STRANGER)] {
			let result = Allowance::spend(signed(who), owner, call());
			assert_eq!(result.unwrap_err().error, Error::<Test>::NoAllowance.into());
		}
		Timestamp::set_timestamp(START + 9_999);
		assert_ok!(spend(buy(DOLLAR, 1, 1)));
		Timestamp::set_timestamp(START + 10_000);
		refused(buy(DOLLAR, 1, 1), Error::<Test>::AllowanceExpired);
		refused(give_back(DOLLAR, 1), Error::<Test>::AllowanceExpired);
	});
}

#[test]
fn calls_off_the_list_cannot_be_made() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		let transfer = pallet_balances::Call::transfer_allow_death { dest: DELEGATE, value: 1 };
		refused(transfer.into(), Error::<Test>::CallNotAllowed);
		let nested = Call::spend { owner: OWNER, call: Box::new(buy(DOLLAR, 1, 1)) };
		refused(nested.into(), Error::<Test>::CallNotAllowed);
		let more = Call::grant { delegate: STRANGER, asset: DOLLAR, amount: 1, max_rate: 1, lifetime_ms: 1 };
		refused(more.into(), Error::<Test>::CallNotAllowed);
	});
}

#[test]
fn a_call_that_fails_gives_its_own_error_and_costs_nothing() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		refused(shop::Call::fail { asset: DOLLAR }.into(), shop::Error::<Test>::SoldOut);
		assert_eq!((remaining(), committed(DOLLAR)), (Some(500), 0));
	});
}

#[test]
fn an_allowance_that_its_own_call_ends_is_not_spent() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		refused(Call::revoke { delegate: DELEGATE }.into(), Error::<Test>::NoAllowance);
		assert_noop!(Allowance::revoke(signed(OWNER), STRANGER), Error::<Test>::NoAllowance);
	});
}

#[test]
fn the_call_is_weighed_before_and_after() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		let own = <() as WeightInfo>::spend();
		let weight = |call: RuntimeCall| {
			let info =
				RuntimeCall::from(Call::spend { owner: OWNER, call: Box::new(call) }).get_dispatch_info();
			info.call_weight
		};
		assert_eq!(weight(give_back(DOLLAR, 1)), own + Weight::from_parts(900, 10));
		let after = spend(give_back(DOLLAR, 1)).unwrap().actual_weight;
		assert_eq!(after, Some(own + Weight::from_parts(400, 10)));
		// A call that is not made is not paid for.
		let after = spend(buy(DOLLAR, 1, 8)).unwrap_err().post_info.actual_weight;
		assert_eq!(after, Some(own));
		let after = spend(buy(DOLLAR, 501, 7)).unwrap_err().post_info.actual_weight;
		assert_eq!(after, Some(own + Weight::from_parts(1_000, 10)));
		let after = spend(shop::Call::fail { asset: DOLLAR }.into()).unwrap_err().post_info.actual_weight;
		assert_eq!(after, Some(own + Weight::from_parts(1_000, 10)));
	});
}
