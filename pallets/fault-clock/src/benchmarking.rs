//! Benchmarks of the hooks and of what other pallets ask for, each in its worst case.

use crate::{
	types::{Misses, Recess, EPOCHS_AFTER, EPOCHS_BEFORE, KEPT_EPOCHS},
	Census, Config, CurrentRecess, LastObservation, OldestEpoch, OwnerMisses, Pallet, SearchedUntil,
	StoppedMs,
};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{Get, Hooks, Time},
	weights::WeightMeter,
};
use millrace_primitives::{
	Balance, BlockNumber, Excuse, FaultCensus, FaultClock, FaultClockControl, FaultEpoch, Judgement, Moment,
};

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper {
	/// Makes `now`, in milliseconds since the Unix epoch, the chain's time. It is never earlier than the present time.
	fn set_time(now: Moment);
}

/// Lease bond of a node, in plancks.
const BOND: Balance = 1_000_000_000_000;
/// Beside so much, a node is not an outage, whatever the share.
const PLENTY: Balance = 1_000_000 * BOND;

fn owner<T: Config>() -> T::AccountId {
	account("owner", 0, 0)
}

/// Makes the first block of an epoch the current one. Returns it.
fn go_to_epoch<T: Config>(epoch: FaultEpoch) -> BlockNumber {
	let block = epoch.saturating_mul(T::EpochLength::get().max(1));
	frame_system::Pallet::<T>::set_block_number(block.into());
	block
}

/// Observes a block, with weight for all that there is to prune.
fn poll<T: Config>(block: BlockNumber) {
	Pallet::<T>::on_poll(block.into(), &mut WeightMeter::new());
}

/// In this epoch an owner missed something, and others reported that much.
fn fill_epoch<T: Config>(epoch: FaultEpoch, reported: Balance) {
	go_to_epoch::<T>(epoch);
	Pallet::<T>::note_report(reported, 0);
	Pallet::<T>::note_miss(&owner::<T>(), BOND, false);
}

/// Nothing may be measured that the pallet could not come to by itself.
fn assert_sound<T: Config>() {
	#[cfg(test)]
	frame_support::assert_ok!(Pallet::<T>::do_try_state());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// After a stall, in the first block of an epoch after one that lagged.
	#[benchmark]
	fn observe() {
		let first = go_to_epoch::<T>(1);
		poll::<T>(first);
		Pallet::<T>::note_report(BOND, BlockNumber::MAX);
		let block = go_to_epoch::<T>(2);
		let stalled = u64::from(T::MaxLag::get()).saturating_add(2).saturating_mul(T::SlotDuration::get());
		T::BenchmarkHelper::set_time(T::Time::now().saturating_add(stalled));
		assert_sound::<T>();

		#[block]
		{
			poll::<T>(block);
		}

		assert_eq!(LastObservation::<T>::get().map(|last| last.epoch), Some(2));
		assert_eq!(StoppedMs::<T>::get(), stalled);
		assert_eq!(Census::<T>::get(2).excuse, Some(Excuse::ChainStall));
	}

	/// Both kinds of item: an owner's misses, and the epoch that held nothing else.
	#[benchmark]
	fn prune_item() {
		fill_epoch::<T>(0, BOND);
		let current = KEPT_EPOCHS.saturating_add(EPOCHS_BEFORE).saturating_add(1);
		go_to_epoch::<T>(current);
		assert_sound::<T>();

		#[block]
		{
			Pallet::<T>::prune(current, &mut WeightMeter::new());
		}

		assert_eq!(OldestEpoch::<T>::get(), 1);
		assert!(!Census::<T>::contains_key(0));
		assert_eq!(OwnerMisses::<T>::iter_prefix(0).count(), 0);
	}

	#[benchmark]
	fn on_runtime_upgrade() {
		go_to_epoch::<T>(1);
		CurrentRecess::<T>::put(Recess { excuse: Excuse::ChainStall, until: 0 });

		#[block]
		{
			Pallet::<T>::on_runtime_upgrade();
		}

		let recess = CurrentRecess::<T>::get().map(|recess| recess.excuse);
		assert_eq!(recess, Some(Excuse::RuntimeUpgrade));
		assert_sound::<T>();
	}

	/// A pause and its end: more than either.
	#[benchmark]
	fn set_paused() {
		fill_epoch::<T>(1, BOND);

		#[block]
		{
			Pallet::<T>::set_paused(true);
			Pallet::<T>::set_paused(false);
		}

		assert_eq!(Census::<T>::get(1).excuse, Some(Excuse::MarketPause));
		assert!(CurrentRecess::<T>::exists());
	}

	#[benchmark]
	fn note_report() {
		fill_epoch::<T>(1, BOND);

		#[block]
		{
			Pallet::<T>::note_report(BOND, BlockNumber::MAX);
		}

		assert_eq!(Census::<T>::get(1).lagging, BOND);
	}

	#[benchmark]
	fn note_miss() {
		fill_epoch::<T>(1, BOND);
		let owner = owner::<T>();

		#[block]
		{
			Pallet::<T>::note_miss(&owner, BOND, false);
		}

		let twice = BOND.saturating_mul(2);
		assert_eq!(OwnerMisses::<T>::get(1, owner), Misses { missed: twice, absent: twice });
	}

	/// After a long gap: as many epochs as are announced at once, all of them excused, by as many censuses as it takes.
	#[benchmark]
	fn note_searched_until() {
		// The last four that can be judged are 3 to 6. Outages in 4 and 7 excuse them all.
		for epoch in 0..8 {
			fill_epoch::<T>(epoch, if matches!(epoch, 4 | 7) { 0 } else { PLENTY });
		}
		let block = go_to_epoch::<T>(8);
		let events = frame_system::Pallet::<T>::event_count();

		#[block]
		{
			Pallet::<T>::note_searched_until(block);
		}

		assert_eq!(SearchedUntil::<T>::get(), block);
		assert_eq!(frame_system::Pallet::<T>::event_count().saturating_sub(events), 4);
		assert_sound::<T>();
	}

	/// A miss that counts, by all three censuses.
	#[benchmark]
	fn judge() {
		// So far apart that no epoch is looked at twice.
		let since = EPOCHS_BEFORE;
		let epoch = since.saturating_add(EPOCHS_AFTER).saturating_add(EPOCHS_BEFORE).saturating_add(1);
		let last = epoch.saturating_add(EPOCHS_AFTER);
		for epoch in 0..=last {
			fill_epoch::<T>(epoch, PLENTY);
		}
		let block = go_to_epoch::<T>(last.saturating_add(1));
		Pallet::<T>::note_searched_until(block);
		let owner = owner::<T>();
		let judgement;

		#[block]
		{
			judgement = Pallet::<T>::judge(since, epoch, &owner);
		}

		assert_eq!(judgement, Judgement::Counts);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
