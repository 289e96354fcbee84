//! # Providers
//!
//! Who offers GPUs, which ones, with what at stake, and by which worker.
//!
//! ## Terms
//!
//! - **class**: what governance says of a kind of GPU: model, memory, smallest bond. Never changed, never removed.
//! - **provider**: a cold account that owns the bond and is paid. **worker**: its hot key, which signs reports and nothing else.
//! - **GPU**: (provider, index) with the salted hash of its UUID, which is unique on the chain. Indices are never used again.
//! - **bond**: held in the provider's account. It is *active*, or *unbonding*: on its way out, in chunks, and still at stake.
//! - **lease bond**: part of the active bond that a lease locks: the minimum bond of its GPUs. No free bond, no lease. It is a
//!   claim on the bond, not another hold.
//! - **pending slash**: what was taken out of the bond for a fault and is not executed or returned yet; a hold of its own.
//! - **lost**: said of a GPU that serves a lease and that the last report did not call healthy. When the lease lets go of it, it
//!   is in *quarantine* until enough reports in a row call it healthy.
//! - **uptime**: of the epochs for which a report was expected, the share that was attested. **reputation**: the uptime, less for
//!   leases that were failed or rejected and for executed slashes.
//! - **maintenance**: announced time in which a provider is offered to nobody and, while it serves no lease, owes no reports.
//! - **operator group**: providers that say they have one owner, and whose founder says so too. **owner**: the account of the
//!   founder, or the provider's own. Shares, limits and faults are counted by owner.
//! - **standing**: `New` until the first report, then `Live` or `Stale` as the reports come and stop.
//!
//! ```text
//! provider   register -> bond -> set_worker, add_gpu -> ... -> remove_gpu -> unbond -> withdraw -> deregister
//! group      Alone --apply_to_group--> Applied --admit_to_group--> Member --leave_group--> Alone
//! standing   New --report--> Live --silence--> Stale --report--> Live
//! GPU        Healthy <--report--> Faulty;   Healthy --reserve--> Leased --release--> Healthy
//!                                                                  '--release when lost--> Quarantined --reports--> Healthy
//! bond       bond -> active --unbond--> unbonding --(UnbondingPeriod)--> withdraw
//!                      |--leaving a lease early--> the renter
//!                      '--slash held--> pending slash --executed--> renter, insurance, treasury
//!                                          '--returned--> active
//! ```
//!
//! ## Who calls it
//!
//! Providers, by the calls. The leases reserve and release GPUs and take the penalty for leaving early (`GpuReservation`),
//! the attestation writes standing, health and uptime (`ProviderLiveness`), slashes move the bond (`BondSlashing`), all read
//! (`ProviderInspect`).
//!
//! ## Invariants
//!
//! `try_state.rs`: holds equal the ledger; the active bond covers every GPU, but for what penalties took; indices of UUIDs and
//! workers equal a recount; uptime is a provider's.
//!
//! ## What it does not do
//!
//! It does not check that a provider has the GPU that it registers, nor that it is where it says: that is for reports and
//! challenges. It does not ask the owner of a worker key for consent: whoever finds its key taken makes a fresh one, which
//! costs nothing. It does not decide what is slashed, nor when.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod bond;
mod classes;
mod gpus;
mod groups;
mod impls;
mod maintenance;
mod record;
mod registration;
mod reservation;
mod slashes;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;
mod worker_key;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::{
	Chunk, ClassCapacity, Endpoint, EraSlashes, Gpu, GpuList, Maintenance, Membership, Provider,
	ServiceRecord, Standing, MAX_ENDPOINT_LEN, MAX_UNBONDING_CHUNKS,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{
		registration::Profile, ClassCapacity, Endpoint, Gpu, GpuList, Provider, ServiceRecord, WeightInfo,
	};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Time},
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Balance, ClassId, Country, GpuClass, GpuIndex, Hash as H256, LeaseId, Moment};
	use sp_runtime::Permill;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The native token.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::hold::Mutate<Self::AccountId, Reason: From<HoldReason>>
			+ fungible::BalancedHold<Self::AccountId>;

		/// Who may create classes.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Chain time, in milliseconds.
		type Time: Time<Moment = Moment>;

		/// How long unbonding takes, in milliseconds. Longer than every window in which a fault can be found and punished.
		#[pallet::constant]
		type UnbondingPeriod: Get<u64>;

		/// Length of an era, for the limit of what faults can cost in one, in milliseconds.
		type EraDuration: Get<u64>;

		/// Largest share of what a provider has at stake that faults can cost it in one era.
		type EraSlashCap: Get<Permill>;

		/// Held while an account is registered, in plancks.
		type RegistrationDeposit: Get<Balance>;

		/// Whether a CPU may stand in for a GPU: on development and local chains only.
		type ReferenceClassesAllowed: Get<bool>;

		/// How long before it begins a maintenance is announced at the latest, in milliseconds.
		type MaintenanceNotice: Get<u64>;

		/// Longest maintenance, in milliseconds.
		type MaxMaintenance: Get<u64>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// What the benchmarks ask of the runtime.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Classes by number. Written by `create_class` and at genesis; never changed or removed.
	// The chain assigns the number, one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type Classes<T: Config> = StorageMap<_, Twox64Concat, ClassId, GpuClass<Balance>>;

	/// Number of the next class.
	#[pallet::storage]
	pub type NextClass<T: Config> = StorageValue<_, ClassId, ValueQuery>;

	/// Registered providers. Written by the calls of a provider and by its reports; removed by `deregister`.
	#[pallet::storage]
	pub type Providers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, Provider<T::AccountId>>;

	/// Provider of each worker. Written and removed with the provider's worker key.
	#[pallet::storage]
	pub type Workers<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, T::AccountId>;

	/// GPUs by provider and index. Written by `add_gpu`, leases and reports; removed by `remove_gpu`.
	// The index is assigned here, one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type Gpus<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, GpuIndex, Gpu>;

	/// How many GPUs of each class a provider has. Written with `Gpus`; no entry when there are none.
	// Counted here, so that a search through the market reads one key of each provider and not all its GPUs.
	#[pallet::storage]
	pub type Capacity<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, ClassId, ClassCapacity>;

	/// Part of the active bond that each lease has locked, in plancks. Written with the GPUs' reservation and release.
	// Leases are numbered one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type LeaseBonds<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, LeaseId, Balance>;

	/// Which GPU has a UUID, by its salted hash. Written by `add_gpu`, removed by `remove_gpu`.
	// Whoever registers a GPU sends the hash, and could send any 32 bytes.
	#[pallet::storage]
	pub type GpuUuids<T: Config> = StorageMap<_, Blake2_128Concat, H256, (T::AccountId, GpuIndex)>;

	/// Record of each provider that has reported or served. Written by reports, absence, leases and slashes; removed by
	/// `deregister`.
	#[pallet::storage]
	pub type Records<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, ServiceRecord>;

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// At stake for good service: the active bond and what is unbonding.
		#[codec(index = 0)]
		Bond,
		/// Pays for the place in the registry.
		#[codec(index = 1)]
		Registration,
		/// Taken out of the bond for a fault, until the slash is executed or returned.
		#[codec(index = 2)]
		PendingSlash,
	}

	/// Genesis: the classes, numbered from zero. Trusted: reference classes are not refused here.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Classes in the order of their numbers.
		pub classes: Vec<GpuClass<Balance>>,
		/// Nothing.
		#[serde(skip)]
		pub _config: PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			for class in &self.classes {
				// No chain may start from a table other than the one that was asked for.
				assert!(
					Pallet::<T>::insert_class(class).is_ok(),
					"a class of the genesis needs a vendor and a model"
				);
			}
		}
	}

	/// Events.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Governance described a class.
		ClassCreated {
			/// Its number.
			class: ClassId,
			/// What it is.
			details: GpuClass<Balance>,
		},
		/// An account became a provider. `ProfileDeclared` follows.
		Registered {
			/// Which account.
			provider: T::AccountId,
			/// Plancks held for the registration.
			deposit: Balance,
		},
		/// What a provider says about itself, from now on.
		ProfileDeclared {
			/// Which provider.
			provider: T::AccountId,
			/// Where its node is reached.
			endpoint: Endpoint,
			/// Country, ISO 3166-1 alpha-2.
			country: Country,
			/// Autonomous system; zero if it declares none.
			network: u32,
		},
		/// A provider wants to join an operator group.
		GroupApplied {
			/// Which provider.
			provider: T::AccountId,
			/// Account after which the group is named.
			founder: T::AccountId,
		},
		/// An application was withdrawn or refused.
		GroupApplicationEnded {
			/// Which provider's.
			provider: T::AccountId,
			/// Account after which the group is named.
			founder: T::AccountId,
		},
		/// A provider belongs to an operator group, from now on.
		GroupJoined {
			/// Which provider.
			provider: T::AccountId,
			/// Account after which the group is named: the provider's owner, for shares, limits and faults.
			founder: T::AccountId,
		},
		/// A provider is its own owner again.
		GroupLeft {
			/// Which provider.
			provider: T::AccountId,
			/// Account after which the group is named.
			founder: T::AccountId,
		},
		/// An account is no provider any more.
		Deregistered {
			/// Which account.
			provider: T::AccountId,
			/// Plancks given back.
			deposit: Balance,
		},
		/// The active bond grew.
		Bonded {
			/// Whose.
			provider: T::AccountId,
			/// Plancks put on hold.
			amount: Balance,
		},
		/// Part of the active bond is on its way out. Nothing has moved: it is still on hold.
		Unbonded {
			/// Whose.
			provider: T::AccountId,
			/// Plancks that are no longer active.
			amount: Balance,
			/// When they can be withdrawn, in milliseconds.
			unlocks_at: Moment,
		},
		/// Unbonded funds were given back.
		Withdrawn {
			/// To whom.
			provider: T::AccountId,
			/// Plancks given back.
			amount: Balance,
		},
		/// A provider left a lease early: part of its active bond went to the renter.
		LeavingPenaltyPaid {
			/// Which provider.
			provider: T::AccountId,
			/// Who received it.
			renter: T::AccountId,
			/// Plancks that moved.
			amount: Balance,
		},
		/// A provider will be in maintenance: it is offered to nobody, and while it serves no lease it owes no reports.
		MaintenanceAnnounced {
			/// Which provider.
			provider: T::AccountId,
			/// When it begins, in milliseconds.
			from: Moment,
			/// When it is over, in milliseconds.
			until: Moment,
		},
		/// A provider took its maintenance back, or ended it early.
		MaintenanceEnded {
			/// Which provider.
			provider: T::AccountId,
		},
		/// Part of what a provider has at stake is on hold for a slash.
		SlashHeld {
			/// Whose.
			provider: T::AccountId,
			/// Plancks that moved.
			amount: Balance,
		},
		/// What was on hold for a slash is part of the active bond again.
		SlashReturned {
			/// Whose.
			provider: T::AccountId,
			/// Plancks that moved.
			amount: Balance,
		},
		/// What was on hold for a slash has left the account.
		SlashTaken {
			/// Whose.
			provider: T::AccountId,
			/// Plancks that left.
			amount: Balance,
		},
		/// A provider has a worker key, or another one.
		WorkerSet {
			/// Which provider.
			provider: T::AccountId,
			/// Account of the key.
			worker: T::AccountId,
			/// The key that it replaces.
			replaced: Option<T::AccountId>,
		},
		/// A provider has no worker key any more.
		WorkerRemoved {
			/// Which provider.
			provider: T::AccountId,
			/// Account of the key.
			worker: T::AccountId,
		},
		/// A provider registered a GPU.
		GpuAdded {
			/// Which provider.
			provider: T::AccountId,
			/// Index of the GPU.
			gpu: GpuIndex,
			/// Its class.
			class: ClassId,
			/// Salted hash of its UUID.
			uuid_hash: H256,
		},
		/// A provider took a GPU off the registry.
		GpuRemoved {
			/// Which provider.
			provider: T::AccountId,
			/// Index of the GPU. It is never used again.
			gpu: GpuIndex,
			/// Salted hash of its UUID.
			uuid_hash: H256,
		},
		/// A report changed the health of a GPU that is not leased.
		GpuHealthChanged {
			/// Which provider.
			provider: T::AccountId,
			/// Index of the GPU.
			gpu: GpuIndex,
			/// Whether it is healthy now.
			healthy: bool,
		},
		/// A report did not call a GPU healthy that serves a lease.
		GpuLost {
			/// Which provider.
			provider: T::AccountId,
			/// The lease.
			lease: LeaseId,
			/// Index of the GPU.
			gpu: GpuIndex,
		},
		/// A report calls a GPU healthy again that serves a lease and was lost.
		GpuFound {
			/// Which provider.
			provider: T::AccountId,
			/// The lease.
			lease: LeaseId,
			/// Index of the GPU.
			gpu: GpuIndex,
		},
		/// GPUs serve a lease now.
		GpusReserved {
			/// Which provider.
			provider: T::AccountId,
			/// The lease.
			lease: LeaseId,
			/// Indices of the GPUs.
			gpus: GpuList,
		},
		/// GPUs do not serve a lease any more.
		GpusReleased {
			/// Which provider.
			provider: T::AccountId,
			/// The lease.
			lease: LeaseId,
			/// Indices of the GPUs.
			gpus: GpuList,
		},
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// The account is a provider already. Use `update_profile` to change what it declares.
		AlreadyRegistered,
		/// The account is not a provider. Call `register` first.
		NotRegistered,
		/// There is no class of this number. Look the number up in `Classes`.
		UnknownClass,
		/// A class needs a vendor and a model, both in UTF-8.
		BadClassName,
		/// All numbers of classes are used up.
		ClassesUsedUp,
		/// Reference classes are for development and local chains. Use a class of real GPUs.
		ReferenceClassRefused,
		/// A country is two capital letters, such as `IS`.
		BadCountry,
		/// An endpoint is an address that begins with `ws://` or `wss://`, in printable ASCII without spaces.
		BadEndpoint,
		/// The provider has GPUs. Remove them first.
		StillHasGpus,
		/// The provider has a bond or funds that are unbonding. Unbond, wait and withdraw first.
		StillBonded,
		/// The provider serves leases, and its owner is what their faults are judged by. Join or leave a group when they are over.
		OwnerInUse,
		/// A provider applies to somebody else's group. Its own needs no application: others apply to it.
		OwnGroup,
		/// The provider belongs to an operator group. Leave that first.
		AlreadyInGroup,
		/// The provider has not applied to your group. It has to call `providers.applyToGroup` with your account first.
		NotApplied,
		/// The provider neither belongs to an operator group nor has applied to one.
		NotInGroup,
		/// Only the provider itself and the group's founder can do this.
		NotYourGroup,
		/// A slash is not decided yet. Wait until it is executed or returned: see `slashing.slashesOf`.
		SlashPending,
		/// The active bond that is not locked for leases does not cover the GPUs. The provider has to bond more first.
		NotEnoughFreeBond,
		/// A maintenance ends after it begins. Swap the times, which are in milliseconds since the Unix epoch.
		MaintenanceEndsBeforeItBegins,
		/// The maintenance begins too soon. Announce it earlier: see `maintenanceLimits` for the notice.
		MaintenanceTooSoon,
		/// The maintenance is too long. Announce a shorter one: see `maintenanceLimits`.
		MaintenanceTooLong,
		/// The last maintenance is not long enough ago. Wait for seven times its length after its end.
		MaintenanceTooOften,
		/// No maintenance is announced or going on.
		NoMaintenance,
		/// The amount is zero. Give one that is larger.
		ZeroAmount,
		/// The free balance is too small. Add funds to the account first.
		InsufficientFunds,
		/// The active bond is smaller than this amount. Ask for less.
		NotBonded,
		/// The active bond would no longer cover the provider's GPUs. Unbond less, or remove GPUs first.
		BondInUse,
		/// The active bond does not cover the provider's GPUs with the new one. Bond more first.
		BondTooSmall,
		/// Too many parts of the bond are unbonding. Wait and withdraw first.
		TooManyUnbondings,
		/// Nothing has finished unbonding. Wait until the time in the `Unbonded` event.
		NothingToWithdraw,
		/// The account is a provider's worker already. Use a fresh key.
		WorkerTaken,
		/// A provider cannot be its own worker. Use a key of its own for the worker.
		WorkerIsProvider,
		/// The provider has no worker key.
		NoWorker,
		/// A GPU with this UUID is registered already.
		GpuAlreadyRegistered,
		/// The provider has no GPU of this index.
		UnknownGpu,
		/// The GPU serves a lease. Wait until that is closed.
		GpuIsLeased,
		/// The provider has as many GPUs as one can have. Use another account for more.
		TooManyGpus,
		/// The provider has used up all indices of GPUs. Use another account.
		GpuIndicesUsedUp,
		/// The provider has fewer healthy free GPUs of this class.
		NotEnoughGpus,
		/// Hold and ledger disagree. Nothing was moved. This is a defect: please report it.
		LedgerMismatch,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Describes a class of GPUs, under the next number.
		///
		/// Origin: `AdminOrigin`. Refuses names that are empty or not UTF-8, and reference classes unless the chain allows
		/// them. Does not check whether a class of this name exists. Emits `ClassCreated`.
		#[pallet::call_index(0)]
		pub fn create_class(origin: OriginFor<T>, class: GpuClass<Balance>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_create_class(class)
		}

		/// Makes the sender a provider and holds `RegistrationDeposit`.
		///
		/// Origin: signed. Whether the declarations are true is not checked. Emits `Registered`, `ProfileDeclared`.
		#[pallet::call_index(2)]
		pub fn register(
			origin: OriginFor<T>,
			endpoint: Endpoint,
			country: Country,
			network: u32,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_register(who, Profile { endpoint, country, network })
		}

		/// Changes all that the provider declares.
		///
		/// Origin: signed, by a provider. Leases that run are not affected. Emits `ProfileDeclared`.
		#[pallet::call_index(3)]
		pub fn update_profile(
			origin: OriginFor<T>,
			endpoint: Endpoint,
			country: Country,
			network: u32,
		) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_update_profile(who, Profile { endpoint, country, network })
		}

		/// Takes the provider off the registry, frees its worker key and gives the deposit back.
		///
		/// Origin: signed, by a provider without GPUs, bond and unbonding funds. Emits `WorkerRemoved` if there was a worker,
		/// and `Deregistered`.
		#[pallet::call_index(4)]
		pub fn deregister(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_deregister(who)
		}

		/// Adds `amount` plancks of the provider's free balance to its active bond.
		///
		/// Origin: signed, by a provider. The account keeps the existential deposit. Emits `Bonded`.
		#[pallet::call_index(5)]
		pub fn bond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_bond(who, amount)
		}

		/// Starts to take `amount` plancks out of the active bond. They stay on hold, and at stake, for `UnbondingPeriod`.
		///
		/// Origin: signed, by a provider. The active bond must still cover its GPUs. Emits `Unbonded`.
		#[pallet::call_index(6)]
		pub fn unbond(origin: OriginFor<T>, amount: Balance) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_unbond(who, amount)
		}

		/// Gives back everything that has finished unbonding.
		///
		/// Origin: signed, by a provider. Fails when nothing has. Emits `Withdrawn`.
		#[pallet::call_index(7)]
		pub fn withdraw(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_withdraw(who)
		}

		/// Makes an account the provider's worker, in place of the one before.
		///
		/// Origin: signed, by a provider. The account is given a reference that lets it send reports without a balance. It
		/// must be nobody's worker, and not the provider itself. Does not check that the owner of the key agrees. Emits
		/// `WorkerSet`.
		#[pallet::call_index(8)]
		pub fn set_worker(origin: OriginFor<T>, worker: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_set_worker(who, worker)
		}

		/// Takes the worker key away, such as after it was stolen. Running leases are no longer attested.
		///
		/// Origin: signed, by a provider that has one. Emits `WorkerRemoved`.
		#[pallet::call_index(9)]
		pub fn remove_worker(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove_worker(who)
		}

		/// Registers a GPU, under the provider's next index.
		///
		/// Origin: signed, by a provider whose active bond covers the new GPU too. `uuid_hash` must be unique on the chain.
		/// Does not check that the GPU exists: a report that leaves it out or calls it unhealthy makes it faulty.
		/// Emits `GpuAdded`.
		#[pallet::call_index(10)]
		pub fn add_gpu(origin: OriginFor<T>, class: ClassId, uuid_hash: H256) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_add_gpu(who, class, uuid_hash)
		}

		/// Takes a GPU off the registry.
		///
		/// Origin: signed, by a provider. The GPU must not be leased. Emits `GpuRemoved`.
		#[pallet::call_index(11)]
		pub fn remove_gpu(origin: OriginFor<T>, gpu: GpuIndex) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_remove_gpu(who, gpu)
		}

		/// Announces a maintenance: from then on until its end the provider is offered to nobody, and while it serves no lease it
		/// owes no reports. It protects no lease that runs: reclaim those in time.
		///
		/// Origin: signed, by a provider. Replaces a maintenance that has not begun. Needs notice, has a longest length, and comes
		/// no sooner than seven times the length of the last one after its end. Emits `MaintenanceAnnounced`.
		///
		/// - `from`, `until`: in milliseconds since the Unix epoch
		#[pallet::call_index(12)]
		pub fn announce_maintenance(origin: OriginFor<T>, from: Moment, until: Moment) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_announce_maintenance(who, from, until)
		}

		/// Takes back a maintenance that has not begun, or ends the one that goes on.
		///
		/// Origin: signed, by a provider. Emits `MaintenanceEnded`.
		#[pallet::call_index(13)]
		pub fn end_maintenance(origin: OriginFor<T>) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_end_maintenance(who)
		}

		/// Asks to join the operator group of another account, for they have one owner. Replaces an application to another.
		///
		/// Origin: signed, by a provider without a group. The founder need not be a provider. Nothing changes until it admits.
		/// Emits `GroupApplied`.
		#[pallet::call_index(14)]
		pub fn apply_to_group(origin: OriginFor<T>, founder: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_apply_to_group(who, founder)
		}

		/// Lets a provider into the sender's operator group: from now on shares, limits and faults count it as the sender's.
		///
		/// Origin: signed, by the founder. The provider has applied and serves no lease. Emits `GroupJoined`.
		#[pallet::call_index(15)]
		pub fn admit_to_group(origin: OriginFor<T>, provider: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_admit_to_group(who, provider)
		}

		/// Ends a provider's membership in an operator group, or its application to one.
		///
		/// Origin: signed, by the provider or by the group's founder. A member serves no lease. Emits `GroupLeft` or
		/// `GroupApplicationEnded`.
		#[pallet::call_index(16)]
		pub fn leave_group(origin: OriginFor<T>, provider: T::AccountId) -> DispatchResult {
			let who = ensure_signed(origin)?;
			Self::do_leave_group(who, provider)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Smallest active bond for the provider's GPUs, in plancks. `None` if the account is not a provider.
		pub fn required_bond(provider: T::AccountId) -> Option<Balance> {
			Providers::<T>::contains_key(&provider).then(|| Self::bond_for_gpus(&provider).ok()).flatten()
		}

		/// Part of the active bond that no lease has locked, in plancks: with less than a class's minimum bond, no further GPU of it
		/// can be leased. `None` if the account is not a provider.
		pub fn free_bond(provider: T::AccountId) -> Option<Balance> {
			Some(Providers::<T>::get(provider)?.free_bond())
		}

		/// Plancks that the provider could withdraw now. `None` if the account is not a provider.
		pub fn withdrawable(provider: T::AccountId) -> Option<Balance> {
			Some(Providers::<T>::get(provider)?.matured(T::Time::now()))
		}

		/// Share of the expected epochs that the provider attested, rounded down: today, over 7 days and over 30 days, counted
		/// in days of UTC. A span in which no report was expected has the share of the next longer one. What is missed counts
		/// when the provider reports again. `None` without an expected report in 30 days.
		pub fn uptime(provider: T::AccountId) -> Option<(Permill, Permill, Permill)> {
			Self::uptime_of(&provider)
		}

		/// One figure for the provider's record, used in matching: its uptime over 30 days, less for leases that it failed, that were
		/// rejected, and for executed slashes. Zero without an uptime.
		pub fn reputation(provider: T::AccountId) -> Permill {
			Self::reputation_of(&provider)
		}

		/// What is remembered of the provider's service.
		pub fn record(provider: T::AccountId) -> Option<ServiceRecord> {
			Records::<T>::get(provider)
		}

		/// Notice of a maintenance and its longest length, in milliseconds.
		pub fn maintenance_limits() -> (u64, u64) {
			(T::MaintenanceNotice::get(), T::MaxMaintenance::get())
		}

		/// How many GPUs of a class the provider has, and how many of them are free.
		pub fn capacity(provider: T::AccountId, class: ClassId) -> ClassCapacity {
			Self::capacity_of(&provider, class)
		}

		/// GPUs of the provider in the order of their indices.
		pub fn gpus_of(provider: T::AccountId) -> Vec<(GpuIndex, Gpu)> {
			Self::gpus_by_index(&provider)
		}
	}
}
