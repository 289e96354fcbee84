//! What is asked and answered, in SCALE.

use crate::{
	slice::{Part, SPAN_BYTES},
	Root, Ticket,
};
use codec::{Decode, DecodeAll, Encode};

/// Most bytes of an encoded request; a longer one is refused unread.
pub const MAX_REQUEST_BYTES: usize = 512;

/// Most bytes of an encoded answer: a span, the last chunk group, and the hashes that prove both.
pub const MAX_ANSWER_BYTES: usize = SPAN_BYTES as usize + 64 * 1024;

/// Asks for a part of a blob.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode)]
pub struct Request {
	/// The blob's name, which is the root of its hash tree.
	pub root: Root,
	/// Which part.
	pub part: Part,
	/// Proves that the asking node belongs to a lease.
	pub ticket: Ticket,
}

impl Request {
	/// Reads a request; `None` for bytes that are none.
	pub fn read(bytes: &[u8]) -> Option<Self> {
		if bytes.len() > MAX_REQUEST_BYTES {
			return None;
		}
		Self::decode_all(&mut &*bytes).ok()
	}
}

/// What a node answers.
#[derive(Clone, Debug, Eq, PartialEq, Encode, Decode)]
pub enum Answer {
	/// The part that was asked for.
	#[codec(index = 0)]
	Slice {
		/// Length of the whole blob in bytes, as the answering node says. Only a part that proves it makes it true.
		size: u64,
		/// The part's bytes and the hashes that prove them, in the order of a `bao` slice with chunk groups of 16 KiB.
		slice: Vec<u8>,
	},
	/// Nothing, and why.
	#[codec(index = 1)]
	Refused(Refusal),
}

impl Answer {
	/// Reads an answer; `None` for bytes that are none. The memory that this takes is bounded by the length of `bytes`.
	pub fn read(bytes: &[u8]) -> Option<Self> {
		if bytes.len() > MAX_ANSWER_BYTES {
			return None;
		}
		Self::decode_all(&mut &*bytes).ok()
	}
}

/// Why a node does not give a part. Whoever may not read a blob is told `NotAllowed` whether or not it is here.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, thiserror::Error)]
pub enum Refusal {
	/// The asking node may read the blob, but this node does not have it.
	#[codec(index = 0)]
	#[error("it does not have the blob")]
	NotHere,
	/// The ticket is not valid, or its lease gives no right to the blob.
	#[codec(index = 1)]
	#[error("it does not accept the ticket for this blob")]
	NotAllowed,
	/// Not now: too much was asked in a short time, or the blob is being prepared.
	#[codec(index = 2)]
	#[error("it is busy, and wants to be asked again in {retry_ms} ms")]
	Busy {
		/// When to ask again, in milliseconds from now.
		retry_ms: u32,
	},
	/// The bytes are no request, or it asks for a part that the blob does not have.
	#[codec(index = 3)]
	#[error("it does not understand the request")]
	BadRequest,
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn request() -> Request {
		Request {
			root: [1; 32],
			part: Part { first_group: u64::MAX, groups: 64, prove_size: true },
			ticket: Ticket { lease: u64::MAX, signer: [2; 32], expires: u32::MAX, signature: [3; 64] },
		}
	}

	#[test]
	fn messages_come_back_as_they_went() {
		assert_eq!(Request::read(&request().encode()), Some(request()));
		for answer in [
			Answer::Slice { size: 70_000, slice: vec![7; 70_000] },
			Answer::Refused(Refusal::NotHere),
			Answer::Refused(Refusal::NotAllowed),
			Answer::Refused(Refusal::Busy { retry_ms: 9 }),
			Answer::Refused(Refusal::BadRequest),
		] {
			assert_eq!(Answer::read(&answer.encode()), Some(answer));
		}
	}

	#[test]
	fn a_cut_or_lengthened_message_is_none() {
		let bytes = request().encode();
		for length in 0..bytes.len() {
			assert_eq!(Request::read(&bytes[..length]), None, "{length} bytes");
		}
		assert_eq!(Request::read(&[bytes, vec![0]].concat()), None);
		let long = Answer::Slice { size: 1, slice: vec![0; MAX_ANSWER_BYTES] };
		assert_eq!(Answer::read(&long.encode()), None);
	}

	#[test]
	fn a_length_alone_does_not_make_us_allocate() {
		// A slice of 2^30 - 1 bytes, of which none is there.
		let bytes = [vec![0], 5u64.encode(), vec![0xfe, 0xff, 0xff, 0xff]].concat();
		assert_eq!(Answer::read(&bytes), None);
	}

	proptest! {
		#[test]
		fn any_bytes_are_a_message_or_none(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
			if let Some(request) = Request::read(&bytes) {
				prop_assert_eq!(request.encode(), bytes.clone());
			}
			if let Some(answer) = Answer::read(&bytes) {
				prop_assert_eq!(Answer::read(&answer.encode()), Some(answer));
			}
		}
	}
}
