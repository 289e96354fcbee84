//! What the pallet is to others.

use crate::{Config, Escrows, Pallet};
use millrace_primitives::{Accrued, Balance, Escrow, EscrowId, Receipt};
use sp_runtime::DispatchError;

impl<T: Config> Escrow<T::AccountId, Balance> for Pallet<T> {
	fn open(
		id: EscrowId,
		payer: &T::AccountId,
		payee: &T::AccountId,
		rate: Balance,
		deposit: Balance,
	) -> Result<u64, DispatchError> {
		Self::do_open(id, payer, payee, rate, deposit)
	}

	fn top_up(id: EscrowId, amount: Balance) -> Result<u64, DispatchError> {
		Self::do_top_up(id, amount)
	}

	fn accrue(id: EscrowId, ms: u64) -> Result<Accrued<Balance>, DispatchError> {
		Self::do_accrue(id, ms)
	}

	fn funded_ms(id: EscrowId) -> Option<u64> {
		Some(Escrows::<T>::get(id)?.remaining_ms())
	}

	fn close(id: EscrowId) -> Result<Receipt<Balance>, DispatchError> {
		Self::do_close(id)
	}
}
