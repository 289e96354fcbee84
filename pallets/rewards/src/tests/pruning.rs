//! What can no longer be claimed is removed, some of it in each block.

use crate::{mock::*, OldestEra, Totals, WeightInfo, CLAIMABLE_ERAS, MAX_PRUNED};
use frame_support::{assert_ok, weights::Weight};

/// Idle epochs of many owners.
fn many_idle(owners: u64) {
	for who in 1_000..1_000 + owners {
		set_provider(who, who, true, UNITS);
		idle([who]);
	}
}

#[test]
fn nothing_that_can_be_claimed_is_pruned() {
	build_and_execute(|| {
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		idle([ALICE, BOB]);
		go_to_era(START + CLAIMABLE_ERAS);
		poll(Weight::MAX);
		assert_eq!((items(), OldestEra::<Test>::get()), (10, Some(START)));
		go_to_era(START + CLAIMABLE_ERAS + 1);
		poll(Weight::MAX);
		assert_eq!((items(), OldestEra::<Test>::get()), (5, Some(START + 1)));
		assert!(Totals::<Test>::contains_key(START + 1));
		assert_ok!(claim(START + 1, ALICE));
	});
}

#[test]
fn a_block_prunes_no_more_than_it_may() {
	build_and_execute(|| {
		many_idle(40);
		let mut left = items();
		assert_eq!(left, 81);
		go_to_era(START + CLAIMABLE_ERAS + 1);
		let most =
			<() as WeightInfo>::prune_start() + <() as WeightInfo>::prune_item() * u64::from(MAX_PRUNED);
		while left > 0 {
			let consumed = poll(Weight::MAX);
			assert!(consumed.all_lte(most));
			assert_eq!(items(), left.saturating_sub(MAX_PRUNED as usize));
			left = items();
			Rewards::do_try_state().unwrap();
		}
		assert_eq!(OldestEra::<Test>::get(), Some(START + 1));
	});
}

#[test]
fn pruning_needs_weight_and_goes_on_when_there_is_some() {
	build_and_execute(|| {
		idle([ALICE]);
		go_to_era(START + CLAIMABLE_ERAS + 1);
		let (start, item) = (<() as WeightInfo>::prune_start(), <() as WeightInfo>::prune_item());
		assert_eq!(poll(start - Weight::from_parts(1, 0)), Weight::zero());
		assert_eq!(poll(start + item - Weight::from_parts(1, 0)), start);
		assert_eq!(items(), 3);
		for left in [2, 1, 0] {
			assert_eq!(poll(start + item), start + item);
			assert_eq!(items(), left);
			Rewards::do_try_state().unwrap();
		}
		assert_eq!(poll(Weight::MAX), start);
	});
}

#[test]
fn eras_in_which_nothing_was_earned_are_stepped_over() {
	build_and_execute(|| {
		idle([ALICE]);
		let later = START + 3 * CLAIMABLE_ERAS;
		go_to_era(later);
		idle([ALICE]);
		for _ in 0..5 {
			poll(Weight::MAX);
		}
		assert_eq!(OldestEra::<Test>::get(), Some(later - CLAIMABLE_ERAS));
		assert_eq!(items(), 3);
	});
}

#[test]
fn before_anything_was_earned_there_is_nothing_to_prune() {
	build_and_execute(|| {
		assert_eq!(poll(Weight::MAX), <() as WeightInfo>::prune_start());
		assert_eq!(OldestEra::<Test>::get(), None);
	});
}
