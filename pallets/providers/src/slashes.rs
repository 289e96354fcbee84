//! What slashes do to the bond: hold, return, take. Whether and how much is decided above.

use crate::{Config, Error, Event, HoldReason, Pallet, Provider, Providers};
use frame_support::{
	ensure,
	traits::{
		fungible::{BalancedHold as _, Credit},
		Get, Imbalance as _, Time,
	},
};
use millrace_primitives::{Balance, SlashLimit};
use sp_runtime::{DispatchError, DispatchResult, SaturatedConversion};

impl<T: Config> Pallet<T> {
	/// See [`BondSlashing::hold_slash`](millrace_primitives::BondSlashing::hold_slash). An error leaves half of it: callers
	/// roll back.
	pub(crate) fn do_hold_slash(
		who: &T::AccountId,
		amount: Balance,
		limit: SlashLimit,
	) -> Result<Balance, DispatchError> {
		let mut provider = Self::slashable(who)?;
		let amount = match limit {
			SlashLimit::Stake => amount,
			SlashLimit::Era => {
				let era = Self::current_era();
				let amount = amount
					.min(provider.left_in_era(era, T::EraSlashCap::get()))
					.min(provider.at_stake().ok_or(Error::<T>::LedgerMismatch)?);
				if amount > 0 {
					provider.count_in_era(era, amount);
				}
				amount
			}
		};
		let held = provider.hold_slash(amount).ok_or(Error::<T>::LedgerMismatch)?;
		if held == 0 {
			return Ok(0);
		}
		Self::give_back(HoldReason::Bond, who, held)?;
		Self::hold(HoldReason::PendingSlash, who, held)?;
		// With less bond fewer GPUs may be leased.
		provider.capacity_changed = true;
		Providers::<T>::insert(who, provider);
		Self::deposit_event(Event::SlashHeld { provider: who.clone(), amount: held });
		Ok(held)
	}

	/// See [`BondSlashing::return_slash`](millrace_primitives::BondSlashing::return_slash).
	pub(crate) fn do_return_slash(who: &T::AccountId, amount: Balance) -> DispatchResult {
		if amount == 0 {
			return Ok(());
		}
		let mut provider = Self::slashable(who)?;
		provider.return_slash(amount).ok_or(Error::<T>::LedgerMismatch)?;
		Self::give_back(HoldReason::PendingSlash, who, amount)?;
		Self::hold(HoldReason::Bond, who, amount)?;
		provider.capacity_changed = true;
		Providers::<T>::insert(who, provider);
		Self::deposit_event(Event::SlashReturned { provider: who.clone(), amount });
		Ok(())
	}

	/// See [`BondSlashing::take_slash`](millrace_primitives::BondSlashing::take_slash).
	pub(crate) fn do_take_slash(
		who: &T::AccountId,
		amount: Balance,
	) -> Result<Credit<T::AccountId, T::Currency>, DispatchError> {
		let mut provider = Self::slashable(who)?;
		provider.take_slash(amount).ok_or(Error::<T>::LedgerMismatch)?;
		let (credit, missing) = T::Currency::slash(&HoldReason::PendingSlash.into(), who, amount);
		ensure!(missing == 0 && credit.peek() == amount, Error::<T>::LedgerMismatch);
		Providers::<T>::insert(who, provider);
		if amount > 0 {
			Self::record_slash(who);
			Self::deposit_event(Event::SlashTaken { provider: who.clone(), amount });
		}
		Ok(credit)
	}

	/// Number of the era, by time.
	fn current_era() -> u32 {
		// Clamping is right: 2^32 eras of a minute are eight thousand years.
		T::Time::now().checked_div(T::EraDuration::get()).unwrap_or(0).saturated_into()
	}

	fn slashable(who: &T::AccountId) -> Result<Provider<T::AccountId>, DispatchError> {
		Ok(Providers::<T>::get(who).ok_or(Error::<T>::NotRegistered)?)
	}
}
