//! The walk, over a map of its own.

use crate::*;
use frame_support::{pallet_prelude::ValueQuery, storage_alias, Twox64Concat};
use proptest::prelude::*;
use sp_io::TestExternalities;

#[storage_alias]
type Entries = StorageDoubleMap<Test, Twox64Concat, BlockNumber, Twox64Concat, u8, ()>;

#[storage_alias]
type Cursor = StorageValue<Test, BlockNumber, ValueQuery>;

const WEIGHTS: WalkWeights = WalkWeights {
	start: Weight::from_parts(1_000, 10),
	block: Weight::from_parts(100, 1),
	entry: Weight::from_parts(10, 1),
};
const ITEM: Weight = Weight::from_parts(1, 1);

fn enter(entries: impl IntoIterator<Item = (BlockNumber, u8)>) {
	entries.into_iter().for_each(|(block, item)| Entries::insert(block, item, ()));
}

/// Walks to a block with so much weight. Returns where it stopped, what was served, and what it weighed.
fn walk(now_block: BlockNumber, most: Weight) -> (Option<BlockNumber>, Vec<u8>, Weight) {
	let (mut served, mut outer) = (Vec::new(), WeightMeter::new());
	let stopped = serve_agenda::<Entries, Cursor, u8>(now_block, most, &mut outer, WEIGHTS, |item, meter| {
		let paid = meter.try_consume(ITEM).is_ok();
		served.extend(paid.then_some(*item));
		paid
	});
	served.sort_unstable();
	(stopped, served, outer.consumed())
}

fn left() -> Vec<(BlockNumber, u8)> {
	let mut left: Vec<_> = Entries::iter_keys().collect();
	left.sort_unstable();
	left
}

fn test(run: impl FnOnce()) {
	TestExternalities::default().execute_with(run);
}

#[test]
fn what_came_up_is_served_and_removed() {
	test(|| {
		enter([(0, 1), (2, 2), (2, 3), (4, 4)]);
		let weight = WEIGHTS.start + WEIGHTS.block * 4 + (WEIGHTS.entry + ITEM) * 3;
		assert_eq!(walk(3, Weight::MAX), (Some(4), vec![1, 2, 3], weight));
		assert_eq!((Cursor::get(), left()), (4, vec![(4, 4)]));
		// The block is over.
		assert_eq!(walk(3, Weight::MAX), (Some(4), vec![], WEIGHTS.start));
		assert_eq!(walk(4, Weight::MAX).1, [4]);
	});
}

#[test]
fn what_has_no_weight_carries_over() {
	test(|| {
		enter([(0, 1), (0, 2), (1, 3)]);
		let one = WEIGHTS.least_for(ITEM);
		// Too little to begin, to open a block, to look at an entry, to serve it.
		for most in [
			WEIGHTS.start - Weight::from_parts(1, 0),
			WEIGHTS.start,
			WEIGHTS.start + WEIGHTS.block,
			one - Weight::from_parts(1, 0),
			one - Weight::from_parts(0, 1),
		] {
			let (stopped, served, weight) = walk(1, most);
			assert!(served.is_empty() && weight.all_lte(most), "{most:?}");
			assert_eq!(stopped, most.all_gte(WEIGHTS.start).then_some(0));
		}
		for goes_on_from in 0..=2 {
			let (stopped, served, weight) = walk(1, one);
			assert_eq!((stopped, served.len(), weight), (Some(goes_on_from), 1, one));
		}
		assert_eq!((Cursor::get(), left()), (2, vec![]));
	});
}

#[test]
fn the_outer_meter_limits_too() {
	test(|| {
		enter([(0, 1), (0, 2)]);
		let mut outer = WeightMeter::with_limit(WEIGHTS.least_for(ITEM));
		let mut served = 0;
		serve_agenda::<Entries, Cursor, u8>(0, Weight::MAX, &mut outer, WEIGHTS, |_, meter| {
			let paid = meter.try_consume(ITEM).is_ok();
			served += u32::from(paid);
			paid
		});
		assert_eq!((served, outer.remaining()), (1, Weight::zero()));
	});
}

#[test]
fn an_item_may_be_entered_again() {
	test(|| {
		enter([(0, 7)]);
		let again = |now_block| {
			let next = now_block + 2;
			serve_agenda::<Entries, Cursor, u8>(
				now_block,
				Weight::MAX,
				&mut WeightMeter::new(),
				WEIGHTS,
				|item, _| {
					Entries::insert(next, item, ());
					true
				},
			)
		};
		assert_eq!(again(0), Some(1));
		assert_eq!(left(), [(2, 7)]);
		assert_eq!(again(5), Some(6));
		assert_eq!(left(), [(7, 7)]);
	});
}

#[test]
fn the_way_is_halved() {
	for (left, blocks) in [(0, 1), (1, 1), (12_000, 1), (12_001, 2), (24_000, 2), (60_000, 5)] {
		assert_eq!(blocks_on_the_way(left, 6_000), blocks, "{left} ms");
	}
	assert_eq!(blocks_on_the_way(Moment::MAX, 6_000), BlockNumber::MAX);
	assert_eq!(blocks_on_the_way(10, 0), 5);
}

proptest! {
	/// However little weight there is in a block, each item is served once, none before its block, and never for more weight.
	#[test]
	fn each_item_is_served_once(
		entries in prop::collection::btree_map(any::<u8>(), 0..20_u32, 0..30),
		budgets in prop::collection::vec(0..5_u64, 40),
	) {
		TestExternalities::default().execute_with(|| {
			enter(entries.iter().map(|(item, block)| (*block, *item)));
			let mut all = Vec::new();
			for (now_block, budget) in (0..).zip(budgets) {
				let most = WEIGHTS.least_for(ITEM).saturating_mul(budget);
				let (_, served, weight) = walk(now_block, most);
				assert!(weight.all_lte(most));
				assert!(served.iter().all(|item| entries[item] <= now_block));
				all.extend(served);
			}
			all.extend(walk(40, Weight::MAX).1);
			all.sort_unstable();
			assert!(all.iter().eq(entries.keys()));
			assert!(left().is_empty());
		});
	}
}
