use super::{attest_and_mature, open_in, settle};
use crate::{
	mock::{
		balance, build_and_execute, events, RuntimeOrigin, Settlement, Test, DOLLAR, ENDOWMENT, OTHER,
		PROVIDER, RENTER,
	},
	Error, Event,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Asset, Escrow, EscrowId};
use sp_runtime::DispatchError;

#[test]
fn the_native_token_is_always_allowed() {
	build_and_execute(|| {
		assert!(<Settlement as Escrow<_, _>>::is_allowed(Asset::Native));
		assert!(<Settlement as Escrow<_, _>>::is_allowed(DOLLAR));
		assert!(!<Settlement as Escrow<_, _>>::is_allowed(Asset::Token(OTHER)));
	});
}

#[test]
fn the_council_allows_and_disallows() {
	build_and_execute(|| {
		assert_ok!(Settlement::allow_asset(RuntimeOrigin::root(), OTHER));
		assert!(<Settlement as Escrow<_, _>>::is_allowed(Asset::Token(OTHER)));
		assert_noop!(Settlement::allow_asset(RuntimeOrigin::root(), OTHER), Error::<Test>::AssetAllowed);
		assert_ok!(Settlement::disallow_asset(RuntimeOrigin::root(), OTHER));
		assert!(!<Settlement as Escrow<_, _>>::is_allowed(Asset::Token(OTHER)));
		assert_noop!(
			Settlement::disallow_asset(RuntimeOrigin::root(), OTHER),
			Error::<Test>::AssetNotAllowed
		);
		assert_eq!(
			events(),
			vec![Event::AssetAllowed { asset: OTHER }, Event::AssetDisallowed { asset: OTHER }]
		);
	});
}

#[test]
fn an_asset_that_does_not_exist_cannot_be_allowed() {
	build_and_execute(|| {
		assert_noop!(Settlement::allow_asset(RuntimeOrigin::root(), 99), Error::<Test>::UnknownAsset);
	});
}

#[test]
fn nobody_but_the_council_decides_on_assets() {
	build_and_execute(|| {
		let origin = RuntimeOrigin::signed(RENTER);
		assert_noop!(Settlement::allow_asset(origin.clone(), OTHER), DispatchError::BadOrigin);
		assert_noop!(Settlement::disallow_asset(origin, 1), DispatchError::BadOrigin);
	});
}

#[test]
fn a_running_escrow_keeps_its_asset() {
	build_and_execute(|| {
		open_in(DOLLAR, PROVIDER, 1_000);
		assert_ok!(Settlement::disallow_asset(RuntimeOrigin::root(), 1));
		assert_noop!(Settlement::open(EscrowId(8), &RENTER, DOLLAR, 1), Error::<Test>::AssetNotAllowed);
		assert_ok!(Settlement::top_up(super::ID, 1_000));
		attest_and_mature(2_000);
		settle();
		assert_eq!(balance(DOLLAR, PROVIDER), ENDOWMENT + 1_960);
	});
}
