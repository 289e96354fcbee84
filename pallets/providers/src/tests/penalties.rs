//! What leaving a lease early costs.

use super::{add_gpus, register_with, signed, uuid};
use crate::{
	mock::{
		build_and_execute, events, held, AccountId, Balances, Registry, Test, ALICE, BOB, CPU, ED, ENDOWMENT,
		LARGE, SMALL, SMALL_BOND,
	},
	Classes, Error, Event, HoldReason, Providers,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::fungible::{Inspect, MutateFreeze},
};
use millrace_primitives::{Balance, ClassId, GpuIndex, GpuReservation, LeaseId};
use sp_runtime::{ArithmeticError, DispatchError};

/// Has no account.
const NOBODY: AccountId = 77;
/// A fifth of the bond of one small GPU.
const FIFTH: Balance = SMALL_BOND / 5;

fn bonded() -> Balance {
	Providers::<Test>::get(ALICE).unwrap().bonded
}

fn leave(gpus: u32, amount: Balance) -> Result<Balance, DispatchError> {
	Registry::leaving_penalty(&ALICE, SMALL, gpus, amount, &BOB)
}

/// A provider with two small GPUs and a bond for just these.
fn with_two_gpus(test: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, 2 * SMALL_BOND);
		add_gpus(ALICE, SMALL, [1, 2]);
		events();
		test();
	});
}

#[test]
fn a_penalty_moves_from_the_bond_to_the_renter() {
	with_two_gpus(|| {
		assert_eq!(leave(1, 150), Ok(150));
		assert_eq!(bonded(), 2 * SMALL_BOND - 150);
		assert_eq!(held(HoldReason::Bond, ALICE), 2 * SMALL_BOND - 150);
		assert_eq!(Balances::balance(&BOB), ENDOWMENT + 150);
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().penalties, 150);
		let paid = Event::LeavingPenaltyPaid { provider: ALICE, renter: BOB, amount: 150 };
		assert_eq!(events(), vec![paid]);
	});
}

#[test]
fn at_most_a_fifth_of_the_lease_s_bond_is_taken() {
	with_two_gpus(|| {
		assert_eq!(leave(1, FIFTH + 1), Ok(FIFTH));
		assert_eq!(leave(2, Balance::MAX), Ok(2 * FIFTH));
		assert_eq!(bonded(), 2 * SMALL_BOND - 3 * FIFTH);
		// Rounded down.
		Classes::<Test>::mutate(LARGE, |class| class.as_mut().unwrap().min_bond = 504);
		assert_eq!(Registry::leaving_penalty(&ALICE, LARGE, 1, Balance::MAX, &BOB), Ok(100));
	});
}

#[test]
fn at_most_the_active_bond_is_taken() {
	build_and_execute(|| {
		register_with(ALICE, 300);
		assert_ok!(Registry::unbond(signed(ALICE), 200));
		assert_eq!(leave(1, Balance::MAX), Ok(100));
		assert_eq!(bonded(), 0);
		// What is unbonding is left.
		assert_eq!(held(HoldReason::Bond, ALICE), 200);
		events();
		assert_storage_noop!(assert_eq!(leave(1, Balance::MAX), Ok(0)));
	});
}

#[test]
fn nothing_to_pay_is_no_event() {
	with_two_gpus(|| {
		assert_storage_noop!(assert_eq!(leave(1, 0), Ok(0)));
		assert_storage_noop!(assert_eq!(leave(0, 100), Ok(0)));
		// A class without a bond.
		assert_storage_noop!(assert_eq!(Registry::leaving_penalty(&ALICE, CPU, 1, 100, &BOB), Ok(0)));
	});
}

#[test]
fn a_renter_that_cannot_receive_it_gets_nothing_and_nothing_moves() {
	with_two_gpus(|| {
		let to_nobody = |amount| Registry::leaving_penalty(&ALICE, SMALL, 1, amount, &NOBODY);
		assert_storage_noop!(assert_eq!(to_nobody(ED - 1), Ok(0)));
		assert_eq!(to_nobody(ED), Ok(ED));
		assert_eq!(Balances::balance(&NOBODY), ED);
	});
}

#[test]
fn a_freeze_does_not_protect_the_bond() {
	with_two_gpus(|| {
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &ALICE, Balance::MAX));
		assert_eq!(leave(1, 100), Ok(100));
	});
}

#[test]
fn a_bond_that_a_penalty_made_too_small_adds_no_gpu_and_is_not_released() {
	with_two_gpus(|| {
		assert_eq!(leave(1, 1), Ok(1));
		assert_noop!(Registry::add_gpu(signed(ALICE), SMALL, uuid(3)), Error::<Test>::BondTooSmall);
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::BondInUse);
		// The GPUs stay, and those that the bond covers can be leased.
		assert_noop!(Registry::reserve(&ALICE, SMALL, 2, LeaseId(1)), Error::<Test>::NotEnoughFreeBond);
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LeaseId(1)));
		Registry::release(&ALICE, &[GpuIndex(0)], LeaseId(1));
		// Bonding more or removing GPUs puts it right.
		assert_ok!(Registry::bond(signed(ALICE), SMALL_BOND + 1));
		assert_ok!(Registry::add_gpu(signed(ALICE), SMALL, uuid(3)));
		assert_eq!(leave(1, 1), Ok(1));
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
		assert_ok!(Registry::unbond(signed(ALICE), SMALL_BOND - 1));
	});
}

#[test]
fn strangers_unknown_classes_and_bonds_that_do_not_fit_are_refused() {
	with_two_gpus(|| {
		let leave = |provider, class, gpus| Registry::leaving_penalty(&provider, class, gpus, 1, &ALICE);
		assert_noop!(leave(BOB, SMALL, 1), Error::<Test>::NotRegistered);
		assert_noop!(leave(ALICE, ClassId(9), 1), Error::<Test>::UnknownClass);
		Classes::<Test>::mutate(LARGE, |class| class.as_mut().unwrap().min_bond = Balance::MAX);
		assert_noop!(leave(ALICE, LARGE, 2), ArithmeticError::Overflow);
	});
}
