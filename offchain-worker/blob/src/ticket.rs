//! Tickets: who asks shows that it belongs to a lease.

use codec::{Decode, Encode};

/// Sets a ticket's signature apart from any other signature by the same key.
const DOMAIN: &[u8] = b"millrace blob ticket 1";

/// The first block's hash, which sets chains apart.
pub type Genesis = [u8; 32];

/// Says, signed by a party of a lease, that one node may ask another for the blobs of that lease until some block.
///
/// The signature covers both nodes, so that a ticket which somebody else has seen is of no use to it: its own connection has
/// another peer id.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Encode, Decode)]
pub struct Ticket {
	/// The lease.
	pub lease: u64,
	/// Public sr25519 key of the party.
	pub signer: [u8; 32],
	/// The last block, by number, at which it is valid.
	pub expires: u32,
	/// The signer's signature of [`Ticket::payload`].
	pub signature: [u8; 64],
}

/// Who asks, as its ticket has shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asker {
	/// The lease that it claims to be a party of. Whether it is one is not checked yet.
	pub lease: u64,
	/// The public key that has signed the ticket.
	pub signer: [u8; 32],
}

impl Ticket {
	/// The bytes to sign. `asker` and `server` are the bytes of the two nodes' peer ids.
	pub fn payload(genesis: &Genesis, asker: &[u8], server: &[u8], lease: u64, expires: u32) -> Vec<u8> {
		(DOMAIN, genesis, asker, server, lease, expires).encode()
	}

	/// Checks the ticket of the node `asker` at the node `server`, where `block` is the newest block and `signed` says whether
	/// a signature is that of a key: `signed(signer, payload, signature)`. A ticket that is valid for more than `max_blocks`
	/// from now is refused: it could not be withdrawn.
	pub fn check(
		&self,
		genesis: &Genesis,
		asker: &[u8],
		server: &[u8],
		block: u32,
		max_blocks: u32,
		signed: impl FnOnce(&[u8; 32], &[u8], &[u8; 64]) -> bool,
	) -> Option<Asker> {
		let left = self.expires.checked_sub(block)?;
		if left > max_blocks {
			return None;
		}
		let payload = Self::payload(genesis, asker, server, self.lease, self.expires);
		signed(&self.signer, &payload, &self.signature)
			.then_some(Asker { lease: self.lease, signer: self.signer })
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Stands in for sr25519 with a keyed hash, so that every byte of the payload counts.
	fn sign(signer: &[u8; 32], payload: &[u8]) -> [u8; 64] {
		let mut signature = [0; 64];
		blake3::Hasher::new_keyed(signer).update(payload).finalize_xof().fill(&mut signature);
		signature
	}

	fn signed(signer: &[u8; 32], payload: &[u8], signature: &[u8; 64]) -> bool {
		sign(signer, payload) == *signature
	}

	fn ticket(expires: u32) -> Ticket {
		let signer = [7; 32];
		let signature = sign(&signer, &Ticket::payload(&[1; 32], b"renter", b"provider", 5, expires));
		Ticket { lease: 5, signer, expires, signature }
	}

	#[test]
	fn a_ticket_is_valid_for_its_nodes_its_chain_and_its_blocks() {
		let check = |genesis, asker: &[u8], server: &[u8], block| {
			ticket(100).check(&[genesis; 32], asker, server, block, 50, signed)
		};
		let asker = Some(Asker { lease: 5, signer: [7; 32] });
		assert_eq!(check(1, b"renter", b"provider", 50), asker);
		assert_eq!(check(1, b"renter", b"provider", 100), asker);
		assert_eq!(check(1, b"renter", b"provider", 101), None, "expired");
		assert_eq!(check(1, b"renter", b"provider", 49), None, "valid for too long");
		assert_eq!(check(2, b"renter", b"provider", 50), None, "another chain");
		assert_eq!(check(1, b"thief", b"provider", 50), None, "another asker");
		assert_eq!(check(1, b"renter", b"other", 50), None, "another server");
		assert_eq!(check(1, b"provider", b"renter", 50), None, "the other way round");
		assert_eq!(check(1, b"renterp", b"rovider", 50), None, "the same bytes, cut elsewhere");
	}

	#[test]
	fn a_changed_ticket_is_refused() {
		let whole = ticket(100);
		let encoded = whole.encode();
		for at in 0..encoded.len() {
			let mut bytes = encoded.clone();
			bytes[at] ^= 1;
			let changed = Ticket::decode(&mut &bytes[..]).unwrap();
			let found = changed.check(&[1; 32], b"renter", b"provider", 90, u32::MAX, signed);
			assert_eq!(found, None, "byte {at}");
		}
	}
}
