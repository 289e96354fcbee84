//! Moving money out of a hold. Each function here is all or nothing, and writes down what has moved and nothing else.

use crate::{Config, Error, EscrowRecord, Event, HoldReason, Pallet, Payment};
use alloc::vec::Vec;
use core::cmp::Reverse;
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{
		fungibles::{hold::Mutate as _, Balanced as _, Inspect as _},
		tokens::{Fortitude, Precision, Provenance, Restriction},
		OnUnbalanced,
	},
};
use millrace_primitives::{Asset, Balance, EscrowId, Moment, StreamId};
use sp_runtime::{DispatchError, DispatchResult, TokenError};

impl<T: Config> Pallet<T> {
	/// Pays what is due of each stream. A payment that cannot be made stands in nobody else's way. Returns what was paid.
	pub(crate) fn pay_due(
		id: EscrowId,
		record: &mut EscrowRecord<T::AccountId>,
		now: Moment,
	) -> Vec<(StreamId, Payment)> {
		let mut due: Vec<_> = record.streams.iter().map(|stream| (stream.id, stream.due(now))).collect();
		// The largest first: it may bring an account to life that then takes the small ones too.
		due.sort_by_key(|(_, amount)| Reverse(*amount));
		let is_last = record.closed && !record.is_waiting(now);
		let mut payments = Vec::new();
		for (stream, amount) in due.into_iter().filter(|(_, amount)| *amount > 0) {
			match Self::pay(id, record, stream, amount) {
				Ok(payment) => payments.push((stream, payment)),
				Err(cause) => Self::keep_or_return(id, record, stream, amount, cause, is_last),
			}
		}
		payments
	}

	/// Moves one payment and writes it down.
	fn pay(
		id: EscrowId,
		record: &mut EscrowRecord<T::AccountId>,
		stream: StreamId,
		amount: Balance,
	) -> Result<Payment, DispatchError> {
		let earner = record.stream(stream).ok_or(Error::<T>::UnknownStream)?;
		let payment = earner.split(amount, record.fee_rate);
		let payee = earner.payee.clone();
		with_storage_layer(|| {
			Self::transfer(HoldReason::Escrow, record.asset, &record.payer, &payee, payment.paid)?;
			Self::collect(record.asset, &record.payer, payment.fee)
		})?;
		record.record(stream, payment);
		let Payment { paid, fee } = payment;
		Self::deposit_event(Event::Settled { escrow: id, stream, payee, paid, fee });
		Ok(payment)
	}

	/// What could not be paid is still owed. When the escrow can do nothing else any more and the payee's account does not take
	/// so little, it is part of the refund.
	fn keep_or_return(
		id: EscrowId,
		record: &mut EscrowRecord<T::AccountId>,
		stream: StreamId,
		amount: Balance,
		cause: DispatchError,
		is_last: bool,
	) {
		let is_too_little =
			matches!(cause, DispatchError::Token(TokenError::BelowMinimum | TokenError::CannotCreate));
		match record.stream_mut(stream) {
			Some(unpaid) if is_last && is_too_little => {
				unpaid.forfeit(amount);
				Self::deposit_event(Event::PaymentReturned { escrow: id, stream, amount });
			}
			_ => Self::deposit_event(Event::PaymentDeferred { escrow: id, stream, amount, cause }),
		}
	}

	/// Gives `amount` back, or says why not. It is free then.
	pub(crate) fn give_back(id: EscrowId, record: &mut EscrowRecord<T::AccountId>, amount: Balance) {
		let is_last = record.closed && record.owed() == 0;
		let moved = match Self::refund(id, record, amount) {
			Err(DispatchError::Token(TokenError::BelowMinimum)) if is_last => {
				Self::collect_remainder(id, record, amount)
			}
			moved => moved,
		};
		if let Err(cause) = moved {
			Self::deposit_event(Event::RefundDeferred { escrow: id, amount, cause });
		}
	}

	/// Gives `amount` back and writes it down.
	pub(crate) fn refund(
		id: EscrowId,
		record: &mut EscrowRecord<T::AccountId>,
		amount: Balance,
	) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		Self::release(HoldReason::Escrow, record.asset, &record.payer, amount)?;
		// Cannot saturate: it was held.
		record.refunded = record.refunded.saturating_add(amount);
		Self::deposit_event(Event::Refunded { escrow: id, amount });
		Ok(())
	}

	/// Leaves to the fee's sink what the payer's account does not take back, and writes it down.
	fn collect_remainder(
		id: EscrowId,
		record: &mut EscrowRecord<T::AccountId>,
		amount: Balance,
	) -> DispatchResult {
		Self::collect(record.asset, &record.payer, amount)?;
		// Cannot saturate: it was held.
		record.fee = record.fee.saturating_add(amount);
		Self::deposit_event(Event::RemainderCollected { escrow: id, amount });
		Ok(())
	}

	/// Moves an amount out of a hold into another account's free balance.
	pub(crate) fn transfer(
		reason: HoldReason,
		asset: Asset,
		from: &T::AccountId,
		to: &T::AccountId,
		amount: Balance,
	) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		T::Currency::can_deposit(asset, to, amount, Provenance::Extant).into_result()?;
		with_storage_layer(|| {
			let moved = T::Currency::transfer_on_hold(
				asset,
				&reason.into(),
				from,
				to,
				amount,
				Precision::Exact,
				Restriction::Free,
				// A payer could otherwise freeze its balance after the service and so refuse to pay for it.
				Fortitude::Force,
			)?;
			ensure!(moved == amount, Error::<T>::LedgerMismatch);
			Ok(())
		})
	}

	/// Moves an amount out of a hold into the same account's free balance.
	pub(crate) fn release(
		reason: HoldReason,
		asset: Asset,
		who: &T::AccountId,
		amount: Balance,
	) -> DispatchResult {
		T::Currency::can_deposit(asset, who, amount, Provenance::Extant).into_result()?;
		with_storage_layer(|| {
			let released = T::Currency::release(asset, &reason.into(), who, amount, Precision::Exact)?;
			ensure!(released == amount, Error::<T>::LedgerMismatch);
			Ok(())
		})
	}

	/// Moves an amount out of the payer's hold into the fee's sink.
	fn collect(asset: Asset, payer: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		with_storage_layer(|| {
			let reason = HoldReason::Escrow.into();
			let burned =
				T::Currency::burn_held(asset, &reason, payer, amount, Precision::Exact, Fortitude::Force)?;
			ensure!(burned == amount, Error::<T>::LedgerMismatch);
			T::FeeSink::on_unbalanced(T::Credits::issue(asset, amount));
			Ok(())
		})
	}
}
