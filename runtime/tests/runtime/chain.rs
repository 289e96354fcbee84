//! A chain in memory, built from a preset and driven block by block.

use codec::Encode;
use frame_support::{assert_ok, dispatch::GetDispatchInfo, genesis_builder_helper};
use millrace_primitives::{
	worker_api::{runtime_decl_for_worker_api::WorkerApi, WorkerView},
	LeaseId, Moment,
};
use millrace_runtime::{
	configs::{governance::CouncilCollective, system::RuntimeBlockWeights},
	genesis, tx_extension, AccountId, Allowances, Attestation, Executive, FaultClock, Header, Leases,
	Providers, Rewards, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig, Settlement, SignedPayload,
	Slashing, System, UncheckedExtrinsic,
};
use serde_json::Value;
use sp_consensus_babe::{digests::PreDigest, digests::SecondaryPlainPreDigest, Slot, BABE_ENGINE_ID};
use sp_core::{sr25519, Pair};
use sp_io::TestExternalities;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{
	generic::Era,
	traits::{BlakeTwo256, Hash as _, Header as _, IdentifyAccount},
	transaction_validity::{TransactionSource, TransactionValidity},
	ApplyExtrinsicResult, Digest, DigestItem, MultiSignature, MultiSigner,
};

/// When a chain of the tests begins, in milliseconds: a multiple of every slot length.
pub(crate) const START: Moment = 1_800_000_000_000;

/// Merges a patch into JSON as RFC 7386 has it.
fn merge(base: &mut Value, patch: Value) {
	match (base, patch) {
		(Value::Object(base), Value::Object(patch)) => {
			for (key, value) in patch {
				merge(base.entry(key).or_insert(Value::Null), value);
			}
		}
		(base, patch) => *base = patch,
	}
}

/// The whole genesis configuration of a preset.
pub(crate) fn preset_json(name: &str) -> Value {
	let default = genesis_builder_helper::get_preset::<RuntimeGenesisConfig>(&None, |_| None).unwrap();
	let mut config: Value = serde_json::from_slice(&default).unwrap();
	merge(&mut config, serde_json::from_slice(&genesis::preset(&name.into()).unwrap()).unwrap());
	config
}

/// The state of a preset's genesis.
pub(crate) fn preset_state(name: &str) -> TestExternalities {
	state_of(&preset_json(name))
}

/// The state of a genesis configuration.
pub(crate) fn state_of(config: &Value) -> TestExternalities {
	let mut state = TestExternalities::new_empty();
	state.execute_with(|| {
		let json = serde_json::to_vec(config).unwrap();
		assert_eq!(genesis_builder_helper::build_state::<RuntimeGenesisConfig>(json), Ok(()));
	});
	state
}

/// Runs a test on the development chain, and checks the invariants at its end.
pub(crate) fn on_development_chain(test: impl FnOnce(&mut Chain)) {
	preset_state("development").execute_with(|| {
		let mut chain = Chain::at_head();
		test(&mut chain);
		chain.close_block();
		check_invariants();
	});
}

/// Every invariant: across pallets, and within each of the chain's own; with the feature `try-runtime` of all others too.
pub(crate) fn check_invariants() {
	assert_ok!(millrace_runtime::invariants::check());
	assert_ok!(Providers::do_try_state());
	assert_ok!(Settlement::do_try_state());
	assert_ok!(Leases::do_try_state());
	assert_ok!(Attestation::do_try_state());
	assert_ok!(Allowances::do_try_state());
	assert_ok!(FaultClock::do_try_state());
	assert_ok!(Slashing::do_try_state());
	assert_ok!(Rewards::do_try_state());
	#[cfg(feature = "try-runtime")]
	{
		use frame_support::traits::{TryState, TryStateSelect};
		let number = System::block_number();
		assert_ok!(<millrace_runtime::AllPalletsWithSystem as TryState<u32>>::try_state(
			number,
			TryStateSelect::All
		));
	}
}

/// The chain's head.
pub(crate) struct Chain {
	parent: millrace_runtime::Hash,
	slot_ms: u64,
	number: u32,
	/// Slots without a block so far.
	empty_slots: u64,
	closed: bool,
}

impl Chain {
	/// The development chain as the state has it, between two blocks.
	pub(crate) fn at_head() -> Self {
		Self {
			parent: System::block_hash(0),
			slot_ms: 1_000,
			number: System::block_number(),
			empty_slots: 0,
			closed: true,
		}
	}

	/// Time of the block that is open, or was open last.
	pub(crate) fn now(&self) -> Moment {
		START + (u64::from(self.number) + self.empty_slots) * self.slot_ms
	}

	/// Number of the block that is open, or was open last.
	pub(crate) fn number(&self) -> u32 {
		self.number
	}

	/// Nobody makes a block for so many slots.
	pub(crate) fn stall(&mut self, slots: u64) {
		self.close_block();
		self.empty_slots += slots;
	}

	/// Begins the next block, one slot later: digest, hooks, timestamp.
	pub(crate) fn open_block(&mut self) {
		self.close_block();
		self.number += 1;
		let slot = Slot::from(self.now() / self.slot_ms);
		let pre = PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index: 0, slot });
		let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre.encode())] };
		let header = Header::new(self.number, Default::default(), Default::default(), self.parent, digest);
		Executive::initialize_block(&header);
		let timestamp = RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: self.now() });
		assert_eq!(Executive::apply_extrinsic(UncheckedExtrinsic::new_bare(timestamp)), Ok(Ok(())));
		self.closed = false;
	}

	/// Ends the open block, if there is one.
	pub(crate) fn close_block(&mut self) {
		if !self.closed {
			self.parent = Executive::finalize_block().hash();
			self.closed = true;
		}
	}

	/// Whether the open block has room for transactions. The first one of a session has none: its hooks take all of it.
	pub(crate) fn has_room(&self) -> bool {
		let most = RuntimeBlockWeights::get().max_block.ref_time();
		System::block_weight().total().ref_time() < most / 2
	}

	/// Begins the next block that has room for transactions.
	pub(crate) fn open_block_with_room(&mut self) {
		self.open_block();
		if !self.has_room() {
			self.open_block();
		}
	}

	/// Puts a signed transaction into the open block. The outer error is of the transaction, the inner of the call.
	pub(crate) fn submit(
		&mut self,
		signer: &impl Signer,
		call: impl Into<RuntimeCall>,
	) -> ApplyExtrinsicResult {
		Executive::apply_extrinsic(signed(signer, call.into()))
	}

	/// The same, expecting success.
	#[track_caller]
	pub(crate) fn submit_ok(&mut self, signer: &impl Signer, call: impl Into<RuntimeCall>) {
		let result = self.submit(signer, call);
		assert!(matches!(result, Ok(Ok(_))), "{result:?}");
	}

	/// Two of the council's three members decide in one block that a call is made: proposed, voted and closed.
	pub(crate) fn council_decides(&mut self, call: impl Into<RuntimeCall>) {
		let proposal = call.into();
		let (length_bound, proposal_hash) = (proposal.encoded_size() as u32, BlakeTwo256::hash_of(&proposal));
		let proposal_weight_bound = proposal.get_dispatch_info().call_weight;
		let index = pallet_collective::ProposalCount::<Runtime, CouncilCollective>::get();
		let (alice, bob) = (Sr25519Keyring::Alice, Sr25519Keyring::Bob);
		self.open_block_with_room();
		let propose =
			pallet_collective::Call::propose { threshold: 2, proposal: Box::new(proposal), length_bound };
		self.submit_ok(&alice, RuntimeCall::Council(propose));
		for member in [alice, bob] {
			let vote = pallet_collective::Call::vote { proposal: proposal_hash, index, approve: true };
			self.submit_ok(&member, RuntimeCall::Council(vote));
		}
		let close =
			pallet_collective::Call::close { proposal_hash, index, proposal_weight_bound, length_bound };
		self.submit_ok(&bob, RuntimeCall::Council(close));
		assert!(events().iter().any(|event| matches!(
			event,
			RuntimeEvent::Council(pallet_collective::Event::Executed { result: Ok(()), .. })
		)));
	}

	/// What the pool of a node would say to the transaction.
	pub(crate) fn validate(&self, signer: &impl Signer, call: impl Into<RuntimeCall>) -> TransactionValidity {
		Executive::validate_transaction(TransactionSource::External, signed(signer, call.into()), self.parent)
	}
}

/// Events of the open block, or of the one that was closed last.
pub(crate) fn events() -> Vec<RuntimeEvent> {
	System::read_events_no_consensus().map(|record| record.event).collect()
}

/// What the worker's runtime API answers.
pub(crate) fn worker_view(worker: &AccountId) -> Option<WorkerView<AccountId>> {
	<Runtime as WorkerApi<millrace_runtime::Block, AccountId>>::worker_view(worker.clone())
}

/// Whether the worker's runtime API says that what a lease's providers did until then can be contested.
pub(crate) fn can_be_contested(lease: LeaseId, served_at: Moment) -> bool {
	<Runtime as WorkerApi<millrace_runtime::Block, AccountId>>::can_be_contested(lease, served_at)
}

/// Somebody who can sign.
pub(crate) trait Signer {
	fn key(&self) -> sr25519::Pair;

	fn account(&self) -> AccountId {
		MultiSigner::from(self.key().public()).into_account()
	}
}

impl Signer for Sr25519Keyring {
	fn key(&self) -> sr25519::Pair {
		self.pair()
	}
}

impl Signer for sr25519::Pair {
	fn key(&self) -> sr25519::Pair {
		self.clone()
	}
}

/// The transaction that the signer would send next.
pub(crate) fn signed(signer: &impl Signer, call: RuntimeCall) -> UncheckedExtrinsic {
	let account = signer.account();
	let extension = tx_extension(System::account_nonce(&account), Era::Immortal, 0);
	let payload = SignedPayload::new(call, extension).unwrap();
	let signature = payload.using_encoded(|bytes| MultiSignature::Sr25519(signer.key().sign(bytes)));
	let (call, extension, _) = payload.deconstruct();
	UncheckedExtrinsic::new_signed(call, account.into(), signature, extension)
}
