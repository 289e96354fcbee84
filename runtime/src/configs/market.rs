//! The GPU market. Every window comes from the genesis' timing, the fee from the parameters within a fixed bound.

use crate::{
	configs::{
		governance::{dynamic_params::fees, AdminOrigin},
		money::{PublicGoodsAccount, TreasuryAccount},
		system::RuntimeBlockWeights,
	},
	constants::{AGENDA_RATIO, MILL},
	AccountId, Balance, Balances, Leases, Providers, Runtime, Settlement, Timestamp,
};
use frame_support::{
	parameter_types,
	traits::{fungible::Credit, tokens::imbalance::ResolveTo, Get, Imbalance, OnUnbalanced},
	weights::Weight,
};
use pallet_timing::getters::{
	AbsenceWindow, GraceEpochs, IdleEpoch, LeasedEpoch, MaxAskLifetime, MaxTerm, MinTerm, ReadyWithin,
	ReferenceClassesAllowed, SlotMs, SuspendedFor, UnbondingPeriod,
};
use sp_runtime::Permill;

/// The fee can never be set above this.
pub const MAX_FEE_RATE: Permill = Permill::from_percent(10);

parameter_types! {
	/// Deposit of a provider's registration, in plancks; given back when it leaves.
	pub const RegistrationDeposit: Balance = MILL;
	/// Deposit of an ask, in plancks; given back when it leaves the book.
	pub const AskDeposit: Balance = MILL / 10;
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

/// Divides the market's fee between the treasury and the public-goods account, by the parameter's share; what rounding leaves
/// goes to public goods. An amount that an account below the existential deposit cannot take is burnt.
pub struct FeeToTreasuryAndPublicGoods;
impl OnUnbalanced<Credit<AccountId, Balances>> for FeeToTreasuryAndPublicGoods {
	fn on_nonzero_unbalanced(fee: Credit<AccountId, Balances>) {
		let share = fees::TreasuryShare::get().mul_floor(fee.peek());
		let (to_treasury, to_public_goods) = fee.split(share);
		ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(to_treasury);
		ResolveTo::<PublicGoodsAccount, Balances>::on_unbalanced(to_public_goods);
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
}

impl pallet_settlement::Config for Runtime {
	type Currency = Balances;
	type FeeRate = FeeRate;
	type FeeSink = FeeToTreasuryAndPublicGoods;
	type WeightInfo = pallet_settlement::weights::SubstrateWeight<Runtime>;
}

impl pallet_leases::Config for Runtime {
	type Currency = Balances;
	type Time = Timestamp;
	type Providers = Providers;
	type Escrow = Settlement;
	type AdminOrigin = AdminOrigin;
	type AskDeposit = AskDeposit;
	type MaxAskLifetime = MaxAskLifetime<Runtime>;
	type ReadyWithin = ReadyWithin<Runtime>;
	type SuspendedFor = SuspendedFor<Runtime>;
	type FinalReportWithin = AbsenceWindow<Runtime>;
	type MinTerm = MinTerm<Runtime>;
	type MaxTerm = MaxTerm<Runtime>;
	type SlotDuration = SlotMs<Runtime>;
	type AgendaWeight = AgendaWeight;
	type WeightInfo = pallet_leases::weights::SubstrateWeight<Runtime>;
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
}
