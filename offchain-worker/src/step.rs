//! One step of the worker: read what the chain wants, and do what is missing.

use crate::{
	call::WorkerCall,
	chain::{accounts_of, BlockId, Heads},
	devices::{Devices, Health},
	jobs::{outcome_name, DeviceAfter, Ending, JobEnd},
	reconcile::{reconcile, Action, Actual},
	reports,
	results::JobKey,
	status::{DeviceStatus, JobPhase, LeaseBrief},
	submit::{LogicalId, Moorings, News},
	tasks::TaskEnd,
	worker::Running,
	LOG_TARGET,
};
use frame_system_rpc_runtime_api::AccountNonceApi;
use millrace_executor::{Kind, MonitorMessage};
use millrace_primitives::{
	leases_api::LeasesApi,
	worker_api::{JobView, WorkerApi, WorkerView},
	worker_key::KEY_TYPE as WORKER_KEY,
	AccountId, GpuIndex, Hash, Header, LeaseId, Nonce,
};
use sc_transaction_pool_api::TransactionPool;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::sr25519;
use sp_runtime::traits::Block as BlockT;
use std::time::Duration;
use tokio::time::Instant;

/// Wait before devices are looked for again.
const SEARCH_RETRY: Duration = Duration::from_secs(60);
/// Wait before a job that this machine could not serve is tried again.
const UNSERVED_RETRY: Duration = Duration::from_secs(30);

/// The worker's identity in one step.
struct Identity {
	key: sr25519::Public,
	account: AccountId,
}

impl<Block, Client, Pool> Running<Block, Client, Pool>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
	Pool: TransactionPool<Block = Block> + 'static,
{
	/// Takes one step. It never fails: what went wrong is told, and tried again in the next step.
	pub(crate) async fn step(&mut self) {
		let notice = if self.sync_oracle.is_major_syncing() {
			Some("the node is syncing; the worker waits until it has caught up".into())
		} else {
			self.follow().await.unwrap_or_else(Some)
		};
		self.notice.set(notice);
		self.publish();
	}

	/// Follows the chain. Returns what the operator should know; the error is what went wrong.
	async fn follow(&mut self) -> Result<Option<String>, String> {
		let heads = self.chain.heads();
		for news in self.submitter.expire(&heads) {
			self.on_news(news);
		}
		self.look_after_devices();
		let Some(identity) = self.identity(heads.best)? else {
			return Ok(Some(
				"no worker key in the keystore: insert an sr25519 key of type `gpuw` with the node's `key insert` \
				 command or the RPC method `author_insertKey`"
					.into(),
			));
		};
		let view = self.chain.view(heads.finalised.1, &identity.account).map_err(|error| {
			format!("the chain's view at finalised block {} cannot be read: {error}", heads.finalised.0)
		})?;
		let worked = self.work(view, &identity, &heads).await;
		let view = self.chain.view(heads.best.1, &identity.account).map_err(|error| {
			format!("the chain's view at best block {} cannot be read: {error}", heads.best.0)
		})?;
		let reported = self.report(view.as_ref(), &identity, &heads).await;
		if let Some(view) = &view {
			self.bid(view, &heads).await;
		}
		let notice = reported?;
		worked.map(|()| notice)
	}

	/// The key that the worker acts by: the first that is a provider's worker at the block, or else the first.
	fn identity(&self, best: BlockId) -> Result<Option<Identity>, String> {
		let keys = accounts_of(&self.keystore, WORKER_KEY);
		let mut chosen = keys.first().cloned();
		if keys.len() > 1 {
			for (key, account) in keys {
				let view = self.chain.view(best.1, &account);
				if view.map_err(|error| format!("the chain cannot be read: {error}"))?.is_some() {
					chosen = Some((key, account));
					break;
				}
			}
		}
		if let Some((key, _)) = &chosen {
			self.context.exchange.stand(*key, best.0);
		}
		let identity = chosen.map(|(key, account)| Identity { key, account });
		self.context
			.status
			.update(|status| status.worker = identity.as_ref().map(|identity| identity.account.clone()));
		Ok(identity)
	}

	fn look_after_devices(&mut self) {
		if self.next_search.is_some_and(|at| Instant::now() >= at) {
			self.next_search = None;
			self.tasks.search(&self.context);
		}
		while let Some(device) = self.devices.start_probe() {
			self.tasks.probe(&self.context, device.info, device.hash);
		}
	}

	/// Starts, stops, submits and forgets, by the view at the finalised block.
	async fn work(
		&mut self,
		view: Option<WorkerView<AccountId>>,
		identity: &Identity,
		heads: &Heads,
	) -> Result<(), String> {
		let now = Instant::now();
		self.waiting.retain(|_, until| *until > now);
		let actual = Actual {
			running: self.tasks.running_jobs(),
			stored: self.context.results.all(),
			usable: view.as_ref().map(|view| self.devices.usable(view)).unwrap_or_default(),
			waiting: self.waiting.keys().copied().collect(),
		};
		let mut outcome = Ok(());
		for action in reconcile(view.as_ref(), &actual) {
			let done = match action {
				Action::Kill { lease } => {
					log::info!(target: LOG_TARGET, "lease {lease}: its job is no longer wanted; stopped");
					self.tasks.kill(lease);
					Ok(())
				}
				Action::Start { lease, job, gpus } => {
					self.start_job(view.as_ref(), lease, job, &gpus);
					Ok(())
				}
				Action::Submit { key } => self.submit_result(key, identity, heads).await,
				Action::Forget { key } => self.forget(key, view.as_ref()),
			};
			// One action's trouble does not hold up the others.
			outcome = outcome.and(done);
		}
		if let Some(view) = &view {
			self.usage.keep(view);
			let contestable =
				|lease, ended_at| self.chain.can_be_contested(heads.finalised.1, lease, ended_at);
			let followed = self.context.evidence.follow(view.now, &self.context.results, contestable);
			outcome = outcome.and(followed);
		}
		self.publish_leases(view.as_ref());
		outcome
	}

	/// Starts a job on the devices that are registered as these GPUs, all of which are idle.
	fn start_job(
		&mut self,
		view: Option<&WorkerView<AccountId>>,
		lease: LeaseId,
		job: JobView,
		gpus: &[GpuIndex],
	) {
		let device = |gpu: &GpuIndex| {
			let device = self.devices.registered(view?, *gpu)?;
			Some((device.info.clone(), device.hash))
		};
		let devices: Vec<_> = gpus.iter().filter_map(device).collect();
		for (info, hash) in &devices {
			log::info!(target: LOG_TARGET, "lease {lease}: job {} starts on {}", job.job, info.name);
			self.devices.job_starts(*hash);
		}
		let hashes: Vec<_> = devices.iter().map(|(_, hash)| *hash).collect();
		if let Some(energy) = self.devices.energy_mj(&hashes) {
			self.energy.insert(lease, energy);
		}
		self.tasks.job(&self.context, lease, job, devices);
	}

	async fn submit_result(&mut self, key: JobKey, identity: &Identity, heads: &Heads) -> Result<(), String> {
		let Some(result) = self.context.results.get(key) else { return Ok(()) };
		let call = WorkerCall::ReportJob { lease: key.0, job: key.1, outcome: result.outcome };
		self.submit(LogicalId::Job(key.0, key.1), call, identity, heads).await.map(|_| ())
	}

	fn forget(&mut self, key: JobKey, view: Option<&WorkerView<AccountId>>) -> Result<(), String> {
		let Some(result) = self.context.results.get(key) else { return Ok(()) };
		self.context.results.forget(key).map_err(|error| error.to_string())?;
		self.submitter.settled(LogicalId::Job(key.0, key.1));
		let lease_lives = view.is_some_and(|view| view.leases.iter().any(|lease| lease.lease == key.0));
		self.context.status.update_job(key.0, key.1, result.plan, |status| {
			status.phase = if lease_lives { JobPhase::Reported } else { JobPhase::Stopped };
		});
		Ok(())
	}

	/// Reports, if the view at the best block says that a report is due. Returns what the operator should know.
	async fn report(
		&mut self,
		view: Option<&WorkerView<AccountId>>,
		identity: &Identity,
		heads: &Heads,
	) -> Result<Option<String>, String> {
		self.context.status.update(|status| status.provider = view.map(|view| view.provider.clone()));
		let Some(view) = view else {
			return Ok(Some(format!(
				"{} is nobody's worker: the provider's account has to name it on chain",
				identity.account
			)));
		};
		self.context.checkpoints.follow(view);
		if self.devices.is_empty() || !self.devices.all_probed() {
			// The search and the probes say themselves what goes wrong.
			return Ok(self.devices_notice());
		}
		let health = self.devices.health(view);
		if health.is_empty() {
			return Ok(Some(
				"none of this machine's devices is registered by the provider; the RPC method `worker_devices` lists \
				 the UUID hashes to register"
					.into(),
			));
		}
		let id = LogicalId::Report(view.epoch);
		let is_late = |id: &LogicalId| matches!(id, LogicalId::Report(of) if *of != view.epoch);
		self.submitter.withdraw(is_late).await;
		if !view.report_due {
			self.submitter.settled(id);
			return Ok(None);
		}
		if heads.best.0.saturating_add(1) >= view.epoch_ends {
			// The next block is of the next epoch already, and would refuse this one's report.
			return Ok(None);
		}
		if self.submitter.landed(id).is_some() {
			log::warn!(target: LOG_TARGET, "the chain refused {id}; another one follows");
			self.context.metrics.report("refused");
		}
		let checkpoints = self.context.checkpoints.to_report(view, &self.context.results.all());
		let report = reports::build(view, &health, &self.usage, &checkpoints, heads.finalised);
		if self.submit(id, WorkerCall::Report(report.clone()), identity, heads).await? {
			self.context.checkpoints.sent(&report);
		}
		Ok(None)
	}

	async fn submit(
		&mut self,
		id: LogicalId,
		call: WorkerCall,
		identity: &Identity,
		heads: &Heads,
	) -> Result<bool, String> {
		if !self.submitter.is_free(id) {
			return Ok(false);
		}
		let nonce = self
			.chain
			.nonce(heads.best.1, &identity.account)
			.map_err(|error| format!("the worker's nonce cannot be read: {error}"))?;
		let moorings = Moorings { heads: *heads, nonce };
		self.submitter.submit(id, call, &identity.key, &moorings).await
	}

	fn devices_notice(&self) -> Option<String> {
		let searched = self.devices.is_empty() && self.next_search.is_some();
		searched.then(|| format!("no device to offer: {}", self.search_error))
	}

	/// Takes in the end of a task.
	pub(crate) fn on_task_end(&mut self, end: TaskEnd) {
		match end {
			TaskEnd::Found(Ok(found)) => {
				for device in &found {
					log::info!(target: LOG_TARGET, "found {} ({} device, {})", device.name, device.kind, device.uuid);
				}
				if found.iter().any(|device| device.kind == Kind::Cuda) {
					self.health.follow(&self.context.executors);
				}
				self.devices = Devices::new(found, &self.context.genesis);
			}
			TaskEnd::Found(Err(why)) => {
				// Said once, whatever else may be amiss; the notice repeats it while it is the only trouble.
				if self.search_error != why {
					log::warn!(target: LOG_TARGET, "no device to offer: {why}");
				}
				self.search_error = why;
				self.next_search = Some(Instant::now() + SEARCH_RETRY);
			}
			TaskEnd::Probed(device, result) => self.devices.probed(device, result),
			TaskEnd::Job { lease, devices, end } => self.on_job_end(lease, &devices, end),
		}
	}

	/// Takes in what the driver says of the GPUs.
	pub(crate) fn on_health(&mut self, message: MonitorMessage) {
		match message {
			MonitorMessage::Reading(reading) => {
				self.devices.read(&reading);
				for device in self.devices.iter() {
					self.context.metrics.telemetry(&device.hash, &device.telemetry);
				}
			}
			MonitorMessage::Xid(event) => {
				self.context.metrics.xid(event.code);
				self.devices.erred(&event);
			}
		}
	}

	fn on_job_end(&mut self, lease: LeaseId, devices: &[Hash], end: JobEnd) {
		let energy = self.energy.remove(&lease).zip(self.devices.energy_mj(devices));
		for device in devices {
			self.devices.job_ended(*device, end.device != DeviceAfter::Sound);
		}
		if let (DeviceAfter::Faulty(why), Some(device)) = (end.device, devices.first()) {
			self.devices.probed(*device, Err(why));
		}
		match end.ending {
			Ending::Stored(result) => {
				let outcome = outcome_name(&result.outcome);
				log::info!(target: LOG_TARGET, "lease {lease}: job {} {outcome} ({})", result.job, result.detail);
				self.usage.job_ended(lease, result.busy_ms);
				self.context.status.update_job(lease, result.job, result.plan, |status| {
					status.energy_joules = energy.map(|(before, after)| after.saturating_sub(before) / 1_000);
				});
				self.context.metrics.job_ended(outcome, Duration::from_millis(result.busy_ms));
			}
			Ending::Cancelled => log::info!(target: LOG_TARGET, "lease {lease}: its job has stopped"),
			Ending::Unserved(why) => {
				log::warn!(target: LOG_TARGET, "lease {lease}: its job waits {UNSERVED_RETRY:?}: {why}");
				self.waiting.insert(lease, Instant::now() + UNSERVED_RETRY);
			}
		}
	}

	/// Takes in news of a transaction.
	pub(crate) fn on_news(&mut self, news: News) {
		match news {
			News::Final(id, call) => {
				log::debug!(target: LOG_TARGET, "{id} is final");
				if let WorkerCall::Report(report) = call {
					self.usage.claimed(&report);
					self.context.metrics.report("final");
					self.context.status.update(|status| status.last_report_epoch = Some(report.epoch));
				}
			}
			News::Lost(id, why) => {
				log::debug!(target: LOG_TARGET, "{id} was lost: {why}");
				match id {
					LogicalId::Report(_) => self.context.metrics.report("lost"),
					LogicalId::Bid(_) => self.context.metrics.bid("lost"),
					LogicalId::Job(..) => {}
				}
			}
		}
	}

	fn publish_leases(&self, view: Option<&WorkerView<AccountId>>) {
		let leases: Vec<LeaseBrief> =
			view.iter().flat_map(|view| &view.leases).map(LeaseBrief::from).collect();
		self.context.metrics.leases(leases.len() as u64);
		self.context.status.update(|status| status.leases = leases);
	}

	/// Shows the state to people and to Prometheus.
	fn publish(&self) {
		let devices: Vec<DeviceStatus> = self.devices.iter().map(DeviceStatus::from).collect();
		let count = |health: fn(&Health) -> bool| {
			self.devices.iter().filter(|device| health(&device.health)).count() as u64
		};
		self.context.metrics.gpus(
			count(|health| matches!(health, Health::Unknown)),
			count(|health| matches!(health, Health::Healthy)),
			count(|health| matches!(health, Health::Faulty(_))),
		);
		let blob_bytes = self.context.blobs.used_bytes();
		self.context.metrics.blob_bytes(blob_bytes);
		self.context.status.update(|status| {
			status.devices = devices;
			status.running_jobs = self.tasks.running_jobs().len() as u32;
			status.unreported_results = self.context.results.len() as u32;
			status.blob_bytes = blob_bytes;
			status.bidding = self.bidding.status();
			status.notice = self.notice.text().map(Into::into);
		});
	}
}
