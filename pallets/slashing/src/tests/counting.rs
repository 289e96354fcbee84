//! Faults are counted: what they cost is held at once.

use crate::{mock::*, types::Fault, Episodes, Event, NextSlash, SlashStatus, SlashesOf, MAX_FAULTS};
use frame_support::{assert_noop, assert_ok, assert_storage_noop};
use millrace_primitives::{
	Balance, Excuse, Judgement, LeaseId, NodeFault, SlashCause, SlashId, Slashing as _,
};
use sp_runtime::{DispatchError, Permill};

#[test]
fn the_first_fault_begins_an_episode() {
	build_and_execute(|| {
		count(fault(3));
		let slash = slash(SlashId(0));
		assert_eq!((slash.provider, slash.owner), (PROVIDER, PROVIDER));
		assert_eq!((slash.lease, slash.renter), (Some(LEASE), Some(RENTER)));
		assert_eq!((slash.cause, slash.lease_bond), (SlashCause::Dark, LEASE_BOND));
		assert_eq!((slash.held, slash.unserved), (3 * EPOCH_COSTS, Some(3_000)));
		assert_eq!(slash.faults.to_vec(), [Fault { epoch: 1, since: 1, amount: 600, unserved: 3_000 }]);
		assert_eq!((slash.opened_at, slash.status, slash.due), (START, SlashStatus::Open, None));
		assert_eq!(Episodes::<Test>::get(PROVIDER, LEASE), Some(SlashId(0)));
		assert!(SlashesOf::<Test>::contains_key(PROVIDER, SlashId(0)));
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER)), (600, BOND - 600));
		let began = Event::EpisodeBegan {
			slash: SlashId(0),
			provider: PROVIDER,
			lease: LEASE,
			renter: RENTER,
			cause: SlashCause::Dark,
		};
		let counted = Event::FaultCounted {
			slash: SlashId(0),
			provider: PROVIDER,
			cause: SlashCause::Dark,
			epoch: 1,
			epochs: 3,
			dark_gpus: 4,
			gpus: 4,
			amount: 600,
			held: 600,
		};
		assert_eq!(events(), [began, counted]);
	});
}

#[test]
fn a_part_of_the_node_costs_its_part() {
	build_and_execute(|| {
		count(NodeFault { dark_gpus: 1, cause: SlashCause::GpuLost, ..fault(3) });
		assert_eq!(pending(PROVIDER), 150);
	});
}

#[test]
fn faults_of_one_epoch_are_one_entry() {
	build_and_execute(|| {
		count(fault(1));
		count(fault(2));
		next_epoch();
		count(fault(1));
		let slash = slash(SlashId(0));
		let faults = [
			Fault { epoch: 1, since: 1, amount: 600, unserved: 3_000 },
			Fault { epoch: 2, since: 2, amount: 200, unserved: 1_000 },
		];
		assert_eq!(slash.faults.to_vec(), faults);
		assert_eq!((slash.held, slash.unserved), (800, Some(4_000)));
		assert_eq!(NextSlash::<Test>::get(), SlashId(1));
	});
}

#[test]
fn a_slash_keeps_its_first_cause_and_each_event_has_its_own() {
	build_and_execute(|| {
		count(NodeFault { cause: SlashCause::GpuLost, ..fault(1) });
		events();
		count(fault(1));
		assert_eq!(slash(SlashId(0)).cause, SlashCause::GpuLost);
		let events = events();
		assert!(matches!(events[..], [Event::FaultCounted { cause: SlashCause::Dark, held: 400, .. }]));
	});
}

#[test]
fn nothing_is_counted_while_the_clock_stands_still() {
	build_and_execute(|| {
		Running::set(false);
		assert_storage_noop!(count(NodeFault { walkout: 1_000, ..fault(1) }));
		// Nor is anything added to an episode.
		Running::set(true);
		count(fault(1));
		Running::set(false);
		judge(1, Judgement::Excused(Excuse::ChainStall));
		assert_storage_noop!(count(NodeFault { walkout: 1_000, ..fault(1) }));
		assert_eq!(slash(SlashId(0)).held, EPOCH_COSTS);
	});
}

#[test]
fn a_node_without_a_bond_has_nothing_to_lose() {
	build_and_execute(|| {
		assert_storage_noop!(count(NodeFault { lease_bond: 0, walkout: 1_000, ..fault(1) }));
	});
}

#[test]
fn leaving_without_notice_costs_what_the_leases_say() {
	build_and_execute(|| {
		count(NodeFault { walkout: 10_000, ..fault(0) });
		assert_eq!(pending(PROVIDER), 10_000);
		count(NodeFault { walkout: 10_000, ..fault(1) });
		assert_eq!(pending(PROVIDER), 20_000 + EPOCH_COSTS);
	});
}

#[test]
fn an_episode_costs_no_more_than_its_limit() {
	build_and_execute(|| {
		// One planck below it, and then two more.
		count(NodeFault { walkout: CAP - EPOCH_COSTS - 1, ..fault(1) });
		assert_eq!(pending(PROVIDER), CAP - 1);
		count(NodeFault { walkout: 2, ..fault(0) });
		assert_eq!(pending(PROVIDER), CAP);
		events();
		count(fault(1));
		assert_eq!(pending(PROVIDER), CAP);
		assert!(matches!(events()[..], [Event::FaultCounted { amount: 0, held: CAP, .. }]));
		// The next episode has its own.
		Slashing::end_episode(&PROVIDER, LEASE);
		count(NodeFault { walkout: Balance::MAX, ..fault(u32::MAX) });
		assert_eq!(pending(PROVIDER), 2 * CAP);
	});
}

#[test]
fn what_is_excused_is_below_the_limit_again() {
	build_and_execute(|| {
		count(NodeFault { walkout: CAP, ..fault(0) });
		judge(1, Judgement::Excused(Excuse::MassOutage));
		next_epoch();
		count(fault(1));
		assert_eq!((pending(PROVIDER), slash(SlashId(0)).held), (EPOCH_COSTS, EPOCH_COSTS));
	});
}

#[test]
fn a_limit_that_was_lowered_takes_nothing_back() {
	build_and_execute(|| {
		count(NodeFault { walkout: CAP, ..fault(0) });
		EpisodeCap::set(Permill::from_percent(10));
		count(fault(1));
		assert_eq!(pending(PROVIDER), CAP);
	});
}

#[test]
fn an_era_costs_no_more_than_its_limit() {
	build_and_execute(|| {
		EraCap::set(300);
		count(fault(1));
		count(fault_of(PROVIDER, LeaseId(8), 1));
		count(fault_of(PROVIDER, LeaseId(9), 1));
		let held = |id| slash(SlashId(id)).held;
		assert_eq!((held(0), held(1), held(2), pending(PROVIDER)), (200, 100, 0, 300));
		// Another provider has its own.
		count(fault_of(OTHER, LEASE, 1));
		assert_eq!(pending(OTHER), 200);
	});
}

#[test]
fn what_was_not_served_is_remembered_until_something_can_be_held() {
	build_and_execute(|| {
		EraCap::set(0);
		count(fault(5));
		EraCap::set(Balance::MAX);
		count(fault(1));
		let slash = slash(SlashId(0));
		assert_eq!((slash.held, slash.unserved), (EPOCH_COSTS, Some(6_000)));
	});
}

#[test]
fn the_worth_of_a_lease_in_another_asset_is_not_known() {
	build_and_execute(|| {
		count(NodeFault { unserved: None, ..fault(1) });
		count(NodeFault { unserved: None, ..fault(1) });
		let slash = slash(SlashId(0));
		assert_eq!((slash.held, slash.unserved), (400, None));
		assert_eq!(slash.faults[0].unserved, 0);
	});
}

#[test]
fn a_chain_too_busy_to_judge_counts_no_more() {
	build_and_execute(|| {
		for _ in 0..MAX_FAULTS {
			count(fault(1));
			next_epoch();
		}
		events();
		count(fault(1));
		let refused = Event::FaultNotCounted { slash: SlashId(0), provider: PROVIDER, epoch: MAX_FAULTS + 1 };
		assert_eq!(events(), [refused]);
		let full = slash(SlashId(0));
		assert_eq!((full.held, full.unserved), (8 * EPOCH_COSTS, Some(8_000)));
		// One more of the last epoch that is listed has room, and one of a new epoch once an old one is judged.
		Epoch::set(MAX_FAULTS);
		count(fault(1));
		Epoch::set(MAX_FAULTS + 1);
		judge(1, Judgement::Counts);
		count(fault(1));
		let slash = slash(SlashId(0));
		assert_eq!(slash.held, 10 * EPOCH_COSTS);
		assert_eq!(
			slash.faults.iter().map(|fault| fault.epoch).collect::<Vec<_>>(),
			[2, 3, 4, 5, 6, 7, 8, 9]
		);
	});
}

#[test]
fn a_fault_is_counted_whole_or_not_at_all() {
	build_and_execute(|| {
		count(fault(1));
		next_epoch();
		judge(1, Judgement::Excused(Excuse::ChainStall));
		Broken::set(vec![PROVIDER]);
		assert_noop!(Slashing::count_fault(fault(1)), DispatchError::Unavailable);
		Broken::set(vec![]);
		assert_ok!(Slashing::count_fault(fault(1)));
	});
}

#[test]
fn each_provider_and_each_lease_has_its_own_episode() {
	build_and_execute(|| {
		count(fault(1));
		count(fault_of(OTHER, LEASE, 2));
		count(fault_of(PROVIDER, LeaseId(8), 3));
		let held: Vec<_> = (0..3).map(|id| slash(SlashId(id)).held).collect();
		assert_eq!(held, [200, 400, 600]);
		assert_eq!((pending(PROVIDER), pending(OTHER)), (800, 400));
	});
}
