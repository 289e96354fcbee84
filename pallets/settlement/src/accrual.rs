//! Attested time becomes earnings. Nothing moves here.

use crate::{Config, Error, Escrows, Event, Pallet};
use millrace_primitives::{Accrued, Balance, EscrowId};
use sp_runtime::DispatchError;

impl<T: Config> Pallet<T> {
	/// Counts `ms` milliseconds of attested time, as far as they are funded.
	pub(crate) fn do_accrue(id: EscrowId, ms: u64) -> Result<Accrued<Balance>, DispatchError> {
		let mut escrow = Escrows::<T>::get(id).ok_or(Error::<T>::UnknownEscrow)?;
		let before = escrow.earned();
		let counted = escrow.count(ms);
		// Cannot saturate: earnings never fall.
		let amount = escrow.earned().saturating_sub(before);
		let exhausted = escrow.is_exhausted();
		if counted > 0 {
			Escrows::<T>::insert(id, escrow);
			Self::deposit_event(Event::Accrued { escrow: id, ms: counted, amount });
		}
		Ok(Accrued { amount, exhausted })
	}
}
