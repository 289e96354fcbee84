//! Each invariant notices the corruption that it is there for.

use crate::{
	mock::*, Census, CurrentRecess, LastObservation, Misses, Observation, OldestEpoch, OwnerMisses, Recess,
	SearchedUntil,
};
use frame_support::weights::Weight;
use millrace_primitives::{Excuse, FaultClock as _, FaultClockControl as _};
use sp_runtime::Permill;

#[test]
fn a_census_that_differs_from_its_owners_is_noticed() {
	build_and_break("1: the census differs", || {
		dark(ALICE, 10);
		OwnerMisses::<Test>::remove(0, ALICE);
	});
	build_and_break("1: the census differs", || {
		dark(ALICE, 10);
		OwnerMisses::<Test>::insert(0, BOB, Misses { missed: 1, absent: 0 });
	});
	build_and_break("1: the census differs", || {
		dark(ALICE, 10);
		Census::<Test>::mutate(0, |census| census.absent = 9);
	});
	build_and_break("1: misses without a census", || {
		dark(ALICE, 10);
		Census::<Test>::remove(0);
	});
	build_and_break("1: the misses overflow", || {
		for owner in [ALICE, BOB] {
			OwnerMisses::<Test>::insert(0, owner, Misses { missed: u128::MAX, absent: 0 });
		}
	});
}

#[test]
fn only_the_epoch_that_is_being_pruned_may_have_lost_owners() {
	let prunable = || {
		dark(ALICE, 10);
		begin_block(SLOT);
		System::set_block_number((LENGTH * 100).into());
		poll(Weight::zero());
	};
	build_and_execute(|| {
		prunable();
		OwnerMisses::<Test>::remove(0, ALICE);
	});
	build_and_break("1: the census differs", || {
		prunable();
		OwnerMisses::<Test>::mutate(0, ALICE, |own| own.missed += 1);
	});
}

#[test]
fn parts_larger_than_the_whole_are_noticed() {
	build_and_break("2: more is lagging", || {
		report(10);
		Census::<Test>::mutate(0, |census| census.lagging = 11);
	});
	build_and_break("2: more is absent", || {
		dark(ALICE, 10);
		Census::<Test>::mutate(0, |census| census.absent = 11);
	});
	build_and_break("2: an owner's absent nodes", || {
		dark(ALICE, 10);
		OwnerMisses::<Test>::mutate(0, ALICE, |own| own.absent = 11);
	});
	build_and_break("2: an owner missed nothing", || {
		OwnerMisses::<Test>::insert(0, ALICE, Misses::default());
	});
}

#[test]
fn epochs_that_are_not_kept_are_noticed() {
	let prune = || {
		run_to_epoch(80);
		assert!(OldestEpoch::<Test>::get() > 0);
	};
	build_and_break("3: the census of an epoch", || {
		prune();
		Census::<Test>::insert(0, crate::EpochCensus::default());
	});
	build_and_break("3: misses of an epoch", || {
		prune();
		OwnerMisses::<Test>::insert(0, ALICE, Misses { missed: 1, absent: 1 });
	});
	build_and_break("3: the census of an epoch", || {
		Census::<Test>::insert(Clock::epoch() + 1, crate::EpochCensus::default());
	});
	build_and_break("4: an epoch was pruned too early", || {
		prune();
		OldestEpoch::<Test>::mutate(|oldest| *oldest += 1);
	});
}

#[test]
fn the_future_is_noticed() {
	build_and_break("5: the future was searched", || SearchedUntil::<Test>::put(block() + 1));
	build_and_break("5: the future was observed", || {
		LastObservation::<Test>::put(Observation { at: START, epoch: Clock::epoch() + 1 })
	});
}

#[test]
fn a_recess_without_a_reason_or_an_end_is_noticed() {
	let until = |ahead| Recess { excuse: Excuse::RuntimeUpgrade, until: block() + ahead };
	build_and_execute(|| CurrentRecess::<Test>::put(until(RECOVERY + 1)));
	build_and_break("6: the recess is too long", || CurrentRecess::<Test>::put(until(RECOVERY + 2)));
	for excuse in [Excuse::MassOutage, Excuse::TooOld] {
		build_and_break("7: a recess", || CurrentRecess::<Test>::put(Recess { excuse, ..until(1) }));
		build_and_break("7: an excuse", || {
			Clock::set_paused(true);
			Census::<Test>::mutate(0, |census| census.excuse = Some(excuse));
		});
	}
}

#[test]
fn a_share_that_excuses_everything_or_nothing_is_noticed() {
	for share in [Permill::zero(), Permill::one()] {
		build_and_break("8: the share", || OutageShare::set(share));
		build_and_break("8: misses that", || {
			dark(ALICE, 10);
			Census::<Test>::mutate(0, |census| census.outage_share = share);
		});
	}
	for share in [Permill::from_parts(1), Permill::from_parts(999_999)] {
		build_and_execute(|| OutageShare::set(share));
	}
}
