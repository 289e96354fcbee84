//! Who is slashed in 30 days in which everything goes wrong: the market's own pallets beside a seeded fault model that knows
//! why each provider was dark.
//!
//! `cargo bench --workspace --bench slashing_simulation -- --help` says what can be chosen. `docs/economics.md` publishes the
//! table and says what it means; `tests/runtime/fault_model/` is the model.
#![allow(clippy::unwrap_used, reason = "a simulation that fails is none")]

#[path = "../tests/runtime/chain.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod chain;
#[path = "../tests/runtime/fault_model/mod.rs"]
mod fault_model;
#[path = "../tests/runtime/market.rs"]
#[allow(dead_code, reason = "the tests use more of it")]
mod market;

use fault_model::{simulate, Outcome, Scenario, Setup};
use millrace_runtime::{constants::MILL, Balance};
use serde_json::json;
use std::{
	process::ExitCode,
	sync::{
		atomic::{AtomicUsize, Ordering},
		Mutex,
	},
	thread,
	time::Instant,
};

const HELP: &str = "\
Simulates a market in which providers fail, alone and together, and prints as a Markdown table whom the chain slashed for it.
Each scenario runs the runtime's own pallets, natively, on as many threads as there are cores. 1,000 providers for 30 days take
about half an hour on two cores. Exits with 1 if anybody is slashed for a common cause.

Usage: cargo bench --workspace --bench slashing_simulation -- [options]

Options:
  --providers N      providers with one to four GPUs each, from 20 to 10000 [default: 1000]
  --days N           simulated days, from 2 to 30 [default: 30]
  --seed N           seed of everything random [default: 1]
  --grid N           slots of N times 6 seconds, from 1 to 10, and epochs and their like N times as long [default: 10]
  --scenario NAME    only this one: independent, region, small-region, stall, bug, lag, pause, everything [default: all]
  --json FILE        write the figures there too
  --help             print this
";

struct Options {
	setup: Setup,
	scenarios: Vec<Scenario>,
	json: Option<String>,
}

fn scenario(name: &str) -> Option<Scenario> {
	Some(match name {
		"independent" => Scenario::Independent,
		"region" => Scenario::Region,
		"small-region" => Scenario::SmallRegion,
		"stall" => Scenario::Stall,
		"bug" => Scenario::Bug,
		"lag" => Scenario::Lag,
		"pause" => Scenario::Pause,
		"everything" => Scenario::Everything,
		_ => return None,
	})
}

/// What was asked for; `None` for help.
fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, String> {
	let mut options = Options {
		setup: Setup { providers: 1_000, hours: 30 * 24, seed: 1, grid: 10 },
		scenarios: Scenario::ALL.to_vec(),
		json: None,
	};
	while let Some(option) = arguments.next() {
		if option == "--help" || option == "-h" {
			return Ok(None);
		}
		// Cargo adds it.
		if option == "--bench" {
			continue;
		}
		let known = ["--providers", "--days", "--seed", "--grid", "--scenario", "--json"];
		if !known.contains(&option.as_str()) {
			return Err(format!("unknown option: {option}"));
		}
		let value = arguments.next().ok_or(format!("{option} needs a value"))?;
		let number = |least: u64, most: u64| {
			value
				.parse()
				.ok()
				.filter(|number| (least..=most).contains(number))
				.ok_or(format!("{option} is from {least} to {most}, not {value}"))
		};
		match option.as_str() {
			"--providers" => options.setup.providers = number(20, 10_000)? as u32,
			"--days" => options.setup.hours = number(2, 30)? * 24,
			"--seed" => options.setup.seed = number(0, u64::MAX)?,
			"--grid" => options.setup.grid = number(1, 10)?,
			"--scenario" => {
				let one = scenario(&value).ok_or(format!("there is no scenario {value}"))?;
				options.scenarios = vec![one];
			}
			_ => options.json = Some(value),
		}
	}
	Ok(Some(options))
}

/// Runs the scenarios, on as many threads as there are cores. The last is the largest, so it comes first.
fn run(setup: Setup, scenarios: &[Scenario]) -> Vec<(Scenario, Outcome)> {
	let order: Vec<Scenario> = scenarios.iter().rev().copied().collect();
	let (next, done) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
	let threads = thread::available_parallelism().map_or(1, usize::from).min(order.len());
	thread::scope(|scope| {
		for _ in 0..threads {
			scope.spawn(|| loop {
				let Some(&scenario) = order.get(next.fetch_add(1, Ordering::Relaxed)) else { return };
				let (start, days) = (Instant::now(), setup.hours.div_ceil(24));
				let outcome = simulate(setup, scenario, |day| {
					eprintln!("  {}: day {day} of {days}, {} s", scenario.name(), start.elapsed().as_secs());
				});
				for wrong in outcome.wrongs.iter().take(40) {
					eprintln!("  {}: wrong: {wrong}", scenario.name());
				}
				done.lock().unwrap().push((scenario, outcome));
			});
		}
	});
	let mut done = done.into_inner().unwrap();
	done.sort_by_key(|(scenario, _)| scenarios.iter().position(|other| other == scenario));
	done
}

fn mill(plancks: Balance) -> String {
	format!("{:.2}", plancks as f64 / MILL as f64)
}

/// Name and value of each figure.
fn figures(outcome: &Outcome) -> Vec<(&'static str, String)> {
	let covered = match outcome.unserved {
		0 => "-".to_string(),
		unserved => format!("{:.0} %", outcome.to_renters as f64 / unserved as f64 * 100.0),
	};
	vec![
		("faults of single providers", outcome.own_faults.to_string()),
		("outages with a common cause, each provider's counted", outcome.common_faults.to_string()),
		("nodes suspended", outcome.suspended.to_string()),
		("episodes", outcome.episodes.to_string()),
		("held at detection, MILL", mill(outcome.detected)),
		("returned as excused, MILL", mill(outcome.returned)),
		("executed, MILL", mill(outcome.executed)),
		("still held at the end, MILL", mill(outcome.held)),
		("**wrong slashes**", format!("**{}**", outcome.wrong_slashes)),
		("wrong, MILL", mill(outcome.wrong)),
		("single faults on leased GPUs: punished", outcome.punished.to_string()),
		("shorter than four epochs, not punished", outcome.too_short.to_string()),
		("longer, not punished", outcome.unpunished.to_string()),
		("not served to renters, MILL", mill(outcome.unserved)),
		("executed to renters, MILL", mill(outcome.to_renters)),
		("of what was not served", covered),
		("executed to the insurance pool, MILL", mill(outcome.to_insurance)),
		("executed to the treasury, MILL", mill(outcome.to_treasury)),
		("leases moved to another provider", outcome.moved.to_string()),
		("leases closed for a fault", outcome.lost.to_string()),
		("leases at the end", outcome.leases.to_string()),
	]
}

fn print(rows: &[(Scenario, Outcome)]) {
	let columns: Vec<_> = rows.iter().map(|(_, outcome)| figures(outcome)).collect();
	let names: Vec<_> = rows.iter().map(|(scenario, _)| scenario.name()).collect();
	println!("| | {} |", names.join(" | "));
	println!("|---|{}", "---:|".repeat(names.len()));
	for (place, (name, _)) in columns.first().into_iter().flatten().enumerate() {
		let values: Vec<_> = columns.iter().map(|column| column[place].1.as_str()).collect();
		println!("| {name} | {} |", values.join(" | "));
	}
}

/// The same for machines. Amounts in plancks are strings: they do not fit into a double.
fn to_json(scenario: Scenario, outcome: &Outcome) -> serde_json::Value {
	json!({
		"scenario": scenario.name(),
		"own_faults": outcome.own_faults,
		"common_faults": outcome.common_faults,
		"suspended": outcome.suspended,
		"episodes": outcome.episodes,
		"detected": outcome.detected.to_string(),
		"returned": outcome.returned.to_string(),
		"executed": outcome.executed.to_string(),
		"held": outcome.held.to_string(),
		"wrong_slashes": outcome.wrong_slashes,
		"wrong": outcome.wrong.to_string(),
		"punished": outcome.punished,
		"too_short": outcome.too_short,
		"unpunished": outcome.unpunished,
		"unserved": outcome.unserved.to_string(),
		"to_renters": outcome.to_renters.to_string(),
		"to_insurance": outcome.to_insurance.to_string(),
		"to_treasury": outcome.to_treasury.to_string(),
		"moved": outcome.moved,
		"lost": outcome.lost,
		"leases": outcome.leases,
	})
}

fn main() -> ExitCode {
	let options = match options(std::env::args().skip(1)) {
		Ok(Some(options)) => options,
		Ok(None) => {
			print!("{HELP}");
			return ExitCode::SUCCESS;
		}
		Err(problem) => {
			eprintln!("error: {problem}\n  cargo bench --workspace --bench slashing_simulation -- --help says what there is");
			return ExitCode::from(2);
		}
	};
	let Options { setup, scenarios, json } = options;
	let rows = run(setup, &scenarios);
	print(&rows);
	if let Some(file) = json {
		let rows: Vec<_> = rows.iter().map(|(scenario, outcome)| to_json(*scenario, outcome)).collect();
		let Setup { providers, hours, seed, grid } = setup;
		let all =
			json!({ "providers": providers, "hours": hours, "seed": seed, "grid": grid, "scenarios": rows });
		if let Err(error) = std::fs::write(&file, all.to_string()) {
			eprintln!("error: cannot write {file}: {error}");
			return ExitCode::from(2);
		}
	}
	let wrong: Vec<_> = rows.iter().filter(|(_, outcome)| outcome.wrong_slashes > 0).collect();
	for (scenario, outcome) in &wrong {
		eprintln!("error: {}: {} slashes are wrong", scenario.name(), outcome.wrong_slashes);
	}
	if wrong.is_empty() {
		ExitCode::SUCCESS
	} else {
		ExitCode::FAILURE
	}
}
