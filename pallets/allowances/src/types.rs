//! What this pallet stores, and what it asks of the runtime.

use codec::{Decode, Encode, MaxEncodedLen};
use millrace_primitives::{Asset, Balance, Moment};
use scale_info::TypeInfo;

/// Most delegates of one owner.
pub const MAX_DELEGATES: u32 = 16;

/// What a delegate may spend of an owner's money.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Allowance {
	/// What it may spend.
	pub asset: Asset,
	/// What is left.
	pub remaining: Balance,
	/// Highest price of one order, per second.
	pub max_rate: Balance,
	/// The first moment at which it is over, in milliseconds since the Unix epoch.
	pub expires_at: Moment,
	/// Held of the owner for it, in plancks.
	pub deposit: Balance,
}

impl Allowance {
	/// Whether it is over at this time.
	pub fn is_expired(&self, now: Moment) -> bool {
		self.expires_at <= now
	}
}

/// What a call that a delegate may make is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Spend {
	/// What the order that it places costs at most per second; zero for every other call.
	pub rate: Balance,
	/// What the order or lease is paid in.
	pub asset: Asset,
}

/// Which calls a delegate may make. Has to leave out whatever makes further calls, such as batches and proxies, and
/// whatever moves an owner's money without committing it.
pub trait Spending<Call> {
	/// What the call is about; `None`: a delegate cannot make it.
	fn spend(call: &Call) -> Option<Spend>;
}

/// What is held of an account for what the delegates' calls pay for.
pub trait Committed<AccountId> {
	/// That sum in one asset, in its smallest unit.
	fn committed(owner: &AccountId, asset: Asset) -> Balance;
}
