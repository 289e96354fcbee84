//! The pallets. Hooks run and the genesis is built in the order of the indices; the gaps leave room within a group.
#![expect(missing_docs, reason = "what the macro generates is documented in the SDK")]

use crate::{Block, UncheckedExtrinsic};
use alloc::vec::Vec;
use sp_inherents::{CheckInherentsResult, InherentData};
use sp_runtime::traits::Block as BlockT;

// The macro's trait for inherents can be seen here alone.

/// What every block has to contain, made from the author's data.
pub(crate) fn inherent_extrinsics(data: &InherentData) -> Vec<UncheckedExtrinsic> {
	data.create_extrinsics()
}

/// Whether a block contains what it has to.
pub(crate) fn check_inherents(
	block: &<Block as BlockT>::LazyBlock,
	data: &InherentData,
) -> CheckInherentsResult {
	data.check_extrinsics(block)
}

#[frame_support::runtime]
mod runtime {
	/// The runtime: a type without values to which every configuration belongs.
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	// The base. Timing comes first, for the others' genesis reads it.
	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timing = pallet_timing;
	#[runtime::pallet_index(2)]
	pub type Babe = pallet_babe;
	#[runtime::pallet_index(3)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(4)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(5)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(6)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(7)]
	pub type SkipFeelessPayment = pallet_skip_feeless_payment;

	// Who makes and finalises blocks. The session's genesis asks staking for its validators.
	#[runtime::pallet_index(10)]
	pub type Staking = pallet_staking;
	#[runtime::pallet_index(11)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(12)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(13)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(14)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(15)]
	pub type AuthorityDiscovery = pallet_authority_discovery;

	// Who decides.
	#[runtime::pallet_index(20)]
	pub type Treasury = pallet_treasury;
	#[runtime::pallet_index(21)]
	pub type Council = pallet_collective<Instance1>;
	#[runtime::pallet_index(22)]
	pub type Preimage = pallet_preimage;
	#[runtime::pallet_index(23)]
	pub type Scheduler = pallet_scheduler;
	#[runtime::pallet_index(24)]
	pub type Parameters = pallet_parameters;
	#[runtime::pallet_index(25)]
	pub type TxPause = pallet_tx_pause;
	#[runtime::pallet_index(26)]
	pub type MultiBlockMigrations = pallet_migrations;
	#[runtime::pallet_index(29)]
	pub type Sudo = pallet_sudo;

	// What accounts can do together.
	#[runtime::pallet_index(30)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(31)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(32)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(33)]
	pub type Assets = pallet_assets;
	#[runtime::pallet_index(34)]
	pub type AssetsHolder = pallet_assets_holder;

	// The market, from the bottom up. The fault clock observes a block before anybody asks it; leases end what is due before
	// attestation looks for absence.
	#[runtime::pallet_index(39)]
	pub type FaultClock = pallet_fault_clock;
	#[runtime::pallet_index(40)]
	pub type Providers = pallet_providers;
	#[runtime::pallet_index(41)]
	pub type Settlement = pallet_settlement;
	#[runtime::pallet_index(42)]
	pub type Leases = pallet_leases;
	#[runtime::pallet_index(43)]
	pub type Attestation = pallet_attestation;
	#[runtime::pallet_index(44)]
	pub type Allowances = pallet_allowances;
	#[runtime::pallet_index(45)]
	pub type Slashing = pallet_slashing;
	#[runtime::pallet_index(46)]
	pub type Rewards = pallet_rewards;
}
