//! Identifiers. Each is its own type, so that one cannot be passed for another.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

macro_rules! id {
	($(#[$doc:meta])* $name:ident($inner:ty)) => {
		$(#[$doc])*
		#[derive(
			Clone, Copy, Debug, Default, Eq, PartialEq, Ord, PartialOrd, Hash, Encode, Decode, DecodeWithMemTracking,
			MaxEncodedLen, TypeInfo, Serialize, Deserialize,
		)]
		pub struct $name(pub $inner);

		impl $name {
			/// The next number, or `None` when the numbers are used up.
			pub fn next(self) -> Option<Self> {
				self.0.checked_add(1).map(Self)
			}
		}

		impl core::fmt::Display for $name {
			fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
				write!(f, "{}", self.0)
			}
		}
	};
}

id!(
	/// A GPU class that governance has described.
	ClassId(u32)
);
id!(
	/// A GPU of one provider.
	GpuIndex(u16)
);
id!(
	/// A standing offer.
	AskId(u64)
);
id!(
	/// A renter's order. The lease that fills it, and its escrow, have the same number.
	OrderId(u64)
);
id!(
	/// A lease. It has the number of the order that it fills.
	LeaseId(u64)
);
id!(
	/// A job; numbered within its lease.
	JobId(u32)
);
id!(
	/// An escrow. Settlement gives it no meaning; leases use the order's number.
	EscrowId(u64)
);
id!(
	/// One payee of an escrow, numbered within it.
	StreamId(u32)
);
id!(
	/// A node of a lease: one provider's GPUs. Numbered within the lease, from zero.
	NodeIndex(u8)
);

id!(
	/// A slash.
	SlashId(u64)
);

impl From<OrderId> for LeaseId {
	fn from(order: OrderId) -> Self {
		Self(order.0)
	}
}

impl From<OrderId> for EscrowId {
	fn from(order: OrderId) -> Self {
		Self(order.0)
	}
}

impl From<LeaseId> for EscrowId {
	fn from(lease: LeaseId) -> Self {
		Self(lease.0)
	}
}

/// BLAKE3 hash of a blob: a plan, a kernel, an input or an output.
pub type BlobHash = sp_core::H256;

/// Milliseconds since the Unix epoch.
pub type Moment = u64;
