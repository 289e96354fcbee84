//! Putting funds on hold: opening and topping up.

use crate::{Config, Error, EscrowRecord, Escrows, Event, HoldReason, Pallet};
use frame_support::{
	ensure,
	traits::{
		fungible::{hold::Mutate as _, Inspect as _},
		tokens::{Fortitude, Preservation},
		Get,
	},
};
use millrace_primitives::{Balance, EscrowId};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Opens an escrow. Returns the milliseconds that it pays for.
	pub(crate) fn do_open(
		id: EscrowId,
		payer: &T::AccountId,
		payee: &T::AccountId,
		rate: Balance,
		amount: Balance,
	) -> Result<u64, DispatchError> {
		ensure!(!Escrows::<T>::contains_key(id), Error::<T>::EscrowExists);
		ensure!(payer != payee, Error::<T>::PayerIsPayee);
		Self::hold(payer, amount)?;
		let fee_rate = T::FeeRate::get();
		let escrow = EscrowRecord::new(payer.clone(), payee.clone(), rate, fee_rate, amount);
		let funded_ms = escrow.funded_ms();
		Escrows::<T>::insert(id, escrow);
		Self::deposit_event(Event::EscrowOpened {
			escrow: id,
			payer: payer.clone(),
			payee: payee.clone(),
			rate,
			amount,
			fee_rate,
		});
		Ok(funded_ms)
	}

	/// Adds to an escrow. Returns the milliseconds that are now paid for and not yet used.
	pub(crate) fn do_top_up(id: EscrowId, amount: Balance) -> Result<u64, DispatchError> {
		let mut escrow = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		escrow.deposit(amount)?;
		Self::hold(&escrow.payer, amount)?;
		let remaining_ms = escrow.remaining_ms();
		Escrows::<T>::insert(id, escrow);
		Self::deposit_event(Event::ToppedUp { escrow: id, amount });
		Ok(remaining_ms)
	}

	/// Holds free balance, leaving the account alive.
	fn hold(payer: &T::AccountId, amount: Balance) -> DispatchResult {
		// What `hold` itself checks; here for an error that says what to do.
		let holdable = T::Currency::reducible_balance(payer, Preservation::Protect, Fortitude::Force);
		ensure!(amount <= holdable, Error::<T>::InsufficientFunds);
		T::Currency::hold(&HoldReason::Escrow.into(), payer, amount)
	}
}
