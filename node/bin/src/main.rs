//! The program `millrace-node`. Everything that it does is in `millrace-node-lib`; the commit is only known here.

use std::process::ExitCode;

fn main() -> ExitCode {
	millrace_node_lib::run(env!("SUBSTRATE_CLI_IMPL_VERSION"))
}
