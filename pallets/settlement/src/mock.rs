//! A runtime of the native token, two other assets, time and this pallet.

use crate::{Event, HoldReason, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::{
		fungible::UnionOf,
		fungibles::{hold::Inspect as _, Inspect as _},
		tokens::imbalance::ResolveAssetTo,
		AsEnsureOriginWithArg, ConstU128, ConstU32,
	},
};
use frame_system::{EnsureRoot, EnsureSigned};
use millrace_primitives::{Asset, Balance, Moment};
use sp_runtime::{traits::Convert, BuildStorage, Either, Permill};

pub(crate) type AccountId = u64;

/// Existential deposit, in plancks: large enough that small payments can fail.
pub(crate) const ED: Balance = 10;
pub(crate) const RENTER: AccountId = 1;
pub(crate) const PROVIDER: AccountId = 2;
pub(crate) const STRANGER: AccountId = 3;
/// Where fees end up.
pub(crate) const TREASURY: AccountId = 9;
/// May do to the tokens what an issuer can do.
pub(crate) const ISSUER: AccountId = 10;
/// What each of the accounts above starts with, of each asset.
pub(crate) const ENDOWMENT: Balance = 1_000_000_000;
/// Has no balance.
pub(crate) const NOBODY: AccountId = 100;

/// A token that the council has allowed.
pub(crate) const DOLLAR: Asset = Asset::Token(1);
/// Number of a token that it has not.
pub(crate) const OTHER: u32 = 2;

/// Time of the first block.
pub(crate) const START: Moment = 1_000_000;
/// The contest window: a quarter of it is 1,000,000 ms.
pub(crate) const WINDOW: u64 = 4_000_000;
/// When what is earned now has surely matured.
pub(crate) const MATURE: u64 = WINDOW + WINDOW / 4;
/// How long a contest waits for its verdict.
pub(crate) const VERDICT: u64 = 20_000_000;
/// Least bond of a contest.
pub(crate) const BOND: Balance = 500;

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
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Settlement = crate;
	#[runtime::pallet_index(3)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(4)]
	pub type Assets = pallet_assets;
	#[runtime::pallet_index(5)]
	pub type AssetsHolder = pallet_assets_holder;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
	type FreezeIdentifier = u8;
	type MaxFreezes = ConstU32<1>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
	type Balance = Balance;
	type Currency = Balances;
	type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type ForceOrigin = EnsureRoot<AccountId>;
	type Holder = AssetsHolder;
}

impl pallet_assets_holder::Config for Test {
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeEvent = RuntimeEvent;
}

/// Which pallet knows an asset.
pub struct Criterion;
impl Convert<Asset, Either<(), u32>> for Criterion {
	fn convert(asset: Asset) -> Either<(), u32> {
		match asset {
			Asset::Native => Either::Left(()),
			Asset::Token(token) => Either::Right(token),
		}
	}
}

pub(crate) type Currency = UnionOf<Balances, AssetsHolder, Criterion, Asset, AccountId>;
pub(crate) type Credits = UnionOf<Balances, Assets, Criterion, Asset, AccountId>;

parameter_types! {
	pub static FeeRate: Permill = Permill::from_percent(2);
	pub static ContestWindow: u64 = WINDOW;
	pub const VerdictWithin: u64 = VERDICT;
	pub static ContestBond: Balance = BOND;
	pub const Treasury: AccountId = TREASURY;
}

impl crate::Config for Test {
	type Currency = Currency;
	type Credits = Credits;
	type FeeSink = ResolveAssetTo<Treasury, Credits>;
	type Time = Timestamp;
	type FeeRate = FeeRate;
	type ContestWindow = ContestWindow;
	type VerdictWithin = VerdictWithin;
	type ContestBond = ContestBond;
	type AdminOrigin = EnsureRoot<AccountId>;
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

/// A chain in its genesis.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let rich = [RENTER, PROVIDER, STRANGER, TREASURY, ISSUER];
	let assets = [1, OTHER];
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: rich.map(|who| (who, ENDOWMENT)).to_vec(),
			..Default::default()
		},
		assets: pallet_assets::GenesisConfig {
			assets: assets.map(|token| (token, ISSUER, true, ED)).to_vec(),
			accounts: assets.iter().flat_map(|token| rich.map(|who| (*token, who, ENDOWMENT))).collect(),
			..Default::default()
		},
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
		Settlement::allow_asset(RuntimeOrigin::root(), 1).unwrap();
		events();
		let issuance = || [Asset::Native, DOLLAR].map(Currency::total_issuance);
		let before = issuance();
		test();
		Pallet::<Test>::do_try_state().unwrap();
		nobody_holds_without_an_escrow();
		assert_eq!(issuance(), before, "money was made or lost");
	});
}

/// The other way round of invariants 1 and 2, which the pallet itself cannot ask of its currency.
fn nobody_holds_without_an_escrow() {
	for who in [RENTER, PROVIDER, STRANGER, TREASURY, ISSUER, NOBODY] {
		for asset in [Asset::Native, DOLLAR] {
			let escrows = crate::Escrows::<Test>::iter_values();
			let is_payer = escrows.filter(|escrow| escrow.payer == who && escrow.asset == asset).count() > 0;
			assert!(is_payer || held_of(asset, who) == 0);
		}
		let mut contests = crate::Contests::<Test>::iter_keys();
		let has_contest =
			contests.any(|(id, _)| crate::Escrows::<Test>::get(id).is_some_and(|escrow| escrow.payer == who));
		assert!(has_contest || bonded(who) == 0);
	}
}

/// Lets time pass, in milliseconds.
pub(crate) fn pass(ms: u64) {
	Timestamp::set_timestamp(Timestamp::get() + ms);
}

/// What is on hold for escrows in this account, in plancks.
pub(crate) fn held(who: AccountId) -> Balance {
	held_of(Asset::Native, who)
}

/// What is on hold for escrows in this account.
pub(crate) fn held_of(asset: Asset, who: AccountId) -> Balance {
	Currency::balance_on_hold(asset, &HoldReason::Escrow.into(), &who)
}

/// What is on hold for contests in this account, in plancks.
pub(crate) fn bonded(who: AccountId) -> Balance {
	Currency::balance_on_hold(Asset::Native, &HoldReason::ContestBond.into(), &who)
}

/// Free balance.
pub(crate) fn balance(asset: Asset, who: AccountId) -> Balance {
	Currency::balance(asset, &who)
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
