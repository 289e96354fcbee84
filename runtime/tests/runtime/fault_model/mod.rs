//! A market that runs for days beside a seeded model of what goes wrong in it, and a ledger of what each fault was really
//! caused by.
//!
//! The pallets are the runtime's own: their hooks run in the runtime's order with the weight of a block, and everything else
//! happens through their calls. Left out are signatures, transactions' fees, and the consensus pallets: block number and time
//! are set by hand. The fault model never looks at what the pallets think; it knows why each provider is dark, and so whether
//! what was taken from it was taken rightly.

mod dice;
mod incidents;
mod ledger;

use crate::{
	chain::{preset_json, state_of, START},
	market::{ask, terms, REFERENCE},
};
use dice::Dice;
use frame_support::{
	assert_ok,
	storage::{storage_prefix, unhashed, with_storage_layer},
	traits::OnPoll,
	weights::WeightMeter,
};
use incidents::{Cause, Fault, Incidents};
use ledger::{Held, Rental};
use millrace_primitives::{
	AskTerms, Failover, GpuHealth, GpuIndex, GpuState, Hash, LeaseId, LeaseInspect, LeaseUsage, Moment,
	OrderTerms, Report, SlashId, Term,
};
use millrace_runtime::{
	configs::system::RuntimeBlockWeights, constants::MILL, AccountId, Allowances, Attestation, Balance,
	Balances, FaultClock, Leases, Providers, Runtime, RuntimeOrigin, Settlement, Slashing, System,
};
use pallet_timing::ChainTiming;
use serde_json::json;
use sp_runtime::{MultiAddress, Permill};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use ledger::Outcome;

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

fn account(role: &str, index: u64) -> AccountId {
	sp_io::hashing::blake2_256(format!("{role} {index}").as_bytes()).into()
}

fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
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
}
