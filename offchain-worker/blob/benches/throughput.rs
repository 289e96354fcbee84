//! How fast a blob travels: by the verified protocol, and by plain HTTP/1.1 of the same bytes, over loopback in the same run.
//!
//! Both ends of each way are in this process, and the files are in memory where the system has a folder for that, so that
//! neither network nor disk is measured. `cargo bench -p millrace-blob` prints a table; the median of the repeats counts.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a measurement that fails is none")]

#[path = "../tests/support/mod.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod support;

use futures::stream;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::{
	body::{Bytes, Frame},
	client, server,
	service::service_fn,
	Request, Response,
};
use hyper_util::rt::TokioIo;
use millrace_blob::{
	drive,
	http::{Puller, PullerConfig, Rules},
	Fetch, Root, Server, ServerConfig, SPAN_BYTES,
};
use std::{
	convert::Infallible,
	fs::File,
	io::{self, Read, Write},
	net::SocketAddr,
	path::{Path, PathBuf},
	sync::Arc,
	time::{Duration, Instant},
};
use support::{bytes, renter, tcp, ticket, Chain, Store, GENESIS};
use tokio::net::{TcpListener, TcpStream};

const BLOB_BYTES: u64 = 256 << 20;
const REPEATS: usize = 7;

/// A way to move the blob, with its times.
struct Way {
	what: &'static str,
	times: Vec<Duration>,
}

impl Way {
	fn row(&mut self) -> String {
		self.times.sort_unstable();
		let rate = |time: Duration| BLOB_BYTES as f64 / time.as_secs_f64() / 1e6;
		let [best, median, worst] = [0, REPEATS / 2, REPEATS - 1].map(|at| rate(self.times[at]));
		format!("| {:<44} | {median:>6.0} | {worst:>6.0} | {best:>6.0} |", self.what)
	}
}

fn main() {
	let memory = Path::new("/dev/shm");
	let dir = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() }.unwrap();
	let store = Store(dir.path().join("store"));
	let root = store.put(&bytes(BLOB_BYTES));
	let path = store.path(&root);
	let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
	let mut ways: Vec<Way> = [
		"BLAKE3 of the file, one thread",
		"plain HTTP/1.1, nothing checked",
		"HTTP/1.1 by the puller, hash checked",
		"verified protocol, one request at a time",
		"verified protocol, four in flight",
		"the same, and the first to ask for the blob",
	]
	.map(|what| Way { what, times: Vec::new() })
	.into();
	runtime.block_on(async {
		let http = http_server(path.clone()).await;
		let warm = node(Store(dir.path().join("store")), root).await;
		fetch(dir.path(), root, warm, 4).await;
		for _ in 0..REPEATS {
			let cold = node(Store(dir.path().join("store")), root).await;
			let times = [
				hash(&path, root),
				plain_http(dir.path(), http).await,
				pull(dir.path(), root, http).await,
				fetch(dir.path(), root, warm, 1).await,
				fetch(dir.path(), root, warm, 4).await,
				fetch(dir.path(), root, cold, 4).await,
			];
			ways.iter_mut().zip(times).for_each(|(way, time)| way.times.push(time));
		}
	});
	let threads = std::thread::available_parallelism().map_or(0, usize::from);
	println!("A blob of {} MiB, {REPEATS} times each, {threads} processors:\n", BLOB_BYTES >> 20);
	println!("| {:<44} | MB/s   | worst  | best   |", "");
	println!("| {:-<44} | -----: | -----: | -----: |", "");
	ways.iter_mut().for_each(|way| println!("{}", way.row()));
}

fn hash(path: &Path, root: Root) -> Duration {
	let start = Instant::now();
	let mut hasher = blake3::Hasher::new();
	io::copy(&mut io::BufReader::with_capacity(1 << 20, File::open(path).unwrap()), &mut hasher).unwrap();
	assert_eq!(hasher.finalize(), blake3::Hash::from(root));
	start.elapsed()
}

/// A node that has the blob, without limits on rates.
async fn node(store: Store, root: Root) -> SocketAddr {
	let chain = Chain { renter: renter().public.to_bytes(), blobs: [root].into() };
	let mut config = ServerConfig::new(GENESIS, b"provider".to_vec());
	config.rates.requests_per_second = u32::MAX;
	config.rates.bytes_per_second = u64::MAX;
	tcp::listen(Arc::new(Server::new(config, store, chain))).await
}

async fn fetch(dir: &Path, root: Root, from: SocketAddr, in_flight: usize) -> Duration {
	let node = tcp::Node { name: "us", peers: [("provider", from)].into() };
	let start = Instant::now();
	let mut fetch = Fetch::open(root, BLOB_BYTES, &dir.join("fetching"), in_flight).unwrap();
	fetch.add("provider", ticket("us", "provider"));
	let whole = drive(fetch, &node, Duration::from_secs(60), |_| {}).await.unwrap();
	assert_eq!(whole.finish(&dir.join("whole")).unwrap(), BLOB_BYTES);
	start.elapsed()
}

/// A server of the file by hyper, which reads it in pieces of a span.
async fn http_server(path: PathBuf) -> SocketAddr {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = listener.local_addr().unwrap();
	tokio::spawn(async move {
		loop {
			let (stream, _) = listener.accept().await.unwrap();
			let path = path.clone();
			let service = service_fn(move |_| {
				let file = Arc::new(File::open(&path).unwrap());
				let pieces = stream::unfold(file, |file| async move {
					let piece = tokio::task::spawn_blocking({
						let file = file.clone();
						move || piece(&file)
					});
					Some((Ok::<_, Infallible>(Frame::data(piece.await.unwrap()?)), file))
				});
				let response = Response::builder().header("content-length", BLOB_BYTES);
				std::future::ready(response.body(StreamBody::new(pieces)))
			});
			tokio::spawn(server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service));
		}
	});
	address
}

/// The next piece of a file; `None` at its end.
fn piece(file: &File) -> Option<Bytes> {
	let mut bytes = Vec::with_capacity(SPAN_BYTES as usize);
	Read::take(file, SPAN_BYTES).read_to_end(&mut bytes).unwrap();
	(!bytes.is_empty()).then(|| bytes.into())
}

async fn plain_http(dir: &Path, from: SocketAddr) -> Duration {
	let start = Instant::now();
	let stream = TcpStream::connect(from).await.unwrap();
	let (mut sender, connection) = client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
	tokio::spawn(connection);
	let request = Request::get("/").header("host", "localhost").body(Empty::<Bytes>::new()).unwrap();
	let mut body = sender.send_request(request).await.unwrap().into_body();
	let (pieces, mut queue) = tokio::sync::mpsc::channel::<Bytes>(16);
	let path = dir.join("plain");
	let writer = tokio::task::spawn_blocking(move || {
		let mut file = File::create(path).unwrap();
		let mut bytes = 0;
		while let Some(piece) = queue.blocking_recv() {
			file.write_all(&piece).unwrap();
			bytes += piece.len() as u64;
		}
		file.sync_all().unwrap();
		bytes
	});
	while let Some(frame) = body.frame().await {
		pieces.send(frame.unwrap().into_data().unwrap()).await.unwrap();
	}
	drop(pieces);
	assert_eq!(writer.await.unwrap(), BLOB_BYTES);
	start.elapsed()
}

async fn pull(dir: &Path, root: Root, from: SocketAddr) -> Duration {
	let rules = Rules { any_port: true, loopback: true };
	let puller = Puller::open(PullerConfig { rules, ..PullerConfig::new(dir.join("pulling")) }).unwrap();
	let start = Instant::now();
	puller.pull(&format!("http://{from}/"), root, BLOB_BYTES, |_| {}).await.unwrap();
	start.elapsed()
}
