//! What is noted, and how far is searched.

use crate::{mock::*, Census, EpochCensus, Event, Misses, OwnerMisses, SearchedUntil};
use frame_support::{assert_storage_noop, hypothetically};
use millrace_primitives::{Excuse, FaultCensus as _, FaultClock as _, FaultClockControl as _, Judgement};

#[test]
fn everything_is_added_to_the_current_epoch() {
	build_and_execute(|| {
		Clock::note_report(100, 3);
		Clock::note_report(50, 30);
		Clock::note_miss(&ALICE, 7, true);
		Clock::note_miss(&ALICE, 5, false);
		Clock::note_miss(&GROUP, 20, false);
		run_to_epoch(1);
		Clock::note_report(1, 0);
		Clock::note_miss(&ALICE, 2, true);
		let outage_share = OutageShare::get();
		let sums = |reported, lagging, absent, missed| EpochCensus {
			reported,
			lagging,
			absent,
			missed,
			excuse: None,
			outage_share,
		};
		assert_eq!(Census::<Test>::get(0), sums(150, 50, 25, 32));
		assert_eq!(Census::<Test>::get(1), sums(1, 0, 0, 2));
		assert_eq!(OwnerMisses::<Test>::get(0, ALICE), Misses { missed: 12, absent: 5 });
		assert_eq!(OwnerMisses::<Test>::get(0, GROUP), Misses { missed: 20, absent: 20 });
		assert_eq!(OwnerMisses::<Test>::get(1, ALICE), Misses { missed: 2, absent: 0 });
	});
}

#[test]
fn what_has_no_bond_is_not_counted() {
	build_and_execute(|| {
		assert_storage_noop!(Clock::note_report(0, 30));
		assert_storage_noop!(Clock::note_miss(&ALICE, 0, false));
	});
}

#[test]
fn searched_is_written_once_per_epoch_and_never_falls() {
	build_and_execute(|| {
		run_to(25);
		Clock::note_searched_until(19);
		assert_eq!(SearchedUntil::<Test>::get(), 19);
		for same_or_earlier in [0, 5, 10, 18, 19] {
			assert_storage_noop!(Clock::note_searched_until(same_or_earlier));
		}
		Clock::note_searched_until(20);
		assert_eq!(SearchedUntil::<Test>::get(), 20);
		assert_storage_noop!(Clock::note_searched_until(25));
	});
}

#[test]
fn the_future_cannot_be_searched() {
	build_and_execute(|| {
		dark(ALICE, 10);
		run_to(2 * LENGTH - 1);
		// All that shows before the next block, the first of epoch 2. But this one is not over.
		Clock::note_searched_until(2 * LENGTH);
		assert_eq!(Clock::judge(0, 0, &ALICE), Judgement::Open);
		Clock::note_searched_until(u32::MAX);
		assert_eq!(SearchedUntil::<Test>::get(), 2 * LENGTH - 1);
		assert_eq!(Clock::judge(0, 0, &ALICE), Judgement::Open);
		next_block();
		Clock::note_searched_until(2 * LENGTH + 1);
		assert_eq!(Clock::judge(0, 0, &ALICE), Judgement::Counts);
		assert_eq!(Clock::judge(1, 1, &ALICE), Judgement::Open);
	});
}

#[test]
fn an_excused_epoch_is_announced_once_it_can_be_judged() {
	build_and_execute(|| {
		report(70);
		dark(ALICE, 20);
		dark(BOB, 10);
		run_to_epoch(1);
		Clock::note_searched_until(block());
		run_to(2 * LENGTH - 1);
		Clock::note_searched_until(block() + 1);
		assert_eq!(events(), vec![]);
		next_block();
		Clock::note_searched_until(block());
		let excused = Event::EpochExcused { epoch: 0, excuse: Excuse::MassOutage, missed: 30, total: 100 };
		assert_eq!(events(), vec![excused]);
		Clock::note_searched_until(block());
		assert_eq!(events(), vec![]);
		// Nothing was missed in the next.
		run_to_epoch(3);
		Clock::note_searched_until(block());
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn an_epoch_whose_misses_count_is_not_announced() {
	build_and_execute(|| {
		report(75);
		dark(ALICE, 25);
		search(0);
		assert_eq!(events(), vec![]);
	});
}

#[test]
fn an_epoch_in_which_the_clock_stood_is_announced_if_something_was_missed() {
	for missed in [0, 1] {
		build_and_execute(|| {
			Clock::set_paused(true);
			report(99);
			dark(ALICE, missed);
			events();
			search(0);
			let excused =
				Event::EpochExcused { epoch: 0, excuse: Excuse::MarketPause, missed, total: 99 + missed };
			assert_eq!(events(), if missed == 0 { vec![] } else { vec![excused] });
		});
	}
}

#[test]
fn after_a_long_gap_only_the_last_epochs_are_announced() {
	build_and_execute(|| {
		for epoch in 0..20 {
			run_to_epoch(epoch);
			dark(ALICE, 10);
		}
		run_to_epoch(20);
		let announced = || {
			let announced = events().into_iter().map(|event| match event {
				Event::EpochExcused { epoch, .. } => epoch,
				other => panic!("{other:?}"),
			});
			announced.collect::<Vec<_>>()
		};
		hypothetically!({
			Clock::note_searched_until(block());
			assert_eq!(announced(), [15, 16, 17, 18]);
		});
		// Four at once is not a gap yet.
		Clock::note_searched_until(16 * LENGTH);
		announced();
		Clock::note_searched_until(block());
		assert_eq!(announced(), [15, 16, 17, 18]);
		assert!((0..19).all(|epoch| Clock::judge(epoch, epoch, &BOB) != Judgement::Open));
	});
}
