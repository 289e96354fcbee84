//! Fetching under everything that a network can do to answers, in any order.

#![cfg(test)]

#[allow(dead_code, reason = "other tests use more of it")]
mod support;

use codec::Encode;
use millrace_blob::{
	Answer, AskError, Fault, Fetch, FetchError, Progress, Question, Refusal, Request, Server, Step,
	GROUP_BYTES, SPAN_BYTES,
};
use proptest::prelude::*;
use std::{
	fs,
	path::Path,
	time::{Duration, Instant},
};
use support::*;

const HONEST: &str = "honest";
/// A restart forgets how often a peer was busy, so that there may not be restarts for ever.
const LAST_RESTART: usize = 60;

/// What becomes of an answer on its way.
#[derive(Clone, Debug)]
enum Mishap {
	Changed(prop::sample::Index, u8),
	Cut(prop::sample::Index),
	Lengthened(u8),
	Swapped,
	OtherSize(i64),
	Busy(u32),
	Refused,
	Lost,
	TimedOut,
	None,
}

fn mishap() -> impl Strategy<Value = Mishap> {
	prop_oneof![
		(any::<prop::sample::Index>(), 1u8..).prop_map(|(at, by)| Mishap::Changed(at, by)),
		any::<prop::sample::Index>().prop_map(Mishap::Cut),
		any::<u8>().prop_map(Mishap::Lengthened),
		Just(Mishap::Swapped),
		(-40_000i64..3_000_000).prop_map(Mishap::OtherSize),
		(0u32..50_000).prop_map(Mishap::Busy),
		Just(Mishap::Refused),
		Just(Mishap::Lost),
		Just(Mishap::TimedOut),
		Just(Mishap::None),
	]
}

/// The answer of a peer that has the blob, after the mishap. `other` is the request that a swapped answer belongs to.
fn answer(
	server: &Server<Store, Chain>,
	question: &Question<&str>,
	other: &[u8],
	mishap: &Mishap,
) -> Result<Vec<u8>, AskError> {
	let mut right = server.answer(b"node", &question.request);
	match mishap {
		Mishap::Changed(at, by) => {
			let at = at.index(right.len());
			right[at] ^= by;
		}
		Mishap::Cut(at) => right.truncate(at.index(right.len())),
		Mishap::Lengthened(byte) => right.push(*byte),
		Mishap::Swapped => right = server.answer(b"node", other),
		Mishap::OtherSize(by) => {
			if let Some(Answer::Slice { size, slice }) = Answer::read(&right) {
				right = Answer::Slice { size: size.wrapping_add_signed(*by), slice }.encode();
			}
		}
		Mishap::Busy(retry_ms) => {
			right = Answer::Refused(Refusal::Busy { retry_ms: *retry_ms }).encode();
		}
		Mishap::Refused => right = Answer::Refused(Refusal::NotHere).encode(),
		Mishap::Lost => return Err(AskError::Unreachable("lost".into())),
		Mishap::TimedOut => return Err(AskError::TimedOut),
		Mishap::None => {}
	}
	Ok(right)
}

/// A node with a fast server, so that only mishaps are in the way.
fn provider(dir: &Path, blob: &[u8]) -> Server<Store, Chain> {
	let store = Store(dir.join("blobs"));
	let chain = Chain { renter: renter().public.to_bytes(), blobs: [store.put(blob)].into() };
	let mut config = millrace_blob::ServerConfig::new(GENESIS, b"provider".to_vec());
	config.rates.requests_per_second = u32::MAX;
	config.rates.bytes_per_second = u64::MAX;
	Server::new(config, store, chain)
}

fn open(dir: &Path, blob: &[u8], cap: u64, peers: &[&'static str]) -> Fetch<&'static str> {
	let mut fetch = Fetch::open(root(blob), cap, &dir.join("fetching"), 4).unwrap();
	for peer in peers {
		fetch.add(*peer, ticket("node", "provider"));
	}
	fetch
}

/// Runs a fetch to its end. Each answer suffers the next mishap, but those of [`HONEST`]; `order` says which of the questions
/// that are out is answered next; at every `restart`th answer everything in memory is lost.
fn run(
	dir: &Path,
	blob: &[u8],
	peers: &[&'static str],
	mishaps: &[Mishap],
	order: &[prop::sample::Index],
	restart: usize,
) -> Result<Vec<u8>, FetchError<&'static str>> {
	let server = provider(dir, blob);
	let mut now = Instant::now();
	let mut fetch = open(dir, blob, u64::MAX, peers);
	let mut out: Vec<Question<&'static str>> = Vec::new();
	let mut last_request = Vec::new();
	for turn in 0.. {
		match fetch.next(now)? {
			Step::Ask(question) => {
				assert!(out.len() < 4, "no more than four in flight");
				out.push(question);
				continue;
			}
			Step::Wait(until) if out.is_empty() => {
				let until = until.expect("without questions there is a time to wait for");
				assert!(until <= now + Duration::from_secs(10));
				now = until;
				continue;
			}
			Step::Wait(_) => {}
			Step::Done => break,
		}
		let question = out.swap_remove(order[turn % order.len()].index(out.len()));
		let mishap = match question.peer {
			HONEST => &Mishap::None,
			_ => &mishaps[turn % mishaps.len()],
		};
		let answer = answer(&server, &question, &last_request, mishap);
		last_request = question.request.clone();
		let before = fetch.progress().bytes;
		fetch.on_answer(question.id, answer, now)?;
		assert!(fetch.progress().bytes >= before);
		if turn > 0 && turn < LAST_RESTART && turn % restart == 0 {
			let before = fetch.progress();
			let dropped: Vec<_> = fetch.dropped().into_iter().map(|(peer, _)| peer).collect();
			out.clear();
			drop(fetch);
			let left: Vec<_> = peers.iter().copied().filter(|peer| !dropped.contains(peer)).collect();
			fetch = open(dir, blob, u64::MAX, &left);
			assert_eq!(fetch.progress(), before, "nothing that was held is lost");
		}
	}
	assert!(!fetch.dropped().iter().any(|(peer, _)| *peer == HONEST));
	let to = dir.join("whole");
	assert_eq!(fetch.finish(&to)?, blob.len() as u64);
	assert_eq!(fs::read_dir(dir.join("fetching")).map_or(0, Iterator::count), 0, "nothing is left over");
	Ok(fs::read(to).unwrap())
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

	#[test]
	fn any_mishaps_end_in_the_right_bytes_or_a_typed_error(
		size in prop_oneof![
			0..40_000u64,
			SPAN_BYTES - GROUP_BYTES..SPAN_BYTES + GROUP_BYTES,
			0..6 * SPAN_BYTES,
		],
		mishaps in prop::collection::vec(mishap(), 1..30),
		order in prop::collection::vec(any::<prop::sample::Index>(), 1..20),
		restart in 2usize..20,
		honest: bool,
	) {
		let dir = tempfile::tempdir().unwrap();
		let blob = bytes(size);
		let peers: &[&str] = if honest { &["first", HONEST, "third"] } else { &["first", "second"] };
		match run(dir.path(), &blob, peers, &mishaps, &order, restart) {
			Ok(fetched) => prop_assert!(fetched == blob, "other bytes"),
			Err(FetchError::NobodyLeft(_)) => prop_assert!(!honest),
			Err(other) => prop_assert!(false, "{}", other),
		}
	}
}

#[test]
fn a_blob_over_the_cap_is_refused_before_anything_is_on_the_disk() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(5 * SPAN_BYTES);
	let server = provider(dir.path(), &blob);
	let mut fetch = open(dir.path(), &blob, 5 * SPAN_BYTES - 1, &["peer"]);
	let Step::Ask(question) = fetch.next(Instant::now()).unwrap() else { panic!("it has somebody to ask") };
	let request = Request::read(&question.request).unwrap();
	assert!(request.part.prove_size, "the first request asks for the proof of the size");
	let answer = server.answer(b"node", &question.request);
	let refused = fetch.on_answer(question.id, Ok(answer), Instant::now());
	assert!(matches!(refused, Err(FetchError::TooLarge { bytes: 5_242_880, cap: 5_242_879 })));
	for file in fs::read_dir(dir.path().join("fetching")).unwrap() {
		assert_eq!(file.unwrap().metadata().unwrap().len(), 0);
	}
}

#[test]
fn a_size_that_is_only_claimed_is_the_peers_fault() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(2 * SPAN_BYTES);
	let server = provider(dir.path(), &blob);
	for claim in [0, 2 * SPAN_BYTES - 1, 2 * SPAN_BYTES + 1, 1 << 50, u64::MAX] {
		let mut fetch = open(dir.path(), &blob, 3 * SPAN_BYTES, &["liar"]);
		let Step::Ask(question) = fetch.next(Instant::now()).unwrap() else { panic!("a question") };
		let Some(Answer::Slice { slice, .. }) = Answer::read(&server.answer(b"node", &question.request))
		else {
			panic!("it is served")
		};
		let lie = Answer::Slice { size: claim, slice }.encode();
		fetch.on_answer(question.id, Ok(lie), Instant::now()).unwrap();
		assert_eq!(fetch.dropped(), [("liar", Fault::WrongData)], "{claim}");
		assert_eq!(fetch.progress(), Progress::default());
		assert!(matches!(fetch.next(Instant::now()), Err(FetchError::NobodyLeft(_))));
	}
}

#[test]
fn a_peer_that_is_busy_for_ever_is_dropped() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(10);
	let mut fetch = open(dir.path(), &blob, 10, &["lazy"]);
	let mut now = Instant::now();
	let busy = Answer::Refused(Refusal::Busy { retry_ms: u32::MAX }).encode();
	for _ in 0..1000 {
		match fetch.next(now) {
			Ok(Step::Ask(question)) => fetch.on_answer(question.id, Ok(busy.clone()), now).unwrap(),
			Ok(Step::Wait(Some(until))) => now = until,
			Ok(other) => panic!("{other:?}"),
			Err(FetchError::NobodyLeft(dropped)) => {
				assert!(matches!(dropped[..], [("lazy", Fault::Refused(Refusal::Busy { .. }))]));
				return;
			}
			Err(other) => panic!("{other}"),
		}
	}
	panic!("it is asked for ever");
}

#[test]
fn a_peer_that_sent_wrong_data_gets_no_second_chance_and_others_do() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(10);
	let mut fetch = open(dir.path(), &blob, 10, &["false", "slow"]);
	for answer in [Ok(vec![7; 90]), Err(AskError::TimedOut)] {
		let Step::Ask(question) = fetch.next(Instant::now()).unwrap() else { panic!("a question") };
		fetch.on_answer(question.id, answer, Instant::now()).unwrap();
	}
	fetch.add("false", ticket("node", "provider"));
	fetch.add("slow", ticket("node", "provider"));
	assert_eq!(fetch.dropped(), [("false", Fault::WrongData)]);
	let unfinished = fetch.finish(&dir.path().join("whole"));
	assert!(matches!(unfinished, Err(FetchError::Unfinished)));
}
