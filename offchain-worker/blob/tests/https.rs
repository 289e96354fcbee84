//! Pulling blobs from a real HTTPS server on loopback, which may be hostile.

#![cfg(test)]

#[allow(dead_code, reason = "other tests use more of it")]
mod support;

use millrace_blob::{
	http::{
		Addresses, CertificateDer, HttpError, Pulled, Puller, PullerConfig, Resolve, Rules, SystemResolver,
	},
	Root,
};
use std::{
	fs,
	future::Future,
	io,
	net::{IpAddr, SocketAddr},
	path::Path,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use support::{bytes, root};
use tokio::{
	io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
	net::{TcpListener, TcpStream},
};
use tokio_rustls::{
	rustls::{crypto::ring, pki_types::PrivatePkcs8KeyDer, ServerConfig},
	TlsAcceptor,
};

const SIZE: u64 = 300_000;
const CAP: u64 = 400_000;

/// A server with a certificate of its own for `localhost` and `files.example`.
struct Site {
	certificate: CertificateDer<'static>,
	tls: SocketAddr,
	plain: SocketAddr,
	requests: Arc<AtomicUsize>,
}

impl Site {
	async fn start() -> Self {
		// Made by `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500`, and good for nothing else.
		let certificate = CertificateDer::from(&include_bytes!("fixtures/localhost.der")[..]);
		let key = PrivatePkcs8KeyDer::from(&include_bytes!("fixtures/localhost.key.der")[..]);
		let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
			.with_safe_default_protocol_versions()
			.unwrap()
			.with_no_client_auth()
			.with_single_cert(vec![certificate.clone()], key.into())
			.unwrap();
		let acceptor = TlsAcceptor::from(Arc::new(config));
		let requests = Arc::new(AtomicUsize::new(0));
		let tls = listen(requests.clone(), move |stream, requests| {
			let acceptor = acceptor.clone();
			async move { respond(acceptor.accept(stream).await?, requests).await }
		});
		let plain = listen(requests.clone(), respond);
		Self { certificate, tls: tls.await, plain: plain.await, requests }
	}

	fn url(&self, path: &str) -> String {
		format!("https://localhost:{}{path}", self.tls.port())
	}

	fn config(&self, dir: &Path) -> PullerConfig {
		PullerConfig {
			rules: Rules { any_port: true, loopback: true },
			stall: Duration::from_millis(500),
			extra_roots: vec![self.certificate.clone()],
			..PullerConfig::new(dir)
		}
	}
}

/// Accepts connections and counts them.
async fn listen<F: Future<Output = io::Result<()>> + Send + 'static>(
	requests: Arc<AtomicUsize>,
	respond: impl Fn(TcpStream, Arc<AtomicUsize>) -> F + Send + 'static,
) -> SocketAddr {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = listener.local_addr().unwrap();
	tokio::spawn(async move {
		while let Ok((stream, _)) = listener.accept().await {
			tokio::spawn(respond(stream, requests.clone()));
		}
	});
	address
}

/// Answers one request as its path asks.
async fn respond<S: AsyncRead + AsyncWrite + Unpin>(
	mut stream: S,
	requests: Arc<AtomicUsize>,
) -> io::Result<()> {
	let mut head = Vec::new();
	while !head.ends_with(b"\r\n\r\n") {
		head.push(stream.read_u8().await?);
	}
	requests.fetch_add(1, Ordering::Relaxed);
	let head = String::from_utf8(head).unwrap();
	assert!(
		head.contains("accept-encoding: identity\r\n") && !head.to_lowercase().contains("cookie"),
		"{head}"
	);
	let path = head.split(' ').nth(1).unwrap();
	let body = bytes(SIZE);
	let ok = |headers: &str| format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n").into_bytes();
	let found = |to: &str| {
		format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\nset-cookie: a=b\r\ncontent-length: 0\r\n\r\n")
			.into_bytes()
	};
	let length = |bytes: u64| ok(&format!("content-length: {bytes}"));
	let right = [&length(SIZE)[..], &body].concat();
	let bytes = match path.split_once('?').unwrap_or((path, "")) {
		("/blob", _) => right,
		("/until-the-end", _) => [&ok("connection: close")[..], &body].concat(),
		("/identity", _) => {
			[&ok(&format!("content-encoding: identity\r\ncontent-length: {SIZE}"))[..], &body].concat()
		}
		("/chunked", _) => {
			let (one, two) = body.split_at(100_000);
			let chunk = |data: &[u8]| [format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat();
			[ok("transfer-encoding: chunked"), chunk(one), chunk(two), b"0\r\n\r\n".to_vec()].concat()
		}
		("/to", location) => found(location),
		("/hops", "0") => found("/blob"),
		("/hops", left) => found(&format!("/hops?{}", left.parse::<u32>().unwrap() - 1)),
		("/says-more", _) => [&length(SIZE + 1)[..], &body].concat(),
		("/says-less", _) => [&length(SIZE - 1)[..], &body].concat(),
		("/says-too-much", _) => length(CAP + 1),
		("/says-it-twice", _) => {
			[&ok(&format!("content-length: 5\r\ncontent-length: {SIZE}"))[..], &body].concat()
		}
		("/changed", _) => {
			let mut changed = right;
			*changed.last_mut().unwrap() ^= 1;
			changed
		}
		("/gzip", _) => [&ok("content-encoding: gzip\r\ncontent-length: 300000")[..], &body].concat(),
		("/bomb", _) => {
			// Nine bytes that a decompressor makes a long row of zeros of, again and again.
			let bomb = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0].repeat(1000);
			[&ok("content-encoding: identity, gzip\r\ncontent-length: 9000")[..], &bomb].concat()
		}
		("/endless", _) => {
			stream.write_all(&ok("transfer-encoding: chunked")).await?;
			loop {
				stream.write_all(&[&b"2000\r\n"[..], &[0; 0x2000], b"\r\n"].concat()).await?;
			}
		}
		("/drip", _) => {
			stream.write_all(&length(SIZE)).await?;
			for byte in body {
				stream.write_all(&[byte]).await?;
				stream.flush().await?;
				tokio::time::sleep(Duration::from_millis(20)).await;
			}
			return Ok(());
		}
		("/silent", _) => {
			stream.write_all(&right[..100_000]).await?;
			stream.flush().await?;
			tokio::time::sleep(Duration::from_secs(3600)).await;
			return Ok(());
		}
		("/mute", _) => {
			tokio::time::sleep(Duration::from_secs(3600)).await;
			return Ok(());
		}
		("/head", _) => ok(&format!("x: {}", "y".repeat(200_000))),
		("/headers", _) => ok(&"x: y\r\n".repeat(200)),
		("/noise", _) => body,
		(_, status) => format!("HTTP/1.1 {status} No\r\ncontent-length: 0\r\n\r\n").into_bytes(),
	};
	stream.write_all(&bytes).await?;
	// Over TLS, too, an end has to be said where no length is.
	stream.shutdown().await
}

async fn pull(puller: &Puller, url: &str) -> Result<Pulled, HttpError> {
	puller.pull(url, root(&bytes(SIZE)), CAP, |_| {}).await
}

fn files(dir: &Path) -> usize {
	fs::read_dir(dir).unwrap().count()
}

/// The thread that writes removes a file a moment after the error.
async fn is_empty_soon(dir: &Path) {
	let start = Instant::now();
	while files(dir) > 0 {
		assert!(start.elapsed() < Duration::from_secs(5), "a file was left over");
		tokio::time::sleep(Duration::from_millis(5)).await;
	}
}

#[tokio::test]
async fn a_blob_is_pulled_however_it_is_framed_and_redirected() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let puller = Puller::open(site.config(dir.path())).unwrap();
	let plain = format!("/to?http://127.0.0.1:{}/blob", site.plain.port());
	for path in ["/blob", "/until-the-end", "/identity", "/chunked", "/to?/blob", "/hops?4", &plain] {
		let mut seen = Vec::new();
		let url = site.url(path);
		let pulled =
			puller.pull(&url, root(&bytes(SIZE)), CAP, |progress| seen.push(progress)).await.unwrap();
		assert_eq!(pulled.bytes, SIZE, "{path}");
		assert!(fs::read(&pulled.path).unwrap() == bytes(SIZE), "{path}");
		assert_eq!(seen.last().map(|progress| progress.bytes), Some(SIZE), "{path}");
		fs::remove_file(pulled.path).unwrap();
	}
	// A limit is what is allowed.
	assert!(puller.pull(&site.url("/blob"), root(&bytes(SIZE)), SIZE, |_| {}).await.is_ok());
}

#[tokio::test]
async fn a_server_that_does_not_send_the_blob_is_told_apart() {
	type Expected = fn(&HttpError) -> bool;
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let puller = Puller::open(site.config(dir.path())).unwrap();
	let table: &[(&str, Expected)] = &[
		("/says-more", |error| matches!(error, HttpError::Http(_))),
		("/says-less", |error| matches!(error, HttpError::WrongHash { bytes: 299_999 })),
		("/says-too-much", |error| matches!(error, HttpError::TooLarge { cap: CAP })),
		("/says-it-twice", |error| matches!(error, HttpError::Http(_))),
		("/changed", |error| matches!(error, HttpError::WrongHash { bytes: SIZE })),
		("/gzip", |error| matches!(error, HttpError::Encoded)),
		("/bomb", |error| matches!(error, HttpError::Encoded)),
		("/endless", |error| matches!(error, HttpError::TooLarge { cap: CAP })),
		("/silent", |error| matches!(error, HttpError::Stalled(_))),
		("/mute", |error| matches!(error, HttpError::Stalled(_))),
		("/head", |error| matches!(error, HttpError::Http(_))),
		("/headers", |error| matches!(error, HttpError::Http(_))),
		("/noise", |error| matches!(error, HttpError::Http(_))),
		("/status?404", |error| matches!(error, HttpError::Status(404))),
		("/status?206", |error| matches!(error, HttpError::Status(206))),
		("/status?304", |error| matches!(error, HttpError::Status(304))),
		("/hops?5", |error| matches!(error, HttpError::Redirects)),
	];
	for (path, expected) in table {
		let error = pull(&puller, &site.url(path)).await.unwrap_err();
		assert!(expected(&error), "{path}: {error}");
		is_empty_soon(dir.path()).await;
	}
}

#[tokio::test]
async fn a_pull_has_an_end_even_if_bytes_keep_coming() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let config = PullerConfig { total: Duration::from_millis(700), ..site.config(dir.path()) };
	let puller = Puller::open(config).unwrap();
	let error = pull(&puller, &site.url("/drip")).await.unwrap_err();
	assert!(matches!(error, HttpError::TooLong(_)), "{error}");
	is_empty_soon(dir.path()).await;
}

#[tokio::test]
async fn redirects_are_judged_as_the_first_url_is() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let puller = Puller::open(site.config(dir.path())).unwrap();
	for to in [
		"https://10.0.0.1/",
		"https://169.254.169.254/latest",
		"https://[fd00:ec2::254]/",
		"https://0xa000001/",
	] {
		let error = pull(&puller, &site.url(&format!("/to?{to}"))).await.unwrap_err();
		assert!(matches!(error, HttpError::Address { .. }), "{to}: {error}");
	}
	for to in ["http://93.184.215.14/", "ftp://localhost/", "https://a:b@localhost/", "file:///etc/passwd"] {
		let error = pull(&puller, &site.url(&format!("/to?{to}"))).await.unwrap_err();
		assert!(matches!(error, HttpError::Url(_)), "{to}: {error}");
	}
	assert_eq!(site.requests.load(Ordering::Relaxed), 8, "one request each");
}

#[tokio::test]
async fn strangers_urls_do_not_reach_this_machine() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let strict = PullerConfig { rules: Rules::default(), ..site.config(dir.path()) };
	let puller = Puller::open(strict).unwrap();
	let error = pull(&puller, "https://localhost/blob").await.unwrap_err();
	assert!(matches!(error, HttpError::Address { .. }), "{error}");
	let error = pull(&puller, &site.url("/blob")).await.unwrap_err();
	assert!(matches!(error, HttpError::Url("its port is not 443")), "{error}");
	let ports = PullerConfig { rules: Rules { any_port: true, loopback: false }, ..site.config(dir.path()) };
	let error = pull(&Puller::open(ports).unwrap(), &site.url("/blob")).await.unwrap_err();
	assert!(matches!(error, HttpError::Address { .. }), "{error}");
	assert_eq!(site.requests.load(Ordering::Relaxed), 0);
}

/// A name server that lies: each time it is asked, the next of its addresses.
struct Rebinding(AtomicUsize, &'static [&'static str]);

impl Resolve for Rebinding {
	fn resolve<'a>(&'a self, _: &'a str) -> Addresses<'a> {
		let turn = self.0.fetch_add(1, Ordering::Relaxed);
		let address: IpAddr = self.1[turn.min(self.1.len() - 1)].parse().unwrap();
		Box::pin(std::future::ready(Ok(vec![address])))
	}
}

#[tokio::test]
async fn a_name_is_looked_up_once_and_again_after_a_redirect() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let names = Arc::new(Rebinding(AtomicUsize::new(0), &["127.0.0.1", "10.0.0.1"]));
	let puller = Puller::open(PullerConfig { resolver: names.clone(), ..site.config(dir.path()) }).unwrap();
	let url = format!("https://files.example:{}", site.tls.port());
	assert!(pull(&puller, &format!("{url}/blob")).await.is_ok(), "it goes where the check was");
	assert_eq!(names.0.load(Ordering::Relaxed), 1);
	names.0.store(0, Ordering::Relaxed);
	let error = pull(&puller, &format!("{url}/to?{url}/blob")).await.unwrap_err();
	assert!(matches!(error, HttpError::Address { .. }), "{error}");
	assert_eq!(names.0.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_certificate_that_is_not_trusted_or_not_the_hosts_is_refused() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let another = CertificateDer::from(&include_bytes!("fixtures/another.der")[..]);
	let untrusted = PullerConfig { extra_roots: vec![another], ..site.config(dir.path()) };
	let error = pull(&Puller::open(untrusted).unwrap(), &site.url("/blob")).await.unwrap_err();
	assert!(matches!(error, HttpError::Connect(_)), "{error}");
	let puller = Puller::open(site.config(dir.path())).unwrap();
	let by_address = format!("https://127.0.0.1:{}/blob", site.tls.port());
	let error = pull(&puller, &by_address).await.unwrap_err();
	assert!(matches!(error, HttpError::Connect(_)), "{error}");
	assert_eq!(site.requests.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_link_in_the_files_place_is_not_written_through() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let victim = tempfile::NamedTempFile::new().unwrap();
	fs::write(victim.path(), "precious").unwrap();
	let puller = Puller::open(site.config(dir.path())).unwrap();
	let place = dir.path().join(format!("{}.0.pull", hex::encode(root(&bytes(SIZE)))));
	std::os::unix::fs::symlink(victim.path(), &place).unwrap();
	let error = pull(&puller, &site.url("/blob")).await.unwrap_err();
	assert!(matches!(error, HttpError::Disk(_)), "{error}");
	assert_eq!(fs::read(victim.path()).unwrap(), b"precious");
	// The next start clears the folder: the link goes, and not what it leads to.
	drop(puller);
	let puller = Puller::open(site.config(dir.path())).unwrap();
	assert_eq!(files(dir.path()), 0);
	assert_eq!(pull(&puller, &site.url("/blob")).await.unwrap().path, place);
	assert_eq!(fs::read(victim.path()).unwrap(), b"precious");
}

#[tokio::test]
async fn a_pull_that_is_given_up_leaves_nothing() {
	let (site, dir) = (Site::start().await, tempfile::tempdir().unwrap());
	let puller = Puller::open(site.config(dir.path())).unwrap();
	let url = site.url("/silent");
	let pulling = pull(&puller, &url);
	assert!(tokio::time::timeout(Duration::from_millis(200), pulling).await.is_err());
	assert_eq!(site.requests.load(Ordering::Relaxed), 1);
	is_empty_soon(dir.path()).await;
}

#[tokio::test]
async fn the_systems_resolver_knows_this_machine() {
	let found = SystemResolver.resolve("localhost").await.unwrap();
	assert!(!found.is_empty() && found.iter().all(IpAddr::is_loopback), "{found:?}");
	let nobody: Root = [0; 32];
	let dir = tempfile::tempdir().unwrap();
	let puller = Puller::open(Site::start().await.config(dir.path())).unwrap();
	let error = puller.pull("https://nobody.invalid/", nobody, CAP, |_| {}).await.unwrap_err();
	assert!(matches!(error, HttpError::Resolve(_) | HttpError::Stalled(_)), "{error}");
}
