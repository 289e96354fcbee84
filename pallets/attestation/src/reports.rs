//! Reports: the whole check, and what an accepted one does.

use crate::{
	pallet::{Agenda, Config, Error, Event, LastReports, Pallet, UnexpectedKind},
	types::LastReport,
};
use alloc::{collections::btree_set::BTreeSet, vec::Vec};
use frame_support::{ensure, storage::with_storage_layer, traits::Time};
use frame_system::{ensure_signed, pallet_prelude::OriginFor};
use millrace_primitives::{
	BlockNumber, FaultCensus, GpuIndex, IdleRewards, LeaseAttestation, LeaseId, LeaseInspect, Moment,
	ProviderInspect, ProviderLiveness, Report,
};
use sp_runtime::DispatchError;

/// Whose report it is, once that is checked.
pub(crate) struct Reporter<AccountId> {
	worker: AccountId,
	provider: AccountId,
}

/// What a report did beside what every report does.
pub(crate) struct Effects {
	/// It changed what the provider can offer.
	pub(crate) capacity_changed: bool,
	/// It ended an idle epoch for which the provider was there.
	pub(crate) idle_epoch: bool,
}

impl<T: Config> Pallet<T> {
	/// Everything that a report must satisfy. A report that passes succeeds. What needs no storage comes
	/// first, what reads the most last.
	pub(crate) fn check_report(
		origin: &OriginFor<T>,
		report: &Report,
	) -> Result<Reporter<T::AccountId>, DispatchError> {
		let worker = ensure_signed(origin.clone())?;
		let gpus: BTreeSet<_> = report.gpus.iter().map(|health| health.gpu).collect();
		ensure!(gpus.len() == report.gpus.len(), Error::<T>::DuplicateGpu);
		let leases: BTreeSet<_> = report.leases.iter().map(|usage| usage.lease).collect();
		ensure!(leases.len() == report.leases.len(), Error::<T>::DuplicateLease);
		ensure!(report.finalised_number < Self::current_block(), Error::<T>::FinalisedAhead);

		let provider = T::Providers::provider_of(&worker).ok_or(Error::<T>::NotAWorker)?;
		let epoch = Self::current_epoch(&provider);
		ensure!(report.epoch >= epoch, Error::<T>::PastEpoch);
		ensure!(report.epoch <= epoch, Error::<T>::FutureEpoch);
		Self::ensure_due(&provider, epoch)?;
		for lease in leases {
			Self::ensure_serves(&provider, lease)?;
		}
		let registered: BTreeSet<_> = T::Providers::gpus(&provider).into_iter().collect();
		ensure!(gpus.is_subset(&registered), Error::<T>::UnknownGpu);
		Ok(Reporter { worker, provider })
	}

	/// The lease exists, and the provider serves a node of it.
	pub(crate) fn ensure_serves(provider: &T::AccountId, lease: LeaseId) -> Result<(), Error<T>> {
		ensure!(T::Leases::status(lease).is_some(), Error::<T>::UnknownLease);
		ensure!(T::Leases::served_node(lease, provider).is_some(), Error::<T>::NotYourLease);
		Ok(())
	}

	/// Takes a checked report over.
	pub(crate) fn do_report(reporter: Reporter<T::AccountId>, report: Report) -> Effects {
		let Reporter { worker, provider } = reporter;
		let now = T::Time::now();
		let block = Self::current_block();
		// Before anything changes what this is judged by.
		let last = LastReports::<T>::get(&provider);
		let expected = Self::epochs_expected(&provider, last.as_ref(), report.epoch);
		let was_available = Self::was_available(&provider, last.as_ref(), report.epoch);
		let returned = T::Providers::mark_live(&provider);
		if returned {
			Self::deposit_event(Event::ProviderLive { provider: provider.clone() });
		}
		let capacity_changed = T::Providers::update_health(&provider, &report.gpus) || returned;
		if capacity_changed {
			T::Leases::capacity_changed(&provider);
		}
		let idle_since = Self::idle_since(&provider, last.as_ref());
		T::Providers::record_epochs(&provider, expected, 1, idle_since, now);
		let lag = block.saturating_sub(report.finalised_number);
		T::Clock::note_report(T::Providers::lease_bonds(&provider), lag);
		let healthy: Vec<GpuIndex> =
			report.gpus.iter().filter(|health| health.healthy).map(|health| health.gpu).collect();
		for usage in &report.leases {
			let attested =
				with_storage_layer(|| T::Leases::attest(&provider, usage, &healthy, now, Self::window_ms()));
			// One lease's trouble must not take the others' attestation away.
			if let Err(error) = attested {
				Self::deposit_event(Event::Unexpected {
					provider: provider.clone(),
					kind: UnexpectedKind::AttestFailed(usage.lease, error),
				});
			}
		}
		if was_available {
			T::Rewards::note_idle_epoch(&provider);
		}
		Self::watch(&provider, &report, last, block, now);
		// The lengths are at most 64, so the conversions keep the numbers.
		Self::deposit_event(Event::Reported {
			provider,
			worker,
			epoch: report.epoch,
			gpus: report.gpus.len() as u32,
			healthy: healthy.len() as u32,
			leases: report.leases.len() as u32,
			finalised_number: report.finalised_number,
			lag,
		});
		Effects { capacity_changed, idle_epoch: was_available }
	}

	/// Records the report and sees to it that the agenda looks at the provider not after its next deadline.
	/// An earlier entry is left: it is armed again when it comes up.
	fn watch(
		provider: &T::AccountId,
		report: &Report,
		last: Option<LastReport>,
		block: BlockNumber,
		now: Moment,
	) {
		let deadline = Self::deadline(provider, report.epoch, Self::cadence(provider));
		let before = last.map(|last| last.due);
		let due = before.map_or(deadline, |due| due.min(deadline));
		if before != Some(due) {
			if let Some(before) = before {
				Agenda::<T>::remove(before, provider);
			}
			Agenda::<T>::insert(due, provider, ());
		}
		let last = LastReport {
			epoch: report.epoch,
			block,
			at: now,
			finalised_number: report.finalised_number,
			due,
			missed_in: last.and_then(|last| last.missed_in),
		};
		LastReports::<T>::insert(provider, last);
	}
}
