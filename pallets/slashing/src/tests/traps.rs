//! Mistakes that other markets made, each as a test that names it.

use crate::{mock::*, Event, Offence, Slashes, UnexpectedKind, Verdict};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{LeaseId, NodeFault, SlashId};
use sp_runtime::{DispatchError, Permill, TokenError};

/// Trap 1: whoever leaves before the slash is executed does not pay it.
#[test]
fn trap_1_leaving_is_no_way_out() {
	build_and_execute(|| {
		let id = ended(NodeFault { walkout: 10_000, ..fault(0) });
		// The whole bond is taken back, and all that is free is spent.
		unbond(PROVIDER);
		let transfer =
			|amount| Balances::transfer_allow_death(RuntimeOrigin::signed(PROVIDER), STRANGER, amount);
		assert_noop!(transfer(balance(PROVIDER)), TokenError::Frozen);
		assert_ok!(transfer(balance(PROVIDER) - ED));
		assert_eq!((Active::get(PROVIDER), pending(PROVIDER)), (0, 10_000));
		pass(DEFERRAL);
		assert_ok!(execute(id));
		assert_eq!(balance(TREASURY), ENDOWMENT + 8_000);
		// What is returned is returned to one that has left, too.
		bond(PROVIDER, 5_000);
		let id = ended(NodeFault { walkout: 5_000, ..fault(0) });
		assert_ok!(Slashing::resolve(RuntimeOrigin::root(), id, Verdict::Cancel));
		assert_eq!(Active::get(PROVIDER), 5_000);
		// New money of the test's own.
		unbond(PROVIDER);
		frame_support::assert_ok!(Balances::burn(RuntimeOrigin::signed(PROVIDER), 5_000 + ED, false));
	});
}

/// Trap 2: events tell what should have moved.
#[test]
fn trap_2_events_tell_what_moved() {
	build_and_execute(|| {
		// 150 plancks are left of the bond.
		let call = Slashing::condemn(
			RuntimeOrigin::root(),
			PROVIDER,
			Offence::BadResult,
			CLASS,
			40,
			Permill::one(),
			None,
			EVIDENCE,
		);
		assert_ok!(call);
		assert!(matches!(events()[..], [Event::Condemned { amount: BOND, .. }]));
		assert_ok!(Slashing::resolve(
			RuntimeOrigin::root(),
			SlashId(0),
			Verdict::Reduce { keep: Permill::from_parts(999_985) }
		));
		assert_eq!(Active::get(PROVIDER), 150);
		events();
		count(fault(1));
		let counted = events().pop();
		assert!(matches!(counted, Some(Event::FaultCounted { amount: 150, held: 150, .. })));
		count(fault(1));
		let counted = events().pop();
		assert!(matches!(counted, Some(Event::FaultCounted { amount: 0, held: 150, .. })));
	});
}

/// Trap 3: the record goes before its money has moved.
#[test]
fn trap_3_no_record_goes_before_its_money() {
	build_and_execute(|| {
		let id = ended(NodeFault { walkout: 10_000, ..fault(0) });
		assert_ok!(appeal(id));
		Broken::set(vec![PROVIDER]);
		for verdict in [Verdict::Uphold, Verdict::Cancel] {
			let call = Slashing::resolve(RuntimeOrigin::root(), id, verdict);
			assert_noop!(call, DispatchError::Unavailable);
		}
		pass(VERDICT);
		assert_noop!(execute(id), DispatchError::Unavailable);
		run_blocks(500);
		// Everything is where it was, the bond of the appeal too.
		let before = (pending(PROVIDER), appeal_bonds(PROVIDER), balance(POOL), balance(TREASURY));
		assert_eq!(before, (10_000, 1_000, ENDOWMENT, ENDOWMENT));
		check();
		Broken::set(vec![]);
		run_blocks(500);
		assert!(is_over(id));
		assert_eq!((pending(PROVIDER), appeal_bonds(PROVIDER)), (0, 0));
	});
}

/// Trap 4: an early return inside a queue's loop leaves the rest unprocessed for ever.
#[test]
fn trap_4_one_slash_that_fails_does_not_keep_the_queue_from_being_served() {
	build_and_execute(|| {
		let slashes: Vec<_> = (0..9)
			.map(|lease| {
				let provider = if lease % 3 == 0 { OTHER } else { PROVIDER };
				ended(fault_of(provider, LeaseId(lease), 1))
			})
			.collect();
		Broken::set(vec![OTHER]);
		events();
		run_blocks((DEFERRAL / SLOT) as u32);
		let failed: Vec<_> = slashes.iter().filter(|id| !is_over(**id)).collect();
		assert_eq!(failed, [&slashes[0], &slashes[3], &slashes[6]]);
		let kind = UnexpectedKind::SlashFailed(DispatchError::Unavailable);
		let events = events();
		for id in failed {
			assert!(events.contains(&Event::Unexpected { slash: *id, kind }));
		}
		check();
		Broken::set(vec![]);
		run_blocks(20);
		assert_eq!(Slashes::<Test>::iter().count(), 0);
	});
}
