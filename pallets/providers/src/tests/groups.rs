//! Operator groups: who counts as one owner, and who says so.

use super::{add_gpus, register, register_with, signed};
use crate::{
	mock::{build_and_execute, events, AccountId, Registry, Test, ALICE, BOB, SMALL},
	Error, Event, Membership, Providers,
};
use frame_support::{assert_noop, assert_ok};
use millrace_primitives::{GpuIndex, GpuReservation, LeaseId, ProviderInspect};
use sp_runtime::DispatchError;

/// Founds a group and is no provider.
const HOLDING: AccountId = 70;
const STRANGER: AccountId = 71;

fn owner(who: AccountId) -> AccountId {
	Registry::facts(&who).unwrap().owner
}

fn membership(who: AccountId) -> Membership<AccountId> {
	Providers::<Test>::get(who).unwrap().group
}

fn join(who: AccountId, founder: AccountId) {
	assert_ok!(Registry::apply_to_group(signed(who), founder));
	assert_ok!(Registry::admit_to_group(signed(founder), who));
}

#[test]
fn a_provider_joins_when_both_say_so() {
	build_and_execute(|| {
		register(ALICE);
		assert_eq!((owner(ALICE), membership(ALICE)), (ALICE, Membership::Alone));
		events();
		assert_ok!(Registry::apply_to_group(signed(ALICE), HOLDING));
		assert_eq!((owner(ALICE), membership(ALICE)), (ALICE, Membership::Applied { founder: HOLDING }));
		assert_ok!(Registry::admit_to_group(signed(HOLDING), ALICE));
		assert_eq!((owner(ALICE), membership(ALICE)), (HOLDING, Membership::Member { founder: HOLDING }));
		assert_eq!(
			events(),
			[
				Event::GroupApplied { provider: ALICE, founder: HOLDING },
				Event::GroupJoined { provider: ALICE, founder: HOLDING },
			]
		);
	});
}

/// Whoever named itself a part of a rival could have the rival's leases count as its own failures.
#[test]
fn nobody_joins_without_the_founder_nor_is_made_to() {
	build_and_execute(|| {
		register(ALICE);
		register(BOB);
		// Not by an application alone, nor by whoever else admits.
		assert_ok!(Registry::apply_to_group(signed(ALICE), BOB));
		for other in [STRANGER, ALICE, HOLDING] {
			assert_noop!(Registry::admit_to_group(signed(other), ALICE), Error::<Test>::NotApplied);
		}
		// Not by the founder alone, nor after the application was withdrawn or went to somebody else.
		assert_noop!(Registry::admit_to_group(signed(ALICE), BOB), Error::<Test>::NotApplied);
		assert_ok!(Registry::apply_to_group(signed(ALICE), HOLDING));
		assert_noop!(Registry::admit_to_group(signed(BOB), ALICE), Error::<Test>::NotApplied);
		assert_ok!(Registry::leave_group(signed(ALICE), ALICE));
		assert_noop!(Registry::admit_to_group(signed(HOLDING), ALICE), Error::<Test>::NotApplied);
		assert_eq!((owner(ALICE), owner(BOB)), (ALICE, BOB));
	});
}

#[test]
fn an_application_is_withdrawn_or_refused() {
	build_and_execute(|| {
		register(ALICE);
		for sender in [ALICE, HOLDING] {
			assert_ok!(Registry::apply_to_group(signed(ALICE), HOLDING));
			assert_noop!(Registry::leave_group(signed(STRANGER), ALICE), Error::<Test>::NotYourGroup);
			events();
			assert_ok!(Registry::leave_group(signed(sender), ALICE));
			assert_eq!(events(), [Event::GroupApplicationEnded { provider: ALICE, founder: HOLDING }]);
			assert_eq!(membership(ALICE), Membership::Alone);
		}
	});
}

#[test]
fn a_member_leaves_or_is_put_out() {
	build_and_execute(|| {
		register(ALICE);
		for sender in [ALICE, HOLDING] {
			join(ALICE, HOLDING);
			assert_noop!(Registry::leave_group(signed(STRANGER), ALICE), Error::<Test>::NotYourGroup);
			events();
			assert_ok!(Registry::leave_group(signed(sender), ALICE));
			assert_eq!(events(), [Event::GroupLeft { provider: ALICE, founder: HOLDING }]);
			assert_eq!((owner(ALICE), membership(ALICE)), (ALICE, Membership::Alone));
			assert_noop!(Registry::leave_group(signed(sender), ALICE), Error::<Test>::NotInGroup);
		}
	});
}

#[test]
fn a_provider_is_in_one_group_at_most() {
	build_and_execute(|| {
		register(ALICE);
		register(BOB);
		assert_noop!(Registry::apply_to_group(signed(ALICE), ALICE), Error::<Test>::OwnGroup);
		join(ALICE, BOB);
		for founder in [BOB, HOLDING] {
			assert_noop!(Registry::apply_to_group(signed(ALICE), founder), Error::<Test>::AlreadyInGroup);
		}
		// A founder counts as its own group, and may join another: its members stay with it.
		assert_eq!((owner(ALICE), owner(BOB)), (BOB, BOB));
		join(BOB, HOLDING);
		assert_eq!((owner(ALICE), owner(BOB)), (BOB, HOLDING));
	});
}

/// Whoever became another owner in the middle of a fault would be excused by its own misses.
#[test]
fn an_owner_stays_the_same_while_it_serves_a_lease() {
	build_and_execute(|| {
		register_with(ALICE, 10_000);
		add_gpus(ALICE, SMALL, [1]);
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LeaseId(1)));
		assert_ok!(Registry::apply_to_group(signed(ALICE), HOLDING));
		assert_noop!(Registry::admit_to_group(signed(HOLDING), ALICE), Error::<Test>::OwnerInUse);
		Registry::release(&ALICE, &[GpuIndex(0)], LeaseId(1));
		assert_ok!(Registry::admit_to_group(signed(HOLDING), ALICE));
		assert_ok!(Registry::reserve(&ALICE, SMALL, 1, LeaseId(2)));
		for sender in [ALICE, HOLDING] {
			assert_noop!(Registry::leave_group(signed(sender), ALICE), Error::<Test>::OwnerInUse);
		}
		Registry::release(&ALICE, &[GpuIndex(0)], LeaseId(2));
		assert_ok!(Registry::leave_group(signed(HOLDING), ALICE));
	});
}

#[test]
fn only_providers_join() {
	build_and_execute(|| {
		assert_noop!(Registry::apply_to_group(signed(STRANGER), ALICE), Error::<Test>::NotRegistered);
		assert_noop!(Registry::admit_to_group(signed(ALICE), STRANGER), Error::<Test>::NotRegistered);
		assert_noop!(Registry::leave_group(signed(ALICE), STRANGER), Error::<Test>::NotRegistered);
		let root = frame_system::RawOrigin::Root;
		assert_noop!(Registry::apply_to_group(root.clone().into(), ALICE), DispatchError::BadOrigin);
		assert_noop!(Registry::admit_to_group(root.clone().into(), ALICE), DispatchError::BadOrigin);
		assert_noop!(Registry::leave_group(root.into(), ALICE), DispatchError::BadOrigin);
	});
}
