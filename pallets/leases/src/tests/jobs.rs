//! Jobs.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{JobFailure, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseInspect};
use sp_core::H256;
use sp_runtime::DispatchError;

type E = Error<Test>;

const DONE: JobOutcome = JobOutcome::Succeeded { output: H256::repeat_byte(9), bytes: 3 };
const FAILED: JobOutcome = JobOutcome::Failed(JobFailure::TimedOut);

#[test]
fn jobs_are_numbered_and_listed_oldest_first() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		for byte in 0..3 {
			let plan = H256::repeat_byte(byte);
			assert_ok!(Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, plan));
			run_blocks(1);
		}
		let jobs = <Leases as LeaseInspect<_>>::open_jobs(lease);
		let expected: Vec<_> = (0..3u8)
			.map(|byte| (JobId(byte.into()), H256::repeat_byte(byte), START + u64::from(byte) * SLOT))
			.collect();
		assert_eq!(jobs, expected);
	});
}

#[test]
fn a_result_is_recorded_once() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let job = submit(lease);
		events();
		assert_eq!(Leases::job_is_open(lease, job), Some(true));
		assert_ok!(Leases::finish_job(lease, job, DONE));
		assert_eq!(events(), vec![Event::JobFinished { lease, job, outcome: DONE }]);
		assert_eq!(Leases::job_is_open(lease, job), Some(false));
		assert_eq!(Jobs::<Test>::get(lease, job).unwrap().outcome, Some(DONE));
		assert_noop!(Leases::finish_job(lease, job, FAILED), E::JobAlreadyFinished);
		assert_noop!(Leases::finish_job(lease, JobId(1), FAILED), E::UnknownJob);
		assert_noop!(Leases::finish_job(LeaseId(9), job, FAILED), E::UnknownLease);
		assert!(<Leases as LeaseInspect<_>>::open_jobs(lease).is_empty());
		assert_eq!(Leases::job_is_open(lease, JobId(1)), None);
	});
}

#[test]
fn a_job_needs_a_lease_of_ones_own_that_is_not_over() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let plan = H256::zero();
		assert_noop!(Leases::submit_job(RuntimeOrigin::none(), lease, plan), DispatchError::BadOrigin);
		assert_noop!(Leases::submit_job(RuntimeOrigin::signed(OTHER_RENTER), lease, plan), E::NotRenter);
		assert_noop!(Leases::submit_job(RuntimeOrigin::signed(RENTER), LeaseId(9), plan), E::UnknownLease);
		Now::set(START + 10 * MINUTE - 1);
		submit(lease);
		Now::set(START + 10 * MINUTE);
		assert_noop!(Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, plan), E::LeaseIsOver);
	});
}

#[test]
fn the_numbers_of_jobs_do_not_wrap() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		crate::Leases::<Test>::mutate_extant(lease, |lease| lease.next_job = JobId(u32::MAX));
		let call = Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, H256::zero());
		assert_noop!(call, E::NumbersExhausted);
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
