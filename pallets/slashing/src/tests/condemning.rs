//! Offences that only the council can find.

use crate::{mock::*, Error, Event, Offence, SlashStatus, Verdict};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{Balance, ClassId, SlashCause, SlashId, MAX_GPUS_PER_PROVIDER};
use sp_runtime::{DispatchError, DispatchResult, Permill};

const ID: SlashId = SlashId(0);

fn condemn_as(
	origin: RuntimeOrigin,
	class: ClassId,
	gpus: u32,
	share: Permill,
	renter: Option<(AccountId, Balance)>,
) -> DispatchResult {
	Slashing::condemn(origin, PROVIDER, Offence::FalseHardware, class, gpus, share, renter, EVIDENCE)
}

fn condemn(gpus: u32, percent: u32) -> DispatchResult {
	condemn_as(RuntimeOrigin::root(), CLASS, gpus, Permill::from_percent(percent), None)
}

#[test]
fn an_offence_costs_a_share_of_the_bond() {
	build_and_execute(|| {
		let call = Slashing::condemn(
			RuntimeOrigin::root(),
			PROVIDER,
			Offence::BadResult,
			CLASS,
			3,
			Permill::from_percent(60),
			Some((RENTER, 5_000)),
			EVIDENCE,
		);
		assert_ok!(call);
		let slash = slash(ID);
		// 60 % of three bonds.
		let amount = 450_000;
		assert_eq!((slash.held, slash.lease_bond), (amount, 3 * GPU_BOND));
		assert_eq!((slash.lease, slash.renter, slash.unserved), (None, Some(RENTER), Some(5_000)));
		assert_eq!((slash.cause, slash.faults.len()), (SlashCause::BadResult, 0));
		let executes_at = START + DEFERRAL;
		assert_eq!(slash.status, SlashStatus::Deferred { executes_at });
		assert_eq!((pending(PROVIDER), Active::get(PROVIDER)), (amount, BOND - amount));
		let condemned = Event::Condemned {
			slash: ID,
			provider: PROVIDER,
			offence: Offence::BadResult,
			class: CLASS,
			gpus: 3,
			share: Permill::from_percent(60),
			amount,
			renter: Some((RENTER, 5_000)),
			executes_at,
			evidence: EVIDENCE,
		};
		assert_eq!(events(), [condemned]);

		pass(DEFERRAL);
		assert_ok!(execute(ID));
		assert_eq!(balance(RENTER), ENDOWMENT + 5_000);
		assert_eq!((balance(POOL), balance(TREASURY)), (ENDOWMENT + 89_000, ENDOWMENT + 356_000));
		let [Event::SlashExecuted { lease: None, renter: Some(RENTER), to_renter: 5_000, .. }] = events()[..]
		else {
			panic!()
		};
	});
}

#[test]
fn without_a_renter_pool_and_treasury_share_it() {
	build_and_execute(|| {
		assert_ok!(condemn(1, 100));
		pass(DEFERRAL);
		assert_ok!(execute(ID));
		assert_eq!((balance(POOL), balance(TREASURY)), (ENDOWMENT + 50_000, ENDOWMENT + 200_000));
		let events = events();
		assert!(matches!(events[1], Event::SlashExecuted { renter: None, to_renter: 0, .. }));
	});
}

#[test]
fn an_offence_takes_what_is_at_stake_and_no_more() {
	build_and_execute(|| {
		// The era's limit is for faults.
		EraCap::set(0);
		assert_ok!(condemn(MAX_GPUS_PER_PROVIDER, 100));
		assert_eq!((slash(ID).held, Active::get(PROVIDER)), (BOND, 0));
		assert!(matches!(events()[..], [Event::Condemned { amount: BOND, .. }]));
		assert_noop!(condemn(1, 100), Error::<Test>::NothingAtStake);
	});
}

#[test]
fn a_class_without_a_bond_costs_nothing() {
	build_and_execute(|| {
		let call = condemn_as(RuntimeOrigin::root(), FREE_CLASS, 1, Permill::one(), None);
		assert_noop!(call, Error::<Test>::NothingAtStake);
		let call = condemn_as(RuntimeOrigin::root(), ClassId(9), 1, Permill::one(), None);
		assert_noop!(call, Error::<Test>::UnknownClass);
	});
}

#[test]
fn shares_and_counts_have_limits() {
	build_and_execute(|| {
		let below = Permill::from_parts(499_999);
		assert_noop!(condemn_as(RuntimeOrigin::root(), CLASS, 1, below, None), Error::<Test>::BadShare);
		assert_noop!(condemn(0, 100), Error::<Test>::BadGpuCount);
		assert_noop!(condemn(MAX_GPUS_PER_PROVIDER + 1, 100), Error::<Test>::BadGpuCount);
		assert_ok!(condemn(1, 50));
		assert_eq!(pending(PROVIDER), GPU_BOND / 2);
	});
}

#[test]
fn only_the_council_condemns() {
	build_and_execute(|| {
		for origin in [RuntimeOrigin::signed(RENTER), RuntimeOrigin::none()] {
			let call = condemn_as(origin, CLASS, 1, Permill::one(), None);
			assert_noop!(call, DispatchError::BadOrigin);
		}
	});
}

#[test]
fn an_offence_can_be_appealed() {
	build_and_execute(|| {
		assert_ok!(condemn(1, 100));
		let call = Slashing::resolve(RuntimeOrigin::root(), ID, Verdict::Uphold);
		assert_noop!(call, Error::<Test>::NotAppealed);
		assert_ok!(appeal(ID));
		assert_eq!(appeal_bonds(PROVIDER), GPU_BOND / 10);
		assert_ok!(Slashing::resolve(RuntimeOrigin::root(), ID, Verdict::Cancel));
		assert_eq!((Active::get(PROVIDER), appeal_bonds(PROVIDER)), (BOND, 0));
	});
}

#[test]
fn an_offence_is_paid_out_by_itself() {
	build_and_execute(|| {
		assert_ok!(condemn(1, 100));
		run_blocks((DEFERRAL / SLOT) as u32 - 1);
		assert!(!is_over(ID));
		next_block();
		assert!(is_over(ID));
	});
}
