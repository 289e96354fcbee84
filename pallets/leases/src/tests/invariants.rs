//! Each invariant notices the corruption that it is there for.

use crate::{mock::*, pallet::*, types::*};
use millrace_primitives::{AskId, CloseReason, EscrowId, GpuIndex, GpuState, JobId, LeaseId, LeaseStatus};

fn change_lease(change: impl FnOnce(&mut LeaseOf<Test>)) {
	crate::Leases::<Test>::mutate_extant(LeaseId(0), change);
}

fn change_ask(change: impl FnOnce(&mut AskOf<Test>)) {
	Asks::<Test>::mutate_extant(AskId(0), change);
}

#[test]
fn a_deposit_that_is_not_held_is_noticed() {
	ExtBuilder.build_and_break("1: the deposit held", || {
		open();
		change_ask(|ask| ask.deposit += 1);
	});
}

#[test]
fn a_book_that_differs_from_the_asks_is_noticed() {
	ExtBuilder.build_and_break("2: what is left", || {
		open();
		change_ask(|ask| ask.left += 1);
	});
	ExtBuilder.build_and_break("2: the book does not have", || {
		open();
		Book::<Test>::remove(CLASS, BookKey::new(PRICE, AskId(0)));
	});
	ExtBuilder.build_and_break("2: the book lists", || {
		open();
		Book::<Test>::insert(CLASS, BookKey::new(1, AskId(7)), ());
	});
}

#[test]
fn lists_that_are_not_a_recount_are_noticed() {
	ExtBuilder.build_and_break("3: a list of asks is not a recount", || {
		open();
		AsksOf::<Test>::remove(PROVIDER);
	});
	ExtBuilder.build_and_break("3: a list of asks is not sorted", || {
		open();
		AsksOf::<Test>::mutate(PROVIDER, |asks| asks.try_push(AskId(0)).unwrap());
	});
	ExtBuilder.build_and_break("3: a list of leases is not a recount", || {
		open();
		ProviderLeases::<Test>::mutate(STRANGER, |leases| leases.try_push(LeaseId(4)).unwrap());
	});
	ExtBuilder.build_and_break("3: a list of leases is not sorted", || {
		open();
		ProviderLeases::<Test>::mutate(PROVIDER, |leases| leases.try_push(LeaseId(0)).unwrap());
	});
}

#[test]
fn a_gpu_in_two_leases_or_in_none_is_noticed() {
	ExtBuilder.build_and_break("4: the registry does not have", || {
		open();
		RegistryGpus::insert(PROVIDER, GpuIndex(0), (CLASS, GpuState::Healthy));
	});
	ExtBuilder.build_and_break("4: a GPU serves two leases", || {
		open();
		change_lease(|lease| lease.gpus = vec![GpuIndex(0), GpuIndex(0)].try_into().unwrap());
	});
	ExtBuilder.build_and_break("4: a lease has no GPU", || {
		open();
		change_lease(|lease| lease.gpus = Default::default());
		change_ask(|ask| ask.left = ask.gpus);
	});
}

#[test]
fn an_agenda_that_differs_from_its_objects_is_noticed() {
	ExtBuilder.build_and_break("5: an object has no entry", || {
		let lease = open();
		Agenda::<Test>::remove(record(lease).due, AgendaItem::Lease(lease));
	});
	ExtBuilder.build_and_break("5: an object has no entry", || {
		open();
		change_ask(|ask| ask.due += 1);
	});
	ExtBuilder.build_and_break("5: an entry of the agenda has no object", || {
		Agenda::<Test>::insert(9, AgendaItem::Lease(LeaseId(3)), ());
	});
	ExtBuilder.build_and_break("5: the agenda has passed", || {
		open();
		AgendaCursor::<Test>::put(u32::MAX);
	});
}

#[test]
fn counts_of_jobs_that_are_not_a_recount_are_noticed() {
	ExtBuilder.build_and_break("6: a count of jobs", || {
		let lease = open();
		submit(lease);
		change_lease(|lease| lease.open_jobs = 0);
	});
	ExtBuilder.build_and_break("6: a job has no lease", || {
		Jobs::<Test>::insert(
			LeaseId(5),
			JobId(0),
			Job { plan: Default::default(), submitted_at: 0, outcome: None },
		);
	});
	ExtBuilder.build_and_break("6: a job has a number", || {
		let lease = open();
		submit(lease);
		change_lease(|lease| lease.next_job = JobId(0));
	});
	ExtBuilder.build_and_break("6: a lease has too many jobs", || {
		let lease = open();
		submit(lease);
		let job = Job { plan: Default::default(), submitted_at: 0, outcome: None };
		for id in 1..=MAX_JOBS_PER_LEASE {
			Jobs::<Test>::insert(lease, JobId(id), job.clone());
		}
		change_lease(|lease| {
			lease.open_jobs = MAX_JOBS_PER_LEASE + 1;
			lease.next_job = JobId(MAX_JOBS_PER_LEASE + 1);
		});
	});
}

#[test]
fn times_that_do_not_follow_from_the_status_are_noticed() {
	ExtBuilder.build_and_break("7: a closed lease is stored", || {
		open();
		change_lease(|lease| lease.status = LeaseStatus::Closed(CloseReason::Completed));
	});
	ExtBuilder.build_and_break("7: a lease has no escrow", || {
		TillEscrows::remove(EscrowId::from(open()));
	});
	ExtBuilder.build_and_break("7: a lease is ready exactly", || {
		open();
		change_lease(|lease| lease.status = LeaseStatus::Active);
	});
	ExtBuilder.build_and_break("7: the end of a lease", || {
		open_active();
		change_lease(|lease| lease.term_ms += 1);
	});
	ExtBuilder.build_and_break("7: attested before", || {
		open();
		change_lease(|lease| lease.attested_at -= 1);
	});
	ExtBuilder.build_and_break("7: the term is longer", || {
		open();
		change_lease(|lease| lease.max_term_ms = lease.term_ms - 1);
	});
}
