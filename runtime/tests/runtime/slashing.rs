//! Faults of providers on the whole runtime: what is held and when, where it goes, and when nobody is punished.

use crate::{
	chain::{events, on_development_chain, Chain, Signer},
	ledger::Ledger,
	market::{ask, block_with, place, plan, terms, Provider, CHARLIE, DAVE, FERDIE, PRICE, RENTER},
};
use frame_support::{
	assert_noop,
	traits::{fungible::InspectHold, Get},
};
use millrace_primitives::{
	AskTerms, Excuse, GpuIndex, LeaseId, LeaseStatus, NodeStatus, ProviderInspect, SlashCause, SlashId,
};
use millrace_runtime::{
	constants::MILL, AccountId, Balance, Balances, Executive, FaultClock, Providers, Runtime, RuntimeCall,
	RuntimeEvent, RuntimeHoldReason, RuntimeOrigin, Slashing, UncheckedExtrinsic,
};
use pallet_slashing::{Event, SlashStatus, Verdict};
use sp_runtime::{traits::Dispatchable, Permill};

/// Bond of the only GPU of each provider.
const BOND: Balance = 100 * MILL;
/// What one missed epoch costs: 0.02 % of that.
const PER_EPOCH: Balance = BOND / 5_000;
/// What an epoch of five seconds is worth to the renter.
const UNSERVED: Balance = 5 * PRICE;
/// What walking out costs: the notice of the ask, ten seconds.
const WALKOUT: Balance = 10 * PRICE;
const SLASH: SlashId = SlashId(0);

/// A chain, the accounts as events have them, and everything that slashes said.
struct Stage<'a> {
	chain: &'a mut Chain,
	ledger: Ledger,
	said: Vec<Event<Runtime>>,
}

impl<'a> Stage<'a> {
	/// Providers with a GPU each, and a lease of each provider's own, ready.
	fn with_leases(chain: &'a mut Chain, providers: &[Provider]) -> Self {
		let accounts = [DAVE, FERDIE, CHARLIE].map(|provider| provider.account());
		let ledger = Ledger::of(accounts.into_iter().chain([RENTER.account()]));
		let mut stage = Self { chain, ledger, said: Vec::new() };
		stage.chain.open_block();
		for provider in providers {
			provider.join(stage.chain, 1);
		}
		stage.read();
		stage.work_until(providers, 30, |_| providers.iter().all(Provider::is_live));
		stage.chain.open_block();
		for (provider, cheaper) in providers.iter().zip(0..) {
			// The newest is the cheapest, so that each order gets the provider that it is meant for.
			provider.offer(stage.chain, AskTerms { price: PRICE - cheaper, ..ask(1) });
			place(stage.chain, terms(1, 3_600_000));
		}
		stage.read();
		let leases = 0..providers.len() as u64;
		stage.work_until(providers, 30, |_| {
			leases.clone().all(|lease| status(LeaseId(lease)) == Some(LeaseStatus::Active))
		});
		stage
	}

	/// Takes the open block's events over, at its end.
	fn read(&mut self) {
		self.chain.close_block();
		for event in events() {
			match event {
				RuntimeEvent::Slashing(event) => {
					assert!(!matches!(event, Event::Unexpected { .. }), "{event:?}");
					self.said.push(event);
				}
				RuntimeEvent::Attestation(pallet_attestation::Event::Unexpected { kind, .. }) => {
					panic!("{kind:?}")
				}
				_ => {}
			}
		}
		self.ledger.read(events());
		self.ledger.check();
	}

	fn work(&mut self, providers: &[Provider], blocks: u32) {
		for _ in 0..blocks {
			block_with(self.chain, providers);
			self.read();
		}
	}

	/// Returns how many blocks it took.
	#[track_caller]
	fn work_until(&mut self, providers: &[Provider], most: u32, mut is_so: impl FnMut(&Self) -> bool) -> u32 {
		for blocks in 1..=most {
			self.work(providers, 1);
			if is_so(self) {
				return blocks;
			}
		}
		panic!("it is not so after {most} blocks: {:?}", self.said);
	}

	/// In the next block with room somebody makes a call.
	fn call(&mut self, who: &impl Signer, call: impl Into<RuntimeCall>) {
		self.chain.open_block_with_room();
		self.chain.submit_ok(who, call);
		self.read();
	}

	fn council(&mut self, call: impl Into<RuntimeCall>) {
		self.chain.council_decides(call);
		self.read();
	}

	/// What was held for faults, and what of it was returned because they were excused.
	fn detected_and_excused(&self) -> (Balance, Balance) {
		self.said.iter().fold((0, 0), |(detected, excused), event| match event {
			Event::FaultCounted { amount, .. } => (detected + amount, excused),
			Event::FaultExcused { amount, .. } => (detected, excused + amount),
			_ => (detected, excused),
		})
	}
}

fn status(lease: LeaseId) -> Option<LeaseStatus> {
	pallet_leases::Leases::<Runtime>::get(lease).map(|lease| lease.status)
}

fn node(lease: u64) -> NodeStatus {
	pallet_leases::Leases::<Runtime>::get(LeaseId(lease)).unwrap().nodes[0].status
}

fn is_suspended(lease: u64) -> bool {
	matches!(node(lease), NodeStatus::Suspended { .. })
}

fn pending(provider: Provider) -> Balance {
	let reason = RuntimeHoldReason::Providers(pallet_providers::HoldReason::PendingSlash);
	Balances::balance_on_hold(&reason, &provider.account())
}

fn bonded(provider: Provider) -> Balance {
	pallet_providers::Providers::<Runtime>::get(provider.account()).unwrap().bonded
}

fn reputation(provider: Provider) -> Permill {
	<Providers as ProviderInspect<AccountId, Balance>>::facts(&provider.account()).unwrap().reputation
}

/// Dave goes dark until his lease is closed. Returns what is held then.
fn dave_goes_dark_for_good(stage: &mut Stage) -> Balance {
	stage.work_until(&[], 90, |_| status(LeaseId(0)).is_none());
	pending(DAVE)
}

/// Trap 19: slashing that is built and switched off. Here every preset has it on, and nobody has to call anything.
#[test]
fn trap_19_slashing_is_on() {
	for preset in ["development", "local_testnet", "testnet"] {
		crate::chain::preset_state(preset).execute_with(|| {
			let rate = <Runtime as pallet_slashing::Config>::DowntimeRate::get();
			assert_eq!(rate, sp_runtime::Perbill::from_rational(2u32, 10_000), "{preset}");
		});
	}
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		stage.work(&[], 150);
		assert!(stage.said.iter().any(|event| matches!(event, Event::SlashExecuted { .. })));
	});
}

/// Trap 10: an unsigned transaction that anybody can fill in. Here none of the market's calls takes one.
#[test]
fn trap_10_nothing_is_taken_from_somebody_who_does_not_sign() {
	on_development_chain(|chain| {
		let stage = Stage::with_leases(chain, &[DAVE]);
		stage.chain.open_block();
		let report = DAVE.honest_report(stage.chain);
		let outcome = millrace_primitives::JobOutcome::Failed(millrace_primitives::JobFailure::TimedOut);
		let (lease, job, slash) = (LeaseId(0), millrace_primitives::JobId(0), SLASH);
		let calls: Vec<RuntimeCall> = vec![
			pallet_attestation::Call::report { report }.into(),
			pallet_attestation::Call::report_job { lease, job, outcome }.into(),
			pallet_leases::Call::close { lease }.into(),
			pallet_leases::Call::poke { lease }.into(),
			pallet_slashing::Call::execute { slash }.into(),
			pallet_slashing::Call::appeal { slash, evidence: plan() }.into(),
			pallet_slashing::Call::resolve { slash, verdict: Verdict::Cancel }.into(),
			pallet_leases::Call::pause_market {}.into(),
			pallet_settlement::Call::settle { escrow: lease.into() }.into(),
		];
		for call in calls {
			let unsigned = UncheckedExtrinsic::new_bare(call.clone());
			let parent = millrace_runtime::System::parent_hash();
			let source = sp_runtime::transaction_validity::TransactionSource::External;
			let validity = Executive::validate_transaction(source, unsigned, parent);
			assert!(validity.is_err(), "{call:?} would get into the pool: {validity:?}");
			assert_noop!(call.dispatch(RuntimeOrigin::none()), sp_runtime::DispatchError::BadOrigin);
		}
	});
}

#[test]
fn going_dark_is_held_epoch_by_epoch_deferred_and_paid_to_the_renter_first() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		// Billing has stopped within one epoch and one of grace.
		assert!(stage.work_until(&[], 11, |_| is_suspended(0)) <= 10);
		assert_eq!((pending(DAVE), stage.said.len()), (0, 0));
		// Each further epoch moves its part at once.
		for epochs in 1..4 {
			stage.work(&[], 5);
			assert_eq!(pending(DAVE), epochs * PER_EPOCH);
			assert_eq!(bonded(DAVE), BOND - epochs * PER_EPOCH);
		}
		let held = dave_goes_dark_for_good(&mut stage);
		assert_eq!(held, 12 * PER_EPOCH + WALKOUT);
		assert!(matches!(stage.said.last(), Some(Event::EpisodeEnded { held: last, .. }) if *last == held));
		// Nobody calls anything.
		let blocks = stage.work_until(&[], 130, |_| pending(DAVE) == 0);
		assert!(blocks >= 60, "it was paid out after {blocks} blocks");
		let Some(Event::SlashExecuted { to_renter, to_insurance, to_treasury, .. }) = stage.said.last()
		else {
			panic!("{:?}", stage.said.last());
		};
		let unserved = 12 * UNSERVED + WALKOUT;
		assert_eq!(*to_renter, unserved.min(held));
		assert_eq!(*to_insurance, (held - to_renter) / 5);
		assert_eq!(to_renter + to_insurance + to_treasury, held);
		let record = Providers::record(DAVE.account()).unwrap();
		assert_eq!((record.faulted, record.slashed), (1, 1));
		assert!(reputation(DAVE) < Permill::from_percent(34));
	});
}

#[test]
fn whoever_comes_back_keeps_the_lease_and_pays_for_what_was_missed() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		stage.work_until(&[], 11, |_| is_suspended(0));
		stage.work(&[], 11);
		stage.work_until(&[DAVE], 8, |_| node(0) == NodeStatus::Active);
		assert_eq!(pending(DAVE), 2 * PER_EPOCH);
		assert!(matches!(stage.said.last(), Some(Event::EpisodeEnded { .. })));
		stage.work(&[DAVE], 100);
		assert_eq!((pending(DAVE), node(0)), (0, NodeStatus::Active));
		assert!(stage.said.iter().any(|event| matches!(event, Event::SlashExecuted { .. })));
		assert_eq!(Providers::record(DAVE.account()).unwrap().slashed, 1);
	});
}

#[test]
fn an_appeal_freezes_it_and_the_council_decides() {
	type Row = (Verdict, fn(Balance) -> Balance, bool);
	let rows: [Row; 3] = [
		(Verdict::Uphold, |held| held, true),
		(Verdict::Reduce { keep: Permill::from_percent(25) }, |held| held / 4, false),
		(Verdict::Cancel, |_| 0, false),
	];
	for (verdict, executed, bond_lost) in rows {
		on_development_chain(|chain| {
			let mut stage = Stage::with_leases(chain, &[DAVE]);
			let held = dave_goes_dark_for_good(&mut stage);
			let bond_before = bonded(DAVE);
			stage.call(&DAVE.owner, pallet_slashing::Call::appeal { slash: SLASH, evidence: plan() });
			// Long after it would have been paid out.
			stage.work(&[], 100);
			assert_eq!(pending(DAVE), held);
			stage.council(pallet_slashing::Call::resolve { slash: SLASH, verdict });
			let executed = executed(held);
			assert_eq!((pending(DAVE), bonded(DAVE)), (0, bond_before + held - executed));
			assert!(stage.said.iter().any(|event| matches!(
				event,
				Event::Resolved { executed: paid, returned, bond_lost: lost, .. }
					if (*paid, *returned, *lost) == (executed, held - executed, bond_lost)
			)));
		});
	}
}

#[test]
fn an_appeal_that_nobody_decides_lapses() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		let held = dave_goes_dark_for_good(&mut stage);
		stage.call(&DAVE.owner, pallet_slashing::Call::appeal { slash: SLASH, evidence: plan() });
		stage.work(&[], 700);
		assert_eq!(pending(DAVE), 0);
		assert!(stage.said.iter().any(|event| matches!(event, Event::AppealLapsed { .. })));
		assert_eq!(pallet_providers::Providers::<Runtime>::get(DAVE.account()).unwrap().slashed, held);
	});
}

/// Traps 1 and 3, complaints 15 and 18: nothing that the provider can do makes what is held smaller.
#[test]
fn complaint_15_no_exit_dodges_what_is_held() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		stage.work_until(&[], 11, |_| is_suspended(0));
		stage.work(&[], 10);
		let held = pending(DAVE);
		assert_eq!(held, 2 * PER_EPOCH);
		let exits: Vec<RuntimeCall> = vec![
			pallet_providers::Call::unbond { amount: 1 }.into(),
			pallet_providers::Call::remove_gpu { gpu: GpuIndex(0) }.into(),
			pallet_providers::Call::withdraw {}.into(),
			pallet_providers::Call::deregister {}.into(),
			pallet_slashing::Call::execute { slash: SLASH }.into(),
			pallet_slashing::Call::appeal { slash: SLASH, evidence: plan() }.into(),
		];
		for exit in exits {
			stage.chain.open_block_with_room();
			let outcome = stage.chain.submit(&DAVE.owner, exit.clone());
			assert!(matches!(outcome, Ok(Err(_))), "{exit:?} was accepted");
			stage.read();
		}
		// A new key, none at all, more bond, and all in one: they are accepted, and change nothing.
		let calls: Vec<RuntimeCall> = vec![
			pallet_providers::Call::set_worker { worker: CHARLIE.worker().account() }.into(),
			pallet_providers::Call::remove_worker {}.into(),
			pallet_providers::Call::bond { amount: BOND }.into(),
			pallet_leases::Call::leave { lease: LeaseId(0) }.into(),
			pallet_providers::Call::remove_gpu { gpu: GpuIndex(0) }.into(),
			pallet_providers::Call::unbond { amount: BOND }.into(),
		];
		stage.call(&DAVE.owner, pallet_utility::Call::batch_all { calls });
		assert!(pending(DAVE) >= held);
		stage.work(&[], 130);
		assert_eq!(pending(DAVE), 0);
		let (detected, excused) = stage.detected_and_excused();
		assert_eq!(excused, 0);
		assert_eq!(pallet_providers::Providers::<Runtime>::get(DAVE.account()).unwrap().slashed, detected);
		assert!(detected >= held);
	});
}

/// Complaint 16 and promise 5: when the chain stands still, nobody is punished, whatever the time says.
#[test]
fn complaint_16_a_stall_of_the_chain_is_nobodys_fault() {
	for slots in [30, 300, 900] {
		on_development_chain(|chain| {
			let mut stage = Stage::with_leases(chain, &[DAVE, FERDIE]);
			stage.chain.stall(slots);
			// It takes the workers two epochs to find the chain again.
			stage.work(&[], 10);
			stage.work(&[DAVE, FERDIE], 60);
			assert_eq!((stage.said.len(), pending(DAVE), pending(FERDIE)), (0, 0, 0));
			assert_eq!((node(0), node(1)), (NodeStatus::Active, NodeStatus::Active));
			assert!(FaultClock::is_running() && FaultClock::stopped_ms() >= slots * 1_000);
		});
	}
}

/// A stall in the middle of a provider's own fault: it pays for what it missed, and has as long to come back as was promised.
#[test]
fn a_stall_does_not_count_towards_a_fault_that_began_before_it() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE, FERDIE]);
		stage.work_until(&[FERDIE], 11, |_| is_suspended(0));
		stage.work(&[FERDIE], 6);
		let held = pending(DAVE);
		assert!(held > 0);
		stage.chain.stall(600);
		stage.work(&[FERDIE], 3);
		assert!(is_suspended(0));
		stage.work_until(&[DAVE, FERDIE], 8, |_| node(0) == NodeStatus::Active);
		assert!(pending(DAVE) <= held);
		assert_eq!(pending(FERDIE), 0);
	});
}

#[test]
fn a_mass_outage_is_nobodys_fault_and_what_was_held_returns() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE, FERDIE, CHARLIE]);
		stage.work(&[CHARLIE], 60);
		stage.work(&[DAVE, FERDIE, CHARLIE], 60);
		let (detected, excused) = stage.detected_and_excused();
		assert!(detected > 0);
		assert_eq!(detected, excused, "{:?}", stage.said);
		assert_eq!((pending(DAVE), pending(FERDIE), bonded(DAVE)), (0, 0, BOND));
		assert!(stage
			.said
			.iter()
			.any(|event| matches!(event, Event::FaultExcused { excuse: Excuse::MassOutage, .. })));
	});
}

#[test]
fn one_that_goes_dark_alone_is_not_excused_by_its_own_size() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE, FERDIE, CHARLIE]);
		// A third of all the capacity.
		stage.work(&[DAVE, FERDIE], 60);
		let (detected, excused) = stage.detected_and_excused();
		assert!(detected > 0);
		assert_eq!((excused, pending(CHARLIE)), (0, detected));
	});
}

#[test]
fn nothing_counts_while_the_market_is_paused() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		stage.council(pallet_leases::Call::pause_market {});
		stage.work(&[], 200);
		assert!(is_suspended(0));
		assert_eq!((stage.said.len(), pending(DAVE)), (0, 0));
		stage.council(pallet_leases::Call::resume_market {});
		// And for two epochs after it, so that everybody can come back.
		stage.work_until(&[DAVE], 9, |_| node(0) == NodeStatus::Active);
		assert_eq!((stage.said.len(), pending(DAVE)), (0, 0));
		// Whoever stays away then pays.
		stage.work(&[], 40);
		assert!(pending(DAVE) > 0);
	});
}

#[test]
fn nothing_counts_while_finality_lags() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE, FERDIE]);
		for _ in 0..60 {
			stage.chain.open_block();
			if stage.chain.has_room()
				&& crate::chain::worker_view(&FERDIE.worker().account()).unwrap().report_due
			{
				let mut report = FERDIE.honest_report(stage.chain);
				report.finalised_number = stage.chain.number().saturating_sub(21);
				stage.chain.submit_ok(&FERDIE.worker(), pallet_attestation::Call::report { report });
			}
			stage.read();
		}
		assert!(is_suspended(0));
		assert!(!FaultClock::is_running());
		// What was held before it showed is judged when the episode is over.
		assert!(pending(DAVE) <= PER_EPOCH);
		stage.work(&[DAVE, FERDIE], 40);
		let (detected, excused) = stage.detected_and_excused();
		assert_eq!((detected - excused, pending(DAVE)), (0, 0));
		assert_eq!(node(0), NodeStatus::Active);
	});
}

#[test]
fn a_lost_gpu_suspends_its_lease_and_costs_its_share() {
	on_development_chain(|chain| {
		let mut stage = Stage { chain, ledger: Ledger::of([]), said: Vec::new() };
		stage.chain.open_block();
		DAVE.join(stage.chain, 4);
		stage.read();
		stage.work_until(&[DAVE], 30, |_| DAVE.is_live());
		stage.chain.open_block();
		DAVE.offer(stage.chain, ask(4));
		place(stage.chain, terms(4, 3_600_000));
		stage.read();
		stage.work_until(&[DAVE], 20, |_| status(LeaseId(0)) == Some(LeaseStatus::Active));
		let report_without_a_gpu = |stage: &mut Stage, blocks: u32| {
			for _ in 0..blocks {
				stage.chain.open_block();
				let due = crate::chain::worker_view(&DAVE.worker().account()).unwrap().report_due;
				if stage.chain.has_room() && due {
					let mut report = DAVE.honest_report(stage.chain);
					report.gpus.retain(|health| health.gpu != GpuIndex(2));
					stage.chain.submit_ok(&DAVE.worker(), pallet_attestation::Call::report { report });
				}
				stage.read();
			}
		};
		report_without_a_gpu(&mut stage, 50);
		assert!(is_suspended(0));
		let Some(Event::FaultCounted { cause, dark_gpus, gpus, amount, .. }) = stage.said.last() else {
			panic!("{:?}", stage.said);
		};
		assert_eq!((*cause, *dark_gpus, *gpus), (SlashCause::GpuLost, 1, 4));
		assert_eq!(*amount, PER_EPOCH);
		report_without_a_gpu(&mut stage, 50);
		assert_eq!(status(LeaseId(0)), None);
		// The others can be leased again at once, the lost one after it was found again and again.
		let free = || Providers::capacity(DAVE.account(), crate::market::REFERENCE).free;
		assert_eq!(free(), 3);
		stage.work(&[DAVE], 30);
		assert_eq!(free(), 3);
		stage.work(&[DAVE], 60);
		assert_eq!(free(), 4);
	});
}

#[test]
fn an_offence_is_condemned_by_the_council_and_can_be_appealed() {
	on_development_chain(|chain| {
		let mut stage = Stage::with_leases(chain, &[DAVE]);
		stage.council(pallet_slashing::Call::condemn {
			provider: DAVE.account(),
			offence: pallet_slashing::Offence::FalseHardware,
			class: crate::market::REFERENCE,
			gpus: 1,
			share: Permill::from_percent(60),
			renter: Some((RENTER.account(), MILL)),
			evidence: plan(),
		});
		assert_eq!((pending(DAVE), bonded(DAVE)), (60 * MILL, 40 * MILL));
		// No limit of an era, and no new lease without a bond.
		assert_eq!(Providers::free_bond(DAVE.account()), Some(0));
		stage.call(&DAVE.owner, pallet_slashing::Call::appeal { slash: SLASH, evidence: plan() });
		let slash = Slashing::slash(SLASH).unwrap();
		assert!(matches!(slash.status, SlashStatus::Appealed { bond, .. } if bond == 6 * MILL));
		stage.council(pallet_slashing::Call::resolve { slash: SLASH, verdict: Verdict::Uphold });
		let Some(Event::SlashExecuted { to_renter, to_insurance, to_treasury, .. }) =
			stage.said.iter().find(|event| matches!(event, Event::SlashExecuted { .. }))
		else {
			panic!("{:?}", stage.said);
		};
		assert_eq!((*to_renter, *to_insurance), (MILL, 59 * MILL / 5));
		assert_eq!(to_renter + to_insurance + to_treasury, 60 * MILL);
	});
}
