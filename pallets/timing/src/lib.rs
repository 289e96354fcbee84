//! # Timing
//!
//! The lengths that a chain is born with: slot, session, era, report epochs and the market's windows. They are written by the
//! genesis and by nothing else, so that one and the same Wasm runs a development chain of one-second slots and a
//! production chain of six-second slots.
//!
//! ## Terms
//!
//! - *Epoch*: the period within which a provider owes one report; counted in blocks, shorter while it holds a lease.
//! - *Window*: a time after which the chain acts by itself, such as closing a lease whose provider never got ready.
//!
//! ## Who reads it
//!
//! The runtime hands each field to the pallet that needs it through a [`frame_support::traits::Get`] adapter of
//! [`getters`]: BABE's slot and session, staking's era, the market's windows.
//!
//! ## Invariants
//!
//! 1. The stored timing passes [`ChainTiming::check`].
//!
//! ## What it does not do
//!
//! There is no call, and there will be none: BABE cannot survive a change of the slot or of the session's length, and a
//! window that moves under an open lease would change a contract that two parties have made. A new value
//! needs a migration that says what becomes of open leases.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod getters;
mod types;

#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::ChainTiming;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "the macro's own: a size that it computes fits")]
pub mod pallet {
	//! Storage and genesis of the chain's timing.

	use super::ChainTiming;
	use frame_support::pallet_prelude::*;

	/// Nothing to configure.
	#[pallet::config]
	pub trait Config: frame_system::Config {}

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// The chain's timing. Written once, at genesis; the production values stand for a chain that wrote none.
	#[pallet::storage]
	pub type Timing<T: Config> = StorageValue<_, ChainTiming, ValueQuery>;

	/// The timing to start with.
	#[pallet::genesis_config]
	#[derive(frame_support::DefaultNoBound)]
	pub struct GenesisConfig<T: Config> {
		/// Every length; the production values unless given.
		pub timing: ChainTiming,
		#[serde(skip)]
		#[doc(hidden)]
		pub _config: core::marker::PhantomData<T>,
	}

	#[pallet::genesis_build]
	impl<T: Config> BuildGenesisConfig for GenesisConfig<T> {
		fn build(&self) {
			if let Err(problem) = self.timing.check() {
				panic!("the genesis' timing cannot be used: {problem}");
			}
			Timing::<T>::put(self.timing);
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<frame_system::pallet_prelude::BlockNumberFor<T>> for Pallet<T> {
		#[cfg(feature = "try-runtime")]
		fn try_state(
			_: frame_system::pallet_prelude::BlockNumberFor<T>,
		) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	impl<T: Config> Pallet<T> {
		/// Checks the pallet's invariant:
		///
		/// 1. The stored timing passes [`ChainTiming::check`].
		#[cfg(any(feature = "try-runtime", test))]
		pub fn do_try_state() -> Result<(), sp_runtime::TryRuntimeError> {
			Timing::<T>::get().check().map_err(sp_runtime::TryRuntimeError::Other)
		}
	}
}
