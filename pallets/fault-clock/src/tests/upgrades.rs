//! Providers have time to follow a runtime upgrade.

use crate::{mock::*, weights::WeightInfo, CurrentRecess, Event, Recess};
use frame_support::traits::Hooks;
use millrace_primitives::{Excuse, Judgement};

#[test]
fn nothing_counts_for_two_epochs_after_an_upgrade() {
	build_and_execute(|| {
		run_to(39);
		// The hook runs while the current block is still the one before.
		assert_eq!(Clock::on_runtime_upgrade(), <() as WeightInfo>::on_runtime_upgrade());
		next_block();
		let until = 40 + RECOVERY;
		assert_eq!(CurrentRecess::<Test>::get(), Some(Recess { excuse: Excuse::RuntimeUpgrade, until }));
		assert!(!Clock::is_running());
		assert_eq!(
			events(),
			vec![Event::ClockStopped { excuse: Excuse::RuntimeUpgrade, until: Some(until) }]
		);
		run_to(until - 1);
		assert!(!Clock::is_running());
		next_block();
		assert!(Clock::is_running());
		assert_eq!(events(), vec![Event::ClockResumed { stopped_ms: u64::from(RECOVERY) * SLOT }]);
		// Nothing is excused that was found before the upgrade's own block.
		assert_eq!(judge(3, [ALICE]), [Judgement::Counts]);
		assert_eq!(judge(4, [ALICE]), excused(Excuse::RuntimeUpgrade));
		assert_eq!(judge(5, [ALICE]), excused(Excuse::RuntimeUpgrade));
		assert_eq!(judge(6, [ALICE]), [Judgement::Counts]);
	});
}
