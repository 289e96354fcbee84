//! The RPC methods beyond Substrate's own: accounts' nonces, fees, consensus, light clients' start, the market's, and the
//! worker's.
//!
//! `archive_v1` needs nothing here: Substrate serves it on archive nodes. Methods that reveal or change the
//! node's own state ask whether the connection may call unsafe methods.

use crate::service::{Core, FullBackend};
use jsonrpsee::RpcModule;
use millrace_primitives::{BlockNumber, Hash};
use millrace_runtime::opaque::Block;
use pallet_transaction_payment_rpc::{TransactionPayment, TransactionPaymentApiServer};
use sc_consensus_babe::BabeWorkerHandle;
use sc_consensus_babe_rpc::{Babe, BabeApiServer};
use sc_consensus_grandpa::{
	FinalityProofProvider, GrandpaJustificationStream, SharedAuthoritySet, SharedVoterState,
};
use sc_consensus_grandpa_rpc::{Grandpa, GrandpaApiServer};
use sc_rpc::SubscriptionTaskExecutor;
use sc_service::ChainSpec;
use sc_sync_state_rpc::{SyncState, SyncStateApiServer};
use std::sync::Arc;
use substrate_frame_rpc_system::{System, SystemApiServer};

/// What the methods read.
pub(crate) struct RpcDeps {
	pub(crate) core: Core,
	pub(crate) chain_spec: Box<dyn ChainSpec>,
	/// Also keeps BABE's essential task alive.
	pub(crate) babe_worker: BabeWorkerHandle<Block>,
	pub(crate) authority_set: SharedAuthoritySet<Hash, BlockNumber>,
	pub(crate) voter_state: SharedVoterState,
	pub(crate) justifications: GrandpaJustificationStream<Block>,
	pub(crate) finality_proofs: Arc<FinalityProofProvider<FullBackend, Block>>,
	/// Blobs and the worker's state.
	pub(crate) worker: RpcModule<()>,
}

/// Puts the methods together.
pub(crate) fn methods(
	deps: &RpcDeps,
	subscriptions: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, sc_service::Error> {
	merge(deps, subscriptions).map_err(sc_service::Error::Application)
}

fn merge(
	deps: &RpcDeps,
	subscriptions: SubscriptionTaskExecutor,
) -> Result<RpcModule<()>, Box<dyn std::error::Error + Send + Sync>> {
	let core = &deps.core;
	let mut module = RpcModule::new(());
	module.merge(System::new(core.client.clone(), core.pool.clone()).into_rpc())?;
	module.merge(TransactionPayment::new(core.client.clone()).into_rpc())?;
	module.merge(
		Babe::new(
			core.client.clone(),
			deps.babe_worker.clone(),
			core.keystore.clone(),
			core.select_chain.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		Grandpa::new(
			subscriptions,
			deps.authority_set.clone(),
			deps.voter_state.clone(),
			deps.justifications.clone(),
			deps.finality_proofs.clone(),
		)
		.into_rpc(),
	)?;
	module.merge(
		SyncState::new(
			deps.chain_spec.cloned_box(),
			core.client.clone(),
			deps.authority_set.clone(),
			deps.babe_worker.clone(),
		)?
		.into_rpc(),
	)?;
	module.merge(millrace_leases_rpc::methods(core.client.clone()))?;
	module.merge(deps.worker.clone())?;
	Ok(module)
}
