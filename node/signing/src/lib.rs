//! Turns what the worker wants to say into signed transactions of this runtime.

mod standing;

use codec::Encode;
use millrace_offchain_worker::{BidderStanding, SignError, SignWorkerCall, WorkerCall, ERA_BLOCKS};
use millrace_primitives::{AccountId, BlockNumber, Hash, Nonce, Signature};
use millrace_runtime::{configs::operations::ProxyType, opaque::Block, RuntimeCall, UncheckedExtrinsic};
use sc_client_api::{Backend, StorageData, StorageKey, StorageProvider};
use sp_api::CallApiAt;
use sp_blockchain::HeaderBackend;
use sp_core::{crypto::KeyTypeId, sr25519, traits::CallContext};
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::{
	generic::{Era, SignedPayload},
	traits::IdentifyAccount,
	MultiSigner, OpaqueExtrinsic,
};
use standing::standing;
use std::{marker::PhantomData, sync::Arc};

/// Signs with the keys of worker and bidder in the node's keystore.
pub struct Signer<Client, Backend> {
	client: Arc<Client>,
	keystore: KeystorePtr,
	backend: PhantomData<fn() -> Backend>,
}

impl<Client, Backend> Signer<Client, Backend> {
	/// One that reads the chain's state and version from this client.
	pub fn new(client: Arc<Client>, keystore: KeystorePtr) -> Self {
		Self { client, keystore, backend: PhantomData }
	}
}

impl<Client, B> SignWorkerCall<Block> for Signer<Client, B>
where
	B: Backend<Block>,
	Client: HeaderBackend<Block> + CallApiAt<Block> + StorageProvider<Block, B> + Send + Sync,
{
	fn sign(
		&self,
		call: WorkerCall,
		key: &sr25519::Public,
		nonce: Nonce,
		(number, hash): (BlockNumber, Hash),
	) -> Result<OpaqueExtrinsic, SignError> {
		let chain = self.client.info();
		// The best block's versions, not those of `at`: an upgrade may lie between the two.
		let version = self
			.client
			.runtime_version_at(chain.best_hash, CallContext::Offchain)
			.map_err(|error| SignError::Chain(error.to_string()))?;
		let bound_to = BoundTo {
			spec_version: version.spec_version,
			transaction_version: version.transaction_version,
			genesis: chain.genesis_hash,
			at: (number, hash),
		};
		let key_type = call.key_type();
		sign(&*self.keystore, runtime_call(call), (key_type, key), nonce, bound_to).map(Into::into)
	}

	fn bidder_standing(
		&self,
		provider: &AccountId,
		bidder: &AccountId,
		at: Hash,
	) -> Result<BidderStanding, SignError> {
		standing(provider, bidder, |key| {
			let value = self.client.storage(at, &StorageKey(key.to_vec()));
			let value = value.map_err(|error| SignError::Chain(error.to_string()))?;
			Ok(value.map(|StorageData(bytes)| bytes))
		})
	}
}

/// What a signature is good for: one runtime, one chain, and a few blocks from `at`.
struct BoundTo {
	spec_version: u32,
	transaction_version: u32,
	genesis: Hash,
	at: (BlockNumber, Hash),
}

fn runtime_call(call: WorkerCall) -> RuntimeCall {
	match call {
		WorkerCall::Report(report) => RuntimeCall::Attestation(pallet_attestation::Call::report { report }),
		WorkerCall::ReportJob { lease, job, outcome } => {
			RuntimeCall::Attestation(pallet_attestation::Call::report_job { lease, job, outcome })
		}
		WorkerCall::Bid { provider, order, price, reclaim_notice_ms } => {
			let bid = pallet_leases::Call::place_bid { order, price, reclaim_notice_ms };
			RuntimeCall::Proxy(pallet_proxy::Call::proxy {
				real: provider.into(),
				// An account with more rights than that bids with no more than that.
				force_proxy_type: Some(ProxyType::Bidding),
				call: Box::new(RuntimeCall::Leases(bid)),
			})
		}
	}
}

fn sign(
	keystore: &dyn Keystore,
	call: RuntimeCall,
	(key_type, public): (KeyTypeId, &sr25519::Public),
	nonce: Nonce,
	bound_to: BoundTo,
) -> Result<UncheckedExtrinsic, SignError> {
	let (number, hash) = bound_to.at;
	let era = Era::mortal(ERA_BLOCKS, number.into());
	let extension = millrace_runtime::tx_extension(nonce, era, 0);
	// In the extension's order, so that the compiler notices when the runtime gets another one.
	let implicit = (
		(),
		(),
		bound_to.spec_version,
		bound_to.transaction_version,
		bound_to.genesis,
		hash,
		(),
		(),
		(),
		None,
		(),
	);
	let payload = SignedPayload::from_raw(call, extension, implicit);
	// `using_encoded` hands out the payload's hash where the payload is longer than 256 bytes, as the chain
	// does.
	let signature = payload
		.using_encoded(|bytes| keystore.sr25519_sign(key_type, public, bytes))
		.map_err(|error| SignError::Keystore(error.to_string()))?
		.ok_or(SignError::NoKey { public: *public, key_type })?;
	let (call, extension, _) = payload.deconstruct();
	let account: AccountId = MultiSigner::from(*public).into_account();
	Ok(UncheckedExtrinsic::new_signed(call, account.into(), Signature::from(signature), extension))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Decode;
	use millrace_offchain_worker::BIDDER_KEY;
	use millrace_primitives::{
		worker_key::KEY_TYPE as WORKER_KEY, GpuHealth, GpuIndex, JobId, JobOutcome, LeaseId, OrderId, Report,
	};
	use millrace_runtime::Runtime;
	use sc_keystore::LocalKeystore;
	use sp_runtime::{
		traits::Checkable,
		transaction_validity::{InvalidTransaction, TransactionValidityError},
		MultiAddress,
	};

	const GENESIS: Hash = Hash::repeat_byte(1);
	const AT: (BlockNumber, Hash) = (70, Hash::repeat_byte(2));

	fn key(key_type: KeyTypeId) -> (LocalKeystore, sr25519::Public) {
		let keystore = LocalKeystore::in_memory();
		let public =
			keystore.sr25519_generate_new(key_type, Some("//Worker")).expect("a key can be made in memory");
		(keystore, public)
	}

	fn here() -> BoundTo {
		let version = millrace_runtime::VERSION;
		BoundTo {
			spec_version: version.spec_version,
			transaction_version: version.transaction_version,
			genesis: GENESIS,
			at: AT,
		}
	}

	/// Signs a worker's call with the key of its type.
	fn signed(
		keystore: &LocalKeystore,
		call: WorkerCall,
		key: &sr25519::Public,
		bound_to: BoundTo,
	) -> Result<UncheckedExtrinsic, SignError> {
		let key_type = call.key_type();
		sign(keystore, runtime_call(call), (key_type, key), 7, bound_to)
	}

	fn long_report() -> WorkerCall {
		let gpus = (0..64).map(|gpu| GpuHealth { gpu: GpuIndex(gpu), healthy: true }).collect::<Vec<_>>();
		WorkerCall::Report(Report {
			epoch: 3,
			finalised_number: AT.0,
			finalised_hash: AT.1,
			gpus: gpus.try_into().expect("64 GPUs are allowed"),
			leases: Default::default(),
		})
	}

	fn short_call() -> WorkerCall {
		let outcome = JobOutcome::Succeeded { output: Hash::repeat_byte(3), bytes: 10 };
		WorkerCall::ReportJob { lease: LeaseId(1), job: JobId(2), outcome }
	}

	fn bid() -> WorkerCall {
		WorkerCall::Bid {
			provider: AccountId::new([8; 32]),
			order: OrderId(4),
			price: 5,
			reclaim_notice_ms: 6_000,
		}
	}

	/// Checks the signature as the runtime does, on a chain with these two blocks.
	fn check(transaction: UncheckedExtrinsic) -> Result<(), TransactionValidityError> {
		sp_io::TestExternalities::default().execute_with(|| {
			frame_system::Pallet::<Runtime>::set_block_number(AT.0 + 5);
			frame_system::BlockHash::<Runtime>::insert(0, GENESIS);
			frame_system::BlockHash::<Runtime>::insert(AT.0, AT.1);
			transaction.check(&frame_system::ChainContext::<Runtime>::default()).map(drop)
		})
	}

	#[test]
	fn the_runtime_accepts_the_signature() {
		for call in [short_call(), long_report(), bid()] {
			let (keystore, public) = key(call.key_type());
			let signed = signed(&keystore, call.clone(), &public, here()).expect("the key is there");
			let decoded =
				UncheckedExtrinsic::decode(&mut &signed.encode()[..]).expect("the runtime's own type");
			assert_eq!(decoded.function, runtime_call(call));
			assert_eq!(check(decoded), Ok(()));
		}
	}

	#[test]
	fn the_sender_is_the_account_of_the_key() {
		let (keystore, public) = key(WORKER_KEY);
		let signed = signed(&keystore, short_call(), &public, here()).expect("the key is there");
		let (sender, ..) = signed.preamble.to_signed().expect("it is signed");
		assert_eq!(sender, MultiAddress::Id(AccountId::new(public.0)));
	}

	#[test]
	fn a_signature_is_bound_to_one_chain_and_one_fork() {
		let (keystore, public) = key(WORKER_KEY);
		let elsewhere = [
			BoundTo { genesis: Hash::repeat_byte(9), ..here() },
			BoundTo { at: (AT.0, Hash::repeat_byte(9)), ..here() },
			BoundTo { spec_version: here().spec_version + 1, ..here() },
			BoundTo { transaction_version: here().transaction_version + 1, ..here() },
		];
		for bound_to in elsewhere {
			let signed = signed(&keystore, short_call(), &public, bound_to).expect("the key is there");
			assert_eq!(check(signed), Err(InvalidTransaction::BadProof.into()));
		}
	}

	#[test]
	fn no_key_signs_what_another_is_for() {
		for (call, other) in [(short_call(), BIDDER_KEY), (long_report(), BIDDER_KEY), (bid(), WORKER_KEY)] {
			let (keystore, key) = key(other);
			let error = signed(&keystore, call, &key, here()).expect_err("this key may not sign that");
			assert!(
				matches!(error, SignError::NoKey { public, key_type } if public == key && key_type != other)
			);
		}
	}

	#[test]
	fn a_bid_is_made_in_the_providers_name_and_with_no_more_rights_than_that() {
		let RuntimeCall::Proxy(pallet_proxy::Call::proxy { real, force_proxy_type, call }) =
			runtime_call(bid())
		else {
			panic!("a bid goes through a proxy")
		};
		assert_eq!((real, force_proxy_type), (AccountId::new([8; 32]).into(), Some(ProxyType::Bidding)));
		let price_and_notice =
			pallet_leases::Call::place_bid { order: OrderId(4), price: 5, reclaim_notice_ms: 6_000 };
		assert_eq!(*call, RuntimeCall::Leases(price_and_notice));
	}

	#[test]
	fn a_missing_key_is_named() {
		let (_, key) = key(WORKER_KEY);
		let empty = LocalKeystore::in_memory();
		let error = signed(&empty, short_call(), &key, here()).expect_err("there is no key");
		assert!(matches!(error, SignError::NoKey { public, .. } if public == key));
		assert!(error.to_string().contains("of type `gpuw`"), "{error}");
	}
}
