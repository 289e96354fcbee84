//! The peer-to-peer network: litep2p, synchronisation with GRANDPA's warp proofs, and the channel on which
//! GRANDPA's votes travel.

use super::{
	blobs::{self, Requests},
	Core,
};
use millrace_primitives::{BlockNumber, Hash};
use millrace_runtime::opaque::Block;
use sc_client_api::HeaderBackend;
use sc_consensus::DefaultImportQueue;
use sc_consensus_grandpa::{warp_proof::NetworkProvider, SharedAuthoritySet};
use sc_network::{
	config::FullNetworkConfiguration, service::traits::NetworkService, Litep2pNetworkBackend as Litep2p,
	NetworkBackend, NotificationService, ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::{BuildNetworkParams, Configuration, Error, TaskManager, WarpSyncConfig};
use sc_utils::mpsc::TracingUnboundedSender;
use std::sync::Arc;

/// The running network.
pub(super) struct NetworkParts {
	pub(super) network: Arc<dyn NetworkService>,
	pub(super) sync: Arc<SyncingService<Block>>,
	pub(super) system_rpc_tx: TracingUnboundedSender<sc_rpc::system::Request<Block>>,
	pub(super) tx_handler_controller: sc_network_transactions::TransactionsHandlerController<Hash>,
	pub(super) votes: VoteChannel,
	/// The protocol of blobs, and the requests of other nodes.
	pub(super) blobs: (ProtocolName, Requests),
}

/// Where GRANDPA's votes are sent and received.
pub(super) struct VoteChannel {
	pub(super) protocol: ProtocolName,
	pub(super) notifications: Box<dyn NotificationService>,
}

/// Starts the network.
pub(super) fn build(
	config: &Configuration,
	tasks: &TaskManager,
	core: &Core,
	import_queue: DefaultImportQueue<Block>,
	authority_set: SharedAuthoritySet<Hash, BlockNumber>,
) -> Result<NetworkParts, Error> {
	let registry = config.prometheus_registry();
	let mut net_config =
		FullNetworkConfiguration::<Block, Hash, Litep2p>::new(&config.network, registry.cloned());
	let metrics = <Litep2p as NetworkBackend<Block, Hash>>::register_notification_metrics(registry);

	let genesis = core.client.info().genesis_hash;
	let protocol = sc_consensus_grandpa::protocol_standard_name(&genesis, &config.chain_spec);
	let (votes, notifications) = sc_consensus_grandpa::grandpa_peers_set_config::<Block, Litep2p>(
		protocol.clone(),
		metrics.clone(),
		net_config.peer_store_handle(),
	);
	net_config.add_notification_protocol(votes);
	let (blob_protocol, blob_name, blob_requests) = blobs::protocol(genesis, &*config.chain_spec);
	net_config.add_request_response_protocol(blob_protocol);

	let warp_proofs = Arc::new(NetworkProvider::new(core.backend.clone(), authority_set, Vec::new()));
	let (network, system_rpc_tx, tx_handler_controller, sync, _bitswap) =
		sc_service::build_network(BuildNetworkParams {
			config,
			net_config,
			client: core.client.clone(),
			transaction_pool: core.pool.clone(),
			spawn_handle: tasks.spawn_handle(),
			spawn_essential_handle: tasks.spawn_essential_handle(),
			import_queue,
			block_announce_validator_builder: None,
			warp_sync_config: Some(WarpSyncConfig::WithProvider(warp_proofs)),
			block_relay: None,
			metrics,
			// By the pruning settings: archive nodes fetch the bodies of blocks that warp sync skipped,
			// others do not.
			gap_sync_body_policy: None,
		})?;
	Ok(NetworkParts {
		network,
		sync,
		system_rpc_tx,
		tx_handler_controller,
		votes: VoteChannel { protocol, notifications },
		blobs: (blob_name, blob_requests),
	})
}
