//! Doubles of what the worker meets: a chain, a transaction pool, a signer, and executors that follow a script. Each records what
//! it was asked.

use crate::{executors::Executors, BidderStanding, SignError, SignWorkerCall, WorkerCall};
use async_trait::async_trait;
use frame_system_rpc_runtime_api::AccountNonceApi;
use futures::{
	channel::mpsc::{unbounded, UnboundedSender},
	StreamExt,
};
use millrace_executor::{
	Cancel, Checkpoint, Confinement, DeviceList, DeviceSelector, ExecutorError, JobOutput, JobRequest,
	MonitorMessage,
};
use millrace_primitives::{
	leases_api::{Auction, LeasesApi},
	worker_api::{WorkerApi, WorkerView},
	AccountId, BlockNumber, ClassId, Hash, Header, LeaseId, Moment, Nonce, OpaqueBlock as Block,
};
use sc_transaction_pool_api::{
	error::Error as PoolError, ImportNotificationStream, InPoolTransaction, PoolStatus, ReadyTransactions,
	TransactionPool, TransactionSource, TransactionStatus, TransactionStatusStreamFor, TxInvalidityReportMap,
};
use sp_api::{ApiRef, ProvideRuntimeApi};
use sp_blockchain::{BlockStatus, HeaderBackend, Info};
use sp_core::sr25519;
use sp_runtime::{
	traits::{BlakeTwo256, Block as BlockT, Hash as _},
	OpaqueExtrinsic,
};
use std::{
	collections::{BTreeSet, HashMap, VecDeque},
	pin::Pin,
	sync::{
		atomic::{AtomicBool, Ordering::Relaxed},
		Arc, Mutex,
	},
	time::Duration,
};

/// What the chain double shows.
#[derive(Clone, Default)]
pub(super) struct ChainState {
	pub best: BlockNumber,
	pub finalised: BlockNumber,
	/// The view at the best block, for the worker's account.
	pub best_view: Option<WorkerView<AccountId>>,
	/// The view at the finalised block.
	pub finalised_view: Option<WorkerView<AccountId>>,
	/// Open auctions at the best block, of any class.
	pub auctions: Vec<Auction<AccountId>>,
	/// Leases whose jobs can be objected to.
	pub contestable: BTreeSet<LeaseId>,
	pub nonce: Nonce,
	/// Whether every read fails.
	pub broken: bool,
}

#[derive(Clone, Default)]
pub(super) struct ChainDouble(pub Arc<Mutex<ChainState>>);

impl ChainDouble {
	pub(super) fn change(&self, change: impl FnOnce(&mut ChainState)) {
		change(&mut self.0.lock().unwrap());
	}
}

pub(super) fn block_hash(number: BlockNumber) -> Hash {
	Hash::from_low_u64_be(u64::from(number) + 1)
}

impl ProvideRuntimeApi<Block> for ChainDouble {
	type Api = ApiDouble;

	fn runtime_api(&self) -> ApiRef<'_, Self::Api> {
		ApiDouble(self.0.lock().unwrap().clone()).into()
	}
}

pub(super) struct ApiDouble(ChainState);

impl ApiDouble {
	fn view(&self, at: Hash) -> Result<Option<WorkerView<AccountId>>, sp_api::ApiError> {
		if self.0.broken {
			return Err(sp_api::ApiError::Application("broken on purpose".into()));
		}
		let is_best = at == block_hash(self.0.best);
		Ok(if is_best { self.0.best_view.clone() } else { self.0.finalised_view.clone() })
	}
}

sp_api::mock_impl_runtime_apis! {
	impl WorkerApi<Block, AccountId> for ApiDouble {
		#[advanced]
		fn worker_view(&self, at: Hash, _worker: AccountId) -> Result<Option<WorkerView<AccountId>>, sp_api::ApiError> {
			self.view(at)
		}

		fn can_be_contested(&self, lease: LeaseId, _served_at: Moment) -> bool {
			self.0.contestable.contains(&lease)
		}
	}

	impl LeasesApi<Block, AccountId> for ApiDouble {
		fn auctions(&self, class: ClassId) -> Vec<Auction<AccountId>> {
			let of_class = |auction: &&Auction<AccountId>| auction.terms.class == class;
			self.0.auctions.iter().filter(of_class).cloned().collect()
		}
	}

	impl AccountNonceApi<Block, AccountId, Nonce> for ApiDouble {
		fn account_nonce(&self, _account: AccountId) -> Nonce {
			self.0.nonce
		}
	}
}

impl HeaderBackend<Block> for ChainDouble {
	fn header(&self, _: Hash) -> sp_blockchain::Result<Option<Header>> {
		Ok(None)
	}

	fn info(&self) -> Info<Block> {
		let state = self.0.lock().unwrap();
		Info {
			best_hash: block_hash(state.best),
			best_number: state.best,
			genesis_hash: block_hash(0),
			finalized_hash: block_hash(state.finalised),
			finalized_number: state.finalised,
			finalized_state: None,
			number_leaves: 1,
			block_gap: None,
		}
	}

	fn status(&self, _: Hash) -> sp_blockchain::Result<BlockStatus> {
		Ok(BlockStatus::Unknown)
	}

	fn number(&self, _: Hash) -> sp_blockchain::Result<Option<BlockNumber>> {
		Ok(None)
	}

	fn hash(&self, number: BlockNumber) -> sp_blockchain::Result<Option<Hash>> {
		Ok(Some(block_hash(number)))
	}
}

/// One call that was signed.
#[derive(Clone, Debug)]
pub(super) struct Signed {
	pub call: WorkerCall,
	pub key: sr25519::Public,
	pub nonce: Nonce,
	pub at: BlockNumber,
}

/// Records what it signs. The transactions are told apart by their number.
#[derive(Clone)]
pub(super) struct SignerDouble {
	signed: Arc<Mutex<Vec<Signed>>>,
	/// What it says of every bidder.
	pub standing: Arc<Mutex<BidderStanding>>,
}

impl Default for SignerDouble {
	fn default() -> Self {
		let standing = BidderStanding { is_proxy: true, free: 1 };
		Self { signed: Arc::default(), standing: Arc::new(Mutex::new(standing)) }
	}
}

impl SignerDouble {
	pub(super) fn signed(&self) -> Vec<Signed> {
		self.signed.lock().unwrap().clone()
	}
}

impl SignWorkerCall<Block> for SignerDouble {
	fn sign(
		&self,
		call: WorkerCall,
		key: &sr25519::Public,
		nonce: Nonce,
		at: (BlockNumber, Hash),
	) -> Result<OpaqueExtrinsic, SignError> {
		assert_eq!(at.1, block_hash(at.0));
		let mut signed = self.signed.lock().unwrap();
		signed.push(Signed { call, key: *key, nonce, at: at.0 });
		Ok(OpaqueExtrinsic::from_blob((signed.len() as u64).to_le_bytes().to_vec()))
	}

	fn bidder_standing(&self, _: &AccountId, _: &AccountId, _: Hash) -> Result<BidderStanding, SignError> {
		Ok(*self.standing.lock().unwrap())
	}
}

pub(super) type Status = TransactionStatus<Hash, Hash>;

/// Keeps the status streams of what it was given, in order; `None` where it refused.
#[derive(Clone, Default)]
pub(super) struct PoolDouble {
	pub watchers: Arc<Mutex<Vec<Option<UnboundedSender<Status>>>>>,
	/// Errors for the next submissions.
	pub refusals: Arc<Mutex<VecDeque<PoolError>>>,
	pub removed: Arc<Mutex<Vec<Hash>>>,
}

impl PoolDouble {
	/// Number of submissions, refused ones too.
	pub(super) fn submissions(&self) -> usize {
		self.watchers.lock().unwrap().len()
	}

	/// Sends a status to the watcher of one submission.
	pub(super) fn say(&self, submission: usize, status: Status) {
		self.watchers.lock().unwrap()[submission].as_ref().unwrap().unbounded_send(status).unwrap();
	}

	/// Ends the stream of one submission.
	pub(super) fn hang_up(&self, submission: usize) {
		self.watchers.lock().unwrap()[submission] = None;
	}

	pub(super) fn refuse(&self, error: PoolError) {
		self.refusals.lock().unwrap().push_back(error);
	}
}

/// No transaction is ever listed by the double.
pub(super) enum Listed {}

impl InPoolTransaction for Listed {
	type Transaction = Arc<OpaqueExtrinsic>;
	type Hash = Hash;

	fn data(&self) -> &Self::Transaction {
		match *self {}
	}
	fn hash(&self) -> &Hash {
		match *self {}
	}
	fn priority(&self) -> &u64 {
		match *self {}
	}
	fn longevity(&self) -> &u64 {
		match *self {}
	}
	fn requires(&self) -> &[Vec<u8>] {
		match *self {}
	}
	fn provides(&self) -> &[Vec<u8>] {
		match *self {}
	}
	fn is_propagable(&self) -> bool {
		match *self {}
	}
}

type Ready = Box<dyn ReadyTransactions<Item = Arc<Listed>> + Send>;

#[async_trait]
impl TransactionPool for PoolDouble {
	type Block = Block;
	type Hash = Hash;
	type InPoolTransaction = Listed;
	type Error = PoolError;

	async fn submit_at(
		&self,
		_: Hash,
		_: TransactionSource,
		_: Vec<OpaqueExtrinsic>,
	) -> Result<Vec<Result<Hash, PoolError>>, PoolError> {
		panic!("the worker watches what it submits")
	}

	async fn submit_one(&self, _: Hash, _: TransactionSource, _: OpaqueExtrinsic) -> Result<Hash, PoolError> {
		panic!("the worker watches what it submits")
	}

	async fn submit_and_watch(
		&self,
		_: Hash,
		source: TransactionSource,
		_: OpaqueExtrinsic,
	) -> Result<Pin<Box<TransactionStatusStreamFor<Self>>>, PoolError> {
		assert!(source == TransactionSource::Local);
		let mut watchers = self.watchers.lock().unwrap();
		if let Some(error) = self.refusals.lock().unwrap().pop_front() {
			watchers.push(None);
			return Err(error);
		}
		let (sender, receiver) = unbounded();
		watchers.push(Some(sender));
		Ok(receiver.boxed())
	}

	async fn ready_at(&self, _: Hash) -> Ready {
		Box::new(std::iter::empty())
	}

	fn ready(&self) -> Ready {
		Box::new(std::iter::empty())
	}

	async fn report_invalid(
		&self,
		_: Option<Hash>,
		transactions: TxInvalidityReportMap<Hash>,
	) -> Vec<Arc<Listed>> {
		self.removed.lock().unwrap().extend(transactions.keys());
		vec![]
	}

	fn futures(&self) -> Vec<Listed> {
		vec![]
	}

	fn status(&self) -> PoolStatus {
		PoolStatus { ready: 0, ready_bytes: 0, future: 0, future_bytes: 0 }
	}

	fn import_notification_stream(&self) -> ImportNotificationStream<Hash> {
		futures::channel::mpsc::channel(1).1
	}

	fn on_broadcasted(&self, _: HashMap<Hash, Vec<String>>) {}

	fn hash_of(&self, transaction: &OpaqueExtrinsic) -> Hash {
		BlakeTwo256::hash_of(transaction)
	}

	fn ready_transaction(&self, _: &Hash) -> Option<Arc<Listed>> {
		None
	}

	async fn ready_at_with_timeout(&self, _: <Block as BlockT>::Hash, _: Duration) -> Ready {
		Box::new(std::iter::empty())
	}
}

/// What a scripted executor does.
#[derive(Clone, Debug)]
pub(crate) enum Act {
	Ends(Result<Vec<u8>, ExecutorError>),
	/// Hands out a checkpoint and goes on with the next act.
	Saves(Checkpoint),
	/// Runs until it is cancelled.
	Hangs,
}

/// What a monitor tells.
pub(crate) type Told = Result<MonitorMessage, ExecutorError>;

/// What a compiler gives.
pub(crate) type Compiled = Result<Vec<u8>, ExecutorError>;

/// Executors that follow a script: one act for each job, and one for each probe. A script that is used up goes on with success.
#[derive(Clone, Default)]
pub(crate) struct ScriptedExecutors {
	pub jobs: Arc<Mutex<VecDeque<Act>>>,
	/// Whether the next probes pass.
	pub probes: Arc<Mutex<VecDeque<bool>>>,
	/// What the monitor tells next.
	pub readings: Arc<Mutex<VecDeque<Told>>>,
	/// What the next compilers give.
	pub compilers: Arc<Mutex<VecDeque<Compiled>>>,
	/// Jobs, probes and compilers, in the order in which they were started.
	pub started: Arc<Mutex<Vec<&'static str>>>,
	/// What each job started from.
	pub resumed: Arc<Mutex<Vec<Option<Checkpoint>>>>,
	/// What each job's kernel was compiled to before.
	pub compiled: Arc<Mutex<Vec<Option<Vec<u8>>>>>,
}

impl ScriptedExecutors {
	pub(super) fn script(
		jobs: impl IntoIterator<Item = Act>,
		probes: impl IntoIterator<Item = bool>,
	) -> Self {
		Self {
			jobs: Arc::new(Mutex::new(jobs.into_iter().collect())),
			probes: Arc::new(Mutex::new(probes.into_iter().collect())),
			..Self::default()
		}
	}

	pub(crate) fn started(&self) -> Vec<&'static str> {
		self.started.lock().unwrap().clone()
	}

	pub(super) fn resumed(&self) -> Vec<Option<Checkpoint>> {
		self.resumed.lock().unwrap().clone()
	}
}

impl Executors for ScriptedExecutors {
	fn devices(&self) -> Result<DeviceList, ExecutorError> {
		Ok(DeviceList { gpus: vec![], cuda_unavailable: Some("scripted".into()) })
	}

	fn confinement(&self) -> Result<Confinement, ExecutorError> {
		unreachable!("there is no GPU whose jobs would have to be confined")
	}

	fn watch(
		&self,
		unwanted: &AtomicBool,
		tell: &mut dyn FnMut(MonitorMessage),
	) -> Result<(), ExecutorError> {
		self.started.lock().unwrap().push("monitor");
		while !unwanted.load(Relaxed) {
			let next = self.readings.lock().unwrap().pop_front();
			match next {
				Some(message) => tell(message?),
				None => std::thread::sleep(Duration::from_millis(5)),
			}
		}
		Ok(())
	}

	fn prepare(&self, kernel: Vec<u8>, _: &DeviceSelector, _: &Cancel) -> Result<Vec<u8>, ExecutorError> {
		self.started.lock().unwrap().push("compiler");
		let end = self.compilers.lock().unwrap().pop_front();
		end.unwrap_or_else(|| Ok([b"compiled ", kernel.as_slice()].concat()))
	}

	fn run(
		&self,
		request: Arc<JobRequest>,
		cancel: &Cancel,
		keep: &mut dyn FnMut(Checkpoint),
	) -> Result<JobOutput, ExecutorError> {
		let done =
			|bytes| JobOutput { bytes, busy: Duration::from_millis(7), launches: 1, device: "script".into() };
		let plan = millrace_job::Plan::parse(&request.plan).unwrap();
		if plan.launches[0].entry == "probe" {
			self.started.lock().unwrap().push("probe");
			let passes = self.probes.lock().unwrap().pop_front().unwrap_or(true);
			return Ok(done(if passes { crate::probe::answer(&request.blobs[1]) } else { vec![] }));
		}
		self.resumed.lock().unwrap().push(request.resume.clone());
		self.compiled.lock().unwrap().push(request.compiled.clone());
		self.started.lock().unwrap().push("job");
		loop {
			let act = self.jobs.lock().unwrap().pop_front();
			return match act {
				None => Ok(done(vec![1; plan.output_bytes() as usize])),
				Some(Act::Ends(end)) => end.map(done),
				Some(Act::Saves(state)) => {
					keep(state);
					continue;
				}
				Some(Act::Hangs) => {
					while !cancel.is_cancelled() {
						std::thread::sleep(Duration::from_millis(5));
					}
					Err(ExecutorError::Cancelled)
				}
			};
		}
	}
}
