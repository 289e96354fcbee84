//! For how long nodes are not served, how much of them, and what that is worth.

use crate::mock::{Leases, *};
use frame_support::assert_ok;
use millrace_primitives::{
	Asset, GpuIndex, LeaseAttestation, LeaseId, NodeFault, NodeStatus, OrderTerms, SlashCause,
};

const EPOCH: u64 = 10 * SLOT;
/// What an epoch of two GPUs costs the renter.
const PER_EPOCH: u128 = 2 * PRICE * 10;
/// Lease bond of two GPUs.
const BOND: u128 = 2 * GPU_BOND;

/// A node that was suspended now.
fn suspended() -> LeaseId {
	let lease = open_active();
	suspend(lease, PROVIDER);
	assert_eq!((counted(), ended()), (vec![], vec![]));
	lease
}

/// After so much time, somebody does what is due of the lease. Returns whether anything was.
fn elapse(lease: LeaseId, ms: u64) -> bool {
	Now::set(Now::get() + ms);
	Leases::poke(RuntimeOrigin::signed(STRANGER), lease).is_ok()
}

fn miss_at(lease: LeaseId, since: u64) -> Vec<NodeFault<AccountId, u128>> {
	Now::set(START + since);
	assert_ok!(Leases::count_miss(lease, &PROVIDER, Now::get()));
	counted()
}

fn dark(lease: LeaseId, epochs: u32) -> NodeFault<AccountId, u128> {
	NodeFault {
		provider: PROVIDER,
		owner: PROVIDER,
		lease,
		renter: RENTER,
		cause: SlashCause::Dark,
		lease_bond: BOND,
		epochs,
		since: 0,
		dark_gpus: 2,
		gpus: 2,
		walkout: 0,
		unserved: Some(u128::from(epochs) * PER_EPOCH),
	}
}

#[test]
fn the_suspension_costs_nothing_and_each_whole_epoch_after_it_is_counted_once() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		assert_eq!(miss_at(lease, EPOCH - 1), vec![]);
		assert_eq!(miss_at(lease, EPOCH), vec![dark(lease, 1)]);
		assert_eq!(miss_at(lease, EPOCH), vec![]);
		assert_eq!(miss_at(lease, 2 * EPOCH - 1), vec![]);
		// However seldom somebody looks.
		assert_eq!(miss_at(lease, 4 * EPOCH + 5), vec![dark(lease, 3)]);
		assert_eq!(node(lease, 0).missed_epochs, 4);
	});
}

#[test]
fn a_fault_says_when_the_time_that_it_counts_began() {
	ExtBuilder.build_and_execute(|| {
		CurrentFaultEpoch::set(3);
		let lease = suspended();
		for (now, since) in [(5, 3), (6, 5), (9, 6)] {
			CurrentFaultEpoch::set(now);
			let fault = NodeFault { since, ..dark(lease, 1) };
			assert_eq!(miss_at(lease, u64::from(node(lease, 0).missed_epochs + 1) * EPOCH), vec![fault]);
		}
		attest(lease);
		CurrentFaultEpoch::set(20);
		suspend(lease, PROVIDER);
		CurrentFaultEpoch::set(22);
		assert_eq!(miss_at(lease, 4 * EPOCH), vec![NodeFault { since: 20, ..dark(lease, 1) }]);
	});
	// Before it is ready, from its assignment on.
	ExtBuilder.build_and_execute(|| {
		CurrentFaultEpoch::set(7);
		let lease = open();
		CurrentFaultEpoch::set(37);
		assert!(elapse(lease, ReadyWithin::get()));
		assert_eq!(counted()[0].since, 7);
	});
}

#[test]
fn coming_back_ends_the_episode_and_the_next_one_begins_from_nothing() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		assert_eq!(miss_at(lease, 2 * EPOCH), vec![dark(lease, 2)]);
		attest(lease);
		assert_eq!(ended(), vec![(PROVIDER, lease)]);
		suspend(lease, PROVIDER);
		assert_eq!(miss_at(lease, 3 * EPOCH), vec![dark(lease, 1)]);
	});
}

#[test]
fn a_fault_that_cannot_be_counted_is_counted_later() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		SlashingFails::set(true);
		Now::set(START + EPOCH);
		assert!(frame_support::storage::with_storage_layer(|| {
			Leases::count_miss(lease, &PROVIDER, Now::get())
		})
		.is_err());
		SlashingFails::set(false);
		assert_eq!(miss_at(lease, 2 * EPOCH), vec![dark(lease, 2)]);
	});
}

#[test]
fn time_for_which_the_clock_stood_is_not_counted() {
	ExtBuilder.build_and_execute(|| {
		// What stood before the suspension is nothing to it.
		StoppedMs::set(5 * EPOCH);
		let lease = suspended();
		assert_eq!(miss_at(lease, EPOCH), vec![dark(lease, 1)]);
		StoppedMs::set(5 * EPOCH + 3 * EPOCH);
		assert_eq!(miss_at(lease, 4 * EPOCH), vec![]);
		assert_eq!(miss_at(lease, 5 * EPOCH), vec![dark(lease, 1)]);
	});
}

/// A stall that ends after the node should have been given up does not take it away: coming back is possible for as long as
/// was promised.
#[test]
fn the_time_to_come_back_stands_still_with_the_clock() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		assert!(!elapse(lease, SuspendedFor::get() - 1));
		StoppedMs::set(5 * MINUTE);
		assert!(!elapse(lease, 5 * MINUTE));
		assert!(matches!(node_status(lease, 0), NodeStatus::Suspended { .. }));
		assert!(elapse(lease, 1));
		assert_eq!(status(lease), None);
	});
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		StoppedMs::set(MINUTE);
		assert!(!elapse(lease, ReadyWithin::get() + MINUTE - 1));
		assert!(matches!(node_status(lease, 0), NodeStatus::Pending { .. }));
		assert!(elapse(lease, 1));
		assert_eq!(status(lease), None);
	});
}

#[test]
fn a_lost_gpu_is_counted_for_its_share() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		RegistryLost::insert(PROVIDER, GpuIndex(1), ());
		suspend(lease, PROVIDER);
		let lost = NodeFault {
			cause: SlashCause::GpuLost,
			dark_gpus: 1,
			unserved: Some(PER_EPOCH / 2),
			..dark(lease, 1)
		};
		assert_eq!(miss_at(lease, EPOCH), vec![lost]);
		// When the reports stay away too, all of it is dark.
		set_live(PROVIDER, false);
		assert_eq!(miss_at(lease, 2 * EPOCH), vec![dark(lease, 1)]);
	});
}

#[test]
fn going_dark_for_good_costs_what_leaving_costs_on_top() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		assert_eq!(miss_at(lease, 11 * EPOCH), vec![dark(lease, 11)]);
		assert!(elapse(lease, EPOCH));
		assert_eq!(status(lease), None);
		// The notice is worth more than a fifth of the lease bond.
		let walkout = BOND / 5;
		let last = NodeFault { walkout, unserved: Some(PER_EPOCH + walkout), ..dark(lease, 1) };
		assert_eq!(counted(), vec![last]);
		assert_eq!(ended(), vec![(PROVIDER, lease)]);
		assert_eq!(RegistryOutcomes::get(PROVIDER), (0, 1, 0));
		// Nothing moved at once: it is for the slash to hold, and for the renter to wait.
		assert_eq!(RegistryPenalties::get(PROVIDER), None);
	});
}

#[test]
fn a_cheap_notice_is_charged_as_it_is_and_for_the_lost_share_alone() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, 1);
		let lease = order(RENTER, terms(2));
		attest(lease);
		RegistryLost::insert(PROVIDER, GpuIndex(0), ());
		suspend(lease, PROVIDER);
		assert!(elapse(lease, SuspendedFor::get()));
		// Two minutes of notice, at one planck per GPU and second: half of it is lost.
		let fault = counted().pop().unwrap();
		assert_eq!((fault.cause, fault.walkout), (SlashCause::GpuLost, 120));
		assert_eq!(fault.unserved, Some(120 + 120));
	});
}

#[test]
fn a_node_that_is_not_ready_in_time_is_counted_from_its_grace_on() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert!(elapse(lease, ReadyWithin::get()));
		assert_eq!(status(lease), None);
		// Thirty epochs, of which one and one of grace are its own.
		assert_eq!(counted(), vec![NodeFault { cause: SlashCause::NotReady, ..dark(lease, 28) }]);
		assert_eq!(RegistryOutcomes::get(PROVIDER), (0, 1, 0));
	});
}

/// Complaint 15: leaving is not the cheapest answer. Whoever leaves a node that never got ready is counted as if it had stayed.
#[test]
fn complaint_15_leaving_before_it_was_ready_costs_the_epochs_until_then() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		Now::set(START + 5 * EPOCH);
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(counted(), vec![NodeFault { cause: SlashCause::NotReady, ..dark(lease, 3) }]);
	});
	// At once it costs nothing: nobody waited.
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(counted(), vec![]);
	});
}

/// Trap 1: a provider that goes dark and then leaves pays for both.
#[test]
fn trap_1_leaving_while_suspended_pays_the_notice_and_the_dark_epochs() {
	ExtBuilder.build_and_execute(|| {
		let lease = suspended();
		Now::set(START + 3 * EPOCH);
		assert_ok!(Leases::leave(RuntimeOrigin::signed(PROVIDER), lease));
		assert_eq!(counted(), vec![dark(lease, 3)]);
		assert_eq!(ended(), vec![(PROVIDER, lease)]);
		assert_eq!(RegistryPenalties::get(PROVIDER), Some(BOND / 5));
	});
}

#[test]
fn a_notice_that_is_served_in_the_dark_costs_the_dark_epochs_alone() {
	ExtBuilder.build_and_execute(|| {
		let lease = open_active();
		assert_ok!(Leases::reclaim(RuntimeOrigin::signed(PROVIDER), lease));
		Now::set(START + MINUTE);
		suspend(lease, PROVIDER);
		counted();
		assert!(elapse(lease, MINUTE));
		assert_eq!(status(lease), None);
		assert_eq!(counted(), vec![dark(lease, 6)]);
		assert_eq!(RegistryOutcomes::get(PROVIDER), (0, 0, 0));
	});
}

#[test]
fn whoever_else_ends_the_lease_ends_the_episode() {
	type End = fn(LeaseId);
	let ends: [(End, (u32, u32, u32)); 3] = [
		(
			|lease| {
				assert_ok!(Leases::close(RuntimeOrigin::signed(RENTER), lease));
			},
			(0, 0, 0),
		),
		(
			|lease| {
				assert_ok!(Leases::force_close(RuntimeOrigin::root(), lease));
			},
			(0, 0, 0),
		),
		(
			|lease| {
				assert_ok!(Leases::reject(RuntimeOrigin::signed(RENTER), lease));
			},
			(0, 0, 1),
		),
	];
	for (end, outcomes) in ends {
		ExtBuilder.build_and_execute(|| {
			let lease = suspended();
			end(lease);
			assert_eq!(ended(), vec![(PROVIDER, lease)]);
			assert_eq!(RegistryOutcomes::get(PROVIDER), outcomes);
		});
	}
}

#[test]
fn a_lease_in_another_asset_has_no_worth_in_plancks() {
	ExtBuilder.build_and_execute(|| {
		tokens_to(RENTER, 7, RICH);
		let asset = TOKEN;
		post_terms(PROVIDER, millrace_primitives::AskTerms { asset, ..ask_terms(8, PRICE) });
		let lease = order(RENTER, OrderTerms { asset, ..terms(2) });
		assert_ne!(asset, Asset::Native);
		attest(lease);
		suspend(lease, PROVIDER);
		assert_eq!(miss_at(lease, EPOCH), vec![NodeFault { unserved: None, ..dark(lease, 1) }]);
	});
}

#[test]
fn a_node_that_is_replaced_is_counted_for_its_first_provider_alone() {
	ExtBuilder.build_and_execute(|| {
		post(PROVIDER, 8, PRICE);
		post(OTHER_PROVIDER, 8, PRICE);
		let lease = order(RENTER, with_failover(terms(2), 0));
		attest(lease);
		suspend(lease, PROVIDER);
		assert!(elapse(lease, SuspendedFor::get()));
		assert_eq!(node(lease, 0).provider, OTHER_PROVIDER);
		assert_eq!(counted().iter().map(|fault| fault.provider).collect::<Vec<_>>(), [PROVIDER]);
		assert_eq!((node(lease, 0).missed_epochs, ended()), (0, vec![(PROVIDER, lease)]));
		assert!(matches!(node_status(lease, 0), NodeStatus::Pending { .. }));
	});
}

#[test]
fn nothing_is_counted_of_a_pending_node_or_a_stranger() {
	ExtBuilder.build_and_execute(|| {
		let lease = open();
		assert_eq!(miss_at(lease, MINUTE), vec![]);
		assert!(Leases::count_miss(lease, &STRANGER, Now::get()).is_err());
		assert!(Leases::count_miss(LeaseId(9), &PROVIDER, Now::get()).is_err());
	});
}
