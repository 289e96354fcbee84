//! Are the ports free that the node is about to use?
//!
//! Without this check a second node on the same machine would seem to work: the peer-to-peer listener shares
//! its port with the first node's, the RPC server moves to a random port, and the metrics are silently not
//! served.

use sc_network::{multiaddr::Protocol, Multiaddr};
use sc_service::Configuration;
use std::{
	io::ErrorKind,
	net::{IpAddr, SocketAddr, TcpListener},
};

/// A port that another process listens on.
#[derive(Debug, thiserror::Error)]
#[error(
	"{purpose} needs {address}, where another process listens; stop it, or choose another port with {flag}"
)]
pub(crate) struct PortTaken {
	purpose: &'static str,
	address: SocketAddr,
	flag: &'static str,
}

/// Tries every TCP address that the configuration names.
///
/// Only a taken port is an error here. An address that cannot be bound for another reason, such as IPv6 on a
/// machine without it, is left to the server that wants it.
pub(crate) fn check(config: &Configuration) -> Result<(), PortTaken> {
	let rpc = config.rpc.addr.iter().flatten().map(|endpoint| endpoint.listen_addr);
	let metrics = config.prometheus_config.iter().map(|prometheus| prometheus.port);
	let peers = config.network.listen_addresses.iter().filter_map(tcp_address);
	let wanted = rpc
		.map(|address| ("RPC", address, "--rpc-port"))
		.chain(
			metrics.map(|address| ("the metrics server", address, "--prometheus-port (or --no-prometheus)")),
		)
		.chain(peers.map(|address| ("the peer-to-peer network", address, "--port")));
	for (purpose, address, flag) in wanted {
		match TcpListener::bind(address) {
			Err(error) if error.kind() == ErrorKind::AddrInUse => {
				return Err(PortTaken { purpose, address, flag });
			}
			_ => {}
		}
	}
	Ok(())
}

/// `/ip4/0.0.0.0/tcp/30333` as a socket address; `None` for anything that is not IP and TCP.
fn tcp_address(address: &Multiaddr) -> Option<SocketAddr> {
	let mut parts = address.iter();
	let ip = match parts.next()? {
		Protocol::Ip4(ip) => IpAddr::V4(ip),
		Protocol::Ip6(ip) => IpAddr::V6(ip),
		_ => return None,
	};
	match parts.next()? {
		Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
		_ => None,
	}
}
