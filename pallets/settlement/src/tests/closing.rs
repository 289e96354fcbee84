use super::{attest, attest_and_mature, open_for, open_in, settle, ID, RATE, S};
use crate::{
	mock::{
		balance, build_and_execute, events, held, pass, Assets, Balances, RuntimeOrigin, Settlement, System,
		Test, Timestamp, DOLLAR, ED, ENDOWMENT, ISSUER, MATURE, NOBODY, PROVIDER, RENTER, START, STRANGER,
		TREASURY,
	},
	Error, Escrows, Event,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Mutate, MutateFreeze},
		tokens::Preservation,
	},
};
use millrace_primitives::{Asset, Closing, Escrow, EscrowId};
use sp_runtime::TokenError;

#[test]
fn closing_pays_what_is_due_and_refunds_what_is_free() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			open_in(asset, PROVIDER, 10_000);
			attest_and_mature(2_500);
			settle();
			attest_and_mature(500);
			events();
			let closing = Closing { refunded: 7_000, pending: 0, attested_ms: 3_000, next: None, streams: 0 };
			assert_eq!(Settlement::close(ID), Ok(closing));
			assert_eq!(balance(asset, PROVIDER), ENDOWMENT + 2_940);
			assert_eq!(balance(asset, TREASURY), ENDOWMENT + 60);
			assert_eq!(balance(asset, RENTER), ENDOWMENT - 3_000);
			assert_eq!(Escrows::<Test>::get(ID), None);
			assert_eq!(
				events(),
				vec![
					Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 490, fee: 10 },
					Event::Refunded { escrow: ID, amount: 7_000 },
					Event::EscrowClosed {
						escrow: ID,
						payer: RENTER,
						asset,
						deposited: 10_000,
						paid: 2_940,
						fee: 60,
						refunded: 7_000,
						attested_ms: 3_000,
					},
				]
			);
		});
	}
}

#[test]
fn what_is_younger_than_the_window_stays_held() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		events();
		let next = Some(START + MATURE);
		let closing = Closing { refunded: 7_000, pending: 3_000, attested_ms: 3_000, next, streams: 1 };
		assert_eq!(Settlement::close(ID), Ok(closing));
		assert_eq!(held(RENTER), 3_000);
		assert_eq!(Settlement::free(ID), Some(0));
		let refunded = Event::Refunded { escrow: ID, amount: 7_000 };
		assert_eq!(events(), vec![refunded, Event::EscrowClosing { escrow: ID, pending: 3_000 }]);
	});
}

#[test]
fn an_unused_escrow_is_refunded_whole() {
	build_and_execute(|| {
		open_for(10_000);
		assert_eq!(Settlement::close(ID), Ok(Closing { refunded: 10_000, ..Default::default() }));
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT);
	});
}

#[test]
fn an_exhausted_escrow_refunds_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(20_000);
		assert_eq!(Settlement::close(ID), Ok(Closing { attested_ms: 10_000, ..Default::default() }));
	});
}

#[test]
fn an_escrow_is_closed_once() {
	build_and_execute(|| {
		open_for(10_000);
		attest(1);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::close(ID), Error::<Test>::EscrowClosed);
		pass(MATURE);
		settle();
		assert_noop!(Settlement::close(ID), Error::<Test>::UnknownEscrow);
	});
}

#[test]
fn escrows_of_one_payer_do_not_mix() {
	build_and_execute(|| {
		let other = EscrowId(8);
		open_for(10_000);
		assert_ok!(Settlement::open(other, &RENTER, Asset::Native, 5_000));
		assert_ok!(Settlement::add_stream(other, &STRANGER, RATE));
		attest_and_mature(10_000);
		assert_ok!(Settlement::close(ID));
		assert_eq!(held(RENTER), 5_000);
		assert_eq!(Settlement::close(other).unwrap().refunded, 5_000);
	});
}

#[test]
fn a_freeze_stops_neither_payment_nor_refund() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(4_000);
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &RENTER, u128::MAX));
		assert_eq!(Settlement::close(ID).unwrap().refunded, 6_000);
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 3_920);
	});
}

#[test]
fn a_payee_that_cannot_receive_does_not_block_the_close() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			open_in(asset, NOBODY, 1_000);
			attest_and_mature(ED as u64 - 1);
			events();
			let closing = Closing { refunded: 1_000, attested_ms: 9, ..Default::default() };
			assert_eq!(Settlement::close(ID), Ok(closing));
			assert_eq!(balance(asset, RENTER), ENDOWMENT);
			let returned = Event::PaymentReturned { escrow: ID, stream: S, amount: 9 };
			assert_eq!(events().first(), Some(&returned));
		});
	}
}

#[test]
fn a_payment_is_returned_only_when_nothing_else_can_come() {
	build_and_execute(|| {
		open_in(Asset::Native, NOBODY, 1_000);
		attest_and_mature(5);
		attest(5);
		// Five are due, and five more will be: together they bring the account to life.
		assert_eq!(Settlement::close(ID).unwrap().pending, 10);
		pass(MATURE);
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(Asset::Native, NOBODY), 10);
	});
}

#[test]
fn a_payer_that_cannot_be_refunded_does_not_block_the_close() {
	build_and_execute(|| {
		// A second provider reference lets the payer empty its free balance while funds are on hold.
		System::inc_providers(&RENTER);
		open_for(1_000);
		empty_the_payer(1_000);
		attest_and_mature(1_000 - ED as u64 + 1);
		events();
		// 991 earned, of which 19 are the fee, and a rest of nine.
		assert_eq!(Settlement::close(ID), Ok(Closing { attested_ms: 991, ..Default::default() }));
		assert_eq!(balance(Asset::Native, TREASURY), ENDOWMENT + 28);
		assert_eq!(held(RENTER), 0);
		let events = events();
		assert_eq!(events[1], Event::RemainderCollected { escrow: ID, amount: 9 });
		assert!(matches!(
			events[2],
			Event::EscrowClosed { deposited: 1_000, paid: 972, fee: 28, refunded: 0, .. }
		));
	});
}

#[test]
fn a_remainder_waits_for_what_else_may_come_back() {
	build_and_execute(|| {
		System::inc_providers(&RENTER);
		open_for(1_000);
		empty_the_payer(1_000);
		attest(995);
		events();
		assert_eq!(Settlement::close(ID).unwrap().refunded, 0);
		let cause = TokenError::BelowMinimum.into();
		assert_eq!(events()[0], Event::RefundDeferred { escrow: ID, amount: 5, cause });
		assert_eq!(Settlement::free(ID), Some(5));
		pass(MATURE);
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(Asset::Native, TREASURY), ENDOWMENT + 19 + 5);
	});
}

fn empty_the_payer(held: u128) {
	let rest = ENDOWMENT - held;
	assert_ok!(<Balances as Mutate<_>>::transfer(&RENTER, &STRANGER, rest, Preservation::Expendable));
}

#[test]
fn a_payer_that_is_blocked_is_refunded_later_and_loses_nothing() {
	build_and_execute(|| {
		open_in(DOLLAR, PROVIDER, 10_000);
		attest_and_mature(1_000);
		assert_ok!(Assets::block(RuntimeOrigin::signed(ISSUER), 1, RENTER));
		events();
		let closing = Settlement::close(ID).unwrap();
		assert_eq!((closing.refunded, closing.pending), (0, 0));
		let cause = TokenError::Blocked.into();
		assert_eq!(
			events(),
			vec![
				Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 980, fee: 20 },
				Event::RefundDeferred { escrow: ID, amount: 9_000, cause },
				Event::EscrowClosing { escrow: ID, pending: 0 },
			]
		);
		pass(closing.next.unwrap() - Timestamp::get());
		assert!(Settlement::finish(ID).unwrap().is_some());
		assert_ok!(Assets::thaw(RuntimeOrigin::signed(ISSUER), 1, RENTER));
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(DOLLAR, RENTER), ENDOWMENT - 1_000);
	});
}
