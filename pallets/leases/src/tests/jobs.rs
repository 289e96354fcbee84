//! Jobs and checkpoints.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	Checkpoint, JobFailure, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseInspect, NodeIndex, OpenJob,
};
use sp_core::H256;
use sp_runtime::DispatchError;

type E = Error<Test>;

const DONE: JobOutcome = JobOutcome::Succeeded { output: H256::repeat_byte(9), bytes: 3 };
const FAILED: JobOutcome = JobOutcome::Failed(JobFailure::TimedOut);
const NODE: NodeIndex = NodeIndex(0);

fn submit_by(who: AccountId, lease: LeaseId, node: u8) -> Result<(), DispatchError> {
	Leases::submit_job(RuntimeOrigin::signed(who), lease, NodeIndex(node), H256::zero())
}

fn stored(lease: LeaseId, job: JobId) -> Option<Checkpoint> {
	Jobs::<Test>::get(lease, job).unwrap().checkpoint
}

#[test]
fn jobs_are_numbered_and_listed_oldest_first() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		for byte in 0..3 {
			let plan = H256::repeat_byte(byte);
			assert_ok!(Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, NODE, plan));
			run_blocks(1);
		}
		let jobs = <Leases as LeaseInspect<_>>::open_jobs(lease, &PROVIDER);
		let expected: Vec<_> = (0..3u8)
			.map(|byte| OpenJob {
				job: JobId(byte.into()),
				plan: H256::repeat_byte(byte),
				submitted_at: START + u64::from(byte) * SLOT,
				checkpoint: None,
			})
			.collect();
		assert_eq!(jobs, expected);
	});
}

#[test]
fn a_node_sees_its_own_jobs_only() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, gang(2, 1));
		assert_ok!(submit_by(RENTER, lease, 0));
		assert_ok!(submit_by(RENTER, lease, 1));
		let (first, second) = (node(lease, 0).provider, node(lease, 1).provider);
		let numbers = |provider| -> Vec<_> {
			<Leases as LeaseInspect<_>>::open_jobs(lease, provider).iter().map(|job| job.job.0).collect()
		};
		assert_eq!((numbers(&first), numbers(&second), numbers(&STRANGER)), (vec![0], vec![1], vec![]));
		assert_eq!(Leases::job_is_open(lease, JobId(0), &first), Some(true));
		assert_eq!(Leases::job_is_open(lease, JobId(0), &second), None);
		assert_eq!(Leases::job_is_open(lease, JobId(0), &STRANGER), None);
	});
}

#[test]
fn a_result_is_recorded_once() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let job = submit(lease);
		events();
		assert_eq!(Leases::job_is_open(lease, job, &PROVIDER), Some(true));
		assert_ok!(Leases::finish_job(lease, job, DONE));
		assert_eq!(events(), vec![Event::JobFinished { lease, job, outcome: DONE }]);
		assert_eq!(Leases::job_is_open(lease, job, &PROVIDER), Some(false));
		assert_eq!(Jobs::<Test>::get(lease, job).unwrap().outcome, Some(DONE));
		assert_noop!(Leases::finish_job(lease, job, FAILED), E::JobAlreadyFinished);
		assert_noop!(Leases::finish_job(lease, JobId(1), FAILED), E::UnknownJob);
		assert_noop!(Leases::finish_job(LeaseId(9), job, FAILED), E::UnknownLease);
		assert!(<Leases as LeaseInspect<_>>::open_jobs(lease, &PROVIDER).is_empty());
		assert_eq!(Leases::job_is_open(lease, JobId(1), &PROVIDER), None);
	});
}

#[test]
fn a_job_needs_a_lease_of_ones_own_that_is_not_over_and_has_the_node() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let unsigned = Leases::submit_job(RuntimeOrigin::none(), lease, NODE, H256::zero());
		assert_noop!(unsigned, DispatchError::BadOrigin);
		assert_noop!(submit_by(OTHER_RENTER, lease, 0), E::NotRenter);
		assert_noop!(submit_by(RENTER, LeaseId(9), 0), E::UnknownLease);
		assert_noop!(submit_by(RENTER, lease, 1), E::NoSuchNode);
		Now::set(START + 10 * MINUTE - 1);
		submit(lease);
		Now::set(START + 10 * MINUTE);
		assert_noop!(submit_by(RENTER, lease, 0), E::LeaseIsOver);
	});
}

#[test]
fn the_numbers_of_jobs_do_not_wrap() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		crate::Leases::<Test>::mutate_extant(lease, |lease| lease.next_job = JobId(u32::MAX));
		assert_noop!(submit_by(RENTER, lease, 0), E::NumbersExhausted);
	});
}

#[test]
fn jobs_leave_with_their_lease() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		for _ in 0..MAX_JOBS_PER_LEASE {
			submit(lease);
		}
		Leases::finish_job(lease, JobId(4), DONE).unwrap();
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(Jobs::<Test>::iter_keys().count(), 0);
	});
}

#[test]
fn a_checkpoint_is_kept_if_it_is_newer() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let job = submit(lease);
		events();
		attest_with(PROVIDER, &checkpoint(lease, job, 3));
		let kept = checkpoint(lease, job, 3).checkpoint.unwrap();
		assert_eq!(events()[0], Event::CheckpointPosted { lease, node: NODE, checkpoint: kept });
		assert_eq!(stored(lease, job), Some(kept));
		assert_eq!(Leases::open_jobs(lease, &PROVIDER)[0].checkpoint, Some(kept));
		// As new, or older: passed over, and the attestation counts.
		for launches_done in [3, 2] {
			run_blocks(1);
			events();
			attest_with(PROVIDER, &checkpoint(lease, job, launches_done));
			assert!(matches!(events()[..], [Event::LeaseAttested { ms: SLOT, .. }]));
		}
		assert_eq!(stored(lease, job), Some(kept));
		attest_with(PROVIDER, &checkpoint(lease, job, 4));
		assert_eq!(stored(lease, job).unwrap().launches_done, 4);
	});
}

#[test]
fn a_checkpoint_of_another_node_of_no_job_or_of_an_ended_one_costs_nothing_and_is_passed_over() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, gang(2, 1));
		attest(lease);
		let job = submit(lease);
		run_blocks(1);
		let (first, second) = (node(lease, 0).provider, node(lease, 1).provider);
		events();
		attest_with(second, &checkpoint(lease, job, 1));
		attest_with(first, &checkpoint(lease, JobId(7), 1));
		assert_eq!(stored(lease, job), None);
		assert_ok!(Leases::finish_job(lease, job, DONE));
		run_blocks(1);
		attest_with(first, &checkpoint(lease, job, 1));
		assert_eq!(stored(lease, job), None);
		let posted = events().into_iter().filter(|event| matches!(event, Event::CheckpointPosted { .. }));
		assert_eq!(posted.count(), 0);
		assert_eq!(attested_ms(lease), 3 * SLOT);
	});
}

#[test]
fn a_checkpoint_is_kept_even_when_a_gpu_is_down_by_then() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let job = submit(lease);
		run_blocks(1);
		let usage = checkpoint(lease, job, 1);
		assert_ok!(Leases::attest(&PROVIDER, &usage, &[], Now::get(), WINDOW));
		assert_eq!(stored(lease, job), usage.checkpoint);
		assert_eq!(attested_ms(lease), 0);
	});
}
