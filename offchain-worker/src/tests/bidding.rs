//! The worker as a bidder: what it sends, what it leaves, and what it says it lacks.

use super::{
	doubles::{block_hash, ScriptedExecutors, Status},
	whole::{a_while, until, World},
};
use crate::{BidderStanding, BiddingStatus, WorkerCall, BIDDER_KEY};
use millrace_primitives::{
	leases_api::Auction, AccountId, Asset, Balance, BlockNumber, ClassId, Constraints, Failover, Matching,
	OrderId, OrderTerms, Term,
};
use sc_transaction_pool_api::error::Error as PoolError;
use sp_core::sr25519;
use sp_keystore::Keystore;
use std::sync::Arc;

const POLICY: &str = "
	undercut_percent = 10
	reclaim_notice_seconds = 60
	max_live_bids = 2
	[[offer]]
	class = 0
	asset = 7
	floor = \"50\"
";

/// The provider of the tests' view.
fn provider() -> AccountId {
	AccountId::new([9; 32])
}

fn rival() -> AccountId {
	AccountId::new([2; 32])
}

fn auction(order: u64, ends_at_block: BlockNumber, bids: &[(AccountId, Balance)]) -> Auction<AccountId> {
	Auction {
		order: OrderId(order),
		renter: AccountId::new([3; 32]),
		terms: OrderTerms {
			class: ClassId(0),
			nodes: 1,
			gpus_per_node: 1,
			max_price: 100,
			asset: Asset::Token(7),
			term: Term::Fixed { ms: 60_000 },
			constraints: Constraints::default(),
			failover: Failover::Close,
			matching: Matching::Auction { blocks: 20 },
			starts_at: None,
			rests_ms: 0,
			jobs: Default::default(),
		},
		ends_at_block,
		bids: bids.to_vec(),
	}
}

/// A world with policy and bidder key, and the key.
fn world() -> (World, sr25519::Public) {
	let mut world = World::new(ScriptedExecutors::default());
	world.bid_policy = Some(Arc::new(POLICY.parse().unwrap()));
	let key = world.keystore.sr25519_generate_new(BIDDER_KEY, Some("//Bidder")).unwrap();
	(world, key)
}

impl World {
	/// The next best block shows these auctions.
	fn auctions(&self, best: BlockNumber, auctions: Vec<Auction<AccountId>>) {
		self.show(best, best - 2, self.view(0, false, vec![]));
		self.chain.change(|state| state.auctions = auctions);
	}

	fn bidding(&self) -> BiddingStatus {
		self.state().bidding.unwrap()
	}

	fn bidding_notice(&self) -> String {
		self.bidding().notice.unwrap_or_default()
	}

	/// Order and price of each bid.
	fn bids(&self) -> Vec<(u64, Balance)> {
		let bid = |signed: super::doubles::Signed| match signed.call {
			WorkerCall::Bid { provider: of, order, price, reclaim_notice_ms } => {
				assert_eq!((of, reclaim_notice_ms), (provider(), 60_000));
				Some((order.0, price))
			}
			_ => None,
		};
		self.signer.signed().into_iter().filter_map(bid).collect()
	}
}

#[tokio::test(start_paused = true)]
async fn without_a_policy_nothing_is_bid() {
	let (mut world, _) = world();
	world.bid_policy = None;
	let mut worker = world.start().await;
	world.auctions(10, vec![auction(1, 30, &[])]);
	a_while(&mut worker, 50).await;
	assert_eq!((world.bids(), world.state().bidding), (vec![], None));
}

#[tokio::test(start_paused = true)]
async fn it_bids_with_its_own_key_and_stays_below_its_rival() {
	let (world, key) = world();
	let mut worker = world.start().await;
	world.chain.change(|state| state.nonce = 4);
	world.auctions(10, vec![auction(1, 30, &[])]);
	until(&mut worker, "a bid", || world.pool.submissions() == 1).await;
	assert_eq!(world.bids(), [(1, 100)]);
	let signed = world.signer.signed().remove(0);
	assert_eq!((signed.key, signed.nonce, signed.at), (key, 4, 8));
	let status = world.bidding();
	assert_eq!((status.bidder, status.bids_sent), (Some(AccountId::new(key.0)), 1));

	// While it is on its way there is no other, whatever the rivals do.
	world.auctions(11, vec![auction(1, 30, &[(rival(), 90)])]);
	a_while(&mut worker, 50).await;
	assert_eq!(world.pool.submissions(), 1);
	// It is in the chain, and lost its place in the same block: at once a better one, before the pool says a word.
	world.auctions(12, vec![auction(1, 30, &[(rival(), 90), (provider(), 100)])]);
	until(&mut worker, "a better bid", || world.pool.submissions() == 2).await;
	assert_eq!(world.bids(), [(1, 100), (1, 81)]);
	world.auctions(13, vec![auction(1, 30, &[(provider(), 81), (rival(), 90)])]);
	a_while(&mut worker, 50).await;
	assert_eq!((world.pool.submissions(), world.bidding().live_bids), (2, 1));
	// Below the floor it gives up.
	world.auctions(14, vec![auction(1, 30, &[(rival(), 55), (provider(), 81)])]);
	a_while(&mut worker, 50).await;
	assert_eq!((world.pool.submissions(), world.bidding_notice()), (2, String::new()));
}

#[tokio::test(start_paused = true)]
async fn live_bids_are_capped_those_on_their_way_included() {
	let (world, _) = world();
	let mut worker = world.start().await;
	world.auctions(10, (1..=4).map(|order| auction(order, 30, &[])).collect());
	a_while(&mut worker, 50).await;
	assert_eq!(world.bids(), [(1, 100), (2, 100)]);
	world.auctions(11, (1..=4).map(|order| auction(order, 30, &[])).collect());
	a_while(&mut worker, 50).await;
	assert_eq!(world.bids().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_bid_that_comes_too_late_is_taken_back() {
	let (world, _) = world();
	let mut worker = world.start().await;
	world.auctions(10, vec![auction(1, 12, &[])]);
	until(&mut worker, "a bid", || world.pool.submissions() == 1).await;
	world.auctions(12, vec![]);
	until(&mut worker, "its removal", || world.pool.removed.lock().unwrap().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_order_that_refuses_its_bids_is_left_alone() {
	let (world, _) = world();
	let mut worker = world.start().await;
	let mut best = 10;
	for turn in 0..3 {
		while world.pool.submissions() == turn {
			world.auctions(best, vec![auction(1, 900, &[])]);
			a_while(&mut worker, 20).await;
			best += 1;
		}
		world.pool.say(turn, Status::InBlock((block_hash(best), 1)));
	}
	for _ in 0..90 {
		world.auctions(best, vec![auction(1, 900, &[])]);
		a_while(&mut worker, 20).await;
		best += 1;
	}
	assert_eq!(world.pool.submissions(), 3);
	// Other orders are none the worse.
	world.auctions(best, vec![auction(1, 900, &[]), auction(2, 900, &[])]);
	until(&mut worker, "the other bid", || world.bids().last() == Some(&(2, 100))).await;
}

#[tokio::test(start_paused = true)]
async fn it_says_what_it_lacks() {
	let (mut world, _) = world();
	let with_key = world.keystore.clone();
	world.keystore = Arc::new(sp_keystore::testing::MemoryKeystore::new());
	world.keystore.sr25519_generate_new(millrace_primitives::worker_key::KEY_TYPE, Some("//W")).unwrap();
	let mut worker = world.start().await;
	world.auctions(10, vec![auction(1, 900, &[])]);
	until(&mut worker, "notice of the key", || world.bidding_notice().contains("`gpub`")).await;
	assert_eq!(world.bidding().bidder, None);
	drop(worker);

	world.keystore = with_key;
	let mut worker = world.start().await;
	let standing =
		|is_proxy, free| *world.signer.standing.lock().unwrap() = BidderStanding { is_proxy, free };
	standing(false, 1);
	world.auctions(11, vec![auction(1, 900, &[])]);
	until(&mut worker, "notice of the proxy", || world.bidding_notice().contains("proxy.addProxy")).await;
	standing(true, 0);
	world.auctions(12, vec![auction(1, 900, &[])]);
	until(&mut worker, "notice of the funds", || world.bidding_notice().contains("no funds")).await;
	assert_eq!(world.pool.submissions(), 0);
	// What the pool says is passed on, but not when it says it for the first time.
	standing(true, 1);
	world.pool.refuse(PoolError::ImmediatelyDropped);
	world.pool.refuse(PoolError::ImmediatelyDropped);
	world.auctions(13, vec![auction(1, 900, &[])]);
	a_while(&mut worker, 20).await;
	assert_eq!(world.bidding_notice(), "");
	world.auctions(14, vec![auction(1, 900, &[])]);
	until(&mut worker, "notice of the pool", || world.bidding_notice().contains("the bid on order 1")).await;
	a_while(&mut worker, 20).await;
	world.auctions(15, vec![auction(1, 900, &[])]);
	until(&mut worker, "a bid", || world.pool.submissions() == 3).await;
	assert_eq!(world.bidding_notice(), "");
	// The worker itself lacks nothing of all this.
	assert_eq!(world.state().notice, None);
}
