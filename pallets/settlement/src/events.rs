//! Events: every balance of an escrow can be rebuilt from them alone.

use frame_support::pallet_macros::pallet_section;

/// The pallet's events. Amounts are in the escrow's asset, bonds in plancks, and are what has really moved.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// Funds were put on hold for a new escrow.
		EscrowOpened {
			/// Which escrow.
			escrow: EscrowId,
			/// Whose funds are held.
			payer: T::AccountId,
			/// What they are in.
			asset: Asset,
			/// Now held.
			amount: Balance,
			/// Share of each payment that is the fee.
			fee_rate: Permill,
		},
		/// More funds were put on hold.
		ToppedUp {
			/// Which escrow.
			escrow: EscrowId,
			/// Added to the hold.
			amount: Balance,
		},
		/// Funds that nobody has earned, or that were taken back, were given to the payer.
		Refunded {
			/// Which escrow.
			escrow: EscrowId,
			/// Moved from the hold to the payer's free balance.
			amount: Balance,
		},
		/// An account can earn from now on.
		StreamAdded {
			/// Which escrow.
			escrow: EscrowId,
			/// The new stream.
			stream: StreamId,
			/// Who earns.
			payee: T::AccountId,
			/// Earned per second.
			rate: Balance,
		},
		/// A stream earns no more.
		StreamEnded {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
		},
		/// Attested time was added.
		Accrued {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Milliseconds added. Less than was attested when the escrow does not fund more.
			ms: u64,
			/// Earned by them. Nothing has moved yet.
			amount: Balance,
		},
		/// What was due of a stream was moved out of the hold.
		Settled {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Who was paid.
			payee: T::AccountId,
			/// Received by the payee.
			paid: Balance,
			/// Received by the fee's sink.
			fee: Balance,
		},
		/// What is due could not be moved. It is still owed.
		PaymentDeferred {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Still owed, with the fee.
			amount: Balance,
			/// Why it could not be moved.
			cause: DispatchError,
		},
		/// There is nothing else left to do for the escrow, and the payee's account does not take so little: it is part of the
		/// refund.
		PaymentReturned {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Was owed, with the fee.
			amount: Balance,
		},
		/// What is the payer's again could not be moved. It stays on hold, and is tried again when the escrow is closed.
		RefundDeferred {
			/// Which escrow.
			escrow: EscrowId,
			/// Still held.
			amount: Balance,
			/// Why it could not be moved.
			cause: DispatchError,
		},
		/// There is nothing else left to do for the escrow, and the payer's account does not take so little: the fee's sink got
		/// it.
		RemainderCollected {
			/// Which escrow.
			escrow: EscrowId,
			/// Received by the fee's sink. The receipt counts it as fee.
			amount: Balance,
		},
		/// All that was earned and not paid is the payer's again. It is still on hold.
		Voided {
			/// Which escrow.
			escrow: EscrowId,
			/// No longer owed.
			amount: Balance,
		},
		/// The payer objects to a part of what a stream earned. It waits for a verdict.
		Contested {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// What is contested.
			amount: Balance,
			/// Held of the payer, in plancks.
			bond: Balance,
			/// BLAKE3 hash of what the payer shows.
			evidence: BlobHash,
		},
		/// There is a verdict. What follows from it is paid and refunded with events of its own.
		ContestResolved {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Due to the payee, with the fee.
			to_payee: Balance,
			/// The payer's again.
			to_payer: Balance,
			/// No longer held of the payer, in plancks.
			bond: Balance,
			/// Whether the payee received the bond; otherwise the payer has it back.
			bond_lost: bool,
		},
		/// There was no verdict in time: all that was contested is due.
		ContestLapsed {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Due to the payee, with the fee.
			amount: Balance,
			/// Given back to the payer, in plancks.
			bond: Balance,
		},
		/// What was contested was taken back without a verdict.
		ContestDropped {
			/// Which escrow.
			escrow: EscrowId,
			/// Which stream.
			stream: StreamId,
			/// Given back to the payer, in plancks.
			bond: Balance,
		},
		/// The lease is over: all streams have ended. Not everything could be moved yet.
		EscrowClosing {
			/// Which escrow.
			escrow: EscrowId,
			/// Earned, and waiting for the contest window or for a verdict.
			pending: Balance,
		},
		/// The receipt: every flow of an escrow over its life. `paid + fee + refunded == deposited`.
		EscrowClosed {
			/// Which escrow.
			escrow: EscrowId,
			/// Whose funds were held.
			payer: T::AccountId,
			/// What they were in.
			asset: Asset,
			/// Put on hold.
			deposited: Balance,
			/// Received by payees.
			paid: Balance,
			/// Received by the fee's sink.
			fee: Balance,
			/// Given back to the payer.
			refunded: Balance,
			/// Milliseconds that were attested and funded, of all streams together.
			attested_ms: u64,
		},
		/// Leases may be paid in this asset from now on.
		AssetAllowed {
			/// Number of the asset.
			asset: u32,
		},
		/// No new lease may be paid in this asset. Running ones keep theirs.
		AssetDisallowed {
			/// Number of the asset.
			asset: u32,
		},
	}
}
