//! Announced maintenance.

use super::{register, signed};
use crate::{
	mock::{
		build_and_execute, events, Registry, Test, Timestamp, ALICE, BOB, MAINTENANCE_NOTICE,
		MAX_MAINTENANCE, START,
	},
	Error, Event, Providers,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{ProviderInspect, ProviderLiveness};
use sp_runtime::Permill;

const FROM: u64 = START + MAINTENANCE_NOTICE;
const LENGTH: u64 = 500;

/// A live provider that has announced a maintenance.
fn with_maintenance(test: impl FnOnce()) {
	build_and_execute(|| {
		register(ALICE);
		Registry::mark_live(&ALICE);
		Registry::update_health(&ALICE, &[]);
		events();
		assert_ok!(Registry::announce_maintenance(signed(ALICE), FROM, FROM + LENGTH));
		test();
	});
}

fn is_live() -> bool {
	Registry::facts(&ALICE).unwrap().live
}

fn month() -> Option<Permill> {
	Registry::uptime(ALICE).map(|(_, _, month)| month)
}

#[test]
fn a_provider_in_maintenance_is_offered_to_nobody() {
	with_maintenance(|| {
		let announced = Event::MaintenanceAnnounced { provider: ALICE, from: FROM, until: FROM + LENGTH };
		assert_eq!(events(), vec![announced]);
		for (at, live) in [(FROM - 1, true), (FROM, false), (FROM + LENGTH - 1, false), (FROM + LENGTH, true)]
		{
			Timestamp::set_timestamp(at);
			assert_eq!(is_live(), live, "at {at}");
		}
	});
}

#[test]
fn its_begin_and_its_end_are_news_for_the_next_report() {
	with_maintenance(|| {
		for (at, news) in [(FROM - 1, false), (FROM, true), (FROM + 1, false), (FROM + LENGTH, true)] {
			Timestamp::set_timestamp(at);
			assert_eq!(Registry::update_health(&ALICE, &[]), news, "at {at}");
		}
		assert!(!Registry::update_health(&ALICE, &[]));
	});
}

#[test]
fn what_an_idle_provider_misses_in_it_is_not_counted() {
	with_maintenance(|| {
		// Half of the time since the last report was in it, and so is half of what was missed.
		let now = FROM + 2 * LENGTH;
		Timestamp::set_timestamp(now);
		Registry::record_epochs(&ALICE, 11, 1, Some(FROM), now);
		assert_eq!(month(), Some(Permill::from_rational(1u32, 6)));
	});
	with_maintenance(|| {
		let now = FROM + LENGTH;
		Timestamp::set_timestamp(now);
		Registry::record_epochs(&ALICE, 11, 1, Some(FROM), now);
		assert_eq!(month(), Some(Permill::one()));
		// Nothing is left that was expected.
		Registry::record_epochs(&ALICE, 3, 0, Some(FROM), now);
		assert_eq!(month(), Some(Permill::one()));
	});
}

#[test]
fn it_protects_no_lease() {
	with_maintenance(|| {
		let now = FROM + LENGTH;
		Timestamp::set_timestamp(now);
		Registry::record_epochs(&ALICE, 10, 1, None, now);
		assert_eq!(month(), Some(Permill::from_percent(10)));
	});
}

#[test]
fn limits_are_enforced_each_with_its_error() {
	build_and_execute(|| {
		register(ALICE);
		let announce = |from, until| Registry::announce_maintenance(signed(ALICE), from, until);
		assert_noop!(
			Registry::announce_maintenance(signed(BOB), FROM, FROM + 1),
			Error::<Test>::NotRegistered
		);
		assert_noop!(announce(FROM, FROM), Error::<Test>::MaintenanceEndsBeforeItBegins);
		assert_noop!(announce(FROM - 1, FROM), Error::<Test>::MaintenanceTooSoon);
		assert_noop!(announce(FROM, FROM + MAX_MAINTENANCE + 1), Error::<Test>::MaintenanceTooLong);
		assert_ok!(announce(FROM, FROM + MAX_MAINTENANCE));
		assert_eq!(Registry::maintenance_limits(), (MAINTENANCE_NOTICE, MAX_MAINTENANCE));
	});
}

#[test]
fn after_it_comes_a_break() {
	with_maintenance(|| {
		Timestamp::set_timestamp(FROM);
		let announce = |from| Registry::announce_maintenance(signed(ALICE), from, from + 1);
		let rested = FROM + LENGTH + 7 * LENGTH;
		assert_noop!(announce(rested - 1), Error::<Test>::MaintenanceTooOften);
		assert_ok!(announce(rested));
		// One that has not begun is replaced.
		assert_ok!(announce(rested + 5));
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().maintenance.unwrap().from, rested + 5);
	});
}

#[test]
fn it_is_taken_back_or_ended_early() {
	with_maintenance(|| {
		assert_ok!(Registry::end_maintenance(signed(ALICE)));
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().maintenance, None);
		assert_noop!(Registry::end_maintenance(signed(ALICE)), Error::<Test>::NoMaintenance);
		assert_noop!(Registry::end_maintenance(signed(BOB)), Error::<Test>::NotRegistered);
	});
	with_maintenance(|| {
		Timestamp::set_timestamp(FROM + 100);
		events();
		assert_ok!(Registry::end_maintenance(signed(ALICE)));
		assert!(is_live());
		assert_eq!(events(), vec![Event::MaintenanceEnded { provider: ALICE }]);
		// The break is that of its real length.
		let next = FROM + 100 + 700;
		assert_ok!(Registry::announce_maintenance(signed(ALICE), next, next + 1));
	});
}

#[test]
fn an_announcement_that_is_taken_back_does_not_end_the_break() {
	with_maintenance(|| {
		let over = FROM + LENGTH;
		let rested = over + 7 * LENGTH;
		Timestamp::set_timestamp(over);
		assert_ok!(Registry::announce_maintenance(signed(ALICE), rested, rested + 1));
		assert_ok!(Registry::end_maintenance(signed(ALICE)));
		let soon = over + MAINTENANCE_NOTICE;
		assert_noop!(
			Registry::announce_maintenance(signed(ALICE), soon, soon + 1),
			Error::<Test>::MaintenanceTooOften
		);
		assert_ok!(Registry::announce_maintenance(signed(ALICE), rested, rested + 1));
	});
}
