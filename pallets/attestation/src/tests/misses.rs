//! What the leases and the census are told of nodes that are not served.

use crate::mock::*;
use frame_support::{assert_ok, weights::Weight};
use millrace_primitives::{LeaseId, NodeStatus};

/// Reports and misses that the census was told of in so many blocks.
fn told_in(blocks: u32) -> Vec<Told> {
	told();
	run_blocks(blocks);
	told()
}

fn miss(owner: AccountId, reported: bool) -> Told {
	Told::Miss { owner, bonded: LEASE_BOND, reported }
}

/// A lease whose provider has reported in the first block of its epoch, and reports no more.
fn served_once() -> LeaseId {
	align(PROVIDER);
	let lease = lease(PROVIDER, 0);
	report(PROVIDER);
	lease
}

#[test]
fn each_epoch_of_absence_is_one_miss_from_the_suspension_on() {
	ExtBuilder.build_and_execute(|| {
		let lease = served_once();
		assert_eq!(told_in(2 * LEASED - 1), vec![]);
		assert_eq!(told_in(1), vec![miss(PROVIDER, false)]);
		assert!(is_suspended(lease));
		for epochs in 1..5 {
			assert_eq!(told_in(LEASED), vec![miss(PROVIDER, false)]);
			assert_eq!(node(lease, PROVIDER).misses, epochs);
		}
	});
}

#[test]
fn a_node_that_is_given_up_is_missed_no_more() {
	ExtBuilder.build_and_execute(|| {
		let lease = served_once();
		run_blocks(3 * LEASED);
		close(lease);
		assert_eq!(told_in(3 * LEASED), vec![]);
	});
}

#[test]
fn whoever_comes_back_is_counted_as_reporting_again() {
	ExtBuilder.build_and_execute(|| {
		let lease = served_once();
		run_blocks(3 * LEASED);
		told();
		report(PROVIDER);
		assert_eq!(told(), vec![Told::Report { bonded: LEASE_BOND, lag: 3 }]);
		assert_eq!(status(lease), NodeStatus::Active);
		// The next deadline is that of a live provider.
		assert_eq!(told_in(LEASED - 1), vec![]);
	});
}

#[test]
fn a_lease_that_is_left_out_is_missed_by_a_provider_that_reports() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		let (kept, left_out) = (lease(PROVIDER, 0), lease(PROVIDER, 1));
		report(PROVIDER);
		let mut misses = 0;
		for _ in 0..8 {
			run_to_next_epoch(PROVIDER);
			let mut report = full_report(PROVIDER);
			report.leases.retain(|usage| usage.lease == kept);
			assert_ok!(send(PROVIDER, report));
			misses += told().iter().filter(|told| **told == miss(PROVIDER, true)).count();
		}
		assert!(is_suspended(left_out));
		// The suspension, and each epoch since.
		assert_eq!(misses as u32, 1 + node(left_out, PROVIDER).misses);
		assert!(node(left_out, PROVIDER).misses >= 3);
		assert_eq!(node(kept, PROVIDER).misses, 0);
	});
}

#[test]
fn a_miss_that_cannot_be_counted_is_not_told_and_tried_again() {
	ExtBuilder.build_and_execute(|| {
		let lease = served_once();
		BrokenLeases::set(vec![lease]);
		events();
		assert_eq!(told_in(2 * LEASED), vec![]);
		assert!(matches!(
			events()[..],
			[crate::Event::Unexpected { .. }, crate::Event::ProviderStale { .. }]
		));
		BrokenLeases::set(vec![]);
		assert_eq!(told_in(LEASED), vec![miss(PROVIDER, false)]);
		assert!(is_suspended(lease));
	});
}

#[test]
fn the_census_knows_how_far_the_search_has_come() {
	ExtBuilder.build_and_execute(|| {
		served_once();
		run_blocks(1);
		assert_eq!(CensusSearched::get(), current_block() + 1);
		// With weight for nothing it stays where it was.
		AgendaLimit::set(Weight::zero());
		let before = CensusSearched::get();
		run_blocks(3 * LEASED);
		assert_eq!(CensusSearched::get(), before);
		AgendaLimit::set(Weight::MAX);
		run_blocks(1);
		assert_eq!(CensusSearched::get(), current_block() + 1);
	});
}

#[test]
fn a_report_says_since_when_its_provider_served_nothing() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		let at = Now::get();
		run_blocks(IDLE);
		report(PROVIDER);
		assert_eq!(RegistryIdle::get(PROVIDER), Some(at));
		let lease = lease(PROVIDER, 0);
		run_to_next_epoch(PROVIDER);
		report(PROVIDER);
		run_to_next_epoch(PROVIDER);
		report(PROVIDER);
		assert_eq!(RegistryIdle::get(PROVIDER), None);
		close(lease);
	});
}

#[test]
fn an_idle_epoch_is_noted_once_for_a_provider_that_was_there_without_a_lease() {
	ExtBuilder.build_and_execute(|| {
		align(PROVIDER);
		report(PROVIDER);
		assert_eq!(TillNoted::take(), Vec::<AccountId>::new());
		run_blocks(IDLE);
		report(PROVIDER);
		assert_eq!(TillNoted::take(), vec![PROVIDER]);
		// With a lease it is paid by its renter.
		run_blocks(IDLE - 1);
		let lease = lease(PROVIDER, 0);
		run_blocks(1);
		report(PROVIDER);
		assert_eq!(TillNoted::take(), Vec::<AccountId>::new());
		close(lease);
		// Whoever stayed away was not there.
		run_blocks(2 * IDLE + 2 * LEASED);
		report(PROVIDER);
		assert_eq!(TillNoted::take(), Vec::<AccountId>::new());
	});
}

#[test]
fn a_suspended_node_is_told_of_once_in_an_epoch_however_often_its_provider_is_looked_at() {
	ExtBuilder.build_and_execute(|| {
		let lease = served_once();
		run_blocks(4 * LEASED);
		assert!(is_suspended(lease));
		// To the first block of a span.
		while !current_block().is_multiple_of(LEASED) {
			next_block();
		}
		told();
		for _ in 0..LEASED - 1 {
			Attestation::serve_provider(&PROVIDER, Now::get());
			System::set_block_number(System::block_number() + 1);
		}
		assert_eq!(told(), vec![miss(PROVIDER, false)]);
	});
}
