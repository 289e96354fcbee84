//! Records that this pallet stores.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::BoundedVec;
use millrace_primitives::{
	AskId, Balance, BlobHash, BlockNumber, ClassId, GpuIndex, Hash, JobId, JobOutcome, LeaseId, LeaseStatus,
	Moment, OrderId, MAX_GPUS_PER_PROVIDER,
};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, DispatchError};

/// Most GPUs of one lease: all of a provider's.
pub const MAX_GPUS_PER_LEASE: u32 = MAX_GPUS_PER_PROVIDER;
/// Most jobs kept for one lease, with and without a result.
pub const MAX_JOBS_PER_LEASE: u32 = 32;
/// Most asks that one order looks at, cheapest first.
pub const MAX_ASKS_LOOKED_AT: u32 = 16;
/// Most asks of one provider at a time.
pub const MAX_ASKS_PER_PROVIDER: u32 = 16;

/// GPUs of a lease, lowest index first.
pub type LeasedGpus = BoundedVec<GpuIndex, ConstU32<MAX_GPUS_PER_LEASE>>;

/// A standing offer of one provider.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Ask<AccountId> {
	/// Who offers.
	pub provider: AccountId,
	/// Class of the GPUs.
	pub class: ClassId,
	/// Most GPUs that may be leased through this ask at a time.
	pub gpus: u32,
	/// How many of them are not leased at the moment. The ask stands in the book while this is above zero.
	pub left: u32,
	/// Price in plancks per GPU and second.
	pub price: Balance,
	/// Shortest term, in milliseconds.
	pub min_term_ms: u64,
	/// Longest term, extensions included, in milliseconds.
	pub max_term_ms: u64,
	/// When it was posted.
	pub posted_at: Moment,
	/// When it ends by itself.
	pub expires_at: Moment,
	/// Held of the provider while the ask stands, in plancks.
	pub deposit: Balance,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// An [`Ask`] of this runtime.
pub type AskOf<T> = Ask<<T as frame_system::Config>::AccountId>;

/// Place of an ask in the book of its class: price, then age. The bytes are big-endian, so that their order
/// is that of the numbers and iteration over the storage needs no sorting.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct BookKey([u8; 24]);

impl BookKey {
	/// Place of an ask with this price.
	pub fn new(price: Balance, ask: AskId) -> Self {
		let mut bytes = [0; 24];
		let (high, low) = bytes.split_at_mut(16);
		high.copy_from_slice(&price.to_be_bytes());
		low.copy_from_slice(&ask.0.to_be_bytes());
		Self(bytes)
	}

	/// The ask.
	pub fn ask(&self) -> AskId {
		let mut low = [0; 8];
		low.copy_from_slice(&self.0[16..]);
		AskId(u64::from_be_bytes(low))
	}

	/// Its price, in plancks per GPU and second.
	pub fn price(&self) -> Balance {
		let mut high = [0; 16];
		high.copy_from_slice(&self.0[..16]);
		Balance::from_be_bytes(high)
	}
}

/// What a renter wants.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct OrderTerms {
	/// Class of the GPUs.
	pub class: ClassId,
	/// How many, of one provider: all or nothing.
	pub gpus: u32,
	/// Highest price accepted, in plancks per GPU and second.
	pub max_price: Balance,
	/// Term, in milliseconds, counted from the moment when the GPUs are ready.
	pub term_ms: u64,
}

/// A lease. It is stored while it is not closed; its `status` is never [`LeaseStatus::Closed`].
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Lease<AccountId> {
	/// The order that it fills.
	pub order: OrderId,
	/// Who pays.
	pub renter: AccountId,
	/// Who serves.
	pub provider: AccountId,
	/// The ask that it was taken from. That may be gone by now.
	pub ask: AskId,
	/// Class of its GPUs.
	pub class: ClassId,
	/// Its GPUs.
	pub gpus: LeasedGpus,
	/// Price in plancks per GPU and second, for life.
	pub price: Balance,
	/// Where it stands.
	pub status: LeaseStatus,
	/// When it was opened.
	pub opened_at: Moment,
	/// When its GPUs were attested first: billing starts there.
	pub ready_at: Option<Moment>,
	/// When it was attested last; before that, when it was opened.
	pub attested_at: Moment,
	/// Term, in milliseconds.
	pub term_ms: u64,
	/// Longest term that the ask allowed, in milliseconds.
	pub max_term_ms: u64,
	/// `ready_at + term_ms`.
	pub ends_at: Option<Moment>,
	/// How often the lease moved to another provider.
	pub generation: u32,
	/// Number of its next job.
	pub next_job: JobId,
	/// Jobs without a result.
	pub open_jobs: u32,
	/// Jobs with a result that are still stored.
	pub finished_jobs: u32,
	/// Hash chain over every accepted attestation: BLAKE2b-256 of (previous hash, usage, time).
	pub usage_chain: Hash,
	/// Block of its entry in the agenda.
	pub due: BlockNumber,
}

/// A [`Lease`] of this runtime.
pub type LeaseOf<T> = Lease<<T as frame_system::Config>::AccountId>;

impl<AccountId> Lease<AccountId> {
	/// Whether its term is over at this time. The agenda closes it soon after; nothing new is started in
	/// between.
	pub fn is_over(&self, now: Moment) -> bool {
		self.ends_at.is_some_and(|end| end <= now)
	}

	/// Price of all its GPUs in plancks per second; `None` on overflow.
	pub fn rate(&self) -> Option<Balance> {
		// At most MAX_GPUS_PER_LEASE, so the conversion keeps the number.
		millrace_math::rate(self.price, self.gpus.len() as u32)
	}
}

/// A job of a lease.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Job {
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// When it was submitted.
	pub submitted_at: Moment,
	/// How it ended; `None` while it has no result.
	pub outcome: Option<JobOutcome>,
}

/// Something that time alone can change.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum AgendaItem {
	/// An ask: it expires.
	#[codec(index = 0)]
	Ask(AskId),
	/// A lease: it is not ready in time, its term is over, or it was suspended for too long.
	#[codec(index = 1)]
	Lease(LeaseId),
}

/// Something that the pallet's own rules exclude. Please report it.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum UnexpectedKind {
	/// The book lists an ask that does not exist.
	#[codec(index = 0)]
	BookWithoutAsk(AskId),
	/// The agenda lists something that does not exist. The entry is removed.
	#[codec(index = 1)]
	AgendaWithoutObject(AgendaItem),
	/// Serving an item failed; it stays as it was and is tried again later.
	#[codec(index = 2)]
	AgendaItemFailed(AgendaItem, DispatchError),
	/// An ask got back more GPUs than it offers.
	#[codec(index = 3)]
	CapacityAboveOffer(AskId),
}
