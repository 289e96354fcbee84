//! The GPU market. Every window comes from the genesis' timing, the fee from the parameters within a fixed bound.

use crate::{
	configs::{
		governance::{dynamic_params::fees, AdminOrigin},
		money::{AllCredits, AllHolds, PublicGoodsAccount, TreasuryAccount},
		system::RuntimeBlockWeights,
	},
	constants::{AGENDA_RATIO, MILL},
	AccountId, Balance, Balances, Leases, Providers, Runtime, Settlement, Timestamp,
};
use frame_support::{
	parameter_types,
	traits::{fungibles::Credit, tokens::imbalance::ResolveAssetTo, Get, OnUnbalanced},
	weights::Weight,
};
use pallet_timing::getters::{
	AbsenceWindow, AcceptanceWindow, ContestWindow, FailoverWithin, FrozenGrace, GraceEpochs, IdleEpoch,
	LeasedEpoch, LowBalanceWarning, MaxAskLifetime, MaxAuctionBlocks, MaxOrderLifetime, MaxReclaimNotice,
	MaxTerm, MinReclaimNotice, MinTerm, ReadyWithin, ReferenceClassesAllowed, SlotMs, SuspendedFor,
	UnbondingPeriod, VerdictWindow,
};
use sp_runtime::Permill;

/// The fee can never be set above this.
pub const MAX_FEE_RATE: Permill = Permill::from_percent(10);

parameter_types! {
	/// Deposit of a provider's registration, in plancks; given back when it leaves.
	pub const RegistrationDeposit: Balance = MILL;
	/// Deposit of a provider's first ask, in plancks; given back when the ask is gone. The n-th costs n times as much.
	pub const AskDeposit: Balance = MILL / 10;
	/// Deposit of a renter's first waiting order, in plancks; given back when the order is matched or gone.
	pub const OrderDeposit: Balance = MILL / 10;
	/// Deposit of a provider's first live bid, in plancks; given back when the order is decided. Small, for bids are many.
	pub const BidDeposit: Balance = MILL / 100;
	/// Least bond of a contest, in plancks: what the council's time is worth at least.
	pub const ContestBond: Balance = MILL;
	/// Weight that each of the two agendas may take in a block.
	pub AgendaWeight: Weight = AGENDA_RATIO * RuntimeBlockWeights::get().max_block;
}

/// The fee's rate as set by governance, and never above [`MAX_FEE_RATE`].
pub struct FeeRate;
impl Get<Permill> for FeeRate {
	fn get() -> Permill {
		fees::FeeRate::get().min(MAX_FEE_RATE)
	}
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
	type Providers = Providers;
	type Leases = Leases;
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
