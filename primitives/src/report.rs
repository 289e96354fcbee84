//! The report that a worker sends once per epoch.

use crate::{BlockNumber, Checkpoint, GpuIndex, Hash, LeaseId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{traits::ConstU32, BoundedVec};

/// Most GPUs that one provider can register.
pub const MAX_GPUS_PER_PROVIDER: u32 = 64;
/// Most leases that one provider can serve at a time: each needs a GPU.
pub const MAX_LEASES_PER_PROVIDER: u32 = MAX_GPUS_PER_PROVIDER;

/// Health of one GPU, as its worker saw it.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct GpuHealth {
	/// Which GPU.
	pub gpu: GpuIndex,
	/// Whether it answers and passes its probe.
	pub healthy: bool,
}

/// Use of one lease since the report before. The claim is recorded; payment follows chain time, not this figure.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct LeaseUsage {
	/// Which lease.
	pub lease: LeaseId,
	/// Time during which a kernel of this lease was running, in milliseconds.
	pub busy_ms: u32,
	/// Jobs that ended.
	pub jobs_ended: u32,
	/// Newest checkpoint of the running job, if it has one that was not reported yet.
	pub checkpoint: Option<Checkpoint>,
}

/// One report: says that the worker is alive, which GPUs are healthy, and which leases it serves.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
pub struct Report {
	/// The epoch that it is for: the provider's current one.
	pub epoch: u32,
	/// Latest finalised block that the worker saw: shows how far its view lags.
	pub finalised_number: BlockNumber,
	/// Hash of that block.
	pub finalised_hash: Hash,
	/// Every registered GPU that the worker has found.
	pub gpus: BoundedVec<GpuHealth, ConstU32<MAX_GPUS_PER_PROVIDER>>,
	/// Every lease that it serves.
	pub leases: BoundedVec<LeaseUsage, ConstU32<MAX_LEASES_PER_PROVIDER>>,
}
