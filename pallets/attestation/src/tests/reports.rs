//! Reports: what is accepted, what it does, what is refused, and what is free.

use crate::{mock::*, pallet::*};
use frame_support::{assert_noop, assert_ok, dispatch::CheckIfFeeless};
use millrace_primitives::{FaultCause, GpuHealth, GpuIndex, LeaseId, LeaseUsage, NodeStatus, Report};
use sp_runtime::DispatchError;

type E = Error<Test>;

fn is_free(who: AccountId, report: &Report) -> bool {
	let call = RuntimeCall::Attestation(Call::report { report: report.clone() });
	call.is_feeless(&RuntimeOrigin::signed(who))
}

#[test]
fn the_first_report_makes_a_provider_live_and_watched() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		assert!(Attestation::report_due(PROVIDER));
		let epoch = Attestation::epoch(PROVIDER);
		let mut report = full_report(PROVIDER);
		report.gpus[1].healthy = false;
		assert!(is_free(worker(PROVIDER), &report));
		assert_ok!(send(PROVIDER, report));
		assert_eq!(
			events(),
			vec![
				Event::ProviderLive { provider: PROVIDER },
				Event::Reported {
					provider: PROVIDER,
					worker: worker(PROVIDER),
					epoch,
					gpus: 4,
					healthy: 3,
					leases: 0,
					finalised_number: current_block() - 3,
					lag: 3,
				},
			]
		);
		let last = Attestation::last_report(PROVIDER).unwrap();
		assert_eq!((last.epoch, last.block, last.at), (epoch, current_block(), Now::get()));
		assert_eq!(RegistryGpus::get(PROVIDER, GpuIndex(1)), Some(false));
		assert_eq!(RegistryLive::get(PROVIDER), Some(true));
		assert!(!Attestation::report_due(PROVIDER));
	});
}

#[test]
fn a_report_attests_the_leases_that_it_names_with_the_window() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let (first, second) = (lease(PROVIDER, 0), lease(PROVIDER, 1));
		report(PROVIDER);
		assert_eq!((status(first), status(second)), (NodeStatus::Active, NodeStatus::Active));
		run_to_next_epoch(PROVIDER);
		let mut partial = full_report(PROVIDER);
		partial.leases.pop();
		assert_ok!(send(PROVIDER, partial));
		assert_eq!((billed(first), billed(second)), (10 * SLOT, 0));
		// One epoch later both are named; the second's interval is the window and still counts.
		run_to_next_epoch(PROVIDER);
		report(PROVIDER);
		assert_eq!((billed(first), billed(second)), (20 * SLOT, WINDOW));
	});
}

#[test]
fn a_lease_with_an_unhealthy_or_missing_gpu_is_not_attested() {
	ExtBuilder.build_and_execute(|| {
		let (sick, missing, fine) = (lease(PROVIDER, 0), lease(PROVIDER, 1), lease(PROVIDER, 2));
		let mut report = full_report(PROVIDER);
		report.gpus[0].healthy = false;
		report.gpus.remove(1);
		assert_ok!(send(PROVIDER, report));
		assert!(is_pending(sick) && is_pending(missing));
		assert_eq!(status(fine), NodeStatus::Active);
	});
}

#[test]
fn every_wrong_report_is_refused_with_its_reason_and_is_not_free() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let own = lease(PROVIDER, 0);
		let foreign = lease(OTHER, 0);
		let good = full_report(PROVIDER);
		let refuse = |report: Report, error: E| {
			assert!(!is_free(worker(PROVIDER), &report));
			assert_noop!(send(PROVIDER, report), error);
		};
		let usage = |lease| LeaseUsage { lease, busy_ms: 0, jobs_ended: 0, checkpoint: None };

		for origin in [RuntimeOrigin::none(), RuntimeOrigin::root()] {
			assert_noop!(Attestation::report(origin, good.clone()), DispatchError::BadOrigin);
		}
		// Neither a stranger nor the provider itself is a worker.
		for who in [STRANGER, PROVIDER] {
			assert!(!is_free(who, &good));
			assert_noop!(Attestation::report(RuntimeOrigin::signed(who), good.clone()), E::NotAWorker);
		}
		refuse(Report { epoch: good.epoch - 1, ..good.clone() }, E::PastEpoch);
		refuse(Report { epoch: good.epoch + 1, ..good.clone() }, E::FutureEpoch);
		refuse(Report { finalised_number: current_block(), ..good.clone() }, E::FinalisedAhead);
		refuse(Report { finalised_number: u32::MAX, ..good.clone() }, E::FinalisedAhead);

		let mut report = good.clone();
		report.gpus.try_push(GpuHealth { gpu: GpuIndex(0), healthy: false }).unwrap();
		refuse(report, E::DuplicateGpu);
		let mut report = good.clone();
		report.gpus.try_push(GpuHealth { gpu: GpuIndex(4), healthy: true }).unwrap();
		refuse(report, E::UnknownGpu);
		let mut report = good.clone();
		report.leases.try_push(usage(own)).unwrap();
		refuse(report, E::DuplicateLease);
		let mut report = good.clone();
		report.leases.try_push(usage(LeaseId(77))).unwrap();
		refuse(report, E::UnknownLease);
		let mut report = good.clone();
		report.leases.try_push(usage(foreign)).unwrap();
		refuse(report, E::NotYourLease);
		// A node that the provider has lost is nobody's of its.
		let lost = lease(PROVIDER, 1);
		let (since, cause) = (Now::get(), FaultCause::Left);
		change_node(lost, PROVIDER, |node| node.status = NodeStatus::Faulted { since, cause });
		let mut report = good.clone();
		report.leases.try_push(usage(lost)).unwrap();
		refuse(report, E::NotYourLease);

		// The right one is accepted once.
		assert!(is_free(worker(PROVIDER), &good));
		assert_ok!(send(PROVIDER, good.clone()));
		refuse(good.clone(), E::AlreadyReported);
		next_block();
		refuse(good.clone(), E::AlreadyReported);
		run_to_next_epoch(PROVIDER);
		refuse(good, E::PastEpoch);
		assert_ok!(send(PROVIDER, full_report(PROVIDER)));
		// The block just before is the latest that can be final.
		run_to_next_epoch(PROVIDER);
		assert_ok!(send(PROVIDER, Report { finalised_number: current_block() - 1, ..full_report(PROVIDER) }));
	});
}

#[test]
fn an_idle_provider_reports_once_in_an_idle_epoch() {
	ExtBuilder.build_and_execute(|| {
		report(PROVIDER);
		for _ in 0..9 {
			run_to_next_epoch(PROVIDER);
			assert!(!Attestation::report_due(PROVIDER));
			assert_noop!(send(PROVIDER, full_report(PROVIDER)), E::NotDue);
		}
		run_to_next_epoch(PROVIDER);
		assert!(Attestation::report_due(PROVIDER));
		report(PROVIDER);
	});
}

#[test]
fn a_new_lease_makes_a_report_due_at_once() {
	ExtBuilder.build_and_execute(|| {
		report(PROVIDER);
		run_to_next_epoch(PROVIDER);
		assert!(!Attestation::report_due(PROVIDER));
		let lease = lease(PROVIDER, 0);
		assert!(Attestation::report_due(PROVIDER));
		report(PROVIDER);
		assert_eq!(status(lease), NodeStatus::Active);
	});
}

#[test]
fn a_stale_provider_may_report_at_once() {
	ExtBuilder.build_and_execute(|| {
		report(PROVIDER);
		run_to_next_epoch(PROVIDER);
		RegistryLive::insert(PROVIDER, false);
		assert!(Attestation::report_due(PROVIDER));
		report(PROVIDER);
		assert_eq!(RegistryLive::get(PROVIDER), Some(true));
		// Not twice in an epoch, whatever its standing.
		RegistryLive::insert(PROVIDER, false);
		assert_noop!(send(PROVIDER, full_report(PROVIDER)), E::AlreadyReported);
	});
}

#[test]
fn epochs_of_providers_begin_at_different_blocks_and_last_the_same() {
	ExtBuilder.build_and_execute(|| {
		let mut starts = std::collections::BTreeSet::new();
		for provider in 1..40 {
			let epoch = |block: u32| {
				System::set_block_number(block.into());
				Attestation::current_epoch(&provider)
			};
			let start = (1_000..1_010).find(|block| epoch(block - 1) != epoch(*block)).unwrap();
			assert_eq!(epoch(start + LEASED - 1), epoch(start));
			assert_eq!(epoch(start + LEASED), epoch(start) + 1);
			starts.insert(start);
		}
		assert!(starts.len() > 5, "{starts:?}");
		System::set_block_number(21);
	});
}
