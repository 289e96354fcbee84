//! What only the council can find.

use crate::{types::Slash, Config, Error, Event, Offence, Pallet, SlashStatus, Slashes};
use frame_support::{ensure, traits::Time};
use millrace_primitives::{Balance, BlobHash, ClassId, ProviderInspect, SlashLimit, MAX_GPUS_PER_PROVIDER};
use sp_runtime::{ArithmeticError, DispatchResult, Permill};

/// Least share of the bond that an offence costs.
const MIN_SHARE: Permill = Permill::from_percent(50);

/// An offence, as the council describes it.
pub(crate) struct Finding<AccountId> {
	pub(crate) provider: AccountId,
	pub(crate) offence: Offence,
	pub(crate) class: ClassId,
	pub(crate) gpus: u32,
	pub(crate) share: Permill,
	pub(crate) renter: Option<(AccountId, Balance)>,
	pub(crate) evidence: BlobHash,
}

impl<T: Config> Pallet<T> {
	/// Holds what an offence costs. An error leaves half of it done: callers roll back.
	pub(crate) fn do_condemn(finding: Finding<T::AccountId>) -> DispatchResult {
		let Finding { provider, offence, class, gpus, share, renter, evidence } = finding;
		ensure!(share >= MIN_SHARE, Error::<T>::BadShare);
		ensure!((1..=MAX_GPUS_PER_PROVIDER).contains(&gpus), Error::<T>::BadGpuCount);
		let min_bond = T::Providers::class(class).ok_or(Error::<T>::UnknownClass)?.min_bond;
		let base = min_bond.checked_mul(gpus.into()).ok_or(ArithmeticError::Overflow)?;
		let amount = Self::hold_slash(&provider, share.mul_floor(base), SlashLimit::Stake)?;
		ensure!(amount > 0, Error::<T>::NothingAtStake);

		let now = T::Time::now();
		let executes_at = Self::executes_at();
		let mut slash = Slash {
			provider: provider.clone(),
			// Nothing is judged by it: the council has.
			owner: provider.clone(),
			lease: None,
			renter: renter.as_ref().map(|(renter, _)| renter.clone()),
			cause: offence.into(),
			lease_bond: base,
			held: amount,
			unserved: Some(renter.as_ref().map_or(0, |(_, unserved)| *unserved)),
			faults: Default::default(),
			opened_at: now,
			status: SlashStatus::Deferred { executes_at },
			due: None,
		};
		let id = Self::add(&slash)?;
		slash.due = Some(Self::arm_at(id, Self::block_on_the_way_to(executes_at, now)));
		Slashes::<T>::insert(id, slash);
		Self::deposit_event(Event::Condemned {
			slash: id,
			provider,
			offence,
			class,
			gpus,
			share,
			amount,
			renter,
			executes_at,
			evidence,
		});
		Ok(())
	}
}
