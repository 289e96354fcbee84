//! Whether to bid, and how much. One pure function.

use super::policy::BidPolicy;
use millrace_primitives::{leases_api::Auction, AccountId, Balance, BlockNumber, Term};

/// What the decision depends on beside policy and auction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Facts {
	/// The provider's GPUs of the order's class that are healthy and not leased.
	pub(crate) free_gpus: u32,
	/// Auctions in which the provider has a live bid, or one on its way.
	pub(crate) live_bids: u32,
	/// The best block: a bid comes into the next one, or later.
	pub(crate) best: BlockNumber,
}

/// The price to bid now, per GPU and second, in the order's asset; `None` for no bid.
///
/// An order for n nodes is won by the n cheapest, so the rival is the one whose place would be taken: the n-th. While there are
/// fewer, or none, the bid is the most that order and policy allow. Otherwise it is below the rival by the policy's percentage,
/// rounded up, and by one unit at least: below an own bid that has lost its place, too. Below the floor there is no bid, nor
/// where an own bid wins already.
pub(crate) fn decide(
	policy: &BidPolicy,
	auction: &Auction<AccountId>,
	me: &AccountId,
	facts: Facts,
) -> Option<Balance> {
	let terms = &auction.terms;
	let offer = policy.offers.get(&(terms.class, terms.asset))?;
	let term_fits = match terms.term {
		Term::Fixed { ms } => ms >= policy.min_term_ms && policy.max_term_ms.is_none_or(|most| ms <= most),
		Term::OpenEnded { funded_ms } => policy.open_ended && funded_ms >= policy.min_term_ms,
	};
	let gpus_fit = terms.gpus_per_node <= facts.free_gpus
		&& offer.max_gpus_per_node.is_none_or(|most| terms.gpus_per_node <= most);
	// The award comes before everything else in its block.
	let in_time = facts.best.saturating_add(1) < auction.ends_at_block;
	if !term_fits || !gpus_fit || !in_time || auction.renter == *me {
		return None;
	}

	let mine = auction.bids.iter().position(|(bidder, _)| bidder == me);
	let places = terms.nodes as usize;
	if mine.is_some_and(|place| place < places) || (mine.is_none() && facts.live_bids >= policy.max_live_bids)
	{
		return None;
	}
	let most = terms.max_price.min(offer.ceiling.unwrap_or(Balance::MAX));
	let rival = auction.bids.iter().filter(|(bidder, _)| bidder != me).nth(places.checked_sub(1)?);
	let price = match rival {
		Some((_, theirs)) => theirs.checked_sub(policy.undercut.mul_ceil(*theirs).max(1))?.min(most),
		None => most,
	};
	(price >= offer.floor).then_some(price)
}

#[cfg(test)]
mod tests {
	use super::*;
	use millrace_primitives::{Asset, ClassId, Constraints, Failover, Matching, OrderId, OrderTerms};

	const POLICY: &str = r#"
		undercut_percent = 10
		min_term_seconds = 60
		max_term_seconds = 3600
		reclaim_notice_seconds = 60
		max_live_bids = 2
		[[offer]]
		class = 1
		asset = 7
		floor = "50"
		ceiling = "200"
		max_gpus_per_node = 4
		[[offer]]
		class = 2
		asset = 7
		floor = "50"
	"#;

	const FACTS: Facts = Facts { free_gpus: 4, live_bids: 1, best: 10 };

	fn account(seed: u8) -> AccountId {
		AccountId::new([seed; 32])
	}

	const ME: u8 = 1;

	/// An order for one GPU of class 1 that pays 150 at most, with these bids by (account, price), best first.
	fn auction(bids: &[(u8, Balance)]) -> Auction<AccountId> {
		Auction {
			order: OrderId(5),
			renter: account(99),
			terms: OrderTerms {
				class: ClassId(1),
				nodes: 1,
				gpus_per_node: 1,
				max_price: 150,
				asset: Asset::Token(7),
				term: Term::Fixed { ms: 60_000 },
				constraints: Constraints::default(),
				failover: Failover::Close,
				matching: Matching::Auction { blocks: 20 },
				starts_at: None,
				rests_ms: 0,
				jobs: Default::default(),
			},
			ends_at_block: 12,
			bids: bids.iter().map(|(seed, price)| (account(*seed), *price)).collect(),
		}
	}

	fn decision(auction: &Auction<AccountId>, facts: Facts) -> Option<Balance> {
		decide(&POLICY.parse().unwrap(), auction, &account(ME), facts)
	}

	#[test]
	fn prices() {
		for (what, nodes, bids, expected) in [
			("nobody bids: the order's price", 1, &[][..], Some(150)),
			("ten percent below the rival", 1, &[(2, 100)], Some(90)),
			("rounded away from the rival", 1, &[(2, 101)], Some(90)),
			("below the best of several", 1, &[(2, 80), (3, 90)], Some(72)),
			("never above the order", 1, &[(2, 1_000)], Some(150)),
			("down to the floor", 1, &[(2, 56)], Some(50)),
			("not below it", 1, &[(2, 55)], None),
			("a rival at one unit cannot be undercut", 1, &[(2, 1)], None),
			("a rival at zero neither", 1, &[(2, 0)], None),
			("already the best", 1, &[(ME, 80), (2, 90)], None),
			("outbid: below the rival again", 1, &[(2, 80), (ME, 90)], Some(72)),
			("outbid below the floor", 1, &[(2, 52), (ME, 90)], None),
			("as cheap, but younger", 1, &[(2, 80), (ME, 80)], Some(72)),
			("two places, one rival", 2, &[(2, 60)], Some(150)),
			("two places, two rivals: the second one's", 2, &[(2, 60), (3, 100)], Some(90)),
			("two places, one of them mine", 2, &[(2, 60), (ME, 100), (3, 110)], None),
			("two places, both lost", 2, &[(2, 60), (3, 100), (ME, 110)], Some(90)),
			("no places", 0, &[], None),
		] {
			let mut auction = auction(bids);
			auction.terms.nodes = nodes;
			assert_eq!(decision(&auction, FACTS), expected, "{what}");
		}
	}

	#[test]
	fn orders_that_the_policy_does_not_want_get_no_bid() {
		let with = |change: fn(&mut Auction<AccountId>)| {
			let mut auction = auction(&[]);
			change(&mut auction);
			decision(&auction, FACTS)
		};
		for (what, expected, change) in [
			("as it is", Some(150), (|_| {}) as fn(&mut Auction<AccountId>)),
			("another class", None, |auction| auction.terms.class = ClassId(3)),
			("another asset", None, |auction| auction.terms.asset = Asset::Token(8)),
			("the native token", None, |auction| auction.terms.asset = Asset::Native),
			("the ceiling", Some(200), |auction| auction.terms.max_price = 1_000),
			("no ceiling", Some(1_000), |auction| {
				auction.terms.max_price = 1_000;
				auction.terms.class = ClassId(2);
			}),
			("an order below the floor", None, |auction| auction.terms.max_price = 49),
			("an order at the floor", Some(50), |auction| auction.terms.max_price = 50),
			("the shortest term", None, |auction| auction.terms.term = Term::Fixed { ms: 59_999 }),
			("the longest term", Some(150), |auction| auction.terms.term = Term::Fixed { ms: 3_600_000 }),
			("too long", None, |auction| auction.terms.term = Term::Fixed { ms: 3_600_001 }),
			("without an end", None, |auction| auction.terms.term = Term::OpenEnded { funded_ms: 60_000 }),
			("as many GPUs as there are", Some(150), |auction| auction.terms.gpus_per_node = 4),
			("more GPUs than a node may have", None, |auction| auction.terms.gpus_per_node = 5),
			("my own order", None, |auction| auction.renter = account(ME)),
			("the last block for bids", Some(150), |auction| auction.ends_at_block = 12),
			("too late", None, |auction| auction.ends_at_block = 11),
			("over", None, |auction| auction.ends_at_block = 3),
		] {
			assert_eq!(with(change), expected, "{what}");
		}
	}

	#[test]
	fn open_ended_orders_are_bid_for_where_they_are_welcome() {
		let policy: BidPolicy = format!("open_ended = true\n{POLICY}").parse().unwrap();
		for (funded_ms, expected) in [(59_999, None), (60_000, Some(150)), (u64::MAX, Some(150))] {
			let mut auction = auction(&[]);
			auction.terms.term = Term::OpenEnded { funded_ms };
			assert_eq!(decide(&policy, &auction, &account(ME), FACTS), expected);
		}
	}

	#[test]
	fn free_gpus_and_live_bids_bound_what_is_bid() {
		let mut two = auction(&[]);
		two.terms.gpus_per_node = 2;
		assert_eq!(decision(&two, Facts { free_gpus: 1, ..FACTS }), None);
		assert_eq!(decision(&two, Facts { free_gpus: 2, ..FACTS }), Some(150));
		let full = Facts { live_bids: 2, ..FACTS };
		assert_eq!(decision(&auction(&[(2, 100)]), full), None);
		// A better bid in the same auction is no further one.
		assert_eq!(decision(&auction(&[(2, 100), (ME, 110)]), full), Some(90));
	}

	#[test]
	fn without_a_percentage_one_unit_is_enough() {
		let policy: BidPolicy = POLICY.replace("percent = 10", "percent = 0").parse().unwrap();
		let decide = |bids: &[_]| decide(&policy, &auction(bids), &account(ME), FACTS);
		assert_eq!(decide(&[(2, 100)]), Some(99));
		assert_eq!(decide(&[(2, 51)]), Some(50));
		assert_eq!(decide(&[(2, 50)]), None);
	}
}
