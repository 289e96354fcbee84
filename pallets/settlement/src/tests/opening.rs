use super::{attest, open_for, ID, RATE};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, FeeRate, Settlement, Test, ED, ENDOWMENT, NOBODY,
		PROVIDER, RENTER,
	},
	Error, EscrowRecord, Escrows, Event,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::Escrow;
use sp_runtime::Permill;

#[test]
fn opening_holds_the_deposit_and_returns_the_time_it_pays_for() {
	build_and_execute(|| {
		assert_eq!(Settlement::open(ID, &RENTER, &PROVIDER, 300, 1_000), Ok(3_333));
		assert_eq!(held(RENTER), 1_000);
		assert_eq!(Balances::balance(&RENTER), ENDOWMENT - 1_000);
		assert_eq!(Settlement::funded_ms(ID), Some(3_333));
		assert_eq!(
			Escrows::<Test>::get(ID),
			Some(EscrowRecord::new(RENTER, PROVIDER, 300, Permill::from_percent(2), 1_000))
		);
		assert_eq!(
			events(),
			vec![Event::EscrowOpened {
				escrow: ID,
				payer: RENTER,
				payee: PROVIDER,
				rate: 300,
				amount: 1_000,
				fee_rate: Permill::from_percent(2),
			}]
		);
	});
}

#[test]
fn a_number_is_used_once_at_a_time() {
	build_and_execute(|| {
		open_for(1_000);
		assert_noop!(Settlement::open(ID, &RENTER, &PROVIDER, RATE, 1_000), Error::<Test>::EscrowExists);
		assert_ok!(Settlement::close(ID));
		open_for(1_000);
	});
}

#[test]
fn nobody_pays_themselves() {
	build_and_execute(|| {
		assert_noop!(Settlement::open(ID, &RENTER, &RENTER, RATE, 1_000), Error::<Test>::PayerIsPayee);
	});
}

#[test]
fn opening_leaves_the_payer_the_existential_deposit() {
	build_and_execute(|| {
		let most = ENDOWMENT - ED;
		assert_noop!(
			Settlement::open(ID, &RENTER, &PROVIDER, RATE, most + 1),
			Error::<Test>::InsufficientFunds
		);
		assert_ok!(Settlement::open(ID, &RENTER, &PROVIDER, RATE, most));
		assert_noop!(Settlement::top_up(ID, 1), Error::<Test>::InsufficientFunds);
	});
}

#[test]
fn an_account_without_balance_opens_nothing() {
	build_and_execute(|| {
		assert_noop!(Settlement::open(ID, &NOBODY, &PROVIDER, RATE, 1), Error::<Test>::InsufficientFunds);
	});
}

#[test]
fn a_free_service_is_funded_for_ever() {
	build_and_execute(|| {
		assert_eq!(Settlement::open(ID, &RENTER, &PROVIDER, 0, 0), Ok(u64::MAX));
		let accrued = Settlement::accrue(ID, 1_000_000).unwrap();
		assert_eq!((accrued.amount, accrued.exhausted), (0, false));
		assert_eq!(Settlement::close(ID).unwrap().attested_ms, 1_000_000);
	});
}

#[test]
fn a_rate_beyond_the_deposit_pays_for_no_time() {
	build_and_execute(|| {
		assert_eq!(Settlement::open(ID, &RENTER, &PROVIDER, u128::MAX, 1_000), Ok(0));
		let accrued = Settlement::accrue(ID, u64::MAX).unwrap();
		assert_eq!((accrued.amount, accrued.exhausted), (0, true));
		assert_eq!(Settlement::close(ID).unwrap().refunded, 1_000);
	});
}

#[test]
fn topping_up_returns_the_time_left() {
	build_and_execute(|| {
		open_for(10_000);
		attest(4_000);
		events();
		assert_eq!(Settlement::top_up(ID, 5_000), Ok(11_000));
		assert_eq!(held(RENTER), 15_000);
		assert_eq!(events(), vec![Event::ToppedUp { escrow: ID, amount: 5_000 }]);
	});
}

#[test]
fn topping_up_is_never_spent_on_the_past() {
	build_and_execute(|| {
		open_for(10_000);
		attest(60_000);
		assert_eq!(Settlement::owed(ID), Some(10_000));
		assert_eq!(Settlement::top_up(ID, 5_000), Ok(5_000));
		assert_eq!(Settlement::owed(ID), Some(10_000));
	});
}

#[test]
fn topping_up_needs_an_escrow_and_an_amount_that_exists() {
	build_and_execute(|| {
		assert_noop!(Settlement::top_up(ID, 1), Error::<Test>::UnknownEscrow);
		open_for(1_000);
		assert_noop!(Settlement::top_up(ID, u128::MAX), sp_runtime::ArithmeticError::Overflow);
		assert_noop!(Settlement::top_up(ID, ENDOWMENT), Error::<Test>::InsufficientFunds);
	});
}

#[test]
fn an_escrow_keeps_the_fee_it_was_opened_with() {
	build_and_execute(|| {
		open_for(1_000);
		FeeRate::set(Permill::from_percent(50));
		attest(1_000);
		let receipt = Settlement::close(ID).unwrap();
		assert_eq!((receipt.paid, receipt.fee), (980, 20));
	});
}
