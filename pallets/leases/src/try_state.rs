//! Invariants, checked after every test and by `try-runtime`.

use crate::{
	pallet::{
		Agenda, AgendaCursor, Asks, AsksOf, Bids, BidsOf, Book, Config, HoldReason, Jobs, Leases, Orders,
		OrdersOf, Pallet, Payments, ProviderLeases, RestingOrders, Rounds,
	},
	types::{AgendaItem, BookKey, Waiting, MAX_BIDS_PER_ORDER, MAX_JOBS_PER_LEASE},
};
use alloc::collections::{btree_map::BTreeMap, btree_set::BTreeSet};
use frame_support::{ensure, traits::fungible::InspectHold};
use millrace_primitives::{Balance, Escrow, GpuState, LeaseStatus, NodeStatus, ProviderInspect};
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the numbered invariants of the crate's documentation.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		Self::try_state_deposits()?;
		Self::try_state_book()?;
		Self::try_state_lists()?;
		Self::try_state_gpus()?;
		Self::try_state_agenda()?;
		Self::try_state_counts()?;
		Self::try_state_times()?;
		Self::try_state_resting()
	}

	/// 1. The deposits held are those of the account's asks, waiting orders and bids.
	fn try_state_deposits() -> Result<(), TryRuntimeError> {
		let mut due: BTreeMap<T::AccountId, [Balance; 3]> = BTreeMap::new();
		let mut add = |who: T::AccountId, kind: usize, deposit: Balance| {
			if let Some(sum) = due.entry(who).or_default().get_mut(kind) {
				*sum = sum.saturating_add(deposit);
			}
		};
		Asks::<T>::iter_values().for_each(|ask| add(ask.provider, 0, ask.deposit));
		Orders::<T>::iter_values().for_each(|order| add(order.renter, 1, order.deposit));
		Bids::<T>::iter().for_each(|(_, provider, bid)| add(provider, 2, bid.deposit));
		for who in frame_system::Account::<T>::iter_keys() {
			let held = [HoldReason::AskDeposit, HoldReason::OrderDeposit, HoldReason::BidDeposit]
				.map(|reason| T::Currency::balance_on_hold(&reason.into(), &who));
			let due = due.remove(&who).unwrap_or_default();
			ensure!(held == due, "1: the deposits held are not those of the account's objects");
		}
		ensure!(due.is_empty(), "1: a deposit of an account that does not exist");
		Ok(())
	}

	/// 2. The book has exactly the asks that can be taken; what is taken of an ask is what is leased through it.
	fn try_state_book() -> Result<(), TryRuntimeError> {
		let mut leased = BTreeMap::new();
		for node in Leases::<T>::iter_values().flat_map(|lease| lease.nodes) {
			if let Some(ask) = node.ask {
				let sum: &mut u32 = leased.entry(ask).or_default();
				*sum = sum.saturating_add(node.gpus.len() as u32);
			}
		}
		let mut listed = 0;
		for (id, ask) in Asks::<T>::iter() {
			let taken = leased.get(&id).copied().unwrap_or(0);
			ensure!(ask.taken == taken, "2: what is taken of an ask is not what is leased through it");
			ensure!(ask.taken <= ask.terms.gpus, "2: more is taken of an ask than it offers");
			let in_book = Book::<T>::contains_key(ask.market(), BookKey::of_ask(ask.terms.price, id));
			let can_be_taken = ask.left() > 0
				&& T::Providers::facts(&ask.provider).is_some_and(|facts| facts.live)
				&& T::Providers::free_gpus(&ask.provider, ask.terms.class) > 0;
			ensure!(in_book == can_be_taken, "2: the book does not have exactly the asks that can be taken");
			listed += usize::from(in_book);
		}
		ensure!(Book::<T>::iter_keys().count() == listed, "2: the book lists an ask that does not exist");
		Ok(())
	}

	/// 3. The lists of a provider's asks, bids and leases, and of a renter's orders, equal a recount.
	fn try_state_lists() -> Result<(), TryRuntimeError> {
		let asks = recount(Asks::<T>::iter().map(|(id, ask)| (ask.provider, id)));
		let listed = BTreeMap::from_iter(AsksOf::<T>::iter().map(|(who, list)| (who, list.into_inner())));
		ensure!(asks == listed, "3: a list of asks is not a recount");

		let orders = recount(Orders::<T>::iter().map(|(id, order)| (order.renter, id)));
		let listed = BTreeMap::from_iter(OrdersOf::<T>::iter().map(|(who, list)| (who, list.into_inner())));
		ensure!(orders == listed, "3: a list of orders is not a recount");

		let serving = Leases::<T>::iter().flat_map(|(id, lease)| {
			let has_provider = |status| !matches!(status, NodeStatus::Faulted { .. });
			let nodes = lease.nodes.into_iter().filter(move |node| has_provider(node.status));
			nodes.map(move |node| (node.provider, id))
		});
		let leases = recount(serving);
		let listed =
			BTreeMap::from_iter(ProviderLeases::<T>::iter().map(|(who, list)| (who, list.into_inner())));
		ensure!(leases == listed, "3: a list of leases is not a recount");

		// This list has the order of the bids, so that only its members can be compared.
		let bids = recount(Bids::<T>::iter().map(|(order, provider, _)| (provider, order)));
		let listed = BidsOf::<T>::iter().map(|(who, list)| {
			let mut list = list.into_inner();
			list.sort();
			(who, list)
		});
		ensure!(bids == BTreeMap::from_iter(listed), "3: a list of bids is not a recount");
		Ok(())
	}

	/// 4. A GPU serves at most one lease, and the registry agrees on which. A provider serves at most one node of a lease.
	fn try_state_gpus() -> Result<(), TryRuntimeError> {
		let mut serving = BTreeSet::new();
		for (id, lease) in Leases::<T>::iter() {
			let mut providers = BTreeSet::new();
			ensure!(!lease.nodes.is_empty(), "4: a lease has no node");
			for node in lease.nodes {
				if matches!(node.status, NodeStatus::Faulted { .. }) {
					ensure!(node.gpus.is_empty(), "4: a node without a provider has GPUs");
					continue;
				}
				let provider = node.provider;
				ensure!(
					node.gpus.len() == lease.gpus_per_node as usize && !node.gpus.is_empty(),
					"4: a node does not have the GPUs that were ordered"
				);
				ensure!(providers.insert(provider.clone()), "4: a provider serves two nodes of a lease");
				for gpu in node.gpus {
					let known = T::Providers::gpu(&provider, gpu).map(|(class, _, state)| (class, state));
					ensure!(
						known == Some((lease.class, GpuState::Leased(id))),
						"4: the registry does not have a lease's GPU as leased to it"
					);
					ensure!(serving.insert((provider.clone(), gpu)), "4: a GPU serves two leases");
				}
			}
		}
		Ok(())
	}

	/// 5. Every ask, waiting order, round, lease and pending payment has exactly one entry in the agenda, not before the
	///    cursor, and every entry has its object.
	fn try_state_agenda() -> Result<(), TryRuntimeError> {
		let asks = Asks::<T>::iter().map(|(id, ask)| (ask.due, AgendaItem::Ask(id)));
		let orders = Orders::<T>::iter().map(|(id, order)| (order.due, AgendaItem::Order(id)));
		let leases = Leases::<T>::iter().map(|(id, lease)| (lease.due, AgendaItem::Lease(id)));
		let rounds =
			Rounds::<T>::iter().map(|((class, asset), round)| (round.due, AgendaItem::Market(class, asset)));
		let payments = Payments::<T>::iter().map(|(id, last)| (last.due, AgendaItem::Payments(id)));
		let cursor = AgendaCursor::<T>::get();
		let mut objects = 0;
		for (due, item) in asks.chain(orders).chain(leases).chain(rounds).chain(payments) {
			ensure!(Agenda::<T>::contains_key(due, item), "5: an object has no entry in the agenda");
			ensure!(due >= cursor, "5: the agenda has passed an object's entry");
			objects += 1;
		}
		ensure!(Agenda::<T>::iter_keys().count() == objects, "5: an entry of the agenda has no object");
		Ok(())
	}

	/// 6. Counts of jobs and bids equal a recount and keep their bound; no job outlives its lease.
	fn try_state_counts() -> Result<(), TryRuntimeError> {
		let mut counts = BTreeMap::new();
		for (lease, id, job) in Jobs::<T>::iter() {
			let record = Leases::<T>::get(lease).ok_or("6: a job has no lease")?;
			ensure!(id < record.next_job, "6: a job has a number that was not given out");
			ensure!(
				usize::from(job.node.0) < record.nodes.len(),
				"6: a job is on a node that does not exist"
			);
			let (open, finished): &mut (u32, u32) = counts.entry(lease).or_default();
			*if job.outcome.is_none() { open } else { finished } += 1;
		}
		for (id, lease) in Leases::<T>::iter() {
			let count = counts.get(&id).copied().unwrap_or((0, 0));
			ensure!(count == (lease.open_jobs, lease.finished_jobs), "6: a count of jobs is not a recount");
			ensure!(count.0.saturating_add(count.1) <= MAX_JOBS_PER_LEASE, "6: a lease has too many jobs");
		}
		let bids = recount(Bids::<T>::iter().map(|(order, provider, _)| (order, provider)));
		for (id, order) in Orders::<T>::iter() {
			let count = bids.get(&id).map_or(0, |bidders| bidders.len() as u32);
			ensure!(count == order.bids, "6: a count of bids is not a recount");
			ensure!(count <= MAX_BIDS_PER_ORDER, "6: an order has too many bids");
		}
		ensure!(bids.keys().all(Orders::<T>::contains_key), "6: a bid has no order");
		Ok(())
	}

	/// 7. Stored leases are not closed; times follow from the status. They and waiting orders have an escrow.
	fn try_state_times() -> Result<(), TryRuntimeError> {
		for (id, lease) in Leases::<T>::iter() {
			ensure!(!matches!(lease.status, LeaseStatus::Closed(_)), "7: a closed lease is stored");
			ensure!(T::Escrow::free(id.into()).is_some(), "7: a lease has no escrow");
			ensure!(!Payments::<T>::contains_key(id), "7: a lease has last payments");
			ensure!(
				lease.ready_at.is_none() == (lease.status == LeaseStatus::Pending),
				"7: a lease is ready exactly when it is not pending"
			);
			let ends_at = lease.ready_at.zip(lease.term_ms).map(|(ready, term)| ready.saturating_add(term));
			ensure!(lease.ends_at == ends_at, "7: the end of a lease is not its begin and its term");
			ensure!(
				lease.term_ms.is_none_or(|term| lease.max_term_ms.is_none_or(|max| term <= max)),
				"7: the term is longer than allowed"
			);
			for node in lease.nodes {
				ensure!(node.attested_at >= lease.opened_at, "7: attested before it began");
				let counts_from = lease.ready_at.filter(|_| node.status.is_served()).unwrap_or(0);
				ensure!(node.attested_at >= counts_from, "7: earns from before the lease was ready");
				ensure!(node.price <= node.max_price, "7: a node costs more than the renter allowed");
			}
		}
		for id in Orders::<T>::iter_keys() {
			ensure!(T::Escrow::free(id.into()).is_some(), "7: a waiting order has no escrow");
		}
		Ok(())
	}

	/// 8. The list of resting orders has exactly the orders that rest.
	fn try_state_resting() -> Result<(), TryRuntimeError> {
		let mut resting = 0;
		for (id, order) in Orders::<T>::iter() {
			let key = BookKey::of_order(order.terms.max_price, id);
			let is_listed = RestingOrders::<T>::contains_key(order.market(), key);
			ensure!(
				is_listed == (order.waiting == Waiting::Resting),
				"8: the list does not have exactly the orders that rest"
			);
			resting += usize::from(is_listed);
		}
		let listed = RestingOrders::<T>::iter_keys().count();
		ensure!(listed == resting, "8: the list of resting orders has one that does not exist");
		Ok(())
	}
}

/// Each owner's objects, sorted.
fn recount<K: Ord, V: Ord>(pairs: impl Iterator<Item = (K, V)>) -> BTreeMap<K, alloc::vec::Vec<V>> {
	let mut sorted: alloc::vec::Vec<_> = pairs.collect();
	sorted.sort();
	let mut lists: BTreeMap<K, alloc::vec::Vec<V>> = BTreeMap::new();
	for (owner, object) in sorted {
		lists.entry(owner).or_default().push(object);
	}
	lists
}
