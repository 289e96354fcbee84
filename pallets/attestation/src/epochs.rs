//! Epochs of providers: which one it is, whether a report is due in it, when a missing one is late, and how many were due
//! since the last one.

use crate::{
	pallet::{Config, Error, LastReports, Pallet},
	types::LastReport,
};
use codec::Encode;
use frame_support::{ensure, traits::Get};
use millrace_math::{epoch_end, epoch_of, epoch_offset};
use millrace_primitives::{BlockNumber, LeaseInspect, Moment, ProviderInspect};
use sp_runtime::{
	traits::{BlakeTwo256, Hash},
	SaturatedConversion,
};

/// How often a provider has to report.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cadence {
	/// It serves leases: in every epoch.
	Leased,
	/// It does not: once in a while.
	Idle,
}

impl<T: Config> Pallet<T> {
	/// Current block.
	pub(crate) fn current_block() -> BlockNumber {
		frame_system::Pallet::<T>::block_number().saturated_into()
	}

	fn offset(provider: &T::AccountId) -> u32 {
		epoch_offset(BlakeTwo256::hash(&provider.encode()).as_fixed_bytes(), T::LeasedEpoch::get())
	}

	/// The provider's current epoch.
	pub(crate) fn current_epoch(provider: &T::AccountId) -> u32 {
		epoch_of(Self::current_block(), Self::offset(provider), T::LeasedEpoch::get())
	}

	/// First block after an epoch of the provider.
	pub(crate) fn end_of_epoch(provider: &T::AccountId, epoch: u32) -> BlockNumber {
		epoch_end(epoch, Self::offset(provider), T::LeasedEpoch::get())
	}

	/// Epochs from one report to the next.
	fn step(cadence: Cadence) -> u32 {
		match cadence {
			Cadence::Leased => 1,
			// Invariant 5 excludes a length of zero and a part of an epoch.
			Cadence::Idle => T::IdleEpoch::get().checked_div(T::LeasedEpoch::get()).unwrap_or(1).max(1),
		}
	}

	/// First block at which a provider whose last report was in `epoch` is absent if no other has come.
	pub(crate) fn deadline(provider: &T::AccountId, epoch: u32, cadence: Cadence) -> BlockNumber {
		// All sums clamp: a block that does not fit never comes.
		let before_next = epoch.saturating_add(Self::step(cadence).saturating_sub(1));
		let grace = T::GraceEpochs::get().saturating_mul(T::LeasedEpoch::get());
		Self::end_of_epoch(provider, before_next).saturating_add(grace)
	}

	/// The window: longest time between two reports that counts as attested, in milliseconds.
	pub(crate) fn window_ms() -> u64 {
		let epochs = u64::from(T::GraceEpochs::get()).saturating_add(1);
		epochs.saturating_mul(u64::from(T::LeasedEpoch::get())).saturating_mul(T::SlotDuration::get())
	}

	/// Whether a report for the provider's current epoch is due and still missing.
	pub(crate) fn is_report_due(provider: &T::AccountId) -> bool {
		Self::ensure_due(provider, Self::current_epoch(provider)).is_ok()
	}

	/// A report in this epoch, the current one, is due and still missing.
	pub(crate) fn ensure_due(provider: &T::AccountId, epoch: u32) -> Result<(), Error<T>> {
		let Some(last) = LastReports::<T>::get(provider) else { return Ok(()) };
		ensure!(last.epoch < epoch, Error::<T>::AlreadyReported);
		let next = last.epoch.saturating_add(Self::step(Self::cadence(provider)));
		ensure!(epoch >= next || !Self::is_live(provider), Error::<T>::NotDue);
		Ok(())
	}

	/// Epochs from the one after the last report until `epoch`, the current one, in which a report was due. At least one.
	///
	/// One was due in every epoch if the provider held one of its leases all the time, and once in an idle epoch if it did not:
	/// leases that came or went in between do not count, in the provider's favour. Parts of an idle epoch do not count either
	/// while the provider is live, since a report may be late within the grace. A provider that was found absent has missed the
	/// part too, and one epoch at least.
	pub(crate) fn epochs_expected(provider: &T::AccountId, last: Option<&LastReport>, epoch: u32) -> u32 {
		let Some(last) = last else { return 1 };
		let passed = epoch.saturating_sub(last.epoch);
		// Nothing to ask the leases about.
		let cadence = if passed > 1 && Self::held_a_lease_since(provider, last) {
			Cadence::Leased
		} else {
			Cadence::Idle
		};
		let step = Self::step(cadence);
		if Self::is_live(provider) {
			passed.checked_div(step).unwrap_or(1).max(1)
		} else {
			// Nobody owes more reports than there were epochs: it may have registered anew since.
			passed.div_ceil(step).max(2).min(passed)
		}
	}

	/// Whether a node that the provider serves now was its own at the last report already: assigned or attested then.
	fn held_a_lease_since(provider: &T::AccountId, last: &LastReport) -> bool {
		T::Leases::leases_of(provider)
			.into_iter()
			.filter_map(|lease| T::Leases::served_node(lease, provider))
			.any(|node| node.attested_at <= last.at)
	}

	/// When the provider reported last, if it serves none of the leases that it served then.
	pub(crate) fn idle_since(provider: &T::AccountId, last: Option<&LastReport>) -> Option<Moment> {
		last.filter(|last| !Self::held_a_lease_since(provider, last)).map(|last| last.at)
	}

	/// Whether the provider was there for an idle epoch until its report for `epoch`: found absent at no time, and without a lease.
	pub(crate) fn was_available(provider: &T::AccountId, last: Option<&LastReport>, epoch: u32) -> bool {
		let is_idle_epoch = last
			.is_some_and(|last| epoch.saturating_sub(last.epoch) >= Self::step(Cadence::Idle))
			&& Self::cadence(provider) == Cadence::Idle;
		is_idle_epoch && Self::is_live(provider)
	}

	/// How often the provider has to report now.
	pub(crate) fn cadence(provider: &T::AccountId) -> Cadence {
		if T::Leases::lease_count(provider) > 0 {
			Cadence::Leased
		} else {
			Cadence::Idle
		}
	}

	/// Whether the provider's reports arrive.
	pub(crate) fn is_live(provider: &T::AccountId) -> bool {
		T::Providers::is_reporting(provider)
	}
}
