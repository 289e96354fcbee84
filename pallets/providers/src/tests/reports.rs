//! What reports and their absence change.

use super::{add_gpus, register, register_with};
use crate::{
	mock::{build_and_execute, events, Registry, Test, ALICE, BOB, SMALL, SMALL_BOND},
	Event, Gpus, Providers, Standing,
};
use frame_support::{assert_ok, assert_storage_noop};
use millrace_primitives::{
	GpuHealth, GpuIndex, GpuReservation, GpuState, LeaseId, ProviderInspect, ProviderLiveness,
};

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

#[test]
fn a_leased_gpu_is_left_to_its_lease() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		add_gpus(ALICE, SMALL, [1]);
		Registry::update_health(&ALICE, &health(&[(0, true)]));
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LeaseId(1)));
		for reported in [health(&[(0, false)]), health(&[(0, true)]), vec![]] {
			assert_storage_noop!(assert!(!Registry::update_health(&ALICE, &reported)));
		}
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
