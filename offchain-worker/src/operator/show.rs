//! A running worker's state, for people.

use super::{ask, NodeUrl};
use serde_json::{json, Value};
use std::{error::Error, io::Write};

/// Jobs that are shown, the latest first.
const SHOWN_JOBS: usize = 10;
/// Decimals of the native token.
const DECIMALS: u32 = 12;

/// Says how the worker of a running node is. Blocks. Returns whether all is well: nothing is amiss that an operator should look at.
///
/// # Errors
///
/// If the node does not answer or runs no worker, or if nobody listens.
pub(crate) fn show_worker(url: &NodeUrl, as_json: bool, out: &mut dyn Write) -> Result<bool, Box<dyn Error>> {
	let status = ask(url, "worker_status", json!([]))?;
	let jobs = ask(url, "worker_jobs", json!([]))?;
	let claims = match status.get("provider").filter(|provider| !provider.is_null()) {
		Some(provider) => ask(url, "leases_claimable", json!([provider]))?,
		None => json!([]),
	};
	let report = Report { status, jobs, claims };
	if as_json {
		let Report { status, jobs, claims } = &report;
		writeln!(out, "{}", json!({ "worker": status, "jobs": jobs, "claims": claims }))?;
	} else {
		write!(out, "{}", report.text())?;
	}
	Ok(report.is_well())
}

/// What a node said.
struct Report {
	status: Value,
	jobs: Value,
	claims: Value,
}

impl Report {
	fn is_well(&self) -> bool {
		let healthy = |device: &Value| text(device, "state") == "healthy";
		self.status.get("notice").is_none_or(Value::is_null)
			&& list(&self.status, "devices").iter().all(healthy)
	}

	fn text(&self) -> String {
		let status = &self.status;
		let mut lines = String::new();
		let mut line = |head: &str, rest: String| lines.push_str(&format!("{head:10}{}\n", printable(&rest)));
		line("Provider", or(status, "provider", "none: no provider's account names this worker"));
		line("Worker", or(status, "worker", "none: no key of type `gpuw` in the keystore"));
		for device in list(status, "devices") {
			line("Device", device_line(device));
		}
		for lease in list(status, "leases") {
			line("Lease", lease_line(lease));
		}
		let jobs = self.jobs.as_array().map(Vec::as_slice).unwrap_or_default();
		for job in jobs.iter().take(SHOWN_JOBS) {
			line("Job", job_line(job));
		}
		if jobs.len() > SHOWN_JOBS {
			line("", format!("and {} earlier ones: --json shows all", jobs.len() - SHOWN_JOBS));
		}
		let epoch = number(status, "lastReportEpoch").map(|epoch| format!("epoch {epoch}"));
		line("Report", epoch.unwrap_or_else(|| "none is final yet".into()));
		for earned in earnings(&self.claims) {
			line("Earned", earned);
		}
		line("Blobs", format!("{} MiB on disk", number(status, "blobBytes").unwrap_or(0) >> 20));
		line("Stop", self.stop());
		if let Some(notice) = status.get("notice").and_then(Value::as_str) {
			line("Notice", notice.into());
		}
		lines
	}

	/// What it would cost to stop the node now.
	fn stop(&self) -> String {
		let leases = list(&self.status, "leases").len();
		let unreported = number(&self.status, "unreportedResults").unwrap_or(0);
		match (leases, unreported) {
			(0, 0) => "nothing would be lost".into(),
			(0, results) => format!("wait: {results} results are not final on chain yet"),
			(leases, _) => format!(
				"{leases} leases are served: stopped for long, they fail over and the bond is slashed"
			),
		}
	}
}

fn device_line(device: &Value) -> String {
	let memory = number(device, "memoryMib").unwrap_or(0);
	let mut line = format!(
		"{}  {}, {memory} MiB, {}",
		text(device, "uuidHash"),
		text(device, "name"),
		text(device, "state")
	);
	for (name, unit) in [("temperatureC", "°C"), ("powerW", "W")] {
		if let Some(value) = number(device, name) {
			line.push_str(&format!(", {value} {unit}"));
		}
	}
	for name in ["fault", "warning"] {
		if let Some(words) = device.get(name).and_then(Value::as_str) {
			line.push_str(&format!(": {words}"));
		}
	}
	line
}

fn lease_line(lease: &Value) -> String {
	let gpus = list(lease, "gpus").iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
	let open = list(lease, "openJobs").len();
	let number = number(lease, "lease").unwrap_or(0);
	format!(
		"{number}  {}, node {}, GPUs {gpus}, {open} open jobs",
		text(lease, "status"),
		text(lease, "nodeStatus")
	)
}

fn job_line(job: &Value) -> String {
	let of = |name| number(job, name).unwrap_or(0);
	let mut line = format!("{}/{}  {}", of("lease"), of("job"), text(job, "phase"));
	for name in ["outcome", "detail"] {
		if let Some(words) = job.get(name).and_then(Value::as_str) {
			line.push_str(&format!(", {words}"));
		}
	}
	line
}

/// A line for each asset: what could be settled now, and what waits.
fn earnings(claims: &Value) -> Vec<String> {
	let mut sums: Vec<(String, u128, u128)> = Vec::new();
	for claim in claims.as_array().map(Vec::as_slice).unwrap_or_default() {
		let (asset, now, later) =
			(text(claim, "asset"), amount(claim, "claimable"), amount(claim, "maturing"));
		match sums.iter_mut().find(|(known, ..)| *known == asset) {
			Some(sum) => *sum = (asset, sum.1.saturating_add(now), sum.2.saturating_add(later)),
			None => sums.push((asset, now, later)),
		}
	}
	let line = |(asset, now, later): (String, u128, u128)| match asset.as_str() {
		"native" => format!("{} MILL to settle now, {} MILL in contest windows", mill(now), mill(later)),
		other => format!("{now} of {other} to settle now, {later} in contest windows"),
	};
	sums.into_iter().map(line).collect()
}

/// An amount of the native token, in MILL, without zeros at its end.
fn mill(units: u128) -> String {
	let one = 10u128.pow(DECIMALS);
	let fraction = format!("{:0width$}", units % one, width = DECIMALS as usize);
	let fraction = fraction.trim_end_matches('0');
	if fraction.is_empty() {
		return (units / one).to_string();
	}
	format!("{}.{fraction}", units / one)
}

fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
	of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn number(of: &Value, name: &str) -> Option<u64> {
	of.get(name).and_then(Value::as_u64)
}

/// An amount, which a node writes as a text where it may be large.
fn amount(of: &Value, name: &str) -> u128 {
	match of.get(name) {
		Some(Value::String(text)) => text.parse().unwrap_or(0),
		Some(Value::Number(number)) => number.as_u64().unwrap_or(0).into(),
		_ => 0,
	}
}

/// A value as a word.
fn text(of: &Value, name: &str) -> String {
	match of.get(name) {
		Some(Value::String(text)) => text.clone(),
		Some(Value::Null) | None => "?".into(),
		Some(other) => other.to_string(),
	}
}

fn or(of: &Value, name: &str, absent: &str) -> String {
	if of.get(name).is_none_or(Value::is_null) {
		return absent.into();
	}
	text(of, name)
}

/// What a job says ends up here, and must not reach the terminal as it is.
fn printable(text: &str) -> String {
	text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
	use super::*;

	fn report() -> Report {
		Report {
			status: json!({
				"worker": "5Worker", "provider": "5Provider", "lastReportEpoch": 12, "blobBytes": 3 << 20,
				"devices": [{ "uuidHash": "0x01", "name": "NVIDIA H200", "memoryMib": 143771, "state": "healthy", "powerW": 310 }],
				"leases": [{ "lease": 4, "status": "active", "nodeStatus": "active", "gpus": [0, 1], "openJobs": [7] }],
				"unreportedResults": 0, "notice": null
			}),
			jobs: json!([{ "lease": 4, "job": 7, "phase": "running", "outcome": null, "detail": "a\u{1b}[2Jb" }]),
			claims: json!([
				{ "escrow": 4, "asset": "native", "claimable": "1500000000000", "maturing": 1 },
				{ "escrow": 5, "asset": "native", "claimable": "500000000000", "maturing": "0" },
				{ "escrow": 6, "asset": { "token": 7 }, "claimable": 9, "maturing": 0 }
			]),
		}
	}

	#[test]
	fn an_operator_sees_everything_at_a_glance() {
		let report = report();
		assert_eq!(
			report.text(),
			"Provider  5Provider\n\
			 Worker    5Worker\n\
			 Device    0x01  NVIDIA H200, 143771 MiB, healthy, 310 W\n\
			 Lease     4  active, node active, GPUs 0, 1, 1 open jobs\n\
			 Job       4/7  running, a [2Jb\n\
			 Report    epoch 12\n\
			 Earned    2 MILL to settle now, 0.000000000001 MILL in contest windows\n\
			 Earned    9 of {\"token\":7} to settle now, 0 in contest windows\n\
			 Blobs     3 MiB on disk\n\
			 Stop      1 leases are served: stopped for long, they fail over and the bond is slashed\n"
		);
		assert!(report.is_well());
	}

	#[test]
	fn what_is_amiss_is_said_and_counts() {
		let mut report = report();
		report.status["devices"][0]["state"] = json!("faulty");
		report.status["devices"][0]["fault"] = json!("Xid 79");
		assert!(!report.is_well() && report.text().contains("faulty, 310 W: Xid 79"), "{}", report.text());
		let mut report = self::report();
		report.status["notice"] = json!("none of this machine's devices is registered");
		assert!(
			!report.is_well()
				&& report.text().ends_with("Notice    none of this machine's devices is registered\n")
		);
	}

	#[test]
	fn a_worker_that_has_nothing_yet_says_what_is_missing() {
		let report = Report { status: json!({}), jobs: json!([]), claims: json!([]) };
		let text = report.text();
		assert!(
			text.contains("no key of type `gpuw`") && text.contains("no provider's account names"),
			"{text}"
		);
		assert!(text.contains("none is final yet") && text.contains("nothing would be lost"), "{text}");
	}
}
