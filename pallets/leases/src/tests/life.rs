//! Attestation and suspension, and how time ends a lease.

use crate::{
	mock::{Leases, *},
	pallet::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskId, CloseReason, FaultCause, GpuIndex, Hash, LeaseAttestation, LeaseId, LeaseInspect, LeaseStatus,
	NodeIndex, NodeStatus, OrderTerms, ProviderInspect, ServedNode, Term,
};
use sp_runtime::traits::{BlakeTwo256, Hash as _};

type E = Error<Test>;

const NODE: NodeIndex = NodeIndex(0);

/// Leases that closed, why, and the time that was billed.
pub(super) fn closed(events: &[Event<Test>]) -> Vec<(LeaseId, CloseReason, u64)> {
	let closed = |event: &Event<Test>| match event {
		Event::LeaseClosed { lease, reason, attested_ms, .. } => Some((*lease, *reason, *attested_ms)),
		_ => None,
	};
	events.iter().filter_map(closed).collect()
}

fn term(ms: u64) -> OrderTerms {
	OrderTerms { term: Term::Fixed { ms }, ..terms(2) }
}

/// A pending lease of two nodes: [`PROVIDER`]'s and [`OTHER_PROVIDER`]'s, one GPU each.
fn open_pair() -> LeaseId {
	post(PROVIDER, 8, PRICE - 1);
	post(OTHER_PROVIDER, 8, PRICE);
	let lease = order(RENTER, gang(2, 1));
	assert_eq!((node(lease, 0).provider, node(lease, 1).provider), (PROVIDER, OTHER_PROVIDER));
	lease
}

#[test]
fn the_first_attestation_starts_the_term_and_bills_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		run_blocks(5);
		events();
		attest(lease);
		let ends_at = Some(START + 5 * SLOT + 10 * MINUTE);
		let usage_chain = BlakeTwo256::hash_of(&(Hash::zero(), NODE, usage(lease), Now::get()));
		assert_eq!(
			events(),
			vec![
				Event::NodeReady { lease, node: NODE, after_ms: 5 * SLOT },
				Event::LeaseAttested { lease, node: NODE, ms: 0, busy_ms: 7, usage_chain },
				Event::LeaseReady { lease, after_ms: 5 * SLOT, ends_at },
			]
		);
		assert_eq!(record(lease).ends_at, ends_at);
		assert_eq!((status(lease), node_status(lease, 0)), (Some(LeaseStatus::Active), NodeStatus::Active));
		assert_eq!(attested_ms(lease), 0);
	});
}

#[test]
fn an_open_ended_lease_has_no_end() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, open_ended(terms(2), 10 * MINUTE));
		attest(lease);
		let ready = Event::LeaseReady { lease, after_ms: 0, ends_at: None };
		assert_eq!(events().pop(), Some(ready));
		assert_eq!(record(lease).ends_at, None);
	});
}

#[test]
fn attested_time_is_billed_and_chained() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		let before = record(lease).usage_chain;
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		let usage_chain = BlakeTwo256::hash_of(&(before, NODE, usage(lease), Now::get()));
		assert_eq!(record(lease).usage_chain, usage_chain);
		// Twice at the same time adds nothing.
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 20 * SLOT);
		assert_eq!(node(lease, 0).attested_at, Now::get());
	});
}

#[test]
fn an_interval_of_the_window_is_billed_and_a_longer_one_is_not() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		Now::set(Now::get() + WINDOW);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW);
		Now::set(Now::get() + WINDOW + 1);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW);
		// Service has restarted there.
		run_blocks(1);
		attest(lease);
		assert_eq!(attested_ms(lease), WINDOW + SLOT);
	});
}

#[test]
fn without_each_gpu_healthy_nothing_is_attested() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		// One of two, none, others.
		for healthy in [&[GpuIndex(0)][..], &[], &[GpuIndex(0), GpuIndex(2)]] {
			assert_ok!(Leases::attest(&PROVIDER, &usage(lease), healthy, Now::get(), WINDOW));
			assert_eq!(status(lease), Some(LeaseStatus::Pending));
		}
		attest(lease);
		run_blocks(5);
		events();
		assert_ok!(Leases::attest(&PROVIDER, &usage(lease), &[GpuIndex(1)], Now::get(), WINDOW));
		assert_eq!((attested_ms(lease), events()), (0, vec![]));
	});
}

#[test]
fn only_a_provider_that_serves_a_node_attests_or_is_suspended() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let attest = |who, lease| Leases::attest(&who, &usage(lease), &[], Now::get(), WINDOW);
		assert_noop!(attest(PROVIDER, LeaseId(9)), E::UnknownLease);
		assert_noop!(attest(OTHER_PROVIDER, lease), E::NotServing);
		assert_noop!(Leases::count_miss(LeaseId(9), &PROVIDER, 0), E::UnknownLease);
		assert_noop!(Leases::count_miss(lease, &OTHER_PROVIDER, 0), E::NotServing);
	});
}

#[test]
fn a_gang_is_billed_from_the_moment_when_its_last_node_was_attested() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_pair();
		run_blocks(2);
		attest_by(lease, PROVIDER);
		run_blocks(5);
		// It serves, and earns nothing yet.
		attest_by(lease, PROVIDER);
		assert_eq!((status(lease), attested_ms(lease)), (Some(LeaseStatus::Pending), 0));
		run_blocks(3);
		events();
		attest_by(lease, OTHER_PROVIDER);
		let ends_at = Some(START + 10 * SLOT + 10 * MINUTE);
		let events = events();
		assert_eq!(events[0], Event::NodeReady { lease, node: NodeIndex(1), after_ms: 10 * SLOT });
		assert_eq!(events[2], Event::LeaseReady { lease, after_ms: 10 * SLOT, ends_at });
		// What the first served since its own last attestation is not billed either.
		run_blocks(4);
		attest(lease);
		assert_eq!(attested_ms(lease), 2 * 4 * SLOT);
	});
}

#[test]
fn a_dark_node_stops_its_own_bill_and_no_other() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_pair();
		attest(lease);
		serve_blocks(lease, 10);
		suspend(lease, PROVIDER);
		run_blocks(10);
		attest_by(lease, OTHER_PROVIDER);
		assert_eq!(attested_ms(lease), 30 * SLOT);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		attest_by(lease, PROVIDER);
		run_blocks(5);
		attest(lease);
		assert_eq!(attested_ms(lease), 40 * SLOT);
	});
}

#[test]
fn suspension_stops_the_bill_until_the_provider_is_back() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		run_blocks(10);
		attest(lease);
		run_blocks(15);
		events();
		// WHEN
		suspend(lease, PROVIDER);
		// THEN
		let attested_at = START + 10 * SLOT;
		assert_eq!(events(), vec![Event::NodeSuspended { lease, node: NODE, attested_at }]);
		let suspended = NodeStatus::Suspended { since: START + 25 * SLOT, leaves_at: None };
		assert_eq!(node_status(lease, 0), suspended);
		// A second time changes nothing.
		assert_ok!(Leases::count_miss(lease, &PROVIDER, Now::get() + 5));
		assert_eq!(node_status(lease, 0), suspended);
		// Back inside the window: the gap is not billed all the same.
		run_blocks(2);
		events();
		attest(lease);
		assert_eq!(events()[0], Event::NodeResumed { lease, node: NODE, dark_ms: 17 * SLOT });
		assert_eq!(attested_ms(lease), 10 * SLOT);
		run_blocks(3);
		attest(lease);
		assert_eq!(attested_ms(lease), 13 * SLOT);
	});
}

#[test]
fn a_pending_node_is_not_suspended() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		suspend(lease, PROVIDER);
		assert_eq!(node_status(lease, 0), NodeStatus::Pending { since: START });
	});
}

#[test]
fn the_last_report_bills_up_to_the_end_and_the_agenda_closes() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, term(15 * SLOT));
		let before = Balances::free_balance(PROVIDER);
		attest(lease);
		run_blocks(10);
		attest(lease);
		// The term is over after five more; the report comes at the seventh.
		run_blocks(7);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		attest(lease);
		assert_eq!(attested_ms(lease), 15 * SLOT);
		// Another one adds nothing.
		events();
		attest(lease);
		assert_eq!(events(), vec![]);
		run_blocks(1);
		assert_eq!(
			events().last(),
			Some(&Event::LeaseClosed {
				lease,
				reason: CloseReason::Completed,
				ready_at: Some(START),
				attested_ms: 15 * SLOT,
				refunded: 0,
				pending: 0,
			})
		);
		assert_eq!(Balances::free_balance(PROVIDER), before + 2 * PRICE * 15);
		assert_eq!(Balances::free_balance(RENTER), RICH - 2 * PRICE * 15);
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
		assert_eq!(Asks::<Test>::get(AskId(0)).unwrap().taken, 0);
	});
}

#[test]
fn without_a_last_report_the_rest_is_not_billed() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, term(15 * SLOT));
		attest(lease);
		run_blocks(10);
		attest(lease);
		// It waits for the window after the end, and not a block longer.
		run_blocks(5 + 19);
		assert_eq!(status(lease), Some(LeaseStatus::Active));
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 10 * SLOT)]);
	});
}

#[test]
fn a_lease_waits_for_the_last_report_of_each_served_node() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_pair();
		attest(lease);
		Now::set(START + 10 * MINUTE);
		attest_by(lease, PROVIDER);
		let poke = || Leases::poke(RuntimeOrigin::signed(STRANGER), lease);
		assert_noop!(poke(), E::NothingDue);
		attest_by(lease, OTHER_PROVIDER);
		assert_ok!(poke());
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 0)]);
	});
}

#[test]
fn a_lease_that_is_not_ready_in_time_costs_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		run_blocks(299);
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		run_blocks(1);
		let events = events();
		assert_eq!(closed(&events), [(lease, CloseReason::ProviderNotReady, 0)]);
		let cause = FaultCause::NotReady;
		assert!(events.contains(&Event::NodeFaulted { lease, node: NODE, provider: PROVIDER, cause }));
		assert_eq!(Balances::free_balance(RENTER), RICH);
	});
}

#[test]
fn a_gang_of_which_one_node_never_comes_costs_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_pair();
		for _ in 0..30 {
			attest_by(lease, PROVIDER);
			run_blocks(10);
		}
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderNotReady, 0)]);
		assert_eq!(Balances::free_balance(RENTER), RICH);
		assert!(!ProviderLeases::<Test>::contains_key(PROVIDER));
	});
}

#[test]
fn a_provider_that_stays_dark_loses_the_lease() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		run_blocks(10);
		attest(lease);
		run_blocks(20);
		suspend(lease, PROVIDER);
		run_blocks(119);
		assert!(matches!(node_status(lease, 0), NodeStatus::Suspended { .. }));
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::ProviderDark, 10 * SLOT)]);
	});
}

#[test]
fn a_suspended_lease_ends_with_its_term_at_the_latest() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, term(30 * SLOT));
		attest(lease);
		run_blocks(20);
		suspend(lease, PROVIDER);
		run_blocks(9);
		assert!(status(lease).is_some());
		run_blocks(1);
		assert_eq!(closed(&events()), [(lease, CloseReason::Completed, 0)]);
	});
}

#[test]
fn reads_of_leases_agree_with_the_records() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		let second = order(RENTER, terms(1));
		assert_eq!(Leases::leases_of(&PROVIDER), vec![lease, second]);
		assert_eq!((Leases::lease_count(&PROVIDER), Leases::lease_count(&STRANGER)), (2, 0));
		assert_eq!(<Leases as LeaseInspect<_>>::status(second), Some(LeaseStatus::Pending));
		assert_eq!(<Leases as LeaseInspect<_>>::status(LeaseId(9)), None);
		let served = ServedNode {
			node: NODE,
			status: NodeStatus::Pending { since: START },
			gpus: vec![GpuIndex(2)],
			attested_at: START,
			ready_at: None,
		};
		assert_eq!(Leases::served_node(second, &PROVIDER), Some(served));
		run_blocks(7);
		attest(second);
		assert_eq!(Leases::served_node(second, &PROVIDER).unwrap().ready_at, Some(START + 7 * SLOT));
		assert_eq!(Leases::served_node(second, &STRANGER), None);
		assert_eq!(Leases::served_node(LeaseId(9), &PROVIDER), None);
	});
}
