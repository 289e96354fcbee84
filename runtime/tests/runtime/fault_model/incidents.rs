//! Who fails when, and why.

use super::{Dice, Machine, Scenario, Simulation, BETWEEN_FAULTS, DAY, HOUR, MINUTE};
use frame_support::assert_ok;
use millrace_primitives::{GpuIndex, Moment, ProviderInspect};
use millrace_runtime::{AccountId, Balance, Leases, Providers, RuntimeOrigin};

/// Why a provider does not serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Cause {
	/// Its own fault: it is dark.
	Own,
	/// Its own fault: one of its GPUs is gone.
	Gpu(GpuIndex),
	Region,
	/// Many at once, but fewer than the breaker asks for: by the rule each one's own fault.
	SmallRegion,
	Stall,
	Bug,
	Lag,
	Pause,
}

impl Cause {
	/// Whether the rules mean the provider to pay for it.
	pub(super) fn is_own(self) -> bool {
		matches!(self, Self::Own | Self::Gpu(_) | Self::SmallRegion)
	}

	/// Whether it has nothing to do with any other provider's.
	pub(super) fn is_single(self) -> bool {
		matches!(self, Self::Own | Self::Gpu(_))
	}

	/// Whether no report comes in.
	pub(super) fn is_dark(self) -> bool {
		!matches!(self, Self::Gpu(_) | Self::Bug)
	}
}

/// A time for which a provider does not serve.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
	pub(super) from: Moment,
	pub(super) until: Moment,
	pub(super) cause: Cause,
	/// Whether it had something leased when its worker should have reported first; `None` if that time never came.
	pub(super) leased: Option<bool>,
}

impl Fault {
	pub(super) fn is_on(&self, now: Moment) -> bool {
		self.from <= now && now < self.until
	}

	pub(super) fn overlap(&self, from: Moment, until: Moment) -> Moment {
		self.until.min(until).saturating_sub(self.from.max(from))
	}
}

/// Common incidents, as times.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Incidents {
	pub(super) stalls: [Option<Moment>; 2],
	/// When, which share of what is leased in percent, and as what it counts.
	pub(super) regions: [Option<(Moment, u32, Cause)>; 2],
	pub(super) bug: Option<(Moment, Moment)>,
	pub(super) lag: Option<(Moment, Moment)>,
	pub(super) pause: Option<(Moment, Moment)>,
}

impl Simulation {
	/// Decides who fails when, and why.
	pub(super) fn plan(&mut self, start: Moment, end: Moment) {
		let (length, epoch) = (end - start, self.timing.epoch_ms());
		let at = |part: u64| start + length * part / 100;
		let scenario = self.scenario;
		let mut dice = Dice::new(self.setup.seed, 2);
		if scenario.has(Scenario::Independent) {
			for machine in &mut self.machines {
				plan_own_faults(machine, start, end, &mut dice);
			}
		}
		let mut dice = Dice::new(self.setup.seed, 3);
		for machine in &mut self.machines {
			let mut fail = |from: Moment, until: Moment, cause| {
				machine.faults.push(Fault { from, until, cause, leased: None });
			};
			// Back within two epochs, as whatever lets them come back.
			let late = dice.below(2 * epoch);
			if scenario.has(Scenario::Stall) {
				for from in [at(8), at(60)] {
					fail(from, from + 2 * HOUR + late, Cause::Stall);
				}
			}
			if scenario.has(Scenario::Lag) && dice.percent(20) {
				fail(at(70), at(70) + HOUR + late, Cause::Lag);
			}
			let pause = (at(80), at(80) + DAY.min(length / 8));
			if scenario.has(Scenario::Pause) && dice.percent(10) {
				let from = pause.0 + dice.below((pause.1 - pause.0) / 2);
				let until = from + dice.spread(10 * MINUTE, pause.1 - from + late);
				fail(from, until.max(from + MINUTE), Cause::Pause);
			}
		}
		if scenario.has(Scenario::Region) {
			self.incidents.regions[0] = Some((at(20), 30, Cause::Region));
		}
		if scenario.has(Scenario::SmallRegion) {
			self.incidents.regions[1] = Some((at(50), 10, Cause::SmallRegion));
		}
		if scenario.has(Scenario::Stall) {
			self.incidents.stalls = [Some(at(8)), Some(at(60))];
		}
		if scenario.has(Scenario::Bug) {
			self.incidents.bug = Some((at(35), at(35) + (40 * MINUTE).max(12 * epoch)));
			for machine in &mut self.machines {
				let (from, until) = (at(35), at(35) + (40 * MINUTE).max(12 * epoch));
				machine.faults.push(Fault { from, until, cause: Cause::Bug, leased: None });
			}
		}
		if scenario.has(Scenario::Lag) {
			self.incidents.lag = Some((at(70), at(70) + HOUR));
		}
		if scenario.has(Scenario::Pause) {
			self.incidents.pause = Some((at(80), at(80) + DAY.min(length / 8)));
		}
		let faults = || self.machines.iter().flat_map(|machine| &machine.faults);
		self.outcome.own_faults = faults().filter(|fault| fault.cause.is_single()).count() as u32;
		self.outcome.common_faults = faults().count() as u32 - self.outcome.own_faults;
	}

	/// A region goes dark: as many providers, one after the other, as have a share of what is leased now.
	pub(super) fn cut_off_regions(&mut self) {
		let now = self.now;
		for place in 0..self.incidents.regions.len() {
			let Some((_, share, cause)) = self.incidents.regions[place].filter(|(from, ..)| *from <= now)
			else {
				continue;
			};
			self.incidents.regions[place] = None;
			let bond = |machine: &Machine| {
				<Providers as ProviderInspect<AccountId, Balance>>::lease_bonds(&machine.owner)
			};
			let all: Balance = self.machines.iter().map(bond).sum();
			let mut cut_off = 0;
			for machine in &mut self.machines {
				if cut_off * 100 >= all * Balance::from(share) {
					break;
				}
				cut_off += bond(machine);
				machine.faults.push(Fault { from: now, until: now + 3 * HOUR, cause, leased: None });
				self.outcome.common_faults += 1;
			}
		}
	}

	pub(super) fn pause_or_resume(&mut self) {
		let Some((from, until)) = self.incidents.pause else { return };
		let should = (from..until).contains(&self.now);
		if should && !self.paused {
			assert_ok!(Leases::pause_market(RuntimeOrigin::root()));
		} else if !should && self.paused {
			assert_ok!(Leases::resume_market(RuntimeOrigin::root()));
		}
		self.paused = should;
	}
}

/// One fault after the other: dark for a while, or for good; or a GPU that is lost.
fn plan_own_faults(machine: &mut Machine, start: Moment, end: Moment, dice: &mut Dice) {
	let mut at = start + dice.wait(BETWEEN_FAULTS);
	while at < end {
		let length = dice.spread(5 * MINUTE, 8 * HOUR);
		let gpu = GpuIndex(dice.below(machine.gpus.into()) as u16);
		let (is_gpu, is_final) = (dice.percent(20), dice.percent(5));
		let cause = if is_gpu { Cause::Gpu(gpu) } else { Cause::Own };
		let until = if is_final && !is_gpu { Moment::MAX } else { at + length };
		machine.faults.push(Fault { from: at, until, cause, leased: None });
		if until == Moment::MAX {
			return;
		}
		at = until + dice.wait(BETWEEN_FAULTS);
	}
}
