//! # The Millrace runtime
//!
//! The chain's state transition function: the standard pallets of a staked BABE and GRANDPA chain, and on top of them the
//! GPU market.
//!
//! ```text
//! attestation    reports, absence, job results
//! leases         asks, orders, bids, leases, jobs
//! slashing       what faults cost              settlement   escrow, accrual, contests, fees, receipts
//! providers      registry, GPUs, bonds         fault clock  which time counts against providers
//! timing         slot, session, epochs and windows, fixed at genesis
//! ```
//!
//! Beside them, `allowances` lets delegates rent for an account within limits.
//!
//! Where to look: `configs` has every pallet's parameters with the reasons, `genesis` the presets, `apis` what the node may
//! ask, `worker_view` what an off-chain worker asks, `leases_api` what people ask of the market, `invariants` what must hold
//! across pallets.
//!
//! Money is in plancks, 10^12 to one MILL. Time is in milliseconds. Pallet and call indices are part of the interface
//! that offline signers and indexers rely on: they are explicit, and a test compares them with a committed list.
#![cfg_attr(not(feature = "std"), no_std)]
// The runtime macro recurses once per pallet part, deeper than the default allows.
#![recursion_limit = "512"]

extern crate alloc;

pub mod apis;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarks;
pub mod configs;
pub mod constants;
pub mod genesis;
#[cfg(any(feature = "std", feature = "try-runtime"))]
pub mod invariants;
mod leases_api;
mod pallets;
mod transaction;
#[cfg(feature = "std")]
mod wasm_binary;
mod worker_view;

pub use apis::{RuntimeApi, RUNTIME_API_VERSIONS};
pub use configs::governance::{dynamic_params, RuntimeParameters};
pub use millrace_primitives::{AccountId, Balance, BlockNumber, Hash, Header, Nonce, Signature};
pub use opaque::SessionKeys;
pub use pallet_timing::ChainTiming;
pub use pallets::*;
pub use transaction::tx_extension;
#[cfg(feature = "std")]
pub use wasm_binary::{WASM_BINARY, WASM_BINARY_BLOATY};

use alloc::borrow::Cow;
use sp_runtime::{generic, traits::BlakeTwo256, MultiAddress};
use sp_version::RuntimeVersion;

/// Types that the node uses without knowing what a transaction means.
pub mod opaque {
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	use crate::{AuthorityDiscovery, Babe, Grandpa};
	use alloc::vec::Vec;
	use sp_runtime::{generic, impl_opaque_keys, traits::BlakeTwo256};

	/// A block's header.
	pub type Header = millrace_primitives::Header;
	/// A block with its transactions left encoded.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// A block's number or hash.
	pub type BlockId = generic::BlockId<Block>;
	/// Hash of a block.
	pub type Hash = <BlakeTwo256 as sp_runtime::traits::Hash>::Output;

	impl_opaque_keys! {
		/// The hot keys of a validator.
		pub struct SessionKeys {
			/// Votes on finality.
			pub grandpa: Grandpa,
			/// Makes blocks.
			pub babe: Babe,
			/// Publishes the validator's network addresses.
			pub authority_discovery: AuthorityDiscovery,
		}
	}
}

/// What this runtime is, and which versions of transactions and state it speaks.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("millrace"),
	impl_name: Cow::Borrowed("millrace-node"),
	authoring_version: 1,
	spec_version: 1,
	impl_version: 1,
	apis: RUNTIME_API_VERSIONS,
	transaction_version: 1,
	system_version: 1,
};

/// An address, as transactions name it.
pub type Address = MultiAddress<AccountId, ()>;
/// A block with decoded transactions.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// What a signer adds to a call, in the order in which it is checked. The first entry lets a call authorise itself, the last
/// gives back weight that was not used. A call that its pallet declares feeless skips payment alone, no other check.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckEra<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_skip_feeless_payment::SkipCheckIfFeeless<
		Runtime,
		pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);
/// A transaction as it arrives.
pub type UncheckedExtrinsic = generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What is signed.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Dispatches blocks and transactions to the pallets.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;
/// How this chain hashes.
pub type Hashing = BlakeTwo256;
