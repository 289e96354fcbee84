use super::{attest, open_for, ID, RATE};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, RuntimeOrigin, Settlement, System, Test, ED, ENDOWMENT,
		NOBODY, PROVIDER, RENTER, STRANGER, TREASURY,
	},
	Error, Escrows, Event, HoldReason,
};
use frame_support::{
	assert_noop, assert_ok, hypothetically,
	traits::{
		fungible::{Inspect, Mutate, MutateFreeze, MutateHold},
		tokens::{Precision, Preservation},
	},
};
use millrace_primitives::{Escrow, EscrowId, Receipt};

#[test]
fn closing_pays_refunds_and_writes_the_receipt() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_500);
		assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID));
		attest(500);
		events();
		let receipt =
			Receipt { deposited: 10_000, paid: 2_940, fee: 60, refunded: 7_000, attested_ms: 3_000 };
		assert_eq!(Settlement::close(ID), Ok(receipt));
		assert_eq!(Balances::balance(&PROVIDER), ENDOWMENT + 2_940);
		assert_eq!(Balances::balance(&TREASURY), ENDOWMENT + 60);
		assert_eq!(Balances::balance(&RENTER), ENDOWMENT - 3_000);
		assert_eq!(held(RENTER), 0);
		assert_eq!(Escrows::<Test>::get(ID), None);
		assert_eq!(
			events(),
			vec![
				Event::Settled { escrow: ID, paid: 490, fee: 10 },
				Event::EscrowClosed {
					escrow: ID,
					payer: RENTER,
					payee: PROVIDER,
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

#[test]
fn an_unused_escrow_is_refunded_whole() {
	build_and_execute(|| {
		open_for(10_000);
		assert_eq!(
			Settlement::close(ID),
			Ok(Receipt { deposited: 10_000, refunded: 10_000, ..Default::default() })
		);
		assert_eq!(Balances::balance(&RENTER), ENDOWMENT);
	});
}

#[test]
fn an_exhausted_escrow_refunds_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest(20_000);
		let receipt = Receipt { deposited: 10_000, paid: 9_800, fee: 200, refunded: 0, attested_ms: 10_000 };
		assert_eq!(Settlement::close(ID), Ok(receipt));
	});
}

#[test]
fn an_escrow_is_closed_once() {
	build_and_execute(|| {
		open_for(10_000);
		assert_ok!(Settlement::close(ID));
		assert_noop!(Settlement::close(ID), Error::<Test>::UnknownEscrow);
	});
}

#[test]
fn escrows_of_one_payer_do_not_mix() {
	build_and_execute(|| {
		let other = EscrowId(8);
		open_for(10_000);
		assert_ok!(Settlement::open(other, &RENTER, &STRANGER, RATE, 5_000));
		attest(10_000);
		assert_ok!(Settlement::close(ID));
		assert_eq!(held(RENTER), 5_000);
		assert_eq!(Settlement::close(other).unwrap().refunded, 5_000);
	});
}

#[test]
fn a_freeze_stops_neither_payment_nor_refund() {
	build_and_execute(|| {
		open_for(10_000);
		attest(4_000);
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &RENTER, u128::MAX));
		let receipt = Settlement::close(ID).unwrap();
		assert_eq!((receipt.paid, receipt.fee, receipt.refunded), (3_920, 80, 6_000));
	});
}

#[test]
fn a_payee_that_cannot_receive_does_not_block_the_close() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, &NOBODY, RATE, 1_000));
		attest(ED as u64 - 1);
		events();
		let receipt = Receipt { deposited: 1_000, refunded: 1_000, attested_ms: 9, ..Default::default() };
		assert_eq!(Settlement::close(ID), Ok(receipt));
		assert_eq!(Balances::balance(&RENTER), ENDOWMENT);
		assert_eq!(events().first(), Some(&Event::PaymentReturned { escrow: ID, amount: 9 }));
	});
}

#[test]
fn a_payer_that_cannot_be_refunded_does_not_block_the_close() {
	build_and_execute(|| {
		// A second provider reference lets the payer empty its free balance while funds are on hold.
		System::inc_providers(&RENTER);
		open_for(1_000);
		assert_ok!(<Balances as Mutate<_>>::transfer(
			&RENTER,
			&STRANGER,
			ENDOWMENT - 1_000,
			Preservation::Expendable
		));
		attest(1_000 - ED as u64 + 1);
		events();
		let receipt = Settlement::close(ID).unwrap();
		// 991 earned, of which 19 are the fee, and a rest of nine.
		let expected = Receipt { deposited: 1_000, paid: 972, fee: 19 + 9, refunded: 0, attested_ms: 991 };
		assert_eq!(receipt, expected);
		assert_eq!(Balances::balance(&TREASURY), ENDOWMENT + 28);
		assert_eq!(held(RENTER), 0);
		assert_eq!(events().get(1), Some(&Event::RemainderCollected { escrow: ID, amount: 9 }));
	});
}

#[test]
fn a_movement_that_fails_half_way_changes_nothing() {
	build_and_execute(|| {
		open_for(1_000);
		attest(990);
		// As if by somebody else's defect, the hold is short: of 971 for the payee and 19 for the fee.
		let reason = HoldReason::Escrow.into();
		hypothetically!({
			assert_ok!(Balances::release(&reason, &RENTER, 30, Precision::Exact));
			assert_noop!(Settlement::close(ID), sp_runtime::TokenError::Frozen);
		});
		hypothetically!({
			assert_ok!(Balances::release(&reason, &RENTER, 25, Precision::Exact));
			assert_noop!(
				Settlement::settle(RuntimeOrigin::signed(STRANGER), ID),
				Error::<Test>::LedgerMismatch
			);
			assert_noop!(Settlement::close(ID), Error::<Test>::LedgerMismatch);
		});
	});
}
