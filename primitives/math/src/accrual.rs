//! Time to money and back.

use sp_arithmetic::{helpers_128bit::multiply_by_rational_with_rounding, Rounding};

/// Milliseconds of one second: rates are per second, time is in milliseconds.
pub const MS_PER_SECOND: u128 = 1_000;

/// Rate of a lease in plancks per second: `price` of one GPU times the number of GPUs. `None` on overflow.
pub fn rate(price: u128, gpus: u32) -> Option<u128> {
	price.checked_mul(u128::from(gpus))
}

/// What `ms` milliseconds cost at `rate` plancks per second, rounded **down** to a planck.
///
/// The product is computed in 256 bits, so the result is exact whenever it fits. `None` when it does not fit.
pub fn accrued(rate: u128, ms: u64) -> Option<u128> {
	multiply_by_rational_with_rounding(rate, u128::from(ms), MS_PER_SECOND, Rounding::Down)
}

/// What must be held so that `term_ms` milliseconds at `rate` plancks per second are paid for, rounded **up** to a planck.
///
/// It is never less than [`accrued`] over any part of the term. `None` on overflow.
pub fn deposit_for(rate: u128, term_ms: u64) -> Option<u128> {
	multiply_by_rational_with_rounding(rate, u128::from(term_ms), MS_PER_SECOND, Rounding::Up)
}

/// For how many milliseconds `amount` plancks pay at `rate` plancks per second, rounded **down**.
///
/// [`accrued`] over the result is never more than `amount`. A time that does not fit is `u64::MAX`, and so is the time when
/// `rate` is zero: a free service is paid for until the end of time.
pub fn funded_ms(amount: u128, rate: u128) -> u64 {
	multiply_by_rational_with_rounding(amount, MS_PER_SECOND, rate, Rounding::Down)
		.and_then(|ms| u64::try_from(ms).ok())
		.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	/// Values of every magnitude, the ends of the range among them.
	fn magnitudes() -> impl Strategy<Value = u128> {
		prop_oneof![
			Just(0),
			Just(1),
			Just(999),
			Just(1_000),
			Just(u128::MAX),
			(any::<u128>(), 0u32..128).prop_map(|(x, shift)| x >> shift)
		]
	}

	fn times() -> impl Strategy<Value = u64> {
		prop_oneof![
			Just(0),
			Just(1),
			Just(u64::MAX),
			(any::<u64>(), 0u32..64).prop_map(|(x, shift)| x >> shift)
		]
	}

	#[test]
	fn examples_worked_by_hand() {
		assert_eq!(rate(7, 3), Some(21));
		assert_eq!(rate(7, 0), Some(0));
		assert_eq!(rate(u128::MAX, 2), None);
		// 3 plancks a second for 1.5 s: 4.5.
		assert_eq!(accrued(3, 1_500), Some(4));
		assert_eq!(deposit_for(3, 1_500), Some(5));
		assert_eq!(funded_ms(5, 3), 1_666);
		assert_eq!(funded_ms(2, 3), 666);
		// Exact divisions do not round.
		assert_eq!(accrued(2, 1_500), Some(3));
		assert_eq!(deposit_for(2, 1_500), Some(3));
		assert_eq!(funded_ms(3, 2), 1_500);
	}

	#[test]
	fn the_ends_of_the_range_are_defined() {
		assert_eq!(accrued(0, u64::MAX), Some(0));
		assert_eq!(accrued(u128::MAX, 0), Some(0));
		assert_eq!(accrued(u128::MAX, 1_000), Some(u128::MAX));
		assert_eq!(accrued(u128::MAX, 1_001), None);
		assert_eq!(deposit_for(u128::MAX, 1_000), Some(u128::MAX));
		assert_eq!(deposit_for(u128::MAX, 1_001), None);
		assert_eq!(deposit_for(1, 1), Some(1));
		assert_eq!(funded_ms(0, 1), 0);
		assert_eq!(funded_ms(0, 0), u64::MAX);
		assert_eq!(funded_ms(u128::MAX, 1), u64::MAX);
		assert_eq!(funded_ms(u128::from(u64::MAX), 1_000), u64::MAX);
		assert_eq!(funded_ms(u128::from(u64::MAX) - 1, 1_000), u64::MAX - 1);
	}

	proptest! {
		#[test]
		fn a_deposit_covers_its_whole_term(rate in magnitudes(), term in times(), part in times()) {
			if let Some(deposit) = deposit_for(rate, term) {
				let part = part.min(term);
				prop_assert!(accrued(rate, part).is_some_and(|cost| cost <= deposit));
				prop_assert!(funded_ms(deposit, rate) >= term);
				// And it is not a planck too high.
				prop_assert!(deposit - accrued(rate, term).unwrap() <= 1);
			}
		}

		#[test]
		fn funded_time_can_be_paid_and_not_one_ms_more(amount in magnitudes(), rate in magnitudes()) {
			let ms = funded_ms(amount, rate);
			if rate > 0 {
				prop_assert!(accrued(rate, ms).is_some_and(|cost| cost <= amount));
			}
			if let Some(one_more) = ms.checked_add(1) {
				prop_assert!(deposit_for(rate, one_more).is_none_or(|cost| cost > amount));
			}
		}

		#[test]
		fn accrual_never_falls_with_time_or_rate(a in magnitudes(), b in magnitudes(), s in times(), t in times()) {
			let (low, high) = (a.min(b), a.max(b));
			let (early, late) = (s.min(t), s.max(t));
			if let Some(most) = accrued(high, late) {
				prop_assert!(accrued(low, late).unwrap() <= most);
				prop_assert!(accrued(high, early).unwrap() <= most);
			}
		}

		#[test]
		fn splitting_time_never_costs_more(rate in magnitudes(), s in 0u64..u64::MAX / 2, t in 0u64..u64::MAX / 2) {
			if let Some(whole) = accrued(rate, s + t) {
				let parts = accrued(rate, s).unwrap() + accrued(rate, t).unwrap();
				prop_assert!(parts <= whole && whole - parts <= 1);
			}
		}

		#[test]
		fn agrees_with_plain_arithmetic_where_that_fits(rate in 0u128..1 << 60, ms in 0u64..1 << 60) {
			let product = rate * u128::from(ms);
			prop_assert_eq!(accrued(rate, ms), Some(product / 1_000));
			prop_assert_eq!(deposit_for(rate, ms), Some(product.div_ceil(1_000)));
		}
	}
}
