//! Attestation: the workers' reports, what follows when they stay away, and results of jobs.
//!
//! # Terms
//!
//! - **Report**: one statement per provider and epoch, signed by its worker: which GPUs are healthy, which
//!   leases are served.
//! - **Epoch**: [`Config::LeasedEpoch`] blocks. Each provider's epochs begin at its own offset, a hash of its
//!   account, so that reports spread over the blocks. Missed epochs are never filled in afterwards.
//! - **Due**: with leases, a report is due in each epoch; without, once in [`Config::IdleEpoch`] blocks; and
//!   always when the provider has not reported yet or has been found absent.
//! - **Deadline**: while the provider serves a node that is billed, the end of the epoch of its last report and
//!   [`Config::GraceEpochs`] epochs more; otherwise the same, counted from the epoch before its next report
//!   is due.
//! - **Expected**: the epochs in which a report was due since the one before, the epoch of this report among them. They and
//!   the one that the report attests make the provider's uptime.
//! - **Window**: the longest time between two reports that counts as attested: one epoch and the grace
//!   epochs.
//!
//! # Who calls it
//!
//! Workers, with the key that their provider registered. Both calls are free of fee exactly when they
//! succeed: the condition is the whole check, so a report that would fail is never free. Nobody calls
//! anything about absence: the agenda finds it.
//!
//! # What happens to a provider
//!
//! ```text
//! unknown --report--> live --report--> live
//!                     |  ^
//!   deadline passes   |  | report: the epochs of absence count as missed
//!   without a report  v  |
//!                     absent: its nodes suspended, the provider stale --no longer registered--> unknown
//! ```
//!
//! A provider that leaves a lease out of its reports, or reports one of its GPUs unhealthy, has its node of
//! that lease suspended when its last attestation is older than the window. While nodes are suspended the provider is looked
//! at in every epoch: the leases count the epochs as faults, and the fault clock is told, so that misses which many have at once
//! are nobody's fault. A cadence is held by the blocks, the
//! window by chain time at full speed: when more than half of the slots stay empty, the time between reports
//! is not billed.
//!
//! # Invariants
//!
//! 1. Every provider that has reported has exactly one entry in the agenda, not before the cursor, and every entry has
//!    its provider.
//! 2. No report is from the future.
//! 3. The entry of a live provider is not after its deadline.
//! 4. No node that is billed was attested after its provider's last report, unless its lease became ready since, by the
//!    report of another node's provider: the bill starts there.
//! 5. The lengths fit each other: whole epochs to an idle one, and at least one of grace. They may come from
//!    the genesis, so that no constant check can see them.
//!
//! # What it does not do
//!
//! It holds no money and no stake: absence stops the bill and takes the provider off the market; what it costs is decided by
//! the pallets below.
//! Usage in a report is recorded as a claim; what is billed follows chain time. A worker's statement about
//! health is not verified here.
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod absence;
#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod epochs;
mod job_results;
mod reports;
#[cfg(any(feature = "try-runtime", feature = "std"))]
mod try_state;
mod types;
pub mod weights;

#[cfg(test)]
mod mock;
#[cfg(test)]
mod tests;

#[cfg(feature = "runtime-benchmarks")]
pub use benchmarking::BenchmarkHelper;
pub use pallet::*;
pub use types::LastReport;
pub use weights::WeightInfo;

#[frame_support::pallet]
#[expect(clippy::expect_used, reason = "FRAME's macros write them")]
pub mod pallet {
	use super::{reports::Effects, types::LastReport, WeightInfo};
	use frame_support::{pallet_prelude::*, traits::Time, weights::WeightMeter};
	use frame_system::pallet_prelude::*;
	use millrace_primitives::{
		Balance, BlockNumber, FaultCensus, IdleRewards, JobId, JobOutcome, LeaseAttestation, LeaseId,
		LeaseInspect, Moment, ProviderInspect, ProviderLiveness, Report, MAX_LEASES_PER_PROVIDER,
	};
	use sp_runtime::SaturatedConversion;

	const STORAGE_VERSION: StorageVersion = StorageVersion::new(1);

	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	#[pallet::config]
	pub trait Config: frame_system::Config<RuntimeEvent: From<Event<Self>>> {
		/// Weights of the calls and of the agenda.
		type WeightInfo: WeightInfo;

		/// Chain time.
		type Time: Time<Moment = Moment>;

		/// The registry of providers and GPUs.
		type Providers: ProviderInspect<Self::AccountId, Balance> + ProviderLiveness<Self::AccountId>;

		/// The leases that reports are about.
		type Leases: LeaseInspect<Self::AccountId> + LeaseAttestation<Self::AccountId>;

		/// What is told of reports and misses, so that faults can be judged.
		type Clock: FaultCensus<Self::AccountId, Balance>;

		/// Rewards of providers that are available and serve no lease.
		type Rewards: IdleRewards<Self::AccountId>;

		/// Length of an epoch, in blocks: how often a provider with leases reports. At least one, and fixed for the
		/// chain's life: numbers of epochs are stored.
		type LeasedEpoch: Get<u32>;

		/// How often a provider without leases reports, in blocks. A multiple of `LeasedEpoch`.
		type IdleEpoch: Get<u32>;

		/// For how many epochs a missing report is waited for. At least one: a report cannot be due and late at
		/// once.
		type GraceEpochs: Get<u32>;

		/// Time of a slot, in milliseconds: turns the window from blocks into time.
		type SlotDuration: Get<u64>;

		/// Most weight that the agenda may use in one block. Must be a constant and allow for a provider with
		/// the most leases.
		#[pallet::constant]
		type AgendaWeight: Get<Weight>;

		/// What the benchmarks need of the pallets below.
		#[cfg(feature = "runtime-benchmarks")]
		type BenchmarkHelper: crate::benchmarking::BenchmarkHelper<Self::AccountId>;
	}

	/// Last report of each provider. Written by [`Pallet::report`] and by the agenda; removed when the provider is
	/// found to be no longer registered.
	// Blake2: users choose accounts.
	#[pallet::storage]
	pub type LastReports<T: Config> = StorageMap<_, Blake2_128Concat, T::AccountId, LastReport>;

	/// Providers to look at, by block. Written with [`LastReports`], whose `due` names the entry.
	// Twox64: blocks are ours. Blake2: users choose accounts.
	#[pallet::storage]
	pub type Agenda<T: Config> =
		StorageDoubleMap<_, Twox64Concat, BlockNumber, Blake2_128Concat, T::AccountId, (), OptionQuery>;

	/// First block of the agenda that is not fully served. Only ever grows.
	#[pallet::storage]
	pub type AgendaCursor<T> = StorageValue<_, BlockNumber, ValueQuery>;

	/// Something that the pallets' own rules exclude. Please report it.
	#[derive(
		Clone, Copy, Debug, Eq, PartialEq, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
	)]
	pub enum UnexpectedKind {
		/// The agenda lists a provider that has not reported. The entry is removed.
		#[codec(index = 0)]
		AgendaWithoutProvider,
		/// A lease could not be attested. Its provider's other leases were.
		#[codec(index = 1)]
		AttestFailed(LeaseId, DispatchError),
		/// A node that is not served could not be suspended, or its fault not be counted. It is tried again an epoch later.
		#[codec(index = 2)]
		CountMissFailed(LeaseId, DispatchError),
	}

	#[pallet::event]
	#[pallet::generate_deposit(pub(super) fn deposit_event)]
	pub enum Event<T: Config> {
		/// A report was accepted.
		Reported {
			/// For whom.
			provider: T::AccountId,
			/// Who signed it.
			worker: T::AccountId,
			/// The provider's epoch.
			epoch: u32,
			/// Number of GPUs in the report.
			gpus: u32,
			/// Number of healthy GPUs among them.
			healthy: u32,
			/// Number of leases in the report.
			leases: u32,
			/// Latest finalised block that the worker saw.
			finalised_number: BlockNumber,
			/// How far that is behind this block, in blocks.
			lag: u32,
		},
		/// A provider's reports arrive: its GPUs can be leased.
		ProviderLive {
			/// The provider.
			provider: T::AccountId,
		},
		/// A provider's report stayed away: its nodes are suspended and its GPUs cannot be leased.
		ProviderStale {
			/// The provider.
			provider: T::AccountId,
			/// Epoch of its last report.
			last_epoch: u32,
		},
		/// Something happened that the pallets' own rules exclude. Please report it.
		Unexpected {
			/// The provider that it is about.
			provider: T::AccountId,
			/// What.
			kind: UnexpectedKind,
		},
	}

	#[pallet::error]
	pub enum Error<T> {
		/// The account is nobody's worker key. The provider must set it first.
		NotAWorker,
		/// The report is for an epoch that is over. Send one for the current epoch.
		PastEpoch,
		/// The report is for an epoch that has not begun.
		FutureEpoch,
		/// The provider's report for this epoch is in already.
		AlreadyReported,
		/// A provider without leases need not report yet.
		NotDue,
		/// The report names a finalised block that is not before this one.
		FinalisedAhead,
		/// The report names a GPU twice.
		DuplicateGpu,
		/// The report names a GPU that the provider has not registered.
		UnknownGpu,
		/// The report names a lease twice.
		DuplicateLease,
		/// No such lease; it may be closed. Read the chain's state again.
		UnknownLease,
		/// The provider serves no node of the lease.
		NotYourLease,
		/// The provider's node has no such job, or the lease has forgotten it since it ended.
		UnknownJob,
		/// The job has a result already; the first one counts.
		ResultAlreadyReported,
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_poll(n: BlockNumberFor<T>, weight: &mut WeightMeter) {
			Self::serve_agenda(n.saturated_into(), weight);
		}

		fn integrity_test() {
			let largest = Self::walk_weights().least_for(Self::weight_of_provider(MAX_LEASES_PER_PROVIDER));
			assert!(
				T::AgendaWeight::get().all_gte(largest),
				"AgendaWeight must allow for a provider with the most leases: {largest:?}"
			);
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::do_try_state()
		}
	}

	#[pallet::call(weight(<T as Config>::WeightInfo))]
	impl<T: Config> Pallet<T> {
		/// Reports for the provider's current epoch.
		///
		/// Origin: the worker of a provider. Checks that the report is due and for the current epoch, that
		/// each GPU is registered, that the provider serves a node of each lease, and that none is named twice.
		/// Marks the provider live, takes over the health of its GPUs, attests its node of each lease if all GPUs
		/// of the node are healthy, and counts the epochs since the last report towards its uptime. Emits
		/// [`Event::Reported`].
		///
		/// Free of fee when it succeeds. Does not check that every lease is named: one that is left out is
		/// not attested.
		#[pallet::call_index(0)]
		#[pallet::weight(
			<T as Config>::WeightInfo::report(report.gpus.len() as u32, report.leases.len() as u32)
				.saturating_add(<T as Config>::WeightInfo::capacity_changed())
				.saturating_add(<T as Config>::WeightInfo::idle_epoch())
		)]
		#[pallet::feeless_if(|origin: &OriginFor<T>, report: &Report| -> bool {
			Pallet::<T>::check_report(origin, report).is_ok()
		})]
		pub fn report(origin: OriginFor<T>, report: Report) -> DispatchResultWithPostInfo {
			let reporter = Self::check_report(&origin, &report)?;
			let (gpus, leases) = (report.gpus.len() as u32, report.leases.len() as u32);
			let Effects { capacity_changed, idle_epoch } = Self::do_report(reporter, report);
			// Most reports say what the one before said.
			let mut weight = T::WeightInfo::report(gpus, leases);
			if capacity_changed {
				weight = weight.saturating_add(T::WeightInfo::capacity_changed());
			}
			if idle_epoch {
				weight = weight.saturating_add(T::WeightInfo::idle_epoch());
			}
			Ok(Some(weight).into())
		}

		/// Reports how a job ended.
		///
		/// Origin: the worker of the provider that serves the job's node. Checks that the job has no result yet.
		/// The event is the leases' own.
		///
		/// Free of fee when it succeeds. Does not check that the result is right.
		#[pallet::call_index(1)]
		#[pallet::feeless_if(|origin: &OriginFor<T>, lease: &LeaseId, job: &JobId, _outcome: &JobOutcome| -> bool {
			Pallet::<T>::check_job_result(origin, *lease, *job).is_ok()
		})]
		pub fn report_job(
			origin: OriginFor<T>,
			lease: LeaseId,
			job: JobId,
			outcome: JobOutcome,
		) -> DispatchResult {
			Self::check_job_result(&origin, lease, job)?;
			T::Leases::finish_job(lease, job, outcome)
		}
	}

	#[pallet::view_functions]
	impl<T: Config> Pallet<T> {
		/// The provider's current epoch.
		pub fn epoch(provider: T::AccountId) -> u32 {
			Self::current_epoch(&provider)
		}

		/// First block of the provider's next epoch.
		pub fn epoch_ends(provider: T::AccountId) -> u32 {
			Self::end_of_epoch(&provider, Self::current_epoch(&provider))
		}

		/// Whether a report for the provider's current epoch is due and still missing.
		pub fn report_due(provider: T::AccountId) -> bool {
			Self::is_report_due(&provider)
		}

		/// The provider's last report, also of one that was found absent since; `None` if it has not reported.
		pub fn last_report(provider: T::AccountId) -> Option<LastReport> {
			LastReports::<T>::get(provider)
		}
	}
}
