//! A runtime of balances, time and this pallet.

use crate::{Event, HoldReason, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::{fungible::InspectHold, ConstU128, ConstU32, ConstU64},
};
use frame_system::EnsureRoot;
use millrace_primitives::{AcceleratorKind, Balance, ClassId, GpuClass, Moment};
use sp_runtime::{BuildStorage, Permill};

pub(crate) type AccountId = u64;

/// Existential deposit, in plancks.
pub(crate) const ED: Balance = 10;
pub(crate) const ALICE: AccountId = 1;
pub(crate) const BOB: AccountId = 2;
/// What each of the accounts above starts with, in plancks.
pub(crate) const ENDOWMENT: Balance = 1_000_000;
/// Have no balance.
pub(crate) const WORKER: AccountId = 100;
pub(crate) const OTHER_WORKER: AccountId = 101;

pub(crate) const UNBONDING: u64 = 14_000;
/// Length of an era, in milliseconds.
pub(crate) const ERA: u64 = 1_000;
/// Notice of a maintenance, and its longest length, in milliseconds.
pub(crate) const MAINTENANCE_NOTICE: u64 = 100;
pub(crate) const MAX_MAINTENANCE: u64 = 1_000;
pub(crate) const DEPOSIT: Balance = 500;
/// Time at the start of each test, in milliseconds.
pub(crate) const START: Moment = 1_000_000;

/// Classes of the genesis: a GPU with a minimum bond, a dearer one, and a CPU.
pub(crate) const SMALL: ClassId = ClassId(0);
pub(crate) const LARGE: ClassId = ClassId(1);
pub(crate) const CPU: ClassId = ClassId(2);
pub(crate) const SMALL_BOND: Balance = 1_000;
pub(crate) const LARGE_BOND: Balance = 3_000;

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
	pub type Registry = crate;
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
	type FreezeIdentifier = u8;
	type MaxFreezes = ConstU32<1>;
}

parameter_types! {
	pub static ReferenceClassesAllowed: bool = true;
	pub static RegistrationDeposit: Balance = DEPOSIT;
	pub static EraSlashCap: Permill = Permill::from_percent(10);
}

impl crate::Config for Test {
	type Currency = Balances;
	type AdminOrigin = EnsureRoot<AccountId>;
	type Time = Timestamp;
	type UnbondingPeriod = ConstU64<UNBONDING>;
	type EraDuration = ConstU64<ERA>;
	type EraSlashCap = EraSlashCap;
	type MaintenanceNotice = ConstU64<MAINTENANCE_NOTICE>;
	type MaxMaintenance = ConstU64<MAX_MAINTENANCE>;
	type RegistrationDeposit = RegistrationDeposit;
	type ReferenceClassesAllowed = ReferenceClassesAllowed;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Clock;
}

/// Sets the time for the benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct Clock;
#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for Clock {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}
}

/// A class of that name.
pub(crate) fn class(kind: AcceleratorKind, model: &str, min_bond: Balance) -> GpuClass<Balance> {
	GpuClass {
		kind,
		vendor: b"NVIDIA".to_vec().try_into().unwrap(),
		model: model.as_bytes().to_vec().try_into().unwrap(),
		memory_mib: 80_000,
		min_bond,
		unit_weight: 100,
	}
}

/// A chain in its genesis.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let balances = [ALICE, BOB].map(|who| (who, ENDOWMENT)).to_vec();
	let classes = vec![
		class(AcceleratorKind::Cuda, "Small", SMALL_BOND),
		class(AcceleratorKind::Cuda, "Large", LARGE_BOND),
		class(AcceleratorKind::Reference, "CPU", 0),
	];
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		registry: crate::GenesisConfig { classes, ..Default::default() },
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
		nobody_holds_without_a_record();
	});
}

/// The other way round of invariant 1, which the pallet itself cannot ask of its currency.
fn nobody_holds_without_a_record() {
	for (who, holds) in pallet_balances::Holds::<Test>::iter() {
		assert!(holds.is_empty() || crate::Providers::<Test>::contains_key(who));
	}
}

/// What is on hold in this account, in plancks.
pub(crate) fn held(reason: HoldReason, who: AccountId) -> Balance {
	Balances::balance_on_hold(&reason.into(), &who)
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
