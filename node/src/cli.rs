//! What can be typed after `millrace-node`.

use crate::chain_spec;
use millrace_offchain_worker::{WorkerArgs, WorkerCommand};
use sc_cli::{RunCmd, SubstrateCli};
use sc_service::ChainSpec;
use sc_storage_monitor::StorageMonitorParams;
use std::{path::PathBuf, sync::OnceLock};

/// What the program says that it is. Substrate asks a function that has no `self`.
static VERSION: OnceLock<&'static str> = OnceLock::new();

/// Sets release and commit for the rest of the process. Later calls change nothing.
pub(crate) fn set_version(version: &'static str) {
	VERSION.get_or_init(|| version);
}

/// Shown at the end of `--help`.
const EXAMPLES: &str = "\
Examples:

  A chain of your own, with one-second blocks, forgotten when it stops:
    millrace-node --dev

  The same, kept in a folder, with this machine's GPUs (or the reference device) for rent:
    millrace-node --dev --base-path ./dev-chain --worker

  The key with which the worker signs its reports, for a stopped node. It asks for
  the secret phrase:
    millrace-node key insert --chain testnet --key-type gpuw --scheme sr25519

  A provider that bids in auctions by a policy of its own. The key that bids is another one;
  docs/examples/bid-policy.toml has the rest:
    millrace-node key insert --chain testnet --key-type gpub --scheme sr25519
    millrace-node --chain testnet --worker --worker-bid-policy bid-policy.toml

  A full node of the test network that catches up in minutes instead of replaying every block:
    millrace-node --chain testnet --sync warp --name my-node

  A validator. Make its network key first, then ask the node for session keys with
  author_rotateKeysWithOwner:
    millrace-node key generate-node-key --chain testnet --default-base-path
    millrace-node --chain testnet --validator --name my-validator \\
      --public-addr /ip4/203.0.113.7/tcp/30333

  An archive node for explorers, which also serves the archive_v1 RPC methods:
    millrace-node --chain testnet --state-pruning archive --blocks-pruning archive

  A node whose RPC strangers may use. Put a TLS proxy in front of it:
    millrace-node --chain testnet --rpc-external --rpc-methods safe --rpc-rate-limit 600 \\
      --rpc-rate-limit-trust-proxy-headers --rpc-max-batch-request-len 16 \\
      --rpc-max-connections 1000 --rpc-max-subscriptions-per-connection 64 \\
      --rpc-cors https://your.site

  Three validators on one machine: this, and the same with --bob and --charlie and other ports:
    millrace-node --chain local --alice --tmp --unsafe-force-node-key-generation \\
      --port 30333 --rpc-port 9944 --prometheus-port 9615

Chains: dev (the one of --dev), local, testnet, or the path of a chain specification in JSON.
Ports: 30333 for other nodes, 9944 for RPC, 9615 for Prometheus.";

/// The whole command line.
#[derive(Debug, clap::Parser)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct Cli {
	/// What to do instead of running a node.
	#[command(subcommand)]
	pub(crate) subcommand: Option<Subcommand>,

	/// How to run a node.
	#[command(flatten)]
	pub(crate) run: RunArgs,
}

/// How to run a node.
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
	/// Everything that Substrate nodes have in common.
	#[command(flatten)]
	pub(crate) base: RunCmd,

	/// Keep the compiled runtime in this folder, so that a node which starts again does not compile it again. Nodes of one user
	/// may share it; what lies in it runs with the node's rights, so that nobody else may write there.
	#[arg(long, value_name = "DIR", help_heading = "Runtime")]
	pub(crate) wasm_cache: Option<PathBuf>,

	/// When to stop because the disk is full.
	#[command(flatten)]
	pub(crate) storage_monitor: StorageMonitorParams,

	/// Serving GPUs.
	#[command(flatten)]
	pub(crate) worker: WorkerArgs,
}

/// What to do instead of running a node.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
	/// Make, inspect and insert keys.
	#[command(subcommand)]
	Key(sc_cli::KeySubcommand),

	/// Write a chain's specification as JSON, to keep, edit or hand to other nodes.
	ExportChainSpec(sc_cli::ExportChainSpecCmd),

	/// Execute a stored block again, and say how long it took.
	CheckBlock(sc_cli::CheckBlockCmd),

	/// Write stored blocks to a file.
	ExportBlocks(sc_cli::ExportBlocksCmd),

	/// Read blocks from a file, and execute each.
	ImportBlocks(sc_cli::ImportBlocksCmd),

	/// Write the state at a block as a chain specification.
	ExportState(sc_cli::ExportStateCmd),

	/// Take back the latest blocks that are not finalised.
	Revert(sc_cli::RevertCmd),

	/// Delete a chain's database. Keys and the worker's data stay.
	PurgeChain(sc_cli::PurgeChainCmd),

	/// Say which blocks are best and finalised in a stopped node's database.
	ChainInfo(sc_cli::ChainInfoCmd),

	/// Look at this machine as the worker would.
	#[command(subcommand)]
	Worker(WorkerCommand),
}

impl SubstrateCli for Cli {
	fn impl_name() -> String {
		"Millrace Node".into()
	}

	/// The release alone where nobody has set a version.
	fn impl_version() -> String {
		VERSION.get().copied().unwrap_or(env!("CARGO_PKG_VERSION")).into()
	}

	/// Fixed, because the default data folder is named after it: a renamed file must find its data again.
	fn executable_name() -> String {
		"millrace-node".into()
	}

	fn description() -> String {
		"A Millrace node: takes part in the chain on which GPU owners lease out cards, and with --worker \
		 serves this machine's GPUs."
			.into()
	}

	fn author() -> String {
		"the Millrace contributors".into()
	}

	fn support_url() -> String {
		"the issue tracker of the Millrace repository".into()
	}

	fn copyright_start_year() -> i32 {
		2026
	}

	fn load_spec(&self, id: &str) -> Result<Box<dyn ChainSpec>, String> {
		chain_spec::load(id)
	}
}
