//! The RPC methods, called as a client calls them.

use jsonrpsee::RpcModule;
use millrace_offchain_worker::{rpc, BlobLimits, Blobs, WorkerStatusHandle};
use millrace_primitives::worker_key::KEY_TYPE;
use serde_json::{json, Value};
use sp_keystore::{testing::MemoryKeystore, Keystore};
use std::sync::Arc;

struct Server {
	module: RpcModule<()>,
	dir: tempfile::TempDir,
}

#[expect(clippy::unwrap_used, reason = "a test fails by panicking")]
impl Server {
	fn new(status: WorkerStatusHandle) -> Self {
		let dir = tempfile::tempdir().unwrap();
		let blobs =
			Blobs::open(dir.path().join("blobs"), BlobLimits { max_blob_bytes: 8, quota_bytes: 16 }).unwrap();
		Self { module: rpc(blobs, status, dir.path().join("pulling")).unwrap(), dir }
	}

	async fn call(&self, method: &str, params: Value) -> Value {
		let request = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params });
		let (answer, _) = self.module.raw_json_request(&request.to_string(), 1).await.unwrap();
		let answer: Value = serde_json::from_str(&answer.to_string()).unwrap();
		answer.get("result").or(answer.get("error")).unwrap().clone()
	}
}

/// Published BLAKE3 hash of "abc".
const ABC: &str = "0x6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85";

#[tokio::test]
async fn blobs_go_in_and_come_out_on_any_node() {
	let server = Server::new(WorkerStatusHandle::off());
	assert_eq!(server.call("blob_has", json!([ABC])).await, json!({ "present": false, "bytes": 0 }));
	assert_eq!(server.call("blob_put", json!(["0x616263"])).await, ABC);
	assert_eq!(server.call("blob_has", json!([ABC])).await, json!({ "present": true, "bytes": 3 }));
	assert_eq!(server.call("blob_get", json!([ABC])).await, "0x616263");
}

#[tokio::test]
async fn errors_say_the_limit_and_have_their_codes() {
	let server = Server::new(WorkerStatusHandle::off());
	let error = server.call("blob_put", json!(["0x000102030405060708"])).await;
	assert_eq!(error["code"], 9001);
	assert!(error["message"].as_str().unwrap().contains("at most 8"), "{error}");

	server.call("blob_put", json!(["0x0001020304050607"])).await;
	let error = server.call("blob_put", json!(["0x0101020304050607"])).await;
	assert_eq!(error["code"], 9002);
	assert!(error["message"].as_str().unwrap().contains("8 of 12"), "{error}");

	let error = server.call("blob_get", json!([ABC])).await;
	assert_eq!(error["code"], 9003);

	server.call("blob_put", json!(["0x616263"])).await;
	std::fs::write(server.dir.path().join("blobs").join(&ABC[2..]), b"abd").unwrap();
	let error = server.call("blob_get", json!([ABC])).await;
	assert_eq!(error["code"], 9004);

	for nonsense in [json!(["0xzz"]), json!([3]), json!([null]), json!([])] {
		assert_eq!(server.call("blob_put", nonsense).await["code"], -32602);
	}
}

#[tokio::test]
async fn a_node_without_worker_says_so() {
	let server = Server::new(WorkerStatusHandle::off());
	for (method, params) in [
		("worker_devices", json!([])),
		("worker_key", json!([])),
		("worker_status", json!([])),
		("worker_job", json!([1, 2])),
	] {
		let error = server.call(method, params).await;
		assert_eq!(
			(&error["code"], &error["message"]),
			(&json!(9010), &json!("this node runs no worker; start it with --worker"))
		);
	}
}

#[tokio::test]
async fn the_workers_key_is_that_of_the_keystore() {
	let keystore = Arc::new(MemoryKeystore::new());
	let server = Server::new(WorkerStatusHandle::running(keystore.clone()));
	assert_eq!(server.call("worker_key", json!([])).await, Value::Null);
	let key = keystore.sr25519_generate_new(KEY_TYPE, Some("//Alice")).unwrap();
	// Alice's address in the format of no particular network.
	assert_eq!(
		server.call("worker_key", json!([])).await,
		"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
	);
	assert_eq!(hex::encode(key.0), "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d");
	assert_eq!(server.call("worker_devices", json!([])).await, json!([]));
	let status = server.call("worker_status", json!([])).await;
	assert_eq!(
		(&status["runningJobs"], &status["provider"], &status["lastReportEpoch"]),
		(&json!(0), &Value::Null, &Value::Null)
	);
	let error = server.call("worker_job", json!([1, 2])).await;
	assert_eq!(error["code"], 9011);
}

#[tokio::test]
async fn a_blob_is_pulled_from_public_addresses_by_https_alone() {
	let server = Server::new(WorkerStatusHandle::off());
	for url in [
		"http://example.org/x",
		"https://127.0.0.1/x",
		"https://169.254.169.254/latest",
		"file:///etc/passwd",
		"https://localhost/x",
	] {
		let error = server.call("blob_pull", json!([ABC, url])).await;
		assert_eq!(error["code"], 9006, "{url}: {error}");
		assert!(error["message"].as_str().unwrap().len() > 10, "{error}");
	}
	// What is here is not asked for.
	server.call("blob_put", json!(["0x616263"])).await;
	assert_eq!(server.call("blob_pull", json!([ABC, "https://localhost/x"])).await, 3);
}
