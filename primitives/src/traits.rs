//! The traits through which pallets know each other. Each is implemented by the lower pallet and used by the one above.

use crate::{
	Asset, BlobHash, Checkpoint, ClassId, EscrowId, GpuClass, GpuHealth, GpuIndex, GpuState, JobId,
	JobOutcome, LeaseId, LeaseStatus, LeaseUsage, Moment, NodeIndex, NodeStatus, ProviderFacts, StreamId,
};
use alloc::vec::Vec;
use sp_runtime::{DispatchError, DispatchResult};

/// Reads of the registry. Implemented by `pallet-providers`.
pub trait ProviderInspect<AccountId, Balance> {
	/// The provider whose worker this account is.
	fn provider_of(worker: &AccountId) -> Option<AccountId>;

	/// Whether the account is a registered provider.
	fn is_registered(provider: &AccountId) -> bool;

	/// Whether its reports arrive.
	fn is_reporting(provider: &AccountId) -> bool;

	/// What matching needs to know of a provider; `None` if it is not registered.
	fn facts(provider: &AccountId) -> Option<ProviderFacts<AccountId>>;

	/// What governance says of a class.
	fn class(class: ClassId) -> Option<GpuClass<Balance>>;

	/// Number of the provider's GPUs of this class that can be leased: healthy, not leased, and covered by free bond.
	fn free_gpus(provider: &AccountId, class: ClassId) -> u32;

	/// Number of the provider's GPUs of this class, in any state.
	fn registered_gpus(provider: &AccountId, class: ClassId) -> u32;

	/// Class, UUID hash and state of one GPU.
	fn gpu(provider: &AccountId, gpu: GpuIndex) -> Option<(ClassId, sp_core::H256, GpuState)>;

	/// All GPUs of the provider in the order of their indices; at most [`crate::MAX_GPUS_PER_PROVIDER`].
	fn gpus(provider: &AccountId) -> Vec<GpuIndex>;

	/// How many of these GPUs the last report did not call healthy. Counts leased ones only.
	fn lost_gpus(provider: &AccountId, gpus: &[GpuIndex]) -> u32;

	/// Capacity of the provider's GPUs that can be leased now, in the units of their classes.
	fn idle_units(provider: &AccountId) -> u64;

	/// Part of the provider's bond that is locked for its leases, in plancks.
	fn lease_bonds(provider: &AccountId) -> Balance;

	/// Part of the provider's bond that is locked for this lease, in plancks.
	fn lease_bond(provider: &AccountId, lease: LeaseId) -> Balance;
}

/// How a provider's part in a lease ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ServiceOutcome {
	/// It served until the end.
	Completed,
	/// It was not ready in time, went dark, or left.
	Faulted,
	/// The renter did not accept what it got.
	Rejected,
}

/// Reserving GPUs for leases. Implemented by `pallet-providers`, used by `pallet-leases` alone.
pub trait GpuReservation<AccountId, Balance> {
	/// Takes `count` healthy free GPUs of the class, lowest index first, for the lease, and locks their minimum bond as the lease
	/// bond. All or nothing.
	fn reserve(
		provider: &AccountId,
		class: ClassId,
		count: u32,
		lease: LeaseId,
	) -> Result<Vec<GpuIndex>, DispatchError>;

	/// Gives the lease's GPUs back and unlocks the lease bond. A GPU that is lost goes into quarantine. GPUs that serve another
	/// lease are left alone, so a second call does no harm.
	fn release(provider: &AccountId, gpus: &[GpuIndex], lease: LeaseId);

	/// Remembers how the provider's part in a lease ended, for its reputation.
	fn record_outcome(provider: &AccountId, outcome: ServiceOutcome);

	/// Moves up to `amount` plancks of the provider's bond to the renter, for leaving early. The bond of `gpus` GPUs
	/// of the class is the lease bond; at most a fifth of it is taken. Returns the plancks that moved.
	fn leaving_penalty(
		provider: &AccountId,
		class: ClassId,
		gpus: u32,
		amount: Balance,
		renter: &AccountId,
	) -> Result<Balance, DispatchError>;
}

/// Standing of a provider. Implemented by `pallet-providers`, used by `pallet-attestation` alone.
pub trait ProviderLiveness<AccountId> {
	/// Its reports arrive. Returns whether that is news.
	fn mark_live(provider: &AccountId) -> bool;

	/// Its reports stopped: its GPUs are no longer offered. Returns whether that is news.
	fn mark_stale(provider: &AccountId) -> bool;

	/// Takes over what a report says about GPUs. A leased GPU stays with its lease; whether it is lost is noted. Returns whether
	/// what the provider can offer changed since the last report.
	fn update_health(provider: &AccountId, health: &[GpuHealth]) -> bool;

	/// Counts epochs of reports towards the provider's uptime: how many there were, and how many of them were attested. With
	/// `idle_since` it served no lease since that time, so that announced maintenance is not held against it.
	fn record_epochs(
		provider: &AccountId,
		expected: u32,
		attested: u32,
		idle_since: Option<Moment>,
		now: Moment,
	);
}

/// What an accrual did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Accrued<Balance> {
	/// Milliseconds that were counted: fewer than attested when the escrow does not fund more.
	pub ms: u64,
	/// Added to what the payee is owed.
	pub amount: Balance,
}

/// What the close of an escrow did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Closing<Balance> {
	/// Given back to the payer now.
	pub refunded: Balance,
	/// Still held: it was earned, and waits for the contest window or for a verdict.
	pub pending: Balance,
	/// Time attested by all streams together, in milliseconds.
	pub attested_ms: u64,
	/// When to call [`Escrow::finish`] next; `None` if the escrow is gone.
	pub next: Option<Moment>,
	/// Payees that are still to be paid; at most [`crate::MAX_STREAMS`].
	pub streams: u32,
}

/// Money of a lease: a hold in the renter's own account, earned by one stream per provider. Implemented by
/// `pallet-settlement`, used by `pallet-leases` alone. Each function is all or nothing by itself.
pub trait Escrow<AccountId, Balance> {
	/// Whether leases may be paid in this asset.
	fn is_allowed(asset: Asset) -> bool;

	/// Whether the payer can hold that much.
	fn can_hold(asset: Asset, payer: &AccountId, amount: Balance) -> bool;

	/// Holds `deposit` of the payer's, for nobody yet.
	fn open(id: EscrowId, payer: &AccountId, asset: Asset, deposit: Balance) -> DispatchResult;

	/// Holds `amount` more of the payer's.
	fn top_up(id: EscrowId, amount: Balance) -> DispatchResult;

	/// Gives `amount` of what nobody has earned back to the payer.
	fn withdraw(id: EscrowId, amount: Balance) -> DispatchResult;

	/// Adds a payee that earns at `rate` a second.
	fn add_stream(id: EscrowId, payee: &AccountId, rate: Balance) -> Result<StreamId, DispatchError>;

	/// Adds attested time to a stream: `rate x ms / 1000` rounded down over the stream's whole life, never above what
	/// is held and not earned.
	fn accrue(id: EscrowId, stream: StreamId, ms: u64) -> Result<Accrued<Balance>, DispatchError>;

	/// The stream earns no more. What it earned is paid when it has outlived the contest window.
	fn end_stream(id: EscrowId, stream: StreamId) -> DispatchResult;

	/// What is held and not earned; `None` if there is no such escrow.
	fn free(id: EscrowId) -> Option<Balance>;

	/// Takes back all that was earned and not paid yet. Returns how much that was.
	fn void(id: EscrowId) -> Result<Balance, DispatchError>;

	/// Ends all streams, pays what has outlived the contest window, and gives back what nobody earned. Money that
	/// cannot move does not stand in the way: it stays held and is tried again by [`Self::finish`].
	fn close(id: EscrowId) -> Result<Closing<Balance>, DispatchError>;

	/// Pays what has outlived the contest window of a closed escrow. With nothing left it writes the receipt and
	/// forgets the escrow. Returns when to call it next; `None` if the escrow is gone.
	fn finish(id: EscrowId) -> Result<Option<Moment>, DispatchError>;
}

/// A node of a lease, as its provider serves it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServedNode {
	/// Its number within the lease.
	pub node: NodeIndex,
	/// Where it stands. Never `Faulted`.
	pub status: NodeStatus,
	/// Its GPUs.
	pub gpus: Vec<GpuIndex>,
	/// When it was attested last (or assigned), in milliseconds; when its lease became ready, if that was later.
	pub attested_at: Moment,
	/// When all nodes of its lease were first attested, in milliseconds: billing starts there.
	pub ready_at: Option<Moment>,
}

/// A job without a result.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct OpenJob {
	/// Its number within the lease.
	pub job: JobId,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// When it was submitted, in milliseconds.
	pub submitted_at: Moment,
	/// Where it can go on.
	pub checkpoint: Option<Checkpoint>,
}

/// Reads of leases. Implemented by `pallet-leases`. A provider serves at most one node of a lease.
pub trait LeaseInspect<AccountId> {
	/// The leases that the provider serves, in the order of their numbers; at most
	/// [`crate::MAX_LEASES_PER_PROVIDER`].
	fn leases_of(provider: &AccountId) -> Vec<LeaseId>;

	/// Number of the leases that the provider serves.
	fn lease_count(provider: &AccountId) -> u32;

	/// Where a lease stands.
	fn status(lease: LeaseId) -> Option<LeaseStatus>;

	/// The node of the lease that the provider serves.
	fn served_node(lease: LeaseId, provider: &AccountId) -> Option<ServedNode>;

	/// Jobs without a result of the node that the provider serves, oldest first.
	fn open_jobs(lease: LeaseId, provider: &AccountId) -> Vec<OpenJob>;

	/// Whether the job exists on the node that the provider serves: `Some(true)` if it has no result yet.
	fn job_is_open(lease: LeaseId, job: JobId, provider: &AccountId) -> Option<bool>;
}

/// Effects of reports and of absence on leases. Implemented by `pallet-leases`, used by `pallet-attestation` alone.
pub trait LeaseAttestation<AccountId> {
	/// The provider's worker attests that it serves its node of the lease now, with the health of the provider's GPUs as
	/// given. With all GPUs of the node healthy: a pending or suspended node becomes active, an active one accrues the
	/// time since its last attestation, unless that is longer than `max_interval_ms`: then service restarts here.
	/// With one of them missing or unhealthy the node is not attested. A checkpoint of an open job of the node is kept.
	fn attest(
		provider: &AccountId,
		usage: &LeaseUsage,
		healthy: &[GpuIndex],
		now: Moment,
		max_interval_ms: u64,
	) -> DispatchResult;

	/// The provider's node is not served: it is suspended if it was, and if it was suspended already, the epochs since are
	/// counted as faults. Otherwise it is left as it is.
	fn count_miss(lease: LeaseId, provider: &AccountId, now: Moment) -> DispatchResult;

	/// Records a job's outcome.
	fn finish_job(lease: LeaseId, job: JobId, outcome: JobOutcome) -> DispatchResult;

	/// The provider's standing or the health of its GPUs has changed: its asks enter or leave the book.
	fn capacity_changed(provider: &AccountId);
}

/// Rewards for being available. Implemented by `pallet-rewards`, used by `pallet-attestation` alone.
pub trait IdleRewards<AccountId> {
	/// A provider that serves no lease has reported for an idle epoch in time.
	fn note_idle_epoch(provider: &AccountId);
}

/// Nobody is rewarded.
impl<AccountId> IdleRewards<AccountId> for () {
	fn note_idle_epoch(_: &AccountId) {}
}
