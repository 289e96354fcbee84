//! Faults of providers: which of them count, and what they cost. And the reward for being available.

use crate::{
	configs::{
		bounds::{
			AppealBond, AppealBondShare, DowntimeRate, EpisodeCap, EraBudget, InsuranceShare, MaxLag,
			OutageShare, RewardPerUnit,
		},
		governance::AdminOrigin,
		market::AgendaWeight,
		money::{InsuranceAccount, TreasuryAccount},
	},
	Balances, FaultClock, Providers, Runtime, Timestamp,
};
use frame_support::traits::tokens::imbalance::ResolveTo;
use pallet_timing::getters::{EraMs, JudgedWithin, LeasedEpoch, SlashDeferral, SlotMs, VerdictWindow};

impl pallet_fault_clock::Config for Runtime {
	type Time = Timestamp;
	type EpochLength = LeasedEpoch<Runtime>;
	type SlotDuration = SlotMs<Runtime>;
	type MaxLag = MaxLag;
	type OutageShare = OutageShare;
	type WeightInfo = pallet_fault_clock::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}

impl pallet_slashing::Config for Runtime {
	type Bonds = Providers;
	type Currency = Balances;
	type Providers = Providers;
	type Clock = FaultClock;
	type AdminOrigin = AdminOrigin;
	type Time = Timestamp;
	type DowntimeRate = DowntimeRate;
	type EpisodeCap = EpisodeCap;
	type InsuranceShare = InsuranceShare;
	type AppealBondShare = AppealBondShare;
	type MinAppealBond = AppealBond;
	type SlashDeferral = SlashDeferral<Runtime>;
	type VerdictWithin = VerdictWindow<Runtime>;
	type JudgedWithin = JudgedWithin<Runtime>;
	type SlotDuration = SlotMs<Runtime>;
	type InsuranceAccount = InsuranceAccount;
	/// Both accounts have the existential deposit from the start, so that nothing is burnt.
	type Insurance = ResolveTo<InsuranceAccount, Balances>;
	type Treasury = ResolveTo<TreasuryAccount, Balances>;
	type AgendaWeight = AgendaWeight;
	type WeightInfo = pallet_slashing::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}

impl pallet_rewards::Config for Runtime {
	type Currency = Balances;
	type Providers = Providers;
	type Time = Timestamp;
	type EraDuration = EraMs<Runtime>;
	type RewardPerUnit = RewardPerUnit;
	type EraBudget = EraBudget;
	/// What was slashed for absence rewards presence.
	type Pot = InsuranceAccount;
	type WeightInfo = pallet_rewards::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}
