//! The node's part in serving GPUs: opens the blob store, which every node has, offers it over RPC, and
//! spawns the worker where the operator asked for one.

use crate::service::{BlobPeers, Core, FullBackend};
use jsonrpsee::RpcModule;
use millrace_offchain_worker::{
	Blobs, Worker, WorkerArgs, WorkerConfig, WorkerParams, WorkerStatusHandle, DEFAULT_MAX_BLOB_MIB,
	LOG_TARGET,
};
use millrace_worker_signing::Signer;
use sc_service::{config::RpcConfiguration, Configuration, Error, TaskManager};
use sp_keystore::KeystorePtr;
use std::sync::Arc;

/// Room that a request needs beside the blob in it: method, identifiers, quotation marks.
const ENVELOPE_BYTES: u64 = 1024;

/// Blob store and worker of this node, before the worker runs.
pub(crate) struct NodeWorker {
	/// Whether the operator asked for a worker.
	wanted: bool,
	config: WorkerConfig,
	blobs: Blobs,
	status: WorkerStatusHandle,
}

impl NodeWorker {
	/// Opens the blob store in the chain's folder.
	pub(crate) fn open(
		args: &WorkerArgs,
		config: &Configuration,
		keystore: KeystorePtr,
	) -> Result<Self, Error> {
		let status =
			if args.worker { WorkerStatusHandle::running(keystore) } else { WorkerStatusHandle::off() };
		let worker = args.config(&config.data_path).map_err(|error| Error::Application(Box::new(error)))?;
		let blobs = Blobs::open(worker.blob_dir(), worker.blob_limits())
			.map_err(|error| Error::Application(Box::new(error)))?;
		let opened = Self { wanted: args.worker, config: worker, blobs, status };
		opened.warn_of_small_messages(&config.rpc);
		Ok(opened)
	}

	/// The methods `blob_*` and `worker_*`.
	pub(crate) fn rpc(&self) -> Result<RpcModule<()>, Error> {
		let pull_dir = self.config.data_dir.join("pulling");
		millrace_offchain_worker::rpc(self.blobs.clone(), self.status.clone(), pull_dir)
			.map_err(|error| Error::Application(Box::new(error)))
	}

	/// The blob store.
	pub(crate) fn blobs(&self) -> Blobs {
		self.blobs.clone()
	}

	/// Spawns the worker if it was asked for. The node goes on without it, so its task is not essential.
	pub(crate) fn spawn(self, config: &Configuration, tasks: &TaskManager, core: &Core, peers: BlobPeers) {
		if !self.wanted {
			return;
		}
		let worker = Worker::new(WorkerParams {
			signer: Arc::new(Signer::<_, FullBackend>::new(core.client.clone(), core.keystore.clone())),
			client: core.client.clone(),
			pool: core.pool.clone(),
			keystore: core.keystore.clone(),
			blobs: self.blobs,
			config: self.config,
			registry: config.prometheus_registry().cloned(),
			sync_oracle: peers.sync.clone(),
			network: Some(Arc::new(peers)),
			status: self.status,
		});
		tasks.spawn_handle().spawn("gpu-worker", Some("gpu-worker"), worker.run());
	}

	/// A blob travels as hexadecimal digits in one message; says so if the largest blob does not fit into it.
	fn warn_of_small_messages(&self, rpc: &RpcConfiguration) {
		let needed = message_bytes(self.config.max_blob_bytes);
		let in_mib = |limit: u32| u64::from(limit) * 1024 * 1024;
		for endpoint in rpc.addr.iter().flatten() {
			let smallest = endpoint.max_payload_in_mb.min(endpoint.max_payload_out_mb);
			if in_mib(smallest) < needed {
				log::warn!(
					target: LOG_TARGET,
					"RPC on {} takes messages of {smallest} MiB, but a blob of --worker-max-blob needs \
					 {} MiB: raise --rpc-max-request-size and --rpc-max-response-size, or lower \
					 --worker-max-blob.",
					endpoint.listen_addr,
					needed.div_ceil(1024 * 1024),
				);
			}
		}
	}
}

/// Bytes of a message that carries a blob of this length.
const fn message_bytes(blob: u32) -> u64 {
	blob as u64 * 2 + ENVELOPE_BYTES
}

/// The default blob fits into the default message, and the help text's advice, to raise the limits above 7 MiB, is right.
const _: () = {
	let message = sc_cli::RPC_DEFAULT_MAX_REQUEST_SIZE_MB as u64 * 1024 * 1024;
	assert!(message_bytes(DEFAULT_MAX_BLOB_MIB << 20) <= message);
	assert!(message_bytes(7 << 20) <= message && message_bytes(8 << 20) > message);
};
