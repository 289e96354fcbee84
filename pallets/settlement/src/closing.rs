//! What time makes of an escrow, and its end.

use crate::{
	types::quarter, Config, Contests, Error, EscrowRecord, Escrows, Event, Pallet, PayeeEscrows, Payment,
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	storage::with_storage_layer,
	traits::{Get, Time},
};
use millrace_primitives::{Balance, Closing, EscrowId, Moment, StreamId};
use sp_runtime::DispatchError;

/// Money that could not be moved is tried again after so many milliseconds: ten minutes.
const RETRY_AFTER_MS: u64 = 600_000;

/// An escrow after everything was done that can be done now.
pub(crate) struct Advanced<AccountId> {
	/// Its figures.
	pub(crate) record: EscrowRecord<AccountId>,
	/// What was paid.
	pub(crate) payments: Vec<(StreamId, Payment)>,
}

impl<T: Config> Pallet<T> {
	pub(crate) fn do_settle(id: EscrowId) -> Result<u32, DispatchError> {
		let record = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		let streams = record.stream_count();
		Self::advance(id, record, T::Time::now());
		Ok(streams)
	}

	pub(crate) fn do_accept(payer: &T::AccountId, id: EscrowId) -> Result<u32, DispatchError> {
		let mut record = Self::payers_record(payer, id)?;
		let streams = record.stream_count();
		record.mature(Moment::MAX);
		Self::advance(id, record, T::Time::now());
		Ok(streams)
	}

	pub(crate) fn do_void(id: EscrowId) -> Result<Balance, DispatchError> {
		with_storage_layer(|| {
			let mut record = Self::open_record(id)?;
			Self::drop_contests(id, &record)?;
			let amount = record.void();
			if amount > 0 {
				Self::deposit_event(Event::Voided { escrow: id, amount });
			}
			Self::store(id, record);
			Ok(amount)
		})
	}

	pub(crate) fn do_close(id: EscrowId) -> Result<Closing<Balance>, DispatchError> {
		let mut record = Self::open_record(id)?;
		let refunded_before = record.refunded;
		record.close();
		let now = T::Time::now();
		let record = Self::advance(id, record, now).record;
		let pending = record.owed();
		if !record.is_complete() {
			Self::deposit_event(Event::EscrowClosing { escrow: id, pending });
		}
		Ok(Closing {
			// Cannot saturate: refunds only add up.
			refunded: record.refunded.saturating_sub(refunded_before),
			pending,
			attested_ms: record.attested_ms,
			next: Self::next_visit(id, &record, now),
			streams: record.stream_count(),
		})
	}

	pub(crate) fn do_finish(id: EscrowId) -> Result<Option<Moment>, DispatchError> {
		let Some(record) = Escrows::<T>::get(id) else { return Ok(None) };
		ensure!(record.closed, Error::<T>::EscrowOpen);
		let now = T::Time::now();
		let record = Self::advance(id, record, now).record;
		Ok(Self::next_visit(id, &record, now))
	}

	/// Does all that can be done now: ends contests without a verdict in time, pays what is due, and, of a closed escrow, gives
	/// back the rest. What cannot be moved stays where it is, with an event that says why.
	pub(crate) fn advance(
		id: EscrowId,
		mut record: EscrowRecord<T::AccountId>,
		now: Moment,
	) -> Advanced<T::AccountId> {
		record.mature(now);
		Self::lapse_contests(id, &mut record, now);
		let payments = Self::pay_due(id, &mut record, now);
		let rest = record.free();
		if record.closed && rest > 0 {
			Self::give_back(id, &mut record, rest);
		}
		let record = Self::store(id, record);
		Advanced { record, payments }
	}

	/// Stores the record without the streams that are over. A complete one is forgotten: its receipt is the last word.
	pub(crate) fn store(id: EscrowId, mut record: EscrowRecord<T::AccountId>) -> EscrowRecord<T::AccountId> {
		for payee in record.fold() {
			PayeeEscrows::<T>::mutate_exists(payee, id, |count| {
				*count = count.and_then(|count| count.checked_sub(1)).filter(|left| *left > 0);
			});
		}
		if !record.is_complete() {
			Escrows::<T>::insert(id, &record);
			return record;
		}
		Escrows::<T>::remove(id);
		Self::deposit_event(Event::EscrowClosed {
			escrow: id,
			payer: record.payer.clone(),
			asset: record.asset,
			deposited: record.deposited,
			paid: record.paid,
			fee: record.fee,
			refunded: record.refunded,
			attested_ms: record.attested_ms,
		});
		record
	}

	/// When something of a closed escrow can be moved. Visits are at least a quarter of the contest window apart, so that they
	/// are few however many streams there are. `None` if the escrow is gone.
	fn next_visit(id: EscrowId, record: &EscrowRecord<T::AccountId>, now: Moment) -> Option<Moment> {
		if record.is_complete() {
			return None;
		}
		let window = T::ContestWindow::get();
		let maturing = record.streams.iter().flat_map(|stream| stream.next_maturity(now));
		let verdicts = Contests::<T>::iter_prefix_values(id).map(|contest| Self::verdict_ends(&contest));
		// Clamping is right here: there is no time after the end of time.
		let soonest = now.saturating_add(quarter(window));
		let next = maturing.chain(verdicts).min().map(|next| next.max(soonest));
		Some(next.unwrap_or(now.saturating_add(RETRY_AFTER_MS)))
	}

	/// The escrow, for the one who pays.
	pub(crate) fn payers_record(
		payer: &T::AccountId,
		id: EscrowId,
	) -> Result<EscrowRecord<T::AccountId>, DispatchError> {
		let record = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		ensure!(record.payer == *payer, Error::<T>::NotPayer);
		Ok(record)
	}
}
