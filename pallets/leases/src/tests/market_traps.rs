//! Complaints about other markets, and mistakes in their code, each as a test that names it.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
	weights_ext::WeightInfoExt,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{OrderId, OrderTerms, ProviderInspect};

type E = Error<Test>;

/// `count` more providers of one GPU each.
fn bidders(count: u64) -> Vec<AccountId> {
	let all: Vec<_> = (100..100 + count).collect();
	all.iter().for_each(|provider| add_gpus(*provider, 1));
	all
}

/// Complaint 11: stale bids of others fill the list, so that a real bid is refused.
#[test]
fn complaint_11_only_live_bids_count_and_a_provider_has_one() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 20));
		let all = bidders(u64::from(MAX_BIDS_PER_ORDER));
		for provider in &all {
			// However often a provider bids, it has one.
			bid(*provider, order, 90);
			bid(*provider, order, 80);
		}
		assert_eq!(Leases::bids(order).len(), MAX_BIDS_PER_ORDER as usize);
		// A dead bid frees its place at once.
		assert_noop!(try_bid(PROVIDER, order, 80), E::BidsFull);
		assert_ok!(Leases::withdraw_bid(RuntimeOrigin::signed(all[0]), order));
		bid(PROVIDER, order, 80);
		// And squatters give way to whoever is better.
		bid(OTHER_PROVIDER, order, 79);
		assert_eq!(Leases::bids(order).len(), MAX_BIDS_PER_ORDER as usize);
		assert_eq!(Leases::bids(order)[0].0, OTHER_PROVIDER);
	});
}

/// Complaint 12: a provider pays for every order that comes by, and for asking its own deposit back.
#[test]
fn complaint_12_an_ask_costs_nothing_per_order_and_its_deposit_comes_back_by_itself() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let free = Balances::free_balance(PROVIDER);
		for _ in 0..20 {
			let lease = order(RENTER, terms(1));
			assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		}
		assert_eq!(Balances::free_balance(PROVIDER), free);
		Now::set(Now::get() + MaxAskLifetime::get());
		run_blocks(MaxAskLifetime::get() / SLOT / 2 + 1);
		assert_eq!(Balances::free_balance(PROVIDER), RICH);
	});
}

/// Complaint 13: fake orders empty a provider's wallet.
#[test]
fn complaint_13_orders_reserve_nothing_of_a_providers_wallet() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let free = Balances::free_balance(PROVIDER);
		for _ in 0..10 {
			place(RENTER, auction(1, 10));
			place(RENTER, OrderTerms { max_price: 1, ..resting(terms(1)) });
			place(RENTER, OrderTerms { starts_at: Some(START + MINUTE), ..terms(1) });
		}
		order(RENTER, terms(1));
		run_blocks(60);
		assert_eq!(Balances::free_balance(PROVIDER), free);
	});
}

/// Trap 6: a limit that is off by one.
#[test]
fn trap_6_the_thirty_second_bid_is_accepted_and_the_thirty_third_must_be_better() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, auction(1, 20));
		let all = bidders(33);
		for (provider, price) in all.iter().zip(50..).take(32) {
			bid(*provider, order, price);
		}
		assert_eq!(Orders::<Test>::get(order).unwrap().bids, 32);
		// The dearest is at 81.
		assert_noop!(try_bid(all[32], order, 82), E::BidsFull);
		assert_noop!(try_bid(all[32], order, 81), E::BidsFull);
		events();
		bid(all[32], order, 80);
		let released = Event::BidReleased { order, provider: all[31], deposit: 100, won: false };
		assert_eq!(events()[0], released);
		assert_eq!((bid_deposit(all[31]), Orders::<Test>::get(order).unwrap().bids), (0, 32));
		// One who bids already needs no room, however full the list is.
		bid(all[30], order, 79);
	});
}

/// Trap 6, for the lists of an account.
#[test]
fn trap_6_each_account_has_exactly_as_many_asks_orders_and_bids_as_allowed() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..MAX_ASKS_PER_PROVIDER {
			post(PROVIDER, 1, PRICE);
		}
		let one_more = Leases::post_ask(RuntimeOrigin::signed(PROVIDER), ask_terms(1, PRICE), MINUTE);
		assert_noop!(one_more, E::TooManyAsks);
		for renter in [RENTER, OTHER_RENTER] {
			for _ in 0..MAX_ORDERS_PER_RENTER {
				place(renter, auction(1, 20));
			}
			assert_noop!(attempt(renter, auction(1, 20)), E::TooManyOrders);
		}
		for order in 0..u64::from(MAX_BIDS_PER_PROVIDER) {
			bid(PROVIDER, OrderId(order), 90);
		}
		assert_noop!(try_bid(PROVIDER, OrderId(u64::from(MAX_BIDS_PER_PROVIDER)), 90), E::TooManyBids);
		// GPUs left on an ask.
		post(OTHER_PROVIDER, 8, 1);
		order(STRANGER, OrderTerms { max_price: 1, ..terms(8) });
		// The next one is dearer.
		let one_more = attempt(STRANGER, OrderTerms { max_price: 1, ..terms(1) });
		assert_noop!(one_more, E::PriceTooLow);
	});
}

/// Trap 7: dead objects that fill a live quota.
#[test]
fn trap_7_what_is_gone_frees_its_place() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..2 {
			for _ in 0..MAX_ASKS_PER_PROVIDER {
				post(PROVIDER, 1, PRICE);
			}
			// They all expire.
			Now::set(Now::get() + MaxAskLifetime::get());
			run_blocks(MaxAskLifetime::get() / SLOT / 2 + 1);
			assert!(!AsksOf::<Test>::contains_key(PROVIDER));
		}
		for _ in 0..2 {
			let orders: Vec<_> = (0..MAX_ORDERS_PER_RENTER).map(|_| place(RENTER, auction(1, 5))).collect();
			orders.iter().for_each(|order| bid(PROVIDER, *order, 90));
			// They are all awarded or over.
			run_blocks(5);
			assert!(!OrdersOf::<Test>::contains_key(RENTER) && !BidsOf::<Test>::contains_key(PROVIDER));
			for order in orders.into_iter().filter(|order| status((*order).into()).is_some()) {
				assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), order.into()));
			}
		}
		post(PROVIDER, 8, PRICE);
		for _ in 0..100 {
			let lease = order(RENTER, terms(8));
			assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		}
	});
}

/// Trap 7, for the book: asks that nobody can take cost orders no look.
#[test]
fn trap_7_asks_that_cannot_be_taken_do_not_hide_the_rest_of_the_book() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN more cheap asks than an order looks at, of providers that are dark, sold out, or without a healthy GPU
		for (number, provider) in bidders(9).into_iter().enumerate() {
			for _ in 0..MAX_ASKS_PER_PROVIDER {
				post(provider, 1, PRICE - 1);
			}
			match number % 3 {
				0 => set_live(provider, false),
				1 => set_health(provider, 0, false),
				_ => {
					order(RENTER, terms(1));
				}
			}
		}
		let ask = post(PROVIDER, 1, PRICE);
		let order = order(RENTER, terms(1));
		assert_eq!(node(order, 0).ask, Some(ask));
	});
}

/// Trap 8: an error in a money path that is swallowed, so that losers do not get their deposits back.
#[test]
fn trap_8_all_deposits_of_losers_come_back_and_no_error_is_swallowed() {
	ExtBuilder.build_and_execute(|| {
		let order = place(RENTER, OrderTerms { rests_ms: 0, ..auction(1, 5) });
		let all = bidders(20);
		all.iter().zip(50..).for_each(|(provider, price)| bid(*provider, order, price));
		run_blocks(5);
		assert_eq!(providers(order), [all[0]]);
		for provider in all {
			assert_eq!((bid_deposit(provider), Balances::free_balance(provider)), (0, RICH));
		}
		// GIVEN an auction without a winner whose escrow cannot be closed
		let order = place(RENTER, auction(1, 5));
		bid(PROVIDER, order, 90);
		set_live(PROVIDER, false);
		BrokenEscrows::set(vec![order.into()]);
		run_blocks(5);
		// THEN nothing of it happened, and it is tried again
		assert_eq!((bid_deposit(PROVIDER), order_deposit(RENTER)), (100, 500));
		assert!(events().iter().any(|event| matches!(
			event,
			Event::Unexpected { kind: UnexpectedKind::AgendaItemFailed(AgendaItem::Order(_), _) }
		)));
		check();
		BrokenEscrows::set(vec![]);
		run_blocks(20);
		assert_eq!((bid_deposit(PROVIDER), order_deposit(RENTER), held_of(order)), (0, 0, 0));
	});
}

/// Trap 13: the whole machine's GPUs are counted for a partial rent.
#[test]
fn trap_13_a_partial_rent_counts_its_own_gpus() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, terms(3));
		assert_eq!(held_of(lease), PRICE * 3 * 600);
		assert_eq!(record(lease).rate(), Some(PRICE * 3));
		assert_eq!((Asks::<Test>::get(ask).unwrap().left(), Registry::free_gpus(&PROVIDER, CLASS)), (5, 5));
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!((Asks::<Test>::get(ask).unwrap().left(), Registry::free_gpus(&PROVIDER, CLASS)), (8, 8));
	});
}

/// Trap 18: work that nothing bounds, at a fixed weight.
#[test]
fn trap_18_an_order_looks_at_sixty_four_asks_and_pays_for_those_it_looked_at() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN 63 asks that do not fit, and one that does
		for provider in bidders(63) {
			post(provider, 1, 1);
		}
		let last = post(PROVIDER, 4, PRICE);
		let weight = attempt(RENTER, terms(2)).unwrap().actual_weight;
		assert_eq!(weight, Some(<() as WeightInfoExt>::place_matched_order(64, 1, 2, 1)));
		assert_eq!(node(OrderId(0).into(), 0).ask, Some(last));
		assert!(weight.unwrap().all_lte(<() as WeightInfoExt>::place_any_order(1, 2)));
		// Fewer looks weigh less.
		let cheap = attempt(RENTER, terms(1)).unwrap().actual_weight.unwrap();
		assert!(cheap.all_lt(weight.unwrap()));
		// WHEN two more stand before it, one in the place of the ask that was taken
		for provider in [90, 91] {
			add_gpus(provider, 1);
			post(provider, 1, 1);
		}
		// THEN it is beyond what is looked at
		assert_noop!(attempt(RENTER, terms(2)), E::NotEnoughGpus);
	});
}

/// Trap 18, for rounds: four orders in a block, however many wait.
#[test]
fn trap_18_a_round_is_offered_to_a_bounded_number_of_orders_in_each_block() {
	ExtBuilder.build_and_execute(|| {
		for renter in [RENTER, OTHER_RENTER] {
			for _ in 0..MAX_ORDERS_PER_RENTER {
				place(renter, resting(OrderTerms { max_price: 1, ..terms(1) }));
			}
		}
		add_gpus(PROVIDER, 56);
		post(PROVIDER, 64, 1);
		for block in 1..=16 {
			run_blocks(1);
			assert_eq!(resting_orders().len(), 64 - 4 * block);
		}
		assert_eq!(Balances::balance_on_hold(&HoldReason::OrderDeposit.into(), &RENTER), 0);
	});
}
