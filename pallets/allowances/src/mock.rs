//! A runtime of balances, time, this pallet, and a shop whose goods are paid for by committing money.

use crate::{Committed, Event, HoldReason, Pallet, Spend, Spending};
use frame_support::{
	derive_impl,
	traits::{fungible::InspectHold, ConstU128, ConstU64},
};
use millrace_primitives::{Asset, Balance, Moment};
use sp_runtime::BuildStorage;

pub(crate) type AccountId = u64;

pub(crate) const OWNER: AccountId = 1;
pub(crate) const DELEGATE: AccountId = 2;
pub(crate) const STRANGER: AccountId = 3;
/// Has no balance.
pub(crate) const NOBODY: AccountId = 100;
/// What each of the first accounts starts with, in plancks.
pub(crate) const ENDOWMENT: Balance = 1_000_000;
/// Deposit of an allowance, in plancks.
pub(crate) const DEPOSIT: Balance = 100;
/// Longest life of an allowance, in milliseconds.
pub(crate) const MAX_LIFETIME: u64 = 1_000_000;
/// Time at the start of each test, in milliseconds.
pub(crate) const START: Moment = 5_000_000;
pub(crate) const DOLLAR: Asset = Asset::Token(1);
pub(crate) const EURO: Asset = Asset::Token(2);

/// Commits and frees money of its callers, in any asset, in its own books.
#[frame_support::pallet]
#[expect(unreachable_pub, reason = "FRAME's macros want it public")]
pub(crate) mod shop {
	use frame_support::pallet_prelude::*;
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Asset, Balance};

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::storage]
	pub type Books<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, Asset, Balance, ValueQuery>;

	#[pallet::error]
	pub enum Error<T> {
		/// The shop is out of it.
		SoldOut,
	}

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Commits `price` in `asset`, and a `deposit` in the native token; says that its rate is `rate`.
		#[pallet::call_index(0)]
		#[pallet::weight(Weight::from_parts(1_000, 10))]
		pub fn buy(
			origin: OriginFor<T>,
			asset: Asset,
			price: Balance,
			deposit: Balance,
			_rate: Balance,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Books::<T>::mutate(&who, asset, |committed| *committed += price);
			Books::<T>::mutate(&who, Asset::Native, |committed| *committed += deposit);
			Ok(())
		}

		/// Frees up to `price`. Weighs less than it said.
		#[pallet::call_index(1)]
		#[pallet::weight(Weight::from_parts(900, 10))]
		pub fn give_back(origin: OriginFor<T>, asset: Asset, price: Balance) -> DispatchResultWithPostInfo {
			let who = ensure_signed(origin)?;
			Books::<T>::mutate(&who, asset, |committed| *committed = committed.saturating_sub(price));
			Ok(Some(Weight::from_parts(400, 10)).into())
		}

		/// Commits money and fails.
		#[pallet::call_index(2)]
		#[pallet::weight(Weight::from_parts(1_000, 10))]
		pub fn fail(origin: OriginFor<T>, asset: Asset) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Books::<T>::insert(&who, asset, Balance::MAX);
			Err(Error::<T>::SoldOut.into())
		}
	}
}

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(3)]
	pub type Shop = shop;
	#[runtime::pallet_index(4)]
	pub type Allowance = crate;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<10>;
}

impl shop::Config for Test {}

/// A delegate can use the shop. It could revoke an allowance too, which no real runtime should allow.
pub struct ShopCalls;
impl Spending<RuntimeCall> for ShopCalls {
	fn spend(call: &RuntimeCall) -> Option<Spend> {
		match call {
			RuntimeCall::Shop(shop::Call::buy { asset, rate, .. }) => {
				Some(Spend { rate: *rate, asset: *asset })
			}
			RuntimeCall::Shop(shop::Call::give_back { asset, .. } | shop::Call::fail { asset }) => {
				Some(Spend { rate: 0, asset: *asset })
			}
			RuntimeCall::Allowance(crate::Call::revoke { .. }) => {
				Some(Spend { rate: 0, asset: Asset::Native })
			}
			_ => None,
		}
	}
}

pub struct ShopBooks;
impl Committed<AccountId> for ShopBooks {
	fn committed(owner: &AccountId, asset: Asset) -> Balance {
		shop::Books::<Test>::get(owner, asset)
	}
}

impl crate::Config for Test {
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type Time = Timestamp;
	type Spendable = ShopCalls;
	type Committed = ShopBooks;
	type Deposit = ConstU128<DEPOSIT>;
	type MaxLifetime = ConstU64<MAX_LIFETIME>;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = GiveNothingBack;
}

/// For the benchmarks: the shop's call that commits nothing.
#[cfg(feature = "runtime-benchmarks")]
pub struct GiveNothingBack;
#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId, RuntimeCall> for GiveNothingBack {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}

	fn cheapest_call(_owner: &AccountId) -> RuntimeCall {
		RuntimeCall::Shop(shop::Call::give_back { asset: DOLLAR, price: 0 })
	}
}

/// A chain in its genesis.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let balances = [OWNER, DELEGATE, STRANGER].map(|who| (who, ENDOWMENT)).to_vec();
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	genesis.build_storage().unwrap().into()
}

/// Runs a test on a fresh chain and checks the invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		// Events of block zero are not kept.
		System::set_block_number(1);
		Timestamp::set_timestamp(START);
		test();
		Pallet::<Test>::do_try_state().unwrap();
		nobody_holds_without_an_allowance();
	});
}

/// The other way round of invariant 1, which the pallet itself cannot ask of its currency.
fn nobody_holds_without_an_allowance() {
	for (who, _) in pallet_balances::Holds::<Test>::iter() {
		assert!(held(who) == 0 || crate::Granted::<Test>::contains_key(who));
	}
}

/// What is on hold for allowances in this account, in plancks.
pub(crate) fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::AllowanceDeposit.into(), &who)
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
