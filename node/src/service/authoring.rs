//! Making blocks (BABE) and voting on them (GRANDPA).

use super::{
	network::VoteChannel,
	partial::{slot_inherents, FinalityLink, FullBlockImport, JUSTIFICATION_PERIOD},
	Core,
};
use millrace_runtime::opaque::Block;
use sc_basic_authorship::ProposerFactory;
use sc_consensus_babe::{BabeLink, BabeParams, SlotProportion};
use sc_consensus_grandpa::{GrandpaParams, SharedVoterState, VotingRulesBuilder};
use sc_consensus_slots::BackoffAuthoringOnFinalizedHeadLagging;
use sc_network::service::traits::NetworkService;
use sc_network_sync::SyncingService;
use sc_service::{Configuration, Error, Role, TaskManager};
use sc_telemetry::TelemetryHandle;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use std::{sync::Arc, time::Duration};
use substrate_prometheus_endpoint::Registry;

/// Part of a slot in which transactions are put into a block; the rest is for spreading and importing it.
const PROPOSING: f32 = 0.5;

/// How long GRANDPA waits for a message to reach everybody. Its rounds take a few times as long.
const GOSSIP: Duration = Duration::from_millis(333);

/// What the operator said about consensus.
pub(super) struct Settings {
	pub(super) role: Role,
	/// Make blocks even while no other node is connected.
	force_authoring: bool,
	/// Neither vote nor follow the votes.
	pub(super) disable_grandpa: bool,
	node_name: String,
	registry: Option<Registry>,
}

impl Settings {
	/// Copies them out of the node's configuration.
	pub(super) fn of(config: &Configuration) -> Self {
		Self {
			role: config.role,
			force_authoring: config.force_authoring,
			disable_grandpa: config.disable_grandpa,
			node_name: config.network.node_name.clone(),
			registry: config.prometheus_registry().cloned(),
		}
	}
}

/// What the author needs.
pub(super) struct Author {
	pub(super) sync: Arc<SyncingService<Block>>,
	pub(super) block_import: FullBlockImport,
	pub(super) babe_link: BabeLink<Block>,
	pub(super) telemetry: Option<TelemetryHandle>,
}

/// Starts making a block in every slot that one of our keys wins.
pub(super) fn start_author(
	settings: &Settings,
	tasks: &TaskManager,
	core: &Core,
	author: Author,
) -> Result<(), Error> {
	let proposer = ProposerFactory::new(
		tasks.spawn_handle(),
		core.client.clone(),
		core.pool.clone(),
		settings.registry.as_ref(),
		author.telemetry.clone(),
	);
	let slot_duration = author.babe_link.config().slot_duration();
	let babe = sc_consensus_babe::start_babe(BabeParams {
		keystore: core.keystore.clone(),
		client: core.client.clone(),
		select_chain: core.select_chain.clone(),
		env: proposer,
		block_import: author.block_import,
		sync_oracle: author.sync.clone(),
		justification_sync_link: author.sync,
		create_inherent_data_providers: slot_inherents(slot_duration),
		force_authoring: settings.force_authoring,
		backoff_authoring_blocks: Some(BackoffAuthoringOnFinalizedHeadLagging::default()),
		babe_link: author.babe_link,
		block_proposal_slot_portion: SlotProportion::new(PROPOSING),
		max_block_proposal_slot_portion: None,
		telemetry: author.telemetry,
	})?;
	tasks.spawn_essential_handle().spawn_blocking("babe-proposer", Some("block-authoring"), babe);
	Ok(())
}

/// What the voter needs.
pub(super) struct Voter {
	pub(super) link: FinalityLink,
	pub(super) network: Arc<dyn NetworkService>,
	pub(super) sync: Arc<SyncingService<Block>>,
	pub(super) votes: VoteChannel,
	pub(super) voter_state: SharedVoterState,
	pub(super) telemetry: Option<TelemetryHandle>,
}

/// Starts GRANDPA: validators vote, other nodes follow the votes.
pub(super) fn start_voter(
	settings: Settings,
	tasks: &TaskManager,
	core: &Core,
	voter: Voter,
) -> Result<(), Error> {
	let grandpa = sc_consensus_grandpa::run_grandpa_voter(GrandpaParams {
		config: sc_consensus_grandpa::Config {
			gossip_duration: GOSSIP,
			justification_generation_period: JUSTIFICATION_PERIOD,
			name: Some(settings.node_name),
			observer_enabled: false,
			keystore: settings.role.is_authority().then(|| core.keystore.clone()),
			local_role: settings.role,
			telemetry: voter.telemetry.clone(),
			protocol_name: voter.votes.protocol,
		},
		link: voter.link,
		network: voter.network,
		sync: voter.sync,
		notification_service: voter.votes.notifications,
		voting_rule: VotingRulesBuilder::default().build(),
		prometheus_registry: settings.registry,
		shared_voter_state: voter.voter_state,
		telemetry: voter.telemetry,
		offchain_tx_pool_factory: OffchainTransactionPoolFactory::new(core.pool.clone()),
	})?;
	tasks.spawn_essential_handle().spawn_blocking("grandpa-voter", None, grandpa);
	Ok(())
}
