//! Turns what the worker wants to say into signed transactions of this runtime.

use crate::service::FullClient;
use codec::Encode;
use millrace_offchain_worker::{SignError, SignWorkerCall, WorkerCall, ERA_BLOCKS};
use millrace_primitives::{
	worker_key::{WorkerPublic, KEY_TYPE},
	AccountId, BlockNumber, Hash, Nonce, Signature,
};
use millrace_runtime::{opaque::Block, RuntimeCall, UncheckedExtrinsic};
use sc_client_api::HeaderBackend;
use sp_core::{sr25519, traits::CallContext};
use sp_keystore::{Keystore, KeystorePtr};
use sp_runtime::{
	generic::{Era, SignedPayload},
	traits::IdentifyAccount,
	MultiSigner, OpaqueExtrinsic,
};
use std::sync::Arc;

/// Signs with the worker's key in the node's keystore.
pub(super) struct Signer {
	client: Arc<FullClient>,
	keystore: KeystorePtr,
}

impl Signer {
	pub(super) fn new(client: Arc<FullClient>, keystore: KeystorePtr) -> Self {
		Self { client, keystore }
	}
}

impl SignWorkerCall<Block> for Signer {
	fn sign(
		&self,
		call: WorkerCall,
		worker: &WorkerPublic,
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
		sign(&*self.keystore, runtime_call(call), worker, nonce, bound_to).map(Into::into)
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
	RuntimeCall::Attestation(match call {
		WorkerCall::Report(report) => pallet_attestation::Call::report { report },
		WorkerCall::ReportJob { lease, job, outcome } => {
			pallet_attestation::Call::report_job { lease, job, outcome }
		}
	})
}

fn sign(
	keystore: &dyn Keystore,
	call: RuntimeCall,
	worker: &WorkerPublic,
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
	let public: &sr25519::Public = worker.as_ref();
	// `using_encoded` hands out the payload's hash where the payload is longer than 256 bytes, as the chain
	// does.
	let signature = payload
		.using_encoded(|bytes| keystore.sr25519_sign(KEY_TYPE, public, bytes))
		.map_err(|error| SignError::Keystore(error.to_string()))?
		.ok_or_else(|| SignError::NoKey(worker.clone()))?;
	let (call, extension, _) = payload.deconstruct();
	let account: AccountId = MultiSigner::from(*public).into_account();
	Ok(UncheckedExtrinsic::new_signed(call, account.into(), Signature::from(signature), extension))
}

#[cfg(test)]
mod tests {
	use super::*;
	use codec::Decode;
	use millrace_primitives::{GpuHealth, GpuIndex, JobId, JobOutcome, LeaseId, Report};
	use millrace_runtime::Runtime;
	use sc_keystore::LocalKeystore;
	use sp_runtime::{
		traits::Checkable,
		transaction_validity::{InvalidTransaction, TransactionValidityError},
		MultiAddress,
	};

	const GENESIS: Hash = Hash::repeat_byte(1);
	const AT: (BlockNumber, Hash) = (70, Hash::repeat_byte(2));

	fn key() -> (LocalKeystore, WorkerPublic) {
		let keystore = LocalKeystore::in_memory();
		let public =
			keystore.sr25519_generate_new(KEY_TYPE, Some("//Worker")).expect("a key can be made in memory");
		(keystore, public.into())
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

	fn long_report() -> RuntimeCall {
		let gpus = (0..64).map(|gpu| GpuHealth { gpu: GpuIndex(gpu), healthy: true }).collect::<Vec<_>>();
		runtime_call(WorkerCall::Report(Report {
			epoch: 3,
			finalised_number: AT.0,
			finalised_hash: AT.1,
			gpus: gpus.try_into().expect("64 GPUs are allowed"),
			leases: Default::default(),
		}))
	}

	fn short_call() -> RuntimeCall {
		let outcome = JobOutcome::Succeeded { output: Hash::repeat_byte(3), bytes: 10 };
		runtime_call(WorkerCall::ReportJob { lease: LeaseId(1), job: JobId(2), outcome })
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
		let (keystore, worker) = key();
		for call in [short_call(), long_report()] {
			let signed = sign(&keystore, call.clone(), &worker, 7, here()).expect("the key is there");
			let decoded =
				UncheckedExtrinsic::decode(&mut &signed.encode()[..]).expect("the runtime's own type");
			assert_eq!(decoded.function, call);
			assert_eq!(check(decoded), Ok(()));
		}
	}

	#[test]
	fn the_sender_is_the_account_of_the_key() {
		let (keystore, worker) = key();
		let signed = sign(&keystore, short_call(), &worker, 0, here()).expect("the key is there");
		let public: &sr25519::Public = worker.as_ref();
		let (sender, ..) = signed.preamble.to_signed().expect("it is signed");
		assert_eq!(sender, MultiAddress::Id(AccountId::new(public.0)));
	}

	#[test]
	fn a_signature_is_bound_to_one_chain_and_one_fork() {
		let (keystore, worker) = key();
		let elsewhere = [
			BoundTo { genesis: Hash::repeat_byte(9), ..here() },
			BoundTo { at: (AT.0, Hash::repeat_byte(9)), ..here() },
			BoundTo { spec_version: here().spec_version + 1, ..here() },
			BoundTo { transaction_version: here().transaction_version + 1, ..here() },
		];
		for bound_to in elsewhere {
			let signed = sign(&keystore, short_call(), &worker, 0, bound_to).expect("the key is there");
			assert_eq!(check(signed), Err(InvalidTransaction::BadProof.into()));
		}
	}

	#[test]
	fn a_missing_key_is_named() {
		let (_, worker) = key();
		let empty = LocalKeystore::in_memory();
		let error = sign(&empty, short_call(), &worker, 0, here()).expect_err("there is no key");
		assert!(matches!(error, SignError::NoKey(key) if key == worker));
	}
}
