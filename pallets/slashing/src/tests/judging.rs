//! Faults are judged: what is excused is bond again.

use crate::{mock::*, Event};
use frame_support::assert_ok;
use millrace_primitives::{Excuse, Judgement, NodeFault, SlashId, Slashing as _};

/// Three epochs of an episode: 200, 400 and 600 plancks.
fn three_epochs() {
	for epochs in 1..=3 {
		count(fault(epochs));
		next_epoch();
	}
	events();
}

#[test]
fn an_episode_can_be_excused_in_part() {
	build_and_execute(|| {
		three_epochs();
		judge(1, Judgement::Counts);
		judge(2, Judgement::Excused(Excuse::MassOutage));
		let epochs = || slash(SlashId(0)).faults.iter().map(|fault| fault.epoch).collect::<Vec<_>>();
		// Each fault that is counted has one older fault judged.
		count(fault(1));
		assert_eq!((slash(SlashId(0)).held, epochs()), (200 + 400 + 600 + 200, vec![2, 3, 4]));
		events();
		next_epoch();
		count(fault(1));
		assert_eq!((slash(SlashId(0)).held, epochs()), (200 + 600 + 200 + 200, vec![3, 4, 5]));
		assert_eq!(slash(SlashId(0)).unserved, Some(1_000 + 3_000 + 1_000 + 1_000));
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER)), (1_200, BOND - 1_200));
		let excused = Event::FaultExcused {
			slash: SlashId(0),
			provider: PROVIDER,
			epoch: 2,
			excuse: Excuse::MassOutage,
			amount: 400,
		};
		assert_eq!(events()[0], excused);
	});
}

#[test]
fn an_episode_that_is_excused_goes_on() {
	build_and_execute(|| {
		three_epochs();
		(1..=3).for_each(|epoch| judge(epoch, Judgement::Excused(Excuse::FinalityLag)));
		EraCap::set(0);
		for _ in 1..=3 {
			count(fault(1));
			next_epoch();
		}
		assert_eq!((slash(SlashId(0)).held, pending(PROVIDER)), (0, 0));
		assert_eq!(slash(SlashId(0)).unserved, Some(3_000));
	});
}

/// Found when all was well again, but for time that began when it was not.
#[test]
fn what_excuses_the_beginning_of_a_fault_excuses_it() {
	build_and_execute(|| {
		(1..=3).for_each(|_| next_epoch());
		count(NodeFault { since: 3, ..fault(1) });
		// Two counts of one epoch are one fault, as old as the older.
		count(NodeFault { since: 1, ..fault(1) });
		judge(4, Judgement::Counts);
		judge(3, Judgement::Counts);
		judge(1, Judgement::Excused(Excuse::FinalityLag));
		next_epoch();
		count(fault(1));
		assert_eq!((slash(SlashId(0)).held, pending(PROVIDER)), (200, 200));
	});
}

#[test]
fn a_judgement_of_another_owner_says_nothing() {
	build_and_execute(|| {
		count(NodeFault { owner: 5, ..fault(1) });
		// Of the account, not of the group.
		judge(1, Judgement::Excused(Excuse::MassOutage));
		next_epoch();
		count(NodeFault { owner: 5, ..fault(1) });
		assert_eq!((slash(SlashId(0)).faults.len(), pending(PROVIDER)), (2, 400));
	});
}

#[test]
fn what_is_excused_comes_back_long_before_the_end() {
	build_and_execute(|| {
		three_epochs();
		Slashing::end_episode(&PROVIDER, LEASE);
		(1..=2).for_each(|epoch| judge(epoch, Judgement::Excused(Excuse::RuntimeUpgrade)));
		judge(3, Judgement::Counts);
		run_blocks(JUDGED - 1);
		assert_eq!(pending(PROVIDER), 1_200);
		next_block();
		assert_eq!(pending(PROVIDER), 600);
		assert_eq!(slash(SlashId(0)).unserved, Some(3_000));
		assert_eq!(slash(SlashId(0)).faults.len(), 0);
	});
}

#[test]
fn a_slash_of_which_all_is_excused_is_dropped() {
	build_and_execute(|| {
		three_epochs();
		Slashing::end_episode(&PROVIDER, LEASE);
		(1..=3).for_each(|epoch| judge(epoch, Judgement::Excused(Excuse::MarketPause)));
		events();
		run_blocks(JUDGED);
		assert!(is_over(SlashId(0)));
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER)), (0, BOND));
		let dropped = Event::SlashDropped { slash: SlashId(0), provider: PROVIDER, bond: 0 };
		let events = events();
		assert_eq!((events.len(), events.last()), (4, Some(&dropped)));
	});
}

#[test]
fn an_appeal_against_what_is_excused_costs_nothing() {
	build_and_execute(|| {
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		assert_ok!(appeal(SlashId(0)));
		assert_eq!(appeal_bonds(PROVIDER), MIN_APPEAL);
		judge(1, Judgement::Excused(Excuse::TooOld));
		events();
		run_blocks(JUDGED);
		assert!(is_over(SlashId(0)));
		assert_eq!((appeal_bonds(PROVIDER), balance(PROVIDER)), (0, ENDOWMENT + ED));
		let dropped = Event::SlashDropped { slash: SlashId(0), provider: PROVIDER, bond: MIN_APPEAL };
		assert_eq!(events().last(), Some(&dropped));
	});
}

#[test]
fn what_may_be_excused_is_not_paid_out() {
	build_and_execute(|| {
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		pass(DEFERRAL);
		run_blocks(10 * JUDGED);
		assert_eq!(pending(PROVIDER), 200);
		judge(1, Judgement::Counts);
		run_blocks(JUDGED);
		assert!(is_over(SlashId(0)));
		assert_eq!((pending(PROVIDER), balance(RENTER)), (0, ENDOWMENT + 200));
	});
}
