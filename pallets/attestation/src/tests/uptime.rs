//! Which epochs count towards a provider's uptime, and when the market hears of its capacity.

use crate::{mock::*, weights::WeightInfo};
use frame_support::assert_ok;
use millrace_primitives::{LeaseId, NodeStatus};

/// Epochs expected and attested since the last call.
fn counted() -> (u32, u32) {
	RegistryEpochs::take(PROVIDER)
}

/// Runs through that many epochs of the provider.
fn run_epochs(count: u32) {
	for _ in 0..count {
		run_to_next_epoch(PROVIDER);
	}
}

/// A provider that has just attested its node of a lease.
fn with_a_lease(test: impl FnOnce(LeaseId)) {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
		test(lease);
	});
}

#[test]
fn a_leased_provider_owes_every_epoch() {
	with_a_lease(|_| {
		for _ in 0..3 {
			run_epochs(1);
			report(PROVIDER);
			assert_eq!(counted(), (1, 1));
		}
		// One is missed within a longer grace, and the provider stays live.
		GraceEpochs::set(2);
		run_epochs(2);
		assert_eq!(RegistryLive::get(PROVIDER), Some(true));
		report(PROVIDER);
		assert_eq!(counted(), (2, 1));
		// And with the usual one.
		GraceEpochs::set(1);
		run_epochs(1);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
		run_epochs(2);
		run_blocks(0);
		assert_eq!(RegistryLive::get(PROVIDER), Some(false));
		report(PROVIDER);
		assert_eq!(counted(), (2, 1));
	});
}

#[test]
fn an_idle_provider_owes_one_report_in_an_idle_epoch_and_may_be_late() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		for epochs in [10, 10, 10] {
			run_epochs(epochs);
			report(PROVIDER);
		}
		assert_eq!(counted(), (4, 4));
		// In the grace epoch.
		run_epochs(10);
		run_blocks(LEASED - 1);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
	});
}

#[test]
fn epochs_without_a_lease_are_not_held_against_the_provider() {
	with_a_lease(|first| {
		// It ends, and another one comes nine epochs later: until then no report was due.
		close(first);
		run_epochs(9);
		lease(PROVIDER, 0);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
		// The new one is held from here on.
		run_epochs(1);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
	});
}

#[test]
fn absence_counts_as_missed_when_the_provider_returns() {
	with_a_lease(|lease| {
		run_epochs(7);
		assert_eq!(counted(), (0, 0));
		assert!(is_suspended(lease));
		report(PROVIDER);
		// The lease was there all the time.
		assert_eq!(counted(), (7, 1));
		assert_eq!(status(lease), NodeStatus::Active);
	});
}

#[test]
fn a_provider_that_lost_its_lease_by_absence_owes_idle_epochs_and_has_missed_one_at_least() {
	for (dark, expected) in [(3, 2), (10, 2), (15, 2), (21, 3), (100, 10)] {
		with_a_lease(|lease| {
			run_epochs(2);
			assert!(is_suspended(lease));
			close(lease);
			run_epochs(dark - 2);
			report(PROVIDER);
			assert_eq!(counted(), (expected, 1), "dark for {dark} epochs");
		});
	}
}

#[test]
fn an_idle_provider_that_was_found_absent_has_missed_the_report_that_was_due() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		run_epochs(12);
		assert_eq!(RegistryLive::get(PROVIDER), Some(false));
		counted();
		report(PROVIDER);
		assert_eq!(counted(), (2, 1));
	});
}

#[test]
fn one_that_registered_anew_owes_no_more_reports_than_there_were_epochs() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		counted();
		register(PROVIDER, 4);
		run_epochs(1);
		report(PROVIDER);
		assert_eq!(counted(), (1, 1));
	});
}

#[test]
fn the_market_hears_of_new_standing_and_new_health_and_of_nothing_else() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		lease(PROVIDER, 0);
		report(PROVIDER);
		assert_eq!(capacity_changes(), vec![PROVIDER]);
		run_epochs(1);
		report(PROVIDER);
		assert!(capacity_changes().is_empty());
		for healthy in [false, true] {
			run_epochs(1);
			let mut report = full_report(PROVIDER);
			report.gpus[3].healthy = healthy;
			assert_ok!(send(PROVIDER, report));
			assert_eq!(capacity_changes(), vec![PROVIDER]);
		}
		// Both at once are one change.
		run_epochs(3);
		assert_eq!(capacity_changes(), vec![PROVIDER]);
		let mut report = full_report(PROVIDER);
		report.gpus[3].healthy = false;
		assert_ok!(send(PROVIDER, report));
		assert_eq!(capacity_changes(), vec![PROVIDER]);
	});
}

#[test]
fn a_report_is_charged_for_a_change_of_capacity_only_when_it_makes_one() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		lease(PROVIDER, 0);
		let send = || {
			let report = full_report(PROVIDER);
			Attestation::report(RuntimeOrigin::signed(worker(PROVIDER)), report).unwrap().actual_weight
		};
		let report = <() as WeightInfo>::report(4, 1);
		assert_eq!(send(), Some(report.saturating_add(<() as WeightInfo>::capacity_changed())));
		run_epochs(1);
		assert_eq!(send(), Some(report));
	});
}
