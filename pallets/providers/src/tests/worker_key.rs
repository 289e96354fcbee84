use super::{register, signed};
use crate::{
	mock::{
		build_and_execute, events, Balances, Registry, RuntimeOrigin, System, Test, ALICE, BOB, ED,
		OTHER_WORKER, WORKER,
	},
	Error, Event, Providers, Workers,
};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate};
use millrace_primitives::ProviderInspect;
use sp_runtime::DispatchError;

#[test]
fn a_worker_exists_without_a_balance() {
	build_and_execute(|| {
		register(ALICE);
		events();
		assert!(!System::account_exists(&WORKER));
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		assert_eq!(System::sufficients(&WORKER), 1);
		assert!(System::account_exists(&WORKER));
		assert_eq!(Registry::provider_of(&WORKER), Some(ALICE));
		assert_eq!(Providers::<Test>::get(ALICE).unwrap().worker, Some(WORKER));
		assert_eq!(events(), vec![Event::WorkerSet { provider: ALICE, worker: WORKER, replaced: None }]);
	});
}

#[test]
fn rotating_the_key_gives_the_old_reference_back() {
	build_and_execute(|| {
		register(ALICE);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		events();
		assert_ok!(Registry::set_worker(signed(ALICE), OTHER_WORKER));
		assert!(!System::account_exists(&WORKER));
		assert_eq!(System::sufficients(&OTHER_WORKER), 1);
		assert_eq!(Registry::provider_of(&WORKER), None);
		assert_eq!(Registry::provider_of(&OTHER_WORKER), Some(ALICE));
		assert_eq!(
			events(),
			vec![Event::WorkerSet { provider: ALICE, worker: OTHER_WORKER, replaced: Some(WORKER) }]
		);
	});
}

#[test]
fn a_key_serves_one_provider() {
	build_and_execute(|| {
		register(ALICE);
		register(BOB);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		assert_noop!(Registry::set_worker(signed(BOB), WORKER), Error::<Test>::WorkerTaken);
		assert_noop!(Registry::set_worker(signed(ALICE), WORKER), Error::<Test>::WorkerTaken);
		assert_eq!(System::sufficients(&WORKER), 1);
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		assert_ok!(Registry::set_worker(signed(BOB), WORKER));
	});
}

#[test]
fn a_provider_is_not_its_own_worker() {
	build_and_execute(|| {
		register(ALICE);
		assert_noop!(Registry::set_worker(signed(ALICE), ALICE), Error::<Test>::WorkerIsProvider);
	});
}

#[test]
fn removing_the_key_ends_the_account_unless_it_has_a_balance() {
	build_and_execute(|| {
		register(ALICE);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		System::inc_account_nonce(WORKER);
		assert_ok!(<Balances as Mutate<_>>::mint_into(&WORKER, ED));
		events();
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		assert_eq!(events(), vec![Event::WorkerRemoved { provider: ALICE, worker: WORKER }]);
		assert_eq!(System::sufficients(&WORKER), 0);
		assert_eq!(System::account_nonce(WORKER), 1);
		assert_eq!(Workers::<Test>::iter().count(), 0);

		assert_ok!(Registry::set_worker(signed(ALICE), OTHER_WORKER));
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		assert!(!System::account_exists(&OTHER_WORKER));
	});
}

#[test]
fn a_reference_that_others_gave_is_left_alone() {
	build_and_execute(|| {
		register(ALICE);
		System::inc_sufficients(&WORKER);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		assert_ok!(Registry::remove_worker(signed(ALICE)));
		assert_eq!(System::sufficients(&WORKER), 1);
	});
}

#[test]
fn only_a_provider_with_a_key_removes_it() {
	build_and_execute(|| {
		assert_noop!(Registry::set_worker(signed(BOB), WORKER), Error::<Test>::NotRegistered);
		assert_noop!(Registry::remove_worker(signed(BOB)), Error::<Test>::NotRegistered);
		register(ALICE);
		assert_noop!(Registry::remove_worker(signed(ALICE)), Error::<Test>::NoWorker);
		assert_noop!(Registry::set_worker(RuntimeOrigin::root(), WORKER), DispatchError::BadOrigin);
		assert_noop!(Registry::remove_worker(RuntimeOrigin::none()), DispatchError::BadOrigin);
	});
}
