//! Chance, as the seed decides it.

use millrace_primitives::Moment;

/// Dice whose falls the seed decides: SplitMix64.
pub(super) struct Dice(u64);

impl Dice {
	/// Dice for one purpose, so that one scenario's do not disturb another's.
	pub(super) fn new(seed: u64, purpose: u64) -> Self {
		let mut dice = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
		dice.roll();
		dice
	}

	fn roll(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	pub(super) fn below(&mut self, most: u64) -> u64 {
		self.roll() % most.max(1)
	}

	pub(super) fn percent(&mut self, share: u64) -> bool {
		self.below(100) < share
	}

	/// From zero to one.
	fn unit(&mut self) -> f64 {
		(self.roll() >> 11) as f64 / (1_u64 << 53) as f64
	}

	/// Time to the next event of a process without memory.
	pub(super) fn wait(&mut self, mean: Moment) -> Moment {
		(-(1.0 - self.unit()).ln() * mean as f64) as Moment
	}

	/// Short times as often as long ones, by their logarithm.
	pub(super) fn spread(&mut self, least: Moment, most: Moment) -> Moment {
		let (least, most) = ((least as f64).ln(), (most as f64).ln());
		(least + self.unit() * (most - least)).exp() as Moment
	}
}
