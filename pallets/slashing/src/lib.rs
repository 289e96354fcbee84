//! # Slashing
//!
//! What faults cost a provider: held at detection, paid out days later, unless it is excused or the council decides
//! otherwise.
//!
//! ## Terms
//!
//! - **fault**: a node was not served for a while. What it costs follows from the node's lease bond and the epochs missed.
//! - **episode**: a run of faults of one provider in one lease. It ends when the node is served again, or is not the
//!   provider's any more.
//! - **slash**: what one episode costs, or one offence.
//! - **held**: plancks of the bond on hold for a slash, in the provider's own account. `pallet-providers` writes that hold.
//! - **judged**: whether a miss counts is known some epochs after it: the fault clock looks at what everybody else missed.
//!   What was held for an **excused** fault is bond again.
//! - **deferred**: the episode is over; the slash is paid out when the deferral is, and can be appealed until then.
//! - **lapse**: the council has not decided about an appeal in time: the slash is paid out.
//! - **offence**: what only the council can find: false hardware, a bad result. It costs at least half of a bond.
//! - **unserved**: worth to the renter of what was not served: no compensation is more.
//!
//! ## Who calls it
//!
//! The leases, through [`millrace_primitives::Slashing`]. The provider: `appeal`. The council: `resolve`, `condemn` and
//! `pay_from_insurance`. Anybody: `execute`, which does what the agenda does anyway.
//!
//! ```text
//! count_fault+ --> open --end_episode--> deferred --the deferral is over-------------> paid out
//!      |                                  ^  | | |                                       ^  ^
//!      | judged: excused                  |  | | +--appeal--> appealed --no verdict------+  |
//!      v                                  |  | |                 |  |                       |
//!   bond again           council condemns-+  | |                 |  +--uphold, reduce-------+
//!      ^                                     | +--reduce: less   |
//!      +-------------cancel------------------+--------cancel-----+
//! ```
//!
//! ## Money
//!
//! - Everything is held at detection: whatever the provider does afterwards, it is there when the slash is paid out.
//! - What one episode costs is limited by a share of the lease bond, and what all faults of an era cost by
//!   `pallet-providers`. If less can be held than a fault costs, the rest is never asked for.
//! - While the fault clock stands still nothing is counted.
//! - Paid out: to the renter up to what was not served; of the rest, a share to the insurance pool, the remainder to the
//!   treasury. Where the lease is paid in another asset, no price says what it is worth: the renter gets half. A renter
//!   whose account cannot take its part gets none.
//! - A silent council is no way out: an appeal without a verdict lapses, and the provider has its bond back.
//! - A slash is not paid out while one of its faults may still be excused, however late that is.
//!
//! ## Invariants
//!
//! See `try_state.rs`: episodes, agenda and index equal a recount; what is held covers what may be excused; bonds on hold
//! are those of the appeals. That the hold for pending slashes equals [`Pallet::held_by_provider`] is for the runtime to
//! check.
//!
//! ## What it does not do
//!
//! It does not find faults, and does not know whether a node is served. It never touches the active bond itself. It never
//! looks at a price. It does not look at evidence: that is for the council. What is paid out cannot be taken back; the
//! insurance pool can make up for it.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod agenda;
mod appeals;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod events;
mod faults;
mod impls;
mod offences;
mod payout;
mod reads;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

use frame_support::{pallet_macros::import_section, traits::fungible::Credit};

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::{Fault, Offence, Slash, SlashStatus, Verdict, MAX_FAULTS};
pub use weights::WeightInfo;

/// A slash, as it is stored.
pub(crate) type SlashOf<T> = Slash<<T as frame_system::Config>::AccountId>;
/// Plancks that have left an account.
pub(crate) type CreditOf<T> = Credit<<T as frame_system::Config>::AccountId, <T as Config>::Currency>;

#[import_section(events::events)]
#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{offences::Finding, CreditOf, Offence, Slash, SlashOf, Verdict, WeightInfo, MAX_FAULTS};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, OnUnbalanced, Time},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		Balance, BlobHash, BlockNumber, BondSlashing, ClassId, Excuse, FaultClock, FaultEpoch, LeaseId,
		Moment, ProviderInspect, SlashCause, SlashId,
	};
	use sp_runtime::{Perbill, Permill, SaturatedConversion};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The bonds that slashes are held in and taken from.
		type Bonds: BondSlashing<Self::AccountId, Balance, Credit = CreditOf<Self>>;

		/// The native token: bonds of appeals, and payments.
		type Currency: fungible::Mutate<Self::AccountId>
			+ fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::Balanced<Self::AccountId>
			+ fungible::hold::Mutate<Self::AccountId>
			+ fungible::hold::Inspect<Self::AccountId, Reason: From<HoldReason>>
			+ fungible::BalancedHold<Self::AccountId>;

		/// The registry, for the bond of a GPU.
		type Providers: ProviderInspect<Self::AccountId, Balance>;

		/// Which time and which misses count.
		type Clock: FaultClock<Self::AccountId>;

		/// Who decides appeals, finds offences, and pays from the insurance pool.
		type AdminOrigin: EnsureOrigin<Self::RuntimeOrigin>;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// What one missed epoch of a whole node costs, as a share of its lease bond.
		type DowntimeRate: Get<Perbill>;

		/// Most that one episode can cost, as a share of the lease bond.
		type EpisodeCap: Get<Permill>;

		/// Share of the insurance pool in what the renter does not get.
		type InsuranceShare: Get<Permill>;

		/// Bond of an appeal, as a share of what is held.
		type AppealBondShare: Get<Permill>;

		/// Least bond of an appeal, in plancks.
		type MinAppealBond: Get<Balance>;

		/// How long a slash can be appealed before it is paid out, in milliseconds.
		type SlashDeferral: Get<u64>;

		/// How long an appeal waits for its verdict, in milliseconds.
		type VerdictWithin: Get<u64>;

		/// After how many blocks a miss can be judged, unless the chain is too busy.
		type JudgedWithin: Get<u32>;

		/// Time of a slot, in milliseconds: turns time into blocks.
		type SlotDuration: Get<u64>;

		/// Account of the insurance pool.
		type InsuranceAccount: Get<Self::AccountId>;

		/// Where the insurance pool's share goes: into its account.
		type Insurance: OnUnbalanced<CreditOf<Self>>;

		/// Where the remainder goes.
		type Treasury: OnUnbalanced<CreditOf<Self>>;

		/// Most weight that the agenda may use in one block. Must be a constant and allow for one slash.
		#[pallet::constant]
		type AgendaWeight: Get<Weight>;

		/// Weights of the calls and of the agenda.
		type WeightInfo: WeightInfo;

		/// What the benchmarks ask of the runtime.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper<Self::AccountId>;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Slashes. Written by every function and call; removed when nothing is on hold for them any more.
	// The number is assigned here, one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type Slashes<T: Config> = StorageMap<_, Twox64Concat, SlashId, SlashOf<T>>;

	/// Number of the next slash. Only ever grows.
	#[pallet::storage]
	pub type NextSlash<T> = StorageValue<_, SlashId, ValueQuery>;

	/// Open episodes, by provider and lease. Written with the first fault; removed at the episode's end.
	// Blake2: users choose accounts. Twox64: leases are numbered by a pallet.
	#[pallet::storage]
	pub type Episodes<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, LeaseId, SlashId>;

	/// The slashes of each provider. Written with [`Slashes`].
	#[pallet::storage]
	pub type SlashesOf<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, T::AccountId, Twox64Concat, SlashId, ()>;

	/// Slashes to look at, by block. Written with [`Slashes`], whose `due` names the entry.
	// Both numbers are ours.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageDoubleMap<_, Twox64Concat, BlockNumber, Twox64Concat, SlashId, (), OptionQuery>;

	/// First block of the agenda that is not fully served. Only ever grows.
	#[pallet::storage]
	pub type AgendaCursor<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Why this pallet holds funds. Pending slashes are held by `pallet-providers`.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Stands for an appeal.
		#[codec(index = 0)]
		AppealBond,
	}

	/// Something that the pallets' own rules exclude. Please report it.
	#[derive(
		Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
	)]
	pub enum UnexpectedKind {
		/// The agenda lists a slash that does not exist. The entry is removed.
		#[codec(index = 0)]
		AgendaWithoutSlash,
		/// The agenda lists a slash whose episode is open. The entry is removed.
		#[codec(index = 1)]
		EpisodeInAgenda,
		/// What is due of a slash could not be done. It is tried again later.
		#[codec(index = 2)]
		SlashFailed(DispatchError),
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no slash of this number. It may be paid out, cancelled, or excused: see its events.
		UnknownSlash,
		/// Only the provider that is slashed can appeal, with the account that holds its bond.
		NotProvider,
		/// The episode is not over. Serve the node again, or wait until the lease replaces it; then appeal or decide.
		EpisodeOpen,
		/// The provider has appealed already. Wait for the verdict.
		AlreadyAppealed,
		/// The time to appeal is over: the slash is paid out.
		AppealTooLate,
		/// The free balance is too small for the bond of the appeal. Add funds before the time to appeal is over.
		InsufficientBond,
		/// Some of its faults may still be excused. Wait some epochs.
		NotJudgedYet,
		/// All that was held for it was excused. Nothing is left to decide: it goes by itself.
		NothingHeld,
		/// Nobody has appealed: there is nothing to uphold, and the time to appeal is not cut short. It is paid out by itself.
		NotAppealed,
		/// The time for a verdict is over: the slash is paid out. The insurance pool can make up for it.
		VerdictTooLate,
		/// Nothing can be done for the slash yet: its time has not come, or some of its faults may still be excused. Wait.
		NothingDue,
		/// An offence costs from 50 % to 100 % of the bond of the GPUs.
		BadShare,
		/// An offence is about at least one GPU, and at most as many as a provider can have.
		BadGpuCount,
		/// There is no class of this number.
		UnknownClass,
		/// The provider has nothing at stake, or the class needs no bond: nothing can be held.
		NothingAtStake,
		/// The insurance pool has less than that. Pay a part, or wait until it has more.
		InsufficientInsurance,
		/// Hold and ledger disagree. Nothing was moved. This is a defect: please report it.
		LedgerMismatch,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(n: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::serve_agenda(n.saturated_into(), weight);
		}

		fn integrity_test() {
			let item = T::WeightInfo::agenda_rearm().max(T::WeightInfo::agenda_slash(MAX_FAULTS));
			let largest = Self::walk_weights().least_for(item);
			assert!(
				T::AgendaWeight::get().all_gte(largest),
				"AgendaWeight must allow for a slash with the most faults: {largest:?}"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Appeals against a slash: the council can reduce or cancel it.
		///
		/// Origin: the provider that is slashed, once its episode is over and before the slash is paid out. Holds a bond:
		/// [`Config::AppealBondShare`] of what is held, rounded up, and at least [`Config::MinAppealBond`]. It is lost if the
		/// council upholds the slash, and given back otherwise. Without a verdict in time the slash is paid out. Emits
		/// [`Event::Appealed`].
		///
		/// - `evidence`: BLAKE3 hash of what the provider shows to the council. The chain does not look at it.
		#[pallet::call_index(0)]
		pub fn appeal(origin: OriginFor<T>, slash: SlashId, evidence: BlobHash) -> DispatchResult {
			let provider = ensure_signed(origin)?;
			Self::do_appeal(&provider, slash, evidence)
		}

		/// Decides about a slash whose episode is over and whose faults are all judged, before it is paid out.
		///
		/// Origin: [`Config::AdminOrigin`]. Upholding needs an appeal. What is kept of an appealed slash is paid out at once. What
		/// is kept of one that nobody has appealed stays deferred, so that it can still be appealed. Emits [`Event::Resolved`],
		/// and [`Event::SlashExecuted`] for what is paid out.
		#[pallet::call_index(1)]
		pub fn resolve(origin: OriginFor<T>, slash: SlashId, verdict: Verdict) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_resolve(slash, verdict)
		}

		/// Pays out a slash whose time has come, or forgets one of which nothing is left.
		///
		/// Origin: signed, by anybody. The agenda does the same; this is for a chain too busy for that. Emits
		/// [`Event::SlashExecuted`] or [`Event::SlashDropped`], after [`Event::FaultExcused`] and [`Event::AppealLapsed`] if they
		/// apply.
		#[pallet::call_index(2)]
		pub fn execute(origin: OriginFor<T>, slash: SlashId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_execute(slash)
		}

		/// Slashes a provider for an offence: `share` of the minimum bond of `gpus` GPUs of the class, rounded down, or what the
		/// provider still has at stake. It is held now, and deferred like any slash, so that it can be appealed.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::Condemned`].
		///
		/// - `share`: from 50 % to 100 %
		/// - `renter`: who is compensated first, and up to how many plancks
		/// - `evidence`: BLAKE3 hash of what the council saw. The chain does not look at it.
		#[pallet::call_index(3)]
		#[expect(clippy::too_many_arguments, reason = "a call's arguments are its interface")]
		pub fn condemn(
			origin: OriginFor<T>,
			provider: T::AccountId,
			offence: Offence,
			class: ClassId,
			gpus: u32,
			share: Permill,
			renter: Option<(T::AccountId, Balance)>,
			evidence: BlobHash,
		) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_condemn(Finding { provider, offence, class, gpus, share, renter, evidence })
		}

		/// Pays from the insurance pool, whose account stays alive.
		///
		/// Origin: [`Config::AdminOrigin`]. Emits [`Event::InsurancePaid`].
		///
		/// - `amount`: in plancks
		#[pallet::call_index(4)]
		pub fn pay_from_insurance(origin: OriginFor<T>, to: T::AccountId, amount: Balance) -> DispatchResult {
			T::AdminOrigin::ensure_origin(origin)?;
			Self::do_pay_from_insurance(to, amount)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// A slash; `None` if there is none of this number, or it is over.
		pub fn slash(slash: SlashId) -> Option<Slash<T::AccountId>> {
			Slashes::<T>::get(slash)
		}

		/// The slashes of a provider that are not over, oldest first.
		pub fn slashes_of(provider: T::AccountId) -> Vec<(SlashId, Slash<T::AccountId>)> {
			Self::sorted_slashes_of(&provider)
		}

		/// Plancks on hold for all slashes of a provider.
		pub fn held(provider: T::AccountId) -> Balance {
			Self::held_by_provider(&provider)
		}
	}
}
