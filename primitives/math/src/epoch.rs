//! Epochs of reports. Each provider's epochs begin at its own offset, so that reports spread over the blocks.

/// Offset of a provider's epochs, in blocks and less than `length`, from a hash of the provider.
///
/// The first eight bytes of the hash, little-endian, modulo `length`. Zero when `length` is zero.
pub fn epoch_offset(hash: &[u8; 32], length: u32) -> u32 {
	let [a, b, c, d, e, f, g, h, ..] = *hash;
	let spread = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
	spread.checked_rem(u64::from(length)).and_then(|offset| u32::try_from(offset).ok()).unwrap_or(0)
}

/// Number of the epoch that a block is in: `(block + offset) / length`, rounded **down**.
///
/// `offset` counts modulo `length`. A `length` of zero counts as one block.
pub fn epoch_of(block: u32, offset: u32, length: u32) -> u32 {
	let length = u64::from(length.max(1));
	let epoch = (u64::from(block) + u64::from(offset) % length) / length;
	// Cannot saturate: with a length of one the offset is zero, and with a longer one the quotient is smaller.
	u32::try_from(epoch).unwrap_or(u32::MAX)
}

/// First block of the epoch after `epoch`: `(epoch + 1) * length - offset`.
///
/// `offset` counts modulo `length`. A `length` of zero counts as one block. A block that does not fit is `u32::MAX`.
pub fn epoch_end(epoch: u32, offset: u32, length: u32) -> u32 {
	let length = u64::from(length.max(1));
	// Neither overflows: both factors of the product are at most 2^32, and the offset is less than one length.
	let end = (u64::from(epoch) + 1).saturating_mul(length).saturating_sub(u64::from(offset) % length);
	u32::try_from(end).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
	use super::*;
	use proptest::prelude::*;

	#[test]
	fn examples_worked_by_hand() {
		assert_eq!(epoch_of(0, 0, 10), 0);
		assert_eq!(epoch_of(9, 0, 10), 0);
		assert_eq!(epoch_of(10, 0, 10), 1);
		assert_eq!(epoch_of(6, 3, 10), 0);
		assert_eq!(epoch_of(7, 3, 10), 1);
		assert_eq!(epoch_end(0, 3, 10), 7);
		assert_eq!(epoch_end(1, 3, 10), 17);
		let mut hash = [0u8; 32];
		hash[0] = 23;
		assert_eq!(epoch_offset(&hash, 10), 3);
	}

	#[test]
	fn the_ends_of_the_range_are_defined() {
		assert_eq!(epoch_offset(&[255; 32], 0), 0);
		assert_eq!(epoch_offset(&[255; 32], 1), 0);
		assert_eq!(epoch_of(u32::MAX, u32::MAX, 0), u32::MAX);
		assert_eq!(epoch_of(u32::MAX, u32::MAX, 1), u32::MAX);
		assert_eq!(epoch_end(u32::MAX, 0, u32::MAX), u32::MAX);
		assert_eq!(epoch_end(0, 0, 0), 1);
	}

	proptest! {
		#[test]
		fn an_offset_is_less_than_its_length(hash: [u8; 32], length in 1u32..) {
			prop_assert!(epoch_offset(&hash, length) < length);
		}

		#[test]
		fn the_end_is_the_first_block_of_the_next_epoch(block: u32, offset: u32, length: u32) {
			let epoch = epoch_of(block, offset, length);
			let end = epoch_end(epoch, offset, length);
			if end < u32::MAX {
				prop_assert!(block < end);
				prop_assert_eq!(epoch_of(end, offset, length), epoch + 1);
				prop_assert_eq!(epoch_of(end - 1, offset, length), epoch);
			}
		}

		#[test]
		fn epochs_never_go_back(block in 0u32..u32::MAX, offset: u32, length: u32) {
			let (now, next) = (epoch_of(block, offset, length), epoch_of(block + 1, offset, length));
			prop_assert!(next == now || next == now + 1);
		}
	}
}
