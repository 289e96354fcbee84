//! The timing record: its fields with their units, the production values, and what makes a set of values usable.

use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::ensure;
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};

const SECOND: u64 = 1_000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
/// No window is longer: ten years.
const LONGEST: u64 = 3_660 * DAY;

/// Every length that a chain is born with. Times are in milliseconds, epochs in blocks.
#[derive(
	Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, MaxEncodedLen, TypeInfo, Serialize, Deserialize,
)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ChainTiming {
	/// Length of a slot, in milliseconds. Even: a block's timestamp is at least half a slot after its parent's.
	pub slot_ms: u64,
	/// Slots per session, which is also BABE's epoch.
	pub session_slots: u32,
	/// Sessions per staking era.
	pub sessions_per_era: u32,
	/// Blocks per report of a provider that holds a lease.
	pub leased_epoch_blocks: u32,
	/// Blocks per report of a provider that holds none; a multiple of `leased_epoch_blocks`.
	pub idle_epoch_blocks: u32,
	/// Epochs that a provider may miss before its leases are suspended.
	pub grace_epochs: u32,
	/// Time within which a provider has to be ready after a lease was opened.
	pub ready_within_ms: u64,
	/// Time that a lease may stay suspended before it is closed.
	pub suspended_for_ms: u64,
	/// Shortest term of a lease.
	pub min_term_ms: u64,
	/// Longest term of a lease.
	pub max_term_ms: u64,
	/// Longest life of an ask.
	pub max_ask_lifetime_ms: u64,
	/// Longest time for which an order may wait.
	pub max_order_lifetime_ms: u64,
	/// Longest auction, in blocks.
	pub max_auction_blocks: u32,
	/// Shortest notice that a provider may promise to give before it takes its GPUs back.
	pub min_reclaim_notice_ms: u64,
	/// Longest notice that a provider may promise.
	pub max_reclaim_notice_ms: u64,
	/// Time for which another provider is looked for after one has failed.
	pub failover_within_ms: u64,
	/// Last part of a lease's funds, as time: it is spent frozen.
	pub frozen_grace_ms: u64,
	/// How long before it is frozen a lease's renter is warned.
	pub low_balance_warning_ms: u64,
	/// Time after a lease is ready within which the renter may reject it.
	pub acceptance_window_ms: u64,
	/// Time within which the renter may contest what was earned. Nothing is paid before.
	pub contest_window_ms: u64,
	/// Time within which a contest is decided; without a verdict it lapses.
	pub verdict_within_ms: u64,
	/// Time within which a slash can be appealed before it is executed.
	pub slash_deferral_ms: u64,
	/// Time between asking for a provider's bond and getting it.
	pub unbonding_ms: u64,
	/// Whether classes of kind `Reference`, which are CPUs, may be created. False where money is at stake.
	pub reference_classes_allowed: bool,
}

impl Default for ChainTiming {
	/// The production values.
	fn default() -> Self {
		Self {
			slot_ms: 6 * SECOND,
			session_slots: 600,
			sessions_per_era: 6,
			leased_epoch_blocks: 10,
			idle_epoch_blocks: 100,
			grace_epochs: 1,
			ready_within_ms: 10 * MINUTE,
			suspended_for_ms: 10 * MINUTE,
			min_term_ms: MINUTE,
			max_term_ms: 365 * DAY,
			max_ask_lifetime_ms: 30 * DAY,
			max_order_lifetime_ms: 30 * DAY,
			max_auction_blocks: 14_400,
			min_reclaim_notice_ms: HOUR,
			max_reclaim_notice_ms: 30 * DAY,
			failover_within_ms: HOUR,
			frozen_grace_ms: 15 * MINUTE,
			low_balance_warning_ms: HOUR,
			acceptance_window_ms: 15 * MINUTE,
			contest_window_ms: HOUR,
			verdict_within_ms: 7 * DAY,
			slash_deferral_ms: 2 * DAY,
			unbonding_ms: 14 * DAY,
			reference_classes_allowed: false,
		}
	}
}

impl ChainTiming {
	/// Length of an epoch of a provider that holds a lease, in milliseconds.
	pub fn epoch_ms(&self) -> u64 {
		u64::from(self.leased_epoch_blocks).saturating_mul(self.slot_ms)
	}

	/// Length of a staking era, if no slot is skipped, in milliseconds.
	pub fn era_ms(&self) -> u64 {
		u64::from(self.session_slots)
			.saturating_mul(self.sessions_per_era.into())
			.saturating_mul(self.slot_ms)
	}

	/// Longest time between two reports of a provider whose leases are still served: one epoch plus grace, in
	/// milliseconds.
	pub fn absence_ms(&self) -> u64 {
		self.epoch_ms().saturating_mul(u64::from(self.grace_epochs).saturating_add(1))
	}

	/// Whether the values fit together.
	///
	/// # Errors
	/// Says which relation does not hold.
	pub fn check(&self) -> Result<(), &'static str> {
		self.check_consensus()?;
		self.check_reports()?;
		self.check_leases()?;
		self.check_offers()?;
		self.check_funds()?;
		self.check_unbonding()
	}

	fn check_consensus(&self) -> Result<(), &'static str> {
		ensure!(self.slot_ms >= 500, "slotMs is below 500: blocks could not travel the network in time");
		ensure!(self.slot_ms <= MINUTE, "slotMs is above one minute");
		ensure!(self.slot_ms.is_multiple_of(2), "slotMs is odd: half a slot has to be whole milliseconds");
		ensure!(self.session_slots >= 5, "sessionSlots is below 5: an authority change needs some blocks");
		ensure!(self.session_slots <= 100_000, "sessionSlots is above 100000");
		ensure!(self.sessions_per_era >= 1, "sessionsPerEra is zero");
		ensure!(self.sessions_per_era <= 100, "sessionsPerEra is above 100");
		Ok(())
	}

	fn check_reports(&self) -> Result<(), &'static str> {
		ensure!(
			self.leased_epoch_blocks >= 2,
			"leasedEpochBlocks is below 2: a report needs a block to land in"
		);
		ensure!(self.leased_epoch_blocks <= 10_000, "leasedEpochBlocks is above 10000");
		ensure!(
			self.idle_epoch_blocks >= self.leased_epoch_blocks,
			"idleEpochBlocks is below leasedEpochBlocks"
		);
		ensure!(
			self.idle_epoch_blocks.is_multiple_of(self.leased_epoch_blocks),
			"idleEpochBlocks is not a multiple of leasedEpochBlocks"
		);
		ensure!(self.idle_epoch_blocks <= 100_000, "idleEpochBlocks is above 100000");
		ensure!(self.grace_epochs >= 1, "graceEpochs is zero: one late block would suspend a lease");
		ensure!(self.grace_epochs <= 100, "graceEpochs is above 100");
		Ok(())
	}

	fn check_leases(&self) -> Result<(), &'static str> {
		ensure!(
			self.ready_within_ms >= self.epoch_ms(),
			"readyWithinMs is shorter than the epoch of the first report"
		);
		ensure!(
			self.suspended_for_ms >= self.epoch_ms(),
			"suspendedForMs is shorter than an epoch: nobody could come back in time"
		);
		ensure!(
			self.failover_within_ms >= self.epoch_ms(),
			"failoverWithinMs is shorter than an epoch: nobody could take over in time"
		);
		ensure!(self.failover_within_ms <= LONGEST, "failoverWithinMs is above ten years");
		ensure!(self.min_term_ms >= 1, "minTermMs is zero");
		ensure!(self.max_term_ms >= self.min_term_ms, "maxTermMs is below minTermMs");
		ensure!(self.max_term_ms <= LONGEST, "maxTermMs is above ten years");
		Ok(())
	}

	fn check_offers(&self) -> Result<(), &'static str> {
		ensure!(self.max_ask_lifetime_ms >= self.slot_ms, "maxAskLifetimeMs is shorter than a slot");
		ensure!(self.max_ask_lifetime_ms <= LONGEST, "maxAskLifetimeMs is above ten years");
		ensure!(self.max_order_lifetime_ms >= self.slot_ms, "maxOrderLifetimeMs is shorter than a slot");
		ensure!(self.max_order_lifetime_ms <= LONGEST, "maxOrderLifetimeMs is above ten years");
		ensure!(self.max_auction_blocks >= 1, "maxAuctionBlocks is zero");
		ensure!(
			u64::from(self.max_auction_blocks).saturating_mul(self.slot_ms) <= self.max_order_lifetime_ms,
			"maxAuctionBlocks is longer than maxOrderLifetimeMs: no order may wait for that long"
		);
		ensure!(
			self.min_reclaim_notice_ms <= self.max_reclaim_notice_ms,
			"maxReclaimNoticeMs is below minReclaimNoticeMs"
		);
		ensure!(self.max_reclaim_notice_ms <= LONGEST, "maxReclaimNoticeMs is above ten years");
		Ok(())
	}

	fn check_funds(&self) -> Result<(), &'static str> {
		ensure!(self.frozen_grace_ms >= 1, "frozenGraceMs is zero");
		ensure!(self.frozen_grace_ms <= LONGEST, "frozenGraceMs is above ten years");
		ensure!(self.low_balance_warning_ms >= 1, "lowBalanceWarningMs is zero");
		ensure!(self.low_balance_warning_ms <= LONGEST, "lowBalanceWarningMs is above ten years");
		ensure!(self.acceptance_window_ms >= 1, "acceptanceWindowMs is zero: nothing could be rejected");
		ensure!(
			self.acceptance_window_ms < self.contest_window_ms,
			"acceptanceWindowMs is not shorter than contestWindowMs: what is rejected could be paid already"
		);
		ensure!(self.verdict_within_ms >= 1, "verdictWithinMs is zero: nothing could be decided");
		Ok(())
	}

	/// A bond has to outlive everything that may still be held against its provider. Bounds the contest's times too.
	fn check_unbonding(&self) -> Result<(), &'static str> {
		let faults_end = self
			.absence_ms()
			.saturating_add(self.suspended_for_ms)
			.saturating_add(self.contest_window_ms)
			.saturating_add(self.slash_deferral_ms)
			.saturating_add(self.verdict_within_ms);
		ensure!(
			self.unbonding_ms > faults_end,
			"unbondingMs is not longer than absence, suspension, contest window, slash deferral and verdict together"
		);
		ensure!(
			self.slash_deferral_ms >= self.epoch_ms().saturating_mul(5),
			"slashDeferralMs is shorter than five epochs: slashes would be due before they are judged"
		);
		ensure!(self.unbonding_ms > self.ready_within_ms, "unbondingMs is not longer than readyWithinMs");
		ensure!(self.unbonding_ms <= LONGEST, "unbondingMs is above ten years");
		Ok(())
	}
}
