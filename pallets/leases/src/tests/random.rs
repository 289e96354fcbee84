//! Random sequences of everything that can happen to leases; every invariant after each step.

use crate::{
	mock::{Leases, *},
	pallet::*,
	types::*,
};
use frame_support::storage::with_storage_layer;
use millrace_primitives::{
	GpuIndex, JobId, JobOutcome, LeaseAttestation, LeaseId, LeaseStatus, NodeIndex, NodeStatus, OrderTerms,
	ProviderInspect, Term,
};
use proptest::prelude::*;
use sp_runtime::DispatchError;

#[derive(Clone, Debug)]
enum Step {
	Post { provider: u64, gpus: u32, price: u128 },
	Order { renter: u64, nodes: u32, gpus: u32, open: bool, minutes: u64, premium: Option<u32> },
	Submit { renter: u64, lease: u64, node: u8 },
	Finish { lease: u64, job: u32 },
	Extend { renter: u64, lease: u64, seconds: u64 },
	Shrink { renter: u64, lease: u64, seconds: u64 },
	TopUp { renter: u64, lease: u64, amount: u128 },
	Close { renter: u64, lease: u64 },
	Reject { renter: u64, lease: u64 },
	Reclaim { provider: u64, lease: u64 },
	Leave { provider: u64, lease: u64 },
	Poke { lease: u64 },
	ForceClose { lease: u64 },
	Attest { lease: u64, done: u32 },
	AttestHalf { provider: u64, lease: u64 },
	Suspend { provider: u64, lease: u64 },
	Live { provider: u64, live: bool },
	Break { lease: u64, broken: bool },
	Window { minutes: u64 },
	Serve { lease: u64, count: u64 },
	Blocks { count: u64, ms: u64 },
}

fn step() -> impl Strategy<Value = Step> {
	let provider = || 1..5u64;
	let renter = || prop_oneof![4 => Just(RENTER), 1 => Just(OTHER_RENTER), 1 => Just(POOR)];
	let lease = || 0..4u64;
	prop_oneof![
		2 => (provider(), 1..9u32, 80..111u128)
			.prop_map(|(provider, gpus, price)| Step::Post { provider, gpus, price }),
		4 => (renter(), 1..4u32, 1..5u32, any::<bool>(), 1..20u64, prop::option::of(0..30u32)).prop_map(
			|(renter, nodes, gpus, open, minutes, premium)| {
				Step::Order { renter, nodes, gpus, open, minutes, premium }
			}
		),
		1 => (renter(), lease(), 0..3u8).prop_map(|(renter, lease, node)| Step::Submit { renter, lease, node }),
		1 => (lease(), 0..4u32).prop_map(|(lease, job)| Step::Finish { lease, job }),
		1 => (renter(), lease(), 0..900u64)
			.prop_map(|(renter, lease, seconds)| Step::Extend { renter, lease, seconds }),
		1 => (renter(), lease(), 0..900u64)
			.prop_map(|(renter, lease, seconds)| Step::Shrink { renter, lease, seconds }),
		1 => (renter(), lease(), 0..200_000u128)
			.prop_map(|(renter, lease, amount)| Step::TopUp { renter, lease, amount }),
		1 => (renter(), lease()).prop_map(|(renter, lease)| Step::Close { renter, lease }),
		1 => (renter(), lease()).prop_map(|(renter, lease)| Step::Reject { renter, lease }),
		1 => (provider(), lease()).prop_map(|(provider, lease)| Step::Reclaim { provider, lease }),
		1 => (provider(), lease()).prop_map(|(provider, lease)| Step::Leave { provider, lease }),
		1 => lease().prop_map(|lease| Step::Poke { lease }),
		1 => lease().prop_map(|lease| Step::ForceClose { lease }),
		5 => (lease(), 0..5u32).prop_map(|(lease, done)| Step::Attest { lease, done }),
		1 => (provider(), lease()).prop_map(|(provider, lease)| Step::AttestHalf { provider, lease }),
		1 => (provider(), lease()).prop_map(|(provider, lease)| Step::Suspend { provider, lease }),
		1 => (provider(), any::<bool>()).prop_map(|(provider, live)| Step::Live { provider, live }),
		1 => (lease(), any::<bool>()).prop_map(|(lease, broken)| Step::Break { lease, broken }),
		1 => (0..8u64).prop_map(|minutes| Step::Window { minutes }),
		6 => (lease(), 0..300u64).prop_map(|(lease, count)| Step::Serve { lease, count }),
		4 => (0..40u64, prop_oneof![Just(SLOT), Just(3 * SLOT), Just(MINUTE)])
			.prop_map(|(count, ms)| Step::Blocks { count, ms }),
	]
}

/// A call as a block would apply it: all or nothing.
fn apply(call: impl FnOnce() -> Result<(), DispatchError>) {
	let _ = with_storage_layer(call);
}

fn run(step: Step) {
	let signed = RuntimeOrigin::signed;
	match step {
		Step::Post { provider, gpus, price } => {
			let terms = ask_terms(gpus, price);
			let posted = || Leases::post_ask(signed(provider), terms, 60 * MINUTE);
			apply(|| posted().map(drop).map_err(|error| error.error))
		}
		Step::Order { renter, nodes, gpus, open, minutes, premium } => apply(|| {
			let terms = OrderTerms { max_price: 120, ..gang(nodes, gpus) };
			let terms = premium.map_or(terms.clone(), |premium| with_failover(terms, premium));
			let ms = minutes * MINUTE;
			let term = if open { Term::OpenEnded { funded_ms: ms } } else { Term::Fixed { ms } };
			let terms = OrderTerms { term, ..terms };
			Leases::place_order(signed(renter), terms).map(|_| ()).map_err(|error| error.error)
		}),
		Step::Submit { renter, lease, node } => {
			apply(|| Leases::submit_job(signed(renter), LeaseId(lease), NodeIndex(node), Default::default()))
		}
		Step::Finish { lease, job } => apply(|| {
			let outcome = JobOutcome::Succeeded { output: Default::default(), bytes: 0 };
			Leases::finish_job(LeaseId(lease), JobId(job), outcome)
		}),
		Step::Extend { renter, lease, seconds } => {
			apply(|| Leases::extend(signed(renter), LeaseId(lease), seconds * SLOT + 1))
		}
		Step::Shrink { renter, lease, seconds } => {
			apply(|| Leases::shrink(signed(renter), LeaseId(lease), seconds * SLOT + 1))
		}
		Step::TopUp { renter, lease, amount } => {
			apply(|| Leases::top_up(signed(renter), LeaseId(lease), amount))
		}
		Step::Close { renter, lease } => {
			apply(|| Leases::close(signed(renter), LeaseId(lease)).map(drop).map_err(|error| error.error))
		}
		Step::Reject { renter, lease } => {
			apply(|| Leases::reject(signed(renter), LeaseId(lease)).map(drop).map_err(|error| error.error))
		}
		Step::Reclaim { provider, lease } => apply(|| Leases::reclaim(signed(provider), LeaseId(lease))),
		Step::Leave { provider, lease } => {
			apply(|| Leases::leave(signed(provider), LeaseId(lease)).map(drop).map_err(|error| error.error))
		}
		Step::Poke { lease } => {
			apply(|| Leases::poke(signed(STRANGER), LeaseId(lease)).map(drop).map_err(|error| error.error))
		}
		Step::ForceClose { lease } => apply(|| {
			Leases::force_close(RuntimeOrigin::root(), LeaseId(lease)).map(drop).map_err(|error| error.error)
		}),
		Step::Attest { lease, done } => {
			let usage = checkpoint(LeaseId(lease), JobId(done % 2), done);
			for provider in providers_of(LeaseId(lease)) {
				attest_with(provider, &usage);
			}
		}
		Step::AttestHalf { provider, lease } => {
			apply(|| Leases::attest(&provider, &usage(LeaseId(lease)), &[GpuIndex(0)], Now::get(), WINDOW))
		}
		Step::Suspend { provider, lease } => {
			apply(|| Leases::count_miss(LeaseId(lease), &provider, Now::get()))
		}
		Step::Live { provider, live } => set_live(provider, live),
		Step::Break { lease, broken } => {
			BrokenEscrows::set(if broken { vec![LeaseId(lease).into()] } else { vec![] })
		}
		Step::Window { minutes } => ContestWindow::set(minutes * MINUTE),
		Step::Serve { lease, count } => {
			for block in 1..=count {
				next_block_after(SLOT);
				if block % 10 == 0 {
					providers_of(LeaseId(lease)).into_iter().for_each(|who| attest_by(LeaseId(lease), who));
				}
			}
		}
		Step::Blocks { count, ms } => (0..count).for_each(|_| next_block_after(ms)),
	}
}

/// Who serves the lease's nodes now.
fn providers_of(lease: LeaseId) -> Vec<AccountId> {
	let nodes = crate::Leases::<Test>::get(lease).into_iter().flat_map(|lease| lease.nodes);
	nodes
		.filter(|node| !matches!(node.status, NodeStatus::Faulted { .. }))
		.map(|node| node.provider)
		.collect()
}

/// What the invariants of the state do not say.
fn check_promises() {
	for (id, lease) in crate::Leases::<Test>::iter() {
		let is_frozen = matches!(lease.status, LeaseStatus::Frozen { .. });
		assert!(!is_frozen || lease.term_ms.is_none(), "a fixed term was frozen");
		assert!(lease.ready_at.is_some() || held_of(id) > 0, "a lease that nobody pays for");
	}
}

proptest! {
	#![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

	#[test]
	fn invariants_hold_after_every_step(steps in prop::collection::vec(step(), 1..80)) {
		ExtBuilder.build_and_execute(|| {
			add_gpus(4, 8);
			for provider in 1..=4 {
				post(provider, 8, 90 + u128::from(provider));
			}
			let movable = with_failover(gang(2, 2), 10);
			for terms in [movable.clone(), open_ended(movable, 20 * MINUTE), open_ended(terms(1), 15 * MINUTE)] {
				attest(order(RENTER, terms));
			}
			let issuance = pallet_balances::TotalIssuance::<Test>::get();
			for step in steps {
				run(step.clone());
				check_promises();
				if let Err(error) = Leases::do_try_state() {
					panic!("{error:?} after {step:?}");
				}
			}
			// Whatever happened, silence ends everything: nothing is stuck.
			BrokenEscrows::set(vec![]);
			let ids: Vec<_> = crate::Leases::<Test>::iter_keys().collect();
			for lease in ids {
				providers_of(lease).iter().for_each(|who| suspend(lease, who.to_owned()));
			}
			for _ in 0..3_100 {
				next_block_after(MINUTE);
			}
			assert_eq!(crate::Leases::<Test>::iter_keys().count(), 0);
			assert_eq!(Asks::<Test>::iter_keys().count(), 0);
			assert_eq!(Payments::<Test>::iter_keys().count(), 0);
			assert_eq!(Agenda::<Test>::iter_keys().count(), 0);
			assert_eq!(TillEscrows::iter_keys().count(), 0);
			for provider in 1..=4 {
				assert_eq!(Registry::free_gpus(&provider, CLASS), 8);
			}
			assert_eq!(pallet_balances::TotalIssuance::<Test>::get(), issuance);
			let unexpected = events().into_iter().any(|event| matches!(
				event,
				Event::Unexpected { kind } if !matches!(
					kind,
					// Of an escrow that a step broke.
					UnexpectedKind::AgendaItemFailed(_, DispatchError::Unavailable)
				)
			));
			assert!(!unexpected);
		});
	}
}
