//! What the market costs: the weight that is charged and the time that is taken, beside those of a plain transfer in the same
//! run.
//!
//! Calls are whole signed transactions, from the check of the signature to the refund of weight. Hooks are those of a block
//! without transactions. The runtime runs natively on a state in memory, so that the times say what grows with what, and how
//! one cost compares with another; a node's Wasm and disk take longer for all of them.
//!
//! `cargo bench --workspace --bench market_costs` prints a table, with `-- --json FILE` it writes the figures there too.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a measurement that fails is none")]

#[path = "../tests/runtime/chain.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod chain;
#[path = "../tests/runtime/market.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod market;

use chain::{preset_json, preset_state, signed as signed_by, state_of, Chain, Signer};
use frame_support::{
	assert_ok,
	dispatch::DispatchClass,
	hypothetically,
	traits::{OnInitialize, OnPoll},
	weights::{Weight, WeightMeter},
};
use market::{ask, report, terms, REFERENCE, RENTER};
use millrace_primitives::{
	AskTerms, Balance, GpuIndex, LeaseInspect, ProviderLiveness, Report, MAX_GPUS_PER_PROVIDER,
	MAX_LEASES_PER_PROVIDER,
};
use millrace_runtime::{
	configs::system::RuntimeBlockWeights, constants::MILL, AccountId, AllPalletsWithSystem, Attestation,
	Balances, Executive, Leases, Providers, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, System,
};
use pallet_leases::MAX_ASKS_LOOKED_AT;
use serde_json::json;
use sp_core::{sr25519, Pair};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::MultiAddress;
use std::time::{Duration, Instant};

/// How often each cost is measured. The median counts.
const REPEATS: usize = 21;
/// Registered providers and leases of which nothing is due.
const REGISTERED: [u32; 3] = [0, 1_000, 100_000];
/// Providers whose reports stay away in one idle epoch.
const ABSENT: u32 = 10_000;
/// Epochs of production, in blocks.
const LEASED_EPOCH: u32 = 10;
const IDLE_EPOCH: u32 = 100;
const TERM_MS: u64 = 24 * 3_600_000;

/// A measured cost.
struct Cost {
	what: String,
	weight: Weight,
	time: Duration,
}

fn account(role: &str, index: u32) -> AccountId {
	sp_io::hashing::blake2_256(format!("{role} {index}").as_bytes()).into()
}

fn key(role: &str) -> sr25519::Pair {
	sr25519::Pair::from_string(&format!("//{role}"), None).expect("a derivation path")
}

fn signed(who: &AccountId) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.clone())
}

/// Registers a provider with so many GPUs, that reports. Calls are dispatched as they are: what building costs is not what is
/// measured.
fn provider(who: &AccountId, worker: AccountId, gpus: u32) {
	let id = MultiAddress::Id(who.clone());
	assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), id, 10_000 * MILL));
	let endpoint = b"wss://gpu.example:9944".to_vec().try_into().expect("it is short");
	assert_ok!(Providers::register(signed(who), endpoint, *b"CH", 0));
	if gpus == 0 {
		return;
	}
	assert_ok!(Providers::bond(signed(who), Balance::from(gpus) * 100 * MILL));
	assert_ok!(Providers::set_worker(signed(who), worker));
	for gpu in 0..gpus {
		let uuid_hash = sp_io::hashing::blake2_256(format!("{who} {gpu}").as_bytes()).into();
		assert_ok!(Providers::add_gpu(signed(who), REFERENCE, uuid_hash));
	}
	assert!(Providers::mark_live(who));
}

fn offer(who: &AccountId, terms: AskTerms) {
	assert_ok!(Leases::post_ask(signed(who), terms, 24 * 3_600_000));
}

/// Orders that many leases of one GPU each.
fn order(leases: u32) {
	for _ in 0..leases {
		assert_ok!(Leases::place_order(signed(&RENTER.account()), terms(1, TERM_MS)));
	}
}

fn rich_renter() {
	let id = MultiAddress::Id(RENTER.account());
	assert_ok!(Balances::force_set_balance(RuntimeOrigin::root(), id, 1_000_000_000_000 * MILL));
}

/// A development chain with what `build` makes of it, which is on the disk, as it were, and a block with room for
/// transactions. It has one already: the hooks that wait for the inherents run with the first.
fn prepared(build: impl FnOnce(&mut Chain)) -> (TestExternalities, Chain) {
	let mut state = preset_state("development");
	let mut chain = state.execute_with(|| {
		let mut chain = Chain::at_head();
		chain.open_block_with_room();
		rich_renter();
		build(&mut chain);
		chain.close_block();
		chain
	});
	state.commit_all().expect("no transaction is open");
	state.execute_with(|| {
		chain.open_block_with_room();
		chain.submit_ok(&Bob, frame_system::Call::remark { remark: Vec::new() });
	});
	(state, chain)
}

/// Measures what `act` does in the open block, and takes it back each time.
fn measure(what: String, state: &mut TestExternalities, mut act: impl FnMut()) -> Cost {
	state.execute_with(|| {
		let mut measured: Vec<(Duration, Weight)> = (0..REPEATS)
			.map(|_| {
				hypothetically!({
					let before = System::block_weight().total();
					let start = Instant::now();
					act();
					(start.elapsed(), System::block_weight().total().saturating_sub(before))
				})
			})
			.collect();
		measured.sort_by_key(|(time, _)| *time);
		let (time, weight) = measured[REPEATS / 2];
		Cost { what, weight, time }
	})
}

fn transaction(
	what: String,
	mut state: TestExternalities,
	signer: &impl Signer,
	call: impl Into<RuntimeCall>,
) -> Cost {
	// Signing is the sender's work.
	let transaction = state.execute_with(|| signed_by(signer, call.into()));
	measure(what, &mut state, || {
		let result = Executive::apply_extrinsic(transaction.clone());
		assert!(matches!(result, Ok(Ok(_))), "{result:?}");
	})
}

fn transfer() -> Cost {
	let call =
		pallet_balances::Call::transfer_keep_alive { dest: MultiAddress::Id(Bob.account()), value: MILL };
	transaction("transfer".into(), prepared(|_| ()).0, &Alice, call)
}

/// A provider's report that attests so many leases, each of them for one epoch.
fn report_settling(leases: u32) -> Cost {
	let (owner, worker) = (account("provider", 0), key("worker"));
	let build = |chain: &mut Chain| {
		provider(&owner, worker.account(), MAX_GPUS_PER_PROVIDER);
		offer(&owner, ask(MAX_GPUS_PER_PROVIDER));
		order(leases);
		for _ in 0..2 {
			send_report(chain, &owner, &worker);
			while !Attestation::report_due(owner.clone()) {
				chain.open_block();
			}
		}
	};
	let (mut state, chain) = prepared(build);
	let report = state.execute_with(|| full_report(&chain, &owner));
	let call = pallet_attestation::Call::report { report };
	transaction(format!("report, {leases} leases"), state, &worker, call)
}

fn full_report(chain: &Chain, owner: &AccountId) -> Report {
	let gpus = (0..MAX_GPUS_PER_PROVIDER).map(|gpu| GpuIndex(gpu as u16));
	report(chain, Attestation::epoch(owner.clone()), gpus, Leases::leases_of(owner))
}

fn send_report(chain: &mut Chain, owner: &AccountId, worker: &sr25519::Pair) {
	let report = full_report(chain, owner);
	assert_ok!(Attestation::report(signed(&worker.account()), report));
}

/// An order of two GPUs that looks at so many asks, of which only the dearest has two.
fn order_looking_at(asks: u32) -> Cost {
	let build = |_: &mut Chain| {
		for index in 0..asks {
			let owner = account("provider", index);
			let gpus = if index + 1 == asks { 2 } else { 1 };
			provider(&owner, account("worker", index), gpus);
			let price = ask(1).price - Balance::from(asks) + Balance::from(index);
			offer(&owner, AskTerms { price, ..ask(gpus) });
		}
	};
	let terms = terms(2, TERM_MS);
	let call = pallet_leases::Call::place_order { terms };
	transaction(format!("place_order, {asks} asks"), prepared(build).0, &RENTER, call)
}

/// The hooks of a block in which nothing is due, with so many registered providers and as many leases.
fn hooks(registered: u32) -> Cost {
	let mut state = preset_state("development");
	let mut chain = state.execute_with(|| {
		let mut chain = Chain::at_head();
		chain.open_block_with_room();
		rich_renter();
		chain
	});
	let serving = registered.div_ceil(MAX_LEASES_PER_PROVIDER);
	for index in 0..registered {
		state.execute_with(|| {
			let owner = account("provider", index);
			let serves = index < serving;
			let gpus = if serves { MAX_GPUS_PER_PROVIDER } else { 0 };
			provider(&owner, account("worker", index), gpus);
			if serves {
				offer(&owner, ask(gpus));
				order(gpus.min(registered - index * gpus));
			}
			System::reset_events();
		});
		if index % 500 == 0 {
			state.commit_all().expect("no transaction is open");
			if registered > 10_000 {
				eprint!("\r  registering providers and leases: {} %", index * 100 / registered);
			}
		}
	}
	if registered > 10_000 {
		eprintln!("\r  registering providers and leases: done");
	}
	state.execute_with(|| {
		assert_eq!(pallet_leases::Leases::<Runtime>::iter_keys().count() as u32, registered);
		chain.close_block();
		// Past the block in which the first orders look for capacity.
		chain.open_block_with_room();
		chain.close_block();
	});
	state.commit_all().expect("no transaction is open");
	let next = chain.number() + 1;
	measure(format!("hooks, {registered} registered"), &mut state, || {
		let mut meter = WeightMeter::new();
		let weight = AllPalletsWithSystem::on_initialize(next);
		AllPalletsWithSystem::on_poll(next, &mut meter);
		let weight = weight.saturating_add(meter.consumed());
		System::register_extra_weight_unchecked(weight, DispatchClass::Mandatory);
	})
}

/// So many idle providers, whose reports stay away, are looked at over one idle epoch of production: the block that has most to
/// do, beside one that has nothing to do.
fn epoch_of_absences(providers: u32) -> Cost {
	let mut config = preset_json("development");
	config["timing"]["timing"]["leasedEpochBlocks"] = LEASED_EPOCH.into();
	config["timing"]["timing"]["idleEpochBlocks"] = IDLE_EPOCH.into();
	// Longer than all of it, for a session's first block has no weight for hooks.
	config["timing"]["timing"]["sessionSlots"] = 10_000.into();
	let mut state = state_of(&config);
	let mut chain = state.execute_with(Chain::at_head);
	let weight_of_hooks = |chain: &mut Chain| {
		// The hooks that look for absence run when it is known that no more inherents come: here, at the block's end.
		chain.open_block();
		chain.close_block();
		System::block_weight().total()
	};
	let quiet =
		state.execute_with(|| (0..5).map(|_| weight_of_hooks(&mut chain)).last().expect("there are five"));
	for block in 0..IDLE_EPOCH {
		state.execute_with(|| {
			chain.open_block();
			for index in (block..providers).step_by(IDLE_EPOCH as usize) {
				let (owner, worker) = (account("provider", index), account("worker", index));
				provider(&owner, worker.clone(), 0);
				assert_ok!(Providers::set_worker(signed(&owner), worker.clone()));
				let empty = report(&chain, Attestation::epoch(owner), [], []);
				assert_ok!(Attestation::report(signed(&worker), empty));
				System::reset_events();
			}
			chain.close_block();
		});
		state.commit_all().expect("no transaction is open");
		eprint!("\r  {providers} idle providers report: {} %", (block + 1) * 100 / IDLE_EPOCH);
	}
	eprintln!();
	let (mut largest, mut time, mut found) = (Weight::zero(), Duration::ZERO, 0);
	// Each is looked at an idle epoch and an epoch of grace after its report.
	for _ in 0..IDLE_EPOCH + 2 * LEASED_EPOCH {
		state.execute_with(|| {
			let start = Instant::now();
			let weight = weight_of_hooks(&mut chain).saturating_sub(quiet);
			if weight.ref_time() > largest.ref_time() {
				(largest, time) = (weight, start.elapsed());
			}
			found += System::read_events_no_consensus()
				.filter(|record| {
					matches!(
						record.event,
						RuntimeEvent::Attestation(pallet_attestation::Event::ProviderStale { .. })
					)
				})
				.count() as u32;
		});
		state.commit_all().expect("no transaction is open");
	}
	assert_eq!(found, providers, "not everybody's absence was found");
	assert!(largest.ref_time() > 0, "the hooks weigh nothing");
	let most = RuntimeBlockWeights::get().max_block / 10;
	assert!(largest.all_lte(most), "looking for absence takes more than a tenth of a block: {largest:?}");
	Cost { what: format!("{providers} absent, worst block"), weight: largest, time }
}

fn print(costs: &[Cost]) {
	let transfer = &costs[0];
	println!("{:<28}{:>14}{:>12}{:>14}{:>12}", "", "weight, us", "transfers", "time, us", "transfers");
	for Cost { what, weight, time } in costs {
		let micros = time.as_secs_f64() * 1e6;
		let charged = weight.ref_time() as f64 / 1e6;
		println!(
			"{what:<28}{charged:>14.1}{:>12.1}{micros:>14.1}{:>12.1}",
			weight.ref_time() as f64 / transfer.weight.ref_time() as f64,
			time.as_secs_f64() / transfer.time.as_secs_f64(),
		);
	}
}

fn main() {
	let arguments: Vec<_> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
	let json = match arguments.as_slice() {
		[] => None,
		[option, file] if option == "--json" => Some(file),
		_ => {
			eprintln!("usage: cargo bench --workspace --bench market_costs [-- --json FILE]");
			std::process::exit(2);
		}
	};
	let mut costs = vec![transfer()];
	costs.extend([0, 1, 10, MAX_LEASES_PER_PROVIDER].map(report_settling));
	costs.extend([1, 10, MAX_ASKS_LOOKED_AT].map(order_looking_at));
	costs.extend(REGISTERED.map(hooks));
	costs.push(epoch_of_absences(ABSENT));
	print(&costs);
	if let Some(file) = json {
		let rows: Vec<_> = costs
			.iter()
			.map(|Cost { what, weight, time }| {
				json!({ "what": what, "weight_ps": weight.ref_time(), "time_ns": time.as_nanos() as u64 })
			})
			.collect();
		std::fs::write(file, json!(rows).to_string()).expect("the file can be written");
	}
}
