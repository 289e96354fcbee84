//! The genesis writes what it is given, refuses what does not fit together, and each adapter reads its own field.

use crate::{getters, ChainTiming, Timing as StoredTiming};
use frame_support::{assert_ok, derive_impl, traits::Get};
use sp_runtime::BuildStorage;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timing = crate;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = frame_system::mocking::MockBlock<Test>;
}

impl crate::Config for Test {}

fn with_genesis(timing: ChainTiming, test: impl FnOnce()) {
	let genesis = RuntimeGenesisConfig {
		timing: crate::GenesisConfig { timing, ..Default::default() },
		..Default::default()
	};
	sp_io::TestExternalities::new(genesis.build_storage().unwrap()).execute_with(|| {
		test();
		assert_ok!(crate::Pallet::<Test>::do_try_state());
	});
}

/// No two fields are alike, so that an adapter that reads the wrong one is seen.
fn distinct() -> ChainTiming {
	ChainTiming {
		slot_ms: 2_000,
		session_slots: 61,
		sessions_per_era: 4,
		leased_epoch_blocks: 7,
		idle_epoch_blocks: 28,
		grace_epochs: 2,
		ready_within_ms: 61_000,
		suspended_for_ms: 62_000,
		min_term_ms: 5_000,
		max_term_ms: 900_000,
		max_ask_lifetime_ms: 800_000,
		max_order_lifetime_ms: 801_000,
		max_auction_blocks: 300,
		min_reclaim_notice_ms: 6_000,
		max_reclaim_notice_ms: 802_000,
		failover_within_ms: 63_000,
		frozen_grace_ms: 7_000,
		low_balance_warning_ms: 8_000,
		acceptance_window_ms: 9_000,
		contest_window_ms: 10_000,
		verdict_within_ms: 64_000,
		slash_deferral_ms: 71_000,
		unbonding_ms: 700_000,
		reference_classes_allowed: true,
	}
}

#[test]
fn genesis_is_stored() {
	with_genesis(distinct(), || assert_eq!(StoredTiming::<Test>::get(), distinct()));
}

#[test]
fn each_adapter_reads_its_own_field() {
	with_genesis(distinct(), || {
		assert_eq!(getters::SlotMs::<Test>::get(), 2_000);
		assert_eq!(getters::MinimumPeriod::<Test>::get(), 1_000);
		assert_eq!(getters::SessionSlots::<Test>::get(), 61);
		assert_eq!(getters::SessionsPerEra::<Test>::get(), 4);
		assert_eq!(getters::LeasedEpoch::<Test>::get(), 7);
		assert_eq!(getters::IdleEpoch::<Test>::get(), 28);
		assert_eq!(getters::GraceEpochs::<Test>::get(), 2);
		assert_eq!(getters::AbsenceWindow::<Test>::get(), 42_000);
		assert_eq!(getters::ReadyWithin::<Test>::get(), 61_000);
		assert_eq!(getters::SuspendedFor::<Test>::get(), 62_000);
		assert_eq!(getters::MinTerm::<Test>::get(), 5_000);
		assert_eq!(getters::MaxTerm::<Test>::get(), 900_000);
		assert_eq!(getters::MaxAskLifetime::<Test>::get(), 800_000);
		assert_eq!(getters::MaxOrderLifetime::<Test>::get(), 801_000);
		assert_eq!(getters::MaxAuctionBlocks::<Test>::get(), 300);
		assert_eq!(getters::MinReclaimNotice::<Test>::get(), 6_000);
		assert_eq!(getters::MaxReclaimNotice::<Test>::get(), 802_000);
		assert_eq!(getters::FailoverWithin::<Test>::get(), 63_000);
		assert_eq!(getters::FrozenGrace::<Test>::get(), 7_000);
		assert_eq!(getters::LowBalanceWarning::<Test>::get(), 8_000);
		assert_eq!(getters::AcceptanceWindow::<Test>::get(), 9_000);
		assert_eq!(getters::ContestWindow::<Test>::get(), 10_000);
		assert_eq!(getters::VerdictWindow::<Test>::get(), 64_000);
		assert_eq!(getters::SlashDeferral::<Test>::get(), 71_000);
		assert_eq!(getters::EpochMs::<Test>::get(), 14_000);
		assert_eq!(getters::JudgedWithin::<Test>::get(), 28);
		assert_eq!(getters::EraMs::<Test>::get(), 61 * 4 * 2_000);
		assert_eq!(getters::UnbondingPeriod::<Test>::get(), 700_000);
		assert!(getters::ReferenceClassesAllowed::<Test>::get());
	});
}

#[test]
fn a_chain_without_a_genesis_value_has_the_production_timing() {
	sp_io::TestExternalities::default().execute_with(|| {
		let timing = StoredTiming::<Test>::get();
		assert_eq!(timing, ChainTiming::default());
		assert_eq!((timing.slot_ms, timing.session_slots, timing.unbonding_ms), (6_000, 600, 1_209_600_000));
		assert!(!timing.reference_classes_allowed);
		assert_ok!(timing.check());
	});
}

#[test]
fn absence_is_one_epoch_plus_grace() {
	assert_eq!(distinct().absence_ms(), 7 * 3 * 2_000);
}

/// A millisecond more than ten years.
const LONG: u64 = 3_660 * 86_400_000 + 1;

#[test]
fn each_broken_relation_is_named() {
	type Change = fn(&mut ChainTiming);
	let cases: [(&str, Change); 42] = [
		("slotMs is below 500", |t| t.slot_ms = 498),
		("slotMs is above one minute", |t| t.slot_ms = 60_002),
		("slotMs is odd", |t| t.slot_ms = 1_001),
		("sessionSlots is below 5", |t| t.session_slots = 4),
		("sessionSlots is above", |t| t.session_slots = 100_001),
		("sessionsPerEra is zero", |t| t.sessions_per_era = 0),
		("sessionsPerEra is above", |t| t.sessions_per_era = 101),
		("leasedEpochBlocks is below 2", |t| t.leased_epoch_blocks = 1),
		("idleEpochBlocks is below", |t| t.idle_epoch_blocks = 6),
		("idleEpochBlocks is not a multiple", |t| t.idle_epoch_blocks = 29),
		("idleEpochBlocks is above", |t| t.idle_epoch_blocks = 7 * 20_000),
		("graceEpochs is zero", |t| t.grace_epochs = 0),
		("graceEpochs is above", |t| t.grace_epochs = 101),
		("readyWithinMs is shorter", |t| t.ready_within_ms = 13_999),
		("suspendedForMs is shorter", |t| t.suspended_for_ms = 13_999),
		("failoverWithinMs is shorter", |t| t.failover_within_ms = 13_999),
		("failoverWithinMs is above", |t| t.failover_within_ms = LONG),
		("minTermMs is zero", |t| t.min_term_ms = 0),
		("maxTermMs is below", |t| t.max_term_ms = 4_999),
		("maxTermMs is above", |t| t.max_term_ms = LONG),
		("maxAskLifetimeMs is shorter", |t| t.max_ask_lifetime_ms = 1_999),
		("maxAskLifetimeMs is above", |t| t.max_ask_lifetime_ms = LONG),
		("maxOrderLifetimeMs is shorter", |t| t.max_order_lifetime_ms = 1_999),
		("maxOrderLifetimeMs is above", |t| t.max_order_lifetime_ms = LONG),
		("maxAuctionBlocks is zero", |t| t.max_auction_blocks = 0),
		("maxAuctionBlocks is longer", |t| t.max_auction_blocks = 401),
		("maxReclaimNoticeMs is below", |t| t.min_reclaim_notice_ms = 802_001),
		("maxReclaimNoticeMs is above", |t| t.max_reclaim_notice_ms = LONG),
		("frozenGraceMs is zero", |t| t.frozen_grace_ms = 0),
		("frozenGraceMs is above", |t| t.frozen_grace_ms = LONG),
		("lowBalanceWarningMs is zero", |t| t.low_balance_warning_ms = 0),
		("lowBalanceWarningMs is above", |t| t.low_balance_warning_ms = LONG),
		("acceptanceWindowMs is zero", |t| t.acceptance_window_ms = 0),
		("acceptanceWindowMs is not shorter", |t| t.acceptance_window_ms = 10_000),
		("verdictWithinMs is zero", |t| t.verdict_within_ms = 0),
		("unbondingMs is not longer than absence", |t| {
			t.unbonding_ms = 42_000 + 62_000 + 10_000 + 71_000 + 64_000
		}),
		("unbondingMs is not longer than absence", |t| t.verdict_within_ms = u64::MAX),
		("unbondingMs is not longer than absence", |t| t.contest_window_ms = u64::MAX),
		("unbondingMs is not longer than absence", |t| t.slash_deferral_ms = u64::MAX),
		("slashDeferralMs is shorter", |t| t.slash_deferral_ms = 69_999),
		("unbondingMs is not longer than readyWithinMs", |t| t.ready_within_ms = 700_000),
		("unbondingMs is above", |t| t.unbonding_ms = LONG),
	];
	assert_ok!(distinct().check());
	for (expected, change) in cases {
		let mut timing = distinct();
		change(&mut timing);
		let problem = timing.check().expect_err(expected);
		assert!(problem.starts_with(expected), "expected `{expected}`, got `{problem}`");
	}
}

#[test]
#[should_panic(expected = "the genesis' timing cannot be used: slotMs is odd")]
fn a_genesis_that_does_not_fit_together_is_refused() {
	with_genesis(ChainTiming { slot_ms: 1_001, ..distinct() }, || {});
}

#[test]
fn a_corrupt_record_is_found() {
	sp_io::TestExternalities::default().execute_with(|| {
		StoredTiming::<Test>::put(ChainTiming { grace_epochs: 0, ..distinct() });
		let problem = crate::Pallet::<Test>::do_try_state().unwrap_err();
		assert!(format!("{problem:?}").contains("graceEpochs is zero"), "{problem:?}");
	});
}

#[test]
fn json_names_are_camel_case_and_unknown_ones_are_refused() {
	let timing: ChainTiming =
		serde_json::from_str(r#"{"slotMs":1000,"referenceClassesAllowed":true}"#).unwrap();
	assert_eq!(timing, ChainTiming { slot_ms: 1_000, reference_classes_allowed: true, ..Default::default() });
	assert!(serde_json::from_str::<ChainTiming>(r#"{"slot_ms":1000}"#).is_err());
}
