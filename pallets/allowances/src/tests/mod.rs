//! Tests by topic.

mod granting;
mod random_lives;
mod spending;
mod try_state;

use crate::{
	mock::{AccountId, Allowance, RuntimeOrigin, Test, DELEGATE, OWNER},
	Allowances,
};
use frame_support::assert_ok;
use millrace_primitives::{Asset, Balance};

fn signed(who: AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who)
}

/// The owner lets the delegate spend for ten seconds.
fn grant(asset: Asset, amount: Balance, max_rate: Balance) {
	assert_ok!(Allowance::grant(signed(OWNER), DELEGATE, asset, amount, max_rate, 10_000));
}

/// What is left of it.
fn remaining() -> Option<Balance> {
	Allowances::<Test>::get(OWNER, DELEGATE).map(|allowance| allowance.remaining)
}
