//! What every part of Millrace shares: identifiers, the types that chain and worker exchange, and the traits through
//! which pallets know each other.
//!
//! Commands go down and reads go down; nothing calls up:
//!
//! ```text
//! attestation   reports, absence, job results
//!    |  LeaseAttestation, LeaseInspect   \  ProviderLiveness
//! leases        asks, orders, bids, leases, jobs
//!    |  Slashing            \  GpuReservation, ProviderInspect            \  Escrow
//! slashing      faults,      \                                   settlement   escrow, streams, contests, fees, receipts
//!    |          appeals       \
//!    |  BondSlashing           \
//! providers     registry, GPUs, bond
//! ```
//!
//! Attestation tells `fault-clock` what it sees (`FaultCensus`); leases and slashing ask it what counts (`FaultClock`).
//!
//! Units: money is in plancks (10^-12 MILL), time in milliseconds since the Unix epoch as `pallet-timestamp` has it,
//! prices in plancks per GPU and second.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod fault_clock;
mod hardware;
mod ids;
mod lease;
pub mod leases_api;
mod market;
mod report;
mod slashing;
mod traits;
pub mod worker_api;
pub mod worker_key;

pub use fault_clock::{Excuse, FaultCensus, FaultClock, FaultClockControl, FaultEpoch, Judgement};
pub use hardware::{AcceleratorKind, GpuClass, GpuState, QUARANTINE_REPORTS};
pub use ids::{
	AskId, BlobHash, ClassId, EscrowId, GpuIndex, JobId, LeaseId, Moment, NodeIndex, OrderId, SlashId,
	StreamId,
};
pub use lease::{Checkpoint, CloseReason, FaultCause, JobFailure, JobOutcome, LeaseStatus, NodeStatus};
pub use market::{
	AskTerms, Asset, Constraints, Countries, Country, Failover, FirstJob, Matching, OrderTerms,
	ProviderFacts, Term, MAX_COUNTRIES, MAX_NODES, MAX_STREAMS,
};
pub use report::{GpuHealth, LeaseUsage, Report, MAX_GPUS_PER_PROVIDER, MAX_LEASES_PER_PROVIDER};
pub use slashing::{BondSlashing, NodeFault, SlashCause, SlashLimit, Slashing};
pub use traits::{
	Accrued, Closing, Escrow, GpuReservation, IdleRewards, LeaseAttestation, LeaseInspect, OpenJob,
	ProviderInspect, ProviderLiveness, ServedNode, ServiceOutcome,
};

use sp_runtime::{
	generic,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiSignature,
};

/// Signature of a transaction.
pub type Signature = MultiSignature;
/// An account, as its public key's identifier.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// Plancks: 10^12 of them are one MILL.
pub type Balance = u128;
/// Number of a block.
pub type BlockNumber = u32;
/// Number of an account's next transaction.
pub type Nonce = u32;
/// Hash of a block or a state.
pub type Hash = sp_core::H256;
/// A block's header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block whose transactions are left encoded; what the node works with.
pub type OpaqueBlock = generic::Block<Header, sp_runtime::OpaqueExtrinsic>;
