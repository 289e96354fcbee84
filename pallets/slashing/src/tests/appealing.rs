//! Appeals: by whom, when, and for which bond.

use crate::{mock::*, Error, Event, SlashStatus};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Balance, NodeFault, SlashId, Slashing as _};
use sp_runtime::DispatchError;

#[test]
fn an_appeal_holds_its_bond() {
	build_and_execute(|| {
		let id = ended(NodeFault { walkout: 10_001, ..fault(0) });
		events();
		assert_ok!(appeal(id));
		// A tenth, rounded up.
		let (bond, lapses_at) = (1_001, START + VERDICT);
		assert_eq!(slash(id).status, SlashStatus::Appealed { lapses_at, bond, evidence: EVIDENCE });
		assert_eq!((appeal_bonds(PROVIDER), balance(PROVIDER)), (bond, ENDOWMENT + ED - bond));
		assert_eq!(pending(PROVIDER), 10_001);
		let appealed = Event::Appealed { slash: id, provider: PROVIDER, bond, evidence: EVIDENCE, lapses_at };
		assert_eq!(events(), [appealed]);
	});
}

#[test]
fn the_bond_is_no_less_than_the_least() {
	build_and_execute(|| {
		// A tenth of 500 is the least bond, and of 510 one more.
		for (held, bond) in [(1, MIN_APPEAL), (500, MIN_APPEAL), (501, MIN_APPEAL + 1)] {
			let id = ended(NodeFault { walkout: held, ..fault(0) });
			let before = appeal_bonds(PROVIDER);
			assert_ok!(appeal(id));
			assert_eq!(appeal_bonds(PROVIDER) - before, bond);
		}
		// Nor than an account can take back.
		MinAppealBond::set(0);
		let id = ended(NodeFault { walkout: 1, ..fault(0) });
		let before = appeal_bonds(PROVIDER);
		assert_ok!(appeal(id));
		assert_eq!(appeal_bonds(PROVIDER) - before, ED);
	});
}

#[test]
fn only_the_provider_appeals() {
	build_and_execute(|| {
		let id = ended_episode(1);
		for who in [OTHER, RENTER, STRANGER] {
			let call = Slashing::appeal(RuntimeOrigin::signed(who), id, EVIDENCE);
			assert_noop!(call, Error::<Test>::NotProvider);
		}
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(Slashing::appeal(origin, id, EVIDENCE), DispatchError::BadOrigin);
		}
		assert_ok!(appeal(id));
	});
}

#[test]
fn an_unknown_slash_cannot_be_appealed() {
	build_and_execute(|| {
		let call = Slashing::appeal(RuntimeOrigin::signed(PROVIDER), SlashId(0), EVIDENCE);
		assert_noop!(call, Error::<Test>::UnknownSlash);
	});
}

#[test]
fn an_open_episode_cannot_be_appealed() {
	build_and_execute(|| {
		count(fault(1));
		assert_noop!(appeal(SlashId(0)), Error::<Test>::EpisodeOpen);
		Slashing::end_episode(&PROVIDER, LEASE);
		assert_ok!(appeal(SlashId(0)));
	});
}

#[test]
fn an_appeal_is_made_once() {
	build_and_execute(|| {
		let id = ended_episode(1);
		assert_ok!(appeal(id));
		assert_noop!(appeal(id), Error::<Test>::AlreadyAppealed);
	});
}

#[test]
fn the_last_millisecond_is_in_time() {
	build_and_execute(|| {
		let (first, second) = (ended_episode(1), ended_episode(1));
		pass(DEFERRAL - 1);
		assert_ok!(appeal(first));
		pass(1);
		assert_noop!(appeal(second), Error::<Test>::AppealTooLate);
	});
}

#[test]
fn a_bond_needs_a_free_balance() {
	build_and_execute(|| {
		let id = ended_episode(1);
		let keep = |keep: Balance| {
			let spare = balance(PROVIDER) - keep;
			Balances::transfer_allow_death(RuntimeOrigin::signed(PROVIDER), TREASURY, spare).unwrap();
		};
		keep(ED + MIN_APPEAL);
		let snapshot = balance(PROVIDER);
		keep(ED + MIN_APPEAL - 1);
		assert_noop!(appeal(id), Error::<Test>::InsufficientBond);
		Balances::transfer_allow_death(RuntimeOrigin::signed(TREASURY), PROVIDER, 1).unwrap();
		assert_eq!(balance(PROVIDER), snapshot);
		assert_ok!(appeal(id));
	});
}

#[test]
fn an_appeal_never_brings_the_end_forward() {
	build_and_execute(|| {
		VerdictWithin::set(SLOT);
		let id = ended_episode(1);
		assert_ok!(appeal(id));
		assert_eq!(slash(id).ends_at(), Some(START + DEFERRAL));
	});
}

#[test]
fn the_last_appeal_has_the_whole_time_for_its_verdict() {
	build_and_execute(|| {
		let id = ended_episode(1);
		pass(DEFERRAL - 1);
		assert_ok!(appeal(id));
		assert_eq!(slash(id).ends_at(), Some(START + DEFERRAL - 1 + VERDICT));
	});
}
