//! What a running node and the chain operations (`check-block`, `import-blocks`, `revert`, ...) have in
//! common: database, client, transaction pool, and the import queue with its consensus checks.

use millrace_runtime::{opaque::Block, RuntimeApi};
use sc_consensus::DefaultImportQueue;
use sc_consensus_babe::{BabeBlockImport, BabeLink, BabeWorkerHandle, ImportQueueParams};
use sc_consensus_grandpa::{GrandpaBlockImport, GrandpaPruningFilter, LinkHalf};
use sc_executor::{HeapAllocStrategy, WasmExecutor, DEFAULT_HEAP_ALLOC_STRATEGY};
use sc_service::{
	config::ExecutorConfiguration, Configuration, Error, PartialComponents, TFullBackend, TFullClient,
	TaskManager,
};
use sc_telemetry::{Telemetry, TelemetryWorker};
use sc_transaction_pool::TransactionPoolHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_consensus_babe::inherents::{BabeCreateInherentDataProviders, InherentDataProvider as SlotInherent};
use sp_timestamp::InherentDataProvider as TimestampInherent;
use std::{path::Path, sync::Arc};

/// Runs the runtime's Wasm with Substrate's host functions and no others, so that every Substrate tool can
/// load it.
type Executor = WasmExecutor<sp_io::SubstrateHostFunctions>;
/// Access to blocks and state.
pub(crate) type FullClient = TFullClient<Block, RuntimeApi, Executor>;
/// The database.
pub(crate) type FullBackend = TFullBackend<Block>;
/// The longest chain that has everything finalised in it.
pub(crate) type FullSelectChain = sc_consensus::LongestChain<FullBackend, Block>;
/// The transaction pool.
pub(crate) type FullPool = TransactionPoolHandle<Block, FullClient>;
/// GRANDPA's half of the import queue's checks.
type FinalityImport = GrandpaBlockImport<FullBackend, Block, FullClient, FullSelectChain>;
/// Checks and imports blocks: BABE's rules, then GRANDPA's.
pub(super) type FullBlockImport = BabeBlockImport<
	Block,
	FullClient,
	FinalityImport,
	BabeCreateInherentDataProviders<Block>,
	FullSelectChain,
>;
/// What GRANDPA's voter needs of its half of the import queue.
pub(super) type FinalityLink = LinkHalf<Block, FullClient, FullSelectChain>;

/// Blocks between two stored justifications: a light client has to download no more headers than that for a
/// proof.
pub(super) const JUSTIFICATION_PERIOD: u32 = 512;

/// The import queue's links to consensus.
pub(crate) struct Consensus {
	/// Where the author puts its own blocks.
	pub(super) block_import: FullBlockImport,
	/// The author's view of epochs.
	pub(super) babe_link: BabeLink<Block>,
	/// Answers questions about epochs. Its task is essential and ends with the last handle: keep one.
	pub(super) babe_worker: BabeWorkerHandle<Block>,
	/// For the voter.
	pub(super) grandpa_link: FinalityLink,
	/// Where statistics go, if anywhere.
	pub(super) telemetry: Option<Telemetry>,
}

/// Parts of a node that does not run yet.
pub(crate) type Parts = PartialComponents<
	FullClient,
	FullBackend,
	FullSelectChain,
	DefaultImportQueue<Block>,
	FullPool,
	Consensus,
>;

/// Opens the database and makes everything that reads or writes it. Compiled runtimes are kept in `wasm_cache`, if that is named.
pub(crate) fn new_partial(config: &Configuration, wasm_cache: Option<&Path>) -> Result<Parts, Error> {
	let telemetry = open_telemetry(config)?;
	let executor = new_executor(&config.executor, wasm_cache);
	// Without GRANDPA's filter a node that prunes blocks would drop the justifications that warp sync needs.
	let (client, backend, keystore_container, task_manager) =
		sc_service::new_full_parts::<Block, RuntimeApi, _>(
			config,
			telemetry.as_ref().map(|(_, telemetry)| telemetry.handle()),
			executor,
			vec![Arc::new(GrandpaPruningFilter)],
		)?;
	let client = Arc::new(client);
	let telemetry = telemetry.map(|(worker, telemetry)| {
		task_manager.spawn_handle().spawn("telemetry", None, worker.run());
		telemetry
	});
	let select_chain = sc_consensus::LongestChain::new(backend.clone());
	let transaction_pool = open_pool(config, &task_manager, client.clone());
	let (import_queue, consensus) = build_import_queue(
		config,
		&task_manager,
		&client,
		select_chain.clone(),
		&transaction_pool,
		telemetry,
	)?;
	Ok(PartialComponents {
		client,
		backend,
		task_manager,
		keystore_container,
		select_chain,
		import_queue,
		transaction_pool,
		other: consensus,
	})
}

/// What `sc_service::new_wasm_executor` makes, with a cache.
fn new_executor(config: &ExecutorConfiguration, cache: Option<&Path>) -> Executor {
	let extra_pages = |pages| HeapAllocStrategy::Static { extra_pages: pages };
	let heap = config
		.default_heap_pages
		.and_then(|pages| u32::try_from(pages).ok())
		.map_or(DEFAULT_HEAP_ALLOC_STRATEGY, extra_pages);
	let builder = Executor::builder()
		.with_execution_method(config.wasm_method)
		.with_onchain_heap_alloc_strategy(heap)
		.with_offchain_heap_alloc_strategy(heap)
		.with_max_runtime_instances(config.max_runtime_instances)
		.with_runtime_cache_size(config.runtime_cache_size);
	match cache {
		Some(folder) => builder.with_cache_path(folder).build(),
		None => builder.build(),
	}
}

fn open_telemetry(config: &Configuration) -> Result<Option<(TelemetryWorker, Telemetry)>, Error> {
	let Some(endpoints) = config.telemetry_endpoints.clone().filter(|endpoints| !endpoints.is_empty()) else {
		return Ok(None);
	};
	let worker = TelemetryWorker::new(16)?;
	let telemetry = worker.handle().new_telemetry(endpoints);
	Ok(Some((worker, telemetry)))
}

fn open_pool(config: &Configuration, tasks: &TaskManager, client: Arc<FullClient>) -> Arc<FullPool> {
	let pool = sc_transaction_pool::Builder::new(
		tasks.spawn_essential_handle(),
		client,
		config.role.is_authority().into(),
	)
	.with_options(config.transaction_pool.clone())
	.with_prometheus(config.prometheus_registry())
	.build();
	Arc::new(pool)
}

fn build_import_queue(
	config: &Configuration,
	tasks: &TaskManager,
	client: &Arc<FullClient>,
	select_chain: FullSelectChain,
	pool: &Arc<FullPool>,
	telemetry: Option<Telemetry>,
) -> Result<(DefaultImportQueue<Block>, Consensus), Error> {
	let telemetry_handle = telemetry.as_ref().map(|telemetry| telemetry.handle());
	let (finality_import, grandpa_link) = sc_consensus_grandpa::block_import(
		client.clone(),
		JUSTIFICATION_PERIOD,
		client,
		select_chain.clone(),
		telemetry_handle.clone(),
	)?;
	let babe = sc_consensus_babe::configuration(&**client)?;
	let slot_duration = babe.slot_duration();
	let (block_import, babe_link) = sc_consensus_babe::block_import(
		babe,
		finality_import.clone(),
		client.clone(),
		slot_inherents(slot_duration),
		select_chain,
		OffchainTransactionPoolFactory::new(pool.clone()),
	)?;
	let (import_queue, babe_worker) = sc_consensus_babe::import_queue(ImportQueueParams {
		link: babe_link.clone(),
		block_import: block_import.clone(),
		justification_import: Some(Box::new(finality_import)),
		client: client.clone(),
		slot_duration,
		spawner: &tasks.spawn_essential_handle(),
		registry: config.prometheus_registry(),
		telemetry: telemetry_handle,
	})?;
	Ok((import_queue, Consensus { block_import, babe_link, babe_worker, grandpa_link, telemetry }))
}

/// What a block says about its time: the slot, and the timestamp that the slot follows from.
pub(super) fn slot_inherents(
	slot_duration: sp_consensus_babe::SlotDuration,
) -> BabeCreateInherentDataProviders<Block> {
	Arc::new(move |_parent, ()| async move {
		let timestamp = TimestampInherent::from_system_time();
		let slot = SlotInherent::from_timestamp_and_slot_duration(*timestamp, slot_duration);
		Ok((slot, timestamp))
	})
}
