//! Each invariant notices the corruption that it is there for.

use crate::{mock::*, pallet::*, types::LastReport};
use millrace_primitives::NodeStatus;

fn change(change: impl FnOnce(&mut LastReport)) {
	report(PROVIDER);
	LastReports::<Test>::mutate_extant(PROVIDER, change);
}

#[test]
fn an_agenda_that_differs_from_the_providers_is_noticed() {
	ExtBuilder
		.build_and_break("1: a provider that has reported has no entry", || change(|last| last.due += 1));
	ExtBuilder.build_and_break("1: the agenda has passed", || {
		report(PROVIDER);
		AgendaCursor::<Test>::put(u32::MAX);
	});
	ExtBuilder.build_and_break("1: an entry of the agenda has no provider", || {
		Agenda::<Test>::insert(500, PROVIDER, ());
	});
}

#[test]
fn a_report_from_the_future_is_noticed() {
	ExtBuilder.build_and_break("2: a report is from the future", || change(|last| last.epoch += 1));
	ExtBuilder.build_and_break("2: a report is from the future", || change(|last| last.block += 1));
	ExtBuilder.build_and_break("2: a report saw", || change(|last| last.finalised_number = last.block));
}

#[test]
fn an_entry_after_the_deadline_is_noticed() {
	ExtBuilder.build_and_break("3: a live provider's entry", || {
		// Watched as idle, though it serves.
		report(PROVIDER);
		let lease = lease(PROVIDER, 0);
		change_node(lease, PROVIDER, |node| node.status = NodeStatus::Active);
	});
}

#[test]
fn a_node_attested_without_a_report_is_noticed() {
	ExtBuilder.build_and_break("4: a node was attested after", || {
		let lease = lease(PROVIDER, 0);
		report(PROVIDER);
		change_node(lease, PROVIDER, |node| node.attested_at += 1);
	});
}

#[test]
fn lengths_that_do_not_fit_each_other_are_noticed() {
	for idle in [LEASED + 1, LEASED - 1, 0] {
		ExtBuilder.build_and_break("5: an idle epoch", || IdleEpoch::set(idle));
	}
	ExtBuilder.build_and_break("5: there is no epoch of grace", || GraceEpochs::set(0));
	ExtBuilder.build_and_execute(|| IdleEpoch::set(LEASED));
}
