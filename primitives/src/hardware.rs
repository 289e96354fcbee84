//! Hardware: kinds of accelerator, GPU classes, the state of a GPU.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use sp_runtime::{traits::ConstU32, BoundedVec};

/// How a device is driven. Open: a new kind is a new variant, nothing else changes.
#[derive(
	Clone,
	Copy,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub enum AcceleratorKind {
	/// A CPU that interprets kernels. For development chains only; it never passes for a GPU.
	#[codec(index = 0)]
	Reference,
	/// An NVIDIA GPU, by the CUDA driver API.
	#[codec(index = 1)]
	Cuda,
}

/// What governance says of a class of GPUs.
#[derive(
	Clone,
	Debug,
	Eq,
	PartialEq,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
	Serialize,
	Deserialize,
)]
pub struct GpuClass<Balance> {
	/// How its devices are driven.
	pub kind: AcceleratorKind,
	/// Vendor, such as `NVIDIA`. UTF-8.
	pub vendor: BoundedVec<u8, ConstU32<32>>,
	/// Model as the vendor names it, such as `H200`. UTF-8.
	pub model: BoundedVec<u8, ConstU32<64>>,
	/// Device memory, in MiB.
	pub memory_mib: u32,
	/// Smallest bond per registered GPU, in plancks.
	pub min_bond: Balance,
	/// Capacity of one GPU in the market's unit, for shares and statistics.
	pub unit_weight: u32,
}

/// Healthy reports in a row after which a GPU that was lost during a lease can be leased again.
pub const QUARANTINE_REPORTS: u8 = 3;

/// State of a GPU.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum GpuState {
	/// Can be leased.
	#[codec(index = 0)]
	Healthy,
	/// Serves a lease.
	#[codec(index = 1)]
	Leased(crate::LeaseId),
	/// Its worker reported it unhealthy; a healthy report brings it back.
	#[codec(index = 2)]
	Faulty,
	/// It was lost while it served a lease. So many healthy reports in a row bring it back:
	/// [`QUARANTINE_REPORTS`].
	#[codec(index = 3)]
	Quarantined {
		/// Healthy reports so far, one after the other.
		healthy_reports: u8,
	},
}
