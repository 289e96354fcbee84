//! The market's cast and its usual moves: a provider with one reference GPU, its worker, a renter.

use crate::chain::{worker_view, Chain, Signer};
use millrace_primitives::{BlobHash, ClassId, GpuHealth, GpuIndex, Hash, LeaseId, LeaseUsage, Report};
use millrace_runtime::{constants::MILL, AccountId, Balance};
use pallet_leases::OrderTerms;
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;

/// Owns the GPU. Not a validator, so that no author's reward mixes with its pay.
pub(crate) const PROVIDER: Sr25519Keyring = Sr25519Keyring::Dave;
/// Rents it.
pub(crate) const RENTER: Sr25519Keyring = Sr25519Keyring::Eve;
/// The development chain's class of reference CPUs.
pub(crate) const REFERENCE: ClassId = ClassId(0);
/// The ask's price, in plancks per GPU and second: chosen so that a second's fee has a remainder.
pub(crate) const PRICE: Balance = MILL / 100 + 7;

/// The worker's key: an account without any balance.
pub(crate) fn worker() -> sr25519::Pair {
	sr25519::Pair::from_string("//a worker that owns nothing", None).unwrap()
}

pub(crate) fn worker_account() -> AccountId {
	worker().account()
}

pub(crate) fn plan() -> BlobHash {
	Hash::repeat_byte(0x91)
}

/// Registers the provider with a bond, a worker and `gpus` GPUs, in the open block.
pub(crate) fn join(chain: &mut Chain, gpus: u8) {
	let call = pallet_providers::Call::register {
		endpoint: b"wss://gpu.example:9944".to_vec().try_into().unwrap(),
		country: *b"CH",
		network: 64_500,
		operator_group: None,
	};
	chain.submit_ok(&PROVIDER, call);
	chain.submit_ok(&PROVIDER, pallet_providers::Call::bond { amount: Balance::from(gpus) * 100 * MILL });
	chain.submit_ok(&PROVIDER, pallet_providers::Call::set_worker { worker: worker_account() });
	for gpu in 0..gpus {
		let uuid_hash = Hash::repeat_byte(gpu + 1);
		chain.submit_ok(&PROVIDER, pallet_providers::Call::add_gpu { class: REFERENCE, uuid_hash });
	}
}

/// Offers all of the provider's GPUs, in the open block.
pub(crate) fn offer(chain: &mut Chain, gpus: u32) {
	let call = pallet_leases::Call::post_ask {
		class: REFERENCE,
		gpus,
		price: PRICE,
		min_term_ms: 5_000,
		max_term_ms: 3_600_000,
		lifetime_ms: 24 * 3_600_000,
	};
	chain.submit_ok(&PROVIDER, call);
}

/// Orders GPUs with a first job, in the open block.
pub(crate) fn order(chain: &mut Chain, gpus: u32, term_ms: u64) {
	let order = OrderTerms { class: REFERENCE, gpus, max_price: PRICE, term_ms };
	chain.submit_ok(&RENTER, pallet_leases::Call::place_order { order, plan: Some(plan()) });
}

/// The report that an honest worker would send now.
pub(crate) fn honest_report(chain: &Chain) -> Report {
	let view = worker_view(&worker_account()).unwrap();
	report(
		chain,
		view.epoch,
		view.gpus.iter().map(|gpu| gpu.gpu),
		view.leases.iter().map(|lease| lease.lease),
	)
}

/// A report with all these GPUs healthy.
pub(crate) fn report(
	chain: &Chain,
	epoch: u32,
	gpus: impl IntoIterator<Item = GpuIndex>,
	leases: impl IntoIterator<Item = LeaseId>,
) -> Report {
	let gpus: Vec<_> = gpus.into_iter().map(|gpu| GpuHealth { gpu, healthy: true }).collect();
	let leases: Vec<_> =
		leases.into_iter().map(|lease| LeaseUsage { lease, busy_ms: 250, jobs_ended: 0 }).collect();
	Report {
		epoch,
		finalised_number: chain.number().saturating_sub(2),
		finalised_hash: Hash::zero(),
		gpus: gpus.try_into().unwrap(),
		leases: leases.try_into().unwrap(),
	}
}

/// One block in which the worker does its duty. Returns whether a report was due.
pub(crate) fn block_with_worker(chain: &mut Chain) -> bool {
	chain.open_block();
	let due = worker_view(&worker_account()).unwrap().report_due;
	if due {
		let report = honest_report(chain);
		chain.submit_ok(&worker(), pallet_attestation::Call::report { report });
	}
	due
}
