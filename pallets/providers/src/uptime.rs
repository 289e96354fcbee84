//! Uptime: which share of the epochs that a provider owed a report for it attested.

use crate::{types::UptimeRing, Config, Pallet, Providers, Uptime};
use frame_support::traits::Time;
use millrace_primitives::Moment;
use sp_runtime::{Permill, SaturatedConversion};

const MS_PER_DAY: Moment = 24 * 60 * 60 * 1_000;

impl<T: Config> Pallet<T> {
	/// Counts epochs of a registered provider. Nothing happens when there are none.
	pub(crate) fn do_record_epochs(provider: &T::AccountId, expected: u32, attested: u32, now: Moment) {
		if expected == 0 || !Providers::<T>::contains_key(provider) {
			return;
		}
		let today = day_of(now);
		let mut ring =
			Uptime::<T>::get(provider).unwrap_or(UptimeRing { day: today, days: Default::default() });
		millrace_math::count_epochs(&mut ring.days, today.saturating_sub(ring.day), expected, attested);
		Uptime::<T>::insert(provider, UptimeRing { day: today.max(ring.day), ..ring });
	}

	/// Uptime today, over 7 days and over 30 days.
	pub(crate) fn uptime_of(provider: &T::AccountId) -> Option<(Permill, Permill, Permill)> {
		let ring = Uptime::<T>::get(provider)?;
		// Chain time does not go back, so that the newest day is not after today.
		millrace_math::uptime(&ring.days, day_of(T::Time::now()).saturating_sub(ring.day))
	}
}

/// Number of the day, since the Unix epoch.
pub(crate) fn day_of(now: Moment) -> u32 {
	// Clamping is right: 2^32 days are eleven million years.
	(now / MS_PER_DAY).saturated_into()
}
