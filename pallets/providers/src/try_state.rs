//! Invariants.

use crate::{
	record::day_of, Capacity, ClassCapacity, Classes, Config, GpuUuids, Gpus, HoldReason, LeaseBonds,
	NextClass, Pallet, Provider, Providers, Records, Workers,
};
use alloc::collections::BTreeMap;
use frame_support::{
	ensure,
	traits::{fungible::InspectHold as _, Time},
};
use millrace_primitives::{Balance, GpuState, MAX_GPUS_PER_PROVIDER};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks every invariant of the pallet.
	///
	/// 1. The hold for the bond equals the active bond and the unbonding chunks, the hold for slashes what is pending, the hold for
	///    the registration the deposit, and no chunk is empty.
	/// 2. The active bond covers the minimum of every GPU, but for what penalties and slashes took. What is locked is the sum of
	///    the lease bonds, each of which is a provider's.
	/// 3. Workers and providers map one to one, a worker has its account reference, and is not its own provider.
	/// 4. Each GPU has a registered provider, a class and an index that was handed out; nobody has too many.
	///    What is counted by class equals a recount.
	/// 5. UUIDs and GPUs map one to one.
	/// 6. The classes are those with a number below the next one.
	/// 7. Uptime is a registered provider's and not from the future, and no more was attested than expected.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		for (who, provider) in Providers::<T>::iter() {
			Self::try_state_bond(&who, &provider)?;
			Self::try_state_worker(&who, &provider)?;
		}
		for (worker, who) in Workers::<T>::iter() {
			let provider = Providers::<T>::get(&who).ok_or("3: worker of nobody")?;
			ensure!(provider.worker == Some(worker), "3: worker is not its provider's");
		}
		for (who, _) in LeaseBonds::<T>::iter_keys() {
			ensure!(Providers::<T>::contains_key(who), "2: lease bond of nobody");
		}
		Self::try_state_gpus()?;
		Self::try_state_classes()?;
		Self::try_state_uptime()
	}

	fn try_state_bond(who: &T::AccountId, provider: &Provider<T::AccountId>) -> Result<(), TryRuntimeError> {
		let at_stake = provider.at_stake().ok_or("1: bond overflows")?;
		let held = |reason: HoldReason| T::Currency::balance_on_hold(&reason.into(), who);
		ensure!(held(HoldReason::Bond) == at_stake, "1: bond differs from hold");
		ensure!(
			held(HoldReason::PendingSlash) == provider.pending_slashes,
			"1: pending slashes differ from hold"
		);
		ensure!(held(HoldReason::Registration) == provider.deposit, "1: deposit differs from hold");
		ensure!(provider.unbonding.iter().all(|chunk| chunk.amount > 0), "1: empty chunk");
		let required = Self::bond_for_gpus(who).map_err(|_| "2: required bond is undefined")?;
		// Sums that do not fit cover everything.
		let taken = provider.pending_slashes.saturating_add(provider.slashed);
		let covered = provider.bonded.saturating_add(provider.penalties).saturating_add(taken);
		ensure!(covered >= required, "2: bond does not cover the GPUs");
		let locked = LeaseBonds::<T>::iter_prefix_values(who).try_fold(0, Balance::checked_add);
		ensure!(locked == Some(provider.locked), "2: lease bonds are not what is locked");
		Ok(())
	}

	fn try_state_worker(
		who: &T::AccountId,
		provider: &Provider<T::AccountId>,
	) -> Result<(), TryRuntimeError> {
		let Some(worker) = &provider.worker else { return Ok(()) };
		ensure!(worker != who, "3: provider is its own worker");
		ensure!(Workers::<T>::get(worker).as_ref() == Some(who), "3: worker is not in the index");
		ensure!(frame_system::Pallet::<T>::sufficients(worker) > 0, "3: worker has no account reference");
		Ok(())
	}

	fn try_state_gpus() -> Result<(), TryRuntimeError> {
		for (who, index, gpu) in Gpus::<T>::iter() {
			let provider = Providers::<T>::get(&who).ok_or("4: GPU of nobody")?;
			ensure!(index.0 < provider.next_gpu, "4: index was never handed out");
			ensure!(Classes::<T>::contains_key(gpu.class), "4: GPU of no class");
			ensure!(
				!gpu.lost || matches!(gpu.state, GpuState::Leased(_)),
				"4: a GPU without a lease is lost"
			);
			ensure!(GpuUuids::<T>::get(gpu.uuid_hash) == Some((who, index)), "5: UUID is not in the index");
		}
		for (uuid_hash, (who, index)) in GpuUuids::<T>::iter() {
			let gpu = Gpus::<T>::get(&who, index).ok_or("5: UUID of no GPU")?;
			ensure!(gpu.uuid_hash == uuid_hash, "5: UUID is not its GPU's");
		}
		for who in Providers::<T>::iter_keys() {
			let gpus = Gpus::<T>::iter_key_prefix(&who).count();
			ensure!(gpus <= MAX_GPUS_PER_PROVIDER as usize, "4: too many GPUs");
		}
		let mut recount: BTreeMap<_, ClassCapacity> = BTreeMap::new();
		for (who, _, gpu) in Gpus::<T>::iter() {
			let entry = recount.entry((who, gpu.class)).or_default();
			*entry = entry.with(Some(gpu));
		}
		let counted = Capacity::<T>::iter().map(|(who, class, capacity)| ((who, class), capacity)).collect();
		ensure!(recount == counted, "4: GPUs are not those that are counted by class");
		Ok(())
	}

	fn try_state_classes() -> Result<(), TryRuntimeError> {
		let next = NextClass::<T>::get();
		ensure!(Classes::<T>::iter_keys().all(|class| class < next), "6: class beyond the next number");
		ensure!(Classes::<T>::iter_keys().count() == next.0 as usize, "6: class is missing");
		Ok(())
	}

	fn try_state_uptime() -> Result<(), TryRuntimeError> {
		let today = day_of(T::Time::now());
		for (who, ring) in Records::<T>::iter() {
			ensure!(Providers::<T>::contains_key(&who), "7: uptime of nobody");
			ensure!(ring.day <= today, "7: uptime is from the future");
			let sound = ring.days.iter().all(|(expected, attested)| attested <= expected);
			ensure!(sound, "7: more was attested than expected");
		}
		Ok(())
	}
}
