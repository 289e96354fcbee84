//! Every way in which somebody ends a lease, and its last payments.

use super::life::closed;
use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{CloseReason, GpuIndex, GpuState, LeaseId, LeaseStatus, ProviderInspect};
use sp_runtime::DispatchError;

type E = Error<Test>;

#[test]
fn the_renter_closes_in_every_status_and_pays_what_is_attested() {
	for stage in 0..4 {
		ExtBuilder.build_and_execute(|| {
			post(PROVIDER, 8, PRICE);
			let lease = order(RENTER, open_ended(terms(2), 2 * MINUTE));
			let mut billed = 0;
			if stage > 0 {
				attest(lease);
				serve_blocks(lease, 4);
				billed = 4;
			}
			if stage == 2 {
				suspend(lease, PROVIDER);
			}
			if stage == 3 {
				serve_blocks(lease, 76);
				billed = 80;
				assert!(matches!(status(lease), Some(LeaseStatus::Frozen { .. })));
			}
			let close = |who| Leases::close(RuntimeOrigin::signed(who), lease);
			assert_noop!(Leases::close(RuntimeOrigin::none(), lease), DispatchError::BadOrigin);
			assert_noop!(close(PROVIDER), E::NotRenter);
			assert_ok!(close(RENTER));
			assert_eq!(closed(&events()), [(lease, CloseReason::RenterClosed, billed * SLOT)]);
			assert_eq!(Balances::free_balance(RENTER), RICH - 2 * PRICE * u128::from(billed));
			assert_eq!(RegistryGpus::get(PROVIDER, GpuIndex(0)), Some((CLASS, GpuState::Healthy)));
			assert_noop!(close(RENTER), E::UnknownLease);
			assert!(!ProviderLeases::<Test>::contains_key(PROVIDER));
		});
	}
}

#[test]
fn what_is_younger_than_the_contest_window_is_paid_when_that_is_over() {
	ExtBuilder.build_and_execute(|| {
		ContestWindow::set(5 * MINUTE);
		let lease = open_active();
		serve_blocks(lease, 10);
		let before = Balances::free_balance(PROVIDER);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		let Some(Event::LeaseClosed { refunded, pending, .. }) = events().pop() else { panic!("not closed") };
		assert_eq!((refunded, pending), (2 * PRICE * 590, 2 * PRICE * 10));
		// The GPUs are free, the money is not.
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
		assert_eq!((held_of(lease), Balances::free_balance(PROVIDER)), (2 * PRICE * 10, before));
		let poke = || Leases::poke(RuntimeOrigin::signed(STRANGER), lease);
		assert_noop!(poke(), E::NothingDue);
		run_blocks(299);
		assert!(Payments::<Test>::contains_key(lease));
		run_blocks(1);
		assert!(!Payments::<Test>::contains_key(lease));
		assert_eq!((held_of(lease), Balances::free_balance(PROVIDER)), (0, before + 2 * PRICE * 10));
		assert_noop!(poke(), E::UnknownLease);
	});
}

#[test]
fn a_poke_makes_last_payments_that_are_due() {
	ExtBuilder.build_and_execute(|| {
		ContestWindow::set(5 * MINUTE);
		let lease = open_active();
		serve_blocks(lease, 10);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		Now::set(Now::get() + 5 * MINUTE);
		assert_ok!(Leases::poke(RuntimeOrigin::signed(STRANGER), lease));
		assert_eq!((held_of(lease), Payments::<Test>::contains_key(lease)), (0, false));
	});
}

#[test]
fn last_payments_that_somebody_else_made_are_forgotten() {
	ExtBuilder.build_and_execute(|| {
		ContestWindow::set(5 * MINUTE);
		let lease = open_active();
		serve_blocks(lease, 10);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		// As when the renter accepts.
		ContestWindow::set(0);
		TillEscrows::mutate_extant(millrace_primitives::EscrowId::from(lease), |escrow| {
			escrow.pays_at = Some(Now::get());
		});
		assert_ok!(<Till as millrace_primitives::Escrow<_, _>>::finish(lease.into()));
		events();
		run_blocks(300);
		assert_eq!((Payments::<Test>::contains_key(lease), events()), (false, vec![]));
	});
}

#[test]
fn governance_closes_and_nobody_else_does_so() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		for who in [RENTER, PROVIDER, STRANGER] {
			assert_noop!(Leases::force_close(RuntimeOrigin::signed(who), lease), DispatchError::BadOrigin);
		}
		assert_noop!(Leases::force_close(RuntimeOrigin::root(), LeaseId(9)), E::UnknownLease);
		assert_ok!(Leases::force_close(RuntimeOrigin::root(), lease));
		assert_eq!(closed(&events()), [(lease, CloseReason::Governance, 0)]);
	});
}

#[test]
fn a_rejected_lease_costs_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let before = Balances::free_balance(PROVIDER);
		serve_blocks(lease, 179);
		assert_eq!(attested_ms(lease), 179 * SLOT);
		assert_ok!(Leases::reject(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(closed(&events()), [(lease, CloseReason::Rejected, 179 * SLOT)]);
		assert_eq!((Balances::free_balance(RENTER), Balances::free_balance(PROVIDER)), (RICH, before));
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
	});
}

#[test]
fn a_lease_is_rejected_by_its_renter_in_the_acceptance_window_only() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let reject = |who, lease| Leases::reject(RuntimeOrigin::signed(who), lease);
		assert_noop!(Leases::reject(RuntimeOrigin::none(), lease), DispatchError::BadOrigin);
		assert_noop!(reject(RENTER, LeaseId(9)), E::UnknownLease);
		assert_noop!(reject(PROVIDER, lease), E::NotRenter);
		// Not ready yet: it can be closed for nothing.
		assert_noop!(reject(RENTER, lease), E::NotInAcceptanceWindow);
		attest(lease);
		serve_blocks(lease, 180);
		assert_noop!(reject(RENTER, lease), E::NotInAcceptanceWindow);
		Now::set(START + 3 * MINUTE - 1);
		assert_ok!(reject(RENTER, lease));
	});
}

#[test]
fn a_poke_does_what_is_due_and_refuses_otherwise() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_noop!(Leases::poke(RuntimeOrigin::none(), lease), DispatchError::BadOrigin);
		assert_noop!(Leases::poke(RuntimeOrigin::signed(STRANGER), LeaseId(9)), E::UnknownLease);
		Now::set(START + 5 * MINUTE - 1);
		assert_noop!(Leases::poke(RuntimeOrigin::signed(STRANGER), lease), E::NothingDue);
		Now::set(START + 5 * MINUTE);
		assert_ok!(Leases::poke(RuntimeOrigin::signed(STRANGER), lease));
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderNotReady, 0)]);
	});
}

#[test]
fn a_money_move_that_fails_leaves_no_half_a_close() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		submit(lease);
		BrokenEscrows::set(vec![lease.into()]);
		assert_noop!(Leases::close(RuntimeOrigin::signed(RENTER), lease), DispatchError::Unavailable);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		assert_eq!(Leases::jobs(lease).len(), 1);
	});
}
