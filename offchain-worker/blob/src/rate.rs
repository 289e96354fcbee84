//! How much each peer may ask for.

use std::{
	collections::HashMap,
	time::{Duration, Instant},
};

/// What one peer may take. Unused allowance is kept for [`RateLimits::BURST`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct RateLimits {
	/// Requests per second; at least 1.
	pub requests_per_second: u32,
	/// Bytes of answers per second; at least 1.
	pub bytes_per_second: u64,
	/// Peers that are remembered. While so many have taken more than their rate lately, others are told to come later.
	pub peers: usize,
}

impl RateLimits {
	/// How much of its allowance a peer that was quiet may use at once.
	pub const BURST: Duration = Duration::from_secs(2);
}

impl Default for RateLimits {
	/// 200 requests and 100 MB per second, 1024 peers.
	fn default() -> Self {
		Self { requests_per_second: 200, bytes_per_second: 100_000_000, peers: 1024 }
	}
}

/// A token bucket, told by one time: what was used is paid off at this moment. It is empty when that is a burst away.
#[derive(Clone, Copy)]
struct Bucket(Instant);

impl Bucket {
	/// How long until there is something in it; zero if there is.
	fn wait(self, now: Instant) -> Duration {
		self.0.saturating_duration_since(now).saturating_sub(RateLimits::BURST)
	}

	/// Takes something that is worth so much time. It may take more than there is: the next one then waits longer.
	fn take(&mut self, now: Instant, worth: Duration) {
		let from = self.0.max(now);
		self.0 = from.checked_add(worth).unwrap_or(from);
	}

	fn is_full(self, now: Instant) -> bool {
		self.0 <= now
	}
}

struct Peer {
	requests: Bucket,
	bytes: Bucket,
}

/// The peers' buckets.
pub(crate) struct Rates {
	limits: RateLimits,
	peers: HashMap<Vec<u8>, Peer>,
}

impl Rates {
	pub(crate) fn new(limits: RateLimits) -> Self {
		Self { limits, peers: HashMap::new() }
	}

	/// Counts a request of a peer.
	///
	/// # Errors
	///
	/// How long the peer has to wait, if it has taken too much, or if too many others have.
	pub(crate) fn request(&mut self, peer: &[u8], now: Instant) -> Result<(), Duration> {
		if !self.peers.contains_key(peer) && self.peers.len() >= self.limits.peers {
			// Who has nothing to pay off is as good as unknown.
			self.peers.retain(|_, peer| !peer.requests.is_full(now) || !peer.bytes.is_full(now));
			if self.peers.len() >= self.limits.peers {
				return Err(RateLimits::BURST);
			}
		}
		let fresh = || Peer { requests: Bucket(now), bytes: Bucket(now) };
		let peer = self.peers.entry(peer.to_vec()).or_insert_with(fresh);
		let wait = peer.requests.wait(now).max(peer.bytes.wait(now));
		if !wait.is_zero() {
			return Err(wait);
		}
		peer.requests.take(now, worth(1, self.limits.requests_per_second.into()));
		Ok(())
	}

	/// Counts the bytes of an answer.
	pub(crate) fn answered(&mut self, peer: &[u8], bytes: usize, now: Instant) {
		if let Some(peer) = self.peers.get_mut(peer) {
			peer.bytes.take(now, worth(bytes as u64, self.limits.bytes_per_second));
		}
	}
}

/// How long it takes at this rate.
fn worth(units: u64, per_second: u64) -> Duration {
	Duration::from_micros(units.saturating_mul(1_000_000) / per_second.max(1))
}

#[cfg(test)]
mod tests {
	use super::*;

	fn rates(peers: usize) -> Rates {
		Rates::new(RateLimits { requests_per_second: 10, bytes_per_second: 1000, peers })
	}

	#[test]
	fn a_peer_gets_its_burst_and_then_its_rate() {
		let (mut rates, start) = (rates(9), Instant::now());
		let mut granted = 0;
		for tick in 0..1000u64 {
			let now = start + Duration::from_millis(10 * tick);
			granted += u32::from(rates.request(b"a", now).is_ok());
		}
		// Ten seconds and the burst of two, and the one that overdraws.
		assert!((120..=121).contains(&granted), "{granted}");
	}

	#[test]
	fn bytes_count_whatever_the_number_of_requests() {
		let (mut rates, now) = (rates(9), Instant::now());
		assert_eq!(rates.request(b"a", now), Ok(()));
		rates.answered(b"a", 10_000, now);
		assert_eq!(rates.request(b"a", now), Err(Duration::from_secs(8)));
		assert_eq!(rates.request(b"b", now), Ok(()), "another peer is not concerned");
		assert_eq!(rates.request(b"a", now + Duration::from_secs(8)), Ok(()));
	}

	#[test]
	fn the_number_of_peers_is_bounded_and_no_debt_is_forgotten() {
		let (mut rates, now) = (rates(2), Instant::now());
		for peer in [b"a", b"b"] {
			rates.request(peer, now).unwrap();
			rates.answered(peer, 5000, now);
		}
		assert!(rates.request(b"c", now).is_err(), "no room");
		assert!(rates.request(b"a", now).is_err(), "its debt is still known");
		assert_eq!(rates.request(b"c", now + Duration::from_secs(6)), Ok(()));
		assert_eq!(rates.peers.len(), 1);
	}
}
