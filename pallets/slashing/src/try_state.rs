//! Invariants.

use crate::{
	Agenda, AgendaCursor, Config, Episodes, HoldReason, NextSlash, Pallet, SlashOf, SlashStatus, Slashes,
	SlashesOf,
};
use alloc::collections::{BTreeMap, BTreeSet};
use frame_support::{ensure, traits::fungible::hold::Inspect as _};
use millrace_primitives::{Balance, SlashId};
use sp_runtime::TryRuntimeError;

type Invariant = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. Every open slash is that of the episode of its provider and lease, and has no entry in the agenda. Every episode has
	///    its slash.
	/// 2. Every other slash has one entry in the agenda, not before the cursor, and every entry has its slash.
	/// 3. The index of providers equals a recount.
	/// 4. What is held covers what is held for faults that may be excused; so does what was not served. No more is held than
	///    the bond that it is about.
	/// 5. No two unjudged faults of a slash are of the same epoch.
	/// 6. The bonds held of each provider are those of its appeals.
	/// 7. No slash is kept whose episode is over and of which nothing is left.
	/// 8. The next number is above all that are in use.
	pub fn do_try_state() -> Invariant {
		let mut bonds = BTreeMap::<T::AccountId, Balance>::new();
		let mut index = BTreeSet::<(T::AccountId, SlashId)>::new();
		let (mut episodes, mut entries) = (0_usize, 0_usize);
		let next = NextSlash::<T>::get();
		for (id, slash) in Slashes::<T>::iter() {
			ensure!(id < next, "8: slash without a number");
			try_state_amounts::<T>(&slash)?;
			if slash.status == SlashStatus::Open {
				Self::try_state_open(id, &slash)?;
				episodes = episodes.saturating_add(1);
			} else {
				Self::try_state_ended(id, &slash)?;
				entries = entries.saturating_add(1);
			}
			let sum = bonds.entry(slash.provider.clone()).or_default();
			*sum = sum.checked_add(slash.appeal_bond().unwrap_or(0)).ok_or("6: bonds overflow")?;
			index.insert((slash.provider, id));
		}
		ensure!(Episodes::<T>::iter_keys().count() == episodes, "1: episode without a slash");
		ensure!(Agenda::<T>::iter_keys().count() == entries, "2: entry of the agenda without a slash");
		ensure!(
			SlashesOf::<T>::iter_keys().collect::<BTreeSet<_>>() == index,
			"3: index differs from recount"
		);
		for (provider, sum) in bonds {
			let held = T::Currency::balance_on_hold(&HoldReason::AppealBond.into(), &provider);
			ensure!(held == sum, "6: bonds differ from appeals");
		}
		Ok(())
	}

	fn try_state_open(id: SlashId, slash: &SlashOf<T>) -> Invariant {
		let lease = slash.lease.ok_or("1: open slash without a lease")?;
		ensure!(Episodes::<T>::get(&slash.provider, lease) == Some(id), "1: open slash without an episode");
		ensure!(slash.due.is_none(), "1: open slash in the agenda");
		Ok(())
	}

	fn try_state_ended(id: SlashId, slash: &SlashOf<T>) -> Invariant {
		let due = slash.due.ok_or("2: slash is never due")?;
		ensure!(Agenda::<T>::contains_key(due, id), "2: slash without an entry in the agenda");
		ensure!(due >= AgendaCursor::<T>::get(), "2: the agenda has passed a slash");
		ensure!(slash.held > 0 || !slash.faults.is_empty(), "7: nothing is left of a slash");
		Ok(())
	}
}

fn try_state_amounts<T: Config>(slash: &SlashOf<T>) -> Invariant {
	let faults = || slash.faults.iter();
	let held = faults().try_fold(0, |sum: Balance, fault| sum.checked_add(fault.amount));
	ensure!(held.is_some_and(|held| held <= slash.held), "4: more may be excused than is held");
	// As the slash adds it up.
	let unserved = faults().fold(0, |sum: Balance, fault| sum.saturating_add(fault.unserved));
	ensure!(
		slash.unserved.is_none_or(|total| unserved <= total),
		"4: more may be excused than was not served"
	);
	ensure!(slash.held <= slash.lease_bond, "4: more is held than the bond");
	let epochs: BTreeSet<_> = faults().map(|fault| fault.epoch).collect();
	ensure!(epochs.len() == slash.faults.len(), "5: two faults of one epoch");
	Ok(())
}
