//! Models of the slashes and of the fault clock: they record what they were told.

use super::AccountId;
use frame_support::parameter_types;
use millrace_primitives::{
	Balance, Excuse, FaultClock, FaultClockControl, FaultEpoch, Judgement, LeaseId, NodeFault, Slashing,
};
use sp_runtime::{DispatchError, DispatchResult};

parameter_types! {
	/// Faults that were counted, and episodes that were ended, since they were looked at.
	pub static CountedFaults: Vec<NodeFault<AccountId, Balance>> = Vec::new();
	pub static EndedEpisodes: Vec<(AccountId, LeaseId)> = Vec::new();
	/// Whether counting a fault fails.
	pub static SlashingFails: bool = false;
	/// Time that does not count, in milliseconds.
	pub static StoppedMs: u64 = 0;
	pub static CurrentFaultEpoch: FaultEpoch = 0;
	pub static ClockPaused: bool = false;
}

pub struct Faults;

impl Slashing<AccountId, Balance> for Faults {
	fn count_fault(fault: NodeFault<AccountId, Balance>) -> DispatchResult {
		if SlashingFails::get() {
			return Err(DispatchError::Unavailable);
		}
		CountedFaults::mutate(|faults| faults.push(fault));
		Ok(())
	}

	fn end_episode(provider: &AccountId, lease: LeaseId) {
		EndedEpisodes::mutate(|ended| ended.push((*provider, lease)));
	}
}

pub struct StoppableClock;

impl FaultClock<AccountId> for StoppableClock {
	fn is_running() -> bool {
		!ClockPaused::get()
	}

	fn stopped_ms() -> u64 {
		StoppedMs::get()
	}

	fn epoch() -> FaultEpoch {
		CurrentFaultEpoch::get()
	}

	fn judge(_: FaultEpoch, _: FaultEpoch, _: &AccountId) -> Judgement {
		Judgement::Excused(Excuse::TooOld)
	}
}

impl FaultClockControl for StoppableClock {
	fn set_paused(paused: bool) {
		ClockPaused::set(paused);
	}
}

/// Faults that were counted since the last call.
pub(crate) fn counted() -> Vec<NodeFault<AccountId, Balance>> {
	CountedFaults::take()
}

/// Episodes that were ended since the last call.
pub(crate) fn ended() -> Vec<(AccountId, LeaseId)> {
	EndedEpisodes::take()
}
