//! The worker and its loop: wait for anything to happen, then take one step.

use crate::{
	bidding::Bidding,
	chain::Chain,
	checkpoints::Checkpoints,
	containers::Containers,
	devices::Devices,
	disk::{at, BlobError},
	evidence::Evidence,
	exchange::{BlobNetwork, Exchange},
	executors::Executors,
	health::HealthWatch,
	jobs::JobContext,
	kernels::Kernels,
	metrics::Metrics,
	notice::Notice,
	reports::Usage,
	results::Results,
	submit::Submitter,
	tasks::Tasks,
	Blobs, SignWorkerCall, WorkerConfig, WorkerStatusHandle, LOG_TARGET,
};
use frame_system_rpc_runtime_api::AccountNonceApi;
use futures::StreamExt;
use millrace_executor::Executor;
use millrace_primitives::{
	leases_api::LeasesApi, worker_api::WorkerApi, AccountId, Hash, Header, LeaseId, Nonce,
};
use sc_client_api::BlockchainEvents;
use sc_transaction_pool_api::TransactionPool;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_consensus::SyncOracle;
use sp_keystore::KeystorePtr;
use sp_runtime::traits::Block as BlockT;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;
use tokio::time::{Instant, MissedTickBehavior};

/// A step is taken at least this often, so that waits end even while no block comes.
const TICK: Duration = Duration::from_secs(1);
/// Wait before the worker's folder is opened again after a failure.
const FOLDER_RETRY: Duration = Duration::from_secs(30);

/// What a worker needs of its node.
pub struct WorkerParams<Block: BlockT, Client, Pool> {
	/// The client: chain state and notifications.
	pub client: Arc<Client>,
	/// Where transactions go.
	pub pool: Arc<Pool>,
	/// Where the keys of worker and bidder are.
	pub keystore: KeystorePtr,
	/// Makes the transactions.
	pub signer: Arc<dyn SignWorkerCall<Block>>,
	/// The blob store, shared with [`crate::rpc`].
	pub blobs: Blobs,
	/// Configuration.
	pub config: WorkerConfig,
	/// Where to register metrics.
	pub registry: Option<Registry>,
	/// Tells whether the node is still syncing.
	pub sync_oracle: Arc<dyn SyncOracle + Send + Sync>,
	/// The peers, for blobs that a job lacks; `None` for a worker that asks nobody.
	pub network: Option<Arc<dyn BlobNetwork>>,
	/// Where the worker says how it is; shared with [`crate::rpc`].
	pub status: WorkerStatusHandle,
}

/// The worker.
pub struct Worker<Block: BlockT, Client, Pool> {
	params: WorkerParams<Block, Client, Pool>,
}

/// The worker while it runs. Its steps are in [`crate::step`].
pub(crate) struct Running<Block: BlockT, Client, Pool: TransactionPool> {
	pub(crate) chain: Chain<Block, Client>,
	pub(crate) keystore: KeystorePtr,
	pub(crate) sync_oracle: Arc<dyn SyncOracle + Send + Sync>,
	/// What jobs share, and the worker uses as well.
	pub(crate) context: Arc<JobContext>,
	pub(crate) submitter: Submitter<Block, Pool>,
	pub(crate) devices: Devices,
	/// When to look for devices, while there are none.
	pub(crate) next_search: Option<Instant>,
	/// Why the last search found none.
	pub(crate) search_error: String,
	pub(crate) tasks: Tasks,
	/// The GPUs' own word.
	pub(crate) health: HealthWatch,
	/// Energy that the GPUs of a lease had taken when its job started, in millijoules.
	pub(crate) energy: BTreeMap<LeaseId, u64>,
	/// Leases whose job could not be served by this machine, and until when they wait.
	pub(crate) waiting: BTreeMap<LeaseId, Instant>,
	pub(crate) usage: Usage,
	pub(crate) bidding: Bidding<Block, Pool>,
	pub(crate) notice: Notice,
}

impl<Block, Client, Pool> Worker<Block, Client, Pool>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block> + BlockchainEvents<Block> + Send + Sync + 'static,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
	Pool: TransactionPool<Block = Block> + 'static,
{
	/// A worker that is ready to run. Does nothing yet.
	pub fn new(params: WorkerParams<Block, Client, Pool>) -> Self {
		Self { params }
	}

	/// Runs for as long as the node does. Spawn it as a task that is not essential, on a tokio runtime.
	pub async fn run(self) {
		let executor = Executor::new(self.params.config.executor.clone());
		let client = self.params.client.clone();
		let mut imports = client.import_notification_stream();
		let mut finalised = client.finality_notification_stream();
		let mut tick = tokio::time::interval(TICK);
		tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
		let mut running = Running::start(self.params, Arc::new(executor)).await;
		log::info!(target: LOG_TARGET, "worker started; {} results to report", running.context.results.len());
		loop {
			// Each of these waits can be dropped without losing anything. What to do is read from the chain, not from the events.
			tokio::select! {
				import = imports.next() => match import {
					Some(import) if import.is_new_best => {},
					Some(_) => continue,
					None => return,
				},
				block = finalised.next() => if block.is_none() {
					return;
				},
				message = running.health.next() => running.on_health(message),
				end = running.tasks.next() => running.on_task_end(end),
				news = running.submitter.next() => running.on_news(news),
				news = running.bidding.submitter.next() => running.on_news(news),
				_ = tick.tick() => {},
			}
			running.step().await;
		}
	}
}

impl<Block, Client, Pool> Running<Block, Client, Pool>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
	Pool: TransactionPool<Block = Block> + 'static,
{
	/// Opens the worker's folder, however long that takes.
	pub(crate) async fn start(
		params: WorkerParams<Block, Client, Pool>,
		executors: Arc<dyn Executors>,
	) -> Self {
		let WorkerParams {
			client,
			pool,
			keystore,
			signer,
			blobs,
			config,
			registry,
			sync_oracle,
			network,
			status,
		} = params;
		let chain = Chain::new(client);
		let genesis = chain.genesis();
		let mut notice = Notice::default();
		let open = || {
			let folder = |name| config.data_dir.join(name);
			let fetching = folder("fetching");
			let exchange =
				Exchange::open(network.clone(), keystore.clone(), blobs.clone(), fetching.clone(), genesis);
			Ok::<_, BlobError>((
				Results::open(folder("results"), genesis)?,
				Evidence::open(folder("evidence"), genesis, blobs.clone())?,
				Kernels::open(folder("kernels"))?,
				exchange.map_err(at(&fetching))?,
			))
		};
		let (results, evidence, kernels, exchange) = loop {
			match open() {
				Ok(folders) => break folders,
				Err(error) => {
					let text = format!("the worker cannot open its folder: {error}");
					status.update(|status| status.notice = Some(text.clone()));
					notice.set(Some(text));
					tokio::time::sleep(FOLDER_RETRY).await;
				}
			}
		};
		let context = JobContext {
			executors,
			kernels,
			exchange,
			containers: Containers::new(config.containers.clone()),
			checkpoints: Checkpoints::new(blobs.clone()),
			blobs,
			results,
			evidence,
			metrics: Metrics::new(registry.as_ref()),
			status,
			config,
			genesis,
		};
		for result in context.results.all().values() {
			context.status.update_job(result.lease, result.job, result.plan, |status| {
				crate::jobs::show_result(status, result);
			});
		}
		Self {
			chain,
			keystore,
			sync_oracle,
			bidding: Bidding::new(context.config.bid_policy.clone(), pool.clone(), signer.clone()),
			submitter: Submitter::new(pool, signer),
			devices: Devices::default(),
			next_search: Some(Instant::now()),
			search_error: "still looking".into(),
			tasks: Tasks::default(),
			health: HealthWatch::default(),
			energy: BTreeMap::new(),
			waiting: BTreeMap::new(),
			usage: Usage::default(),
			context: Arc::new(context),
			notice,
		}
	}
}
