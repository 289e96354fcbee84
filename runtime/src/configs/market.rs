//! The GPU market. Every window comes from the genesis' timing, fee and deposits from the parameters within fixed bounds.

use crate::{
	configs::{
		bounds::{
			AskDeposit, BidDeposit, ContestBond, EraSlashCap, FeeRate, OrderDeposit, RegistrationDeposit,
		},
		governance::{dynamic_params::fees, AdminOrigin},
		money::{AllCredits, AllHolds, PublicGoodsAccount, TreasuryAccount},
		system::RuntimeBlockWeights,
	},
	constants::AGENDA_RATIO,
	AccountId, Balances, FaultClock, Leases, Providers, Rewards, Runtime, Settlement, Slashing, Timestamp,
};
use frame_support::{
	parameter_types,
	traits::{fungibles::Credit, tokens::imbalance::ResolveAssetTo, Get, OnUnbalanced},
	weights::Weight,
};
use pallet_timing::getters::{
	AbsenceWindow, AcceptanceWindow, ContestWindow, EpochMs, EraMs, FailoverWithin, FrozenGrace, GraceEpochs,
	IdleEpoch, LeasedEpoch, LowBalanceWarning, MaxAskLifetime, MaxAuctionBlocks, MaxOrderLifetime,
	MaxReclaimNotice, MaxTerm, MinReclaimNotice, MinTerm, ReadyWithin, ReferenceClassesAllowed, SlotMs,
	SuspendedFor, UnbondingPeriod, VerdictWindow,
};

parameter_types! {
	/// Longest maintenance that a provider can announce, in milliseconds: a day.
	pub const MaxMaintenance: u64 = 24 * 60 * 60 * 1_000;
	/// Weight that each of the agendas may take in a block.
	pub AgendaWeight: Weight = AGENDA_RATIO * RuntimeBlockWeights::get().max_block;
}

/// Divides the market's fee, in any asset, between the treasury and the public-goods account, by the parameter's share; what
/// rounding leaves goes to public goods.
///
/// What an account cannot take is burnt: a part below the asset's minimum balance, while the account has none of that asset. In
/// the native token that does not happen, as both accounts have the existential deposit from the start. In another asset
/// somebody who minds can send both accounts its minimum balance.
pub struct FeeToTreasuryAndPublicGoods;
impl OnUnbalanced<Credit<AccountId, AllCredits>> for FeeToTreasuryAndPublicGoods {
	fn on_nonzero_unbalanced(fee: Credit<AccountId, AllCredits>) {
		let share = fees::TreasuryShare::get().mul_floor(fee.peek());
		let (to_treasury, to_public_goods) = fee.split(share);
		ResolveAssetTo::<TreasuryAccount, AllCredits>::on_unbalanced(to_treasury);
		ResolveAssetTo::<PublicGoodsAccount, AllCredits>::on_unbalanced(to_public_goods);
	}
}

impl pallet_providers::Config for Runtime {
	type Currency = Balances;
	type AdminOrigin = AdminOrigin;
	type Time = Timestamp;
	type UnbondingPeriod = UnbondingPeriod<Runtime>;
	type EraDuration = EraMs<Runtime>;
	type EraSlashCap = EraSlashCap;
	type MaintenanceNotice = MinReclaimNotice<Runtime>;
	type MaxMaintenance = MaxMaintenance;
	type RegistrationDeposit = RegistrationDeposit;
	type ReferenceClassesAllowed = ReferenceClassesAllowed<Runtime>;
	type WeightInfo = pallet_providers::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}

impl pallet_settlement::Config for Runtime {
	type Currency = AllHolds;
	type Credits = AllCredits;
	type Time = Timestamp;
	type AdminOrigin = AdminOrigin;
	type ContestWindow = ContestWindow<Runtime>;
	type VerdictWithin = VerdictWindow<Runtime>;
	type ContestBond = ContestBond;
	type FeeRate = FeeRate;
	type FeeSink = FeeToTreasuryAndPublicGoods;
	type WeightInfo = pallet_settlement::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}

impl pallet_leases::Config for Runtime {
	type Currency = Balances;
	type Time = Timestamp;
	type Providers = Providers;
	type Escrow = Settlement;
	type Slashing = Slashing;
	type Clock = FaultClock;
	type EpochDuration = EpochMs<Runtime>;
	type GraceEpochs = GraceEpochs<Runtime>;
	type AdminOrigin = AdminOrigin;
	type AskDeposit = AskDeposit;
	type OrderDeposit = OrderDeposit;
	type BidDeposit = BidDeposit;
	type MaxAuctionBlocks = MaxAuctionBlocks<Runtime>;
	type MaxAskLifetime = MaxAskLifetime<Runtime>;
	type MaxOrderLifetime = MaxOrderLifetime<Runtime>;
	type MinTerm = MinTerm<Runtime>;
	type MaxTerm = MaxTerm<Runtime>;
	type MinReclaimNotice = MinReclaimNotice<Runtime>;
	type MaxReclaimNotice = MaxReclaimNotice<Runtime>;
	type ReadyWithin = ReadyWithin<Runtime>;
	type SuspendedFor = SuspendedFor<Runtime>;
	type FailoverWithin = FailoverWithin<Runtime>;
	type AcceptanceWindow = AcceptanceWindow<Runtime>;
	type LowBalanceWarning = LowBalanceWarning<Runtime>;
	type FrozenGrace = FrozenGrace<Runtime>;
	type FinalReportWithin = AbsenceWindow<Runtime>;
	type SlotDuration = SlotMs<Runtime>;
	type AgendaWeight = AgendaWeight;
	type WeightInfo = pallet_leases::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}

impl pallet_attestation::Config for Runtime {
	type Rewards = Rewards;
	type Providers = Providers;
	type Leases = Leases;
	type Clock = FaultClock;
	type Time = Timestamp;
	type LeasedEpoch = LeasedEpoch<Runtime>;
	type IdleEpoch = IdleEpoch<Runtime>;
	type GraceEpochs = GraceEpochs<Runtime>;
	type SlotDuration = SlotMs<Runtime>;
	type AgendaWeight = AgendaWeight;
	type WeightInfo = pallet_attestation::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = crate::benchmarks::Helper;
}
