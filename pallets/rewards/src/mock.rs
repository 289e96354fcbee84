//! A runtime of balances, time, a model of the registry, and this pallet.

use crate::{idle_reward, Earned, Era, Event, OwnerUnits, Pallet, Totals};
use frame_support::{
	derive_impl, parameter_types, storage_alias,
	traits::{
		fungible::{Inspect as _, Mutate as _},
		ConstU128, ConstU64, Hooks,
	},
	weights::{Weight, WeightMeter},
	Twox64Concat,
};
use millrace_primitives::{
	Balance, ClassId, GpuClass, GpuIndex, GpuState, IdleRewards as _, LeaseId, Moment, ProviderFacts,
	ProviderInspect,
};
use sp_runtime::{BuildStorage, DispatchResult, Permill};

pub(crate) type AccountId = u64;

/// Existential deposit, in plancks.
pub(crate) const ED: Balance = 10;
/// Each has an account, and is idle with [`UNITS`] from the start. Whoever is above is no provider.
pub(crate) const PROVIDERS: AccountId = 6;
/// Of the providers.
pub(crate) const ALICE: AccountId = 1;
pub(crate) const BOB: AccountId = 2;
pub(crate) const CAROL: AccountId = 3;
pub(crate) const DAVE: AccountId = 4;
pub(crate) const STRANGER: AccountId = 50;
pub(crate) const POT: AccountId = 60;
pub(crate) const ENDOWMENT: Balance = 1_000_000_000;

pub(crate) const UNITS: u64 = 100;
pub(crate) const RATE: Balance = 1_000;
/// Length of an era, in milliseconds.
pub(crate) const DAY: u64 = 86_400_000;
/// The era in which tests begin.
pub(crate) const START: Era = 100;

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
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(3)]
	pub type Rewards = crate;
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
	type ExistentialDeposit = ConstU128<ED>;
}

parameter_types! {
	pub static RewardPerUnit: Balance = RATE;
	pub static EraBudget: Balance = Balance::MAX;
	pub const Pot: AccountId = POT;
}

impl crate::Config for Test {
	type Currency = Balances;
	type Providers = Registry;
	type Time = Timestamp;
	type EraDuration = ConstU64<DAY>;
	type RewardPerUnit = RewardPerUnit;
	type EraBudget = EraBudget;
	type Pot = Pot;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Registry;
}

/// Owner, whether it is live, and units of each provider.
#[storage_alias]
type Providers = StorageMap<MockRegistry, Twox64Concat, AccountId, (AccountId, bool, u64)>;

/// Model of `pallet-providers`.
pub struct Registry;

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(_: &AccountId) -> Option<AccountId> {
		None
	}

	fn is_registered(_: &AccountId) -> bool {
		false
	}

	fn is_reporting(_: &AccountId) -> bool {
		false
	}

	fn facts(who: &AccountId) -> Option<ProviderFacts<AccountId>> {
		let (owner, live, _) = Providers::get(who)?;
		let (country, reputation) = (*b"ZZ", Permill::zero());
		Some(ProviderFacts { owner, country, network: 0, uptime: None, reputation, live })
	}

	fn class(_: ClassId) -> Option<GpuClass<Balance>> {
		None
	}

	fn free_gpus(_: &AccountId, _: ClassId) -> u32 {
		0
	}

	fn registered_gpus(_: &AccountId, _: ClassId) -> u32 {
		0
	}

	fn gpu(_: &AccountId, _: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)> {
		None
	}

	fn gpus(_: &AccountId) -> Vec<GpuIndex> {
		Vec::new()
	}

	fn lost_gpus(_: &AccountId, _: &[GpuIndex]) -> u32 {
		0
	}

	fn idle_units(who: &AccountId) -> u64 {
		Providers::get(who).map_or(0, |(.., units)| units)
	}

	fn lease_bonds(_: &AccountId) -> Balance {
		0
	}

	fn lease_bond(_: &AccountId, _: LeaseId) -> Balance {
		0
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Registry {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}
}

/// From now on the provider is idle with these units and belongs to this owner.
pub(crate) fn set_provider(who: AccountId, owner: AccountId, live: bool, units: u64) {
	Providers::insert(who, (owner, live, units));
}

/// From now on the provider belongs to this founder's group.
pub(crate) fn join(who: AccountId, founder: AccountId) {
	set_provider(who, founder, true, UNITS);
}

/// A chain on which nothing was earned yet.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: (1..=PROVIDERS).chain([STRANGER, POT]).map(|who| (who, ENDOWMENT)).collect(),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		// Events of block zero are not kept.
		System::set_block_number(1);
		RewardPerUnit::set(RATE);
		EraBudget::set(Balance::MAX);
		go_to_era(START);
		for who in 1..=PROVIDERS {
			set_provider(who, who, true, UNITS);
		}
	});
	ext
}

/// Runs a test on a fresh chain and checks the invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		let before = Balances::total_issuance();
		test();
		Pallet::<Test>::do_try_state().unwrap();
		assert_eq!(Balances::total_issuance(), before, "money was made or lost");
	});
}

/// Runs a test that leaves the storage corrupt, and expects the named invariant to notice.
pub(crate) fn build_and_break(invariant: &str, test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		let error = Pallet::<Test>::do_try_state().expect_err("a corrupt storage passed");
		let message = format!("{error:?}");
		assert!(message.contains(invariant), "expected invariant {invariant:?}, got {message}");
	});
}

/// An idle epoch of each of these providers.
pub(crate) fn idle(providers: impl IntoIterator<Item = AccountId>) {
	providers.into_iter().for_each(|who| Rewards::note_idle_epoch(&who));
}

pub(crate) fn claim(era: Era, provider: AccountId) -> DispatchResult {
	Rewards::claim(RuntimeOrigin::signed(STRANGER), era, provider)
}

pub(crate) fn go_to_era(era: Era) {
	Timestamp::set_timestamp(Moment::from(era) * DAY);
}

pub(crate) fn balance(who: AccountId) -> Balance {
	Balances::balance(&who)
}

/// Leaves the pot that much.
pub(crate) fn set_pot(amount: Balance) {
	Balances::set_balance(&STRANGER, balance(STRANGER) + balance(POT) - amount);
	Balances::set_balance(&POT, amount);
}

/// One more block, with so much weight for pruning. Returns what was used.
pub(crate) fn poll(limit: Weight) -> Weight {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	let mut meter = WeightMeter::with_limit(limit);
	Rewards::on_poll(block, &mut meter);
	meter.consumed()
}

/// All items that are stored.
pub(crate) fn items() -> usize {
	Totals::<Test>::iter().count() + OwnerUnits::<Test>::iter().count() + Earned::<Test>::iter().count()
}

/// What a provider that has so many of all units, as has its owner, earns at [`RATE`].
pub(crate) fn earns(units: u64, all: u64) -> Balance {
	idle_reward(units.into(), units.into(), all.into(), RATE, Balance::MAX)
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
