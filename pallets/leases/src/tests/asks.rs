//! Posting and withdrawing asks; their end.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use millrace_primitives::{AskId, Balance, ClassId};
use sp_runtime::DispatchError;

type E = Error<Test>;

fn try_post(
	who: AccountId,
	class: ClassId,
	gpus: u32,
	price: Balance,
	terms: (u64, u64),
	lifetime: u64,
) -> sp_runtime::DispatchResult {
	Leases::post_ask(RuntimeOrigin::signed(who), class, gpus, price, terms.0, terms.1, lifetime)
}

fn held(who: AccountId) -> Balance {
	Balances::balance_on_hold(&HoldReason::AskDeposit.into(), &who)
}

const TERMS: (u64, u64) = (10 * SLOT, 60 * MINUTE);

#[test]
fn posting_an_ask_holds_the_deposit_and_lists_it() {
	ExtBuilder.build_and_execute(|| {
		// WHEN
		assert_ok!(try_post(PROVIDER, CLASS, 8, PRICE, TERMS, 5 * MINUTE));
		// THEN
		let expires_at = START + 5 * MINUTE;
		assert_eq!(
			events(),
			vec![Event::AskPosted {
				ask: AskId(0),
				provider: PROVIDER,
				class: CLASS,
				gpus: 8,
				price: PRICE,
				min_term_ms: TERMS.0,
				max_term_ms: TERMS.1,
				expires_at,
				deposit: 1_000,
			}]
		);
		assert_eq!(held(PROVIDER), 1_000);
		assert_eq!(AsksOf::<Test>::get(PROVIDER).into_inner(), vec![AskId(0)]);
		assert_eq!(Leases::best_price(CLASS), Some(PRICE));
		assert_eq!(Leases::book(CLASS)[0].1.expires_at, expires_at);
		assert_eq!(Leases::best_price(OTHER_CLASS), None);
	});
}

#[test]
fn every_wrong_ask_is_refused_with_its_reason() {
	ExtBuilder.build_and_execute(|| {
		assert_noop!(
			Leases::post_ask(RuntimeOrigin::none(), CLASS, 1, PRICE, TERMS.0, TERMS.1, MINUTE),
			DispatchError::BadOrigin
		);
		assert_noop!(try_post(PROVIDER, CLASS, 0, PRICE, TERMS, MINUTE), E::ZeroGpus);
		assert_noop!(try_post(PROVIDER, CLASS, 1, 0, TERMS, MINUTE), E::ZeroPrice);
		assert_noop!(try_post(PROVIDER, CLASS, 1, PRICE, (TERMS.1, TERMS.0), MINUTE), E::TermsReversed);
		assert_noop!(try_post(PROVIDER, CLASS, 1, PRICE, (TERMS.0 - 1, TERMS.1), MINUTE), E::TermOutOfBounds);
		assert_noop!(try_post(PROVIDER, CLASS, 1, PRICE, (TERMS.0, TERMS.1 + 1), MINUTE), E::TermOutOfBounds);
		assert_noop!(try_post(PROVIDER, CLASS, 1, PRICE, TERMS, 0), E::LifetimeOutOfBounds);
		assert_noop!(
			try_post(PROVIDER, CLASS, 1, PRICE, TERMS, MaxAskLifetime::get() + 1),
			E::LifetimeOutOfBounds
		);
		assert_noop!(try_post(STRANGER, CLASS, 1, PRICE, TERMS, MINUTE), E::NotAProvider);
		assert_noop!(try_post(PROVIDER, ClassId(9), 1, PRICE, TERMS, MINUTE), E::UnknownClass);
		assert_noop!(try_post(PROVIDER, OTHER_CLASS, 1, PRICE, TERMS, MINUTE), E::OfferAboveRegistered);
		assert_noop!(try_post(PROVIDER, CLASS, 9, PRICE, TERMS, MINUTE), E::OfferAboveRegistered);
		add_gpus(POOR, 1);
		assert_noop!(try_post(POOR, CLASS, 1, PRICE, TERMS, MINUTE), E::DepositUnaffordable);
		NextAsk::<Test>::put(AskId(u64::MAX));
		assert_noop!(try_post(PROVIDER, CLASS, 1, PRICE, TERMS, MINUTE), E::NumbersExhausted);
		// The limits themselves are fine.
		NextAsk::<Test>::put(AskId(0));
		assert_ok!(try_post(PROVIDER, CLASS, 8, 1, TERMS, MaxAskLifetime::get()));
		assert_ok!(try_post(PROVIDER, CLASS, 1, 1, (TERMS.0, TERMS.0), 1));
	});
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
			Leases::book(CLASS).into_iter().map(|(ask, record)| (record.price, ask.0)).collect();
		assert_eq!(book, [(1, 4), (0x00ff, 1), (0x0100, 0), (0x0100, 3), (0x01_0000, 2), (u128::MAX, 5)]);
	});
}

#[test]
fn a_book_key_gives_back_what_it_was_made_of() {
	for (price, ask) in [(0, 0), (1, 2), (u128::MAX, u64::MAX), (1 << 100, 1 << 40)] {
		let key = BookKey::new(price, AskId(ask));
		assert_eq!((key.price(), key.ask()), (price, AskId(ask)));
	}
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
		assert_eq!(Leases::best_price(CLASS), None);
		assert!(!AsksOf::<Test>::contains_key(PROVIDER));
		// The lease ends without its ask.
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(Asks::<Test>::count_all(), 0);
	});
}

trait CountAll {
	fn count_all() -> usize;
}

impl CountAll for Asks<Test> {
	fn count_all() -> usize {
		Self::iter_keys().count()
	}
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
		assert_ok!(try_post(PROVIDER, CLASS, 1, PRICE, TERMS, MINUTE));
		run_blocks(59);
		assert_eq!(Asks::<Test>::count_all(), 1);
		events();
		run_blocks(1);
		assert_eq!(events(), vec![Event::AskExpired { ask: AskId(0), provider: PROVIDER, deposit: 1_000 }]);
		assert_eq!(held(PROVIDER), 0);
	});
}
