//! A delegate makes a call in the owner's name.

use crate::{Allowance, Allowances, Committed, Config, Error, Event, Pallet, Spend, Spending, WeightInfo};
use frame_support::{
	dispatch::{
		extract_actual_weight, DispatchErrorWithPostInfo, DispatchResultWithPostInfo, GetDispatchInfo,
		WithPostDispatchInfo,
	},
	ensure,
	storage::with_storage_layer,
	traits::Time,
};
use frame_system::RawOrigin;
use millrace_primitives::{Asset, Balance};
use sp_runtime::{traits::Dispatchable, DispatchError};

impl<T: Config> Pallet<T> {
	pub(crate) fn do_spend(
		owner: T::AccountId,
		delegate: T::AccountId,
		call: <T as Config>::RuntimeCall,
	) -> DispatchResultWithPostInfo {
		let own_weight = T::WeightInfo::spend();
		let (allowance, spend) =
			Self::check_spend(&owner, &delegate, &call).map_err(|error| error.with_weight(own_weight))?;
		with_storage_layer::<_, DispatchErrorWithPostInfo, _>(|| {
			let before = Measured::<T>::of(&owner, allowance.asset, spend.asset);
			let info = call.get_dispatch_info();
			let result = call.dispatch(RawOrigin::Signed(owner.clone()).into());
			let weight = own_weight.saturating_add(extract_actual_weight(&result, &info));
			result.map_err(|failure| failure.error.with_weight(weight))?;
			let amount = before.raised(&owner).map_err(|error| error.with_weight(weight))?;
			let remaining =
				Self::deduct(&owner, &delegate, amount).map_err(|error| error.with_weight(weight))?;
			Self::deposit_event(Event::Spent { owner, delegate, amount, remaining });
			Ok(Some(weight).into())
		})
	}

	/// What can be told before the call is made.
	fn check_spend(
		owner: &T::AccountId,
		delegate: &T::AccountId,
		call: &<T as Config>::RuntimeCall,
	) -> Result<(Allowance, Spend), DispatchError> {
		let allowance = Allowances::<T>::get(owner, delegate).ok_or(Error::<T>::NoAllowance)?;
		ensure!(!allowance.is_expired(T::Time::now()), Error::<T>::AllowanceExpired);
		let spend = T::Spendable::spend(call).ok_or(Error::<T>::CallNotAllowed)?;
		// Rates can be compared in one asset only.
		ensure!(spend.rate == 0 || spend.asset == allowance.asset, Error::<T>::OtherAsset);
		ensure!(spend.rate <= allowance.max_rate, Error::<T>::RateTooHigh);
		Ok((allowance, spend))
	}

	/// Takes the amount off the allowance. Returns what is left.
	fn deduct(
		owner: &T::AccountId,
		delegate: &T::AccountId,
		amount: Balance,
	) -> Result<Balance, DispatchError> {
		// Read again: what is stored counts, whatever the call has done.
		Allowances::<T>::try_mutate(owner, delegate, |allowance| {
			let allowance = allowance.as_mut().ok_or(Error::<T>::NoAllowance)?;
			allowance.remaining =
				allowance.remaining.checked_sub(amount).ok_or(Error::<T>::AllowanceExceeded)?;
			Ok(allowance.remaining)
		})
	}
}

/// What was committed of an owner before a call.
struct Measured<T> {
	/// The allowance's asset.
	asset: Asset,
	/// Committed in that asset.
	committed: Balance,
	/// The other assets that the call can touch, and what was committed in them. One can be named twice, which does no harm.
	others: [(Asset, Balance); 2],
	_config: core::marker::PhantomData<T>,
}

impl<T: Config> Measured<T> {
	fn of(owner: &T::AccountId, asset: Asset, touched: Asset) -> Self {
		let committed = |asset| T::Committed::committed(owner, asset);
		Self {
			asset,
			committed: committed(asset),
			others: [Asset::Native, touched].map(|other| (other, committed(other))),
			_config: core::marker::PhantomData,
		}
	}

	/// By how much the call has raised what is committed in the allowance's asset.
	fn raised(&self, owner: &T::AccountId) -> Result<Balance, DispatchError> {
		for (other, before) in self.others {
			let raised = T::Committed::committed(owner, other) > before;
			ensure!(other == self.asset || !raised, Error::<T>::OtherAsset);
		}
		// Clamped on purpose: what came back to the owner does not restore the allowance.
		Ok(T::Committed::committed(owner, self.asset).saturating_sub(self.committed))
	}
}
