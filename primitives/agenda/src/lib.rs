//! Agendas: what time alone changes is found at the block where it may be due.
//!
//! An entry of an agenda, a block and an item, says when to look, not what to do: what is due is decided by whoever serves
//! the item when its entry comes up. One that comes up early is entered again. Entries past their block carry over to the next;
//! nothing is dropped. A block without entries costs one read, however many items are registered.
//!
//! The storage stays in the pallets, each the only writer of its own. Here is the walk over it, which is the same for all.

#![cfg_attr(not(feature = "std"), no_std)]

#[cfg(test)]
mod tests;

use codec::FullCodec;
use frame_support::{
	weights::{Weight, WeightMeter},
	IterableStorageDoubleMap, StorageValue,
};
use millrace_primitives::{BlockNumber, Moment};
use sp_runtime::SaturatedConversion;

/// An item that failed is tried again after this many blocks: soon, but not so soon that it fills every block.
pub const RETRY_AFTER_BLOCKS: BlockNumber = 10;

/// What the walk itself weighs, without what is done for the items.
#[derive(Clone, Copy, Debug)]
pub struct WalkWeights {
	/// Beginning and ending it: reading and writing the cursor.
	pub start: Weight,
	/// A block of the agenda: finding that it has no further entry.
	pub block: Weight,
	/// An entry: finding it, and reading its item to learn what serving it weighs.
	pub entry: Weight,
}

impl WalkWeights {
	/// The least that serving an item of this weight takes in all. An agenda that may use less than this for its largest item
	/// would never get past it.
	pub fn least_for(self, item: Weight) -> Weight {
		self.start.saturating_add(self.block).saturating_add(self.entry).saturating_add(item)
	}
}

/// Serves the entries until block `now_block`, as far as `most` and what is left in `outer` allow.
///
/// `serve` does what is due for an item, or enters it again, at a later block than `now_block`. It answers whether it could pay
/// for that: if not, the entry is served in another block. An entry that is served is removed.
///
/// Returns the first block that is not done, from which the next walk goes on; `None` if there was no weight to begin.
pub fn serve_agenda<Entries, Cursor, Item>(
	now_block: BlockNumber,
	most: Weight,
	outer: &mut WeightMeter,
	weights: WalkWeights,
	mut serve: impl FnMut(&Item, &mut WeightMeter) -> bool,
) -> Option<BlockNumber>
where
	Item: FullCodec,
	Entries: IterableStorageDoubleMap<BlockNumber, Item, ()>,
	Cursor: StorageValue<BlockNumber, Query = BlockNumber>,
{
	let mut meter = WeightMeter::with_limit(most.min(outer.remaining()));
	meter.try_consume(weights.start).ok()?;
	let mut block = Cursor::get();
	while block <= now_block && serve_block::<Entries, Item>(block, &mut meter, weights, &mut serve) {
		block = block.saturating_add(1);
	}
	Cursor::put(block);
	outer.consume(meter.consumed());
	Some(block)
}

/// Serves the entries of one block. Returns whether that is done: if not, the weight is used up.
fn serve_block<Entries, Item>(
	block: BlockNumber,
	meter: &mut WeightMeter,
	weights: WalkWeights,
	serve: &mut impl FnMut(&Item, &mut WeightMeter) -> bool,
) -> bool
where
	Item: FullCodec,
	Entries: IterableStorageDoubleMap<BlockNumber, Item, ()>,
{
	if meter.try_consume(weights.block).is_err() {
		return false;
	}
	// Serving removes the entry that the iterator stands on, and none is ever added to a block that is being served: the
	// iterator goes on from the key. Beginning anew each time would step over all removed ones again.
	for item in Entries::iter_key_prefix(block) {
		if meter.try_consume(weights.entry).is_err() || !serve(&item, meter) {
			return false;
		}
		Entries::remove(block, &item);
	}
	true
}

/// Blocks until an item should be looked at of which something is due in `left` milliseconds: half of the way if no slot, of
/// `slot` milliseconds, is missed; rounded up, at least one.
///
/// Each look goes half of the way that is left then. So a chain that misses up to half of its slots is still on time, at the
/// price of a look for each halving.
pub fn blocks_on_the_way(left: Moment, slot: Moment) -> BlockNumber {
	// Clamping is right: a block that does not fit never comes.
	left.div_ceil(slot.max(1)).div_ceil(2).max(1).saturated_into()
}
