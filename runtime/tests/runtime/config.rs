//! Relations between parameters that no single configuration can see.

use crate::chain::preset_state;
use codec::MaxEncodedLen;
use frame_support::{
	dispatch::DispatchClass,
	traits::{Get, IntegrityTest, StorageInfoTrait},
};
use millrace_runtime::{
	configs::{
		bounds,
		consensus::{
			BondingDuration, SessionKeyDeposit, SlashDeferDuration, MAX_NOMINATIONS, MAX_VALIDATORS,
			MAX_VOTERS,
		},
		delegation::AllowanceDeposit,
		market::AgendaWeight,
		money::ExistentialDeposit,
		system::RuntimeBlockWeights,
	},
	constants::{deposit, DECIMALS, MILL, SS58_PREFIX},
	AllPalletsWithSystem, Runtime, VERSION,
};
use sp_runtime::{Perbill, Permill};

const PRESETS: [&str; 3] = ["development", "local_testnet", "testnet"];
const DAY_MS: u64 = 24 * 3_600 * 1_000;

#[test]
fn every_pallet_accepts_its_configuration_on_every_preset() {
	for name in PRESETS {
		preset_state(name).execute_with(AllPalletsWithSystem::integrity_test);
	}
}

#[test]
fn identity_of_the_chain() {
	assert_eq!((VERSION.spec_name.as_ref(), VERSION.impl_name.as_ref()), ("millrace", "millrace-node"));
	assert_eq!(MILL, 10u128.pow(DECIMALS.into()));
	assert_eq!(<Runtime as frame_system::Config>::SS58Prefix::get(), SS58_PREFIX);
	assert_eq!(ExistentialDeposit::get(), MILL / 1_000);
}

#[test]
fn validators_stay_bonded_for_two_weeks_and_longer_than_slashes_wait() {
	preset_state("testnet").execute_with(|| {
		let timing = pallet_timing::Timing::<Runtime>::get();
		let session_ms = u64::from(timing.session_slots) * timing.slot_ms;
		let era_ms = u64::from(timing.sessions_per_era) * session_ms;
		assert_eq!(u64::from(BondingDuration::get()) * era_ms, 14 * DAY_MS);
	});
	assert!(SlashDeferDuration::get() < BondingDuration::get());
}

#[test]
fn providers_stay_bonded_longer_than_any_fault_can_be_found() {
	for name in PRESETS {
		preset_state(name).execute_with(|| {
			let timing = pallet_timing::Timing::<Runtime>::get();
			let unbonding = <Runtime as pallet_providers::Config>::UnbondingPeriod::get();
			let suspended = <Runtime as pallet_leases::Config>::SuspendedFor::get();
			let contest = <Runtime as pallet_settlement::Config>::ContestWindow::get();
			let verdict = <Runtime as pallet_settlement::Config>::VerdictWithin::get();
			let deferral = <Runtime as pallet_slashing::Config>::SlashDeferral::get();
			assert!(unbonding > timing.absence_ms() + suspended + contest + deferral + verdict, "{name}");
			assert!(unbonding > <Runtime as pallet_leases::Config>::ReadyWithin::get(), "{name}");
		});
	}
}

#[test]
fn each_timed_parameter_is_the_one_it_says() {
	preset_state("development").execute_with(|| {
		assert_eq!(<Runtime as pallet_babe::Config>::EpochDuration::get(), 60);
		assert_eq!(<Runtime as pallet_babe::Config>::ExpectedBlockTime::get(), 1_000);
		assert_eq!(<Runtime as pallet_timestamp::Config>::MinimumPeriod::get(), 500);
		assert_eq!(<Runtime as pallet_staking::Config>::SessionsPerEra::get(), 3);
		assert_eq!(<Runtime as pallet_attestation::Config>::LeasedEpoch::get(), 5);
		assert_eq!(<Runtime as pallet_attestation::Config>::IdleEpoch::get(), 20);
		assert_eq!(<Runtime as pallet_attestation::Config>::GraceEpochs::get(), 1);
		assert_eq!(<Runtime as pallet_leases::Config>::MinTerm::get(), 5_000);
		assert_eq!(<Runtime as pallet_leases::Config>::MaxTerm::get(), 365 * DAY_MS);
		assert_eq!(<Runtime as pallet_leases::Config>::MaxAskLifetime::get(), 30 * DAY_MS);
		assert_eq!(<Runtime as pallet_leases::Config>::ReadyWithin::get(), 60_000);
		assert_eq!(<Runtime as pallet_leases::Config>::SuspendedFor::get(), 60_000);
		assert_eq!(<Runtime as pallet_leases::Config>::FinalReportWithin::get(), 10_000);
		assert_eq!(<Runtime as pallet_leases::Config>::MaxOrderLifetime::get(), 30 * DAY_MS);
		assert_eq!(<Runtime as pallet_leases::Config>::MaxAuctionBlocks::get(), 14_400);
		assert_eq!(<Runtime as pallet_leases::Config>::MinReclaimNotice::get(), 5_000);
		assert_eq!(<Runtime as pallet_leases::Config>::MaxReclaimNotice::get(), 30 * DAY_MS);
		assert_eq!(<Runtime as pallet_leases::Config>::FailoverWithin::get(), 120_000);
		assert_eq!(<Runtime as pallet_leases::Config>::AcceptanceWindow::get(), 15_000);
		assert_eq!(<Runtime as pallet_leases::Config>::FrozenGrace::get(), 15_000);
		assert_eq!(<Runtime as pallet_leases::Config>::LowBalanceWarning::get(), 20_000);
		assert_eq!(<Runtime as pallet_settlement::Config>::ContestWindow::get(), 20_000);
		assert_eq!(<Runtime as pallet_settlement::Config>::VerdictWithin::get(), 600_000);
		assert_eq!(<Runtime as pallet_providers::Config>::UnbondingPeriod::get(), 800_000);
		assert_eq!(<Runtime as pallet_providers::Config>::EraDuration::get(), 180_000);
		assert_eq!(<Runtime as pallet_slashing::Config>::SlashDeferral::get(), 60_000);
		assert_eq!(<Runtime as pallet_slashing::Config>::VerdictWithin::get(), 600_000);
		assert_eq!(<Runtime as pallet_fault_clock::Config>::EpochLength::get(), 5);
		assert_eq!(<Runtime as pallet_leases::Config>::EpochDuration::get(), 5_000);
		// An equivocation can be reported as long as the validator is bonded: 56 eras of 3 sessions of 60 slots.
		assert_eq!(<Runtime as pallet_grandpa::Config>::MaxSetIdSessionEntries::get(), 56 * 3);
		assert_eq!(millrace_runtime::configs::consensus::ReportLongevity::get(), 56 * 3 * 60);
	});
}

#[test]
fn hooks_of_the_market_leave_room_for_transactions() {
	let weights = RuntimeBlockWeights::get();
	let both_agendas = AgendaWeight::get().saturating_mul(2);
	let normal = weights.get(DispatchClass::Normal).max_total.unwrap();
	assert!(both_agendas.all_lte(normal), "the agendas alone could fill the ordinary share of a block");
	assert!(both_agendas.saturating_add(normal / 2).all_lte(weights.max_block));
}

#[test]
fn deposits_cover_the_existential_deposit() {
	// A hold below the existential deposit could not stand alone in an account. Governance cannot set any of them lower.
	for amount in [
		bounds::AskDeposit::LEAST,
		bounds::OrderDeposit::LEAST,
		bounds::BidDeposit::LEAST,
		bounds::ContestBond::LEAST,
		bounds::AppealBond::LEAST,
		bounds::RegistrationDeposit::LEAST,
		AllowanceDeposit::get(),
		SessionKeyDeposit::get(),
		deposit(1, 0),
	] {
		assert!(amount >= ExistentialDeposit::get());
	}
}

#[test]
fn parameters_begin_with_the_documented_values_within_their_bounds() {
	fn of<T: PartialOrd + core::fmt::Debug>(value: T, expected: T, least: T, most: T) {
		assert_eq!(value, expected);
		assert!(least <= value && value <= most, "{value:?} is not between {least:?} and {most:?}");
	}
	macro_rules! check {
		($($name:ident: $expected:expr),* $(,)?) => {
			$(of(bounds::$name::get(), $expected, bounds::$name::LEAST, bounds::$name::MOST);)*
		};
	}
	preset_state("development").execute_with(|| {
		check!(
			FeeRate: Permill::from_percent(2),
			RegistrationDeposit: MILL,
			AskDeposit: MILL / 10,
			OrderDeposit: MILL / 10,
			BidDeposit: MILL / 100,
			ContestBond: MILL,
			AppealBond: MILL / 100,
			DowntimeRate: Perbill::from_rational(2u32, 10_000),
			EraSlashCap: Permill::from_percent(10),
			EpisodeCap: Permill::from_percent(50),
			InsuranceShare: Permill::from_percent(20),
			AppealBondShare: Permill::from_percent(10),
			MaxLag: 20,
			OutageShare: Permill::from_percent(25),
			RewardPerUnit: 0,
			EraBudget: 100 * MILL,
		);
	});
}

/// What the parameters' bounds must satisfy together, whatever is voted.
#[test]
fn parameters_fit_together_at_every_bound() {
	// The dearest part of an episode, walking out, fits into its limit.
	assert!(bounds::EpisodeCap::LEAST >= Permill::from_percent(20));
	// A slash is never switched off by the limit of an era, and never takes all in one.
	assert!(bounds::EraSlashCap::LEAST > Permill::zero() && bounds::EraSlashCap::MOST < Permill::one());
	// What counts as a mass outage is neither everything nor nothing.
	assert!(bounds::OutageShare::LEAST > Permill::zero() && bounds::OutageShare::MOST < Permill::one());
	// An appeal costs something, and less than the slash.
	assert!(
		bounds::AppealBondShare::LEAST > Permill::zero() && bounds::AppealBondShare::MOST < Permill::one()
	);
	// The clock stops after some epochs of silence, not after each late block.
	const { assert!(bounds::MaxLag::LEAST >= 10) };
}

#[test]
fn a_deposit_of_an_allowance_covers_its_record() {
	// One entry for the record, one for the owner's number, each with a hashed key of two or one accounts.
	let record = pallet_allowances::Allowance::max_encoded_len() + 2 * (16 + 32);
	let number = 4 + 16 + 32;
	assert!(AllowanceDeposit::get() >= deposit(2, (record + number) as u32));
}

#[test]
fn elections_are_bounded() {
	const { assert!(MAX_VALIDATORS <= MAX_VOTERS, "every validator votes for itself") };
	const { assert!(MAX_NOMINATIONS >= 1) };
}

#[test]
fn every_storage_item_is_bounded_but_those_that_the_sdk_leaves_open() {
	let open: std::collections::BTreeSet<String> = AllPalletsWithSystem::storage_info()
		.into_iter()
		.filter(|item| item.max_size.is_none())
		.map(|item| String::from_utf8(item.pallet_name).unwrap())
		.collect();
	for ours in [
		"Timing",
		"Providers",
		"Settlement",
		"Leases",
		"Attestation",
		"Allowances",
		"FaultClock",
		"Slashing",
		"Rewards",
	] {
		assert!(!open.contains(ours), "{ours} has a storage item without a bound");
	}
}
