//! Puts a node together and starts it.
//!
//! `partial` makes what chain operations need too (database, client, pool, import queue); `network`,
//! `authoring` and `tasks` each add one part of a running node. Consensus is BABE for blocks and GRANDPA for
//! finality.

mod authoring;
mod blobs;
mod network;
mod partial;
mod tasks;

pub(crate) use blobs::Network as BlobPeers;
pub(crate) use partial::{new_partial, FullBackend, FullClient};

use crate::{
	rpc::{self, RpcDeps},
	worker::NodeWorker,
};
use authoring::{Author, Settings, Voter};
use millrace_offchain_worker::WorkerArgs;
use network::NetworkParts;
use partial::{Consensus, FullPool, FullSelectChain};
use sc_consensus_grandpa::{FinalityProofProvider, SharedVoterState};
use sc_service::{Configuration, Error, PartialComponents, SpawnTasksParams, TaskManager};
use sc_storage_monitor::StorageMonitorParams;
use sp_keystore::KeystorePtr;
use std::{path::Path, sync::Arc};

/// What nearly every part of a running node uses.
#[derive(Clone)]
pub(crate) struct Core {
	/// Blocks and state.
	pub(crate) client: Arc<FullClient>,
	/// The database under them.
	pub(crate) backend: Arc<FullBackend>,
	/// Transactions that wait for a block.
	pub(crate) pool: Arc<FullPool>,
	/// This node's keys.
	pub(crate) keystore: KeystorePtr,
	/// Which fork is the best.
	pub(crate) select_chain: FullSelectChain,
}

/// Starts every part of a node. The node runs as long as the returned manager is polled and none of its
/// essential tasks has ended.
pub(crate) fn new_full(
	config: Configuration,
	storage_monitor: &StorageMonitorParams,
	worker_args: &WorkerArgs,
	wasm_cache: Option<&Path>,
) -> Result<TaskManager, Error> {
	let PartialComponents {
		client,
		backend,
		mut task_manager,
		keystore_container,
		select_chain,
		import_queue,
		transaction_pool: pool,
		other: consensus,
	} = new_partial(&config, wasm_cache)?;
	let core = Core { client, backend, pool, keystore: keystore_container.keystore(), select_chain };
	tasks::watch_disk(storage_monitor, &config, &task_manager)?;
	let worker = NodeWorker::open(worker_args, &config, core.keystore.clone())?;

	let authority_set = consensus.grandpa_link.shared_authority_set().clone();
	let net = network::build(&config, &task_manager, &core, import_queue, authority_set)?;
	tasks::run_wasm_offchain_workers(&config, &task_manager, &core, net.network.clone())?;
	if config.role.is_authority() {
		tasks::find_other_authorities(&config, &task_manager, &core, net.network.clone());
	}

	let voter_state = SharedVoterState::empty();
	let rpc = rpc_deps(&config, &core, &consensus, &voter_state, &worker)?;
	let NetworkParts { network, sync, system_rpc_tx, tx_handler_controller, votes, blobs } = net;
	let (protocol, requests) = blobs;
	blobs::serve(&task_manager, &core, worker.blobs(), network.local_peer_id(), requests);
	let peers = BlobPeers { network: network.clone(), sync: sync.clone(), protocol };
	worker.spawn(&config, &task_manager, &core, peers);
	let settings = Settings::of(&config);
	let Consensus { block_import, babe_link, grandpa_link, mut telemetry, .. } = consensus;
	// Before consensus: this puts the session keys of `--dev` and `--alice` into the keystore, and GRANDPA
	// looks for its key only when it starts and when the validators change.
	sc_service::spawn_tasks(SpawnTasksParams {
		config,
		client: core.client.clone(),
		backend: core.backend.clone(),
		task_manager: &mut task_manager,
		keystore: core.keystore.clone(),
		transaction_pool: core.pool.clone(),
		rpc_builder: Box::new(move |subscriptions| rpc::methods(&rpc, subscriptions)),
		network: network.clone(),
		system_rpc_tx,
		tx_handler_controller,
		sync_service: sync.clone(),
		telemetry: telemetry.as_mut(),
		tracing_execute_block: None,
	})?;
	let telemetry = telemetry.as_ref().map(|telemetry| telemetry.handle());
	if settings.role.is_authority() {
		let author = Author { sync: sync.clone(), block_import, babe_link, telemetry: telemetry.clone() };
		authoring::start_author(&settings, &task_manager, &core, author)?;
	}
	if !settings.disable_grandpa {
		let voter = Voter { link: grandpa_link, network, sync, votes, voter_state, telemetry };
		authoring::start_voter(settings, &task_manager, &core, voter)?;
	}
	Ok(task_manager)
}

fn rpc_deps(
	config: &Configuration,
	core: &Core,
	consensus: &Consensus,
	voter_state: &SharedVoterState,
	worker: &NodeWorker,
) -> Result<RpcDeps, Error> {
	let authority_set = consensus.grandpa_link.shared_authority_set().clone();
	Ok(RpcDeps {
		core: core.clone(),
		chain_spec: config.chain_spec.cloned_box(),
		babe_worker: consensus.babe_worker.clone(),
		finality_proofs: FinalityProofProvider::new_for_service(
			core.backend.clone(),
			Some(authority_set.clone()),
		),
		authority_set,
		voter_state: voter_state.clone(),
		justifications: consensus.grandpa_link.justification_stream(),
		worker: worker.rpc()?,
	})
}
