//! Benchmarks of the calls, each in its worst case: an owner with all the delegates that one can have.

use crate::{Allowances, Call, Config, Event, Granted, HoldReason, Pallet, MAX_DELEGATES};
use alloc::boxed::Box;
use frame_benchmarking::v2::*;
use frame_support::traits::{
	fungible::{Inspect, InspectHold as _, Mutate},
	Get, Time,
};
use frame_system::RawOrigin;
use millrace_primitives::{Asset, Balance, Moment};

/// What the benchmarks ask of the runtime.
pub trait BenchmarkHelper<AccountId, RuntimeCall> {
	/// Makes `now`, in milliseconds since the Unix epoch, the chain's time. It is never earlier than the present time.
	fn set_time(now: Moment);

	/// The cheapest call that a delegate can make, with everything in storage that it needs to succeed in the owner's name.
	///
	/// Its rate is zero, and it commits nothing of the owner's. If there can be such a call, it is about a token: then what
	/// is committed is measured in three assets. Its own weight is part of what is measured.
	fn cheapest_call(owner: &AccountId) -> RuntimeCall;
}

/// What the allowances are in: a token that no lease is paid in. Reading that nothing is held in it costs as much.
const ASSET: Asset = Asset::Token(u32::MAX);
const AMOUNT: Balance = 1_000_000;

fn delegate<T: Config>(number: u32) -> T::AccountId {
	account("delegate", number, 0)
}

/// Gives an account the balance for the deposits of all its allowances.
fn fund<T>(owner: &T::AccountId) -> Result<(), BenchmarkError>
where
	T: Config<Currency: Mutate<T::AccountId>>,
{
	let deposits = T::Deposit::get().saturating_mul(MAX_DELEGATES.into());
	T::Currency::mint_into(owner, T::Currency::minimum_balance().saturating_add(deposits))?;
	Ok(())
}

/// Lets an account spend for the longest time.
fn grant_to<T: Config>(owner: &T::AccountId, delegate: T::AccountId) -> Result<(), BenchmarkError> {
	let lifetime_ms = T::MaxLifetime::get();
	Pallet::<T>::grant(
		RawOrigin::Signed(owner.clone()).into(),
		delegate,
		ASSET,
		AMOUNT,
		AMOUNT,
		lifetime_ms,
	)?;
	Ok(())
}

/// Grants `owner` as many allowances as it can have, one of them to `delegate`.
fn grant_all<T>(owner: &T::AccountId, to: &T::AccountId) -> Result<(), BenchmarkError>
where
	T: Config<Currency: Mutate<T::AccountId>>,
{
	fund::<T>(owner)?;
	for number in 1..MAX_DELEGATES {
		grant_to::<T>(owner, delegate::<T>(number))?;
	}
	grant_to::<T>(owner, to.clone())
}

/// Whether the allowance is gone, and its deposit, but no other.
fn is_ended<T: Config>(owner: &T::AccountId, delegate: &T::AccountId) -> bool {
	let left = MAX_DELEGATES.saturating_sub(1);
	let held = T::Currency::balance_on_hold(&HoldReason::AllowanceDeposit.into(), owner);
	!Allowances::<T>::contains_key(owner, delegate)
		&& Granted::<T>::get(owner) == left
		&& held == T::Deposit::get().saturating_mul(left.into())
}

#[benchmarks(where T: Config<Currency: Mutate<T::AccountId>>)]
mod benchmarks {
	use super::*;

	/// To a delegate that has no allowance yet, and the owner's last one.
	#[benchmark]
	fn grant() -> Result<(), BenchmarkError> {
		let owner: T::AccountId = whitelisted_caller();
		fund::<T>(&owner)?;
		for number in 1..MAX_DELEGATES {
			grant_to::<T>(&owner, delegate::<T>(number))?;
		}
		let lifetime_ms = T::MaxLifetime::get();

		#[extrinsic_call]
		_(RawOrigin::Signed(owner.clone()), delegate::<T>(0), ASSET, AMOUNT, AMOUNT, lifetime_ms);

		assert_eq!(Granted::<T>::get(&owner), MAX_DELEGATES);
		assert!(Allowances::<T>::contains_key(&owner, delegate::<T>(0)));
		Ok(())
	}

	#[benchmark]
	fn revoke() -> Result<(), BenchmarkError> {
		let owner: T::AccountId = whitelisted_caller();
		let delegate = delegate::<T>(0);
		grant_all::<T>(&owner, &delegate)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(owner.clone()), delegate.clone());

		assert!(is_ended::<T>(&owner, &delegate));
		Ok(())
	}

	#[benchmark]
	fn renounce() -> Result<(), BenchmarkError> {
		let owner: T::AccountId = account("owner", 0, 0);
		let delegate: T::AccountId = whitelisted_caller();
		grant_all::<T>(&owner, &delegate)?;

		#[extrinsic_call]
		_(RawOrigin::Signed(delegate.clone()), owner.clone());

		assert!(is_ended::<T>(&owner, &delegate));
		Ok(())
	}

	/// With the cheapest call that a delegate can make.
	#[benchmark]
	fn spend() -> Result<(), BenchmarkError> {
		let owner: T::AccountId = account("owner", 0, 0);
		let delegate: T::AccountId = whitelisted_caller();
		grant_all::<T>(&owner, &delegate)?;
		let call = T::BenchmarkHelper::cheapest_call(&owner);

		#[extrinsic_call]
		_(RawOrigin::Signed(delegate.clone()), owner.clone(), Box::new(call));

		let spent = Event::<T>::Spent { owner, delegate, amount: 0, remaining: AMOUNT };
		frame_system::Pallet::<T>::assert_last_event(spent.into());
		Ok(())
	}

	#[benchmark]
	fn purge() -> Result<(), BenchmarkError> {
		let owner: T::AccountId = account("owner", 0, 0);
		let delegate = delegate::<T>(0);
		grant_all::<T>(&owner, &delegate)?;
		let over = T::Time::now().saturating_add(T::MaxLifetime::get());
		T::BenchmarkHelper::set_time(over);
		let anybody: T::AccountId = whitelisted_caller();

		#[extrinsic_call]
		_(RawOrigin::Signed(anybody), owner.clone(), delegate.clone());

		assert!(is_ended::<T>(&owner, &delegate));
		Ok(())
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::new_test_ext(), crate::mock::Test);
}
