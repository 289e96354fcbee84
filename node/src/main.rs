//! A Millrace node: validator, full node or provider. `millrace-node --help` shows how to start each.

mod chain_spec;
mod cli;
#[expect(clippy::result_large_err, reason = "Substrate's own errors, which end the program")]
mod command;
mod ports;
#[expect(clippy::result_large_err, reason = "Substrate's own errors, which end the program")]
mod rpc;
#[expect(clippy::result_large_err, reason = "Substrate's own errors, which end the program")]
mod service;
#[expect(clippy::result_large_err, reason = "Substrate's own errors, which end the program")]
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
