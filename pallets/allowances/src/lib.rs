//! # Allowances
//!
//! Limits within which a delegate, such as a colleague or an agent, may rent in somebody's name. A proxy says *what* somebody
//! may do; an allowance says *for how much* too.
//!
//! ## Terms
//!
//! - **owner**: whose money it is. **delegate**: who may spend it, within an allowance.
//! - **allowance**: an amount of one asset, a highest price per second of one order, and an end.
//! - **committed**: what is held of the owner for what such calls pay for. The pallet does not know what that is: the runtime
//!   says it through [`Committed`].
//! - **spent**: by how much a call raised what is committed.
//!
//! ## Who calls it
//!
//! The owner grants and revokes; the delegate spends and can give its allowance up; anybody can clear one away that has
//! expired, whose deposit goes back to the owner. Which calls a delegate may make is an allow-list that the runtime keeps,
//! through [`Spending`].
//!
//! ## Money
//!
//! - The call is made as if the owner had signed it; its fee is the delegate's.
//! - What is committed is measured before and after the call, in the native token, in the allowance's asset and in the asset
//!   that the call is about. An increase in the allowance's asset is deducted; an increase in another asset is refused. So an
//!   allowance in a token does not cover an order that waits, whose deposit is in the native token.
//! - What comes back to the owner, from a cancelled order or a closed lease, never restores an allowance: otherwise a
//!   delegate could place and cancel without an end.
//! - An allowance with nothing left still lets the delegate make the calls that cost nothing, such as closing a lease.
//!
//! ## Invariants
//!
//! See `try_state.rs`: deposits equal holds; the number of an owner's allowances equals a recount and keeps its bound.
//!
//! ## What it does not do
//!
//! It reserves nothing: an owner can grant more than it has. It does not remember which order a delegate placed: every call
//! of the allow-list is open for all that the owner has rented.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod granting;
mod spending;
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
pub use types::{Allowance, Committed, Spend, Spending, MAX_DELEGATES};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{Allowance, Committed, Spending, WeightInfo};
	use alloc::{boxed::Box, vec::Vec};
	use frame_support::{
		dispatch::{GetDispatchInfo, PostDispatchInfo},
		pallet_prelude::*,
		traits::{fungible, Time},
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Asset, Balance, Moment};
	use sp_runtime::traits::Dispatchable;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The runtime's calls.
		type RuntimeCall: Parameter
			+ Dispatchable<RuntimeOrigin = Self::RuntimeOrigin, PostInfo = PostDispatchInfo>
			+ GetDispatchInfo;

		/// The native token, for deposits.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::hold::Mutate<Self::AccountId, Reason: From<HoldReason>>;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// Which calls a delegate may make.
		type Spendable: Spending<<Self as Config>::RuntimeCall>;

		/// What is held of an owner for what those calls pay for.
		type Committed: Committed<Self::AccountId>;

		/// Deposit of an allowance, in plancks; given back to its owner when it is gone.
		#[pallet::constant]
		type Deposit: Get<Balance>;

		/// Longest life of an allowance, in milliseconds.
		#[pallet::constant]
		type MaxLifetime: Get<u64>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;

		/// What the benchmarks ask of the runtime.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::BenchmarkHelper<Self::AccountId, <Self as Config>::RuntimeCall>;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Allowances by owner and delegate. Written by granting and spending; removed when revoked, renounced or purged.
	// Blake2: users choose both accounts.
	#[pallet::storage]
	pub type Allowances<T: Config> = StorageDoubleMap<
		_,
		Blake2_128Concat,
		T::AccountId,
		Blake2_128Concat,
		T::AccountId,
		Allowance,
		OptionQuery,
	>;

	/// Number of the allowances that each owner has granted, expired ones included. No entry when there are none.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type Granted<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, u32, ValueQuery>;

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Deposits of allowances.
		#[codec(index = 0)]
		AllowanceDeposit,
	}

	/// Events.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An owner lets a delegate spend. An allowance that the delegate had from this owner before is replaced.
		Granted {
			/// Whose money it is.
			owner: T::AccountId,
			/// Who may spend it.
			delegate: T::AccountId,
			/// What it may spend.
			asset: Asset,
			/// How much in all.
			amount: Balance,
			/// Highest price of one order, per second.
			max_rate: Balance,
			/// When it ends, in milliseconds since the Unix epoch.
			expires_at: Moment,
			/// Held of the owner for it, in plancks.
			deposit: Balance,
		},
		/// A delegate made a call in the owner's name.
		Spent {
			/// Whose money it is.
			owner: T::AccountId,
			/// Who made the call.
			delegate: T::AccountId,
			/// By how much it raised what is held of the owner, in the allowance's asset. Zero for a call that costs nothing.
			amount: Balance,
			/// What is left.
			remaining: Balance,
		},
		/// An allowance is gone: revoked, renounced, or expired and purged.
		Ended {
			/// Whose money it was.
			owner: T::AccountId,
			/// Who could spend it.
			delegate: T::AccountId,
			/// What was left.
			remaining: Balance,
			/// Released to the owner, in plancks.
			deposit: Balance,
		},
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// The owner has granted this delegate nothing. Ask it for a grant.
		NoAllowance,
		/// The allowance's time is over. Ask the owner for a new grant.
		AllowanceExpired,
		/// A delegate cannot make this call. Ordering, funding, using, closing and contesting leases can be delegated.
		CallNotAllowed,
		/// The order's highest price per second is above the allowance's. Order fewer GPUs or at a lower price.
		RateTooHigh,
		/// The call costs more than is left of the allowance.
		AllowanceExceeded,
		/// The call costs something in another asset than the allowance's.
		OtherAsset,
		/// The owner has granted as many allowances as it can. Revoke one.
		TooManyDelegates,
		/// An account needs no allowance of its own money. Make the call directly.
		OwnDelegate,
		/// The amount is zero.
		ZeroAmount,
		/// The lifetime is zero or longer than the chain allows.
		LifetimeOutOfBounds,
		/// The owner's free balance does not cover the deposit.
		DepositUnaffordable,
		/// The allowance has not expired. Its owner can revoke it, its delegate can renounce it.
		NotExpired,
		/// Hold and records disagree. Nothing was moved. This is a defect: please report it.
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
		/// Lets a delegate spend the sender's money within limits.
		///
		/// Origin: signed, the owner. Replaces the allowance that the delegate had from this owner, with what was left of it;
		/// holds a deposit for a new one. Emits [`Event::Granted`].
		///
		/// Does not check that the owner has the amount, nor that leases can be paid in the asset.
		///
		/// - `asset`: what the delegate may spend
		/// - `amount`: how much in all, in the asset's smallest unit
		/// - `max_rate`: the highest price of one order, all its GPUs together, per second
		/// - `lifetime_ms`: for how long, in milliseconds
		///
		/// Fails with `OwnDelegate`, `ZeroAmount`, `LifetimeOutOfBounds`, `TooManyDelegates` or `DepositUnaffordable`.
		#[pallet::call_index(0)]
		pub fn grant(
			origin: OriginFor<T>,
			delegate: T::AccountId,
			asset: Asset,
			amount: Balance,
			max_rate: Balance,
			lifetime_ms: u64,
		) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::do_grant(owner, delegate, asset, amount, max_rate, lifetime_ms)
		}

		/// Takes an allowance back and releases its deposit. What was spent stays spent.
		///
		/// Origin: signed, the owner. Emits [`Event::Ended`]. Fails with `NoAllowance`.
		#[pallet::call_index(1)]
		pub fn revoke(origin: OriginFor<T>, delegate: T::AccountId) -> DispatchResult {
			let owner = ensure_signed(origin)?;
			Self::end(owner, delegate)
		}

		/// Gives an allowance up; its deposit goes back to the owner.
		///
		/// Origin: signed, the delegate. Emits [`Event::Ended`]. Fails with `NoAllowance`.
		#[pallet::call_index(2)]
		pub fn renounce(origin: OriginFor<T>, owner: T::AccountId) -> DispatchResult {
			let delegate = ensure_signed(origin)?;
			Self::end(owner, delegate)
		}

		/// Makes a call in the owner's name, within the sender's allowance. All or nothing: a call that fails or costs too much
		/// leaves no trace but its fee, which the delegate pays.
		///
		/// Origin: signed, the delegate. Emits [`Event::Spent`] after the call's own events.
		///
		/// Fails with `NoAllowance`, `AllowanceExpired`, `CallNotAllowed`, `RateTooHigh`, `AllowanceExceeded`, `OtherAsset`, or
		/// with the call's own error.
		#[pallet::call_index(3)]
		#[pallet::weight({
			let info = call.get_dispatch_info();
			(<T as Config>::WeightInfo::spend().saturating_add(info.call_weight), info.class)
		})]
		pub fn spend(
			origin: OriginFor<T>,
			owner: T::AccountId,
			call: Box<<T as Config>::RuntimeCall>,
		) -> DispatchResultWithPostInfo {
			let delegate = ensure_signed(origin)?;
			Self::do_spend(owner, delegate, *call)
		}

		/// Clears an expired allowance away; its deposit goes back to the owner.
		///
		/// Origin: signed, by anybody. Emits [`Event::Ended`]. Fails with `NoAllowance` or `NotExpired`.
		#[pallet::call_index(4)]
		pub fn purge(origin: OriginFor<T>, owner: T::AccountId, delegate: T::AccountId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_purge(owner, delegate)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The allowances that an owner has granted, expired ones included.
		pub fn granted_by(owner: T::AccountId) -> Vec<(T::AccountId, Allowance)> {
			Allowances::<T>::iter_prefix(owner).collect()
		}
	}
}
