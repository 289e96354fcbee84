//! Who may have which blob, by the chain.

use crate::{blobs::Blobs, chain::Chain};
use frame_system_rpc_runtime_api::AccountNonceApi;
use millrace_blob::{Access, Asker, Root, Server, ServerConfig};
use millrace_job::Document;
use millrace_primitives::{
	leases_api::LeasesApi, worker_api::WorkerApi, AccountId, BlobHash, Hash, Header, Nonce,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use sp_core::{sr25519, Pair};
use sp_runtime::traits::Block as BlockT;
use std::{
	collections::{BTreeSet, HashMap},
	sync::{Arc, Mutex, PoisonError},
};

/// Rights that are remembered for one block.
const REMEMBERED: usize = 256;

/// Serves blobs to other nodes: to the worker of a lease's provider, those of the lease's open jobs.
pub struct BlobServer<Block, Client>(Server<Blobs, Rights<Block, Client>>);

impl<Block, Client> BlobServer<Block, Client>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
{
	/// A server of the store's blobs, in the node with this peer id.
	pub fn new(client: Arc<Client>, blobs: Blobs, peer: Vec<u8>) -> Self {
		let chain = Chain::new(client);
		let config = ServerConfig::new(chain.genesis().0, peer);
		let rights = Rights { chain, blobs: blobs.clone(), known: Mutex::default() };
		Self(Server::new(config, blobs, rights))
	}

	/// Answers a request of the node with this peer id. Blocks on the disk.
	pub fn answer(&self, peer: &[u8], request: &[u8]) -> Vec<u8> {
		self.0.answer(peer, request)
	}
}

/// Rights by the chain's best block.
struct Rights<Block, Client> {
	chain: Chain<Block, Client>,
	blobs: Blobs,
	known: Mutex<Known>,
}

/// What was found at one block, by lease and signer.
#[derive(Default)]
struct Known {
	at: Hash,
	rights: HashMap<(u64, [u8; 32]), BTreeSet<Root>>,
}

impl<Block, Client> Rights<Block, Client>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
{
	/// The blobs of the lease's open jobs, if the signer is the worker of a provider that serves it: plans, what those name that
	/// are here, and checkpoints.
	fn find(&self, at: Hash, asker: &Asker) -> BTreeSet<Root> {
		// What the chain does not say now gives no right; the asker tries again.
		let view = self.chain.view(at, &AccountId::new(asker.signer)).ok().flatten();
		let jobs = view
			.into_iter()
			.flat_map(|view| view.leases)
			.filter(|lease| lease.lease.0 == asker.lease)
			.flat_map(|lease| lease.jobs);
		let mut roots = BTreeSet::new();
		for job in jobs {
			roots.insert(job.plan.0);
			roots.extend(job.checkpoint.map(|checkpoint| checkpoint.blob.0));
			roots.extend(self.named_by(job.plan));
		}
		roots
	}

	fn named_by(&self, plan: BlobHash) -> Vec<Root> {
		let is_plan = self.blobs.has(plan).is_some_and(|bytes| bytes <= millrace_job::MAX_PLAN_BYTES as u64);
		let document = is_plan.then(|| self.blobs.get(plan).ok().flatten()).flatten();
		let plan = document.and_then(|document| Document::parse(&document).ok());
		plan.map(|plan| plan.blobs().into_iter().map(|blob| blob.0).collect()).unwrap_or_default()
	}
}

impl<Block, Client> Access for Rights<Block, Client>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
{
	fn block(&self) -> u32 {
		self.chain.heads().best.0
	}

	fn signed(&self, signer: &[u8; 32], payload: &[u8], signature: &[u8; 64]) -> bool {
		let (signer, signature) =
			(sr25519::Public::from_raw(*signer), sr25519::Signature::from_raw(*signature));
		sr25519::Pair::verify(&signature, payload, &signer)
	}

	fn may_read(&self, asker: &Asker, root: Root) -> bool {
		let at = self.chain.heads().best.1;
		let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
		if known.at != at || known.rights.len() >= REMEMBERED {
			*known = Known { at, ..Known::default() };
		}
		let key = (asker.lease, asker.signer);
		if !known.rights.get(&key).is_some_and(|roots| roots.contains(&root)) {
			// Looked at anew: the plan that names the blob may have come since.
			known.rights.insert(key, self.find(at, asker));
		}
		known.rights.get(&key).is_some_and(|roots| roots.contains(&root))
	}
}
