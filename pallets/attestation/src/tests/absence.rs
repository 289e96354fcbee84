//! Absence is found by the runtime alone: when, for whom, and within which weight.

use crate::{mock::*, pallet::*, types::LastReport, weights::WeightInfo};
use frame_support::{
	assert_ok,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{NodeStatus, MAX_LEASES_PER_PROVIDER};
use sp_runtime::DispatchError;

/// Blocks from now until that is so.
fn blocks_until(so: impl Fn() -> bool) -> u32 {
	let mut blocks = 0;
	while !so() {
		next_block();
		blocks += 1;
		assert!(blocks < 100 * IDLE + 1_000, "never");
	}
	blocks
}

/// Blocks from now until the provider is no longer live.
fn blocks_until_stale(provider: AccountId) -> u32 {
	blocks_until(|| RegistryLive::get(provider) == Some(false))
}

fn live_providers() -> usize {
	RegistryLive::iter_values().filter(|live| *live).count()
}

#[test]
fn a_provider_that_goes_dark_is_found_at_the_end_of_the_epoch_after_its_last_report() {
	// Whenever in its epoch it reported last.
	for late in 0..LEASED {
		ExtBuilder.build_and_execute(|| {
			align(PROVIDER);
			let lease = lease(PROVIDER, 0);
			run_blocks(late);
			let last_epoch = Attestation::epoch(PROVIDER);
			report(PROVIDER);
			let attested_at = Now::get();
			events();
			// One epoch and one grace epoch from the epoch's begin.
			assert_eq!(blocks_until_stale(PROVIDER), 2 * LEASED - late);
			assert_eq!(events(), vec![Event::ProviderStale { provider: PROVIDER, last_epoch }]);
			assert_eq!(status(lease), NodeStatus::Suspended { since: Now::get(), leaves_at: None });
			assert_eq!(node(lease, PROVIDER).attested_at, attested_at);
			assert_eq!(billed(lease), 0);
		});
	}
}

#[test]
fn a_provider_that_reports_in_every_epoch_is_never_suspended() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		let first = Now::get();
		// Early in one epoch and late in the next: as far apart as it gets.
		for round in 0..20 {
			if round % 2 == 1 {
				run_blocks(LEASED - 1);
			}
			report(PROVIDER);
			run_to_next_epoch(PROVIDER);
			assert_eq!(status(lease), NodeStatus::Active);
		}
		assert!(RegistryLive::get(PROVIDER).unwrap());
		// And every millisecond between its first and its last report is billed.
		assert_eq!(billed(lease), node(lease, PROVIDER).attested_at - first);
	});
}

#[test]
fn an_idle_provider_is_stale_an_epoch_after_its_report_was_due() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		assert_eq!(blocks_until_stale(PROVIDER), IDLE + LEASED);
		assert_eq!(RegistryLive::get(PROVIDER), Some(false));
		// It comes back with its next report.
		events();
		assert!(Attestation::report_due(PROVIDER));
		report(PROVIDER);
		assert_eq!(events()[0], Event::ProviderLive { provider: PROVIDER });
	});
}

#[test]
fn a_provider_that_never_reported_is_not_watched() {
	ExtBuilder.build_and_execute(|| {
		lease(PROVIDER, 0);
		run_blocks(300);
		assert_eq!(events(), vec![]);
		assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_lease_opened_after_the_last_report_is_no_evidence_of_absence() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN a provider with a lease, whose entry in the agenda is near
		align(PROVIDER);
		let first = lease(PROVIDER, 0);
		report(PROVIDER);
		// WHEN that lease ends, and another is opened just before the entry comes up
		close(first);
		run_blocks(2 * LEASED - 1);
		let second = lease(PROVIDER, 0);
		run_blocks(1);
		// THEN the provider, which had nothing to report in between, is judged as idle
		assert!(RegistryLive::get(PROVIDER).unwrap());
		report(PROVIDER);
		assert_eq!(status(second), NodeStatus::Active);
	});
}

#[test]
fn a_lease_that_is_left_out_is_suspended_when_the_window_is_over() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let (kept, left_out) = (lease(PROVIDER, 0), lease(PROVIDER, 1));
		report(PROVIDER);
		let attested = Now::get();
		let mut suspended_at = None;
		for _ in 0..5 * LEASED {
			next_block();
			if Attestation::report_due(PROVIDER) {
				let mut report = full_report(PROVIDER);
				report.leases.retain(|usage| usage.lease == kept);
				assert_ok!(send(PROVIDER, report));
			}
			if suspended_at.is_none() && status(left_out) != NodeStatus::Active {
				suspended_at = Some(Now::get());
			}
		}
		// The block after the window.
		assert_eq!(suspended_at, Some(attested + WINDOW + SLOT));
		assert_eq!(status(kept), NodeStatus::Active);
		assert!(RegistryLive::get(PROVIDER).unwrap());
	});
}

#[test]
fn a_lease_with_a_sick_gpu_is_suspended_and_comes_back_with_it() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 2);
		report(PROVIDER);
		for _ in 0..3 {
			run_to_next_epoch(PROVIDER);
			let mut sick = full_report(PROVIDER);
			sick.gpus[2].healthy = false;
			assert_ok!(send(PROVIDER, sick));
		}
		assert!(is_suspended(lease));
		assert_eq!(billed(lease), 0);
		run_to_next_epoch(PROVIDER);
		report(PROVIDER);
		assert_eq!(status(lease), NodeStatus::Active);
	});
}

#[test]
fn reports_on_a_slow_chain_are_not_held_against_the_provider() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		for _ in 0..6 * LEASED {
			next_block_after(4 * SLOT);
			if Attestation::report_due(PROVIDER) {
				report(PROVIDER);
			}
			assert_eq!(status(lease), NodeStatus::Active);
		}
		// But nobody says what happened between them, so it is not billed.
		assert_eq!(billed(lease), 0);
	});
}

#[test]
fn a_provider_that_is_gone_from_the_registry_is_forgotten() {
	ExtBuilder.build_and_execute(|| {
		// One that was live, and one that was found absent before it left.
		report(PROVIDER);
		RegistryLive::remove(PROVIDER);
		report(OTHER);
		blocks_until_stale(OTHER);
		RegistryLive::remove(OTHER);
		run_blocks(LEASED);
		assert!(!LastReports::<Test>::contains_key(PROVIDER));
		events();
		assert!(blocks_until(|| !LastReports::<Test>::contains_key(OTHER)) <= 100 * IDLE);
		assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
		assert_eq!(events(), vec![]);
		assert!(!RegistryLive::contains_key(PROVIDER) && !RegistryLive::contains_key(OTHER));
	});
}

#[test]
fn an_absent_provider_is_remembered_and_nothing_more_is_done_about_it() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		let last = Attestation::last_report(PROVIDER).unwrap();
		blocks_until_stale(PROVIDER);
		let since = Now::get();
		events();
		capacity_changes();
		run_blocks(100 * IDLE + 1);
		assert_eq!(Attestation::last_report(PROVIDER).unwrap().at, last.at);
		assert_eq!(status(lease), NodeStatus::Suspended { since, leaves_at: None });
		assert!(events().is_empty() && capacity_changes().is_empty());
		assert_eq!(RegistryEpochs::get(PROVIDER), (1, 1));
	});
}

#[test]
fn a_node_that_was_given_notice_for_is_suspended_like_any_other() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		change_node(lease, PROVIDER, |node| node.status = NodeStatus::Reclaiming { until: u64::MAX });
		assert_eq!(blocks_until_stale(PROVIDER), 2 * LEASED);
		assert!(is_suspended(lease));
	});
}

#[test]
fn one_providers_absence_leaves_the_lease_s_other_nodes_alone() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		join(lease, OTHER, 0);
		report(PROVIDER);
		for _ in 0..5 * LEASED {
			if Attestation::report_due(OTHER) {
				report(OTHER);
			}
			next_block();
		}
		assert!(matches!(node(lease, PROVIDER).status, NodeStatus::Suspended { .. }));
		assert_eq!(node(lease, OTHER).status, NodeStatus::Active);
		assert!(node(lease, OTHER).billed_ms > 0);
		assert_eq!(node(lease, PROVIDER).billed_ms, 0);
	});
}

#[test]
fn absence_takes_the_provider_s_asks_out_of_the_book_once() {
	ExtBuilder.build_and_execute(|| {
		report(PROVIDER);
		capacity_changes();
		blocks_until_stale(PROVIDER);
		assert_eq!(capacity_changes(), vec![PROVIDER]);
		run_blocks(IDLE);
		assert!(capacity_changes().is_empty());
	});
}

#[test]
fn what_a_block_has_no_weight_for_carries_over() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN three providers that fall due at about the same time, and weight for one in a block
		for provider in [PROVIDER, OTHER, THIRD] {
			lease(provider, 0);
			report(provider);
		}
		let one = <() as WeightInfo>::agenda_start()
			.saturating_add(<() as WeightInfo>::agenda_block())
			.saturating_add(<() as WeightInfo>::agenda_peek())
			.saturating_add(Attestation::weight_of_provider(1));
		// No block is served for a while, as on a chain that is full.
		AgendaLimit::set(Weight::zero());
		run_blocks(40);
		assert_eq!(live_providers(), 3);
		Attestation::do_try_state().unwrap();
		// WHEN
		AgendaLimit::set(one);
		let mut blocks = 0;
		let mut last = 3;
		while last > 0 {
			next_block();
			let left = live_providers();
			assert!(last - left <= 1, "more than the weight allows");
			last = left;
			blocks += 1;
			Attestation::do_try_state().unwrap();
			assert!(blocks < 200, "something was dropped");
		}
		assert!(RegistryLive::iter_values().all(|live| !live));
	});
}

#[test]
fn the_agenda_keeps_to_its_own_limit_and_to_the_blocks() {
	ExtBuilder.build_and_execute(|| {
		lease(PROVIDER, 0);
		report(PROVIDER);
		AgendaLimit::set(Weight::zero());
		run_blocks(40);
		let poll = |limit: Weight| {
			let mut meter = WeightMeter::with_limit(limit);
			Attestation::on_poll(System::block_number(), &mut meter);
			assert!(meter.consumed().all_lte(limit));
		};
		AgendaLimit::set(Weight::MAX);
		poll(Weight::zero());
		assert_eq!(live_providers(), 1);
		poll(Weight::MAX);
		assert_eq!(live_providers(), 0);
	});
}

#[test]
fn a_suspension_that_fails_is_tried_again() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let (broken, fine) = (lease(PROVIDER, 0), lease(PROVIDER, 1));
		report(PROVIDER);
		BrokenLeases::set(vec![broken]);
		events();
		run_blocks(2 * LEASED);
		let kind = UnexpectedKind::CountMissFailed(broken, DispatchError::Unavailable);
		assert_eq!(events()[0], Event::Unexpected { provider: PROVIDER, kind });
		assert_eq!(status(broken), NodeStatus::Active);
		assert!(is_suspended(fine));
		Attestation::do_try_state().unwrap();
		BrokenLeases::set(vec![]);
		assert!(blocks_until(|| is_suspended(broken)) <= LEASED);
	});
}

#[test]
fn a_left_out_lease_whose_suspension_fails_is_tried_again() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let left_out = lease(PROVIDER, 0);
		report(PROVIDER);
		BrokenLeases::set(vec![left_out]);
		let run_without = |blocks| {
			for _ in 0..blocks {
				next_block();
				if Attestation::report_due(PROVIDER) {
					let mut report = full_report(PROVIDER);
					report.leases.clear();
					assert_ok!(send(PROVIDER, report));
				}
			}
		};
		run_without(4 * LEASED);
		assert_eq!(status(left_out), NodeStatus::Active);
		BrokenLeases::set(vec![]);
		run_without(LEASED);
		assert!(is_suspended(left_out));
	});
}

#[test]
fn an_entry_without_its_provider_is_removed_and_reported() {
	ExtBuilder.build_and_execute(|| {
		Agenda::<Test>::insert(current_block() + 1, PROVIDER, ());
		next_block();
		let kind = UnexpectedKind::AgendaWithoutProvider;
		assert_eq!(events(), vec![Event::Unexpected { provider: PROVIDER, kind }]);
		assert_eq!(LastReports::<Test>::get(PROVIDER), None::<LastReport>);
	});
}

#[test]
fn an_agenda_limit_that_can_never_serve_the_largest_provider_is_found_before_release() {
	let fails = || std::panic::catch_unwind(<Attestation as Hooks<u64>>::integrity_test).is_err();
	AgendaLimit::set(Weight::MAX);
	assert!(!fails());
	AgendaLimit::set(Attestation::weight_of_provider(MAX_LEASES_PER_PROVIDER));
	assert!(fails());
}
