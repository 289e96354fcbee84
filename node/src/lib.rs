//! A Millrace node: validator, full node or provider. `millrace-node --help` shows how to start each.
//!
//! The program is in `bin/`, a package of its own: it carries the commit, and a commit must not compile all
//! of this again.

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

/// Does what the process's command line says, and returns when the node has been stopped or the command is
/// done. Ends the process itself for `--help`, `--version` and arguments that cannot be parsed.
///
/// `version` is what `--version`, the log, telemetry and the RPC say: release and commit. The first call's
/// holds for the process.
///
/// # Errors
///
/// Written to standard error in one line, with [`ExitCode::FAILURE`].
pub fn run(version: &'static str) -> ExitCode {
	cli::set_version(version);
	match command::run() {
		Ok(()) => ExitCode::SUCCESS,
		Err(error) => {
			eprintln!("Error: {error}");
			ExitCode::FAILURE
		}
	}
}
