//! Placing orders that are matched at once, or refused.

use super::market::*;
use crate::{
	mock::{Leases, *},
	pallet::*,
	weights_ext::WeightInfoExt,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskId, AskTerms, Asset, Balance, ClassId, Constraints, Countries, EscrowId, FirstJob, GpuIndex, GpuState,
	JobId, LeaseId, LeaseStatus, Matching, NodeIndex, NodeStatus, OrderId, OrderTerms, StreamId,
};
use sp_core::H256;
use sp_runtime::{DispatchError, Permill};

type E = Error<Test>;

#[test]
fn an_order_opens_a_lease_with_its_money_and_its_first_job() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN
		post(PROVIDER, 8, PRICE);
		events();
		let plan = H256::repeat_byte(3);
		let jobs = vec![FirstJob { node: NodeIndex(0), plan }].try_into().unwrap();
		let terms = OrderTerms { jobs, ..terms(2) };
		// WHEN
		assert_ok!(attempt(RENTER, terms.clone()));
		// THEN: price x GPUs x seconds
		let deposit = PRICE * 2 * 600;
		let (order, lease, node) = (OrderId(0), LeaseId(0), NodeIndex(0));
		assert_eq!(
			events(),
			vec![
				Event::OrderPlaced { order, renter: RENTER, terms },
				Event::NodeAssigned {
					lease,
					node,
					provider: PROVIDER,
					ask: Some(AskId(0)),
					gpus: vec![GpuIndex(0), GpuIndex(1)],
					price: PRICE,
					generation: 0,
				},
				Event::LeaseOpened {
					lease,
					renter: RENTER,
					nodes: 1,
					rate: 2 * PRICE,
					deposit,
					funded_ms: 10 * MINUTE,
				},
				Event::JobSubmitted { lease, node, job: JobId(0), plan },
			]
		);
		let escrow = TillEscrows::get(EscrowId(0)).unwrap();
		assert_eq!((escrow.payer, escrow.asset, escrow.held), (RENTER, Asset::Native, deposit));
		assert_eq!((escrow.streams[0].payee, escrow.streams[0].rate), (PROVIDER, 2 * PRICE));
		let record = record(lease);
		assert_eq!(record.status, LeaseStatus::Pending);
		assert_eq!((record.term_ms, record.max_term_ms), (Some(10 * MINUTE), None));
		assert_eq!(record.nodes[0].status, NodeStatus::Pending { since: START });
		assert_eq!(record.nodes[0].stream, StreamId(0));
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().left(), 6);
		assert_eq!(RegistryGpus::get(PROVIDER, GpuIndex(1)), Some((CLASS, GpuState::Leased(lease))));
		assert_eq!(Leases::jobs(lease).len(), 1);
		assert_eq!(ProviderLeases::<Test>::get(PROVIDER).into_inner(), [lease]);
	});
}

#[test]
fn the_cheapest_fitting_ask_is_taken_then_the_best_uptime_then_the_older() {
	ExtBuilder.build_and_execute(|| {
		post(OTHER_PROVIDER, 8, PRICE);
		post(THIRD_PROVIDER, 8, PRICE);
		let cheap = post(PROVIDER, 2, PRICE - 1);
		// The cheapest, though it is younger.
		assert_eq!(node(order(RENTER, terms(2)), 0).ask, Some(cheap));
		// It is used up; of the two left, the older.
		assert_eq!(node(order(RENTER, terms(2)), 0).provider, OTHER_PROVIDER);
		// A known uptime is better than none, and a higher one than a lower.
		declare(THIRD_PROVIDER, |declared| declared.uptime = Some(Permill::from_percent(90)));
		assert_eq!(node(order(RENTER, terms(2)), 0).provider, THIRD_PROVIDER);
		declare(OTHER_PROVIDER, |declared| declared.uptime = Some(Permill::from_percent(91)));
		assert_eq!(node(order(RENTER, terms(2)), 0).provider, OTHER_PROVIDER);
		// The price is the ask's, never the order's limit.
		let lease = order(RENTER, OrderTerms { max_price: 5_000, ..terms(2) });
		assert_eq!(node(lease, 0).price, PRICE);
	});
}

#[test]
fn every_wrong_order_is_refused_with_its_reason() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let good = terms(1);
		let refused = |terms: OrderTerms, error: E| {
			assert_noop!(attempt(RENTER, terms), error);
		};
		assert_noop!(
			Leases::place_order(RuntimeOrigin::none(), good.clone()).map_err(|error| error.error),
			DispatchError::BadOrigin
		);
		refused(OrderTerms { nodes: 0, ..good.clone() }, E::ZeroNodes);
		refused(OrderTerms { gpus_per_node: 0, ..good.clone() }, E::ZeroGpus);
		refused(OrderTerms { nodes: 17, ..good.clone() }, E::OrderTooLarge);
		refused(OrderTerms { gpus_per_node: 65, ..good.clone() }, E::OrderTooLarge);
		refused(OrderTerms { max_price: 0, ..good.clone() }, E::ZeroPrice);
		refused(fixed(MinTerm::get() - 1), E::TermOutOfBounds);
		refused(fixed(MaxTerm::get() + 1), E::TermOutOfBounds);
		refused(open_ended(terms(1), FrozenGrace::get()), E::FundingTooShort);
		refused(OrderTerms { class: ClassId(9), ..good.clone() }, E::UnknownClass);
		refused(OrderTerms { asset: Asset::Token(8), ..good.clone() }, E::AssetNotAllowed);
		for constraints in [
			Constraints { max_nodes_per_owner: Some(0), ..Default::default() },
			Constraints { max_nodes_per_country: Some(0), ..Default::default() },
			Constraints { max_nodes_per_network: Some(0), ..Default::default() },
		] {
			refused(OrderTerms { constraints, ..good.clone() }, E::ZeroLimit);
		}
		for countries in [
			Countries::Only(Default::default()),
			Countries::Except(Default::default()),
			Countries::Only(vec![*b"DE", *b"fr"].try_into().unwrap()),
			Countries::Except(vec![*b"1A"].try_into().unwrap()),
		] {
			refused(with(Constraints { countries, ..Default::default() }), E::BadCountries);
		}
		let jobs = vec![FirstJob { node: NodeIndex(1), plan: H256::zero() }].try_into().unwrap();
		refused(OrderTerms { jobs, ..good.clone() }, E::NoSuchNode);
		refused(OrderTerms { starts_at: Some(START), ..good.clone() }, E::StartOutOfBounds);
		let late = START + MaxOrderLifetime::get() + 1;
		refused(OrderTerms { starts_at: Some(late), ..good.clone() }, E::StartOutOfBounds);
		refused(OrderTerms { rests_ms: MaxOrderLifetime::get() + 1, ..good.clone() }, E::LifetimeOutOfBounds);
		let scheduled = OrderTerms { starts_at: Some(START + 1), ..auction(1, 1) };
		refused(scheduled, E::ScheduledAuction);
		refused(auction(1, 0), E::AuctionOutOfBounds);
		refused(auction(1, MaxAuctionBlocks::get() + 1), E::AuctionOutOfBounds);
		NextOrder::<Test>::put(OrderId(u64::MAX));
		refused(good.clone(), E::NumbersExhausted);
		// The limits themselves are fine.
		NextOrder::<Test>::put(OrderId(0));
		assert_ok!(attempt(RENTER, fixed(MinTerm::get())));
		assert_ok!(attempt(RENTER, fixed(MaxTerm::get())));
		assert_ok!(attempt(RENTER, open_ended(terms(1), FrozenGrace::get() + 1)));
		assert_ok!(attempt(RENTER, auction(16, MaxAuctionBlocks::get())));
		assert_ok!(attempt(RENTER, OrderTerms { gpus_per_node: 64, rests_ms: 1, ..good.clone() }));
		let latest = OrderTerms { starts_at: Some(late - 1), rests_ms: MaxOrderLifetime::get(), ..good };
		assert_ok!(attempt(RENTER, latest));
	});
}

#[test]
fn an_order_that_is_not_to_wait_says_why_it_has_no_match() {
	ExtBuilder.build_and_execute(|| {
		let refused = |terms: OrderTerms, error: E| {
			assert_noop!(attempt(RENTER, terms), error);
		};
		refused(terms(1), E::NoAsks);
		let ask = AskTerms { min_term_ms: MINUTE, max_term_ms: Some(2 * MINUTE), ..ask_terms(8, PRICE) };
		post_terms(PROVIDER, ask);
		refused(OrderTerms { max_price: PRICE - 1, ..fixed(MINUTE) }, E::PriceTooLow);
		refused(fixed(MINUTE - 1), E::TermNotOffered);
		refused(fixed(2 * MINUTE + 1), E::TermNotOffered);
		refused(open_ended(terms(1), 2 * MINUTE), E::TermNotOffered);
		let fitting = fixed(2 * MINUTE);
		refused(OrderTerms { gpus_per_node: 9, ..fitting.clone() }, E::NotEnoughGpus);
		refused(OrderTerms { asset: TOKEN, ..fitting.clone() }, E::NoAsks);
		assert_noop!(attempt(PROVIDER, fitting.clone()), E::OwnAskOnly);
		refused(OrderTerms { nodes: 2, ..fitting.clone() }, E::NotEnoughNodes);
		let constrained = |constraints| OrderTerms { constraints, ..fitting.clone() };
		refused(constrained(only(*b"FR")), E::CountryNotOffered);
		let barred = Countries::Except(vec![*b"DE"].try_into().unwrap());
		refused(constrained(Constraints { countries: barred, ..Default::default() }), E::CountryNotOffered);
		let uptime =
			|percent| Constraints { min_uptime: Some(Permill::from_percent(percent)), ..Default::default() };
		refused(constrained(uptime(0)), E::UptimeNotOffered);
		declare(PROVIDER, |declared| declared.uptime = Some(Permill::from_percent(50)));
		refused(constrained(uptime(51)), E::UptimeNotOffered);
		// A provider that stopped reporting between two looks at its asks.
		RegistryProviders::mutate(PROVIDER, |declared| declared.as_mut().unwrap().live = false);
		refused(fitting.clone(), E::NoLiveProvider);
		RegistryProviders::mutate(PROVIDER, |declared| declared.as_mut().unwrap().live = true);
		// And it is not far from a match.
		assert_ok!(attempt(
			RENTER,
			constrained(Constraints { min_uptime: uptime(50).min_uptime, ..only(*b"DE") })
		));
	});
}

#[test]
fn the_reason_is_that_of_the_closest_ask() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN a cheap ask with too few GPUs, and one that is too dear
		post(PROVIDER, 1, PRICE - 1);
		post(OTHER_PROVIDER, 8, PRICE + 1);
		assert_noop!(attempt(RENTER, terms(2)), E::NotEnoughGpus);
		assert_noop!(attempt(RENTER, OrderTerms { max_price: PRICE + 1, ..terms(9) }), E::NotEnoughGpus);
		// The wrong country is closer than too few GPUs, in whichever order they come.
		declare(OTHER_PROVIDER, |declared| declared.country = *b"FR");
		let wanted = OrderTerms { max_price: PRICE + 1, gpus_per_node: 2, ..with(only(*b"DE")) };
		assert_noop!(attempt(RENTER, wanted), E::CountryNotOffered);
	});
}

#[test]
fn a_renters_own_ask_is_passed_over() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let other = post(OTHER_PROVIDER, 8, PRICE);
		assert_eq!(node(order(PROVIDER, terms(1)), 0).ask, Some(other));
	});
}

#[test]
fn an_order_may_cost_exactly_what_is_free_and_not_a_planck_more() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		// POOR has 2,000, of which the existential deposit of 1 stays. One planck a second for 1,999 s.
		assert_noop!(attempt(POOR, fixed(1_999_001)), E::InsufficientFunds);
		assert_ok!(attempt(POOR, fixed(1_999_000)));
	});
}

#[test]
fn an_order_in_a_token_holds_that_token() {
	ExtBuilder.build_and_execute(|| {
		post_terms(PROVIDER, AskTerms { asset: TOKEN, ..ask_terms(8, PRICE) });
		let wanted = OrderTerms { asset: TOKEN, ..terms(1) };
		assert_noop!(attempt(RENTER, wanted.clone()), E::InsufficientFunds);
		tokens_to(RENTER, 7, 60_001);
		let before = Balances::free_balance(RENTER);
		let lease = order(RENTER, wanted);
		assert_eq!((token_balance(RENTER, 7), held_of(lease)), (1, 60_000));
		assert_eq!(Balances::free_balance(RENTER), before);
		assert_eq!(record(lease).asset, TOKEN);
	});
}

#[test]
fn amounts_beyond_a_balance_are_refused() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, Balance::MAX);
		post(OTHER_PROVIDER, 8, Balance::MAX / 600);
		assert_noop!(attempt(RENTER, OrderTerms { max_price: Balance::MAX, ..terms(2) }), E::AmountTooLarge);
		let dear = OrderTerms { max_price: Balance::MAX, rests_ms: 1, ..terms(9) };
		assert_noop!(attempt(RENTER, dear), E::AmountTooLarge);
		// The premium does not fit, though the price does.
		let premium = with_failover(OrderTerms { max_price: Balance::MAX, ..terms(1) }, 1);
		assert_noop!(attempt(RENTER, premium), E::AmountTooLarge);
	});
}

#[test]
fn an_expired_ask_that_the_agenda_has_not_reached_is_not_taken() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		Now::set(START + MaxAskLifetime::get());
		assert_noop!(attempt(RENTER, terms(1)), E::NoAsks);
	});
}

#[test]
fn a_fixed_term_holds_the_premium_too_and_an_open_end_does_not() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE + 1);
		let dear = OrderTerms { max_price: PRICE + 1, ..fixed(10 * MINUTE) };
		// 101 x 600 s, and 7 % of it.
		let lease = order(RENTER, with_failover(dear.clone(), 7));
		assert_eq!(held_of(lease), 60_600 + 4_242);
		// What a replacement may cost is rounded down, so that what is held pays for it.
		assert_eq!((node(lease, 0).max_price, record(lease).failover), (PRICE + 1 + 7, true));
		let lease = order(RENTER, with_failover(open_ended(dear, 10 * MINUTE), 7));
		assert_eq!(held_of(lease), 60_600);
		assert_eq!((record(lease).term_ms, record(lease).max_term_ms), (None, None));
	});
}

#[test]
fn a_provider_serves_no_more_leases_than_it_has_gpus_for() {
	ExtBuilder.build_and_execute(|| {
		add_gpus(PROVIDER, 57);
		post(PROVIDER, 64, 1);
		for _ in 0..64 {
			order(RENTER, terms(1));
		}
		assert_eq!(ProviderLeases::<Test>::get(PROVIDER).len(), 64);
		// Were a GPU free all the same, the list of leases holds.
		post(PROVIDER, 1, 1);
		assert_noop!(attempt(RENTER, terms(1)), E::TooManyLeases);
	});
}

#[test]
fn the_registry_has_the_last_word_on_free_gpus() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN two asks for the same GPUs
		post(PROVIDER, 8, PRICE);
		let second = post(PROVIDER, 8, PRICE);
		order(RENTER, terms(6));
		// The second ask offers eight, but two are free.
		assert_eq!(Asks::<Test>::get(second).unwrap().left(), 8);
		assert_noop!(attempt(RENTER, terms(3)), E::NotEnoughGpus);
		assert_ok!(attempt(RENTER, terms(2)));
	});
}

#[test]
fn matching_and_waiting_are_paid_by_what_they_look_at() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		type W = ();
		let matched = W::place_matched_order(1, 1, 1, 1);
		assert_eq!(attempt(RENTER, terms(1)).unwrap().actual_weight, Some(matched));
		let dear = OrderTerms { max_price: PRICE - 1, rests_ms: MINUTE, ..terms(1) };
		assert_eq!(attempt(RENTER, dear).unwrap().actual_weight, Some(W::place_unmatched_order(1)));
		let matching = Matching::Auction { blocks: 5 };
		let sold = OrderTerms { matching, ..terms(1) };
		assert_eq!(attempt(RENTER, sold).unwrap().actual_weight, Some(W::place_unmatched_order(0)));
	});
}
