//! What is pending of a provider.

use crate::{Config, Pallet, SlashOf, Slashes, SlashesOf};
use alloc::vec::Vec;
use millrace_primitives::{Balance, SlashId};

impl<T: Config> Pallet<T> {
	/// Plancks on hold for all slashes of a provider: what the hold for pending slashes in its account must be.
	pub fn held_by_provider(provider: &T::AccountId) -> Balance {
		let held = Self::pending(provider).map(|(_, slash)| slash.held);
		// Cannot saturate: all of it is part of the issuance.
		held.fold(0, Balance::saturating_add)
	}

	/// The slashes of a provider, oldest first.
	pub(crate) fn sorted_slashes_of(provider: &T::AccountId) -> Vec<(SlashId, SlashOf<T>)> {
		let mut slashes: Vec<_> = Self::pending(provider).collect();
		slashes.sort_by_key(|(id, _)| *id);
		slashes
	}

	fn pending(provider: &T::AccountId) -> impl Iterator<Item = (SlashId, SlashOf<T>)> {
		let ids = SlashesOf::<T>::iter_key_prefix(provider);
		ids.filter_map(|id| Some((id, Slashes::<T>::get(id)?)))
	}
}
