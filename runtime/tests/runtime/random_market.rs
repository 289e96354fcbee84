//! Random lives of a whole market with all its real pallets: after every step the invariants hold, within pallets and across
//! them, and every unit that was ever deposited is paid, collected, given back or still held.

use crate::{
	chain::{check_invariants, events, preset_state, worker_view, Chain, Signer, START},
	market::{ask, plan, terms, Provider, CHARLIE, DAVE, FERDIE, PRICE, REFERENCE, RENTER},
};
use frame_support::assert_ok;
use millrace_primitives::{
	AskId, AskTerms, Asset, Constraints, EscrowId, Failover, FirstJob, LeaseId, Matching, NodeIndex, OrderId,
	OrderTerms, SlashId, StreamId, Term,
};
use millrace_runtime::{
	constants::MILL, Assets, Attestation, Balance, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin,
	Settlement, Slashing,
};
use pallet_allowances::Call as Allowances;
use pallet_leases::Call as Leases;
use pallet_providers::Call as Registry;
use pallet_settlement::Call as Money;
use pallet_slashing::{Call as Faults, Offence, Verdict};
use proptest::prelude::*;
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};
use sp_runtime::{traits::Dispatchable, MultiAddress, Permill};
use std::collections::BTreeMap;

const PROVIDERS: [Provider; 3] = [DAVE, FERDIE, CHARLIE];
const RENTERS: [Sr25519Keyring; 2] = [RENTER, Bob];
/// Rents for both of them.
const AGENT: Sr25519Keyring = Alice;
const TOKEN: u32 = 7;

#[derive(Clone, Debug)]
enum Step {
	/// Somebody makes a call.
	Call(Sr25519Keyring, RuntimeCall),
	/// Root, which stands for the council, makes a call.
	Govern(RuntimeCall),
	/// So many slots without a block.
	Stall(u64),
	/// So many blocks, in which the workers of these providers do their duty.
	Blocks(u8, [bool; 3]),
}

fn assets() -> impl Strategy<Value = Asset> {
	prop_oneof![4 => Just(Asset::Native), 1 => Just(Asset::Token(TOKEN))]
}

fn prices() -> impl Strategy<Value = Balance> {
	prop_oneof![Just(PRICE), Just(PRICE + 5), Just(PRICE * 2)]
}

fn orders() -> impl Strategy<Value = OrderTerms> {
	let when = (
		prop_oneof![
			3 => (5_000..60_000u64).prop_map(|ms| Term::Fixed { ms }),
			2 => (16_000..60_000u64).prop_map(|funded_ms| Term::OpenEnded { funded_ms }),
		],
		prop_oneof![4 => Just(Matching::Instant), 1 => (1..6u32).prop_map(|blocks| Matching::Auction { blocks })],
		proptest::option::weighted(0.1, (START..START + 90_000u64).boxed()),
		prop_oneof![Just(0), 1_000..60_000u64],
	);
	let what = (1..4u32, 1..3u32, prices(), assets(), proptest::option::of(1..3u32));
	let how = (proptest::option::of(0..500_000u32), proptest::collection::vec(0..3u8, 0..2));
	(what, when, how).prop_map(|((nodes, gpus, max_price, asset, per_owner), when, (premium, jobs))| {
		let (term, matching, starts_at, rests_ms) = when;
		let job = |node| FirstJob { node: NodeIndex(node), plan: plan() };
		OrderTerms {
			nodes,
			max_price,
			asset,
			term,
			constraints: Constraints { max_nodes_per_owner: per_owner, ..Default::default() },
			failover: match premium {
				Some(parts) => Failover::Replace { premium: Permill::from_parts(parts) },
				None => Failover::Close,
			},
			matching,
			starts_at,
			rests_ms,
			jobs: jobs.into_iter().map(job).collect::<Vec<_>>().try_into().unwrap(),
			..terms(gpus, 0)
		}
	})
}

fn renter_calls() -> impl Strategy<Value = RuntimeCall> {
	let lease = || (0..8u64).prop_map(LeaseId);
	let escrow = || (0..8u64).prop_map(EscrowId);
	prop_oneof![
		8 => orders().prop_map(|terms| Leases::place_order { terms }.into()),
		2 => (0..8u64).prop_map(|order| Leases::cancel_order { order: OrderId(order) }.into()),
		2 => (lease(), 0..3u8).prop_map(|(lease, node)| {
			Leases::submit_job { lease, node: NodeIndex(node), plan: plan() }.into()
		}),
		2 => (lease(), 0..20_000u64).prop_map(|(lease, extra_ms)| Leases::extend { lease, extra_ms }.into()),
		2 => (lease(), 0..MILL).prop_map(|(lease, amount)| Leases::top_up { lease, amount }.into()),
		2 => (lease(), 5_000..30_000u64).prop_map(|(lease, term_ms)| Leases::shrink { lease, term_ms }.into()),
		2 => lease().prop_map(|lease| Leases::close { lease }.into()),
		1 => lease().prop_map(|lease| Leases::reject { lease }.into()),
		1 => lease().prop_map(|lease| Leases::poke { lease }.into()),
		2 => escrow().prop_map(|escrow| Money::settle { escrow }.into()),
		2 => escrow().prop_map(|escrow| Money::accept { escrow }.into()),
		3 => (escrow(), 0..3u32).prop_map(|(escrow, stream)| {
			Money::contest { escrow, stream: StreamId(stream), evidence: plan() }.into()
		}),
	]
}

fn provider_calls() -> impl Strategy<Value = RuntimeCall> {
	let lease = || (0..8u64).prop_map(LeaseId);
	let notice = || 5_000..20_000u64;
	let asks = (prices(), assets(), 1..3u32, proptest::option::of(30_000..90_000u64), notice());
	prop_oneof![
		6 => (asks, 20_000..200_000u64).prop_map(|((price, asset, gpus, max_term_ms, reclaim_notice_ms), lifetime_ms)| {
			let terms = AskTerms { price, asset, max_term_ms, reclaim_notice_ms, ..ask(gpus) };
			Leases::post_ask { terms, lifetime_ms }.into()
		}),
		1 => (0..8u64).prop_map(|ask| Leases::withdraw_ask { ask: AskId(ask) }.into()),
		4 => (0..8u64, prices(), notice()).prop_map(|(order, price, reclaim_notice_ms)| {
			Leases::place_bid { order: OrderId(order), price: price - 1, reclaim_notice_ms }.into()
		}),
		1 => (0..8u64).prop_map(|order| Leases::withdraw_bid { order: OrderId(order) }.into()),
		2 => lease().prop_map(|lease| Leases::reclaim { lease }.into()),
		1 => lease().prop_map(|lease| Leases::leave { lease }.into()),
		1 => (0..MILL * 200).prop_map(|amount| Registry::bond { amount }.into()),
		1 => (0..MILL * 200).prop_map(|amount| Registry::unbond { amount }.into()),
		1 => Just(Registry::withdraw {}.into()),
		3 => (0..6u64).prop_map(|slash| Faults::appeal { slash: SlashId(slash), evidence: plan() }.into()),
		1 => (0..6u64).prop_map(|slash| Faults::execute { slash: SlashId(slash) }.into()),
	]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
	let renter = || proptest::sample::select(&RENTERS[..]);
	let provider = proptest::sample::select(&PROVIDERS[..]).prop_map(|provider| provider.owner);
	let agents = (renter(), renter_calls()).prop_map(|(owner, call)| {
		Step::Call(AGENT, Allowances::spend { owner: owner.account(), call: Box::new(call) }.into())
	});
	let grants = (renter(), assets(), 0..MILL * 2).prop_map(|(owner, asset, amount)| {
		let (delegate, max_rate, lifetime_ms) = (AGENT.account(), PRICE * 4, 60_000);
		Step::Call(owner, Allowances::grant { delegate, asset, amount, max_rate, lifetime_ms }.into())
	});
	let verdicts = (0..8u64, 0..3u32, 0..3u32).prop_map(|(escrow, stream, halves)| {
		let payee_share = Permill::from_percent(halves * 50);
		Money::resolve_contest { escrow: EscrowId(escrow), stream: StreamId(stream), payee_share }.into()
	});
	let verdict = prop_oneof![
		Just(Verdict::Uphold),
		(0..1_000_000u32).prop_map(|parts| Verdict::Reduce { keep: Permill::from_parts(parts) }),
		Just(Verdict::Cancel),
	];
	let slashes = (0..6u64, verdict)
		.prop_map(|(slash, verdict)| Faults::resolve { slash: SlashId(slash), verdict }.into());
	let condemns =
		(proptest::sample::select(&PROVIDERS[..]), 1..3u32, 50..101u32).prop_map(|(who, gpus, share)| {
			Faults::condemn {
				provider: who.account(),
				offence: Offence::BadResult,
				class: REFERENCE,
				gpus,
				share: Permill::from_percent(share),
				renter: Some((RENTER.account(), MILL)),
				evidence: plan(),
			}
			.into()
		});
	let pauses = any::<bool>().prop_map(|on| {
		if on {
			Leases::pause_market {}.into()
		} else {
			Leases::resume_market {}.into()
		}
	});
	let closes = (0..8u64).prop_map(|lease| Leases::force_close { lease: LeaseId(lease) }.into());
	// Mostly dutiful, so that something is earned.
	let dutiful = || proptest::bool::weighted(0.8);
	let step = prop_oneof![
		8 => (renter(), renter_calls()).prop_map(|(who, call)| Step::Call(who, call)),
		6 => (provider, provider_calls()).prop_map(|(who, call)| Step::Call(who, call)),
		3 => agents,
		1 => grants,
		1 => prop_oneof![6 => verdicts, 2 => closes, 4 => slashes, 1 => condemns, 1 => pauses].prop_map(Step::Govern),
		1 => (1..600u64).prop_map(Step::Stall),
		12 => (1..12u8, [dutiful(), dutiful(), dutiful()]).prop_map(|(blocks, duty)| Step::Blocks(blocks, duty)),
	];
	proptest::collection::vec(step, 1..80)
}

/// What the events say of one escrow.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Flows {
	deposited: Balance,
	refunded: Balance,
	paid: Balance,
	fee: Balance,
}

/// All escrows, rebuilt from events.
#[derive(Default)]
struct Book {
	flows: BTreeMap<EscrowId, Flows>,
	/// Of each slash: what was detected, executed, returned.
	slashes: BTreeMap<SlashId, (Balance, Balance, Balance)>,
	/// Events of the open block that were read already.
	read: usize,
}

impl Book {
	/// Takes over what happened since the last call in the open block.
	fn read(&mut self) {
		for event in events().into_iter().skip(self.read) {
			self.read += 1;
			match event {
				RuntimeEvent::Settlement(event) => self.read_money(event),
				RuntimeEvent::Slashing(event) => self.read_slash(event),
				RuntimeEvent::Leases(pallet_leases::Event::Unexpected { kind }) => panic!("{kind:?}"),
				RuntimeEvent::Attestation(pallet_attestation::Event::Unexpected { kind, .. }) => {
					panic!("{kind:?}")
				}
				_ => {}
			}
		}
	}

	fn read_slash(&mut self, event: pallet_slashing::Event<Runtime>) {
		use pallet_slashing::Event;
		let mut add = |slash, detected, executed, returned| {
			let sums = self.slashes.entry(slash).or_default();
			*sums = (sums.0 + detected, sums.1 + executed, sums.2 + returned);
		};
		match event {
			Event::FaultCounted { slash, amount, .. } | Event::Condemned { slash, amount, .. } => {
				add(slash, amount, 0, 0);
			}
			Event::FaultExcused { slash, amount, .. } => add(slash, 0, 0, amount),
			Event::Resolved { slash, returned, .. } => add(slash, 0, 0, returned),
			Event::SlashExecuted { slash, to_renter, to_insurance, to_treasury, .. } => {
				add(slash, 0, to_renter + to_insurance + to_treasury, 0);
			}
			Event::Unexpected { kind, .. } => panic!("{kind:?}"),
			_ => {}
		}
	}

	fn read_money(&mut self, event: pallet_settlement::Event<Runtime>) {
		use pallet_settlement::Event;
		match event {
			Event::EscrowOpened { escrow, amount, .. } | Event::ToppedUp { escrow, amount } => {
				self.of(escrow).deposited += amount;
			}
			Event::Refunded { escrow, amount } => self.of(escrow).refunded += amount,
			Event::Settled { escrow, paid, fee, .. } => {
				self.of(escrow).paid += paid;
				self.of(escrow).fee += fee;
			}
			Event::RemainderCollected { escrow, amount } => self.of(escrow).fee += amount,
			Event::EscrowClosed { escrow, deposited, refunded, paid, fee, .. } => {
				assert_eq!(
					*self.of(escrow),
					Flows { deposited, refunded, paid, fee },
					"the receipt is wrong"
				);
				assert_eq!(paid + fee + refunded, deposited, "the receipt does not add up");
				self.flows.remove(&escrow);
			}
			_ => {}
		}
	}

	fn of(&mut self, escrow: EscrowId) -> &mut Flows {
		self.flows.entry(escrow).or_default()
	}

	/// What is stored is what the events say, and what is owed, contested and free adds up to what is held.
	fn check(&self) {
		let escrows: BTreeMap<_, _> = pallet_settlement::Escrows::<Runtime>::iter()
			.map(|(id, escrow)| {
				let held = escrow.deposited - escrow.refunded - escrow.paid - escrow.fee;
				let owed: Balance = escrow.streams.iter().map(|stream| stream.owed()).sum();
				assert!(owed <= held, "more is owed than is held");
				let summary = Settlement::summary(id).unwrap();
				let parts = summary.claimable + summary.maturing + summary.contested + summary.free;
				assert!(parts <= held && summary.free == held - owed, "{summary:?}");
				let (deposited, refunded) = (escrow.deposited, escrow.refunded);
				(id, Flows { deposited, refunded, paid: escrow.paid, fee: escrow.fee })
			})
			.collect();
		assert_eq!(escrows, self.flows, "the escrows are not what the events say");
		for (slash, (detected, executed, returned)) in &self.slashes {
			let held = Slashing::slash(*slash).map_or(0, |slash| slash.held);
			assert_eq!(*detected, held + executed + returned, "slash {slash} is not what the events say");
		}
	}
}

/// Ends the open block, whose hooks run then, and opens another in which these workers do their duty.
fn block(chain: &mut Chain, book: &mut Book, duty: [bool; 3]) {
	chain.close_block();
	book.read();
	book.check();
	chain.open_block();
	book.read = 0;
	for (provider, _) in PROVIDERS.iter().zip(duty).filter(|(_, duty)| *duty) {
		let worker = provider.worker().account();
		if worker_view(&worker).unwrap().report_due {
			let report = provider.honest_report(chain);
			assert_ok!(Attestation::report(RuntimeOrigin::signed(worker), report));
		}
	}
}

fn prepare(chain: &mut Chain) {
	chain.open_block();
	for provider in PROVIDERS {
		provider.join(chain, 3);
	}
	let issuer = Alice.to_account_id();
	let id = TOKEN.into();
	assert_ok!(Assets::force_create(RuntimeOrigin::root(), id, MultiAddress::Id(issuer.clone()), true, 10));
	for renter in RENTERS {
		let renter = MultiAddress::Id(renter.account());
		assert_ok!(Assets::mint(RuntimeOrigin::signed(issuer.clone()), id, renter, MILL * 1_000));
	}
	assert_ok!(Settlement::allow_asset(RuntimeOrigin::root(), TOKEN));
}

fn take(chain: &mut Chain, book: &mut Book, step: Step) {
	// A refused call leaves no trace: the dispatch itself sees to that.
	match step {
		Step::Call(who, call) => drop(call.dispatch(RuntimeOrigin::signed(who.account()))),
		Step::Govern(call) => drop(call.dispatch(RuntimeOrigin::root())),
		Step::Stall(slots) => {
			chain.close_block();
			book.read();
			chain.stall(slots);
			chain.open_block();
			book.read = 0;
		}
		Step::Blocks(blocks, duty) => {
			for _ in 0..blocks {
				block(chain, book, duty);
			}
		}
	}
	book.read();
	book.check();
	check_invariants();
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

	#[test]
	fn every_unit_is_accounted_for(steps in steps()) {
		preset_state("development").execute_with(|| {
			let (mut chain, mut book) = (Chain::at_head(), Book::default());
			prepare(&mut chain);
			// Everybody is live before it begins.
			for _ in 0..21 {
				block(&mut chain, &mut book, [true; 3]);
			}
			for step in steps {
				take(&mut chain, &mut book, step);
			}
			// And goes on for a while with nobody but the workers.
			for _ in 0..20 {
				block(&mut chain, &mut book, [true; 3]);
			}
			check_invariants();
			chain.close_block();
		});
	}
}
