//! Attestation, suspension, extension, and every way to end.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::OrderTerms,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskId, CloseReason, EscrowId, GpuIndex, GpuState, Hash, LeaseAttestation, LeaseId, LeaseInspect,
	LeaseStatus, ProviderInspect,
};
use sp_runtime::{
	traits::{BlakeTwo256, Hash as _},
	DispatchError,
};

type E = Error<Test>;

fn closed(events: &[Event<Test>]) -> Vec<(LeaseId, CloseReason, u64, u128)> {
	events
		.iter()
		.filter_map(|event| match event {
			Event::LeaseClosed { lease, reason, attested_ms, deposited, paid, fee, refunded, .. } => {
				assert_eq!(paid + fee + refunded, *deposited);
				Some((*lease, *reason, *attested_ms, paid + fee))
			}
			_ => None,
		})
		.collect()
}

#[test]
fn the_first_attestation_starts_the_term_and_bills_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		run_blocks(5);
		events();
		attest(lease);
		let ends_at = START + 5 * SLOT + 10 * MINUTE;
		let usage_chain = BlakeTwo256::hash_of(&(Hash::zero(), usage(lease), Now::get()));
		assert_eq!(
			events(),
			vec![
				Event::LeaseReady { lease, after_ms: 5 * SLOT, ends_at },
				Event::LeaseAttested { lease, ms: 0, busy_ms: 7, usage_chain },
			]
		);
		assert_eq!(record(lease).ends_at, Some(ends_at));
		assert_eq!(attested_ms(lease), 0);
	});
}

#[test]
fn attested_time_is_billed_and_chained() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let before = record(lease).usage_chain;
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		let usage_chain = BlakeTwo256::hash_of(&(before, usage(lease), Now::get()));
		assert_eq!(record(lease).usage_chain, usage_chain);
		// Twice at the same time adds nothing.
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 20 * SLOT);
		assert_eq!(<Leases as LeaseInspect<_>>::attested_at(lease), Some(Now::get()));
	});
}

#[test]
fn an_interval_of_the_window_is_billed_and_a_longer_one_is_not() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		Now::set(Now::get() + WINDOW);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW);
		Now::set(Now::get() + WINDOW + 1);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW);
		// Service has restarted there.
		run_blocks(1);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW + SLOT);
	});
}

#[test]
fn without_each_gpu_healthy_nothing_is_attested() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		// One of two, none, others.
		for healthy in [&[GpuIndex(0)][..], &[], &[GpuIndex(0), GpuIndex(2)]] {
			assert_ok!(Leases::attest(&usage(lease), healthy, Now::get(), WINDOW));
			assert_eq!(status(lease), Some(LeaseStatus::Pending));
		}
		attest(lease);
		run_blocks(5);
		events();
		assert_ok!(Leases::attest(&usage(lease), &[GpuIndex(1)], Now::get(), WINDOW));
		assert_eq!((attested_ms(lease), events()), (0, vec![]));
		assert_noop!(Leases::attest(&usage(LeaseId(9)), &[], Now::get(), WINDOW), E::UnknownLease);
	});
}

#[test]
fn suspension_stops_the_bill_until_the_provider_is_back() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		run_blocks(10);
		attest(lease);
		run_blocks(15);
		events();
		// WHEN
		assert_ok!(Leases::suspend(lease, Now::get()));
		// THEN
		let attested_at = START + 10 * SLOT;
		assert_eq!(events(), vec![Event::LeaseSuspended { lease, attested_at }]);
		let since = START + 25 * SLOT;
		assert_eq!(status(lease), Some(LeaseStatus::Suspended { since }));
		// A second time changes nothing.
		assert_ok!(Leases::suspend(lease, Now::get() + 5));
		assert_eq!(status(lease), Some(LeaseStatus::Suspended { since }));
		// Back inside the window: the gap is not billed all the same.
		run_blocks(2);
		events();
		attest(lease);
		assert_eq!(events()[0], Event::LeaseResumed { lease, dark_ms: 17 * SLOT });
		assert_eq!(attested_ms(lease), 10 * SLOT);
		run_blocks(3);
		attest(lease);
		assert_eq!(attested_ms(lease), 13 * SLOT);
		assert_noop!(Leases::suspend(LeaseId(9), 0), E::UnknownLease);
	});
}

#[test]
fn a_pending_lease_is_not_suspended() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_ok!(Leases::suspend(lease, Now::get()));
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
	});
}

#[test]
fn the_last_report_bills_up_to_the_end_and_the_agenda_closes() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, OrderTerms { term_ms: 15 * SLOT, ..terms(2) });
		attest(lease);
		run_blocks(10);
		attest(lease);
		// The term is over after five more; the report comes at the seventh.
		run_blocks(7);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		attest(lease);
		assert_eq!(attested_ms(lease), 15 * SLOT);
		// Another one adds nothing.
		events();
		attest(lease);
		assert_eq!(events(), vec![]);
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 15 * SLOT, 2 * PRICE * 15)]);
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().left, 8);
	});
}

#[test]
fn without_a_last_report_the_rest_is_not_billed() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, OrderTerms { term_ms: 15 * SLOT, ..terms(2) });
		attest(lease);
		run_blocks(10);
		attest(lease);
		// It waits for the window after the end, and not a block longer.
		run_blocks(5 + 19);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 10 * SLOT, 2 * PRICE * 10)]);
	});
}

#[test]
fn a_lease_that_is_not_ready_in_time_costs_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		run_blocks(299);
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderNotReady, 0, 0)]);
	});
}

#[test]
fn a_provider_that_stays_dark_loses_the_lease() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		run_blocks(10);
		attest(lease);
		run_blocks(20);
		assert_ok!(Leases::suspend(lease, Now::get()));
		run_blocks(119);
		assert!(matches!(status(lease), Some(LeaseStatus::Suspended { .. })));
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderDark, 10 * SLOT, 2 * PRICE * 10)]);
	});
}

#[test]
fn a_suspended_lease_ends_with_its_term_at_the_latest() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, OrderTerms { term_ms: 30 * SLOT, ..terms(1) });
		attest(lease);
		run_blocks(20);
		assert_ok!(Leases::suspend(lease, Now::get()));
		run_blocks(9);
		assert!(status(lease).is_some());
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 0, 0)]);
	});
}

#[test]
fn funds_that_end_before_the_term_close_the_lease() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN an escrow that somehow has less than the term needs: it pays for 25 s
		let lease = open_active();
		TillEscrows::mutate_extant(EscrowId::from(lease), |escrow| escrow.3 = 2 * PRICE * 25);
		for _ in 0..2 {
			run_blocks(10);
			attest(lease);
		}
		// WHEN the report that uses it up comes
		run_blocks(10);
		attest(lease);
		// THEN: never more than is held
		run_blocks(300);
		assert_eq!(closed(&events()), [(lease, CloseReason::FundsExhausted, 30 * SLOT, 2 * PRICE * 25)]);
	});
}

#[test]
fn funds_that_end_without_a_last_report_close_the_lease_after_the_window() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		TillEscrows::mutate_extant(EscrowId::from(lease), |escrow| escrow.3 = 2 * PRICE * 25);
		Now::set(START + 25 * SLOT + WINDOW - 1);
		assert_noop!(Leases::poke(RuntimeOrigin::signed(STRANGER), lease), E::NothingDue);
		Now::set(START + 25 * SLOT + WINDOW);
		assert_ok!(Leases::poke(RuntimeOrigin::signed(STRANGER), lease));
		assert_eq!(closed(&events()), [(lease, CloseReason::FundsExhausted, 0, 0)]);
	});
}

#[test]
fn the_renter_closes_in_every_status_and_pays_what_is_attested() {
	for stage in 0..3 {
		ExtBuilder.build_and_execute(|| {
			let lease = open();
			let mut billed = 0;
			if stage > 0 {
				attest(lease);
				run_blocks(4);
				attest(lease);
				billed = 4;
			}
			run_blocks(3);
			if stage == 2 {
				assert_ok!(Leases::suspend(lease, Now::get()));
			}
			assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
			let expected = (lease, CloseReason::RenterClosed, billed * SLOT, 2 * PRICE * u128::from(billed));
			assert_eq!(closed(&events()), [expected]);
			assert_eq!(RegistryGpus::get(PROVIDER, GpuIndex(0)), Some((CLASS, GpuState::Healthy)));
			assert_noop!(Leases::close(RuntimeOrigin::signed(RENTER), lease), E::UnknownLease);
			assert!(!ProviderLeases::<Test>::contains_key(PROVIDER));
		});
	}
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
		assert_eq!(closed(&events()), [(lease, CloseReason::Governance, 0, 0)]);
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
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderNotReady, 0, 0)]);
	});
}

#[test]
fn an_extension_holds_its_price_and_moves_the_end() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		events();
		// Before it is ready there is no end to move.
		assert_ok!(Leases::extend(RuntimeOrigin::signed(RENTER), lease, MINUTE));
		let amount = 2 * PRICE * 60;
		assert_eq!(events(), vec![Event::LeaseExtended { lease, extra_ms: MINUTE, amount, ends_at: None }]);
		attest(lease);
		assert_eq!(record(lease).ends_at, Some(START + 11 * MINUTE));
		events();
		assert_ok!(Leases::extend(RuntimeOrigin::signed(RENTER), lease, 5));
		// 0.2 plancks per millisecond, five of them: exactly one.
		let ends_at = Some(START + 11 * MINUTE + 5);
		assert_eq!(events(), vec![Event::LeaseExtended { lease, extra_ms: 5, amount: 1, ends_at }]);
		assert_eq!(TillEscrows::get(EscrowId::from(lease)).unwrap().3, 2 * PRICE * 660 + 1);
	});
}

#[test]
fn an_extension_needs_a_lease_of_ones_own_time_and_money() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let extend = |who, extra| Leases::extend(RuntimeOrigin::signed(who), lease, extra);
		assert_noop!(Leases::extend(RuntimeOrigin::none(), lease, 1), DispatchError::BadOrigin);
		assert_noop!(Leases::extend(RuntimeOrigin::signed(RENTER), LeaseId(9), 1), E::UnknownLease);
		assert_noop!(extend(PROVIDER, 1), E::NotRenter);
		assert_noop!(extend(RENTER, 0), E::ZeroExtension);
		assert_noop!(extend(RENTER, 50 * MINUTE + 1), E::TermTooLong);
		assert_noop!(extend(RENTER, u64::MAX), E::TermTooLong);
		Now::set(START + 10 * MINUTE);
		assert_noop!(extend(RENTER, 1), E::LeaseIsOver);
		Now::set(START + 10 * MINUTE - 1);
		assert_ok!(extend(RENTER, 50 * MINUTE));
		assert_eq!(record(lease).term_ms, MaxTerm::get());
	});
}

#[test]
fn an_extension_beyond_the_free_balance_is_refused() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let lease = order(POOR, OrderTerms { term_ms: 400_000, ..terms(1) });
		// The model of the escrow holds nothing, so all 499 are free.
		let extend = |extra| Leases::extend(RuntimeOrigin::signed(POOR), lease, extra);
		assert_noop!(extend(499_001), E::InsufficientFunds);
		assert_ok!(extend(499_000));
	});
}

#[test]
fn an_amount_beyond_a_balance_cannot_be_extended_by() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		crate::Leases::<Test>::mutate_extant(lease, |lease| lease.price = u128::MAX);
		let call = Leases::extend(RuntimeOrigin::signed(RENTER), lease, MINUTE);
		assert_noop!(call, E::AmountTooLarge);
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

#[test]
fn reads_of_leases_agree_with_the_records() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let second = order(RENTER, terms(1));
		assert_eq!(Leases::leases_of(&PROVIDER), vec![lease, second]);
		assert_eq!((Leases::lease_count(&PROVIDER), Leases::lease_count(&STRANGER)), (2, 0));
		assert_eq!(Leases::lease(second), Some((PROVIDER, LeaseStatus::Pending)));
		assert_eq!(Leases::gpus(second), vec![GpuIndex(2)]);
		assert_eq!((Leases::lease(LeaseId(9)), Leases::gpus(LeaseId(9))), (None, vec![]));
	});
}
