//! What the tests share: blobs on disk, a chain of one lease, and nodes on loopback.

use blake3::Hasher;
use millrace_blob::{Access, AskError, Asker, Genesis, Root, Server, ServerConfig, Source, Ticket};
use schnorrkel::{Keypair, PublicKey, Signature};
use std::{
	collections::HashSet,
	fs::{self, File},
	path::{Path, PathBuf},
};

pub(crate) const GENESIS: Genesis = [1; 32];
/// The newest block.
pub(crate) const BLOCK: u32 = 1000;
/// The lease of the tests' blobs.
pub(crate) const LEASE: u64 = 5;

/// Bytes that are nowhere alike.
pub(crate) fn bytes(size: u64) -> Vec<u8> {
	let mut bytes = vec![0; size as usize];
	Hasher::new().update(&size.to_le_bytes()).finalize_xof().fill(&mut bytes);
	bytes
}

pub(crate) fn root(bytes: &[u8]) -> Root {
	*blake3::hash(bytes).as_bytes()
}

/// A folder of blobs.
pub(crate) struct Store(pub(crate) PathBuf);

impl Store {
	pub(crate) fn put(&self, bytes: &[u8]) -> Root {
		let root = root(bytes);
		fs::create_dir_all(&self.0).unwrap();
		fs::write(self.path(&root), bytes).unwrap();
		root
	}

	pub(crate) fn path(&self, root: &Root) -> PathBuf {
		self.0.join(hex::encode(root))
	}
}

impl Source for Store {
	fn open(&self, root: Root) -> Option<(File, u64)> {
		let file = File::open(self.path(&root)).ok()?;
		let size = file.metadata().ok()?.len();
		Some((file, size))
	}
}

/// A chain with one lease, its renter, and the blobs that the lease is about.
pub(crate) struct Chain {
	pub(crate) renter: [u8; 32],
	pub(crate) blobs: HashSet<Root>,
}

impl Access for Chain {
	fn block(&self) -> u32 {
		BLOCK
	}

	fn signed(&self, signer: &[u8; 32], payload: &[u8], signature: &[u8; 64]) -> bool {
		match (PublicKey::from_bytes(signer), Signature::from_bytes(signature)) {
			(Ok(key), Ok(signature)) => key.verify_simple(b"substrate", payload, &signature).is_ok(),
			_ => false,
		}
	}

	fn may_read(&self, asker: &Asker, root: Root) -> bool {
		asker.lease == LEASE && asker.signer == self.renter && self.blobs.contains(&root)
	}
}

/// A key pair that is the same at every run.
pub(crate) fn renter() -> Keypair {
	let seed = schnorrkel::MiniSecretKey::from_bytes(&[9; 32]).unwrap();
	seed.expand_to_keypair(schnorrkel::ExpansionMode::Ed25519)
}

/// The renter's ticket for one node at another.
pub(crate) fn ticket(asker: &str, server: &str) -> Ticket {
	let renter = renter();
	let expires = BLOCK + 100;
	let payload = Ticket::payload(&GENESIS, asker.as_bytes(), server.as_bytes(), LEASE, expires);
	let signature = renter.sign_simple(b"substrate", &payload).to_bytes();
	Ticket { lease: LEASE, signer: renter.public.to_bytes(), expires, signature }
}

/// A node that has these blobs, of which all belong to the lease. `also` belong to it, but are not here.
pub(crate) fn server(name: &str, dir: &Path, blobs: &[&[u8]], also: &[Root]) -> Server<Store, Chain> {
	let store = Store(dir.join(name));
	let roots = blobs.iter().map(|blob| store.put(blob)).chain(also.iter().copied()).collect();
	let chain = Chain { renter: renter().public.to_bytes(), blobs: roots };
	Server::new(ServerConfig::new(GENESIS, name.into()), store, chain)
}

/// Text of an error of the network.
pub(crate) fn unreachable(error: std::io::Error) -> AskError {
	AskError::Unreachable(error.to_string())
}

/// A network of TCP: each request has a connection of its own, on which a node first says who it is, as libp2p would prove.
pub(crate) mod tcp {
	use super::{unreachable, Chain, Store};
	use millrace_blob::{Ask, AskError, Server};
	use std::{collections::HashMap, future::Future, io, net::SocketAddr, sync::Arc};
	use tokio::{
		io::{AsyncReadExt, AsyncWriteExt},
		net::{TcpListener, TcpStream},
	};

	/// Longest frame: both sides bound their messages themselves.
	const MAX_FRAME: u32 = 4 << 20;

	pub(crate) async fn send(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<()> {
		stream.write_u32(bytes.len() as u32).await?;
		stream.write_all(bytes).await
	}

	pub(crate) async fn receive(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
		let length = stream.read_u32().await?;
		if length > MAX_FRAME {
			return Err(io::ErrorKind::InvalidData.into());
		}
		let mut bytes = vec![0; length as usize];
		stream.read_exact(&mut bytes).await?;
		Ok(bytes)
	}

	/// Starts to serve on a port of loopback.
	pub(crate) async fn listen(server: Arc<Server<Store, Chain>>) -> SocketAddr {
		let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
		let address = listener.local_addr().unwrap();
		tokio::spawn(async move {
			while let Ok((stream, _)) = listener.accept().await {
				tokio::spawn(serve(server.clone(), stream));
			}
		});
		address
	}

	async fn serve(server: Arc<Server<Store, Chain>>, mut stream: TcpStream) -> io::Result<()> {
		let peer = receive(&mut stream).await?;
		while let Ok(request) = receive(&mut stream).await {
			let (server, peer) = (server.clone(), peer.clone());
			let answer = tokio::task::spawn_blocking(move || server.answer(&peer, &request)).await?;
			send(&mut stream, &answer).await?;
		}
		Ok(())
	}

	/// A node that asks others.
	pub(crate) struct Node {
		pub(crate) name: &'static str,
		pub(crate) peers: HashMap<&'static str, SocketAddr>,
	}

	impl Node {
		async fn exchange(&self, address: SocketAddr, request: Vec<u8>) -> io::Result<Vec<u8>> {
			let mut stream = TcpStream::connect(address).await?;
			send(&mut stream, self.name.as_bytes()).await?;
			send(&mut stream, &request).await?;
			receive(&mut stream).await
		}
	}

	impl Ask<&'static str> for Node {
		fn ask(
			&self,
			peer: &'static str,
			request: Vec<u8>,
		) -> impl Future<Output = Result<Vec<u8>, AskError>> + Send {
			let address = self.peers[peer];
			async move { self.exchange(address, request).await.map_err(unreachable) }
		}
	}
}
