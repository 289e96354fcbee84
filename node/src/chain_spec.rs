//! The chains that a node knows by name, and chain specifications read from files.
//!
//! Genesis comes from the runtime's own presets; nothing here repeats it.

use millrace_runtime::{opaque::Block, WASM_BINARY};
use sc_chain_spec::ChainSpecExtension;
use sc_service::{ChainType, GenericChainSpec, Properties};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What our chain specifications have beyond Substrate's.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ChainSpecExtension)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Extensions {
	/// Blocks with known hashes.
	pub(crate) fork_blocks: sc_client_api::ForkBlocks<Block>,
	/// Blocks that are never imported.
	pub(crate) bad_blocks: sc_client_api::BadBlocks<Block>,
	/// Where light clients start; `sync_state_genSyncSpec` fills it in.
	pub(crate) light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// A chain specification with our extensions.
type Spec = GenericChainSpec<Extensions>;

/// A chain that is known by name.
struct KnownChain {
	/// After `--chain`, and in the data folder's path.
	id: &'static str,
	/// For people.
	name: &'static str,
	/// Name of the runtime's genesis preset.
	preset: &'static str,
	/// What wallets and explorers tell their users about the chain.
	kind: ChainType,
}

const KNOWN: [KnownChain; 3] = [
	KnownChain {
		id: "dev",
		name: "Millrace Development",
		preset: "development",
		kind: ChainType::Development,
	},
	KnownChain { id: "local", name: "Millrace Local", preset: "local_testnet", kind: ChainType::Local },
	KnownChain { id: "testnet", name: "Millrace Testnet", preset: "testnet", kind: ChainType::Live },
];

/// The chain called `id`, or the one in the file at that path.
pub(crate) fn load(id: &str) -> Result<Box<dyn sc_service::ChainSpec>, String> {
	if id.is_empty() {
		return Err(
			"no chain is named: add --dev for a chain of your own, or --chain local, --chain testnet, \
		            or --chain with the path of a chain specification"
				.into(),
		);
	}
	if let Some(chain) = KNOWN.iter().find(|chain| chain.id == id) {
		return Ok(Box::new(named(chain)?));
	}
	let path = PathBuf::from(id);
	if !path.is_file() {
		return Err(format!(
			"no chain `{id}`: it is neither dev, local or testnet, nor a file; \
			 `millrace-node export-chain-spec --chain local` writes a specification to start from"
		));
	}
	let spec = Spec::from_json_file(path)
		.map_err(|error| format!("`{id}` is not a chain specification of Millrace: {error}"))?;
	Ok(Box::new(spec))
}

fn named(chain: &KnownChain) -> Result<Spec, String> {
	let wasm = WASM_BINARY.ok_or(
		"this node was built without its runtime (SKIP_WASM_BUILD); build it again without that variable",
	)?;
	Ok(Spec::builder(wasm, Extensions::default())
		.with_name(chain.name)
		.with_id(chain.id)
		.with_chain_type(chain.kind.clone())
		.with_protocol_id("millrace")
		.with_properties(properties())
		.with_genesis_config_preset_name(chain.preset)
		.build())
}

/// What wallets read to show amounts and addresses.
fn properties() -> Properties {
	let mut properties = Properties::new();
	properties.insert("tokenSymbol".into(), "MILL".into());
	properties.insert("tokenDecimals".into(), 12.into());
	properties.insert("ss58Format".into(), 42.into());
	properties
}
