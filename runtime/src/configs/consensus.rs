//! Who makes and finalises blocks: BABE, GRANDPA, sessions, staking, offences.
//!
//! Elections run on chain and in one block, so they are bounded: [`MAX_VALIDATORS`] validators, [`MAX_VOTERS`] voters.

use crate::{
	configs::{governance::AdminOrigin, money::TreasuryAccount},
	constants::{deposit, MILL},
	opaque::SessionKeys,
	AccountId, Babe, Balance, Balances, Historical, Offences, Runtime, RuntimeEvent, RuntimeHoldReason,
	Session, Staking, Timestamp,
};
use frame_election_provider_support::{
	bounds::{ElectionBounds, ElectionBoundsBuilder},
	onchain, SequentialPhragmen,
};
use frame_support::{
	parameter_types,
	traits::{tokens::imbalance::ResolveTo, ConstBool, ConstU32, Get, Nothing},
};
use pallet_timing::getters::{SessionSlots, SessionsPerEra, SlotMs};
use sp_consensus_babe::{AllowedSlots, BabeEpochConfiguration};
use sp_runtime::{
	curve::PiecewiseLinear,
	traits::{ConvertInto, OpaqueKeys},
	Perbill,
};
use sp_staking::EraIndex;

/// Most validators of a session.
pub const MAX_VALIDATORS: u32 = 300;
/// Most voters that an election looks at; beyond them the smallest are left out.
pub const MAX_VOTERS: u32 = 2_000;
/// Most validators that one voter can back.
pub const MAX_NOMINATIONS: u32 = 16;
/// The least stake of a validator in the presets, in plancks.
pub const MIN_VALIDATOR_BOND: Balance = 100 * MILL;
/// The least stake of a nominator in the presets, in plancks.
pub const MIN_NOMINATOR_BOND: Balance = 10 * MILL;

/// How BABE assigns slots: every validator has a chance of one in four per slot to be drawn (`c`), and slots that draw nobody go
/// to one validator by turn, proven by its own VRF.
pub const EPOCH_CONFIG: BabeEpochConfiguration =
	BabeEpochConfiguration { c: (1, 4), allowed_slots: AllowedSlots::PrimaryAndSecondaryVRFSlots };

pallet_staking_reward_curve::build! {
	// Yearly issuance by share of the supply at stake: 2.5 % when nothing is, 10 % at the ideal half.
	const REWARD_CURVE: PiecewiseLinear<'static> = curve!(
		min_inflation: 0_025_000,
		max_inflation: 0_100_000,
		ideal_stake: 0_500_000,
		falloff: 0_050_000,
		max_piece_count: 40,
		test_precision: 0_005_000,
	);
}

parameter_types! {
	/// Eras between unbonding and withdrawal: fourteen days of production eras of six hours.
	pub const BondingDuration: EraIndex = 56;
	/// Eras before a slash is applied, in which the council can cancel it: seven days.
	pub const SlashDeferDuration: EraIndex = 28;
	/// Eras whose rewards can still be claimed: three weeks.
	pub const HistoryDepth: u32 = 84;
	/// The reward curve.
	pub const RewardCurve: &'static PiecewiseLinear<'static> = &REWARD_CURVE;
	/// Deposit for registered session keys: three keys of 32 bytes and their owners.
	pub const SessionKeyDeposit: Balance = deposit(4, 4 * 32);
	/// Bounds of an election.
	pub ElectionsBounds: ElectionBounds = ElectionBoundsBuilder::default()
		.voters_count(MAX_VOTERS.into())
		.targets_count(MAX_VALIDATORS.into())
		.build();
}

/// For how long an equivocation can be reported, in slots: as long as the stake is still bonded.
pub struct ReportLongevity;
impl Get<u64> for ReportLongevity {
	fn get() -> u64 {
		MaxSetIdSessionEntries::get().saturating_mul(SessionSlots::<Runtime>::get())
	}
}

/// Sessions for which GRANDPA remembers its authority set: as long as an equivocation can be reported.
pub struct MaxSetIdSessionEntries;
impl Get<u64> for MaxSetIdSessionEntries {
	fn get() -> u64 {
		u64::from(BondingDuration::get()).saturating_mul(SessionsPerEra::<Runtime>::get().into())
	}
}

impl pallet_babe::Config for Runtime {
	type EpochDuration = SessionSlots<Runtime>;
	type ExpectedBlockTime = SlotMs<Runtime>;
	/// Sessions and BABE's epochs change together.
	type EpochChangeTrigger = pallet_babe::ExternalTrigger;
	type DisabledValidators = Session;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<MAX_VOTERS>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_babe::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<MAX_VOTERS>;
	type MaxSetIdSessionEntries = MaxSetIdSessionEntries;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem =
		pallet_grandpa::EquivocationReportSystem<Self, Offences, Historical, ReportLongevity>;
}

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Babe>;
	type EventHandler = Staking;
}

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = Babe;
	type NextSessionRotation = Babe;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Staking>;
	type SessionHandler = <SessionKeys as OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	/// An equivocator stops authoring at once, as long as no more than a third would be off.
	type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = SessionKeyDeposit;
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_staking::UnitIdentificationOf<Self>;
}

impl pallet_authority_discovery::Config for Runtime {
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = Staking;
}

/// The election, on chain and in one block.
pub struct OnChainElection;
impl onchain::Config for OnChainElection {
	/// Too many backers: the smallest go, instead of the election failing.
	type Sort = ConstBool<true>;
	type System = Runtime;
	type Solver = SequentialPhragmen<AccountId, Perbill>;
	type MaxBackersPerWinner = ConstU32<MAX_VOTERS>;
	type MaxWinnersPerPage = ConstU32<MAX_VALIDATORS>;
	type DataProvider = Staking;
	type WeightInfo = frame_election_provider_support::weights::SubstrateWeight<Runtime>;
	type Bounds = ElectionsBounds;
}

/// Sizes for the staking pallet's own benchmarks.
pub struct StakingBenchmarkingConfig;
impl pallet_staking::BenchmarkingConfig for StakingBenchmarkingConfig {
	type MaxNominators = ConstU32<MAX_VOTERS>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
}

impl pallet_staking::Config for Runtime {
	type OldCurrency = Balances;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type CurrencyBalance = Balance;
	type UnixTime = Timestamp;
	type CurrencyToVote = sp_staking::currency_to_vote::U128CurrencyToVote;
	type ElectionProvider = onchain::OnChainExecution<OnChainElection>;
	type GenesisElectionProvider = onchain::OnChainExecution<OnChainElection>;
	type NominationsQuota = pallet_staking::FixedNominationsQuota<MAX_NOMINATIONS>;
	type HistoryDepth = HistoryDepth;
	/// The part of the yearly issuance that stakers do not get goes to the treasury.
	type RewardRemainder = ResolveTo<TreasuryAccount, Balances>;
	type RuntimeEvent = RuntimeEvent;
	type Slash = ResolveTo<TreasuryAccount, Balances>;
	/// Rewards are issued anew.
	type Reward = ();
	type SessionsPerEra = SessionsPerEra<Runtime>;
	type BondingDuration = BondingDuration;
	type SlashDeferDuration = SlashDeferDuration;
	type AdminOrigin = AdminOrigin;
	type SessionInterface = Self;
	type EraPayout = pallet_staking::ConvertCurve<RewardCurve>;
	type NextNewSession = Session;
	type MaxExposurePageSize = ConstU32<256>;
	type MaxValidatorSet = ConstU32<MAX_VALIDATORS>;
	/// Unsorted: an election looks at everybody up to its bounds, and the least bonds keep the list short.
	type VoterList = pallet_staking::UseNominatorsAndValidatorsMap<Self>;
	type TargetList = pallet_staking::UseValidatorsMap<Self>;
	type MaxUnlockingChunks = ConstU32<32>;
	type MaxControllersInDeprecationBatch = ConstU32<100>;
	type EventListeners = ();
	/// Nobody is barred from staking.
	type Filter = Nothing;
	type BenchmarkingConfig = StakingBenchmarkingConfig;
	type WeightInfo = pallet_staking::weights::SubstrateWeight<Runtime>;
}
