//! Benchmarks: each call and each step of the agenda in its worst case.
//!
//! The worst provider has as many GPUs and serves as many leases as one can. Each lease has as many nodes as one can have,
//! since all of them are read and written with the provider's. Each benchmark checks that what it measures was done.
#![allow(clippy::unwrap_used, reason = "what cannot be set up is not measured")]

use crate::pallet::*;
use alloc::vec::Vec;
use frame_benchmarking::v2::*;
use frame_support::{
	traits::{Get, Time},
	weights::WeightMeter,
};
use frame_system::RawOrigin;
use millrace_primitives::{
	BlobHash, BlockNumber, FaultCensus as _, GpuHealth, GpuIndex, IdleRewards as _, JobId, JobOutcome,
	LeaseAttestation, LeaseId, LeaseInspect, LeaseUsage, Moment, ProviderLiveness, Report,
	MAX_GPUS_PER_PROVIDER, MAX_LEASES_PER_PROVIDER,
};

/// What the benchmarks need of the pallets below.
pub trait BenchmarkHelper<AccountId> {
	/// Asks of a provider: each that enters the book emits one event.
	const ASKS: u32;

	/// Sets chain time, in milliseconds since the Unix epoch.
	fn set_time(now: Moment);

	/// Registers a provider with its worker, with as many healthy GPUs and asks as one can have. None of the asks is in the
	/// book yet, each is in another market, and in each an order rests.
	fn add_provider(provider: &AccountId, worker: &AccountId);

	/// A lease of as many nodes as one can have, all of them attested now. The provider serves one; no GPU is taken.
	fn add_lease(provider: &AccountId) -> LeaseId;

	/// The same, with a GPU of the provider's and its lease bond.
	fn add_bonded_lease(provider: &AccountId) -> LeaseId;

	/// From now on idle epochs are rewarded.
	fn reward_idle_epochs();

	/// A job without a result on the provider's node of such a lease.
	fn add_job(lease: LeaseId) -> JobId;
}

/// When everything begins.
const START: Moment = 1_700_000_000_000;

/// The provider and its worker.
fn begin<T: Config>() -> (T::AccountId, T::AccountId) {
	let (provider, worker) = (account("provider", 0, 0), account("worker", 0, 0));
	frame_system::Pallet::<T>::set_block_number(T::LeasedEpoch::get().into());
	T::BenchmarkHelper::set_time(START);
	T::BenchmarkHelper::add_provider(&provider, &worker);
	(provider, worker)
}

fn serve<T: Config>(provider: &T::AccountId, leases: u32) -> Vec<LeaseId> {
	(0..leases).map(|_| T::BenchmarkHelper::add_lease(provider)).collect()
}

/// Lets as many epochs go by.
fn wait<T: Config>(epochs: u32) {
	let blocks = epochs * T::LeasedEpoch::get();
	let block = Pallet::<T>::current_block() + blocks;
	frame_system::Pallet::<T>::set_block_number(block.into());
	T::BenchmarkHelper::set_time(T::Time::now() + u64::from(blocks) * T::SlotDuration::get());
}

/// A report that names the first so many GPUs and leases.
fn report_of<T: Config>(provider: &T::AccountId, gpus: u32, leases: &[LeaseId]) -> Report {
	let gpus: Vec<_> = (0..gpus).map(|gpu| GpuHealth { gpu: GpuIndex(gpu as u16), healthy: true }).collect();
	let leases: Vec<_> = leases
		.iter()
		.map(|lease| LeaseUsage { lease: *lease, busy_ms: 0, jobs_ended: 0, checkpoint: None })
		.collect();
	Report {
		epoch: Pallet::<T>::current_epoch(provider),
		finalised_number: 0,
		finalised_hash: Default::default(),
		gpus: gpus.try_into().unwrap(),
		leases: leases.try_into().unwrap(),
	}
}

fn send<T: Config>(worker: &T::AccountId, report: Report) {
	Pallet::<T>::report(RawOrigin::Signed(worker.clone()).into(), report).unwrap();
}

/// Block of the provider's entry in the agenda.
fn due<T: Config>(provider: &T::AccountId) -> BlockNumber {
	LastReports::<T>::get(provider).unwrap().due
}

#[benchmarks]
mod benchmarks {
	use super::*;

	/// A report that says of the GPUs what the one before said. It is checked for the fee and for the call.
	#[benchmark]
	fn report(g: Linear<0, MAX_GPUS_PER_PROVIDER>, l: Linear<0, MAX_LEASES_PER_PROVIDER>) {
		let (provider, worker) = begin::<T>();
		let leases = serve::<T>(&provider, MAX_LEASES_PER_PROVIDER);
		send::<T>(&worker, report_of::<T>(&provider, g, &leases));
		wait::<T>(1);
		let next = report_of::<T>(&provider, g, &leases[..l as usize]);
		let origin: T::RuntimeOrigin = RawOrigin::Signed(worker.clone()).into();
		#[block]
		{
			Pallet::<T>::check_report(&origin, &next).ok().unwrap();
			send::<T>(&worker, next);
		}
		let attested = leases.iter().filter(|lease| {
			T::Leases::served_node(**lease, &provider).unwrap().attested_at == T::Time::now()
		});
		assert_eq!(attested.count() as u32, l);
	}

	/// All asks of a provider enter the book, and orders that rest are woken.
	#[benchmark]
	fn capacity_changed() {
		let (provider, _) = begin::<T>();
		T::Providers::mark_live(&provider);
		let events = frame_system::Pallet::<T>::event_count();
		#[block]
		{
			T::Leases::capacity_changed(&provider);
		}
		assert_eq!(frame_system::Pallet::<T>::event_count() - events, T::BenchmarkHelper::ASKS);
	}

	/// A provider was there for an idle epoch, and that is rewarded.
	#[benchmark]
	fn idle_epoch() {
		let (provider, _) = begin::<T>();
		T::Providers::mark_live(&provider);
		T::BenchmarkHelper::reward_idle_epochs();
		#[block]
		{
			T::Rewards::note_idle_epoch(&provider);
		}
	}

	/// As with a report, the check runs twice.
	#[benchmark]
	fn report_job() {
		let (provider, worker) = begin::<T>();
		let lease = T::BenchmarkHelper::add_lease(&provider);
		let job = T::BenchmarkHelper::add_job(lease);
		let outcome = JobOutcome::Succeeded { output: BlobHash::zero(), bytes: 1 };
		let origin: T::RuntimeOrigin = RawOrigin::Signed(worker.clone()).into();
		#[block]
		{
			Pallet::<T>::check_job_result(&origin, lease, job).unwrap();
			Pallet::<T>::report_job(origin, lease, job, outcome).unwrap();
		}
		assert_eq!(T::Leases::job_is_open(lease, job, &provider), Some(false));
	}

	#[benchmark]
	fn agenda_start() {
		begin::<T>();
		let next = Pallet::<T>::current_block() + 1;
		AgendaCursor::<T>::put(next);
		#[block]
		{
			Pallet::<T>::serve_agenda(next - 1, &mut WeightMeter::new());
		}
		assert_eq!(AgendaCursor::<T>::get(), next);
	}

	#[benchmark]
	fn agenda_block() {
		let (provider, worker) = begin::<T>();
		send::<T>(&worker, report_of::<T>(&provider, 0, &[]));
		let empty = due::<T>(&provider) + 1;
		let first;
		#[block]
		{
			first = Agenda::<T>::iter_key_prefix(empty).next();
		}
		assert_eq!(first, None);
	}

	#[benchmark]
	fn agenda_peek() {
		let (provider, worker) = begin::<T>();
		let leases = serve::<T>(&provider, MAX_LEASES_PER_PROVIDER);
		send::<T>(&worker, report_of::<T>(&provider, 0, &leases));
		let due = due::<T>(&provider);
		let count;
		#[block]
		{
			count = Agenda::<T>::iter_key_prefix(due).next().map(|found| T::Leases::lease_count(&found));
		}
		assert_eq!(count, Some(MAX_LEASES_PER_PROVIDER));
	}

	/// A provider is absent: its leases are suspended and its asks leave the book.
	#[benchmark]
	fn agenda_provider(l: Linear<0, MAX_LEASES_PER_PROVIDER>) {
		let (provider, worker) = begin::<T>();
		let leases = serve::<T>(&provider, l);
		send::<T>(&worker, report_of::<T>(&provider, MAX_GPUS_PER_PROVIDER, &leases));
		wait::<T>(T::IdleEpoch::get() / T::LeasedEpoch::get() + T::GraceEpochs::get() + 1);
		let due = due::<T>(&provider);
		let now = T::Time::now();
		#[block]
		{
			Pallet::<T>::serve_provider(&provider, now);
		}
		assert!(Pallet::<T>::watched_nodes(&provider).iter().all(|node| !node.billed));
		assert!(!Agenda::<T>::contains_key(due, &provider));
	}

	/// A provider is still absent: another epoch of each of its nodes is counted as a fault, and the one before is judged.
	#[benchmark]
	fn agenda_faults(l: Linear<0, MAX_LEASES_PER_PROVIDER>) {
		let (provider, worker) = begin::<T>();
		let leases: Vec<_> = (0..l).map(|_| T::BenchmarkHelper::add_bonded_lease(&provider)).collect();
		send::<T>(&worker, report_of::<T>(&provider, MAX_GPUS_PER_PROVIDER, &leases));
		// Suspended, then counted; after four epochs more that can be judged.
		for epochs in [T::IdleEpoch::get() / T::LeasedEpoch::get() + T::GraceEpochs::get() + 1, 1] {
			wait::<T>(epochs);
			Pallet::<T>::serve_provider(&provider, T::Time::now());
		}
		wait::<T>(4);
		T::Clock::note_searched_until(Pallet::<T>::current_block());
		let (due, now) = (due::<T>(&provider), T::Time::now());
		#[block]
		{
			Pallet::<T>::serve_provider(&provider, now);
		}
		assert_eq!(Pallet::<T>::watched_nodes(&provider).len() as u32, l);
		assert!(!Agenda::<T>::contains_key(due, &provider));
	}

	impl_benchmark_test_suite!(Pallet, crate::mock::ExtBuilder.build(), crate::mock::Test);
}
