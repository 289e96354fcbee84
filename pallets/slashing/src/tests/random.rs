//! Random sequences of everything that can happen: the invariants hold after every step, and what is held can be rebuilt
//! from events alone.

use crate::{mock::*, Episodes, Event, Offence, Slashes, Verdict};
use frame_support::{storage::with_storage_layer, weights::Weight};
use millrace_primitives::{
	Balance, Excuse, FaultClock as _, Judgement, LeaseId, NodeFault, SlashCause, SlashId, Slashing as _,
};
use proptest::prelude::*;
use sp_runtime::{DispatchResult, Permill};
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Step {
	Fault {
		provider: AccountId,
		lease: u64,
		renter: AccountId,
		epochs: u32,
		dark: u32,
		walkout: Balance,
		token: bool,
	},
	End {
		provider: AccountId,
		lease: u64,
	},
	/// The next epoch begins, and what was missed some epochs before is judged.
	Epoch {
		back: u32,
		judgement: Judgement,
	},
	Appeal(u64),
	Resolve {
		slash: u64,
		verdict: Verdict,
	},
	Execute(u64),
	Condemn {
		provider: AccountId,
		gpus: u32,
		percent: u32,
		renter: Option<(AccountId, Balance)>,
	},
	Insurance(Balance),
	Unbond(AccountId),
	EraCap(Balance),
	Stop(bool),
	Break(Option<AccountId>),
	Limit(bool),
	Blocks {
		count: u32,
		ms: u64,
	},
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let provider = || PROVIDER..=OTHER;
	let renter = || prop_oneof![Just(RENTER), Just(NOBODY)];
	let slash = || 0..12u64;
	let judgement = prop_oneof![
		3 => Just(Judgement::Counts),
		1 => Just(Judgement::Excused(Excuse::MassOutage)),
	];
	let verdict = prop_oneof![
		Just(Verdict::Uphold),
		(0..=100u32).prop_map(|percent| Verdict::Reduce { keep: Permill::from_percent(percent) }),
		Just(Verdict::Cancel),
	];
	// Each lease is paid in one asset.
	let step = prop_oneof![
		10 => (provider(), 0..4u64, renter(), 0..2_000u32, 0..6u32, prop_oneof![3 => Just(0), 1 => 0..CAP])
			.prop_map(|(provider, lease, renter, epochs, dark, walkout)| Step::Fault {
				provider, lease, renter, epochs, dark, walkout, token: lease == 0,
			}),
		4 => (provider(), 0..4u64).prop_map(|(provider, lease)| Step::End { provider, lease }),
		10 => (2..5u32, judgement).prop_map(|(back, judgement)| Step::Epoch { back, judgement }),
		6 => slash().prop_map(Step::Appeal),
		4 => (slash(), verdict).prop_map(|(slash, verdict)| Step::Resolve { slash, verdict }),
		2 => slash().prop_map(Step::Execute),
		1 => (provider(), 0..66u32, 45..=100u32, prop::option::of((renter(), 0..CAP)))
			.prop_map(|(provider, gpus, percent, renter)| Step::Condemn { provider, gpus, percent, renter }),
		1 => (0..ENDOWMENT).prop_map(Step::Insurance),
		1 => provider().prop_map(Step::Unbond),
		1 => prop_oneof![Just(Balance::MAX), 0..BOND].prop_map(Step::EraCap),
		1 => any::<bool>().prop_map(Step::Stop),
		1 => prop::option::of(provider()).prop_map(Step::Break),
		1 => any::<bool>().prop_map(Step::Limit),
		5 => (0..60u32, prop_oneof![Just(SLOT), Just(5 * SLOT)]).prop_map(|(count, ms)| Step::Blocks { count, ms }),
	];
	prop::collection::vec(step, 1..150)
}

/// One of the slashes that are not over, with its provider; one that does not exist if there are none.
fn pick(which: u64) -> (SlashId, AccountId) {
	let mut slashes: Vec<_> = Slashes::<Test>::iter().map(|(id, slash)| (id, slash.provider)).collect();
	slashes.sort();
	let which = which as usize % slashes.len().max(1);
	slashes.get(which).copied().unwrap_or((SlashId(999), STRANGER))
}

/// Refusals are part of the game: as a call is made by the chain, they leave nothing.
fn try_call(call: impl FnOnce() -> DispatchResult) {
	let before = System::event_count();
	if with_storage_layer(call).is_err() {
		assert_eq!(System::event_count(), before, "a refused step left events");
	}
}

fn take(step: Step) {
	let signed = RuntimeOrigin::signed;
	match step {
		Step::Fault { provider, lease, renter, epochs, dark, walkout, token } => {
			let fault = NodeFault {
				renter,
				dark_gpus: dark,
				walkout,
				cause: if dark < 4 { SlashCause::GpuLost } else { SlashCause::Dark },
				unserved: (!token).then_some(30 * Balance::from(epochs)),
				..fault_of(provider, LeaseId(lease), epochs)
			};
			try_call(|| Slashing::count_fault(fault));
		}
		Step::End { provider, lease } => Slashing::end_episode(&provider, LeaseId(lease)),
		Step::Epoch { back, judgement } => {
			next_epoch();
			// Judgements are final.
			let epoch = Epoch::get().saturating_sub(back);
			if Clock::judge(epoch, epoch, &PROVIDER) == Judgement::Open {
				judge(epoch, judgement);
			}
		}
		Step::Appeal(which) => {
			let (id, provider) = pick(which);
			try_call(|| Slashing::appeal(signed(provider), id, EVIDENCE));
		}
		Step::Resolve { slash, verdict } => {
			try_call(|| Slashing::resolve(RuntimeOrigin::root(), pick(slash).0, verdict));
		}
		Step::Execute(which) => try_call(|| Slashing::execute(signed(STRANGER), pick(which).0)),
		Step::Condemn { provider, gpus, percent, renter } => {
			let share = Permill::from_percent(percent);
			let offence = Offence::FalseHardware;
			try_call(|| {
				let root = RuntimeOrigin::root();
				Slashing::condemn(root, provider, offence, CLASS, gpus, share, renter, EVIDENCE)
			});
		}
		Step::Insurance(amount) => {
			try_call(|| Slashing::pay_from_insurance(RuntimeOrigin::root(), STRANGER, amount));
		}
		Step::Unbond(provider) => unbond(provider),
		Step::EraCap(cap) => EraCap::set(cap),
		Step::Stop(stop) => Running::set(!stop),
		Step::Break(provider) => Broken::set(provider.into_iter().collect()),
		Step::Limit(enough) => AgendaLimit::set(if enough { Weight::MAX } else { Weight::zero() }),
		Step::Blocks { count, ms } => (0..count).for_each(|_| next_block_after(ms)),
	}
}

/// What somebody knows who reads nothing but events.
#[derive(Default)]
struct Observer {
	detected: Balance,
	executed: Balance,
	returned: Balance,
	held: BTreeMap<SlashId, Balance>,
	/// Received from slashes: by renters, by the pool, by the treasury.
	received: BTreeMap<AccountId, Balance>,
	bonds: BTreeMap<SlashId, Balance>,
	lost: Balance,
	insurance_paid: Balance,
}

impl Observer {
	fn hold(&mut self, slash: SlashId, amount: Balance) {
		self.detected += amount;
		*self.held.entry(slash).or_default() += amount;
	}

	fn leave(&mut self, slash: SlashId, amount: Balance) {
		*self.held.get_mut(&slash).unwrap() -= amount;
	}

	fn read(&mut self, event: Event<Test>) {
		match event {
			Event::FaultCounted { slash, amount, held, .. } => {
				self.hold(slash, amount);
				assert_eq!(self.held[&slash], held);
			}
			Event::Condemned { slash, amount, .. } => self.hold(slash, amount),
			Event::FaultExcused { slash, amount, .. } => {
				self.leave(slash, amount);
				self.returned += amount;
			}
			Event::Resolved { slash, returned, bond, bond_lost, .. } => {
				self.leave(slash, returned);
				self.returned += returned;
				assert_eq!(self.bonds.remove(&slash).unwrap_or(0), bond);
				self.lost += if bond_lost { bond } else { 0 };
			}
			Event::SlashExecuted { slash, renter, to_renter, to_insurance, to_treasury, .. } => {
				self.leave(slash, to_renter + to_insurance + to_treasury);
				self.executed += to_renter + to_insurance + to_treasury;
				assert_eq!(self.held[&slash], 0);
				assert!(renter.is_some() || to_renter == 0);
				let renter = renter.unwrap_or(RENTER);
				for (who, amount) in [(renter, to_renter), (POOL, to_insurance), (TREASURY, to_treasury)] {
					*self.received.entry(who).or_default() += amount;
				}
			}
			Event::Appealed { slash, bond, .. } => {
				self.bonds.insert(slash, bond);
			}
			Event::AppealLapsed { slash, bond } => assert_eq!(self.bonds.remove(&slash), Some(bond)),
			Event::SlashDropped { slash, bond, .. } => {
				assert_eq!(self.held.get(&slash).copied().unwrap_or(0), 0);
				assert_eq!(self.bonds.remove(&slash).unwrap_or(0), bond);
			}
			Event::EpisodeEnded { slash, held, .. } => assert_eq!(self.held[&slash], held),
			Event::InsurancePaid { amount, .. } => self.insurance_paid += amount,
			Event::EpisodeBegan { .. } | Event::FaultNotCounted { .. } | Event::Unexpected { .. } => {}
			Event::__Ignore(..) => unreachable!(),
		}
	}

	fn check(&self) {
		let held: Balance = self.held.values().sum();
		assert_eq!(self.detected, held + self.executed + self.returned);
		assert_eq!(held, pending(PROVIDER) + pending(OTHER));
		for (id, slash) in Slashes::<Test>::iter() {
			assert_eq!(self.held.get(&id).copied().unwrap_or(0), slash.held);
		}
		assert_eq!(self.bonds.values().sum::<Balance>(), appeal_bonds(PROVIDER) + appeal_bonds(OTHER));
		let received = |who| self.received.get(&who).copied().unwrap_or(0);
		assert_eq!(balance(TREASURY), ENDOWMENT + received(TREASURY));
		assert_eq!(balance(RENTER), ENDOWMENT + received(RENTER));
		assert_eq!(balance(NOBODY), received(NOBODY));
		assert_eq!(balance(POOL) + self.insurance_paid, ENDOWMENT + received(POOL) + self.lost);
	}
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(300))]

	#[test]
	fn money_is_where_the_events_say(steps in steps()) {
		build_and_execute(|| {
			let before = Balances::total_issuance();
			let mut observer = Observer::default();
			for step in steps {
				take(step);
				events().into_iter().for_each(|event| observer.read(event));
				observer.check();
				check();
				assert_eq!(Balances::total_issuance(), before);
			}
		});
	}

	#[test]
	fn every_slash_is_over_in_the_end(steps in steps()) {
		build_and_execute(|| {
			steps.into_iter().for_each(take);
			Broken::set(vec![]);
			AgendaLimit::set(Weight::MAX);
			for epoch in 0..=Epoch::get() {
				judge(epoch, Judgement::Counts);
			}
			for (provider, lease, _) in Episodes::<Test>::iter().collect::<Vec<_>>() {
				Slashing::end_episode(&provider, lease);
			}
			run_blocks(((DEFERRAL + VERDICT) / SLOT) as u32 + 2 * JUDGED);
			assert_eq!(Slashes::<Test>::iter().count(), 0);
			assert_eq!((pending(PROVIDER), pending(OTHER)), (0, 0));
			assert_eq!((appeal_bonds(PROVIDER), appeal_bonds(OTHER)), (0, 0));
		});
	}
}
