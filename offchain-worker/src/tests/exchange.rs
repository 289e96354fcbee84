//! Blobs between nodes: what a worker lacks comes from a peer, if the chain says that it may have it.

use super::doubles::{block_hash, ChainDouble};
use crate::{exchange::Exchange, AskError, BlobLimits, BlobNetwork, BlobServer, Blobs, Peer};
use futures::future::{BoxFuture, FutureExt};
use millrace_primitives::{
	worker_api::{JobView, LeaseView, WorkerView},
	worker_key::KEY_TYPE,
	AccountId, BlobHash, Checkpoint, JobId, LeaseId, LeaseStatus, NodeIndex, NodeStatus,
	OpaqueBlock as Block,
};
use sp_core::sr25519;
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystorePtr};
use std::{
	sync::{
		atomic::{AtomicUsize, Ordering::Relaxed},
		Arc, Mutex,
	},
	time::Duration,
};

const KERNEL: &[u8] = b"a kernel of the renter's";
const STATE: &[u8] = b"a state of the job";
const LEASE: LeaseId = LeaseId(4);

fn peer(name: &str) -> Peer {
	Peer { name: name.into(), id: name.as_bytes().to_vec() }
}

/// What a peer does to an answer.
type Change = fn(Vec<u8>) -> Vec<u8>;

/// Two nodes, and the wire between them.
struct Wire {
	server: Arc<BlobServer<Block, ChainDouble>>,
	/// Who the asker says that it is.
	from: &'static str,
	change: Mutex<Change>,
	asked: AtomicUsize,
}

impl BlobNetwork for Arc<Wire> {
	fn local(&self) -> Peer {
		peer("provider")
	}

	fn peers(&self) -> BoxFuture<'static, Vec<Peer>> {
		async { vec![peer("renter")] }.boxed()
	}

	fn ask(&self, _: Peer, request: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, AskError>> {
		let wire = self.clone();
		async move {
			wire.asked.fetch_add(1, Relaxed);
			let answer = wire.server.answer(wire.from.as_bytes(), &request);
			let change = *wire.change.lock().unwrap();
			Ok(change(answer))
		}
		.boxed()
	}
}

struct World {
	chain: ChainDouble,
	/// At the renter's node, and at the provider's.
	theirs: Blobs,
	ours: Blobs,
	exchange: Exchange,
	wire: Arc<Wire>,
	plan: BlobHash,
	_dirs: [tempfile::TempDir; 2],
}

impl World {
	fn new(from: &'static str) -> Self {
		let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
		let limits = BlobLimits { max_blob_bytes: 4 << 20, quota_bytes: 64 << 20 };
		let [theirs, ours] = [0, 1].map(|at| Blobs::open(dirs[at].path().join("blobs"), limits).unwrap());
		let plan = format!(
			r#"{{ "version": 1, "kernel": "{}", "buffers": [{{ "name": "b", "bytes": 4 }}], "outputs": ["b"],
				"launches": [{{ "entry": "e", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [] }}] }}"#,
			millrace_job::BlobHash::of(KERNEL)
		);
		let plan = theirs.put(plan.as_bytes()).unwrap();
		theirs.put(KERNEL).unwrap();
		theirs.put(STATE).unwrap();
		let keystore: KeystorePtr = Arc::new(MemoryKeystore::new());
		let key: sr25519::Public =
			Keystore::sr25519_generate_new(&*keystore, KEY_TYPE, Some("//Worker")).unwrap();
		let chain = ChainDouble::default();
		let server = BlobServer::new(Arc::new(chain.clone()), theirs.clone(), peer("renter").id);
		let wire = Arc::new(Wire {
			server: Arc::new(server),
			from,
			change: Mutex::new(|answer| answer),
			asked: AtomicUsize::new(0),
		});
		let network: Arc<dyn BlobNetwork> = Arc::new(wire.clone());
		let dir = dirs[1].path().join("fetching");
		let exchange = Exchange::open(Some(network), keystore, ours.clone(), dir, block_hash(0)).unwrap();
		exchange.stand(key, 0);
		let world = Self { chain, theirs, ours, exchange, wire, plan, _dirs: dirs };
		world.serve_lease(LEASE);
		world
	}

	/// The chain says that the worker serves this lease, with one open job.
	fn serve_lease(&self, lease: LeaseId) {
		let checkpoint = Checkpoint {
			job: JobId(0),
			blob: millrace_job::blob_hash(STATE).into(),
			bytes: STATE.len() as u64,
			launches_done: 1,
		};
		let job = JobView { job: JobId(0), plan: self.plan, submitted_at: 7, checkpoint: Some(checkpoint) };
		let lease = LeaseView {
			lease,
			status: LeaseStatus::Active,
			node: NodeIndex(0),
			node_status: NodeStatus::Active,
			gpus: vec![],
			jobs: vec![job],
		};
		self.chain.change(|state| {
			state.best += 1;
			state.best_view = Some(WorkerView {
				provider: AccountId::new([9; 32]),
				now: 0,
				epoch: 0,
				epoch_ends: 10,
				report_due: false,
				gpus: vec![],
				leases: vec![lease],
			});
		});
	}

	/// Whether the blob comes within some seconds of real time.
	async fn comes(&self, blob: BlobHash, within: Duration) -> bool {
		let deadline = std::time::Instant::now() + within;
		while std::time::Instant::now() < deadline {
			self.exchange.want(LEASE, blob);
			if self.ours.has(blob).is_some() {
				return true;
			}
			tokio::time::sleep(Duration::from_millis(20)).await;
		}
		false
	}
}

fn hash(bytes: &[u8]) -> BlobHash {
	millrace_job::blob_hash(bytes).into()
}

const SOON: Duration = Duration::from_secs(10);
const NEVER: Duration = Duration::from_millis(500);

#[tokio::test]
async fn plan_kernel_and_checkpoint_of_the_lease_come_from_the_renters_node() {
	let world = World::new("provider");
	for blob in [world.plan, hash(KERNEL), hash(STATE)] {
		assert!(world.comes(blob, SOON).await, "{blob:?}");
		assert_eq!(world.ours.get(blob).unwrap(), world.theirs.get(blob).unwrap());
	}
}

#[tokio::test]
async fn a_blob_of_a_mebibyte_or_three_comes_whole() {
	let world = World::new("provider");
	let large = vec![7; 3_000_000];
	let plan = format!(
		r#"{{ "version": 1, "kernel": "{}", "buffers": [{{ "name": "b", "bytes": 3000000, "input": "{}" }}], "outputs": ["b"],
			"launches": [{{ "entry": "e", "grid": [1, 1, 1], "block": [1, 1, 1], "arguments": [] }}] }}"#,
		millrace_job::BlobHash::of(KERNEL),
		millrace_job::BlobHash::of(&large),
	);
	let mut world = world;
	world.plan = world.theirs.put(plan.as_bytes()).unwrap();
	world.theirs.put(&large).unwrap();
	world.serve_lease(LEASE);
	assert!(world.comes(hash(&large), SOON).await);
	assert_eq!(world.ours.get(hash(&large)).unwrap(), Some(large));
}

#[tokio::test]
async fn a_blob_that_belongs_to_no_job_of_the_lease_is_not_given() {
	let world = World::new("provider");
	let other = world.theirs.put(b"another tenant's").unwrap();
	assert!(!world.comes(other, NEVER).await);
	assert!(world.wire.asked.load(Relaxed) > 0, "it was asked for");
	// Nor is one of a lease that the worker serves no more.
	world.serve_lease(LeaseId(5));
	assert!(!world.comes(hash(KERNEL), NEVER).await);
}

#[tokio::test]
async fn a_ticket_that_another_node_has_seen_is_of_no_use_to_it() {
	let world = World::new("thief");
	assert!(!world.comes(world.plan, NEVER).await);
	assert!(world.wire.asked.load(Relaxed) > 0);
}

#[tokio::test]
async fn what_was_changed_in_transit_is_never_stored() {
	let world = World::new("provider");
	*world.wire.change.lock().unwrap() = |mut answer| {
		if let Some(last) = answer.last_mut() {
			*last ^= 1;
		}
		answer
	};
	assert!(!world.comes(world.plan, NEVER).await);
	assert_eq!(world.ours.used_bytes(), 0);
}
