use super::{attest, attest_and_mature, open_for, record, settle, ID};
use crate::{
	mock::{
		balance, build_and_execute, events, held, held_of, Assets, Balances, FeeRate, RuntimeOrigin,
		Settlement, System, Test, DOLLAR, ED, ENDOWMENT, ISSUER, NOBODY, OTHER, RENTER, STRANGER,
	},
	Error, EscrowRecord, Event,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::{fungible::Mutate, tokens::Preservation},
};
use millrace_primitives::{Asset, Escrow, EscrowId};
use sp_runtime::Permill;

#[test]
fn opening_holds_the_deposit_for_nobody() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1_000));
		assert_eq!(held(RENTER), 1_000);
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT - 1_000);
		assert_eq!(Settlement::free(ID), Some(1_000));
		let fee_rate = Permill::from_percent(2);
		assert_eq!(record(), EscrowRecord::new(RENTER, Asset::Native, fee_rate, 1_000));
		let opened =
			Event::EscrowOpened { escrow: ID, payer: RENTER, asset: Asset::Native, amount: 1_000, fee_rate };
		assert_eq!(events(), vec![opened]);
	});
}

#[test]
fn opening_holds_tokens_that_are_allowed() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, DOLLAR, 1_000));
		assert_eq!((held(RENTER), held_of(DOLLAR, RENTER)), (0, 1_000));
		assert_noop!(
			Settlement::open(EscrowId(8), &RENTER, Asset::Token(OTHER), 1_000),
			Error::<Test>::AssetNotAllowed
		);
	});
}

#[test]
fn a_number_is_used_once_at_a_time() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1_000));
		assert_noop!(Settlement::open(ID, &STRANGER, Asset::Native, 1_000), Error::<Test>::EscrowExists);
		assert_ok!(Settlement::close(ID));
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 1_000));
	});
}

#[test]
fn opening_leaves_the_payer_the_minimum_balance() {
	build_and_execute(|| {
		for (id, asset) in [(EscrowId(1), Asset::Native), (EscrowId(2), DOLLAR)] {
			let most = ENDOWMENT - ED;
			assert!(Settlement::can_hold(asset, &RENTER, most));
			assert!(!Settlement::can_hold(asset, &RENTER, most + 1));
			assert_noop!(Settlement::open(id, &RENTER, asset, most + 1), Error::<Test>::InsufficientFunds);
			assert_ok!(Settlement::open(id, &RENTER, asset, most));
			assert_noop!(Settlement::top_up(id, 1), Error::<Test>::InsufficientFunds);
		}
	});
}

#[test]
fn an_account_without_balance_opens_nothing() {
	build_and_execute(|| {
		for asset in [Asset::Native, DOLLAR] {
			assert!(!Settlement::can_hold(asset, &NOBODY, 1));
			assert_noop!(Settlement::open(ID, &NOBODY, asset, 1), Error::<Test>::InsufficientFunds);
		}
	});
}

#[test]
fn an_empty_escrow_holds_nothing() {
	build_and_execute(|| {
		assert!(Settlement::can_hold(Asset::Native, &NOBODY, 0));
		assert_ok!(Settlement::open(ID, &NOBODY, Asset::Native, 0));
		assert_eq!(Settlement::close(ID).unwrap().next, None);
	});
}

#[test]
fn frozen_tokens_cannot_be_locked() {
	build_and_execute(|| {
		assert_ok!(Assets::freeze(RuntimeOrigin::signed(ISSUER), 1, RENTER));
		assert_noop!(Settlement::open(ID, &RENTER, DOLLAR, 1), Error::<Test>::InsufficientFunds);
	});
}

#[test]
fn topping_up_adds_to_what_is_free() {
	build_and_execute(|| {
		open_for(10_000);
		attest(4_000);
		events();
		assert_ok!(Settlement::top_up(ID, 5_000));
		assert_eq!(held(RENTER), 15_000);
		assert_eq!(Settlement::free(ID), Some(11_000));
		assert_eq!(events(), vec![Event::ToppedUp { escrow: ID, amount: 5_000 }]);
	});
}

#[test]
fn topping_up_needs_an_open_escrow_and_an_amount_that_exists() {
	build_and_execute(|| {
		assert_noop!(Settlement::top_up(ID, 1), Error::<Test>::UnknownEscrow);
		open_for(1_000);
		assert_noop!(Settlement::top_up(ID, u128::MAX), sp_runtime::ArithmeticError::Overflow);
		assert_noop!(Settlement::top_up(ID, ENDOWMENT), Error::<Test>::InsufficientFunds);
		attest(1);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::top_up(ID, 1), Error::<Test>::EscrowClosed);
	});
}

#[test]
fn what_nobody_has_earned_can_be_withdrawn() {
	build_and_execute(|| {
		open_for(10_000);
		attest(4_000);
		events();
		assert_noop!(Settlement::withdraw(ID, 6_001), Error::<Test>::ExceedsFree);
		assert_ok!(Settlement::withdraw(ID, 6_000));
		assert_eq!(events(), vec![Event::Refunded { escrow: ID, amount: 6_000 }]);
		assert_eq!((Settlement::free(ID), held(RENTER)), (Some(0), 4_000));
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT - 4_000);
		assert_storage_noop!(assert_ok!(Settlement::withdraw(ID, 0)));
	});
}

#[test]
fn withdrawing_needs_an_open_escrow_and_an_account_that_takes_it() {
	build_and_execute(|| {
		assert_noop!(Settlement::withdraw(ID, 1), Error::<Test>::UnknownEscrow);
		System::inc_providers(&RENTER);
		open_for(1_000);
		let rest = ENDOWMENT - 1_000;
		assert_ok!(<Balances as Mutate<_>>::transfer(&RENTER, &STRANGER, rest, Preservation::Expendable));
		assert_noop!(Settlement::withdraw(ID, ED - 1), sp_runtime::TokenError::BelowMinimum);
		assert_ok!(Settlement::withdraw(ID, ED));
		attest(1);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::withdraw(ID, 1), Error::<Test>::EscrowClosed);
	});
}

#[test]
fn an_escrow_keeps_the_fee_it_was_opened_with() {
	build_and_execute(|| {
		open_for(1_000);
		FeeRate::set(Permill::from_percent(50));
		attest_and_mature(1_000);
		settle();
		assert_eq!((record().paid, record().fee), (980, 20));
	});
}

#[test]
fn there_is_nothing_free_without_an_escrow() {
	build_and_execute(|| assert_eq!(Settlement::free(ID), None));
}
