//! The checks find what they look for.

use super::grant;
use crate::{
	mock::{build_and_execute, Test, DELEGATE, DOLLAR, OWNER, STRANGER},
	Allowances, Granted, Pallet,
};
use frame_support::hypothetically;

/// Breaks the state and expects a complaint that begins like this.
#[track_caller]
fn found(complaint: &str, break_it: impl FnOnce()) {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		hypothetically!({
			break_it();
			let error = format!("{:?}", Pallet::<Test>::do_try_state().unwrap_err());
			assert!(error.contains(complaint), "{error}");
		});
	});
}

#[test]
fn a_deposit_that_is_not_held_is_found() {
	found("1: ", || {
		Allowances::<Test>::mutate(OWNER, DELEGATE, |allowance| allowance.as_mut().unwrap().deposit += 1)
	});
}

#[test]
fn a_wrong_number_is_found() {
	found("2: the number", || Granted::<Test>::insert(OWNER, 2));
	found("2: a number", || Granted::<Test>::insert(STRANGER, 1));
}

#[test]
fn an_own_delegate_is_found() {
	found("3: ", || {
		let allowance = Allowances::<Test>::get(OWNER, DELEGATE).unwrap();
		Allowances::<Test>::insert(OWNER, OWNER, allowance);
	});
}
