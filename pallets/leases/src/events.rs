//! Events: what an indexer needs to follow every ask, lease and job without reading storage.

use frame_support::pallet_macros::pallet_section;

/// The pallet's events.
#[pallet_section]
mod events {
	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A provider offers GPUs.
		AskPosted {
			/// The new ask.
			ask: AskId,
			/// Who offers.
			provider: T::AccountId,
			/// Class of the GPUs.
			class: ClassId,
			/// Most GPUs leased through it at a time.
			gpus: u32,
			/// Price in plancks per GPU and second.
			price: Balance,
			/// Shortest term, in milliseconds.
			min_term_ms: u64,
			/// Longest term, in milliseconds.
			max_term_ms: u64,
			/// When it ends by itself, in milliseconds.
			expires_at: Moment,
			/// Held of the provider, in plancks.
			deposit: Balance,
		},
		/// A provider took its offer back. Leases from it stay.
		AskWithdrawn {
			/// The ask that is gone.
			ask: AskId,
			/// Whose it was.
			provider: T::AccountId,
			/// Released to the provider, in plancks.
			deposit: Balance,
		},
		/// An offer's time is over. Leases from it stay.
		AskExpired {
			/// The ask that is gone.
			ask: AskId,
			/// Whose it was.
			provider: T::AccountId,
			/// Released to the provider, in plancks.
			deposit: Balance,
		},
		/// A renter placed an order; it was matched at once.
		OrderPlaced {
			/// The order.
			order: OrderId,
			/// Who ordered.
			renter: T::AccountId,
			/// What was ordered.
			terms: OrderTerms,
		},
		/// A lease begins: GPUs are reserved and the deposit is held.
		LeaseOpened {
			/// The new lease.
			lease: LeaseId,
			/// The order that it fills.
			order: OrderId,
			/// Who pays.
			renter: T::AccountId,
			/// Who serves.
			provider: T::AccountId,
			/// The ask that it was taken from.
			ask: AskId,
			/// Class of the GPUs.
			class: ClassId,
			/// The GPUs.
			gpus: Vec<millrace_primitives::GpuIndex>,
			/// Price in plancks per GPU and second.
			price: Balance,
			/// Price of all its GPUs, in plancks per second.
			rate: Balance,
			/// Held of the renter, in plancks.
			deposit: Balance,
			/// Time that the deposit pays for, in milliseconds.
			funded_ms: u64,
		},
		/// All GPUs of a lease were attested for the first time: billing starts.
		LeaseReady {
			/// The lease.
			lease: LeaseId,
			/// Time since it was opened, in milliseconds.
			after_ms: u64,
			/// When its term ends, in milliseconds since the Unix epoch.
			ends_at: Moment,
		},
		/// A report attested a lease.
		LeaseAttested {
			/// The lease.
			lease: LeaseId,
			/// Attested time that this adds to the bill, in milliseconds.
			ms: u64,
			/// Time during which a kernel was running, as the worker claims, in milliseconds.
			busy_ms: u32,
			/// New head of the lease's hash chain of usage.
			usage_chain: Hash,
		},
		/// The provider missed its reports: nothing is billed until it is back.
		LeaseSuspended {
			/// The lease.
			lease: LeaseId,
			/// Last attestation, in milliseconds since the Unix epoch: time after it is not billed.
			attested_at: Moment,
		},
		/// The provider of a suspended lease is back.
		LeaseResumed {
			/// The lease.
			lease: LeaseId,
			/// Time since its last attestation, in milliseconds; it is not billed.
			dark_ms: u64,
		},
		/// The renter made the term longer.
		LeaseExtended {
			/// The lease.
			lease: LeaseId,
			/// Added to the term, in milliseconds.
			extra_ms: u64,
			/// Held in addition, in plancks.
			amount: Balance,
			/// The new end in milliseconds since the Unix epoch, if the lease is ready.
			ends_at: Option<Moment>,
		},
		/// The renter wants a plan to be run.
		JobSubmitted {
			/// The lease.
			lease: LeaseId,
			/// Number of the job.
			job: JobId,
			/// BLAKE3 hash of the plan.
			plan: BlobHash,
		},
		/// A job has a result.
		JobFinished {
			/// The lease.
			lease: LeaseId,
			/// Number of the job.
			job: JobId,
			/// How it ended.
			outcome: JobOutcome,
		},
		/// A lease is over. `paid + fee + refunded == deposited`.
		LeaseClosed {
			/// The lease.
			lease: LeaseId,
			/// Why.
			reason: CloseReason,
			/// When billing started, if it did, in milliseconds since the Unix epoch.
			ready_at: Option<Moment>,
			/// Attested time, in milliseconds.
			attested_ms: u64,
			/// Held of the renter over the lease's life, in plancks.
			deposited: Balance,
			/// Received by the provider, in plancks.
			paid: Balance,
			/// Received by the fee's sink, in plancks.
			fee: Balance,
			/// Given back to the renter, in plancks.
			refunded: Balance,
		},
		/// Something happened that the pallet's own rules exclude. No money was moved by it. Please report
		/// it.
		Unexpected {
			/// What.
			kind: UnexpectedKind,
		},
	}
}
