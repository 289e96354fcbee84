//! What reports and their absence change.

use super::{add_gpus, register, register_with, signed};
use crate::{
	mock::{build_and_execute, events, Registry, Test, ALICE, BOB, SMALL, SMALL_BOND},
	Event, Gpus, Providers, Standing,
};
use frame_support::{assert_ok, assert_storage_noop};
use millrace_primitives::{
	GpuHealth, GpuIndex, GpuReservation, GpuState, LeaseId, ProviderInspect, ProviderLiveness,
};

const LEASE: LeaseId = LeaseId(1);

fn health(reported: &[(u16, bool)]) -> Vec<GpuHealth> {
	reported.iter().map(|&(gpu, healthy)| GpuHealth { gpu: GpuIndex(gpu), healthy }).collect()
}

fn states() -> Vec<GpuState> {
	Registry::gpus_of(ALICE).into_iter().map(|(_, gpu)| gpu.state).collect()
}

fn is_live() -> bool {
	Registry::facts(&ALICE).unwrap().live
}

fn standing() -> Standing {
	Providers::<Test>::get(ALICE).unwrap().standing
}

#[test]
fn standing_follows_the_reports_and_each_change_is_news_once() {
	build_and_execute(|| {
		register(ALICE);
		assert_storage_noop!(assert!(!Registry::mark_stale(&ALICE)));
		assert_eq!(standing(), Standing::New);
		assert!(Registry::mark_live(&ALICE));
		assert!(!Registry::mark_live(&ALICE));
		assert!(is_live());
		assert!(Registry::mark_stale(&ALICE));
		assert!(!Registry::mark_stale(&ALICE));
		assert_eq!(standing(), Standing::Stale);
		assert!(!is_live());
		assert!(Registry::mark_live(&ALICE));
	});
}

#[test]
fn strangers_have_no_standing() {
	build_and_execute(|| {
		assert_storage_noop!(assert!(!Registry::mark_live(&BOB)));
		assert_storage_noop!(assert!(!Registry::mark_stale(&BOB)));
		assert_storage_noop!(assert!(!Registry::update_health(&BOB, &health(&[(0, true)]))));
	});
}

#[test]
fn a_report_makes_free_gpus_faulty_and_healthy_again() {
	build_and_execute(|| {
		register_with(ALICE, 2 * SMALL_BOND);
		add_gpus(ALICE, SMALL, [1, 2]);
		events();
		// Healthy from the start, but the pallets above learn of added GPUs from the next report.
		assert!(Registry::update_health(&ALICE, &health(&[(0, true), (1, true)])));
		assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &health(&[(0, true), (1, true)]))));
		assert!(Registry::update_health(&ALICE, &health(&[(0, false), (1, true)])));
		assert_eq!(states(), [GpuState::Faulty, GpuState::Healthy]);
		assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &health(&[(0, false), (1, true)]))));
		assert!(Registry::update_health(&ALICE, &health(&[(1, true), (0, true)])));
		assert_eq!(states(), [GpuState::Healthy; 2]);
		let changed = |healthy| Event::GpuHealthChanged { provider: ALICE, gpu: GpuIndex(0), healthy };
		assert_eq!(events(), vec![changed(false), changed(true)]);
	});
}

#[test]
fn a_gpu_that_the_worker_did_not_find_is_faulty() {
	build_and_execute(|| {
		register_with(ALICE, 2 * SMALL_BOND);
		add_gpus(ALICE, SMALL, [1, 2]);
		assert!(Registry::update_health(&ALICE, &health(&[(1, true)])));
		assert_eq!(states(), [GpuState::Faulty, GpuState::Healthy]);
	});
}

/// A provider with one GPU that is leased.
fn with_a_leased_gpu(test: impl FnOnce()) {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		Registry::update_health(&ALICE, &health(&[(0, true)]));
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LEASE));
		events();
		test();
	});
}

#[test]
fn a_leased_gpu_stays_with_its_lease_and_its_loss_is_noted_once() {
	with_a_leased_gpu(|| {
		assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &health(&[(0, true)]))));
		assert_eq!(Registry::lost_gpus(&ALICE, &[GpuIndex(0)]), 0);
		// Unhealthy, or not found at all.
		assert!(!Registry::update_health(&ALICE, &health(&[(0, false)])));
		assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &[])));
		assert_eq!(states(), [GpuState::Leased(LEASE)]);
		assert_eq!(Registry::lost_gpus(&ALICE, &[GpuIndex(0), GpuIndex(9)]), 1);
		assert!(!Registry::update_health(&ALICE, &health(&[(0, true)])));
		assert_eq!(Registry::lost_gpus(&ALICE, &[GpuIndex(0)]), 0);
		let (provider, lease, gpu) = (ALICE, LEASE, GpuIndex(0));
		assert_eq!(
			events(),
			vec![Event::GpuLost { provider, lease, gpu }, Event::GpuFound { provider, lease, gpu }]
		);
	});
}

#[test]
fn a_gpu_that_was_lost_in_a_lease_is_in_quarantine_until_enough_reports_call_it_healthy() {
	with_a_leased_gpu(|| {
		Registry::update_health(&ALICE, &[]);
		Registry::release(&ALICE, &[GpuIndex(0)], LEASE);
		events();
		let quarantined = |healthy_reports| [GpuState::Quarantined { healthy_reports }];
		assert_eq!(states(), quarantined(0));
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 0);
		// A sick report begins the count anew.
		for (healthy, count) in [(true, 1), (true, 2), (false, 0), (true, 1), (true, 2)] {
			assert!(!Registry::update_health(&ALICE, &health(&[(0, healthy)])));
			assert_eq!(states(), quarantined(count));
		}
		assert_eq!(events(), vec![]);
		assert!(Registry::update_health(&ALICE, &health(&[(0, true)])));
		assert_eq!(states(), [GpuState::Healthy]);
		assert_eq!(Registry::free_gpus(&ALICE, SMALL), 1);
		assert_eq!(
			events(),
			vec![Event::GpuHealthChanged { provider: ALICE, gpu: GpuIndex(0), healthy: true }]
		);
	});
}

#[test]
fn a_bond_that_changes_is_news_for_the_next_report() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		assert!(Registry::update_health(&ALICE, &[]));
		assert!(!Registry::update_health(&ALICE, &[]));
		assert_ok!(Registry::unbond(signed(ALICE), 1));
		assert!(Registry::update_health(&ALICE, &[]));
	});
}

#[test]
fn a_gpu_that_is_not_registered_is_ignored() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		Registry::update_health(&ALICE, &health(&[(0, true)]));
		assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &health(&[(0, true), (9, true)]))));
		assert_eq!(Gpus::<Test>::iter().count(), 1);
	});
}
