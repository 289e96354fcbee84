//! Leases: the market of GPUs and the life of what is leased on it.
//!
//! # Terms
//!
//! - **Ask**: a provider's standing offer of GPUs of one class at one price. Asks of a class form a *book* in
//!   the order of price, then age.
//! - **Order**: what a renter wants. It is matched in the extrinsic that places it, or refused with the
//!   reason.
//! - **Lease**: GPUs of one provider for one renter at one price for one term. Its money is an escrow of the
//!   pallet behind [`Config::Escrow`]; this pallet says when time counts, never how much a planck is worth.
//! - **Job**: a plan, by hash, to be run on a lease.
//! - **Agenda**: blocks at which something may have become due. Nothing else runs by itself.
//!
//! # Who calls it
//!
//! Providers post asks; renters order, submit jobs, extend and close; anybody may [`poke`](Pallet::poke) a
//! lease whose time has come; the admin origin may close one. Attestations, absence and results of jobs come
//! through [`LeaseAttestation`](millrace_primitives::LeaseAttestation) from the pallet above.
//!
//! # Life of a lease
//!
//! ```text
//! Pending --attested--> Active --missed reports--> Suspended --attested--> Active
//!    | not ready in time   | term over, funds used up     | too long, or term over
//!    v                     v                              v
//! closed and forgotten; the renter or governance can close it in each status
//! ```
//!
//! [`next`] is the only place that decides this. Billing starts at the first attestation. After the end of
//! the term the lease waits for the report that attests its last part, at most [`Config::FinalReportWithin`],
//! and is closed then; nothing beyond the end is billed.
//!
//! # Invariants
//!
//! 1. The deposits held of a provider are those of its asks.
//! 2. The book has exactly the asks with GPUs left, and `left` is what is offered less what is leased through
//!    the ask.
//! 3. The lists of a provider's asks and leases equal a recount.
//! 4. A GPU serves at most one lease, and the registry agrees on which.
//! 5. Every ask and every lease has exactly one entry in the agenda, and every entry has its object.
//! 6. Counts of jobs equal a recount and keep their bound; no job outlives its lease.
//! 7. Stored leases are not closed; times follow from the status.
//!
//! # What it does not do
//!
//! It moves no money of a lease, keeps no GPU's state and judges no absence: the pallets below and above do.
//! An order does not rest in the book, and a lease does not move to another provider. Orders look at the
//! [`MAX_ASKS_LOOKED_AT`] cheapest asks only; an ask that nobody could take costs its owner the deposit for
//! as long as it stands there.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod asks;
mod events;
mod impls;
mod jobs;
mod lifecycle;
mod matching;
mod status;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use pallet::*;
pub use status::{next, InvalidTransition, LeaseEvent};
pub use types::{
	AgendaItem, Ask, AskOf, BookKey, Job, Lease, LeaseOf, LeasedGpus, OrderTerms, UnexpectedKind,
	MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER, MAX_GPUS_PER_LEASE, MAX_JOBS_PER_LEASE,
};
pub use weights::WeightInfo;

#[import_section(events::events)]
#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use super::{
		types::{AgendaItem, AskOf, BookKey, Job, LeaseOf, OrderTerms, UnexpectedKind},
		types::{MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER, MAX_GPUS_PER_LEASE, MAX_JOBS_PER_LEASE},
		WeightInfo,
	};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Time,
		},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		AskId, Balance, BlobHash, BlockNumber, ClassId, CloseReason, Escrow, GpuReservation, Hash, JobId,
		JobOutcome, LeaseId, Moment, OrderId, ProviderInspect, MAX_LEASES_PER_PROVIDER,
	};
	use sp_runtime::SaturatedConversion;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Weights of the calls and of the agenda.
		type WeightInfo: WeightInfo;

		/// Where deposits are held.
		type Currency: Inspect<Self::AccountId, Balance = Balance>
			+ MutateHold<Self::AccountId, Balance = Balance, Reason: From<HoldReason>>;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// The registry of providers and GPUs.
		type Providers: ProviderInspect<Self::AccountId, Balance> + GpuReservation<Self::AccountId>;

		/// Money of leases.
		type Escrow: Escrow<Self::AccountId, Balance>;

		/// Who may close a lease for governance.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Held of the provider for each standing ask, in plancks.
		#[pallet::constant]
		type AskDeposit: Get<Balance>;

		/// Longest time for which an ask may stand, in milliseconds.
		type MaxAskLifetime: Get<u64>;

		/// Shortest term of a lease, in milliseconds.
		type MinTerm: Get<u64>;

		/// Longest term of a lease, extensions included, in milliseconds.
		type MaxTerm: Get<u64>;

		/// A lease that is not attested for the first time within this time of its opening is closed, in
		/// milliseconds.
		type ReadyWithin: Get<u64>;

		/// A lease that stays suspended for this time is closed, in milliseconds.
		type SuspendedFor: Get<u64>;

		/// A lease whose term is over waits this long for the report that attests its last part, in
		/// milliseconds. As long as the longest time between two reports that still counts as attested.
		type FinalReportWithin: Get<u64>;

		/// Time of a slot, in milliseconds: turns times into blocks for the agenda. It only steers when the
		/// agenda looks again; what is due is decided by chain time.
		type SlotDuration: Get<u64>;

		/// Most weight that the agenda may use in one block. Must be a constant and allow for the largest
		/// item.
		#[pallet::constant]
		type AgendaWeight: Get<Weight>;
	}

	/// Number of the next ask.
	#[pallet::storage]
	pub type NextAsk<T> = StorageValue<_, AskId, ValueQuery>;

	/// Number of the next order.
	#[pallet::storage]
	pub type NextOrder<T> = StorageValue<_, OrderId, ValueQuery>;

	/// Number of the next lease.
	#[pallet::storage]
	pub type NextLease<T> = StorageValue<_, LeaseId, ValueQuery>;

	/// Standing asks. Written by the provider's calls and by leases taken from them; removed on withdrawal or
	/// expiry.
	// Twox64: we number the asks ourselves.
	#[pallet::storage]
	pub type Asks<T: Config> = StorageMap<_, Twox64Concat, AskId, AskOf<T>>;

	/// Asks with GPUs left, by class, then price, then age.
	// Identity keeps the order of the keys, which is the point of the book. A provider chooses the price in
	// the key and could thus make the trie deeper, but by no more than the key's 24 bytes, and each entry
	// costs a deposit.
	#[pallet::storage]
	pub type Book<T> = StorageDoubleMap<_, Twox64Concat, ClassId, Identity, BookKey, (), OptionQuery>;

	/// Asks of each provider, oldest first. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type AsksOf<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<AskId, ConstU32<MAX_ASKS_PER_PROVIDER>>,
		ValueQuery,
	>;

	/// Leases that are not closed. Removed when they close: the receipt is in [`Event::LeaseClosed`].
	// Twox64: we number the leases ourselves.
	#[pallet::storage]
	pub type Leases<T: Config> = StorageMap<_, Twox64Concat, LeaseId, LeaseOf<T>>;

	/// Leases of each provider, oldest first. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type ProviderLeases<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<LeaseId, ConstU32<MAX_LEASES_PER_PROVIDER>>,
		ValueQuery,
	>;

	/// Jobs of leases. Removed with the lease; the oldest with a result gives way when a lease has
	/// [`MAX_JOBS_PER_LEASE`] of them.
	// Twox64: we number leases and jobs ourselves.
	#[pallet::storage]
	pub type Jobs<T> = StorageDoubleMap<_, Twox64Concat, LeaseId, Twox64Concat, JobId, Job, OptionQuery>;

	/// What may be due at which block. Written with the object that it is for; see [`AskOf`]'s and
	/// [`LeaseOf`]'s `due`.
	// Twox64: blocks and numbers are ours.
	#[pallet::storage]
	pub type Agenda<T> =
		StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, AgendaItem, (), OptionQuery>;

	/// First block of the agenda that is not fully served. Only ever grows.
	#[pallet::storage]
	pub type AgendaCursor<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Why this pallet holds money.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposits of standing asks.
		#[codec(index = 0)]
		AskDeposit,
	}

	#[pallet::error]
	pub enum Error<T> {
		/// Only a registered provider can post an ask. Register first.
		NotAProvider,
		/// No such class of GPUs. The registry lists them.
		UnknownClass,
		/// The number of GPUs is zero. Name at least one.
		ZeroGpus,
		/// The price is zero. Name at least one planck per GPU and second.
		ZeroPrice,
		/// The provider has fewer GPUs of this class than the ask offers. Add GPUs or offer fewer.
		OfferAboveRegistered,
		/// The shortest term is longer than the longest. Swap them.
		TermsReversed,
		/// A term is shorter or longer than the chain allows.
		TermOutOfBounds,
		/// The lifetime of the ask is zero or longer than the chain allows.
		LifetimeOutOfBounds,
		/// The provider has as many asks as it may have. Withdraw one.
		TooManyAsks,
		/// The free balance does not cover the deposit of an ask.
		DepositUnaffordable,
		/// No such ask; it may have expired.
		UnknownAsk,
		/// The ask is another provider's.
		NotAskOwner,
		/// Nobody offers this class at the moment.
		NoAsks,
		/// The cheapest offer costs more than `max_price`. Raise it, or wait for a cheaper ask.
		PriceTooLow,
		/// The only fitting asks are the renter's own; a provider cannot rent from itself.
		OwnAskOnly,
		/// No ask at this price allows the term.
		TermNotOffered,
		/// The providers at this price do not send reports, so that their GPUs cannot be leased. Try later or
		/// pay more.
		NoLiveProvider,
		/// No single provider at this price has that many free GPUs. Order fewer, or pay more.
		NotEnoughGpus,
		/// The free balance does not cover the deposit: price x GPUs x term, rounded up.
		InsufficientFunds,
		/// The amount does not fit into a balance. Lower price, GPUs or term.
		AmountTooLarge,
		/// The provider serves as many leases as it may.
		TooManyLeases,
		/// No such lease; it may be closed.
		UnknownLease,
		/// The lease is another renter's.
		NotRenter,
		/// The term is over; the lease is about to be closed.
		LeaseIsOver,
		/// The extension is zero.
		ZeroExtension,
		/// The whole term would be longer than the lease's ask allowed. Extend by less, or order a new lease.
		TermTooLong,
		/// The lease has as many jobs without a result as it may have. Wait for one to end.
		TooManyOpenJobs,
		/// The lease has no such job.
		UnknownJob,
		/// The job has a result already.
		JobAlreadyFinished,
		/// Nothing about this lease is due yet.
		NothingDue,
		/// This cannot happen to a lease in its status.
		InvalidTransition,
		/// All numbers for new objects are used up.
		NumbersExhausted,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(n: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::serve_agenda(n.saturated_into(), weight);
		}

		fn integrity_test() {
			let largest = T::WeightInfo::agenda_start()
				.saturating_add(T::WeightInfo::agenda_block())
				.saturating_add(T::WeightInfo::agenda_peek())
				.saturating_add(
					T::WeightInfo::agenda_lease(MAX_GPUS_PER_LEASE, MAX_JOBS_PER_LEASE)
						.max(T::WeightInfo::agenda_ask()),
				);
			assert!(
				T::AgendaWeight::get().all_gte(largest),
				"AgendaWeight must allow for the largest item, or the agenda can stop for ever: {largest:?}"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Offers GPUs for lease.
		///
		/// Origin: a registered provider. Checks that the class exists, that the provider has registered
		/// `gpus` of it, the limits of terms and lifetime, and the number of its asks. Holds the deposit.
		/// Emits [`Event::AskPosted`].
		///
		/// Does not check that the GPUs are free, nor that no other ask offers them too: that is checked when
		/// an order comes.
		///
		/// - `price`: plancks per GPU and second
		/// - `min_term_ms`, `max_term_ms`: allowed terms, in milliseconds
		/// - `lifetime_ms`: for how long the ask stands, in milliseconds
		#[pallet::call_index(0)]
		pub fn post_ask(
			origin: OriginFor<T>,
			class: ClassId,
			gpus: u32,
			price: Balance,
			min_term_ms: u64,
			max_term_ms: u64,
			lifetime_ms: u64,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_post_ask(provider, class, gpus, price, min_term_ms, max_term_ms, lifetime_ms)
		}

		/// Takes an offer back and releases its deposit. Leases from it stay.
		///
		/// Origin: the provider whose ask it is. Emits [`Event::AskWithdrawn`].
		#[pallet::call_index(1)]
		pub fn withdraw_ask(origin: OriginFor<T>, ask: AskId) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_withdraw_ask(&provider, ask)
		}

		/// Leases GPUs now, from the cheapest ask that fits; with `plan`, submits a first job.
		///
		/// Origin: the renter. Looks at the cheapest [`MAX_ASKS_LOOKED_AT`] asks of the class and takes the
		/// first whose price, term, provider and free GPUs fit; otherwise fails with the reason of the ask
		/// that was closest. Holds price x GPUs x term, rounded up. Emits [`Event::OrderPlaced`],
		/// [`Event::LeaseOpened`] and, with a plan, [`Event::JobSubmitted`].
		///
		/// Does not check that the plan exists: the chain knows its hash only.
		#[pallet::call_index(2)]
		pub fn place_order(
			origin: OriginFor<T>,
			order: OrderTerms,
			plan: Option<BlobHash>,
		) -> DispatchResultWithPostInfo {
			let renter = ensure_signed(origin)?;
			Self::do_place_order(renter, order, plan)
		}

		/// Asks for a plan to be run on a lease.
		///
		/// Origin: the lease's renter. Checks that the term is not over and the number of jobs without a
		/// result. When the lease has [`MAX_JOBS_PER_LEASE`] jobs, the oldest one with a result is forgotten.
		/// Emits [`Event::JobSubmitted`].
		#[pallet::call_index(3)]
		pub fn submit_job(origin: OriginFor<T>, lease: LeaseId, plan: BlobHash) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_submit_job(&renter, lease, plan)
		}

		/// Makes a lease's term longer and holds what that costs at the lease's price, rounded up.
		///
		/// Origin: the lease's renter. Checks that the term is not over and that the whole term stays within
		/// what the ask allowed. Emits [`Event::LeaseExtended`].
		#[pallet::call_index(4)]
		pub fn extend(origin: OriginFor<T>, lease: LeaseId, extra_ms: u64) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_extend(&renter, lease, extra_ms)
		}

		/// Ends a lease now: attested time is paid, the rest comes back.
		///
		/// Origin: the lease's renter, in any status. Time since the last attestation is not paid. Emits
		/// [`Event::LeaseClosed`].
		#[pallet::call_index(5)]
		pub fn close(origin: OriginFor<T>, lease: LeaseId) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_close(&renter, lease)
		}

		/// Does now what the agenda would do with a lease, if it is due by chain time.
		///
		/// Origin: anyone signed. For a chain that is too busy for its agenda. Emits [`Event::LeaseClosed`].
		#[pallet::call_index(6)]
		pub fn poke(origin: OriginFor<T>, lease: LeaseId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_poke(lease)
		}

		/// Ends a lease for governance: attested time is paid, the rest comes back.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::LeaseClosed`].
		#[pallet::call_index(7)]
		pub fn force_close(origin: OriginFor<T>, lease: LeaseId) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_force_close(lease)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The cheapest asks of a class, cheapest first; at most [`MAX_ASKS_LOOKED_AT`].
		pub fn book(class: ClassId) -> Vec<(AskId, AskOf<T>)> {
			Book::<T>::iter_key_prefix(class)
				.take(MAX_ASKS_LOOKED_AT as usize)
				.filter_map(|key| Some((key.ask(), Asks::<T>::get(key.ask())?)))
				.collect()
		}

		/// Price of the cheapest ask of a class with GPUs left, in plancks per GPU and second.
		pub fn best_price(class: ClassId) -> Option<Balance> {
			Book::<T>::iter_key_prefix(class).next().map(|key| key.price())
		}

		/// A lease and the time that is paid for but not yet attested, in milliseconds.
		pub fn lease_view(lease: LeaseId) -> Option<(LeaseOf<T>, u64)> {
			let record = Leases::<T>::get(lease)?;
			Some((record, T::Escrow::funded_ms(lease.into())?))
		}

		/// Jobs of a lease that are still stored, oldest first.
		pub fn jobs(lease: LeaseId) -> Vec<(JobId, Job)> {
			let mut jobs: Vec<_> = Jobs::<T>::iter_prefix(lease).collect();
			jobs.sort_by_key(|(job, _)| *job);
			jobs
		}
	}
}
