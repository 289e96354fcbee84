//! Bidding in auctions by the operator's policy.
//!
//! Once per best block the open auctions are read, and for each the policy decides anew. What was bid is read from the chain, not
//! remembered. A bid is a transaction of the bidder key, whose account is a proxy of the provider for bids and asks alone.

mod decide;
mod policy;

pub use policy::BidPolicy;

use crate::{
	call::{WorkerCall, BIDDER_KEY},
	chain::{accounts_of, Heads},
	notice::Notice,
	status::BiddingStatus,
	submit::{LogicalId, Moorings, Submitter},
	worker::Running,
	BidderStanding, SignWorkerCall, LOG_TARGET,
};
use decide::{decide, Facts};
use frame_system_rpc_runtime_api::AccountNonceApi;
use millrace_primitives::{
	leases_api::{Auction, LeasesApi},
	worker_api::{WorkerApi, WorkerView},
	AccountId, ClassId, GpuState, Hash, Header, Nonce, OrderId,
};
use sc_transaction_pool_api::TransactionPool;
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::sr25519;
use sp_runtime::traits::Block as BlockT;
use std::{collections::BTreeMap, sync::Arc};

/// Bids on one order that the chain may refuse before the worker leaves it alone. Each has cost its fee.
const MAX_REFUSALS: u32 = 3;

/// The bidding part of a worker.
pub(crate) struct Bidding<Block: BlockT, P: TransactionPool> {
	policy: Option<Arc<BidPolicy>>,
	signer: Arc<dyn SignWorkerCall<Block>>,
	/// Owner of the bidder account's nonce.
	pub(crate) submitter: Submitter<Block, P>,
	/// The best block that was looked at last.
	seen: Option<Hash>,
	/// Bids that the chain refused, by open order.
	refusals: BTreeMap<OrderId, u32>,
	notice: Notice,
	status: BiddingStatus,
}

impl<Block, P> Bidding<Block, P>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	P: TransactionPool<Block = Block> + 'static,
{
	/// Without a policy it never does anything.
	pub(crate) fn new(
		policy: Option<Arc<BidPolicy>>,
		pool: Arc<P>,
		signer: Arc<dyn SignWorkerCall<Block>>,
	) -> Self {
		Self {
			policy,
			submitter: Submitter::new(pool, signer.clone()),
			signer,
			seen: None,
			refusals: BTreeMap::new(),
			notice: Notice::default(),
			status: BiddingStatus::default(),
		}
	}

	/// What people are told; `None` without a policy.
	pub(crate) fn status(&self) -> Option<BiddingStatus> {
		self.policy
			.is_some()
			.then(|| BiddingStatus { notice: self.notice.text().map(Into::into), ..self.status.clone() })
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
	/// Bids, if there is a policy and the best block was not looked at yet. `view` is the one at that block. It never fails: what
	/// went wrong is told, and tried again at the next block.
	pub(crate) async fn bid(&mut self, view: &WorkerView<AccountId>, heads: &Heads) {
		let Some(policy) = self.bidding.policy.clone() else { return };
		if self.bidding.seen.replace(heads.best.1) == Some(heads.best.1) {
			return;
		}
		for news in self.bidding.submitter.expire(heads) {
			self.on_news(news);
		}
		let trouble = self.bid_at(&policy, view, heads).await.err();
		self.bidding.notice.set(trouble.map(|why| format!("cannot bid: {why}")));
	}

	/// Bids in every auction where the policy wants to. The error is the last thing that went wrong.
	async fn bid_at(
		&mut self,
		policy: &BidPolicy,
		view: &WorkerView<AccountId>,
		heads: &Heads,
	) -> Result<(), String> {
		let (key, account) = self.bidder(&view.provider, heads)?;
		let auctions = self.open_auctions(policy, view, heads)?;
		self.settle_landed(&auctions, &view.provider);
		let is_open = |order: &OrderId| auctions.iter().any(|auction| auction.order == *order);
		self.bidding.refusals.retain(|order, _| is_open(order));
		self.bidding.submitter.withdraw(|id| matches!(id, LogicalId::Bid(order) if !is_open(order))).await;

		let has_bid = |auction: &Auction<AccountId>| has_bid_of(auction, &view.provider);
		self.bidding.status.live_bids = auctions.iter().filter(|auction| has_bid(auction)).count() as u32;
		let on_their_way = |auction: &&Auction<AccountId>| {
			!has_bid(auction) && self.bidding.submitter.call(LogicalId::Bid(auction.order)).is_some()
		};
		let mut live_bids =
			self.bidding.status.live_bids + auctions.iter().filter(on_their_way).count() as u32;

		let mut outcome = Ok(());
		for auction in &auctions {
			let id = LogicalId::Bid(auction.order);
			let given_up =
				self.bidding.refusals.get(&auction.order).is_some_and(|count| *count >= MAX_REFUSALS);
			if given_up || !self.bidding.submitter.is_free(id) {
				continue;
			}
			let free_gpus = free_gpus(view, auction.terms.class);
			let facts = Facts { free_gpus, live_bids, best: heads.best.0 };
			let Some(price) = decide(policy, auction, &view.provider, facts) else { continue };
			let nonce = self
				.chain
				.nonce(heads.best.1, &account)
				.map_err(|error| format!("the nonce of {account} cannot be read: {error}"))?;
			let call = WorkerCall::Bid {
				provider: view.provider.clone(),
				order: auction.order,
				price,
				reclaim_notice_ms: policy.reclaim_notice_ms,
			};
			let moorings = Moorings { heads: *heads, nonce };
			match self.bidding.submitter.submit(id, call, &key, &moorings).await {
				Ok(true) => {
					log::info!(target: LOG_TARGET, "bids {price} per GPU and second on order {}", auction.order);
					self.context.metrics.bid("sent");
					self.bidding.status.bids_sent = self.bidding.status.bids_sent.saturating_add(1);
					live_bids += u32::from(!has_bid(auction));
				}
				Ok(false) => {}
				Err(why) => outcome = Err(why),
			}
		}
		outcome
	}

	/// The key to bid with: the first whose account is the provider's proxy. The error says what is missing.
	fn bidder(
		&mut self,
		provider: &AccountId,
		heads: &Heads,
	) -> Result<(sr25519::Public, AccountId), String> {
		let keys = accounts_of(&self.keystore, BIDDER_KEY);
		self.bidding.status.bidder = keys.first().map(|(_, account)| account.clone());
		for (key, account) in &keys {
			let standing = self.bidding.signer.bidder_standing(provider, account, heads.best.1);
			let BidderStanding { is_proxy, free } = standing.map_err(|error| error.to_string())?;
			if !is_proxy {
				continue;
			}
			self.bidding.status.bidder = Some(account.clone());
			if free == 0 {
				return Err(format!("{account} has no funds for fees; send it some MILL"));
			}
			return Ok((*key, account.clone()));
		}
		Err(match keys.first() {
			Some((_, account)) => format!(
				"{account} is no proxy of {provider}: the provider's account has to add it with proxy.addProxy, of type \
				 Bidding and with a delay of 0"
			),
			None => "no bidder key in the keystore: insert an sr25519 key of type `gpub` with the node's `key insert` \
			         command or the RPC method `author_insertKey`"
				.into(),
		})
	}

	/// Open auctions of the classes that the policy is about and that the provider has GPUs of.
	fn open_auctions(
		&self,
		policy: &BidPolicy,
		view: &WorkerView<AccountId>,
		heads: &Heads,
	) -> Result<Vec<Auction<AccountId>>, String> {
		let mut auctions = Vec::new();
		for class in policy.classes() {
			if view.gpus.iter().any(|gpu| gpu.class == class) {
				let open = self.chain.auctions(heads.best.1, class);
				auctions.extend(open.map_err(|error| format!("the auctions cannot be read: {error}"))?);
			}
		}
		Ok(auctions)
	}

	/// Sees what became of the bids on their way. Those that the auction shows are there; those that are in the best chain and
	/// not in the auction were refused.
	fn settle_landed(&mut self, auctions: &[Auction<AccountId>], provider: &AccountId) {
		for auction in auctions {
			let id = LogicalId::Bid(auction.order);
			let Some(WorkerCall::Bid { price, .. }) = self.bidding.submitter.call(id) else { continue };
			let price = *price;
			if auction.bids.iter().any(|(bidder, bid)| bidder == provider && *bid == price) {
				self.bidding.submitter.done(id);
			} else if self.bidding.submitter.landed(id).is_some() {
				log::warn!(
					target: LOG_TARGET,
					"the chain refused {id} at {price} per GPU and second: the provider may not satisfy its constraints, or \
					 better bids came first",
				);
				self.context.metrics.bid("refused");
				let count = self.bidding.refusals.entry(auction.order).or_default();
				*count = count.saturating_add(1);
			}
		}
	}
}

fn has_bid_of(auction: &Auction<AccountId>, provider: &AccountId) -> bool {
	auction.bids.iter().any(|(bidder, _)| bidder == provider)
}

/// The provider's GPUs of a class that are healthy and not leased.
fn free_gpus(view: &WorkerView<AccountId>, class: ClassId) -> u32 {
	view.gpus.iter().filter(|gpu| gpu.class == class && gpu.state == GpuState::Healthy).count() as u32
}
