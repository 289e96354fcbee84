//! Announced maintenance: time in which a provider that serves no lease owes no reports, and is offered to nobody.

use crate::{types::Maintenance, Config, Error, Event, Pallet, Providers};
use frame_support::{
	ensure,
	traits::{Get, Time},
};
use millrace_primitives::Moment;
use sp_runtime::DispatchResult;

/// After a maintenance comes so many times its length without one: at most an eighth of the time is announced away.
const BREAK_FACTOR: u64 = 7;

impl<T: Config> Pallet<T> {
	/// Announces a maintenance, in place of one that has not begun.
	pub(crate) fn do_announce_maintenance(who: T::AccountId, from: Moment, until: Moment) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let now = T::Time::now();
		let announced = Maintenance { from, until, begun: false, over: false };
		ensure!(from < until, Error::<T>::MaintenanceEndsBeforeItBegins);
		// Clamping is right here and below: there is no time after the end of time.
		ensure!(from >= now.saturating_add(T::MaintenanceNotice::get()), Error::<T>::MaintenanceTooSoon);
		ensure!(announced.length() <= T::MaxMaintenance::get(), Error::<T>::MaintenanceTooLong);
		// One that never began needs no break after it, and does not end the break after the one before.
		if let Some(last) = provider.maintenance.filter(|last| last.from <= now) {
			provider.rested_at = last.until.saturating_add(last.length().saturating_mul(BREAK_FACTOR));
		}
		ensure!(from >= provider.rested_at, Error::<T>::MaintenanceTooOften);
		provider.maintenance = Some(announced);
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::MaintenanceAnnounced { provider: who, from, until });
		Ok(())
	}

	/// Takes back a maintenance that has not begun, or ends one that goes on.
	pub(crate) fn do_end_maintenance(who: T::AccountId) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let now = T::Time::now();
		let Some(maintenance) = provider.maintenance.filter(|maintenance| now < maintenance.until) else {
			return Err(Error::<T>::NoMaintenance.into());
		};
		provider.maintenance = maintenance.is_on(now).then_some(Maintenance { until: now, ..maintenance });
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::MaintenanceEnded { provider: who });
		Ok(())
	}
}
