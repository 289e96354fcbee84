//! Who decides, and what can be decided: council, root, parameters, pauses.

use crate::{
	configs::system::RuntimeBlockWeights, constants::MILL, Balances, BlockNumber, OriginCaller, Preimage,
	Runtime, RuntimeCall, RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, System,
};
use frame_support::{
	dynamic_params::{dynamic_pallet_params, dynamic_params},
	parameter_types,
	traits::{
		fungible::HoldConsideration, AsEnsureOriginWithArg, ConstU32, Contains, EitherOfDiverse,
		EqualPrivilegeOnly, LinearStoragePrice,
	},
	weights::Weight,
};
use frame_system::EnsureRoot;
use millrace_primitives::{AccountId, Balance};
use pallet_tx_pause::RuntimeCallNameOf;
use sp_runtime::{Perbill, Permill};

/// The council's instance.
pub type CouncilCollective = pallet_collective::Instance1;

/// Root, or more than half of the council.
pub type AdminOrigin = EitherOfDiverse<
	EnsureRoot<AccountId>,
	pallet_collective::EnsureProportionMoreThan<AccountId, CouncilCollective, 1, 2>,
>;

/// Values that council or root may change. The market reads each of them within fixed bounds (`configs::bounds`): a value beyond a
/// bound counts as the bound.
#[expect(missing_docs, reason = "what the macro generates is documented in the SDK")]
#[dynamic_params(RuntimeParameters, pallet_parameters::Parameters::<Runtime>)]
pub mod dynamic_params {
	use super::*;

	/// The market's fee.
	#[dynamic_pallet_params]
	#[codec(index = 0)]
	pub mod fees {
		/// Share of each payment to a provider that is withheld as the fee. At most ten percent of it counts.
		#[codec(index = 0)]
		pub static FeeRate: Permill = Permill::from_percent(2);
		/// Share of the fee that goes to the treasury; the rest goes to the public-goods account.
		#[codec(index = 1)]
		pub static TreasuryShare: Permill = Permill::from_percent(80);
	}

	/// Deposits and least bonds, in plancks. Each object keeps the deposit that it was made with.
	#[dynamic_pallet_params]
	#[codec(index = 1)]
	pub mod deposits {
		/// Of a provider's registration.
		#[codec(index = 0)]
		pub static Registration: Balance = MILL;
		/// Of a provider's first ask; the n-th costs n times as much.
		#[codec(index = 1)]
		pub static Ask: Balance = MILL / 10;
		/// Of a renter's first waiting order; the n-th costs n times as much.
		#[codec(index = 2)]
		pub static Order: Balance = MILL / 10;
		/// Of a provider's first live bid; the n-th costs n times as much. Small, for bids are many.
		#[codec(index = 3)]
		pub static Bid: Balance = MILL / 100;
		/// Least bond of a contest: what the council's time is worth at least.
		#[codec(index = 4)]
		pub static Contest: Balance = MILL;
		/// Least bond of an appeal.
		#[codec(index = 5)]
		pub static Appeal: Balance = MILL / 100;
	}

	/// What faults cost.
	#[dynamic_pallet_params]
	#[codec(index = 2)]
	pub mod slashes {
		/// What one missed epoch of a whole node costs, as a share of its lease bond: 0.02 %.
		#[codec(index = 0)]
		pub static DowntimeRate: Perbill = Perbill::from_parts(200_000);
		/// Most that faults can cost a provider in one era, as a share of what it has at stake.
		#[codec(index = 1)]
		pub static EraCap: Permill = Permill::from_percent(10);
		/// Most that one episode can cost, as a share of the lease bond.
		#[codec(index = 2)]
		pub static EpisodeCap: Permill = Permill::from_percent(50);
		/// Share of the insurance pool in what the renter does not get.
		#[codec(index = 3)]
		pub static InsuranceShare: Permill = Permill::from_percent(20);
		/// Bond of an appeal, as a share of the slash.
		#[codec(index = 4)]
		pub static AppealBondShare: Permill = Permill::from_percent(10);
	}

	/// Rewards for being available. Off unless governance wants them.
	#[dynamic_pallet_params]
	#[codec(index = 4)]
	pub mod rewards {
		/// For a unit of capacity and an idle epoch, in plancks, before it falls with the owner's share. Zero: no rewards.
		#[codec(index = 0)]
		pub static PerUnit: Balance = 0;
		/// Most that one era can cost, in plancks.
		#[codec(index = 1)]
		pub static EraBudget: Balance = 100 * MILL;
	}

	/// What stops the fault clock.
	#[dynamic_pallet_params]
	#[codec(index = 3)]
	pub mod breaker {
		/// Slots that may stay empty in a row, and blocks by which finality may lag.
		#[codec(index = 0)]
		pub static MaxLag: u32 = 20;
		/// Share of everybody else's leased capacity above which what is missed is a mass outage.
		#[codec(index = 1)]
		pub static OutageShare: Permill = Permill::from_percent(25);
	}
}

impl pallet_parameters::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeParameters = RuntimeParameters;
	type AdminOrigin = AsEnsureOriginWithArg<AdminOrigin>;
	/// The SDK keeps its own figures private; these are the same, with the larger database's costs.
	type WeightInfo = ();
}

parameter_types! {
	/// How long a motion can be voted on, in blocks: five days of production slots.
	pub const MotionDuration: BlockNumber = 5 * 14_400;
	/// A proposal may take half a block.
	pub MaxProposalWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;
	/// Scheduled calls may take four fifths of a block.
	pub MaxScheduledWeight: Weight = Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
	/// Deposit of a preimage.
	pub const PreimageDepositBase: Balance = crate::constants::deposit(2, 64);
	/// The same, per byte.
	pub const PreimageDepositPerByte: Balance = crate::constants::deposit(0, 1);
	/// Under which reason a preimage's deposit is held.
	pub const PreimageHoldReason: RuntimeHoldReason =
		RuntimeHoldReason::Preimage(pallet_preimage::HoldReason::Preimage);
}

impl pallet_collective::Config<CouncilCollective> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type MotionDuration = MotionDuration;
	type MaxProposals = ConstU32<100>;
	type MaxMembers = ConstU32<50>;
	/// Who does not vote follows the prime member.
	type DefaultVote = pallet_collective::PrimeDefaultVote;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
	type SetMembersOrigin = AdminOrigin;
	type MaxProposalWeight = MaxProposalWeight;
	type DisapproveOrigin = AdminOrigin;
	type KillOrigin = EnsureRoot<AccountId>;
	/// Only members can propose, so no deposit is asked.
	type Consideration = ();
}

impl pallet_preimage::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = pallet_preimage::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type ManagerOrigin = EnsureRoot<AccountId>;
	type Consideration = HoldConsideration<
		AccountId,
		Balances,
		PreimageHoldReason,
		LinearStoragePrice<PreimageDepositBase, PreimageDepositPerByte, Balance>,
	>;
}

impl pallet_scheduler::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeOrigin = RuntimeOrigin;
	type PalletsOrigin = OriginCaller;
	type RuntimeCall = RuntimeCall;
	type MaximumWeight = MaxScheduledWeight;
	type ScheduleOrigin = EnsureRoot<AccountId>;
	type OriginPrivilegeCmp = EqualPrivilegeOnly;
	type MaxScheduledPerBlock = ConstU32<50>;
	type WeightInfo = pallet_scheduler::weights::SubstrateWeight<Runtime>;
	type Preimages = Preimage;
	type BlockNumberProvider = System;
}

/// Calls that nobody can pause: those that a block cannot do without, those that lift a pause, the workers' reports, and the ways
/// out of the market. A report that is refused looks like absence, and a pause is no provider's fault. Windows run on during
/// a pause, so whoever can close, reject, accept or contest before it can do so in it.
pub struct NeverPaused;
impl Contains<RuntimeCallNameOf<Runtime>> for NeverPaused {
	fn contains(name: &RuntimeCallNameOf<Runtime>) -> bool {
		let (pallet, call) = (name.0.as_slice(), name.1.as_slice());
		match pallet {
			b"Timestamp" | b"TxPause" | b"Council" | b"Sudo" | b"Attestation" | b"Settlement"
			| b"Slashing" => true,
			b"Leases" => matches!(
				call,
				b"close" | b"reject" | b"cancel_order" | b"poke" | b"pause_market" | b"resume_market"
			),
			_ => false,
		}
	}
}

impl pallet_tx_pause::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PauseOrigin = AdminOrigin;
	type UnpauseOrigin = AdminOrigin;
	type WhitelistedCalls = NeverPaused;
	type MaxNameLen = ConstU32<256>;
	type WeightInfo = pallet_tx_pause::weights::SubstrateWeight<Runtime>;
}

/// The key is set by the genesis of development chains alone. Without a key there is nobody to call it.
impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
