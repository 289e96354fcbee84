//! What a fault costs, and who gets it.

use sp_arithmetic::{
	helpers_128bit::multiply_by_rational_with_rounding, PerThing, Perbill, Permill, Rounding,
};

/// What missed epochs cost: `lease_bond x rate x epochs x dark_gpus / gpus`, rounded **down** once, at the end. `rate` is
/// the share of the bond for one epoch of a node that is dark as a whole. Not limited to the bond.
///
/// More dark GPUs than the node has count as all of them. A node without GPUs costs nothing. What does not fit is
/// `u128::MAX`.
pub fn downtime_slash(lease_bond: u128, rate: Perbill, epochs: u32, dark_gpus: u32, gpus: u32) -> u128 {
	if gpus == 0 {
		return 0;
	}
	// Neither saturates: less than 2^30 x 2^32 x 2^32, and less than 2^30 x 2^32.
	let missed = u128::from(rate.deconstruct())
		.saturating_mul(epochs.into())
		.saturating_mul(dark_gpus.min(gpus).into());
	let whole = u128::from(Perbill::ACCURACY).saturating_mul(gpus.into());
	// Clamping is right: callers limit the amount to what a fault may cost, which does fit.
	multiply_by_rational_with_rounding(lease_bond, missed, whole, Rounding::Down).unwrap_or(u128::MAX)
}

/// Who gets what of a slash. The three always add up to its amount.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Waterfall {
	/// Compensation of the renter.
	pub to_renter: u128,
	/// Of the rest, the share of the insurance pool.
	pub to_insurance: u128,
	/// What is left.
	pub to_treasury: u128,
}

/// Shares out a slash: first the renter, up to the worth of what it was not served; of the rest `insurance_share`, rounded
/// **down**, to the insurance pool; what is left to the treasury.
///
/// With an `unserved` that is not known in plancks, the renter gets half, rounded **down**: all of it would make the
/// slash free for a provider that rents from itself.
pub fn slash_waterfall(amount: u128, unserved: Option<u128>, insurance_share: Permill) -> Waterfall {
	let to_renter = unserved.map_or(amount.div_euclid(2), |unserved| unserved.min(amount));
	// Neither saturates: each is a part of what it is taken from.
	let rest = amount.saturating_sub(to_renter);
	let to_insurance = insurance_share.mul_floor(rest).min(rest);
	Waterfall { to_renter, to_insurance, to_treasury: rest.saturating_sub(to_insurance) }
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// 0.02 %.
	const RATE: Perbill = Perbill::from_parts(200_000);

	#[test]
	fn downtime_worked_by_hand() {
		// A whole node for one epoch, and for ten.
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 8, 8), 200);
		assert_eq!(downtime_slash(1_000_000, RATE, 10, 8, 8), 2_000);
		// 3 of 8 GPUs: 75.
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 3, 8), 75);
		// 1 of 3: 66.67, and three times that is 200, as it is rounded once.
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 1, 3), 66);
		assert_eq!(downtime_slash(1_000_000, RATE, 3, 1, 3), 200);
		// 4,999 x 0.0002 is 0.9998.
		assert_eq!(downtime_slash(4_999, RATE, 1, 1, 1), 0);
		assert_eq!(downtime_slash(5_000, RATE, 1, 1, 1), 1);
		// More than the bond: the limit is not here.
		assert_eq!(downtime_slash(1_000, Perbill::one(), 3, 1, 1), 3_000);
	}

	#[test]
	fn downtime_at_the_edges() {
		assert_eq!(downtime_slash(1_000_000, RATE, 0, 8, 8), 0);
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 0, 8), 0);
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 8, 0), 0);
		assert_eq!(downtime_slash(0, RATE, 1, 8, 8), 0);
		assert_eq!(downtime_slash(1_000_000, Perbill::zero(), 1, 8, 8), 0);
		assert_eq!(downtime_slash(1_000_000, RATE, 1, 9, 8), 200);
		assert_eq!(downtime_slash(u128::MAX, Perbill::one(), 1, u32::MAX, u32::MAX), u128::MAX);
		assert_eq!(downtime_slash(u128::MAX, Perbill::one(), u32::MAX, u32::MAX, u32::MAX), u128::MAX);
		assert_eq!(downtime_slash(u128::MAX, Perbill::one(), u32::MAX, 1, u32::MAX), u128::MAX);
		assert_eq!(downtime_slash(u128::MAX, Perbill::from_parts(1), 1, 1, 1), u128::MAX / 1_000_000_000);
	}

	#[test]
	fn waterfall_worked_by_hand() {
		let fifth = Permill::from_percent(20);
		let split = |amount, unserved| {
			let Waterfall { to_renter, to_insurance, to_treasury } = slash_waterfall(amount, unserved, fifth);
			(to_renter, to_insurance, to_treasury)
		};
		assert_eq!(split(1_000, Some(300)), (300, 140, 560));
		// Nobody to compensate, and more to compensate than there is.
		assert_eq!(split(1_000, Some(0)), (0, 200, 800));
		assert_eq!(split(1_000, Some(1_000)), (1_000, 0, 0));
		assert_eq!(split(1_000, Some(u128::MAX)), (1_000, 0, 0));
		// Not known in plancks.
		assert_eq!(split(1_001, None), (500, 100, 401));
		assert_eq!(split(1, None), (0, 0, 1));
		// A fifth of 4 is nothing.
		assert_eq!(split(4, Some(0)), (0, 0, 4));
		assert_eq!(split(0, Some(7)), (0, 0, 0));
		assert_eq!(split(0, None), (0, 0, 0));
	}

	proptest! {
		#[test]
		fn downtime_agrees_with_plain_arithmetic_where_that_fits(
			bond in 0u128..1 << 60,
			parts in 0u32..=1_000_000,
			epochs in 0u32..1_000,
			dark in 0u32..100,
			gpus in 1u32..100,
		) {
			let plain = bond * u128::from(parts) * u128::from(epochs) * u128::from(dark.min(gpus))
				/ (1_000_000_000 * u128::from(gpus));
			prop_assert_eq!(downtime_slash(bond, Perbill::from_parts(parts), epochs, dark, gpus), plain);
		}

		#[test]
		fn downtime_grows_with_what_was_missed(bond: u128, parts in 0u32..=1_000_000_000, epochs: u32, dark: u32, gpus: u32) {
			let slash = |epochs, dark| downtime_slash(bond, Perbill::from_parts(parts), epochs, dark, gpus);
			prop_assert!(slash(epochs, dark) <= slash(epochs.saturating_add(1), dark));
			prop_assert!(slash(epochs, dark) <= slash(epochs, dark.saturating_add(1)));
			prop_assert_eq!(slash(epochs, dark.min(gpus)), slash(epochs, dark));
		}

		#[test]
		fn the_waterfall_loses_nothing(amount: u128, unserved: Option<u128>, parts in 0u32..=1_000_000) {
			let split = slash_waterfall(amount, unserved, Permill::from_parts(parts));
			let rest = split.to_insurance.checked_add(split.to_treasury).unwrap();
			prop_assert_eq!(rest.checked_add(split.to_renter), Some(amount));
			prop_assert!(unserved.is_none_or(|unserved| split.to_renter <= unserved));
			prop_assert!(unserved.is_some() || split.to_renter <= amount / 2);
		}
	}
}
