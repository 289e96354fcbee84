//! What the market costs on this machine: the weight that is charged beside the time that is measured, with a balance transfer in
//! the same run. Prints a table, or with `--json` one JSON object.
//!
//! The runtime runs natively on a trie in memory: the times are those of the code, without a database's. Signatures are checked in
//! every transaction that is measured, as a node does.
//!
//! `cargo run --release --example market_costs`

#![expect(
	clippy::expect_used,
	clippy::unwrap_used,
	reason = "a tool for measuring stops where it cannot go on"
)]

#[path = "../tests/runtime/chain.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod chain;

use chain::{Chain, Signer};
use frame_support::{
	storage::{with_transaction_unchecked, TransactionOutcome::Rollback},
	weights::{Weight, WeightMeter},
};
use millrace_primitives::{
	AskTerms, Asset, Balance, ClassId, Constraints, Failover, GpuHealth, Hash, LeaseId, LeaseUsage, Matching,
	OrderTerms, Report, Term,
};
use millrace_runtime::{constants::MILL, AccountId, Runtime, RuntimeCall, System};
use pallet_leases::{AgendaItem, LeaseOf};
use sp_core::{sr25519, Pair};
use sp_io::hashing::blake2_256;
use sp_keyring::Sr25519Keyring;
use std::time::{Duration, Instant};

/// The development chain's class of reference CPUs.
const REFERENCE: ClassId = ClassId(0);
/// Each figure is the median of so many runs.
const RUNS: usize = 21;
/// Price of every ask, in plancks per GPU and second.
const PRICE: Balance = MILL / 1_000;

/// One measured figure.
struct Figure {
	what: &'static str,
	of: u32,
	weight: Weight,
	time: Duration,
}

fn main() {
	let json = std::env::args().any(|argument| argument == "--json");
	let mut figures = vec![transfer()];
	figures.extend([1, 10, 64].map(report));
	figures.extend([1, 10, 64].map(place_order));
	figures.extend([0, 1_000, 100_000].map(hooks));
	if json {
		let rows: Vec<_> = figures.iter().map(Figure::json).collect();
		println!("{}", serde_json::Value::from(rows));
		return;
	}
	println!("{:<44}{:>9}{:>14}{:>14}", "", "of", "weight (us)", "time (us)");
	for Figure { what, of, weight, time } in figures {
		let charged = weight.ref_time() / 1_000_000;
		println!("{what:<44}{of:>9}{charged:>14}{:>14.1}", time.as_secs_f64() * 1e6);
	}
}

impl Figure {
	fn json(&self) -> serde_json::Value {
		serde_json::json!({
			"what": self.what,
			"of": self.of,
			"weightMicros": self.weight.ref_time() / 1_000_000,
			"micros": self.time.as_secs_f64() * 1e6,
		})
	}
}

/// Median time of something that is rolled back after each run.
fn median(mut run: impl FnMut()) -> Duration {
	let mut times: Vec<_> = (0..RUNS)
		.map(|_| {
			with_transaction_unchecked(|| {
				let start = Instant::now();
				run();
				Rollback(start.elapsed())
			})
		})
		.collect();
	times.sort();
	times[RUNS / 2]
}

/// Works on the state's chain with a block that is open.
fn on_open_chain<Result>(work: impl FnOnce(&mut Chain) -> Result) -> Result {
	let mut chain = Chain::at_head();
	chain.open_block();
	let result = work(&mut chain);
	chain.close_block();
	result
}

/// Weight and time of one transaction in the open block.
fn transaction(
	what: &'static str,
	of: u32,
	chain: &mut Chain,
	signer: &impl Signer,
	call: RuntimeCall,
) -> Figure {
	let mut weight = Weight::zero();
	let time = median(|| {
		let before = System::block_weight().total();
		chain.submit_ok(signer, call.clone());
		weight = System::block_weight().total().saturating_sub(before);
	});
	Figure { what, of, weight, time }
}

fn transfer() -> Figure {
	let mut state = chain::preset_state("development");
	state.execute_with(|| {
		on_open_chain(|chain| {
			let call = pallet_balances::Call::transfer_keep_alive {
				dest: Sr25519Keyring::Bob.to_account_id().into(),
				value: MILL,
			};
			transaction("balance transfer", 1, chain, &Sr25519Keyring::Alice, call.into())
		})
	})
}

/// A report that attests so many leases of one provider. A provider has at most 64.
fn report(leases: u32) -> Figure {
	let mut state = chain::preset_state("development");
	let worker = state.execute_with(|| {
		on_open_chain(|chain| {
			let worker = provider(chain, 0, leases);
			ask(chain, 0, leases, 5_000);
			for _ in 0..leases {
				chain.submit_ok(&Sr25519Keyring::Eve, order());
			}
			chain.close_block();
			worker
		})
	});
	// The state that the report meets is in the trie, not in the block's own changes.
	state.commit_all().expect("no transaction is open");
	state.execute_with(|| {
		on_open_chain(|chain| {
			// The first report makes the leases active, the second bills them.
			chain.submit_ok(&worker, full_report(&worker, chain));
			for _ in 0..5 {
				chain.open_block();
			}
			let call = full_report(&worker, chain);
			transaction("report that settles leases", leases, chain, &worker, call)
		})
	})
}

/// An order that the last of so many asks fits, so that all are looked at.
fn place_order(asks: u32) -> Figure {
	let mut state = chain::preset_state("development");
	state.execute_with(|| {
		on_open_chain(|chain| {
			for number in 0..asks {
				let worker = provider(chain, number, 1);
				chain.submit_ok(&worker, full_report(&worker, chain));
				let shortest = if number + 1 == asks { 5_000 } else { 3_600_000 };
				ask(chain, number, 1, shortest);
			}
			chain.open_block();
			transaction("place_order that looks at asks", asks, chain, &Sr25519Keyring::Eve, order())
		})
	})
}

/// The hooks of a block in which nothing is due, with so many providers and leases registered.
fn hooks(registered: u32) -> Figure {
	let mut state = chain::preset_state("development");
	state.execute_with(|| {
		on_open_chain(|chain| {
			let worker = provider(chain, 0, 1);
			chain.submit_ok(&worker, full_report(&worker, chain));
			ask(chain, 0, 1, 5_000);
			chain.submit_ok(&Sr25519Keyring::Eve, order());
			chain.close_block();
		});
		// Copies of real records under other keys: what a hook could step over if it looked at what is merely registered.
		let owner = Sr25519Keyring::Dave.to_account_id();
		let record = pallet_providers::Providers::<Runtime>::get(&owner).expect("registered above");
		let (_, lease): (LeaseId, LeaseOf<Runtime>) =
			pallet_leases::Leases::<Runtime>::iter().next().expect("opened above");
		let later = System::block_number() + 10_000;
		for number in 0..registered {
			let account = AccountId::new(blake2_256(&number.to_le_bytes()));
			pallet_providers::Providers::<Runtime>::insert(&account, record.clone());
			pallet_attestation::Agenda::<Runtime>::insert(later, account, ());
			let id = LeaseId(1_000 + u64::from(number));
			pallet_leases::Leases::<Runtime>::insert(id, LeaseOf::<Runtime> { due: later, ..lease.clone() });
			pallet_leases::Agenda::<Runtime>::insert(later, AgendaItem::Lease(id), ());
		}
	});
	state.commit_all().expect("no transaction is open");
	state.execute_with(|| {
		use frame_support::traits::OnPoll;
		let number = System::block_number() + 1;
		let mut weight = Weight::zero();
		let time = median(|| {
			let mut meter = WeightMeter::new();
			pallet_leases::Pallet::<Runtime>::on_poll(number, &mut meter);
			pallet_attestation::Pallet::<Runtime>::on_poll(number, &mut meter);
			weight = meter.consumed();
		});
		Figure { what: "block hooks with nothing due, registered", of: registered, weight, time }
	})
}

/// Provider of this number. The first is Dave.
fn owner(number: u32) -> sr25519::Pair {
	match number {
		0 => Sr25519Keyring::Dave.pair(),
		_ => sr25519::Pair::from_string(&format!("//provider//{number}"), None).expect("a valid path"),
	}
}

/// Registers a provider with so many GPUs; returns its worker.
fn provider(chain: &mut Chain, number: u32, gpus: u32) -> sr25519::Pair {
	let owner = owner(number);
	let worker = sr25519::Pair::from_string(&format!("//worker//{number}"), None).expect("a valid path");
	if number > 0 {
		let call = pallet_balances::Call::transfer_keep_alive {
			dest: owner.account().into(),
			value: (Balance::from(gpus) * 100 + 20) * MILL,
		};
		chain.submit_ok(&Sr25519Keyring::Alice, call);
	}
	let call = pallet_providers::Call::register {
		endpoint: b"wss://gpu.example:9944".to_vec().try_into().expect("short"),
		country: *b"CH",
		network: 64_500,
		operator_group: None,
	};
	chain.submit_ok(&owner, call);
	chain.submit_ok(&owner, pallet_providers::Call::bond { amount: Balance::from(gpus) * 100 * MILL });
	chain.submit_ok(&owner, pallet_providers::Call::set_worker { worker: worker.account() });
	for gpu in 0..gpus {
		let uuid_hash = Hash::from(blake2_256(&[number.to_le_bytes(), gpu.to_le_bytes()].concat()));
		chain.submit_ok(&owner, pallet_providers::Call::add_gpu { class: REFERENCE, uuid_hash });
	}
	chain.submit_ok(&worker, full_report(&worker, chain));
	chain.open_block();
	worker
}

fn ask(chain: &mut Chain, number: u32, gpus: u32, min_term_ms: u64) {
	let terms = AskTerms {
		class: REFERENCE,
		gpus,
		price: PRICE,
		asset: Asset::Native,
		min_term_ms,
		max_term_ms: Some(3_600_000),
		reclaim_notice_ms: 3_600_000,
	};
	chain.submit_ok(&owner(number), pallet_leases::Call::post_ask { terms, lifetime_ms: 24 * 3_600_000 });
}

fn order() -> RuntimeCall {
	let terms = OrderTerms {
		class: REFERENCE,
		nodes: 1,
		gpus_per_node: 1,
		max_price: PRICE,
		asset: Asset::Native,
		term: Term::Fixed { ms: 600_000 },
		constraints: Constraints::default(),
		failover: Failover::Close,
		matching: Matching::Instant,
		starts_at: None,
		rests_ms: 0,
		jobs: Default::default(),
	};
	pallet_leases::Call::place_order { terms }.into()
}

/// The report that an honest worker would send now.
fn full_report(worker: &sr25519::Pair, chain: &Chain) -> RuntimeCall {
	let view = chain::worker_view(&worker.account()).expect("a provider's worker");
	let report = Report {
		epoch: view.epoch,
		finalised_number: chain.number().saturating_sub(1),
		finalised_hash: Hash::zero(),
		gpus: view
			.gpus
			.iter()
			.map(|gpu| GpuHealth { gpu: gpu.gpu, healthy: true })
			.collect::<Vec<_>>()
			.try_into()
			.expect("at most 64"),
		leases: view
			.leases
			.iter()
			.map(|lease| LeaseUsage { lease: lease.lease, busy_ms: 0, jobs_ended: 0, checkpoint: None })
			.collect::<Vec<_>>()
			.try_into()
			.expect("at most 64"),
	};
	pallet_attestation::Call::report { report }.into()
}
