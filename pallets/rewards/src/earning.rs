//! Idle epochs are counted.

use crate::{Config, Earned, Earning, Era, EraTotal, OldestEra, OwnerUnits, Pallet, Totals};
use frame_support::traits::{Get, Time};
use millrace_primitives::{IdleRewards, ProviderInspect};

impl<T: Config> Pallet<T> {
	pub(crate) fn current_era() -> Era {
		// The length is above zero, see `integrity_test`. Clamping is right: no chain lives that long.
		let era = T::Time::now().checked_div(T::EraDuration::get()).unwrap_or(0);
		Era::try_from(era).unwrap_or(Era::MAX)
	}
}

impl<T: Config> IdleRewards<T::AccountId> for Pallet<T> {
	fn note_idle_epoch(provider: &T::AccountId) {
		let rate = T::RewardPerUnit::get();
		if rate == 0 {
			return;
		}
		let Some(facts) = T::Providers::facts(provider).filter(|facts| facts.live) else { return };
		let units = u128::from(T::Providers::idle_units(provider));
		if units == 0 {
			return;
		}
		let era = Self::current_era();
		// The oldest era would otherwise be the chain's time when it began: there is nothing to prune before this one.
		if !OldestEra::<T>::exists() {
			OldestEra::<T>::put(era);
		}
		// None of the sums can saturate: each idle epoch adds less than 2^64, and there are fewer than 2^64 of them.
		let owner = Earned::<T>::mutate(era, provider, |slot| {
			let earning = slot.get_or_insert(Earning { owner: facts.owner, units: 0 });
			earning.units = earning.units.saturating_add(units);
			earning.owner.clone()
		});
		OwnerUnits::<T>::mutate(era, owner, |slot| *slot = Some(slot.unwrap_or(0).saturating_add(units)));
		Totals::<T>::mutate(era, |slot| {
			let total = slot.get_or_insert_with(|| EraTotal { units: 0, rate, budget: T::EraBudget::get() });
			total.units = total.units.saturating_add(units);
		});
	}
}
