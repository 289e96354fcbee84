//! Records that this pallet stores.

use codec::{Decode, Encode, MaxEncodedLen};
use millrace_primitives::{BlockNumber, Moment};
use scale_info::TypeInfo;

/// Last report of a provider.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct LastReport {
	/// Epoch that it was for.
	pub epoch: u32,
	/// Block that it is in.
	pub block: BlockNumber,
	/// Chain time of that block, in milliseconds.
	pub at: Moment,
	/// Latest finalised block that the worker saw.
	pub finalised_number: BlockNumber,
	/// Block of the provider's entry in the agenda.
	pub due: BlockNumber,
	/// Span of a leased epoch's length, counted from block zero, in which the census was told last of suspended nodes.
	pub missed_in: Option<u32>,
}
