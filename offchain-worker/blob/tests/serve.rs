//! What a serving node tells whom.

#![cfg(test)]

#[allow(dead_code, reason = "other tests use more of it")]
mod support;

use codec::Encode;
use millrace_blob::{Answer, Part, Refusal, Request, Root, Server, ServerConfig, Ticket, SPAN_GROUPS};
use proptest::prelude::*;
use std::fs;
use support::*;

fn request(root: Root, ticket: Ticket) -> Request {
	Request { root, part: Part { first_group: 0, groups: SPAN_GROUPS, prove_size: true }, ticket }
}

fn refused(answer: &[u8]) -> Option<Refusal> {
	match Answer::read(answer).expect("an answer") {
		Answer::Refused(refusal) => Some(refusal),
		Answer::Slice { .. } => None,
	}
}

#[test]
fn a_party_of_the_lease_gets_its_blobs() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(100_000);
	let server = server("provider", dir.path(), &[&blob], &[[8; 32]]);
	let answer = |root| server.answer(b"node", &request(root, ticket("node", "provider")).encode());
	match Answer::read(&answer(root(&blob))).unwrap() {
		Answer::Slice { size: 100_000, slice } => assert!(slice.len() > 100_000),
		other => panic!("{other:?}"),
	}
	assert_eq!(refused(&answer([8; 32])), Some(Refusal::NotHere));
}

#[test]
fn a_ticket_that_was_seen_on_the_wire_is_of_no_use_to_another_node() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(100);
	let server = server("provider", dir.path(), &[&blob], &[]);
	let request = request(root(&blob), ticket("node", "provider")).encode();
	assert_eq!(refused(&server.answer(b"node", &request)), None);
	assert_eq!(refused(&server.answer(b"thief", &request)), Some(Refusal::NotAllowed));
}

#[test]
fn a_stranger_cannot_tell_what_is_here() {
	let dir = tempfile::tempdir().unwrap();
	let (ours, others) = (bytes(100), bytes(200));
	let server = server("provider", dir.path(), &[&ours], &[[8; 32]]);
	// Here too, but of no business of the lease.
	Store(dir.path().join("provider")).put(&others);
	let valid = ticket("node", "provider");
	let not_allowed = Answer::Refused(Refusal::NotAllowed).encode();
	let strangers = [
		Ticket { signature: [3; 64], ..valid },
		Ticket { signer: [3; 32], ..valid },
		Ticket { lease: 6, ..valid },
		Ticket { expires: BLOCK - 1, ..valid },
		Ticket { expires: u32::MAX, ..valid },
		ticket("another", "provider"),
		ticket("node", "another"),
	];
	for ticket in strangers {
		for root in [root(&ours), root(&others), [8; 32], [9; 32]] {
			assert_eq!(server.answer(b"node", &request(root, ticket).encode()), not_allowed, "{ticket:?}");
		}
	}
	for root in [root(&others), [9; 32]] {
		assert_eq!(server.answer(b"node", &request(root, valid).encode()), not_allowed);
	}
}

#[test]
fn a_blob_that_was_damaged_on_disk_is_not_served() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(300_000);
	let server = server("provider", dir.path(), &[&blob], &[]);
	let ask = || server.answer(b"node", &request(root(&blob), ticket("node", "provider")).encode());
	assert_eq!(refused(&ask()), None);
	let path = Store(dir.path().join("provider")).path(&root(&blob));
	let mut damaged = blob.clone();
	damaged[150_000] ^= 1;
	for bytes in [&damaged[..], &blob[..299_999], &[]] {
		fs::write(&path, bytes).unwrap();
		assert_eq!(refused(&ask()), Some(Refusal::NotHere), "{} bytes", bytes.len());
	}
	fs::write(&path, &blob).unwrap();
	assert_eq!(refused(&ask()), None, "it was put again");
}

#[test]
fn who_asks_too_much_is_told_when_to_come_back() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(10);
	let store = Store(dir.path().into());
	let chain = Chain { renter: renter().public.to_bytes(), blobs: [store.put(&blob)].into_iter().collect() };
	let mut config = ServerConfig::new(GENESIS, b"provider".to_vec());
	config.rates.requests_per_second = 5;
	let server = Server::new(config, store, chain);
	let ask =
		|node: &str| server.answer(node.as_bytes(), &request(root(&blob), ticket(node, "provider")).encode());
	let answers: Vec<_> = (0..40).map(|_| refused(&ask("greedy"))).collect();
	let served = answers.iter().filter(|refusal| refusal.is_none()).count();
	assert!((11..20).contains(&served), "{served} within the burst");
	match answers[39] {
		Some(Refusal::Busy { retry_ms }) => assert!((1..=201).contains(&retry_ms), "{retry_ms}"),
		other => panic!("{other:?}"),
	}
	assert_eq!(refused(&ask("modest")), None);
}

#[test]
fn parts_that_do_not_exist_are_bad_requests() {
	let dir = tempfile::tempdir().unwrap();
	let blob = bytes(100_000);
	let server = server("provider", dir.path(), &[&blob], &[]);
	for (first_group, groups) in [(7, 1), (u64::MAX, 64), (0, 0), (0, 65), (0, u16::MAX)] {
		let part = Part { first_group, groups, prove_size: true };
		let request = Request { part, ..request(root(&blob), ticket("node", "provider")) };
		let answer = server.answer(b"node", &request.encode());
		assert_eq!(refused(&answer), Some(Refusal::BadRequest), "{part:?}");
	}
}

proptest! {
	#[test]
	fn hostile_requests_get_a_refusal(noise in proptest::collection::vec(any::<u8>(), 0..700), at in 0usize..200) {
		let dir = tempfile::tempdir().unwrap();
		let blob = bytes(100);
		let server = server("provider", dir.path(), &[&blob], &[]);
		let refusal = refused(&server.answer(b"node", &noise));
		prop_assert!(matches!(refusal, Some(Refusal::BadRequest | Refusal::NotAllowed)));
		// A right one with some bytes changed.
		let mut request = request(root(&blob), ticket("node", "provider")).encode();
		let end = request.len();
		let at = at % end;
		for (byte, noise) in request[at..].iter_mut().zip(&noise) {
			*byte ^= noise;
		}
		prop_assert!(Answer::read(&server.answer(b"node", &request)).is_some());
	}
}
