//! What the pallet is to the leases.

use crate::{Config, Escrows, Pallet};
use millrace_primitives::{Accrued, Asset, Balance, Closing, Escrow, EscrowId, Moment, StreamId};
use sp_runtime::{DispatchError, DispatchResult};

impl<T: Config> Escrow<T::AccountId, Balance> for Pallet<T> {
	fn is_allowed(asset: Asset) -> bool {
		Self::asset_is_allowed(asset)
	}

	fn can_hold(asset: Asset, payer: &T::AccountId, amount: Balance) -> bool {
		Self::escrow_fits(asset, payer, amount)
	}

	fn open(id: EscrowId, payer: &T::AccountId, asset: Asset, deposit: Balance) -> DispatchResult {
		Self::do_open(id, payer, asset, deposit)
	}

	fn top_up(id: EscrowId, amount: Balance) -> DispatchResult {
		Self::do_top_up(id, amount)
	}

	fn withdraw(id: EscrowId, amount: Balance) -> DispatchResult {
		Self::do_withdraw(id, amount)
	}

	fn add_stream(id: EscrowId, payee: &T::AccountId, rate: Balance) -> Result<StreamId, DispatchError> {
		Self::do_add_stream(id, payee, rate)
	}

	fn accrue(id: EscrowId, stream: StreamId, ms: u64) -> Result<Accrued<Balance>, DispatchError> {
		Self::do_accrue(id, stream, ms)
	}

	fn end_stream(id: EscrowId, stream: StreamId) -> DispatchResult {
		Self::do_end_stream(id, stream)
	}

	fn free(id: EscrowId) -> Option<Balance> {
		Some(Escrows::<T>::get(id)?.free())
	}

	fn void(id: EscrowId) -> Result<Balance, DispatchError> {
		Self::do_void(id)
	}

	fn close(id: EscrowId) -> Result<Closing<Balance>, DispatchError> {
		Self::do_close(id)
	}

	fn finish(id: EscrowId) -> Result<Option<Moment>, DispatchError> {
		Self::do_finish(id)
	}
}
