//! What slashes do to the bond.

use super::{add_gpus, endpoint, register_with, signed};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, EraSlashCap, Registry, Test, Timestamp, ALICE, BOB, ED,
		ENDOWMENT, ERA, SMALL, SMALL_BOND, START, UNBONDING, WORKER,
	},
	Error, Event, HoldReason, Providers,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::{
		fungible::{Inspect, MutateFreeze},
		Imbalance,
	},
};
use millrace_primitives::{Balance, BondSlashing, GpuIndex, SlashLimit};
use sp_runtime::Permill;

const BOND: Balance = 10_000;

fn hold(amount: Balance) -> Balance {
	Registry::hold_slash(&ALICE, amount, SlashLimit::Stake).unwrap()
}

fn hold_in_era(amount: Balance) -> Balance {
	Registry::hold_slash(&ALICE, amount, SlashLimit::Era).unwrap()
}

fn pending() -> Balance {
	held(HoldReason::PendingSlash, ALICE)
}

fn with_a_bond(test: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, BOND);
		events();
		test();
	});
}

#[test]
fn what_is_held_returns_or_leaves() {
	with_a_bond(|| {
		let free = Balances::balance(&ALICE);
		let issuance = Balances::total_issuance();
		assert_eq!(hold(1_000), 1_000);
		assert_eq!((pending(), held(HoldReason::Bond, ALICE)), (1_000, 9_000));
		assert_ok!(Registry::return_slash(&ALICE, 300));
		assert_eq!((pending(), held(HoldReason::Bond, ALICE)), (700, 9_300));
		let credit = Registry::take_slash(&ALICE, 200).unwrap();
		assert_eq!(credit.peek(), 200);
		assert_eq!((pending(), held(HoldReason::Bond, ALICE)), (500, 9_300));
		assert_eq!(Balances::balance(&ALICE), free);
		// The credit is the amount itself, not a copy of it.
		drop(credit);
		assert_eq!(Balances::total_issuance(), issuance - 200);
		let record = Providers::<Test>::get(ALICE).unwrap();
		assert_eq!((record.bonded, record.pending_slashes, record.slashed), (9_300, 500, 200));
		assert_eq!(
			events(),
			vec![
				Event::SlashHeld { provider: ALICE, amount: 1_000 },
				Event::SlashReturned { provider: ALICE, amount: 300 },
				Event::SlashTaken { provider: ALICE, amount: 200 },
			]
		);
	});
}

#[test]
fn no_more_returns_or_leaves_than_is_held() {
	with_a_bond(|| {
		hold(100);
		assert_noop!(Registry::return_slash(&ALICE, 101), Error::<Test>::LedgerMismatch);
		assert_noop!(Registry::take_slash(&ALICE, 101).map(drop), Error::<Test>::LedgerMismatch);
		assert_storage_noop!(assert_ok!(Registry::return_slash(&ALICE, 0)));
		assert_noop!(Registry::hold_slash(&BOB, 1, SlashLimit::Stake), Error::<Test>::NotRegistered);
	});
}

/// Trap 2: a slash that the bond does not cover reports what moved, and reports nothing when nothing did.
#[test]
fn trap_2_the_amounts_are_those_that_moved() {
	with_a_bond(|| {
		assert_eq!(hold(BOND + 5), BOND);
		assert_eq!(events(), vec![Event::SlashHeld { provider: ALICE, amount: BOND }]);
		assert_storage_noop!(assert_eq!(hold(5), 0));
		assert_eq!(events(), vec![]);
	});
}

/// Trap 1 and complaint 15: whoever is on the way out pays as whoever stays.
#[test]
fn trap_1_what_is_unbonding_is_still_at_stake() {
	with_a_bond(|| {
		assert_ok!(Registry::unbond(signed(ALICE), 4_000));
		Timestamp::set_timestamp(START + 1);
		assert_ok!(Registry::unbond(signed(ALICE), 5_000));
		// The active bond first, then what leaves first.
		assert_eq!(hold(1_500), 1_500);
		let chunks = || -> Vec<_> {
			Providers::<Test>::get(ALICE).unwrap().unbonding.iter().map(|chunk| chunk.amount).collect()
		};
		assert_eq!(chunks(), [3_500, 5_000]);
		assert_eq!(hold(4_000), 4_000);
		assert_eq!(chunks(), [4_500]);
		// What is held stays held when the rest may be withdrawn.
		Timestamp::set_timestamp(START + 1 + UNBONDING);
		assert_ok!(Registry::withdraw(signed(ALICE)));
		assert_eq!(pending(), 5_500);
	});
}

/// Trap 3: the record outlives what is pending on it.
#[test]
fn trap_3_nobody_leaves_the_registry_with_a_pending_slash() {
	with_a_bond(|| {
		hold(BOND);
		assert_noop!(Registry::deregister(signed(ALICE)), Error::<Test>::SlashPending);
		let again = Registry::register(signed(ALICE), endpoint("ws://a"), *b"IS", 0);
		assert_noop!(again, Error::<Test>::AlreadyRegistered);
		drop(Registry::take_slash(&ALICE, BOND).unwrap());
		assert_ok!(Registry::deregister(signed(ALICE)));
		// Anew, it starts from nothing.
		register_with(ALICE, 1);
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().slashed, 0);
	});
}

#[test]
fn neither_key_rotation_nor_topping_up_nor_a_freeze_changes_what_is_held() {
	with_a_bond(|| {
		hold(700);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		assert_ok!(Registry::bond(signed(ALICE), 10));
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &ALICE, Balance::MAX));
		assert_eq!(pending(), 700);
		assert_eq!(hold(50), 50);
		assert_ok!(Registry::return_slash(&ALICE, 50));
		assert_eq!(Registry::take_slash(&ALICE, 700).unwrap().peek(), 700);
	});
}

#[test]
fn an_account_with_nothing_but_its_bond_is_slashed_all_the_same() {
	build_and_execute(|| {
		let all = ENDOWMENT - crate::mock::DEPOSIT - ED;
		register_with(ALICE, all);
		assert_eq!(Balances::balance(&ALICE), ED);
		assert_eq!(hold(all), all);
		assert_eq!(Registry::take_slash(&ALICE, all).unwrap().peek(), all);
		assert_eq!(Balances::balance(&ALICE), ED);
	});
}

#[test]
fn faults_cost_no_more_than_a_share_of_the_stake_in_one_era() {
	with_a_bond(|| {
		assert_eq!(hold_in_era(600), 600);
		assert_eq!(hold_in_era(600), 400);
		assert_storage_noop!(assert_eq!(hold_in_era(1), 0));
		// More bond does not lift the limit of this era, nor does what is returned.
		assert_ok!(Registry::bond(signed(ALICE), BOND));
		assert_ok!(Registry::return_slash(&ALICE, 1_000));
		assert_eq!(hold_in_era(1), 0);
		// Verdicts know no such limit.
		assert_eq!(hold(5_000), 5_000);
		// The next era looks at what is at stake then.
		Timestamp::set_timestamp(START + ERA);
		assert_eq!(hold_in_era(Balance::MAX), 1_500);
		EraSlashCap::set(Permill::zero());
		Timestamp::set_timestamp(START + 2 * ERA);
		assert_storage_noop!(assert_eq!(hold_in_era(1), 0));
	});
}

#[test]
fn a_slash_leaves_gpus_where_they_are_and_keeps_new_ones_out() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		assert_eq!(hold(1), 1);
		assert_noop!(Registry::add_gpu(signed(ALICE), SMALL, super::uuid(2)), Error::<Test>::BondTooSmall);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
		assert_ok!(Registry::unbond(signed(ALICE), SMALL_BOND - 1));
	});
}

/// Complaint 18: a stake's record that goes with the machine. Here the bond is the account's, whatever comes and goes.
#[test]
fn complaint_18_machines_and_keys_that_come_and_go_leave_the_bond_alone() {
	build_and_execute(|| {
		register_with(ALICE, BOND);
		add_gpus(ALICE, SMALL, [1]);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		hold(600);
		let ledger = || {
			let record = Providers::<Test>::get(ALICE).unwrap();
			(record.bonded, record.pending_slashes, held(HoldReason::Bond, ALICE), pending())
		};
		let before = ledger();
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		// The same card, and the same key.
		add_gpus(ALICE, SMALL, [1]);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		assert_eq!(ledger(), before);
		assert_eq!(Registry::take_slash(&ALICE, 600).unwrap().peek(), 600);
	});
}
