//! A node whose provider fails moves to another one.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{
	AskTerms, CloseReason, Constraints, EscrowId, FaultCause, GpuIndex, LeaseId, LeaseInspect, LeaseStatus,
	NodeIndex, NodeStatus, OrderTerms, ProviderInspect, Term,
};

const NODE: NodeIndex = NodeIndex(0);

/// A ready lease of two of [`PROVIDER`]'s GPUs, with failover at up to a tenth more.
fn open_movable() -> LeaseId {
	post(PROVIDER, 8, PRICE - 10);
	let lease = order(RENTER, with_failover(terms(2), 10));
	attest(lease);
	lease
}

/// The provider goes dark for so long that it is out.
fn fail(lease: LeaseId, provider: AccountId) {
	suspend(lease, provider);
	run_blocks(SuspendedFor::get() / SLOT);
}

fn faulted(lease: LeaseId) -> bool {
	matches!(node_status(lease, 0), NodeStatus::Faulted { .. })
}

fn reason(events: &[Event<Test>]) -> Option<CloseReason> {
	events.iter().find_map(|event| match event {
		Event::LeaseClosed { reason, .. } => Some(*reason),
		_ => None,
	})
}

#[test]
fn a_node_moves_to_the_next_best_provider_in_the_same_escrow() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, PRICE - 5);
		let held = held_of(lease);
		serve_blocks(lease, 10);
		events();
		fail(lease, PROVIDER);
		let (since, cause) = (Now::get(), FaultCause::Dark);
		let events = events();
		assert!(events.contains(&Event::NodeFaulted { lease, node: NODE, provider: PROVIDER, cause }));
		let assigned = Event::NodeAssigned {
			lease,
			node: NODE,
			provider: OTHER_PROVIDER,
			ask: Some(millrace_primitives::AskId(1)),
			gpus: vec![GpuIndex(0), GpuIndex(1)],
			price: PRICE - 5,
			generation: 1,
		};
		assert!(events.contains(&assigned));
		let node = node(lease, 0);
		assert_eq!((node.status, node.generation), (NodeStatus::Pending { since }, 1));
		assert_eq!((node.price, node.max_price), (PRICE - 5, 99));
		// The failed one has its GPUs back, and is not to come again.
		assert_eq!(Registry::free_gpus(&PROVIDER, CLASS), 8);
		assert_eq!((Leases::leases_of(&PROVIDER), Leases::leases_of(&OTHER_PROVIDER)), (vec![], vec![lease]));
		assert_eq!(record(lease).excluded.to_vec(), [PROVIDER]);
		assert_eq!(held_of(lease), held);
		// Nothing is billed until the new one attests; then its own time is.
		run_blocks(10);
		attest(lease);
		assert_eq!(attested_ms(lease), 10 * SLOT);
		serve_blocks(lease, 20);
		let streams = TillEscrows::get(EscrowId::from(lease)).unwrap().streams;
		let owed: Vec<_> = streams.iter().map(|stream| (stream.payee, stream.earned, stream.ended)).collect();
		assert_eq!(owed, [(PROVIDER, 2 * 90 * 10, true), (OTHER_PROVIDER, 2 * 95 * 20, false)]);
	});
}

#[test]
fn the_end_of_the_term_does_not_move_with_the_node() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, 99);
		fail(lease, PROVIDER);
		attest(lease);
		serve_blocks(lease, 600 - 120);
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::Completed));
		// The premium was held, so that the dearer one is paid in full.
		assert_eq!(Balances::free_balance(RENTER), RICH - 2 * 99 * 480);
	});
}

#[test]
fn a_replacement_that_cannot_be_assigned_is_reported_and_tried_again() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, PRICE - 5);
		BrokenEscrows::set(vec![lease.into()]);
		events();
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		let error = sp_runtime::DispatchError::Unavailable;
		let kind = UnexpectedKind::AgendaItemFailed(AgendaItem::Lease(lease), error);
		assert_eq!(events().last(), Some(&Event::Unexpected { kind }));
		// Who left is out; nothing of the other is taken.
		assert!(faulted(lease));
		assert_eq!(Registry::free_gpus(&OTHER_PROVIDER, CLASS), 8);
		check();
		BrokenEscrows::set(vec![]);
		run_blocks(5);
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
	});
}

#[test]
fn a_replacement_costs_the_premium_more_at_most() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, 100);
		fail(lease, PROVIDER);
		run_blocks(20);
		assert!(faulted(lease));
		// Within five slots somebody is found who costs no more.
		post(OTHER_PROVIDER, 8, 99);
		run_blocks(5);
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
	});
}

#[test]
fn the_failed_owner_does_not_come_back_under_another_account() {
	ExtBuilder.build_and_execute(|| {
		for provider in [PROVIDER, OTHER_PROVIDER] {
			declare(provider, |declared| declared.owner = 7);
		}
		let lease = open_movable();
		post(PROVIDER, 8, 1);
		post(OTHER_PROVIDER, 8, 1);
		fail(lease, PROVIDER);
		assert!(faulted(lease));
		assert_eq!(record(lease).excluded.to_vec(), [7]);
		post(THIRD_PROVIDER, 8, PRICE - 1);
		run_blocks(5);
		assert_eq!(node(lease, 0).provider, THIRD_PROVIDER);
	});
}

#[test]
fn a_lease_that_finds_nobody_in_time_closes_with_the_fault() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease =
			order(RENTER, with_failover(OrderTerms { term: Term::Fixed { ms: 60 * MINUTE }, ..terms(2) }, 0));
		attest(lease);
		serve_blocks(lease, 10);
		fail(lease, PROVIDER);
		run_blocks(599);
		assert!(faulted(lease));
		events();
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::ProviderDark));
		assert_eq!(Balances::free_balance(RENTER), RICH - 2 * PRICE * 10);
	});
}

#[test]
fn the_last_search_is_at_the_end_of_the_time_for_it() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease =
			order(RENTER, with_failover(OrderTerms { term: Term::Fixed { ms: 60 * MINUTE }, ..terms(2) }, 0));
		attest(lease);
		fail(lease, PROVIDER);
		run_blocks(598);
		post(OTHER_PROVIDER, 8, PRICE);
		run_blocks(2);
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
	});
}

#[test]
fn a_term_that_ends_during_the_search_is_completed() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease =
			order(RENTER, with_failover(OrderTerms { term: Term::Fixed { ms: 4 * MINUTE }, ..terms(2) }, 0));
		attest(lease);
		fail(lease, PROVIDER);
		run_blocks(119);
		assert!(faulted(lease));
		run_blocks(1);
		assert_eq!(reason(&events()), Some(CloseReason::Completed));
	});
}

#[test]
fn a_provider_that_is_not_ready_in_time_is_replaced_before_billing_starts() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE - 1);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(terms(2), 50));
		run_blocks(300);
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
		assert_eq!(status(lease), Some(LeaseStatus::Pending));
		run_blocks(10);
		attest(lease);
		// The whole term is still to come.
		assert_eq!(record(lease).ends_at, Some(START + 310 * SLOT + 10 * MINUTE));
	});
}

#[test]
fn a_replacement_that_does_not_get_ready_is_replaced_too() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, 91);
		post(THIRD_PROVIDER, 8, 92);
		fail(lease, PROVIDER);
		run_blocks(300);
		let node = node(lease, 0);
		assert_eq!((node.provider, node.generation), (THIRD_PROVIDER, 2));
		assert_eq!(record(lease).excluded.len(), 2);
	});
}

#[test]
fn who_leaves_is_replaced_in_the_same_call_and_pays_the_renter() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, PRICE - 5);
		let before = Balances::free_balance(RENTER);
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
		assert_eq!(Balances::free_balance(RENTER), before + 2 * GPU_BOND / 5);
	});
}

#[test]
fn who_has_served_its_notice_is_replaced() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, PRICE - 5);
		assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
		serve_blocks(lease, 120);
		assert_eq!((node(lease, 0).provider, attested_ms(lease)), (OTHER_PROVIDER, 110 * SLOT));
	});
}

#[test]
fn nodes_that_fail_together_are_replaced_one_in_a_block() {
	ExtBuilder.build_and_execute(|| {
		for provider in 101..=104 {
			add_gpus(provider, 1);
			post(provider, 1, PRICE);
		}
		let lease = order(RENTER, with_failover(gang(2, 1), 0));
		attest(lease);
		suspend(lease, 101);
		fail(lease, 102);
		let providers = || record(lease).nodes.iter().map(|node| node.provider).collect::<Vec<_>>();
		assert_eq!(providers(), [103, 102]);
		run_blocks(1);
		assert_eq!(providers(), [103, 104]);
		assert_eq!(record(lease).nodes.iter().map(|node| node.generation).sum::<u32>(), 2);
	});
}

#[test]
fn the_rest_of_a_gang_is_billed_while_one_node_is_looked_for() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(gang(2, 1), 0));
		attest(lease);
		fail(lease, PROVIDER);
		attest_by(lease, OTHER_PROVIDER);
		let before = attested_ms(lease);
		serve_blocks(lease, 20);
		assert_eq!(attested_ms(lease), before + 20 * SLOT);
	});
}

#[test]
fn a_replacement_keeps_to_the_limits_with_those_that_stay() {
	ExtBuilder.build_and_execute(|| {
		for (provider, country) in [(101, *b"DE"), (102, *b"FR"), (103, *b"FR"), (104, *b"IT")] {
			add_gpus(provider, 8);
			declare(provider, |declared| declared.country = country);
			post(provider, 8, u128::from(provider) - 10);
		}
		let constraints = Constraints { max_nodes_per_country: Some(1), ..Default::default() };
		let lease = order(RENTER, with_failover(OrderTerms { constraints, ..gang(2, 1) }, 50));
		attest(lease);
		fail(lease, 101);
		// Neither the one that serves the other node nor one of its country.
		assert_eq!((node(lease, 0).provider, node(lease, 1).provider), (104, 102));
	});
}

#[test]
fn as_many_owners_as_can_be_excluded_may_fail_and_not_one_more() {
	ExtBuilder.build_and_execute(|| {
		let providers = 100..=100 + u64::from(MAX_EXCLUDED) + 1;
		for provider in providers.clone() {
			add_gpus(provider, 8);
			post(provider, 8, PRICE);
		}
		let lease =
			order(RENTER, with_failover(OrderTerms { term: Term::Fixed { ms: 60 * MINUTE }, ..terms(2) }, 0));
		for generation in 0..MAX_EXCLUDED {
			assert_eq!(node(lease, 0).generation, generation);
			let provider = node(lease, 0).provider;
			assert_ok!(Leases::leave(RuntimeOrigin::signed(provider), lease));
		}
		assert_eq!(record(lease).excluded.len(), MAX_EXCLUDED as usize);
		let provider = node(lease, 0).provider;
		events();
		assert_ok!(Leases::leave(RuntimeOrigin::signed(provider), lease));
		assert_eq!(reason(&events()), Some(CloseReason::ProviderLeft));
	});
}

#[test]
fn a_job_goes_on_from_its_checkpoint_elsewhere() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post(OTHER_PROVIDER, 8, PRICE - 5);
		let job = submit(lease);
		attest_with(PROVIDER, &checkpoint(lease, job, 3));
		fail(lease, PROVIDER);
		let jobs = <Leases as LeaseInspect<_>>::open_jobs(lease, &OTHER_PROVIDER);
		assert_eq!(jobs[0].job, job);
		assert_eq!(jobs[0].checkpoint.unwrap().launches_done, 3);
		assert!(Leases::open_jobs(lease, &PROVIDER).is_empty());
	});
}

#[test]
fn an_extension_keeps_to_what_the_replacement_allows() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		post_terms(OTHER_PROVIDER, AskTerms { max_term_ms: Some(9 * MINUTE), ..ask_terms(8, PRICE - 5) });
		fail(lease, PROVIDER);
		// Two minutes are over, and it allows nine from now on.
		let extend = |extra| Leases::extend(RuntimeOrigin::signed(RENTER), lease, extra);
		assert_noop!(extend(MINUTE + 1), Error::<Test>::TermTooLong);
		assert_ok!(extend(MINUTE));
	});
}

#[test]
fn an_open_ended_lease_moves_to_an_ask_that_allows_it() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(open_ended(terms(2), 10 * MINUTE), 0));
		attest(lease);
		post_terms(OTHER_PROVIDER, AskTerms { max_term_ms: Some(60 * MINUTE), ..ask_terms(8, 1) });
		post_terms(THIRD_PROVIDER, AskTerms { min_term_ms: 10 * MINUTE, ..ask_terms(8, PRICE - 1) });
		serve_blocks(lease, 60);
		fail(lease, PROVIDER);
		// The funds pay for nine minutes more.
		assert!(faulted(lease));
		post(THIRD_PROVIDER, 8, PRICE);
		run_blocks(5);
		assert_eq!(node(lease, 0).provider, THIRD_PROVIDER);
	});
}

#[test]
fn a_faulted_provider_serves_nothing_and_attests_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_movable();
		fail(lease, PROVIDER);
		assert!(faulted(lease));
		assert_eq!(<Leases as LeaseInspect<_>>::served_node(lease, &PROVIDER), None);
		use millrace_primitives::LeaseAttestation;
		let late = Leases::attest(&PROVIDER, &usage(lease), &Registry::gpus(&PROVIDER), Now::get(), WINDOW);
		assert_noop!(late, Error::<Test>::NotServing);
		assert_noop!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease), Error::<Test>::NotServing);
		// The renter may close at any block.
		assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
	});
}
