//! The council decides.

use crate::{mock::*, Error, Event, SlashStatus, Verdict};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Excuse, Judgement, NodeFault, SlashId, Slashing as _};
use sp_runtime::{DispatchError, DispatchResult, Permill};

const HELD: u128 = 10_001;
/// A tenth, rounded up.
const APPEAL: u128 = 1_001;

fn resolve(id: SlashId, verdict: Verdict) -> DispatchResult {
	Slashing::resolve(RuntimeOrigin::root(), id, verdict)
}

fn reduce(percent: u32) -> Verdict {
	Verdict::Reduce { keep: Permill::from_percent(percent) }
}

/// A slash whose episode is over, of which the renter can get 4,000.
fn deferred() -> SlashId {
	let id = ended(NodeFault { walkout: HELD, unserved: Some(4_000), ..fault(0) });
	events();
	id
}

fn appealed() -> SlashId {
	let id = deferred();
	appeal(id).unwrap();
	events();
	id
}

/// What the renter, the pool and the treasury have more than at the start.
fn received() -> [u128; 3] {
	[RENTER, POOL, TREASURY].map(|who| balance(who) - ENDOWMENT)
}

#[test]
fn upholding_pays_out_and_takes_the_appeals_bond() {
	build_and_execute(|| {
		let id = appealed();
		assert_ok!(resolve(id, Verdict::Uphold));
		assert!(is_over(id));
		assert_eq!((pending(PROVIDER), appeal_bonds(PROVIDER)), (0, 0));
		assert_eq!((Active::get(PROVIDER), balance(PROVIDER)), (BOND - HELD, ENDOWMENT + ED - APPEAL));
		// A fifth of 6,001 is 1,200.2.
		assert_eq!(received(), [4_000, 1_200 + APPEAL, 4_801]);
		let resolved = Event::Resolved {
			slash: id,
			verdict: Verdict::Uphold,
			executed: HELD,
			returned: 0,
			bond: APPEAL,
			bond_lost: true,
		};
		let executed = Event::SlashExecuted {
			slash: id,
			provider: PROVIDER,
			lease: Some(LEASE),
			renter: Some(RENTER),
			to_renter: 4_000,
			to_insurance: 1_200,
			to_treasury: 4_801,
		};
		assert_eq!(events(), [resolved, executed]);
	});
}

#[test]
fn reducing_returns_the_rest() {
	build_and_execute(|| {
		let id = appealed();
		assert_ok!(resolve(id, reduce(50)));
		assert!(is_over(id));
		// Half of 10,001, rounded down.
		assert_eq!((Active::get(PROVIDER), balance(PROVIDER)), (BOND - 5_000, ENDOWMENT + ED));
		assert_eq!(received(), [4_000, 200, 800]);
		let resolved = Event::Resolved {
			slash: id,
			verdict: reduce(50),
			executed: 5_000,
			returned: 5_001,
			bond: APPEAL,
			bond_lost: false,
		};
		assert_eq!(events()[0], resolved);
	});
}

#[test]
fn reducing_at_the_edges() {
	build_and_execute(|| {
		// All is kept: but the bond is not lost.
		assert_ok!(resolve(appealed(), reduce(100)));
		assert_eq!((Active::get(PROVIDER), balance(PROVIDER)), (BOND - HELD, ENDOWMENT + ED));
		// Nothing is kept.
		let id = appealed();
		assert_ok!(resolve(id, reduce(0)));
		assert!(is_over(id));
		assert_eq!((Active::get(PROVIDER), pending(PROVIDER)), (BOND - HELD, 0));
		let [Event::Resolved { executed: 0, returned: HELD, .. }] = events()[..] else { panic!() };
	});
}

#[test]
fn cancelling_returns_everything() {
	build_and_execute(|| {
		let id = appealed();
		assert_ok!(resolve(id, Verdict::Cancel));
		assert!(is_over(id));
		assert_eq!((Active::get(PROVIDER), balance(PROVIDER)), (BOND, ENDOWMENT + ED));
		assert_eq!((pending(PROVIDER), appeal_bonds(PROVIDER), received()), (0, 0, [0; 3]));
		let resolved = Event::Resolved {
			slash: id,
			verdict: Verdict::Cancel,
			executed: 0,
			returned: HELD,
			bond: APPEAL,
			bond_lost: false,
		};
		assert_eq!(events(), [resolved]);
	});
}

#[test]
fn the_council_can_cancel_what_nobody_appealed_against() {
	build_and_execute(|| {
		let id = deferred();
		assert_ok!(resolve(id, Verdict::Cancel));
		assert!(is_over(id));
		assert_eq!(Active::get(PROVIDER), BOND);
		let [Event::Resolved { executed: 0, returned: HELD, bond: 0, bond_lost: false, .. }] = events()[..]
		else {
			panic!()
		};
	});
}

#[test]
fn the_time_to_appeal_is_not_cut_short() {
	build_and_execute(|| {
		let id = deferred();
		assert_noop!(resolve(id, Verdict::Uphold), Error::<Test>::NotAppealed);
		// What is kept stays deferred, and can be appealed or reduced again.
		let status = slash(id).status;
		assert_ok!(resolve(id, reduce(50)));
		let [Event::Resolved { executed: 0, returned: 5_001, bond: 0, bond_lost: false, .. }] = events()[..]
		else {
			panic!()
		};
		assert_eq!((slash(id).held, slash(id).status), (5_000, status));
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER), received()), (5_000, BOND - 5_000, [0; 3]));
		assert_ok!(resolve(id, reduce(100)));
		assert_eq!((slash(id).held, received()), (5_000, [0; 3]));
		assert_ok!(appeal(id));
		assert_ok!(resolve(id, reduce(10)));
		assert!(is_over(id));
		assert_eq!(received(), [500, 0, 0]);
	});
}

#[test]
fn reducing_to_nothing_without_an_appeal_forgets_the_slash() {
	build_and_execute(|| {
		let id = deferred();
		assert_ok!(resolve(id, reduce(0)));
		assert!(is_over(id));
		assert_eq!(Active::get(PROVIDER), BOND);
	});
}

#[test]
fn only_the_council_decides() {
	build_and_execute(|| {
		let id = appealed();
		for who in [PROVIDER, RENTER, STRANGER] {
			let call = Slashing::resolve(RuntimeOrigin::signed(who), id, Verdict::Cancel);
			assert_noop!(call, DispatchError::BadOrigin);
		}
	});
}

#[test]
fn nothing_is_decided_about_an_open_episode() {
	build_and_execute(|| {
		count(fault(1));
		for verdict in [Verdict::Uphold, reduce(50), Verdict::Cancel] {
			assert_noop!(resolve(SlashId(0), verdict), Error::<Test>::EpisodeOpen);
			assert_noop!(resolve(SlashId(1), verdict), Error::<Test>::UnknownSlash);
		}
	});
}

#[test]
fn nothing_is_decided_before_the_clock_has() {
	build_and_execute(|| {
		count(NodeFault { walkout: HELD, ..fault(0) });
		next_epoch();
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		let id = SlashId(0);
		assert_ok!(appeal(id));
		judge(1, Judgement::Counts);
		for verdict in [Verdict::Uphold, reduce(50), Verdict::Cancel] {
			assert_noop!(resolve(id, verdict), Error::<Test>::NotJudgedYet);
		}
		// It need not have been looked at since.
		judge(2, Judgement::Excused(Excuse::MassOutage));
		events();
		assert_ok!(resolve(id, Verdict::Uphold));
		let [Event::FaultExcused { amount: 200, .. }, Event::Resolved { executed: HELD, .. }, _] =
			events()[..]
		else {
			panic!()
		};
	});
}

#[test]
fn nothing_is_decided_about_what_is_excused() {
	build_and_execute(|| {
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		let id = SlashId(0);
		assert_ok!(appeal(id));
		judge(1, Judgement::Excused(Excuse::MassOutage));
		for verdict in [Verdict::Uphold, reduce(50), Verdict::Cancel] {
			assert_noop!(resolve(id, verdict), Error::<Test>::NothingHeld);
		}
	});
}

#[test]
fn a_verdict_can_be_too_late() {
	build_and_execute(|| {
		let (first, second, third) = (appealed(), appealed(), deferred());
		pass(DEFERRAL - 1);
		assert_ok!(resolve(third, reduce(50)));
		pass(1);
		assert_noop!(resolve(third, Verdict::Cancel), Error::<Test>::VerdictTooLate);
		assert_noop!(resolve(third, Verdict::Uphold), Error::<Test>::VerdictTooLate);
		pass(VERDICT - DEFERRAL - 1);
		assert_ok!(resolve(first, Verdict::Uphold));
		pass(1);
		for verdict in [Verdict::Uphold, reduce(50), Verdict::Cancel] {
			assert_noop!(resolve(second, verdict), Error::<Test>::VerdictTooLate);
		}
	});
}

#[test]
fn an_appeal_lapses_without_a_verdict() {
	build_and_execute(|| {
		let id = appealed();
		pass(VERDICT - 1);
		assert_noop!(execute(id), Error::<Test>::NothingDue);
		assert!(matches!(slash(id).status, SlashStatus::Appealed { .. }));
		pass(1);
		assert_ok!(execute(id));
		assert!(is_over(id));
		// The evidence is the chain's own, and the bond is given back.
		assert_eq!((received(), appeal_bonds(PROVIDER)), ([4_000, 1_200, 4_801], 0));
		assert_eq!(balance(PROVIDER), ENDOWMENT + ED);
		let events = events();
		assert_eq!(events[0], Event::AppealLapsed { slash: id, bond: APPEAL });
		assert!(matches!(events[1..], [Event::SlashExecuted { to_renter: 4_000, .. }]));
	});
}

#[test]
fn a_verdict_that_cannot_be_carried_out_changes_nothing() {
	build_and_execute(|| {
		let id = appealed();
		Broken::set(vec![PROVIDER]);
		for verdict in [Verdict::Uphold, reduce(50), Verdict::Cancel] {
			assert_noop!(resolve(id, verdict), DispatchError::Unavailable);
		}
		Broken::set(vec![]);
		assert_ok!(resolve(id, Verdict::Cancel));
	});
}
