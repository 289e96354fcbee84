use super::{attest, open_for, ID};
use crate::{
	mock::{
		build_and_execute, AccountId, Balances, RuntimeOrigin, Settlement, Test, PROVIDER, RENTER, STRANGER,
	},
	EscrowRecord, Escrows, HoldReason, Pallet,
};
use frame_support::{
	assert_ok, hypothetically,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::Escrow;
use sp_runtime::TryRuntimeError;

/// Corrupts the one escrow and expects the invariant to be named.
fn fails(with: &'static str, corrupt: impl FnOnce(&mut EscrowRecord<AccountId>)) {
	hypothetically!({
		Escrows::<Test>::mutate(ID, |escrow| corrupt(escrow.as_mut().unwrap()));
		assert_eq!(Pallet::<Test>::do_try_state(), Err(TryRuntimeError::Other(with)));
	});
}

#[test]
fn each_invariant_is_noticed() {
	build_and_execute(|| {
		open_for(10_000);
		attest(5_000);
		assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID));
		attest(1_000);
		fails("1: hold differs from ledger", |escrow| escrow.deposited += 1);
		fails("2: paid and fee differ from settled", |escrow| escrow.paid += 1);
		fails("2: fee differs from its rate", |escrow| {
			escrow.fee += 1;
			escrow.paid -= 1;
		});
		fails("3: settled more than earned", |escrow| escrow.attested_ms = 4_999);
		fails("3: earned more than deposited", |escrow| escrow.attested_ms = 10_001);
		fails("3: earned more than deposited", |escrow| escrow.rate = u128::MAX);
		fails("5: payer is payee", |escrow| escrow.payee = escrow.payer);
		assert_eq!(Escrows::<Test>::get(ID).unwrap().payee, PROVIDER);
	});
}

#[test]
fn time_beyond_the_funded_is_noticed_even_when_it_costs_nothing() {
	build_and_execute(|| {
		// One planck a second: 999 plancks fund 999,000 ms, and the next 999 ms round to nothing.
		assert_ok!(Settlement::open(ID, &RENTER, &PROVIDER, 1, 999));
		fails("4: counted more time than is funded", |escrow| escrow.attested_ms = 999_001);
	});
}

#[test]
fn a_missing_hold_is_noticed() {
	build_and_execute(|| {
		open_for(10_000);
		hypothetically!({
			assert_ok!(Balances::release(&HoldReason::Escrow.into(), &RENTER, 1, Precision::Exact));
			let mismatch = TryRuntimeError::Other("1: hold differs from ledger");
			assert_eq!(Pallet::<Test>::do_try_state(), Err(mismatch));
		});
	});
}
