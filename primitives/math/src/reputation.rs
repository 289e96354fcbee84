//! Reputation: one figure out of a provider's record.

use sp_arithmetic::Permill;

/// Leases that every provider is taken to have completed, so that its first fault does not ruin it.
const HEAD_START: u64 = 10;
/// Completed leases that one rejection outweighs.
const WEIGHT_OF_REJECTION: u64 = 5;
/// Completed leases that one fault outweighs.
const WEIGHT_OF_FAULT: u64 = 10;
/// Completed leases that one executed slash outweighs.
const WEIGHT_OF_SLASH: u64 = 10;

/// How a provider's leases ended, and what became of its faults.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Outcomes {
	/// Leases that it served until their end.
	pub completed: u32,
	/// Leases that it failed.
	pub faulted: u32,
	/// Leases that their renters rejected.
	pub rejected: u32,
	/// Slashes that were executed.
	pub slashed: u32,
}

/// `uptime x good / (good + bad)`, rounded **down**: `good` are the completed leases and ten more, `bad` five for each rejection
/// and ten for each fault and for each executed slash. Size earns nothing: twice the leases with the same record are worth what
/// they were, but for the head start.
pub fn reputation(uptime: Permill, outcomes: Outcomes) -> Permill {
	// Nothing saturates: four counts of 32 bits, each times ten at most, fit into 64 bits.
	let good = u64::from(outcomes.completed).saturating_add(HEAD_START);
	let bad = u64::from(outcomes.rejected)
		.saturating_mul(WEIGHT_OF_REJECTION)
		.saturating_add(u64::from(outcomes.faulted).saturating_mul(WEIGHT_OF_FAULT))
		.saturating_add(u64::from(outcomes.slashed).saturating_mul(WEIGHT_OF_SLASH));
	let parts = Permill::from_rational(good, good.saturating_add(bad)).mul_floor(uptime.deconstruct());
	Permill::from_parts(parts)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	fn percent(parts: u32) -> Permill {
		Permill::from_percent(parts)
	}

	#[test]
	fn examples_worked_by_hand() {
		let outcomes =
			|completed, faulted, rejected, slashed| Outcomes { completed, faulted, rejected, slashed };
		assert_eq!(reputation(percent(90), outcomes(0, 0, 0, 0)), percent(90));
		assert_eq!(reputation(percent(90), outcomes(500, 0, 0, 0)), percent(90));
		assert_eq!(reputation(percent(100), outcomes(0, 1, 0, 0)), percent(50));
		assert_eq!(reputation(percent(80), outcomes(0, 0, 2, 0)), percent(40));
		assert_eq!(reputation(percent(100), outcomes(90, 1, 0, 0)), Permill::from_parts(909_090));
		assert_eq!(reputation(percent(100), outcomes(0, 0, 0, 3)), percent(25));
		assert_eq!(reputation(Permill::zero(), outcomes(5, 0, 0, 0)), Permill::zero());
		let most = outcomes(u32::MAX, u32::MAX, u32::MAX, u32::MAX);
		assert!(reputation(percent(100), most) < percent(4));
	}

	proptest! {
		#[test]
		fn it_is_never_above_the_uptime_and_falls_with_every_fault(
			parts in 0u32..=1_000_000, completed: u32, faulted in 0..u32::MAX, rejected: u32, slashed: u32,
		) {
			let uptime = Permill::from_parts(parts);
			let outcomes = Outcomes { completed, faulted, rejected, slashed };
			let now = reputation(uptime, outcomes);
			prop_assert!(now <= uptime);
			let after = reputation(uptime, Outcomes { faulted: faulted + 1, ..outcomes });
			prop_assert!(after <= now);
		}
	}
}
