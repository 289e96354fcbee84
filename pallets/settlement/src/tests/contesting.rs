use super::{attest, attest_and_mature, open_for, open_in, record, settle, stream, ID, S};
use crate::{
	mock::{
		balance, bonded, build_and_execute, events, held, pass, AccountId, Assets, Balances, ContestBond,
		RuntimeOrigin, Settlement, Test, BOND, DOLLAR, ED, ENDOWMENT, ISSUER, MATURE, NOBODY, PROVIDER,
		RENTER, START, STRANGER, VERDICT,
	},
	Contest, Contests, Error, Escrows, Event, HoldReason,
};
use frame_support::{
	assert_noop, assert_ok,
	dispatch::DispatchResultWithPostInfo,
	hypothetically,
	traits::{
		fungible::{Mutate, MutateHold},
		tokens::{Precision, Preservation},
	},
};
use millrace_primitives::{Asset, Balance, BlobHash, Escrow, StreamId};
use sp_runtime::{DispatchError, DispatchResult, Permill, TokenError};

const EVIDENCE: BlobHash = BlobHash::repeat_byte(7);

fn contest_by(who: AccountId) -> DispatchResult {
	Settlement::contest(RuntimeOrigin::signed(who), ID, S, EVIDENCE)
}

fn contest() {
	assert_ok!(contest_by(RENTER));
}

fn resolve(percent: u32) -> DispatchResultWithPostInfo {
	Settlement::resolve_contest(RuntimeOrigin::root(), ID, S, Permill::from_percent(percent))
}

/// Opens, attests and contests that many plancks.
fn contested(asset: Asset, amount: u64) {
	open_in(asset, PROVIDER, 100_000);
	attest(amount);
	contest();
	events();
}

#[test]
fn a_contest_holds_what_has_not_matured() {
	build_and_execute(|| {
		open_for(100_000);
		attest_and_mature(1_000);
		attest(2_000);
		events();
		contest();
		let contested = Contest { amount: 2_000, bond: BOND, opened_at: START + MATURE, evidence: EVIDENCE };
		assert_eq!(Contests::<Test>::get(ID, S), Some(contested));
		assert_eq!((stream().contested, bonded(RENTER)), (2_000, BOND));
		let event = Event::Contested { escrow: ID, stream: S, amount: 2_000, bond: BOND, evidence: EVIDENCE };
		assert_eq!(events(), vec![event]);
		// What had matured is paid, and what comes later matures as ever.
		attest(500);
		settle();
		assert_eq!(record().paid, 980);
		pass(MATURE);
		settle();
		assert_eq!((record().paid, record().owed()), (1_470, 2_000));
	});
}

#[test]
fn the_bond_is_a_tenth_in_the_native_token_and_the_least_bond_otherwise() {
	build_and_execute(|| {
		contested(Asset::Native, 10_001);
		assert_eq!(bonded(RENTER), 1_001);
	});
	build_and_execute(|| {
		contested(DOLLAR, 10_001);
		assert_eq!(bonded(RENTER), BOND);
		assert_ok!(resolve(0));
	});
	build_and_execute(|| {
		// Never less than an account can take back.
		ContestBond::set(0);
		contested(Asset::Native, 1);
		assert_eq!(bonded(RENTER), ED);
	});
}

#[test]
fn a_contest_needs_its_payer_a_stream_and_something_to_contest() {
	build_and_execute(|| {
		assert_noop!(contest_by(RENTER), Error::<Test>::UnknownEscrow);
		open_for(100_000);
		assert_noop!(contest_by(RENTER), Error::<Test>::NothingToContest);
		attest_and_mature(1_000);
		assert_noop!(contest_by(RENTER), Error::<Test>::NothingToContest);
		attest(1_000);
		assert_noop!(contest_by(PROVIDER), Error::<Test>::NotPayer);
		assert_noop!(
			Settlement::contest(RuntimeOrigin::signed(RENTER), ID, StreamId(1), EVIDENCE),
			Error::<Test>::UnknownStream
		);
		assert_noop!(Settlement::contest(RuntimeOrigin::root(), ID, S, EVIDENCE), DispatchError::BadOrigin);
		contest();
		attest(1_000);
		assert_noop!(contest_by(RENTER), Error::<Test>::ContestExists);
	});
}

#[test]
fn a_contest_needs_its_bond() {
	build_and_execute(|| {
		open_for(100_000);
		attest(1_000);
		let rest = balance(Asset::Native, RENTER) - BOND;
		assert_ok!(<Balances as Mutate<_>>::transfer(&RENTER, &STRANGER, rest, Preservation::Preserve));
		assert_noop!(contest_by(RENTER), Error::<Test>::InsufficientBond);
	});
}

#[test]
fn a_verdict_for_the_payee_costs_the_payer_its_bond() {
	for asset in [Asset::Native, DOLLAR] {
		build_and_execute(|| {
			contested(asset, 2_000);
			assert_ok!(resolve(100));
			let (to_payee, to_payer) = (2_000, 0);
			assert_eq!(
				events(),
				vec![
					Event::ContestResolved {
						escrow: ID,
						stream: S,
						to_payee,
						to_payer,
						bond: BOND,
						bond_lost: true
					},
					Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 1_960, fee: 40 },
				]
			);
			assert_eq!((bonded(RENTER), Contests::<Test>::iter().count()), (0, 0));
			let paid_in = |token: Asset, amount: Balance| if token == asset { amount } else { 0 };
			let native = Asset::Native;
			assert_eq!(balance(native, PROVIDER), ENDOWMENT + BOND + paid_in(native, 1_960));
			assert_eq!(balance(DOLLAR, PROVIDER), ENDOWMENT + paid_in(DOLLAR, 1_960));
			assert_eq!(balance(native, RENTER) + held(RENTER), ENDOWMENT - BOND - paid_in(native, 2_000));
		});
	}
}

#[test]
fn a_verdict_between_shares_rounds_down_for_the_payee_and_returns_the_bond() {
	build_and_execute(|| {
		contested(Asset::Native, 2_001);
		assert_ok!(resolve(50));
		let resolved = Event::ContestResolved {
			escrow: ID,
			stream: S,
			to_payee: 1_000,
			to_payer: 1_001,
			bond: BOND,
			bond_lost: false,
		};
		assert_eq!(
			events(),
			vec![
				resolved,
				Event::Refunded { escrow: ID, amount: 1_001 },
				Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 980, fee: 20 },
			]
		);
		assert_eq!(bonded(RENTER), 0);
		// What was free stays free: the lease is as long as before.
		assert_eq!(Settlement::free(ID), Some(100_000 - 2_001));
		assert_eq!(balance(Asset::Native, RENTER), ENDOWMENT - 100_000 + 1_001);
	});
}

#[test]
fn a_verdict_for_the_payer_gives_everything_back() {
	build_and_execute(|| {
		contested(DOLLAR, 2_000);
		assert_ok!(resolve(0));
		assert_eq!(balance(DOLLAR, PROVIDER), ENDOWMENT);
		assert_eq!(balance(DOLLAR, RENTER), ENDOWMENT - 98_000);
		assert_eq!((bonded(RENTER), stream().owed()), (0, 0));
	});
}

#[test]
fn the_fee_of_a_verdict_is_that_of_the_running_total() {
	build_and_execute(|| {
		open_for(100_000);
		attest_and_mature(49);
		settle();
		assert_eq!(record().fee, 0);
		attest(1);
		contest();
		assert_ok!(resolve(100));
		assert_eq!((record().paid, record().fee), (49, 1));
	});
}

#[test]
fn a_payer_whose_account_is_blocked_has_its_share_back_later() {
	build_and_execute(|| {
		contested(DOLLAR, 2_000);
		assert_ok!(Assets::block(RuntimeOrigin::signed(ISSUER), 1, RENTER));
		assert_ok!(resolve(0));
		let cause = TokenError::Blocked.into();
		assert_eq!(events()[1], Event::RefundDeferred { escrow: ID, amount: 2_000, cause });
		assert_eq!(Settlement::free(ID), Some(100_000));
		assert_ok!(Assets::thaw(RuntimeOrigin::signed(ISSUER), 1, RENTER));
		assert_eq!(Settlement::close(ID).unwrap().refunded, 100_000);
	});
}

#[test]
fn a_bond_that_the_payee_cannot_take_goes_back() {
	build_and_execute(|| {
		ContestBond::set(ED);
		open_in(Asset::Native, NOBODY, 1_000);
		attest(5);
		contest();
		// The bond alone brings the account to life, so that it takes the rest too.
		hypothetically!({
			assert_ok!(resolve(100));
			assert_eq!(balance(Asset::Native, NOBODY), ED + 5);
		});
		hypothetically!({
			frame_system::Account::<Test>::mutate(NOBODY, |account| account.data.free = u128::MAX);
			events();
			assert_ok!(resolve(100));
			assert!(matches!(events()[0], Event::ContestResolved { bond: ED, bond_lost: false, .. }));
			assert_eq!(bonded(RENTER), 0);
		});
	});
}

#[test]
fn without_a_verdict_in_time_the_payee_is_paid_and_the_bond_comes_back() {
	build_and_execute(|| {
		contested(Asset::Native, 2_000);
		pass(VERDICT - 1);
		settle();
		assert_eq!(events(), vec![]);
		pass(1);
		assert_noop!(resolve(0), Error::<Test>::VerdictTooLate);
		settle();
		assert_eq!(
			events(),
			vec![
				Event::ContestLapsed { escrow: ID, stream: S, amount: 2_000, bond: BOND },
				Event::Settled { escrow: ID, stream: S, payee: PROVIDER, paid: 1_960, fee: 40 },
			]
		);
		assert_eq!(bonded(RENTER), 0);
		assert_noop!(resolve(0), Error::<Test>::UnknownContest);
	});
}

#[test]
fn a_verdict_needs_the_council_and_a_contest() {
	build_and_execute(|| {
		assert_noop!(resolve(50), Error::<Test>::UnknownEscrow);
		open_for(1_000);
		assert_noop!(resolve(50), Error::<Test>::UnknownContest);
		for origin in [RuntimeOrigin::signed(RENTER), RuntimeOrigin::none()] {
			assert_noop!(
				Settlement::resolve_contest(origin, ID, S, Permill::zero()),
				DispatchError::BadOrigin
			);
		}
	});
}

#[test]
fn a_verdict_on_a_closed_escrow_ends_it_with_its_receipt() {
	build_and_execute(|| {
		open_for(10_000);
		attest(2_000);
		assert_ok!(Settlement::close(ID));
		contest();
		events();
		assert_ok!(resolve(25));
		let events = events();
		assert!(matches!(events[1], Event::Settled { paid: 490, fee: 10, .. }));
		assert_eq!(events[2], Event::Refunded { escrow: ID, amount: 1_500 });
		assert!(matches!(
			events[3],
			Event::EscrowClosed { deposited: 10_000, paid: 490, fee: 10, refunded: 9_500, .. }
		));
		assert!(!Escrows::<Test>::contains_key(ID));
	});
}

#[test]
fn streams_are_contested_apart() {
	build_and_execute(|| {
		open_for(10_000);
		let second = Settlement::add_stream(ID, &STRANGER, super::RATE).unwrap();
		attest(1_000);
		assert_ok!(Settlement::accrue(ID, second, 2_000));
		contest();
		assert_ok!(Settlement::contest(RuntimeOrigin::signed(RENTER), ID, second, EVIDENCE));
		assert_eq!(bonded(RENTER), 2 * BOND);
		assert_ok!(resolve(0));
		assert_eq!((bonded(RENTER), record().owed()), (BOND, 2_000));
	});
}

#[test]
fn a_bond_that_cannot_be_returned_is_no_secret() {
	build_and_execute(|| {
		contested(Asset::Native, 2_000);
		pass(VERDICT);
		hypothetically!({
			let reason = HoldReason::ContestBond.into();
			assert_ok!(Balances::release(&reason, &RENTER, 1, Precision::Exact));
			events();
			settle();
			assert!(matches!(events()[..], [Event::PaymentDeferred { amount: 2_000, .. }]));
			assert!(Contests::<Test>::contains_key(ID, S));
		});
	});
}
