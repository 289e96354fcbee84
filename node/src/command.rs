//! Does what the command line says.

use crate::{
	cli::{Cli, RunArgs, Subcommand},
	ports,
	service::{self, FullBackend, FullClient},
};
use millrace_primitives::BlockNumber;
use millrace_runtime::opaque::Block;
use sc_cli::{Result, SubstrateCli};
use sc_network::config::NetworkBackendType;
use sc_service::{config::RpcBatchRequestConfig, Configuration, PartialComponents};
use std::sync::Arc;

/// Calls that one batch may hold where the operator does not say: enough for every wallet, too few to tie up
/// the node.
const MAX_BATCH: u32 = 128;

/// Parses the command line and carries it out. Returns when the node has been stopped or the command is done.
pub(crate) fn run() -> Result<()> {
	let cli = Cli::from_args();
	match &cli.subcommand {
		None => run_node(&cli),
		Some(Subcommand::Key(cmd)) => cmd.run(&cli),
		Some(Subcommand::ExportChainSpec(cmd)) => cmd.run(cli.load_spec(&cmd.chain)?),
		Some(Subcommand::Worker(cmd)) => {
			let is_fit = cmd
				.run(&mut std::io::stdout().lock())
				.map_err(|error| sc_cli::Error::Input(error.to_string()))?;
			if !is_fit {
				std::process::exit(1);
			}
			Ok(())
		}
		Some(Subcommand::PurgeChain(cmd)) => {
			cli.create_runner(cmd)?.sync_run(|config| cmd.run(config.database))
		}
		Some(Subcommand::ChainInfo(cmd)) => {
			cli.create_runner(cmd)?.sync_run(|config| cmd.run::<Block>(&config))
		}
		Some(Subcommand::CheckBlock(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let PartialComponents { client, task_manager, import_queue, other, .. } =
				service::new_partial(&config, None)?;
			// The import queue asks tasks that live as long as their handles in `other`.
			let work = async move {
				let _handles = other;
				cmd.run(client, import_queue).await
			};
			Ok((work, task_manager))
		}),
		Some(Subcommand::ImportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let PartialComponents { client, task_manager, import_queue, other, .. } =
				service::new_partial(&config, None)?;
			let work = async move {
				let _handles = other;
				cmd.run(client, import_queue).await
			};
			Ok((work, task_manager))
		}),
		Some(Subcommand::ExportBlocks(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let PartialComponents { client, task_manager, .. } = service::new_partial(&config, None)?;
			Ok((cmd.run(client, config.database), task_manager))
		}),
		Some(Subcommand::ExportState(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let PartialComponents { client, task_manager, .. } = service::new_partial(&config, None)?;
			Ok((cmd.run(client, config.chain_spec), task_manager))
		}),
		Some(Subcommand::Revert(cmd)) => cli.create_runner(cmd)?.async_run(|config| {
			let PartialComponents { client, task_manager, backend, .. } =
				service::new_partial(&config, None)?;
			let consensus =
				|client: Arc<FullClient>, backend: Arc<FullBackend>, blocks: BlockNumber| -> Result<()> {
					sc_consensus_babe::revert(client.clone(), backend, blocks)?;
					sc_consensus_grandpa::revert(client, blocks)?;
					Ok(())
				};
			Ok((cmd.run(client, backend, Some(Box::new(consensus))), task_manager))
		}),
	}
}

fn run_node(cli: &Cli) -> Result<()> {
	let mut runner = cli.create_runner(&cli.run.base)?;
	if !matches!(runner.config().network.network_backend, NetworkBackendType::Litep2p) {
		return Err(sc_cli::Error::Input(
			"this node speaks litep2p only; leave --network-backend out".into(),
		));
	}
	settle_rpc(runner.config_mut());
	ports::check(runner.config()).map_err(|error| sc_cli::Error::Application(Box::new(error)))?;
	runner.run_node_until_exit(|config| async move {
		let RunArgs { storage_monitor, worker, wasm_cache, .. } = &cli.run;
		service::new_full(config, storage_monitor, worker, wasm_cache.as_deref())
			.map_err(sc_cli::Error::Service)
	})
}

/// Replaces Substrate's unlimited batches by [`MAX_BATCH`], and its custom of moving to a random port when
/// the one that was asked for is taken.
fn settle_rpc(config: &mut Configuration) {
	for endpoint in config.rpc.addr.iter_mut().flatten() {
		endpoint.retry_random_port = false;
	}
	let endpoints = config.rpc.addr.iter_mut().flatten().map(|endpoint| &mut endpoint.batch_config);
	for batches in endpoints.chain([&mut config.rpc.batch_config]) {
		if matches!(batches, RpcBatchRequestConfig::Unlimited) {
			*batches = RpcBatchRequestConfig::Limit(MAX_BATCH);
		}
	}
}
