//! Leases: the market of GPUs and the life of what is leased on it.
//!
//! # Terms
//!
//! - **Market**: GPUs of one class, paid in one asset. Asks and orders of a market meet in its *book*.
//! - **Ask**: a provider's standing offer at one price.
//! - **Order**: what a renter wants: so many nodes of so many GPUs each, all or nothing. It is matched in the extrinsic that
//!   places it, or waits: for its start, for the end of its auction, or, resting, for capacity.
//! - **Bid**: a provider's price for one node of an order that is auctioned.
//! - **Lease**: a matched order, with the order's number. It has one or more *nodes*, each served by another provider at a
//!   price fixed when it was assigned. Its money is an escrow of the pallet behind [`Config::Escrow`]; this pallet says when
//!   time counts, never how much a planck is worth.
//! - **Generation** of a node: how often it changed its provider. **Failover** is such a change, in the same escrow.
//! - **Job**: a plan, by hash, to be run on a node. **Checkpoint**: a state from which a job can go on elsewhere.
//! - **Agenda**: blocks at which something may have become due. Nothing else runs by itself.
//!
//! # Who calls it
//!
//! Providers post asks, bid, give notice and leave; renters order, submit jobs, fund, change, reject and close; anybody may
//! [`poke`](Pallet::poke) a lease whose time has come; the admin origin may close one. Attestations, absence and results of
//! jobs come through [`LeaseAttestation`](millrace_primitives::LeaseAttestation) from the pallet above.
//!
//! # Life
//!
//! ```text
//! order   placed --matched--> lease            placed --waits--> matched | expired | cancelled
//!
//! lease   Pending --every node attested--> Active <--top-up | low balance--> Frozen
//!            any of them --> Closed(reason)
//!
//! node    Pending --attested--> Active <--attested | missed reports--> Suspended
//!            |                    | notice                                |
//!            |                    v                                       |
//!            |                 Reclaiming --notice served                 | too long
//!            v not ready          |                                       |
//!         Faulted <---------------+---------------------------------------+
//!            |--replaced--> Pending, generation + 1      nobody found: the lease closes
//! ```
//!
//! [`next`] and [`next_node`] are the only places that decide this. Billing starts when every node was attested once. After
//! the end of the term the lease waits for the reports that attest its last part, at most [`Config::FinalReportWithin`], and
//! is closed then; nothing beyond the end is billed.
//!
//! # Which file does what
//!
//! | file | what it writes |
//! |---|---|
//! | `terms` | nothing: whether the terms of an ask or an order are well-formed |
//! | `asks` | asks, their place in the book |
//! | `orders` | orders that wait, and their ends |
//! | `bids` | bids |
//! | `selection` | nothing: which providers an order gets, or why none |
//! | `opening` | a matched order becomes a lease; a node gets or loses its provider |
//! | `rounds` | resting orders are offered new capacity |
//! | `attesting` | attestation and suspension |
//! | `nodes` | notice, leaving, faults, failover |
//! | `funding` | term and funds |
//! | `closing` | the end of a lease |
//! | `deadlines` | what time alone makes of a lease |
//! | `agenda` | when to look at what |
//! | `faults` | for how long nodes were not served |
//! | `pausing` | whether the market is paused |
//! | `jobs` | jobs and checkpoints |
//! | `reads` | nothing: quotes, depth, summaries |
//!
//! # Invariants
//!
//! 1. The deposits held are those of the account's asks, waiting orders and bids.
//! 2. Every ask in the book exists and has GPUs left; what is taken of an ask is what is leased through it. An ask leaves the
//!    book while nobody could take it: its provider does not report, or has no free GPU of the class.
//! 3. The lists of a provider's asks, bids and leases, and of a renter's orders, equal a recount.
//! 4. A GPU serves at most one lease, and the registry agrees on which. A provider serves at most one node of a lease.
//! 5. Every ask, waiting order, round, lease and pending payment has exactly one entry in the agenda, and every entry has its
//!    object.
//! 6. Counts of jobs and bids equal a recount and keep their bound; no job outlives its lease.
//! 7. Stored leases are not closed; times follow from the status.
//! 8. The list of resting orders has exactly the orders that rest.
//!
//! # What it does not do
//!
//! It moves no money of a lease, keeps no GPU's state and judges no absence: the pallets below and above do. Orders look at
//! the [`MAX_ASKS_LOOKED_AT`] cheapest asks of their market. Selection is greedy, cheapest first: an order with several
//! constraints can be refused although some dearer combination would satisfy them all.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod asks;
mod attesting;
#[cfg(feature = "runtime-benchmarks")]
pub mod benchmarking;
mod bids;
mod closing;
mod deadlines;
mod events;
mod faults;
mod funding;
mod impls;
mod jobs;
mod nodes;
mod opening;
mod orders;
mod pausing;
mod reads;
mod rounds;
mod selection;
mod status;
mod terms;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;
mod weights_ext;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

pub use pallet::*;
pub use status::{next, next_node, InvalidTransition, LeaseEvent, NodeEvent};
pub use types::{
	AgendaItem, Ask, AskOf, Bid, BookKey, Job, LastPayments, Lease, LeaseOf, Market, Node, NodeGpus, Nodes,
	Order, OrderOf, Round, UnexpectedKind, Waiting, MAX_ASKS_LOOKED_AT, MAX_ASKS_PER_PROVIDER,
	MAX_BIDS_PER_ORDER, MAX_BIDS_PER_PROVIDER, MAX_EXCLUDED, MAX_GPUS_PER_NODE, MAX_JOBS_PER_LEASE,
	MAX_ORDERS_PER_RENTER, MAX_ORDERS_PER_ROUND,
};
pub use weights::WeightInfo;
pub use weights_ext::{LeaseSize, WeightInfoExt};

#[import_section(events::events)]
#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use super::{
		types::{
			AgendaItem, AskOf, Bid, BookKey, Job, LastPayments, LeaseOf, Market, OrderOf, Round,
			UnexpectedKind, Waiting, MAX_ASKS_PER_PROVIDER, MAX_BIDS_PER_PROVIDER, MAX_ORDERS_PER_RENTER,
		},
		weights_ext::{LeaseSize, WeightInfoExt},
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
		AskId, AskTerms, Balance, BlobHash, BlockNumber, Checkpoint, CloseReason, Escrow, FaultCause,
		FaultClock, FaultClockControl, GpuIndex, GpuReservation, Hash, JobId, JobOutcome, LeaseId, Moment,
		NodeIndex, OrderId, OrderTerms, ProviderInspect, Slashing, MAX_LEASES_PER_PROVIDER,
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
		type Providers: ProviderInspect<Self::AccountId, Balance> + GpuReservation<Self::AccountId, Balance>;

		/// Money of leases.
		type Escrow: Escrow<Self::AccountId, Balance>;

		/// What faults cost.
		type Slashing: Slashing<Self::AccountId, Balance>;

		/// Which time counts against providers.
		type Clock: FaultClock<Self::AccountId> + FaultClockControl;

		/// Length of an epoch of a provider with leases, in milliseconds: the unit in which faults are counted.
		type EpochDuration: Get<u64>;

		/// Epochs for which a missing report is waited for.
		type GraceEpochs: Get<u32>;

		/// Who may close a lease for governance, and pause the market.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Deposit of an account's first ask, in plancks; the n-th that stands at a time costs n times as much.
		type AskDeposit: Get<Balance>;

		/// Deposit of an account's first waiting order, in plancks; the n-th costs n times as much.
		type OrderDeposit: Get<Balance>;

		/// Deposit of an account's first live bid, in plancks; the n-th costs n times as much.
		type BidDeposit: Get<Balance>;

		/// Longest auction, in blocks.
		#[pallet::constant]
		type MaxAuctionBlocks: Get<BlockNumber>;

		/// Longest time for which an ask may stand, in milliseconds.
		type MaxAskLifetime: Get<u64>;

		/// Longest time for which an order may wait, for its start and resting each, in milliseconds.
		type MaxOrderLifetime: Get<u64>;

		/// Shortest term of a lease, in milliseconds.
		type MinTerm: Get<u64>;

		/// Longest fixed term of a lease, extensions included, in milliseconds.
		type MaxTerm: Get<u64>;

		/// Shortest notice that an ask or a bid may offer, in milliseconds.
		type MinReclaimNotice: Get<u64>;

		/// Longest notice that an ask or a bid may offer, in milliseconds.
		type MaxReclaimNotice: Get<u64>;

		/// A node that is not attested for the first time within this time of its assignment is faulted, in milliseconds.
		type ReadyWithin: Get<u64>;

		/// A node that stays suspended for this time is faulted, in milliseconds.
		type SuspendedFor: Get<u64>;

		/// For how long another provider is looked for, in milliseconds.
		type FailoverWithin: Get<u64>;

		/// For how long after it is ready a lease can be rejected, in milliseconds. Shorter than the contest window.
		type AcceptanceWindow: Get<u64>;

		/// How long before a lease is frozen its renter is warned, in milliseconds.
		type LowBalanceWarning: Get<u64>;

		/// The last so many milliseconds that are funded are spent frozen, unless the term ends within them.
		type FrozenGrace: Get<u64>;

		/// A lease whose term is over waits this long for the reports that attest its last part, in milliseconds. As long
		/// as the longest time between two reports that still counts as attested.
		type FinalReportWithin: Get<u64>;

		/// Time of a slot, in milliseconds: turns times into blocks for the agenda. It only steers when the agenda looks
		/// again; what is due is decided by chain time.
		type SlotDuration: Get<u64>;

		/// Most weight that the agenda may use in one block. Must be a constant and allow for the largest item.
		#[pallet::constant]
		type AgendaWeight: Get<Weight>;

		/// What the benchmarks need of the pallets below.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Number of the next ask.
	#[pallet::storage]
	pub type NextAsk<T> = StorageValue<_, AskId, ValueQuery>;

	/// Number of the next order, which is that of its lease and of its escrow too.
	#[pallet::storage]
	pub type NextOrder<T> = StorageValue<_, OrderId, ValueQuery>;

	/// Set while governance pauses the market. Written by `pause_market` and `resume_market`.
	#[pallet::storage]
	pub type Paused<T> = StorageValue<_, (), OptionQuery>;

	/// Standing asks. Written by the provider's calls and by leases taken from them; removed on withdrawal or expiry.
	// Twox64: we number the asks ourselves.
	#[pallet::storage]
	pub type Asks<T: Config> = StorageMap<_, Twox64Concat, AskId, AskOf<T>>;

	/// Asks that can be taken, by market, then price, then age.
	// Identity keeps the order of the keys, which is the point of the book. A provider chooses the price in the key and
	// could thus make the trie deeper, but by no more than the key's 24 bytes, and each entry costs a deposit.
	#[pallet::storage]
	pub type Book<T> = StorageDoubleMap<_, Twox64Concat, Market, Identity, BookKey, (), OptionQuery>;

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

	/// Orders that wait. Removed when they are matched, cancelled or expired.
	// Twox64: we number the orders ourselves.
	#[pallet::storage]
	pub type Orders<T: Config> = StorageMap<_, Twox64Concat, OrderId, OrderOf<T>>;

	/// Waiting orders of each renter, oldest first. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type OrdersOf<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<OrderId, ConstU32<MAX_ORDERS_PER_RENTER>>,
		ValueQuery,
	>;

	/// Orders that rest, by market: the one that pays most first, then age.
	// Identity: see `Book`.
	#[pallet::storage]
	pub type RestingOrders<T> = StorageDoubleMap<_, Twox64Concat, Market, Identity, BookKey, (), OptionQuery>;

	/// Markets whose resting orders are being offered new capacity.
	// Twox64: governance numbers classes and allows assets.
	#[pallet::storage]
	pub type Rounds<T> = StorageMap<_, Twox64Concat, Market, Round>;

	/// Live bids by order and provider. Removed when they are withdrawn or outbid from a full list, and with their order.
	// Twox64: we number the orders. Blake2: users choose accounts.
	#[pallet::storage]
	pub type Bids<T: Config> =
		StorageDoubleMap<_, Twox64Concat, OrderId, Blake2_128Concat, T::AccountId, Bid, OptionQuery>;

	/// Orders on which each provider has a live bid, oldest bid first. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type BidsOf<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<OrderId, ConstU32<MAX_BIDS_PER_PROVIDER>>,
		ValueQuery,
	>;

	/// Leases that are not closed. Removed when they close: [`Event::LeaseClosed`] and the escrow's receipt remain.
	// Twox64: we number the leases ourselves.
	#[pallet::storage]
	pub type Leases<T: Config> = StorageMap<_, Twox64Concat, LeaseId, LeaseOf<T>>;

	/// Leases that each provider serves, in the order of their numbers. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type ProviderLeases<T: Config> = StorageMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		BoundedVec<LeaseId, ConstU32<MAX_LEASES_PER_PROVIDER>>,
		ValueQuery,
	>;

	/// Closed leases whose last payments wait for the contest window. Removed when the escrow is gone.
	// Twox64: we number the leases ourselves.
	#[pallet::storage]
	pub type Payments<T> = StorageMap<_, Twox64Concat, LeaseId, LastPayments>;

	/// Jobs of leases. Removed with the lease; the oldest with a result gives way when a lease has
	/// [`MAX_JOBS_PER_LEASE`](crate::MAX_JOBS_PER_LEASE) of them.
	// Twox64: we number leases and jobs ourselves.
	#[pallet::storage]
	pub type Jobs<T> = StorageDoubleMap<_, Twox64Concat, LeaseId, Twox64Concat, JobId, Job, OptionQuery>;

	/// What may be due at which block. Written with the object that it is for, which has the block as `due`.
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
		/// Deposits of waiting orders.
		#[codec(index = 1)]
		OrderDeposit,
		/// Deposits of live bids.
		#[codec(index = 2)]
		BidDeposit,
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The market is paused. Try again when `MarketResumed` has been emitted.
		MarketPaused,
		/// The market is not paused.
		MarketNotPaused,
		/// Only a registered provider can post an ask or bid. Register first.
		NotAProvider,
		/// No such class of GPUs. The registry lists them.
		UnknownClass,
		/// Leases cannot be paid in this asset. The council allows assets.
		AssetNotAllowed,
		/// The number of GPUs is zero. Name at least one.
		ZeroGpus,
		/// The number of nodes is zero. Name at least one.
		ZeroNodes,
		/// A lease cannot have that many nodes, or a node that many GPUs. Split the order.
		OrderTooLarge,
		/// The price is zero. Name at least one unit per GPU and second.
		ZeroPrice,
		/// The provider has fewer GPUs of this class than the ask offers. Add GPUs or offer fewer.
		OfferAboveRegistered,
		/// The shortest term is longer than the longest. Swap them.
		TermsReversed,
		/// A term is shorter or longer than the chain allows.
		TermOutOfBounds,
		/// An open-ended order has to be funded for longer than the frozen grace, and for the shortest term at least.
		FundingTooShort,
		/// The reclaim notice is shorter or longer than the chain allows.
		NoticeOutOfBounds,
		/// The lifetime is zero or longer than the chain allows.
		LifetimeOutOfBounds,
		/// The provider has as many asks as it may have. Withdraw one.
		TooManyAsks,
		/// The free balance does not cover the deposit, which grows with the number of objects that the account has open.
		DepositUnaffordable,
		/// No such ask; it may have expired.
		UnknownAsk,
		/// The ask is another provider's.
		NotAskOwner,
		/// Nobody offers this class in this asset at the moment. Let the order rest, or try later.
		NoAsks,
		/// The cheapest offer costs more than `max_price`. Raise it, let the order rest, or wait for a cheaper ask.
		PriceTooLow,
		/// The only fitting asks are the renter's own; a provider cannot rent from itself.
		OwnAskOnly,
		/// No ask at this price allows the term.
		TermNotOffered,
		/// The providers at this price do not send reports, so that their GPUs cannot be leased. Try later or pay more.
		NoLiveProvider,
		/// No provider at this price has that many free GPUs for a node. Order fewer, or pay more.
		NotEnoughGpus,
		/// Fewer providers than nodes fit at this price. Order fewer nodes, or pay more.
		NotEnoughNodes,
		/// No provider at this price is in a country that the order allows.
		CountryNotOffered,
		/// No provider at this price has the uptime that the order wants.
		UptimeNotOffered,
		/// The order's limits per owner, country or network leave too few providers. Loosen them, or order fewer nodes.
		LimitsTooTight,
		/// A limit of nodes per owner, country or network is zero. Leave it out, or name at least one.
		ZeroLimit,
		/// The list of countries is empty, or has something that is not two capital letters.
		BadCountries,
		/// A first job names a node that the order does not have.
		NoSuchNode,
		/// The start is in the past or further away than an order may wait.
		StartOutOfBounds,
		/// An auction cannot have a start. Place it later, or let the order rest.
		ScheduledAuction,
		/// The auction is zero blocks long or longer than the chain allows.
		AuctionOutOfBounds,
		/// The renter has as many waiting orders as it may have. Cancel one.
		TooManyOrders,
		/// No such waiting order; it may be matched, cancelled or expired.
		UnknownOrder,
		/// The order is another renter's.
		NotOrderOwner,
		/// The order takes no bids: it is not an auction, or its auction is over.
		NoAuction,
		/// A provider cannot bid on its own order.
		OwnOrder,
		/// The bid is above the order's highest price.
		BidTooHigh,
		/// The provider has a bid on this order that is as good or better. Bid below it.
		BidNotBetter,
		/// The order has as many bids as it can have, all of them at this price or below. Bid below the highest of them.
		BidsFull,
		/// The provider has as many live bids as it may have. Withdraw one.
		TooManyBids,
		/// The provider has no bid on this order.
		NoBid,
		/// The provider does not satisfy the order's constraints on country or uptime, or has too few GPUs of the class.
		BidderUnfit,
		/// The free balance does not cover the deposit: price x GPUs x nodes x funded time, with the premium, rounded up.
		InsufficientFunds,
		/// The amount does not fit into a balance. Lower price, GPUs or term.
		AmountTooLarge,
		/// The amount is zero.
		ZeroAmount,
		/// The provider serves as many leases as it may.
		TooManyLeases,
		/// No such lease; it may be closed.
		UnknownLease,
		/// The lease is another renter's.
		NotRenter,
		/// The account serves no node of this lease.
		NotServing,
		/// The term is over; the lease is about to be closed.
		LeaseIsOver,
		/// The extension is zero.
		ZeroExtension,
		/// The lease is open-ended: it lasts as long as it is funded. Top it up instead.
		OpenEnded,
		/// The new term is not shorter than the present one. Name a shorter one, or extend the lease instead.
		NotShorter,
		/// The whole term would be longer than the lease's asks allowed. Extend by less, or order a new lease.
		TermTooLong,
		/// The term can be shortened to what is over already at least, and to the shortest that the chain allows.
		TermTooShort,
		/// The acceptance window is over, or has not begun. Close the lease, or contest what was earned.
		NotInAcceptanceWindow,
		/// The provider has given notice already.
		NoticeAlreadyGiven,
		/// The lease has as many jobs without a result as it may have. Wait for one to end.
		TooManyOpenJobs,
		/// The lease has no such job.
		UnknownJob,
		/// The job has a result already.
		JobAlreadyFinished,
		/// Nothing about this lease is due yet.
		NothingDue,
		/// This cannot happen to a lease or a node in its status.
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
			let largest = Self::walk_weights().least_for(T::WeightInfo::largest_agenda_item());
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
		/// Origin: a registered provider. Checks class, asset, that the provider has registered so many GPUs of the class,
		/// the limits of terms, notice and lifetime, and the number of its asks. Holds the deposit, which grows with the
		/// number of its asks. Resting orders of the market are offered the ask from the next block on. Emits
		/// [`Event::AskPosted`].
		///
		/// Does not check that the GPUs are free, nor that no other ask offers them too: that is checked when an order comes.
		///
		/// - `lifetime_ms`: for how long the ask stands, in milliseconds
		#[pallet::call_index(0)]
		#[pallet::weight(<T as Config>::WeightInfo::post_ask_as_one_of(crate::MAX_ASKS_PER_PROVIDER))]
		pub fn post_ask(
			origin: OriginFor<T>,
			terms: AskTerms,
			lifetime_ms: u64,
		) -> DispatchResultWithPostInfo {
			let provider = ensure_signed(origin)?;
			Self::do_post_ask(provider, terms, lifetime_ms)
		}

		/// Takes an offer back and releases its deposit. Leases from it stay.
		///
		/// Origin: the provider whose ask it is. Emits [`Event::AskWithdrawn`].
		#[pallet::call_index(1)]
		pub fn withdraw_ask(origin: OriginFor<T>, ask: AskId) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_withdraw_ask(&provider, ask)
		}

		/// Orders GPUs: matched at once, from the cheapest asks that satisfy it, or else waiting as the terms say.
		///
		/// Origin: the renter. Looks at the cheapest [`MAX_ASKS_LOOKED_AT`](crate::MAX_ASKS_LOOKED_AT) asks of the market,
		/// by price, then uptime, then age. An order that is not to wait fails with the reason that was closest to a match.
		/// Holds what the order can cost at most, and gives back what the match does not need. A waiting order costs a
		/// deposit, which grows with the number of the renter's waiting orders. Emits [`Event::OrderPlaced`], and then
		/// [`Event::LeaseOpened`] or [`Event::OrderWaits`].
		///
		/// Does not check that the plans of its jobs exist: the chain knows their hashes only.
		#[pallet::call_index(2)]
		#[pallet::weight(<T as Config>::WeightInfo::place_any_order(terms.nodes, terms.gpus_per_node))]
		pub fn place_order(origin: OriginFor<T>, terms: OrderTerms) -> DispatchResultWithPostInfo {
			let renter = ensure_signed(origin)?;
			Self::do_place_order(renter, terms)
		}

		/// Asks for a plan to be run on a node of a lease.
		///
		/// Origin: the lease's renter. Checks that the term is not over and the number of jobs without a result. When the
		/// lease has [`MAX_JOBS_PER_LEASE`](crate::MAX_JOBS_PER_LEASE) jobs, the oldest one with a result is forgotten.
		/// Emits [`Event::JobSubmitted`].
		#[pallet::call_index(3)]
		pub fn submit_job(
			origin: OriginFor<T>,
			lease: LeaseId,
			node: NodeIndex,
			plan: BlobHash,
		) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_submit_job(&renter, lease, node, plan)
		}

		/// Makes a lease's fixed term longer and holds what that costs at the lease's prices, rounded up.
		///
		/// Origin: the lease's renter. Checks that the term is not over and that the whole term stays within what the asks
		/// allowed. Emits [`Event::LeaseExtended`].
		#[pallet::call_index(4)]
		pub fn extend(origin: OriginFor<T>, lease: LeaseId, extra_ms: u64) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_extend(&renter, lease, extra_ms)
		}

		/// Ends a lease now: what nobody earned comes back at once, attested time is paid when the contest window is over.
		///
		/// Origin: the lease's renter, in any status. Time since the last attestation is not paid. Emits
		/// [`Event::LeaseClosed`].
		#[pallet::call_index(5)]
		#[pallet::weight(<T as Config>::WeightInfo::close_lease(LeaseSize::LARGEST))]
		pub fn close(origin: OriginFor<T>, lease: LeaseId) -> DispatchResultWithPostInfo {
			let renter = ensure_signed(origin)?;
			Self::do_close(&renter, lease)
		}

		/// Does now what the agenda would do with a lease or its last payments, if it is due by chain time.
		///
		/// Origin: anyone signed. For a chain that is too busy for its agenda.
		#[pallet::call_index(6)]
		#[pallet::weight(<T as Config>::WeightInfo::poke_any())]
		pub fn poke(origin: OriginFor<T>, lease: LeaseId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			Self::do_poke(lease)
		}

		/// Ends a lease for governance: as `close` by the renter.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::LeaseClosed`].
		#[pallet::call_index(7)]
		#[pallet::weight(<T as Config>::WeightInfo::close_lease(LeaseSize::LARGEST))]
		pub fn force_close(origin: OriginFor<T>, lease: LeaseId) -> DispatchResultWithPostInfo {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_force_close(lease)
		}

		/// Takes a waiting order back: what is held for it, its deposit and the deposits of its bids are released.
		///
		/// Origin: the renter who placed it. Emits [`Event::OrderCancelled`].
		#[pallet::call_index(8)]
		#[pallet::weight(<T as Config>::WeightInfo::cancel_order(crate::MAX_BIDS_PER_ORDER))]
		pub fn cancel_order(origin: OriginFor<T>, order: OrderId) -> DispatchResultWithPostInfo {
			let renter = ensure_signed(origin)?;
			Self::do_cancel_order(&renter, order)
		}

		/// Bids for one node of an order that is auctioned.
		///
		/// Origin: a registered provider that satisfies the order. One live bid per provider: a new one must be cheaper and
		/// replaces the old. When the order has as many bids as it can have, the new one must beat the dearest, which gives
		/// way and gets its deposit back. Holds the deposit. Emits [`Event::BidPlaced`], and [`Event::BidReleased`] for one
		/// that gives way.
		///
		/// Reserves no GPUs: a bidder that has too few free ones when the order is awarded is passed over.
		#[pallet::call_index(9)]
		pub fn place_bid(
			origin: OriginFor<T>,
			order: OrderId,
			price: Balance,
			reclaim_notice_ms: u64,
		) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_place_bid(provider, order, price, reclaim_notice_ms)
		}

		/// Takes a bid back, frees its place and releases its deposit.
		///
		/// Origin: the provider whose bid it is. Emits [`Event::BidReleased`].
		#[pallet::call_index(10)]
		pub fn withdraw_bid(origin: OriginFor<T>, order: OrderId) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_withdraw_bid(&provider, order)
		}

		/// Holds more for a lease: an open-ended one lasts longer, a frozen one goes on.
		///
		/// Origin: the lease's renter. Emits [`Event::LeaseToppedUp`], and [`Event::LeaseThawed`] if it was frozen and is
		/// funded beyond the frozen grace again.
		#[pallet::call_index(11)]
		pub fn top_up(origin: OriginFor<T>, lease: LeaseId, amount: Balance) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_top_up(&renter, lease, amount)
		}

		/// Makes a lease's fixed term shorter and gives back at once what it no longer needs.
		///
		/// Origin: the lease's renter. The new term cannot be shorter than what is over of it, nor than the chain allows.
		/// Emits [`Event::LeaseShrunk`].
		///
		/// - `term_ms`: the whole new term, in milliseconds
		#[pallet::call_index(12)]
		pub fn shrink(origin: OriginFor<T>, lease: LeaseId, term_ms: u64) -> DispatchResult {
			let renter = ensure_signed(origin)?;
			Self::do_shrink(&renter, lease, term_ms)
		}

		/// Refuses what was delivered, within the acceptance window: all that was not paid yet comes back, nothing is paid.
		///
		/// Origin: the lease's renter. Emits [`Event::LeaseClosed`] with the reason `Rejected`.
		#[pallet::call_index(13)]
		#[pallet::weight(<T as Config>::WeightInfo::reject_lease(LeaseSize::LARGEST))]
		pub fn reject(origin: OriginFor<T>, lease: LeaseId) -> DispatchResultWithPostInfo {
			let renter = ensure_signed(origin)?;
			Self::do_reject(&renter, lease)
		}

		/// Gives the notice that the ask or bid promised; when it is served, the provider is free of the node.
		///
		/// Origin: the provider of one of the lease's nodes, which is served at the moment. The full price goes on. Emits
		/// [`Event::NoticeGiven`].
		#[pallet::call_index(14)]
		pub fn reclaim(origin: OriginFor<T>, lease: LeaseId) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_reclaim(&provider, lease)
		}

		/// Leaves a node at once, before the notice is served or without one.
		///
		/// Origin: the provider of one of the lease's nodes. Costs the rest of the notice, or of the term if that ends sooner,
		/// at the node's price, rounded down; at most a fifth of the node's lease bond; paid to the renter. For a lease in
		/// another asset than the native token it costs the same fraction of that fifth as that time is of the whole notice.
		/// A node that was never ready costs nothing. Emits [`Event::ProviderLeft`].
		#[pallet::call_index(15)]
		#[pallet::weight(<T as Config>::WeightInfo::leave_lease(LeaseSize::LARGEST))]
		pub fn leave(origin: OriginFor<T>, lease: LeaseId) -> DispatchResultWithPostInfo {
			let provider = ensure_signed(origin)?;
			Self::do_leave(&provider, lease)
		}

		/// Pauses the market: no new asks, bids, orders and matches, and no time counts against providers. Leases that run go on;
		/// reports, payments and every way out of the market stay open.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::MarketPaused`].
		#[pallet::call_index(16)]
		pub fn pause_market(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_pause_market()
		}

		/// Resumes the market. Time counts against providers again after a short recovery.
		///
		/// Origin: [`Config::AdminOrigin`]. Resting orders are matched with the next change of the book. Emits
		/// [`Event::MarketResumed`].
		#[pallet::call_index(17)]
		pub fn resume_market(origin: OriginFor<T>) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_resume_market()
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Whether governance has paused the market.
		pub fn market_paused() -> bool {
			Paused::<T>::exists()
		}

		/// The cheapest asks of a market that can be taken, cheapest first; at most
		/// [`MAX_ASKS_LOOKED_AT`](crate::MAX_ASKS_LOOKED_AT).
		pub fn book(market: Market) -> Vec<(AskId, AskOf<T>)> {
			Self::asks_in_book(market)
		}

		/// Price of the cheapest ask of a market, per GPU and second.
		pub fn best_price(market: Market) -> Option<Balance> {
			Book::<T>::iter_key_prefix(market).next().map(|key| key.price())
		}

		/// Live bids on an order, best first.
		pub fn bids(order: OrderId) -> Vec<(T::AccountId, Bid)> {
			Self::bids_by_rank(order)
		}

		/// Jobs of a lease that are still stored, oldest first.
		pub fn jobs(lease: LeaseId) -> Vec<(JobId, Job)> {
			let mut jobs: Vec<_> = Jobs::<T>::iter_prefix(lease).collect();
			jobs.sort_by_key(|(job, _)| *job);
			jobs
		}

		/// When the funds of a lease end if every node is attested all the time, in milliseconds since the Unix epoch.
		pub fn funded_until(lease: LeaseId) -> Option<Moment> {
			Self::funds_end(lease, &Leases::<T>::get(lease)?)
		}
	}
}
