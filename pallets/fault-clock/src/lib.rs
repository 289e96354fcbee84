//! # Fault clock
//!
//! Which time and which misses count against providers. A chain that stands still, finality that lags, a paused market, a
//! runtime upgrade and a mass outage are nobody's fault.
//!
//! ## Terms
//!
//! - **epoch**: [`Config::EpochLength`] blocks, counted from block zero; the same for all providers.
//! - **observation**: what the pallet does in every block, before the other market pallets: it measures the time since the block
//!   before.
//! - **stopped**: time does not count in this block. `stopped_ms` is the sum of all such time.
//! - **recess**: the clock is stopped before a block that is known. Each recess gives the market [`RECOVERY_EPOCHS`] epochs to
//!   come back.
//! - **census**: what came in and what was missed in an epoch, as lease bonds: how much there was to miss, and how much was.
//! - **missed**: nodes that were found unserved. **absent**: the part of it whose providers did not report either.
//! - **searched**: everybody was looked for whose absence shows before that block.
//! - **excuse**: why a miss is nobody's fault. **judgement**: what is made of a miss.
//!
//! ## Who calls it
//!
//! Attestation tells it what it sees, through [`millrace_primitives::FaultCensus`]. The leases pause it, through
//! [`millrace_primitives::FaultClockControl`]. Leases and slashing ask it what counts, through
//! [`millrace_primitives::FaultClock`]. It has no calls.
//!
//! ```text
//!            stall, lag, upgrade                  block `until`
//! running ------------------------> in recess --------------------> running
//!    |                                 ^  |
//!    | pause                    resume |  | pause
//!    +---------------------> paused ---+  |
//!                               ^---------+
//! ```
//!
//! ## What stops the clock
//!
//! - **Stall**: more than [`Config::MaxLag`] slots stayed empty before this block.
//! - **Finality lag**: of what was reported in the epoch before, more than half saw a finalised block that was more than
//!   [`Config::MaxLag`] blocks old. That epoch is excused too, and the one before it, in which the lag began.
//! - **Market pause**, and **runtime upgrade**.
//!
//! Each begins a recess, a pause when it ends. A recess is never shortened. An epoch is excused as a whole when the clock was
//! stopped in one of its observed blocks.
//!
//! ## Judgements
//!
//! A miss that was found in an epoch is judged by that epoch, the one after, and the [`EPOCHS_BEFORE`] before: an outage is found
//! over more than one epoch, and those who are found first and last must not pay for it. It is a mass outage if more than
//! [`Config::OutageShare`] of **everybody else's** leased capacity was missed in one of them. An owner's own misses are left out: otherwise
//! whoever holds more than that share could not be punished.
//!
//! A judgement is final once it is not open, until it is too old:
//!
//! - The sums and the excuse of an epoch are only ever written in that epoch.
//! - What is searched never lies after the current block, so an epoch is judged two epochs later at the earliest: it and all that
//!   it is judged by are over.
//! - Lag and outage are computed from those sums whenever they are asked for. Nothing depends on when a hook had the weight to
//!   look at them.
//! - What an epoch is judged by is kept for [`KEPT_EPOCHS`] epochs, and nothing of it is removed earlier.
//! - The share that makes an outage is that of the epoch's first miss, whatever governance makes of it later.
//!
//! Only a runtime upgrade that changes the epoch's length can change one.
//!
//! ## Invariants
//!
//! See `try_state.rs`: what owners missed sums up to the census; nothing is kept of what is pruned; no recess is longer than the
//! recovery.
//!
//! ## What it does not do
//!
//! It punishes nobody, and never looks for anybody. It takes the lag from the workers' reports as they say it: more than half of
//! what is bonded can stop the clock by that. It knows owners as they are declared: somebody with many undeclared accounts that
//! hold more than the share can let all of them go dark at once, and in a market of two, each is the other's excuse. Until the
//! block's observation, it says what the block before said.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod census;
mod impls;
mod judging;
mod observing;
mod pruning;
mod stopping;
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
pub use pallet::*;
pub use types::{
	EpochCensus, Misses, Observation, Recess, EPOCHS_AFTER, EPOCHS_BEFORE, KEPT_EPOCHS, MAX_PRUNED,
	RECOVERY_EPOCHS,
};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{EpochCensus, Misses, Observation, Recess, WeightInfo};
	use frame_support::{pallet_prelude::*, traits::Time, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Balance, BlockNumber, Excuse, FaultClock, FaultEpoch, Judgement, Moment};
	use sp_runtime::{Permill, SaturatedConversion};

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// Length of an epoch, in blocks. At least one, and fixed for the chain's life: numbers of epochs are stored. Zero counts
		/// as one.
		type EpochLength: Get<u32>;

		/// Time of a slot, in milliseconds.
		type SlotDuration: Get<u64>;

		/// How many slots may stay empty in a row, and how many blocks old the finalised block of a report may be, before it is
		/// nobody's fault that something is missing.
		type MaxLag: Get<u32>;

		/// What is missed of everybody else's leased capacity is a mass outage when it is more than this share of it. Above 0 % and
		/// below 100 %. A new share holds for epochs whose first miss is still to come.
		type OutageShare: Get<Permill>;

		/// Weights of the hooks, and of what other pallets ask for.
		type WeightInfo: WeightInfo;

		/// What the benchmarks ask of the runtime.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// The last block that was observed; `None` before the first. Written by every observation.
	#[pallet::storage]
	pub type LastObservation<T> = StorageValue<_, Observation>;

	/// Time that did not count so far, in milliseconds. Written by observations while the clock is stopped; only ever grows.
	#[pallet::storage]
	pub type StoppedMs<T> = StorageValue<_, u64, ValueQuery>;

	/// Whether the market is paused. Written by the leases.
	#[pallet::storage]
	pub type Paused<T> = StorageValue<_, bool, ValueQuery>;

	/// The recess. Written when the clock is stopped until a known block; removed by the first observation in which it runs again.
	#[pallet::storage]
	pub type CurrentRecess<T> = StorageValue<_, Recess>;

	/// What came in and what was missed, by epoch. Written in the epoch itself, by observations, the leases' pause and attestation;
	/// removed by pruning.
	// Twox64: epochs are ours.
	#[pallet::storage]
	pub type Census<T> = StorageMap<_, Twox64Concat, FaultEpoch, EpochCensus, ValueQuery>;

	/// What owners missed, by epoch. Written in the epoch itself, by attestation; removed by pruning.
	// Twox64: epochs are ours. Blake2: users choose accounts.
	#[pallet::storage]
	pub type OwnerMisses<T: Config> =
		StorageDoubleMap<_, Twox64Concat, FaultEpoch, Blake2_128Concat, T::AccountId, Misses, ValueQuery>;

	/// Everybody was looked for whose absence shows before this block. Written by attestation, in the first block of an epoch
	/// that it can tell so of; only ever grows.
	#[pallet::storage]
	pub type SearchedUntil<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// First epoch of which anything is kept. Written by pruning; only ever grows.
	#[pallet::storage]
	pub type OldestEpoch<T> = StorageValue<_, FaultEpoch, ValueQuery>;

	/// Events.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Time does not count against providers, or for longer than was said before. It counts again when nothing stops the
		/// clock any more; an event says so.
		ClockStopped {
			/// Why.
			excuse: Excuse,
			/// First block in which this does not stop the clock any more; `None` while that is open.
			until: Option<BlockNumber>,
		},
		/// Time counts against providers again.
		ClockResumed {
			/// Time that did not count, in milliseconds, since the chain began.
			stopped_ms: u64,
		},
		/// Misses that were found in an epoch are nobody's fault.
		EpochExcused {
			/// The epoch.
			epoch: FaultEpoch,
			/// Why. A mass outage may still count against an owner that missed most of it itself.
			excuse: Excuse,
			/// Lease bonds of the nodes that were found unserved in this epoch, in plancks.
			missed: Balance,
			/// Lease bonds that were looked at in this epoch, in plancks. Not less than was missed as a rule; it can be, when
			/// those reported in another epoch.
			total: Balance,
		},
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_runtime_upgrade() -> Weight {
			Self::upgraded();
			T::WeightInfo::on_runtime_upgrade()
		}

		/// Without the weight for an observation there is none: the next block's covers the time of both.
		fn on_poll(block: BlockNumberFor<T>, meter: &mut WeightMeter) {
			if meter.try_consume(T::WeightInfo::observe()).is_ok() {
				Self::observe(block.saturated_into(), meter);
			}
		}

		fn integrity_test() {
			let (observe, block) = (T::WeightInfo::observe(), T::BlockWeights::get().max_block);
			assert!(
				observe.all_lte(block.saturating_div(10)),
				"an observation must take less than a tenth of a block: {observe:?}"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Whether time counts against providers now.
		pub fn is_running() -> bool {
			<Self as FaultClock<T::AccountId>>::is_running()
		}

		/// Time that did not count so far, in milliseconds.
		pub fn stopped_ms() -> u64 {
			<Self as FaultClock<T::AccountId>>::stopped_ms()
		}

		/// What came in and what was missed in an epoch. All zero for one that is not kept any more. Whether that excuses anybody is
		/// for [`Pallet::judgement`] to say.
		pub fn census(epoch: FaultEpoch) -> EpochCensus {
			Census::<T>::get(epoch)
		}

		/// What is made of time that one of the owner's nodes was not served, which began in `since` and was found in `epoch`.
		pub fn judgement(since: FaultEpoch, epoch: FaultEpoch, owner: T::AccountId) -> Judgement {
			<Self as FaultClock<T::AccountId>>::judge(since, epoch, &owner)
		}
	}
}
