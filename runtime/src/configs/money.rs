//! Balances, transaction fees, the treasury, assets, and all of them behind one interface.

use crate::{
	configs::governance::AdminOrigin,
	constants::{deposit, EXISTENTIAL_DEPOSIT, MICROMILL},
	AccountId, Assets, AssetsHolder, Authorship, Balance, Balances, BlockNumber, Runtime, RuntimeEvent,
	RuntimeFreezeReason, RuntimeHoldReason, System, Treasury,
};
use frame_support::{
	parameter_types,
	traits::{
		fungible::{Balanced, Credit, UnionOf},
		tokens::{imbalance::ResolveTo, PayFromAccount, UnityAssetBalanceConversion},
		AsEnsureOriginWithArg, ConstU32, ConstU8, Imbalance, OnUnbalanced, VariantCountOf,
	},
	weights::{ConstantMultiplier, IdentityFee},
	PalletId,
};
use frame_system::{EnsureRoot, EnsureSigned, EnsureWithSuccess};
use millrace_primitives::Asset;
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_runtime::{
	traits::{AccountIdConversion, Convert, IdentityLookup},
	Either, FixedPointNumber, Permill, Perquintill,
};

/// Seed of the account into which part of the market's fee flows, for grants to public goods.
pub const PUBLIC_GOODS_ID: PalletId = PalletId(*b"mill/pub");

/// Seed of the account of the insurance pool, into which part of each slash flows.
pub const INSURANCE_ID: PalletId = PalletId(*b"mill/ins");

parameter_types! {
	/// Seed of the treasury's account.
	pub const TreasuryId: PalletId = PalletId(*b"mill/try");
	/// The least balance of an account.
	pub const ExistentialDeposit: Balance = EXISTENTIAL_DEPOSIT;
	/// Price of a transaction's length, in plancks per byte.
	pub const TransactionByteFee: Balance = MICROMILL;
	/// Fees rise when blocks are fuller than this.
	pub const TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
	/// How fast: about a factor of e over a day of full production blocks.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(75, 1_000_000);
	/// An empty chain is at most ten times cheaper than a busy one, so that filling it is never free.
	pub MinimumMultiplier: Multiplier = Multiplier::saturating_from_rational(1, 10);
	/// A full one is at most a thousand times dearer, so that a multiplier that ran away comes down within days.
	pub MaximumMultiplier: Multiplier = Multiplier::saturating_from_integer(1_000);
	/// How often the treasury's own clock ticks, in blocks: a day of production slots.
	pub const SpendPeriod: BlockNumber = 14_400;
	/// How long an approved payment can be claimed, in blocks: thirty days of production slots.
	pub const PayoutPeriod: BlockNumber = 30 * 14_400;
	/// Nothing is burnt.
	pub const Burn: Permill = Permill::zero();
	/// The council may approve any amount: the treasury's balance is the bound.
	pub const MaxSpend: Balance = Balance::MAX;
	/// The treasury's account.
	pub TreasuryAccount: AccountId = Treasury::account_id();
	/// The insurance pool's account.
	pub InsuranceAccount: AccountId = INSURANCE_ID.into_account_truncating();
	/// The public-goods account.
	pub PublicGoodsAccount: AccountId = PUBLIC_GOODS_ID.into_account_truncating();
}

impl pallet_balances::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type Balance = Balance;
	/// What falls below the existential deposit is gone.
	type DustRemoval = ();
	type ExistentialDeposit = ExistentialDeposit;
	type AccountStore = System;
	type ReserveIdentifier = [u8; 8];
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ConstU32<50>;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type DoneSlashHandler = ();
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
}

/// Where transaction fees go: four fifths to the treasury, one fifth and every tip to the block's author.
pub struct FeesToTreasuryAndAuthor;
impl OnUnbalanced<Credit<AccountId, Balances>> for FeesToTreasuryAndAuthor {
	fn on_unbalanceds(mut fee_then_tip: impl Iterator<Item = Credit<AccountId, Balances>>) {
		if let Some(fee) = fee_then_tip.next() {
			let (to_treasury, mut to_author) = fee.ration(80, 20);
			if let Some(tip) = fee_then_tip.next() {
				tip.merge_into(&mut to_author);
			}
			ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(to_treasury);
			pay_author(to_author);
		}
	}
}

/// Pays the block's author; what an author without an account cannot take goes to the treasury.
fn pay_author(credit: Credit<AccountId, Balances>) {
	let rest = match Authorship::author() {
		Some(author) => Balances::resolve(&author, credit).err(),
		None => Some(credit),
	};
	if let Some(rest) = rest {
		ResolveTo::<TreasuryAccount, Balances>::on_unbalanced(rest);
	}
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, FeesToTreasuryAndAuthor>;
	/// One planck per picosecond of weight: a transfer costs about 0.0003 MILL.
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, TransactionByteFee>;
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Runtime,
		TargetBlockFullness,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

impl pallet_skip_feeless_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
}

impl pallet_treasury::Config for Runtime {
	type Currency = Balances;
	type RejectOrigin = AdminOrigin;
	type RuntimeEvent = RuntimeEvent;
	type SpendPeriod = SpendPeriod;
	type Burn = Burn;
	type PalletId = TreasuryId;
	type BurnDestination = ();
	type WeightInfo = pallet_treasury::weights::SubstrateWeight<Runtime>;
	type SpendFunds = ();
	type MaxApprovals = ConstU32<100>;
	type SpendOrigin = EnsureWithSuccess<AdminOrigin, AccountId, MaxSpend>;
	type AssetKind = ();
	type Beneficiary = AccountId;
	type BeneficiaryLookup = IdentityLookup<AccountId>;
	type Paymaster = PayFromAccount<Balances, TreasuryAccount>;
	type BalanceConverter = UnityAssetBalanceConversion;
	type PayoutPeriod = PayoutPeriod;
	type BlockNumberProvider = System;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
}

parameter_types! {
	/// Deposit of an asset: its record of about 200 bytes.
	pub const AssetDeposit: Balance = deposit(1, 200);
	/// Deposit of an account of an asset that the account itself does not pay for.
	pub const AssetAccountDeposit: Balance = deposit(1, 60);
	/// Deposit of an asset's name.
	pub const MetadataDepositBase: Balance = deposit(1, 30);
	/// The same, per byte.
	pub const MetadataDepositPerByte: Balance = deposit(0, 1);
	/// Deposit of an approval.
	pub const ApprovalDeposit: Balance = deposit(1, 50);
}

impl pallet_assets::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Balance = Balance;
	type RemoveItemsLimit = ConstU32<500>;
	type AssetId = u32;
	type AssetIdParameter = codec::Compact<u32>;
	type ReserveData = ();
	type Currency = Balances;
	type CreateOrigin = AsEnsureOriginWithArg<EnsureSigned<AccountId>>;
	type ForceOrigin = EnsureRoot<AccountId>;
	type AssetDeposit = AssetDeposit;
	type AssetAccountDeposit = AssetAccountDeposit;
	type MetadataDepositBase = MetadataDepositBase;
	type MetadataDepositPerByte = MetadataDepositPerByte;
	type ApprovalDeposit = ApprovalDeposit;
	type StringLimit = ConstU32<50>;
	type Freezer = ();
	/// What is held of an account counts as its own.
	type Holder = AssetsHolder;
	type Extra = ();
	type CallbackHandle = ();
	/// Creators pick any free number.
	type AssetIdAllocator = ();
	type WeightInfo = pallet_assets::weights::SubstrateWeight<Runtime>;
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = ();
}

impl pallet_assets_holder::Config for Runtime {
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeEvent = RuntimeEvent;
}

/// Tells the native token from the assets of `pallet-assets`.
pub struct NativeOrToken;
impl Convert<Asset, Either<(), u32>> for NativeOrToken {
	fn convert(asset: Asset) -> Either<(), u32> {
		match asset {
			Asset::Native => Either::Left(()),
			Asset::Token(token) => Either::Right(token),
		}
	}
}

/// Balances and holds in any asset.
pub type AllHolds = UnionOf<Balances, AssetsHolder, NativeOrToken, Asset, AccountId>;
/// Balances and credits in any asset. Separate from [`AllHolds`], as the SDK's holder of assets knows no credits.
pub type AllCredits = UnionOf<Balances, Assets, NativeOrToken, Asset, AccountId>;
