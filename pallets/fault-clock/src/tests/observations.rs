//! Blocks are observed once, within the weight, and time is counted once.

use crate::{mock::*, CurrentRecess, LastObservation, Observation, StoppedMs, WeightInfo};
use frame_support::weights::Weight;
use millrace_primitives::{Excuse, FaultClock as _, FaultClockControl as _};

#[test]
fn before_the_first_observation_no_time_has_passed() {
	new_test_ext().execute_with(|| {
		// A chain that gets the pallet late, or whose genesis is long ago.
		System::set_block_number(12_345);
		Timestamp::set_timestamp(START);
		assert_eq!(LastObservation::<Test>::get(), None);
		assert!(Clock::is_running());
		poll(Weight::MAX);
		assert!(Clock::is_running());
		assert_eq!(Clock::stopped_ms(), 0);
		assert_eq!(LastObservation::<Test>::get(), Some(Observation { at: START, epoch: 1_234 }));
		assert_eq!(events(), vec![]);
		Clock::do_try_state().unwrap();
	});
}

#[test]
fn an_undisturbed_chain_runs_and_writes_nothing() {
	build_and_execute(|| {
		for _ in 0..100 {
			next_block();
			assert!(Clock::is_running());
		}
		assert_eq!(Clock::stopped_ms(), 0);
		assert_eq!(crate::Census::<Test>::iter().count(), 0);
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn epochs_are_counted_from_block_zero() {
	build_and_execute(|| {
		for (block, epoch) in [(1, 0), (9, 0), (10, 1), (19, 1), (20, 2)] {
			run_to(block);
			assert_eq!(Clock::epoch(), epoch);
		}
		// Zero counts as one.
		for length in [0, 1] {
			EpochLength::set(length);
			assert_eq!(Clock::epoch(), 20);
		}
	});
}

#[test]
fn a_block_without_the_weight_is_not_observed() {
	build_and_execute(|| {
		let before = LastObservation::<Test>::get();
		let needed = <() as WeightInfo>::observe();
		begin_block(SLOT);
		assert_eq!(poll(needed - Weight::from_parts(1, 0)), Weight::zero());
		assert_eq!(LastObservation::<Test>::get(), before);
		// The next block's observation covers the time of both.
		begin_block(SLOT);
		assert_eq!(poll(needed), needed);
		assert_eq!(LastObservation::<Test>::get().unwrap().at, before.unwrap().at + 2 * SLOT);
	});
}

#[test]
fn time_of_blocks_that_were_not_observed_is_stopped_with_the_next_one() {
	build_and_execute(|| {
		Clock::set_paused(true);
		(0..5).for_each(|_| next_busy_block());
		assert_eq!(StoppedMs::<Test>::get(), 0);
		next_block();
		assert_eq!(StoppedMs::<Test>::get(), 6 * SLOT);
	});
}

#[test]
fn many_blocks_that_were_not_observed_are_a_stall() {
	build_and_execute(|| {
		// As during a migration over many blocks: hooks do not run, and no report can come in.
		(0..MAX_LAG).for_each(|_| next_busy_block());
		next_block();
		assert!(Clock::is_running());
		(0..MAX_LAG + 1).for_each(|_| next_busy_block());
		next_block();
		assert!(!Clock::is_running());
		assert_eq!(CurrentRecess::<Test>::get().unwrap().excuse, Excuse::ChainStall);
	});
}

#[test]
fn an_observation_takes_the_same_weight_whatever_is_registered() {
	build_and_execute(|| {
		for account in 0..500 {
			dark(account, 1);
			report(1);
		}
		begin_block(SLOT);
		assert_eq!(poll(Weight::MAX), <() as WeightInfo>::observe());
	});
}

#[test]
fn views_say_what_the_traits_say() {
	build_and_execute(|| {
		report(70);
		dark(ALICE, 30);
		assert!(Clock::is_running());
		assert_eq!(Clock::census(0).total(), 100);
		assert_eq!(Clock::judgement(0, 0, ALICE), millrace_primitives::Judgement::Open);
		next_block_after(100 * SLOT);
		assert!(!Clock::is_running());
		assert_eq!(Clock::stopped_ms(), 100 * SLOT);
		search(0);
		assert_eq!(
			Clock::judgement(0, 0, ALICE),
			millrace_primitives::Judgement::Excused(Excuse::ChainStall)
		);
	});
}
