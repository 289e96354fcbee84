//! What others got wrong.

use crate::{mock::*, Pallet};

/// Rewards of all of these providers for [`START`].
fn rewards(providers: impl IntoIterator<Item = AccountId>) -> u128 {
	providers.into_iter().flat_map(Pallet::<Test>::claimable).map(|(_, amount)| amount).sum()
}

/// Trap 14: bonuses that grow with the fleet feed whoever is large. Here twice the share is less for each unit, whether it
/// comes with a larger provider or with more providers in the same group.
#[test]
fn trap_14_twice_the_share_lowers_the_reward_per_unit() {
	let mut small = 0;
	build_and_execute(|| {
		// A tenth of all units.
		set_provider(ALICE, ALICE, true, 10);
		set_provider(BOB, BOB, true, 90);
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		small = rewards([ALICE]);
		assert_eq!(small, 10 * RATE * 9 / 10);
	});
	build_and_execute(|| {
		set_provider(ALICE, ALICE, true, 20);
		set_provider(BOB, BOB, true, 80);
		idle([ALICE, BOB]);
		go_to_era(START + 1);
		let large = rewards([ALICE]);
		assert_eq!(large, 20 * RATE * 8 / 10);
		assert!(large < 2 * small, "a unit earns no less in a larger provider");
	});
	build_and_execute(|| {
		for who in [ALICE, CAROL] {
			set_provider(who, 7, true, 10);
		}
		set_provider(BOB, BOB, true, 80);
		idle([ALICE, BOB, CAROL]);
		go_to_era(START + 1);
		let group = rewards([ALICE, CAROL]);
		assert_eq!(group, 20 * RATE * 8 / 10);
		assert!(group < 2 * small, "a unit earns no less in a larger group");
	});
}
