//! A development chain of one validator, as `millrace-node --dev` starts it, asked over its RPC port.
#![expect(clippy::expect_used, reason = "a test fails by panicking, and so does what tests share")]

use serde_json::{json, Value};
use std::{
	fs::File,
	io::{Read, Write},
	net::{TcpListener, TcpStream},
	process::{Child, Command, Stdio},
	time::{Duration, Instant},
};

/// Enough for a busy machine; a free one has finalised its first block after five seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running node, stopped when dropped.
struct Node {
	process: Child,
	rpc_port: u16,
	folder: tempfile::TempDir,
}

impl Node {
	fn start() -> Self {
		let folder = tempfile::tempdir().expect("a folder");
		let log = File::create(folder.path().join("log")).expect("a log file");
		let rpc_port = free_port();
		let process = Command::new(env!("CARGO_BIN_EXE_millrace-node"))
			.args(["--dev", "--no-prometheus", "--listen-addr", "/ip4/127.0.0.1/tcp/0"])
			.args(["--rpc-port", &rpc_port.to_string()])
			.arg("--base-path")
			.arg(folder.path())
			.stdout(Stdio::null())
			.stderr(log)
			.spawn()
			.expect("the binary starts");
		Self { process, rpc_port, folder }
	}

	/// One JSON-RPC call over HTTP; `None` while the node does not listen yet.
	fn try_call(&self, method: &str, params: Value) -> Option<Value> {
		let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
		let mut connection = TcpStream::connect(("127.0.0.1", self.rpc_port)).ok()?;
		write!(
			connection,
			"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
			 Connection: close\r\n\r\n{body}",
			body.len()
		)
		.expect("the node takes the request");
		let mut reply = String::new();
		connection.read_to_string(&mut reply).expect("the node replies");
		let (_head, body) = reply.split_once("\r\n\r\n").expect("a head and a body");
		Some(serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {reply}")))
	}

	fn call(&self, method: &str, params: Value) -> Value {
		self.try_call(method, params).expect("the node listens")
	}

	/// Asks until the answer is there.
	fn wait_for<T>(&mut self, what: &str, ask: impl Fn(&Self) -> Option<T>) -> T {
		let start = Instant::now();
		while start.elapsed() < PATIENCE {
			if let Some(answer) = ask(self) {
				return answer;
			}
			if let Some(status) = self.process.try_wait().expect("the process is ours") {
				panic!("the node ended ({status}):\n{}", self.log());
			}
			std::thread::sleep(Duration::from_millis(250));
		}
		panic!("no {what} within {PATIENCE:?}:\n{}", self.log());
	}

	fn log(&self) -> String {
		std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
	}
}

impl Drop for Node {
	fn drop(&mut self) {
		// It may have ended already.
		let _ = self.process.kill();
		let _ = self.process.wait();
	}
}

fn free_port() -> u16 {
	let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
	listener.local_addr().expect("it is bound").port()
}

fn number(header: &Value) -> u64 {
	let text = header["result"]["number"].as_str().expect("a header has a number");
	u64::from_str_radix(text.trim_start_matches("0x"), 16).expect("in hexadecimal")
}

#[test]
fn a_development_chain_finalises_blocks_and_serves_its_rpc() {
	let mut node = Node::start();
	let finalised = node.wait_for("finalised block", |node| {
		let head = node.try_call("chain_getFinalizedHead", json!([]))?["result"].clone();
		let header = node.call("chain_getHeader", json!([head]));
		(number(&header) > 0).then(|| number(&header))
	});
	assert!(number(&node.call("chain_getHeader", json!([]))) >= finalised);

	// What wallets and explorers ask first.
	let metadata = node.call("state_getMetadata", json!([]))["result"].clone();
	assert!(metadata.as_str().is_some_and(|metadata| metadata.starts_with("0x6d657461")), "no metadata");
	assert_eq!(node.call("system_properties", json!([]))["result"]["tokenSymbol"], "MILL");
	let methods = node.call("rpc_methods", json!([]))["result"]["methods"].to_string();
	for method in [
		"archive_v1_body",
		"babe_epochAuthorship",
		"blob_put",
		"chainHead_v1_follow",
		"grandpa_roundState",
		"leases_quote",
		"payment_queryInfo",
		"sync_state_genSyncSpec",
		"system_accountNextIndex",
		"worker_status",
	] {
		assert_eq!(methods.contains(method), method != "archive_v1_body", "{method}");
	}

	// Every node stores blobs; the worker's methods say what to do where there is no worker.
	let hash = node.call("blob_put", json!(["0x00010203"]))["result"].clone();
	assert_eq!(node.call("blob_get", json!([hash]))["result"], "0x00010203");
	let refused = node.call("worker_status", json!([]))["error"]["message"].clone();
	assert!(refused.as_str().is_some_and(|message| message.contains("--worker")), "{refused}");

	the_market_answers(&node);
}

/// The book of a chain on which nobody offers anything, and what is said of mistakes.
fn the_market_answers(node: &Node) {
	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";
	let depth = node.call("leases_depth", json!([0]))["result"].clone();
	assert_eq!((&depth["asset"], &depth["levels"]), (&json!("native"), &json!([])));
	let term = json!({ "kind": "fixed", "ms": "60000" });
	let terms = json!({ "class": 0, "nodes": 1, "gpusPerNode": 1, "maxPrice": "1000000", "term": term });
	let quote = |terms| node.call("leases_quote", json!([ALICE, terms]));
	let answer = quote(terms.clone());
	assert_eq!(
		(&answer["result"]["kind"], &answer["result"]["closest"]),
		(&json!("noMatch"), &json!("noAsks"))
	);
	let mut wrong = terms;
	wrong["maxPrise"] = json!(1);
	let message = quote(wrong)["error"]["message"].to_string();
	assert!(message.contains("unknown field `maxPrise`"), "{message}");

	for method in ["leases_lease", "leases_escrow", "leases_order"] {
		assert_eq!(
			node.call(method, json!([7])),
			json!({ "jsonrpc": "2.0", "id": 1, "result": null }),
			"{method}"
		);
	}
	assert_eq!(node.call("leases_claimable", json!([ALICE]))["result"], json!([]));
	assert_eq!(node.call("leases_auctions", json!([0]))["result"], json!([]));
	let nowhere = format!("0x{}", "77".repeat(32));
	let message = node.call("leases_depth", json!([0, null, nowhere]))["error"]["message"].to_string();
	assert!(message.contains("leave it out"), "{message}");
}
