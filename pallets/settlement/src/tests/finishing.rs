use super::{attest, open_for, open_in, settle, ID, RATE, S};
use crate::{
	mock::{
		balance, build_and_execute, events, held, pass, Assets, Balances, RuntimeOrigin, Settlement, Test,
		Timestamp, DOLLAR, ENDOWMENT, ISSUER, MATURE, PROVIDER, RENTER, START, VERDICT, WINDOW,
	},
	Error, Escrows, Event, HoldReason, MAX_STREAMS,
};
use frame_support::{
	assert_noop, assert_ok, hypothetically,
	traits::{fungible::MutateHold, tokens::Precision},
};
use millrace_primitives::{Asset, BlobHash, Escrow};
use sp_runtime::TokenError;

#[test]
fn an_escrow_finishes_without_anybody_signing() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		let next = Settlement::close(ID).unwrap().next.unwrap();
		events();
		pass(next - Timestamp::get());
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 2_940);
		assert_eq!(
			events(),
			vec![
				Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 2_940, fee: 60 },
				Event::EscrowClosed {
					escrow: ID,
					payer: RENTER,
					asset: Asset::Native,
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
fn finishing_early_moves_nothing_and_says_when() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		assert_ok!(Settlement::close(ID));
		events();
		pass(1_000);
		assert_eq!(Settlement::finish(ID), Ok(Some(START + MATURE)));
		assert_eq!((events(), held(RENTER)), (vec![], 3_000));
	});
}

#[test]
fn finishing_what_is_gone_is_no_error() {
	build_and_execute(|| {
		assert_eq!(Settlement::finish(ID), Ok(None));
		open_for(10_000);
		attest(3_000);
		assert_ok!(Settlement::close(ID));
		pass(MATURE);
		settle();
		assert!(!Escrows::<Test>::contains_key(ID));
		assert_eq!(Settlement::finish(ID), Ok(None));
	});
}

#[test]
fn an_open_escrow_is_not_finished() {
	build_and_execute(|| {
		open_for(10_000);
		assert_noop!(Settlement::finish(ID), Error::<Test>::EscrowOpen);
	});
}

#[test]
fn an_escrow_with_many_streams_is_visited_a_few_times() {
	build_and_execute(|| {
		assert_ok!(Settlement::open(ID, &RENTER, Asset::Native, 10_000_000));
		let streams: Vec<_> =
			(0..MAX_STREAMS).map(|_| Settlement::add_stream(ID, &PROVIDER, RATE).unwrap()).collect();
		// Attested in turn, so that no two of them mature together.
		for _ in 0..20 {
			for stream in &streams {
				assert_ok!(Settlement::accrue(ID, *stream, 10));
				pass(WINDOW / 400);
			}
		}
		let mut next = Settlement::close(ID).unwrap().next;
		let mut visits = 0;
		while let Some(at) = next {
			pass(at - Timestamp::get());
			next = Settlement::finish(ID).unwrap();
			visits += 1;
		}
		assert!(visits <= 6, "{visits} visits");
		assert_eq!(held(RENTER), 0);
	});
}

#[test]
fn a_contest_keeps_a_closed_escrow_until_its_verdict_is_overdue() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		assert_ok!(Settlement::close(ID));
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		pass(MATURE);
		assert_eq!(Settlement::finish(ID), Ok(Some(START + VERDICT)));
		pass(VERDICT - MATURE);
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 2_940);
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT - 3_000);
	});
}

#[test]
fn a_payee_that_is_blocked_is_paid_later_and_loses_nothing() {
	build_and_execute(|| {
		open_in(DOLLAR, PROVIDER, 10_000);
		attest(1_000);
		assert_ok!(Assets::block(RuntimeOrigin::signed(ISSUER), 1, PROVIDER));
		assert_ok!(Settlement::close(ID));
		events();
		pass(MATURE);
		let next = Settlement::finish(ID).unwrap().unwrap();
		assert!(next > Timestamp::get());
		let cause = TokenError::Blocked.into();
		assert_eq!(events(), vec![Event::PaymentDeferred { escrow: ID, stream: S, amount: 1_000, cause }]);
		assert_ok!(Assets::thaw(RuntimeOrigin::signed(ISSUER), 1, PROVIDER));
		pass(next - Timestamp::get());
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!(balance(DOLLAR, PROVIDER), ENDOWMENT + 980);
	});
}

#[test]
fn a_currency_that_fails_leaves_the_escrow_closing_and_is_tried_again() {
	build_and_execute(|| {
		open_for(1_000);
		attest(990);
		assert_ok!(Settlement::close(ID));
		pass(MATURE);
		events();
		hypothetically!({
			// As if by somebody else's defect, the hold is short.
			let reason = HoldReason::Escrow.into();
			assert_ok!(Balances::release(&reason, &RENTER, 30, Precision::Exact));
			let next = Settlement::finish(ID).unwrap().unwrap();
			assert!(next > Timestamp::get());
			assert_eq!(Settlement::owed(ID), Some(990));
			assert!(matches!(events()[..], [.., Event::PaymentDeferred { amount: 990, .. }]));
			// Once it is mended, the payment goes through.
			assert_ok!(Balances::hold(&reason, &RENTER, 30));
			assert_eq!(Settlement::finish(ID), Ok(None));
		});
	});
}
