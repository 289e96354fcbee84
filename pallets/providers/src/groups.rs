//! Operator groups: providers that say that they have one owner, so that they are counted as one.
//!
//! A group is named after the account that founded it; that needs no call. Whoever wants to join applies, and the founder admits: nobody
//! makes itself, or another, part of somebody's group. Faults are judged by what other owners missed, and leases exclude owners that
//! failed them, so that nobody becomes another owner while it serves a lease.

use crate::{Config, Error, Event, Membership, Pallet, Providers};
use frame_support::ensure;
use sp_runtime::DispatchResult;

impl<T: Config> Pallet<T> {
	/// A provider wants to join a founder's group.
	pub(crate) fn do_apply_to_group(who: T::AccountId, founder: T::AccountId) -> DispatchResult {
		ensure!(who != founder, Error::<T>::OwnGroup);
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		ensure!(!matches!(provider.group, Membership::Member { .. }), Error::<T>::AlreadyInGroup);
		provider.group = Membership::Applied { founder: founder.clone() };
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::GroupApplied { provider: who, founder });
		Ok(())
	}

	/// The founder lets a provider that has applied into its group.
	pub(crate) fn do_admit_to_group(founder: T::AccountId, who: T::AccountId) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let applied = Membership::Applied { founder: founder.clone() };
		ensure!(provider.group == applied, Error::<T>::NotApplied);
		ensure!(!Self::serves_leases(&who), Error::<T>::OwnerInUse);
		provider.group = Membership::Member { founder: founder.clone() };
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(Event::GroupJoined { provider: who, founder });
		Ok(())
	}

	/// A provider's membership or application ends, by itself or by the founder.
	pub(crate) fn do_leave_group(sender: T::AccountId, who: T::AccountId) -> DispatchResult {
		let mut provider = Providers::<T>::get(&who).ok_or(Error::<T>::NotRegistered)?;
		let founder = provider.group.founder().cloned().ok_or(Error::<T>::NotInGroup)?;
		ensure!(sender == who || sender == founder, Error::<T>::NotYourGroup);
		let was_member = matches!(provider.group, Membership::Member { .. });
		ensure!(!was_member || !Self::serves_leases(&who), Error::<T>::OwnerInUse);
		provider.group = Membership::Alone;
		Providers::<T>::insert(&who, provider);
		Self::deposit_event(if was_member {
			Event::GroupLeft { provider: who, founder }
		} else {
			Event::GroupApplicationEnded { provider: who, founder }
		});
		Ok(())
	}
}
