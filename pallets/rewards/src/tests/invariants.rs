//! Each invariant notices the corruption that it is there for.

use crate::{mock::*, Earned, OldestEra, OwnerUnits, Totals, CLAIMABLE_ERAS};

const OWNER: AccountId = ALICE;

/// Breaks an era in which two providers have earned something.
fn break_era(invariant: &str, corrupt: impl FnOnce()) {
	build_and_break(invariant, || {
		idle([ALICE, BOB]);
		corrupt();
	});
}

#[test]
fn a_total_that_differs_from_its_owners_is_noticed() {
	break_era("1: the total differs", || Totals::<Test>::mutate(START, |t| t.as_mut().unwrap().units += 1));
	break_era("1: the total differs", || OwnerUnits::<Test>::insert(START, 7, 1));
	break_era("1: owners without a total", || Totals::<Test>::remove(START));
	break_era("1: the units overflow", || OwnerUnits::<Test>::insert(START, OWNER, u128::MAX));
	// Even while it is pruned, no more than all is left.
	break_era("1: the total differs", || {
		OwnerUnits::<Test>::insert(START, 7, 1);
		go_to_era(START + CLAIMABLE_ERAS + 1);
	});
}

#[test]
fn claims_beyond_the_owners_units_are_noticed() {
	let earn = |who, change: fn(&mut crate::Earning<AccountId>)| {
		Earned::<Test>::mutate(START, who, |earning| change(earning.as_mut().unwrap()));
	};
	break_era("2: more can be claimed", || earn(ALICE, |earning| earning.units += 1));
	break_era("2: more can be claimed", || earn(ALICE, |earning| earning.owner = 7));
	break_era("2: more can be claimed", || earn(BOB, |earning| earning.owner = OWNER));
	break_era("2: the claims overflow", || {
		earn(BOB, |earning| *earning = crate::Earning { owner: OWNER, units: u128::MAX });
	});
}

#[test]
fn what_is_kept_of_other_eras_is_noticed() {
	let move_era = |era| {
		OwnerUnits::<Test>::remove(START, BOB);
		OwnerUnits::<Test>::insert(era, BOB, 100);
	};
	break_era("3: an owner", || move_era(START - 1));
	break_era("3: an owner", || move_era(START + 1));
	break_era("3: an owner", OldestEra::<Test>::kill);
	break_era("3: the total", || Totals::<Test>::swap(START, START + 1));
	break_era("3: a claim", || Earned::<Test>::swap(START, ALICE, START - 1, ALICE));
	build_and_break("3: the future", || OldestEra::<Test>::put(START + 1));
}

#[test]
fn what_earns_nothing_is_noticed() {
	break_era("4: an owner", || OwnerUnits::<Test>::insert(START, OWNER, 0));
	break_era("4: an era", || Totals::<Test>::mutate(START, |t| t.as_mut().unwrap().rate = 0));
	break_era("4: a claim", || {
		Earned::<Test>::mutate(START, ALICE, |earning| earning.as_mut().unwrap().units = 0);
	});
}
