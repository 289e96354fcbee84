//! When time alone changes a lease next.

use crate::mock::{Leases, *};
use frame_support::assert_ok;
use millrace_primitives::LeaseId;

/// Each row: how the lease is made, and when time alone changes it next.
#[test]
fn the_deadline_is_the_soonest_of_all_that_time_can_change() {
	type Row = (&'static str, fn() -> LeaseId, u64);
	let rows: [Row; 13] = [
		("pending: ready within", open, START + ReadyWithin::get()),
		("active: the end, and the wait for its report", open_active, START + 10 * MINUTE + WINDOW),
		(
			"attested to the end: the end",
			|| {
				let lease = open_active();
				Now::set(START + 10 * MINUTE);
				attest(lease);
				lease
			},
			START + 10 * MINUTE,
		),
		(
			"suspended",
			|| {
				let lease = open_active();
				suspend(lease, PROVIDER);
				lease
			},
			START + SuspendedFor::get(),
		),
		(
			"suspended shortly before the end: the end",
			|| {
				let lease = open_active();
				Now::set(START + 9 * MINUTE);
				suspend(lease, PROVIDER);
				lease
			},
			START + 10 * MINUTE,
		),
		(
			"notice",
			|| {
				let lease = open_active();
				assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
				lease
			},
			START + 2 * MINUTE,
		),
		(
			"notice, suspended: the sooner of both",
			|| {
				let lease = open_active();
				assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
				Now::set(START + MINUTE);
				suspend(lease, PROVIDER);
				lease
			},
			START + 2 * MINUTE,
		),
		(
			"faulted: the next search",
			|| {
				post(PROVIDER, 8, PRICE);
				let lease = order(RENTER, with_failover(terms(2), 0));
				attest(lease);
				assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
				lease
			},
			START + 5 * SLOT,
		),
		(
			"open-ended: the warning",
			|| {
				post(PROVIDER, 8, PRICE);
				let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
				attest(lease);
				serve_blocks(lease, 290);
				lease
			},
			START + 5 * MINUTE,
		),
		(
			"warned: the freeze",
			|| {
				post(PROVIDER, 8, PRICE);
				let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
				attest(lease);
				serve_blocks(lease, 530);
				lease
			},
			START + 9 * MINUTE,
		),
		(
			"frozen: nothing but attestations",
			|| {
				post(PROVIDER, 8, PRICE);
				let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
				attest(lease);
				serve_blocks(lease, 540);
				lease
			},
			u64::MAX,
		),
		(
			"used up: at once",
			|| {
				post(PROVIDER, 8, PRICE);
				let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
				attest(lease);
				serve_blocks(lease, 600);
				lease
			},
			START + 10 * MINUTE,
		),
		(
			"a gang: the soonest of its nodes",
			|| {
				post(PROVIDER, 8, PRICE - 1);
				post(OTHER_PROVIDER, 8, PRICE);
				let lease = order(RENTER, gang(2, 1));
				attest(lease);
				suspend(lease, OTHER_PROVIDER);
				Now::set(START + 10 * SLOT);
				suspend(lease, PROVIDER);
				lease
			},
			START + SuspendedFor::get(),
		),
	];
	for (name, make, deadline) in rows {
		ExtBuilder.build_and_execute(|| {
			let lease = make();
			assert_eq!(Leases::deadline(lease, &record(lease), Now::get()), deadline, "{name}");
			// A millisecond before it there is nothing to do, and at it there is.
			let make_due_at = |at| {
				Now::set(at);
				Leases::make_due(lease, record(lease), at)
			};
			if deadline > Now::get() {
				assert_ok!(make_due_at(deadline.min(Now::get() + 60 * MINUTE) - 1), false);
			}
			if deadline < u64::MAX {
				assert_ok!(make_due_at(deadline), true);
			}
		});
	}
}
