//! Blobs between nodes: the protocol's place in the network, the task that answers, and the network as the worker sees it.

use crate::service::Core;
use futures::{
	future::{BoxFuture, FutureExt},
	StreamExt,
};
use millrace_offchain_worker::{
	AskError, BlobNetwork, BlobServer, Blobs, Peer, BLOB_PROTOCOL, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES,
};
use millrace_primitives::Hash;
use millrace_runtime::opaque::Block;
use sc_network::{
	request_responses::{IncomingRequest, OutgoingResponse},
	service::traits::{NetworkRequest, NetworkService},
	IfDisconnected, Litep2pNetworkBackend as Litep2p, NetworkBackend, NetworkStateInfo, PeerId, ProtocolName,
};
use sc_network_sync::SyncingService;
use sc_service::{ChainSpec, TaskManager};
use std::{sync::Arc, time::Duration};

/// How long a request may take, from the asker's side.
const PATIENCE: Duration = Duration::from_secs(20);
/// Requests that wait to be answered. More are refused by the network.
const WAITING: usize = 64;
/// Requests that are answered at a time.
const AT_ONCE: usize = 4;

/// The protocol's configuration for the network.
pub(super) type ProtocolConfig = <Litep2p as NetworkBackend<Block, Hash>>::RequestResponseProtocolConfig;
/// Requests of other nodes.
pub(super) type Requests = async_channel::Receiver<IncomingRequest>;

/// The protocol's name on this chain.
fn name(genesis: Hash, spec: &dyn ChainSpec) -> ProtocolName {
	let fork = spec.fork_id().map(|fork| format!("/{fork}")).unwrap_or_default();
	format!("/{genesis:x}{fork}{BLOB_PROTOCOL}").into()
}

/// The protocol, and where its requests arrive.
pub(super) fn protocol(genesis: Hash, spec: &dyn ChainSpec) -> (ProtocolConfig, ProtocolName, Requests) {
	let (sender, requests) = async_channel::bounded(WAITING);
	let name = name(genesis, spec);
	let config = <Litep2p as NetworkBackend<Block, Hash>>::request_response_config(
		name.clone(),
		Vec::new(),
		MAX_REQUEST_BYTES as u64,
		MAX_ANSWER_BYTES as u64,
		PATIENCE,
		Some(sender),
	);
	(config, name, requests)
}

/// Answers other nodes' requests, as a task of its own. The node goes on without it.
pub(super) fn serve(tasks: &TaskManager, core: &Core, blobs: Blobs, local: PeerId, requests: Requests) {
	let server = Arc::new(BlobServer::new(core.client.clone(), blobs, local.to_bytes()));
	let answer = move |request: IncomingRequest| {
		let server = server.clone();
		async move {
			let IncomingRequest { peer, payload, pending_response } = request;
			let answered =
				tokio::task::spawn_blocking(move || server.answer(&peer.to_bytes(), &payload)).await;
			// Whoever asked may have gone away meanwhile.
			let _ = pending_response.send(OutgoingResponse {
				result: answered.map_err(|_| ()),
				reputation_changes: Vec::new(),
				sent_feedback: None,
			});
		}
	};
	let serving = requests.for_each_concurrent(AT_ONCE, answer);
	tasks.spawn_handle().spawn("blob-server", Some("networking"), serving);
}

/// The network, for the worker.
pub(crate) struct Network {
	pub(super) network: Arc<dyn NetworkService>,
	pub(crate) sync: Arc<SyncingService<Block>>,
	pub(super) protocol: ProtocolName,
}

fn as_peer(peer: PeerId) -> Peer {
	Peer { name: peer.to_base58(), id: peer.to_bytes() }
}

impl BlobNetwork for Network {
	fn local(&self) -> Peer {
		as_peer(self.network.local_peer_id())
	}

	fn peers(&self) -> BoxFuture<'static, Vec<Peer>> {
		let sync = self.sync.clone();
		async move {
			// No answer means that the node ends.
			let peers = sync.peers_info().await.unwrap_or_default();
			peers.into_iter().map(|(peer, _)| as_peer(peer)).collect()
		}
		.boxed()
	}

	fn ask(&self, peer: Peer, request: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, AskError>> {
		let (network, protocol) = (self.network.clone(), self.protocol.clone());
		async move {
			let unreachable = |why: String| AskError::Unreachable(why);
			let id = PeerId::from_bytes(&peer.id).map_err(|error| unreachable(error.to_string()))?;
			let answer = network.request(id, protocol, request, None, IfDisconnected::ImmediateError).await;
			answer.map(|(bytes, _)| bytes).map_err(|error| unreachable(error.to_string()))
		}
		.boxed()
	}
}
