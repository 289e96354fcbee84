//! Rewards are paid from the pot, to whom they belong, once.

use crate::{mock::*, Earned, Error, Event, Pallet, CLAIMABLE_ERAS};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{traits::BadOrigin, TokenError};

#[test]
fn a_reward_is_units_at_the_rate_less_the_share() {
	build_and_execute(|| {
		idle([ALICE, BOB, CAROL, DAVE]);
		go_to_era(START + 1);
		let (before, pot, caller) = (balance(ALICE), balance(POT), balance(STRANGER));
		assert_ok!(claim(START, ALICE));
		// 100 x 1,000 x 3/4.
		let amount = 75_000;
		assert_eq!(balance(ALICE) - before, amount);
		assert_eq!(pot - balance(POT), amount);
		assert_eq!(balance(STRANGER), caller);
		assert_eq!(events(), [Event::RewardPaid { provider: ALICE, era: START, units: 100, amount }]);
		assert_noop!(claim(START, ALICE), Error::<Test>::NothingToClaim);
		// The others' shares are what they were.
		assert_ok!(claim(START, BOB));
		assert_eq!(events(), [Event::RewardPaid { provider: BOB, era: START, units: 100, amount }]);
	});
}

#[test]
fn a_sole_owner_has_its_claim_removed_for_nothing() {
	build_and_execute(|| {
		join(ALICE, 7);
		join(BOB, 7);
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		// It needs no pot.
		set_pot(ED);
		assert_ok!(claim(START, ALICE));
		assert_eq!(events(), [Event::RewardPaid { provider: ALICE, era: START, units: 100, amount: 0 }]);
		assert!(!Earned::<Test>::contains_key(START, ALICE));
		assert!(Earned::<Test>::contains_key(START, BOB));
	});
}

#[test]
fn an_era_costs_no_more_than_its_budget() {
	build_and_execute(|| {
		// Half of what the rate would be without shares: the reward is half.
		EraBudget::set(4 * 100 * RATE / 2);
		idle([ALICE, BOB, CAROL, DAVE]);
		go_to_era(START + 1);
		let pot = balance(POT);
		assert_ok!(claim(START, ALICE));
		assert_eq!(pot - balance(POT), 75_000 / 2);
		for who in [BOB, CAROL, DAVE] {
			assert_ok!(claim(START, who));
		}
		assert_eq!(pot - balance(POT), 4 * 75_000 / 2);
	});
	build_and_execute(|| {
		// Just enough.
		EraBudget::set(4 * 100 * RATE);
		idle([ALICE, BOB, CAROL, DAVE]);
		go_to_era(START + 1);
		assert_eq!(Pallet::<Test>::claimable(ALICE), [(START, 75_000)]);
	});
}

#[test]
fn an_era_is_claimed_when_it_is_over_and_not_too_late() {
	build_and_execute(|| {
		idle([ALICE, BOB, CAROL]);
		assert_noop!(claim(START, ALICE), Error::<Test>::EraNotOver);
		assert_noop!(claim(START + 1, ALICE), Error::<Test>::EraNotOver);
		Timestamp::set_timestamp(u64::from(START + 1) * DAY - 1);
		assert_noop!(claim(START, ALICE), Error::<Test>::EraNotOver);
		go_to_era(START + 1);
		assert_ok!(claim(START, ALICE));
		go_to_era(START + CLAIMABLE_ERAS);
		assert_ok!(claim(START, BOB));
		go_to_era(START + CLAIMABLE_ERAS + 1);
		assert_noop!(claim(START, CAROL), Error::<Test>::Expired);
		assert_noop!(claim(0, CAROL), Error::<Test>::Expired);
	});
}

#[test]
fn who_earned_nothing_can_claim_nothing() {
	build_and_execute(|| {
		idle([ALICE]);
		go_to_era(START + 1);
		assert_noop!(claim(START, BOB), Error::<Test>::NothingToClaim);
		assert_noop!(claim(START - 1, ALICE), Error::<Test>::NothingToClaim);
		assert_noop!(Rewards::claim(RuntimeOrigin::root(), START, ALICE), BadOrigin);
		assert_noop!(Rewards::claim(RuntimeOrigin::none(), START, ALICE), BadOrigin);
	});
}

#[test]
fn a_pot_with_too_little_pays_nothing_and_keeps_the_claim() {
	build_and_execute(|| {
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		let amount = earns(100, 200);
		// It must stay alive.
		set_pot(amount + ED - 1);
		assert_noop!(claim(START, ALICE), Error::<Test>::PotEmpty);
		set_pot(amount + ED);
		assert_ok!(claim(START, ALICE));
		assert_eq!(balance(POT), ED);
		assert_noop!(claim(START, BOB), Error::<Test>::PotEmpty);
		assert_eq!(Pallet::<Test>::claimable(BOB), [(START, amount)]);
	});
}

#[test]
fn what_the_provider_cannot_take_is_kept() {
	build_and_execute(|| {
		// An account that is gone, and less than the existential deposit.
		let gone = 30;
		set_provider(gone, gone, true, 1);
		RewardPerUnit::set(ED - 1);
		idle([gone, ALICE]);
		go_to_era(START + 1);
		assert_noop!(claim(START, gone), TokenError::BelowMinimum);
	});
}

#[test]
fn what_can_be_claimed_is_listed_oldest_first() {
	build_and_execute(|| {
		assert_eq!(Pallet::<Test>::claimable(ALICE), []);
		assert_eq!(Pallet::<Test>::era(), START);
		for era in START..=START + CLAIMABLE_ERAS + 1 {
			go_to_era(era);
			idle([ALICE, BOB]);
		}
		let listed = Pallet::<Test>::claimable(ALICE);
		let expected: Vec<_> =
			(START + 1..=START + CLAIMABLE_ERAS).map(|era| (era, earns(100, 200))).collect();
		assert_eq!(listed, expected);
		assert_eq!(listed.len(), CLAIMABLE_ERAS as usize);
		assert_ok!(claim(START + 1, ALICE));
		assert_eq!(Pallet::<Test>::claimable(ALICE), expected[1..]);
		assert_eq!(Pallet::<Test>::claimable(STRANGER), []);
	});
}
