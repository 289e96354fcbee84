//! A chain that made no blocks is nobody's fault.

use crate::{mock::*, Census, CurrentRecess, Event, Recess};
use frame_support::traits::Hooks;
use millrace_primitives::{Excuse, FaultClockControl as _, Judgement};

/// Longest time from one block to the next that is not a stall.
const LONGEST: u64 = (MAX_LAG as u64 + 1) * SLOT;

#[test]
fn as_many_empty_slots_as_are_allowed_are_not_a_stall() {
	build_and_execute(|| {
		next_block_after(LONGEST);
		assert!(Clock::is_running());
		assert_eq!((Clock::stopped_ms(), events()), (0, vec![]));
		next_block_after(LONGEST);
		assert!(Clock::is_running());
	});
}

#[test]
fn one_more_is_a_stall() {
	for ms in [LONGEST + 1, LONGEST + SLOT, 1_000 * LONGEST] {
		build_and_execute(|| {
			next_block_after(ms);
			let until = block() + RECOVERY;
			assert!(!Clock::is_running());
			assert_eq!(
				events(),
				vec![Event::ClockStopped { excuse: Excuse::ChainStall, until: Some(until) }]
			);

			run_to(until - 1);
			assert!(!Clock::is_running());
			assert_eq!(events(), vec![]);
			next_block();
			assert!(Clock::is_running());
			// The stall itself, and each block of the recess after it.
			let stopped_ms = ms + u64::from(RECOVERY - 1) * SLOT;
			assert_eq!(Clock::stopped_ms(), stopped_ms);
			assert_eq!(events(), vec![Event::ClockResumed { stopped_ms }]);
			assert_eq!(CurrentRecess::<Test>::get(), None);

			// Said once.
			run_to(until + 50);
			assert_eq!((Clock::stopped_ms(), events()), (stopped_ms, vec![]));
		});
	}
}

#[test]
fn every_epoch_that_the_recess_touches_is_excused() {
	build_and_execute(|| {
		run_to(14);
		next_block_after(LONGEST + 1);
		run_to(60);
		let excuses = (0..6).map(|epoch| Census::<Test>::get(epoch).excuse.is_some()).collect::<Vec<_>>();
		// Blocks 15 to 34.
		assert_eq!(excuses, [false, true, true, true, false, false]);
		for (epoch, excused) in (0..).zip(excuses) {
			let expected = if excused { Judgement::Excused(Excuse::ChainStall) } else { Judgement::Counts };
			assert_eq!(judge(epoch, [ALICE]), [expected]);
		}
	});
}

#[test]
fn another_stall_prolongs_the_recess() {
	build_and_execute(|| {
		next_block_after(LONGEST + 1);
		run_to(block() + 5);
		events();
		next_block_after(LONGEST + 1);
		let until = block() + RECOVERY;
		let stopped = Event::ClockStopped { excuse: Excuse::ChainStall, until: Some(until) };
		assert_eq!(events(), vec![stopped]);
		run_to(until - 1);
		assert!(!Clock::is_running());
		next_block();
		assert!(Clock::is_running());
		assert_eq!(events().len(), 1);
	});
}

#[test]
fn a_recess_is_never_shortened() {
	build_and_execute(|| {
		let longer = Recess { excuse: Excuse::RuntimeUpgrade, until: block() + 1 + RECOVERY };
		Clock::on_runtime_upgrade();
		assert_eq!(CurrentRecess::<Test>::get(), Some(longer));
		// As long as what was there: the first reason stays.
		next_block_after(LONGEST + 1);
		assert_eq!(CurrentRecess::<Test>::get(), Some(longer));
		assert_eq!(events().len(), 1);
		// Resuming in the same block does not change it either.
		Clock::set_paused(true);
		Clock::set_paused(false);
		assert_eq!(CurrentRecess::<Test>::get(), Some(longer));
	});
}

#[test]
fn a_recess_at_the_end_of_all_blocks_does_not_overflow() {
	new_test_ext().execute_with(|| {
		System::set_block_number((u32::MAX - 10).into());
		Timestamp::set_timestamp(START);
		poll(frame_support::weights::Weight::MAX);
		next_block_after(LONGEST + 1);
		assert_eq!(CurrentRecess::<Test>::get().unwrap().until, u32::MAX);
		assert!(!Clock::is_running());
	});
}
