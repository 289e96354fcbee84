//! Uptime: what is recorded, and what is read of it.

use super::{register, signed};
use crate::{
	mock::{build_and_execute, Registry, Test, Timestamp, ALICE, BOB, START},
	Records,
};
use frame_support::{assert_ok, assert_storage_noop};
use millrace_primitives::{ProviderInspect, ProviderLiveness};
use sp_runtime::Permill;

const DAY: u64 = 86_400_000;

/// Moves the clock and counts epochs.
fn count(now: u64, expected: u32, attested: u32) {
	Timestamp::set_timestamp(now);
	Registry::record_epochs(&ALICE, expected, attested, None, now);
}

fn percent(today: u32, week: u32, month: u32) -> Option<(Permill, Permill, Permill)> {
	Some((Permill::from_percent(today), Permill::from_percent(week), Permill::from_percent(month)))
}

#[test]
fn epochs_are_counted_by_day_and_read_over_three_spans() {
	build_and_execute(|| {
		register(ALICE);
		assert_eq!(Registry::uptime(ALICE), None);
		count(START, 4, 3);
		assert_eq!(Registry::uptime(ALICE), percent(75, 75, 75));
		// The last millisecond of that day, and the first of the next.
		count(DAY - 1, 4, 1);
		assert_eq!(Registry::uptime(ALICE), percent(50, 50, 50));
		count(DAY, 2, 2);
		assert_eq!(Registry::uptime(ALICE), percent(100, 60, 60));
		count(7 * DAY, 3, 3);
		assert_eq!(
			Registry::uptime(ALICE),
			percent(100, 100, 69).map(|(today, week, _)| { (today, week, Permill::from_parts(692_307)) })
		);
	});
}

#[test]
fn days_pass_without_reports() {
	build_and_execute(|| {
		register(ALICE);
		count(START, 10, 9);
		count(10 * DAY, 10, 10);
		Timestamp::set_timestamp(29 * DAY);
		assert_eq!(Registry::uptime(ALICE), percent(95, 95, 95));
		Timestamp::set_timestamp(30 * DAY);
		assert_eq!(Registry::uptime(ALICE), percent(100, 100, 100));
		Timestamp::set_timestamp(40 * DAY);
		assert_eq!(Registry::uptime(ALICE), None);
		assert_eq!(Registry::facts(&ALICE).unwrap().uptime, None);
	});
}

#[test]
fn matching_looks_at_thirty_days() {
	build_and_execute(|| {
		register(ALICE);
		assert_eq!(Registry::facts(&ALICE).unwrap().uptime, None);
		count(START, 10, 5);
		count(20 * DAY, 10, 10);
		assert_eq!(Registry::facts(&ALICE).unwrap().uptime, Some(Permill::from_percent(75)));
	});
}

#[test]
fn what_was_missed_is_spread_over_the_absence() {
	build_and_execute(|| {
		register(ALICE);
		count(START, 1, 1);
		count(3 * DAY, 9, 1);
		let ring = Records::<Test>::get(ALICE).unwrap();
		assert_eq!(ring.day, 3);
		assert_eq!(ring.days[..5], [(3, 1), (2, 0), (2, 0), (3, 1), (0, 0)]);
	});
}

#[test]
fn a_clock_that_stands_still_or_goes_back_loses_nothing() {
	build_and_execute(|| {
		register(ALICE);
		count(5 * DAY, 1, 1);
		Registry::record_epochs(&ALICE, 1, 0, None, 4 * DAY);
		let ring = Records::<Test>::get(ALICE).unwrap();
		assert_eq!((ring.day, ring.days[0]), (5, (2, 1)));
	});
}

#[test]
fn strangers_and_nothing_are_not_recorded() {
	build_and_execute(|| {
		register(ALICE);
		assert_storage_noop!(Registry::record_epochs(&BOB, 1, 1, None, START));
		assert_storage_noop!(Registry::record_epochs(&ALICE, 0, 0, None, START));
		assert_eq!(Registry::uptime(BOB), None);
	});
}

#[test]
fn who_leaves_and_comes_back_has_no_history() {
	build_and_execute(|| {
		register(ALICE);
		count(START, 10, 1);
		assert_ok!(Registry::deregister(signed(ALICE)));
		assert_eq!(Registry::uptime(ALICE), None);
		register(ALICE);
		assert_eq!(Registry::facts(&ALICE).unwrap().uptime, None);
	});
}
