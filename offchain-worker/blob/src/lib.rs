//! Moves blobs between nodes and pulls them over HTTPS; nothing that was not verified is kept.
//!
//! A *blob* is a file named by the BLAKE3 hash of its bytes. BLAKE3 is a tree hash, so that the name, its *root*, also proves
//! each piece of the file by itself: a piece comes with the hashes beside its way to the root (a `bao` slice). Pieces here are
//! *chunk groups* of 16 KiB, and up to 64 of them, a *span* of 1 MiB, make one answer.
//!
//! # Between nodes
//!
//! One protocol of requests and answers, named [`PROTOCOL`] behind the chain's prefix. A [`Request`] names a part of a blob and
//! carries a [`Ticket`], by which a party of a lease lets the asking node have the lease's blobs from the answering one. The
//! [`Answer`] is a slice or a [`Refusal`].
//!
//! * The serving side is a [`Server`] over a [`Source`] of files and the rules of [`Access`]. It answers from the file, never
//!   reading more than the part, once the blob's hash tree is in memory. Peers have rates. Whoever has no right to a blob is told the
//!   same whether or not the blob is here.
//! * The fetching side is a [`Fetch`], a state machine without network, and [`drive`], which runs one over anything that can
//!   [`Ask`]. An answer is checked before a byte of it reaches the disk. A peer that sends wrong data, refuses, or does not answer is
//!   not asked for this blob again. The length of a blob is believed once its last chunk group has proven it. What was
//!   fetched survives a restart: it is checked against the root again and the rest is asked for.
//!
//! ```
//! use millrace_blob::{drive, Ask, AskError, Fetch, Ticket};
//! # use millrace_blob::{Access, Asker, Root, Server, ServerConfig, Source};
//! # use std::{fs::File, io::Write, time::Duration};
//! # struct Here(std::path::PathBuf);
//! # impl Source for Here {
//! #     fn open(&self, _: Root) -> Option<(File, u64)> {
//! #         let file = File::open(&self.0).ok()?;
//! #         let bytes = file.metadata().ok()?.len();
//! #         Some((file, bytes))
//! #     }
//! # }
//! # struct Everybody;
//! # impl Access for Everybody {
//! #     fn block(&self) -> u32 { 1 }
//! #     fn signed(&self, _: &[u8; 32], _: &[u8], _: &[u8; 64]) -> bool { true }
//! #     fn may_read(&self, _: &Asker, _: Root) -> bool { true }
//! # }
//! /// A network of one peer, in this process.
//! struct Network(Server<Here, Everybody>);
//!
//! impl Ask<&'static str> for Network {
//!     async fn ask(&self, _peer: &'static str, request: Vec<u8>) -> Result<Vec<u8>, AskError> {
//!         Ok(self.0.answer(b"us", &request))
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(async {
//! # let dir = tempfile::tempdir().unwrap();
//! # std::fs::write(dir.path().join("blob"), vec![7; 3_000_000]).unwrap();
//! # let network = Network(Server::new(ServerConfig::new([0; 32], b"peer".to_vec()), Here(dir.path().join("blob")), Everybody));
//! # let root = *blake3::hash(&vec![7; 3_000_000]).as_bytes();
//! # let ticket = Ticket { lease: 0, signer: [0; 32], expires: 9, signature: [0; 64] };
//! let mut fetch = Fetch::open(root, 1 << 30, &dir.path().join("fetching"), 4)?;
//! fetch.add("peer", ticket);
//! let whole = drive(fetch, &network, Duration::from_secs(20), |progress| println!("{progress:?}")).await?;
//! assert_eq!(whole.finish(&dir.path().join("fetched"))?, 3_000_000);
//! # Ok::<(), millrace_blob::FetchError<&'static str>>(())
//! # }).unwrap();
//! ```
//!
//! # Over HTTPS
//!
//! [`http::Puller`] pulls a blob from a URL that a stranger has named, without becoming the stranger's way into this node's
//! network: names are looked up here, every address has to be public, and the connection goes to the address that was checked, also after
//! a redirect. The body is hashed as it comes; size, silence and time are bounded.
//!
//! # What this crate does not do
//!
//! It holds no keys and knows no chain: signatures and rights are the caller's [`Access`]. It does not find peers, and does not
//! account for room on the disk: the caller's cap is the most that a fetch may take. It does not encrypt: the serving node and whoever
//! holds a valid ticket see the bytes.

mod drive;
mod error;
mod fetch;
pub mod http;
mod message;
mod partial;
mod rate;
mod serve;
mod slice;
mod ticket;
mod trees;

pub use drive::{drive, Ask};
pub use error::{AskError, Fault, FetchError};
pub use fetch::{Fetch, Progress, Question, Step};
pub use message::{Answer, Refusal, Request, MAX_ANSWER_BYTES, MAX_REQUEST_BYTES};
pub use partial::DiskError;
pub use rate::RateLimits;
pub use serve::{Access, Server, ServerConfig, Source};
pub use slice::{Part, GROUP_BYTES, MAX_BLOB_BYTES, SPAN_BYTES, SPAN_GROUPS};
pub use ticket::{Asker, Genesis, Ticket};

/// A blob's name: the BLAKE3 hash of its bytes.
pub type Root = [u8; 32];

/// The protocol's name, to be put behind a prefix that is the chain's own. Another version has another name.
pub const PROTOCOL: &str = "/blob/1";
