//! Reads of the chain: the worker's view, its nonce, and the blocks that transactions are bound to.

use crate::call::ERA_BLOCKS;
use frame_system_rpc_runtime_api::AccountNonceApi;
use millrace_primitives::{
	worker_api::{WorkerApi, WorkerView},
	worker_key::{WorkerPublic, KEY_TYPE},
	AccountId, BlockNumber, Hash, Header, Nonce,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::{
	traits::{Block as BlockT, IdentifyAccount},
	MultiSigner,
};
use std::{marker::PhantomData, sync::Arc};

/// Number and hash of a block.
pub(crate) type BlockId = (BlockNumber, Hash);

/// Where the chain stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Heads {
	/// The best block.
	pub best: BlockId,
	/// The latest finalised block.
	pub finalised: BlockId,
}

impl Heads {
	/// The block that a transaction's era is counted from: the latest finalised one, so that a re-org does not undo the
	/// transaction. If finality lags so much that the era would be half over, the best block.
	pub(crate) fn anchor(&self) -> BlockId {
		let lag = u64::from(self.best.0.saturating_sub(self.finalised.0));
		if lag < ERA_BLOCKS / 2 {
			self.finalised
		} else {
			self.best
		}
	}
}

/// The worker keys of a keystore and their accounts, in a fixed order.
pub(crate) fn worker_keys(keystore: &KeystorePtr) -> Vec<(WorkerPublic, AccountId)> {
	let mut keys = Keystore::sr25519_public_keys(&**keystore, KEY_TYPE);
	keys.sort_unstable();
	keys.into_iter().map(|key| (WorkerPublic::from(key), MultiSigner::Sr25519(key).into_account())).collect()
}

/// Reads of the chain.
pub(crate) struct Chain<Block, Client> {
	client: Arc<Client>,
	block: PhantomData<fn() -> Block>,
}

impl<Block, Client> Chain<Block, Client>
where
	Block: BlockT<Hash = Hash, Header = Header>,
	Client: ProvideRuntimeApi<Block> + HeaderBackend<Block>,
	Client::Api: WorkerApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
{
	pub(crate) fn new(client: Arc<Client>) -> Self {
		Self { client, block: PhantomData }
	}

	/// Hash of block 0.
	pub(crate) fn genesis(&self) -> Hash {
		self.client.info().genesis_hash
	}

	/// Where the chain stands.
	pub(crate) fn heads(&self) -> Heads {
		let info = self.client.info();
		Heads {
			best: (info.best_number, info.best_hash),
			finalised: (info.finalized_number, info.finalized_hash),
		}
	}

	/// What the chain wants of a worker at a block.
	pub(crate) fn view(
		&self,
		at: Hash,
		worker: &AccountId,
	) -> Result<Option<WorkerView<AccountId>>, ApiError> {
		self.client.runtime_api().worker_view(at, worker.clone())
	}

	/// The worker's next nonce at a block.
	pub(crate) fn nonce(&self, at: Hash, worker: &AccountId) -> Result<Nonce, ApiError> {
		self.client.runtime_api().account_nonce(at, worker.clone())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_keystore::testing::MemoryKeystore;

	fn heads(best: BlockNumber, finalised: BlockNumber) -> Heads {
		Heads { best: (best, Hash::repeat_byte(1)), finalised: (finalised, Hash::repeat_byte(2)) }
	}

	#[test]
	fn transactions_are_bound_to_the_finalised_block_while_finality_keeps_up() {
		assert_eq!(heads(10, 7).anchor().0, 7);
		assert_eq!(heads(38, 7).anchor().0, 7);
		assert_eq!(heads(39, 7).anchor().0, 39);
		// Finality may be ahead of the best block for a moment.
		assert_eq!(heads(6, 7).anchor().0, 7);
	}

	#[test]
	fn only_worker_keys_are_found_in_a_fixed_order() {
		let keystore: KeystorePtr = Arc::new(MemoryKeystore::new());
		assert_eq!(worker_keys(&keystore), []);
		keystore.sr25519_generate_new(sp_core::crypto::key_types::BABE, Some("//Babe")).unwrap();
		let one = keystore.sr25519_generate_new(KEY_TYPE, Some("//One")).unwrap();
		let two = keystore.sr25519_generate_new(KEY_TYPE, Some("//Two")).unwrap();
		let found: Vec<_> = worker_keys(&keystore).into_iter().map(|(_, account)| account).collect();
		let mut expected = [AccountId::new(one.0), AccountId::new(two.0)];
		expected.sort();
		assert_eq!(found, expected);
	}
}
