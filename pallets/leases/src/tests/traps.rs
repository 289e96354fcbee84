//! Mistakes and complaints of other markets in the life of a lease, each as a test that names it.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
	weights_ext::WeightInfoExt,
};
use frame_support::{assert_noop, assert_ok, traits::Hooks, weights::WeightMeter};
use millrace_primitives::{
	CloseReason, FaultCause, GpuIndex, GpuState, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseStatus,
	NodeIndex, NodeStatus, ProviderInspect,
};
use sp_core::H256;

fn reason(events: &[Event<Test>]) -> Option<CloseReason> {
	events.iter().find_map(|event| match event {
		Event::LeaseClosed { reason, .. } => Some(*reason),
		_ => None,
	})
}

/// Complaint 1: overdrawn deployments go on running free.
#[test]
fn complaint_1_a_lease_never_runs_free_and_closes_when_its_funds_end() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, open_ended(terms(2), 5 * MINUTE));
		attest(lease);
		let before = Balances::free_balance(PROVIDER);
		serve_blocks(lease, 300);
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::FundsExhausted));
		// Every second that it ran was paid, and no more than was locked.
		assert_eq!(Balances::free_balance(PROVIDER), before + 2 * PRICE * 300);
		assert_eq!(Balances::free_balance(RENTER), RICH - 2 * PRICE * 300);
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
	});
}

/// Complaint 2: a deployment is destroyed instead of paused when the money runs out.
#[test]
fn complaint_2_low_funds_freeze_with_grace_before_the_close_and_a_top_up_saves_the_lease() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
		attest(lease);
		let job = submit(lease);
		attest_with(PROVIDER, &checkpoint(lease, job, 2));
		serve_blocks(lease, 540);
		assert_eq!(status(lease), Some(LeaseStatus::Frozen { since: Now::get() }));
		let warned = |event: &Event<Test>| matches!(event, Event::LowBalance { freezes_at, .. } if *freezes_at == Now::get());
		assert!(events().iter().any(warned));
		// Nothing is lost: GPUs, job and checkpoint are held for the grace.
		serve_blocks(lease, 59);
		assert_eq!(node(lease, 0).gpus.len(), 2);
		assert_ok!(Leases::top_up(RuntimeOrigin::signed(RENTER), lease, 2 * PRICE * 600));
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		assert_eq!(Jobs::<Test>::get(lease, job).unwrap().checkpoint.unwrap().launches_done, 2);
		serve_blocks(lease, 540);
		assert!(status(lease).is_some());
	});
}

/// Complaint 8: after a clean-up GPUs stay taken.
#[test]
fn complaint_8_gpus_come_back_exactly_as_they_were_leased() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let leases = [order(RENTER, terms(3)), order(OTHER_RENTER, terms(2)), order(RENTER, terms(1))];
		let state = |gpu| RegistryGpus::get(PROVIDER, GpuIndex(gpu)).unwrap().1;
		assert_eq!(state(3), GpuState::Leased(leases[1]));
		assert_ok!(Leases::close(RuntimeOrigin::signed(OTHER_RENTER), leases[1]));
		for gpu in 0..8 {
			let expected = match gpu {
				0..=2 => GpuState::Leased(leases[0]),
				5 => GpuState::Leased(leases[2]),
				_ => GpuState::Healthy,
			};
			assert_eq!(state(gpu), expected, "GPU {gpu}");
		}
		// The hole is leased again, and comes back whatever the reason of the end.
		let lease = order(RENTER, terms(4));
		assert_eq!(node(lease, 0).gpus.to_vec(), [3, 4, 6, 7].map(GpuIndex));
		run_blocks(300);
		assert!((0..8).all(|gpu| state(gpu) == GpuState::Healthy));
	});
}

/// Complaint 17: status changes leave lists that are never cleaned.
#[test]
fn complaint_17_every_index_equals_a_recount_on_every_path_to_the_end() {
	type End = (&'static str, fn(LeaseId));
	let ends: [End; 7] = [
		("closed", |lease| Leases::close(RuntimeOrigin::signed(RENTER), lease).map(drop).unwrap()),
		("rejected", |lease| Leases::reject(RuntimeOrigin::signed(RENTER), lease).map(drop).unwrap()),
		("governance", |lease| Leases::force_close(RuntimeOrigin::root(), lease).map(drop).unwrap()),
		("left", |lease| Leases::leave(RuntimeOrigin::signed(PROVIDER), lease).map(drop).unwrap()),
		("reclaimed", |lease| {
			assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
			serve_blocks(lease, 120);
		}),
		("dark", |lease| {
			suspend(lease, PROVIDER);
			check();
			run_blocks(120);
		}),
		("completed", |lease| serve_blocks(lease, 601)),
	];
	for (name, end) in ends {
		ExtBuilder.build_and_execute(|| {
			let lease = open_active();
			submit(lease);
			check();
			end(lease);
			check();
			assert_eq!(status(lease), None, "{name}");
			assert!(!ProviderLeases::<Test>::contains_key(PROVIDER), "{name}");
			assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8, "{name}");
			assert_eq!(Asks::<Test>::iter_values().next().unwrap().taken, 0, "{name}");
			assert_eq!((Jobs::<Test>::iter_keys().count(), held_of(lease)), (0, 0), "{name}");
			// What is left in the agenda is the ask.
			assert_eq!(Agenda::<Test>::iter_keys().count(), 1, "{name}");
		});
	}
}

/// Trap 3: a record is deleted before what it still owes.
#[test]
fn trap_3_a_closed_lease_is_remembered_until_its_last_payment() {
	ExtBuilder.build_and_execute(|| {
		ContestWindow::set(5 * MINUTE);
		let lease = open_active();
		serve_blocks(lease, 20);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!((status(lease), held_of(lease)), (None, 2 * PRICE * 20));
		let last = Payments::<Test>::get(lease).unwrap();
		assert_eq!(last.at, Now::get() + 5 * MINUTE);
		assert!(Agenda::<Test>::contains_key(last.due, AgendaItem::Payments(lease)));
		// Also when paying fails for a while.
		BrokenEscrows::set(vec![lease.into()]);
		run_blocks(500);
		assert!(Payments::<Test>::contains_key(lease));
		BrokenEscrows::set(vec![]);
		run_blocks(10);
		assert_eq!((Payments::<Test>::get(lease), held_of(lease)), (None, 0));
	});
}

/// Trap 4: an early return inside a queue's loop leaves the rest unprocessed for ever.
#[test]
fn trap_4_one_lease_that_fails_to_close_does_not_keep_the_others_open() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let leases: Vec<_> = (0..5).map(|_| order(RENTER, terms(1))).collect();
		let broken = leases[2];
		BrokenEscrows::set(vec![broken.into()]);
		run_blocks(300);
		for lease in leases {
			assert_eq!(status(lease).is_some(), lease == broken);
		}
		// And it is not forgotten either.
		BrokenEscrows::set(vec![]);
		run_blocks(10);
		assert_eq!(status(broken), None);
	});
}

/// Trap 5: a status is changed in a copy that is never stored.
#[test]
fn trap_5_every_transition_is_stored() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(open_ended(terms(2), 10 * MINUTE), 0));
		let seen = || (status(lease).unwrap(), node_status(lease, 0));
		assert_eq!(seen(), (LeaseStatus::Pending, NodeStatus::Pending { since: START }));
		attest(lease);
		assert_eq!(seen(), (LeaseStatus::Active, NodeStatus::Active));
		suspend(lease, PROVIDER);
		assert_eq!(seen().1, NodeStatus::Suspended { since: START, leaves_at: None });
		attest(lease);
		assert_eq!(seen().1, NodeStatus::Active);
		assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
		let until = START + 2 * MINUTE;
		assert_eq!(seen().1, NodeStatus::Reclaiming { until });
		suspend(lease, PROVIDER);
		assert_eq!(seen().1, NodeStatus::Suspended { since: START, leaves_at: Some(until) });
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(seen().1, NodeStatus::Faulted { since: START, cause: FaultCause::Left });
		post(OTHER_PROVIDER, 8, PRICE);
		run_blocks(5);
		assert_eq!(seen().1, NodeStatus::Pending { since: Now::get() });
		attest(lease);
		assert_eq!(seen().1, NodeStatus::Active);
		serve_blocks(lease, 540);
		assert_eq!(seen().0, LeaseStatus::Frozen { since: Now::get() });
		assert_ok!(Leases::top_up(RuntimeOrigin::signed(RENTER), lease, 2 * PRICE * 600));
		assert_eq!(seen().0, LeaseStatus::Active);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(status(lease), None);
	});
}

/// Trap 6: a limit that is off by one.
#[test]
fn trap_6_a_lease_has_exactly_as_many_open_jobs_as_allowed() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		for _ in 0..MAX_JOBS_PER_LEASE {
			submit(lease);
		}
		let one_more = Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, NodeIndex(0), H256::zero());
		assert_noop!(one_more, Error::<Test>::TooManyOpenJobs);
	});
}

/// Trap 7: dead objects that fill a live quota.
#[test]
fn trap_7_finished_jobs_do_not_fill_the_quota_of_open_ones() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let done = JobOutcome::Succeeded { output: H256::zero(), bytes: 0 };
		// Three times as many jobs as a lease stores.
		for _ in 0..3 * MAX_JOBS_PER_LEASE {
			let job = submit(lease);
			assert_ok!(Leases::finish_job(lease, job, done));
		}
		assert_eq!(record(lease).finished_jobs, MAX_JOBS_PER_LEASE);
		// The latest are those that stay, and open ones never give way.
		assert_eq!(Leases::jobs(lease)[0].0, JobId(2 * MAX_JOBS_PER_LEASE));
		for _ in 0..MAX_JOBS_PER_LEASE {
			submit(lease);
		}
		assert_eq!((record(lease).open_jobs, record(lease).finished_jobs), (MAX_JOBS_PER_LEASE, 0));
		let one_more = Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, NodeIndex(0), H256::zero());
		assert_noop!(one_more, Error::<Test>::TooManyOpenJobs);
	});
}

/// Trap 9: anyone may stop anyone's job.
#[test]
fn trap_9_nobody_but_the_renter_steers_a_lease() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		for who in [PROVIDER, OTHER_PROVIDER, OTHER_RENTER, STRANGER] {
			let origin = || RuntimeOrigin::signed(who);
			assert_noop!(Leases::close(origin(), lease), Error::<Test>::NotRenter);
			assert_noop!(Leases::reject(origin(), lease), Error::<Test>::NotRenter);
			assert_noop!(Leases::extend(origin(), lease, MINUTE), Error::<Test>::NotRenter);
			assert_noop!(Leases::shrink(origin(), lease, MINUTE), Error::<Test>::NotRenter);
			assert_noop!(Leases::top_up(origin(), lease, 1), Error::<Test>::NotRenter);
			let job = Leases::submit_job(origin(), lease, NodeIndex(0), H256::zero());
			assert_noop!(job, Error::<Test>::NotRenter);
			assert_noop!(Leases::poke(origin(), lease), Error::<Test>::NothingDue);
		}
		for who in [RENTER, OTHER_PROVIDER, STRANGER] {
			assert_noop!(Leases::reclaim(RuntimeOrigin::signed(who), lease), Error::<Test>::NotServing);
			assert_noop!(Leases::leave(RuntimeOrigin::signed(who), lease), Error::<Test>::NotServing);
		}
		assert_eq!(status(lease), Some(LeaseStatus::Active));
	});
}

/// Trap 11: only one status of a lease is summed, so that the others look unpaid.
#[test]
fn trap_11_reclaiming_and_frozen_leases_are_billed_and_counted() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let reclaiming = order(RENTER, terms(2));
		let frozen = order(RENTER, open_ended(terms(2), 2 * MINUTE));
		attest(reclaiming);
		attest(frozen);
		assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), reclaiming));
		for _ in 0..8 {
			run_blocks(10);
			attest(reclaiming);
			attest(frozen);
		}
		assert!(matches!(node_status(reclaiming, 0), NodeStatus::Reclaiming { .. }));
		assert!(matches!(status(frozen), Some(LeaseStatus::Frozen { .. })));
		assert_eq!((attested_ms(reclaiming), attested_ms(frozen)), (80 * SLOT, 80 * SLOT));
		assert_eq!(ProviderLeases::<Test>::get(PROVIDER).to_vec(), [reclaiming, frozen]);
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 4);
	});
}

/// Trap 12: paying for time that merely passed.
#[test]
fn trap_12_time_without_attestation_is_never_billed() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE - 1);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(terms(2), 10));
		// Waiting to be ready: not billed.
		run_blocks(100);
		attest(lease);
		assert_eq!(attested_ms(lease), 0);
		// Longer than the window: not billed.
		run_blocks(21);
		attest(lease);
		assert_eq!(attested_ms(lease), 0);
		// With a GPU down: not billed.
		run_blocks(10);
		assert_ok!(Leases::attest(&PROVIDER, &usage(lease), &[], Now::get(), WINDOW));
		run_blocks(11);
		attest(lease);
		assert_eq!(attested_ms(lease), 0);
		// A failover, from the last attestation of the one to the first of the other: not billed.
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		run_blocks(10);
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		run_blocks(10);
		attest(lease);
		assert_eq!((node(lease, 0).provider, attested_ms(lease)), (OTHER_PROVIDER, 10 * SLOT));
		// Since the last attestation, at a close: not billed.
		run_blocks(10);
		attest(lease);
		run_blocks(10);
		let before = Balances::free_balance(RENTER) + held_of(lease);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(Balances::free_balance(RENTER), before - 2 * (PRICE - 1) * 10 - 2 * PRICE * 10);
	});
}

/// Trap 13: the whole machine's GPU count used for a partial rent.
#[test]
fn trap_13_a_part_of_a_provider_costs_and_takes_that_part_only() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, terms(3));
		assert_eq!(node(lease, 0).gpus.len(), 3);
		assert_eq!(held_of(lease), 3 * PRICE * 600);
		// An extension too.
		assert_ok!(Leases::extend(RuntimeOrigin::signed(RENTER), lease, MINUTE));
		assert_eq!(held_of(lease), 3 * PRICE * 660);
		// And what leaving costs at most.
		attest(lease);
		let other = order(OTHER_RENTER, terms(5));
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(RegistryPenalties::get(PROVIDER), Some(3 * GPU_BOND / 5));
		// The close gives back three, not eight.
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 3);
		assert_eq!(Asks::<Test>::get(ask).unwrap().taken, 5);
		assert_eq!(node(other, 0).gpus.len(), 5);
	});
}

/// Trap 16: one missed signal evicts for good.
#[test]
fn trap_16_who_is_silent_is_suspended_before_it_is_out_and_may_come_back() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		for _ in 0..5 {
			suspend(lease, PROVIDER);
			run_blocks(119);
			assert!(matches!(node_status(lease, 0), NodeStatus::Suspended { .. }));
			assert_eq!(node(lease, 0).gpus.len(), 2);
			attest(lease);
			assert_eq!(node_status(lease, 0), NodeStatus::Active);
		}
		assert_eq!((record(lease).excluded.len(), node(lease, 0).generation), (0, 0));
	});
}

/// Trap 17: who says nothing keeps the last good status.
#[test]
fn trap_17_silence_changes_the_status() {
	ExtBuilder.build_and_execute(|| {
		// Of a provider that never came,
		let lease = open();
		run_blocks(300);
		assert_eq!((status(lease), reason(&events())), (None, Some(CloseReason::ProviderNotReady)));
		// of one that stays away,
		let lease = order(RENTER, terms(2));
		attest(lease);
		suspend(lease, PROVIDER);
		run_blocks(120);
		assert_eq!((status(lease), reason(&events())), (None, Some(CloseReason::ProviderDark)));
		// and of a lease whose last report never comes.
		let lease = order(RENTER, terms(2));
		attest(lease);
		run_blocks(620);
		assert_eq!((status(lease), reason(&events())), (None, Some(CloseReason::Completed)));
	});
}

/// Trap 18: hooks without bound.
#[test]
fn trap_18_a_block_full_of_due_leases_stays_within_its_weight() {
	ExtBuilder.build_and_execute(|| {
		add_gpus(PROVIDER, 56);
		post(PROVIDER, 64, 1);
		for _ in 0..64 {
			order(RENTER, terms(1));
		}
		run_blocks(299);
		let limit = <() as WeightInfoExt>::step_of_lease(SMALL_LEASE).saturating_mul(7);
		AgendaLimit::set(limit);
		let mut blocks = 0;
		while ProviderLeases::<Test>::contains_key(PROVIDER) {
			let block = System::block_number() + 1;
			System::set_block_number(block);
			Now::set(Now::get() + SLOT);
			let mut meter = WeightMeter::new();
			<Leases as Hooks<u64>>::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(limit));
			check();
			blocks += 1;
			assert!(blocks < 64, "the agenda does not get through");
		}
		assert!(blocks > 1, "the limit did not bind");
	});
}
