//! Mass outages: who is excused, and who is not.

use crate::{mock::*, Misses, EPOCHS_BEFORE};
use millrace_primitives::{
	Excuse, FaultCensus as _, FaultClock as _, FaultClockControl as _, FaultEpoch, Judgement,
	Judgement::Counts, Judgement::Open,
};
use sp_runtime::Permill;

const OUTAGE: Judgement = Judgement::Excused(Excuse::MassOutage);

#[test]
fn a_miss_is_open_until_two_epochs_are_searched() {
	build_and_execute(|| {
		report(90);
		dark(ALICE, 10);
		run_to_epoch(5);
		for (searched, judgement) in [(9, Open), (10, Open), (19, Open), (20, Counts), (50, Counts)] {
			Clock::note_searched_until(searched);
			assert_eq!(Clock::judge(0, 0, &ALICE), judgement, "searched until {searched}");
		}
		// Neither the current epoch, nor what is to come.
		for epoch in [4, 5, 6, FaultEpoch::MAX] {
			assert_eq!(Clock::judge(epoch, epoch, &ALICE), Open);
		}
	});
}

#[test]
fn whoever_goes_dark_alone_is_not_excused_however_large() {
	for whale in [1, 24, 26, 30, 99] {
		build_and_execute(|| {
			report(100 - whale);
			dark(WHALE, whale);
			assert_eq!(judge(0, [WHALE]), [Counts]);
			// Had it reported, and lost its GPUs: the same.
			report(100);
			Clock::note_miss(&WHALE, whale, true);
			assert_eq!(judge(2, [WHALE]), [Counts]);
		});
	}
}

#[test]
fn small_ones_are_excused_when_too_much_of_the_others_is_gone() {
	build_and_execute(|| {
		// Of the 95 that are not Alice's, 30 are gone; of the 75 that are not the whale's, 10 are.
		report(65);
		dark(WHALE, 25);
		dark(ALICE, 5);
		dark(BOB, 5);
		assert_eq!(judge(0, [WHALE, ALICE, BOB]), [Counts, OUTAGE, OUTAGE]);
	});
}

#[test]
fn somebody_who_missed_nothing_is_judged_by_all() {
	build_and_execute(|| {
		report(74);
		dark(ALICE, 26);
		assert_eq!(judge(0, [BOB, ALICE]), [OUTAGE, Counts]);
	});
}

#[test]
fn exactly_the_share_is_not_an_outage() {
	// Missed and reported by others, with a share of 25 %.
	for (missed, reported, judgement) in [
		(25, 75, Counts),
		(25, 74, OUTAGE),
		// A quarter is 25.25, and 25.75.
		(25, 76, Counts),
		(26, 75, OUTAGE),
		(25, 78, Counts),
		(26, 77, OUTAGE),
		(1, 3, Counts),
		(1, 2, OUTAGE),
	] {
		build_and_execute(|| {
			report(reported);
			dark(WHALE, missed);
			dark(ALICE, 1_000);
			assert_eq!(judge(0, [ALICE]), [judgement], "{missed} of {}", missed + reported);
		});
	}
}

#[test]
fn the_share_is_compared_exactly() {
	let is_outage = |missed, reported, outage_share| {
		let absent = missed;
		let census = crate::EpochCensus { reported, absent, missed, outage_share, ..Default::default() };
		census.is_outage(&Misses::default())
	};
	// With shares that do not divide the whole.
	for parts in [1, 3, 249_999, 250_001, 333_333, 999_999] {
		let share = Permill::from_parts(parts);
		for total in [1_u128, 2, 3, 7, 999_983, 1_000_003, u64::MAX.into()] {
			for missed in [0, 1, total / 4, total / 3, share.mul_floor(total), share.mul_ceil(total), total] {
				let expected = missed * 1_000_000 > total * u128::from(parts);
				assert_eq!(is_outage(missed, total - missed, share), expected, "{missed} of {total}");
			}
		}
	}
	// And with all that a number can hold.
	let (quarter, share) = (u128::MAX / 4, Permill::from_percent(25));
	assert!(!is_outage(quarter, 3 * quarter, share));
	assert!(is_outage(quarter + 1, 3 * quarter, share));
	assert!(is_outage(u128::MAX, u128::MAX, share));
}

#[test]
fn a_miss_of_those_who_reported_counts_towards_an_outage() {
	build_and_execute(|| {
		// Everybody reports, and GPUs are gone from 30 of 100.
		report(100);
		Clock::note_miss(&BOB, 30, true);
		Clock::note_miss(&ALICE, 1, true);
		assert_eq!(judge(0, [ALICE, BOB]), [OUTAGE, Counts]);
	});
}

#[test]
fn the_onset_and_the_tail_of_an_outage_are_excused() {
	build_and_execute(|| {
		for epoch in 0..11 {
			run_to_epoch(epoch);
			report(90);
			// One of many is found in each.
			dark(ALICE, 1);
			if epoch == 4 {
				dark(BOB, 60);
			}
		}
		for epoch in 0..10 {
			let expected = if (3..=7).contains(&epoch) { OUTAGE } else { Counts };
			assert_eq!(judge(epoch, [ALICE]), [expected], "epoch {epoch}");
		}
		// The whole outage is Bob's.
		assert_eq!(judge(4, [BOB]), [Counts]);
	});
}

#[test]
fn an_outage_in_the_first_epoch_has_no_epoch_before_it() {
	build_and_execute(|| {
		report(10);
		dark(BOB, 90);
		run_to_epoch(1);
		dark(ALICE, 1);
		assert_eq!(judge(0, [ALICE]), [OUTAGE]);
		for epoch in 1..=EPOCHS_BEFORE {
			assert_eq!(judge(epoch, [ALICE]), [OUTAGE]);
		}
		assert_eq!(judge(EPOCHS_BEFORE + 1, [ALICE]), [Counts]);
	});
}

#[test]
fn a_single_provider_has_nobody_to_excuse_it() {
	build_and_execute(|| {
		dark(ALICE, 10);
		assert_eq!(judge(0, [ALICE]), [Counts]);
		// Nor when it reported, and lost its GPUs.
		report(10);
		Clock::note_miss(&ALICE, 10, true);
		assert_eq!(judge(2, [ALICE]), [Counts]);
		// Nor in the epoch before or after.
		run_to_epoch(6);
		dark(ALICE, 10);
		run_to_epoch(7);
		dark(ALICE, 10);
		run_to_epoch(8);
		assert_eq!(judge(6, [ALICE]), [Counts]);
		assert_eq!(judge(7, [ALICE]), [Counts]);
	});
}

#[test]
fn of_two_each_can_excuse_the_other_but_not_itself() {
	build_and_execute(|| {
		report(50);
		dark(ALICE, 50);
		assert_eq!(judge(0, [ALICE]), [Counts]);
		run_to_epoch(4);
		dark(ALICE, 50);
		dark(BOB, 50);
		assert_eq!(judge(4, [ALICE, BOB]), [OUTAGE, OUTAGE]);
	});
}

#[test]
fn members_of_a_group_are_one_owner() {
	build_and_execute(|| {
		report(60);
		// Two providers of one group.
		dark(GROUP, 20);
		dark(GROUP, 20);
		assert_eq!(judge(0, [GROUP]), [Counts]);
		run_to_epoch(4);
		report(60);
		dark(ALICE, 20);
		dark(BOB, 20);
		// A quarter of what is not one's own is not more than a quarter.
		assert_eq!(judge(4, [ALICE, BOB]), [Counts, Counts]);
		run_to_epoch(8);
		report(58);
		dark(ALICE, 20);
		dark(BOB, 20);
		assert_eq!(judge(8, [ALICE, BOB]), [OUTAGE, OUTAGE]);
	});
}

#[test]
fn misses_of_nothing_that_is_known_are_no_outage() {
	build_and_execute(|| {
		// Reported just before the epoch began.
		Clock::note_miss(&BOB, 10, true);
		dark(ALICE, 1);
		assert_eq!(judge(0, [ALICE]), [Counts]);
	});
}

#[test]
fn the_first_excuse_stays() {
	build_and_execute(|| {
		Clock::set_paused(true);
		Clock::note_report(10, 100);
		dark(BOB, 90);
		dark(ALICE, 1);
		next_block_after(100 * SLOT);
		assert_eq!(judge(0, [ALICE]), excused(Excuse::MarketPause));
	});
}

#[test]
fn a_new_share_holds_from_the_next_first_miss_on() {
	build_and_execute(|| {
		report(70);
		dark(BOB, 29);
		dark(ALICE, 1);
		OutageShare::set(Permill::from_percent(50));
		// Not in an epoch in which something was missed before.
		dark(ALICE, 1);
		assert_eq!(judge(0, [ALICE]), [OUTAGE]);
		run_to_epoch(4);
		report(70);
		dark(BOB, 29);
		dark(ALICE, 1);
		assert_eq!(judge(4, [ALICE]), [Counts]);
		// Neither is judged anew.
		for percent in [10, 90] {
			OutageShare::set(Permill::from_percent(percent));
			assert_eq!(judge(0, [ALICE]), [OUTAGE]);
			assert_eq!(judge(4, [ALICE]), [Counts]);
		}
	});
}

#[test]
fn a_miss_gets_too_old_to_be_judged() {
	build_and_execute(|| {
		report(90);
		dark(ALICE, 10);
		run_to_epoch(crate::KEPT_EPOCHS);
		Clock::note_searched_until(block());
		assert_eq!(Clock::judge(0, 0, &ALICE), Counts);
		run_to_epoch(crate::KEPT_EPOCHS + 1);
		assert_eq!(Clock::judge(0, 0, &ALICE), Judgement::Excused(Excuse::TooOld));
		assert_eq!(Clock::judge(1, 1, &ALICE), Counts);
	});
}

#[test]
fn a_search_that_never_ends_leaves_a_miss_open() {
	build_and_execute(|| {
		dark(ALICE, 10);
		run_to_epoch(3 * crate::KEPT_EPOCHS);
		assert_eq!(Clock::judge(0, 0, &ALICE), Open);
		Clock::note_searched_until(block());
		assert_eq!(Clock::judge(0, 0, &ALICE), Judgement::Excused(Excuse::TooOld));
	});
}

#[test]
fn epochs_of_one_block_are_judged_too() {
	build_and_execute(|| {
		EpochLength::set(1);
		let searched_block = |ms| {
			next_block_after(ms);
			Clock::note_searched_until(block() + 1);
		};
		report(10);
		dark(ALICE, 10);
		dark(BOB, 10);
		searched_block(SLOT);
		dark(ALICE, 1);
		assert_eq!(Clock::judge(1, 1, &ALICE), Open);
		searched_block(SLOT);
		assert_eq!((Clock::judge(1, 1, &ALICE), Clock::judge(2, 2, &ALICE)), (OUTAGE, Open));
		// A stall before block 4, and a recess in blocks 4 and 5.
		for (ms, is_running) in [(100 * SLOT, false), (SLOT, false), (SLOT, true), (SLOT, true), (SLOT, true)]
		{
			searched_block(ms);
			assert_eq!(Clock::is_running(), is_running);
			assert_eq!(Clock::judge(block() - 1, block() - 1, &ALICE), Open);
		}
		let stall = Judgement::Excused(Excuse::ChainStall);
		assert_eq!(
			[3, 4, 5, 6].map(|epoch| Clock::judge(epoch, epoch, &ALICE)),
			[OUTAGE, stall, stall, Counts]
		);
	});
}

/// The last of those who fell silent with finality came back when the clock ran again: what was counted then had begun before.
#[test]
fn what_began_in_an_excused_epoch_is_excused_when_it_is_found() {
	build_and_execute(|| {
		let excused = Judgement::Excused(Excuse::RuntimeUpgrade);
		run_to_epoch(3);
		<Clock as frame_support::traits::Hooks<u64>>::on_runtime_upgrade();
		run_to_epoch(9);
		dark(ALICE, 10);
		report(1_000);
		run_to_epoch(12);
		Clock::note_searched_until(block());
		for (since, judgement) in
			[(0, Counts), (2, Counts), (3, excused), (4, excused), (6, Counts), (9, Counts)]
		{
			assert_eq!(Clock::judge(since, 9, &ALICE), judgement, "since {since}");
		}
		// Whoever says that something began later than it was found gains nothing.
		assert_eq!(Clock::judge(4, 3, &ALICE), excused);
		assert_eq!(Clock::judge(3, 2, &ALICE), Counts);
	});
}

/// A node that was assigned while many were dark, to one of them, is not ready long after the others have gone.
#[test]
fn what_began_in_an_outage_is_excused_when_it_is_found() {
	build_and_execute(|| {
		report(60);
		dark(BOB, 40);
		run_to_epoch(16);
		report(100);
		dark(ALICE, 1);
		run_to_epoch(19);
		Clock::note_searched_until(block());
		assert_eq!(Clock::judge(16, 16, &ALICE), Counts);
		assert_eq!(Clock::judge(3, 16, &ALICE), OUTAGE);
		assert_eq!(Clock::judge(4, 16, &ALICE), Counts);
		// Nobody is its own excuse there either.
		assert_eq!(Clock::judge(3, 16, &BOB), Counts);
	});
}
