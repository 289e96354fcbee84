//! Events: what is held for each slash, and where it went, can be rebuilt from them alone.

use frame_support::pallet_macros::pallet_section;

/// The pallet's events. Amounts are in plancks, and are what has really moved.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A node is not served. Its faults are counted from now on.
		EpisodeBegan {
			/// The new slash.
			slash: SlashId,
			/// Who should serve the node.
			provider: T::AccountId,
			/// The lease.
			lease: LeaseId,
			/// Who is compensated first.
			renter: T::AccountId,
			/// Why, to begin with.
			cause: SlashCause,
		},
		/// What a fault costs was put on hold.
		FaultCounted {
			/// Which slash.
			slash: SlashId,
			/// Whose bond.
			provider: T::AccountId,
			/// Why.
			cause: SlashCause,
			/// The epoch in which it was found.
			epoch: FaultEpoch,
			/// Epochs that were missed.
			epochs: u32,
			/// GPUs that were dark.
			dark_gpus: u32,
			/// GPUs of the node.
			gpus: u32,
			/// Moved from the bond to the hold. Less than the fault costs if a limit is reached, or the bond is used up.
			amount: Balance,
			/// Now on hold for the slash.
			held: Balance,
		},
		/// As many faults wait for judgement as can: the chain is too busy to judge. This one costs nothing.
		FaultNotCounted {
			/// Which slash.
			slash: SlashId,
			/// Who should have served the node.
			provider: T::AccountId,
			/// The epoch in which it was found.
			epoch: FaultEpoch,
		},
		/// A fault turned out to be nobody's: what was held for it is bond again.
		FaultExcused {
			/// Which slash.
			slash: SlashId,
			/// Whose bond.
			provider: T::AccountId,
			/// The epoch in which it was found.
			epoch: FaultEpoch,
			/// Whose fault it was instead.
			excuse: Excuse,
			/// Moved from the hold to the bond.
			amount: Balance,
		},
		/// The node is served again, or is not the provider's any more. The provider can appeal.
		EpisodeEnded {
			/// Which slash.
			slash: SlashId,
			/// On hold for it.
			held: Balance,
			/// When it is paid out, in milliseconds since the Unix epoch.
			executes_at: Moment,
		},
		/// Nothing is left on hold for a slash: it is forgotten.
		SlashDropped {
			/// Which slash.
			slash: SlashId,
			/// Whose it was.
			provider: T::AccountId,
			/// Bond of an appeal that was given back.
			bond: Balance,
		},
		/// The council found an offence. The provider can appeal.
		Condemned {
			/// The new slash.
			slash: SlashId,
			/// Whose bond.
			provider: T::AccountId,
			/// What was found.
			offence: Offence,
			/// Class of the GPUs that it is about.
			class: ClassId,
			/// How many they are.
			gpus: u32,
			/// Share of their bond that it costs.
			share: Permill,
			/// Moved from the bond to the hold. Less than the offence costs if no more is at stake.
			amount: Balance,
			/// Who is compensated first, and up to how much.
			renter: Option<(T::AccountId, Balance)>,
			/// When it is paid out, in milliseconds since the Unix epoch.
			executes_at: Moment,
			/// BLAKE3 hash of what the council saw.
			evidence: BlobHash,
		},
		/// The provider appealed. The council can decide.
		Appealed {
			/// Which slash.
			slash: SlashId,
			/// Whose it is.
			provider: T::AccountId,
			/// Put on hold for the appeal.
			bond: Balance,
			/// BLAKE3 hash of what the provider shows.
			evidence: BlobHash,
			/// When the slash is paid out if the council has not decided, in milliseconds since the Unix epoch.
			lapses_at: Moment,
		},
		/// The council did not decide in time: the slash is paid out.
		AppealLapsed {
			/// Which slash.
			slash: SlashId,
			/// Bond of the appeal that was given back.
			bond: Balance,
		},
		/// The council decided.
		Resolved {
			/// Which slash.
			slash: SlashId,
			/// What it decided.
			verdict: Verdict,
			/// Paid out at once, with an event of its own.
			executed: Balance,
			/// Moved from the hold to the bond.
			returned: Balance,
			/// No longer held for an appeal.
			bond: Balance,
			/// Whether the insurance pool received that bond; otherwise the provider has it back.
			bond_lost: bool,
		},
		/// A slash was paid out.
		SlashExecuted {
			/// Which slash.
			slash: SlashId,
			/// Who paid.
			provider: T::AccountId,
			/// The lease that was not served.
			lease: Option<LeaseId>,
			/// Who was to be compensated.
			renter: Option<T::AccountId>,
			/// Received by the renter.
			to_renter: Balance,
			/// Received by the insurance pool.
			to_insurance: Balance,
			/// Received by the treasury.
			to_treasury: Balance,
		},
		/// The insurance pool paid.
		InsurancePaid {
			/// Who received it.
			to: T::AccountId,
			/// How much.
			amount: Balance,
		},
		/// Something happened that the pallets' own rules exclude. Please report it.
		Unexpected {
			/// The slash that it is about.
			slash: SlashId,
			/// What.
			kind: UnexpectedKind,
		},
	}
}
