//! Nodes that fetch from each other over TCP, with somebody in between.

#![cfg(test)]

#[allow(dead_code, reason = "other tests use more of it")]
mod support;

use codec::Encode;
use millrace_blob::{drive, Answer, AskError, Fault, Fetch, FetchError, Progress, Refusal, Root, SPAN_BYTES};
use std::{
	collections::HashMap,
	fs::{self, OpenOptions},
	io,
	net::SocketAddr,
	os::unix::fs::FileExt,
	path::{Path, PathBuf},
	sync::{
		atomic::{AtomicUsize, Ordering},
		Arc,
	},
	time::{Duration, Instant},
};
use support::{tcp::*, *};
use tokio::{
	io::AsyncWriteExt,
	net::{TcpListener, TcpStream},
};

const TIMEOUT: Duration = Duration::from_millis(400);

/// What the one in between does to answers.
#[derive(Clone, Copy, Debug)]
enum Meddling {
	/// Changes a byte at this place, counted modulo the length.
	Change(usize),
	/// Passes on fewer bytes, in a frame of that length.
	Shorten(usize),
	/// Sends zeros instead.
	Blank,
	/// Passes the frame's length on and some of its bytes, and closes the connection.
	Cut(usize),
	/// Passes some bytes on, and then nothing more.
	Stall(usize),
	/// Closes the connection.
	Close,
	Nothing,
}

/// Starts one in between, who meddles with all answers but the first `spared`. Counts the requests.
async fn between(server: SocketAddr, meddling: Meddling, spared: usize) -> (SocketAddr, Arc<AtomicUsize>) {
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let address = listener.local_addr().unwrap();
	let count = Arc::new(AtomicUsize::new(0));
	let counted = count.clone();
	tokio::spawn(async move {
		while let Ok((stream, _)) = listener.accept().await {
			let number = counted.fetch_add(1, Ordering::Relaxed);
			let meddling = if number < spared { Meddling::Nothing } else { meddling };
			tokio::spawn(pass(stream, server, meddling));
		}
	});
	(address, count)
}

async fn pass(mut asker: TcpStream, server: SocketAddr, meddling: Meddling) -> io::Result<()> {
	let mut server = TcpStream::connect(server).await?;
	for _ in ["name", "request"] {
		let frame = receive(&mut asker).await?;
		send(&mut server, &frame).await?;
	}
	let mut answer = receive(&mut server).await?;
	let length = answer.len();
	match meddling {
		Meddling::Change(at) => answer[at % length] ^= 0x20,
		Meddling::Shorten(to) => answer.truncate(to.min(length - 1)),
		Meddling::Blank => answer.fill(0),
		Meddling::Cut(after) | Meddling::Stall(after) => {
			asker.write_u32(length as u32).await?;
			asker.write_all(&answer[..after.min(length - 1)]).await?;
			if matches!(meddling, Meddling::Stall(_)) {
				tokio::time::sleep(Duration::from_secs(3600)).await;
			}
			return Ok(());
		}
		Meddling::Close => return Ok(()),
		Meddling::Nothing => {}
	}
	send(&mut asker, &answer).await
}

/// A providing node with a blob.
async fn provider(name: &str, dir: &Path, blob: &[u8]) -> SocketAddr {
	listen(Arc::new(server(name, dir, &[blob], &[]))).await
}

/// A node `us`, and a fetch of the blob by it from these peers, in this order.
fn fetching(dir: &Path, root: Root, peers: &[(&'static str, SocketAddr)]) -> (Node, Fetch<&'static str>) {
	let mut fetch = Fetch::open(root, 1 << 30, &dir.join("fetching"), 4).unwrap();
	for (peer, _) in peers {
		fetch.add(*peer, ticket("us", peer));
	}
	(Node { name: "us", peers: peers.iter().copied().collect::<HashMap<_, _>>() }, fetch)
}

/// A copy of the folder of a fetch.
fn copy_of(dir: &Path) -> PathBuf {
	let copy = dir.join("copy");
	fs::create_dir_all(copy.join("fetching")).unwrap();
	for file in fs::read_dir(dir.join("fetching")).unwrap() {
		let file = file.unwrap();
		fs::copy(file.path(), copy.join("fetching").join(file.file_name())).unwrap();
	}
	copy
}

fn is_expected(fault: &Fault, meddling: Meddling) -> bool {
	match meddling {
		Meddling::Change(_) | Meddling::Shorten(_) | Meddling::Blank => *fault == Fault::WrongData,
		Meddling::Cut(_) | Meddling::Close => matches!(fault, Fault::Failed(AskError::Unreachable(_))),
		Meddling::Stall(_) => *fault == Fault::Failed(AskError::TimedOut),
		Meddling::Nothing => false,
	}
}

const MEDDLINGS: [Meddling; 13] = [
	Meddling::Change(0),
	Meddling::Change(5),
	Meddling::Change(20),
	Meddling::Change(700_000),
	Meddling::Change(usize::MAX),
	Meddling::Shorten(0),
	Meddling::Shorten(1),
	Meddling::Shorten(500_000),
	Meddling::Shorten(usize::MAX),
	Meddling::Blank,
	Meddling::Cut(600_000),
	Meddling::Stall(600_000),
	Meddling::Close,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_meddles_is_found_out_and_the_blob_comes_from_others() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(3 * SPAN_BYTES + 12_345);
	let good = provider("good", dir.path(), &blob).await;
	let also = provider("bad", dir.path(), &blob).await;
	for (number, meddling) in MEDDLINGS.into_iter().enumerate() {
		for spared in [0, 1] {
			let dir = dir.path().join(format!("{number} {spared}"));
			let (bad, _) = between(also, meddling, spared).await;
			let (node, fetch) = fetching(&dir, root(&blob), &[("bad", bad), ("good", good)]);
			let whole = drive(fetch, &node, TIMEOUT, |_| {}).await.unwrap();
			match &whole.dropped()[..] {
				[("bad", fault)] => assert!(is_expected(fault, meddling), "{meddling:?}: {fault}"),
				other => panic!("{meddling:?}, {spared} spared: {other:?}"),
			}
			whole.finish(&dir.join("whole")).unwrap();
			assert!(fs::read(dir.join("whole")).unwrap() == blob, "{meddling:?}");
		}
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_an_honest_peer_nothing_wrong_is_kept() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(2 * SPAN_BYTES);
	let good = provider("good", dir.path(), &blob).await;
	for (number, meddling) in MEDDLINGS.into_iter().enumerate() {
		let dir = dir.path().join(number.to_string());
		let (bad, _) = between(good, meddling, 1).await;
		let (node, fetch) = fetching(&dir, root(&blob), &[("good", bad)]);
		match drive(fetch, &node, TIMEOUT, |_| {}).await {
			Err(FetchError::NobodyLeft(dropped)) => assert_eq!(dropped.len(), 1),
			Err(other) => panic!("{other}"),
			Ok(_) => panic!("{meddling:?} passed"),
		}
		let (node, fetch) = fetching(&dir, root(&blob), &[("good", good)]);
		let left = Progress { bytes: SPAN_BYTES, total: Some(2 * SPAN_BYTES) };
		assert_eq!(fetch.progress(), left, "what came before {meddling:?}");
		let whole = drive(fetch, &node, TIMEOUT, |_| {}).await.unwrap();
		whole.finish(&dir.join("whole")).unwrap();
		assert!(fs::read(dir.join("whole")).unwrap() == blob, "{meddling:?}");
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fetch_that_was_stopped_goes_on_with_what_is_sound() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(10 * SPAN_BYTES + 1);
	let good = provider("good", dir.path(), &blob).await;
	let (stuck, _) = between(good, Meddling::Stall(9), 6).await;
	let (node, fetch) = fetching(dir.path(), root(&blob), &[("good", stuck)]);
	let forever = Duration::from_secs(3600);
	let partial = dir.path().join(format!("fetching/{}.partial", hex::encode(root(&blob))));
	// The first answer has the last group, too, which is the whole last span.
	let six = 6 * SPAN_BYTES + 1;
	let six_are_there = async {
		// What a crash at this moment would leave is a copy of the files.
		while fetching(&copy_of(dir.path()), root(&blob), &[]).1.progress().bytes < six {
			tokio::time::sleep(Duration::from_millis(50)).await;
		}
	};
	tokio::select! {
		_ = drive(fetch, &node, forever, |_| {}) => panic!("it waits for ever"),
		stopped = tokio::time::timeout(Duration::from_secs(10), six_are_there) => stopped.unwrap(),
	}
	// The disk, too, may have gone wrong meanwhile.
	let file = OpenOptions::new().write(true).open(partial).unwrap();
	file.write_all_at(b"rot", 2 * SPAN_BYTES + 77).unwrap();

	let (counted, count) = between(good, Meddling::Nothing, 0).await;
	let (node, fetch) = fetching(dir.path(), root(&blob), &[("good", counted)]);
	assert_eq!(fetch.progress(), Progress { bytes: six - SPAN_BYTES, total: Some(blob.len() as u64) });
	let mut seen = Vec::new();
	let whole = drive(fetch, &node, TIMEOUT, |progress| seen.push(progress.bytes)).await.unwrap();
	assert_eq!(count.load(Ordering::Relaxed), 5, "eleven spans but the six that were sound");
	assert!(seen.is_sorted() && seen.last() == Some(&(blob.len() as u64)), "{seen:?}");
	whole.finish(&dir.path().join("whole")).unwrap();
	assert!(fs::read(dir.path().join("whole")).unwrap() == blob);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_node_has_no_use_for_a_ticket() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(1000);
	let good = provider("good", dir.path(), &blob).await;
	let (node, fetch) = fetching(dir.path(), root(&blob), &[("good", good)]);
	let thief = Node { name: "thief", ..node };
	match drive(fetch, &thief, TIMEOUT, |_| {}).await {
		Err(FetchError::NobodyLeft(dropped)) => {
			assert_eq!(dropped, [("good", Fault::Refused(Refusal::NotAllowed))]);
		}
		other => panic!("{:?}", other.map(|fetch| fetch.progress())),
	}
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_without_the_blob_is_passed_over_and_a_busy_one_is_asked_again() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(SPAN_BYTES);
	let empty = listen(Arc::new(server("empty", dir.path(), &[], &[root(&blob)]))).await;
	let good = provider("good", dir.path(), &blob).await;
	// Busy once, and then itself.
	let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
	let busy = listener.local_addr().unwrap();
	tokio::spawn(async move {
		let (mut stream, _) = listener.accept().await.unwrap();
		let wait = Answer::Refused(Refusal::Busy { retry_ms: 200 }).encode();
		receive(&mut stream).await.unwrap();
		receive(&mut stream).await.unwrap();
		send(&mut stream, &wait).await.unwrap();
		while let Ok((stream, _)) = listener.accept().await {
			tokio::spawn(pass(stream, good, Meddling::Nothing));
		}
	});
	let (node, fetch) = fetching(dir.path(), root(&blob), &[("empty", empty), ("good", busy)]);
	let start = Instant::now();
	let whole = drive(fetch, &node, TIMEOUT, |_| {}).await.unwrap();
	assert!(start.elapsed() >= Duration::from_millis(200));
	assert_eq!(whole.dropped(), [("empty", Fault::Refused(Refusal::NotHere))]);
	assert_eq!(whole.finish(&dir.path().join("whole")).unwrap(), SPAN_BYTES);
}
