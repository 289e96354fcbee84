//! What a fault costs, and what becomes of the amount.

use crate::{FaultEpoch, LeaseId};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_runtime::{DispatchError, DispatchResult};

/// Why a provider is slashed.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum SlashCause {
	/// Its reports stayed away, or left the lease out.
	#[codec(index = 0)]
	Dark,
	/// Its reports said that GPUs of the lease were missing or unhealthy.
	#[codec(index = 1)]
	GpuLost,
	/// It did not get a node ready in time.
	#[codec(index = 2)]
	NotReady,
	/// The council found that its GPUs are not what it says.
	#[codec(index = 3)]
	FalseHardware,
	/// The council found that it delivered a wrong result.
	#[codec(index = 4)]
	BadResult,
}

/// A node that was not served for a while.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeFault<AccountId, Balance> {
	/// Who should have served it.
	pub provider: AccountId,
	/// Whom that provider belongs to.
	pub owner: AccountId,
	/// The lease.
	pub lease: LeaseId,
	/// Who pays for the lease: is compensated first.
	pub renter: AccountId,
	/// Why.
	pub cause: SlashCause,
	/// The node's lease bond, in plancks.
	pub lease_bond: Balance,
	/// Epochs that were missed beyond the grace since the last count.
	pub epochs: u32,
	/// Fault epoch in which that time began.
	pub since: FaultEpoch,
	/// GPUs of the node that were dark.
	pub dark_gpus: u32,
	/// GPUs of the node.
	pub gpus: u32,
	/// Slashed beside the rate, in plancks: what leaving the lease without notice costs.
	pub walkout: Balance,
	/// Worth to the renter of what was not served, in plancks; `None` if the lease is paid in another asset.
	pub unserved: Option<Balance>,
}

/// Punishing nodes that are not served. Implemented by `pallet-slashing`, used by `pallet-leases`. A run of faults of one
/// provider in one lease is one *episode*, with one slash.
pub trait Slashing<AccountId, Balance> {
	/// Moves what the fault costs from the bond to the hold of the episode's slash; the first fault begins the episode.
	fn count_fault(fault: NodeFault<AccountId, Balance>) -> DispatchResult;

	/// The node is served again, or is not the provider's any more: the episode is over, if there is one.
	fn end_episode(provider: &AccountId, lease: LeaseId);
}

/// What limits an amount that is taken from a bond.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SlashLimit {
	/// What faults may cost the provider in one era.
	Era,
	/// What the provider has at stake.
	Stake,
}

/// The bond, as slashes see it. Implemented by `pallet-providers`, used by `pallet-slashing`. Each function is all or nothing
/// by itself.
pub trait BondSlashing<AccountId, Balance> {
	/// Imbalance of what has left an account.
	type Credit;

	/// Moves up to `amount` plancks of what the provider has at stake to the hold for pending slashes: active bond first, then
	/// what is unbonding. Returns the plancks that moved: fewer, or none, if the limit is reached.
	fn hold_slash(provider: &AccountId, amount: Balance, limit: SlashLimit)
		-> Result<Balance, DispatchError>;

	/// Moves `amount` plancks back to the active bond.
	fn return_slash(provider: &AccountId, amount: Balance) -> DispatchResult;

	/// Takes `amount` plancks on hold for pending slashes out of the account.
	fn take_slash(provider: &AccountId, amount: Balance) -> Result<Self::Credit, DispatchError>;
}
