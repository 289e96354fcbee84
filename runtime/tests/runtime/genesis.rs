//! Each preset builds, starts the pallets as promised, and can make blocks.

use crate::chain::{check_invariants, on_development_chain, preset_json, preset_state, state_of};
use frame_support::{assert_noop, assert_ok, traits::fungible::Inspect};
use millrace_primitives::{AcceleratorKind, ClassId, ProviderInspect};
use millrace_runtime::{
	configs::money::{PublicGoodsAccount, TreasuryAccount},
	constants::{EXISTENTIAL_DEPOSIT, MILL},
	genesis, AccountId, Babe, Balance, Balances, ChainTiming, Grandpa, Providers, Runtime, RuntimeOrigin,
	Session, Staking,
};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

fn timing() -> ChainTiming {
	pallet_timing::Timing::<Runtime>::get()
}

fn class_kind(class: u32) -> Option<AcceleratorKind> {
	<Providers as ProviderInspect<AccountId, Balance>>::class(ClassId(class)).map(|class| class.kind)
}

#[test]
fn presets_are_named_and_nothing_else_is_one() {
	assert_eq!(genesis::preset_names(), ["development", "local_testnet", "testnet"]);
	for name in genesis::preset_names() {
		assert!(genesis::preset(&name).is_some());
	}
	assert_eq!(genesis::preset(&"mainnet".into()), None);
}

#[test]
fn every_preset_has_a_usable_timing() {
	for name in ["development", "local_testnet", "testnet"] {
		preset_state(name).execute_with(|| assert_eq!(timing().check(), Ok(())));
	}
}

#[test]
fn development_is_one_fast_validator() {
	preset_state("development").execute_with(|| {
		assert_eq!(timing(), genesis::development_timing());
		assert_eq!((timing().slot_ms, timing().session_slots, timing().sessions_per_era), (1_000, 60, 3));
		assert_eq!(Babe::slot_duration(), 1_000);
		assert_eq!(Session::validators(), [Sr25519Keyring::Alice.to_account_id()]);
		assert_eq!(Babe::authorities()[0].0, Sr25519Keyring::Alice.public().into());
		assert_eq!(Grandpa::grandpa_authorities(), [(Ed25519Keyring::Alice.public().into(), 1)]);
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(Sr25519Keyring::Alice.to_account_id()));
		assert_eq!(class_kind(0), Some(AcceleratorKind::Reference));
		assert_eq!(class_kind(1), Some(AcceleratorKind::Cuda));
		assert_eq!(class_kind(2), None);
		assert_eq!(Balances::balance(&Sr25519Keyring::Bob.to_account_id()), 1_000_000 * MILL);
		check_invariants();
	});
}

#[test]
fn local_testnet_is_three_validators_at_production_speed() {
	preset_state("local_testnet").execute_with(|| {
		assert_eq!(timing(), genesis::local_timing());
		assert_eq!(timing().slot_ms, ChainTiming::default().slot_ms);
		assert_eq!(Session::validators().len(), 3);
		assert_eq!(Grandpa::grandpa_authorities().len(), 3);
		assert_eq!(Staking::validator_count(), 3);
	});
}

#[test]
fn testnet_has_production_timing_and_no_key_that_anybody_holds() {
	preset_state("testnet").execute_with(|| {
		assert_eq!(timing(), ChainTiming::default());
		assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
		assert_eq!(Session::validators().len(), 1);
		assert_eq!(class_kind(0), Some(AcceleratorKind::Cuda));
		assert_eq!(class_kind(1), None);
	});
	let json = preset_json("testnet").to_string();
	for known in Sr25519Keyring::iter() {
		assert!(!json.contains(&known.to_account_id().to_string()), "{known:?} is in the testnet's genesis");
	}
	for known in Ed25519Keyring::iter() {
		assert!(!json.contains(&sp_runtime::AccountId32::from(known.public()).to_string()), "{known:?}");
	}
}

#[test]
fn a_class_of_cpus_is_taken_on_a_development_chain_alone() {
	let cpus = || <Providers as ProviderInspect<AccountId, Balance>>::class(ClassId(0)).unwrap();
	let mut class = None;
	preset_state("development").execute_with(|| {
		class = Some(cpus());
		assert_ok!(Providers::create_class(RuntimeOrigin::root(), cpus()));
	});
	preset_state("testnet").execute_with(|| {
		assert_noop!(
			Providers::create_class(RuntimeOrigin::root(), class.unwrap()),
			pallet_providers::Error::<Runtime>::ReferenceClassRefused
		);
	});
}

#[test]
fn a_timing_that_does_not_fit_together_stops_the_genesis() {
	let mut config = preset_json("development");
	config["timing"]["timing"]["unbondingMs"] = 1.into();
	assert!(std::panic::catch_unwind(|| state_of(&config)).is_err());
}

#[test]
fn both_sinks_of_the_fee_can_take_any_amount() {
	for name in ["development", "local_testnet", "testnet"] {
		preset_state(name).execute_with(|| {
			assert_eq!(Balances::balance(&TreasuryAccount::get()), EXISTENTIAL_DEPOSIT);
			assert_eq!(Balances::balance(&PublicGoodsAccount::get()), EXISTENTIAL_DEPOSIT);
		});
	}
}

#[test]
fn blocks_sessions_and_eras_go_by() {
	on_development_chain(|chain| {
		for _ in 0..370 {
			chain.open_block();
		}
		// Sixty slots per session, three sessions per era.
		assert_eq!(Session::current_index(), 6);
		assert_eq!(pallet_staking::ActiveEra::<Runtime>::get().map(|era| era.index), Some(2));
		assert_eq!(Session::validators(), [Sr25519Keyring::Alice.to_account_id()]);
		assert_eq!(pallet_timestamp::Now::<Runtime>::get(), chain.now());
	});
}
