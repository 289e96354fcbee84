use super::{add_gpus, register, register_with, signed};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, Registry, RuntimeOrigin, Test, Timestamp, ALICE, BOB,
		DEPOSIT, ED, ENDOWMENT, LARGE, LARGE_BOND, SMALL, SMALL_BOND, START, UNBONDING,
	},
	Chunk, Error, Event, HoldReason, Providers, MAX_UNBONDING_CHUNKS,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, MutateHold},
};
use millrace_primitives::GpuIndex;
use sp_runtime::{ArithmeticError, DispatchError};

fn bonded(who: u64) -> u128 {
	Providers::<Test>::get(who).unwrap().bonded
}

#[test]
fn bonding_holds_and_adds_up() {
	build_and_execute(|| {
		register(ALICE);
		events();
		assert_ok!(Registry::bond(signed(ALICE), 700));
		assert_ok!(Registry::bond(signed(ALICE), 300));
		assert_eq!(bonded(ALICE), 1_000);
		assert_eq!(held(HoldReason::Bond, ALICE), 1_000);
		assert_eq!(Balances::balance(&ALICE), ENDOWMENT - DEPOSIT - 1_000);
		assert_eq!(
			events(),
			vec![
				Event::Bonded { provider: ALICE, amount: 700 },
				Event::Bonded { provider: ALICE, amount: 300 },
			]
		);
	});
}

#[test]
fn bonding_leaves_the_existential_deposit() {
	build_and_execute(|| {
		register(ALICE);
		let most = ENDOWMENT - DEPOSIT - ED;
		assert_noop!(Registry::bond(signed(ALICE), most + 1), Error::<Test>::InsufficientFunds);
		assert_ok!(Registry::bond(signed(ALICE), most));
		assert_noop!(Registry::bond(signed(ALICE), u128::MAX), ArithmeticError::Overflow);
	});
}

#[test]
fn unbonded_funds_stay_on_hold_until_they_are_withdrawn() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		events();
		assert_ok!(Registry::unbond(signed(ALICE), 400));
		let unlocks_at = START + UNBONDING;
		assert_eq!(bonded(ALICE), 600);
		assert_eq!(held(HoldReason::Bond, ALICE), 1_000);
		assert_eq!(Registry::withdrawable(ALICE), Some(0));
		assert_noop!(Registry::withdraw(signed(ALICE)), Error::<Test>::NothingToWithdraw);

		Timestamp::set_timestamp(unlocks_at - 1);
		assert_noop!(Registry::withdraw(signed(ALICE)), Error::<Test>::NothingToWithdraw);
		Timestamp::set_timestamp(unlocks_at);
		assert_eq!(Registry::withdrawable(ALICE), Some(400));
		assert_ok!(Registry::withdraw(signed(ALICE)));
		assert_eq!(held(HoldReason::Bond, ALICE), 600);
		assert_eq!(Balances::balance(&ALICE), ENDOWMENT - DEPOSIT - 600);
		assert_noop!(Registry::withdraw(signed(ALICE)), Error::<Test>::NothingToWithdraw);
		assert_eq!(
			events(),
			vec![
				Event::Unbonded { provider: ALICE, amount: 400, unlocks_at },
				Event::Withdrawn { provider: ALICE, amount: 400 },
			]
		);
	});
}

#[test]
fn withdrawing_takes_what_is_ripe_and_leaves_the_rest() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		assert_ok!(Registry::unbond(signed(ALICE), 100));
		Timestamp::set_timestamp(START + 1);
		assert_ok!(Registry::unbond(signed(ALICE), 20));
		Timestamp::set_timestamp(START + UNBONDING);
		assert_ok!(Registry::withdraw(signed(ALICE)));
		let left = Chunk { amount: 20, unlocks_at: START + UNBONDING + 1 };
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().unbonding.to_vec(), vec![left]);
	});
}

#[test]
fn unbonding_twice_in_a_block_is_one_chunk() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		assert_ok!(Registry::unbond(signed(ALICE), 100));
		assert_ok!(Registry::unbond(signed(ALICE), 20));
		let chunk = Chunk { amount: 120, unlocks_at: START + UNBONDING };
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().unbonding.to_vec(), vec![chunk]);
	});
}

#[test]
fn chunks_are_limited_until_some_are_withdrawn() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		for i in 0..u64::from(MAX_UNBONDING_CHUNKS) {
			Timestamp::set_timestamp(START + i);
			assert_ok!(Registry::unbond(signed(ALICE), 1));
		}
		Timestamp::set_timestamp(START + UNBONDING);
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::TooManyUnbondings);
		assert_ok!(Registry::withdraw(signed(ALICE)));
		assert_ok!(Registry::unbond(signed(ALICE), 1));
	});
}

#[test]
fn the_active_bond_always_covers_the_gpus() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND + LARGE_BOND + 50);
		add_gpus(ALICE, SMALL, [1]);
		add_gpus(ALICE, LARGE, [2]);
		assert_eq!(Registry::required_bond(ALICE), Some(SMALL_BOND + LARGE_BOND));
		assert_noop!(Registry::unbond(signed(ALICE), 51), Error::<Test>::BondInUse);
		assert_ok!(Registry::unbond(signed(ALICE), 50));
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::BondInUse);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(1)));
		assert_ok!(Registry::unbond(signed(ALICE), LARGE_BOND));
		// What is unbonding covers nothing.
		assert_noop!(Registry::add_gpu(signed(ALICE), LARGE, super::uuid(2)), Error::<Test>::BondTooSmall);
	});
}

#[test]
fn nobody_unbonds_more_than_is_active() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		assert_noop!(Registry::unbond(signed(ALICE), 1_001), Error::<Test>::NotBonded);
		assert_ok!(Registry::unbond(signed(ALICE), 1_000));
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::NotBonded);
	});
}

#[test]
fn a_lock_time_that_does_not_exist_is_refused() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		Timestamp::set_timestamp(u64::MAX);
		assert_noop!(Registry::unbond(signed(ALICE), 1), ArithmeticError::Overflow);
	});
}

#[test]
fn nothing_is_no_amount_and_strangers_have_no_bond() {
	build_and_execute(|| {
		register(ALICE);
		assert_noop!(Registry::bond(signed(ALICE), 0), Error::<Test>::ZeroAmount);
		assert_noop!(Registry::unbond(signed(ALICE), 0), Error::<Test>::ZeroAmount);
		assert_noop!(Registry::bond(signed(BOB), 1), Error::<Test>::NotRegistered);
		assert_noop!(Registry::unbond(signed(BOB), 1), Error::<Test>::NotRegistered);
		assert_noop!(Registry::withdraw(signed(BOB)), Error::<Test>::NotRegistered);
		assert_noop!(Registry::bond(RuntimeOrigin::root(), 1), DispatchError::BadOrigin);
		assert_noop!(Registry::unbond(RuntimeOrigin::root(), 1), DispatchError::BadOrigin);
		assert_noop!(Registry::withdraw(RuntimeOrigin::root()), DispatchError::BadOrigin);
		assert_eq!(Registry::required_bond(BOB), None);
		assert_eq!(Registry::withdrawable(BOB), None);
	});
}

#[test]
fn a_release_that_would_fall_short_changes_nothing() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		assert_ok!(Registry::unbond(signed(ALICE), 1_000));
		Timestamp::set_timestamp(START + UNBONDING);
		frame_support::hypothetically!({
			// As if by somebody else's defect.
			let reason = HoldReason::Bond.into();
			assert_ok!(Balances::burn_held(
				&reason,
				&ALICE,
				1,
				frame_support::traits::tokens::Precision::Exact,
				frame_support::traits::tokens::Fortitude::Force
			));
			assert_noop!(Registry::withdraw(signed(ALICE)), sp_runtime::TokenError::FundsUnavailable);
		});
	});
}
