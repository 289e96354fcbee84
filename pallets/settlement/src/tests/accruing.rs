use super::{attest, open_for, record, stream, ID, S};
use crate::{
	mock::{
		build_and_execute, events, held, pass, ContestWindow, Settlement, Test, Timestamp, MATURE, PROVIDER,
		RENTER, START, WINDOW,
	},
	Bucket, Error, Event, MAX_BUCKETS,
};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{Accrued, Asset, Escrow, StreamId};

#[test]
fn attested_time_is_owed_and_not_moved() {
	build_and_execute(|| {
		open_for(10_000);
		events();
		assert_eq!(Settlement::accrue(ID, S, 2_500), Ok(Accrued { ms: 2_500, amount: 2_500 }));
		assert_eq!(Settlement::owed(ID), Some(2_500));
		assert_eq!(Settlement::free(ID), Some(7_500));
		assert_eq!(held(RENTER), 10_000);
		let accrued = Event::Accrued { escrow: ID, stream: S, ms: 2_500, amount: 2_500 };
		assert_eq!(events(), vec![accrued]);
	});
}

#[test]
fn never_more_is_earned_than_was_locked() {
	build_and_execute(|| {
		open_for(10_000);
		events();
		assert_eq!(Settlement::accrue(ID, S, u64::MAX), Ok(Accrued { ms: 10_000, amount: 10_000 }));
		// The event says what was counted, not what was asked for.
		let accrued = Event::Accrued { escrow: ID, stream: S, ms: 10_000, amount: 10_000 };
		assert_eq!(events(), vec![accrued]);
		assert_storage_noop!(assert_eq!(Settlement::accrue(ID, S, 1), Ok(Accrued::default())));
	});
}

#[test]
fn topping_up_is_never_spent_on_the_past() {
	build_and_execute(|| {
		open_for(10_000);
		attest(60_000);
		assert_ok!(Settlement::top_up(ID, 5_000));
		assert_eq!(Settlement::free(ID), Some(5_000));
		assert_eq!(Settlement::accrue(ID, S, 60_000), Ok(Accrued { ms: 5_000, amount: 5_000 }));
	});
}

#[test]
fn parts_of_a_planck_are_carried_over() {
	build_and_execute(|| {
		// One planck a second, attested by thirds.
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1));
		assert_ok!(Settlement::add_stream(ID, &PROVIDER, 1));
		let accrue = |ms| Settlement::accrue(ID, S, ms).unwrap().amount;
		assert_eq!([333, 333, 333, 1].map(accrue), [0, 0, 0, 1]);
		// Nothing is free any more, yet less than a planck can still be counted, and costs nothing.
		assert_eq!([999, 1].map(accrue), [0, 0]);
		assert_eq!(record().attested_ms, 1_000);
	});
}

#[test]
fn a_free_service_is_funded_for_ever() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 0));
		assert_ok!(Settlement::add_stream(ID, &PROVIDER, 0));
		assert_eq!(Settlement::accrue(ID, S, u64::MAX), Ok(Accrued { ms: u64::MAX, amount: 0 }));
		assert_eq!(Settlement::accrue(ID, S, 1), Ok(Accrued::default()));
		assert_eq!(Settlement::close(ID).unwrap().attested_ms, u64::MAX);
	});
}

#[test]
fn a_rate_beyond_the_deposit_pays_for_no_time() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1_000));
		assert_ok!(Settlement::add_stream(ID, &PROVIDER, u128::MAX));
		assert_eq!(Settlement::accrue(ID, S, u64::MAX), Ok(Accrued::default()));
		assert_eq!(Settlement::close(ID).unwrap().refunded, 1_000);
	});
}

#[test]
fn no_time_changes_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest(5_000);
		assert_storage_noop!(assert_eq!(Settlement::accrue(ID, S, 0), Ok(Accrued::default())));
	});
}

#[test]
fn accrual_needs_an_open_escrow_and_a_stream() {
	build_and_execute(|| {
		assert_noop!(Settlement::accrue(ID, S, 1), Error::<Test>::UnknownEscrow);
		open_for(10_000);
		assert_noop!(Settlement::accrue(ID, StreamId(1), 1), Error::<Test>::UnknownStream);
		attest(1);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::accrue(ID, S, 1), Error::<Test>::EscrowClosed);
	});
}

#[test]
fn earnings_of_a_quarter_of_a_window_mature_together() {
	build_and_execute(|| {
		open_for(10_000);
		attest(10);
		pass(WINDOW / 4);
		attest(20);
		pass(1);
		attest(30);
		let buckets = [
			Bucket { matures_at: START + MATURE, amount: 30 },
			Bucket { matures_at: START + WINDOW / 4 + 1 + MATURE, amount: 30 },
		];
		assert_eq!(stream().maturing.to_vec(), buckets);
	});
}

#[test]
fn everything_matures_within_a_window_and_a_quarter_and_not_before_the_window() {
	for step in [1, 999, WINDOW / 4, WINDOW / 4 + 1, WINDOW / 3, WINDOW] {
		build_and_execute(|| {
			open_for(1_000_000);
			let mut accruals = vec![];
			for _ in 0..40 {
				attest(7);
				accruals.push(Timestamp::get());
				let now = accruals[accruals.len() - 1];
				let mature =
					|within: u64| accruals.iter().filter(|at| **at + within <= now).count() as u128 * 7;
				let due = stream().due(now);
				assert!(due <= mature(WINDOW), "something was due too early");
				assert!(due >= mature(MATURE), "something was due too late");
				assert!(stream().maturing.len() <= MAX_BUCKETS as usize);
				pass(step);
			}
		});
	}
}

#[test]
fn windows_of_any_length_need_no_more_buckets_than_there_are() {
	for window in 0..40 {
		build_and_execute(|| {
			ContestWindow::set(window);
			open_for(1_000_000);
			for _ in 0..200 {
				attest(1);
				// Each waits for at least its window, so that a full list has not merged any.
				let newest = stream().maturing.last().copied().unwrap();
				let now = Timestamp::get();
				assert!(newest.matures_at >= now + window && newest.matures_at <= now + window + window / 4);
				pass(1);
			}
		});
	}
}

#[test]
fn a_window_that_became_longer_lets_nothing_mature_too_early() {
	build_and_execute(|| {
		open_for(1_000_000);
		attest(1);
		for _ in 1..MAX_BUCKETS {
			pass(WINDOW / 4 + 1);
			attest(1);
		}
		ContestWindow::set(WINDOW * 4);
		pass(1);
		// There is no room for another bucket: the newest takes it, and waits for all of it.
		attest(1);
		let buckets = stream().maturing;
		let newest = Bucket { matures_at: Timestamp::get() + WINDOW * 4, amount: 2 };
		assert_eq!((buckets.len() as u32, buckets.last()), (MAX_BUCKETS, Some(&newest)));
	});
}
