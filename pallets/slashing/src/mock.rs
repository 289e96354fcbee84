//! A runtime of balances, time, models of the bonds and of the fault clock, and this pallet.

use crate::{Event, HoldReason, Pallet, Slash, Slashes};
use frame_support::{
	derive_impl, parameter_types, storage_alias,
	traits::{
		fungible::{hold::Inspect as _, BalancedHold as _, Inspect as _, MutateHold as _},
		tokens::{imbalance::ResolveTo, Precision},
		ConstU128, ConstU32, ConstU64, Hooks,
	},
	weights::{Weight, WeightMeter},
	Twox64Concat,
};
use frame_system::EnsureRoot;
use millrace_primitives::{
	AcceleratorKind, Balance, BlobHash, BondSlashing, ClassId, FaultClock, FaultEpoch, GpuClass, GpuIndex,
	GpuState, Judgement, LeaseId, Moment, NodeFault, ProviderFacts, ProviderInspect, SlashCause, SlashId,
	SlashLimit, Slashing as _,
};
use sp_runtime::{BuildStorage, DispatchError, DispatchResult, Perbill, Permill};

pub(crate) type AccountId = u64;

/// Existential deposit, in plancks: large enough that small payments can fail.
pub(crate) const ED: Balance = 10;
pub(crate) const PROVIDER: AccountId = 1;
pub(crate) const OTHER: AccountId = 2;
pub(crate) const RENTER: AccountId = 3;
pub(crate) const STRANGER: AccountId = 4;
/// The insurance pool.
pub(crate) const POOL: AccountId = 8;
pub(crate) const TREASURY: AccountId = 9;
/// What each of the accounts above starts with, beside the bonds.
pub(crate) const ENDOWMENT: Balance = 1_000_000;
/// Has no balance.
pub(crate) const NOBODY: AccountId = 100;

/// Active bond of each provider at the start.
pub(crate) const BOND: Balance = 10_000_000;
/// Bond of a node of four GPUs.
pub(crate) const LEASE_BOND: Balance = 1_000_000;
/// What one missed epoch of it costs: 0.02 %.
pub(crate) const EPOCH_COSTS: Balance = 200;
/// Most that one episode of it can cost: half.
pub(crate) const CAP: Balance = 500_000;
pub(crate) const LEASE: LeaseId = LeaseId(7);
/// A class with a bond, and one without.
pub(crate) const CLASS: ClassId = ClassId(0);
pub(crate) const FREE_CLASS: ClassId = ClassId(1);
pub(crate) const GPU_BOND: Balance = 250_000;

pub(crate) const SLOT: u64 = 1_000;
/// Time of the first block.
pub(crate) const START: Moment = 1_000_000;
pub(crate) const DEFERRAL: u64 = 200 * SLOT;
pub(crate) const VERDICT: u64 = 400 * SLOT;
/// Blocks until a miss is judged.
pub(crate) const JUDGED: u32 = 30;
pub(crate) const MIN_APPEAL: Balance = 50;
pub(crate) const EVIDENCE: BlobHash = BlobHash::repeat_byte(7);

/// Why the model of `pallet-providers` holds funds.
#[frame_support::pallet]
#[expect(unreachable_pub, reason = "FRAME's macros want it")]
pub(crate) mod bonds {
	#[pallet::pallet]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Active bond.
		Bond,
		/// Pending slashes.
		PendingSlash,
	}
}

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
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(3)]
	pub type Bonds = bonds;
	#[runtime::pallet_index(4)]
	pub type Slashing = crate;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountData = pallet_balances::AccountData<Balance>;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
	type Balance = Balance;
	type ExistentialDeposit = ConstU128<ED>;
}

impl bonds::Config for Test {}

parameter_types! {
	/// Weight that the agenda may use in a block.
	pub static AgendaLimit: Weight = Weight::MAX;
	/// Most that faults may cost a provider in the era.
	pub static EraCap: Balance = Balance::MAX;
	/// Providers whose bonds can neither be returned nor taken.
	pub static Broken: Vec<AccountId> = Vec::new();
	/// Whether time counts against providers.
	pub static Running: bool = true;
	pub static Epoch: FaultEpoch = 1;
	pub static EpisodeCap: Permill = Permill::from_percent(50);
	pub static VerdictWithin: u64 = VERDICT;
	pub static MinAppealBond: Balance = MIN_APPEAL;
	pub const DowntimeRate: Perbill = Perbill::from_parts(200_000);
	pub const InsuranceShare: Permill = Permill::from_percent(20);
	pub const AppealBondShare: Permill = Permill::from_percent(10);
	pub const Insurance: AccountId = POOL;
	pub const Treasury: AccountId = TREASURY;
}

impl crate::Config for Test {
	type Bonds = Registry;
	type Currency = Balances;
	type Providers = Registry;
	type Clock = Clock;
	type AdminOrigin = EnsureRoot<AccountId>;
	type Time = Timestamp;
	type DowntimeRate = DowntimeRate;
	type EpisodeCap = EpisodeCap;
	type InsuranceShare = InsuranceShare;
	type AppealBondShare = AppealBondShare;
	type MinAppealBond = MinAppealBond;
	type SlashDeferral = ConstU64<DEFERRAL>;
	type VerdictWithin = VerdictWithin;
	type JudgedWithin = ConstU32<JUDGED>;
	type SlotDuration = ConstU64<SLOT>;
	type InsuranceAccount = Insurance;
	type Insurance = ResolveTo<Insurance, Balances>;
	type Treasury = ResolveTo<Treasury, Balances>;
	type AgendaWeight = AgendaLimit;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = Clock;
}

/// Active bonds.
#[storage_alias]
pub(crate) type Active =
	StorageMap<MockBonds, Twox64Concat, AccountId, Balance, frame_support::pallet_prelude::ValueQuery>;
/// What faults have cost each provider in the era.
#[storage_alias]
type Era = StorageMap<MockBonds, Twox64Concat, AccountId, Balance, frame_support::pallet_prelude::ValueQuery>;
/// What is made of the misses of each owner in each epoch.
#[storage_alias]
type Judgements = StorageMap<MockClock, Twox64Concat, (FaultEpoch, AccountId), Judgement>;

/// Model of `pallet-providers`.
pub struct Registry;

impl Registry {
	fn move_hold(who: AccountId, from: bonds::HoldReason, to: bonds::HoldReason, amount: Balance) {
		Balances::release(&from.into(), &who, amount, Precision::Exact).unwrap();
		Balances::hold(&to.into(), &who, amount).unwrap();
	}
}

impl BondSlashing<AccountId, Balance> for Registry {
	type Credit = crate::CreditOf<Test>;

	fn hold_slash(who: &AccountId, amount: Balance, limit: SlashLimit) -> Result<Balance, DispatchError> {
		let mut amount = amount.min(Active::get(who));
		if limit == SlashLimit::Era {
			amount = amount.min(EraCap::get().saturating_sub(Era::get(who)));
			Era::mutate(who, |sum| *sum += amount);
		}
		Active::mutate(who, |active| *active -= amount);
		Self::move_hold(*who, bonds::HoldReason::Bond, bonds::HoldReason::PendingSlash, amount);
		Ok(amount)
	}

	fn return_slash(who: &AccountId, amount: Balance) -> DispatchResult {
		Self::move_hold(*who, bonds::HoldReason::PendingSlash, bonds::HoldReason::Bond, amount);
		Active::mutate(who, |active| *active += amount);
		// After the writes, so that a test sees whether they are rolled back.
		if Broken::get().contains(who) {
			return Err(DispatchError::Unavailable);
		}
		Ok(())
	}

	fn take_slash(who: &AccountId, amount: Balance) -> Result<Self::Credit, DispatchError> {
		let (credit, missing) = Balances::slash(&bonds::HoldReason::PendingSlash.into(), who, amount);
		assert_eq!(missing, 0, "more was taken than was held");
		if Broken::get().contains(who) {
			return Err(DispatchError::Unavailable);
		}
		Ok(credit)
	}
}

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(_: &AccountId) -> Option<AccountId> {
		None
	}

	fn is_registered(_: &AccountId) -> bool {
		false
	}

	fn is_reporting(_: &AccountId) -> bool {
		false
	}

	fn facts(_: &AccountId) -> Option<ProviderFacts<AccountId>> {
		None
	}

	fn class(class: ClassId) -> Option<GpuClass<Balance>> {
		let min_bond = match class {
			CLASS => GPU_BOND,
			FREE_CLASS => 0,
			_ => return None,
		};
		Some(GpuClass {
			kind: AcceleratorKind::Cuda,
			vendor: Default::default(),
			model: Default::default(),
			memory_mib: 0,
			min_bond,
			unit_weight: 1,
		})
	}

	fn free_gpus(_: &AccountId, _: ClassId) -> u32 {
		0
	}

	fn registered_gpus(_: &AccountId, _: ClassId) -> u32 {
		0
	}

	fn gpu(_: &AccountId, _: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)> {
		None
	}

	fn gpus(_: &AccountId) -> Vec<GpuIndex> {
		Vec::new()
	}

	fn lost_gpus(_: &AccountId, _: &[GpuIndex]) -> u32 {
		0
	}

	fn idle_units(_: &AccountId) -> u64 {
		0
	}

	fn lease_bonds(_: &AccountId) -> Balance {
		0
	}

	fn lease_bond(_: &AccountId, _: LeaseId) -> Balance {
		0
	}
}

/// Model of `pallet-fault-clock`.
pub struct Clock;

impl FaultClock<AccountId> for Clock {
	fn is_running() -> bool {
		Running::get()
	}

	fn stopped_ms() -> u64 {
		0
	}

	fn epoch() -> FaultEpoch {
		Epoch::get()
	}

	fn judge(since: FaultEpoch, epoch: FaultEpoch, owner: &AccountId) -> Judgement {
		match Judgements::get((epoch, owner)).unwrap_or(Judgement::Open) {
			Judgement::Counts => Judgements::get((since, owner)).unwrap_or(Judgement::Counts),
			decided => decided,
		}
	}
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper<AccountId> for Clock {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}

	fn add_provider(provider: &AccountId, stake: Balance) {
		bond(*provider, stake);
	}

	fn add_class(_: Balance) -> ClassId {
		CLASS
	}

	fn judge(epoch: FaultEpoch, owner: &AccountId, judgement: Judgement) {
		Judgements::insert((epoch, owner), judgement);
	}
}

/// From now on the misses of these providers that were found in `epoch` are judged like that.
pub(crate) fn judge(epoch: FaultEpoch, judgement: Judgement) {
	for provider in [PROVIDER, OTHER] {
		Judgements::insert((epoch, provider), judgement);
	}
}

/// Gives an account a bond of new money.
pub(crate) fn bond(who: AccountId, amount: Balance) {
	use frame_support::traits::fungible::Mutate as _;
	Balances::mint_into(&who, amount + ED).unwrap();
	Balances::hold(&bonds::HoldReason::Bond.into(), &who, amount).unwrap();
	Active::mutate(who, |active| *active += amount);
}

/// The provider takes all of its active bond back.
pub(crate) fn unbond(who: AccountId) {
	let active = Active::take(who);
	Balances::release(&bonds::HoldReason::Bond.into(), &who, active, Precision::Exact).unwrap();
}

/// A chain in its genesis.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	let rich = [PROVIDER, OTHER, RENTER, STRANGER, POOL, TREASURY];
	let genesis = RuntimeGenesisConfig {
		balances: pallet_balances::GenesisConfig {
			balances: rich.map(|who| (who, ENDOWMENT)).to_vec(),
			..Default::default()
		},
		..Default::default()
	};
	let mut ext: sp_io::TestExternalities = genesis.build_storage().unwrap().into();
	ext.execute_with(|| {
		// Events of block zero are not kept.
		System::set_block_number(1);
		Timestamp::set_timestamp(START);
		AgendaLimit::set(Weight::MAX);
		EraCap::set(Balance::MAX);
		Broken::set(Vec::new());
		Running::set(true);
		Epoch::set(1);
		EpisodeCap::set(Permill::from_percent(50));
		VerdictWithin::set(VERDICT);
		MinAppealBond::set(MIN_APPEAL);
		[PROVIDER, OTHER].into_iter().for_each(|provider| bond(provider, BOND));
	});
	ext
}

/// Runs a test on a fresh chain and checks the invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		events();
		let before = Balances::total_issuance();
		test();
		check();
		assert_eq!(Balances::total_issuance(), before, "money was made or lost");
	});
}

/// Runs a test that leaves the storage corrupt, and expects the named invariant to notice.
pub(crate) fn build_and_break(invariant: &str, test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		test();
		let error = Pallet::<Test>::do_try_state().expect_err("a corrupt storage passed");
		let message = format!("{error:?}");
		assert!(message.contains(invariant), "expected invariant {invariant:?}, got {message}");
	});
}

/// Checks the invariants, and those that the pallet cannot ask of its currency: nobody holds without a slash.
pub(crate) fn check() {
	Pallet::<Test>::do_try_state().unwrap();
	for who in [PROVIDER, OTHER, RENTER, STRANGER, POOL, TREASURY, NOBODY] {
		assert_eq!(pending(who), Pallet::<Test>::held_by_provider(&who), "hold differs from slashes");
		assert_eq!(Balances::balance_on_hold(&bonds::HoldReason::Bond.into(), &who), Active::get(who));
		let appeals = Slashes::<Test>::iter_values().filter(|slash| slash.provider == who);
		let bonds: Balance = appeals.filter_map(|slash| slash.appeal_bond()).sum();
		assert_eq!(appeal_bonds(who), bonds, "bonds differ from appeals");
	}
}

/// What is on hold for pending slashes in this account.
pub(crate) fn pending(who: AccountId) -> Balance {
	Balances::balance_on_hold(&bonds::HoldReason::PendingSlash.into(), &who)
}

/// What is on hold for appeals in this account.
pub(crate) fn appeal_bonds(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::AppealBond.into(), &who)
}

/// Free balance.
pub(crate) fn balance(who: AccountId) -> Balance {
	Balances::balance(&who)
}

/// A node of four GPUs that was dark for so many epochs, of which the renter was not served the worth of 1,000 plancks each.
pub(crate) fn fault(epochs: u32) -> NodeFault<AccountId, Balance> {
	fault_of(PROVIDER, LEASE, epochs)
}

pub(crate) fn fault_of(provider: AccountId, lease: LeaseId, epochs: u32) -> NodeFault<AccountId, Balance> {
	NodeFault {
		provider,
		owner: provider,
		lease,
		renter: RENTER,
		cause: SlashCause::Dark,
		lease_bond: LEASE_BOND,
		epochs,
		since: Epoch::get(),
		dark_gpus: 4,
		gpus: 4,
		walkout: 0,
		unserved: Some(1_000 * Balance::from(epochs)),
	}
}

/// Counts a fault in the current epoch.
pub(crate) fn count(fault: NodeFault<AccountId, Balance>) {
	Slashing::count_fault(fault).unwrap();
}

/// An episode of one fault, which counts, is over. Returns its slash.
pub(crate) fn ended_episode(epochs: u32) -> SlashId {
	ended(fault(epochs))
}

/// An episode of this fault, which counts, is over. Returns its slash.
pub(crate) fn ended(fault: NodeFault<AccountId, Balance>) -> SlashId {
	let (provider, lease) = (fault.provider, fault.lease);
	judge(Epoch::get(), Judgement::Counts);
	count(fault);
	let id = crate::Episodes::<Test>::get(provider, lease).unwrap();
	Slashing::end_episode(&provider, lease);
	id
}

pub(crate) fn slash(id: SlashId) -> Slash<AccountId> {
	Slashes::<Test>::get(id).unwrap()
}

pub(crate) fn is_over(id: SlashId) -> bool {
	!Slashes::<Test>::contains_key(id)
}

pub(crate) fn appeal(id: SlashId) -> DispatchResult {
	Slashing::appeal(RuntimeOrigin::signed(slash(id).provider), id, EVIDENCE)
}

pub(crate) fn execute(id: SlashId) -> DispatchResult {
	Slashing::execute(RuntimeOrigin::signed(STRANGER), id)
}

pub(crate) fn next_epoch() {
	Epoch::mutate(|epoch| *epoch += 1);
}

/// Lets time pass, in milliseconds, without a block.
pub(crate) fn pass(ms: u64) {
	Timestamp::set_timestamp(Timestamp::get() + ms);
}

/// One block of one slot.
pub(crate) fn next_block() {
	next_block_after(SLOT);
}

/// One block, `ms` after the one before.
pub(crate) fn next_block_after(ms: u64) {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	pass(ms);
	Slashing::on_poll(block, &mut WeightMeter::with_limit(Weight::MAX));
}

pub(crate) fn run_blocks(count: u32) {
	(0..count).for_each(|_| next_block());
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
