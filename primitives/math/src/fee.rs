//! Fees.

use sp_arithmetic::Permill;

/// Splits `amount` into what the payee gets and the fee, in this order. The fee is rounded **down** to a planck; the two always
/// add up to `amount`.
///
/// Whoever pays one debt in several parts must split the running total and take differences: fees rounded down part by part
/// would add up to less, and to nothing when every part is small.
pub fn split_fee(amount: u128, fee_rate: Permill) -> (u128, u128) {
	let fee = fee_rate.mul_floor(amount).min(amount);
	// Cannot saturate: the fee is at most the amount.
	(amount.saturating_sub(fee), fee)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn examples_worked_by_hand() {
		let two_percent = Permill::from_percent(2);
		assert_eq!(split_fee(0, two_percent), (0, 0));
		assert_eq!(split_fee(49, two_percent), (49, 0));
		assert_eq!(split_fee(50, two_percent), (49, 1));
		assert_eq!(split_fee(1_000, two_percent), (980, 20));
		assert_eq!(split_fee(7, Permill::one()), (0, 7));
		assert_eq!(split_fee(7, Permill::zero()), (7, 0));
		assert_eq!(split_fee(u128::MAX, Permill::one()), (0, u128::MAX));
		assert_eq!(split_fee(u128::MAX, Permill::zero()), (u128::MAX, 0));
	}

	proptest! {
		#[test]
		fn nothing_is_lost(amount: u128, parts in 0u32..=1_000_000) {
			let (net, fee) = split_fee(amount, Permill::from_parts(parts));
			prop_assert_eq!(net.checked_add(fee), Some(amount));
		}

		#[test]
		fn agrees_with_plain_arithmetic_where_that_fits(amount in 0u128..1 << 100, parts in 0u32..=1_000_000) {
			let (_, fee) = split_fee(amount, Permill::from_parts(parts));
			prop_assert_eq!(fee, amount * u128::from(parts) / 1_000_000);
		}

		#[test]
		fn both_shares_grow_with_the_amount(a: u128, b: u128, parts in 0u32..=1_000_000) {
			let rate = Permill::from_parts(parts);
			let ((net_low, fee_low), (net_high, fee_high)) = (split_fee(a.min(b), rate), split_fee(a.max(b), rate));
			prop_assert!(net_low <= net_high && fee_low <= fee_high);
		}
	}
}
