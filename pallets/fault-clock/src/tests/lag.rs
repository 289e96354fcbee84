//! Finality that lags is nobody's fault.

use crate::{mock::*, Census, Event};
use millrace_primitives::{Excuse, FaultCensus as _, FaultClock as _, Judgement};

#[test]
fn an_epoch_in_which_most_reports_lag_is_excused_and_a_recess_follows() {
	build_and_execute(|| {
		run_to_epoch(1);
		Clock::note_report(49, MAX_LAG);
		Clock::note_report(51, MAX_LAG + 1);
		run_to_epoch(2);
		let until = block() + RECOVERY;
		assert!(!Clock::is_running());
		assert_eq!(events(), vec![Event::ClockStopped { excuse: Excuse::FinalityLag, until: Some(until) }]);
		run_to(until - 1);
		assert!(!Clock::is_running());
		next_block();
		assert!(Clock::is_running());
		assert_eq!(events(), vec![Event::ClockResumed { stopped_ms: u64::from(RECOVERY) * SLOT }]);
		// The epoch in which the lag began, the one in which it shows, and the two in which finality may still have to come back.
		for epoch in [0, 1, 2, 3] {
			assert_eq!(judge(epoch, [ALICE]), excused(Excuse::FinalityLag));
		}
		assert_eq!(judge(4, [ALICE]), [Judgement::Counts]);
	});
}

#[test]
fn half_of_the_reports_are_not_most() {
	build_and_execute(|| {
		run_to_epoch(1);
		Clock::note_report(50, MAX_LAG);
		Clock::note_report(50, MAX_LAG + 1);
		run_to_epoch(2);
		assert!(Clock::is_running());
		assert_eq!(judge(1, [ALICE]), [Judgement::Counts]);
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn an_epoch_without_reports_does_not_lag() {
	build_and_execute(|| {
		// What has no bond has no say.
		Clock::note_report(0, u32::MAX);
		dark(ALICE, 10);
		assert_eq!(judge(0, [ALICE]), [Judgement::Counts]);
		assert!(Clock::is_running());
	});
}

#[test]
fn the_recess_lasts_for_as_long_as_finality_lags() {
	build_and_execute(|| {
		for epoch in 1..6 {
			run_to_epoch(epoch);
			Clock::note_report(10, 100);
		}
		run_to_epoch(6);
		let until = block() + RECOVERY;
		run_to(until - 1);
		assert!(!Clock::is_running());
		next_block();
		assert!(Clock::is_running());
		let events = events();
		assert_eq!(events.len(), 6, "one for each epoch that lagged, and one for the end: {events:?}");
	});
}

#[test]
fn lag_is_found_at_the_first_block_that_is_observed() {
	build_and_execute(|| {
		run_to_epoch(1);
		Clock::note_report(10, 100);
		run_to(2 * LENGTH - 1);
		(0..3).for_each(|_| next_busy_block());
		assert!(Clock::is_running());
		next_block();
		assert!(!Clock::is_running());
		assert_eq!(
			events(),
			vec![Event::ClockStopped { excuse: Excuse::FinalityLag, until: Some(block() + RECOVERY) }]
		);
	});
}

#[test]
fn an_epoch_that_lagged_is_excused_even_if_the_next_was_never_observed() {
	build_and_execute(|| {
		run_to_epoch(1);
		Clock::note_report(10, 100);
		dark(ALICE, 1);
		run_to(2 * LENGTH - 1);
		// To the first block of epoch 3, where attestation has weight and this pallet has none.
		(0..LENGTH + 1).for_each(|_| next_busy_block());
		assert_eq!(Clock::epoch(), 3);
		Clock::note_searched_until(block());
		assert_eq!(Clock::judge(1, 1, &ALICE), Judgement::Excused(Excuse::FinalityLag));
		next_block();
		// The epoch before the current one did not lag.
		assert!(Clock::is_running());
		assert_eq!(Clock::judge(1, 1, &ALICE), Judgement::Excused(Excuse::FinalityLag));
	});
}

#[test]
fn sums_do_not_overflow() {
	build_and_execute(|| {
		Clock::note_report(u128::MAX, 100);
		Clock::note_report(u128::MAX, 100);
		assert!(Census::<Test>::get(0).is_lagging());
		dark(ALICE, u128::MAX);
		dark(ALICE, u128::MAX);
		assert_eq!(judge(0, [ALICE]), excused(Excuse::FinalityLag));
	});
}
