//! Reads of the chain: the worker's view, auctions, nonces, and the blocks that transactions are bound to.

use crate::call::ERA_BLOCKS;
use frame_system_rpc_runtime_api::AccountNonceApi;
use millrace_primitives::{
	leases_api::{Auction, LeasesApi},
	worker_api::{WorkerApi, WorkerView},
	AccountId, BlockNumber, ClassId, Hash, Header, LeaseId, Moment, Nonce,
};
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::KeyTypeId, sr25519};
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

/// The keys of one type in a keystore and their accounts, in a fixed order.
pub(crate) fn accounts_of(keystore: &KeystorePtr, key_type: KeyTypeId) -> Vec<(sr25519::Public, AccountId)> {
	let mut keys = Keystore::sr25519_public_keys(&**keystore, key_type);
	keys.sort_unstable();
	keys.into_iter().map(|key| (key, MultiSigner::Sr25519(key).into_account())).collect()
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
	Client::Api:
		WorkerApi<Block, AccountId> + LeasesApi<Block, AccountId> + AccountNonceApi<Block, AccountId, Nonce>,
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

	/// Whether what a lease's providers did until then can still be contested, or waits for a verdict, at a block.
	pub(crate) fn can_be_contested(
		&self,
		at: Hash,
		lease: LeaseId,
		served_at: Moment,
	) -> Result<bool, ApiError> {
		self.client.runtime_api().can_be_contested(at, lease, served_at)
	}

	/// Open auctions of a class at a block.
	pub(crate) fn auctions(&self, at: Hash, class: ClassId) -> Result<Vec<Auction<AccountId>>, ApiError> {
		self.client.runtime_api().auctions(at, class)
	}

	/// An account's next nonce at a block.
	pub(crate) fn nonce(&self, at: Hash, account: &AccountId) -> Result<Nonce, ApiError> {
		self.client.runtime_api().account_nonce(at, account.clone())
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::BIDDER_KEY;
	use millrace_primitives::worker_key::KEY_TYPE;
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
	fn only_keys_of_the_type_are_found_in_a_fixed_order() {
		let keystore: KeystorePtr = Arc::new(MemoryKeystore::new());
		assert_eq!(accounts_of(&keystore, KEY_TYPE), []);
		keystore.sr25519_generate_new(sp_core::crypto::key_types::BABE, Some("//Babe")).unwrap();
		let one = keystore.sr25519_generate_new(KEY_TYPE, Some("//One")).unwrap();
		let two = keystore.sr25519_generate_new(KEY_TYPE, Some("//Two")).unwrap();
		keystore.sr25519_generate_new(BIDDER_KEY, Some("//Bidder")).unwrap();
		let found: Vec<_> =
			accounts_of(&keystore, KEY_TYPE).into_iter().map(|(_, account)| account).collect();
		let mut expected = [AccountId::new(one.0), AccountId::new(two.0)];
		expected.sort();
		assert_eq!(found, expected);
	}
}
