//! Attested time becomes earnings. Nothing moves here.

use crate::{Config, Error, Escrows, Event, Pallet};
use frame_support::{
	ensure,
	traits::{Get, Time},
};
use millrace_primitives::{Accrued, Balance, EscrowId, StreamId};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Counts `ms` milliseconds of attested time, as far as they are funded.
	pub(crate) fn do_accrue(
		id: EscrowId,
		stream: StreamId,
		ms: u64,
	) -> Result<Accrued<Balance>, DispatchError> {
		let mut record = Self::open_record(id)?;
		let free = record.free();
		let earning = record.stream_mut(stream).ok_or(Error::<T>::UnknownStream)?;
		ensure!(!earning.ended, Error::<T>::StreamEnded);
		let accrued = earning.accrue(ms, free, T::Time::now(), T::ContestWindow::get())?;
		if accrued.ms > 0 {
			// Clamping is right here: more than the age of the world is only a statistic.
			record.attested_ms = record.attested_ms.saturating_add(accrued.ms);
			Escrows::<T>::insert(id, record);
			let Accrued { ms, amount } = accrued;
			Self::deposit_event(Event::Accrued { escrow: id, stream, ms, amount });
		}
		Ok(accrued)
	}
}
