//! Moving money out of a hold: settlement and the end of an escrow.

use crate::{Config, Error, EscrowRecord, Escrows, Event, HoldReason, Pallet, Payment};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{
		fungible::{
			hold::{Balanced as _, Mutate as _},
			Inspect as _,
		},
		tokens::{DepositConsequence, Fortitude, Precision, Provenance, Restriction},
		Imbalance, OnUnbalanced,
	},
};
use millrace_primitives::{Balance, EscrowId, Receipt};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	/// Moves what is owed now.
	pub(crate) fn do_settle(id: EscrowId) -> DispatchResult {
		let mut escrow = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		let Some(due) = escrow.due() else { return Ok(()) };
		if !Self::can_receive(&escrow.payee, due.paid) {
			Self::deposit_event(Event::PaymentDeferred { escrow: id, amount: due.total() });
			return Ok(());
		}
		with_storage_layer(|| {
			Self::pay(id, &mut escrow, due)?;
			Escrows::<T>::insert(id, escrow);
			Ok(())
		})
	}

	/// Moves what is owed, gives the rest back, writes the receipt and forgets the escrow. All or nothing.
	pub(crate) fn do_close(id: EscrowId) -> Result<Receipt<Balance>, DispatchError> {
		with_storage_layer(|| {
			let mut escrow = Escrows::<T>::take(id).ok_or(Error::<T>::UnknownEscrow)?;
			if let Some(due) = escrow.due() {
				if Self::can_receive(&escrow.payee, due.paid) {
					Self::pay(id, &mut escrow, due)?;
				} else {
					// Neither may this block the close, nor can it stay owed once the record is gone.
					Self::deposit_event(Event::PaymentReturned { escrow: id, amount: due.total() });
				}
			}
			let refunded = Self::refund(id, &mut escrow)?;
			let EscrowRecord { payer, payee, deposited, paid, fee, attested_ms, .. } = escrow;
			Self::deposit_event(Event::EscrowClosed {
				escrow: id,
				payer,
				payee,
				deposited,
				paid,
				fee,
				refunded,
				attested_ms,
			});
			Ok(Receipt { deposited, paid, fee, refunded, attested_ms })
		})
	}

	/// Moves one payment and writes it down. An error leaves a half-done movement: callers roll back.
	fn pay(id: EscrowId, escrow: &mut EscrowRecord<T::AccountId>, due: Payment) -> DispatchResult {
		if due.paid > 0 {
			let moved = T::Currency::transfer_on_hold(
				&HoldReason::Escrow.into(),
				&escrow.payer,
				&escrow.payee,
				due.paid,
				Precision::Exact,
				Restriction::Free,
				// A payer could otherwise freeze its balance after the service and so refuse to pay for it.
				Fortitude::Force,
			)?;
			ensure!(moved == due.paid, Error::<T>::LedgerMismatch);
		}
		Self::collect(&escrow.payer, due.fee)?;
		escrow.record(due)?;
		Self::deposit_event(Event::Settled { escrow: id, paid: due.paid, fee: due.fee });
		Ok(())
	}

	/// Gives back what is still on hold. Returns the plancks that the payer received. An error leaves a half-done movement:
	/// callers roll back.
	fn refund(id: EscrowId, escrow: &mut EscrowRecord<T::AccountId>) -> Result<Balance, DispatchError> {
		let rest = escrow.held();
		if rest == 0 {
			return Ok(0);
		}
		if !Self::can_receive(&escrow.payer, rest) {
			Self::collect(&escrow.payer, rest)?;
			escrow.record(Payment { paid: 0, fee: rest })?;
			Self::deposit_event(Event::RemainderCollected { escrow: id, amount: rest });
			return Ok(0);
		}
		let released =
			T::Currency::release(&HoldReason::Escrow.into(), &escrow.payer, rest, Precision::Exact)?;
		ensure!(released == rest, Error::<T>::LedgerMismatch);
		Ok(released)
	}

	/// Moves plancks out of the payer's hold into the fee's sink. An error leaves a half-done movement: callers roll back.
	fn collect(payer: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		let (credit, missing) = T::Currency::slash(&HoldReason::Escrow.into(), payer, amount);
		ensure!(missing == 0 && credit.peek() == amount, Error::<T>::LedgerMismatch);
		T::FeeSink::on_unbalanced(credit);
		Ok(())
	}

	/// Whether the account can take that many plancks as free balance.
	fn can_receive(who: &T::AccountId, amount: Balance) -> bool {
		T::Currency::can_deposit(who, amount, Provenance::Extant) == DepositConsequence::Success
	}
}
