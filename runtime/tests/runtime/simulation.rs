//! The fault model in small: nobody is slashed for what was nobody's fault, and whoever fails alone is.

use crate::fault_model::{simulate, Outcome, Scenario, Setup};

/// Production's relations on a grid ten times as coarse, two days.
const SMALL: Setup = Setup { providers: 60, hours: 48, seed: 1, grid: 10 };

fn outcome(scenario: Scenario) -> Outcome {
	simulate(SMALL, scenario, |_| ())
}

fn assert_adds_up(outcome: &Outcome) {
	let Outcome { executed, to_renters, to_insurance, to_treasury, .. } = outcome;
	assert_eq!(*executed, to_renters + to_insurance + to_treasury);
	assert_eq!(outcome.detected, outcome.returned + outcome.executed + outcome.held);
	assert!(outcome.leases > 0);
}

#[test]
fn common_causes_are_nobodys_fault() {
	for scenario in [Scenario::Region, Scenario::Stall, Scenario::Bug, Scenario::Lag, Scenario::Pause] {
		let outcome = outcome(scenario);
		assert!(outcome.common_faults > 0);
		assert_eq!((outcome.wrong_slashes, outcome.wrong), (0, 0), "{scenario:?}: {:#?}", outcome.wrongs);
		// There is no other fault, so that everything that was held is returned.
		assert_eq!((outcome.executed, outcome.held), (0, 0), "{scenario:?}");
		assert_adds_up(&outcome);
	}
}

#[test]
fn who_fails_alone_pays() {
	let outcome = outcome(Scenario::Independent);
	assert!(outcome.punished > 0 && outcome.detected > 0);
	assert_eq!((outcome.unpunished, outcome.wrong_slashes), (0, 0), "{:#?}", outcome.wrongs);
	assert_adds_up(&outcome);
}

#[test]
fn an_outage_below_the_breaker_is_each_ones_own() {
	let outcome = outcome(Scenario::SmallRegion);
	assert!(outcome.held + outcome.executed > 0);
	assert_eq!(outcome.returned, 0);
	assert_adds_up(&outcome);
}

#[test]
fn everything_at_once_adds_up_and_is_the_same_each_time() {
	let (one, other) = (outcome(Scenario::Everything), outcome(Scenario::Everything));
	assert!(one.detected > 0 && one.returned > 0);
	assert_adds_up(&one);
	assert_eq!(format!("{one:?}"), format!("{other:?}"));
}
