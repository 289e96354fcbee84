//! Random lives: every invariant holds after each step, time is counted once, and what was judged stays judged.

use crate::{mock::*, CurrentRecess, OwnerMisses, Paused};
use frame_support::{hypothetically, traits::Hooks, weights::Weight};
use millrace_primitives::{
	Balance, Excuse, FaultCensus as _, FaultClock as _, FaultClockControl as _, FaultEpoch, Judgement,
};
use proptest::prelude::*;
use sp_runtime::Permill;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
	Blocks { count: u32, slots: u64, observed: bool },
	Upgrade,
	Report { bonded: Balance, lag: u32 },
	Miss { owner: AccountId, bonded: Balance, reported: bool },
	Searched { behind: u32 },
	Pause { paused: bool },
	Share { percent: u32 },
}

fn owners() -> impl Strategy<Value = AccountId> {
	prop_oneof![Just(WHALE), Just(ALICE), Just(GROUP)]
}

fn step() -> impl Strategy<Value = Step> {
	let slots = prop_oneof![20 => Just(1_u64), 1 => 15..30_u64];
	prop_oneof![
		8 => (1..6_u32, slots, prop::bool::weighted(0.8))
			.prop_map(|(count, slots, observed)| Step::Blocks { count, slots, observed }),
		1 => (50..150_u32).prop_map(|count| Step::Blocks { count, slots: 1, observed: true }),
		1 => Just(Step::Upgrade),
		8 => (0..100_u128, prop_oneof![6 => 0..3_u32, 1 => 15..30_u32])
			.prop_map(|(bonded, lag)| Step::Report { bonded, lag }),
		6 => (owners(), 0..60_u128, any::<bool>())
			.prop_map(|(owner, bonded, reported)| Step::Miss { owner, bonded, reported }),
		6 => prop_oneof![4 => Just(0), 1 => 0..20_u32].prop_map(|behind| Step::Searched { behind }),
		1 => any::<bool>().prop_map(|paused| Step::Pause { paused }),
		1 => (1..100_u32).prop_map(|percent| Step::Share { percent }),
	]
}

/// What the tests know beside the pallet.
#[derive(Default)]
struct Model {
	judged: BTreeMap<(FaultEpoch, AccountId), Judgement>,
	stopped_ms: u64,
	unobserved_ms: u64,
}

impl Model {
	fn begin_block(&mut self, slots: u64, observed: bool) {
		begin_block(slots * SLOT);
		self.unobserved_ms += slots * SLOT;
		poll(if observed { Weight::MAX } else { Weight::zero() });
		if observed {
			let elapsed = std::mem::take(&mut self.unobserved_ms);
			self.stopped_ms += if Clock::is_running() { 0 } else { elapsed };
		}
	}

	fn take(&mut self, step: &Step) {
		match *step {
			Step::Blocks { count, slots, observed } => {
				(0..count).for_each(|_| self.begin_block(slots, observed))
			}
			Step::Upgrade => {
				Clock::on_runtime_upgrade();
				self.begin_block(1, true);
				assert!(!Clock::is_running());
			}
			Step::Report { bonded, lag } => Clock::note_report(bonded, lag),
			Step::Miss { owner, bonded, reported } => Clock::note_miss(&owner, bonded, reported),
			Step::Searched { behind } => Clock::note_searched_until((block() + 1).saturating_sub(behind)),
			Step::Pause { paused } => Clock::set_paused(paused),
			Step::Share { percent } => OutageShare::set(Permill::from_percent(percent)),
		}
	}

	/// Everything that must be so after each step.
	fn check(&mut self) {
		Clock::do_try_state().unwrap();
		assert_eq!(Clock::stopped_ms(), self.stopped_ms, "time is stopped when the clock is");
		assert!(Clock::is_running() || Paused::<Test>::get() || CurrentRecess::<Test>::exists());
		let current = Clock::epoch();
		for epoch in current.saturating_sub(crate::KEPT_EPOCHS + 3)..=current + 1 {
			for owner in [WHALE, ALICE, GROUP] {
				let judgement = Clock::judge(epoch, epoch, &owner);
				assert!(judgement == Judgement::Open || epoch + 2 <= current, "judged before it was over");
				match self.judged.get(&(epoch, owner)) {
					Some(Judgement::Open) | None => {}
					Some(_) if judgement == Judgement::Excused(Excuse::TooOld) => {}
					Some(before) => assert_eq!(*before, judgement, "epoch {epoch}, {owner:?}"),
				}
				self.judged.insert((epoch, owner), judgement);
			}
		}
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

	#[test]
	fn what_was_judged_stays_judged(length in 1..5_u32, steps in prop::collection::vec(step(), 1..120)) {
		build_and_execute(|| {
			EpochLength::set(length);
			let mut model = Model::default();
			for step in steps {
				model.take(&step);
				model.check();
			}
			// Whatever happened, the clock runs again and everything can be judged.
			Clock::set_paused(false);
			for _ in 0..3 * length + 1 {
				next_block();
			}
			let last = Clock::epoch();
			search(last);
			assert!(Clock::is_running());
			assert_ne!(Clock::judge(last, last, &ALICE), Judgement::Open);
			events();
		});
	}

	/// However much more an owner had missed: what counts against it does not become a mass outage by that.
	#[test]
	fn nobody_is_its_own_excuse(
		reports in prop::collection::vec(0..100_u128, 3),
		misses in prop::collection::vec((owners(), 1..60_u128, any::<bool>()), 0..8),
		more in 1..1_000_000_u128,
		reported: bool,
	) {
		build_and_execute(|| {
			for (epoch, bonded) in reports.iter().enumerate() {
				run_to_epoch(epoch as u32);
				report(*bonded);
				for (at, (owner, bonded, reported)) in misses.iter().enumerate() {
					if at % 3 == epoch {
						Clock::note_miss(owner, *bonded, *reported);
					}
				}
			}
			let [before] = hypothetically!(judge(1, [ALICE]));
			// In its epoch and in the one after.
			Clock::note_miss(&ALICE, more, reported);
			let [after] = hypothetically!(judge(1, [ALICE]));
			assert_eq!(before, after);
			assert!(OwnerMisses::<Test>::contains_key(2, ALICE));
		});
	}
}
