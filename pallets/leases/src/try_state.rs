//! Invariants, checked after every test and by `try-runtime`.

use crate::{
	pallet::{
		Agenda, AgendaCursor, Asks, AsksOf, Book, Config, HoldReason, Jobs, Leases, Pallet, ProviderLeases,
	},
	types::{AgendaItem, BookKey, MAX_JOBS_PER_LEASE},
};
use alloc::collections::{btree_map::BTreeMap, btree_set::BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{Escrow, GpuState, LeaseStatus, ProviderInspect};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the numbered invariants of the crate's documentation.
	pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_state_deposits()?;
		Self::try_state_book()?;
		Self::try_state_lists()?;
		Self::try_state_gpus()?;
		Self::try_state_agenda()?;
		Self::try_state_jobs()?;
		Self::try_state_times()
	}

	/// 1. The deposits held of a provider are those of its asks.
	fn try_state_deposits() -> Result<(), TryRuntimeError> {
		let mut deposits = BTreeMap::new();
		for ask in Asks::<T>::iter_values() {
			let sum: &mut u128 = deposits.entry(ask.provider).or_default();
			*sum = sum.saturating_add(ask.deposit);
		}
		for (provider, sum) in deposits {
			let held = T::Currency::balance_on_hold(&HoldReason::AskDeposit.into(), &provider);
			ensure!(held == sum, "1: the deposit held is not the sum of the asks'");
		}
		Ok(())
	}

	/// 2. The book has exactly the asks with GPUs left; what is left is the offer less what is leased through
	///    it.
	fn try_state_book() -> Result<(), TryRuntimeError> {
		let mut leased = BTreeMap::new();
		for lease in Leases::<T>::iter_values() {
			let sum: &mut u32 = leased.entry(lease.ask).or_default();
			*sum = sum.saturating_add(lease.gpus.len() as u32);
		}
		let mut listed = 0;
		for (id, ask) in Asks::<T>::iter() {
			let taken = leased.get(&id).copied().unwrap_or(0);
			ensure!(ask.left.checked_add(taken) == Some(ask.gpus), "2: what is left of an ask is wrong");
			let in_book = Book::<T>::contains_key(ask.class, BookKey::new(ask.price, id));
			ensure!(in_book == (ask.left > 0), "2: the book does not have exactly the asks with GPUs left");
			listed += usize::from(in_book);
		}
		ensure!(Book::<T>::iter_keys().count() == listed, "2: the book lists an ask that does not exist");
		Ok(())
	}

	/// 3. The lists of a provider's asks and leases equal a recount.
	fn try_state_lists() -> Result<(), TryRuntimeError> {
		let mut asks = BTreeMap::new();
		for (id, ask) in Asks::<T>::iter() {
			asks.entry(ask.provider).or_insert_with(BTreeSet::new).insert(id);
		}
		let mut listed = BTreeMap::new();
		for (provider, list) in AsksOf::<T>::iter() {
			ensure!(list.windows(2).all(|pair| pair[0] < pair[1]), "3: a list of asks is not sorted");
			listed.insert(provider, list.into_iter().collect());
		}
		ensure!(asks == listed, "3: a list of asks is not a recount");

		let mut leases = BTreeMap::new();
		for (id, lease) in Leases::<T>::iter() {
			leases.entry(lease.provider).or_insert_with(BTreeSet::new).insert(id);
		}
		let mut listed = BTreeMap::new();
		for (provider, list) in ProviderLeases::<T>::iter() {
			ensure!(list.windows(2).all(|pair| pair[0] < pair[1]), "3: a list of leases is not sorted");
			listed.insert(provider, list.into_iter().collect());
		}
		ensure!(leases == listed, "3: a list of leases is not a recount");
		Ok(())
	}

	/// 4. A GPU serves at most one lease, and the registry agrees on which.
	fn try_state_gpus() -> Result<(), TryRuntimeError> {
		let mut serving = BTreeSet::new();
		for (id, lease) in Leases::<T>::iter() {
			ensure!(!lease.gpus.is_empty(), "4: a lease has no GPU");
			for gpu in lease.gpus {
				let known = T::Providers::gpu(&lease.provider, gpu).map(|(class, _, state)| (class, state));
				ensure!(
					known == Some((lease.class, GpuState::Leased(id))),
					"4: the registry does not have a lease's GPU as leased to it"
				);
				ensure!(serving.insert((lease.provider.clone(), gpu)), "4: a GPU serves two leases");
			}
		}
		Ok(())
	}

	/// 5. Every ask and lease has exactly one entry in the agenda, not before the cursor; every entry has its
	///    object.
	fn try_state_agenda() -> Result<(), TryRuntimeError> {
		let cursor = AgendaCursor::<T>::get();
		let mut objects = 0;
		let asks = Asks::<T>::iter().map(|(id, ask)| (ask.due, AgendaItem::Ask(id)));
		let leases = Leases::<T>::iter().map(|(id, lease)| (lease.due, AgendaItem::Lease(id)));
		for (due, item) in asks.chain(leases) {
			ensure!(Agenda::<T>::contains_key(due, item), "5: an object has no entry in the agenda");
			ensure!(due >= cursor, "5: the agenda has passed an object's entry");
			objects += 1;
		}
		ensure!(Agenda::<T>::iter_keys().count() == objects, "5: an entry of the agenda has no object");
		Ok(())
	}

	/// 6. Counts of jobs equal a recount and keep their bound; no job outlives its lease.
	fn try_state_jobs() -> Result<(), TryRuntimeError> {
		let mut counts = BTreeMap::new();
		for (lease, id, job) in Jobs::<T>::iter() {
			let record = Leases::<T>::get(lease).ok_or("6: a job has no lease")?;
			ensure!(id < record.next_job, "6: a job has a number that was not given out");
			let (open, finished): &mut (u32, u32) = counts.entry(lease).or_default();
			*if job.outcome.is_none() { open } else { finished } += 1;
		}
		for (id, lease) in Leases::<T>::iter() {
			let count = counts.get(&id).copied().unwrap_or((0, 0));
			ensure!(count == (lease.open_jobs, lease.finished_jobs), "6: a count of jobs is not a recount");
			ensure!(count.0.saturating_add(count.1) <= MAX_JOBS_PER_LEASE, "6: a lease has too many jobs");
		}
		Ok(())
	}

	/// 7. Stored leases are not closed, have an escrow, and their times follow from the status.
	fn try_state_times() -> Result<(), TryRuntimeError> {
		for (id, lease) in Leases::<T>::iter() {
			ensure!(!matches!(lease.status, LeaseStatus::Closed(_)), "7: a closed lease is stored");
			ensure!(T::Escrow::funded_ms(id.into()).is_some(), "7: a lease has no escrow");
			ensure!(
				lease.ready_at.is_none() == (lease.status == LeaseStatus::Pending),
				"7: a lease is ready exactly when it is not pending"
			);
			let ends_at = lease.ready_at.map(|ready| ready.saturating_add(lease.term_ms));
			ensure!(lease.ends_at == ends_at, "7: the end of a lease is not its begin and its term");
			ensure!(
				lease.attested_at >= lease.ready_at.unwrap_or(lease.opened_at),
				"7: attested before it began"
			);
			ensure!(lease.term_ms <= lease.max_term_ms, "7: the term is longer than allowed");
		}
		Ok(())
	}
}
