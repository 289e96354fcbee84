//! What leases lock of the bond.

use super::{add_gpus, register_with, signed, uuid};
use crate::{
	mock::{build_and_execute, held, Registry, Test, ALICE, BOB, CPU, LARGE, LARGE_BOND, SMALL, SMALL_BOND},
	Error, HoldReason, LeaseBonds, Providers,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	Balance, BondSlashing, GpuIndex, GpuReservation, LeaseId, ProviderInspect, SlashLimit,
};

const LEASE: LeaseId = LeaseId(1);
const OTHER_LEASE: LeaseId = LeaseId(2);
const BOND: Balance = 2 * SMALL_BOND + LARGE_BOND;

/// A provider with the small GPUs 0 and 1, the large one 2, and a bond for just these.
fn with_three_gpus(test: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, BOND);
		add_gpus(ALICE, SMALL, [1, 2]);
		add_gpus(ALICE, LARGE, [3]);
		test();
	});
}

#[test]
fn a_lease_locks_the_minimum_bond_of_its_gpus_and_gives_it_back() {
	with_three_gpus(|| {
		assert_eq!(Registry::free_bond(ALICE), Some(BOND));
		assert_ok!(Registry::reserve(&ALICE, SMALL, 2, LEASE));
		assert_ok!(Registry::reserve(&ALICE, LARGE, 1, OTHER_LEASE));
		assert_eq!(Registry::lease_bond(&ALICE, LEASE), 2 * SMALL_BOND);
		assert_eq!(Registry::lease_bonds(&ALICE), BOND);
		assert_eq!(Registry::free_bond(ALICE), Some(0));
		// It is a claim on the bond: nothing moved.
		assert_eq!(held(HoldReason::Bond, ALICE), BOND);
		Registry::release(&ALICE, &[GpuIndex(0), GpuIndex(1)], LEASE);
		assert_eq!(Registry::lease_bond(&ALICE, LEASE), 0);
		assert_eq!(Registry::free_bond(ALICE), Some(2 * SMALL_BOND));
		Registry::release(&ALICE, &[GpuIndex(2)], OTHER_LEASE);
		assert_eq!(LeaseBonds::<Test>::iter().count(), 0);
		assert_eq!(Registry::lease_bonds(&ALICE), 0);
	});
}

#[test]
fn without_free_bond_there_is_no_lease() {
	with_three_gpus(|| {
		assert_ok!(Registry::hold_slash(&ALICE, BOND - SMALL_BOND, SlashLimit::Stake));
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 1);
		assert_eq!(Registry::free_gpus(&ALICE, LARGE), 0);
		assert_noop!(Registry::reserve(&ALICE, LARGE, 1, LEASE), Error::<Test>::NotEnoughFreeBond);
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LEASE));
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 0);
		assert_noop!(Registry::reserve(&ALICE, SMALL, 1, OTHER_LEASE), Error::<Test>::NotEnoughFreeBond);
		// Topping up brings the GPUs back, and erases nothing of what is pending.
		assert_ok!(Registry::bond(signed(ALICE), LARGE_BOND));
		assert_eq!(Registry::free_gpus(&ALICE, LARGE), 1);
		assert_eq!(held(HoldReason::PendingSlash, ALICE), BOND - SMALL_BOND);
	});
}

#[test]
fn a_class_without_a_minimum_bond_locks_nothing() {
	build_and_execute(|| {
		register_with(ALICE, 1);
		add_gpus(ALICE, CPU, [1]);
		assert_eq!(Registry::free_gpus(&ALICE, CPU), 1);
		assert_ok!(Registry::reserve(&ALICE, CPU, 1, LEASE));
		assert_eq!(Registry::lease_bonds(&ALICE), 0);
	});
}

#[test]
fn a_bond_that_is_locked_cannot_be_taken_out() {
	with_three_gpus(|| {
		assert_ok!(Registry::reserve(&ALICE, SMALL, 2, LEASE));
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::BondInUse);
		assert_noop!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)), Error::<Test>::GpuIsLeased);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(2)));
		assert_ok!(Registry::unbond(signed(ALICE), LARGE_BOND));
		assert_noop!(Registry::unbond(signed(ALICE), 1), Error::<Test>::BondInUse);
	});
}

#[test]
fn a_refused_reservation_locks_nothing() {
	with_three_gpus(|| {
		assert_noop!(Registry::reserve(&ALICE, SMALL, 3, LEASE), Error::<Test>::NotEnoughGpus);
		assert_noop!(Registry::reserve(&BOB, SMALL, 1, LEASE), Error::<Test>::NotEnoughGpus);
		assert_eq!(Registry::lease_bonds(&ALICE), 0);
		assert_eq!(Registry::lease_bonds(&BOB), 0);
		// Nor does a GPU that is added need less because another one is leased.
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LEASE));
		assert_noop!(Registry::add_gpu(signed(ALICE), SMALL, uuid(9)), Error::<Test>::BondTooSmall);
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().free_bond(), BOND - SMALL_BOND);
	});
}
