//! Results of jobs.

use crate::{mock::*, pallet::*};
use frame_support::{assert_noop, assert_ok, dispatch::CheckIfFeeless};
use millrace_primitives::{FaultCause, JobFailure, JobId, JobOutcome, LeaseId, NodeStatus};
use sp_runtime::DispatchError;

type E = Error<Test>;

const OUTCOME: JobOutcome = JobOutcome::Failed(JobFailure::DeviceLost);

fn send(who: AccountId, lease: LeaseId, job: u32) -> sp_runtime::DispatchResult {
	Attestation::report_job(RuntimeOrigin::signed(who), lease, JobId(job), OUTCOME)
}

fn is_free(who: AccountId, lease: LeaseId, job: u32) -> bool {
	let call = RuntimeCall::Attestation(Call::report_job { lease, job: JobId(job), outcome: OUTCOME });
	call.is_feeless(&RuntimeOrigin::signed(who))
}

#[test]
fn a_result_is_passed_on_once_and_is_free() {
	ExtBuilder.build_and_execute(|| {
		let lease = lease(PROVIDER, 0);
		MarketJobs::insert(lease, JobId(0), (PROVIDER, None::<JobOutcome>));
		assert!(is_free(worker(PROVIDER), lease, 0));
		assert_ok!(send(worker(PROVIDER), lease, 0));
		assert_eq!(MarketJobs::get(lease, JobId(0)), Some((PROVIDER, Some(OUTCOME))));
		assert!(!is_free(worker(PROVIDER), lease, 0));
		assert_noop!(send(worker(PROVIDER), lease, 0), E::ResultAlreadyReported);
	});
}

#[test]
fn every_wrong_result_is_refused_with_its_reason_and_is_not_free() {
	ExtBuilder.build_and_execute(|| {
		let own = lease(PROVIDER, 0);
		let foreign = lease(OTHER, 0);
		for (lease, provider) in [(own, PROVIDER), (foreign, OTHER)] {
			MarketJobs::insert(lease, JobId(0), (provider, None::<JobOutcome>));
		}
		let refuse = |who, lease, job, error: E| {
			assert!(!is_free(who, lease, job));
			assert_noop!(send(who, lease, job), error);
		};
		let none = Attestation::report_job(RuntimeOrigin::none(), own, JobId(0), OUTCOME);
		assert_noop!(none, DispatchError::BadOrigin);
		refuse(STRANGER, own, 0, E::NotAWorker);
		refuse(PROVIDER, own, 0, E::NotAWorker);
		refuse(worker(PROVIDER), LeaseId(77), 0, E::UnknownLease);
		refuse(worker(PROVIDER), foreign, 0, E::NotYourLease);
		refuse(worker(PROVIDER), own, 1, E::UnknownJob);
		// Nor does a node of the same lease give a say in another's job, or one that it has lost.
		join(own, OTHER, 0);
		refuse(worker(OTHER), own, 0, E::UnknownJob);
		let (since, cause) = (Now::get(), FaultCause::Dark);
		change_node(own, PROVIDER, |node| node.status = NodeStatus::Faulted { since, cause });
		refuse(worker(PROVIDER), own, 0, E::NotYourLease);
	});
}
