use super::{attest, open_for, ID, RATE};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, FeeRate, RuntimeOrigin, Settlement, Test, ED, ENDOWMENT,
		NOBODY, PROVIDER, RENTER, STRANGER, TREASURY,
	},
	Error, Escrows, Event,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop,
	traits::fungible::{Inspect, MutateFreeze},
};
use millrace_primitives::Escrow;
use sp_runtime::{DispatchError, Permill};

fn settle() {
	assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID));
}

#[test]
fn anybody_can_settle_and_gains_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_500);
		events();
		settle();
		assert_eq!(Balances::balance(&PROVIDER), ENDOWMENT + 2_450);
		assert_eq!(Balances::balance(&TREASURY), ENDOWMENT + 50);
		assert_eq!(Balances::balance(&STRANGER), ENDOWMENT);
		assert_eq!(Balances::balance(&RENTER), ENDOWMENT - 10_000);
		assert_eq!(held(RENTER), 7_500);
		assert_eq!(events(), vec![Event::Settled { escrow: ID, paid: 2_450, fee: 50 }]);
	});
}

#[test]
fn nothing_due_is_no_error_and_no_event() {
	build_and_execute(|| {
		open_for(10_000);
		assert_storage_noop!(settle());
		attest(2_500);
		settle();
		assert_storage_noop!(settle());
	});
}

#[test]
fn settlement_needs_a_signature_and_an_escrow() {
	build_and_execute(|| {
		assert_noop!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID), Error::<Test>::UnknownEscrow);
		open_for(10_000);
		assert_noop!(Settlement::settle(RuntimeOrigin::none(), ID), DispatchError::BadOrigin);
		assert_noop!(Settlement::settle(RuntimeOrigin::root(), ID), DispatchError::BadOrigin);
	});
}

#[test]
fn settling_often_does_not_dodge_the_fee() {
	build_and_execute(|| {
		open_for(1_000);
		// Each payment is one planck, of which two per cent rounded down is nothing.
		for _ in 0..1_000 {
			attest(1);
			settle();
		}
		let escrow = Escrows::<Test>::get(ID).unwrap();
		assert_eq!((escrow.paid, escrow.fee), (980, 20));
		assert_eq!(Balances::balance(&TREASURY), ENDOWMENT + 20);
	});
}

#[test]
fn a_payer_cannot_freeze_what_it_owes() {
	build_and_execute(|| {
		open_for(10_000);
		attest(10_000);
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &RENTER, ENDOWMENT));
		settle();
		assert_eq!(Balances::balance(&PROVIDER), ENDOWMENT + 9_800);
		assert_eq!(held(RENTER), 0);
	});
}

#[test]
fn a_fee_of_everything_pays_the_sink_alone() {
	build_and_execute(|| {
		FeeRate::set(Permill::one());
		open_for(1_000);
		attest(1_000);
		settle();
		assert_eq!(Balances::balance(&PROVIDER), ENDOWMENT);
		assert_eq!(Balances::balance(&TREASURY), ENDOWMENT + 1_000);
	});
}

#[test]
fn a_payee_that_cannot_receive_is_still_owed() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, &NOBODY, RATE, 1_000));
		attest(5);
		events();
		settle();
		assert_eq!(events(), vec![Event::PaymentDeferred { escrow: ID, amount: 5 }]);
		assert_eq!(Settlement::owed(ID), Some(5));
		assert_eq!(held(RENTER), 1_000);
		// Once the debt is large enough to bring the account to life, it is paid as a whole.
		attest(ED as u64 - 5);
		settle();
		assert_eq!(Balances::balance(&NOBODY), ED);
		assert_eq!(events().last(), Some(&Event::Settled { escrow: ID, paid: ED, fee: 0 }));
	});
}
