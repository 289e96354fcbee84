//! Genesis presets: `development`, `local_testnet`, `testnet`. A chain spec names one and may patch any value of it.
//!
//! | preset | validators | slot | windows | sudo key |
//! |---|---|---|---|---|
//! | `development` | Alice | 1 s | a minute | Alice |
//! | `local_testnet` | Alice, Bob, Charlie | 6 s | two minutes | Alice |
//! | `testnet` | one that nobody can be | 6 s | production | nobody |
//!
//! Alice and the others are the well-known development keys: anybody holds them. The `testnet` preset therefore names none of
//! them. Its one validator's keys are hashes of a sentence, so that nobody has their secrets: the chain spec can be built,
//! exported and looked at, but no block can be made until `session.keys`, `staking.stakers` and `balances.balances` are
//! replaced by those of the real founders.

use crate::{
	configs::{
		consensus::{EPOCH_CONFIG, MAX_VALIDATORS, MAX_VOTERS, MIN_NOMINATOR_BOND, MIN_VALIDATOR_BOND},
		money::{InsuranceAccount, PublicGoodsAccount, TreasuryAccount},
	},
	constants::{EXISTENTIAL_DEPOSIT, MILL},
	opaque::SessionKeys,
	AccountId, BabeConfig, Balance, BalancesConfig, CouncilConfig, ProvidersConfig, RuntimeGenesisConfig,
	SessionConfig, StakingConfig, SudoConfig, TimingConfig,
};
use alloc::{vec, vec::Vec};
use frame_support::build_struct_json_patch;
use millrace_primitives::{AcceleratorKind, GpuClass};
use pallet_staking::StakerStatus;
use pallet_timing::ChainTiming;
use serde_json::Value;
use sp_core::{ed25519, sr25519};
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_io::hashing::blake2_256;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{BoundedVec, Perbill};

/// Name of the public test network's preset.
pub const TESTNET_RUNTIME_PRESET: &str = "testnet";

const SECOND: u64 = 1_000;
/// What each development account starts with, in plancks.
const ENDOWMENT: Balance = 1_000_000 * MILL;
/// What each validator of a preset has at stake, in plancks.
const STAKE: Balance = 10_000 * MILL;
/// Smallest bond per GPU of the classes that presets start with, in plancks.
const CLASS_BOND: Balance = 100 * MILL;

/// Names of the presets.
pub fn preset_names() -> Vec<PresetId> {
	vec![
		PresetId::from(DEV_RUNTIME_PRESET),
		PresetId::from(LOCAL_TESTNET_RUNTIME_PRESET),
		PresetId::from(TESTNET_RUNTIME_PRESET),
	]
}

/// The preset's patch of the default genesis, as JSON; `None` for an unknown name.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
	let patch = match id.as_ref() {
		DEV_RUNTIME_PRESET => development(),
		LOCAL_TESTNET_RUNTIME_PRESET => local_testnet(),
		TESTNET_RUNTIME_PRESET => testnet(),
		_ => return None,
	};
	serde_json::to_vec(&patch).ok()
}

/// One-second slots and minute-long windows, for a single node on somebody's desk. Only a contest's verdict has more time, for
/// people vote on it, and with it a bond's release.
pub fn development_timing() -> ChainTiming {
	ChainTiming {
		slot_ms: SECOND,
		session_slots: 60,
		sessions_per_era: 3,
		leased_epoch_blocks: 5,
		idle_epoch_blocks: 20,
		grace_epochs: 1,
		ready_within_ms: 60 * SECOND,
		suspended_for_ms: 60 * SECOND,
		min_term_ms: 5 * SECOND,
		min_reclaim_notice_ms: 5 * SECOND,
		failover_within_ms: 120 * SECOND,
		frozen_grace_ms: 15 * SECOND,
		low_balance_warning_ms: 20 * SECOND,
		acceptance_window_ms: 15 * SECOND,
		contest_window_ms: 20 * SECOND,
		verdict_within_ms: 600 * SECOND,
		slash_deferral_ms: 60 * SECOND,
		unbonding_ms: 800 * SECOND,
		reference_classes_allowed: true,
		..ChainTiming::default()
	}
}

/// Production slots and report epochs, with windows that a person can sit out.
pub fn local_timing() -> ChainTiming {
	ChainTiming {
		session_slots: 50,
		sessions_per_era: 3,
		leased_epoch_blocks: 5,
		idle_epoch_blocks: 20,
		ready_within_ms: 120 * SECOND,
		suspended_for_ms: 120 * SECOND,
		min_term_ms: 30 * SECOND,
		min_reclaim_notice_ms: 30 * SECOND,
		failover_within_ms: 300 * SECOND,
		frozen_grace_ms: 60 * SECOND,
		low_balance_warning_ms: 120 * SECOND,
		acceptance_window_ms: 60 * SECOND,
		contest_window_ms: 120 * SECOND,
		verdict_within_ms: 600 * SECOND,
		slash_deferral_ms: 180 * SECOND,
		unbonding_ms: 1_200 * SECOND,
		reference_classes_allowed: true,
		..ChainTiming::default()
	}
}

fn development() -> Value {
	keyring_chain(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)], development_timing())
}

fn local_testnet() -> Value {
	keyring_chain(
		&[
			(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
			(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
			(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
		],
		local_timing(),
	)
}

fn testnet() -> Value {
	let placeholder = Founder::placeholder();
	patch(Start {
		// What the session's keys and the stake need; the founders' own balances replace it.
		endowed: vec![(placeholder.account.clone(), 2 * STAKE)],
		founders: vec![placeholder],
		council: Vec::new(),
		sudo: None,
		classes: vec![nvidia_h200()],
		timing: ChainTiming::default(),
	})
}

fn keyring_chain(validators: &[(Sr25519Keyring, Ed25519Keyring)], timing: ChainTiming) -> Value {
	patch(Start {
		endowed: Sr25519Keyring::well_known().map(|who| (who.to_account_id(), ENDOWMENT)).collect(),
		founders: validators
			.iter()
			.map(|(account, finality)| Founder::from_keyring(*account, *finality))
			.collect(),
		council: [Sr25519Keyring::Alice, Sr25519Keyring::Bob, Sr25519Keyring::Charlie]
			.map(|member| member.to_account_id())
			.to_vec(),
		sudo: Some(Sr25519Keyring::Alice.to_account_id()),
		classes: vec![reference_cpu(), nvidia_h200()],
		timing,
	})
}

/// A validator of the first session.
struct Founder {
	account: AccountId,
	keys: SessionKeys,
}

impl Founder {
	fn from_keyring(validator: Sr25519Keyring, finality: Ed25519Keyring) -> Self {
		Self {
			account: validator.to_account_id(),
			keys: SessionKeys {
				grandpa: finality.public().into(),
				babe: validator.public().into(),
				authority_discovery: validator.public().into(),
			},
		}
	}

	/// Keys that are hashes, so that their secrets exist nowhere.
	fn placeholder() -> Self {
		let nobody = |role: &str| {
			blake2_256(&[b"millrace testnet: replace this validator's ", role.as_bytes()].concat())
		};
		Self {
			account: nobody("account").into(),
			keys: SessionKeys {
				grandpa: ed25519::Public::from_raw(nobody("grandpa key")).into(),
				babe: sr25519::Public::from_raw(nobody("babe key")).into(),
				authority_discovery: sr25519::Public::from_raw(nobody("authority discovery key")).into(),
			},
		}
	}
}

/// What sets one chain apart from another.
struct Start {
	endowed: Vec<(AccountId, Balance)>,
	founders: Vec<Founder>,
	council: Vec<AccountId>,
	sudo: Option<AccountId>,
	classes: Vec<GpuClass<Balance>>,
	timing: ChainTiming,
}

fn patch(start: Start) -> Value {
	let Start { mut endowed, founders, council, sudo, classes, timing } = start;
	// With the existential deposit from the start, the sinks of fees and slashes can take any amount, however small.
	endowed.push((TreasuryAccount::get(), EXISTENTIAL_DEPOSIT));
	endowed.push((PublicGoodsAccount::get(), EXISTENTIAL_DEPOSIT));
	endowed.push((InsuranceAccount::get(), EXISTENTIAL_DEPOSIT));
	let validators = founders.len() as u32;
	let stakers = founders
		.iter()
		.map(|founder| (founder.account.clone(), founder.account.clone(), STAKE, StakerStatus::Validator))
		.collect::<Vec<_>>();
	let keys = founders
		.into_iter()
		.map(|founder| (founder.account.clone(), founder.account, founder.keys))
		.collect::<Vec<_>>();

	build_struct_json_patch!(RuntimeGenesisConfig {
		timing: TimingConfig { timing },
		balances: BalancesConfig { balances: endowed },
		babe: BabeConfig { epoch_config: EPOCH_CONFIG },
		staking: StakingConfig {
			validator_count: validators,
			minimum_validator_count: 1,
			slash_reward_fraction: Perbill::from_percent(10),
			min_validator_bond: MIN_VALIDATOR_BOND,
			min_nominator_bond: MIN_NOMINATOR_BOND,
			max_validator_count: Some(MAX_VALIDATORS),
			max_nominator_count: Some(MAX_VOTERS - MAX_VALIDATORS),
			stakers,
		},
		session: SessionConfig { keys },
		council: CouncilConfig { members: council },
		sudo: SudoConfig { key: sudo },
		providers: ProvidersConfig { classes },
	})
}

/// A CPU that interprets kernels, to try everything without a GPU.
fn reference_cpu() -> GpuClass<Balance> {
	class(AcceleratorKind::Reference, "Millrace", "Reference CPU", 4_096, 1)
}

/// An example of a GPU class; the council adds the others.
fn nvidia_h200() -> GpuClass<Balance> {
	class(AcceleratorKind::Cuda, "NVIDIA", "H200", 143_771, 1_000)
}

fn class(
	kind: AcceleratorKind,
	vendor: &str,
	model: &str,
	memory_mib: u32,
	unit_weight: u32,
) -> GpuClass<Balance> {
	GpuClass {
		kind,
		vendor: BoundedVec::truncate_from(vendor.as_bytes().to_vec()),
		model: BoundedVec::truncate_from(model.as_bytes().to_vec()),
		memory_mib,
		min_bond: CLASS_BOND,
		unit_weight,
	}
}
