//! What idle capacity earns.

use millrace_primitives::Balance;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// Reward for `units` of an owner that has `owner_units` of all `total_units` of an era, in plancks: `units x rate x (1 -
/// owner_units / total_units)`. If `total_units x rate` is more than `budget`, the rate is `budget / total_units` instead.
///
/// Rounded **down** twice: before the share is taken off, and after. So never more than asked for, and all rewards of an era
/// together never more than its budget. Defined for all arguments: more units than the owner's, or than all, count as all of
/// them.
pub fn idle_reward(
	units: u128,
	owner_units: u128,
	total_units: u128,
	rate: Balance,
	budget: Balance,
) -> Balance {
	let owner_units = owner_units.min(total_units);
	let units = units.min(owner_units);
	let others = total_units.saturating_sub(owner_units);
	let is_within = total_units.checked_mul(rate).is_some_and(|sum| sum <= budget);
	let base = if is_within {
		// Fits: it is no more than the sum.
		units.checked_mul(rate)
	} else {
		part(budget, units, total_units)
	};
	// Nothing for nothing: only a total of zero has no parts.
	base.and_then(|base| part(base, others, total_units)).unwrap_or(0)
}

/// `amount x part / whole`, rounded down; `None` if the whole is zero.
fn part(amount: Balance, part: u128, whole: u128) -> Option<Balance> {
	multiply_by_rational_with_rounding(amount, part, whole, Rounding::Down)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// Small and large ones, and those at the ends.
	fn amounts() -> impl Strategy<Value = u128> {
		prop_oneof![0..100u128, 0..=1u128 << 64, any::<u128>(), Just(u128::MAX)]
	}

	/// Units of the providers of some owners.
	fn fleets() -> impl Strategy<Value = Vec<Vec<u128>>> {
		let units = prop_oneof![1..10u128, 1..=1u128 << 64, 1..=1u128 << 118];
		prop::collection::vec(prop::collection::vec(units, 1..5), 1..8)
	}

	#[test]
	fn examples_worked_by_hand() {
		// Half of all, at 10 plancks a unit.
		assert_eq!(idle_reward(50, 50, 100, 10, 1_000), 250);
		// One provider of an owner that has half of all.
		assert_eq!(idle_reward(10, 50, 100, 10, 1_000), 50);
		// A budget for a tenth of that.
		assert_eq!(idle_reward(10, 50, 100, 10, 100), 5);
		// Rounded down: 7 x 3 x 2 / 9.
		assert_eq!(idle_reward(7, 7, 9, 3, 1_000), 4);
	}

	#[test]
	fn the_ends_of_the_range_are_defined() {
		let max = u128::MAX;
		assert_eq!(idle_reward(0, 0, 0, max, max), 0);
		assert_eq!(idle_reward(5, 5, 0, 1, max), 0);
		assert_eq!(idle_reward(max, max, max, max, max), 0);
		assert_eq!(idle_reward(1, 1, max, max, max), 0);
		assert_eq!(idle_reward(1, 1, 2, max, max), max / 4);
		assert_eq!(idle_reward(50, 50, 100, 0, 1_000), 0);
		assert_eq!(idle_reward(50, 50, 100, 10, 0), 0);
		// More than the owner has is what the owner has.
		assert_eq!(idle_reward(60, 50, 100, 10, 1_000), idle_reward(50, 50, 100, 10, 1_000));
	}

	proptest! {
		#[test]
		fn never_more_than_at_a_share_of_zero(
			units in amounts(), owner in amounts(), total in amounts(), rate in amounts(), budget in amounts(),
		) {
			let reward = idle_reward(units, owner, total, rate, budget);
			prop_assert!(reward <= units.saturating_mul(rate));
			prop_assert!(reward <= budget);
		}

		#[test]
		fn all_rewards_together_are_within_the_budget(fleets in fleets(), rate in amounts(), budget in amounts()) {
			let total: u128 = fleets.iter().flatten().sum();
			let mut left = budget;
			for fleet in &fleets {
				let owner: u128 = fleet.iter().sum();
				for units in fleet {
					let reward = idle_reward(*units, owner, total, rate, budget);
					left = left.checked_sub(reward).expect("more than the budget");
				}
			}
		}

		#[test]
		fn a_larger_share_never_earns_more_per_unit(
			units in amounts(), owner in amounts(), more in amounts(), others in amounts(),
			rate in amounts(), budget in amounts(),
		) {
			let (Some(total), true) = (owner.checked_add(others), units <= owner) else { return Ok(()) };
			let reward = idle_reward(units, owner, total, rate, budget);
			// Others lose what the owner gains.
			let gained = more.min(others);
			prop_assert!(idle_reward(units, owner + gained, total, rate, budget) <= reward);
			// The owner adds to what there is.
			if let Some(total) = total.checked_add(more) {
				prop_assert!(idle_reward(units, owner + more, total, rate, budget) <= reward);
			}
		}

		#[test]
		fn per_unit_it_falls_strictly(units in 1..1_000_000u128, others in 1..1_000_000u128, rate in 1_000_000_000_000u128..1 << 80) {
			let before = idle_reward(units, units, units + others, rate, u128::MAX);
			let doubled = idle_reward(2 * units, 2 * units, 2 * units + others, rate, u128::MAX);
			prop_assert!(doubled < 2 * before);
		}

		#[test]
		fn a_sole_owner_gets_nothing(units in amounts(), total in amounts(), rate in amounts(), budget in amounts()) {
			prop_assert_eq!(idle_reward(units, total, total, rate, budget), 0);
		}
	}
}
