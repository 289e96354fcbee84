//! Granting, revoking, renouncing, purging.

use super::{grant, remaining, signed};
use crate::{
	mock::{
		build_and_execute, events, held, Allowance, Test, Timestamp, DELEGATE, DEPOSIT, DOLLAR, MAX_LIFETIME,
		NOBODY, OWNER, START, STRANGER,
	},
	Allowances, Error, Event, Granted, MAX_DELEGATES,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Asset, Moment};

#[test]
fn a_grant_is_stored_and_its_deposit_held() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		let stored = crate::Allowance {
			asset: DOLLAR,
			remaining: 500,
			max_rate: 7,
			expires_at: START + 10_000,
			deposit: DEPOSIT,
		};
		assert_eq!(Allowance::granted_by(OWNER), [(DELEGATE, stored)]);
		assert_eq!((held(OWNER), held(DELEGATE)), (DEPOSIT, 0));
		let granted = Event::Granted {
			owner: OWNER,
			delegate: DELEGATE,
			asset: DOLLAR,
			amount: 500,
			max_rate: 7,
			expires_at: START + 10_000,
			deposit: DEPOSIT,
		};
		assert_eq!(events(), [granted]);
	});
}

#[test]
fn a_new_grant_replaces_the_old_one_without_another_deposit() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		Timestamp::set_timestamp(START + 1);
		grant(Asset::Native, 3, 9);
		let stored = crate::Allowance {
			asset: Asset::Native,
			remaining: 3,
			max_rate: 9,
			expires_at: START + 10_001,
			deposit: DEPOSIT,
		};
		assert_eq!(Allowance::granted_by(OWNER), [(DELEGATE, stored)]);
		assert_eq!((held(OWNER), Granted::<Test>::get(OWNER)), (DEPOSIT, 1));
	});
}

#[test]
fn a_grant_that_makes_no_sense_is_refused() {
	build_and_execute(|| {
		let grant = |who, delegate, amount, lifetime_ms| {
			Allowance::grant(signed(who), delegate, DOLLAR, amount, 1, lifetime_ms)
		};
		assert_noop!(grant(OWNER, OWNER, 1, 1), Error::<Test>::OwnDelegate);
		assert_noop!(grant(OWNER, DELEGATE, 0, 1), Error::<Test>::ZeroAmount);
		assert_noop!(grant(OWNER, DELEGATE, 1, 0), Error::<Test>::LifetimeOutOfBounds);
		assert_noop!(grant(OWNER, DELEGATE, 1, MAX_LIFETIME + 1), Error::<Test>::LifetimeOutOfBounds);
		// A refused call leaves no trace when it comes as a transaction; here the number is looked at afterwards.
		assert_eq!(
			frame_support::storage::with_storage_layer(|| grant(NOBODY, DELEGATE, 1, 1)),
			Err(Error::<Test>::DepositUnaffordable.into())
		);
		assert_eq!(Granted::<Test>::get(NOBODY), 0);
		assert_ok!(grant(OWNER, DELEGATE, 1, MAX_LIFETIME));
		Timestamp::set_timestamp(Moment::MAX);
		assert_noop!(grant(OWNER, STRANGER, 1, 1), Error::<Test>::LifetimeOutOfBounds);
	});
}

#[test]
fn the_sixteenth_delegate_is_accepted_and_the_seventeenth_refused() {
	build_and_execute(|| {
		let grant = |index: u32| Allowance::grant(signed(OWNER), 1_000 + u64::from(index), DOLLAR, 1, 1, 1);
		for index in 0..MAX_DELEGATES {
			assert_ok!(grant(index));
		}
		assert_noop!(grant(MAX_DELEGATES), Error::<Test>::TooManyDelegates);
		// One that exists can still be replaced, and one that goes makes room.
		assert_ok!(grant(3));
		assert_ok!(Allowance::revoke(signed(OWNER), 1_003));
		assert_ok!(grant(MAX_DELEGATES));
		assert_eq!(held(OWNER), DEPOSIT * u128::from(MAX_DELEGATES));
	});
}

#[test]
fn an_owner_can_revoke_and_a_delegate_can_renounce() {
	build_and_execute(|| {
		for end in
			[|| Allowance::revoke(signed(OWNER), DELEGATE), || Allowance::renounce(signed(DELEGATE), OWNER)]
		{
			grant(DOLLAR, 500, 7);
			events();
			assert_ok!(end());
			assert_eq!((remaining(), held(OWNER), Granted::<Test>::contains_key(OWNER)), (None, 0, false));
			let ended = Event::Ended { owner: OWNER, delegate: DELEGATE, remaining: 500, deposit: DEPOSIT };
			assert_eq!(events(), [ended]);
			assert_noop!(end(), Error::<Test>::NoAllowance);
		}
		grant(DOLLAR, 500, 7);
		assert_noop!(Allowance::revoke(signed(DELEGATE), OWNER), Error::<Test>::NoAllowance);
		assert_noop!(Allowance::renounce(signed(OWNER), DELEGATE), Error::<Test>::NoAllowance);
	});
}

#[test]
fn anybody_can_purge_what_has_expired_and_nothing_else() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		let purge = || Allowance::purge(signed(STRANGER), OWNER, DELEGATE);
		Timestamp::set_timestamp(START + 9_999);
		assert_noop!(purge(), Error::<Test>::NotExpired);
		Timestamp::set_timestamp(START + 10_000);
		assert_ok!(purge());
		assert_eq!((held(OWNER), held(STRANGER)), (0, 0));
		assert_noop!(purge(), Error::<Test>::NoAllowance);
	});
}

#[test]
fn a_broken_record_is_reported_and_moves_nothing() {
	build_and_execute(|| {
		grant(DOLLAR, 500, 7);
		frame_support::hypothetically!({
			Granted::<Test>::remove(OWNER);
			let revoked =
				frame_support::storage::with_storage_layer(|| Allowance::revoke(signed(OWNER), DELEGATE));
			assert_eq!(revoked, Err(Error::<Test>::LedgerMismatch.into()));
			assert_eq!((remaining(), held(OWNER)), (Some(500), DEPOSIT));
		});
		frame_support::hypothetically!({
			Allowances::<Test>::mutate(OWNER, DELEGATE, |allowance| {
				allowance.as_mut().unwrap().deposit = DEPOSIT + 1
			});
			let revoked =
				frame_support::storage::with_storage_layer(|| Allowance::revoke(signed(OWNER), DELEGATE));
			assert_eq!(revoked, Err(Error::<Test>::LedgerMismatch.into()));
			assert_eq!((remaining(), held(OWNER)), (Some(500), DEPOSIT));
		});
	});
}
