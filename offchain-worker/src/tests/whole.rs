//! The worker as a whole, between a chain, a transaction pool and executors that are doubles.

use super::{
	doubles::{block_hash, Act, ChainDouble, PoolDouble, ScriptedExecutors, SignerDouble, Status},
	jobs::{config, plan, plan_of, reference, state},
};
use crate::{
	devices::{self, uuid_hash},
	worker::{Running, WorkerParams},
	BidPolicy, Blobs, JobPhase, WorkerCall, WorkerConfig, WorkerStatus, WorkerStatusHandle,
};
use millrace_primitives::{
	worker_api::{GpuView, JobView, LeaseView, WorkerView},
	worker_key::KEY_TYPE,
	AcceleratorKind, AccountId, BlobHash, BlockNumber, ClassId, GpuIndex, GpuState, Hash, JobId, JobOutcome,
	LeaseId, LeaseStatus, NodeIndex, NodeStatus, OpaqueBlock, Report,
};
use sp_consensus::SyncOracle;
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystorePtr};
use std::{
	path::Path,
	sync::{
		atomic::{AtomicBool, Ordering::Relaxed},
		Arc,
	},
	time::Duration,
};

#[derive(Clone, Default)]
struct Syncing(Arc<AtomicBool>);

impl SyncOracle for Syncing {
	fn is_major_syncing(&self) -> bool {
		self.0.load(Relaxed)
	}

	fn is_offline(&self) -> bool {
		false
	}
}

/// What stays over a restart, and the doubles around the worker.
pub(super) struct World {
	dir: tempfile::TempDir,
	pub(super) chain: ChainDouble,
	pub(super) pool: PoolDouble,
	pub(super) signer: SignerDouble,
	executors: ScriptedExecutors,
	pub(super) keystore: KeystorePtr,
	status: WorkerStatusHandle,
	syncing: Syncing,
	blobs: Blobs,
	pub(super) bid_policy: Option<Arc<BidPolicy>>,
}

pub(super) type TestWorker = Running<OpaqueBlock, ChainDouble, PoolDouble>;

impl World {
	pub(super) fn new(executors: ScriptedExecutors) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let keystore: KeystorePtr = Arc::new(MemoryKeystore::new());
		keystore.sr25519_generate_new(KEY_TYPE, Some("//Worker")).unwrap();
		let config = config(dir.path());
		Self {
			blobs: Blobs::open(config.blob_dir(), config.blob_limits()).unwrap(),
			dir,
			chain: ChainDouble::default(),
			pool: PoolDouble::default(),
			signer: SignerDouble::default(),
			executors,
			status: WorkerStatusHandle::running(keystore.clone()),
			keystore,
			syncing: Syncing::default(),
			bid_policy: None,
		}
	}

	pub(super) async fn start(&self) -> TestWorker {
		let params = WorkerParams {
			client: Arc::new(self.chain.clone()),
			pool: Arc::new(self.pool.clone()),
			keystore: self.keystore.clone(),
			signer: Arc::new(self.signer.clone()),
			blobs: self.blobs.clone(),
			config: WorkerConfig { bid_policy: self.bid_policy.clone(), ..config(self.dir.path()) },
			registry: None,
			sync_oracle: Arc::new(self.syncing.clone()),
			network: None,
			status: self.status.clone(),
		};
		Running::start(params, Arc::new(self.executors.clone())).await
	}

	/// Salted hash of this machine's reference device.
	fn device(&self) -> Hash {
		device_in(&self.executors, self.dir.path())
	}

	/// A view with one registered GPU, which this machine has, and those leases.
	pub(super) fn view(&self, epoch: u32, report_due: bool, leases: Vec<LeaseView>) -> WorkerView<AccountId> {
		let gpu = GpuView {
			gpu: GpuIndex(0),
			class: ClassId(0),
			kind: AcceleratorKind::Reference,
			uuid_hash: self.device(),
			state: GpuState::Healthy,
		};
		WorkerView {
			provider: AccountId::new([9; 32]),
			now: 0,
			epoch,
			epoch_ends: (epoch + 1) * 10,
			report_due,
			gpus: vec![gpu],
			leases,
		}
	}

	/// The same view at the best and the finalised block.
	pub(super) fn show(&self, best: BlockNumber, finalised: BlockNumber, view: WorkerView<AccountId>) {
		self.chain.change(|state| {
			(state.best, state.finalised) = (best, finalised);
			state.best_view = Some(view.clone());
			state.finalised_view = Some(view);
		});
	}

	pub(super) fn state(&self) -> WorkerStatus {
		self.status.read().unwrap()
	}

	fn notice(&self) -> String {
		self.state().notice.unwrap_or_default()
	}

	fn calls(&self) -> Vec<WorkerCall> {
		self.signer.signed().into_iter().map(|signed| signed.call).collect()
	}

	fn reports(&self) -> Vec<Report> {
		let report = |call| match call {
			WorkerCall::Report(report) => Some(report),
			WorkerCall::ReportJob { .. } | WorkerCall::Bid { .. } => None,
		};
		self.calls().into_iter().filter_map(report).collect()
	}

	fn results(&self) -> Vec<(u64, u32, JobOutcome)> {
		let result = |call| match call {
			WorkerCall::ReportJob { lease, job, outcome } => Some((lease.0, job.0, outcome)),
			WorkerCall::Report(_) | WorkerCall::Bid { .. } => None,
		};
		self.calls().into_iter().filter_map(result).collect()
	}
}

fn device_in(executors: &ScriptedExecutors, dir: &Path) -> Hash {
	let found = devices::find(executors, &reference(), dir).unwrap();
	uuid_hash(&block_hash(0), &found[0].uuid)
}

/// Lets the worker run, as its loop does, until the condition holds.
pub(super) async fn until(worker: &mut TestWorker, what: &str, mut condition: impl FnMut() -> bool) {
	for _ in 0..2_000 {
		worker.step().await;
		if condition() {
			return;
		}
		tokio::select! {
			end = worker.tasks.next() => worker.on_task_end(end),
			news = worker.submitter.next() => worker.on_news(news),
			news = worker.bidding.submitter.next() => worker.on_news(news),
			() = tokio::time::sleep(Duration::from_millis(100)) => {},
		}
	}
	panic!("{what} did not happen");
}

/// Lets the worker run for that many tenths of a second.
pub(super) async fn a_while(worker: &mut TestWorker, tenths: u32) {
	let mut left = tenths;
	until(worker, "the end of a while", || {
		left -= 1;
		left == 0
	})
	.await;
}

fn lease(status: LeaseStatus, jobs: Vec<JobView>) -> LeaseView {
	LeaseView {
		lease: LeaseId(7),
		status,
		node: NodeIndex(0),
		node_status: NodeStatus::Active,
		gpus: vec![GpuIndex(0)],
		jobs,
	}
}

fn job(number: u32, plan: BlobHash) -> JobView {
	JobView { job: JobId(number), plan, submitted_at: u64::from(number), checkpoint: None }
}

fn put_job(world: &World) -> BlobHash {
	world.blobs.put(b"// a kernel").unwrap();
	world.blobs.put(plan(4).as_bytes()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn it_says_what_it_waits_for() {
	let world = World::new(ScriptedExecutors::default());
	let mut worker = world.start().await;
	world.syncing.0.store(true, Relaxed);
	until(&mut worker, "notice of syncing", || world.notice().contains("syncing")).await;
	assert!(world.executors.started().is_empty());

	world.syncing.0.store(false, Relaxed);
	until(&mut worker, "notice of registration", || world.notice().contains("nobody's worker")).await;

	world.chain.change(|state| state.broken = true);
	until(&mut worker, "notice of the error", || world.notice().contains("broken on purpose")).await;
	world.chain.change(|state| state.broken = false);

	let mut view = world.view(0, true, vec![]);
	view.gpus[0].uuid_hash = Hash::zero();
	world.show(2, 1, view.clone());
	until(&mut worker, "notice of registering GPUs", || world.notice().contains("worker_devices")).await;
	// A reference device does not pass for a GPU.
	view.gpus[0].uuid_hash = world.device();
	view.gpus[0].kind = AcceleratorKind::Cuda;
	world.show(2, 1, view);
	a_while(&mut worker, 100).await;
	assert!(world.notice().contains("worker_devices"));
	assert_eq!(world.calls(), []);

	world.show(2, 1, world.view(0, false, vec![]));
	until(&mut worker, "silence", || world.state().notice.is_none()).await;
	let state = world.state();
	assert_eq!(state.provider, Some(AccountId::new([9; 32])));
	let [device] = &state.devices[..] else { panic!("{state:?}") };
	assert_eq!((device.kind, device.state, device.uuid_hash), ("reference", "healthy", world.device()));
}

#[tokio::test(start_paused = true)]
async fn without_a_key_it_waits_for_one() {
	let mut world = World::new(ScriptedExecutors::default());
	world.keystore = Arc::new(MemoryKeystore::new());
	let mut worker = world.start().await;
	world.show(2, 1, world.view(0, true, vec![]));
	until(&mut worker, "notice of the key", || world.notice().contains("author_insertKey")).await;
	assert_eq!(world.calls(), []);
	let key = world.keystore.sr25519_generate_new(KEY_TYPE, Some("//Late")).unwrap();
	until(&mut worker, "a report", || !world.reports().is_empty()).await;
	assert_eq!(world.state().worker, Some(AccountId::new(key.0)));
}

#[tokio::test(start_paused = true)]
async fn one_report_for_each_epoch() {
	let world = World::new(ScriptedExecutors::default());
	let mut worker = world.start().await;
	world.show(32, 29, world.view(3, true, vec![lease(LeaseStatus::Pending, vec![])]));
	until(&mut worker, "a report", || world.pool.submissions() == 1).await;
	let report = world.reports().remove(0);
	assert_eq!((report.epoch, report.finalised_number, report.finalised_hash), (3, 29, block_hash(29)));
	assert_eq!(report.gpus.iter().map(|gpu| (gpu.gpu.0, gpu.healthy)).collect::<Vec<_>>(), [(0, true)]);
	assert_eq!(report.leases.iter().map(|lease| lease.lease.0).collect::<Vec<_>>(), [7]);
	a_while(&mut worker, 100).await;
	assert_eq!(world.pool.submissions(), 1);

	world.pool.say(0, Status::InBlock((block_hash(33), 1)));
	world.show(33, 29, world.view(3, false, vec![]));
	a_while(&mut worker, 100).await;
	assert_eq!(world.state().last_report_epoch, None);
	world.pool.say(0, Status::Finalized((block_hash(33), 1)));
	until(&mut worker, "the final report", || world.state().last_report_epoch == Some(3)).await;
	assert_eq!(world.pool.submissions(), 1);

	// The next epoch's report is dropped, and comes again.
	world.show(42, 40, world.view(4, true, vec![]));
	until(&mut worker, "the next report", || world.pool.submissions() == 2).await;
	world.pool.say(1, Status::Dropped);
	until(&mut worker, "its repetition", || world.pool.submissions() == 3).await;
	// The chain refuses it in its block: another one follows at once.
	world.pool.say(2, Status::InBlock((block_hash(43), 1)));
	until(&mut worker, "a correction", || world.pool.submissions() == 4).await;
	// In the last block before an epoch ends it is too late for another report.
	world.pool.say(3, Status::Invalid);
	world.show(49, 45, world.view(4, true, vec![]));
	a_while(&mut worker, 100).await;
	assert_eq!(world.pool.submissions(), 4);
	world.show(48, 45, world.view(4, true, vec![]));
	until(&mut worker, "a report in time", || world.pool.submissions() == 5).await;
	// One that was not included in its epoch is taken back.
	world.show(52, 50, world.view(5, true, vec![]));
	until(&mut worker, "the report of epoch 5", || world.reports().last().unwrap().epoch == 5).await;
	assert_eq!(world.pool.removed.lock().unwrap().len(), 1);
	assert_eq!(world.reports().iter().map(|report| report.epoch).collect::<Vec<_>>(), [3, 4, 4, 4, 4, 5]);
}

#[tokio::test(start_paused = true)]
async fn a_faulty_device_is_reported_and_its_lease_is_not_served() {
	let world = World::new(ScriptedExecutors::script([], [false]));
	let mut worker = world.start().await;
	let plan = put_job(&world);
	let view = world.view(3, true, vec![lease(LeaseStatus::Active, vec![job(0, plan)])]);
	world.show(12, 9, view.clone());
	until(&mut worker, "a report", || world.pool.submissions() == 1).await;
	let report = world.reports().remove(0);
	assert!(!report.gpus[0].healthy && report.leases.is_empty());
	assert_eq!(world.executors.started(), ["probe"]);
	assert_eq!(world.state().devices[0].state, "faulty");
	assert!(world.state().devices[0].fault.as_ref().unwrap().contains("wrong result"));
	// The next probe passes, and the job runs.
	until(&mut worker, "the job", || world.executors.started() == ["probe", "probe", "job"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_job_is_run_by_the_finalised_view_and_its_use_is_reported() {
	let world = World::new(ScriptedExecutors::default());
	let mut worker = world.start().await;
	let plan = put_job(&world);
	let with_job = world.view(3, false, vec![lease(LeaseStatus::Active, vec![job(0, plan)])]);
	world.show(12, 9, world.view(3, false, vec![lease(LeaseStatus::Active, vec![])]));
	world.chain.change(|state| state.best_view = Some(with_job.clone()));
	a_while(&mut worker, 100).await;
	assert_eq!(world.executors.started(), ["probe"]);

	world.show(12, 10, with_job);
	until(&mut worker, "the result", || world.pool.submissions() == 1).await;
	let output = BlobHash::from(millrace_job::blob_hash(&[1; 4]));
	assert_eq!(world.results(), [(7, 0, JobOutcome::Succeeded { output, bytes: 4 })]);
	assert_eq!(world.blobs.get(output).unwrap().unwrap(), [1; 4]);
	assert_eq!(world.state().unreported_results, 1);
	a_while(&mut worker, 100).await;
	assert_eq!((world.pool.submissions(), world.executors.started()), (1, vec!["probe", "job"]));

	// The result is on chain, at a finalised block.
	world.pool.say(0, Status::Finalized((block_hash(13), 1)));
	world.show(14, 13, world.view(4, true, vec![lease(LeaseStatus::Active, vec![])]));
	until(&mut worker, "a report", || world.pool.submissions() == 2).await;
	let report = world.reports().remove(0);
	assert_eq!((report.leases[0].busy_ms, report.leases[0].jobs_ended), (7, 1));
	assert_eq!(world.state().unreported_results, 0);
	assert_eq!(world.status.job(7, 0).unwrap().phase, JobPhase::Reported);
}

#[tokio::test(start_paused = true)]
async fn what_belongs_to_a_job_is_evidence_while_it_can_be_contested() {
	let world = World::new(ScriptedExecutors::default());
	let evidence = || std::fs::read_dir(world.dir.path().join("evidence")).unwrap().count();
	world.chain.change(|state| state.contestable = [LeaseId(7)].into());
	let plan = put_job(&world);
	world.show(12, 10, world.view(3, false, vec![lease(LeaseStatus::Active, vec![job(0, plan)])]));
	let mut worker = world.start().await;
	until(&mut worker, "the result", || world.pool.submissions() == 1).await;
	assert_eq!(evidence(), 1);

	// The lease is over, and its jobs are gone from the chain.
	world.show(14, 13, world.view(4, false, vec![]));
	a_while(&mut worker, 1_500).await;
	assert_eq!((world.state().unreported_results, evidence()), (0, 1));
	world.chain.change(|state| state.contestable.clear());
	until(&mut worker, "the end of the contest window", || evidence() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_result_survives_a_restart_and_is_not_computed_again() {
	let world = World::new(ScriptedExecutors::default());
	let plan = put_job(&world);
	world.show(
		12,
		10,
		world.view(3, false, vec![lease(LeaseStatus::Active, vec![job(0, plan), job(1, plan)])]),
	);
	let mut worker = world.start().await;
	until(&mut worker, "the results", || world.pool.submissions() == 2).await;
	drop(worker);

	let mut worker = world.start().await;
	until(&mut worker, "the results", || world.pool.submissions() == 4).await;
	a_while(&mut worker, 100).await;
	let jobs = world.results().iter().map(|result| result.1).collect::<Vec<_>>();
	assert_eq!(jobs, [0, 1, 0, 1]);
	assert_eq!(world.executors.started().iter().filter(|what| **what == "job").count(), 2);
	assert_eq!(world.status.job(7, 0).unwrap().phase, JobPhase::Reporting);
}

// On the real clock: a paused one stands still while an executor runs.
#[tokio::test]
async fn a_job_cut_off_by_a_restart_runs_again() {
	let world = World::new(ScriptedExecutors::script([Act::Hangs], []));
	let plan = put_job(&world);
	world.show(12, 10, world.view(3, false, vec![lease(LeaseStatus::Active, vec![job(0, plan)])]));
	let mut worker = world.start().await;
	until(&mut worker, "the job", || world.executors.started().contains(&"job")).await;
	drop(worker);
	let mut worker = world.start().await;
	until(&mut worker, "the result", || world.pool.submissions() == 1).await;
	assert!(matches!(world.results()[..], [(7, 0, JobOutcome::Succeeded { .. })]));
}

// On the real clock: a paused one stands still while an executor runs.
#[tokio::test]
async fn the_end_of_a_lease_stops_its_job_and_the_device_is_probed() {
	let world = World::new(ScriptedExecutors::script([Act::Hangs], []));
	let plan = put_job(&world);
	world.show(12, 10, world.view(3, false, vec![lease(LeaseStatus::Active, vec![job(0, plan)])]));
	let mut worker = world.start().await;
	until(&mut worker, "the job", || world.executors.started().contains(&"job")).await;
	// Gone at the best block alone: nothing happens.
	world.chain.change(|state| state.best_view.as_mut().unwrap().leases.clear());
	a_while(&mut worker, 5).await;
	assert_eq!(world.state().running_jobs, 1);

	let next = LeaseView { lease: LeaseId(8), ..lease(LeaseStatus::Active, vec![job(0, plan)]) };
	world.show(14, 13, world.view(3, false, vec![next]));
	until(&mut worker, "the next lease's result", || world.pool.submissions() == 1).await;
	assert_eq!(world.executors.started(), ["probe", "job", "probe", "job"]);
	assert!(matches!(world.results()[..], [(8, 0, JobOutcome::Succeeded { .. })]));
	assert_eq!(world.status.job(7, 0).unwrap().phase, JobPhase::Stopped);
}

// On the real clock: a paused one stands still while an executor runs.
#[tokio::test]
async fn a_frozen_lease_stops_its_job_which_goes_on_from_its_checkpoint() {
	let world = World::new(ScriptedExecutors::script([Act::Saves(state(2)), Act::Hangs], []));
	put_job(&world);
	let plan = world.blobs.put(plan_of(3, 4).as_bytes()).unwrap();
	let show = |best, report_due, status, checkpoint| {
		let job = JobView { checkpoint, ..job(0, plan) };
		world.show(best, best - 2, world.view(3, report_due, vec![lease(status, vec![job])]));
	};
	show(12, false, LeaseStatus::Active, None);
	let mut worker = world.start().await;
	let stored = || world.status.job(7, 0).is_some_and(|job| job.checkpoint.is_some());
	until(&mut worker, "a checkpoint", stored).await;

	// It is reported, and the report changes nothing for the job.
	show(13, true, LeaseStatus::Active, None);
	until(&mut worker, "a report", || world.pool.submissions() == 1).await;
	let told = world.reports()[0].leases[0].checkpoint.unwrap();
	assert_eq!((told.job, told.launches_done, told.bytes), (JobId(0), 2, 4));
	assert_eq!(world.blobs.get(told.blob).unwrap().unwrap(), state(2).bytes);
	world.pool.say(0, Status::Finalized((block_hash(13), 0)));
	show(15, false, LeaseStatus::Active, Some(told));
	a_while(&mut worker, 3).await;
	assert_eq!(world.state().running_jobs, 1);

	show(16, false, LeaseStatus::Frozen { since: 1 }, Some(told));
	until(&mut worker, "the stop", || world.state().running_jobs == 0).await;
	a_while(&mut worker, 3).await;
	assert_eq!(world.executors.resumed(), [None]);
	show(17, false, LeaseStatus::Active, Some(told));
	until(&mut worker, "the result", || world.pool.submissions() == 2).await;
	assert_eq!(world.executors.resumed(), [None, Some(state(2))]);
}
