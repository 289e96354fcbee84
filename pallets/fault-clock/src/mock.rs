//! A runtime of time and this pallet.

use crate::{Event, Pallet};
use frame_support::{
	derive_impl, parameter_types,
	traits::Hooks,
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	Balance, BlockNumber, Excuse, FaultCensus as _, FaultClock as _, FaultEpoch, Judgement, Moment,
};
use sp_runtime::{BuildStorage, Permill};

pub(crate) type AccountId = u64;

/// Time of the first block.
pub(crate) const START: Moment = 1_000_000;
/// Length of a slot.
pub(crate) const SLOT: u64 = 1_000;
/// Length of an epoch, in blocks, unless a test sets another.
pub(crate) const LENGTH: u32 = 10;
/// Slots that may stay empty, and age of the finalised block that a report may see.
pub(crate) const MAX_LAG: u32 = 20;
/// Length of a recess, in blocks, unless a test sets another length of epochs.
pub(crate) const RECOVERY: u32 = 2 * LENGTH;

/// Owners. The whale is an owner like the others.
pub(crate) const WHALE: AccountId = 1;
pub(crate) const ALICE: AccountId = 2;
pub(crate) const BOB: AccountId = 3;
pub(crate) const GROUP: AccountId = 4;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Clock = crate;
}

type Block = frame_system::mocking::MockBlock<Test>;

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
}

#[derive_impl(pallet_timestamp::config_preludes::TestDefaultConfig)]
impl pallet_timestamp::Config for Test {}

parameter_types! {
	pub static EpochLength: u32 = LENGTH;
	pub const SlotDuration: u64 = SLOT;
	pub const MaxLag: u32 = MAX_LAG;
	pub static OutageShare: Permill = Permill::from_percent(25);
}

impl crate::Config for Test {
	type Time = Timestamp;
	type EpochLength = EpochLength;
	type SlotDuration = SlotDuration;
	type MaxLag = MaxLag;
	type OutageShare = OutageShare;
	type WeightInfo = ();
	#[cfg(feature = "runtime-benchmarks")]
	type BenchmarkHelper = SetTime;
}

/// Sets the time for the benchmarks.
#[cfg(feature = "runtime-benchmarks")]
pub struct SetTime;
#[cfg(feature = "runtime-benchmarks")]
impl crate::BenchmarkHelper for SetTime {
	fn set_time(now: Moment) {
		Timestamp::set_timestamp(now);
	}
}

/// A chain in its genesis.
pub(crate) fn new_test_ext() -> sp_io::TestExternalities {
	// What a test has set stays in its thread.
	EpochLength::set(LENGTH);
	OutageShare::set(Permill::from_percent(25));
	RuntimeGenesisConfig::default().build_storage().unwrap().into()
}

/// Runs a test on a fresh chain, from its first block, and checks the invariants at its end.
pub(crate) fn build_and_execute(test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		begin();
		test();
		Pallet::<Test>::do_try_state().unwrap();
	});
}

/// Runs a test that leaves the storage corrupt, and expects the named invariant to notice.
#[track_caller]
pub(crate) fn build_and_break(invariant: &str, test: impl FnOnce()) {
	new_test_ext().execute_with(|| {
		begin();
		test();
		let error = Pallet::<Test>::do_try_state().expect_err("a corrupt storage passed");
		let message = format!("{error:?}");
		assert!(message.contains(invariant), "expected invariant {invariant:?}, got {message}");
	});
}

/// The first block.
fn begin() {
	Timestamp::set_timestamp(START - SLOT);
	next_block();
}

pub(crate) fn block() -> BlockNumber {
	System::block_number() as u32
}

/// One block, one slot later.
pub(crate) fn next_block() {
	next_block_after(SLOT);
}

/// One block, so many milliseconds later.
pub(crate) fn next_block_after(ms: u64) {
	begin_block(ms);
	poll(Weight::MAX);
}

/// One block, one slot later, that has no weight for an observation.
pub(crate) fn next_busy_block() {
	begin_block(SLOT);
	poll(Weight::zero());
}

/// One block that has not been observed yet.
pub(crate) fn begin_block(ms: u64) {
	System::set_block_number(System::block_number() + 1);
	Timestamp::set_timestamp(Timestamp::get() + ms);
}

/// The block's hook. Returns the weight that it took.
pub(crate) fn poll(limit: Weight) -> Weight {
	let mut meter = WeightMeter::with_limit(limit);
	Clock::on_poll(System::block_number(), &mut meter);
	meter.consumed()
}

/// Runs to a block that is to come.
pub(crate) fn run_to(block: BlockNumber) {
	while self::block() < block {
		next_block();
	}
}

/// Runs to the first block of an epoch.
pub(crate) fn run_to_epoch(epoch: FaultEpoch) {
	run_to(epoch * EpochLength::get());
}

/// Runs until an epoch can be judged, from this one on, and says so as attestation does.
pub(crate) fn search(epoch: FaultEpoch) {
	run_to_epoch(epoch + 2);
	Clock::note_searched_until(block() + 1);
}

/// Somebody who serves everything.
pub(crate) fn report(bonded: Balance) {
	Clock::note_report(bonded, 0);
}

/// Nodes whose provider does not report.
pub(crate) fn dark(owner: AccountId, bonded: Balance) {
	Clock::note_miss(&owner, bonded, false);
}

/// What is made of what these owners missed in an epoch. It is searched first.
pub(crate) fn judge<const N: usize>(epoch: FaultEpoch, owners: [AccountId; N]) -> [Judgement; N] {
	search(epoch);
	owners.map(|owner| Clock::judge(epoch, epoch, &owner))
}

/// Judgements of a miss of Alice that are excused.
pub(crate) fn excused(excuse: Excuse) -> [Judgement; 1] {
	[Judgement::Excused(excuse)]
}

/// The pallet's events since the last call, oldest first.
pub(crate) fn events() -> Vec<Event<Test>> {
	let events = System::read_events_for_pallet::<Event<Test>>();
	System::reset_events();
	events
}
