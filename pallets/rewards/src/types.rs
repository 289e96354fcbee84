//! What is stored of an era.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use millrace_primitives::Balance;
use scale_info::TypeInfo;

/// For how many eras after its own a reward can be claimed.
pub const CLAIMABLE_ERAS: Era = 28;

/// Most items that are pruned in one block.
pub const MAX_PRUNED: u32 = 16;

/// Number of an era: chain time divided by the length of an era, rounded down.
pub type Era = u32;

/// All units of an era, and what they earn.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct EraTotal {
	/// Units of all owners.
	pub units: u128,
	/// Plancks for one unit at a share of zero, as it was at the era's first idle epoch.
	pub rate: Balance,
	/// Most that the era costs, in plancks, as it was at its first idle epoch.
	pub budget: Balance,
}

/// What a provider has earned in an era.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Earning<AccountId> {
	/// Whom the provider belonged to at its first idle epoch of the era.
	pub owner: AccountId,
	/// Its units.
	pub units: u128,
}
