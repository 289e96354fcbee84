use super::{attest, open_for, open_in, record, ID, S};
use crate::{
	mock::{
		balance, bonded, build_and_execute, events, RuntimeOrigin, Settlement, Test, BOND, DOLLAR, ENDOWMENT,
		PROVIDER, RENTER, STRANGER,
	},
	Error, Escrows, Event,
};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{Asset, BlobHash, Escrow};
use sp_runtime::DispatchError;

fn accept() {
	assert_ok!(Settlement::accept(RuntimeOrigin::signed(RENTER), ID));
}

#[test]
fn what_the_payer_accepts_is_paid_at_once() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			open_in(asset, PROVIDER, 10_000);
			attest(2_500);
			events();
			accept();
			assert_eq!(balance(asset, PROVIDER), ENDOWMENT + 2_450);
			let settled = Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 2_450, fee: 50 };
			assert_eq!(events(), vec![settled]);
			// The lease goes on.
			attest(500);
			assert_eq!(Settlement::owed(ID), Some(500));
		});
	}
}

#[test]
fn accepting_nothing_changes_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		assert_storage_noop!(accept());
	});
}

#[test]
fn only_the_payer_accepts() {
	build_and_execute(|| {
		assert_noop!(Settlement::accept(RuntimeOrigin::signed(RENTER), ID), Error::<Test>::UnknownEscrow);
		open_for(10_000);
		attest(2_500);
		for other in [PROVIDER, STRANGER] {
			assert_noop!(Settlement::accept(RuntimeOrigin::signed(other), ID), Error::<Test>::NotPayer);
		}
		assert_noop!(Settlement::accept(RuntimeOrigin::root(), ID), DispatchError::BadOrigin);
	});
}

#[test]
fn accepting_a_closed_escrow_ends_it_with_its_receipt() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_500);
		assert_ok!(Settlement::close(ID));
		events();
		accept();
		assert!(matches!(
			events()[..],
			[
				Event::Settled { paid: 2_450, fee: 50, .. },
				Event::EscrowClosed { deposited: 10_000, paid: 2_450, fee: 50, refunded: 7_500, .. }
			]
		));
		assert!(!Escrows::<Test>::contains_key(ID));
	});
}

#[test]
fn what_is_contested_is_not_accepted() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_500);
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		attest(500);
		accept();
		assert_eq!((record().paid, record().owed()), (490, 2_500));
		assert_eq!(bonded(RENTER), BOND);
	});
}
