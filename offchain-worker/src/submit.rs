//! Transactions of one account of the worker: one owner of the nonce, at most one transaction in flight per logical id, and retries with
//! back-off.
//!
//! Whether something still has to be told to the chain is asked of the chain's state, again and again, by the caller. So a lost
//! transaction is not kept: it is forgotten, and the next ask signs a new one.

use crate::{
	call::{SignWorkerCall, WorkerCall, ERA_BLOCKS},
	chain::{BlockId, Heads},
	LOG_TARGET,
};
use futures::{stream::SelectAll, Stream, StreamExt};
use millrace_primitives::{BlockNumber, Hash, Header, JobId, LeaseId, Nonce, OrderId};
use sc_transaction_pool_api::{TransactionPool, TransactionSource, TransactionStatus, TxHash};
use sp_core::sr25519;
use sp_runtime::traits::Block as BlockT;
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt,
	pin::Pin,
	sync::Arc,
	time::Duration,
};
use tokio::time::Instant;

/// Wait after the first failure; it doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Longest wait between two tries.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The pool validates a transaction in milliseconds. If it takes this long, something hangs, and a later try may work.
const POOL_LIMIT: Duration = Duration::from_secs(30);

/// What a transaction is for.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum LogicalId {
	/// The report of an epoch.
	Report(u32),
	/// The outcome of a job.
	Job(LeaseId, JobId),
	/// The bid on an order.
	Bid(OrderId),
}

impl fmt::Display for LogicalId {
	fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
		match self {
			Self::Report(epoch) => write!(f, "the report of epoch {epoch}"),
			Self::Job(lease, job) => write!(f, "the result of job {job} of lease {lease}"),
			Self::Bid(order) => write!(f, "the bid on order {order}"),
		}
	}
}

/// News of a transaction.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum News {
	/// It is in a finalised block. Whether the chain accepted it is seen in the chain's state.
	Final(LogicalId, WorkerCall),
	/// It will not be included.
	Lost(LogicalId, &'static str),
}

/// Where the chain stands, for one submission.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moorings {
	/// Best and finalised block.
	pub heads: Heads,
	/// The account's next nonce at the best block.
	pub nonce: Nonce,
}

/// A transaction that may still be included.
struct InFlight<P: TransactionPool> {
	/// Tells it from an earlier one for the same logical id.
	number: u64,
	call: WorkerCall,
	hash: TxHash<P>,
	nonce: Nonce,
	/// Its era starts here.
	anchor: BlockNumber,
	in_block: bool,
}

/// Tries for one logical id that have not led to a final transaction.
struct Tries {
	count: u32,
	next: Instant,
}

/// What a watched transaction says; `None` when its stream ends.
type Watched<P> = (LogicalId, u64, Option<TransactionStatus<TxHash<P>, Hash>>);

/// Submits transactions and watches them.
pub(crate) struct Submitter<Block: BlockT, P: TransactionPool> {
	pool: Arc<P>,
	signer: Arc<dyn SignWorkerCall<Block>>,
	in_flight: BTreeMap<LogicalId, InFlight<P>>,
	tries: BTreeMap<LogicalId, Tries>,
	watched: SelectAll<Pin<Box<dyn Stream<Item = Watched<P>> + Send>>>,
	submissions: u64,
}

impl<Block, P> Submitter<Block, P>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	P: TransactionPool<Block = Block> + 'static,
{
	pub(crate) fn new(pool: Arc<P>, signer: Arc<dyn SignWorkerCall<Block>>) -> Self {
		Self {
			pool,
			signer,
			in_flight: BTreeMap::new(),
			tries: BTreeMap::new(),
			watched: SelectAll::new(),
			submissions: 0,
		}
	}

	/// What is in flight for it.
	pub(crate) fn call(&self, id: LogicalId) -> Option<&WorkerCall> {
		self.in_flight.get(&id).map(|transaction| &transaction.call)
	}

	/// Whether a submission would be made now: none is in flight for it, and it does not wait after a failure.
	pub(crate) fn is_free(&self, id: LogicalId) -> bool {
		self.call(id).is_none() && self.tries.get(&id).is_none_or(|tries| Instant::now() >= tries.next)
	}

	/// Signs and submits a transaction, unless there is no need or no hurry ([`Self::is_free`]). Says whether it is on its way now.
	pub(crate) async fn submit(
		&mut self,
		id: LogicalId,
		call: WorkerCall,
		key: &sr25519::Public,
		moorings: &Moorings,
	) -> Result<bool, String> {
		if !self.is_free(id) {
			return Ok(false);
		}
		let submitted = self.submit_now(id, call, key, moorings).await;
		// Counted before the outcome is known: only the chain's state shows that no further try is needed.
		let tries = self.tries.entry(id).or_insert(Tries { count: 0, next: Instant::now() });
		let wait = FIRST_WAIT.saturating_mul(1 << tries.count.min(8)).min(LONGEST_WAIT);
		tries.count = tries.count.saturating_add(1);
		tries.next = Instant::now() + wait;
		match submitted {
			Ok(()) => Ok(true),
			// The pool may be a moment behind the best block, and then refuses what is right one block later.
			Err(why) if tries.count == 1 => {
				log::debug!(target: LOG_TARGET, "{id} could not be submitted at first: {why}; next try in {wait:?}");
				Ok(false)
			}
			Err(why) => Err(format!("{id} could not be submitted: {why}; next try in {wait:?}")),
		}
	}

	async fn submit_now(
		&mut self,
		id: LogicalId,
		call: WorkerCall,
		key: &sr25519::Public,
		moorings: &Moorings,
	) -> Result<(), String> {
		let nonce = self.free_nonce(moorings.nonce);
		let anchor: BlockId = moorings.heads.anchor();
		let transaction =
			self.signer.sign(call.clone(), key, nonce, anchor).map_err(|error| error.to_string())?;
		let hash = self.pool.hash_of(&transaction);
		let submission =
			self.pool.submit_and_watch(moorings.heads.best.1, TransactionSource::Local, transaction);
		let statuses = tokio::time::timeout(POOL_LIMIT, submission)
			.await
			.map_err(|_| "the transaction pool does not answer".to_owned())?
			.map_err(|error| error.to_string())?;
		log::debug!(target: LOG_TARGET, "{id} submitted with nonce {nonce}, bound to block {}", anchor.0);
		self.submissions += 1;
		let number = self.submissions;
		let end = futures::stream::once(async move { (id, number, None) });
		self.watched.push(statuses.map(move |status| (id, number, Some(status))).chain(end).boxed());
		self.in_flight.insert(id, InFlight { number, call, hash, nonce, anchor: anchor.0, in_block: false });
		Ok(())
	}

	/// The lowest nonce from `next` on that none of ours in flight has. Gaps are filled first: a transaction above a gap waits
	/// for it.
	fn free_nonce(&self, next: Nonce) -> Nonce {
		let taken: BTreeSet<Nonce> = self.in_flight.values().map(|transaction| transaction.nonce).collect();
		(next..).find(|nonce| !taken.contains(nonce)).unwrap_or(next)
	}

	/// Waits for news. Pending forever while nothing is in flight. Losing this future loses no news.
	pub(crate) async fn next(&mut self) -> News {
		loop {
			let Some((id, number, status)) = self.watched.next().await else {
				std::future::pending::<()>().await;
				continue;
			};
			if let Some(news) = self.take_in(id, number, status) {
				return news;
			}
		}
	}

	fn take_in(
		&mut self,
		id: LogicalId,
		number: u64,
		status: Option<TransactionStatus<TxHash<P>, Hash>>,
	) -> Option<News> {
		let transaction = self.in_flight.get_mut(&id).filter(|transaction| transaction.number == number)?;
		let why = match status {
			Some(TransactionStatus::Finalized(_)) => {
				let call = self.in_flight.remove(&id)?.call;
				return Some(News::Final(id, call));
			}
			Some(TransactionStatus::InBlock(_)) => {
				transaction.in_block = true;
				return None;
			}
			Some(TransactionStatus::Retracted(_)) => {
				transaction.in_block = false;
				return None;
			}
			// It is in a block. The pool stops watching, but its era still bounds its life.
			Some(TransactionStatus::FinalityTimeout(_)) => return None,
			None if transaction.in_block => return None,
			Some(TransactionStatus::Future | TransactionStatus::Ready | TransactionStatus::Broadcast(_)) => {
				return None
			}
			Some(TransactionStatus::Usurped(_)) => "another transaction took its nonce",
			Some(TransactionStatus::Dropped) => "the transaction pool was full",
			Some(TransactionStatus::Invalid) => "it is no longer valid",
			None => "the transaction pool stopped watching it",
		};
		self.in_flight.remove(&id);
		Some(News::Lost(id, why))
	}

	/// Forgets transactions whose era is over, so that they are submitted anew if still wanted.
	pub(crate) fn expire(&mut self, heads: &Heads) -> Vec<News> {
		let over = |anchor: BlockNumber, head: BlockNumber| u64::from(head) >= u64::from(anchor) + ERA_BLOCKS;
		let expired: Vec<LogicalId> = self
			.in_flight
			.iter()
			.filter(|(_, transaction)| {
				over(transaction.anchor, heads.finalised.0)
					|| (over(transaction.anchor, heads.best.0) && !transaction.in_block)
			})
			.map(|(id, _)| *id)
			.collect();
		expired
			.into_iter()
			.map(|id| {
				self.in_flight.remove(&id);
				News::Lost(id, "its era ended")
			})
			.collect()
	}

	/// Forgets a transaction that is in the best chain, for a caller who sees there what became of it, and returns its call.
	pub(crate) fn landed(&mut self, id: LogicalId) -> Option<WorkerCall> {
		let in_block = self.in_flight.get(&id).is_some_and(|transaction| transaction.in_block);
		in_block.then(|| self.in_flight.remove(&id)).flatten().map(|transaction| transaction.call)
	}

	/// The best chain shows what the transaction was for, whether the pool has said so or not.
	pub(crate) fn done(&mut self, id: LogicalId) {
		self.in_flight.remove(&id);
		self.settled(id);
	}

	/// The chain does not need this any more: tries are counted from the start, should it be needed again.
	pub(crate) fn settled(&mut self, id: LogicalId) {
		self.tries.remove(&id);
	}

	/// Takes back what comes too late: the chain would refuse it, and its nonce is wanted.
	pub(crate) async fn withdraw(&mut self, is_late: impl Fn(&LogicalId) -> bool) {
		self.tries.retain(|id, _| !is_late(id));
		let late: Vec<LogicalId> = self
			.in_flight
			.iter()
			.filter(|(id, transaction)| is_late(id) && !transaction.in_block)
			.map(|(id, _)| *id)
			.collect();
		for id in late {
			if let Some(transaction) = self.in_flight.remove(&id) {
				log::debug!(target: LOG_TARGET, "{id} comes too late; withdrawn");
				let removal =
					self.pool.report_invalid(None, [(transaction.hash, None)].into_iter().collect());
				if tokio::time::timeout(POOL_LIMIT, removal).await.is_err() {
					log::debug!(target: LOG_TARGET, "the transaction pool does not answer");
				}
			}
		}
	}
}
