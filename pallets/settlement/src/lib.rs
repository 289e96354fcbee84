//! # Settlement
//!
//! The money of a lease: held in the payer's own account, earned by attested time, paid out less a fee.
//!
//! ## Terms
//!
//! - **escrow**: a hold in the payer's own account in favour of one payee. There is no pot account.
//! - **rate**: plancks per second, fixed for the escrow's life, as is the share that the fee takes.
//! - **attested time**: milliseconds that the pallet above said were served. Time beyond what is funded is not counted, so
//!   that a later top-up is never spent on the past.
//! - **earned**: `rate x attested time / 1000`, rounded down over the escrow's whole life, never above what was deposited.
//! - **owed**: earned and not yet settled. **settled**: earned and moved, as payment or as fee.
//! - **receipt**: the event at the end with every flow. `paid + fee + refunded == deposited`.
//!
//! ## Who calls it
//!
//! The leases, through [`millrace_primitives::Escrow`]: open, top up, accrue, close. Anybody, through `settle`: moves what is
//! owed now, to the payee and the fee's sink. Every trait function is all or nothing by itself, so that it can be called from a
//! hook.
//!
//! ```text
//! open --> accrue*, top_up*, settle* --> close (settles, refunds, writes the receipt, forgets)
//! ```
//!
//! ## Money
//!
//! - The fee is `FeeRate` at opening, taken out of what the payee earns, and rounded down **over the running total**: however
//!   often an escrow is settled, the sum of its fees is the same.
//! - Payment ignores freezes in the payer's account: a hold was given for it, and a freeze placed later must not undo that.
//! - A payee that cannot receive (its account would stay below the existential deposit) is still owed after `settle`, and
//!   `PaymentDeferred` says so. At `close` nothing can stay owed: then the part goes back to the payer with
//!   `PaymentReturned`. Providers have holds in their accounts, which keeps those accounts alive, so this does not happen to them.
//! - A refund that the payer's account cannot take for the same reason goes to the fee's sink with `RemainderCollected`, and the
//!   receipt counts it as fee. It is less than the existential deposit.
//!
//! ## Invariants
//!
//! See `try_state.rs`: holds equal ledger, per payer; settled equals paid plus fee; nothing is settled before it is earned;
//! nothing is earned beyond the deposit.
//!
//! ## What it does not do
//!
//! It does not know leases, does not judge whether time was served, and has no clock. It has no call by which anybody could
//! redirect a payment. A settled payment cannot be taken back.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod accrual;
mod impls;
mod opening;
mod payment;
#[cfg(any(feature = "try-runtime", test))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

pub use pallet::*;
pub use types::{EscrowRecord, Payment};
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use crate::{EscrowRecord, WeightInfo};
	use frame_support::{
		pallet_prelude::*,
		traits::{fungible, OnUnbalanced},
	};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{Balance, EscrowId};
	use sp_runtime::Permill;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	/// Configuration.
	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// The native token.
		type Currency: fungible::Inspect<Self::AccountId, Balance = Balance>
			+ fungible::hold::Mutate<Self::AccountId, Reason: From<HoldReason>>
			+ fungible::hold::Balanced<Self::AccountId>;

		/// Share of each payment that is the fee. An escrow keeps the share it was opened with.
		type FeeRate: Get<Permill>;

		/// Where fees go.
		type FeeSink: OnUnbalanced<fungible::Credit<Self::AccountId, Self::Currency>>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Open escrows. Written by opening, topping up, accrual and settlement; removed by closing.
	// The number is assigned by the pallet above, one after the other, so nobody can choose keys that collide.
	#[pallet::storage]
	pub type Escrows<T: Config> = StorageMap<_, Twox64Concat, EscrowId, EscrowRecord<T::AccountId>>;

	/// Why this pallet holds funds.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// Pays for a lease.
		#[codec(index = 0)]
		Escrow,
	}

	/// Events. All balances of an escrow can be rebuilt from them alone.
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Funds were put on hold for a new escrow.
		EscrowOpened {
			/// Which escrow.
			escrow: EscrowId,
			/// Whose funds are held.
			payer: T::AccountId,
			/// Who earns them.
			payee: T::AccountId,
			/// Plancks per second.
			rate: Balance,
			/// Plancks now held.
			amount: Balance,
			/// Share of each payment that is the fee.
			fee_rate: Permill,
		},
		/// More funds were put on hold.
		ToppedUp {
			/// Which escrow.
			escrow: EscrowId,
			/// Plancks added to the hold.
			amount: Balance,
		},
		/// Attested time was added.
		Accrued {
			/// Which escrow.
			escrow: EscrowId,
			/// Milliseconds added. Less than was attested when the escrow does not fund more.
			ms: u64,
			/// Plancks earned by them. Nothing has moved yet.
			amount: Balance,
		},
		/// What was owed was moved out of the hold.
		Settled {
			/// Which escrow.
			escrow: EscrowId,
			/// Plancks that the payee received.
			paid: Balance,
			/// Plancks that the fee's sink received.
			fee: Balance,
		},
		/// The payee's account cannot receive what is owed: it would stay below the existential deposit. It is still owed.
		PaymentDeferred {
			/// Which escrow.
			escrow: EscrowId,
			/// Plancks that are owed, with the fee.
			amount: Balance,
		},
		/// The escrow is being closed and the payee's account cannot receive what is owed: it is part of the refund.
		PaymentReturned {
			/// Which escrow.
			escrow: EscrowId,
			/// Plancks that were owed, with the fee.
			amount: Balance,
		},
		/// The payer's account cannot take the rest back: it would stay below the existential deposit. The fee's sink got it.
		RemainderCollected {
			/// Which escrow.
			escrow: EscrowId,
			/// Plancks that the fee's sink received. The receipt counts them as fee.
			amount: Balance,
		},
		/// The receipt: every flow of an escrow over its life. `paid + fee + refunded == deposited`.
		EscrowClosed {
			/// Which escrow.
			escrow: EscrowId,
			/// Whose funds were held.
			payer: T::AccountId,
			/// Who earned them.
			payee: T::AccountId,
			/// Plancks that were put on hold.
			deposited: Balance,
			/// Plancks that the payee received.
			paid: Balance,
			/// Plancks that the fee's sink received.
			fee: Balance,
			/// Plancks that the payer got back, now.
			refunded: Balance,
			/// Milliseconds that were paid for.
			attested_ms: u64,
		},
	}

	/// Errors.
	#[pallet::error]
	pub enum Error<T> {
		/// There is no open escrow of this number. It may be closed: its `EscrowClosed` event is the receipt.
		UnknownEscrow,
		/// There is an open escrow of this number already. Close it first.
		EscrowExists,
		/// Payer and payee are the same account. Use another account for one of them.
		PayerIsPayee,
		/// The payer's free balance is too small. Add funds, or ask for a shorter term or fewer GPUs.
		InsufficientFunds,
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
		/// Pays what an escrow owes now: to its payee, less the fee.
		///
		/// Origin: signed, by anybody. Nobody but the payee and the fee's sink gets anything.
		///
		/// With nothing owed it succeeds without an event. If the payee's account cannot receive, everything stays owed and
		/// `PaymentDeferred` is emitted; otherwise `Settled`. Does not check whether the lease still runs: what is owed was
		/// earned.
		///
		/// Fails with `UnknownEscrow` when there is no such open escrow.
		#[pallet::call_index(0)]
		pub fn settle(origin: OriginFor<T>, escrow: EscrowId) -> DispatchResult {
			ensure_signed(origin)?;
			Self::do_settle(escrow)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// Plancks that a `settle` now would move, with the fee. `None` if there is no such open escrow.
		pub fn owed(escrow: EscrowId) -> Option<Balance> {
			Some(Escrows::<T>::get(escrow)?.owed())
		}

		/// Milliseconds that are paid for and not yet used. `None` if there is no such open escrow.
		pub fn remaining_ms(escrow: EscrowId) -> Option<u64> {
			Some(Escrows::<T>::get(escrow)?.remaining_ms())
		}
	}
}
