use super::{attest, attest_and_mature, open_for, open_in, record, settle, ID, RATE, S};
use crate::{
	mock::{
		build_and_execute, pass, RuntimeOrigin, Settlement, Test, DOLLAR, NOBODY, PROVIDER, RENTER, STRANGER,
		VERDICT,
	},
	Escrows, PayeeEscrows,
};
use frame_support::{assert_ok, assert_storage_noop};
use millrace_primitives::{
	leases_api::{Claim, EscrowSummary},
	Asset, BlobHash, Escrow, EscrowId,
};

#[test]
fn the_summary_says_where_the_money_is() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(1_000);
		settle();
		attest(500);
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		attest_and_mature(400);
		attest(300);
		let summary = EscrowSummary {
			escrow: ID,
			payer: RENTER,
			asset: Asset::Native,
			deposited: 10_000,
			refunded: 0,
			paid: 980,
			fee: 20,
			free: 7_800,
			claimable: 400,
			maturing: 300,
			contested: 500,
			closing: false,
		};
		assert_storage_noop!(assert_eq!(Settlement::summary(ID), Some(summary)));
		assert_eq!((Settlement::owed(ID), Settlement::claimable(ID)), (Some(1_200), Some(400)));
		let claim = Claim { escrow: ID, asset: Asset::Native, claimable: 392, maturing: 300 };
		assert_storage_noop!(assert_eq!(Settlement::claims(PROVIDER), vec![claim]));
	});
}

#[test]
fn a_contest_that_has_lapsed_is_claimable() {
	build_and_execute(|| {
		open_for(10_000);
		attest(500);
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		pass(VERDICT);
		let summary = Settlement::summary(ID).unwrap();
		assert_eq!((summary.claimable, summary.contested), (500, 0));
	});
}

#[test]
fn what_cannot_be_moved_is_not_claimable() {
	build_and_execute(|| {
		open_in(DOLLAR, NOBODY, 10_000);
		attest_and_mature(5);
		let summary = Settlement::summary(ID).unwrap();
		assert_eq!((summary.claimable, summary.maturing, summary.contested), (0, 0, 0));
		assert_eq!(Settlement::owed(ID), Some(5));
		assert_eq!(Settlement::claims(NOBODY), vec![]);
	});
}

#[test]
fn a_closing_escrow_is_summed_up_until_it_is_gone() {
	build_and_execute(|| {
		open_for(10_000);
		attest(500);
		assert_ok!(Settlement::close(ID));
		let summary = Settlement::summary(ID).unwrap();
		assert_eq!((summary.closing, summary.refunded, summary.maturing), (true, 9_500, 500));
		assert_ok!(Settlement::accept(RuntimeOrigin::signed(RENTER), ID));
		assert_eq!(Settlement::summary(ID), None);
		assert_eq!((Settlement::owed(ID), Settlement::claimable(ID)), (None, None));
		assert_eq!(Settlement::claims(PROVIDER), vec![]);
	});
}

#[test]
fn claims_are_those_of_the_payee_alone_in_the_order_of_the_escrows() {
	build_and_execute(|| {
		for (id, asset) in [(3, DOLLAR), (1, Asset::Native), (2, DOLLAR)] {
			let id = EscrowId(id);
			assert_ok!(Settlement::open(id, &RENTER, asset, 10_000));
			let first = Settlement::add_stream(id, &PROVIDER, RATE).unwrap();
			let second = Settlement::add_stream(id, &STRANGER, RATE).unwrap();
			assert_ok!(Settlement::accrue(id, first, 100));
			assert_ok!(Settlement::accrue(id, second, 10));
		}
		// No claim comes of an escrow in which nothing was earned.
		assert_ok!(Settlement::open(EscrowId(0), &RENTER, DOLLAR, 10_000));
		assert_ok!(Settlement::add_stream(EscrowId(0), &PROVIDER, RATE));
		let claim = |escrow, asset| Claim { escrow: EscrowId(escrow), asset, claimable: 0, maturing: 100 };
		let claims = vec![claim(1, Asset::Native), claim(2, DOLLAR), claim(3, DOLLAR)];
		assert_eq!(Settlement::claims(PROVIDER), claims);
		assert_eq!(Settlement::claims(RENTER), vec![]);
	});
}

#[test]
fn an_answer_has_at_most_256_claims() {
	build_and_execute(|| {
		for id in 0..260 {
			assert_ok!(Settlement::open(EscrowId(id), &RENTER, Asset::Native, 100));
			let stream = Settlement::add_stream(EscrowId(id), &PROVIDER, RATE).unwrap();
			assert_ok!(Settlement::accrue(EscrowId(id), stream, 10));
		}
		assert_eq!(PayeeEscrows::<Test>::iter_prefix(PROVIDER).count(), 260);
		assert_eq!(Settlement::claims(PROVIDER).len(), 256);
	});
}

#[test]
fn asking_changes_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(500);
		assert_ok!(Settlement::end_stream(ID, S));
		let before = record();
		assert_eq!(Settlement::claimable(ID), Some(500));
		assert_eq!(Escrows::<Test>::get(ID), Some(before));
		settle();
		assert_eq!(Settlement::claimable(ID), Some(0));
	});
}
