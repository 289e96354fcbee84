use super::{add_gpus, endpoint, register, register_with, signed};
use crate::{
	mock::{
		build_and_execute, events, held, Balances, RegistrationDeposit, Registry, RuntimeOrigin, System,
		Test, Timestamp, ALICE, BOB, DEPOSIT, ED, ENDOWMENT, SMALL, SMALL_BOND, START, UNBONDING, WORKER,
	},
	Error, Event, GpuUuids, HoldReason, Membership, Provider, Providers, Records, Standing, Workers,
};
use frame_support::{
	assert_noop, assert_ok,
	traits::fungible::{Inspect, Mutate},
	BoundedVec,
};
use millrace_primitives::{GpuIndex, ProviderFacts, ProviderInspect, ProviderLiveness};
use sp_runtime::{DispatchError, Permill};

#[test]
fn registering_holds_the_deposit() {
	build_and_execute(|| {
		assert_ok!(Registry::register(signed(ALICE), endpoint("ws://[::1]:9944"), *b"IS", 64_512));
		assert_eq!(
			Providers::<Test>::get(ALICE),
			Some(Provider {
				worker: None,
				endpoint: endpoint("ws://[::1]:9944"),
				country: *b"IS",
				network: 64_512,
				group: Membership::Alone,
				standing: Standing::New,
				bonded: 0,
				unbonding: BoundedVec::new(),
				penalties: 0,
				deposit: DEPOSIT,
				next_gpu: 0,
				locked: 0,
				pending_slashes: 0,
				slashed: 0,
				era_slashes: Default::default(),
				maintenance: None,
				rested_at: 0,
				capacity_changed: false,
				registered_at: START,
			})
		);
		assert_eq!(held(HoldReason::Registration, ALICE), DEPOSIT);
		assert!(Registry::is_registered(&ALICE));
		let facts = Registry::facts(&ALICE).unwrap();
		assert_eq!(
			facts,
			ProviderFacts {
				owner: ALICE,
				country: *b"IS",
				network: 64_512,
				uptime: None,
				reputation: Permill::zero(),
				live: false
			}
		);
		assert_eq!(
			events(),
			vec![
				Event::Registered { provider: ALICE, deposit: DEPOSIT },
				Event::ProfileDeclared {
					provider: ALICE,
					endpoint: endpoint("ws://[::1]:9944"),
					country: *b"IS",
					network: 64_512,
				},
			]
		);
	});
}

#[test]
fn an_account_registers_once() {
	build_and_execute(|| {
		register(ALICE);
		assert_noop!(
			Registry::register(signed(ALICE), endpoint("ws://a"), *b"IS", 0),
			Error::<Test>::AlreadyRegistered
		);
	});
}

#[test]
fn registering_needs_the_deposit_on_top_of_the_existential_one() {
	build_and_execute(|| {
		<Balances as Mutate<_>>::set_balance(&ALICE, DEPOSIT + ED - 1);
		let register = || Registry::register(signed(ALICE), endpoint("ws://a"), *b"IS", 0);
		assert_noop!(register(), Error::<Test>::InsufficientFunds);
		<Balances as Mutate<_>>::set_balance(&ALICE, DEPOSIT + ED);
		assert_ok!(register());
	});
}

#[test]
fn what_is_declared_must_be_well_formed() {
	build_and_execute(|| {
		let bad =
			["", "ws://", "wss://", "http://a", "WS://a", "ws://a b", "ws://a\n", "ws://\u{e9}", " ws://a"];
		for address in bad {
			let refused = Registry::register(signed(ALICE), endpoint(address), *b"IS", 0);
			assert_noop!(refused, Error::<Test>::BadEndpoint);
		}
		for country in [*b"is", *b"I ", *b"I1", [0, 0], [0xC3, 0x89]] {
			let refused = Registry::register(signed(ALICE), endpoint("ws://a"), country, 0);
			assert_noop!(refused, Error::<Test>::BadCountry);
		}
		register(ALICE);
		let update =
			|address, country| Registry::update_profile(signed(ALICE), endpoint(address), country, 0);
		assert_noop!(update("ws://", *b"IS"), Error::<Test>::BadEndpoint);
		assert_noop!(update("ws://a", *b"is"), Error::<Test>::BadCountry);
	});
}

#[test]
fn a_provider_changes_what_it_declares_and_nothing_else() {
	build_and_execute(|| {
		register_with(ALICE, 3_000);
		events();
		let before = Providers::<Test>::get(ALICE).unwrap();
		assert_ok!(Registry::update_profile(signed(ALICE), endpoint("wss://new"), *b"NO", 1));
		let after = Provider { endpoint: endpoint("wss://new"), country: *b"NO", network: 1, ..before };
		assert_eq!(Providers::<Test>::get(ALICE), Some(after));
		assert_eq!(
			events(),
			vec![Event::ProfileDeclared {
				provider: ALICE,
				endpoint: endpoint("wss://new"),
				country: *b"NO",
				network: 1,
			}]
		);
	});
}

#[test]
fn a_stranger_has_no_facts() {
	build_and_execute(|| {
		register(ALICE);
		assert_eq!(Registry::facts(&BOB), None);
	});
}

#[test]
fn leaving_gives_everything_back() {
	build_and_execute(|| {
		register_with(ALICE, SMALL_BOND);
		assert_ok!(Registry::set_worker(signed(ALICE), WORKER));
		add_gpus(ALICE, SMALL, [1]);
		Registry::record_epochs(&ALICE, 1, 1, None, START);
		assert_noop!(Registry::deregister(signed(ALICE)), Error::<Test>::StillHasGpus);
		assert_ok!(Registry::remove_gpu(signed(ALICE), GpuIndex(0)));
		assert_noop!(Registry::deregister(signed(ALICE)), Error::<Test>::StillBonded);
		assert_ok!(Registry::unbond(signed(ALICE), SMALL_BOND));
		assert_noop!(Registry::deregister(signed(ALICE)), Error::<Test>::StillBonded);
		Timestamp::set_timestamp(START + UNBONDING);
		assert_ok!(Registry::withdraw(signed(ALICE)));
		events();

		assert_ok!(Registry::deregister(signed(ALICE)));
		assert_eq!(Balances::balance(&ALICE), ENDOWMENT);
		assert_eq!(Providers::<Test>::get(ALICE), None);
		assert_eq!(Workers::<Test>::get(WORKER), None);
		assert_eq!(GpuUuids::<Test>::iter().count(), 0);
		assert_eq!(Records::<Test>::iter().count(), 0);
		assert!(!System::account_exists(&WORKER));
		assert_eq!(
			events(),
			vec![
				Event::WorkerRemoved { provider: ALICE, worker: WORKER },
				Event::Deregistered { provider: ALICE, deposit: DEPOSIT },
			]
		);
		register(ALICE);
	});
}

#[test]
fn leaving_gives_back_what_was_held_even_if_the_deposit_changed_since() {
	build_and_execute(|| {
		register(ALICE);
		RegistrationDeposit::set(DEPOSIT * 2);
		assert_ok!(Registry::deregister(signed(ALICE)));
		assert_eq!(Balances::balance(&ALICE), ENDOWMENT);
	});
}

#[test]
fn only_a_provider_updates_and_leaves() {
	build_and_execute(|| {
		register(ALICE);
		let update = |origin| Registry::update_profile(origin, endpoint("ws://a"), *b"IS", 0);
		assert_noop!(update(signed(BOB)), Error::<Test>::NotRegistered);
		assert_noop!(Registry::deregister(signed(BOB)), Error::<Test>::NotRegistered);
		assert_noop!(update(RuntimeOrigin::root()), DispatchError::BadOrigin);
		assert_noop!(Registry::deregister(RuntimeOrigin::none()), DispatchError::BadOrigin);
		assert_noop!(
			Registry::register(RuntimeOrigin::root(), endpoint("ws://a"), *b"IS", 0),
			DispatchError::BadOrigin
		);
	});
}
