//! What is due is paid out: who gets what, and when.

use crate::{mock::*, Agenda, Error, Event, SlashesOf};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Balance, Excuse, Judgement, NodeFault, SlashId, Slashing as _};
use sp_runtime::DispatchError;

const HELD: Balance = 10_001;

fn node_fault(unserved: Option<Balance>) -> NodeFault<AccountId, Balance> {
	NodeFault { walkout: HELD, unserved, ..fault(0) }
}

/// Pays out a slash of 10,001 plancks. Returns what renter, pool and treasury received.
fn paid(unserved: Option<Balance>) -> [Balance; 3] {
	let before = [RENTER, POOL, TREASURY].map(balance);
	let id = ended(node_fault(unserved));
	pass(DEFERRAL);
	events();
	assert_ok!(execute(id));
	let received = [RENTER, POOL, TREASURY].map(balance);
	let received = [0, 1, 2].map(|of| received[of] - before[of]);
	assert_eq!(received.iter().sum::<Balance>(), HELD);
	let [to_renter, to_insurance, to_treasury] = received;
	let executed = Event::SlashExecuted {
		slash: id,
		provider: PROVIDER,
		lease: Some(LEASE),
		renter: Some(RENTER),
		to_renter,
		to_insurance,
		to_treasury,
	};
	assert_eq!(events(), [executed]);
	assert!(is_over(id));
	assert_eq!((Agenda::<Test>::iter().count(), SlashesOf::<Test>::iter().count()), (0, 0));
	received
}

#[test]
fn the_renter_is_first() {
	build_and_execute(|| {
		assert_eq!(paid(Some(4_000)), [4_000, 1_200, 4_801]);
		assert_eq!(paid(Some(0)), [0, 2_000, 8_001]);
		assert_eq!(paid(Some(HELD - 1)), [10_000, 0, 1]);
		assert_eq!(paid(Some(HELD)), [HELD, 0, 0]);
		assert_eq!(paid(Some(Balance::MAX)), [HELD, 0, 0]);
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER)), (0, BOND - 5 * HELD));
	});
}

#[test]
fn of_a_lease_in_another_asset_the_renter_gets_half() {
	build_and_execute(|| assert_eq!(paid(None), [5_000, 1_000, 4_001]));
}

#[test]
fn a_renter_that_cannot_receive_gets_nothing() {
	build_and_execute(|| {
		let id = ended(NodeFault { renter: NOBODY, ..node_fault(Some(ED - 1)) });
		pass(DEFERRAL);
		events();
		assert_ok!(execute(id));
		assert_eq!(balance(NOBODY), 0);
		// The others share all of it.
		assert_eq!((balance(POOL), balance(TREASURY)), (ENDOWMENT + 2_000, ENDOWMENT + 8_001));
		let [Event::SlashExecuted {
			renter: Some(NOBODY),
			to_renter: 0,
			to_insurance: 2_000,
			to_treasury: 8_001,
			..
		}] = events()[..]
		else {
			panic!()
		};
		// One planck more makes an account.
		let id = ended(NodeFault { renter: NOBODY, ..node_fault(Some(ED)) });
		pass(DEFERRAL);
		assert_ok!(execute(id));
		assert_eq!(balance(NOBODY), ED);
	});
}

#[test]
fn the_first_millisecond_is_due() {
	build_and_execute(|| {
		let id = ended_episode(1);
		pass(DEFERRAL - 1);
		assert_noop!(execute(id), Error::<Test>::NothingDue);
		pass(1);
		assert_ok!(execute(id));
		assert_noop!(execute(id), Error::<Test>::UnknownSlash);
	});
}

#[test]
fn anybody_executes_but_not_nobody() {
	build_and_execute(|| {
		let id = ended_episode(1);
		pass(DEFERRAL);
		for origin in [RuntimeOrigin::root(), RuntimeOrigin::none()] {
			assert_noop!(Slashing::execute(origin, id), DispatchError::BadOrigin);
		}
		assert_ok!(Slashing::execute(RuntimeOrigin::signed(NOBODY), id));
	});
}

#[test]
fn an_open_episode_is_never_due() {
	build_and_execute(|| {
		count(fault(1));
		judge(1, Judgement::Counts);
		pass(100 * DEFERRAL);
		assert_noop!(execute(SlashId(0)), Error::<Test>::EpisodeOpen);
	});
}

#[test]
fn what_may_be_excused_is_not_due() {
	build_and_execute(|| {
		count(fault(1));
		next_epoch();
		count(fault(2));
		Slashing::end_episode(&PROVIDER, LEASE);
		pass(DEFERRAL);
		judge(1, Judgement::Counts);
		assert_noop!(execute(SlashId(0)), Error::<Test>::NothingDue);
		judge(2, Judgement::Excused(Excuse::ChainStall));
		assert_ok!(execute(SlashId(0)));
		assert_eq!((balance(RENTER), Active::get(PROVIDER)), (ENDOWMENT + 200, BOND - 200));
	});
}

#[test]
fn what_is_excused_is_dropped_before_its_time() {
	build_and_execute(|| {
		count(fault(1));
		Slashing::end_episode(&PROVIDER, LEASE);
		assert_noop!(execute(SlashId(0)), Error::<Test>::NothingDue);
		judge(1, Judgement::Excused(Excuse::ChainStall));
		assert_ok!(execute(SlashId(0)));
		assert!(is_over(SlashId(0)));
	});
}
