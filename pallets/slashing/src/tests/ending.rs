//! The end of an episode.

use crate::{mock::*, Agenda, Episodes, Event, NextSlash, SlashStatus, Slashes};
use millrace_primitives::{Excuse, Judgement, LeaseId, SlashId, Slashing as _};

#[test]
fn an_episode_ends_into_the_deferral() {
	build_and_execute(|| {
		count(fault(1));
		next_block();
		events();
		Slashing::end_episode(&PROVIDER, LEASE);
		let executes_at = START + SLOT + DEFERRAL;
		assert_eq!(slash(SlashId(0)).status, SlashStatus::Deferred { executes_at });
		assert_eq!(slash(SlashId(0)).due, Some(2 + JUDGED));
		assert!(Agenda::<Test>::contains_key(2 + JUDGED, SlashId(0)));
		assert_eq!(Episodes::<Test>::iter().count(), 0);
		assert_eq!(pending(PROVIDER), 200);
		assert_eq!(events(), [Event::EpisodeEnded { slash: SlashId(0), held: 200, executes_at }]);
	});
}

#[test]
fn without_an_episode_nothing_ends() {
	build_and_execute(|| {
		Slashing::end_episode(&PROVIDER, LEASE);
		count(fault(1));
		events();
		Slashing::end_episode(&OTHER, LEASE);
		Slashing::end_episode(&PROVIDER, LeaseId(8));
		assert_eq!(events(), []);
		assert_eq!(slash(SlashId(0)).status, SlashStatus::Open);
		// Nor does it end twice.
		Slashing::end_episode(&PROVIDER, LEASE);
		let ended = slash(SlashId(0));
		pass(SLOT);
		Slashing::end_episode(&PROVIDER, LEASE);
		assert_eq!(slash(SlashId(0)), ended);
	});
}

#[test]
fn an_episode_of_which_nothing_is_left_is_dropped() {
	build_and_execute(|| {
		count(fault(1));
		judge(1, Judgement::Excused(Excuse::ChainStall));
		next_epoch();
		EraCap::set(0);
		count(fault(1));
		judge(2, Judgement::Counts);
		next_epoch();
		judge(3, Judgement::Counts);
		count(fault(1));
		next_epoch();
		count(fault(1));
		// One fault is not judged, so that it stays for a while.
		Slashing::end_episode(&PROVIDER, LEASE);
		assert!(!is_over(SlashId(0)));
		run_blocks(JUDGED);
		judge(4, Judgement::Counts);
		run_blocks(JUDGED);
		assert!(is_over(SlashId(0)));
	});
}

#[test]
fn an_episode_without_anything_is_dropped_at_once() {
	build_and_execute(|| {
		EraCap::set(0);
		count(fault(1));
		Slashes::<Test>::mutate_extant(SlashId(0), |slash| slash.faults = Default::default());
		events();
		Slashing::end_episode(&PROVIDER, LEASE);
		assert!(is_over(SlashId(0)));
		assert_eq!(events(), [Event::SlashDropped { slash: SlashId(0), provider: PROVIDER, bond: 0 }]);
	});
}

#[test]
fn the_next_fault_begins_another_episode() {
	build_and_execute(|| {
		let first = ended_episode(1);
		let second = ended_episode(2);
		assert_ne!(first, second);
		assert_eq!((slash(first).held, slash(second).held), (200, 400));
		assert_eq!(NextSlash::<Test>::get(), SlashId(2));
	});
}
