//! One owner of the nonce, one transaction per purpose, retries.

use super::doubles::{block_hash, PoolDouble, SignerDouble, Status};
use crate::{
	chain::Heads,
	submit::{LogicalId, Moorings, News, Submitter},
	WorkerCall,
};
use futures::FutureExt;
use millrace_primitives::{BlockNumber, JobFailure, JobId, JobOutcome, LeaseId, Nonce, OpaqueBlock};
use sc_transaction_pool_api::error::Error as PoolError;
use std::{sync::Arc, time::Duration};

struct World {
	pool: PoolDouble,
	signer: SignerDouble,
	submitter: Submitter<OpaqueBlock, PoolDouble>,
}

const A: LogicalId = LogicalId::Job(LeaseId(1), JobId(0));
const B: LogicalId = LogicalId::Job(LeaseId(1), JobId(1));

fn heads(best: BlockNumber, finalised: BlockNumber) -> Heads {
	Heads { best: (best, block_hash(best)), finalised: (finalised, block_hash(finalised)) }
}

impl World {
	fn new() -> Self {
		let (pool, signer) = (PoolDouble::default(), SignerDouble::default());
		let submitter = Submitter::new(Arc::new(pool.clone()), Arc::new(signer.clone()));
		Self { pool, signer, submitter }
	}

	async fn submit(&mut self, id: LogicalId, nonce: Nonce) -> Result<bool, String> {
		self.submit_at(id, nonce, heads(10, 8)).await
	}

	async fn submit_at(&mut self, id: LogicalId, nonce: Nonce, heads: Heads) -> Result<bool, String> {
		let key = sp_core::sr25519::Public::default();
		self.submitter.submit(id, call(), &key, &Moorings { heads, nonce }).await
	}

	async fn withdraw_other_reports(&mut self, epoch: u32) {
		self.submitter.withdraw(|id| matches!(id, LogicalId::Report(of) if *of != epoch)).await;
	}

	fn nonces(&self) -> Vec<Nonce> {
		self.signer.signed().iter().map(|signed| signed.nonce).collect()
	}

	/// News that are there without waiting.
	fn news(&mut self) -> Option<News> {
		self.submitter.next().now_or_never()
	}
}

fn call() -> WorkerCall {
	WorkerCall::ReportJob {
		lease: LeaseId(1),
		job: JobId(0),
		outcome: JobOutcome::Failed(JobFailure::TimedOut),
	}
}

fn in_block() -> Status {
	Status::InBlock((block_hash(11), 0))
}

fn finalised() -> Status {
	Status::Finalized((block_hash(11), 0))
}

async fn wait_out_back_off() {
	tokio::time::advance(Duration::from_secs(61)).await;
}

#[tokio::test(start_paused = true)]
async fn one_transaction_per_purpose_until_it_is_final() {
	let mut world = World::new();
	assert_eq!(world.submit(A, 5).await, Ok(true));
	wait_out_back_off().await;
	assert_eq!(world.submit(A, 5).await, Ok(false));
	world.pool.say(0, Status::Ready);
	world.pool.say(0, in_block());
	assert_eq!(world.news(), None);
	assert_eq!(world.submit(A, 6).await, Ok(false));
	world.pool.say(0, finalised());
	assert_eq!(world.news(), Some(News::Final(A, call())));
	assert_eq!(world.pool.submissions(), 1);
	// Final but still wanted, because the chain refused it: another try, with the next nonce.
	assert_eq!(world.submit(A, 6).await, Ok(true));
	assert_eq!(world.nonces(), [5, 6]);
}

#[tokio::test(start_paused = true)]
async fn nonces_follow_the_chain_and_fill_gaps() {
	let mut world = World::new();
	let c = LogicalId::Report(3);
	world.submit(A, 5).await.unwrap();
	world.submit(B, 5).await.unwrap();
	assert_eq!(world.nonces(), [5, 6]);
	// The first is gone: its nonce is used before higher ones.
	world.pool.say(0, Status::Dropped);
	assert!(matches!(world.news(), Some(News::Lost(A, _))));
	world.submit(c, 5).await.unwrap();
	wait_out_back_off().await;
	world.submit(A, 5).await.unwrap();
	assert_eq!(world.nonces(), [5, 6, 5, 7]);
	// The chain is ahead, because an earlier life of this worker used nonces.
	world.submit(LogicalId::Job(LeaseId(2), JobId(0)), 9).await.unwrap();
	assert_eq!(world.nonces().last(), Some(&9));
}

#[tokio::test(start_paused = true)]
async fn lost_transactions_are_tried_again_with_back_off() {
	for (number, status) in
		[Status::Dropped, Status::Invalid, Status::Usurped(block_hash(1))].into_iter().enumerate()
	{
		let mut world = World::new();
		world.submit(A, 0).await.unwrap();
		world.pool.say(0, status);
		assert!(matches!(world.news(), Some(News::Lost(A, _))), "{number}");
		assert_eq!(world.submit(A, 0).await, Ok(false));
		tokio::time::advance(Duration::from_millis(500)).await;
		assert_eq!(world.submit(A, 0).await, Ok(true));
	}
}

#[tokio::test(start_paused = true)]
async fn back_off_doubles_and_ends_when_the_matter_is_settled() {
	let mut world = World::new();
	let mut waits = vec![];
	for turn in 0..9 {
		world.pool.refuse(PoolError::ImmediatelyDropped);
		// The first refusal is no news yet: the pool may be a moment behind.
		match world.submit(A, 0).await {
			Ok(on_its_way) => assert_eq!((turn, on_its_way), (0, false)),
			Err(error) => assert!(turn > 0 && error.contains("the result of job 0 of lease 1"), "{error}"),
		}
		let mut waited = 0;
		while !world.submitter.is_free(A) {
			tokio::time::advance(Duration::from_millis(500)).await;
			waited += 1;
		}
		waits.push(waited);
	}
	// In half seconds.
	assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 120, 120]);
	// A refused transaction holds no nonce, and others do not wait.
	world.submit(B, 0).await.unwrap();
	assert_eq!(world.nonces().last(), Some(&0));
	world.pool.refuse(PoolError::ImmediatelyDropped);
	world.submit(A, 0).await.unwrap_err();
	assert!(!world.submitter.is_free(A));
	world.submitter.settled(A);
	assert!(world.submitter.is_free(A));
}

#[tokio::test(start_paused = true)]
async fn a_retracted_transaction_is_still_on_its_way() {
	let mut world = World::new();
	world.submit(A, 0).await.unwrap();
	world.pool.say(0, in_block());
	world.pool.say(0, Status::Retracted(block_hash(11)));
	assert_eq!(world.news(), None);
	assert!(!world.submitter.is_free(A));
	assert_eq!(world.submitter.landed(A), None);
	assert_eq!(world.submitter.call(A), Some(&call()));
	world.pool.say(0, in_block());
	assert_eq!(world.news(), None);
	assert_eq!(world.submitter.landed(A), Some(call()));
	assert_eq!(world.submitter.call(A), None);
}

#[tokio::test(start_paused = true)]
async fn what_the_chain_shows_is_done_before_the_pool_says_so() {
	let mut world = World::new();
	world.submit(A, 0).await.unwrap();
	world.submitter.done(A);
	assert!(world.submitter.is_free(A));
	assert_eq!(world.submit(A, 1).await, Ok(true));
	// What is said of the first does not touch the second.
	world.pool.say(0, in_block());
	assert_eq!(world.news(), None);
	assert_eq!(world.submitter.landed(A), None);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_the_era_frees_what_was_not_included() {
	let mut world = World::new();
	world.submit_at(A, 0, heads(10, 8)).await.unwrap();
	world.submit_at(B, 0, heads(10, 8)).await.unwrap();
	assert_eq!(world.signer.signed().iter().map(|signed| signed.at).collect::<Vec<_>>(), [8, 8]);
	world.pool.say(1, in_block());
	assert_eq!(world.news(), None);
	// Valid up to block 71; finality lags.
	assert_eq!(world.submitter.expire(&heads(71, 60)), []);
	assert_eq!(world.submitter.expire(&heads(72, 60)), [News::Lost(A, "its era ended")]);
	// What is in a block may yet become final, until no block of its era can.
	assert_eq!(world.submitter.expire(&heads(80, 71)), []);
	assert_eq!(world.submitter.expire(&heads(80, 72)), [News::Lost(B, "its era ended")]);
	wait_out_back_off().await;
	assert_eq!(world.submit_at(A, 0, heads(80, 72)).await, Ok(true));
	// News of the first life of A do not touch the second.
	world.pool.say(0, Status::Invalid);
	assert_eq!(world.news(), None);
	assert!(!world.submitter.is_free(A));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_ends_early_is_a_loss_unless_included() {
	let mut world = World::new();
	world.submit(A, 0).await.unwrap();
	world.submit(B, 0).await.unwrap();
	world.pool.say(1, in_block());
	world.pool.say(1, Status::FinalityTimeout(block_hash(11)));
	world.pool.hang_up(0);
	world.pool.hang_up(1);
	assert!(matches!(world.news(), Some(News::Lost(A, _))));
	assert_eq!(world.news(), None);
	wait_out_back_off().await;
	assert!(world.submitter.is_free(A) && !world.submitter.is_free(B));
}

#[tokio::test(start_paused = true)]
async fn what_comes_too_late_is_taken_out_of_the_pool() {
	let mut world = World::new();
	world.submit(LogicalId::Report(1), 0).await.unwrap();
	world.submit(A, 0).await.unwrap();
	world.withdraw_other_reports(1).await;
	assert_eq!(world.pool.removed.lock().unwrap().len(), 0);
	world.withdraw_other_reports(2).await;
	assert_eq!(world.pool.removed.lock().unwrap().len(), 1);
	world.submit(LogicalId::Report(2), 0).await.unwrap();
	assert_eq!(world.nonces(), [0, 1, 0]);
	// One that is in a block stays: it counts when it is final.
	world.pool.say(2, in_block());
	assert_eq!(world.news(), None);
	world.withdraw_other_reports(3).await;
	world.pool.say(2, finalised());
	assert!(matches!(world.news(), Some(News::Final(LogicalId::Report(2), _))));
}
