//! Uptime: epochs of reports that were expected, and those of them that were attested, day by day.

use sp_arithmetic::Permill;

/// Days that are kept.
pub const UPTIME_DAYS: usize = 30;

/// Epochs of one day: how many were expected, and how many of them were attested.
pub type DayOfEpochs = (u32, u32);

/// Adds epochs to `days`, newest first, whose newest one was `passed` days ago. After that the newest one is today.
///
/// What was attested belongs to today. What was missed is spread over the days since the last count, rounded **down** to an
/// epoch for each of them and the rest today: whoever was away for a week did not miss it all on one day. What falls on a
/// day that is no longer kept is forgotten with it. Nobody attests more than was expected: what is above it is not counted.
pub fn count_epochs(days: &mut [DayOfEpochs; UPTIME_DAYS], passed: u32, expected: u32, attested: u32) {
	let attested = attested.min(expected);
	// No difference saturates: it takes a part from the whole. The number of days clamps after eleven million years.
	let missed = expected.saturating_sub(attested);
	let missed_daily = missed / passed.saturating_add(1);
	let missed_today = missed.saturating_sub(missed_daily.saturating_mul(passed));

	pass_days(days, passed);
	for (index, (day_expected, day_attested)) in (0..=passed).zip(days.iter_mut()) {
		// Clamping is right: no day has as many epochs as that.
		if index == 0 {
			*day_expected = day_expected.saturating_add(attested).saturating_add(missed_today);
			*day_attested = day_attested.saturating_add(attested);
		} else {
			*day_expected = day_expected.saturating_add(missed_daily);
		}
	}
}

/// Shares of the expected epochs that were attested, rounded **down**: today, over 7 days and over 30 days, for `days`, newest
/// first, whose newest one was `passed` days ago.
///
/// `None` if no epoch was expected in any of the days. Where only the shorter span is without one, as right after midnight,
/// it has the share of the longer.
pub fn uptime(days: &[DayOfEpochs; UPTIME_DAYS], passed: u32) -> Option<(Permill, Permill, Permill)> {
	let mut days = *days;
	pass_days(&mut days, passed);
	let month = attested_share(&days, UPTIME_DAYS)?;
	let week = attested_share(&days, 7).unwrap_or(month);
	let today = attested_share(&days, 1).unwrap_or(week);
	Some((today, week, month))
}

/// Puts `passed` empty days before the others. As many of the oldest fall out.
fn pass_days(days: &mut [DayOfEpochs; UPTIME_DAYS], passed: u32) {
	let passed = usize::try_from(passed).map_or(UPTIME_DAYS, |passed| passed.min(UPTIME_DAYS));
	days.rotate_right(passed);
	days.iter_mut().take(passed).for_each(|day| *day = (0, 0));
}

/// Share over the newest `count` days. `None` if no epoch was expected in them.
fn attested_share(days: &[DayOfEpochs; UPTIME_DAYS], count: usize) -> Option<Permill> {
	// Cannot overflow: thirty times 2^32.
	let (expected, attested) = days.iter().take(count).fold((0u64, 0u64), |(e, a), (expected, attested)| {
		(e + u64::from(*expected), a + u64::from(*attested))
	});
	(expected > 0).then(|| Permill::from_rational(attested, expected))
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	const NOTHING: [DayOfEpochs; UPTIME_DAYS] = [(0, 0); UPTIME_DAYS];

	fn percent(today: u32, week: u32, month: u32) -> Option<(Permill, Permill, Permill)> {
		Some((Permill::from_percent(today), Permill::from_percent(week), Permill::from_percent(month)))
	}

	#[test]
	fn without_an_expected_epoch_there_is_no_uptime() {
		assert_eq!(uptime(&NOTHING, 0), None);
		let mut days = NOTHING;
		count_epochs(&mut days, 0, 0, 5);
		assert_eq!(days, NOTHING);
	}

	#[test]
	fn examples_worked_by_hand() {
		let mut days = NOTHING;
		count_epochs(&mut days, 0, 4, 3);
		assert_eq!(uptime(&days, 0), percent(75, 75, 75));
		count_epochs(&mut days, 1, 1, 1);
		assert_eq!(days[..2], [(1, 1), (4, 3)]);
		assert_eq!(uptime(&days, 0), percent(100, 80, 80));
		// The week has six days more, then the month alone knows of it.
		assert_eq!(uptime(&days, 6), percent(100, 100, 80));
		assert_eq!(uptime(&days, 7), percent(80, 80, 80));
		assert_eq!(uptime(&days, 29), percent(100, 100, 100));
		assert_eq!(uptime(&days, 30), None);
		// Shares are rounded down.
		count_epochs(&mut days, 30, 3, 2);
		assert_eq!(uptime(&days, 0).map(|(_, _, month)| month), Some(Permill::from_parts(666_666)));
	}

	#[test]
	fn missed_epochs_are_spread_over_the_days_of_absence() {
		let mut days = NOTHING;
		count_epochs(&mut days, 0, 10, 10);
		// Eleven missed on three days and today: two each, and the rest today, with the report that ends it.
		count_epochs(&mut days, 3, 12, 1);
		assert_eq!(days[..5], [(1 + 5, 1), (2, 0), (2, 0), (10 + 2, 10), (0, 0)]);
		// Of a hundred days the last thirty count.
		count_epochs(&mut days, 99, 1_001, 1);
		assert_eq!(days[0], (11, 1));
		assert!(days[1..].iter().all(|day| *day == (10, 0)));
	}

	#[test]
	fn the_ends_of_the_range_are_defined() {
		let mut days = NOTHING;
		count_epochs(&mut days, u32::MAX, u32::MAX, 0);
		assert_eq!(days[..2], [(0, 0), (1, 0)]);
		count_epochs(&mut days, 0, u32::MAX, u32::MAX);
		count_epochs(&mut days, 0, u32::MAX, u32::MAX);
		assert_eq!(days[0], (u32::MAX, u32::MAX));
		assert_eq!(uptime(&days, u32::MAX), None);
		assert_eq!(uptime(&[(u32::MAX, u32::MAX); UPTIME_DAYS], 0), percent(100, 100, 100));
	}

	proptest! {
		#[test]
		fn nothing_is_lost_and_nothing_is_attested_that_was_not_expected(
			counts in prop::collection::vec((0u32..4, 0u32..2_000, 0u32..2_000), 1..8),
		) {
			let mut days = NOTHING;
			let (mut expected, mut attested) = (0, 0);
			for (passed, e, a) in counts {
				count_epochs(&mut days, passed, e, a);
				expected += e;
				attested += a.min(e);
				prop_assert!(days.iter().all(|(e, a)| a <= e));
			}
			prop_assert_eq!(days.iter().map(|(e, _)| e).sum::<u32>(), expected);
			prop_assert_eq!(days.iter().map(|(_, a)| a).sum::<u32>(), attested);
		}

		#[test]
		fn any_input_keeps_the_days_sound(passed: u32, expected: u32, attested: u32) {
			let mut days = [(5, 4); UPTIME_DAYS];
			count_epochs(&mut days, passed, expected, attested);
			prop_assert!(days.iter().all(|(e, a)| a <= e));
			let before = if passed == 0 { 4u32 } else { 0 };
			prop_assert_eq!(days[0].1, before.saturating_add(attested.min(expected)));
		}

		#[test]
		fn a_report_never_lowers_the_share(day in (0u32..5_000, 0u32..5_000).prop_map(|(e, a)| (e.max(a), a))) {
			let mut days = NOTHING;
			days[0] = day;
			let before = uptime(&days, 0).map_or(Permill::zero(), |(_, _, month)| month);
			count_epochs(&mut days, 0, 1, 1);
			prop_assert!(uptime(&days, 0).unwrap().2 >= before);
		}
	}
}
