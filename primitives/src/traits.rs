//! The traits through which pallets know each other. Each is implemented by the lower pallet and used by the one above.

use crate::{
	BlobHash, ClassId, EscrowId, GpuClass, GpuHealth, GpuIndex, GpuState, JobId, JobOutcome, LeaseId,
	LeaseStatus, LeaseUsage, Moment,
};
use alloc::vec::Vec;
use sp_runtime::{DispatchError, DispatchResult};

/// Reads of the registry. Implemented by `pallet-providers`.
pub trait ProviderInspect<AccountId, Balance> {
	/// The provider whose worker this account is.
	fn provider_of(worker: &AccountId) -> Option<AccountId>;

	/// Whether the account is a registered provider.
	fn is_registered(provider: &AccountId) -> bool;

	/// Whether the provider's reports arrive, so that its GPUs may be leased.
	fn is_live(provider: &AccountId) -> bool;

	/// What governance says of a class.
	fn class(class: ClassId) -> Option<GpuClass<Balance>>;

	/// Number of the provider's GPUs of this class that are healthy and not leased.
	fn free_gpus(provider: &AccountId, class: ClassId) -> u32;

	/// Number of the provider's GPUs of this class, in any state.
	fn registered_gpus(provider: &AccountId, class: ClassId) -> u32;

	/// Class, UUID hash and state of one GPU.
	fn gpu(provider: &AccountId, gpu: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)>;

	/// All GPUs of the provider in the order of their indices; at most [`crate::MAX_GPUS_PER_PROVIDER`].
	fn gpus(provider: &AccountId) -> Vec<GpuIndex>;
}

/// Reserving GPUs for leases. Implemented by `pallet-providers`, used by `pallet-leases` alone.
pub trait GpuReservation<AccountId> {
	/// Takes `count` healthy free GPUs of the class, lowest index first, for the lease. All or nothing.
	fn reserve(
		provider: &AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError>;

	/// Gives the lease's GPUs back. GPUs that serve another lease are left alone, so a second call does no harm.
	fn release(provider: &AccountId, gpus: &[GpuIndex], lease: LeaseId);
}

/// Standing of a provider. Implemented by `pallet-providers`, used by `pallet-attestation` alone.
pub trait ProviderLiveness<AccountId> {
	/// Its reports arrive. Returns whether that is news.
	fn mark_live(provider: &AccountId) -> bool;

	/// Its reports stopped: its GPUs are no longer offered. Returns whether that is news.
	fn mark_stale(provider: &AccountId) -> bool;

	/// Takes over what a report says about free and faulty GPUs. A leased GPU's state is left to its lease.
	fn update_health(provider: &AccountId, health: &[GpuHealth]);
}

/// What an accrual did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Accrued<Balance> {
	/// Added to what the payee is owed, in plancks.
	pub amount: Balance,
	/// The escrow cannot pay for another second.
	pub exhausted: bool,
}

/// Every flow of an escrow, at its end. `paid + fee + refunded == deposited`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Receipt<Balance> {
	/// Held over the escrow's life, in plancks.
	pub deposited: Balance,
	/// Received by the payee.
	pub paid: Balance,
	/// Received by the fee's sink.
	pub fee: Balance,
	/// Given back to the payer.
	pub refunded: Balance,
	/// Attested time, in milliseconds.
	pub attested_ms: u64,
}

/// Money of a lease: a hold in the renter's own account. Implemented by `pallet-settlement`, used by `pallet-leases` alone.
pub trait Escrow<AccountId, Balance> {
	/// Holds `deposit` of the payer's free balance. `rate` is in plancks per second.
	/// Returns the time for which it pays, in milliseconds.
	fn open(
		id: EscrowId,
		payer: &AccountId,
		payee: &AccountId,
		rate: Balance,
		deposit: Balance,
	) -> Result<u64, DispatchError>;

	/// Holds `amount` more of the payer's. Returns the time that is now paid for but not yet accrued, in milliseconds.
	fn top_up(id: EscrowId, amount: Balance) -> Result<u64, DispatchError>;

	/// Adds attested time: `rate x ms / 1000` rounded down over the escrow's whole life, never above what is held.
	fn accrue(id: EscrowId, ms: u64) -> Result<Accrued<Balance>, DispatchError>;

	/// Time that is paid for but not yet accrued, in milliseconds.
	fn funded_ms(id: EscrowId) -> Option<u64>;

	/// Pays what is owed, gives the rest back, writes the receipt and forgets the escrow.
	fn close(id: EscrowId) -> Result<Receipt<Balance>, DispatchError>;
}

/// Reads of leases. Implemented by `pallet-leases`.
pub trait LeaseInspect<AccountId> {
	/// The provider's leases in the order of their numbers; at most [`crate::MAX_LEASES_PER_PROVIDER`].
	fn leases_of(provider: &AccountId) -> Vec<LeaseId>;

	/// Number of the provider's leases.
	fn lease_count(provider: &AccountId) -> u32;

	/// The provider of a lease, and where the lease stands.
	fn lease(lease: LeaseId) -> Option<(AccountId, LeaseStatus)>;

	/// When the lease was attested last (or opened), in milliseconds.
	fn attested_at(lease: LeaseId) -> Option<Moment>;

	/// GPUs of a lease.
	fn gpus(lease: LeaseId) -> Vec<GpuIndex>;

	/// Jobs of a lease without a result, oldest first: number, plan, time of submission.
	fn open_jobs(lease: LeaseId) -> Vec<(JobId, BlobHash, Moment)>;

	/// Whether the job exists: `Some(true)` if it has no result yet.
	fn job_is_open(lease: LeaseId, job: JobId) -> Option<bool>;
}

/// Effects of reports and of absence on leases. Implemented by `pallet-leases`, used by `pallet-attestation` alone.
pub trait LeaseAttestation<AccountId> {
	/// The provider's worker attests that it serves the lease now, with the health of the provider's GPUs as given.
	/// With all GPUs of the lease healthy: a pending or suspended lease becomes active, an active one accrues the time since
	/// its last attestation, unless that is longer than `max_interval_ms`: then service restarts here.
	/// With one of them missing or unhealthy the lease is not attested.
	fn attest(usage: &LeaseUsage, healthy: &[GpuIndex], now: Moment, max_interval_ms: u64) -> DispatchResult;

	/// The provider missed its reports: an active lease is suspended. Other leases are left as they are.
	fn suspend(lease: LeaseId, now: Moment) -> DispatchResult;

	/// Records a job's outcome.
	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult;
}
