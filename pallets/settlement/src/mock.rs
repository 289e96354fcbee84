//! A runtime of balances and this pallet.

use crate::{Event, HoldReason, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::{fungible::InspectHold, tokens::imbalance::ResolveTo, ConstU128, ConstU32},
};
use millrace_primitives::Balance;
use sp_runtime::{BuildStorage, Permill};

pub(crate) type AccountId = u64;

/// Existential deposit, in plancks: large enough that small payments can fail.
pub(crate) const ED: Balance = 10;
pub(crate) const RENTER: AccountId = 1;
pub(crate) const PROVIDER: AccountId = 2;
pub(crate) const STRANGER: AccountId = 3;
/// Where fees end up.
pub(crate) const TREASURY: AccountId = 9;
/// What each of the accounts above starts with, in plancks.
pub(crate) const ENDOWMENT: Balance = 1_000_000_000;
/// Has no balance.
pub(crate) const NOBODY: AccountId = 100;

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

parameter_types! {
	pub static FeeRate: Permill = Permill::from_percent(2);
	pub const Treasury: AccountId = TREASURY;
}

impl crate::Config for Test {
	type Currency = Balances;
	type FeeRate = FeeRate;
	type FeeSink = ResolveTo<Treasury, Balances>;
	type WeightInfo = ();
}

/// Runs a test on a fresh chain and checks the invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	let balances = [RENTER, PROVIDER, STRANGER, TREASURY].map(|who| (who, ENDOWMENT)).to_vec();
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig { balances, ..Default::default() },
		..Default::default()
	};
	let mut chain: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	chain.execute_with(|| {
		// Events of block zero are not kept.
		System::set_block_number(1);
		let issuance = pallet_balances::TotalIssuance::<Test>::get();
		test();
		Pallet::<Test>::do_try_state().unwrap();
		nobody_holds_without_an_escrow();
		assert_eq!(pallet_balances::TotalIssuance::<Test>::get(), issuance, "money was made or lost");
	});
}

/// The other way round of invariant 1, which the pallet itself cannot ask of its currency.
fn nobody_holds_without_an_escrow() {
	for (who, _) in pallet_balances::Holds::<Test>::iter() {
		let held = held(who);
		assert!(held == 0 || crate::Escrows::<Test>::iter_values().any(|escrow| escrow.payer == who));
	}
}

/// What is on hold for escrows in this account, in plancks.
pub(crate) fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::Escrow.into(), &who)
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
