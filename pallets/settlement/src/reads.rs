//! What an escrow would do now. It is asked of the functions that do it, and what they did is undone.

use crate::{closing::Advanced, types::total, Config, EscrowRecord, Escrows, Pallet, PayeeEscrows};
use alloc::vec::Vec;
use frame_support::{storage::with_transaction, traits::Time};
use millrace_primitives::{
	leases_api::{Claim, EscrowSummary},
	EscrowId, Moment,
};
use sp_runtime::{DispatchError, TransactionOutcome};

/// Most claims that one answer has.
const MAX_CLAIMS: usize = 256;

impl<T: Config> Pallet<T> {
	/// The summary of an escrow: see [`EscrowSummary`].
	pub(crate) fn summary_of(id: EscrowId) -> Option<EscrowSummary<T::AccountId>> {
		let now = T::Time::now();
		let record = Escrows::<T>::get(id)?;
		let Advanced { record: after, payments } = Self::foresee(id, &record, now)?;
		Some(EscrowSummary {
			escrow: id,
			asset: record.asset,
			deposited: record.deposited,
			refunded: record.refunded,
			paid: record.paid,
			fee: record.fee,
			free: record.free(),
			claimable: total(payments.iter().map(|(_, payment)| payment.total())),
			maturing: total(after.streams.iter().map(|stream| stream.maturing(now))),
			contested: total(after.streams.iter().map(|stream| stream.contested)),
			closing: record.closed,
			payer: record.payer,
		})
	}

	/// What an account could settle as a payee, in the order of the escrows.
	pub(crate) fn claims_of(payee: &T::AccountId) -> Vec<Claim> {
		let now = T::Time::now();
		let escrows = PayeeEscrows::<T>::iter_key_prefix(payee);
		let claims = escrows.filter_map(|escrow| Self::claim(payee, escrow, now));
		let mut claims: Vec<_> =
			claims.filter(|claim| claim.claimable > 0 || claim.maturing > 0).take(MAX_CLAIMS).collect();
		claims.sort_by_key(|claim| claim.escrow);
		claims
	}

	fn claim(payee: &T::AccountId, escrow: EscrowId, now: Moment) -> Option<Claim> {
		let record = Escrows::<T>::get(escrow)?;
		let payments = Self::foresee(escrow, &record, now)?.payments;
		let mut claim = Claim { escrow, asset: record.asset, claimable: 0, maturing: 0 };
		for stream in record.streams.iter().filter(|stream| stream.payee == *payee) {
			let paid =
				payments.iter().find(|(id, _)| *id == stream.id).map_or(0, |(_, payment)| payment.paid);
			// Neither saturates: both are parts of what is held.
			claim.claimable = claim.claimable.saturating_add(paid);
			claim.maturing = claim.maturing.saturating_add(stream.maturing(now));
		}
		Some(claim)
	}

	/// What a `settle` now would leave.
	fn foresee(
		id: EscrowId,
		record: &EscrowRecord<T::AccountId>,
		now: Moment,
	) -> Option<Advanced<T::AccountId>> {
		with_transaction(|| {
			let advanced = Self::advance(id, record.clone(), now);
			TransactionOutcome::Rollback(Ok::<_, DispatchError>(advanced))
		})
		// Fails only within hundreds of transactions.
		.ok()
	}
}
