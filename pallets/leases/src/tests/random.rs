//! Random sequences of everything that can happen; every invariant after each step.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use millrace_primitives::{
	AskId, ClassId, GpuIndex, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseUsage, ProviderInspect,
};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
	Post { provider: u64, gpus: u32, price: u128, term: u64, lifetime: u64 },
	Withdraw { provider: u64, ask: u64 },
	Order { renter: u64, gpus: u32, max_price: u128, term: u64, plan: bool },
	Submit { renter: u64, lease: u64 },
	Finish { lease: u64, job: u32 },
	Extend { renter: u64, lease: u64, extra: u64 },
	Close { renter: u64, lease: u64 },
	Poke { lease: u64 },
	ForceClose { lease: u64 },
	Attest { lease: u64, all: bool },
	Suspend { lease: u64 },
	Live { provider: u64, live: bool },
	Break { lease: u64, broken: bool },
	Blocks { count: u64, ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
	let provider = 1..3u64;
	let renter = prop_oneof![Just(RENTER), Just(OTHER_RENTER), Just(POOR), Just(PROVIDER)];
	let lease = 0..12u64;
	prop_oneof![
		1 => (provider.clone(), 0..10u32, 0..200u128, 0..70u64, 0..110u64).prop_map(
			|(provider, gpus, price, term, lifetime)| Step::Post { provider, gpus, price, term, lifetime }
		),
		1 => (provider.clone(), 0..10u64).prop_map(|(provider, ask)| Step::Withdraw { provider, ask }),
		1 => (renter.clone(), 0..6u32, 0..250u128, 0..70u64, any::<bool>()).prop_map(
			|(renter, gpus, max_price, term, plan)| Step::Order { renter, gpus, max_price, term, plan }
		),
		1 => (renter.clone(), lease.clone()).prop_map(|(renter, lease)| Step::Submit { renter, lease }),
		1 => (lease.clone(), 0..4u32).prop_map(|(lease, job)| Step::Finish { lease, job }),
		1 => (renter.clone(), lease.clone(), 0..30u64)
			.prop_map(|(renter, lease, extra)| Step::Extend { renter, lease, extra }),
		1 => (renter, lease.clone()).prop_map(|(renter, lease)| Step::Close { renter, lease }),
		1 => lease.clone().prop_map(|lease| Step::Poke { lease }),
		1 => lease.clone().prop_map(|lease| Step::ForceClose { lease }),
		4 => (lease.clone(), any::<bool>()).prop_map(|(lease, all)| Step::Attest { lease, all }),
		1 => lease.clone().prop_map(|lease| Step::Suspend { lease }),
		1 => (provider, any::<bool>()).prop_map(|(provider, live)| Step::Live { provider, live }),
		1 => (lease, any::<bool>()).prop_map(|(lease, broken)| Step::Break { lease, broken }),
		4 => (0..40u64, prop_oneof![Just(SLOT), Just(3 * SLOT), Just(MINUTE)])
			.prop_map(|(count, ms)| Step::Blocks { count, ms }),
	]
}

/// A call as a block would apply it: all or nothing.
fn apply<E>(call: impl FnOnce() -> Result<(), E>) {
	let _ = frame_support::storage::with_storage_layer(|| {
		call().map_err(|_| sp_runtime::DispatchError::Other(""))
	});
}

fn run(step: Step) {
	let signed = RuntimeOrigin::signed;
	match step {
		Step::Post { provider, gpus, price, term, lifetime } => apply(|| {
			let (max, lifetime) = (term * MINUTE, lifetime * MINUTE);
			Leases::post_ask(signed(provider), CLASS, gpus, price, MinTerm::get(), max, lifetime)
		}),
		Step::Withdraw { provider, ask } => apply(|| Leases::withdraw_ask(signed(provider), AskId(ask))),
		Step::Order { renter, gpus, max_price, term, plan } => apply(|| {
			let terms = OrderTerms { class: ClassId(0), gpus, max_price, term_ms: term * MINUTE };
			let plan = plan.then(Default::default);
			Leases::place_order(signed(renter), terms, plan).map(|_| ()).map_err(|error| error.error)
		}),
		Step::Submit { renter, lease } => {
			apply(|| Leases::submit_job(signed(renter), LeaseId(lease), Default::default()))
		}
		Step::Finish { lease, job } => apply(|| {
			let outcome = JobOutcome::Succeeded { output: Default::default(), bytes: 0 };
			Leases::finish_job(LeaseId(lease), JobId(job), outcome)
		}),
		Step::Extend { renter, lease, extra } => {
			apply(|| Leases::extend(signed(renter), LeaseId(lease), extra * MINUTE))
		}
		Step::Close { renter, lease } => apply(|| Leases::close(signed(renter), LeaseId(lease))),
		Step::Poke { lease } => apply(|| Leases::poke(signed(STRANGER), LeaseId(lease))),
		Step::ForceClose { lease } => apply(|| Leases::force_close(RuntimeOrigin::root(), LeaseId(lease))),
		Step::Attest { lease, all } => apply(|| {
			let usage = LeaseUsage { lease: LeaseId(lease), busy_ms: 1, jobs_ended: 0 };
			let healthy = if all { Registry::gpus(&PROVIDER) } else { vec![GpuIndex(0)] };
			Leases::attest(&usage, &healthy, Now::get(), WINDOW)
		}),
		Step::Suspend { lease } => apply(|| Leases::suspend(LeaseId(lease), Now::get())),
		Step::Live { provider, live } => RegistryLive::insert(provider, live),
		Step::Break { lease, broken } => {
			BrokenEscrows::set(if broken { vec![LeaseId(lease).into()] } else { vec![] })
		}
		Step::Blocks { count, ms } => (0..count).for_each(|_| next_block_after(ms)),
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..80)) {
		ExtBuilder.build_and_execute(|| {
			post(PROVIDER, 8, PRICE);
			for step in steps {
				run(step.clone());
				if let Err(error) = Leases::do_try_state() {
					panic!("{error:?} after {step:?}");
				}
			}
			// Whatever happened, time ends everything: nothing is stuck. The last look at an ask of 100
			// minutes is half of 6,000 slots away at most.
			BrokenEscrows::set(vec![]);
			for _ in 0..3_100 {
				next_block_after(MINUTE);
			}
			assert_eq!(crate::Leases::<Test>::iter_keys().count(), 0);
			assert_eq!(Asks::<Test>::iter_keys().count(), 0);
			assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
			let unexpected = events().into_iter().any(|event| matches!(
				event,
				Event::Unexpected { kind } if !matches!(kind, UnexpectedKind::AgendaItemFailed(..))
			));
			assert!(!unexpected);
		});
	}
}
