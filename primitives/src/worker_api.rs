//! What a worker reads from the chain: one runtime API, asked at finalised blocks for work and at best blocks for reports.

use crate::{
	AcceleratorKind, BlobHash, BlockNumber, Checkpoint, ClassId, GpuIndex, GpuState, Hash, JobId, LeaseId,
	LeaseStatus, Moment, NodeIndex, NodeStatus,
};
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;

/// A registered GPU.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct GpuView {
	/// Its index within the provider.
	pub gpu: GpuIndex,
	/// Its class.
	pub class: ClassId,
	/// How it is driven.
	pub kind: AcceleratorKind,
	/// Salted hash of its UUID.
	pub uuid_hash: Hash,
	/// Its state.
	pub state: GpuState,
}

/// A job that has no result yet.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct JobView {
	/// Its number within the lease.
	pub job: JobId,
	/// BLAKE3 hash of its plan.
	pub plan: BlobHash,
	/// When it was submitted, in milliseconds.
	pub submitted_at: Moment,
	/// Where it can go on, as the chain knows it.
	pub checkpoint: Option<Checkpoint>,
}

/// A lease that the provider has to serve.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct LeaseView {
	/// Its number.
	pub lease: LeaseId,
	/// Where the lease stands.
	pub status: LeaseStatus,
	/// Which of its nodes the provider serves.
	pub node: NodeIndex,
	/// Where that node stands.
	pub node_status: NodeStatus,
	/// The node's GPUs.
	pub gpus: Vec<GpuIndex>,
	/// The node's jobs without a result, oldest first.
	pub jobs: Vec<JobView>,
}

/// Everything that a worker needs to know about its provider.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode, TypeInfo)]
pub struct WorkerView<AccountId> {
	/// The provider whose worker this is.
	pub provider: AccountId,
	/// Chain time at this block, in milliseconds since the Unix epoch.
	pub now: Moment,
	/// The provider's epoch at this block.
	pub epoch: u32,
	/// First block of the next epoch.
	pub epoch_ends: BlockNumber,
	/// Whether a report for that epoch would be accepted, free of fee: the provider's report is due and still missing.
	pub report_due: bool,
	/// Registered GPUs, by index.
	pub gpus: Vec<GpuView>,
	/// Leases to serve, by number.
	pub leases: Vec<LeaseView>,
}

sp_api::decl_runtime_apis! {
	/// For off-chain workers.
	pub trait WorkerApi<AccountId> where AccountId: codec::Codec {
		/// What the chain wants of the provider whose worker has this account; `None` if it is nobody's worker.
		fn worker_view(worker: AccountId) -> Option<WorkerView<AccountId>>;

		/// Whether what a lease's providers did until `served_at`, in milliseconds since the Unix epoch, can still be contested, or
		/// waits for the verdict of a contest. Until then the blobs of its jobs are evidence. `false` once all of the lease is paid.
		fn can_be_contested(lease: LeaseId, served_at: Moment) -> bool;
	}
}
