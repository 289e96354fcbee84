//! A runtime for tests: real balances and holds. Registry and escrow are small models in storage, so that they roll back
//! with it.

use crate as pallet_leases;
use frame_support::{
	derive_impl, parameter_types,
	traits::Time,
	weights::{Weight, WeightMeter},
};
use frame_system::EnsureRoot;
use millrace_primitives::{Asset, Balance, ClassId};
use sp_runtime::BuildStorage;

mod faults;
mod registry;
mod shortcuts;
mod till;

pub(crate) use faults::{
	counted, ended, ClockPaused, CurrentFaultEpoch, Faults, SlashingFails, StoppableClock, StoppedMs,
};
pub(crate) use registry::{
	Declared, Registry, RegistryGpus, RegistryLost, RegistryOutcomes, RegistryPenalties, RegistryProviders,
};
pub(crate) use shortcuts::*;
pub(crate) use till::{
	held_of, pallet as till_pallet, token_balance, tokens_to, BrokenEscrows, ContestWindow, StuckEscrows,
	Till, TillEscrows,
};

pub(crate) type AccountId = u64;

pub(crate) const PROVIDER: AccountId = 1;
pub(crate) const OTHER_PROVIDER: AccountId = 2;
pub(crate) const THIRD_PROVIDER: AccountId = 3;
pub(crate) const RENTER: AccountId = 10;
pub(crate) const OTHER_RENTER: AccountId = 11;
pub(crate) const POOR: AccountId = 12;
pub(crate) const STRANGER: AccountId = 13;
pub(crate) const RICH: Balance = 1_000_000_000;

pub(crate) const CLASS: ClassId = ClassId(0);
pub(crate) const OTHER_CLASS: ClassId = ClassId(1);
/// The only token that is allowed.
pub(crate) const TOKEN: Asset = Asset::Token(7);
pub(crate) const PRICE: Balance = 100;
/// Bond of one GPU in the registry's model.
pub(crate) const GPU_BOND: Balance = 1_000;
pub(crate) const SLOT: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60_000;
/// Longest interval between two reports that is attested time.
pub(crate) const WINDOW: u64 = 20 * SLOT;
pub(crate) const START: u64 = 1_000_000;

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
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Leases = pallet_leases;
	#[runtime::pallet_index(3)]
	pub type TillHolds = till_pallet;
}

pub(crate) type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type RuntimeHoldReason = RuntimeHoldReason;
}

impl till_pallet::Config for Test {}

parameter_types! {
	pub static Now: u64 = START;
	/// Weight that the agenda may use in a block.
	pub static AgendaLimit: Weight = Weight::MAX;
}

pub struct Clock;

impl Time for Clock {
	type Moment = u64;

	fn now() -> u64 {
		Now::get()
	}
}

parameter_types! {
	pub const AskDeposit: Balance = 1_000;
	pub const OrderDeposit: Balance = 500;
	pub const BidDeposit: Balance = 100;
	pub const MaxAuctionBlocks: u32 = 100;
	pub const MaxAskLifetime: u64 = 100 * MINUTE;
	pub const MaxOrderLifetime: u64 = 100 * MINUTE;
	pub const MinTerm: u64 = 10 * SLOT;
	pub const MaxTerm: u64 = 60 * MINUTE;
	pub const MinReclaimNotice: u64 = MINUTE;
	pub const MaxReclaimNotice: u64 = 30 * MINUTE;
	pub const ReadyWithin: u64 = 5 * MINUTE;
	pub const SuspendedFor: u64 = 2 * MINUTE;
	pub const FailoverWithin: u64 = 10 * MINUTE;
	pub const AcceptanceWindow: u64 = 3 * MINUTE;
	pub const LowBalanceWarning: u64 = 4 * MINUTE;
	pub const FrozenGrace: u64 = MINUTE;
	pub const FinalReportWithin: u64 = WINDOW;
	pub const SlotDuration: u64 = SLOT;
	pub const EpochDuration: u64 = 10 * SLOT;
	pub const GraceEpochs: u32 = 1;
}

impl pallet_leases::Config for Test {
	type WeightInfo = ();
	type Currency = Balances;
	type Time = Clock;
	type Providers = Registry;
	type Escrow = Till;
	type Slashing = Faults;
	type Clock = StoppableClock;
	type EpochDuration = EpochDuration;
	type GraceEpochs = GraceEpochs;
	type AdminOrigin = EnsureRoot<AccountId>;
	type AskDeposit = AskDeposit;
	type OrderDeposit = OrderDeposit;
	type BidDeposit = BidDeposit;
	type MaxAuctionBlocks = MaxAuctionBlocks;
	type MaxAskLifetime = MaxAskLifetime;
	type MaxOrderLifetime = MaxOrderLifetime;
	type MinTerm = MinTerm;
	type MaxTerm = MaxTerm;
	type MinReclaimNotice = MinReclaimNotice;
	type MaxReclaimNotice = MaxReclaimNotice;
	type ReadyWithin = ReadyWithin;
	type SuspendedFor = SuspendedFor;
	type FailoverWithin = FailoverWithin;
	type AcceptanceWindow = AcceptanceWindow;
	type LowBalanceWarning = LowBalanceWarning;
	type FrozenGrace = FrozenGrace;
	type FinalReportWithin = FinalReportWithin;
	type SlotDuration = SlotDuration;
	type AgendaWeight = AgendaLimit;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Registry;
}

#[derive(Default)]
pub(crate) struct ExtBuilder;

impl ExtBuilder {
	pub(crate) fn build(self) -> sp_io::TestExternalities {
		let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
		let rich = [RENTER, OTHER_RENTER, STRANGER].map(|who| (who, RICH));
		let balances = rich.into_iter().chain([(POOR, 2_000)]).collect();
		pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
			.assimilate_storage(&mut storage)
			.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			Now::set(START);
			AgendaLimit::set(Weight::MAX);
			BrokenEscrows::set(Vec::new());
			StuckEscrows::set(Vec::new());
			ContestWindow::set(0);
			counted();
			ended();
			SlashingFails::set(false);
			StoppedMs::set(0);
			CurrentFaultEpoch::set(0);
			ClockPaused::set(false);
			for provider in [PROVIDER, OTHER_PROVIDER, THIRD_PROVIDER] {
				add_gpus(provider, 8);
			}
		});
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			check();
		});
	}

	/// Runs a test that leaves the storage corrupt, and expects the named invariant to notice.
	pub(crate) fn build_and_break(self, invariant: &str, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			let error = Leases::do_try_state().expect_err("a corrupt storage passed");
			let message = format!("{error:?}");
			assert!(message.contains(invariant), "expected invariant {invariant:?}, got {message}");
		});
	}
}

/// Every invariant of the pallet and of the escrow's model.
pub(crate) fn check() {
	Leases::do_try_state().unwrap();
	till::check();
}
