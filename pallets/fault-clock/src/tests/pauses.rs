//! While the market is paused, and for a while after, nothing counts.

use crate::{mock::*, Census, CurrentRecess, Event, Paused};
use frame_support::assert_storage_noop;
use millrace_primitives::{Excuse, FaultClockControl as _, Judgement};

#[test]
fn the_clock_stands_during_a_pause_and_for_two_epochs_after() {
	build_and_execute(|| {
		run_to(12);
		Clock::set_paused(true);
		assert!(!Clock::is_running());
		assert_eq!(events(), vec![Event::ClockStopped { excuse: Excuse::MarketPause, until: None }]);
		run_to(97);
		assert!(!Clock::is_running());
		assert_eq!(Clock::stopped_ms(), 85 * SLOT);
		assert_eq!(events(), vec![]);

		Clock::set_paused(false);
		let until = 97 + RECOVERY;
		assert!(!Clock::is_running());
		assert_eq!(events(), vec![Event::ClockStopped { excuse: Excuse::MarketPause, until: Some(until) }]);
		run_to(until - 1);
		assert!(!Clock::is_running());
		next_block();
		assert!(Clock::is_running());
		let stopped_ms = u64::from(until - 1 - 12) * SLOT;
		assert_eq!(events(), vec![Event::ClockResumed { stopped_ms }]);

		// Blocks 12 to 116.
		for epoch in 1..=11 {
			assert_eq!(judge(epoch, [ALICE]), excused(Excuse::MarketPause));
		}
		for epoch in [0, 12] {
			assert_eq!(judge(epoch, [ALICE]), [Judgement::Counts]);
		}
	});
}

#[test]
fn the_epoch_of_a_pause_in_its_last_block_is_excused() {
	build_and_execute(|| {
		run_to(2 * LENGTH - 1);
		Clock::set_paused(true);
		assert_eq!(Census::<Test>::get(1).excuse, Some(Excuse::MarketPause));
		Clock::set_paused(false);
	});
}

#[test]
fn pausing_twice_is_pausing_once() {
	build_and_execute(|| {
		assert_storage_noop!(Clock::set_paused(false));
		Clock::set_paused(true);
		run_to(30);
		assert_storage_noop!(Clock::set_paused(true));
		Clock::set_paused(false);
		let recess = CurrentRecess::<Test>::get();
		run_to(35);
		assert_storage_noop!(Clock::set_paused(false));
		assert_eq!(CurrentRecess::<Test>::get(), recess);
	});
}

#[test]
fn a_recess_that_ends_during_a_pause_does_not_start_the_clock() {
	build_and_execute(|| {
		next_block_after(100 * SLOT);
		Clock::set_paused(true);
		run_to(block() + 2 * RECOVERY);
		assert!(!Clock::is_running());
		events();
		Clock::set_paused(false);
		run_to(block() + RECOVERY);
		assert!(Clock::is_running());
		assert_eq!(events().len(), 2);
	});
}

#[test]
fn a_pause_during_a_recess_outlives_it() {
	build_and_execute(|| {
		Clock::set_paused(true);
		// The chain stalls too. Its recess is over before the pause is.
		next_block_after(100 * SLOT);
		run_to(block() + RECOVERY + 1);
		assert!(!Clock::is_running());
		assert!(Paused::<Test>::get());
		Clock::set_paused(false);
		assert_eq!(CurrentRecess::<Test>::get().unwrap().excuse, Excuse::MarketPause);
	});
}
