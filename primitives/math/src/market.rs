//! Deposits of the market, and the end of a lease's funds.

use crate::MS_PER_SECOND;
use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

/// Deposit of the next object of an account that has `open` of them: `base x (open + 1)`. `None` on overflow.
///
/// The n-th object costs n times as much as the first, so that n of them cost about n²/2 times as much: one
/// account cannot fill the market with what it does not mean.
pub fn rising_deposit(base: u128, open: u32) -> Option<u128> {
	base.checked_mul(u128::from(open).checked_add(1)?)
}

/// `amount` and `premium` of it on top, rounded **up**. `None` on overflow.
pub fn with_premium(amount: u128, premium: Permill) -> Option<u128> {
	amount.checked_add(premium.mul_ceil(amount))
}

/// When `free` is used up if every stream is attested from its last attestation on, in the streams' own clock.
///
/// A stream is its rate per second and the moment of its last attestation, in milliseconds. Rounded **down**: at the result
/// nothing more than `free` is earned. `u64::MAX` if that is never, or if it does not fit.
pub fn funds_end(free: u128, streams: &[(u128, u64)]) -> u64 {
	let newest = streams.iter().map(|(_, attested_at)| *attested_at).max().unwrap_or(u64::MAX);
	let rate = streams.iter().try_fold(0, |sum: u128, (rate, _)| sum.checked_add(*rate));
	// What the streams that lag behind the newest will have earned when they have caught up with it.
	let behind = streams.iter().try_fold(0, |sum: u128, (rate, attested_at)| {
		let ms = u128::from(newest.saturating_sub(*attested_at));
		sum.checked_add(multiply_by_rational_with_rounding(*rate, ms, MS_PER_SECOND, Rounding::Up)?)
	});
	let (Some(rate), Some(behind)) = (rate, behind) else {
		// Rates that do not fit into a balance use up any funds at once.
		return newest;
	};
	if rate == 0 {
		return u64::MAX;
	}
	match free.checked_sub(behind) {
		Some(left) => newest.saturating_add(crate::funded_ms(left, rate)),
		// They end before the newest attestation: at the latest there.
		None => newest,
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{accrued, deposit_for};
	use proptest::prelude::*;

	#[test]
	fn examples_worked_by_hand() {
		assert_eq!(rising_deposit(10, 0), Some(10));
		assert_eq!(rising_deposit(10, 3), Some(40));
		assert_eq!(rising_deposit(u128::MAX, 1), None);
		assert_eq!(with_premium(100, Permill::from_percent(10)), Some(110));
		assert_eq!(with_premium(101, Permill::from_percent(10)), Some(112));
		assert_eq!(with_premium(7, Permill::zero()), Some(7));
		assert_eq!(with_premium(u128::MAX, Permill::from_percent(1)), None);
		// 10 a second from 1 s on: 100 last for 10 s.
		assert_eq!(funds_end(100, &[(10, 1_000)]), 11_000);
		// The second stream is 2 s behind: 20 of the 100 are its own.
		assert_eq!(funds_end(100, &[(10, 3_000), (10, 1_000)]), 3_000 + 4_000);
		assert_eq!(funds_end(5, &[(10, 3_000), (10, 1_000)]), 3_000);
		assert_eq!(funds_end(100, &[]), u64::MAX);
		assert_eq!(funds_end(100, &[(0, 5)]), u64::MAX);
		assert_eq!(funds_end(u128::MAX, &[(u128::MAX, 5), (1, 5)]), 5);
	}

	proptest! {
		#[test]
		fn a_premium_never_costs_less(amount in 0..u128::MAX / 3, parts in 0u32..=1_000_000) {
			let with = with_premium(amount, Permill::from_parts(parts)).unwrap();
			prop_assert!(with >= amount && with <= amount + amount + 1);
		}

		#[test]
		fn deposits_rise(base in 1u128..1 << 64, open: u32) {
			prop_assert!(rising_deposit(base, open).unwrap() >= base);
			if let Some(more) = open.checked_add(1) {
				prop_assert!(rising_deposit(base, more) > rising_deposit(base, open));
			}
		}

		#[test]
		fn nothing_beyond_the_funds_is_earned_at_their_end(
			free in 0u128..1 << 50,
			streams in prop::collection::vec((1u128..1 << 40, 0u64..1 << 40), 1..8),
		) {
			let end = funds_end(free, &streams);
			let newest = streams.iter().map(|(_, at)| *at).max().unwrap();
			prop_assert!(end >= newest);
			let earned: u128 = streams.iter().map(|(rate, at)| accrued(*rate, end - at).unwrap()).sum();
			prop_assert!(end == newest || earned <= free);
			// And it is not early by more than the rounding of each stream.
			let costs: u128 = streams.iter().map(|(rate, at)| deposit_for(*rate, end - at + 2).unwrap()).sum();
			prop_assert!(costs + streams.len() as u128 >= free);
		}
	}
}
