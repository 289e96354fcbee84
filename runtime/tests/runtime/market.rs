//! The market's cast and its usual moves: providers with reference GPUs, their workers, a renter.

use crate::chain::{worker_view, Chain, Signer};
use frame_support::traits::Get;
use millrace_primitives::{
	AskTerms, Asset, BlobHash, ClassId, Constraints, Country, Failover, FirstJob, GpuHealth, GpuIndex, Hash,
	LeaseId, LeaseUsage, Matching, NodeIndex, OrderTerms, ProviderInspect, Report, Term,
};
use millrace_runtime::{constants::MILL, AccountId, Balance, Providers, Runtime};
use sp_core::{sr25519, Pair};
use sp_keyring::Sr25519Keyring;

/// An account with GPUs, and the worker that it has named.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Provider {
	/// Owns the GPUs.
	pub(crate) owner: Sr25519Keyring,
	/// Seed of the worker's key: an account without any balance.
	worker: &'static str,
	country: Country,
	network: u32,
}

// None of them is a validator, so that no author's reward mixes with its pay.
pub(crate) const DAVE: Provider = Provider {
	owner: Sr25519Keyring::Dave,
	worker: "//a worker that owns nothing",
	country: *b"CH",
	network: 64_500,
};
pub(crate) const FERDIE: Provider =
	Provider { owner: Sr25519Keyring::Ferdie, worker: "//Ferdie's worker", country: *b"IS", network: 64_501 };
pub(crate) const CHARLIE: Provider = Provider {
	owner: Sr25519Keyring::Charlie,
	worker: "//Charlie's worker",
	country: *b"CA",
	network: 64_502,
};

/// The only provider of most tests.
pub(crate) const PROVIDER: Sr25519Keyring = DAVE.owner;
/// Rents it.
pub(crate) const RENTER: Sr25519Keyring = Sr25519Keyring::Eve;
/// The development chain's class of reference CPUs.
pub(crate) const REFERENCE: ClassId = ClassId(0);
/// The ask's price, in plancks per GPU and second: chosen so that a second's fee has a remainder.
pub(crate) const PRICE: Balance = MILL / 100 + 7;

impl Provider {
	pub(crate) fn account(&self) -> AccountId {
		self.owner.account()
	}

	pub(crate) fn worker(&self) -> sr25519::Pair {
		sr25519::Pair::from_string(self.worker, None).unwrap()
	}

	/// Registers the provider with a bond, a worker and `gpus` GPUs, in the open block.
	pub(crate) fn join(&self, chain: &mut Chain, gpus: u8) {
		let call = pallet_providers::Call::register {
			endpoint: b"wss://gpu.example:9944".to_vec().try_into().unwrap(),
			country: self.country,
			network: self.network,
		};
		chain.submit_ok(&self.owner, call);
		let amount = Balance::from(gpus) * 100 * MILL;
		chain.submit_ok(&self.owner, pallet_providers::Call::bond { amount });
		let worker = self.worker().account();
		chain.submit_ok(&self.owner, pallet_providers::Call::set_worker { worker });
		for gpu in 0..gpus {
			let uuid_hash = sp_io::hashing::blake2_256(&[self.worker.as_bytes(), &[gpu]].concat()).into();
			chain.submit_ok(&self.owner, pallet_providers::Call::add_gpu { class: REFERENCE, uuid_hash });
		}
	}

	/// Offers GPUs, in the open block.
	pub(crate) fn offer(&self, chain: &mut Chain, terms: AskTerms) {
		chain.submit_ok(&self.owner, pallet_leases::Call::post_ask { terms, lifetime_ms: 24 * 3_600_000 });
	}

	/// Whether its reports arrive.
	pub(crate) fn is_live(&self) -> bool {
		<Providers as ProviderInspect<AccountId, Balance>>::facts(&self.account())
			.is_some_and(|facts| facts.live)
	}

	/// The report that its honest worker would send now.
	pub(crate) fn honest_report(&self, chain: &Chain) -> Report {
		let view = worker_view(&self.worker().account()).unwrap();
		let gpus = view.gpus.iter().map(|gpu| gpu.gpu);
		report(chain, view.epoch, gpus, view.leases.iter().map(|lease| lease.lease))
	}

	/// Lets the worker do its duty in the open block, if that has room. Returns whether it sent a report.
	pub(crate) fn work(&self, chain: &mut Chain) -> bool {
		let due = chain.has_room() && worker_view(&self.worker().account()).unwrap().report_due;
		if due {
			let report = self.honest_report(chain);
			chain.submit_ok(&self.worker(), pallet_attestation::Call::report { report });
		}
		due
	}
}

/// The first provider's worker.
pub(crate) fn worker() -> sr25519::Pair {
	DAVE.worker()
}

pub(crate) fn worker_account() -> AccountId {
	worker().account()
}

pub(crate) fn plan() -> BlobHash {
	Hash::repeat_byte(0x91)
}

/// Registers the first provider.
pub(crate) fn join(chain: &mut Chain, gpus: u8) {
	DAVE.join(chain, gpus);
}

/// Terms of an ask at the usual price.
pub(crate) fn ask(gpus: u32) -> AskTerms {
	AskTerms {
		class: REFERENCE,
		gpus,
		price: PRICE,
		asset: Asset::Native,
		min_term_ms: 5_000,
		max_term_ms: None,
		reclaim_notice_ms: 10_000,
	}
}

/// Terms of an order for one node at the usual price, without a job.
pub(crate) fn terms(gpus_per_node: u32, term_ms: u64) -> OrderTerms {
	OrderTerms {
		class: REFERENCE,
		nodes: 1,
		gpus_per_node,
		max_price: PRICE,
		asset: Asset::Native,
		term: Term::Fixed { ms: term_ms },
		constraints: Constraints::default(),
		failover: Failover::Close,
		matching: Matching::Instant,
		starts_at: None,
		rests_ms: 0,
		jobs: Default::default(),
	}
}

/// Offers the first provider's GPUs, in the open block.
pub(crate) fn offer(chain: &mut Chain, gpus: u32) {
	DAVE.offer(chain, ask(gpus));
}

/// Orders GPUs with a first job, in the open block.
pub(crate) fn order(chain: &mut Chain, gpus: u32, term_ms: u64) {
	let jobs = vec![FirstJob { node: NodeIndex(0), plan: plan() }].try_into().unwrap();
	place(chain, OrderTerms { jobs, ..terms(gpus, term_ms) });
}

/// The renter's order, in the open block.
pub(crate) fn place(chain: &mut Chain, terms: OrderTerms) {
	chain.submit_ok(&RENTER, pallet_leases::Call::place_order { terms });
}

/// The report that the first provider's honest worker would send now.
pub(crate) fn honest_report(chain: &Chain) -> Report {
	DAVE.honest_report(chain)
}

/// A report with all these GPUs healthy.
pub(crate) fn report(
	chain: &Chain,
	epoch: u32,
	gpus: impl IntoIterator<Item = GpuIndex>,
	leases: impl IntoIterator<Item = LeaseId>,
) -> Report {
	let gpus: Vec<_> = gpus.into_iter().map(|gpu| GpuHealth { gpu, healthy: true }).collect();
	let usage = |lease| LeaseUsage { lease, busy_ms: 250, jobs_ended: 0, checkpoint: None };
	let leases: Vec<_> = leases.into_iter().map(usage).collect();
	Report {
		epoch,
		finalised_number: chain.number().saturating_sub(2),
		finalised_hash: Hash::zero(),
		gpus: gpus.try_into().unwrap(),
		leases: leases.try_into().unwrap(),
	}
}

/// One block in which the first provider's worker does its duty. Returns whether it sent a report.
pub(crate) fn block_with_worker(chain: &mut Chain) -> bool {
	chain.open_block();
	DAVE.work(chain)
}

/// One block in which the workers of these providers do their duty.
pub(crate) fn block_with(chain: &mut Chain, providers: &[Provider]) {
	chain.open_block();
	for provider in providers {
		provider.work(chain);
	}
}

/// How long what was earned can be contested, in milliseconds.
pub(crate) fn contest_window() -> u64 {
	<Runtime as pallet_settlement::Config>::ContestWindow::get()
}
