//! Mistakes that other markets made, each as a test that names it.

use crate::{mock::*, pallet::*, weights::WeightInfo};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::WeightMeter};
use millrace_primitives::{JobFailure, JobId, JobOutcome, NodeStatus, MAX_LEASES_PER_PROVIDER};
use sp_runtime::DispatchError;

/// Trap 4: an early return inside a queue's loop leaves the rest unprocessed for ever.
#[test]
fn trap_4_one_lease_that_cannot_be_attested_does_not_cost_the_others() {
	ExtBuilder.build_and_execute(|| {
		let leases: Vec<_> = (0..4).map(|gpu| lease(PROVIDER, gpu)).collect();
		BrokenLeases::set(vec![leases[1]]);
		events();
		assert_ok!(send(PROVIDER, full_report(PROVIDER)));
		for lease in &leases {
			assert_eq!(is_pending(*lease), *lease == leases[1]);
		}
		let kind = UnexpectedKind::AttestFailed(leases[1], DispatchError::Unavailable);
		assert!(events().contains(&Event::Unexpected { provider: PROVIDER, kind }));
	});
}

/// Trap 4, for the agenda.
#[test]
fn trap_4_one_provider_that_cannot_be_judged_does_not_hide_the_others() {
	ExtBuilder.build_and_execute(|| {
		let leases = [PROVIDER, OTHER, THIRD].map(|provider| {
			let lease = lease(provider, 0);
			report(provider);
			lease
		});
		BrokenLeases::set(vec![leases[0]]);
		run_blocks(3 * LEASED);
		assert_eq!(status(leases[0]), NodeStatus::Active);
		for lease in &leases[1..] {
			assert!(is_suspended(*lease));
		}
		BrokenLeases::set(vec![]);
		run_blocks(LEASED);
		assert!(is_suspended(leases[0]));
	});
}

/// Trap 6: a limit that is off by one.
#[test]
fn trap_6_the_deadline_is_the_first_block_too_late() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		// The last block of the next epoch is in time.
		run_blocks(2 * LEASED - 1);
		assert_eq!(status(lease), NodeStatus::Active);
		report(PROVIDER);
		assert_eq!(billed(lease), u64::from(2 * LEASED - 1) * SLOT);
		// From there, the first block of the epoch after the next is too late.
		run_blocks(LEASED);
		assert_eq!(status(lease), NodeStatus::Active);
		run_blocks(1);
		assert!(is_suspended(lease));
	});
}

/// Trap 9: anyone may stop anyone's job.
#[test]
fn trap_9_a_worker_speaks_for_its_own_provider_only() {
	ExtBuilder.build_and_execute(|| {
		let theirs = lease(OTHER, 0);
		MarketJobs::insert(theirs, JobId(0), (OTHER, None::<JobOutcome>));
		let outcome = JobOutcome::Failed(JobFailure::TimedOut);
		let call =
			Attestation::report_job(RuntimeOrigin::signed(worker(PROVIDER)), theirs, JobId(0), outcome);
		assert_noop!(call, Error::<Test>::NotYourLease);
		assert_noop!(send(PROVIDER, full_report(OTHER)), Error::<Test>::NotYourLease);
		assert_eq!(MarketJobs::get(theirs, JobId(0)), Some((OTHER, None)));
	});
}

/// Trap 12: paying for time that merely passed.
#[test]
fn trap_12_missed_epochs_are_never_billed_afterwards() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		run_to_next_epoch(PROVIDER);
		report(PROVIDER);
		assert_eq!(billed(lease), 10 * SLOT);
		// Five epochs of silence.
		run_blocks(5 * LEASED);
		report(PROVIDER);
		assert_eq!(billed(lease), 10 * SLOT);
		// Nor does a report for one of them count now.
		next_block();
		let mut late = full_report(PROVIDER);
		late.epoch -= 1;
		assert_noop!(send(PROVIDER, late), Error::<Test>::PastEpoch);
		// Seven epochs from the first to the last, of which three were attested.
		assert_eq!(RegistryEpochs::get(PROVIDER), (7, 3));
	});
}

/// Trap 17: silent reporters keep the last good status.
#[test]
fn trap_17_a_silent_provider_loses_its_good_standing() {
	ExtBuilder.build_and_execute(|| {
		// With a lease, and without.
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		report(OTHER);
		assert_eq!((RegistryLive::get(PROVIDER), RegistryLive::get(OTHER)), (Some(true), Some(true)));
		run_blocks(2 * LEASED);
		assert_eq!((RegistryLive::get(PROVIDER), RegistryLive::get(OTHER)), (Some(false), Some(true)));
		assert!(is_suspended(lease));
		run_blocks(IDLE);
		assert_eq!(RegistryLive::get(OTHER), Some(false));
		// A GPU that a later report leaves out does not pass for healthy either: its lease is not attested.
		let mut report = full_report(PROVIDER);
		report.gpus.remove(0);
		assert_ok!(send(PROVIDER, report));
		assert!(is_suspended(lease));
	});
}

/// Trap 18: hooks without bound.
#[test]
fn trap_18_a_mass_absence_stays_within_the_weight() {
	ExtBuilder.build_and_execute(|| {
		for provider in 100..200 {
			register(provider, 4);
			for gpu in 0..4 {
				lease(provider, gpu);
			}
			report(provider);
		}
		let largest = <() as WeightInfo>::agenda_start()
			.saturating_add(<() as WeightInfo>::agenda_block())
			.saturating_add(<() as WeightInfo>::agenda_peek())
			.saturating_add(Attestation::weight_of_provider(MAX_LEASES_PER_PROVIDER));
		AgendaLimit::set(largest);
		let mut blocks = 0;
		while RegistryLive::iter_values().any(|live| live) {
			let block = System::block_number() + 1;
			System::set_block_number(block);
			Now::set(Now::get() + SLOT);
			let mut meter = WeightMeter::new();
			Attestation::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(largest));
			blocks += 1;
			assert!(blocks < 200, "the agenda does not get through");
		}
		assert!(MarketNodes::iter_values().all(|node| !node.status.is_served()));
	});
}

/// Trap 15: a schedule that follows from the wall clock can be known, waited for and pushed. Here it follows from account and block.
#[test]
fn trap_15_when_a_report_is_due_does_not_follow_from_the_clock() {
	ExtBuilder.build_and_execute(|| {
		report(PROVIDER);
		let schedule = || {
			[PROVIDER, OTHER, THIRD].map(|provider| {
				let due = Attestation::report_due(provider);
				(Attestation::epoch(provider), Attestation::epoch_ends(provider), due)
			})
		};
		let before = schedule();
		for ms in [1, SLOT, 1_000_000 * SLOT] {
			Now::set(Now::get() + ms);
			assert_eq!(schedule(), before);
		}
	});
}

/// Complaint 19: workers that come back flood the chain with what they missed. Here each epoch takes one report, and the past
/// takes none.
#[test]
fn complaint_19_workers_that_come_back_report_once_and_never_for_the_past() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		lease(PROVIDER, 0);
		report(PROVIDER);
		let first = Attestation::epoch(PROVIDER);
		run_blocks(5 * LEASED);
		// It was dark for five epochs, and sends all that it has.
		let now = full_report(PROVIDER);
		for epoch in first..now.epoch {
			assert_noop!(
				send(PROVIDER, millrace_primitives::Report { epoch, ..now.clone() }),
				Error::<Test>::PastEpoch
			);
		}
		assert_ok!(send(PROVIDER, now.clone()));
		assert_noop!(send(PROVIDER, now), Error::<Test>::AlreadyReported);
	});
}
