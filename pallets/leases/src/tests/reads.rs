//! Depth, quotes and summaries.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::assert_storage_noop;
use millrace_primitives::{
	leases_api::{EscrowSummary, Level, Quote, QuotedNode, Refusal},
	AskId, Asset, EscrowId, GpuIndex, LeaseId, LeaseStatus, NodeIndex, NodeStatus, OrderTerms,
};

fn money(escrow: EscrowId) -> EscrowSummary<AccountId> {
	EscrowSummary {
		escrow,
		payer: RENTER,
		asset: Asset::Native,
		deposited: 1,
		refunded: 0,
		paid: 0,
		fee: 0,
		free: 1,
		claimable: 0,
		maturing: 0,
		contested: 0,
		closing: false,
	}
}

#[test]
fn the_depth_counts_each_free_gpu_once_in_its_cheapest_ask() {
	ExtBuilder.build_and_execute(|| {
		// Eight GPUs in two asks, and eight of another provider.
		post(PROVIDER, 6, 10);
		post(PROVIDER, 8, 20);
		post(OTHER_PROVIDER, 8, 20);
		place(RENTER, resting(OrderTerms { max_price: 5, ..terms(1) }));
		let depth = Leases::depth(MARKET);
		assert_eq!((depth.class, depth.asset), MARKET);
		let levels = |gpus: [u32; 2]| {
			vec![Level { price: 10, gpus: gpus[0], asks: 1 }, Level { price: 20, gpus: gpus[1], asks: 2 }]
		};
		assert_eq!(depth.levels, levels([6, 2 + 8]));
		assert_eq!((depth.resting_orders, depth.truncated), (1, false));
		// What is leased is gone from it.
		order(RENTER, terms(5));
		assert_eq!(Leases::depth(MARKET).levels, levels([1, 2 + 8]));
		assert!(Leases::depth((CLASS, TOKEN)).levels.is_empty());
	});
}

#[test]
fn a_depth_that_left_asks_out_says_so() {
	ExtBuilder.build_and_execute(|| {
		for provider in 100..117 {
			add_gpus(provider, 1);
			for price in 0..15 {
				post(provider, 1, 10 + price);
			}
		}
		// 255 asks, and two more.
		assert!(!Leases::depth(MARKET).truncated);
		post(PROVIDER, 1, 900);
		assert!(!Leases::depth(MARKET).truncated);
		post(PROVIDER, 1, 901);
		let depth = Leases::depth(MARKET);
		assert!(depth.truncated);
		assert_eq!(depth.levels.iter().map(|level| level.asks).sum::<u32>(), 256);
		// A book shows no more than an order looks at.
		assert_eq!(Leases::book(MARKET).len(), MAX_ASKS_LOOKED_AT as usize);
	});
}

#[test]
fn a_quote_is_what_the_order_gets() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 80);
		post(OTHER_PROVIDER, 8, 90);
		let wanted = with_failover(gang(2, 3), 10);
		assert_storage_noop!({
			let _ = Leases::quote(&RENTER, &wanted);
		});
		let Quote::Match { nodes, rate, deposit } = Leases::quote(&RENTER, &wanted) else {
			panic!("no match")
		};
		let order = place(RENTER, wanted);
		assert_eq!(deposit, held_of(order));
		assert_eq!(Some(rate), record(order.into()).rate());
		let opened: Vec<_> = record(order.into())
			.nodes
			.iter()
			.map(|node| QuotedNode { provider: node.provider, ask: node.ask.unwrap(), price: node.price })
			.collect();
		assert_eq!(nodes, opened);
	});
}

#[test]
fn a_quote_without_a_match_says_why_ask_by_ask() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 1, 80);
		post(OTHER_PROVIDER, 8, 90);
		add_gpus(RENTER_AND_PROVIDER, 8);
		post(RENTER_AND_PROVIDER, 8, 95);
		post(THIRD_PROVIDER, 8, PRICE + 1);
		let quote = Leases::quote(&RENTER_AND_PROVIDER, &gang(2, 2));
		let asks = vec![
			(AskId(0), Refusal::Gpus),
			(AskId(2), Refusal::OwnAsk),
			// The first that is too dear; no later one is looked at.
			(AskId(3), Refusal::Price),
		];
		assert_eq!(quote, Quote::NoMatch { nodes_found: 1, closest: Refusal::Gpus, asks });
		let nothing = Quote::NoMatch { nodes_found: 0, closest: Refusal::NoAsks, asks: vec![] };
		assert_eq!(Leases::quote(&RENTER, &OrderTerms { asset: TOKEN, ..terms(1) }), nothing);
	});
}

const RENTER_AND_PROVIDER: AccountId = STRANGER;

#[test]
fn a_quote_of_an_invalid_order_names_the_error() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let invalid = |who: AccountId, terms: OrderTerms| match Leases::quote(&who, &terms) {
			Quote::Invalid { error } => error,
			other => panic!("{other:?}"),
		};
		assert_eq!(invalid(RENTER, gang(0, 1)), "ZeroNodes");
		assert_eq!(invalid(RENTER, fixed(1)), "TermOutOfBounds");
		assert_eq!(invalid(POOR, terms(1)), "InsufficientFunds");
		post(OTHER_PROVIDER, 8, u128::MAX);
		let dear = OrderTerms { max_price: u128::MAX, ..gang(2, 1) };
		assert_eq!(invalid(RENTER, dear), "AmountTooLarge");
	});
}

#[test]
fn a_summary_tells_what_is_stored_of_a_lease() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let summary = Leases::lease_summary(lease, money(lease.into())).unwrap();
		assert_eq!((summary.renter, summary.status, summary.rate), (RENTER, LeaseStatus::Active, 2 * PRICE));
		assert_eq!((summary.ready_at, summary.ends_at), (Some(START), Some(START + 10 * MINUTE)));
		assert_eq!(summary.funded_until, Leases::funded_until(lease));
		assert_eq!(summary.money, money(lease.into()));
		let node = &summary.nodes[0];
		assert_eq!((node.node, node.provider, node.price), (NodeIndex(0), PROVIDER, PRICE));
		assert_eq!((node.status, node.generation, node.attested_at), (NodeStatus::Active, 0, START));
		assert_eq!(node.gpus, [GpuIndex(0), GpuIndex(1)]);
		assert_eq!(Leases::lease_summary(LeaseId(9), money(EscrowId(9))), None);
	});
}

#[test]
fn open_auctions_are_listed_oldest_first_with_their_bids_best_first() {
	ExtBuilder.build_and_execute(|| {
		place(RENTER, resting(terms(1)));
		let first = place(RENTER, auction(1, 20));
		let second = place(OTHER_RENTER, auction(2, 10));
		bid(PROVIDER, second, 90);
		bid(OTHER_PROVIDER, second, 80);
		let auctions = Leases::auctions(CLASS);
		let listed: Vec<_> = auctions.iter().map(|auction| (auction.order, auction.ends_at_block)).collect();
		assert_eq!(listed, [(first, 21), (second, 11)]);
		assert_eq!((auctions[1].renter, &auctions[1].terms), (OTHER_RENTER, &auction(2, 10)));
		assert_eq!(auctions[1].bids, [(OTHER_PROVIDER, 80), (PROVIDER, 90)]);
		assert!(Leases::auctions(OTHER_CLASS).is_empty());
		run_blocks(10);
		assert_eq!(Leases::auctions(CLASS).len(), 1);
	});
}

#[test]
fn no_more_than_sixty_four_auctions_are_listed() {
	ExtBuilder.build_and_execute(|| {
		for renter in [RENTER, OTHER_RENTER, STRANGER] {
			for _ in 0..25 {
				place(renter, auction(1, 20));
			}
		}
		let auctions = Leases::auctions(CLASS);
		assert_eq!(auctions.len(), 64);
		assert!(auctions.windows(2).all(|pair| pair[0].order < pair[1].order));
	});
}

#[test]
fn a_waiting_order_can_be_read() {
	ExtBuilder.build_and_execute(|| {
		let wanted = OrderTerms { rests_ms: MINUTE, ..terms(1) };
		let order = place(RENTER, wanted.clone());
		let read = Leases::waiting_order(order).unwrap();
		assert_eq!((read.order, read.renter, read.terms), (order, RENTER, wanted));
		assert_eq!(read.expires_at, START + MINUTE);
		post(PROVIDER, 8, PRICE);
		run_blocks(1);
		assert_eq!(Leases::waiting_order(order), None);
	});
}

#[test]
fn a_book_that_lists_an_ask_which_does_not_exist_is_noticed_and_passed_over() {
	ExtBuilder.build_and_execute(|| {
		let key = BookKey::of_ask(1, AskId(77));
		Book::<Test>::insert(MARKET, key, ());
		post(PROVIDER, 8, PRICE);
		events();
		let order = place(RENTER, terms(1));
		assert!(events().contains(&Event::Unexpected { kind: UnexpectedKind::BookWithoutAsk(AskId(77)) }));
		assert_eq!(providers(order), [PROVIDER]);
		assert_eq!(Leases::depth(MARKET).levels.len(), 1);
		Book::<Test>::remove(MARKET, key);
	});
}
