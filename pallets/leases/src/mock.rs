//! A runtime for tests: real balances; registry and escrow are small models in storage, so that they roll
//! back with it.

use crate as pallet_leases;
use crate::types::OrderTerms;
use frame_support::{
	derive_impl, parameter_types, storage_alias,
	traits::{Hooks, Time},
	weights::{Weight, WeightMeter},
	Twox64Concat,
};
use frame_system::EnsureRoot;
use millrace_primitives::{
	AcceleratorKind, Accrued, AskId, Balance, ClassId, Escrow, EscrowId, GpuClass, GpuIndex, GpuReservation,
	GpuState, JobId, LeaseId, LeaseStatus, LeaseUsage, ProviderInspect, Receipt,
};
use sp_runtime::{BuildStorage, DispatchError};

pub(crate) type AccountId = u64;

pub(crate) const PROVIDER: AccountId = 1;
pub(crate) const OTHER_PROVIDER: AccountId = 2;
pub(crate) const RENTER: AccountId = 10;
pub(crate) const OTHER_RENTER: AccountId = 11;
pub(crate) const POOR: AccountId = 12;
pub(crate) const STRANGER: AccountId = 13;
pub(crate) const RICH: Balance = 1_000_000_000;

pub(crate) const CLASS: ClassId = ClassId(0);
pub(crate) const OTHER_CLASS: ClassId = ClassId(1);
pub(crate) const PRICE: Balance = 100;
pub(crate) const SLOT: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60_000;
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

parameter_types! {
	pub static Now: u64 = START;
	/// Weight that the agenda may use in a block.
	pub static AgendaLimit: Weight = Weight::MAX;
	/// Escrows whose close fails.
	pub static BrokenEscrows: Vec<EscrowId> = Vec::new();
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
	pub const MaxAskLifetime: u64 = 100 * MINUTE;
	pub const MinTerm: u64 = 10 * SLOT;
	pub const MaxTerm: u64 = 60 * MINUTE;
	pub const ReadyWithin: u64 = 5 * MINUTE;
	pub const SuspendedFor: u64 = 2 * MINUTE;
	pub const FinalReportWithin: u64 = WINDOW;
	pub const SlotDuration: u64 = SLOT;
}

impl pallet_leases::Config for Test {
	type WeightInfo = ();
	type Currency = Balances;
	type Time = Clock;
	type Providers = Registry;
	type Escrow = Till;
	type AdminOrigin = EnsureRoot<AccountId>;
	type AskDeposit = AskDeposit;
	type MaxAskLifetime = MaxAskLifetime;
	type MinTerm = MinTerm;
	type MaxTerm = MaxTerm;
	type ReadyWithin = ReadyWithin;
	type SuspendedFor = SuspendedFor;
	type FinalReportWithin = FinalReportWithin;
	type SlotDuration = SlotDuration;
	type AgendaWeight = AgendaLimit;
}

/// Whether each provider is live.
#[storage_alias]
pub(crate) type RegistryLive = StorageMap<MockRegistry, Twox64Concat, AccountId, bool>;
/// Class and state of each GPU.
#[storage_alias]
pub(crate) type RegistryGpus =
	StorageDoubleMap<MockRegistry, Twox64Concat, AccountId, Twox64Concat, GpuIndex, (ClassId, GpuState)>;
/// Payer, payee, rate, deposit, owed, attested time.
#[storage_alias]
pub(crate) type TillEscrows =
	StorageMap<MockTill, Twox64Concat, EscrowId, (AccountId, AccountId, Balance, Balance, Balance, u64)>;

/// Model of the registry.
pub struct Registry;

impl ProviderInspect<AccountId, Balance> for Registry {
	fn provider_of(_: &AccountId) -> Option<AccountId> {
		None
	}

	fn is_registered(provider: &AccountId) -> bool {
		RegistryLive::contains_key(provider)
	}

	fn is_live(provider: &AccountId) -> bool {
		RegistryLive::get(provider).unwrap_or(false)
	}

	fn class(class: ClassId) -> Option<GpuClass<Balance>> {
		(class.0 < 2).then(|| GpuClass {
			kind: AcceleratorKind::Reference,
			vendor: Default::default(),
			model: Default::default(),
			memory_mib: 0,
			min_bond: 0,
			unit_weight: 1,
		})
	}

	fn free_gpus(provider: &AccountId, class: ClassId) -> u32 {
		RegistryGpus::iter_prefix_values(provider).filter(|gpu| *gpu == (class, GpuState::Healthy)).count()
			as u32
	}

	fn registered_gpus(provider: &AccountId, class: ClassId) -> u32 {
		RegistryGpus::iter_prefix_values(provider).filter(|gpu| gpu.0 == class).count() as u32
	}

	fn gpu(provider: &AccountId, gpu: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)> {
		RegistryGpus::get(provider, gpu).map(|(class, state)| (class, Default::default(), state))
	}

	fn gpus(provider: &AccountId) -> Vec<GpuIndex> {
		let mut gpus: Vec<_> = RegistryGpus::iter_key_prefix(provider).collect();
		gpus.sort();
		gpus
	}
}

impl GpuReservation<AccountId> for Registry {
	fn reserve(
		provider: &AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError> {
		let mut free: Vec<_> = RegistryGpus::iter_prefix(provider)
			.filter(|(_, gpu)| *gpu == (class, GpuState::Healthy))
			.map(|(index, _)| index)
			.collect();
		free.sort();
		if free.len() < count as usize {
			return Err(DispatchError::Other("no free GPUs"));
		}
		free.truncate(count as usize);
		for gpu in &free {
			RegistryGpus::insert(provider, gpu, (class, GpuState::Leased(lease)));
		}
		Ok(free)
	}

	fn release(provider: &AccountId, gpus: &[GpuIndex], lease: LeaseId) {
		for gpu in gpus {
			if let Some((class, GpuState::Leased(holder))) = RegistryGpus::get(provider, gpu) {
				if holder == lease {
					RegistryGpus::insert(provider, gpu, (class, GpuState::Healthy));
				}
			}
		}
	}
}

/// Model of the escrow: accrues and closes, moves nothing.
pub struct Till;

impl Escrow<AccountId, Balance> for Till {
	fn open(
		id: EscrowId,
		payer: &AccountId,
		payee: &AccountId,
		rate: Balance,
		deposit: Balance,
	) -> Result<u64, DispatchError> {
		assert!(!TillEscrows::contains_key(id), "an escrow is opened twice");
		TillEscrows::insert(id, (*payer, *payee, rate, deposit, 0, 0));
		Ok(millrace_math::funded_ms(deposit, rate))
	}

	fn top_up(id: EscrowId, amount: Balance) -> Result<u64, DispatchError> {
		TillEscrows::mutate_extant(id, |escrow| escrow.3 += amount);
		Self::funded_ms(id).ok_or(DispatchError::Other("no escrow"))
	}

	fn accrue(id: EscrowId, ms: u64) -> Result<Accrued<Balance>, DispatchError> {
		let (payer, payee, rate, deposit, owed, attested) =
			TillEscrows::get(id).ok_or(DispatchError::Other("no escrow"))?;
		let attested = attested + ms;
		let total = millrace_math::accrued(rate, attested).unwrap().min(deposit);
		TillEscrows::insert(id, (payer, payee, rate, deposit, total, attested));
		Ok(Accrued { amount: total - owed, exhausted: deposit - total < rate })
	}

	fn funded_ms(id: EscrowId) -> Option<u64> {
		TillEscrows::get(id)
			.map(|(_, _, rate, deposit, owed, _)| millrace_math::funded_ms(deposit - owed, rate))
	}

	fn close(id: EscrowId) -> Result<Receipt<Balance>, DispatchError> {
		if BrokenEscrows::get().contains(&id) {
			return Err(DispatchError::Unavailable);
		}
		let (_, _, _, deposited, owed, attested_ms) =
			TillEscrows::take(id).ok_or(DispatchError::Other("no escrow"))?;
		let fee = owed / 50;
		Ok(Receipt { deposited, paid: owed - fee, fee, refunded: deposited - owed, attested_ms })
	}
}

#[derive(Default)]
pub(crate) struct ExtBuilder;

impl ExtBuilder {
	pub(crate) fn build(self) -> sp_io::TestExternalities {
		let mut storage = frame_system::GenesisConfig::<Test>::default().build_storage().unwrap();
		let rich = [PROVIDER, OTHER_PROVIDER, RENTER, OTHER_RENTER, STRANGER].map(|who| (who, RICH));
		let balances = rich.into_iter().chain([(POOR, 500)]).collect();
		pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
			.assimilate_storage(&mut storage)
			.unwrap();
		let mut ext = sp_io::TestExternalities::from(storage);
		ext.execute_with(|| {
			System::set_block_number(1);
			Now::set(START);
			AgendaLimit::set(Weight::MAX);
			BrokenEscrows::set(Vec::new());
			add_gpus(PROVIDER, 8);
			add_gpus(OTHER_PROVIDER, 8);
		});
		ext
	}

	pub(crate) fn build_and_execute(self, test: impl FnOnce()) {
		self.build().execute_with(|| {
			test();
			Leases::do_try_state().unwrap();
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

/// Registers `count` more GPUs of [`CLASS`] for a live provider.
pub(crate) fn add_gpus(provider: AccountId, count: u16) {
	RegistryLive::insert(provider, true);
	let first = Registry::gpus(&provider).len() as u16;
	for index in first..first + count {
		RegistryGpus::insert(provider, GpuIndex(index), (CLASS, GpuState::Healthy));
	}
}

/// One block, `ms` after the one before.
pub(crate) fn next_block_after(ms: u64) {
	let block = System::block_number() + 1;
	System::set_block_number(block);
	Now::set(Now::get() + ms);
	Leases::on_poll(block, &mut WeightMeter::with_limit(Weight::MAX));
}

/// Blocks of one slot each.
pub(crate) fn run_blocks(count: u64) {
	for _ in 0..count {
		next_block_after(SLOT);
	}
}

pub(crate) fn post(provider: AccountId, gpus: u32, price: Balance) -> AskId {
	let ask = pallet_leases::NextAsk::<Test>::get();
	Leases::post_ask(
		RuntimeOrigin::signed(provider),
		CLASS,
		gpus,
		price,
		MinTerm::get(),
		MaxTerm::get(),
		MaxAskLifetime::get(),
	)
	.unwrap();
	ask
}

pub(crate) fn terms(gpus: u32) -> OrderTerms {
	OrderTerms { class: CLASS, gpus, max_price: PRICE, term_ms: 10 * MINUTE }
}

pub(crate) fn order(renter: AccountId, terms: OrderTerms) -> LeaseId {
	let lease = pallet_leases::NextLease::<Test>::get();
	Leases::place_order(RuntimeOrigin::signed(renter), terms, None).unwrap();
	lease
}

/// A pending lease of two of [`PROVIDER`]'s GPUs for [`RENTER`].
pub(crate) fn open() -> LeaseId {
	post(PROVIDER, 8, PRICE);
	order(RENTER, terms(2))
}

/// The same, attested for the first time.
pub(crate) fn open_active() -> LeaseId {
	let lease = open();
	attest(lease);
	assert_eq!(status(lease), Some(LeaseStatus::Active));
	lease
}

pub(crate) fn usage(lease: LeaseId) -> LeaseUsage {
	LeaseUsage { lease, busy_ms: 7, jobs_ended: 0 }
}

/// An attestation now, with all GPUs healthy.
pub(crate) fn attest(lease: LeaseId) {
	let provider = record(lease).provider;
	Leases::do_attest(&usage(lease), &Registry::gpus(&provider), Now::get(), WINDOW).unwrap();
}

pub(crate) fn record(lease: LeaseId) -> crate::LeaseOf<Test> {
	pallet_leases::Leases::<Test>::get(lease).unwrap()
}

pub(crate) fn status(lease: LeaseId) -> Option<LeaseStatus> {
	pallet_leases::Leases::<Test>::get(lease).map(|lease| lease.status)
}

pub(crate) fn attested_ms(lease: LeaseId) -> u64 {
	TillEscrows::get(EscrowId::from(lease)).unwrap().5
}

pub(crate) fn submit(lease: LeaseId) -> JobId {
	let job = record(lease).next_job;
	Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, Default::default()).unwrap();
	job
}

/// This pallet's events since the last call.
pub(crate) fn events() -> Vec<crate::Event<Test>> {
	let events = System::read_events_for_pallet();
	System::reset_events();
	events
}
