//! What may be used to pay: the native token always, other assets as the council allows.

use crate::{AllowedAssets, Config, Error, Event, HoldReason, Pallet};
use frame_support::{
	ensure,
	traits::fungibles::{hold::Inspect as _, Inspect as _},
};
use millrace_primitives::{Asset, Balance};
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	pub(crate) fn asset_is_allowed(asset: Asset) -> bool {
		match asset {
			Asset::Native => true,
			Asset::Token(token) => AllowedAssets::<T>::contains_key(token),
		}
	}

	/// Whether an escrow of that much can be held, leaving the account alive.
	pub(crate) fn escrow_fits(asset: Asset, payer: &T::AccountId, amount: Balance) -> bool {
		amount == 0 || T::Currency::can_hold(asset, &HoldReason::Escrow.into(), payer, amount)
	}

	pub(crate) fn do_allow_asset(token: u32) -> DispatchResult {
		ensure!(T::Currency::asset_exists(Asset::Token(token)), Error::<T>::UnknownAsset);
		ensure!(!AllowedAssets::<T>::contains_key(token), Error::<T>::AssetAllowed);
		AllowedAssets::<T>::insert(token, ());
		Self::deposit_event(Event::AssetAllowed { asset: token });
		Ok(())
	}

	pub(crate) fn do_disallow_asset(token: u32) -> DispatchResult {
		ensure!(AllowedAssets::<T>::take(token).is_some(), Error::<T>::AssetNotAllowed);
		Self::deposit_event(Event::AssetDisallowed { asset: token });
		Ok(())
	}
}
