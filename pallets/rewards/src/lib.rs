//! # Rewards
//!
//! An optional reward for being available: so much for each unit of idle capacity and epoch, less the owner's share of all of
//! it. Paid from a pot, only when somebody asks for it. Off until governance sets a rate.
//!
//! ## Terms
//!
//! - **idle epoch**: an epoch in which a provider that serves no lease has reported in time.
//! - **units**: capacity that can be leased, in the units of the classes of its GPUs. Here always summed over idle epochs.
//! - **era**: a span of chain time of fixed length. Shares and budget are those of an era.
//! - **owner**: a declared group of providers, or a provider that is in none.
//! - **share**: the owner's part of all units of an era.
//! - **rate**: plancks for one unit at a share of zero. Zero: nothing is counted.
//! - **budget**: no era costs more.
//!
//! ## Who calls it
//!
//! `pallet-attestation`, through [`millrace_primitives::IdleRewards`]. Anybody: `claim`, which pays the provider.
//!
//! ```text
//! idle epoch --> counted in its era --the era is over--> claimable --claim--> paid
//!                                                            |
//!                                                            | CLAIMABLE_ERAS later
//!                                                            v
//!                                                         removed
//! ```
//!
//! ## Money
//!
//! - `units x rate x (1 - share)`, rounded down. If all units of the era at that rate would cost more than the budget, all
//!   are paid less by the same factor. So a larger fleet earns less for each unit, and a sole owner nothing: the reward does
//!   not feed size.
//! - Rate and budget are those of the era's first idle epoch: a vote does not change what was earned, only the eras after.
//! - Nothing is issued, and nothing set aside: the pot pays as long as it can and stays alive. What it cannot pay can be
//!   claimed later, until it is removed.
//! - A provider that joins another group stays with its first owner until the era is over: moving does not split a share.
//!
//! ## Invariants
//!
//! See `try_state.rs`: in each era the units of the owners sum up to all, those of the providers of an owner to no more than
//! its own, and nothing is kept of eras that are pruned.
//!
//! ## What it does not do
//!
//! It does not find out whether a provider is idle, and relies on being told once for each epoch. It cannot see that two
//! accounts belong to the same operator unless they say so. It pays nothing by itself.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod claiming;
mod earning;
mod formula;
mod pruning;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use formula::idle_reward;
pub use pallet::*;
pub use types::{Earning, Era, EraTotal, CLAIMABLE_ERAS, MAX_PRUNED};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{Earning, Era, EraTotal, WeightInfo};
	use alloc::vec::Vec;
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, Time},
		weights::WeightMeter,
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Balance, Moment, ProviderInspect};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The native token.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::Mutate<Self::AccountId>;

		/// The registry: whom a provider belongs to, and what of it is idle.
		type Providers: ProviderInspect<Self::AccountId, Balance>;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// Length of an era, in milliseconds. Must be a constant above zero: the numbers of eras follow from it.
		#[pallet::constant]
		type EraDuration: Get<u64>;

		/// Plancks for one unit of capacity and idle epoch, at a share of zero. Zero: no rewards, and nothing is counted.
		type RewardPerUnit: Get<Balance>;

		/// Most that one era costs, in plancks.
		type EraBudget: Get<Balance>;

		/// Account that rewards are paid from. It is kept alive.
		type Pot: Get<Self::AccountId>;

		/// Weights of the call and of pruning.
		type WeightInfo: WeightInfo;

		/// What the benchmarks ask of the runtime.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// All units of an era, and what they earn. Written with each idle epoch; removed when the era is pruned.
	// Nobody chooses the number of an era.
	#[pallet::storage]
	pub type Totals<T> = StorageMap<_, Twox64Concat, Era, EraTotal>;

	/// Units of each owner in an era. Written with each idle epoch; removed when the era is pruned: shares are needed until
	/// the last claim.
	// Blake2: users choose accounts. Twox64: see `Totals`.
	#[pallet::storage]
	pub type OwnerUnits<T: Config> =
		StorageDoubleMap<_, Twox64Concat, Era, Blake2_128Concat, T::AccountId, u128>;

	/// What each provider has earned in an era. Written with each idle epoch; removed when it is claimed, or the era is
	/// pruned.
	// As `OwnerUnits`.
	#[pallet::storage]
	pub type Earned<T: Config> =
		StorageDoubleMap<_, Twox64Concat, Era, Blake2_128Concat, T::AccountId, Earning<T::AccountId>>;

	/// First era that is not pruned. Written with the first idle epoch of all; only ever grows.
	#[pallet::storage]
	pub type OldestEra<T> = StorageValue<_, Era>;

	/// Events.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// The reward of a provider for an era was paid. It cannot be claimed again.
		RewardPaid {
			/// Who received it.
			provider: T::AccountId,
			/// The era.
			era: Era,
			/// Its units in that era.
			units: u128,
			/// Received, in plancks. Zero if its owner had all units, or the reward is less than a planck.
			amount: Balance,
		},
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// The era is not over: its shares may still change. Claim when the next one has begun.
		EraNotOver,
		/// The era was over too long ago. Its rewards are gone: claim those of later eras in time.
		Expired,
		/// The provider has earned nothing in this era, or its reward is paid already. See the events of the era.
		NothingToClaim,
		/// The pot has less than the reward, or would not survive paying it. Nothing is lost: claim again when it has been
		/// filled, before the era expires.
		PotEmpty,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(_: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::prune(weight);
		}

		fn integrity_test() {
			assert!(T::EraDuration::get() > 0, "EraDuration must be above zero");
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Pays a provider its reward for an era, from the pot.
		///
		/// Origin: signed, by anybody. The era is over, and at most [`CLAIMABLE_ERAS`](crate::CLAIMABLE_ERAS) before the current
		/// one. Pays all or nothing. A reward of zero is forgotten. Emits [`Event::RewardPaid`].
		#[pallet::call_index(0)]
		pub fn claim(origin: OriginFor<T>, era: Era, provider: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_claim(era, provider)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Eras of which the provider can claim a reward now, oldest first, and how many plancks that is. Zero where its owner had
		/// all units. At most [`CLAIMABLE_ERAS`](crate::CLAIMABLE_ERAS).
		pub fn claimable(provider: T::AccountId) -> Vec<(Era, Balance)> {
			Self::claimable_by(&provider)
		}

		/// The current era.
		pub fn era() -> Era {
			Self::current_era()
		}
	}
}
