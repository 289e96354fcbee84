//! # Settlement
//!
//! The money of a lease: held in the payer's own account, earned by attested time, paid out less a fee once nobody objects.
//!
//! ## Terms
//!
//! - **escrow**: a hold in the payer's own account, in one asset. There is no pot account.
//! - **stream**: one payee of an escrow, with its rate per second. A lease has one for each of its providers.
//! - **attested time**: milliseconds that the pallet above said were served. Time beyond what is funded is not counted, so
//!   that a later top-up is never spent on the past.
//! - **earned**: `rate x attested time / 1000`, rounded down over the stream's whole life, never above what was free.
//! - **free**: held, and earned by nobody. **owed**: earned, and neither moved nor taken back.
//! - **maturing**: owed, and younger than the contest window. **contested**: owed, and waiting for a verdict. **due**: the rest
//!   of what is owed; `settle` pays it.
//! - **receipt**: the event at the end with every flow. `paid + fee + refunded == deposited`.
//!
//! ## Who calls it
//!
//! The leases, through [`millrace_primitives::Escrow`]. The payer: `accept` and `contest`. The council: `resolve_contest` and the
//! list of assets. Anybody: `settle`. Every trait function is all or nothing by itself, so that hooks can call it.
//!
//! ```text
//! open --> add_stream*, top_up*, withdraw*, accrue*, end_stream*, void* --> close --> finish* --> receipt
//!
//! accrued --> maturing --window is over | accept--> due --settle | finish--> paid
//!                |                                   ^
//!                | contest                           | verdict for the payee, or none in time
//!                v                                   |
//!             contested -----------------------------+--verdict for the payer--> free
//! ```
//!
//! ## Money
//!
//! - Silence is consent: nobody has to accept anything for a payee to be paid. What was accrued matures one contest window later,
//!   at most a quarter of a window after that.
//! - The fee is `FeeRate` at opening, taken out of what the payee earns, and rounded down **over the stream's running total**:
//!   however often a stream is settled, the sum of its fees is the same.
//! - Payment ignores freezes in the payer's account: a hold was given for it, and a freeze placed later must not undo that.
//! - Money that cannot move stands in nobody's way: it is left where it is, with an event that says why, and is tried again.
//! - Once there is nothing else left to do for a closed escrow, a payment that is too small for the payee's account goes back to the
//!   payer (`PaymentReturned`), and a refund that is too small for the payer's account goes to the fee's sink
//!   (`RemainderCollected`; the receipt counts it as fee).
//!
//! ## Contests
//!
//! The payer contests all that is maturing of one stream, with a bond in the native token. The council's verdict gives the payee a
//! share of it, and the rest to the payer at once. Without a verdict in time the payee gets all of it. The payer loses the bond, to
//! the payee, only when the verdict gives the payee everything.
//!
//! ## Invariants
//!
//! See `try_state.rs`: holds equal the ledger, for escrows and for bonds; nothing is owed that is not held; indexes equal a
//! recount.
//!
//! ## What it does not do
//!
//! It does not know leases, and does not judge whether time was served. It has no call by which anybody could redirect a payment.
//! A settled payment cannot be taken back. It never looks at a price: no oracle stands between a lease and its payment.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod accrual;
mod assets;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod closing;
mod contests;
mod events;
mod impls;
mod opening;
mod payment;
mod reads;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::pallet_macros::import_section;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use millrace_primitives::MAX_STREAMS;
pub use pallet::*;
pub use types::{Bucket, Contest, EscrowRecord, Payment, Stream, MAX_BUCKETS};
pub use weights::WeightInfo;

#[import_section(events::events)]
#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{Contest, EscrowRecord, WeightInfo, MAX_STREAMS};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungibles, OnUnbalanced, Time},
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		leases_api::{Claim, EscrowSummary},
		Asset, Balance, BlobHash, EscrowId, Moment, StreamId,
	};
	use sp_runtime::Permill;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The native token and all others, as what is held. Bonds of contests are held in the native token.
		type Currency: fungibles::Inspect<Self::AccountId, AssetId = Asset, Balance = Balance>
			+ fungibles::hold::Mutate<Self::AccountId, Reason: From<HoldReason>>;

		/// The same assets, as what fees are issued in. A fee is burnt in the hold and issued again: `pallet-assets-holder` cannot
		/// take a hold away as a credit.
		type Credits: fungibles::Balanced<Self::AccountId, AssetId = Asset, Balance = Balance>;

		/// Where fees go.
		type FeeSink: OnUnbalanced<fungibles::Credit<Self::AccountId, Self::Credits>>;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// Share of each payment that is the fee. An escrow keeps the share it was opened with.
		type FeeRate: Get<Permill>;

		/// For how long what was earned can be contested, in milliseconds.
		type ContestWindow: Get<u64>;

		/// How long a contest waits for its verdict, in milliseconds.
		type VerdictWithin: Get<u64>;

		/// Least bond of a contest, in plancks.
		type ContestBond: Get<Balance>;

		/// Who decides contests, and which assets may be used.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

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

	/// Escrows. Written by every function and call; removed with the receipt.
	// The number is assigned by the pallet above, one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type Escrows<T: Config> = StorageMap<_, Twox64Concat, EscrowId, EscrowRecord<T::AccountId>>;

	/// The escrows in which an account has streams, and how many. Written when a stream is added and when it is forgotten.
	#[pallet::storage]
	pub type PayeeEscrows<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, EscrowId, u32, ValueQuery>;

	/// Tokens that leases may be paid in, as the admin origin allowed them. The native token always is.
	#[pallet::storage]
	pub type AllowedAssets<T: Config> = StorageMap<_, Blake2_128Concat, u32, ()>;

	/// Open contests. Written by the payer; removed by a verdict, by time, or with what they are about.
	// Both numbers are assigned by pallets.
	#[pallet::storage]
	pub type Contests<T: Config> =
		StorageDoubleMap<_, Twox64Concat, EscrowId, Twox64Concat, StreamId, Contest>;

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Pays for a lease.
		#[codec(index = 0)]
		Escrow,
		/// Stands for a contest.
		#[codec(index = 1)]
		ContestBond,
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no escrow of this number. It may be over: its `EscrowClosed` event is the receipt.
		UnknownEscrow,
		/// There is an escrow of this number already.
		EscrowExists,
		/// The lease is over: nothing is added to its escrow any more.
		EscrowClosed,
		/// The lease is not over: close its escrow first.
		EscrowOpen,
		/// The council has not allowed this asset. Use another one.
		AssetNotAllowed,
		/// This asset is allowed already.
		AssetAllowed,
		/// There is no asset of this number.
		UnknownAsset,
		/// The payer's free balance is too small, or frozen. Add funds, or ask for a shorter term or fewer GPUs.
		InsufficientFunds,
		/// The free balance of the native token is too small for the bond.
		InsufficientBond,
		/// More than is held and not earned.
		ExceedsFree,
		/// Payer and payee are the same account. Use another account for one of them.
		PayerIsPayee,
		/// The escrow has as many streams as it can have. Those that have ended go when they are paid.
		TooManyStreams,
		/// The escrow has no such stream. It may have ended and been paid.
		UnknownStream,
		/// The stream earns no more.
		StreamEnded,
		/// Only the account whose funds are held can do this.
		NotPayer,
		/// Nothing of what the stream earned is younger than the contest window, or it is paid already.
		NothingToContest,
		/// A contest of this stream is open. Wait for its verdict.
		ContestExists,
		/// No contest of this stream is open.
		UnknownContest,
		/// The time for a verdict is over: the payee gets what was contested.
		VerdictTooLate,
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

	#[pallet::call]
	impl<T: Config> Pallet<T> {
		/// Pays what is due of an escrow: to its payees, less the fee.
		///
		/// Origin: signed, by anybody. Nobody but payees, the fee's sink and, of a closed escrow, the payer gets anything.
		///
		/// Ends contests without a verdict in time first. Emits [`Event::Settled`] for each payment,
		/// [`Event::PaymentDeferred`] for each that cannot be made, and [`Event::EscrowClosed`] if nothing is left of a closed
		/// escrow. With nothing due it succeeds without an event.
		#[pallet::call_index(0)]
		#[pallet::weight(T::WeightInfo::settle(MAX_STREAMS))]
		pub fn settle(origin: OriginFor<T>, escrow: EscrowId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let streams = Self::do_settle(escrow)?;
			Ok(Some(T::WeightInfo::settle(streams)).into())
		}

		/// Pays all that was earned and is not contested, without waiting for the contest window. It cannot be taken back.
		///
		/// Origin: the account whose funds are held. Also of a closed escrow. Events as of [`Pallet::settle`].
		#[pallet::call_index(1)]
		#[pallet::weight(T::WeightInfo::accept(MAX_STREAMS))]
		pub fn accept(origin: OriginFor<T>, escrow: EscrowId) -> DispatchResultWithPostInfo {
			let payer = ensure_signed(origin)?;
			let streams = Self::do_accept(&payer, escrow)?;
			Ok(Some(T::WeightInfo::accept(streams)).into())
		}

		/// Objects to all that a stream has earned and that has not outlived the contest window. It stays on hold until the verdict.
		///
		/// Origin: the account whose funds are held. Also of a closed escrow. One contest of a stream at a time. Holds a bond in
		/// the native token: a tenth of the amount if that is in the native token too, and at least
		/// [`Config::ContestBond`]. Emits [`Event::Contested`].
		///
		/// - `evidence`: BLAKE3 hash of what the payer shows to the council. The chain does not look at it.
		#[pallet::call_index(2)]
		#[pallet::weight(T::WeightInfo::contest())]
		pub fn contest(
			origin: OriginFor<T>,
			escrow: EscrowId,
			stream: StreamId,
			evidence: BlobHash,
		) -> DispatchResult {
			let payer = ensure_signed(origin)?;
			Self::do_contest(&payer, escrow, stream, evidence)
		}

		/// Decides a contest: the payee gets its share less the fee, the payer the rest, at once.
		///
		/// Origin: [`Config::AdminOrigin`], in time. With a share of 100 % the payee gets the bond too, if its account can take
		/// it; otherwise the payer has it back. Emits [`Event::ContestResolved`] and the events of what is moved.
		///
		/// - `payee_share`: rounded down to a whole unit
		#[pallet::call_index(3)]
		#[pallet::weight(T::WeightInfo::resolve_contest(MAX_STREAMS))]
		pub fn resolve_contest(
			origin: OriginFor<T>,
			escrow: EscrowId,
			stream: StreamId,
			payee_share: Permill,
		) -> DispatchResultWithPostInfo {
			T::AdminOrigin::ensure_origin(origin)?;
			let streams = Self::do_resolve_contest(escrow, stream, payee_share)?;
			Ok(Some(T::WeightInfo::resolve_contest(streams)).into())
		}

		/// Allows leases to be paid in an asset of `pallet-assets`.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::AssetAllowed`].
		///
		/// Does not check who may mint, freeze or block it: that is for the council to know.
		#[pallet::call_index(4)]
		#[pallet::weight(T::WeightInfo::allow_asset())]
		pub fn allow_asset(origin: OriginFor<T>, asset: u32) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_allow_asset(asset)
		}

		/// Allows no new leases to be paid in an asset. Running ones keep it until they end.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::AssetDisallowed`].
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::disallow_asset())]
		pub fn disallow_asset(origin: OriginFor<T>, asset: u32) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_disallow_asset(asset)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Earned in an escrow and neither paid nor taken back, fees included. `None` if there is no such escrow.
		pub fn owed(escrow: EscrowId) -> Option<Balance> {
			Some(Escrows::<T>::get(escrow)?.owed())
		}

		/// What a `settle` of an escrow now would pay, fees included. `None` if there is no such escrow.
		pub fn claimable(escrow: EscrowId) -> Option<Balance> {
			Some(Self::summary_of(escrow)?.claimable)
		}

		/// Where the money of an escrow is. `None` if there is no such escrow.
		///
		/// What is due and cannot be moved is neither claimable nor maturing nor contested.
		pub fn summary(escrow: EscrowId) -> Option<EscrowSummary<T::AccountId>> {
			Self::summary_of(escrow)
		}

		/// What an account has earned and could settle now or later; at most 256 entries, in the order of the escrows.
		pub fn claims(payee: T::AccountId) -> Vec<Claim> {
			Self::claims_of(&payee)
		}
	}
}
