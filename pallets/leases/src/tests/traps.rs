//! Mistakes that other markets made, each as a test that names it.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	EscrowId, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseStatus, ProviderInspect,
};
use sp_core::H256;

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

/// Trap 6: a limit that is off by one.
#[test]
fn trap_6_each_limit_allows_exactly_its_number() {
	ExtBuilder.build_and_execute(|| {
		// Asks of a provider.
		for _ in 0..MAX_ASKS_PER_PROVIDER {
			post(PROVIDER, 1, PRICE);
		}
		let one_more = Leases::post_ask(
			RuntimeOrigin::signed(PROVIDER),
			CLASS,
			1,
			PRICE,
			MinTerm::get(),
			MaxTerm::get(),
			MINUTE,
		);
		assert_noop!(one_more, Error::<Test>::TooManyAsks);
		// Jobs without a result.
		let lease = order(RENTER, terms(1));
		for _ in 0..MAX_JOBS_PER_LEASE {
			submit(lease);
		}
		let one_more = Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, H256::zero());
		assert_noop!(one_more, Error::<Test>::TooManyOpenJobs);
		// GPUs left on an ask.
		post(OTHER_PROVIDER, 8, 1);
		order(RENTER, terms(8));
		let one_more = Leases::place_order(RuntimeOrigin::signed(RENTER), terms(2), None);
		assert_noop!(one_more, Error::<Test>::NotEnoughGpus);
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
		let one_more = Leases::submit_job(RuntimeOrigin::signed(RENTER), lease, H256::zero());
		assert_noop!(one_more, Error::<Test>::TooManyOpenJobs);
	});
}

/// Trap 7, for asks and leases.
#[test]
fn trap_7_asks_and_leases_that_are_gone_free_their_slots() {
	ExtBuilder.build_and_execute(|| {
		for _ in 0..2 {
			for _ in 0..MAX_ASKS_PER_PROVIDER {
				post(PROVIDER, 1, PRICE);
			}
			// They all expire.
			Now::set(Now::get() + MaxAskLifetime::get());
			run_blocks(MaxAskLifetime::get() / SLOT / 2 + 1);
			assert!(!AsksOf::<Test>::contains_key(PROVIDER));
		}
		post(PROVIDER, 8, PRICE);
		for _ in 0..100 {
			let lease = order(RENTER, terms(8));
			assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		}
	});
}

/// Trap 7, for the book: sold-out asks cost orders no look.
#[test]
fn trap_7_sold_out_asks_do_not_hide_the_rest_of_the_book() {
	ExtBuilder.build_and_execute(|| {
		add_gpus(PROVIDER, 16);
		for _ in 0..MAX_ASKS_LOOKED_AT {
			post(PROVIDER, 1, PRICE - 1);
		}
		post(OTHER_PROVIDER, 1, PRICE);
		for _ in 0..MAX_ASKS_LOOKED_AT {
			order(RENTER, terms(1));
		}
		let last = order(RENTER, terms(1));
		assert_eq!(record(last).provider, OTHER_PROVIDER);
		// A lease that ends puts its ask back at its place.
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), LeaseId(3)));
		assert_eq!(record(order(RENTER, terms(1))).price, PRICE - 1);
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
			assert_noop!(Leases::extend(origin(), lease, MINUTE), Error::<Test>::NotRenter);
			assert_noop!(Leases::submit_job(origin(), lease, H256::zero()), Error::<Test>::NotRenter);
			assert_noop!(Leases::poke(origin(), lease), Error::<Test>::NothingDue);
		}
		assert_eq!(status(lease), Some(LeaseStatus::Active));
	});
}

/// Trap 12: paying for time that merely passed.
#[test]
fn trap_12_time_without_attestation_is_never_billed() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
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
		assert_ok!(Leases::attest(&usage(lease), &[], Now::get(), WINDOW));
		run_blocks(11);
		attest(lease);
		assert_eq!(attested_ms(lease), 0);
		// Since the last attestation, at a close: not billed.
		run_blocks(10);
		attest(lease);
		run_blocks(10);
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		let Some(Event::LeaseClosed { attested_ms, paid, fee, refunded, deposited, .. }) = events().pop()
		else {
			panic!("not closed")
		};
		assert_eq!(attested_ms, 10 * SLOT);
		assert_eq!((paid + fee, refunded), (2 * PRICE * 10, deposited - 2 * PRICE * 10));
		assert!(!TillEscrows::contains_key(EscrowId::from(lease)));
	});
}

/// Trap 13: the whole machine's GPU count used for a partial rent.
#[test]
fn trap_13_a_part_of_a_provider_costs_and_takes_that_part_only() {
	ExtBuilder.build_and_execute(|| {
		let ask = post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, terms(3));
		assert_eq!(record(lease).gpus.len(), 3);
		let (_, _, rate, deposit, ..) = TillEscrows::get(EscrowId::from(lease)).unwrap();
		assert_eq!((rate, deposit), (3 * PRICE, 3 * PRICE * 600));
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 5);
		assert_eq!(Asks::<Test>::get(ask).unwrap().left, 5);
		// An extension too.
		assert_ok!(Leases::extend(RuntimeOrigin::signed(RENTER), lease, MINUTE));
		assert_eq!(TillEscrows::get(EscrowId::from(lease)).unwrap().3, 3 * PRICE * 660);
		// The close gives back three, not eight.
		let other = order(OTHER_RENTER, terms(5));
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 3);
		assert_eq!(Asks::<Test>::get(ask).unwrap().left, 3);
		assert_eq!(record(other).gpus.len(), 5);
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
		use crate::weights::WeightInfo;
		let limit =
			<() as WeightInfo>::agenda_lease(MAX_GPUS_PER_LEASE, MAX_JOBS_PER_LEASE).saturating_mul(2);
		AgendaLimit::set(limit);
		let mut blocks = 0;
		while ProviderLeases::<Test>::contains_key(PROVIDER) {
			let block = System::block_number() + 1;
			System::set_block_number(block);
			Now::set(Now::get() + SLOT);
			let mut meter = frame_support::weights::WeightMeter::new();
			<Leases as frame_support::traits::Hooks<u64>>::on_poll(block, &mut meter);
			assert!(meter.consumed().all_lte(limit));
			Leases::do_try_state().unwrap();
			blocks += 1;
			assert!(blocks < 64, "the agenda does not get through");
		}
		assert!(blocks > 1, "the limit did not bind");
	});
}
