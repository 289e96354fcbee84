//! What somebody sees who types `millrace-node`, with real processes.
#![expect(clippy::expect_used, reason = "a test fails by panicking, and so does what tests share")]

use serde_json::Value;
use std::{
	net::TcpListener,
	process::{Command, Output},
};

/// Runs the node's binary to its end.
fn node(arguments: &[&str]) -> Output {
	Command::new(env!("CARGO_BIN_EXE_millrace-node")).args(arguments).output().expect("the binary starts")
}

fn stdout(output: &Output) -> String {
	assert!(output.status.success(), "it failed: {}", stderr(output));
	String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
	String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a failed command says. It must not be a panic, nor Rust's debug format.
fn complaint(arguments: &[&str]) -> String {
	let output = node(arguments);
	assert!(!output.status.success(), "{arguments:?} succeeded");
	let complaint = stderr(&output);
	for ugly in ["panicked", "Input(\"", "Application(", "Os {"] {
		assert!(!complaint.contains(ugly), "{complaint}");
	}
	complaint
}

#[test]
fn help_teaches_by_example() {
	let help = stdout(&node(&["--help"]));
	for needed in
		["millrace-node --dev", "--worker", "export-chain-spec", "--rpc-rate-limit", "--sync warp", "9944"]
	{
		assert!(help.contains(needed), "no `{needed}` in the help");
	}
}

#[test]
fn every_example_of_the_help_is_accepted_by_the_parser() {
	let help = stdout(&node(&["--help"])).replace("\\\n", " ");
	let mut count = 0;
	for example in help.lines().filter_map(|line| line.trim().strip_prefix("millrace-node ")) {
		// Lines of the usage at the top have placeholders.
		if example.starts_with(['[', '<']) {
			continue;
		}
		// `--help` at the end stops the command after its arguments have been parsed.
		let arguments = example.split_whitespace().chain(["--help"]).collect::<Vec<_>>();
		let output = node(&arguments);
		assert!(output.status.success(), "{example}: {}", stderr(&output));
		count += 1;
	}
	assert!(count >= 8, "only {count} examples found");
}

#[test]
fn version_names_the_release_and_the_commit() {
	let version = stdout(&node(&["--version"]));
	assert!(version.starts_with(&format!("millrace-node {}-", env!("CARGO_PKG_VERSION"))), "{version}");
}

#[test]
fn every_known_chain_exports_a_specification_that_wallets_understand() {
	for (chain, kind) in [("dev", "Development"), ("local", "Local"), ("testnet", "Live")] {
		let json = stdout(&node(&["export-chain-spec", "--chain", chain]));
		let spec: Value = serde_json::from_str(&json).expect("valid JSON");
		assert_eq!(spec["id"], chain);
		assert_eq!(spec["chainType"], kind);
		assert_eq!(spec["protocolId"], "millrace");
		assert_eq!(
			spec["properties"],
			serde_json::json!({ "tokenSymbol": "MILL", "tokenDecimals": 12, "ss58Format": 42 })
		);
	}
}

#[test]
fn an_exported_specification_can_be_used_in_place_of_the_name() {
	let folder = tempfile::tempdir().expect("a folder");
	let file = folder.path().join("dev.json");
	let file = file.to_str().expect("a path in UTF-8");
	stdout(&node(&["export-chain-spec", "--chain", "dev", "--raw", "--output", file]));
	let of_file: Value =
		serde_json::from_str(&stdout(&node(&["export-chain-spec", "--chain", file, "--raw"])))
			.expect("valid JSON");
	let of_name: Value =
		serde_json::from_str(&stdout(&node(&["export-chain-spec", "--chain", "dev", "--raw"])))
			.expect("valid JSON");
	assert_eq!(of_file, of_name);
	// A raw specification names its state: the runtime's code is in it, under `:code`.
	assert!(of_name["genesis"]["raw"]["top"]["0x3a636f6465"]
		.as_str()
		.is_some_and(|code| code.len() > 100_000));
}

#[test]
fn an_unknown_chain_is_explained() {
	let complaint = complaint(&["export-chain-spec", "--chain", "/no/such/spec.json"]);
	assert!(complaint.contains("/no/such/spec.json"), "{complaint}");
	assert!(complaint.contains("dev, local or testnet"), "{complaint}");
}

#[test]
fn a_file_that_is_no_specification_is_explained() {
	let folder = tempfile::tempdir().expect("a folder");
	let file = folder.path().join("notes.json");
	std::fs::write(&file, "{\"name\": 1}").expect("the file can be written");
	let file = file.to_str().expect("a path in UTF-8");
	let complaint = complaint(&["export-chain-spec", "--chain", file]);
	assert!(complaint.contains(file) && complaint.contains("not a chain specification"), "{complaint}");
}

#[test]
fn a_missing_chain_is_explained() {
	let complaint = complaint(&["--tmp"]);
	assert!(complaint.contains("--dev") && complaint.contains("--chain"), "{complaint}");
}

#[test]
fn a_taken_port_is_explained() {
	let taken = TcpListener::bind("127.0.0.1:0").expect("some port is free");
	let port = taken.local_addr().expect("it is bound").port().to_string();
	let peers = format!("/ip4/127.0.0.1/tcp/{port}");
	for (arguments, flag) in [
		(["--rpc-port", &port, "--no-prometheus", "--listen-addr", "/ip4/127.0.0.1/tcp/0"], "--rpc-port"),
		(
			["--rpc-port", "0", "--prometheus-port", &port, "--listen-addr=/ip4/127.0.0.1/tcp/0"],
			"--prometheus-port",
		),
		(["--rpc-port", "0", "--no-prometheus", "--listen-addr", &peers], "--port"),
		(["--rpc-port", "0", "--no-prometheus", "--listen-addr", &format!("{peers}/ws")], "--port"),
	] {
		let complaint = complaint(&[&["--dev", "--tmp"], &arguments[..]].concat());
		assert!(complaint.contains(&port), "{complaint}");
		assert!(complaint.contains("another process listens"), "{complaint}");
		assert!(complaint.contains(&format!("choose another port with {flag}")), "{complaint}");
	}
}

#[test]
fn the_other_network_backend_is_refused() {
	let complaint = complaint(&[
		"--dev",
		"--tmp",
		"--rpc-port",
		"0",
		"--no-prometheus",
		"--listen-addr",
		"/ip4/127.0.0.1/tcp/0",
		"--network-backend",
		"libp2p",
	]);
	assert!(complaint.contains("litep2p"), "{complaint}");
}
