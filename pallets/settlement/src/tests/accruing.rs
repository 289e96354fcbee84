use super::{attest, open_for, ID};
use crate::{
	mock::{build_and_execute, events, held, Settlement, Test, PROVIDER, RENTER},
	Error, Escrows, Event,
};
use frame_support::{assert_noop, assert_storage_noop};
use millrace_primitives::{Accrued, Escrow};

#[test]
fn attested_time_is_owed_and_not_moved() {
	build_and_execute(|| {
		open_for(10_000);
		events();
		assert_eq!(Settlement::accrue(ID, 2_500), Ok(Accrued { amount: 2_500, exhausted: false }));
		assert_eq!(Settlement::owed(ID), Some(2_500));
		assert_eq!(Settlement::remaining_ms(ID), Some(7_500));
		assert_eq!(held(RENTER), 10_000);
		assert_eq!(events(), vec![Event::Accrued { escrow: ID, ms: 2_500, amount: 2_500 }]);
	});
}

#[test]
fn an_escrow_is_exhausted_when_it_cannot_pay_for_another_second() {
	build_and_execute(|| {
		open_for(10_000);
		assert!(!Settlement::accrue(ID, 9_000).unwrap().exhausted);
		assert_eq!(Settlement::accrue(ID, 1), Ok(Accrued { amount: 1, exhausted: true }));
		Settlement::top_up(ID, 1).unwrap();
		assert!(!Settlement::accrue(ID, 0).unwrap().exhausted);
	});
}

#[test]
fn never_more_is_earned_than_was_locked() {
	build_and_execute(|| {
		open_for(10_000);
		events();
		assert_eq!(Settlement::accrue(ID, u64::MAX), Ok(Accrued { amount: 10_000, exhausted: true }));
		// The event says what was counted, not what was asked for.
		assert_eq!(events(), vec![Event::Accrued { escrow: ID, ms: 10_000, amount: 10_000 }]);
		assert_storage_noop!(assert_eq!(
			Settlement::accrue(ID, 1),
			Ok(Accrued { amount: 0, exhausted: true })
		));
	});
}

#[test]
fn parts_of_a_planck_are_carried_over() {
	build_and_execute(|| {
		// One planck a second, attested by thirds.
		Settlement::open(ID, &RENTER, &PROVIDER, 1, 1_000).unwrap();
		let amounts = [333, 333, 333, 1].map(|ms| Settlement::accrue(ID, ms).unwrap().amount);
		assert_eq!(amounts, [0, 0, 0, 1]);
		assert_eq!(Escrows::<Test>::get(ID).unwrap().attested_ms, 1_000);
	});
}

#[test]
fn no_time_changes_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest(5_000);
		assert_storage_noop!(assert_eq!(Settlement::accrue(ID, 0), Ok(Accrued::default())));
	});
}

#[test]
fn accrual_needs_an_escrow() {
	build_and_execute(|| {
		assert_noop!(Settlement::accrue(ID, 1), Error::<Test>::UnknownEscrow);
		assert_eq!(Settlement::funded_ms(ID), None);
		assert_eq!(Settlement::owed(ID), None);
		assert_eq!(Settlement::remaining_ms(ID), None);
	});
}
