//! Pulling a blob from a URL.

mod address;
mod exchange;
mod save;
mod target;

pub use target::{Addresses, Resolve, Rules, SystemResolver};
pub use tokio_rustls::rustls::pki_types::CertificateDer;

use crate::{partial::DiskError, Progress, Root};
use std::{future::Future, io, net::IpAddr, path::PathBuf, sync::Arc, time::Duration};
use target::Target;
use tokio_rustls::{
	rustls::{crypto::ring, ClientConfig, RootCertStore},
	TlsConnector,
};

/// Most redirects that are followed.
pub const MAX_REDIRECTS: usize = 5;

/// Settings of a [`Puller`].
#[derive(Clone)]
pub struct PullerConfig {
	/// A folder of ours, for files that are being pulled. No other puller may use it.
	pub dir: PathBuf,
	/// What URLs may say.
	pub rules: Rules,
	/// Longest time of one pull.
	pub total: Duration,
	/// Longest silence in a pull: of name resolution, connecting, the server's handshake and headers, and between two pieces of
	/// the body.
	pub stall: Duration,
	/// Certificates that are trusted beside those of the operating system, such as that of a company's own authority.
	pub extra_roots: Vec<CertificateDer<'static>>,
	/// Looks names up.
	pub resolver: Arc<dyn Resolve>,
}

impl PullerConfig {
	/// The rules for strangers' URLs, an hour in total, 20 s of silence, the system's certificates and resolver.
	pub fn new(dir: impl Into<PathBuf>) -> Self {
		Self {
			dir: dir.into(),
			rules: Rules::default(),
			total: Duration::from_secs(3600),
			stall: Duration::from_secs(20),
			extra_roots: Vec::new(),
			resolver: Arc::new(SystemResolver),
		}
	}
}

/// A blob that was pulled: whole, with the right hash, and flushed to the disk.
#[derive(Debug)]
pub struct Pulled {
	/// The file, in the puller's folder. It is the caller's to move away or to remove.
	pub path: PathBuf,
	/// Its length.
	pub bytes: u64,
}

/// Why a blob could not be pulled.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
	/// The URL, or that of a redirect, may not be used.
	#[error("the URL cannot be used: {0}")]
	Url(&'static str),
	/// The host's name has no address.
	#[error("the host's name cannot be resolved: {0}")]
	Resolve(io::Error),
	/// The host has an address that is not public.
	#[error(
		"the host's address {address} is not public ({reason}); put the blob where everybody can reach it"
	)]
	Address {
		/// The address.
		address: IpAddr,
		/// What sort of address.
		reason: &'static str,
	},
	/// The host cannot be connected to, or has no valid certificate.
	#[error("the host cannot be connected to: {0}")]
	Connect(io::Error),
	/// The exchange broke off, or was not HTTP.
	#[error("the exchange failed: {0}")]
	Http(#[from] hyper::Error),
	/// The server answered with something else than the blob.
	#[error("the server answered with status {0}")]
	Status(u16),
	/// More than [`MAX_REDIRECTS`].
	#[error("the server redirects too often")]
	Redirects,
	/// The body is compressed, which was not asked for: its size is not that of the blob.
	#[error("the server sends the blob compressed; let it send the bytes as they are")]
	Encoded,
	/// The blob is larger than the caller wants.
	#[error("the blob has more than {cap} bytes, the most that are wanted here")]
	TooLarge {
		/// The caller's limit.
		cap: u64,
	},
	/// The bytes are not those of the blob.
	#[error("the server's {bytes} bytes do not have the hash of the blob")]
	WrongHash {
		/// How many came.
		bytes: u64,
	},
	/// Nothing came for too long.
	#[error("the server was silent for {0:?}")]
	Stalled(Duration),
	/// The pull took too long.
	#[error("the pull took longer than {0:?}")]
	TooLong(Duration),
	/// The disk failed.
	#[error(transparent)]
	Disk(#[from] DiskError),
	/// This machine trusts no certificate.
	#[error("no trusted certificates are installed; install the system's package ca-certificates")]
	NoCertificates,
}

/// Pulls blobs over HTTPS.
pub struct Puller {
	config: PullerConfig,
	tls: TlsConnector,
	folder: save::Folder,
}

impl Puller {
	/// Opens the folder, and removes what pulls of an earlier run left there. Blocks on the disk.
	///
	/// # Errors
	///
	/// `Disk` and `NoCertificates`.
	pub fn open(config: PullerConfig) -> Result<Self, HttpError> {
		let folder = save::Folder::open(&config.dir)?;
		let tls = TlsConnector::from(Arc::new(tls_config(&config.extra_roots)?));
		Ok(Self { config, tls, folder })
	}

	/// Pulls the blob `root` of at most `cap` bytes. `progress` is told of each piece, before the hash is known.
	///
	/// Dropping the future stops the pull and removes its file.
	///
	/// # Errors
	///
	/// See [`HttpError`]. The file is then removed by the thread that writes it, which may be a moment later.
	pub async fn pull(
		&self,
		url: &str,
		root: Root,
		cap: u64,
		progress: impl FnMut(Progress),
	) -> Result<Pulled, HttpError> {
		let total = self.config.total;
		let pull = self.pull_in_time(url, root, cap, progress);
		tokio::time::timeout(total, pull).await.unwrap_or(Err(HttpError::TooLong(total)))
	}

	async fn pull_in_time(
		&self,
		url: &str,
		root: Root,
		cap: u64,
		mut progress: impl FnMut(Progress),
	) -> Result<Pulled, HttpError> {
		let mut target = Target::parse(url, None, self.config.rules)?;
		for _ in 0..=MAX_REDIRECTS {
			let exchange = exchange::Exchange::start(self, &target).await?;
			match exchange.redirect()? {
				Some(location) => {
					target = Target::parse(location, Some(&target.url), self.config.rules)?;
				}
				None => return exchange.save(root, cap, &mut progress).await,
			}
		}
		Err(HttpError::Redirects)
	}

	/// Waits for one step of an exchange.
	async fn unstalled<T>(&self, step: impl Future<Output = Result<T, HttpError>>) -> Result<T, HttpError> {
		let stall = self.config.stall;
		tokio::time::timeout(stall, step).await.unwrap_or(Err(HttpError::Stalled(stall)))
	}
}

fn tls_config(extra: &[CertificateDer<'static>]) -> Result<ClientConfig, HttpError> {
	let mut roots = RootCertStore::empty();
	// A system's store may hold certificates that rustls does not take; those are not used.
	roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
	roots.add_parsable_certificates(extra.iter().cloned());
	if roots.is_empty() {
		return Err(HttpError::NoCertificates);
	}
	let provider = Arc::new(ring::default_provider());
	let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
	let builder = versions.map_err(|error| HttpError::Connect(io::Error::other(error)))?;
	let mut config = builder.with_root_certificates(roots).with_no_client_auth();
	config.alpn_protocols = vec![b"http/1.1".to_vec()];
	Ok(config)
}
