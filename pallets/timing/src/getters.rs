//! One `Get` adapter per length, to be named in the runtime's pallet configurations. Each reads the one stored record.

use crate::{Config, Timing};
use core::marker::PhantomData;
use frame_support::traits::Get;

macro_rules! getter {
	($(#[$doc:meta])* $name:ident -> $value:ty = |$timing:ident| $expression:expr) => {
		$(#[$doc])*
		pub struct $name<T>(PhantomData<T>);

		impl<T: Config> Get<$value> for $name<T> {
			fn get() -> $value {
				let $timing = Timing::<T>::get();
				$expression
			}
		}
	};
}

getter!(
	/// Length of a slot, in milliseconds.
	SlotMs -> u64 = |timing| timing.slot_ms
);
getter!(
	/// Half a slot, in milliseconds: the least time between two blocks' timestamps.
	MinimumPeriod -> u64 = |timing| timing.slot_ms / 2
);
getter!(
	/// Slots per session, as BABE counts them.
	SessionSlots -> u64 = |timing| u64::from(timing.session_slots)
);
getter!(
	/// Sessions per staking era.
	SessionsPerEra -> u32 = |timing| timing.sessions_per_era
);
getter!(
	/// Blocks per report of a provider that holds a lease.
	LeasedEpoch -> u32 = |timing| timing.leased_epoch_blocks
);
getter!(
	/// Blocks per report of a provider that holds none.
	IdleEpoch -> u32 = |timing| timing.idle_epoch_blocks
);
getter!(
	/// Epochs that may be missed before leases are suspended.
	GraceEpochs -> u32 = |timing| timing.grace_epochs
);
getter!(
	/// Longest time between two reports that still counts as attested: one epoch plus grace, in milliseconds.
	AbsenceWindow -> u64 = |timing| timing.absence_ms()
);
getter!(
	/// Time within which a provider has to be ready, in milliseconds.
	ReadyWithin -> u64 = |timing| timing.ready_within_ms
);
getter!(
	/// Time that a lease may stay suspended, in milliseconds.
	SuspendedFor -> u64 = |timing| timing.suspended_for_ms
);
getter!(
	/// Shortest term of a lease, in milliseconds.
	MinTerm -> u64 = |timing| timing.min_term_ms
);
getter!(
	/// Longest term of a lease, in milliseconds.
	MaxTerm -> u64 = |timing| timing.max_term_ms
);
getter!(
	/// Longest life of an ask, in milliseconds.
	MaxAskLifetime -> u64 = |timing| timing.max_ask_lifetime_ms
);
getter!(
	/// Longest time for which an order may wait, in milliseconds.
	MaxOrderLifetime -> u64 = |timing| timing.max_order_lifetime_ms
);
getter!(
	/// Longest auction, in blocks.
	MaxAuctionBlocks -> u32 = |timing| timing.max_auction_blocks
);
getter!(
	/// Shortest notice that a provider may promise, in milliseconds.
	MinReclaimNotice -> u64 = |timing| timing.min_reclaim_notice_ms
);
getter!(
	/// Longest notice that a provider may promise, in milliseconds.
	MaxReclaimNotice -> u64 = |timing| timing.max_reclaim_notice_ms
);
getter!(
	/// Time for which another provider is looked for, in milliseconds.
	FailoverWithin -> u64 = |timing| timing.failover_within_ms
);
getter!(
	/// Last part of a lease's funds that is spent frozen, in milliseconds.
	FrozenGrace -> u64 = |timing| timing.frozen_grace_ms
);
getter!(
	/// How long before it is frozen a lease's renter is warned, in milliseconds.
	LowBalanceWarning -> u64 = |timing| timing.low_balance_warning_ms
);
getter!(
	/// Time after a lease is ready within which it may be rejected, in milliseconds.
	AcceptanceWindow -> u64 = |timing| timing.acceptance_window_ms
);
getter!(
	/// Time within which what was earned may be contested, in milliseconds.
	ContestWindow -> u64 = |timing| timing.contest_window_ms
);
getter!(
	/// Time within which a contest is decided, in milliseconds.
	VerdictWindow -> u64 = |timing| timing.verdict_within_ms
);
getter!(
	/// Time within which a slash can be appealed, in milliseconds.
	SlashDeferral -> u64 = |timing| timing.slash_deferral_ms
);
getter!(
	/// Length of an epoch of a provider that holds a lease, in milliseconds.
	EpochMs -> u64 = |timing| timing.epoch_ms()
);
getter!(
	/// Blocks after which a miss can be judged: four epochs.
	JudgedWithin -> u32 = |timing| timing.leased_epoch_blocks.saturating_mul(4)
);
getter!(
	/// Length of a staking era, in milliseconds.
	EraMs -> u64 = |timing| timing.era_ms()
);
getter!(
	/// Time between asking for a bond and getting it, in milliseconds.
	UnbondingPeriod -> u64 = |timing| timing.unbonding_ms
);
getter!(
	/// Whether classes of CPUs may be created.
	ReferenceClassesAllowed -> bool = |timing| timing.reference_classes_allowed
);
