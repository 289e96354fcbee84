//! One question to a running node, over the HTTP of its RPC.

use serde_json::{json, Value};
use std::{
	fmt,
	io::{self, Read, Write},
	net::{TcpStream, ToSocketAddrs},
	str::FromStr,
	time::Duration,
};

/// How long a node may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// The longest answer, in bytes.
const MAX_ANSWER_BYTES: u64 = 16 << 20;

/// Where a node's RPC is: `http://HOST:PORT`. There is no TLS: a node answers on its own machine, or through a tunnel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NodeUrl(String);

impl FromStr for NodeUrl {
	type Err = String;

	fn from_str(text: &str) -> Result<Self, String> {
		let wanted =
			|| {
				format!("{text:?} is no address of a node: expected http://HOST:PORT, such as http://127.0.0.1:9944")
			};
		let place =
			["http://", "ws://"].iter().find_map(|scheme| text.strip_prefix(scheme)).ok_or_else(wanted)?;
		let place = place.strip_suffix('/').unwrap_or(place);
		let (host, port) = place.rsplit_once(':').ok_or_else(wanted)?;
		let is_host =
			!host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._[]:".contains(c));
		match port.parse::<u16>() {
			Ok(port) if is_host && port > 0 => Ok(Self(format!("{host}:{port}"))),
			_ => Err(wanted()),
		}
	}
}

impl fmt::Display for NodeUrl {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "http://{}", self.0)
	}
}

/// Why a node gave no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
	/// Nobody is there, or the connection broke.
	#[error("{url} does not answer ({error}): is the node running, and is this its --rpc-port?")]
	Unreachable {
		/// Where it was asked.
		url: NodeUrl,
		/// The system's words.
		error: io::Error,
	},
	/// What came is not what a node answers.
	#[error("{url} does not answer as a node does: {problem}")]
	Foreign {
		/// Where it was asked.
		url: NodeUrl,
		/// What is wrong.
		problem: String,
	},
	/// The node refused, in its own words.
	#[error("{0}")]
	Refused(String),
}

/// Asks one question. Blocks, for some seconds at most.
pub(crate) fn ask(url: &NodeUrl, method: &str, params: Value) -> Result<Value, AskError> {
	let foreign = |problem: String| AskError::Foreign { url: url.clone(), problem };
	let question = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
	let answer =
		exchange(&url.0, &question).map_err(|error| AskError::Unreachable { url: url.clone(), error })?;
	let body = answer.split_once("\r\n\r\n").map(|(_, body)| body);
	let body = body.ok_or_else(|| foreign("it does not speak HTTP".into()))?;
	let mut answer: Value = serde_json::from_str(body).map_err(|error| foreign(error.to_string()))?;
	if let Some(error) = answer.get("error") {
		let words = error.get("message").and_then(Value::as_str).unwrap_or("it gives no reason");
		return Err(AskError::Refused(words.into()));
	}
	answer.get_mut("result").map(Value::take).ok_or_else(|| foreign("there is no result".into()))
}

/// Sends a request and reads the whole answer. In HTTP 1.0 the answer ends with the connection.
fn exchange(place: &str, question: &str) -> io::Result<String> {
	let mut failure = io::Error::other("the name has no address");
	for address in place.to_socket_addrs()? {
		let mut stream = match TcpStream::connect_timeout(&address, PATIENCE) {
			Ok(stream) => stream,
			Err(error) => {
				failure = error;
				continue;
			}
		};
		stream.set_read_timeout(Some(PATIENCE))?;
		stream.set_write_timeout(Some(PATIENCE))?;
		// In one piece: a stranger that hangs up in between would hide what it has said.
		let request = format!(
			"POST / HTTP/1.0\r\nHost: {place}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{question}",
			question.len()
		);
		stream.write_all(request.as_bytes())?;
		let mut answer = String::new();
		stream.take(MAX_ANSWER_BYTES).read_to_string(&mut answer)?;
		return Ok(answer);
	}
	Err(failure)
}

#[cfg(test)]
mod tests {
	use super::*;
	use std::{net::TcpListener, thread};

	/// A server that gives one answer, and what it was asked.
	fn server(answer: &str) -> (NodeUrl, thread::JoinHandle<String>) {
		let listener = TcpListener::bind("127.0.0.1:0").unwrap();
		let url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
		let answer = answer.to_owned();
		let asked = thread::spawn(move || {
			let (mut stream, _) = listener.accept().unwrap();
			let mut question = vec![0; 4096];
			let length = stream.read(&mut question).unwrap();
			stream.write_all(answer.as_bytes()).unwrap();
			String::from_utf8(question[..length].to_vec()).unwrap()
		});
		(url, asked)
	}

	#[test]
	fn an_answer_is_read_and_a_refusal_has_the_nodes_words() {
		let (url, asked) = server("HTTP/1.0 200 OK\r\n\r\n{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[7]}");
		assert_eq!(ask(&url, "worker_jobs", json!([1])).unwrap(), json!([7]));
		assert!(asked.join().unwrap().contains("\"method\":\"worker_jobs\""));
		let (url, _) =
			server("HTTP/1.0 200 OK\r\n\r\n{\"error\":{\"code\":1,\"message\":\"start it with --worker\"}}");
		assert_eq!(ask(&url, "x", json!([])).unwrap_err().to_string(), "start it with --worker");
	}

	#[test]
	fn what_is_no_node_is_told_from_nobody() {
		for answer in ["SSH-2.0-OpenSSH", "HTTP/1.0 200 OK\r\n\r\n<html>", "HTTP/1.0 200 OK\r\n\r\n{}"] {
			let (url, _) = server(answer);
			let error = ask(&url, "x", json!([])).unwrap_err();
			assert!(matches!(error, AskError::Foreign { .. }), "{answer}: {error}");
		}
		let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
		let error = ask(&format!("http://{free}").parse().unwrap(), "x", json!([])).unwrap_err();
		assert!(error.to_string().contains("is the node running"), "{error}");
	}

	#[test]
	fn addresses_are_checked_before_anybody_is_asked() {
		for good in ["http://127.0.0.1:9944", "ws://localhost:1/", "http://[::1]:9944"] {
			assert!(good.parse::<NodeUrl>().is_ok(), "{good}");
		}
		for bad in [
			"",
			"127.0.0.1:9944",
			"https://a:1",
			"http://a",
			"http://a:0",
			"http://a:x",
			"http://a b:1",
			"http://a\r\nX:1:2",
		] {
			assert!(bad.parse::<NodeUrl>().is_err(), "{bad}");
		}
	}
}
