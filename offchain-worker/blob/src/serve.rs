//! The serving side: one request in, one answer out.

use crate::{
	message::{Answer, Refusal, Request},
	rate::{RateLimits, Rates},
	slice::{cut, CutError},
	ticket::{Asker, Genesis},
	trees::{Found, Trees},
	Root,
};
use codec::Encode;
use std::{
	fs::File,
	sync::{Mutex, PoisonError},
	time::{Duration, Instant},
};

/// When to ask again while a tree is being made.
const RETRY_TREE: Duration = Duration::from_millis(250);

/// Where blobs are.
pub trait Source {
	/// Opens the file of a blob, at its beginning, and tells its length in bytes; `None` if it is not here. The bytes need not
	/// be checked.
	fn open(&self, root: Root) -> Option<(File, u64)>;
}

/// What the chain says.
pub trait Access {
	/// Number of the newest block.
	fn block(&self) -> u32;

	/// Whether `signature` is that of the sr25519 key `signer` for `payload`.
	fn signed(&self, signer: &[u8; 32], payload: &[u8], signature: &[u8; 64]) -> bool;

	/// Whether the asker is a party of its lease, and this lease gives a right to the blob. It must not depend on whether the
	/// blob is here.
	fn may_read(&self, asker: &Asker, root: Root) -> bool;
}

/// Settings of a [`Server`].
#[derive(Clone, Debug)]
pub struct ServerConfig {
	/// The chain's first block.
	pub genesis: Genesis,
	/// Bytes of this node's peer id.
	pub peer: Vec<u8>,
	/// For how many blocks from now a ticket may be valid.
	pub max_ticket_blocks: u32,
	/// What one peer may take.
	pub rates: RateLimits,
	/// Memory for hash trees, in bytes. A blob of more than 256 times as much is not served.
	pub tree_bytes: usize,
}

impl ServerConfig {
	/// A day of blocks for tickets, 64 MiB of trees (so blobs up to 16 GiB), and the default rates.
	pub fn new(genesis: Genesis, peer: Vec<u8>) -> Self {
		Self {
			genesis,
			peer,
			max_ticket_blocks: 14_400,
			rates: RateLimits::default(),
			tree_bytes: 64 * 1024 * 1024,
		}
	}
}

/// Answers requests of other nodes. Any number of threads may use it.
pub struct Server<S, A> {
	config: ServerConfig,
	source: S,
	access: A,
	rates: Mutex<Rates>,
	trees: Trees,
}

impl<S: Source, A: Access> Server<S, A> {
	/// A server of these blobs under these rules.
	pub fn new(config: ServerConfig, source: S, access: A) -> Self {
		let rates = Mutex::new(Rates::new(config.rates));
		let trees = Trees::new(config.tree_bytes);
		Self { config, source, access, rates, trees }
	}

	/// Answers one request. `peer` is the asking node's peer id as the connection has proven it.
	///
	/// Blocks on the disk: it reads a span, and at a blob's first request the whole blob, to make its hash tree.
	pub fn answer(&self, peer: &[u8], request: &[u8]) -> Vec<u8> {
		let answer = match self.rates().request(peer, Instant::now()) {
			Ok(()) => None,
			Err(wait) => Some(busy(wait)),
		};
		let answer = answer.unwrap_or_else(|| self.judge(peer, request).unwrap_or_else(Answer::Refused));
		let bytes = answer.encode();
		self.rates().answered(peer, bytes.len(), Instant::now());
		bytes
	}

	/// Rights come first: what a stranger is told does not depend on what is here.
	fn judge(&self, peer: &[u8], request: &[u8]) -> Result<Answer, Refusal> {
		let request = Request::read(request).ok_or(Refusal::BadRequest)?;
		let asker = self.asker(peer, &request).ok_or(Refusal::NotAllowed)?;
		if !self.access.may_read(&asker, request.root) {
			return Err(Refusal::NotAllowed);
		}
		let (file, size) = self.source.open(request.root).ok_or(Refusal::NotHere)?;
		let tree = match self.trees.get(request.root, &file, size) {
			Ok(Found::Tree(tree)) => tree,
			Ok(Found::Busy) => return Ok(busy(RETRY_TREE)),
			// What cannot be read now or ever, another node may have.
			Ok(Found::Unfit) | Err(_) => return Err(Refusal::NotHere),
		};
		match cut(&file, &*tree, request.part) {
			Ok(slice) => Ok(Answer::Slice { size, slice }),
			Err(CutError::NoSuchPart) => Err(Refusal::BadRequest),
			Err(CutError::Damaged | CutError::Io(_)) => {
				self.trees.forget(request.root);
				Err(Refusal::NotHere)
			}
		}
	}

	fn asker(&self, peer: &[u8], request: &Request) -> Option<Asker> {
		let ServerConfig { genesis, peer: own, max_ticket_blocks, .. } = &self.config;
		let signed = |signer: &_, payload: &_, signature: &_| self.access.signed(signer, payload, signature);
		request.ticket.check(genesis, peer, own, self.access.block(), *max_ticket_blocks, signed)
	}

	/// A count that a panic left behind is still one.
	fn rates(&self) -> std::sync::MutexGuard<'_, Rates> {
		self.rates.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

fn busy(wait: Duration) -> Answer {
	// Rounded up, so that who waits exactly that long is served.
	let retry_ms = u32::try_from(wait.as_millis()).unwrap_or(u32::MAX).saturating_add(1);
	Answer::Refused(Refusal::Busy { retry_ms })
}
