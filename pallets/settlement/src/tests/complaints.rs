//! What went wrong elsewhere and must not go wrong here.

use super::{attest, attest_and_mature, open_for, open_in, record, settle, ID, RATE, S};
use crate::{
	mock::{
		balance, bonded, build_and_execute, events, held, held_of, pass, Assets, Balances, RuntimeOrigin,
		Settlement, System, Test, Timestamp, DOLLAR, ED, ENDOWMENT, ISSUER, MATURE, NOBODY, PROVIDER, RENTER,
		STRANGER, TREASURY, VERDICT,
	},
	Error, Event, HoldReason,
};
use frame_support::{
	assert_noop, assert_ok, assert_storage_noop, hypothetically,
	traits::{
		fungible::{Mutate, MutateHold},
		tokens::{Precision, Preservation},
	},
};
use millrace_primitives::{Asset, BlobHash, Escrow, EscrowId};
use proptest::prelude::*;
use sp_runtime::Permill;

#[test]
fn complaint_3_a_provider_is_paid_for_a_closed_lease_without_sending_anything() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		let mut next = Settlement::close(ID).unwrap().next;
		while let Some(at) = next {
			pass(at - Timestamp::get());
			next = Settlement::finish(ID).unwrap();
		}
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 2_940);
		assert_storage_noop!(assert_eq!(Settlement::finish(ID), Ok(None)));
	});
}

#[test]
fn complaint_4_events_say_what_has_moved() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(2_500);
		assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), ID));
		attest(1_500);
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		assert_ok!(Settlement::resolve_contest(RuntimeOrigin::root(), ID, S, Permill::from_percent(40)));
		assert_ok!(Settlement::close(ID));
		let (mut paid, mut fees, mut refunded) = (0, 0, 0);
		for event in events() {
			match event {
				Event::Settled { paid: net, fee, .. } => {
					paid += net;
					fees += fee;
				}
				Event::Refunded { amount, .. } => refunded += amount,
				Event::EscrowClosed { paid: p, fee: f, refunded: r, .. } => {
					assert_eq!((p, f, r), (paid, fees, refunded));
				}
				_ => {}
			}
		}
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + paid);
		assert_eq!(balance(Asset::Native, TREASURY), ENDOWMENT + fees);
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT - 10_000 + refunded);
		assert_eq!(paid + fees + refunded, 10_000);
	});
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(200))]

	#[test]
	fn complaint_5_the_balance_query_equals_the_settlement(
		payees in prop::collection::vec((prop_oneof![Just(PROVIDER), Just(STRANGER), Just(NOBODY)], 0..3_000u128), 1..4),
		steps in prop::collection::vec((0..4u32, 0..40u64, 0..MATURE, any::<bool>()), 1..20),
		token: bool,
		closed: bool,
	) {
		build_and_execute(|| {
			let asset = if token { DOLLAR } else { Asset::Native };
			assert_ok!(Settlement::open(ID, &RENTER, asset, 2_000));
			for (payee, rate) in &payees {
				assert_ok!(Settlement::add_stream(ID, payee, *rate));
			}
			for (stream, ms, passed, contest) in steps {
				let stream = millrace_primitives::StreamId(stream);
				// Some streams are not there: nothing happens then.
				let _ = Settlement::accrue(ID, stream, ms);
				if contest {
					let _ = Settlement::contest(RuntimeOrigin::signed(RENTER), ID, stream, BlobHash::zero());
				}
				pass(passed);
				query_equals_settlement(asset);
			}
			if closed {
				assert_ok!(Settlement::close(ID));
				pass(MATURE / 2);
				query_equals_settlement(asset);
				pass(VERDICT);
				query_equals_settlement(asset);
			}
		});
	}
}

/// Compares every answer with what a settlement then moves.
fn query_equals_settlement(asset: Asset) {
	let Some(summary) = Settlement::summary(ID) else { return };
	assert_eq!(summary.deposited - summary.refunded - summary.paid - summary.fee, held_of(asset, RENTER));
	assert_eq!(summary.free + Settlement::owed(ID).unwrap(), held_of(asset, RENTER));
	let payees = [PROVIDER, STRANGER, NOBODY];
	let claims = payees.map(|who| Settlement::claims(who).first().map_or(0, |claim| claim.claimable));
	let before = payees.map(|who| balance(asset, who));
	let fees_before = balance(asset, TREASURY);
	events();
	settle();
	let settled = events();
	let paid =
		payees.iter().zip(before).map(|(who, before)| balance(asset, *who) - before).collect::<Vec<_>>();
	// A bond is no claim; none moves to a payee here.
	assert_eq!(paid, claims);
	let remainder = settled.iter().find_map(|event| match event {
		Event::RemainderCollected { amount, .. } => Some(*amount),
		_ => None,
	});
	let fees = balance(asset, TREASURY) - fees_before - remainder.unwrap_or_default();
	assert_eq!(summary.claimable, paid.iter().sum::<u128>() + fees);
	if let Some(after) = Settlement::summary(ID) {
		assert_eq!(
			(after.claimable, after.maturing, after.contested),
			(0, summary.maturing, summary.contested)
		);
	}
}

#[test]
fn complaint_20_silence_is_consent() {
	build_and_execute(|| {
		open_for(10_000);
		attest_and_mature(3_000);
		// The renter has never accepted anything, and cannot take it back any more.
		assert_noop!(
			Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()),
			Error::<Test>::NothingToContest
		);
		settle();
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 2_940);
	});
}

#[test]
fn complaint_20_a_contest_without_a_verdict_holds_nothing_for_ever() {
	build_and_execute(|| {
		open_for(10_000);
		attest(3_000);
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, S, BlobHash::zero()));
		assert_ok!(Settlement::close(ID));
		pass(VERDICT);
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!((balance(Asset::Native, PROVIDER), bonded(RENTER)), (ENDOWMENT + 2_940, 0));
	});
}

#[test]
fn complaint_21_what_is_earned_is_there_whatever_the_payer_does() {
	build_and_execute(|| {
		System::inc_providers(&RENTER);
		open_for(10_000);
		attest(3_000);
		// The payer spends all that it can, for other leases too.
		assert_ok!(Settlement::open(EscrowId(8), &RENTER, Asset::Native, 50_000));
		let rest = balance(Asset::Native, RENTER);
		assert_ok!(<Balances as Mutate<_>>::transfer(&RENTER, &STRANGER, rest, Preservation::Expendable));
		pass(MATURE);
		settle();
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 2_940);
		assert_eq!(held(RENTER), 57_000);
	});
}

#[test]
fn complaint_21_a_claim_that_is_too_small_is_kept_until_it_is_worth_it() {
	build_and_execute(|| {
		open_in(DOLLAR, NOBODY, 10_000);
		attest_and_mature(ED as u64 - 1);
		settle();
		assert_eq!(Settlement::owed(ID), Some(ED - 1));
		attest_and_mature(1);
		settle();
		assert_eq!(balance(DOLLAR, NOBODY), ED);
	});
}

#[test]
fn trap_2_too_little_money_is_an_error_and_no_success() {
	build_and_execute(|| {
		events();
		assert_noop!(
			Settlement::open(ID, &RENTER, Asset::Native, ENDOWMENT),
			Error::<Test>::InsufficientFunds
		);
		assert_eq!(events(), vec![]);
		open_for(1_000);
		attest_and_mature(1_000);
		events();
		hypothetically!({
			assert_ok!(Balances::release(&HoldReason::Escrow.into(), &RENTER, 1_000, Precision::Exact));
			settle();
			assert!(events().iter().all(|event| !matches!(event, Event::Settled { .. })));
			assert_eq!((record().paid, record().owed()), (0, 1_000));
		});
	});
}

#[test]
fn trap_8_no_error_of_the_currency_is_swallowed() {
	build_and_execute(|| {
		open_in(DOLLAR, PROVIDER, 10_000);
		attest_and_mature(1_000);
		events();
		assert_ok!(Assets::block(RuntimeOrigin::signed(ISSUER), 1, PROVIDER));
		settle();
		let cause = sp_runtime::TokenError::Blocked.into();
		assert_eq!(events(), vec![Event::PaymentDeferred { escrow: ID, stream: S, amount: 1_000, cause }]);
		assert_eq!(Settlement::owed(ID), Some(1_000));
	});
}

#[test]
fn trap_12_time_that_nobody_attested_costs_nothing() {
	build_and_execute(|| {
		open_for(10_000);
		pass(100 * MATURE);
		assert_storage_noop!(settle());
		assert_eq!(Settlement::close(ID).unwrap().refunded, 10_000);
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT);
	});
}

#[test]
fn trap_20_an_issuer_that_halts_its_token_stops_no_other_payment() {
	build_and_execute(|| {
		open_in(DOLLAR, PROVIDER, 10_000);
		attest(1_000);
		let other = EscrowId(8);
		assert_ok!(Settlement::open(other, &RENTER, Asset::Native, 10_000));
		let stream = Settlement::add_stream(other, &PROVIDER, RATE).unwrap();
		assert_ok!(Settlement::accrue(other, stream, 1_000));
		pass(MATURE);
		assert_ok!(Assets::freeze_asset(RuntimeOrigin::signed(ISSUER), 1));
		assert_ok!(Settlement::settle(RuntimeOrigin::signed(STRANGER), other));
		assert_eq!(balance(Asset::Native, PROVIDER), ENDOWMENT + 980);
		// What is in the halted token waits, with an event that says why, and is paid when the halt is over.
		events();
		let next = Settlement::close(ID).unwrap().next.unwrap();
		let cause = pallet_assets::Error::<Test>::AssetNotLive.into();
		assert_eq!(
			events(),
			vec![
				Event::PaymentDeferred { escrow: ID, stream: S, amount: 1_000, cause },
				Event::RefundDeferred { escrow: ID, amount: 9_000, cause },
				Event::EscrowClosing { escrow: ID, pending: 1_000 },
			]
		);
		pass(next - Timestamp::get());
		assert!(Settlement::finish(ID).unwrap().is_some());
		assert_ok!(Assets::thaw_asset(RuntimeOrigin::signed(ISSUER), 1));
		assert_eq!(Settlement::finish(ID), Ok(None));
		assert_eq!((balance(DOLLAR, PROVIDER), balance(DOLLAR, TREASURY)), (ENDOWMENT + 980, ENDOWMENT + 20));
	});
}
