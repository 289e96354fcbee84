//! Posting and withdrawing asks; their end; their place in the book.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{AskId, AskTerms, Asset, Balance, ClassId};
use sp_runtime::DispatchError;

type E = Error<Test>;

fn try_post(
	who: AccountId,
	terms: AskTerms,
	lifetime: u64,
) -> frame_support::dispatch::DispatchResultWithPostInfo {
	Leases::post_ask(RuntimeOrigin::signed(who), terms, lifetime)
}

fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::AskDeposit.into(), &who)
}

const MARKET: Market = (CLASS, Asset::Native);

fn listed() -> Vec<AskId> {
	Leases::book(MARKET).into_iter().map(|(ask, _)| ask).collect()
}

#[test]
fn posting_an_ask_holds_the_deposit_and_lists_it() {
	ExtBuilder.build_and_execute(|| {
		// WHEN
		events();
		let terms = ask_terms(8, PRICE);
		assert_ok!(try_post(PROVIDER, terms, 5 * MINUTE));
		// THEN
		let (ask, provider, expires_at) = (AskId(0), PROVIDER, START + 5 * MINUTE);
		assert_eq!(
			events(),
			vec![
				Event::AskPosted { ask, provider, terms, expires_at, deposit: 1_000 },
				Event::AskListed { ask }
			]
		);
		assert_eq!(held(PROVIDER), 1_000);
		assert_eq!(AsksOf::<Test>::get(PROVIDER).into_inner(), vec![ask]);
		assert_eq!(Leases::best_price(MARKET), Some(PRICE));
		assert_eq!(Leases::book(MARKET)[0].1.expires_at, expires_at);
		assert_eq!(Leases::best_price((OTHER_CLASS, Asset::Native)), None);
		assert_eq!(Leases::best_price((CLASS, TOKEN)), None);
	});
}

#[test]
fn every_wrong_ask_is_refused_with_its_reason() {
	ExtBuilder.build_and_execute(|| {
		let good = ask_terms(1, PRICE);
		let refused = |terms: AskTerms, error: E| {
			assert_noop!(try_post(PROVIDER, terms, MINUTE), error);
		};
		assert_noop!(Leases::post_ask(RuntimeOrigin::none(), good, MINUTE), DispatchError::BadOrigin);
		refused(AskTerms { gpus: 0, ..good }, E::ZeroGpus);
		refused(AskTerms { price: 0, ..good }, E::ZeroPrice);
		refused(AskTerms { max_term_ms: Some(MinTerm::get() - 1), ..good }, E::TermsReversed);
		refused(AskTerms { min_term_ms: MinTerm::get() - 1, ..good }, E::TermOutOfBounds);
		refused(AskTerms { max_term_ms: Some(MaxTerm::get() + 1), ..good }, E::TermOutOfBounds);
		refused(AskTerms { min_term_ms: MaxTerm::get() + 1, ..good }, E::TermOutOfBounds);
		refused(AskTerms { reclaim_notice_ms: MinReclaimNotice::get() - 1, ..good }, E::NoticeOutOfBounds);
		refused(AskTerms { reclaim_notice_ms: MaxReclaimNotice::get() + 1, ..good }, E::NoticeOutOfBounds);
		refused(AskTerms { class: ClassId(9), ..good }, E::UnknownClass);
		refused(AskTerms { asset: Asset::Token(8), ..good }, E::AssetNotAllowed);
		refused(AskTerms { class: OTHER_CLASS, ..good }, E::OfferAboveRegistered);
		refused(AskTerms { gpus: 9, ..good }, E::OfferAboveRegistered);
		assert_noop!(try_post(PROVIDER, good, 0), E::LifetimeOutOfBounds);
		assert_noop!(try_post(PROVIDER, good, MaxAskLifetime::get() + 1), E::LifetimeOutOfBounds);
		assert_noop!(try_post(STRANGER, good, MINUTE), E::NotAProvider);
		NextAsk::<Test>::put(AskId(u64::MAX));
		refused(good, E::NumbersExhausted);
		// The limits themselves are fine.
		NextAsk::<Test>::put(AskId(0));
		assert_ok!(try_post(PROVIDER, AskTerms { gpus: 8, price: 1, ..good }, MaxAskLifetime::get()));
		let shortest = AskTerms { max_term_ms: Some(MinTerm::get()), ..good };
		assert_ok!(try_post(PROVIDER, shortest, 1));
		let longest = AskTerms { min_term_ms: MaxTerm::get(), max_term_ms: Some(MaxTerm::get()), ..good };
		assert_ok!(try_post(PROVIDER, longest, 1));
		for reclaim_notice_ms in [MinReclaimNotice::get(), MaxReclaimNotice::get()] {
			assert_ok!(try_post(PROVIDER, AskTerms { reclaim_notice_ms, asset: TOKEN, ..good }, 1));
		}
	});
}

#[test]
fn each_ask_costs_a_higher_deposit_and_gives_back_what_it_cost() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..3 {
			post(PROVIDER, 1, PRICE);
		}
		assert_eq!(held(PROVIDER), 1_000 + 2_000 + 3_000);
		// The next one costs what the number of open ones says, and each gives back its own.
		assert_ok!(Leases::withdraw_ask(RuntimeOrigin::signed(PROVIDER), AskId(0)));
		assert_eq!(held(PROVIDER), 2_000 + 3_000);
		post(PROVIDER, 1, PRICE);
		assert_eq!(held(PROVIDER), 2_000 + 3_000 + 3_000);
	});
}

#[test]
fn a_deposit_that_is_not_affordable_is_refused() {
	ExtBuilder.build_and_execute(|| {
		// The existential deposit of 1 has to stay.
		add_gpus(PROVIDER, 1);
		let (balance, terms) = (Balances::free_balance(PROVIDER), ask_terms(1, PRICE));
		set_balance(PROVIDER, 1_000);
		assert_noop!(try_post(PROVIDER, terms, MINUTE), E::DepositUnaffordable);
		set_balance(PROVIDER, 1_001);
		assert_ok!(try_post(PROVIDER, terms, MINUTE));
		set_balance(PROVIDER, balance);
	});
}

fn set_balance(who: AccountId, amount: Balance) {
	use frame_support::traits::fungible::Mutate;
	Balances::set_balance(&who, amount);
}

#[test]
fn the_book_is_in_the_order_of_price_then_age() {
	ExtBuilder.build_and_execute(|| {
		// Prices whose little-endian bytes sort differently, and the largest.
		let prices = [0x0100, 0x00ff, 0x01_0000, 0x0100, 1, u128::MAX];
		for price in prices {
			post(PROVIDER, 1, price);
		}
		let book: Vec<_> =
			Leases::book(MARKET).into_iter().map(|(ask, record)| (record.terms.price, ask.0)).collect();
		assert_eq!(book, [(1, 4), (0x00ff, 1), (0x0100, 0), (0x0100, 3), (0x01_0000, 2), (u128::MAX, 5)]);
	});
}

#[test]
fn a_book_key_gives_back_what_it_was_made_of() {
	use millrace_primitives::OrderId;
	for (price, number) in [(0, 0), (1, 2), (u128::MAX, u64::MAX), (1 << 100, 1 << 40)] {
		let key = BookKey::of_ask(price, AskId(number));
		assert_eq!((key.price(), key.ask()), (price, AskId(number)));
		assert_eq!(BookKey::of_order(price, OrderId(number)).order(), OrderId(number));
	}
	// Among orders the one that pays most comes first, then the older.
	assert!(BookKey::of_order(2, OrderId(9)) < BookKey::of_order(1, OrderId(0)));
	assert!(BookKey::of_order(2, OrderId(0)) < BookKey::of_order(2, OrderId(1)));
}

#[test]
fn withdrawing_releases_the_deposit_and_leaves_leases_alone() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN a lease from the ask
		let lease = open_active();
		events();
		// WHEN
		assert_ok!(Leases::withdraw_ask(RuntimeOrigin::signed(PROVIDER), AskId(0)));
		// THEN
		assert_eq!(events(), vec![Event::AskWithdrawn { ask: AskId(0), provider: PROVIDER, deposit: 1_000 }]);
		assert_eq!(held(PROVIDER), 0);
		assert_eq!(Leases::best_price(MARKET), None);
		assert!(!AsksOf::<Test>::contains_key(PROVIDER));
		// The lease ends without its ask.
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(Asks::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn only_the_owner_withdraws_an_ask_that_exists() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 1, PRICE);
		assert_noop!(Leases::withdraw_ask(RuntimeOrigin::none(), AskId(0)), DispatchError::BadOrigin);
		assert_noop!(Leases::withdraw_ask(RuntimeOrigin::signed(OTHER_PROVIDER), AskId(0)), E::NotAskOwner);
		assert_noop!(Leases::withdraw_ask(RuntimeOrigin::signed(PROVIDER), AskId(1)), E::UnknownAsk);
	});
}

#[test]
fn an_ask_expires_at_its_time_and_not_before() {
	ExtBuilder.build_and_execute(|| {
		assert_ok!(try_post(PROVIDER, ask_terms(1, PRICE), MINUTE));
		run_blocks(59);
		assert_eq!(Asks::<Test>::iter_keys().count(), 1);
		events();
		run_blocks(1);
		assert_eq!(events(), vec![Event::AskExpired { ask: AskId(0), provider: PROVIDER, deposit: 1_000 }]);
		assert_eq!(held(PROVIDER), 0);
		assert_eq!(Leases::best_price(MARKET), None);
	});
}

#[test]
fn an_ask_that_is_used_up_leaves_the_book_until_its_gpus_are_back() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(PROVIDER, 2, PRICE);
		let lease = order(RENTER, terms(2));
		assert_eq!(Asks::<Test>::get(ask).unwrap().left(), 0);
		assert!(listed().is_empty());
		assert!(events().contains(&Event::AskUnlisted { ask }));
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(listed(), [ask]);
		assert!(events().contains(&Event::AskListed { ask }));
	});
}

#[test]
fn all_asks_of_a_provider_without_free_gpus_leave_the_book() {
	ExtBuilder.build_and_execute(|| {
		// GIVEN two asks for the same eight GPUs, and one for another class
		let asks = [post(PROVIDER, 8, PRICE), post(PROVIDER, 8, PRICE + 1)];
		add_gpus_of(PROVIDER, OTHER_CLASS, 1);
		let other = post_terms(PROVIDER, AskTerms { class: OTHER_CLASS, ..ask_terms(1, PRICE) });
		// WHEN
		let lease = order(RENTER, terms(8));
		// THEN the second ask has GPUs left, but nobody could take them
		assert_eq!(Asks::<Test>::get(asks[1]).unwrap().left(), 8);
		assert!(listed().is_empty());
		assert_eq!(Leases::book((OTHER_CLASS, Asset::Native))[0].0, other);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(listed(), asks);
	});
}

#[test]
fn asks_follow_the_standing_of_their_provider_and_the_health_of_its_gpus() {
	ExtBuilder.build_and_execute(|| {
		set_live(PROVIDER, false);
		events();
		// An ask of a provider that does not report stands, and is not listed.
		let ask = post(PROVIDER, 8, PRICE);
		assert!(listed().is_empty());
		assert!(!events().contains(&Event::AskListed { ask }));
		set_live(PROVIDER, true);
		assert_eq!(events(), vec![Event::AskListed { ask }]);
		set_live(PROVIDER, false);
		assert_eq!(events(), vec![Event::AskUnlisted { ask }]);
		set_live(PROVIDER, true);
		// The last healthy GPU decides.
		for gpu in 0..8 {
			assert_eq!(listed(), [ask]);
			set_health(PROVIDER, gpu, false);
		}
		assert!(listed().is_empty());
		set_health(PROVIDER, 3, true);
		assert_eq!(listed(), [ask]);
	});
}

#[test]
fn more_gpus_back_than_were_taken_are_noticed_and_do_no_harm() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(PROVIDER, 4, PRICE);
		events();
		Leases::return_capacity(ask, 1);
		let kind = UnexpectedKind::CapacityAboveOffer(ask);
		assert_eq!(events(), vec![Event::Unexpected { kind }]);
		assert_eq!(Asks::<Test>::get(ask).unwrap().left(), 4);
		assert_noop!(Leases::take_capacity(ask, 5), E::NotEnoughGpus);
		assert_noop!(Leases::take_capacity(AskId(9), 1), E::UnknownAsk);
	});
}
