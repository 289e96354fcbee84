//! What came of it: what was taken from whom, and whether rightly.

use super::{Simulation, DAY, SURELY_FOUND};
use crate::chain::{check_invariants, START};
use millrace_primitives::{LeaseId, Moment};
use millrace_runtime::{Balance, Runtime, RuntimeEvent, System};
use std::collections::BTreeSet;

/// A lease as its renter sees it.
pub(super) struct Rental {
	pub(super) demand: usize,
	/// Plancks a second.
	pub(super) rate: Balance,
	pub(super) assigned_at: Moment,
	/// Since when it is not served, and what a second of it is worth.
	pub(super) unserved: Option<(Moment, Balance)>,
}

/// What was held for a slash in one epoch.
pub(super) struct Held {
	pub(super) epoch: u32,
	pub(super) amount: Balance,
	pub(super) is_right: bool,
	/// The fault that it is for: its provider, and its place there.
	pub(super) fault: Option<(usize, usize)>,
	pub(super) excused: bool,
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

impl Simulation {
	/// Takes the block's events over.
	pub(super) fn read(&mut self) {
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
	pub(super) fn finish(mut self, end: Moment) -> Outcome {
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
