//! A Millrace node: validator, full node or provider. `millrace-node --help` shows how to start each.

mod chain_spec;
mod cli;
mod command;
mod ports;
mod rpc;
mod service;
mod worker;

use std::process::ExitCode;

fn main() -> ExitCode {
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
