use super::{attest, attest_and_mature, open_for, open_in, record, settle, ID, S};
use crate::{
	mock::{
		balance, build_and_execute, events, held, held_of, pass, Balances, FeeRate, RuntimeOrigin,
		Settlement, Test, DOLLAR, ED, ENDOWMENT, MATURE, NOBODY, PROVIDER, RENTER, STRANGER, TREASURY,
		WINDOW,
	},
	Error, Event, HoldReason,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop, hypothetically,
	traits::{
		fungible::{MutateFreeze, MutateHold},
		tokens::Precision,
	},
};
use millrace_primitives::{Asset, Escrow};
use sp_runtime::{DispatchError, Permill, TokenError};

#[test]
fn anybody_can_settle_and_gains_nothing() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			open_in(asset, PROVIDER, 10_000);
			attest_and_mature(2_500);
			events();
			settle();
			assert_eq!(balance(asset, PROVIDER), ENDOWMENT + 2_450);
			assert_eq!(balance(asset, TREASURY), ENDOWMENT + 50);
			assert_eq!(balance(asset, STRANGER), ENDOWMENT);
			assert_eq!(balance(asset, RENTER), ENDOWMENT - 10_000);
			assert_eq!(held_of(asset, RENTER), 7_500);
			let settled = Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 2_450, fee: 50 };
			assert_eq!(events(), vec![settled]);
		});
	}
}

#[test]
fn nothing_moves_within_the_contest_window() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_500);
		pass(WINDOW);
		assert_storage_noop!(settle());
		pass(WINDOW / 4 - 1);
		assert_storage_noop!(settle());
		pass(1);
		settle();
		assert_eq!(record().paid, 2_450);
	});
}

#[test]
fn nothing_due_is_no_error_and_no_event() {
	build_and_execute(|| {
		open_for(10_000);
		assert_storage_noop!(settle());
		attest_and_mature(2_500);
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
			attest_and_mature(1);
			settle();
		}
		assert_eq!((record().paid, record().fee), (980, 20));
		assert_eq!(balance(Asset::Native, TREASURY), ENDOWMENT + 20);
	});
}

#[test]
fn a_payer_cannot_freeze_what_it_owes() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(10_000);
		assert_ok!(<Balances as MutateFreeze<_>>::set_freeze(&0, &RENTER, ENDOWMENT));
		settle();
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 9_800);
		assert_eq!(held(RENTER), 0);
	});
}

#[test]
fn a_fee_of_everything_pays_the_sink_alone() {
	build_and_execute(|| {
		FeeRate::set(Permill::one());
		open_for(1_000);
		attest_and_mature(1_000);
		settle();
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT);
		assert_eq!(balance(Asset::Native, TREASURY), ENDOWMENT + 1_000);
	});
}

#[test]
fn a_payee_that_cannot_receive_is_still_owed() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			open_in(asset, NOBODY, 1_000);
			attest_and_mature(5);
			events();
			settle();
			let cause = TokenError::BelowMinimum.into();
			assert_eq!(events(), vec![Event::PaymentDeferred { escrow: ID, stream: S, amount: 5, cause }]);
			assert_eq!(Settlement::owed(ID), Some(5));
			assert_eq!(held_of(asset, RENTER), 1_000);
			// Once the debt is large enough to bring the account to life, it is paid as a whole.
			attest_and_mature(ED as u64 - 5);
			events();
			settle();
			assert_eq!(balance(asset, NOBODY), ED);
			let settled = Event::Settled { escrow: ID, stream: S, payee: NOBODY, paid: ED, fee: 0 };
			assert_eq!(events(), vec![settled]);
		});
	}
}

#[test]
fn a_payee_that_cannot_receive_stands_in_nobody_elses_way() {
	build_and_execute(|| {
		open_in(Asset::Native, NOBODY, 10_000);
		let second = Settlement::add_stream(ID, &PROVIDER, super::RATE).unwrap();
		attest(5);
		assert_ok!(Settlement::accrue(ID, second, 1_000));
		pass(MATURE);
		settle();
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 980);
		assert_eq!(Settlement::owed(ID), Some(5));
	});
}

#[test]
fn a_payment_that_fails_half_way_changes_nothing_and_says_why() {
	build_and_execute(|| {
		open_for(1_000);
		attest_and_mature(990);
		events();
		// As if by somebody else's defect, the hold is short: of 971 for the payee and 19 for the fee.
		for missing in [30, 25] {
			hypothetically!({
				let reason = HoldReason::Escrow.into();
				assert_ok!(Balances::release(&reason, &RENTER, missing, Precision::Exact));
				settle();
				assert_eq!((record().paid, record().fee, record().owed()), (0, 0, 990));
				assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT);
				let cause = TokenError::Frozen.into();
				assert_eq!(
					events(),
					vec![Event::PaymentDeferred { escrow: ID, stream: S, amount: 990, cause }]
				);
			});
		}
	});
}
