//! Random sequences of everything that can happen: the invariants hold after every step, no era costs more than its budget,
//! and nobody is paid twice.

use crate::{mock::*, Event, Pallet, Totals};
use frame_support::{storage::with_storage_layer, weights::Weight};
use millrace_primitives::Balance;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Clone, Debug)]
enum Step {
	Idle(AccountId),
	/// A provider changes.
	Change {
		who: AccountId,
		group: u64,
		live: bool,
		units: u64,
	},
	Rate(Balance),
	Budget(Balance),
	Pot(Balance),
	Eras(u32),
	Claim {
		back: u32,
		who: AccountId,
	},
	Prune {
		items: u64,
	},
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	// One of them is no provider.
	let who = || 1..=PROVIDERS + 1;
	let units = prop_oneof![0..5u64, 1..1_000_000u64, Just(u64::MAX)];
	let step = prop_oneof![
		12 => who().prop_map(Step::Idle),
		3 => (who(), 0..3u64, prop::bool::weighted(0.8), units)
			.prop_map(|(who, group, live, units)| Step::Change { who, group, live, units }),
		1 => prop_oneof![Just(0), 1..10_000u128, Just(Balance::MAX)].prop_map(Step::Rate),
		1 => prop_oneof![0..1_000_000u128, Just(Balance::MAX)].prop_map(Step::Budget),
		1 => (ED..ENDOWMENT).prop_map(Step::Pot),
		4 => prop_oneof![4 => 0..3u32, 1 => 3..40u32].prop_map(Step::Eras),
		10 => (0..32u32, who()).prop_map(|(back, who)| Step::Claim { back: back / 4, who }),
		2 => (0..32u32, who()).prop_map(|(back, who)| Step::Claim { back, who }),
		4 => (0..20u64).prop_map(|items| Step::Prune { items }),
	];
	prop::collection::vec(step, 1..120)
}

fn take(step: Step) {
	let era = Pallet::<Test>::era();
	match step {
		Step::Idle(who) => idle([who]),
		Step::Change { who, group, live, units } => {
			let owner = if group == 0 { who } else { group };
			if who <= PROVIDERS {
				set_provider(who, owner, live, units);
			}
		}
		Step::Rate(rate) => RewardPerUnit::set(rate),
		Step::Budget(budget) => EraBudget::set(budget),
		Step::Pot(amount) => set_pot(amount),
		Step::Eras(eras) => go_to_era(era + eras),
		Step::Claim { back, who } => {
			let era = era.saturating_sub(back);
			let expected = Pallet::<Test>::claimable(who).into_iter().find(|(other, _)| *other == era);
			let before = balance(who);
			let paid = with_storage_layer(|| claim(era, who)).is_ok();
			let amount = expected.map_or(0, |(_, amount)| amount);
			assert!(expected.is_some() || !paid, "more was paid than was listed");
			assert_eq!(balance(who) - before, if paid { amount } else { 0 });
		}
		Step::Prune { items } => {
			let item = <() as crate::WeightInfo>::prune_item() * items;
			poll(<() as crate::WeightInfo>::prune_start() + item);
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(256))]

	#[test]
	fn invariants_hold_in_every_life(steps in steps()) {
		build_and_execute(|| {
			// What the model says of each era: its budget and what is left of it.
			let mut left = BTreeMap::new();
			let mut paid = BTreeSet::new();
			for step in steps {
				take(step);
				Pallet::<Test>::do_try_state().unwrap();
				for (era, total) in Totals::<Test>::iter() {
					left.entry(era).or_insert(total.budget);
				}
				for event in events() {
					let Event::RewardPaid { provider, era, amount, .. } = event;
					assert!(paid.insert((era, provider)), "paid twice");
					let left = left.get_mut(&era).unwrap();
					*left = left.checked_sub(amount).expect("more than the budget was paid");
				}
			}
			// However much there is, it goes in the end.
			go_to_era(Pallet::<Test>::era() + 100);
			while items() > 0 {
				poll(Weight::MAX);
				Pallet::<Test>::do_try_state().unwrap();
			}
		});
	}
}
