//! Idle epochs are counted, once there is a rate.

use crate::{mock::*, Earned, Earning, EraTotal, OldestEra, OwnerUnits, Totals};
use frame_support::{assert_ok, assert_storage_noop};
use millrace_primitives::Balance;

#[test]
fn without_a_rate_nothing_is_written() {
	build_and_execute(|| {
		RewardPerUnit::set(0);
		assert_storage_noop!(idle(1..=PROVIDERS));
	});
}

#[test]
fn who_has_nothing_to_lease_earns_nothing() {
	build_and_execute(|| {
		set_provider(ALICE, ALICE, true, 0);
		set_provider(BOB, BOB, false, UNITS);
		assert_storage_noop!(idle([ALICE, BOB, STRANGER]));
	});
}

#[test]
fn units_are_summed_up_by_provider_owner_and_era() {
	build_and_execute(|| {
		join(BOB, 7);
		join(CAROL, 7);
		idle([ALICE, BOB, CAROL, BOB]);
		let own = |who| Earned::<Test>::get(START, who).unwrap();
		assert_eq!(own(ALICE), Earning { owner: ALICE, units: 100 });
		assert_eq!(own(BOB), Earning { owner: 7, units: 200 });
		assert_eq!(own(CAROL), Earning { owner: 7, units: 100 });
		assert_eq!(OwnerUnits::<Test>::get(START, 7), Some(300));
		assert_eq!(OwnerUnits::<Test>::get(START, ALICE), Some(100));
		let total = EraTotal { units: 400, rate: RATE, budget: Balance::MAX };
		assert_eq!(Totals::<Test>::get(START), Some(total));
		assert_eq!(OldestEra::<Test>::get(), Some(START));

		go_to_era(START + 1);
		idle([ALICE]);
		assert_eq!(own(ALICE).units, 100);
		assert_eq!(Totals::<Test>::get(START + 1), Some(EraTotal { units: 100, ..total }));
		assert_eq!(OldestEra::<Test>::get(), Some(START));
	});
}

#[test]
fn a_provider_stays_with_its_first_owner_until_the_era_is_over() {
	build_and_execute(|| {
		idle([ALICE, BOB]);
		join(ALICE, 7);
		idle([ALICE]);
		assert_eq!(OwnerUnits::<Test>::get(START, ALICE), Some(200));
		assert_eq!(OwnerUnits::<Test>::get(START, 7), None);
		go_to_era(START + 1);
		idle([ALICE]);
		assert_eq!(OwnerUnits::<Test>::get(START + 1, 7), Some(100));
	});
}

#[test]
fn rate_and_budget_are_those_of_the_first_idle_epoch() {
	build_and_execute(|| {
		idle([ALICE, BOB]);
		RewardPerUnit::set(2 * RATE);
		EraBudget::set(1);
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		// Not those of the claim either.
		RewardPerUnit::set(0);
		let before = balance(ALICE);
		assert_ok!(claim(START, ALICE));
		assert_eq!(balance(ALICE) - before, earns(200, 400));
	});
}
