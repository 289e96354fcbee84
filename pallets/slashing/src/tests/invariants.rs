//! Each invariant notices the corruption that it is there for.

use crate::{
	mock::*, types::Fault, Agenda, AgendaCursor, Episodes, NextSlash, Slash, SlashStatus, Slashes, SlashesOf,
};
use millrace_primitives::{LeaseId, SlashId};

const ID: SlashId = SlashId(0);

fn change(change: impl FnOnce(&mut Slash<AccountId>)) {
	Slashes::<Test>::mutate_extant(ID, change);
}

/// Breaks an open slash.
fn break_open(invariant: &str, corrupt: impl FnOnce(&mut Slash<AccountId>)) {
	build_and_break(invariant, || {
		count(fault(1));
		change(corrupt);
	});
}

/// Breaks a slash whose episode is over.
fn break_ended(invariant: &str, corrupt: impl FnOnce(&mut Slash<AccountId>)) {
	build_and_break(invariant, || {
		ended_episode(1);
		change(corrupt);
	});
}

#[test]
fn episodes_that_differ_from_open_slashes_are_noticed() {
	break_open("1: open slash without a lease", |slash| slash.lease = None);
	break_open("1: open slash without an episode", |slash| slash.lease = Some(LeaseId(8)));
	break_open("1: open slash in the agenda", |slash| slash.due = Some(9));
	break_ended("1: open slash without an episode", |slash| slash.status = SlashStatus::Open);
	build_and_break("1: episode without a slash", || {
		ended_episode(1);
		Episodes::<Test>::insert(PROVIDER, LEASE, ID);
	});
}

#[test]
fn an_agenda_that_differs_from_the_slashes_is_noticed() {
	break_ended("2: slash is never due", |slash| slash.due = None);
	break_ended("2: slash without an entry", |slash| slash.due = Some(9));
	build_and_break("2: the agenda has passed", || {
		ended_episode(1);
		AgendaCursor::<Test>::put(1_000);
	});
	build_and_break("2: entry of the agenda without a slash", || {
		ended_episode(1);
		Agenda::<Test>::insert(9, ID, ());
	});
}

#[test]
fn an_index_that_differs_from_a_recount_is_noticed() {
	build_and_break("3: index", || {
		count(fault(1));
		SlashesOf::<Test>::remove(PROVIDER, ID);
	});
	build_and_break("3: index", || SlashesOf::<Test>::insert(PROVIDER, ID, ()));
}

#[test]
fn amounts_that_do_not_fit_are_noticed() {
	break_open("4: more may be excused than is held", |slash| slash.held -= 1);
	break_open("4: more may be excused than was not served", |slash| slash.unserved = Some(999));
	break_open("4: more is held than the bond", |slash| slash.lease_bond = 199);
}

#[test]
fn two_faults_of_one_epoch_are_noticed() {
	break_open("5: two faults", |slash| {
		slash.faults.force_push(Fault { epoch: 1, since: 1, amount: 0, unserved: 0 });
	});
}

#[test]
fn bonds_that_differ_from_appeals_are_noticed() {
	break_ended("6: bonds differ", |slash| {
		slash.status = SlashStatus::Appealed { lapses_at: START, bond: 1, evidence: EVIDENCE };
	});
	build_and_break("6: bonds differ", || {
		appeal(ended_episode(1)).unwrap();
		change(|slash| slash.status = SlashStatus::Deferred { executes_at: START });
	});
}

#[test]
fn a_slash_of_which_nothing_is_left_is_noticed() {
	break_ended("7: nothing is left", |slash| {
		slash.held = 0;
		slash.faults = Default::default();
	});
}

#[test]
fn a_number_that_is_used_twice_is_noticed() {
	build_and_break("8: slash without a number", || {
		count(fault(1));
		NextSlash::<Test>::kill();
	});
}
