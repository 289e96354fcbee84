//! The record of leases and slashes, and the reputation that follows.

use super::{register, register_with};
use crate::{
	mock::{build_and_execute, Registry, Test, ALICE, BOB, START},
	Records,
};
use frame_support::assert_storage_noop;
use millrace_primitives::{
	BondSlashing, GpuReservation, ProviderInspect, ProviderLiveness, ServiceOutcome, SlashLimit,
};
use sp_runtime::Permill;

fn end(outcome: ServiceOutcome) {
	Registry::record_outcome(&ALICE, outcome);
}

#[test]
fn a_reputation_begins_with_the_uptime_and_falls_with_what_goes_wrong() {
	build_and_execute(|| {
		register(ALICE);
		assert_eq!(Registry::reputation(ALICE), Permill::zero());
		Registry::record_epochs(&ALICE, 10, 9, None, START);
		assert_eq!(Registry::reputation(ALICE), Permill::from_percent(90));
		end(ServiceOutcome::Completed);
		assert_eq!(Registry::reputation(ALICE), Permill::from_percent(90));
		end(ServiceOutcome::Rejected);
		assert_eq!(Registry::reputation(ALICE), Permill::from_parts(618_750));
		end(ServiceOutcome::Faulted);
		let record = Registry::record(ALICE).unwrap();
		assert_eq!((record.completed, record.rejected, record.faulted, record.slashed), (1, 1, 1, 0));
		assert!(Registry::reputation(ALICE) < Permill::from_parts(618_750));
		assert_eq!(Registry::facts(&ALICE).unwrap().reputation, Registry::reputation(ALICE));
	});
}

#[test]
fn an_executed_slash_counts_and_a_returned_one_does_not() {
	build_and_execute(|| {
		register_with(ALICE, 1_000);
		Registry::record_epochs(&ALICE, 1, 1, None, START);
		Registry::hold_slash(&ALICE, 100, SlashLimit::Stake).unwrap();
		Registry::return_slash(&ALICE, 50).unwrap();
		assert_eq!(Registry::reputation(ALICE), Permill::one());
		drop(Registry::take_slash(&ALICE, 50).unwrap());
		assert_eq!(Registry::reputation(ALICE), Permill::from_percent(50));
		assert_eq!(Records::<Test>::get(ALICE).unwrap().slashed, 1);
	});
}

#[test]
fn nothing_is_remembered_of_strangers() {
	build_and_execute(|| {
		assert_storage_noop!(Registry::record_outcome(&BOB, ServiceOutcome::Completed));
		assert_eq!(Registry::reputation(BOB), Permill::zero());
		assert_eq!(Registry::record(BOB), None);
	});
}
