//! The insurance pool pays.

use crate::{mock::*, Error, Event};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::Balance;
use sp_runtime::{DispatchError, DispatchResult, TokenError};

fn pay(to: AccountId, amount: Balance) -> DispatchResult {
	Slashing::pay_from_insurance(RuntimeOrigin::root(), to, amount)
}

#[test]
fn the_pool_pays_what_it_has_and_stays_alive() {
	build_and_execute(|| {
		assert_noop!(pay(RENTER, ENDOWMENT - ED + 1), Error::<Test>::InsufficientInsurance);
		assert_ok!(pay(RENTER, 5));
		assert_ok!(pay(RENTER, ENDOWMENT - ED - 5));
		assert_eq!((balance(POOL), balance(RENTER)), (ED, 2 * ENDOWMENT - ED));
		assert_eq!(events()[0], Event::InsurancePaid { to: RENTER, amount: 5 });
		assert_noop!(pay(RENTER, 1), Error::<Test>::InsufficientInsurance);
	});
}

#[test]
fn an_account_that_cannot_receive_gets_nothing() {
	build_and_execute(|| {
		assert_noop!(pay(NOBODY, ED - 1), TokenError::BelowMinimum);
		assert_ok!(pay(NOBODY, ED));
	});
}

#[test]
fn only_the_council_pays() {
	build_and_execute(|| {
		for origin in [RuntimeOrigin::signed(RENTER), RuntimeOrigin::signed(POOL), RuntimeOrigin::none()] {
			let call = Slashing::pay_from_insurance(origin, RENTER, 1);
			assert_noop!(call, DispatchError::BadOrigin);
		}
	});
}
