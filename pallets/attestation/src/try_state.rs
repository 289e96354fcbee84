//! Invariants, checked after every test and by `try-runtime`.

use crate::{
	absence::WatchedNode,
	epochs::Cadence,
	pallet::{Agenda, AgendaCursor, Config, LastReports, Pallet},
};
use frame_support::{ensure, traits::Get};
use millrace_primitives::LeaseInspect;
use sp_runtime::TryRuntimeError;

impl<T: Config> Pallet<T> {
	/// Checks the numbered invariants of the crate's documentation.
	pub fn do_try_state() -> Result<(), TryRuntimeError> {
		let cursor = AgendaCursor::<T>::get();
		let current = Self::current_block();
		for (provider, last) in LastReports::<T>::iter() {
			ensure!(
				Agenda::<T>::contains_key(last.due, &provider),
				"1: a provider that has reported has no entry in the agenda"
			);
			ensure!(last.due >= cursor, "1: the agenda has passed a provider's entry");
			ensure!(
				last.epoch <= Self::current_epoch(&provider) && last.block <= current,
				"2: a report is from the future"
			);
			ensure!(last.finalised_number < last.block, "2: a report saw a finalised block from the future");

			let mut billed = Self::watched_nodes(&provider);
			billed.retain(|node| node.billed);
			let cadence = if billed.is_empty() { Cadence::Idle } else { Cadence::Leased };
			for WatchedNode { lease, attested_at, .. } in billed {
				let ready_at = T::Leases::served_node(lease, &provider).and_then(|node| node.ready_at);
				ensure!(
					attested_at <= last.at || ready_at == Some(attested_at),
					"4: a node was attested after the last report"
				);
			}
			let on_time = last.due <= Self::deadline(&provider, last.epoch, cadence);
			ensure!(on_time || !Self::is_live(&provider), "3: a live provider's entry is after its deadline");
		}
		let (leased, idle) = (T::LeasedEpoch::get(), T::IdleEpoch::get());
		ensure!(
			leased > 0 && idle >= leased && idle.is_multiple_of(leased),
			"5: an idle epoch is not whole epochs"
		);
		ensure!(T::GraceEpochs::get() > 0, "5: there is no epoch of grace");
		let reported = LastReports::<T>::iter_keys().count();
		ensure!(Agenda::<T>::iter_keys().count() == reported, "1: an entry of the agenda has no provider");
		Ok(())
	}
}
