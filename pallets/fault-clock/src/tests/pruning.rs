//! What is too old is removed, some of it in each block.

use crate::{mock::*, Census, OldestEpoch, OwnerMisses, WeightInfo, EPOCHS_BEFORE, KEPT_EPOCHS, MAX_PRUNED};
use frame_support::weights::Weight;
use millrace_primitives::{FaultCensus as _, FaultClock as _, Judgement};

/// Many owners, each of which misses something in this epoch.
fn many_miss(owners: u64) {
	for account in 0..owners {
		dark(account, 1);
	}
}

fn owners_in(epoch: u32) -> usize {
	OwnerMisses::<Test>::iter_prefix(epoch).count()
}

#[test]
fn nothing_that_is_judged_by_is_pruned() {
	build_and_execute(|| {
		// An outage, and one miss of its tail, that must be excused for as long as it is judged.
		many_miss(10);
		run_to_epoch(EPOCHS_BEFORE);
		report(10);
		dark(ALICE, 1);
		run_to_epoch(KEPT_EPOCHS + EPOCHS_BEFORE + 1);
		next_block();
		Clock::note_searched_until(block());
		assert_eq!((OldestEpoch::<Test>::get(), owners_in(0)), (1, 0));
		assert_eq!(
			Clock::judge(EPOCHS_BEFORE, EPOCHS_BEFORE, &ALICE),
			Judgement::Excused(millrace_primitives::Excuse::TooOld)
		);
	});
	build_and_execute(|| {
		many_miss(10);
		run_to_epoch(EPOCHS_BEFORE);
		report(10);
		dark(ALICE, 1);
		run_to(LENGTH * (KEPT_EPOCHS + EPOCHS_BEFORE + 1) - 1);
		Clock::note_searched_until(block());
		assert_eq!((OldestEpoch::<Test>::get(), owners_in(0)), (0, 10));
		assert_eq!(
			Clock::judge(EPOCHS_BEFORE, EPOCHS_BEFORE, &ALICE),
			Judgement::Excused(millrace_primitives::Excuse::MassOutage)
		);
	});
}

#[test]
fn a_block_prunes_no_more_than_it_may() {
	build_and_execute(|| {
		let owners = 3 * u64::from(MAX_PRUNED) + 5;
		many_miss(owners);
		let mut left = owners as usize;
		run_to(LENGTH * (KEPT_EPOCHS + EPOCHS_BEFORE + 1) - 1);
		assert_eq!(owners_in(0), left);
		while left > 0 {
			begin_block(SLOT);
			let consumed = poll(Weight::MAX);
			let now = owners_in(0);
			assert!(left - now <= MAX_PRUNED as usize);
			assert!(now < left);
			let most =
				<() as WeightInfo>::observe() + <() as WeightInfo>::prune_item() * u64::from(MAX_PRUNED);
			assert!(consumed.all_lte(most));
			left = now;
			Clock::do_try_state().unwrap();
		}
		next_block();
		assert_eq!(OldestEpoch::<Test>::get(), 1);
		assert_eq!(Census::<Test>::iter().count(), 0);
	});
}

#[test]
fn pruning_takes_only_the_weight_that_is_left() {
	build_and_execute(|| {
		many_miss(3);
		run_to(LENGTH * (KEPT_EPOCHS + EPOCHS_BEFORE + 1) - 1);
		let observe = <() as WeightInfo>::observe();
		let item = <() as WeightInfo>::prune_item();
		let almost = item - Weight::from_parts(1, 0);
		for (extra, left, consumed) in [
			(Weight::zero(), 3, observe),
			(almost, 3, observe),
			(item, 2, observe + item),
			(item + item + almost, 0, observe + item + item),
		] {
			begin_block(SLOT);
			assert_eq!(poll(observe + extra), consumed);
			assert_eq!(owners_in(0), left);
			Clock::do_try_state().unwrap();
		}
		// The epoch itself is an item too.
		assert_eq!((OldestEpoch::<Test>::get(), Census::<Test>::contains_key(0)), (0, true));
		begin_block(SLOT);
		poll(observe + item);
		assert_eq!((OldestEpoch::<Test>::get(), Census::<Test>::contains_key(0)), (1, false));
	});
}

#[test]
fn many_empty_epochs_are_passed_in_bounded_steps() {
	build_and_execute(|| {
		dark(ALICE, 1);
		// No weight for anything for a long time.
		begin_block(SLOT);
		System::set_block_number((1_000 * LENGTH).into());
		for round in 1..=14 {
			begin_block(SLOT);
			let consumed = poll(Weight::MAX);
			let items = <() as WeightInfo>::prune_item() * u64::from(MAX_PRUNED);
			assert_eq!(consumed, <() as WeightInfo>::observe() + items);
			assert_eq!(OldestEpoch::<Test>::get(), round * MAX_PRUNED - 1);
		}
		run_to(block() + 2);
		let current = Clock::epoch();
		assert_eq!(OldestEpoch::<Test>::get(), current - KEPT_EPOCHS - EPOCHS_BEFORE);
	});
}

#[test]
fn pruning_is_complete() {
	build_and_execute(|| {
		EpochLength::set(2);
		for _ in 0..100 {
			report(10);
			many_miss(7);
			next_block();
		}
		run_to_epoch(50 + KEPT_EPOCHS + 40);
		assert_eq!(Census::<Test>::iter().count(), 0);
		assert_eq!(OwnerMisses::<Test>::iter().count(), 0);
		assert_eq!(OldestEpoch::<Test>::get(), 50 + 40 - EPOCHS_BEFORE);
	});
}
