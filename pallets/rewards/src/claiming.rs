//! Rewards are paid.

use crate::{
	idle_reward, Config, Earned, Earning, Era, Error, Event, OwnerUnits, Pallet, Totals, CLAIMABLE_ERAS,
};
use alloc::vec::Vec;
use frame_support::{
	ensure,
	traits::{
		fungible::{Inspect as _, Mutate as _},
		tokens::{Fortitude, Preservation},
		Get,
	},
};
use millrace_primitives::Balance;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn do_claim(era: Era, provider: T::AccountId) -> DispatchResult {
		let current = Self::current_era();
		ensure!(era < current, Error::<T>::EraNotOver);
		// Not left to pruning, which takes as long as it takes.
		ensure!(era >= Self::first_claimable(current), Error::<T>::Expired);
		let earning = Earned::<T>::take(era, &provider).ok_or(Error::<T>::NothingToClaim)?;
		let amount = Self::reward(era, &earning);
		if amount > 0 {
			let pot = T::Pot::get();
			let available = T::Currency::reducible_balance(&pot, Preservation::Preserve, Fortitude::Polite);
			ensure!(amount <= available, Error::<T>::PotEmpty);
			T::Currency::transfer(&pot, &provider, amount, Preservation::Preserve)?;
		}
		Self::deposit_event(Event::RewardPaid { provider, era, units: earning.units, amount });
		Ok(())
	}

	/// First era whose rewards can be claimed.
	pub(crate) fn first_claimable(current: Era) -> Era {
		// Clamping is right: nothing is earned before era zero.
		current.saturating_sub(CLAIMABLE_ERAS)
	}

	pub(crate) fn claimable_by(provider: &T::AccountId) -> Vec<(Era, Balance)> {
		let current = Self::current_era();
		(Self::first_claimable(current)..current)
			.filter_map(|era| Some((era, Self::reward(era, &Earned::<T>::get(era, provider)?))))
			.collect()
	}

	/// What was earned in an era that is over, in plancks. Where a sum were missing it would be zero, which pays nothing.
	fn reward(era: Era, earning: &Earning<T::AccountId>) -> Balance {
		let Some(total) = Totals::<T>::get(era) else { return 0 };
		// An owner without units would have no share: it must not be paid for that.
		let Some(owner_units) = OwnerUnits::<T>::get(era, &earning.owner) else { return 0 };
		idle_reward(earning.units, owner_units, total.units, total.rate, total.budget)
	}
}
