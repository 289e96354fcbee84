//! The record of a provider's service: which share of the epochs that it owed a report for it attested, how its leases ended,
//! and the reputation that follows.

use crate::{types::ServiceRecord, Config, Pallet, Providers, Records};
use frame_support::traits::Time;
use millrace_primitives::{Moment, ServiceOutcome};
use sp_runtime::{Permill, SaturatedConversion};

const MS_PER_DAY: Moment = 24 * 60 * 60 * 1_000;

impl<T: Config> Pallet<T> {
	/// Counts epochs of a registered provider. Nothing happens when there are none. With `idle_since`, the provider served no
	/// lease since that time: what it missed while its announced maintenance went on is not counted, in proportion to the time,
	/// rounded in its favour.
	pub(crate) fn do_record_epochs(
		provider: &T::AccountId,
		expected: u32,
		attested: u32,
		idle_since: Option<Moment>,
		now: Moment,
	) {
		let Some(registered) = Providers::<T>::get(provider) else { return };
		let excused = match (registered.maintenance, idle_since) {
			(Some(maintenance), Some(since)) => {
				let missed = expected.saturating_sub(attested);
				let share =
					Permill::from_rational(maintenance.overlap(since, now), now.saturating_sub(since).max(1));
				share.mul_ceil(missed)
			}
			_ => 0,
		};
		let expected = expected.saturating_sub(excused);
		if expected == 0 {
			return;
		}
		Self::change_record(provider, now, |record, today| {
			let passed = today.saturating_sub(record.day);
			millrace_math::count_epochs(&mut record.days, passed, expected, attested);
			record.day = today.max(record.day);
		});
	}

	/// Counts how a lease of a registered provider ended.
	pub(crate) fn do_record_outcome(provider: &T::AccountId, outcome: ServiceOutcome) {
		if !Providers::<T>::contains_key(provider) {
			return;
		}
		Self::change_record(provider, T::Time::now(), |record, _| {
			let count = match outcome {
				ServiceOutcome::Completed => &mut record.completed,
				ServiceOutcome::Faulted => &mut record.faulted,
				ServiceOutcome::Rejected => &mut record.rejected,
			};
			// Clamping is right: nobody had that many leases.
			*count = count.saturating_add(1);
		});
	}

	/// Counts an executed slash of a registered provider.
	pub(crate) fn record_slash(provider: &T::AccountId) {
		Self::change_record(provider, T::Time::now(), |record, _| {
			// Clamping is right: nobody had that many.
			record.slashed = record.slashed.saturating_add(1);
		});
	}

	fn change_record(provider: &T::AccountId, now: Moment, change: impl FnOnce(&mut ServiceRecord, u32)) {
		let today = day_of(now);
		let mut record = Records::<T>::get(provider).unwrap_or(ServiceRecord::beginning(today));
		change(&mut record, today);
		Records::<T>::insert(provider, record);
	}

	/// Uptime today, over 7 days and over 30 days.
	pub(crate) fn uptime_of(provider: &T::AccountId) -> Option<(Permill, Permill, Permill)> {
		Records::<T>::get(provider)?.uptime(day_of(T::Time::now()))
	}

	/// Reputation now.
	pub(crate) fn reputation_of(provider: &T::AccountId) -> Permill {
		let today = day_of(T::Time::now());
		Records::<T>::get(provider).map_or(Permill::zero(), |record| record.reputation(today))
	}
}

/// Number of the day, since the Unix epoch.
pub(crate) fn day_of(now: Moment) -> u32 {
	// Clamping is right: 2^32 days are eleven million years.
	(now / MS_PER_DAY).saturated_into()
}
