//! A market that runs for days beside a seeded model of what goes wrong in it, and a ledger of what each fault was really
//! caused by.
//!
//! The pallets are the runtime's own: their hooks run in the runtime's order with the weight of a block, and everything else
//! happens through their calls. Left out are signatures, transactions' fees, and the consensus pallets: block number and time
//! are set by hand. The fault model never looks at what the pallets think; it knows why each provider is dark, and so whether
//! what was taken from it was taken rightly.

use crate::{
	chain::{check_invariants, preset_json, state_of, START},
	market::{ask, terms, REFERENCE},
};
use frame_support::{
	assert_ok,
	storage::{storage_prefix, unhashed, with_storage_layer},
	traits::OnPoll,
	weights::WeightMeter,
};
use millrace_primitives::{
	AskTerms, Failover, GpuHealth, GpuIndex, GpuState, Hash, LeaseId, LeaseInspect, LeaseUsage, Moment,
	OrderTerms, ProviderInspect, Report, SlashId, Term,
};
use millrace_runtime::{
	configs::system::RuntimeBlockWeights, constants::MILL, AccountId, Allowances, Attestation, Balance,
	Balances, FaultClock, Leases, Providers, Runtime, RuntimeEvent, RuntimeOrigin, Settlement, Slashing,
	System,
};
use pallet_timing::ChainTiming;
use serde_json::json;
use sp_runtime::{MultiAddress, Permill};
use std::collections::{BTreeMap, BTreeSet};

const MINUTE: Moment = 60_000;
const HOUR: Moment = 60 * MINUTE;
const DAY: Moment = 24 * HOUR;
/// Rent of a GPU for an hour of production's time, in plancks: the least bond is worth 500 hours.
const RENT: Balance = MILL / 5;
/// What each provider bonds for a GPU. A tenth more than it must, so that what is held for a fault does not keep it from
/// leasing all of its GPUs.
const BOND: Balance = 110 * MILL;
/// Share of the GPUs that renters want, in percent. The rest is where failover finds replacements.
const DEMAND: u64 = 85;
/// Mean time from one fault of a provider to its next.
const BETWEEN_FAULTS: Moment = 10 * DAY;
/// Faults that last for less are too short to be found for sure: one epoch and its grace, the next of the provider's epochs, and
/// the first whole epoch after that.
const SURELY_FOUND: u64 = 4;

/// What happens to the market.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Scenario {
	/// Providers fail on their own, one here and one there.
	Independent,
	/// A region with 30 % of what is leased, by bond, is dark for three hours.
	Region,
	/// A region with 10 % of it is: less than the breaker takes for a mass outage.
	SmallRegion,
	/// Twice, nobody makes a block for two hours. Workers are back within two epochs.
	Stall,
	/// After an update no worker attests any lease; the fix comes in 40 minutes, or twelve epochs if that is longer.
	Bug,
	/// Finality stands still for an hour, and a fifth of the workers fall silent with it.
	Lag,
	/// The council pauses the market for a day, and a tenth of the providers use the time to repair.
	Pause,
	/// All of it.
	Everything,
}

impl Scenario {
	/// All of them.
	pub(crate) const ALL: [Self; 8] = [
		Self::Independent,
		Self::Region,
		Self::SmallRegion,
		Self::Stall,
		Self::Bug,
		Self::Lag,
		Self::Pause,
		Self::Everything,
	];

	/// Its name in tables.
	pub(crate) fn name(self) -> &'static str {
		match self {
			Self::Independent => "independent",
			Self::Region => "region 30 %",
			Self::SmallRegion => "region 10 %",
			Self::Stall => "stall",
			Self::Bug => "client bug",
			Self::Lag => "finality lag",
			Self::Pause => "pause",
			Self::Everything => "everything",
		}
	}

	fn has(self, other: Self) -> bool {
		self == other || self == Self::Everything
	}
}

/// How large, how long, and by which dice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
	/// Providers with one to four GPUs each.
	pub(crate) providers: u32,
	/// Simulated time, in hours.
	pub(crate) hours: u64,
	/// Seed of everything random.
	pub(crate) seed: u64,
	/// How many times production's the slot is, and with it everything that is counted in epochs or compared with them: from 1 to
	/// 10, as no slot is above a minute.
	pub(crate) grid: u64,
}

impl Setup {
	/// Production's timing on this grid. Deferral, verdict and unbonding stay what they are.
	fn timing(&self) -> ChainTiming {
		let production = ChainTiming::default();
		ChainTiming {
			slot_ms: production.slot_ms * self.grid,
			ready_within_ms: production.ready_within_ms * self.grid,
			suspended_for_ms: production.suspended_for_ms * self.grid,
			min_term_ms: production.min_term_ms * self.grid,
			min_reclaim_notice_ms: production.min_reclaim_notice_ms * self.grid,
			failover_within_ms: production.failover_within_ms * self.grid,
			frozen_grace_ms: production.frozen_grace_ms * self.grid,
			low_balance_warning_ms: production.low_balance_warning_ms * self.grid,
			acceptance_window_ms: production.acceptance_window_ms * self.grid,
			contest_window_ms: production.contest_window_ms * self.grid,
			reference_classes_allowed: true,
			..production
		}
	}

	/// Price of a GPU and second, in plancks: an epoch costs what one of production does.
	fn price(&self) -> Balance {
		RENT / 3_600 / Balance::from(self.grid)
	}
}

/// Why a provider does not serve.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
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
	fn is_own(self) -> bool {
		matches!(self, Self::Own | Self::Gpu(_) | Self::SmallRegion)
	}

	/// Whether it has nothing to do with any other provider's.
	fn is_single(self) -> bool {
		matches!(self, Self::Own | Self::Gpu(_))
	}

	/// Whether no report comes in.
	fn is_dark(self) -> bool {
		!matches!(self, Self::Gpu(_) | Self::Bug)
	}
}

/// A time for which a provider does not serve.
#[derive(Clone, Copy, Debug)]
struct Fault {
	from: Moment,
	until: Moment,
	cause: Cause,
	/// Whether it had something leased when its worker should have reported first; `None` if that time never came.
	leased: Option<bool>,
}

impl Fault {
	fn is_on(&self, now: Moment) -> bool {
		self.from <= now && now < self.until
	}

	fn overlap(&self, from: Moment, until: Moment) -> Moment {
		self.until.min(until).saturating_sub(self.from.max(from))
	}
}

/// A provider with its worker.
struct Machine {
	owner: AccountId,
	worker: AccountId,
	gpus: u32,
	faults: Vec<Fault>,
	/// Place of its reports within an epoch.
	phase: u32,
	/// Block in which its worker looks again.
	next: u32,
}

/// What a renter wants all the time.
struct Demand {
	renter: AccountId,
	terms: OrderTerms,
	lease: Option<LeaseId>,
}

/// A lease as its renter sees it.
struct Rental {
	demand: usize,
	/// Plancks a second.
	rate: Balance,
	assigned_at: Moment,
	/// Since when it is not served, and what a second of it is worth.
	unserved: Option<(Moment, Balance)>,
}

/// What was held for a slash in one epoch.
struct Held {
	epoch: u32,
	amount: Balance,
	is_right: bool,
	/// The fault that it is for: its provider, and its place there.
	fault: Option<(usize, usize)>,
	excused: bool,
}

/// What came of a scenario. Amounts are in plancks.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
	/// Faults of single providers that began.
	pub(crate) own_faults: u32,
	/// Outages of single providers with a common cause.
	pub(crate) common_faults: u32,
	/// Times that a node was suspended.
	pub(crate) suspended: u32,
	/// Episodes that began.
	pub(crate) episodes: u32,
	/// Held at detection.
	pub(crate) detected: Balance,
	/// Returned, because it was excused.
	pub(crate) returned: Balance,
	/// Paid out.
	pub(crate) executed: Balance,
	/// Still held at the end.
	pub(crate) held: Balance,
	/// Slashes that hold, or have taken, something for a fault with a common cause.
	pub(crate) wrong_slashes: u32,
	/// What that is.
	pub(crate) wrong: Balance,
	/// Single providers' faults that hit leased GPUs and were punished.
	pub(crate) punished: u32,
	/// The same, not punished, and too short to be found for sure.
	pub(crate) too_short: u32,
	/// The same, not punished, and long enough.
	pub(crate) unpunished: u32,
	/// Worth to the renters of the time for which their leases were not served.
	pub(crate) unserved: Balance,
	/// Of what was paid out: to renters.
	pub(crate) to_renters: Balance,
	/// To the insurance pool.
	pub(crate) to_insurance: Balance,
	/// To the treasury.
	pub(crate) to_treasury: Balance,
	/// Times that a lease went to another provider.
	pub(crate) moved: u32,
	/// Leases that ended because nobody served them.
	pub(crate) lost: u32,
	/// Leases served at the end.
	pub(crate) leases: u32,
	/// What each wrong one was, in words.
	pub(crate) wrongs: Vec<String>,
}

/// Dice whose falls the seed decides: SplitMix64.
struct Dice(u64);

impl Dice {
	/// Dice for one purpose, so that one scenario's do not disturb another's.
	fn new(seed: u64, purpose: u64) -> Self {
		let mut dice = Self(seed ^ purpose.wrapping_mul(0xd6e8_feb8_6659_fd93));
		dice.roll();
		dice
	}

	fn roll(&mut self) -> u64 {
		self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
		let mut z = self.0;
		z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
		z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
		z ^ (z >> 31)
	}

	fn below(&mut self, most: u64) -> u64 {
		self.roll() % most.max(1)
	}

	fn percent(&mut self, share: u64) -> bool {
		self.below(100) < share
	}

	/// From zero to one.
	fn unit(&mut self) -> f64 {
		(self.roll() >> 11) as f64 / (1_u64 << 53) as f64
	}

	/// Time to the next event of a process without memory.
	fn wait(&mut self, mean: Moment) -> Moment {
		(-(1.0 - self.unit()).ln() * mean as f64) as Moment
	}

	/// Short times as often as long ones, by their logarithm.
	fn spread(&mut self, least: Moment, most: Moment) -> Moment {
		let (least, most) = ((least as f64).ln(), (most as f64).ln());
		(least + self.unit() * (most - least)).exp() as Moment
	}
}

fn account(role: &str, index: u64) -> AccountId {
	sp_io::hashing::blake2_256(format!("{role} {index}").as_bytes()).into()
}

fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Common incidents, as times.
#[derive(Clone, Copy, Debug, Default)]
struct Incidents {
	stalls: [Option<Moment>; 2],
	/// When, which share of what is leased in percent, and as what it counts.
	regions: [Option<(Moment, u32, Cause)>; 2],
	bug: Option<(Moment, Moment)>,
	lag: Option<(Moment, Moment)>,
	pause: Option<(Moment, Moment)>,
}

/// A market in motion.
struct Simulation {
	setup: Setup,
	timing: ChainTiming,
	scenario: Scenario,
	machines: Vec<Machine>,
	by_owner: BTreeMap<AccountId, usize>,
	demands: Vec<Demand>,
	rentals: BTreeMap<LeaseId, Rental>,
	slashes: BTreeMap<SlashId, Vec<Held>>,
	incidents: Incidents,
	number: u32,
	now: Moment,
	paused: bool,
	/// Last finalised block while finality stands still.
	finalised: Option<u32>,
	outcome: Outcome,
}

/// Runs a scenario to its end and checks every invariant. `progress` hears after each simulated day how many are over.
///
/// # Panics
/// If an invariant does not hold, or what was held is not what was returned, paid out and is still held.
pub(crate) fn simulate(setup: Setup, scenario: Scenario, mut progress: impl FnMut(u64)) -> Outcome {
	let timing = setup.timing();
	assert_eq!(timing.check(), Ok(()));
	let mut config = preset_json("development");
	config["timing"]["timing"] = json!(timing);
	let mut state = state_of(&config);
	let mut market = state.execute_with(|| Simulation::prepare(setup, timing, scenario));
	let (start, end) = (market.now, market.now + setup.hours * HOUR);
	market.plan(start, end);
	let mut days = 0;
	while market.now < end {
		days += 1;
		let until = end.min(start + days * DAY);
		state.execute_with(|| {
			while market.now < until {
				market.step();
			}
		});
		progress(days);
	}
	state.execute_with(|| market.finish(end))
}

impl Simulation {
	/// Registers everybody, and lets renters find what they want.
	fn prepare(setup: Setup, timing: ChainTiming, scenario: Scenario) -> Self {
		let mut market = Self {
			setup,
			timing,
			scenario,
			machines: Vec::new(),
			by_owner: BTreeMap::new(),
			demands: Vec::new(),
			rentals: BTreeMap::new(),
			slashes: BTreeMap::new(),
			incidents: Incidents::default(),
			number: 0,
			now: START,
			paused: false,
			finalised: None,
			outcome: Outcome::default(),
		};
		market.open_block();
		let mut dice = Dice::new(setup.seed, 1);
		for index in 0..setup.providers {
			market.register(index, &mut dice);
		}
		let capacity: u64 = market.machines.iter().map(|machine| u64::from(machine.gpus)).sum();
		market.want(capacity * DEMAND / 100, &mut dice);
		for _ in 0..timing.leased_epoch_blocks * 5 {
			market.step();
		}
		market.outcome = Outcome::default();
		market
	}

	/// A provider joins, and offers all that it has at a price of its own.
	fn register(&mut self, index: u32, dice: &mut Dice) {
		let (owner, worker) = (account("owner", index.into()), account("worker", index.into()));
		let gpus = 1 + dice.below(4) as u32;
		let bond = Balance::from(gpus) * BOND;
		assert_ok!(Balances::force_set_balance(
			RuntimeOrigin::root(),
			MultiAddress::Id(owner.clone()),
			10 * bond
		));
		let endpoint = b"wss://gpu.example:9944".to_vec().try_into().unwrap();
		assert_ok!(Providers::register(signed(&owner), endpoint, *b"CH", index));
		assert_ok!(Providers::bond(signed(&owner), bond));
		assert_ok!(Providers::set_worker(signed(&owner), worker.clone()));
		for gpu in 0..gpus {
			let uuid_hash = sp_io::hashing::blake2_256(format!("{owner} {gpu}").as_bytes()).into();
			assert_ok!(Providers::add_gpu(signed(&owner), REFERENCE, uuid_hash));
		}
		let price = self.setup.price();
		let offered = AskTerms {
			price: price + price * Balance::from(dice.below(20)) / 100,
			min_term_ms: self.timing.min_term_ms,
			reclaim_notice_ms: self.timing.min_reclaim_notice_ms,
			..ask(gpus)
		};
		assert_ok!(Leases::post_ask(signed(&owner), offered, self.timing.max_ask_lifetime_ms));
		let phase = dice.below(self.timing.leased_epoch_blocks.into()) as u32;
		self.by_owner.insert(owner.clone(), self.machines.len());
		self.machines.push(Machine { owner, worker, gpus, faults: Vec::new(), phase, next: 0 });
	}

	/// Renters want so many GPUs, one or two in a lease, as long as they can have them; half of them with failover.
	fn want(&mut self, gpus: u64, dice: &mut Dice) {
		let mut wanted = 0;
		while wanted < gpus {
			let renter = account("renter", self.demands.len() as u64 / 10);
			let id = MultiAddress::Id(renter.clone());
			assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), id, 1_000_000_000 * MILL));
			let gpus = if dice.percent(60) { 1 } else { 2 };
			let premium = Permill::from_percent(25);
			let terms = OrderTerms {
				max_price: self.setup.price() * 2,
				term: Term::OpenEnded { funded_ms: 90 * DAY },
				failover: if dice.percent(50) { Failover::Replace { premium } } else { Failover::Close },
				..terms(gpus, 0)
			};
			self.demands.push(Demand { renter, terms, lease: None });
			wanted += u64::from(gpus);
		}
	}

	/// Decides who fails when, and why.
	fn plan(&mut self, start: Moment, end: Moment) {
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

	/// One block: hooks, what happens to the market, reports, orders, and what came of it.
	fn step(&mut self) {
		self.open_block();
		self.pause_or_resume();
		self.cut_off_regions();
		let slot = self.timing.slot_ms;
		let lag = self.incidents.lag.filter(|(from, until)| (*from..*until).contains(&self.now));
		self.finalised = lag.map(|_| self.finalised.unwrap_or(self.number.saturating_sub(2)));
		for index in 0..self.machines.len() {
			if self.machines[index].next <= self.number {
				self.work(index);
			}
		}
		let epoch = self.timing.leased_epoch_blocks;
		if self.number > 2 * epoch && self.number.is_multiple_of(3 * epoch) {
			self.order();
		}
		self.read();
		let stalls = &mut self.incidents.stalls;
		if let Some(stall) = stalls.iter_mut().find(|stall| stall.is_some_and(|at| at <= self.now)) {
			*stall = None;
			// Blocks stay on the grid of slots.
			self.now += (2 * HOUR).next_multiple_of(slot);
		}
	}

	fn open_block(&mut self) {
		self.number += 1;
		self.now += self.timing.slot_ms;
		// `System::reset_events` looks for topics in all that was ever written: too slow for so many blocks.
		for item in [b"Events".as_slice(), b"EventCount"] {
			unhashed::kill(&storage_prefix(b"System", item));
		}
		System::set_block_number(self.number);
		pallet_timestamp::Now::<Runtime>::put(self.now);
		let mut meter = WeightMeter::with_limit(RuntimeBlockWeights::get().max_block);
		// In the order of the pallets' indices.
		FaultClock::on_poll(self.number, &mut meter);
		Providers::on_poll(self.number, &mut meter);
		Settlement::on_poll(self.number, &mut meter);
		Leases::on_poll(self.number, &mut meter);
		Attestation::on_poll(self.number, &mut meter);
		Allowances::on_poll(self.number, &mut meter);
		Slashing::on_poll(self.number, &mut meter);
	}

	/// A region goes dark: as many providers, one after the other, as have a share of what is leased now.
	fn cut_off_regions(&mut self) {
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

	fn pause_or_resume(&mut self) {
		let Some((from, until)) = self.incidents.pause else { return };
		let should = (from..until).contains(&self.now);
		if should && !self.paused {
			assert_ok!(Leases::pause_market(RuntimeOrigin::root()));
		} else if !should && self.paused {
			assert_ok!(Leases::resume_market(RuntimeOrigin::root()));
		}
		self.paused = should;
	}

	/// A worker's turn: it reports if it can and a report is due.
	fn work(&mut self, index: usize) {
		let epoch = self.timing.leased_epoch_blocks;
		let (now, number) = (self.now, self.number);
		let machine = &mut self.machines[index];
		for fault in machine.faults.iter_mut().filter(|fault| fault.leased.is_none() && fault.is_on(now)) {
			let is_leased = |gpu| {
				pallet_providers::Gpus::<Runtime>::get(&machine.owner, gpu)
					.is_some_and(|gpu| matches!(gpu.state, GpuState::Leased(_)))
			};
			fault.leased = Some(match fault.cause {
				Cause::Gpu(gpu) => is_leased(gpu),
				_ => Leases::lease_count(&machine.owner) > 0,
			});
		}
		let is_on = |fault: &&Fault| fault.is_on(now);
		if machine.faults.iter().filter(is_on).any(|fault| fault.cause.is_dark()) {
			machine.next = number + 1;
			return;
		}
		machine.next = number + epoch - (number + epoch - machine.phase) % epoch;
		if !Attestation::report_due(machine.owner.clone()) {
			return;
		}
		let gone: Vec<GpuIndex> = machine
			.faults
			.iter()
			.filter(is_on)
			.filter_map(|fault| if let Cause::Gpu(gpu) = fault.cause { Some(gpu) } else { None })
			.collect();
		let gpus: Vec<_> = (0..machine.gpus)
			.map(|gpu| GpuIndex(gpu as u16))
			.filter(|gpu| !gone.contains(gpu))
			.map(|gpu| GpuHealth { gpu, healthy: true })
			.collect();
		let has_bug = self.incidents.bug.is_some_and(|(from, until)| (from..until).contains(&now));
		let leases = if has_bug { Vec::new() } else { Leases::leases_of(&machine.owner) };
		let usage = |lease| LeaseUsage { lease, busy_ms: 0, jobs_ended: 0, checkpoint: None };
		let leases: Vec<_> = leases.into_iter().map(usage).collect();
		let report = Report {
			epoch: Attestation::epoch(machine.owner.clone()),
			finalised_number: self.finalised.unwrap_or(number.saturating_sub(2)),
			finalised_hash: Hash::zero(),
			gpus: gpus.try_into().unwrap(),
			leases: leases.try_into().unwrap(),
		};
		let worker = signed(&machine.worker);
		assert_ok!(with_storage_layer(|| Attestation::report(worker, report)));
	}

	/// Renters whose lease is gone look for another.
	fn order(&mut self) {
		let mut in_vain = BTreeSet::new();
		for (place, demand) in self.demands.iter_mut().enumerate() {
			let gpus = demand.terms.gpus_per_node;
			if demand.lease.is_some() || in_vain.contains(&gpus) {
				continue;
			}
			let lease = LeaseId::from(pallet_leases::NextOrder::<Runtime>::get());
			let order = || Leases::place_order(signed(&demand.renter), demand.terms.clone());
			if with_storage_layer(order).is_err() {
				in_vain.insert(gpus);
				continue;
			}
			demand.lease = Some(lease);
			let rental = Rental { demand: place, rate: 0, assigned_at: self.now, unserved: None };
			self.rentals.insert(lease, rental);
		}
	}

	/// Takes the block's events over.
	fn read(&mut self) {
		for record in System::read_events_no_consensus() {
			match record.event {
				RuntimeEvent::Leases(event) => self.read_lease(event),
				RuntimeEvent::Slashing(event) => self.read_slash(event),
				RuntimeEvent::Attestation(pallet_attestation::Event::Unexpected { kind, .. }) => {
					panic!("{kind:?}")
				}
				_ => {}
			}
		}
	}

	fn read_lease(&mut self, event: pallet_leases::Event<Runtime>) {
		use pallet_leases::Event;
		let now = self.now;
		match event {
			Event::NodeAssigned { lease, gpus, price, generation, .. } => {
				let rental = self.rentals.get_mut(&lease).unwrap();
				rental.rate = price * gpus.len() as Balance;
				rental.assigned_at = now;
				self.outcome.moved += u32::from(generation > 0);
			}
			Event::NodeSuspended { lease, attested_at, .. } => {
				let rental = self.rentals.get_mut(&lease).unwrap();
				rental.unserved = Some((attested_at, rental.rate));
				self.outcome.suspended += 1;
			}
			Event::NodeFaulted { lease, .. } => {
				let rental = self.rentals.get_mut(&lease).unwrap();
				rental.unserved.get_or_insert((rental.assigned_at, rental.rate));
			}
			Event::NodeResumed { lease, .. } | Event::NodeReady { lease, .. } => self.served(lease),
			Event::LeaseClosed { lease, .. } => {
				self.served(lease);
				if let Some(rental) = self.rentals.remove(&lease) {
					self.demands[rental.demand].lease = None;
				}
				self.outcome.lost += 1;
			}
			Event::Unexpected { kind } => panic!("{kind:?}"),
			_ => {}
		}
	}

	/// From now on a lease is served, or is over: what was not served until now is counted.
	fn served(&mut self, lease: LeaseId) {
		let Some(rental) = self.rentals.get_mut(&lease) else { return };
		if let Some((since, rate)) = rental.unserved.take() {
			self.outcome.unserved += rate * Balance::from(self.now - since) / 1_000;
		}
	}

	fn read_slash(&mut self, event: pallet_slashing::Event<Runtime>) {
		use pallet_slashing::Event;
		match event {
			Event::EpisodeBegan { slash, .. } => {
				self.outcome.episodes += 1;
				self.slashes.insert(slash, Vec::new());
			}
			Event::FaultCounted { slash, provider, cause, epoch, epochs, amount, .. } => {
				self.outcome.detected += amount;
				let index = self.by_owner[&provider];
				let from = self.now - u64::from(epochs.max(1)) * self.timing.epoch_ms();
				let (own, fault) = self.own_share(index, from);
				let is_right = 2 * own >= self.now - from;
				if !is_right {
					let day = (self.now - START) as f64 / DAY as f64;
					let why =
						self.machines[index].faults.iter().filter(|fault| fault.overlap(from, self.now) > 0);
					let why: Vec<_> = why.map(|fault| fault.cause).collect();
					self.outcome.wrongs.push(format!(
						"slash {}, day {day:.3}, epoch {epoch}: {cause:?}, {epochs} epochs, {amount} plancks, because of {why:?}",
						slash.0
					));
				}
				let held = Held { epoch, amount, is_right, fault, excused: false };
				self.slashes.get_mut(&slash).unwrap().push(held);
			}
			Event::FaultExcused { slash, epoch, amount, .. } => {
				self.outcome.returned += amount;
				let faults = self.slashes.get_mut(&slash).unwrap();
				for held in faults.iter_mut().filter(|held| held.epoch == epoch) {
					held.excused = true;
				}
				let start = format!("slash {}, ", slash.0);
				let part = format!(", epoch {epoch}: ");
				self.outcome.wrongs.retain(|wrong| !(wrong.starts_with(&start) && wrong.contains(&part)));
			}
			Event::SlashExecuted { to_renter, to_insurance, to_treasury, .. } => {
				self.outcome.executed += to_renter + to_insurance + to_treasury;
				self.outcome.to_renters += to_renter;
				self.outcome.to_insurance += to_insurance;
				self.outcome.to_treasury += to_treasury;
			}
			Event::FaultNotCounted { slash, .. } => panic!("{slash:?} has no room"),
			Event::Unexpected { kind, .. } => panic!("{kind:?}"),
			_ => {}
		}
	}

	/// For how long since `from` a provider was dark by its own fault, and the fault that was most of it.
	fn own_share(&self, index: usize, from: Moment) -> (Moment, Option<(usize, usize)>) {
		let faults = self.machines[index].faults.iter().enumerate();
		let own = faults.filter(|(_, fault)| fault.cause.is_own());
		let most = own.map(|(place, fault)| (fault.overlap(from, self.now), place)).max();
		match most {
			Some((overlap, place)) if overlap > 0 => (overlap, Some((index, place))),
			_ => (0, None),
		}
	}

	/// Counts what is left, and checks that it all adds up.
	fn finish(mut self, end: Moment) -> Outcome {
		check_invariants();
		let leases: Vec<LeaseId> = self.rentals.keys().copied().collect();
		for lease in leases {
			self.served(lease);
		}
		self.outcome.leases = self.rentals.len() as u32;
		self.outcome.held = pallet_slashing::Slashes::<Runtime>::iter_values().map(|slash| slash.held).sum();
		let mut punished = BTreeSet::new();
		for faults in self.slashes.values() {
			let kept = || faults.iter().filter(|held| !held.excused && held.amount > 0);
			let wrong: Balance = kept().filter(|held| !held.is_right).map(|held| held.amount).sum();
			self.outcome.wrong += wrong;
			self.outcome.wrong_slashes += u32::from(wrong > 0);
			punished.extend(kept().filter_map(|held| held.fault));
		}
		let surely_found = SURELY_FOUND * self.timing.epoch_ms();
		for (index, machine) in self.machines.iter().enumerate() {
			for (place, fault) in machine.faults.iter().enumerate() {
				if !fault.cause.is_single() || fault.leased != Some(true) {
					continue;
				}
				let length = fault.until.min(end).saturating_sub(fault.from);
				match (punished.contains(&(index, place)), length < surely_found) {
					(true, _) => self.outcome.punished += 1,
					(false, true) => self.outcome.too_short += 1,
					(false, false) => self.outcome.unpunished += 1,
				}
			}
		}
		let Outcome { detected, returned, executed, held, .. } = self.outcome;
		assert_eq!(detected, returned + executed + held, "{:?}", self.outcome);
		self.outcome
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
