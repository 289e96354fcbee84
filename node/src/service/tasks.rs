//! Tasks beside consensus: watching the disk, finding other validators, and the runtime's own off-chain hook.

use super::Core;
use futures::{FutureExt, StreamExt};
use sc_client_api::Backend;
use sc_network::{service::traits::NetworkService, Event};
use sc_offchain::{OffchainWorkerOptions, OffchainWorkers};
use sc_service::{Configuration, Error, TaskManager};
use sc_storage_monitor::{StorageMonitorParams, StorageMonitorService};
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::sync::Arc;

/// Stops the node in good order before its disk is full: a database that cannot write is a database to
/// restore.
pub(super) fn watch_disk(
	params: &StorageMonitorParams,
	config: &Configuration,
	tasks: &TaskManager,
) -> Result<(), Error> {
	let Some(database) = config.database.path() else { return Ok(()) };
	StorageMonitorService::try_spawn(params.clone(), database.to_path_buf(), &tasks.spawn_essential_handle())
		.map_err(|error| Error::Application(Box::new(error)))
}

/// Publishes this validator's addresses under its session key, and looks up those of the others.
pub(super) fn find_other_authorities(
	config: &Configuration,
	tasks: &TaskManager,
	core: &Core,
	network: Arc<dyn NetworkService>,
) {
	let dht_events = network.event_stream("authority-discovery").filter_map(|event| async move {
		match event {
			Event::Dht(event) => Some(event),
			_ => None,
		}
	});
	let (worker, _service) = sc_authority_discovery::new_worker_and_service_with_config(
		sc_authority_discovery::WorkerConfig {
			publish_non_global_ips: config.network.allow_non_globals_in_dht,
			public_addresses: config.network.public_addresses.clone(),
			// No node of this chain has ever published unsigned records.
			strict_record_validation: true,
			persisted_cache_directory: config.network.net_config_path.clone(),
			..Default::default()
		},
		core.client.clone(),
		Arc::new(network),
		Box::pin(dht_events),
		sc_authority_discovery::Role::PublishAndDiscover(core.keystore.clone()),
		config.prometheus_registry().cloned(),
		tasks.spawn_handle(),
	);
	tasks.spawn_handle().spawn("authority-discovery-worker", Some("networking"), worker.run());
}

/// Runs the pallets' `offchain_worker` hooks at every best block. The worker that serves GPUs is not among
/// them: it is a native task.
pub(super) fn run_wasm_offchain_workers(
	config: &Configuration,
	tasks: &TaskManager,
	core: &Core,
	network: Arc<dyn NetworkService>,
) -> Result<(), Error> {
	if !config.offchain_worker.enabled {
		return Ok(());
	}
	let workers = OffchainWorkers::new(OffchainWorkerOptions {
		runtime_api_provider: core.client.clone(),
		keystore: Some(core.keystore.clone()),
		offchain_db: core.backend.offchain_storage(),
		transaction_pool: Some(OffchainTransactionPoolFactory::new(core.pool.clone())),
		network_provider: Arc::new(network),
		is_validator: config.role.is_authority(),
		// No pallet asks for it, and a runtime has no business on this machine's network.
		enable_http_requests: false,
		custom_extensions: |_| Vec::new(),
	})?;
	let spawner = tasks.spawn_handle();
	tasks.spawn_handle().spawn("offchain-workers-runner", Some("offchain-worker"), {
		workers.run(core.client.clone(), spawner).boxed()
	});
	Ok(())
}
