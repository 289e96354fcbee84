//! Putting funds on hold and taking unearned ones back; who earns them.

use crate::{Config, Error, EscrowRecord, Escrows, Event, HoldReason, Pallet, PayeeEscrows};
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{fungibles::hold::Mutate as _, Get},
};
use millrace_primitives::{Asset, Balance, EscrowId, StreamId};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_open(
		id: EscrowId,
		payer: &T::AccountId,
		asset: Asset,
		amount: Balance,
	) -> DispatchResult {
		ensure!(!Escrows::<T>::contains_key(id), Error::<T>::EscrowExists);
		ensure!(Self::asset_is_allowed(asset), Error::<T>::AssetNotAllowed);
		Self::hold(asset, payer, amount)?;
		let fee_rate = T::FeeRate::get();
		Escrows::<T>::insert(id, EscrowRecord::new(payer.clone(), asset, fee_rate, amount));
		Self::deposit_event(Event::EscrowOpened {
			escrow: id,
			payer: payer.clone(),
			asset,
			amount,
			fee_rate,
		});
		Ok(())
	}

	pub(crate) fn do_top_up(id: EscrowId, amount: Balance) -> DispatchResult {
		let mut record = Self::open_record(id)?;
		record.deposit(amount)?;
		Self::hold(record.asset, &record.payer, amount)?;
		Escrows::<T>::insert(id, record);
		Self::deposit_event(Event::ToppedUp { escrow: id, amount });
		Ok(())
	}

	pub(crate) fn do_withdraw(id: EscrowId, amount: Balance) -> DispatchResult {
		let mut record = Self::open_record(id)?;
		ensure!(amount <= record.free(), Error::<T>::ExceedsFree);
		Self::refund(id, &mut record, amount)?;
		Escrows::<T>::insert(id, record);
		Ok(())
	}

	pub(crate) fn do_add_stream(
		id: EscrowId,
		payee: &T::AccountId,
		rate: Balance,
	) -> Result<StreamId, DispatchError> {
		let mut record = Self::open_record(id)?;
		ensure!(record.payer != *payee, Error::<T>::PayerIsPayee);
		let stream = record.add_stream(payee.clone(), rate).ok_or(Error::<T>::TooManyStreams)?;
		Escrows::<T>::insert(id, record);
		// Cannot saturate: no more than the streams of one escrow.
		PayeeEscrows::<T>::mutate(payee, id, |count| *count = count.saturating_add(1));
		Self::deposit_event(Event::StreamAdded { escrow: id, stream, payee: payee.clone(), rate });
		Ok(stream)
	}

	pub(crate) fn do_end_stream(id: EscrowId, stream: StreamId) -> DispatchResult {
		let mut record = Self::open_record(id)?;
		let ending = record.stream_mut(stream).ok_or(Error::<T>::UnknownStream)?;
		ensure!(!ending.ended, Error::<T>::StreamEnded);
		ending.ended = true;
		Self::deposit_event(Event::StreamEnded { escrow: id, stream });
		Self::store(id, record);
		Ok(())
	}

	/// An escrow whose lease is not over.
	pub(crate) fn open_record(id: EscrowId) -> Result<EscrowRecord<T::AccountId>, DispatchError> {
		let record = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		ensure!(!record.closed, Error::<T>::EscrowClosed);
		Ok(record)
	}

	/// Holds free balance, leaving the account alive.
	fn hold(asset: Asset, payer: &T::AccountId, amount: Balance) -> DispatchResult {
		ensure!(Self::escrow_fits(asset, payer, amount), Error::<T>::InsufficientFunds);
		if amount == 0 {
			return Ok(());
		}
		with_storage_layer(|| T::Currency::hold(asset, &HoldReason::Escrow.into(), payer, amount))
	}
}
