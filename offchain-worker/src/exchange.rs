//! Blobs between nodes: fetching what a job lacks from the peers, and serving them what their leases give them a right to.
//!
//! A renter puts a job's blobs into the node that it trusts, which may be its own. The provider's node asks its peers for them, with a
//! ticket that its worker's key has signed; whoever has a blob looks at the chain, and answers if the lease is that worker's and
//! the blob belongs to one of the lease's open jobs. After a failover the next provider gets the job's checkpoint in the same way.

mod access;

use crate::{blobs::Blobs, LOG_TARGET};
pub use access::BlobServer;
use futures::future::BoxFuture;
use millrace_blob::{drive, Ask, AskError, Fetch, Genesis, Ticket};
use millrace_primitives::{worker_key::KEY_TYPE as WORKER_KEY, BlobHash, BlockNumber, Hash, LeaseId};
use sp_core::sr25519;
use sp_keystore::{Keystore, KeystorePtr};
use std::{
	collections::BTreeMap,
	fs, io,
	path::{Path, PathBuf},
	sync::{Arc, Mutex, MutexGuard, PoisonError},
	time::{Duration, SystemTime},
};
use tokio::time::Instant;

/// Blobs that are fetched at a time.
const AT_ONCE: usize = 4;
/// Requests for one blob at a time.
const IN_FLIGHT: usize = 4;
/// How long a peer may take to answer.
const PATIENCE: Duration = Duration::from_secs(20);
/// Peers that are asked for one blob.
const MAX_PEERS: usize = 32;
/// Wait before a blob that nobody gave is asked for again.
const RETRY: Duration = Duration::from_secs(5);
/// For how many blocks a ticket is valid.
const TICKET_BLOCKS: BlockNumber = 100;
/// How long a blob that was fetched in part is kept.
const KEEP_PARTS: Duration = Duration::from_secs(24 * 60 * 60);

/// Another node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
	/// Its name, as the network writes it.
	pub name: String,
	/// Its peer id, as bytes.
	pub id: Vec<u8>,
}

/// What the exchange needs of the node's network.
pub trait BlobNetwork: Send + Sync + 'static {
	/// This node.
	fn local(&self) -> Peer;

	/// The nodes that this one is connected to.
	fn peers(&self) -> BoxFuture<'static, Vec<Peer>>;

	/// Sends a request of [`millrace_blob::PROTOCOL`], and waits for the answer.
	fn ask(&self, peer: Peer, request: Vec<u8>) -> BoxFuture<'static, Result<Vec<u8>, AskError>>;
}

/// The network, as `millrace-blob` wants it.
struct Via(Arc<dyn BlobNetwork>);

impl Ask<Peer> for Via {
	fn ask(
		&self,
		peer: Peer,
		request: Vec<u8>,
	) -> impl std::future::Future<Output = Result<Vec<u8>, AskError>> + Send {
		self.0.ask(peer, request)
	}
}

/// Fetches blobs from peers. Clones are the same.
#[derive(Clone)]
pub(crate) struct Exchange(Option<Arc<Inner>>);

struct Inner {
	network: Arc<dyn BlobNetwork>,
	keystore: KeystorePtr,
	blobs: Blobs,
	dir: PathBuf,
	genesis: Genesis,
	state: Mutex<State>,
}

#[derive(Default)]
struct State {
	/// The worker's key, and the best block.
	standing: Option<(sr25519::Public, BlockNumber)>,
	tries: BTreeMap<BlobHash, Try>,
}

/// The last try at a blob.
enum Try {
	UnderWay,
	Until(Instant),
}

impl Exchange {
	/// For a worker without a network.
	#[cfg(test)]
	pub(crate) fn off() -> Self {
		Self(None)
	}

	/// Fetches into `dir`, and from there into the store. Parts of blobs that were fetched long ago are removed.
	pub(crate) fn open(
		network: Option<Arc<dyn BlobNetwork>>,
		keystore: KeystorePtr,
		blobs: Blobs,
		dir: PathBuf,
		genesis: Hash,
	) -> io::Result<Self> {
		let Some(network) = network else { return Ok(Self(None)) };
		fs::create_dir_all(&dir)?;
		remove_old_parts(&dir)?;
		let inner = Inner { network, keystore, blobs, dir, genesis: genesis.0, state: Mutex::default() };
		Ok(Self(Some(Arc::new(inner))))
	}

	/// By which key the worker acts, and where the chain stands: tickets say so.
	pub(crate) fn stand(&self, key: sr25519::Public, best: BlockNumber) {
		if let Some(inner) = &self.0 {
			inner.state().standing = Some((key, best));
		}
	}

	/// Starts to fetch a blob for a lease, unless that is under way, or was tried a moment ago. When it has come it is in the
	/// store. Call it on a tokio runtime.
	pub(crate) fn want(&self, lease: LeaseId, blob: BlobHash) {
		let Some(inner) = &self.0 else { return };
		let mut state = inner.state();
		let Some((key, best)) = state.standing else { return };
		let now = Instant::now();
		state.tries.retain(|_, last| {
			matches!(last, Try::UnderWay) || matches!(last, Try::Until(until) if *until > now)
		});
		let under_way = state.tries.values().filter(|last| matches!(last, Try::UnderWay)).count();
		if state.tries.contains_key(&blob) || under_way >= AT_ONCE {
			return;
		}
		state.tries.insert(blob, Try::UnderWay);
		drop(state);
		let inner = inner.clone();
		tokio::spawn(async move {
			match inner.fetch(lease, blob, key, best).await {
				Ok(bytes) => {
					log::info!(target: LOG_TARGET, "lease {lease}: blob {blob:?} came from peers, {bytes} bytes")
				}
				Err(why) => {
					log::debug!(target: LOG_TARGET, "lease {lease}: blob {blob:?} is not to be had now: {why}")
				}
			}
			inner.state().tries.insert(blob, Try::Until(Instant::now() + RETRY));
		});
	}
}

impl Inner {
	async fn fetch(
		&self,
		lease: LeaseId,
		blob: BlobHash,
		key: sr25519::Public,
		best: BlockNumber,
	) -> Result<u64, String> {
		let peers = self.network.peers().await;
		if peers.is_empty() {
			return Err("this node has no peers".into());
		}
		let (cap, dir) = (self.blobs.limits().max_blob_bytes, self.dir.clone());
		let open = move || Fetch::open(blob.0, cap, &dir, IN_FLIGHT);
		let mut fetch = on_disk_thread(open).await?;
		let held = fetch.progress().bytes;
		if held > 0 {
			log::info!(target: LOG_TARGET, "lease {lease}: blob {blob:?} goes on, {held} bytes of it are here");
		}
		for peer in peers.into_iter().take(MAX_PEERS) {
			let ticket = self.ticket(lease, &key, best, &peer)?;
			fetch.add(peer, ticket);
		}
		let whole = drive(fetch, &Via(self.network.clone()), PATIENCE, |_| {})
			.await
			.map_err(|error| error.to_string())?;
		for (peer, fault) in whole.dropped() {
			log::debug!(target: LOG_TARGET, "{} was not asked again for blob {blob:?}: {fault}", peer.name);
		}
		let (blobs, path) = (self.blobs.clone(), self.dir.join(format!("{}.whole", hex::encode(blob))));
		on_disk_thread(move || {
			let bytes = whole.finish(&path).map_err(|error| error.to_string())?;
			blobs.adopt(&path, blob).map_err(|error| error.to_string())?;
			Ok::<_, String>(bytes)
		})
		.await
	}

	fn ticket(
		&self,
		lease: LeaseId,
		key: &sr25519::Public,
		best: BlockNumber,
		peer: &Peer,
	) -> Result<Ticket, String> {
		let expires = best.saturating_add(TICKET_BLOCKS);
		let payload = Ticket::payload(&self.genesis, &self.network.local().id, &peer.id, lease.0, expires);
		let signed = Keystore::sr25519_sign(&*self.keystore, WORKER_KEY, key, &payload);
		let signature = signed.ok().flatten().ok_or("the keystore does not sign with the worker's key")?;
		Ok(Ticket { lease: lease.0, signer: key.0, expires, signature: signature.0 })
	}

	/// The state is whole after every statement, so a thread that panicked leaves nothing half done.
	fn state(&self) -> MutexGuard<'_, State> {
		self.state.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// Runs the disk's work where it may block.
async fn on_disk_thread<T: Send + 'static, E: std::fmt::Display + Send + 'static>(
	work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, String> {
	crate::executors::on_own_thread(work).await?.map_err(|error| error.to_string())
}

fn remove_old_parts(dir: &Path) -> io::Result<()> {
	let now = SystemTime::now();
	for file in fs::read_dir(dir)? {
		let file = file?;
		let age = file.metadata()?.modified().ok().and_then(|time| now.duration_since(time).ok());
		if age.is_some_and(|age| age > KEEP_PARTS) {
			fs::remove_file(file.path())?;
		}
	}
	Ok(())
}
