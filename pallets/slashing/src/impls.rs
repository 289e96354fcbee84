//! What the pallet is to the leases.

use crate::{Config, Pallet};
use millrace_primitives::{Balance, LeaseId, NodeFault, Slashing};
use sp_runtime::DispatchResult;

impl<T: Config> Slashing<T::AccountId, Balance> for Pallet<T> {
	fn count_fault(fault: NodeFault<T::AccountId, Balance>) -> DispatchResult {
		Self::do_count_fault(fault)
	}

	fn end_episode(provider: &T::AccountId, lease: LeaseId) {
		Self::do_end_episode(provider, lease);
	}
}
