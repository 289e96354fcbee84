//! Benchmarks: the call and each step of pruning in its worst case. Each checks that what it measures was done.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::{pallet::*, Earning, Era, EraTotal, CLAIMABLE_ERAS};
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{
		fungible::{Inspect as _, Mutate as _},
		Get,
	},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{Balance, Moment};

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper {
	/// Makes `now`, in milliseconds since the Unix epoch, the chain's time.
	fn set_time(now: Moment);
}

/// The era that is claimed, and pruned.
const ERA: Era = 10;
/// Of the provider, and of all others.
const UNITS: u128 = 1_000;

fn provider<T: Config>() -> T::AccountId {
	account("provider", 0, 0)
}

/// Makes this era the current one.
fn go_to_era<T: Config>(era: Era) {
	T::BenchmarkHelper::set_time(Moment::from(era) * T::EraDuration::get());
}

/// A provider has half of an era's units. Written as it would be: the rate may be zero in the runtime that is measured.
fn earn<T: Config>(rate: Balance) {
	let owner = provider::<T>();
	go_to_era::<T>(ERA);
	OldestEra::<T>::put(ERA);
	Earned::<T>::insert(ERA, provider::<T>(), Earning { owner: owner.clone(), units: UNITS });
	OwnerUnits::<T>::insert(ERA, owner, UNITS);
	OwnerUnits::<T>::insert(ERA, account::<T::AccountId>("founder", 0, 0), UNITS);
	Totals::<T>::insert(ERA, EraTotal { units: 2 * UNITS, rate, budget: Balance::MAX });
}

/// Nothing may be measured that the pallet could not come to by itself.
fn assert_sound<T: Config>() {
	#[cfg(test)]
	frame_support::assert_ok!(Pallet::<T>::do_try_state());
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// The reward makes the provider's account.
	#[benchmark]
	fn claim() {
		let rate = T::Currency::minimum_balance().max(1);
		earn::<T>(rate);
		go_to_era::<T>(ERA + 1);
		let reward = rate * UNITS / 2;
		T::Currency::mint_into(&T::Pot::get(), 2 * reward).unwrap();
		assert_sound::<T>();
		let anybody: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), ERA, provider::<T>());

		assert_eq!(T::Currency::balance(&provider::<T>()), reward);
		assert!(!Earned::<T>::contains_key(ERA, provider::<T>()));
	}

	/// Something is to be pruned, for which there is no weight; and what is written at the end.
	#[benchmark]
	fn prune_start() {
		earn::<T>(1);
		go_to_era::<T>(ERA + CLAIMABLE_ERAS + 1);
		let mut meter = WeightMeter::with_limit(<T::WeightInfo as crate::WeightInfo>::prune_start());

		#[block]
		{
			Pallet::<T>::prune(&mut meter);
			OldestEra::<T>::put(ERA);
		}

		assert!(Totals::<T>::contains_key(ERA));
	}

	/// All kinds of item: what a provider has earned, two owners' units, and the era that held nothing else. None of them costs
	/// more.
	#[benchmark]
	fn prune_item() {
		earn::<T>(1);
		go_to_era::<T>(ERA + CLAIMABLE_ERAS + 1);
		assert_sound::<T>();

		#[block]
		{
			Pallet::<T>::prune(&mut WeightMeter::new());
		}

		assert_eq!(OldestEra::<T>::get(), Some(ERA + 1));
		assert!(!Totals::<T>::contains_key(ERA));
		assert_eq!(OwnerUnits::<T>::iter_prefix(ERA).count(), 0);
		assert_eq!(Earned::<T>::iter_prefix(ERA).count(), 0);
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
